"""Dates and zones of web exports: read, asked about, refused; never guessed."""

from __future__ import annotations

import pytest

from ledger.errors import NeedsHint, RefusedFile
from ledger.importers.base import Hints
from tests.support.statements import (
    ALICE,
    DAY_FIRST,
    PARIS,
    millis,
    moments,
    trades,
)


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
