"""Steps: what is not a sum, as pure functions from whole numbers to whole numbers.

Sizes are whole lots, money whole units of a stated scale; a step knows neither. Nothing here
allocates an object or asks what an event is, so that the same text can be read by a column engine.
Division is floor division of non-negative numbers, and ``ratio53``.
"""

from __future__ import annotations

from ledger.money import ratio53


def perp_step(size: int, notional: int, *, trade: int, value: int) -> tuple[int, int, int]:
    """Return (size, entry notional, result) after a fill of a perpetual.

    Opening adds ``value`` to the entry notional N. Closing compares with the entry price, N ÷
    |size| floored on the price grid: with sizes in lots of 10^-p and money in units of 10^-6 that
    grid is the venue's own, 10^-(6-p). The result is side · (closed value − closed lots · entry).
    What stays open keeps ``ratio53(N, open ÷ before)``; a flip begins anew with the rest.

    **Units**: ``size`` and ``trade`` in signed lots, ``notional``, ``value`` (price × size of the
    fill, not negative) and the result in money units, before fees.
    **Source**: recorded fills, 744 of 744 closes to the last digit given.
    """
    after = size + trade
    if not size or not trade or (size > 0) == (trade > 0):
        return after, notional + value, 0
    held, traded = abs(size), abs(trade)
    entry = notional // held
    if traded <= held:
        gained = value - traded * entry
        kept = ratio53(notional, numerator=held - traded, denominator=held) if after else 0
        return after, kept, gained if size > 0 else -gained
    closed_value = value * held // traded
    gained = closed_value - held * entry
    return after, value - closed_value, gained if size > 0 else -gained


def spot_step(size: int, cost: int, *, trade: int, fee: int, value: int) -> tuple[int, int, int]:
    """Return (size, cost, result) after a trade of tokens at average cost.

    A purchase adds its gross value, whatever the fee took of the tokens; a sale takes the sold
    share of the cost, floored. Selling more than is held leaves nothing to compare with: the
    share is then the whole cost.

    **Units**: lots, with ``fee`` in lots of the token; ``cost``, ``value`` and the result in money
    units, the result before fees.
    **Source**: recorded sales, 522 of 523 within 1.1e-5 USDC.
    """
    after = size + trade - fee
    if trade >= 0:
        return after, cost + value, 0
    if size <= 0:
        return after, 0, value
    sold = min(-trade, size)
    share = cost * sold // size
    return after, cost - share if after > 0 else 0, value - share


def outflow_step(size: int, cost: int, *, out: int) -> int:
    """Return the cost that stays with the rest when tokens leave without a sale, floored."""
    return cost * (size - out) // size if 0 <= out < size else 0
