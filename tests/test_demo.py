"""The demonstration holds, and says so with its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import compose

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


def rollforward(cwd: Path, words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        f"{sys.executable} -m replay {words}",
        shell=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class Played:
    """The demonstration, played once for all who look at what it left."""

    folder: Path
    said: subprocess.CompletedProcess[str]
    seconds: float


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    began = time.monotonic()
    said = play(folder)
    return Played(folder, said, time.monotonic() - began)


def test_the_demonstration_runs_and_every_step_comes_out_as_it_must(played: Played, figure):
    said, seconds = played.said, played.seconds
    assert (0, "") == (said.returncode, said.stderr)
    steps = said.stdout.count("\n$ rollforward ")
    assert 13 == steps
    steps += said.stdout.count("\n$ python3 -I ")
    assert f"All {steps} steps came out as they must." in said.stdout
    assert "0xYOUR_ADDRESS" in said.stdout
    assert "VERIFIED: 6 claims proven" in said.stdout
    figure(
        line="5-5",
        text="demo ends with a pack that verifies",
        value="6 claims proven, the ratio among them",
    )
    figure(line="7", text="demo", value=f"exit 0, {steps} of {steps} steps, {seconds:.1f} s")


def test_it_shows_the_margin_up_to_the_liquidation_and_draws_it(played: Played, figure):
    """The composer takes the position at the first price that passes the line."""
    _, taken = compose.play_all()
    said, tmp_path = played.said.stdout, played.folder
    first = f"first liquidatable at {taken.isoformat(timespec='milliseconds')}".replace(
        "+00:00", "Z"
    )
    assert first in said
    assert (tmp_path / "rollforward-demo-margin.svg").read_bytes().startswith(b"<?xml")
    for width in (720, 1280):
        span = "--from 2026-08-03T12:01Z --to 2026-08-05T18:00Z --every price"
        chart = f"at-{width}.png"
        drawn = f"--chart {chart} --width {width} --book rollforward-demo.book"
        done = rollforward(tmp_path, f"margin 0x5ca1 {span} {drawn}")
        assert 0 == done.returncode, done.stderr
        header = (tmp_path / chart).read_bytes()[:24]
        assert (b"PNG", width) == (header[1:4], int.from_bytes(header[16:20], "big"))
    figure(line="3-6", text="the bundled account", value=f"{first}; charts of 720 and 1280 pixels")


def test_it_can_be_played_twice_and_leaves_one_book(played: Played):
    said = play(played.folder)
    assert 0 == said.returncode, said.stdout[-2000:]
    assert ["rollforward-demo.book"] == [path.name for path in played.folder.glob("*.book")]


def test_what_it_tells_to_try_next_works(played: Played):
    said, tmp_path = played.said, played.folder
    lines = said.stdout.split("Ask more:")[1].split("Now with")[0].splitlines()
    commands = [line.strip() for line in lines if line.strip()]
    assert 6 == len(commands)
    for command in commands:
        done = rollforward(tmp_path, command.removeprefix("rollforward "))
        assert 0 == done.returncode, done.stderr
        assert done.stdout


def test_a_step_that_ends_otherwise_makes_it_fail(tmp_path: Path, monkeypatch, capsys):
    from replay import demo

    monkeypatch.chdir(tmp_path)
    stage = demo.Stage()
    stage.step("There is no such book.", "show", "--book", "missing.book")
    assert ["step 1 ended with 2, not with 0: rollforward show --book missing.book"] == stage.failed
