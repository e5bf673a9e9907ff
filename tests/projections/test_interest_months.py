"""Simulated months of payouts: every class and convention is read right, and nothing is made up."""

from __future__ import annotations

import os

import pytest

from projections import conventions, payouts, verdicts
from tests.support.payout_months import SLIPS, Month
from tests.support.payout_scores import Score, score

MONTHS = int(os.environ.get("ROLLFORWARD_PAYOUT_MONTHS", "8"))
BREAKS = 10
"""Things that go wrong on a side in a month, about."""
SHARE = 0.99


def months_read(seeds: range, *, breaks: int) -> Score:
    found = Score()
    for seed in seeds:
        score(Month(seed, breaks=breaks), found)
    return found


def test_a_clean_month_has_no_break_and_shows_its_convention(figure):
    found = months_read(range(MONTHS), breaks=0)
    assert [] == found.false
    assert found.lines > MONTHS * 200
    assert found.sides[True] >= SHARE * found.sides.total(), found.wrong
    figure(
        line="4-1",
        text="clean months",
        value=f"{MONTHS} months, {found.lines:,} hours, 0 false breaks; convention of "
        f"{found.sides[True]} of {found.sides.total()} sides right "
        f"({found.undetermined_sides} undetermined, two or more fitting)",
    )


def test_what_went_wrong_in_a_month_is_told_with_its_convention(figure):
    found = months_read(range(100_000, 100_000 + MONTHS), breaks=BREAKS)
    seen = {told for told, _ in found.classes}
    assert {*SLIPS} - {"convention"} <= seen
    assert found.right >= SHARE * found.judged, "\n".join(found.wrong)
    share = found.right * 10_000 // found.judged
    figure(
        line="4-1",
        text="months with breaks",
        value=f"{MONTHS} months, {found.right:,} of {found.judged:,} right "
        f"({share // 100}.{share % 100:02d} %); {found.table()}; conventions "
        f"{found.conventions[True]} of {found.conventions.total()} "
        f"({found.undetermined} undetermined); sides {found.sides[True]} of "
        f"{found.sides.total()}",
    )


MISTAKES = {
    "a year of 360 days is forgotten": (conventions, "YEARS", (365, 366)),
    "late payouts are not looked for": (verdicts, "LATE_HOURS", 0),
    "one hypothesis of what stands": (payouts, "TRACKS_MAX", 1),
    "five units of the last place fit": (conventions, "UNIT", conventions.UNIT * 5),
    "roundings are exchanged": (
        conventions,
        "_ROUNDED",
        {**conventions._ROUNDED, "down": conventions._ROUNDED["up"]},
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_classifier_would_be_seen(name, monkeypatch):
    """The bar of 99 % tells a right classifier from one with a mistake sown into it."""
    monkeypatch.setattr(*MISTAKES[name])
    found = months_read(range(100_000, 100_008), breaks=BREAKS)
    assert found.right < SHARE * found.judged
