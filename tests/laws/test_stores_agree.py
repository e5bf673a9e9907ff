"""Law 12: stores cannot be told apart through the book that writes to them.

The same imports and acts go to a book in memory and to one in a file. Everything a reader can ask
is compared, bytes included; then the file is closed, opened again and asked once more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book
from ledger.codec import decode, event_id
from ledger.events import Annulled, Noted
from ledger.units import Address, Millis, Stream, account_stream
from projections.fold import digest
from tests.support.route import FIRST_RECORDED, Paper, states_in, take_in
from tests.support.sources import selections
from tests.support.strategies import histories
from tests.support.venue import Venue

LATER = Millis(FIRST_RECORDED + 10**6)


@contextmanager
def two_books() -> Iterator[tuple[Book, Book, Path]]:
    """Give a book in memory, one in a file, and the name of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.book"
        with Book.in_memory() as memory, Book.create(path) as file:
            yield memory, file, path


def everything(book: Book, positions: list[int]) -> dict[str, object]:
    """Return all that a book answers, its own name apart."""
    streams = [info.stream for info in book.streams()]
    records = [attrs.asdict(entry) for entry in book.records()]
    return {
        "streams": book.streams(),
        "position": book.position(),
        "headers": [book.headers(stream, at) for stream in streams for at in (None, *positions)],
        "batches": [list(book.batches(stream)) for stream in streams],
        "earlier": [list(book.batches(stream, at)) for stream in streams for at in positions],
        "known at": [book.position_at(Millis(FIRST_RECORDED + at)) for at in range(-1, 6)],
        "records": records,
        "bodies": [book.record(entry.digest) for entry in book.records()],
        "quarantine": book.quarantine(),
        "seals": book.seals(),
        "checkpoint": book.checkpoint(),
        "verdict": book.verify().problems,
        "entries": [
            book.find(event_id(decode(line)))
            for stream in streams
            for batch in book.batches(stream)
            for line in batch.lines[:3]
        ],
    }


def said(stream: Stream, book: Book) -> list[Annulled | Noted]:
    """Return a remark, and the correction of the first event there is."""
    first = next(book.batches(stream)).lines[0]
    target = decode(first)
    who = {"author": "Mara", "stream": stream, "at": target.at}
    return [
        Noted(**who, text="opened by mistake"),
        Annulled(**who, target=event_id(target), reason="not this account's"),
    ]


@settings(max_examples=15)
@given(data=st.data(), venue=histories(most=25))
def test_a_book_in_memory_and_one_in_a_file_answer_alike(data: st.DataObject, venue: Venue) -> None:
    chosen: list[Paper] = data.draw(selections(venue))
    stream = account_stream(Address(venue.account))
    with two_books() as (memory, file, path):
        assert take_in(memory, venue.account, chosen) == take_in(file, venue.account, chosen)
        corrections = said(stream, memory)
        receipt = memory.act(corrections, recorded=LATER)
        assert receipt == file.act(corrections, recorded=LATER)
        positions = data.draw(st.lists(st.integers(0, memory.position()), max_size=2))
        expected = everything(memory, positions)
        state = digest(states_in(memory, venue.account))
        assert expected == everything(file, positions)
        assert state == digest(states_in(file, venue.account))
        file.close()
        with Book.open(path) as again:
            assert expected == everything(again, positions)
            assert state == digest(states_in(again, venue.account))


def test_neither_store_knows_what_was_never_recorded() -> None:
    with two_books() as (memory, file, _):
        for book in (memory, file):
            assert 0 == book.position()
            assert () == book.streams() == book.seals() == book.quarantine()
            assert () == book.headers(Stream("account:0x" + 40 * "0"))
            assert [] == list(book.batches(Stream("venue")))
            assert 0 == book.position_at(Millis(10**12))
            assert not list(book.records())
