"""Balances: sums of postings, by place and asset; the shortest projection."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from ledger import events as ev
from ledger.units import Asset
from projections.chart import Place, is_own, summed
from projections.postings import Move, moves, opened
from projections.state import State as GenericState
from projections.state import applied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.events import Event
    from projections.reference import Reference

NAME: Final = "balances"

Key: TypeAlias = tuple[Place, Asset]
State: TypeAlias = GenericState[Key, Decimal]

EMPTY: Final[State] = GenericState()
ROWS: Final = list[tuple[Key, Decimal]]

CONSUMED: Final[frozenset[type]] = frozenset({
    ev.Filled, ev.FundingPaid, ev.InterestAccrued, ev.ReserveOperated, ev.Opened, ev.Unrecognized,
    ev.Deposited, ev.Withdrawn, ev.ClassTransferred, ev.Transferred, ev.ActivationCharged,
    ev.RewardsClaimed, ev.GenesisReceived, ev.AuctionPaid, ev.StakingTransferred, ev.VaultCreated,
    ev.VaultDeposited, ev.VaultWithdrawn, ev.VaultDistributed, ev.LeaderCommissionReceived,
})  # fmt: skip
"""Every kind that can have postings; a test holds this against ``postings``."""


_WAITING: Final = frozenset({ev.Transferred, ev.VaultDeposited, ev.VaultWithdrawn})
"""Kinds whose legs may wait in transit, where single transfers are summed up."""


def apply(state: State, event: Event, reference: Reference) -> State:
    """Return the balances after an event.

    **Units**: each balance in its own asset; what is owed is negative. Counter places are kept
    too, so that all balances of an asset sum to zero.

    Raises: UnknownKind, for a record whose meaning is not known.
    """
    return applied(record, state, event, reference)


def record(held: dict[Key, Decimal], event: Event, reference: Reference) -> None:
    """Add the legs of an event to the balances in *held*; an opening sets those it names."""
    found = opened(event, held) if type(event) is ev.Opened else moves(event, reference)
    moved = [move for move in found if move[3]]
    if type(event) in _WAITING:
        moved = [(summed(into), summed(out), asset, sum_) for into, out, asset, sum_ in moved]
    add(held, moved)


def add(held: dict[Key, Decimal], moved: Iterable[Move]) -> None:
    """Add moves to the balances in *held*, those of zero too."""
    get = held.get
    for target, source, asset, amount in moved:
        into, out = (target, asset), (source, asset)
        before = get(into)
        held[into] = amount if before is None else before + amount
        before = get(out)
        held[out] = -amount if before is None else before - amount


def own(state: State) -> dict[Key, Decimal]:
    """Return the balances at the account's own places, without what is zero."""
    return {key: amount for key, amount in state.by_key.items() if amount and is_own(key[0])}
