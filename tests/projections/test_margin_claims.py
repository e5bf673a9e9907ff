"""Observed pictures and claims on composed answers: what is missing, and who implied what."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.events import (
    LendingStateObserved,
    ObservedBalance,
    ObservedLoan,
    ObservedPosition,
    PerpStateObserved,
    ReserveObserved,
    SpotStateObserved,
    TokenFigure,
)
from ledger.units import Asset, Coin, Dex, Stream, reserve_stream
from projections.margin import Input, Step, Unknown, judge, observed
from projections.margin.claims import compare
from projections.reference import Reference
from projections.rulebooks.base import HYPE, USDC
from tests.support.pictures import moment

D = Decimal
AT = moment("2026-07-01")
WHO = Stream("account:0x00000000000000000000000000000000000000aa")


def spot(*balances: ObservedBalance, **changes) -> SpotStateObserved:
    empty = {
        "margin_enabled": True, "margin_ratio": None, "borrow_ratios": (), "supply_ratios": (),
        "available": (),
    }  # fmt: skip
    return SpotStateObserved(stream=WHO, at=AT, balances=balances, **{**empty, **changes})


def row(name: str, token: int, total: str, **changes) -> ObservedBalance:
    return ObservedBalance(asset=Asset(name), token=token, total=D(total), hold=D(0), **changes)


def perps(*positions: ObservedPosition, dex: str = "") -> PerpStateObserved:
    return PerpStateObserved(
        stream=WHO, at=AT, dex=Dex(dex), positions=positions, summary=None, cross=None,
        cross_maintenance=None, withdrawable=None,
    )  # fmt: skip


def test_what_an_answer_leaves_out_is_unknown_by_name():
    bare = ObservedPosition(coin=Coin("BTC"), size=D("0.5"))
    shown = observed(mode="portfolioMargin", spot=spot(row("USDC", 0, "100")), perps=(perps(bare),))
    found = shown.exchanges[0].positions[0]
    assert Unknown("mark of BTC") == found.mark
    assert Unknown("highest leverage of BTC") != found.tiers  # documented since April
    judgement = judge(shown).judgements[0]
    assert ("position value of BTC",) == judgement.ratio.missing
    assert {"raw money of main dex", "leverage of BTC"} <= set(judgement.missing)


def test_a_market_without_any_leverage_is_unknown():
    bare = ObservedPosition(coin=Coin("NEW"), size=D(1), value=D(10))
    shown = observed(mode="disabled", spot=None, perps=(perps(bare),))
    assert Unknown("highest leverage of NEW") == shown.exchanges[0].positions[0].tiers
    judgement = judge(shown).judgements[0]
    assert ("highest leverage of NEW",) == judgement.exchange(Dex("")).cross_maintenance.missing


def test_a_recorded_table_goes_before_a_documented_one():
    held = ObservedPosition(coin=Coin("BTC"), size=D(1), value=D(10), max_leverage=40)
    table = (Step(lower_bound=D(0), max_leverage=D(50)),)
    shown = observed(mode="disabled", spot=None, perps=(perps(held),), tables={Coin("BTC"): table})
    assert table == shown.exchanges[0].positions[0].tiers


def test_a_money_a_spot_state_does_not_list_is_zero_and_without_one_unknown():
    held = ObservedPosition(coin=Coin("h:OIL"), size=D(1), value=D(10), max_leverage=5)
    known = Reference(collateral={Dex("h"): Asset("USDH")})
    listed = observed(
        mode="unifiedAccount", spot=spot(row("USDC", 0, "1")), perps=(perps(held, dex="h"),),
        reference=known,
    )  # fmt: skip
    assert D(0) == listed.token(Asset("USDH")).total.value
    alone = observed(mode="unifiedAccount", spot=None, perps=(perps(held, dex="h"),))
    assert Asset("collateral of h") == alone.exchanges[0].collateral
    assert judge(alone).liquidatable is None


def test_loans_and_terms_come_from_the_state_that_says_them():
    loan = ObservedLoan(
        token=150, borrow_basis=D(0), borrow_value=D(0), supply_basis=D(9), supply_value=D(10)
    )
    lending = LendingStateObserved(
        stream=WHO, at=AT, loans=(loan,), health="healthy", health_factor=D(3)
    )
    reserve = ReserveObserved(
        stream=reserve_stream(HYPE), at=AT, asset=HYPE, token=150, borrow_rate=None,
        supply_rate=None, balance=None, utilization=None, oracle_px=D(50), ltv=D("0.5"),
        supplied=None, borrowed=None,
    )  # fmt: skip
    shown = observed(
        mode="portfolioMargin", spot=spot(row("USDC", 0, "-5"), row("HYPE", 150, "10")),
        lending=lending, reserves=(reserve,),
    )  # fmt: skip
    hype = shown.token(HYPE)
    assert (D(10), "lending state") == (hype.supplied.value, hype.supplied.source)
    assert (D("0.5"), "reserve state") == (hype.ltv.value, hype.ltv.source)
    assert Unknown("reserve of HYPE") == shown.pools[0].balance
    found = {
        each.name: each for each in compare(judge(shown).judgements[0], shown, lending=lending)
    }
    assert "unknown" == found["health factor"].grade


def test_a_comparison_is_consistent_as_soon_as_a_price_was_implied():
    said = spot(
        row("USDC", 0, "100"), row("HYPE", 150, "10", supplied=D(10), ltv=D("0.5")),
        available=(TokenFigure(token=0, value=D("475")), TokenFigure(token=999, value=D(1))),
    )  # fmt: skip
    shown = observed(mode="portfolioMargin", spot=said)
    grades = {}
    for source in ("reserve state", "implied by hold of USDC"):
        picture = shown.with_price(HYPE, Input(D(50), source, AT))
        judgement = judge(picture).judgements[0]
        for each in compare(judgement, picture, spot=said):
            if (each.name, each.of) == ("available after maintenance", "USDC"):
                grades[source] = (each.grade, each.residual)
    assert {
        "reserve state": ("predicted", 0),
        "implied by hold of USDC": ("consistent", 0),
    } == grades


def test_a_picture_needs_a_moment():
    with pytest.raises(ValueError, match="at least one state or a moment"):
        observed(mode="disabled", spot=None)
    assert AT == observed(mode="disabled", spot=None, at=AT).at
    assert (
        USDC
        == judge(observed(mode="unifiedAccount", spot=None, at=AT)).judgements[0].tokens[0].asset
    )
