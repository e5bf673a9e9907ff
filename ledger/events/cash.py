"""Cash and transfers: every movement that is not a trade."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs

from ledger.events.base import RANK_CASH, Fact, Number, TxHash
from ledger.kinds import Is, kind
from ledger.units import Address, Asset, Dex


@kind(
    "deposited",
    key=("tx_hash",),
    identified_by="tx_hash",
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class Deposited(Fact):
    """USDC arrived from outside over the bridge."""

    usdc: Annotated[Number, Is("credited", unit="USDC", venue="usdc")]
    tx_hash: TxHash


@kind(
    "withdrawn",
    key=("tx_hash", "nonce"),
    identified_by="tx_hash",
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class Withdrawn(Fact):
    """USDC left over the bridge; the account lost the amount and the fee."""

    usdc: Annotated[Number, Is("sent out, net of the fee", unit="USDC", venue="usdc")]
    fee: Annotated[Number, Is("charged beside the amount", unit="USDC", venue="fee")]
    nonce: Annotated[int | None, Is("the venue's number of the request", venue="nonce")]
    tx_hash: TxHash


@kind(
    "class_transferred",
    key=("tx_hash", "dex", "asset", "to_perp"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class ClassTransferred(Fact):
    """Money moved between the spot side and one perpetuals side of the same account."""

    asset: Annotated[Asset, Is("token moved", venue="token")]
    amount: Annotated[Number, Is("moved", unit="asset", venue="usdc or amount")]
    dex: Annotated[Dex, Is("perpetuals exchange concerned", venue="dex")]
    to_perp: Annotated[bool, Is("true toward the perpetuals side", venue="toPerp")]
    tx_hash: TxHash


@kind(
    "transferred",
    key=("tx_hash", "nonce", "venue_type", "asset", "sender", "recipient", "source", "target"),
    family="transfers",
    rank=RANK_CASH,
)  # fmt: skip
@attrs.frozen(kw_only=True)
class Transferred(Fact):
    """A token went from one account (or side of it) to another."""

    venue_type: Annotated[
        Literal["internalTransfer", "subAccountTransfer", "spotTransfer", "send"],
        Is("the venue's own word", venue="type"),
    ]
    asset: Annotated[Asset, Is("token sent", venue="token")]
    amount: Annotated[Number, Is("received by the recipient", unit="asset", venue="amount or usdc")]
    sender: Annotated[
        Address | None, Is("who sent; None when the record does not say", venue="user")
    ]
    recipient: Annotated[Address | None, Is("who received", venue="destination")]
    source: Annotated[str, Is("'spot', or 'perp:' and the exchange", venue="sourceDex")]
    target: Annotated[str, Is("'spot', or 'perp:' and the exchange", venue="destinationDex")]
    fee: Annotated[
        Number,
        Is("charged to the sender beside the amount", unit="fee_asset", venue="fee"),
    ]
    fee_asset: Annotated[
        Asset | None, Is("token of the fee; None for USDC or unsaid", venue="feeToken")
    ]
    native_fee: Annotated[
        Number, Is("charged to the sender in HYPE", unit="HYPE", venue="nativeTokenFee")
    ]
    usdc_value: Annotated[
        Number | None, Is("worth as the venue saw it", unit="USDC", venue="usdcValue")
    ]
    nonce: Annotated[int | None, Is("the venue's number of the request", venue="nonce")]
    tx_hash: TxHash


@kind("activation_charged", key=("tx_hash", "asset"), family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class ActivationCharged(Fact):
    """The fee for activating an account was taken."""

    asset: Annotated[Asset, Is("token charged", venue="token")]
    amount: Annotated[Number, Is("charged", unit="asset", venue="amount")]
    tx_hash: TxHash


@kind("rewards_claimed", key=("tx_hash", "asset"), family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class RewardsClaimed(Fact):
    """Referral or builder rewards were paid out to the spot side."""

    asset: Annotated[Asset, Is("token credited", venue="token")]
    amount: Annotated[Number, Is("credited", unit="asset", venue="amount")]
    tx_hash: TxHash


@kind("genesis_received", key=("tx_hash", "asset"), family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class GenesisReceived(Fact):
    """A token's genesis credited (or, for its deployer, debited) the account."""

    asset: Annotated[Asset, Is("token credited", venue="token")]
    amount: Annotated[Number, Is("credited; negative when debited", unit="asset", venue="amount")]
    tx_hash: TxHash


@kind(
    "auction_paid",
    key=("tx_hash", "venue_type", "asset"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class AuctionPaid(Fact):
    """Gas of a deploy or priority auction was paid."""

    venue_type: Annotated[
        Literal["deployGasAuction", "gossipPriorityGasAuction"],
        Is("which auction", venue="type"),
    ]
    asset: Annotated[Asset, Is("token charged", venue="token")]
    amount: Annotated[Number, Is("charged", unit="asset", venue="amount")]
    tx_hash: TxHash


@kind(
    "staking_transferred",
    key=("tx_hash", "asset", "is_deposit"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class StakingTransferred(Fact):
    """A token moved between the spot side and staking."""

    asset: Annotated[Asset, Is("token moved", venue="token")]
    amount: Annotated[Number, Is("moved", unit="asset", venue="amount")]
    is_deposit: Annotated[bool, Is("true toward staking", venue="isDeposit")]
    tx_hash: TxHash


@kind("stake_changed", key=("tx_hash", "action", "validator"), rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class StakeChanged(Fact):
    """Staked tokens were delegated, undelegated, deposited or withdrawn (delegator history)."""

    action: Annotated[
        Literal["delegate", "undelegate", "deposit", "withdraw"],
        Is("what was done", venue="delta"),
    ]
    validator: Annotated[Address | None, Is("to or from whom", venue="validator")]
    amount: Annotated[Number, Is("concerned", unit="HYPE", venue="amount")]
    phase: Annotated[str | None, Is("phase of a withdrawal, where said", venue="phase")]
    tx_hash: TxHash


@kind(
    "dex_abstraction_activated",
    key=("tx_hash", "dex", "asset"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class DexAbstractionActivated(Fact):
    """A balance moved when the abstraction mode of an exchange was switched on."""

    dex: Annotated[Dex, Is("exchange concerned", venue="dex")]
    asset: Annotated[Asset, Is("token moved", venue="token")]
    amount: Annotated[Number, Is("moved", unit="asset", venue="amount")]
    tx_hash: TxHash


@kind("vault_created", key=("tx_hash", "vault"), family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class VaultCreated(Fact):
    """The account opened a vault and put its first money in."""

    vault: Annotated[Address, Is("the vault", venue="vault")]
    usdc: Annotated[Number, Is("put in", unit="USDC", venue="usdc")]
    fee: Annotated[Number, Is("charged beside it", unit="USDC", venue="fee")]
    tx_hash: TxHash


@kind("vault_deposited", key=("tx_hash", "vault"), family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class VaultDeposited(Fact):
    """Money went into a vault."""

    vault: Annotated[Address, Is("the vault", venue="vault")]
    usdc: Annotated[Number, Is("put in", unit="USDC", venue="usdc")]
    tx_hash: TxHash


@kind(
    "vault_withdrawn",
    key=("tx_hash", "vault", "user"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class VaultWithdrawn(Fact):
    """Money came back from a vault; the net amount is what the depositor received."""

    vault: Annotated[Address | None, Is("the vault", venue="vault")]
    user: Annotated[Address | None, Is("the depositor", venue="user")]
    requested: Annotated[Number, Is("asked for", unit="USDC", venue="requestedUsd")]
    commission: Annotated[Number, Is("kept for the leader", unit="USDC", venue="commission")]
    closing_cost: Annotated[
        Number, Is("cost of closing positions", unit="USDC", venue="closingCost")
    ]
    basis: Annotated[Number, Is("paid in for this part", unit="USDC", venue="basis")]
    net: Annotated[Number, Is("received", unit="USDC", venue="netWithdrawnUsd")]
    tx_hash: TxHash


@kind("vault_distributed", key=("tx_hash", "vault"), family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class VaultDistributed(Fact):
    """A vault paid money out to the account."""

    vault: Annotated[Address | None, Is("the vault; None where cut short", venue="vault")]
    usdc: Annotated[Number, Is("received", unit="USDC", venue="usdc")]
    tx_hash: TxHash


@kind(
    "leader_commission_received",
    key=("tx_hash", "user"),
    family="transfers",
    rank=RANK_CASH,
)
@attrs.frozen(kw_only=True)
class LeaderCommissionReceived(Fact):
    """The leader of a vault received his share of a depositor's profit."""

    user: Annotated[Address | None, Is("who received", venue="user")]
    usdc: Annotated[Number, Is("received", unit="USDC", venue="usdc")]
    tx_hash: TxHash
