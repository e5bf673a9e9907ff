"""The store in one SQLite file, through the recorder of ``eventsourcing``.

The library's recorder is kept for its interface and its transactions; replaced, at its hooks, are
the tables, the numbering, the settings and the way a write begins. ``docs/spec/book.md`` gives
the reasons; ``ledger.stores.guard`` keeps everybody else's hands off the open file.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eventsourcing.persistence import (
    InterfaceError,
    Notification,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)
from typing_extensions import override

from ledger.errors import StoreBusy, StoreFailed
from ledger.seal import Seal
from ledger.stores import Addition, BatchRow, IndexRow, RecordRow, Sealer, Size
from ledger.stores.guard import WriterLock, guard, unguard
from ledger.stores.schema import (
    APPLICATION_ID,
    SELECT_SCHEMA,
    SETTINGS,
    STATEMENTS,
    USER_VERSION,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

T = TypeVar("T")

_LAST: Final = (1 << 63) - 1
"""The largest whole number a column holds."""

_FAILURES: Final = (PersistenceError, sqlite3.Error, OSError, UnicodeDecodeError)
"""What reading or writing a file may end in; damaged names make messages that are no text."""

_HEADER_BYTES: Final = 2048
"""Read first from a state when only its header is wanted; a longer one is read on."""


class BookTransaction(SQLiteTransaction):
    """A transaction that, when it is to write, takes the write lock at its beginning."""

    @override
    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        return cursor


class BookConnection(SQLiteConnection):
    """A connection whose transactions are ours."""

    @contextmanager
    @override
    def transaction(self, *, commit: bool) -> Generator[SQLiteCursor]:
        with BookTransaction(self, commit=commit) as cursor, cursor:
            yield cursor

    @property
    def raw(self) -> sqlite3.Connection:
        """Return the connection of the standard library."""
        return self._sqlite_conn


class BookPool(SQLiteConnectionPool):
    """Connections to an existing book, every setting made by us and read back."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path = path
        self.write = write
        mode = "rw" if write else "ro"
        super().__init__(db_name=f"{path.absolute().as_uri()}?mode={mode}", lock_timeout=10)

    @override
    def _create_connection(self) -> BookConnection:
        try:
            raw = sqlite3.connect(
                self.db_name, uri=True, check_same_thread=False, isolation_level=None, timeout=10
            )
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        try:
            _settle(raw, self.path.name, write=self.write)
        except BaseException:
            raw.close()
            raise
        raw.row_factory = sqlite3.Row
        return BookConnection(sqlite_conn=raw, max_age=None)


class BookDatastore(SQLiteDatastore):
    """The library's datastore over our connections; streams go by text."""

    def __init__(self, path: Path, *, write: bool) -> None:
        super().__init__(path.name, originator_id_type="text")
        self.pool = BookPool(path, write=write)


class BookRecorder(SQLiteApplicationRecorder):
    """The library's recorder over our tables; positions stand for its notification ids."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore, events_table_name="batches")
        self.insert_events_statement = "INSERT INTO batches VALUES (?,?,?,?,?,?,?,?,?,?,?)"
        self.select_events_statement = (
            "SELECT stream AS originator_id, version AS originator_version, topic, state "
            "FROM batches WHERE stream=? "
        )
        self.select_max_notification_id_statement = "SELECT max(position) FROM batches"

    @override
    def construct_create_table_statements(self) -> list[str]:
        return list(STATEMENTS)

    @override
    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        **beside: Any,
    ) -> Sequence[int]:
        addition: Addition = beside["addition"]
        seal: Sealer = beside["seal"]
        for event, row in zip(stored_events, addition.batches, strict=True):
            place = row.position, event.originator_id, event.originator_version, event.topic
            known = row.first_at, row.last_at, row.count, row.record, row.digest, row.sum
            c.execute(self.insert_events_statement, (*place, *known, event.state))
        for entry in addition.index:
            indexed = entry.position, entry.identities, entry.checks
            c.execute("INSERT INTO identities VALUES (?,?,?)", indexed)
        if addition.record:
            kept = addition.record
            archived = kept.number, kept.digest, kept.entry, kept.sum, kept.body
            c.execute("INSERT INTO records VALUES (?,?,?,?,?)", archived)
        positions = [row.position for row in addition.batches]
        states = []
        for position in positions:
            c.execute("SELECT state FROM batches WHERE position = ?", (position,))
            states.append(c.fetchone()["state"])
        made = seal(states)
        numbers = made.number, made.position, made.records
        sealed = *numbers, made.root, made.previous, made.digest
        c.execute("INSERT INTO seals VALUES (?,?,?,?,?,?)", sealed)
        return positions

    @override
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return batches by position; see the library for what the arguments mean."""
        first = (start or 0) + (0 if inclusive_of_start or start is None else 1)
        last = _LAST if stop is None else stop
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT position, stream, version, topic, state FROM batches "
                "WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?",
                (first, last, -1 if topics else limit),
            )
            found = [
                Notification(
                    id=row["position"],
                    originator_id=row["stream"],
                    originator_version=row["version"],
                    topic=row["topic"],
                    state=row["state"],
                )
                for row in c.fetchall()
                if not topics or row["topic"] in topics
            ]
        return found[:limit]


class SqliteStore:
    """One book's file, open for reading, or for writing by this process alone."""

    def __init__(self, path: Path, *, lock: WriterLock | None) -> None:
        """Open an existing file; with the writer's lock, for writing.

        Raises: StoreFailed, when it is not a sound book.
        """
        self.path = path
        self.name = path.name
        self._lock = lock
        self._is_open = True
        guard(path)
        self._datastore = BookDatastore(path, write=lock is not None)
        self.recorder = BookRecorder(self._datastore)

    # -------------------------------------------------------------------------- writing

    def append(self, addition: Addition, seal: Sealer) -> None:
        """Write an addition and the seal over it: everything, or nothing.

        Raises: StoreBusy, when another program holds SQLite's lock and nothing was written;
        StoreFailed, when writing failed: the store is closed then and takes nothing more.
        """
        events = [
            StoredEvent(
                originator_id=row.stream,
                originator_version=row.version,
                topic=row.topic,
                state=row.state,
            )
            for row in addition.batches
        ]
        self._write(lambda: self.recorder.insert_events(events, addition=addition, seal=seal))

    def reindex(self, rows: Sequence[IndexRow]) -> None:
        """Put these rows in place of the whole index, in one transaction."""

        def put() -> None:
            with self._datastore.transaction(commit=True) as c:
                c.execute("DELETE FROM identities")
                for row in rows:
                    fields = row.position, row.identities, row.checks
                    c.execute("INSERT INTO identities VALUES (?,?,?)", fields)

        self._write(put)

    def _write(self, work: Callable[[], object]) -> None:
        if not self._is_open or self._lock is None:
            message = f"{self.name}: is not open for writing; nothing was written"
            raise StoreFailed(message)
        try:
            work()
        except _FAILURES as error:
            if _is_busy(error):
                message = f"{self.name}: another program has locked the file; nothing was written"
                raise StoreBusy(message) from error
            self._stop()
            message = (
                f"{self.name}: could not be written ({error}). What was being written was not "
                f"acknowledged, and nothing more is written. Remove the cause, run "
                f"'rollforward verify', then import the same files again"
            )
            raise StoreFailed(message) from error
        except Exception:
            self._stop()
            raise

    # -------------------------------------------------------------------------- reading

    def size(self) -> Size:
        """Return the last position, record number and seal number."""
        row = self._rows(
            "SELECT coalesce((SELECT max(position) FROM batches), 0) AS batches, "
            "coalesce((SELECT max(number) FROM records), 0) AS records, "
            "coalesce((SELECT max(number) FROM seals), 0) AS seals"
        )[0]
        return Size(batches=row["batches"], records=row["records"], seals=row["seals"])

    def counted(self) -> Size:
        """Return how many rows of each sort there are, counted one by one."""
        row = self._rows(
            "SELECT (SELECT count(*) FROM batches) AS batches, "
            "(SELECT count(*) FROM records) AS records, (SELECT count(*) FROM seals) AS seals"
        )[0]
        return Size(batches=row["batches"], records=row["records"], seals=row["seals"])

    def header_lines(self, after: int) -> Sequence[bytes]:
        """Return the header lines of the batches behind a position, in order."""
        found = self._rows("SELECT position FROM batches WHERE position > ? ORDER BY 1", after)
        positions = [row["position"] for row in found]
        return self._reading(lambda: self._beginnings(positions)) if positions else []

    def _beginnings(self, positions: list[int]) -> list[bytes]:
        """Read only the pages a header is on: states are long, headers are short."""
        lines = []
        with self._datastore.get_connection(commit=False) as connection:
            assert isinstance(connection, BookConnection)
            for position in positions:
                with connection.raw.blobopen("batches", "state", position, readonly=True) as blob:
                    start = blob.read(_HEADER_BYTES)
                    if b"\n" not in start:
                        start += blob.read()
                lines.append(start.partition(b"\n")[0])
        return lines

    def batch(self, position: int) -> BatchRow | None:
        """Return a batch, or None when there is none at that position."""
        rows = self._rows("SELECT * FROM batches WHERE position = ?", position)
        return BatchRow(**dict(rows[0])) if rows else None

    def index(self, position: int) -> IndexRow | None:
        """Return the index of a batch, or None when there is none."""
        rows = self._rows("SELECT * FROM identities WHERE position = ?", position)
        return IndexRow(**dict(rows[0])) if rows else None

    def indexes(self) -> Sequence[IndexRow]:
        """Return all rows of the index, in the order of positions."""
        found = self._rows("SELECT * FROM identities ORDER BY position")
        return [IndexRow(**dict(row)) for row in found]

    def entry_lines(self, after: int) -> Sequence[bytes]:
        """Return the lines of the archive's entries behind a number, in order."""
        rows = self._rows("SELECT entry FROM records WHERE number > ? ORDER BY number", after)
        return [row["entry"] for row in rows]

    def record(self, number: int) -> RecordRow | None:
        """Return a raw record, or None when there is none of that number."""
        rows = self._rows("SELECT * FROM records WHERE number = ?", number)
        return RecordRow(**dict(rows[0])) if rows else None

    def seal(self, number: int) -> Seal | None:
        """Return a seal as it is stored, or None when there is none of that number."""
        rows = self._rows("SELECT * FROM seals WHERE number = ?", number)
        return Seal(**dict(rows[0])) if rows else None

    def structure(self) -> tuple[str, ...]:
        """Return what is wrong with the file beside the contents of its rows, a sentence each."""
        problems: list[str] = []
        try:
            if _schema(self._rows(SELECT_SCHEMA)) != _expected_schema():
                problems.append("the tables, indexes or triggers are not those of a book")
            said = [row[0] for row in self._rows("PRAGMA integrity_check(20)")]
            problems += [f"SQLite's own check says: {text}" for text in said if text != "ok"]
            for table, key in (("batches", "position"), ("records", "number"), ("seals", "number")):
                query = f"SELECT count(*) = coalesce(max({key}), 0) FROM {table}"  # noqa: S608 - our own names
                if not self._rows(query)[0][0]:
                    problems.append(f"the numbers in the table {table} have gaps")
            if self._rows(
                "SELECT 1 FROM identities WHERE position NOT IN (SELECT position FROM batches)"
            ):
                problems.append("the index speaks of batches that are not there")
        except StoreFailed as error:
            problems.append(str(error))
        return tuple(problems)

    def require_schema(self) -> None:
        """Do nothing when the tables are ours.

        Raises: StoreFailed, when they are not.
        """
        if _schema(self._rows(SELECT_SCHEMA)) != _expected_schema():
            message = (
                f"{self.name}: its tables, indexes or triggers are not those of a book of this "
                f"version; it was changed, or made by another program"
            )
            raise StoreFailed(message)

    def close(self) -> None:
        """Let go of everything; closing twice does no harm."""
        if self._is_open and self._lock is not None:
            # Everything into the one file: whoever copies it alone then copies all of it.
            with suppress(StoreFailed):
                self._rows("PRAGMA wal_checkpoint(TRUNCATE)")
        self._stop()

    def _stop(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._datastore.close()
        unguard(self.path)
        if self._lock is not None:
            self._lock.release()

    def _rows(self, query: str, *arguments: int) -> list[sqlite3.Row]:
        def read() -> list[sqlite3.Row]:
            with self._datastore.get_connection(commit=False) as connection:
                assert isinstance(connection, BookConnection)
                return connection.raw.execute(query, arguments).fetchall()

        return self._reading(read)

    def _reading(self, work: Callable[[], T]) -> T:
        if not self._is_open:
            message = f"{self.name}: the book is closed"
            raise StoreFailed(message)
        try:
            return work()
        except _FAILURES as error:
            message = f"{self.name}: cannot be read ({error}). Run 'rollforward verify'"
            raise StoreFailed(message) from error


# ------------------------------------------------------------------ making and opening files


def create(path: Path, *, wait_ms: int) -> SqliteStore:
    """Return the store of a new book, open for writing.

    The file appears under its name when its tables are durable, not before.

    Raises: StoreFailed, when there is a file of that name, or none can be made; StoreBusy.
    """
    lock = WriterLock(path, wait_ms=wait_ms)
    try:
        _make(path)
        return _opened(path, lock)
    except _FAILURES as error:
        lock.release()
        message = f"{path.name}: cannot be made ({error})"
        raise StoreFailed(message) from error
    except BaseException:
        lock.release()
        raise


def open_store(path: Path, *, write: bool, wait_ms: int) -> SqliteStore:
    """Return the store of an existing book.

    Raises: StoreFailed, when it is no book, or its tables are not ours; StoreBusy.
    """
    if not path.is_file():
        message = f"{path.name}: there is no such book. 'rollforward import' makes one"
        raise StoreFailed(message)
    lock = WriterLock(path, wait_ms=wait_ms) if write else None
    try:
        return _opened(path, lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise


def _opened(path: Path, lock: WriterLock | None) -> SqliteStore:
    store = SqliteStore(path, lock=lock)
    try:
        store.require_schema()
    except BaseException:
        # The caller gives the lock back; the rest is let go of here.
        store.close()
        raise
    return store


def _make(path: Path) -> None:
    """Make the file under another name first: a kill leaves no half-made book."""
    if path.exists():
        message = f"{path.name}: there is such a file already"
        raise StoreFailed(message)
    new = path.with_name(path.name + ".new")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{new}{suffix}").unlink(missing_ok=True)
    raw = sqlite3.connect(f"{new.absolute().as_uri()}?mode=rwc", uri=True, isolation_level=None)
    try:
        raw.execute(f"PRAGMA application_id={APPLICATION_ID}")
        raw.execute(f"PRAGMA user_version={USER_VERSION}")
        raw.execute("PRAGMA journal_mode=WAL")
        _settle(raw, path.name, write=True)
        raw.execute("BEGIN IMMEDIATE")
        for statement in STATEMENTS:
            raw.execute(statement)
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()
    new.rename(path)
    folder = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _settle(raw: sqlite3.Connection, name: str, *, write: bool) -> None:
    """Make every setting and read it back; a build's defaults are not to be relied on."""

    def value(setting: str) -> object:
        row = raw.execute(f"PRAGMA {setting}").fetchone()
        return row[0] if row else 0

    try:
        for setting, wanted in (*SETTINGS, ("query_only", 0 if write else 1)):
            raw.execute(f"PRAGMA {setting}={wanted}").fetchall()
            if value(setting) != wanted:
                message = f"{name}: SQLite does not take the setting {setting}={wanted}"
                raise StoreFailed(message)
        found = value("application_id"), value("user_version"), value("journal_mode")
    except _FAILURES as error:
        message = f"{name}: cannot be opened as a book ({error})"
        raise StoreFailed(message) from error
    if found != (APPLICATION_ID, USER_VERSION, "wal"):
        message = (
            f"{name}: is not a book of this version: application {found[0]}, version {found[1]}, "
            f"journal {found[2]}; expected {APPLICATION_ID}, {USER_VERSION}, wal"
        )
        raise StoreFailed(message)


def _schema(rows: Sequence[sqlite3.Row]) -> list[tuple[object, ...]]:
    return [tuple(row) for row in rows]


@cache
def _expected_schema() -> list[tuple[object, ...]]:
    fresh = sqlite3.connect(":memory:")
    try:
        for statement in STATEMENTS:
            fresh.execute(statement)
        return [tuple(row) for row in fresh.execute(SELECT_SCHEMA)]
    finally:
        fresh.close()


def _is_busy(error: BaseException) -> bool:
    """Tell whether SQLite refused because of somebody else's lock; nothing was written then."""
    cause = error.__cause__ if isinstance(error, PersistenceError) else error
    code = getattr(cause, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
