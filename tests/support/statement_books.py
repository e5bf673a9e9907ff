"""Books for statements: simulated accounts with recorded prices, alone and in groups."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import attrs

from ledger.book import Book
from ledger.entries import Part, RawRecord, Reading
from ledger.events import Event, GroupDefined, PriceObserved, Transferred
from ledger.events.desk import GroupMember
from ledger.seal import digest_of_record
from ledger.units import DESK, VENUE, Address, Coin, Millis, Stream, account_stream
from replay.audit import Audit
from replay.engine import Engine
from tests.support.route import events_of, listed_events
from tests.support.venue import Venue
from tests.support.venue_rules import OTHERS, PAIRS, PERPS

PRICED = tuple(each.coin for each in (*PERPS, *PAIRS))

Marks = dict[str, list[tuple[int, Decimal]]]
"""Recorded marks by market, each (moment, price), in order of time."""


def marks(seed: int, since: int, until: int, *, missing: Iterable[str] = ()) -> Marks:
    """Return marks of every market at random moments from *since* to *until*."""
    chance = random.Random(seed)
    left_out = set(missing)
    found: Marks = {}
    for market in (*PERPS, *PAIRS):
        moments = sorted({since, *(chance.randrange(since, until + 1) for _ in range(12))})
        if market.coin not in left_out:
            found[market.coin] = [
                (at, Decimal(chance.randrange(1, 10**7)).scaleb(-chance.randrange(6)))
                for at in moments
            ]
    return found


def price_events(found: Marks) -> list[Event]:
    """Return marks as events of the venue's stream."""
    made = [
        PriceObserved(
            stream=VENUE, at=Millis(at), coin=Coin(coin), measure="mark", px=px, via="marks"
        )
        for coin, series in found.items()
        for at, px in series
    ]
    return sorted(made, key=lambda event: event.at)


def part(stream: Stream, events: Sequence[Event]) -> Part:
    return Part(
        stream=stream, source="api", answer="", rows=tuple(range(len(events))),
        events=tuple(events),
    )  # fmt: skip


def audit_of(
    histories: Mapping[str, Sequence[Event]],
    prices: Marks,
    *,
    more: Sequence[Event] = (),
    path: Path | None = None,
) -> Audit:
    """Return a book of histories by account and of marks, open for questions."""
    book = Book.in_memory() if path is None else Book.create(path)
    parts = [part(VENUE, [*listed_events(), *price_events(prices)])]
    parts += [
        part(account_stream(Address(account)), events)
        for account, events in histories.items()
        if events
    ]
    body = json.dumps(sorted(histories)).encode()
    record = RawRecord(name="composed.json", body=body, digest=digest_of_record(body))
    book.append(record, Reading(kind="composed", parts=tuple(parts)), recorded=Millis(1))
    if more:
        book.act(more, recorded=Millis(2))
    return Audit(Path("composed.book"), Engine(book))


def mirrored(events: Iterable[Event], other: str) -> list[Event]:
    """Return what another account's own history says of its transfers with this one."""
    return [
        attrs.evolve(event, stream=account_stream(Address(other)))
        for event in events
        if isinstance(event, Transferred)
        and event.sender != event.recipient
        and other in {event.sender, event.recipient}
    ]


def defined(name: str, members: Mapping[str, str], *, at: int = 2) -> GroupDefined:
    """Return a group of accounts with their roles."""
    return GroupDefined(
        stream=DESK,
        at=Millis(at),
        name=name,
        members=tuple(
            GroupMember(address=Address(address), role=role, label="")  # type: ignore[arg-type]
            for address, role in members.items()
        ),
        because="a test",
        by="ada",
    )


def span(venue: Venue) -> tuple[int, int]:
    """Return the first and the last moment of a history."""
    times = [row.time for row in venue.rows] or [venue.began]
    return min(times), max(times)


__all__ = [
    "OTHERS", "PRICED", "audit_of", "defined", "events_of", "marks", "mirrored", "part",
    "price_events", "span",
]  # fmt: skip
