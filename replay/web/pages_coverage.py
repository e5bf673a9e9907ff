"""The coverage map: stream by day, how well each day's facts are known, and why not better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.units import Millis
from replay.coverage import asked_period, certificate
from replay.coverage_text import DAY, SIGNS, length_text
from replay.moments import iso
from replay.web import answers, pages
from replay.web.cells import Grid, grid

if TYPE_CHECKING:
    from projections.coverage import Stretch
    from replay.coverage import Certificate
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.links import Asked
    from replay.web.room import Room

DAYS_MAX: Final = 400
"""A map shows so many days up to the instant asked for, and says so where there are more."""

STRETCHES_MAX: Final = 1_000

_ORDER: Final = tuple(SIGNS)
"""The levels, the worst last."""


@attrs.frozen(kw_only=True)
class DayShown:
    """One stream on one day of UTC: the worst level of the day, and what is behind it."""

    level: str
    """proven, probable, unknown, missing; empty where the stream has no such day."""
    told: str
    """How long each level holds."""
    causes: tuple[str, ...]
    href: str
    """The timeline at the end of that day."""


@attrs.frozen(kw_only=True)
class MapShown:
    """The map: a row per stream, a column per day."""

    days: tuple[str, ...]
    streams: tuple[tuple[str, tuple[DayShown, ...]], ...]
    lines: tuple[str, ...]
    """One or two sentences on the whole."""
    stretches: Grid
    notes: tuple[str, ...]


def coverage(room: Room, ask: Ask) -> Answer:
    """Return the coverage map of an account, of the whole history known at the position."""
    asked = pages.whole(room, ask, "coverage")
    if isinstance(asked, answers.Answer):
        return asked
    history = room.history(asked)
    first, last = asked_period(history, None, None, asked.position)
    since = max(first, Millis(last // DAY * DAY - (DAYS_MAX - 1) * DAY))
    found = certificate(history, since=since, until=last, position=asked.position)
    notes = []
    if since > first:
        notes.append(
            f"the last {DAYS_MAX} days; earlier ones: rollforward coverage {asked.account} "
            f"--until {iso(since)}"
        )
    context = {
        "page": pages.of_account(room, asked, "Coverage", "coverage"),
        "asked": asked,
        "coverage": _map(found, asked, notes),
    }
    return answers.page("coverage", context, digest=room.slider(asked).digest(asked.at))


def _map(found: Certificate, asked: Asked, notes: list[str]) -> MapShown:
    days = range(found.since // DAY, found.until // DAY + 1)
    by_day: dict[tuple[str, int], list[Stretch]] = {}
    for each in found.stretches:
        begin, end = max(each.since, found.since), min(each.until, found.until)
        for day in range(begin // DAY, end // DAY + 1):
            by_day.setdefault((each.family, day), []).append(each)
    table = found.table
    left = len(table.rows) - STRETCHES_MAX
    if left > 0:
        notes = [*notes, f"{left} further stretches are not listed"]
        table = attrs.evolve(table, rows=table.rows[:STRETCHES_MAX])
    return MapShown(
        days=tuple(iso(day * DAY)[:10] for day in days),
        streams=tuple(
            (family, tuple(_day(by_day.get((family, day), []), day, asked) for day in days))
            for family in found.families
        ),
        lines=found.lines(),
        stretches=grid(table),
        notes=tuple(notes),
    )


def _day(stretches: list[Stretch], day: int, asked: Asked) -> DayShown:
    begin, end = day * DAY, (day + 1) * DAY - 1
    lengths: dict[str, int] = {}
    for each in stretches:
        own = min(each.until, end) - max(each.since, begin) + 1
        lengths[each.level] = lengths.get(each.level, 0) + own
    known = [level for level in _ORDER if level in lengths]
    return DayShown(
        level=known[-1] if known else "",
        told=", ".join(f"{level} {length_text(lengths[level])}" for level in known),
        causes=tuple(dict.fromkeys(each.cause for each in stretches if each.level != "proven")),
        href=asked.moved(at=Millis(end)).to(),
    )
