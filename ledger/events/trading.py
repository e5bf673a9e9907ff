"""Trading: fills, funding, and the marks the venue sets on liquidations."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs

from ledger.events.base import RANK_PERIODIC, RANK_TRADE, Fact, Number, TxHash
from ledger.kinds import Is, kind
from ledger.units import Address, Asset, Coin


@kind(
    "filled",
    key=("coin", "tid", "oid", "tx_hash"),
    identified_by="tid",
    family="fills",
    rank=RANK_TRADE,
)
@attrs.frozen(kw_only=True)
class Filled(Fact):
    """An order, or a part of it, was executed: perpetual, spot or outcome."""

    coin: Annotated[Coin, Is("market, by the record's own name", venue="coin")]
    px: Annotated[Number, Is("price of the fill; an average in aggregated rows", venue="px")]
    sz: Annotated[Number, Is("size, always positive", unit="coin", venue="sz")]
    side: Annotated[Literal["B", "A"], Is("B bought, A sold", venue="side")]
    direction: Annotated[str, Is("the venue's words: Open Long, Close Short, Buy, …", venue="dir")]
    start_position: Annotated[
        Number | None,
        Is("signed size before the fill; None where not given", venue="startPosition"),
    ]
    reported_closed_pnl: Annotated[
        Number | None,
        Is(
            "result of the closed part, before fees",
            unit="fee_asset",
            venue="closedPnl",
        ),
    ]
    reported_net_pnl: Annotated[
        Number | None,
        Is("web export: the same after the fee", unit="fee_asset", venue="closedPnl"),
    ]
    notional: Annotated[
        Number | None, Is("web export: value of the row", unit="quote", venue="ntl")
    ]
    fee: Annotated[
        Number | None,
        Is(
            "charged, negative when a rebate; includes the builder's; None in records of 2023",
            venue="fee",
        ),
    ]
    fee_asset: Annotated[
        Asset | None, Is("token of the fee; None where not given", venue="feeToken")
    ]
    builder_fee: Annotated[
        Number | None, Is("share of the fee for the builder", venue="builderFee")
    ]
    crossed: Annotated[bool | None, Is("true for the taker", venue="crossed")]
    oid: Annotated[int | None, Is("number of the order", venue="oid")]
    tid: Annotated[int | None, Is("number of the trade, 50 bits, not unique alone", venue="tid")]
    cloid: Annotated[str | None, Is("the client's own number of the order", venue="cloid")]
    twap_id: Annotated[int | None, Is("number of the TWAP order it belongs to", venue="twapId")]
    liquidated_user: Annotated[
        Address | None,
        Is(
            "whose liquidation this fill was part of",
            venue="liquidation.liquidatedUser",
        ),
    ]
    liquidation_mark: Annotated[
        Number | None, Is("mark price at the liquidation", venue="liquidation.markPx")
    ]
    liquidation_method: Annotated[str | None, Is("market or backstop", venue="liquidation.method")]
    tx_hash: TxHash


@kind(
    "funding_paid",
    key=("coin",),
    identified_by="tx_hash",
    family="funding",
    rank=RANK_PERIODIC,
)
@attrs.frozen(kw_only=True)
class FundingPaid(Fact):
    """Funding of a perpetual position was credited or charged for one interval."""

    coin: Annotated[Coin, Is("market", venue="coin")]
    usdc: Annotated[Number, Is("received; negative when paid", unit="collateral", venue="usdc")]
    size: Annotated[Number, Is("signed position it was charged on", unit="coin", venue="szi")]
    rate: Annotated[Number, Is("rate of the interval, as a ratio", venue="fundingRate")]
    samples: Annotated[int | None, Is("records of 2023: how many samples", venue="nSamples")]
    tx_hash: TxHash


@attrs.frozen(kw_only=True)
class LiquidatedPosition:
    """One position taken in a liquidation."""

    coin: Annotated[Coin, Is("market", venue="coin")]
    size: Annotated[Number, Is("signed size", unit="coin", venue="szi")]


@kind("liquidated", key=("tx_hash",), family="transfers", rank=RANK_TRADE)
@attrs.frozen(kw_only=True)
class Liquidated(Fact):
    """The venue marked a liquidation of this account; the money moves in the fills."""

    notional: Annotated[
        Number,
        Is("value of the positions taken", unit="USDC", venue="liquidatedNtlPos"),
    ]
    account_value: Annotated[Number, Is("account value then", unit="USDC", venue="accountValue")]
    leverage_type: Annotated[str, Is("Cross or Isolated", venue="leverageType")]
    positions: Annotated[
        tuple[LiquidatedPosition, ...],
        Is("what was taken", venue="liquidatedPositions"),
    ]
    tx_hash: TxHash
