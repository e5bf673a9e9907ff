"""Words: what a statement says in sentences: what it rests on, what it lacks, what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.money import canonical
from replay.moments import iso
from replay.views import place_name

if TYPE_CHECKING:
    from decimal import Decimal

    from projections.statement import Gap, Pair, Row
    from replay.statement import Statement

STALE_MS: Final = 3_600_000
"""A price older than an hour at the end of a period is said to be so."""

_STATED: Final = (
    "the venue's fills state it, no record brought it, and what it cost is in no record either"
)
_SHOWN: Final = "the venue showed it, and no record brought it"
_SET: Final = "an opening set the balance to something else than records had led to"

SHOWN_MOST: Final = 10
"""How many of one kind are named one by one; the rest is counted."""


def heading(statement: Statement) -> str:
    """Return one line: of whom, which period, as known when, in which money."""
    of = statement.of
    who = f"group {of.name}" if of.is_group else of.name
    only = f", {of.token} only" if of.token else ""
    month = "" if " " in of.period.name else f", {of.period.name}"
    return f"{who}{month}{only}: {span(statement)}"


def span(statement: Statement) -> str:
    """Return the two times of a statement, and its money."""
    of = statement.of
    return (
        f"{iso(of.period.since)} to {iso(of.period.until)}, "
        f"as known at position {of.position}, in {of.money}"
    )


def findings(statement: Statement) -> tuple[str, ...]:
    """Return where two truths differ: unexplained quantities, one-sided transfers, states."""
    shown = {
        (each.account, each.place, each.asset) for each in statement.observed if each.difference
    }
    found = [
        f"{canonical(row.unexplained)} {row.asset} of {place_name(row.place)} is unexplained: "
        + _why(row, is_shown=(row.account, row.place, row.asset) in shown)
        for row in statement.rows
        if row.unexplained and not row.is_eliminated
    ]
    found += [_one_sided(pair) for pair in statement.pairs if not pair.is_whole]
    differing = [each for each in statement.observed if each.ours is not None and not each.agrees]
    found += [
        f"the venue showed {canonical(each.amount)} {each.asset} at {place_name(each.place)} at "
        f"{iso(each.at)} (event {each.event[:12]}); records lead to {number(each.ours)}"
        for each in differing[:SHOWN_MOST]
    ]
    if len(differing) > SHOWN_MOST:
        found.append(f"and {len(differing) - SHOWN_MOST} more observed balances differ")
    return tuple(found)


def _why(row: Row, *, is_shown: bool) -> str:
    if is_shown:
        return _SHOWN
    return _STATED if row.place.startswith("position:") else _SET


def _one_sided(pair: Pair) -> str:
    first = pair.sides[0]
    way = "in transit inside the group" if pair.remainder < 0 else "received and sent by nobody"
    return (
        f"{canonical(abs(pair.remainder))} {pair.asset} {way}: event {first.event[:12]} of "
        f"{first.account} at {iso(first.at)} has no matching record of another member"
    )


def lacking(statement: Statement) -> tuple[str, ...]:
    """Return what makes figures unknown, by name."""
    said = [
        f"{account}: balances are unknown from {iso(stopped.at)} on: event {stopped.event[:12]} "
        f"is of the kind {stopped.kind}, whose meaning is not known"
        for account, stopped in statement.stopped
    ]
    said += [f"the book has nothing about {account}" for account in statement.absent]
    if statement.is_bare:
        what = statement.of.token or "any balance"
        said.append(f"nothing recorded by the end tells of {what}: no figure of it is known")
    said += [
        f"{account}: nothing is recorded after {iso(last)}, and no record says that nothing "
        f"happened: the figures are those of then, carried on"
        for account, last in statement.ended
    ]
    said += [_gap(gap) for gap in statement.gaps[:SHOWN_MOST]]
    if len(statement.gaps) > SHOWN_MOST:
        said.append(f"and {len(statement.gaps) - SHOWN_MOST} more records that do not say enough")
    if statement.missing and not statement.is_bare:
        said.append(f"unknown for want of: {', '.join(statement.missing)}")
    return tuple(said)


def _gap(gap: Gap) -> str:
    what = {
        "unknown kind": f"is of the kind {gap.about}, whose meaning is not known",
        "fee not recorded": f"is a fill of {gap.about} whose fee is not recorded",
        "direction not recorded": f"({gap.about}) does not say which way it went",
        "loan not recorded": f"shows {gap.about}, and no record leads to any",
    }[gap.kind]
    return f"event {gap.event[:12]} at {iso(gap.at)} {what}; no figure holds it"


def remarks(statement: Statement) -> tuple[str, ...]:
    """Return what must be said beside the figures: on what they rest, and how old prices are."""
    said = list(dict.fromkeys(statement.openings))
    if any(row.place.startswith("vault:") for row in statement.rows):
        said.append("shares in vaults stand at what was paid in, not at what they were worth")
    for each in statement.prices:
        row = next(row for row in statement.totals if (row.place, row.asset) == each.thing)
        held = row.opening if each.end == "opening" else row.closing
        if held and each.age_ms is not None and each.age_ms > STALE_MS:
            said.append(f"the {each.end} price of {each.thing[1]} is {age(each.age_ms)} old")
    return tuple(said)


def covered(statement: Statement) -> tuple[str, ...]:
    """Return what is known of how complete the records of the period are."""
    return tuple(
        f"{each.account}: {line}" if statement.of.is_group else line
        for each in statement.certificates
        for line in each.lines()
    )


def status(statement: Statement) -> str:
    """Return whether the period was closed, when, by whom and on what."""
    if not statement.closed:
        return "this period is not closed: later records may change these figures"
    last = statement.closed[-1]
    return (
        f"closed by {last.by} at {iso(last.at)} at position {last.position}, "
        f"report {last.report}, digest {last.digest}"
    )


def age(milliseconds: int) -> str:
    """Return an age in its largest units: ``4m``, ``16h 38m``, ``26d 6h``."""
    from replay.margin_report import age_text

    return age_text(milliseconds)


def number(value: Decimal | None) -> str:
    """Return a number with all its digits, ``unknown`` where there is none."""
    return "unknown" if value is None else canonical(value)
