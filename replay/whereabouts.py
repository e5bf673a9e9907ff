"""Whereabouts: in which raw record, or behind which question, the inputs of margin stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.money import exact
from ledger.units import MAIN_DEX, Asset, Coin, Dex
from projections.margin.observed import collateral_of
from projections.margin.rebuilt import MEASURES, UNDERLYING
from projections.rulebooks.base import USDC

if TYPE_CHECKING:
    from ledger.events import ObservedPosition
    from ledger.units import Millis
    from projections.prices import Price
    from replay.recorded import Recorded


class Whereabouts:
    """Where the inputs of a picture stand in the book, looked up one by one."""

    def __init__(self, recorded: Recorded, at: Millis) -> None:
        """Look among what was recorded by an instant."""
        self._recorded = recorded
        self._at = at

    def of(self, name: str, of: str) -> str:
        """Return record, place and event of an input, or the question that shows its events.

        Empty for what has neither, such as a constant of a rulebook.
        """
        if name in {"mark", "position value"}:
            return self._price(Coin(of), MEASURES)
        if name == "oracle price":
            return "" if of == USDC else self._oracle(Asset(of))
        if name in {"loan to value", "reserve at hand", "borrowed by all"}:
            return self._reserve(Asset(of))
        if name == "leverage":
            return self._leverage(Coin(of))
        if name in {"size", "entry notional"}:
            return f'explain "position {of}"'
        if name == "raw money":
            dex = MAIN_DEX if of == "main dex" else Dex(of.removeprefix("dex "))
            money = collateral_of(dex, self._recorded.reference)
            return f'explain "balance {f"perp {dex}".strip()} {money}"'
        if name in {"supplied", "borrowed"}:
            return f'explain "balance {name} {of}"'
        return 'explain "balance spot ' + of + '"' if name == "net balance" else ""

    def _price(self, coin: Coin, measures: tuple[str, ...]) -> str:
        found = None
        for measure in measures:
            found = found or self._recorded.price(coin, measure, self._at)
        for state in self._recorded.perps_at(self._at).values():
            if found is None or found[0].at <= state.event.at:
                for row in state.event.positions:
                    if row.coin == coin and not (found and self._is_same(row, found[0])):
                        return self._recorded.where(state)
        return "" if found is None else self._recorded.where(found[1])

    @staticmethod
    def _is_same(row: ObservedPosition, price: Price) -> bool:
        """Tell whether a position is marked at a price."""
        with exact():
            return row.value is not None and row.value == abs(row.size) * price.px

    def _oracle(self, asset: Asset) -> str:
        """Name the later of the reserve's state and the price of what the token stands for."""
        reserve = self._recorded.reserves_at(self._at).get(asset)
        coin = UNDERLYING.get(asset)
        for measure in ("oracle", *MEASURES) if coin is not None else ():
            found = None if coin is None else self._recorded.price(coin, measure, self._at)
            if found is not None and (reserve is None or found[0].at > reserve.event.at):
                return self._recorded.where(found[1])
        return "" if reserve is None else self._recorded.where(reserve)

    def _reserve(self, asset: Asset) -> str:
        found = self._recorded.reserves_at(self._at).get(asset)
        return "" if found is None else self._recorded.where(found)

    def _leverage(self, coin: Coin) -> str:
        for found in self._recorded.perps_at(self._at).values():
            if any(row.coin == coin for row in found.event.positions):
                return self._recorded.where(found)
        return ""
