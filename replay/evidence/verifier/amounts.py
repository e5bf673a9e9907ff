"""Amounts: exact fractions, numbers that are not known, and the roundings that rules name.

What margin rests on is a fraction, or :class:`Unknown` under the name of what is missing; whatever
is made of something unknown is unknown by the same name, and never zero.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Union

from replay.evidence.verifier.canon import ONE, fixed

QUOTIENT_PLACES = 20
GROWN_PLACES = 10
EXPONENTIAL_PLACES = 40
YEAR_MS = 365 * 24 * 3_600_000
HIGHEST_POWER = 100


class Unknown:
    """A number that the records do not say, by its name."""

    def __init__(self, name: str) -> None:
        """Keep the name of what is missing."""
        self.name = name


Amount = Union[Fraction, Unknown]
NOTHING = Fraction(0)


def plain(text: Any) -> Fraction:
    """Return a number of plain digits as a fraction."""
    return Fraction(fixed(text), ONE)


def exactly(text: Any, name: str) -> Amount:
    """Return a number of plain digits as a fraction; what is null is unknown by that name."""
    return Unknown(name) if text is None else plain(text)


def made(rule: Callable[..., Amount], *parts: Amount) -> Amount:
    """Return what a rule makes of parts; the first unknown one where there is any."""
    for part in parts:
        if isinstance(part, Unknown):
            return part
    return rule(*parts)


def plus(*parts: Amount) -> Amount:
    """Return a sum; nothing for no parts."""
    return made(lambda *known: sum(known, NOTHING), *parts)


def less(one: Amount, other: Amount) -> Amount:
    """Return a difference."""
    return made(lambda a, b: a - b, one, other)


def product(*parts: Amount) -> Amount:
    """Return a product."""

    def result(*known: Fraction) -> Fraction:
        total = Fraction(1)
        for factor in known:
            total *= factor
        return total

    return made(result, *parts)


def unsigned(one: Amount) -> Amount:
    """Return an amount without its sign."""
    return one if isinstance(one, Unknown) else abs(one)


def lower(one: Amount, other: Amount) -> Amount:
    """Return the smaller of two."""
    return made(min, one, other)


def quotient(top: Amount, bottom: Amount) -> Amount:
    """Return a quotient at twenty places, ties to the even digit; by zero it does not exist."""

    def divided(over: Fraction, under: Fraction) -> Amount:
        if not under:
            return Unknown("a quotient by zero, which does not exist")
        return nearest(over / under, QUOTIENT_PLACES)

    return made(divided, top, bottom)


def nearest(value: Fraction, places: int) -> Fraction:
    """Return a fraction rounded to so many places, ties to the even digit."""
    return round(value, places)


def cut(value: Fraction, places: int) -> Fraction:
    """Return a fraction cut off toward zero after so many places."""
    scale: int = 10**places
    whole = abs(value.numerator) * scale // value.denominator
    return Fraction(-whole if value < 0 else whole, scale)


def grown(value: Fraction, rate: Fraction, elapsed: int) -> Fraction:
    """Return a loan after so many milliseconds at a yearly nominal rate that accrues continuously.

    ``value × e^(rate × time ÷ 365 days)``: power at 20 places, exponential at 40, result cut at 10.
    """
    power = nearest(rate * elapsed / YEAR_MS, QUOTIENT_PLACES)
    return cut(value * exponential(power), GROWN_PLACES)


def exponential(power: Fraction) -> Fraction:
    """Return e to a power, correctly rounded at forty places.

    Raises: ArithmeticError, for a power that no interest comes to.
    """
    if abs(power) > HIGHEST_POWER:
        message = f"interest to the power of {power}"
        raise ArithmeticError(message)
    guard = 100
    while True:
        scale: int = 10 ** (EXPONENTIAL_PLACES + guard)
        total = term = scale
        number = 0
        while term not in (0, -1):
            number += 1
            term = term * power.numerator // (power.denominator * number)
            total += term
        doubt: int = 10 ** (guard // 2)
        ends = [
            nearest(Fraction(end, scale), EXPONENTIAL_PLACES)
            for end in (total - doubt, total + doubt)
        ]
        if ends[0] == ends[1]:
            return ends[0]
        guard *= 2
