"""A what-if is a replay: nothing removed is byte-identical, an event removed is as if never there.

The second, naive book-keeper replays the same history without the row, and makes the payments
that hang on it anew, with fractions and by another hand. ``ROLLFORWARD_REMOVALS`` sets how many
histories are compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Literal

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import replay
from ledger.codec import event_id
from ledger.entries import AsOf
from ledger.errors import NotInForce, UnclearQuestion
from ledger.events import (
    Annulled,
    Deposited,
    Event,
    Filled,
    FundingPaid,
    InterestAccrued,
    ReserveOperated,
)
from ledger.money import exact
from ledger.units import Address, Asset, Millis, account_stream
from projections.consequences import consequences
from projections.fold import fold
from replay.dispute import suppositions as suppose
from replay.dispute.what_if import side_by_side
from replay.dispute.what_if import suppose as supposed_world
from replay.margin import Assembler, Question
from tests.support import oracle
from tests.support.margin_books import ACCOUNT, cascade
from tests.support.route import LISTED, Figures, events_of, figures, listed
from tests.support.strategies import histories
from tests.support.venue import Venue

REMOVALS = int(os.environ.get("ROLLFORWARD_REMOVALS", "60"))
REFERENCE = listed()


def as_supposed(actual: list[Event], supposed: list[Event]) -> list[Event]:
    """Return the supposed history with everything that follows put into it."""
    from ledger.codec import decode

    follows = {
        each.target: decode(each.replacement.encode())
        for each in consequences(actual, supposed, REFERENCE).events
    }
    return [follows.get(event_id(event), event) for event in supposed]


def without(venue: Venue, gone: int) -> Figures:
    """Return the naive replayer's answer."""
    rows = [(row.time, row.family, row.body) for row in venue.rows]
    answer = oracle.without(rows, gone, venue.account, LISTED)
    return Figures(
        balances={key: amount for key, amount in answer.balances.items() if amount},
        positions={
            coin: held
            for coin, held in answer.positions.items()
            if any(row[1] == "fills" and row[2]["coin"] == coin
                   for number, row in enumerate(rows) if number != gone)
        },
        fees={asset: amount for asset, amount in answer.fees.items() if amount},
        funding={coin: amount for coin, amount in answer.funding.items() if amount},
    )  # fmt: skip


def test_an_event_removed_equals_a_naive_replay_without_it(
    figure: Callable[..., None],
) -> None:
    compared = 0

    @settings(
        max_examples=REMOVALS,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(venue=histories(most=80), data=st.data())
    def compare(venue: Venue, data: st.DataObject) -> None:
        nonlocal compared
        events = events_of(venue)
        if len({event_id(event) for event in events}) < len(events):
            return  # two rows that are one fact cannot be told apart
        gone = data.draw(st.integers(0, len(events) - 1))
        kept = as_supposed(events, [each for number, each in enumerate(events) if number != gone])
        assert without(venue, gone) == figures(fold(kept, REFERENCE))
        compared += 1

    compare()
    assert compared >= REMOVALS // 2
    figure(
        line="5-4", text="an event removed equals a naive replayer", value=f"{compared} histories"
    )


@given(venue=histories(most=80))
def test_nothing_removed_has_no_consequence(venue: Venue) -> None:
    events = events_of(venue)
    assert () == consequences(events, events, REFERENCE).found


@given(venue=histories(most=60), data=st.data())
def test_a_record_put_back_leads_back(venue: Venue, data: st.DataObject) -> None:
    """What follows from removing an event, and then from adding it again, cancels out."""
    events = events_of(venue)
    gone = data.draw(st.integers(0, len(events) - 1))
    event = events[gone]
    less = [each for each in events if each is not event]
    if any(event_id(each) == event_id(event) for each in less):
        return
    there = as_supposed(events, less)
    back = as_supposed(there, [*there[:gone], event, *there[gone:]])
    with exact():
        states, again = fold(events, REFERENCE), fold(back, REFERENCE)
    perps = [key for key in states.state("positions").by_key if not key.startswith("spot:")]
    for key in perps:
        one, other = (each.state("positions").by_key[key] for each in (states, again))
        assert (one.size, one.notional, one.realized) == (
            other.size,
            other.notional,
            other.realized,
        )


def test_an_added_position_names_the_hours_nobody_paid() -> None:
    start = 1_785_600_000_000
    stream = account_stream(Address(ACCOUNT))
    paid = Deposited(stream=stream, at=Millis(start), usdc=Decimal(1000), tx_hash=None)
    late = attrs.evolve(paid, at=Millis(start + 10 * 3_600_000))
    bought = suppose.traded(
        stream, Millis(start + 1), REFERENCE_COIN, Decimal(1), Decimal(100)
    ).events[0]
    found = consequences([paid, late], [paid, bought, late], REFERENCE)
    (missing,) = found.found
    assert ("funding BTC", "not knowable") == (missing.subject, missing.how)
    assert "10 hours" in missing.text


REFERENCE_COIN = suppose.Coin("BTC")


def test_a_payment_goes_with_the_position_it_was_charged_on() -> None:
    stream = account_stream(Address(ACCOUNT))
    one = suppose.traded(stream, Millis(1), REFERENCE_COIN, Decimal(3), Decimal(100)).events[0]
    two = suppose.traded(stream, Millis(2), REFERENCE_COIN, Decimal(1), Decimal(100)).events[0]
    payment = FundingPaid(
        stream=stream, at=Millis(3_600_000), coin=REFERENCE_COIN, usdc=Decimal("-0.100001"),
        size=Decimal(4), rate=Decimal("0.00025"), samples=None, tx_hash=None,
    )  # fmt: skip
    (found,) = consequences([one, two, payment], [one, payment], REFERENCE).found
    assert found.replaced is not None
    assert '"size":"3"' in found.replaced.replacement
    assert '"usdc":"-0.075000"' in found.replaced.replacement, (
        "three quarters, cut after six places"
    )


def test_what_was_never_borrowed_bears_no_interest_when_it_is_repaid() -> None:
    stream = account_stream(Address(ACCOUNT))

    def operated(at: int, operation: Literal["borrow", "repay"], amount: int) -> ReserveOperated:
        return ReserveOperated(
            stream=stream, at=Millis(at), operation=operation, asset=Asset("USDC"),
            amount=Decimal(amount), reported_interest=None, tx_hash=None,
        )  # fmt: skip

    borrowed, more, repaid = (
        operated(1, "borrow", 10), operated(2, "borrow", 50), operated(3, "repay", 40),
    )  # fmt: skip
    row = InterestAccrued(
        stream=stream, at=Millis(3_600_000), asset=Asset("USDC"), supply=Decimal(0),
        borrow=Decimal("0.2"),
    )  # fmt: skip
    found = consequences([borrowed, more, repaid, row], [borrowed, repaid, row], REFERENCE).found
    assert {"not knowable", "recomputed"} == {each.how for each in found}
    (made,) = [each.replaced.replacement for each in found if each.replaced is not None]
    assert '"borrow":"0.00000000"' in made or '"borrow":"0"' in made


# ------------------------------------------------------------------------- through a book


def test_nothing_supposed_is_byte_identical(tmp_path: Path) -> None:
    with replay.open(cascade(tmp_path)) as audit:
        history = audit.account(ACCOUNT)
        position = audit.position()
        world = supposed_world(history, suppose.Supposition(), position=position)
        assert str(history.at()) == str(world.history.at())
        assert history.at().digest == world.history.at().digest
        assert history.at().timeline_digest == world.history.at().timeline_digest
        last = history.at().states.last_at
        assert last is not None
        found = side_by_side(history, suppose.Supposition(), last, position=position)
        assert {"unchanged"} == {row.label for row in found.rows}


def test_a_supposed_annulment_equals_a_recorded_one(tmp_path: Path) -> None:
    """What a correction says and what whoever asks supposes lead to the same timeline."""
    folder = tmp_path / "one"
    folder.mkdir()
    path = cascade(folder)
    with replay.open(path) as audit:
        history = audit.account(ACCOUNT)
        events = list(audit.engine.events(history.stream, audit.position()))
        target = next(each for each in events if isinstance(each, Deposited))
        act = Annulled(
            stream=history.stream, at=target.at, target=event_id(target), author="supposition",
            reason="supposed",
        )  # fmt: skip
        engine = audit.engine.supposing((act,))
        supposed = engine.states(history.stream, AsOf(position=audit.position())).digest
    from ledger.book import Book

    with Book.open(path, write=True) as book:
        book.act((act,), recorded=Millis(1_790_000_000_000))
    with replay.open(path) as audit:
        assert audit.account(ACCOUNT).at().digest == supposed


def test_the_book_is_not_written(tmp_path: Path) -> None:
    path = cascade(tmp_path)
    before = path.read_bytes()
    with replay.open(path, cache=False) as audit:
        history = audit.account(ACCOUNT)
        side_by_side(
            history, suppose.paid_in("500 USDC@2026-08-05T14:00Z", history, audit.position()),
            Millis(1_785_940_000_000), position=audit.position(), avoid=True,
        )  # fmt: skip
    assert before == path.read_bytes()
    assert {"x.book"} <= {each.name for each in tmp_path.iterdir()}


def test_a_question_that_cannot_be_judged_says_so_beside_the_figures(tmp_path: Path) -> None:
    with replay.open(cascade(tmp_path)) as audit:
        history = audit.account(ACCOUNT)
        found = side_by_side(
            history, suppose.Supposition(), Millis(1_785_000_000_000), position=audit.position(),
            question=Question(rulebook=None),
        )  # fmt: skip
    assert found.actual_margin is None
    assert found.margin_problem
    assert not issubclass(NotInForce, UnclearQuestion)


def test_a_position_without_its_fills_is_not_brought_back_by_a_state(tmp_path: Path) -> None:
    """States seen after them show the short of half a BTC; they are of the actual account."""
    with replay.open(cascade(tmp_path)) as audit:
        history, position = audit.account(ACCOUNT), audit.position()
        supposed = suppose.Supposition()
        for event in audit.engine.events(history.stream, position):
            if isinstance(event, Filled) and event.coin == "BTC":
                supposed |= suppose.removed(history.entry(event_id(event), position))
        world = supposed_world(history, supposed, position=position)
        at = Millis(1_785_939_000_000)
        shown = [
            {each.coin for side in of.picture(at)[0].exchanges for each in side.positions}
            for of in (Assembler(history, position, Question()), world.assembler())
        ]
    assert [{"BTC", "HYPE"}, {"HYPE"}] == shown


def test_a_position_that_only_fills_told_is_not_knowable_without_them() -> None:
    """Five were there before the first record: without the fill that says so nothing does."""
    stream = account_stream(Address(ACCOUNT))
    sold = suppose.traded(stream, Millis(1), REFERENCE_COIN, Decimal(-5), Decimal(100)).events[0]
    assert isinstance(sold, Filled)
    sold = attrs.evolve(sold, start_position=Decimal(5))
    late = Deposited(stream=stream, at=Millis(36_000_001), usdc=Decimal(1), tx_hash=None)
    found = consequences([sold, late], [late], REFERENCE)
    assert {("size BTC", "not knowable"), ("funding BTC", "not knowable")} == {
        (each.subject, each.how) for each in found.found
    }
