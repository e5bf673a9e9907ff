"""Markets: of which time rates, prices and reserve states are recorded."""

from __future__ import annotations

from projections.coverage.markets import OLD, hourly, recent

HOUR = 3_600_000
T = 1_789_200_000_000


def spans(found):
    return [(each.level, each.since - T, each.until - T) for each in found]


def test_a_record_stands_for_an_hour_and_a_minute():
    found = recent("prices BTC", [T + 9 * HOUR, T, T + HOUR])
    assert [("proven", 0, HOUR + OLD - 1), ("proven", 9 * HOUR, 9 * HOUR + OLD - 1)] == spans(found)


def test_an_hour_without_a_rate_between_two_is_missing():
    found = hourly("rates BTC", [T + 66, T + HOUR + 9, T + 3 * HOUR + 439])
    assert [
        ("proven", 0, 2 * HOUR - 1),
        ("proven", 3 * HOUR, 4 * HOUR - 1),
        ("missing", 2 * HOUR, 3 * HOUR - 1),
    ] == spans(found)


def test_an_hour_for_which_the_venue_published_nothing_is_whole():
    hole = 1_723_726_800_000
    (only,) = hourly("rates BTC", [hole - HOUR, hole + HOUR])
    assert (hole - HOUR, hole + 2 * HOUR - 1) == (only.since, only.until)


def test_nothing_recorded_proves_nothing():
    assert [] == [*hourly("rates BTC", []), *recent("prices BTC", [])]
