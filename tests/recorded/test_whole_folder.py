"""The whole folder by one command: what goes in, what is asked, what stays outside.

rollforward import $ROLLFORWARD_RECORDED --account 0x… --zone Europe/Paris --at 2026-03-31T15:22Z
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.command import rollforward

pytestmark = pytest.mark.recorded

SAID = (
    "--account", "0x00000000000000000000000000000000000000aa",
    "--zone", "Europe/Paris",
    "--at", "2026-03-31T15:22Z",
    "--json",
)  # fmt: skip


def test_one_command_takes_the_folder_and_nothing_falls_through_silently(
    recorded: Path, tmp_path: Path, figure
):
    said = rollforward("import", recorded, *SAID, cwd=tmp_path)
    report = said.json
    files = [path for path in recorded.rglob("*") if path.is_file()]
    assert 4 == said.code  # one file is refused: the folder's own description
    assert ["README.md"] == [Path(one["file"]).name for one in report["refused"]]
    asked = {str(Path(one["file"]).relative_to(recorded)) for one in report["questions"]}
    assert {"funding-farmer/funding_history.csv", "funding-farmer/trade_history.csv"} == asked
    assert all("--dates" in one["flag"] for one in report["questions"])
    taken = [one for one in report["files"] if one["taken"]]
    assert len(files) == len(taken) + len(report["refused"]) + len(asked)
    outside = Counter(Path(row["file"]).parent.name for row in report["quarantined"])
    assert {"reserves", "ledger-deltas"} == set(outside)
    assert all(row["reason"] for row in report["quarantined"])

    again = rollforward("import", recorded, *SAID, cwd=tmp_path).json
    assert 0 == again["new"]
    figure(
        line="2a",
        text="the whole folder by one command, and again",
        value=f"{len(taken)} files taken, {report['new']:,} new events, then {again['new']}; "
        f"{outside.total()} quoted rows without moment or hash outside, each with its reason",
    )
