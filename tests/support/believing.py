"""Ways a book comes to be written: imports in any order, overlaps, corrections, openings.

A *telling* is a list of steps, each a function that writes to a book. The same telling can be told
to another book as far as one likes: that book knows what the first one knew then, and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256

import attrs
from hypothesis import strategies as st

from ledger.book import Book
from ledger.codec import encode, event_id
from ledger.entries import Part, RawRecord, Reading
from ledger.events import Filled, Opened, OpeningBalance, OpeningPosition
from ledger.seal import digest_of_record
from ledger.units import Address, Asset, Coin, Millis, account_stream
from replay.audit import Audit
from replay.engine import Engine
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    answers,
    covered,
    histories,
    part,
    replaced,
)
from tests.support.route import Paper, record_of, take_in
from tests.support.sources import selections
from tests.support.strategies import histories as venues
from tests.support.venue import Venue

ACCOUNT = Address("0x" + "a" * 40)
Write = Callable[[Book], None]


def told(telling: list[Write], steps: int | None = None) -> Book:
    """Return a new book to which the first steps were told."""
    book = Book.in_memory()
    for write in telling[:steps]:
        write(book)
    return book


def audit_of(book: Book) -> Audit:
    """Return a book of the memory, open for questions."""
    from pathlib import Path

    return Audit(Path("memory"), Engine(book))


def appended(*parts: Part, name: str) -> Write:
    """Return a step that imports one record of these answers."""
    body = sha256(repr((name, parts)).encode()).hexdigest().encode()
    record = RawRecord(name=name, body=body, digest=digest_of_record(body))
    return lambda book: _append(book, record, Reading(kind="composed", parts=parts))


def _append(book: Book, record: RawRecord, reading: Reading) -> None:
    book.append(record, reading, recorded=Millis(START + book.position()))


def acted(*events) -> Write:
    """Return a step in which a person says something."""
    return lambda book: _act(book, events)


def _act(book: Book, events) -> None:
    book.act(list(events), recorded=Millis(START + book.position()))


# ------------------------------------------------------------------------- small histories


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[Write], list[int]]:
    """Return a telling of a small history, and moments worth asking for.

    Fills come by the interface and by exports without identities; answers overlap and claim to be
    whole; single facts are told twice, with more or with something else; people annul, replace,
    annul corrections, and attest openings.
    """
    history = draw(histories(16))
    writes = [appended(one, name=f"page {number}.json")
              for number, one in enumerate(_pages(draw, draw(answers(history))))]  # fmt: skip
    acts = [draw(acts_on(history, number)) for number in range(draw(st.integers(0, 4)))]
    telling = draw(st.permutations(writes + acts))
    moments = sorted({START - 1, *(event.at for event in history), history[-1].at + 60_000})
    return list(telling), moments


def _pages(draw: st.DrawFn, parts: tuple[Part, ...]):
    for one in parts:
        is_fills = isinstance(one.events[0], Filled)
        since, until = one.events[0].at, one.events[-1].at
        claim = covered("fills", since - since % 1000, until + 60_000)
        match draw(st.sampled_from(("plain", "plain", "whole", "export"))):
            case "whole" if is_fills:
                yield attrs.evolve(one, covers=(claim,))
            case "export" if is_fills:
                rows = [exported(event) for event in one.events]
                if draw(st.booleans()):  # misread: no fill explains it, a claim takes it out
                    rows[0] = attrs.evolve(rows[0], sz=Decimal(9))
                yield part(rows, source="web")
                if draw(st.booleans()):
                    yield attrs.evolve(one, covers=(claim,))
            case _:
                yield one


def exported(event: Filled) -> Filled:
    """Return a fill as an export of the web interface shows it: full seconds, no identity."""
    return attrs.evolve(event, at=Millis(event.at - event.at % 1000), tid=None, oid=None,
                        start_position=None, direction="")  # fmt: skip


@st.composite
def acts_on(draw: st.DrawFn, history, number: int) -> Write:
    """Return a step that corrects, repeats otherwise, or attests something."""
    target = draw(st.sampled_from(history))
    match draw(st.sampled_from(("annul", "replace", "more", "other", "open", "undo"))):
        case "replace" if isinstance(target, Filled):
            other = attrs.evolve(target, px=Decimal(draw(st.integers(1, 9))))
            return acted(replaced(target, target=event_id(target), by=encode(other)))
        case "more" if isinstance(target, Filled):
            said = attrs.evolve(target, fee=Decimal("0.25"), fee_asset=Asset("USDC"))
            return appended(part([said]), name=f"fuller {number}")
        case "other" if isinstance(target, Filled):
            return appended(part([attrs.evolve(target, sz=Decimal(7))]), name=f"other {number}")
        case "open":
            return acted(opened(draw(st.integers(START - 5, history[-1].at)), number))
        case "undo":
            act = annulled(target, target=event_id(target), reason=f"undone {number}")
            return acted(act, annulled(act, target=event_id(act), reason="no"))
        case _:
            return acted(annulled(target, target=event_id(target), reason=f"{number}"))


def opened(at: int, number: int) -> Opened:
    """Return an opening that attests some money and a position."""
    return Opened(
        stream=STREAM,
        at=Millis(at),
        balances=(OpeningBalance(place="perp:", asset=Asset("USDC"), amount=Decimal(100)),),
        positions=(
            OpeningPosition(coin=Coin("BTC"), size=Decimal(2), entry_notional=Decimal(190)),
        ),
        author="ada",
        source=f"statement {number}",
    )


# ------------------------------------------------------------------------- simulated accounts


@st.composite
def venue_tellings(draw: st.DrawFn) -> tuple[Venue, list[Write], list[int]]:
    """Return a simulated account told by papers of many sources, corrected here and there."""
    venue = draw(venues(most=24))
    chosen = draw(selections(venue, draw(st.sampled_from((1, 3_600_000)))))
    writes: list[Write] = [_taken(venue.account, paper) for paper in chosen]
    stream = account_stream(Address(venue.account))
    for number in range(draw(st.integers(0, 2))):
        writes.insert(draw(st.integers(0, len(writes))), _annul_any(stream, number, draw))
    moments = [venue.began - 1, *(row.time for row in venue.rows), venue.now]
    return venue, writes, moments


def _taken(account: str, paper: Paper) -> Write:
    assert record_of(paper).body
    return lambda book: take_in(book, account, [paper]) and None


def _annul_any(stream, number: int, draw: st.DrawFn) -> Write:
    which = draw(st.integers(0, 10**6))

    def write(book: Book) -> None:
        from ledger.codec import decode
        from ledger.events import Annulled

        lines = [line for batch in book.batches(stream) for line in batch.lines]
        if lines:
            event = decode(lines[which % len(lines)])
            _act(book, [Annulled(stream=stream, at=event.at, target=event_id(event),
                                 author="ada", reason=f"read wrongly {number}")])  # fmt: skip

    return write
