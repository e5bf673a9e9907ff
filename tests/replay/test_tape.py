"""The tape: forward and back is the same place, and the last writer is what brute force finds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import replay
from ledger.entries import AsOf
from ledger.errors import UnclearQuestion
from ledger.units import Millis
from projections.fold import digest, fold
from replay.tape import Tape, Watch
from tests.support.margin_books import ACCOUNT, cascade


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory):
    with replay.open(cascade(tmp_path_factory.mktemp("tape"))) as audit:
        yield Tape(audit.account(ACCOUNT), audit.position())


def test_forward_and_back_lands_on_the_same_state(tape: Tape):
    chance = random.Random(3)
    seen = {place: tape.digest(place) for place in (0, 1, 63, 64, 65, 128, len(tape.stops))}
    for _ in range(60):
        tape.go(chance.choice(list(seen)))
        tape.step(chance.randrange(40))
        tape.step(-chance.randrange(60))
    for place, known in seen.items():
        tape.go(place)
        assert known == tape.digest()


def test_every_place_is_a_fold_from_nothing(tape: Tape):
    for place in range(0, len(tape.stops) + 1, 37):
        events = [stop.event for stop in tape.stops[:place] if stop.event is not None]
        assert digest(fold(events, tape.of.reference)) == tape.digest(place)


def test_the_end_is_what_show_says(tape: Tape):
    as_of = AsOf(position=tape.of.position)
    assert tape.of.engine.states(tape.of.history.stream, as_of).digest == tape.digest(
        len(tape.stops)
    )


def test_the_last_writer_equals_brute_force(tape: Tape):
    chance = random.Random(5)
    values = [tape.figures(place) for place in range(len(tape.stops) + 1)]
    for name in values[-1]:
        for place in (len(tape.stops), chance.randrange(len(tape.stops))):
            changes = [
                at for at in range(1, place + 1) if values[at].get(name) != values[at - 1].get(name)
            ]
            forced = max(changes, default=None)
            assert forced == tape.last_writer(name, place)


def test_a_watch_stops_where_it_comes_to_hold(tape: Tape):
    tape.go(0)
    place = tape.run(Watch.parse("size HYPE > 4000"))
    assert place is not None
    assert tape.figure("size HYPE", place) > 4000 >= tape.figure("size HYPE", place - 1)
    tape.go(len(tape.stops))
    back = tape.run(Watch.parse("size HYPE changed"), back=True)
    assert back is not None
    assert tape.figure("size HYPE", back) != tape.figure("size HYPE", back - 1)
    assert tape.run(Watch.parse("size HYPE > 1000000")) is None


def test_a_watch_on_the_ratio_finds_the_way_to_the_liquidation(tmp_path: Path):
    with replay.open(cascade(tmp_path)) as audit:
        tape = Tape(audit.account(ACCOUNT), audit.position(), with_prices=True)
        place = tape.run(Watch.parse("pmr > 0.95"))
        assert place is not None
        stop = tape.stops[place - 1]
        assert Millis(1_785_940_800_000) == stop.at, "the prices of 14:40, before the first fill"


def test_a_figure_that_nothing_has_is_refused(tape: Tape):
    with pytest.raises(UnclearQuestion, match="is no figure of this account"):
        tape.figure("size DOGE")
    with pytest.raises(UnclearQuestion, match="is no watch"):
        Watch.parse("pmr is high")
