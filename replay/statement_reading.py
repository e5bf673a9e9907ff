"""Reading of statements: the events of a period, each with its source, and recorded prices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger import timeline
from ledger.codec import decode, event_digest
from ledger.entries import AsOf, from_runs, place_of
from ledger.events import ModeChanged, Opened, PerpStateObserved, SpotStateObserved
from ledger.money import ZERO, exact
from ledger.timeline.sheets import at_of
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
from projections.chart import USDC, position, size_asset
from projections.statement import (
    Activity,
    Gap,
    Group,
    Holdings,
    Moved,
    Observed,
    attested,
    holdings,
    shown,
    thing_of,
)
from projections.statement.money import VALUED_THEN
from projections.statement.quantities import Key, State
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
    from ledger.units import Dex
    from projections.chart import Place
    from projections.flows import Cause, Flow
    from projections.prices import Key as PriceKey
    from projections.prices import Price
    from projections.reference import Reference

_PRICED: Final = tuple(
    f'{{"@":"{name}/'.encode() for name in ("price_observed", "candle_observed", "reserve_observed")
)
_SHOWN: Final = tuple(
    f'{{"@":"{name}/'.encode()
    for name in ("perp_state_observed", "spot_state_observed", "mode_changed", "opened")
)
_FILLED: Final = b'{"@":"filled/'
_UNSAID: Final = b'"start_position":null'
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
    is_bare: bool = False
    """Whether nothing by the end moves, shows or attests a balance of what is asked for."""
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


@attrs.define
class _Seen:
    """What a history says of balances otherwise than by movements, by an instant."""

    states: list[tuple[State, str | None]] = attrs.field(factory=list)
    """With the mode at each."""
    said_at: dict[Key, int] = attrs.field(factory=dict)
    """When a fill or an opening last stated one itself."""
    mode: str | None = None


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
        opening, mode = self._holdings(account, Millis(of.period.since - 1))
        closing, _ = self._holdings(account, of.period.until)
        token = of.token
        walked = Walked(
            account=account,
            opening=_only(opening, token),
            closing=_only(closing, token),
            openings=_rests_on(history, of),
        )
        activity = Activity(account, opening, self._reference, mode)
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
        is_attested = bool(_attested(history, of))
        walked.is_bare = not (
            is_attested or walked.opening.amounts or walked.closing.amounts or walked.sums
            or walked.passing or walked.closing.stopped or (token is None and walked.gaps)
            or any(token in {None, asset} for _, asset in walked.closing.sums)
            or any(token in {None, each.asset} for each in walked.observed)
        )  # fmt: skip
        return walked

    def _put(self, walked: Walked, at: Millis, found: Sequence[Flow]) -> None:
        """Add up what goes to no other account; the rest waits for its other side."""
        for flow in found:
            if flow.key is None:
                add(walked.sums, walked.valued, flow, flow.cause, at=at, money=self._of.money)

    def _holdings(self, account: Address, at: Millis) -> tuple[Holdings, str | None]:
        """Return what there was at an instant, as the venue last showed it, and the mode then.

        A balance is what the last state before showed, and what moved since; a position too,
        unless a later fill states its size itself.
        """
        last, mode = self._last_shown(account, at)
        found = self._plain(account, at)
        if found.stopped is not None or not last:
            return found, mode
        then = {
            each: self._plain(account, each) for each in {moment for moment, _ in last.values()}
        }
        amounts = dict(found.amounts)
        with exact():
            for key, (moment, amount) in last.items():
                before = then[moment].amounts.get(key, ZERO)
                amounts[key] = amount + amounts.get(key, ZERO) - before
        return attrs.evolve(
            found, amounts={key: each for key, each in amounts.items() if each}
        ), mode

    def _last_shown(
        self, account: Address, at: Millis
    ) -> tuple[dict[Key, tuple[Millis, Decimal]], str | None]:
        """Return the last balances that states showed by an instant, and the mode then."""
        seen = self._states(account, at)
        last: dict[Key, tuple[Millis, Decimal]] = {}
        exchanges: set[Dex] = set()
        with exact():
            for event, mode in reversed(seen.states):
                held: tuple[Key, ...] = ()
                if isinstance(event, PerpStateObserved):
                    if event.dex in exchanges:
                        continue
                    exchanges.add(event.dex)
                    held = tuple(self._plain(account, event.at).amounts)
                for place, asset, amount in shown(event, self._reference, mode, held):
                    if seen.said_at.get((place, asset), -1) <= event.at:
                        last.setdefault((place, asset), (event.at, amount))
        return last, seen.mode

    def _states(self, account: Address, at: Millis) -> _Seen:
        stream = account_stream(account)
        course = self._engine.course(stream, self._of.position)
        batch_of = self._engine.batches_of(stream)
        seen = _Seen()
        for line in timeline.lines(course, batch_of, 0, course.through(at, batch_of)):
            if line.startswith(_FILLED):
                named = _NAMED.search(line) if seen.states else None
                if named is not None and _UNSAID not in line:
                    coin = Coin(named[1].decode())
                    seen.said_at[position(coin), size_asset(coin)] = at_of(line)
            elif line.startswith(_SHOWN):
                event = decode(line)
                if isinstance(event, ModeChanged):
                    seen.mode = event.mode
                elif isinstance(event, Opened):
                    seen.said_at |= dict.fromkeys(attested(event), event.at)
                elif isinstance(event, PerpStateObserved | SpotStateObserved):
                    seen.states.append((event, seen.mode))
        return seen

    def _plain(self, account: Address, at: Millis) -> Holdings:
        as_of = AsOf(effective=at, position=self._of.position)
        return holdings(self._engine.states(account_stream(account), as_of).states)

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


def _only(found: Holdings, token: Asset | None) -> Holdings:
    if token is None:
        return found
    amounts = {key: each for key, each in found.amounts.items() if key[1] == token}
    return attrs.evolve(found, amounts=amounts)


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


def _attested(history: AccountHistory, of: Of) -> list[Opened]:
    return [event for event in history.openings(of.position) if event.at <= of.period.until]


def _rests_on(history: AccountHistory, of: Of) -> tuple[str, ...]:
    """Return on what the sums of an account rest."""
    found = _attested(history, of)
    who = f"{history.account}: " if of.is_group else ""
    if not found:
        return (who + NO_OPENING,)
    return tuple(
        f"{who}attested by {event.author} from {event.source} at {iso(event.at)}" for event in found
    )
