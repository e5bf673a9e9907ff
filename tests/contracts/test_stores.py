"""What every store promises, asked of each of them alike."""

from __future__ import annotations

import attrs
import pytest

from ledger import seal
from ledger.archive import Archived
from ledger.archive import row_of as record_row
from ledger.codec import encode, identity
from ledger.entries import Header
from ledger.errors import StoreFailed
from ledger.stores import Addition, BatchRow, RecordRow, Size, form
from ledger.stores.memory import MemoryStore
from ledger.stores.sqlite import create
from tests.support.books import STREAM, paid


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else create(tmp_path / "a.book", wait_ms=0)
    yield made
    made.close()


LINES = [encode(paid(hour)) for hour in range(3)]
IDS = [identity(paid(hour)) for hour in range(3)]


def batch(position: int, version: int, stream: str = STREAM) -> BatchRow:
    joined = b"\n".join(LINES)
    header = Header(
        schema=1,
        stream=stream,
        version=version,
        position=position,
        recorded=5,
        source="api",
        record=None,
        answer="",
        rows=((0, 1, 3),),
        covers=(),
        count=3,
        first_at=1,
        last_at=2,
        irregular=False,
        lines=seal.digest_of_lines(joined, 3),
        previous="",
    )
    return form.row_of(header, joined)


def raw(number: int, body: bytes = b"[]") -> RecordRow:
    entry = Archived(
        number=number,
        digest=seal.digest_of_record(body),
        size=len(body),
        name="a.json",
        kind="userFunding",
        fetched=None,
        recorded=5,
        previous="",
    )
    return record_row(entry, body)


def addition(*batches: BatchRow, record: RecordRow | None = None) -> Addition:
    index = tuple(form.index_of(row.position, LINES, IDS) for row in batches)
    return Addition(batches=batches, index=index, record=record)


def sealer(number: int, position: int = 1):
    def made(states):
        head = seal.Head(stream=STREAM, version=1, digest="ab" * 32)
        first = seal.seal(after=None, position=position, records=0, heads=[head])
        return attrs.evolve(first, number=number)

    return made


def test_a_new_store_is_empty(store):
    assert Size(batches=0, records=0, seals=0) == store.size() == store.counted()
    assert [] == list(store.header_lines(0)) == list(store.entry_lines(0)) == list(store.indexes())
    assert store.batch(1) is store.record(1) is store.seal(1) is store.index(1) is None
    assert () == store.structure()


def test_what_was_added_is_read_back_as_it_was(store):
    one, two, record = batch(1, 1), batch(2, 1, "venue"), raw(1)
    store.append(addition(one, two, record=record), sealer(1))
    assert [one, two] == [store.batch(1), store.batch(2)]
    assert record == store.record(1)
    assert sealer(1)([]) == store.seal(1)
    assert [form.index_of(1, LINES, IDS), form.index_of(2, LINES, IDS)] == list(store.indexes())
    assert form.index_of(2, LINES, IDS) == store.index(2)
    assert [form.split(one.state)[0], form.split(two.state)[0]] == list(store.header_lines(0))
    assert [form.split(two.state)[0]] == list(store.header_lines(1))
    assert [record.entry] == list(store.entry_lines(0))
    assert Size(batches=2, records=1, seals=1) == store.size() == store.counted()
    assert () == store.structure()


def test_the_seal_is_made_of_what_the_store_reads_back(store):
    shown = []

    def look(states):
        shown.extend(states)
        return sealer(1)(states)

    store.append(addition(batch(1, 1)), look)
    assert [batch(1, 1).state] == shown


def test_a_header_longer_than_a_page_is_read_whole(store):
    row = batch(1, 1)
    line, frame = form.split(row.state)
    header = attrs.evolve(form.read_header(line), answer="x" * 9000)
    long = attrs.evolve(row, state=form.header_line(header) + b"\n" + frame)
    store.append(addition(long), sealer(1))
    assert [form.header_line(header)] == list(store.header_lines(0))


@pytest.mark.parametrize(
    "wrong",
    [
        addition(batch(2, 1)),
        addition(batch(1, 2)),
        addition(batch(1, 1), batch(3, 2)),
        addition(batch(1, 1), batch(2, 1)),
        addition(batch(1, 1), record=raw(2)),
    ],
    ids=["position", "version", "gap", "twice", "record"],
)
def test_whatever_is_out_of_order_is_refused_whole(store, wrong):
    with pytest.raises(StoreFailed):
        store.append(wrong, sealer(1))
    if isinstance(store, MemoryStore):
        assert Size(batches=0, records=0, seals=0) == store.size()


def test_a_record_is_kept_once(store):
    store.append(addition(record=raw(1)), sealer(1))
    with pytest.raises(StoreFailed):
        store.append(addition(record=raw(2)), sealer(2))


def test_a_seal_out_of_order_takes_everything_with_it(store):
    with pytest.raises(StoreFailed):
        store.append(addition(batch(1, 1)), sealer(2))
    if isinstance(store, MemoryStore):
        assert Size(batches=0, records=0, seals=0) == store.size()


def test_nothing_is_added_when_no_seal_can_be_made(store):
    class Refused(Exception):
        pass

    def refuse(states):
        raise Refused

    with pytest.raises(Refused):
        store.append(addition(batch(1, 1), record=raw(1)), refuse)
    if isinstance(store, MemoryStore):
        assert Size(batches=0, records=0, seals=0) == store.size()


def test_the_index_can_be_put_anew(store):
    store.append(addition(batch(1, 1)), sealer(1))
    other = form.index_of(1, LINES[::-1], IDS[::-1])
    store.reindex([other])
    assert [other] == list(store.indexes())


def test_batches_are_the_library_s_stored_events(store):
    store.append(addition(batch(1, 1), batch(2, 1, "venue")), sealer(1))
    store.append(addition(batch(3, 2)), sealer(2))
    recorder = store.recorder
    assert [1, 2] == [event.originator_version for event in recorder.select_events(STREAM)]
    assert [batch(3, 2).state] == [event.state for event in recorder.select_events(STREAM, gt=1)]
    assert [2, 1] == [e.originator_version for e in recorder.select_events(STREAM, desc=True)]
    seen = recorder.select_notifications(2, 10)
    assert [(2, "venue"), (3, STREAM)] == [(note.id, note.originator_id) for note in seen]
    seen = recorder.select_notifications(2, 10, inclusive_of_start=False)
    assert [3] == [note.id for note in seen]
    assert [1, 2] == [note.id for note in recorder.select_notifications(None, 10, stop=2)]
    assert [1] == [note.id for note in recorder.select_notifications(None, 1, topics=["batch/1"])]
    assert [] == recorder.select_notifications(None, 10, topics=["else"])
    assert 3 == recorder.max_notification_id()
    assert {"batch/1"} == {event.topic for event in recorder.select_events("venue")}
