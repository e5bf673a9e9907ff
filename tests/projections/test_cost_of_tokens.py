"""What tokens cost stays with them, whatever else moves."""

from __future__ import annotations

from decimal import Decimal

from ledger.events import Opened, OpeningBalance
from ledger.money import exact
from ledger.units import Asset, Millis, Stream
from projections import positions
from projections.reference import EMPTY as NO_REFERENCE
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


def test_an_opening_holds_what_is_at_hand_and_what_is_supplied():
    opened = Opened(
        stream=Stream("account:0x00000000000000000000000000000000000000aa"),
        at=Millis(1),
        balances=(
            OpeningBalance(place="spot", asset=Asset("HYPE"), amount=Decimal("28.7837")),
            OpeningBalance(place="supplied", asset=Asset("HYPE"), amount=Decimal(280)),
        ),
        positions=(),
        author="Ada",
        source="a state",
    )
    with exact():
        state = positions.apply(positions.EMPTY, opened, NO_REFERENCE)
        held = state.by_key["spot:HYPE"]
        assert Decimal("308.7837") == positions.size(held)
    assert "attested" == held.origin
