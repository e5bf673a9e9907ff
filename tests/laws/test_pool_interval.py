"""A supplier's interval, from public reserve states alone, holds what the supplier was truly paid.

The truth comes from a reserve simulated in whole numbers whose utilization keeps to a pace by
construction; the product sees its printed states alone, dated up to five seconds off. The interval
must hold the true payout in every pool, whichever states were seen, and never widen with one more.
``ROLLFORWARD_HISTORIES`` sets how many pools are played, one for four of it; a
failure names the seed.
"""

from __future__ import annotations

import os
import random
from decimal import Decimal
from fractions import Fraction

from ledger.events import ReserveObserved
from ledger.units import Asset, Millis, reserve_stream
from projections.pool_bounds import NO_STATES, Bounded, Pace, bounds, payout
from tests.support.pool_sim import PART, UNIT, Pool

POOLS = max(10, int(os.environ.get("ROLLFORWARD_HISTORIES", "7")) // 4)
SAMPLES = (1, 2, 4, 8, 16, 1000)
USDC = Asset("USDC")


def lived(seed: int) -> Pool:
    pool = Pool(seed)
    pool.live()
    return pool


def printed(state: dict) -> ReserveObserved:
    """Return a state as an importer would make it."""
    figures = {
        name: Decimal(state[name][0]).scaleb(-state[name][1])
        for name in ("supplied", "borrowed", "utilization", "borrow_rate", "supply_rate")
    }
    return ReserveObserved(
        stream=reserve_stream(USDC),
        at=Millis(state["at"]),
        asset=USDC,
        token=0,
        oracle_px=Decimal(1),
        ltv=Decimal(0),
        balance=figures["supplied"] - figures["borrowed"],
        **figures,
    )


def pace_of(pool: Pool, share: int = 1) -> Pace:
    """Return the pace a pool kept to, or a share of it."""
    return Pace(hourly=Decimal(pool.hourly) / PART / share, step=Decimal(pool.step) / PART / share)


def truth(pool: Pool, since: int, until: int) -> tuple[Decimal, Fraction]:
    """Return (value at the beginning, cut at eight places; true payout)."""
    first, last = pool.value(since), pool.value(until)
    return Decimal(first // 10**10).scaleb(-8), Fraction(last - first, UNIT)


def sampled(pool: Pool, chance: random.Random) -> list[list[ReserveObserved]]:
    """Return growing selections of the pool's states, each with all of the one before."""
    shown = [printed(state) for state in pool.states]
    chance.shuffle(shown)
    return [sorted(shown[:count], key=lambda state: state.at) for count in SAMPLES]


def ends(pool: Pool, chance: random.Random) -> tuple[int, int]:
    moments = [moment for moment, _ in pool.course]
    first, last = sorted(chance.sample(range(len(moments)), 2))
    return moments[first], moments[last]


def holds(found: Bounded, name: str, value: Decimal, paid: Fraction) -> bool:
    (bound,) = (each for each in found.by if each.assumption == name)
    low, high = payout(value, bound, printed=Decimal("1e-8"))
    return Fraction(low) <= paid <= Fraction(high)


def test_the_interval_holds_the_true_payout_of_every_pool(figure) -> None:
    asked = 0
    widths: dict[int, list[Fraction]] = {count: [] for count in SAMPLES}
    for seed in range(POOLS):
        pool, chance = lived(seed), random.Random(seed)
        since, until = ends(pool, chance)
        value, paid = truth(pool, since, until)
        before = None
        for count, states in zip(SAMPLES, sampled(pool, chance), strict=True):
            found = bounds(states, Millis(since), Millis(until), pace_of(pool))
            assert not found.lacking, (seed, count, found.lacking)
            assert ["curve", "pace"] == [each.assumption for each in found.by], (seed, count)
            assert holds(found, "curve", value, paid), (seed, count)
            assert holds(found, "pace", value, paid), (seed, count)
            asked += 2
            wide, near = found.by
            assert wide.low <= near.low <= near.high <= wide.high, (seed, count)
            if before is not None:
                assert before.low <= near.low, (seed, count)
                assert near.high <= before.high, (seed, count)
            before = near
            widths[count].append(Fraction(near.high - near.low))
    narrow, broad = (sum(widths[count]) / POOLS for count in (SAMPLES[-1], SAMPLES[0]))
    assert narrow < broad / 2
    figure(
        line="4-4",
        text="a supplier's interval from public states, on simulated pools",
        value=f"{POOLS:,} pools, {asked:,} intervals, all hold the true payout; mean width a year "
        f"{float(broad):.4f} with one state, {float(narrow):.4f} with all",
    )


def test_a_pace_too_slow_is_refuted_or_misses() -> None:
    """What the law above rests on can fail: a pace ten times too slow is found out."""
    refuted = missed = 0
    for seed in range(POOLS):
        pool, chance = lived(seed), random.Random(seed)
        since, until = ends(pool, chance)
        value, paid = truth(pool, since, until)
        for states in sampled(pool, chance):
            found = bounds(states, Millis(since), Millis(until), pace_of(pool, 10))
            refuted += found.is_refuted
            missed += not found.is_refuted and not holds(found, "pace", value, paid)
            assert holds(found, "curve", value, paid), seed
    assert refuted
    assert missed


def test_without_a_state_nothing_is_bounded() -> None:
    pool = lived(1)
    found = bounds((), Millis(pool.began), Millis(pool.now), pace_of(pool))
    assert NO_STATES == found.lacking
    assert () == found.by
