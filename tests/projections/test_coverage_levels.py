"""Levels: what holds at a moment where several pieces of evidence speak, and how it is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.units import Millis
from projections.coverage import BALANCES, FAMILIES, LEVELS, MOVING, Stretch, certified, judged
from projections.coverage.levels import common, united

SINCE, UNTIL = Millis(10), Millis(60)


def said(since: int, until: int, level="proven", cause="so", family="fills") -> Stretch:
    return Stretch(
        family=family, since=Millis(since), until=Millis(until), level=level, cause=cause
    )


@st.composite
def evidence(draw: st.DrawFn) -> list[Stretch]:
    found = []
    for _ in range(draw(st.integers(0, 8))):
        begin = draw(st.integers(0, 70))
        end = draw(st.integers(begin, 75))
        level, cause = draw(st.sampled_from(LEVELS)), draw(st.sampled_from("abc"))
        found.append(said(begin, end, level, cause, draw(st.sampled_from(("fills", "funding")))))
    return found


def level_of(found, at: int) -> str:
    """The level of a moment, by looking at all evidence of it."""
    here = {
        each.level for each in found if each.family == "fills" and each.since <= at <= each.until
    }
    return next((level for level in LEVELS if level in here), "unknown")


@given(evidence())
def test_every_moment_has_the_first_level_that_any_evidence_of_it_gives(found):
    stretches = judged(found, family="fills", since=SINCE, until=UNTIL)
    for at in range(SINCE, UNTIL + 1):
        here = {each.level for each in stretches if each.since <= at <= each.until}
        assert {level_of(found, at)} == here


@given(evidence())
def test_what_is_not_missing_tiles_what_missing_leaves_and_missing_is_told_whole(found):
    stretches = judged(found, family="fills", since=SINCE, until=UNTIL)
    rest = [each for each in stretches if each.level != "missing"]
    moments = [at for each in rest for at in range(each.since, each.until + 1)]
    assert len(set(moments)) == len(moments)
    whole = {(each.since, each.until) for each in found if each.family == "fills"}
    assert all((e.since, e.until) in whole for e in stretches if e.level == "missing")
    assert list(stretches) == sorted(stretches, key=lambda each: (each.since, each.until))


@given(evidence(), st.randoms(use_true_random=False))
def test_the_order_of_evidence_does_not_matter(found, chance):
    before = judged(found, family="fills", since=SINCE, until=UNTIL)
    chance.shuffle(found)
    assert before == judged(found, family="fills", since=SINCE, until=UNTIL)


def test_without_evidence_all_of_it_is_unknown_for_the_reason_given():
    (only,) = judged([], family="fills", since=SINCE, until=UNTIL, otherwise="no reason")
    assert ("unknown", "no reason", 51) == (only.level, only.cause, only.length)


def test_a_period_that_ends_before_it_begins_has_no_stretches():
    assert () == judged([said(0, 99)], family="fills", since=UNTIL, until=SINCE)


def test_equal_ends_are_told_together_and_more_than_three_causes_counted():
    found = [said(20, 30, "missing", cause) for cause in "dacbe"]
    stretches = judged(found, family="fills", since=SINCE, until=UNTIL)
    (missing,) = [each for each in stretches if each.level == "missing"]
    assert "a; b; c; and 2 more" == missing.cause


def test_what_is_missing_of_a_family_is_missing_of_the_balances():
    found = certified([said(20, 30, "missing", family="funding")], since=SINCE, until=UNTIL)
    (balances,) = [e for e in found if e.family == BALANCES and e.level == "missing"]
    assert (20, 30, "funding: known missing") == (balances.since, balances.until, balances.cause)


def test_balances_are_proven_where_every_family_is():
    found = [said(number, 50, family=family) for number, family in enumerate(MOVING, 20)]
    stretches = certified(found, since=SINCE, until=UNTIL)
    assert list(FAMILIES) == list(dict.fromkeys(each.family for each in stretches))
    proven = [each for each in stretches if each.family == BALANCES and each.level == "proven"]
    assert [(23, 50)] == [(each.since, each.until) for each in proven]


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted).map(tuple))


@given(st.lists(SPANS, min_size=1, max_size=4))
def test_common_time_lies_in_every_layer(layers):
    joined = [united(layer) for layer in layers]
    inside = [{at for a, b in layer for at in range(a, b + 1)} for layer in joined]
    shared = [at for a, b in common(joined) for at in range(a, b + 1)]
    assert sorted(set.intersection(*inside)) == shared


def test_no_layer_has_no_time_in_common():
    assert [] == common([])


def test_spans_that_lie_near_are_put_together_when_asked():
    assert [(0, 3), (8, 9)] == united([(8, 9), (0, 2), (3, 3)])
    assert [(0, 9)] == united([(8, 9), (0, 2), (3, 3)], apart=4)
    assert [(0, 3), (8, 9)] == united([(8, 9), (0, 2), (3, 3)], apart=3)
