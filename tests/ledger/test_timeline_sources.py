"""What is taken to have happened where a web export and the interface show the same."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import event_id
from ledger.events import Noted, Unrecognized
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    covered,
    deposited,
    filled,
    funded,
    histories,
    part,
    web,
)
from tests.support.shelf import causes, reasons, shelf_of

HOUR = 3_600_000
SECOND = START - START % HOUR + HOUR


def exported(fills):
    """The web export of fills: identical rows are told apart."""
    seen = Counter()
    rows = []
    for event in fills:
        row = web(event)
        rows.append(attrs.evolve(row, occurrence=seen[row]))
        seen[row] += 1
    return part(rows, source="web")


def only_fills(history):
    return [event for event in history if isinstance(event, type(filled(START, 1)))]


@given(history=histories(), first=st.booleans())
def test_an_export_adds_nothing_where_the_interface_covers_it(history, first):
    fills = only_fills(history)
    claim = covered("fills", START - 1_000_000, history[-1].at + 1_000_000)
    api = part(fills, covers=(claim,))
    alone = shelf_of(api)
    both = shelf_of(exported(fills), api) if first else shelf_of(api, exported(fills))
    assert alone.digest(STREAM) == both.digest(STREAM)
    assert [] == causes(both)
    assert len(fills) == len(both.course(STREAM).set_aside)


@given(history=histories(), data=st.data())
def test_what_the_interface_covers_in_part_is_there_once(history, data):
    fills = only_fills(history)
    first = data.draw(st.integers(0, len(fills)))
    last = data.draw(st.integers(first, len(fills)))
    known = fills[first:last]
    # An honest claim ends before the fills that are not in the page.
    since = fills[first - 1].at + 1 if first else START
    until = fills[last].at - 1 if last < len(fills) else history[-1].at
    covers = (covered("fills", since, until),) if since <= until else ()
    parts = data.draw(st.permutations([exported(fills), part(known, covers=covers)]))
    shelf = shelf_of(*parts)
    shown = shelf.events(STREAM)
    assert len(fills) == len(shown)
    assert sum(event.sz for event in fills) == sum(event.sz for event in shown)
    assert known == [event for event in shown if event.tid is not None]


def test_an_aggregated_row_is_explained_by_the_fills_that_add_up_to_it():
    one, two = filled(SECOND + 5, 1, sz="1", px="10"), filled(SECOND + 5, 2, sz="3", px="11")
    other = filled(SECOND + 5, 3, sz="2", px="50")
    row = web(attrs.evolve(one, sz=Decimal(4), px=Decimal("10.75")))
    shelf = shelf_of(part([row, web(other)], source="web"), part([one, other, two]))
    assert [one, other, two] == shelf.events(STREAM)
    aside = [one.by for one in shelf.course(STREAM).set_aside]
    assert {event_id(one), event_id(two)} in [set(by) for by in aside]


def test_an_average_that_does_not_fit_explains_nothing():
    one, two = filled(SECOND + 5, 1, sz="1", px="10"), filled(SECOND + 5, 2, sz="3", px="11")
    row = web(attrs.evolve(one, sz=Decimal(4), px=Decimal("10.5")))
    assert 3 == len(shelf_of(part([row], source="web"), part([one, two])).events(STREAM))


def test_a_short_average_is_exact_and_leaves_no_room():
    fills = [filled(SECOND + 5, number, sz="1", px="100") for number in (1, 2, 3)]
    for price, count in (("100", 3), ("101", 4), ("100.5", 4)):
        row = web(attrs.evolve(fills[0], sz=Decimal(3), px=Decimal(price)))
        assert count == len(shelf_of(part([row], source="web"), part(fills)).events(STREAM))


def test_a_row_of_another_fee_than_its_fills_is_a_disagreement():
    one = attrs.evolve(filled(SECOND + 5, 1), fee=Decimal("0.045"))
    two = attrs.evolve(filled(SECOND + 5, 2, px="101"), fee=Decimal("0.04545"))
    summed = attrs.evolve(one, sz=Decimal(2), px=Decimal("100.5"))
    for fee, found in (("0.09045000000000001", []), ("0.0905", ["mismatched"])):
        row = web(attrs.evolve(summed, fee=Decimal(fee)))
        shelf = shelf_of(part([row], source="web"), part([one, two]))
        assert ([one, two], found) == (shelf.events(STREAM), causes(shelf))


def test_a_covered_row_that_nothing_explains_is_a_disagreement():
    claim = covered("fills", SECOND, SECOND + 10_000)
    shelf = shelf_of(exported([filled(SECOND + 5, 1)]), part([], covers=(claim,)))
    assert ([], ["unmatched"], ["covered"]) == (shelf.events(STREAM), causes(shelf), reasons(shelf))


def test_coverage_of_one_family_says_nothing_about_another():
    claim = covered("fills", SECOND, SECOND + 10_000)
    shelf = shelf_of(part([funded(SECOND)], source="web"), part([], covers=(claim,)))
    assert [funded(SECOND)] == shelf.events(STREAM)


def test_a_second_that_is_covered_in_part_keeps_its_unexplained_rows():
    claim = covered("fills", SECOND + 500, SECOND + 10_000)
    known, unknown = filled(SECOND + 700, 1), filled(SECOND + 100, 2, px="7")
    shelf = shelf_of(exported([unknown, known]), part([known], covers=(claim,)))
    assert [web(unknown), known] == shelf.events(STREAM)
    assert [] == causes(shelf)


def test_a_row_of_the_hour_is_the_funding_some_milliseconds_later():
    paid = funded(SECOND + 66, tx_hash="0x00")
    claim = covered("funding", paid.at, paid.at)
    shelf = shelf_of(part([funded(SECOND)], source="web"), part([paid], covers=(claim,)))
    assert ([paid], []) == (shelf.events(STREAM), causes(shelf))


def test_funding_of_another_amount_is_a_disagreement():
    paid = funded(SECOND + 66, usdc="-0.7", tx_hash="0x00")
    shelf = shelf_of(part([funded(SECOND)], source="web"), part([paid]))
    assert ([paid], ["mismatched"]) == (shelf.events(STREAM), causes(shelf))


def test_funding_of_another_coin_or_hour_is_not_explained():
    rows = [funded(SECOND, coin="ETH"), funded(SECOND + HOUR)]
    paid = funded(SECOND + 66, tx_hash="0x00")
    shelf = shelf_of(part(rows, source="web"), part([paid]))
    assert [rows[0], paid, rows[1]] == shelf.events(STREAM)


def test_a_transfer_of_an_export_is_the_one_with_the_hash():
    sent, row = deposited(SECOND + 9, 5, "0x07"), deposited(SECOND, 5, None)
    other = deposited(SECOND, 6, None)
    shelf = shelf_of(part([row, other], source="web"), part([sent]))
    assert [other, sent] == shelf.events(STREAM)


def test_a_spot_pair_goes_by_its_number_or_by_its_name():
    numbered = filled(SECOND + 9, 1, coin="@107")
    named = web(attrs.evolve(numbered, coin="HYPE/USDC"))
    assert [numbered] == shelf_of(part([named], source="web"), part([numbered])).events(STREAM)


def test_a_spreadsheet_may_have_dropped_digits_and_seconds():
    minute = SECOND + 60_000
    known = filled(minute + 30_123, 1, px="2868.2853312303")
    row = attrs.evolve(web(known), at=minute, px=Decimal("2868.285331"))
    assert [known] == shelf_of(part([row], source="sheet"), part([known])).events(STREAM)


def test_an_identified_event_explains_one_row_only():
    fill = filled(SECOND + 9, 1)
    shelf = shelf_of(exported([fill, fill]), part([fill]))
    assert [fill] == [event for event in shelf.events(STREAM) if event.tid is not None]
    assert 2 == len(shelf.events(STREAM))


def test_a_row_with_milliseconds_stands_for_its_own_moment_only():
    known, row = filled(SECOND + 5, 1), attrs.evolve(web(filled(SECOND, 1)), at=SECOND + 4)
    shelf = shelf_of(part([row], source="web"), part([known]))
    assert [row, known] == shelf.events(STREAM)


def test_claims_that_join_cover_the_second_across_them():
    claims = covered("fills", SECOND, SECOND + 499), covered("fills", SECOND + 500, SECOND + 999)
    shelf = shelf_of(exported([filled(SECOND + 5, 1)]), part([], covers=claims))
    assert ["unmatched"] == causes(shelf)


def test_fills_that_follow_each_other_explain_an_aggregated_row():
    fills = [
        filled(SECOND + number, number + 1, px=str(10 + number), oid=number % 2)
        for number in range(5)
    ]
    row = attrs.evolve(web(fills[0]), sz=Decimal(3), px=Decimal(12))
    shelf = shelf_of(part([row], source="web"), part([*fills, funded(SECOND + 9)]))
    assert [*fills, funded(SECOND + 9)] == shelf.events(STREAM)


def test_a_transfer_of_another_kind_explains_nothing():
    row = Unrecognized(stream=STREAM, at=SECOND, venue_type="x", body="{}", tx_hash=None)
    sent = deposited(SECOND + 9, 5, "0x07")
    assert 2 == len(shelf_of(part([row], source="web"), part([sent])).events(STREAM))


def test_a_row_that_was_annulled_and_a_remark_are_not_weighed():
    known = filled(SECOND + 9, 1)
    remark = Noted(stream=STREAM, at=SECOND, author="auditor", text="seen")
    shelf = shelf_of(attrs.evolve(exported([known]), events=(web(known), remark), rows=(0, 1)))
    shelf.act(annulled(web(known), target=event_id(web(known))))
    shelf.append(part([known]))
    assert [remark, known] == shelf.events(STREAM)
    assert ["annulled"] == reasons(shelf)


def test_an_annulled_event_explains_no_row():
    known = filled(SECOND + 9, 1)
    shelf = shelf_of(exported([known]), part([known]))
    shelf.act(annulled(known, target=event_id(known)))
    assert [web(known)] == shelf.events(STREAM)
