"""Report: the page of a pack, for people: what is claimed, what follows, on what it rests.

One static file: no script, no picture from elsewhere, nothing that a network would have to bring.
The same pack gives the same page.
"""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files as resources
from typing import TYPE_CHECKING, Any, Final

from ledger.entries import AsOf
from ledger.errors import NotInstalled, UnknownKind
from ledger.money import ZERO, exact, round_half_even
from projections.chart import is_own
from projections.rulebooks import by_id
from projections.waterfall import rounded
from replay.dispute.liquidation import explained, recorded
from replay.evidence.drawing import Line, drawn
from replay.history import Running
from replay.moments import iso
from replay.tables import Table
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from ledger.units import Millis
    from replay.audit import AccountHistory
    from replay.claims import Checked
    from replay.dispute.liquidation import Liquidation
    from replay.dispute.waterfall import Waterfall
    from replay.evidence.pack import Asked

LINES_MAX: Final = 6
"""The figures that moved most often in the period are drawn, and no more than these."""

RATIO_PLACES: Final = 10
"""Decimal places of a ratio on the page: as many as the venue prints."""

WORDS: Final = {
    "proven": "follows from the records in this pack",
    "contradicted": "the records in this pack say otherwise",
    "unknown": "the records in this pack do not say",
}


def report(
    account: AccountHistory,
    asked: Asked,
    checked: tuple[Checked, ...],
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes],
) -> str:
    """Return the page as HTML.

    Raises: NotInstalled, when the library that fills pages is not there.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise NotInstalled(library="jinja2", extra="reports", use="The page of a pack") from error
    instant = account.at(asked.at, manifest["position"])
    template = resources("replay.evidence").joinpath("report.html.j2").read_text("utf-8")
    pages = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters["moment"] = iso
    return pages.from_string(template).render(
        account=account.account,
        asked=asked,
        manifest=manifest,
        claims=checked,
        words=WORDS,
        counted={word: sum(1 for one in checked if one.status == word) for word in WORDS},
        tables=instant.tables,
        liquidations=_liquidations(account, asked, manifest["position"]),
        drawings=_drawings(account, asked, manifest["position"]),
        records=_records(account, files),
        batches=sum(1 for name in files if name.startswith("batches/")),
    )


def _records(account: AccountHistory, files: Mapping[str, bytes]) -> Table:
    """Return the raw records of the pack by the names they had."""
    rows = tuple(
        (entry.name, str(entry.size), iso(entry.recorded), entry.digest)
        for entry in account.audit.book.records()
        if f"records/{entry.digest}" in files
    )
    return Table(
        title="Raw records", columns=("file", "bytes", "recorded", "sha256"), rows=rows,
        numbers=frozenset({"bytes"}),
    )  # fmt: skip


def _liquidations(
    account: AccountHistory, asked: Asked, position: int
) -> list[tuple[Liquidation, str]]:
    """Return the liquidations of the period, each told to the end, with its ratio drawn."""
    found: list[tuple[Liquidation, str]] = []
    try:
        known = recorded(account, position)
    except UnknownKind:
        return found
    for number, episode in known.items():
        if asked.since <= episode.first_at <= asked.until:
            told = explained(account, number, position=position)
            found.append((told, "" if told.way is None else _ratio_drawn(told, told.way)))
    return found


def _ratio_drawn(told: Liquidation, way: Waterfall) -> str:
    """Return the ratio on the way to a liquidation and the ratio above which it may come, drawn."""
    points = [(way.since, round_half_even(way.before.ratio, RATIO_PLACES))]
    ratio = Fraction(way.before.ratio)
    for number, part in enumerate(way.parts):
        ratio += part.ratio
        if number + 1 == len(way.parts) or way.parts[number + 1].at != part.at:
            (value,), _ = rounded((ratio,), ZERO)
            points.append((part.at, round_half_even(value, RATIO_PLACES)))
    limit = None
    if told.before is not None:
        name = told.before.margin.judgements[0].rulebook
        limit = by_id(name, told.before.question.calendar).trigger.value
    line = Line(title="margin ratio", unit="", points=tuple(points), limit=limit)
    return drawn(line, since=way.since, until=way.until)


def _drawings(account: AccountHistory, asked: Asked, position: int) -> list[tuple[str, str, str]]:
    """Return title, unit and drawing of the balances and sizes that moved in the period."""
    engine = account.audit.engine
    as_of = AsOf(effective=asked.until, position=position)
    running = Running(engine.reference(position))
    points: dict[tuple[str, str], list[tuple[Millis, Decimal]]] = {}
    moved: dict[tuple[str, str], int] = {}
    with exact():
        for event in engine.events(account.stream, position, as_of.effective):
            for place, asset in running.take(event):
                if running.unknown_since is not None or not is_own(place):
                    continue
                key = (place, asset)
                points.setdefault(key, []).append((event.at, running.balances[place, asset]))
                if event.at >= asked.since:
                    moved[key] = moved.get(key, 0) + 1
        chosen = sorted(moved, key=lambda key: (-moved[key], key))[:LINES_MAX]
        return [_drawing(key, points[key], asked) for key in sorted(chosen)]


def _drawing(
    key: tuple[str, str], points: list[tuple[Millis, Decimal]], asked: Asked
) -> tuple[str, str, str]:
    place, asset = key
    unit = asset.removesuffix("-PERP")
    title = f"{place_name(place)} {asset}" if unit == asset else f"position {unit}"
    if not points:
        points = [(asked.since, ZERO)]
    line = Line(title=title, unit=unit, points=tuple(points))
    return title, unit, drawn(line, since=asked.since, until=max(asked.until, asked.since))
