"""Texts of the venue that contradict each other: both readings computed, the difference shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.errors import UnclearQuestion
from ledger.money import canonical, exact, round_half_even
from projections.arithmetic import EXACT
from projections.margin import judge
from projections.rulebooks import CALENDAR, by_id, contested, formulas
from projections.rulebooks.base import HYPE, USDC
from tests.support.pictures import exchange, picture, position, token

D = Decimal


def verdict(judgement, question: str):
    """Return what one question was answered."""
    return next(each for each in judgement.verdicts if each.question == question)


def indebted(*, price: object, debt: object = 250, at: str = "2026-07-01"):
    """The FAQ's borrower: ten HYPE supplied, USDC borrowed and spent."""
    return picture(
        token("USDC", total=-D(str(debt)), borrowed=debt),
        token("HYPE", total=10, supplied=10, price=price),
        at=at,
    )


def test_1_the_faq_s_borrowing_power_lock_and_health(figure):
    rich = picture(token("USDC"), token("HYPE", total=10_000, supplied=10_000, price=40))
    judgement = judge(rich).judgements[0]
    assert D(200_000) == judgement.borrowing_power.value
    assert D(200_000) == judgement.token(USDC).can_borrow.value
    bound = picture(
        token("USDC", total=-100, borrowed=100), token("HYPE", total=10, supplied=10, price=40)
    )
    assert D(5) == judge(bound).judgements[0].token(HYPE).locked.value
    assert D(5) == judge(bound).judgements[0].token(HYPE).can_withdraw.value
    healthy = picture(
        token("USDC", total=-42_000, borrowed=42_000),
        token("UBTC", total=1, supplied=1, price=80_000),
        token("HYPE", total=200, supplied=200, price=50),
    )
    factor = judge(healthy).judgements[0].health_factor.value
    assert "1.0714285714" == canonical(round_half_even(factor, 10))
    figure(line="3-3", text="B1: power, locked collateral, health", value="200000, 5, 1.0714285714")


def test_2_at_33_the_borrow_is_liquidated_in_part():
    judgement = judge(indebted(price=33)).judgements[0]
    assert D("247.5") == judgement.partial_threshold.value
    assert True is verdict(judgement, "borrow, partial").holds
    assert False is verdict(judgement, "borrow, full").holds
    assert False is verdict(judgement, "borrow, full, as printed").holds


def test_2_at_30_the_documents_disagree_whether_the_borrow_is_liquidated_whole(figure):
    judgement = judge(indebted(price=30)).judgements[0]
    whole, printed = judgement.full_threshold.value, judgement.full_threshold_printed.value
    assert "250" == canonical(round_half_even(whole, 10))
    assert D("249.9") == printed
    assert False is verdict(judgement, "borrow, full").holds
    assert True is verdict(judgement, "borrow, full, as printed").holds
    assert True is judgement.documents_disagree
    figure(
        line="3-3",
        text="B2: full threshold of the FAQ's example, documents disagree",
        value=f"{round_half_even(whole, 2)} and {printed:.2f}, debt 250",
    )


def test_2_two_thirds_are_exact_at_the_boundary():
    """A threshold of 249.999… would trigger at a debt of 250; exactly, 250 is not above 250."""
    judgement = judge(indebted(price=30)).judgements[0]
    over = verdict(judgement, "borrow, full").figure
    assert D(0) == over.value
    one_more = judge(indebted(price=30, debt="250.00000001")).judgements[0]
    assert True is verdict(one_more, "borrow, full").holds


def carry(price: object):
    """A bitcoin supplied, one short since 100 000: the loss of the short is what is borrowed."""
    px = D(str(price))
    debt = px - 100_000
    return picture(
        token("USDC", total=-debt, borrowed=debt),
        token("UBTC", total=1, supplied=1, price=px),
        exchanges=(exchange(position("BTC", size=-1, mark=px, max_leverage=40), raw=px),),
    )


def test_3_must_reduce_at_200k_speaks_of_the_borrow_limit(figure):
    at_150, at_200, at_400 = (
        judge(carry(price)).judgements[0] for price in (150_000, 200_000, 400_000)
    )
    assert D(50_000) == at_150.debt.value
    assert D(1) == at_200.health_factor.value
    assert D(0) == at_200.token(USDC).can_borrow.value
    assert False is verdict(at_200, "borrow, partial").holds
    assert D(300_000) == at_400.partial_threshold.value == at_400.debt.value
    assert False is verdict(at_400, "borrow, partial").holds
    assert True is verdict(judge(carry(400_001)).judgements[0], "borrow, partial").holds
    figure(
        line="3-3",
        text="B3: carry trade, borrow limit and partial threshold",
        value="health 1 at 200000, partial above 400000",
    )


def test_4_the_documented_reserve_states_fit_nominal_and_effective_rates_alike(figure):
    """Without moments the two conventions differ in the time they imply; a dated pair decided."""
    with exact():
        before, after = D("60582.61869494"), D("60582.62446067")
        nominal = EXACT.ratio((after - before) * D(31_536_000), before * D("0.05"))
        ln = D("0.04879016416943200306537442215")
        effective = EXACT.ratio((after - before) * D(31_536_000), before * ln)
    assert ("60.03", "61.51") == tuple(
        canonical(round_half_even(each, 2)) for each in (nominal, effective)
    )
    figure(line="3-3", text="B4: seconds implied, nominal and effective", value="60.03, 61.51")


def test_5_deductions_make_tiers_continuous(figure):
    with exact():
        bitcoin = formulas.tier_deduction(EXACT, D(0), D(150_000_000), D("0.025"), D("0.0125"))
        low = formulas.maintenance(EXACT, D(150_000_000), D(40), D(0))
        high = formulas.maintenance(EXACT, D(150_000_000), D(20), bitcoin)
    assert (D(1_875_000), low) == (bitcoin, high)
    figure(line="3-3", text="B5: deduction of BTC above 150M", value="1875000, continuous")


def test_6_the_ranking_of_deleveraging(figure):
    with exact():
        index = contested.deleveraging_index(EXACT, D(120), D(100), D(6_000), D(2_000))
    assert D("3.6") == index
    figure(line="3-3", text="B6: (mark ÷ entry) × (notional ÷ value)", value="3.6")


def on_the_edge():
    """Requirement 95 of a value of 100, to the last digit."""
    return picture(
        token("USDC", total=100),
        exchanges=(exchange(position("ETH", size=1, mark=1900, max_leverage=10), raw=-1800),),
    )


def test_7_above_95_percent_or_95_percent_and_more(figure):
    strict = judge(on_the_edge()).judgements[0]
    inclusive = judge(on_the_edge(), readings=("trigger:inclusive",)).judgements[0]
    assert D("0.95") == strict.ratio.value == inclusive.ratio.value
    assert (False, True) == (strict.liquidatable, inclusive.liquidatable)
    assert True is strict.readings_decide
    figure(line="3-3", text="B7: ratio of exactly 0.95", value="not liquidatable; liquidatable")


def test_7_before_the_faq_there_was_only_above():
    """The FAQ appeared on 2026-05-18; its reading is passed over on earlier days."""
    picture = on_the_edge()
    early = judge(picture, (by_id("2026-05-07 caps"),), readings=("trigger:inclusive",))
    assert False is early.liquidatable


def test_7_the_page_has_hype_at_0_65_and_the_faq_at_50_percent(figure):
    held = picture(token("USDC"), token("HYPE", total=100, supplied=100, price=10), at="2026-08-20")
    page = judge(held).judgements[0]
    faq = judge(held, readings=("ltv:faq",)).judgements[0]
    values = (page.token(HYPE).collateral.value, faq.token(HYPE).collateral.value)
    assert (D(825), D(750)) == values
    assert (D(650), D(500)) == (page.borrowing_power.value, faq.borrowing_power.value)
    figure(line="3-3", text="B7: 1000 USDC of HYPE, page and FAQ", value="825 and 750")


def test_7_who_may_join_is_told_as_the_page_tells_it_and_the_faq_otherwise(figure):
    book = CALENDAR[-1]
    page, faq = book.readings_of("eligibility")
    assert ("eligibility:page", "eligibility:faq") == (page.id, faq.id)
    assert "25M" in page.says
    assert "5M" in faq.says
    figure(line="3-3", text="B7: account value below", value="25M (page), 5M (FAQ)")


def test_7_takeover_without_a_market_phase_or_into_the_book(figure):
    book = CALENDAR[-1]
    assert ("takeover:direct", "takeover:book") == tuple(
        each.id for each in book.readings_of("takeover")
    )
    assert () == by_id("2026-06-23 caps").readings_of("takeover")
    figure(line="3-3", text="B7: takeover", value="direct (page), into the order book (FAQ)")


def test_7_the_slippage_formula_cannot_be_meant_as_printed(figure):
    """As printed, ``size·oracle·(LTV+2)/3)·width`` has one bracket too few."""
    with exact():
        amounts = (D(300_000), D("0.65"), D(3_000_000))
        printed = contested.takeover_printed(EXACT, *amounts)
        share = contested.takeover_ratio(EXACT, *amounts)
    assert D("0.0883333333") == round_half_even(share, 10)
    assert D("795000000000") == printed
    figure(
        line="3-3",
        text="B7: slippage of a takeover of 300000 USDC of HYPE, as printed and as a ratio",
        value="795000000000 and 0.0883333333",
    )


def test_7_graph_result_with_deposits_added_or_taken_away(figure):
    with exact():
        amounts = (D(1_500), D(1_000), D(200))
        printed = contested.graph_result_printed(EXACT, *amounts)
        sensible = contested.graph_result(EXACT, *amounts)
    assert (D(2_300), D(700)) == (printed, sensible)
    figure(line="3-3", text="B7: graph result as printed, and as it must be", value="2300, 700")


def test_7_closed_result_with_or_without_the_fee(figure):
    """Opening fills show a result of zero beside a fee: the API's figure is without it."""
    with exact():
        page = contested.closed_result_printed(EXACT, D(100), D("1.5"))
        net = contested.closed_result_net(EXACT, D(100), D("1.5"))
    assert (D("101.5"), D("98.5")) == (page, net)
    figure(
        line="3-3",
        text="B7: closed result of 100 with a fee of 1.5: page, and web export",
        value="101.5, 98.5",
    )


def test_a_reading_of_no_known_form_is_refused():
    with pytest.raises(UnclearQuestion, match="is no reading"):
        judge(on_the_edge(), readings=("strictly",))
    with pytest.raises(UnclearQuestion, match="no rulebook knows"):
        judge(on_the_edge(), readings=("trigger:sometimes",))
