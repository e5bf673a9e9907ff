"""Conventions: each formula on figures worked out by hand, and hours with operations."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.money import exact, ln_rounded, round_half_even, round_up
from projections.arithmetic import EXACT, Workings
from projections.conventions import (
    RULE,
    Convention,
    Factors,
    Span,
    Standing,
    changed,
    counted,
    earned_effectively,
)

D = Decimal
HOUR = 3_600_000


def interest_of(convention, value, hours=1, basis=None, rate="0.05"):
    with exact():
        start = Standing(D(value), D(basis or value))
        found = counted([Span(HOUR * hours, D(rate))], start, convention, Factors())
    assert found is not None
    return found.interest


@pytest.mark.parametrize(
    ("convention", "one_hour", "month"),
    [
        (RULE, "0.57078", "41180.45"),
        (Convention(growth="effective"), "0.55697", "40182.02"),
        (Convention(growth="simple"), "0.57078", "41095.89"),
        (Convention(growth="simple", days=360), "0.57870", "41666.67"),
    ],
    ids=lambda each: each.name if isinstance(each, Convention) else each,
)
def test_the_published_figures_of_the_conventions_are_met(convention, one_hour, month):
    """100,000 at 5 % for an hour, and 10,000,000 for 720 hours in one."""
    assert D(one_hour) == round_half_even(interest_of(convention, "100000"), 5)
    assert D(month) == round_half_even(interest_of(convention, "10000000", hours=720), 2)


def test_simple_on_the_basis_leaves_out_the_interest_that_runs():
    on_basis = Convention(growth="basis")
    simple = Convention(growth="simple")
    assert interest_of(on_basis, "110", basis="100") == interest_of(simple, "100")


def test_an_operation_inside_the_hour_counts_from_its_moment_unless_the_convention_moves_it():
    spans = [Span(HOUR // 4, D("0.05"), D(100)), Span(HOUR * 3 // 4, D("0.05"))]
    start = Standing(D(100), D(100))
    with exact():
        found = {
            moved: counted(spans, start, Convention(growth="simple", operations=moved), Factors())
            for moved in ("", "before", "after")
        }
    amounts = {moved: round_half_even(each.interest, 12) for moved, each in found.items()}
    unit = interest_of(Convention(growth="simple"), "100")
    with exact():
        assert round_half_even(unit * D("1.75"), 12) == amounts[""]
        assert round_half_even(unit * 2, 12) == amounts["before"]
        assert round_half_even(unit, 12) == amounts["after"]


def test_an_hour_without_a_rate_is_not_known_unless_nothing_stands():
    with exact():
        spans = [Span(HOUR, None)]
        assert None is counted(spans, Standing(D(100), D(100)), RULE, Factors())
        nothing = counted(spans, Standing(D(0), D(0)), RULE, Factors())
    assert nothing is not None
    assert D(0) == nothing.interest


def test_more_than_what_stands_with_its_interest_cannot_be_taken_out():
    with exact():
        spans = [Span(HOUR, D("0.05"), D(-200))]
        assert None is counted(spans, Standing(D(100), D(100)), RULE, Factors())


@pytest.mark.parametrize(
    ("paid", "due", "fits"),
    [
        ("0.57077788", "0.570777885", True),
        ("0.57077789", "0.570777885", True),
        ("0.57077787", "0.570777885", False),
        ("0.57077790", "0.570777885", False),
    ],
)
def test_the_rule_fits_with_any_rounding_at_the_eighth_place(paid, due, fits):
    assert fits == RULE.fits(D(paid), D(due))


@pytest.mark.parametrize(
    ("rounding", "paid"), [("down", "0.570777"), ("half even", "0.570778"), ("up", "0.570778")]
)
def test_a_rounding_fits_at_its_place_alone(rounding, paid):
    convention = Convention(rounding=rounding, places=6)
    with exact():
        assert convention.fits(D(paid), D("0.57077788"))
        assert not convention.fits(D("0.57077788"), D("0.57077788"))


def test_conventions_are_called_by_what_differs():
    assert "nominal continuous" == RULE.name
    assert "simple hourly, 360 days" == Convention(growth="simple", days=360).name
    account = Convention(growth="simple", days=360)
    early = Convention(growth="simple", days=360, shift=-1)
    assert "cut-off one hour early" == changed(early, account)
    assert "nominal continuous" == changed(RULE, account)


def test_a_logarithm_is_correctly_rounded_and_shows_its_workings():
    # ln 1.05 = 0.04879016416943200306537…, from tables
    assert D("0.048790164169432003065374404223") == ln_rounded(D("1.05"), 30)
    assert D(0) == ln_rounded(D(1), 30)
    workings = Workings()
    with exact():
        shown = earned_effectively(
            workings, workings.given("rate", D("0.05")), workings.given("time", D(HOUR)),
            workings.given("days", D(365)),
        )  # fmt: skip
        same = earned_effectively(EXACT, D("0.05"), D(HOUR), D(365))
    assert same == shown.value
    assert "ln(1 + rate [0.05])" in workings.steps[-1].formula


def test_rounding_up_goes_away_from_zero():
    assert (D("0.12"), D("-0.12")) == (round_up(D("0.111"), 2), round_up(D("-0.111"), 2))
