"""Margin at an instant, on the bundled history and on an account worked out by hand."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import attrs
import pytest

import replay
from ledger.codec import event_id
from ledger.errors import NotInForce, UnclearQuestion
from ledger.units import VENUE
from projections.rulebooks import CALENDAR
from replay.efficiency import compared, tables, to_dict
from replay.margin import Assembler, Question
from replay.margin_report import age_text, as_dict, one_balance, shown
from replay.moments import parse_moment
from tests.support.margin_books import (
    ACCOUNT,
    BY_HAND,
    answers,
    borrowing_by_itself,
    by_hand,
    cascade,
    moment,
)

D = Decimal

WHOLE = Question(is_complete=True)
"""The bundled history does begin with its account."""

SNAPSHOTS = [
    (moment(each), each["response"]["portfolioMarginRatio"])
    for each in answers("states", "spotClearinghouseState")
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return cascade(tmp_path_factory.mktemp("cascade"))


@pytest.fixture
def account(path):
    with replay.open(path) as audit:
        yield audit.account(ACCOUNT)


def assembler(account, question=WHOLE) -> Assembler:
    return Assembler(account, account.audit.position(), question)


def margin(account, when, question=WHOLE, **more):
    return assembler(account, question).at(parse_moment(when), **more)


def of_book(path, when, question=WHOLE, address=ACCOUNT, **more):
    with replay.open(path) as audit:
        return margin(audit.account(address), when, question, **more)


def printed(value: Decimal) -> Decimal:
    """As the venue prints a ratio: ten places."""
    return value.quantize(D("1e-10"), ROUND_HALF_EVEN)


# ------------------------------------------------------------------------- the ratio


@pytest.mark.parametrize(("when", "stated"), SNAPSHOTS)
def test_the_ratio_rebuilt_from_movements_is_the_recorded_one_to_ten_digits(account, when, stated):
    found = margin(account, when)
    assert D(stated) == printed(found.margin.judgements[0].ratio.value)


@pytest.mark.parametrize(("when", "stated"), SNAPSHOTS[1:])
def test_so_it_is_from_the_state_before_and_the_movements_since(account, when, stated):
    found = margin(account, when, Question())
    assert "recorded before" in found.rests.basis
    assert D(stated) == printed(found.margin.judgements[0].ratio.value)


def test_without_any_state_only_the_interest_of_the_running_hour_is_between(tmp_path):
    """4,000.64 USDC borrowed and 5,900.49 supplied: 40 minutes of it are less than 0.016 USDC."""
    path = cascade(tmp_path, without=("states",))
    asked = Question(is_complete=True, mode="portfolioMargin")
    when, stated = SNAPSHOTS[2]
    found = of_book(path, when, asked)
    assert () == found.compared
    requirement, worth = D("7319.4625"), D("7681.28207824")
    furthest = requirement / (worth - D("0.016")) - requirement / worth
    assert abs(found.margin.judgements[0].ratio.value - D(stated)) < furthest


def test_interest_runs_between_the_rows_at_the_recorded_rate(account):
    """5 % a year, nominal and continuous, on what the state of 22:01 says is owed."""
    state = answers("states", "borrowLendUserState")[1]["response"]["tokenToState"]
    owed = D(dict(state)[0]["borrow"]["value"])
    elapsed = parse_moment("2026-08-05T14:30Z") - parse_moment("2026-08-04T22:01Z")
    by_rule = owed * (D("0.05") * elapsed / (365 * 86_400_000)).exp()
    borrowed = (
        margin(account, "2026-08-05T14:30Z", Question()).margin.picture.token("USDC").borrowed
    )
    assert abs(borrowed.value - by_rule) < D("1e-8")
    assert borrowed.value - owed > D("0.37")


def test_a_balance_is_the_sum_of_its_places(account):
    found = margin(account, "2026-08-05T14:40Z")
    rows = {row["asset"]: row for row in one_balance(found.margin.picture).to_dicts()}
    row = rows["USDC"]
    parts = D(row["exchanges"]) + D(row["supplied"]) + D(row["at_hand"]) - D(row["borrowed"])
    assert D(row["total"]) == parts == D("1457.97407824")
    assert ("108.08", "28.7837") == (row["at_hand"], rows["HYPE"]["at_hand"])


def test_one_line_leads_from_a_book_to_margin(account):
    found = account.at("2026-08-05T14:40Z").margin
    assert found.margin.liquidatable
    assert found.margin.judgements[0].lines
    titles = [table.title for table in found.tables]
    assert "Positions" in titles
    assert len(titles) == found._repr_html_().count("<table")
    last = account.at().margin
    assert parse_moment("2026-08-05T18:01Z") == last.margin.at


# ------------------------------------------------------------------------- beside the venue's own


def test_the_venues_own_figures_of_that_moment_stand_beside_ours(account):
    found = margin(account, "2026-08-05T14:40Z", Question())
    graded = {(each.name, each.of): each for each in found.compared}
    ratio = graded["margin ratio", "USDC"]
    assert ("predicted", D("0.9528959392")) == (ratio.grade, ratio.venue)
    available = graded["available after maintenance", "USDC"]
    assert D("361.81957824") == available.venue == available.ours.value
    differing = {each.name for each in found.findings}
    agreeing = {each.name for each in found.compared if each.venue is not None} - differing
    assert {
        "margin ratio", "available after maintenance", "account value", "cross maintenance",
        "initial margin", "use of supply cap",
    } <= agreeing  # fmt: skip


def test_another_figure_of_the_venue_is_a_finding_with_both_numbers(tmp_path):
    """20 BTC at 116,000 and a highest leverage of 40 require 29,000, whatever the state says."""
    path = by_hand(tmp_path, 4, maintenance="28999.0")
    found = of_book(path, "2026-08-04T00:00Z", Question(), BY_HAND)
    differing = [each for each in found.findings if each.name == "cross maintenance"]
    assert [(D(29000), D(28999), D(1))] == [
        (each.ours.value, each.venue, each.residual) for each in differing
    ]
    assert "of this very moment" in found.rests.basis


# ------------------------------------------------------------------------- inputs


def test_an_input_says_from_where_it_is_and_how_old(account):
    found = margin(account, "2026-08-05T14:39Z", workings=True)
    line = next(
        each
        for each in found.margin.judgements[0].lines
        if (each.name, each.of) == ("mark", "HYPE")
    )
    assert ("metaAndAssetCtxs", 240_000) == (line.source, line.age_ms)
    where = found.rests.where.of("mark", "HYPE")
    name, _, event = where.partition(", event ")
    assert "prices.json [" in name
    assert line.value == price_of_event(account, event)


def price_of_event(account, start: str) -> Decimal:
    """Return the price of the one event of the venue whose identity begins so."""
    events = account.audit.engine.events(VENUE, account.audit.position())
    (found,) = [each for each in events if event_id(each).startswith(start)]
    return found.px


def test_a_price_older_than_the_age_named_is_said_so(account):
    names = [
        name
        for name, _ in margin(
            account, "2026-08-05T14:39Z", attrs.evolve(WHOLE, stale_ms=180_000)
        ).stale
    ]
    assert ["mark of BTC", "mark of HYPE", "oracle price of HYPE"] == names
    assert () == margin(account, "2026-08-05T14:39Z", attrs.evolve(WHOLE, stale_ms=300_000)).stale


def test_without_prices_what_is_missing_is_named(tmp_path):
    path = cascade(tmp_path, without=("prices", "states"))
    asked = Question(is_complete=True, mode="portfolioMargin")
    found = of_book(path, "2026-08-05T14:00Z", asked)
    assert found.margin.liquidatable is None
    assert {"mark of HYPE", "mark of BTC"} <= set(found.missing)
    assert not found.is_known


def test_without_prices_the_marks_of_the_last_state_stand_and_are_old(tmp_path):
    path = cascade(tmp_path, without=("prices",))
    found = of_book(path, "2026-08-05T14:00Z")
    stale = dict(found.stale)
    assert 15 * 3_600_000 + 59 * 60_000 == stale["mark of HYPE"]
    mark = found.margin.picture.exchanges[0].positions[1].mark
    assert mark.source.startswith("implied by positionValue")
    assert D("34.561") == mark.value


def test_a_state_is_marked_at_its_own_mark_and_later_prices_follow(tmp_path):
    path = by_hand(tmp_path, 4, 10, mark="116500.0")
    with replay.open(path) as audit:
        of = assembler(audit.account(BY_HAND), Question())
        first, later = (of.at(parse_moment(f"2026-08-{day}T00:00Z")) for day in ("04", "10"))
        places = [each.rests.where.of("mark", "BTC") for each in (first, later)]
    assert [D(116000), D(116500)] == [
        each.margin.judgements[0].position("BTC").mark for each in (first, later)
    ]
    assert "by-hand.json [2].response" in places[0]
    assert "by-hand.json [6].response" in places[1]
    assert D(10_000) == later.margin.judgements[0].exchanges[0].account_value.value


def test_before_anything_says_what_there_was_money_is_unknown_by_name(account):
    asked = Question(mode="portfolioMargin")
    found = margin(account, "2026-08-03T10:00Z", asked)
    assert found.margin.liquidatable is None
    assert "balance of USDC before the first record (perp:)" in found.missing


def test_without_a_mode_there_is_no_answer(account):
    with pytest.raises(UnclearQuestion, match="mode"):
        margin(account, "2026-08-03T10:00Z")


def test_a_later_record_changes_nothing_before_it(account, tmp_path):
    """The account's states of the evening say nothing of the afternoon."""
    early = margin(account, "2026-08-05T13:00Z", Question())
    path = cascade(tmp_path)
    with replay.open(path) as audit:
        known = audit.position()
    assert known == account.audit.position()
    again = of_book(path, "2026-08-05T13:00Z", Question())
    assert early.margin.judgements == again.margin.judgements


# ------------------------------------------------------------------------- rules of the day


def test_a_threshold_belongs_to_its_day(tmp_path):
    path = by_hand(tmp_path, 4, 10, 20)
    early = of_book(path, "2026-08-10T00:00Z", Question(), BY_HAND)
    late = of_book(path, "2026-08-20T00:00Z", Question(), BY_HAND)
    assert ("2026-08-01 backstop", True) == verdict(early)
    assert ("2026-08-11 hype-ltv", False) == verdict(late)
    worth = [each.margin.judgements[0].token("USDC").liquidation_value for each in (early, late)]
    assert [D(30000), D(33000)] == [each.value for each in worth]
    assert "2026-08-01 backstop/liquidation_value" == worth[0].rule


def verdict(found):
    (judgement,) = found.margin.judgements
    return judgement.rulebook, judgement.liquidatable


def test_between_the_two_days_both_verdicts_are_given(tmp_path):
    found = of_book(by_hand(tmp_path, 4, 15), "2026-08-15T00:00Z", Question(), BY_HAND)
    told = {each.rulebook: each.liquidatable for each in found.margin.judgements}
    assert {"2026-08-01 backstop": True, "2026-08-11 hype-ltv": False} == told
    assert not found.margin.agrees
    assert found.margin.liquidatable is None
    assert "two rulebooks may hold" in found.margin.note


@pytest.mark.parametrize(
    ("ltv", "told"),
    [("0.65", ("2026-08-11 hype-ltv", False)), ("0.5", ("2026-08-01 backstop", True))],
)
def test_a_recorded_loan_to_value_decides_between_them(tmp_path, ltv, told):
    path = by_hand(tmp_path, 4, 15, ltv={15: ltv})
    found = of_book(path, "2026-08-15T00:00Z", Question(), BY_HAND)
    assert told == verdict(found)
    assert ltv in found.margin.note


def test_a_debt_without_a_record_is_inferred_exactly_where_a_state_shows_it(tmp_path):
    path = borrowing_by_itself(tmp_path)
    found = of_book(path, "2026-08-06T00:00Z", Question(), BY_HAND)
    (told,) = found.inferred
    assert ("borrowed", "USDC", D(501), True) == (
        told.what, told.asset, told.amount, told.is_exact,
    )  # fmt: skip
    # the recorded debt counts, and our own sums stay beside it: interest is not in them
    usdc = found.margin.picture.token("USDC")
    assert (D(-501), D("501.02")) == (usdc.total.value, usdc.borrowed.value)
    power = D(1000 * 40) / 2
    assert power / D("501.02") == pytest.approx(found.margin.judgements[0].health_factor.value)
    (note,) = [each for each in found.tables[0].notes if "inferred" in each]
    assert "501 USDC borrowed between 2026-08-04T00:00:00.000Z and 2026-08-06" in note
    assert "501" == as_dict(found)["inferred"][0]["amount"]


def test_before_a_state_shows_it_a_debt_is_the_least_that_was_borrowed(tmp_path):
    found = of_book(borrowing_by_itself(tmp_path), "2026-08-05T12:00Z", Question(), BY_HAND)
    (told,) = found.inferred
    assert (D(501), False) == (told.amount, told.is_exact)
    assert any("at least 501 USDC borrowed by 2026-08-05" in each for each in found.tables[0].notes)
    assert "no loan is recorded" in found.margin.judgements[0].health_factor.note


def ways_at(path, when, question=None):
    with replay.open(path) as audit:
        of = assembler(audit.account(BY_HAND), question or Question())
        return compared(of, parse_moment(when))


def test_between_the_two_days_the_ways_stand_under_both_rulebooks(tmp_path):
    """Free: 0 + 1,000 x 40 x LTV − 232,000; so the rulebooks' figures differ by 6,000."""
    found = ways_at(by_hand(tmp_path, 4, 15), "2026-08-15T00:00Z")
    assert ["2026-08-01 backstop", "2026-08-11 hype-ltv"] == [each.rulebook for each in found.parts]
    free = [part.ways[-1].free for part in found.parts]
    assert D(6000) == free[1] - free[0]
    assert found.agrees
    assert "two rulebooks may hold" in found.note
    titles = [each.title for each in tables(found)]
    assert "Ways of margining, in USDC, under 2026-08-11 hype-ltv" in titles
    told = to_dict(found)
    assert {"2026-08-01 backstop", "2026-08-11 hype-ltv"} == {
        each["rulebook"] for each in told["ways"]
    }


def test_a_recorded_loan_to_value_decides_for_the_ways_too(tmp_path):
    found = ways_at(by_hand(tmp_path, 4, 15, ltv={15: "0.65"}), "2026-08-15T00:00Z")
    assert ["2026-08-11 hype-ltv"] == [each.rulebook for each in found.parts]
    assert "a recorded loan to value of 0.65 decides" == found.note


def test_a_loan_to_value_recorded_before_the_change_decides_nothing(tmp_path):
    path = by_hand(tmp_path, 4, 15, ltv={5: "0.5"})
    found = of_book(path, "2026-08-15T00:00Z", Question(), BY_HAND)
    assert 2 == len(found.margin.judgements)


def test_a_rule_taken_away_is_an_error_that_names_it(account):
    without = Question(is_complete=True, calendar=CALENDAR[-1:])
    with pytest.raises(NotInForce, match="the earliest is 2026-08-11 hype-ltv"):
        margin(account, "2026-08-05T14:40Z", without)
    gone = tuple(each for each in CALENDAR if each.id != "2026-08-01 backstop")
    asked = Question(is_complete=True, rulebook="2026-08-01 backstop", calendar=gone)
    with pytest.raises(NotInForce, match="2026-08-01 backstop"):
        margin(account, "2026-08-05T14:40Z", asked)


def test_any_rulebook_can_be_asked_for_by_its_id(tmp_path):
    path = by_hand(tmp_path, 4, 10)
    asked = Question(rulebook="2026-08-11 hype-ltv")
    assert ("2026-08-11 hype-ltv", False) == verdict(
        of_book(path, "2026-08-10T00:00Z", asked, BY_HAND)
    )


def test_a_reading_is_chosen_and_the_report_says_when_it_decides(account):
    plain = margin(account, "2026-08-05T14:39Z", workings=True).margin.judgements[0]
    assert not plain.liquidatable
    assert plain.readings_decide
    asked = attrs.evolve(WHOLE, readings=("debt:gross",))
    taken = margin(account, "2026-08-05T14:39Z", asked, workings=True).margin.judgements[0]
    assert taken.liquidatable
    assert "debt:gross" in taken.readings


# ------------------------------------------------------------------------- as text


def test_ages_and_numbers_read_well():
    assert ["0s", "59s", "4m", "16h 38m", "2d 3h", ""] == [
        age_text(each) for each in (400, 59_999, 240_000, 59_880_000, 183_600_000, None)
    ]
    assert ["unknown", "0.3333333333", "1.5", "1000"] == [
        shown(each) for each in (None, D(1) / 3, D("1.50"), D("1E+3"))
    ]
