"""Reference: what markets and tokens are, from the venue's own metadata.

Metadata is not part of an account's history: a pair is what it is, whatever the moment we learnt
of it. So a reference is built from every metadata event known, and of two which name the same
thing the later one holds. What is not known is never guessed: an unknown quote token is called
``quote of @107``, and nothing is ever added up with it by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from ledger.codec import encode
from ledger.events import MarketListed, PairListed, TokenListed
from ledger.money import FRACTION_DIGITS_MAX
from ledger.units import Asset, Coin, Dex, dex_of
from projections.chart import USDC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.events import Event

SIZE_PLACES_MAX: Final = 6
"""Sizes and prices of a perpetual share six decimal places between them."""


@attrs.frozen(kw_only=True)
class Reference:
    """Metadata as far as it is known."""

    pairs: Mapping[Coin, tuple[Asset, Asset]] = attrs.field(factory=dict)
    """Spot markets: the token traded and the token paid."""
    size_places: Mapping[Coin, int] = attrs.field(factory=dict)
    """Perpetual markets: decimal places of sizes."""
    collateral: Mapping[Dex, Asset] = attrs.field(factory=dict)
    """Perpetuals exchanges: the token of their money."""
    symbols: Mapping[int, Asset] = attrs.field(factory=dict)
    """Tokens: symbol by the venue's index."""
    wei_places: Mapping[Asset, int] = attrs.field(factory=dict)
    """Tokens: decimal places of balances."""

    def pair(self, coin: Coin) -> tuple[Asset, Asset]:
        """Return the token traded and the token paid on a spot or outcome market.

        A name such as ``HYPE/USDC`` says both. Where neither metadata nor name does, the token
        traded is called by the market and the token paid ``quote of`` it: never a guess.
        """
        known = self.pairs.get(coin)
        if known is not None:
            return known
        base, slash, quote = coin.partition("/")
        if slash:
            return Asset(base), Asset(quote)
        return Asset(coin), Asset(f"quote of {coin}")

    def collateral_of(self, coin: Coin, charged: Asset | None = None) -> Asset:
        """Return the token of the money in which a perpetual settles.

        The token a fill was *charged* in says it best; then metadata of the exchange; the main
        exchange is known to settle in USDC; any other is called ``collateral of`` it.
        """
        if charged is not None:
            return charged
        dex = dex_of(coin)
        known = self.collateral.get(dex)
        if known is not None:
            return known
        return Asset(f"collateral of {dex}") if dex else USDC


EMPTY: Final = Reference()


def reference(events: Iterable[Event]) -> Reference:
    """Return the reference that metadata events make; other events are passed over.

    The order of *events* does not matter: the later moment holds, and of two at one moment the
    one whose canonical line sorts last. Counts of decimal places that no number of the venue can
    have are passed over.
    """
    kept: list[tuple[int, bytes, MarketListed | PairListed | TokenListed]] = [
        (event.at, encode(event), event)
        for event in events
        if isinstance(event, MarketListed | PairListed | TokenListed)
    ]
    pairs: dict[Coin, tuple[Asset, Asset]] = {}
    size_places: dict[Coin, int] = {}
    collateral: dict[Dex, Asset] = {}
    symbols: dict[int, Asset] = {}
    wei_places: dict[Asset, int] = {}
    for _, _, event in sorted(kept, key=lambda item: item[:2]):
        if isinstance(event, PairListed):
            pairs[event.coin] = (event.base, event.quote)
        elif isinstance(event, TokenListed):
            symbols[event.index] = event.asset
            if 0 <= event.wei_places <= FRACTION_DIGITS_MAX:
                wei_places[event.asset] = event.wei_places
        else:
            if 0 <= event.size_places <= SIZE_PLACES_MAX:
                size_places[event.coin] = event.size_places
            if event.collateral is not None:
                collateral[event.dex] = event.collateral
    return Reference(
        pairs=pairs,
        size_places=size_places,
        collateral=collateral,
        symbols=symbols,
        wei_places=wei_places,
    )
