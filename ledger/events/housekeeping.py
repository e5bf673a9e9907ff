"""Housekeeping: openings, corrections, contradictions, order, quarantine, the unknown."""

from __future__ import annotations

from typing import Annotated

import attrs

from ledger.events.base import RANK_CASH, RANK_OPENING, RANK_SEEN, Fact, Number, TxHash
from ledger.kinds import Is, kind
from ledger.units import Asset, Coin, EventId


@attrs.frozen(kw_only=True)
class OpeningBalance:
    """One balance of an attested opening."""

    place: Annotated[str, Is("part of the account: spot, perp:, supplied, borrowed, staking")]
    asset: Annotated[Asset, Is("token")]
    amount: Annotated[Number, Is("at hand; borrowed as a positive number", unit="asset")]


@attrs.frozen(kw_only=True)
class OpeningPosition:
    """One position of an attested opening."""

    coin: Annotated[Coin, Is("market")]
    size: Annotated[Number, Is("signed size", unit="coin")]
    entry_notional: Annotated[
        Number | None, Is("what it cost; None when not known", unit="collateral")
    ]


@kind("opened", key=(), rank=RANK_OPENING)
@attrs.frozen(kw_only=True)
class Opened(Fact):
    """Somebody attests what the account had; holds until older fills are recorded."""

    balances: Annotated[tuple[OpeningBalance, ...], Is("balances at the opening")]
    positions: Annotated[tuple[OpeningPosition, ...], Is("positions at the opening")]
    author: Annotated[str, Is("who attests")]
    source: Annotated[str, Is("what it was taken from")]


@kind("annulled", key=("target",), rank=RANK_OPENING)
@attrs.frozen(kw_only=True)
class Annulled(Fact):
    """An event is taken not to have happened; ``at`` is the moment of the target."""

    target: Annotated[EventId, Is("the event concerned")]
    author: Annotated[str, Is("who says so")]
    reason: Annotated[str, Is("why")]


@kind("replaced", key=None, rank=RANK_OPENING)
@attrs.frozen(kw_only=True)
class Replaced(Fact):
    """An event is taken to have been another one; ``at`` is the moment of the target."""

    target: Annotated[EventId, Is("the event concerned")]
    replacement: Annotated[str, Is("canonical line of the event put in its place")]
    author: Annotated[str, Is("who says so")]
    reason: Annotated[str, Is("why")]


@kind("contradicted", key=None, rank=RANK_OPENING)
@attrs.frozen(kw_only=True)
class Contradicted(Fact):
    """A second record of one identity says more, or something else; what the first says stays."""

    target: Annotated[EventId, Is("the event recorded first")]
    other: Annotated[str, Is("canonical line of what the second record says")]


@kind("ordered", key=None, rank=RANK_OPENING)
@attrs.frozen(kw_only=True)
class Ordered(Fact):
    """A record shows events of one millisecond, some known before, in this order."""

    events: Annotated[tuple[EventId, ...], Is("identities, first to last")]


@kind("quarantined", key=("record", "place"), rank=RANK_OPENING)
@attrs.frozen(kw_only=True)
class Quarantined(Fact):
    """A row that could not be read; ``at`` is when it was imported."""

    record: Annotated[str, Is("digest of the raw record")]
    name: Annotated[str, Is("name the file had")]
    place: Annotated[str, Is("line or path inside it")]
    reason: Annotated[str, Is("what was wrong, what was expected")]
    text: Annotated[str, Is("the row, cut after 500 characters")]


@kind("noted", key=None, rank=RANK_SEEN)
@attrs.frozen(kw_only=True)
class Noted(Fact):
    """Somebody's remark on this account at this instant."""

    author: Annotated[str, Is("who remarks")]
    text: Annotated[str, Is("the remark")]


@kind("unrecognized", key=None, family="transfers", rank=RANK_CASH)
@attrs.frozen(kw_only=True)
class Unrecognized(Fact):
    """A record of a kind we do not know, kept as it is; projections that may need it stop here."""

    venue_type: Annotated[str, Is("the venue's word for it")]
    body: Annotated[str, Is("the row as JSON text, as received")]
    tx_hash: TxHash
