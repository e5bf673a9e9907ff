"""Checks of lending reserves: the laws a pool keeps, held against its recorded states.

Within one state: utilization and both rates. Between two: conservation. What a reserve has at hand
and is owed, less what it owes, belongs to the protocol; supplies and withdrawals, borrows and
repayments leave it as it is, so that it can only grow by the protocol's share of the interest
charged, or be taken out.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.errors import NotInForce
from ledger.events import ReserveObserved
from ledger.money import ZERO, canonical
from projections.arithmetic import EXACT
from projections.checks.base import CheckResult, Options, Tally
from projections.rulebooks import formulas, in_force

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.events import Event
    from projections.reference import Reference
    from projections.rulebooks.base import Curve

CLOCK_MS: Final = 5_000
"""How far the moment of an answer may be from that of the state in it, either way."""

APART_MAX_MS: Final = 3_600_000
"""Beyond an hour, what was borrowed in between is not bounded by the two states."""

PRINTED: Final = Decimal("0.0000001")
"""Room for the rounding of six printed amounts of ten places, and of one of eight."""

INCOMPLETE: Final = "the state leaves amounts or rates out"
TOO_FAR: Final = "the states are more than an hour apart"
NO_RULES: Final = "no rulebook for the instant"


def pool_utilization(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every recorded utilization against borrowed ÷ supplied, ten places."""
    tally = Tally("pool-utilization")
    for event in _states(events):
        if event.utilization is None or event.borrowed is None or event.supplied is None:
            tally.unknown(INCOMPLETE)
            continue
        expected = ZERO
        if event.supplied:
            expected = formulas.utilization(EXACT, event.borrowed, event.supplied)
        _compare(tally, event, "utilization", expected=expected, observed=event.utilization)
    return tally.result()


def pool_borrow_rate(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every recorded borrow rate against the curve of the day's rulebook."""
    tally = Tally("pool-borrow-rate")
    for event in _states(events):
        curve = _curve(event)
        if event.borrow_rate is None or event.borrowed is None or event.supplied is None:
            tally.unknown(INCOMPLETE)
        elif curve is None:
            tally.unknown(NO_RULES)
        else:
            used = EXACT.ratio(event.borrowed, event.supplied) if event.supplied else ZERO
            expected = formulas.printed_rate(
                EXACT,
                formulas.borrow_rate(
                    EXACT, used, curve.base.value, curve.slope.value, curve.kink.value
                ),
            )
            _compare(tally, event, "borrow rate", expected=expected, observed=event.borrow_rate)
    return tally.result()


def pool_supply_rate(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every recorded supply rate against borrow rate × utilization × (1 − the share kept)."""
    tally = Tally("pool-supply-rate")
    for event in _states(events):
        curve = _curve(event)
        rates = (event.supply_rate, event.borrow_rate, event.borrowed, event.supplied)
        if any(each is None for each in rates):
            tally.unknown(INCOMPLETE)
            continue
        if curve is None:
            tally.unknown(NO_RULES)
            continue
        supply_rate, borrow_rate, borrowed, supplied = (each or ZERO for each in rates)
        expected = ZERO
        if supplied:
            expected = formulas.supply_rate(
                EXACT, borrow_rate, borrowed, supplied, curve.protocol_share.value
            )
        _compare(tally, event, "supply rate", expected=expected, observed=supply_rate)
    return tally.result()


def pool_conservation(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold the protocol's part of a reserve against its share of the interest between two states.

    It is never negative, and grows by a tenth of the interest charged; if some was taken out, what
    is left is at most what came since. **Order**: states of one reserve, in order of time.
    """
    tally = Tally("pool-conservation")
    by_asset: dict[str, list[ReserveObserved]] = {}
    for event in _states(events):
        by_asset.setdefault(event.asset, []).append(event)
    for states in by_asset.values():
        for state in states:
            held = _buffer(state)
            if held is not None and held < ZERO - PRINTED:
                _say(tally, state, "at least 0", held, "more is owed to suppliers than is there")
        for before, after in pairwise(states):
            _conserved(tally, before, after)
    return tally.result()


def _conserved(tally: Tally, before: ReserveObserved, after: ReserveObserved) -> None:
    held, now, curve = _buffer(before), _buffer(after), _curve(after)
    low, high = _interest(before, after)
    if held is None or now is None or low is None or high is None:
        tally.unknown(INCOMPLETE)
    elif after.at - before.at > APART_MAX_MS:
        tally.unknown(TOO_FAR)
    elif curve is None:
        tally.unknown(NO_RULES)
    else:
        share = curve.protocol_share.value
        least, most = share * low - PRINTED, share * high + PRINTED
        grown = now - held
        if least <= grown <= most:
            tally.agree()
            tally.see("grew by its share")
        elif grown < least and now <= most:
            tally.agree()
            tally.see("was taken out")
        else:
            _say(
                tally, after, f"{canonical(least)} to {canonical(most)}", grown,
                "the protocol's part did not grow by its share of the interest",
            )  # fmt: skip


def _interest(
    before: ReserveObserved, after: ReserveObserved
) -> tuple[Decimal | None, Decimal | None]:
    """Return the least and the most interest that can have been charged between two states."""
    debts = (before.borrowed, after.borrowed)
    rates = (before.borrow_rate, after.borrow_rate)
    if None in debts or None in rates:
        return None, None
    elapsed = after.at - before.at
    owed = [each or ZERO for each in debts]
    rate = [each or ZERO for each in rates]
    shortest = Decimal(max(0, elapsed - CLOCK_MS))
    longest = Decimal(elapsed + CLOCK_MS)
    low = formulas.grown(EXACT, min(owed), min(rate), shortest, 12) - min(owed)
    high = formulas.grown(EXACT, max(owed), max(rate), longest, 12) - max(owed)
    return low, high


def _buffer(state: ReserveObserved) -> Decimal | None:
    if state.balance is None or state.borrowed is None or state.supplied is None:
        return None
    return formulas.buffer(EXACT, state.balance, state.borrowed, state.supplied)


def _states(events: Sequence[Event]) -> Iterator[ReserveObserved]:
    for event in events:
        if isinstance(event, ReserveObserved):
            yield event


def _curve(state: ReserveObserved) -> Curve | None:
    try:
        return in_force(state.at)[0].curve
    except NotInForce:
        return None


def _compare(
    tally: Tally, event: ReserveObserved, what: str, *, expected: Decimal, observed: Decimal
) -> None:
    if expected == observed:
        tally.agree()
    else:
        _say(tally, event, expected, observed, f"the {what} does not follow from the amounts")


def _say(
    tally: Tally,
    event: ReserveObserved,
    expected: Decimal | str,
    observed: Decimal,
    why: str,
) -> None:
    told = expected if isinstance(expected, str) else canonical(expected)
    tally.differ(
        event,
        expected=expected,
        observed=observed,
        severity="error",
        text=f"{event.asset}: {why}; expected {told}, recorded {canonical(observed)}",
    )
