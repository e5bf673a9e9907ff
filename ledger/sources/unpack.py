"""Unpacking: the bytes inside a compressed file, taken out in small steps under caps.

A packed file is unpacked whole and undamaged or refused whole; nothing of it is guessed. The
caps are those for hostile input: a few hundred bytes can claim to be gigabytes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import lz4.frame
import zstandard

from ledger.errors import RefusedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RATIO_MAX: Final = 200
"""How many bytes one packed byte may become."""

RATIO_FREE_BYTES: Final = 1 << 20
"""Up to this size the ratio is not looked at: a small file of like lines packs very well."""

RECORD_BYTES_MAX: Final = 1 << 30
"""Largest file, packed or unpacked: 1 GiB, three times an hour of every fill of the venue."""

WINDOW_BYTES_MAX: Final = 1 << 27
"""Largest memory a zstd frame may ask for."""

CHUNK_BYTES: Final = 1 << 16
_ZSTD_STEP_BYTES: Final = 1 << 10  # four bytes can stand for 128 KiB, hence small steps

MAGIC: Final = (
    ("gzip", b"\x1f\x8b"),
    ("lz4", b"\x04\x22\x4d\x18"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("zip", b"PK\x03\x04"),
    ("zip", b"PK\x05\x06"),
)
"""How packed files begin. No text and no JSON document begins like one of these."""

SUFFIXES: Final = {".gz": "gzip", ".lz4": "lz4", ".zst": "zstd", ".zip": "zip"}
"""What the end of a file's name promises of its content."""


class Budget:
    """Counts what goes in and what comes out of one file, and refuses when a cap is passed."""

    def __init__(self, name: str, progress: Callable[[int], None] | None = None) -> None:
        """Count for the file *name*; *progress* is told the bytes read, as they are read."""
        self.name = name
        self.taken = 0
        self.given = 0
        self._progress = progress

    def take(self, count: int) -> None:
        """Count bytes read. Raises: RefusedFile, when there are too many."""
        self.taken += count
        if self.taken > RECORD_BYTES_MAX:
            raise too_large(self.name)
        if self._progress is not None and count:
            self._progress(count)

    def give(self, count: int) -> None:
        """Count bytes unpacked.

        Raises: RefusedFile, when there are too many of them, or too many for what went in.
        """
        self.given += count
        if self.given > RECORD_BYTES_MAX:
            raise too_large(self.name)
        if self.given > RATIO_FREE_BYTES and self.given > RATIO_MAX * self.taken:
            raise RefusedFile(
                name=self.name,
                reason=f"it unpacks to more than {RATIO_MAX} times its size",
                remedy="Unpack it by hand if you trust it, and give what was in it",
            )


def too_large(name: str) -> RefusedFile:
    """Return the refusal of a file that is larger than a record may be."""
    return RefusedFile(
        name=name,
        reason=f"it holds more than {RECORD_BYTES_MAX} bytes",
        remedy="Split it and give the parts",
    )


def damaged(name: str, what: str) -> RefusedFile:
    """Return the refusal of a packed file that is not whole."""
    return RefusedFile(
        name=name, reason=f"it is damaged: {what}", remedy="Fetch it again; nothing of it was taken"
    )


def packing_of(head: bytes) -> str | None:
    """Return how bytes that begin like this are packed: gzip, lz4, zstd, zip, or None."""
    return next((packing for packing, magic in MAGIC if head.startswith(magic)), None)


def unpacked(packing: str, read: Callable[[], bytes], budget: Budget) -> Iterator[bytes]:
    """Yield the bytes inside gzip, lz4 or zstd frames, one frame after the other.

    *read* returns the next packed bytes, empty at the end. **Raises**: RefusedFile, when a cap
    is passed, when a frame is cut off or wrong, and when anything but a frame follows a frame.
    """
    magic = next(magic for name, magic in MAGIC if name == packing)
    frame = {"gzip": _gunzip, "lz4": _unlz4, "zstd": _unzstd}[packing]
    feed = _Feed(read)
    while True:
        head = feed.peek(len(magic))
        if not head and feed.used:
            return
        if head != magic:
            what = "something else follows the packed part" if feed.used else "it has no frame"
            raise damaged(budget.name, what)
        try:
            for data in frame(feed):
                budget.give(len(data))
                yield data
        except EOFError:
            raise damaged(budget.name, "its end is missing") from None
        except (zlib.error, RuntimeError, zstandard.ZstdError) as error:
            raise damaged(budget.name, " ".join(str(error).split())) from error


class _Feed:
    """Packed bytes, handed out in chunks, with what a frame did not use put back."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._held = b""
        self.used = False

    def peek(self, count: int) -> bytes:
        while len(self._held) < count and (data := self._read()):
            self._held += data
        return self._held[:count]

    def next(self) -> bytes:
        """Return the next bytes. Raises: EOFError, when there are none."""
        self.used = True
        data, self._held = self._held or self._read(), b""
        if not data:
            raise EOFError
        return data

    def put_back(self, data: bytes) -> None:
        self._held = data + self._held


def _gunzip(feed: _Feed) -> Iterator[bytes]:
    inner = zlib.decompressobj(wbits=31)
    while not inner.eof:
        data = inner.unconsumed_tail or feed.next()
        yield inner.decompress(data, CHUNK_BYTES)
    feed.put_back(inner.unused_data)


def _unlz4(feed: _Feed) -> Iterator[bytes]:
    inner = lz4.frame.LZ4FrameDecompressor()
    while not inner.eof:
        data = feed.next() if inner.needs_input else b""
        yield bytes(inner.decompress(data, max_length=CHUNK_BYTES))
    feed.put_back(bytes(inner.unused_data or b""))


def _unzstd(feed: _Feed) -> Iterator[bytes]:
    inner = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).decompressobj()
    while not inner.eof:
        data = feed.next()
        feed.put_back(data[_ZSTD_STEP_BYTES:])
        yield inner.decompress(data[:_ZSTD_STEP_BYTES])
    feed.put_back(inner.unused_data)
