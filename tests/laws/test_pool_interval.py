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
from hashlib import sha256
from pathlib import Path

from ledger.book import Book
from ledger.entries import Part, RawRecord, Reading
from ledger.events import LendingStateObserved, ObservedLoan, ReserveObserved, ReserveOperated
from ledger.units import Address, Asset, Digest, Millis, account_stream, reserve_stream
from projections.pool_bounds import NO_STATES, Bounded, Pace, bounds, payout
from replay.audit import Audit
from replay.reconcile.pool import reconcile_pool
from replay.reconcile.supply import Supply
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


def test_operations_in_between_are_taken_in_as_they_came(tmp_path: Path) -> None:
    """The supplier of the simulation, joined by another who puts in and takes out on the way.

    What the second one has is a sum of parts, each grown as the first one's value grew since.
    """
    for seed in range(6):
        pool, chance = lived(seed), random.Random(seed)
        moments = [moment for moment, _ in pool.course]
        marks = [moments[number] for number in sorted(chance.sample(range(len(moments)), 4))]
        start, moves = Decimal(5000), (Decimal(700), Decimal(-1200))
        parts = zip((start, *moves), marks, strict=False)
        end = sum(Fraction(amount) * pool.value(marks[-1]) / pool.value(at) for amount, at in parts)
        value = Decimal(int(end * 10**8)).scaleb(-8)
        path = tmp_path / f"{seed}.book"
        write_supply(path, pool, marks, start, moves, value)
        with Audit.open(path) as audit:
            report = reconcile_pool(
                audit, USDC, position=audit.position(), pace=pace_of(pool),
                supply=Supply(account=audit.account(SUPPLIER)),
            )  # fmt: skip
        share = report.shares[0]  # then comes what is not over yet
        assert (start, sum(moves)) == (share.value, share.moved)
        assert value - start - sum(moves) == share.observed
        assert ["inside", "inside"] == [each.verdict for each in share.paid], seed
        wide, near = share.paid
        assert wide.least <= near.least <= near.most <= wide.most, seed
        assert near.most - near.least < wide.most - wide.least, seed


SUPPLIER = Address("0x" + "5a" * 20)


def write_supply(
    path: Path,
    pool: Pool,
    marks: list[int],
    start: Decimal,
    moves: tuple[Decimal, ...],
    end: Decimal,
) -> None:
    """Write a book of a reserve's states, and of one supply with two recorded values."""
    stream = account_stream(SUPPLIER)

    def state(at: int, value: Decimal, basis: Decimal) -> LendingStateObserved:
        loan = ObservedLoan(
            token=0, borrow_basis=Decimal(0), borrow_value=Decimal(0), supply_basis=basis,
            supply_value=value,
        )  # fmt: skip
        return LendingStateObserved(
            stream=stream, at=Millis(at), loans=(loan,), health="healthy", health_factor=None
        )

    operated = [
        ReserveOperated(
            stream=stream, at=Millis(at), operation="supply" if amount > 0 else "withdraw",
            asset=USDC, amount=abs(amount), reported_interest=None, tx_hash=f"0x{at:064x}",
        )
        for at, amount in zip(marks[1:], moves, strict=False)
    ]  # fmt: skip
    own = (state(marks[0], start, start), *operated, state(marks[-1], end, end - 1))
    states = tuple(sorted((printed(each) for each in pool.states), key=lambda each: each.at))
    raw = RawRecord(name="memory", body=b"[]", digest=Digest(sha256(b"[]").hexdigest()))
    with Book.create(path) as book:
        for name, events in ((stream, own), (reserve_stream(USDC), states)):
            rows = tuple(range(len(events)))
            part = Part(stream=name, source="api", answer="", events=events, rows=rows)
            book.append(raw, Reading(kind="events", parts=(part,)), recorded=Millis(1))


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
