"""Law 6: as-of never looks ahead on either axis."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import event_id
from ledger.entries import AsOf
from tests.support.histories import START, STREAM, annulled, cut_histories, filled, part
from tests.support.shelf import Shelf


@given(cut=cut_histories(), data=st.data())
def test_later_records_do_not_change_what_was_known_before(cut, data):
    history, parts = cut
    shelf = Shelf()
    known = {}
    for one in parts:
        shelf.append(one)
        known[shelf.position] = shelf.digest(STREAM)
        if data.draw(st.booleans()):
            target = data.draw(st.sampled_from(history))
            shelf.act(annulled(target, target=event_id(target)))
            known[shelf.position] = shelf.digest(STREAM)
    for position, digest in known.items():
        assert digest == shelf.digest(STREAM, AsOf(position=position))


@given(cut=cut_histories(), data=st.data())
def test_an_earlier_instant_shows_the_beginning_of_the_whole_course(cut, data):
    history, parts = cut
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    target = data.draw(st.sampled_from(history))
    shelf.act(annulled(target, target=event_id(target)))
    whole = shelf.events(STREAM)
    at = data.draw(st.integers(START - 1, history[-1].at + 1))
    course = shelf.course(STREAM, AsOf(effective=at))
    assert [event for event in whole if event.at <= at] == shelf.events(STREAM, AsOf(effective=at))
    assert course.count == shelf.course(STREAM).through(at, shelf.batch_of(STREAM))
    assert all(aside.at <= at for aside in course.set_aside)


def test_both_limits_belong_to_the_answer():
    shelf = Shelf()
    first, second = filled(START, 1), filled(START + 1, 2)
    shelf.append(part([first, second]))
    assert [first] == shelf.events(STREAM, AsOf(effective=START))
    assert [first, second] == shelf.events(STREAM, AsOf(effective=START + 1, position=1))
    assert [] == shelf.events(STREAM, AsOf(position=0))


def test_what_was_believed_then_and_what_is_known_now_differ_by_one_field():
    shelf = Shelf()
    wrong, right = filled(START, 1), filled(START + 5, 2)
    shelf.append(part([wrong]))
    believed = shelf.position
    shelf.append(part([right]))
    shelf.act(annulled(wrong, target=event_id(wrong)))
    assert [wrong] == shelf.events(STREAM, AsOf(effective=START + 9, position=believed))
    assert [right] == shelf.events(STREAM, AsOf(effective=START + 9))
