"""Worked figures of the venue that stand alone: fees, funding, commission, an hour of interest."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.money import canonical, exact, round_down, round_half_even
from projections.arithmetic import EXACT
from projections.checks.funding import hourly_rate
from projections.rulebooks import formulas

D = Decimal


@pytest.mark.parametrize(
    ("px", "sz", "rate", "fee"),
    [
        ("25372.0", "0.0353", "0.00003", "0.026868"),
        ("66653", "0.001", "0.00015", "0.009997"),
        ("66.362", "1.911", "0.00003", "0.003804"),
    ],
)
def test_recorded_fees_are_cut_off_at_six_places(px: str, sz: str, rate: str, fee: str):
    with exact():
        assert D(fee) == round_down(D(px) * D(sz) * D(rate), 6)


def test_the_deployer_s_half_of_a_recorded_fee():
    with exact():
        assert D("0.001902") == D("0.003804") * D("0.5")


def test_a_spot_buy_s_fee_is_a_unit_below_the_decimal_product():
    """1.267 × 0.0007 = 0.0008869; recorded 0.00088689: the fee stays the record's."""
    with exact():
        assert D("0.00000001") == round_down(D("1.267") * D("0.0007"), 8) - D("0.00088689")


def test_a_recorded_funding_payment_is_cut_off():
    with exact():
        assert D("2.378343") == round_down(D(15) * D("25369.0") * D("0.00000625"), 6)


def test_a_recorded_commission_is_a_tenth_of_the_gain_cut_off():
    with exact():
        commission = round_down((D(310) - D("156.636333")) * D("0.1"), 6)
        assert (D("15.336366"), D("294.663634")) == (commission, D(310) - commission)


def test_the_documented_funding_example():
    """A premium of 1 %: 0.95 % in eight hours, 0.11875 % an hour."""
    with exact():
        assert D("0.0011875") == hourly_rate(D("0.01"))
        assert D("0.0095") == hourly_rate(D("0.01")) * 8


def test_an_hour_on_100_000_at_five_percent(figure):
    with exact():
        continuous = formulas.grown(EXACT, D(100_000), D("0.05"), D(3_600_000), 10) - 100_000
        simple = EXACT.ratio(D(5000), D(8760))
    assert ("0.570778", "0.570776") == tuple(
        canonical(round_half_even(each, 6)) for each in (continuous, simple)
    )
    figure(
        line="3-1",
        text="an hour of 5 % on 100000: continuous, simple",
        value=f"{round_half_even(continuous, 6)}, {round_half_even(simple, 6)}",
    )
