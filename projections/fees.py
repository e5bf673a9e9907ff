"""Fees: what was charged on fills, per token."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ledger import events as ev
from ledger.money import ZERO
from ledger.units import Asset
from projections.postings import fee_asset
from projections.state import State as GenericState
from projections.state import applied

if TYPE_CHECKING:
    from ledger.events import Event
    from projections.reference import Reference

NAME: Final = "fees"


class Fees(NamedTuple):
    """Fees in one token; a rebate lowers them."""

    total: Decimal
    """Charged, the builders' share included."""
    builder: Decimal
    """Share of the total that went to builders."""
    fills: int
    """Fills whose fee is known."""
    unknown: int
    """Fills of which no fee is recorded (2023): not in the total, and not zero."""


Key: TypeAlias = Asset
State: TypeAlias = GenericState[Key, Fees]

EMPTY: Final[State] = GenericState()
ROWS: Final = list[tuple[Key, Fees]]
CONSUMED: Final[frozenset[type]] = frozenset({ev.Filled})

_NONE: Final = Fees(ZERO, ZERO, 0, 0)


def apply(state: State, event: Event, reference: Reference) -> State:
    """Return the fees after an event; it never raises. **Units**: each token's own."""
    return applied(record, state, event, reference)


def record(held: dict[Key, Fees], event: Event, reference: Reference) -> None:
    """Add a fill's fee to the totals in *held*."""
    if not isinstance(event, ev.Filled):
        return
    asset = event.fee_asset or fee_asset(event, reference)
    if event.fee is None:
        before = held.get(asset, _NONE)
        held[asset] = before._replace(unknown=before.unknown + 1)
    else:
        charged(held, asset, total=event.fee, builder=event.builder_fee or ZERO, fills=1)


def charged(
    held: dict[Key, Fees], asset: Asset, *, total: Decimal, builder: Decimal, fills: int
) -> None:
    """Add known fees, of one fill or a sum of several, to the totals in *held*."""
    before = held.get(asset, _NONE)
    held[asset] = Fees(
        before.total + total, before.builder + builder, before.fills + fills, before.unknown
    )
