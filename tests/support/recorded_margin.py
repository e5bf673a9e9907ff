"""Recorded accounts of margin: their prices implied, their scale, and what is judged of them."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ledger.money import canonical, divide_half_even, exact, round_half_even
from projections.margin import Input, Judgement, judge
from projections.margin.claims import Comparison, compare
from projections.margin.implied import (
    price_by_available,
    price_by_locked,
    price_by_usable_quote,
)
from projections.rulebooks import by_id
from projections.rulebooks.base import HYPE, UBTC, USDT0, Rulebook
from tests.support.states import States

D = Decimal
HEDGER = "0xfc8b2f2b98705037ec9fa816f40c42077b237d3c"
SHORT = "0xb1c4a17f0f39c2b04333831104a82e94ab808510"
IDLE = "0xdc00aede8219c1151ddd86372deed7a36bdeb405"
SEPTEMBER = "2026-08-11 hype-ltv"


def factor(shown: States) -> D:
    """Return by what the publisher multiplied amounts: the cap of a million USDT shows through."""
    return divide_half_even(shown.available(268), D(1_000_000), 20)


def to_scale(shown: States) -> Rulebook:
    """Return the rules of September with caps multiplied as the publisher multiplied amounts."""
    book, share = by_id(SEPTEMBER), factor(shown)
    names = ("user_supply_cap", "user_borrow_cap", "global_supply_cap", "global_borrow_cap")
    tokens = {}
    with exact():
        for token, terms in book.tokens.items():
            caps = {name: getattr(terms, name) for name in names}
            tokens[token] = attrs.evolve(
                terms,
                **{
                    name: attrs.evolve(cap, value=cap.value * share)
                    for name, cap in caps.items()
                    if cap is not None
                },
            )
    return attrs.evolve(book, id="2026-08-11 hype-ltv, caps to scale", tokens=tokens)


def implied_in_september(shown: States) -> dict[str, Input]:
    """Return the price of bitcoin that three fields of the borrower's answer imply."""
    usdc, btc, side = shown.row("USDC"), shown.row("UBTC"), shown.perps[0]
    at = shown.spot.at
    with exact():
        required = D("0.1") * side.summary.total_notional
    return {
        "hold of USDC": price_by_usable_quote(
            spot_hold=usdc.spot_hold, hold=usdc.hold, collateral=btc.total, locked=btc.hold,
            ltv=btc.ltv, at=at,
        ),
        "hold of UBTC": price_by_locked(
            required=required, net=usdc.total, locked=btc.hold, ltv=btc.ltv, at=at
        ),
        "available": price_by_available(
            available=shown.available(0), maintenance=side.cross_maintenance, net=usdc.total,
            collateral=btc.total, ltv=btc.ltv, at=at,
        ),
    }  # fmt: skip


def implied_in_march(shown: States) -> Input:
    """Return the price of HYPE that the hold of USDC implies; locked collateral counted then."""
    usdc, hype = shown.row("USDC"), shown.row("HYPE")
    return price_by_usable_quote(
        spot_hold=usdc.spot_hold, hold=usdc.hold, collateral=hype.total, locked=D(0),
        ltv=hype.ltv, at=shown.spot.at,
    )  # fmt: skip


def borrowers_judgement(shown: States, **options) -> tuple[Judgement, dict[tuple, Comparison]]:
    price = implied_in_september(shown)["hold of USDC"]
    picture = shown.picture().with_price(UBTC, price)
    picture = picture.with_price(USDT0, Input(D(1), "implied by the cap alone counting"))
    margin = judge(picture, (to_scale(shown),), **options)
    return margin.judgements[0], beside(margin.judgements[0], picture, shown)


def beside(judgement: Judgement, picture, shown: States) -> dict[tuple, Comparison]:
    found = compare(judgement, picture, spot=shown.spot, perps=shown.perps, lending=shown.lending)
    return {(each.name, each.of): each for each in found}


def judged(shown: States, price: Input | None = None) -> tuple[Judgement, dict[tuple, Comparison]]:
    picture = shown.picture()
    if price is not None:
        picture = picture.with_price(HYPE, price)
    margin = judge(picture)
    assert 1 == len(margin.judgements)
    return margin.judgements[0], beside(margin.judgements[0], picture, shown)


def shown_as(residual: D) -> str:
    return canonical(round_half_even(residual, 12))
