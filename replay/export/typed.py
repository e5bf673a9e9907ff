"""Typed: the columns of a table of text as what they hold, where all of their cells agree.

A column of amounts is exact numbers; ``unknown`` and ``none`` are nothing then, and a note says
how many. A column in which every cell is a moment is moments. All else stays text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.units import Millis
from replay.export.columns import Width
from replay.moments import parse_moment
from replay.tables import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.tables import Cell, Table

Held: TypeAlias = Literal["text", "number", "moment"]

ABSENT: Final = frozenset({UNKNOWN, "none"})

_NUMBER: Final = re.compile(r"\A-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z", re.ASCII)
_MOMENT: Final = re.compile(r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)


@attrs.frozen(kw_only=True)
class Typed:
    """One column with its values: text, ``Decimal`` or milliseconds; None where there is none."""

    name: str
    holds: Held
    values: tuple[str | Decimal | Millis | None, ...]
    width: Width
    unknown: int = 0
    """How many cells said that they are unknown."""

    @property
    def note(self) -> str | None:
        """What must be said of it."""
        if not self.unknown:
            return None
        return f"{self.name}: {self.unknown} of {len(self.values)} unknown"


def typed(table: Table) -> tuple[Typed, ...]:
    """Return the columns of a table as what they hold."""
    return tuple(
        _column(name, [row[index] for row in table.rows], is_number=name in table.numbers)
        for index, name in enumerate(table.columns)
    )


def notes_of(columns: Sequence[Typed]) -> tuple[str, ...]:
    """Return how much is unknown, column by column."""
    return tuple(each.note for each in columns if each.note is not None)


def _column(name: str, cells: list[Cell], *, is_number: bool) -> Typed:
    width = Width()
    if is_number:
        told = [None if cell in {None, "", *ABSENT} else cell for cell in cells]
        if all(cell is None or _NUMBER.match(cell) for cell in told):
            for cell in told:
                if cell is not None:
                    width.add(cell)
            unknown = sum(1 for cell in cells if cell == UNKNOWN)
            numbers = tuple(None if cell is None else Decimal(cell) for cell in told)
            return Typed(name=name, holds="number", values=numbers, width=width, unknown=unknown)
    elif any(cells) and all(cell is None or _MOMENT.match(cell) for cell in cells):
        moments = tuple(None if cell is None else parse_moment(cell) for cell in cells)
        return Typed(name=name, holds="moment", values=moments, width=width)
    return Typed(name=name, holds="text", values=tuple(cells), width=width)
