"""Liquidations: the list of them, and the card of one, told to the end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, get_args

import attrs

from ledger.errors import NotFound, UnclearQuestion
from ledger.money import canonical
from ledger.units import Millis
from replay.dispute.liquidation import explained, liquidation_table, recorded
from replay.dispute.minimal import Kind, minimal
from replay.margin_report import shown
from replay.moments import iso
from replay.tables import Table
from replay.web import answers, pages
from replay.web.cells import Cell, Grid, grid
from replay.web.margin_tree import Tree, tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.dispute.liquidation import Liquidation
    from replay.dispute.taking import Taken
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.cells import Leads
    from replay.web.links import Asked
    from replay.web.room import Room

JUDGED_MAX: Final = 20
"""Of so many liquidations the list says whether their condition held; of more, only each card."""

WORDS: Final = {
    True: "The condition held just before",
    False: "The condition did not hold just before",
    None: "Whether the condition held is unknown",
}

_NAME: Final = re.compile(r"[Ll]-([0-9]{1,6})\Z", re.ASCII)


@attrs.frozen(kw_only=True)
class Card:
    """One liquidation, told to the end."""

    name: str
    heading: str
    at_text: str
    condition: bool | None
    verdict: str
    more_than_allowed: bool | None
    """Whether more was taken at once than the documents say; None when that is unknown."""
    rules: tuple[str, ...]
    """Ratio and verdict under each rulebook, and where its text was read."""
    ratio_before: str
    notional: str
    grids: tuple[Grid, ...]
    """Condition, what was taken, the way there, the orders, the sources of marks, the events."""
    way: Grid | None
    order: Grid | None
    margin: Tree | None
    problem: str
    before: str
    """The timeline in the millisecond before."""
    after: str
    minimal: tuple[Cell, ...]
    """The kinds of smallest change that can be sought, each leading to its search."""


def listed(room: Room, ask: Ask) -> Answer:
    """Return the list of recorded liquidations."""
    asked = pages.whole(room, ask, "liquidations")
    if isinstance(asked, answers.Answer):
        return asked
    table = room.made(("list", asked.account, asked.position), lambda: _table(room, asked))
    page = pages.of_account(room, asked, "Liquidations", "liquidations")
    leads: Leads = {"liquidation": lambda row: asked.card(int(str(row["liquidation"])[2:]))}
    context = {"page": page, "asked": asked, "liquidations": grid(table, leads)}
    return answers.page("liquidations", context, digest=room.slider(asked).digest(asked.at))


def _table(room: Room, asked: Asked) -> Table:
    """Return the list; of many liquidations without the condition, which each card has."""
    found = recorded(room.history(asked), asked.position)
    if len(found) <= JUDGED_MAX:
        return liquidation_table(room.assembler(asked))
    return Table(
        title=f"Liquidations of {asked.account}",
        columns=("liquidation", "at", "fills", "taken", "notional", "method"),
        rows=tuple(
            (f"L-{number}", iso(each.first_at), str(each.fills),
             ", ".join(f"{coin} {canonical(size)}" for coin, size in each.closed),
             canonical(each.notional), ", ".join(each.methods))
            for number, each in found.items()
        ),
        numbers=frozenset({"fills", "notional"}),
        notes=("each card says whether its condition held",),
    )  # fmt: skip


def card(room: Room, ask: Ask) -> Answer:
    """Return the card of one liquidation; with ``minimal`` also the smallest change of a kind."""
    name = ask.path["name"]
    asked = pages.whole(room, ask, f"liquidations/{name}")
    if isinstance(asked, answers.Answer):
        return asked
    named = _NAME.match(name)
    history = room.history(asked)
    if named is None or int(named[1]) not in recorded(history, asked.position):
        raise NotFound(
            what="liquidation", name=name[:20], where=" of this account, as known then",
            remedy="See the list of liquidations",
        )  # fmt: skip
    number = int(named[1])
    kind = _kind(ask.get("minimal"))
    told = room.made(
        ("liquidation", asked.account, asked.position, number),
        lambda: explained(history, number, position=asked.position),
    )
    sought, problem = _minimal(room, asked, number, kind)
    context = {
        "page": pages.of_account(room, asked, told.name, "liquidations"),
        "asked": asked,
        "card": _card(told, asked),
        "minimal": sought,
        "minimal_problem": problem,
    }
    return answers.page("liquidation", context, digest=room.slider(asked).digest(asked.at))


def _card(told: Liquidation, asked: Asked) -> Card:
    first_at = told.episode.first_at
    before = asked.moved(at=Millis(first_at - 1))
    first = None if told.before is None else told.before.margin.judgements[0]
    events: Leads = {"event": lambda row: asked.event(str(row["event"]))}
    return Card(
        name=told.name,
        heading=told.heading,
        at_text=iso(first_at),
        condition=told.condition,
        verdict=WORDS[told.condition],
        more_than_allowed=more_than_allowed(told.taken),
        rules=told.condition_table.notes,
        ratio_before=shown(None if first is None or first.ratio is None else first.ratio.value),
        notional=canonical(told.episode.notional),
        grids=tuple(grid(table, events) for table in told.tables),
        way=None if told.way is None else grid(told.way.table),
        order=None if told.range is None else grid(told.range.table),
        margin=None if told.before is None else tree(told.before, before),
        problem=told.problem or told.way_problem,
        before=before.to(),
        after=asked.moved(at=told.episode.last_at).to(),
        minimal=tuple(
            Cell(text=kind, href=asked.card(told.number, kind))
            for kind in get_args(Kind) if kind != "time"
        ),
    )  # fmt: skip


def more_than_allowed(taken: Sequence[Taken]) -> bool | None:
    """Return whether of any market more was taken at once than allowed; None when unknown."""
    if any(each.is_more for each in taken):
        return True
    return None if not taken or any(each.allowed is None for each in taken) else False


def _kind(given: str) -> Kind | None:
    """Return the kind of change that is sought; None where none is.

    Raises: UnclearQuestion, for what is no kind, before anything is looked up.
    """
    found: Kind | None = next((each for each in get_args(Kind) if each == given), None)
    if given and found is None:
        raise UnclearQuestion(
            asked=given, problem="is no kind of change",
            remedy=f"There are: {', '.join(get_args(Kind))}",
        )  # fmt: skip
    return found


def _minimal(room: Room, asked: Asked, number: int, kind: Kind | None) -> tuple[Grid | None, str]:
    """Return the smallest change of a kind, or why there is none to tell."""
    if kind is None:
        return None, ""
    try:
        found = room.made(
            ("minimal", asked.account, asked.position, number, kind),
            lambda: minimal(room.history(asked), kind, position=asked.position, liquidation=number),
        )
    except UnclearQuestion as error:
        return None, str(error)
    return grid(found.table), ""
