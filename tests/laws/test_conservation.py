"""Law 1: the postings of every event sum to zero per asset, and so do all balances."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import UnknownKind
from ledger.events import Event, Filled, Transferred, Unrecognized
from ledger.money import ZERO, exact
from ledger.units import Address, account_stream
from projections import balances
from projections.chart import IN_TRANSIT, is_own
from projections.fold import fold
from projections.postings import Posting, postings
from projections.reference import EMPTY
from tests.support.strategies import decimals, events, instances

STREAM = account_stream(Address("0x" + "a" * 40))


def sums(legs: tuple[Posting, ...]) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for leg in legs:
        totals[leg.asset] += leg.amount
    return totals


@given(event=events())
def test_the_legs_of_every_event_sum_to_zero_per_asset(event: Event) -> None:
    with exact():
        try:
            legs = postings(event, EMPTY)
        except UnknownKind:
            assert isinstance(event, Unrecognized)
            return
        assert all(total == ZERO for total in sums(legs).values())
        assert all(leg.amount for leg in legs)


@given(history=st.lists(events(), max_size=4))
def test_all_balances_of_an_asset_sum_to_zero(history: list[Event]) -> None:
    known = [event for event in history if not isinstance(event, Unrecognized)]
    state = fold(known).state(balances.NAME)
    totals: dict[str, Decimal] = defaultdict(Decimal)
    with exact():
        for (_, asset), amount in state.by_key.items():
            totals[asset] += amount
    assert all(total == ZERO for total in totals.values())


@given(event=instances(Filled), px=decimals(), sz=decimals())
def test_a_fill_with_a_price_and_a_size_always_moves_something_of_the_account(
    event: Filled, px: Decimal, sz: Decimal
) -> None:
    """So that the law does not hold because nothing ever happens."""
    event = attrs.evolve(event, px=px, sz=sz, notional=None, fee=None)
    with exact():
        own = [leg for leg in postings(event, EMPTY) if is_own(leg.place)]
    assert bool(sz) + bool(px and sz) == len(own)


@given(
    event=instances(Transferred),
    other=st.sampled_from(("b" * 40, "c" * 40)),
    sides=st.tuples(*[st.sampled_from(("spot", "perp:", "perp:xyz"))] * 2),
)
def test_the_two_sides_of_a_transfer_leave_nothing_in_transit(
    event: Transferred, other: str, sides: tuple[str, str]
) -> None:
    sender, recipient = Address("0x" + "a" * 40), Address("0x" + other)
    sent = attrs.evolve(
        event,
        stream=account_stream(sender),
        sender=sender,
        recipient=recipient,
        source=sides[0],
        target=sides[1],
    )
    received = attrs.evolve(sent, stream=account_stream(recipient))
    with exact():
        legs = postings(sent, EMPTY) + postings(received, EMPTY)
        waiting = [leg for leg in legs if leg.place.startswith(IN_TRANSIT)]
        assert len({leg.place for leg in waiting}) <= 1
        assert all(total == ZERO for total in sums(tuple(waiting)).values())
        assert bool(waiting) == bool(sums(postings(received, EMPTY)))
