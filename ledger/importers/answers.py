"""One answer of the info service: what was asked, what came, and what is known around it.

Every module of answers offers ``AnswerKind`` lines: which request types it reads, how the shape
is known when there is no request, and the function that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import ge, le
from typing import TYPE_CHECKING, Final, TypeVar, cast

import attrs

from ledger import codec
from ledger.entries import Covered, Family, Part, Source, Unreadable, place_of
from ledger.errors import MalformedRecord, NeedsHint
from ledger.events.base import Fact
from ledger.importers import door
from ledger.importers.base import NO_HINTS, Hints, Json
from ledger.units import Address, Asset, Dex, Millis, account_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Event
    from ledger.units import Stream

E = TypeVar("E", bound=Fact)

SYMBOLS: Final[Mapping[int, str]] = {
    0: "USDC",
    150: "HYPE",
    197: "UBTC",
    235: "USDE",
    268: "USDT0",
    360: "USDH",
}
"""Symbols of the tokens that reserves and collateral are told in, by the index on the main
network. Source: the venue's page on portfolio margin and its spot metadata, read 2026-10."""


def symbol(token: int) -> Asset:
    """Return the symbol of a token's index: ``HYPE`` for 150, ``token:1105`` where we know none."""
    return Asset(SYMBOLS.get(token, f"token:{token}"))


@attrs.frozen(kw_only=True)
class Answer:
    """One answer: its value, where it stands in the record, whose it is and of what moment."""

    name: str
    value: Json
    path: str = ""
    request: Mapping[str, Json] = attrs.field(factory=dict)
    account: Address | None = None
    at: Millis | None = None
    hints: Hints = NO_HINTS

    @property
    def stream(self) -> Stream:
        """The stream of the account the answer is about. Raises: NeedsHint."""
        if self.account is None:
            raise NeedsHint(
                name=self.name,
                question="it does not say whose account it is about",
                flag="--account 0x…",
            )
        return account_stream(self.account)

    @property
    def moment(self) -> Millis:
        """The moment the answer was given, where it carries none itself. Raises: NeedsHint."""
        if self.at is None:
            raise NeedsHint(
                name=self.name,
                question="it is a snapshot that does not say of what moment",
                flag="--at 2026-01-31T12:00:00Z",
            )
        return self.at

    @property
    def asked_dex(self) -> Dex | None:
        """The perpetuals exchange that was asked about, where request or person say so."""
        asked = self.request.get("dex")
        if isinstance(asked, str):
            return Dex(door.text(self.request, "dex"))
        return self.hints.dex


@attrs.frozen(kw_only=True)
class Found:
    """What was found in one answer."""

    parts: tuple[Part, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class AnswerKind:
    """One kind of answer: its name, the requests it answers, its shape, its reader."""

    name: str
    types: frozenset[str]
    fits: Callable[[Json], bool]
    read: Callable[[Answer], Found]


def joined(founds: Sequence[Found]) -> Found:
    """Return several findings as one, in order."""
    return Found(
        parts=tuple(part for found in founds for part in found.parts),
        unreadable=tuple(row for found in founds for row in found.unreadable),
        notes=tuple(dict.fromkeys(note for found in founds for note in found.notes)),
    )


def first_row(value: Json) -> Mapping[str, Json]:
    """Return the first object of an array, or an empty one: what its shape is judged by."""
    if isinstance(value, list):
        return next((row for row in value if isinstance(row, dict)), {})
    return {}


# ------------------------------------------------------------------------- rows


def read_rows(
    answer: Answer, rows: Sequence[Json], make: Callable[[Json], Event]
) -> tuple[list[Event], list[int], list[Unreadable]]:
    """Return events, their row numbers and the rows that could not be read."""
    events: list[Event] = []
    numbers: list[int] = []
    unreadable: list[Unreadable] = []
    for number, row in enumerate(rows):
        try:
            event = make(row)
        except MalformedRecord as error:
            unreadable.append(unreadable_row(answer, number, row, str(error)))
        else:
            events.append(event)
            numbers.append(number)
    return events, numbers, unreadable


def unreadable_row(answer: Answer, number: int, row: Json, reason: str) -> Unreadable:
    """Return a row that stays outside, with its place and the reason."""
    return Unreadable(place=place_of(answer.path, number), reason=reason, text=door.as_text(row))


def in_effective_order(
    events: list[E], numbers: list[int], *, newest_first: bool
) -> tuple[list[E], list[int]]:
    """Return rows oldest first; a list that runs backward is reversed whole, ties included.

    ``newest_first`` says which way a list runs whose rows are all of one millisecond. A list
    that runs both ways (pages put together) is turned the way most of it runs, then sorted by
    time with ties left as they are. Source: recorded fills, 45 of 45 positions continue when
    the list is reversed whole, 8 of 45 when sorted by time and number.
    """
    times = [event.at for event in events]
    later = times[1:]
    forward, backward = all(map(le, times, later)), all(map(ge, times, later))
    if forward and not backward:
        return events, numbers
    if backward and (newest_first or not forward):
        return events[::-1], numbers[::-1]
    if forward:
        return events, numbers
    steps = sum((a < b) - (a > b) for a, b in zip(times, later, strict=False))
    if steps < 0:
        events, numbers = events[::-1], numbers[::-1]
    order = sorted(range(len(events)), key=lambda index: events[index].at)
    return [events[index] for index in order], [numbers[index] for index in order]


def told_apart(events: list[E], *, only: Callable[[E], bool] | None = None) -> list[E]:
    """Return the events with look-alikes counted: of equal natural keys, 0, 1 and so on.

    An answer does not repeat itself, so two rows of one key in one answer are two events.
    ``only`` picks the events that may have look-alikes at all.
    """
    seen: dict[bytes, int] = {}
    result = events
    for index, event in enumerate(events):
        if only is not None and not only(event):
            continue
        key = codec.identity(cast("Event", event))
        count = seen.get(key, 0)
        seen[key] = count + 1
        if count:
            if result is events:
                result = list(events)
            result[index] = attrs.evolve(event, occurrence=count)
    return result


def part(
    answer: Answer,
    stream: Stream,
    events: Sequence[Event],
    numbers: Sequence[int],
    *,
    covers: tuple[Covered, ...] = (),
    path: str | None = None,
) -> tuple[Part, ...]:
    """Return one part, or none where there are no events."""
    if not events:
        return ()
    source: Source = "api"
    return (
        Part(
            stream=stream,
            source=source,
            answer=answer.path if path is None else path,
            rows=tuple(numbers),
            events=tuple(events),
            covers=covers,
        ),
    )


def alone(answer: Answer, stream: Stream, event: Event) -> Found:
    """Return the finding of an answer that is one event."""
    return Found(parts=part(answer, stream, (event,), (0,)))


# ------------------------------------------------------------------------- coverage


def covered(
    answer: Answer,
    family: Family,
    events: Sequence[Fact],
    numbers: Sequence[int],
    *,
    count: int,
    page: int,
) -> tuple[Covered, ...]:
    """Return the interval of which the answer shows every event of the family.

    *events* in effective order, *numbers* their rows among the *count* of the answer. The asked
    window where request and page length allow it, otherwise from the first event to the last. A
    full page loses the millisecond at its cut end: the oldest where the newest rows came first,
    else the latest. Page lengths changed over the years (500, then 2,000), so every multiple of
    *page* counts as full. Nothing is claimed where rows could not be read, or ran both ways:
    then they were put together by somebody, and what lies between them is not known.
    """
    newest = len(numbers) > 1 and numbers[0] > numbers[-1]
    if len(numbers) < count or not numbers or list(numbers) != sorted(numbers, reverse=newest):
        return ()
    since, until = int(events[0].at), int(events[-1].at)
    # The end of a window belongs to it, but for interest, where it is said not to.
    beyond = 1 if family == "interest" else 0
    full = count % page == 0
    asked_since, asked_until = _asked(answer, "startTime"), _asked(answer, "endTime")
    if asked_since is not None and not (full and newest):
        since = min(since, asked_since)
    if asked_until is not None and answer.at is not None and (newest or not full):
        until = max(until, min(asked_until - beyond, int(answer.at)))
    if full and newest:
        since += 1
    elif full:
        until -= 1
    if until < since:
        return ()
    return (Covered(family=family, since=Millis(since), until=Millis(until)),)


def _asked(answer: Answer, field: str) -> int | None:
    value = answer.request.get(field)
    return value if type(value) is int else None
