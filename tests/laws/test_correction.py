"""Law 7: a book with a correction equals, at today's knowledge, a book that was right at first."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import encode, event_id
from ledger.entries import AsOf
from ledger.events import Filled
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    answers,
    filled,
    histories,
    part,
    replaced,
)
from tests.support.shelf import Shelf


def shelf_of(parts):
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    return shelf


def with_wrong(parts, right, wrong):
    """Return the answers with one event misstated, or (None) left out, wherever it stands."""
    changed = []
    for one in parts:
        events = [wrong if event == right else event for event in one.events]
        changed.append(part(event for event in events if event is not None))
    return changed


def imported_around(parts, correction, data):
    """Return a shelf into which the correction was entered at some time."""
    steps = [lambda one=one: shelf.append(one) for one in parts]
    shelf = Shelf()
    when = data.draw(st.integers(0, len(steps)), label="when corrected")
    steps.insert(when, lambda: shelf.act(correction))
    for step in steps:
        step()
    return shelf


@given(history=histories(), data=st.data(), random=st.randoms(use_true_random=False))
def test_a_misstated_event_that_was_replaced_is_as_if_stated_rightly(history, data, random):
    parts = list(data.draw(answers(history)))
    right = data.draw(st.sampled_from(history))
    match right:
        case Filled():
            # The number of the trade is part of the identity, the price is not.
            wrong = attrs.evolve(
                right,
                px=Decimal(7),
                start_position=data.draw(st.sampled_from((None, Decimal(5)))),
                tid=data.draw(st.sampled_from((right.tid, 10_000))),
            )
        case _:
            wrong = attrs.evolve(right, usdc=Decimal("0.7"))
    correction = replaced(wrong, target=event_id(wrong), by=encode(right))
    shelf = imported_around(with_wrong(parts, right, wrong), correction, data)
    random.shuffle(parts)
    assert shelf_of(parts).digest(STREAM) == shelf.digest(STREAM)
    assert () == shelf.course(STREAM).disagreements
    assert 1 == len(shelf.course(STREAM).set_aside)


@given(history=histories(), data=st.data(), random=st.randoms(use_true_random=False))
def test_an_annulled_event_is_as_if_never_recorded(history, data, random):
    parts = list(data.draw(answers(history)))
    wrong = data.draw(st.sampled_from(history))
    correction = annulled(wrong, target=event_id(wrong))
    shelf = imported_around(parts, correction, data)
    never = with_wrong(parts, wrong, None)
    random.shuffle(never)
    assert shelf_of(never).digest(STREAM) == shelf.digest(STREAM)
    assert () == shelf.course(STREAM).disagreements


@given(history=histories(), data=st.data(), depth=st.integers(1, 6))
def test_annulling_annulments_takes_turns(history, data, depth):
    shelf = shelf_of(data.draw(answers(history)))
    before = shelf.digest(STREAM)
    act = annulled(target := data.draw(st.sampled_from(history)), target=event_id(target))
    shelf.act(act)
    without = shelf.digest(STREAM)
    for _ in range(depth):
        act = annulled(act, target=event_id(act))
        shelf.act(act)
    assert (before if depth % 2 else without) == shelf.digest(STREAM)


def test_a_moved_event_stands_at_its_new_moment():
    shelf = shelf_of([part([filled(START, 1), filled(START + 10, 2), filled(START + 20, 3)])])
    moved = filled(START + 15, 1)
    shelf.act(replaced(filled(START, 1), target=event_id(filled(START, 1)), by=encode(moved)))
    right = shelf_of([part([filled(START + 10, 2), moved, filled(START + 20, 3)])])
    assert right.digest(STREAM) == shelf.digest(STREAM)
    assert [] == shelf.events(STREAM, AsOf(effective=START))
