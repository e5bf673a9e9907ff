"""The tables of a book's SQLite file, and the settings under which it is opened.

What cannot be rebuilt refuses every change: rows are only ever added, each with the next number.
The index alone (``identities``) may be made again.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x524F4C4C
"""``ROLL``, in the file's header, so that ``file`` and we know a book."""

USER_VERSION: Final = 1
"""The version of the tables below."""

_KEPT: Final = ("batches", "records", "seals")

_TABLES: Final = (
    """CREATE TABLE batches (
  position INTEGER PRIMARY KEY NOT NULL CHECK (position > 0),
  stream TEXT NOT NULL CHECK (length(stream) BETWEEN 1 AND 300),
  version INTEGER NOT NULL CHECK (version > 0),
  topic TEXT NOT NULL CHECK (topic = 'batch/1'),
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL CHECK (last_at >= first_at),
  count INTEGER NOT NULL CHECK (count >= 0),
  record TEXT NOT NULL CHECK (length(record) IN (0, 64)),
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  sum INTEGER NOT NULL,
  state BLOB NOT NULL CHECK (length(state) > 0),
  UNIQUE (stream, version)
) STRICT""",
    """CREATE TABLE identities (
  position INTEGER PRIMARY KEY NOT NULL REFERENCES batches (position),
  identities BLOB NOT NULL CHECK (length(identities) % 16 = 0),
  checks BLOB NOT NULL CHECK (length(checks) * 8 = length(identities))
) STRICT""",
    """CREATE TABLE records (
  number INTEGER PRIMARY KEY NOT NULL CHECK (number > 0),
  digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
  entry BLOB NOT NULL CHECK (length(entry) > 0),
  sum INTEGER NOT NULL,
  body BLOB NOT NULL CHECK (length(body) > 0)
) STRICT""",
    """CREATE TABLE seals (
  number INTEGER PRIMARY KEY NOT NULL CHECK (number > 0),
  position INTEGER NOT NULL CHECK (position >= 0),
  records INTEGER NOT NULL CHECK (records >= 0),
  root TEXT NOT NULL CHECK (length(root) = 64),
  previous TEXT NOT NULL CHECK (length(previous) IN (0, 64)),
  digest TEXT NOT NULL CHECK (length(digest) = 64)
) STRICT""",
)

_IN_ORDER: Final = (
    """CREATE TRIGGER batches_in_order BEFORE INSERT ON batches
WHEN NEW.position <> (SELECT coalesce(max(position), 0) + 1 FROM batches)
  OR NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM batches WHERE stream = NEW.stream)
BEGIN SELECT RAISE(ABORT, 'a batch takes the next position and the next version'); END""",
    """CREATE TRIGGER records_in_order BEFORE INSERT ON records
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM records)
BEGIN SELECT RAISE(ABORT, 'a record takes the next number'); END""",
    """CREATE TRIGGER seals_in_order BEFORE INSERT ON seals
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM seals)
BEGIN SELECT RAISE(ABORT, 'a seal takes the next number'); END""",
)

_REFUSALS: Final = tuple(
    f"CREATE TRIGGER {table}_keep_{verb.lower()} BEFORE {verb} ON {table}\n"
    f"BEGIN SELECT RAISE(ABORT, 'a book is only ever added to'); END"
    for table in _KEPT
    for verb in ("UPDATE", "DELETE")
)

STATEMENTS: Final = (*_TABLES, *_IN_ORDER, *_REFUSALS)
"""What makes the tables of a new book, in order."""

SELECT_SCHEMA: Final = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
"""What is compared, row by row, with the same of a fresh book."""

SETTINGS: Final = (
    ("synchronous", 2),
    ("foreign_keys", 1),
    ("trusted_schema", 0),
    ("cell_size_check", 1),
    ("mmap_size", 0),
    ("busy_timeout", 10_000),
    ("recursive_triggers", 1),
    ("fullfsync", 1),
    ("checkpoint_fullfsync", 1),
)
"""Settings made on every connection and read back; 2 is FULL (``docs/spec/book.md``)."""
