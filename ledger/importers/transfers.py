"""Transfers: ``userNonFundingLedgerUpdates``, every type of its deltas, and staking's history.

The set of types is open. A type not in ``READERS`` becomes ``Unrecognized`` with its row as text:
it is kept, and stops what would need to understand it. Amounts keep the sign and every digit
of the record (``2703997.4500000002``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from ledger import events as kinds
from ledger.importers import door
from ledger.importers.answers import (
    Answer,
    AnswerKind,
    Found,
    covered,
    first_row,
    in_effective_order,
    part,
    read_rows,
    told_apart,
)
from ledger.money import ZERO
from ledger.units import MAIN_DEX, Address, Asset, Coin, Dex, Millis, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.events import Event
    from ledger.importers.base import Json

Common: TypeAlias = dict[str, Any]
"""Stream, moment and hash of a row: what every event made from one has."""

PAGE: Final = 500
USDC: Final = Asset("USDC")


def ledger_event(
    delta: Mapping[str, Json], *, stream: Stream, at: Millis, tx_hash: str | None
) -> Event:
    """Return the event of one ledger delta; a type we do not know is kept as it is.

    Raises: MalformedRecord, when a delta of a known type lacks a field or holds nonsense in it.
    """
    venue_type = door.text(delta, "type")
    common: Common = {"stream": stream, "at": at, "tx_hash": tx_hash}
    reader = READERS.get(venue_type)
    if reader is None:
        return kinds.Unrecognized(
            **common, venue_type=venue_type, body=door.as_text(dict(delta), whole=True)
        )
    return reader(delta, common)


def side(dex: str) -> str:
    """Return a side of an account as events name it: ``spot``, or ``perp:`` and the exchange."""
    return "spot" if dex == "spot" else f"perp:{dex}"


def _asset(row: Mapping[str, Json], field: str = "token") -> Asset:
    return Asset(door.text(row, field))


def _fee_asset(row: Mapping[str, Json]) -> Asset | None:
    """Return the token of the fee; the venue writes an empty text where it is the usual one."""
    return Asset(name) if (name := door.optional(door.text, row, "feeToken")) else None


def _deposit(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.Deposited(**common, usdc=door.decimal(row, "usdc"))


def _withdraw(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.Withdrawn(
        **common,
        usdc=door.decimal(row, "usdc"),
        fee=door.decimal(row, "fee"),
        nonce=door.optional(door.integer, row, "nonce"),
    )


def _class_transfer(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.ClassTransferred(
        **common,
        asset=USDC,
        amount=door.decimal(row, "usdc"),
        dex=MAIN_DEX,
        to_perp=door.flag(row, "toPerp"),
    )


def _dex_class_transfer(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.ClassTransferred(
        **common,
        asset=_asset(row),
        amount=door.decimal(row, "amount"),
        dex=Dex(door.text(row, "dex")),
        to_perp=door.flag(row, "toPerp"),
    )


def _transfer(
    row: Mapping[str, Json],
    common: Common,
    *,
    venue_type: Literal["internalTransfer", "subAccountTransfer", "spotTransfer", "send"],
    source: str,
    target: str,
) -> Event:
    """Return a transfer between accounts; those of USDC between perpetuals name no token."""
    tells_token = venue_type in {"spotTransfer", "send"}
    # A transfer to a sub-account is free, and its row has no field for a fee.
    fee = ZERO if venue_type == "subAccountTransfer" else door.decimal(row, "fee")
    return kinds.Transferred(
        **common,
        venue_type=venue_type,
        asset=_asset(row) if tells_token else USDC,
        amount=door.decimal(row, "amount" if tells_token else "usdc"),
        sender=door.address(row, "user"),
        recipient=door.address(row, "destination"),
        source=source,
        target=target,
        fee=fee,
        fee_asset=_fee_asset(row),
        native_fee=door.optional(door.decimal, row, "nativeTokenFee") or ZERO,
        usdc_value=door.optional(door.decimal, row, "usdcValue"),
        nonce=door.optional(door.integer, row, "nonce"),
    )


def _internal_transfer(row: Mapping[str, Json], common: Common) -> Event:
    perp = side("")
    return _transfer(row, common, venue_type="internalTransfer", source=perp, target=perp)


def _sub_account_transfer(row: Mapping[str, Json], common: Common) -> Event:
    perp = side("")
    return _transfer(row, common, venue_type="subAccountTransfer", source=perp, target=perp)


def _spot_transfer(row: Mapping[str, Json], common: Common) -> Event:
    return _transfer(row, common, venue_type="spotTransfer", source="spot", target="spot")


def _send(row: Mapping[str, Json], common: Common) -> Event:
    source, target = side(door.text(row, "sourceDex")), side(door.text(row, "destinationDex"))
    return _transfer(row, common, venue_type="send", source=source, target=target)


def _activation(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.ActivationCharged(**common, asset=_asset(row), amount=door.decimal(row, "amount"))


def _rewards(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.RewardsClaimed(**common, asset=_asset(row), amount=door.decimal(row, "amount"))


def _genesis(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.GenesisReceived(**common, asset=_asset(row), amount=door.decimal(row, "amount"))


def _auction(row: Mapping[str, Json], common: Common) -> Event:
    venue_type = door.one_of(row, "type", ("deployGasAuction", "gossipPriorityGasAuction"))
    return kinds.AuctionPaid(
        **common,
        venue_type=cast('Literal["deployGasAuction", "gossipPriorityGasAuction"]', venue_type),
        asset=_asset(row),
        amount=door.decimal(row, "amount"),
    )


def _staking(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.StakingTransferred(
        **common,
        asset=_asset(row),
        amount=door.decimal(row, "amount"),
        is_deposit=door.flag(row, "isDeposit"),
    )


def _dex_abstraction(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.DexAbstractionActivated(
        **common,
        dex=Dex(door.text(row, "dex")),
        asset=_asset(row),
        amount=door.decimal(row, "amount"),
    )


def _reserve_operation(row: Mapping[str, Json], common: Common) -> Event:
    operation = door.one_of(row, "operation", ("supply", "withdraw", "borrow", "repay"))
    return kinds.ReserveOperated(
        **common,
        operation=cast('Literal["supply", "withdraw", "borrow", "repay"]', operation),
        asset=_asset(row),
        amount=door.decimal(row, "amount"),
        reported_interest=door.optional(door.decimal, row, "interestAmount"),
    )


def _vault_create(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.VaultCreated(
        **common,
        vault=door.address(row, "vault"),
        usdc=door.decimal(row, "usdc"),
        fee=door.decimal(row, "fee"),
    )


def _vault_deposit(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.VaultDeposited(
        **common, vault=door.address(row, "vault"), usdc=door.decimal(row, "usdc")
    )


def _vault_withdraw(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.VaultWithdrawn(
        **common,
        vault=door.optional(door.address, row, "vault"),
        user=door.optional(door.address, row, "user"),
        requested=door.decimal(row, "requestedUsd"),
        commission=door.decimal(row, "commission"),
        closing_cost=door.decimal(row, "closingCost"),
        basis=door.decimal(row, "basis"),
        net=door.decimal(row, "netWithdrawnUsd"),
    )


def _vault_distribution(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.VaultDistributed(
        **common,
        vault=door.optional(door.address, row, "vault"),
        usdc=door.decimal(row, "usdc"),
    )


def _leader_commission(row: Mapping[str, Json], common: Common) -> Event:
    return kinds.LeaderCommissionReceived(
        **common,
        user=door.optional(door.address, row, "user"),
        usdc=door.decimal(row, "usdc"),
    )


def _liquidation(row: Mapping[str, Json], common: Common) -> Event:
    rows = door.array(door.required(row, "liquidatedPositions"), "liquidatedPositions")
    positions = tuple(
        kinds.LiquidatedPosition(coin=Coin(door.text(item, "coin")), size=door.decimal(item, "szi"))
        for item in map(door.record, rows)
    )
    return kinds.Liquidated(
        **common,
        notional=door.decimal(row, "liquidatedNtlPos"),
        account_value=door.decimal(row, "accountValue"),
        leverage_type=door.text(row, "leverageType"),
        positions=positions,
    )


READERS: Final[Mapping[str, Callable[[Mapping[str, Json], Common], Event]]] = {
    "deposit": _deposit,
    "withdraw": _withdraw,
    "accountClassTransfer": _class_transfer,
    "perpDexClassTransfer": _dex_class_transfer,
    "internalTransfer": _internal_transfer,
    "subAccountTransfer": _sub_account_transfer,
    "spotTransfer": _spot_transfer,
    "send": _send,
    "accountActivationGas": _activation,
    "rewardsClaim": _rewards,
    "spotGenesis": _genesis,
    "deployGasAuction": _auction,
    "gossipPriorityGasAuction": _auction,
    "cStakingTransfer": _staking,
    "activateDexAbstraction": _dex_abstraction,
    "borrowLend": _reserve_operation,
    "vaultCreate": _vault_create,
    "vaultDeposit": _vault_deposit,
    "vaultWithdraw": _vault_withdraw,
    "vaultDistribution": _vault_distribution,
    "vaultLeaderCommission": _leader_commission,
    "liquidation": _liquidation,
}
"""Every type of delta we can read; ``welcomeBonus`` is known by name alone and kept raw."""


# ------------------------------------------------------------------------- answers


def _read_ledger(answer: Answer) -> Found:
    rows, stream = door.array(answer.value), answer.stream

    def make(row: Json) -> Event:
        outer = door.record(row)
        delta = door.record(outer.get("delta"), "delta")
        return ledger_event(
            delta, stream=stream, at=door.millis(outer), tx_hash=door.tx_hash(outer)
        )

    events, numbers, unreadable = read_rows(answer, rows, make)
    events, numbers = in_effective_order(events, numbers, newest_first=False)
    covers = covered(answer, "transfers", events, numbers, count=len(rows), page=PAGE)
    return Found(
        parts=part(answer, stream, told_apart(events), numbers, covers=covers),
        unreadable=tuple(unreadable),
    )


def _is_ledger(value: Json) -> bool:
    delta = first_row(value).get("delta")
    return isinstance(delta, dict) and "type" in delta and delta["type"] != "funding"


def _stake_changed(row: Mapping[str, Json], *, stream: Stream) -> Event:
    delta = door.record(row.get("delta"), "delta")
    validator: Address | None = None
    phase: str | None = None
    action: Literal["delegate", "undelegate", "deposit", "withdraw"]
    if "delegate" in delta:
        inner = door.record(delta["delegate"], "delegate")
        action = "undelegate" if door.flag(inner, "isUndelegate") else "delegate"
        validator = door.address(inner, "validator")
    elif "cDeposit" in delta:
        inner, action = door.record(delta["cDeposit"], "cDeposit"), "deposit"
    elif "withdrawal" in delta:
        inner, action = door.record(delta["withdrawal"], "withdrawal"), "withdraw"
        phase = door.optional(door.text, inner, "phase")
    else:
        return kinds.Unrecognized(
            stream=stream,
            at=door.millis(row),
            tx_hash=door.tx_hash(row),
            venue_type="delegatorHistory",
            body=door.as_text(delta, whole=True),
        )
    return kinds.StakeChanged(
        stream=stream,
        at=door.millis(row),
        action=action,
        validator=validator,
        amount=door.decimal(inner, "amount"),
        phase=phase,
        tx_hash=door.tx_hash(row),
    )


def _read_delegator(answer: Answer) -> Found:
    rows, stream = door.array(answer.value), answer.stream
    events, numbers, unreadable = read_rows(
        answer, rows, lambda row: _stake_changed(door.record(row), stream=stream)
    )
    events, numbers = in_effective_order(events, numbers, newest_first=True)
    return Found(
        parts=part(answer, stream, told_apart(events), numbers), unreadable=tuple(unreadable)
    )


def _is_delegator(value: Json) -> bool:
    delta = first_row(value).get("delta")
    return isinstance(delta, dict) and not delta.keys().isdisjoint(
        {"delegate", "cDeposit", "withdrawal"}
    )


KINDS: Final = (
    AnswerKind(
        name="userNonFundingLedgerUpdates",
        types=frozenset({"userNonFundingLedgerUpdates"}),
        fits=_is_ledger,
        read=_read_ledger,
    ),
    AnswerKind(
        name="delegatorHistory",
        types=frozenset({"delegatorHistory"}),
        fits=_is_delegator,
        read=_read_delegator,
    ),
)
