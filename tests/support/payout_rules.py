"""The ways to count an hour of interest, in whole numbers: a second hand beside the product's.

Token amounts are whole numbers of 10^-30, payouts units of 10^-8, rates units of 10^-10 a year.
The exponential and the logarithm are integer series. Nothing is imported from the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

SCALE = 10**30
UNIT = 10**22
"""A unit of the eighth place of a payout."""
RATE = 10**10
FINE = 10**36
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

GROWTHS = {
    "nominal": "nominal continuous",
    "simple": "simple hourly",
    "principal": "simple on the basis",
    "effective": "effective yearly rate",
}
ROUNDING_MODES = ("down", "half even", "up")


@dataclass(frozen=True)
class Way:
    """One way to count an hour."""

    growth: str = "nominal"
    year: int = 365
    cut: int = 0
    moved: str = ""
    mode: str = ""
    places: int = 8

    def called(self) -> str:
        """Return the words for it: what differs from the rule, and the reading where none does."""
        words = [GROWTHS[self.growth]] if self.growth != "nominal" else []
        words += [f"{self.year} days"] if self.year != 365 else []
        words += [f"cut-off one hour {'early' if self.cut < 0 else 'late'}"] if self.cut else []
        words += [f"operations {self.moved} the hour"] if self.moved else []
        words += [f"rounded {self.mode} at {self.places} places"] if self.mode else []
        return ", ".join(words) or GROWTHS["nominal"]


RULE = Way()
READINGS = tuple(Way(growth, year) for growth, year in product(GROWTHS, (365, 360, 366)))


@dataclass(frozen=True)
class Piece:
    """Milliseconds at one rate, then what is moved in or out."""

    ms: int
    rate: int
    moved: int = 0


@lru_cache(maxsize=200_000)
def earned(growth: str, year: int, rate: int, ms: int) -> int:
    """Return what one token earns, in units of 10^-36."""
    span = year * DAY_MS
    if growth == "nominal":
        return grown(rate * ms * FINE // (RATE * span))
    if growth == "effective":
        return grown(logarithm(rate) * ms // span)
    return rate * ms * FINE // (RATE * span)


def grown(power: int) -> int:
    """Return e^power − 1, both in units of 10^-36."""
    term, total, count = power, power, 1
    while term:
        count += 1
        term = term * power // (FINE * count)
        total += term
    return total


@lru_cache(maxsize=100_000)
def logarithm(rate: int) -> int:
    """Return ln(1 + rate) in units of 10^-36: twice the area tangent of rate ÷ (2 + rate)."""
    ratio = rate * FINE // (2 * RATE + rate)
    square, term, total, odd = ratio * ratio // FINE, ratio, 0, 1
    while term:
        total += term // odd
        term, odd = term * square // FINE, odd + 2
    return 2 * total


def hour(pieces: list[Piece], value: int, basis: int, way: Way) -> tuple[int, int, int]:
    """Return the interest of an hour, and value and basis after it."""
    if way.moved:
        whole = sum(piece.moved for piece in pieces)
        still = [Piece(piece.ms, piece.rate) for piece in pieces]
        lump = Piece(0, 0, whole)
        pieces = [lump, *still] if way.moved == "before" else [*still, lump]
    at_begin, gained = value, 0
    for piece in pieces:
        bears = {
            "nominal": at_begin + gained,
            "effective": at_begin + gained,
            "simple": max(at_begin, 0),
            "principal": basis,
        }[way.growth]
        if bears < SCALE // 10**6:
            bears = 0  # dust earns nothing, however it would be rounded
        gained += bears * earned(way.growth, way.year, piece.rate, piece.ms) // FINE
        if piece.moved:
            at_begin += piece.moved
            if -SCALE // 10**6 < at_begin + gained < UNIT:
                at_begin = -gained  # what is left of a unit goes with the last one
            basis = at_begin + gained
    return gained, at_begin + gained, basis


def printed(fine: int, way: Way) -> int:
    """Return a payout in units as a way prints it; without a mode it is cut off at 8 places."""
    step = UNIT * 10 ** (8 - way.places)
    whole, rest = divmod(fine, step)
    if way.mode == "up":
        whole += rest > 0
    elif way.mode == "half even":
        whole += 2 * rest > step or (2 * rest == step and whole % 2 == 1)
    return whole * (step // UNIT)


def could_be(units: int, fine: int, way: Way) -> bool:
    """Tell whether a payout is an amount printed so: without a mode by any rounding at 8 places."""
    if way.mode:
        return units == printed(fine, way)
    return abs(units * UNIT - fine) < UNIT
