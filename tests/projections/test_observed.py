"""Figures of observed states beside rebuilt ones: every verdict, and why one is unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.events import (
    LendingStateObserved,
    MarginSummary,
    ObservedBalance,
    ObservedLoan,
    ObservedPosition,
    PerpStateObserved,
    SpotStateObserved,
)
from ledger.money import exact
from ledger.units import MAIN_DEX, Address, Asset, Coin, Dex, Millis, account_stream
from projections import observed
from projections.chart import BORROWED, SPOT, SUPPLIED, perp
from projections.observed import Figure, Held, Room
from projections.positions import Position
from projections.reference import Reference

D = Decimal
AT = Millis(1_785_880_860_000)
STREAM = account_stream(Address("0x" + "0b" * 20))
USDC, HYPE = Asset("USDC"), Asset("HYPE")
NAMES = Reference(symbols={0: USDC, 150: HYPE})
TOTALS = MarginSummary(
    account_value=D(0), total_notional=D(0), total_raw_usd=D(-900), total_margin_used=D(0)
)


def held(balances=None, positions=None, **other) -> Held:
    return Held(balances=balances, positions=positions, reference=NAMES, **other)


def position(size: int, unexplained: int = 0) -> Position:
    return Position(size, 0, False, 0, USDC, 6, 0, 0, 0, "", unexplained)


def perps(*shown: ObservedPosition, dex: Dex = MAIN_DEX, summary=TOTALS) -> PerpStateObserved:
    return PerpStateObserved(
        stream=STREAM, at=AT, dex=dex, positions=shown, summary=summary, cross=None,
        cross_maintenance=None, withdrawable=None,
    )  # fmt: skip


def spot(*rows: ObservedBalance) -> SpotStateObserved:
    return SpotStateObserved(
        stream=STREAM, at=AT, balances=rows, margin_enabled=None, margin_ratio=None,
        borrow_ratios=(), supply_ratios=(), available=(),
    )  # fmt: skip


def row(asset: Asset, total: str, **other) -> ObservedBalance:
    return ObservedBalance(asset=asset, token=None, total=D(total), hold=D(0), **other)


def told(figures) -> dict[str, tuple[str, str]]:
    with exact():
        return {each.subject: (each.verdict, each.why) for each in figures}


# ------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [("10", "agrees"), ("10.5", "within"), ("11", "within"), ("12", "unknown"), ("14", "differs"),
     ("9.9", "within"), ("9", "differs")],
)  # fmt: skip
def test_a_figure_is_judged_by_how_far_it_may_be_off(seen: str, verdict: str) -> None:
    above, below = Room(likely=D(1), most=D(3)), Room(likely=D("0.5"), most=D("0.5"))
    figure = Figure(subject="x", expected=D(10), observed=D(seen), above=above, below=below)
    with exact():
        assert verdict == figure.verdict
        assert D(seen) - 10 == figure.difference
        assert (figure.why != "") == (verdict == "unknown")


def test_what_a_state_comes_to() -> None:
    fine = Figure(subject="a", expected=D(1), observed=D(1))
    off = Figure(subject="b", expected=D(1), observed=D(2))
    lost = Figure(subject="c", expected=None, observed=D(2), lacking="gone")
    with exact():
        assert "agrees" == observed.worst([fine])
        assert "differs" == observed.worst([fine, off, lost])
        assert "unknown" == observed.worst([fine, lost])
        assert "agrees" == observed.worst([fine, lost], frozenset({"c"}))
        assert "unknown" == observed.worst([])


# ------------------------------------------------------------------------- perpetuals


def test_sizes_are_sums_and_what_later_fills_state_on_request() -> None:
    mine = held({}, {"BTC": position(5, unexplained=2), "spot:HYPE": position(9)})
    state = perps(ObservedPosition(coin=Coin("BTC"), size=D(7)))
    assert {"size BTC": ("differs", "")} == told(observed.sizes(state, mine))
    assert {"size BTC": ("agrees", "")} == told(observed.sizes(state, mine, stated=True))


def test_a_size_nothing_recorded_explains_is_unknown_until_a_state_shows_none() -> None:
    state = perps(ObservedPosition(coin=Coin("BTC"), size=D(7)))
    assert {"size BTC": ("unknown", observed.NO_HISTORY)} == told(
        observed.sizes(state, held({}, {}))
    )
    assert {"size BTC": ("differs", "")} == told(observed.sizes(state, held({}, {}, is_whole=True)))
    at_first = frozenset({"size BTC"})
    assert (
        "unknown"
        == told(observed.sizes(state, held({}, {}, is_whole=True, unknown=at_first)))["size BTC"][0]
    )
    assert observed.STOPPED == told(observed.sizes(state, held(None, None)))["size BTC"][1]


def test_money_of_an_exchange_is_one_sum() -> None:
    place = perp(MAIN_DEX)
    assert {"perp money": ("agrees", "")} == told(
        observed.money(perps(), held({(place, USDC): D(-900)}))
    )
    two = {(place, USDC): D(-900), (place, HYPE): D(1)}
    assert {"perp money": ("unknown", observed.SEVERAL)} == told(observed.money(perps(), held(two)))
    assert {"perp money": ("unknown", observed.NO_HISTORY)} == told(
        observed.money(perps(), held({}))
    )
    assert {"perp money": ("differs", "")} == told(observed.money(perps(), held({}, is_whole=True)))
    assert {} == told(observed.money(perps(summary=None), held({})))


# ------------------------------------------------------------------------- spot


def test_tokens_on_spot_are_sums_and_one_that_is_not_shown_is_zero() -> None:
    mine = held({(SPOT, USDC): D(5), (SPOT, HYPE): D(2)})
    assert {"spot USDC": ("agrees", ""), "spot HYPE": ("differs", "")} == told(
        observed.spot(spot(row(USDC, "5")), mine, single=False)
    )
    assert {"spot USDC": ("unknown", observed.STOPPED)} == told(
        observed.spot(spot(row(USDC, "5")), held(None), single=False)
    )


def test_one_balance_is_exchanges_at_their_marks_and_loans() -> None:
    """−900 and 1,000 at the mark + 5 at hand + 300 supplied − 200 borrowed."""
    sums = {(perp(MAIN_DEX), USDC): D(-900), (SPOT, USDC): D(5), (SUPPLIED, USDC): D(300),
            (BORROWED, USDC): D(-200)}  # fmt: skip
    mine = held(sums, {"BTC": position(2)})
    state = spot(row(USDC, "205", supplied=D(300), borrowed=D("200.00000001")))
    marked = {MAIN_DEX: perps(ObservedPosition(coin=Coin("BTC"), size=D(2), value=D(1000)))}

    def still(asset, side, value):
        return Room(D("1e-8"), D("1e-8"))

    assert {
        "net USDC": ("agrees", ""), "USDC supplied": ("agrees", ""),
        "USDC borrowed": ("within", ""),
    } == told(observed.spot(state, mine, single=True, perps=marked, running=still))  # fmt: skip
    assert ("unknown", observed.NO_MARKS) == told(
        observed.spot(state, mine, single=True, running=still)
    )["net USDC"]
    bare = {MAIN_DEX: perps(ObservedPosition(coin=Coin("BTC"), size=D(2)))}
    assert ("unknown", observed.NO_MARKS) == told(
        observed.spot(state, mine, single=True, perps=bare, running=still)
    )["net USDC"]
    other = {MAIN_DEX: perps(ObservedPosition(coin=Coin("BTC"), size=D(3), value=D(1500)))}
    assert ("unknown", observed.OTHER_SIZES) == told(
        observed.spot(state, mine, single=True, perps=other, running=still)
    )["net USDC"]
    assert ("unknown", observed.STOPPED) == told(
        observed.spot(state, held(None), single=True, perps=marked, running=still)
    )["net USDC"]


def test_a_short_adds_its_value_with_the_other_sign() -> None:
    sums = {(perp(MAIN_DEX), USDC): D(1500)}
    mine = held(sums, {"BTC": position(-2)})
    marked = {MAIN_DEX: perps(ObservedPosition(coin=Coin("BTC"), size=D(-2), value=D(1000)))}
    state = spot(row(USDC, "500"))
    assert ("agrees", "") == told(observed.spot(state, mine, single=True, perps=marked))["net USDC"]


# ------------------------------------------------------------------------- lending


def loans(*rows: ObservedLoan) -> LendingStateObserved:
    return LendingStateObserved(
        stream=STREAM, at=AT, loans=rows, health="healthy", health_factor=None
    )


def loan(token: int, *, supply: str = "0", borrow: str = "0") -> ObservedLoan:
    return ObservedLoan(
        token=token, borrow_basis=D(borrow), borrow_value=D(borrow), supply_basis=D(supply),
        supply_value=D(supply),
    )  # fmt: skip


def test_a_loan_may_be_ahead_of_its_rows_as_far_as_somebody_says() -> None:
    mine = held({(SUPPLIED, USDC): D(100)})
    state = loans(loan(0, supply="100.5"), loan(150, supply="3"), loan(7, supply="1"))

    def running(asset, side, value):
        assert (USDC, "supply", D(100)) == (asset, side, value)
        return Room(D("0.4"), D("0.6"))

    assert {
        "USDC supplied": ("unknown", observed.FAST),
        "HYPE supplied": ("unknown", observed.NO_HISTORY),
        "supply of token 7": ("unknown", observed.NO_HISTORY),
    } == told(observed.lending(state, mine, running=running))
    assert ("unknown", observed.NO_ROWS) == told(observed.lending(state, mine, running=None))[
        "USDC supplied"
    ]
    assert ("differs", "") == told(
        observed.lending(loans(loan(0, supply="99")), mine, running=running)
    )["USDC supplied"]


def test_nothing_shown_where_nothing_ever_was_is_no_figure() -> None:
    assert {} == told(observed.lending(loans(loan(0)), held({}), running=None))
    zero = next(iter(observed.spot(spot(row(USDC, "0")), held({}), single=False)))
    assert zero.is_nothing
    assert ("agrees", "") == told(
        observed.lending(loans(loan(0)), held({(SUPPLIED, USDC): D(0)}), running=None)
    )["USDC supplied"]
