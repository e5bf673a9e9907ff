"""Checks of fills: the size stated before each, and the result stated of each."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ledger.money import ZERO, canonical, unscaled
from ledger.units import is_spot
from projections.checks.base import CheckResult, Options, Step, Tally, walk
from projections.positions import PERP_MONEY, agrees, is_early, size, stated_size
from projections.postings import is_perp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger import events as ev
    from ledger.events import Event
    from ledger.units import Coin
    from projections.reference import Reference

SPOT_TOLERANCE: Final = Decimal("0.000011")
"""How far the venue's result of a token sale lies from average cost: 522 of 523 recorded sales."""

NO_COST: Final = "its entry lies before the history or in a gap of it"
EARLY: Final = "records of 2023: both sides of a trade with itself state one size, in no order"
DUST: Final = "dust conversions: the venue states no result"


def continuity(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Hold the size each fill states before it against the position rebuilt from those before.

    The first fill of a position has nothing before it: see ``openings``. A break is a change of
    the difference; what follows it with the same difference agrees.
    """
    tally = Tally("continuity")
    last: dict[str, ev.Filled] = {}
    for step in walk(events, reference):
        event, before = step.event, step.before
        previous = last.get(step.key)
        last[step.key] = event
        if event.start_position is None:
            tally.unknown("the record states no size before the fill")
        elif is_early(event):
            tally.unknown(EARLY)
        elif before is None or previous is None:
            continue
        else:
            expected = stated_size(before)
            if agrees(expected, event.start_position, digits=options.digits(event)):
                tally.agree()
            else:
                tally.differ(
                    event,
                    expected=expected,
                    observed=event.start_position,
                    others=(previous,),
                    severity="error",
                    text=f"{event.coin}: the history leads to a size of {canonical(expected)}, "
                    f"the fill states {canonical(event.start_position)} before it; "
                    f"something between the two fills is not recorded"
                    + _hint(event.coin, reference),
                )
    return tally.result()


def _hint(coin: Coin, reference: Reference) -> str:
    """Say what a fee in tokens cannot be told from, where the tokens of a pair are not known."""
    if not is_spot(coin) or coin in reference.pairs or "/" in coin:
        return ""
    return (
        ", or it is the fee: which tokens the pair trades is not known here. Import an answer of "
        "spotMeta"
    )


def openings(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Name every position whose first fill states that it was already open."""
    tally = Tally("openings")
    for step in walk(events, reference):
        if step.before is not None:
            continue
        event, derived = step.event, step.fill.derived
        if not derived:
            tally.agree()
            continue
        opening = unscaled(step.after.opening, step.after.places)
        tally.differ(
            event,
            expected=ZERO,
            observed=opening,
            severity="note",
            text=f"{event.coin}: derived opening of {canonical(opening)}: the first fill recorded "
            f"states it; what it cost is not known",
        )
    return tally.result()


def closed_pnl(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Recompute the result of every close of a perpetual and hold it against the stated one.

    Exact to the last digit in the venue's own answers. A web export states the result less the
    fee, from rows that may be summed up: there it holds within one tick × size.
    """
    tally = Tally("closed-pnl")
    for step in walk(events, reference):
        event = step.event
        if not is_perp(event.coin):
            continue
        stated = _stated_result(event)
        if stated is None:
            if step.fill.closed:
                tally.unknown("the record states no result")
        elif is_early(event):
            tally.unknown(EARLY)
        elif step.fill.result is None:
            tally.unknown(NO_COST)
        elif step.fill.closed:
            _judge(tally, step, stated, options, tolerance=_tick_times_size(step))
        elif stated and not _is_cut(event):
            tally.differ(
                event,
                expected=ZERO,
                observed=stated,
                severity="error",
                count=0,
                text=f"{event.coin}: a fill that closes nothing states a result",
            )
    return tally.result()


def spot_closed_pnl(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Recompute the result of every sale of tokens at average cost."""
    tally = Tally("spot-closed-pnl")
    for step in walk(events, reference):
        event = step.event
        if is_perp(event.coin) or event.side == "B":
            continue
        stated = _stated_result(event)
        if stated is None:
            tally.unknown("the record states no result")
        elif event.direction == "Spot Dust Conversion":
            tally.unknown(DUST)
        elif step.fill.result is None:
            tally.unknown(NO_COST)
        else:
            _judge(tally, step, stated, options, tolerance=SPOT_TOLERANCE)
    return tally.result()


def _judge(
    tally: Tally, step: Step, stated: Decimal, options: Options, *, tolerance: Decimal
) -> None:
    event, result = step.event, step.fill.result
    assert result is not None
    ours = unscaled(result, step.after.money_places)
    if agrees(ours, stated, digits=options.digits(event)) or abs(ours - stated) <= tolerance:
        tally.agree()
        return
    tally.differ(
        event,
        expected=ours,
        observed=stated,
        severity="error",
        text=f"{event.coin}: closing {canonical(unscaled(step.fill.closed, step.after.places))} "
        f"of {canonical(abs(size(step.before)) if step.before else ZERO)} gives "
        f"{canonical(ours)}, the record says {canonical(stated)}",
    )


def _stated_result(event: ev.Filled) -> Decimal | None:
    """Return the result before fees as the record states it; None when it states none."""
    if event.reported_closed_pnl is not None:
        return event.reported_closed_pnl
    if event.reported_net_pnl is None or event.fee is None:
        return None
    # In a purchase of tokens the fee is counted in tokens, its worth at the price of the fill.
    charged = event.fee if is_perp(event.coin) or event.side == "A" else event.fee * event.px
    return event.reported_net_pnl + charged


def _is_cut(event: ev.Filled) -> bool:
    """Tell whether a number is what binary noise leaves of zero."""
    stated = _stated_result(event)
    return event.reported_closed_pnl is None and stated is not None and abs(stated) < SPOT_TOLERANCE


def _tick_times_size(step: Step) -> Decimal:
    """Return how far a web export's result may lie off; zero for the venue's own answers."""
    if step.event.reported_closed_pnl is not None:
        return ZERO
    tick = unscaled(1, max(PERP_MONEY - step.after.places, 0))
    return tick * unscaled(step.fill.closed, step.after.places) + unscaled(1, PERP_MONEY)
