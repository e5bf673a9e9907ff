"""Damage past us: a flipped byte, a moved row, an older copy; what is different is found and named.

ROLLFORWARD_FLIPS sets the distance between the bytes that are flipped; 1 tries every byte.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from ledger.book import Book, verify
from ledger.codec import event_id
from ledger.errors import BrokenChain
from tests.support.books import STREAM, imported, paid, small_book

EVERY = int(os.environ.get("ROLLFORWARD_FLIPS", "499"))
PAGES, HOURS = 5, 40


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the bytes of a sound book and a checkpoint of it."""
    path = tmp_path_factory.mktemp("sound") / "a.book"
    checkpoint = small_book(path, pages=PAGES, hours=HOURS)
    return path.read_bytes(), checkpoint


def contents(path: Path):
    """Return every row and the schema as stock SQLite reads them, or None when it cannot."""
    raw = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        tables = ("batches", "identities", "records", "seals")
        rows = [list(raw.execute(f"SELECT * FROM {table} ORDER BY 1")) for table in tables]
        schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"
        return rows, list(raw.execute(schema))
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    finally:
        raw.close()


def test_a_flipped_byte_is_found_or_changes_nothing(sound, tmp_path, figure):
    whole, checkpoint = sound
    path = tmp_path / "a.book"
    path.write_bytes(whole)
    before = contents(path)
    damaged = found = named = 0
    for place in range(0, len(whole), EVERY):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        verdict = verify(path, checkpoint)
        after = contents(path)
        if verdict.outcome == "broken":
            found += 1
        else:
            assert before == after, f"byte {place} changed the book and was not found"
        if after is None or after == before:
            continue
        changed = [
            old
            for old, new in zip(before[0][0], after[0][0], strict=False)
            if old != new and old[0] == new[0]
        ]
        if len(changed) == 1 and before[1] == after[1]:
            damaged += 1
            position, stream, version = changed[0][:3]
            named += any(
                problem.sort == "batch"
                and (problem.position, problem.stream, problem.version)
                == (position, stream, version)
                for problem in verdict.problems
            )
        for left in (path.with_name("a.book-wal"), path.with_name("a.book-shm")):
            left.unlink(missing_ok=True)
    print(f"{found} found, {damaged} changed one batch, {named} of them named exactly")
    assert damaged * 99 <= named * 100
    assert EVERY > 600 or damaged > 5
    flips = len(range(0, len(whole), EVERY))
    figure(
        line="5b",
        text="one flipped byte anywhere in a book",
        value=f"{flips:,} tried: {found:,} found, {flips - found:,} changed nothing stored; "
        f"of {damaged:,} that changed one batch, {named:,} named it",
    )


def flipped_in_lines(path: Path, position: int) -> None:
    """Change a byte in the compressed lines of one batch, where only the digest can tell."""
    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER batches_keep_update")
    state = raw.execute("SELECT state FROM batches WHERE position = ?", (position,)).fetchone()[0]
    place = state.index(b"\n") + (len(state) - state.index(b"\n")) * 2 // 3
    changed = state[:place] + bytes([state[place] ^ 0x10]) + state[place + 1 :]
    raw.execute("UPDATE batches SET state = ? WHERE position = ?", (changed, position))
    from ledger.stores.schema import STATEMENTS

    raw.execute(next(text for text in STATEMENTS if "batches_keep_update" in text))
    raw.commit()
    raw.close()


def test_a_damaged_batch_is_named_with_its_moments_its_record_and_its_events(tmp_path):
    path = tmp_path / "a.book"
    small_book(path, pages=3, hours=30)
    with Book.open(path) as book:
        header = book.headers(STREAM)[1]
    flipped_in_lines(path, 2)
    verdict = verify(path)
    assert "broken" == verdict.outcome
    (problem,) = verdict.problems
    assert ("batch", STREAM, 2, 2) == (
        problem.sort,
        problem.stream,
        problem.version,
        problem.position,
    )
    assert (header.first_at, header.last_at) == (problem.first_at, problem.last_at)
    assert header.record == problem.record
    assert "the raw record is intact" in problem.text
    rows = dict(problem.events)
    assert rows
    assert {row: event_id(paid(30 + row)) for row in rows} == rows


def rewritten(path: Path, change) -> None:
    """Rewrite one state with other lines, in the form a batch has."""
    from ledger.stores import form

    raw = sqlite3.connect(path)
    raw.execute("DROP TRIGGER batches_keep_update")
    state = raw.execute("SELECT state FROM batches WHERE position = 2").fetchone()[0]
    line, frame = form.split(state)
    joined = change(form.decompressed(frame))
    changed = line + b"\n" + form._COMPRESSOR.compress(joined)
    raw.execute("UPDATE batches SET state = ? WHERE position = 2", (changed,))
    from ledger.stores.schema import STATEMENTS

    raw.execute(next(text for text in STATEMENTS if "batches_keep_update" in text))
    raw.commit()
    raw.close()


LINE_CHANGES = {
    "one digit": (lambda text: text.replace(b'"usdc":"0.5"', b'"usdc":"0.6"', 1), [0]),
    "the last digit": (
        lambda text: b'"usdc":"0.6"'.join(text.rsplit(b'"usdc":"0.5"', 1)),
        [29],
    ),
    "one line less": (lambda text: b"\n".join(text.split(b"\n")[:4] + text.split(b"\n")[5:]), [4]),
    "one line twice": (lambda text: text + b"\n" + text.split(b"\n")[-1], []),
    "two lines swapped": (
        lambda text: b"\n".join(
            [text.split(b"\n")[1], text.split(b"\n")[0], *text.split(b"\n")[2:]]
        ),
        [0, 1],
    ),
}


@pytest.mark.parametrize("name", LINE_CHANGES)
def test_the_changed_event_is_named(tmp_path, name):
    change, rows = LINE_CHANGES[name]
    path = tmp_path / "a.book"
    small_book(path, pages=3, hours=30)
    rewritten(path, change)
    (problem,) = verify(path).problems
    assert (STREAM, 2) == (problem.stream, problem.version)
    assert [(row, event_id(paid(30 + row))) for row in rows] == list(problem.events)


# ------------------------------------------------------------------------------- structure

STRUCTURAL = {
    "last batch deleted": "DELETE FROM batches WHERE position = 5",
    "middle batch deleted": "DELETE FROM batches WHERE position = 3",
    "first batch deleted": "DELETE FROM batches WHERE position = 1",
    "all batches deleted": "DELETE FROM batches",
    "batch copied behind": "INSERT INTO batches SELECT 6, stream, 6, topic, first_at, last_at, "
    "count, record, digest, sum, state FROM batches WHERE position = 2",
    "two batches swapped": "UPDATE batches SET state = (SELECT state FROM batches b WHERE "
    "b.position = 5 - batches.position) WHERE position IN (2, 3)",
    "two positions swapped": "UPDATE batches SET position = 100 + position WHERE position "
    "IN (2, 3); "
    "UPDATE batches SET position = 105 - position WHERE position > 100",
    "moment changed": "UPDATE batches SET first_at = first_at - 1 WHERE position = 2",
    "record changed": "UPDATE batches SET record = (SELECT record FROM batches WHERE position = 1) "
    "WHERE position = 2",
    "stream renamed": "UPDATE batches SET stream = 'venue' WHERE position = 5; "
    "UPDATE batches SET version = 1 WHERE position = 5",
    "digest changed": "UPDATE batches SET digest = lower(hex(zeroblob(32))) WHERE position = 2",
    "index row deleted": "DELETE FROM identities WHERE position = 2",
    "index row changed": "UPDATE identities SET checks = zeroblob(length(checks)) "
    "WHERE position = 2",
    "topic changed": "PRAGMA ignore_check_constraints = 1; UPDATE batches SET topic = 'batch/2' "
    "WHERE position = 2",
    "check sum changed": "UPDATE batches SET sum = sum + 1 WHERE position = 2",
    "last record deleted": "DELETE FROM records WHERE number = 5",
    "record bytes changed": "UPDATE records SET body = (SELECT body FROM records WHERE number = 1) "
    "WHERE number = 2",
    "record renamed": "UPDATE records SET entry = CAST(replace(CAST(entry AS TEXT), "
    "'funding.json', 'another.json') AS BLOB) WHERE number = 2",
    "last seal deleted": "DELETE FROM seals WHERE number = 5",
    "middle seal deleted": "DELETE FROM seals WHERE number = 2",
    "all seals deleted": "DELETE FROM seals",
    "seal root changed": "UPDATE seals SET root = previous WHERE number = 3",
    "seal position changed": "UPDATE seals SET position = position - 1 WHERE number = 3",
    "seal records changed": "UPDATE seals SET records = records - 1 WHERE number = 3",
    "seal digest is no digest": "UPDATE seals SET previous = replace(previous, 'a', 'z'), "
    "digest = replace(digest, 'a', 'z') WHERE number = 3",
    "middle record deleted": "DELETE FROM records WHERE number = 2",
    "record entry is no entry": "UPDATE records SET entry = CAST('{}' AS BLOB) WHERE number = 2",
    "record number lies": "UPDATE records SET entry = CAST(replace(CAST(entry AS TEXT), "
    "'\"number\":2', '\"number\":3') AS BLOB) WHERE number = 2",
    "header is no header": "UPDATE batches SET state = CAST(x'7b7d0a' || state AS BLOB) "
    "WHERE position = 2",
    "header of another schema": "UPDATE batches SET state = CAST(replace(CAST(state AS TEXT), "
    "'\"schema\":1', '\"schema\":2') AS BLOB) WHERE position = 2",
    "lines gone": "UPDATE batches SET state = CAST('x' AS BLOB) WHERE position = 2",
    "huge position": "UPDATE batches SET position = 1 << 60 WHERE position = 5",
    "trigger dropped": "DROP TRIGGER seals_in_order",
    "table added": "CREATE TABLE extra (x)",
    "index added": "CREATE INDEX extra ON batches (first_at)",
    "version changed": "PRAGMA user_version = 2",
}


@pytest.mark.parametrize("name", STRUCTURAL)
def test_an_edit_with_the_triggers_out_of_the_way_is_found(sound, tmp_path, name):
    path = tmp_path / "a.book"
    path.write_bytes(sound[0])
    raw = sqlite3.connect(path)
    triggers = list(raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    for trigger, _ in triggers:
        raw.execute(f"DROP TRIGGER {trigger}")
    was = {trigger for trigger, _ in triggers}
    statement = STRUCTURAL[name]
    if statement.startswith("DROP TRIGGER"):
        was.discard(statement.split()[-1])
        statement = ""
    raw.executescript(statement)
    for trigger, text in triggers:
        if trigger in was:
            raw.execute(text)
    raw.commit()
    raw.close()
    verdict = verify(path)
    assert "broken" == verdict.outcome
    assert all(problem.text for problem in verdict.problems)


def test_the_right_batch_is_named_when_one_is_deleted(sound, tmp_path):
    path = tmp_path / "a.book"
    path.write_bytes(sound[0])
    raw = sqlite3.connect(path)
    raw.executescript("DROP TRIGGER batches_keep_delete; DELETE FROM batches WHERE position = 3")
    raw.close()
    from ledger.stores.sqlite import open_store

    assert "tables, indexes or triggers" in verify(path).problems[0].text
    with pytest.raises(Exception, match="tables, indexes or triggers"):
        open_store(path, write=False, wait_ms=0)
    raw = sqlite3.connect(path)
    from ledger.stores.schema import STATEMENTS

    raw.execute(next(text for text in STATEMENTS if "batches_keep_delete" in text))
    raw.commit()
    raw.close()
    named = [
        (problem.stream, problem.version, problem.position)
        for problem in verify(path).problems
        if problem.sort == "batch"
    ]
    assert [(STREAM, 3, 3)] == named


def edited(path: Path, statement: str) -> None:
    """Change rows with the triggers out of the way, and put the triggers back."""
    raw = sqlite3.connect(path)
    triggers = list(raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    raw.executescript(statement)
    for _, text in triggers:
        raw.execute(text)
    raw.commit()
    raw.close()


def test_a_damaged_batch_is_not_read_as_if_nothing_had_happened(tmp_path):
    path = tmp_path / "a.book"
    small_book(path, pages=3, hours=30)
    flipped_in_lines(path, 2)
    with Book.open(path, write=True) as book:
        assert 30 == len(book.batch(STREAM, 1).lines)
        for act in (
            lambda: book.batch(STREAM, 2),
            lambda: list(book.batches(STREAM)),
            lambda: book.find(event_id(paid(30))),
            book.rebuild,
            book.checkpoint,
        ):
            with pytest.raises(BrokenChain, match=f"{STREAM} batch 2"):
                act()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE batches SET state = (SELECT state FROM batches LIMIT 1) WHERE position = 2",
        "UPDATE batches SET state = CAST('{}' AS BLOB) WHERE position = 2",
        "DELETE FROM batches WHERE position = 2",
        "UPDATE records SET entry = CAST('{}' AS BLOB) WHERE number = 2",
        "DELETE FROM records WHERE number = 2",
    ],
)
def test_a_broken_chain_is_neither_read_nor_continued(tmp_path, statement):
    path = tmp_path / "a.book"
    small_book(path, pages=3, hours=30)
    edited(path, statement)
    with Book.open(path, write=True) as book:
        with pytest.raises(BrokenChain, match="rollforward verify"):
            book.streams()
        with pytest.raises(BrokenChain, match="rollforward verify"):
            imported(book, range(900, 901))


def test_a_damaged_record_is_not_given_out(tmp_path):
    path = tmp_path / "a.book"
    small_book(path, pages=2, hours=30)
    edited(path, "UPDATE records SET body = CAST(body || x'00' AS BLOB) WHERE number = 2")
    with Book.open(path) as book:
        first, second = (entry.digest for entry in book.records())
        assert first == book.record(first).digest
        with pytest.raises(BrokenChain, match="archive batch 2"):
            book.record(second)
    (problem, batch) = verify(path).problems
    assert ("record", second) == (problem.sort, problem.record)
    assert "its raw record is damaged" in batch.text


def test_nothing_is_imported_beside_a_damaged_index(tmp_path):
    path = tmp_path / "a.book"
    small_book(path, pages=2, hours=30)
    edited(path, "DELETE FROM identities WHERE position = 2")
    with Book.open(path, write=True) as book:
        with pytest.raises(BrokenChain, match="its index is damaged"):
            imported(book, range(40, 80))
        assert 60 == book.rebuild()
        assert (20, 20) == (imported(book, range(40, 80)).same, book.headers(STREAM)[2].count)


# ------------------------------------------------------------------------------- older copies


def test_an_older_copy_is_found_with_a_checkpoint_and_only_then(tmp_path):
    path = tmp_path / "a.book"
    copies, checkpoints = [], []
    Book.create(path).close()
    for page in range(6):
        with Book.open(path, write=True) as book:
            imported(book, range(page * 10, page * 10 + 10), recorded=page)
            checkpoints.append(book.checkpoint())
        copies.append(path.read_bytes())
    for older in range(6):
        path.write_bytes(copies[older])
        assert "partly verified" == verify(path).outcome
        outcomes = [verify(path, checkpoint).outcome for checkpoint in checkpoints]
        assert ["verified"] * (older + 1) + ["broken"] * (5 - older) == outcomes
    assert (
        "its end is missing"
        in verify(path, checkpoints[5].replace("\n6\n", "\n7\n")).problems[0].text
    )


def test_a_book_made_anew_is_found_with_a_checkpoint(tmp_path):
    checkpoint = small_book(tmp_path / "a.book", hours=10)
    other = tmp_path / "b.book"
    with Book.create(other) as book:
        for page in range(4):
            imported(book, range(page * 10, page * 10 + 10), usdc="0.25", recorded=page + 1)
    assert "partly verified" == verify(other).outcome
    (problem,) = verify(other, checkpoint).problems
    assert "not the one the checkpoint was taken of" in problem.text


def test_a_text_that_is_no_checkpoint_proves_nothing(tmp_path):
    small_book(tmp_path / "a.book")
    (problem,) = verify(tmp_path / "a.book", "rollforward/book/1\n4\n").problems
    assert ("checkpoint", "the text is not a checkpoint") == (problem.sort, problem.text)
