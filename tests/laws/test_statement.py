"""Laws of statements: terms sum exactly, months join, groups are the sum of their members.

The figures are held against a second hand (``tests/support/statement_oracle.py``) that shares
nothing with ours.
"""

from __future__ import annotations

import os
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.events import (
    Event,
    Filled,
    MarginSummary,
    ObservedBalance,
    ObservedPosition,
    PerpStateObserved,
    SpotStateObserved,
)
from ledger.money import exact
from ledger.units import Address, Asset, Coin, Dex, Millis, account_stream
from projections.statement import Line, Row
from projections.statement.money import NOTHING
from replay.papers.journal import Assertion, journal
from replay.papers.sheets import terms
from replay.periods import Period
from replay.statement import Statement, question, statement
from tests.support import statement_oracle
from tests.support.route import LISTED
from tests.support.statement_books import (
    OTHERS,
    PRICED,
    audit_of,
    defined,
    events_of,
    marks,
    mirrored,
    span,
)
from tests.support.strategies import histories
from tests.support.venue import Venue
from tests.support.venue_rules import HOUR_MS

BEFORE = 400 * HOUR_MS  # prices begin before the account does

counted = settings(max_examples=int(os.environ.get("ROLLFORWARD_STATEMENTS", "25")))
"""How many histories each law is tried on; every one is a book of its own."""


def asked(audit, name: str, since: int, until: int, **how) -> Statement:
    period = Period(since=Millis(since), until=Millis(until))
    return statement(audit, question(audit, name, period, position=audit.position(), **how))


@st.composite
def periods(draw: st.DrawFn, venue: Venue) -> tuple[int, int]:
    first, last = span(venue)
    since, until = sorted(draw(st.integers(first - 1, last + HOUR_MS)) for _ in range(2))
    return since, until


def rows_of(venue: Venue) -> list[statement_oracle.Row]:
    return [(row.time, row.family, row.body) for row in venue.rows]


def priced(venue: Venue, **how) -> dict:
    first, last = span(venue)
    return marks(venue.seed, first - BEFORE, last + HOUR_MS, **how)


def sums(line: Line) -> bool:
    """Tell whether opening and everything between it and closing is closing, to the last digit."""
    values = [term.value for _, term in terms(line)]
    with exact():
        return sum(values[:-1], Decimal(0)) == values[-1]


def joined(row: Row) -> bool:
    with exact():
        flows = sum((amount for _, amount in row.flows), Decimal(0))
        return row.opening + flows + row.unexplained == row.closing


@counted
@given(data=st.data(), venue=histories())
def test_terms_sum_exactly_and_are_those_of_a_second_hand(data, venue):
    since, until = data.draw(periods(venue))
    prices = priced(venue)
    audit = audit_of({venue.account: events_of(venue)}, prices)
    if not venue.rows:
        return
    found = asked(audit, venue.account, since, until)
    assert all(joined(row) and row.unexplained == 0 for row in (*found.rows, *found.totals))
    assert () == found.gaps == found.stopped
    if found.is_bare:  # it ends before anything is recorded: nobody said that there was nothing
        assert {None} == {term.value for _, term in terms(found.total)}
        return
    try:
        naive = statement_oracle.rolled(rows_of(venue), since, until, venue.account, LISTED, prices)
    except statement_oracle.Unpriced:  # the one token without a market
        assert not found.is_complete
        assert any("MAX" in name for name in found.missing)
        return
    assert all(sums(line) for line in (*found.lines, found.total))
    ours = {name: Fraction(term.value) for name, term in terms(found.total)}
    assert ours.pop("unexplained") == 0
    assert {name: worth for name, worth in naive.items() if worth} == {
        name: worth for name, worth in ours.items() if worth
    }


@counted
@given(data=st.data(), venue=histories())
def test_a_month_opens_with_what_the_one_before_closed_with(data, venue):
    if not venue.rows:
        return
    since, until = data.draw(periods(venue))
    cut = data.draw(st.integers(since, until))
    audit = audit_of({venue.account: events_of(venue)}, priced(venue))
    whole = asked(audit, venue.account, since, until)
    first = asked(audit, venue.account, since, cut)
    rest = asked(audit, venue.account, cut + 1, max(until, cut + 1))
    if until <= cut:
        return
    ends = {(row.place, row.asset): row.closing for row in first.rows if row.closing}
    begins = {(row.place, row.asset): row.opening for row in rest.rows if row.opening}
    assert ends == begins
    if first.is_bare:  # a closing nobody tells of; what comes after adds up what is recorded
        assert (None, rest.is_bare) == (first.total.closing.value, whole.is_bare)
        assert rest.total.opening.value == (None if rest.is_bare else 0)
        return
    assert first.total.closing.value == rest.total.opening.value
    assert whole.total.opening == first.total.opening
    assert whole.total.closing == rest.total.closing
    parts = {(row.place, row.asset): row for row in first.rows}
    others = {(row.place, row.asset): row for row in rest.rows}
    for row in whole.rows:
        key = row.place, row.asset
        halves = [each for each in (parts.get(key), others.get(key)) if each is not None]
        for cause, amount in row.flows:
            with exact():
                assert amount == sum((half.of(cause) for half in halves), Decimal(0))


@counted
@given(data=st.data(), venue=histories(), missing=st.sets(st.sampled_from(PRICED)))
def test_a_missing_price_makes_the_figure_unknown_by_name_and_never_zero(data, venue, missing):
    if not venue.rows:
        return
    since, until = data.draw(periods(venue))
    audit = audit_of({venue.account: events_of(venue)}, priced(venue, missing=missing))
    found = asked(audit, venue.account, since, until)
    for line in (*found.lines, found.total):
        for name, term in terms(line):
            assert (term.value is None) == bool(term.missing), name
        if all(term.value is not None for _, term in terms(line)):
            assert sums(line)
    prices = priced(venue, missing=missing)
    answer = statement_oracle.oracle.answer(rows_of(venue), until, venue.account, LISTED)
    try:
        equity = statement_oracle.equity(answer, prices, LISTED, until)
    except statement_oracle.Unpriced:
        assert found.total.closing.value is None
    else:
        assert found.total.closing.value == (None if found.is_bare else equity)
        assert not (found.is_bare and equity)


@counted
@given(data=st.data(), venue=histories(most=80))
def test_a_fill_that_is_gone_is_unexplained_where_a_later_one_states_the_size(data, venue):
    events = events_of(venue)
    fills = [
        number
        for number, event in enumerate(events)
        if isinstance(event, Filled)
        and event.start_position is not None
        and event.coin in LISTED.collateral
        and any(
            isinstance(later, Filled) and later.coin == event.coin and later.at > event.at
            for later in events[number + 1 :]
        )
    ]
    if not fills:
        return
    gone = events[data.draw(st.sampled_from(fills))]
    left = [event for event in events if event is not gone]
    first, last = span(venue)
    audit = audit_of({venue.account: left}, priced(venue))
    found = asked(audit, venue.account, first - 1, last)
    signed = gone.sz if gone.side == "B" else -gone.sz
    unexplained = {row.asset: row.unexplained for row in found.rows if row.unexplained}
    assert {f"{gone.coin}-PERP": signed} == unexplained
    assert any("is unexplained" in text for text in found.findings)
    for line in found.lines:
        if line.unexplained.value is not None:
            assert sums(line)
            price = next(
                each.quote
                for each in found.prices
                if (each.thing, each.end) == (line.thing, "closing")
            )
            with exact():
                amount = unexplained.get(line.thing[1], Decimal(0))
                assert line.unexplained.value == amount * (price.px if price else Decimal(0))


@counted
@given(data=st.data(), venue=histories())
def test_a_group_of_one_is_the_account(data, venue):
    if not venue.rows:
        return
    since, until = data.draw(periods(venue))
    group = defined("fund", {venue.account: "master"})
    audit = audit_of({venue.account: events_of(venue)}, priced(venue), more=[group])
    alone = asked(audit, venue.account, since, until)
    grouped = asked(audit, "fund", since, until)
    assert alone.rows == grouped.rows
    assert alone.totals == grouped.totals
    assert (alone.lines, alone.total) == (grouped.lines, grouped.total)
    assert alone.activity == grouped.activity
    assert () == grouped.pairs


@counted
@given(data=st.data(), venue=histories(most=80))
def test_members_less_eliminations_are_the_group(data, venue):
    other = data.draw(st.sampled_from(OTHERS))
    events = events_of(venue)
    theirs = mirrored(events, other)
    lost = data.draw(st.sets(st.integers(0, max(len(theirs) - 1, 0)), max_size=2))
    kept = [event for number, event in enumerate(theirs) if number not in lost]
    gone = [event for number, event in enumerate(theirs) if number in lost]
    if not kept:
        return
    group = defined("fund", {venue.account: "master", other: "sub-account"})
    audit = audit_of({venue.account: events, other: kept}, priced(venue), more=[group])
    since, until = data.draw(periods(venue))
    whole = asked(audit, "fund", since, until)
    parts = [asked(audit, account, since, until) for account in (venue.account, other)]
    inside = [event for event in theirs if since <= event.at <= until]
    one_sided = [event for event in gone if since <= event.at <= until]
    assert len(inside) == len(whole.pairs)
    unmatched = [pair for pair in whole.pairs if not pair.is_whole]
    assert sorted(event.at for event in one_sided) == [pair.sides[0].at for pair in unmatched]
    assert len(one_sided) == sum("no matching record" in text for text in whole.findings)
    with exact():
        for row in whole.totals:
            members = [
                each
                for part in parts
                for each in part.totals
                if (each.place, each.asset) == (row.place, row.asset)
            ]
            for name in ("opening", "closing", "explained"):
                together = sum((getattr(each, name) for each in members), Decimal(0))
                assert together == getattr(row, name)
            passed = sum(
                (each.of("transfers in") + each.of("transfers out") for each in members), Decimal(0)
            )
            left = row.of("transfers in") + row.of("transfers out")
            assert passed == left + row.of("inside the group")
            remainder = sum(
                (pair.remainder for pair in unmatched if pair.asset == row.asset), Decimal(0)
            )
            assert remainder == row.of("inside the group")
        if all(part.total.closing.value is not None for part in parts):
            together = sum((part.total.closing.value for part in parts), Decimal(0))
            assert together == whole.total.closing.value
            assert sums(whole.total)


@counted
@given(data=st.data(), venue=histories())
def test_in_another_money_terms_sum_as_exactly(data, venue):
    if not venue.rows:
        return
    since, until = data.draw(periods(venue))
    audit = audit_of({venue.account: events_of(venue)}, priced(venue))
    found = asked(audit, venue.account, since, until, money=Asset("HYPE"))
    for line in (*found.lines, found.total):
        if all(term.value is not None for _, term in terms(line)):
            assert sums(line)
    if found.total.unexplained.value is not None:
        assert NOTHING.value == found.total.unexplained.value


@counted
@given(data=st.data(), venue=histories())
def test_the_tokens_of_a_statement_are_the_statements_of_its_tokens(data, venue):
    if not venue.rows:
        return
    since, until = data.draw(periods(venue))
    audit = audit_of({venue.account: events_of(venue)}, priced(venue))
    whole = asked(audit, venue.account, since, until)
    for number, row in enumerate(whole.totals):
        if row.asset == "MAX":
            continue
        one = asked(audit, venue.account, since, until, token=row.asset)
        assert (row,) == one.totals
        assert whole.lines[number].closing == one.total.closing
        assert Address(venue.account) == one.of.group.members[0].address


@st.composite
def states(draw: st.DrawFn, venue: Venue) -> list[Event]:
    """States the venue may have shown, right or wrong, at any moment of a history."""
    stream = account_stream(Address(venue.account))
    first, last = span(venue)
    made: list[Event] = []
    for at in sorted(draw(st.sets(st.integers(first - 1, last + HOUR_MS), max_size=4))):
        if draw(st.booleans()):
            coins = draw(st.lists(st.sampled_from(("BTC", "ETH", "HYPE")), unique=True))
            made.append(
                PerpStateObserved(
                    stream=stream, at=Millis(at), dex=Dex(""),
                    positions=tuple(
                        ObservedPosition(coin=Coin(coin), size=Decimal(draw(st.integers(-9, 9))))
                        for coin in coins
                    ),
                    summary=MarginSummary(
                        account_value=Decimal(0), total_notional=Decimal(0),
                        total_raw_usd=Decimal(draw(st.integers(-999, 999))),
                        total_margin_used=Decimal(0),
                    ),
                    cross=None, cross_maintenance=None, withdrawable=None,
                )
            )  # fmt: skip
        else:
            total = Decimal(draw(st.integers(0, 999)))
            row = ObservedBalance(asset=Asset("HYPE"), token=150, total=total, hold=Decimal(0))
            made.append(
                SpotStateObserved(
                    stream=stream, at=Millis(at), balances=(row,), margin_enabled=None,
                    margin_ratio=None, borrow_ratios=(), supply_ratios=(), available=(),
                )
            )  # fmt: skip
    return made


@counted
@given(data=st.data(), venue=histories())
def test_with_states_that_differ_months_join_and_every_assertion_holds(data, venue):
    if not venue.rows:
        return
    lost = data.draw(st.sets(st.integers(0, len(venue.rows) - 1), max_size=2))
    kept = [event for number, event in enumerate(events_of(venue)) if number not in lost]
    shown = data.draw(states(venue))
    events = sorted([*kept, *shown], key=lambda event: event.at)
    if not events:
        return
    audit = audit_of({venue.account: events}, priced(venue))
    since, until = data.draw(periods(venue))
    cut = data.draw(st.integers(since, until))
    whole, first = (asked(audit, venue.account, since, end) for end in (until, cut))
    for made in (whole, first):
        held: dict[tuple[str, str], Decimal] = {}
        with exact():
            for step in journal(made).steps:
                if isinstance(step, Assertion):
                    there = held.get((step.account, step.asset), Decimal(0))
                    assert step.amount == there, step
                else:
                    for account, amount, asset in step.legs:
                        held[account, asset] = held.get((account, asset), Decimal(0)) + amount
        last = {(each.place, each.asset): each for each in made.observed}
        for row in made.rows:
            seen = last.get((row.place, row.asset))
            if seen is None or row.place.startswith("position:"):
                continue
            later = [
                entry.moved.flow.amount
                for entry in made.activity
                if entry.moved.at > seen.at
                and (entry.moved.flow.place, entry.moved.flow.asset) == (row.place, row.asset)
            ]
            with exact():
                assert row.closing == seen.amount + sum(later, Decimal(0))
    if cut < until:
        rest = asked(audit, venue.account, cut + 1, until)
        ends = {(row.place, row.asset): row.closing for row in first.rows if row.closing}
        assert ends == {(row.place, row.asset): row.opening for row in rest.rows if row.opening}
        closing = {(row.place, row.asset): row.closing for row in whole.rows if row.closing}
        assert closing == {(r.place, r.asset): r.closing for r in rest.rows if r.closing}
    for line in (*whole.lines, whole.total):
        if all(term.value is not None for _, term in terms(line)):
            assert sums(line)
