"""Small composed records and books for tests: funding payments of one account, hour by hour."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from ledger.book import Book
from ledger.entries import Covered, Part, RawRecord, Reading, Unreadable
from ledger.events import FundingPaid
from ledger.seal import digest_of_record
from ledger.units import Address, Coin, Millis, Stream, account_stream

ACCOUNT = Address("0x" + "ab" * 20)
STREAM = account_stream(ACCOUNT)
HOUR = 3_600_000
START = 1_700_000_000_000


def paid(
    hour: int, usdc: str = "0.5", *, stream: Stream = STREAM, coin: str = "BTC"
) -> FundingPaid:
    return FundingPaid(
        stream=stream,
        at=Millis(START + hour * HOUR),
        coin=Coin(coin),
        usdc=Decimal(usdc),
        size=Decimal("1.25"),
        rate=Decimal("0.0000125"),
        samples=None,
        tx_hash="0x" + "0" * 64,
    )


def record_of(hours: range, *, usdc: str = "0.5", name: str = "funding.json") -> RawRecord:
    rows = [{"hour": hour, "usdc": usdc, "padding": "x" * 40} for hour in hours]
    body = json.dumps(rows).encode()
    return RawRecord(name=name, body=body, digest=digest_of_record(body), fetched=None)


def reading_of(
    hours: range,
    *,
    usdc: str = "0.5",
    stream: Stream = STREAM,
    covers: tuple[Covered, ...] = (),
    unreadable: tuple[Unreadable, ...] = (),
) -> Reading:
    events = tuple(paid(hour, usdc, stream=stream) for hour in hours)
    part = Part(
        stream=stream,
        source="api",
        answer="",
        rows=tuple(range(len(events))),
        events=events,
        covers=covers,
    )
    return Reading(kind="userFunding", parts=(part,), unreadable=unreadable)


def imported(book: Book, hours: range, *, usdc: str = "0.5", recorded: int = 1):
    """Append the funding of some hours as one record and return the receipt."""
    record, reading = record_of(hours, usdc=usdc), reading_of(hours, usdc=usdc)
    return book.append(record, reading, recorded=Millis(recorded))


def small_book(path: Path, *, pages: int = 4, hours: int = 24) -> str:
    """Write a book of several pages, close it, and return its checkpoint."""
    with Book.create(path) as book:
        for page in range(pages):
            imported(book, range(page * hours, (page + 1) * hours), recorded=page + 1)
        return book.checkpoint()
