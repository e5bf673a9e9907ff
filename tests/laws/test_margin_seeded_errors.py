"""Errors seeded into the rules, one at a time: the comparison of two hands must find each.

A comparison that passes says something only when it would have failed. Several of these errors
have been made in public programs: an offset always added, a haircut of the loan to value alone, a
debt read from the net balance.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from projections.margin import perps, portfolio
from projections.rulebooks import formulas
from tests.laws.test_margin_two_hands import differences

judge = import_module("projections.margin.judge")  # its function bears the same name

WITHIN = 60
"""Portfolios an error may stay unseen; those the comparison itself begins with."""


def threshold(a, ltv):
    """The loan to value itself, where half of the rest counts too."""
    return ltv


def requirement_observed(a, maintenance):
    """The offset of 20 always."""
    return maintenance + a.lit("20")


def tier_deduction(a, before, bound, rate, rate_before):
    """Every tier's rate on the whole notional."""
    return a.lit("0")


def haircut_value(a, balance, cap, price, share):
    """The supply cap ignored."""
    return balance * price * share


def liquidation_price(a, price, side, free, size, max_leverage):
    """The wrong side: above for a long, below for a short."""
    return price + side * a.ratio(a.ratio(free, a.absolute(size)), a.lit("1"))


def liquidation_value(a, net, borrow_cap, collateral, price):
    """The price of the borrow token ignored."""
    return net + a.minimum(borrow_cap, collateral)


def uncapped_value(a, net, borrow_cap, collateral, price):
    """The borrow cap ignored."""
    return net + a.ratio(collateral, price)


def maintenance(a, value, max_leverage, deduction):
    """Not cut off at six places."""
    return a.ratio(value, a.lit("2") * max_leverage) - deduction


def full_borrow_limit(a, values, ltvs):
    """Divided first: a hair below the exact limit, so that a debt on it seems above it."""
    shares = [a.ratio(ltv + a.lit("2"), a.lit("3")) for ltv in ltvs]
    return a.total([value * share for value, share in zip(values, shares, strict=True)])


def margin_excess(a, required, value, trigger):
    """Against the whole value, not 95 % of it."""
    return required - value


def room_to_withdraw(a, balance, shortfalls, debt, power, price, ltv):
    """Debts forgotten: only what transfers are short of keeps collateral."""
    spare = a.ratio(power - a.total(shortfalls), price * ltv)
    return a.maximum(a.lit("0"), a.minimum(balance, spare))


def account_value(a, raw, values):
    """The positions' values forgotten: raw money alone."""
    return raw


RIGHT_TIER, RIGHT_HIGHEST = perps._tier, judge._highest


def debt_from_net(sheet, picture, *_):
    """What is owed read from the net balance, where it is gross."""
    parts = [
        sheet.figure(
            "debt",
            lambda a, net, px: a.maximum(a.lit("0"), a.lit("0") - net) * px,
            sheet.given("net balance", token.total, of=token.asset),
            portfolio.price_of(sheet, token),
        )
        for token in picture.tokens
    ]
    return sheet.figure("debt of all", formulas.plain_total, parts, unit="USDC")


def tier_of_chosen(sheet, position, *rest):
    """Maintenance at the leverage the account chose, where the market's highest counts."""
    _, deduction = RIGHT_TIER(sheet, position, *rest)
    return sheet.given("leverage", position.leverage, of=position.coin), deduction


def lowest(figures, name):
    """The lowest of the ratios, where the highest counts."""
    known = [each for each in figures if each.value is not None]
    if len(known) < len(figures) or not known:
        return RIGHT_HIGHEST(figures, name)
    return RIGHT_HIGHEST([min(known, key=lambda each: each.value)], name)


def no_isolated(sheet, exchanges, asset):
    """Isolated margin counted as if it backed everything."""
    return sheet.figure("isolated margin of all", formulas.plain_total, [], of=asset)


def above_or_on(figure, *, strict):
    """On the line taken for above it."""
    return None if figure.value is None else figure.value >= 0


ERRORS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "LTV instead of the liquidation threshold": (formulas, "threshold", threshold),
    "the offset always added": (formulas, "requirement_observed", requirement_observed),
    "net instead of gross debt": (portfolio, "_debt", debt_from_net),
    "the tier deduction dropped": (formulas, "tier_deduction", tier_deduction),
    "the lowest ratio over tokens": (judge, "_highest", lowest),
    "the supply cap ignored": (formulas, "haircut_value", haircut_value),
    "the wrong side in the liquidation price": (formulas, "liquidation_price", liquidation_price),
    "maintenance at the leverage chosen": (perps, "_tier", tier_of_chosen),
    "the price of the borrow token ignored": (formulas, "liquidation_value", liquidation_value),
    "isolated margin counted as cross": (portfolio, "isolated_in", no_isolated),
    "the borrow cap ignored": (formulas, "liquidation_value", uncapped_value),
    "maintenance not cut at six places": (formulas, "maintenance", maintenance),
    "the full threshold divided first": (formulas, "full_borrow_limit", full_borrow_limit),
    "the trigger left out": (formulas, "margin_excess", margin_excess),
    "a ratio on the line taken for above it": (judge, "_above", above_or_on),
    "withdrawals that forget debts": (formulas, "room_to_withdraw", room_to_withdraw),
    "positions' values forgotten": (formulas, "account_value", account_value),
}


def test_each_seeded_error_is_found_within_a_few_portfolios(monkeypatch, figure) -> None:
    assert [] == [seed for seed in range(WITHIN) if differences(seed)]
    found: dict[str, int | None] = {}
    for name, (where, attribute, wrong) in ERRORS.items():
        with monkeypatch.context() as patch:
            patch.setattr(where, attribute, wrong)
            found[name] = next((seed + 1 for seed in range(WITHIN) if differences(seed)), None)
    missed = [name for name, seen in found.items() if seen is None]
    latest = max(seen or 0 for seen in found.values())
    figure(
        line="3-5",
        text="rule errors seeded into the projection and found by the comparison",
        value=f"{len(found) - len(missed)} of {len(found)}, each within {latest} portfolios",
    )
    assert [] == missed
