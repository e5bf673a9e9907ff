"""Words: what an event says, in one short line for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger import events as ev
from ledger.codec import kind_of
from ledger.money import canonical

if TYPE_CHECKING:
    from decimal import Decimal

    from ledger.events import Event


def described(event: Event) -> str:
    """Return an event in words, with its amounts as recorded."""
    match event:
        case ev.Filled():
            px, sz = canonical(event.px), canonical(event.sz)
            what = event.direction or ("Buy" if event.side == "B" else "Sell")
            return f"{what} {sz} {event.coin} at {px}{_charged(event)}"
        case ev.FundingPaid():
            verb = "received" if event.usdc >= 0 else "paid"
            return f"funding {verb} on {canonical(event.size)} {event.coin}"
        case ev.InterestAccrued():
            return f"interest on {event.asset}"
        case ev.ReserveOperated():
            return f"{event.operation} {canonical(event.amount)} {event.asset}"
        case ev.Deposited():
            return f"deposit {canonical(event.usdc)} USDC"
        case ev.Withdrawn():
            return f"withdrawal {canonical(event.usdc)} USDC, fee {canonical(event.fee)}"
        case ev.ClassTransferred():
            where = "spot to perp" if event.to_perp else "perp to spot"
            return f"{where} {canonical(event.amount)} {event.asset}"
        case ev.Transferred():
            return f"{event.venue_type} {canonical(event.amount)} {event.asset}"
        case ev.StakingTransferred():
            where = "into staking" if event.is_deposit else "out of staking"
            return f"{canonical(event.amount)} {event.asset} {where}"
        case ev.Liquidated():
            return f"liquidation marked, notional {canonical(event.notional)}"
        case ev.ModeChanged():
            return f"mode {event.mode}"
        case ev.Opened():
            return f"opening attested by {event.author} from {event.source}"
        case ev.Annulled():
            return f"annuls {event.target[:12]}: {event.reason}"
        case ev.Replaced():
            return f"replaces {event.target[:12]}: {event.reason}"
        case ev.Noted():
            return f"{event.author}: {event.text}"
        case ev.Unrecognized():
            return f"unknown kind {event.venue_type}"
        case _:
            return kind_of(event).name.replace("_", " ")


def _charged(event: ev.Filled) -> str:
    if event.fee is None:
        return ", fee unknown"
    return f", fee {_amount(event.fee, event.fee_asset)}"


def _amount(value: Decimal, asset: str | None) -> str:
    return f"{canonical(value)} {asset}" if asset else canonical(value)
