"""Wholes: what can only be said of a whole history: checks, coverage, the desk, all texts.

They are asked again for every history that changed, and written anew.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ledger import events as ev
from ledger.codec import decode, identity
from ledger.units import DESK
from replay import checking, desk, groups
from replay.audit import NO_OPENING
from replay.moments import iso
from replay.readmodel import tables
from replay.readmodel.columns import plain

if TYPE_CHECKING:
    from ledger.timeline import Course
    from ledger.units import Stream
    from projections.desk import Case
    from replay.audit import AccountHistory, Audit
    from replay.checking import Checked
    from replay.engine import Engine
    from replay.readmodel.file import ViewsFile

_ACTS: Final[dict[type, str]] = {
    ev.Reconciled: "reconciled", ev.BreakOpened: "opened", ev.BreakVanished: "vanished",
    ev.BreakAssigned: "assigned", ev.BreakExplained: "explained", ev.BreakApproved: "approved",
    ev.BreakClosed: "closed", ev.BreakCarried: "carried",
}  # fmt: skip


def note(file: ViewsFile, event: ev.Event, name: str) -> None:
    """Write what an event says beside moving anything: corrections, remarks, acts, quarantine."""
    match event:
        case ev.Annulled():
            file.put(tables.CORRECTIONS, (
                name, event.target, "annulled", event.author, event.reason, None))  # fmt: skip
        case ev.Replaced():
            file.put(tables.CORRECTIONS, (
                name, event.target, "replaced", event.author, event.reason, event.replacement,
            ))  # fmt: skip
        case ev.Quarantined():
            file.put(tables.QUARANTINE, (
                name, event.record, event.name, event.place, event.reason, event.text,
            ))  # fmt: skip
        case ev.Noted():
            file.put(tables.NOTES, (name, "note", event.author, event.text))
        case ev.Opened():
            file.put(tables.NOTES, (name, "opening", event.author, f"taken from {event.source}"))
        case _:
            act = _ACTS.get(type(event))
            if act is not None:
                broken = getattr(event, "identity", None)
                said = getattr(event, "because", None) or getattr(event, "text", "")
                file.put(tables.DESK_ACTS, (
                    name, broken, act, event.at, getattr(event, "by", ""), said,
                ))  # fmt: skip


def set_aside(file: ViewsFile, engine: Engine, stream: Stream, course: Course) -> None:
    """Write anew which recorded events of a stream are not in its course, and why."""
    file.do('DELETE FROM "set_aside" WHERE stream=?', (stream,))
    for item in course.set_aside:
        if item.version is not None:
            line = engine.batch(stream, item.version).lines[item.row]
            name = identity(decode(line), line).hex()
            row = (name, stream, item.reason, json.dumps(list(item.by)))
            file.put(tables.SET_ASIDE, row)


def checked(file: ViewsFile, stream: str, found: Checked) -> None:
    """Write anew what the checks found in one history."""
    for table in (tables.FINDING_EVENTS, tables.FINDINGS, tables.CHECKS):
        file.do(f'DELETE FROM "{table.name}" WHERE stream=?', (stream,))
    for result in found.results:
        if result.looked_at or result.unknown or result.findings:
            why = "; ".join(f"{count} {reason}" for reason, count in result.why_unknown)
            file.put(tables.CHECKS, (
                stream, result.name, result.looked_at, result.agreed, result.unknown, why,
            ))  # fmt: skip
    places = [_place(file, finding.events) for finding in found.findings]
    for number, finding in enumerate(found.findings, 1):
        for place, event in enumerate(finding.events, 1):
            file.put(tables.FINDING_EVENTS, (stream, number, place, event))
        file.put(tables.FINDINGS, (
            stream, number, finding.check, finding.severity, finding.at, finding.expected,
            finding.observed, finding.difference, checking.in_words(finding.text),
            places[number - 1],
        ))  # fmt: skip


def _place(file: ViewsFile, events: tuple[str, ...]) -> str | None:
    """Return file and place of the last of some events that was read from a record."""
    for event in reversed(events):
        found = file.rows(
            "SELECT records.name || ' ' || events.place FROM events"
            " JOIN records ON records.record = events.record WHERE events.event=?",
            (event,),
        )
        if found:
            return str(found[0][0])
    return None


def covered(file: ViewsFile, history: AccountHistory, position: int) -> None:
    """Write anew how complete an account's history is, from its first event to its last."""
    file.do('DELETE FROM "coverage" WHERE account=?', (history.account,))
    for number, stretch in enumerate(history.coverage(known_at=position).stretches, 1):
        file.put(tables.COVERAGE, (
            history.account, number, stretch.family, stretch.level, stretch.since, stretch.until,
            stretch.subject, stretch.cause,
        ))  # fmt: skip


def account(file: ViewsFile, history: AccountHistory, position: int) -> None:
    """Write anew with what an account's balances begin."""
    openings = history.openings(position)
    rests = "; ".join(
        f"attested by {each.author} from {each.source} at {iso(each.at)}" for each in openings
    )
    file.do('DELETE FROM "accounts" WHERE account=?', (history.account,))
    file.put(tables.ACCOUNTS, (history.account, history.stream, rests or NO_OPENING))


def desks(file: ViewsFile, audit: Audit, position: int) -> None:
    """Write anew every break and what became of it, the groups, and what the desk's check found."""
    for table in (tables.BREAK_EVENTS, tables.BREAKS, tables.GROUP_MEMBERS):
        file.do(f'DELETE FROM "{table.name}"')
    for case in desk.read(audit.book, position=position).cases:
        _break(file, case)
    for name, defined in groups.groups(audit, position).items():
        for member in defined.members:
            row = (name, member.address, member.role, member.label)
            file.put(tables.GROUP_MEMBERS, row)
    checked(file, DESK, checking.checked_desk(audit, position))


def _break(file: ViewsFile, case: Case) -> None:
    found = case.found
    closed = case.closing.event.at if case.closing else None
    file.put(tables.BREAKS, (
        found.identity, found.desk, found.account, found.subject, found.at, found.until,
        found.kind, plain(found.expected), plain(found.observed), plain(found.difference),
        found.convention, case.status, case.owner, case.opened_at, closed, int(case.is_gone),
        case.against, found.text,
    ))  # fmt: skip
    for place, event in enumerate(found.events, 1):
        file.put(tables.BREAK_EVENTS, (found.identity, place, event))


_TEXTS: Final = """
INSERT INTO texts (number, kind, about, account, at_ms, who, said)
SELECT row_number() OVER (ORDER BY at_ms, kind, about, said), kind, about, account, at_ms, who, said
FROM (
  SELECT notes.kind AS kind, notes.event AS about, account, at_ms, author AS who, said
  FROM notes JOIN events ON events.event = notes.event
  UNION ALL
  SELECT 'correction', corrections.event, account, at_ms, author, what || ': ' || reason
  FROM corrections JOIN events ON events.event = corrections.event
  UNION ALL
  SELECT 'quarantine', quarantine.event, NULL, at_ms, '', quarantine.name || ' '
         || quarantine.place || ': ' || reason || ' | ' || row_text
  FROM quarantine JOIN events ON events.event = quarantine.event
  UNION ALL
  SELECT 'break', "break", account, value_ms, '', subject || ': ' || said FROM breaks
  UNION ALL
  SELECT 'desk', coalesce("break", event), NULL, done_ms, by_whom, act || ': ' || because
  FROM desk_acts WHERE because <> '' AND act <> 'opened'
  UNION ALL
  SELECT 'finding', stream || ' ' || number, accounts.account, at_ms, '',
         check_name || ': ' || said
  FROM findings LEFT JOIN accounts USING (stream)
)
"""


def texts(file: ViewsFile) -> None:
    """Gather everything that is written in words, and its full-text index, anew."""
    file.do('DELETE FROM "texts"')
    file.do(_TEXTS)
    file.do("INSERT INTO texts_fts (texts_fts) VALUES ('rebuild')")
