"""An honest history has no finding, and a lie planted in it has its own.

The venue's reports are right by construction, so whatever a check objects to in a whole history
would be the check's mistake; and a check that does not see what was changed would be worth nothing.
Left out: ``spot-closed-pnl``, for the venue's rule for the cost of tokens that leave without a sale
is recorded nowhere; lending of traded tokens likewise, for whether a fill's stated size counts
what is supplied.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from ledger import timeline
from ledger.book import Book
from projections.checks import CHECKS, run
from projections.findings import Finding
from tests.support import venue_papers as papers
from tests.support.route import Paper, course_in, listed, take_in
from tests.support.sources import has_rows
from tests.support.strategies import histories
from tests.support.venue import Row, Venue, history
from tests.support.venue_rules import PAIR

EXAMPLES = int(os.environ.get("ROLLFORWARD_EXAMPLES", "40"))
JUDGED = {name: check for name, check in CHECKS.items() if name != "spot-closed-pnl"}
REFERENCE = listed()
Body = dict[str, Any]


def found(venue: Venue, states: str | None = None) -> list[Finding]:
    """Return what the checks say of a whole history, its states at the end included."""
    whole = [(venue.began, venue.now)]
    handed_out = [
        Paper("metadata.json", papers.metadata(venue.now)),
        Paper("fills.json", papers.user_fills(venue)),
        Paper("ledger.json", papers.ledger_pages(venue, whole)),
        Paper("funding.json", papers.funding_pages(venue, whole)),
        Paper("interest.json", papers.interest_pages(venue, whole)),
        Paper("states.json", states or papers.states(venue)),
    ]
    book = Book.in_memory()
    take_in(book, venue.account, filter(has_rows, handed_out))
    course, fetch = course_in(book, venue.account)
    results = run(JUDGED, list(timeline.events(course, fetch)), REFERENCE)
    return [finding for result in results for finding in result.findings]


@settings(max_examples=EXAMPLES)
@given(venue=histories(most=80, lends=("USDC",)))
def test_an_honest_history_has_no_finding(venue: Venue) -> None:
    assert [] == found(venue)


# ------------------------------------------------------------------------- planted lies


def changed(value: str, by: str) -> str:
    return str(Decimal(value) + Decimal(by))


def told(venue: Venue, row: Row, change: Callable[[Body], None]) -> Venue:
    """Return the venue telling one row otherwise."""
    body = copy.deepcopy(row.body)
    change(body)
    rows = [row_with(each, body) if each is row else each for each in venue.rows]
    return venue_with(venue, rows)


def row_with(row: Row, body: Body) -> Row:
    return Row(row.time, row.family, body, row.block, row.nanos)


def venue_with(venue: Venue, rows: list[Row]) -> Venue:
    other = copy.copy(venue)
    other.rows = rows
    return other


def is_later_perp_fill(venue: Venue, row: Row) -> bool:
    """Tell whether a row is a fill of a perpetual traded before in another millisecond."""
    if row.family != "fills" or row.body["coin"] in PAIR:
        return False
    return any(
        each.family == "fills" and each.body["coin"] == row.body["coin"] and each.time < row.time
        for each in venue.rows
    )


def is_close(venue: Venue, row: Row) -> bool:
    return row.family == "fills" and row.body["dir"].startswith("Close")


def is_funding(venue: Venue, row: Row) -> bool:
    return row.family == "funding"


def other_size(body: Body) -> None:
    body["startPosition"] = changed(body["startPosition"], "1")


def other_result(body: Body) -> None:
    body["closedPnl"] = changed(body["closedPnl"], "0.000001")


def other_charged_size(body: Body) -> None:
    body["delta"]["szi"] = changed(body["delta"]["szi"], "1")


LIES: dict[str, tuple[Callable[[Venue, Row], bool], Callable[[Body], None]]] = {
    "continuity": (is_later_perp_fill, other_size),
    "closed-pnl": (is_close, other_result),
    "funding-size": (is_funding, other_charged_size),
}


def honest(wanted: Callable[[Venue, Row], bool]) -> tuple[Venue, Row]:
    """Return a history and a row of the wanted sort in the midst of it."""
    for seed in range(100):
        venue = history(seed, 60, lends=("USDC",))
        fitting = [row for row in venue.rows if wanted(venue, row)]
        if fitting:
            return venue, fitting[len(fitting) // 2]
    raise LookupError("no history has such a row")


@pytest.mark.parametrize("check", LIES)
def test_a_changed_row_is_found_by_its_check_at_its_moment(check: str) -> None:
    wanted, change = LIES[check]
    venue, row = honest(wanted)
    findings = found(told(venue, row, change))
    assert (check, row.time) in {(finding.check, finding.at) for finding in findings}


def test_a_funding_payment_left_out_is_missed() -> None:
    venue, row = honest(is_funding)
    silent = venue_with(venue, [each for each in venue.rows if each is not row])
    findings = found(silent)
    assert "funding-presence" in {finding.check for finding in findings}
    assert any(row.body["delta"]["coin"] in finding.text for finding in findings)


def other_money(answers: Body) -> None:
    summary = answers["perp"]["marginSummary"]
    summary["totalRawUsd"] = changed(summary["totalRawUsd"], "1")


def other_position(answers: Body) -> None:
    position = answers["perp"]["assetPositions"][0]["position"]
    position["szi"] = changed(position["szi"], "1")


def other_balance(answers: Body) -> None:
    balance = answers["spot"]["balances"][0]
    balance["total"] = changed(balance["total"], "1")


STATES: dict[str, Callable[[Body], None]] = {
    "observed-money": other_money,
    "observed-positions": other_position,
    "observed-balances": other_balance,
}


def holds_a_position(venue: Venue, row: Row) -> bool:
    return any(held.lots and ":" not in coin for coin, held in venue.positions.items())


@pytest.mark.parametrize("check", STATES)
def test_a_state_that_is_not_what_follows_is_found(check: str) -> None:
    venue, _ = honest(holds_a_position)
    capture = json.loads(papers.states(venue))
    STATES[check]({"perp": capture[0]["response"], "spot": capture[-1]["response"]})
    assert check in {finding.check for finding in found(venue, json.dumps(capture))}
