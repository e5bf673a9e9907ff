"""Identities: figures of one observed perpetuals state that follow from others of the same state.

They need no history: an account value is raw money and positions at their marks, a margin bound is
a value divided by a leverage. What a state leaves out is unknown by its name.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.money import ZERO, exact, places
from projections.arithmetic import EXACT
from projections.margin.observed import tiers
from projections.margin.perps import tier_at
from projections.margin.picture import Unknown
from projections.observed import NO_ROOM, Figure, Room
from projections.positions import TRADE_NUMBERS_SINCE
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.events import ObservedPosition, PerpStateObserved
    from ledger.units import Millis

NO_TOTALS: Final = "the state has no totals"
NO_VALUE: Final = "the state leaves out a position's value"
NO_LEVERAGE: Final = "the state leaves out the leverage"
NO_LIMIT: Final = "the state leaves out the highest leverage"
NO_MARGIN: Final = "the state leaves out a position's margin"
NO_ENTRY: Final = "the state leaves out the entry price or the result"
SHARED: Final = "in this mode the whole account stands behind a position, not its exchange alone"

FIVE_DIGITS: Final = 5
"""Significant digits of the entry price a state shows."""

RATIO_ROOM: Final = Decimal("1e-9")
"""Room for a ratio printed to ten places of which two inputs were cut off."""


def identities(state: PerpStateObserved, *, single: bool = False) -> tuple[Figure, ...]:
    """Return every figure of a state that follows from others, beside what follows.

    *single*: one balance stands for the whole account, so that liquidation prices do not follow
    from this exchange. **Source**: recorded states of five accounts (confirmed, exact).
    """
    with exact():
        return (*_totals(state), *_positions(state, single=single))


def _totals(state: PerpStateObserved) -> Iterator[Figure]:
    values = [each.value for each in state.positions]
    known = [value for value in values if value is not None]
    lacking = "" if len(known) == len(values) else NO_VALUE
    totals = state.summary
    if totals is None:
        return
    signed = [_signed(each, value) for each, value in zip(state.positions, known, strict=False)]
    yield _figure(
        "account value",
        totals.account_value,
        formulas.account_value(EXACT, totals.total_raw_usd, signed),
        lacking,
    )
    yield _figure(
        "total notional", totals.total_notional, formulas.plain_total(EXACT, known), lacking
    )
    margins = [each.margin_used for each in state.positions]
    bound = [margin for margin in margins if margin is not None]
    yield _figure(
        "total margin used",
        totals.total_margin_used,
        formulas.plain_total(EXACT, bound),
        "" if len(bound) == len(margins) else NO_MARGIN,
    )
    if state.cross_maintenance is not None:
        yield _cross_maintenance(state, state.cross_maintenance)


def _cross_maintenance(state: PerpStateObserved, observed: Decimal) -> Figure:
    parts: list[Decimal] = []
    lacking = ""
    for each in state.positions:
        if each.leverage_type == "isolated":
            continue
        part, why = _maintenance(state, each)
        lacking = lacking or why
        parts.append(part)
    return _figure("cross maintenance", observed, formulas.cross_maintenance(EXACT, parts), lacking)


def _positions(state: PerpStateObserved, *, single: bool) -> Iterator[Figure]:
    for each in state.positions:
        if each.margin_used is not None:
            yield _margin(each, each.margin_used)
        if each.unrealized_pnl is not None:
            yield _result(each, each.unrealized_pnl)
        if each.return_on_equity is not None:
            yield _return(state.at, each, each.return_on_equity)
        yield from _liquidation(state, each, single=single)


def _margin(each: ObservedPosition, observed: Decimal) -> Figure:
    """Return the margin a position binds: value ÷ leverage, or what is isolated for it."""
    subject = f"margin {each.coin}"
    if each.value is None:
        return _figure(subject, observed, ZERO, NO_VALUE)
    if each.leverage_type == "isolated":
        raw = each.raw_usd
        expected = formulas.isolated_margin(EXACT, raw or ZERO, _signed(each, each.value))
        return _figure(subject, observed, expected, "" if raw is not None else NO_MARGIN)
    if each.leverage is None:
        return _figure(subject, observed, ZERO, NO_LEVERAGE)
    expected = formulas.initial_margin(EXACT, each.value, Decimal(each.leverage))
    return _figure(subject, observed, expected)


def _result(each: ObservedPosition, observed: Decimal) -> Figure:
    """Return the result not taken yet; the entry price shown is rounded, and so gives room."""
    subject = f"unrealized result {each.coin}"
    if each.value is None or each.entry_px is None:
        return _figure(subject, observed, ZERO, NO_ENTRY)
    entry = _signed(each, abs(each.size) * each.entry_px)
    expected = formulas.unrealized(EXACT, _signed(each, each.value), entry)
    digit = each.entry_px.adjusted() - FIVE_DIGITS + 1
    unit = Decimal(1).scaleb(min(digit, -places(each.entry_px)) if each.entry_px else 0)
    return _figure(subject, observed, expected, room=abs(each.size) * unit)


def _return(at: Millis, each: ObservedPosition, observed: Decimal) -> Figure:
    subject = f"return on equity {each.coin}"
    if each.value is None or each.unrealized_pnl is None or each.leverage is None:
        return _figure(subject, observed, ZERO, NO_ENTRY)
    put_in = abs(_signed(each, each.value) - each.unrealized_pnl)
    if at < TRADE_NUMBERS_SINCE:  # in 2023 it was the margin at the mark, not at the entry
        put_in = each.value
    if not put_in:
        return _figure(subject, observed, ZERO, NO_ENTRY)
    result, leverage = each.unrealized_pnl, Decimal(each.leverage)
    expected = formulas.return_on_equity(EXACT, result, put_in, leverage)
    room = max(RATIO_ROOM, Decimal(1).scaleb(-places(observed)))
    return _figure(subject, observed, expected, room=room)


def _liquidation(
    state: PerpStateObserved, each: ObservedPosition, *, single: bool
) -> Iterator[Figure]:
    """Yield the liquidation price; where none is shown, none may follow either."""
    subject = f"liquidation price {each.coin}"
    observed = each.liquidation_px
    part, lacking = _maintenance(state, each)
    free, why = _free(state, each, part)
    lacking = lacking or why
    if single and each.leverage_type != "isolated":
        lacking = SHARED
    if each.value is None or each.max_leverage is None or not each.size:
        lacking = lacking or NO_LIMIT
    if lacking:
        if observed is not None:
            yield _figure(subject, observed, ZERO, lacking)
        return
    mark = EXACT.ratio(each.value or ZERO, abs(each.size))
    price = formulas.liquidation_price(
        EXACT, mark, _side(each), free, each.size, Decimal(each.max_leverage or 1)
    )
    if observed is None:
        # Nothing is shown where no positive price uses the margin up.
        if price > ZERO:
            yield _figure(subject, ZERO, price)
        return
    # Mark and margin are cut off at their sixth places, and the price is printed rounded.
    unit = Decimal(1).scaleb(-places(observed))
    room = unit + EXACT.ratio(Decimal("2e-6"), abs(each.size))
    yield _figure(subject, observed, price, room=room)


def _free(state: PerpStateObserved, each: ObservedPosition, part: Decimal) -> tuple[Decimal, str]:
    """Return what stands between a position and its liquidation, and why it is not known."""
    if each.leverage_type == "isolated":
        if each.margin_used is None:
            return ZERO, NO_MARGIN
        return formulas.free_of(EXACT, each.margin_used, part), ""
    if state.cross is None or state.cross_maintenance is None:
        return ZERO, NO_TOTALS
    return formulas.free_of(EXACT, state.cross.account_value, state.cross_maintenance), ""


def _maintenance(state: PerpStateObserved, each: ObservedPosition) -> tuple[Decimal, str]:
    """Return the maintenance margin of one position, and why it is not known."""
    if each.value is None:
        return ZERO, NO_VALUE
    steps = tiers(each.coin, each.max_leverage, None, state.at)
    if isinstance(steps, Unknown):
        return ZERO, NO_LIMIT
    number = tier_at(steps, each.value)
    deduction = ZERO
    for below, above in pairwise(steps[: number + 1]):
        deduction = formulas.tier_deduction(
            EXACT, deduction, above.lower_bound,
            formulas.maintenance_rate(EXACT, above.max_leverage),
            formulas.maintenance_rate(EXACT, below.max_leverage),
        )  # fmt: skip
    return formulas.maintenance(EXACT, each.value, steps[number].max_leverage, deduction), ""


def _side(each: ObservedPosition) -> Decimal:
    return Decimal(-1 if each.size < ZERO else 1)


def _signed(each: ObservedPosition, value: Decimal) -> Decimal:
    return formulas.signed_value(EXACT, _side(each), value)


def _figure(
    subject: str, observed: Decimal, expected: Decimal, lacking: str = "", *, room: Decimal = ZERO
) -> Figure:
    allowed = Room(room, room) if room else NO_ROOM
    return Figure(
        subject=subject, expected=None if lacking else expected, observed=observed,
        above=allowed, below=allowed, lacking=lacking,
    )  # fmt: skip
