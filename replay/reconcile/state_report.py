"""Tables of observed states held against a history, and the same as text for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.codec import event_id
from ledger.money import canonical, exact
from replay.moments import iso
from replay.tables import UNKNOWN, Table
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.observed import Figure
    from replay.reconcile.bisection import Course, Divergence
    from replay.reconcile.projecting import Looked
    from replay.reconcile.state import StateReport

WORDS: Final = {
    "agrees": "agrees",
    "within": "within stated rounding",
    "differs": "differs",
    "unknown": UNKNOWN,
}

ASSUMES: Final = (
    "found by bisection, which takes it that what once differs goes on differing; --all looks at "
    "every state"
)
_HEALED: Final = (
    "{} agrees again at {}: what differs here does not go on differing, and something may differ "
    "in between; look at every state with --all"
)
_EARLY: Final = "{} differs already at {}, before what was found; look at every state with --all"
_TOLERANCE: Final = (
    "tolerance: none for sizes and money; a supply or debt may be ahead of its hourly rows by the "
    "interest that has been running since, and 0.00000001 for every row, which is cut off there"
)


def heading(report: StateReport) -> str:
    """Return one line: which account, which states, as known when, and how many projections."""
    states = sum(each.states for each in report.courses)
    if not states:
        return f"{report.account}, as known at position {report.position}: no observed state"
    return (
        f"{report.account} from {iso(report.since)} to {iso(report.until)}, as known at position "
        f"{report.position}: {states} observed states, {report.projections} projections"
    )


def tables(report: StateReport) -> list[Table]:
    """Return the report as tables: families, the divergence, what lies between, figures."""
    found = [families_table(report)]
    found += [divergence_table(each) for each in report.divergences]
    if report.between is not None:
        found.append(between_table(report))
    found.append(figures_table(report))
    return found


def families_table(report: StateReport) -> Table:
    """Return one row per family of states: how its last one stands, and where it first differs."""
    rows = tuple(
        (
            each.family, str(each.states), "" if each.last is None else WORDS[each.last.verdict],
            _interval(each.divergence),
        )
        for each in report.courses
    )  # fmt: skip
    notes = [_TOLERANCE, *(said for each in report.courses for said in _against(each))]
    if report.how == "bisection" and rows:
        notes.insert(0, ASSUMES)
    for subject, value in report.given:
        notes.append(f"taken as given: {subject} differed by {canonical(value)} already")
    return Table(
        title="Observed states",
        columns=("state", "observed", "the_last", "first_differs_between"),
        rows=rows,
        numbers=frozenset({"observed"}),
        notes=tuple(notes) if rows else (),
        empty="no observed state is recorded in this time",
    )


def _against(course: Course) -> list[str]:
    found = course.divergence
    if found is None:
        return []
    return [
        (_HEALED if each.observation.at > found.differing.observation.at else _EARLY).format(
            course.family, iso(each.observation.at)
        )
        for each in course.contradictions[:1]
    ]


def _interval(found: Divergence | None) -> str | None:
    if found is None:
        return None
    until = iso(found.differing.observation.at)
    if found.agreeing is None:
        return f"the beginning and {until}"
    return f"{iso(found.agreeing.observation.at)} and {until}"


def divergence_table(found: Divergence) -> Table:
    """Return the first differing figures of a family, with both capture times of both states."""
    differing = found.differing
    with exact():
        figures = [each for each in differing.figures if each.verdict == "differs"]
        rows = tuple(
            (
                each.subject, _or_unknown(each.expected), canonical(each.observed),
                _or_unknown(each.difference),
            )
            for each in figures
        )  # fmt: skip
    notes = [f"differs: {_captured(differing)}"]
    if found.agreeing is None:
        notes.insert(0, "no state before it agrees")
    else:
        notes.insert(0, f"agrees: {_captured(found.agreeing)}")
    if found.changed:
        notes.append(
            f"at the last state the difference of {', '.join(found.changed)} is another one: more "
            f"has gone wrong since; go on with --since {iso(differing.observation.at)}"
        )
    return Table(
        title=f"First difference: {found.family}",
        columns=("figure", "rebuilt", "observed", "difference"),
        rows=rows,
        numbers=frozenset({"rebuilt", "observed", "difference"}),
        notes=tuple(notes),
    )


def _captured(looked: Looked) -> str:
    seen = looked.observation.seen
    fetched = "" if seen.fetched is None else f", captured {iso(seen.fetched)}"
    return (
        f"state of {iso(seen.event.at)}{fetched}, recorded {iso(seen.recorded)}, "
        f"event {seen.identity[:12]}"
    )


def between_table(report: StateReport) -> Table:
    """Return the first events between the last agreeing and the first differing state."""
    between = report.between
    listed = () if between is None else between.listed
    count = 0 if between is None else between.count
    rows = tuple((iso(each.at), event_id(each)[:12], described(each)) for each in listed)
    more = count - len(rows)
    notes = ["what is missing or wrong lies between these two states"]
    if more:
        notes.append(f"and {more:,} more events; list more with --list")
    return Table(
        title=f"Events between them: {count:,}",
        columns=("at", "event", "what"),
        rows=rows,
        notes=tuple(notes),
        empty="none is recorded",
    )


def figures_table(report: StateReport) -> Table:
    """Return every figure of the states shown: of all with ``--all``, else of the last ones."""
    shown = report.looked
    if report.how != "all":
        shown = tuple(each.last for each in report.courses if each.last is not None)
    rows: list[tuple[str | None, ...]] = []
    with exact():
        for looked in shown:
            at = iso(looked.observation.at)
            rows += [(at, looked.observation.family, *_row(each)) for each in looked.figures]
    return Table(
        title="Figures of every state" if report.how == "all" else "Figures of the last states",
        columns=("at", "state", "figure", "rebuilt", "observed", "difference", "verdict"),
        rows=tuple(rows),
        numbers=frozenset({"rebuilt", "observed", "difference"}),
        empty="none that movements add up to",
    )


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = WORDS[figure.verdict]
    return (
        figure.subject,
        _or_unknown(figure.expected),
        canonical(figure.observed),
        _or_unknown(figure.difference),
        f"{verdict}: {figure.why}" if figure.why else verdict,
    )


def to_dict(report: StateReport) -> dict[str, object]:
    """Return the report as a dictionary of text, for programs."""
    return {
        "account": report.account,
        "since": iso(report.since),
        "until": iso(report.until),
        "known_at": str(report.position),
        "how": report.how,
        "projections": report.projections,
        "folded_events": report.folded,
        "monotone": report.is_monotone,
        "states": families_table(report).to_dicts(),
        "divergences": [_divergence(each) for each in report.divergences],
        "between": {
            "count": 0 if report.between is None else report.between.count,
            "listed": between_table(report).to_dicts(),
        },
        "looked_at": list(_looked(report.looked)),
        "notes": [note for table in tables(report) for note in table.notes],
    }


def _divergence(found: Divergence) -> dict[str, object]:
    return {
        "state": found.family,
        "figures": divergence_table(found).to_dicts(),
        "agreeing": None if found.agreeing is None else _capture(found.agreeing),
        "differing": _capture(found.differing),
        "changed_since": list(found.changed),
    }


def _capture(looked: Looked) -> dict[str, str | None]:
    seen = looked.observation.seen
    return {
        "event": seen.identity,
        "at": iso(seen.event.at),
        "fetched": None if seen.fetched is None else iso(seen.fetched),
        "recorded": iso(seen.recorded),
        "fits_at": iso(looked.fits_at),
    }


def _looked(states: Iterable[Looked]) -> Iterable[dict[str, object]]:
    columns = ("figure", "rebuilt", "observed", "difference", "verdict")
    for each in states:
        with exact():
            figures = [
                dict(zip(columns, _row(figure), strict=True)) for figure in each.figures
            ]  # fmt: skip
        yield {"state": each.observation.family, **_capture(each), "figures": figures}


def _or_unknown(value: object) -> str:
    from decimal import Decimal

    return canonical(value) if isinstance(value, Decimal) else UNKNOWN
