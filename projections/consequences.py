"""Consequences: what else would have been recorded, had a history been another one.

A record speaks of the world it was made in. When an event is removed, moved or added, later
records still tell sizes, payments and states of the world as it was; taken over unread, they would
quietly undo the supposition. So each is weighed: what follows from a rule that is linear in the
account's own size is *recomputed*; what would need something nobody recorded is *not knowable*, by
name; all else is *carried over* as it is.

- The size a fill states before it moves by what the account holds more or less; the venue's own
  result of that fill no longer holds and is left out. Ours is derived from fills anyway.
- A funding payment is proportional to the position it was charged on; it is cut after six places.
- An hourly interest row is proportional to what was supplied or borrowed; eight places.
- A recorded state of lending moves by what was supplied or borrowed more or less.
- Hours in which only the supposed account has a position, or a loan, have no payment recorded.

**Source**: linearity of funding and interest: the venue's documents on funding and portfolio
margin; truncation of payments: recorded payments. Status: inferred, for nothing records a world
that was not.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger import events as ev
from ledger.codec import encode, event_id
from ledger.money import ZERO, canonical, divide_down, divide_half_even, exact
from ledger.units import EventId, Millis
from projections import chart
from projections.lending import HOUR_MS, Rates, Walk
from projections.postings import is_perp, moves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.events import Event
    from ledger.units import Asset, Coin
    from projections.lending import Side
    from projections.reference import Reference

AUTHOR: Final = "supposition"

FUNDING_PLACES: Final = 6
INTEREST_PLACES: Final = 8

How: TypeAlias = Literal["recomputed", "not knowable"]


@attrs.frozen(kw_only=True)
class Consequence:
    """One record that would have been another one, or that is missing in the supposed world."""

    at: Millis
    subject: str
    """What it speaks of, such as ``funding BTC``, ``interest USDC``, ``size before BTC``."""
    how: How
    text: str
    event: EventId | None = None
    """The recorded event; None for one that nobody recorded."""
    replaced: ev.Replaced | None = None
    """The event put in its place."""


@attrs.frozen(kw_only=True)
class Consequences:
    """Everything that follows from a supposition, in effective order."""

    found: tuple[Consequence, ...] = ()

    @property
    def events(self) -> tuple[ev.Replaced, ...]:
        """The replacements, to be supposed together with what led to them."""
        return tuple(each.replaced for each in self.found if each.replaced is not None)

    def unknown(self, subject: str) -> tuple[Consequence, ...]:
        """Return what is not knowable about a subject."""
        return tuple(
            each for each in self.found if each.how == "not knowable" and each.subject == subject
        )


def consequences(
    actual: Sequence[Event], supposed: Sequence[Event], reference: Reference
) -> Consequences:
    """Return what follows in the supposed history from its difference to the actual one.

    Both are one account's events in effective order. Only events that stand in both are weighed:
    what a person supposes is taken at his word.
    """
    with exact():
        openings = _openings(actual)
        before = _World(reference, openings)
        worlds: dict[EventId, _Held] = {}
        for event in actual:
            worlds[EventId(event_id(event))] = before.held(event)
            before.take(event)
        after = _World(reference, openings)
        weighing = _Weighing(reference, worlds, before.intervals, after)
        left = {_market(event) for event in supposed}
        for coin in sorted({_market(event) for event in actual} & openings.keys() - left):
            weighing.untold(coin, *openings[coin])
        return weighing.weigh(supposed)


def _market(event: Event) -> str:
    return event.coin if isinstance(event, ev.Filled) else ""


def amount_before(events: Iterable[Event], fill: ev.Filled, reference: Reference) -> Decimal:
    """Return what events add up to of the market or token of a fill, from nothing."""
    world = _World(reference, {})
    for event in events:
        world.take(event)
    ((key, _),) = world.held(fill)
    return world.value(key)


def _openings(events: Sequence[Event]) -> dict[str, tuple[Millis, Decimal]]:
    """Return what perpetual positions began with before everything recorded, as first stated."""
    found: dict[str, tuple[Millis, Decimal]] = {}
    for event in events:
        if isinstance(event, ev.Opened):
            break  # what was there is attested, and told by that event
        if isinstance(event, ev.Filled) and is_perp(event.coin) and event.coin not in found:
            found[event.coin] = events[0].at, event.start_position or ZERO
        elif isinstance(event, ev.FundingPaid) and event.coin not in found:
            found[event.coin] = events[0].at, event.size
    return {coin: each for coin, each in found.items() if each[1]}


_Held: TypeAlias = tuple[tuple[str, Decimal], ...]
"""Amounts that an event speaks of, as they were just before it."""

_Interval: TypeAlias = tuple[Millis, Millis | None]


class _World:
    """Sizes, holdings and loans of one history, event by event; sums of what is recorded."""

    def __init__(self, reference: Reference, openings: dict[str, tuple[Millis, Decimal]]) -> None:
        self._reference = reference
        self._sums: dict[str, Decimal] = {}
        self._walk = Walk(Rates(), reference)
        self.intervals: dict[str, list[_Interval]] = {}
        """When each perpetual had a position, each loan a value; the last one open."""
        for key, (at, size) in openings.items():
            self._move(key, size, at)

    def take(self, event: Event) -> None:
        if isinstance(event, ev.Unrecognized):
            return  # balances stop there; what it moved is not known in either world
        if isinstance(event, ev.Filled) and is_perp(event.coin):
            self._move(event.coin, event.sz if event.side == "B" else -event.sz, event.at)
        elif isinstance(event, ev.Opened):
            for attested in event.positions:
                self._set(attested.coin, attested.size, event.at)
            for balance in event.balances:
                if balance.place in {chart.SPOT, chart.SUPPLIED}:
                    self._move(_token(balance.asset), balance.amount, event.at)
        else:
            for target, source, asset, amount in moves(event, self._reference):
                at_hand = {chart.SPOT, chart.SUPPLIED}
                if (target in at_hand) != (source in at_hand):
                    signed = amount if target in at_hand else -amount
                    self._move(_token(asset), signed, event.at)
        self._walk.take(event)
        for (asset, side), loan in self._walk.loans.items():
            self._set(_loan(asset, side), loan.by_rows, event.at)

    def _move(self, key: str, amount: Decimal, at: Millis) -> None:
        self._set(key, self._sums.get(key, ZERO) + amount, at)

    def _set(self, key: str, value: Decimal, at: Millis) -> None:
        before = self._sums.get(key, ZERO)
        self._sums[key] = value
        if not before and value:
            self.intervals.setdefault(key, []).append((at, None))
        elif before and not value:
            since, _ = self.intervals[key][-1]
            self.intervals[key][-1] = (since, at)

    def value(self, key: str) -> Decimal:
        return self._sums.get(key, ZERO)

    def held(self, event: Event) -> _Held:
        """Return the amounts a record speaks of, before it."""
        return tuple((key, self.value(key)) for key in _keys(event, self._reference))


def _token(asset: Asset) -> str:
    return f"token {asset}"


def _loan(asset: Asset, side: Side) -> str:
    return f"{side} {asset}"


def _keys(event: Event, reference: Reference) -> tuple[str, ...]:
    if isinstance(event, ev.Filled):
        return (event.coin if is_perp(event.coin) else _token(reference.pair(event.coin)[0]),)
    if isinstance(event, ev.FundingPaid):
        return (event.coin,)
    if isinstance(event, ev.InterestAccrued):
        return (_loan(event.asset, "supply"), _loan(event.asset, "borrow"))
    if isinstance(event, ev.LendingStateObserved):
        found = []
        for row in event.loans:
            asset = reference.symbols.get(row.token)
            if asset is not None:
                found += [_loan(asset, "supply"), _loan(asset, "borrow")]
        return tuple(found)
    return ()


class _Weighing:
    """The supposed history, walked once, each record beside what it was in the actual one."""

    def __init__(
        self,
        reference: Reference,
        worlds: dict[EventId, _Held],
        actual: dict[str, list[_Interval]],
        world: _World,
    ) -> None:
        self._reference = reference
        self._worlds = worlds
        self._actual = actual
        self._world = world
        self._found: list[Consequence] = []

    def weigh(self, supposed: Sequence[Event]) -> Consequences:
        last: Millis | None = None
        for event in supposed:
            identity = EventId(event_id(event))
            was = self._worlds.get(identity)
            instead = event
            if was:
                now = tuple((key, self._world.value(key)) for key, _ in was)
                if was != now:
                    instead = self._weighed(identity, event, dict(was), dict(now))
            self._world.take(instead)
            last = event.at
        if last is not None:
            self._missing(last)
        return Consequences(found=tuple(sorted(self._found, key=lambda each: each.at)))

    def untold(self, coin: str, at: Millis, size: Decimal) -> None:
        """Name a position that only the fills said was there, of which none is left."""
        self._unknowable(
            at, f"size {coin}",
            f"no fill is left that says what was held: recorded ones stated {canonical(size)} "
            f"before the first",
        )  # fmt: skip

    def _weighed(
        self, identity: EventId, event: Event, was: dict[str, Decimal], now: dict[str, Decimal]
    ) -> Event:
        if isinstance(event, ev.Filled):
            made: Event = self._fill(event, *was.values(), *now.values())
            subject, text = f"size before {event.coin}", "the size stated before it moves along"
        elif isinstance(event, ev.FundingPaid):
            (one,), (other,) = was.values(), now.values()
            return self._funding(identity, event, one, other)
        elif isinstance(event, ev.InterestAccrued):
            return self._interest(identity, event, was, now)
        elif isinstance(event, ev.LendingStateObserved):
            made = self._state(event, was, now)
            subject, text = "state of lending", "its loans move by what is supposed"
        else:
            return event
        if made != event:
            self._replace(identity, event, made, subject, text)
        return made

    @staticmethod
    def _fill(event: ev.Filled, was: Decimal, now: Decimal) -> ev.Filled:
        start = None if event.start_position is None else event.start_position + now - was
        return attrs.evolve(
            event, start_position=start, reported_closed_pnl=None, reported_net_pnl=None
        )

    def _funding(
        self, identity: EventId, event: ev.FundingPaid, was: Decimal, now: Decimal
    ) -> ev.FundingPaid:
        if not event.size:
            self._unknowable(event.at, f"funding {event.coin}",
                             "a payment on no size cannot be scaled", identity)  # fmt: skip
            return event
        size = event.size + now - was
        paid = divide_down(event.usdc * size, event.size, FUNDING_PLACES)
        made = attrs.evolve(event, size=size, usdc=paid)
        self._replace(identity, event, made, f"funding {event.coin}",
                      "in proportion to the position it is charged on")  # fmt: skip
        return made

    def _interest(
        self,
        identity: EventId,
        event: ev.InterestAccrued,
        was: dict[str, Decimal],
        now: dict[str, Decimal],
    ) -> ev.InterestAccrued:
        amounts: dict[str, Decimal] = {}
        sides: tuple[tuple[Side, Decimal], ...] = (
            ("supply", event.supply), ("borrow", event.borrow),
        )  # fmt: skip
        for side, amount in sides:
            key = _loan(event.asset, side)
            one, other = was[key], now[key]
            if other < ZERO:
                text = f"more was taken off the {side} side than the supposed account had there"
                self._unknowable(event.at, f"interest {event.asset}", text, identity)
                other = ZERO
            amounts[side] = amount
            if one == other:
                continue
            if not one:
                text = f"nothing recorded says what the {side} row ran on"
                self._unknowable(event.at, f"interest {event.asset}", text, identity)
            else:
                amounts[side] = divide_half_even(amount * other, one, INTEREST_PLACES)
        made = attrs.evolve(event, supply=amounts["supply"], borrow=amounts["borrow"])
        if made != event:
            self._replace(identity, event, made, f"interest {event.asset}",
                          "in proportion to what it runs on")  # fmt: skip
        return made

    def _state(
        self, event: ev.LendingStateObserved, was: dict[str, Decimal], now: dict[str, Decimal]
    ) -> ev.LendingStateObserved:
        loans = []
        for row in event.loans:
            asset = self._reference.symbols.get(row.token)
            if asset is not None:
                supply, borrow = _loan(asset, "supply"), _loan(asset, "borrow")
                lent, owed = now[supply] - was[supply], now[borrow] - was[borrow]
                row = attrs.evolve(  # noqa: PLW2901 - the row as supposed stands for the recorded
                    row,
                    supply_basis=row.supply_basis + lent,
                    supply_value=row.supply_value + lent,
                    borrow_basis=row.borrow_basis + owed,
                    borrow_value=row.borrow_value + owed,
                )
            loans.append(row)
        return attrs.evolve(event, loans=tuple(loans))

    def _missing(self, until: Millis) -> None:
        """Name the hours in which only the supposed account has a position or a loan."""
        for key, spans in self._world.intervals.items():
            if key.startswith("token "):
                continue
            for since, end in spans:
                for start, stop in _without((since, end or until), self._actual.get(key, []),
                                            until):  # fmt: skip
                    hours = _hours(start, stop)
                    if hours > 0:
                        side, _, asset = key.partition(" ")
                        is_loan = side in {"supply", "borrow"} and bool(asset)
                        what = f"interest {asset}" if is_loan else f"funding {key}"
                        self._unknowable(
                            Millis(start),
                            what,
                            f"{hours} hours until {stop} have no payment recorded: only the "
                            f"supposed account has {key}",
                        )

    def _replace(
        self, identity: EventId, event: Event, made: Event, subject: str, text: str
    ) -> None:
        replaced = ev.Replaced(
            stream=event.stream,
            at=event.at,
            target=identity,
            replacement=encode(made).decode(),
            author=AUTHOR,
            reason=text,
        )
        self._found.append(Consequence(at=event.at, subject=subject, how="recomputed", text=text,
                                       event=identity, replaced=replaced))  # fmt: skip

    def _unknowable(
        self, at: Millis, subject: str, text: str, event: EventId | None = None
    ) -> None:
        self._found.append(
            Consequence(at=at, subject=subject, how="not knowable", text=text, event=event)
        )


def _hours(since: int, until: int) -> int:
    """Return how many turns of the hour lie in a span: each brings a payment."""
    return until // HOUR_MS - since // HOUR_MS


def _without(
    span: tuple[int, int], others: Iterable[_Interval], until: int
) -> list[tuple[int, int]]:
    """Return the parts of a span outside all the others."""
    found, start = [], span[0]
    for since, end in others:
        stop = until if end is None else end
        if since > start:
            found.append((start, min(since, span[1])))
        start = max(start, stop)
        if start >= span[1]:
            break
    if start < span[1]:
        found.append((start, span[1]))
    return [(one, other) for one, other in found if other > one]


def touched(found: Consequences, coin: Coin) -> tuple[Consequence, ...]:
    """Return the consequences that speak of one market."""
    return tuple(each for each in found.found if each.subject.endswith(f" {coin}"))
