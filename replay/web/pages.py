"""Pages: what all of them begin with: whose account, which instant, known when, and where to go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

import attrs

from ledger.units import Millis
from replay.moments import iso
from replay.web import links

if TYPE_CHECKING:
    from replay.slider import Step
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.links import Asked
    from replay.web.room import Room


@attrs.frozen(kw_only=True)
class Steps:
    """Addresses of the instants beside this one; None where there is none."""

    previous_event: str | None
    next_event: str | None
    previous_hour: str | None
    next_hour: str | None
    previous_ms: Millis | None
    """Moments of the events before and after, in milliseconds."""
    next_ms: Millis | None


@attrs.frozen(kw_only=True)
class Page:
    """The head of a page. **Units**: moments in milliseconds, with their text in UTC beside."""

    title: str
    here: str
    """Which page: timeline, why, event, liquidations, breaks, coverage, accounts, verify."""
    links: Mapping[str, str]
    """Addresses of the other pages by those names, both times kept."""
    account: str = ""
    label: str = ""
    at: int = 0
    at_text: str = ""
    known_at: int = 0
    """Position of the book."""
    known_text: str = ""
    """When that position was recorded."""
    first: int = 0
    """Moments of the account's first and last event, as known then."""
    last: int = 0
    first_text: str = ""
    last_text: str = ""
    position_last: int = 0
    """The book's last position."""
    steps: Steps | None = None


def of_book(title: str, here: str) -> Page:
    """Return the head of a page that is about no account."""
    return Page(title=title, here=here, links={"accounts": links.ACCOUNTS, "verify": links.VERIFY})


def of_account(room: Room, asked: Asked, title: str, here: str) -> Page:
    """Return the head of a page of an account."""
    slider = room.slider(asked)
    first, last = slider.span or (Millis(0), Millis(0))
    known = {"": "timeline", "state.json": "state_json", "state.csv": "state_csv",
             "state": "state", "lanes.json": "lanes", "liquidations": "liquidations",
             "breaks": "breaks", "coverage": "coverage"}  # fmt: skip
    return Page(
        title=title,
        here=here,
        links={
            **{name: asked.to(page) for page, name in known.items()},
            "accounts": links.ACCOUNTS,
            "verify": links.VERIFY,
        },
        account=asked.account,
        label=labels(room, asked.position).get(asked.account, ""),
        at=asked.at,
        at_text=asked.at_text,
        known_at=asked.position,
        known_text=recorded_text(room, asked.position),
        first=first,
        last=last,
        first_text=iso(first),
        last_text=iso(last),
        position_last=room.audit.position(),
        steps=_steps(asked, slider.step(asked.at)),
    )


def _steps(asked: Asked, step: Step) -> Steps:
    def to(moment: Millis | None) -> str | None:
        return None if moment is None else asked.moved(at=moment).to()

    return Steps(
        previous_event=to(step.previous),
        next_event=to(step.next),
        previous_hour=to(step.previous_hour),
        next_hour=to(step.next_hour),
        previous_ms=step.previous,
        next_ms=step.next,
    )


def whole(room: Room, ask: Ask, page: str = "") -> Asked | Answer:
    """Return the question of a request, or the way to the address that holds all of it."""
    from replay.web.answers import Answer

    asked = room.asked(ask.path["account"], ask.query)
    is_whole = ask.get("at") and ask.get("known-at") and ask.path["account"] == asked.account
    if is_whole:
        return asked
    more = {name: value for name, value in ask.query.items() if name not in asked.times}
    # A name out of the path may hold any character; in a header it stands as an address has it.
    return Answer(body=b"", status=307, location=asked.to(quote(page), more))


def labels(room: Room, position: int) -> dict[str, str]:
    """Return what people call accounts, by the groups in which they did, the last one holding."""
    from replay.groups import groups

    return {
        member.address: member.label
        for group in groups(room.audit, position).values()
        for member in group.members
        if member.label
    }


def recorded_at(room: Room, position: int) -> Millis:
    """Return when a position was recorded, the latest moment up to it; 0 for an empty book."""
    return room.audit.book.recorded_at(position) if position else Millis(0)


def recorded_text(room: Room, position: int) -> str:
    """Return when a position was recorded, in UTC; empty for an empty book."""
    return iso(recorded_at(room, position)) if position else ""
