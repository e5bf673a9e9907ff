"""Supposed: prices and parameters as whoever asks takes them to have been, put into a picture."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger.units import Asset, Coin, Millis
from projections.margin.picture import Input, Picture
from projections.margin.rebuilt import UNDERLYING
from projections.prices import Price, State

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SUPPOSED: Final = "supposed"
"""Where a supposed number comes from."""

OF_TOKENS: Final = "token"


@attrs.frozen(kw_only=True)
class SupposedPrice:
    """A price over a time. **Units**: quote per coin; milliseconds, both ends included."""

    coin: Coin
    px: Decimal
    measures: tuple[str, ...]
    """Among ``mark``, ``oracle``, and ``token``: the oracle price of the token it stands for."""
    since: Millis | None = None
    until: Millis | None = None

    def holds(self, at: Millis) -> bool:
        """Tell whether it holds at an instant."""
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


@attrs.frozen(kw_only=True)
class SupposedLtv:
    """A loan to value that goes before what the venue recorded, as a ratio."""

    asset: Asset
    ltv: Decimal


def with_prices(prices: State, supposed: Sequence[SupposedPrice], at: Millis) -> State:
    """Return the last prices of an instant with the supposed ones in their place.

    A supposed price is of the instant itself: nothing recorded is younger.
    """
    held = dict(prices.by_key)
    for each in supposed:
        if each.holds(at):
            for measure in each.measures:
                if measure != OF_TOKENS:
                    held[each.coin, measure] = Price(each.px, at, SUPPOSED)
    return State(held)


def with_tokens(
    picture: Picture, prices: Sequence[SupposedPrice], ltvs: Sequence[SupposedLtv]
) -> Picture:
    """Return the picture with supposed prices of tokens, and supposed loans to value."""
    for each in prices:
        if each.holds(picture.at) and OF_TOKENS in each.measures:
            for token in picture.tokens:
                if str(token.asset) == str(each.coin) or UNDERLYING.get(token.asset) == each.coin:
                    picture = picture.with_price(token.asset, Input(each.px, SUPPOSED, picture.at))
    for ltv in ltvs:
        tokens = tuple(
            attrs.evolve(token, ltv=Input(ltv.ltv, SUPPOSED, picture.at))
            if token.asset == ltv.asset
            else token
            for token in picture.tokens
        )
        picture = attrs.evolve(picture, tokens=tokens)
    return picture


def without_told(picture: Picture, told: Collection[str]) -> Picture:
    """Return an observed picture without the positions that fills tell of, for another history.

    A state shows what the fills of its own world led to; in the supposed one they may be gone.
    """
    sides = tuple(
        attrs.evolve(
            side, positions=tuple(each for each in side.positions if each.coin not in told)
        )
        for side in picture.exchanges
    )
    return attrs.evolve(picture, exchanges=sides)
