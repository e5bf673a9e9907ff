"""Bytes and numbers: canonical JSON, length frames, and decimals as whole numbers.

Every amount is a whole number of 10^-60. A venue's number has at most thirty places, so that sums
are exact and the product of two numbers is too.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from hashlib import sha256
from typing import Any

PLACES = 60
ONE: int = 10**PLACES
POWERS: list[int] = [10**places for places in range(2 * PLACES)]
REMEMBERED = 65_536

ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
)
_NUMBER = re.compile(r"\A-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?\Z", re.ASCII)


class Refused(Exception):
    """The pack is not what it says: an exit code, and a sentence."""

    def __init__(self, code: int, text: str) -> None:
        """Keep both."""
        super().__init__(text)
        self.code = code
        self.text = text


def canonical(value: object) -> bytes:
    """Return the RFC 8785 text of a value without floats, whose keys are plain ASCII."""
    return ENCODER.encode(value).encode("utf-8")


def parsed(line: bytes, what: str, code: int) -> Any:
    """Return the value of canonical JSON; anything but its one canonical text is refused.

    Raises: Refused.
    """
    try:
        value = DECODER.decode(line.decode("utf-8"))
        again = canonical(value)
    except (ValueError, RecursionError) as error:
        raise Refused(code, f"{what} cannot be read: {error}") from error
    if again != line:
        raise Refused(code, f"{what} is not in its canonical form (RFC 8785)")
    return value


def _no_float(text: str) -> object:
    message = f"{text} is a float"
    raise ValueError(message)


DECODER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)


def frame(field: bytes) -> bytes:
    """Return a field behind its length: 8 bytes, big-endian."""
    return len(field).to_bytes(8, "big") + field


def digest(*parts: bytes) -> str:
    """Return the SHA-256 of parts, one behind the other, as hexadecimal digits."""
    return sha256(b"".join(parts)).hexdigest()


@lru_cache(maxsize=REMEMBERED)
def fixed(text: Any) -> int:
    """Return a number of plain digits as a whole number of 10^-60.

    Raises: Refused, for anything else.
    """
    if not isinstance(text, str) or not _NUMBER.match(text):
        raise Refused(20, f"{text!r} is not a number in plain digits")
    whole, _, rest = text.partition(".")
    return int(whole + rest) * power(PLACES - len(rest))


def power(places: int) -> int:
    """Return ten to the power of so many places."""
    return POWERS[places]


def shown(value: int) -> str:
    """Return the one text of a number: plain digits, no trailing zeros, no minus zero."""
    whole, rest = divmod(abs(value), ONE)
    tail = str(rest).zfill(PLACES).rstrip("0")
    return ("-" if value < 0 else "") + str(whole) + ("." + tail if tail else "")


def times(left: int, right: int) -> int:
    """Return a product; exact where both factors have at most thirty places."""
    return left * right // ONE


def half_even(value: int, places: int) -> int:
    """Return a number rounded to so many places, ties to the even digit."""
    unit = power(PLACES - places)
    whole, rest = divmod(value, unit)
    if rest * 2 > unit or (rest * 2 == unit and whole % 2):
        whole += 1
    return whole * unit


def places_of(value: int) -> int:
    """Return how many digits stand behind the point."""
    places = 0
    while value % POWERS[PLACES - places]:
        places += 1
    return places
