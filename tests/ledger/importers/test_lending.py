"""Lending: interest rows, reserve states, and what an account owes and is owed."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger.errors import NeedsHint
from ledger.events import InterestAccrued, LendingStateObserved, ObservedLoan, ReserveObserved
from ledger.importers import Hints
from ledger.units import account_stream, reserve_stream
from tests.support.answers import ALICE, AT, HERE, captured, events, only, read, reasons

D = Decimal
HOUR = 3_600_000


def interest(hour: int, **changes: object) -> dict[str, object]:
    return {
        "time": AT + hour * HOUR, "token": "USDC", "supply": "0.0", "borrow": "0.570776", **changes
    }  # fmt: skip


def test_a_row_of_interest_is_read():
    assert InterestAccrued(
        stream=account_stream(ALICE), at=AT, asset="USDC", supply=D(0), borrow=D("0.570776")
    ) == only(read([interest(0)]))


def test_the_end_of_an_interest_window_does_not_belong_to_it():
    asked = {
        "type": "userBorrowLendInterest", "user": ALICE,
        "startTime": AT - 9 * HOUR, "endTime": AT - HOUR,
    }  # fmt: skip
    (claim,) = read(captured(asked, [interest(-5)])).parts[0].covers
    assert ("interest", AT - 9 * HOUR, AT - HOUR - 1) == (claim.family, claim.since, claim.until)


@pytest.mark.parametrize("field", ["time", "token", "supply", "borrow"])
def test_a_row_of_interest_with_nonsense_stays_outside(field: str):
    reading = read([interest(0), interest(1, **{field: []})])
    assert 1 == len(events(reading))
    assert field in reasons(reading)


RESERVE = {
    "borrowYearlyRate": "0.05", "supplyYearlyRate": "0.0288466867",
    "balance": "141894616.0", "utilization": "0.6410374822", "oraclePx": "1.0", "ltv": "0.0",
    "totalSupplied": "395290801.9401631355", "totalBorrowed": "253396220.4155763984",
}  # fmt: skip
STATE = ReserveObserved(
    stream=reserve_stream("USDC"),
    at=AT,
    asset="USDC",
    token=0,
    borrow_rate=D("0.05"),
    supply_rate=D("0.0288466867"),
    balance=D(141894616),
    utilization=D("0.6410374822"),
    oracle_px=D(1),
    ltv=D(0),
    supplied=D("395290801.9401631355"),
    borrowed=D("253396220.4155763984"),
)


def test_a_reserve_state_asked_by_token_is_read():
    assert STATE == only(
        read(captured({"type": "borrowLendReserveState", "token": 0}, RESERVE), Hints())
    )


def test_a_bare_reserve_state_has_to_be_told_of_which_token_and_moment():
    with pytest.raises(NeedsHint, match="--token 0"):
        read(RESERVE)
    with pytest.raises(NeedsHint, match="--at "):
        read(RESERVE, Hints(token=0))
    assert STATE == only(read(RESERVE, attrs.evolve(HERE, token=0)))


def test_all_reserve_states_go_each_to_its_own_stream():
    reading = read([[0, RESERVE], [150, {**RESERVE, "ltv": "0.65"}], [1105, RESERVE]])
    assert ["reserve:USDC", "reserve:HYPE", "reserve:token:1105"] == [
        part.stream for part in reading.parts
    ]
    assert STATE == events(reading)[0]


def test_a_reserve_that_cannot_be_read_leaves_the_others():
    reading = read([[0, RESERVE], [150, {**RESERVE, "ltv": 0.5}]])
    assert [STATE] == events(reading)
    assert "[1]: ltv" in reasons(reading)


@pytest.mark.parametrize("pair", [["0", RESERVE], [0], 5, [True, RESERVE]])
def test_reserves_that_are_no_pairs_are_not_read(pair: object):
    reading = read([[0, RESERVE], pair])
    assert 1 == len(reading.unreadable)


LOANS = {
    "tokenToState": [
        [
            0,
            {
                "borrow": {"basis": "4466.5167753826", "value": "4466.5175321737"},
                "supply": {"basis": "0.0", "value": "0.0"},
            },
        ]
    ],
    "health": "healthy",
    "healthFactor": "91.0064138619",
}


def test_what_an_account_owes_is_read():
    assert LendingStateObserved(
        stream=account_stream(ALICE),
        at=AT,
        loans=(
            ObservedLoan(
                token=0,
                borrow_basis=D("4466.5167753826"),
                borrow_value=D("4466.5175321737"),
                supply_basis=D(0),
                supply_value=D(0),
            ),
        ),
        health="healthy",
        health_factor=D("91.0064138619"),
    ) == only(read(LOANS))


def test_an_account_without_a_debt_has_no_health_factor():
    assert only(read({**LOANS, "healthFactor": None})).health_factor is None


@pytest.mark.parametrize(
    "change",
    [
        {"health": None},
        {"healthFactor": 91.0},
        {"tokenToState": [[0, {"borrow": {"basis": "1", "value": "1"}}]]},
        {"tokenToState": [[0]]},
        {"tokenToState": {"zero": {}}},
        {"tokenToState": 5},
    ],
)
def test_half_a_state_is_no_state(change: dict[str, object]):
    reading = read({**LOANS, **change})
    assert [] == events(reading)
    assert "answer: " in reasons(reading)
