"""Importing: from paths to a report, one file after the other, each in its own transaction.

A file that cannot be taken or leaves a question open does not stop the others; nothing of it is
written, and the report says so.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from ledger.book import Receipt
from ledger.entries import IDENTIFIED, Covered, Reading, Unreadable
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.events import Quarantined
from ledger.kinds import KIND_OF
from ledger.merge import plan, quarantined_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ledger.book import Book
    from ledger.entries import RawRecord
    from ledger.importers import Hints
    from ledger.units import Millis, Stream

TEXT_SHOWN: Final = 500

_QUARANTINED: Final = KIND_OF[Quarantined].tag


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of one record: taken (with its receipt), refused, or waiting for an answer."""

    name: str
    kind: str | None = None
    receipt: Receipt | None = None
    refused: RefusedFile | None = None
    question: NeedsHint | None = None


@attrs.frozen(kw_only=True)
class Report:
    """What an import came to, over all its records."""

    outcomes: tuple[Outcome, ...]

    @property
    def receipts(self) -> tuple[tuple[str, Receipt], ...]:
        """The receipts of the records that were taken, with the names of these."""
        return tuple((o.name, o.receipt) for o in self.outcomes if o.receipt is not None)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return by kind how many events were new, known already, and contradicted."""
        totals: dict[str, Counter[str]] = {}
        for _, receipt in self.receipts:
            for tag, tally in receipt.tallies:
                if tag == _QUARANTINED:
                    continue  # reported row by row
                total = totals.setdefault(tag, Counter())
                total["new"] += tally.new
                total["same"] += tally.same
                total["conflicting"] += tally.conflicting
        names = ("new", "same", "conflicting")
        return {tag: {name: totals[tag][name] for name in names} for tag in sorted(totals)}

    def count(self, name: str) -> int:
        """Return how many events were ``new``, ``same`` or ``conflicting``, over all kinds."""
        return sum(counts[name] for counts in self.counts().values())

    def quarantined(self) -> tuple[tuple[str, Quarantined], ...]:
        """Return the rows that could not be read, with the names of their files."""
        return tuple((name, row) for name, receipt in self.receipts for row in receipt.quarantined)

    def span(self) -> tuple[Millis, Millis] | None:
        """Return the moments of the first and the last event met; None when there was none."""
        firsts = [r.first_at for _, r in self.receipts if r.first_at is not None]
        lasts = [r.last_at for _, r in self.receipts if r.last_at is not None]
        return (min(firsts), max(lasts)) if firsts and lasts else None

    @property
    def refused(self) -> tuple[RefusedFile, ...]:
        """The files that could not be taken at all."""
        return tuple(o.refused for o in self.outcomes if o.refused is not None)

    @property
    def questions(self) -> tuple[NeedsHint, ...]:
        """The files that leave something open which only a person can say."""
        return tuple(o.question for o in self.outcomes if o.question is not None)


class Recorder(Protocol):
    """What takes a reading: a book, or the trial of one."""

    def append(self, record: RawRecord, reading: Reading, *, recorded: Millis) -> Receipt:
        """Take one reading and say what it adds."""
        ...


class Trial:
    """Stands in for a book that must not be written: it compares as a book does, and forgets.

    What earlier files of the same trial would have added counts as known to the later ones.
    """

    def __init__(self, book: Book | None) -> None:
        """Compare with *book*; None is a book that does not exist yet."""
        self._book = book
        self._records = {entry.digest for entry in book.records()} if book else set()
        self._added: dict[Stream, dict[bytes, tuple[int, int]]] = {}
        self._lines: dict[tuple[Stream, int], tuple[bytes, ...]] = {}
        self._covers: dict[Stream, list[Covered]] = {}

    def append(self, record: RawRecord, reading: Reading, *, recorded: Millis) -> Receipt:
        """Return what a book would have answered; nothing is written."""
        planned = plan(reading.parts, self)
        for draft in planned.drafts:
            version = -1 - len(self._lines)
            self._lines[draft.stream, version] = draft.lines
            places = self._added.setdefault(draft.stream, {})
            for row, identity in enumerate(draft.identities):
                places.setdefault(identity, (version, row))
            if draft.source in IDENTIFIED:
                self._covers.setdefault(draft.stream, []).extend(draft.covers)
        moments = [event.at for part in reading.parts for event in part.events]
        return Receipt(
            record=record.digest,
            kind=reading.kind,
            is_known_record=record.digest in self._records,
            tallies=planned.tallies,
            quarantined=quarantined_rows(record, reading, recorded),
            notes=reading.notes,
            first_at=min(moments, default=None),
            last_at=max(moments, default=None),
            positions=None,
            seal=None,
        )  # fmt: skip

    def identities(
        self, stream: Stream, since: Millis, until: Millis
    ) -> Mapping[bytes, tuple[int, int]]:
        """Return where identities stand, in the book or among what the trial would have added."""
        known = self._book.identities(stream, since, until) if self._book else {}
        return {**self._added.get(stream, {}), **known}

    def line(self, stream: Stream, version: int, row: int) -> bytes:
        """Return one canonical line, of the book or of the trial."""
        if version < 0:
            return self._lines[stream, version][row]
        assert self._book is not None, "places of a book come from a book"
        return self._book.line(stream, version, row)

    def covered(self, stream: Stream) -> Sequence[Covered]:
        """Return what is claimed to be covered, by the book and by the trial."""
        known = self._book.covered(stream) if self._book else ()
        return [*known, *self._covers.get(stream, ())]


def take_in(
    found: Iterable[RawRecord | RefusedFile],
    *,
    book: Callable[[], Recorder],
    hints: Hints,
    recorded: Callable[[], Millis],
) -> Report:
    """Read and record what was found, and return what came of it.

    *book* is called when there is something to write, so that refused input makes no book;
    *recorded* gives the time of recording, once per record.
    """
    return Report(
        outcomes=tuple(_taken(item, book=book, hints=hints, recorded=recorded) for item in found)
    )


def _taken(
    item: RawRecord | RefusedFile,
    *,
    book: Callable[[], Recorder],
    hints: Hints,
    recorded: Callable[[], Millis],
) -> Outcome:
    from ledger import importers

    if isinstance(item, RefusedFile):
        return Outcome(name=item.name, refused=item)
    try:
        reading = importers.read(item, hints)
    except RefusedFile as refused:
        return Outcome(name=item.name, refused=refused)
    except NeedsHint as question:
        return Outcome(name=item.name, question=question)
    except MalformedRecord as error:
        reading = _nothing_readable(item, error)
    receipt = book().append(item, reading, recorded=recorded())
    return Outcome(name=item.name, kind=reading.kind, receipt=receipt)


def _nothing_readable(record: RawRecord, error: MalformedRecord) -> Reading:
    """Return the reading of a record whose whole answer has not the form of its kind."""
    text = record.body[: 4 * TEXT_SHOWN].decode("utf-8", "replace")[:TEXT_SHOWN]
    return Reading(
        kind="unreadable",
        unreadable=(Unreadable(place="whole file", reason=str(error), text=text),),
    )
