"""Law 9: starting from any checkpoint equals starting from nothing."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.book import Book
from ledger.codec import event_id
from ledger.entries import AsOf, RawRecord, Reading
from ledger.units import Digest, Millis
from projections import fold
from replay import checkpoints
from replay.checkpoints import Checkpoints
from replay.engine import Engine
from tests.support.histories import START, STREAM, annulled, answers, filled, histories, part

EVERY = 4


def write(book: Book, one, number: int) -> None:
    body = f"answer {number}".encode()
    record = RawRecord(name=f"{number}.json", body=body, digest=Digest(sha256(body).hexdigest()))
    book.append(record, Reading(kind="test", parts=(one,)), recorded=Millis(1 + number))


def long_history(count: int, *, first: int = 0):
    return part(
        [filled(START + n * 1000, n, sz=str(n % 7 + 1)) for n in range(first, first + count)]
    )


def fast_and_slow(book: Book, path: Path) -> tuple[Engine, Engine]:
    return Engine(book, Checkpoints(path), every=EVERY, worth_from=1), Engine(book)


def assert_equal_everywhere(fast: Engine, slow: Engine, position: int) -> int:
    """Compare at every moment of the history and around it; return how many events were spared."""
    spared = 0
    moments = {event.at for event in slow.events(STREAM, position)}
    for at in [None, 0, *sorted(moments)]:
        as_of = AsOf(effective=at, position=position)
        from_nothing, from_checkpoint = slow.states(STREAM, as_of), fast.states(STREAM, as_of)
        assert from_nothing.states == from_checkpoint.states, at
        assert from_nothing.digest == from_checkpoint.digest
        assert 0 == from_nothing.since
        spared += from_checkpoint.since
    return spared


@given(history=histories(), data=st.data())
def test_any_history_at_any_moment_as_known_at_any_position(history, data):
    with TemporaryDirectory() as folder, Book.in_memory() as book:
        for number, one in enumerate(data.draw(answers(history))):
            write(book, one, number)
            # The same file is carried along, so that older series are taken over.
            fast, slow = fast_and_slow(book, Path(folder) / "x.cache")
            assert_equal_everywhere(fast, slow, book.position())
            fast.checkpoints.close()
        fast, slow = fast_and_slow(book, Path(folder) / "x.cache")
        earlier = data.draw(st.integers(0, book.position()), label="known at")
        assert_equal_everywhere(fast, slow, earlier)
        fast.checkpoints.close()


@given(history=histories(), data=st.data())
def test_a_correction_after_checkpoints_were_made(history, data):
    with TemporaryDirectory() as folder, Book.in_memory() as book:
        write(book, part(history), 0)
        fast, slow = fast_and_slow(book, Path(folder) / "x.cache")
        assert_equal_everywhere(fast, slow, 1)
        wrong = data.draw(st.sampled_from(history))
        book.act([annulled(wrong, target=event_id(wrong))], recorded=Millis(9))
        assert_equal_everywhere(fast, slow, 2)
        assert_equal_everywhere(fast, slow, 1)
        fast.checkpoints.close()


def test_checkpoints_spare_most_of_the_work(tmp_path):
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, slow = fast_and_slow(book, tmp_path / "x.cache")
        assert assert_equal_everywhere(fast, slow, 1) > 0
        last = fast.states(STREAM, AsOf(position=1))
        assert (20, 16) == (last.count, last.since)


def test_later_history_takes_over_what_an_earlier_one_remembered(tmp_path):
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, _ = fast_and_slow(book, tmp_path / "x.cache")
        fast.states(STREAM, AsOf(position=1))
        write(book, long_history(20, first=20), 1)
        key = fast._key(STREAM, 2)
        groups = checkpoints_of(fast, 2)
        older = fast.checkpoints.reusable(key, groups)
        assert (4, fast._key(STREAM, 1)) == (older[1], older[0])
        _, slow = fast_and_slow(book, tmp_path / "y.cache")
        assert_equal_everywhere(fast, slow, 2)


def test_a_later_series_serves_earlier_knowledge_and_none_is_written(tmp_path):
    """Pages end inside a group, so that what a series keeps there is not yet known earlier."""
    path = tmp_path / "x.cache"
    with Book.in_memory() as book:
        for page in range(5):
            write(book, long_history(19, first=19 * page), page)
        fast, slow = fast_and_slow(book, path)
        fast.states(STREAM, AsOf(position=5))
        for known in (4, 2, 1, 3):
            assert assert_equal_everywhere(fast, slow, known) > 0
        assert 1 == series_in(path)


def test_a_series_that_was_put_out_meanwhile_is_made_again(tmp_path):
    path = tmp_path / "x.cache"
    with Book.in_memory() as book:
        for page in range(3):
            write(book, long_history(19, first=19 * page), page)
        fast, slow = fast_and_slow(book, path)
        fast.states(STREAM, AsOf(position=3))
        assert assert_equal_everywhere(fast, slow, 2) > 0
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("DELETE FROM series")
        connection.close()
        for known in (2, 3, 1):
            assert assert_equal_everywhere(fast, slow, known) > 0
        assert series_in(path) > 0


def series_in(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT count(*) FROM series").fetchone()[0]
    finally:
        connection.close()


def checkpoints_of(engine: Engine, position: int):
    from replay.engine import groups_of

    return groups_of(engine.course(STREAM, position), EVERY)


def spoil(path: Path, column: str) -> None:
    """Change one byte of every stored checkpoint."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"SELECT series, number, {column} FROM checkpoint").fetchall()
        for series, number, blob in rows:
            changed = blob[:-1] + bytes([blob[-1] ^ 1])
            connection.execute(
                f"UPDATE checkpoint SET {column}=? WHERE series=? AND number=?",
                (changed, series, number),
            )
    connection.close()


@pytest.mark.parametrize("column", ["state", "pieces", "digest"])
def test_a_changed_byte_is_noticed_and_made_again(tmp_path, column):
    path = tmp_path / "x.cache"
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, slow = fast_and_slow(book, path)
        fast.states(STREAM, AsOf(position=1))
        fast.checkpoints.close()
        spoil(path, column)
        again, _ = fast_and_slow(book, path)
        assert assert_equal_everywhere(again, slow, 1) > 0


def test_states_of_another_program_are_not_looked_at(tmp_path, monkeypatch):
    path = tmp_path / "x.cache"
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, _ = fast_and_slow(book, path)
        fast.states(STREAM, AsOf(position=1))
        key = fast._key(STREAM, 1)
        assert 5 == fast.checkpoints.count(key)
        fast.checkpoints.close()
        monkeypatch.setattr(checkpoints, "code_digest", lambda: "another")
        assert 0 == Checkpoints(path).count(key)


def test_states_that_used_other_metadata_are_not_looked_at(tmp_path):
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, _ = fast_and_slow(book, tmp_path / "x.cache")
        fast.states(STREAM, AsOf(position=1))
        import attrs

        other = attrs.evolve(fast._key(STREAM, 1), reference="other")
        assert fast.checkpoints.find(other, None) is None


def test_a_file_that_is_not_ours_is_left_alone(tmp_path):
    path = tmp_path / "x.cache"
    path.write_text("somebody's notes")
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, slow = fast_and_slow(book, path)
        assert 0 == assert_equal_everywhere(fast, slow, 1)
    assert "somebody's notes" == path.read_text()


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path):
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, slow = fast_and_slow(book, tmp_path / "missing" / "x.cache")
        assert 0 == assert_equal_everywhere(fast, slow, 1)


def test_a_torn_file_of_ours_is_made_again(tmp_path):
    path = tmp_path / "x.cache"
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        fast, slow = fast_and_slow(book, path)
        fast.states(STREAM, AsOf(position=1))
        fast.checkpoints.close()
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        again, _ = fast_and_slow(book, path)
        assert_equal_everywhere(again, slow, 1)


def test_another_process_that_writes_the_file_costs_time_only(tmp_path):
    path = tmp_path / "x.cache"
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        Checkpoints(path).count(Engine(book)._key(STREAM, 1))
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        fast, slow = fast_and_slow(book, path)
        assert 0 == assert_equal_everywhere(fast, slow, 1)
        holder.execute("ROLLBACK")
        holder.close()


def test_a_state_survives_being_written_down():
    with Book.in_memory() as book:
        write(book, long_history(20), 0)
        states = Engine(book).states(STREAM, AsOf()).states
        assert states == fold.decode(fold.encode(states))
