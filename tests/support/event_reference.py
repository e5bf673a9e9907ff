"""The reference of events as a page, read off the classes and their annotations.

Run ``python -m tests.support.event_reference`` to write ``docs/reference/events.md``; a test
compares the page with what this makes.
"""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from ledger import events
from ledger.kinds import KIND_OF, Is, Kind

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "events.md"

SECTIONS: tuple[tuple[str, str, tuple[type, ...]], ...] = (
    ("Cash and transfers", "Every movement that is not a trade.", get_args(events.CashEvent)),
    ("Trading", "Fills, funding, and the marks of liquidations.", get_args(events.TradingEvent)),
    (
        "Lending",
        "Operations on reserves, and interest by the hour.",
        get_args(events.LendingEvent),
    ),
    ("Market", "Prices, rates, reserves and metadata.", get_args(events.MarketEvent)),
    (
        "Observations",
        "The venue's own picture of one account at one instant; it moves no money.",
        get_args(events.Observation),
    ),
    (
        "Housekeeping",
        "What a person or the book itself has to say: openings, corrections, contradictions.",
        (events.Opened, events.Noted, events.Unrecognized, *get_args(events.Housekeeping)),
    ),
    (
        "Desk",
        "What people did about differences, and which periods they closed; part of no account.",
        get_args(events.DeskEvent),
    ),
)

PLAIN = {
    "Address": "address",
    "Asset": "token",
    "Coin": "market",
    "Decimal": "number",
    "Dex": "exchange",
    "EventId": "identity",
    "Millis": "milliseconds",
    "Stream": "stream",
    "bool": "yes or no",
    "int": "whole number",
    "str": "text",
}


def page() -> str:
    """Return the whole page."""
    kinds = [member for _, _, members in SECTIONS for member in members]
    lines = [
        "# Events",
        "",
        "Everything a book can hold.",
        "One kind is one fact, in the past tense; a kind never changes once it was stored,",
        "a new form of it gets the next version.",
        "An event holds what a record says and nothing we derived:",
        "what the venue derived and told us is named `reported_…`.",
        "",
        f"There are {len(kinds)} kinds.",
        "In this page *identity* names the fields which, together with stream, moment and",
        "occurrence, tell two events apart: two records with the same identity are one fact.",
        "*Family* names the history answer that covers the kind completely for its window.",
        "Words are explained in the [glossary](glossary.md).",
        "",
        "Every event has these three fields:",
        "",
        *table(events.Fact, common=True),
    ]
    nested: list[type] = []
    for title, sentence, members in SECTIONS:
        lines += ["", f"## {title}", "", sentence]
        for member in members:
            lines += ["", *one_kind(KIND_OF[member], member)]
            nested += [part for part in parts_of(member) if part not in nested]
    lines += ["", "## Parts", "", "Values which stand inside the events above."]
    for part in nested:
        lines += ["", f"### {part.__name__}", "", first_sentence(part), "", *table(part)]
    return "\n".join(lines) + "\n"


def one_kind(kind: Kind, member: type) -> list[str]:
    """Return the lines of one kind: name, sentence, identity, fields."""
    return [
        f"### {member.__name__}",
        "",
        first_sentence(member),
        "",
        f"Kind `{kind.tag}` · identity: {identity_of(kind)}"
        + (f" · family: {kind.family}" if kind.family else ""),
        *(["", *table(member)] if fields_of(member, common=False) else []),
    ]


def identity_of(kind: Kind) -> str:
    """Return what makes two of a kind the same fact, in words."""
    if kind.whole:
        return "every field"
    if not kind.key:
        return "nothing more"
    named = ", ".join(f"`{field}`" for field in kind.key)
    if kind.identified_by:
        return f"{named}; every field where `{kind.identified_by}` is missing"
    return named


def first_sentence(member: type) -> str:
    """Return the docstring as one paragraph."""
    return re.sub(r"``(.+?)``", r"`\1`", re.sub(r"\s+", " ", (member.__doc__ or "").strip()))


def fields_of(member: type, *, common: bool) -> list[str]:
    """Return the names of the fields a table shows."""
    shared = {field.name for field in attrs.fields(events.Fact)}
    own = [field.name for field in attrs.fields(member)]
    return (
        own
        if common or not issubclass(member, events.Fact)
        else [name for name in own if name not in shared]
    )


def table(member: type, *, common: bool = False) -> list[str]:
    """Return the table of the fields of an event or of a part."""
    hints = get_type_hints(member, include_extras=True)
    lines = ["| field | is | holds | unit | venue's name |", "|---|---|---|---|---|"]
    for name in fields_of(member, common=common):
        said, held = meaning(hints[name])
        unit = f"`{said.unit}`" if said.unit else ""
        venue = f"`{said.venue}`" if said.venue else ""
        lines.append(f"| `{name}` | {said.meaning} | {held} | {unit} | {venue} |")
    return lines


def meaning(hint: Any) -> tuple[Is, str]:
    """Return what a field says of itself, and what it holds in plain words."""
    said = next(part for part in get_args(hint)[1:] if isinstance(part, Is))
    return said, held_by(get_args(hint)[0])


def held_by(hint: Any) -> str:
    """Return a type in plain words."""
    if hint is type(None):
        return "nothing"
    if get_origin(hint) is Annotated:
        return held_by(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return " \\| ".join(f"`{word}`" for word in get_args(hint))
    if get_origin(hint) in {Union, types.UnionType}:
        return " or ".join(held_by(part) for part in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {held_by(get_args(hint)[0])}"
    if attrs.has(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return PLAIN.get(hint.__name__, hint.__name__)


def parts_of(member: type) -> list[type]:
    """Return the classes of the values inside an event, in the order of its fields."""
    found: list[type] = []

    def walk(hint: Any) -> None:
        for part in get_args(hint):
            walk(part)
        if isinstance(hint, type) and attrs.has(hint) and hint not in found:
            found.append(hint)

    for hint in get_type_hints(member, include_extras=True).values():
        walk(hint)
    return found


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
