"""Groups: several accounts as one entity, and the transfers between them, matched in pairs.

A transfer between two members is recorded in both histories: what one sent waits in transit until
the other's record takes it from there. Both sides are eliminated; where only one is recorded, the
amount is in transit inside the group, and that is a finding.

What a member put into a vault of the group is not added to what the vault has: the share is
eliminated too.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import attrs

from ledger.money import ZERO
from ledger.units import Address, Asset, EventId, Millis
from projections import chart
from projections.chart import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.statement.quantities import Moved

Meeting: TypeAlias = "tuple[Place, Asset]"


@attrs.frozen(kw_only=True)
class Member:
    """One account of a group."""

    address: Address
    role: str
    """master, sub-account or vault; empty where the statement is of one account."""
    label: str = ""


@attrs.frozen(kw_only=True)
class Group:
    """Accounts taken as one."""

    name: str
    members: tuple[Member, ...]

    @property
    def addresses(self) -> frozenset[Address]:
        """The accounts."""
        return frozenset(each.address for each in self.members)

    def is_eliminated(self, place: Place) -> bool:
        """Tell whether a place is a share in a vault of the group."""
        return place.startswith("vault:") and Address(place[6:]) in self.addresses


@attrs.frozen(kw_only=True)
class Side:
    """One member's record of a transfer."""

    account: Address
    event: EventId
    at: Millis
    place: Place
    amount: Decimal
    """Came in positive, went out negative."""


@attrs.frozen(kw_only=True)
class Pair:
    """A transfer inside a group, with the records of both sides as far as there are any."""

    key: Place
    """What the records share: transaction, or moment."""
    asset: Asset
    sides: tuple[Side, ...]

    @property
    def remainder(self) -> Decimal:
        """What was sent and is in nobody's record as received, negative; nothing in a pair."""
        return sum((each.amount for each in self.sides), ZERO)

    @property
    def is_whole(self) -> bool:
        """Tell whether both sides are recorded, with one amount."""
        return not self.remainder


def pairs(passing: Sequence[Moved], group: Group) -> tuple[tuple[Pair, ...], frozenset[int]]:
    """Return the transfers inside a group, and which of *passing* they are, by their numbers.

    *passing* are legs with a key (``Flow.key``), of all members. A leg belongs to the group when
    its record names another member, or names nobody and meets a leg that does. Legs at a share
    in a vault of the group are left to the elimination of the share. Must be called in the exact
    context. **Order** of the pairs: by moment.
    """
    named = {_meeting(moved) for moved in passing if _party_inside(moved, group)}
    found: dict[Meeting, list[Side]] = {}
    numbers: set[int] = set()
    for number, moved in enumerate(passing):
        if _meeting(moved) not in named or not _crosses(moved, group):
            continue
        if moved.flow.party is None or _party_inside(moved, group):
            numbers.add(number)
            found.setdefault(_meeting(moved), []).append(
                Side(
                    account=moved.account,
                    event=moved.event,
                    at=moved.at,
                    place=moved.flow.place,
                    amount=moved.flow.amount,
                )
            )
    made = [Pair(key=key, asset=asset, sides=tuple(sides)) for (key, asset), sides in found.items()]
    made.sort(key=lambda pair: (pair.sides[0].at, pair.key, pair.asset))
    return tuple(made), frozenset(numbers)


def _party_inside(moved: Moved, group: Group) -> bool:
    return moved.flow.party in group.addresses and moved.flow.party != moved.account


def _meeting(moved: Moved) -> Meeting:
    key = moved.flow.key
    if key is None:
        message = f"{moved.event} passes nothing on"
        raise ValueError(message)
    return key, moved.flow.asset


def _crosses(moved: Moved, group: Group) -> bool:
    """Tell whether a leg goes to another account: in transit, into a vault's share, out of one."""
    flow = moved.flow
    if group.is_eliminated(flow.place) or flow.counter in {chart.FEES, chart.TRADING}:
        return False
    return (
        flow.counter.startswith(chart.IN_TRANSIT)
        or group.is_eliminated(flow.counter)
        or flow.counter == chart.VAULTS
    )
