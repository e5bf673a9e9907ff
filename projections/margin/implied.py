"""Implied: the collateral price that other fields of one answer must have been made with.

A spot state does not print the oracle price of its moment, but its holds and its available amounts
were made with it. A figure reproduced with such a price is *consistent* with the answer, and is
never called predicted. For accounts with one collateral; what a hold is made of is reconstructed
from recorded accounts (two rows agree to 9 to 12 digits).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.money import exact
from projections.arithmetic import EXACT
from projections.margin.picture import Input
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from decimal import Decimal

    from ledger.units import Millis

IMPLIED: Final = "implied by "
"""How the source of an implied input begins."""


def price_by_usable_quote(
    *,
    spot_hold: Decimal,
    hold: Decimal,
    collateral: Decimal,
    locked: Decimal,
    ltv: Decimal,
    at: Millis,
) -> Input:
    """Return the price in ``hold = spot hold − (collateral − locked) × price × LTV``.

    *spot_hold* and *hold* are those of USDC. Answers of March 2026 counted the collateral whole
    (*locked* zero), answers of September without what is locked.
    """
    with exact():
        px = EXACT.ratio(spot_hold - hold, (collateral - locked) * ltv)
    return Input(px, f"{IMPLIED}hold of USDC", at)


def price_by_locked(
    *, required: Decimal, net: Decimal, locked: Decimal, ltv: Decimal, at: Millis
) -> Input:
    """Return the price in ``locked = (transfer requirement − net) ÷ (price × LTV)``."""
    with exact():
        px = EXACT.ratio(required - net, locked * ltv)
    return Input(px, f"{IMPLIED}hold of the collateral", at)


def price_by_available(
    *,
    available: Decimal,
    maintenance: Decimal,
    net: Decimal,
    collateral: Decimal,
    ltv: Decimal,
    at: Millis,
) -> Input:
    """Return the price in ``available = net + collateral × price × threshold − maintenance``."""
    with exact():
        share = formulas.threshold(EXACT, ltv)
        px = EXACT.ratio(available + maintenance - net, collateral * share)
    return Input(px, f"{IMPLIED}available after maintenance", at)


def is_implied(given: object) -> bool:
    """Tell whether an input was implied by another field of an answer."""
    return isinstance(given, Input) and given.source.startswith(IMPLIED)
