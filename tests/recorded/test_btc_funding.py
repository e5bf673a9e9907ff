"""funding-tracker: the hourly funding rate of BTC, May 2023 to February 2026.

rollforward import funding-tracker
rollforward check
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.command import checked, findings, imported, of, result

pytestmark = pytest.mark.recorded

NAME = "funding-tracker/funding_history.BTC.csv"
HOLES = [
    datetime(2023, 7, 2, 19, tzinfo=UTC),
    datetime(2023, 8, 23, 19, tzinfo=UTC),
    datetime(2024, 8, 15, 12, tzinfo=UTC),
]
"""The hours after which one is missing, as the recording's own description has them."""


def test_the_rule_of_rates_and_the_three_holes(recorded: Path, tmp_path: Path, figure):
    report = imported(tmp_path, recorded / NAME)
    assert 23548 == report["new"]
    checks = checked(tmp_path)
    rates, holes = result(checks, "funding-rate"), findings(checks, "funding-grid")
    assert (18981, 18981) == (rates["agreed"], rates["looked_at"])
    hours = after(holes)
    assert HOLES == hours
    figure(line="1g", text="BTC funding history: rate rule, modern rows", value=of(rates))
    figure(
        line="1g",
        text="BTC funding history: holes in the grid",
        value=f"{len(holes)}, after " + ", ".join(f"{hour:%-d %b %Y %-Hh}" for hour in HOLES),
    )


def after(holes: list[dict]) -> list[datetime]:
    """Return the last hour before each hole."""
    texts = [hole["text"].partition(" after ")[2].split(";")[0] for hole in holes]
    return [datetime.fromisoformat(text) for text in texts]


def test_the_rule_holds_for_the_raw_rows_too(recorded: Path):
    """The same, from the table itself: rate = (P + clamp(0.0001 − P, ±0.0005)) ÷ 8."""
    modern = agreed = 0
    limit = Decimal("0.0005")
    with (recorded / NAME).open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if datetime.fromisoformat(row["timestamp"]) < datetime(2023, 12, 12, tzinfo=UTC):
                continue
            modern += 1
            premium = Decimal(row["premium"])
            clamped = max(-limit, min(limit, Decimal("0.0001") - premium))
            off = abs((premium + clamped) / 8 - Decimal(row["funding_rate"]))
            agreed += off <= Decimal("5e-11")
    assert (18981, 18981) == (agreed, modern)


def test_the_holes_are_in_the_raw_rows(recorded: Path):
    with (recorded / NAME).open(encoding="utf-8") as lines:
        times = [datetime.fromisoformat(row["timestamp"]) for row in csv.DictReader(lines)]
    hours = [time.replace(minute=0, second=0, microsecond=0) for time in times]
    since = next(i for i, hour in enumerate(hours) if hour >= datetime(2023, 6, 8, 8, tzinfo=UTC))
    holes = [
        before
        for before, after in zip(hours[since:], hours[since + 1 :], strict=False)
        if after - before == timedelta(hours=2)
    ]
    assert HOLES == holes
