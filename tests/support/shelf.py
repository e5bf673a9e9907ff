"""A book in memory: the batches of records as the real one would keep them, and no more.

It numbers and keeps the drafts of a plan, record by record, and answers what a plan asks of a
book. It knows nothing of files, chains or seals.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import count

from ledger.codec import decode, identity
from ledger.entries import IDENTIFIED, Batch, Covered, Header, Part
from ledger.merge import Plan, plan
from ledger.timeline import course, digest, events
from ledger.units import Digest, Millis, Stream
from tests.support.histories import STREAM


class Shelf:
    """Batches by stream, in the order they were appended."""

    def __init__(self):
        self.streams: dict[str, list[Batch]] = {}
        self._ids: dict[str, list[tuple[Header, dict[bytes, tuple[int, int]]]]] = {}
        self._positions = count(1)
        self.position = 0

    # What a plan asks

    def identities(self, stream, since, until):
        found = {}
        for header, ids in self._ids.get(stream, ()):
            if header.first_at <= until and header.last_at >= since:
                found.update(ids)
        return found

    def line(self, stream, version, row):
        return self.batch(stream, version).lines[row]

    def covered(self, stream) -> list[Covered]:
        return [
            cover
            for header in self.headers(stream)
            if header.source in IDENTIFIED
            for cover in header.covers
        ]

    # Writing

    def append(self, *parts: Part) -> Plan:
        """Write what one record adds, under a record digest made of what it says."""
        planned = plan(parts, self)
        record = Digest(sha256(repr(parts).encode()).hexdigest())
        for draft in planned.drafts:
            batches = self.streams.setdefault(draft.stream, [])
            version = len(batches) + 1
            self.position = next(self._positions)
            header = Header(
                schema=1,
                stream=draft.stream,
                version=version,
                position=self.position,
                recorded=Millis(self.position),
                source=draft.source,
                record=None if draft.source == "person" else record,
                answer=draft.answer,
                rows=draft.rows,
                covers=draft.covers,
                count=len(draft.lines),
                first_at=draft.first_at,
                last_at=draft.last_at,
                irregular=draft.irregular,
                lines=Digest(""),
                previous="",
            )
            batches.append(Batch(header=header, lines=draft.lines))
            ids = {name: (version, row) for row, name in enumerate(draft.identities)}
            assert list(ids) == [identity(decode(line)) for line in draft.lines]
            self._ids.setdefault(draft.stream, []).append((header, ids))
        return planned

    def act(self, *acts) -> Plan:
        """Write a person's events, in one go."""
        return self.append(
            Part(
                stream=acts[0].stream,
                source="person",
                answer="",
                rows=tuple(range(len(acts))),
                events=acts,
            )
        )

    # Reading

    def headers(self, stream) -> list[Header]:
        return [batch.header for batch in self.streams.get(stream, ())]

    def batch(self, stream, version) -> Batch:
        return self.streams[stream][version - 1]

    def batch_of(self, stream: Stream):
        return lambda version: self.batch(stream, version)

    def course(self, stream, as_of=None, hypotheses=()):
        arguments = () if as_of is None else (as_of,)
        return course(
            self.headers(stream), self.batch_of(stream), *arguments, hypotheses=hypotheses
        )

    def events(self, stream, as_of=None, hypotheses=()):
        return list(events(self.course(stream, as_of, hypotheses), self.batch_of(stream)))

    def digest(self, stream, as_of=None, hypotheses=()):
        return digest(self.course(stream, as_of, hypotheses), self.batch_of(stream))


def shelf_of(*parts: Part) -> Shelf:
    """Return a shelf to which parts were appended, each as a record of its own."""
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    return shelf


def causes(shelf: Shelf, stream: Stream = STREAM):
    """Return why records of the account disagree, in order."""
    return [one.cause for one in shelf.course(stream).disagreements]


def reasons(shelf: Shelf, stream: Stream = STREAM):
    """Return why notes of the account were set aside, in order."""
    return [one.reason for one in shelf.course(stream).set_aside]
