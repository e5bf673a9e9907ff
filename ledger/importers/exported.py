"""Exported: events that another book gave away, as canonical lines or as rows of a CSV table.

Such a file is somebody's copy, not the venue's answer: it adds what is not known yet, and where a
record of the venue covers the same stretch it only corroborates or contradicts. Each line must be
exactly as an export writes it; of a CSV row the digest must fit, so that what a spreadsheet has
changed is noticed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

import attrs

from ledger import cells
from ledger.codec import decode, encode, event_digest, event_id
from ledger.entries import Part, Reading
from ledger.errors import MalformedRecord, RefusedFile, RollforwardError
from ledger.events import DeskEvent, Housekeeping
from ledger.fields import fields_of
from ledger.importers.base import Importer
from ledger.importers.lines import by_moment, refuse_mark, unread
from ledger.kinds import KIND_OF, KINDS
from ledger.money import parse_decimal
from ledger.units import VENUE, parse_address, parse_millis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.entries import Unreadable
    from ledger.events import Event
    from ledger.importers.base import Document, Hints
    from ledger.units import Stream

LINES: Final = "exported lines"
ROWS: Final = "exported rows"

_BEGIN: Final = '{"@":"'
_HEADER: Final = ",".join(cells.HEAD)
_LINE_MOST: Final = 1 << 26
_NAME_MOST: Final = 128
_PLACES_MOST: Final = 64
_CELL: Final = re.compile(r'(?:"((?:[^"]|"")*)"|([^",]*))(,|\Z)')

_Read: TypeAlias = "Callable[[str], Event]"


def _classes(union: Any) -> Iterator[type]:  # noqa: ANN401 - a union of events
    for part in get_args(union):
        yield from _classes(part) if get_args(part) else (part,)


BOOK_KEEPING: Final = frozenset(
    KIND_OF[each].tag for each in (*_classes(Housekeeping), *_classes(DeskEvent))
)
"""Kinds that no export has: they speak of one book, its rows and its people."""

COLUMNS: Final = frozenset(
    field.name for tag in KINDS if tag not in BOOK_KEEPING for field in fields_of(tag)
)
"""Every column a table of events may have beside the first ones."""


def sound(line: bytes) -> Event:
    """Return the event of a line that is as an export writes it.

    Raises: MalformedRecord, for any other line.
    """
    try:
        event = decode(line)
    except MalformedRecord:
        raise
    except (RollforwardError, ArithmeticError, ValueError, RecursionError) as error:
        raise MalformedRecord(
            field="kind", found=_shown(line), expected="a kind of event this program knows"
        ) from error
    if KIND_OF[type(event)].tag in BOOK_KEEPING:
        raise MalformedRecord(
            field="kind", found=_shown(line), expected="a fact: this is one book's own business"
        )
    _check(event)
    if encode(event) != line:
        raise MalformedRecord(
            field="line", found=_shown(line), expected="exactly as an export writes it"
        )
    parse_millis(event.at, field="at")
    _check_stream(event.stream)
    return event


def _shown(line: bytes) -> str:
    return line[:60].decode("utf-8", "replace")


def _check(value: object) -> None:
    """Refuse numbers that are not in their one canonical text, wherever they stand."""
    if isinstance(value, tuple):
        for item in value:
            _check(item)
    elif attrs.has(type(value)):
        for name in _slots(type(value)):
            _check(getattr(value, name))
    elif isinstance(value, Decimal):
        # Looked at before its digits are written out: an exponent may ask for a billion of them.
        if not value.is_finite() or not -_PLACES_MOST <= value.adjusted() <= _PLACES_MOST:
            raise MalformedRecord(field="number", found=str(value)[:60], expected="in plain digits")
        text = format(value, "f")
        one = format(parse_decimal(text), "f")
        if one != text:
            raise MalformedRecord(field="number", found=text, expected=f"written as {one}")


_SLOTS: Final[dict[type, tuple[str, ...]]] = {}


def _slots(cls: Any) -> tuple[str, ...]:  # noqa: ANN401 - an attrs class
    if cls not in _SLOTS:
        _SLOTS[cls] = tuple(field.name for field in attrs.fields(cls))
    return _SLOTS[cls]


def _check_stream(stream: Stream) -> None:
    kind, _, name = stream.partition(":")
    if kind == "account":
        if parse_address(name, field="stream") != name:
            raise MalformedRecord(field="stream", found=stream, expected="an address in lower case")
    elif stream != VENUE and not (
        kind in {"market", "reserve"} and 0 < len(name) <= _NAME_MOST and name.strip() == name
    ):
        raise MalformedRecord(
            field="stream",
            found=stream[:60],
            expected="of an account, a market, a reserve or the venue",
        )


# ------------------------------------------------------------------------------- lines


def _is_lines(document: Document) -> bool:
    return document.text.startswith(_BEGIN)


def _read_lines(document: Document, hints: Hints) -> Reading:  # noqa: ARG001 - the protocol
    """Return canonical lines as events."""
    return _reading(LINES, document.text, lambda text: sound(text.encode()), first=1)


# ------------------------------------------------------------------------------- rows


def _is_rows(document: Document) -> bool:
    return not document.is_json and document.text.removeprefix("\ufeff").startswith(_HEADER)


def _read_rows(document: Document, hints: Hints) -> Reading:  # noqa: ARG001 - the protocol
    """Return the rows of a table as events.

    Raises: RefusedFile, for a byte order mark or columns an export does not have.
    """
    refuse_mark(document.name, document.text)
    header = document.text.partition("\n")[0].removesuffix("\r")
    names = split(header)
    known = COLUMNS | set(cells.HEAD)
    strange = [name for name in names if name not in known or names.count(name) > 1]
    if strange:
        raise RefusedFile(
            name=document.name,
            reason=f"the column {strange[0][:60]!r} is none of an export's, or is there twice",
            remedy="Import the file as it was exported",
        )
    return _reading(ROWS, document.text, lambda text: _row(names, split(text)), first=2)


def _row(names: list[str], row: list[str]) -> Event:
    if len(row) != len(names):
        raise MalformedRecord(
            field="row", found=f"{len(row)} cells", expected=f"{len(names)}, as the header has"
        )
    found = dict(zip(names, row, strict=True))
    event = sound(cells.line_of(found["kind"], found))
    told = found["event"], found["digest"]
    if told != (event_id(event), event_digest(encode(event))):
        raise MalformedRecord(
            field="digest",
            found=told[1][:64],
            expected="the row's: it was changed after the export",
        )
    return event


def split(row: str) -> list[str]:
    """Return the cells of one row of a CSV table, however long they are.

    Raises: MalformedRecord, when a quotation mark stands where none may.
    """
    if '"' not in row:
        return row.split(",")
    found: list[str] = []
    at = 0
    while True:
        cell = _CELL.match(row, at)
        if cell is None:
            raise MalformedRecord(
                field="row", found=row[at : at + 60], expected="a row of a CSV file"
            )
        quoted, plain, end = cell.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        at = cell.end()
        if not end:
            return found


# ------------------------------------------------------------------------------- parts


def _reading(kind: str, text: str, read: _Read, *, first: int) -> Reading:
    unreadable: list[Unreadable] = []
    found: dict[Stream, tuple[list[int], list[Event]]] = {}
    for number, whole in enumerate(text.split("\n"), start=1):
        line = whole.removesuffix("\r")
        if number < first or not line or line.isspace():
            continue
        try:
            event = read(_bounded(line))
        except MalformedRecord as error:
            unreadable.append(unread(number, error, line))
            continue
        numbers, own = found.setdefault(event.stream, ([], []))
        numbers.append(number)
        own.append(event)
    parts = tuple(_part(stream, *of) for stream, of in found.items())
    notes = () if parts or unreadable else ("no row to read",)
    return Reading(kind=kind, parts=parts, unreadable=tuple(unreadable), notes=notes)


def _bounded(line: str) -> str:
    if len(line) > _LINE_MOST:
        raise MalformedRecord(field="line", found=line[:20], expected="shorter than 64 MiB")
    return line


def _part(stream: Stream, numbers: list[int], events: list[Event]) -> Part:
    """Return the events of one stream; inside a moment in the order of the file."""
    numbers, events = by_moment(numbers, events)
    return Part(
        stream=stream,
        source="sheet",
        answer="line",
        rows=tuple(numbers),
        events=tuple(events),
    )


IMPORTERS: Final = (
    Importer(name=LINES, accepts=_is_lines, read=_read_lines),
    Importer(name=ROWS, accepts=_is_rows, read=_read_rows),
)
"""The importers of this module, for the table of all."""
