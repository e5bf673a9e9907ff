"""Engine: runs an account's course through the projections up to a moment.

It reads a book and remembers what was just read (batches, courses, metadata), never what it
concluded: states come from a fold, or from a checkpoint that equals one (law 9).
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import RLock
from typing import TYPE_CHECKING, Final, cast

import attrs

from ledger import timeline
from ledger.codec import decode, decode_all
from ledger.entries import AsOf
from ledger.money import exact
from ledger.units import VENUE, Stream
from projections import fold
from projections.fold import States
from projections.reference import Reference, reference
from replay.checkpoints import EVERY, WORTH_FROM, Checkpoint, Checkpoints, Key, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ledger.book import Book
    from ledger.entries import Batch, Header
    from ledger.events import Event
    from ledger.timeline import Course
    from ledger.units import Digest, Millis

BATCHES_KEPT: Final = 64
COURSES_KEPT: Final = 8

LENT_KEPT: Final = 32
"""States of knowledge of which is remembered whose checkpoints serve them."""

LENT_SHORT_MAX: Final = 4
"""Another series serves, when it lacks no more than so many groups of the last events."""

_METADATA_TAGS: Final = (
    b'{"@":"market_listed/',
    b'{"@":"pair_listed/',
    b'{"@":"token_listed/',
)


@attrs.frozen(kw_only=True)
class Folded:
    """What a fold came to, and how many of its events a checkpoint stood for.

    ``since`` is 0 where everything was folded from nothing.
    """

    states: States
    since: int

    @property
    def count(self) -> int:
        """How many events happened by then."""
        return self.states.events

    @property
    def digest(self) -> Digest:
        """The state digest: equal states have equal digests on every machine."""
        return fold.digest(self.states)


class Engine:
    """A book opened for reading, and the checkpoints beside it, if any."""

    def __init__(
        self,
        book: Book,
        checkpoints: Checkpoints | None = None,
        *,
        every: int = EVERY,
        worth_from: int = WORTH_FROM,
        hypotheses: tuple[Event, ...] = (),
    ) -> None:
        """Read from *book*; without *checkpoints* every state is folded from nothing.

        *every* is how many events lie between two checkpoints, *worth_from* how many events a
        history must have for any to be kept. *hypotheses* are taken as if a person had recorded
        them last; nothing is written.
        """
        self.book = book
        self.checkpoints = checkpoints
        self.hypotheses = hypotheses
        self._every = every
        self._worth_from = worth_from
        self._batches: OrderedDict[tuple[Stream, int], Batch] = OrderedDict()
        self._courses: OrderedDict[tuple[Stream, int], Course] = OrderedDict()
        self._headers: dict[tuple[Stream, int], tuple[Header, ...]] = {}
        self._references: dict[int, tuple[Reference, str]] = {}
        self._counts: dict[tuple[Stream, str], int] = {}
        self._lent: dict[Key, _Series] = {}
        self._making = RLock()

    def supposing(self, hypotheses: tuple[Event, ...]) -> Engine:
        """Return an engine over the same book in which these events had been recorded, too.

        It keeps no checkpoints: what is supposed is folded from nothing.
        """
        other = Engine(self.book, hypotheses=(*self.hypotheses, *hypotheses))
        # What is stored is the same in both, and read once.
        other._batches, other._headers = self._batches, self._headers
        other._references = self._references
        return other

    def reference(self, position: int) -> Reference:
        """Return the metadata known at a position, whatever moment it speaks of."""
        return self._reference(position)[0]

    def _reference(self, position: int) -> tuple[Reference, str]:
        known = len(self.headers(VENUE, position))
        if known not in self._references:
            lines = [
                line
                for header in self.headers(VENUE, position)
                for line in self.book.batch(VENUE, header.version).lines
                if line.startswith(_METADATA_TAGS)
            ]
            made = reference(decode(line) for line in lines)
            self._references[known] = made, sha256(b"\n".join(lines)).hexdigest()
        return self._references[known]

    def headers(self, stream: Stream, position: int) -> tuple[Header, ...]:
        """Return the headers of a stream's batches recorded by a position, in order."""
        asked = stream, position
        if asked not in self._headers:
            self._headers[asked] = tuple(self.book.headers(stream, position))
        return self._headers[asked]

    def course(self, stream: Stream, position: int) -> Course:
        """Return the whole effective course of a stream, as known at a position."""
        headers = self.headers(stream, position)
        asked = stream, headers[-1].version if headers else 0
        # What is asked for again and again stays, however many others are looked at once.
        course = self._courses.pop(asked, None)
        if course is None:
            course = timeline.course(
                headers, self.batches_of(stream), AsOf(position=position), self.hypotheses
            )
        self._courses[asked] = course
        while len(self._courses) > COURSES_KEPT:
            self._courses.popitem(last=False)
        return course

    def batches_of(self, stream: Stream) -> Callable[[int], Batch]:
        """Return the function that reads batches of one stream by version."""
        return lambda version: self.batch(stream, version)

    def batch(self, stream: Stream, version: int) -> Batch:
        """Return a stored batch, read once."""
        asked = stream, version
        found = self._batches.get(asked)
        if found is None:
            found = self.book.batch(stream, version)
            self._batches[asked] = found
            while len(self._batches) > BATCHES_KEPT:
                self._batches.popitem(last=False)
        return found

    def events(self, stream: Stream, position: int, until: Millis | None = None) -> Iterator[Event]:
        """Yield the events of a stream in effective order, decoded one at a time.

        **Units**: *until* in milliseconds; events of that very moment belong to the answer.
        """
        return self._decoded(stream, _pieces_of(self.course(stream, position)), until)

    def _decoded(
        self, stream: Stream, pieces: Iterable[Piece], until: Millis | None = None
    ) -> Iterator[Event]:
        for piece in pieces:
            if isinstance(piece, str):
                lines: Sequence[bytes] = (piece.encode(),)
            else:
                version, row, count = piece
                lines = self.batch(stream, version).lines[row : row + count]
            if until is None:
                yield from decode_all(lines)
                continue
            for event in decode_all(lines):
                if event.at > until:
                    return
                yield event

    def states(self, stream: Stream, as_of: AsOf) -> Folded:
        """Return the states of a stream as of both times."""
        position = as_of.position if as_of.position is not None else self.book.position()
        key = self._key(stream, position)
        known = self.reference(position)
        start = self._checkpoint(key, position, as_of.effective)
        if start is None:
            states = fold.fold(self.events(stream, position, as_of.effective), known)
            return Folded(states=states, since=0)
        rest = self._decoded(stream, start.pieces, as_of.effective)
        states = fold.fold(rest, known, fold.decode(start.state))
        return Folded(states=states, since=start.number * self._every)

    def through(
        self, stream: Stream, position: int, moments: Iterable[Millis]
    ) -> Iterator[tuple[Millis, Folded]]:
        """Yield the states of ascending instants, each from the nearest start there is.

        That is the instant before, or a checkpoint between the two: no event is folded twice, and
        events that a checkpoint stands for are not folded at all.
        """
        key, known = self._key(stream, position), self.reference(position)
        course, batch_of = self.course(stream, position), self.batches_of(stream)
        folding, since = fold.Folding(known), 0
        for at in moments:
            start = self._checkpoint(key, position, at, beyond=folding.events)
            if start is not None:
                since = start.number * self._every
                folding = fold.Folding(known, fold.decode(start.state))
            stop = course.through(at, batch_of)
            rest = self._decoded(stream, _pieces_of(course, folding.events, stop))
            with exact():
                folding.run(rest)
                states = folding.states()
            yield at, Folded(states=states, since=since)

    def _key(self, stream: Stream, position: int) -> Key:
        headers = self.headers(stream, position)
        head = (
            f"{headers[-1].version} {headers[-1].lines} {headers[-1].previous}" if headers else ""
        )
        return Key(
            stream=stream, head=f"{head} {self._every}", reference=self._reference(position)[1]
        )

    def _checkpoint(
        self, key: Key, position: int, until: Millis | None, *, beyond: int = -1
    ) -> Checkpoint | None:
        """Return where to start, the series made if it is worth it; None is from nothing.

        With *beyond* only a checkpoint of more events than that is a start.
        """
        kept = self._worth_keeping(key, position)
        if kept is None:
            return None
        for _ in range(2):  # what turns out to be damaged is thrown away, and made anew
            series = self._series_of(kept, key, position)
            if series is None:
                return None
            number = series.number(kept, until)
            if number * self._every <= beyond:
                return None
            found = series.read(kept, number)
            if found is not None:
                return found
            self._lent.pop(key, None)
        return None

    def _series_of(self, kept: Checkpoints, key: Key, position: int) -> _Series | None:
        """Return the series that serves a key, made now where there is none."""
        if kept.count(key):
            return _Series(key=key)
        with self._making:
            if kept.count(key):  # another thread made it meanwhile
                return _Series(key=key)
            lent = self._lent.get(key) or self._lent_by(kept, key, position)
            if lent is not None:
                self._lent[key] = lent
                while len(self._lent) > LENT_KEPT:
                    self._lent.pop(next(iter(self._lent)))
                return lent
            is_kept = kept.write(key, *self._series(key, position))
        return _Series(key=key) if is_kept and kept.count(key) else None

    def _lent_by(self, kept: Checkpoints, key: Key, position: int) -> _Series | None:
        """Return another series of the stream that begins with (nearly) all of these events.

        What was known earlier mostly is a beginning of what is known now: it needs no states of
        its own, only the places of its last events.
        """
        groups = groups_of(self.course(key.stream, position), self._every)
        other = kept.reusable(key, groups)
        if other is None or len(groups) - other[1] > LENT_SHORT_MAX:
            return None
        last = other[1]
        pieces = tuple(piece for group in groups[last:] for piece in group)
        return _Series(key=other[0], last=last, pieces=pieces)

    def _worth_keeping(self, key: Key, position: int) -> Checkpoints | None:
        """Return the checkpoints, unless the history is short enough to be folded each time."""
        asked = key.stream, key.head
        if asked not in self._counts:
            headers = self.headers(key.stream, position)
            self._counts[asked] = sum(header.count for header in headers)
        return None if self._counts[asked] < self._worth_from else self.checkpoints

    def _series(self, key: Key, position: int) -> tuple[int, Iterator[Checkpoint]]:
        """Return how many events a course has, and its checkpoints, made one at a time."""
        course = self.course(key.stream, position)
        return course.count, self._checkpoints(key, position, groups_of(course, self._every))

    def _checkpoints(
        self, key: Key, position: int, groups: list[tuple[Piece, ...]]
    ) -> Iterator[Checkpoint]:
        kept = cast("Checkpoints", self.checkpoints)
        if not groups:
            return
        last = None
        for last in self._taken_over(kept, key, groups):
            yield last
        if last is None:
            last = Checkpoint(
                number=0, last_at=-1, state=fold.encode(fold.BEGINNING), pieces=groups[0]
            )
            yield last
        with exact():
            folding = fold.Folding(self.reference(position), fold.decode(last.state))
        for number in range(last.number + 1, len(groups)):
            with exact():
                folding.run(self._decoded(key.stream, groups[number - 1]))
                states = folding.states()
            yield Checkpoint(
                number=number,
                last_at=states.last_at if states.last_at is not None else -1,
                state=fold.encode(states),
                pieces=groups[number],
            )

    @staticmethod
    def _taken_over(
        kept: Checkpoints, key: Key, groups: list[tuple[Piece, ...]]
    ) -> Iterator[Checkpoint]:
        """Yield what an older series of the same stream already knows, bound to the new key."""
        older = kept.reusable(key, groups)
        if older is None:
            return
        for number in range(older[1] + 1):
            found = kept.at_number(older[0], number)
            if found is None:
                return
            yield attrs.evolve(found, pieces=groups[number])

    def timeline_digest(self, stream: Stream, as_of: AsOf) -> Digest:
        """Return the timeline digest: over the digests of all events in effective order."""
        position = as_of.position if as_of.position is not None else self.book.position()
        headers, batch_of = self.headers(stream, position), self.batches_of(stream)
        as_of = AsOf(effective=as_of.effective, position=position)
        course = timeline.course(headers, batch_of, as_of, self.hypotheses)
        return timeline.digest(course, batch_of)


@attrs.frozen(kw_only=True)
class _Series:
    """A series of checkpoints to start from: one's own, or the beginning of another."""

    key: Key
    last: int | None = None
    """The last number that holds, where it is another's."""
    pieces: tuple[Piece, ...] = ()
    """Where all events behind that one are."""

    def number(self, kept: Checkpoints, until: int | None) -> int:
        """Return the number to start from for an instant."""
        number = kept.number(self.key, until) or 0
        return number if self.last is None else min(number, self.last)

    def read(self, kept: Checkpoints, number: int) -> Checkpoint | None:
        """Return a checkpoint; None where it cannot be read any more."""
        found = kept.at_number(self.key, number)
        if found is None or number != self.last:
            return found
        return attrs.evolve(found, pieces=self.pieces)


def groups_of(course: Course, every: int = EVERY) -> list[tuple[Piece, ...]]:
    """Return where the events of a course are, in groups of *every*; the last may be shorter."""
    return [
        tuple(_pieces_of(course, start, start + every)) for start in range(0, course.count, every)
    ]


def _pieces_of(course: Course, start: int = 0, stop: int | None = None) -> Iterator[Piece]:
    for version, row, count in course.pieces(start, stop):
        if version == timeline.LITERAL:
            yield course.literals[row].line.decode()
        else:
            yield (version, row, count)
