"""The formulas of portfolio margin and lending, each written once over the tiny arithmetic.

They did not change between the first page (2026-01-27) and the last one known (2026-08-22); what
changed are parameters, which the dated modules beside this one hold. Marks as in the
specification: *confirmed* on recorded data to that many digits, *documented* only, *open*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.arithmetic import Arithmetic, N

RATE_PLACES: Final = 10
"""Decimal places of the rates and utilizations the venue prints."""

MONEY_PLACES: Final = 6
"""Decimal places the venue keeps of money on a perpetuals side."""

YEAR_MS: Final = "31536000000"
"""Milliseconds of the year of 365 days in which yearly rates are quoted."""


# ── lending ──────────────────────────────────────────────────────────────────────────────────────


def utilization(a: Arithmetic[N], borrowed: N, supplied: N) -> N:
    """Return the borrowed share of a reserve as printed: borrowed ÷ supplied, ten places.

    **Source**: eight recorded states, January to September 2026 (confirmed, 10 digits).
    """
    return a.named("utilization", a.divide_half_even(borrowed, supplied, RATE_PLACES))


def borrow_rate(a: Arithmetic[N], used: N, base: N, slope: N, kink: N) -> N:
    """Return the yearly nominal borrow rate: base + slope × max(0, utilization − kink).

    **Source**: portfolio margin page (documented); the base is confirmed, no recorded state lies
    above the kink.
    """
    return a.named("borrow rate", base + slope * a.maximum(used - kink, a.lit("0")))


def printed_rate(a: Arithmetic[N], rate: N) -> N:
    """Return a rate as the venue prints it: ten places."""
    return a.named("printed rate", a.divide_half_even(rate, a.lit("1"), RATE_PLACES))


def supply_rate(a: Arithmetic[N], rate: N, borrowed: N, supplied: N, protocol_share: N) -> N:
    """Return the yearly nominal supply rate: borrow rate × borrowed ÷ supplied × (1 − share).

    The utilization is not rounded first. **Source**: eight recorded states (confirmed, 10 digits;
    half-up and half-even cannot be told apart on them).
    """
    kept = rate * borrowed * (a.lit("1") - protocol_share)
    return a.named("supply rate", a.divide_half_even(kept, supplied, RATE_PLACES))


def grown(a: Arithmetic[N], value: N, rate: N, elapsed_ms: N, places: int) -> N:
    """Return a supplied or borrowed value after some time at a constant rate.

    ``value × exp(rate × time ÷ 365 days)``: rates are nominal and accrue continuously.
    **Source**: two recorded states of one position, 6.7 h apart (confirmed, 0.12 %).
    """
    power = a.ratio(rate * elapsed_ms, a.lit(YEAR_MS))
    return a.round_down(value * a.exp(power, 40), places)


def simple_rate(a: Arithmetic[N], earned: N, weight: N) -> N:
    """Return interest as a yearly rate: earned ÷ Σ (value × milliseconds) × a year, ten places."""
    yearly = earned * a.lit(YEAR_MS)
    return a.named("simple yearly rate", a.divide_half_even(yearly, weight, RATE_PLACES))


def mean_value(a: Arithmetic[N], value: N, interest: N) -> N:
    """Return the mean of a value while interest ran on it: value + half the interest.

    The mean of an exponential differs from it by less than a millionth of the interest of a day.
    """
    return a.named("mean value", value + a.lit("0.5") * interest)


def effective_rate(a: Arithmetic[N], rate: N) -> N:
    """Return what a nominal yearly rate comes to in a year: e^rate − 1, ten places."""
    return a.named("effective yearly rate", a.exp(rate, RATE_PLACES) - a.lit("1"))


def buffer(a: Arithmetic[N], balance: N, borrowed: N, supplied: N) -> N:
    """Return what a reserve holds for the protocol: balance + borrowed − supplied.

    **Source**: between two recorded states it grew by 0.099998 of what borrows grew (confirmed).
    """
    return a.named("buffer", balance + borrowed - supplied)


# ── collateral ───────────────────────────────────────────────────────────────────────────────────


def threshold(a: Arithmetic[N], ltv: N) -> N:
    """Return the share of collateral that counts in a liquidation: 0.5 + 0.5 × LTV.

    **Source**: portfolio margin page (documented since 2026-01-27; confirmed, 9 to 12 digits).
    """
    return a.named("liquidation threshold", a.lit("0.5") + a.lit("0.5") * ltv)


def full_threshold(a: Arithmetic[N], ltv: N) -> N:
    """Return the share at which a borrow is liquidated whole: LTV + (1 − LTV) × 2 ÷ 3.

    Exactly, two thirds; the page's worked example rounds 83.3…% to 83.3 %. **Source**: FAQ
    (documented since 2026-05-18).
    """
    return a.named("full threshold", a.ratio(ltv + a.lit("2"), a.lit("3")))


def full_threshold_printed(a: Arithmetic[N], ltv: N) -> N:
    """Return the full threshold as the FAQ's worked example has it: cut at a tenth of a percent.

    83.3 % for a loan to value of 0.5, which makes 249.90 of the example's 250.00. **Source**: FAQ.
    """
    return a.named("full threshold, printed", a.divide_down(ltv + a.lit("2"), a.lit("3"), 3))


def borrow_limit(a: Arithmetic[N], values: Sequence[N], shares: Sequence[N]) -> N:
    """Return the debt above which a borrow is liquidated: Σ collateral × its share, in USDC.

    **Source**: FAQ (documented since 2026-05-18), for one collateral; several are added up.
    """
    parts = [value * share for value, share in zip(values, shares, strict=True)]
    return a.named("borrow threshold", a.total(parts), "USDC")


def full_borrow_limit(a: Arithmetic[N], values: Sequence[N], ltvs: Sequence[N]) -> N:
    """Return the debt above which a borrow is liquidated whole: Σ collateral × (LTV + 2) ÷ 3.

    In USDC, divided last, so that the limit of the FAQ's example is 250.00 and not a hair below:
    a debt of 250 is not above it. **Source**: FAQ (documented since 2026-05-18).
    """
    parts = [value * (ltv + a.lit("2")) for value, ltv in zip(values, ltvs, strict=True)]
    return a.named("full borrow threshold", a.ratio(a.total(parts), a.lit("3")), "USDC")


def collateral_worth(a: Arithmetic[N], balance: N, cap: N, price: N) -> N:
    """Return the worth of what is supplied of one collateral, up to the cap of a user, in USDC."""
    return a.named("collateral", a.minimum(balance, cap) * price, "USDC")


def worth(a: Arithmetic[N], amount: N, price: N) -> N:
    """Return an amount of a token in USDC."""
    return a.named("worth", amount * price, "USDC")


def room_to_borrow(a: Arithmetic[N], power: N, debt: N, price: N, limits: Sequence[N]) -> N:
    """Return what can still be borrowed of a token: (power − debt) ÷ price, within the limits.

    The limits are what is left of the caps of user and reserve, and what the reserve has at hand.
    **Source**: portfolio margin page (documented).
    """
    by_power = a.ratio(power - debt, price)
    return a.named("can still borrow", a.maximum(a.lit("0"), a.minimum(by_power, *limits)))


def left_of(a: Arithmetic[N], cap: N, used: N) -> N:
    """Return what is left of a cap."""
    return a.named("left of cap", cap - used)


def transfer_shortfall(a: Arithmetic[N], required: N, net: N) -> N:
    """Return what collateral must back of one token: max(0, requirement of transfers − net)."""
    return a.maximum(a.lit("0"), required - net)


def locked_collateral(a: Arithmetic[N], required: N, net: N, price: N, ltv: N) -> N:
    """Return how much of a sole collateral is locked: max(0, requirement − net) ÷ (price × LTV).

    The requirement is that of transfers. **Source**: recorded holds of two accounts (confirmed, 9
    to 12 digits); the FAQ's example: 100 ÷ (0.5 × 40) = 5.
    """
    return a.named("locked", a.ratio(transfer_shortfall(a, required, net), price * ltv))


def room_to_withdraw(
    a: Arithmetic[N], balance: N, shortfalls: Sequence[N], debt: N, power: N, price: N, ltv: N
) -> N:  # fmt: skip
    """Return what can still be withdrawn of one collateral, the others staying where they are.

    ``min(balance, (Σ power − max(debt, Σ shortfall)) ÷ (price × LTV))``, not negative. What is left
    must cover all debts, gross, in USDC, so that the health factor does not fall below 1 (FAQ,
    documented), and what transfers require beyond the net balances, in USDC (inferred from
    recorded holds, which show it of one token).
    """
    need = a.maximum(debt, a.total(shortfalls))
    spare = a.ratio(power - need, price * ltv)
    return a.named("can still withdraw", a.maximum(a.lit("0"), a.minimum(balance, spare)))


def haircut_value(a: Arithmetic[N], balance: N, cap: N, price: N, share: N) -> N:
    """Return what supplied collateral counts for: min(balance, cap) × price × share, in USDC.

    **Source**: portfolio margin page (documented; confirmed, 9 to 12 digits).
    """
    return a.named("collateral value", a.minimum(balance, cap) * price * share, "USDC")


def liquidation_value(a: Arithmetic[N], net: N, borrow_cap: N, collateral: N, price: N) -> N:
    """Return what stands against the requirement, in the borrow token.

    ``net balance + min(borrow cap, collateral ÷ price of the borrow token)``. **Source**: portfolio
    margin page, its single token argument read as borrow token and collateral (confirmed, 11
    digits, for net balances that are not negative).
    """
    return a.named("liquidation value", net + a.minimum(borrow_cap, a.ratio(collateral, price)))


def requirement_observed(a: Arithmetic[N], maintenance: N) -> N:
    """Return the requirement as recorded accounts show it: the cross maintenance margin alone.

    **Source**: three recorded accounts with a net balance that is not negative (confirmed, 10
    digits); nothing is recorded for a negative one.
    """
    return a.named("requirement, observed", maintenance)


def net_debt(a: Arithmetic[N], net: N) -> N:
    """Return the negative part of a net balance, as a positive number (hypothetical)."""
    return a.named("net debt", a.maximum(a.lit("0"), a.lit("0") - net))


def net_asset(a: Arithmetic[N], net: N) -> N:
    """Return the part of a net balance that is not negative."""
    return a.maximum(a.lit("0"), net)


def margin_excess(a: Arithmetic[N], required: N, value: N, trigger: N) -> N:
    """Return by how much a requirement passes the trigger: requirement − trigger × value.

    The same question as ratio against trigger, without a division: exact at the boundary, and
    right where the value is zero or negative. **Source**: portfolio margin page.
    """
    return a.named("excess over the trigger", required - trigger * value)


def requirement_documented(a: Arithmetic[N], maintenance: N, debt: N, price: N, offset: N) -> N:
    """Return the requirement as the page writes it: offset + maintenance + debt, one token's.

    The page adds 20 USDC, the maintenance of the exchanges that settle in the token, and the size
    borrowed at its price, against a value in the token; here all stands in the token, so that the
    offset is divided by the price. **Source**: portfolio margin page (documented; where the offset
    enters is open).
    """
    return a.named("requirement, documented", a.ratio(offset, price) + maintenance + debt)


def margin_ratio(a: Arithmetic[N], required: N, value: N) -> N:
    """Return the portfolio margin ratio toward one token: requirement ÷ liquidation value.

    **Source**: portfolio margin page (confirmed, 10 digits).
    """
    return a.named("margin ratio", a.ratio(required, value))


def available(a: Arithmetic[N], value: N, maintenance: N) -> N:
    """Return what is free after maintenance: liquidation value − maintenance margin.

    **Source**: ``tokenToAvailableAfterMaintenance`` of recorded accounts (confirmed, 11 digits).
    """
    return a.named("available after maintenance", value - maintenance)


def borrowing_power(a: Arithmetic[N], balance: N, price: N, ltv: N) -> N:
    """Return what one collateral lets the account borrow, in USDC: balance × price × LTV.

    **Source**: portfolio margin page and FAQ (documented).
    """
    return a.named("borrowing power", balance * price * ltv, "USDC")


def health_factor(a: Arithmetic[N], power: N, debt: N) -> N:
    """Return borrowing power ÷ gross debt; below 1 no further borrowing, no withdrawal.

    **Source**: FAQ (documented); one recorded borrower (confirmed with an implied price).
    """
    return a.named("health factor", a.ratio(power, debt))


def cap_use(a: Arithmetic[N], amount: N, cap: N) -> N:
    """Return the share of a cap that is used, ten places (confirmed, 10 digits)."""
    return a.named("use of cap", a.divide_half_even(amount, cap, RATE_PLACES))


# ── positions ────────────────────────────────────────────────────────────────────────────────────


def tier_deduction(a: Arithmetic[N], before: N, bound: N, rate: N, rate_before: N) -> N:
    """Return the deduction of a margin tier: the one before + bound × (rate − rate before).

    **Source**: margin tiers page (documented; BTC 1 875 000, HYPE 1 000 000 recorded).
    """
    return a.named("tier deduction", before + bound * (rate - rate_before), "USDC")


def maintenance_rate(a: Arithmetic[N], max_leverage: N) -> N:
    """Return the maintenance rate of a tier: half of 1 ÷ highest leverage (documented)."""
    return a.ratio(a.lit("1"), a.lit("2") * max_leverage)


def maintenance(a: Arithmetic[N], value: N, max_leverage: N, deduction: N) -> N:
    """Return the maintenance margin of a position: value ÷ (2 × highest leverage) − deduction.

    Cut off at six places, each position for itself. **Units**: the collateral of the exchange.
    **Source**: margining page (documented); the cut: a recorded position of 2026-03-31, and ten of
    2026-09-14 whose cut parts add up to the recorded sum in all digits, which neither their exact
    parts nor a cut of the sum do (confirmed, 17 positions of the first tier).
    """
    part = a.ratio(value, a.lit("2") * max_leverage) - deduction
    return a.named("maintenance", a.round_down(part, MONEY_PLACES))


def cross_maintenance(a: Arithmetic[N], parts: Sequence[N]) -> N:
    """Return the maintenance margin of the cross positions of one exchange (confirmed)."""
    return a.named("cross maintenance", a.total(parts))


def signed_value(a: Arithmetic[N], side: N, value: N) -> N:
    """Return what a position adds to its exchange: side × value, side +1 or −1 (confirmed)."""
    return a.named("signed value", side * value)


def unrealized(a: Arithmetic[N], value: N, entry: N) -> N:
    """Return the result not yet taken: signed value − signed entry notional (confirmed)."""
    return a.named("unrealized result", value - entry)


def net_total(a: Arithmetic[N], at_hand: N, supplied: N, borrowed: N, values: Sequence[N]) -> N:
    """Return the one balance of a token: Σ exchange values + supplied + at hand − borrowed.

    **Source**: three recorded accounts (confirmed, exact).
    """
    return a.named("net balance", a.total(values) + supplied + at_hand - borrowed)


def idle(
    a: Arithmetic[N], total: N, values: Sequence[N], supplied: N, held: N, borrowed: N
) -> N:  # fmt: skip
    """Return what the identity of a balance leaves over: total − Σ values − supplied − held + debt.

    Above zero it must have been supplied, below zero borrowed, where the account does both by
    itself (inferred).
    """
    return a.named("left over", total - a.total(values) - supplied - held + borrowed)


def return_on_equity(a: Arithmetic[N], result: N, entry: N, leverage: N) -> N:
    """Return the result not yet taken as a share of the margin put in, ten places.

    ``result ÷ (entry notional ÷ leverage)``. **Source**: recorded positions (confirmed, 8 digits).
    """
    return a.named("return on equity", a.divide_half_even(result * leverage, entry, RATE_PLACES))


def isolated_margin(a: Arithmetic[N], raw: N, value: N) -> N:
    """Return the margin of an isolated position: its raw money + its signed value (confirmed)."""
    return a.named("isolated margin", raw + value)


def cross_value(a: Arithmetic[N], value: N, isolated: Sequence[N]) -> N:
    """Return the account value without the margins of isolated positions (confirmed)."""
    return a.named("cross account value", value - a.total(isolated))


def free_of(a: Arithmetic[N], value: N, required: N) -> N:
    """Return what is left of a value beyond a requirement; negative where it falls short."""
    return a.named("free", value - required)


def withdrawable(a: Arithmetic[N], value: N, required: N) -> N:
    """Return what may leave an exchange: account value − transfer requirement, not below zero.

    **Source**: margining page (documented); one recorded standard account (confirmed, exact).
    """
    return a.named("withdrawable", a.maximum(a.lit("0"), value - required))


def plain_total(a: Arithmetic[N], parts: Sequence[N]) -> N:
    """Return a sum."""
    return a.named("sum", a.total(parts))


def initial_margin(a: Arithmetic[N], value: N, leverage: N) -> N:
    """Return the margin a cross position binds: value ÷ leverage, cut at six places (confirmed)."""
    return a.named("initial margin", a.divide_down(value, leverage, MONEY_PLACES))


def transfer_requirement(a: Arithmetic[N], initial: N, notional: N) -> N:
    """Return what must stay in the account: max(initial margin, a tenth of the notional).

    **Source**: margining page (documented), recorded holds (confirmed, 9 to 12 digits).
    """
    return a.named("transfer requirement", a.maximum(initial, a.lit("0.1") * notional), "USDC")


def liquidation_price(
    a: Arithmetic[N], price: N, side: N, free: N, size: N, max_leverage: N
) -> N:  # fmt: skip
    """Return the mark at which a position's pool is used up, everything else standing still.

    ``price − side × free ÷ |size| ÷ (1 − side ÷ (2 × highest leverage))``, side +1 long, −1 short.
    **Source**: liquidations page (documented; confirmed on ten recorded positions, relative 1e-8).
    """
    room = a.ratio(free, a.absolute(size))
    slope = a.lit("1") - side * maintenance_rate(a, max_leverage)
    return a.named("liquidation price", price - side * a.ratio(room, slope))


def bankruptcy_price(a: Arithmetic[N], price: N, side: N, value: N, size: N) -> N:
    """Return the mark at which a position's margin is worth nothing: price − side × value ÷ |size|.

    **Source**: one recorded takeover of an isolated position (confirmed, on the price grid).
    """
    return a.named("bankruptcy price", price - side * a.ratio(value, a.absolute(size)))


def over_large(a: Arithmetic[N], value: N) -> N:
    """Return by how much a position is above 100,000 USDC: then a part of it is sent first.

    **Source**: liquidations page (documented).
    """
    return a.named("over a large position", value - a.lit("100000"), "USDC")


def first_order(a: Arithmetic[N], size: N) -> N:
    """Return what is sent of a large position at first: a fifth; for thirty seconds after, all.

    **Source**: liquidations page (documented).
    """
    return a.named("first order", a.lit("0.2") * a.absolute(size))


def backstop_excess(a: Arithmetic[N], required: N, value: N) -> N:
    """Return by how much a value is below two thirds of maintenance, three times over.

    ``2 × maintenance − 3 × value``, above zero where the backstop liquidator may take over.
    **Source**: liquidations page (documented).
    """
    return a.named("excess over the backstop", a.lit("2") * required - a.lit("3") * value)


def joint_slope(a: Arithmetic[N], size: N, rate: N, counted: N, mark: N) -> N:
    """Return what one unit of price adds to the free margin, hedges included.

    ``size − |size| × maintenance rate + collateral value ÷ mark``: the collateral that stands for
    the same underlying moves in proportion (inferred from the formulas of position and collateral).
    """
    per_unit = size - a.absolute(size) * rate + a.ratio(counted, mark)
    return a.named("free margin per unit of price", per_unit)


def joint_liquidation_price(a: Arithmetic[N], price: N, free: N, slope: N) -> N:
    """Return the mark at which margin is used up when the hedge moves along: price − free ÷ slope.

    Without collateral of the same underlying it is the ordinary liquidation price.
    """
    return a.named("liquidation price, moving together", price - a.ratio(free, slope))


def account_value(a: Arithmetic[N], raw: N, values: Sequence[N]) -> N:
    """Return the value of a perpetuals side: raw money + Σ signed size × mark (confirmed)."""
    return a.named("account value", raw + a.total(values), "USDC")


def unified_ratio(a: Arithmetic[N], maintenance_sum: N, total: N, isolated: N) -> N:
    """Return the ratio of a unified account toward one token.

    ``Σ cross maintenance ÷ (spot total − Σ isolated margin)``. **Source**: account abstraction
    modes page (documented).
    """
    return a.named("unified ratio", a.ratio(maintenance_sum, total - isolated))


def unified_available(a: Arithmetic[N], total: N, maintenance_sum: N, isolated: N) -> N:
    """Return what is free in a unified account: total − Σ maintenance − Σ isolated (confirmed)."""
    return a.named("available after maintenance", total - maintenance_sum - isolated)
