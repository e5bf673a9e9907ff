"""The command as a stranger uses it: a process, its exit code, and what it printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        assert self.out, self.err
        return json.loads(self.out)


def rollforward(*words: str | Path, cwd: Path) -> Said:
    """Run the command in a folder and return what became of it."""
    asked = subprocess.run(
        [sys.executable, "-m", "replay", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return Said(asked.returncode, asked.stdout, asked.stderr)


def imported(cwd: Path, *words: str | Path) -> dict[str, Any]:
    """Import by one command and return its report; nothing may be refused, open or unreadable."""
    said = rollforward("import", *words, "--json", cwd=cwd)
    assert said.code == 0, said.err
    report: dict[str, Any] = said.json
    assert [] == report["quarantined"] == report["refused"] == report["questions"]
    return report


def checked(cwd: Path) -> dict[str, Any]:
    """Run the checks by one command and return their report."""
    report: dict[str, Any] = rollforward("check", "--json", cwd=cwd).json
    return report


def result(report: dict[str, Any], check: str) -> dict[str, Any]:
    """Return one check's result, added up over all histories of the book."""
    rows = [row for row in report["checks"] if row["check"] == check]
    assert rows, check
    seen: dict[str, int] = {}
    why: dict[str, int] = {}
    for row in rows:
        for what, count in row["seen"].items():
            seen[what] = seen.get(what, 0) + count
        for what, count in row["why_unknown"].items():
            why[what] = why.get(what, 0) + count
    return {
        "agreed": sum(row["agreed"] for row in rows),
        "looked_at": sum(row["looked_at"] for row in rows),
        "unknown": sum(row["unknown"] for row in rows),
        "seen": seen,
        "why_unknown": why,
    }


def of(row: dict[str, Any]) -> str:
    """Return a result as people say it: 47 of 47."""
    return f"{row['agreed']:,} of {row['looked_at']:,}"


def findings(report: dict[str, Any], check: str) -> list[dict[str, Any]]:
    """Return the findings of one check."""
    return [finding for finding in report["findings"] if finding["check"] == check]
