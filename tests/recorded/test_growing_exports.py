"""four86 and claude-trade: exports of one account taken over time; each adds exactly its tail.

rollforward import four86/trade_history.csv --account 0x… --zone Europe/Paris
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

import replay
from tests.support.command import imported

pytestmark = pytest.mark.recorded

ACCOUNT = "0x00000000000000000000000000000000000000aa"
WHOSE = ("--account", ACCOUNT, "--zone", "Europe/Paris")
FOUR86 = ("trade_history.csv", "trade_history_1.csv", "trade_history_2.csv")
QUANNSQL = (
    "trade_history.3aed618.csv",
    "trade_history_1.0a24c26.csv",
    "trade_history_2.622b19e.csv",
    "trade_history.67ef37a.csv",
)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))[1:]


def grow(paths: list[Path], tmp_path: Path) -> list[tuple[int, int]]:
    """Import one after the other and return (new, in the book by then)."""
    total, steps = 0, []
    for path in paths:
        report = imported(tmp_path, path, *WHOSE)
        total += report["new"]
        assert len(rows(path)) == report["new"] + report["same"], path.name
        assert 0 == report["conflicting"]
        steps.append((report["new"], total))
    return steps


def test_each_export_of_four86_adds_exactly_its_tail(recorded: Path, tmp_path: Path, figure):
    paths = [recorded / "four86" / name for name in FOUR86]
    steps = grow(paths, tmp_path)
    assert [(199, 199), (36, 235), (139, 374)] == steps
    figure(
        line="1d",
        text="four86: events after each export",
        value=", ".join(f"{total} (+{new})" for new, total in steps),
    )


def test_each_export_of_quannsql_adds_exactly_its_tail(recorded: Path, tmp_path: Path, figure):
    paths = [recorded / "claude-trade" / name for name in QUANNSQL]
    steps = grow(paths, tmp_path)
    assert [(37, 37), (13, 50), (14, 64), (487, 551)] == steps
    twins = Counter(map(tuple, rows(paths[-1])))
    assert 3 == sum(count == 2 for count in twins.values())
    assert 548 == len(twins)
    figure(
        line="1e",
        text="claude-trade: events after each export, three pairs of identical rows among them",
        value=", ".join(f"{total} (+{new})" for new, total in steps),
    )


def test_both_date_formats_give_the_same_first_events(recorded: Path, tmp_path: Path, figure):
    early, whole = tmp_path / "early", tmp_path / "whole"
    for folder, name in ((early, QUANNSQL[2]), (whole, QUANNSQL[3])):
        folder.mkdir()
        imported(folder, recorded / "claude-trade" / name, *WHOSE)
    first, second = events(early), events(whole)
    assert (64, 551) == (len(first), len(second))
    assert first == second[:64]
    figure(
        line="1e",
        text="claude-trade: first events equal in both date formats",
        value=f"{sum(a == b for a, b in zip(first, second, strict=False))} of {len(first)}",
    )


def test_the_whole_first_is_the_same_as_one_after_the_other(recorded: Path, tmp_path: Path):
    forward, backward = tmp_path / "forward", tmp_path / "backward"
    paths = [recorded / "claude-trade" / name for name in QUANNSQL]
    for folder, order in ((forward, paths), (backward, paths[::-1])):
        folder.mkdir()
        for path in order:
            imported(folder, path, *WHOSE)
    assert events(forward) == events(backward)


def events(folder: Path) -> list[bytes]:
    """Return the canonical lines of the account in effective order."""
    from ledger.codec import encode

    (book,) = folder.glob("*.book")
    with replay.open(book) as audit:
        stream = audit.account(ACCOUNT).stream
        return [encode(event) for event in audit.engine.events(stream, audit.position())]
