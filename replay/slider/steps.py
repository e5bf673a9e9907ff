"""Steps: the positions of a slider in time: moments of events in effective order, and full hours.

All is answered out of the columns of a course: a few comparisons, and the moment of one line.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import attrs

from ledger import timeline
from ledger.timeline.sheets import at_of
from ledger.units import Millis

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.entries import Batch
    from ledger.timeline import Course

HOUR_MS: Final = 3_600_000


@attrs.frozen(kw_only=True)
class Step:
    """Where an instant stands among the events. **Units**: milliseconds; counts of events."""

    at: Millis
    by_then: int
    """Events at or before the instant."""
    together: int
    """Events of this very millisecond: they are one step; 0 where there is none."""
    previous: Millis | None
    """The last moment with an event before the instant; None before the first."""
    next: Millis | None
    """The first moment with an event after it; None after the last."""
    previous_hour: Millis | None
    """The full hour before; None where it is before the hour the history begins in."""
    next_hour: Millis | None
    """The full hour after; None where it is after the hour the history ends in."""


class Steps:
    """The steps of one course. **Order**: effective."""

    def __init__(self, course: Course, batch_of: Callable[[int], Batch]) -> None:
        """Step through *course*; *batch_of* gives a batch of its stream by version."""
        self._course = course
        self._batch_of = batch_of

    @property
    def count(self) -> int:
        """How many events there are."""
        return self._course.count

    @property
    def span(self) -> tuple[Millis, Millis] | None:
        """Moments of the first and the last event; None without events."""
        if not self._course.count:
            return None
        return Millis(self._course.first_ats[0]), Millis(self._course.last_ats[-1])

    @property
    def hours(self) -> tuple[Millis, Millis] | None:
        """The full hour the first event is in, and the one that ends the hour of the last."""
        span = self.span
        if span is None:
            return None
        first, last = span
        return Millis(first - first % HOUR_MS), Millis(-(-last // HOUR_MS) * HOUR_MS)

    def by(self, at: int) -> int:
        """Return how many events are effective at or before an instant."""
        return self._course.through(at, self._batch_of)

    def moment(self, ordinal: int) -> Millis:
        """Return the moment of the event of an ordinal, counted from 0.

        Raises: IndexError, when there is none.
        """
        version, row = self._course.place(ordinal)
        if version == timeline.LITERAL:
            return self._course.literals[row].at
        # A run whose ends are one moment needs no line.
        index = bisect_right(self._course.starts, ordinal) - 1
        first, last = self._course.first_ats[index], self._course.last_ats[index]
        return Millis(first if first == last else at_of(self._batch_of(version).lines[row]))

    def step(self, at: int) -> Step:
        """Return where an instant stands."""
        before, by_then = self.by(at - 1), self.by(at)
        earlier, later = self._hours_beside(at)
        return Step(
            at=Millis(at),
            by_then=by_then,
            together=by_then - before,
            previous=self.moment(before - 1) if before else None,
            next=self.moment(by_then) if by_then < self.count else None,
            previous_hour=earlier,
            next_hour=later,
        )

    def _hours_beside(self, at: int) -> tuple[Millis | None, Millis | None]:
        """Return the full hours before and after an instant, of those the history reaches over."""
        if self.hours is None:
            return None, None
        first, last = self.hours
        earlier = min((at - 1) // HOUR_MS * HOUR_MS, last)
        later = max((at // HOUR_MS + 1) * HOUR_MS, first)
        return (
            None if earlier < first else Millis(earlier),
            None if later > last else Millis(later),
        )
