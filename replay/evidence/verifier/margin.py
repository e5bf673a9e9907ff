"""Margin: the ratio of requirement to what stands against it, from the records of a pack alone.

Formulas and their sources: docs/spec/margin.md. Under portfolio margin the ratio is the highest
over tokens that can be borrowed; in a unified account, over tokens that exchanges settle in. Other
modes have none.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from replay.evidence.verifier.amounts import (
    NOTHING,
    Amount,
    Unknown,
    cut,
    less,
    lower,
    made,
    plain,
    plus,
    product,
    quotient,
)  # fmt: skip
from replay.evidence.verifier.holdings import Exchange, Holdings, Reckoning, Stake, Untold
from replay.evidence.verifier.rules import OFFSET, Rules, rules_at
from replay.evidence.verifier.surroundings import Surroundings

MAINTENANCE_PLACES = 6
HALF = Fraction(1, 2)
UNIT_OF_PRICES = "USDC"


def margin_ratio(reckoning: Reckoning, at: int) -> tuple[Amount, list[str]]:
    """Return the margin ratio of an account at an instant, and the rulebooks it was judged by."""
    around = reckoning.around
    mode = around.modes.last(at)
    if mode is None:
        return Unknown("no mode is recorded by then"), []
    if mode not in ("unifiedAccount", "portfolioMargin"):
        return Unknown(f"an account in the mode {mode} has no margin ratio"), []
    rules = rules_at(at)
    if not rules:
        return Unknown("no rulebook was in force"), []
    try:
        holdings = reckoning.holdings(at)
    except Untold:
        return Unknown("an event of unknown kind may have moved money"), []
    rules = decided(rules, holdings, around)
    names = [one.name for one in rules]
    if mode == "unifiedAccount":
        return unified_ratio(holdings), names
    found = [portfolio_ratio(holdings, one, around) for one in rules]
    for ratio in found:
        if ratio != found[0] or isinstance(ratio, Unknown):
            differ = Unknown(f"it differs between {' and '.join(names)}")
            return ratio if isinstance(ratio, Unknown) else differ, names
    return found[0], names


def decided(rules: list[Rules], holdings: Holdings, around: Surroundings) -> list[Rules]:
    """Return the rulebook that a recorded loan to value shows at work, where several may hold."""
    first, last = rules[0], rules[-1]
    for token in sorted(holdings.coins):
        state = around.reserve_at(token, holdings.at)
        if token not in first.tokens or token not in last.tokens or state is None:
            continue
        shares = [plain(one.tokens[token]["ltv"]) for one in (first, last)]
        recorded = plain(state["ltv"])
        if shares[0] != shares[1] and state["at"] >= last.since and recorded in shares:
            return [first if recorded == shares[0] else last]
    return rules


# Perpetuals.


def maintenance_of(stake: Stake) -> Amount:
    """Return the maintenance margin of a position: value ÷ (2 × leverage) − deduction, cut at 6.

    The deduction of a tier is the one before, and its lower bound × what its rate is higher.
    """
    tiers, value = stake.tiers, stake.value
    if isinstance(tiers, Unknown):
        return tiers
    if isinstance(value, Unknown):
        return value
    number = max([n for n in range(1, len(tiers)) if value > tiers[n][0]], default=0)
    deduction: Amount = NOTHING
    for n in range(1, number + 1):
        bound = tiers[n][0]
        lower_rate, rate = (quotient(Fraction(1), 2 * tiers[k][1]) for k in (n - 1, n))
        deduction = plus(deduction, product(bound, less(rate, lower_rate)))
    part = less(quotient(value, 2 * tiers[number][1]), deduction)
    return made(lambda known: cut(known, MAINTENANCE_PLACES), part)


def maintenance_in(exchanges: Iterable[Exchange]) -> Amount:
    """Return the maintenance margin of all cross positions of some exchanges."""
    return plus(
        *(
            maintenance_of(stake)
            for one in exchanges
            for stake in one.stakes.values()
            if not stake.is_isolated
        )
    )


def isolated_in(exchanges: Iterable[Exchange]) -> Amount:
    """Return the margin of all isolated positions of some exchanges: raw money and value."""
    return plus(
        *(
            plus(stake.isolated_money, stake.signed)
            for one in exchanges
            for stake in one.stakes.values()
            if stake.is_isolated
        )
    )


# Accounts.


def unified_ratio(holdings: Holdings) -> Amount:
    """Return the highest of maintenance ÷ (balance − isolated margin), over settling tokens."""
    found = []
    for token, coins in holdings.coins.items():
        exchanges = holdings.settling_in(token)
        if not exchanges:
            continue
        required, against = maintenance_in(exchanges), less(coins.total, isolated_in(exchanges))
        ratio = quotient(required, against)
        if isinstance(against, Fraction) and against <= 0:
            ratio = Unknown(f"nothing stands against what is required in {token}")
        if isinstance(ratio, Fraction) or required != NOTHING:
            found.append(ratio)
    return highest(found)


def highest(ratios: list[Amount]) -> Amount:
    """Return the highest ratio; unknown as soon as one is, or where there is none."""
    if not ratios:
        return Unknown("no token has a ratio")
    return made(lambda *known: max(known), *ratios)


def portfolio_ratio(holdings: Holdings, rules: Rules, around: Surroundings) -> Amount:
    """Return the highest ratio over tokens that can be borrowed and have something to liquidate."""
    collateral = collateral_value(holdings, rules, around)
    found: list[Amount] = []
    spare: list[Amount] = []
    for token in sorted(holdings.coins):
        if not rules.can_be_borrowed(token):
            continue
        exchanges = holdings.settling_in(token)
        maintenance = maintenance_in(exchanges)
        net = less(holdings.coins[token].total, isolated_in(exchanges))
        price = oracle_price(token, around, holdings.at)
        counted = lower(rules.granted(token, "borrow_cap"), quotient(collateral, price))
        value = plus(made(lambda known: max(NOTHING, known), net), counted)
        required = requirement(maintenance, net, price)
        ratio = quotient(required, value)
        spare.append(ratio)
        is_exposed = any(
            isinstance(amount, Unknown) or amount != 0
            for amount in (
                made(lambda known: max(NOTHING, known), maintenance),
                made(lambda known: min(NOTHING, known), net),
                made(lambda known: max(NOTHING, known), holdings.coins[token].borrowed),
            )
        )
        is_empty = required == NOTHING and isinstance(value, Fraction) and value <= 0
        if is_exposed and not is_empty:
            found.append(ratio)
    return highest(found or spare[:1])


def requirement(maintenance: Amount, net: Amount, price: Amount) -> Amount:
    """Return what is required: maintenance; with a net debt also the debt, and 20 USDC."""
    if not isinstance(net, Fraction) or net >= 0:
        return maintenance
    return plus(quotient(plain(OFFSET), price), maintenance, -net)


def collateral_value(holdings: Holdings, rules: Rules, around: Surroundings) -> Amount:
    """Return what all collateral counts for in a liquidation, in USDC.

    Of each: supplied, up to the user's cap, × price × (0.5 + 0.5 × loan to value).
    """
    parts = []
    for token in sorted(holdings.coins):
        supplied = holdings.coins[token].supplied
        ltv = loan_to_value(token, rules, around, holdings.at)
        if not ltv or supplied == NOTHING:
            continue
        counted = lower(supplied, rules.granted(token, "supply_cap"))
        price = oracle_price(token, around, holdings.at)
        parts.append(product(counted, price, HALF + HALF * ltv))
    return plus(*parts)


def loan_to_value(token: str, rules: Rules, around: Surroundings, at: int) -> Fraction:
    """Return the loan to value of a token: recorded since the rulebook holds, else the rulebook's.

    Nothing for what is no collateral.
    """
    state = around.reserve_at(token, at)
    if state is not None and state["at"] >= rules.since:
        return plain(state["ltv"])
    return plain(rules.tokens[token]["ltv"]) if token in rules.tokens else NOTHING


def oracle_price(token: str, around: Surroundings, at: int) -> Amount:
    """Return the oracle price of a token in USDC."""
    if token == UNIT_OF_PRICES:
        return Fraction(1)
    price = around.oracle_at(token, at)
    return Unknown(f"oracle price of {token}") if price is None else price[1]
