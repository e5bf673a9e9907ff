"""What the simulated portfolio margin venue lists, and the rules of its reserves: whole numbers.

Token amounts are units of 10^-8, perpetual money micro-dollars, rates units of 10^-10 a year; what
runs between two hourly rows is kept in units of 10^-18. The exponential is an integer series.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from tests.support.pm_oracle import moment
from tests.support.venue_rules import Pair, Perp, Token

UNIT = 10**8
FINE = 10**10
"""Fine units in a unit."""
RATE = 10**10
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS

TOKENS = (
    Token("USDC", 0, 8, 8),
    Token("HYPE", 150, 2, 8),
    Token("UBTC", 197, 5, 8),
    Token("USDT0", 268, 2, 8),
)
PAIRS = (
    Pair("@107", 107, "HYPE", "USDC", 36_000_000, 0),
    Pair("@142", 142, "UBTC", "USDC", 71_500_000, 0),
    Pair("@166", 166, "USDT0", "USDC", 1_000_000, 0),
)
PERPS = (
    Perp("BTC", 5, "", "USDC", 715_000, 0, 40),
    Perp("HYPE", 2, "", "USDC", 360_000, 0, 10),
    Perp("ARB", 1, "", "USDC", 74_000, 0, 10),
    Perp("xyz:NVDA", 3, "xyz", "USDC", 181_000, 0, 20),
    Perp("vnt:OIL", 2, "vnt", "USDT0", 640_000, 0, 20),
)
TOKEN = {token.symbol: token for token in TOKENS}
PERP = {perp.coin: perp for perp in PERPS}
PAIR = {pair.coin: pair for pair in PAIRS}
PAIR_OF = {pair.base: pair for pair in PAIRS}
COLLATERAL = {"": "USDC", "xyz": "USDC", "vnt": "USDT0"}

TIERS = {  # (lower bound in dollars, highest leverage)
    "BTC": ((0, 40), (150_000_000, 20)),
    "HYPE": ((0, 10), (20_000_000, 5)),
    "ARB": ((0, 10), (3_000_000, 5)),
    "xyz:NVDA": ((0, 20), (1_000_000, 10), (5_000_000, 4)),
    "vnt:OIL": ((0, 20), (400_000, 8)),
}
TABLES = {coin: 51 + number for number, coin in enumerate(TIERS)}

BORROWABLE = ("USDC", "USDT0")
COLLATERALS = ("HYPE", "UBTC")
UNDERLYING = {"HYPE": "HYPE", "UBTC": "BTC"}  # the perpetual whose oracle prices the token
SUPPLY_CAP = {"HYPE": 1_000_000 * UNIT, "UBTC": 200 * UNIT}
BORROW_CAP = {"USDC": 50_000_000 * UNIT, "USDT0": 1_000_000 * UNIT}

LTV_CHANGE = moment("2026-08-14", 6)
"""When this venue raises HYPE: between the day it was seen on chain and the day of the page."""


def ltv_of(token: str, at: int) -> int:
    """Return the loan to value of a token in hundredths."""
    if token not in COLLATERALS:
        return 0
    return 65 if token == "HYPE" and at >= LTV_CHANGE else 50


def rounded(top: int, bottom: int) -> int:
    """Return top ÷ bottom as a whole number, a half upward; nothing is negative."""
    return (2 * top + bottom) // (2 * bottom)


@lru_cache(maxsize=10_000)
def growth(rate: int, elapsed_ms: int) -> tuple[int, int]:
    """Return (e^x − 1) as a whole number and its scale, x = rate × time ÷ 365 days."""
    scale = 10**40
    x = rate * elapsed_ms * scale // (RATE * YEAR_MS)
    term, total, count = scale, 0, 0
    while term:
        count += 1
        term = term * x // (scale * count)
        total += term
    return total, scale


@dataclass
class Loan:
    """What one account supplied to a reserve, or borrowed from it."""

    posted: int = 0  # units: operations and hourly rows
    running: int = 0  # fine units: interest not yet in a row
    basis: int = 0  # units: principal since the last operation

    def fine(self) -> int:
        return self.posted * FINE + self.running


@dataclass
class Reserve:
    """One lending reserve: what it has at hand, and everybody's loans."""

    token: str
    now: int
    cash: int = 0  # units
    supply: dict[str, Loan] = field(default_factory=dict)
    borrow: dict[str, Loan] = field(default_factory=dict)
    borrow_rate: int = 0
    supply_rate: int = 0
    used: int = 0

    def printed(self) -> tuple[int, int]:
        """Return total supplied and borrowed as a state prints them: ten places, cut off."""
        return tuple(
            sum(loan.fine() for loan in side.values()) // 10**8
            for side in (self.supply, self.borrow)
        )

    def price_money(self) -> None:
        """Set utilization and rates by the curve, from the totals as they are printed."""
        supplied, borrowed = self.printed()
        if not supplied:
            self.used, self.borrow_rate, self.supply_rate = 0, RATE // 20, 0
            return
        self.used = rounded(borrowed * RATE, supplied)
        # 0.05 + 4.75 × max(0, u − 0.8), with the utilization not rounded
        above = max(0, 10 * borrowed - 8 * supplied)
        self.borrow_rate = RATE // 20 + rounded(475 * above * RATE, 1000 * supplied)
        self.supply_rate = rounded(self.borrow_rate * borrowed * 9, 10 * supplied)

    def accrue(self, now: int) -> None:
        """Let everybody's interest run up to a moment, at the rates that held."""
        for side, rate in ((self.supply, self.supply_rate), (self.borrow, self.borrow_rate)):
            grown, scale = growth(rate, now - self.now)
            for loan in side.values():
                loan.running += loan.fine() * grown // scale
        self.now = now

    def loan(self, side: str, account: str) -> Loan:
        loans = self.supply if side == "supply" else self.borrow
        return loans.setdefault(account, Loan())

    def operate(self, account: str, operation: str, units: int, now: int) -> int:
        """Move tokens in or out; return the interest taken over into the new basis, in units."""
        self.accrue(now)
        side = "supply" if operation in {"supply", "withdraw"} else "borrow"
        loan = self.loan(side, account)
        interest = max(0, loan.fine() // FINE - loan.basis)
        sign = 1 if operation in {"supply", "borrow"} else -1
        loan.posted += sign * units
        loan.basis = loan.fine() // FINE
        self.cash += units if operation in {"supply", "repay"} else -units
        self.price_money()
        return interest

    def turn_of_hour(self, account: str, now: int) -> tuple[int, int]:
        """Put what ran since the last row into a row: (supply, borrow), cut off at a unit."""
        found = []
        for side in (self.supply, self.borrow):
            loan = side.get(account)
            units = loan.running // FINE if loan else 0
            if loan:
                loan.posted, loan.running = loan.posted + units, loan.running - units * FINE
            found.append(units)
        return found[0], found[1]
