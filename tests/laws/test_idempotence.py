"""Law 4: importing again changes no position and no digest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import event_id
from ledger.merge import plan
from tests.support.histories import STREAM, annulled, answers, cut_histories, histories, part
from tests.support.shelf import Shelf


@given(cut=cut_histories(), random=st.randoms(use_true_random=False))
def test_importing_everything_again_in_any_order_adds_nothing(cut, random):
    _, parts = cut
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    position, digest = shelf.position, shelf.digest(STREAM)
    again = list(parts)
    random.shuffle(again)
    for one in again:
        planned = shelf.append(one)
        assert () == planned.drafts
        assert 0 == sum(tally.new + tally.conflicting for _, tally in planned.tallies)
        assert len(one.events) == sum(tally.same for _, tally in planned.tallies)
    assert position == shelf.position
    assert digest == shelf.digest(STREAM)


@given(history=histories(), data=st.data())
def test_contradictory_answers_are_recorded_once(history, data):
    liar = sorted(data.draw(st.permutations(history)), key=lambda event: event.at)
    parts = [*data.draw(answers(history)), part(liar)]
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    assert [()] * len(parts) == [plan((one,), shelf).drafts for one in parts]


@given(history=histories(), data=st.data())
def test_the_same_act_of_a_person_is_recorded_once(history, data):
    shelf = Shelf()
    shelf.append(part(history))
    target = data.draw(st.sampled_from(history))
    act = annulled(target, target=event_id(target))
    shelf.act(act)
    digest = shelf.digest(STREAM)
    assert () == shelf.act(act).drafts
    assert digest == shelf.digest(STREAM)
