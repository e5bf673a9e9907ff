"""Market histories kept as CSV: what becomes of a row, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import codec
from ledger.entries import RawRecord, Reading
from ledger.errors import RefusedFile
from ledger.events import FundingRateSet, PriceObserved
from ledger.importers import opened
from ledger.importers import read as read_record
from ledger.importers.base import Hints
from ledger.importers.tables import CONTEXT_COLUMNS, IMPORTERS
from ledger.units import Digest

FUNDING = "timestamp,symbol,funding_rate,premium"
CONTEXTS = ",".join(CONTEXT_COLUMNS)


def read(text: str) -> Reading:
    body = text.encode()
    record = RawRecord(name="t.csv", body=body, digest=Digest(sha256(body).hexdigest()))
    return read_record(record, Hints())


def test_a_rate_is_read_with_its_exponent_and_its_own_zone():
    row = "2026-02-09T22:00:00.059999+01:00,BTC,5.741e-07,-0.0004954074"
    (part,) = read(f"{FUNDING}\n{row}").parts
    (event,) = part.events
    assert ("market:BTC", "sheet", "line", (2,)) == (
        part.stream, part.source, part.answer, part.rows
    )  # fmt: skip
    assert isinstance(event, FundingRateSet)
    # 2026-02-09T21:00:00.059Z, by date --date=… +%s%3N
    assert (1_770_670_800_059, "BTC") == (event.at, event.coin)
    assert (Decimal("0.0000005741"), Decimal("-0.0004954074")) == (event.rate, event.premium)


def test_a_premium_may_lack():
    assert read(f"{FUNDING}\n2026-02-09T21:00:00Z,BTC,0.1,").parts[0].events[0].premium is None


@pytest.mark.parametrize(
    "row",
    [
        "2026-02-09T21:00:00,BTC,0.1,0",
        "2026-02-30T21:00:00Z,BTC,0.1,0",
        "1.77e12,BTC,0.1,0",
        "2026-02-09T21:00:00Z,,0.1,0",
        "2026-02-09T21:00:00Z,BTC,,0",
        "2026-02-09T21:00:00Z,BTC,nan,0",
        "2026-02-09T21:00:00Z,BTC,0.1",
    ],
)
def test_a_row_that_cannot_be_read_goes_to_quarantine(row: str):
    reading = read(f"{FUNDING}\n{row}\n2026-02-09T22:00:00Z,BTC,0.1,0")
    assert ["line 2"] == [item.place for item in reading.unreadable]
    assert [(3,)] == [part.rows for part in reading.parts]


def test_markets_are_streams_and_rows_come_oldest_first():
    rows = (
        "2026-02-09T22:00:00Z,BTC,0.2,0",
        "2026-02-09T21:00:00Z,ETH,0.3,0",
        "2026-02-09T21:00:00Z,BTC,0.1,0",
    )
    btc, eth = read("\n".join([FUNDING, *rows])).parts
    assert ("market:BTC", (4, 2)) == (btc.stream, btc.rows)
    assert ("market:ETH", (3,)) == (eth.stream, eth.rows)


def test_the_archive_gives_mark_oracle_and_mid_prices():
    """No such file is recorded; the row is composed after the documented columns."""
    row = "2026-02-09T21:00:00Z,BTC,0.0000125,100.5,70000.0,1.5e9,0.0001,69000.5,69001,{},1,2"
    reading = read("\n".join([CONTEXTS, row.format("69000.75"), row.format("")]))
    (part,) = reading.parts
    assert ("market:BTC", "node", (2, 2, 2, 3, 3)) == (part.stream, part.source, part.rows)
    assert all(isinstance(event, PriceObserved) for event in part.events)
    assert [
        ("oracle", Decimal("69000.5"), 0),
        ("mark", Decimal(69001), 0),
        ("mid", Decimal("69000.75"), 0),
        ("oracle", Decimal("69000.5"), 1),
        ("mark", Decimal(69001), 1),
    ] == [(event.measure, event.px, event.occurrence) for event in part.events]
    assert {"asset_ctxs"} == {event.via for event in part.events}


def test_the_archive_leaves_utc_unsaid():
    row = "2026-02-09 21:00:00,BTC,0,0,0,0,0,1,1,1,1,1"
    assert 1_770_670_800_000 == read(f"{CONTEXTS}\n{row}").parts[0].events[0].at


def test_a_byte_order_mark_is_refused():
    with pytest.raises(RefusedFile, match="byte order mark"):
        read(f"\ufeff{FUNDING}\n")


@given(st.sampled_from([FUNDING, CONTEXTS]), st.text(max_size=200))
def test_any_text_below_a_header_is_events_or_quarantine(header: str, tail: str):
    body = f"{header}\n{tail}".encode("utf-8", "replace")
    document = opened(RawRecord(name="x", body=body, digest=Digest("0" * 64)))
    for importer in IMPORTERS:
        if importer.accepts(document):
            importer.read(document, Hints())


def test_the_recorded_rates_of_one_market_are_all_events(recorded: Path):
    path = recorded / "funding-tracker" / "funding_history.BTC.csv"
    reading = read(path.read_text(encoding="utf-8"))
    (part,) = reading.parts
    assert ("market:BTC", (), 23_548) == (part.stream, reading.unreadable, len(part.events))
    assert 23_548 == len({codec.identity(event) for event in part.events})
    assert list(part.rows) == list(range(2, 23_550))
