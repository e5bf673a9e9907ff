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
    return a.named("requirement, observed", maintenance, "USDC")


def requirement_documented(a: Arithmetic[N], maintenance: N, debt: N, price: N, offset: N) -> N:
    """Return the requirement as the page writes it: offset + maintenance + debt × price.

    **Source**: portfolio margin page (documented; where the offset enters is open).
    """
    return a.named("requirement, documented", offset + maintenance + debt * price, "USDC")


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

    **Units**: the collateral of the exchange. **Source**: margining page (documented; confirmed on
    17 recorded positions of the first tier).
    """
    return a.named("maintenance", a.ratio(value, a.lit("2") * max_leverage) - deduction)


def initial_margin(a: Arithmetic[N], value: N, leverage: N) -> N:
    """Return the margin a cross position binds: value ÷ leverage, cut at six places (confirmed)."""
    return a.divide_down(value, leverage, 6)


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
