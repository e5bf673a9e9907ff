"""Moments in messages: the text of the standard library, which the pure rooms do not import."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.civil import iso

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC) - EPOCH) // timedelta(
    milliseconds=1
)


def written(moment: int) -> str:
    text = (EPOCH + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


@given(st.integers(FIRST, LAST))
def test_a_moment_reads_as_the_standard_library_writes_it(moment):
    assert written(moment) == iso(moment)


def test_every_day_around_leap_years_has_its_date():
    """1900 and 2100 are no leap years, 2000 and 2400 are."""
    for year in (1896, 1900, 1904, 1999, 2000, 2024, 2100, 2400):
        start = (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
        for day in range(367):
            moment = start + day * 86_400_000 - 1
            assert written(moment) == iso(moment)


def test_what_no_date_can_say_is_told_in_milliseconds():
    assert ("0001-01-01T00:00:00.000Z", f"{FIRST - 1} ms") == (iso(FIRST), iso(FIRST - 1))
    assert ("9999-12-31T23:59:59.999Z", f"{LAST + 1} ms") == (iso(LAST), iso(LAST + 1))
