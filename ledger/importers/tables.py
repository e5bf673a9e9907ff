"""Tables: market histories kept as CSV, with times that need no zone from anybody.

Two forms: an hourly history of one or more funding rates as collectors of the API save it, and
the venue's own archive of market states (``asset_ctxs``), of which the prices are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, le
from typing import TYPE_CHECKING, Final, Literal

import attrs

from ledger.entries import Part, Reading, Source, Unreadable
from ledger.errors import MalformedRecord
from ledger.events import Event, FundingRateSet, PriceObserved
from ledger.importers.base import Importer
from ledger.importers.dates import parse_iso
from ledger.importers.lines import apart, cells, header_of, market, parse_utc, refuse_mark, unread
from ledger.money import parse_decimal
from ledger.units import Stream, market_stream

if TYPE_CHECKING:
    from ledger.importers.base import Document, Hints

FUNDING_COLUMNS: Final = ("timestamp", "symbol", "funding_rate", "premium")
CONTEXT_COLUMNS: Final = (
    "time", "coin", "funding", "open_interest", "prev_day_px", "day_ntl_vlm", "premium",
    "oracle_px", "mark_px", "mid_px", "impact_bid_px", "impact_ask_px",
)  # fmt: skip

_PRICES: Final[tuple[tuple[Literal["oracle", "mark", "mid"], int], ...]] = (
    ("oracle", 7),
    ("mark", 8),
    ("mid", 9),
)


@attrs.frozen(kw_only=True)
class Table:
    """One form: its columns, where such files come from, and what a row says."""

    name: str
    columns: tuple[str, ...]
    source: Source
    row: Callable[[list[str]], list[Event]]


def _rate(row: list[str]) -> list[Event]:
    """Return the rate of one interval; a collector writes exponents and lets a premium lack."""
    at, coin, rate, premium = row
    name = market(coin, "symbol")
    return [
        FundingRateSet(
            stream=market_stream(name),
            at=parse_iso(at, field="timestamp"),
            coin=name,
            rate=parse_decimal(rate, field="funding_rate", exponent=True),
            premium=parse_decimal(premium, field="premium", exponent=True) if premium else None,
        )
    ]


def _prices(row: list[str]) -> list[Event]:
    """Return the prices of one market at one instant; an empty cell is a price there was not."""
    name = market(row[1])
    at = parse_utc(row[0], field="time")
    stream = market_stream(name)
    return [
        PriceObserved(
            stream=stream,
            at=at,
            coin=name,
            measure=measure,
            px=parse_decimal(row[column], field=CONTEXT_COLUMNS[column], exponent=True),
            via="asset_ctxs",
        )
        for measure, column in _PRICES
        if row[column]
    ]


FUNDING_HISTORY: Final = Table(
    name="table of funding rates", columns=FUNDING_COLUMNS, source="sheet", row=_rate
)
ASSET_CONTEXTS: Final = Table(
    name="archive asset_ctxs", columns=CONTEXT_COLUMNS, source="node", row=_prices
)


def read(table: Table, document: Document, hints: Hints) -> Reading:  # noqa: ARG001 - the protocol
    """Return the rows of a table as events, one part per market, oldest first.

    Raises: RefusedFile, when the file begins with a byte order mark.
    """
    refuse_mark(document.name, document.text)
    unreadable: list[Unreadable] = []
    found: dict[Stream, tuple[list[int], list[Event]]] = {}
    for number, row in cells(document.text, len(table.columns), unreadable):
        try:
            events = table.row(row)
        except MalformedRecord as error:
            unreadable.append(unread(number, error, ",".join(row)))
            continue
        for event in events:
            numbers, own = found.setdefault(event.stream, ([], []))
            numbers.append(number)
            own.append(event)
    parts = tuple(
        _part(table, stream, numbers, events) for stream, (numbers, events) in found.items()
    )
    notes = () if parts or unreadable else ("no row to read",)
    return Reading(kind=table.name, parts=parts, unreadable=tuple(unreadable), notes=notes)


def _part(table: Table, stream: Stream, numbers: list[int], events: list[Event]) -> Part:
    times = [event.at for event in events]
    if not all(map(le, times, times[1:])):
        order = sorted(range(len(events)), key=lambda index: times[index])
        numbers = [numbers[index] for index in order]
        events = sorted(events, key=attrgetter("at"))
    return Part(
        stream=stream,
        source=table.source,
        answer="line",
        rows=tuple(numbers),
        events=tuple(apart(events)),
    )


def _importer(table: Table) -> Importer:
    return Importer(
        name=table.name,
        accepts=lambda document: not document.is_json and header_of(document.text) == table.columns,
        read=lambda document, hints: read(table, document, hints),
    )


IMPORTERS: Final = (_importer(FUNDING_HISTORY), _importer(ASSET_CONTEXTS))
"""The importers of this module, for the table of all."""
