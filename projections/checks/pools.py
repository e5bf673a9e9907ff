"""Checks of lending reserves: the laws a pool keeps, held against its recorded states.

Within one state: utilization and both rates. Between two: conservation. What a reserve has at hand
and is owed, less what it owes, belongs to the protocol; supplies and withdrawals, borrows and
repayments leave it as it is, so that it can only grow by the protocol's share of the interest
charged, or be taken out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.events import ReserveObserved
from ledger.money import canonical, exact
from projections import pool
from projections.checks.base import CheckResult, Options, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from decimal import Decimal

    from ledger.events import Event
    from projections.reference import Reference

NOT_KEPT: Final = "the protocol's part did not grow by its share of the interest"


def pool_utilization(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every recorded utilization against borrowed ÷ supplied, ten places."""
    return _each("pool-utilization", pool.utilization, events)


def pool_borrow_rate(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every recorded borrow rate against the curve of the day's rulebook."""
    return _each("pool-borrow-rate", pool.borrow_rate, events)


def pool_supply_rate(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every recorded supply rate against borrow rate × utilization × (1 − the share kept)."""
    return _each("pool-supply-rate", pool.supply_rate, events)


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
            held = pool.buffer(state)
            if held is not None and pool.is_short(state):
                _say(tally, state, "at least 0", held, "more is owed to suppliers than is there")
        for each in pool.pairs(states):
            _conserved(tally, each)
    return tally.result()


def _conserved(tally: Tally, each: pool.Pair) -> None:
    grown = each.grown
    if each.kept == "unknown" or grown is None or each.least is None or each.most is None:
        tally.unknown(each.lacking)
    elif each.kept == "does not follow":
        told = f"{canonical(each.least)} to {canonical(each.most)}"
        _say(tally, each.after, told, grown, NOT_KEPT)
    else:
        tally.agree()
        tally.see(each.kept)


def _each(
    name: str, rule: Callable[[ReserveObserved], pool.Line], events: Sequence[Event]
) -> CheckResult:
    tally = Tally(name)
    for event in _states(events):
        with exact():
            line = rule(event)
        if line.lacking or line.expected is None or line.observed is None:
            tally.unknown(line.lacking)
        elif line.verdict == "agrees":
            tally.agree()
        else:
            why = f"the {line.name} does not follow from the amounts"
            _say(tally, event, line.expected, line.observed, why)
    return tally.result()


def _states(events: Sequence[Event]) -> Iterator[ReserveObserved]:
    for event in events:
        if isinstance(event, ReserveObserved):
            yield event


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
