"""Drawing: a figure through a period as a line of steps, in SVG that stands inside a page.

No library, no script, no font of its own. Only here amounts become floats: for places on paper,
never for a figure; the numbers written beside the line are exact.
"""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import canonical
from ledger.units import Millis
from replay.moments import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 720
HEIGHT: Final = 180
LEFT: Final = 110
RIGHT: Final = 14
TOP: Final = 14
BOTTOM: Final = 30


@attrs.frozen(kw_only=True)
class Line:
    """A figure through time: its value from each moment on. **Order**: by moment."""

    title: str
    unit: str
    points: tuple[tuple[Millis, Decimal], ...]
    limit: Decimal | None = None
    """A value to be drawn across, such as the ratio above which an account may be liquidated."""


def drawn(line: Line, *, since: Millis, until: Millis) -> str:
    """Return a line as an SVG element; the same line gives the same text."""
    points = _within(line.points, since, until)
    values = [value for _, value in points]
    seen = [*values, values[0] * 0, *(() if line.limit is None else (line.limit,))]
    low, high = min(seen), max(seen)
    span = float(high - low) or 1.0

    def x(at: int) -> str:
        share = (at - since) / ((until - since) or 1)
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    def y(value: Decimal) -> str:
        share = float(value - low) / span
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}"

    path = f"M{x(points[0][0])} {y(points[0][1])}"
    for at, value in points[1:]:
        path += f"H{x(at)}V{y(value)}"
    path += f"H{x(until)}"
    zero = y(values[0] * 0)
    named = f"{line.title} in {line.unit}" if line.unit else line.title
    told = f"{named}: {canonical(values[0])} at first, {canonical(values[-1])}"
    marks = "".join(
        f'<text x="{LEFT - 8}" y="{y(value)}" class="scale" text-anchor="end" dy="0.35em">'
        f"{escape(canonical(value))}</text>"
        for value in dict.fromkeys((low, high if line.limit is None else line.limit))
    )
    if line.limit is not None:
        marks += (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(line.limit)}" y2="{y(line.limit)}" '
            f'class="limit"/>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told)} at last">'
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{zero}" y2="{zero}" class="axis"/>'
        f'{marks}<path d="{path}" class="line"/>'
        f'<text x="{LEFT}" y="{HEIGHT - 8}" class="scale">{iso(since)[:16]}Z</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" class="scale" text-anchor="end">'
        f"{iso(until)[:16]}Z</text></svg>"
    )


def _within(
    points: Sequence[tuple[Millis, Decimal]], since: Millis, until: Millis
) -> list[tuple[Millis, Decimal]]:
    """Return the points of a period, the value at its beginning first."""
    before = [value for at, value in points if at <= since]
    begun = [(since, before[-1] if before else points[0][1] * 0)]
    return begun + [point for point in points if since < point[0] <= until]
