"""Web exports and the spreadsheet: what a row says, order, look-alikes, broken rows."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger import codec
from ledger.entries import Reading
from ledger.errors import NeedsHint, RefusedFile
from ledger.events import Deposited, Filled, FundingPaid, Unrecognized, Withdrawn
from ledger.importers.base import Hints
from tests.support.statements import (
    ALICE,
    BOB,
    DAY_FIRST,
    FUNDING,
    HASH,
    PARIS,
    SHEET,
    TRADES,
    TRANSFERS,
    millis,
    moments,
    read,
    trades,
)

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
