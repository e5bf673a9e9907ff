"""Parquet: events and tables in typed columns, the same bytes for the same book and versions.

Rows go in groups, so that a book of any length needs the memory of one. Amounts of 18 digits are
whole numbers split by bytes, moments and identities differences; everything is compressed by zstd.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ledger.cells import values_of
from ledger.codec import decode, identity
from replay import __version__
from replay.export.arrow import arrow_of, digits_of, table_of, type_of
from replay.export.columns import Width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from replay.export.columns import Column, Survey
    from replay.tables import Table

ROWS: Final = 32_768
"""Rows of one group."""

HEAD: Final = ("kind", "stream", "at", "event")
"""The first columns of a table of events."""

_REPEATED: Final = frozenset({"kind", "stream", "account"})
_ONCE: Final = frozenset({"event", "tx_hash", "cloid"})


def write_events(
    lines: Iterable[bytes], found: Survey, target: BinaryIO, metadata: Mapping[str, str]
) -> None:
    """Write a table of events.

    Raises: NotInstalled, when pyarrow is not installed.
    """
    arrow = arrow_of()
    schema = schema_of(found, metadata)
    with _writer(target, schema) as writer:
        for rows in _groups(lines):
            columns = _columns(rows, found.columns)
            arrays = [_array(columns[field.name], field.type) for field in schema]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema), row_group_size=ROWS)


def write_tables(
    tables: Sequence[Table],
    subjects: Sequence[str],
    target: BinaryIO,
    metadata: Mapping[str, str],
) -> None:
    """Write tables of the same columns as one, with whose they are in front."""
    import attrs

    first = tables[0]
    rows = tuple(
        (subject, *row)
        for subject, table in zip(subjects, tables, strict=True)
        for row in table.rows
    )
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    whole = attrs.evolve(first, columns=("account", *first.columns), rows=rows, notes=notes)
    made = table_of(whole)
    told = {name.decode(): text.decode() for name, text in (made.schema.metadata or {}).items()}
    made = made.replace_schema_metadata({**told, **metadata})
    with _writer(target, made.schema) as writer:
        writer.write_table(made, row_group_size=ROWS)


def schema_of(found: Survey, metadata: Mapping[str, str]) -> pa.Schema:
    """Return the schema of a table of events; what a column means stands in its metadata."""
    arrow = arrow_of()
    head = [
        arrow.field("kind", arrow.string(), nullable=False),
        arrow.field("stream", arrow.string(), nullable=False),
        arrow.field("at", type_of("moment", Width()), nullable=False),
        arrow.field("event", arrow.string(), nullable=False),
    ]
    fields = [
        arrow.field(column.name, type_of(column.holds, column.width), metadata=_said(column))
        for column in found.columns
    ]
    return arrow.schema([*head, *fields], metadata=dict(metadata))


def _said(column: Column) -> dict[str, str]:
    """Return what a column means, and in which unit; by kind where kinds differ."""
    meanings = {meaning for _, meaning, _ in column.meanings}
    units = {unit for _, _, unit in column.meanings}
    said = {
        "meaning": meanings.pop() if len(meanings) == 1
        else json.dumps({tag: meaning for tag, meaning, _ in column.meanings}),
        "unit": units.pop() if len(units) == 1
        else json.dumps({tag: unit for tag, _, unit in column.meanings}),
    }  # fmt: skip
    if column.holds == "number" and digits_of(column.width) is None:
        said["text"] = f"needs {column.width.whole + column.width.places} digits"
    return said


def _groups(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    rows: list[bytes] = []
    for line in lines:
        rows.append(line)
        if len(rows) == ROWS:
            yield rows
            rows = []
    if rows:
        yield rows


def _columns(rows: list[bytes], known: Sequence[Column]) -> dict[str, list[Any]]:
    """Return the values of some events column by column, as the canonical lines have them."""
    values = [values_of(line) for line in rows]
    found: dict[str, list[Any]] = {
        "kind": [each["@"] for each in values],
        "stream": [each["stream"] for each in values],
        "at": [each["at"] for each in values],
        "event": [identity(decode(line), line).hex() for line in rows],
    }
    for column in known:
        name = column.name
        found[name] = [each.get(name) for each in values]
        if column.holds == "parts":
            found[name] = [None if value is None else _json(value) for value in found[name]]
    return found


def _json(value: Any) -> str:  # noqa: ANN401 - several values of any shape
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return values as a column; amounts come as text, and a digit too many would raise."""
    arrow = arrow_of()
    if arrow.types.is_decimal(kind):
        texts = [None if value is None else str(value) for value in values]
        return arrow.array(texts, arrow.string()).cast(kind)
    return arrow.array(values, kind)


def _writer(target: BinaryIO, schema: pa.Schema) -> Any:  # noqa: ANN401 - the library is not imported at the head
    from pyarrow import parquet

    arrow = arrow_of()
    encodings: dict[str, str] = {}
    repeated: Any = []  # the hints of the library only know yes and no
    for field in schema:
        name, kind = field.name, field.type
        if arrow.types.is_timestamp(kind) or arrow.types.is_integer(kind):
            encodings[name] = "DELTA_BINARY_PACKED"
        elif arrow.types.is_decimal(kind) and kind.precision <= 18:
            # Readers know this encoding for whole numbers; wider decimals are bytes to them.
            encodings[name] = "BYTE_STREAM_SPLIT"
        elif name in _ONCE:
            encodings[name] = "DELTA_BYTE_ARRAY"
        elif arrow.types.is_string(kind) or name in _REPEATED:
            repeated.append(name)
    return parquet.ParquetWriter(
        target,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=repeated,
        column_encoding=encodings,
        store_decimal_as_integer=True,
        write_statistics=True,
    )


def metadata_of(of: Mapping[str, object]) -> dict[str, str]:
    """Return what a file says of itself, as text by name."""
    told = {"rollforward.version": __version__}
    told |= {f"rollforward.{name}": str(value) for name, value in of.items() if value is not None}
    return told
