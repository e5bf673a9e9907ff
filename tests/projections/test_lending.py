"""Lending: interest running between records, rows beside the rule, operations, and yield."""

from __future__ import annotations

from decimal import Decimal

from ledger.events import (
    InterestAccrued,
    LendingStateObserved,
    ObservedLoan,
    ReserveObserved,
    ReserveOperated,
)
from ledger.money import ZERO, canonical, exact, round_half_even
from ledger.units import Asset, Millis, Stream
from projections.lending import HOUR_MS, Piece, Rate, Rates, lending, rates, walk
from projections.reference import Reference
from projections.supply_yield import supply_yield

D = Decimal
WHO = Stream("account:0x00000000000000000000000000000000000000aa")
USDC = Asset("USDC")
START = Millis(1_782_000_000_000)
FLAT = D("0.05")


def at(hours: str | int) -> Millis:
    """Return a moment some hours after the start."""
    return Millis(START + int(D(hours) * HOUR_MS))


def operated(hours: str | int, operation: str, amount: str, interest: str | None = None):
    """Return an operation on the USDC reserve."""
    return ReserveOperated(
        stream=WHO, at=at(hours), operation=operation, asset=USDC, amount=D(amount),
        reported_interest=None if interest is None else D(interest), tx_hash=f"0x{hours}",
    )  # fmt: skip


def row(hours: int, supply: str, borrow: str = "0"):
    """Return an hourly row."""
    return InterestAccrued(stream=WHO, at=at(hours), asset=USDC, supply=D(supply), borrow=D(borrow))


def observed(hours: str | int, *, basis: str, value: str, borrowed: str = "0"):
    """Return a recorded lending state."""
    loan = ObservedLoan(
        token=0, borrow_basis=D(borrowed), borrow_value=D(borrowed), supply_basis=D(basis),
        supply_value=D(value),
    )  # fmt: skip
    return LendingStateObserved(
        stream=WHO, at=at(hours), loans=(loan,), health="healthy", health_factor=None
    )


def hourly(count: int, supply: D = FLAT, borrow: D = FLAT) -> Rates:
    """Return rates recorded at the start and on every hour after it."""
    return Rates({USDC: tuple(Rate(at(hour), supply, borrow) for hour in range(count))})


def reserve(hours: int, supply: str | None = "0.04"):
    """Return a recorded reserve state."""
    return ReserveObserved(
        stream=Stream("reserve:USDC"), at=at(hours), asset=USDC, token=0, borrow_rate=FLAT,
        supply_rate=None if supply is None else D(supply), balance=None, utilization=None,
        oracle_px=D(1), ltv=ZERO, supplied=None, borrowed=None,
    )  # fmt: skip


KNOWN = Reference(symbols={0: USDC})


def test_interest_runs_continuously_from_the_operation_on():
    loan = lending([operated(0, "supply", "100000")], hourly(2), at(1))[USDC, "supply"]
    assert D("100000") == loan.basis
    assert D("0.570777") <= loan.interest <= D("0.570778")
    assert loan.accrued == loan.interest
    assert HOUR_MS == loan.covered_ms == loan.time_ms
    half = lending([operated(0, "supply", "100000")], hourly(2), at("0.5"))[USDC, "supply"]
    assert "0.2853885" == canonical(round_half_even(half.interest, 7))


def test_the_basis_stays_through_the_hours_and_an_operation_begins_a_new_one():
    events = [operated(0, "supply", "1000"), operated(3, "withdraw", "400", "0.0171")]
    before = lending(events, hourly(9), Millis(at(3) - 1))[USDC, "supply"]
    after = lending(events, hourly(9), at(3))[USDC, "supply"]
    assert (D(1000), D(0)) == (before.basis, before.realized)
    with exact():
        grown = after.basis + 400
    assert "1000.0171234342" == canonical(grown)
    assert grown - 1000 == after.realized == after.accrued
    assert D("0.0171") == after.reported
    assert (after.basis, at(3), "withdraw recorded") == (after.value, after.since, after.source)


def test_borrowed_and_supplied_run_at_their_own_rates():
    events = [operated(0, "supply", "1000"), operated(0, "borrow", "1000"),
              operated(1, "repay", "200")]  # fmt: skip
    found = lending(events, hourly(3, supply=D("0.01"), borrow=D("0.08")), at(2))
    supplied, borrowed = found[USDC, "supply"], found[USDC, "borrow"]
    assert supplied.interest < borrowed.realized < D("0.01")
    assert "800.0091324617" == canonical(borrowed.basis)


def test_a_recorded_state_is_where_interest_goes_on_from():
    events = [observed(0, basis="14.87886913", value="14.88563038")]
    found = lending(events, hourly(9), at(2), KNOWN)[USDC, "supply"]
    assert D("14.87886913") == found.basis
    assert "lending state" == found.source
    assert found.value > D("14.88563038")
    unnamed = lending(events, hourly(9), at(2))
    assert {(Asset("token 0"), "supply")} == set(unnamed)


def test_hourly_rows_stand_beside_the_rule():
    events = [operated(0, "supply", "100000"), row(1, "0.57077788"), row(2, "0.57078113"),
              row(3, "0.6")]  # fmt: skip
    way = walk(events, hourly(4), at(3))
    first, second, third = way.hours
    assert first.by_rule is None
    assert abs(second.by_rule - second.recorded) < D("1e-7")
    assert D("0.0292") < third.recorded - third.by_rule < D("0.0293")
    loan = way.loans[USDC, "supply"]
    assert D("100001.74155901") == loan.by_rows
    assert D("1.74155901") == loan.rows


def test_without_a_rate_the_value_by_rule_is_unknown_and_never_the_basis():
    events = [operated(0, "supply", "100000"), row(1, "0.57"), row(2, "0.57")]
    loan = lending(events, Rates(), at(2))[USDC, "supply"]
    assert loan.value is None
    assert loan.interest is None
    assert D("100001.14") == loan.best == loan.by_rows
    assert (0, 2 * HOUR_MS) == (loan.covered_ms, loan.time_ms)


def test_a_stretch_without_a_rate_stays_unknown_until_a_state_is_recorded():
    gap = Rates({USDC: (Rate(at(0), FLAT, FLAT), Rate(at(5), FLAT, FLAT))})
    events = [operated(0, "supply", "1000"), operated(6, "supply", "1")]
    assert lending(events, gap, at("0.9"))[USDC, "supply"].value is not None
    assert lending(events, gap, at("1.1"))[USDC, "supply"].value is None
    assert lending(events, gap, at(6))[USDC, "supply"].value is None
    seen = [*events, observed(7, basis="1001", value="1001.03")]
    again = lending(seen, gap, at(7), KNOWN)[USDC, "supply"]
    assert D("1001.03") == again.value


def test_a_rate_holds_an_hour_when_no_later_one_is_recorded():
    known = rates([reserve(0), reserve(1, "0.03")])
    assert [
        Piece(at("0.5"), at(1), D("0.04")),
        Piece(at(1), at(2), D("0.03")),
        Piece(at(2), at(3), None),
    ] == known.pieces(USDC, "supply", at("0.5"), at(3))
    assert [Piece(at(-2), at(0), None)] == known.pieces(USDC, "supply", at(-2), at(0))
    left_out = rates([reserve(0, None)])
    assert [Piece(at(0), at(1), None)] == left_out.pieces(USDC, "supply", at(0), at(1))
    assert [Piece(at(0), at(1), None)] == known.pieces(Asset("HYPE"), "supply", at(0), at(1))


def test_a_row_whose_principal_is_not_recorded_is_no_value():
    loan = lending([row(1, "0.5")], hourly(4), at(2))[USDC, "supply"]
    assert loan.value is None
    assert (D("0.5"), "hourly row, its principal not recorded") == (loan.rows, loan.source)
    assert {} == lending([row(1, "0")], hourly(4), at(2))


# ------------------------------------------------------------------------- yield


def test_a_yield_is_amount_simple_and_effective_rate():
    events = [operated(0, "supply", "100000")]
    found = supply_yield(events, hourly(25), USDC, since=at(0), until=at(24))
    assert "13.6995684" == canonical(round_half_even(found.amount, 7))
    assert D("0.05") == round_half_even(found.simple, 8)
    assert "0.051271" == canonical(round_half_even(found.effective, 6))
    assert (D(1), 24 * HOUR_MS) == (found.covered, found.time_ms)
    assert found.simple_of_rows is None


def test_a_yield_says_what_share_of_its_hours_has_known_rates():
    events = [operated(0, "supply", "1000"), row(2, "0.0045", "0"), row(9, "0.0045")]
    known = Rates({USDC: (Rate(at(0), FLAT, FLAT), Rate(at(1), FLAT, FLAT))})
    found = supply_yield(events, known, USDC, since=at(0), until=at(8))
    assert D("0.25") == found.covered
    assert D("0.05") == round_half_even(found.simple, 7)
    assert D("0.0045") == found.rows
    assert found.simple_of_rows is not None


def test_a_yield_of_part_of_a_period_leaves_out_the_rest():
    events = [operated(0, "supply", "1000")]
    whole = supply_yield(events, hourly(9), USDC, since=at(0), until=at(2))
    first = supply_yield(events, hourly(9), USDC, since=at(0), until=at("0.5"))
    rest = supply_yield(events, hourly(9), USDC, since=at("0.5"), until=at(2))
    assert abs(first.amount + rest.amount - whole.amount) <= D("2e-10")
    nothing = supply_yield(events, hourly(9), USDC, since=at(-5), until=at(-1))
    assert (None, None, D(0)) == (nothing.simple, nothing.effective, nothing.covered)


def test_time_without_a_balance_counts_for_nothing():
    events = [operated(0, "supply", "1000"), operated(1, "withdraw", "1000.0057078"),
              operated(5, "supply", "1000")]  # fmt: skip
    found = supply_yield(events, hourly(9), USDC, since=at(0), until=at(6))
    assert D("0.05") == round_half_even(found.simple, 6)
