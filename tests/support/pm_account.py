"""One account of the simulated venue of portfolio margin: what it has, and what it can do."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.support.pm_rules import COLLATERAL, PERP, TOKEN
from tests.support.pm_truth import Standing
from tests.support.venue import Row
from tests.support.venue_rules import (
    ZERO_HASH,
    Holding,
    Pair,
    Perp,
    five_figures,
    settle,
    split,
    text,
    words,
)

if TYPE_CHECKING:
    from tests.support.pm_venue import PmVenue


class Account:
    """One account; ``rows`` is everything the venue would report of it, in the true order."""

    def __init__(self, world: PmVenue, name: str, appetite: int) -> None:
        self.world = world
        self.account = name
        self.appetite = appetite  # tenths of what it could open that it would open
        self.rows: list[Row] = []
        self.cash: dict[tuple[str, str], int] = {}
        self.positions: dict[str, Holding] = {}
        self.realized: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.funding: dict[str, int] = {}
        self.mode = "disabled"
        self.modes: list[tuple[int, str]] = []
        self.told: list[tuple[int, Standing]] = []
        self.cooling = 0  # until when a second liquidation takes whole positions
        self.liquidations: list[tuple[int, Fraction]] = []

    @property
    def now(self) -> int:
        return self.world.now

    def credit(self, where: str, asset: str, units: int) -> None:
        self.cash[where, asset] = self.cash.get((where, asset), 0) + units

    def at_hand(self, asset: str) -> int:
        return max(0, self.cash.get(("spot", asset), 0))

    def record(self, family: str, body: dict[str, Any]) -> None:
        world = self.world
        self.rows.append(Row(world.now, family, body, world.block(), 0))

    def ledger(self, delta: dict[str, Any]) -> None:
        body = {"time": self.now, "hash": self.world.hash(), "delta": delta}
        self.record("ledger", body)

    # -------------------------------------------------------------- money

    def deposit(self, units: int) -> None:
        """Money arrives on the main perpetuals side, as micro-dollars."""
        units = units // 100 * 100
        self.credit("perp:", "USDC", units)
        self.ledger({"type": "deposit", "usdc": text(units, 8)})

    def to_spot(self, units: int, dex: str = "") -> None:
        """Move money from an exchange to spot, or back when negative."""
        units = abs(units) // 100 * 100 * (1 if units > 0 else -1)
        if not units:
            return
        token = COLLATERAL[dex]
        self.credit(f"perp:{dex}", token, -units)
        self.credit("spot", token, units)
        to_perp = units < 0
        if dex:
            delta = {"type": "perpDexClassTransfer", "amount": text(abs(units), 8), "dex": dex}
            self.ledger({**delta, "token": token, "toPerp": to_perp})
        else:
            usdc = text(abs(units), 8)
            self.ledger({"type": "accountClassTransfer", "usdc": usdc, "toPerp": to_perp})

    def swap(self, pair: Pair, lots: int) -> None:
        """Buy lots of a token, or sell when negative, in one to three parts."""
        chance, px = self.world.chance, self.world.spot_ticks(pair)
        order = self.world.number(12)
        tx = self.world.hash()
        for part in split(abs(lots), chance.choice((1, 1, 2, 3)), chance):
            px = five_figures(px + chance.randrange(3) * (px // 10_000))
            self.swap_part(pair, part if lots > 0 else -part, px, order, tx)

    def swap_part(self, pair: Pair, lots: int, px: int, order: int, tx: str) -> None:
        base = TOKEN[pair.base]
        size, quote = abs(lots) * 10 ** (8 - base.places), abs(lots) * px
        before = self.cash.get(("spot", pair.base), 0)
        if lots > 0:
            fee, token = size * 7 // 10**4, pair.base
            self.credit("spot", pair.base, size - fee)
            self.credit("spot", pair.quote, -quote)
        else:
            fee, token = quote * 7 // 10**4, pair.quote
            self.credit("spot", pair.base, -size)
            self.credit("spot", pair.quote, quote - fee)
        self.fees[token] = self.fees.get(token, 0) + fee
        body = {
            "coin": pair.coin,
            "px": text(px, 8 - base.places),
            "sz": text(abs(lots), base.places),
            "side": "B" if lots > 0 else "A",
            "startPosition": text(before, 8),
            "dir": "Buy" if lots > 0 else "Sell",
            "closedPnl": "0.0",
            "fee": text(fee, 8),
            "feeToken": token,
        }
        self.filled(body, order, tx)

    def filled(self, body: dict[str, Any], order: int, tx: str) -> None:
        more = {"oid": order, "crossed": True, "tid": self.world.number(15), "twapId": None}
        self.record("fills", {**body, "time": self.now, "hash": tx, **more})

    # -------------------------------------------------------------- lending

    def lend(self, token: str, operation: str, units: int) -> None:
        """Operate on a reserve and change what is at hand."""
        if units <= 0:
            return
        reserve = self.world.reserves[token]
        interest = reserve.operate(self.account, operation, units, self.now)
        place = "supplied" if operation in {"supply", "withdraw"} else "borrowed"
        into = operation in {"supply", "repay"}
        self.credit("spot", token, -units if into else units)
        self.credit(place, token, units if into else -units)
        realized = 0 if operation in {"supply", "borrow"} else min(units, interest)
        delta = {"type": "borrowLend", "token": token, "operation": operation}
        self.ledger({**delta, "amount": text(units, 8), "interestAmount": text(realized, 8)})
        self.world.show_reserves()

    def posted(self, token: str, side: str) -> int:
        loans = self.world.reserves[token]
        loan = (loans.supply if side == "supply" else loans.borrow).get(self.account)
        return loan.posted if loan else 0

    def turn_of_hour(self, token: str) -> None:
        supply, borrow = self.world.reserves[token].turn_of_hour(self.account, self.now)
        if not (supply or borrow):
            return
        self.credit("supplied", token, supply)
        self.credit("borrowed", token, -borrow)
        row = {"time": self.now, "token": token}
        self.record("interest", {**row, "supply": text(supply, 8), "borrow": text(borrow, 8)})

    # -------------------------------------------------------------- perpetuals

    def trade(self, perp: Perp, lots: int, liquidation: dict[str, Any] | None = None) -> None:
        """Send a market order that fills in one to four parts within one millisecond."""
        chance = self.world.chance
        sign, px = 1 if lots > 0 else -1, self.world.mark[perp.coin]
        order = self.world.number(12)
        tx = self.world.hash()
        for part in split(abs(lots), chance.choice((1, 1, 2, 4)), chance):
            px = five_figures(px + sign * chance.randrange(3) * (px // 10_000))
            self.fill(perp, sign * part, px, order, tx, liquidation)

    def fill(
        self,
        perp: Perp,
        lots: int,
        px: int,
        order: int,
        tx: str,
        liquidation: dict[str, Any] | None,
    ) -> None:
        held = self.positions.setdefault(perp.coin, Holding())
        before, fee = held.lots, abs(lots) * px * 45 // 10**5
        pnl = settle(held, lots, px)
        self.realized[perp.coin] = self.realized.get(perp.coin, 0) + pnl
        self.credit(f"perp:{perp.dex}", perp.collateral, (-lots * px - fee) * 100)
        self.fees[perp.collateral] = self.fees.get(perp.collateral, 0) + fee * 100
        body = {
            "coin": perp.coin,
            "px": text(px, 6 - perp.places),
            "sz": text(abs(lots), perp.places),
            "side": "B" if lots > 0 else "A",
            "startPosition": text(before, perp.places),
            "dir": words(before, lots),
            "closedPnl": text(pnl, 6),
            "fee": text(fee, 6),
            "feeToken": perp.collateral,
            **({"liquidation": liquidation} if liquidation else {}),
        }
        self.filled(body, order, tx)

    def fund(self, rates: dict[str, int]) -> None:
        """Pay or receive the funding of an hour on everything held."""
        for coin, held in self.positions.items():
            if not held.lots:
                continue
            perp = PERP[coin]
            owed = held.lots * self.world.oracle[coin] * rates[coin]
            micro = -(owed // 10**10) if owed > 0 else -owed // 10**10
            delta = {
                "type": "funding",
                "coin": coin,
                "usdc": text(micro, 6),
                "szi": text(held.lots, perp.places),
                "fundingRate": text(rates[coin], 10),
                "nSamples": None,
            }
            self.record("funding", {"time": self.now, "hash": ZERO_HASH, "delta": delta})
            self.credit(f"perp:{perp.dex}", perp.collateral, micro * 100)
            self.funding[coin] = self.funding.get(coin, 0) + micro

    def liquidate(self) -> None:
        """Sell positions at market: a fifth of what is above 100k first, then the whole."""
        world = self.world
        held = {coin: each.lots for coin, each in self.positions.items() if each.lots}
        if not held:
            return
        self.liquidations.append((self.now, world.ratio_now(self)))
        worth = {coin: abs(lots) * world.mark[coin] for coin, lots in held.items()}
        whole = self.now <= self.cooling
        delta = {
            "type": "liquidation",
            "liquidatedNtlPos": text(sum(worth.values()), 6),
            "accountValue": text(self.value_of("") // 100, 6),
            "leverageType": "Cross",
            "liquidatedPositions": [
                {"coin": coin, "szi": text(lots, PERP[coin].places)} for coin, lots in held.items()
            ],
        }
        self.ledger(delta)
        for coin, lots in held.items():
            large = worth[coin] > 100_000 * 10**6 and not whole
            part = max(1, abs(lots) // 5) if large else abs(lots)
            mark = text(world.mark[coin], 6 - PERP[coin].places)
            about = {"liquidatedUser": self.account, "markPx": mark, "method": "market"}
            self.trade(PERP[coin], -part if lots > 0 else part, about)
        self.cooling = self.now + 35_000

    def value_of(self, dex: str) -> int:
        """Return the value of an exchange now, in units of its money."""
        raw = self.cash.get((f"perp:{dex}", COLLATERAL[dex]), 0)
        return raw + sum(
            held.lots * self.world.mark[coin] * 100
            for coin, held in self.positions.items()
            if PERP[coin].dex == dex
        )

    # -------------------------------------------------------------- remembering

    def stand(self) -> Standing:
        loans = {}
        for token, reserve in self.world.reserves.items():
            for side, found in (("supply", reserve.supply), ("borrow", reserve.borrow)):
                loan = found.get(self.account)
                if loan:
                    loans[token, side] = (loan.fine(), loan.basis)
        return Standing(
            cash={key: units for key, units in self.cash.items() if units},
            positions={
                coin: (held.lots, held.notional, self.realized[coin])
                for coin, held in self.positions.items()
            },
            fees={asset: units for asset, units in self.fees.items() if units},
            funding={coin: micro for coin, micro in self.funding.items() if micro},
            loans=loans,
            mode=self.mode,
        )
