"""A read model that went on equals one made from nothing, whatever was recorded in which order.

Histories are imported slice by slice, late ones too, and corrected in between; after every step
the file is brought up to date. At the end each table and view, row by row, is that of a file made
from nothing. The comparison here reads the files with sqlite3 alone.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import importers
from ledger.book import Book
from ledger.codec import decode, encode, event_id
from ledger.entries import RawRecord, Reading
from ledger.events import (
    Annulled,
    Filled,
    ModeChanged,
    Noted,
    Opened,
    OpeningBalance,
    OpeningPosition,
    PriceObserved,
    Replaced,
    Unrecognized,
)
from ledger.seal import digest_of_record
from ledger.units import Digest, Millis, account_stream, market_stream
from replay.readmodel import walk
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    answers,
    deposited,
    filled,
    histories,
    part,
    replaced,
    web,
)
from tests.support.views import audit_of, dump, refreshed, sound

SEQUENCES = int(os.environ.get("ROLLFORWARD_VIEWS", "1"))
SEED = int(os.environ.get("ROLLFORWARD_SEED", "1"))
AUGUST = 1_785_744_000_000
CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
ACCOUNT = account_stream("0x5ca1ab1e000000000000000000000000ca5cade0")


def write(book: Book, parts, number: int) -> None:
    body = f"answer {number}".encode()
    record = RawRecord(name=f"{number}.json", body=body, digest=Digest(sha256(body).hexdigest()))
    book.append(record, Reading(kind="test", parts=tuple(parts)), recorded=Millis(1 + number))


def stretched(event):
    """The same event when a rulebook held, and a second later for every millisecond: for hours."""
    return attrs.evolve(event, at=Millis(AUGUST + (event.at - START) * 1000))


def around(data, history):
    """What else may be recorded somewhere in a history, and touches its figures from there on."""
    at = Millis(data.draw(st.sampled_from(history)).at + data.draw(st.integers(-2, 2)))
    own = {"stream": STREAM, "at": at}
    match data.draw(st.sampled_from(("mode", "price", "unknown", "opening", "web", "sent"))):
        case "mode":
            return part([ModeChanged(**own, mode="disabled", observed=True)])
        case "price":
            stream = market_stream("BTC")
            price = PriceObserved(
                stream=stream, at=at, coin="BTC", measure="mark", px=Decimal(101), via="test"
            )
            return attrs.evolve(part([price]), stream=stream)
        case "unknown":
            return part([Unrecognized(**own, venue_type="odd", body="{}", tx_hash=f"0x{at}")])
        case "opening":
            held = OpeningBalance(place="perp:", asset="USDC", amount=Decimal(7))
            sized = OpeningPosition(coin="ETH", size=Decimal(2), entry_notional=None)
            return part([Opened(**own, balances=(held,), positions=(sized,), author="Ana",
                                source="a state")], source="person")  # fmt: skip
        case "web":
            fills = [event for event in history if isinstance(event, Filled)]
            return part([web(event) for event in fills[:2]] or [deposited(at, 1)], source="web")
        case _:
            return part([deposited(at, 3, f"0x{at:x}")])


def corrected(data, book, history, number):
    """A correction of some event: it goes, or it was of another size or at another moment."""
    wrong = data.draw(st.sampled_from(history))
    name = event_id(wrong)
    if data.draw(st.booleans()):
        book.act([annulled(wrong, target=name)], recorded=Millis(1 + number))
        return
    right = attrs.evolve(
        wrong, at=Millis(wrong.at + data.draw(st.sampled_from((0, 0, -4000, 999))))
    )
    if isinstance(right, Filled):
        right = attrs.evolve(right, sz=right.sz + 1)
    book.act([replaced(wrong, target=name, by=encode(right))], recorded=Millis(1 + number))


@settings(max_examples=max(6, 8 * SEQUENCES))
@given(history=histories(max_size=16), data=st.data())
def test_a_file_that_went_on_equals_one_made_from_nothing(history, data):
    history = tuple(stretched(event) for event in history)
    with (
        TemporaryDirectory() as name,
        Book.in_memory() as book,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr(walk, "EVERY", 4)
        path = Path(name) / "x.views"
        for number, one in enumerate(data.draw(answers(history))):
            write(book, [one], number)
            match data.draw(st.sampled_from(("nothing", "correction", "around"))):
                case "correction":
                    corrected(data, book, history, number)
                case "around":
                    write(book, [around(data, history)], 1000 + number)
            if data.draw(st.booleans()):
                refreshed(audit_of(book, path.parent), path)
        refreshed(audit_of(book, path.parent), path)
        again = path.with_name("y.views")
        refreshed(audit_of(book, path.parent), again)
        sound(path)
        assert dump(again) == dump(path)


def pieces_of_the_bundled_history(chance: random.Random) -> list[bytes]:
    """Every bundled file cut into a few captures, all in any order."""
    found = []
    for file in sorted(CASCADE.glob("*.json")):
        rows = json.loads(file.read_text(encoding="utf-8"))
        cuts = sorted({0, len(rows), chance.randrange(len(rows) + 1)})
        found += [rows[a:b] for a, b in itertools.pairwise(cuts)]
    chance.shuffle(found)
    return [json.dumps(rows).encode() for rows in found]


def some_act(book: Book, chance: random.Random, number: int) -> None:
    """A person annuls a fill, corrects one, or remarks something."""
    events = [decode(line) for batch in book.batches(ACCOUNT) for line in batch.lines]
    fills = [event for event in events if isinstance(event, Filled)]
    at = Millis(number)
    if not fills or chance.random() < 0.3:
        then = Millis(1_785_800_000_000)
        book.act([Noted(stream=ACCOUNT, at=then, author="Ana", text="seen")], recorded=at)
        return
    wrong = chance.choice(fills)
    common = {"stream": ACCOUNT, "at": wrong.at, "target": event_id(wrong), "author": "Ana"}
    if chance.random() < 0.5:
        book.act([Annulled(**common, reason="not ours")], recorded=at)
    else:
        right = attrs.evolve(wrong, sz=wrong.sz * 2)
        book.act(
            [Replaced(**common, reason="read again", replacement=encode(right).decode())],
            recorded=at,
        )


@pytest.mark.parametrize("seed", range(SEED, SEED + SEQUENCES))
def test_margin_findings_and_all_go_on_as_well(seed, tmp_path, figure):
    """The bundled account, whose margin rests on markets, reserves and states beside it."""
    chance = random.Random(seed)
    path, again = tmp_path / "x.views", tmp_path / "y.views"
    bodies = pieces_of_the_bundled_history(chance)
    steps = [*sorted(chance.sample(range(1, len(bodies)), 2)), len(bodies)]
    with Book.in_memory() as book:
        for number, body in enumerate(bodies, 1):
            record = RawRecord(name=f"{number}.json", body=body, digest=digest_of_record(body))
            book.append(record, importers.read(record), recorded=Millis(number))
            if number in steps:
                some_act(book, chance, number)
                refreshed(audit_of(book, tmp_path), path)
        refreshed(audit_of(book, tmp_path), again)
    sound(path)
    found = dump(again)
    assert found == dump(path)
    assert len(found["hours"]) == len(found["margin_by_hour"]) > 50
    figure(
        line="6-4",
        text="read models that went on through imports in any order, equal to one made anew",
        value=f"1 order, {sum(map(len, found.values())):,} rows",
        is_part=True,
    )


@pytest.mark.parametrize("late", ["prices", "markets", "account"])
def test_what_margin_rests_on_may_come_late(late, tmp_path):
    path, again = tmp_path / "x.views", tmp_path / "y.views"
    names = [*sorted({file.stem for file in CASCADE.glob("*.json")} - {late}), late]
    with Book.in_memory() as book:
        for number, name in enumerate(names, 1):
            body = (CASCADE / f"{name}.json").read_bytes()
            record = RawRecord(name=name, body=body, digest=digest_of_record(body))
            book.append(record, importers.read(record), recorded=Millis(number))
            if name in names[-2:]:
                refreshed(audit_of(book, tmp_path), path)
        refreshed(audit_of(book, tmp_path), again)
    assert dump(again) == dump(path)


def test_a_continuation_folds_only_what_is_new(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "EVERY", 10)
    path = tmp_path / "x.views"
    with Book.in_memory() as book:
        for number in range(3):
            fills = [filled(START + n * 60_000, n) for n in range(number * 40, number * 40 + 40)]
            write(book, [part(fills)], number)
            work = refreshed(audit_of(book, tmp_path), path).work
            assert 40 == work.recorded
            assert (40 if number == 0 else 50) >= work.folded
        assert 0 == refreshed(audit_of(book, tmp_path), path).work.folded


def test_a_late_arrival_folds_from_its_own_moment_on(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "EVERY", 10)
    path, again = tmp_path / "x.views", tmp_path / "y.views"
    with Book.in_memory() as book:
        write(book, [part([filled(START + n * 60_000, n) for n in range(100)])], 0)
        refreshed(audit_of(book, tmp_path), path)
        write(book, [part([filled(START + 75 * 60_000 + 5, 1000)])], 1)
        work = refreshed(audit_of(book, tmp_path), path).work
        refreshed(audit_of(book, tmp_path), again)
    assert (1, 31) == (work.recorded, work.folded)  # from event 70 on, the checkpoint before it
    assert dump(again) == dump(path)


def test_a_price_after_the_last_hour_touches_no_account(tmp_path):
    path = tmp_path / "x.views"
    with Book.in_memory() as book:
        write(book, [part([filled(START + n * 60_000, n) for n in range(100)])], 0)
        refreshed(audit_of(book, tmp_path), path)
        price = PriceObserved(
            stream=market_stream("BTC"), at=Millis(START + 10**8), coin="BTC", measure="mark",
            px=Decimal(101), via="test",
        )  # fmt: skip
        write(book, [attrs.evolve(part([price]), stream=price.stream)], 1)
        work = refreshed(audit_of(book, tmp_path), path).work
    assert (1, 0, 0) == (work.recorded, work.folded, work.accounts)
