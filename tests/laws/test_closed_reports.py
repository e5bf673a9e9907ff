"""A closed report is made again byte for byte, whatever the world around the process is.

A book of the bundled history is closed on every report there is; then more is recorded. In
processes of their own, which see other languages, zones, hash seeds, folders and no assertions,
every report is made again and must have the digest that was pinned.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import replay
from replay import closing
from replay.cli import app
from replay.reports import REPORTS
from tests.support.digests import ROOT

CASCADE = ROOT / "fixtures" / "cascade"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
WORLDS: dict[str, dict[str, str]] = {
    "another hash seed": {"PYTHONHASHSEED": "1"},
    "a third hash seed": {"PYTHONHASHSEED": "4294967295"},
    "east of here": {"TZ": "Asia/Kolkata"},
    "west, with summer time": {"TZ": "America/St_Johns"},
    "the C locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
    "a decimal comma": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
    "a dotless i": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
    "narrow and without color": {"COLUMNS": "40", "NO_COLOR": "1", "TERM": "dumb"},
    "wide and colored": {"COLUMNS": "300", "FORCE_COLOR": "1"},
    "all of it together": {
        "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "de_DE.UTF-8", "COLUMNS": "50",
    },
}  # fmt: skip

AGAIN = """
import json, sys
import replay
from replay.closing import closings, closed_report, reproduce

with replay.open(sys.argv[1], cache=False) as audit:
    found = [reproduce(audit, closed_report(audit, each.name)) for each in closings(audit)]
print(json.dumps({each.closed.name: [each.outcome, each.digest] for each in found}))
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Return a book closed on every report, after which more was recorded."""
    path = tmp_path_factory.mktemp("closed") / "x.book"

    def said(*words: str) -> None:
        result = CliRunner().invoke(app, [*words, "--book", str(path)])
        assert 0 == result.exit_code, result.output

    for name in ("account", "markets", "prices", "reserves", "states"):
        said("import", str(CASCADE / f"{name}.json"))
    for report in REPORTS:
        said("close", ACCOUNT, "--month", "2026-08", "--report", report, "--as", "ada")
    said("close", ACCOUNT, "--since", "2026-08-03T00:00Z", "--until", "2026-08-05T14:39Z",
         "--report", "show", "--known-at", "2", "--as", "ada")  # fmt: skip
    said("group", "define", "house", "--master", ACCOUNT, "--as", "ada")
    said("close", "house", "--month", "2026-08", "--report", "statement", "--as", "ada")
    with replay.open(path) as audit:
        event = str(audit.account(ACCOUNT).history().to_dicts()[-1]["event"])
    said("correct", ACCOUNT, event, "--annul", "--reason", "entered twice", "--as", "bob")
    return path


@pytest.fixture(scope="module")
def pinned(book) -> dict[str, list[str]]:
    with replay.open(book) as audit:
        found = {each.name: ["identical", each.event.digest] for each in closing.closings(audit)}
    assert len(REPORTS) + 2 == len(found)
    return found


def again(book: Path, *options: str, cwd: Path = ROOT, **world: str) -> dict[str, list[str]]:
    """Return what a process of its own makes of every closed report."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT"}}
    done = subprocess.run(
        [sys.executable, *options, "-c", AGAIN, str(book)],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **world},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_the_world_around_the_process_leaves_no_trace_in_a_report(
    book, pinned, tmp_path, figure
) -> None:
    for name, world in WORLDS.items():
        assert pinned == again(book, **world), name
    assert pinned == again(book, "-O", cwd=tmp_path)
    assert pinned == again(book, "-OO", cwd=tmp_path)
    worlds = len(WORLDS) + 2
    figure(
        line="4-5",
        text="pinned reports made again byte for byte",
        value=f"{len(pinned) * worlds} of {len(pinned) * worlds}: {len(pinned)} reports "
        f"({', '.join(sorted(REPORTS))}) in {worlds} worlds (hash seed, zone, locale, terminal, "
        f"folder, -O)",
    )


def test_the_order_of_later_imports_leaves_no_trace_in_a_report(tmp_path) -> None:
    digests = set()
    for number, order in enumerate(itertools.permutations(("account", "markets", "prices"))):
        path = tmp_path / f"{number}.book"
        for name in order:
            words = ["import", str(CASCADE / f"{name}.json"), "--book", str(path)]
            assert 0 == CliRunner().invoke(app, words).exit_code
        with replay.open(path) as audit:
            period = closing.Period(since=1785542400000, until=1788220799999)
            asked, made = closing.made_report(
                audit, ACCOUNT, period, position=audit.position(), name="show", parameters={}
            )
            assert ACCOUNT == asked.of
            digests.add(made.body)
    assert 1 == len(digests)
