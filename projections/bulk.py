"""Bulk: plain fills of perpetuals, taken together.

Balances and fees are linear in what a fill says, and positions of different markets do not touch
one another. So a fold over many events puts the plain fills of perpetuals aside: it adds up size,
money and fee by market, side and fee token, keeps the fills of each market in order, and at the
end has the very rules that take one fill (``postings.perp_moves``, ``fees.charged``,
``positions.perp_run``) take the sums and the runs. A law holds both ways of folding against each
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ledger.money import ZERO
from projections import balances, fees, positions
from projections.postings import is_perp, perp_moves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.events import Filled
    from ledger.units import Asset, Coin
    from projections.reference import Reference

RUN_MAX: Final = 512
"""Fills put aside before they are taken: few enough to stay in a processor's own memory."""

Sums: TypeAlias = list[Any]
"""[fills, size, money, fee, builder's share, whether any fee was not zero, the market's fills]."""


class Bulk:
    """Plain fills of perpetuals put aside by a fold."""

    __slots__ = ("_held", "_runs", "_sums", "count")

    def __init__(self, held: Mapping[str, dict[Any, Any]]) -> None:
        """Put fills aside for the states in *held*; a projection that has stopped is not there."""
        self._held = held
        self._sums: dict[tuple[Coin, str, Asset | None], Sums] = {}
        self._runs: dict[Coin, list[Filled]] = {}
        self.count = 0

    def takes(self, fill: Filled) -> bool:
        """Put a fill aside, or say no: every projection then gets it by itself.

        Plain is a fill of a perpetual, no part of a liquidation, that says its fee and the token
        of it, and of which price and size are exact and not zero.
        """
        fee, builder = fill.fee, fill.builder_fee
        sums = self._sums.get((fill.coin, fill.side, fill.fee_asset)) or self._begin(fill)
        money = fill.px * fill.sz
        if sums is None or fee is None or not money or fill.notional is not None:
            return False
        if fill.liquidated_user is not None or "Liquidat" in fill.direction:
            return False
        sums[0] += 1
        sums[1] += fill.sz
        sums[2] += money
        if fee:
            sums[3] += fee
            sums[5] = True
        if builder is not None:
            sums[4] += builder
        sums[6].append(fill)
        self.count += 1
        return True

    def _begin(self, fill: Filled) -> Sums | None:
        if fill.fee_asset is None or not is_perp(fill.coin):
            return None
        run = self._runs.setdefault(fill.coin, [])
        sums: Sums = [0, ZERO, ZERO, ZERO, ZERO, False, run]
        self._sums[fill.coin, fill.side, fill.fee_asset] = sums
        return sums

    def settle(self, reference: Reference) -> None:
        """Let the rules take what was put aside."""
        if not self.count:
            return
        held = self._held
        for (coin, side, asset), sums in self._sums.items():
            if asset is not None and sums[0]:
                self._post(coin, side, asset, sums, reference)
                sums[:6] = [0, ZERO, ZERO, ZERO, ZERO, False]
        moved = held.get(positions.NAME)
        for coin, run in self._runs.items():
            if run and moved is not None:
                moved[coin] = positions.perp_run(moved.get(coin), run, reference)
            run.clear()
        self.count = 0

    def _post(self, coin: Coin, side: str, asset: Asset, sums: Sums, reference: Reference) -> None:
        count, size, money, fee, builder, is_charged, _ = sums
        if (held := self._held.get(balances.NAME)) is not None:
            asset_moved = reference.collateral_of(coin, asset)
            charged = fee if is_charged else None
            moved = perp_moves(coin, side, asset_moved, size=size, cash=money, fee=charged)
            balances.add(held, moved)
        if (held := self._held.get(fees.NAME)) is not None:
            fees.charged(held, asset, total=fee, builder=builder, fills=count)
