"""Moments: with a zone or in milliseconds, never guessed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import UnclearQuestion
from replay.moments import POSITIONS_BELOW, iso, parse_known, parse_moment

ONE_PM = 1770728400000  # 2026-02-10T13:00:00Z


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-10T13:00Z", "2026-02-10 13:00Z", "2026-02-10T13:00:00.000Z", "2026-02-10T13:00z",
        "2026-02-10T14:00+01:00", "2026-02-10T14:00+0100", "2026-02-10T07:30-05:30",
        "2026-02-10 13:00 UTC", " 2026-02-10T13:00Z ", "2026-02-10T13:00:00.000000000Z",
        "1770728400000", 1770728400000,
    ],
)  # fmt: skip
def test_one_moment_has_many_spellings(written):
    assert ONE_PM == parse_moment(written)


def test_milliseconds_are_kept():
    assert ONE_PM + 7 == parse_moment("2026-02-10T13:00:00.007Z")
    assert ONE_PM + 70 == parse_moment("2026-02-10T13:00:00.07Z")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-02-10T13:00", "has no time zone"),
        ("2026-02-10", "is a day"),
        ("2026-02-10Z", "is a day"),
        ("yesterday", "is no moment"),
        ("", "is no moment"),
        ("2026-02-30T13:00Z", "is no moment"),
        ("2026-02-10T25:00Z", "is no moment"),
        ("2026-02-10T13:00+99:00", "is no moment"),
        ("1969-12-31T23:59Z", "before 1970"),
        ("0001-01-01T00:00+10:00", "before 1970"),
        ("2026-02-10T13:00:00.0001Z", "parts of a millisecond"),
        ("17", "too small or too large"),
        ("1" * 16, "too small or too large"),
        (-1, "is no moment"),
        (True, "is no moment"),
        ("２０２６-02-10T13:00Z", "is no moment"),
    ],
)
def test_what_is_unclear_is_refused(written, said):
    with pytest.raises(UnclearQuestion, match=said):
        parse_moment(written)


@given(st.integers(POSITIONS_BELOW, 253402300799999))
def test_a_moment_comes_back_from_its_text(moment):
    assert moment == parse_moment(iso(moment)) == parse_moment(str(moment))


@given(st.text())
def test_any_text_is_a_moment_or_refused(written):
    with suppress(UnclearQuestion):
        assert 0 <= parse_moment(written) < 10**15


def test_small_numbers_are_positions_and_all_else_is_a_moment_of_recording():
    assert (17, None) == parse_known("17") == parse_known(17)
    assert (None, ONE_PM) == parse_known(ONE_PM) == parse_known("2026-02-10T13:00Z")
    with pytest.raises(UnclearQuestion):
        parse_known("2026-02-10")


def test_a_moment_no_calendar_has_is_shown_as_it_is():
    assert "999999999999999 ms" == iso(999999999999999)
