"""The book: one record is one transaction, nothing is added twice, all of it is found again."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import seal
from ledger.archive import entry_line, read_entry
from ledger.book import Book, verify
from ledger.codec import encode, event_id
from ledger.entries import Covered, RawRecord, Reading, Unreadable
from ledger.errors import BrokenChain, NotFound, StoreBusy, StoreFailed
from ledger.events import Contradicted, Noted, Quarantined
from ledger.stores import form
from ledger.units import BOOK, VENUE, Digest, Millis, Stream
from tests.support.books import (
    HOUR,
    START,
    STREAM,
    imported,
    paid,
    reading_of,
    record_of,
    small_book,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "fixtures" / "vectors" / "seals.json").read_text(encoding="utf-8"))


@pytest.fixture(params=["memory", "sqlite"])
def book(request, tmp_path):
    made = Book.in_memory() if request.param == "memory" else Book.create(tmp_path / "a.book")
    with made:
        yield made


def note(text: str, at: int = 7) -> Noted:
    return Noted(stream=VENUE, at=Millis(at), author="a clerk", text=text)


# ------------------------------------------------------------------------------- writing


def test_an_empty_book_answers_everything(book):
    assert 0 == book.position() == book.position_at(Millis(10**12))
    assert () == book.streams() == book.records() == book.seals() == book.quarantine()
    assert () == book.headers(STREAM)
    assert [] == list(book.batches(STREAM))
    assert "partly verified" == book.verify().outcome
    assert "verified" == book.verify(book.checkpoint()).outcome


def test_what_a_record_says_is_read_back_event_by_event(book):
    receipt = imported(book, range(3), recorded=5)
    assert (("funding_paid/1", 3, 0, 0),) == tuple(
        (tag, tally.new, tally.same, tally.conflicting) for tag, tally in receipt.tallies
    )
    assert (3, 0, 0) == (receipt.new, receipt.same, receipt.conflicting)
    assert ((1, 1), 1, False) == (receipt.positions, receipt.seal, receipt.is_known_record)
    assert (START, START + 2 * HOUR) == (receipt.first_at, receipt.last_at)
    batch = book.batch(STREAM, 1)
    assert tuple(encode(paid(hour)) for hour in range(3)) == batch.lines
    header = batch.header
    assert (1, 1, 3, 5) == (header.position, header.version, header.count, header.recorded)
    assert (((0, 1, 3),), "", "api") == (header.rows, header.previous, header.source)
    assert (header,) == book.headers(STREAM)
    assert record_of(range(3)) == book.record(receipt.record)
    assert ["userFunding"] == [entry.kind for entry in book.records()]
    assert "partly verified" == book.verify().outcome


def test_the_same_record_again_changes_nothing(book):
    imported(book, range(3), recorded=5)
    before = book.checkpoint()
    receipt = imported(book, range(3), recorded=9)
    assert (0, 3, 0) == (receipt.new, receipt.same, receipt.conflicting)
    assert (None, None, True) == (receipt.positions, receipt.seal, receipt.is_known_record)
    assert before == book.checkpoint()


def test_an_overlapping_record_adds_only_its_tail(book):
    imported(book, range(3))
    receipt = imported(book, range(1, 5))
    assert (2, 2) == (receipt.new, receipt.same)
    assert [3, 2] == [header.count for header in book.headers(STREAM)]
    assert ((2, 1, 2),) == book.headers(STREAM)[1].rows
    assert seal.digest_of_header(b"") != book.headers(STREAM)[1].previous
    assert 5 == book.streams()[0].events


def test_another_record_of_known_events_is_archived_and_sealed(book):
    imported(book, range(3))
    other = RawRecord(name="copy.json", body=b"{}", digest=seal.digest_of_record(b"{}"))
    receipt = book.append(other, reading_of(range(3)), recorded=Millis(2))
    assert (0, 3, None, 2) == (receipt.new, receipt.same, receipt.positions, receipt.seal)
    assert 1 == book.position()
    assert [1, 2] == [entry.records for entry in book.seals()]
    assert other == book.record(other.digest)
    assert "partly verified" == book.verify().outcome


def test_a_second_record_that_says_something_else_is_kept_beside_the_first(book):
    imported(book, range(2), usdc="0.5")
    receipt = imported(book, range(2), usdc="0.75")
    assert (0, 0, 2) == (receipt.new, receipt.same, receipt.conflicting)
    assert "0.5" == str(book.find(event_id(paid(0))).event.usdc)
    (kept, _) = (book.find(event_id(e)).event for e in contradictions())
    assert isinstance(kept, Contradicted)
    assert event_id(paid(0)) == kept.target


def contradictions():
    return [
        Contradicted(
            stream=STREAM,
            at=paid(hour).at,
            target=event_id(paid(hour)),
            other=encode(paid(hour, "0.75")).decode(),
        )
        for hour in range(2)
    ]


def test_a_claim_without_events_is_a_batch_of_none(book):
    cover = Covered(family="funding", since=Millis(START), until=Millis(START + HOUR))
    record = record_of(range(0))
    receipt = book.append(record, reading_of(range(0), covers=(cover,)), recorded=Millis(1))
    assert (0, (1, 1)) == (receipt.new, receipt.positions)
    assert ((), 0) == (book.batch(STREAM, 1).lines, book.headers(STREAM)[0].count)
    assert [cover] == list(book.covered(STREAM))
    assert "partly verified" == book.verify().outcome


def test_unreadable_rows_are_set_aside_once(book):
    row = Unreadable(place="[3]", reason="size is not a number", text='{"sz":"x"}')
    record, reading = record_of(range(2)), reading_of(range(2), unreadable=(row,))
    first = book.append(record, reading, recorded=Millis(11))
    second = book.append(record, reading, recorded=Millis(12))
    expected = Quarantined(
        stream=BOOK,
        at=Millis(11),
        record=record.digest,
        name="funding.json",
        place="[3]",
        reason="size is not a number",
        text='{"sz":"x"}',
    )
    assert (expected,) == first.quarantined == book.quarantine()
    assert [("[3]", Millis(12))] == [(row.place, row.at) for row in second.quarantined]
    assert (2, 2) == (first.new - 1, book.position())


def test_what_a_person_says_has_no_record(book):
    receipt = book.act([note("first"), note("second", at=8)], recorded=Millis(4))
    assert (2, None, "person") == (receipt.new, receipt.record, receipt.kind)
    header = book.headers(VENUE)[0]
    assert ("person", None) == (header.source, header.record)
    assert () == book.records()


def test_bytes_that_are_not_the_record_s_are_refused(book):
    record = attrs.evolve(record_of(range(1)), body=b"else")
    with pytest.raises(StoreFailed, match="do not have the digest"):
        book.append(record, reading_of(range(1)), recorded=Millis(1))
    assert 0 == book.position()


def test_a_record_too_long_to_be_kept_is_refused(book, monkeypatch):
    from ledger import archive

    monkeypatch.setattr(archive, "BODY_BYTES_MAX", 10)
    with pytest.raises(StoreFailed, match="too many for one record"):
        imported(book, range(3))
    assert 0 == book.position()


@pytest.mark.parametrize("vector", VECTORS["headers"], ids=lambda v: v["name"])
def test_a_header_is_written_as_the_specification_writes_it(vector):
    line = vector["header"].encode()
    assert line == form.header_line(form.read_header(line))


@pytest.mark.parametrize("vector", VECTORS["archived"], ids=lambda v: v["name"])
def test_an_entry_is_written_as_the_specification_writes_it(vector):
    line = vector["entry"].encode()
    assert line == entry_line(read_entry(line))


def test_the_chain_and_the_seals_of_a_book_follow_the_specification(book):
    """Everything is hashed again here from the stored bytes, with SHA-256 alone."""
    imported(book, range(3), recorded=1)
    imported(book, range(2, 6), recorded=2)

    def frame(field: bytes) -> bytes:
        return len(field).to_bytes(8, "big") + field

    def u64(number: int) -> bytes:
        return number.to_bytes(8, "big")

    previous, head, sealed = "", "", ""
    for number in (1, 2):
        line = form.split(book._store.batch(number).state)[0]
        header = json.loads(line)
        joined = b"\n".join(book.batch(STREAM, number).lines)
        lines = b"rollforward lines 1\n" + u64(header["count"]) + frame(joined)
        assert sha256(lines).hexdigest() == header["lines"]
        assert previous == header["previous"]
        previous = sha256(b"rollforward batch 1\n" + frame(line)).hexdigest()
        entry = book._store.record(number).entry
        assert head == json.loads(entry)["previous"]
        head = sha256(b"rollforward record 1\n" + frame(entry)).hexdigest()
        leaves = [
            sha256(b"\x00rollforward head 1\n" + frame(name) + u64(number) + bytes.fromhex(digest))
            for name, digest in ((STREAM.encode(), previous), (b"archive", head))
        ]
        root = sha256(b"\x01" + leaves[0].digest() + leaves[1].digest()).digest()
        fields = frame(bytes.fromhex(sealed)) + u64(number) + root
        sealed = sha256(b"rollforward seal 1\n" + fields).hexdigest()
        assert (root.hex(), sealed) == (
            book.seals()[number - 1].root,
            book.seals()[number - 1].digest,
        )


def test_a_record_of_several_streams_is_one_seal(book):
    other = Stream("market:BTC")
    parts = (*reading_of(range(2)).parts, *reading_of(range(2), stream=other).parts)
    receipt = book.append(record_of(range(2)), Reading(kind="x", parts=parts), recorded=Millis(1))
    assert ((1, 2), 1) == (receipt.positions, len(book.seals()))
    assert [STREAM, other] == [info.stream for info in book.streams()]


def test_long_parts_become_several_chained_batches(book):
    imported(book, range(5000))
    headers = book.headers(STREAM)
    assert [2048, 2048, 904] == [header.count for header in headers]
    assert [1, 2, 3] == [header.version for header in headers]
    assert "" == headers[0].previous != headers[1].previous != headers[2].previous
    assert 5000 == sum(len(batch.lines) for batch in book.batches(STREAM))


# ------------------------------------------------------------------------------- reading


def test_an_event_is_found_with_its_place_in_the_record(book):
    imported(book, range(3), recorded=5)
    imported(book, range(1, 6), recorded=6)
    entry = book.find(event_id(paid(4)))
    assert paid(4) == entry.event
    assert (2, 1, 6, "[3]") == (entry.position, entry.row, entry.recorded, entry.place)
    assert record_of(range(1, 6)).digest == entry.record


@pytest.mark.parametrize("name", ["", "zz", "ab" * 16, "ab" * 15])
def test_an_event_that_is_not_there_is_not_found(book, name):
    imported(book, range(3))
    with pytest.raises(NotFound, match="no event"):
        book.find(name)


def test_batches_and_records_that_are_not_there_are_not_found(book):
    for version in (0, 1, -1):
        with pytest.raises(NotFound, match="no batch"):
            book.batch(STREAM, version)
    with pytest.raises(NotFound, match="no record"):
        book.record(Digest("00"))


def test_a_position_limits_what_is_shown(book):
    for hour in range(4):
        imported(book, range(hour, hour + 1), recorded=10 * hour)
    assert [1, 2] == [header.position for header in book.headers(STREAM, 2)]
    assert 2 == len(list(book.batches(STREAM, 2)))


def test_the_position_at_a_moment_never_looks_ahead_when_the_clock_was_set_back(book):
    for hour, recorded in enumerate([10, 50, 20, 60]):
        imported(book, range(hour, hour + 1), recorded=recorded)
    positions = [book.position_at(Millis(moment)) for moment in (9, 10, 20, 49, 50, 59, 60)]
    assert [0, 1, 1, 1, 3, 3, 4] == positions
    moments = [book.recorded_at(position) for position in (1, 2, 3, 4)]
    assert [10, 50, 50, 60] == moments
    for moment, position in zip(moments, (1, 2, 3, 4), strict=True):
        assert book.position_at(moment) >= position > book.position_at(Millis(moment - 1))
    for beyond in (0, 5, -1):
        with pytest.raises(NotFound):
            book.recorded_at(beyond)


def test_a_reader_sees_what_a_writer_adds_meanwhile(tmp_path):
    path = tmp_path / "a.book"
    with Book.create(path) as writer, Book.open(path) as reader:
        assert 0 == reader.position()
        imported(writer, range(2))
        assert 1 == reader.position()
        assert writer.headers(STREAM) == reader.headers(STREAM)
        assert writer.seals() == reader.seals()


pages = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), min_size=1, max_size=6)


@settings(max_examples=25)
@given(pages)
def test_the_stores_cannot_be_told_apart(tmp_path_factory, pages):
    path = tmp_path_factory.mktemp("books") / "a.book"
    with Book.create(path) as on_disk, Book.in_memory() as in_memory:
        for number, (first, count) in enumerate(pages):
            receipts = [
                imported(book, range(first, first + count), recorded=number)
                for book in (on_disk, in_memory)
            ]
            assert receipts[0] == receipts[1]
        assert on_disk.checkpoint() == in_memory.checkpoint()
        assert on_disk.seals() == in_memory.seals()
        hours = sorted({hour for first, count in pages for hour in range(first, first + count)})
        lines = sorted(line for batch in on_disk.batches(STREAM) for line in batch.lines)
        assert sorted(encode(paid(hour)) for hour in hours) == lines


# ------------------------------------------------------------------------------- the file


def test_a_book_is_not_made_over_a_file(tmp_path):
    path = tmp_path / "a.book"
    path.write_bytes(b"mine")
    with pytest.raises(StoreFailed, match="such a file already"):
        Book.create(path)
    assert b"mine" == path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"SQLite", b"x" * 5000])
def test_a_file_that_is_no_book_is_refused_and_judged_broken(tmp_path, content):
    path = tmp_path / "a.book"
    path.write_bytes(content)
    with pytest.raises(StoreFailed):
        Book.open(path)
    assert "broken" == verify(path).outcome
    assert content == path.read_bytes()


def test_another_program_s_database_is_refused(tmp_path):
    path = tmp_path / "a.book"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE batches (x)")
    other.close()
    with pytest.raises(StoreFailed, match="not a book"):
        Book.open(path)


def test_a_book_that_is_not_there_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreFailed, match="'rollforward import' makes one"):
        Book.open(tmp_path / "a.book")
    assert [] == list(tmp_path.iterdir())


def test_a_reader_cannot_write(tmp_path):
    small_book(tmp_path / "a.book")
    with Book.open(tmp_path / "a.book") as book, pytest.raises(StoreFailed, match="not open for"):
        imported(book, range(1000, 1001))


def test_a_second_writer_is_told_who_has_the_book(tmp_path):
    path = tmp_path / "a.book"
    with Book.create(path) as book:
        with pytest.raises(StoreBusy, match=f"process {os.getpid()}"):
            Book.open(path, write=True, wait_ms=20)
        imported(book, range(2))
    with Book.open(path, write=True, wait_ms=0) as book:
        assert 1 == book.position()


def test_the_settings_that_durability_rests_on_are_in_force(tmp_path):
    with Book.create(tmp_path / "a.book") as book:
        rows = book._store._rows
        settings = [rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")]
    assert ["wal", 2] == settings


@pytest.mark.parametrize("opened", ["open", "os", "path", "link", "copy"])
def test_nobody_but_sqlite_opens_the_file_of_an_open_book(tmp_path, opened):
    import shutil

    path = tmp_path / "a.book"
    ways = {
        "open": path.read_bytes,
        "os": lambda: os.open(str(path) + "-wal", os.O_RDONLY),
        "path": lambda: os.open(path, os.O_RDONLY),
        "link": (tmp_path / "link").read_bytes,
        "copy": lambda: shutil.copy(path, tmp_path / "copy"),
    }
    (tmp_path / "link").symlink_to(path)
    with Book.create(path) as book:
        imported(book, range(2))
        with pytest.raises(StoreFailed, match="past SQLite"):
            ways[opened]()
        assert path.stat().st_size
    assert path.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE batches SET count = 1",
        "DELETE FROM batches",
        "UPDATE seals SET root = root",
        "DELETE FROM seals",
        "UPDATE records SET number = 9",
        "DELETE FROM records",
        "INSERT OR REPLACE INTO seals SELECT * FROM seals WHERE number = 1",
        (
            "INSERT INTO batches SELECT position + 2, stream, version + 2, topic, first_at, "
            "last_at, count, record, digest, sum, state FROM batches WHERE position = 1"
        ),
        "INSERT INTO seals VALUES ('x', 1, 1, '', '', '')",
    ],
)
def test_rows_cannot_be_changed_even_past_us(tmp_path, statement):
    path = tmp_path / "a.book"
    small_book(path)
    other = sqlite3.connect(path)
    try:
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)
    finally:
        other.close()


def test_a_failed_write_stops_the_book_and_leaves_it_whole(tmp_path):
    path = tmp_path / "a.book"
    small_book(path)
    with Book.open(path, write=True) as book:
        rows = book._store._datastore.pool
        book.position()
        connection = rows.get_connection()
        connection.raw.execute("PRAGMA max_page_count=1")
        rows.put_connection(connection)
        with pytest.raises(StoreFailed, match="database or disk is full"):
            book.append(
                record_of(range(5000, 9000)), reading_of(range(5000, 9000)), recorded=Millis(1)
            )
        with pytest.raises(StoreFailed, match="closed"):
            book.position()
    assert "partly verified" == verify(path).outcome
    with Book.open(path, write=True) as book:
        assert 4 == book.position()
        assert 4000 == imported(book, range(5000, 9000)).new


def test_a_bit_that_changes_between_hashing_and_storing_is_noticed_before_the_seal(
    tmp_path, monkeypatch
):
    from ledger import book as module

    real = module.stored.row_of

    def faulty(header, lines):
        row = real(header, lines)
        return attrs.evolve(row, state=row.state[:-3] + bytes([row.state[-3] ^ 1]) + row.state[-2:])

    path = tmp_path / "a.book"
    with Book.create(path) as book:
        monkeypatch.setattr(module.stored, "row_of", faulty)
        with pytest.raises(BrokenChain):
            imported(book, range(50))
    monkeypatch.undo()
    with Book.open(path, write=True) as book:
        assert 0 == book.position()
        assert 50 == imported(book, range(50)).new


def test_the_index_is_rebuilt_from_the_batches(tmp_path):
    path = tmp_path / "a.book"
    small_book(path)
    other = sqlite3.connect(path)
    other.execute("UPDATE identities SET identities = zeroblob(length(identities))")
    other.commit()
    other.close()
    verdict = verify(path)
    assert ["index"] * 4 == [problem.sort for problem in verdict.problems]
    with Book.open(path, write=True) as book:
        with pytest.raises(NotFound):
            book.find(event_id(paid(1)))
        assert 96 == book.rebuild()
        assert paid(1) == book.find(event_id(paid(1))).event
    assert "partly verified" == verify(path).outcome


WRITE = """
import sys
from ledger.book import Book
from tests.support.books import imported
from pathlib import Path
path, number = Path(sys.argv[1]), int(sys.argv[2])
for turn in range(5):
    with Book.open(path, write=True, wait_ms=60_000) as book:
        imported(book, range(100 * number + turn * 10, 100 * number + turn * 10 + 12))
"""


def test_writers_of_several_processes_take_turns_and_lose_nothing(tmp_path):
    path = tmp_path / "a.book"
    Book.create(path).close()
    running = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(path), str(number)], cwd=ROOT)
        for number in range(3)
    ]
    assert [0, 0, 0] == [process.wait() for process in running]
    with Book.open(path) as book:
        assert 15 == book.position()
        assert 3 * 52 == book.streams()[0].events
        assert "verified" == book.verify(book.checkpoint()).outcome
