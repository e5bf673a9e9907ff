"""The demonstration holds, and says so with its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def play(cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "replay.demo"],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_the_demonstration_runs_and_every_step_comes_out_as_it_must(tmp_path: Path, figure):
    began = time.monotonic()
    said = play(tmp_path)
    seconds = time.monotonic() - began
    assert (0, "") == (said.returncode, said.stderr)
    assert "All 8 steps came out as they must." in said.stdout
    assert "0xYOUR_ADDRESS" in said.stdout
    assert said.stdout.count("\n$ rollforward ") == 8
    figure(line="7", text="demo", value=f"exit 0, 8 of 8 steps, {seconds:.1f} s")


def test_it_can_be_played_twice_and_leaves_one_book(tmp_path: Path):
    play(tmp_path)
    said = play(tmp_path)
    assert 0 == said.returncode, said.stdout[-2000:]
    assert ["rollforward-demo.book"] == [path.name for path in tmp_path.glob("*.book")]


def test_what_it_tells_to_try_next_works(tmp_path: Path):
    said = play(tmp_path)
    lines = said.stdout.split("ask it more:")[1].split("Now with")[0].splitlines()
    commands = [line.strip() for line in lines if line.strip()]
    assert 2 == len(commands)
    for command in commands:
        done = subprocess.run(
            command.replace("rollforward", f"{sys.executable} -m replay", 1),
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        assert done.stdout


def test_a_step_that_ends_otherwise_makes_it_fail(tmp_path: Path, monkeypatch, capsys):
    from replay import demo

    monkeypatch.chdir(tmp_path)
    stage = demo.Stage()
    stage.step("There is no such book.", "show", "--book", "missing.book")
    assert ["step 1 ended with 2, not with 0: rollforward show --book missing.book"] == stage.failed
