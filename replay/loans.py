"""Loans: what was supplied and borrowed at any instant, asked in any order.

One walk through the recorded operations, rows and states (``projections.lending``) is taken only
once: every 32 events of it a copy is put aside, and an instant is the copy before it and at most
32 events. What is put aside is a walk from the beginning, so it is no other truth.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from ledger.money import exact
from projections.lending import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.events import Event
    from ledger.units import Millis
    from projections.lending import Key, Loan, Rates
    from projections.reference import Reference

EVERY: Final = 32
"""Events between two copies."""


class Loans:
    """The loans of one account. May be asked from several threads."""

    def __init__(self, events: Sequence[Event], known: Rates, reference: Reference) -> None:
        """Walk through *events* by the rates *known*. **Order**: effective."""
        self._events = events
        self._moments = [event.at for event in events]
        self._copies = [Walk(known, reference)]

    def at(self, at: Millis) -> Mapping[Key, Loan]:
        """Return all loans at an instant, interest run up to it."""
        count = bisect_right(self._moments, at)
        wanted = count // EVERY
        copies = self._copies
        with exact():
            while len(copies) <= wanted:
                number = len(copies)
                walk = self._on(copies[number - 1], (number - 1) * EVERY, number * EVERY)
                if len(copies) == number:  # else another thread came first, with the same
                    copies.append(walk)
            return self._on(copies[wanted], wanted * EVERY, count).until(at)

    def _on(self, walk: Walk, start: int, stop: int) -> Walk:
        """Return a copy of a walk that has taken some more events."""
        other = walk.copied()
        for event in self._events[start:stop]:
            other.take(event)
        return other.copied()
