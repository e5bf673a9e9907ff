"""A second, naive book-keeper agrees: with the simulated venue, and with the projections.

The venue counts whole numbers as it goes; the oracle reads the rows it reports, with fractions,
from the beginning. Neither imports our rooms. ``ROLLFORWARD_EXAMPLES`` sets how many histories
are compared.
"""

from __future__ import annotations

import os
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.fold import fold
from tests.support import oracle
from tests.support.route import LISTED, events_of, figures, listed, told, until
from tests.support.strategies import histories
from tests.support.venue import Venue
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


@settings(max_examples=EXAMPLES)
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
