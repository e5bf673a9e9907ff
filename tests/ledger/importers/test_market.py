"""Market answers: metadata and prices of the venue, candles of a market."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from ledger.errors import NeedsHint
from ledger.events import (
    CandleObserved,
    DexListed,
    MarginTableSet,
    MarketListed,
    PairListed,
    PriceObserved,
    Tier,
    TokenListed,
)
from ledger.importers import Hints
from ledger.units import VENUE, Millis, market_stream
from tests.support.answers import AT, BOB, HERE, captured, events, only, read, reasons

D = Decimal
TIERS = {
    "description": "tiered 40x",
    "marginTiers": [
        {"lowerBound": "150000000.0", "maxLeverage": 20},
        {"lowerBound": "0.0", "maxLeverage": 40},
    ],
}
TABLE = MarginTableSet(
    stream=VENUE,
    at=AT,
    table=56,
    dex="",
    description="tiered 40x",
    tiers=(
        Tier(lower_bound=D(0), max_leverage=40),
        Tier(lower_bound=D(150_000_000), max_leverage=20),
    ),
)
META = {
    "universe": [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
        {"name": "LUNA", "szDecimals": 1, "isDelisted": True, "onlyIsolated": True},
    ],
    "marginTables": [[56, TIERS]],
    "collateralToken": 0,
}


def test_metadata_lists_markets_and_margin_tables():
    markets, tables = read(META).parts
    assert (".universe", (0, 1)) == (markets.answer, markets.rows)
    assert (
        MarketListed(
            stream=VENUE, at=AT, coin="BTC", dex="", collateral="USDC", size_places=5,
            max_leverage=40, margin_table=56, only_isolated=False, delisted=False,
        ),
        MarketListed(
            stream=VENUE, at=AT, coin="LUNA", dex="", collateral="USDC", size_places=1,
            max_leverage=None, margin_table=None, only_isolated=True, delisted=True,
        ),
    ) == markets.events  # fmt: skip
    assert (".marginTables", (TABLE,)) == (tables.answer, tables.events)


def test_metadata_has_to_be_told_of_which_moment():
    with pytest.raises(NeedsHint, match="--at "):
        read(META, Hints())


def test_metadata_of_every_exchange_takes_the_exchange_from_the_names():
    other = {"universe": [{"name": "km:US500", "szDecimals": 3}], "collateralToken": 360}
    unknown = {"universe": [{"name": "zz:X", "szDecimals": 0}], "collateralToken": 9999}
    found = [event for event in events(read([META, other, unknown])) if hasattr(event, "coin")]
    assert [("", "USDC")] * 2 + [("km", "USDH"), ("zz", "token:9999")] == [
        (event.dex, event.collateral) for event in found
    ]


def test_a_market_that_cannot_be_read_leaves_the_others():
    broken = {"universe": [*META["universe"], {"name": "X"}, 5], "marginTables": [[1], [2, {}]]}
    reading = read(broken)
    assert 2 == len(events(reading))
    places = [".universe[2]", ".universe[3]", ".marginTables[0]", ".marginTables[1]"]
    assert places == [row.place for row in reading.unreadable]


def test_a_margin_table_takes_its_number_from_request_or_person():
    assert TABLE == only(read(captured({"type": "marginTable", "id": 56}, TIERS)))
    assert TABLE == only(read(TIERS, attrs.evolve(HERE, table=56)))
    with pytest.raises(NeedsHint, match="--table 52"):
        read(TIERS)


def test_exchanges_are_listed_without_the_empty_place_of_the_main_one():
    rows = [None, {"name": "xyz", "fullName": "XYZ", "deployer": BOB}]
    (part,) = read(rows).parts
    assert (1,) == part.rows
    expected = DexListed(stream=VENUE, at=AT, dex="xyz", full_name="XYZ", deployer=BOB)
    assert (expected,) == part.events


SPOT = {
    "tokens": [
        {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0},
        {"name": "HYPE", "szDecimals": 2, "weiDecimals": 8, "index": 150},
    ],
    "universe": [{"tokens": [150, 0], "name": "@107", "index": 107}],
}


def test_spot_metadata_lists_tokens_and_pairs():
    tokens, pairs = read(SPOT).parts
    usdc, hype = tokens.events
    assert (
        TokenListed(stream=VENUE, at=AT, asset="HYPE", index=150, size_places=2, wei_places=8)
        == hype
    )
    assert "USDC" == usdc.asset
    assert (
        PairListed(stream=VENUE, at=AT, coin="@107", base="HYPE", quote="USDC"),
    ) == pairs.events


@pytest.mark.parametrize("tokens", [[150, 77], [150], [150, 0, 0], [[], {}], None])
def test_a_pair_of_tokens_that_are_not_listed_is_not_read(tokens: object):
    reading = read({**SPOT, "universe": [{"tokens": tokens, "name": "@107"}]})
    assert 2 == len(events(reading))
    assert 1 == len(reading.unreadable)


def price(coin: str, measure: str, px: str, via: str) -> PriceObserved:
    return PriceObserved(stream=VENUE, at=AT, coin=coin, measure=measure, px=D(px), via=via)


def test_prices_of_perpetuals_are_named_by_the_order_of_the_universe():
    contexts = [
        {"markPx": "100.5", "oraclePx": "100.25", "midPx": "100.4", "funding": "0.1"},
        {"markPx": "0.5", "oraclePx": "0.5", "midPx": None},
    ]
    via = "metaAndAssetCtxs"
    parts = read([META, contexts]).parts
    assert "[1]" == parts[-1].answer
    assert (0, 0, 0, 1, 1) == parts[-1].rows
    assert (
        price("BTC", "mark", "100.5", via),
        price("BTC", "oracle", "100.25", via),
        price("BTC", "mid", "100.4", via),
        price("LUNA", "mark", "0.5", via),
        price("LUNA", "oracle", "0.5", via),
    ) == parts[-1].events
    assert "[0].universe" == parts[0].answer


def test_a_context_beyond_the_universe_is_not_read():
    reading = read([{**META, "universe": META["universe"][:1]}, [{"markPx": "1"}, {"markPx": "2"}]])
    assert "[1][1]: coin" in reasons(reading)


def test_an_answer_of_metadata_and_prices_has_two_halves():
    asked = {"type": "metaAndAssetCtxs"}
    assert "metadata and contexts" in reasons(read(captured(asked, [META])))


def test_prices_of_spot_markets_name_their_market():
    contexts = [{"coin": "@107", "markPx": "34.9", "midPx": "34.8"}]
    via = "spotMetaAndAssetCtxs"
    parts = read([SPOT, contexts]).parts
    assert (
        price("@107", "mark", "34.9", via),
        price("@107", "mid", "34.8", via),
    ) == parts[-1].events


def test_all_mids_are_prices_by_market():
    mids = {"BTC": "30135.0", "@107": "34.9", "xyz:NVDA": "180.1", "PURR/USDC": "0.1"}
    assert [price(coin, "mid", px, "allMids") for coin, px in mids.items()] == events(read(mids))


def test_a_mid_that_is_no_number_leaves_the_others():
    reading = read(captured({"type": "allMids"}, {"BTC": "1", "ETH": 2, "X": "n"}), Hints())
    assert 1 == len(events(reading))
    assert 2 == len(reading.unreadable)


def candle(close: int, **changes: object) -> dict[str, object]:
    return {
        "t": close - 3_599_999, "T": close, "s": "kPEPE", "i": "1h", "o": "0.001601",
        "c": "0.001604", "h": "0.001616", "l": "0.001600", "v": "520665683.0", "n": 709, **changes,
    }  # fmt: skip


def test_a_closed_candle_is_read_field_by_field():
    reading = read([candle(AT - 1)])
    assert market_stream("kPEPE") == reading.parts[0].stream
    assert CandleObserved(
        stream=market_stream("kPEPE"), at=AT - 1, coin="kPEPE", interval="1h",
        opened=AT - 3_600_000, first=D("0.001601"), highest=D("0.001616"), lowest=D("0.0016"),
        last=D("0.001604"), volume=D(520665683), trades=709,
    ) == only(reading)  # fmt: skip


def test_a_candle_still_open_is_left_out_and_said():
    reading = read([candle(AT - 1), candle(AT + 3_599_999)])
    assert [AT - 1] == [event.at for event in events(reading)]
    assert "1 candle " in reading.notes[0]


def test_without_a_moment_of_asking_the_newest_candle_counts_as_open():
    reading = read([candle(AT - 3_600_000), candle(AT)], Hints())
    assert [AT - 3_600_000] == [event.at for event in events(reading)]


def test_candles_of_several_markets_go_to_several_streams():
    reading = read([candle(AT - 1), candle(AT - 1, s="BTC"), candle(AT - 1, o=None)])
    assert ["market:kPEPE", "market:BTC"] == [part.stream for part in reading.parts]
    assert "[2]: o" in reasons(reading)


@pytest.mark.recorded
def test_every_recorded_mid_is_a_price(recorded: Path):
    path = recorded / "hyperliquid-python-sdk/test_get_all_mids.3530653f.json"
    said = json.loads(path.read_bytes())[0]["response"]
    found = events(read(path.read_bytes(), Hints()))
    assert {coin: D(px) for coin, px in said.items()} == {event.coin: event.px for event in found}
    assert {Millis(1_689_630_200_000)} == {event.at for event in found}
