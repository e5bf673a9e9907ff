"""Text: CSV and JSON Lines, of events and of tables, row by row."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from ledger import cells
from ledger.codec import decode, event_digest, identity, tag_of
from ledger.fields import fields_of
from replay.moments import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from replay.export.columns import Survey
    from replay.tables import Table


def event_rows(lines: Iterable[bytes], found: Survey) -> Iterator[bytes]:
    """Yield a table of events as CSV, header first; it can be imported again."""
    names = (*cells.HEAD, *(column.name for column in found.columns))
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    fields = {tag: {field.name: field for field in fields_of(tag)} for tag in found.tags}
    for line in lines:
        tag, values = tag_of(line), cells.values_of(line)
        at, name = values["at"], identity(decode(line), line).hex()
        own = fields[tag]
        writer.writerow((
            tag, values["stream"], at, iso(at), name, event_digest(line),
            *(cells.written(own[column.name], values[column.name]) if column.name in own else ""
              for column in found.columns),
        ))  # fmt: skip
        if target.tell() > 1 << 16:
            yield target.getvalue().encode()
            target.seek(0)
            target.truncate()
    yield target.getvalue().encode()


def event_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield events as JSON Lines: their canonical lines, which can be imported again."""
    for line in lines:
        yield line + b"\n"


def table_rows(tables: Sequence[Table], subjects: Sequence[str]) -> Iterator[bytes]:
    """Yield tables of the same columns as one CSV table, with whose they are in front."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(("account", *tables[0].columns))
    for subject, table in zip(subjects, tables, strict=True):
        is_number = [name in table.numbers for name in table.columns]
        for row in table.rows:
            told = [
                (cell or "") if number else cells.guarded(cell or "")
                for cell, number in zip(row, is_number, strict=True)
            ]
            writer.writerow((subject, *told))
    yield target.getvalue().encode()


def table_lines(tables: Sequence[Table], subjects: Sequence[str]) -> Iterator[bytes]:
    """Yield tables as JSON Lines: one object per row, amounts as text."""
    for subject, table in zip(subjects, tables, strict=True):
        for row in table:
            told = json.dumps({"account": subject, **row}, ensure_ascii=False)
            yield told.encode() + b"\n"
