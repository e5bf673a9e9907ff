"""Build: a file brought up to what its book says, from where it stands.

What was recorded since is read; histories it belongs to are folded from the last checkpoint that
it does not touch; what can only be said of a whole history is asked again where that history
changed. A file that goes on so equals one made from nothing, row by row.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from ledger.codec import decode, identity, tag_of
from ledger.entries import from_runs, place_of
from ledger.units import VENUE, account_stream, is_desk, stream_account
from replay import checking
from replay.audit import Audit
from replay.readmodel import courses, tables, wholes
from replay.readmodel.file import FORMAT, ViewsFile
from replay.readmodel.margins import LOOKS_AHEAD_MS, Margins
from replay.readmodel.walk import Start, states_of, walk
from replay.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.entries import Header
    from ledger.seal import Seal
    from ledger.timeline import Course
    from ledger.units import Address, Stream
    from replay.readmodel.courses import Change

    Tell = Callable[[str], None]

NO_SEAL: Final = "none"


@attrs.frozen(kw_only=True)
class Work:
    """What an update did: from which position, to which, and how much was folded."""

    since: int
    position: int
    recorded: int
    """Events recorded since."""
    folded: int
    """Events folded again, those since included."""
    accounts: int
    """Accounts some row of which was derived anew."""
    rows: int
    """Rows written."""


@attrs.frozen(kw_only=True)
class Source:
    """A book as it stood when an update began: batches and records up to its last seal."""

    audit: Audit
    position: int
    records: int
    seal: str
    root: str
    reference: str

    @classmethod
    def of(cls, audit: Audit) -> Source:
        """Look at a book now; what is recorded meanwhile waits for the next update."""
        last: Seal | None = next(iter(audit.book.seals()[-1:]), None)
        position = last.position if last else 0
        known = {
            name: sorted((str(key), value) for key, value in each.items())
            for name, each in attrs.asdict(audit.engine.reference(position)).items()
        }
        return cls(
            audit=audit,
            position=position,
            records=last.records if last else 0,
            seal=last.digest if last else NO_SEAL,
            root=last.root if last else NO_SEAL,
            reference=sha256(msgspec.json.encode(known)).hexdigest(),
        )

    def headers(self, stream: Stream) -> tuple[Header, ...]:
        """Return the headers of a stream as they stood."""
        return self.audit.engine.headers(stream, self.position)

    def streams(self) -> tuple[Stream, ...]:
        """Return the streams that had a batch, by name."""
        named = (info.stream for info in self.audit.book.streams())
        return tuple(stream for stream in named if self.headers(stream))

    def sealed_at(self, position: int, seal: str) -> bool:
        """Tell whether the book had this seal at that position: it is the same book, grown."""
        if position == 0:
            return seal == NO_SEAL
        seals = self.audit.book.seals()
        return any(each.position == position and each.digest == seal for each in seals)

    def meta(self, *, built: str, how: str) -> dict[str, str]:
        """Return what a file made from this says of itself."""
        return {
            "format": FORMAT,
            "book": self.audit.path.name,
            "position": str(self.position),
            "records": str(self.records),
            "seal": self.seal,
            "root": self.root,
            "reference": self.reference,
            "rollforward": f"rollforward {made_by('rollforward')}",
            "code": made_by("code"),
            "built": built,
            "how": how,
        }


def made_by(name: str) -> str:
    """Return one of ``versions``: the ``rollforward`` that makes a file, or its ``code``."""
    told = (each.partition(" ") for each in versions())
    return next(value for key, _, value in told if key == name)


def update(file: ViewsFile, source: Source, *, tell: Tell) -> Work:
    """Write what a file lacks of its book, and derive anew what that touches; nothing is committed.

    Raises: BrokenChain, when what is stored is damaged.
    """
    before = file.meta()
    since, records = int(before.get("position", 0)), int(before.get("records", 0))
    changed = {stream for stream in source.streams() if source.headers(stream)[-1].position > since}
    tell(f"reading what was recorded since position {since}")
    recorded = _recorded(file, source, changed, since, records)
    now, changes = _courses(file, source, changed)
    is_other = before.get("reference") != source.reference
    folded, touched = _accounts(file, source, now, changes, is_other=is_other, tell=tell)
    _wholes(file, source, changed, is_other=is_other, tell=tell)
    return Work(
        since=since, position=source.position, recorded=recorded, folded=folded,
        accounts=touched, rows=file.written,
    )  # fmt: skip


def _recorded(
    file: ViewsFile, source: Source, changed: set[Stream], since: int, records: int
) -> int:
    """Write raw records, streams and events recorded since; return how many events."""
    for entry in source.audit.book.records()[records : source.records]:
        file.put(tables.RECORDS, (
            entry.digest, entry.number, entry.name, entry.kind, entry.size, entry.fetched,
            entry.recorded,
        ))  # fmt: skip
    count = 0
    for stream in sorted(changed):
        headers = source.headers(stream)
        file.do('DELETE FROM "streams" WHERE stream=?', (stream,))
        file.put(tables.STREAMS, (
            stream, len(headers), sum(header.count for header in headers),
            min(header.first_at for header in headers), max(header.last_at for header in headers),
            headers[-1].lines,
        ))  # fmt: skip
        for header in headers:
            if header.position > since:
                _batch(file, source, header)
                count += header.count
    return count


def _batch(file: ViewsFile, source: Source, header: Header) -> None:
    """Write the events of one batch."""
    lines = source.audit.engine.batch(header.stream, header.version).lines
    account = stream_account(header.stream)
    for row, (line, number) in enumerate(zip(lines, from_runs(header.rows), strict=True)):
        event = decode(line)
        name = identity(event, line).hex()
        file.put(tables.EVENTS, (
            name, header.stream, account, header.position, row, tag_of(line).partition("/")[0],
            event.at, header.recorded, header.source, header.record,
            place_of(header.answer, number),
        ))  # fmt: skip
        wholes.note(file, event, name)


def _courses(
    file: ViewsFile, source: Source, changed: set[Stream]
) -> tuple[dict[Stream, Course], dict[Stream, Change]]:
    """Write the courses of the changed streams; return them, and where each differs from before."""
    engine = source.audit.engine
    now: dict[Stream, Course] = {}
    changes: dict[Stream, Change] = {}
    for stream in sorted(changed):
        course = engine.course(stream, source.position)
        found = courses.pieces(course)
        kept = file.rows('SELECT count, pieces FROM "_courses" WHERE stream=?', (stream,))
        before: tuple[int, list[courses.Piece]] = (0, [])
        if kept:
            count, blob = kept[0]
            assert isinstance(count, int)
            assert isinstance(blob, bytes)
            before = count, courses.read(blob)
        changes[stream] = courses.change(engine, stream, course, before, found)
        file.do('DELETE FROM "_courses" WHERE stream=?', (stream,))
        batches = len(source.headers(stream))
        file.put(tables.COURSES, (stream, batches, course.count, courses.stored(found)))
        wholes.set_aside(file, engine, stream, course)
        if stream_account(stream) is not None:
            now[stream] = course
    return now, changes


# ------------------------------------------------------------------------------- accounts


def _accounts(
    file: ViewsFile, source: Source, now: Mapping[Stream, Course],
    changes: Mapping[Stream, Change], *, is_other: bool, tell: Tell,
) -> tuple[int, int]:  # fmt: skip
    """Derive anew what the changes touch; return how many events were folded, of how many accounts.

    Prices, rates and states of reserves touch the margin of every account from their moment on,
    other metadata everything.
    """
    engine = source.audit.engine
    around = min(
        (each.since for stream, each in changes.items() if _is_around(stream)),
        default=courses.NEVER,
    )
    folded = touched = 0
    for account in source.audit.accounts():
        stream = account_stream(account)
        if not source.headers(stream):
            continue
        start = _start(file, account, changes.get(stream), around, is_other=is_other)
        if start is None:
            continue
        tell(f"folding {account} from event {start.ordinal}")
        _forget(file, account, start)
        history = source.audit.account(account)
        folded += walk(
            engine,
            account,
            now.get(stream) or engine.course(stream, source.position),
            source.position,
            start,
            file,
            Margins(history, source.position),
        )
        touched += 1
    return folded, touched


def _is_around(stream: Stream) -> bool:
    return stream == VENUE or stream.startswith(("market:", "reserve:"))


def _start(
    file: ViewsFile, account: Address, own: Change | None, around: int, *, is_other: bool
) -> Start | None:
    """Return from where an account must be folded again; None where nothing of it is touched."""
    if is_other:
        return Start()
    since = min(own.since if own else courses.NEVER, around)
    last = file.rows('SELECT max(hour_ms) FROM "hours" WHERE account=?', (account,))[0][0]
    is_touched = own is not None and own.since < courses.NEVER
    if not is_touched and (last is None or since - LOOKS_AHEAD_MS > int(last)):
        return None
    same = own.same if own else courses.NEVER
    found = file.rows(
        'SELECT ordinal, state FROM "_checkpoints" WHERE account=? AND ordinal<=? AND at_ms<=?'
        " ORDER BY ordinal DESC LIMIT 1",
        (account, same, since - LOOKS_AHEAD_MS),
    )
    if not found:
        return Start()
    ordinal, state = found[0]
    assert isinstance(ordinal, int)
    assert isinstance(state, bytes)
    return Start(ordinal=ordinal, states=states_of(state))


def _forget(file: ViewsFile, account: Address, start: Start) -> None:
    """Take out what will be written again."""
    for table in (*tables.OF_EVENTS, tables.CHECKPOINTS):
        file.do(
            f'DELETE FROM "{table.name}" WHERE account=? AND ordinal>=?', (account, start.ordinal)
        )
    for table in tables.OF_HOURS:
        file.do(f'DELETE FROM "{table.name}" WHERE account=? AND hour_ms>=?', (account, start.at))
    file.do('DELETE FROM "liquidations" WHERE account=?', (account,))


# --------------------------------------------------------------------------------- wholes


def _wholes(
    file: ViewsFile, source: Source, changed: set[Stream], *, is_other: bool, tell: Tell
) -> None:
    """Ask again what can only be said of a whole history, where it changed."""
    audit, position = source.audit, source.position
    concerned = set(source.streams()) if is_other else changed
    for stream in sorted(concerned):
        tell(f"checking {stream}")
        account = stream_account(stream)
        if account is not None:
            history = audit.account(account)
            wholes.account(file, history, position)
            wholes.covered(file, history, position)
        found = checking.checked_stream(audit, stream, position)
        if found is not None:
            wholes.checked(file, stream, found)
    if not changed:
        return
    if any(is_desk(stream) for stream in changed) or not file.meta():
        wholes.desks(file, audit, position)
    wholes.texts(file)
