"""Reading of statements: the events of a period, each with its source, and recorded prices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger import timeline
from ledger.codec import decode, event_digest
from ledger.entries import AsOf, from_runs, place_of
from ledger.money import ZERO, exact
from ledger.units import (
    VENUE,
    Address,
    Asset,
    Coin,
    Digest,
    Millis,
    account_stream,
    market_stream,
    reserve_stream,
)
from projections.chart import USDC
from projections.statement import (
    Activity,
    Gap,
    Group,
    Holdings,
    Moved,
    Observed,
    holdings,
    thing_of,
)
from projections.statement.money import VALUED_THEN
from projections.valuation import Prices, observed_prices
from replay.audit import NO_OPENING, AccountHistory, Audit
from replay.moments import iso
from replay.periods import Period
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal

    from ledger.entries import Batch
    from ledger.events import Event
    from ledger.timeline import Course
    from projections.chart import Place
    from projections.flows import Cause, Flow
    from projections.prices import Key as PriceKey
    from projections.prices import Price
    from projections.reference import Reference
    from projections.statement.quantities import Key

_PRICED: Final = tuple(
    f'{{"@":"{name}/'.encode() for name in ("price_observed", "candle_observed", "reserve_observed")
)
_NAMED: Final = re.compile(rb'"(?:coin|asset)":"([^"\\\\]*)"')
"""The market or token a price is of, where its name needs no escapes."""

Line: TypeAlias = "tuple[bytes, Callable[[], str]]"
Sums: TypeAlias = "dict[tuple[Place, Asset, Cause], Decimal]"
Valued: TypeAlias = "dict[tuple[Key, Cause], dict[Millis, Decimal]]"


@attrs.frozen(kw_only=True)
class Of:
    """What a statement is of, and how it was asked for."""

    group: Group
    """For one account, a group of it alone."""
    is_group: bool
    period: Period
    position: int
    money: Asset
    token: Asset | None

    @property
    def name(self) -> str:
        """The account, or the name of the group."""
        return self.group.name


@attrs.frozen(kw_only=True)
class Entry:
    """One leg of the activity, with the record it comes from."""

    moved: Moved
    digest: Digest
    """Digest of the event's canonical line."""
    what: str
    source: str
    """Raw record and place inside it; who acted, for what a person added."""


@attrs.define(kw_only=True)
class Walked:
    """What one account's events in the period came to."""

    account: Address
    opening: Holdings
    closing: Holdings
    sums: Sums = attrs.field(factory=dict)
    """By place, token and cause, of what goes to no other account."""
    valued: Valued = attrs.field(factory=dict)
    """The same by thing, cause and moment, where a price of the moment is asked for."""
    passing: list[tuple[Moved, int | None]] = attrs.field(factory=list)
    """What may go to another account, with the number of its entry."""
    entries: list[Entry] = attrs.field(factory=list)
    gaps: tuple[Gap, ...] = ()
    observed: tuple[Observed, ...] = ()
    openings: tuple[str, ...] = ()
    count: int = 0


def add(sums: Sums, valued: Valued, flow: Flow, cause: Cause, *, at: Millis, money: Asset) -> None:
    """Add a leg to the sums of its cause, and to what is valued at its moment.

    Must be called in the exact context.
    """
    about = flow.place, flow.asset, cause
    sums[about] = sums.get(about, ZERO) + flow.amount
    if cause in VALUED_THEN:
        # The money itself is worth one at any time: its amounts are summed up.
        moment = Millis(0) if flow.asset == money else at
        moments = valued.setdefault((thing_of(flow.place, flow.asset), cause), {})
        moments[moment] = moments.get(moment, ZERO) + flow.amount


class Reader:
    """Reads accounts and prices of a book, as known at one position."""

    def __init__(self, audit: Audit, of: Of) -> None:
        """Read what *of* asks for."""
        self._audit = audit
        self._of = of
        self._engine = audit.engine
        self._reference: Reference = audit.engine.reference(of.position)
        self._names = {entry.digest: entry.name for entry in audit.book.records()}

    def walk(self, account: Address, *, entries: bool) -> Walked:
        """Return what an account had, what happened, and what it had then."""
        of, history = self._of, self._audit.account(account)
        walked = Walked(
            account=account,
            opening=self._holdings(account, Millis(of.period.since - 1)),
            closing=self._holdings(account, of.period.until),
            openings=_rests_on(history, of),
        )
        activity = Activity(account, walked.opening, self._reference)
        token = of.token
        with exact():
            for line, source in self._lines(account):
                event = decode(line)
                found = activity.take(event)
                if token is not None:
                    found = tuple(flow for flow in found if flow.asset == token)
                if found:
                    self._put(walked, event.at, found)
                    if entries or found[0].key is not None:
                        moved = activity.moved(event, found)
                        first = len(walked.entries) if entries else None
                        if found[0].key is not None:
                            walked.passing += _numbered(moved, first)
                        if entries:
                            walked.entries += _entries(moved, line, event, source)
        walked.gaps, walked.observed = tuple(activity.gaps), tuple(activity.observed)
        walked.count = activity.count
        return walked

    def _put(self, walked: Walked, at: Millis, found: Sequence[Flow]) -> None:
        """Add up what goes to no other account; the rest waits for its other side."""
        for flow in found:
            if flow.key is None:
                add(walked.sums, walked.valued, flow, flow.cause, at=at, money=self._of.money)

    def _holdings(self, account: Address, at: Millis) -> Holdings:
        as_of = AsOf(effective=at, position=self._of.position)
        found = holdings(self._engine.states(account_stream(account), as_of).states)
        token = self._of.token
        if token is None:
            return found
        return attrs.evolve(
            found, amounts={key: each for key, each in found.amounts.items() if key[1] == token}
        )

    def _lines(self, account: Address) -> Iterator[tuple[bytes, Callable[[], str]]]:
        """Yield the canonical lines of the period in effective order, each with its source."""
        stream, period = account_stream(account), self._of.period
        course = self._engine.course(stream, self._of.position)
        batch_of = self._engine.batches_of(stream)
        start = course.through(period.since - 1, batch_of)
        stop = course.through(period.until, batch_of)
        places: dict[int, tuple[str, ...]] = {}
        for version, row, count in course.pieces(start, stop):
            if version == timeline.LITERAL:
                literal = course.literals[row]
                yield literal.line, lambda: "corrected by a person"
                continue
            batch = batch_of(version)
            if version not in places:
                places[version] = self._places(batch)
            for number in range(row, row + count):
                yield batch.lines[number], _later(places[version], number)

    def _places(self, batch: Batch) -> tuple[str, ...]:
        header = batch.header
        if header.record is None:
            return ("a person's act",) * header.count
        name = self._names.get(header.record, header.record)
        return tuple(f"{name} {place_of(header.answer, row)}" for row in from_runs(header.rows))

    def prices(self, things: Iterable[Key]) -> Prices:
        """Return the recorded prices of some things, and of what their prices are told in."""
        named = {Asset(USDC), self._of.money}
        coins: set[str] = set()
        for place, asset in things:
            if place.startswith("position:"):
                coins.add(place[9:])
                named.add(self._reference.collateral_of(Coin(place[9:])))
            else:
                named.add(asset)
        coins |= {coin for coin, (base, _) in self._reference.pairs.items() if base in named}
        coins |= {f"{asset}/USDC" for asset in named} | set(named)
        streams = [VENUE, *(market_stream(Coin(coin)) for coin in sorted(coins))]
        streams += [reserve_stream(asset) for asset in sorted(named)]
        wanted = {name.encode() for name in (*coins, *named)}
        found: dict[PriceKey, list[Price]] = {}
        for stream in streams:
            course = self._engine.course(stream, self._of.position)
            for key, series in observed_prices(self._priced(course, wanted)).items():
                found.setdefault(key, []).extend(series)
        for series in found.values():
            series.sort(key=lambda price: price.at)
        return Prices(found, self._reference, self._of.money)

    def _priced(self, course: Course, wanted: Iterable[bytes]) -> Iterator[Event]:
        """Yield the prices of a course; lines of other kinds and markets are not decoded."""
        if course.stream is None:
            return
        names = frozenset(wanted)
        for line in timeline.lines(course, self._engine.batches_of(course.stream)):
            if not line.startswith(_PRICED):
                continue
            named = _NAMED.search(line)
            if named is None or named[1] in names:
                yield decode(line)


def _numbered(legs: Sequence[Moved], first: int | None) -> Iterator[tuple[Moved, int | None]]:
    """Yield legs with the numbers of their entries, where entries are kept."""
    for number, moved in enumerate(legs):
        yield moved, None if first is None else first + number


def _entries(
    legs: Sequence[Moved], line: bytes, event: Event, source: Callable[[], str]
) -> Iterator[Entry]:
    digest, what, where = event_digest(line), described(event), source()
    for moved in legs:
        yield Entry(moved=moved, digest=digest, what=what, source=where)


def _later(places: tuple[str, ...], number: int) -> Callable[[], str]:
    return lambda: places[number]


def _rests_on(history: AccountHistory, of: Of) -> tuple[str, ...]:
    """Return on what the sums of an account rest."""
    found = [event for event in history.openings(of.position) if event.at <= of.period.until]
    who = f"{history.account}: " if of.is_group else ""
    if not found:
        return (who + NO_OPENING,)
    return tuple(
        f"{who}attested by {event.author} from {event.source} at {iso(event.at)}" for event in found
    )
