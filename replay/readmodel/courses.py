"""Courses: how far the effective order of a history is what it was when it was last folded.

Batches never change, so equal runs of rows are equal events. Two courses are compared run by run;
from the first place where they differ on, whatever follows from the history is derived anew. A
late arrival, a correction of the past and a mere continuation are the same case with another place.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger import timeline
from ledger.timeline.sheets import at_of
from replay.readmodel.hours import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.timeline import Course
    from ledger.units import Stream
    from replay.engine import Engine

Piece: TypeAlias = "tuple[int, int, int] | tuple[str, int, int]"
"""Rows that follow each other (batch, first row, count), or one literal line and who put it."""

NEVER: Final = 1 << 62
"""The moment of a change that there is not."""


@attrs.frozen(kw_only=True)
class Change:
    """Where a course differs from the one before: how many events are the same, and since when."""

    same: int
    since: int
    """Nothing before this moment is touched, in milliseconds; ``NEVER`` where nothing is."""


def pieces(course: Course) -> list[Piece]:
    """Return the runs of a course."""
    found: list[Piece] = []
    for version, row, count in course.pieces():
        if version == timeline.LITERAL:
            literal = course.literals[row]
            found.append((literal.line.decode(), literal.version or 0, literal.row))
        else:
            found.append((version, row, count))
    return found


def stored(found: list[Piece]) -> bytes:
    """Return runs as they are kept."""
    return packed(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode())


def read(blob: bytes) -> list[Piece]:
    """Return the runs that ``stored`` was given."""
    return [(first, row, count) for first, row, count in json.loads(unpacked(blob))]


def same(before: Sequence[Piece], now: Sequence[Piece]) -> int:
    """Return with how many of the same events two courses begin.

    Example:
    >>> same([(1, 0, 5), (2, 0, 3)], [(1, 0, 3), (1, 3, 2), (2, 0, 1), (3, 0, 9)])
    6
    """
    count, mine, theirs = 0, 0, 0
    left: Piece | None = None
    right: Piece | None = None
    while True:
        if left is None:
            if mine == len(before):
                return count
            left, mine = before[mine], mine + 1
        if right is None:
            if theirs == len(now):
                return count
            right, theirs = now[theirs], theirs + 1
        if left[:2] != right[:2] or (isinstance(left[0], str) and left[2] != right[2]):
            return count
        step = 1 if isinstance(left[0], str) else min(left[2], right[2])
        count += step
        left, right = _rest(left, step), _rest(right, step)


def _rest(piece: Piece, taken: int) -> Piece | None:
    if isinstance(piece[0], str) or piece[2] == taken:
        return None
    return piece[0], piece[1] + taken, piece[2] - taken


def change(
    engine: Engine, stream: Stream, course: Course, before: tuple[int, list[Piece]],
    now: list[Piece],
) -> Change:  # fmt: skip
    """Return where a course differs from the one *before*: its count and its runs."""
    count, old = before
    alike = same(old, now)
    if alike == count == course.count:
        return Change(same=alike, since=NEVER)
    if alike == count:
        return Change(same=alike, since=_at(engine, stream, course, alike))
    # What stood here before may have happened at any moment since the last event that is the same.
    return Change(same=alike, since=_at(engine, stream, course, alike - 1) if alike else -1)


def _at(engine: Engine, stream: Stream, course: Course, ordinal: int) -> int:
    version, row = course.place(ordinal)
    if version == timeline.LITERAL:
        return course.literals[row].at
    return at_of(engine.batch(stream, version).lines[row])
