"""Chart: the places money can be, inside the account and around it.

A place is a short text. The account's own places are

======================  =====================================================================
``spot``                tokens at hand on the spot side
``perp:<dex>``          money of one perpetuals exchange; the main one is ``perp:``
``position:<coin>``     signed size of a perpetual position, in the pseudo-asset ``<coin>-PERP``
``supplied``            lent to a reserve, with the interest recorded
``borrowed``            owed to a reserve: negative, so that sums over places are what is owned
``staking``             in staking, delegated or not
``vault:<address>``     put into a vault and not yet taken out, at what was paid in
======================  =====================================================================

and everything else is a counter place: where it came from or went to. ``outside`` (the bridge),
``opening`` (what an opening attests), ``venue:trading``, ``venue:fees``, ``venue:funding``,
``venue:lending``, ``venue:rewards``, ``venue:genesis``, ``venue:auctions``, ``venue:vaults``, and
``in-transit:<transaction>``, where a transfer waits for its other side.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NewType

from ledger.units import MAIN_DEX, Address, Asset, Coin, Dex, dex_of

Place = NewType("Place", str)
"""Where money is: one line of the table above."""

SPOT: Final = Place("spot")
SUPPLIED: Final = Place("supplied")
BORROWED: Final = Place("borrowed")
STAKING: Final = Place("staking")

OUTSIDE: Final = Place("outside")
OPENING: Final = Place("opening")
TRADING: Final = Place("venue:trading")
FEES: Final = Place("venue:fees")
FUNDING: Final = Place("venue:funding")
LENDING: Final = Place("venue:lending")
REWARDS: Final = Place("venue:rewards")
GENESIS: Final = Place("venue:genesis")
AUCTIONS: Final = Place("venue:auctions")
VAULTS: Final = Place("venue:vaults")
IN_TRANSIT: Final = Place("in-transit")

USDC: Final = Asset("USDC")
HYPE: Final = Asset("HYPE")

_OWN_PREFIXES: Final = ("perp:", "position:", "vault:")
_OWN: Final = frozenset({SPOT, SUPPLIED, BORROWED, STAKING})


@cache
def perp(dex: Dex) -> Place:
    """Return the place of the money of one perpetuals exchange."""
    return Place(f"perp:{dex}")


@cache
def perp_of(coin: Coin) -> Place:
    """Return the place of the money of the exchange on which a perpetual trades."""
    return perp(dex_of(coin))


@cache
def position(coin: Coin) -> Place:
    """Return the place of the size of one perpetual position."""
    return Place(f"position:{coin}")


@cache
def size_asset(coin: Coin) -> Asset:
    """Return the pseudo-asset in which the size of a perpetual position is counted."""
    return Asset(f"{coin}-PERP")


@cache
def of_perp(coin: Coin) -> tuple[Place, Place, Asset]:
    """Return what a fill of a perpetual touches: its money, its position, its pseudo-asset."""
    return perp_of(coin), position(coin), size_asset(coin)


def vault(address: Address) -> Place:
    """Return the place of what was put into one vault."""
    return Place(f"vault:{address}")


def in_transit(*, tx_hash: str | None, nonce: int | None, at: int) -> Place:
    """Return the place where a transfer waits for its other side.

    Both accounts' records carry the same transaction hash (and number of the request), so that
    their two events meet here and net to zero. Without a hash the moment stands for it.
    """
    key = tx_hash or f"at {at}"
    return Place(f"in-transit:{key}" if nonce is None else f"in-transit:{key}:{nonce}")


def summed(place: Place) -> Place:
    """Return the place under which a balance is kept: single transfers are summed up."""
    return IN_TRANSIT if place.startswith("in-transit:") else place


def is_own(place: Place) -> bool:
    """Tell whether a place belongs to the account, and is not where its money came from or went."""
    return place in _OWN or place.startswith(_OWN_PREFIXES)


def side(text: str) -> Place:
    """Return the place of a side of a transfer: ``spot``, or ``perp:`` and the exchange."""
    return SPOT if text == "spot" else Place(text)


MAIN_PERP: Final = perp(MAIN_DEX)
