"""Pool laws on the reserve states that were recorded."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from ledger.events import ReserveObserved
from ledger.money import canonical, exact, places, round_half_even
from ledger.units import Asset, Millis, reserve_stream
from projections.arithmetic import EXACT
from projections.checks import RESERVE_CHECKS, run
from projections.lending import Rate, Rates
from projections.reference import EMPTY
from projections.rulebooks import formulas
from projections.supply_yield import supply_yield
from tests.support.states import read, states

pytestmark = pytest.mark.recorded

D = Decimal
FIRST_PAGE = Millis(1_769_510_880_000)
"""2026-01-27T10:48Z. The documented pair has no moment of its own; it stood on the first pages."""

APART_MS = 60_030
"""From the growth of what is borrowed, at 5 %: see the test of that name."""

FIELDS = {
    "supplied": "totalSupplied",
    "borrowed": "totalBorrowed",
    "balance": "balance",
    "utilization": "utilization",
    "borrow_rate": "borrowYearlyRate",
    "supply_rate": "supplyYearlyRate",
}
SYMBOLS = {0: "USDC", 150: "HYPE", 197: "UBTC", 360: "USDH"}


@pytest.fixture(scope="session")
def rows(recorded: Path) -> dict[str, dict]:
    found = json.loads((recorded / "reserves" / "reserve_states.json").read_text())
    return {row["id"]: row for row in found}


def state(row: dict, at: int = FIRST_PAGE) -> ReserveObserved:
    said, asset = row["state"], Asset(SYMBOLS[row["token"]])
    return ReserveObserved(
        stream=reserve_stream(asset),
        at=Millis(at),
        asset=asset,
        token=row["token"],
        oracle_px=D(said["oraclePx"]),
        ltv=D(said["ltv"]),
        **{ours: D(theirs) for ours, theirs in ((o, said[t]) for o, t in FIELDS.items())},
    )


def documented(rows: dict[str, dict]) -> tuple[ReserveObserved, ReserveObserved]:
    return state(rows["docs_A1"]), state(rows["docs_A2"], FIRST_PAGE + APART_MS)


def failed(events: tuple[ReserveObserved, ...]) -> set[str]:
    """Return the names of the checks that find something."""
    return {each.name for each in run(RESERVE_CHECKS, events, EMPTY) if each.findings}


def altered(event: ReserveObserved, field: str, digit: int) -> ReserveObserved:
    """Return a state with another sixth significant digit in one field."""
    value = getattr(event, field)
    sign, digits, exponent = value.as_tuple()
    padded = list(digits) + [0] * (6 - len(digits))
    exponent -= len(padded) - len(digits)
    padded[5] = (padded[5] + digit) % 10
    return attrs.evolve(event, **{field: D((sign, tuple(padded), exponent))})


def test_rates_of_recorded_states_are_reproduced_to_ten_places(rows, figure):
    agreed = []
    for name, row in rows.items():
        event = state(row)
        if name == "undated_41M":
            continue  # shortened by hand; looked at below
        with exact():
            used = formulas.utilization(EXACT, event.borrowed, event.supplied)
            rate = formulas.supply_rate(
                EXACT, event.borrow_rate, event.borrowed, event.supplied, D("0.1")
            )
        assert (event.utilization, event.supply_rate) == (used, rate), name
        agreed.append(name)
    assert 10 == len(agreed)
    figure(
        line="3-4",
        text="utilization and supply rate of recorded reserve states, ten places",
        value=f"{len(agreed)} of {len(agreed)}, residual 0",
    )


def test_a_state_its_publisher_shortened_agrees_as_far_as_it_goes(rows):
    event = state(rows["undated_41M"])
    with exact():
        used = formulas.utilization(EXACT, event.borrowed, event.supplied)
        rate = formulas.supply_rate(EXACT, D("0.05"), event.borrowed, event.supplied, D("0.1"))
    assert event.utilization == round_half_even(used, places(event.utilization))
    assert event.supply_rate == round_half_even(rate, places(event.supply_rate))


def test_the_denominator_is_what_is_supplied(rows):
    event = state(rows["docs_A1"])
    with exact():
        other = formulas.utilization(EXACT, event.borrowed, event.balance + event.borrowed)
    assert event.utilization != other
    assert round_half_even(event.utilization, 7) == round_half_even(other, 7)


def test_one_minute_of_five_percent_lies_between_the_documented_states(rows, figure):
    """The moments are not printed: the time apart is implied by the growth of what is borrowed."""
    before, after = documented(rows)
    with exact():
        grown = formulas.grown(EXACT, before.borrowed, before.borrow_rate, D(APART_MS), 8)
    assert abs(grown - after.borrowed) <= D("1.5e-6")
    figure(
        line="3-4",
        text="documented pair: 60.03 s of 5 % nominal (consistent)",
        value=f"residual {canonical(grown - after.borrowed)}",
    )


def test_the_protocol_keeps_a_tenth(rows, figure):
    before, after = documented(rows)
    with exact():
        buffers = [
            formulas.buffer(EXACT, each.balance, each.borrowed, each.supplied)
            for each in (before, after)
        ]
        grown = buffers[1] - buffers[0]
        share = EXACT.ratio(grown, after.borrowed - before.borrowed)
    assert D("12.3583915") == round_half_even(buffers[0], 7)
    assert D("0.0005765603") == grown
    assert "0.099998" == canonical(round_half_even(share, 6))
    assert abs(share - D("0.1")) < D("1e-5")
    figure(
        line="3-4",
        text="share of the interest the protocol kept between the documented states",
        value=f"{round_half_even(share, 6)}, residual {round_half_even(share - D('0.1'), 7)}",
    )


def test_the_documented_states_keep_every_law(rows):
    pair = documented(rows)
    results = run(RESERVE_CHECKS, pair, EMPTY)
    assert set() == failed(pair)
    assert [2, 2, 2, 1] == [each.agreed for each in results]
    assert (("grew by its share", 1),) == results[-1].tally


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("number", [0, 1])
def test_another_sixth_digit_of_a_documented_state_breaks_a_law(rows, field, number, figure):
    pair = documented(rows)
    caught = []
    for digit in range(1, 10):
        changed = altered(pair[number], field, digit)
        both = (changed, pair[1]) if number == 0 else (pair[0], changed)
        caught.append(failed(both))
    assert all(caught)
    figure(
        line="3-4",
        text=f"{FIELDS[field]} of docs_A{number + 1}, sixth digit altered in nine ways",
        value="9 of 9 caught by " + ", ".join(sorted(set.intersection(*caught))),
    )


def test_the_march_states_keep_the_laws_of_one_state(rows):
    for name in ("rektslug_usdc", "rektslug_hype", "rektslug_ubtc", "rektslug_usdh", "2026-09-04"):
        assert set() == failed((state(rows[name], 1_774_994_953_000),)), name


def test_interest_runs_continuously_at_the_nominal_rate(recorded: Path, rows, figure):
    """USDH supplied and untouched between two recordings, 24 269 s apart, at the later rate."""
    folder = recorded / "portfolio-margin"
    account = "0xfc8b2f2b98705037ec9fa816f40c42077b237d3c"
    early = states(read(folder / "accounts_2026-03-31T15.json"), account)
    late = states(read(folder / "accounts_2026-03-31T22.json"), account)
    before, after = (
        next(each for each in shown.lending.loans if each.token == 360) for shown in (early, late)
    )
    assert before.supply_basis == after.supply_basis == D("14.87886913")
    seconds = late.lending.at - early.lending.at
    assert abs(seconds - 24_269_000) < 1_500
    rate = state(rows["rektslug_usdh"]).supply_rate
    with exact():
        value = formulas.grown(EXACT, before.supply_value, rate, D(24_269_000), 10)
        effective = formulas.grown(EXACT, before.supply_value, D("0.0087572"), D(24_269_000), 10)
    assert abs(value - D("14.88573318")) <= D("1.5e-7")
    assert D("14.88573306") == after.supply_value
    growth = after.supply_value - before.supply_value
    with exact():
        share = EXACT.ratio(value - after.supply_value, growth)
        refuted = EXACT.ratio(effective - after.supply_value, growth)
    assert abs(share) < D("0.0013")
    assert abs(refuted) > D("0.02")
    figure(
        line="3-4",
        text="interest on USDH over 6.7 h, nominal and continuous (predicted)",
        value=f"residual {canonical(value - after.supply_value)}, "
        f"{canonical(round_half_even(share * 100, 2))} % of the growth",
    )


def test_the_yield_of_that_position_is_what_its_rate_says(recorded: Path, rows, figure):
    folder = recorded / "portfolio-margin"
    account = "0xfc8b2f2b98705037ec9fa816f40c42077b237d3c"
    early = states(read(folder / "accounts_2026-03-31T15.json"), account)
    late = states(read(folder / "accounts_2026-03-31T22.json"), account)
    rate = state(rows["rektslug_usdh"]).supply_rate
    since, until = early.lending.at, late.lending.at
    known = Rates({Asset("token 360"): (Rate(since, rate, None),)}, age_max=until - since)
    found = supply_yield((early.lending,), known, Asset("token 360"), since=since, until=until)
    assert D(1) == found.covered
    assert abs(found.simple - rate) <= D("3e-8")
    assert abs(found.amount - D("0.0001028")) <= D("1e-6")
    half = Rates(known.by_asset, age_max=(until - since) // 2)
    partly = supply_yield((early.lending,), half, Asset("token 360"), since=since, until=until)
    assert "0.5" == canonical(round_half_even(partly.covered, 3))
    figure(
        line="3-4",
        text="supply yield of USDH: simple, effective, share covered",
        value=f"{found.simple}, {found.effective}, {canonical(found.covered)}",
    )
