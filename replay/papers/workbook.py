"""Workbook: a statement as XLSX, with typed numbers and dates, made for printing.

Excel keeps fifteen significant digits of a number. Where an amount has more, the number is what
Excel can hold of it, and the exact digits stand beside it as text. The file is the same bytes
whenever it is made: its dates are those of the period.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import NotInstalled
from ledger.money import canonical, places
from replay.papers import words
from replay.papers.sheets import Block, Column, sheets, shown
from replay.tables import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ledger.units import Millis
    from replay.papers.sheets import Cell, Sheet
    from replay.statement import Statement

DIGITS: Final = 15
"""Significant digits Excel keeps of a number."""

ROWS_MOST: Final = 1_000_000
"""Rows of one sheet; Excel has 48,576 more."""

TEXT_MOST: Final = 32_000
"""Characters of one cell; Excel has 767 more."""

DECIMALS_MOST: Final = 18

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_WIDTHS: Final = {"text": 14, "amount": 18, "moment": 24, "count": 9}
_WIDE: Final = {"what": 44, "source record": 44, "cause": 18, "text": 120, "event": 36,
                "account": 46, "line": 22, "place": 12, "recorded price": 34,
                "recorded prices": 34}  # fmt: skip


def write(statement: Statement, target: BinaryIO) -> None:
    """Write the workbook of a statement.

    Raises: NotInstalled, when xlsxwriter is not installed.
    """
    title = words.heading(statement)
    write_sheets(sheets(statement), target, title=title, at=statement.of.period.until)


def write_sheets(found: Sequence[Sheet], target: BinaryIO, *, title: str, at: Millis) -> None:
    """Write a workbook of sheets under one title; *at* stands for when it was made.

    Raises: NotInstalled, when xlsxwriter is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise NotInstalled(library="xlsxwriter", extra="reports", use="A workbook") from error
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_numbers": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        },
    )
    book.set_properties(
        {
            "title": _text(title),
            "author": "rollforward",
            "created": _EPOCH + timedelta(seconds=at // 1000),
        }
    )
    writer = _Writer(book, title)
    for sheet in found:
        writer.sheet(sheet)
    book.close()


class _Writer:
    """Writes blocks below one another, sheet by sheet."""

    def __init__(self, book: Any, title: str) -> None:  # noqa: ANN401 - the library is not imported at the head
        self._book = book
        self._title = title
        self._formats: dict[tuple[str, int, bool], Any] = {}
        self._bold = book.add_format({"bold": True, "font_size": 12})
        self._head = book.add_format({
            "bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#EEF1F4",
        })  # fmt: skip
        self._dim = book.add_format({"font_color": "#5A6472", "italic": True})

    def sheet(self, sheet: Sheet) -> None:
        """Write one sheet; a block with too many rows goes on in sheets of its own."""
        for number, blocks in enumerate(_pages(sheet.blocks), start=1):
            name = sheet.name if number == 1 else f"{sheet.name} {number}"
            page = self._book.add_worksheet(name)
            self._set_up(page, blocks)
            page.write_string(0, 0, _text(self._title), self._dim)
            row = 1
            widths: dict[int, int] = {}
            for block in blocks:
                row = self._block(page, block, row, widths) + 1
            for column, width in sorted(widths.items()):
                page.set_column(column, column, width)

    def _set_up(self, page: Any, blocks: tuple[Block, ...]) -> None:  # noqa: ANN401 - as above
        if max(len(block.columns) for block in blocks) > 6:
            page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        page.set_footer(f"&L&8{_footer(self._title)}&R&8&P / &N")
        # The head of a block stays in sight where it is the only one; else the sheet's first line.
        head = 3 if len(blocks) == 1 else 1
        page.freeze_panes(head, 0)
        page.repeat_rows(0, head - 1)
        page.hide_gridlines(2)

    def _block(self, page: Any, block: Block, row: int, widths: dict[int, int]) -> int:  # noqa: ANN401 - as above
        """Write a block and return the row below it."""
        columns = _columns(block)
        page.write_string(row, 0, _text(block.title), self._bold)
        for index, (column, _, is_exact) in enumerate(columns):
            name = f"{column.name}, exact" if is_exact else column.name
            page.write_string(row + 1, index, _text(name), self._head)
            width = _WIDE.get(column.name, _WIDTHS[column.kind])
            widths[index] = max(widths.get(index, 0), width)
        if not block.rows:
            page.write_string(row + 2, 0, block.empty, self._dim)
            return row + 3
        for number, cells in enumerate(block.rows):
            for index, (column, place, is_exact) in enumerate(columns):
                cell = cells[place]
                strong = number in block.strong
                if is_exact:
                    if _is_long(cell):
                        page.write_string(row + 2 + number, index, shown(cell, "amount"))
                else:
                    self._cell(page, row + 2 + number, index, cell, column, strong=strong)
        return row + 2 + len(block.rows)

    def _cell(
        self,
        page: Any,  # noqa: ANN401 - as above
        row: int,
        index: int,
        cell: Cell,
        column: Column,
        *,
        strong: bool,
    ) -> None:
        if isinstance(cell, Decimal):
            kept = min(places(cell), DECIMALS_MOST)
            page.write_number(row, index, cell, self._format("amount", kept, strong=strong))
        elif column.kind == "moment" and isinstance(cell, int):
            when = _EPOCH + timedelta(milliseconds=cell)
            page.write_datetime(row, index, when, self._format("moment", 0, strong=strong))
        elif column.kind == "count" and cell is not None:
            page.write_number(row, index, int(cell), self._format("count", 0, strong=strong))
        elif column.kind == "amount" and not column.may_lack:
            page.write_string(row, index, UNKNOWN, self._format("unknown", 0, strong=strong))
        elif cell is not None:
            page.write_string(row, index, _text(str(cell)), self._format("text", 0, strong=strong))

    def _format(self, kind: str, decimals: int, *, strong: bool) -> Any:  # noqa: ANN401 - as above
        asked = kind, decimals, strong
        if asked not in self._formats:
            style: dict[str, object] = {"valign": "top", "bold": strong}
            if kind == "amount":
                style["num_format"] = "#,##0" + (f".{'0' * decimals}" if decimals else "")
            elif kind == "moment":
                style |= {"num_format": "yyyy-mm-dd hh:mm:ss.000", "align": "left"}
            elif kind == "unknown":
                style |= {"italic": True, "align": "right"}
            elif kind == "text":
                style["text_wrap"] = True
            self._formats[asked] = self._book.add_format(style)
        return self._formats[asked]


def _pages(blocks: tuple[Block, ...]) -> list[tuple[Block, ...]]:
    """Return the blocks of one sheet each: a block too long for one is continued."""
    import attrs

    if sum(len(block.rows) + 3 for block in blocks) <= ROWS_MOST:
        return [blocks]
    return [
        (
            attrs.evolve(
                block,
                rows=block.rows[start : start + ROWS_MOST],
                strong=frozenset(
                    number - start for number in block.strong if start <= number < start + ROWS_MOST
                ),
            ),
        )
        for block in blocks
        for start in range(0, max(len(block.rows), 1), ROWS_MOST)
    ]


def _columns(block: Block) -> list[tuple[Column, int, bool]]:
    """Return the columns with their place in a row, and exact ones beside those that need them."""
    found: list[tuple[Column, int, bool]] = []
    for place, column in enumerate(block.columns):
        found.append((column, place, False))
        if column.kind == "amount" and any(_is_long(row[place]) for row in block.rows):
            found.append((column, place, True))
    return found


def _is_long(cell: Cell) -> bool:
    """Tell whether an amount has more digits than Excel keeps, or more decimals than are shown."""
    if not isinstance(cell, Decimal):
        return False
    digits = canonical(abs(cell)).replace(".", "").strip("0")
    return len(digits) > DIGITS or places(cell) > DECIMALS_MOST


def _text(text: str) -> str:
    return text if len(text) <= TEXT_MOST else text[:TEXT_MOST] + "…"


def _footer(text: str) -> str:
    """Return text for a page's foot: ``&`` begins a code there, and 255 characters are all."""
    return text.replace("&", "&&")[:200]
