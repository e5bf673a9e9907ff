"""Page: a statement as one HTML page to read and to print: no script, no picture, no network."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from ledger.errors import NotInstalled
from ledger.money import canonical
from replay.papers import words
from replay.papers.sheets import Block, sheets, shown
from replay.tables import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay.papers.sheets import Cell, Column
    from replay.statement import Statement

TEMPLATE: Final = "page.html.j2"

LEGS_MOST: Final = 2_000
"""Legs of the activity a page shows; the workbook and the journals have all."""


@attrs.frozen(kw_only=True)
class Part:
    """One block, every cell as text with how it is set."""

    title: str
    heads: tuple[tuple[str, str], ...]
    """Name and class of each column."""
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Class of the row, and text and class of each cell."""
    empty: str
    note: str = ""


@attrs.frozen(kw_only=True)
class Section:
    """One part of the paper, under its name."""

    name: str
    parts: tuple[Part, ...]


def page(statement: Statement) -> str:
    """Return the statement as one self-contained page.

    Raises: NotInstalled, when jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise NotInstalled(library="jinja2", extra="reports", use="An HTML page") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(**facts(statement))


def facts(statement: Statement) -> dict[str, object]:
    """Return all that a printed paper shows, as text; pages and PDF are set from it."""
    of = statement.of
    labels = [each.label for each in of.group.members if each.label]
    return {
        "title": "Statement" if " " in of.period.name else f"Statement {of.period.name}",
        "who": f"Group {of.name}" if of.is_group else of.name,
        "labels": "" if of.is_group else ", ".join(labels),
        "only": f"{of.token} only" if of.token else "",
        "heading": words.span(statement),
        "rests": list(dict.fromkeys(statement.openings)),
        "money": of.money,
        "figures": [
            ("Opening equity", grouped(statement.total.opening.value)),
            ("Closing equity", grouped(statement.total.closing.value)),
            ("Unexplained", grouped(statement.total.unexplained.value)),
        ],
        "status": words.status(statement),
        "findings": words.findings(statement),
        "lacking": words.lacking(statement),
        "sections": [
            Section(name=sheet.name, parts=tuple(part(block) for block in sheet.blocks))
            for sheet in sheets(statement)
            if sheet.name != "Notes"
        ],
        "covered": words.covered(statement),
        "remarks": words.remarks(statement),
    }


def part(block: Block) -> Part:
    """Return a block as text; a long one is cut, and says so."""
    rows = list(_once(block))[:LEGS_MOST]
    cut = len(block.rows) - len(rows)
    return Part(
        title=block.title,
        heads=tuple((column.name, _class(column)) for column in block.columns),
        rows=tuple(
            (
                "sum" if number in block.strong else "",
                tuple(
                    (_text(cell, column), _class(column))
                    for cell, column in zip(row, block.columns, strict=True)
                ),
            )
            for number, row in enumerate(rows)
        ),
        empty=block.empty,
        note=f"{cut:,} more: the workbook and the journals have all" if cut else "",
    )


def _once(block: Block) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows, without what a reader has just read in the row above."""
    once = [number for number, column in enumerate(block.columns) if column.name in block.once]
    above: list[Cell] | None = None
    for row in block.rows:
        said = [row[number] for number in once]
        if once and said == above:
            yield tuple("" if number in once else cell for number, cell in enumerate(row))
        else:
            yield row
        above = said


def grouped(value: Decimal | None) -> str:
    """Return an amount with all its digits and commas between thousands.

    Example:
    >>> grouped(Decimal("-1234567.00000001"))
    '-1,234,567.00000001'
    """
    if value is None:
        return UNKNOWN
    whole, point, fraction = canonical(value).partition(".")
    return f"{int(whole):,}{point}{fraction}" if whole != "-0" else f"-0{point}{fraction}"


def _text(cell: Cell, column: Column) -> str:
    return grouped(cell) if isinstance(cell, Decimal) else shown(cell, column.kind)


def _class(column: Column) -> str:
    if column.kind in {"amount", "count"}:
        return "amount"
    if column.kind == "moment":
        return "moment"
    if column.name in {"event", "account", "source record"}:
        return "code"
    return "text" if column.name in {"what", "text", "label", "note"} else "word"
