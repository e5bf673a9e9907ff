"""What a reading adds to what is known."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger.codec import decode, encode, event_id, identity
from ledger.entries import BATCH_EVENTS_MAX, from_runs
from ledger.events import Contradicted, FundingRateSet, Ordered
from ledger.merge import Tally, completed, likeness, plan
from ledger.units import Coin, EventId, Stream, market_stream
from tests.support.histories import START, STREAM, annulled, covered, filled, funded, part
from tests.support.shelf import Shelf

ONE, TWO, THREE = (filled(START, number, start=number - 1) for number in (1, 2, 3))


def added(planned):
    return [decode(line) for draft in planned.drafts for line in draft.lines]


def test_new_events_come_back_as_canonical_lines_with_their_identities():
    (draft,) = Shelf().append(part([ONE, TWO])).drafts
    assert (encode(ONE), encode(TWO)) == draft.lines
    assert (identity(ONE), identity(TWO)) == draft.identities
    assert ((0, 1, 2),) == draft.rows
    assert (START, START) == (draft.first_at, draft.last_at)
    assert not draft.irregular


def test_counts_are_kept_by_kind_and_sorted():
    shelf = Shelf()
    shelf.append(part([ONE]))
    changed = attrs.evolve(TWO, px=Decimal(7))
    shelf.append(part([filled(START + 9, 4), TWO]))
    planned = shelf.append(part([ONE, changed, THREE]), part([funded(START)]))
    assert (
        ("filled/1", Tally(new=1, same=1, conflicting=1)),
        ("funding_paid/1", Tally(new=1)),
    ) == planned.tallies


def test_a_page_that_overlaps_adds_its_tail_and_the_rows_keep_their_numbers():
    shelf = Shelf()
    shelf.append(part([ONE, filled(START + 1, 2)]))
    (draft,) = shelf.append(part([filled(START + 1, 2), filled(START + 2, 3)])).drafts
    assert (encode(filled(START + 2, 3)),) == draft.lines
    assert [1] == list(from_runs(draft.rows))


def test_an_answer_out_of_order_is_sorted_by_moment_and_each_millisecond_kept():
    late, first, second = filled(START + 1, 9), filled(START, 8), filled(START, 7)
    (draft,) = Shelf().append(part([late, first, second])).drafts
    assert (encode(first), encode(second), encode(late)) == draft.lines
    assert [1, 2, 0] == list(from_runs(draft.rows))


def test_the_same_trade_twice_in_one_answer_is_one_event():
    planned = Shelf().append(part([ONE, ONE, TWO]))
    assert [ONE, TWO] == added(planned)
    assert (("filled/1", Tally(new=2, same=1)),) == planned.tallies


def test_look_alikes_with_a_counter_stay_two():
    first = filled(START, None)
    second = attrs.evolve(first, occurrence=1)
    assert [first, second] == added(Shelf().append(part([first, second], source="web")))


def test_a_second_record_that_says_otherwise_is_kept_beside_the_first():
    shelf = Shelf()
    shelf.append(part([ONE]))
    other = attrs.evolve(ONE, px=Decimal(7))
    planned = shelf.append(part([other]))
    expected = Contradicted(
        stream=STREAM, at=START, target=event_id(ONE), other=encode(other).decode()
    )
    assert [expected] == added(planned)
    assert planned.drafts[0].irregular
    assert (("filled/1", Tally(conflicting=1)),) == planned.tallies
    assert () == shelf.append(part([other])).drafts


def test_a_second_record_that_lacks_fields_adds_nothing():
    shelf = Shelf()
    shelf.append(part([attrs.evolve(ONE, cloid="0xc1")]))
    planned = shelf.append(part([ONE]))
    assert () == planned.drafts
    assert (("filled/1", Tally(same=1)),) == planned.tallies


def test_a_second_record_that_says_more_is_the_same_and_is_kept():
    shelf = Shelf()
    shelf.append(part([ONE]))
    fuller = attrs.evolve(ONE, cloid="0xc1")
    planned = shelf.append(part([fuller]))
    assert [encode(fuller).decode()] == [event.other for event in added(planned)]
    assert (("filled/1", Tally(same=1)),) == planned.tallies
    assert () == shelf.append(part([fuller])).drafts


def test_the_order_of_a_millisecond_is_kept_when_some_of_it_was_known():
    shelf = Shelf()
    shelf.append(part([TWO]))
    planned = shelf.append(part([ONE, TWO, THREE]))
    expected = Ordered(
        stream=STREAM, at=START, events=tuple(event_id(event) for event in (ONE, TWO, THREE))
    )
    assert [ONE, THREE, expected] == added(planned)


def test_an_order_that_rows_of_one_answer_show_already_is_not_repeated():
    shelf = Shelf()
    shelf.append(part([ONE, TWO, THREE]))
    assert () == shelf.append(part([ONE, THREE])).drafts


@pytest.mark.parametrize("shown", [[TWO, ONE], [THREE, TWO, ONE]])
def test_an_order_against_the_rows_of_the_answer_before_is_kept_once(shown):
    shelf = Shelf()
    shelf.append(part([ONE, TWO, THREE]))
    assert [Ordered] == [type(event) for event in added(shelf.append(part(shown)))]
    assert () == shelf.append(part(shown)).drafts


def test_parts_of_one_record_are_compared_with_each_other():
    planned = plan((part([ONE, TWO]), part([TWO, THREE], answer="[1]")), Shelf())
    assert [ONE, TWO, THREE] == [
        event for event in added(planned) if not isinstance(event, Ordered)
    ]
    assert 1 == sum(isinstance(event, Ordered) for event in added(planned))


def test_other_streams_are_not_compared():
    shelf = Shelf()
    shelf.append(part([ONE]))
    other = Stream("account:0x" + "b" * 40)
    moved = attrs.evolve(part([attrs.evolve(ONE, stream=other)]), stream=other)
    assert (("filled/1", Tally(new=1)),) == shelf.append(moved).tallies


def test_corrections_of_one_moment_say_nothing_about_order():
    shelf = Shelf()
    shelf.append(part([ONE, TWO]))
    first, second = (annulled(event, target=event_id(event)) for event in (ONE, TWO))
    shelf.act(first)
    assert [second] == added(shelf.act(first, second))


def test_batches_are_cut_between_milliseconds():
    events = [filled(START + number // 3, number + 1) for number in range(BATCH_EVENTS_MAX + 2)]
    first, second = Shelf().append(part(events)).drafts
    assert BATCH_EVENTS_MAX - BATCH_EVENTS_MAX % 3 == len(first.lines)
    assert first.last_at < second.first_at
    assert len(events) == len(first.lines) + len(second.lines)


def test_one_millisecond_is_never_cut():
    events = [filled(START, number + 1) for number in range(BATCH_EVENTS_MAX + 1)]
    shelf = Shelf()
    drafts = shelf.append(part([*events, filled(START + 1, 9_999)])).drafts
    assert [BATCH_EVENTS_MAX + 1, 1] == [len(draft.lines) for draft in drafts]
    assert () == shelf.append(part(events)).drafts


def test_coverage_stands_on_the_first_draft_only():
    claim = covered("fills", START, START + BATCH_EVENTS_MAX)
    events = [filled(START + number, number + 1) for number in range(BATCH_EVENTS_MAX + 1)]
    assert [(claim,), ()] == [
        draft.covers for draft in Shelf().append(part(events, covers=(claim,))).drafts
    ]


def test_an_answer_without_news_is_kept_where_it_covers_more():
    shelf = Shelf()
    shelf.append(part([ONE], covers=(covered("fills", START, START),)))
    wider = part([ONE], covers=(covered("fills", START - 5, START + 5),))
    (draft,) = shelf.append(wider).drafts
    assert ((), START - 5, START + 5) == (draft.lines, draft.first_at, draft.last_at)
    assert () == shelf.append(wider).drafts


def test_claims_that_join_cover_what_lies_across_them():
    shelf = Shelf()
    shelf.append(part([], covers=(covered("fills", START, START + 4),)))
    shelf.append(part([], covers=(covered("fills", START + 5, START + 9),)))
    assert () == shelf.append(part([], covers=(covered("fills", START, START + 9),))).drafts
    assert 1 == len(shelf.append(part([], covers=(covered("funding", START, START),))).drafts)


def test_what_an_export_covers_is_no_claim():
    assert () == Shelf().append(part([], source="web", covers=(covered("fills", 0, 1),))).drafts


def test_an_empty_answer_adds_nothing():
    assert () == Shelf().append(part([])).drafts


@pytest.mark.parametrize(
    ("first", "second", "like"),
    [
        (b'{"@":"k/1","a":1,"b":null}', b'{"@":"k/1","a":1,"b":null}', "same"),
        (b'{"@":"k/1","a":1,"b":2}', b'{"@":"k/1","a":1,"b":null}', "less"),
        (b'{"@":"k/1","a":1,"b":null}', b'{"@":"k/1","a":1,"b":2}', "more"),
        (b'{"@":"k/1","a":1}', b'{"@":"k/1","a":1,"b":2}', "more"),
        (b'{"@":"k/1","a":null,"b":2}', b'{"@":"k/1","a":1,"b":null}', "more"),
        (b'{"@":"k/1","a":1,"b":null}', b'{"@":"k/1","a":2,"b":2}', "other"),
    ],
)
def test_likeness_of_two_lines(first, second, like):
    assert like == likeness(first, second)


def test_a_completed_line_is_the_line_of_the_complete_event():
    left = attrs.evolve(ONE, cloid="0xc1")
    right = attrs.evolve(ONE, twap_id=5, fee=Decimal("0.5"))
    both = attrs.evolve(left, twap_id=5, fee=Decimal("0.5"))
    assert encode(both) == completed(encode(left), encode(right))
    assert encode(both) == completed(encode(right), encode(left))


def test_ids_in_an_order_are_the_identities_of_the_events():
    shelf = Shelf()
    shelf.append(part([ONE]))
    (order,) = [e for e in added(shelf.append(part([TWO, ONE]))) if isinstance(e, Ordered)]
    assert (EventId(identity(TWO).hex()), EventId(identity(ONE).hex())) == order.events


def rate(text: str, premium: str = "-0.00091334") -> FundingRateSet:
    return FundingRateSet(
        stream=market_stream(Coin("BTC")),
        at=START,
        coin=Coin("BTC"),
        rate=Decimal(text),
        premium=Decimal(premium),
    )


@pytest.mark.parametrize(
    ("first", "second", "like"),
    [
        (rate("-0.0006133368", "-0.0009133368"), rate("-0.00061334"), "less"),
        (rate("-0.00061334"), rate("-0.0006133368", "-0.0009133368"), "more"),
        (rate("-0.00061334"), rate("-0.00061335"), "other"),
        (rate("-0.0006133368"), rate("-0.0006133369"), "other"),
        (rate("-0.0006133451"), rate("-0.00061334"), "other"),
    ],
)
def test_a_rate_of_eight_places_is_the_rounded_one_and_no_contradiction(first, second, like):
    """The first hour two recordings of 2023 share, printed at eight places and at ten."""
    assert like == likeness(encode(first), encode(second))


def test_the_rate_in_full_is_in_force_whichever_record_came_first():
    full, short = rate("-0.0006133368", "-0.0009133368"), rate("-0.00061334")
    assert encode(full) == completed(encode(short), encode(full))
    assert encode(full) == completed(encode(full), encode(short))
