"""Learned: what a book was told between two positions, in steps, each with its cause.

A step is a batch of the account, or a part of it: corrections, openings and second records stand
apart from plain events, so that every share has one kind of cause. Batches of markets and metadata
are steps of their own; those of one record that follow each other are one.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

import attrs

from ledger.codec import decode, event_id
from ledger.entries import from_runs, place_of
from ledger.errors import UnknownKind
from ledger.events import Annulled, Contradicted, Opened, Ordered, Replaced
from ledger.timeline.sheets import kind_of_line
from ledger.units import VENUE, Digest, EventId, Stream
from projections.beliefs import Cause, Kind
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.entries import Header
    from replay.audit import AccountHistory
    from replay.engine import Engine
    from replay.knowledge import Knowledge

NAMED_MAX: Final = 16
"""Up to so many events of one step are named by their identities."""

PARTS_MAX: Final = 64
"""A batch in which kinds of causes alternate more often is one step, unless every event is."""

METADATA: Final = (b'{"@":"market_listed/', b'{"@":"pair_listed/', b'{"@":"token_listed/')
PRICES: Final = (
    b'{"@":"price_observed/', b'{"@":"candle_observed/', b'{"@":"reserve_observed/',
    b'{"@":"margin_table_set/', b'{"@":"market_listed/',
)  # fmt: skip

BUDGET: Final = 1_000_000
"""Events that one answer may fold over and over; where steps of their own would need more,
neighbors of new events are taken together. It is about a minute."""

TAKEN_TOGETHER: Final = ", taken together"

STEP_COSTS: Final = 32
"""What building one course costs at least, counted in folded events."""

_SINGLE: Final = frozenset({Annulled, Replaced, Opened})
"""Kinds of which each is a step: a person said why."""


@attrs.frozen(kw_only=True)
class Step:
    """Something was recorded: afterwards the book knows everything up to ``position``.

    ``rows`` counts the first rows of the batch at that position which are known by then; None
    when all of it is.
    """

    position: int
    stream: Stream
    rows: int | None
    cause: Cause


def steps(
    account: AccountHistory,
    knowledge: Knowledge,
    *,
    first: int,
    last: int,
    markets: bool,
    detail: bool,
) -> Iterator[Step]:
    """Yield what was recorded after position *first* up to *last* and may concern the account.

    *markets* tells whether prices count, *detail* whether every event is a step.
    **Order**: of recording; inside a batch in its own order, with what the batch claims to cover
    at its end.
    """
    found = _headers(account, knowledge, first, last, markets=markets)
    own = account.stream
    for (stream, _), together in groupby(found, key=lambda each: _together(each, own)):
        if stream == own:
            for header in together:
                yield from _parts(account, header, detail=detail)
        else:
            yield from _of_markets(account.audit.engine, tuple(together), markets=markets)


def _together(header: Header, own: Stream) -> tuple[Stream | None, Digest | None]:
    """Return what neighboring batches must share to be looked at in one go."""
    return (own, None) if header.stream == own else (None, header.record)


def _headers(
    account: AccountHistory, knowledge: Knowledge, first: int, last: int, *, markets: bool
) -> list[Header]:
    engine = account.audit.engine
    streams = [account.stream, VENUE]
    if markets:
        streams += [info.stream for info in engine.book.streams()
                    if info.stream.startswith(("market:", "reserve:"))]  # fmt: skip
    found = [
        header
        for stream in streams
        for header in engine.headers(stream, last)
        if header.position > first and (stream == VENUE or knowledge.reaches(header))
    ]
    return sorted(found, key=lambda header: header.position)


# ------------------------------------------------------------------------- within a budget


def within(found: Sequence[Step], headers: Sequence[Header], budget: int = BUDGET) -> list[Step]:
    """Return steps of which an answer can be made in reasonable time.

    A batch in the order of time is folded once. One that arrives late is folded with all that
    happened after it, and so is every part of it. Where the sum of this goes beyond the *budget*,
    neighboring steps of new events become one: its share is what they did together, and the shares
    still add up to the difference.
    """
    costs = _costs(found, headers)
    group = -(-sum(costs) // max(budget, 1))  # groups are as large as the budget asks, no larger
    if group <= 1:
        return list(found)
    kept: list[Step] = []
    for kind, together in groupby(found, key=lambda step: (step.cause.kind, step.stream)):
        some = list(together)
        if kind[0] != "new events":
            kept += some
            continue
        kept += [_joined(some[at : at + group]) for at in range(0, len(some), group)]
    return kept


def _costs(found: Sequence[Step], headers: Sequence[Header]) -> list[int]:
    """Return about how many events every step makes a fold go through once more."""
    late: dict[int, int] = {}
    known, reached = 0, -1
    for header in headers:
        known += header.count
        late[header.position] = known if header.first_at <= reached else 0
        reached = max(reached, header.last_at)
    # A step of a market has no number here: the course of the account stays as it is.
    return [STEP_COSTS + late.get(step.position, 0) for step in found]


def _joined(some: list[Step]) -> Step:
    """Return neighboring steps of new events as one."""
    if len(some) == 1:
        return some[0]
    last = some[-1]
    count = sum(step.cause.count for step in some)
    batches = len({step.position for step in some})
    of = f"position {last.position}" if batches == 1 else f"{batches} batches"
    records = {step.cause.record for step in some}
    cause = attrs.evolve(
        last.cause,
        text=f"{count} events of {of}{TAKEN_TOGETHER}",
        record=last.cause.record if len(records) == 1 else None,
        place="",
        events=(),
        count=count,
    )
    return attrs.evolve(last, cause=cause)


# ------------------------------------------------------------------------- of the account


def _parts(account: AccountHistory, header: Header, *, detail: bool) -> Iterator[Step]:
    """Yield the steps of one batch of the account."""
    lines = account.audit.engine.batch(account.stream, header.version).lines
    ends = _ends(lines, detail=detail)
    start = 0
    for end in ends:
        is_last = end == len(lines) and not header.covers
        cause = _cause(header, lines, start, end)
        yield Step(position=header.position, stream=header.stream,
                   rows=None if is_last else end, cause=cause)  # fmt: skip
        start = end
    if header.covers or not lines:
        families = ", ".join(dict.fromkeys(cover.family for cover in header.covers))
        cause = _of_batch(header, "new events", f"shows every record of {families}")
        yield Step(position=header.position, stream=header.stream, rows=None, cause=cause)


def _ends(lines: tuple[bytes, ...], *, detail: bool) -> list[int]:
    """Return where the parts of a batch end."""
    if detail:
        return list(range(1, len(lines) + 1))
    ends: list[int] = []
    before: tuple[Kind, type | None] | None = None
    for number, line in enumerate(lines):
        kind = _kind(line)
        if before is not None and (kind != before or kind[1] in _SINGLE):
            ends.append(number)
        before = kind
    if lines:
        ends.append(len(lines))
    return ends if len(ends) <= PARTS_MAX else ends[-1:]


def _kind(line: bytes) -> tuple[Kind, type | None]:
    """Return the kind of cause a row is; of housekeeping, its class too."""
    known = kind_of_line(line)
    cls = None if known is None else known.event_class
    if cls in {Annulled, Replaced, Opened, Contradicted, Ordered}:
        return "correction", cls
    return "new events", None


def _cause(header: Header, lines: tuple[bytes, ...], start: int, end: int) -> Cause:
    some = lines[start:end]
    kinds = {_kind(line)[0] for line in some}
    cause = _of_batch(header, "new events" if "new events" in kinds else "correction",
                      _described(some))  # fmt: skip
    place = ""
    if header.record is not None:
        rows = tuple(islice(from_runs(header.rows), start, end))
        place = place_of(header.answer, rows[0])
        if len(rows) > 1:
            place = f"{place} … {place_of(header.answer, rows[-1])}"
    ids = tuple(_identity(line) for line in some) if len(some) <= NAMED_MAX else ()
    return attrs.evolve(cause, events=ids, count=len(some), place=place)


def _of_batch(header: Header, kind: Kind, text: str) -> Cause:
    return Cause(
        kind=kind,
        text=text,
        position=header.position,
        recorded=header.recorded,
        record=header.record,
        count=0,
    )


def _identity(line: bytes) -> EventId:
    try:
        return event_id(decode(line))
    except UnknownKind:
        return EventId("")


def _described(lines: tuple[bytes, ...]) -> str:
    """Return rows in words: one as itself, several counted by kind."""
    if len(lines) == 1:
        try:
            event = decode(lines[0])
        except UnknownKind:
            return "an event of a kind this program does not know"
        said = described(event)
        if isinstance(event, Annulled | Replaced):
            return f"{event.author} {said}"
        if isinstance(event, Contradicted):
            return f"a second record of {event.target[:12]}"
        if isinstance(event, Ordered):
            return f"the order of {len(event.events)} events of one millisecond"
        return said
    known = (kind_of_line(line) for line in lines)
    counted = Counter("unknown kind" if kind is None else kind.name for kind in known)
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counted.items()))


# ------------------------------------------------------------------------- of markets


def _of_markets(engine: Engine, headers: tuple[Header, ...], *, markets: bool) -> Iterator[Step]:
    """Yield the step of batches of markets, reserves and the venue, if they can matter."""
    is_metadata = any(h.stream == VENUE and _has(engine, h, METADATA) for h in headers)
    before, after = headers[0].position - 1, headers[-1].position
    # Prices often come with lists of markets that say nothing new.
    is_metadata = is_metadata and engine.reference(before) != engine.reference(after)
    if not is_metadata and not (markets and any(_has(engine, h, PRICES) for h in headers)):
        return
    names = tuple(dict.fromkeys(h.stream.partition(":")[2] or "the venue" for h in headers))
    count = sum(header.count for header in headers)
    of = names[0] if len(names) == 1 else f"{len(names)} markets"
    cause = _of_batch(
        headers[-1],
        "metadata" if is_metadata else "prices",
        f"{count} records of {of}" if count > 1 else f"a record of {of}",
    )
    yield Step(
        position=headers[-1].position,
        stream=headers[-1].stream,
        rows=None,
        cause=attrs.evolve(cause, count=count),
    )


def _has(engine: Engine, header: Header, heads: tuple[bytes, ...]) -> bool:
    lines = engine.batch(header.stream, header.version).lines
    return any(line.startswith(heads) for line in lines)
