"""gblack686: a native userFills answer of 50 fills, four liquidations among them.

rollforward import gblack686 --account 0x…
rollforward check
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support.command import checked, findings, imported, of, result

pytestmark = pytest.mark.recorded

ACCOUNT = "0x109a42c3ead059b041560cb6da71058516e7ba3e"
"""Whom the liquidations of the answer name as liquidated; the answer itself is bare."""


@pytest.fixture
def checks(recorded: Path, tmp_path: Path) -> dict:
    report = imported(tmp_path, recorded / "gblack686", "--account", ACCOUNT)
    assert 50 == report["new"]
    return checked(tmp_path)


def raw(recorded: Path) -> list[dict]:
    return json.loads((recorded / "gblack686" / "raw_fills.json").read_text())


def test_every_fill_continues_the_one_before(checks: dict, recorded: Path, figure):
    found = result(checks, "continuity")
    coins = {row["coin"] for row in raw(recorded)}
    assert len(raw(recorded)) - len(coins) == found["looked_at"]
    assert (45, 45) == (found["agreed"], found["looked_at"])
    figure(line="1b", text="gblack686: continuity", value=of(found))


def test_results_agree_to_the_last_digit_or_are_called_unknown(
    checks: dict, recorded: Path, figure
):
    found = result(checks, "closed-pnl")
    closes = [row for row in raw(recorded) if row["dir"].startswith("Close")]
    assert (9, 9, 17) == (found["agreed"], found["looked_at"], found["unknown"])
    assert len(closes) == found["looked_at"] + found["unknown"]
    assert [] == findings(checks, "closed-pnl")
    figure(
        line="1b",
        text="gblack686: closedPnl to the last digit",
        value=f"{of(found)}, {found['unknown']} unknown: "
        + "; ".join(f"{count} {why}" for why, count in found["why_unknown"].items()),
    )


def test_every_fee_is_at_one_of_three_rates(checks: dict, figure):
    found = result(checks, "fee-rate")
    assert {"0.00035": 46, "0.00045": 3, "0.0004": 1} == found["seen"]
    assert (50, 50) == (found["agreed"], found["looked_at"])
    figure(
        line="1b",
        text="gblack686: fees",
        value=f"{of(found)} at "
        + ", ".join(f"{rate} ({count})" for rate, count in sorted(found["seen"].items())),
    )


def test_four_liquidations_are_named(checks: dict, recorded: Path, figure):
    (episodes,) = checks["liquidations"].values()
    fills = [row for row in raw(recorded) if row.get("liquidation")]
    assert 4 == len(episodes)
    assert len(fills) == sum(int(episode["fills"]) for episode in episodes) == 19
    figure(
        line="1b",
        text="gblack686: liquidation episodes",
        value=f"{len(episodes)}: " + "; ".join(episode["closed"] for episode in episodes),
    )


def test_sorting_by_time_and_number_would_break_the_chain(recorded: Path):
    """The reason why the whole list is reversed: other orders do not hold (37 of 45 break)."""
    rows = sorted(raw(recorded), key=lambda row: (row["time"], row["tid"]))
    before: dict[str, float] = {}
    breaks: Counter[str] = Counter()
    for row in rows:
        start, size = float(row["startPosition"]), float(row["sz"])
        if row["coin"] in before and abs(before[row["coin"]] - start) > 1e-9:
            breaks[row["coin"]] += 1
        before[row["coin"]] = start + (size if row["side"] == "B" else -size)
    assert 37 == breaks.total()
