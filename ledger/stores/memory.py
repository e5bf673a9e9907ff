"""The store in memory: the same promises without a file; for tests, what-ifs and short looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.popo import POPOApplicationRecorder
from typing_extensions import override

from ledger.errors import StoreFailed
from ledger.stores import Addition, BatchRow, IndexRow, RecordRow, Sealer, Size
from ledger.stores.form import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.seal import Seal


class MemoryRecorder(POPOApplicationRecorder):
    """The library's recorder in memory, with what a book keeps beside a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[BatchRow] = []
        self.indexes: list[IndexRow] = []
        self.records: list[RecordRow] = []
        self.seals: list[Seal] = []
        self._versions: dict[str, int] = {}

    @override
    def _assert_uniqueness(self, stored_events: Sequence[StoredEvent], **beside: Any) -> None:
        addition: Addition = beside["addition"]
        super()._assert_uniqueness(stored_events)
        versions = dict(self._versions)
        for number, row in enumerate(addition.batches, start=len(self.rows) + 1):
            expected = number, versions.get(row.stream, 0) + 1
            if (row.position, row.version) != expected:
                message = "a batch takes the next position and the next version"
                raise IntegrityError(message)
            versions[row.stream] = row.version
        record = addition.record
        if record is not None and (
            record.number != len(self.records) + 1
            or any(record.digest == known.digest for known in self.records)
        ):
            message = "a record takes the next number and is kept once"
            raise IntegrityError(message)

    @override
    def _update_table(self, stored_events: Sequence[StoredEvent], **beside: Any) -> Sequence[int]:
        addition: Addition = beside["addition"]
        seal: Sealer = beside["seal"]
        sealed = seal([event.state for event in stored_events])
        if sealed.number != len(self.seals) + 1:
            message = "a seal takes the next number"
            raise IntegrityError(message)
        super()._update_table(stored_events)
        self.rows.extend(addition.batches)
        self.indexes.extend(addition.index)
        self.records.extend([addition.record] if addition.record else [])
        self.seals.append(sealed)
        self._versions.update({row.stream: row.version for row in addition.batches})
        return [row.position for row in addition.batches]


class MemoryStore:
    """A store that is gone when the program ends."""

    name = "memory"

    def __init__(self) -> None:
        self.recorder = MemoryRecorder()

    def append(self, addition: Addition, seal: Sealer) -> None:
        """Write an addition and the seal over it: everything, or nothing."""
        events = [
            StoredEvent(
                originator_id=row.stream,
                originator_version=row.version,
                topic=row.topic,
                state=row.state,
            )
            for row in addition.batches
        ]
        try:
            self.recorder.insert_events(events, addition=addition, seal=seal)
        except IntegrityError as error:
            message = f"{self.name}: {error}; nothing was written"
            raise StoreFailed(message) from error

    def size(self) -> Size:
        """Return how many rows of each sort there are."""
        kept = self.recorder
        return Size(batches=len(kept.rows), records=len(kept.records), seals=len(kept.seals))

    def counted(self) -> Size:
        """Return how many rows of each sort there are."""
        return self.size()

    def header_lines(self, after: int) -> Sequence[bytes]:
        """Return the header lines of the batches behind a position, in order."""
        return [split(row.state)[0] for row in self.recorder.rows[after:]]

    def batch(self, position: int) -> BatchRow | None:
        """Return a batch, or None when there is none at that position."""
        rows = self.recorder.rows
        return rows[position - 1] if 0 < position <= len(rows) else None

    def index(self, position: int) -> IndexRow | None:
        """Return the index of a batch, or None when there is none."""
        rows = self.recorder.indexes
        return rows[position - 1] if 0 < position <= len(rows) else None

    def indexes(self) -> Sequence[IndexRow]:
        """Return all rows of the index, in the order of positions."""
        return list(self.recorder.indexes)

    def entry_lines(self, after: int) -> Sequence[bytes]:
        """Return the lines of the archive's entries behind a number, in order."""
        return [row.entry for row in self.recorder.records[after:]]

    def record(self, number: int) -> RecordRow | None:
        """Return a raw record, or None when there is none of that number."""
        rows = self.recorder.records
        return rows[number - 1] if 0 < number <= len(rows) else None

    def seal(self, number: int) -> Seal | None:
        """Return a seal, or None when there is none of that number."""
        seals = self.recorder.seals
        return seals[number - 1] if 0 < number <= len(seals) else None

    def structure(self) -> tuple[str, ...]:
        """Return nothing: there is no file that could be damaged."""
        return ()

    def reindex(self, rows: Sequence[IndexRow]) -> None:
        """Put these rows in place of the whole index."""
        self.recorder.indexes = list(rows)

    def close(self) -> None:
        """Do nothing: what is in memory stays until the program ends."""
