"""Claims: what the venue's own states say of margin, beside what the rules make of their inputs.

A comparison is *predicted* when every input of our figure was recorded for itself, *consistent*
when an input was implied by another field of the same answer or is the venue's own total.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from ledger.money import exact
from projections.margin.implied import is_implied
from projections.margin.sheet import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.events import LendingStateObserved, PerpStateObserved, SpotStateObserved
    from ledger.units import Asset
    from projections.margin.picture import Picture
    from projections.margin.result import Judgement
    from projections.reference import Reference

Grade: TypeAlias = Literal["predicted", "consistent", "unknown", "venue says none"]


@attrs.frozen(kw_only=True)
class Comparison:
    """One figure of ours beside the venue's."""

    name: str
    of: str
    ours: Figure
    venue: Decimal | None
    residual: Decimal | None
    """Ours less the venue's."""
    grade: Grade


def compare(
    judgement: Judgement,
    picture: Picture,
    *,
    spot: SpotStateObserved | None = None,
    perps: Iterable[PerpStateObserved] = (),
    lending: LendingStateObserved | None = None,
    reference: Reference | None = None,
) -> tuple[Comparison, ...]:
    """Return every figure the venue states itself, beside ours."""
    with exact():
        return (
            *_of_perps(judgement, picture, tuple(perps)),
            *(_of_spot(judgement, picture, spot, reference) if spot is not None else ()),
            *_of_lending(judgement, picture, lending),
        )


def _compared(
    ours: Figure | None, venue: Decimal | None, *, is_predicted: bool
) -> Iterator[Comparison]:
    if ours is None:
        return
    if venue is None:
        grade: Grade = "venue says none"
    elif ours.value is None:
        grade = "unknown"
    else:
        grade = "predicted" if is_predicted else "consistent"
    residual = None if venue is None or ours.value is None else ours.value - venue
    yield Comparison(
        name=ours.name, of=ours.of, ours=ours, venue=venue, residual=residual, grade=grade
    )


def _prices_are_recorded(picture: Picture) -> bool:
    return not any(is_implied(token.price) for token in picture.tokens)


def _of_perps(
    judgement: Judgement, picture: Picture, states: tuple[PerpStateObserved, ...]
) -> Iterator[Comparison]:
    recorded = _prices_are_recorded(picture)
    is_own = picture.mode == "portfolioMargin"
    for state in states:
        exchange = judgement.exchange(state.dex)
        if exchange is None:
            continue
        if state.summary is not None:
            yield from _compared(
                exchange.account_value, state.summary.account_value,
                is_predicted=bool(exchange.account_value.rule),
            )  # fmt: skip
        yield from _compared(
            exchange.cross_maintenance, state.cross_maintenance,
            is_predicted=bool(exchange.cross_maintenance.rule),
        )  # fmt: skip
        yield from _compared(exchange.withdrawable, state.withdrawable, is_predicted=True)
        for row in state.positions:
            position = judgement.position(row.coin)
            if position is None:
                continue
            yield from _compared(
                position.liquidation_price, row.liquidation_px,
                is_predicted=recorded or not is_own or position.is_isolated,
            )  # fmt: skip
            yield from _compared(position.return_on_equity, row.return_on_equity, is_predicted=True)
            if position.margin is not None:
                yield from _compared(position.margin, row.margin_used, is_predicted=True)
            elif row.margin_used is not None:
                yield from _compared(position.initial, row.margin_used, is_predicted=True)


def _of_spot(
    judgement: Judgement,
    picture: Picture,
    spot: SpotStateObserved,
    reference: Reference | None,
) -> Iterator[Comparison]:
    recorded = _prices_are_recorded(picture)
    predicted = recorded and all(each.cross_maintenance.rule for each in judgement.exchanges)
    yield from _compared(judgement.ratio, spot.margin_ratio, is_predicted=predicted)
    names: dict[int, Asset] = {
        row.token: row.asset for row in spot.balances if row.token is not None
    }
    if reference is not None:
        names = {**reference.symbols, **names}
    available = {names[each.token]: each.value for each in spot.available if each.token in names}
    borrow = {names[each.token]: each.value for each in spot.borrow_ratios if each.token in names}
    supply = {names[each.token]: each.value for each in spot.supply_ratios if each.token in names}
    for token in judgement.tokens:
        asset = token.asset
        if asset in available:
            yield from _compared(token.available, available[asset], is_predicted=predicted)
        if asset in borrow:
            yield from _compared(token.borrow_cap_use, borrow[asset], is_predicted=True)
        if asset in supply:
            yield from _compared(token.supply_cap_use, supply[asset], is_predicted=True)


def _of_lending(
    judgement: Judgement, picture: Picture, lending: LendingStateObserved | None
) -> Iterator[Comparison]:
    if lending is not None:
        yield from _compared(
            judgement.health_factor, lending.health_factor,
            is_predicted=_prices_are_recorded(picture),
        )  # fmt: skip
