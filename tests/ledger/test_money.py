"""Exact decimals: reading, writing, and the named roundings."""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import money
from ledger.errors import MalformedRecord

DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, places=12, min_value=-(10**15), max_value=10**15
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2703997.4500000002", "2703997.4500000002"),  # a deposit in the recorded ledger updates
        ("50.0", "50"),
        ("0.0", "0"),
        ("-4.760", "-4.76"),
        ("0.0000000553", "0.0000000553"),
    ],
)
def test_a_number_keeps_its_value_and_loses_only_trailing_zeros(text: str, canonical: str) -> None:
    assert canonical == money.canonical(money.parse_decimal(text))


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "1e5",
        "+1",
        "-0",
        "-0.00",
        "1,5",
        "1 000",
        "１",
        "0x10",
        "",
        ".5",
        "5.",
        "00.1",
        "1\n",
        None,
        1,
        1.5,
        True,
        "1" * 32,
        "0." + "1" * 31,
    ],
)
def test_what_is_not_plain_digits_is_refused_with_field_and_value(text: object) -> None:
    with pytest.raises(MalformedRecord) as caught:
        money.parse_decimal(text, field="usdc")
    assert ("usdc", text) == (caught.value.field, caught.value.found)


def test_an_exponent_is_read_only_where_the_source_is_known_to_write_it() -> None:
    assert "0.000000553" == money.canonical(money.parse_decimal("5.53e-7", exponent=True))
    for text in ("1e400", "1e-400", "5e31"):
        with pytest.raises(MalformedRecord):
            money.parse_decimal(text, exponent=True)


@given(DECIMALS)
def test_canonical_text_is_a_fixed_point_and_equal_in_value(value: Decimal) -> None:
    text = money.canonical(value)
    assert text == money.canonical(Decimal(text))
    assert Decimal(text) == value


def test_sums_are_exact_and_silent_rounding_raises() -> None:
    with money.exact():
        assert Decimal("0.3") == Decimal("0.1") + Decimal("0.2")
        with pytest.raises(Inexact):
            Decimal(1) / Decimal(3)


@given(DECIMALS, DECIMALS.filter(bool), st.integers(0, 20))
def test_named_divisions_agree_with_fractions(top: Decimal, bottom: Decimal, count: int) -> None:
    exact = Fraction(top) / Fraction(bottom)
    scaled = exact * 10**count
    assert int(scaled) == int(Fraction(money.divide_down(top, bottom, count)) * 10**count)
    assert round(scaled) == int(Fraction(money.divide_half_even(top, bottom, count)) * 10**count)


def test_a_quotient_a_hair_beside_a_tie_is_rounded_to_its_side():
    """The digit that tells lies 430 places behind, further than any quotient is written out."""
    whole = 2 * 10**430
    for above, cut, near in ((1, "0", "1"), (0, "0", "0"), (-1, "0", "0")):
        top, bottom = Decimal(whole // 2 + above), Decimal(whole)
        assert Decimal(cut) == money.divide_down(top, bottom, 0)
        assert Decimal(near) == money.divide_half_even(top, bottom, 0)
        assert -Decimal(near) == money.divide_half_even(top.copy_negate(), bottom, 0)


def test_a_quotient_of_nothing_has_no_sign_and_all_its_places():
    for top, bottom in ((0, -7), (0, 7), (-1, 10**9)):
        found = money.divide_half_even(Decimal(top), Decimal(bottom), 3)
        assert Decimal("0.000").as_tuple() == found.as_tuple()


def test_nothing_is_divided_by_zero():
    for top in (0, 1):
        with pytest.raises(ZeroDivisionError):
            money.divide_down(Decimal(top), Decimal(0), 2)


@given(st.integers(0, 2**70), st.integers(1, 2**60), st.data())
def test_ratio53_is_the_ieee_double_of_quotient_and_product(
    value: int, bottom: int, data: st.DataObject
) -> None:
    top = data.draw(st.integers(0, bottom))
    assert int(float(value) * (top / bottom)) == money.ratio53(
        value, numerator=top, denominator=bottom
    )


def test_the_double_and_an_exact_ratio_are_not_the_same_rule() -> None:
    """Where the share is whole, the double of the ratio may fall one short of it."""
    differing = [
        (value, top, bottom)
        for bottom in range(2, 60)
        for top in range(1, bottom)
        for value in range(bottom, 20 * bottom, bottom)
        if value * top // bottom != money.ratio53(value, numerator=top, denominator=bottom)
    ]
    assert all(
        int(float(value) * (top / bottom)) == value * top // bottom - 1
        for value, top, bottom in differing
    )
    assert len(differing) > 100


def test_scaled_refuses_digits_it_would_lose() -> None:
    assert 1_500_000 == money.scaled(Decimal("1.5"), 6)
    with pytest.raises(ValueError, match="more than 2 decimal places"):
        money.scaled(Decimal("0.001"), 2)


@pytest.mark.parametrize(
    ("power", "count", "expected"),
    [
        ("0", 5, "1"),
        ("1", 30, "2.718281828459045235360287471353"),  # e, from tables
        ("-1", 20, "0.36787944117144232160"),
        ("10", 12, "22026.465794806717"),
    ],
)
def test_the_exponential_is_correctly_rounded(power: str, count: int, expected: str) -> None:
    assert Decimal(expected) == money.round_half_even(
        money.exp_rounded(Decimal(power), count), count
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=15, min_value=-3, max_value=3))
def test_the_exponential_agrees_with_its_series(power: Decimal) -> None:
    term, total = Fraction(1), Fraction(1)
    for index in range(1, 60):
        term = term * Fraction(power) / index
        total += term
    assert abs(Fraction(money.exp_rounded(power, 25)) - total) <= Fraction(
        1, 2 * 10**25
    ) + Fraction(1, 10**30)
