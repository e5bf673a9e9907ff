"""Merge: what a reading adds to what is known already, and nothing else.

Overlapping pages, later exports and repeated imports bring the same facts again. ``plan`` tells
the new ones from the known, keeps a second record that says something else as ``Contradicted``,
and keeps the order a page shows of one millisecond's events as ``Ordered`` where the rows it adds
would not show it. The book only has to number and write the drafts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import attrs
import msgspec

from ledger.codec import encode, identity
from ledger.entries import BATCH_EVENTS_MAX, IDENTIFIED, Covered, Source, in_runs
from ledger.events import (
    Annulled,
    Contradicted,
    Event,
    Opened,
    Ordered,
    Quarantined,
    Replaced,
)
from ledger.kinds import KIND_OF
from ledger.money import exact, places
from ledger.units import BOOK, EventId, Millis, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.entries import Part, RawRecord, Reading

Place: TypeAlias = tuple[int, int]
"""Where a line stands in its stream: number of the batch, row in it."""

Likeness: TypeAlias = Literal["same", "less", "more", "other"]
"""What a second record says of a fact, beside the first."""

_HOUSEKEEPING: Final = (Annulled, Replaced, Contradicted, Ordered, Quarantined)
_IRREGULAR: Final = frozenset((*_HOUSEKEEPING, Opened))
_at = attrgetter("at")

_ROUNDED: Final = {"funding_rate_set/1": ("rate", "premium")}
_RATE_PLACES_ONCE: Final = 8
"""Decimal places at which the venue printed rates in 2023; later ten."""


class Known(Protocol):
    """What the book tells about the streams it holds; the book implements it."""

    def identities(self, stream: Stream, since: Millis, until: Millis) -> Mapping[bytes, Place]:
        """Return the place of every identity in the batches that overlap the interval.

        More than the interval is allowed; both ends belong to it. An unknown stream is empty.
        """
        ...

    def line(self, stream: Stream, version: int, row: int) -> bytes:
        """Return one canonical line."""
        ...

    def covered(self, stream: Stream) -> Sequence[Covered]:
        """Return the claims of all headers of identified sources in a stream, in any order."""
        ...


@attrs.frozen(kw_only=True)
class Draft:
    """A batch before the book has given it a version and a position.

    ``rows`` are runs as in a header. ``lines`` and ``identities`` belong together, in effective
    order. A draft without lines only claims coverage; its moments are then those of the claim.
    """

    stream: Stream
    source: Source
    answer: str
    rows: tuple[tuple[int, int, int], ...]
    covers: tuple[Covered, ...]
    lines: tuple[bytes, ...]
    identities: tuple[bytes, ...]
    first_at: Millis
    last_at: Millis
    irregular: bool


@attrs.frozen(kw_only=True)
class Tally:
    """How many events of one kind were new, known already, or in conflict with what is known."""

    new: int = 0
    same: int = 0
    conflicting: int = 0


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be written for one record, and how its events compared with what is known.

    ``tallies`` count the events of the record by kind tag, sorted by tag; the housekeeping that
    merging itself adds is not counted.
    """

    drafts: tuple[Draft, ...]
    tallies: tuple[tuple[str, Tally], ...]


def plan(parts: Sequence[Part], known: Known) -> Plan:
    """Return what the parts of one record add to the book.

    **Order**: the events of a part in effective order; one that is not is sorted by moment, its
    order inside each millisecond kept.
    """
    desk = _Desk(known, Counter(part.stream for part in parts))
    drafts = [draft for number, part in enumerate(parts) for draft in desk.drafts(number, part)]
    return Plan(drafts=tuple(drafts), tallies=desk.tallies())


def likeness(first: bytes, second: bytes) -> Likeness:
    """Tell what the second of two lines of one identity says beside the first.

    ``less`` when it only lacks fields (null) which the first has, ``more`` when it also has some
    which the first lacks, ``other`` as soon as one field has two values. A rate rounded to the
    eight places the venue once printed says less than the same rate in full.
    """
    if first == second:
        return "same"
    left, right = msgspec.json.decode(first), msgspec.json.decode(second)
    more = False
    for name in sorted(left.keys() | right.keys()):
        ours, theirs = left.get(name), right.get(name)
        if ours == theirs or theirs is None:
            continue
        if ours is not None:
            finer = _finer(left["@"], name, ours, theirs)
            if finer is None:
                return "other"
            if finer == ours:
                continue
        more = True
    return "more" if more else "less"


def _finer(tag: str, name: str, ours: Any, theirs: Any) -> str | None:  # noqa: ANN401 - any field
    """Return which of two unlike values is the other in full, or None when they differ in fact.

    **Source**: recorded funding rates of 2023 in two forms, 1,038 of 1,038 equal when rounded.
    """
    if name not in _ROUNDED.get(tag, ()):
        return None
    short, full = sorted((str(ours), str(theirs)), key=lambda text: places(Decimal(text)))
    if places(Decimal(short)) > _RATE_PLACES_ONCE:
        return None
    with exact():
        difference = abs(Decimal(full) - Decimal(short)) * 2
    return full if difference <= Decimal(1).scaleb(-_RATE_PLACES_ONCE) else None


def completed(first: bytes, second: bytes) -> bytes:
    """Return the line with what the second record has and the first lacks.

    **Order**: *first* goes before; the two must not be ``other`` to each other.
    """
    left: dict[str, Any] = msgspec.json.decode(first)
    right: dict[str, Any] = msgspec.json.decode(second)
    for name, value in right.items():
        ours = left.get(name)
        if ours is None or (value is not None and _finer(left["@"], name, ours, value) == value):
            left[name] = value
    return msgspec.json.encode(left, order="sorted")


class _Desk:
    """Where the parts of one record are compared, one after the other."""

    def __init__(self, known: Known, parts_of: Counter[Stream]) -> None:
        self.known = known
        self.parts_left = parts_of
        self.pending: dict[Stream, dict[bytes, tuple[Place, bytes]]] = {}
        self.claimed: dict[Stream, list[Covered]] = {}
        self.new: Counter[type] = Counter()
        self.same: Counter[type] = Counter()
        self.conflicting: Counter[type] = Counter()

    def drafts(self, number: int, part: Part) -> Iterator[Draft]:
        """Yield the drafts of one part and remember them for the parts behind it."""
        page = _page(part)
        added = page if self._is_wholly_new(page) else _Comparison(self, page, number).added()
        self.parts_left[part.stream] -= 1
        if self.parts_left[part.stream]:
            pending = self.pending.setdefault(part.stream, {})
            for index, (event_id, line) in enumerate(zip(added.ids, added.lines, strict=True)):
                pending[event_id] = ((-1 - number, index), line)
        covers = part.covers
        if not added.events and not self._claims_more(part):
            return
        for piece in _cut(added):
            yield _draft(part, piece, covers)
            covers = ()
        self.claimed.setdefault(part.stream, []).extend(part.covers)

    def _is_wholly_new(self, page: _Page) -> bool:
        ids = set(page.ids)
        if len(ids) < len(page.ids) or not ids.isdisjoint(self.pending.get(page.stream, ())):
            return False
        if page.events:
            first, last = page.events[0].at, page.events[-1].at
            page.known = self.known.identities(page.stream, first, last)
            if not ids.isdisjoint(page.known):
                return False
        self.new.update(map(type, page.events))
        return True

    def _claims_more(self, part: Part) -> bool:
        """Tell whether a part without news still covers what no one before it covered."""
        if part.source not in IDENTIFIED or not part.covers:
            return False
        claims = [*self.known.covered(part.stream), *self.claimed.get(part.stream, ())]
        return not all(_is_within(cover, claims) for cover in part.covers)

    def find(self, page: _Page, event_id: bytes) -> tuple[Place, bytes | None] | None:
        """Return where an identity stands, and its line when that is at hand."""
        waiting = self.pending.get(page.stream, {}).get(event_id)
        if waiting is not None:
            return waiting
        place = page.known.get(event_id)
        return None if place is None else (place, None)

    def tallies(self) -> tuple[tuple[str, Tally], ...]:
        """Return the counts by kind tag, sorted by tag."""
        counted = {
            KIND_OF[cls].tag: Tally(
                new=self.new[cls], same=self.same[cls], conflicting=self.conflicting[cls]
            )
            for cls in (self.new | self.same | self.conflicting)
        }
        return tuple(sorted(counted.items()))


@attrs.define(kw_only=True)
class _Page:
    """Events with their rows, lines and identities, side by side in effective order."""

    stream: Stream
    rows: list[int]
    events: list[Event]
    lines: list[bytes]
    ids: list[bytes]
    known: Mapping[bytes, Place]

    def add(self, row: int, event: Event, line: bytes, event_id: bytes) -> None:
        self.rows.append(row)
        self.events.append(event)
        self.lines.append(line)
        self.ids.append(event_id)


def _page(part: Part) -> _Page:
    events, rows = list(part.events), list(part.rows)
    if any(before.at > after.at for before, after in pairwise(events)):
        order = sorted(range(len(events)), key=lambda index: events[index].at)
        events, rows = [events[index] for index in order], [rows[index] for index in order]
    lines = [encode(event) for event in events]
    return _Page(
        stream=part.stream,
        rows=rows,
        events=events,
        lines=lines,
        ids=[identity(event, line) for event, line in zip(events, lines, strict=True)],
        known={},
    )


class _Comparison:
    """One page against what is known: the rows it adds, and the housekeeping it gives rise to."""

    def __init__(self, desk: _Desk, page: _Page, number: int) -> None:
        self.desk = desk
        self.page = page
        self.number = number
        if not page.known and page.events:
            page.known = desk.known.identities(page.stream, page.events[0].at, page.events[-1].at)
        self.out = _Page(stream=page.stream, rows=[], events=[], lines=[], ids=[], known=page.known)
        self.here: dict[bytes, tuple[Place, bytes]] = {}

    def added(self) -> _Page:
        """Return what is to be written."""
        start, events = 0, self.page.events
        while start < len(events):
            end = bisect_right(events, events[start].at, start, key=_at)
            self._group(start, end)
            start = end
        return self.out

    def _group(self, start: int, end: int) -> None:
        """Compare the events of one millisecond."""
        places: dict[bytes, Place] = {}
        fresh = True
        for index in range(start, end):
            event_id = self.page.ids[index]
            found = self.here.get(event_id) or self.desk.find(self.page, event_id)
            if found is None:
                found = self._write(index), self.page.lines[index]
                self.desk.new[type(self.page.events[index])] += 1
            else:
                fresh = fresh and event_id in self.here
                self._compare(index, *found)
            if not isinstance(self.page.events[index], _HOUSEKEEPING):
                places.setdefault(event_id, found[0])
        if not fresh and len(places) > 1 and not _is_shown(list(places.values())):
            order = Ordered(
                stream=self.page.stream,
                at=self.page.events[start].at,
                events=tuple(EventId(event_id.hex()) for event_id in places),
            )
            self._write_once(self.page.rows[start], order)

    def _write(self, index: int) -> Place:
        page, place = self.page, (-1 - self.number, len(self.out.events))
        self.out.add(page.rows[index], page.events[index], page.lines[index], page.ids[index])
        self.here[page.ids[index]] = place, page.lines[index]
        return place

    def _write_once(self, row: int, event: Event) -> None:
        """Write housekeeping unless the very same is known."""
        line = encode(event)
        event_id = identity(event, line)
        if event_id in self.here or self.desk.find(self.page, event_id) is not None:
            return
        self.here[event_id] = (-1 - self.number, len(self.out.events)), line
        self.out.add(row, event, line, event_id)

    def _compare(self, index: int, place: Place, line: bytes | None) -> None:
        """Count an event that is known, and keep what it says otherwise or beyond."""
        event, theirs = self.page.events[index], self.page.lines[index]
        ours = line or self.desk.known.line(self.page.stream, *place)
        like = likeness(ours, theirs)
        (self.desk.conflicting if like == "other" else self.desk.same)[type(event)] += 1
        if like in {"more", "other"}:
            other = Contradicted(
                stream=self.page.stream,
                at=event.at,
                target=EventId(self.page.ids[index].hex()),
                other=theirs.decode(),
            )
            self._write_once(self.page.rows[index], other)


def _is_shown(places: list[Place]) -> bool:
    """Tell whether rows of one batch show the order already; a batch holds rows of one answer."""
    return len({version for version, _ in places}) == 1 and all(
        before < after for before, after in pairwise(places)
    )


def _is_within(cover: Covered, claims: Sequence[Covered]) -> bool:
    """Tell whether claims together cover an interval without a hole."""
    reached = cover.since
    for claim in sorted((c for c in claims if c.family == cover.family), key=attrgetter("since")):
        if claim.since <= reached <= claim.until:
            reached = Millis(claim.until + 1)
    return reached > cover.until


def _cut(page: _Page) -> Iterator[_Page]:
    """Yield pages no longer than a batch; the events of one millisecond stay together."""
    start, count = 0, len(page.events)
    while start == 0 or start < count:
        end = min(start + BATCH_EVENTS_MAX, count)
        if end < count and page.events[end].at == page.events[end - 1].at:
            moment = page.events[end].at
            end = bisect_left(page.events, moment, start, end, key=_at)
            if end == start:
                end = bisect_right(page.events, moment, start, key=_at)
        yield _Page(
            stream=page.stream,
            rows=page.rows[start:end],
            events=page.events[start:end],
            lines=page.lines[start:end],
            ids=page.ids[start:end],
            known={},
        )
        start = end
        if not count:
            return


def _draft(part: Part, page: _Page, covers: tuple[Covered, ...]) -> Draft:
    if page.events:
        first_at, last_at = page.events[0].at, page.events[-1].at
    else:
        first_at = min(cover.since for cover in covers)
        last_at = max(cover.until for cover in covers)
    return Draft(
        stream=part.stream,
        source=part.source,
        answer=part.answer,
        rows=in_runs(tuple(page.rows)),
        covers=covers,
        lines=tuple(page.lines),
        identities=tuple(page.ids),
        first_at=first_at,
        last_at=last_at,
        irregular=not _IRREGULAR.isdisjoint(map(type, page.events)),
    )


__all__ = [
    "Draft",
    "Known",
    "Likeness",
    "Place",
    "Plan",
    "Tally",
    "completed",
    "likeness",
    "plan",
]


def quarantined_rows(
    record: RawRecord, reading: Reading, recorded: Millis
) -> tuple[Quarantined, ...]:
    """Return the rows of a reading that could not be read, as they are set aside."""
    return tuple(
        Quarantined(
            stream=BOOK,
            at=recorded,
            record=record.digest,
            name=record.name,
            place=row.place,
            reason=row.reason,
            text=row.text,
        )
        for row in reading.unreadable
    )
