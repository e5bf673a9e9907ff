"""Shares of causes: how a walk through stages becomes what each step did to a figure."""

from __future__ import annotations

from decimal import Decimal

from projections.beliefs import (
    NONE,
    UNKNOWN,
    Cause,
    Figures,
    Stage,
    decomposed,
    figures,
    named,
)
from projections.fold import fold
from tests.support.histories import START, deposited, filled

SIZE = "balance perp USDC"
ENTRY = "position BTC entry"


def stages(name, *values, stopped=()):
    """Return the stages of one figure, the causes numbered from 1."""
    return [
        Stage(
            cause=Cause(kind="new events", text=f"step {number}", position=number),
            figures=Figures(values={} if value is None else {name: value}, stopped=stopped),
        )
        for number, value in enumerate(values, 1)
    ]


def of(name, first, *values):
    start = Figures(values={} if first is None else {name: first})
    (change,) = decomposed(start, stages(name, *values))
    return change


def told(change):
    return [
        (tuple(cause.position for cause in share.causes), share.amount) for share in change.shares
    ]


def test_every_step_that_moves_a_number_is_a_share_of_its_own():
    change = of(SIZE, Decimal(1), Decimal(3), Decimal(3), Decimal("0.5"))
    assert [((1,), Decimal(2)), ((3,), Decimal("-2.5"))] == told(change)
    assert Decimal("-0.5") == change.difference


def test_a_figure_nobody_names_is_zero():
    change = of(SIZE, None, Decimal(3), None)
    assert [((1,), Decimal(3)), ((2,), Decimal(-3))] == told(change)
    assert (Decimal(0), Decimal(0), Decimal(0)) == (change.before, change.after, change.difference)


def test_steps_between_which_a_figure_is_unknown_are_one_share():
    change = of(SIZE, Decimal(1), Decimal(2), UNKNOWN, UNKNOWN, Decimal(5), Decimal(6))
    assert [((1,), Decimal(1)), ((2, 3, 4), Decimal(3)), ((5,), Decimal(1))] == told(change)
    assert Decimal(5) == change.difference


def test_what_is_unknown_at_one_end_has_no_difference():
    change = of(SIZE, UNKNOWN, Decimal(2), Decimal(3))
    assert [((1,), None), ((2,), Decimal(1))] == told(change)
    assert change.difference is None
    lost = of(SIZE, Decimal(2), Decimal(3), UNKNOWN)
    assert [((1,), Decimal(1)), ((2,), None)] == told(lost)
    assert change.difference is lost.difference is None


def test_what_stays_unknown_has_no_cause():
    assert [] == told(of(SIZE, UNKNOWN, UNKNOWN, UNKNOWN))


def test_an_entry_that_is_not_there_waits_for_the_step_that_brings_it():
    change = of(ENTRY, None, None, None, Decimal(7))
    assert NONE == change.before
    assert [((3,), None)] == told(change)


def test_an_entry_that_was_gone_in_between_names_both_steps_and_their_sum():
    change = of(ENTRY, Decimal(7), None, None, Decimal(9))
    assert [((1, 3), Decimal(2))] == told(change)


def test_figures_of_a_projection_that_stopped_are_unknown():
    known = Figures(values={SIZE: Decimal(3)})
    lost = stages(SIZE, None, stopped=("balance",))
    (change,) = decomposed(known, lost)
    assert UNKNOWN == change.after
    assert change.difference is None


def test_shares_are_summed_by_kind_in_a_settled_order():
    first = Figures(values={SIZE: Decimal(1)})
    walk = stages(SIZE, Decimal(2), Decimal(4))
    code = Stage(
        cause=Cause(kind="code", text="otherwise"), figures=Figures(values={SIZE: Decimal(9)})
    )
    (change,) = decomposed(first, [*walk, code])
    assert (("code", Decimal(5)), ("new events", Decimal(3))) == change.by_kind


def test_figures_have_the_names_people_ask_for():
    at = START
    states = fold([deposited(at, 5), filled(at + 1, 1, sz=2, px="10", start=0)])
    found = figures(states)
    assert Decimal(-15) == found.value("balance perp USDC")
    assert Decimal(2) == found.value("position BTC size")
    assert Decimal(20) == found.value("position BTC cost")
    assert Decimal(10) == found.value("position BTC entry")
    assert Decimal(0) == found.value("position BTC result")
    assert NONE == found.value("position ETH entry")
    assert Decimal(0) == found.value("funding BTC")


def test_names_are_taken_by_whole_words():
    every = ("balance spot USDC", "balance spot USDH", "fee USDC")
    assert every == named(every, ())
    assert every[:2] == named(every, ("balance spot",))
    assert () == named(every, ("balance spot USD",))
