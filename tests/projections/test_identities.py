"""Identities of perpetuals states, worked by hand; and what cannot be told from a state."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger.events import MarginSummary, ObservedPosition, PerpStateObserved
from ledger.money import exact
from ledger.units import MAIN_DEX, Address, Coin, Millis, account_stream
from projections.identities import identities

D = Decimal
AT = Millis(1_785_880_860_000)
EARLY = Millis(1_679_940_322_000)

LONG = ObservedPosition(
    coin=Coin("HYPE"), size=D(100), entry_px=D("38.5"), value=D(4000), unrealized_pnl=D(150),
    leverage_type="cross", leverage=5, margin_used=D(800), max_leverage=10,
    # 40 − 1 × (1,300 − 200) ÷ 100 ÷ (1 − 1/20) = 28.42105263…
    liquidation_px=D("28.4210526316"), return_on_equity=D("0.1948051948"),
)  # fmt: skip
TOTALS = MarginSummary(
    account_value=D(1300), total_notional=D(4000), total_raw_usd=D(-2700), total_margin_used=D(800)
)


def seen(*positions: ObservedPosition, at: Millis = AT, **other) -> PerpStateObserved:
    fields = {"summary": TOTALS, "cross": TOTALS, "cross_maintenance": D(200)} | other
    return PerpStateObserved(
        stream=account_stream(Address("0x" + "1d" * 20)), at=at, dex=MAIN_DEX,
        positions=positions, withdrawable=None, **fields,
    )  # fmt: skip


def verdicts(state: PerpStateObserved, **options) -> dict[str, str]:
    with exact():
        return {each.subject: each.verdict for each in identities(state, **options)}


def test_a_state_that_is_right_agrees_with_itself() -> None:
    assert {
        "account value": "agrees", "total notional": "agrees", "total margin used": "agrees",
        "cross maintenance": "agrees", "margin HYPE": "agrees",
        "unrealized result HYPE": "agrees", "return on equity HYPE": "agrees",
        "liquidation price HYPE": "within",
    } == verdicts(seen(LONG))  # fmt: skip


@pytest.mark.parametrize(
    ("field", "subjects"),
    [
        ("value", {"account value", "total notional", "cross maintenance", "margin HYPE",
                   "unrealized result HYPE", "return on equity HYPE", "liquidation price HYPE"}),
        ("margin_used", {"total margin used", "margin HYPE"}),
        ("unrealized_pnl", {"unrealized result HYPE", "return on equity HYPE"}),
        ("return_on_equity", {"return on equity HYPE"}),
        ("liquidation_px", {"liquidation price HYPE"}),
    ],
)  # fmt: skip
def test_a_figure_that_is_off_differs_wherever_it_counts(field: str, subjects: set[str]) -> None:
    wrong = attrs.evolve(LONG, **{field: getattr(LONG, field) + D(1)})
    differing = {name for name, verdict in verdicts(seen(wrong)).items() if verdict == "differs"}
    assert subjects == differing


def test_a_result_has_the_room_of_the_rounded_entry_price() -> None:
    """The five digits 38.500 leave 0.001 × 100 of room."""
    near = attrs.evolve(LONG, unrealized_pnl=D("150.09"), return_on_equity=None)
    far = attrs.evolve(LONG, unrealized_pnl=D("150.11"), return_on_equity=None)
    assert "within" == verdicts(seen(near))["unrealized result HYPE"]
    assert "differs" == verdicts(seen(far))["unrealized result HYPE"]


@pytest.mark.parametrize(
    ("field", "subject"),
    [
        ("value", "account value"),
        ("leverage", "margin HYPE"),
        ("margin_used", "total margin used"),
        ("max_leverage", "liquidation price HYPE"),
        ("entry_px", "unrealized result HYPE"),
        ("leverage", "return on equity HYPE"),
    ],
)
def test_what_a_state_leaves_out_is_unknown(field: str, subject: str) -> None:
    assert "unknown" == verdicts(seen(attrs.evolve(LONG, **{field: None})))[subject]


def test_without_highest_leverage_and_documented_tiers_maintenance_is_unknown() -> None:
    other = attrs.evolve(LONG, coin=Coin("xyz:THING"), max_leverage=None)
    assert "unknown" == verdicts(seen(other))["cross maintenance"]
    known = attrs.evolve(LONG, max_leverage=None)  # the tiers of HYPE are documented
    assert "agrees" == verdicts(seen(known))["cross maintenance"]


def test_without_totals_only_positions_are_judged() -> None:
    found = verdicts(seen(LONG, summary=None, cross=None, cross_maintenance=None))
    assert "account value" not in found
    assert "unknown" == found["liquidation price HYPE"]
    assert "agrees" == found["margin HYPE"]


def test_where_the_whole_account_stands_behind_a_position_its_price_is_unknown() -> None:
    assert "unknown" == verdicts(seen(LONG), single=True)["liquidation price HYPE"]


ISOLATED = attrs.evolve(
    LONG, leverage_type="isolated", raw_usd=D(-3000), margin_used=D(1000),
    # 40 − (1,000 − 200) ÷ 100 ÷ 0.95
    liquidation_px=D("31.5789473684"),
)  # fmt: skip


def test_an_isolated_position_stands_by_itself() -> None:
    totals = attrs.evolve(TOTALS, total_margin_used=D(1000))
    found = verdicts(seen(ISOLATED, summary=totals, cross_maintenance=D(0)), single=True)
    assert {"agrees", "within"} == set(found.values())
    bare = attrs.evolve(ISOLATED, raw_usd=None)
    assert "unknown" == verdicts(seen(bare))["margin HYPE"]
    bare = attrs.evolve(ISOLATED, margin_used=None)
    assert "unknown" == verdicts(seen(bare))["liquidation price HYPE"]


def test_no_price_is_shown_where_none_is_positive() -> None:
    rich = attrs.evolve(TOTALS, account_value=D(9000), total_raw_usd=D(5000))
    none = attrs.evolve(LONG, liquidation_px=None)
    assert "liquidation price HYPE" not in verdicts(seen(none, summary=rich, cross=rich))
    assert "differs" == verdicts(seen(none))["liquidation price HYPE"]
    # a state that leaves out what the price follows from, and shows none, says nothing
    assert "liquidation price HYPE" not in verdicts(seen(attrs.evolve(none, max_leverage=None)))


def test_a_return_of_2023_is_on_the_margin_at_the_mark() -> None:
    """150 × 5 ÷ 4,000, to eight places."""
    early = attrs.evolve(LONG, return_on_equity=D("0.1875"))
    assert "agrees" == verdicts(seen(early, at=EARLY))["return on equity HYPE"]
    assert "differs" == verdicts(seen(early))["return on equity HYPE"]


def test_a_position_above_the_first_tier_has_its_deduction() -> None:
    """HYPE above 20M: 30M ÷ 10 − 1M."""
    big = attrs.evolve(LONG, value=D(30_000_000), liquidation_px=None, entry_px=None)
    found = {each.subject: each for each in identities(seen(big, cross_maintenance=D(2_000_000)))}
    assert D(2_000_000) == found["cross maintenance"].expected


def test_a_position_that_cost_nothing_has_no_return() -> None:
    free = attrs.evolve(LONG, unrealized_pnl=D(4000))
    assert "unknown" == verdicts(seen(free))["return on equity HYPE"]
