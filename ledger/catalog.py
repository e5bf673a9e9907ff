"""Catalog: what a book knows of itself without reading its batches.

All headers, the heads of the streams and the archive's entries, taken in as they come and compared
with what they follow; and, at hand for a while, the batches and indexes that were read last.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ledger import archive, seal
from ledger.entries import IDENTIFIED, Batch
from ledger.errors import BrokenChain
from ledger.stores import form as stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ledger.entries import Covered, Header
    from ledger.stores import Store
    from ledger.units import Digest, Millis, Stream

_BATCHES_AT_HAND: Final = 16
_INDEXES_AT_HAND: Final = 256


class Catalog:
    """The headers and entries of one store, as far as they were taken in; what merging asks.

    ``headers`` are in the order of positions, ``recorded`` beside them the latest moment recorded
    up to each, ``streams`` the headers by stream, ``heads`` the last digest of every stream and of
    the archive, ``entries`` the archive by digest in the order records came.
    """

    def __init__(self, store: Store) -> None:
        """Begin with nothing; ``refresh`` takes in what there is."""
        self.headers: list[Header] = []
        self.recorded: list[int] = []
        self.streams: dict[Stream, list[Header]] = {}
        self.heads: dict[str, seal.Head] = {}
        self.entries: dict[Digest, archive.Archived] = {}
        self._store = store
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._indexes: OrderedDict[int, dict[bytes, tuple[int, int]]] = OrderedDict()

    def refresh(self) -> None:
        """Take in what was written since the last look, by us or by another process.

        Raises: BrokenChain, when it does not follow what was there.
        """
        size = self._store.size()
        if size.batches > len(self.headers):
            for line in self._store.header_lines(len(self.headers)):
                self._take(line)
        if size.records > len(self.entries):
            for line in self._store.entry_lines(len(self.entries)):
                self._take_entry(line)

    def _take(self, line: bytes) -> None:
        position = len(self.headers) + 1
        try:
            header = stored.read_header(line)
        except stored.Unsound as error:
            raise BrokenChain(
                stream=self._store.name, version=position, reason=f"{error}. {_REMEDY}"
            ) from error
        head = self.heads.get(header.stream)
        expected = position, head.version + 1 if head else 1, head.digest if head else ""
        if (header.position, header.version, header.previous) != expected:
            raise BrokenChain(
                stream=header.stream,
                version=header.version,
                reason=f"its header does not follow the one before. {_REMEDY}",
            )
        self.headers.append(header)
        self.recorded.append(max(header.recorded, *self.recorded[-1:], 0))
        self.streams.setdefault(header.stream, []).append(header)
        self.heads[header.stream] = seal.Head(
            stream=header.stream, version=header.version, digest=seal.digest_of_header(line)
        )

    def _take_entry(self, line: bytes) -> None:
        number = len(self.entries) + 1
        head = self.heads.get(seal.ARCHIVE)
        try:
            entry = archive.read_entry(line)
            if (entry.number, entry.previous) != (number, head.digest if head else ""):
                raise stored.Unsound("its entry does not follow the one before")  # noqa: EM101, TRY003, TRY301 - said below
        except stored.Unsound as error:
            raise BrokenChain(
                stream=seal.ARCHIVE, version=number, reason=f"{error}. {_REMEDY}"
            ) from error
        self.entries[entry.digest] = entry
        self.heads[seal.ARCHIVE] = seal.Head(
            stream=seal.ARCHIVE, version=entry.number, digest=archive.head_of(line)
        )

    def batch(self, position: int) -> Batch:
        """Return the batch at a position, its lines compared with their digest.

        Raises: BrokenChain, when its bytes are not those that were sealed.
        """
        found = self._batches.get(position)
        if found is not None:
            self._batches.move_to_end(position)
            return found
        known = self.headers[position - 1]
        row = self._store.batch(position)
        try:
            if row is None:
                raise stored.Unsound("it is not there")  # noqa: EM101, TRY003, TRY301 - said below
            header, lines = stored.read_state(row.state)
            if header != known:
                raise stored.Unsound("its header has changed")  # noqa: EM101, TRY003, TRY301 - as above
        except stored.Unsound as error:
            raise BrokenChain(
                stream=known.stream, version=known.version, reason=f"{error}. {_REMEDY}"
            ) from error
        batch = Batch(header=header, lines=tuple(lines))
        self._batches[position] = batch
        if len(self._batches) > _BATCHES_AT_HAND:
            self._batches.popitem(last=False)
        return batch

    def index(self, header: Header) -> dict[bytes, tuple[int, int]]:
        """Return version and row of every identity of one batch.

        Raises: BrokenChain, when the index is not as long as the batch.
        """
        found = self._indexes.get(header.position)
        if found is not None:
            self._indexes.move_to_end(header.position)
            return found
        row = self._store.index(header.position)
        if row is None or len(row.identities) != 16 * header.count:
            raise BrokenChain(
                stream=header.stream,
                version=header.version,
                reason=f"its index is damaged. {_REMEDY}",
            )
        blob = row.identities
        found = {
            blob[16 * number : 16 * number + 16]: (header.version, number)
            for number in reversed(range(header.count))
        }
        self._indexes[header.position] = found
        if len(self._indexes) > _INDEXES_AT_HAND:
            self._indexes.popitem(last=False)
        return found

    def identities(
        self, stream: Stream, since: Millis, until: Millis
    ) -> Mapping[bytes, tuple[int, int]]:
        """Return version and row of every identity in the batches that overlap an interval."""
        found: dict[bytes, tuple[int, int]] = {}
        for header in self.streams.get(stream, ()):
            if header.first_at <= until and since <= header.last_at:
                for key, place in self.index(header).items():
                    # Where an identity stands twice, the first is the one in force.
                    found.setdefault(key, place)
        return found

    def line(self, stream: Stream, version: int, row: int) -> bytes:
        """Return one canonical line of a batch that was taken in."""
        return self.batch(self.streams[stream][version - 1].position).lines[row]

    def covered(self, stream: Stream) -> Sequence[Covered]:
        """Return what identified sources claim to show completely in a stream."""
        headers = self.streams.get(stream, ())
        return [cover for h in headers if h.source in IDENTIFIED for cover in h.covers]

    def forget_indexes(self) -> None:
        """Read indexes anew from now on; they have been rebuilt."""
        self._indexes.clear()


_REMEDY: Final = "Run 'rollforward verify'"


def place_in(identities: bytes, wanted: bytes) -> int | None:
    """Return the row of an identity in an index, or None."""
    at = identities.find(wanted)
    while at >= 0 and at % 16:
        at = identities.find(wanted, at + 1)
    return at >> 4 if at >= 0 else None


def beginning(identities: bytes, start: bytes) -> Iterator[bytes]:
    """Yield the identities of an index that begin so."""
    at = identities.find(start)
    while at >= 0:
        if not at % 16:
            yield identities[at : at + 16]
        at = identities.find(start, at + 1)
