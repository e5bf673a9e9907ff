"""Lending: what was supplied and borrowed at an instant, interest running between its records.

Two accounts of the same thing stand side by side. *By rule*: the value at the last record grows at
the reserve's rates as they were recorded (nominal, continuous), and is unknown over any stretch of
which no rate is. *By rows*: the hourly rows the venue reports are added up. An operation realizes
the interest since the one before, and begins a new basis; that is what recorded states show (a
basis stays as it is through many hours), and holds for both sides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import attrs

from ledger import events as ev
from ledger.money import ZERO, exact
from ledger.units import Asset, Millis
from projections.arithmetic import EXACT
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.events import Event
    from projections.reference import Reference

NAME: Final = "lending"

HOUR_MS: Final = 3_600_000

RATE_AGE_MAX: Final = HOUR_MS
"""How long a recorded rate is taken to hold, in milliseconds, when no later one is recorded."""

VALUE_PLACES: Final = 10
"""Decimal places of a value by rule: as many as the venue prints of a reserve."""

OF_STATE: Final = "lending state"

BASIS_SLACK: Final = Decimal("1e-6")
"""How far a recorded basis may lie from ours without an operation in between: states print eight
places, and every operation may lose one of them."""

Side: TypeAlias = Literal["supply", "borrow"]
SIDES: Final[tuple[Side, Side]] = ("supply", "borrow")

_SIDE_OF: Final[Mapping[str, tuple[Side, int]]] = {
    "supply": ("supply", 1), "withdraw": ("supply", -1),
    "borrow": ("borrow", 1), "repay": ("borrow", -1),
}  # fmt: skip


class Rate(NamedTuple):
    """The yearly rates of a reserve from a moment on."""

    at: Millis
    supply: Decimal | None
    borrow: Decimal | None

    def of(self, side: Side) -> Decimal | None:
        """Return the rate of one side; None where the record leaves it out."""
        return self.supply if side == "supply" else self.borrow


class Piece(NamedTuple):
    """A stretch of time with one rate; None where it is not known."""

    since: Millis
    until: Millis
    rate: Decimal | None


@attrs.frozen
class Rates:
    """Recorded rates by reserve, each in order of time."""

    by_asset: Mapping[Asset, tuple[Rate, ...]] = attrs.field(factory=dict)
    age_max: int = RATE_AGE_MAX

    def pieces(self, asset: Asset, side: Side, since: Millis, until: Millis) -> list[Piece]:
        """Return the rates of an interval; together the pieces fill it."""
        known = self.by_asset.get(asset, ())
        number = bisect_right(known, since, key=lambda each: each.at) - 1
        found: list[Piece] = []
        start = since
        while start < until:
            following = known[number + 1].at if number + 1 < len(known) else until
            end = min(Millis(following), until)
            rate = known[number].of(side) if number >= 0 else None
            holds = Millis(known[number].at + self.age_max) if number >= 0 else start
            if rate is not None and holds > start:
                covered = min(holds, end)
                found.append(Piece(start, covered, rate))
                if covered < end:
                    found.append(Piece(covered, end, None))
            elif end > start:
                found.append(Piece(start, end, None))
            start, number = end, number + 1
        return found


def rates(events: Iterable[Event], *, age_max: int = RATE_AGE_MAX) -> Rates:
    """Return the rates that recorded reserve states give; other events are passed over."""
    found: dict[Asset, dict[Millis, Rate]] = {}
    for event in events:
        if isinstance(event, ev.ReserveObserved):
            own = found.setdefault(event.asset, {})
            own[event.at] = Rate(event.at, event.supply_rate, event.borrow_rate)
    ordered = {asset: tuple(own[at] for at in sorted(own)) for asset, own in found.items()}
    return Rates(ordered, age_max)


class Jump(NamedTuple):
    """A movement of a loan that a recorded state shows and no record tells of. **Units**: token."""

    since: Millis
    """After the operation or state before; ``until`` is the state that shows it."""
    until: Millis
    amount: Decimal
    """Above zero the loan grew. It holds the interest on what moved, from when it moved."""


@attrs.frozen(kw_only=True)
class Loan:
    """One side of one reserve for the account. **Units**: the token; not negative."""

    basis: Decimal
    """Principal since the last operation or recorded state."""
    value: Decimal | None
    """By rule, with interest; None where a rate is missing."""
    by_rows: Decimal
    """Basis and hourly rows since."""
    at: Millis
    """The instant it is told for."""
    since: Millis
    """The last operation or recorded state."""
    source: str
    """What that was."""
    realized: Decimal = ZERO
    """Interest taken over into the basis by operations, by rule where known, else by rows."""
    reported: Decimal = ZERO
    """Interest the venue named with operations."""
    accrued: Decimal = ZERO
    """All interest by rule, over the time whose rates are known."""
    rows: Decimal = ZERO
    """All interest in hourly rows."""
    covered_ms: int = 0
    """How much of the time with a balance has a known rate."""
    time_ms: int = 0
    """How long there was a balance."""
    jumps: tuple[Jump, ...] = ()
    """What moved without a record, as far as recorded states show it."""

    @property
    def interest(self) -> Decimal | None:
        """Interest running since the basis, by rule."""
        return None if self.value is None else self.value - self.basis

    @property
    def best(self) -> Decimal:
        """The value by rule where it is known, else by rows."""
        return self.by_rows if self.value is None else self.value


class HourRow(NamedTuple):
    """An hourly row beside what the rule says for the time since the row before."""

    at: Millis
    asset: Asset
    side: Side
    recorded: Decimal
    by_rule: Decimal | None
    """None where the rates of the hour are not known, or the row before is not an hour ago."""
    value: Decimal
    """What the interest ran on, at the end of the hour."""


class Segment(NamedTuple):
    """A stretch of time with one value and one rate."""

    since: Millis
    until: Millis
    value: Decimal
    rate: Decimal | None
    interest: Decimal


Key: TypeAlias = tuple[Asset, Side]


class Walk:
    """A history of loans under way; ``lending`` is the short way. Use it in the exact context."""

    def __init__(self, known: Rates, reference: Reference | None = None) -> None:
        """Begin with no loans."""
        self.loans: dict[Key, Loan] = {}
        self.hours: list[HourRow] = []
        self.segments: dict[Key, list[Segment]] = {}
        self._rates = known
        self._symbols = {} if reference is None else reference.symbols
        self._stated: dict[Key, Decimal] = {}
        self._rowed: dict[Key, tuple[Millis, Decimal, int]] = {}

    def copied(self) -> Walk:
        """Return a walk that goes on from here, without the hours and segments told so far."""
        other = Walk(self._rates)
        other.loans, other._symbols = dict(self.loans), self._symbols
        other._stated, other._rowed = dict(self._stated), dict(self._rowed)
        return other

    def take(self, event: Event) -> None:
        """Take the next event, in effective order."""
        if isinstance(event, ev.ReserveOperated):
            self._operated(event)
        elif isinstance(event, ev.InterestAccrued):
            self._row(event, "supply", event.supply)
            self._row(event, "borrow", event.borrow)
        elif isinstance(event, ev.LendingStateObserved):
            self._observed(event)

    def until(self, at: Millis) -> dict[Key, Loan]:
        """Let interest run up to an instant and return all loans."""
        for key in list(self.loans):
            self._grow(key, at)
        return dict(self.loans)

    def _grow(self, key: Key, at: Millis) -> None:
        loan = self.loans[key]
        asset, side = key
        if at <= loan.at:
            return
        value: Decimal | None = loan.value
        base = loan.best
        accrued, covered = loan.accrued, loan.covered_ms
        told = self.segments.setdefault(key, [])
        if base:
            for piece in self._rates.pieces(asset, side, loan.at, at):
                elapsed = piece.until - piece.since
                if piece.rate is None:
                    value = None
                    told.append(Segment(piece.since, piece.until, base, None, ZERO))
                    continue
                after = formulas.grown(
                    EXACT, base, piece.rate, Decimal(elapsed), VALUE_PLACES
                )  # fmt: skip
                told.append(Segment(piece.since, piece.until, base, piece.rate, after - base))
                accrued, covered, base = accrued + after - base, covered + elapsed, after
            value = None if value is None else base
        self.loans[key] = attrs.evolve(
            loan,
            value=value,
            at=at,
            accrued=accrued,
            covered_ms=covered,
            time_ms=loan.time_ms + (at - loan.at if loan.best else 0),
        )

    def _operated(self, event: ev.ReserveOperated) -> None:
        side, sign = _SIDE_OF[event.operation]
        key = (event.asset, side)
        if key not in self.loans:
            self.loans[key] = _empty(event.at, "first operation recorded")
        self._grow(key, event.at)
        loan = self.loans[key]
        basis = loan.best + sign * event.amount
        self.loans[key] = attrs.evolve(
            loan,
            basis=basis,
            # A stretch without a rate stays unknown by rule until a recorded state ends it.
            value=None if loan.value is None else basis,
            by_rows=basis,
            since=event.at,
            source=f"{event.operation} recorded",
            realized=loan.realized + loan.best - loan.basis,
            reported=loan.reported + (event.reported_interest or ZERO),
        )

    def _row(self, event: ev.InterestAccrued, side: Side, amount: Decimal) -> None:
        key = (event.asset, side)
        if key not in self.loans:
            if not amount:
                return
            self.loans[key] = attrs.evolve(
                _empty(event.at, "hourly row, its principal not recorded"), value=None
            )
        self._grow(key, event.at)
        loan = self.loans[key]
        before = self._rowed.get(key)
        by_rule = None
        if before is not None and event.at - before[0] <= 2 * HOUR_MS:
            is_covered = loan.covered_ms - before[2] == event.at - before[0]
            by_rule = loan.accrued - before[1] if is_covered else None
        self.hours.append(HourRow(event.at, event.asset, side, amount, by_rule, loan.best))
        self._rowed[key] = (event.at, loan.accrued, loan.covered_ms)
        self.loans[key] = attrs.evolve(loan, by_rows=loan.by_rows + amount, rows=loan.rows + amount)

    def _observed(self, event: ev.LendingStateObserved) -> None:
        for row in event.loans:
            asset = self._symbols.get(row.token) or Asset(f"token {row.token}")
            for side, basis, value in (
                ("supply", row.supply_basis, row.supply_value),
                ("borrow", row.borrow_basis, row.borrow_value),
            ):
                key: Key = (asset, "supply" if side == "supply" else "borrow")
                if key in self.loans:
                    self._grow(key, event.at)
                elif not value:
                    continue
                is_first = key not in self.loans
                loan = self.loans.get(key) or _empty(event.at, "")
                jumps = loan.jumps
                # The basis of a loan changes with an operation alone: where it is another one,
                # and what ran until now is known, the rest moved without a record.
                if loan.value is not None and abs(basis - loan.basis) > self._doubt(key):
                    since = Millis(0) if is_first else loan.since
                    jumps += (Jump(since, event.at, value - loan.value),)
                self._stated[key] = loan.accrued
                self.loans[key] = attrs.evolve(
                    loan, basis=basis, value=value, by_rows=value, at=event.at, since=event.at,
                    source=OF_STATE, jumps=jumps,
                )  # fmt: skip

    def _doubt(self, key: Key) -> Decimal:
        """Return how far our basis may be off: by the interest a recorded operation took into it.

        Rates are recorded now and then; how the interest ran in between is as sure as they are.
        """
        loan = self.loans.get(key)
        if loan is None or loan.source == OF_STATE:
            return BASIS_SLACK
        return BASIS_SLACK + loan.accrued - self._stated.get(key, ZERO)


def _empty(at: Millis, source: str) -> Loan:
    return Loan(basis=ZERO, value=ZERO, by_rows=ZERO, at=at, since=at, source=source)


def walk(
    events: Sequence[Event],
    known: Rates,
    until: Millis,
    reference: Reference | None = None,
) -> Walk:
    """Return a walk over an account's history up to and including an instant.

    **Order**: effective order.
    """
    with exact():
        way = Walk(known, reference)
        for event in events:
            if event.at > until:
                break
            way.take(event)
        way.until(until)
        return way


def lending(
    events: Sequence[Event], known: Rates, until: Millis, reference: Reference | None = None
) -> dict[Key, Loan]:
    """Return what was supplied and borrowed at an instant, by token and side.

    **Order**: effective order of the account's own events; rates come beside them.
    """
    return walk(events, known, until, reference).loans
