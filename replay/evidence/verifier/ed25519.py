"""Signatures: Ed25519 as RFC 8032 defines it, verification alone, and C2SP signed notes.

Checked as section 5.1.7 demands, strictly: S below the order of the group, points in their one
encoding, and the equation without cofactor. Slow (some milliseconds) and short on purpose.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256, sha512

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, FIELD - 2, FIELD) % FIELD
ROOT_OF_MINUS_ONE = pow(2, (FIELD - 1) // 4, FIELD)
NOTE_ALGORITHM = 1
"""The byte by which signed notes call Ed25519."""


def decompressed(data: bytes) -> tuple[int, int] | None:
    """Return the point of an encoding; None when it is not the one encoding of a point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(data) != 32 or y >= FIELD:
        return None
    square = (y * y - 1) * pow(CURVE * y * y + 1, FIELD - 2, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if (x * x - square) % FIELD:
        x = x * ROOT_OF_MINUS_ONE % FIELD
    if (x * x - square) % FIELD or (x == 0 and sign):
        return None
    return (FIELD - x if x & 1 != sign else x), y


def added(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Return the sum of two points of the curve -x² + y² = 1 + d·x²·y²."""
    (a, b), (c, d) = one, other
    product = CURVE * a * c * b * d % FIELD
    x = (a * d + b * c) * pow(1 + product, -1, FIELD)  # never zero on this curve
    y = (b * d + a * c) * pow(1 - product, -1, FIELD)
    return x % FIELD, y % FIELD


def multiplied(point: tuple[int, int], factor: int) -> tuple[int, int]:
    """Return a point added to itself so many times."""
    result = (0, 1)
    while factor:
        if factor & 1:
            result = added(result, point)
        point = added(point, point)
        factor >>= 1
    return result


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is that of the key over the message."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, nonce = decompressed(key), decompressed(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    base = decompressed((4 * pow(5, FIELD - 2, FIELD) % FIELD).to_bytes(32, "little"))
    if public is None or nonce is None or base is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return multiplied(base, scalar) == added(nonce, multiplied(public, challenge))


def key_hash(name: str, key: bytes) -> bytes:
    """Return the four bytes by which a note names the key of a signature."""
    return sha256(name.encode() + b"\n" + bytes([NOTE_ALGORITHM]) + key).digest()[:4]


def read_key(text: str) -> tuple[str, bytes] | None:
    """Return name and key of a public key in the form of notes: ``name+hash+base64``."""
    name, plus, rest = text.strip().partition("+")
    shown, second, encoded = rest.partition("+")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not (name and plus and second and len(data) == 33 and data[0] == NOTE_ALGORITHM):
        return None
    return (name, data[1:]) if key_hash(name, data[1:]).hex() == shown else None


def read_note(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]] | None:
    """Return the text of a signed note and its signatures (name, key hash, signature)."""
    text, blank, rest = note.rpartition(b"\n\n")
    signatures = []
    for line in rest.decode("utf-8", "replace").split("\n")[:-1]:
        dash, _, named = line.partition(" ")
        name, _, encoded = named.partition(" ")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return None
        if dash != "\u2014" or not name or len(data) != 68:
            return None
        signatures.append((name, data[:4], data[4:]))
    if not blank or not signatures or not rest.endswith(b"\n"):
        return None
    return text + b"\n", signatures
