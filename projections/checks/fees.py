"""Check of fees: a published rate whose floor is the fee."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ledger import events as ev
from ledger.money import ZERO, canonical, divide_down, divide_half_even, exact, round_down, unscaled
from projections.checks.base import CheckResult, Options, Tally
from projections.postings import fee_asset, is_perp, paid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.events import Event
    from projections.reference import Reference

FEE_PLACES: Final = 6
"""Decimal places of a fee charged in a collateral or quote token."""

TOKEN_FEE_PLACES: Final = 8
"""Decimal places of a fee charged in the token bought."""

PERP_TIERS: Final = (
    "0.00045", "0.0004", "0.00035", "0.0003", "0.00028", "0.00026", "0.00024",
    "0.00015", "0.00012", "0.00008", "0.00004", "0",
    "-0.00001", "-0.00002", "-0.00003",
)  # fmt: skip
"""Takers by volume, makers by volume, rebates of makers by share.
**Source**: the venue's fee page, since May 2025; 50 of 50 recorded fills of October 2025."""

PERP_TIERS_BEFORE: Final = (
    "0.000325", "0.000275", "0.00025", "0.000225", "0.0002", "0.00019",
    "0.0001", "0.00005", "0.000025",
)  # fmt: skip
"""What the tiers before May 2025 had beside these. **Source**: recorded fills of 2024-25."""

SPOT_TIERS: Final = (
    "0.0007", "0.0006", "0.0005", "0.0004", "0.00035", "0.0003", "0.00025",
    "0.0002", "0.0001", "0",
)  # fmt: skip

DISCOUNTS: Final = ("1", "0.95", "0.9", "0.85", "0.8", "0.7", "0.6")
"""What staking leaves of a rate."""

REFERRAL: Final = Decimal("0.96")
"""What the referral discount leaves of a fee."""


def _rates(tiers: tuple[str, ...]) -> tuple[Decimal, ...]:
    """Return the admissible rates, plain tiers first, then discounted ones."""
    with exact():
        found: dict[Decimal, None] = {}
        for factor in (Decimal(1), REFERRAL):
            for discount in DISCOUNTS:
                for tier in tiers:
                    found.setdefault(Decimal(tier) * Decimal(discount) * factor)
    return tuple(found)


_PERP_RATES: Final = _rates(PERP_TIERS + PERP_TIERS_BEFORE)
_SPOT_RATES: Final = _rates(SPOT_TIERS + PERP_TIERS)

_RATES: Final = tuple(dict.fromkeys(_PERP_RATES + _SPOT_RATES))

NEAR: Final = Decimal("0.0001")
"""A fee this near to that of a published rate, as a part of it, is at that rate and wrong: no two
published rates lie so close together."""

SUMMED_FILLS_MAX: Final = 50
"""How many fills a row of a web export is taken to sum up at most: so many units it may lack."""


def fee_rate(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Look for a published rate whose floor is the fee, within one unit of the last place.

    The fee less the builder's share is judged; the tally counts fills by rate. The recorded fee
    remains the truth whatever comes of this. Among rates that reproduce a small fee alike, the one
    that explains most of the other fills of the account is named.
    """
    tally = Tally("fee-rate")
    judged: list[tuple[ev.Filled, tuple[Decimal, ...]]] = []
    for event in events:
        if not isinstance(event, ev.Filled):
            continue
        if event.fee is None:
            tally.unknown("no fee is recorded")
            continue
        judged.append((event, tuple(admissible(event, reference))))
    popular: dict[Decimal, int] = {}
    for _, rates in judged:
        for rate in rates:
            popular[rate] = popular.get(rate, 0) + 1
    for event, rates in judged:
        if rates:
            best = max(rates, key=lambda rate: popular[rate])
            tally.see(canonical(best))
            tally.agree()
        elif _may_be_summed(event, reference):
            tally.unknown("rows an export summed up: each fee in them was floored alone")
        else:
            _say_unexplained(tally, event, reference)
    return tally.result()


def admissible(event: ev.Filled, reference: Reference) -> Iterator[Decimal]:
    """Yield the published rates whose floor is the fee of a fill, within one unit.

    A fee in the token bought is the fee in the quote token, floored, divided by the price, and cut
    off at eight places: 144.09 bought at 7.9855 at 0.00035 is 0.40272 and so 0.0504314. The unit
    allowed is one of the quote token there, too.
    """
    value, own_fee, in_token = _basis(event, reference)
    if in_token and not event.px:
        return
    unit = unscaled(1, FEE_PLACES)
    if in_token:
        unit = unscaled(1, TOKEN_FEE_PLACES) + divide_down(unit, event.px, TOKEN_FEE_PLACES)
    for rate in _PERP_RATES if is_perp(event.coin) else _SPOT_RATES:
        expected = round_down(value * rate, FEE_PLACES)
        if in_token:
            expected = divide_down(expected, event.px, TOKEN_FEE_PLACES)
        if abs(expected - own_fee) <= unit:
            yield rate


def _basis(event: ev.Filled, reference: Reference) -> tuple[Decimal, Decimal, bool]:
    """Return what a rate is applied to, the fee without the builder's share, and its token's kind.

    The last is true for a fee charged in the token bought.
    """
    assert event.fee is not None
    own_fee = event.fee - (event.builder_fee or ZERO)
    base = reference.pair(event.coin)[0]
    in_token = not is_perp(event.coin) and fee_asset(event, reference) == base
    return paid(event), own_fee, in_token


def _may_be_summed(event: ev.Filled, reference: Reference) -> bool:
    """Tell whether a row of a web export may be several fills, each with its own floored fee."""
    if event.notional is None:
        return False
    value, own_fee, _ = _basis(event, reference)
    room = unscaled(SUMMED_FILLS_MAX, FEE_PLACES)
    return any(ZERO <= round_down(value * rate, FEE_PLACES) - own_fee <= room for rate in _RATES)


def _nearest(event: ev.Filled, basis: Decimal, own_fee: Decimal) -> tuple[Decimal, Decimal] | None:
    """Return the published rate a wrong fee was meant to be at, and the fee it gives; or None."""
    for rate in _PERP_RATES if is_perp(event.coin) else _SPOT_RATES:
        expected = round_down(basis * rate, FEE_PLACES)
        if expected and abs(own_fee - expected) <= abs(expected) * NEAR:
            return rate, expected
    return None


def _say_unexplained(tally: Tally, event: ev.Filled, reference: Reference) -> None:
    basis, own_fee, in_token = _basis(event, reference)
    meant = None if in_token else _nearest(event, basis, own_fee)
    if meant is not None:
        rate, expected = meant
        tally.differ(
            event,
            expected=expected,
            observed=own_fee,
            text=f"{event.coin}: a fee at {canonical(rate)} on {canonical(basis)} is "
            f"{canonical(expected)}, the record says {canonical(own_fee)}",
        )
        return
    worth = own_fee * event.px if in_token else own_fee
    implied = divide_half_even(worth, basis, 8) if basis else ZERO
    tally.differ(
        event,
        expected="a fee at a published rate",
        observed=own_fee,
        severity="note",
        text=f"{event.coin}: no published rate gives a fee of {canonical(own_fee)} on "
        f"{canonical(basis)} (the rate would be {canonical(implied)}); a tier, discount or builder "
        f"not known here",
    )
