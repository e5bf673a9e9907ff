"""hl-trader-dataset: fills of two accounts as a spreadsheet saved them, ten digits, no usable ids.

rollforward import hl-trader-dataset
rollforward check
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import checked, findings, imported, of, result

pytestmark = pytest.mark.recorded


def test_one_break_one_derived_opening_and_every_result(recorded: Path, tmp_path: Path, figure):
    report = imported(tmp_path, recorded / "hl-trader-dataset")
    assert 1993 == report["new"]
    checks = checked(tmp_path)

    breaks = findings(checks, "continuity")
    assert [True] == [finding["place"].endswith("line 1100") for finding in breaks]
    assert "@107" in breaks[0]["text"]
    assert "195.98118409" == breaks[0]["expected"]  # 195.98118408 in the record's ten digits
    openings = findings(checks, "openings")
    assert [True] == [finding["place"].endswith("line 735") for finding in openings]
    assert "@107" in openings[0]["text"]
    assert "171.22" in openings[0]["text"]
    closes = result(checks, "closed-pnl")
    assert (735, 735) == (closes["agreed"], closes["looked_at"])

    chain = result(checks, "continuity")
    figure(
        line="1c",
        text="hl-trader-dataset: continuity, within half a unit of the tenth digit",
        value=f"{of(chain)}; breaks at {', '.join(row['place'].split()[-1] for row in breaks)}",
    )
    figure(
        line="1c",
        text="hl-trader-dataset: derived openings",
        value=f"{len(openings)}, line {openings[0]['place'].split()[-1]}",
    )
    figure(line="1c", text="hl-trader-dataset: closedPnl", value=of(closes))
