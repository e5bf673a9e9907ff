"""Which rules hold when: the threshold of HYPE around its change, and instants without rules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.errors import NotInForce, UnclearQuestion
from ledger.units import Dex
from projections.margin import Input, judge
from projections.rulebooks import CALENDAR, by_id
from projections.rulebooks.base import HYPE, USDC
from tests.support.pictures import exchange, moment, picture, position, token

D = Decimal


def hedged(at: str, ltv: Input | None = None):
    """Ten HYPE at 30 and a short that needs 220 USDC, with nothing else: 300 × 0.75 is 225."""
    return picture(
        token("USDC"),
        token("HYPE", total=10, supplied=10, price=30, ltv=ltv),
        at=at,
        exchanges=(exchange(position("ETH", size=-1, mark=4400), raw=4400),),
    )


def test_the_threshold_is_three_quarters_before_the_change_and_0_825_after():
    before, after = judge(hedged("2026-08-10")), judge(hedged("2026-08-20"))
    (one,), (two,) = before.judgements, after.judgements
    assert D("225") == one.token(HYPE).collateral.value
    assert D("247.5") == two.token(HYPE).collateral.value
    assert "2026-08-01 backstop/haircut_value" == one.token(HYPE).collateral.rule
    assert "2026-08-11 hype-ltv/haircut_value" == two.token(HYPE).collateral.rule
    assert (True, False) == (before.liquidatable, after.liquidatable)


def test_every_figure_carries_its_rule(figure):
    judgements = [judge(hedged(at)).judgements[0] for at in ("2026-08-10", "2026-08-20")]
    for each in judgements:
        rules = {figure.rule for figure in each.figures() if figure.rule}
        assert {each.rulebook} == {rule.partition("/")[0] for rule in rules}
    figure(
        line="3-2",
        text="HYPE threshold on 2026-08-10 and 2026-08-20, with rule ids",
        value="0.75 (2026-08-01 backstop), 0.825 (2026-08-11 hype-ltv)",
    )


def test_between_the_sight_and_the_page_both_verdicts_are_given(figure):
    margin = judge(hedged("2026-08-15"))
    assert ["2026-08-01 backstop", "2026-08-11 hype-ltv"] == [
        each.rulebook for each in margin.judgements
    ]
    assert [True, False] == [each.liquidatable for each in margin.judgements]
    assert (False, None, None) == (margin.agrees, margin.liquidatable, margin.decided_by)
    assert "two rulebooks may hold: one documented, one already seen at work" == margin.note
    figure(
        line="3-2",
        text="2026-08-15: both verdicts, and the report says so",
        value="liquidatable under one, not under the other",
    )


@pytest.mark.parametrize(
    ("ltv", "expected", "verdict"),
    [("0.5", "2026-08-01 backstop", True), ("0.65", "2026-08-11 hype-ltv", False)],
)
def test_a_recorded_loan_to_value_decides(ltv, expected, verdict):
    recorded = Input(D(ltv), "reserve state", moment("2026-08-12"))
    margin = judge(hedged("2026-08-15", recorded))
    assert [expected] == [each.rulebook for each in margin.judgements]
    assert recorded == margin.decided_by
    assert verdict is margin.liquidatable
    assert f"a recorded loan to value of {ltv} decides" == margin.note


def test_a_record_from_before_the_change_was_seen_decides_nothing():
    recorded = Input(D("0.5"), "reserve state", moment("2026-08-05"))
    assert 2 == len(judge(hedged("2026-08-15", recorded)).judgements)
    late = judge(hedged("2026-08-20", recorded)).judgements[0]
    assert D("247.5") == late.token(HYPE).collateral.value


def test_without_the_rule_of_the_instant_the_error_names_it(figure):
    with pytest.raises(NotInForce) as caught:
        judge(hedged("2026-01-01"))
    assert "2026-01-01T00:00:00.000Z" in str(caught.value)
    assert "2026-01-27 pre-alpha" in str(caught.value)
    without = tuple(each for each in CALENDAR if each.effective_from > moment("2026-08-01"))
    with pytest.raises(NotInForce, match=without[0].id):
        judge(hedged("2026-07-01"), calendar=without)
    figure(line="3-2", text="an instant whose rule is taken away", value="NotInForce, naming it")


def standard(day: str, mode: str = "disabled"):
    alone = exchange(position("BTC", size=1, mark=84_000, max_leverage=40), raw=-80_000)
    return picture(at=day, mode=mode, exchanges=(alone,))


def test_a_standard_account_is_judged_before_portfolio_margin_and_says_how_sure_that_is():
    (before,) = judge(standard("2025-06-01")).judgements
    (after,) = judge(standard("2026-02-01")).judgements
    assert ("2025-03-15 standard", "2026-01-27 pre-alpha") == (before.rulebook, after.rulebook)
    kept = [each.exchange(Dex("")).cross_maintenance for each in (before, after)]
    assert [D(1050), D(1050)] == [each.value for each in kept]
    assert ["inferred", "confirmed"] == [each.status for each in kept]
    assert False is before.liquidatable


@pytest.mark.parametrize(
    ("day", "mode", "earliest"),
    [
        ("2025-03-14", "disabled", "2025-03-15 standard"),
        ("2026-01-26", "unifiedAccount", "2026-01-27 pre-alpha"),
        ("2026-01-26", "portfolioMargin", "2026-01-27 pre-alpha"),
    ],
)
def test_where_no_rule_is_known_the_error_says_what_to_do(day, mode, earliest):
    with pytest.raises(NotInForce) as caught:
        judge(standard(day, mode))
    assert (
        f"no rulebook was in force at {day}T00:00:00.000Z for an account in the mode {mode}; the "
        f"earliest is {earliest}. To judge by it all the same, name it: --rulebook '{earliest}'"
    ) == str(caught.value)
    assert earliest == judge(standard(day, mode), (by_id(earliest),)).judgements[0].rulebook


def test_a_rulebook_of_standard_accounts_judges_no_other():
    with pytest.raises(UnclearQuestion, match="says nothing of an account in the mode unified"):
        judge(standard("2026-07-01", "unifiedAccount"), (by_id("2025-03-15 standard"),))


def test_a_calendar_without_its_beginning_gains_none():
    with pytest.raises(NotInForce, match="2026-03-14 alpha"):
        judge(standard("2025-06-01"), calendar=CALENDAR[1:])


def test_a_token_counts_only_while_it_is_eligible():
    usdh = token("USDH", total=100, supplied=100)
    march = judge(picture(token("USDC"), usdh, at="2026-04-01")).judgements[0]
    july = judge(picture(token("USDC"), usdh, at="2026-07-01")).judgements[0]
    assert (True, False) == tuple(each.token(usdh.asset).is_borrowable for each in (march, july))
    assert D(100) == july.token(usdh.asset).available.value


def test_caps_of_the_day_limit_what_counts():
    held = token("HYPE", total=300, supplied=300, price=30)
    early = judge(picture(token("USDC"), held, at="2026-02-01")).judgements[0]
    later = judge(picture(token("USDC"), held, at="2026-04-01")).judgements[0]
    assert D(200 * 30) * D("0.75") == early.token(HYPE).collateral.value
    assert D(300 * 30) * D("0.75") == later.token(HYPE).collateral.value
    assert D(1000) == early.token(USDC).available.value  # the borrow cap of a user, then
    assert D("1.5") == early.token(HYPE).supply_cap_use.value
