"""What every check is made of: its options, its result, and the walk over fills."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import attrs

from ledger import events as ev
from ledger.codec import event_id
from ledger.entries import Covered
from ledger.events import Event
from ledger.money import canonical
from ledger.units import stream_account
from projections import positions
from projections.findings import Finding, Severity
from projections.positions import Fill, Position
from projections.postings import is_perp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from projections.reference import Reference


def exactly(event: Event) -> int | None:
    """Say of every event that its numbers were written in full."""
    return None


@attrs.frozen(kw_only=True)
class Options:
    """What a check cannot see in the events."""

    digits: Callable[[Event], int | None] = exactly
    """How many significant digits the record of an event shows; None for all of them. Spreadsheets
    show ten: there, numbers agree within half a unit of the tenth."""
    covers: tuple[Covered, ...] = ()
    """Intervals of which the history is known to be complete, by family."""


@attrs.frozen(kw_only=True)
class CheckResult:
    """What a check looked at, and how much of it agreed."""

    name: str
    looked_at: int
    """How many it could judge."""
    agreed: int
    unknown: int = 0
    """How many it could not judge; they are not among those it looked at."""
    why_unknown: tuple[tuple[str, int], ...] = ()
    """Reasons, each with its count."""
    tally: tuple[tuple[str, int], ...] = ()
    """What was found how often, where a check sorts what it sees (fee rates)."""
    findings: tuple[Finding, ...] = ()

    def line(self) -> str:
        """Return the result in one line: ``closed-pnl: 9 of 9 (17 unknown: …)``."""
        line = f"{self.name}: {self.agreed} of {self.looked_at}"
        if self.unknown:
            reasons = "; ".join(f"{count} {reason}" for reason, count in self.why_unknown)
            line += f" ({self.unknown} unknown: {reasons})"
        return line


class Tally:
    """A check under way: counts, reasons and findings, until ``result`` is asked for."""

    def __init__(self, name: str) -> None:
        """Begin with nothing looked at."""
        self.name = name
        self.agreed = 0
        self.looked_at = 0
        self.findings: list[Finding] = []
        self.seen: dict[str, int] = {}
        self.reasons: dict[str, int] = {}

    def agree(self, count: int = 1) -> None:
        """Count one that agreed, or several."""
        self.looked_at += count
        self.agreed += count

    def see(self, what: str) -> None:
        """Count what was seen."""
        self.seen[what] = self.seen.get(what, 0) + 1

    def unknown(self, why: str) -> None:
        """Count one that cannot be judged, and why."""
        self.reasons[why] = self.reasons.get(why, 0) + 1

    def differ(
        self,
        event: Event,
        *,
        expected: Decimal | str,
        observed: Decimal | str,
        text: str,
        severity: Severity = "warning",
        others: tuple[Event, ...] = (),
        count: int = 1,
    ) -> None:
        """Count what disagreed, and keep the finding; a *count* of 0 keeps it only."""
        self.looked_at += count
        difference = ""
        if isinstance(expected, Decimal) and isinstance(observed, Decimal):
            difference = canonical(observed - expected)
        self.findings.append(
            Finding(
                check=self.name,
                account=stream_account(event.stream),
                at=event.at,
                events=tuple(event_id(each) for each in (*others, event)),
                expected=said(expected),
                observed=said(observed),
                difference=difference,
                text=text,
                severity=severity,
            )
        )

    def result(self) -> CheckResult:
        """Return what came of it."""
        return CheckResult(
            name=self.name,
            looked_at=self.looked_at,
            agreed=self.agreed,
            unknown=sum(self.reasons.values()),
            why_unknown=tuple(sorted(self.reasons.items())),
            tally=tuple(sorted(self.seen.items())),
            findings=tuple(self.findings),
        )


def said(value: Decimal | str) -> str:
    """Return a number as plain text, and text as it is."""
    return value if isinstance(value, str) else canonical(value)


class Step(NamedTuple):
    """One fill in its history: the position before it (None at first) and after, and its effect."""

    event: ev.Filled
    key: str
    before: Position | None
    after: Position
    fill: Fill


def walk(events: Iterable[Event], reference: Reference) -> Iterator[Step]:
    """Yield every fill beside the position it changed, by the rule of the projection itself."""
    held: dict[str, Position] = {}
    for event in events:
        if isinstance(event, ev.Filled):
            key = positions.key(event.coin, reference)
            before = held.get(key)
            rule = positions.perp_filled if is_perp(event.coin) else positions.spot_filled
            after, fill = rule(before, event, reference)
            positions.record(held, event, reference)
            yield Step(event, key, before, after, fill)
        elif type(event) in positions.CONSUMED:
            positions.record(held, event, reference)
