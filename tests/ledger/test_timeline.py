"""What is taken to have happened: how it is read, its order, and corrections."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import timeline
from ledger.codec import encode, event_id
from ledger.events import Contradicted, Noted, Ordered, Quarantined
from ledger.timeline.sheets import at_of, kind_of_line
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    deposited,
    filled,
    funded,
    histories,
    part,
    replaced,
)
from tests.support.shelf import Shelf, causes, reasons, shelf_of

HOUR = 3_600_000
SECOND = START - START % HOUR + HOUR


# Reading


def unread(version):
    raise AssertionError(f"batch {version} was read")


def test_batches_that_do_not_touch_are_taken_from_their_headers_alone():
    shelf = shelf_of(
        part([filled(START + 2, 3), filled(START + 2, 4)]),
        part([filled(START, 1), filled(START + 1, 2)]),
        part([deposited(START + 9, 1)]),
    )
    course = timeline.course(shelf.headers(STREAM), unread)
    assert [(2, 0, 2), (1, 0, 2), (3, 0, 1)] == list(course.pieces())
    assert 5 == course.count


def test_rows_of_batches_that_overlap_are_laid_side_by_side():
    shelf = shelf_of(
        part([filled(START, 1), filled(START + 1, 2), filled(START + 4, 4)]),
        part([funded(START + 2), funded(START + 3)]),
    )
    assert [(1, 0, 2), (2, 0, 2), (1, 2, 1)] == list(shelf.course(STREAM).pieces())
    assert [
        (START, START + 1),
        (START + 2, START + 3),
        (START + 4, START + 4),
    ] == [(run.first_at, run.last_at) for run in shelf.course(STREAM).runs]


def test_headers_may_come_in_any_order():
    shelf = shelf_of(part([filled(START, 1)]), part([filled(START, 2)]), part([funded(START)]))
    headers, batch_of = shelf.headers(STREAM), shelf.batch_of(STREAM)
    assert timeline.digest(timeline.course(headers, batch_of), batch_of) == timeline.digest(
        timeline.course(headers[::-1], batch_of), batch_of
    )


@given(history=histories(), start=st.integers(0, 30), length=st.integers(0, 30))
def test_a_course_is_read_from_any_ordinal(history, start, length):
    shelf = shelf_of(*(part([event], answer=str(n)) for n, event in enumerate(history)))
    shelf.act(annulled(history[0], target=event_id(history[0])))
    course, batch_of = shelf.course(STREAM), shelf.batch_of(STREAM)
    whole = list(timeline.lines(course, batch_of))
    assert whole[start : start + length] == list(
        timeline.lines(course, batch_of, start, start + length)
    )
    assert course.count == len(whole)
    for ordinal, line in enumerate(whole):
        assert line == shelf.batch(STREAM, (place := course.place(ordinal))[0]).lines[place[1]]


def test_an_ordinal_beyond_the_course_is_our_own_mistake():
    course = shelf_of(part([filled(START, 1)])).course(STREAM)
    with pytest.raises(IndexError, match="ordinal 1 is not in a course of 1 events"):
        course.place(1)


def test_an_entry_says_where_an_event_comes_from():
    shelf = shelf_of(part([filled(START, 1), filled(START + 1, 2)], answer="[3]", rows=(7, 9)))
    entry = timeline.entry(shelf.course(STREAM), 1, shelf.batch_of(STREAM))
    assert filled(START + 1, 2) == entry.event
    assert event_id(filled(START + 1, 2)) == entry.id
    assert ("[3][9]", "api", 1, 1) == (entry.place, entry.source, entry.position, entry.row)
    assert shelf.headers(STREAM)[0].record == entry.record


def test_the_entry_of_a_replacement_is_the_correction():
    wrong, right = filled(START, 1), filled(START, 1, px="7")
    shelf = shelf_of(part([wrong]))
    shelf.act(replaced(wrong, target=event_id(wrong), by=encode(right)))
    course = shelf.course(STREAM)
    entry = timeline.entry(course, 0, shelf.batch_of(STREAM))
    assert right == entry.event
    assert ("person", 2, None) == (entry.source, entry.position, entry.record)
    assert [encode(right)] == [run.line for run in course.runs]
    assert ((timeline.LITERAL, 0)) == course.place(0)


def test_a_moment_and_a_kind_are_read_from_the_line_alone():
    for event in (filled(START, 1), funded(START + 5), deposited(START + 7, 1, 'x"at":9,')):
        assert event.at == at_of(encode(event))
        assert type(event) is kind_of_line(encode(event)).event_class
    assert kind_of_line(b'{"@":"unheard_of/1","at":5,"stream":"s"}') is None


def test_an_empty_stream_has_an_empty_course():
    course = Shelf().course(STREAM)
    assert (0, (), None) == (course.count, course.runs, course.stream)
    assert 0 == course.through(START, unread)
    assert [] == list(course.pieces())


# Order


def test_funding_comes_before_the_trades_of_its_instant():
    shelf = shelf_of(part([filled(START, 1)]), part([funded(START)]), part([deposited(START, 1)]))
    assert [deposited(START, 1), funded(START), filled(START, 1)] == shelf.events(STREAM)


def test_one_answer_decides_even_against_the_rank_of_kinds():
    history = [filled(START, 1), deposited(START, 1), funded(START)]
    assert history == shelf_of(part(history)).events(STREAM)


def test_fills_of_which_nothing_is_shown_continue_the_size_before():
    # Identities alone would give another order: the size before is what decides.
    chain = [filled(START, tid, start=start) for start, tid in enumerate((8, 3, 9, 1, 5, 2))]
    shelf = shelf_of(
        *(part([event], answer=str(number)) for number, event in enumerate(chain[::-1]))
    )
    assert chain == shelf.events(STREAM)


def test_two_markets_continue_each_for_itself():
    btc = [filled(START, tid, start=n) for n, tid in enumerate((8, 3, 9))]
    eth = [filled(START, tid, start=-n, side="A", coin="ETH") for n, tid in enumerate((7, 1, 4))]
    shelf = shelf_of(*(part([event]) for event in (*btc[::-1], *eth)))
    shown = shelf.events(STREAM)
    assert btc == [event for event in shown if event.coin == "BTC"]
    assert eth == [event for event in shown if event.coin == "ETH"]


def test_contradictory_answers_are_named_and_nothing_else_is_disturbed():
    one, two, three = (filled(START, number) for number in (1, 2, 3))
    shelf = shelf_of(part([one, two, three]), part([two, one]))
    (said,) = shelf.course(STREAM).disagreements
    assert "order" == said.cause
    assert {event_id(one), event_id(two)} == set(said.events)
    assert three == shelf.events(STREAM)[-1]


def test_an_annulled_order_no_longer_counts():
    one, two = filled(START, 1), filled(START, 2)
    shelf = shelf_of(part([one, two]), part([two, one]))
    order = Ordered(stream=STREAM, at=START, events=(event_id(two), event_id(one)))
    shelf.act(annulled(order, target=event_id(order)))
    assert [one, two] == shelf.events(STREAM)
    assert [] == causes(shelf)


def test_housekeeping_never_appears():
    one, two = filled(START, 1), filled(START, 2)
    shelf = shelf_of(part([one]), part([two, one]), part([filled(START, 1, px="7")]))
    quarantined = Quarantined(
        stream=STREAM, at=START, record="r", name="n", place="[0]", reason="w", text="t"
    )
    noted = Noted(stream=STREAM, at=START, author="auditor", text="seen")
    shelf.act(annulled(two, target=event_id(two)), quarantined, noted)
    assert [one, noted] == shelf.events(STREAM)


# Corrections


def test_the_latest_correction_holds():
    event = filled(START, 1)
    first, second = filled(START, 1, px="7"), filled(START, 1, px="8")
    shelf = shelf_of(part([event]))
    shelf.act(replaced(event, target=event_id(event), by=encode(first)))
    shelf.act(replaced(event, target=event_id(event), by=encode(second)))
    assert [second] == shelf.events(STREAM)
    shelf.act(annulled(event, target=event_id(event)))
    assert [] == shelf.events(STREAM)
    assert ["annulled"] == reasons(shelf)


def test_when_the_latest_correction_is_annulled_the_one_before_holds_again():
    event, first = filled(START, 1), filled(START, 1, px="7")
    shelf = shelf_of(part([event]))
    shelf.act(replaced(event, target=event_id(event), by=encode(first)))
    last = annulled(event, target=event_id(event))
    shelf.act(last)
    shelf.act(annulled(last, target=event_id(last)))
    assert [first] == shelf.events(STREAM)


def test_what_was_put_in_place_can_be_corrected_by_its_own_name():
    event, first, second = filled(START, 1), filled(START, 2), filled(START, 2, px="8")
    shelf = shelf_of(part([event]))
    shelf.act(replaced(event, target=event_id(event), by=encode(first)))
    shelf.act(replaced(first, target=event_id(first), by=encode(second)))
    assert [second] == shelf.events(STREAM)
    shelf.act(annulled(first, target=event_id(first)))
    assert [] == shelf.events(STREAM)
    assert [] == causes(shelf)


def test_a_correction_can_be_replaced_by_another_correction():
    one, two = filled(START, 1), filled(START, 2)
    shelf = shelf_of(part([one, two]))
    wrong = annulled(one, target=event_id(one))
    shelf.act(wrong)
    right = annulled(two, target=event_id(two))
    shelf.act(replaced(wrong, target=event_id(wrong), by=encode(right)))
    assert [one] == shelf.events(STREAM)
    assert [] == causes(shelf)


def test_a_correction_may_be_known_before_its_target():
    event = filled(START, 1)
    shelf = Shelf()
    shelf.act(annulled(event, target=event_id(event)))
    assert ["unknown target"] == causes(shelf)
    shelf.append(part([event]))
    assert ([], []) == (shelf.events(STREAM), causes(shelf))


def test_replacements_in_a_circle_are_named_and_change_nothing():
    one, two = filled(START, 1), filled(START, 2)
    shelf = shelf_of(part([one, two]))
    shelf.act(replaced(one, target=event_id(one), by=encode(two)))
    shelf.act(replaced(two, target=event_id(two), by=encode(one)))
    assert [one, two] == shelf.events(STREAM)
    assert {"cycle"} == set(causes(shelf))


@pytest.mark.parametrize(
    "line",
    [
        b"no event at all",
        b'{"@":"unheard_of/1","at":5}',
        encode(attrs.evolve(filled(START, 1), stream="account:0x" + "b" * 40)),
    ],
)
def test_a_replacement_that_is_no_event_of_the_stream_changes_nothing(line):
    event = filled(START, 1)
    shelf = shelf_of(part([event]))
    shelf.act(replaced(event, target=event_id(event), by=line))
    assert [event] == shelf.events(STREAM)
    assert ["unreadable replacement"] == causes(shelf)


def test_a_replacement_that_stands_elsewhere_already_is_not_put_in_twice():
    one, two = filled(START, 1), filled(START + 1, 2)
    shelf = shelf_of(part([one, two]))
    shelf.act(replaced(one, target=event_id(one), by=encode(two)))
    assert [two] == shelf.events(STREAM)
    assert [] == causes(shelf)
    shelf.act(replaced(one, target=event_id(one), by=encode(attrs.evolve(two, px=Decimal(7)))))
    assert [two] == shelf.events(STREAM)
    assert ["doubled"] == causes(shelf)


def test_what_is_moved_before_all_time_comes_first():
    first, second = filled(START, 1), filled(START + 1, 2)
    moved = attrs.evolve(second, at=-5)
    shelf = shelf_of(
        part([first, second]),
        part([replaced(second, target=event_id(second), by=encode(moved))], source="person"),
    )
    assert [moved, first] == shelf.events(STREAM)


def test_a_long_pile_of_annulments_is_no_trouble():
    event = filled(START, 1)
    shelf = shelf_of(part([event]))
    act = event
    for _ in range(3_001):
        act = annulled(act, target=event_id(act))
        shelf.act(act)
    assert [] == shelf.events(STREAM)


def test_a_replacement_that_annuls_its_own_target_takes_it_out():
    event = filled(START, 1)
    shelf = shelf_of(part([event, filled(START, 2)]))
    itself = annulled(event, target=event_id(event))
    shelf.act(replaced(event, target=event_id(event), by=encode(itself)))
    assert [filled(START, 2)] == shelf.events(STREAM)


def test_two_events_replaced_by_the_same_one_become_one():
    one, two, right = filled(START, 1), filled(START, 2), filled(START + 1, 3)
    shelf = shelf_of(part([one, two]))
    shelf.act(*(replaced(e, target=event_id(e), by=encode(right)) for e in (one, two)))
    assert [right] == shelf.events(STREAM)
    assert ["doubled"] == causes(shelf)


# Second records of one identity


def test_a_contradiction_names_both_and_the_first_stays():
    first, second = filled(START, 1), filled(START, 1, px="7")
    shelf = shelf_of(part([first]), part([second]))
    (said,) = shelf.course(STREAM).disagreements
    assert ("contradicted", START) == (said.cause, said.at)
    assert event_id(first) == said.events[0]
    assert (encode(second).decode(),) == said.lines
    assert [first] == shelf.events(STREAM)


def test_a_correction_settles_the_contradictions_before_it():
    first, second = filled(START, 1), filled(START, 1, px="7")
    shelf = shelf_of(part([first]), part([second]))
    shelf.act(replaced(first, target=event_id(first), by=encode(second)))
    assert ([second], []) == (shelf.events(STREAM), causes(shelf))


@given(order=st.permutations(range(3)))
def test_records_that_lack_different_fields_complete_each_other(order):
    whole = filled(START, 1, cloid="0xc1", twap_id=5, fee=Decimal(1))
    lacking = [
        attrs.evolve(whole, cloid=None),
        attrs.evolve(whole, twap_id=None),
        attrs.evolve(whole, twap_id=None, fee=None),
    ]
    shelf = shelf_of(*(part([lacking[index]]) for index in order))
    assert ([whole], []) == (shelf.events(STREAM), causes(shelf))


def test_a_contradiction_of_nothing_is_named():
    event = filled(START, 1)
    said = Contradicted(
        stream=STREAM, at=START, target=event_id(event), other=encode(event).decode()
    )
    shelf = Shelf()
    shelf.act(said)
    assert ["unknown target"] == causes(shelf)


def test_lines_of_kinds_from_a_later_version_keep_a_place_of_their_own():
    shelf = shelf_of(part([filled(START, 1)]), part([filled(START, 2)]), part([funded(START)]))
    batch = shelf.batch(STREAM, 2)
    unheard = b'{"@":"unheard_of/9","at":%d,"stream":"s"}' % START
    shelf.streams[STREAM][1] = attrs.evolve(batch, lines=(unheard,))
    course = shelf.course(STREAM)
    assert [encode(funded(START)), encode(filled(START, 1)), unheard] == list(
        timeline.lines(course, shelf.batch_of(STREAM))
    )
