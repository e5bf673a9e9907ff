"""Arrow: the types of columns, and tables of ours as those of notebooks.

An amount is an exact decimal: of 18 digits where every value of the column fits, else of 38, with
as many places as the longest value has; where 38 do not suffice the column is text, because
readers make a float of anything wider. Moments are UTC, in milliseconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ledger.errors import NotInstalled
from replay.export.columns import DIGITS_MOST, WHOLE_MOST
from replay.export.typed import notes_of, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl
    import pyarrow as pa

    from ledger.fields import Holds
    from replay.export.columns import Width
    from replay.tables import Table

    ArrowTable: TypeAlias = pa.Table
    Frame: TypeAlias = pl.DataFrame

DIGITS_FEW: Final = 18
"""Digits that fit a 64-bit integer, which readers add fastest."""


def arrow_of() -> Any:  # noqa: ANN401 - the library is not imported at the head
    """Return pyarrow.

    Raises: NotInstalled, when it is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise absent(library="pyarrow") from error
    return pa


def absent(*, library: str) -> NotInstalled:
    """Return the error that names a library and how to get it."""
    return NotInstalled(library=library, extra="analysis", use="Parquet or a frame")


def digits_of(width: Width) -> tuple[int, int] | None:
    """Return precision and scale of a column of amounts; None where it has to be text."""
    needed = width.whole + width.places
    if needed > DIGITS_MOST:
        return None
    return (DIGITS_FEW if needed <= DIGITS_FEW else DIGITS_MOST), width.places


def type_of(holds: Holds, width: Width) -> pa.DataType:
    """Return the type of a column."""
    arrow = arrow_of()
    if holds == "number":
        digits = digits_of(width)
        return arrow.string() if digits is None else arrow.decimal128(*digits)
    if holds == "whole":
        return arrow.int64() if width.largest <= WHOLE_MOST else arrow.decimal128(DIGITS_MOST, 0)
    if holds == "moment":
        return arrow.timestamp("ms", tz="UTC")
    return arrow.bool_() if holds == "flag" else arrow.string()


def table_of(table: Table) -> pa.Table:
    """Return a table as one of Arrow; its title and notes are in the metadata of its schema.

    A figure that is unknown is null, and a note says how many are.

    Raises: NotInstalled, when pyarrow is not installed.
    """
    arrow = arrow_of()
    columns = typed(table)
    fields, arrays = [], []
    for each in columns:
        kind = type_of(each.holds, each.width)
        values = each.values
        if each.holds == "number" and kind == arrow.string():
            values = tuple(None if value is None else f"{value:f}" for value in each.values)
        fields.append(arrow.field(each.name, kind))
        arrays.append(arrow.array(values, kind))
    notes = (*table.notes, *notes_of(columns))
    metadata = {"title": table.title, "notes": json.dumps(notes, ensure_ascii=False)}
    return arrow.Table.from_arrays(arrays, schema=arrow.schema(fields, metadata=metadata))


def frame_of(table: Table) -> pl.DataFrame:
    """Return a table as a frame of polars, with the types of ``table_of``.

    Raises: NotInstalled, when polars or pyarrow is not installed.
    """
    try:
        import polars as pl
    except ImportError as error:
        raise absent(library="polars") from error
    found = pl.from_arrow(table_of(table))
    assert isinstance(found, pl.DataFrame), "a table is a frame"
    return found


def tables_of(tables: Iterable[Table]) -> dict[str, pa.Table]:
    """Return tables by name: their titles in lower case, words joined."""
    return {name: table_of(table) for name, table in named(tables)}


def frames_of(tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """Return tables as frames by name."""
    return {name: frame_of(table) for name, table in named(tables)}


def named(tables: Iterable[Table]) -> list[tuple[str, Table]]:
    """Return tables with a name each; a name that comes again is numbered."""
    found: dict[str, Table] = {}
    for table in tables:
        plain = "".join(each if each.isalnum() else " " for each in table.title.lower())
        stem = "_".join(plain.split()) or "table"
        name, number = stem, 2
        while name in found:
            name, number = f"{stem}_{number}", number + 1
        found[name] = table
    return list(found.items())
