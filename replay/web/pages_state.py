"""The timeline and the state: what an account had at an instant, as known at a position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from replay.coverage import foot
from replay.web import answers, pages
from replay.web.cells import Grid, grid
from replay.web.margin_tree import Tree, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from replay.audit import Instant
    from replay.tables import Table
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.cells import Leads
    from replay.web.links import Asked
    from replay.web.room import Room


@attrs.frozen(kw_only=True)
class StateShown:
    """The state panel: everything that is known of an account at an instant."""

    heading: str
    grids: tuple[Grid, ...]
    """Balances, positions, and what else there is of fees, funding and liquidations."""
    lending: Grid
    """What is supplied and borrowed, with what must have moved without a record."""
    margin: Tree | None
    margin_problem: str
    """Why margin has no answer, where it has none."""
    coverage: tuple[str, ...]
    digest: str


def timeline(room: Room, ask: Ask) -> Answer:
    """Return the page of an account at an instant, usable without a script."""
    asked = pages.whole(room, ask)
    if isinstance(asked, answers.Answer):
        return asked
    shown = state(room, asked)
    page = pages.of_account(room, asked, _title(asked), "timeline")
    context = {"page": page, "asked": asked, "state": shown, "ghost": ask.get("ghost")}
    return answers.page("timeline", context, digest=shown.digest)


def fragment(room: Room, ask: Ask) -> Answer:
    """Return the state panel alone, as the slider fetches it."""
    asked = room.asked(ask.path["account"], ask.query)
    shown = state(room, asked)
    page = pages.of_account(room, asked, _title(asked), "timeline")
    context = {"page": page, "asked": asked, "state": shown}
    return answers.page("state", context, digest=shown.digest)


def _title(asked: Asked) -> str:
    """Return what a window of the timeline is called; the slider takes it from the panel."""
    return f"{asked.account} at {asked.at_text}"


def state_json(room: Room, ask: Ask) -> Answer:
    """Return the state as ``rollforward show --json`` has it, with margin and both times."""
    asked = room.asked(ask.path["account"], ask.query)
    instant = room.slider(asked).at(asked.at)
    told: dict[str, Any] = _as_text(instant.to_dict())
    told["coverage"] = list(_foot(room, asked))
    told["margin"] = _margin_dict(room, asked, instant)
    return answers.as_json(told, digest=instant.digest)


def state_csv(room: Room, ask: Ask) -> Answer:
    """Return the tables of the state as CSV, both times and the digest on top."""
    asked = room.asked(ask.path["account"], ask.query)
    instant = room.slider(asked).at(asked.at)
    first = (
        ("account", asked.account),
        ("at", asked.at_text),
        ("known_at", str(asked.position)),
        ("state_digest", instant.digest),
    )
    return answers.as_csv(instant.tables, first, digest=instant.digest)


# ------------------------------------------------------------------------- the panel


def state(room: Room, asked: Asked) -> StateShown:
    """Return what is known of the account at the instant."""
    instant = room.slider(asked).at(asked.at)
    margin, problem = _margin(room, asked, instant)
    balances = instant.balances
    lent = [row for row in balances.to_dicts() if row["place"] in {"supplied", "borrowed"}]
    return StateShown(
        heading=instant.heading,
        grids=tuple(grid(table, leads(table, asked)) for table in instant.tables),
        lending=grid(
            attrs.evolve(
                balances, title="Borrow and lend", notes=(), empty="nothing supplied or borrowed",
                rows=tuple(tuple(row[name] for name in balances.columns) for row in lent),
            ),
            leads(balances, asked),
        ),
        margin=margin,
        margin_problem=problem,
        coverage=_foot(room, asked),
        digest=instant.digest,
    )  # fmt: skip


def leads(table: Table, asked: Asked) -> Leads:
    """Return where the figures of a state's tables lead: to their workings."""

    def why(say: Callable[[Mapping[str, str | None]], str]) -> Callable[..., str]:
        return lambda row: asked.why(say(row))

    def held(row: Mapping[str, str | None]) -> str:
        market = str(row["market"])
        if market.startswith("spot:"):
            return asked.why(f"balance spot {market.removeprefix('spot:')}")
        return asked.why(f"position {market}")

    by_title: dict[str, Leads] = {
        "Balances": {"amount": why(lambda row: f"balance {row['place']} {row['asset']}")},
        "Positions": {"size": held},
        "Fees": {"charged": why(lambda row: f"fee {row['asset']}")},
        "Funding": {"received_less_paid": why(lambda row: f"funding {row['market']}")},
        "Liquidations": {"episode": lambda row: asked.card(int(row["episode"] or 0))},
    }
    return by_title.get(table.title, {})


def _margin(room: Room, asked: Asked, instant: Instant) -> tuple[Tree | None, str]:
    try:
        found = room.slider(asked).margin(asked.at, instant, workings=False)
    except (NotInForce, UnclearQuestion, UnknownKind) as error:
        return None, str(error)
    return tree(found, asked), ""


def _margin_dict(room: Room, asked: Asked, instant: Instant) -> dict[str, Any]:
    from replay.margin_report import as_dict

    try:
        found = room.slider(asked).margin(asked.at, instant, workings=False)
    except (NotInForce, UnclearQuestion, UnknownKind) as error:
        return {"unknown": str(error)}
    told: dict[str, Any] = _as_text(as_dict(found, explained=False))
    return told


def _foot(room: Room, asked: Asked) -> tuple[str, ...]:
    return foot(room.history(asked), since=None, until=asked.at, position=asked.position)


def _as_text(value: Any) -> Any:  # noqa: ANN401 - whatever JSON may hold
    """Return a value for JSON in which every whole number is text: a browser would round some."""
    if isinstance(value, dict):
        return {name: _as_text(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_text(held) for held in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


# ------------------------------------------------------------------------- what is drawn


def lanes(room: Room, ask: Ask) -> Answer | None:
    """Return what the timeline draws, as ``replay.slider`` writes it: places on a screen.

    ``times`` are seconds and ``values`` places for drawing alone; everything that is read beside
    them is text. With ``ghost`` the lines as known at another position stand under that name.
    None while they are being drawn: then it is asked again, when others have had their turn.
    """
    asked = room.asked(ask.path["account"], ask.query)
    slider = room.slider(asked)
    drawn, other = slider.begun().go_on(), None
    if drawn is None:
        return None
    if ask.get("ghost"):
        other = slider.begun(position=room.audit.position(ask.get("ghost"))).go_on()
        if other is None:
            return None
    told = drawn.to_json_ready(slider.marks)
    if other is not None:
        told["ghost"] = other.to_json_ready()
    digest = slider.digest(asked.at)
    told |= {"at": asked.at_text, "state_digest": digest}
    return answers.as_json(told, digest=digest, is_read=False)
