"""The slider: where it may stand, what lines say, and what they leave out."""

from __future__ import annotations

import json
import threading
from decimal import Decimal
from pathlib import Path

import pytest

import replay
from ledger.book import Book
from ledger.errors import UnclearQuestion
from ledger.units import Millis, stream_account
from replay.audit import AccountHistory, Audit
from replay.engine import Engine
from replay.margin import Assembler, Question
from replay.margin_timeline import point_of
from replay.moments import iso, parse_moment
from replay.slider import Slider, UnderWay
from replay.slider.points import points
from replay.worth import Market
from tests.laws.test_checkpoint import write
from tests.support.histories import START, STREAM, deposited, filled, part
from tests.support.margin_books import ACCOUNT, cascade

D = Decimal
HOUR = 3_600_000
LIQUIDATED = parse_moment("2026-08-05T14:40:00.350Z")


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    with replay.open(cascade(tmp_path_factory.mktemp("cascade"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def slider(audit):
    return Slider(audit.account(ACCOUNT))


@pytest.fixture(scope="module")
def lanes(slider):
    return slider.lanes()


def of(*events, recorded=1) -> Slider:
    """Return the slider of a book of these events, all in one record."""
    book = Book.in_memory()
    if events:
        write(book, part(events), recorded)
    history = AccountHistory(
        audit=Audit(Path("x.book"), Engine(book)), account=stream_account(STREAM)
    )
    return Slider(history)


# ------------------------------------------------------------------------- where it may stand


def test_it_stands_at_events_and_at_full_hours(slider):
    first, last = slider.span
    assert "2026-08-03T08:00:05.123Z" == iso(first)
    assert slider.neighbours(first)[0] is None
    assert slider.neighbours(last)[1] is None
    before = slider.step(first)
    assert "2026-08-03T08:00:00.000Z" == iso(before.previous_hour)
    assert "2026-08-03T09:00:00.000Z" == iso(before.next_hour)


def test_stepping_from_event_to_event_meets_every_one_of_them(audit, slider):
    events = list(audit.engine.events(slider.history.stream, slider.position))
    at, met, steps = slider.span[0], 0, 0
    while at is not None:
        step = slider.step(at)
        met += step.together
        assert met == step.by_then
        assert step.together > 0
        at, steps = step.next, steps + 1
    assert len(events) == met
    assert len({event.at for event in events}) == steps


def test_stepping_hour_by_hour_goes_from_end_to_end_and_back(slider):
    first, last = slider.span
    at, hours = first - 1, []
    while (at := slider.step(at).next_hour) is not None:
        hours.append(at)
    ends = last - last % HOUR + HOUR
    assert list(range(first - first % HOUR + HOUR, ends + HOUR, HOUR)) == hours
    at, back = hours[-1] + 1, []
    while (at := slider.step(at).previous_hour) is not None:
        back.append(at)
    assert hours[::-1] == back[: len(hours)]


def test_events_of_one_millisecond_are_one_step_that_says_how_many():
    slider = of(deposited(START, 5, "0x01"), deposited(START, 6, "0x02"), filled(START + 9, 1))
    step = slider.step(START)
    assert (2, 2, None, START + 9) == (step.together, step.by_then, step.previous, step.next)
    between = slider.step(START + 4)
    assert (0, 2, START, START + 9) == (
        between.together, between.by_then, between.previous, between.next,
    )  # fmt: skip


def test_before_the_first_event_and_after_the_last():
    slider = of(deposited(START, 5, "0x01"), filled(START + 9, 1))
    assert (0, (None, START)) == (slider.at(START - 1).folded.count, slider.neighbours(START - 1))
    assert (0, (None, START)) == (slider.at(0).folded.count, slider.neighbours(0))
    later = START + 99 * HOUR
    assert (2, (START + 9, None)) == (slider.at(later).folded.count, slider.neighbours(later))
    assert slider.digest(START + 9) == slider.digest(later)
    assert slider.step(later).next_hour is None
    assert slider.step(later).previous_hour == slider.steps.hours[1]
    assert slider.step(0).next_hour == slider.steps.hours[0]


def test_an_account_of_one_event():
    slider = of(deposited(START, 5, "0x01"))
    assert (START, START) == slider.span
    assert (None, None) == slider.neighbours(START)
    lanes = slider.lanes()
    assert {START} <= set(lanes.times)
    assert {D(5)} == set(lanes.equity)
    assert ["deposit 5 USDC"] == [mark.what for mark in slider.marks]


def test_an_account_of_which_nothing_is_known_yet():
    slider = of()
    assert slider.span is None
    assert (None, None) == slider.neighbours(START)
    step = slider.step(START)
    assert (0, 0, None, None) == (
        step.together, step.by_then, step.previous_hour, step.next_hour,
    )  # fmt: skip
    assert () == slider.marks == slider.lanes().times
    assert 0 == slider.at(START).folded.count
    told = slider.lanes().to_json_ready(slider.marks)
    assert [] == told["times"]
    assert all([] == lane["values"] for lane in told["lanes"])


def test_known_before_anything_was_recorded(audit):
    early = Slider(audit.account(ACCOUNT), 0)
    assert early.span is None
    assert 0 == early.at(LIQUIDATED).folded.count
    assert () == early.lanes().times


def test_a_late_arrival_is_a_step_only_for_those_who_know_of_it():
    slider = of(deposited(START, 5, "0x01"), deposited(START + 9, 1, "0x02"))
    book = slider.history.audit.book
    write(book, part([deposited(START + 4, 7, "0x03")]), 2)
    assert START + 9 == slider.neighbours(START)[1]
    later = Slider(slider.history)
    assert START + 4 == later.neighbours(START)[1]
    assert slider.digest(START + 3) == later.digest(START + 3)
    assert slider.digest(START + 4) != later.digest(START + 4)


# ------------------------------------------------------------------------- lines


def test_lines_are_what_the_same_instants_say_when_they_are_asked_alone(audit, lanes):
    history = audit.account(ACCOUNT)
    of = Assembler(history, audit.position(), Question())
    seen = 0
    for number, at in list(enumerate(lanes.times))[::9]:
        instant = history.at(at)
        assert instant.folded.count == lanes.events[number]
        market = Market(audit.engine, at, audit.position())
        equity = market.equity(instant.states, of.reference, audit.position(), None)
        assert equity == lanes.equity[number]
        try:
            point = point_of(of.at(at))
        except UnclearQuestion:
            assert lanes.ratio[number] is None
            continue
        assert point.ratio == lanes.ratio[number]
        assert D("0.95") == lanes.limit[number]
        seen += 1
    assert seen > 20


def test_lines_show_the_liquidation_and_what_went_before(lanes):
    """4,500 HYPE were closed; at the price of that minute the ratio had passed its limit."""
    at = lanes.times.index(LIQUIDATED)
    before = at - 1
    assert LIQUIDATED - 1 == lanes.times[before]
    assert lanes.ratio[before] > lanes.limit[before] == D("0.95")
    assert lanes.ratio[at] < lanes.limit[at]
    assert lanes.positions["HYPE"][before] > 0 == lanes.positions["HYPE"][at]
    assert lanes.borrowed[before] > 4000
    assert lanes.equity[before] > 0


def test_what_is_not_known_is_no_number_and_has_a_cause(lanes):
    ratio = lanes.lane("ratio")
    (cause,) = ratio.causes
    assert "no mode is recorded" in cause.text
    until = lanes.times.index(cause.until)
    assert all(value is None for value in ratio.values[: until + 1])
    assert all(value is not None for value in ratio.values[until + 1 :])


def test_there_are_never_more_points_than_asked_for(slider):
    for count in (16, 40, 100, 600):
        drawn = slider.lanes(count)
        assert len(drawn.times) <= count
        assert sorted(set(drawn.times)) == list(drawn.times)
        assert set(slider.span) <= set(drawn.times)
        assert {LIQUIDATED - 1, LIQUIDATED} <= set(drawn.times)
    assert 16 >= len(slider.lanes(1).times)


def test_a_line_says_what_is_drawn_and_how_many_events_lie_between(slider):
    whole, thin = slider.lanes(600), slider.lanes(40)
    assert any("every event" in note and "every full hour" in note for note in whole.notes)
    assert any("events spread evenly" in note for note in thin.notes)
    assert whole.events[-1] == thin.events[-1] == slider.steps.count
    assert list(thin.events) == sorted(thin.events)


def test_long_histories_are_drawn_at_hours_apart():
    events = [deposited(START + number * HOUR // 4, 1, f"0x{number:03x}") for number in range(3000)]
    slider = of(*events)
    drawn = points(slider.steps, slider.marks, (), 100)
    assert len(drawn.moments) <= 100
    assert 12 == drawn.hours_apart
    assert not drawn.is_every_event
    assert "every 12 hours" in drawn.said()


def test_many_events_are_marked_together():
    events = [deposited(START + number * 1000, 1, f"0x{number:03x}") for number in range(1000)]
    marks = of(*events).marks
    assert 2 < len(marks) <= 240
    assert 1000 == sum(mark.count for mark in marks)
    assert all(mark.until >= mark.ms for mark in marks)


def test_the_liquidation_is_marked_with_its_event(audit, slider):
    (mark,) = [mark for mark in slider.marks if mark.family == "liquidation"]
    assert "liquidation L-1: -4500 HYPE" == mark.what
    entry = audit.account(ACCOUNT).entry(mark.event)
    assert mark.ms == entry.event.at == LIQUIDATED


def test_another_belief_is_drawn_as_a_ghost(audit, slider):
    ghost = slider.ghost(1)
    assert 1 == ghost.position
    own = Slider(audit.account(ACCOUNT), 1)
    assert own.lanes() == ghost
    assert ghost != slider.lanes()
    assert slider.ghost(slider.position) == slider.lanes()


def test_what_a_drawing_gets_is_small_and_amounts_to_be_read_are_text(slider, lanes):
    told = lanes.to_json_ready(slider.marks)
    text = json.dumps(told, separators=(",", ":"))
    assert len(text.encode()) < 200_000
    assert json.loads(text) == told
    assert [at / 1000 for at in lanes.times] == told["times"]
    equity = next(lane for lane in told["lanes"] if lane["name"] == "equity")
    assert "10535.44502125" == equity["last"]["value"]
    assert isinstance(equity["highest"]["value"], str)
    assert all(value is None or isinstance(value, float) for value in equity["values"])
    for drawn, value in zip(equity["values"], lanes.equity, strict=True):
        assert abs(D(drawn) - value) <= abs(value) * D("1e-6")
    ratio = next(lane for lane in told["lanes"] if lane["name"] == "ratio")
    assert ratio["unknown"][0]["cause"].startswith("unknown: ")


def test_lines_are_drawn_in_slices_and_other_questions_are_answered_in_between(audit, lanes):
    slider = Slider(audit.account(ACCOUNT))
    begun = slider.begun()
    slices = 0
    while (drawn := begun.go_on()) is None:
        slices += 1
        assert slider.digest(LIQUIDATED) == slider.at(LIQUIDATED).digest
    assert slices > len(lanes.times) // 20
    assert lanes == drawn == begun.go_on() == slider.lanes()
    assert slider.begun() is begun


def test_a_drawing_that_was_broken_off_begins_anew(lanes):
    tries = []

    def work():
        tries.append(1)
        yield
        if len(tries) == 1:
            raise KeyboardInterrupt
        return lanes

    begun = UnderWay(work)
    assert begun.go_on() is None
    with pytest.raises(KeyboardInterrupt):
        begun.go_on()
    assert begun.go_on() is None
    assert lanes == begun.go_on()
    assert 2 == len(tries)


# ------------------------------------------------------------------------- several who ask


def test_several_threads_may_ask_one_slider(tmp_path):
    with replay.open(cascade(tmp_path)) as audit:
        slider = Slider(audit.account(ACCOUNT))
        moments = slider.lanes(60).times
        alone = {at: (slider.digest(at), slider.neighbours(at)) for at in moments}
        found: dict[int, tuple] = {}
        wrong: list[BaseException] = []

        def ask(part: int) -> None:
            try:
                for at in moments[part::3]:
                    found[at] = slider.digest(at), slider.neighbours(at)
                    if part == 0:
                        slider.ghost(2, 16)
            except BaseException as error:  # noqa: BLE001 - a thread's error is told below
                wrong.append(error)

        threads = [threading.Thread(target=ask, args=(part,)) for part in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert [] == wrong
        assert alone == found


def test_margin_at_hand_is_the_margin_of_the_instant(audit, slider):
    for at in (LIQUIDATED - 1, LIQUIDATED):
        instant = slider.at(at)
        ours, alone = slider.margin(at, instant), audit.account(ACCOUNT).at(at).margin
        assert alone.margin == ours.margin
        assert alone.compared == ours.compared
    assert slider.margin(Millis(LIQUIDATED - 1), workings=False).margin.judgements[0].lines == ()
