"""What is taken to have happened where an opening is attested, and what ends it."""

from __future__ import annotations

from ledger.codec import encode, event_id
from ledger.entries import AsOf
from ledger.events import Noted, Opened
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    deposited,
    filled,
    funded,
    part,
    replaced,
    web,
)
from tests.support.shelf import Shelf, reasons, shelf_of

HOUR = 3_600_000
SECOND = START - START % HOUR + HOUR


def opened(at):
    return Opened(
        stream=STREAM, at=at, balances=(), positions=(), author="auditor", source="statement"
    )


def test_an_opening_holds_while_no_older_fill_is_recorded():
    shelf = shelf_of(part([filled(START, 1)]))
    shelf.act(opened(START))
    assert [opened(START), filled(START, 1)] == shelf.events(STREAM)


def test_an_opening_gives_way_to_older_fills_and_returns_when_that_is_annulled():
    shelf = shelf_of(part([filled(START, 1)]))
    shelf.act(opened(START))
    older = filled(START - 1, 2)
    shelf.append(part([older]))
    assert [older, filled(START, 1)] == shelf.events(STREAM)
    assert ["older history recorded"] == reasons(shelf)
    shelf.act(annulled(older, target=event_id(older)))
    assert [opened(START), filled(START, 1)] == shelf.events(STREAM)


def test_older_transfers_and_funding_do_not_end_an_opening():
    older = [deposited(START - 9, 5), funded(START - 5)]
    shelf = shelf_of(part(older), part([filled(START + 1, 1)]))
    shelf.act(opened(START))
    assert [*older, opened(START), filled(START + 1, 1)] == shelf.events(STREAM)
    assert [] == reasons(shelf)


def test_a_fill_of_a_web_export_ends_an_opening_too():
    older = web(filled(SECOND, 1))
    shelf = shelf_of(part([older], source="web"))
    shelf.act(opened(SECOND + 5000))
    assert [older] == shelf.events(STREAM)
    assert ["older history recorded"] == reasons(shelf)


def test_a_remark_is_no_history():
    shelf = Shelf()
    remark = Noted(stream=STREAM, at=START - 5, author="auditor", text="begins here")
    shelf.act(remark, opened(START))
    assert [remark, opened(START)] == shelf.events(STREAM)


def test_a_fill_that_was_moved_before_an_opening_ends_it():
    later, older = filled(START + 1, 1), filled(START - 1, 1)
    shelf = shelf_of(part([later]))
    shelf.act(opened(START))
    shelf.act(replaced(later, target=event_id(later), by=encode(older)))
    assert [older] == shelf.events(STREAM)


def test_of_two_openings_the_earlier_holds():
    shelf = Shelf()
    shelf.act(opened(START + 5))
    shelf.act(opened(START))
    assert [opened(START)] == shelf.events(STREAM)


def test_what_was_known_before_older_fills_still_rests_on_the_opening():
    shelf = Shelf()
    shelf.act(opened(START))
    shelf.append(part([filled(START - 1, 1)]))
    assert [opened(START)] == shelf.events(STREAM, AsOf(position=1))
