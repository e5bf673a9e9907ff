"""Pool bounds: what a supplier's rate was at least and at most, from public reserve states alone.

Between two states nobody recorded how much was lent. Two assumptions bound it, each by its name:

* ``curve``: rates follow the curve of the day's rulebook, and never is more borrowed than was
  supplied; so the yearly rate is somewhere between that of an empty reserve and that of a full one.
* ``pace``: beside it, utilization differs from a recorded one by no more than so much at once
  (``step``) and so much per hour (``hourly``). Nobody can prove it; recorded states can refute it,
  and then it is not used.

An interval holds where its assumption does. One more state never makes it wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.errors import NotInForce
from ledger.money import ZERO, divide_down, divide_half_even, exact
from ledger.units import Millis
from projections.arithmetic import EXACT
from projections.lending import VALUE_PLACES, Side
from projections.pool import CLOCK_MS, NO_RULES, curve_of, curve_rate
from projections.rulebooks import CALENDAR, formulas, in_force
from projections.rulebooks.base import Curve

if TYPE_CHECKING:
    from ledger.events import ReserveObserved

ONE: Final = Decimal(1)
HOUR_MS: Final = Decimal(3_600_000)

PIECES: Final = 96
"""Into how many stretches of equal length a period is cut, beside the moments of its states."""

USED_ROOM: Final = Decimal("1e-10")
"""Room for a utilization printed to ten places, and for a quotient cut off."""

RATE_ROOM: Final = Decimal("1e-10")
"""Room for a rate printed to ten places: whether interest runs at the printed one is not known."""

OFF_ROOM: Final = Decimal("1e-9")
"""A recorded rate farther than this from the curve's says that the curve does not hold."""

UNIT: Final = Decimal(1).scaleb(-VALUE_PLACES)

NO_STATES: Final = "no state of the reserve is recorded"
OFF_CURVE: Final = "a recorded rate does not follow the curve"
OVER_FULL: Final = "a recorded state has more borrowed than supplied"

Assumption: TypeAlias = Literal["curve", "pace"]

CURVE_SAYS: Final = (
    "rates follow the curve of the day's rulebook, and never is more borrowed than was supplied"
)


@attrs.frozen(kw_only=True)
class Pace:
    """How far utilization can have gone from a recorded one: ``step`` + ``hourly`` × hours."""

    hourly: Decimal
    step: Decimal = ZERO

    def far(self, elapsed_ms: Decimal) -> Decimal:
        """Return the farthest after some time, in the exact context."""
        return self.step + divide_half_even(self.hourly * elapsed_ms, HOUR_MS, 20)


@attrs.frozen(kw_only=True)
class RateBounds:
    """The mean yearly supply rate of a period, at least and at most, under one assumption."""

    assumption: Assumption
    since: Millis
    until: Millis
    low_weight: Decimal
    """The least of Σ rate × milliseconds."""
    high_weight: Decimal
    low: Decimal
    """The least mean rate, ten places, cut off."""
    high: Decimal
    """The greatest mean rate, ten places, away from zero."""


@attrs.frozen
class _Sampled:
    """Moments and utilizations of states, and the curves of the period asked for."""

    used: Sequence[tuple[Millis, Decimal]]
    curves: Sequence[Curve]
    side: Side


@attrs.frozen(kw_only=True)
class Bounded:
    """What can be said of a period: bounds by assumption, or why there are none."""

    by: tuple[RateBounds, ...] = ()
    """The widest first; each lies inside the one before."""
    lacking: str = ""
    """Why nothing is known."""
    is_refuted: bool = False
    """True when recorded states lie farther apart than the pace allows; it is then not used."""
    states: int = 0
    """How many states of the period were used."""
    longest_ms: int = 0
    """The longest time of the period without a state."""


def bounds(
    states: Sequence[ReserveObserved],
    since: Millis,
    until: Millis,
    pace: Pace | None = None,
    *,
    clock_ms: int = 0,
    side: Side = "supply",
) -> Bounded:
    """Return what the rate of one side was at least and at most over a period.

    Where the period lies between two recorded values of a supplier, *clock_ms* is how far either
    may be from its moment: the least is taken over the shortest such period, the most over the
    longest. **Order**: states of one reserve by moment; those around the period count too.
    """
    used, lacking = _sampled(states)
    inside = [at for at, _ in used if since <= at <= until]
    marks = [since, *inside, until]
    longest = max((after - before for before, after in pairwise(marks)), default=0)
    curves = _curves(since, until)
    if until <= since:
        lacking = "the period has no length"
    elif not curves:
        lacking = NO_RULES
    if lacking:
        return Bounded(lacking=lacking, states=len(inside), longest_ms=longest)
    with exact():
        sampled = _Sampled(used, curves, side)
        found = [_bounded("curve", sampled, None, since, until, clock_ms)]
        if pace is not None:
            found.append(_bounded("pace", sampled, pace, since, until, clock_ms))
    by = tuple(each for each in found if each is not None)
    return Bounded(by=by, is_refuted=len(by) < len(found), states=len(inside), longest_ms=longest)


def fastest(states: Sequence[ReserveObserved]) -> Decimal | None:
    """Return the fastest change of utilization per hour between neighboring states, ten places.

    None where there are not two states far enough apart for the clock to say anything.
    """
    used, _ = _sampled(states)
    found: Decimal | None = None
    with exact():
        for (before, first), (after, then) in pairwise(used):
            elapsed = after - before
            if elapsed > CLOCK_MS:
                speed = divide_half_even(abs(then - first) * HOUR_MS, Decimal(elapsed), 10)
                found = speed if found is None else max(found, speed)
    return found


def payout(
    value: Decimal, found: RateBounds, *, printed: Decimal = ZERO
) -> tuple[Decimal, Decimal]:
    """Return what a supplied value earned at least and at most at the bounds of a period.

    **Units**: the token. *printed* is the unit of the value's last place: it may have been cut off
    there, and up to so much more have been supplied.
    """
    with exact():
        low = formulas.grown(EXACT, value, found.low_weight, ONE, VALUE_PLACES) - value
        top = value + printed
        high = formulas.grown(EXACT, top, found.high_weight, ONE, VALUE_PLACES) + UNIT - top
        return low, high


# ------------------------------------------------------------------------- utilization


def _sampled(states: Sequence[ReserveObserved]) -> tuple[list[tuple[Millis, Decimal]], str]:
    """Return the moments and utilizations of states, and why they bound nothing, if so."""
    found: list[tuple[Millis, Decimal]] = []
    lacking = ""
    with exact():
        for state in states:
            if state.borrowed is not None and state.supplied is not None:
                share = EXACT.ratio(state.borrowed, state.supplied) if state.supplied else ZERO
            elif state.utilization is not None:
                share = state.utilization
            else:
                continue
            found.append((state.at, share))
            if share > ONE:
                lacking = OVER_FULL
            elif _is_off_curve(state, share):
                lacking = OFF_CURVE
    return found, lacking if found else NO_STATES


def _is_off_curve(state: ReserveObserved, share: Decimal) -> bool:
    curve = curve_of(state)
    if curve is None or state.supply_rate is None:
        return False
    return abs(_rate(curve, share, "supply") - state.supply_rate) > OFF_ROOM


def _cuts(since: Millis, until: Millis, inside: Sequence[Millis]) -> list[Millis]:
    """Return the moments a period is cut at; an added state only adds to them."""
    length = max(1, int(divide_down(Decimal(until - since), Decimal(PIECES), 0)))
    return sorted({*map(Millis, range(since, until, length)), until, *inside})


def _ranges(
    cuts: Sequence[Millis], used: Sequence[tuple[Millis, Decimal]], pace: Pace
) -> list[tuple[Decimal, Decimal]] | None:
    """Return the least and greatest utilization of each stretch; None where states refute it.

    A state bounds all that comes after it by the time since, and all before by the time until; of
    all states on a side the tightest counts, which two running extremes give.
    """
    moments = [at for at, _ in used]
    tops = [share + USED_ROOM for _, share in used]
    bottoms = [share - USED_ROOM for _, share in used]
    drift = [pace.far(Decimal(at - moments[0])) - pace.step for at in moments]
    from_left = (
        list(accumulate((t - d for t, d in zip(tops, drift, strict=True)), min)),
        list(accumulate((b + d for b, d in zip(bottoms, drift, strict=True)), max)),
    )
    from_right = (
        list(accumulate((t + d for t, d in zip(tops[::-1], drift[::-1], strict=True)), min))[::-1],
        list(accumulate((b - d for b, d in zip(bottoms[::-1], drift[::-1], strict=True)), max))[
            ::-1
        ],
    )
    found: list[tuple[Decimal, Decimal]] = []
    left = 0
    for start, end in pairwise(cuts):
        while left < len(moments) and moments[left] <= start:
            left += 1
        low, high = ZERO, ONE
        slack = pace.far(Decimal(CLOCK_MS)) + USED_ROOM
        if left:
            gone = pace.far(Decimal(end - moments[0])) - pace.step + slack
            high = min(high, from_left[0][left - 1] + gone)
            low = max(low, from_left[1][left - 1] - gone)
        if left < len(moments):
            gone = slack - (pace.far(Decimal(start - moments[0])) - pace.step)
            high = min(high, from_right[0][left] + gone)
            low = max(low, from_right[1][left] - gone)
        if low > high:
            return None
        found.append((low, high))
    return found


# ------------------------------------------------------------------------- rates


def _curves(since: Millis, until: Millis) -> list[Curve]:
    """Return the curves of all rulebooks that were documented or at work in a period."""
    found: list[Curve] = []
    turns = [
        at
        for each in CALENDAR
        for at in (each.effective_from, each.documented_from)
        if since < at <= until
    ]
    for at in (since, *turns):
        try:
            curves = [each.curve for each in in_force(at)]
        except NotInForce:
            return []
        found += [curve for curve in curves if curve not in found]
    return found


def _rate(curve: Curve, used: Decimal, side: Side) -> Decimal:
    """Return the yearly rate of a curve at a utilization; it never falls as utilization grows."""
    charged = curve_rate(curve, used)
    if side == "borrow":
        return charged
    return formulas.supply_rate(EXACT, charged, used, ONE, curve.protocol_share.value)


def _bounded(
    assumption: Assumption,
    sampled: _Sampled,
    pace: Pace | None,
    since: Millis,
    until: Millis,
    clock_ms: int,
) -> RateBounds | None:
    """Return the bounds of a period under one assumption; None where states refute it."""
    shorter = _weights(sampled, pace, Millis(since + clock_ms), Millis(until - clock_ms))
    longer = _weights(sampled, pace, Millis(since - clock_ms), Millis(until + clock_ms))
    if shorter is None or longer is None:
        return None
    length = Decimal(until - since)
    return RateBounds(
        assumption=assumption,
        since=since,
        until=until,
        low_weight=shorter[0],
        high_weight=longer[1],
        low=divide_down(shorter[0], length, VALUE_PLACES),
        high=divide_down(longer[1], length, VALUE_PLACES) + UNIT,
    )


def _weights(
    sampled: _Sampled, pace: Pace | None, since: Millis, until: Millis
) -> tuple[Decimal, Decimal] | None:
    """Return the least and the most of Σ rate × milliseconds; None where states refute the pace."""
    if until <= since:
        return ZERO, ZERO
    used, curves = sampled.used, sampled.curves
    cuts = _cuts(since, until, [at for at, _ in used if since < at < until])
    ranges: list[tuple[Decimal, Decimal]] | None = [(ZERO, ONE)] * (len(cuts) - 1)
    if pace is not None:
        ranges = _ranges(cuts, used, pace)
    if ranges is None:
        return None
    low_weight = high_weight = ZERO
    for (start, end), (low, high) in zip(pairwise(cuts), ranges, strict=True):
        least = max(ZERO, min(_rate(curve, low, sampled.side) for curve in curves) - RATE_ROOM)
        most = max(_rate(curve, high, sampled.side) for curve in curves) + RATE_ROOM
        low_weight += least * (end - start)
        high_weight += most * (end - start)
    return low_weight, high_weight
