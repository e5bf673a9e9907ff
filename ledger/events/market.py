"""Market facts: prices, rates, reserves, and the metadata of what is traded."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs

from ledger.events.base import RANK_MARKET, Fact, Number
from ledger.kinds import Is, kind
from ledger.units import Address, Asset, Coin, Dex, Millis


@kind("price_observed", key=("coin", "measure", "via"), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class PriceObserved(Fact):
    """A price of a market was recorded; ``at`` is the age of the recording."""

    coin: Annotated[Coin, Is("market")]
    measure: Annotated[Literal["mark", "oracle", "mid"], Is("which price")]
    px: Annotated[Number, Is("the price", unit="quote")]
    via: Annotated[str, Is("kind of record it came from, such as allMids")]


@kind("candle_observed", key=("coin", "interval"), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class CandleObserved(Fact):
    """Trades of one interval, summed up by the venue; ``at`` is the close of the interval."""

    coin: Annotated[Coin, Is("market", venue="s")]
    interval: Annotated[str, Is("length, such as 1h", venue="i")]
    opened: Annotated[Millis, Is("begin of the interval", unit="ms", venue="t")]
    first: Annotated[Number, Is("price of the first trade", venue="o")]
    highest: Annotated[Number, Is("highest price", venue="h")]
    lowest: Annotated[Number, Is("lowest price", venue="l")]
    last: Annotated[Number, Is("price of the last trade", venue="c")]
    volume: Annotated[Number, Is("size traded", unit="coin", venue="v")]
    trades: Annotated[int, Is("how many trades", venue="n")]


@kind("funding_rate_set", key=("coin",), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class FundingRateSet(Fact):
    """The venue published the funding rate of a market for one interval."""

    coin: Annotated[Coin, Is("market", venue="coin")]
    rate: Annotated[Number, Is("rate of the interval, as a ratio", venue="fundingRate")]
    premium: Annotated[Number | None, Is("premium it was made from, as a ratio", venue="premium")]


@kind("reserve_observed", key=("asset",), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class ReserveObserved(Fact):
    """State of a lending reserve at one instant."""

    asset: Annotated[Asset, Is("token of the reserve")]
    token: Annotated[int | None, Is("the venue's index of the token")]
    borrow_rate: Annotated[
        Number | None, Is("yearly, nominal, as a ratio", venue="borrowYearlyRate")
    ]
    supply_rate: Annotated[
        Number | None, Is("yearly, nominal, as a ratio", venue="supplyYearlyRate")
    ]
    balance: Annotated[Number | None, Is("tokens at hand", unit="asset", venue="balance")]
    utilization: Annotated[Number | None, Is("borrowed share, as a ratio", venue="utilization")]
    oracle_px: Annotated[Number, Is("price", unit="USDC", venue="oraclePx")]
    ltv: Annotated[Number, Is("loan to value, as a ratio", venue="ltv")]
    supplied: Annotated[Number | None, Is("total supplied", unit="asset", venue="totalSupplied")]
    borrowed: Annotated[Number | None, Is("total borrowed", unit="asset", venue="totalBorrowed")]


@attrs.frozen(kw_only=True)
class Tier:
    """One step of a margin table."""

    lower_bound: Annotated[
        Number, Is("notional from which it holds", unit="USDC", venue="lowerBound")
    ]
    max_leverage: Annotated[int, Is("highest leverage", venue="maxLeverage")]


@kind("margin_table_set", key=("table", "dex"), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class MarginTableSet(Fact):
    """A margin table as the venue published it."""

    table: Annotated[int, Is("number of the table", venue="marginTableId")]
    dex: Annotated[Dex, Is("exchange it belongs to")]
    description: Annotated[str, Is("the venue's own words", venue="description")]
    tiers: Annotated[tuple[Tier, ...], Is("from the lowest bound up", venue="marginTiers")]


@kind("market_listed", key=("coin",), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class MarketListed(Fact):
    """Metadata of a perpetual market."""

    coin: Annotated[Coin, Is("market", venue="name")]
    dex: Annotated[Dex, Is("exchange it trades on")]
    collateral: Annotated[
        Asset | None,
        Is("token of its money; None where not said", venue="collateralToken"),
    ]
    size_places: Annotated[int, Is("decimal places of sizes", venue="szDecimals")]
    max_leverage: Annotated[int | None, Is("highest leverage", venue="maxLeverage")]
    margin_table: Annotated[int | None, Is("number of its margin table", venue="marginTableId")]
    only_isolated: Annotated[bool, Is("no cross margin", venue="onlyIsolated")]
    delisted: Annotated[bool, Is("no longer traded", venue="isDelisted")]


@kind("token_listed", key=("asset", "index"), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class TokenListed(Fact):
    """Metadata of a token."""

    asset: Annotated[Asset, Is("symbol", venue="name")]
    index: Annotated[int, Is("the venue's index", venue="index")]
    size_places: Annotated[int, Is("decimal places of sizes", venue="szDecimals")]
    wei_places: Annotated[int, Is("decimal places of balances", venue="weiDecimals")]


@kind("pair_listed", key=("coin",), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class PairListed(Fact):
    """Metadata of a spot market."""

    coin: Annotated[Coin, Is("market as fills name it", venue="name")]
    base: Annotated[Asset, Is("token bought and sold", venue="tokens")]
    quote: Annotated[Asset, Is("token paid", venue="tokens")]


@kind("dex_listed", key=("dex",), rank=RANK_MARKET)
@attrs.frozen(kw_only=True)
class DexListed(Fact):
    """A perpetuals exchange exists."""

    dex: Annotated[Dex, Is("its name", venue="name")]
    full_name: Annotated[str, Is("its long name", venue="fullName")]
    deployer: Annotated[Address | None, Is("who deployed it", venue="deployer")]
