"""Walk: one account folded once, in effective order, giving the rows of its tables.

A walk begins at nothing or at a checkpoint, and goes to the end of the course. What a row says
comes from the fold, the postings and the judgement of margin; here it only gets its shape. A row
of an event stands at its ordinal, a row of an hour at its full hour, so that whatever a walk
writes replaces what an earlier one wrote of the same stretch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import attrs

from ledger import events as ev
from ledger import timeline
from ledger.codec import decode, decode_all, identity
from ledger.events import Event
from ledger.money import canonical, exact, unscaled
from projections import balances, fold, liquidations, positions
from projections.chart import IN_TRANSIT, is_own, summed
from projections.fold import Folding, States, Stopped
from projections.postings import fee_asset, is_perp, paid
from replay.history import Running
from replay.readmodel import hours, tables
from replay.readmodel.cash import transfer_row
from replay.readmodel.columns import plain
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.timeline import Course
    from ledger.units import Address
    from projections.positions import Fill, Position
    from projections.reference import Reference
    from replay.engine import Engine
    from replay.readmodel.columns import Cell, Table
    from replay.readmodel.margins import Margins

HOUR_MS: Final = 3_600_000

EVERY: Final = 1024
"""Events between two checkpoints of the file."""


class Sink(Protocol):
    """Where rows go."""

    def put(self, table: Table, row: Sequence[Cell]) -> None:
        """Take one row, its cells in the order of the table's stored columns."""
        ...


@attrs.frozen(kw_only=True)
class Start:
    """Where a walk begins: after how many events, and what every projection said then."""

    ordinal: int = 0
    states: States | None = None

    @property
    def at(self) -> int:
        """Moment of the last event before it; -1 where there is none."""
        last = self.states.last_at if self.states is not None else None
        return -1 if last is None else last


@attrs.frozen(kw_only=True)
class _Placed:
    """An event in its place: its ordinal, its identity, and the recorded event that says so."""

    ordinal: int
    event: Event
    id: str
    recorded_as: str


def hour_after(at: int) -> int:
    """Return the full hour at or after a moment.

    Example:
    >>> hour_after(7_200_000), hour_after(7_200_001)
    (7200000, 10800000)
    """
    return -(-at // HOUR_MS) * HOUR_MS


def walk(
    engine: Engine, account: Address, course: Course, position: int, start: Start, sink: Sink,
    margins: Margins,
) -> int:  # fmt: skip
    """Write every row of an account from *start* on; return how many events were folded.

    Raises: BrokenChain, when what is stored is damaged.
    """
    way = _Way(account, engine.reference(position), start, sink, margins)
    with exact():
        for placed in _placed(engine, course, start.ordinal):
            way.take(placed)
        way.end()
    return course.count - start.ordinal


def _placed(engine: Engine, course: Course, start: int) -> Iterator[_Placed]:
    """Yield the events of a course from an ordinal on."""
    stream, ordinal = course.stream, start
    if stream is None:
        return
    for version, row, count in course.pieces(start):
        if version == timeline.LITERAL:
            literal = course.literals[row]
            event = decode(literal.line)
            assert literal.version is not None, "nothing is supposed here"
            said = engine.batch(stream, literal.version).lines[literal.row]
            yield _Placed(
                ordinal=ordinal,
                event=event,
                id=identity(event, literal.line).hex(),
                recorded_as=identity(decode(said), said).hex(),
            )
        else:
            lines = engine.batch(stream, version).lines[row : row + count]
            for number, (event, line) in enumerate(zip(decode_all(lines), lines, strict=True)):
                name = identity(event, line).hex()
                yield _Placed(ordinal=ordinal + number, event=event, id=name, recorded_as=name)
        ordinal += count


class _Way:
    """One account under way."""

    def __init__(
        self, account: Address, reference: Reference, start: Start, sink: Sink, margins: Margins
    ) -> None:
        self.account = account
        self.reference = reference
        self.sink = sink
        self.margins = margins
        self.folding = Folding(reference, start.states)
        self.running = _running(reference, start.states)
        self.next_hour = hour_after(start.at) if start.at >= 0 else None
        self.said: tuple[States, list[hours.Said]] | None = None
        """What the last full hour said, for as long as nothing happens."""

    def take(self, placed: _Placed) -> None:
        """Write the rows of the hours before an event, and its own."""
        event = placed.event
        if self.next_hour is None:
            self.next_hour = hour_after(event.at)
        while event.at > self.next_hour:
            self._hour()
        if placed.ordinal % EVERY == 0 and placed.ordinal:
            self.sink.put(tables.CHECKPOINTS, hours.checkpoint(
                self.account, placed.ordinal, self.folding.states()))  # fmt: skip
        is_fill = isinstance(event, ev.Filled)
        before = self._position_of(event) if is_fill else None
        self.folding.take(event)
        self.said = None
        self._rows(placed, before)
        self._movements(placed)

    def end(self) -> None:
        """Write the hour after the last event, and what is told of the whole."""
        if self.next_hour is not None:
            self._hour()
        held = self.folding.states().by_name[liquidations.NAME]
        if not isinstance(held, Stopped):
            for number, episode in sorted(held.by_key.items()):
                self.sink.put(tables.LIQUIDATIONS, _liquidation(self.account, number, episode))

    def _hour(self) -> None:
        """Write the rows of the next full hour, everything up to it being folded."""
        assert self.next_hour is not None, "there was an event"
        if self.said is None:
            states = self.folding.states()
            self.said = states, list(hours.said(states))
        states, found = self.said
        for table, cells in found:
            self.sink.put(table, (self.account, self.next_hour, *cells))
        row = self.margins.row(self.account, self.next_hour, states)
        self.sink.put(tables.MARGIN_BY_HOUR, row)
        self.next_hour += HOUR_MS

    # ------------------------------------------------------------------- rows of one event

    def _rows(self, placed: _Placed, before: Position | None) -> None:
        event = placed.event
        head: tuple[Cell, ...] = (
            self.account, placed.ordinal, placed.id, placed.recorded_as, event.at
        )  # fmt: skip
        match event:
            case ev.Filled():
                self.sink.put(tables.FILLS, (*head, *self._fill(event, before)))
            case ev.FundingPaid():
                asset = self.reference.collateral_of(event.coin)
                self.sink.put(tables.FUNDING, (
                    *head, event.coin, asset, canonical(event.usdc), canonical(event.size),
                    canonical(event.rate),
                ))  # fmt: skip
            case ev.InterestAccrued():
                amounts = canonical(event.supply), canonical(event.borrow)
                self.sink.put(tables.INTEREST, (*head, event.asset, *amounts))
            case ev.ReserveOperated():
                self.sink.put(tables.LENDING, (
                    *head, event.operation, event.asset, canonical(event.amount),
                    plain(event.reported_interest), event.tx_hash,
                ))  # fmt: skip
            case _:
                row = transfer_row(event)
                if row is not None:
                    self.sink.put(tables.TRANSFERS, (*head, *row))

    def _position_of(self, event: Event) -> Position | None:
        """Return the position a fill meets; None where there is none, or it is not known."""
        assert isinstance(event, ev.Filled)
        if self.folding.stopped(positions.NAME) is not None:
            return None
        held = self.folding.held(positions.NAME)
        found: Position | None = held.get(positions.key(event.coin, self.reference))
        return found

    def _fill(self, event: ev.Filled, before: Position | None) -> tuple[Cell, ...]:
        after: Position | None = None
        did: Fill | None = None
        if self.folding.stopped(positions.NAME) is None:
            rule = positions.perp_filled if is_perp(event.coin) else positions.spot_filled
            after, did = rule(before, event, self.reference)
        pair = self.reference.pairs.get(event.coin)
        return (
            event.coin, event.coin if pair is None else "/".join(pair), event.side,
            event.direction, canonical(event.px), canonical(event.sz), canonical(paid(event)),
            plain(event.fee), fee_asset(event, self.reference), plain(event.builder_fee),
            None if after is None else canonical(positions.size(after)),
            None if after is None or did is None or did.result is None
            else canonical(unscaled(did.result, after.money_places)),
            plain(event.reported_closed_pnl),
            None if event.crossed is None else int(event.crossed),
            _name(event.oid), _name(event.tid), event.tx_hash, self._episode(event),
        )  # fmt: skip

    def _episode(self, event: ev.Filled) -> int | None:
        if self.folding.stopped(liquidations.NAME) or not liquidations.is_liquidation(event):
            return None
        return len(self.folding.held(liquidations.NAME)) or None

    def _movements(self, placed: _Placed) -> None:
        event = placed.event
        changes = self.running.take(event)
        is_unknown = self.running.unknown_since is not None
        # An opening sets what it names; what it changed hangs on balances, which are unknown then.
        hangs = is_unknown and isinstance(event, ev.Opened)
        for key, change in changes.items():
            self.sink.put(tables.MOVEMENTS, (
                self.account, placed.ordinal, placed.id, placed.recorded_as, event.at,
                place_name(key[0]), key[1], None if hangs else canonical(change),
                None if is_unknown else canonical(self.running.balances[key]),
            ))  # fmt: skip


def _running(reference: Reference, states: States | None) -> Running:
    """Return running balances as they stand where a walk begins."""
    running = Running(reference)
    held = None if states is None else states.by_name[balances.NAME]
    if isinstance(held, Stopped):
        running.unknown_since = held.at
    elif held is not None:
        for (place, asset), amount in held.by_key.items():
            if is_own(place) or place == IN_TRANSIT:
                running.balances[summed(place), asset] = amount
    return running


def _name(value: int | None) -> str | None:
    """Return a number that only names something as text: nobody adds it up."""
    return None if value is None else str(value)


def _liquidation(account: Address, number: int, episode: liquidations.Episode) -> tuple[Cell, ...]:
    return (
        account, number, episode.first_at, episode.last_at, episode.fills,
        ", ".join(f"{coin} {canonical(size)}" for coin, size in episode.closed),
        canonical(episode.notional), ", ".join(episode.methods), plain(episode.marked),
    )  # fmt: skip


def states_of(blob: bytes) -> States:
    """Return the states of a checkpoint. Raises: ValueError, when they are none."""
    return fold.decode(hours.unpacked(blob))
