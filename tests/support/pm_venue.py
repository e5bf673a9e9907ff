"""A small simulated venue of portfolio margin: one seed gives the true history of its accounts.

It knows nothing of our rooms and counts in whole numbers: several accounts lend and borrow on one
reserve per token, hold collateral whose price moves, trade perpetuals on three exchanges of two
currencies, and are liquidated at market when requirement ÷ liquidation value is above 0.95 at a
change of prices. It keeps what was true after every step, and answers for any instant between:
``standing`` for what is in the books, ``lent`` for what interest has run to, ``ratio`` for how
near an account is. ``pm_papers.py`` writes the history down the way the venue hands it out.

Reserve operations, changes of prices and hourly rows fall on whole seconds, because the answers
that show them carry no finer moment.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.support.pm_account import Account
from tests.support.pm_oracle import moment
from tests.support.pm_rules import (
    BORROW_CAP,
    BORROWABLE,
    COLLATERAL,
    COLLATERALS,
    HOUR_MS,
    LTV_CHANGE,
    PAIR_OF,
    PERP,
    PERPS,
    SUPPLY_CAP,
    TOKEN,
    UNDERLYING,
    UNIT,
    Reserve,
    ltv_of,
)
from tests.support.pm_truth import (
    Standing,
    World,
    fine_of,
    latest,
    plain_portfolio,
    ratio_of,
    toward,
)
from tests.support.venue_rules import Pair, five_figures, text

SINCE = (
    (moment("2026-06-24"), 40),
    (moment("2026-09-01"), 40),
    (LTV_CHANGE - 8 * HOUR_MS, 7),
)
"""Where histories begin, and by how many hours they are spread: under the old loan to value, under
the new one, or across its change."""

STARTS = {
    "BTC": 715_000,
    "HYPE": 360_000,
    "ARB": 74_000,
    "xyz:NVDA": 181_000,
    "vnt:OIL": 640_000,
}


@dataclass
class PmVenue:
    """The world and its accounts; the first one is everybody else, who only lends and borrows."""

    seed: int
    accounts: list[Account] = field(default_factory=list)
    told: list[tuple[int, World]] = field(default_factory=list)
    shown: list[tuple[int, str, Any]] = field(default_factory=list)  # market answers, in order

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        chance = self.chance
        since, spread = chance.choice(SINCE)
        self.began = since + chance.randrange(spread) * HOUR_MS
        self.now = self.began
        self.next_hour = self.began + HOUR_MS
        self.oracle = {
            coin: five_figures(px * chance.randrange(700, 1400) // 1000)
            for coin, px in STARTS.items()
        }
        self.usdt = 99_950_000 + chance.randrange(100_000)
        self.mark: dict[str, int] = {}
        self.drift_marks()
        self.reserves = {name: Reserve(name, self.now) for name in TOKEN}
        for number in range(chance.randrange(3, 6)):
            name = f"0x{chance.getrandbits(160):040x}"
            self.accounts.append(Account(self, name, chance.randrange(1, 10) if number else 0))

    # -------------------------------------------------------------- the way of the world

    def live(self, steps: int) -> None:
        """Let everybody come in, then let *steps* things happen."""
        self.second()
        self.found_reserves()
        for account in self.accounts[1:]:
            self.second()
            self.come_in(account)
        self.second()
        self.change_prices(calm=True)
        for _ in range(steps):
            self.wait()
            if self.chance.random() < 0.45:
                self.second()
                self.change_prices()
            else:
                self.act(self.chance.choice(self.accounts[1:]))
        self.second()
        self.change_prices(calm=True)
        self.remember()

    def second(self) -> None:
        """Go on to the next whole second."""
        self.go((self.now // 1000 + 1) * 1000)

    def wait(self) -> None:
        spans = (900, 45_000, 600_000, 900_000, HOUR_MS)
        self.go(self.now + 1 + self.chance.randrange(self.chance.choice(spans)))

    def go(self, until: int) -> None:
        """Go on to a moment, and live through the hours in between."""
        while self.next_hour <= until:
            self.turn_of_hour()
        self.pass_to(max(self.now, until))

    def pass_to(self, at: int) -> None:
        """Let the clock go on; what was true up to now is kept."""
        if at > self.now:
            self.remember()
        self.now = at

    def turn_of_hour(self) -> None:
        """Count interest on the hour, and charge funding a moment after it."""
        self.pass_to(self.next_hour)
        self.next_hour += HOUR_MS
        for token, reserve in self.reserves.items():
            reserve.accrue(self.now)
            for account in self.accounts:
                account.turn_of_hour(token)
        self.show_reserves()
        self.pass_to(self.now + self.chance.choice((11, 66, 213, 439)))
        rates = {perp.coin: self.chance.choice((125_000, -96_704, 5_530, 3)) for perp in PERPS}
        for account in self.accounts[1:]:
            account.fund(rates)
        self.pass_to(self.now // 1000 * 1000 + 1000)

    def found_reserves(self) -> None:
        """Let everybody else fill the reserves and borrow of them."""
        rest, chance = self.accounts[0], self.chance
        for token, most in (("USDC", 60_000_000), ("USDT0", 1_200_000)):
            units = chance.randrange(most // 2, most) * UNIT
            rest.credit("spot", token, units)
            rest.ledger({"type": "spotGenesis", "token": token, "amount": text(units, 8)})
            rest.lend(token, "supply", units)
            rest.lend(token, "borrow", units * chance.randrange(30, 96) // 100)
        self.change_mode(rest, "portfolioMargin")

    def come_in(self, account: Account) -> None:
        """Deposit, buy collateral, change the mode, and supply."""
        chance = self.chance
        dollars = 10 ** chance.randrange(4, 7) * chance.randrange(1, 40)
        account.deposit(dollars * UNIT + chance.randrange(UNIT))
        self.pass_to(self.now + 7)
        account.to_spot(dollars * UNIT * chance.randrange(30, 96) // 100)
        for token in COLLATERALS if chance.random() < 0.5 else ("HYPE",):
            self.pass_to(self.now + 11)
            money = account.at_hand("USDC") * chance.randrange(40, 99) // 100
            self.buy(account, token, money)
        self.second()
        self.change_mode(account, "portfolioMargin")
        for token in COLLATERALS:
            self.second()
            if units := account.at_hand(token):
                account.lend(token, "supply", units if chance.random() < 0.8 else units // 2)

    def change_mode(self, account: Account, mode: str) -> None:
        self.second()
        account.mode = mode
        account.modes.append((self.now, mode))

    def buy(self, account: Account, token: str, money: int) -> None:
        """Spend up to some money on a token; within what a user may supply."""
        pair = PAIR_OF[token]
        lots = money // (self.spot_ticks(pair) * 1002 // 1000)
        if token in SUPPLY_CAP:
            have = account.at_hand(token) + account.posted(token, "supply")
            room = SUPPLY_CAP[token] * 11 // 10 - have
            lots = min(lots, room // 10 ** (8 - TOKEN[token].places))
        if lots > 0:
            account.swap(pair, lots)

    # -------------------------------------------------------------- prices

    def change_prices(self, *, calm: bool = False) -> None:
        """Move all prices, show them, and liquidate whoever does not stand them."""
        chance = self.chance
        if not calm:
            violent = chance.random() < 0.12
            span = 900 if violent else 60
            common = chance.randrange(-span, span + 1)
            for coin, px in self.oracle.items():
                own = common + chance.randrange(-40, 41)
                self.oracle[coin] = five_figures(max(1000, px + px * own // 10_000))
            self.usdt = 99_900_000 + chance.randrange(200_000)
        self.drift_marks()
        self.shown.append((self.now, "prices", (dict(self.oracle), dict(self.mark))))
        self.show_reserves()
        for account in self.accounts[1:]:
            if account.mode != "disabled":
                ratio = self.ratio_now(account)
                if ratio is None or ratio > Fraction(95, 100):
                    account.liquidate()

    def drift_marks(self) -> None:
        for coin, px in self.oracle.items():
            self.mark[coin] = five_figures(px + px * self.chance.randrange(-5, 6) // 10_000)

    def token_px(self, token: str) -> int:
        """Return the oracle price of a token in units of 10^-8."""
        if token == "USDC":
            return UNIT
        if token == "USDT0":
            return self.usdt
        coin = UNDERLYING[token]
        return self.oracle[coin] * 10 ** (2 + PERP[coin].places)

    def spot_ticks(self, pair: Pair) -> int:
        return max(1, self.token_px(pair.base) // 10 ** TOKEN[pair.base].places)

    def show_reserves(self) -> None:
        """Show every reserve's state as of now; its rates are set anew with it."""
        states = []
        for token, reserve in self.reserves.items():
            reserve.accrue(self.now)
            reserve.price_money()
            supplied, borrowed = reserve.printed()
            state = {
                "borrowYearlyRate": text(reserve.borrow_rate, 10),
                "supplyYearlyRate": text(reserve.supply_rate, 10),
                "balance": text(reserve.cash, 8),
                "utilization": text(reserve.used, 10),
                "oraclePx": text(self.token_px(token), 8),
                "ltv": text(ltv_of(token, self.now), 2),
                "totalSupplied": text(supplied, 10),
                "totalBorrowed": text(borrowed, 10),
            }
            states.append([TOKEN[token].index, state])
        if self.shown and self.shown[-1][:2] == (self.now, "reserves"):
            self.shown.pop()
        self.shown.append((self.now, "reserves", states))

    # -------------------------------------------------------------- deeds

    def act(self, account: Account) -> None:
        """Let one account do something it can do."""
        name, *_ = self.chance.choices(*zip(*DEEDS, strict=True))
        getattr(self, name)(account)

    def trade(self, account: Account) -> None:
        perp = self.chance.choice(PERPS)
        held = account.positions.get(perp.coin)
        if held and held.lots and self.chance.random() < 0.35:
            share = self.chance.choice((1, 1, 2, 3))
            lots = max(1, abs(held.lots) // share)
            account.trade(perp, -lots if held.lots > 0 else lots)
            return
        room = self.room(account, COLLATERAL[perp.dex])
        # within the initial margin, which asks twice what maintenance does
        share = account.appetite * self.chance.randrange(5, 90)
        money = room * perp.leverage * share // 1000
        lots = money // (self.mark[perp.coin] * 100)
        if lots > 0:
            account.trade(perp, lots if self.chance.random() < 0.5 else -lots)

    def hedge(self, account: Account) -> None:
        """Sell the collateral short."""
        token = self.chance.choice(COLLATERALS)
        perp = PERP[UNDERLYING[token]]
        lots = account.posted(token, "supply") // 10 ** (8 - perp.places)
        held = account.positions.get(perp.coin)
        if lots and not (held and held.lots) and self.room(account, "USDC") > 0:
            account.trade(perp, -lots)

    def switch(self, account: Account) -> None:
        """Change between unified and portfolio margin, which asks for no open position or debt."""
        owes = any(account.posted(token, "borrow") for token in BORROWABLE)
        if owes or any(held.lots for held in account.positions.values()):
            return
        unified = account.mode == "portfolioMargin"
        self.change_mode(account, "unifiedAccount" if unified else "portfolioMargin")

    def borrow(self, account: Account) -> None:
        if account.mode != "portfolioMargin":
            return
        self.second()
        token = self.chance.choice(("USDC", "USDC", "USDC", "USDT0"))
        reserve = self.reserves[token]
        power = sum(
            account.posted(each, "supply") * self.token_px(each) * ltv_of(each, self.now)
            for each in COLLATERALS
        ) // (100 * UNIT)
        owed = sum(
            account.posted(each, "borrow") * self.token_px(each) // UNIT for each in BORROWABLE
        )
        limit = min(
            (power - owed) * self.chance.randrange(10, 95) // 100,
            BORROW_CAP[token] - account.posted(token, "borrow"),
            reserve.cash * 9 // 10,
        )
        account.lend(token, "borrow", limit)

    def repay(self, account: Account) -> None:
        self.second()
        token = self.chance.choice(BORROWABLE)
        units = min(account.posted(token, "borrow"), account.at_hand(token))
        account.lend(token, "repay", units // self.chance.choice((1, 1, 2)))

    def supply(self, account: Account) -> None:
        self.second()
        token = self.chance.choice(tuple(TOKEN))
        account.lend(token, "supply", account.at_hand(token) // self.chance.choice((1, 2)))

    def withdraw(self, account: Account) -> None:
        self.second()
        token = self.chance.choice(tuple(TOKEN))
        if token in COLLATERALS and (self.ratio_now(account) or 1) > Fraction(1, 3):
            return
        units = account.posted(token, "supply") // self.chance.choice((1, 3, 9))
        account.lend(token, "withdraw", min(units, self.reserves[token].cash))

    def buy_collateral(self, account: Account) -> None:
        token = self.chance.choice((*COLLATERALS, "USDT0"))
        self.buy(account, token, account.at_hand("USDC") * self.chance.randrange(10, 99) // 100)

    def sell_collateral(self, account: Account) -> None:
        token = self.chance.choice((*COLLATERALS, "USDT0"))
        lots = account.at_hand(token) // 10 ** (8 - TOKEN[token].places)
        if lots // 2:
            account.swap(PAIR_OF[token], -lots // 2)

    def move(self, account: Account) -> None:
        """Carry money between spot and an exchange."""
        dex = self.chance.choice(tuple(COLLATERAL))
        token = COLLATERAL[dex]
        if self.chance.random() < 0.6:
            account.to_spot(-account.at_hand(token) * self.chance.randrange(20, 99) // 100, dex)
        else:
            money = max(0, account.cash.get((f"perp:{dex}", token), 0))
            account.to_spot(money * self.chance.randrange(5, 40) // 100, dex)

    def deposit(self, account: Account) -> None:
        account.deposit(self.chance.randrange(100, 200_000) * UNIT + self.chance.randrange(UNIT))

    # -------------------------------------------------------------- answers

    def remember(self) -> None:
        """Keep what is true now, of everybody; of two steps in one millisecond the later."""
        rates = {}
        for token, reserve in self.reserves.items():
            reserve.accrue(self.now)
            rates[token, "supply"] = reserve.supply_rate
            rates[token, "borrow"] = reserve.borrow_rate
        world = World(self.now, dict(self.oracle), dict(self.mark), self.usdt, rates)
        for kept, found in ((self.told, world), *((a.told, a.stand()) for a in self.accounts)):
            if kept and kept[-1][0] == self.now:
                kept.pop()
            kept.append((self.now, found))

    def world(self, at: int) -> World:
        return latest(self.told, at)

    def standing(self, account: Account, at: int) -> Standing:
        """Return what the books say of an account at an instant."""
        return latest(account.told, at)

    def lent(self, account: Account, token: str, side: str, at: int) -> int:
        """Return what an account supplied or borrowed at an instant, interest included, fine."""
        return fine_of(self.standing(account, at), self.world(at), token, side, at)

    def plain(self, account: Account, at: int) -> dict[str, Any]:
        """Return an account at an instant as the plain portfolio ``pm_oracle`` judges."""
        return plain_portfolio(self.standing(account, at), self.world(at), at)

    def ratio_now(self, account: Account) -> Fraction | None:
        """Return the portfolio margin ratio now; None where nothing stands against it."""
        return ratio_of(account.stand(), self.world_now(), self.now)

    def ratio(self, account: Account, at: int) -> Fraction | None:
        """Return the portfolio margin ratio at an instant, interest running."""
        return ratio_of(self.standing(account, at), self.world(at), at)

    def world_now(self) -> World:
        rates = {}
        for token, reserve in self.reserves.items():
            reserve.accrue(self.now)
            rates[token, "supply"] = reserve.supply_rate
            rates[token, "borrow"] = reserve.borrow_rate
        return World(self.now, self.oracle, self.mark, self.usdt, rates)

    def room(self, account: Account, token: str) -> int:
        """Return what is free of a token after maintenance now, in its units."""
        need, value = toward(account.stand(), self.world_now(), token, self.now)
        return max(0, int((value - need) * UNIT))

    def number(self, digits: int) -> int:
        return self.chance.randrange(10 ** (digits - 1), 10**digits)

    def block(self) -> int:
        return 880_000_000 + (self.now - self.began)

    def hash(self) -> str:
        head, tail = self.chance.getrandbits(80), self.chance.getrandbits(136)
        return f"0x{head:020x}04{self.block():08x}{tail:034x}"


DEEDS = (
    ("trade", 40),
    ("hedge", 6),
    ("borrow", 10),
    ("repay", 7),
    ("supply", 8),
    ("withdraw", 6),
    ("buy_collateral", 8),
    ("sell_collateral", 3),
    ("move", 12),
    ("deposit", 3),
    ("switch", 4),
)


def pm_history(seed: int, steps: int) -> PmVenue:
    """Return the venue after *steps* things happened, grown from *seed*."""
    venue = PmVenue(seed)
    venue.live(steps)
    return venue
