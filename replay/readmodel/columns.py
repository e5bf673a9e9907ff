"""Columns: what a table of the read model is made of, said once.

From here come the ``CREATE TABLE`` statements with their comments, the table ``_columns``, the
metadata for datasette and the reference page.

Money is TEXT in plain digits. Beside every amount that can be added up stands a column the
database computes itself: the same amount as a whole number of 10^-8, exact, or NULL where the
amount has finer digits or ten digits before the point do not hold it. Moments are whole
milliseconds; beside each stands the same moment as ISO 8601 text, computed in the same way.
Decision 0019 says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

UNITS_PLACES: Final = 8
"""Decimal places of the whole numbers beside amounts."""

WHOLE_DIGITS: Final = 10
"""Digits before the point that such a whole number holds for certain: 10^18 fits into 63 bits."""

Sort: TypeAlias = Literal["TEXT", "INTEGER", "BLOB"]
Cell: TypeAlias = "str | int | bytes | None"


@attrs.frozen(kw_only=True)
class Column:
    """One column: its name, type and meaning; ``refers`` names the column it must be found in."""

    name: str
    sort: Sort
    means: str
    unit: str = ""
    is_optional: bool = False
    refers: tuple[str, str] | None = None
    computed: str = ""
    """SQL the database computes it by; empty for what is stored."""

    @property
    def declared(self) -> str:
        """The column as ``CREATE TABLE`` has it."""
        parts = [f'"{self.name}" {self.sort}']
        if self.computed:
            return f"{parts[0]} GENERATED ALWAYS AS ({self.computed}) VIRTUAL"
        if not self.is_optional:
            parts.append("NOT NULL")
        if self.refers:
            parts.append(f'REFERENCES "{self.refers[0]}" ("{self.refers[1]}")')
        return " ".join(parts)

    @property
    def described(self) -> str:
        """What it means, with its unit, on one line."""
        return f"{self.means} ({self.unit})" if self.unit else self.means


@attrs.frozen(kw_only=True)
class Table:
    """One table: what a row is, its columns, key and indexes.

    ``source`` says what its rows follow from. A hidden table is for this program, not for readers.
    """

    name: str
    means: str
    source: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = ()
    """References by several columns: own columns, table, its columns."""
    order: str = ""
    """How datasette sorts it; empty: by its key."""
    is_hidden: bool = False
    is_searched: bool = False
    """Whether it has a number for every row and a full-text index over its texts."""

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns rows are written with; the others are computed."""
        return tuple(column for column in self.columns if not column.computed)

    @property
    def statement(self) -> str:
        """The ``CREATE TABLE`` statement, what it means as comments inside."""
        lines = [f'CREATE TABLE "{self.name}" (', f"    -- {self.means}"]
        lines += [f"    {column.declared}, -- {column.described}" for column in self.columns]
        keys = [f"PRIMARY KEY ({_names(self.key)})"]
        keys += [
            f'FOREIGN KEY ({_names(own)}) REFERENCES "{table}" ({_names(theirs)})'
            for own, table, theirs in self.foreign
        ]
        kind = "STRICT" if self.is_searched else "STRICT, WITHOUT ROWID"
        return "\n".join(lines) + "\n    " + ",\n    ".join(keys) + f"\n) {kind}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def text(
    name: str, means: str, *, null: bool = False, to: tuple[str, str] | None = None
) -> tuple[Column, ...]:
    """Return a column of text."""
    return (Column(name=name, sort="TEXT", means=means, is_optional=null, refers=to),)


def whole(name: str, means: str, *, unit: str = "", null: bool = False) -> tuple[Column, ...]:
    """Return a column of whole numbers."""
    return (Column(name=name, sort="INTEGER", means=means, unit=unit, is_optional=null),)


def blob(name: str, means: str) -> tuple[Column, ...]:
    """Return a column of bytes."""
    return (Column(name=name, sort="BLOB", means=means),)


def number(name: str, means: str, unit: str, *, null: bool = False) -> tuple[Column, ...]:
    """Return a column of a number nobody adds up, such as a price or a ratio."""
    return (Column(name=name, sort="TEXT", means=means, unit=unit, is_optional=null),)


def amount(name: str, means: str, unit: str, *, null: bool = False) -> tuple[Column, ...]:
    """Return an amount in plain digits, and the same as a whole number of 10^-8."""
    return (
        Column(name=name, sort="TEXT", means=means, unit=unit, is_optional=null),
        Column(
            name=f"{name}_e8",
            sort="INTEGER",
            means=f"{name} as a whole number, for sums and order; NULL where it does not fit",
            unit=f"10^-8 {unit}",
            is_optional=True,
            computed=units_of(name),
        ),
    )


def moment(name: str, means: str, *, null: bool = False) -> tuple[Column, ...]:
    """Return a moment as whole milliseconds, and the same as text."""
    return (
        Column(name=f"{name}_ms", sort="INTEGER", means=means, unit="ms", is_optional=null),
        Column(
            name=name,
            sort="TEXT",
            means=f"{name}_ms as ISO 8601 text in UTC",
            is_optional=True,
            computed=iso_of(f"{name}_ms"),
        ),
    )


def columns(*groups: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return columns one after the other."""
    return tuple(column for group in groups for column in group)


def units_of(name: str) -> str:
    """Return SQL for an amount's text as a whole number of 10^-8; NULL where it does not fit."""
    point = f"instr(\"{name}\", '.')"
    before = f'substr("{name}", 1, {point} - 1)'
    after = f'substr("{name}", {point} + 1)'
    zeros = "0" * UNITS_PLACES
    return (
        f"CASE WHEN {point} = 0 THEN"
        f" CASE WHEN length(ltrim(\"{name}\", '-')) <= {WHOLE_DIGITS}"
        f' THEN CAST("{name}" AS INTEGER) * 1{zeros} END'
        f" WHEN length({after}) <= {UNITS_PLACES}"
        f" AND length(ltrim({before}, '-')) <= {WHOLE_DIGITS}"
        f" THEN CAST({before} || substr({after} || '{zeros}', 1, {UNITS_PLACES}) AS INTEGER) END"
    )


def iso_of(name: str) -> str:
    """Return SQL for milliseconds as text, such as ``2026-02-10T13:00:00.000Z``."""
    return (
        f"strftime('%Y-%m-%dT%H:%M:%S', \"{name}\" / 1000, 'unixepoch')"
        f" || printf('.%03dZ', \"{name}\" % 1000)"
    )


def plain_of(units: str) -> str:
    """Return SQL for a whole number of 10^-8 as plain digits; exact, no float in it."""
    one = "1" + "0" * UNITS_PLACES
    return (
        f"CASE WHEN {units} < 0 THEN '-' ELSE '' END || (abs({units}) / {one})"
        f" || rtrim(rtrim(printf('.%0{UNITS_PLACES}d', abs({units}) % {one}), '0'), '.')"
    )


def ms_of(parameter: str) -> str:
    """Return SQL for the milliseconds of a moment given as digits or as ISO text with its zone.

    Anything else, a time without zone too, is NULL and so finds nothing.
    """
    return (
        f"CASE WHEN {parameter} <> '' AND {parameter} NOT GLOB '*[^0-9]*'"
        f" THEN CAST({parameter} AS INTEGER)"
        f" WHEN {parameter} GLOB '*Z' OR {parameter} GLOB '*[+-][0-9][0-9]:[0-9][0-9]'"
        f" THEN CAST(strftime('%s', {parameter}) AS INTEGER) * 1000"
        f" + CAST(substr(strftime('%f', {parameter}), 4) AS INTEGER) END"
    )


def described(tables: tuple[Table, ...]) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows of the table of columns: table, number, column, type, meaning, unit."""
    for table in tables:
        for place, column in enumerate(table.columns):
            refers = ".".join(column.refers) if column.refers else None
            yield (
                table.name, place, column.name, column.sort, column.means, column.unit,
                "computed" if column.computed else "stored", refers,
            )  # fmt: skip


def plain(value: Decimal | None) -> str | None:
    """Return a number in plain digits; None stays None, for what is not known is not zero."""
    return None if value is None else canonical(value)
