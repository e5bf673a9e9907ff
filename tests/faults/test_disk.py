"""A disk that fails: a clear error, nothing partial, and everything works again afterwards.

Errors are injected at the n-th call with strace. ROLLFORWARD_DISK_POINTS sets how many calls of
each sort are tried, 0 for every one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.book import Book, verify
from tests.faults.importing import import_all
from tests.faults.test_kill import assert_whole

ROOT = Path(__file__).resolve().parents[2]
POINTS = int(os.environ.get("ROLLFORWARD_DISK_POINTS", "1"))
FAULTS = [
    ("pwrite64", "error=EIO"),
    ("pwrite64", "error=ENOSPC"),
    ("pwrite64", "signal=KILL"),
    ("fdatasync", "error=EIO"),
    ("fdatasync", "signal=KILL"),
    ("ftruncate", "error=EIO"),
    ("pread64", "error=EIO"),
]


CALLS = sorted({call for call, _ in FAULTS})


def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed; it injects the errors")
    tried = [found, "-o", os.devnull, "-e", "inject=pwrite64:error=EIO:when=9999", "true"]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here; it injects the errors")
    return found


def run(path: Path, *tracing: str) -> subprocess.CompletedProcess:
    command = [*tracing, sys.executable, "-m", "tests.faults.importing", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def calls_of(tool: str, path: Path) -> dict[str, int]:
    """Return how often an undisturbed import makes each call."""
    log = path.with_suffix(".strace")
    tracing = ["-f", "-y", "-o", str(log), "-e", "trace=" + ",".join(CALLS)]
    assert 0 == run(path, tool, *tracing).returncode
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return {
        name: sum(
            f" {name}(" in line and (f"<{path}" in line or not only(name, path)) for line in lines
        )
        for name in CALLS
    }


def only(call: str, path: Path) -> list[str]:
    """Limit reading errors to the book: an interpreter that cannot read itself says nothing."""
    return ["-P", str(path), "-P", f"{path}-wal"] if call == "pread64" else []


def spread(count: int) -> list[int]:
    """Return which calls are disturbed: every one, or some from the first to the last."""
    if not POINTS or count <= POINTS:
        return list(range(1, count + 1))
    if POINTS == 1:
        return [(count + 1) // 2]
    return sorted({1 + (count - 1) * step // (POINTS - 1) for step in range(POINTS)})


def test_an_error_at_a_call_is_said_and_leaves_nothing_partial(tmp_path):
    tool = strace()
    path = tmp_path / "sound.book"
    calls = calls_of(tool, path)
    with Book.open(path) as book:
        checkpoint = book.checkpoint()
    outcomes = []
    for call, fault in FAULTS:
        for point in spread(calls[call]):
            path = tmp_path / f"{call}-{point}-{fault[-4:]}.book"
            inject = ["-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={point}"]
            done = run(path, tool, "-f", "-o", os.devnull, *only(call, path), *inject)
            said = done.stdout.split("\n")
            acknowledged = [int(text) for text in said if text.isdigit()]
            # Without success there is a reason, and the program ends in its own way.
            if "signal" not in fault:
                assert done.returncode in {0, 5}, done.stderr
                assert (done.returncode == 5) == any(t.startswith("failed: ") for t in said)
            outcomes.append(done.returncode)
            if path.exists():
                assert_whole(path, acknowledged)
            else:
                assert [] == acknowledged
            import_all(path)
            assert "verified" == verify(path, checkpoint).outcome
    print(f"{len(outcomes)} points of {calls}, exit codes {sorted(set(outcomes))}")
    assert {-9, 5} <= set(outcomes), "the kills and the errors were felt"
