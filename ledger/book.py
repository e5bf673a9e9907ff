"""The book: the one place where facts are written down, and where they are read back.

One record is one transaction: its bytes, its batches, their index and the seal over it are there
together, or none of them. What a record adds is decided by ``ledger.merge``; how a book is judged,
by ``ledger.verification``. What is here is never changed: a correction is one more event.

The book does not ask the clock: whoever writes says when.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final, Self

import attrs

from ledger import archive, seal, verification
from ledger.catalog import Catalog, beginning, place_in
from ledger.codec import decode, identity
from ledger.entries import (
    Batch,
    Covered,
    Entry,
    Header,
    Part,
    RawRecord,
    Source,
    from_runs,
    place_of,
)
from ledger.errors import BrokenChain, NotFound, StoreFailed
from ledger.events import Event, Quarantined
from ledger.merge import Draft, Tally, plan, quarantined_rows
from ledger.stores import Addition, Store
from ledger.stores import form as stored
from ledger.stores.memory import MemoryStore
from ledger.stores.sqlite import create, open_store
from ledger.units import BOOK, Digest, EventId, Millis, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from ledger.entries import Reading

WAIT_MS: Final = 2_000
"""How long a writer waits for another one before it gives up."""


@attrs.frozen(kw_only=True)
class StreamInfo:
    """One stream: how much it holds, between which moments, and the digest of its last header."""

    stream: Stream
    batches: int
    events: int
    first_at: Millis
    last_at: Millis
    head: Digest


@attrs.frozen(kw_only=True)
class Receipt:
    """What one writing did.

    ``tallies`` count by kind tag what was new, the same or in conflict; ``quarantined`` are the
    rows that could not be read, set aside now or when the record came before. ``first_at`` and
    ``last_at`` are the moments of the events that were read, known or new. ``positions`` are those
    of the first and the last new batch; without them nothing was added but, perhaps, the raw
    record.
    """

    record: Digest | None
    kind: str
    is_known_record: bool
    tallies: tuple[tuple[str, Tally], ...]
    quarantined: tuple[Quarantined, ...]
    notes: tuple[str, ...]
    first_at: Millis | None
    last_at: Millis | None
    positions: tuple[int, int] | None
    seal: int | None

    @property
    def new(self) -> int:
        """Return how many events were new."""
        return sum(tally.new for _, tally in self.tallies)

    @property
    def same(self) -> int:
        """Return how many events were known already."""
        return sum(tally.same for _, tally in self.tallies)

    @property
    def conflicting(self) -> int:
        """Return how many events say something else than the book does."""
        return sum(tally.conflicting for _, tally in self.tallies)


class Book:
    """Everything recorded: streams of batches, the raw records behind them, and the seals."""

    def __init__(self, store: Store) -> None:
        """Read from, and perhaps write to, a store; it is closed with the book."""
        self._store = store
        self._lock = RLock()
        self._known = Catalog(store)
        self._streams: tuple[int, tuple[StreamInfo, ...]] = (0, ())

    @classmethod
    def create(cls, path: Path | str, *, wait_ms: int = WAIT_MS) -> Book:
        """Return a new book in a new file, open for writing.

        Raises: StoreFailed, when there is such a file or none can be made; StoreBusy.
        """
        return cls(create(Path(path), wait_ms=wait_ms))

    @classmethod
    def open(cls, path: Path | str, *, write: bool = False, wait_ms: int = WAIT_MS) -> Book:
        """Return the book of a file; for writing when asked, which one process at a time may do.

        Raises: StoreFailed, when there is no such book; StoreBusy, when another writer has it.
        """
        return cls(open_store(Path(path), write=write, wait_ms=wait_ms))

    @classmethod
    def in_memory(cls) -> Book:
        """Return a new book that is gone when the program ends."""
        return cls(MemoryStore())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; closing twice does no harm."""
        self._store.close()

    @property
    def name(self) -> str:
        """Return the name messages call this book by."""
        return self._store.name

    # ---------------------------------------------------------------------------- writing

    def append(self, record: RawRecord, reading: Reading, *, recorded: Millis) -> Receipt:
        """Write down what a record says: its bytes, what is new in it, and what was unreadable.

        Everything is durable when this returns, or, when it raises, nothing is there. To write
        the same record again adds nothing.

        Raises: StoreBusy or StoreFailed, as the store says.
        """
        if len(record.body) > archive.BODY_BYTES_MAX:
            message = f"{record.name}: has {len(record.body)} bytes, too many for one record"
            raise StoreFailed(message)
        if seal.digest_of_record(record.body) != record.digest:
            message = f"{record.name}: its bytes do not have the digest {record.digest}"
            raise StoreFailed(message)
        with self._lock:
            self._known.refresh()
            rows = quarantined_rows(record, reading, recorded)
            known = self._places_aside(record) if rows else frozenset[str]()
            news = tuple(row for row in rows if row.place not in known)
            parts = reading.parts
            if news:
                source: Source = parts[0].source if parts else "person"
                quarantined = Part(
                    stream=BOOK,
                    source=source,
                    answer="unreadable",
                    rows=tuple(range(len(news))),
                    events=news,
                )
                parts = (*parts, quarantined)
            receipt = self._write(
                parts, record=record, kind=reading.kind, notes=reading.notes, recorded=recorded
            )
            return attrs.evolve(receipt, quarantined=rows)

    def act(self, events: Sequence[Event], *, recorded: Millis) -> Receipt:
        """Write down what a person says: corrections, openings, notes.

        Raises: StoreBusy or StoreFailed, as the store says.
        """
        by_stream: dict[Stream, list[int]] = {}
        for number, event in enumerate(events):
            by_stream.setdefault(event.stream, []).append(number)
        parts = tuple(
            Part(
                stream=stream,
                source="person",
                answer="",
                rows=tuple(numbers),
                events=tuple(events[number] for number in numbers),
            )
            for stream, numbers in by_stream.items()
        )
        with self._lock:
            self._known.refresh()
            return self._write(parts, record=None, kind="person", notes=(), recorded=recorded)

    def _places_aside(self, record: RawRecord) -> frozenset[str]:
        """Return the places of the rows that were set aside when the record came before."""
        return frozenset(
            event.place
            for header in self._known.streams.get(BOOK, ())
            if header.record == record.digest
            for event in map(decode, self._known.batch(header.position).lines)
            if isinstance(event, Quarantined)
        )

    def _write(
        self,
        parts: tuple[Part, ...],
        *,
        record: RawRecord | None,
        kind: str,
        notes: tuple[str, ...],
        recorded: Millis,
    ) -> Receipt:
        planned = plan(parts, self._known)
        is_known = record is not None and record.digest in self._known.entries
        is_news = bool(planned.drafts) or (record is not None and not is_known)
        before = len(self._known.headers)
        made = None
        if is_news:
            entry = None if record is None or is_known else self._entry(record, kind, recorded)
            made = self._commit(planned.drafts, record, entry, recorded)
        moments = [at for part in parts if part.stream != BOOK for at in _moments(part.events)]
        return Receipt(
            record=record.digest if record else None,
            kind=kind,
            is_known_record=is_known,
            tallies=planned.tallies,
            quarantined=(),
            notes=notes,
            first_at=min(moments, default=None),
            last_at=max(moments, default=None),
            positions=(before + 1, len(self._known.headers))
            if len(self._known.headers) > before
            else None,
            seal=made.number if made else None,
        )

    def _entry(self, record: RawRecord, kind: str, recorded: Millis) -> archive.Archived:
        head = self._known.heads.get(seal.ARCHIVE)
        return archive.Archived(
            number=len(self._known.entries) + 1,
            digest=record.digest,
            size=len(record.body),
            name=record.name,
            kind=kind,
            fetched=record.fetched,
            recorded=recorded,
            previous=head.digest if head else "",
        )

    def _commit(
        self,
        drafts: Sequence[Draft],
        record: RawRecord | None,
        entry: archive.Archived | None,
        recorded: Millis,
    ) -> seal.Seal:
        """Write drafts and entry with their seal, in one transaction."""
        heads = dict(self._known.heads)
        rows, index = [], []
        for position, draft in enumerate(drafts, start=len(self._known.headers) + 1):
            lines = b"\n".join(draft.lines)
            head = heads.get(draft.stream)
            digest = seal.digest_of_lines(lines, len(draft.lines))
            header = _header(draft, position, head, digest)
            header = attrs.evolve(
                header, recorded=recorded, record=record.digest if record else None
            )
            row = stored.row_of(header, lines)
            rows.append(row)
            index.append(stored.index_of(position, draft.lines, draft.identities))
            heads[row.stream] = seal.Head(
                stream=row.stream, version=row.version, digest=Digest(row.digest)
            )
        kept = archive.row_of(entry, record.body) if entry and record else None
        records = len(self._known.entries) + (1 if kept else 0)
        if kept:
            head = seal.Head(
                stream=seal.ARCHIVE, version=kept.number, digest=archive.head_of(kept.entry)
            )
            heads[seal.ARCHIVE] = head
        last = self._last_seal()
        position = len(self._known.headers) + len(rows)

        def sealed(states: Sequence[bytes]) -> seal.Seal:
            _compare(states, [row.digest for row in rows])
            return seal.seal(after=last, position=position, records=records, heads=heads.values())

        addition = Addition(batches=tuple(rows), index=tuple(index), record=kept)
        self._store.append(addition, sealed)
        self._known.refresh()
        assert len(self._known.headers) == position, "the store holds what it took"
        made = self._last_seal()
        assert made is not None, "the store holds the seal it took"
        return made

    def _last_seal(self) -> seal.Seal | None:
        return self._store.seal(self._store.size().seals)

    # ---------------------------------------------------------------------------- reading

    def position(self) -> int:
        """Return the position of the last batch, 0 for an empty book."""
        return self._store.size().batches

    def position_at(self, recorded: Millis) -> int:
        """Return the position up to which everything had been recorded by a moment of our clock.

        Where the clock was set back, a batch counts from the latest moment recorded up to it.
        """
        with self._lock:
            self._known.refresh()
            return bisect_right(self._known.recorded, recorded)

    def recorded_at(self, position: int) -> Millis:
        """Return the earliest moment of our clock at which a position had been recorded.

        Raises: NotFound, when the book has no such position.
        """
        with self._lock:
            self._known.refresh()
            if not 0 < position <= len(self._known.recorded):
                raise NotFound(what="position", name=str(position))
            return Millis(self._known.recorded[position - 1])

    def streams(self) -> tuple[StreamInfo, ...]:
        """Return all streams, by name."""
        with self._lock:
            self._known.refresh()
            known = len(self._known.headers)
            if self._streams[0] != known:
                self._streams = known, self._counted()
            return self._streams[1]

    def _counted(self) -> tuple[StreamInfo, ...]:
        return tuple(
            StreamInfo(
                stream=stream,
                batches=len(headers),
                events=sum(header.count for header in headers),
                first_at=min(header.first_at for header in headers),
                last_at=max(header.last_at for header in headers),
                head=self._known.heads[stream].digest,
            )
            for stream, headers in sorted(self._known.streams.items())
        )

    def headers(self, stream: Stream, position: int | None = None) -> tuple[Header, ...]:
        """Return the headers of a stream in order, as they stood at a position."""
        with self._lock:
            self._known.refresh()
            headers = self._known.streams.get(stream, [])
            if position is None:
                return tuple(headers)
            count = bisect_right(headers, position, key=lambda header: header.position)
            return tuple(headers[:count])

    def batch(self, stream: Stream, version: int) -> Batch:
        """Return one batch, its lines compared with their digest.

        Raises: NotFound, when there is none; BrokenChain, when its bytes are not what was sealed.
        """
        with self._lock:
            headers = self._known.streams.get(stream, [])
            if not 0 < version <= len(headers):
                self._known.refresh()
                headers = self._known.streams.get(stream, [])
            if not 0 < version <= len(headers):
                raise NotFound(what="batch", name=f"{stream} {version}")
            return self._known.batch(headers[version - 1].position)

    def batches(self, stream: Stream, position: int | None = None) -> Iterator[Batch]:
        """Yield the batches of a stream in order, as they stood at a position."""
        for header in self.headers(stream, position):
            yield self.batch(stream, header.version)

    def record(self, digest: Digest) -> RawRecord:
        """Return a raw record, its bytes compared with its digest.

        Raises: NotFound, when there is none; BrokenChain, when its bytes are damaged.
        """
        with self._lock:
            self._known.refresh()
            entry = self._known.entries.get(digest)
        if entry is None:
            raise NotFound(what="record", name=digest)
        row = self._store.record(entry.number)
        try:
            if row is None:
                raise stored.Unsound("it is not there")  # noqa: EM101, TRY003, TRY301 - said below
            return archive.read_row(row)[1]
        except stored.Unsound as error:
            raise BrokenChain(
                stream=seal.ARCHIVE, version=entry.number, reason=str(error)
            ) from error

    def records(self) -> tuple[archive.Archived, ...]:
        """Return the entries of all raw records in the order they came."""
        with self._lock:
            self._known.refresh()
            return tuple(self._known.entries.values())

    def find(self, event_id: EventId) -> Entry:
        """Return the event of an identity as it stands in the book.

        Raises: NotFound, when there is no such event.
        """
        try:
            wanted = bytes.fromhex(event_id)
        except ValueError:
            wanted = b""
        if len(wanted) == 16:
            for row in self._store.indexes():
                place = place_in(row.identities, wanted)
                if place is not None:
                    with self._lock:
                        self._known.refresh()
                        return _entry(self._known.batch(row.position), place)
        raise NotFound(what="event", name=event_id, remedy="An identity has 32 hexadecimal digits")

    def beginning(self, start: bytes) -> frozenset[bytes]:
        """Return the identities of events, of all streams, that begin so."""
        rows = self._store.indexes()
        return frozenset(one for row in rows for one in beginning(row.identities, start))

    def quarantine(self) -> tuple[Quarantined, ...]:
        """Return all rows that could not be read, in the order they were set aside."""
        events = (decode(line) for batch in self.batches(BOOK) for line in batch.lines)
        return tuple(event for event in events if isinstance(event, Quarantined))

    def seals(self) -> tuple[seal.Seal, ...]:
        """Return all seals in order."""
        numbers = range(1, self._store.size().seals + 1)
        found = (self._store.seal(number) for number in numbers)
        return tuple(one for one in found if one is not None)

    # ----------------------------------------------------------- what merging asks (Known)

    def identities(
        self, stream: Stream, since: Millis, until: Millis
    ) -> Mapping[bytes, tuple[int, int]]:
        """Return version and row of every identity in the batches that overlap an interval."""
        with self._lock:
            self._known.refresh()
            return self._known.identities(stream, since, until)

    def line(self, stream: Stream, version: int, row: int) -> bytes:
        """Return one canonical line.

        Raises: NotFound, when there is no such batch; BrokenChain, when it is damaged.
        """
        return self.batch(stream, version).lines[row]

    def covered(self, stream: Stream) -> Sequence[Covered]:
        """Return what identified sources claim to show completely in a stream."""
        with self._lock:
            self._known.refresh()
            return self._known.covered(stream)

    # ------------------------------------------------------------------------- judgement

    def verify(self, checkpoint: str | None = None) -> verification.Verdict:
        """Return what reading everything again says; see ``ledger.verification``."""
        return verification.verify(self._store, checkpoint)

    def checkpoint(self) -> str:
        """Return a text to be kept elsewhere, against which this book can be verified later.

        Everything is read again and compared first.

        Raises: BrokenChain, when the book is not sound.
        """
        verdict = self.verify()
        if verdict.problems:
            worst = verdict.problems[0]
            raise BrokenChain(
                stream=worst.stream or self.name, version=worst.version or 0, reason=worst.text
            )
        last = self._last_seal()
        leaves = [seal.leaf_of_batch(digest) for digest in verdict.digests]
        point = seal.Checkpoint(
            size=len(leaves),
            root=Digest(seal.tree_root(leaves).hex()),
            number=last.number if last else 0,
            seal=last.digest if last else seal.NO_SEAL,
        )
        return seal.checkpoint_text(point)

    def rebuild(self) -> int:
        """Make the index of identities again from the batches and return how many events it has.

        Raises: BrokenChain, when a batch is damaged; nothing is changed then.
        """
        with self._lock:
            self._known.refresh()
            rows = [
                stored.index_again(header.position, self._known.batch(header.position).lines)
                for header in self._known.headers
            ]
            self._store.reindex(rows)
            self._known.forget_indexes()
            return sum(header.count for header in self._known.headers)


def _moments(events: Sequence[Event]) -> tuple[Millis, ...]:
    """Return the first and the last moment of some events, nothing when there are none."""
    moments = [event.at for event in events]
    return (min(moments), max(moments)) if moments else ()


def _header(draft: Draft, position: int, head: seal.Head | None, lines: Digest) -> Header:
    """Return the header of a draft behind the last batch of its stream, not yet recorded."""
    assert draft.stream != seal.ARCHIVE, "no stream goes by the archive's name"
    assert len(draft.lines) == len(draft.identities), "every line has its identity"
    return Header(
        schema=stored.SCHEMA,
        stream=draft.stream,
        version=head.version + 1 if head else 1,
        position=position,
        recorded=Millis(0),
        source=draft.source,
        record=None,
        answer=draft.answer,
        rows=draft.rows,
        covers=draft.covers,
        count=len(draft.lines),
        first_at=draft.first_at,
        last_at=draft.last_at,
        irregular=draft.irregular,
        lines=lines,
        previous=head.digest if head else "",
    )


def _compare(states: Sequence[bytes], digests: Sequence[str]) -> None:
    """Compare what the store reads back with what was hashed before it was written.

    Raises: BrokenChain, when a single bit differs; the transaction is given up then.
    """
    assert len(states) == len(digests), "every batch is read back"
    for number, (state, digest) in enumerate(zip(states, digests, strict=True)):
        try:
            header = stored.read_sound(state)[0]
            found = seal.digest_of_header(stored.split(state)[0])
        except stored.Unsound as error:
            raise BrokenChain(stream="?", version=number, reason=str(error)) from error
        if found != digest:
            raise BrokenChain(
                stream=header.stream,
                version=header.version,
                reason="what was read back is not what was written; nothing was written",
            )


def _entry(batch: Batch, row: int) -> Entry:
    header, line = batch.header, batch.lines[row]
    event = decode(line)
    number = next(islice(from_runs(header.rows), row, None))
    return Entry(
        event=event,
        id=EventId(identity(event, line).hex()),
        position=header.position,
        row=row,
        recorded=header.recorded,
        source=header.source,
        record=header.record,
        place=place_of(header.answer, number),
    )


def verify(path: Path | str, checkpoint: str | None = None) -> verification.Verdict:
    """Return the verdict on the book of a file; a file that cannot be opened is a verdict too."""
    try:
        store = open_store(Path(path), write=False, wait_ms=0)
    except StoreFailed as error:
        return verification.unopened(str(error))
    try:
        return verification.verify(store, checkpoint)
    finally:
        store.close()
