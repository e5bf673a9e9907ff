"""Interest: the payouts of an account over a period, held against what follows by rule.

What is due comes from recorded states, operations and reserve rates; what was paid from the
venue's hourly rows, or from a statement. The classes and conventions are in
``projections.interest``; here they are read from a book, and become breaks with names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.codec import event_id
from ledger.errors import NotFound, UnclearQuestion
from ledger.money import ZERO, canonical, exact, round_half_even
from ledger.seal import digest_of_record
from ledger.units import Address, Asset, Digest, Millis
from projections.breaks import Break, identity
from projections.conventions import PAID_PLACES
from projections.habits import UNDETERMINED
from projections.interest import Line, Reconciled, Tolerance, reconcile
from projections.lending import HOUR_MS, RATE_AGE_MAX, SIDES, Key, rates
from projections.payouts import Paid
from projections.sides import paid_rows, sides
from replay.moments import iso
from replay.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from decimal import Decimal

    from ledger.events import Event
    from replay.audit import AccountHistory
    from replay.periods import Period

VENUE: Final = "venue"

ASKED: Final = (
    "expected on what stood when the hour began; where a payout was not what was due, on what the "
    "rows after it fit: what was due, or what was paid"
)


@attrs.frozen(kw_only=True)
class Asked:
    """How payouts are reconciled, beside account and period."""

    tolerance: Tolerance = attrs.field(factory=Tolerance)
    hold_ms: int = RATE_AGE_MAX
    """How long a recorded rate is taken to hold, in milliseconds, when no later one is recorded."""
    is_complete: bool = False
    """The caller's word that the history begins with the account."""
    against: str = VENUE
    """Where the payouts are from: the venue's rows, or the name of a statement."""
    tokens: tuple[str, ...] = ()
    """Tokens it is limited to; empty: all there are."""
    statement: tuple[Paid, ...] | None = None
    statement_digest: Digest | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """Everything the figures depend on beside the book, as text; recorded with a run."""
        found = {
            "tolerance per line": canonical(self.tolerance.per_line),
            "tolerance in total": canonical(self.tolerance.in_total),
            "late after ms": str(self.tolerance.late_after),
            "rate holds ms": str(self.hold_ms),
            "complete": "yes" if self.is_complete else "no",
            "against": self.against,
        }
        if self.tokens:
            found["tokens"] = " ".join(self.tokens)
        if self.statement_digest is not None:
            found["statement"] = self.statement_digest
        return found


@attrs.frozen(kw_only=True)
class InterestReport:
    """What a reconciliation of interest came to. **Units**: amounts in the token of their side."""

    account: Address
    since: Millis
    until: Millis
    """End of the last hour."""
    position: int
    asked: Asked
    sides: tuple[Reconciled, ...]
    breaks: tuple[Break, ...]
    """By value date; of one date by subject."""

    @property
    def is_known(self) -> bool:
        """Whether every hour could be judged."""
        return not any(each.counted("unknown") for each in self.sides)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the run was limited to; empty where it was not."""
        return tuple(subject_of((Asset(each), side)) for each in self.asked.tokens
                     for side in SIDES)  # fmt: skip

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every hour of every side, by hour."""
        found = [line for each in self.sides for line in each.lines]
        return tuple(sorted(found, key=lambda line: (line.until, line.asset, line.side)))


def statement_of(name: str, body: bytes, zone: str | None, asked: Asked) -> Asked:
    """Return the question put against a statement. Raises: RefusedFile."""
    from replay.reconcile.payout_statement import read_statement

    return attrs.evolve(
        asked,
        against=name,
        statement=read_statement(name, body, zone=zone),
        statement_digest=digest_of_record(body),
    )


def reconcile_interest(
    history: AccountHistory, period: Period, asked: Asked, *, position: int
) -> InterestReport:
    """Return the payouts of a period held against what is due.

    The hours are those that end after the period begins, up to its end; it begins and ends on the
    hour, since an hour is paid whole.

    Raises: UnclearQuestion, for a period that does not; NotFound, for a token that was neither
    lent nor paid.
    """
    since, until = _whole_hours(period)
    recorded = Recorded(history.audit, history.stream, position)
    events: list[Event] = sorted(
        [*recorded.loans, *history.openings(position)], key=lambda event: event.at
    )
    rows = list(paid_rows(recorded.loans, event_id))
    if asked.statement is not None:
        rows = [row for row in rows if row.at < since + HOUR_MS] + [
            row for row in asked.statement if since + HOUR_MS <= row.at < until + HOUR_MS
        ]
    states = (found.event for dated in recorded.reserves.values() for found in dated.until(None))
    found = sides(
        events, rows, rates(states, age_max=asked.hold_ms), recorded.reference.symbols,
        since=since, until=until, is_complete=asked.is_complete,
    )  # fmt: skip
    reconciled = reconcile(
        found.hours, rows, since=since, until=until, tolerance=asked.tolerance,
        recorded=_is_recorded(history, since, until, position, asked),
    )  # fmt: skip
    if asked.tokens:
        _are_there(asked.tokens, {asset for asset, _ in found.hours})
        reconciled = tuple(each for each in reconciled if each.asset in asked.tokens)
    with exact():
        breaks = [
            each for side in reconciled for each in _breaks(history.account, side, since, until,
                                                            asked.tolerance, asked.against)
        ]  # fmt: skip
    return InterestReport(
        account=history.account,
        since=since,
        until=until,
        position=position,
        asked=asked,
        sides=reconciled,
        breaks=tuple(sorted(breaks, key=lambda each: (each.at, each.subject, each.identity))),
    )


def _are_there(tokens: Sequence[str], known: set[Asset]) -> None:
    for token in tokens:
        if token not in known:
            raise NotFound(
                what="token", name=token, where=" among what was lent or paid",
                remedy=f"Tokens there: {', '.join(sorted(known)) or 'none'}",
            )  # fmt: skip


def _whole_hours(period: Period) -> tuple[Millis, Millis]:
    until = Millis(period.until + 1 if (period.until + 1) % HOUR_MS == 0 else period.until)
    for moment in (period.since, until):
        if moment % HOUR_MS:
            raise UnclearQuestion(
                asked=iso(moment),
                problem="is not on the hour: interest is paid for whole hours",
                remedy="Begin and end the period on the hour",
            )
    if until == period.since:
        raise UnclearQuestion(
            asked=f"{iso(period.since)} to {iso(until)}", problem="holds no hour",
            remedy="End the period an hour or more after it begins",
        )  # fmt: skip
    return period.since, until


def _is_recorded(
    history: AccountHistory, since: Millis, until: Millis, position: int, asked: Asked
) -> Callable[[Millis], bool]:
    """Return whether the row of an hour would have been recorded: a statement shows all it has."""
    if asked.statement is not None:
        return lambda _: True
    from replay.coverage import certificate

    proof = certificate(history, since=since, until=Millis(until + HOUR_MS), position=position)
    own = proof.only("interest")
    return lambda at: own.level("interest", at) in {"proven", "probable"}


# ── breaks ───────────────────────────────────────────────────────────────────────────────────────


def subject_of(key: Key) -> str:
    """Return what a side is called: ``USDC supply``."""
    return f"{key[0]} {key[1]}"


def _breaks(
    account: Address, side: Reconciled, since: Millis, until: Millis, tolerance: Tolerance,
    against: str,
) -> Iterator[Break]:  # fmt: skip
    """Yield the breaks of one side: its convention, single hours, stretches not known, the sum."""
    subject = subject_of((side.asset, side.side))

    def named(at: Millis, end: Millis, key: str) -> str:
        # what a statement says of an hour is another matter than what the venue's rows say of it
        key = key if against == VENUE else f"{key} against {against}"
        return identity(
            desk="interest", account=account, subject=subject, at=at, until=end, key=key
        )

    by_habit = [line for line in side.lines if line.status == "convention"]
    if by_habit:
        yield _of_habit(account, side, by_habit, since, until, named(since, until, "convention"))
    for together in _broken(side.lines):
        yield _of_hours(account, together, named(together[0].until, together[-1].until, "hour"))
    for stretch in _stretches(side.lines):
        first, last = stretch[0], stretch[-1]
        rows = [line.paid for line in stretch if line.paid is not None]
        paid = sum(rows, ZERO) if rows else None
        told_paid = "no row is recorded for them" if paid is None else (
            f"{canonical(paid)} was paid for them")  # fmt: skip
        yield Break(
            identity=named(first.until, last.until, first.kind),
            desk="interest",
            account=account,
            subject=subject,
            at=first.until,
            until=last.until,
            kind=first.kind,
            expected=None,
            observed=paid,
            difference=None,
            text=f"{len(stretch)} hours of {subject} to {iso(last.until)}: {_WHY[first.kind]}; "
            f"{told_paid}",
        )
    if abs(side.let_pass) > tolerance.in_total:
        yield Break(
            identity=named(since, until, "total"), desk="interest", account=account,
            subject=subject, at=since, until=until, kind="total beyond tolerance",
            expected=None, observed=None, difference=side.let_pass,
            text=f"differences of {subject} let pass one by one add up to "
            f"{canonical(side.let_pass)}, beyond {canonical(tolerance.in_total)}",
        )  # fmt: skip


_WHY: Final = {
    "rate unknown": "no rate is recorded for them",
    "basis unknown": "nothing recorded says what stood",
}


def _of_hours(account: Address, together: Sequence[Line], name: str) -> Break:
    first, last = together[0], together[-1]
    expected = None
    if all(line.expected is not None for line in together):
        expected = sum((line.expected or ZERO for line in together), ZERO)
    paid = sum((line.paid or ZERO for line in together), ZERO)
    return Break(
        identity=name,
        desk="interest",
        account=account,
        subject=subject_of(first.key),
        at=first.until,
        until=last.until,
        kind=first.kind,
        expected=expected,
        observed=paid,
        difference=None if expected is None else paid - expected,
        convention=first.convention,
        candidates=_summed(together),
        events=tuple(row.event for line in together for row in line.rows if row.event is not None),
        text=told(first) if len(together) == 1 else _told_together(together),
    )


def _summed(lines: Sequence[Line]) -> tuple[tuple[str, Decimal], ...]:
    """Return the conventions of hours told together, with what they give in sum."""
    if len(lines) == 1:
        return lines[0].candidates
    names = dict.fromkeys(name for line in lines for name, _ in line.candidates)
    return tuple(
        (name, sum((dict(line.candidates)[name] for line in lines), ZERO)) for name in names
    )


def _of_habit(
    account: Address, side: Reconciled, lines: Sequence[Line], since: Millis, until: Millis,
    name: str,
) -> Break:  # fmt: skip
    expected = sum((line.expected or ZERO for line in lines), ZERO)
    paid = sum((line.paid or ZERO for line in lines), ZERO)
    ends = {line.until for line in lines}
    habit, subject = side.habit, subject_of((side.asset, side.side))
    candidates = tuple(
        (
            each.convention.name,
            sum(
                (
                    each.convention.rounded(payable.dues[0])
                    for payable in each.payables
                    if payable.dues and payable.hour.until in ends
                ),
                ZERO,
            ),
        )
        for each in habit.tied
    )
    is_rounding = all(each.rounding is not None for each in habit.candidates)
    return Break(
        identity=name, desk="interest", account=account, subject=subject, at=since, until=until,
        kind="rounding" if is_rounding else "wrong amount",
        expected=expected, observed=paid, difference=paid - expected,
        convention=habit.name, candidates=candidates,
        text=f"{len(lines)} of {len(side.lines)} hours of {subject} differ from the rule and are "
        f"explained by: {' or '.join(each.name for each in habit.candidates)}",
    )  # fmt: skip


def _broken(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the hours that are breaks: one by one, those of one class and cause in a row together.

    What a single row explains (late, doubled, astray) and what is undetermined stays by itself.
    """
    held: list[Line] = []
    for line in lines:
        is_break = line.status == "break" and not line.is_echo
        is_same = (
            held
            and is_break
            and line.since == held[-1].until
            and line.kind in _TOGETHER
            and line.convention != UNDETERMINED
            and (line.kind, line.convention) == (held[-1].kind, held[-1].convention)
        )
        if held and not is_same:
            yield held
            held = []
        if is_break:
            held.append(line)
    if held:
        yield held


_TOGETHER: Final = frozenset({"missing", "wrong amount", "rounding", "basis unknown"})


def _told_together(lines: Sequence[Line]) -> str:
    first, last = lines[0], lines[-1]
    expected = sum((line.expected or ZERO for line in lines), ZERO)
    paid = sum((line.paid or ZERO for line in lines), ZERO)
    return (
        f"{subject_of(first.key)}, {len(lines)} hours to {iso(last.until)}: {first.kind}; "
        f"{canonical(paid)} was paid, {_amount(expected)} is due"
    )


def _stretches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield hours in a row that are unknown for one reason; those without a record are no break."""
    held: list[Line] = []
    for line in lines:
        is_same = held and held[-1].kind == line.kind and line.since == held[-1].until
        if held and (line.status != "unknown" or not is_same):
            yield held
            held = []
        if line.status == "unknown" and line.kind in _WHY:
            held.append(line)
    if held:
        yield held


def told(line: Line) -> str:
    """Return one sentence on an hour that does not match."""
    subject, hour = subject_of(line.key), iso(line.until)
    paid, expected = canonical(line.paid or ZERO), _amount(line.expected)
    if line.kind == "late" and line.other_hour is not None:
        said = f"{expected} came with the row of {iso(line.other_hour)}"
    elif line.kind == "late":
        said = f"{paid} came at {iso(line.rows[0].at)}"
    elif line.kind == "doubled":
        again = "" if line.other_hour is None else f", for {iso(line.other_hour)} a second time"
        said = f"{paid} was paid, {expected} is due{again}"
    elif line.counterpart is not None:
        said = f"{expected} was paid to {subject_of(line.counterpart)}"
    elif line.kind == "missing":
        said = f"{expected} is due, nothing was paid"
    else:
        said = f"{paid} was paid, {expected} is due"
    return f"{subject}, hour to {hour}: {line.kind}; {said}"


def _amount(value: Decimal | None) -> str:
    return "unknown" if value is None else canonical(round_half_even(value, PAID_PLACES))
