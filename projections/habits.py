"""Habits: the convention by which one side was paid through a whole period.

The rule is held against all rows first. Where it leaves more than one unexplained, others are
walked: the rule with one thing changed (how the rate is read, the cut-off, the moment of
operations, the rounding), then, where none of them will do, a reading of the rate together with a
cut-off or a rounding. The one that explains most is the account's own, if it explains more than
one row that the rule does not; where several explain as many it is undetermined among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import places
from projections.conventions import (
    PAID_PLACES,
    ROUNDINGS,
    RULE,
    Convention,
    Factors,
    readings_of,
)
from projections.payouts import Payable, Walked, Walker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ledger.units import Millis
    from projections.payouts import Hour, Paid

UNDETERMINED: Final = "undetermined"

LET_BE: Final = 1
"""How many rows the rule may leave unexplained before another convention is looked for."""

FEW: Final = 16
"""Rows of a month that go wrong one by one: a convention that misfits no more is the one."""


@attrs.frozen(kw_only=True)
class Habit:
    """One side walked by rule, and by the convention that explains most of its rows."""

    by_rule: Walked
    own: Walked
    tied: tuple[Walked, ...] = ()
    """Every convention that explains as many rows, the account's own first; empty for the rule."""
    rows: int = 0
    """How many rows stand against an amount that is known and not zero."""

    @property
    def name(self) -> str:
        """What the account's convention is called; undetermined where several explain as much."""
        return self.own.convention.name if len(self.tied) <= 1 else UNDETERMINED

    @property
    def candidates(self) -> tuple[Convention, ...]:
        """Every convention that explains as many rows as the account's own."""
        return tuple(each.convention for each in self.tied) or (self.own.convention,)

    @property
    def is_rule(self) -> bool:
        """Whether rows are held against the rule alone."""
        return self.own.convention == RULE


def habit(
    hours: Sequence[Hour],
    rows: Mapping[Millis, Sequence[Paid]],
    factors: Factors,
    *,
    late_after: int,
) -> Habit:
    """Return one side walked by rule and by its own convention. Use it in the exact context."""

    def walked(convention: Convention, misses_max: int | None = None) -> Walked:
        return Walker(hours, rows, convention, factors, late_after=late_after).walked(misses_max)

    by_rule = walked(RULE)
    looked_at = [each for each in by_rule.payables if each.row is not None and each.due]
    misses = by_rule.misses
    plain = Habit(by_rule=by_rule, own=by_rule, rows=len(looked_at))
    if misses <= LET_BE:
        return plain
    allowed = misses - LET_BE - 1
    for family in (tuple(_one_thing(looked_at, hours)), tuple(_two_things(looked_at))):
        # Most of what is not the convention misfits soon; the patient search is for what is left.
        for patience in dict.fromkeys((min(FEW, allowed), allowed)):
            tried = [walked(each, patience) for each in family]
            whole = [each for each in tried if len(each.payables) == len(hours)]
            best = min((each.misses for each in whole), default=misses)
            if misses - best > LET_BE:
                tied = tuple(each for each in whole if each.misses == best)
                return attrs.evolve(plain, own=tied[0], tied=tied)
    return plain


def _one_thing(looked_at: Sequence[Payable], hours: Sequence[Hour]) -> Iterator[Convention]:
    """Yield the rule with one thing changed."""
    yield from readings_of(RULE)
    for shift in (-1, 1):
        yield attrs.evolve(RULE, shift=shift)
    if any(hour.has_operation for hour in hours):
        yield attrs.evolve(RULE, operations="before")
        yield attrs.evolve(RULE, operations="after")
    yield from _roundings(RULE, looked_at)


def _two_things(looked_at: Sequence[Payable]) -> Iterator[Convention]:
    """Yield another reading of the rate together with a cut-off or a rounding."""
    for reading in readings_of(RULE):
        yield from _roundings(reading, looked_at)
        for shift in (-1, 1):
            yield attrs.evolve(reading, shift=shift)


def _roundings(account: Convention, looked_at: Sequence[Payable]) -> Iterator[Convention]:
    """Yield the roundings from the place on that four rows of five keep, where it is coarse."""
    counts = sorted(places(each.row.amount) for each in looked_at if each.row is not None)
    if not counts:
        return
    first = next(each for number, each in enumerate(counts, 1) if 5 * number >= 4 * len(counts))
    for count in range(max(2, first), PAID_PLACES):
        for rounding in ROUNDINGS:
            yield attrs.evolve(account, rounding=rounding, places=count)
