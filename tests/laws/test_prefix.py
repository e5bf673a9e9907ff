"""Law 2: folding a history in two parts equals folding it whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import UnknownKind
from ledger.events import Event
from ledger.money import exact
from projections import PROJECTIONS
from projections.fold import FOLD_VERSION, decode, digest, encode, fold
from projections.reference import EMPTY
from projections.state import State
from tests.support.strategies import events
from tests.support.trades import trades

HISTORIES = st.lists(events(), max_size=4) | trades(most=20)


@given(history=HISTORIES, data=st.data())
def test_two_parts_are_the_whole(history: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(history)), label="cut")
    whole = fold(history)
    parts = fold(history[cut:], start=fold(history[:cut]))
    assert whole == parts
    assert digest(whole) == digest(parts)


@given(history=HISTORIES, data=st.data())
def test_the_first_part_may_have_been_stored_in_between(
    history: list[Event], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(history)), label="cut")
    stored = encode(fold(history[:cut]))
    assert encode(decode(stored)) == stored
    whole, parts = fold(history), fold(history[cut:], start=decode(stored))
    assert whole == parts
    assert digest(whole) == digest(parts)


@given(history=HISTORIES)
def test_the_pure_step_and_the_fold_are_one_rule(history: list[Event]) -> None:
    states = fold(history)
    for projection in PROJECTIONS:
        state, is_stopped = projection.EMPTY, False
        with exact():
            for event in history:
                try:
                    state = projection.apply(state, event, EMPTY)
                except UnknownKind:
                    is_stopped = True
                    break
        assert is_stopped or states.by_name[projection.NAME] == state
        assert is_stopped != isinstance(states.by_name[projection.NAME], State)


@given(history=trades(most=30), most=st.integers(1, 9))
def test_plain_fills_may_be_taken_in_runs_of_any_length(history: list[Event], most: int) -> None:
    whole = fold(history)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projections.fold.RUN_MAX", most)
        assert whole == fold(history)


@given(history=trades())
def test_a_step_leaves_the_state_before_it_alone(history: list[Event]) -> None:
    for projection in PROJECTIONS:
        state = projection.EMPTY
        with exact():
            for event in history:
                before = dict(state.by_key)
                after = projection.apply(state, event, EMPTY)
                assert before == state.by_key
                state = after


def test_states_of_another_version_are_refused() -> None:
    stored = encode(fold([]))
    other = stored.replace(f"[{FOLD_VERSION},".encode(), f"[{FOLD_VERSION + 1},".encode(), 1)
    with pytest.raises(ValueError, match=f"fold version {FOLD_VERSION + 1}, not {FOLD_VERSION}"):
        decode(other)
