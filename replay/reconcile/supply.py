"""Supply: what a supplier of a reserve was paid, as public states bound it and own states show it.

Public states are those of the reserve, which anybody can ask for. The account's own lending states
begin and end a stretch, and its operations in between are taken in as they came; what it earned
between them is then held against the interval.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.events import (
    InterestAccrued,
    LendingStateObserved,
    ObservedLoan,
    ReserveObserved,
    ReserveOperated,
)
from ledger.money import ZERO, exact
from ledger.units import Asset, Millis
from projections.arithmetic import EXACT
from projections.pool import CLOCK_MS
from projections.pool_bounds import Bounded, Pace, RateBounds, bounds, payout
from projections.rulebooks import formulas
from replay.audit import AccountHistory
from replay.reconcile.seen import Seen, captured, seen

if TYPE_CHECKING:
    from collections.abc import Sequence

PRINTED_LOAN: Final = Decimal("1e-8")
"""Recorded values of a supply have eight places; what is behind them is not known."""

Inside: TypeAlias = Literal["inside", "outside", "unknown"]
Own: TypeAlias = ReserveOperated | InterestAccrued


@attrs.frozen(kw_only=True)
class Paid:
    """What a supply earned under one assumption, at least and at most. **Units**: the token."""

    bound: RateBounds
    least: Decimal
    most: Decimal
    verdict: Inside


@attrs.frozen(kw_only=True)
class Share:
    """One stretch of a supply, from a recorded value (or a given amount) to the next or the end."""

    since: Millis
    until: Millis
    value: Decimal
    """Supplied at the beginning."""
    moved: Decimal
    """Supplied more in between, less what was withdrawn."""
    observed: Decimal | None
    """What the next recorded value says it earned; None where none ends the stretch."""
    rate: Decimal | None
    """The same as a simple yearly rate on the value at the beginning; None where it was moved."""
    rows: Decimal | None
    """The venue's hourly rows in it; None where none is recorded."""
    bounded: Bounded
    paid: tuple[Paid, ...]
    unrecorded: bool = False
    """True where its basis is another one at the end, and no operation is recorded: what it earned
    cannot be told from what was moved."""
    events: tuple[Seen, ...] = ()
    """The recorded states at both ends, where there are."""


@attrs.frozen(kw_only=True)
class Supply:
    """Whose share is asked for: an account's recorded supply, or a plain amount."""

    account: AccountHistory | None = None
    amount: Decimal | None = None


def anchors(history: AccountHistory, every: Sequence[ReserveObserved], position: int) -> list[Seen]:
    """Return the recorded lending states of an account that name the reserve's token."""
    token = token_of(every)
    engine = history.audit.engine
    found = seen(engine, history.stream, position, (LendingStateObserved,))
    return [captured(engine, each) for each in found if _loan(each, token) is not None]


def token_of(every: Sequence[ReserveObserved]) -> int | None:
    """Return the venue's index of a reserve's token."""
    return next((state.token for state in every if state.token is not None), None)


def _loan(each: Seen, token: int | None) -> Decimal | None:
    found = _row(each, token)
    return None if found is None else found.supply_value


def _basis(each: Seen, token: int | None) -> Decimal | None:
    """Return the principal since the last operation: it moves with operations, and only so."""
    found = _row(each, token)
    return None if found is None else found.supply_basis


def _row(each: Seen, token: int | None) -> ObservedLoan | None:
    event = each.event
    if not isinstance(event, LendingStateObserved):
        return None
    return next((loan for loan in event.loans if loan.token == token), None)


def shares(
    every: Sequence[ReserveObserved],
    ends: tuple[Millis, Millis],
    position: int,
    supply: Supply,
    pace: Pace | None,
    asset: Asset,
) -> list[Share]:
    """Return what a supply earned, stretch by stretch between its recorded values, to the end.

    **Order**: *every* state of the reserve by moment; *ends* are the first and the last moment.
    """
    since, until = ends
    if supply.account is None:
        return [_share(every, since, until, supply.amount or ZERO, pace, printed=ZERO)]
    token = token_of(every)
    known = [each for each in anchors(supply.account, every, position)
             if since <= each.event.at <= until]  # fmt: skip
    own = _own(supply.account, asset, position)
    found = [
        _between(every, before, after, own, token, pace)
        for before, after in pairwise(known)
        if _loan(before, token)
    ]
    if known and known[-1].event.at < until:
        at, value = known[-1].event.at, _loan(known[-1], token)
        moves = _moves(own, at, until)
        if value or moves:
            rows = _rows(own, at, until)
            found.append(_share(every, at, until, value or ZERO, pace, moves=moves, rows=rows))
    return found


def _own(history: AccountHistory, asset: Asset, position: int) -> list[Own]:
    """Return the account's operations on a reserve and its hourly rows, in effective order."""
    found = seen(history.audit.engine, history.stream, position, (ReserveOperated, InterestAccrued))
    return [
        each.event
        for each in found
        if isinstance(each.event, ReserveOperated | InterestAccrued) and each.event.asset == asset
    ]


def _moves(own: list[Own], since: Millis, until: Millis) -> list[tuple[Millis, Decimal]]:
    signs = {"supply": Decimal(1), "withdraw": Decimal(-1)}
    with exact():
        return [
            (event.at, signs[event.operation] * event.amount)
            for event in own
            if isinstance(event, ReserveOperated)
            and event.operation in signs
            and since < event.at <= until
        ]


def _rows(own: list[Own], since: Millis, until: Millis) -> Decimal | None:
    rows = [event.supply for event in own
            if isinstance(event, InterestAccrued) and since < event.at <= until]  # fmt: skip
    with exact():
        return sum(rows, ZERO) if rows else None


def _between(
    every: Sequence[ReserveObserved],
    before: Seen,
    after: Seen,
    own: list[Own],
    token: int | None,
    pace: Pace | None,
) -> Share:
    """Return the stretch between two recorded values of one supply."""
    since, until = before.event.at, after.event.at
    start, end = _loan(before, token) or ZERO, _loan(after, token) or ZERO
    moves = _moves(own, since, until)
    unrecorded = not moves and _basis(before, token) != _basis(after, token)
    with exact():
        moved = sum((amount for _, amount in moves), ZERO)
        earned = None if unrecorded else end - start - moved
    found = _share(
        every, since, until, start, pace,
        moves=moves, observed=earned, rows=_rows(own, since, until), events=(before, after),
    )  # fmt: skip
    return attrs.evolve(found, unrecorded=unrecorded)


def _share(
    every: Sequence[ReserveObserved],
    since: Millis,
    until: Millis,
    value: Decimal,
    pace: Pace | None,
    *,
    moves: list[tuple[Millis, Decimal]] | None = None,
    observed: Decimal | None = None,
    rows: Decimal | None = None,
    events: tuple[Seen, ...] = (),
    printed: Decimal = PRINTED_LOAN,
) -> Share:
    moved = moves or []
    clock = CLOCK_MS if events else 0
    whole = bounds(every, since, until, pace, clock_ms=clock)
    paid = []
    for bound in whole.by:
        least, most = _carried(every, bound, value, moved, pace, clock, printed)
        paid.append(
            Paid(bound=bound, least=least, most=most, verdict=_inside(observed, least, most))
        )
    with exact():
        rate = None
        if observed is not None and value and not moved:
            rate = formulas.simple_rate(EXACT, observed, value * (until - since))
        total = sum((amount for _, amount in moved), ZERO)
    return Share(
        since=since, until=until, value=value, moved=total, observed=observed, rate=rate,
        rows=rows, bounded=whole, paid=tuple(paid), events=events,
    )  # fmt: skip


def _carried(
    every: Sequence[ReserveObserved],
    bound: RateBounds,
    value: Decimal,
    moves: list[tuple[Millis, Decimal]],
    pace: Pace | None,
    clock: int,
    printed: Decimal,
) -> tuple[Decimal, Decimal]:
    """Return what was earned at least and at most, moves between the ends taken in as they came."""
    if not moves:
        return payout(value, bound, printed=printed)
    low = high = value
    least = most = ZERO
    marks = [(bound.since, ZERO), *moves, (bound.until, ZERO)]
    for (start, amount), (end, _) in pairwise(marks):
        with exact():
            low, high = max(ZERO, low + amount), max(ZERO, high + amount)
        if end <= start:
            continue
        part = bounds(every, start, end, pace, clock_ms=clock)
        found = next((each for each in part.by if each.assumption == bound.assumption), None)
        if found is None:  # states refute the pace in this part alone: the curve still holds
            found = part.by[0]
        fewest, _ = payout(low, found, printed=printed)
        _, greatest = payout(high, found, printed=printed)
        with exact():
            least, most = least + fewest, most + greatest
            low, high = low + fewest, high + greatest
    return least, most


def _inside(observed: Decimal | None, least: Decimal, most: Decimal) -> Inside:
    """Tell whether an amount is inside, half known as it is in its last place at either end."""
    if observed is None:
        return "unknown"
    with exact():
        is_inside = least - PRINTED_LOAN <= observed <= most + PRINTED_LOAN
    return "inside" if is_inside else "outside"
