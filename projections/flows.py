"""Flows: what each event did to the account's own places, and for what cause.

The amounts are those of ``postings``, the only place where an event is given a meaning; here every
leg at an own place gets its *cause*, which is the counter place's name in the words of a statement.
A group is several accounts taken as one: what went from one of them to another is no cause of
change, and is set apart.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from ledger import events as ev
from ledger.money import ZERO
from ledger.units import Address, Asset, stream_account
from projections import chart, liquidations
from projections.chart import Place, is_own
from projections.postings import moves, opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.events import Event
    from projections.postings import Move
    from projections.reference import Reference

Cause: TypeAlias = Literal[
    "deposits", "withdrawals", "transfers in", "transfers out", "inside the group", "moved inside",
    "trading", "liquidation", "funding", "trading fees", "other fees", "interest earned",
    "interest paid", "rewards", "airdrops", "auctions", "vault results", "opening attested",
    "set by an opening",
]  # fmt: skip

CAUSES: Final[tuple[Cause, ...]] = (
    "opening attested", "deposits", "withdrawals", "transfers in", "transfers out",
    "inside the group", "moved inside", "trading", "liquidation", "funding", "trading fees",
    "other fees", "interest earned", "interest paid", "rewards", "airdrops", "auctions",
    "vault results", "set by an opening",
)  # fmt: skip
"""Every cause, in the order statements show them."""

TRADES: Final[frozenset[Cause]] = frozenset({"trading", "liquidation"})
"""Causes whose two sides are exchanged for each other, and valued together."""

UNEXPLAINED: Final[Cause] = "set by an opening"
"""A balance that an attested opening set to something else than what records had led to."""

_OF_PLACE: Final[Mapping[Place, Cause]] = {
    chart.FUNDING: "funding",
    chart.REWARDS: "rewards",
    chart.GENESIS: "airdrops",
    chart.AUCTIONS: "auctions",
    chart.VAULTS: "vault results",
}

_OF_VAULTS: Final = (
    ev.VaultCreated,
    ev.VaultDeposited,
    ev.VaultWithdrawn,
    ev.VaultDistributed,
    ev.LeaderCommissionReceived,
)


class Flow(NamedTuple):
    """What came to an own place (positive) or went from it (negative), and why."""

    place: Place
    asset: Asset
    amount: Decimal
    cause: Cause
    counter: Place
    """Where it came from or went to."""
    key: Place | None
    """Where a transfer waits for its other side; None for what has none."""
    party: Address | None
    """The account on the other side, where the record names it."""


Held: TypeAlias = "Mapping[tuple[Place, Asset], Decimal]"


def flows(event: Event, reference: Reference, held: Held) -> tuple[Flow, ...]:
    """Return what an event did to the account's own places.

    *held* are the balances before it: an attested opening sets those it names. Must be called in
    the exact context (``ledger.money.exact``).

    Raises: UnknownKind, for a record whose meaning is not known.
    """
    is_opening = isinstance(event, ev.Opened)
    found = opened(event, held) if isinstance(event, ev.Opened) else moves(event, reference)
    key, party = _waiting(event), _party(event)
    legs: list[Flow] = []
    for move in found:
        for place, amount, counter in _legs(move):
            if not (amount and is_own(place)):
                continue
            asset = move[2]
            cause = (
                _of_opening(held.get((place, asset), ZERO))
                if is_opening
                else _cause(event, place, counter, amount)
            )
            legs.append(Flow(place, asset, amount, cause, counter, key, party))
    return tuple(legs)


def _legs(move: Move) -> tuple[tuple[Place, Decimal, Place], tuple[Place, Decimal, Place]]:
    target, source, _, amount = move
    return (target, amount, source), (source, -amount, target)


def _of_opening(before: Decimal) -> Cause:
    return UNEXPLAINED if before else "opening attested"


def _cause(event: Event, place: Place, counter: Place, amount: Decimal) -> Cause:
    """Return the cause of a leg, from where the money came or went and what kind of event it is."""
    if is_own(counter):
        return "moved inside"
    if counter == chart.TRADING:
        is_forced = isinstance(event, ev.Filled) and liquidations.is_liquidation(event)
        return "liquidation" if is_forced else "trading"
    if counter == chart.FEES:
        return "trading fees" if isinstance(event, ev.Filled) else "other fees"
    if counter == chart.LENDING:
        return "interest paid" if place == chart.BORROWED else "interest earned"
    if counter == chart.OUTSIDE:
        return "deposits" if amount > 0 else "withdrawals"
    named = _OF_PLACE.get(counter)
    if named is not None:
        return named
    return "transfers in" if amount > 0 else "transfers out"


def _waiting(event: Event) -> Place | None:
    """Return where the other side of a transfer is looked for."""
    if isinstance(event, ev.Transferred):
        return chart.in_transit(tx_hash=event.tx_hash, nonce=event.nonce, at=event.at)
    if isinstance(event, _OF_VAULTS):
        return chart.in_transit(tx_hash=event.tx_hash, nonce=None, at=event.at)
    return None


def _party(event: Event) -> Address | None:
    """Return the account on the other side of a transfer, where the record names it."""
    own = stream_account(event.stream)
    if isinstance(event, ev.Transferred):
        named: tuple[Address | None, ...] = (event.sender, event.recipient)
    elif isinstance(event, ev.VaultWithdrawn):
        named = (event.vault, event.user)
    elif isinstance(event, ev.VaultCreated | ev.VaultDeposited | ev.VaultDistributed):
        named = (event.vault,)
    else:
        return None
    return next((each for each in named if each not in {None, own}), None)
