"""What tokens cost stays with them, whatever else moves."""

from __future__ import annotations

from projections.steps import outflow_step


def test_a_transfer_of_nothing_leaves_the_cost_alone():
    """Every transfer may carry a fee in HYPE, and mostly that fee is zero."""
    assert 1_000 == outflow_step(30, 1_000, out=0)


def test_tokens_that_leave_take_their_share_of_the_cost():
    assert 666 == outflow_step(30, 1_000, out=10)
    assert 0 == outflow_step(30, 1_000, out=30)


def test_more_than_is_held_leaves_no_cost():
    assert 0 == outflow_step(30, 1_000, out=31)
    assert 0 == outflow_step(0, 0, out=0)
