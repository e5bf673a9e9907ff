"""Which recorded price holds, and what is said where there is none."""

from __future__ import annotations

from decimal import Decimal

from ledger.events import CandleObserved, PriceObserved, ReserveObserved
from ledger.units import VENUE, Asset, Coin, Dex, Millis, market_stream, reserve_stream
from projections.chart import SPOT, position, size_asset
from projections.reference import Reference
from projections.valuation import STALE_MS, Prices, observed_prices

D = Decimal
HYPE = (SPOT, Asset("HYPE"))
BTC = (position(Coin("BTC")), size_asset(Coin("BTC")))
NVDA = (position(Coin("flx:NVDA")), size_asset(Coin("flx:NVDA")))
KNOWN = Reference(
    pairs={
        Coin("@107"): (Asset("HYPE"), Asset("USDC")),
        Coin("@232"): (Asset("HYPE"), Asset("USDH")),
        Coin("@230"): (Asset("USDH"), Asset("USDC")),
    },
    collateral={Dex("flx"): Asset("USDH")},
)


def price(coin: str, px: str, at: int, measure: str = "mark") -> PriceObserved:
    return PriceObserved(
        stream=VENUE, at=Millis(at), coin=Coin(coin), measure=measure, px=D(px), via="test"
    )


def reserve(asset: str, px: str, at: int) -> ReserveObserved:
    return ReserveObserved(
        stream=reserve_stream(Asset(asset)), at=Millis(at), asset=Asset(asset), token=None,
        borrow_rate=None, supply_rate=None, balance=None, utilization=None, oracle_px=D(px),
        ltv=D(0), supplied=None, borrowed=None,
    )  # fmt: skip


def quoted(thing, at: int, *events, money: str = "USDC"):
    return Prices(observed_prices(events), KNOWN, Asset(money)).quote(thing, Millis(at))


def test_the_last_price_at_or_before_the_moment_holds():
    series = price("BTC", "1", 10), price("BTC", "3", 30), price("BTC", "2", 20)
    assert None is quoted(BTC, 9, *series)
    assert D(1) == quoted(BTC, 10, *series).px
    assert D(2) == quoted(BTC, 29, *series).px
    assert (D(3), 30) == ((found := quoted(BTC, 31, *series)).px, found.at)


def test_a_young_price_of_a_later_measure_beats_an_old_one_of_an_earlier():
    old, young = price("BTC", "1", 0), price("BTC", "2", STALE_MS, "oracle")
    assert D(1) == quoted(BTC, STALE_MS, old, young).px
    assert D(2) == quoted(BTC, STALE_MS + 1, old, young).px
    assert "BTC oracle (test)" == quoted(BTC, STALE_MS + 1, old, young).source


def test_where_all_are_old_the_youngest_holds():
    events = price("BTC", "1", 5), price("BTC", "2", 6, "mid")
    assert D(2) == quoted(BTC, 10 * STALE_MS, *events).px


def test_a_token_goes_by_its_reserve_else_by_a_market_against_usdc():
    market, other = price("@107", "30", 0), price("@232", "99", 0)
    assert D(30) == quoted(HYPE, 1, market, other).px
    assert None is quoted(HYPE, 1, other)
    assert D(31) == quoted(HYPE, 1, market, reserve("HYPE", "31", 1)).px
    candle = CandleObserved(
        stream=market_stream(Coin("@107")), at=Millis(0), coin=Coin("@107"), interval="1h",
        opened=Millis(0), first=D(1), highest=D(1), lowest=D(1), last=D(29), volume=D(1), trades=1,
    )  # fmt: skip
    assert D(29) == quoted(HYPE, 1, candle).px


def test_the_price_of_a_perpetual_is_no_price_of_the_token_and_the_other_way_round():
    assert None is quoted(HYPE, 1, price("HYPE", "30", 0))
    perp = (position(Coin("HYPE")), size_asset(Coin("HYPE")))
    assert None is quoted(perp, 1, price("@107", "30", 0), reserve("HYPE", "31", 0))


def test_a_position_is_priced_through_its_collateral():
    events = price("flx:NVDA", "180", 5), price("@230", "0.999", 3)
    found = quoted(NVDA, 10, *events)
    assert D("179.82") == found.px
    assert 3 == found.at
    assert "flx:NVDA mark (test) × @230 mark (test)" == found.source
    assert None is quoted(NVDA, 10, events[0])


def test_in_another_money_the_quotient_is_rounded_once_and_the_money_is_one():
    events = price("@107", "30", 0), price("BTC", "100", 0)
    found = quoted(BTC, 1, *events, money="HYPE")
    assert D("3.33333333333333333333") == found.px
    assert D(1) == quoted(HYPE, 1, *events, money="HYPE").px
    assert D("0.03333333333333333333") == quoted((SPOT, Asset("USDC")), 1, *events, money="HYPE").px
    assert None is quoted(BTC, 1, events[1], money="HYPE")


def test_what_lacks_a_price_is_named():
    none = Prices({}, KNOWN, Asset("HYPE"))
    assert "HYPE" == none.lacking(BTC, Millis(0))
    assert "USDH" == Prices({}, KNOWN).lacking(NVDA, Millis(0))
    assert "BTC-PERP" == Prices({}, KNOWN).lacking(BTC, Millis(0))
