"""A second, naive book-keeper agrees: with the simulated venue, and with the projections.

The venue counts whole numbers as it goes; the oracle reads the rows it reports, with fractions,
from the beginning. Neither imports our rooms. ``ROLLFORWARD_EXAMPLES`` sets how many histories
are compared.
"""

from __future__ import annotations

import copy
import os
import tempfile
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import replay
from ledger.book import Book
from ledger.codec import event_id
from ledger.events import Annulled
from ledger.units import Address, Millis, account_stream
from projections.fold import fold
from tests.support import oracle
from tests.support.route import (
    FIRST_RECORDED,
    LISTED,
    Figures,
    Paper,
    event_of,
    events_of,
    figures,
    listed,
    states_in,
    take_in,
    told,
    until,
)
from tests.support.sources import (
    api_funding,
    api_interest,
    api_ledger,
    has_rows,
    node_fills,
    node_misc,
    web_fills,
)
from tests.support.strategies import histories
from tests.support.venue import Venue, history
from tests.support.venue_papers import metadata
from tests.support.venue_rules import PERP

EXAMPLES = int(os.environ.get("ROLLFORWARD_EXAMPLES", "60"))
REFERENCE = listed()


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=120))
def test_the_oracle_arrives_where_the_venue_stands(venue: Venue) -> None:
    answer = told(venue, venue.now)
    held = {key: Fraction(units, 10**8) for key, units in venue.cash.items() if units}
    assert held == answer.balances
    for coin, position in venue.positions.items():
        if coin in answer.positions:
            size = Fraction(position.lots, 10 ** PERP[coin].places)
            result = Fraction(venue.realized[coin], 10**6)
            assert (size, position.notional, result) == answer.positions[coin]


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=120))
def test_the_venue_reports_what_the_oracle_finds(venue: Venue) -> None:
    """The reported fields are right by construction: sizes before a fill, closed results."""
    answer = oracle.Answer()
    for row in venue.rows:
        if row.family == "fills" and row.body["coin"] in LISTED.collateral:
            coin = row.body["coin"]
            before, _, result = answer.positions.get(coin, (Fraction(0), 0, Fraction(0)))
            oracle.perp_fill(answer, row.body, LISTED)
            assert Fraction(row.body["startPosition"]) == before
            assert Fraction(row.body["closedPnl"]) == answer.positions[coin][2] - result
        elif row.family == "funding":
            size = answer.positions[row.body["delta"]["coin"]][0]
            assert Fraction(row.body["delta"]["szi"]) == size


@settings(max_examples=3 * EXAMPLES)
@given(venue=histories(most=120), data=st.data())
def test_the_projections_agree_with_the_oracle_at_any_instant(
    venue: Venue, data: st.DataObject
) -> None:
    """Balances by place and token, positions, fees and funding: equal, not nearly equal."""
    events = events_of(venue)
    moments = [venue.began - 1, venue.now, *(row.time for row in venue.rows)]
    asked = data.draw(st.lists(st.sampled_from(moments), min_size=1, max_size=3))
    for at in (*asked, venue.now):
        assert told(venue, at) == figures(fold(until(events, at), REFERENCE))


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=120))
def test_no_position_of_a_whole_history_is_derived_broken_or_unknown(venue: Venue) -> None:
    held = fold(events_of(venue), REFERENCE).state("positions").by_key
    for coin, position in held.items():
        if coin in LISTED.collateral:
            assert (0, 0, "") == (position.unexplained, position.unknown, position.origin)


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=120, lends=("USDC",)))
def test_holdings_of_tokens_are_the_spot_balances(venue: Venue) -> None:
    """Whatever moves a token moves its holding: trades, transfers, and fees in other tokens."""
    state = fold(events_of(venue), REFERENCE).state("positions")
    held = {
        ("spot", name.removeprefix("spot:")): Fraction(position.size, 10**position.places)
        for name, position in state.by_key.items()
        if name.startswith("spot:")
    }
    balances = told(venue, venue.now).balances
    expected = {
        key: amount for key, amount in balances.items() if key[0] == "spot" and key[1] != "USDC"
    }
    assert expected == {key: size for key, size in held.items() if size}
    assert all(0 == position.unexplained for position in state.by_key.values())


@settings(max_examples=max(3, EXAMPLES // 100))
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_a_book_on_disk_answers_for_any_instant_as_the_oracle_does(
    seed: int, data: st.DataObject
) -> None:
    """The whole way: files, importers, a book in a file, its checkpoints, and the public door."""
    venue = history(seed, 500)
    whole = (venue.began, venue.now)
    sources = (node_fills, node_misc, api_ledger, api_funding, api_interest, web_fills)
    found = [source(venue, whole) for source in sources]
    found.append(Paper("metadata.json", metadata(venue.now)))
    moments = [row.time for row in venue.rows]
    drawn = st.lists(st.sampled_from(moments), min_size=10, max_size=10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.book"
        with Book.create(path) as book:
            take_in(book, venue.account, found)
        with replay.open(path) as audit:
            account = audit.account(venue.account)
            for at in data.draw(drawn):
                assert told(venue, at) == figures(account.at(at).states)


@settings(max_examples=max(3, EXAMPLES // 10))
@given(venue=histories(most=80))
def test_tables_show_what_the_oracle_counts(venue: Venue) -> None:
    """Reading the tables a person sees: no number is rounded, dropped or shown twice."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.book"
        with Book.create(path) as book:
            take_in(book, venue.account, whole_papers(venue))
        with replay.open(path, cache=False) as audit:
            shown = audit.account(venue.account).at(venue.now)
            expected = told(venue, venue.now)
            balances = {
                (place_of(row["place"]), row["asset"]): Fraction(row["amount"])
                for row in shown.balances.to_dicts()
                if row["place"] != "in-transit"
            }
            fees = {row["asset"]: Fraction(row["charged"]) for row in shown.fees.to_dicts()}
            funding = {
                row["market"]: Fraction(row["received_less_paid"])
                for row in shown.funding.to_dicts()
            }
            positions = {
                row["market"]: (
                    Fraction(row["size"]),
                    int(Fraction(row["entry_notional"] or 0) * 10**6),
                    Fraction(row["realized"]),
                )
                for row in shown.positions.to_dicts()
                if row["market"] in LISTED.collateral
            }
    assert expected.balances == balances
    assert expected.fees == {asset: fee for asset, fee in fees.items() if fee}
    assert expected.funding == {coin: paid for coin, paid in funding.items() if paid}
    assert expected.positions == positions


def place_of(shown: str) -> str:
    """Return a place as the oracle calls it: ``perp:`` for perp, ``perp:xyz`` for perp xyz."""
    name, _, rest = shown.partition(" ")
    return f"{name}:{rest}" if name in {"perp", "vault"} else shown


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=60), data=st.data())
def test_an_annulled_event_counts_for_nothing_and_did_before(
    venue: Venue, data: st.DataObject
) -> None:
    """Sums alone: once sizes do not continue, an opening is derived and costs are unknown."""
    row = data.draw(st.sampled_from(venue.rows))
    stream = account_stream(Address(venue.account))
    target = event_of(row, stream)
    book = Book.in_memory()
    take_in(book, venue.account, whole_papers(venue))
    position = book.position()
    annulled = Annulled(
        stream=stream, at=target.at, target=event_id(target), author="Mara", reason="misread"
    )
    book.act([annulled], recorded=Millis(FIRST_RECORDED + 10**6))
    without = copy.copy(venue)
    without.rows = [each for each in venue.rows if each is not row]
    now, expected = states_in(book, venue.account), told(without, venue.now)
    assert sums(expected) == sums(figures(now))
    traded = {
        place.removeprefix("position:"): Fraction(amount)
        for (place, _), amount in now.state("balances").by_key.items()
        if place.startswith("position:") and amount
    }
    assert traded == {coin: size for coin, (size, *_) in expected.positions.items() if size}
    before = figures(states_in(book, venue.account, position=position))
    assert told(venue, venue.now) == before


def whole_papers(venue: Venue) -> list[Paper]:
    """Return the whole history as node lines and interest pages, metadata with them."""
    whole = (venue.began, venue.now)
    papers = [source(venue, whole) for source in (node_fills, node_misc, api_interest)]
    papers.append(Paper("metadata.json", metadata(venue.now)))
    return list(filter(has_rows, papers))


def sums(one: Figures) -> tuple[object, ...]:
    """Return what is a sum of single events."""
    return one.balances, one.fees, one.funding
