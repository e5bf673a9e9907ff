"""The stored form of a batch: its header as a JSON line, then its lines, compressed.

Everything here can be undone with ``head -n 1``, ``tail -n +2`` and ``zstd -d``. What is hashed is
the header line and the lines, never the output of the compressor.
"""

from __future__ import annotations

from struct import pack as packed
from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec
import zstandard

from ledger.codec import decode, identity
from ledger.entries import Header
from ledger.seal import digest_of_header, digest_of_lines
from ledger.stores import TOPIC, BatchRow, IndexRow

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA: Final = 1
"""The version of the stored form; a header names it first."""

LINES_BYTES_MAX: Final = 1 << 28
"""Lines longer than this in all are not taken for a batch (a damaged length, or an attack)."""

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(Header)
_COMPRESSOR: Final = zstandard.ZstdCompressor(level=1)


class Unsound(ValueError):
    """Stored bytes do not have their form; the text says in what."""


def header_line(header: Header) -> bytes:
    """Return the canonical line of a header, without a newline."""
    return _ENCODER.encode(header)


def read_header(line: bytes) -> Header:
    """Return the header of a line.

    Raises: Unsound, when it does not have the shape of a header of a known schema.
    """
    try:
        header = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the header cannot be read ({error})"
        raise Unsound(message) from error
    if header.schema != SCHEMA:
        message = f"the header is of schema {header.schema}, this program knows {SCHEMA}"
        raise Unsound(message)
    if not (0 <= header.count <= LINES_BYTES_MAX and 0 < header.version and 0 < header.position):
        message = f"the header claims {header.count} events as number {header.version}"
        raise Unsound(message)
    return header


def row_of(header: Header, lines: bytes) -> BatchRow:
    """Return the row of a batch from its header and its lines joined by newlines."""
    line = header_line(header)
    state = line + b"\n" + _COMPRESSOR.compress(lines)
    return BatchRow(
        position=header.position,
        stream=header.stream,
        version=header.version,
        topic=TOPIC,
        first_at=header.first_at,
        last_at=header.last_at,
        count=header.count,
        record=header.record or "",
        digest=digest_of_header(line),
        sum=crc32(state),
        state=state,
    )


def split(state: bytes) -> tuple[bytes, bytes]:
    """Return the header line of a state and what stands behind it."""
    line, _, rest = state.partition(b"\n")
    return line, rest


def decompressed(frame: bytes, limit: int = LINES_BYTES_MAX) -> bytes:
    """Return what one whole frame holds.

    Raises: Unsound, when it is damaged, or would be longer than the limit.
    """
    try:
        size = zstandard.frame_content_size(frame)
        if not 0 <= size <= limit:
            message = f"the compressed bytes claim a length of {size}"
            raise Unsound(message)
        return zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        message = f"the compressed bytes are damaged ({error})"
        raise Unsound(message) from error


def beginning(frame: bytes, limit: int = LINES_BYTES_MAX) -> bytes:
    """Return as much of a damaged frame as can still be decompressed."""
    reader = zstandard.ZstdDecompressor().decompressobj()
    found = bytearray()
    for start in range(0, len(frame), 64):
        try:
            found += reader.decompress(frame[start : start + 64])
        except zstandard.ZstdError:
            break
        if reader.eof or len(found) > limit:
            break
    return bytes(found[:limit])


def split_lines(joined: bytes, count: int) -> list[bytes]:
    """Return the lines of a batch from the joined text; no text is no line when *count* is 0."""
    return joined.split(b"\n") if count or joined else []


def read_state(state: bytes) -> tuple[Header, list[bytes]]:
    """Return the header and the lines of a state, the lines compared with their digest.

    Raises: Unsound, when anything does not have its form or the lines not their digest.
    """
    header, joined = read_sound(state)
    return header, split_lines(joined, header.count)


def read_sound(state: bytes) -> tuple[Header, bytes]:
    """Return the header and the joined lines of a state, as ``read_state`` but not yet split.

    Raises: Unsound, as there.
    """
    line, frame = split(state)
    header = read_header(line)
    joined = decompressed(frame)
    if digest_of_lines(joined, header.count) != header.lines:
        message = "the lines do not have the digest which the header names"
        raise Unsound(message)
    return header, joined


def check(line: bytes) -> int:
    """Return the check sum by which a damaged line is told from its neighbors."""
    return crc32(line) & 0xFFFF


def index_of(position: int, lines: Sequence[bytes], identities: Sequence[bytes]) -> IndexRow:
    """Return the index of a batch from its lines and their identities."""
    return IndexRow(
        position=position,
        identities=b"".join(identities),
        checks=packed(f">{len(lines)}H", *[full & 0xFFFF for full in map(crc32, lines)]),
    )


def index_again(position: int, lines: Sequence[bytes]) -> IndexRow:
    """Return the index of a batch from nothing but its lines.

    Raises: UnknownKind or MalformedRecord, when a line cannot be decoded.
    """
    return index_of(position, lines, [identity(decode(line), line) for line in lines])
