"""What every event shares: its stream, its moment, its place among look-alikes, and its ranks."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, TypeAlias

import attrs

from ledger.kinds import Is
from ledger.units import Millis, Stream

Number: TypeAlias = Decimal
TxHash: TypeAlias = Annotated[
    str | None, Is("hash of the transaction; None when the record has none")
]

RANK_OPENING: Final = 0
RANK_MODE: Final = 10
RANK_CASH: Final = 20
RANK_PERIODIC: Final = 30
RANK_TRADE: Final = 40
RANK_MARKET: Final = 60
RANK_SEEN: Final = 80
"""Ranks order kinds inside one millisecond, where nothing recorded says more: what is charged on
the state before the trades of an instant (funding, interest) comes before those trades."""


@attrs.frozen(kw_only=True)
class Fact:
    """What every event has: whose history it is part of, when it happened, and which twin it is."""

    stream: Annotated[Stream, Is("whose history this is part of")]
    at: Annotated[Millis, Is("when it happened, venue time", unit="ms", venue="time")]
    occurrence: Annotated[int, Is("0 for the first of several identical records, then 1, 2, …")] = 0
