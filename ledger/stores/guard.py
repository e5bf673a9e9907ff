"""Guards around a book's file: one writer at a time, and nobody but SQLite opens it.

When any descriptor of a file is closed, POSIX drops all locks the process holds on it: whoever
merely hashes or copies an open book takes SQLite's locks away, and another process may then undo
what was committed. An audit hook refuses such an opening before it happens.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from ledger.errors import StoreBusy, StoreFailed

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")
_guarded: Final[Counter[str]] = Counter()
_hooked: Final[list[bool]] = []


def guard(path: Path) -> None:
    """Refuse, from now on, that this process opens the book's files otherwise than by SQLite."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_refuse_opening)
    real = os.path.realpath(path)
    _guarded.update(real + suffix for suffix in _SUFFIXES)


def unguard(path: Path) -> None:
    """Take back one ``guard``; a book that is open twice stays guarded."""
    real = os.path.realpath(path)
    for suffix in _SUFFIXES:
        _guarded[real + suffix] -= 1
        if _guarded[real + suffix] < 1:
            del _guarded[real + suffix]


def _refuse_opening(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not _guarded:
        return
    path = arguments[0]
    # A number is a descriptor that is open already; a path may come as an object of its own.
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    if os.path.realpath(os.fsdecode(path)) in _guarded:
        message = (
            f"{os.fsdecode(path)}: the book is open, and opening its file past SQLite would take "
            f"away its locks. Close the book first, or let another process read a copy of it"
        )
        raise StoreFailed(message)


class WriterLock:
    """The right to write to one book, held by one writer of all processes.

    It is the lock on a file beside the book, whose text names the process that holds it.
    """

    def __init__(self, path: Path, *, wait_ms: int) -> None:
        """Take the lock, waiting for it at most so long.

        Raises: StoreBusy, when somebody else keeps it; StoreFailed, when it cannot be made.
        """
        self._file = -1
        try:
            self._file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode=0o644)
            self._take(path.name, time.monotonic() + wait_ms / 1000)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            self.release()
            message = f"{path.name}: its lock file cannot be taken ({error.strerror})"
            raise StoreFailed(message) from error

    def _take(self, name: str, deadline: float) -> None:
        while not self._is_taken():
            if time.monotonic() >= deadline:
                holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
                self.release()
                message = (
                    f"{name}: another writer (process {holder or 'unknown'}) has the book. "
                    f"Nothing was written; try again when it has ended"
                )
                raise StoreBusy(message)
            time.sleep(0.01)

    def _is_taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the right back; doing so twice does no harm. The file stays where it is."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
