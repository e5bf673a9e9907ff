"""Interest: payouts held against what is due, hour by hour, token by token, each side apart.

What is due follows by rule (``projections.conventions.RULE``); where another convention explains
what was paid through the whole period, it is the account's own, and only hours that leave it are
looked at one by one. Every hour is matched, within the declared tolerance, explained by the
account's convention, a break of some class, or unknown. What the classes mean and which goes
before which is written in ``docs/spec/interest.md``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO, exact
from ledger.units import Asset, Millis
from projections.conventions import Factors
from projections.habits import Habit, habit
from projections.lending import HOUR_MS, Key, Side
from projections.payouts import Paid, Payable, bucketed
from projections.verdicts import Verdict, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from projections.payouts import Hour

Status: TypeAlias = Literal["matched", "within", "convention", "break", "unknown"]

PER_LINE: Final = Decimal("1e-8")
IN_TOTAL: Final = Decimal("1e-5")
LATE_AFTER_MS: Final = 600_000
"""A row later than ten minutes after its hour is late; recorded hourly rows of other kinds come
within half a second, 99 times of 100."""


@attrs.frozen(kw_only=True)
class Tolerance:
    """What differences are let pass; declared by whoever asks. **Units**: the token."""

    per_line: Decimal = PER_LINE
    in_total: Decimal = IN_TOTAL
    """Of all differences of one token and side that are let pass one by one."""
    late_after: int = LATE_AFTER_MS
    """Milliseconds after the hour from which a row is late."""


@attrs.frozen(kw_only=True)
class Line:
    """One hour of one token and side. **Units**: the token; difference is paid less expected."""

    asset: Asset
    side: Side
    until: Millis
    """End of the hour."""
    expected: Decimal | None
    """By rule, at eight places; None where it is not known."""
    paid: Decimal | None
    """By all rows of the hour; None where there is none."""
    status: Status
    kind: str = ""
    """Class of the break, or why the line is unknown."""
    convention: str = ""
    """The convention that explains it, ``undetermined`` where several do, or empty."""
    candidates: tuple[tuple[str, Decimal], ...] = ()
    rows: tuple[Paid, ...] = ()
    counterpart: Key | None = None
    """The other token or side that an amount was paid to, or came from."""
    other_hour: Millis | None = None
    """The hour it was paid with, or paid again for."""
    is_echo: bool = False
    """Whether the break is told by another line, and this one shows only its other end."""

    @property
    def key(self) -> Key:
        """Token and side."""
        return self.asset, self.side

    @property
    def since(self) -> Millis:
        """Begin of the hour."""
        return Millis(self.until - HOUR_MS)

    @property
    def difference(self) -> Decimal | None:
        """Paid less expected; None where the expectation is not known."""
        if self.expected is None:
            return None
        with exact():
            return (self.paid or ZERO) - self.expected


@attrs.frozen(kw_only=True)
class Reconciled:
    """One token and side over a period."""

    asset: Asset
    side: Side
    habit: Habit
    lines: tuple[Line, ...]

    def counted(self, status: Status) -> int:
        """Return how many lines have a status."""
        return sum(line.status == status for line in self.lines)

    @property
    def known(self) -> tuple[Line, ...]:
        """Lines whose expectation is known."""
        return tuple(line for line in self.lines if line.expected is not None)

    @property
    def expected(self) -> Decimal:
        """Sum of what is expected over the known hours."""
        with exact():
            return sum((line.expected or ZERO for line in self.known), ZERO)

    @property
    def paid_known(self) -> Decimal:
        """Sum of what was paid for the known hours."""
        with exact():
            return sum((line.paid or ZERO for line in self.known), ZERO)

    @property
    def paid(self) -> Decimal:
        """Sum of what was paid, known hours and unknown."""
        with exact():
            return sum((line.paid or ZERO for line in self.lines), ZERO)

    @property
    def difference(self) -> Decimal:
        """Paid less expected, over the known hours."""
        with exact():
            return self.paid_known - self.expected

    @property
    def let_pass(self) -> Decimal:
        """Sum of the differences within the tolerance per line."""
        with exact():
            return sum((line.difference or ZERO for line in self.lines if line.status == "within"),
                       ZERO)  # fmt: skip


def reconcile(
    hours: Mapping[Key, Sequence[Hour]],
    rows: Iterable[Paid],
    *,
    since: Millis,
    until: Millis,
    tolerance: Tolerance,
    recorded: Callable[[Millis], bool] = lambda _: True,
) -> tuple[Reconciled, ...]:
    """Return every token and side with what its hours after *since* up to *until* came to.

    *hours* begin where something is known of a side, all end together, an hour or more after
    *until*. *recorded* says of an hour whether its row would have been recorded; where it would
    not, an hour without a row is unknown, not missing.

    **Order**: tokens by name, supply before borrow; lines by hour.
    """
    by_key: dict[Key, list[Paid]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    factors = Factors()
    with exact():
        habits = {
            key: habit(
                hours[key],
                bucketed(by_key.get(key, [])),
                factors,
                late_after=tolerance.late_after,
            )
            for key in sorted(hours, key=lambda each: (each[0], each[1] == "borrow"))
        }
        told = verdicts(
            {key: each.own for key, each in habits.items()},
            hours,
            factors,
            tolerance=tolerance.per_line,
            late_after=tolerance.late_after,
            recorded=recorded,
        )
        found = [
            _reconciled(key, each, told, since=since, until=until, tolerance=tolerance)
            for key, each in habits.items()
        ]
    return tuple(each for each in found if each.lines)


def _reconciled(
    key: Key,
    own: Habit,
    told: Mapping[tuple[Key, Millis], Verdict],
    *,
    since: Millis,
    until: Millis,
    tolerance: Tolerance,
) -> Reconciled:
    payables = [each for each in own.own.payables if since < each.hour.until <= until]
    is_there = any(
        not each.is_quiet or not each.dues or (key, each.hour.until) in told for each in payables
    )
    lines = [
        _line(key, each, told.get((key, each.hour.until)), tolerance, own.name)
        for each in payables
        if is_there and (not each.is_quiet or not each.dues or (key, each.hour.until) in told)
    ]
    return Reconciled(asset=key[0], side=key[1], habit=own, lines=tuple(lines))


def _line(
    key: Key, payable: Payable, verdict: Verdict | None, tolerance: Tolerance, name: str
) -> Line:
    """Return one hour; *name* is what the account's convention is called."""
    rows = tuple(each for each in (payable.row, *payable.others) if each is not None)
    paid = sum((each.amount for each in rows), ZERO) if rows else None
    if verdict is not None and verdict.paid is not None:
        paid = verdict.paid
    line = Line(
        asset=key[0],
        side=key[1],
        until=payable.hour.until,
        expected=payable.by_rule,
        paid=paid,
        status="matched",
        rows=rows if verdict is None or not verdict.rows else verdict.rows,
    )
    if verdict is not None and verdict.kind:
        return attrs.evolve(
            line,
            status="unknown" if verdict.is_unknown else "break",
            kind=verdict.kind,
            expected=None if verdict.is_unknown else line.expected,
            convention=verdict.convention,
            candidates=verdict.candidates,
            counterpart=verdict.counterpart,
            other_hour=verdict.other_hour,
            is_echo=verdict.is_echo,
        )
    if line.expected is None:
        return attrs.evolve(line, status="unknown", kind=payable.why)
    off = abs(line.difference or ZERO)
    if off > tolerance.per_line:
        return attrs.evolve(line, status="convention", convention=name)
    return attrs.evolve(line, status="within" if off else "matched")
