"""Why a figure is what it is: its workings, the events it rests on, and the records behind them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from ledger.errors import NotFound, UnclearQuestion
from ledger.units import Address, account_stream
from projections.margin import Line
from replay import explain
from replay import margin_report as report
from replay.web import answers, pages
from replay.web.cells import Cell, Grid, grid
from replay.web.margin_tree import FIGURE, subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.margin import Judgement
    from replay.explain import Evidence
    from replay.margin import MarginAt
    from replay.tables import Table
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.links import Asked
    from replay.web.room import Room

EVENTS_MAX: Final = 20_000
"""Up to this many events a figure is explained from the first on."""

LAST: Final = 2_000
"""Of a longer history so many are gone through, the last ones; before them stands their sum."""

ROWS_SHOWN: Final = 500
"""How many events of a figure a page lists, the last ones."""

TEXT_SHOWN: Final = 65_536
"""Characters of a raw row that a page shows."""

ONE_PART: Final = "a sum of nothing, or of what is not known"

_BEFORE: Final = ("+ ", "− ", "× ", "÷ ", ", ")
"""What may stand before a figure in a formula, beside its beginning and a bracket."""

_WHOLE: Final = re.compile(r"[0-9a-f]{32}\Z", re.ASCII)
_EVENT: Final = re.compile(r"event ([0-9a-f]{12,32})\Z")
_QUESTION: Final = re.compile(r'explain "([^"]+)"\Z')


@attrs.frozen(kw_only=True)
class Step:
    """One line of a derivation: a formula with its numbers, or an input with where it stands."""

    name: str
    of: str
    formula: str
    """Empty for an input."""
    value: str
    unit: str
    rule: str
    status: str
    alternative: str
    """The nearest other reading of the text, and what it gives."""
    source: str
    age: str
    where: str
    """Record, place and event of an input, in words."""
    href: str | None
    """Where an input leads: to its event, or to the figure it is."""
    parts: tuple[Cell, ...]
    """The figures the formula is made of, each leading to its own workings."""


@attrs.frozen(kw_only=True)
class Workings:
    """How a figure of margin is made, under one rulebook."""

    rulebook: str
    steps: tuple[Step, ...]


@attrs.frozen(kw_only=True)
class Raw:
    """A raw record behind an event: its characters exactly as received."""

    event: Cell
    name: str
    place: str
    record: str
    """SHA-256 of the whole record; empty where a person recorded it."""
    source: str
    recorded: str
    position: str
    text: str | None
    is_cut: bool


def why(room: Room, ask: Ask) -> Answer:
    """Return the workings of a figure: of margin its derivation, else the events it sums up."""
    asked = pages.whole(room, ask, "why")
    if isinstance(asked, answers.Answer):
        return asked
    figure = ask.get("figure").strip()
    if not figure:
        raise UnclearQuestion(
            asked="figure", problem="is not named", remedy="Follow a number on the timeline"
        )
    page = pages.of_account(room, asked, figure, "why")
    digest = room.slider(asked).digest(asked.at)
    context = {"page": page, "asked": asked, "figure": figure, "value": "", "workings": (),
               "grids": (), "raw": (), "notes": ()}  # fmt: skip
    made = _of_margin if figure.startswith(FIGURE) else _of_events
    context |= made(room, asked, figure)
    return answers.page("why", context, digest=digest)


# ------------------------------------------------------------------------- figures of events


def _of_events(room: Room, asked: Asked, figure: str) -> dict[str, object]:
    count = room.slider(asked).at(asked.at).folded.count
    is_long = count > EVENTS_MAX
    found = explain.explain(
        room.history(asked), figure, until=asked.at, position=asked.position,
        last=LAST if is_long else None,
    )  # fmt: skip
    notes = found.notes
    if is_long:
        command = f'rollforward explain {asked.account} "{figure}" --at {asked.at_text}'
        said = f"of {count} events the last {LAST} are gone through here; all of them: {command}"
        notes = (*notes, f"{said} --known-at {asked.position}")
    return {
        "value": found.figure or "",
        "grids": tuple(_listed(table, asked) for table in found.tables),
        "raw": tuple(raw(item, asked) for item in found.evidence[-ROWS_SHOWN:]),
        "notes": notes,
    }


def _listed(table: Table, asked: Asked) -> Grid:
    """Return the last rows of a table of events, each leading to its event."""
    left = len(table.rows) - ROWS_SHOWN
    shown = attrs.evolve(table, rows=table.rows[-ROWS_SHOWN:])
    if left > 0:
        shown = attrs.evolve(shown, notes=(*table.notes, f"{left} earlier events are not shown"))
    return grid(shown, {"event": lambda row: asked.event(str(row["event"]))})


def raw(item: Evidence, asked: Asked) -> Raw:
    """Return the raw record of an event, its row cut where it is very long."""
    text = item.text
    return Raw(
        event=Cell(text=item.event, href=asked.event(item.event)),
        name=item.name,
        place=item.place,
        record=item.record or "",
        source=item.source,
        recorded=item.recorded,
        position=item.position,
        text=None if text is None else text[:TEXT_SHOWN],
        is_cut=text is not None and len(text) > TEXT_SHOWN,
    )


# ------------------------------------------------------------------------- figures of margin


def _of_margin(room: Room, asked: Asked, figure: str) -> dict[str, object]:
    found = room.assembler(asked).at(asked.at, room.slider(asked).at(asked.at).states,
                                     workings=True)  # fmt: skip
    workings = []
    values = []
    for judgement in found.margin.judgements:
        root = _root(judgement, figure)
        if root is None:
            continue
        values.append(report.shown(root.value))
        lines = tuple(_reached(judgement, root))
        steps = tuple(_step(found, judgement, line, asked) for line in lines)
        workings.append(Workings(rulebook=judgement.rulebook, steps=steps))
    if not workings:
        raise NotFound(
            what="figure", name=figure.removeprefix(FIGURE), where=" in the margin of this instant",
            remedy="Follow a number on the timeline",
        )  # fmt: skip
    first = found.margin.judgements[0]
    return {
        "value": " or ".join(dict.fromkeys(values)),
        "workings": tuple(workings),
        "grids": (grid(report.readings_table(first)),),
        "notes": report.notes(found, first),
    }


def _root(judgement: Judgement, figure: str) -> Line | None:
    """Return the line of a figure; a sum of one part has none of its own, and is that part."""
    for line in judgement.lines:
        if _called(line) == figure:
            return line
    for found in judgement.figures():
        if subject(found.name, found.of) == figure:
            base = found.name.removesuffix(" of all")
            same = [line for line in judgement.lines if line.name.endswith(base)
                    and line.value == found.value and line.value]  # fmt: skip
            formula = " + ".join(
                f"{_called(line).removeprefix(FIGURE)} [{report.shown(line.value)}]"
                for line in same[:1]
            )
            return Line(
                name=found.name, of=found.of, formula=formula, value=found.value,
                unit=found.unit, rule=found.rule, status=found.status,
                source="" if formula else found.note or ONE_PART,
            )  # fmt: skip
    return None


def _called(line: Line) -> str:
    return subject(line.name, line.of)


def _parts(judgement: Judgement, line: Line) -> Iterator[Line]:
    """Yield the lines whose figures stand in a formula, each once."""
    for other in judgement.lines:
        name = _called(other).removeprefix(FIGURE)
        if other is not line and _stands_in(f"{name} [", line.formula):
            yield other


def _stands_in(name: str, formula: str) -> bool:
    """Tell whether a figure stands in a formula, and is not merely the end of another's name."""
    at = formula.find(name)
    while at > 0 and formula[at - 1] not in "(|" and formula[at - 2 : at] not in _BEFORE:
        at = formula.find(name, at + 1)
    return at >= 0


def _reached(judgement: Judgement, root: Line) -> Iterator[Line]:
    """Yield a figure and all it is made of, from the figure down to the inputs, each once."""
    waiting: list[Line] = [root]
    seen: set[str] = set()
    while waiting:
        line = waiting.pop(0)
        if _called(line) in seen:
            continue
        seen.add(_called(line))
        yield line
        waiting += _parts(judgement, line)


def _step(found: MarginAt, judgement: Judgement, line: Line, asked: Asked) -> Step:
    where = "" if line.formula else found.rests.where.of(line.name, line.of)
    return Step(
        name=line.name,
        of=line.of,
        formula=line.formula,
        value=report.shown(line.value),
        unit=line.unit,
        rule=line.rule,
        status=line.status,
        alternative=line.alternative,
        source=line.source,
        age=report.age_text(line.age_ms),
        where=where,
        href=leads_to(where, asked),
        parts=tuple(
            Cell(
                text=_called(each).removeprefix(FIGURE),
                href=asked.why(_called(each)),
            )
            for each in _parts(judgement, line)
        ),
    )


def leads_to(where: str, asked: Asked) -> str | None:
    """Return where the place of an input leads: to its event, or to a figure's own workings."""
    named = _EVENT.search(where)
    if named is not None:
        return asked.event(named[1])
    question = _QUESTION.search(where)
    return None if question is None else asked.why(question[1])


# ------------------------------------------------------------------------- one event


def event(room: Room, ask: Ask) -> Answer:
    """Return one event with its legs, what became of it, and its raw record."""
    identity = ask.path["identity"].lower()
    asked = pages.whole(room, ask, f"event/{identity}")
    if isinstance(asked, answers.Answer):
        return asked
    history = room.history(asked)
    # Inputs of margin are events of markets and reserves, and named by a beginning.
    full = identity if _WHOLE.match(identity) else explain.identity_anywhere(room.audit, identity)
    found = explain.explain_any(history, full, asked.position)
    entry = room.audit.find(full)
    notes = list(found.notes)
    if entry.position > asked.position:
        notes.append(
            f"recorded at position {entry.position}, after what this page takes as known "
            f"(position {asked.position})"
        )
    page = pages.of_account(room, asked, f"Event {full[:12]}", "event")
    whose = entry.event.stream
    context = {
        "page": page,
        "asked": asked,
        "identity": full,
        "stream": whose,
        "is_own": whose == account_stream(Address(asked.account)),
        "grids": tuple(grid(table) for table in found.tables),
        "raw": tuple(raw(item, asked) for item in found.evidence),
        "notes": tuple(notes),
        "happened": asked.moved(at=entry.event.at).at_text,
        "at_event": asked.moved(at=entry.event.at).to(),
    }
    return answers.page("event", context, digest=room.slider(asked).digest(asked.at))
