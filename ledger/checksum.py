"""Checksum spelling of an address: capitals say, letter by letter, what its digest says (EIP-55).

The digest is Keccak-256 as it was before the standard changed its padding, which no standard
library has. It is computed only for addresses in mixed case.
"""

from __future__ import annotations

from itertools import product
from typing import Final

RATE: Final = 136
"""Bytes taken in at a time."""

ROUNDS: Final = 24
_MASK: Final = (1 << 64) - 1


def _constants() -> tuple[int, ...]:
    """Return the constants of the rounds, from their shift register."""
    found, register = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for power in range(7):
            constant |= (register & 1) << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        found.append(constant)
    return tuple(found)


_CONSTANTS: Final = _constants()


def _turned(lane: int, count: int) -> int:
    return ((lane << count) | (lane >> (64 - count))) & _MASK


def _permuted(lanes: list[int]) -> list[int]:
    """Return the state after all rounds of Keccak-f[1600]; lane (x, y) stands at x + 5y."""
    for constant in _CONSTANTS:
        column = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
                  for x in range(5)]  # fmt: skip
        for x, y in product(range(5), range(5)):
            lanes[x + 5 * y] ^= column[(x - 1) % 5] ^ _turned(column[(x + 1) % 5], 1)
        x, y, lane = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            place = x + 5 * y
            lanes[place], lane = _turned(lane, (step + 1) * (step + 2) // 2 % 64), lanes[place]
        for y in range(0, 25, 5):
            row = lanes[y : y + 5]
            for x in range(5):
                lanes[y + x] = row[x] ^ (~row[(x + 1) % 5] & _MASK & row[(x + 2) % 5])
        lanes[0] ^= constant
    return lanes


def keccak256(data: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256."""
    padded = bytearray(data + b"\1" + bytes(-(len(data) + 1) % RATE))
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE):
        for lane in range(RATE // 8):
            at = start + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def spelled(address: str) -> str:
    """Return an address of lower-case hexadecimal digits in its checksum spelling."""
    digits = address[2:]
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if sign >= "8" else digit for digit, sign in zip(digits, digest, strict=False)
    )
