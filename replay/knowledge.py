"""Knowledge: one account's states of one instant, as the book learnt of it step by step.

A step is a batch, or some of its rows: the first rows of a batch are what was known before the
rest of it. Courses of neighboring steps begin alike, so every fold goes on from what it has in
common with the one before; by law 2 (a history folded in two parts) the states are those of a
fold from nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger import timeline
from ledger.entries import AsOf, Batch
from ledger.timeline.sheets import at_of
from ledger.units import Millis
from projections import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.entries import Header
    from ledger.timeline import Course
    from ledger.units import Stream
    from projections.fold import States
    from projections.reference import Reference
    from replay.engine import Engine

    Piece: TypeAlias = tuple[int | bytes, int, int]

SAVED_EVERY: Final = 256
"""Events between two states that are kept, from which a later fold may go on."""

REACH_MS: Final = 3_600_000
"""How far after an instant a record may lie and still explain a row at or before it: funding is
booked up to an hour after the hour an export prints (``docs/spec/time.md``, rule 11)."""


class Knowledge:
    """One account at one instant, asked for as known after any step of recording."""

    def __init__(self, engine: Engine, stream: Stream, until: Millis | None) -> None:
        """Ask for the events of *stream* up to *until*, None for all of them."""
        self._engine = engine
        self._stream = stream
        self._until = until
        self._reference: Reference | None = None
        self._pieces: list[Piece] = []
        self._saved: list[tuple[int, States]] = []
        self.folded = 0
        """How many events were folded so far, for whoever asks what an answer cost."""

    def states(
        self, headers: Sequence[Header], reference: Reference, rows: int | None = None
    ) -> States:
        """Return what every projection says, as known by the batches of *headers*.

        With *rows*, only so many of the last batch's rows count, and nothing of what it claims to
        cover. **Order**: headers in the order of recording.
        """
        batch_of = self._engine.batches_of(self._stream)
        if rows is not None:
            headers, batch_of = _cut(headers, batch_of, rows)
        course = timeline.course(headers, batch_of, AsOf(effective=self._until))
        return self._fold(course, batch_of, reference)

    def reaches(self, header: Header) -> bool:
        """Tell whether a batch may change what is known of the instant."""
        if self._until is None or header.irregular:
            return True
        last = self._until + REACH_MS
        return header.first_at <= last or any(cover.since <= last for cover in header.covers)

    def _fold(
        self, course: Course, batch_of: Callable[[int], Batch], reference: Reference
    ) -> States:
        pieces = list(_pieces(course))
        shared = _shared(self._pieces, pieces) if reference is self._reference else 0
        self._reference, self._pieces = reference, pieces
        while self._saved and self._saved[-1][0] > shared:
            self._saved.pop()
        start, states = self._saved[-1] if shared and self._saved else (0, fold.BEGINNING)
        if not start:
            self._saved.clear()
        while start < course.count:
            stop = min(start + SAVED_EVERY, course.count)
            events = timeline.events(course, batch_of, start, stop)
            states = fold.fold(events, reference, states)
            self._saved.append((stop, states))
            self.folded += stop - start
            start = stop
        return states


def _cut(
    headers: Sequence[Header], batch_of: Callable[[int], Batch], rows: int
) -> tuple[Sequence[Header], Callable[[int], Batch]]:
    """Return headers and batches of which the last one has only its first *rows* rows."""
    last = headers[-1]
    lines = batch_of(last.version).lines[:rows]
    header = attrs.evolve(
        last,
        covers=(),
        count=rows,
        first_at=Millis(at_of(lines[0])),
        last_at=Millis(at_of(lines[-1])),
    )
    batch = Batch(header=header, lines=lines)
    return (
        (*headers[:-1], header),
        lambda version: batch if version == header.version else batch_of(version),
    )


def _pieces(course: Course) -> Iterator[Piece]:
    """Yield the pieces of a course; a literal goes by its line, which numbers may not."""
    for version, row, count in course.pieces():
        if version == timeline.LITERAL:
            yield course.literals[row].line, 0, 1
        else:
            yield version, row, count


def _shared(ours: Sequence[Piece], theirs: Sequence[Piece]) -> int:
    """Return with how many equal events two courses begin."""
    total = left = right = 0
    done_left = done_right = 0
    while left < len(ours) and right < len(theirs):
        version, row, count = ours[left]
        other, other_row, other_count = theirs[right]
        if version != other or row + done_left != other_row + done_right:
            break
        common = min(count - done_left, other_count - done_right)
        total += common
        done_left, done_right = done_left + common, done_right + common
        if done_left == count:
            left, done_left = left + 1, 0
        if done_right == other_count:
            right, done_right = right + 1, 0
    return total
