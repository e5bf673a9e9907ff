"""Importing: from paths to a report, one file after the other, each in its own transaction.

A file that cannot be taken or leaves a question open does not stop the others; nothing of it is
written, and the report says so.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from ledger.entries import Reading, Unreadable
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.book import Book, Receipt
    from ledger.entries import RawRecord
    from ledger.importers import Hints
    from ledger.units import Millis

TEXT_SHOWN: Final = 500


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
                total = totals.setdefault(tag, Counter())
                total["new"] += tally.new
                total["same"] += tally.same
                total["conflicting"] += tally.conflicting
        names = ("new", "same", "conflicting")
        return {tag: {name: totals[tag][name] for name in names} for tag in sorted(totals)}

    def count(self, name: str) -> int:
        """Return how many events were ``new``, ``same`` or ``conflicting``, over all kinds."""
        return sum(counts[name] for counts in self.counts().values())

    def quarantined(self) -> tuple[tuple[str, Unreadable], ...]:
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


def take_in(
    found: Iterable[RawRecord | RefusedFile],
    *,
    book: Callable[[], Book],
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
    book: Callable[[], Book],
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
