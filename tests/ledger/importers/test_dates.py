"""Civil dates in whole-number arithmetic, beside the standard library's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import MalformedRecord
from ledger.importers import dates

moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - made aware below


def millis_of(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.dates(date(1970, 1, 1)))
def test_days_are_those_of_the_calendar(day: date):
    assert day.toordinal() - date(1970, 1, 1).toordinal() == dates.days_of(
        day.year, day.month, day.day
    )


@pytest.mark.parametrize("day", [(2025, 2, 29), (1900, 2, 29), (2025, 13, 1), (2025, 4, 31)])
def test_days_that_never_were_are_refused(day: tuple[int, int, int]):
    with pytest.raises(ValueError, match="no such day"):
        dates.days_of(*day)


@given(moments)
def test_an_http_date_is_read_as_it_was_written(moment: datetime):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert millis_of(moment) == dates.parse_http_date(format_datetime(moment, usegmt=True))


@given(moments, st.integers(-23 * 60, 23 * 60))
def test_an_iso_moment_is_read_with_its_offset_and_cut_to_milliseconds(
    moment: datetime, minutes: int
):
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert millis_of(moment) == dates.parse_iso(moment.isoformat())


def test_the_moments_of_the_recorded_wrappers():
    assert 1_774_994_957_892 == dates.parse_iso("2026-03-31T22:09:17.892466+00:00")
    assert 1_789_394_759_976 == dates.parse_iso("2026-09-14T14:05:59.976Z")


@pytest.mark.parametrize(
    "text",
    [
        None,
        17,
        "",
        "2026-03-31",
        "2026-03-31T22:09:17",
        "2026-02-30T22:09:17Z",
        "2026-03-31T24:00:00Z",
        "2026-03-31T23:59:60Z",
        "2026-03-31T22:09:17+24:00",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "2026-03-31T22:09:17Z (recorder clock)",
        "2026-03-31T22:09:17Z\n",
    ],
)
def test_what_is_no_iso_moment_is_refused(text: object):
    with pytest.raises(MalformedRecord):
        dates.parse_iso(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "Fri, 22 Aug 2025 11:45:21",
        "Fri, 22 Aug 2025 11:45:21 CET",
        "Fri, 32 Aug 2025 11:45:21 GMT",
        "Fri, 22 Agu 2025 11:45:21 GMT",
        "Fri, 22 Aug 2025 25:45:21 GMT",
    ],
)
def test_what_is_no_http_date_is_refused(text: object):
    with pytest.raises(MalformedRecord):
        dates.parse_http_date(text)
