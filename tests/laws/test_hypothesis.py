"""Law 8: a what-if equals a book in which the hypothesis had been recorded."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import encode, event_id
from ledger.entries import AsOf
from ledger.events import Filled, FundingPaid
from ledger.timeline import entry
from ledger.timeline.course import HYPOTHETICAL
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    cut_histories,
    deposited,
    filled,
    part,
    replaced,
)
from tests.support.shelf import Shelf


@st.composite
def supposed(draw, history):
    """Insertions and corrections, also of each other, in some order."""
    targets = list(history)
    result = []
    for number in range(draw(st.integers(1, 6))):
        target = draw(st.sampled_from(targets))
        match draw(st.sampled_from(("annul", "replace", "insert", "repeat"))):
            case "annul":
                act = annulled(target, target=event_id(target), occurrence=number)
            case "replace":
                by = target
                if isinstance(target, Filled):
                    by = attrs.evolve(
                        target,
                        px=Decimal(number),
                        tid=draw(st.sampled_from((target.tid, 500 + number))),
                        at=target.at + draw(st.sampled_from((0, 0, 1))),
                    )
                elif isinstance(target, FundingPaid):
                    by = attrs.evolve(target, usdc=Decimal(number))
                act = replaced(target, target=event_id(target), by=encode(by))
            case "insert":
                act = filled(target.at, 1000 + number, start=draw(st.sampled_from((None, 0, 1))))
            case _:
                act = target
        result.append(act)
        targets.append(act)
    return tuple(result)


@given(cut=cut_histories(12), data=st.data())
def test_a_hypothesis_equals_a_book_that_had_recorded_it(cut, data):
    history, parts = cut
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    hypotheses = data.draw(supposed(history))
    at = data.draw(st.sampled_from((None, history[len(history) // 2].at)))
    as_of = AsOf(effective=at)
    what_if = shelf.digest(STREAM, as_of, hypotheses)
    disagreements = shelf.course(STREAM, as_of, hypotheses).disagreements
    shelf.act(*hypotheses)
    assert shelf.digest(STREAM, as_of) == what_if
    assert shelf.course(STREAM, as_of).disagreements == disagreements


@given(cut=cut_histories(12), data=st.data())
def test_a_hypothesis_leaves_nothing_behind(cut, data):
    history, parts = cut
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    before, position = shelf.digest(STREAM), shelf.position
    shelf.digest(STREAM, None, data.draw(supposed(history)))
    assert before == shelf.digest(STREAM)
    assert position == shelf.position


def test_what_a_hypothesis_puts_in_has_no_position():
    shelf = Shelf()
    shelf.append(part([filled(START, 1)]))
    course = shelf.course(STREAM, None, (deposited(START + 1, 5),))
    inserted = entry(course, 1, shelf.batch_of(STREAM))
    assert HYPOTHETICAL == inserted.position
    assert deposited(START + 1, 5) == inserted.event
    assert "person" == inserted.source


def test_a_hypothesis_about_an_account_without_records_stands_alone():
    assert [deposited(START, 5)] == Shelf().events(STREAM, None, (deposited(START, 5),))
