"""Exports for tests: books, what is written of them, and a second book that read it."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from ledger.book import Book
from ledger.entries import AsOf, Part, RawRecord, Reading
from ledger.events import Event
from ledger.importers import Hints, read
from ledger.money import canonical, exact
from ledger.seal import digest_of_record
from ledger.units import BOOK, Address, Millis, is_desk, stream_account
from replay.audit import Audit
from replay.engine import Engine
from replay.export import Asked, export
from tests.support.route import Paper, events_of, record_of
from tests.support.statement_books import audit_of, marks, span
from tests.support.venue import history

ROOT = Path(__file__).resolve().parents[2]
CASCADE = ROOT / "fixtures" / "cascade"
ACCOUNT = Address("0x5ca1ab1e000000000000000000000000ca5cade0")


def audit(book: Book) -> Audit:
    return Audit(Path("test.book"), Engine(book))


def bundled() -> Audit:
    """Return the book of the bundled history."""
    book = Book.in_memory()
    for number, path in enumerate(sorted(CASCADE.glob("*.json"))):
        record = record_of(Paper(path.name, path.read_text(encoding="utf-8")))
        book.append(record, read(record, Hints()), recorded=Millis(number + 1))
    return audit(book)


def simulated(seed: int, steps: int = 60) -> Audit:
    """Return the book of a simulated account, with prices and the names of tokens."""
    venue = history(seed, steps)
    first, last = span(venue)
    prices = {
        coin: [(at, Decimal(canonical(px))) for at, px in series]
        for coin, series in marks(seed, first - 1, last).items()
    }
    return audit_of({venue.account: events_of(venue)}, prices)


def of_parts(parts: Iterable[Part], acts: Iterable[Event] = ()) -> Audit:
    """Return a book of answers, each a record of its own, and of what people did."""
    book = Book.in_memory()
    for number, part in enumerate(parts, start=1):
        body = f"answer {number}".encode()
        record = RawRecord(name=f"{number}.json", body=body, digest=digest_of_record(body))
        book.append(record, Reading(kind="composed", parts=(part,)), recorded=Millis(number))
    for number, act in enumerate(acts):
        book.act([act], recorded=Millis(10_000 + number))
    return audit(book)


def of_events(*events: Event) -> Audit:
    """Return a book of these events in effective order."""
    streams: dict[str, list[Event]] = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event)
    return of_parts(
        Part(stream=stream, source="api", answer="", rows=tuple(range(len(own))), events=tuple(own))
        for stream, own in streams.items()
    )


def asked(of: Audit, **more) -> Asked:
    values = {"accounts": of.accounts(), "what": "events", "position": of.position()} | more
    return Asked(audit=of, **values)


def written(of: Audit, form: str, **more) -> bytes:
    target = io.BytesIO()
    export(asked(of, **more), form, target)
    return target.getvalue()


def again(body: bytes, name: str = "export") -> tuple[Audit, Reading]:
    """Return a new book that has read an export, and what was read."""
    record = RawRecord(name=name, body=body, digest=digest_of_record(body))
    reading = read(record)
    book = Book.in_memory()
    book.append(record, reading, recorded=Millis(1))
    return audit(book), reading


def digests(of: Audit) -> dict[str, tuple[str, str]]:
    """Return the digests of timeline and state by stream; markets have no state of their own."""
    found = {}
    for info in of.book.streams():
        if info.stream == BOOK or is_desk(info.stream):
            continue
        timeline = of.engine.timeline_digest(info.stream, AsOf())
        account = stream_account(info.stream)
        state = "" if account is None else of.account(account).at().digest
        found[info.stream] = timeline, state
    return found


def amounts(seed: int, count: int, *, whole: int, places: int) -> list[Decimal]:
    """Return random amounts of at most so many digits before and behind the point."""
    chance = random.Random(seed)
    most = 10 ** (whole + places)
    with exact():
        return [
            Decimal(canonical(Decimal(chance.randrange(1 - most, most)).scaleb(-places)))
            for _ in range(count)
        ]
