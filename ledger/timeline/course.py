"""Course: what is taken to have happened in one stream, in effective order.

A course holds no events. It holds runs of rows (batch, first row, count) in compact columns, the
few lines that stand in no batch (replacements, hypotheses), what was set aside, and where records
disagree.
"""

from __future__ import annotations

import typing
from array import array
from bisect import bisect_right
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger.codec import EVENT_RECIPE, decode, event_id
from ledger.entries import Entry, from_runs, place_of
from ledger.timeline.sheets import at_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.entries import Batch
    from ledger.events import Event
from ledger.entries import AsOf
from ledger.units import Digest, EventId, Millis, Stream

LITERAL: Final = -1
"""In place of a version: the row is the number of a literal of the course."""

TIMELINE_RECIPE: Final = b"rollforward timeline 1\n"

HYPOTHETICAL: Final = -1
"""In place of a position: nobody recorded it."""

AsideReason: TypeAlias = typing.Literal[
    "annulled", "replaced", "covered", "explained", "older history recorded"
]
Cause: TypeAlias = typing.Literal[
    "contradicted",
    "order",
    "unmatched",
    "mismatched",
    "unknown target",
    "cycle",
    "unreadable replacement",
    "doubled",
]


@attrs.frozen(kw_only=True)
class Run:
    """Rows of one batch that follow each other in effective order, or one literal line."""

    version: int
    row: int
    count: int
    first_at: Millis
    last_at: Millis
    line: bytes | None = None


@attrs.frozen(kw_only=True)
class Literal:
    """A line that stands in no batch: a replacement, what two records complete, a hypothesis.

    ``version`` and ``row`` tell which entry put it there; None for a hypothesis.
    """

    line: bytes
    at: Millis
    version: int | None
    row: int


@attrs.frozen(kw_only=True)
class SetAside:
    """A recorded event that is not in the course: why, and by which events.

    ``by`` are the corrections, or the identified events that explain a row of an export; version
    is None for a hypothesis.
    """

    version: int | None
    row: int
    at: Millis
    reason: AsideReason
    by: tuple[EventId, ...]


@attrs.frozen(kw_only=True)
class Disagreement:
    """Two records, or a record and a correction, that cannot both be right.

    ``events`` are the identities concerned, ``lines`` canonical lines that stand in no row.
    """

    cause: Cause
    at: Millis
    events: tuple[EventId, ...]
    lines: tuple[str, ...]
    text: str


@attrs.frozen(kw_only=True)
class Course:
    """What is taken to have happened in a stream, as of two times, in effective order.

    The columns have one number per run: version (or ``LITERAL``), first row (or number of the
    literal), ordinal of its first event, first and last moment.
    """

    stream: Stream | None
    as_of: AsOf
    count: int
    versions: array[int] = attrs.field(repr=False)
    rows: array[int] = attrs.field(repr=False)
    starts: array[int] = attrs.field(repr=False)
    first_ats: array[int] = attrs.field(repr=False)
    last_ats: array[int] = attrs.field(repr=False)
    literals: tuple[Literal, ...] = attrs.field(default=(), repr=False)
    set_aside: tuple[SetAside, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """Every run as a value; for long courses prefer ``pieces``."""
        return tuple(self._run(index) for index in range(len(self.starts)))

    def _run(self, index: int) -> Run:
        version, row = self.versions[index], self.rows[index]
        return Run(
            version=version,
            row=row,
            count=self._end(index) - self.starts[index],
            first_at=Millis(self.first_ats[index]),
            last_at=Millis(self.last_ats[index]),
            line=self.literals[row].line if version == LITERAL else None,
        )

    def _end(self, index: int) -> int:
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.count

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int, int]]:
        """Yield (version, first row, count) for the events from ordinal *start* to before *stop*.

        A literal comes as (``LITERAL``, number of the literal, 1).
        """
        stop = self.count if stop is None else min(stop, self.count)
        if start >= stop:
            return
        index = bisect_right(self.starts, start) - 1
        while start < stop:
            end = min(self._end(index), stop)
            row = self.rows[index] + start - self.starts[index]
            yield self.versions[index], row, end - start
            start = end
            index += 1

    def place(self, ordinal: int) -> tuple[int, int]:
        """Return (version, row) of the event at an ordinal, (``LITERAL``, number) of a literal.

        Raises: IndexError, when the course has no such ordinal.
        """
        if not 0 <= ordinal < self.count:
            message = f"ordinal {ordinal} is not in a course of {self.count} events"
            raise IndexError(message)
        index = bisect_right(self.starts, ordinal) - 1
        return self.versions[index], self.rows[index] + ordinal - self.starts[index]

    def through(self, at: int, batch_of: Callable[[int], Batch]) -> int:
        """Return how many events are effective at or before *at*: the ordinal behind them."""
        index = bisect_right(self.first_ats, at) - 1
        if index < 0:
            return 0
        if self.last_ats[index] <= at:
            return self._end(index)
        rows = batch_of(self.versions[index]).lines
        first, count = self.rows[index], self._end(index) - self.starts[index]
        within = bisect_right(range(first, first + count), at, key=lambda row: at_of(rows[row]))
        return self.starts[index] + within


def lines(
    course: Course, batch_of: Callable[[int], Batch], start: int = 0, stop: int | None = None
) -> Iterator[bytes]:
    """Yield the canonical lines of a course; *batch_of* gives a batch of the stream by version."""
    for version, row, count in course.pieces(start, stop):
        if version == LITERAL:
            yield course.literals[row].line
        else:
            yield from batch_of(version).lines[row : row + count]


def events(
    course: Course, batch_of: Callable[[int], Batch], start: int = 0, stop: int | None = None
) -> Iterator[Event]:
    """Yield the events of a course, each decoded when it is asked for."""
    return map(decode, lines(course, batch_of, start, stop))


def entry(course: Course, ordinal: int, batch_of: Callable[[int], Batch]) -> Entry:
    """Return the event at an ordinal with where it comes from.

    For a replacement that is the correction; a hypothesis has position ``HYPOTHETICAL``.
    """
    version: int | None
    version, row = course.place(ordinal)
    line = None
    if version == LITERAL:
        literal = course.literals[row]
        line, version, row = literal.line, literal.version, literal.row
    if version is None:
        event = decode(line or b"")
        return Entry(
            event=event,
            id=event_id(event),
            position=HYPOTHETICAL,
            row=row,
            recorded=event.at,
            source="person",
            record=None,
            place=place_of("", row),
        )
    batch = batch_of(version)
    event = decode(line or batch.lines[row])
    header = batch.header
    return Entry(
        event=event,
        id=event_id(event),
        position=header.position,
        row=row,
        recorded=header.recorded,
        source=header.source,
        record=header.record,
        place=place_of(header.answer, tuple(from_runs(header.rows))[row]),
    )


def digest(course: Course, batch_of: Callable[[int], Batch]) -> Digest:
    """Return the digest of a timeline: over the event digests of the course, in its order.

    It does not depend on how, or in which order, the events were imported.
    """
    whole = sha256(TIMELINE_RECIPE)
    for line in lines(course, batch_of):
        whole.update(sha256(EVENT_RECIPE + len(line).to_bytes(8, "big") + line).digest())
    return Digest(whole.hexdigest())
