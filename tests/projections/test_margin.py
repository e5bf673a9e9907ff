"""Margin of composed pictures: modes, tiers, what is unknown, workings, ways side by side."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger.errors import UnclearQuestion
from ledger.money import canonical, exact, round_half_even
from ledger.units import Asset, Coin, Dex
from projections.arithmetic import EXACT
from projections.margin import Input, Pool, Step, Unknown, judge
from projections.margin.efficiency import efficiency
from projections.margin.perps import tier_at
from projections.rulebooks import by_id, formulas
from projections.rulebooks.base import HYPE, USDC, USDH, USDT0
from projections.rulebooks.tiers import documented_tiers
from tests.support.pictures import exchange, given, moment, picture, position, token

D = Decimal
BOOK = by_id("2026-06-23 caps")
HYPE_TIERS = (
    Step(lower_bound=D(0), max_leverage=D(10)),
    Step(lower_bound=D(20_000_000), max_leverage=D(5)),
)


def one(shown, **options):
    """Return the only judgement of a picture."""
    (judgement,) = judge(shown, **options).judgements
    return judgement


# ------------------------------------------------------------------------- standard


def long_hype(**changes):
    """A thousand of equity behind 5 000 of HYPE: raw money is what was borrowed of the exchange."""
    return picture(
        mode="disabled",
        exchanges=(exchange(position("HYPE", size=100, mark=50, entry=48, **changes), raw=-4000),),
    )


def test_a_standard_account_is_judged_exchange_by_exchange():
    judgement = one(long_hype())
    main = judgement.exchange(Dex(""))
    assert D(1000) == main.account_value.value
    assert D(250) == main.cross_maintenance.value
    assert D(1000) == main.initial.value
    assert D(1000) == main.transfer_requirement.value
    assert D(200) == main.positions[0].unrealized.value
    assert False is judgement.liquidatable
    assert judgement.ratio is None
    price = main.positions[0].liquidation_price.value
    assert "42.1052631579" == canonical(round_half_even(price, 10))


def test_at_its_liquidation_price_an_account_is_exactly_at_maintenance():
    price = one(long_hype()).exchange(Dex("")).positions[0].liquidation_price.value
    shown = picture(
        mode="disabled", exchanges=(exchange(position("HYPE", size=100, mark=price), raw=-4000),)
    )
    main = one(shown).exchange(Dex(""))
    with exact():
        short = main.cross_maintenance.value - main.cross_value.value
    assert abs(short) < D("1e-6")
    below = picture(
        mode="disabled", exchanges=(exchange(position("HYPE", size=100, mark="42.1"), raw=-4000),)
    )
    assert True is one(below).liquidatable


def test_a_tenth_of_the_notional_must_stay_whatever_the_leverage():
    main = one(long_hype(leverage=40)).exchange(Dex(""))
    assert (D(125), D(500)) == (main.initial.value, main.transfer_requirement.value)


def test_an_isolated_position_stands_for_itself():
    shown = picture(
        mode="disabled",
        exchanges=(
            exchange(
                position("BTC", size=-1, mark=100, isolated_raw=110),
                position("HYPE", size=10, mark=50),
                raw=-280,
            ),
        ),
    )
    judgement = one(shown)
    main, alone = judgement.exchange(Dex("")), judgement.position(Coin("BTC"))
    assert D(120) == main.account_value.value
    assert (D(10), D(110)) == (alone.margin.value, main.cross_value.value)
    assert D(25) == main.cross_maintenance.value
    assert D(5) == alone.free.value
    counting = [each.question for each in judgement.verdicts if each.counts]
    assert ["cross margin", "isolated margin"] == counting
    assert {False} == {each.holds for each in judgement.verdicts}
    assert {"BTC", "main dex"} == {each.of for each in judgement.verdicts}


def test_below_two_thirds_of_maintenance_the_backstop_may_take_over():
    def value(mark: str):
        shown = picture(
            mode="disabled",
            exchanges=(exchange(position("HYPE", size=100, mark=mark), raw=-4000),),
        )
        return {each.question: each.holds for each in one(shown).verdicts}

    assert {"cross margin": True, "cross margin, backstop": False} == value("42")
    assert {"cross margin": True, "cross margin, backstop": True} == value("41")
    with exact():
        assert D(40) == formulas.bankruptcy_price(EXACT, D(42), D(1), D(200), D(100))


def test_the_discontinued_mode_is_judged_exchange_by_exchange():
    assert False is one(attrs.evolve(long_hype(), mode="dexAbstraction")).liquidatable


# ------------------------------------------------------------------------- tiers


def test_tiers_and_their_deductions():
    assert [0, 0, 1] == [tier_at(HYPE_TIERS, D(each)) for each in (1, 20_000_000, 20_000_001)]
    shown = picture(
        mode="disabled",
        exchanges=(exchange(position("HYPE", size=600_000, mark=50, tiers=HYPE_TIERS), raw=0),),
    )
    found = one(shown).position(Coin("HYPE"))
    assert D(30_000_000) / 10 - 1_000_000 == found.maintenance.value
    assert "0.1" == canonical(EXACT.ratio(D(1), D(2) * D(5)))


def test_documented_tiers_hold_since_their_page():
    assert () == documented_tiers(Coin("BTC"), moment("2026-04-01"))
    assert ((D(0), 40), (D(150_000_000), 20)) == documented_tiers(Coin("BTC"), moment("2026-05-01"))
    assert ((D(0), 10), (D(3_000_000), 5)) == documented_tiers(Coin("ARB"), moment("2026-05-01"))
    assert () == documented_tiers(Coin("FOO"), moment("2026-05-01"))


# ------------------------------------------------------------------------- unified


def test_a_unified_account_shares_one_balance_by_token():
    shown = picture(
        token("USDC", total=1000),
        token("USDH", total=100),
        mode="unifiedAccount",
        exchanges=(
            exchange(position("BTC", size=1, mark=4000), raw=-3500),
            exchange(position("xyz:GOLD", size=1, mark=4000), raw=-3900, dex="xyz"),
            exchange(position("h:OIL", size=1, mark=1000), raw=-990, dex="h", collateral="USDH"),
        ),
    )
    judgement = one(shown)
    usdc, usdh = judgement.token(USDC), judgement.token(USDH)
    assert (D(400), D("0.4"), D(600)) == (
        usdc.maintenance.value, usdc.ratio.value, usdc.available.value,
    )  # fmt: skip
    assert (D(50), D("0.5")) == (usdh.maintenance.value, usdh.ratio.value)
    assert D("0.5") == judgement.ratio.value
    assert False is judgement.liquidatable
    gold = judgement.position(Coin("xyz:GOLD"))
    assert D(600) == gold.free.value


def test_isolated_margin_is_not_shared_in_a_unified_account():
    shown = picture(
        token("USDC", total=1000),
        mode="unifiedAccount",
        exchanges=(
            exchange(
                position("BTC", size=1, mark=4000),
                position("ETH", size=1, mark=100, isolated_raw=-50),
                raw=-3500,
            ),
        ),
    )
    usdc = one(shown).token(USDC)
    assert D(750) == usdc.available.value
    assert "0.2105263158" == canonical(round_half_even(usdc.ratio.value, 10))


# ------------------------------------------------------------------------- portfolio margin


def hedged(**changes):
    """A hundred HYPE supplied, a hundred short; the short has lost 300, which is borrowed."""
    return picture(
        token("USDC", total=-300, borrowed=300),
        token("HYPE", total=100, supplied=100, price=50),
        exchanges=(exchange(position("HYPE", size=-100, mark=50, entry=47), raw=5000),),
        **changes,
    )


def test_a_net_debtor_is_judged_by_hypothetical_terms_and_says_so():
    judgement = one(hedged())
    usdc = judgement.token(USDC)
    with exact():
        assert D(250 + 300 + 20) == usdc.requirement_observed.value
    assert D("3750") == usdc.liquidation_value.value
    assert "0.152" == canonical(judgement.ratio.value)
    assert "hypothetical" == judgement.ratio.status
    assert "no net debtor is recorded" in usdc.requirement_observed.note


def test_the_ratio_is_the_highest_over_borrowable_tokens():
    shown = picture(
        token("USDC", total=1000),
        token("USDT0", total=100, price="0.999"),
        exchanges=(
            exchange(position("BTC", size=1, mark=4000), raw=-3000),
            exchange(position("t:OIL", size=1, mark=1000), raw=-900, dex="t", collateral="USDT0"),
        ),
    )
    judgement = one(shown)
    assert (D("0.2"), D("0.5")) == tuple(
        judgement.token(each).ratio.value for each in (USDC, USDT0)
    )
    assert (D("0.5"), "USDT0") == (judgement.ratio.value, judgement.ratio.of)


def test_a_token_that_cannot_be_borrowed_stands_alone_behind_its_exchange():
    def shown(total: int):
        return picture(
            token("USDC", total=9000),
            token("USDE", total=total),
            exchanges=(exchange(position("e:OIL", size=1, mark=1000), dex="e", collateral="USDE"),),
        )

    assert (True, False) == (one(shown(50)).liquidatable, one(shown(60)).liquidatable)
    (found,) = [each for each in one(shown(50)).verdicts if each.question == "unified ratio"]
    assert ("USDE", True, "inferred") == (found.of, found.holds, found.status)


def test_what_can_still_be_borrowed_is_limited_by_power_caps_and_pool():
    rich = picture(token("USDC"), token("HYPE", total=100, supplied=100, price=50))
    assert D(2500) == one(rich).token(USDC).can_borrow.value
    assert "the reserve's own limits are not known" == one(rich).token(USDC).can_borrow.note
    pool = Pool(asset=USDC, balance=given(1200), borrowed=given(500_000_000 - 900))
    limited = attrs.evolve(rich, pools=(pool,))
    assert D(900) == one(limited).token(USDC).can_borrow.value
    dry = attrs.evolve(rich, pools=(attrs.evolve(pool, balance=given(7)),))
    assert D(7) == one(dry).token(USDC).can_borrow.value


def test_collateral_that_backs_positions_cannot_be_withdrawn():
    judgement = one(hedged())
    with exact():
        need = D(1000) + 300
        assert EXACT.ratio(need, D(25)) == judgement.token(HYPE).locked.value
        assert D(100) - need / 25 == judgement.token(HYPE).can_withdraw.value


def borrower(**debts):
    """The health factor of the FAQ: 1 BTC at 80 000 and 200 HYPE at 50 lend 45 000."""
    return picture(
        *(token(name, borrowed=owed) for name, owed in debts.items()),
        token("HYPE", total=200, supplied=200, price=50),
        token("UBTC", total=1, supplied=1, price=80_000),
    )


def test_what_is_borrowed_gross_keeps_its_collateral():
    """No net balance is below zero here, so that no hold shows it: the health factor does."""
    judgement = one(borrower(USDC=42_000))
    assert D("1.0714285714") == round_half_even(judgement.health_factor.value, 10)
    # (45 000 − 42 000) ÷ (50 × 0.5), and ÷ (80 000 × 0.5)
    assert D(120) == judgement.token(HYPE).can_withdraw.value
    assert D("0.075") == judgement.token(Asset("UBTC")).can_withdraw.value
    assert "inferred" == judgement.token(HYPE).can_withdraw.status


def test_debts_of_all_tokens_keep_collateral_together():
    judgement = one(borrower(USDC=30_000, USDT0=12_000))
    assert D(120) == judgement.token(HYPE).can_withdraw.value
    assert D(0) == one(borrower(USDC=30_000, USDT0=15_001)).token(HYPE).can_withdraw.value


def test_after_withdrawing_what_can_be_the_health_factor_is_one():
    less = borrower(USDC=42_000)
    held = attrs.evolve(less.token(HYPE), total=given(80), supplied=given(80))
    tokens = tuple(held if each.asset == HYPE else each for each in less.tokens)
    judgement = one(attrs.evolve(less, tokens=tokens))
    assert D(1) == judgement.health_factor.value
    assert D(0) == judgement.token(HYPE).can_withdraw.value


def test_transfers_of_exchanges_in_any_token_keep_collateral():
    """A short of 10 000 in USDT0 asks for 1 000 that is not there; 100 HYPE at 50 lend 2 500."""
    oil = position("vnt:OIL", size=-100, mark=100, leverage=20, max_leverage=20)
    shown = picture(
        token("USDC"),
        token("USDT0"),
        token("HYPE", total=100, supplied=100, price=50),
        exchanges=(exchange(oil, dex="vnt", collateral="USDT0", raw=10_000),),
    )
    assert D(60) == one(shown).token(HYPE).can_withdraw.value


def test_health_does_not_exist_without_a_debt():
    judgement = one(picture(token("USDC", total=5), token("HYPE", total=1, supplied=1, price=50)))
    assert judgement.health_factor.value is None
    assert "nothing is borrowed" == judgement.health_factor.note
    assert () == judgement.health_factor.missing


def test_isolated_margin_inside_or_outside_is_a_reading():
    shown = picture(
        token("USDC", total=1000),
        exchanges=(
            exchange(
                position("BTC", size=1, mark=4000),
                position("ETH", size=1, mark=100, isolated_raw=-50),
                raw=-3500,
            ),
        ),
    )
    outside, inside = one(shown), one(shown, readings=("isolated:inside",))
    assert (D(750), D(800)) == tuple(each.token(USDC).available.value for each in (outside, inside))


def test_an_empty_account_is_not_liquidatable_under_any_reading():
    judgement = one(picture(token("USDC")))
    assert False is judgement.liquidatable
    assert {False} == {
        each.liquidatable for each in judgement.alternatives
        if "offset:always" not in each.readings
    }  # fmt: skip


# ------------------------------------------------------------------------- unknown


def test_a_missing_price_makes_everything_that_needs_it_unknown_by_name():
    shown = hedged().with_price(HYPE, Unknown("oracle price of HYPE"))
    judgement = one(shown)
    name = ("oracle price of HYPE",)
    assert (None, name) == (judgement.ratio.value, judgement.ratio.missing)
    for figure in (judgement.health_factor, judgement.borrowing_power, judgement.full_threshold):
        assert (None, name) == (figure.value, figure.missing)
    assert judgement.liquidatable is None
    assert name == judgement.missing
    main = judgement.exchange(Dex(""))
    assert D(250) == main.cross_maintenance.value
    assert name == main.positions[0].liquidation_price.missing


def test_a_missing_mark_is_named_and_never_zero():
    shown = picture(
        token("USDC", total=1000),
        exchanges=(exchange(position("ETH", size=1, mark=Unknown("mark of ETH")), raw=0),),
    )
    judgement = one(shown)
    assert ("mark of ETH",) == judgement.ratio.missing
    assert judgement.exchange(Dex("")).account_value.value is None


def test_the_venue_s_own_total_stands_in_where_positions_do_not_say():
    shown = picture(
        token("USDC", total=1000),
        exchanges=(
            attrs.evolve(
                exchange(position("ETH", size=1, mark=Unknown("mark of ETH")), raw=0),
                reported_maintenance=given(50),
            ),
        ),
    )
    judgement = one(shown)
    assert D("0.05") == judgement.ratio.value
    assert "" == judgement.exchange(Dex("")).cross_maintenance.rule


def test_a_balance_that_is_not_in_the_picture_is_unknown():
    shown = picture(exchanges=(exchange(position("ETH", size=1, mark=100), raw=0),))
    for mode in ("portfolioMargin", "unifiedAccount"):
        judgement = one(attrs.evolve(shown, mode=mode))
        assert ("balance of USDC",) == judgement.ratio.missing
        assert judgement.liquidatable is None


def test_nothing_is_judged_while_the_mode_is_unknown():
    with pytest.raises(UnclearQuestion, match="mode is not known"):
        judge(picture(mode=None))


def test_a_cap_nobody_knows_is_not_no_cap():
    bare = attrs.evolve(
        BOOK, tokens={**BOOK.tokens, HYPE: attrs.evolve(BOOK.tokens[HYPE], user_supply_cap=None)}
    )
    (judgement,) = judge(hedged(), (bare,)).judgements
    assert ("user supply cap of HYPE",) == judgement.ratio.missing


# ------------------------------------------------------------------------- workings


def test_workings_give_the_same_figures():
    for shown in (hedged(), long_hype(), attrs.evolve(hedged(), mode="unifiedAccount")):
        plain, worked = one(shown), one(shown, workings=True)
        assert () == plain.lines
        assert plain == attrs.evolve(worked, lines=())


def test_the_derivation_names_inputs_rules_ages_and_the_nearest_other_reading():
    price = Input(D(50), "reserve state", moment("2026-06-30T23:59"))
    shown = hedged().with_price(HYPE, price)
    usdc = attrs.evolve(shown.tokens[0], borrowed=given(400))
    judgement = one(attrs.evolve(shown, tokens=(usdc, shown.tokens[1])), workings=True)
    lines = {(line.name, line.of): line for line in judgement.lines}
    given_price = lines["oracle price", "HYPE"]
    assert ("reserve state", 60_000, "") == (
        given_price.source, given_price.age_ms, given_price.rule,
    )  # fmt: skip
    ratio = lines["margin ratio", "USDC"]
    assert "2026-06-23 caps/margin_ratio" == ratio.rule
    assert (
        "requirement with a net debt of USDC [570] ÷ liquidation value of USDC [3750]"
        == ratio.formula
    )
    assert "debt:gross: 0.1786666667" == ratio.alternative
    value = lines["collateral value", "HYPE"]
    assert (
        "min(supplied of HYPE [100], user supply cap of HYPE [1000000]) × oracle price of HYPE "
        "[50] × liquidation threshold of HYPE [0.75]" == value.formula
    )
    assert D(3750) == value.value


# ------------------------------------------------------------------------- side by side


def test_what_a_hedge_saves_is_shown_side_by_side(figure):
    ways = {each.way: each for each in efficiency(hedged(), BOOK)}
    assert ["isolated", "cross", "unified", "portfolio"] == list(ways)
    assert D(250) == ways["unified"].maintenance == ways["portfolio"].maintenance
    assert {D(1000)} == {each.requirement for each in ways.values()}
    assert (D(-1300), D(1200)) == (ways["unified"].free, ways["portfolio"].free)
    assert D(2500) == ways["portfolio"].freed
    with exact():
        assert EXACT.divide_half_even(D(2500), D(4700), 10) == ways["portfolio"].freed_share
    assert D(0) == ways["unified"].freed
    alone = ways["portfolio"].distances[0]
    assert alone.alone is not None
    assert alone.together is None or alone.together < 0 or alone.together != alone.alone
    figure(
        line="3-5",
        text="100 HYPE supplied against 100 short: freed by portfolio margin",
        value=f"{ways['portfolio'].freed} USDC, {ways['portfolio'].freed_share} of the account",
    )


def test_distances_move_together_with_what_hedges():
    shown = picture(
        token("USDC", total=1000),
        token("HYPE", total=60, supplied=60, price=50),
        exchanges=(exchange(position("HYPE", size=-100, mark=50), raw=6000),),
    )
    ways = {each.way: each for each in efficiency(shown, BOOK)}
    unified, portfolio = ways["unified"].distances[0], ways["portfolio"].distances[0]
    with exact():
        assert EXACT.ratio(D(750), D(105)) + 50 == pytest.approx(unified.alone)
        free = D(1000) + D(60 * 50) * D("0.75") - 250
        slope = D(-100) - D(100) * D("0.05") + D(60) * D("0.75")
        assert D(50) - EXACT.ratio(free, slope) == portfolio.together
    assert unified.together == unified.alone
    assert portfolio.alone < portfolio.together
    assert unified.alone_share < portfolio.together_share


def test_with_that_price_for_mark_and_oracle_the_margin_is_used_up():
    first = picture(
        token("USDC", total=1000),
        token("HYPE", total=60, supplied=60, price=50),
        exchanges=(exchange(position("HYPE", size=-100, mark=50), raw=6000),),
    )
    price = efficiency(first, BOOK)[3].distances[0].together
    with exact():
        total = D(1000) - D(100) * (price - 50)
        moved = picture(
            token("USDC", total=total),
            token("HYPE", total=60, supplied=60, price=price),
            exchanges=(exchange(position("HYPE", size=-100, mark=price), raw=6000),),
        )
    judged = judge(moved, (BOOK,)).judgements[0]
    # A net debt stands here against what the formula of liquidation prices simply goes on with.
    with exact():
        left = total + judged.token(HYPE).collateral.value
        left -= judged.exchange(Dex("")).cross_maintenance.value
    assert abs(left) < D("1e-6")


def test_a_standard_account_can_be_seen_as_the_others():
    ways = {each.way: each for each in efficiency(long_hype(), BOOK)}
    assert {D(1000)} == {each.margin for each in ways.values()}
    isolated, cross = ways["isolated"].distances[0], ways["cross"].distances[0]
    assert isolated.alone == cross.alone == ways["unified"].distances[0].alone


# ------------------------------------------------------------------------- inferred


def test_formulas_of_rates_over_a_period():
    with exact():
        rate = formulas.simple_rate(EXACT, D(5), D(100) * D(31_536_000_000))
        assert D("0.05") == rate
        assert D("0.0512710964") == formulas.effective_rate(EXACT, rate)
