"""Seen: recorded events of a few kinds, with their places, without decoding all the others.

A history may have a million events and a few hundred observed states. Lines are told apart by how
they begin; only the wanted ones are decoded, and nothing is folded.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import attrs

from ledger import timeline
from ledger.codec import decode, event_id
from ledger.errors import MalformedRecord
from ledger.events import (
    Event,
    LendingStateObserved,
    ModeChanged,
    PerpStateObserved,
    ReserveObserved,
    ReserveOperated,
    SpotStateObserved,
)
from ledger.importers.dates import parse_http_date
from ledger.kinds import KIND_OF
from ledger.units import Asset, Digest, Millis, Stream, reserve_stream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ledger.units import EventId
    from replay.engine import Engine

_CAPTURE: Final = re.compile(r"\[(\d+)\]\.response")

OF_ACCOUNTS: Final = (
    PerpStateObserved, SpotStateObserved, LendingStateObserved, ModeChanged, ReserveOperated,
)  # fmt: skip
"""What an account's history says that a reconciliation of states or supplies looks at."""


@attrs.frozen(kw_only=True)
class Seen:
    """One event of a course: where it stands, and when it came into the book."""

    event: Event
    ordinal: int
    """How many events of the course come before it."""
    recorded: Millis
    """When the book took it in; for what a correction put there, when the last batch came in."""
    fetched: Millis | None
    """When its answer was captured, where that is known; see ``captured``."""
    record: Digest | None
    answer: str
    """Raw record, and the place of the answer in it."""

    @property
    def identity(self) -> EventId:
        """The identity of the event."""
        return event_id(self.event)


def seen(
    engine: Engine, stream: Stream, position: int, kinds: Collection[type] = OF_ACCOUNTS
) -> Iterator[Seen]:
    """Yield the events of some kinds in effective order, as known at a position."""
    heads = tuple(f'{{"@":"{KIND_OF[kind].name}/'.encode() for kind in kinds)
    headers = {header.version: header for header in engine.headers(stream, position)}
    last = max((header.recorded for header in headers.values()), default=0)
    records = {entry.digest: entry.fetched for entry in engine.book.records()}
    course = engine.course(stream, position)
    ordinal = 0
    for version, row, count in course.pieces():
        if version == timeline.LITERAL:
            lines: tuple[bytes, ...] = (course.literals[row].line,)
            recorded, fetched, record, answer = last, None, None, ""
        else:
            lines = engine.batch(stream, version).lines[row : row + count]
            header = headers[version]
            recorded, record, answer = header.recorded, header.record, header.answer
            fetched = None if record is None else records.get(record)
        for number, line in enumerate(lines):
            if line.startswith(heads):
                yield Seen(
                    event=decode(line),
                    ordinal=ordinal + number,
                    recorded=Millis(recorded),
                    fetched=fetched,
                    record=record,
                    answer=answer,
                )
        ordinal += len(lines)


def captured(engine: Engine, each: Seen) -> Seen:
    """Return the same with the moment its answer was captured, where a capture names it.

    A state carries the venue's moment; the date of the answer stands beside it in the raw record.
    """
    place = _CAPTURE.match(each.answer)
    if each.fetched is not None or each.record is None or place is None:
        return each
    try:
        row = json.loads(engine.book.record(each.record).body)[int(place[1])]
        at = parse_http_date(row["recorded_at_http_date"])
    except (ValueError, LookupError, TypeError, MalformedRecord):
        return each  # the record is of another form: it names no date
    return attrs.evolve(each, fetched=at)


def reserve_states(engine: Engine, asset: Asset, position: int) -> tuple[ReserveObserved, ...]:
    """Return all recorded states of one reserve, by moment, as known at a position."""
    found = seen(engine, reserve_stream(asset), position, (ReserveObserved,))
    return tuple(each.event for each in found if isinstance(each.event, ReserveObserved))


def reserves(engine: Engine) -> tuple[Asset, ...]:
    """Return the tokens of which the book has a reserve, by name."""
    names = (info.stream.removeprefix("reserve:") for info in engine.book.streams()
             if info.stream.startswith("reserve:"))  # fmt: skip
    return tuple(sorted(Asset(name) for name in names))
