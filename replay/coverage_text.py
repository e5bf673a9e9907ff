"""Coverage as people read it: tables, a sign for every day, and the foot of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.units import Millis
from projections.coverage.levels import united
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projections.coverage import Stretch

SECOND: Final = 1_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000

COLUMNS: Final = ("family", "since", "until", "length", "level", "cause")

SIGNS: Final = {"proven": "#", "probable": "+", "unknown": ".", "missing": "!"}
"""One sign for each level, in the order in which lengths are told; the worst of a day is shown."""

WIDE: Final = 62
"""How many signs a line of a strip has at most; then one stands for several days."""

_UNITS: Final = (
    (DAY, "d", HOUR, "h"),
    (HOUR, "h", MINUTE, "min"),
    (MINUTE, "min", SECOND, "s"),
    (SECOND, "s", 1, "ms"),
)


def length_text(milliseconds: int) -> str:
    """Return a length of time in its two largest units, cut off: ``3 d 4 h``, ``12 min``."""
    for unit, name, smaller, small_name in _UNITS:
        if milliseconds >= unit:
            rest = milliseconds % unit // smaller
            told = f"{milliseconds // unit} {name}"
            return f"{told} {rest} {small_name}" if rest else told
    return f"{milliseconds} ms"


def flat(stretches: Sequence[Stretch], since: Millis, until: Millis) -> tuple[Stretch, ...]:
    """Return stretches of a period without overlaps, by family: for lengths and signs."""
    found: list[Stretch] = [each for each in stretches if each.level != "missing"]
    missing: dict[str, list[Stretch]] = {}
    for each in stretches:
        if each.level == "missing":
            missing.setdefault(each.family, []).append(each)
    for own in missing.values():
        found += [
            attrs.evolve(own[0], since=Millis(max(begin, since)), until=Millis(min(end, until)))
            for begin, end in united((each.since, each.until) for each in own)
        ]
    return tuple(found)


def table(title: str, stretches: Iterable[Stretch]) -> Table:
    """Return one row per stretch."""
    rows = tuple(
        (each.family, iso(each.since), iso(each.until), length_text(each.length), each.level,
         each.cause)
        for each in stretches
    )  # fmt: skip
    return Table(
        title=title,
        columns=COLUMNS,
        rows=rows,
        numbers=frozenset({"length"}),
        empty="no time to speak of",
    )


def days_table(title: str, families: Sequence[str], stretches: Sequence[Stretch]) -> Table:
    """Return one row per day of UTC: how long each level holds, by family."""
    held = _by_day(stretches, 1)
    days = sorted({day for day, _ in held})
    rows = tuple(
        (iso(day * DAY)[:10], *(_told(held.get((day, family), {})) for family in families))
        for day in days
    )
    return Table(title=title, columns=("day", *families), rows=rows, empty="no time to speak of")


def strip(families: Sequence[str], stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """Return what the signs mean, then a line of them per family; each shows the worst level."""
    if not stretches:
        return ()
    first = min(each.since for each in stretches) // DAY
    last = max(each.until for each in stretches) // DAY
    step = -(-(last - first + 1) // WIDE)
    held = _by_day(stretches, step, first)
    each_sign = "a day" if step == 1 else f"for {step} days"
    legend = ", ".join(f"{sign} {_LEVEL_WORDS[level]}" for level, sign in SIGNS.items())
    width = max(map(len, families))
    days = range((last - first) // step + 1)
    return (
        f"{iso(first * DAY)[:10]} to {iso(last * DAY)[:10]}, a sign {each_sign}: {legend}",
        *(
            f"{family.ljust(width)}  {''.join(_sign(held.get((day, family), {})) for day in days)}"
            for family in families
        ),
    )


_LEVEL_WORDS: Final = {
    "proven": "proven",
    "probable": "probable",
    "unknown": "unknown",
    "missing": "known missing",
}


def lines(
    families: Sequence[str], stretches: Sequence[Stretch], missing: Sequence[Stretch]
) -> tuple[str, ...]:
    """Return the lengths by level, families that are alike together, and the narrowest omission."""
    groups: dict[str, list[str]] = {}
    for family in families:
        own = [each for each in stretches if each.family == family]
        groups.setdefault(_told(_lengths(own)), []).append(family)
    told = "; ".join(f"{_listed(names)} {said}" for said, names in groups.items() if said)
    found = [f"coverage: {told}"] if told else []
    if missing:
        # what is missing of one family is told of the balances again
        first = min(missing, key=lambda each: (each.length, each.since))
        others = {(each.since, each.until) for each in missing} - {(first.since, first.until)}
        found.append(
            f"known missing: {first.family} between {iso(first.since)} and {iso(first.until)} "
            f"({first.cause})"
            + (f", and in {len(others)} more stretches" if others else "")
        )  # fmt: skip
    return tuple(found)


def _by_day(
    stretches: Iterable[Stretch], step: int, first: int = 0
) -> dict[tuple[int, str], dict[str, int]]:
    """Return how long each level holds, by span of days and family."""
    held: dict[tuple[int, str], dict[str, int]] = {}
    for each in stretches:
        span = step * DAY
        begin = first * DAY
        for number in range((each.since - begin) // span, (each.until - begin) // span + 1):
            since = max(each.since, begin + number * span)
            until = min(each.until, begin + (number + 1) * span - 1)
            own = held.setdefault((number, each.family), {})
            own[each.level] = own.get(each.level, 0) + until - since + 1
    return held


def _lengths(stretches: Iterable[Stretch]) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for each in stretches:
        lengths[each.level] = lengths.get(each.level, 0) + each.length
    return lengths


def _told(lengths: dict[str, int]) -> str:
    """Return how long each level holds, or the one that holds throughout."""
    known = [level for level in SIGNS if level in lengths]
    if len(known) == 1:
        return _LEVEL_WORDS[known[0]]
    return ", ".join(f"{_LEVEL_WORDS[level]} {length_text(lengths[level])}" for level in known)


def _sign(lengths: dict[str, int]) -> str:
    known = [SIGNS[level] for level in SIGNS if level in lengths]
    return known[-1] if known else " "


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
