"""The slider is no other truth: whatever it answers, a fold from nothing answers."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book
from ledger.codec import event_id
from ledger.entries import AsOf
from ledger.units import Millis, stream_account
from replay.audit import AccountHistory, Audit
from replay.checkpoints import Checkpoints
from replay.engine import Engine
from replay.slider import Slider
from replay.slider.marks import FAMILIES
from tests.laws.test_checkpoint import write
from tests.support import oracle, statement_oracle
from tests.support.histories import STREAM, annulled, answers, histories
from tests.support.long_history import ACCOUNT as LONG_ACCOUNT
from tests.support.long_history import Long
from tests.support.long_history import write as write_long
from tests.support.route import LISTED
from tests.support.statement_books import audit_of, events_of, marks
from tests.support.statement_books import span as span_of
from tests.support.strategies import histories as venues
from tests.support.venue_rules import HOUR_MS

ACCOUNT = stream_account(STREAM)
EVERY = 4
EVENTS = int(os.environ.get("ROLLFORWARD_SLIDER_EVENTS", "6000"))
counted = settings(max_examples=int(os.environ.get("ROLLFORWARD_STATEMENTS", "25")))


def history_of(book: Book, engine: Engine) -> AccountHistory:
    return AccountHistory(audit=Audit(Path("x.book"), engine), account=ACCOUNT)


def naive_neighbours(moments: list[int], at: int) -> tuple[int | None, int | None]:
    before, after = None, None
    for moment in moments:
        if moment < at:
            before = moment
        if moment > at and after is None:
            after = moment
    return before, after


def assert_the_same(slider: Slider, plain: AccountHistory, at: int) -> None:
    ours, slow = slider.at(at), plain.at(at, slider.position)
    assert 0 == slow.folded.since
    assert (slow.digest, slow.to_dict()) == (ours.digest, ours.to_dict())
    assert slow.digest == slider.digest(at)
    assert str(slow) == str(ours)


@given(history=histories(), data=st.data())
def test_any_instant_as_known_at_any_position_is_a_fold_from_nothing(history, data):
    with TemporaryDirectory() as folder, Book.in_memory() as book:
        for number, one in enumerate(data.draw(answers(history))):
            write(book, one, number)
        if data.draw(st.booleans(), label="corrected"):
            wrong = data.draw(st.sampled_from(history))
            book.act([annulled(wrong, target=event_id(wrong))], recorded=Millis(99))
        kept = Checkpoints(Path(folder) / "x.cache")
        fast = history_of(book, Engine(book, kept, every=EVERY, worth_from=1))
        plain = history_of(book, Engine(book))
        for position in data.draw(st.lists(st.integers(0, book.position()), max_size=3)):
            slider = Slider(fast, position)
            moments = [each.at for each in plain.audit.engine.events(STREAM, position)]
            assert (moments[0], moments[-1]) == slider.span if moments else slider.span is None
            around = st.sampled_from([0, *(each.at for each in history)])
            for at in data.draw(st.lists(around, min_size=1, max_size=4)):
                asked = max(0, at + data.draw(st.integers(-1, 1)))
                assert_the_same(slider, plain, asked)
                assert naive_neighbours(moments, asked) == slider.neighbours(asked)
                step = slider.step(asked)
                assert sum(each == asked for each in moments) == step.together
                assert sum(each <= asked for each in moments) == step.by_then
                assert step.previous_hour is None or step.previous_hour < asked
                assert step.next_hour is None or step.next_hour > asked
        kept.close()


@given(history=histories(), data=st.data())
def test_walking_through_instants_is_asking_for_each(history, data):
    with TemporaryDirectory() as folder, Book.in_memory() as book:
        for number, one in enumerate(data.draw(answers(history))):
            write(book, one, number)
        kept = Checkpoints(Path(folder) / "x.cache")
        plain = Engine(book)
        moments = sorted(data.draw(st.lists(st.sampled_from([each.at for each in history]))))
        for engine in (Engine(book, kept, every=EVERY, worth_from=1), plain):
            walked = list(engine.through(STREAM, book.position(), moments))
            assert moments == [at for at, _ in walked]
            for at, folded in walked:
                asked = AsOf(effective=at, position=book.position())
                assert plain.states(STREAM, asked).states == folded.states
        kept.close()


@given(history=histories(), data=st.data())
def test_marks_count_every_event_of_their_families_once(history, data):
    with Book.in_memory() as book:
        for number, one in enumerate(data.draw(answers(history))):
            write(book, one, number)
        engine = Engine(book)
        told = Slider(history_of(book, engine)).marks
        events = list(engine.events(STREAM, book.position()))
        for family in ("fills", "transfers"):
            wanted = [each for each in events if FAMILIES.get(type(each)) == family]
            ours = [mark for mark in told if mark.family == family]
            assert len(wanted) == sum(mark.count for mark in ours)
            assert {each.at for each in wanted} >= {mark.ms for mark in ours}
            assert {event_id(each) for each in wanted} >= {mark.event for mark in ours}
        assert sorted(told, key=lambda mark: mark.ms) == list(told)


@counted
@given(venue=venues())
def test_lanes_are_what_a_second_hand_makes_of_the_rows(venue):
    """Equity, supplied, borrowed and positions beside a calculator that imports nothing of ours."""
    if not venue.rows:
        return
    first, last = span_of(venue)
    prices = marks(venue.seed, first - 400 * HOUR_MS, last + HOUR_MS)
    history = audit_of({venue.account: events_of(venue)}, prices).account(venue.account)
    lanes = Slider(history).lanes(60)
    told, rows = oracle.Answer(), list(venue.rows)
    for number, at in enumerate(lanes.times):
        while rows and rows[0].time <= at:
            row = rows.pop(0)
            oracle.take(told, row.family, row.body, venue.account, LISTED)

        def worth(of: dict, at: int = at) -> Fraction | None:
            try:
                return sum(
                    (each * statement_oracle.price(prices, LISTED, thing, at)
                     for thing, each in of.items() if each), Fraction(0),
                )  # fmt: skip
            except statement_oracle.Unpriced:
                return None

        def at_place(place: str) -> Fraction | None:
            found = {
                asset: amount for (where, asset), amount in told.balances.items() if where == place
            }
            total = worth(found)
            return None if total is None else abs(total)

        assert worth(statement_oracle.held(told)) == lanes.equity[number]
        assert at_place("supplied") == lanes.supplied[number]
        assert at_place("borrowed") == lanes.borrowed[number]
        for coin, values in lanes.positions.items():
            size = told.positions.get(coin, (Fraction(0),))[0]
            assert worth({f"{coin}-PERP": size}) == values[number]
    for lane in lanes.lanes:
        unknown = {at for at, value in zip(lanes.times, lane.values, strict=True) if value is None}
        told_of = {
            at for at in lanes.times for cause in lane.causes if cause.since <= at <= cause.until
        }
        assert unknown == told_of
        assert all(cause.text for cause in lane.causes)


def test_random_positions_of_a_long_book_are_full_folds(tmp_path):
    """The figure of the benchmark in small: every answer, its digest and its tables."""
    path = tmp_path / "long.book"
    write_long(path, Long(seed=3, events=EVENTS, every=EVENTS // 4))
    with Audit.open(path) as audit, Audit.open(path, cache=False) as other:
        slider, plain = Slider(audit.account(LONG_ACCOUNT)), other.account(LONG_ACCOUNT)
        chance = random.Random(5)
        ordinals = chance.sample(range(slider.steps.count), 40)
        moments = [slider.steps.moment(ordinal) for ordinal in ordinals]
        ours = {at: slider.at(at) for at in moments}
        assert len(moments) == len({instant.digest for instant in ours.values()})
        assert any(instant.folded.since for instant in ours.values())
        slow = dict(plain.audit.engine.through(plain.stream, slider.position, sorted(moments)))
        assert {at: each.digest for at, each in slow.items()} == {
            at: instant.digest for at, instant in ours.items()
        }
        for at in moments[:4]:
            assert_the_same(slider, plain, at)
