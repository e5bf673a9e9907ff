"""Groups of a book: accounts taken as one entity, as people defined them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.errors import MalformedRecord, NotFound, UnclearQuestion
from ledger.events import GroupDefined
from ledger.events.desk import GroupMember
from ledger.units import DESK, Address, Millis, parse_address
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.events.desk import Role
    from replay.audit import Audit

NAME_MAX: Final = 60
"""Characters of a group's name."""


def groups(audit: Audit, position: int) -> dict[str, GroupDefined]:
    """Return the groups of a book by name, as known at a position; the last definition holds."""
    found = [
        event for event in audit.engine.events(DESK, position) if isinstance(event, GroupDefined)
    ]
    latest: dict[str, GroupDefined] = {}
    for event in found:
        latest[event.name] = event
    return dict(sorted(latest.items()))


def group(audit: Audit, name: str, position: int) -> GroupDefined:
    """Return one group.

    Raises: NotFound, when none of that name is defined, naming those that are.
    """
    known = groups(audit, position)
    if name not in known:
        raise NotFound(
            what="group",
            name=name,
            remedy=f"Groups in it: {', '.join(known) or 'none; see rollforward group define'}",
        )
    return known[name]


def definition(
    name: str,
    members: Sequence[tuple[Role, str]],
    *,
    labels: Mapping[str, str],
    because: str,
    by: str,
    at: Millis,
) -> GroupDefined:
    """Return the event that defines a group.

    *members* are roles with addresses as written, *labels* names by address as written.

    Raises: UnclearQuestion, for a name that is none, no member, one named twice, or no address.
    """
    said = name.strip()
    if not said or len(said) > NAME_MAX or not said.isprintable() or said.startswith("0x"):
        raise UnclearQuestion(
            asked=name,
            problem="is no name of a group",
            remedy=f"Give up to {NAME_MAX} characters that do not begin like an address",
        )
    if not by.strip():
        raise UnclearQuestion(asked=by, problem="says nothing", remedy="Give --as some words")
    called = {_address(address): label for address, label in labels.items()}
    made: dict[Address, GroupMember] = {}
    for role, text in members:
        address = _address(text)
        if address in made:
            raise UnclearQuestion(
                asked=address, problem="is named twice", remedy="Name every account once"
            )
        label = called.pop(address, "")
        if not label.isprintable():
            raise UnclearQuestion(
                asked=label, problem="cannot be printed", remedy="Give plain words"
            )
        made[address] = GroupMember(address=address, role=role, label=label.strip())
    if not made:
        raise UnclearQuestion(
            asked=name, problem="has no members", remedy="Give --master, --sub or --vault"
        )
    if called:
        raise UnclearQuestion(
            asked=", ".join(called), problem="has a label and is no member",
            remedy="Label only members: --label 0x…=NAME",
        )  # fmt: skip
    return GroupDefined(
        stream=DESK, at=at, name=said, members=tuple(made.values()), because=because.strip(),
        by=by.strip(),
    )  # fmt: skip


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except MalformedRecord as error:
        raise UnclearQuestion(
            asked=text, problem=f"is no account: expected {error.expected}", remedy="Correct it"
        ) from error


def groups_table(found: Mapping[str, GroupDefined]) -> Table:
    """Return a row for every group."""
    return Table(
        title="Groups",
        columns=("group", "members", "defined", "by", "because"),
        rows=tuple(
            (name, str(len(each.members)), iso(each.at), each.by, each.because)
            for name, each in found.items()
        ),
        numbers=frozenset({"members"}),
        empty="none defined",
    )


def group_table(audit: Audit, found: GroupDefined) -> Table:
    """Return the members of a group, and whether the book has anything about them."""
    known = audit.accounts()
    return Table(
        title=f"Group {found.name}",
        columns=("account", "role", "label", "in_the_book"),
        rows=tuple(
            (each.address, each.role, each.label, "yes" if each.address in known else "no")
            for each in found.members
        ),
        notes=(
            f"defined by {found.by} at {iso(found.at)}"
            + (f": {found.because}" if found.because else ""),
        ),
    )
