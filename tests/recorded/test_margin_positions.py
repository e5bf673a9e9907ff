"""Positions, exchanges and liquidation prices of recorded accounts, beside the venue's figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.events import PerpStateObserved
from ledger.money import canonical, divide_half_even, exact, round_half_even
from projections.arithmetic import EXACT
from projections.margin import Input, judge, observed
from projections.margin.claims import compare
from projections.margin.efficiency import efficiency
from projections.rulebooks import by_id, formulas
from projections.rulebooks.base import HYPE, USDH
from tests.support.recorded_margin import (
    HEDGER,
    IDLE,
    SEPTEMBER,
    SHORT,
    D,
    beside,
    borrowers_judgement,
    factor,
    judged,
    shown_as,
)
from tests.support.states import States, asset, read

pytestmark = pytest.mark.recorded


def test_liquidation_prices_of_portfolio_margin_agree_to_1e_8(
    borrower: States, march: dict[str, States], figure
):
    _, against = borrowers_judgement(borrower)
    _, short = judged(march[SHORT])
    found = [
        each
        for each in (*against.values(), *short.values())
        if each.name == "liquidation price" and each.venue is not None
    ]
    worst = max(divide_half_even(abs(each.residual), each.venue, 15) for each in found)
    assert 9 == len(found)
    assert worst <= D("1e-8")
    none = [each for each in (*against.values(),) if each.name == "liquidation price"
            and each.venue is None]  # fmt: skip
    assert {"AAVE", "NEAR"} == {each.of for each in none}
    assert all(each.ours.value is None and each.ours.note for each in none)
    figure(
        line="3-1",
        text="9 cross liquidation prices in portfolio margin, 2 have none",
        value=f"worst relative residual {worst:.1E}",
    )


def test_the_hedged_long_has_no_liquidation_price(march: dict[str, States]):
    _, against = judged(march[HEDGER])
    found = against["liquidation price", "HYPE"]
    assert found.venue is None
    assert found.ours.value is None
    assert "no positive price uses it up" == found.ours.note


def test_two_quoted_liquidation_prices(borrower: States, march: dict[str, States], figure):
    """Examples 9 and 11, from the venue's own available; the specification rounds 9 upward."""
    with exact():
        hype = formulas.liquidation_price(
            EXACT, D("36.399"), D(-1), D("15555.59995875"), D("-1144.61"), D(10)
        )
        bitcoin = formulas.liquidation_price(
            EXACT, D(78347), D(-1), D("704117.0719243229"), D("-11.358715226"), D(40)
        )
    assert abs(hype - D("49.3421484118")) <= D("1e-10")
    assert "139570.849241" == canonical(round_half_even(bitcoin, 6))
    assert abs(hype - march[SHORT].position("HYPE").liquidation_px) < D("2e-9")
    venue = borrower.position("BTC").liquidation_px
    assert divide_half_even(abs(bitcoin - venue), venue, 15) < D("1e-11")
    figure(
        line="3-1",
        text="examples 9 and 11 (consistent: the venue's own available)",
        value=f"residuals {shown_as(hype - D('49.3421484099'))}, {shown_as(bitcoin - venue)}",
    )


# ------------------------------------------------------------------------- §3.1, §3.5


def test_account_values_are_exact(march, borrower, unified, figure):
    found = []
    for shown in (march[SHORT], march[HEDGER], march[IDLE], borrower, unified):
        picture = shown.picture()
        judgement = judge(picture, (by_id(SEPTEMBER),)).judgements[0]
        found.append(beside(judgement, picture, shown)["account value", "main dex"])
    assert {"predicted"} == {each.grade for each in found}
    assert all(abs(each.residual) < D("1e-9") for each in found)
    figure(
        line="3-1",
        text="account values of five states (predicted)",
        value=f"worst residual {shown_as(max(abs(each.residual) for each in found))}",
    )


def test_maintenance_is_cut_at_six_places_position_by_position(
    borrower: States, march: dict[str, States], figure
):
    """Brought back to scale, ten cut parts add up to the recorded sum; exact parts do not."""
    share, side = factor(borrower), borrower.perps[0]
    with exact():
        recorded = divide_half_even(side.cross_maintenance, share, 6)
        parts, whole = [], []
        for row in side.positions:
            value = divide_half_even(row.value, share, 6)
            parts.append(formulas.maintenance(EXACT, value, D(row.max_leverage), D(0)))
            whole.append(EXACT.ratio(value, D(2 * row.max_leverage)))
        assert recorded == sum(parts)
        assert D("0.000002") < sum(whole) - recorded < D("0.000003")
    _, short = judged(march[SHORT])
    _, hedger = judged(march[HEDGER])
    found = (short["cross maintenance", "main dex"], hedger["cross maintenance", "main dex"])
    assert (0, 0) == tuple(each.residual for each in found)
    assert {"predicted"} == {each.grade for each in found}
    figure(
        line="3-1",
        text="cross maintenance of 0xb1c4, 0xfc8b, and ten positions to scale",
        value="residuals 0, 0, 0",
    )


def test_returns_on_equity_need_the_entry_notional_not_the_shown_price(
    march: dict[str, States], borrower: States, unified: States, figure
):
    found = []
    for shown in (march[SHORT], march[HEDGER], borrower, unified):
        picture = shown.picture()
        judgement = judge(picture, (by_id(SEPTEMBER),)).judgements[0]
        against = beside(judgement, picture, shown).values()
        found += [each for each in against if each.name == "return on equity"]
    assert 13 == len(found)
    assert {"predicted"} == {each.grade for each in found}
    worst = max(abs(each.residual) for each in found)
    assert worst <= D("1e-8")
    with exact():
        rough = D("-1144.61") * (D("36.399") - D("37.6769"))
    assert "1462.697" == canonical(round_half_even(rough, 3))
    assert D("1462.739658") == march[SHORT].position("HYPE").unrealized_pnl
    figure(
        line="3-1",
        text="returns on equity of 13 positions (predicted)",
        value=f"worst residual {shown_as(worst)}",
    )


def test_the_documented_liquidation_price_of_an_isolated_position(figure):
    """The answer printed in the documentation of clearinghouseState."""
    with exact():
        value, size, raw = D("100.02765"), D("0.0335"), D("-95.059824")
        margin = formulas.isolated_margin(EXACT, raw, value)
        need = formulas.maintenance(EXACT, value, D(50), D(0))
        price = formulas.liquidation_price(
            EXACT, EXACT.ratio(value, size), D(1), margin - need, size, D(50)
        )
    assert D("4.967826") == margin
    assert divide_half_even(abs(price - D("2866.26936529")), price, 15) < D("1e-8")
    assert "2866.2694" == canonical(round_half_even(price, 4))
    figure(
        line="3-1",
        text="documented ETH example, isolated",
        value=f"residual {shown_as(price - D('2866.26936529'))}",
    )


def test_a_standard_account_is_predicted_exactly(recorded: Path, figure):
    """A state of before the first page: judged by the rules of margining, which did not change."""
    path = recorded / "rotki" / "test_hyperliquid_arbitrum_one_accounts0-False.json"
    state = next(
        event
        for event in read(path)
        if isinstance(event, PerpStateObserved) and event.cross_maintenance == D("250.521713")
    )
    picture = observed(mode="default", spot=None, perps=(state,))
    judgement = judge(picture, (by_id("2026-01-27 pre-alpha"),)).judgements[0]
    found = {each.name: each for each in compare(judgement, picture, perps=(state,))}
    assert {"predicted"} == {each.grade for each in found.values()}
    assert abs(found.pop("liquidation price").residual) < D("1e-9")
    assert abs(found.pop("return on equity").residual) <= D("1e-8")
    assert {
        "account value": 0,
        "cross maintenance": 0,
        "withdrawable": 0,
        "initial margin": 0,
    } == {name: each.residual for name, each in found.items()}
    assert False is judgement.liquidatable
    figure(
        line="3-1",
        text="standard account: value, maintenance, margin, withdrawable, liquidation price",
        value="residuals 0, 0, 0, 0, below 1e-9",
    )


# ------------------------------------------------------------------------- §4.1, identity


def test_one_balance_is_the_sum_of_its_parts(march, borrower: States, figure):
    """total = Σ exchange values + supplied + held − borrowed; nothing was held."""
    residuals = []
    for shown in (march[SHORT], march[HEDGER], borrower):
        row, side = shown.row("USDC"), shown.perps[0]
        with exact():
            residuals.append(
                formulas.idle(
                    EXACT, row.total, [side.summary.account_value], row.supplied or D(0), D(0),
                    row.borrowed or D(0),
                )
            )  # fmt: skip
    assert [D(0), D("-0.00000001"), D(0)] == residuals
    figure(
        line="3-1",
        text="identity of one balance, three accounts",
        value=", ".join(canonical(each) for each in residuals),
    )


def test_what_portfolio_margin_frees_is_what_the_answer_lets_be_used(
    march: dict[str, States], figure
):
    """300 HYPE beside 88 long: the usable amount is spot hold less hold, 5457.3 USDC."""
    shown = march[HEDGER]
    row = shown.row("USDC")
    with exact():
        usable = row.spot_hold - row.hold
    picture = shown.picture().with_price(HYPE, Input(D("36.382"), "implied by hold of USDC"))
    found = {each.way: each for each in efficiency(picture, by_id("2026-03-14 alpha"))}
    with exact():
        assert abs(found["portfolio"].freed - usable) <= D("1e-8")
    long = {way: each.distances[0] for way, each in found.items()}
    assert long["portfolio"].alone is None
    assert long["portfolio"].together < long["unified"].alone < long["isolated"].alone
    figure(
        line="3-5",
        text="0xfc8b: freed by portfolio margin against unified (consistent)",
        value=f"{found['portfolio'].freed} USDC, {found['portfolio'].freed_share} of the account",
    )


def test_borrowable_tokens_counted_in_march(march: dict[str, States]):
    judgement, _ = judged(march[HEDGER])
    assert "2026-03-14 alpha" == judgement.rulebook
    assert judgement.token(USDH).is_borrowable
    assert asset("HPL") not in by_id("2026-03-14 alpha").tokens
