"""Time stamps: what an RFC 3161 response in the pack says, read from its DER and nothing more.

The response is over the bytes of ``signed.txt``. Here its hash and its moment are read, from the
outside in, along one path; the authority's signature is not checked, for which the standard library
has no means. Whoever wants to know more than that the hash fits has to ask a program that can.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256, sha512

from replay.evidence.verifier.canon import Refused

STAMP = "stamp.tsr"
INTEGER, OCTETS, OID, TIME, SEQUENCE, EXPLICIT = 0x02, 0x04, 0x06, 0x18, 0x30, 0xA0
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
STAMP_INFO = bytes.fromhex("2a864886f70d0109100104")
HASHES = {
    bytes.fromhex("608648016503040201"): sha256,
    bytes.fromhex("608648016503040203"): sha512,
}
FIELDS_MAX = 64
LENGTH_BYTES = 4
_TIME = re.compile(rb"\A([0-9]{14})(\.[0-9]{1,9})?Z\Z")

UNREAD = "the time stamp is no RFC 3161 response that grants one"


class Stamp:
    """What a time stamp says: when, by the authority's clock, and who vouches, if checked."""

    def __init__(self, moment: str) -> None:
        """Keep the moment, as text in UTC; that anybody vouches is not known yet."""
        self.moment = moment
        self.authority = ""


def fields(body: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of the values that stand one behind the other in DER.

    Raises: Refused, for any other form, a length that is cut or not the shortest, or too many.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(body):
        if len(found) == FIELDS_MAX or at + 2 > len(body) or body[at] & 0x1F == 0x1F:
            raise Refused(30, UNREAD)
        tag, length, start = body[at], body[at + 1], at + 2
        if length >= 0x80:
            count = length - 0x80
            start += count
            length = int.from_bytes(body[at + 2 : start], "big")
            shortest = max(1, (length.bit_length() + 7) // 8)
            if not 0 < count <= LENGTH_BYTES or count != shortest or length < 0x80:
                raise Refused(30, UNREAD)
        if start + length > len(body):
            raise Refused(30, UNREAD)
        found.append((tag, body[start : start + length]))
        at = start + length
    return found


def inside(body: bytes, *tags: int) -> list[bytes]:
    """Return the contents of the first values of a sequence, which have these tags.

    Raises: Refused, when they have others, or are fewer.
    """
    found = fields(body)
    if tuple(tag for tag, _ in found[: len(tags)]) != tags:
        raise Refused(30, UNREAD)
    return [content for _, content in found[: len(tags)]]


def read_stamp(response: bytes, signed: bytes) -> Stamp:
    """Return what a response says of the signed note.

    Raises: Refused, when it cannot be read, or is about anything else.
    """
    ((outer, whole), *more) = fields(response) or [(0, b"")]
    if outer != SEQUENCE or more:
        raise Refused(30, UNREAD)
    status, token = inside(whole, SEQUENCE, SEQUENCE)
    (granted,) = inside(status, INTEGER)
    kind, wrapped = inside(token, OID, EXPLICIT)
    if granted != b"\0" or kind != SIGNED_DATA:
        raise Refused(30, UNREAD)
    (data,) = inside(wrapped, SEQUENCE)
    _, _, content = inside(data, INTEGER, 0x31, SEQUENCE)
    kind, wrapped = inside(content, OID, EXPLICIT)
    if kind != STAMP_INFO:
        raise Refused(30, UNREAD)
    (octets,) = inside(wrapped, OCTETS)
    (info,) = inside(octets, SEQUENCE)
    _, _, imprint, _, moment = inside(info, INTEGER, OID, SEQUENCE, INTEGER, TIME)
    algorithm, hashed = inside(imprint, SEQUENCE, OCTETS)
    (name,) = inside(algorithm, OID)
    if name not in HASHES:
        raise Refused(30, "the time stamp uses a hash other than SHA-256 and SHA-512")
    if HASHES[name](signed).digest() != hashed:
        raise Refused(30, "the time stamp is not about this pack: its hash is of something else")
    return Stamp(moment_of(moment))


def moment_of(text: bytes) -> str:
    """Return a GeneralizedTime of RFC 3161 as it is usually written: 2026-08-05T18:05:00Z.

    Raises: Refused, when it is none.
    """
    said = _TIME.match(text)
    try:
        day = datetime.strptime(f"{said.group(1).decode()}Z" if said else "", "%Y%m%d%H%M%S%z")
    except ValueError as error:
        raise Refused(30, "the moment of the time stamp cannot be read") from error
    part = (said.group(2) or b"").decode().rstrip("0").rstrip(".") if said else ""
    return f"{day.isoformat()[:19]}{part}Z"


def told(stamp: Stamp) -> list[str]:
    """Return what a time stamp says as lines for people, with what was not checked."""
    if stamp.authority:
        whose = f"{stamp.authority}, whose signature fits the certificates given"
        return [f"time stamp: this pack was signed before {stamp.moment}, says {whose}"]
    return [
        f"time stamp: {stamp.moment}, about this pack; NOT CHECKED here: the authority's signature",
        f"  to check it: openssl ts -verify -data signed.txt -in {STAMP} -CAfile ROOT.pem",
    ]
