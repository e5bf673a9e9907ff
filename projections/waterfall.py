"""Waterfall: a change of a figure shared out among its causes, in parts that sum to it exactly.

Causes that came one after the other are told one after the other: each has the change it made.
Of causes at one instant nobody knows the order, and none may be preferred: each gets the mean of
the changes it makes over all orders (the Shapley value). The method is symmetric: renaming or
reordering the causes changes nothing. Up to ``ALL_ORDERS_UP_TO`` causes all orders are weighed, by
way of the 2^n sets; above, the given order and its reverse are, which is still exact in sum and
indifferent to direction, but not to the order in which more than two causes are named.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING, Final

from ledger.money import ZERO, divide_half_even, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALL_ORDERS_UP_TO: Final = 6
"""Causes of one instant whose orders are all weighed: 720 orders, 64 sets."""

PLACES: Final = 20
"""Decimal places of a share; what that leaves over is told as rounding, never hidden."""


def shares(count: int, value: Callable[[frozenset[int]], Fraction]) -> tuple[Fraction, ...]:
    """Return what each of *count* causes of one instant contributed.

    *value* gives the figure with a set of causes applied; the empty set is before, all is after.
    The shares sum to after less before, exactly.
    """
    if count > ALL_ORDERS_UP_TO:
        forward, backward = range(count), range(count - 1, -1, -1)
        one, other = _along(forward, value), _along(backward, value)
        return tuple(Fraction(1, 2) * (one[number] + other[number]) for number in range(count))
    known: dict[frozenset[int], Fraction] = {}

    def of(chosen: frozenset[int]) -> Fraction:
        if chosen not in known:
            known[chosen] = value(chosen)
        return known[chosen]

    found = []
    for number in range(count):
        others = [each for each in range(count) if each != number]
        total = Fraction(0)
        for chosen in _sets(others):
            size = len(chosen)
            weight = Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
            total += weight * (of(chosen | {number}) - of(chosen))
        found.append(total)
    return tuple(found)


def _along(
    order: Sequence[int], value: Callable[[frozenset[int]], Fraction]
) -> dict[int, Fraction]:
    """Return the change each cause makes when they come in one order."""
    applied: frozenset[int] = frozenset()
    before = value(applied)
    found = {}
    for number in order:
        applied |= {number}
        after = value(applied)
        found[number] = after - before
        before = after
    return found


def _sets(members: Sequence[int]) -> list[frozenset[int]]:
    found: list[frozenset[int]] = [frozenset()]
    for member in members:
        found += [each | {member} for each in found]
    return found


def rounded(parts: Sequence[Fraction], total: Decimal) -> tuple[tuple[Decimal, ...], Decimal]:
    """Return shares as decimals, and what rounding them to twenty places leaves of the total.

    The shares and the rest sum to *total* to the last digit.
    """
    with exact():
        told = tuple(
            divide_half_even(Decimal(part.numerator), Decimal(part.denominator), PLACES)
            for part in parts
        )
        return told, total - sum(told, ZERO)
