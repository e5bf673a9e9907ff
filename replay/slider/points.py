"""Points: at which instants lines are drawn, so that there are never more than asked for.

Where all events and full hours are few enough, all of them, and prices recorded in between as far
as there is room. Else full hours, as many apart as it takes, fill a half; the millisecond before
each liquidation and the liquidation itself come first, and events spread evenly by their number
fill the rest. What lies between is counted, never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.units import Millis
from replay.slider.marks import LIQUIDATION
from replay.slider.steps import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replay.slider.marks import Mark
    from replay.slider.steps import Steps

POINTS_MIN: Final = 16
POINTS_MAX: Final = 2000

_HOURS_APART: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 672)


@attrs.frozen(kw_only=True)
class Points:
    """The instants of lanes, ascending, and which they are."""

    moments: tuple[Millis, ...]
    hours_apart: int | None
    """How many hours lie between the full hours that are drawn; None when none is."""
    is_every_event: bool
    """Whether every moment with an event is drawn."""

    def said(self) -> str:
        """Return in words what is drawn."""
        hours = {None: "no full hours", 1: "every full hour"}.get(
            self.hours_apart, f"every {self.hours_apart} hours"
        )
        events = "every event" if self.is_every_event else "liquidations, events spread evenly"
        return f"drawn at {len(self.moments):,} instants: {events}, {hours}"


def points(steps: Steps, marks: Iterable[Mark], prices: Iterable[int], count: int) -> Points:
    """Return at most *count* instants of a history; no fewer than 16 and no more than 2,000 can be.

    *prices* are the moments at which prices were recorded that the account's margin hangs on.
    """
    count = min(max(count, POINTS_MIN), POINTS_MAX)
    if steps.span is None:
        return Points(moments=(), hours_apart=None, is_every_event=True)
    first, last = steps.span
    found: set[int] = {first, last}
    events: set[int] | None = None
    if steps.count <= POINTS_MAX:
        events = {steps.moment(ordinal) for ordinal in range(steps.count)}
    is_every_event = events is not None and len(events) <= count // 2
    told = [
        at
        for mark in marks
        if mark.family == LIQUIDATION
        for at in (mark.ms - 1, mark.ms, mark.until)
        if first <= at <= last
    ]
    found |= set(_spread(told, count // 4))
    if is_every_event and events is not None:
        found |= events
    apart, hours = _hours(first, last, (count - len(found)) * 2 // 3)
    found |= set(hours)
    if not is_every_event:
        found |= _moments(steps, count - len(found))
    between = sorted(at for at in prices if first <= at <= last and at not in found)
    found |= set(_spread(between, count - len(found)))
    return Points(
        moments=tuple(Millis(at) for at in sorted(found)),
        hours_apart=apart,
        is_every_event=is_every_event,
    )


def _moments(steps: Steps, count: int) -> set[int]:
    """Return the moments of events, spread evenly by their number."""
    return {steps.moment(ordinal) for ordinal in _spread(range(steps.count), count)}


def _hours(first: int, last: int, count: int) -> tuple[int | None, list[int]]:
    """Return how many hours apart, and the full hours, of which at most *count* may be drawn."""
    for apart in _HOURS_APART:
        width = apart * HOUR_MS
        start = -(-first // width) * width
        if (last - start) // width + 1 <= count:
            found = list(range(start, last + 1, width))
            return (apart, found) if found else (None, [])
    return None, []


def _spread(of: Sequence[int], count: int) -> list[int]:
    """Return at most *count* of a sequence, evenly spread, the first and the last among them."""
    if len(of) <= count:
        return list(of)
    if count < 2:
        return list(of[: max(count, 0)])
    return [of[number * (len(of) - 1) // (count - 1)] for number in range(count)]
