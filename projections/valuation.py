"""Valuation: what a quantity is worth in one money, at the last price recorded by a moment.

A price is looked up, never made: which record it comes from and how old it was is kept beside it.
Where none was recorded by then there is none, and what hangs on it is unknown by name.

**Which price.** A perpetual position: mark, else oracle, mid or last price of its market, in the
collateral of its exchange. A token: its reserve's oracle price, else mark, mid or last price of a
spot market in which it is sold for USDC. The first of these that is at most an hour old holds; if
all are older, the youngest.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger import events as ev
from ledger.money import exact
from ledger.units import Asset, Coin, Millis, is_outcome
from projections import prices
from projections.arithmetic import EXACT
from projections.chart import USDC, Place
from projections.reference import EMPTY as NO_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ledger.events import Event
    from projections.arithmetic import Arithmetic, N
    from projections.prices import Key, Price
    from projections.reference import Reference

STALE_MS: Final = 3_600_000
"""A price older than an hour gives way to a younger one of another measure."""

PRICE_PLACES: Final = 20
"""Decimal places of a price in a money other than USDC: a quotient of two recorded prices."""

Thing: TypeAlias = "tuple[Place, Asset]"

_OF_MARKET: Final = ("mark", "oracle", "mid", "last")
_ONE: Final = Decimal(1)


# --------------------------------------------------------------------------------- formulas


def worth(a: Arithmetic[N], amount: N, px: N) -> N:
    """Return amount × price; a short position and a debt are negative amounts."""
    return a.named("value", amount * px)


def change_of_price(a: Arithmetic[N], amount: N, before: N, after: N) -> N:
    """Return what a price's change did to an amount: amount × (price after − price before)."""
    return a.named("price change", amount * (after - before))


def through_collateral(a: Arithmetic[N], px: N, collateral_px: N) -> N:
    """Return the price of a position in USDC: price in its collateral × price of the collateral."""
    return a.named("price in USDC", px * collateral_px)


def in_money(a: Arithmetic[N], px: N, money_px: N) -> N:
    """Return a price in another money: price in USDC ÷ price of the money in USDC, 20 places."""
    return a.named("price in money", a.divide_half_even(px, money_px, PRICE_PLACES))


# ----------------------------------------------------------------------------------- quotes


@attrs.frozen(kw_only=True)
class Quote:
    """A price of one thing at one moment, with the records it comes from."""

    px: Decimal
    """Money per unit."""
    at: Millis | None
    """When the oldest price in it was recorded; None for the money itself."""
    source: str
    """Market, measure and kind of record: ``HYPE mark (metaAndAssetCtxs)``."""


def observed_prices(events: Iterable[Event]) -> dict[Key, list[Price]]:
    """Return every price recorded in streams of markets, by market and measure, in order of time.

    Fills are no price of a market and are passed over.
    """
    found: dict[Key, list[Price]] = {}
    for event in events:
        if isinstance(event, ev.PriceObserved | ev.CandleObserved | ev.ReserveObserved):
            one: dict[Key, Price] = {}
            prices.record(one, event, NO_REFERENCE)
            for key, price in one.items():
                found.setdefault(key, []).append(price)
    for series in found.values():
        series.sort(key=lambda price: price.at)
    return found


class Prices:
    """Recorded prices to ask for what a thing was worth; see the module for which one holds."""

    def __init__(
        self,
        observed: Mapping[Key, list[Price]],
        reference: Reference,
        money: Asset = USDC,
    ) -> None:
        """Quote in *money* out of *observed* prices, each series in order of time."""
        self.money = money
        self._observed = observed
        self._reference = reference
        self._markets: dict[Asset, list[Coin]] = {}
        for coin, (base, quote) in sorted(reference.pairs.items()):
            if quote == USDC and not is_outcome(coin):
                self._markets.setdefault(base, []).append(coin)

    def quote(self, thing: Thing, at: Millis) -> Quote | None:
        """Return the price of a thing at a moment; None where none was recorded by then."""
        place, asset = thing
        is_position = place.startswith("position:")
        if asset == self.money and not is_position:
            return Quote(px=_ONE, at=None, source="the money itself")
        with exact():
            found = self._position(Coin(place[9:]), at) if is_position else self._token(asset, at)
            if found is None or self.money == USDC:
                return found
            unit = self._token(self.money, at)
            if unit is None or not unit.px:
                return None
            px = in_money(EXACT, found.px, unit.px)
        return Quote(px=px, at=_older(found.at, unit.at), source=f"{found.source} ÷ {unit.source}")

    def lacking(self, thing: Thing, at: Millis) -> Asset:
        """Return of what no price was recorded, where ``quote`` has none: thing, or its money."""
        place, asset = thing
        if self.money != USDC and self._token(self.money, at) is None:
            return self.money
        if place.startswith("position:"):
            collateral = self._reference.collateral_of(Coin(place[9:]))
            if self._token(collateral, at) is None:
                return collateral
        return asset

    def _position(self, coin: Coin, at: Millis) -> Quote | None:
        found = self._best(((coin, measure) for measure in _OF_MARKET), at)
        collateral = self._reference.collateral_of(coin)
        if found is None or collateral == USDC:
            return found
        unit = self._token(collateral, at)
        if unit is None:
            return None
        return Quote(
            px=through_collateral(EXACT, found.px, unit.px),
            at=_older(found.at, unit.at),
            source=f"{found.source} × {unit.source}",
        )

    def _token(self, asset: Asset, at: Millis) -> Quote | None:
        if asset == USDC:
            return Quote(px=_ONE, at=None, source="USDC is the unit of prices")
        return self._best(self._keys_of(asset), at)

    def _keys_of(self, asset: Asset) -> Iterator[Key]:
        yield Coin(asset), "reserve"
        for coin in (*self._markets.get(asset, ()), Coin(f"{asset}/USDC")):
            for measure in _OF_MARKET:
                yield coin, measure
        if is_outcome(Coin(asset)):
            for measure in _OF_MARKET:
                yield Coin(asset), measure

    def _best(self, keys: Iterable[Key], at: Millis) -> Quote | None:
        youngest: tuple[Key, Price] | None = None
        for key in keys:
            price = self._last(key, at)
            if price is None:
                continue
            if at - price.at <= STALE_MS:
                youngest = key, price
                break
            if youngest is None or price.at > youngest[1].at:
                youngest = key, price
        if youngest is None:
            return None
        (coin, measure), price = youngest
        via = "" if price.via == measure else f" ({price.via})"
        return Quote(px=price.px, at=price.at, source=f"{coin} {measure}{via}")

    def _last(self, key: Key, at: Millis) -> Price | None:
        series = self._observed.get(key)
        if not series:
            return None
        index = bisect_right(series, at, key=lambda price: price.at)
        return series[index - 1] if index else None


def _older(one: Millis | None, other: Millis | None) -> Millis | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
