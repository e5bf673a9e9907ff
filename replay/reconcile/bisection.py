"""Bisection: the first observed state that differs, found by halving, not by going through them.

It rests on one assumption: what once differs goes on differing. Sums of movements do, where one
movement is missing; a second one that makes up for the first does not. Probes on either side of
what was found test the assumption, and whatever contradicts it is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import exact
from replay.reconcile.projecting import Looked, Observation, Projector

if TYPE_CHECKING:
    from collections.abc import Sequence

PROBES: Final = 2
"""How many states before, and how many after what was found, are looked at to test it."""

SAMPLES: Final = 4
"""How many states are looked at where the last one agrees, to see one that does not."""


@attrs.frozen(kw_only=True)
class Divergence:
    """Where one family of states first differs: between its last agreeing state and this one."""

    family: str
    agreeing: Looked | None
    """The last state that agrees; None where the first one recorded differs already."""
    differing: Looked
    last: Looked
    """The last state of the period."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Subjects of which the difference is another at the end than where it began."""
        then, now = self.differing.differing, self.last.differing
        return tuple(sorted(name for name in then.keys() | now.keys()
                            if then.get(name) != now.get(name)))  # fmt: skip


@attrs.frozen(kw_only=True)
class Course:
    """What was found of one family of states."""

    family: str
    states: int
    first: Looked | None
    last: Looked | None
    divergence: Divergence | None
    contradictions: tuple[Looked, ...] = ()
    """States that agree again after one that differs, or differ before one that agrees."""


def first_divergence(
    projector: Projector, states: Sequence[Observation], hint: Divergence | None = None
) -> Course:
    """Return where a family of observed states first differs, by halving.

    **Order**: states of one family by moment; there is at least one. *hint* is what was found of
    another family: the same interval is tried first.
    """
    family = states[0].family
    first, last = projector.look(states[0]), projector.look(states[-1])
    if first.verdict == "differs":
        found = Divergence(family=family, agreeing=None, differing=first, last=last)
        again = (last,) if _has_healed(last, first) else ()
        return _course(states, first, last, found, again)
    high, differing = len(states) - 1, last
    if last.verdict != "differs":
        # What other families were looked at for serves as well, and costs nothing.
        known = [number for number in range(1, high) if projector.has(states[number])]
        numbers = known if len(known) >= SAMPLES else _spread(0, high, SAMPLES)
        probes = ((number, projector.look(states[number])) for number in numbers)
        sampled = next((each for each in probes if each[1].verdict == "differs"), None)
        if sampled is None:
            return _course(states, first, last, None, ())
        high, differing = sampled  # it differs, and agrees again at the end
    low = 0
    agreeing = first if first.verdict == "agrees" else None
    while high - low > 1:
        middle = _middle(states, low, high, hint)
        middle, looked = _decided(projector, states, low, middle, high)
        if looked.verdict == "agrees":
            low, agreeing = middle, looked
        else:  # where nothing near could be compared, what differs may have begun already
            high = middle
            differing = looked if looked.verdict == "differs" else differing
        if hint is not None and not _is_inside(states, low, high, hint):
            hint = None
    found = Divergence(family=family, agreeing=agreeing, differing=differing, last=last)
    return _course(states, first, last, found, _probed(projector, states, low, high, differing))


def scan(projector: Projector, states: Sequence[Observation]) -> Course:
    """Return the same by looking at every state. **Order**: as ``first_divergence``."""
    looked = [projector.look(each) for each in states]
    differing = [number for number, each in enumerate(looked) if each.verdict == "differs"]
    found = None
    contradictions: tuple[Looked, ...] = ()
    if differing:
        number = differing[0]
        before = [each for each in looked[:number] if each.verdict == "agrees"]
        found = Divergence(
            family=states[0].family,
            agreeing=before[-1] if before else None,
            differing=looked[number],
            last=looked[-1],
        )
        contradictions = tuple(each for each in looked if _has_healed(each, looked[number]))
    return _course(states, looked[0], looked[-1], found, contradictions)


def _course(
    states: Sequence[Observation],
    first: Looked,
    last: Looked,
    found: Divergence | None,
    contradictions: tuple[Looked, ...],
) -> Course:
    return Course(
        family=states[0].family, states=len(states), first=first, last=last, divergence=found,
        contradictions=contradictions,
    )  # fmt: skip


def _middle(states: Sequence[Observation], low: int, high: int, hint: Divergence | None) -> int:
    """Return where to look next: at the edges of another family's interval, then in the middle."""
    if hint is not None:
        until = hint.differing.observation.at
        since = until if hint.agreeing is None else hint.agreeing.observation.at
        above = [each for each in range(low + 1, high) if states[each].at >= until]
        if above and above[0] < high and states[above[0]].at - until <= until - since:
            return above[0]
        below = [each for each in range(low + 1, high) if states[each].at <= since]
        if below and since - states[below[-1]].at <= until - since:
            return below[-1]
    return (low + high) // 2


def _is_inside(states: Sequence[Observation], low: int, high: int, hint: Divergence) -> bool:
    """Tell whether what is still searched overlaps another family's interval."""
    since = 0 if hint.agreeing is None else hint.agreeing.observation.at
    return states[high].at >= since and states[low].at <= hint.differing.observation.at


def _decided(
    projector: Projector, states: Sequence[Observation], low: int, middle: int, high: int
) -> tuple[int, Looked]:
    """Return a state near the middle that could be compared, or the middle where none could."""
    looked = projector.look(states[middle])
    for number in (middle + 1, middle - 1):
        if looked.verdict != "unknown":
            break
        if low < number < high and projector.look(states[number]).verdict != "unknown":
            return number, projector.look(states[number])
    return middle, looked


def _probed(
    projector: Projector,
    states: Sequence[Observation],
    low: int,
    high: int,
    differing: Looked,
) -> tuple[Looked, ...]:
    """Return probed states that contradict what was found; evenly spread on either side."""
    found = [
        looked
        for number in _spread(0, low, PROBES)
        if (looked := projector.look(states[number])).verdict == "differs"
    ]
    found += [
        looked
        for number in (*_spread(high, len(states) - 1, PROBES), len(states) - 1)
        if _has_healed(looked := projector.look(states[number]), differing)
    ]
    return tuple(found)


def _spread(low: int, high: int, count: int) -> list[int]:
    """Return numbers spread evenly between two others; fewer where there is no room."""
    return sorted({low + (high - low) * part // (count + 1) for part in range(1, count + 1)})


def _has_healed(looked: Looked, differing: Looked) -> bool:
    """Tell whether all that differed before agrees in a later state."""
    with exact():
        fine = {each.subject for each in looked.figures if each.verdict in {"agrees", "within"}}
    is_later = looked.observation.at > differing.observation.at
    return is_later and differing.differing.keys() <= fine
