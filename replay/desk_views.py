"""What a desk looks like: the list of breaks, their ages, and the whole story of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.errors import NotFound
from ledger.events import (
    BreakApproved,
    BreakAssigned,
    BreakCarried,
    BreakClosed,
    BreakExplained,
    BreakOpened,
    BreakVanished,
    Reconciled,
)
from ledger.money import canonical
from projections import desk as desks
from projections.breaks import approval_statement, recorded
from projections.desk import BUCKETS, NOT_YET, OLDEST, Act, Case, Desk
from replay import keys
from replay.moments import iso
from replay.tables import UNKNOWN, Cell, Table
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from ledger.units import Millis
    from projections.findings import Finding
    from replay.audit import Audit
    from replay.keys import Pins

SHORT: Final = 12

NEXT: Final = {
    "open": "assign it or explain it",
    "assigned": "its owner explains it",
    "carried": "explain it, or carry it on",
    "explained": "a second person approves the explanation",
    "approved": "close it",
    "closed": "nothing, until a run finds it with other numbers",
}


@attrs.frozen(kw_only=True)
class Wanted:
    """Which breaks are asked for; what is None or empty does not limit.

    ``older`` are whole days since the value date, at least; ``owner`` is compared as a person,
    and the empty name asks for those nobody has.
    """

    statuses: frozenset[str] = frozenset()
    owner: str | None = None
    desk: str | None = None
    account: str | None = None
    older: int | None = None
    is_gone: bool = False

    def fits(self, case: Case, at: Millis) -> bool:
        """Tell whether a case is asked for."""
        return (
            (not self.statuses or case.status in self.statuses)
            and (self.owner is None or desks.person(self.owner) == desks.person(case.owner or ""))
            and self.desk in {None, case.found.desk}
            and self.account in {None, case.found.account}
            and (self.older is None or desks.age_days(case, at) >= self.older)
            and (not self.is_gone or case.is_gone)
        )


LIVE: Final = frozenset(desks.STATUSES) - {"closed"}


def amount(value: Decimal | None) -> str:
    """Return an amount in plain digits, or the word for one that is not known."""
    return UNKNOWN if value is None else canonical(value)


def marks(case: Case) -> str:
    """Return what else is to be known of a case in a few words; nothing takes these back."""
    found = [
        (case.against != "venue", f"against {case.against}"),
        (case.is_gone and case.is_live, "no longer found"),
        (case.forced, "closed by force"),
        (case.carried, f"carried {case.carried}x"),
        (case.renewed, f"opened again {case.renewed}x"),
        (len(case.refused), f"{len(case.refused)} acts without effect"),
    ]
    return ", ".join(text for applies, text in found if applies)


def next_step(case: Case) -> str:
    """Return what is to be done next about a case."""
    if case.is_gone and case.is_live:
        return "close it: no run finds it any more"
    return NEXT[case.status]


def listed(cases: Sequence[Case], at: Millis, *, position: int, all_of: Desk) -> Table:
    """Return the list of breaks by value date, with their ages at an instant."""
    rows = tuple(
        (
            case.found.identity,
            _whose(case),
            case.found.subject,
            short(case.found.at),
            str(desks.age_days(case, at)),
            case.found.kind,
            amount(case.found.difference),
            case.found.convention or None,
            case.status,
            case.owner,
            marks(case) or None,
        )
        for case in cases
    )
    live = sum(case.is_live for case in all_of.cases)
    return Table(
        title=f"Breaks at {iso(at)}, as known at position {position}",
        columns=("break", "history", "subject", "value_date", "days", "class", "difference",
                 "convention", "status", "owner", "remarks"),
        rows=rows,
        numbers=frozenset({"days", "difference"}),
        notes=(
            f"{live} live, {len(all_of.cases) - live} closed in this book",
            "days are whole days since the value date",
        ),
        empty="none",
    )  # fmt: skip


def narrow(table: Table) -> Table:
    """Return the list without the columns that say nothing: empty ones, and one history for all."""
    cells = {name: {row[index] for row in table.rows} for index, name in enumerate(table.columns)}
    gone = {name for name in ("convention", "owner", "remarks") if cells[name] <= {None}}
    title = table.title
    if len(cells["history"]) == 1:
        gone.add("history")
        title = title.replace("Breaks", f"Breaks of {next(iter(cells['history']))}", 1)
    kept = [index for index, name in enumerate(table.columns) if name not in gone]
    return attrs.evolve(
        table,
        title=title,
        columns=tuple(table.columns[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in table.rows),
    )


def short(moment: Millis) -> str:
    """Return a moment in UTC without seconds where there are none: ``2026-08-03T12:01Z``."""
    whole = iso(moment)
    return whole.replace(":00.000Z", "Z") if whole.endswith(":00.000Z") else whole


def _whose(case: Case) -> str:
    account = case.found.account
    return case.found.desk if account is None else f"{account[:6]}…{account[-4:]}"


def ages(cases: Iterable[Case], at: Millis) -> Table:
    """Return how many of the cases are how old, by class."""
    names = (*(name for _, name in BUCKETS), OLDEST, NOT_YET)
    counts: dict[str, dict[str, int]] = {}
    for case in cases:
        row = counts.setdefault(case.found.kind, {})
        name = desks.bucket(case, at)
        row[name] = row.get(name, 0) + 1
    shown = [
        name for name in names if name != NOT_YET or any(NOT_YET in c for c in counts.values())
    ]
    return Table(
        title="Age by value date",
        columns=("class", *shown),
        rows=tuple(
            (kind, *(str(counts[kind].get(name, 0)) for name in shown)) for kind in sorted(counts)
        ),
        numbers=frozenset(shown),
        empty="none",
    )


# ------------------------------------------------------------------------------------ one break


def shown(audit: Audit, case: Case, at: Millis, pinned: Pins, *, position: int) -> list[Table]:
    """Return the tables of one break: itself, what it rests on, what fits it, its history."""
    tables = [_itself(case, at, pinned, position)]
    if case.found.candidates:
        tables.append(_candidates(case))
    tables.append(_rests_on(audit, case))
    tables.append(_history(case, pinned))
    return tables


def _itself(case: Case, at: Millis, pinned: Pins, position: int) -> Table:
    found = case.found
    rows: list[tuple[Cell, ...]] = [
        ("what", found.text),
        ("subject", f"{found.subject} ({found.desk} desk)"),
        ("account", found.account or "none: a reserve's pool"),
        ("value date", short(found.at) if found.at == found.until
         else f"{short(found.at)} to {short(found.until)}"),
        ("age", f"{desks.age_days(case, at)} days ({desks.bucket(case, at)})"),
        ("held against", case.against),
        ("class", found.kind),
        ("expected", amount(found.expected)),
        ("observed", amount(found.observed)),
        ("difference", amount(found.difference)),
        ("convention", found.convention),
        ("status", case.status + (f"; {marks(case)}" if marks(case) else "")),
        ("owner", case.owner or "nobody"),
        ("signature", _signature(case, pinned)),
        ("next", next_step(case)),
        ("figures", found.figures),
    ]  # fmt: skip
    return Table(
        title=f"{found.identity} at {iso(at)}, as known at position {position}",
        columns=("field", "value"),
        rows=tuple(row for row in rows if row[1]),
    )


def _signature(case: Case, pinned: Pins) -> str:
    event = case.approval.event if case.approval else None
    if not isinstance(event, BreakApproved):
        return ""
    worth = keys.checked(event, pinned)
    named = f"; {worth.key.fingerprint}" if worth.key else ""
    return f"{worth.worth}: {worth.text}{named}"


def _candidates(case: Case) -> Table:
    return Table(
        title="Conventions that fit",
        columns=("convention", "gives"),
        rows=tuple((name, canonical(value)) for name, value in case.found.candidates),
        numbers=frozenset({"gives"}),
    )


def _rests_on(audit: Audit, case: Case) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in case.found.events:
        try:
            entry = audit.find(name)
        except NotFound:
            rows.append((name[:SHORT], None, "not in this book", None))
            continue
        source = audit.record_name(entry.record) if entry.record else entry.source
        where = f"{source} {entry.place}" if entry.record else source
        rows.append((name[:SHORT], iso(entry.event.at), described(entry.event), where))
    return Table(
        title="Events it rests on",
        columns=("event", "at", "what", "from"),
        rows=tuple(rows),
        empty="none recorded",
    )


def _history(case: Case, pinned: Pins) -> Table:
    refused = {act.id: why for act, why in case.refused}
    rows = []
    for act in case.acts:
        text = said(act, pinned)
        if act.id in refused:
            text += f" (without effect: it {refused[act.id].problem})"
        rows.append((iso(act.event.at), str(act.position), _by(act), text, act.id[:SHORT]))
    return Table(
        title="History",
        columns=("done", "position", "by", "what", "event"),
        rows=tuple(rows),
        numbers=frozenset({"position"}),
    )


def _by(act: Act) -> str:
    return act.event.by


def said(act: Act, pinned: Pins) -> str:
    """Return an act in words, with its numbers."""
    event = act.event
    match event:
        case BreakOpened():
            found = recorded(event)
            return (
                f"{found.kind}: expected {amount(found.expected)}, observed "
                f"{amount(found.observed)}, difference {amount(found.difference)} "
                f"(run {event.run[:SHORT]})"
            )
        case BreakVanished():
            return f"no longer found by run {event.run[:SHORT]}"
        case BreakAssigned():
            return f"assigned to {event.owner}" + _colon(event.because)
        case BreakExplained():
            return f"explained: {event.because}"
        case BreakApproved():
            worth = keys.checked(event, pinned).worth
            return f"approved ({worth}) explanation {event.explanation[:SHORT]}" + _colon(
                event.because
            )
        case BreakCarried():
            to = "" if event.to is None else f" to {short(event.to)}"
            return f"carried forward{to}: {event.because}"
        case BreakClosed():
            how = {
                "approved": "closed on its approval",
                "no longer found": "closed as no longer found",
                "forced": "CLOSED BY FORCE, approved by nobody",
            }[event.resolution]
            return f"{how}: {event.because}"
        case _:
            return described(event)


def _colon(text: str) -> str:
    return f": {text}" if text else ""


# ------------------------------------------------------------------------------- for programs


def as_dict(case: Case, at: Millis) -> dict[str, object]:
    """Return a case as JSON: amounts as text, moments in milliseconds."""
    found = case.found
    return {
        "break": found.identity,
        "desk": found.desk,
        "account": found.account,
        "subject": found.subject,
        "value_date": found.at,
        "until": found.until,
        "days": desks.age_days(case, at),
        "age": desks.bucket(case, at),
        "class": found.kind,
        "expected": _text(found.expected),
        "observed": _text(found.observed),
        "difference": _text(found.difference),
        "convention": found.convention or None,
        "candidates": {name: canonical(value) for name, value in found.candidates},
        "events": list(found.events),
        "text": found.text,
        "against": case.against,
        "status": case.status,
        "owner": case.owner,
        "no_longer_found": case.is_gone,
        "closed_by_force": case.forced,
        "carried": case.carried,
        "opened_again": case.renewed,
        "acts_without_effect": len(case.refused),
        "figures": found.figures,
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else canonical(value)


def history_dicts(case: Case, pinned: Pins) -> list[dict[str, object]]:
    """Return the history of a case as JSON; an approval brings its statement and signature."""
    refused = {act.id: why.problem for act, why in case.refused}
    found: list[dict[str, object]] = []
    for act in case.acts:
        one: dict[str, object] = {
            "event": act.id,
            "at": act.event.at,
            "recorded": act.recorded,
            "position": act.position,
            "by": _by(act),
            "what": said(act, pinned),
            "without_effect": refused.get(act.id),
        }
        if isinstance(act.event, BreakApproved):
            worth = keys.checked(act.event, pinned)
            one["signature"] = {
                "worth": worth.worth,
                "why": worth.text,
                "statement": approval_statement(act.event),
                "line": act.event.signature,
                "key": act.event.key,
            }
        found.append(one)
    return found


def findings(cases: Iterable[Case], desk: Desk, pinned: Pins) -> tuple[Finding, ...]:
    """Return what is wrong on a desk: acts that did not fit, and signatures that are false.

    Only signatures of *cases* are compared.
    """
    found = list(desk.findings)
    for case in cases:
        for act in case.acts:
            if isinstance(act.event, BreakApproved):
                worth = keys.checked(act.event, pinned)
                if worth.worth == "invalid":
                    found.append(keys.finding(act, act.event, case.found.account, worth))
    return tuple(sorted(found, key=lambda one: one.at))


def runs(desk: Desk) -> Table:
    """Return the recorded reconciliations, first to last."""
    rows = [
        (
            iso(act.event.at),
            act.event.desk,
            act.event.account,
            iso(act.event.since),
            iso(act.event.until),
            act.event.against,
            str(act.event.found),
            act.event.parameters,
            act.event.by,
        )
        for act in desk.runs
        if isinstance(act.event, Reconciled)
    ]
    return Table(
        title="Reconciliations",
        columns=("done", "desk", "account", "from", "to", "against", "found", "parameters", "by"),
        rows=tuple(rows),
        numbers=frozenset({"found"}),
        empty="none recorded",
    )
