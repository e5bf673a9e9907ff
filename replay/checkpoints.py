"""Checkpoints: states remembered every 256 events of effective order, in a file beside the book.

The file is derived and disposable: it can be deleted at any time and is rebuilt. Every checkpoint
is bound to the code that made it, to the bytes of the stream (the head of its chain), and to the
metadata the fold used; if any of them differs, it is not looked at. With each state stand the
runs of the next 256 events, so that an instant is one checkpoint and at most 256 events, and the
course need not be computed again. What was known earlier mostly is a beginning of what is known
later: then the later series serves it, too (``replay.engine``). What is stored is digested and
compared when it is read.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from functools import cache
from hashlib import sha256
from importlib.resources import files
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import zstandard

from ledger.units import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from importlib.resources.abc import Traversable
    from pathlib import Path

EVERY: Final = 256
"""Events between two checkpoints."""

WORTH_FROM: Final = 2 * EVERY
"""Histories shorter than this are folded from nothing: it takes a few milliseconds."""

SERIES_KEPT: Final = 6
"""How many series are kept per stream (one per state of knowledge asked for)."""

APPLICATION: Final = 0x726C6663
_MAGIC: Final = b"SQLite format 3\0"

Piece: TypeAlias = tuple[int, int, int] | str
"""Some events in effective order: (batch, first row, count), or one literal canonical line."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (
    number INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    stream TEXT NOT NULL,
    head TEXT NOT NULL,
    reference TEXT NOT NULL,
    events INTEGER NOT NULL,
    UNIQUE (code, stream, head, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoint (
    series INTEGER NOT NULL REFERENCES series ON DELETE CASCADE,
    number INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    state BLOB NOT NULL,
    pieces BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (series, number)
) STRICT, WITHOUT ROWID;
"""


@attrs.frozen(kw_only=True)
class Key:
    """What a series of checkpoints holds for, and for nothing else.

    ``head`` is the end of the stream's chain at the position asked for, ``reference`` the digest
    of the metadata lines the fold used.
    """

    stream: Stream
    head: str
    reference: str


@attrs.frozen(kw_only=True)
class Checkpoint:
    """A state after ``number`` × 256 events, and where the next 256 are.

    ``last_at`` is the moment of the last event folded, -1 when there is none.
    """

    number: int
    last_at: int
    state: bytes
    pieces: tuple[Piece, ...]


@cache
def code_digest() -> str:
    """Return the digest of all that decides what a stored line comes to: ledger and projections.

    Taken over the sources themselves, so that no change of a rule can be forgotten.
    """
    total = sha256(b"rollforward checkpoint 1\n")
    for package in ("ledger", "projections"):
        for name, body in sorted(_sources(files(package), package)):
            total.update(f"{name} {len(body)}\n".encode() + body)
    return total.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry.read_bytes()
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry, f"{name}/{entry.name}")


class Checkpoints:
    """The derived file of one book; where it cannot be used, everything is folded from nothing."""

    def __init__(self, path: Path) -> None:
        """Remember in the file at *path*; a file there that is not ours is left alone."""
        self.path = path
        self._moments: dict[Key, tuple[int, list[int]]] = {}
        self._opened: sqlite3.Connection | None = None
        self._is_tried = False
        self._lock = RLock()

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        self._is_tried = True

    @property
    def _connection(self) -> sqlite3.Connection | None:
        """The open file, made when it is first needed: short histories never need it."""
        if not self._is_tried:
            self._is_tried = True
            self._opened = _connect(self.path)
        return self._opened

    def find(self, key: Key, until: int | None) -> Checkpoint | None:
        """Return the last checkpoint whose events all happened by *until*; None if there is none.

        **Units**: milliseconds; None means the end of the history.
        """
        found = self._series(key)
        if found is None:
            return None
        return self._read(found[0], key, _number(found[1], until))

    def number(self, key: Key, until: int | None) -> int | None:
        """Return the number of the checkpoint ``find`` reads; None without a series."""
        found = self._series(key)
        return None if found is None else _number(found[1], until)

    def at_number(self, key: Key, number: int) -> Checkpoint | None:
        """Return one checkpoint of a series by its number; None when there is none."""
        found = self._series(key)
        if found is None or not 0 <= number < len(found[1]):
            return None
        return self._read(found[0], key, number)

    def count(self, key: Key) -> int:
        """Return how many checkpoints a series has."""
        found = self._series(key)
        return len(found[1]) if found else 0

    def _series(self, key: Key) -> tuple[int, list[int]] | None:
        if key in self._moments:
            return self._moments[key]
        rows = self._ask(
            "SELECT number FROM series WHERE code=? AND stream=? AND head=? AND reference=?",
            (code_digest(), key.stream, key.head, key.reference),
        )
        if not rows:
            return None
        series = rows[0][0]
        moments = [
            row[0]
            for row in self._ask(
                "SELECT last_at FROM checkpoint WHERE series=? ORDER BY number", (series,)
            )
        ]
        if not moments:
            return None
        self._moments[key] = series, moments
        return series, moments

    def _read(self, series: int, key: Key, number: int) -> Checkpoint | None:
        rows = self._ask(
            "SELECT last_at, state, pieces, digest FROM checkpoint WHERE series=? AND number=?",
            (series, number),
        )
        if not rows:
            self._moments.pop(key, None)  # another process, or a later series, put it out
            return None
        last_at, state, pieces, digest = rows[0]
        if digest != _digest(key, number, last_at, state, pieces):
            self._forget(series, key)
            return None
        return Checkpoint(
            number=number,
            last_at=last_at,
            state=zstandard.ZstdDecompressor().decompress(state),
            pieces=_pieces(pieces),
        )

    def reusable(self, key: Key, groups: Sequence[tuple[Piece, ...]]) -> tuple[Key, int] | None:
        """Return an older series that begins with the same events, and its last number that holds.

        Batches never change, so equal pieces are equal events; later knowledge of the same
        stream mostly only adds to the end.
        """
        best: tuple[Key, int] | None = None
        rows = self._ask(
            "SELECT number, head FROM series WHERE code=? AND stream=? AND reference=?"
            " ORDER BY number DESC",
            (code_digest(), key.stream, key.reference),
        )
        for series, head in rows:
            number = self._agreeing(series, groups)
            if number and (best is None or number > best[1]):
                best = attrs.evolve(key, head=str(head)), number
        return best

    def _agreeing(self, series: int, groups: Sequence[tuple[Piece, ...]]) -> int:
        """Return the last number of a series before which all groups are the given ones."""
        rows = self._ask("SELECT pieces FROM checkpoint WHERE series=? ORDER BY number", (series,))
        for number, (row, group) in enumerate(zip(rows, groups, strict=False)):
            if _pieces(row[0]) != group:
                return number
        return min(len(groups), len(rows)) - 1

    def write(self, key: Key, events: int, checkpoints: Iterable[Checkpoint]) -> bool:
        """Write a series in one transaction and tell whether it is kept.

        **Order**: by number, from 0. A file that is locked or cannot be written is no mistake.
        """
        connection = self._connection
        if connection is None:
            return False
        with self._lock:
            try:
                self._write(connection, key, events, checkpoints)
            except sqlite3.DatabaseError:
                return False
            finally:
                self._moments.pop(key, None)
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return True

    def _write(
        self,
        connection: sqlite3.Connection,
        key: Key,
        events: int,
        checkpoints: Iterable[Checkpoint],
    ) -> None:
        packed = zstandard.ZstdCompressor(level=1)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "DELETE FROM series WHERE code=? AND stream=? AND head=? AND reference=?",
            (code_digest(), key.stream, key.head, key.reference),
        )
        series = connection.execute(
            "INSERT INTO series (code, stream, head, reference, events) VALUES (?,?,?,?,?)",
            (code_digest(), key.stream, key.head, key.reference, events),
        ).lastrowid
        assert series is not None
        for checkpoint in checkpoints:
            state = packed.compress(checkpoint.state)
            pieces = json.dumps(checkpoint.pieces, separators=(",", ":")).encode()
            digest = _digest(key, checkpoint.number, checkpoint.last_at, state, pieces)
            connection.execute(
                "INSERT INTO checkpoint VALUES (?,?,?,?,?,?)",
                (series, checkpoint.number, checkpoint.last_at, state, pieces, digest),
            )
        connection.execute("DELETE FROM series WHERE code<>?", (code_digest(),))
        connection.execute(
            "DELETE FROM series WHERE stream=? AND number NOT IN"
            " (SELECT number FROM series WHERE stream=? ORDER BY number DESC LIMIT ?)",
            (key.stream, key.stream, SERIES_KEPT),
        )
        connection.execute("COMMIT")

    def _forget(self, series: int, key: Key) -> None:
        self._moments.pop(key, None)
        self._ask("DELETE FROM series WHERE number=?", (series,))

    def _ask(self, query: str, values: tuple[object, ...]) -> list[Any]:
        """Return the rows of a query; a damaged or busy file has none."""
        if self._connection is None:
            return []
        try:
            with self._lock:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError:
            self._moments.clear()
            return []


def _number(moments: Sequence[int], until: int | None) -> int:
    return len(moments) - 1 if until is None else max(0, bisect_right(moments, until) - 1)


def _connect(path: Path) -> sqlite3.Connection | None:
    """Open the file; if it is ours and damaged, make it anew; if it is not ours, do without."""
    if path.is_file() and path.stat().st_size and not _is_ours(path):
        return None
    try:
        return _made(path)
    except sqlite3.OperationalError:
        return None  # no right to write here, or another process holds it
    except sqlite3.DatabaseError:
        pass
    try:
        path.unlink()
        return _made(path)
    except (OSError, sqlite3.DatabaseError):
        return None


def _made(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        # Several threads may ask, one at a time.
        path, timeout=0.2, isolation_level=None, check_same_thread=False
    )  # fmt: skip
    try:
        # Losing this file costs time only, so nothing waits for the disk.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA mmap_size=268435456")
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(72)
    return head.startswith(_MAGIC) and head[68:72] == APPLICATION.to_bytes(4, "big")


def _digest(key: Key, number: int, last_at: int, state: bytes, pieces: bytes) -> bytes:
    bound = f"{code_digest()}\n{key.stream}\n{key.head}\n{key.reference}\n{number}\n{last_at}\n"
    framed = bound.encode() + len(state).to_bytes(8, "big") + state + pieces
    return sha256(framed).digest()[:16]


def _pieces(text: bytes) -> tuple[Piece, ...]:
    return tuple(piece if isinstance(piece, str) else tuple(piece) for piece in json.loads(text))
