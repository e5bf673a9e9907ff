"""Exports of every recorded account: they come back, and the programs they are for accept them."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import replay
from tests.support.command import rollforward
from tests.support.exports import again, asked, digests, written

pytestmark = pytest.mark.recorded

SAID = (
    "--account", "0x00000000000000000000000000000000000000aa", "--zone", "Europe/Paris",
    "--at", "2026-03-31T15:22Z", "--dates", "month-first",
)  # fmt: skip


@pytest.fixture(scope="module")
def everything(recorded: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    rollforward("import", recorded, *SAID, "--book", "all.book", cwd=folder)
    with replay.open(folder / "all.book", cache=False) as audit:
        yield audit


def test_the_whole_recorded_book_comes_back_with_every_digest(everything, figure):
    other, found = again(written(everything, "jsonl", is_whole=True))
    assert () == found.unreadable
    engine, position = everything.engine, everything.position()
    ours = {
        stream: told
        for stream, told in digests(everything).items()
        if engine.course(stream, position).count
    }
    assert ours == digests(other)
    assert set(everything.accounts()) == set(other.accounts())
    figure(
        line="6-4",
        text="streams of the recorded book that JSON Lines bring back, digest by digest",
        value=f"{len(ours)}, {sum(len(part.events) for part in found.parts):,} events",
    )


def test_recorded_accounts_as_rows_come_back(everything):
    other, found = again(written(everything, "csv"))
    assert () == found.unreadable
    lines = [*asked(everything).lines()]
    assert lines == [*asked(other).lines()]
    assert len(lines) == pq.read_metadata(io.BytesIO(written(everything, "parquet"))).num_rows


def moved(book, account: str) -> bool:
    """Tell whether anything of an account moved."""
    return any(row["change"] is not None for row in book.account(account).history())


@pytest.mark.parametrize(("form", "program"), [("beancount", "bean-check"), ("hledger", "hledger")])
def test_journals_of_recorded_accounts_are_accepted(everything, form, program, tmp_path, figure):
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    path = tmp_path / f"a.{'beancount' if form == 'beancount' else 'journal'}"
    body = written(everything, form)
    path.write_bytes(body)
    words = [found, str(path)] if form == "beancount" else [
        found, "-f", str(path), "check", "accounts", "commodities", "ordereddates"
    ]  # fmt: skip
    said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=240)
    assert (0, "") == (said.returncode, said.stderr)
    asserted = body.count(b" balance " if form == "beancount" else b" = ")
    assert all(
        account.encode() in body for account in everything.accounts() if moved(everything, account)
    )
    figure(
        line="6-4",
        text=f"recorded accounts whose whole history {program} accepts",
        value=f"{len(everything.accounts())}, {asserted:,} balance assertions",
    )
