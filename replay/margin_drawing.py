"""Margin drawing: the ratio through an interval as SVG that stands inside a page or a notebook.

No library, no script, no font of its own; every color stands in the picture itself. Where the
ratio is not known the line is broken. Only here amounts become floats: for places on paper, never
for a figure; the numbers written beside the line are exact.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ledger.money import ZERO, canonical
from replay.margin_report import shown
from replay.moments import iso

if TYPE_CHECKING:
    from decimal import Decimal

    from replay.margin_timeline import Timeline

WIDTH: Final = 760
HEIGHT: Final = 240
LEFT: Final = 64
RIGHT: Final = 16
TOP: Final = 34
BOTTOM: Final = 30

INK: Final = "#1f2933"
SOFT: Final = "#5b6672"
LINE: Final = "#1b5e9b"
DANGER: Final = "#b42318"


class _Scale:
    """Where a moment and a ratio stand in the picture."""

    def __init__(self, found: Timeline) -> None:
        known = [each.ratio for each in found.points if each.ratio is not None]
        self.high = max([*known, found.limit])
        self._low = min([*known, ZERO])
        self._span = float(self.high - self._low) or 1.0
        self._since = found.since
        self._length = (found.until - found.since) or 1

    def x(self, at: int) -> str:
        share = (at - self._since) / self._length
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    def y(self, value: Decimal) -> str:
        share = float(value - self._low) / self._span
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}"


def drawn(found: Timeline) -> str:
    """Return the ratio as an SVG element; the same timeline gives the same text."""
    at = _Scale(found)
    unknown = sum(1 for each in found.points if each.ratio is None)
    told = (
        f"Margin ratio of {found.account} from {iso(found.since)} to {iso(found.until)}; "
        f"liquidatable above {canonical(found.limit)}"
    )
    gaps = f"; {unknown} of {len(found.points)} instants have none" if unknown else ""
    limit = at.y(found.limit)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(told + gaps)}" '
        f'font-family="sans-serif" font-size="12">'
    )
    return "".join((
        head,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 18, f"Margin ratio{gaps}", INK),
        _line(limit, DANGER, 'stroke-dasharray="5 3"'),
        _text(LEFT - 8, limit, canonical(found.limit), DANGER, 'text-anchor="end" dy="0.35em"'),
        _line(at.y(ZERO), SOFT, ""),
        _text(LEFT - 8, at.y(ZERO), "0", SOFT, 'text-anchor="end" dy="0.35em"'),
        *_marks(found, at),
        *_path(found, at),
        _text(LEFT, HEIGHT - 8, f"{iso(found.since)[:16]}Z", SOFT),
        _text(WIDTH - RIGHT, HEIGHT - 8, f"{iso(found.until)[:16]}Z", SOFT, 'text-anchor="end"'),
        "</svg>",
    ))  # fmt: skip


def _path(found: Timeline, at: _Scale) -> list[str]:
    """Return the line, in pieces; a single known instant among unknown ones is a dot."""
    pieces: list[list[str]] = [[]]
    for each in found.points:
        if each.ratio is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{at.x(each.at)} {at.y(each.ratio)}")
    drawn: list[str] = []
    for piece in filter(None, pieces):
        if len(piece) == 1:
            x, y = piece[0].split()
            drawn.append(f'<circle cx="{x}" cy="{y}" r="2" fill="{LINE}"/>')
        else:
            path = "M" + "L".join(piece)
            drawn.append(f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.6"/>')
    return drawn


def _marks(found: Timeline, at: _Scale) -> list[str]:
    """Return a line down for every liquidation, with what it was as its title."""
    return [
        f'<line x1="{at.x(each.at)}" x2="{at.x(each.at)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
        f'stroke="{DANGER}" stroke-width="1"><title>'
        f"{escape(f'{iso(each.at)} {each.what}: {shown(each.before)} to {shown(each.after)}')}"
        f"</title></line>"
        for each in found.liquidations
    ]


def _line(y: str, color: str, more: str) -> str:
    return f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{color}" {more}/>'


def _text(x: int, y: str | int, text: str, color: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="{color}" {more}>{escape(text)}</text>'
