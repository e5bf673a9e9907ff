"""The calendar of rules, and every formula on figures the venue's documents or recordings give."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ledger.errors import NotInForce
from ledger.money import exact, round_half_even
from ledger.units import Millis
from projections.arithmetic import EXACT
from projections.rulebooks import CALENDAR, by_id, formulas, in_force
from projections.rulebooks.base import HYPE, UBTC, USDC, USDH, USDT0

D = Decimal


def at(text: str) -> Millis:
    """Return the milliseconds of a UTC time."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return Millis(int(moment.timestamp()) * 1000)


def test_the_calendar_goes_forward_and_every_version_says_what_it_changed() -> None:
    moments = [each.effective_from for each in CALENDAR]
    assert sorted(set(moments)) == moments
    assert all(each.changes and each.sources and each.eligibility for each in CALENDAR)
    assert len({each.id for each in CALENDAR}) == len(CALENDAR)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-27T10:48:00", ["2026-01-27 pre-alpha"]),
        ("2026-03-14T18:16:59", ["2026-01-27 pre-alpha"]),
        ("2026-03-14T18:17:00", ["2026-03-14 alpha"]),
        ("2026-06-22T00:00:00", ["2026-06-21 open"]),
        ("2026-08-10T12:00:00", ["2026-08-01 backstop"]),
        ("2026-08-11T00:00:00", ["2026-08-01 backstop", "2026-08-11 hype-ltv"]),
        ("2026-08-19T09:39:59", ["2026-08-01 backstop", "2026-08-11 hype-ltv"]),
        ("2026-08-19T09:40:00", ["2026-08-11 hype-ltv"]),
    ],
)
def test_an_instant_has_its_rulebook_and_a_doubtful_one_has_both(
    moment: str, expected: list[str]
) -> None:
    assert expected == [each.id for each in in_force(at(moment))]


def test_an_instant_without_a_rulebook_is_an_error_that_names_it() -> None:
    with pytest.raises(NotInForce) as caught:
        in_force(at("2026-01-01T00:00:00"))
    assert "2026-01-01T00:00:00.000Z" in str(caught.value)
    without = tuple(each for each in CALENDAR if each.id != "2026-01-27 pre-alpha")
    with pytest.raises(NotInForce, match="2026-03-14 alpha"):
        in_force(at("2026-02-01T00:00:00"), without)
    with pytest.raises(NotInForce, match="no rulebook is called 'x'; there are 2025-03-15"):
        by_id("x")


def test_the_haircut_of_hype_is_three_quarters_before_the_change_and_0_825_after() -> None:
    with exact():
        shares = [
            formulas.threshold(EXACT, in_force(at(moment))[0].tokens[HYPE].ltv.value)
            for moment in ("2026-08-10T12:00:00", "2026-08-20T12:00:00")
        ]
    assert [D("0.75"), D("0.825")] == shares


def test_tokens_come_and_go() -> None:
    assert {"2026-03-14 alpha", "2026-06-21 open"} <= {each.id for each in CALENDAR}
    assert USDH in by_id("2026-06-02 usdt").borrowable()
    assert (USDC, USDT0) == by_id("2026-06-21 open").borrowable()
    assert UBTC not in by_id("2026-01-27 pre-alpha").tokens
    assert by_id("2026-01-27 pre-alpha").tokens[HYPE].global_supply_cap is None


@pytest.mark.parametrize(
    ("used", "borrow", "supply"),
    [
        ("0.50", "0.05", "0.0225"),
        ("0.80", "0.05", "0.0360"),
        ("0.85", "0.2875", "0.2199375"),
        ("0.90", "0.525", "0.42525"),
        ("0.95", "0.7625", "0.6519375"),
        ("1.00", "1.00", "0.90"),
    ],
)
def test_the_rate_curve_gives_the_documented_table(used: str, borrow: str, supply: str) -> None:
    curve = CALENDAR[-1].curve
    with exact():
        rate = formulas.borrow_rate(
            EXACT, D(used), curve.base.value, curve.slope.value, curve.kink.value
        )
        earned = formulas.supply_rate(EXACT, rate, D(used), D(1), curve.protocol_share.value)
    assert (D(borrow), D(supply)) == (rate, earned)


def test_the_supply_rate_comes_from_the_unrounded_utilization() -> None:
    """A reserve state of 2026-09-04: truncation would print …6866."""
    borrowed, supplied = D("253396220.4155763984"), D("395290801.9401631355")
    with exact():
        assert D("0.6410374822") == formulas.utilization(EXACT, borrowed, supplied)
        assert D("0.0288466867") == formulas.supply_rate(
            EXACT, D("0.05"), borrowed, supplied, D("0.1")
        )


def test_the_faq_example_is_not_liquidated_whole_when_two_thirds_are_exact() -> None:
    with exact():
        whole = formulas.full_threshold(EXACT, D("0.5"))
        assert D("250.00") == round_half_even(D(300) * whole, 10)
        assert D("249.900") == D(300) * D("0.833")
        assert D("247.5") == D(330) * formulas.threshold(EXACT, D("0.5"))


def test_health_of_the_faq_example() -> None:
    with exact():
        power = formulas.borrowing_power(EXACT, D(1), D(80000), D("0.5"))
        power += formulas.borrowing_power(EXACT, D(200), D(50), D("0.5"))
        factor = formulas.health_factor(EXACT, power, D(42000))
    assert D("1.0714285714") == round_half_even(factor, 10)


def test_an_hour_of_interest_is_nominal_and_continuous() -> None:
    """Effective yearly rates would give 0.556967, simple hourly ones 0.570776."""
    with exact():
        value = formulas.grown(EXACT, D(100_000), D("0.05"), D(3_600_000), 8)
    assert D("0.570776") <= value - 100_000 <= D("0.570778")


def test_deductions_of_the_tiers_are_the_recorded_ones() -> None:
    with exact():
        hype = formulas.tier_deduction(EXACT, D(0), D(20_000_000), D("0.1"), D("0.05"))
        bitcoin = formulas.tier_deduction(EXACT, D(0), D(150_000_000), D("0.025"), D("0.0125"))
    assert (D(1_000_000), D(1_875_000)) == (hype, bitcoin)
