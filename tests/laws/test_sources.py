"""One fact, one event: whichever of its sources an account is imported from, it is the same.

Info answers, web exports and node files of one generated account, each covering a part of its
life, are imported in any selection that together covers it, and in any order. The oracle, which
knows nothing of sources, says what must come out.
"""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import timeline
from ledger.book import Book
from projections.fold import digest
from tests.support.route import course_in, figures, states_in, take_in, told
from tests.support.sources import selections
from tests.support.strategies import histories
from tests.support.venue import Venue

EXAMPLES = int(os.environ.get("ROLLFORWARD_EXAMPLES", "40"))


def end_of_second(at: int) -> int:
    """Return the last millisecond of a second: web exports tell no finer time."""
    return at - at % 1000 + 999


@settings(max_examples=EXAMPLES)
@given(data=st.data(), venue=histories(most=40))
def test_any_selection_of_sources_gives_the_same_account(data: st.DataObject, venue: Venue) -> None:
    book = Book.in_memory()
    take_in(book, venue.account, data.draw(selections(venue)))
    moments = [venue.began, *(row.time for row in venue.rows)]
    for at in (*data.draw(st.lists(st.sampled_from(moments), max_size=2)), venue.now):
        instant = end_of_second(at)
        assert told(venue, instant) == figures(states_in(book, venue.account, instant))


@settings(max_examples=EXAMPLES)
@given(data=st.data(), venue=histories(most=40))
def test_the_order_of_imports_leaves_no_trace(data: st.DataObject, venue: Venue) -> None:
    chosen = data.draw(selections(venue))
    digests = set()
    for order in (chosen, data.draw(st.permutations(chosen))):
        book = Book.in_memory()
        take_in(book, venue.account, order)
        course, fetch = course_in(book, venue.account)
        states = states_in(book, venue.account)
        digests.add((timeline.digest(course, fetch), digest(states)))
    assert 1 == len(digests)


@settings(max_examples=EXAMPLES)
@given(data=st.data(), venue=histories(most=40))
def test_importing_again_adds_nothing(data: st.DataObject, venue: Venue) -> None:
    chosen = data.draw(selections(venue))
    book = Book.in_memory()
    take_in(book, venue.account, chosen)
    position = book.position()
    again = take_in(book, venue.account, data.draw(st.permutations(chosen)))
    assert position == book.position()
    assert all(0 == receipt.new == receipt.conflicting for receipt in again)
