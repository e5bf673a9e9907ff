"""Units: the names that plain text and whole numbers carry once they are inside.

Parsing happens at the door: an importer turns the venue's text into these, and no room
behind it handles a bare string or number whose meaning is not in its type.
"""

from __future__ import annotations

import re
from typing import Final, NewType

from ledger import checksum
from ledger.errors import MalformedRecord

Millis = NewType("Millis", int)
"""Venue time: whole milliseconds since 1970-01-01T00:00:00Z."""

Address = NewType("Address", str)
"""An account of the venue: ``0x`` and forty lower-case hexadecimal digits."""

Asset = NewType("Asset", str)
"""A token, by the symbol the record gives (``USDC``, ``HYPE``); see decision 0011."""

Coin = NewType("Coin", str)
"""A market: ``BTC``, ``xyz:NVDA`` (perpetual), ``@107``, ``A/B`` (spot), ``+12`` (outcome)."""

Dex = NewType("Dex", str)
"""A perpetuals exchange by name; the main one is the empty string."""

Stream = NewType("Stream", str)
"""Whose history an event belongs to: ``account:0x…``, ``market:BTC``, ``reserve:USDC``, …"""

EventId = NewType("EventId", str)
"""Identity of an event: 32 hexadecimal digits, from its kind, stream and natural key."""

Digest = NewType("Digest", str)
"""A SHA-256 digest as 64 hexadecimal digits."""

VENUE: Final = Stream("venue")
"""The stream of facts which belong to no account and no single market."""

BOOK: Final = Stream("book")
"""The stream of the book's own housekeeping (quarantined rows)."""

DESK: Final = Stream("desk")
"""The stream of acts which concern no single account: reserves, groups of accounts."""

MAIN_DEX: Final = Dex("")

_ADDRESS: Final = re.compile(r"\A0x[0-9a-f]{40}\Z")
_MILLIS_DIGITS: Final = re.compile(r"\A[0-9]{1,15}\Z")


def parse_address(text: object, *, field: str = "address") -> Address:
    """Return the account address written in *text*, in lower case.

    Mixed case is the checksum spelling of the same address, and has to be right.

    Raises: MalformedRecord, when the text is anything but ``0x`` and forty hexadecimal digits, or
    capitals among them are not those of the checksum: a digit is mistyped then.
    """
    if isinstance(text, str) and _ADDRESS.match(lowered := text.lower()) and text[:2] == "0x":
        if text in {lowered, f"0x{text[2:].upper()}"} or text == checksum.spelled(lowered):
            return Address(lowered)
        raise MalformedRecord(
            field=field,
            found=text,
            expected="an address as its checksum spells it: a digit is wrong, or a capital",
        )
    raise MalformedRecord(
        field=field, found=text, expected="an address: 0x and forty hexadecimal digits"
    )


def parse_millis(value: object, *, field: str = "time") -> Millis:
    """Return venue milliseconds from a whole number or its digits.

    Raises: MalformedRecord, when it is no whole number of at most fifteen digits.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return Millis(value)
    if isinstance(value, str) and _MILLIS_DIGITS.match(value):
        return Millis(int(value))
    raise MalformedRecord(field=field, found=value, expected="whole milliseconds since 1970")


def account_stream(account: Address) -> Stream:
    """Return the stream of one account."""
    return Stream(f"account:{account}")


def market_stream(coin: Coin) -> Stream:
    """Return the stream of one market (its prices, candles and funding rates)."""
    return Stream(f"market:{coin}")


def reserve_stream(asset: Asset) -> Stream:
    """Return the stream of one lending reserve."""
    return Stream(f"reserve:{asset}")


def desk_stream(account: Address | None) -> Stream:
    """Return the stream of people's acts on one account; without one, of those on none."""
    return DESK if account is None else Stream(f"desk:{account}")


def is_desk(stream: Stream) -> bool:
    """Tell whether a stream holds people's acts on differences: it is no history of anything."""
    return stream == DESK or stream.startswith("desk:")


def stream_account(stream: Stream) -> Address | None:
    """Return the account a stream belongs to, or None when it is not an account's."""
    return Address(stream[8:]) if stream.startswith("account:") else None


def is_spot(coin: Coin) -> bool:
    """Tell whether a market trades tokens against tokens: ``@107`` or ``HYPE/USDC``."""
    return coin.startswith("@") or "/" in coin


def is_outcome(coin: Coin) -> bool:
    """Tell whether a coin is an outcome share (``+12``, ``o12``, ``#12``)."""
    return coin[:1] in "+#" or (coin[:1] == "o" and coin[1:].isdigit())


def dex_of(coin: Coin) -> Dex:
    """Return the perpetuals exchange of a market: ``xyz`` for ``xyz:NVDA``, else the main one."""
    name, separator, _ = coin.partition(":")
    return Dex(name) if separator else MAIN_DEX
