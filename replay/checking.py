"""Checking: runs the named checks over histories, and gathers what else disagrees in a book.

Beside what ``projections.checks`` holds against each other, a book knows of records that
contradict each other, of openings that older history has replaced, and of events whose kind has
no meaning yet. All of it becomes findings; nothing is repaired.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from ledger import timeline
from ledger.codec import decode, event_id
from ledger.entries import IDENTIFIED, AsOf
from ledger.errors import NotFound
from ledger.events import Opened
from ledger.money import ZERO, canonical, exact
from ledger.units import BOOK, EventId, Stream, is_desk, stream_account
from projections import balances, checks, liquidations, positions
from projections.checks import CHECKS, MARKET_CHECKS, RESERVE_CHECKS, CheckResult, Options
from projections.findings import Finding
from projections.fold import Stopped
from projections.positions import SHEET_DIGITS
from replay import desk, desk_views, keys, views
from replay.moments import iso
from replay.tables import Table, Tabled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ledger.events import Event
    from ledger.timeline import Course, SetAside
    from projections.fold import States
    from replay.audit import AccountHistory, Audit
    from replay.engine import Engine

_MOMENT: Final = re.compile(r"(?<=\b(?:at) )1[5-9]\d{11}\b|(?<=\bafter )1[5-9]\d{11}\b")


@attrs.frozen(kw_only=True)
class Checked:
    """What was checked of one history: results by check, and what else disagrees in it."""

    subject: str
    results: tuple[CheckResult, ...]
    others: tuple[Finding, ...] = ()
    liquidations: Table | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, by moment; of one moment in the order of the checks."""
        found = [*self.others, *(each for result in self.results for each in result.findings)]
        return tuple(sorted(found, key=lambda finding: finding.at))


@attrs.frozen(kw_only=True)
class CheckReport(Tabled):
    """What checks came to, over one or several histories."""

    checked: tuple[Checked, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, history by history."""
        return tuple(finding for each in self.checked for finding in each.findings)

    @property
    def is_clean(self) -> bool:
        """True when nothing disagrees; notes (a derived opening) are no disagreement."""
        return all(finding.severity == "note" for finding in self.findings)

    def table(self) -> Table:
        """Return one row per check and history: how many agreed, of how many, how many unknown."""
        rows = tuple(
            (
                _short(each.subject),
                result.name,
                f"{result.agreed} of {result.looked_at}",
                str(result.unknown),
                "; ".join(f"{count} {why}" for why, count in result.why_unknown) or None,
                ", ".join(f"{what}: {count}" for what, count in result.tally) or None,
            )
            for each in self.checked
            for result in each.results
            if result.looked_at or result.unknown or result.findings
        )
        return Table(
            title="Checks",
            columns=("history", "check", "agreed", "unknown", "why_unknown", "seen"),
            rows=rows,
            numbers=frozenset({"agreed", "unknown"}),
            empty="nothing recorded that could be checked",
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The summary."""
        return (self.table(),)


def _short(subject: str) -> str:
    """Return a history's name as a table can bear it: an address by its two ends."""
    return f"{subject[:6]}…{subject[-4:]}" if subject.startswith("0x") else subject


def check_account(account: AccountHistory, *, position: int) -> CheckReport:
    """Return what the checks of accounts find in one history, as known at a position."""
    return CheckReport(checked=(_checked_account(account, position),))


def check_book(audit: Audit, *, position: int) -> CheckReport:
    """Return what all checks find in all histories of a book, accounts first, then markets."""
    checked = [_checked_account(audit.account(name), position) for name in audit.accounts()]
    checked += [
        _checked_market(audit.engine, info.stream, position)
        for info in audit.book.streams()
        if stream_account(info.stream) is None and info.stream != BOOK and not is_desk(info.stream)
    ]
    return CheckReport(checked=(*checked, checked_desk(audit, position)))


def checked_stream(audit: Audit, stream: Stream, position: int) -> Checked | None:
    """Return what the checks find in one history; None for the book's own and the desks'."""
    account = stream_account(stream)
    if account is not None:
        return _checked_account(audit.account(account), position)
    if stream == BOOK or is_desk(stream):
        return None
    return _checked_market(audit.engine, stream, position)


def checked_desk(audit: Audit, position: int) -> Checked:
    """Return which recorded acts on breaks have no effect, and which signatures are false."""
    read = desk.read(audit.book, position=position)
    return Checked(
        subject="desk", results=(), others=desk_views.findings(read.cases, read, keys.Pins())
    )


def _checked_market(engine: Engine, stream: Stream, position: int) -> Checked:
    results: tuple[CheckResult, ...] = ()
    family, _, name = stream.partition(":")
    wanted = {"market": MARKET_CHECKS, "reserve": RESERVE_CHECKS}.get(family)
    if wanted is not None:
        events, options = _history(engine, stream, position)
        results = checks.run(wanted, events, engine.reference(position), options)
    return Checked(
        subject=f"reserve {name}" if family == "reserve" else name or stream,
        results=results,
        others=tuple(_disagreements(engine, stream, position)),
    )


def _checked_account(account: AccountHistory, position: int) -> Checked:
    engine = account.audit.engine
    events, options = _history(engine, account.stream, position)
    results = checks.run(CHECKS, events, engine.reference(position), options)
    states = engine.states(account.stream, AsOf(position=position)).states
    episodes = states.by_name[liquidations.NAME]
    named = None
    if not isinstance(episodes, Stopped) and episodes.by_key:
        named = views.liquidations_table(states)
    return Checked(
        subject=account.account,
        results=results,
        others=tuple(_others(account, states, position)),
        liquidations=named,
    )


def _history(engine: Engine, stream: Stream, position: int) -> tuple[list[Event], Options]:
    """Return the events of a history, and what the checks cannot see in them."""
    headers = {header.version: header for header in engine.headers(stream, position)}
    course = engine.course(stream, position)
    events: list[Event] = []
    from_sheets: set[int] = set()
    for version, row, count in course.pieces():
        if version == timeline.LITERAL:
            events.append(decode(course.literals[row].line))
            continue
        batch = engine.batch(stream, version)
        found = [decode(line) for line in batch.lines[row : row + count]]
        if headers[version].source == "sheet":
            from_sheets.update(map(id, found))
        events += found
    covers = tuple(cover for h in headers.values() if h.source in IDENTIFIED for cover in h.covers)

    def digits(event: Event) -> int | None:
        return SHEET_DIGITS if id(event) in from_sheets else None

    return events, Options(digits=digits, covers=covers)


# ------------------------------------------------------------------- what a book alone knows


def _others(account: AccountHistory, states: States, position: int) -> Iterator[Finding]:
    course = account.audit.engine.course(account.stream, position)
    yield from _disagreements(account.audit.engine, account.stream, position)
    for name, held in states.by_name.items():
        if isinstance(held, Stopped):
            yield Finding(
                check="unknown-kind",
                account=account.account,
                at=held.at,
                events=(held.event,),
                expected="a kind whose meaning is known",
                observed=held.kind,
                difference="",
                text=f"{name} is unknown from here on: no meaning is known for {held.kind}",
                severity="error",
            )
    yield from _replaced_openings(account, course, position)


def _disagreements(engine: Engine, stream: Stream, position: int) -> Iterator[Finding]:
    """Yield where the records of a stream cannot all be right."""
    for found in engine.course(stream, position).disagreements:
        yield Finding(
            check=found.cause,
            account=stream_account(stream),
            at=found.at,
            events=found.events,
            expected="",
            observed="; ".join(found.lines),
            difference="",
            text=found.text,
            severity="error" if found.cause == "contradicted" else "warning",
        )


def _replaced_openings(account: AccountHistory, course: Course, position: int) -> Iterator[Finding]:
    """Hold openings that older history has replaced against what that history leads to."""
    engine = account.audit.engine
    for aside in course.set_aside:
        if aside.reason == "older history recorded" and aside.version is not None:
            opening = decode(engine.batch(account.stream, aside.version).lines[aside.row])
            if isinstance(opening, Opened):
                yield from _opening_against(account, opening, aside, position)


def _opening_against(
    account: AccountHistory, opening: Opened, aside: SetAside, position: int
) -> Iterator[Finding]:
    as_of = AsOf(effective=opening.at, position=position)
    states = account.audit.engine.states(account.stream, as_of).states
    for what, attested, rebuilt in _compared(opening, states):
        with exact():
            difference = canonical(attested - rebuilt)
        yield Finding(
            check="opening",
            account=account.account,
            at=opening.at,
            events=(EventId(event_id(opening)), *aside.by),
            expected=canonical(rebuilt),
            observed=canonical(attested),
            difference=difference,
            text=f"{what}: {opening.author} attested {canonical(attested)}, the older history "
            f"recorded since leads to {canonical(rebuilt)}; the history holds",
            severity="note" if difference == "0" else "warning",
        )


def _compared(opening: Opened, states: States) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Yield what is compared, what was attested and what the history leads to."""
    held = states.by_name[balances.NAME]
    if not isinstance(held, Stopped):
        for balance in opening.balances:
            owed = balance.place == "borrowed"
            rebuilt = held.by_key.get((balance.place, balance.asset), ZERO)
            what = f"{views.place_name(balance.place)} {balance.asset}"
            yield what, -balance.amount if owed else balance.amount, rebuilt
    sizes = states.by_name[positions.NAME]
    if not isinstance(sizes, Stopped):
        for attested in opening.positions:
            position = sizes.by_key.get(attested.coin)
            size = positions.size(position) if position is not None else ZERO
            yield f"position {attested.coin}", attested.size, size


def place_of_finding(audit: Audit, finding: Finding) -> str | None:
    """Return file and place of the last event of a finding, such as ``fills.json [12]``."""
    for identity in reversed(finding.events):
        try:
            entry = audit.find(identity)
        except NotFound:
            continue
        if entry.record is not None:
            return f"{audit.record_name(entry.record)} {entry.place}"
    return None


def in_words(text: str) -> str:
    """Return a sentence of a finding with its moments as dates; projections know no calendar."""
    return _MOMENT.sub(lambda found: iso(int(found[0])), text)


def said(audit: Audit, finding: Finding) -> str:
    """Return a finding as one line: place, severity, check, sentence, account and moment."""
    where = place_of_finding(audit, finding) or audit.path
    event = f" event {finding.events[-1][:12]}" if finding.events else ""
    whose = f" {finding.account}" if finding.account else ""
    return (
        f"{where}: {finding.severity}: {finding.check}: {in_words(finding.text)}"
        f" [{iso(finding.at)}{whose}{event}]"
    )


def as_dict(audit: Audit, finding: Finding) -> dict[str, object]:
    """Return a finding as a dictionary of text, with the place of its records."""
    told = attrs.asdict(finding)
    return {
        **told,
        "text": in_words(finding.text),
        "at": iso(finding.at),
        "place": place_of_finding(audit, finding),
    }
