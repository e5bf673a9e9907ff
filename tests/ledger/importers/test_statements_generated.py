"""Web exports as they may come: any rows come back in any form, and nothing else is raised."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ledger import codec
from ledger.entries import RawRecord
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.importers import opened
from ledger.importers.base import Hints
from ledger.importers.statements import IMPORTERS
from ledger.money import canonical
from ledger.units import Digest
from tests.support.statements import (
    ALICE,
    DAY_FIRST,
    FUNDING,
    PARIS,
    SHEET,
    TRADES,
    TRANSFERS,
    UTC,
    moments,
    read,
)


def plain(number: Decimal) -> str:
    return canonical(number)


numbers = st.decimals(min_value="0.000001", max_value="1000000", places=6).map(
    lambda value: Decimal(canonical(value))
)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[datetime, str, str, Decimal, Decimal]]:
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))
    steps = draw(st.lists(st.integers(0, 400_000), min_size=1, max_size=12))
    rows = []
    for step in steps:
        start += timedelta(seconds=step)
        coin = draw(st.sampled_from(["BTC", "HYPE/USDC", "xyz:NVDA", "@107"]))
        words = draw(st.sampled_from(["Open Long", "Close Long", "Buy", "Sell"]))
        rows.append((start, coin, words, draw(numbers), draw(numbers)))
    return rows


FORMATS = {
    "day-first": (
        "{0.day:02}/{0.month:02}/{0.year} {0:%H:%M:%S}",
        "{0:%H:%M:%S} {0.day}/{0.month}/{0.year}",
    ),
    "month-first": ("{0.month}/{0.day}/{0.year} - {0:%H:%M:%S}",),
}


@given(
    histories(),
    st.sampled_from([(order, form) for order, forms in FORMATS.items() for form in forms]),
    st.booleans(),
    st.sampled_from(["UTC", "Asia/Kolkata", "America/Sao_Paulo"]),
)
def test_what_is_written_comes_back(rows, form, turned: bool, zone: str):
    order, pattern = form
    lines = [
        f"{pattern.format(at.astimezone(ZoneInfo(zone)))},{coin},{words},{plain(px)},{plain(sz)},1,0,0"
        for at, coin, words, px, sz in rows
    ]
    moments_differ = len({row[0] for row in rows}) > 1
    lines = lines[::-1] if turned and moments_differ else lines
    hints = Hints(account=ALICE, zone=zone, dates=order)
    reading = read("\n".join([TRADES, *lines]), hints)
    assert () == reading.unreadable
    events = [event for part in reading.parts for event in part.events]
    assert [
        (int(at.timestamp()) * 1000, coin, words, px, sz) for at, coin, words, px, sz in rows
    ] == [(e.at, e.coin, e.direction, e.px, e.sz) for e in events]
    assert len(events) == len({codec.identity(event) for event in events})


@given(histories())
def test_a_day_above_twelve_makes_the_hint_needless(rows):
    last = rows[-1][0]
    later = last + timedelta(days=(13 - last.day) % 31 or 31)
    rows = [*rows, (later if later.day > 12 else later + timedelta(days=12), *rows[-1][1:])]
    for forms in FORMATS.values():
        lines = [f"{forms[0].format(at)},BTC,Buy,1,1,1,0,0" for at, *_ in rows]
        reading = read("\n".join([TRADES, *lines]))
        assert [int(at.timestamp()) * 1000 for at, *_ in rows] == moments(reading)


@given(
    st.sampled_from([TRADES, FUNDING, TRANSFERS, SHEET]),
    st.binary(max_size=300),
    st.sampled_from([UTC, PARIS, Hints(), DAY_FIRST]),
)
def test_arbitrary_bytes_raise_nothing_else(header: str, tail: bytes, hints: Hints):
    body = header.encode() + b"\n" + tail
    with suppress(MalformedRecord, NeedsHint, RefusedFile):
        document = opened(RawRecord(name="x", body=body, digest=Digest("0" * 64)))
        for importer in IMPORTERS:
            if importer.accepts(document):
                importer.read(document, hints)


cell_texts = st.one_of(
    st.sampled_from(["27/6/2026 - 14:11:28", "1/2/2026 1:00:00", "21-04-2025 13:32", "BTC", "Buy"]),
    st.sampled_from(["Long", "Short", "BUY", "SELL", "TRUE", "1", "-1", "1e-5", "Deposit", ALICE]),
    st.text(max_size=8),
)


@given(st.data(), st.sampled_from([TRADES, FUNDING, TRANSFERS, SHEET]))
def test_rows_of_any_cells_are_events_or_quarantine(data, header: str):
    width = header.count(",") + 1
    rows = data.draw(st.lists(st.lists(cell_texts, min_size=width, max_size=width), max_size=5))
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows(rows)
    try:
        reading = read(f"{header}\n{held.getvalue()}", DAY_FIRST)
    except (MalformedRecord, NeedsHint, RefusedFile, UnicodeEncodeError):
        return
    assert sum(len(part.events) for part in reading.parts) <= len(rows)
