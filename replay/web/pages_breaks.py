"""The breaks desk: what differs, how old it is, by class, and who has signed what off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from projections import desk as desks
from replay import desk as desk_reading
from replay import desk_views
from replay.keys import Pins
from replay.web import answers, pages
from replay.web.cells import Grid, grid
from replay.web.pages import recorded_at

if TYPE_CHECKING:
    from projections.desk import Case
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.cells import Leads
    from replay.web.room import Room

NO_PINS: Final = Pins()
"""No keys are pinned here: the command line compares signatures with keys that people named."""


@attrs.frozen(kw_only=True)
class DeskShown:
    """The desk of an account: numbers by class and age, the list, what is wrong on it."""

    at_text: str
    """Up to when ages are counted: when the position asked for was recorded."""
    ages: Grid
    """Live breaks by class and age."""
    states: tuple[tuple[str, int], ...]
    """How many breaks are in which state, in the order of the work."""
    live: Grid
    closed: Grid
    runs: Grid
    findings: tuple[str, ...]


def breaks(room: Room, ask: Ask) -> Answer:
    """Return the desk of an account, or one break of it to the end."""
    asked = pages.whole(room, ask, "breaks")
    if isinstance(asked, answers.Answer):
        return asked
    desk = desk_reading.read(room.audit.book, position=asked.position)
    at = recorded_at(room, asked.position)
    digest = room.slider(asked).digest(asked.at)
    page = pages.of_account(room, asked, "Breaks", "breaks")
    if ask.get("break"):
        case = desk_reading.case_of(desk, ask.get("break"))
        tables = desk_views.shown(room.audit, case, at, NO_PINS, position=asked.position)
        leads: Leads = {"event": lambda row: asked.event(str(row["event"]))}
        grids = tuple(
            grid(table, leads if table.title == "Events it rests on" else None) for table in tables
        )
        context = {"page": page, "asked": asked, "case": case, "grids": grids,
                   "next_step": desk_views.next_step(case)}  # fmt: skip
        return answers.page("break", context, digest=digest)
    mine = [case for case in desk.cases if case.found.account in {None, asked.account}]
    live = [case for case in mine if case.is_live]
    to_case: Leads = {"break": lambda row: asked.broken(str(row["break"]))}

    def list_of(cases: list[Case], title: str) -> Grid:
        table = desk_views.listed(cases, at, position=asked.position, all_of=desk)
        return grid(attrs.evolve(desk_views.narrow(table), title=title), to_case)

    shown = DeskShown(
        at_text=pages.recorded_text(room, asked.position),
        ages=grid(desk_views.ages(live, at)),
        states=tuple((name, sum(case.status == name for case in mine)) for name in desks.STATUSES),
        live=list_of(live, "Live breaks"),
        closed=list_of([case for case in mine if not case.is_live], "Closed breaks"),
        runs=grid(desk_views.runs(desk)),
        findings=tuple(one.text for one in desk_views.findings(mine, desk, NO_PINS)),
    )
    return answers.page("breaks", {"page": page, "asked": asked, "desk": shown}, digest=digest)
