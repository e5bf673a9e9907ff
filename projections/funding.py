"""Funding: what was received and paid on perpetual positions, per market."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ledger import events as ev
from ledger.money import ZERO
from ledger.units import Asset, Coin
from projections.state import State as GenericState
from projections.state import applied

if TYPE_CHECKING:
    from ledger.events import Event
    from projections.reference import Reference

NAME: Final = "funding"


class Funding(NamedTuple):
    """Funding of one market."""

    total: Decimal
    """Received less paid."""
    payments: int
    """How many payments, both ways."""


Key: TypeAlias = tuple[Coin, Asset]
State: TypeAlias = GenericState[Key, Funding]

EMPTY: Final[State] = GenericState()
ROWS: Final = list[tuple[Key, Funding]]
CONSUMED: Final[frozenset[type]] = frozenset({ev.FundingPaid})

_NONE: Final = Funding(ZERO, 0)


def apply(state: State, event: Event, reference: Reference) -> State:
    """Return the funding totals after an event; it never raises.

    **Units**: the collateral in the key; negative when more was paid than received.
    """
    return applied(record, state, event, reference)


def record(held: dict[Key, Funding], event: Event, reference: Reference) -> None:
    """Add a payment to the totals in *held*."""
    if not isinstance(event, ev.FundingPaid):
        return
    key = (event.coin, reference.collateral_of(event.coin))
    total, payments = held.get(key, _NONE)
    held[key] = Funding(total + event.usdc, payments + 1)
