"""Law 3: any order of imports, and any way of cutting them, gives the same timeline."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import encode
from tests.support.histories import STREAM, answers, cut_histories, histories, part
from tests.support.shelf import Shelf


def shelf_of(parts):
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    return shelf


@given(cut=cut_histories(), random=st.randoms(use_true_random=False))
def test_any_order_of_imports_gives_the_same_timeline(cut, random):
    _, parts = cut
    other = list(parts)
    random.shuffle(other)
    assert shelf_of(parts).digest(STREAM) == shelf_of(other).digest(STREAM)


@given(cut=cut_histories(), random=st.randoms(use_true_random=False))
def test_answers_in_one_record_give_the_same_timeline_as_records_of_their_own(cut, random):
    _, parts = cut
    other = list(parts)
    random.shuffle(other)
    together = Shelf()
    together.append(*other)
    assert shelf_of(parts).digest(STREAM) == together.digest(STREAM)


@given(history=histories())
def test_a_history_in_one_answer_keeps_its_order(history):
    assert list(history) == shelf_of([part(history)]).events(STREAM)


@given(cut=cut_histories())
def test_every_event_of_the_history_is_there_once_whatever_the_cuts(cut):
    history, parts = cut
    shown = shelf_of(parts).events(STREAM)
    assert sorted(map(encode, history)) == sorted(map(encode, shown))
    assert sorted(event.at for event in history) == [event.at for event in shown]


@given(history=histories(), data=st.data(), random=st.randoms(use_true_random=False))
def test_pages_that_overlap_by_one_event_tell_the_whole_order(history, data, random):
    cuts = sorted(
        data.draw(st.sets(st.integers(0, len(history) - 1), max_size=5)) | {0, len(history) - 1}
    )
    pages = [part(history[a : b + 1]) for a, b in itertools.pairwise(cuts)]
    pages = pages or [part(history)]
    random.shuffle(pages)
    assert list(history) == shelf_of(pages).events(STREAM)


@given(history=histories(), data=st.data(), random=st.randoms(use_true_random=False))
def test_contradictory_orders_give_one_result_in_any_order_of_imports(history, data, random):
    parts = list(data.draw(answers(history)))
    liar = data.draw(st.permutations(history))
    parts.append(part(sorted(liar, key=lambda event: event.at)))
    first = shelf_of(parts)
    random.shuffle(parts)
    second = shelf_of(parts)
    assert first.digest(STREAM) == second.digest(STREAM)
    assert first.course(STREAM).disagreements == second.course(STREAM).disagreements
