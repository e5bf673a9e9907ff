"""Reserve states two by two, and bounds on a supplier's rate, worked by hand."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger.events import ReserveObserved
from ledger.money import exact
from ledger.units import Asset, Millis, reserve_stream
from projections import pool
from projections.pool_bounds import (
    NO_STATES,
    OFF_CURVE,
    OVER_FULL,
    Pace,
    bounds,
    fastest,
    payout,
)

D = Decimal
USDC = Asset("USDC")
AUGUST = 1_785_542_400_000
HOUR = 3_600_000
DAY = 24 * HOUR
YEAR = 365 * DAY
BEFORE_ALL_RULES = Millis(1_700_000_000_000)


def state(at: int = AUGUST, used: str = "0.5", **other: D | None) -> ReserveObserved:
    """A reserve of 1,000 supplied, in the first tier of the curve, nothing in the buffer."""
    share = D(used)
    with exact():
        fields = {
            "supplied": D(1000),
            "borrowed": 1000 * share,
            "balance": 1000 - 1000 * share,
            "utilization": share,
            "borrow_rate": D("0.05"),
            "supply_rate": D("0.045") * share,
        }
    return ReserveObserved(
        stream=reserve_stream(USDC), at=Millis(at), asset=USDC, token=0, oracle_px=D(1),
        ltv=D(0), **(fields | other),
    )  # fmt: skip


# ------------------------------------------------------------------------- states and pairs


def test_every_figure_of_a_state_follows_from_its_amounts() -> None:
    assert ["agrees"] * 3 == [line.verdict for line in pool.lines(state())]
    wrong = state(utilization=D("0.6"), borrow_rate=D("0.06"))
    verdicts = {line.name: line.verdict for line in pool.lines(wrong)}
    # the supply rate follows from the recorded borrow rate, and 0.06 × 0.5 × 0.9 is another
    assert {
        "utilization": "differs",
        "borrow rate": "differs",
        "supply rate": "differs",
    } == verdicts


def test_an_empty_reserve_pays_nothing() -> None:
    empty = state(used="0", supplied=D(0), borrowed=D(0), balance=D(0))
    assert ["agrees"] * 3 == [line.verdict for line in pool.lines(empty)]
    assert D(0) == pool.buffer(empty)


@pytest.mark.parametrize("name", ["utilization", "borrow_rate", "supply_rate", "borrowed"])
def test_what_a_state_leaves_out_is_unknown(name: str) -> None:
    lines = pool.lines(state(**{name: None}))
    assert "unknown" in [line.verdict for line in lines]
    assert {"", pool.INCOMPLETE} == {line.lacking for line in lines} | {""}


def test_before_the_first_rulebook_rates_are_unknown() -> None:
    lacking = [line.lacking for line in pool.lines(state(at=BEFORE_ALL_RULES))]
    assert ["", pool.NO_RULES, pool.NO_RULES] == lacking


def later(**other: D | None) -> ReserveObserved:
    """An hour later: 500 at 5 % charge 0.00285396, of which suppliers get nine tenths."""
    fields = {"borrowed": D("500.00285396"), "supplied": D("1000.002568564"), "balance": D(500)}
    return state(at=AUGUST + HOUR, **(fields | other))


def test_the_protocol_keeps_its_tenth() -> None:
    pair = pool.pair(state(), later())
    assert ("grew by its share", D("0.000285396")) == (pair.kept, pair.grown)
    assert D("0.1") == pair.share
    assert HOUR == pair.elapsed
    assert pair.least < pair.grown < pair.most


def test_what_is_taken_out_of_the_buffer_is_told_from_what_does_not_follow() -> None:
    # the buffer was ten and is what came since
    assert "was taken out" == pool.pair(state(balance=D(510)), later()).kept
    assert "does not follow" == pool.pair(state(), later(balance=D("500.001"))).kept


def test_pairs_that_cannot_be_compared_say_why() -> None:
    said = {
        pool.pair(state(), later(balance=None)).lacking,
        pool.pair(state(), later(borrow_rate=None)).lacking,
        pool.pair(state(), attrs.evolve(later(), at=Millis(AUGUST + DAY))).lacking,
        pool.pair(
            state(at=BEFORE_ALL_RULES), attrs.evolve(later(), at=Millis(BEFORE_ALL_RULES + HOUR))
        ).lacking,
    }
    assert {pool.INCOMPLETE, pool.TOO_FAR, pool.NO_RULES} == said


def test_a_pair_without_growth_or_amounts_has_no_share() -> None:
    assert pool.pair(state(), state(at=AUGUST + 1)).share is None
    assert pool.pair(state(), later(borrowed=None)).share is None
    assert pool.pair(state(), later(borrowed=None)).borrowed_more is None


def test_more_owed_than_there_is_short_by_more_than_print() -> None:
    assert pool.is_short(state(balance=D(499)))
    assert not pool.is_short(state(balance=D("499.99999999")))
    assert not pool.is_short(state(balance=None))


# ------------------------------------------------------------------------- bounds


def over(states, hours: int, pace: Pace | None = None, **other):
    return bounds(states, Millis(AUGUST), Millis(AUGUST + hours * HOUR), pace, **other)


def test_the_curve_alone_bounds_by_an_empty_and_a_full_reserve() -> None:
    found = over((state(),), 10)
    (bound,) = found.by
    assert ("curve", D(0)) == (bound.assumption, bound.low)
    assert D("0.9") <= bound.high <= D("0.9") + D("3e-10")
    assert (1, 10 * HOUR) == (found.states, found.longest_ms)


def test_a_pace_narrows_by_hand() -> None:
    """Half lent, a hundredth more per hour at most: after ten hours 0.4 to 0.6, on the mean 0.45
    to 0.55, at 0.045 each; the stretches and the clock cost a little."""
    _, near = over((state(),), 10, Pace(hourly=D("0.01"))).by
    slack = D("0.045") * D("0.01") * (D(10) / 96 + D(5) / 3600) + D("1e-9")
    assert D("0.45") * D("0.045") - slack <= near.low <= D("0.45") * D("0.045")
    assert D("0.55") * D("0.045") <= near.high <= D("0.55") * D("0.045") + slack


def test_a_step_counts_at_once_and_a_side_has_its_own_rate() -> None:
    _, near = over((state(used="0.79"),), 1, Pace(hourly=D(0), step=D("0.02"))).by
    # at 0.81 the borrow rate is 0.05 + 4.75 × 0.01, the supply rate that × 0.81 × 0.9
    assert D("0.0710775") <= near.high <= D("0.0710775") + D("1e-8")
    _, owed = over((state(used="0.79"),), 1, Pace(hourly=D(0), step=D("0.02")), side="borrow").by
    assert D("0.0975") <= owed.high <= D("0.0975") + D("1e-8")
    assert D("0.05") - D("1e-9") <= owed.low <= D("0.05")


def test_states_too_far_apart_refute_a_pace() -> None:
    states = (state(), state(at=AUGUST + HOUR, used="0.7"))
    found = over(states, 1, Pace(hourly=D("0.1")))
    assert found.is_refuted
    assert ["curve"] == [each.assumption for each in found.by]
    assert not over(states, 1, Pace(hourly=D("0.2"))).is_refuted


def test_nothing_is_bounded_where_an_assumption_is_known_to_be_wrong() -> None:
    assert NO_STATES == over((), 1).lacking
    assert NO_STATES == over((state(borrowed=None, utilization=None),), 1).lacking
    assert OFF_CURVE == over((state(supply_rate=D("0.03")),), 1).lacking
    assert OVER_FULL == over((state(used="1.01"),), 1).lacking
    assert "the period has no length" == over((state(),), 0).lacking
    early = bounds((state(),), BEFORE_ALL_RULES, Millis(BEFORE_ALL_RULES + 1))
    assert pool.NO_RULES == early.lacking


def test_a_printed_utilization_serves_where_amounts_are_left_out() -> None:
    bare = state(borrowed=None, supply_rate=None)
    assert 1 == over((bare,), 1, Pace(hourly=D("0.01"))).states


def test_the_fastest_change_is_told_from_states_the_clock_can_tell_apart() -> None:
    states = (state(), state(at=AUGUST + 1_000, used="0.9"), state(at=AUGUST + HOUR, used="0.7"))
    assert D("0.2000555710") == fastest(states)
    assert fastest((state(), state(at=AUGUST + 1_000))) is None
    assert fastest(()) is None


def test_a_payout_grows_from_the_value_and_what_is_not_printed_of_it() -> None:
    _, near = over((state(),), 365 * 24, Pace(hourly=D(0))).by
    low, high = payout(D(1000), near)
    # 1,000 × (e^0.0225 − 1), by the first five terms of the series
    assert D("22.754") < low <= D("22.7550341643") <= high < D("22.756")
    assert payout(D(1000), near, printed=D("0.01"))[1] > high


def test_a_clock_that_may_be_off_takes_the_shortest_and_the_longest_period() -> None:
    exactly = over((state(),), 1, Pace(hourly=D(0))).by[1]
    off = over((state(),), 1, Pace(hourly=D(0)), clock_ms=5_000).by[1]
    assert off.low_weight < exactly.low_weight < exactly.high_weight < off.high_weight
    short = bounds((state(),), Millis(AUGUST), Millis(AUGUST + 9_000), clock_ms=5_000)
    assert D(0) == short.by[0].low_weight
