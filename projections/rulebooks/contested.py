"""Formulas of the venue's pages as they are printed, where they cannot all be meant.

No judgement rests on them. They stand here so that a dispute can say what each way of reading
gives, and by how much the ways differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projections.arithmetic import Arithmetic, N


def takeover_printed(a: Arithmetic[N], worth: N, ltv: N, width: N) -> N:
    """Return the takeover slippage as printed: ``size·oracle·(LTV+2)/3)·width``.

    The closing bracket without an opening one changes nothing in a product; the result is in
    square USDC, which no slippage is. **Source**: portfolio margin page (documented 2026-08-01).
    """
    return a.named("slippage, printed", a.ratio(worth * (ltv + a.lit("2")) * width, a.lit("3")))


def takeover_ratio(a: Arithmetic[N], worth: N, ltv: N, width: N) -> N:
    """Return the takeover slippage as a ratio: worth × (LTV + 2) ÷ 3 ÷ width (hypothetical)."""
    return a.named("slippage, ratio", a.ratio(worth * (ltv + a.lit("2")), a.lit("3") * width))


def graph_result_printed(a: Arithmetic[N], value: N, deposits: N, withdrawals: N) -> N:
    """Return the result of a portfolio graph as printed: value + deposits − withdrawals."""
    return a.named("graph result, printed", value + deposits - withdrawals)


def graph_result(a: Arithmetic[N], value: N, deposits: N, withdrawals: N) -> N:
    """Return the result that leaves out what was put in: value − deposits + withdrawals."""
    return a.named("graph result", value - deposits + withdrawals)


def closed_result_printed(a: Arithmetic[N], result: N, fee: N) -> N:
    """Return the closed result as the page on entry prices words it: with the fee added."""
    return a.named("closed result, printed", result + fee)


def closed_result_net(a: Arithmetic[N], result: N, fee: N) -> N:
    """Return the closed result of web exports: that of the API less the fee (confirmed)."""
    return a.named("closed result, net", result - fee)


def deleveraging_index(a: Arithmetic[N], mark: N, entry: N, notional: N, value: N) -> N:
    """Return the rank in an auto-deleveraging of a long: (mark ÷ entry) × (notional ÷ value).

    **Source**: auto-deleveraging page (documented).
    """
    return a.named("deleveraging index", a.ratio(mark * notional, entry * value))
