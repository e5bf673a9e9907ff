"""Lending: operations on reserves and the hourly rows of interest."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs

from ledger.events.base import RANK_CASH, RANK_PERIODIC, Fact, Number, TxHash
from ledger.kinds import Is, kind
from ledger.units import Asset


@kind(
    "reserve_operated",
    key=("tx_hash", "asset", "operation"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class ReserveOperated(Fact):
    """Tokens were supplied to, withdrawn from, borrowed from or repaid to a lending reserve."""

    operation: Annotated[
        Literal["supply", "withdraw", "borrow", "repay"],
        Is("what was done", venue="operation"),
    ]
    asset: Annotated[Asset, Is("token of the reserve", venue="token")]
    amount: Annotated[Number, Is("moved, always positive", unit="asset", venue="amount")]
    reported_interest: Annotated[
        Number | None,
        Is("interest the venue names with it", unit="asset", venue="interestAmount"),
    ]
    tx_hash: TxHash


@kind("interest_accrued", key=("asset",), family="interest", rank=RANK_PERIODIC)
@attrs.frozen(kw_only=True)
class InterestAccrued(Fact):
    """The venue reported supply interest credited and borrow interest charged for one hour."""

    asset: Annotated[Asset, Is("token of the reserve", venue="token")]
    supply: Annotated[Number, Is("credited on what is supplied", unit="asset", venue="supply")]
    borrow: Annotated[Number, Is("charged on what is borrowed", unit="asset", venue="borrow")]
