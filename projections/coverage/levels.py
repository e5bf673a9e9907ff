"""Levels: how sure a stretch of time is, and which piece of evidence holds where several speak.

Evidence is a stretch of time with a level and a cause; ``judged`` lays all evidence of a family
over a period and says of every millisecond the level that holds. Levels, from the one that is
said first where several pieces of evidence speak of one moment:

``missing``   something that happened is known not to be recorded, somewhere in the stretch
``proven``    a record claims to show everything of the family in the stretch
``probable``  what would have shown most omissions shows none
``unknown``   nothing recorded speaks of the stretch
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.units import Millis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Level: TypeAlias = Literal["missing", "proven", "probable", "unknown"]

LEVELS: Final[tuple[Level, ...]] = ("missing", "proven", "probable", "unknown")
"""Every level, in the order of precedence: what is known to be missing beats every claim."""

MOVING: Final = ("fills", "funding", "transfers", "interest")
"""The families of facts that move money; one answer of the venue shows one of them."""

BALANCES: Final = "balances"
"""All that moves money, taken together: what observed states can speak of."""

FAMILIES: Final = (*MOVING, BALANCES)
"""The families of an account, in the order reports show them."""

CAUSES_SAID: Final = 3
"""How many causes of one stretch are told; the others are counted."""


@attrs.frozen(kw_only=True)
class Stretch:
    """A stretch of time, both ends included, in which one level holds for a family.

    **Units**: moments in milliseconds of venue time. ``subject`` names a market, token or side
    where the stretch speaks of one only; else it is empty.
    """

    family: str
    since: Millis
    until: Millis
    level: Level
    cause: str
    subject: str = ""

    @property
    def length(self) -> int:
        """Milliseconds of the stretch, both ends included."""
        return self.until - self.since + 1


def judged(
    evidence: Iterable[Stretch],
    *,
    family: str,
    since: Millis,
    until: Millis,
    otherwise: str = "nothing recorded speaks of it",
) -> tuple[Stretch, ...]:
    """Return the level of every moment of a period, as stretches without a gap.

    What is missing is told whole: such stretches may overlap each other and reach beyond the
    period, for the omission may lie anywhere in them. All others tile what they leave. Of evidence
    of one level the one that begins first is told; stretches of the very same ends are told
    together. What no evidence speaks of is unknown because of *otherwise*.

    **Order**: by time; any order of evidence gives the same answer.
    """
    own = [
        each
        for each in evidence
        if each.family == family and since <= each.until and each.since <= until
    ]
    missing = _together([each for each in own if each.level == "missing"])
    found: list[Stretch] = []
    free = _left_by([(each.since, each.until) for each in missing], since, until)
    for level in LEVELS[1:]:
        layer = _apart(_together([each for each in own if each.level == level]))
        taken, free = _laid(layer, free)
        found += taken
    found += [
        Stretch(
            family=family, since=Millis(begin), until=Millis(end), level="unknown", cause=otherwise
        )
        for begin, end in free
    ]
    found.sort(key=attrgetter("since"))
    return tuple(sorted([*missing, *_joined(found)], key=attrgetter("since", "until")))


def _left_by(spans: list[tuple[int, int]], since: int, until: int) -> list[tuple[int, int]]:
    """Return what spans of time leave of a period."""
    left: list[tuple[int, int]] = []
    reached = since
    for begin, end in united(spans):
        if begin > reached:
            left.append((reached, begin - 1))
        reached = max(reached, end + 1)
    if reached <= until:
        left.append((reached, until))
    return left


def certified(evidence: Iterable[Stretch], *, since: Millis, until: Millis) -> tuple[Stretch, ...]:
    """Return the level of every moment of a period for each family of an account.

    What is missing of one family is missing of the balances too; they are proven where every
    family is. **Order**: family by family, each by time.
    """
    found = list(evidence)
    stretches: list[Stretch] = []
    proven: list[list[tuple[int, int]]] = []
    for family in MOVING:
        own = judged(found, family=family, since=since, until=until)
        proven.append([(each.since, each.until) for each in own if each.level == "proven"])
        found += [
            attrs.evolve(each, family=BALANCES, cause=f"{family}: known missing", subject="")
            for each in own
            if each.level == "missing"
        ]
        stretches += own
    found += [
        Stretch(
            family=BALANCES,
            since=Millis(begin),
            until=Millis(end),
            level="proven",
            cause="all that moves money is proven",
        )
        for begin, end in common([united(spans) for spans in proven])
    ]
    return (*stretches, *judged(found, family=BALANCES, since=since, until=until))


def _together(layer: list[Stretch]) -> list[Stretch]:
    """Return evidence of one level by time; of equal ends one stretch with all their causes."""
    layer.sort(key=lambda each: (each.since, -each.until, each.subject, each.cause))
    found: list[Stretch] = []
    for _, equal in groupby(layer, key=lambda each: (each.since, each.until)):
        same = list(equal)
        found.append(attrs.evolve(same[0], cause=_told(same)))
    return found


def _apart(layer: list[Stretch]) -> list[Stretch]:
    """Return evidence without overlaps: what begins first holds up to its end."""
    found: list[Stretch] = []
    reached = -1
    for each in layer:
        if each.until > reached:
            found.append(attrs.evolve(each, since=Millis(max(each.since, reached + 1))))
            reached = each.until
    return found


def _told(together: Sequence[Stretch]) -> str:
    """Return the causes of stretches of the same ends in one text."""
    causes = tuple(dict.fromkeys(each.cause for each in together))
    told = "; ".join(causes[:CAUSES_SAID])
    more = len(causes) - CAUSES_SAID
    return f"{told}; and {more} more" if more > 0 else told


def _laid(
    layer: Sequence[Stretch], free: Sequence[tuple[int, int]]
) -> tuple[list[Stretch], list[tuple[int, int]]]:
    """Return what a layer without overlaps takes of the free time, and what it leaves."""
    taken: list[Stretch] = []
    left: list[tuple[int, int]] = []
    number = 0
    for begin, end in free:
        while number < len(layer) and layer[number].until < begin:
            number += 1
        reached, ahead = begin, number
        while ahead < len(layer) and layer[ahead].since <= end:
            each = layer[ahead]
            first, last = max(each.since, begin), min(each.until, end)
            if first > reached:
                left.append((reached, first - 1))
            taken.append(attrs.evolve(each, since=Millis(first), until=Millis(last)))
            reached = last + 1
            ahead += 1
        if reached <= end:
            left.append((reached, end))
        number = max(number, ahead - 1)
    return taken, left


def _joined(found: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield stretches, those that touch and are alike in all else put together."""
    last: Stretch | None = None
    for each in found:
        if last is not None and _is_like(last, each):
            last = attrs.evolve(last, until=each.until)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _is_like(one: Stretch, other: Stretch) -> bool:
    return one.until + 1 == other.since and (one.level, one.cause, one.subject) == (
        other.level,
        other.cause,
        other.subject,
    )


def common(layers: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Return the time that lies in every layer; each layer is by time and without overlaps.

    Without any layer there is no time.
    """
    if not layers:
        return []
    found = list(layers[0])
    for layer in layers[1:]:
        both: list[tuple[int, int]] = []
        number = 0
        for begin, end in found:
            while number < len(layer) and layer[number][1] < begin:
                number += 1
            ahead = number
            while ahead < len(layer) and layer[ahead][0] <= end:
                both.append((max(begin, layer[ahead][0]), min(end, layer[ahead][1])))
                ahead += 1
        found = both
    return found


def united(spans: Iterable[tuple[int, int]], *, apart: int = 0) -> list[tuple[int, int]]:
    """Return spans of time by time, those that touch or overlap put together.

    So are those that lie at most *apart* milliseconds from each other.
    """
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1] + 1 + apart:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
