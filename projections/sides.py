"""Sides: what is known of each token and side of an account, hour by hour, out of its events.

A side begins where something tells what it stands at: a recorded state, an attested opening, or the
caller's word that the history is whole, which makes it nothing before the first event. The basis a
state shows is the principal right after the operation before it; where no other standing is known,
the side begins there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from ledger import events as ev
from ledger.money import ZERO, exact
from ledger.units import Asset, Millis
from projections.conventions import Standing
from projections.lending import HOUR_MS, SIDES, Key, Side
from projections.payouts import Hour, Mark, Paid, hours_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ledger.events import Event
    from ledger.units import EventId
    from projections.lending import Rates

_MOVES: Final[Mapping[str, tuple[Side, int]]] = {
    "supply": ("supply", 1), "withdraw": ("supply", -1),
    "borrow": ("borrow", 1), "repay": ("borrow", -1),
}  # fmt: skip
_SIDE_OF_PLACE: Final[Mapping[str, Side]] = {"supplied": "supply", "borrowed": "borrow"}


@attrs.frozen(kw_only=True)
class Sides:
    """Every side of an account: its hours, and the marks they were made of."""

    hours: Mapping[Key, tuple[Hour, ...]]
    marks: Mapping[Key, tuple[Mark, ...]]


def paid_rows(
    events: Iterable[Event], identity: Callable[[Event], EventId] | None = None
) -> Iterator[Paid]:
    """Yield the amounts of recorded interest rows, each side for itself; zeros are passed over."""
    for event in events:
        if isinstance(event, ev.InterestAccrued):
            amounts = {"supply": event.supply, "borrow": event.borrow}
            for side in SIDES:
                if amounts[side]:
                    yield Paid(
                        at=event.at,
                        asset=event.asset,
                        side=side,
                        amount=amounts[side],
                        event=None if identity is None else identity(event),
                    )


def sides(
    events: Sequence[Event],
    rows: Sequence[Paid],
    known: Rates,
    symbols: Mapping[int, Asset],
    *,
    since: Millis,
    until: Millis,
    is_complete: bool = False,
) -> Sides:
    """Return the hours of every side from where something is known of it to an hour after *until*.

    *since* and *until* are on the hour. Of states before *since* the last one of a side is where
    it begins. ``is_complete`` is the caller's word that nothing stood before the first event.

    **Order**: events in effective order.
    """
    with exact():
        marks = _marks(events, symbols)
    for row in rows:
        marks.setdefault(row.key, [])
    first = min((mark.at for own in marks.values() for mark in own), default=since)
    first = min([first, since, *(row.at for row in rows)])
    hours: dict[Key, tuple[Hour, ...]] = {}
    for key, own in marks.items():
        if is_complete:
            own.insert(0, Mark(Millis(_hour_of(first)), told=Standing(ZERO, ZERO)))
        begin = _begin(own, since)
        hours[key] = hours_of(
            key, own, known, since=begin, until=Millis(_hour_of(until) + HOUR_MS)
        )  # fmt: skip
    return Sides(hours=hours, marks={key: tuple(own) for key, own in marks.items()})


def _hour_of(at: int) -> int:
    return at - at % HOUR_MS


def _begin(marks: Sequence[Mark], since: Millis) -> Millis:
    """Return the hour from which a side has to be walked: its last state before the period."""
    told = [mark.at for mark in marks if mark.told is not None and not mark.is_weak]
    before = [at for at in told if at <= since - HOUR_MS]
    begin = before[-1] if before else min([since - HOUR_MS, *(mark.at for mark in marks)])
    return Millis(_hour_of(begin))


def _marks(events: Sequence[Event], symbols: Mapping[int, Asset]) -> dict[Key, list[Mark]]:
    """Return what moves each side, and what tells its standing, in effective order."""
    found: dict[Key, list[Mark]] = {}
    last_moved: dict[Key, int] = {}
    for event in events:
        if isinstance(event, ev.ReserveOperated):
            side, sign = _MOVES[event.operation]
            own = found.setdefault((event.asset, side), [])
            own.append(Mark(event.at, change=sign * event.amount))
            last_moved[event.asset, side] = len(own)
        elif isinstance(event, ev.Opened):
            for balance in event.balances:
                opened = _SIDE_OF_PLACE.get(balance.place)
                if opened is not None:
                    standing = Standing(balance.amount, balance.amount)
                    found.setdefault((balance.asset, opened), []).append(
                        Mark(event.at, told=standing)
                    )
        elif isinstance(event, ev.LendingStateObserved):
            for key, standing in _shown(event, symbols):
                if key not in found and not standing.value:
                    continue
                own = found.setdefault(key, [])
                place = last_moved.pop(key, None)
                own.append(Mark(event.at, told=standing))
                if place is not None and standing.basis <= standing.value:
                    at = own[place - 1].at
                    basis = Standing(standing.basis, standing.basis)
                    own.insert(place, Mark(at, told=basis, is_weak=True))
    return found


def _shown(
    event: ev.LendingStateObserved, symbols: Mapping[int, Asset]
) -> Iterator[tuple[Key, Standing]]:
    for loan in event.loans:
        asset = symbols.get(loan.token, Asset(f"token {loan.token}"))
        yield (asset, "supply"), Standing(loan.supply_value, loan.supply_basis)
        yield (asset, "borrow"), Standing(loan.borrow_value, loan.borrow_basis)
