"""A small simulated venue: one seed gives the true history of one account.

It knows nothing of our rooms. Everything it counts is a whole number (lots, price ticks,
micro-dollars, units of 10^-8), and what it reports (fees, funding, closed results, sizes before a
fill) is computed by the rules of the recordings, so that the reported fields are right by
construction. ``venue_papers.py`` writes the history down the way the venue hands it out.

The mode is the standard one: spot and perpetuals apart, one perpetuals side per exchange.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.support.venue_rules import (
    COLLATERAL,
    HOUR_MS,
    OTHERS,
    PAIRS,
    PERP,
    PERPS,
    START_MS,
    TOKEN,
    UNIT,
    VAULT,
    ZERO_HASH,
    Holding,
    Pair,
    Perp,
    five_figures,
    place,
    settle,
    split,
    text,
    words,
)


@dataclass(frozen=True)
class Row:
    """One record of the account, in the true order: ``body`` is the row of the info answer."""

    time: int
    family: str  # fills, funding, ledger, interest
    body: dict[str, Any]
    block: int
    nanos: int  # what the node's clock adds to the millisecond


@dataclass(repr=False)
class Venue:
    """The account and the world around it; ``rows`` is everything that happened, in order."""

    seed: int
    noise: bool = True
    lends: tuple[str, ...] = ("USDC", "USDC", "HYPE")
    rows: list[Row] = field(default_factory=list)
    cash: dict[tuple[str, str], int] = field(default_factory=dict)
    positions: dict[str, Holding] = field(default_factory=dict)
    realized: dict[str, int] = field(default_factory=dict)
    spot_cost: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.account = f"0x{self.chance.getrandbits(160):040x}"
        self.now = START_MS + self.chance.randrange(2, 40 * HOUR_MS)
        self.prices = {item.coin: item.typical for item in (*PERPS, *PAIRS)}
        self.next_hour = self.now - self.now % HOUR_MS + HOUR_MS
        self.began = self.now

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def __repr__(self) -> str:
        """Name the history in a line; its rows would fill pages."""
        return f"<Venue {self.seed}: {len(self.rows)} rows of {self.account}>"

    # ------------------------------------------------------------------ the way of the world

    def live(self, steps: int) -> None:
        """Let *steps* things happen, funding and interest of the hours between them included."""
        self.deposit(self.chance.randrange(5_000, 900_000) * UNIT)
        self.genesis("HYPE")
        for _ in range(steps):
            self.wait()
            name, *_ = self.chance.choices(*zip(*DEEDS, strict=True))
            getattr(self, name)()
        self.wait()

    def wait(self) -> None:
        """Go on by a millisecond up to a few hours, and live through the hours in between."""
        spans = (1, 7, 900, 45_000, 1_300_000, 3 * HOUR_MS)
        span = self.chance.choices(spans, (4, 4, 6, 6, 4, 1))[0]
        until = self.now + 1 + self.chance.randrange(span)
        while self.next_hour <= until:
            self.turn_of_hour()
        # the second in which the hour turns is left to funding: web exports show whole seconds
        self.now = max(until, self.next_hour - HOUR_MS + 1000)
        for coin, px in self.prices.items():
            self.prices[coin] = self.drifted(px)

    def drifted(self, px: int) -> int:
        moved = max(1000, px + px * self.chance.randrange(-60, 61) // 10_000)
        return five_figures(moved)

    def turn_of_hour(self) -> None:
        """Charge funding on what is held and accrue interest, a moment after the hour."""
        self.now = self.next_hour + self.chance.choice((0, 11, 66, 66, 213, 439))
        self.next_hour += HOUR_MS
        block, nanos = self.block(), self.nanos()
        for coin, held in self.positions.items():
            if held.lots:
                self.fund(coin, held, block, nanos)
        for asset in ("USDC", "HYPE"):
            supplied = self.cash.get(("supplied", asset), 0)
            borrowed = -self.cash.get(("borrowed", asset), 0)
            if supplied or borrowed:
                self.accrue(asset, supplied * 3 // 10**6, borrowed * 6 // 10**6, block)

    def fund(self, coin: str, held: Holding, block: int, nanos: int) -> None:
        perp = PERP[coin]
        rate = self.chance.choice((125_000, 125_000, -96_704, 5_530, -12_682_341, 3))  # × 10^-10
        owed = held.lots * self.prices[coin] * rate  # micro-dollars × 10^-10, paid when positive
        micro = -owed // 10**10 if owed <= 0 else -(owed // 10**10)  # cut off toward zero
        body = {
            "time": self.now,
            "hash": ZERO_HASH,
            "delta": {
                "type": "funding",
                "coin": coin,
                "usdc": text(micro, 6),
                "szi": text(held.lots, perp.places),
                "fundingRate": text(rate, 10),
                "nSamples": None,
            },
        }
        self.record("funding", body, block, nanos)
        self.credit(f"perp:{perp.dex}", perp.collateral, micro * 100)
        held.funding = [paid - micro for paid in held.funding]

    def accrue(self, asset: str, supply: int, borrow: int, block: int) -> None:
        body = {
            "time": self.now,
            "token": asset,
            "supply": text(supply, 8),
            "borrow": text(borrow, 8),
        }
        self.record("interest", body, block, 0)
        self.credit("supplied", asset, supply)
        self.credit("borrowed", asset, -borrow)

    # ------------------------------------------------------------------ perpetuals

    def trade(self) -> None:
        """Send a market order that fills in one to six parts within one millisecond."""
        perp = self.chance.choice(PERPS)
        held = self.positions.setdefault(perp.coin, Holding())
        lots = self.chance.randrange(1, perp.lots)
        buys = self.chance.random() < 0.5
        if held.lots and self.chance.random() < 0.5:
            buys = held.lots < 0
            closing = (abs(held.lots), max(1, abs(held.lots) // 3), abs(held.lots) + lots)
            lots = self.chance.choice(closing)
        parts = split(lots, self.chance.choice((1, 1, 2, 3, 6)), self.chance)
        rate = self.chance.choice((35, 45, 40, 15, -2))  # × 10^-5; negative is a rebate
        order = self.number(12)
        block, nanos, sign = self.block(), self.nanos(), 1 if buys else -1
        tx, px = self.hash(block), self.prices[perp.coin]
        cloid = f"0x{self.chance.getrandbits(128):032x}" if self.chance.random() < 0.3 else None
        for part in parts:
            px = five_figures(px + sign * self.chance.randrange(3) * (px // 10_000))
            more = {"cloid": cloid} if cloid else {}
            builder = abs(part) * px // 10**4 if order % 9 == 0 else 0
            self.fill(perp, sign * part, px, rate, order, tx, block, nanos, more, builder)

    def fill(
        self,
        perp: Perp,
        lots: int,
        px: int,
        rate: int,
        order: int,
        tx: str,
        block: int,
        nanos: int,
        more: dict[str, Any],
        builder: int = 0,
    ) -> None:
        """Execute one part: lots signed, px in ticks, rate in 10^-5, builder's fee in micro."""
        held = self.positions.setdefault(perp.coin, Holding())
        before, notional = held.lots, abs(lots) * px
        fee = notional * abs(rate) // 10**5 * (1 if rate > 0 else -1) + builder
        if builder:  # the fee includes it
            more = {**more, "builderFee": text(builder, 6)}
        pnl = settle(held, lots, px)
        self.realized[perp.coin] = self.realized.get(perp.coin, 0) + pnl
        # money moves as size in, cash out: the side's raw money is not the sum of closed results
        self.credit(f"perp:{perp.dex}", perp.collateral, (-lots * px - fee) * 100)
        body = {
            "coin": perp.coin,
            "px": text(px, 6 - perp.places),
            "sz": text(abs(lots), perp.places),
            "side": "B" if lots > 0 else "A",
            "time": self.now,
            "startPosition": text(before, perp.places),
            "dir": words(before, lots),
            "closedPnl": text(pnl, 6),
            "hash": tx,
            "oid": order,
            "crossed": rate > 20,
            "fee": text(fee, 6),
            "tid": self.number(15),
            **more,
            "feeToken": perp.collateral,
            "twapId": None,
        }
        self.record("fills", body, block, nanos)

    def liquidation(self) -> None:
        """Close every position of the main exchange in one millisecond, as the venue does it."""
        open_ones = [c for c, h in self.positions.items() if h.lots and not PERP[c].dex]
        if not open_ones:
            return
        block, nanos = self.block(), self.nanos()
        tx = self.hash(block)
        taken = sum(abs(self.positions[c].lots) * self.prices[c] for c in open_ones)
        positions = [
            {"coin": c, "szi": text(self.positions[c].lots, PERP[c].places)} for c in open_ones
        ]
        delta = {
            "type": "liquidation",
            "liquidatedNtlPos": text(taken, 6),
            "accountValue": text(self.chance.randrange(1, 10**9), 6),
            "leverageType": "Cross",
            "liquidatedPositions": positions,
        }
        self.ledger(delta, tx=tx, block=block, nanos=nanos)
        for coin in open_ones:
            held, px = self.positions[coin], self.prices[coin]
            mark = text(px, 6 - PERP[coin].places)
            about = {"liquidatedUser": self.account, "markPx": mark, "method": "market"}
            order, sign = self.number(12), -1 if held.lots > 0 else 1
            for part in split(abs(held.lots), self.chance.choice((1, 2, 4)), self.chance):
                more = {"liquidation": about}
                self.fill(PERP[coin], sign * part, px, 45, order, tx, block, nanos, more)

    # ------------------------------------------------------------------ spot

    def swap(self) -> None:
        """Buy or sell on a spot market in one to four parts; a buy pays its fee in the base."""
        pair = self.chance.choice(PAIRS)
        places = TOKEN[pair.base].places
        lot = 10 ** (8 - places)
        at_hand = self.cash.get(("spot", pair.base), 0) // lot
        money = self.cash.get(("spot", pair.quote), 0)
        px = self.prices[pair.coin]
        buys = self.chance.random() < 0.6 or at_hand == 0
        limit = money // (px * 2) if buys else at_hand
        if limit < 1:
            return
        lots = self.chance.randrange(1, min(limit, pair.lots) + 1)
        block, nanos = self.block(), self.nanos()
        tx, order = self.hash(block), self.number(12)
        for part in split(lots, self.chance.choice((1, 1, 2, 4)), self.chance):
            px = five_figures(px + self.chance.randrange(3) * (px // 10_000))
            self.swap_part(pair, part if buys else -part, px, order, tx, block, nanos)

    def swap_part(
        self, pair: Pair, lots: int, px: int, order: int, tx: str, block: int, nanos: int
    ) -> None:
        base = TOKEN[pair.base]
        size, quote = abs(lots) * 10 ** (8 - base.places), abs(lots) * px
        before = self.cash.get(("spot", pair.base), 0)
        cost = self.spot_cost.get(pair.coin, 0)
        if lots > 0:
            grain = 10 ** (8 - base.wei)
            fee, token, pnl = size * 7 // 10**4 // grain * grain, pair.base, 0
            self.spot_cost[pair.coin] = cost + quote
            self.credit("spot", pair.base, size - fee)
            self.credit("spot", pair.quote, -quote)
        else:
            fee, token = quote * 7 // 10**4, pair.quote
            share = cost * size // before if before else 0
            pnl = quote - share
            self.spot_cost[pair.coin] = cost - share
            self.credit("spot", pair.base, -size)
            self.credit("spot", pair.quote, quote - fee)
        body = {
            "coin": pair.coin,
            "px": text(px, 8 - base.places),
            "sz": text(abs(lots), base.places),
            "side": "B" if lots > 0 else "A",
            "time": self.now,
            "startPosition": text(before, 8),
            "dir": "Buy" if lots > 0 else "Sell",
            "closedPnl": text(pnl, 8),
            "hash": tx,
            "oid": order,
            "crossed": True,
            "fee": text(fee, 8),
            "tid": self.number(15),
            "feeToken": token,
            "twapId": None,
        }
        self.record("fills", body, block, nanos)

    # ------------------------------------------------------------------ ledger

    def deposit(self, amount: int | None = None) -> None:
        units = amount or self.chance.randrange(1, 10**12) * 100
        self.credit("perp:", "USDC", units)
        self.ledger({"type": "deposit", "usdc": self.noisy(units)})

    def withdraw(self) -> None:
        units = self.micro(50_000)
        self.credit("perp:", "USDC", -units - UNIT)
        nonce = self.now * 1000 + 7
        self.ledger({"type": "withdraw", "usdc": text(units, 8), "nonce": nonce, "fee": "1.0"})

    def class_transfer(self) -> None:
        to_perp = self.chance.random() < 0.3
        units = self.micro(60_000)
        if to_perp and not (units := self.afford("USDC", units, grain=100)):
            return
        self.move("USDC", units, "spot" if to_perp else "perp:", "perp:" if to_perp else "spot")
        delta = {"type": "accountClassTransfer", "usdc": self.noisy(units), "toPerp": to_perp}
        self.ledger(delta)

    def dex_class_transfer(self) -> None:
        units, to_perp, dex = self.micro(9_000), self.chance.random() < 0.7, self.other_dex()
        side, token = f"perp:{dex}", COLLATERAL[dex]
        if to_perp and not (units := self.afford(token, units, grain=100)):
            return
        self.move(token, units, "spot" if to_perp else side, side if to_perp else "spot")
        delta = {"type": "perpDexClassTransfer", "amount": text(units, 8), "token": token}
        self.ledger({**delta, "dex": dex, "toPerp": to_perp})

    def internal_transfer(self) -> None:
        units, (sender, receiver) = self.micro(4_000), self.two_parties()
        fee = self.chance.choice((0, UNIT))
        self.credit("perp:", "USDC", -units - fee if sender == self.account else units)
        delta = {"type": "internalTransfer", "usdc": text(units, 8), "user": sender}
        self.ledger({**delta, "destination": receiver, "fee": text(fee, 8)})

    def sub_account_transfer(self) -> None:
        units, (sender, receiver) = self.micro(4_000), self.two_parties()
        self.credit("perp:", "USDC", -units if sender == self.account else units)
        delta = {"type": "subAccountTransfer", "usdc": text(units, 8)}
        self.ledger({**delta, "user": sender, "destination": receiver})

    def spot_transfer(self) -> None:
        token = self.chance.choice(("USDC", "HYPE", "PURR", "USDH"))
        units, (sender, receiver) = self.tokens(token), self.two_parties()
        fee, fee_token = self.chance.choice(((0, ""), (0, "USDC"), (UNIT, "USDC"), (UNIT, "USDH")))
        native = self.chance.choice((0, 0, 120_000))
        if sender == self.account and not (units := self.afford(token, units)):
            return
        if sender == self.account:  # nobody pays with a token he has not
            left = self.cash.get(("spot", fee_token or "USDC"), 0)
            fee = fee if left >= fee + units else 0
            native = native if self.cash.get(("spot", "HYPE"), 0) >= native + units else 0
        self.pass_on(sender, "spot", "spot", token, units, (fee, fee_token), native)
        delta = {"type": "spotTransfer", "token": token, "amount": text(units, 8)}
        worth = {"usdcValue": text(units, 8), "user": sender, "destination": receiver}
        costs = {"fee": text(fee, 8), "nativeTokenFee": text(native, 8)}
        self.ledger({**delta, **worth, **costs, "nonce": self.nonce(), "feeToken": fee_token})

    def send(self) -> None:
        """Send between any sides: to oneself, to another, or received from another."""
        routes = (("spot", "spot"), ("", "spot"), ("spot", ""), ("", "xyz"), ("xyz", "spot"))
        source, target = self.chance.choice(routes)
        token = "USDC" if "" in (source, target) or "xyz" in (source, target) else "HYPE"
        units = self.tokens(token)
        if {source, target} != {"spot"}:  # a perpetuals side keeps six decimals
            units = units // 100 * 100
        sender, receiver = self.chance.choice(
            ((self.account, self.account), self.two_parties(), self.two_parties())
        )
        fee = self.chance.choice((0, 0, UNIT))
        here, there = place(source), place(target)
        ours = sender == self.account and here == "spot"
        if ours and not (units := self.afford(token, units, grain=1 if there == "spot" else 100)):
            return
        fee_token = "USDC" if fee else ""
        if sender == receiver:
            self.move(token, units, here, there)
            self.credit(here, "USDC", -fee)
        else:
            self.pass_on(sender, here, there, token, units, (fee, fee_token), 0)
        delta = {"type": "send", "user": sender, "destination": receiver, "sourceDex": source}
        about = {"destinationDex": target, "token": token, "amount": text(units, 8)}
        costs = {"usdcValue": text(units, 8), "fee": text(fee, 8), "nativeTokenFee": "0.0"}
        self.ledger({**delta, **about, **costs, "nonce": self.nonce(), "feeToken": fee_token})

    def activation(self) -> None:
        self.credit("spot", "USDC", -UNIT)
        self.ledger({"type": "accountActivationGas", "amount": "1.0", "token": "USDC"})

    def rewards(self) -> None:
        units = self.micro(40)
        self.credit("spot", "USDC", units)
        self.ledger({"type": "rewardsClaim", "amount": text(units, 8), "token": "USDC"})

    def genesis(self, token: str = "MAX") -> None:
        units = self.tokens(token)
        self.credit("spot", token, units)
        self.ledger({"type": "spotGenesis", "token": token, "amount": text(units, 8)})

    def auction(self) -> None:
        name = self.chance.choice(("deployGasAuction", "gossipPriorityGasAuction"))
        if not (units := self.afford("HYPE", self.tokens("HYPE"))):
            return
        self.credit("spot", "HYPE", -units)
        self.ledger({"type": name, "token": "HYPE", "amount": text(units, 8)})

    def stake(self) -> None:
        is_deposit = self.chance.random() < 0.6
        here, there = ("spot", "staking") if is_deposit else ("staking", "spot")
        if not (units := self.afford("HYPE", self.tokens("HYPE"), where=here)):
            return
        self.move("HYPE", units, here, there)
        delta = {"type": "cStakingTransfer", "token": "HYPE", "amount": text(units, 8)}
        self.ledger({**delta, "isDeposit": is_deposit})

    def lend(self) -> None:
        asset = self.chance.choice(self.lends)
        operation = self.chance.choice(("supply", "supply", "withdraw", "borrow", "repay"))
        units = self.tokens(asset)
        if operation in {"supply", "repay"}:  # comes from the spot side
            units = self.afford(asset, units)
        if operation == "withdraw":
            units = self.afford(asset, units, where="supplied")
        if operation == "repay":
            units = min(units, -self.cash.get(("borrowed", asset), 0))
        if not units:
            return
        here = "supplied" if operation in {"supply", "withdraw"} else "borrowed"
        if operation in {"supply", "repay"}:
            self.move(asset, units, "spot", here)
        else:
            self.move(asset, units, here, "spot")
        interest = units // 10_007 if operation in {"withdraw", "repay"} else 0
        delta = {"type": "borrowLend", "token": asset, "operation": operation}
        self.ledger({**delta, "amount": text(units, 8), "interestAmount": text(interest, 8)})

    def vault(self) -> None:
        """Put money into a vault, take some back, or receive what it pays out."""
        units = self.micro(2_000)
        name = self.chance.choice(("vaultDeposit", "vaultWithdraw", "vaultDistribution"))
        if name == "vaultWithdraw":
            asked, basis = units, units // 200 * 100
            commission = (asked - basis) // 10 // 100 * 100
            net = asked - commission
            self.credit("perp:", "USDC", net)
            self.credit(f"vault:{VAULT}", "USDC", -basis)
            delta = {"type": name, "vault": VAULT, "user": self.account}
            asks = {"requestedUsd": text(asked, 8), "commission": text(commission, 8)}
            rest = {"closingCost": "0.0", "basis": text(basis, 8), "netWithdrawnUsd": text(net, 8)}
            self.ledger({**delta, **asks, **rest})
            return
        if name == "vaultDeposit":
            self.move("USDC", units, "perp:", f"vault:{VAULT}")
        else:
            self.move("USDC", units, f"vault:{VAULT}", "perp:")
        self.ledger({"type": name, "vault": VAULT, "usdc": text(units, 8)})

    def found_vault(self) -> None:
        units = self.micro(2_000)
        self.move("USDC", units, "perp:", f"vault:{VAULT}")
        self.credit("perp:", "USDC", -100 * UNIT)
        delta = {"type": "vaultCreate", "vault": VAULT, "usdc": text(units, 8)}
        self.ledger({**delta, "fee": "100.0"})

    def lead_vault(self) -> None:
        units = self.micro(20)
        self.credit("perp:", "USDC", units)
        delta = {"type": "vaultLeaderCommission", "user": self.account}
        self.ledger({**delta, "usdc": text(units, 8)})

    # ------------------------------------------------------------------ small change

    def credit(self, where: str, asset: str, units: int) -> None:
        self.cash[where, asset] = self.cash.get((where, asset), 0) + units

    def afford(self, asset: str, units: int, *, where: str = "spot", grain: int = 1) -> int:
        """Return *units*, or what is there when it is less; never below zero."""
        return max(0, min(units, self.cash.get((where, asset), 0)) // grain * grain)

    def move(self, asset: str, units: int, here: str, there: str) -> None:
        self.credit(here, asset, -units)
        self.credit(there, asset, units)

    def pass_on(
        self,
        sender: str,
        here: str,
        there: str,
        token: str,
        units: int,
        cost: tuple[int, str],
        native: int,
    ) -> None:
        """Book one transfer between two accounts on the side that is ours; the sender pays."""
        if sender != self.account:
            self.credit(there, token, units)
            return
        self.credit(here, token, -units)
        fee, fee_token = cost
        self.credit(here, fee_token or "USDC", -fee)
        self.credit("spot", "HYPE", -native)

    def ledger(
        self, delta: dict[str, Any], tx: str = "", block: int = 0, nanos: int | None = None
    ) -> None:
        block = block or self.block()
        body = {"time": self.now, "hash": tx or self.hash(block), "delta": delta}
        self.record("ledger", body, block, self.nanos() if nanos is None else nanos)

    def record(self, family: str, body: dict[str, Any], block: int, nanos: int) -> None:
        self.rows.append(Row(self.now, family, body, block, nanos))

    def two_parties(self) -> tuple[str, str]:
        other = self.chance.choice(OTHERS)
        return (self.account, other) if self.chance.random() < 0.5 else (other, self.account)

    def other_dex(self) -> str:
        return self.chance.choice(("flx", "xyz"))

    def micro(self, dollars: int) -> int:
        return self.chance.randrange(1, dollars * 10**6) * 100

    def tokens(self, token: str) -> int:
        grain = 10 ** (8 - TOKEN[token].wei)
        return self.chance.randrange(1, 90 * UNIT // grain) * grain

    def noisy(self, units: int) -> str:
        """Return an amount as the ledger writes it: now and then with the noise of a double."""
        if self.noise and self.chance.random() < 0.2:
            return text(units * 100 + self.chance.choice((1, 2, -2)), 10)
        return text(units, 8)

    def number(self, digits: int) -> int:
        return self.chance.randrange(10 ** (digits - 1), 10**digits)

    def nonce(self) -> int | None:
        return self.chance.choice((None, self.now))

    def nanos(self) -> int:
        return self.chance.randrange(10**6)

    def block(self) -> int:
        """Return the number of the block of this millisecond: number and time are one-to-one."""
        return 880_000_000 + (self.now - START_MS)

    def hash(self, block: int) -> str:
        """Return a transaction hash with the block's number where the venue puts it."""
        head, tail = self.chance.getrandbits(80), self.chance.getrandbits(136)
        return f"0x{head:020x}04{block:08x}{tail:034x}"


DEEDS = (
    ("trade", 34),
    ("swap", 14),
    ("liquidation", 2),
    ("deposit", 4),
    ("withdraw", 2),
    ("class_transfer", 8),
    ("dex_class_transfer", 4),
    ("internal_transfer", 2),
    ("sub_account_transfer", 2),
    ("spot_transfer", 4),
    ("send", 6),
    ("activation", 1),
    ("rewards", 1),
    ("genesis", 1),
    ("auction", 1),
    ("stake", 3),
    ("lend", 6),
    ("vault", 3),
    ("found_vault", 1),
    ("lead_vault", 1),
)


def history(seed: int, steps: int, **traits: Any) -> Venue:
    """Return the venue after *steps* deeds of the account that grows from *seed*."""
    venue = Venue(seed, **traits)
    venue.live(steps)
    return venue
