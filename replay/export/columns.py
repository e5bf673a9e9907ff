"""Columns: which columns a table of events has, and how wide they must be to lose nothing.

Names, meanings and units are those of the events' own annotations. How many digits a column needs
is read off what is in it: one pass over the lines, before anything is written.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from ledger.cells import OWN, values_of
from ledger.codec import tag_of
from ledger.fields import Holds, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.fields import Field

DIGITS_MOST: Final = 38
"""Digits of a decimal column that every reader of Parquet keeps."""

WHOLE_MOST: Final = 2**63 - 1


@attrs.define
class Width:
    """How much room the values of a column need; it grows with what is added."""

    count: int = 0
    whole: int = 1
    """Digits before the point, of the longest."""
    places: int = 0
    """Digits behind it, of the longest."""
    largest: int = 0
    """Of whole numbers, without sign."""

    def add(self, text: str) -> None:
        """Make room for an amount in plain digits."""
        self.count += 1
        whole, _, fraction = text.partition(".")
        digits = len(whole) - (whole[0] == "-")
        self.whole = max(self.whole, digits)
        self.places = max(self.places, len(fraction))

    def add_whole(self, value: int) -> None:
        """Make room for a whole number."""
        self.count += 1
        self.largest = max(self.largest, abs(value))

    @property
    def fits(self) -> bool:
        """Whether a decimal of 38 digits holds every value."""
        return self.whole + self.places <= DIGITS_MOST


@attrs.frozen(kw_only=True)
class Column:
    """One column of a table of events."""

    name: str
    holds: Holds
    width: Width
    meanings: tuple[tuple[str, str, str], ...]
    """Kind, meaning and unit, for every kind that has the field."""


@attrs.frozen(kw_only=True)
class Survey:
    """What a pass over the lines found."""

    events: int
    kinds: tuple[tuple[str, int], ...]
    """How many there are of each kind, by tag."""
    columns: tuple[Column, ...]
    """Columns beside the first ones; those of a kind stand together, in the order of its fields."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the kinds that are there."""
        return tuple(tag for tag, _ in self.kinds)


def survey(lines: Iterable[bytes]) -> Survey:
    """Return which columns the events of these lines have, and how wide."""
    counts: Counter[str] = Counter()
    widths: dict[str, Width] = {}
    told: dict[str, tuple[tuple[str, Holds], ...]] = {}
    for line in lines:
        tag = tag_of(line)
        counts[tag] += 1
        if tag not in told:
            told[tag] = tuple((f.name, f.holds) for f in fields_of(tag) if f.name not in OWN)
            for name, _ in told[tag]:
                widths.setdefault(name, Width())
        values = values_of(line)
        for name, holds in told[tag]:
            value = values[name]
            if value is None:
                continue
            if holds == "number":
                widths[name].add(value)
            elif holds == "whole":
                widths[name].add_whole(value)
            else:
                widths[name].count += 1
    kinds = tuple(sorted(counts.items()))
    return Survey(
        events=sum(counts.values()),
        kinds=kinds,
        columns=tuple(columns_of([tag for tag, _ in kinds], widths)),
    )


def columns_of(tags: Sequence[str], widths: dict[str, Width]) -> list[Column]:
    """Return the columns of some kinds; a name that holds two things is text in one column."""
    fields: dict[str, list[tuple[str, Field]]] = {}
    for tag in tags:
        for field in fields_of(tag):
            if field.name not in OWN:
                fields.setdefault(field.name, []).append((tag, field))
    found: list[Column] = []
    for name, of in fields.items():
        holds: set[Holds] = {field.holds for _, field in of}
        found.append(
            Column(
                name=name,
                holds=holds.pop() if len(holds) == 1 else "text",
                width=widths.get(name, Width()),
                meanings=tuple((tag, field.meaning, field.unit) for tag, field in of),
            )
        )
    return found
