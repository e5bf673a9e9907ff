"""Lines: what the readers of text tables and of lines of JSON share.

Rows are numbered as an editor numbers them: the first line of a file is line 1.
"""

from __future__ import annotations

import csv
from collections import Counter
from operator import attrgetter, le
from typing import TYPE_CHECKING, Final

from ledger.entries import Unreadable
from ledger.errors import MalformedRecord, RefusedFile
from ledger.events import Filled
from ledger.importers.answers import told_apart
from ledger.importers.dates import parse_iso
from ledger.units import Coin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.events import Event
    from ledger.units import Millis

LINE_CHARACTERS_MAX: Final = 1 << 20
TEXT_MAX: Final = 500
WORD_MAX: Final = 128
BYTE_ORDER_MARK: Final = "\ufeff"


def header_of(text: str) -> tuple[str, ...]:
    """Return the column names in the first line; a byte order mark before them is left out."""
    end = text.find("\n")
    first = text[: end if end >= 0 else len(text)]
    return tuple(first.removeprefix(BYTE_ORDER_MARK).rstrip("\r")[:4096].split(","))


def refuse_mark(name: str, text: str) -> None:
    """Refuse a file that begins with a byte order mark, and say how to be rid of it.

    Raises: RefusedFile.
    """
    if text.startswith(BYTE_ORDER_MARK):
        raise RefusedFile(
            name=name,
            reason="it begins with a byte order mark, which no export of the venue has",
            remedy='Save it as plain "UTF-8", not as "UTF-8 with BOM"',
        )


def cells(text: str, columns: int, unreadable: list[Unreadable]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) for every row below the header; blank lines are passed over.

    A row with another number of cells, an open quotation mark, or characters that cannot be
    printed is added to *unreadable* instead.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if number == 1:
            continue
        row = line.removesuffix("\r")
        if not row.strip():
            continue
        if len(row) > LINE_CHARACTERS_MAX:
            unreadable.append(unread(number, "longer than a line may be (1 MiB)", row))
            continue
        if not row.isprintable():
            unreadable.append(unread(number, "it holds control characters", row))
            continue
        try:
            found = row.split(",") if '"' not in row else next(csv.reader([row], strict=True))
        except csv.Error as error:
            unreadable.append(unread(number, f"not a row of a CSV file: {error}", row))
            continue
        if len(found) != columns:
            reason = f"{len(found)} cells where the header names {columns}"
            unreadable.append(unread(number, reason, row))
            continue
        yield number, found


def unread(number: int, reason: object, text: str) -> Unreadable:
    """Return the entry of a line that could not be read, its text cut after 500 characters."""
    shown = text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
    return Unreadable(place=f"line {number}", reason=str(reason), text=shown)


def market(text: str, field: str = "coin") -> Coin:
    """Return the name of a market. Raises: MalformedRecord, when it is empty or very long."""
    if 0 < len(text) <= WORD_MAX and text.strip() == text:
        return Coin(text)
    raise MalformedRecord(field=field, found=text, expected="the name of a market")


def apart(events: list[Event]) -> list[Event]:
    """Return the events of one answer, look-alikes of one moment numbered."""
    marks = [_mark(event) for event in events]
    counts = Counter(marks)
    if len(counts) == len(marks):
        return events
    return told_apart(events, only=lambda event: counts[_mark(event)] > 1)


def by_moment(numbers: list[int], events: list[Event]) -> tuple[list[int], list[Event]]:
    """Return rows and their events in order of time; inside a moment in the order of the file."""
    times = [event.at for event in events]
    if all(map(le, times, times[1:])):
        return numbers, events
    order = sorted(range(len(events)), key=lambda index: times[index])
    return [numbers[index] for index in order], sorted(events, key=attrgetter("at"))


def _mark(event: Event) -> object:
    """Return what look-alikes share and few others do: whole identities are costly to compare."""
    if isinstance(event, Filled):
        return event.at, event.coin, event.px, event.sz
    return event.at


def parse_utc(text: object, *, field: str) -> Millis:
    """Return the moment of an ISO text of the venue's own machines, which leave UTC unsaid.

    Raises: MalformedRecord.
    """
    if isinstance(text, str) and text[-1:].isdigit() and not {"+", "-"} & set(text[10:]):
        return parse_iso(f"{text}Z", field=field)
    return parse_iso(text, field=field)
