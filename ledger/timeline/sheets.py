"""Sheets: the batches of one stream that count, opened only as far as a question needs it.

A sheet knows its batch from the header alone; moments and lines are read when asked for. Lines
are kept for the last few sheets only: a course must not hold a million of them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import attrs

from ledger.codec import decode, identity
from ledger.entries import IDENTIFIED, Header
from ledger.errors import RollforwardError
from ledger.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.entries import Batch, Source
    from ledger.kinds import Kind

ROW_BITS: Final = 24
"""Bits of a row in a slot: a batch holds fewer rows than 2^24."""

ROW_MASK: Final = (1 << ROW_BITS) - 1

SHEETS_OPEN_MAX: Final = 128

_KIND_OF_TAG: Final[dict[bytes, Kind]] = {tag.encode(): kind for tag, kind in KINDS.items()}


def at_of(line: bytes) -> int:
    """Return the moment of a canonical line without reading the rest of it.

    Inside a string quotes are escaped and no part of an event has a moment of its own, so that
    the first ``"at":`` is the event's. A key always follows it.
    """
    start = line.find(b'"at":') + 5
    return int(line[start : line.find(b",", start)])


def kind_of_line(line: bytes) -> Kind | None:
    """Return the kind of a canonical line, None when this program does not know it."""
    return _KIND_OF_TAG.get(line[6 : line.find(b'"', 6)])


def identity_of(line: bytes) -> bytes:
    """Return the identity of a canonical line; of its bytes, when its kind is not known."""
    try:
        return identity(decode(line), line)
    except RollforwardError:
        return sha256(line).digest()[:16]


@attrs.define(eq=False)
class Sheet:
    """One batch: its number among the sheets, its header, and whether anybody recorded it."""

    number: int
    header: Header
    recorded: bool
    ats: array[int] | None = None

    @property
    def source(self) -> Source:
        """Where the batch comes from."""
        return self.header.source

    @property
    def identified(self) -> bool:
        """Whether the records of its source carry the venue's own identities."""
        return self.header.source in IDENTIFIED


class Shelf:
    """All sheets of one stream, found by moment. A *slot* is a row's address: sheet and row."""

    def __init__(self, headers: Sequence[Header], batch_of: Callable[[int], Batch]) -> None:
        """Put up the batches of the given headers; *batch_of* reads one by its version."""
        self.sheets = [
            Sheet(number, header, recorded=True) for number, header in enumerate(headers)
        ]
        self._batch_of = batch_of
        self._open: OrderedDict[int, tuple[bytes, ...]] = OrderedDict()
        self._hypothetical: dict[int, tuple[bytes, ...]] = {}
        self._identities: dict[int, bytes] = {}
        self._arrange()

    def add_hypothetical(self, batch: Batch) -> None:
        """Put up a batch that nobody recorded, behind all others."""
        sheet = Sheet(len(self.sheets), batch.header, recorded=False)
        self._hypothetical[sheet.number] = batch.lines
        self.sheets.append(sheet)
        self._arrange()

    def _arrange(self) -> None:
        self.by_moment = sorted(
            (sheet for sheet in self.sheets if sheet.header.count),
            key=lambda sheet: (sheet.header.first_at, sheet.number),
        )
        self._firsts = [sheet.header.first_at for sheet in self.by_moment]
        self._reach = list(accumulate((sheet.header.last_at for sheet in self.by_moment), max))

    def lines(self, sheet: Sheet) -> tuple[bytes, ...]:
        """Return the canonical lines of a sheet."""
        number = sheet.number
        if not sheet.recorded:
            return self._hypothetical[number]
        found = self._open.get(number)
        if found is None:
            found = self._open[number] = self._batch_of(sheet.header.version).lines
            if len(self._open) > SHEETS_OPEN_MAX:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(number)
        return found

    def ats(self, sheet: Sheet) -> array[int]:
        """Return the moment of every row of a sheet, in order."""
        if sheet.ats is None:
            find = bytes.find
            sheet.ats = array(
                "q",
                [
                    int(line[(start := find(line, b'"at":') + 5) : find(line, b",", start)])
                    for line in self.lines(sheet)
                ],
            )
        return sheet.ats

    def line(self, slot: int) -> bytes:
        """Return the line at a slot."""
        return self.lines(self.sheets[slot >> ROW_BITS])[slot & ROW_MASK]

    def at(self, slot: int) -> int:
        """Return the moment of the row at a slot."""
        return self.ats(self.sheets[slot >> ROW_BITS])[slot & ROW_MASK]

    def identity(self, slot: int) -> bytes:
        """Return the identity of the row at a slot."""
        found = self._identities.get(slot)
        if found is None:
            found = self._identities[slot] = identity_of(self.line(slot))
        return found

    def recorded_as(self, slot: int) -> tuple[int | None, int]:
        """Return version and row for people; the version is None for a hypothesis."""
        sheet = self.sheets[slot >> ROW_BITS]
        return (sheet.header.version if sheet.recorded else None), slot & ROW_MASK

    def between(self, since: int, until: int) -> Iterator[Sheet]:
        """Yield the sheets that reach into an interval, both ends included, latest first."""
        index = bisect_right(self._firsts, until) - 1
        while index >= 0 and self._reach[index] >= since:
            sheet = self.by_moment[index]
            if sheet.header.last_at >= since:
                yield sheet
            index -= 1

    def slots(self, sheet: Sheet, since: int, until: int) -> range:
        """Return the slots of a sheet's rows inside an interval, both ends included."""
        ats, base = self.ats(sheet), sheet.number << ROW_BITS
        return range(base + bisect_left(ats, since), base + bisect_right(ats, until))
