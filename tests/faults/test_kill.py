"""A killed import: whatever was acknowledged is there, whatever is there is whole.

ROLLFORWARD_KILLS sets how many random moments are tried. That a kill loses nothing says nothing of
a power failure: what the system had not yet written survives a kill.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.book import Book, verify
from ledger.errors import StoreFailed
from tests.faults.importing import FILES, file, import_all

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ROLLFORWARD_KILLS", "6"))
SEED = int(os.environ.get("ROLLFORWARD_SEED", "1"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the checkpoint of the book that nobody disturbed, and how long its making took."""
    path = tmp_path_factory.mktemp("undisturbed") / "a.book"
    began = time.monotonic()
    import_all(path)
    took = time.monotonic() - began
    with Book.open(path) as book:
        return book.checkpoint(), took


def killed_after(path: Path, seconds: float) -> list[int]:
    """Import in another process, kill it some time after its beginning; return what was said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.importing", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert "ready\n" == process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split("\n")[:-1]
    return [int(text) for text in said if text != "done"]


def assert_whole(path: Path, acknowledged: list[int]) -> int:
    """Compare what is in the book, file by file, and return how many files are."""
    assert "partly verified" == verify(path).outcome
    present = 0
    with Book.open(path) as book:
        entries = {entry.digest for entry in book.records()}
        for number in range(FILES):
            record, reading = file(number)
            expected = sum(len(part.events) for part in reading.parts) + 1
            stored = sum(
                header.count
                for info in book.streams()
                for header in book.headers(info.stream)
                if header.record == record.digest
            )
            assert stored == (expected if record.digest in entries else 0), f"half of {number}"
            present += record.digest in entries
            assert record.digest in entries or number not in acknowledged, f"lost {number}"
        assert present == len(book.seals())
    return present


def test_a_kill_at_a_random_moment_leaves_whole_files_and_loses_none(undisturbed, tmp_path, figure):
    checkpoint, took = undisturbed
    chance = random.Random(SEED)
    seen = set()
    for turn in range(KILLS):
        path = tmp_path / f"{turn}.book"
        acknowledged = killed_after(path, chance.uniform(0, took))
        seen.add(assert_whole(path, acknowledged))
        import_all(path)
        assert "verified" == verify(path, checkpoint).outcome
        for left in tmp_path.iterdir():
            left.unlink()
    print(f"{KILLS} kills, files found after them: {sorted(seen)}")
    assert KILLS < 4 or len(seen) > 1, "the moments were not spread over the import"
    figure(
        line="5a",
        text="kill -9 at random moments of an import: whole files, none lost, verified, completed",
        value=f"{KILLS} of {KILLS}; the import had recorded {min(seen)} to {max(seen)} files",
    )


def test_a_kill_while_a_book_is_made_leaves_none_or_a_sound_one(tmp_path):
    making = "import sys; from ledger.book import Book; print(flush=True); Book.create(sys.argv[1])"
    chance = random.Random(SEED)
    for turn in range(max(3, KILLS // 10)):
        path = tmp_path / f"{turn}.book"
        process = subprocess.Popen(
            [sys.executable, "-c", making, str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        with process:
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.02))
            process.kill()
        if path.exists():
            assert "partly verified" == verify(path).outcome
        else:
            with pytest.raises(StoreFailed):
                Book.open(path)
            Book.create(path).close()
