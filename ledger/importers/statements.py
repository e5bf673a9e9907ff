"""Statements: the exports of the venue's web interface, and fills saved as a spreadsheet.

These records write civil time without a zone, carry no identities, and round to the second (the
spreadsheet to the minute). Which of the two numbers of a date is the day is decided over the
whole file; where every row fits both readings the file is not read until somebody says which.
The one importer that may know calendars and zones: turning them into milliseconds is its subject.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import MAXYEAR, MINYEAR, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

import attrs

from ledger.entries import Part, Reading, Source, Unreadable
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.events import Deposited, Event, Filled, FundingPaid, Unrecognized, Withdrawn
from ledger.importers.base import Importer
from ledger.importers.lines import apart, cells, header_of, market, refuse_mark, unread
from ledger.money import ZERO, parse_decimal
from ledger.units import Address, Coin, Millis, Stream, account_stream, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from ledger.importers.base import Document, Hints

Dates: TypeAlias = Literal["day-first", "month-first"]

SHEET_ZONE: Final = "Asia/Kolkata"
"""What the spreadsheet's column ``Timestamp IST`` names."""

SAY_ACCOUNT: Final = "--account 0x…"
SAY_ZONE: Final = "--zone Europe/Paris"
SAY_DATES: Final = "--dates day-first or --dates month-first"

_DATE: Final = r"(?P<first>[0-9]{1,2})([/.-])(?P<second>[0-9]{1,2})\2(?P<year>[0-9]{4})"
_CLOCK: Final = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<secs>[0-9]{2}))?"
_DATE_FIRST: Final = re.compile(rf"\A{_DATE} (?:- )?{_CLOCK}\Z", re.ASCII)
_CLOCK_FIRST: Final = re.compile(
    r"\A(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<secs>[0-9]{2}))? "
    r"(?P<first>[0-9]{1,2})([/.-])(?P<second>[0-9]{1,2})\5(?P<year>[0-9]{4})\Z",
    re.ASCII,
)
_FIELDS: Final = ("first", "second", "year", "hour", "minute", "secs")
_EPOCH: Final = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day, not an instant

_PRICE_IMPROVED: Final = " (Price Improved)"
_SIDES: Final[dict[str, Literal["B", "A"]]] = {
    "Open Long": "B",
    "Close Short": "B",
    "Short > Long": "B",
    "Buy": "B",
    "Liquidated Cross Short": "B",
    "Liquidated Isolated Short": "B",
    "Open Short": "A",
    "Close Long": "A",
    "Long > Short": "A",
    "Sell": "A",
    "Liquidated Cross Long": "A",
    "Liquidated Isolated Long": "A",
    "Spot Dust Conversion": "A",
}
"""What was done to the market, by the venue's words for a fill. Other words do not tell."""


# ------------------------------------------------------------------------- the forms


@attrs.frozen(kw_only=True)
class Form:
    """One kind of export: its columns, whose column is the time, and how a row becomes an event."""

    name: str
    columns: tuple[str, ...]
    time: int
    source: Source
    row: Callable[[Sequence[str], Millis, Stream], Event]
    account: int | None = None
    zone: str | None = None


def _traded(row: Sequence[str], at: Millis, stream: Stream) -> Filled:
    _, coin, direction, px, sz, notional, fee, pnl = row
    return _filled(
        stream=stream,
        at=at,
        coin=market(coin),
        px=_number("px", px),
        sz=_size("sz", sz),
        side=side_of(direction),
        direction=direction,
        reported_net_pnl=_number("closedPnl", pnl),
        notional=_number("ntl", notional),
        fee=_number("fee", fee),
    )


def _filled(
    *,
    stream: Stream,
    at: Millis,
    coin: Coin,
    px: Decimal,
    sz: Decimal,
    side: Literal["B", "A"],
    direction: str,
    notional: Decimal,
    fee: Decimal,
    start_position: Decimal | None = None,
    reported_closed_pnl: Decimal | None = None,
    reported_net_pnl: Decimal | None = None,
    crossed: bool | None = None,
    oid: int | None = None,
    tx_hash: str | None = None,
) -> Filled:
    """Return a fill of a record without identities: what such a record never says is None."""
    return Filled(
        stream=stream,
        at=at,
        coin=coin,
        px=px,
        sz=sz,
        side=side,
        direction=direction,
        start_position=start_position,
        reported_closed_pnl=reported_closed_pnl,
        reported_net_pnl=reported_net_pnl,
        notional=notional,
        fee=fee,
        fee_asset=None,
        builder_fee=None,
        crossed=crossed,
        oid=oid,
        tid=None,
        cloid=None,
        twap_id=None,
        liquidated_user=None,
        liquidation_mark=None,
        liquidation_method=None,
        tx_hash=tx_hash,
    )


def _funded(row: Sequence[str], at: Millis, stream: Stream) -> FundingPaid:
    _, coin, sz, side, payment, rate = row
    size = _size("sz", sz)
    return FundingPaid(
        stream=stream,
        at=at,
        coin=market(coin),
        usdc=_number("payment", payment),
        size=size if _word("side", side, ("Long", "Short")) == "Long" else size.copy_negate(),
        rate=_number("rate", rate),
        samples=None,
        tx_hash=None,
    )


def _moved(row: Sequence[str], at: Millis, stream: Stream) -> Event:
    """Return a deposit or withdrawal; whatever else the row calls itself is kept as it is."""
    _, action, _, _, change, fee = row
    word = action.lower()
    if word == "deposit":
        usdc = _size("accountValueChange", change)
        return Deposited(stream=stream, at=at, usdc=usdc, tx_hash=None)
    if word in {"withdraw", "withdrawal"}:
        lost = _number("accountValueChange", change).copy_negate()
        charged = ZERO if fee in {"", "-", "--"} else _number("fee", fee)
        if lost <= charged or charged < 0:
            expected = "negative, and more than the fee: what the account lost"
            raise MalformedRecord(field="accountValueChange", found=change, expected=expected)
        usdc = lost - charged
        return Withdrawn(stream=stream, at=at, usdc=usdc, fee=charged, nonce=None, tx_hash=None)
    body = json.dumps(dict(zip(TRANSFERS.columns, row, strict=True)), ensure_ascii=False)
    return Unrecognized(stream=stream, at=at, venue_type=action, body=body, tx_hash=None)


def _sheet_row(row: Sequence[str], at: Millis, stream: Stream) -> Filled:
    """Return a fill of the spreadsheet; ``Trade ID`` (``8.95E+14``) is no identity any more."""
    sides: dict[str, Literal["B", "A"]] = {"BUY": "B", "SELL": "A"}
    return _filled(
        stream=stream,
        at=at,
        coin=market(row[1]),
        px=_number("Execution Price", row[2]),
        sz=_size("Size Tokens", row[3]),
        notional=_number("Size USD", row[4]),
        side=sides[_word("Side", row[5], ("BUY", "SELL"))],
        start_position=_number("Start Position", row[7]),
        direction=row[8],
        reported_closed_pnl=_number("Closed PnL", row[9]),
        tx_hash=_hash("Transaction Hash", row[10]),
        oid=int(row[11]) if re.fullmatch("[0-9]{1,19}", row[11], re.ASCII) else None,
        crossed=_word("Crossed", row[12].upper(), ("TRUE", "FALSE")) == "TRUE",
        fee=_number("Fee", row[13]),
    )


TRADES: Final = Form(
    name="web trades",
    columns=("time", "coin", "dir", "px", "sz", "ntl", "fee", "closedPnl"),
    time=0,
    source="web",
    row=_traded,
)
FUNDING: Final = Form(
    name="web funding",
    columns=("time", "coin", "sz", "side", "payment", "rate"),
    time=0,
    source="web",
    row=_funded,
)
TRANSFERS: Final = Form(
    name="web transfers",
    columns=("time", "action", "source", "destination", "accountValueChange", "fee"),
    time=0,
    source="web",
    row=_moved,
)
SHEET: Final = Form(
    name="spreadsheet of fills",
    columns=(
        "Account", "Coin", "Execution Price", "Size Tokens", "Size USD", "Side", "Timestamp IST",
        "Start Position", "Direction", "Closed PnL", "Transaction Hash", "Order ID", "Crossed",
        "Fee", "Trade ID", "Timestamp",
    ),
    time=6,
    source="sheet",
    row=_sheet_row,
    account=0,
    zone=SHEET_ZONE,
)  # fmt: skip
FORMS: Final = (TRADES, FUNDING, TRANSFERS, SHEET)


def side_of(direction: str) -> Literal["B", "A"]:
    """Return whether the venue's words for a fill mean bought (B) or sold (A).

    The suffix ``(Price Improved)`` says nothing about the side.

    Raises: MalformedRecord, for words that do not tell, such as Auto-Deleveraging or Settlement.
    """
    side = _SIDES.get(direction.removesuffix(_PRICE_IMPROVED))
    if side is None:
        expected = "words that say which side was taken, such as Open Long; give the API's record"
        raise MalformedRecord(field="dir", found=direction, expected=expected)
    return side


# ------------------------------------------------------------------------- reading


@attrs.frozen
class _Row:
    """A row with its civil time taken apart: first, second, year, hour, minute, second."""

    number: int
    cells: list[str]
    civil: tuple[int, ...]


@attrs.frozen
class _Timed:
    """A row and its moment; ``fold`` is the later one where the clock showed that time twice."""

    row: _Row
    at: Millis
    fold: Millis | None


def read(form: Form, document: Document, hints: Hints) -> Reading:
    """Return the rows of an export as events, oldest first, one part per account.

    **Order**: an export that shows the newest row first is turned round whole, ties included.

    Raises: NeedsHint, naming every flag the file cannot do without; RefusedFile, when a hint
    contradicts the file.
    """
    refuse_mark(document.name, document.text)
    unreadable: list[Unreadable] = []
    rows = _rows(form, document.text, unreadable)
    if not rows:
        return Reading(kind=form.name, unreadable=tuple(unreadable), notes=("no row to read",))
    dates, zone = _decide(form, document.name, rows, hints)
    notes: list[str] = []
    if form.account is not None and hints.account is not None:
        notes.append(f"only rows of {hints.account} were asked for")
    parts: list[Part] = []
    for account, own in _by_account(form, rows, hints, unreadable).items():
        timed = _in_order(_at(own, dates, zone, unreadable), unreadable, notes)
        stream = account_stream(account)
        pairs = list(_events(form, timed, stream, unreadable))
        if pairs:
            parts.append(
                Part(
                    stream=stream,
                    source=form.source,
                    answer="line",
                    rows=tuple(number for number, _ in pairs),
                    events=tuple(apart([event for _, event in pairs])),
                )
            )
    unreadable.sort(key=lambda row: int(row.place.removeprefix("line ")))
    return Reading(
        kind=form.name, parts=tuple(parts), unreadable=tuple(unreadable), notes=tuple(notes)
    )


def _rows(form: Form, text: str, unreadable: list[Unreadable]) -> list[_Row]:
    rows: list[_Row] = []
    for number, row in cells(text, len(form.columns), unreadable):
        written = row[form.time]
        found = _DATE_FIRST.match(written) or _CLOCK_FIRST.match(written)
        if found is None:
            expected = "a date and time as the web interface writes it: 27/6/2026 - 14:11:28"
            error = MalformedRecord(field=form.columns[form.time], found=written, expected=expected)
            unreadable.append(unread(number, error, ",".join(row)))
            continue
        civil = tuple(int(part or "0") for part in found.group(*_FIELDS))
        rows.append(_Row(number, row, civil))
    return rows


def _events(
    form: Form, timed: Iterable[_Timed], stream: Stream, unreadable: list[Unreadable]
) -> Iterable[tuple[int, Event]]:
    make = form.row
    for item in timed:
        try:
            yield item.row.number, make(item.row.cells, item.at, stream)
        except MalformedRecord as error:
            unreadable.append(unread(item.row.number, error, ",".join(item.row.cells)))


def _by_account(
    form: Form, rows: list[_Row], hints: Hints, unreadable: list[Unreadable]
) -> dict[Address, list[_Row]]:
    """Return the rows per account; of a file that names accounts, only the one asked for."""
    if form.account is None:
        return {hints.account: rows} if hints.account is not None else {}
    groups: dict[Address, list[_Row]] = {}
    for row in rows:
        try:
            account = parse_address(row.cells[form.account], field=form.columns[form.account])
        except MalformedRecord as error:
            unreadable.append(unread(row.number, error, ",".join(row.cells)))
            continue
        if hints.account in {None, account}:
            groups.setdefault(account, []).append(row)
    return groups


# ------------------------------------------------------------------------- dates and zones


def _decide(form: Form, name: str, rows: list[_Row], hints: Hints) -> tuple[Dates, ZoneInfo]:
    """Return which number is the day and in which zone; ask for all that is open at once.

    Raises: NeedsHint; RefusedFile, when the hint on dates cannot be true.
    """
    questions: list[tuple[str, str]] = []
    if form.account is None and hints.account is None:
        questions.append(("it does not say whose account it is", SAY_ACCOUNT))
    zone_name = hints.zone or form.zone
    zone = None if zone_name is None else _zone(zone_name)
    if zone is None:
        asked = "it does not say in which time zone it was saved"
        if zone_name is not None:
            asked = f"{zone_name!r} is not the IANA name of a time zone"
        questions.append((asked, SAY_ZONE))
    dates, asked = _dates(name, rows, hints.dates)
    if asked:
        questions.append((asked, SAY_DATES))
    if questions or zone is None or dates is None:
        raise NeedsHint(
            name=name,
            question="; ".join(question for question, _ in questions),
            flag=", ".join(flag for _, flag in questions),
        )
    return dates, zone


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _dates(name: str, rows: list[_Row], hint: Dates | None) -> tuple[Dates | None, str]:
    """Return the only reading that fits every row, or what must be asked.

    A number above 12 is a day. That one reading would make the rows jump back in time proves
    nothing, and is not looked at.
    """
    day_first = next((row for row in rows if row.civil[0] > 12), None)
    month_first = next((row for row in rows if row.civil[1] > 12), None)
    if day_first and month_first:
        lines = f"lines {day_first.number} and {month_first.number}"
        return hint, "" if hint else f"{lines} cannot both be dates of one order"
    decided: Dates | None = "day-first" if day_first else "month-first" if month_first else None
    proof = day_first or month_first
    if decided and proof and hint not in {None, decided}:
        raise RefusedFile(
            name=name,
            reason=f"line {proof.number} can only be {decided}, and {hint} was said",
            remedy=f"Leave --dates out, or say --dates {decided}",
        )
    if decided or hint:
        return decided or hint, ""
    open_row = next((row for row in rows if row.civil[0] != row.civil[1]), None)
    if open_row is None:
        return "day-first", ""
    first, second, year = open_row.civil[:3]
    return None, (
        f"its dates can be read in two ways (line {open_row.number}: "
        f"{year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}), and every row fits both"
    )


def _at(
    rows: list[_Row], dates: Dates, zone: ZoneInfo, unreadable: list[Unreadable]
) -> list[_Timed]:
    """Return rows with their moments; times that no clock of the zone showed are unreadable."""
    timed: list[_Timed] = []
    for row in rows:
        first, second, year, hour, minute, secs = row.civil
        month, day = (second, first) if dates == "day-first" else (first, second)
        try:
            local = datetime(year, month, day, hour, minute, secs, tzinfo=zone)
        except ValueError as error:
            unreadable.append(unread(row.number, f"no such date: {error}", ",".join(row.cells)))
            continue
        early = _millis(local) if MINYEAR < year < MAXYEAR else -1
        late = _millis(local.replace(fold=1)) if early >= 0 else -1
        if early < 0 or late < early:
            reason = "before 1970 or too far on" if early < 0 else _skipped(zone)
            unreadable.append(unread(row.number, reason, ",".join(row.cells)))
            continue
        timed.append(_Timed(row, Millis(early), Millis(late) if late > early else None))
    return timed


def _millis(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    days = local.toordinal() - _EPOCH - offset.days
    seconds = (local.hour * 60 + local.minute) * 60 + local.second - offset.seconds
    return (days * 86_400 + seconds) * 1000


def _skipped(zone: ZoneInfo) -> str:
    return f"no clock in {zone.key} showed this time: it was put forward over it"


# ------------------------------------------------------------------------- order


def _in_order(timed: list[_Timed], unreadable: list[Unreadable], notes: list[str]) -> list[_Timed]:
    """Return rows oldest first, every one at its one moment.

    A time the clock showed twice is told by the order of the file: where the rows of that hour
    step back once, those before are of the first showing and those after of the second. Where
    they do not, it stays open and the rows are unreadable.
    """
    sure = [item.at for item in timed if item.fold is None]
    ups = sum(before < after for before, after in pairwise(sure))
    downs = sum(before > after for before, after in pairwise(sure))
    if downs > ups:
        timed.reverse()
    sorted_file = (ups == 0) != (downs == 0)
    placed: list[_Timed] = []
    for day, group in groupby(timed, key=lambda item: item.fold and item.row.civil[:3]):
        run = list(group)
        if day is not None:
            run = _unfolded(run, unreadable, told=sorted_file)
        placed.extend(run)
    if any(before.at > after.at for before, after in pairwise(placed)):
        notes.append("the rows are in no order of time; within a moment the file's order was kept")
        placed.sort(key=lambda item: item.at)
    return placed


def _unfolded(run: list[_Timed], unreadable: list[Unreadable], *, told: bool) -> list[_Timed]:
    """Return rows of an hour that was shown twice, each in its showing; else none of them."""
    steps = [index for index, (a, b) in enumerate(pairwise(run), start=1) if a.at > b.at]
    if len(steps) == 1 and told:
        late = (attrs.evolve(item, at=item.fold or item.at) for item in run[steps[0] :])
        return [*run[: steps[0]], *late]
    reason = "the clock showed this time twice, and the order of the rows does not tell which it is"
    unreadable.extend(unread(item.row.number, reason, ",".join(item.row.cells)) for item in run)
    return []


# ------------------------------------------------------------------------- cells


def _number(field: str, text: str) -> Decimal:
    return parse_decimal(text, field=field, exponent=True)


def _size(field: str, text: str) -> Decimal:
    value = parse_decimal(text, field=field, exponent=True)
    if value > 0:
        return value
    raise MalformedRecord(field=field, found=text, expected="above zero")


def _word(field: str, text: str, words: tuple[str, ...]) -> str:
    if text in words:
        return text
    raise MalformedRecord(field=field, found=text, expected=f"one of {', '.join(words)}")


def _hash(field: str, text: str) -> str:
    if re.fullmatch("0x[0-9a-f]{64}", text, re.ASCII):
        return text
    raise MalformedRecord(field=field, found=text, expected="a hash: 0x and 64 hexadecimal digits")


def _importer(form: Form) -> Importer:
    return Importer(
        name=form.name,
        accepts=lambda document: not document.is_json and header_of(document.text) == form.columns,
        read=lambda document, hints: read(form, document, hints),
    )


STATEMENTS: Final = tuple(_importer(form) for form in FORMS)
"""The importers of this module, for the table of all."""
