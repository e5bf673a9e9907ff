"""funding-farmer: web exports of one account, fills and funding.

rollforward import funding-farmer --account 0x… --zone Europe/Paris --dates day-first
rollforward check
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.command import checked, findings, imported, of, result, rollforward

pytestmark = pytest.mark.recorded

ACCOUNT = "0x00000000000000000000000000000000000000aa"
"""The exports do not say whose they are."""


def test_funding_was_charged_on_the_position_held_and_no_hour_lacks_it(
    recorded: Path, tmp_path: Path, figure
):
    report = imported(
        tmp_path, recorded / "funding-farmer",
        "--account", ACCOUNT, "--zone", "Europe/Paris", "--dates", "day-first",
    )  # fmt: skip
    assert {"filled/1": 1524, "funding_paid/1": 47} == {
        kind: counts["new"] for kind, counts in report["kinds"].items()
    }
    checks = checked(tmp_path)
    sizes, presence = result(checks, "funding-size"), result(checks, "funding-presence")
    assert (47, 47) == (sizes["agreed"], sizes["looked_at"])
    assert presence["agreed"] == presence["looked_at"] >= 47
    assert [] == findings(checks, "funding-size") == findings(checks, "funding-presence")
    figure(
        line="1a",
        text="funding-farmer: funding sizes and sides equal the position",
        value=of(sizes),
    )
    figure(
        line="1a",
        text="funding-farmer: hours with a position that have their payment",
        value=of(presence),
    )


def test_a_payment_that_is_taken_away_is_missed(recorded: Path, tmp_path: Path):
    """The check above can fail: without one line of the export, its hour lacks its payment."""
    folder = tmp_path / "cut"
    folder.mkdir()
    fills = recorded / "funding-farmer" / "trade_history.csv"
    rows = (recorded / "funding-farmer" / "funding_history.csv").read_text().splitlines()
    (folder / fills.name).write_bytes(fills.read_bytes())
    (folder / "funding_history.csv").write_text("\n".join(rows[:20] + rows[21:]))
    imported(
        tmp_path, folder,
        "--account", ACCOUNT, "--zone", "Europe/Paris", "--dates", "day-first",
    )  # fmt: skip
    checks = checked(tmp_path)
    assert 46 == result(checks, "funding-size")["agreed"]
    assert 1 == len(findings(checks, "funding-presence"))


def test_a_wrong_zone_shows_in_the_hours(recorded: Path, tmp_path: Path):
    """Two hours off, payments do not meet the positions they were charged on."""
    imported(
        tmp_path, recorded / "funding-farmer" / "trade_history.csv",
        "--account", ACCOUNT, "--zone", "Europe/Paris", "--dates", "day-first",
    )  # fmt: skip
    imported(
        tmp_path, recorded / "funding-farmer" / "funding_history.csv",
        "--account", ACCOUNT, "--zone", "Asia/Tokyo", "--dates", "day-first",
    )  # fmt: skip
    assert findings(checked(tmp_path), "funding-size")


def test_dates_that_can_be_read_both_ways_are_asked_about(recorded: Path, tmp_path: Path):
    name = "funding-farmer/funding_history.csv"
    with (recorded / name).open(encoding="utf-8") as lines:
        days = [row["time"].split("/")[:2] for row in csv.DictReader(lines)]
    assert all(int(part) <= 12 for day in days for part in day)
    said = rollforward(
        "import", recorded / name, "--account", ACCOUNT, "--zone", "Europe/Paris", cwd=tmp_path
    )
    assert 2 == said.code
    assert "--dates day-first" in said.err
    assert not list(tmp_path.glob("*.book"))
