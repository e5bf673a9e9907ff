"""Marks: events of an account as marks on its lines, gathered where there are too many.

Told are the events that do something by themselves: trades, transfers, lending, liquidations,
changes of mode, openings. Funding and interest come every hour and are no marks; what they come
to is in the lines. One pass over the lines of the history, few of them decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger import events as ev
from ledger import timeline
from ledger.codec import decode, event_id
from ledger.errors import RollforwardError
from ledger.kinds import KIND_OF
from ledger.money import canonical
from ledger.timeline.sheets import at_of
from ledger.units import EventId, Millis
from projections import liquidations
from projections.fold import Stopped
from replay.margin_timeline import said

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from ledger.events import Event
    from ledger.units import Stream
    from projections.fold import States
    from projections.reference import Reference
    from replay.engine import Engine

MARKS_MAX: Final = 240
"""More marks than this are gathered."""

TOLD_MAX: Final = 40
"""A mark of more events than this says how many they are, not what each is."""

LIQUIDATIONS_MAX: Final = 60

SHARES: Final = 480
"""In a long history, events of one family within this part of its span are gathered at once."""

SLICE: Final = 8192
"""Lines of the history read in one slice of work."""

FAMILIES: Final[Mapping[type, str]] = {
    ev.Filled: "fills",
    ev.Deposited: "transfers",
    ev.Withdrawn: "transfers",
    ev.ClassTransferred: "transfers",
    ev.Transferred: "transfers",
    ev.VaultDeposited: "transfers",
    ev.VaultWithdrawn: "transfers",
    ev.StakingTransferred: "transfers",
    ev.ReserveOperated: "lending",
    ev.ModeChanged: "mode",
    ev.Opened: "opening",
    ev.Unrecognized: "unknown",
}
"""Family of a mark, by kind of event."""

LIQUIDATION: Final = "liquidation"

_FAMILY_OF_NAME: Final = {KIND_OF[kind].name.encode(): name for kind, name in FAMILIES.items()}
_POLLED: Final = b'"observed":true'


@attrs.frozen(kw_only=True)
class Mark:
    """Something that happened, or several of one family together."""

    ms: Millis
    """The first of them."""
    until: Millis
    """The last of them."""
    family: str
    """``fills``, ``transfers``, ``lending``, ``liquidation``, ``mode``, ``opening`` or
    ``unknown``."""
    what: str
    event: EventId
    """The identity of the first."""
    count: int


@attrs.define
class _Group:
    """Events of one family that lie together, as they are found."""

    family: str
    first_at: int
    last_at: int
    count: int
    lines: list[bytes]
    """The first few; the others are counted."""

    def join(self, other: _Group) -> None:
        self.last_at = other.last_at
        self.count += other.count
        self.lines += other.lines[: TOLD_MAX - len(self.lines)]


def marks(
    engine: Engine, stream: Stream, position: int, states: States
) -> Generator[None, None, tuple[Mark, ...]]:
    """Return the marks of a stream as known at a position, in order of time, in slices of work.

    *states* are those after its last event.
    """
    reference = engine.reference(position)
    gathered = yield from _gathered(engine, stream, position)
    found = [_mark(group, reference) for group in _few(gathered)]
    yield
    found += _liquidations(engine, stream, position, states)
    return tuple(sorted(found, key=lambda mark: (mark.ms, mark.family)))


def _gathered(engine: Engine, stream: Stream, position: int) -> Generator[None, None, list[_Group]]:
    """Return the events told, in groups of one family and one moment, or part of the span."""
    course, batch_of = engine.course(stream, position), engine.batches_of(stream)
    width = 1
    if course.count > MARKS_MAX:
        width = max(1, (course.last_ats[-1] - course.first_ats[0]) // SHARES)
    groups: dict[tuple[str, int], _Group] = {}
    for start in range(0, course.count, SLICE):
        for line in timeline.lines(course, batch_of, start, start + SLICE):
            family = _FAMILY_OF_NAME.get(line[6 : line.find(b"/", 6)])
            if family is not None and (family != "mode" or _POLLED not in line):
                _put(groups, family, at_of(line), width, line)
        yield
    return list(groups.values())


def _put(
    groups: dict[tuple[str, int], _Group], family: str, at: int, width: int, line: bytes
) -> None:
    group = groups.get((family, at // width))
    if group is None:
        groups[family, at // width] = _Group(family, at, at, 1, [line])
        return
    group.last_at = at
    group.count += 1
    if len(group.lines) < TOLD_MAX:
        group.lines.append(line)


def _few(groups: list[_Group]) -> list[_Group]:
    """Return groups gathered over longer and longer spans, until there are few enough."""
    groups.sort(key=lambda group: (group.family, group.first_at))
    span = 1
    while len(groups) > MARKS_MAX:
        span *= 2
        kept: list[_Group] = []
        for group in groups:
            last = kept[-1] if kept else None
            if last and last.family == group.family and group.last_at - last.first_at <= span:
                last.join(group)
            else:
                kept.append(group)
        groups = kept
    return groups


def _mark(group: _Group, reference: Reference) -> Mark:
    if group.count > TOLD_MAX:
        first = _event(group.lines[0])
        what = f"{group.count:,} {_PLURAL[group.family]}"
    else:
        events = [event for line in group.lines if (event := _event(line)) is not None]
        first = events[0] if events else None
        what = said(events, reference) if events else "of a kind this program does not know"
    return Mark(
        ms=Millis(group.first_at),
        until=Millis(group.last_at),
        family=group.family,
        what=what,
        event=EventId("") if first is None else event_id(first),
        count=group.count,
    )


_PLURAL: Final = {
    "fills": "fills", "transfers": "transfers", "lending": "movements of lending",
    "mode": "changes of mode", "opening": "openings", "unknown": "events of unknown kinds",
}  # fmt: skip


def _event(line: bytes) -> Event | None:
    try:
        return decode(line)
    except RollforwardError:
        return None


def _liquidations(engine: Engine, stream: Stream, position: int, states: States) -> Iterator[Mark]:
    """Yield the episodes of the liquidations projection, each with its first event."""
    held = states.by_name[liquidations.NAME]
    episodes = [] if isinstance(held, Stopped) else sorted(held.by_key.items())
    together = -(-len(episodes) // LIQUIDATIONS_MAX) or 1
    for start in range(0, len(episodes), together):
        part = episodes[start : start + together]
        (first, one), (last, other) = part[0], part[-1]
        what = f"liquidations L-{first} to L-{last}"
        if first == last:
            closed = ", ".join(f"{canonical(size)} {coin}" for coin, size in one.closed)
            what = f"liquidation L-{first}" + (f": {closed}" if closed else "")
        yield Mark(
            ms=one.first_at,
            until=other.last_at,
            family=LIQUIDATION,
            what=what,
            event=_first_of(engine, stream, position, one.first_at),
            count=sum(max(1, episode.fills) for _, episode in part),
        )


def _first_of(engine: Engine, stream: Stream, position: int, at: Millis) -> EventId:
    """Return the identity of the first event of a moment that tells of a liquidation."""
    course, batch_of = engine.course(stream, position), engine.batches_of(stream)
    start, stop = course.through(at - 1, batch_of), course.through(at, batch_of)
    for event in timeline.events(course, batch_of, start, stop):
        is_fill = isinstance(event, ev.Filled) and liquidations.is_liquidation(event)
        if is_fill or isinstance(event, ev.Liquidated):
            return event_id(event)
    return EventId("")
