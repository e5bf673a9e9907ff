"""Cells: tables whose figures lead on, from a number to what it rests on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from replay.tables import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from replay.tables import Table

    Row: TypeAlias = Mapping[str, str | None]
    Leads: TypeAlias = Mapping[str, Callable[[Row], str | None]]
    """Of some columns: where their cells lead, by the row they stand in."""

_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")


@attrs.frozen(kw_only=True)
class Cell:
    """One value as text, and the address that opens it, where there is one."""

    text: str
    href: str | None = None
    is_number: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether the value is said to be unknown."""
        return self.text == UNKNOWN


@attrs.frozen(kw_only=True)
class Grid:
    """A table whose cells may lead on; ``name`` is its title in plain letters, for anchors."""

    title: str
    name: str
    heads: tuple[str, ...]
    numbers: tuple[bool, ...]
    """Which columns hold amounts."""
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]
    empty: str


def grid(table: Table, leads: Leads | None = None) -> Grid:
    """Return a table with its cells leading where *leads* says, by the column's name."""
    to = {} if leads is None else leads
    rows = []
    for row in table.rows:
        named = dict(zip(table.columns, row, strict=True))
        rows.append(
            tuple(
                Cell(
                    text="" if text is None else text,
                    href=to[name](named) if name in to and text else None,
                    is_number=name in table.numbers,
                )
                for name, text in named.items()
            )
        )
    return Grid(
        title=table.title,
        name=plain(table.title),
        heads=table.heads,
        numbers=tuple(name in table.numbers for name in table.columns),
        rows=tuple(rows),
        notes=table.notes,
        empty=table.empty,
    )


def plain(text: str) -> str:
    """Return a text as lower-case letters and digits with hyphens between, at most 60 of them.

    Example:
    >>> plain("Margin under rulebook 2026-08-01: fine")
    'margin-under-rulebook-2026-08-01-fine'
    """
    return _NOT_PLAIN.sub("-", text.lower()).strip("-")[:60]
