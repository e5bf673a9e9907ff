"""Verification: a whole book read again, every digest taken anew, every difference named.

Nothing is repaired and nothing raises: a verdict is a value. What a book alone can show is that
it agrees with itself; that its end is still there, or that it was not made anew from scratch, only
a checkpoint kept elsewhere can show. Without one the best verdict is *partly verified*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from zlib import crc32

import attrs

from ledger import archive, seal
from ledger.civil import iso
from ledger.errors import MalformedRecord, StoreFailed, UnknownKind
from ledger.stores import TOPIC, BatchRow, IndexRow, Size, Store
from ledger.stores import form as stored
from ledger.units import Digest, EventId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.entries import Header

Outcome: TypeAlias = Literal["verified", "partly verified", "broken"]

Sort: TypeAlias = Literal["structure", "batch", "index", "record", "seal", "checkpoint"]
"""What a problem is about; ``index`` alone can be repaired, by building it anew."""

_LISTED_MAX: Final = 1000


@attrs.frozen(kw_only=True)
class Problem:
    """One thing that is not as it was written.

    A damaged batch is named by its stream, its number in it, its position, its first and last
    moment and the digest of its raw record, as far as they can still be read. ``events`` are the
    rows and identities of the events which are changed or lost, empty when all are intact or
    none can be told apart.
    """

    sort: Sort
    text: str
    stream: str | None = None
    version: int | None = None
    position: int | None = None
    first_at: int | None = None
    last_at: int | None = None
    record: str | None = None
    events: tuple[tuple[int, EventId], ...] = ()


@attrs.frozen(kw_only=True)
class Verdict:
    """What verification found: problems in the order they were met, and how much was read.

    ``digests`` are those of all headers by position, empty when the book is broken; ``seal`` is
    the last one.
    """

    outcome: Outcome
    problems: tuple[Problem, ...]
    batches: int
    events: int
    records: int
    seals: int
    seal: Digest | None
    digests: tuple[Digest, ...]


def unopened(reason: str) -> Verdict:
    """Return the verdict on a file that does not even open as a book."""
    return Verdict(
        outcome="broken",
        problems=(Problem(sort="structure", text=reason),),
        batches=0,
        events=0,
        records=0,
        seals=0,
        seal=None,
        digests=(),
    )


def verify(store: Store, checkpoint: str | None = None) -> Verdict:
    """Return the verdict on everything a store holds, beside a checkpoint kept elsewhere."""
    return _Reader(store).verdict(checkpoint)


class _Reader:
    """One reading of a whole book."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.problems: list[Problem] = []
        self.size = Size(batches=0, records=0, seals=0)
        self.headers: list[Header | None] = []
        self.computed: list[Digest] = []
        self.kept: list[str] = []
        self.heads: dict[str, int] = {}
        self.entries: list[Digest] = []
        self.known: dict[str, bool] = {}
        self.lost: list[tuple[int, int]] = []
        self.events = 0
        self.last_seal: seal.Seal | None = None

    def verdict(self, checkpoint: str | None) -> Verdict:
        """Read everything, from the archive to the seals, and return what was found."""
        self.problems += [Problem(sort="structure", text=t) for t in self.store.structure()]
        try:
            self.size = _believable(self.store.size(), self.store.counted())
        except StoreFailed as error:
            self.problems.append(Problem(sort="structure", text=str(error)))
        for number in range(1, self.size.records + 1):
            self._record(number)
        for position in range(1, self.size.batches + 1):
            self._batch(position)
        self._seals()
        if checkpoint is not None:
            self._checkpoint(checkpoint)
        outcome: Outcome = "partly verified" if checkpoint is None else "verified"
        return Verdict(
            outcome="broken" if self.problems else outcome,
            problems=tuple(self.problems),
            batches=self.size.batches,
            events=self.events,
            records=self.size.records,
            seals=self.size.seals,
            seal=self.last_seal.digest if self.last_seal else None,
            digests=() if self.problems else tuple(self.computed),
        )

    # ---------------------------------------------------------------------------- archive

    def _record(self, number: int) -> None:
        problem: str | None = None
        digest, named, line = "", None, b""
        try:
            row = self.store.record(number)
            if row is None:
                raise stored.Unsound("it is not there")  # noqa: EM101, TRY003, TRY301 - said below
            digest, line = str(row.digest), _whole(row.entry)
            entry = archive.read_entry(line)
            digest, named = entry.digest, entry.name
            previous = self.entries[-1] if self.entries else ""
            if (entry.number, entry.previous, entry.digest) != (number, previous, row.digest):
                problem = "its entry does not follow the one before, or names another record"
            archive.read_row(row)
        except (stored.Unsound, StoreFailed, TypeError) as error:
            problem = problem or str(error)
        self.entries.append(archive.head_of(line))
        self.known[digest] = problem is None
        if problem:
            text = f"raw record {number} ({named or 'name unknown'}): {problem}"
            self.problems.append(Problem(sort="record", text=text, record=digest or None))

    # ---------------------------------------------------------------------------- batches

    def _batch(self, position: int) -> None:
        row: BatchRow | None = None
        try:
            row = self.store.batch(position)
            reason = "is not there"
        except (StoreFailed, TypeError) as error:
            reason = f"cannot be read: {error}"
        if row is None:
            self._lost(position, reason)
            return
        line, frame = stored.split(_whole(row.state))
        self.computed.append(seal.digest_of_header(line))
        self.kept.append(str(row.digest))
        try:
            header = stored.read_header(line)
        except stored.Unsound as error:
            stream: object = row.stream
            if not isinstance(stream, str) or row.topic != TOPIC:
                self.computed.pop()
                self.kept.pop()
                self._lost(position, f"is damaged beyond reading: {error}")
                return
            self._report(row, None, str(error))
            self._follow(row.stream, position, None)
            return
        reasons = list(self._differences(row, header, position))
        lost: tuple[tuple[int, EventId], ...] = ()
        try:
            joined = stored.decompressed(frame)
            reason = "the lines do not have the digest which the header names"
        except stored.Unsound as error:
            joined, reason = stored.beginning(frame), str(error)
        if seal.digest_of_lines(joined, header.count) != header.lines:
            lines = stored.split_lines(joined, header.count)
            lost = self._lost_events(position, header.count, lines)
            reasons.append(self._where(reason, header, lost))
        elif not reasons:
            self._index(row, stored.split_lines(joined, header.count))
        self.events += header.count
        # Of a header that was changed, the columns beside it say whose it was.
        named = header if row.digest == self.computed[-1] else None
        if reasons:
            self._report(row, named, "; ".join(reasons), lost)
        self._follow(named.stream if named else row.stream, position, header)

    def _lost(self, position: int, reason: str) -> None:
        """Note a batch of which nothing can be read; whose it was, its successor tells."""
        self.computed.append(Digest(""))
        self.kept.append("")
        self.headers.append(None)
        self.lost.append((position, len(self.problems)))
        self.problems.append(
            Problem(
                sort="batch", position=position, text=f"the batch at position {position} {reason}"
            )
        )

    def _follow(self, stream: str, position: int, header: Header | None) -> None:
        self.headers.append(header)
        self.heads[stream] = position

    def _differences(self, row: BatchRow, header: Header, position: int) -> Iterator[str]:
        """Yield what the header says against its place, its columns and the header before it."""
        beside = row.stream, row.version, row.first_at, row.last_at, row.count, row.record
        said = (header.stream, header.version, header.first_at, header.last_at, header.count)
        if beside != (*said, header.record or ""):
            yield "the columns beside the batch do not say what its header says"
        if row.topic != TOPIC or row.sum != crc32(row.state):
            yield "the stored bytes do not have the check sum or the topic kept beside them"
        if header.position != position:
            yield f"it stands at position {position}, its header says {header.position}"
        if row.digest != self.computed[-1]:
            yield "the header does not have the digest kept beside it"
        if not self._follows(header):
            yield "it does not follow the batch before it in its stream"
        if header.record and not self.known.get(header.record, False):
            yield "its raw record is damaged or not in the archive"

    def _follows(self, header: Header) -> bool:
        """Tell whether a header names the one before it; batches that are lost get their names."""
        place = self.heads.get(header.stream)
        before = self.headers[place - 1] if place else None
        version = before.version if before else header.version - 1 if place else 0
        while version < header.version - 1 and self.lost:
            version += 1
            position, number = self.lost.pop(0)
            text = f"{header.stream} batch {version}: {self.problems[number].text}"
            self.problems[number] = attrs.evolve(
                self.problems[number], stream=header.stream, version=version, text=text
            )
            place = position
        if version != header.version - 1:
            return False
        if place is None:
            return header.previous == ""
        digests = {self.computed[place - 1], self.kept[place - 1]}
        return header.previous in digests or digests == {""}

    def _where(self, reason: str, header: Header, lost: Sequence[object]) -> str:
        raw = "a person wrote it" if header.record is None else "the raw record is intact"
        if header.record and not self.known.get(header.record, False):
            raw = "the raw record is damaged too"
        return f"{reason}; {len(lost) or 'unknown which'} of {header.count} events concerned; {raw}"

    def _lost_events(
        self, position: int, count: int, lines: Sequence[bytes]
    ) -> tuple[tuple[int, EventId], ...]:
        """Return row and identity of the events whose lines are changed or gone.

        Rows are compared by check sum from the front and, behind the damage, from the end.
        """
        index = self._index_row(position)
        if index is None or (len(index.identities), len(index.checks)) != (16 * count, 2 * count):
            return ()
        sums = [int.from_bytes(index.checks[2 * n : 2 * n + 2], "big") for n in range(count)]
        if len(lines) == count:
            rows = [n for n in range(count) if stored.check(lines[n]) != sums[n]]
        else:
            front = back = 0
            while front < min(count, len(lines)) and stored.check(lines[front]) == sums[front]:
                front += 1
            while (
                back < min(count, len(lines)) - front
                and stored.check(lines[-1 - back]) == sums[-1 - back]
            ):
                back += 1
            rows = list(range(front, count - back))
        ids = index.identities
        return tuple((n, EventId(ids[16 * n : 16 * n + 16].hex())) for n in rows)

    def _index_row(self, position: int) -> IndexRow | None:
        try:
            row = self.store.index(position)
        except (StoreFailed, TypeError):
            return None
        if row is None or not _whole(row.identities) or not _whole(row.checks):
            return None if row is None or row.identities or row.checks else row
        return row

    def _index(self, row: BatchRow, lines: Sequence[bytes]) -> None:
        """Compare the index of a sound batch with one made again."""
        found = self._index_row(row.position)
        try:
            expected = stored.index_again(row.position, lines)
        except (UnknownKind, MalformedRecord) as error:
            self._report(row, None, f"a line of it cannot be decoded ({error})")
            return
        if found != expected:
            text = (
                f"{row.stream} batch {row.version}: its index is damaged; the events are intact "
                f"and the index can be made again from them (Book.rebuild)"
            )
            self.problems.append(_problem("index", row, text))

    def _report(
        self,
        row: BatchRow,
        header: Header | None,
        reason: str,
        lost: tuple[tuple[int, EventId], ...] = (),
    ) -> None:
        named = header or row
        when = f"{iso(named.first_at)} to {iso(named.last_at)}"
        text = (
            f"{named.stream} batch {named.version} (position {row.position}, {when}, "
            f"record {named.record or 'none'}): {reason}"
        )
        self.problems.append(_problem("batch", row, text, header, lost[:_LISTED_MAX]))

    # ------------------------------------------------------------------------------ seals

    def _seals(self) -> None:
        """Compare every seal with the heads under it, as they stand and as they are kept."""
        heads = _Heads(self)
        before: seal.Seal | None = None
        apart: list[int] = []
        for number in range(1, self.size.seals + 1):
            try:
                found = self.store.seal(number)
            except (StoreFailed, TypeError):
                found = None
            if found is None:
                self._seal_problem(number, "is not there, or cannot be read")
                continue
            previous = before.digest if before else ""
            is_chained = found.previous == previous and found.number == number
            if not is_chained or found.digest != _digest_of(found):
                self._seal_problem(number, "does not follow the one before, or not its own digest")
            if not heads.move(found) or heads.root() != found.root:
                apart.append(number)
            before = found
        if apart:
            # A head that cannot be had again parts every later seal from its root: one problem.
            several = f" (and {len(apart) - 1} behind it)" if len(apart) > 1 else ""
            self._seal_problem(apart[0], f"is not over the heads that are there{several}")
        covered = (before.position, before.records) if before else (0, 0)
        if covered != (self.size.batches, self.size.records):
            self._seal_problem(self.size.seals, "is the last, and does not cover all there is")
        self.last_seal = before

    def _seal_problem(self, number: int, reason: str) -> None:
        self.problems.append(Problem(sort="seal", text=f"seal {number} {reason}"))

    def _checkpoint(self, text: str) -> None:
        point = seal.read_checkpoint(text)
        if point is None:
            reason = "the text is not a checkpoint"
        elif point.size > self.size.batches or point.number > self.size.seals:
            reason = (
                f"the book ends at batch {self.size.batches} and seal {self.size.seals}; when the "
                f"checkpoint was taken it had {point.size} and {point.number}: its end is missing, "
                f"or it is an older copy"
            )
        else:
            digests = self.computed[: point.size]
            leaves = [seal.leaf_of_batch(Digest(d)) for d in digests]
            kept = self._seal_digest(point.number)
            if seal.tree_root(leaves).hex() == point.root and kept == point.seal:
                return
            reason = "the book is not the one the checkpoint was taken of, or was changed since"
        self.problems.append(Problem(sort="checkpoint", text=reason))

    def _seal_digest(self, number: int) -> str:
        if number == 0:
            return seal.NO_SEAL
        try:
            found = self.store.seal(number)
        except (StoreFailed, TypeError):
            return ""
        return str(found.digest) if found else ""


class _Heads:
    """The heads of all streams, moved on from seal to seal."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.position = 0
        self.leaves: dict[bytes, bytes] = {}
        self.hashes: dict[bytes, bytes] = {}

    def move(self, to: seal.Seal) -> bool:
        """Take in what came up to a seal; tell whether all of it can be read."""
        reader = self.reader
        try:
            is_placed = self.position <= to.position <= len(reader.headers)
            if not (is_placed and 0 <= to.records <= len(reader.entries)):
                return False
        except TypeError:
            return False
        is_whole = True
        for place in range(self.position, to.position):
            header = reader.headers[place]
            if header is None:
                is_whole = False
                continue
            # A damaged header was named already; the digest kept beside it stands in for it here.
            digest = reader.kept[place] or reader.computed[place]
            self._set(header.stream, header.version, Digest(digest))
        self.position = to.position
        if to.records:
            self._set(seal.ARCHIVE, to.records, reader.entries[to.records - 1])
        return is_whole

    def _set(self, stream: str, version: int, digest: Digest) -> None:
        head = seal.Head(stream=stream, version=version, digest=digest)
        try:
            self.hashes[stream.encode()] = seal.leaf_hash(seal.leaf_of_head(head))
        except (ValueError, OverflowError):
            self.hashes[stream.encode()] = b""

    def root(self) -> str:
        """Return the root over the heads as they stand."""
        return seal.tree_root([leaf for _, leaf in sorted(self.hashes.items())]).hex()


def _believable(last: Size, counted: Size) -> Size:
    """Return how far to look: a damaged number may claim more rows than could ever be there."""

    def limit(number: int, count: int) -> int:
        return min(number, count + _LISTED_MAX)

    return Size(
        batches=limit(last.batches, counted.batches),
        records=limit(last.records, counted.records),
        seals=limit(last.seals, counted.seals),
    )


def _whole(value: object) -> bytes:
    """Return bytes as they are; a damaged column may hold something else, which is no bytes."""
    return value if isinstance(value, bytes) else b""


def _digest_of(found: seal.Seal) -> str:
    try:
        return seal.digest_of_seal(
            previous=found.previous, position=found.position, root=found.root
        )
    except (TypeError, ValueError, OverflowError, AttributeError):
        return ""


def _problem(
    sort: Sort,
    row: BatchRow,
    text: str,
    header: Header | None = None,
    events: tuple[tuple[int, EventId], ...] = (),
) -> Problem:
    named = header or row
    return Problem(
        sort=sort,
        text=text,
        stream=str(named.stream),
        version=named.version,
        position=row.position,
        first_at=named.first_at,
        last_at=named.last_at,
        record=named.record or None,
        events=events,
    )
