"""What the simulated venue lists, and the rules it counts by: whole numbers only.

Sizes are lots of 10^-places, prices ticks of 10^-(6 - places) for perpetuals and 10^-(8 - places)
for spot, so that lots times ticks is a whole number of micro-dollars, or of units of 10^-8.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

HOUR_MS = 3_600_000
START_MS = 1_770_000_000_000 - 1_770_000_000_000 % HOUR_MS  # 2 February 2026, on the hour
ZERO_HASH = "0x" + 64 * "0"
OTHERS = tuple("0x" + 40 * digit for digit in "abcde")
VAULT = "0x" + 20 * "fa"
UNIT = 10**8


@dataclass(frozen=True)
class Perp:
    """A perpetual market; ``typical`` is a price in units of 10^-(6 - places)."""

    coin: str
    places: int
    dex: str
    collateral: str
    typical: int
    lots: int
    leverage: int = 10


@dataclass(frozen=True)
class Token:
    """A token: its index, the decimal places of its sizes and of its balances."""

    symbol: str
    index: int
    places: int
    wei: int


@dataclass(frozen=True)
class Pair:
    """A spot market; ``typical`` is a price in units of 10^-(8 - places of the base)."""

    coin: str
    index: int
    base: str
    quote: str
    typical: int
    lots: int


PERPS = (
    Perp("BTC", 5, "", "USDC", 71_500 * 10, 400, 40),
    Perp("ETH", 4, "", "USDC", 2_127 * 100, 900, 25),
    Perp("HYPE", 2, "", "USDC", 36 * 10**4, 2_000),
    Perp("ENA", 0, "", "USDC", 312_500, 3_000),
    Perp("flx:CRCL", 3, "flx", "USDH", 71 * 1000, 4_000),
    Perp("xyz:NVDA", 3, "xyz", "USDC", 181 * 1000, 1_500),
)
TOKENS = (
    Token("USDC", 0, 8, 8),
    Token("PURR", 1, 0, 5),
    Token("HYPE", 150, 2, 8),
    Token("MAX", 271, 2, 8),
    Token("USDH", 360, 2, 8),
)
PAIRS = (
    Pair("PURR/USDC", 0, "PURR", "USDC", 11_000_000, 900),
    Pair("@107", 107, "HYPE", "USDC", 36_123_400, 3_000),
    Pair("@230", 230, "USDH", "USDC", 1_000_000, 90_000),
    Pair("@232", 232, "HYPE", "USDH", 36_150_000, 2_000),
)
PERP = {perp.coin: perp for perp in PERPS}
PAIR = {pair.coin: pair for pair in PAIRS}
TOKEN = {token.symbol: token for token in TOKENS}
PLACES = ("", "flx", "xyz")  # the exchanges whose perpetuals side can hold money
COLLATERAL = {"": "USDC", "xyz": "USDC", "flx": "USDH"}


@dataclass
class Holding:
    """An open perpetual position: signed lots and the entry notional in micro-dollars."""

    lots: int = 0
    notional: int = 0
    funding: list[int] = field(default_factory=lambda: [0, 0, 0])  # paid: ever, open, change


def settle(held: Holding, lots: int, px: int) -> int:
    """Take a fill into a position and return the closed result in micro-dollars."""
    old = held.lots
    if old * lots >= 0:
        held.lots, held.notional = old + lots, held.notional + abs(lots) * px
        held.funding[2] = 0
        return 0
    size, side = abs(old), 1 if old > 0 else -1
    closed = min(size, abs(lots))
    pnl = closed * (px - held.notional // size) * side
    held.lots, rest = old + lots, abs(lots) - closed
    held.notional = (
        rest * px if rest or closed == size else kept(held.notional, size - closed, size)
    )
    held.funding[2] = 0
    if closed == size:
        held.funding[1] = 0
    return pnl


def kept(notional: int, part: int, whole: int) -> int:
    """Return trunc(double(notional) · double(part ÷ whole)), without a float."""
    top, down = round_53(part << 200, whole)
    value, up = round_53(notional, 1)
    product, more = round_53(value * top, 1)
    shift = down + up + more - 200
    return product << shift if shift >= 0 else product >> -shift


def round_53(top: int, bottom: int) -> tuple[int, int]:
    """Return (mantissa, exponent) of top ÷ bottom, rounded half to even to 53 bits."""
    quotient = top // bottom
    extra = max(0, quotient.bit_length() - 53)
    mantissa, step = quotient >> extra, bottom << extra
    doubled = 2 * (top - mantissa * step)
    if doubled > step or (doubled == step and mantissa % 2 == 1):
        mantissa += 1
    return mantissa, extra


def words(before: int, lots: int) -> str:
    """Return the venue's words for what a fill does to a position."""
    if before * lots >= 0:
        return "Open Long" if lots > 0 else "Open Short"
    if abs(lots) > abs(before):
        return "Long > Short" if before > 0 else "Short > Long"
    return "Close Long" if before > 0 else "Close Short"


def split(lots: int, parts: int, chance: random.Random) -> list[int]:
    """Return *lots* cut into at most *parts* positive parts."""
    cuts = sorted({chance.randrange(1, lots + 1) for _ in range(parts - 1)} | {lots})
    return [cut - before for before, cut in zip([0, *cuts], cuts, strict=False)]


def five_figures(px: int) -> int:
    """Return a price cut to five significant figures, as the venue's grid asks."""
    grain = 10 ** max(0, len(str(px)) - 5)
    return px // grain * grain


def place(dex: str) -> str:
    """Return the side that a transfer's name of an exchange means."""
    return "spot" if dex == "spot" else f"perp:{dex}"


def text(value: int, places: int) -> str:
    """Return *value* ÷ 10^places as the venue writes it: at least one digit after the point."""
    sign, digits = "-" if value < 0 else "", str(abs(value)).rjust(places + 1, "0")
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "")
    return f"{sign}{whole}.{fraction.rstrip('0') or '0'}"
