"""Stores: where a book keeps its rows; every store keeps the same promises.

An addition is all or nothing. Positions, versions and numbers begin at 1 and have no gaps. What is
there is never changed or removed, save the index of identities, which can be made again. A seal
is made of what the store gives back, not of what it was given. What a store holds is judged by
``ledger.verification``; stores only show it, row by row, however damaged.

``eventsourcing`` is known in this room only: one batch is one of its stored events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.seal import Seal

TOPIC: Final = "batch/1"
"""What a batch is called among stored events; never a path into this program."""

Sealer: TypeAlias = "Callable[[Sequence[bytes]], Seal]"
"""Given the states as the store reads them back, returns the seal over them, or raises."""


@attrs.frozen(kw_only=True)
class BatchRow:
    """A batch as it is stored; everything beside ``state`` repeats what its header says.

    ``digest`` is that of the header, ``record`` empty where there is none, ``sum`` the check sum
    of ``state``: it tells damage in bytes which no digest covers, such as the compressor's own.
    """

    position: int
    stream: str
    version: int
    topic: str
    first_at: int
    last_at: int
    count: int
    record: str
    digest: str
    sum: int
    state: bytes


@attrs.frozen(kw_only=True)
class IndexRow:
    """The index of one batch: 16 bytes of identity, and 2 bytes of check sum, for every event."""

    position: int
    identities: bytes
    checks: bytes


@attrs.frozen(kw_only=True)
class RecordRow:
    """A raw record as it is stored: its entry's line, and its body, compressed, with check sum."""

    number: int
    digest: str
    entry: bytes
    sum: int
    body: bytes


@attrs.frozen(kw_only=True)
class Addition:
    """What one transaction adds: batches with their index rows, and at most one raw record."""

    batches: tuple[BatchRow, ...]
    index: tuple[IndexRow, ...]
    record: RecordRow | None


@attrs.frozen(kw_only=True)
class Size:
    """How many batches, raw records and seals there are."""

    batches: int
    records: int
    seals: int


class Store(Protocol):
    """What a book asks of its store.

    Raises, from every reading method: StoreFailed, when a row cannot be read at all.
    """

    @property
    def name(self) -> str:
        """Return the name messages call this store by."""
        ...

    def append(self, addition: Addition, seal: Sealer) -> None:
        """Write an addition and the seal over it: everything, or nothing.

        Raises: StoreBusy, when another writer holds the store and nothing was written;
        StoreFailed, when it could not be written or must not be; the store is closed then.
        """
        ...

    def size(self) -> Size:
        """Return the last position, record number and seal number."""
        ...

    def counted(self) -> Size:
        """Return how many rows of each sort there are, counted one by one."""
        ...

    def header_lines(self, after: int) -> Sequence[bytes]:
        """Return the header lines of the batches behind a position, in order."""
        ...

    def batch(self, position: int) -> BatchRow | None:
        """Return a batch, or None when there is none at that position."""
        ...

    def index(self, position: int) -> IndexRow | None:
        """Return the index of a batch, or None when there is none."""
        ...

    def indexes(self) -> Sequence[IndexRow]:
        """Return all rows of the index, in the order of positions."""
        ...

    def entry_lines(self, after: int) -> Sequence[bytes]:
        """Return the lines of the archive's entries behind a number, in order."""
        ...

    def record(self, number: int) -> RecordRow | None:
        """Return a raw record, or None when there is none of that number."""
        ...

    def seal(self, number: int) -> Seal | None:
        """Return a seal as it is stored, or None when there is none of that number."""
        ...

    def structure(self) -> tuple[str, ...]:
        """Return what is wrong with the store beside the contents of its rows, a sentence each."""
        ...

    def reindex(self, rows: Sequence[IndexRow]) -> None:
        """Put these rows in place of the whole index, in one transaction."""
        ...

    def close(self) -> None:
        """Let go of everything; closing twice does no harm."""
        ...


__all__ = [
    "TOPIC",
    "Addition",
    "BatchRow",
    "IndexRow",
    "RecordRow",
    "Sealer",
    "Size",
    "Store",
]
