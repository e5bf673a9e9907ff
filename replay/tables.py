"""Tables: what a question returns, for a notebook, for a program and for the terminal alike.

Every cell is text: amounts in plain digits as they are, never rounded, never a float.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import attrs
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay.export.arrow import ArrowTable, Frame

Cell: TypeAlias = str | None

UNKNOWN: Final = "unknown"

_STYLE: Final = "border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:90%"


@attrs.frozen(kw_only=True)
class Table:
    """Rows of text under named columns, with a title and the remarks that belong to them.

    ``numbers`` names the columns that hold amounts; they are set to the right. ``notes`` say on
    what the figures rest (derived or attested openings, figures that are unknown and why).
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()
    numbers: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    empty: str = "nothing recorded"

    def to_dicts(self) -> list[dict[str, Cell]]:
        """Return one dictionary per row; amounts stay text, so that no digit can get lost."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_arrow(self) -> ArrowTable:
        """Return the table as one of Arrow: amounts exact decimals, moments in UTC, unknown null.

        The types are those of ``replay.export.arrow``; how much is unknown stands in a note of the
        schema's metadata.

        Raises: NotInstalled, when pyarrow is not installed (extra ``analysis``).
        """
        from replay.export.arrow import table_of

        return table_of(self)

    def to_polars(self) -> Frame:
        """Return the table as a frame of polars, with the types of ``to_arrow``.

        Raises: NotInstalled, when polars is not installed (extra ``analysis``).
        """
        from replay.export.arrow import frame_of

        return frame_of(self)

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns as people read them."""
        return tuple(name.replace("_", " ") for name in self.columns)

    def only(self, **wanted: str) -> Table:
        """Return the rows whose cells equal the wanted ones, such as ``only(asset="USDC")``."""
        keep = tuple(
            row
            for row in self.rows
            if all(row[self.columns.index(name)] == value for name, value in wanted.items())
        )
        return attrs.evolve(self, rows=keep)

    def __iter__(self) -> Iterator[dict[str, Cell]]:
        """Yield the rows as dictionaries."""
        return iter(self.to_dicts())

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    @override
    def __str__(self) -> str:
        """Return the table as plain text in columns."""
        return "\n".join(self._text_lines())

    def _text_lines(self) -> Iterator[str]:
        yield self.title
        if not self.rows:
            yield f"  ({self.empty})"
        else:
            shown = [self.heads, *[tuple(cell or "" for cell in row) for row in self.rows]]
            widths = [max(len(row[index]) for row in shown) for index in range(len(self.columns))]
            for row in shown:
                cells = [
                    cell.rjust(width) if name in self.numbers else cell.ljust(width)
                    for name, cell, width in zip(self.columns, row, widths, strict=True)
                ]
                yield "  " + "  ".join(cells).rstrip()
        for note in self.notes:
            yield f"  note: {note}"

    def _repr_html_(self) -> str:
        """Return the table as HTML, for notebooks."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.heads)
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:{"right" if name in self.numbers else "left"}">'
                f"{escape(cell or '')}</td>"
                for name, cell in zip(self.columns, row, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        if not self.rows:
            body = f'<tr><td colspan="{len(self.columns)}">{escape(self.empty)}</td></tr>'
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f'<table style="{_STYLE}"><caption>{escape(self.title)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            + (f"<ul>{notes}</ul>" if notes else "")
        )


class _Shown(Protocol):
    @property
    def tables(self) -> tuple[Table, ...]: ...

    @property
    def exact_tables(self) -> tuple[Table, ...]: ...


class Tabled:
    """What shows itself as tables: give it ``tables``, and a notebook has it in every form."""

    __slots__ = ()

    @property
    def exact_tables(self: _Shown) -> tuple[Table, ...]:
        """The tables with all their digits, for programs."""
        return self.tables

    def to_arrow(self: _Shown) -> dict[str, ArrowTable]:
        """Return the tables as those of Arrow, by name: their titles, in lower case and joined.

        Raises: NotInstalled, when pyarrow is not installed (extra ``analysis``).
        """
        from replay.export.arrow import tables_of

        return tables_of(self.exact_tables)

    def to_polars(self: _Shown) -> dict[str, Frame]:
        """Return the tables as frames of polars, by name.

        Raises: NotInstalled, when polars is not installed (extra ``analysis``).
        """
        from replay.export.arrow import frames_of

        return frames_of(self.exact_tables)

    def _repr_html_(self: _Shown) -> str:
        """Return it as HTML, for notebooks."""
        return "".join(table._repr_html_() for table in self.tables)
