"""Pool: what follows from the recorded states of a lending reserve, alone and two by two.

Within one state utilization and both rates follow from the amounts. Between two the protocol's
part, at hand + borrowed − supplied, is left as it is by supplies and withdrawals, borrows and
repayments: it can only grow by the protocol's share of the interest charged, or be taken out.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.errors import NotInForce
from ledger.events import ReserveObserved
from ledger.money import ZERO, exact
from projections.arithmetic import EXACT
from projections.rulebooks import formulas, in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

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

Verdict: TypeAlias = Literal["agrees", "differs", "unknown"]
Kept: TypeAlias = Literal["grew by its share", "was taken out", "does not follow", "unknown"]


@attrs.frozen(kw_only=True)
class Line:
    """One figure of a reserve state beside what follows from the others."""

    name: Literal["utilization", "borrow rate", "supply rate"]
    expected: Decimal | None
    observed: Decimal | None
    lacking: str = ""
    """Why nothing follows; empty where something does."""

    @property
    def verdict(self) -> Verdict:
        """Whether the figure is what follows from the others, to its last digit."""
        if self.lacking:
            return "unknown"
        return "agrees" if self.expected == self.observed else "differs"


def utilization(state: ReserveObserved) -> Line:
    """Return the utilization beside borrowed ÷ supplied, ten places; use it in ``exact``."""
    expected, lacking = None, ""
    if state.utilization is None or state.borrowed is None or state.supplied is None:
        lacking = INCOMPLETE
    else:
        expected = ZERO
        if state.supplied:
            expected = formulas.utilization(EXACT, state.borrowed, state.supplied)
    return Line(name="utilization", expected=expected, observed=state.utilization, lacking=lacking)


def borrow_rate(state: ReserveObserved) -> Line:
    """Return the borrow rate beside the curve of the day; use it in ``exact``."""
    expected, lacking, curve = None, "", curve_of(state)
    if state.borrow_rate is None or state.borrowed is None or state.supplied is None:
        lacking = INCOMPLETE
    elif curve is None:
        lacking = NO_RULES
    else:
        used = EXACT.ratio(state.borrowed, state.supplied) if state.supplied else ZERO
        expected = formulas.printed_rate(EXACT, curve_rate(curve, used))
    return Line(name="borrow rate", expected=expected, observed=state.borrow_rate, lacking=lacking)


def supply_rate(state: ReserveObserved) -> Line:
    """Return the supply rate beside borrow rate × utilization × (1 − share); in ``exact``."""
    expected, lacking, curve = None, "", curve_of(state)
    rate, borrowed, supplied = state.borrow_rate, state.borrowed, state.supplied
    if state.supply_rate is None or rate is None or borrowed is None or supplied is None:
        lacking = INCOMPLETE
    elif curve is None:
        lacking = NO_RULES
    else:
        expected = ZERO
        if supplied:
            share = curve.protocol_share.value
            expected = formulas.supply_rate(EXACT, rate, borrowed, supplied, share)
    return Line(name="supply rate", expected=expected, observed=state.supply_rate, lacking=lacking)


def lines(state: ReserveObserved) -> tuple[Line, Line, Line]:
    """Return what follows from the amounts of one state: utilization, borrow and supply rate."""
    with exact():
        return utilization(state), borrow_rate(state), supply_rate(state)


def curve_of(state: ReserveObserved) -> Curve | None:
    """Return the curve of the rulebook documented at the moment of a state."""
    try:
        return in_force(state.at)[0].curve
    except NotInForce:
        return None


def curve_rate(curve: Curve, used: Decimal) -> Decimal:
    """Return the yearly borrow rate of a curve at a utilization, unrounded; in ``exact``."""
    return formulas.borrow_rate(EXACT, used, curve.base.value, curve.slope.value, curve.kink.value)


def buffer(state: ReserveObserved) -> Decimal | None:
    """Return what a reserve holds for the protocol; None where the state leaves an amount out."""
    if state.balance is None or state.borrowed is None or state.supplied is None:
        return None
    with exact():
        return formulas.buffer(EXACT, state.balance, state.borrowed, state.supplied)


# ------------------------------------------------------------------------- two states


@attrs.frozen(kw_only=True)
class Pair:
    """Two neighboring states of one reserve. **Units**: the token; ``elapsed`` in milliseconds."""

    before: ReserveObserved
    after: ReserveObserved
    held: Decimal | None
    """The protocol's part in the first state."""
    now: Decimal | None
    """The same in the second."""
    least: Decimal | None = None
    """What its share of the interest comes to at least, by amounts, rates and time."""
    most: Decimal | None = None
    kept: Kept
    lacking: str = ""

    @property
    def elapsed(self) -> int:
        """How far apart the states are."""
        return self.after.at - self.before.at

    @property
    def grown(self) -> Decimal | None:
        """By how much the protocol's part grew; negative where some was taken out."""
        if self.held is None or self.now is None:
            return None
        with exact():
            return self.now - self.held

    @property
    def borrowed_more(self) -> Decimal | None:
        """By how much what is borrowed grew, by interest or by borrowing."""
        if self.before.borrowed is None or self.after.borrowed is None:
            return None
        with exact():
            return self.after.borrowed - self.before.borrowed

    @property
    def share(self) -> Decimal | None:
        """The protocol's growth ÷ that of borrows, twenty places; None where borrows did not grow.

        It is the protocol's share only where nothing was borrowed or repaid in between.
        """
        grown, more = self.grown, self.borrowed_more
        if grown is None or more is None or more <= ZERO:
            return None
        with exact():
            return EXACT.ratio(grown, more)


def pair(before: ReserveObserved, after: ReserveObserved) -> Pair:
    """Return two states of one reserve held against each other. **Order**: by moment."""
    held, now, curve = buffer(before), buffer(after), curve_of(after)
    kept: Kept = "unknown"
    lacking, least, most = "", None, None
    with exact():
        low, high = _interest(before, after)
        if held is None or now is None or low is None or high is None:
            lacking = INCOMPLETE
        elif after.at - before.at > APART_MAX_MS:
            lacking = TOO_FAR
        elif curve is None:
            lacking = NO_RULES
        else:
            share = curve.protocol_share.value
            least, most = share * low - PRINTED, share * high + PRINTED
            grown = now - held
            if least <= grown <= most:
                kept = "grew by its share"
            elif grown < least and now <= most:
                kept = "was taken out"
            else:
                kept = "does not follow"
    return Pair(
        before=before, after=after, held=held, now=now, least=least, most=most, kept=kept,
        lacking=lacking,
    )  # fmt: skip


def pairs(states: Sequence[ReserveObserved]) -> tuple[Pair, ...]:
    """Return all neighbors of one reserve's states held against each other. **Order**: by time."""
    return tuple(pair(before, after) for before, after in pairwise(states))


def is_short(state: ReserveObserved) -> bool:
    """Tell whether more is owed to suppliers than is there, beyond the rounding of print."""
    held = buffer(state)
    return held is not None and held < -PRINTED


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
