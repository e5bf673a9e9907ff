"""Exported events come back: as they were, in the order they had, and never changed unnoticed."""

from __future__ import annotations

import csv
import io
import json
import os
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import cells
from ledger.codec import encode, event_digest, event_id, tag_of
from ledger.entries import RawRecord
from ledger.errors import MalformedRecord, RefusedFile
from ledger.events import Noted
from ledger.fields import fields_of
from ledger.importers import exported, read
from ledger.kinds import KINDS
from ledger.seal import digest_of_record
from ledger.units import account_stream
from tests.support.exports import (
    ACCOUNT,
    again,
    bundled,
    digests,
    of_events,
    of_parts,
    simulated,
    written,
)
from tests.support.histories import (
    START,
    annulled,
    cut_histories,
    deposited,
    filled,
    part,
    replaced,
)
from tests.support.strategies import instances

BOOKS = int(os.environ.get("ROLLFORWARD_EXPORTS", "10"))
FORMS = pytest.mark.parametrize("form", ["csv", "jsonl"])


@pytest.fixture(scope="module")
def story():
    return bundled()


def reading(body: bytes):
    return read(RawRecord(name="export", body=body, digest=digest_of_record(body)))


# ------------------------------------------------------------------------ whole books


@FORMS
def test_the_bundled_book_comes_back_with_every_digest(story, form, figure):
    body = written(story, form, is_whole=True)
    other, found = again(body)
    assert () == found.unreadable
    assert digests(story) == digests(other)
    assert body == written(other, form, is_whole=True)
    figure(
        line="6-4",
        text=f"streams of the bundled book that {form} brings back, digest by digest",
        value=f"{len(digests(other))} of {len(digests(story))}",
    )


@FORMS
def test_random_accounts_come_back_with_every_digest(form, figure):
    events = 0
    for seed in range(BOOKS):
        book = simulated(seed, 40)
        other, found = again(written(book, form, is_whole=True))
        assert () == found.unreadable
        assert digests(book) == digests(other), seed
        events += sum(len(part.events) for part in found.parts)
    figure(
        line="6-4",
        text=f"random books that {form} brings back, digest by digest",
        value=f"{BOOKS} of {BOOKS}, {events:,} events",
    )


@settings(max_examples=40)
@given(cut=cut_histories(), data=st.data())
def test_what_corrections_and_overlapping_answers_made_of_a_history_comes_back(cut, data):
    history, parts = cut
    targets = data.draw(st.lists(st.sampled_from(history), max_size=3, unique_by=event_id))
    acts = []
    for number, target in enumerate(targets):
        if data.draw(st.booleans()):
            acts.append(annulled(target, target=event_id(target)))
        else:
            other = deposited(target.at + data.draw(st.integers(0, 1)), "7", f"0xff{number:02x}")
            acts.append(replaced(target, target=event_id(target), by=encode(other)))
    book = of_parts(parts, acts)
    for form in ("csv", "jsonl"):
        other, found = again(written(book, form))
        assert () == found.unreadable
        timelines = {stream: told for stream, told in digests(book).items() if found.parts}
        assert timelines == digests(other)


@FORMS
def test_a_part_of_a_history_is_exactly_what_happened_between(story, form):
    since, until = 1_785_800_000_000, 1_785_900_000_000
    _, found = again(written(story, form, since=since, until=until))
    stream = account_stream(ACCOUNT)
    wanted = [
        event
        for event in story.engine.events(stream, story.position())
        if since <= event.at <= until
    ]
    assert wanted
    assert [tuple(wanted)] == [part.events for part in found.parts]


def test_what_was_known_earlier_is_exported_as_it_was_known():
    first, late = filled(START + 5, 1), filled(START, 2)
    book = of_parts([part([first]), part([late])], [annulled(first, target=event_id(first))])
    known = [written(book, "jsonl", position=position) for position in (0, 1, 2, 3)]
    lines = [line + b"\n" for line in (encode(first), encode(late))]
    assert [b"", lines[0], lines[1] + lines[0], lines[1]] == known


def test_an_export_adds_nothing_to_the_book_it_came_from(story):
    before = digests(story)
    other, _ = again(written(story, "jsonl", is_whole=True))
    body = written(story, "csv", is_whole=True)
    record = RawRecord(name="again.csv", body=body, digest=digest_of_record(body))
    receipt = other.book.append(record, read(record), recorded=2)
    assert 0 == receipt.new
    assert 0 == receipt.conflicting
    assert before == digests(other)


# ------------------------------------------------------------------------------- rows


def row_of(line: bytes) -> dict[str, str]:
    """Return the cells of an event by column, as an export writes them."""
    values = cells.values_of(line)
    return {f.name: cells.written(f, values[f.name]) for f in fields_of(tag_of(line))}


@pytest.mark.parametrize("tag", sorted(KINDS))
@settings(max_examples=8)
@given(data=st.data())
def test_every_kind_comes_back_from_a_row(tag, data):
    line = encode(data.draw(instances(KINDS[tag].event_class)))
    row = row_of(line)
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerow(["kept", *row.values()])
    text = target.getvalue().removesuffix("\n")
    assert text.isprintable()
    assert ["kept", *row.values()] == exported.split(text)
    assert line == cells.line_of(tag, row)


@settings(max_examples=50)
@given(data=st.data())
def test_no_text_of_a_row_is_a_formula(data):
    tag = data.draw(st.sampled_from(sorted(set(KINDS) - exported.BOOK_KEEPING)))
    event = data.draw(instances(KINDS[tag].event_class))
    names = {field.name for field in fields_of(tag) if field.holds == "text"}
    for name, cell in row_of(encode(event)).items():
        if name in names:
            is_sign = cell[:1] in {"+", "-"} and cell[1:].replace(".", "", 1).isdigit()
            assert cell[:1] not in set("=+-@\t\r") or is_sign


def test_a_note_that_tries_to_be_a_formula_is_text_and_comes_back():
    texts = ['=HYPERLINK("x")', "@SUM(A1)", "+1+1", "-2+3", "'quoted", '"', "a\nb", "", " x "]
    notes = [
        Noted(stream=account_stream(ACCOUNT), at=START + number, author="ada", text=text)
        for number, text in enumerate(texts)
    ]
    body = written(of_events(*notes), "csv")
    shown = [row["text"] for row in csv.DictReader(io.StringIO(body.decode()))]
    assert not [cell for cell in shown if cell[:1] in set("=+-@")]
    assert texts == [event.text for part in again(body)[1].parts for event in part.events]


def test_an_amount_is_never_guarded():
    body = written(of_events(deposited(START, "-5")), "csv")
    (row,) = csv.DictReader(io.StringIO(body.decode()))
    assert "-5" == row["usdc"]


@pytest.mark.parametrize(
    ("column", "changed"),
    [("usdc", "100.5"), ("usdc", "100.0"), ("usdc", "1E+2"), ("usdc", ""), ("at", "1"),
     ("tx_hash", "0x02"), ("kind", "withdrawn/1"), ("kind", "nothing/1"), ("digest", ""),
     ("event", "00"), ("occurrence", "1"), ("stream", "account:0x01"), ("at", "1.7E+12")],
)  # fmt: skip
def test_a_row_that_was_changed_goes_to_quarantine(column, changed):
    body = written(of_events(deposited(START, "100"), deposited(START + 1, "1", "0x09")), "csv")
    rows = [*csv.DictReader(io.StringIO(body.decode()))]
    rows[0][column] = changed
    target = io.StringIO()
    writer = csv.DictWriter(target, rows[0].keys(), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    found = reading(target.getvalue().encode())
    assert ["line 2"] == [row.place for row in found.unreadable]
    assert [1] == [len(part.events) for part in found.parts]


def test_a_table_with_columns_of_its_own_is_refused():
    body = written(of_events(deposited(START, "100")), "csv")
    with pytest.raises(RefusedFile, match="none of an export's"):
        reading(body.replace(b"usdc", b"dollars", 1))
    with pytest.raises(RefusedFile, match="byte order mark"):
        reading(b"\xef\xbb\xbf" + body)


# ------------------------------------------------------------------------------ lines


def line_with(**changes: object) -> bytes:
    values = json.loads(encode(deposited(START, "100")))
    return json.dumps(values | changes, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "line",
    [line_with(usdc="100.0"), line_with(usdc="NaN"), line_with(usdc="1E+999999999"),
     line_with(usdc="9" * 40), line_with(usdc=100), line_with(at=-1), line_with(at=10**15),
     line_with(more="x"), line_with(stream="book"), line_with(stream="desk"),
     line_with(stream="account:0xAB"), line_with(stream="archive"),
     b'{"@":"annulled/1","at":1}', b'{"@":"unheard_of/1","at":1}', b'{"@":"deposited/1"',
     encode(annulled(deposited(START, "1"), target="0" * 32)),
     encode(deposited(START, "100")).replace(b'"usdc"', b' "usdc"')],
)  # fmt: skip
def test_a_line_no_export_has_goes_to_quarantine(line):
    good = encode(deposited(START, "1", "0x09"))
    found = reading(good + b"\n" + line + b"\n")
    assert ["line 2"] == [row.place for row in found.unreadable]
    assert [(good,)] == [tuple(map(encode, part.events)) for part in found.parts]


@settings(max_examples=300)
@given(text=st.text(max_size=60))
def test_only_a_malformed_record_escapes_from_a_line(text):
    for tried in (f'{{"@":"{text}', f'{{"@":"deposited/1",{text}}}'):
        with pytest.raises(MalformedRecord):
            exported.sound(tried.encode("utf-8", "surrogatepass"))


def test_what_the_venue_says_otherwise_is_not_overruled_by_an_export():
    """A copy with another amount contradicts; the first record stays in force."""
    of_venue = deposited(START, "100")
    book = of_events(of_venue)
    body = encode(attrs.evolve(of_venue, usdc=Decimal(999))) + b"\n"
    record = RawRecord(name="copy.jsonl", body=body, digest=digest_of_record(body))
    receipt = book.book.append(record, read(record), recorded=2)
    assert (0, 1) == (receipt.new, receipt.conflicting)
    (only,) = book.engine.events(of_venue.stream, book.position())
    assert Decimal(100) == only.usdc


def test_the_digest_of_a_row_is_that_of_its_line():
    event = deposited(START, "100")
    body = written(of_events(event), "csv")
    (row,) = csv.DictReader(io.StringIO(body.decode()))
    assert (event_id(event), event_digest(encode(event))) == (row["event"], row["digest"])
