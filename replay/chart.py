"""Chart: a line of margin through time as SVG or PNG, with the limit and the events that moved it.

Matplotlib draws it (extra ``chart``; decision 0013). Only here amounts become floats: for places
on paper, never for a figure. The same timeline gives the same bytes.
"""

from __future__ import annotations

import math
import textwrap
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import NotInstalled, UnclearQuestion
from ledger.units import Millis
from replay.margin_report import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from replay.margin_timeline import Mover, Timeline

WIDTH: Final = 1280
WIDTHS: Final = (480, 4000)
DPI: Final = 96
"""A browser's pixels to an inch, so that an SVG is as wide on a page as was asked."""
MARKS_MAX: Final = 12
"""More events than this are not marked: the largest changes are, and liquidations."""

INK: Final = "#1f2933"
SOFT: Final = "#66727f"
GRID: Final = "#e4e8ec"
LINE: Final = "#1b5e9b"
AREA: Final = "#dbe8f4"
DANGER: Final = "#b42318"
DANGER_AREA: Final = "#fdecea"
NEED: Final = "#b26a00"
GAP: Final = "#f1f3f5"

_STYLE: Final[Any] = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": "#b8c1ca",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "svg.fonttype": "none",
    "svg.hashsalt": "rollforward",
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ROW: Final = 0.2
"""Height of a line of text, in inches."""


def draw(timeline: Timeline, path: Path, *, width: int = WIDTH) -> None:
    """Write the chart of a timeline; the end of the name says whether as SVG or as PNG.

    **Units**: *width* in pixels.

    Raises: UnclearQuestion, for another ending or width; NotInstalled, without matplotlib.
    """
    ending = path.suffix.lower()
    if ending not in {".svg", ".png"}:
        raise UnclearQuestion(
            asked=str(path), problem="is neither .svg nor .png", remedy="Name the chart so"
        )
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise UnclearQuestion(
            asked=f"a chart {width} pixels wide",
            problem=f"is outside {WIDTHS[0]} to {WIDTHS[1]}",
            remedy="Choose a width between them",
        )
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise NotInstalled(library="matplotlib", extra="chart", use="A chart") from error
    with mpl.rc_context(_STYLE):
        figure = _figure(timeline, width)
        metadata = {"Date": None, "Creator": "rollforward"} if ending == ".svg" else None
        figure.savefig(path, format=ending[1:], dpi=DPI, metadata=metadata)


def _figure(timeline: Timeline, width: int) -> Figure:
    from matplotlib.figure import Figure as Paper

    marked = _marked(timeline.movers)
    lines = _listed(marked, width)
    rows = sum(len(each) - 1 for each in lines)
    inches = width / DPI
    plots = max(3.9, min(5.6, inches * 0.44))
    under = ROW * (rows + 1.6) if rows else 0.25
    height = plots + under
    figure = Paper(figsize=(inches, height))
    grid = figure.add_gridspec(
        2, 1, height_ratios=(2.4, 1), hspace=0.22,
        left=0.85 / inches, right=1 - 0.3 / inches,
        top=1 - 0.75 / height, bottom=(under + 0.4) / height,
    )  # fmt: skip
    upper = figure.add_subplot(grid[0])
    lower = figure.add_subplot(grid[1], sharex=upper)
    _title(figure, timeline, inches, height)
    _ratio(upper, timeline, marked)
    _money(lower, timeline)
    _dates(upper, lower, timeline, inches)
    _marks(upper, marked, timeline, inches)
    figure.align_ylabels([upper, lower])
    _list(figure, lines, inches=inches, height=height, top=under)
    return figure


def _title(figure: Figure, timeline: Timeline, inches: float, height: float) -> None:
    account = timeline.account
    name = account if inches > 9 else f"{account[:10]}…{account[-4:]}"
    said = "never liquidatable at the instants drawn"
    if timeline.crossed is not None:
        said = f"first liquidatable {_when(timeline.crossed):%Y-%m-%d %H:%M:%S} UTC"
    elif timeline.liquidations:
        said = f"liquidated {_when(timeline.liquidations[0].at):%Y-%m-%d %H:%M:%S} UTC"
    left, top = 0.22 / inches, 1 - 0.12 / height
    figure.text(left, top, f"Margin ratio of {name}", size=11.5, weight="bold", va="top")
    figure.text(left, top - 0.25 / height, said, size=9, color=SOFT, va="top")


# ------------------------------------------------------------------------- the line


def _when(at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)


def _days(at: float) -> float:
    """Return a moment as matplotlib counts time: days since 1970."""
    return at / 86_400_000


def _number(value: Decimal | None) -> float:
    return math.nan if value is None else float(value)


def _path(timeline: Timeline) -> list[tuple[float, float, bool]]:
    """Return moment, ratio and whether it is unknown, with the moments around marked events."""
    found = {each.at: (each.ratio, bool(each.missing), each.liquidatable) for each in
             timeline.points}  # fmt: skip
    for mover in timeline.movers:
        for at, ratio in ((mover.at - 1, mover.before), (mover.until, mover.after)):
            if ratio is not None and timeline.since <= at <= timeline.until:
                found.setdefault(Millis(at), (ratio, False, None))
    top = _top(timeline)
    path = []
    for at in sorted(found):
        ratio, is_unknown, holds = found[at]
        # A requirement with nothing against it is above any number: drawn at the top.
        y = top if ratio is None and holds else min(_number(ratio), top)
        path.append((_days(at), y, is_unknown))
    return path


def _top(timeline: Timeline) -> float:
    """Return the highest ratio drawn: a little above the limit, at most twice the limit."""
    limit = float(timeline.limit)
    ratios = [float(each.ratio) for each in timeline.points if each.ratio is not None]
    return min(max([limit * 1.16, *(each * 1.08 for each in ratios)]), limit * 2)


def _ratio(axes: Axes, timeline: Timeline, marked: Sequence[Mover]) -> None:
    path = _path(timeline)
    moments, ratios = [each[0] for each in path], [each[1] for each in path]
    limit, top = float(timeline.limit), _top(timeline)
    room = 1.14 if marked else 1.0
    axes.set_ylim(0, top * room)
    axes.axhspan(limit, top * room, color=DANGER_AREA, lw=0, zorder=0)
    axes.fill_between(moments, ratios, step="post", color=AREA, lw=0, zorder=1)
    axes.plot(moments, ratios, drawstyle="steps-post", color=LINE, lw=1.6, zorder=3)
    axes.axhline(limit, color=DANGER, lw=1.2, ls=(0, (5, 3)), zorder=2)
    axes.annotate(
        f"liquidation above {shown(timeline.limit)}", (0, limit), (6, -5),
        xycoords=("axes fraction", "data"), textcoords="offset points",
        color=DANGER, size=8.5, va="top", zorder=6,
        bbox={"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.9},
    )  # fmt: skip
    _gaps(axes, path)
    axes.set_ylabel("margin ratio")
    axes.grid(axis="y", color=GRID, lw=0.7, zorder=0)
    axes.set_yticks([each / 5 for each in range(int(top * 5) + 1)])
    axes.tick_params(labelbottom=False, length=3)


def _gaps(axes: Axes, path: Sequence[tuple[float, float, bool]]) -> None:
    """Gray out where the ratio is unknown."""
    for number, (at, _, is_unknown) in enumerate(path):
        if is_unknown and number + 1 < len(path):
            axes.axvspan(at, path[number + 1][0], color=GAP, lw=0, zorder=1)
    if path and path[0][2]:
        axes.annotate("unknown", (0, 0), (6, 6), xycoords="axes fraction",
                      textcoords="offset points", color=SOFT, size=8.5)  # fmt: skip


def _money(axes: Axes, timeline: Timeline) -> None:
    moments = [_days(each.at) for each in timeline.points]
    value = [_number(each.value) for each in timeline.points]
    need = [_number(each.requirement) for each in timeline.points]
    axes.plot(moments, value, drawstyle="steps-post", color=LINE, lw=1.3, zorder=3,
              label="liquidation value")  # fmt: skip
    axes.plot(moments, need, drawstyle="steps-post", color=NEED, lw=1.3, zorder=3,
              label="requirement")  # fmt: skip
    axes.set_ylabel("USDC")
    axes.grid(axis="y", color=GRID, lw=0.7, zorder=0)
    axes.tick_params(length=3)
    axes.set_ylim(bottom=min([0, *(each for each in value if not math.isnan(each))]))
    axes.yaxis.set_major_formatter(lambda each, _: f"{each:,.0f}")
    axes.locator_params(axis="y", nbins=4)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.97), frameon=False, ncols=2, fontsize=8.5,
                handlelength=1.6, borderaxespad=0)  # fmt: skip


def _dates(upper: Axes, lower: Axes, timeline: Timeline, inches: float) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    upper.set_xlim(_days(timeline.since), _days(timeline.until))
    lower.xaxis_date(tz=UTC)
    ticks = max(4, int(inches / 1.1))
    locator = AutoDateLocator(tz=UTC, minticks=3, maxticks=ticks)  # type: ignore[no-untyped-call]
    lower.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=UTC, show_offset=False)  # type: ignore[no-untyped-call]
    lower.xaxis.set_major_formatter(formatter)
    lower.set_xlabel("UTC", color=SOFT, size=8.5, labelpad=1)


# ------------------------------------------------------------------------- the marks


def _marked(movers: Sequence[Mover]) -> list[Mover]:
    """Return the events that get a mark: liquidations, then the largest changes, in time order."""
    ranked = sorted(
        movers, key=lambda each: (not each.is_liquidation, -abs(_number(each.change or None) or 0))
    )
    return sorted(ranked[:MARKS_MAX], key=lambda each: each.at)


def _marks(axes: Axes, marked: Sequence[Mover], timeline: Timeline, inches: float) -> None:
    """Draw numbered marks in a row at the top, moved aside where they would touch."""
    span = max(1, timeline.until - timeline.since)
    wide = (inches - 1.15) * DPI
    apart = 19 / wide
    places = _spread([(each.at - timeline.since) / span for each in marked], apart)
    low, high = axes.get_ylim()
    y = high - (high - low) * 0.045
    foot = high - (high - low) * 0.085
    for number, (mover, place) in enumerate(zip(marked, places, strict=True), 1):
        color = DANGER if mover.is_liquidation else INK
        at = _days(mover.at)
        side = _days(timeline.since + place * span)
        axes.plot([at, at, side], [low, foot - (high - low) * 0.03, foot],
                  color=color, lw=0.7, alpha=0.55, zorder=2, clip_on=False)  # fmt: skip
        axes.text(
            side, y, str(number), size=7.5, color="white", ha="center", va="center",
            weight="bold", zorder=5,
            bbox={"boxstyle": "circle,pad=0.28", "fc": color, "ec": "none"},
        )  # fmt: skip


def _spread(places: Sequence[float], apart: float) -> list[float]:
    """Return places in ascending order, none nearer to the next than *apart*, all within 0 to 1."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + apart if found else 0.0))
    limit = 1.0
    for number in range(len(found) - 1, -1, -1):
        found[number] = min(found[number], limit)
        limit = found[number] - apart
    return found


def _listed(marked: Sequence[Mover], width: int) -> list[list[str]]:
    """Return moment and text of every mark, the text folded to the width of the paper."""
    room = max(30, int((width - 190) / 6.6))
    lines = []
    for mover in marked:
        text = f"{mover.what}: {_short(mover.before)} → {_short(mover.after)}"
        lines.append([f"{_when(mover.at):%m-%d %H:%M:%S}", *textwrap.wrap(text, room)])
    return lines


def _short(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{float(value):.4f}"


def _list(
    figure: Figure, lines: Sequence[Sequence[str]], *, inches: float, height: float, top: float
) -> None:
    y = top - ROW * 0.9
    for number, (moment, *texts) in enumerate(lines, 1):
        figure.text(0.42 / inches, y / height, str(number), size=8.5, weight="bold", ha="center")
        figure.text(0.58 / inches, y / height, moment, size=8.5, color=SOFT)
        for text in texts:
            figure.text(1.68 / inches, y / height, text, size=8.5)
            y -= ROW
