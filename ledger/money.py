"""Exact decimals: reading them, writing them, and the only roundings there are.

Everything inside is a ``Decimal`` under one context that refuses to round silently. What an
operation returns:

==============================  =====================================================
amount ± amount                 an amount, exact
size × price                    a plain number, exact, to be named by whoever asked
anything ÷ anything             only by name: ``divide_down``, ``divide_half_even``
fewer places                    only by name: ``round_down``, ``round_floor``, ``round_half_even``,
                                ``round_up``
``exp_rounded``                 e to a power, correctly rounded
``ln_rounded``                  natural logarithm, correctly rounded
``ratio53``                     the venue's own double: quotient, then product, each of 53 bits
==============================  =====================================================
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from decimal import (
    ROUND_05UP,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
    Underflow,
    localcontext,
)
from functools import cache
from typing import TYPE_CHECKING, Final

from ledger.errors import MalformedRecord

if TYPE_CHECKING:
    from collections.abc import Generator

ZERO: Final = Decimal(0)

INTEGER_DIGITS_MAX: Final = 31
FRACTION_DIGITS_MAX: Final = 30

EXACT: Final = Context(
    prec=400,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    traps=[
        Clamped,
        DivisionByZero,
        FloatOperation,
        Inexact,
        InvalidOperation,
        Overflow,
        Rounded,
        Subnormal,
        Underflow,
    ],
)
"""The context of every sum and product: wide, and it raises where it would have to round."""

_ROUNDING: Final = Context(prec=400, Emin=-999_999, Emax=999_999, traps=[InvalidOperation])
_QUOTIENT: Final = Context(
    prec=420, rounding=ROUND_05UP, Emin=-999_999, Emax=999_999, traps=[InvalidOperation]
)

_TEXT_MAX: Final = 1 + INTEGER_DIGITS_MAX + 1 + FRACTION_DIGITS_MAX
_PLAIN: Final = re.compile(
    rf"\A-?(?:0|[1-9][0-9]{{0,{INTEGER_DIGITS_MAX - 1}}})(?:\.[0-9]{{1,{FRACTION_DIGITS_MAX}}})?\Z",
    re.ASCII,
)
_EXPONENT: Final = re.compile(r"\A-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,3}\Z", re.ASCII)


@contextmanager
def exact() -> Generator[None]:
    """Enter the exact context: sums and products are exact or they raise."""
    with localcontext(EXACT):
        yield


def parse_decimal(text: object, *, field: str = "amount", exponent: bool = False) -> Decimal:
    """Return the exact value of a decimal the venue wrote as text, trailing zeros dropped.

    ``exponent`` admits forms such as ``5.53e-7``, which only web exports and spreadsheets write.
    The characters themselves stay in the raw record.

    Raises: MalformedRecord, for anything but plain digits: signs other than a leading minus, a
    minus before zero, separators, ``NaN``, too many digits (31 before, 30 after the point).
    """
    if isinstance(text, str):
        if _PLAIN.match(text):
            shown = text.rstrip("0").rstrip(".") if text[-1] == "0" and "." in text else text
            value = Decimal(shown)
            if value or text[0] != "-":
                return value or ZERO
        elif exponent and len(text) <= _TEXT_MAX and _EXPONENT.match(text):
            return _from_exponent(text, field=field)
    raise MalformedRecord(
        field=field,
        found=text,
        expected="a decimal number in plain digits, such as 0.5",
    )


def _from_exponent(text: str, *, field: str) -> Decimal:
    value = Decimal(text)
    if value and not -FRACTION_DIGITS_MAX <= value.adjusted() < INTEGER_DIGITS_MAX:
        raise MalformedRecord(
            field=field, found=text, expected="at most 31 digits before the point"
        )
    return Decimal(canonical(value))


def canonical(value: Decimal) -> str:
    """Return the one text of a number: plain digits, no trailing zeros, no minus zero."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def places(value: Decimal) -> int:
    """Return how many digits stand after the point in the canonical text of *value*."""
    _, point, fraction = canonical(value).partition(".")
    return len(fraction) if point else 0


@cache
@cache
def _quantum(count: int) -> Decimal:
    return Decimal((0, (1,), -count))


def round_down(value: Decimal, count: int) -> Decimal:
    """Return *value* with *count* decimal places, cut off toward zero."""
    return value.quantize(_quantum(count), rounding=ROUND_DOWN, context=_ROUNDING)


def round_floor(value: Decimal, count: int) -> Decimal:
    """Return *value* with *count* decimal places, rounded toward minus infinity."""
    return value.quantize(_quantum(count), rounding=ROUND_FLOOR, context=_ROUNDING)


def round_half_even(value: Decimal, count: int) -> Decimal:
    """Return *value* with *count* decimal places, ties to the even digit."""
    return value.quantize(_quantum(count), rounding=ROUND_HALF_EVEN, context=_ROUNDING)


def round_up(value: Decimal, count: int) -> Decimal:
    """Return *value* with *count* decimal places, rounded away from zero."""
    return value.quantize(_quantum(count), rounding=ROUND_UP, context=_ROUNDING)


def scaled(value: Decimal, count: int) -> int:
    """Return *value* × 10^count as a whole number.

    Raises: ValueError, when the value has more than *count* decimal places.
    """
    shifted = value.scaleb(count, context=EXACT)
    whole = int(shifted)
    if whole != shifted:
        message = f"{canonical(value)} has more than {count} decimal places"
        raise ValueError(message)
    return whole


def unscaled(value: int, count: int) -> Decimal:
    """Return the whole number *value* ÷ 10^count as an exact decimal."""
    return Decimal(value).scaleb(-count, context=EXACT)


def divide_down(dividend: Decimal, divisor: Decimal, count: int) -> Decimal:
    """Return the quotient cut off toward zero at *count* decimal places."""
    return _divided(dividend, divisor, count, rounding=ROUND_DOWN)


def divide_half_even(dividend: Decimal, divisor: Decimal, count: int) -> Decimal:
    """Return the correctly rounded quotient at *count* decimal places, ties to the even digit."""
    return _divided(dividend, divisor, count, rounding=ROUND_HALF_EVEN)


def _divided(dividend: Decimal, divisor: Decimal, count: int, *, rounding: str) -> Decimal:
    """Divide to more digits than any number here has, and round what that gives.

    The second rounding sees the exact quotient: where digits follow behind the last one, the first
    leaves neither a 0 nor a 5 there, so that no tie is seen where there is none.
    """
    if not divisor:
        message = f"{canonical(dividend)} is divided by zero"
        raise ZeroDivisionError(message)
    long = _QUOTIENT.divide(dividend, divisor)
    quotient = long.quantize(_quantum(count), rounding=rounding, context=_ROUNDING)
    return quotient or quotient.copy_abs()


def exp_rounded(value: Decimal, count: int) -> Decimal:
    """Return e to the power of *value*, correctly rounded half to even at *count* places.

    **Units**: a plain number; the argument may have any number of digits up to 400.
    """
    digits = max(0, value.adjusted() + 1) * 3 + count
    for guard in (30, 60, 120, 240):
        wide = Context(prec=digits + guard, Emin=-999_999, Emax=999_999, traps=[InvalidOperation])
        power = wide.exp(value)
        unit = wide.scaleb(Decimal(1), power.adjusted() - digits - guard + 2)
        low, high = wide.subtract(power, unit), wide.add(power, unit)
        if round_half_even(low, count) == round_half_even(high, count) or not value:
            return round_half_even(power, count)
    message = f"e to the power of {canonical(value)} lies too near a tie at {count} places"
    raise ArithmeticError(message)


def ln_rounded(value: Decimal, count: int) -> Decimal:
    """Return the natural logarithm of *value*, correctly rounded half to even at *count* places.

    **Units**: a plain number above zero, of any number of digits up to 400.

    Raises: decimal.InvalidOperation, for zero and below.
    """
    for guard in (30, 60, 120, 240):
        wide = Context(prec=count + guard + 10, Emin=-999_999, Emax=999_999,
                       traps=[InvalidOperation])  # fmt: skip
        found = wide.ln(value)
        unit = wide.scaleb(Decimal(1), -count - guard + 10)
        low, high = wide.subtract(found, unit), wide.add(found, unit)
        if round_half_even(low, count) == round_half_even(high, count) or not found:
            return round_half_even(found, count)
    message = f"the logarithm of {canonical(value)} lies too near a tie at {count} places"
    raise ArithmeticError(message)


def ratio53(value: int, *, numerator: int, denominator: int) -> int:
    """Return trunc(double(value) × double(numerator ÷ denominator)), in whole numbers.

    The venue's own arithmetic where it keeps the remaining share of an entry notional: the
    quotient and then the product are each rounded to 53 significant bits, ties to even, and the
    product is truncated. **Units**: as *value*; all arguments non-negative, denominator positive.
    **Source**: 735 of 735 recorded closes (an exact ratio explains 733, an exact product 545).
    """
    if not (value and numerator):
        return 0
    # Lifted by so much, the quotient has at least two bits more than 53; where anything remains
    # behind them, the last of them is set, so that no tie is seen where there is none.
    lift = max(0, 55 + denominator.bit_length() - numerator.bit_length())
    quotient, remainder = divmod(numerator << lift, denominator)
    share = _to_53_bits(quotient | 1 if remainder else quotient)
    whole = _to_53_bits(value) if value >> 53 else value
    return _to_53_bits(whole * share) >> lift


def _to_53_bits(value: int) -> int:
    """Return *value* rounded half to even to 53 significant bits, at its own size."""
    drop = value.bit_length() - 53
    if drop <= 0:
        return value
    return (value + (1 << (drop - 1)) - 1 + (value >> drop & 1)) >> drop << drop
