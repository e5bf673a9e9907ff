"""One fact, one event: whichever of its sources an account is imported from, it is the same.

Info answers, web exports and node files of one generated account, each covering a part of its
life, are imported in any selection that together covers it, and in any order. The oracle, which
knows nothing of sources, says what must come out.
"""

from __future__ import annotations

import os
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import timeline
from ledger.book import Book
from ledger.events import Filled
from projections.fold import digest
from tests.support import venue_papers as papers
from tests.support.route import ZONE, Paper, course_in, figures, states_in, take_in, told
from tests.support.sources import selections
from tests.support.strategies import histories
from tests.support.venue import Row, Venue, history

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
def test_sources_that_meet_inside_a_second_lose_and_double_nothing(
    data: st.DataObject, venue: Venue
) -> None:
    """What is a sum is right; the order inside that second is known to nobody."""
    book = Book.in_memory()
    take_in(book, venue.account, data.draw(selections(venue, grain_ms=1)))
    instant = end_of_second(venue.now)
    expected, found = told(venue, instant), figures(states_in(book, venue.account, instant))
    assert (expected.balances, expected.fees) == (found.balances, found.fees)
    assert expected.funding == found.funding
    sizes = {coin: size for coin, (size, *_) in expected.positions.items()}
    assert sizes == {coin: size for coin, (size, *_) in found.positions.items()}


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


@settings(max_examples=max(4, EXAMPLES // 10))
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_full_pages_and_a_web_export_fit_together(data: st.DataObject, seed: int) -> None:
    """A full page breaks off inside a millisecond; the rest is on the next page, or the web's."""
    venue = history(seed, 500)
    whole = (venue.began, venue.now)
    fills = papers.rows_of(venue, "fills", *whole)
    found = [
        Paper("metadata.json", papers.metadata(venue.now)),
        Paper("pages.json", papers.fills_by_time(venue, [whole], page=500)),
        Paper("newest.json", papers.user_fills(venue, fills[-500:])),
        Paper("ledger.json", papers.ledger_pages(venue, [whole], page=500)),
        Paper("funding.json", papers.funding_pages(venue, [whole], page=500)),
        Paper("interest.json", papers.interest_pages(venue, [whole], page=500)),
    ]
    if data.draw(st.booleans()):  # the export stands in for the pages
        found[1] = Paper("trade_history.csv", papers.web_trades(venue, fills, ZONE))
    book = Book.in_memory()
    take_in(book, venue.account, data.draw(st.permutations(found)))
    instant = end_of_second(venue.now)
    assert told(venue, instant) == figures(states_in(book, venue.account, instant))


def fills_of_one_moment(least: int) -> tuple[Venue, list[Row]]:
    """Return a venue, and the fills of its account in the first crowded millisecond."""
    venue = history(1, 60)
    fills = [row for row in venue.rows if row.family == "fills"]
    for row in fills:
        together = [other for other in fills if other.time == row.time]
        if len(together) >= least:
            return venue, together
    raise LookupError(f"no millisecond with {least} fills")


def test_an_answer_of_one_millisecond_runs_the_way_its_sizes_continue() -> None:
    venue, fills = fills_of_one_moment(4)
    window = [(fills[0].time, fills[0].time)]
    digests = set()
    for newest_first in (False, True):
        book = Book.in_memory()
        text = papers.fills_by_time(venue, window, newest_first=newest_first)
        take_in(book, venue.account, [Paper("fills.json", text)])
        course, fetch = course_in(book, venue.account)
        sizes = [event.sz for event in timeline.events(course, fetch) if isinstance(event, Filled)]
        assert [Decimal(row.body["sz"]) for row in fills] == sizes
        digests.add(timeline.digest(course, fetch))
    assert 1 == len(digests)
