"""Checks of reserves on composed states: what agrees, what differs, what cannot be judged."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ledger.events import ReserveObserved
from ledger.money import exact
from ledger.units import Asset, Millis, reserve_stream
from projections.arithmetic import EXACT
from projections.checks import RESERVE_CHECKS, run
from projections.reference import EMPTY
from projections.rulebooks import formulas
from tests.support.pictures import moment

D = Decimal
USDC = Asset("USDC")
START = moment("2026-07-01")
HOUR_MS = 3_600_000


def state(
    elapsed_ms: int = 0, *, supplied: str = "1000000", borrowed: str = "600000", kept: str = "5"
) -> ReserveObserved:
    """Return a state that keeps every law of its own; *kept* belongs to the protocol."""
    with exact():
        total, owed = D(supplied), D(borrowed)
        balance = total - owed + D(kept)
        used = formulas.utilization(EXACT, owed, total) if total else D(0)
        unrounded = EXACT.ratio(owed, total) if total else D(0)
        rate = formulas.borrow_rate(EXACT, unrounded, D("0.05"), D("4.75"), D("0.8"))
        rate = formulas.printed_rate(EXACT, rate)
        earned = formulas.supply_rate(EXACT, rate, owed, total, D("0.1")) if total else D(0)
    return ReserveObserved(
        stream=reserve_stream(USDC), at=Millis(START + elapsed_ms), asset=USDC, token=0,
        borrow_rate=rate, supply_rate=earned, balance=balance, utilization=used, oracle_px=D(1),
        ltv=D(0), supplied=total, borrowed=owed,
    )  # fmt: skip


def results(*events: ReserveObserved):
    return {each.name: each for each in run(RESERVE_CHECKS, events, EMPTY)}


def findings(*events: ReserveObserved) -> set[str]:
    return {name for name, each in results(*events).items() if each.findings}


def test_one_state_is_judged_by_three_laws():
    assert [1, 1, 1, 0] == [each.agreed for each in results(state()).values()]
    assert set() == findings(state(borrowed="950000"))
    assert set() == findings(state(supplied="0", borrowed="0"))


def test_each_law_names_its_own_breach():
    whole = state()
    assert {"pool-utilization"} == findings(attrs.evolve(whole, utilization=D("0.6000000001")))
    assert {"pool-supply-rate"} == findings(attrs.evolve(whole, supply_rate=D("0.0270000001")))
    assert {"pool-borrow-rate", "pool-supply-rate"} == findings(
        attrs.evolve(whole, borrow_rate=D("0.0500001"))
    )
    assert {"pool-conservation"} == findings(attrs.evolve(whole, balance=D("399999.9")))


def test_the_protocol_s_part_grows_by_a_tenth_of_the_interest():
    """600 000 at 5 % for half an hour are 1.7123 of interest; 0.17123 of it are kept."""
    later = state(HOUR_MS // 2, borrowed="600001.7123", supplied="1000001.5411", kept="5.17123")
    found = results(state(), later)["pool-conservation"]
    assert (1, 1, (("grew by its share", 1),)) == (found.agreed, found.looked_at, found.tally)


def test_what_others_move_does_not_move_the_protocol_s_part():
    moved = state(HOUR_MS // 2, borrowed="600001.7123", supplied="1500000", kept="5.17123")
    assert set() == findings(state(), moved)


def test_a_part_taken_out_is_told_from_one_that_is_wrong():
    swept = state(HOUR_MS // 2, borrowed="600001.7123", kept="0.05")
    found = results(state(), swept)["pool-conservation"]
    assert (("was taken out", 1),) == found.tally
    too_much = state(HOUR_MS // 2, borrowed="600001.7123", kept="6.2")
    assert {"pool-conservation"} == findings(state(), too_much)
    too_little = state(HOUR_MS // 2, borrowed="600001.7123", kept="3")
    (finding,) = results(state(), too_little)["pool-conservation"].findings
    assert "-2" == finding.observed
    assert "error" == finding.severity


def test_what_cannot_be_judged_is_counted_unknown():
    bare = attrs.evolve(state(), balance=None, borrowed=None, supplied=None, utilization=None)
    assert {0} == {each.looked_at for each in results(bare, bare).values()}
    assert all(each.unknown for each in results(bare, bare).values())
    far = results(state(), state(2 * HOUR_MS))["pool-conservation"]
    assert (("the states are more than an hour apart", 1),) == far.why_unknown
    early = attrs.evolve(state(), at=moment("2025-12-01"))
    names = results(early, attrs.evolve(early, at=Millis(early.at + 1000)))
    for name in ("pool-borrow-rate", "pool-supply-rate", "pool-conservation"):
        assert "no rulebook for the instant" in dict(names[name].why_unknown)
