"""State: an account's observed states held against what its history leads to.

The first state that differs is found by bisection; between it and the last that agrees stands
whatever was not recorded, or recorded wrongly. Both states carry the moment they are of, and when
they were captured and taken into the book.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger import timeline
from ledger.errors import UnclearQuestion
from ledger.events import Event
from ledger.money import canonical, exact
from ledger.units import Address, Millis
from projections import breaks
from projections.breaks import Break
from replay.moments import iso
from replay.reconcile.bisection import Course, Divergence, first_divergence, scan
from replay.reconcile.projecting import Looked, Observation, Projector
from replay.reconcile.seen import captured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.observed import Figure
    from projections.pool_bounds import Pace
    from replay.audit import AccountHistory

LISTED_MAX: Final = 20
"""How many events between two states are listed, unless another number is asked for."""

How: TypeAlias = Literal["bisection", "all"]


@attrs.frozen(kw_only=True)
class Between:
    """The events between the last agreeing and the first differing state of a family."""

    count: int
    listed: tuple[Event, ...]
    """The first of them."""


@attrs.frozen(kw_only=True)
class StateReport:
    """What an account's observed states come to, in a period."""

    account: Address
    since: Millis
    until: Millis
    position: int
    how: How
    courses: tuple[Course, ...]
    """One per family of states, in the order of their names."""
    looked: tuple[Looked, ...]
    """Every state that was looked at, by moment."""
    between: Between | None
    """Of the first divergence."""
    projections: int
    """How many instants the history was projected to."""
    folded: int
    """How many events these projections folded; checkpoints stand for the rest."""
    given: tuple[tuple[str, Decimal], ...] = ()
    """Differences of the first states that were taken as given, by subject."""

    @property
    def divergences(self) -> tuple[Divergence, ...]:
        """Every family's first divergence, the earliest first."""
        found = [each.divergence for each in self.courses if each.divergence is not None]
        return tuple(sorted(found, key=lambda each: each.differing.observation.at))

    @property
    def first(self) -> Divergence | None:
        """The earliest divergence; None where nothing differs."""
        return next(iter(self.divergences), None)

    @property
    def is_monotone(self) -> bool:
        """False where a state agrees again after one that differs: look at all of them."""
        return not any(each.contradictions for each in self.courses)

    @property
    def is_known(self) -> bool:
        """True when there are states and each figure of the last ones could be compared."""
        lasts = [each.last for each in self.courses if each.last is not None]
        return bool(lasts) and all(not each.count("unknown") for each in lasts)

    @property
    def breaks(self) -> tuple[Break, ...]:
        """Every figure that first differs, as a break of the interval it arose in."""
        return tuple(
            _break(self, each, figure)
            for each in self.divergences
            for figure in _differing(each.differing)
        )


def reconcile_state(
    history: AccountHistory,
    *,
    since: Millis | None = None,
    until: Millis | None = None,
    position: int,
    how: How = "bisection",
    listed_max: int = LISTED_MAX,
    pace: Pace | None = None,
) -> StateReport:
    """Return an account's observed states held against its history.

    **Units**: moments in milliseconds, both included; None is the first or last observed state.
    With *since* what differs in the first states from then on is taken as given, and only what
    comes on top of it is found. *pace* bounds interest that runs on between its hourly rows;
    without it only the curve does.

    Raises: UnclearQuestion, for a period that ends before it begins.
    """
    if since is not None and until is not None and until < since:
        raise UnclearQuestion(
            asked=f"{iso(since)} to {iso(until)}",
            problem="ends before it begins",
            remedy="Give the first moment with --since and the last with --until",
        )
    projector = Projector(history.audit.engine, history.stream, position, pace)
    families = _families(projector, since, until)
    firsts = [projector.look(states[0]) for states in families.values()]
    for each in firsts:
        projector.begin(each, as_given=since is not None)
    if since is not None:  # what is given does not differ
        projector.forget()
    courses = tuple(_dated(projector, each) for each in _courses(projector, families, how))
    moments = [each.at for states in families.values() for each in states]
    report = StateReport(
        account=history.account,
        since=min(moments, default=Millis(0)) if since is None else since,
        until=max(moments, default=Millis(0)) if until is None else until,
        position=position,
        how=how,
        courses=courses,
        looked=projector.looked(),
        between=None,
        projections=projector.projections,
        folded=projector.folded,
        given=tuple(sorted((name, value) for (_, name), value in projector.given.items())),
    )
    if report.first is None:
        return report
    return attrs.evolve(report, between=_between(projector, report.first, listed_max))


def _families(
    projector: Projector, since: Millis | None, until: Millis | None
) -> dict[str, list[Observation]]:
    found: dict[str, list[Observation]] = {}
    for each in projector.observations:
        if (since is None or each.at >= since) and (until is None or each.at <= until):
            found.setdefault(each.family, []).append(each)
    return dict(sorted(found.items()))


def _courses(
    projector: Projector, families: dict[str, list[Observation]], how: How
) -> tuple[Course, ...]:
    if how == "all":
        return tuple(scan(projector, states) for states in families.values())
    found: dict[str, Course] = {}
    hint: Divergence | None = None
    # Families that differ at the end first: the others are tested where these were looked at.
    order = sorted(families, key=lambda name: not projector.look(families[name][-1]).differing)
    for name in order:
        found[name] = first_divergence(projector, families[name], hint)
        hint = found[name].divergence or hint
    return tuple(found[name] for name in families)


def _dated(projector: Projector, course: Course) -> Course:
    """Return a course whose two states at the divergence carry when they were captured."""
    found = course.divergence
    if found is None:
        return course

    def dated(looked: Looked) -> Looked:
        seen = captured(projector.engine, looked.observation.seen)
        return attrs.evolve(looked, observation=attrs.evolve(looked.observation, seen=seen))

    agreeing = None if found.agreeing is None else dated(found.agreeing)
    return attrs.evolve(
        course,
        divergence=attrs.evolve(found, agreeing=agreeing, differing=dated(found.differing)),
    )


def _between(projector: Projector, found: Divergence, listed_max: int) -> Between:
    """Return the events after the last agreeing state, up to the first differing one."""
    start = 0 if found.agreeing is None else found.agreeing.observation.seen.ordinal + 1
    stop = found.differing.observation.seen.ordinal
    engine, stream = projector.engine, projector.stream
    course = engine.course(stream, projector.position)
    listed = timeline.events(
        course, engine.batches_of(stream), start, min(stop, start + listed_max)
    )
    return Between(count=stop - start, listed=tuple(listed))


# ------------------------------------------------------------------------- what differs


def _differing(looked: Looked) -> Sequence[Figure]:
    with exact():
        return [each for each in looked.figures if each.verdict == "differs"]


def _break(report: StateReport, found: Divergence, figure: Figure) -> Break:
    differing = found.differing.observation
    agreeing = None if found.agreeing is None else found.agreeing.observation
    at = differing.at if agreeing is None else agreeing.at
    events = [each.seen.identity for each in (agreeing, differing) if each is not None]
    with exact():
        difference = figure.difference
        text = (
            f"{figure.subject}: the history leads to {canonical(figure.expected or Decimal(0))}, "
            f"the venue shows {canonical(figure.observed)}"
        )
    return Break(
        identity=breaks.identity(
            desk="state", account=report.account, subject=figure.subject, at=at,
            until=differing.at, key=found.family,
        ),
        desk="state", account=report.account, subject=figure.subject, at=at, until=differing.at,
        kind="differs", expected=figure.expected, observed=figure.observed, difference=difference,
        events=tuple(events), text=text,
    )  # fmt: skip
