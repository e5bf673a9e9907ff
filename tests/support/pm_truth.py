"""What was true in the simulated venue after a step, and the rule of portfolio margin it lives by.

Fractions over the venue's whole numbers; a third hand beside the projections and the calculator.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.support.pm_rules import (
    BORROW_CAP,
    BORROWABLE,
    COLLATERAL,
    COLLATERALS,
    FINE,
    PERP,
    SUPPLY_CAP,
    TIERS,
    TOKEN,
    UNDERLYING,
    UNIT,
    growth,
    ltv_of,
)
from tests.support.venue_rules import text


@dataclass(frozen=True)
class Standing:
    """What the books say of one account after a step."""

    cash: dict[tuple[str, str], int]
    positions: dict[str, tuple[int, int, int]]  # lots, entry notional, closed result
    fees: dict[str, int]
    funding: dict[str, int]
    loans: dict[tuple[str, str], tuple[int, int]]  # (token, side): fine units, basis
    mode: str


@dataclass(frozen=True)
class World:
    """What held for everybody after a step."""

    now: int  # of the reserves: up to when interest has been counted
    oracle: dict[str, int]
    mark: dict[str, int]
    usdt: int
    rates: dict[tuple[str, str], int]


def latest(kept: list[tuple[int, Any]], at: int) -> Any:  # a standing or a world
    number = bisect.bisect_right(kept, at, key=lambda each: each[0])
    if not number:
        raise ValueError(f"nothing was true yet at {at}")
    return kept[number - 1][1]


def maintenance(coin: str, value: Fraction) -> Fraction:
    """Return the maintenance of a notional: every tier's part at its own rate, cut at 6 places."""
    tiers = TIERS[coin]
    owed = Fraction(0)
    for number, (bound, leverage) in enumerate(tiers):
        upper = tiers[number + 1][0] if number + 1 < len(tiers) else value
        part = min(value, Fraction(upper)) - bound
        if part > 0:
            owed += part / (2 * leverage)
    return Fraction(owed * 10**6 // 1, 10**6)


def fine_of(stand: Standing, world: World, token: str, side: str, at: int) -> int:
    """Return a loan at an instant, interest included, in fine units."""
    fine, _ = stand.loans.get((token, side), (0, 0))
    grown, scale = growth(world.rates[token, side], at - world.now)
    return fine + fine * grown // scale


def total_of(stand: Standing, world: World, token: str, at: int) -> Fraction:
    """Return the net balance of a token: exchanges marked, at hand, supplied, less borrowed."""
    units = stand.cash.get(("spot", token), 0)
    for dex, money in COLLATERAL.items():
        if money == token:
            units += stand.cash.get((f"perp:{dex}", token), 0)
    for coin, (lots, _, _) in stand.positions.items():
        if PERP[coin].collateral == token:
            units += lots * world.mark[coin] * 100
    lent = fine_of(stand, world, token, "supply", at)
    owed = fine_of(stand, world, token, "borrow", at)
    return Fraction(units, UNIT) + Fraction(lent - owed, UNIT * FINE)


def price_of(world: World, token: str) -> Fraction:
    if token == "USDC":
        return Fraction(1)
    if token == "USDT0":
        return Fraction(world.usdt, UNIT)
    coin = UNDERLYING[token]
    return Fraction(world.oracle[coin], 10 ** (6 - PERP[coin].places))


def toward(stand: Standing, world: World, token: str, at: int) -> tuple[Fraction, Fraction]:
    """Return (requirement, what stands against it) in a token, as the account's mode counts it.

    Portfolio margin: as observed, toward a token that can be borrowed. Unified: the token alone.
    """
    collateral = Fraction(0)
    for each in COLLATERALS:
        lent = Fraction(fine_of(stand, world, each, "supply", at), UNIT * FINE)
        share = Fraction(1, 2) + Fraction(ltv_of(each, at), 200)
        collateral += min(lent, Fraction(SUPPLY_CAP[each], UNIT)) * price_of(world, each) * share
    need = Fraction(0)
    for coin, (lots, _, _) in stand.positions.items():
        if PERP[coin].collateral == token:
            need += maintenance(coin, Fraction(abs(lots) * world.mark[coin], 10**6))
    net, px = total_of(stand, world, token, at), price_of(world, token)
    if stand.mode == "unifiedAccount":
        return need, net
    if net < 0:  # nothing is recorded for a net debt: the page's terms
        need += 20 / px - net
    cap = Fraction(BORROW_CAP[token], UNIT)
    return need, max(net, Fraction(0)) + min(cap, collateral / px)


def ratio_of(stand: Standing, world: World, at: int) -> Fraction | None:
    """Return the highest ratio over the tokens that can be borrowed; None where one is endless."""
    ratios = []
    for token in BORROWABLE:
        need, value = toward(stand, world, token, at)
        if value > 0:
            ratios.append(need / value)
        elif need > 0:
            return None
    return max(ratios, default=Fraction(0))


def plain_portfolio(stand: Standing, world: World, at: int) -> dict[str, Any]:
    """Return the plain dictionary ``pm_oracle`` judges."""
    tokens: dict[str, Any] = {}
    for token in TOKEN:
        lent, owed = (fine_of(stand, world, token, side, at) for side in ("supply", "borrow"))
        tokens[token] = {
            "total": decimal(total_of(stand, world, token, at)),
            "supplied": text(lent, 18),
            "borrowed": text(owed, 18),
            "hold": "0.0",
            "price": decimal(price_of(world, token)),
            "ltv": text(ltv_of(token, at), 2),
        }
    dexes: dict[str, Any] = {}
    for dex, token in COLLATERAL.items():
        raw = stand.cash.get((f"perp:{dex}", token), 0)
        rows = [
            {
                "coin": coin,
                "size": text(lots, PERP[coin].places),
                "mark": text(world.mark[coin], 6 - PERP[coin].places),
                "entry": text(notional, 6),
                "leverage": str(PERP[coin].leverage),
                "tiers": [[str(bound), str(top)] for bound, top in TIERS[coin]],
                "isolated": None,
            }
            for coin, (lots, notional, _) in stand.positions.items()
            if lots and PERP[coin].dex == dex
        ]
        dexes[dex] = {"collateral": token, "raw": text(raw, 8), "positions": rows}
    readings = {"offset": "observed", "debt": "net", "isolated": "outside"}
    made = {"at": at, "mode": stand.mode, "readings": readings, "tokens": tokens}
    return {**made, "dexes": dexes, "pools": {}}


def decimal(value: Fraction) -> str:
    """Return a fraction whose denominator is a power of ten as the venue writes it."""
    return text(int(value * 10**18), 18)
