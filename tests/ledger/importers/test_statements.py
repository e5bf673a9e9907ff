"""Web exports and the spreadsheet: dates, zones, order, look-alikes, and what a row says."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import codec
from ledger.entries import RawRecord, Reading
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.events import Deposited, Filled, FundingPaid, Unrecognized, Withdrawn
from ledger.importers import opened
from ledger.importers.base import Hints
from ledger.importers.statements import IMPORTERS
from ledger.money import canonical
from ledger.units import Address, Digest

ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
UTC = Hints(account=ALICE, zone="UTC")
PARIS = Hints(account=ALICE, zone="Europe/Paris")
DAY_FIRST = Hints(account=ALICE, zone="UTC", dates="day-first")

TRADES = "time,coin,dir,px,sz,ntl,fee,closedPnl"
FUNDING = "time,coin,sz,side,payment,rate"
TRANSFERS = "time,action,source,destination,accountValueChange,fee"
SHEET = (
    "Account,Coin,Execution Price,Size Tokens,Size USD,Side,Timestamp IST,Start Position,"
    "Direction,Closed PnL,Transaction Hash,Order ID,Crossed,Fee,Trade ID,Timestamp"
)
HASH = "0x" + "0" * 64


def read(text: str, hints: Hints = UTC, name: str = "export.csv") -> Reading:
    body = text.encode()
    record = RawRecord(name=name, body=body, digest=Digest(sha256(body).hexdigest()))
    document = opened(record)
    (importer,) = [importer for importer in IMPORTERS if importer.accepts(document)]
    return importer.read(document, hints)


def trades(*times: str, hints: Hints = UTC) -> Reading:
    rows = [f"{at},BTC,Buy,{number},1,{number},0,0" for number, at in enumerate(times, start=1)]
    return read("\n".join([TRADES, *rows]), hints)


def moments(reading: Reading) -> list[int]:
    return [event.at for part in reading.parts for event in part.events]


def millis(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


# ------------------------------------------------------------------------- what a row says


def test_a_trade_row_says_only_what_it_says():
    row = "27/6/2026 - 14:11:28,HYPE,Open Long,61.62,0.24,14.788799999999998,0.006654,-0.006654"
    reading = read(f"{TRADES}\n{row}")
    (part,) = reading.parts
    (fill,) = part.events
    assert ("web", "line", (2,), ()) == (part.source, part.answer, part.rows, part.covers)
    assert f"account:{ALICE}" == part.stream == fill.stream
    assert millis("2026-06-27T14:11:28") == fill.at
    assert ("B", "Open Long") == (fill.side, fill.direction)
    assert Decimal("14.788799999999998") == fill.notional
    assert Decimal("-0.006654") == fill.reported_net_pnl
    assert (None, None, None) == (fill.reported_closed_pnl, fill.tid, fill.fee_asset)


def test_a_last_line_without_a_newline_and_windows_line_ends_are_rows():
    text = f"{TRADES}\r\n27/6/2026 - 14:11:28,BTC,Buy,1,1,1,0,0\r\n\r\n"
    assert 1 == len(moments(read(text))) == len(moments(read(text.rstrip())))


@pytest.mark.parametrize(
    ("words", "side"),
    [
        ("Open Long", "B"),
        ("Close Short", "B"),
        ("Short > Long", "B"),
        ("Buy", "B"),
        ("Open Short", "A"),
        ("Close Long", "A"),
        ("Long > Short", "A"),
        ("Sell", "A"),
        ("Open Long (Price Improved)", "B"),
        ("Close Long (Price Improved)", "A"),
    ],
)
def test_the_side_follows_from_the_words_and_the_words_stay(words: str, side: str):
    (fill,) = read(f"{TRADES}\n27/6/2026 1:00:00,BTC,{words},1,1,1,0,0").parts[0].events
    assert (side, words) == (fill.side, fill.direction)


@pytest.mark.parametrize("words", ["Auto-Deleveraging", "Settlement", "buy", ""])
def test_words_that_do_not_tell_the_side_are_not_guessed(words: str):
    reading = read(f"{TRADES}\n27/6/2026 1:00:00,BTC,{words},1,1,1,0,0")
    assert () == reading.parts
    assert ["line 2"] == [row.place for row in reading.unreadable]


def test_funding_is_signed_by_the_side_it_was_charged_on():
    rows = (
        "13/02/2026 15:00:00,ETH,0.047,Short,0.000055,5.53e-7",
        "13/02/2026 16:00:00,0G,277,Long,-0.393223,0.0021546346",
    )
    short, long = read("\n".join([FUNDING, *rows])).parts[0].events
    assert isinstance(short, FundingPaid)
    assert (Decimal("-0.047"), Decimal("0.000055"), Decimal("0.000000553")) == (
        short.size,
        short.usdc,
        short.rate,
    )
    assert (Decimal(277), Decimal("-0.393223")) == (long.size, long.usdc)


def test_a_side_of_funding_that_is_none_goes_to_quarantine():
    reading = read(f"{FUNDING}\n13/02/2026 15:00:00,ETH,0.047,short,0.000055,5.53e-7")
    assert ((), 1) == (reading.parts, len(reading.unreadable))


def test_deposits_and_withdrawals_of_a_composed_transfer_export():
    """No such export is recorded; these rows are composed after the names of its columns."""
    rows = (
        "13/02/2026 - 10:00:00,Deposit,Arbitrum,Perps,1000.5,",
        "13/02/2026 - 11:00:00,Withdrawal,Perps,Arbitrum,-251,1",
        "13/02/2026 - 12:00:00,Something New,Perps,Spot,0,",
        "13/02/2026 - 13:00:00,Withdrawal,Perps,Arbitrum,250,1",
    )
    reading = read("\n".join([TRANSFERS, *rows]))
    deposit, withdrawal, other = reading.parts[0].events
    assert isinstance(deposit, Deposited)
    assert Decimal("1000.5") == deposit.usdc
    assert isinstance(withdrawal, Withdrawn)
    assert (Decimal(250), Decimal(1)) == (withdrawal.usdc, withdrawal.fee)
    assert isinstance(other, Unrecognized)
    assert "Something New" == other.venue_type
    assert ["line 5"] == [row.place for row in reading.unreadable]


def sheet_row(account: str, at: str, *, side: str = "BUY", order: str = "52017706630") -> str:
    return (
        f"{account},@107,7.9769,986.87,7872.16,{side},{at},0,Buy,0,{HASH},{order},TRUE,"
        "0.34540448,8.95E+14,1.73E+12"
    )


def test_the_spreadsheet_names_its_zone_and_its_accounts():
    rows = [sheet_row(ALICE, "21-04-2025 13:32"), sheet_row(BOB, "21-04-2025 13:33")]
    first, second = read("\n".join([SHEET, *rows]), Hints()).parts
    assert (f"account:{ALICE}", f"account:{BOB}") == (first.stream, second.stream)
    assert ("sheet", (2,), (3,)) == (first.source, first.rows, second.rows)
    (fill,) = first.events
    assert millis("2025-04-21T13:32:00", "Asia/Kolkata") == fill.at
    assert (None, 52017706630, True) == (fill.tid, fill.oid, fill.crossed)
    assert Decimal(0) == fill.reported_closed_pnl
    assert fill.reported_net_pnl is None


def test_an_order_number_destroyed_by_the_spreadsheet_is_none():
    (part,) = read(
        f"{SHEET}\n{sheet_row(ALICE, '21-04-2025 13:32', order='5.2E+10')}", Hints()
    ).parts
    assert part.events[0].oid is None


def test_a_hint_on_the_account_takes_nothing_from_a_file_that_names_its_accounts():
    rows = [sheet_row(ALICE, "21-04-2025 13:32"), sheet_row(BOB, "21-04-2025 13:33")]
    parts = read("\n".join([SHEET, *rows]), Hints(account=BOB)).parts
    assert [f"account:{ALICE}", f"account:{BOB}"] == [part.stream for part in parts]


@pytest.mark.parametrize(
    "row",
    [
        sheet_row("0x12", "21-04-2025 13:32"),
        sheet_row(ALICE, "21-04-2025 13:32", side="buy"),
        sheet_row(ALICE, "21-04-2025 13:32").replace(HASH, "0xff"),
    ],
)
def test_a_row_of_the_spreadsheet_that_cannot_be_read_goes_to_quarantine(row: str):
    reading = read(f"{SHEET}\n{row}\n{sheet_row(BOB, '21-04-2025 13:33')}", Hints())
    assert ["line 2"] == [item.place for item in reading.unreadable]
    assert [(3,)] == [part.rows for part in reading.parts]


# ------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    "written",
    [
        "27/06/2026 14:11:28",
        "27/6/2026 - 14:11:28",
        "14:11:28 27/6/2026",
        "6/27/2026 - 14:11:28",
        "06/27/2026 14:11:28",
    ],
)
def test_every_recorded_form_of_a_date_is_read(written: str):
    assert [millis("2026-06-27T14:11:28")] == moments(trades(written))


def test_one_day_above_twelve_decides_the_whole_file():
    assert [millis("2026-02-03"), millis("2026-02-13")] == moments(
        trades("03/02/2026 0:00:00", "13/02/2026 0:00:00")
    )
    assert [millis("2026-03-02"), millis("2026-03-13")] == moments(
        trades("03/02/2026 0:00:00", "03/13/2026 0:00:00")
    )


def test_a_file_that_fits_both_readings_asks_which():
    with pytest.raises(NeedsHint) as asked:
        trades("03/04/2025 10:08:56", "05/04/2025 10:08:56")
    assert "--dates day-first or --dates month-first" == asked.value.flag
    assert "line 2: 2025-04-03 or 2025-03-04" in asked.value.question


def test_order_of_time_is_no_evidence_for_a_reading():
    """Read month first, the rows would jump back and forth; that proves nothing and is asked."""
    with pytest.raises(NeedsHint):
        trades("01/01/2025 0:00:00", "05/01/2025 0:00:00", "02/02/2025 0:00:00")


def test_dates_that_read_alike_both_ways_need_no_hint():
    assert [millis("2025-05-05")] == moments(trades("05/05/2025 0:00:00"))


@pytest.mark.parametrize(
    ("dates", "day"), [("day-first", "2025-04-03"), ("month-first", "2025-03-04")]
)
def test_the_hint_on_dates_is_followed(dates: str, day: str):
    hints = Hints(account=ALICE, zone="UTC", dates=dates)
    assert [millis(day)] == moments(trades("03/04/2025 0:00:00", hints=hints))


def test_a_hint_that_contradicts_the_file_is_refused():
    hints = Hints(account=ALICE, zone="UTC", dates="month-first")
    with pytest.raises(RefusedFile, match="line 3 can only be day-first"):
        trades("03/04/2025 0:00:00", "27/04/2025 0:00:00", hints=hints)


def test_rows_of_two_date_orders_in_one_file_are_asked_about():
    with pytest.raises(NeedsHint, match="lines 2 and 3 cannot both"):
        trades("27/04/2025 0:00:00", "04/28/2025 0:00:00")
    reading = trades("27/04/2025 0:00:00", "04/28/2025 0:00:00", hints=DAY_FIRST)
    assert [millis("2025-04-27")] == moments(reading)
    assert ["line 3"] == [row.place for row in reading.unreadable]


def test_all_that_is_open_is_asked_at_once():
    with pytest.raises(NeedsHint) as asked:
        trades("03/04/2025 10:08:56", hints=Hints())
    for flag in ("--account 0x", "--zone Europe/Paris", "--dates day-first"):
        assert flag in str(asked.value)


@pytest.mark.parametrize(
    "zone", ["CET+1", "Mars/Olympus", "../../etc/passwd", "Europe", "localtime", "", "\0"]
)
def test_a_zone_that_is_no_iana_name_is_asked_for(zone: str):
    with pytest.raises(NeedsHint, match="--zone Europe/Paris"):
        trades("27/04/2025 0:00:00", hints=Hints(account=ALICE, zone=zone))


def test_a_zone_moves_civil_time_to_the_moment():
    reading = trades("27/01/2026 12:00:00", "27/06/2026 12:00:00", hints=PARIS)
    assert [millis("2026-01-27T11:00:00"), millis("2026-06-27T10:00:00")] == moments(reading)


@pytest.mark.parametrize(
    "written",
    ["31/04/2025 0:00:00", "27/04/2025 24:00:00", "27/04/2025 0:60:00", "00/05/2025 0:00:00",
     "27/04/1969 0:00:00", "27/04/0001 0:00:00", "27/04/9999 0:00:00x", "2025-04-27 0:00:00",
     "27/04-2025 0:00:00", "٢٧/04/2025 0:00:00", "27/04/2025 0:00:00 PM", ""],
)  # fmt: skip
def test_what_is_no_date_goes_to_quarantine(written: str):
    reading = trades("28/04/2025 0:00:00", written)
    assert [millis("2025-04-28")] == moments(reading)
    assert ["line 3"] == [row.place for row in reading.unreadable]


def test_a_time_the_clock_skipped_is_unreadable():
    reading = trades("29/03/2026 01:59:59", "29/03/2026 02:30:00", hints=PARIS)
    assert [millis("2026-03-29T00:59:59")] == moments(reading)
    assert "put forward" in reading.unreadable[0].reason


def test_a_time_shown_twice_is_told_by_the_order_of_the_rows():
    reading = trades(
        "25/10/2026 01:00:00",
        "25/10/2026 02:10:00",
        "25/10/2026 02:50:00",
        "25/10/2026 02:20:00",
        "25/10/2026 02:55:00",
        "25/10/2026 03:00:00",
        hints=PARIS,
    )
    assert [
        millis(f"2026-10-{at}:00")
        for at in ("24T23:00", "25T00:10", "25T00:50", "25T01:20", "25T01:55", "25T02:00")
    ] == moments(reading)


def test_a_time_shown_twice_is_told_in_a_file_that_begins_with_the_newest_row():
    reading = trades(
        "25/10/2026 03:00:00",
        "25/10/2026 02:20:00",
        "25/10/2026 02:50:00",
        "25/10/2026 01:00:00",
        hints=PARIS,
    )
    assert [
        millis(f"2026-10-{at}:00") for at in ("24T23:00", "25T00:50", "25T01:20", "25T02:00")
    ] == moments(reading)


@pytest.mark.parametrize(
    "rows",
    [
        ["25/10/2026 01:00:00", "25/10/2026 02:10:00", "25/10/2026 03:00:00"],
        ["25/10/2026 02:50:00", "25/10/2026 02:10:00"],
    ],
)
def test_a_time_shown_twice_that_nothing_tells_is_unreadable(rows: list[str]):
    reading = trades(*rows, hints=PARIS)
    folded = [index for index, row in enumerate(rows, start=2) if " 02:" in row]
    assert [f"line {number}" for number in folded] == [row.place for row in reading.unreadable]
    assert "twice" in reading.unreadable[0].reason


def test_two_autumns_in_one_file_are_told_apart():
    reading = trades(
        "26/10/2025 02:10:00", "25/10/2026 02:50:00", "25/10/2026 02:10:00",
        "26/10/2026 02:10:00", "27/10/2026 02:10:00", hints=PARIS,
    )  # fmt: skip
    assert ["line 2"] == [row.place for row in reading.unreadable]
    assert millis("2026-10-25T00:50:00") == moments(reading)[0]


# ------------------------------------------------------------------------- order, look-alikes


def test_a_file_that_begins_with_the_newest_row_is_turned_whole_ties_included():
    reading = trades("28/6/2026 1:00:00", "27/6/2026 1:00:00", "27/6/2026 1:00:00")
    (part,) = reading.parts
    assert (4, 3, 2) == part.rows
    assert [3, 2, 1] == [event.px for event in part.events]
    assert () == reading.notes


def test_a_file_in_no_order_is_sorted_and_says_so():
    reading = trades("27/6/2026 1:00:00", "29/6/2026 1:00:00", "28/6/2026 1:00:00")
    assert (2, 4, 3) == reading.parts[0].rows
    assert "in no order of time" in reading.notes[0]


def test_identical_rows_are_two_events():
    row = "27/6/2026 1:00:00,BTC,Buy,1,1,1,0,0"
    other = "27/6/2026 1:00:00,ETH,Buy,1,1,1,0,0"
    (part,) = read(f"{TRADES}\n{row}\n{other}\n{row}").parts
    assert [0, 0, 1] == [event.occurrence for event in part.events]
    assert 3 == len({codec.identity(event) for event in part.events})


def test_a_later_export_that_adds_an_identical_row_adds_one_event():
    row = "27/6/2026 1:00:00,BTC,Buy,1,1,1,0,0"
    once = read(f"{TRADES}\n{row}").parts[0].events
    twice = read(f"{TRADES}\n{row}\n{row}").parts[0].events
    assert codec.identity(once[0]) == codec.identity(twice[0])


# ------------------------------------------------------------------------- broken rows


@pytest.mark.parametrize(
    "row",
    [
        "27/6/2026 1:00:00,BTC,Buy,1,1,1,0",
        "27/6/2026 1:00:00,BTC,Buy,1,1,1,0,0,0",
        "27/6/2026 1:00:00,BTC,Buy,NaN,1,1,0,0",
        "27/6/2026 1:00:00,BTC,Buy,1e400,1,1,0,0",
        "27/6/2026 1:00:00,BTC,Buy,+1,1,1,0,0",
        "27/6/2026 1:00:00,BTC,Buy,0x10,1,1,0,0",
        "27/6/2026 1:00:00,BTC,Buy,１,1,1,0,0",
        '27/6/2026 1:00:00,BTC,Buy,"1,000",1,1,0,0',
        "27/6/2026 1:00:00,BTC,Buy,1,0,1,0,0",
        "27/6/2026 1:00:00,BTC,Settlement,1,1,1,0,0",
        "27/6/2026 1:00:00,BTC,Buy,1,-1,1,0,0",
        "27/6/2026 1:00:00,,Buy,1,1,1,0,0",
        "27/6/2026 1:00:00,B\u202eTC,Buy,1,1,1,0,0",
        "27/6/2026 1:00:00,B\0TC,Buy,1,1,1,0,0",
        '27/6/2026 1:00:00,"BTC,Buy,1,1,1,0,0',
        TRADES,
        "x" * (1 << 20) + "x",
    ],
)
def test_a_row_that_cannot_be_read_goes_to_quarantine_and_the_rest_goes_on(row: str):
    good = "28/6/2026 1:00:00,BTC,Buy,1,1,1,0,0"
    reading = read(f"{TRADES}\n{row}\n{good}")
    assert (3,) == reading.parts[0].rows
    (unreadable,) = reading.unreadable
    assert "line 2" == unreadable.place
    assert unreadable.reason
    assert len(unreadable.text) <= 500


def test_quoted_cells_are_read():
    reading = read(f'{TRADES}\n"27/6/2026 1:00:00","BTC","Buy","1","1","1","0","0"')
    assert 1 == len(moments(reading))


def test_a_byte_order_mark_is_refused_with_a_remedy():
    with pytest.raises(RefusedFile, match='Save it as plain "UTF-8"'):
        read(f"\ufeff{TRADES}\n27/6/2026 1:00:00,BTC,Buy,1,1,1,0,0")


def test_an_export_without_rows_asks_nothing():
    assert ("no row to read",) == read(f"{TRADES}\n", Hints()).notes


# ------------------------------------------------------------------------- generated


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


# ------------------------------------------------------------------------- recorded


def recording(path: Path, hints: Hints) -> Reading:
    return read(path.read_text(encoding="utf-8"), hints, path.name)


def identities(reading: Reading) -> list[bytes]:
    return [codec.identity(event) for part in reading.parts for event in part.events]


def test_recorded_exports_hold_as_many_events_as_rows(recorded: Path):
    folder = recorded / "funding-farmer"
    hints = Hints(account=ALICE, zone="Europe/Paris", dates="day-first")
    fills = recording(folder / "trade_history.csv", hints)
    assert (1524, ()) == (len(set(identities(fills))), fills.unreadable)
    payments = recording(folder / "funding_history.csv", hints)
    assert (47, ()) == (len(set(identities(payments))), payments.unreadable)


@pytest.mark.parametrize("name", ["trade_history.csv", "funding_history.csv"])
def test_the_recorded_export_whose_dates_fit_both_readings_asks(recorded: Path, name: str):
    with pytest.raises(NeedsHint, match="--dates day-first or --dates month-first"):
        recording(recorded / "funding-farmer" / name, PARIS)


@pytest.mark.parametrize(
    ("folder", "names", "counts"),
    [
        ("four86", ["trade_history", "trade_history_1", "trade_history_2"], [199, 235, 374]),
        (
            "claude-trade",
            ["trade_history.3aed618", "trade_history_1.0a24c26", "trade_history_2.622b19e",
             "trade_history.67ef37a"],
            [37, 50, 64, 551],
        ),
    ],
)  # fmt: skip
def test_each_recorded_export_begins_with_the_one_before(
    recorded: Path, folder: str, names: list[str], counts: list[int]
):
    before: list[bytes] = []
    for name, count in zip(names, counts, strict=True):
        found = identities(recording(recorded / folder / f"{name}.csv", PARIS))
        assert count == len(set(found)) == len(found)
        assert before == found[: len(before)]
        before = found


def test_identical_recorded_rows_are_three_pairs(recorded: Path):
    path = recorded / "claude-trade" / "trade_history.67ef37a.csv"
    (part,) = recording(path, PARIS).parts
    assert 3 == sum(event.occurrence for event in part.events)


def test_the_recorded_spreadsheet_is_all_events_of_two_accounts(recorded: Path):
    reading = recording(recorded / "hl-trader-dataset" / "historical_data.dev.csv", Hints())
    assert ((), ()) == (reading.unreadable, reading.notes)
    assert [563, 1430] == [len(part.events) for part in reading.parts]
    assert 1993 == len(set(identities(reading)))
    assert all(isinstance(event, Filled) and event.tid is None
               for part in reading.parts for event in part.events)  # fmt: skip
    assert 2 == reading.parts[0].rows[0]


def test_reading_costs_a_few_times_the_plainest_reading_of_the_same_rows():
    """At most four times as much: split, parse dates and make decimals, and nothing else.

    Measured apart: 48,000 to 54,000 rows of the recorded exports a second of one core.
    """
    rows = (
        f"{1 + n // 72}/6/2026 - {n // 3 % 24:02}:{n % 60:02}:28,HYPE,Open Long,61.{n:04},0.24,"
        "14.788799999999998,0.006654,-0.006654"
        for n in range(2000)
    )
    text = "\n".join([TRADES, *rows])
    plainest = min(_seconds(_plainly, text) for _ in range(15))
    ours = min(_seconds(lambda: read(text, DAY_FIRST)) for _ in range(15))
    assert ours <= 4 * plainest


def _plainly(text: str) -> list[object]:
    rows = csv.reader(io.StringIO(text))
    next(rows)
    return [
        (datetime.strptime(row[0], "%d/%m/%Y - %H:%M:%S").replace(tzinfo=ZoneInfo("UTC")), row[1:3],
         *map(Decimal, row[3:]))
        for row in rows
    ]  # fmt: skip


def _seconds(work: Callable[..., object], *arguments: str) -> float:
    before = time.process_time()
    work(*arguments)
    return time.process_time() - before
