"""Observations: the venue's own picture of one account at one instant."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs

from ledger.events.base import RANK_MODE, RANK_SEEN, Fact, Number
from ledger.kinds import Is, kind
from ledger.units import Address, Asset, Coin, Dex, Millis


@kind("mode_changed", key=("mode",), rank=RANK_MODE)
@attrs.frozen(kw_only=True)
class ModeChanged(Fact):
    """The account's abstraction mode is known to have been this at this instant."""

    mode: Annotated[
        Literal["default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction"],
        Is("the venue's own word", venue="userAbstraction"),
    ]
    observed: Annotated[bool, Is("true when polled, false when the change itself was recorded")]


@attrs.frozen(kw_only=True)
class ObservedPosition:
    """One position in an observed perpetuals state."""

    coin: Annotated[Coin, Is("market", venue="coin")]
    size: Annotated[Number, Is("signed size", unit="coin", venue="szi")]
    entry_px: Annotated[Number | None, Is("rounded by the venue", venue="entryPx")] = None
    value: Annotated[Number | None, Is("size × mark", unit="collateral", venue="positionValue")] = (
        None
    )
    unrealized_pnl: Annotated[Number | None, Is("result not yet taken", venue="unrealizedPnl")] = (
        None
    )
    leverage_type: Annotated[str | None, Is("cross or isolated", venue="leverage.type")] = None
    leverage: Annotated[int | None, Is("chosen leverage", venue="leverage.value")] = None
    raw_usd: Annotated[Number | None, Is("isolated: raw money", venue="leverage.rawUsd")] = None
    margin_used: Annotated[Number | None, Is("margin bound", venue="marginUsed")] = None
    max_leverage: Annotated[int | None, Is("highest leverage", venue="maxLeverage")] = None
    liquidation_px: Annotated[
        Number | None, Is("as the venue computes it", venue="liquidationPx")
    ] = None
    return_on_equity: Annotated[Number | None, Is("as a ratio", venue="returnOnEquity")] = None
    funding_all_time: Annotated[Number | None, Is("paid, positive", venue="cumFunding.allTime")] = (
        None
    )
    funding_since_open: Annotated[
        Number | None, Is("paid, positive", venue="cumFunding.sinceOpen")
    ] = None
    funding_since_change: Annotated[
        Number | None, Is("paid, positive", venue="cumFunding.sinceChange")
    ] = None


@attrs.frozen(kw_only=True)
class MarginSummary:
    """Totals of an observed perpetuals state."""

    account_value: Annotated[Number, Is("value of the account", venue="accountValue")]
    total_notional: Annotated[Number, Is("Σ |position value|", venue="totalNtlPos")]
    total_raw_usd: Annotated[Number, Is("raw money", venue="totalRawUsd")]
    total_margin_used: Annotated[Number, Is("margin bound", venue="totalMarginUsed")]


@kind("perp_state_observed", key=("dex",), rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class PerpStateObserved(Fact):
    """The venue's own picture of one perpetuals side of the account."""

    dex: Annotated[Dex, Is("exchange")]
    positions: Annotated[tuple[ObservedPosition, ...], Is("open positions", venue="assetPositions")]
    summary: Annotated[MarginSummary | None, Is("totals", venue="marginSummary")]
    cross: Annotated[
        MarginSummary | None,
        Is("totals of cross positions", venue="crossMarginSummary"),
    ]
    cross_maintenance: Annotated[
        Number | None,
        Is(
            "maintenance requirement of cross positions",
            venue="crossMaintenanceMarginUsed",
        ),
    ]
    withdrawable: Annotated[Number | None, Is("what may leave", venue="withdrawable")]


@attrs.frozen(kw_only=True)
class ObservedBalance:
    """One token in an observed spot state."""

    asset: Annotated[Asset, Is("symbol", venue="coin")]
    token: Annotated[int | None, Is("the venue's index; None for outcome shares", venue="token")]
    total: Annotated[Number, Is("balance; marked to market in portfolio margin", venue="total")]
    hold: Annotated[Number, Is("bound", venue="hold")]
    entry_notional: Annotated[Number | None, Is("what it cost", venue="entryNtl")] = None
    spot_hold: Annotated[Number | None, Is("bound by spot orders", venue="spotHold")] = None
    ltv: Annotated[Number | None, Is("loan to value, as a ratio", venue="ltv")] = None
    borrowed: Annotated[Number | None, Is("borrowed, gross", venue="borrowed")] = None
    supplied: Annotated[Number | None, Is("supplied", venue="supplied")] = None


@attrs.frozen(kw_only=True)
class TokenFigure:
    """One figure per token in an observed state."""

    token: Annotated[int, Is("the venue's index of the token")]
    value: Annotated[Number, Is("the figure")]


@kind("spot_state_observed", rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class SpotStateObserved(Fact):
    """The venue's own picture of the spot side; in portfolio margin, of the whole account."""

    balances: Annotated[tuple[ObservedBalance, ...], Is("per token", venue="balances")]
    margin_enabled: Annotated[
        bool | None, Is("portfolio margin on", venue="portfolioMarginEnabled")
    ]
    margin_ratio: Annotated[Number | None, Is("as a ratio", venue="portfolioMarginRatio")]
    borrow_ratios: Annotated[
        tuple[TokenFigure, ...], Is("of the cap", venue="tokenToPortfolioBorrowRatio")
    ]
    supply_ratios: Annotated[
        tuple[TokenFigure, ...], Is("of the cap", venue="tokenToPortfolioSupplyRatio")
    ]
    available: Annotated[
        tuple[TokenFigure, ...],
        Is(
            "free after maintenance",
            unit="token",
            venue="tokenToAvailableAfterMaintenance",
        ),
    ]


@attrs.frozen(kw_only=True)
class ObservedLoan:
    """One reserve in an observed borrow/lend state."""

    token: Annotated[int, Is("the venue's index of the token")]
    borrow_basis: Annotated[Number, Is("principal since the last operation", venue="borrow.basis")]
    borrow_value: Annotated[Number, Is("with interest", venue="borrow.value")]
    supply_basis: Annotated[Number, Is("principal since the last operation", venue="supply.basis")]
    supply_value: Annotated[Number, Is("with interest", venue="supply.value")]


@kind("lending_state_observed", rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class LendingStateObserved(Fact):
    """The venue's own picture of what the account supplied and borrowed."""

    loans: Annotated[tuple[ObservedLoan, ...], Is("per token", venue="tokenToState")]
    health: Annotated[str, Is("the venue's word", venue="health")]
    health_factor: Annotated[Number | None, Is("None without a debt", venue="healthFactor")]


@attrs.frozen(kw_only=True)
class ObservedOrder:
    """An order as an answer shows it."""

    coin: Annotated[Coin, Is("market", venue="coin")]
    side: Annotated[Literal["B", "A"], Is("B buys, A sells", venue="side")]
    limit_px: Annotated[Number, Is("limit", venue="limitPx")]
    sz: Annotated[Number, Is("size still open", venue="sz")]
    oid: Annotated[int, Is("number of the order", venue="oid")]
    placed: Annotated[Millis, Is("when placed", unit="ms", venue="timestamp")]
    original_sz: Annotated[Number | None, Is("size as placed", venue="origSz")] = None
    order_type: Annotated[str | None, Is("the venue's word", venue="orderType")] = None
    time_in_force: Annotated[str | None, Is("the venue's word", venue="tif")] = None
    trigger_px: Annotated[Number | None, Is("trigger", venue="triggerPx")] = None
    is_trigger: Annotated[bool | None, Is("waits for its trigger", venue="isTrigger")] = None
    reduce_only: Annotated[bool | None, Is("may only reduce", venue="reduceOnly")] = None
    cloid: Annotated[str | None, Is("the client's own number", venue="cloid")] = None


@kind("orders_observed", rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class OrdersObserved(Fact):
    """All open orders at one instant: they hold balances and let the venue borrow."""

    orders: Annotated[tuple[ObservedOrder, ...], Is("open orders")]


@kind("order_status_observed", key=None, rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class OrderStatusObserved(Fact):
    """An order is known to have had this status since this instant."""

    order: Annotated[ObservedOrder, Is("the order", venue="order")]
    status: Annotated[str, Is("the venue's word, an open set", venue="status")]


@kind("sub_account_observed", key=("sub_account",), rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class SubAccountObserved(Fact):
    """The account is known to have this sub-account."""

    sub_account: Annotated[Address, Is("the sub-account", venue="subAccountUser")]
    name: Annotated[str, Is("its label", venue="name")]


@kind("vault_equity_observed", key=("vault",), rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class VaultEquityObserved(Fact):
    """What the account's share of a vault was worth."""

    vault: Annotated[Address, Is("the vault", venue="vaultAddress")]
    equity: Annotated[Number, Is("worth", unit="USDC", venue="equity")]
    locked_until: Annotated[
        Millis | None,
        Is("no withdrawal before", unit="ms", venue="lockedUntilTimestamp"),
    ]


@kind("stake_observed", rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class StakeObserved(Fact):
    """What the account had in staking."""

    delegated: Annotated[Number, Is("delegated", unit="HYPE", venue="delegated")]
    undelegated: Annotated[Number, Is("not delegated", unit="HYPE", venue="undelegated")]
    pending: Annotated[Number, Is("on its way out", unit="HYPE", venue="totalPendingWithdrawal")]
