"""The tiny arithmetic in which rules are written, and two ways to read it.

A rule is a function over an arithmetic ``a``; it uses ``+ - *``, the named operations below and
``a.lit("0.05")`` for a constant, and has no ``if`` on a value. Read exactly it gives a ``Decimal``;
read with workings it gives the same number and the derivation an auditor would write on paper.
A faster reading may be added; a rule is never written twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar

import attrs

from ledger.money import (
    ZERO,
    canonical,
    divide_down,
    divide_half_even,
    exp_rounded,
    ln_rounded,
    round_down,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIO_PLACES: Final = 20
"""Decimal places of a quotient that no rule rounds: more than the venue prints anywhere."""


class Operand(Protocol):
    """What a rule calculates with."""

    def __add__(self, other: Any, /) -> Any:  # noqa: ANN401 - the operand's own type
        """Return the sum."""
        ...

    def __sub__(self, other: Any, /) -> Any:  # noqa: ANN401 - as above
        """Return the difference."""
        ...

    def __mul__(self, other: Any, /) -> Any:  # noqa: ANN401 - as above
        """Return the product."""
        ...


N = TypeVar("N", bound=Operand)


class Arithmetic(Protocol[N]):
    """The operations a rule may use beside ``+ - *``."""

    def lit(self, text: str) -> N:
        """Return a constant of the rule."""
        ...

    def maximum(self, *values: N) -> N:
        """Return the largest."""
        ...

    def minimum(self, *values: N) -> N:
        """Return the smallest."""
        ...

    def absolute(self, value: N) -> N:
        """Return the value without its sign."""
        ...

    def total(self, values: Sequence[N]) -> N:
        """Return the sum of any number of values; zero for none."""
        ...

    def ratio(self, top: N, bottom: N) -> N:
        """Return top ÷ bottom to twenty places, ties to the even digit."""
        ...

    def divide_down(self, top: N, bottom: N, places: int) -> N:
        """Return top ÷ bottom cut off toward zero at that many places."""
        ...

    def divide_half_even(self, top: N, bottom: N, places: int) -> N:
        """Return top ÷ bottom rounded at that many places."""
        ...

    def round_down(self, value: N, places: int) -> N:
        """Return the value cut off toward zero at that many places."""
        ...

    def exp(self, value: N, places: int) -> N:
        """Return e to the power of *value*, correctly rounded at that many places."""
        ...

    def ln(self, value: N, places: int) -> N:
        """Return the natural logarithm of *value*, correctly rounded at that many places."""
        ...

    def named(self, name: str, value: N, unit: str = "") -> N:
        """Return *value*, and keep it as a quantity worth showing under that name."""
        ...


class Exact:
    """The exact reading: operands are decimals. Use it inside ``ledger.money.exact``."""

    def lit(self, text: str) -> Decimal:
        """Return a constant of the rule."""
        return Decimal(text)

    def maximum(self, *values: Decimal) -> Decimal:
        """Return the largest."""
        return max(values)

    def minimum(self, *values: Decimal) -> Decimal:
        """Return the smallest."""
        return min(values)

    def absolute(self, value: Decimal) -> Decimal:
        """Return the value without its sign."""
        return abs(value)

    def total(self, values: Sequence[Decimal]) -> Decimal:
        """Return the sum; zero for none."""
        return sum(values, ZERO)

    def ratio(self, top: Decimal, bottom: Decimal) -> Decimal:
        """Return top ÷ bottom to twenty places."""
        return divide_half_even(top, bottom, RATIO_PLACES)

    def divide_down(self, top: Decimal, bottom: Decimal, places: int) -> Decimal:
        """Return top ÷ bottom cut off toward zero."""
        return divide_down(top, bottom, places)

    def divide_half_even(self, top: Decimal, bottom: Decimal, places: int) -> Decimal:
        """Return top ÷ bottom rounded."""
        return divide_half_even(top, bottom, places)

    def round_down(self, value: Decimal, places: int) -> Decimal:
        """Return the value cut off toward zero."""
        return round_down(value, places)

    def exp(self, value: Decimal, places: int) -> Decimal:
        """Return e to the power of *value*."""
        return exp_rounded(value, places)

    def ln(self, value: Decimal, places: int) -> Decimal:
        """Return the natural logarithm of *value*."""
        return ln_rounded(value, places)

    def named(self, name: str, value: Decimal, unit: str = "") -> Decimal:  # noqa: ARG002 - kept by the other reading
        """Return *value*; this reading keeps nothing."""
        return value


EXACT: Final = Exact()


@attrs.frozen
class Quantity:
    """A number with the text of how it came about; the operand of the reading with workings."""

    value: Decimal
    text: str
    is_sum: bool = False

    def __add__(self, other: Self) -> Quantity:
        """Return the sum."""
        return Quantity(self.value + other.value, f"{self.text} + {other.text}", is_sum=True)

    def __sub__(self, other: Self) -> Quantity:
        """Return the difference."""
        return Quantity(self.value - other.value, f"{self.text} − {other._factor()}", is_sum=True)

    def __mul__(self, other: Self) -> Quantity:
        """Return the product."""
        return Quantity(self.value * other.value, f"{self._factor()} × {other._factor()}")

    def _factor(self) -> str:
        return f"({self.text})" if self.is_sum else self.text


@attrs.frozen(kw_only=True)
class Step:
    """One line of a derivation: a quantity worth showing, how it was made, and what it is."""

    name: str
    formula: str
    value: Decimal
    unit: str

    def line(self) -> str:
        """Return the step as an auditor would write it."""
        shown = canonical(self.value) + (f" {self.unit}" if self.unit else "")
        return f"{self.name} = {self.formula} = {shown}"


class Workings:
    """The reading with workings: operands carry their text, named quantities become steps."""

    def __init__(self) -> None:
        """Begin an empty derivation."""
        self.steps: list[Step] = []

    def given(self, name: str, value: Decimal) -> Quantity:
        """Return an input of the derivation, by its name and value."""
        return Quantity(value, f"{name} [{canonical(value)}]")

    def lit(self, text: str) -> Quantity:
        """Return a constant of the rule."""
        return Quantity(Decimal(text), text)

    def maximum(self, *values: Quantity) -> Quantity:
        """Return the largest."""
        return self._of("max", *values, value=max(each.value for each in values))

    def minimum(self, *values: Quantity) -> Quantity:
        """Return the smallest."""
        return self._of("min", *values, value=min(each.value for each in values))

    def absolute(self, value: Quantity) -> Quantity:
        """Return the value without its sign."""
        return Quantity(abs(value.value), f"|{value.text}|")

    def total(self, values: Sequence[Quantity]) -> Quantity:
        """Return the sum; zero for none."""
        if not values:
            return self.lit("0")
        text = " + ".join(each.text for each in values)
        return Quantity(sum((each.value for each in values), ZERO), text, is_sum=len(values) > 1)

    def ratio(self, top: Quantity, bottom: Quantity) -> Quantity:
        """Return top ÷ bottom to twenty places."""
        return self._divided(top, bottom, divide_half_even(top.value, bottom.value, RATIO_PLACES))

    def divide_down(self, top: Quantity, bottom: Quantity, places: int) -> Quantity:
        """Return top ÷ bottom cut off toward zero."""
        quotient = self._divided(top, bottom, divide_down(top.value, bottom.value, places))
        return attrs.evolve(quotient, text=f"cut({quotient.text}, {places} places)")

    def divide_half_even(self, top: Quantity, bottom: Quantity, places: int) -> Quantity:
        """Return top ÷ bottom rounded."""
        quotient = self._divided(top, bottom, divide_half_even(top.value, bottom.value, places))
        return attrs.evolve(quotient, text=f"round({quotient.text}, {places} places)")

    def round_down(self, value: Quantity, places: int) -> Quantity:
        """Return the value cut off toward zero."""
        return Quantity(round_down(value.value, places), f"cut({value.text}, {places} places)")

    def exp(self, value: Quantity, places: int) -> Quantity:
        """Return e to the power of *value*."""
        return Quantity(exp_rounded(value.value, places), f"exp({value.text})")

    def ln(self, value: Quantity, places: int) -> Quantity:
        """Return the natural logarithm of *value*."""
        return Quantity(ln_rounded(value.value, places), f"ln({value.text})")

    def named(self, name: str, value: Quantity, unit: str = "") -> Quantity:
        """Return *value* under its name, and write the step down."""
        self.steps.append(Step(name=name, formula=value.text, value=value.value, unit=unit))
        return Quantity(value.value, f"{name} [{canonical(value.value)}]")

    @staticmethod
    def _of(word: str, *values: Quantity, value: Decimal) -> Quantity:
        return Quantity(value, f"{word}({', '.join(each.text for each in values)})")

    @staticmethod
    def _divided(top: Quantity, bottom: Quantity, value: Decimal) -> Quantity:
        under = bottom._factor()  # noqa: SLF001 - one class in two parts
        if under == bottom.text and any(sign in under for sign in (" × ", " ÷ ")):
            under = f"({under})"
        return Quantity(value, f"{top._factor()} ÷ {under}")  # noqa: SLF001 - as above
