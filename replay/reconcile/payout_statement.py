"""A statement of interest as a CSV file: what somebody says was paid, hour by hour.

Columns by name, in any order, others are passed over: ``time`` and ``token``, then either
``supply`` and ``borrow``, or ``side`` (supply or borrow) and ``amount``. Amounts are plain
decimals. A time names its zone, or ``zone`` is said for the whole file.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.errors import MalformedRecord, RefusedFile, UnclearQuestion
from ledger.money import parse_decimal
from ledger.units import Asset, Millis
from projections.lending import SIDES, Side
from projections.payouts import Paid
from replay.moments import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_SIDES: Final[Mapping[str, Side]] = {"supply": "supply", "borrow": "borrow"}

_NEEDED: Final = (
    "its first line names the columns time, token, supply and borrow, or time, token, side, amount"
)


def read_statement(name: str, body: bytes, *, zone: str | None = None) -> tuple[Paid, ...]:
    """Return the amounts a statement says were paid; zeros are passed over.

    *zone* is the name of the zone of times that say none, such as Europe/Paris.

    Raises: RefusedFile, for a file that is no such statement; the message names the line.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedFile(
            name=name, reason=f"byte {error.start} is no UTF-8", remedy="Save it as UTF-8"
        ) from error
    first = text.split("\n", 1)[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    columns = {(each or "").strip().lower() for each in rows.fieldnames or ()}
    has_sides, has_amounts = columns >= {"supply", "borrow"}, columns >= {"side", "amount"}
    if not columns >= {"time", "token"} or has_sides == has_amounts:
        raise RefusedFile(
            name=name,
            reason=f"its columns are {', '.join(sorted(columns)) or 'none'}",
            remedy=f"Give a file in which {_NEEDED}",
        )
    found: list[Paid] = []
    for row in rows:
        place = f"line {rows.line_num}"
        cells = {(key or "").strip().lower(): (value or "").strip() for key, value in row.items()
                 if not isinstance(value, list)}  # fmt: skip
        try:
            found += _paid(cells, place, zone, has_sides=has_sides)
        except (MalformedRecord, UnclearQuestion) as error:
            raise RefusedFile(
                name=name, reason=f"{place}: {error}", remedy="Nothing of it was compared"
            ) from error
    return tuple(found)


def _paid(
    cells: Mapping[str, str], place: str, zone: str | None, *, has_sides: bool
) -> Iterator[Paid]:
    at = _moment(cells.get("time", ""), zone)
    token = cells.get("token", "")
    if not token:
        raise MalformedRecord(field="token", found=token, expected="the symbol of a token")
    amounts: dict[Side, Decimal] = {}
    if has_sides:
        for side in SIDES:
            amounts[side] = parse_decimal(cells.get(side) or "0", field=side, exponent=True)
    else:
        said = cells.get("side", "").lower()
        if said not in _SIDES:
            raise MalformedRecord(field="side", found=said, expected="supply or borrow")
        amounts[_SIDES[said]] = parse_decimal(cells.get("amount", ""), exponent=True)
    for side, amount in amounts.items():
        if amount:
            yield Paid(at=at, asset=Asset(token), side=side, amount=amount, place=place)


def _moment(text: str, zone: str | None) -> Millis:
    try:
        naive = datetime.fromisoformat(text)
    except ValueError:
        return parse_moment(text)
    if zone is None or naive.tzinfo is not None or len(text) <= len("2026-08-01"):
        return parse_moment(text)
    try:
        aware = naive.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise UnclearQuestion(
            asked=zone, problem="is no time zone", remedy="Name one such as Europe/Paris"
        ) from error
    if aware.utcoffset() != aware.replace(fold=1).utcoffset():
        raise UnclearQuestion(
            asked=text,
            problem=f"happened twice in {zone}, or not at all: its clock was changed",
            remedy="Write the times with their offset, such as 2026-10-25T02:30+01:00",
        )
    return Millis((aware - _EPOCH) // timedelta(milliseconds=1))
