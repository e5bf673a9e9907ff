"""Archive: raw records by digest, kept as they were given to us and chained in order of arrival.

An entry is a JSON line which names a record, what it was called and taken for, and the entry
before it. The body is kept compressed; its digest is that of the plain bytes.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

import attrs
import msgspec
import zstandard

from ledger.entries import RawRecord
from ledger.seal import digest_of_archived, digest_of_record
from ledger.stores import RecordRow
from ledger.stores.form import Unsound, decompressed
from ledger.units import Digest, Millis

BODY_BYTES_MAX: Final = 1 << 30
"""A raw record longer than this is not kept in a book."""

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


@attrs.frozen(kw_only=True)
class Archived:
    """One entry of the archive.

    ``size`` is the length of the plain bytes, ``kind`` what the importer took the record for,
    ``previous`` the digest of the entry before it (empty for the first).
    """

    number: int
    digest: Digest
    size: int
    name: str
    kind: str
    fetched: Millis | None
    recorded: Millis
    previous: str


_DECODER: Final = msgspec.json.Decoder(Archived)


def entry_line(entry: Archived) -> bytes:
    """Return the canonical line of an entry, without a newline."""
    return _ENCODER.encode(entry)


def read_entry(line: bytes) -> Archived:
    """Return the entry of a line.

    Raises: Unsound, when it does not have the shape of an entry.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the archive's entry cannot be read ({error})"
        raise Unsound(message) from error


def row_of(entry: Archived, body: bytes) -> RecordRow:
    """Return the row of an entry and its plain body."""
    compressed = zstandard.ZstdCompressor(level=3).compress(body)
    return RecordRow(
        number=entry.number,
        digest=entry.digest,
        entry=entry_line(entry),
        sum=crc32(compressed),
        body=compressed,
    )


def read_row(row: RecordRow) -> tuple[Archived, RawRecord]:
    """Return the entry and the raw record of a row, the bytes compared with their digest.

    Raises: Unsound, when anything does not have its form or the bytes not their digest.
    """
    entry = read_entry(row.entry)
    if crc32(row.body) != row.sum:
        message = "the bytes kept of the raw record do not have their check sum"
        raise Unsound(message)
    body = decompressed(row.body, BODY_BYTES_MAX)
    found = digest_of_record(body)
    if not (found == entry.digest == row.digest and len(body) == entry.size):
        message = f"the raw record has the digest {found}, its entry names {entry.digest}"
        raise Unsound(message)
    record = RawRecord(name=entry.name, body=body, digest=entry.digest, fetched=entry.fetched)
    return entry, record


def head_of(line: bytes) -> Digest:
    """Return the digest of an entry's line, which the next entry and the seals name."""
    return digest_of_archived(line)
