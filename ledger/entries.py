"""Entries: what is around an event once it is written down, and how one asks for it.

A record brings batches, one per stream; a batch is the unit of appending. An event knows nothing
of all this: where it came from, when we wrote it down and after what stand here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.events import Event
from ledger.units import Digest, EventId, Millis, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

Source: TypeAlias = Literal["node", "api", "web", "sheet", "person"]
"""Where a record comes from: the node's files, the info service, the web interface's exports,
a spreadsheet somebody saved, a person (corrections, openings, notes)."""

IDENTIFIED: Final[frozenset[Source]] = frozenset({"node", "api", "person"})
"""Sources whose records carry the venue's own identities. The others only corroborate or
contradict where an identified source covers the same account, family and interval."""

Family: TypeAlias = Literal["fills", "funding", "transfers", "interest"]

BATCH_EVENTS_MAX: Final = 2048


@attrs.frozen(kw_only=True)
class Covered:
    """An interval of which a record shows every event of one family; both ends belong to it."""

    family: Family
    since: Millis
    until: Millis


@attrs.frozen(kw_only=True)
class RawRecord:
    """Bytes exactly as they were given to us, with the name they had."""

    name: str
    body: bytes
    digest: Digest
    fetched: Millis | None = None


@attrs.frozen(kw_only=True)
class Part:
    """What one answer inside a record says about one stream, in effective order.

    ``answer`` is the path of the answer inside the record: empty for a plain answer, such as
    ``[3].response`` inside a capture, ``line`` for lines of text. ``rows`` are the numbers of the
    rows the events came from, one per event; the place of an event is the two together.
    """

    stream: Stream
    source: Source
    answer: str
    rows: tuple[int, ...]
    events: tuple[Event, ...]
    covers: tuple[Covered, ...] = ()


@attrs.frozen(kw_only=True)
class Unreadable:
    """One row that could not be read: where, why, and its text (cut after 500 characters)."""

    place: str
    reason: str
    text: str


@attrs.frozen(kw_only=True)
class Reading:
    """All that an importer found in one record."""

    kind: str
    parts: tuple[Part, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Header:
    """What a stored batch says of itself, beside its lines.

    ``rows`` are runs of (first row, step, count) which give the row of every event. ``previous``
    is the digest of the batch before it in the same stream (empty for the first), ``lines`` the
    digest of its canonical lines, ``irregular`` tells that it holds housekeeping.
    """

    schema: int
    stream: Stream
    version: int
    position: int
    recorded: Millis
    source: Source
    record: Digest | None
    answer: str
    rows: tuple[tuple[int, int, int], ...]
    covers: tuple[Covered, ...]
    count: int
    first_at: Millis
    last_at: Millis
    irregular: bool
    lines: Digest
    previous: str


@attrs.frozen(kw_only=True)
class Batch:
    """One stored batch: its header and its canonical lines."""

    header: Header
    lines: tuple[bytes, ...]


@attrs.frozen(kw_only=True)
class Entry:
    """One event as it stands in the book."""

    event: Event
    id: EventId
    position: int
    row: int
    recorded: Millis
    source: Source
    record: Digest | None
    place: str


@attrs.frozen(kw_only=True)
class AsOf:
    """The only way to ask: what had happened by ``effective``, as known by ``position``.

    Both limits belong to the answer; None means no limit.
    """

    effective: Millis | None = None
    position: int | None = None


def in_runs(rows: tuple[int, ...]) -> tuple[tuple[int, int, int], ...]:
    """Return row numbers as runs of (first, step, count)."""
    runs: list[tuple[int, int, int]] = []
    for row in rows:
        if runs:
            first, step, count = runs[-1]
            if count == 1 or row == first + step * count:
                runs[-1] = (first, row - first if count == 1 else step, count + 1)
                continue
        runs.append((row, 1, 1))
    return tuple(runs)


def from_runs(runs: tuple[tuple[int, int, int], ...]) -> Iterator[int]:
    """Yield the row numbers of runs."""
    for first, step, count in runs:
        for index in range(count):
            yield first + step * index


def place_of(answer: str, row: int) -> str:
    """Return the place of a row for people: ``line 17``, ``[3].response[17]``, ``[17]``."""
    return f"line {row}" if answer == "line" else f"{answer}[{row}]"
