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

from tests.support import oracle
from tests.support.strategies import histories
from tests.support.venue import Venue
from tests.support.venue_papers import all_perp_metas, spot_meta
from tests.support.venue_rules import PERP

EXAMPLES = int(os.environ.get("ROLLFORWARD_EXAMPLES", "60"))
LISTED = oracle.listing(spot_meta(), all_perp_metas())


def asked(venue: Venue, until: int) -> oracle.Answer:
    rows = [(row.time, row.family, row.body) for row in venue.rows]
    return oracle.answer(rows, until, venue.account, LISTED)


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=120))
def test_the_oracle_arrives_where_the_venue_stands(venue: Venue) -> None:
    told = asked(venue, venue.now)
    held = {key: Fraction(units, 10**8) for key, units in venue.cash.items() if units}
    assert held == {key: amount for key, amount in told.balances.items() if amount}
    for coin, position in venue.positions.items():
        if coin in told.positions:
            size = Fraction(position.lots, 10 ** PERP[coin].places)
            result = Fraction(venue.realized[coin], 10**6)
            assert (size, position.notional, result) == told.positions[coin]


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=120))
def test_the_venue_reports_what_the_oracle_finds(venue: Venue) -> None:
    """The reported fields are right by construction: sizes before a fill, closed results."""
    told = oracle.Answer()
    for row in venue.rows:
        if row.family == "fills" and row.body["coin"] in LISTED.collateral:
            coin = row.body["coin"]
            before, _, result = told.positions.get(coin, (Fraction(0), 0, Fraction(0)))
            oracle.perp_fill(told, row.body, LISTED)
            assert Fraction(row.body["startPosition"]) == before
            assert Fraction(row.body["closedPnl"]) == told.positions[coin][2] - result
        elif row.family == "funding":
            size = told.positions[row.body["delta"]["coin"]][0]
            assert Fraction(row.body["delta"]["szi"]) == size
