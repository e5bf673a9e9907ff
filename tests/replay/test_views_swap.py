"""A read model takes the place of the one before whole, or not at all, and says why not."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

import replay
from ledger.errors import StoreFailed, UnclearQuestion
from replay.cli import app
from replay.readmodel import build, swap
from tests.support.books import imported, small_book
from tests.support.views import audit_of, dump, refreshed, sound

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ROLLFORWARD_VIEWS_KILLS", "2"))
SEED = int(os.environ.get("ROLLFORWARD_SEED", "1"))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A small book and its read model, in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ROLLFORWARD_")]:
        monkeypatch.delenv(name)
    small_book(tmp_path / "x.book")
    run("views")
    return tmp_path


def run(*words: str, code: int = 0):
    said = CliRunner().invoke(app, list(words))
    assert code == said.exit_code, said.output
    return said


def spoiled(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as base:
        base.execute(sql)
        base.commit()


def test_a_second_run_with_nothing_new_writes_nothing(folder):
    before = (folder / "x.views").stat()
    said = json.loads(run("views", "--json").stdout)
    assert ("unchanged", "nothing new", 0) == (said["how"], said["because"], said["rows_written"])
    after = (folder / "x.views").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_rebuild_that_is_equal_says_so_and_takes_its_place(folder):
    said = json.loads(run("views", "--rebuild", "--json").stdout)
    assert "made anew" == said["how"]
    assert said["difference"] is None
    assert said["compared"] == sum(said["rows"].values()) - said["rows"]["_meta"] + 11


@pytest.mark.parametrize(
    ("sql", "table", "column", "served"),
    [
        ("UPDATE funding SET amount='0.6' WHERE ordinal=3", "funding", "amount", "0.6"),
        ("DELETE FROM balances_by_hour WHERE hour_ms=(SELECT max(hour_ms) FROM hours)",
         "balances_by_hour", "the row", "not there"),
        ("UPDATE events SET place='[9]' WHERE row=2 AND position=1", "events", "place", "[9]"),
        ("INSERT INTO set_aside SELECT event, stream, 'annulled', '[]' FROM events LIMIT 1",
         "set_aside", "the row", "there"),
    ],
)  # fmt: skip
def test_a_rebuild_that_differs_is_not_served_unless_told(folder, sql, table, column, served):
    path = folder / "x.views"
    spoiled(path, sql)
    before = path.read_bytes()
    found = json.loads(run("views", "--rebuild", "--json", code=1).stdout)["difference"]
    assert (table, column, served) == (found["table"], found["column"], found["served"])
    assert before == path.read_bytes()
    said = run("views", "--rebuild", code=1)
    assert "--anyway takes the new one" in said.stderr
    run("views", "--rebuild", "--anyway", code=1)
    assert before != path.read_bytes()
    run("views", "--rebuild")


def test_a_dry_run_compares_and_keeps_nothing(folder):
    before = (folder / "x.views").stat().st_ino
    said = json.loads(run("views", "--rebuild", "--dry-run", "--json").stdout)
    assert said["compared"] > 100
    assert before == (folder / "x.views").stat().st_ino
    run("views", "y.views", "--dry-run")
    assert not (folder / "y.views").exists()
    assert ["x.views"] == [path.name for path in folder.glob("*views*")]


def test_a_file_that_is_no_read_model_is_left_alone(folder):
    for name, body in (("notes.txt", b"my notes"), ("other.db", (folder / "x.book").read_bytes())):
        (folder / name).write_bytes(body)
        said = run("views", name, "--rebuild", code=2)
        assert "is no read model, and is left alone" in said.stderr
        assert body == (folder / name).read_bytes()


def test_a_file_of_another_book_is_not_gone_on_with(folder):
    small_book(folder / "y.book", hours=30)
    said = run("views", "x.views", "--book", "y.book", code=2)
    assert "another book, or an older copy" in said.stderr
    run("views", "x.views", "--book", "y.book", "--rebuild")
    said = run("views", "x.views", "--book", "x.book", code=2)  # the book is the older copy now
    assert "at position 4 has not its seal" in said.stderr


def test_a_torn_file_is_made_anew(folder):
    path = folder / "x.views"
    whole = dump(path)
    path.write_bytes(path.read_bytes()[:5000])
    said = json.loads(run("views", "--json").stdout)
    assert "made anew" == said["how"]
    assert "torn" in said["because"]
    assert whole == dump(path)


def test_a_damaged_page_is_named_or_made_good(folder):
    """Whatever page is spoiled: the damage is said, or the file is made anew and equal again."""
    path = folder / "x.views"
    whole, body = dump(path), path.read_bytes()
    said = []
    with replay.open(folder / "x.book") as audit:
        for page in range(1, len(body) // 4096, len(body) // 4096 // 8):
            spoilt = body[: page * 4096] + b"\xff" * 64 + body[page * 4096 + 64 :]
            path.write_bytes(spoilt)
            try:
                refreshed(audit, path, rebuild=True, anyway=True)
            except StoreFailed as error:
                said.append(str(error))
                assert "delete it and it is made again" in said[-1]
                assert spoilt == path.read_bytes()
            else:
                assert whole == dump(path)
    assert said


def test_another_version_makes_it_anew(folder):
    path = folder / "x.views"
    whole = dump(path)
    spoiled(path, "UPDATE _meta SET value='0' WHERE name='code'")
    said = json.loads(run("views", "--json").stdout)
    assert ("made anew", "another version of rollforward made it") == (said["how"], said["because"])
    assert whole == dump(path)


def test_what_another_book_grows_to_is_gone_on_with(tmp_path):
    small_book(tmp_path / "x.book")
    with replay.open(tmp_path / "x.book") as audit:
        refreshed(audit, tmp_path / "x.views")
    from ledger.book import Book

    with Book.open(tmp_path / "x.book", write=True) as book:
        imported(book, range(200, 300), recorded=9)
    with replay.open(tmp_path / "x.book") as audit:
        found = refreshed(audit, tmp_path / "x.views")
        again = refreshed(audit, tmp_path / "y.views")
    assert ("brought up to date", 4, 100) == (found.how, found.work.since, found.work.recorded)
    assert "made" == again.how
    assert dump(tmp_path / "x.views") == dump(tmp_path / "y.views")


def test_an_empty_book_has_a_read_model_too(tmp_path):
    from ledger.book import Book

    with Book.in_memory() as book:
        found = refreshed(audit_of(book, tmp_path), tmp_path / "x.views")
        assert "made" == found.how
        imported(book, range(5))
        refreshed(audit_of(book, tmp_path), tmp_path / "x.views")
        refreshed(audit_of(book, tmp_path), tmp_path / "y.views")
    assert dump(tmp_path / "x.views") == dump(tmp_path / "y.views")


def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_aside(folder, monkeypatch):
    path = folder / "x.views"
    before = path.read_bytes()

    def failing(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build.wholes, "texts", failing)
    said = run("views", "--rebuild", code=5)
    assert "No space left" in said.stderr
    assert before == path.read_bytes()
    assert ["x.views"] == [each.name for each in folder.glob("*views*")]


def test_a_file_that_cannot_be_made_is_said_and_the_old_one_stays(folder):
    before = (folder / "x.views").read_bytes()
    (folder / f"x.views-new.{os.getpid()}").mkdir()
    said = run("views", "--rebuild", code=5)
    assert "x.views: unable to open database file. Nothing took its place" in said.stderr
    assert before == (folder / "x.views").read_bytes()
    assert "no folder elsewhere. Make it first" in run("views", "elsewhere/x.views", code=2).stderr


def test_a_killed_run_leaves_the_old_file_as_it_was(tmp_path, figure):
    """Killed at random moments of making it anew: old bytes, or the whole new file, never else."""
    book, path = tmp_path / "x.book", tmp_path / "x.views"
    small_book(book, pages=10)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "replay", "views", "--rebuild", "--book", str(book)]
    began = time.monotonic()
    subprocess.run(words, env=env, check=True, capture_output=True)
    took = time.monotonic() - began
    whole = dump(path)
    chance = random.Random(SEED)
    kept = 0
    for _ in range(KILLS):
        before = sha256(path.read_bytes()).hexdigest()
        process = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(took * chance.uniform(0.3, 1.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept += before == sha256(path.read_bytes()).hexdigest()
        sound(path)
        assert whole == dump(path)
    subprocess.run(words, env=env, check=True, capture_output=True)
    assert ["x.views"] == [each.name for each in tmp_path.glob("*views*")]
    figure(
        line="6-4",
        text="killed rebuilds of the read model",
        value=f"{KILLS}: {kept} left the old file, {KILLS - kept} the new one, whole",
    )


def test_anyway_without_rebuild_is_a_usage_error(folder):
    assert "--anyway goes with --rebuild" in run("views", "--anyway", code=2).stderr


def test_the_file_may_be_named_and_lies_beside_the_book_otherwise(folder):
    run("views", "other.views", "--metadata", "m.json")
    told = json.loads((folder / "m.json").read_text(encoding="utf-8"))
    assert ["other"] == list(told["databases"])
    with pytest.raises(UnclearQuestion), replay.open(folder / "x.book") as audit:
        swap.refresh(audit, folder / "x.book.lock", built="")
