"""A second hand for margin: naive, slow, with fractions, from a plain dictionary.

It imports none of our packages, and follows the venue's rules as the documentation and recorded
answers give them; every question starts from nothing. Where it and the projections differ, a
recording or the venue's page decides, never either program.

A portfolio is a dictionary; every number in it is a text such as ``"12.5"``::

    {
      "at": 1787000000000, "mode": "portfolioMargin",
      "readings": {"offset": "observed", "debt": "net", "isolated": "outside", ...},
      "tokens": {"USDC": {"total", "supplied", "borrowed", "hold", "price", "ltv": None or text}},
      "dexes": {"": {"collateral", "raw", "positions": [{"coin", "size", "mark", "entry",
                "leverage", "tiers": [["0", "10"], ...], "isolated": None or raw money}]}},
      "pools": {"USDC": {"balance", "borrowed"}},
    }

The answer is one flat dictionary from a path, such as ``("position", "BTC", "maintenance")``, to a
fraction, to a truth, or to None for what does not exist.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

Answer: TypeAlias = dict[tuple[str, ...], Any]
Rules: TypeAlias = dict[str, Any]

ZERO = Fraction(0)
TRIGGER = Fraction(95, 100)
OFFSET = Fraction(20)
STANDARD = ("default", "disabled", "dexAbstraction")

# ------------------------------------------------------------------------- the calendar

BORROWABLE = "borrowable"
DAY_MS = 86_400_000


def moment(day: str, hour: int = 0, minute: int = 0) -> int:
    """Return the milliseconds of a civil moment in UTC, counted by hand."""
    year, month, date = (int(part) for part in day.split("-"))
    days = 0
    for each in range(1970, year):
        days += 366 if each % 4 == 0 and (each % 100 or each % 400 == 0) else 365
    for each in range(1, month):
        lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        leap = each == 2 and year % 4 == 0 and (year % 100 or year % 400 == 0)
        days += lengths[each - 1] + (1 if leap else 0)
    return (days + date - 1) * DAY_MS + hour * 3_600_000 + minute * 60_000


M = 1_000_000
K = 1_000

# first seen, seen at work before the page said so, then per token:
# (LTV in percent, borrowable, user supply cap, user borrow cap, global borrow cap)
CALENDAR: tuple[tuple[int, int, dict[str, tuple[int, bool, Any, Any, Any]]], ...] = (
    (
        moment("2026-01-27", 10, 48),
        moment("2026-01-27", 10, 48),
        {"USDC": (0, True, None, 1000, None), "HYPE": (50, False, 200, None, None)},
    ),
    (
        moment("2026-03-14", 18, 17),
        moment("2026-03-14", 18, 17),
        {
            "USDC": (0, True, 5 * M, 1 * M, 100 * M),
            "USDH": (0, True, 5 * M, 1 * M, 100 * M),
            "HYPE": (50, False, 50 * K, None, None),
            "UBTC": (50, False, 20, None, None),
        },
    ),
    (
        moment("2026-06-23", 13, 12),
        moment("2026-06-23", 13, 12),
        {
            "USDC": (0, True, 250 * M, 50 * M, 500 * M),
            "USDT0": (0, True, 5 * M, 1 * M, 10 * M),
            "HYPE": (50, False, 1 * M, None, None),
            "UBTC": (50, False, 200, None, None),
        },
    ),
    (
        moment("2026-08-19", 9, 40),
        moment("2026-08-11"),
        {
            "USDC": (0, True, 250 * M, 50 * M, 500 * M),
            "USDT0": (0, True, 5 * M, 1 * M, 10 * M),
            "HYPE": (65, False, 1 * M, None, None),
            "UBTC": (50, False, 200, None, None),
        },
    ),
)
THRESHOLDS_NAMED = moment("2026-05-18", 10, 38)
"""From then on the documents name thresholds for the liquidation of a borrow."""

SILENT = ((moment("2026-05-07", 9, 59), moment("2026-06-23", 13, 12)),)
"""Spans in which the calendar above says nothing (caps of USDH are not told for them)."""


def rules_at(portfolio: dict[str, Any]) -> list[Rules]:
    """Return the rules of the portfolio's instant: one set, or two when no record decides."""
    at = portfolio["at"]
    documented = [row for row in CALENDAR if row[0] <= at][-1]
    seen = [row for row in CALENDAR if row[1] <= at < row[0]]
    chosen = [documented, *seen]
    if seen:
        recorded = portfolio["tokens"].get("HYPE", {}).get("ltv")
        for row in chosen:
            if recorded is not None and fraction(recorded) * 100 == row[2]["HYPE"][0]:
                chosen = [row]
                break
    found = []
    for row in chosen:
        terms = {}
        for name, (ltv, borrowable, supply, borrow, everyone) in row[2].items():
            terms[name] = {
                "ltv": Fraction(ltv, 100),
                BORROWABLE: borrowable,
                "supply_cap": None if supply is None else Fraction(supply),
                "borrow_cap": None if borrow is None else Fraction(borrow),
                "global_borrow_cap": None if everyone is None else Fraction(everyone),
            }
        found.append({"terms": terms, "named": at >= THRESHOLDS_NAMED})
    return found


# ------------------------------------------------------------------------- numbers


@lru_cache(maxsize=10_000)
def fraction(said: str) -> Fraction:
    """Return the fraction a text such as ``-12.5`` says."""
    whole, _, part = said.partition(".")
    return Fraction(int(whole + part), 10 ** len(part))


def cut(value: Fraction, places: int) -> Fraction:
    """Cut off toward zero."""
    scaled = abs(value) * 10**places
    whole = scaled.numerator // scaled.denominator
    return Fraction(whole if value >= 0 else -whole, 10**places)


# ------------------------------------------------------------------------- one position


@lru_cache(maxsize=1000)
def rate_of(leverage: str) -> Fraction:
    """Return the maintenance rate of a highest leverage: half of one part in so many."""
    return 1 / (2 * fraction(leverage))


def tier_of(tiers: list[list[str]], value: Fraction) -> tuple[Fraction, Fraction]:
    """Return highest leverage and deduction of the tier a notional lies in.

    The maintenance margin is paid step by step: what lies inside a tier at that tier's own rate.
    So the deduction is what the notional's own rate would charge too much on the tiers below.
    """
    bounds = [fraction(bound) for bound, _ in tiers]
    rates = [rate_of(leverage) for _, leverage in tiers]
    inside = max([0] + [number for number, bound in enumerate(bounds) if value > bound])
    stepwise = ZERO
    for number in range(inside):
        stepwise += (bounds[number + 1] - bounds[number]) * rates[number]
    stepwise += (value - bounds[inside]) * rates[inside]
    return 1 / (2 * rates[inside]), value * rates[inside] - stepwise


def count_position(row: dict[str, Any]) -> dict[str, Any]:
    """Return everything about one position but its liquidation price."""
    size, mark, entry = fraction(row["size"]), fraction(row["mark"]), fraction(row["entry"])
    side = 1 if size > 0 else -1
    signed = size * mark
    value = abs(signed)
    result = signed - side * entry
    top, deduction = tier_of(row["tiers"], value)
    found = {
        "coin": row["coin"],
        "side": side,
        "size": abs(size),
        "mark": mark,
        "value": value,
        "signed": signed,
        "unrealized": result,
        "return_on_equity": result * fraction(row["leverage"]) / entry if entry else None,
        "initial": cut(value / fraction(row["leverage"]), 6),
        "maintenance": cut(value / (2 * top) - deduction, 6),
        "top": top,
        "margin": None,
    }
    if row["isolated"] is not None:
        found["margin"] = fraction(row["isolated"]) + signed
    return found


def liquidation_price(position: dict[str, Any], free: Fraction) -> Fraction | None:
    """Return the mark at which what is free is used up; None where it is not above zero."""
    side = position["side"]
    price = position["mark"] - side * free / position["size"] / (1 - side / (2 * position["top"]))
    return price if price > 0 else None


# ------------------------------------------------------------------------- one exchange


def count_dex(row: dict[str, Any]) -> dict[str, Any]:
    """Return the totals of one exchange."""
    positions = [count_position(each) for each in row["positions"]]
    cross = [each for each in positions if each["margin"] is None]
    isolated = sum((each["margin"] for each in positions if each["margin"] is not None), ZERO)
    value = fraction(row["raw"]) + sum((each["signed"] for each in positions), ZERO)
    initial = sum((each["initial"] for each in cross), ZERO)
    notional = sum((each["value"] for each in cross), ZERO)
    return {
        "collateral": row["collateral"],
        "positions": positions,
        "account_value": value,
        "cross_value": value - isolated,
        "cross_maintenance": sum((each["maintenance"] for each in cross), ZERO),
        "isolated_margin": isolated,
        "initial": initial,
        "notional": notional,
        "transfer_requirement": max(initial, notional / 10),
    }


def below(told: Answer, question: str, of: str, value: Fraction, need: Fraction) -> None:
    """Write down whether a value is below maintenance, and whether below two thirds of it."""
    told["verdict", question, of] = value < need
    told["verdict", question + ", backstop", of] = value < need * 2 / 3


def tell_dex(told: Answer, name: str, dex: dict[str, Any], pool: Fraction) -> None:
    """Write an exchange and its positions down; cross positions share *pool*."""
    for key in (
        "account_value",
        "cross_value",
        "cross_maintenance",
        "isolated_margin",
        "initial",
        "notional",
        "transfer_requirement",
    ):
        told["dex", name, key] = dex[key]
    for each in dex["positions"]:
        coin = each["coin"]
        for key in ("value", "unrealized", "return_on_equity", "initial", "maintenance", "margin"):
            told["position", coin, key] = each[key]
        free = pool if each["margin"] is None else each["margin"] - each["maintenance"]
        told["position", coin, "free"] = free
        told["position", coin, "liquidation_price"] = liquidation_price(each, free)
        if each["margin"] is not None:
            below(told, "isolated margin", coin, each["margin"], each["maintenance"])


def settled(dexes: dict[str, Any], token: str, key: str) -> Fraction:
    """Add up one figure over the exchanges whose money is that token."""
    return sum((dex[key] for dex in dexes.values() if dex["collateral"] == token), ZERO)


# ------------------------------------------------------------------------- the three modes


def answers(portfolio: dict[str, Any]) -> list[Answer]:
    """Return what is to be said of a portfolio, once per set of rules that may hold."""
    return [answer(portfolio, rules) for rules in rules_at(portfolio)]


def answer(portfolio: dict[str, Any], rules: Rules) -> Answer:
    """Return what is to be said of a portfolio under one set of rules."""
    told: Answer = {}
    dexes = {name: count_dex(row) for name, row in portfolio["dexes"].items()}
    if portfolio["mode"] in STANDARD:
        standard(told, dexes)
    elif portfolio["mode"] == "unifiedAccount":
        unified(told, portfolio, dexes)
    else:
        portfolio_margin(told, portfolio, dexes, rules)
    told["liquidatable",] = any(value for path, value in told.items() if path[0] == "verdict")
    return told


def standard(told: Answer, dexes: dict[str, Any]) -> None:
    """Every exchange by itself."""
    for name, dex in dexes.items():
        tell_dex(told, name, dex, dex["cross_value"] - dex["cross_maintenance"])
        if any(each["margin"] is None for each in dex["positions"]):
            of = name or "main dex"
            below(told, "cross margin", of, dex["cross_value"], dex["cross_maintenance"])
        left = dex["cross_value"] - dex["transfer_requirement"]
        told["dex", name, "withdrawable"] = max(ZERO, left)


def over(required: Fraction, value: Fraction, portfolio: dict[str, Any]) -> bool:
    """Tell whether a requirement is past 95 % of what stands against it; nothing never is."""
    if required <= 0:
        return False
    if portfolio["readings"].get("trigger") == "reached":
        return required >= TRIGGER * value
    return required > TRIGGER * value


def highest(ratios: list[Fraction | None]) -> Fraction | None:
    """Return the highest ratio; a requirement with nothing against it is beyond every number."""
    standing = [each for each in ratios if each is not None]
    return max(standing) if standing and len(standing) == len(ratios) else None


def unified(told: Answer, portfolio: dict[str, Any], dexes: dict[str, Any]) -> None:
    """One balance per token, shared by the exchanges that settle in it."""
    available = {}
    ratios = []
    for name, token in portfolio["tokens"].items():
        total = fraction(token["total"])
        need = settled(dexes, name, "cross_maintenance")
        isolated = settled(dexes, name, "isolated_margin")
        available[name] = total - need - isolated
        told["token", name, "maintenance"] = need
        told["token", name, "available"] = available[name]
        if any(dex["collateral"] == name for dex in dexes.values()):
            value = total - isolated
            told["verdict", "unified ratio", name] = over(need, value, portfolio)
            ratio = need / value if value > 0 else None
            told["token", name, "ratio"] = ratio
            told["token", name, "excess"] = need - TRIGGER * value
            if value > 0 or need > 0:
                ratios.append(ratio)
    told["ratio",] = highest(ratios)
    for name, dex in dexes.items():
        tell_dex(told, name, dex, available[dex["collateral"]])


def portfolio_margin(
    told: Answer, portfolio: dict[str, Any], dexes: dict[str, Any], rules: Rules
) -> None:
    """All eligible tokens as one portfolio."""
    tokens, terms, readings = portfolio["tokens"], rules["terms"], portfolio["readings"]
    prices = {name: fraction(token["price"]) for name, token in tokens.items()}
    prices["USDC"] = Fraction(1)

    # collateral: what is supplied of tokens with a loan to value
    held = {}
    for name, token in tokens.items():
        ltv = terms[name]["ltv"] if name in terms else ZERO
        if token["ltv"] is not None:
            ltv = fraction(token["ltv"])
        if readings.get("ltv") == "faq" and ltv:
            ltv = Fraction(1, 2)
        supplied = fraction(token["supplied"])
        if ltv == 0 or supplied == 0:
            continue
        counted = min(supplied, terms[name]["supply_cap"]) * prices[name]
        held[name] = {
            "ltv": ltv,
            "collateral": counted * (Fraction(1, 2) + ltv / 2),
            "power": supplied * prices[name] * ltv,
            "partial": counted * (ltv + (1 - ltv) / 2),
            "full": counted * (ltv + (1 - ltv) * 2 / 3),
            "printed": counted * cut(ltv + (1 - ltv) * 2 / 3, 3),
        }
        for key in ("collateral", "power"):
            told["token", name, key] = held[name][key]
        told["token", name, "supply_cap_use"] = fraction(token["total"]) / terms[name]["supply_cap"]
    collateral = sum((each["collateral"] for each in held.values()), ZERO)
    power = sum((each["power"] for each in held.values()), ZERO)

    # what is owed, gross
    debt = sum((fraction(tokens[name]["borrowed"]) * prices[name] for name in tokens), ZERO)
    told["borrowing_power",] = power
    told["debt",] = debt
    told["health_factor",] = power / debt if debt else None
    for key in ("partial", "full", "printed"):
        limit = sum((each[key] for each in held.values()), ZERO)
        named = {"partial": "partial_threshold", "full": "full_threshold"}
        told[named.get(key, "full_threshold_printed"),] = limit
        if rules["named"] and debt:
            question = {"partial": "borrow, partial", "full": "borrow, full"}.get(key)
            if question:
                told["verdict", question, ""] = debt > limit

    # the requirement of transfers locks collateral
    required = sum(
        (dex["transfer_requirement"] for dex in dexes.values() if dex["collateral"] == "USDC"), ZERO
    )
    cash = fraction(tokens["USDC"]["total"]) if "USDC" in tokens else ZERO
    for name, each in held.items():
        told["token", name, "locked"] = max(ZERO, required - cash) / (prices[name] * each["ltv"])

    # what is left of the power must cover every debt, gross, and what transfers are short of
    short = ZERO
    for name, token in tokens.items():
        if name in terms and terms[name][BORROWABLE]:
            needed = settled(dexes, name, "transfer_requirement") - fraction(token["total"])
            short += max(ZERO, needed) * prices[name]
    for name, each in held.items():
        spare = (power - max(debt, short)) / (prices[name] * each["ltv"])
        lent = fraction(tokens[name]["supplied"])
        told["token", name, "can_withdraw"] = max(ZERO, min(lent, spare))

    available = {}
    toward = []
    for name, token in tokens.items():
        need = settled(dexes, name, "cross_maintenance")
        isolated = settled(dexes, name, "isolated_margin")
        net = fraction(token["total"])
        told["token", name, "maintenance"] = need
        if name not in terms or not terms[name][BORROWABLE]:
            available[name] = net - need - isolated
            # its own balance alone stands behind its exchanges, as in a unified account
            if any(dex["collateral"] == name for dex in dexes.values()):
                told["verdict", "unified ratio", name] = over(need, net - isolated, portfolio)
            continue
        if readings.get("isolated") != "inside":
            net -= isolated
        term, px, gross = terms[name], prices[name], fraction(token["borrowed"])
        value = max(net, ZERO) + min(term["borrow_cap"], collateral / px)
        # net balance + min(borrow cap, collateral) − maintenance; a debt is a negative net balance
        available[name] = net + min(term["borrow_cap"], collateral / px) - need
        owed = max(ZERO, -net)
        # documented: 20 USDC, maintenance and the size borrowed; all in units of the token
        documented = OFFSET / px + need + gross
        observed = need if net >= 0 else OFFSET / px + need + owed
        taken = need + (gross if readings.get("debt") == "gross" else owed)
        if net < 0 or readings.get("offset") == "always":
            taken += OFFSET / px
        told["token", name, "liquidation_value"] = value
        told["token", name, "requirement_observed"] = observed
        told["token", name, "requirement_documented"] = documented
        told["token", name, "excess"] = taken - TRIGGER * value
        for key, requirement in (
            ("ratio", taken),
            ("ratio_observed", observed),
            ("ratio_documented", documented),
        ):
            told["token", name, key] = requirement / value if value else None
        told["token", name, "borrow_cap_use"] = gross / term["borrow_cap"]
        limits = [(power - debt) / px, term["borrow_cap"] - gross]
        pool = portfolio["pools"].get(name)
        if pool is not None:
            limits.append(fraction(pool["balance"]))
            if term["global_borrow_cap"] is not None:
                limits.append(term["global_borrow_cap"] - fraction(pool["borrowed"]))
        told["token", name, "can_borrow"] = max(ZERO, min(limits))
        toward.append((name, need > 0 or net < 0 or gross > 0, taken, value))

    # the ratio is the highest; a token in which nothing stands cannot be liquidated
    counting = [row for row in toward if row[1]] or toward[:1]
    for name, _, requirement, value in counting:
        told["verdict", "portfolio margin ratio", name] = over(requirement, value, portfolio)
    for key in ("ratio", "ratio_observed", "ratio_documented"):
        told[key,] = highest([told["token", name, key] for name, *_ in counting])
    for name in tokens:
        told["token", name, "available"] = available[name]
    for name, dex in dexes.items():
        tell_dex(told, name, dex, available[dex["collateral"]])
