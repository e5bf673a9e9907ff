"""One rule text, two readings: the same number, and a derivation that says how."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledger.money import exact
from projections.arithmetic import EXACT, Arithmetic, N, Workings

NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9
)


def every_operation(a: Arithmetic[N], x: N, y: N, z: N) -> N:
    """Use each operation of the arithmetic once."""
    sums = a.named("sums", a.total([x, y, z]) - a.lit("0.5") * x)
    bounds = a.named("bounds", a.minimum(a.maximum(x, y), z) + a.absolute(y), "USDC")
    one = a.maximum(a.absolute(z), a.lit("1"))
    quotients = a.ratio(x, one) + a.divide_down(y, one, 8) - a.divide_half_even(z, one, 6)
    return (
        sums + bounds * quotients + a.round_down(x, 2) + a.exp(a.ratio(y, a.lit("1000000000")), 12)
    )


@given(NUMBERS, NUMBERS, NUMBERS)
def test_both_readings_agree_on_every_input(x: Decimal, y: Decimal, z: Decimal) -> None:
    with exact():
        plain = every_operation(EXACT, x, y, z)
        shown = Workings()
        derived = every_operation(
            shown, shown.given("x", x), shown.given("y", y), shown.given("z", z)
        )
    assert plain == derived.value


def test_a_derivation_reads_like_one_on_paper() -> None:
    with exact():
        a = Workings()
        price, size = a.given("mark", Decimal("36.38")), a.given("size", Decimal(300))
        a.named("threshold", a.lit("0.5") + a.lit("0.5") * a.given("LTV", Decimal("0.5")))
        a.named("value", (price - a.lit("1")) * size, "USDC")
    assert [
        "threshold = 0.5 + 0.5 × LTV [0.5] = 0.75",
        "value = (mark [36.38] − 1) × size [300] = 10614 USDC",
    ] == [step.line() for step in a.steps]


def test_a_named_quantity_is_shown_by_its_name_from_then_on() -> None:
    with exact():
        a = Workings()
        total = a.named("total", a.given("x", Decimal(1)) + a.given("y", Decimal(2)))
        a.named("half", total * a.lit("0.5"))
    assert "half = total [3] × 0.5 = 1.5" == a.steps[-1].line()
