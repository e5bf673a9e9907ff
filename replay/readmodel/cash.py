"""Cash: movements that are no trade, as rows of the table of transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger import events as ev
from ledger.kinds import KIND_OF
from ledger.money import canonical
from projections.chart import HYPE, USDC
from replay.words import described

if TYPE_CHECKING:
    from decimal import Decimal

    from ledger.events import Event
    from replay.readmodel.columns import Cell


def transfer_row(event: Event) -> tuple[Cell, ...] | None:
    """Return kind, words, asset, amount, fee, its token, sender, recipient and transaction.

    None for an event that is no movement of cash. **Units**: amounts as recorded.
    """
    match event:
        case ev.Deposited() | ev.VaultDeposited() | ev.VaultDistributed():
            return _row(event, USDC, event.usdc)
        case ev.LeaderCommissionReceived():
            return _row(event, USDC, event.usdc)
        case ev.Withdrawn() | ev.VaultCreated():
            return _row(event, USDC, event.usdc, fee=event.fee, fee_asset=USDC)
        case ev.VaultWithdrawn():
            return _row(event, USDC, event.net)
        case ev.Transferred():
            return _row(
                event, event.asset, event.amount, fee=event.fee,
                fee_asset=event.fee_asset or USDC, sender=event.sender, recipient=event.recipient,
            )  # fmt: skip
        case (
            ev.ClassTransferred() | ev.ActivationCharged() | ev.RewardsClaimed()
            | ev.GenesisReceived() | ev.AuctionPaid() | ev.StakingTransferred()
            | ev.DexAbstractionActivated()
        ):  # fmt: skip
            return _row(event, event.asset, event.amount)
        case ev.StakeChanged():
            return _row(event, HYPE, event.amount, recipient=event.validator)
        case _:
            return None


def _row(
    event: ev.CashEvent, asset: str, amount: Decimal, *, fee: Decimal | None = None,
    fee_asset: str | None = None, sender: str | None = None, recipient: str | None = None,
) -> tuple[Cell, ...]:  # fmt: skip
    return (
        KIND_OF[type(event)].name, described(event), asset, canonical(amount),
        None if fee is None else canonical(fee), fee_asset, sender, recipient, event.tx_hash,
    )  # fmt: skip
