"""Coverage as people read it: lengths, days, signs, and what stands at the foot."""

from __future__ import annotations

from ledger.units import Address, Millis
from projections.coverage import Stretch
from replay.coverage import Certificate
from replay.coverage_text import length_text

HOUR = 3_600_000
DAY = 24 * HOUR
T = 20_700 * DAY


def certificate(*said: tuple[str, str, int, int]) -> Certificate:
    """Return a certificate of (family, level, first, last), moments from T."""
    stretches = tuple(
        Stretch(
            family=family, level=level, since=Millis(T + since), until=Millis(T + until),
            cause="because",
        )
        for family, level, since, until in said
    )  # fmt: skip
    since, until = min(each.since for each in stretches), max(each.until for each in stretches)
    return Certificate(
        account=Address("0x" + "a" * 40), since=since, until=until, position=1, stretches=stretches
    )


def test_lengths_are_told_in_their_two_largest_units():
    told = {1: "1 ms", 999: "999 ms", 61_000: "1 min 1 s", HOUR: "1 h", DAY + 1: "1 d"}
    assert list(told.values()) == [length_text(length) for length in told]
    assert "3 d 4 h" == length_text(3 * DAY + 4 * HOUR + 59 * 60_000)


def test_families_of_one_level_are_told_together():
    found = certificate(("fills", "proven", 0, 9), ("funding", "unknown", 0, 9),
                        ("interest", "unknown", 0, 9))  # fmt: skip
    assert ("coverage: fills proven; funding and interest unknown",) == found.lines()


def test_lengths_are_told_where_levels_change_and_overlaps_count_once():
    found = certificate(
        ("fills", "proven", 0, HOUR - 1), ("fills", "missing", HOUR, 3 * HOUR - 1),
        ("fills", "missing", 2 * HOUR, 4 * HOUR - 1), ("fills", "missing", HOUR, 2 * HOUR),
    )  # fmt: skip
    told, missing = found.lines()
    assert "coverage: fills proven 1 h, known missing 3 h" == told
    assert missing.startswith("known missing: fills between ")
    assert missing.endswith("(because), and in 2 more stretches")
    assert "missing" == found.level("fills", Millis(T + 2 * HOUR))


def test_a_sign_shows_the_worst_of_its_day():
    found = certificate(("fills", "proven", 0, DAY + 5), ("fills", "unknown", DAY + 6, 2 * DAY - 1),
                        ("fills", "missing", 2 * DAY, 2 * DAY))  # fmt: skip
    assert "fills  #.!" == found.strip()[1]


def test_a_long_period_has_a_sign_for_several_days():
    legend, line = certificate(("fills", "proven", 0, 200 * DAY - 1)).strip()
    assert "a sign for 4 days" in legend
    assert "#" * 50 == line.split()[1]


def test_days_have_the_lengths_of_their_levels():
    found = certificate(
        ("fills", "proven", 0, DAY + HOUR - 1), ("fills", "unknown", DAY + HOUR, 2 * DAY - 1)
    )
    assert ["proven", "proven 1 h, unknown 23 h"] == [row["fills"] for row in found.by_day]


def test_of_no_time_nothing_is_told():
    nothing = Certificate(
        account=Address("0x" + "a" * 40), since=Millis(0), until=Millis(0), position=1, stretches=()
    )
    assert ((), ()) == (nothing.lines(), nothing.strip())
