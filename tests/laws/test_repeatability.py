"""Law 14: the same records give the same digests on any machine, seed, zone and language.

Everything is computed again in processes of their own, which see the world differently. Of two
histories the book, the timeline and the states at four instants are compared; the golden digests
hold the program to its own past.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

import pytest

from tests.support.digests import GOLDEN, ROOT, digests, lasting

NEEDED = ("attrs", "eventsourcing", "lz4", "msgspec", "sqlite_utils", "zstandard")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
WORLDS: dict[str, dict[str, str]] = {
    "another hash seed": {"PYTHONHASHSEED": "1"},
    "a third hash seed": {"PYTHONHASHSEED": "4294967295"},
    "east of here": {"TZ": "Asia/Kolkata"},
    "west, with summer time": {"TZ": "America/St_Johns"},
    "the C locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
    "a decimal comma": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
    "a dotless i": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
}


@cache
def ours() -> dict[str, str]:
    return digests()


def computed(
    *options: str, python: str = sys.executable, cwd: Path = ROOT, **world: str
) -> dict[str, str]:
    """Return the digests as a process of its own computes them."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "SYSTEMROOT"}}
    done = subprocess.run(
        [python, *options, "-m", "tests.support.digests"],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **world},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_digests_are_those_written_down() -> None:
    """Where a change is meant: ``python -m tests.support.digests --write``, and a fragment."""
    assert json.loads(GOLDEN.read_text("utf-8")) == lasting(ours())


@pytest.mark.parametrize("name", WORLDS)
def test_the_world_around_the_process_leaves_no_trace(name: str, figure) -> None:
    assert ours() == computed(**WORLDS[name])
    figure(line="4", text=f"digests under {name}", value=f"{len(ours())} of {len(ours())} equal")


def test_assertions_and_docstrings_may_be_missing(figure) -> None:
    assert ours() == computed("-O") == computed("-OO")
    figure(line="4", text="digests with -O and -OO", value=f"{len(ours())} of {len(ours())} equal")


def test_the_working_directory_leaves_no_trace(tmp_path: Path) -> None:
    assert ours() == computed(cwd=tmp_path)


def others() -> list[str]:
    """Return the names of interpreters to try: PATH's, and those ROLLFORWARD_PYTHONS lists."""
    named = os.environ.get("ROLLFORWARD_PYTHONS", "")
    return [*filter(None, named.split(os.pathsep)), *(f"python{version}" for version in VERSIONS)]


@pytest.mark.parametrize("python", others())
def test_every_version_of_python_that_is_here_agrees(python: str, figure) -> None:
    """A version that is missing, or lacks our dependencies, is named with the cause."""
    found = shutil.which(python)
    if found is None:
        pytest.skip(f"{python}: not on this machine")
    asked = "import " + ", ".join(NEEDED) + "; import sysconfig as s; print(s.get_python_version())"
    tried = subprocess.run([found, "-c", asked], capture_output=True, text=True, check=False)
    if tried.returncode:
        said = tried.stderr.strip().splitlines() or ["it does not start"]
        cause = said[-1] if said[0].startswith("Traceback") else said[0]
        pytest.skip(f"{python}: present, but {cause}")
    if tried.stdout.strip() == sysconfig.get_python_version():
        pytest.skip(f"{python}: the version these tests run on")
    assert ours() == computed(python=found)
    figure(
        line="4",
        text=f"digests on Python {tried.stdout.strip()}",
        value=f"{len(ours())} of {len(ours())} equal",
    )
