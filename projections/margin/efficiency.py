"""Capital efficiency: one picture under isolated, cross, unified and portfolio margin.

The same positions, money and tokens are judged as if the account had been in each mode at that
instant. What differs is what counts as margin and who shares it:

* *isolated*: each position has its own initial margin, and nothing else stands behind it;
* *cross*: the money of a token is spread over its exchanges in proportion to their maintenance;
* *unified*: one balance of a token stands behind all exchanges that settle in it;
* *portfolio*: other tokens stand behind it too, as if all that is eligible were supplied.

Distances to liquidation are told in two ways: the market of a position moving alone, and moving
together with the tokens that stand for the same thing, which is where a hedge shows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO, exact
from ledger.units import Asset, Coin
from projections.arithmetic import EXACT
from projections.margin.judge import judge
from projections.margin.perps import tier_at
from projections.margin.picture import (
    SINGLE_BALANCE,
    Exchange,
    Given,
    Input,
    Picture,
    Position,
    Token,
    combined,
    known,
    missing,
    nothing,
)
from projections.margin.rebuilt import UNDERLYING, value_of
from projections.margin.result import ExchangeMargin, Judgement, PositionMargin
from projections.rulebooks import formulas
from projections.rulebooks.base import USDC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.rulebooks.base import Rulebook

Way: TypeAlias = Literal["isolated", "cross", "unified", "portfolio"]
WAYS: Final[tuple[Way, ...]] = ("isolated", "cross", "unified", "portfolio")

PLACES: Final = 10
AS_IF: Final = "as if supplied"


@attrs.frozen(kw_only=True)
class Distance:
    """How far one position is from liquidation. **Units**: its collateral; shares of the mark."""

    coin: Coin
    mark: Decimal | None
    alone: Decimal | None
    """Mark that uses its margin up, this market moving alone; None where no positive one does."""
    together: Decimal | None
    """The same, tokens of the same underlying moving along."""

    @property
    def alone_share(self) -> Decimal | None:
        """(price − mark) ÷ mark, signed."""
        return _share(self.alone, self.mark)

    @property
    def together_share(self) -> Decimal | None:
        """The same, moving together."""
        return _share(self.together, self.mark)


def _share(price: Decimal | None, mark: Decimal | None) -> Decimal | None:
    if price is None or not mark:
        return None
    with exact():
        return EXACT.divide_half_even(price - mark, mark, PLACES)


@attrs.frozen(kw_only=True)
class Efficiency:
    """What one way of margining asks for and leaves. **Units**: USDC; None where unknown."""

    way: Way
    judgement: Judgement
    margin: Decimal | None
    """What may stand behind the positions when they are opened or money is taken out."""
    maintenance: Decimal | None
    requirement: Decimal | None
    """Initial margin; where positions share it, at least a tenth of the notional."""
    free: Decimal | None
    """Margin beyond the requirement; negative where the account could not hold the positions."""
    freed: Decimal | None
    """Free beyond what the unified way leaves free: what counting other tokens saves."""
    freed_share: Decimal | None
    """That as a share of all the account has."""
    distances: tuple[Distance, ...]
    missing: tuple[str, ...]


def efficiency(
    picture: Picture, rulebook: Rulebook, *, readings: Iterable[str] = ()
) -> tuple[Efficiency, ...]:
    """Return the picture under the four ways, in their order, toward USDC.

    Exchanges that settle in another token are left out, and so is their money.
    """
    wanted = tuple(readings)
    with exact():
        base = _one_balance(picture)
        pictures: dict[Way, Picture] = {
            "isolated": _isolated(base),
            "cross": _cross(base, rulebook),
            "unified": attrs.evolve(base, mode="unifiedAccount"),
            "portfolio": _supplied(base, rulebook),
        }
    judgements: dict[Way, Judgement] = {
        way: judge(pictures[way], (rulebook,), readings=wanted, alternatives=False).judgements[0]
        for way in WAYS
    }
    with exact():
        return _compared(base, judgements)


def _compared(base: Picture, judgements: dict[Way, Judgement]) -> tuple[Efficiency, ...]:
    usdc = base.token(USDC)
    net = None if usdc is None else known(usdc.total)
    power = judgements["portfolio"].borrowing_power
    whole = _worth(base)
    found: list[Efficiency] = []
    for way in WAYS:
        judgement = judgements[way]
        margin = net
        if way == "portfolio" and net is not None:
            margin = None if power is None or power.value is None else net + power.value
        parts = [_required(each, way) for each in judgement.exchanges]
        required = None if None in parts else sum((each or ZERO for each in parts), ZERO)
        found.append(
            Efficiency(
                way=way,
                judgement=judgement,
                margin=margin,
                maintenance=_maintenance(judgement),
                requirement=required,
                free=None if margin is None or required is None else margin - required,
                freed=None,
                freed_share=None,
                distances=tuple(
                    _distance(each, base, judgement, way)
                    for exchange in judgement.exchanges
                    for each in exchange.positions
                ),
                missing=judgement.missing,
            )
        )
    unified = next(each.free for each in found if each.way == "unified")
    return tuple(_freed(each, unified, whole) for each in found)


def _freed(each: Efficiency, unified: Decimal | None, whole: Given) -> Efficiency:
    if each.free is None or unified is None:
        return each
    freed, value = each.free - unified, known(whole)
    share = EXACT.divide_half_even(freed, value, PLACES) if value else None
    return attrs.evolve(each, freed=freed, freed_share=share)


def _required(exchange: ExchangeMargin, way: Way) -> Decimal | None:
    if way == "isolated":
        return exchange.isolated_margin.value
    return exchange.transfer_requirement.value


def _maintenance(judgement: Judgement) -> Decimal | None:
    values = [
        each.maintenance.value for exchange in judgement.exchanges for each in exchange.positions
    ]
    return None if None in values else sum((each or ZERO for each in values), ZERO)


def _worth(picture: Picture) -> Given:
    """Return all the account has in USDC; tokens without a price of their own are left out."""
    parts = [
        combined("total × price", lambda total, price: total * price, each.total, each.price)
        for each in picture.tokens
        if not missing(each.total, each.price)
    ]
    return combined("Σ total × price", lambda *each: sum(each, ZERO), *parts)


# ------------------------------------------------------------------------- the four pictures


def _one_balance(picture: Picture) -> Picture:
    """Return the picture with totals as of one balance, and exchanges of USDC with cross alone."""
    exchanges = tuple(
        attrs.evolve(each, positions=tuple(_as_cross(position) for position in each.positions))
        for each in picture.exchanges
        if each.collateral == USDC
    )
    if picture.mode in SINGLE_BALANCE:
        return attrs.evolve(picture, exchanges=exchanges)
    tokens = picture.tokens
    if picture.token(USDC) is None:
        zero = nothing("no USDC in the picture")
        one = Input(Decimal(1), "USDC is the unit of prices")
        tokens = (
            Token(asset=USDC, total=zero, supplied=zero, borrowed=zero, spot_hold=zero, price=one),
            *tokens,
        )
    values = [value_of(each) for each in exchanges]
    return attrs.evolve(
        picture,
        exchanges=exchanges,
        tokens=tuple(
            attrs.evolve(
                each,
                total=combined(
                    "spot + exchanges", lambda *parts: sum(parts, ZERO), each.total, *values
                ),
            )
            if each.asset == USDC
            else each
            for each in tokens
        ),
    )


def _as_cross(position: Position) -> Position:
    return attrs.evolve(position, is_isolated=False)


def _signed(position: Position) -> Given:
    return combined(
        "signed value",
        lambda size, value: value if size >= ZERO else ZERO - value,
        position.size,
        position.value,
    )


def _isolated(picture: Picture) -> Picture:
    """Return the picture with every position on its own, its initial margin behind it."""

    def alone(position: Position) -> Position:
        raw = combined(
            "initial margin − signed value",
            lambda value, leverage, signed: formulas.initial_margin(EXACT, value, leverage)
            - signed,
            position.value, position.leverage, _signed(position),
        )  # fmt: skip
        return attrs.evolve(position, is_isolated=True, isolated_raw=raw)

    exchanges = tuple(
        attrs.evolve(each, positions=tuple(alone(position) for position in each.positions))
        for each in picture.exchanges
    )
    return attrs.evolve(picture, mode="disabled", exchanges=exchanges)


def _cross(picture: Picture, rulebook: Rulebook) -> Picture:
    """Return the picture with the money spread over exchanges in proportion to maintenance."""
    judged = judge(
        attrs.evolve(picture, mode="unifiedAccount"), (rulebook,), alternatives=False
    ).judgements[0]
    needs = {each.dex: each.cross_maintenance.value for each in judged.exchanges}
    sums = [each for each in needs.values() if each is not None]
    whole = sum(sums, ZERO)
    usdc = picture.token(USDC)
    if usdc is None or len(sums) < len(needs):
        return attrs.evolve(picture, mode="disabled")

    def funded(exchange: Exchange) -> Exchange:
        need = needs[exchange.dex] or ZERO
        raw = combined(
            "share of the balance − signed values",
            lambda total, *signed: (EXACT.ratio(total * need, whole) if whole else total)
            - sum(signed, ZERO),
            usdc.total, *(_signed(each) for each in exchange.positions),
        )  # fmt: skip
        return attrs.evolve(exchange, raw=raw)

    exchanges = tuple(funded(each) for each in picture.exchanges)
    return attrs.evolve(picture, mode="disabled", exchanges=exchanges)


def _supplied(picture: Picture, rulebook: Rulebook) -> Picture:
    """Return the picture in portfolio margin, all that is eligible as collateral supplied."""

    def lent(token: Token) -> Token:
        terms = rulebook.terms(token.asset)
        if terms is None or terms.is_borrowable or picture.mode == "portfolioMargin":
            return token
        return attrs.evolve(token, supplied=combined(AS_IF, lambda total: total, token.total))

    tokens = tuple(lent(each) for each in picture.tokens)
    return attrs.evolve(picture, mode="portfolioMargin", tokens=tokens)


# ------------------------------------------------------------------------- distances


def _distance(position: PositionMargin, base: Picture, judgement: Judgement, way: Way) -> Distance:
    alone = position.liquidation_price.value
    together = alone
    if way == "portfolio":
        together = _together(position, base, judgement)
    return Distance(coin=position.coin, mark=position.mark, alone=alone, together=together)


def _together(position: PositionMargin, base: Picture, judgement: Judgement) -> Decimal | None:
    """Return the mark that uses margin up when tokens of the underlying move along with it.

    All of them count, and all positions in the market; caps are taken not to bind on the way.
    """
    mark, free = position.mark, position.free.value
    need = position.maintenance.value
    if mark is None or free is None or need is None or position.size is None or not mark:
        return None
    counted = ZERO
    for asset, coin in UNDERLYING.items():
        token = judgement.token(Asset(asset))
        if coin == position.coin and token is not None and token.collateral is not None:
            if token.collateral.value is None:
                return None
            counted += token.collateral.value
    own = next(
        (each for exchange in base.exchanges for each in exchange.positions
         if each.coin == position.coin), None,
    )  # fmt: skip
    if own is None or not isinstance(own.tiers, tuple):
        return None
    value = known(own.value) or ZERO
    tier = own.tiers[tier_at(own.tiers, value)]
    rate = formulas.maintenance_rate(EXACT, tier.max_leverage)
    slope = formulas.joint_slope(EXACT, position.size, rate, counted, mark)
    if not slope:
        return None
    price = formulas.joint_liquidation_price(EXACT, mark, free, slope)
    return price if price > ZERO else None
