"""Fold: a history in, states out; the only loop over events.

Every projection sees the events it consumes, in effective order, in the exact context. One that
meets a kind it cannot give a meaning to stops there, and says so in place of its state; the
others go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import msgspec

from ledger.codec import event_id
from ledger.errors import UnknownKind
from ledger.events import Filled, Opened, Unrecognized
from ledger.money import canonical, exact
from ledger.units import Digest, EventId, Millis
from projections import PROJECTIONS
from projections.bulk import RUN_MAX, Bulk
from projections.reference import EMPTY as NO_REFERENCE
from projections.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.events import Event
    from projections.reference import Reference
    from projections.state import Projection

FOLD_VERSION: Final = 2
"""Counts changes of what states hold or how they are written; stored states of others are void."""

STATE_RECIPE: Final = b"rollforward state 1\n"


@attrs.frozen(kw_only=True)
class Stopped:
    """A projection that met a kind it does not know: nothing is known from that moment on."""

    event: EventId
    kind: str
    at: Millis


Held: TypeAlias = State[Any, Any] | Stopped


@attrs.frozen(kw_only=True)
class States:
    """What every projection says after some events, by name, and how many events that were."""

    by_name: Mapping[str, Held]
    events: int = 0
    last_at: Millis | None = None

    def state(self, name: str) -> State[Any, Any]:
        """Return the state of one projection.

        Raises: UnknownKind, when it stopped before.
        """
        held = self.by_name[name]
        if isinstance(held, Stopped):
            raise UnknownKind(kind=held.kind, event=held.event, at=held.at, projection=name)
        return held


BEGINNING: Final = States(by_name={each.NAME: each.EMPTY for each in PROJECTIONS})
"""What every projection says before the first event."""


_SETTLING: Final = frozenset({Filled, Opened, Unrecognized})
"""Kinds that end a run of plain fills: they change the same positions, or stop a projection."""


class Folding:
    """A fold under way, for whoever wants states between events; ``fold`` is the short way.

    Use it inside ``ledger.money.exact``.
    """

    __slots__ = ("_held", "_reference", "_steps", "_stopped", "events", "last_at")

    def __init__(self, reference: Reference = NO_REFERENCE, start: States | None = None) -> None:
        """Begin from *start*, or from nothing."""
        start = start or BEGINNING
        self._reference = reference
        self._held: dict[str, dict[Any, Any]] = {}
        self._stopped: dict[str, Stopped] = {}
        self.events = start.events
        self.last_at = start.last_at
        for name, held in start.by_name.items():
            if isinstance(held, Stopped):
                self._stopped[name] = held
            else:
                self._held[name] = dict(held.by_key)
        self._steps: dict[type, _Steps] = {}

    def take(self, event: Event) -> None:
        """Let every projection have the next event."""
        self._give(event)
        self.events += 1
        self.last_at = event.at

    def run(self, events: Iterable[Event]) -> None:
        """Let every projection have the next events, one after the other.

        Plain fills of perpetuals are put aside and taken together (``bulk``): before an event that
        may touch the same states in another way, when enough have gathered, and at last.
        """
        bulk, give, reference = Bulk(self._held), self._give, self._reference
        count = 0
        event = None
        for event in events:
            count += 1
            if isinstance(event, Filled) and bulk.takes(event):
                if bulk.count >= RUN_MAX:
                    bulk.settle(reference)
                continue
            if type(event) in _SETTLING:
                bulk.settle(reference)
            give(event)
        bulk.settle(reference)
        if event is not None:
            self.events += count
            self.last_at = event.at

    def _give(self, event: Event) -> None:
        kind, reference = type(event), self._reference
        steps = self._steps.get(kind)
        if steps is None:
            steps = self._steps_for(kind)
        for projection, rule, held in steps:
            try:
                rule(held, event, reference)
            except UnknownKind as unknown:
                self._stop(projection, event, unknown)

    def states(self) -> States:
        """Return what every projection says now; later events do not change it."""
        by_name: dict[str, Held] = {}
        for projection in PROJECTIONS:
            name = projection.NAME
            stopped = self._stopped.get(name)
            by_name[name] = State(dict(self._held[name])) if stopped is None else stopped
        return States(by_name=by_name, events=self.events, last_at=self.last_at)

    def held(self, name: str) -> Mapping[Any, Any]:
        """Return the living state of one projection, which the next event may change.

        Raises: UnknownKind, when it stopped before.
        """
        stopped = self._stopped.get(name)
        if stopped is not None:
            raise UnknownKind(
                kind=stopped.kind, event=stopped.event, at=stopped.at, projection=name
            )
        return self._held[name]

    def stopped(self, name: str) -> Stopped | None:
        """Return where a projection stopped; None while it goes on."""
        return self._stopped.get(name)

    def _steps_for(self, kind: type) -> _Steps:
        steps = self._steps[kind] = tuple(
            (projection, projection.record, self._held[projection.NAME])
            for projection in PROJECTIONS
            if kind in projection.CONSUMED and projection.NAME not in self._stopped
        )
        return steps

    def _stop(self, projection: Projection, event: Event, unknown: UnknownKind) -> None:
        self._stopped[projection.NAME] = Stopped(
            event=event_id(event), kind=unknown.kind, at=event.at
        )
        del self._held[projection.NAME]
        self._steps.clear()


if TYPE_CHECKING:
    _Rule: TypeAlias = Callable[[dict[Any, Any], Event, Reference], None]
    _Steps: TypeAlias = tuple[tuple[Projection, _Rule, dict[Any, Any]], ...]


def fold(
    events: Iterable[Event], reference: Reference = NO_REFERENCE, start: States | None = None
) -> States:
    """Return what every projection says after *events*.

    Folding a history in two parts, the second from the states of the first, equals folding it
    whole. **Order**: effective order, ties included.
    """
    with exact():
        folding = Folding(reference, start)
        folding.run(events)
        return folding.states()


def digest(states: States) -> Digest:
    """Return the digest of states: of their canonical JSON, numbers as plain text, keys sorted.

    Equal states have equal digests on any machine, however they were reached.
    """
    return Digest(sha256(STATE_RECIPE + canonical_json(states)).hexdigest())


def canonical_json(states: States) -> bytes:
    """Return the one text of states: an object by projection, each a sorted list of rows."""
    document: dict[str, Any] = {"@": f"states/{FOLD_VERSION}"}
    for name, held in states.by_name.items():
        if isinstance(held, Stopped):
            document[name] = {"at": held.at, "event": held.event, "kind": held.kind}
        else:
            document[name] = [
                [_plain(key), _plain(held.by_key[key])] for key in sorted(held.by_key)
            ]
    return msgspec.json.encode(document, order="sorted")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


_ENCODER: Final = msgspec.json.Encoder()
_DECODERS: Final = {each.NAME: msgspec.json.Decoder(each.ROWS) for each in PROJECTIONS}


class _Stored(msgspec.Struct, array_like=True):
    """Stored states: version, count and moment of the last event, rows and stops by name."""

    version: int
    events: int
    last_at: int | None
    rows: dict[str, msgspec.Raw]
    stopped: dict[str, tuple[str, str, int]]


_STORED: Final = msgspec.json.Decoder(_Stored)


def encode(states: States) -> bytes:
    """Return states as bytes for a checkpoint; ``decode`` gives the same states back."""
    rows: dict[str, msgspec.Raw] = {}
    stopped: dict[str, tuple[str, str, int]] = {}
    for name, held in states.by_name.items():
        if isinstance(held, Stopped):
            stopped[name] = (held.event, held.kind, held.at)
        else:
            rows[name] = msgspec.Raw(_ENCODER.encode(list(held.by_key.items())))
    return _ENCODER.encode(_Stored(FOLD_VERSION, states.events, states.last_at, rows, stopped))


def decode(stored: bytes) -> States:
    """Return the states that ``encode`` wrote.

    Raises: ValueError, when they are of another version of the fold or no states at all; a
    checkpoint is then thrown away and made anew.
    """
    try:
        read = _STORED.decode(stored)
        if read.version != FOLD_VERSION:
            message = f"states of fold version {read.version}, not {FOLD_VERSION}"
            raise ValueError(message)
        by_name: dict[str, Held] = {}
        for projection in PROJECTIONS:
            name = projection.NAME
            if name in read.stopped:
                event, kind, at = read.stopped[name]
                by_name[name] = Stopped(event=EventId(event), kind=kind, at=Millis(at))
            else:
                by_name[name] = State(dict(_DECODERS[name].decode(read.rows[name])))
    except (msgspec.DecodeError, KeyError) as error:
        message = f"not states: {error}"
        raise ValueError(message) from error
    last_at = None if read.last_at is None else Millis(read.last_at)
    return States(by_name=by_name, events=read.events, last_at=last_at)
