"""Margin of recorded accounts: what the rules make of recorded inputs, beside the venue's figures.

A figure is *predicted* when its inputs were recorded for themselves, *consistent* when one of them
(the collateral's price) is implied by another field of the same answer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.money import canonical, divide_half_even, exact, round_half_even
from ledger.units import Millis
from projections.arithmetic import EXACT
from projections.margin import Input, judge
from projections.rulebooks import formulas
from projections.rulebooks.base import HYPE, UBTC, USDC, USDT0
from tests.support.recorded_margin import (
    HEDGER,
    IDLE,
    SHORT,
    D,
    beside,
    borrowers_judgement,
    implied_in_march,
    implied_in_september,
    judged,
    shown_as,
    to_scale,
)
from tests.support.states import States, read, states

pytestmark = pytest.mark.recorded


# ------------------------------------------------------------------------- §1.3, §1.4


def test_the_ratio_of_the_borrower_is_reproduced_to_ten_digits(borrower: States, figure):
    judgement, against = borrowers_judgement(borrower)
    found = against["margin ratio", "USDC"]
    assert "consistent" == found.grade
    assert borrower.spot.margin_ratio == round_half_even(judgement.ratio.value, 10)
    assert D("0.0342302364") == borrower.spot.margin_ratio
    assert "729073.42771" == canonical(
        round_half_even(judgement.token(USDC).liquidation_value.value, 5)
    )
    figure(
        line="3-1",
        text="PM ratio of the borrower, 10 digits (consistent)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_three_fields_of_one_answer_imply_one_price(borrower: States, figure):
    prices = implied_in_september(borrower)
    expected = {
        "available": "78316.63799982",
        "hold of UBTC": "78316.63802004",
        "hold of USDC": "78316.63799995",
    }
    assert expected == {
        name: canonical(round_half_even(price.value, 8)) for name, price in prices.items()
    }
    values = [price.value for price in prices.values()]
    assert max(values) - min(values) < D("2.1e-5")
    figure(
        line="3-1",
        text="price implied by three fields of the borrower (consistent)",
        value=f"spread {shown_as(max(values) - min(values))}",
    )


def test_what_the_hedger_has_available_is_consistent_with_the_price_its_hold_implies(
    march: dict[str, States], figure
):
    shown = march[HEDGER]
    price = implied_in_march(shown)
    assert "36.382" == canonical(round_half_even(price.value, 7))
    judgement, against = judged(shown, price)
    found = against["available after maintenance", "USDC"]
    assert "consistent" == found.grade
    assert abs(found.residual) <= D("1e-7")
    token = judgement.token(USDC)
    assert "8760.9409" == canonical(round_half_even(token.liquidation_value.value, 4))
    assert "0.018280137" == canonical(round_half_even(judgement.ratio.value, 10))
    figure(
        line="3-1",
        text="0xfc8b available in USDC, price implied by hold (consistent)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_at_the_price_as_quoted_the_hedgers_available_leaves_5e_8(march: dict[str, States], figure):
    price = Input(D("36.382"), "implied by hold of USDC, to the tick")
    _, against = judged(march[HEDGER], price)
    usdc = against["available after maintenance", "USDC"]
    usdh = against["available after maintenance", "USDH"]
    assert abs(usdc.residual) <= D("5.1e-8")
    assert abs(usdh.residual) <= D("6e-8")
    assert "8201.490661" == canonical(round_half_even(usdh.ours.value, 6))
    assert {"consistent"} == {usdc.grade, usdh.grade}
    figure(
        line="3-1",
        text="0xfc8b available at 36.382: USDC, USDH (consistent)",
        value=f"residuals {shown_as(usdc.residual)}, {shown_as(usdh.residual)}",
    )


def test_with_the_recorded_price_the_hedgers_available_is_predicted_to_0_45(
    march: dict[str, States], figure
):
    """The reserve's price was recorded a minute later, one tick off the one the hold implies."""
    _, against = judged(march[HEDGER])
    found = against["available after maintenance", "USDC"]
    assert "predicted" == found.grade
    assert "-0.45" == canonical(round_half_even(found.residual, 4))
    figure(
        line="3-1",
        text="0xfc8b available with the recorded price (predicted)",
        value=f"residual {shown_as(found.residual)} USDC",
    )


def test_what_the_short_has_available_is_predicted_to_5e_6(march: dict[str, States], figure):
    _, against = judged(march[SHORT])
    found = against["available after maintenance", "USDC"]
    assert "predicted" == found.grade
    assert abs(found.residual) <= D("5e-6")
    figure(
        line="3-1",
        text="0xb1c4 available in USDC (predicted)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_the_short_s_collateral_counts_three_quarters(march: dict[str, States]):
    judgement, _ = judged(march[SHORT])
    counted = judgement.token(HYPE).collateral.value
    assert abs(counted - D("1.68149615")) < D("5e-6")


def test_tokens_not_supplied_are_no_collateral(march: dict[str, States], figure):
    judgement, against = judged(march[IDLE])
    found = against["available after maintenance", "USDC"]
    assert D(0) == found.residual
    assert D("0.00000261") == found.venue
    assert judgement.token(HYPE).collateral is None
    figure(
        line="3-1",
        text="0xdc00: HYPE not supplied counts nothing (predicted)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_caps_are_used_as_the_venue_says(borrower: States, figure):
    _, against = borrowers_judgement(borrower)
    borrowed, supplied = against["use of borrow cap", "USDC"], against["use of supply cap", "UBTC"]
    assert (D("0.0001721778"), D("0.0999997175")) == (borrowed.venue, supplied.venue)
    assert (0, 0) == (borrowed.residual, supplied.residual)
    with exact():
        assert D("0.0001721778") == formulas.cap_use(EXACT, D("8608.8885677"), D(50_000_000))
        assert D("0.0261872446") == formulas.cap_use(EXACT, D("26187.2446"), D(1_000_000))
    figure(
        line="3-1",
        text="use of borrow and supply caps, 10 digits (caps to scale)",
        value="residuals 0, 0",
    )


def test_the_cap_of_a_million_limits_what_is_available_in_usdt(borrower: States):
    judgement, against = borrowers_judgement(borrower)
    assert D(0) == against["available after maintenance", "USDT0"].residual
    assert (
        judgement.token(USDT0).available.value
        == to_scale(borrower).tokens[USDT0].user_borrow_cap.value
    )


def test_the_health_factor_uses_the_gross_debt(borrower: States, figure):
    """The factor was asked for at another second than the spot state: the price it implies lies
    within half a USDC of the mark of the perpetual, 4e-4 from the price the holds imply."""
    loan = next(each for each in borrower.lending.loans if each.token == 0)
    btc = borrower.row("UBTC")
    with exact():
        implied = EXACT.ratio(
            borrower.lending.health_factor * loan.borrow_value, btc.supplied * btc.ltv
        )
        again = formulas.health_factor(
            EXACT, formulas.borrowing_power(EXACT, btc.supplied, implied, btc.ltv),
            loan.borrow_value,
        )  # fmt: skip
    assert "78346.63" == canonical(round_half_even(implied, 2))
    assert abs(implied - 78347) < D("0.5")
    assert borrower.lending.health_factor == round_half_even(again, 10)
    judgement, against = borrowers_judgement(borrower)
    assert abs(against["health factor", ""].residual) < D("0.04")
    assert judgement.debt.value == D("4466.517471414")
    figure(
        line="3-1",
        text="health factor of the borrower, price implied (consistent)",
        value=f"{canonical(round_half_even(implied, 2))} against a mark of 78347",
    )


def test_twenty_usdc_on_top_do_not_fit_what_is_recorded(borrower: States, figure):
    judgement, _ = borrowers_judgement(borrower, readings=("offset:always",))
    ratio = round_half_even(judgement.ratio.value, 8)
    assert D("0.03425767") == ratio
    assert ratio != round_half_even(borrower.spot.margin_ratio, 8)
    observed = judgement.ratio_observed
    documented = judgement.ratio_documented
    assert ("confirmed", "documented") == (observed.status, documented.status)
    assert borrower.spot.margin_ratio == round_half_even(observed.value, 10)
    assert "0.0403839615" == canonical(round_half_even(documented.value, 10))
    figure(
        line="3-3",
        text="ratio with the 20 USDC and gross debt of the page, and as observed",
        value=f"{documented.value:.10f} and {borrower.spot.margin_ratio}",
    )


def test_a_third_account_s_ratio_has_nine_digits(recorded: Path, figure):
    """Its positions were trimmed to sizes: its maintenance is the venue's own total."""
    shown = states(read(recorded / "jkorf" / "GetSubAccounts2.txt", Millis(1_784_400_625_798)),
                   )  # fmt: skip
    judgement, against = judged(shown)
    found = against["margin ratio", "USDC"]
    assert "consistent" == found.grade
    assert D("0.025841686") == shown.spot.margin_ratio
    assert shown.spot.margin_ratio == round_half_even(judgement.ratio.value, 9)
    assert abs(against["available after maintenance", "USDC"].residual) <= D("8e-8")
    with_offset = judge(shown.picture(), readings=("offset:always",)).judgements[0]
    assert "0.0482" == canonical(round_half_even(with_offset.ratio.value, 4))
    figure(
        line="3-1",
        text="ratio of the account of 2026-07-18, 9 digits (consistent)",
        value=f"residual {shown_as(found.residual)}",
    )


# ------------------------------------------------------------------------- §1.5


def test_holds_are_reconstructed(borrower: States, march: dict[str, States], figure):
    """The borrower: a tenth of the notional, less its USDC, is locked in bitcoin."""
    judgement, _ = borrowers_judgement(borrower)
    usdc, btc = judgement.token(USDC), judgement.token(UBTC)
    assert borrower.row("UBTC").hold == round_half_even(btc.locked.value, 10)
    exchange = judgement.exchange(borrower.perps[0].dex)
    with exact():
        need = exchange.transfer_requirement.value - usdc.net.value
    assert "5531.9768" == canonical(round_half_even(need, 4))
    price = implied_in_september(borrower)["hold of UBTC"].value
    with exact():
        usable = (btc.net.value - borrower.row("UBTC").hold) * price * D("0.5")
        hold = borrower.row("USDC").spot_hold - usable
    assert abs(hold - borrower.row("USDC").hold) < D("2e-4")
    with exact():
        dollars = march[HEDGER].row("HYPE").total * D("36.382") * D("0.5")
    assert D("5457.3") == dollars
    figure(
        line="3-1",
        text="hold of UBTC, 10 places (consistent)",
        value=f"residual {shown_as(btc.locked.value - borrower.row('UBTC').hold)}",
    )


# ------------------------------------------------------------------------- §1.8


def test_a_unified_account_is_exact_but_for_the_publisher_s_rounding(unified: States, figure):
    picture = unified.picture()
    judgement = judge(picture).judgements[0]
    against = beside(judgement, picture, unified)
    available = against["available after maintenance", "USDC"]
    assert abs(available.residual) <= D("1e-9")
    assert D("1338956.5333880341") == available.venue
    row, position = unified.row("USDC"), unified.position("BTC")
    with exact():
        free = formulas.unified_available(EXACT, row.total, D(0), position.margin_used)
    assert available.venue == free
    price = against["liquidation price", "BTC"]
    assert divide_half_even(abs(price.residual), price.venue, 15) < D("1e-11")
    assert False is judgement.liquidatable
    figure(
        line="3-1",
        text="unified account, available; isolated liquidation price (predicted)",
        value=f"residuals {shown_as(available.residual)}, {shown_as(price.residual)}",
    )
