"""Margin of recorded accounts: what the rules make of recorded inputs, beside the venue's figures.

A figure is *predicted* when its inputs were recorded for themselves, *consistent* when one of them
(the collateral's price) is implied by another field of the same answer.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from ledger.events import PerpStateObserved
from ledger.money import canonical, divide_half_even, exact, round_half_even
from ledger.units import Millis
from projections.arithmetic import EXACT
from projections.margin import Input, Judgement, judge, observed
from projections.margin.claims import Comparison, compare
from projections.margin.efficiency import efficiency
from projections.margin.implied import (
    price_by_available,
    price_by_locked,
    price_by_usable_quote,
)
from projections.rulebooks import by_id, formulas
from projections.rulebooks.base import HYPE, UBTC, USDC, USDH, USDT0, Rulebook
from tests.support.states import States, asset, read, states

pytestmark = pytest.mark.recorded

D = Decimal
HEDGER = "0xfc8b2f2b98705037ec9fa816f40c42077b237d3c"
SHORT = "0xb1c4a17f0f39c2b04333831104a82e94ab808510"
IDLE = "0xdc00aede8219c1151ddd86372deed7a36bdeb405"
SEPTEMBER = "2026-08-11 hype-ltv"


@pytest.fixture(scope="session")
def folder(recorded: Path) -> Path:
    return recorded / "portfolio-margin"


@pytest.fixture(scope="session")
def march(folder: Path) -> dict[str, States]:
    events = read(folder / "accounts_2026-03-31T22.json")
    return {account: states(events, account) for account in (HEDGER, SHORT, IDLE)}


@pytest.fixture(scope="session")
def borrower(folder: Path) -> States:
    return states(read(folder / "pm_borrow_2026-09-14.json"))


@pytest.fixture(scope="session")
def unified(folder: Path) -> States:
    return states(read(folder / "unified_short_2026-09-14.json"))


def factor(shown: States) -> D:
    """Return by what the publisher multiplied amounts: the cap of a million USDT shows through."""
    return divide_half_even(shown.available(268), D(1_000_000), 20)


def to_scale(shown: States) -> Rulebook:
    """Return the rules of September with caps multiplied as the publisher multiplied amounts."""
    book, share = by_id(SEPTEMBER), factor(shown)
    names = ("user_supply_cap", "user_borrow_cap", "global_supply_cap", "global_borrow_cap")
    tokens = {}
    with exact():
        for token, terms in book.tokens.items():
            caps = {name: getattr(terms, name) for name in names}
            tokens[token] = attrs.evolve(
                terms,
                **{
                    name: attrs.evolve(cap, value=cap.value * share)
                    for name, cap in caps.items()
                    if cap is not None
                },
            )
    return attrs.evolve(book, id="2026-08-11 hype-ltv, caps to scale", tokens=tokens)


def implied_in_september(shown: States) -> dict[str, Input]:
    """Return the price of bitcoin that three fields of the borrower's answer imply."""
    usdc, btc, side = shown.row("USDC"), shown.row("UBTC"), shown.perps[0]
    at = shown.spot.at
    with exact():
        required = D("0.1") * side.summary.total_notional
    return {
        "hold of USDC": price_by_usable_quote(
            spot_hold=usdc.spot_hold, hold=usdc.hold, collateral=btc.total, locked=btc.hold,
            ltv=btc.ltv, at=at,
        ),
        "hold of UBTC": price_by_locked(
            required=required, net=usdc.total, locked=btc.hold, ltv=btc.ltv, at=at
        ),
        "available": price_by_available(
            available=shown.available(0), maintenance=side.cross_maintenance, net=usdc.total,
            collateral=btc.total, ltv=btc.ltv, at=at,
        ),
    }  # fmt: skip


def implied_in_march(shown: States) -> Input:
    """Return the price of HYPE that the hold of USDC implies; locked collateral counted then."""
    usdc, hype = shown.row("USDC"), shown.row("HYPE")
    return price_by_usable_quote(
        spot_hold=usdc.spot_hold, hold=usdc.hold, collateral=hype.total, locked=D(0),
        ltv=hype.ltv, at=shown.spot.at,
    )  # fmt: skip


def borrowers_judgement(shown: States, **options) -> tuple[Judgement, dict[tuple, Comparison]]:
    price = implied_in_september(shown)["hold of USDC"]
    picture = shown.picture().with_price(UBTC, price)
    picture = picture.with_price(USDT0, Input(D(1), "implied by the cap alone counting"))
    margin = judge(picture, (to_scale(shown),), **options)
    return margin.judgements[0], beside(margin.judgements[0], picture, shown)


def beside(judgement: Judgement, picture, shown: States) -> dict[tuple, Comparison]:
    found = compare(judgement, picture, spot=shown.spot, perps=shown.perps, lending=shown.lending)
    return {(each.name, each.of): each for each in found}


def judged(shown: States, price: Input | None = None) -> tuple[Judgement, dict[tuple, Comparison]]:
    picture = shown.picture()
    if price is not None:
        picture = picture.with_price(HYPE, price)
    margin = judge(picture)
    assert 1 == len(margin.judgements)
    return margin.judgements[0], beside(margin.judgements[0], picture, shown)


def shown_as(residual: D) -> str:
    return canonical(round_half_even(residual, 12))


# ------------------------------------------------------------------------- §1.3, §1.4


def test_the_ratio_of_the_borrower_is_reproduced_to_ten_digits(borrower: States, figure):
    judgement, against = borrowers_judgement(borrower)
    found = against["margin ratio", "USDC"]
    assert "consistent" == found.grade
    assert borrower.spot.margin_ratio == round_half_even(judgement.ratio.value, 10)
    assert D("0.0342302364") == borrower.spot.margin_ratio
    assert "729073.42771" == canonical(
        round_half_even(judgement.token(USDC).liquidation_value.value, 5)
    )
    figure(
        line="3-1",
        text="PM ratio of the borrower, 10 digits (consistent)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_three_fields_of_one_answer_imply_one_price(borrower: States, figure):
    prices = implied_in_september(borrower)
    expected = {
        "available": "78316.63799982",
        "hold of UBTC": "78316.63802004",
        "hold of USDC": "78316.63799995",
    }
    assert expected == {
        name: canonical(round_half_even(price.value, 8)) for name, price in prices.items()
    }
    values = [price.value for price in prices.values()]
    assert max(values) - min(values) < D("2.1e-5")
    figure(
        line="3-1",
        text="price implied by three fields of the borrower (consistent)",
        value=f"spread {shown_as(max(values) - min(values))}",
    )


def test_what_the_hedger_has_available_is_consistent_with_the_price_its_hold_implies(
    march: dict[str, States], figure
):
    shown = march[HEDGER]
    price = implied_in_march(shown)
    assert "36.382" == canonical(round_half_even(price.value, 7))
    judgement, against = judged(shown, price)
    found = against["available after maintenance", "USDC"]
    assert "consistent" == found.grade
    assert abs(found.residual) <= D("1e-7")
    token = judgement.token(USDC)
    assert "8760.9409" == canonical(round_half_even(token.liquidation_value.value, 4))
    assert "0.018280137" == canonical(round_half_even(judgement.ratio.value, 10))
    figure(
        line="3-1",
        text="0xfc8b available in USDC, price implied by hold (consistent)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_at_the_price_as_quoted_the_hedgers_available_leaves_5e_8(march: dict[str, States], figure):
    price = Input(D("36.382"), "implied by hold of USDC, to the tick")
    _, against = judged(march[HEDGER], price)
    usdc = against["available after maintenance", "USDC"]
    usdh = against["available after maintenance", "USDH"]
    assert abs(usdc.residual) <= D("5.1e-8")
    assert abs(usdh.residual) <= D("6e-8")
    assert "8201.490661" == canonical(round_half_even(usdh.ours.value, 6))
    assert {"consistent"} == {usdc.grade, usdh.grade}
    figure(
        line="3-1",
        text="0xfc8b available at 36.382: USDC, USDH (consistent)",
        value=f"residuals {shown_as(usdc.residual)}, {shown_as(usdh.residual)}",
    )


def test_with_the_recorded_price_the_hedgers_available_is_predicted_to_0_45(
    march: dict[str, States], figure
):
    """The reserve's price was recorded a minute later, one tick off the one the hold implies."""
    _, against = judged(march[HEDGER])
    found = against["available after maintenance", "USDC"]
    assert "predicted" == found.grade
    assert "-0.45" == canonical(round_half_even(found.residual, 4))
    figure(
        line="3-1",
        text="0xfc8b available with the recorded price (predicted)",
        value=f"residual {shown_as(found.residual)} USDC",
    )


def test_what_the_short_has_available_is_predicted_to_5e_6(march: dict[str, States], figure):
    _, against = judged(march[SHORT])
    found = against["available after maintenance", "USDC"]
    assert "predicted" == found.grade
    assert abs(found.residual) <= D("5e-6")
    figure(
        line="3-1",
        text="0xb1c4 available in USDC (predicted)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_the_short_s_collateral_counts_three_quarters(march: dict[str, States]):
    judgement, _ = judged(march[SHORT])
    counted = judgement.token(HYPE).collateral.value
    assert abs(counted - D("1.68149615")) < D("5e-6")


def test_tokens_not_supplied_are_no_collateral(march: dict[str, States], figure):
    judgement, against = judged(march[IDLE])
    found = against["available after maintenance", "USDC"]
    assert D(0) == found.residual
    assert D("0.00000261") == found.venue
    assert judgement.token(HYPE).collateral is None
    figure(
        line="3-1",
        text="0xdc00: HYPE not supplied counts nothing (predicted)",
        value=f"residual {shown_as(found.residual)}",
    )


def test_caps_are_used_as_the_venue_says(borrower: States, figure):
    _, against = borrowers_judgement(borrower)
    borrowed, supplied = against["use of borrow cap", "USDC"], against["use of supply cap", "UBTC"]
    assert (D("0.0001721778"), D("0.0999997175")) == (borrowed.venue, supplied.venue)
    assert (0, 0) == (borrowed.residual, supplied.residual)
    with exact():
        assert D("0.0001721778") == formulas.cap_use(EXACT, D("8608.8885677"), D(50_000_000))
        assert D("0.0261872446") == formulas.cap_use(EXACT, D("26187.2446"), D(1_000_000))
    figure(
        line="3-1",
        text="use of borrow and supply caps, 10 digits (caps to scale)",
        value="residuals 0, 0",
    )


def test_the_cap_of_a_million_limits_what_is_available_in_usdt(borrower: States):
    judgement, against = borrowers_judgement(borrower)
    assert D(0) == against["available after maintenance", "USDT0"].residual
    assert (
        judgement.token(USDT0).available.value
        == to_scale(borrower).tokens[USDT0].user_borrow_cap.value
    )


def test_the_health_factor_uses_the_gross_debt(borrower: States, figure):
    """The factor was asked for at another second than the spot state: the price it implies lies
    within half a USDC of the mark of the perpetual, 4e-4 from the price the holds imply."""
    loan = next(each for each in borrower.lending.loans if each.token == 0)
    btc = borrower.row("UBTC")
    with exact():
        implied = EXACT.ratio(
            borrower.lending.health_factor * loan.borrow_value, btc.supplied * btc.ltv
        )
        again = formulas.health_factor(
            EXACT, formulas.borrowing_power(EXACT, btc.supplied, implied, btc.ltv),
            loan.borrow_value,
        )  # fmt: skip
    assert "78346.63" == canonical(round_half_even(implied, 2))
    assert abs(implied - 78347) < D("0.5")
    assert borrower.lending.health_factor == round_half_even(again, 10)
    judgement, against = borrowers_judgement(borrower)
    assert abs(against["health factor", ""].residual) < D("0.04")
    assert judgement.debt.value == D("4466.517471414")
    figure(
        line="3-1",
        text="health factor of the borrower, price implied (consistent)",
        value=f"{canonical(round_half_even(implied, 2))} against a mark of 78347",
    )


def test_twenty_usdc_on_top_do_not_fit_what_is_recorded(borrower: States, figure):
    judgement, _ = borrowers_judgement(borrower, readings=("offset:always",))
    ratio = round_half_even(judgement.ratio.value, 8)
    assert D("0.03425767") == ratio
    assert ratio != round_half_even(borrower.spot.margin_ratio, 8)
    observed = judgement.ratio_observed
    documented = judgement.ratio_documented
    assert ("confirmed", "documented") == (observed.status, documented.status)
    assert borrower.spot.margin_ratio == round_half_even(observed.value, 10)
    assert "0.0403839615" == canonical(round_half_even(documented.value, 10))
    figure(
        line="3-3",
        text="ratio with the 20 USDC and gross debt of the page, and as observed",
        value=f"{documented.value:.10f} and {borrower.spot.margin_ratio}",
    )


def test_a_third_account_s_ratio_has_nine_digits(recorded: Path, figure):
    """Its positions were trimmed to sizes: its maintenance is the venue's own total."""
    shown = states(read(recorded / "jkorf" / "GetSubAccounts2.txt", Millis(1_784_400_625_798)),
                   )  # fmt: skip
    judgement, against = judged(shown)
    found = against["margin ratio", "USDC"]
    assert "consistent" == found.grade
    assert D("0.025841686") == shown.spot.margin_ratio
    assert shown.spot.margin_ratio == round_half_even(judgement.ratio.value, 9)
    assert abs(against["available after maintenance", "USDC"].residual) <= D("8e-8")
    with_offset = judge(shown.picture(), readings=("offset:always",)).judgements[0]
    assert "0.0482" == canonical(round_half_even(with_offset.ratio.value, 4))
    figure(
        line="3-1",
        text="ratio of the account of 2026-07-18, 9 digits (consistent)",
        value=f"residual {shown_as(found.residual)}",
    )


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


# ------------------------------------------------------------------------- §1.5


def test_holds_are_reconstructed(borrower: States, march: dict[str, States], figure):
    """The borrower: a tenth of the notional, less its USDC, is locked in bitcoin."""
    judgement, _ = borrowers_judgement(borrower)
    usdc, btc = judgement.token(USDC), judgement.token(UBTC)
    assert borrower.row("UBTC").hold == round_half_even(btc.locked.value, 10)
    exchange = judgement.exchange(borrower.perps[0].dex)
    with exact():
        need = exchange.transfer_requirement.value - usdc.net.value
    assert "5531.9768" == canonical(round_half_even(need, 4))
    price = implied_in_september(borrower)["hold of UBTC"].value
    with exact():
        usable = (btc.net.value - borrower.row("UBTC").hold) * price * D("0.5")
        hold = borrower.row("USDC").spot_hold - usable
    assert abs(hold - borrower.row("USDC").hold) < D("2e-4")
    with exact():
        dollars = march[HEDGER].row("HYPE").total * D("36.382") * D("0.5")
    assert D("5457.3") == dollars
    figure(
        line="3-1",
        text="hold of UBTC, 10 places (consistent)",
        value=f"residual {shown_as(btc.locked.value - borrower.row('UBTC').hold)}",
    )


# ------------------------------------------------------------------------- §1.8


def test_a_unified_account_is_exact_but_for_the_publisher_s_rounding(unified: States, figure):
    picture = unified.picture()
    judgement = judge(picture).judgements[0]
    against = beside(judgement, picture, unified)
    available = against["available after maintenance", "USDC"]
    assert abs(available.residual) <= D("1e-9")
    assert D("1338956.5333880341") == available.venue
    row, position = unified.row("USDC"), unified.position("BTC")
    with exact():
        free = formulas.unified_available(EXACT, row.total, D(0), position.margin_used)
    assert available.venue == free
    price = against["liquidation price", "BTC"]
    assert divide_half_even(abs(price.residual), price.venue, 15) < D("1e-11")
    assert False is judgement.liquidatable
    figure(
        line="3-1",
        text="unified account, available; isolated liquidation price (predicted)",
        value=f"residuals {shown_as(available.residual)}, {shown_as(price.residual)}",
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
