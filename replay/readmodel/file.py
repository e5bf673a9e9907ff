"""File: the read model as a database that is written in one transaction.

Rows go in through ``put``, which takes text, whole numbers, bytes and nothing else: a Decimal
that reached the database would become a float there.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final, Self

from ledger.errors import UnclearQuestion
from replay.readmodel.queries import VIEWS
from replay.readmodel.tables import BY_NAME, COLUMNS, META, TABLES, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from sqlite_utils import Database

    from replay.readmodel.columns import Cell, Table

APPLICATION: Final = 0x726C6676
"""The application id in the head of the file: ``rlfv``."""

FORMAT: Final = "rollforward views 1"

AT_ONCE: Final = 2000
"""Rows of one table that are written together."""

_ALLOWED: Final = frozenset({str, int, bytes, type(None)})


class ViewsFile:
    """One file, open for reading or for making it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use *connection*, which is closed with the file."""
        from sqlite_utils import Database

        self.path = path
        self._connection = connection
        self._base: Database = Database(connection, execute_plugins=False)
        self._waiting: dict[str, list[Sequence[Cell]]] = {table.name: [] for table in TABLES}
        self.written = 0

    @classmethod
    def make(cls, path: Path) -> ViewsFile:
        """Return a new file with its tables, empty.

        The file is made aside and put in its place when it is whole: no journal is needed, and
        none is left behind.
        """
        made = cls(path, _connected(path))
        made._connection.execute(f"PRAGMA application_id={APPLICATION}")
        made.begin()
        for table in TABLES:
            made._base.execute(table.statement)
            for index in table.indexes:
                made._base.table(table.name).create_index(index)
        for view in VIEWS:
            made._base.create_view(view.name, view.sql)
        made._base.table(TEXTS.name).enable_fts(["who", "said"], create_triggers=False)
        from replay.readmodel.columns import described

        for row in described(TABLES):
            made.put(COLUMNS, row)
        return made

    @classmethod
    def reopen(cls, path: Path) -> ViewsFile:
        """Return a file made before, to go on with it. Raises: as ``check_ours``."""
        check_ours(path)
        found = cls(path, _connected(path))
        found.begin()
        return found

    @classmethod
    def read(cls, path: Path) -> ViewsFile:
        """Return a file for reading. Raises: as ``check_ours``."""
        check_ours(path)
        uri = f"{path.resolve().as_uri()}?mode=ro"
        return cls(path, sqlite3.connect(uri, uri=True, isolation_level=None))

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; what is not committed is gone."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    # ------------------------------------------------------------------------------ writing

    def begin(self) -> None:
        """Begin the one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")

    def put(self, table: Table, row: Sequence[Cell]) -> None:
        """Take one row, its cells in the order of the table's stored columns.

        Raises: TypeError, for a cell that is neither text, a whole number, bytes nor nothing.
        """
        if not _ALLOWED.issuperset(map(type, row)):
            wrong = next(cell for cell in row if type(cell) not in _ALLOWED)
            message = f"{table.name}: {wrong!r} is a {type(wrong).__name__}; write it as text first"
            raise TypeError(message)
        waiting = self._waiting[table.name]
        waiting.append(row)
        if len(waiting) >= AT_ONCE:
            self._write(table)

    def flush(self) -> None:
        """Write every row that waits."""
        for table in TABLES:
            if self._waiting[table.name]:
                self._write(table)

    def _write(self, table: Table) -> None:
        rows = self._waiting[table.name]
        names = [column.name for column in table.stored]
        self._base.table(table.name).insert_all([names, *rows], batch_size=AT_ONCE)
        self.written += len(rows)
        rows.clear()

    def do(self, sql: str, values: Sequence[Cell] = ()) -> int:
        """Run a statement and return how many rows it concerned; rows that wait go before it."""
        self.flush()
        return self._connection.execute(sql, values).rowcount

    def commit(self, meta: dict[str, str]) -> None:
        """Write what the file was made from, and end the transaction.

        Raises: AssertionError, when a reference leads nowhere: that is our own mistake.
        """
        self.do(f'DELETE FROM "{META.name}"')
        for name, value in sorted(meta.items()):
            self.put(META, (name, value))
        self.flush()
        astray = self._connection.execute("PRAGMA foreign_key_check").fetchmany(5)
        assert not astray, f"references lead nowhere: {astray}"
        self._connection.execute("COMMIT")

    def analyze(self) -> None:
        """Let the database look at its tables, so that it finds the short way through them."""
        self._connection.execute("ANALYZE")

    # ------------------------------------------------------------------------------ reading

    def rows(self, sql: str, values: Sequence[Cell] = ()) -> list[tuple[Cell, ...]]:
        """Return the rows of a query; rows that wait are written before."""
        self.flush()
        found: list[tuple[Cell, ...]] = self._connection.execute(sql, values).fetchall()
        return found

    def each(self, table: Table) -> Iterator[tuple[Cell, ...]]:
        """Return the stored cells of every row of a table, in the order of its key."""
        names = ", ".join(f'"{column.name}"' for column in table.stored)
        key = ", ".join(f'"{name}"' for name in table.key)
        sql = f'SELECT {names} FROM "{table.name}" ORDER BY {key}'
        return self._connection.execute(sql)

    def meta(self) -> dict[str, str]:
        """Return what the file was made from, by name."""
        return {str(name): str(value) for name, value in self.rows('SELECT * FROM "_meta"')}

    def counts(self) -> dict[str, int]:
        """Return how many rows every table has."""
        return {name: self._base.table(name).count for name in BY_NAME}


def check_ours(path: Path) -> None:
    """Look whether a file is a read model.

    Raises: UnclearQuestion, naming the file and what to do, when it is something else.
    """
    with path.open("rb") as file:
        head = file.read(72)
    if head[:16] != b"SQLite format 3\0" or head[68:72] != APPLICATION.to_bytes(4, "big"):
        raise UnclearQuestion(
            asked=str(path),
            problem="is no read model, and is left alone",
            remedy="Name another file, or move this one away",
        )


def _connected(path: Path) -> sqlite3.Connection:
    """Open a file aside: what is lost with it is made again, so nothing waits for the disk."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA temp_store=FILE")
    return connection
