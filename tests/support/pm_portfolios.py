"""Random portfolios for two hands to judge: plain dictionaries, every number a text.

They lean toward what is rare and decides: amounts near a cap, notionals around a tier's bound,
ratios around the trigger, debts around a threshold, and the boundaries themselves.
"""

from __future__ import annotations

import random
from typing import Any

from tests.support import pm_oracle
from tests.support.venue_rules import text

PRICES = {
    "USDC": (100_000_000, 100_000_000),
    "USDT0": (99_900_000, 100_100_000),
    "USDH": (99_900_000, 100_100_000),
    "HYPE": (1_500_000_000, 6_000_000_000),
    "UBTC": (4_000_000_000_000, 12_000_000_000_000),
    "PURR": (5_000_000, 30_000_000),
}
"""Ranges of token prices, in units of 10^-8."""

CAPS = {"HYPE": (200, 50_000, 1_000_000), "UBTC": (20, 200)}

MARKETS = (  # coin, exchange, places of sizes, price range in units of 10^-(6 - places), tiers
    ("BTC", "", 5, (400_000, 1_200_000), ((0, 40), (150_000_000, 20))),
    ("ETH", "", 4, (150_000, 450_000), ((0, 25), (100_000_000, 15))),
    ("HYPE", "", 2, (150_000, 600_000), ((0, 10), (20_000_000, 5))),
    ("ARB", "", 1, (20_000, 120_000), ((0, 10), (3_000_000, 5))),
    ("ENA", "", 0, (200_000, 900_000), ((0, 10), (20_000_000, 5))),
    ("kDOG", "", 0, (8_000, 40_000), ((0, 3),)),
    ("xyz:NVDA", "xyz", 3, (100_000, 300_000), ((0, 20), (1_000_000, 10), (5_000_000, 4))),
    ("xyz:GOLD", "xyz", 4, (150_000, 450_000), ((0, 50), (2_000_000, 25), (9_000_000, 5))),
    ("flx:CRCL", "flx", 3, (50_000, 200_000), ((0, 10),)),
    ("flx:TSLA", "flx", 3, (200_000, 500_000), ((0, 10), (700_000, 4))),
    ("vnt:OIL", "vnt", 2, (400_000, 900_000), ((0, 20), (400_000, 8))),
)
COLLATERAL = {"": "USDC", "xyz": "USDC", "flx": "USDH", "vnt": "USDT0"}

MODES = ("portfolioMargin",) * 7 + ("unifiedAccount",) * 2 + ("disabled", "default")

SPANS = (
    (pm_oracle.moment("2026-01-27", 10, 48), pm_oracle.moment("2026-03-14", 18, 17)),
    (pm_oracle.moment("2026-03-14", 18, 17), pm_oracle.moment("2026-05-07", 9, 59)),
    (pm_oracle.moment("2026-06-23", 13, 12), pm_oracle.moment("2026-08-11")),
    (pm_oracle.moment("2026-08-11"), pm_oracle.moment("2026-08-19", 9, 40)),
    (pm_oracle.moment("2026-08-19", 9, 40), pm_oracle.moment("2026-11-20")),
)
"""Spans of one set of rules each, in which the second hand knows every cap."""

READINGS = {
    "offset": ("observed", "observed", "always"),
    "debt": ("net", "net", "gross"),
    "isolated": ("outside", "outside", "inside"),
}


def portfolio(chance: random.Random) -> dict[str, Any]:
    """Return one random portfolio."""
    since, until = chance.choice(SPANS)
    at = chance.choice((since, until - 1, chance.randrange(since, until), until - 86_400_000))
    mode = chance.choice(MODES)
    made = {
        "at": at,
        "mode": mode,
        "readings": {name: chance.choice(options) for name, options in READINGS.items()},
        "tokens": {},
        "dexes": {},
        "pools": {},
    }
    scale = 10 ** chance.randrange(1, 8)  # whole dollars, about what the account is worth
    for name in COLLATERAL:
        if chance.random() < (0.8 if not name else 0.35):
            made["dexes"][name] = exchange(chance, name, scale)
    wanted = {"USDC", *(COLLATERAL[name] for name in made["dexes"])}
    wanted |= set(chance.sample(sorted(PRICES), chance.randrange(1, 5)))
    for name in PRICES:
        if name in wanted:
            made["tokens"][name] = token(chance, name, scale, mode)
    if since == SPANS[0][0]:  # UBTC was no collateral yet, and had no cap
        made["tokens"].get("UBTC", {})["ltv"] = None
    if mode == "portfolioMargin":
        for name in ("USDC", "USDT0", "USDH"):
            if chance.random() < 0.5:
                balance = chance.choice((0, 10**10, scale * 10**8, 10**16))
                lent = chance.randrange(1, 6) * 10 ** chance.randrange(9, 17)
                made["pools"][name] = {"balance": text(balance, 8), "borrowed": text(lent, 8)}
        edge = chance.random()
        if edge < 0.4:
            at_the_trigger(chance, made)
        elif edge < 0.55:
            at_the_threshold(chance, made)
    return made


def token(chance: random.Random, name: str, scale: int, mode: str) -> dict[str, Any]:
    """Return one token's row: what is held, supplied, owed, and at what price."""
    low, high = PRICES[name]
    px = chance.randrange(low, high + 1)
    if chance.random() < 0.3:
        px = max(1, px // 10**6) * 10**6
    worth = chance.randrange(0, 4 * scale * 10**8) * 10**8 // px  # units of 10^-8
    if name in CAPS and chance.random() < 0.25:
        cap = chance.choice(CAPS[name]) * 10**8
        worth = chance.choice((cap - 1, cap, cap + 1, cap * 3, cap // 3))
    borrowed = supplied = hold = 0
    total = worth
    stable = name.startswith("USD")
    if mode == "portfolioMargin":
        if stable:
            if chance.random() < 0.45:
                borrowed = chance.randrange(1, 3 * scale * 10**8)
                if chance.random() < 0.1:
                    borrowed = chance.choice((1000, 1_000_000, 50_000_000)) * 10**8
                total = worth - borrowed if chance.random() < 0.7 else worth
            elif chance.random() < 0.8:
                supplied = max(0, total)
        elif chance.random() < 0.85:
            hold = worth // 10 if chance.random() < 0.15 else 0
            supplied = worth - hold
            if chance.random() < 0.05:
                supplied = 0
    elif chance.random() < 0.1:
        total = -worth
    ltv = None
    if name in {"HYPE", "UBTC"} and chance.random() < 0.4:
        ltv = chance.choice(("0.5", "0.65", "0.5", "0.65", "0.6"))
    if stable and chance.random() < 0.3:
        ltv = "0"
    return {
        "total": text(total, 8),
        "supplied": text(supplied, 8),
        "borrowed": text(borrowed, 8),
        "hold": text(hold, 8),
        "price": text(px, 8),
        "ltv": ltv,
    }


def exchange(chance: random.Random, name: str, scale: int) -> dict[str, Any]:
    """Return one exchange: raw money and positions, cross and isolated."""
    markets = [row for row in MARKETS if row[1] == name]
    taken = chance.sample(markets, chance.randrange(0, min(5, len(markets)) + 1))
    positions = [position(chance, row, scale) for row in taken]
    raw = chance.randrange(-scale * 10**6, 4 * scale * 10**6)
    return {"collateral": COLLATERAL[name], "raw": text(raw, 6), "positions": positions}


def position(chance: random.Random, market: tuple[Any, ...], scale: int) -> dict[str, Any]:
    """Return one position, often with a notional near a bound of its tiers."""
    coin, _, places, (low, high), tiers = market
    px = chance.randrange(low, high)
    if chance.random() < 0.4:
        px = max(10, px // 1000 * 1000)
    target = chance.randrange(1, 12 * scale) * 10**6  # micro-dollars
    if len(tiers) > 1 and chance.random() < 0.35:
        bound = chance.choice(tiers[1:])[0] * 10**6
        target = chance.choice((bound, bound, bound * 3, bound + px, bound * 9 // 10))
    lots = max(1, target // px)
    entry = lots * px * chance.randrange(600, 1400) // 1000
    lots *= chance.choice((1, -1))
    isolated = None
    if chance.random() < 0.2:
        margin = abs(lots) * px * chance.randrange(-20, 400) // 1000
        isolated = text(margin - lots * px, 6)
    return {
        "coin": coin,
        "size": text(lots, places),
        "mark": text(px, 6 - places),
        "entry": text(entry, 6),
        "leverage": str(chance.randrange(1, tiers[0][1] + 1)),
        "tiers": [[str(bound), str(top)] for bound, top in tiers],
        "isolated": isolated,
    }


def at_the_trigger(chance: random.Random, made: dict[str, Any]) -> None:
    """Give the net balance of USDC a value that puts its ratio near 0.95, or on it.

    On it: one short position whose maintenance is 19 parts of a balance of 20, no collateral.
    """
    tokens = made["tokens"]
    if chance.random() < 0.3:
        parts = chance.randrange(1, 10**6)
        lots = parts * 19 * 20  # 10x: a twentieth of the value is its maintenance
        row = {"coin": "HYPE", "size": text(-lots, 2), "mark": "1.0", "entry": text(lots, 2)}
        more = {"leverage": "3", "tiers": [["0", "10"]], "isolated": None}
        positions = [{**row, **more}]
        made["dexes"] = {"": {"collateral": "USDC", "raw": "0.0", "positions": positions}}
        for each in tokens.values():
            each.update(supplied="0.0", borrowed="0.0", total="0.0")
        total = parts * 20 * 10**6 + chance.choice((0, 0, 1, -1))
        tokens["USDC"].update(total=text(total, 8))
        return
    told = pm_oracle.answers(made)[-1]
    value = told.get(("token", "USDC", "liquidation_value"))
    need = told.get(("token", "USDC", "requirement_observed"))
    if value is None or not need:
        return
    total = pm_oracle.Fraction(tokens["USDC"]["total"])
    wanted = total + need * 100 / 95 - value
    units = int(wanted * 10**8) + chance.choice((0, 1, -1, 10**8, -(10**8)))
    tokens["USDC"]["total"] = text(units, 8)


def at_the_threshold(chance: random.Random, made: dict[str, Any]) -> None:
    """Make the portfolio the worked case of the venue's questions and answers, or near it."""
    for each in made["tokens"].values():
        each.update(supplied="0.0", borrowed="0.0")
    px = chance.choice((30, 33, 34, 31))
    hype = {"total": "10.0", "supplied": "10.0", "borrowed": "0.0", "hold": "0.0", "ltv": "0.5"}
    made["tokens"]["HYPE"] = {**hype, "price": f"{px}.0"}
    owed = 250 * 10**8 + chance.choice((0, 0, 0, 1, -1))
    made["tokens"]["USDC"].update(borrowed=text(owed, 8))
