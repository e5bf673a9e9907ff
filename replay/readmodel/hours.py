"""Hours: what a state says at a full hour, as rows; and states as a checkpoint keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import zstandard

from ledger.money import canonical, unscaled
from projections import balances, fold, positions
from projections.chart import IN_TRANSIT, is_own
from projections.fold import Stopped
from replay.readmodel import tables
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.units import Address
    from projections.fold import States
    from projections.positions import Position
    from replay.readmodel.columns import Cell, Table

STATE_BYTES_MAX: Final = 1 << 30


Said: TypeAlias = "tuple[Table, tuple[Cell, ...]]"
"""A table, and the cells of a row behind account and hour."""


def said(states: States) -> Iterator[Said]:
    """Yield what states say: what the account had, its positions, and the digest of it all."""
    held, traded = states.by_name[balances.NAME], states.by_name[positions.NAME]
    is_known = not isinstance(held, Stopped) and not isinstance(traded, Stopped)
    digest = fold.digest(states)
    yield tables.HOURS, (states.events, digest, int(is_known))
    if not isinstance(held, Stopped):
        for (place, asset), amount in held.by_key.items():
            if amount and (is_own(place) or place == IN_TRANSIT) and place[:9] != "position:":
                yield tables.BALANCES_BY_HOUR, (place_name(place), asset, canonical(amount))
    if not isinstance(traded, Stopped):
        for market, position in traded.by_key.items():
            if position.size or position.unexplained or position.realized or position.unknown:
                yield tables.POSITIONS_BY_HOUR, (market, *_position(position))


def _position(held: Position) -> tuple[Cell, ...]:
    is_open = bool(held.size or held.unexplained)
    price = positions.entry_price(held) if is_open else None
    notional = positions.shown_notional(held) if is_open else None
    is_unknown = held.unknown and not held.realized
    return (
        canonical(positions.size(held)),
        None if price is None else canonical(price),
        None if notional is None else canonical(notional),
        None if is_unknown else canonical(positions.realized(held)),
        held.unknown,
        held.money,
        f"{held.origin} {canonical(unscaled(held.opening, held.places))}" if held.origin else "",
    )


def checkpoint(account: Address, ordinal: int, states: States) -> tuple[Cell, ...]:
    """Return the row of a checkpoint: states after so many events."""
    last = -1 if states.last_at is None else states.last_at
    return account, ordinal, last, packed(fold.encode(states))


def packed(body: bytes) -> bytes:
    """Return bytes compressed; equal bytes give equal ones."""
    return zstandard.ZstdCompressor(level=3).compress(body)


def unpacked(body: bytes) -> bytes:
    """Return what ``packed`` was given."""
    return zstandard.ZstdDecompressor().decompress(body, max_output_size=STATE_BYTES_MAX)
