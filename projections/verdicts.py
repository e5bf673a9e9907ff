"""Verdicts: of which class each hour that does not match is, by what goes before what.

Rows that lie where they are not due are held first against hours that lack theirs: late, then on
the wrong side, then of the wrong token; then against hours already paid: doubled. A row that is
alone in its hour and wrong is held against conventions. What is left is missing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import ZERO, round_half_even
from ledger.units import Millis
from projections.conventions import (
    PAID_PLACES,
    UNIT,
    Convention,
    Factors,
    Placement,
    changed,
    readings_of,
    roundings_of,
)
from projections.habits import UNDETERMINED
from projections.lending import HOUR_MS, Key
from projections.payouts import Paid, Payable, Walked, paid_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from projections.payouts import Hour

LATE_HOURS: Final = 24
"""How many hours after its own a payout is still looked for."""


@attrs.frozen(kw_only=True)
class Verdict:
    """What an hour that does not match is. An empty ``kind`` settles it: nothing is wrong."""

    kind: str
    convention: str = ""
    candidates: tuple[tuple[str, Decimal], ...] = ()
    paid: Decimal | None = None
    """What counts as paid for the hour, where it is not the sum of its rows."""
    rows: tuple[Paid, ...] = ()
    counterpart: Key | None = None
    other_hour: Millis | None = None
    is_echo: bool = False
    is_unknown: bool = False


def verdicts(
    walks: Mapping[Key, Walked],
    hours: Mapping[Key, Sequence[Hour]],
    factors: Factors,
    *,
    tolerance: Decimal,
    late_after: int,
    recorded: Callable[[Millis], bool],
) -> dict[tuple[Key, Millis], Verdict]:
    """Return the verdict of every hour that does not match. Use it in the exact context."""
    bench = _Bench(walks, tolerance, late_after)
    bench.late()
    bench.astray()
    bench.doubled()
    for key, number, payable in bench.open():
        verdict = None
        if payable.row is not None:
            verdict = _amount(walks[key], hours[key], number, factors)
        elif not recorded(payable.hour.until):
            verdict = Verdict(kind="not recorded", is_unknown=True)
        bench.say(key, payable.hour.until, verdict or Verdict(kind="missing"))
    bench.leftovers()
    return bench.told


class _Bench:
    """Hours that lack their payout, beside rows that lie where they are not due."""

    def __init__(self, walks: Mapping[Key, Walked], tolerance: Decimal, late_after: int) -> None:
        self.told: dict[tuple[Key, Millis], Verdict] = {}
        self._walks = walks
        self._tolerance = tolerance
        self._late_after = late_after
        self._unit = max(UNIT, tolerance)
        self._at = {
            (key, payable.hour.until): payable
            for key, walked in walks.items()
            for payable in walked.payables
        }
        self._loose: dict[tuple[Key, Millis], list[Paid]] = {}
        self._unfounded: dict[tuple[Key, Millis], Paid] = {}
        for (key, until), payable in self._at.items():
            rows = list(payable.others) if payable.dues or not payable.why else []
            if payable.row is not None and not any(_printed(due) for due in payable.dues):
                if payable.dues:
                    rows.insert(0, payable.row)
                elif payable.why == "basis unknown":
                    self._unfounded[key, until] = payable.row
            if rows:
                self._loose[key, until] = rows

    def say(self, key: Key, until: Millis, verdict: Verdict) -> None:
        """Settle an hour."""
        self.told.setdefault((key, until), verdict)

    def open(self) -> Iterator[tuple[Key, int, Payable]]:
        """Yield the hours in which something is due and was not paid so, as far as not settled."""
        for key, walked in self._walks.items():
            for number, payable in enumerate(walked.payables):
                if (key, payable.hour.until) not in self.told and self._is_open(payable):
                    yield key, number, payable

    def _is_open(self, payable: Payable) -> bool:
        due = payable.due
        if payable.is_fit or due is None or due <= ZERO:
            return False
        paid = ZERO if payable.row is None else payable.row.amount
        return abs(paid - due) > self._tolerance

    def _is_due(self, key: Key, amount: Decimal, payable: Payable) -> bool:
        convention = self._walks[key].convention
        if any(convention.fits(amount, due) for due in payable.dues):
            return True
        is_wide = self._tolerance > UNIT
        return is_wide and any(abs(amount - due) <= self._tolerance for due in payable.dues)

    def _rounded(self, key: Key, payable: Payable) -> list[Decimal]:
        """Return what is due as it would be printed, by every hypothesis."""
        return [self._walks[key].convention.rounded(due) for due in payable.dues]

    def _take(self, key: Key, until: Millis, row: Paid) -> None:
        self._loose[key, until].remove(row)

    # ----------------------------------------------------------- late

    def late(self) -> None:
        """Find the payouts that came after their hour, alone or with a later one."""
        for key, _, payable in list(self.open()):
            is_lacking = payable.row is None and (key, payable.hour.until) not in self.told
            if is_lacking and not self._late_alone(key, payable):
                self._late_together(key, payable)

    def _late_alone(self, key: Key, payable: Payable) -> bool:
        until = payable.hour.until
        for hour in range(until, until + LATE_HOURS * HOUR_MS + 1, HOUR_MS):
            for row in self._loose.get((key, Millis(hour)), ()):
                if row.at > until + self._late_after and self._is_due(key, row.amount, payable):
                    self._take(key, Millis(hour), row)
                    self.say(key, until, Verdict(kind="late", paid=row.amount, rows=(row,)))
                    if hour != until:
                        self._lend(key, Millis(hour), row)
                    return True
        return False

    def _lend(self, key: Key, until: Millis, row: Paid) -> None:
        """Take a row out of the sum of the hour it came in: it was paid for another one."""
        payable = self._at[key, until]
        before = self.told.get((key, until))
        rows = [each for each in (payable.row, *payable.others) if each is not None]
        if before is not None and before.rows:
            rows = list(before.rows)
        rows.remove(row)
        paid = sum((each.amount for each in rows), ZERO)
        if before is not None:
            self.told[key, until] = attrs.evolve(before, paid=paid, rows=tuple(rows))
        elif payable.is_fit or not self._is_open(payable):
            self.told[key, until] = Verdict(kind="", paid=paid, rows=tuple(rows))

    def _late_together(self, key: Key, payable: Payable) -> None:
        """Look whether the next row pays this hour and those between beside its own."""
        missed = [payable]
        for hour in range(1, LATE_HOURS + 1):
            following = self._at.get((key, Millis(payable.hour.until + hour * HOUR_MS)))
            if following is None or not following.dues:
                return
            if following.row is None:
                missed.append(following)
                continue
            if following.is_fit or not self._is_open(following):
                return
            self._split(key, missed, following)
            return

    def _split(self, key: Key, missed: Sequence[Payable], following: Payable) -> None:
        row = following.row
        assert row is not None
        owed = [self._rounded(key, each)[0] for each in missed]
        own = row.amount - sum(owed, ZERO)
        units = len(missed) * self._unit
        if not any(abs(own - due) <= units for due in self._rounded(key, following)):
            return
        for each, due in zip(missed, owed, strict=True):
            self.say(
                key, each.hour.until,
                Verdict(kind="late", paid=due, rows=(row,), other_hour=following.hour.until),
            )  # fmt: skip
        due = following.due or ZERO
        settled = due if abs(own - due) <= units else own
        self.say(key, following.hour.until, Verdict(kind="", paid=settled, rows=(row,)))

    # ----------------------------------------------------------- astray

    def astray(self) -> None:
        """Find the payouts that were made to the other side, or in another token."""
        for key, _, payable in list(self.open()):
            until = payable.hour.until
            if (key, until) in self.told:
                continue
            for other, kind in self._neighbors(key):
                is_there = (other, until) in self._at
                if is_there and self._is_astray(key, payable, other, kind):
                    break

    def _neighbors(self, key: Key) -> Iterator[tuple[Key, str]]:
        asset, side = key
        for other in self._walks:
            if other[0] == asset and other[1] != side:
                yield other, "wrong side"
        for other in self._walks:
            if other[0] != asset and other[1] == side:
                yield other, "wrong token"

    def _is_astray(self, key: Key, payable: Payable, other: Key, kind: str) -> bool:
        """Settle both ends where what is due here was paid there, alone, on top, or swapped."""
        until = payable.hour.until
        there = self._at[other, until]
        if payable.row is None:
            alone = self._unfounded.get((other, until))
            if alone is not None and self._is_due(key, alone.amount, payable):
                self._say_both(key, other, until, kind)
                return True
            for row in self._loose.get((other, until), ()):
                if self._is_due(key, row.amount, payable):
                    self._take(other, until, row)
                    self._say_both(key, other, until, kind)
                    return True
        if there.row is None or there.is_fit or (other, until) in self.told:
            return False
        if payable.row is None:
            ours = self._rounded(key, payable)
            rest = there.row.amount - sum(ours[:1], ZERO)
            if any(abs(rest - due) <= self._unit for due in self._rounded(other, there) if due):
                self._say_both(key, other, until, kind)
                return True
            return False
        if self._is_due(key, there.row.amount, payable) and self._is_due(
            other, payable.row.amount, there
        ):
            self._say_both(key, other, until, kind)
            return True
        return False

    def _say_both(self, key: Key, other: Key, until: Millis, kind: str) -> None:
        self.say(key, until, Verdict(kind=kind, counterpart=other))
        self.say(other, until, Verdict(kind=kind, counterpart=key, is_echo=True))
        if self.told[other, until].kind == "":
            self.told[other, until] = Verdict(kind=kind, counterpart=key, is_echo=True)

    # ----------------------------------------------------------- doubled, and what is left

    def doubled(self) -> None:
        """Find the hours paid twice, by a second row or by one of twice the amount."""
        for (key, until), rows in self._loose.items():
            for row in list(rows):
                paid_hour = self._paid_already(key, until, row)
                if paid_hour is not None:
                    rows.remove(row)
                    hour = None if paid_hour == until else paid_hour
                    self.say(key, until, Verdict(kind="doubled", other_hour=hour))
        for key, _, payable in list(self.open()):
            alone = ZERO if payable.row is None else payable.row.amount
            if alone and any(
                abs(alone - 2 * due) <= 2 * self._unit for due in self._rounded(key, payable)
            ):
                self.say(key, payable.hour.until, Verdict(kind="doubled"))

    def _paid_already(self, key: Key, until: Millis, row: Paid) -> Millis | None:
        """Return the hour a row pays for a second time: its own, or one of the day before."""
        for hour in range(until, until - LATE_HOURS * HOUR_MS - 1, -HOUR_MS):
            payable = self._at.get((key, Millis(hour)))
            if payable is None or payable.row is None or payable.row is row:
                continue
            is_again = payable.row.amount == row.amount and hour == until
            if is_again or (payable.is_fit and self._is_due(key, row.amount, payable)):
                return Millis(hour)
        return None

    def leftovers(self) -> None:
        """Say of rows that nothing explains that they were paid where nothing was due."""
        for (key, until), rows in self._loose.items():
            payable = self._at[key, until]
            if rows and payable.dues:
                self.say(key, until, Verdict(kind="wrong amount"))


def _printed(due: Decimal) -> Decimal:
    return round_half_even(due, PAID_PLACES)


# ----------------------------------------------------------- amounts


def _amount(walked: Walked, hours: Sequence[Hour], number: int, factors: Factors) -> Verdict:
    """Return the verdict on a row that is alone in its hour and is not what is due."""
    payable = walked.payables[number]
    assert payable.row is not None
    paid, account = payable.row.amount, walked.convention
    found: dict[Convention, Decimal] = {}
    for convention in _near(account, payable):
        for track in payable.tracks:
            hour = paid_for(hours, number, track, convention, factors)
            if hour is not None and convention.fits(paid, hour.interest):
                found.setdefault(convention, convention.rounded(hour.interest))
    candidates = tuple((changed(each, account), amount) for each, amount in found.items())
    kind = "wrong amount"
    if found and all(each.rounding != account.rounding for each in found):
        kind = "rounding"
    elif not found and _is_contradicted(walked, payable.hour.until):
        kind = "basis unknown"
    named = "" if not found else candidates[0][0] if len(found) == 1 else UNDETERMINED
    return Verdict(kind=kind, convention=named, candidates=candidates)


def _near(account: Convention, payable: Payable) -> Iterator[Convention]:
    """Yield the account's convention with one thing changed, as far as the hour can tell."""
    yield from readings_of(account)
    for shift in (-1, 0, 1):
        if shift != account.shift:
            yield attrs.evolve(account, shift=shift)
    if payable.hour.has_operation:
        placements: tuple[Placement, ...] = ("before", "after")
        for placement in placements:
            if placement != account.operations:
                yield attrs.evolve(account, operations=placement)
    row = payable.row
    if account.rounding is None and row is not None:
        yield from roundings_of(account, [row.amount])


def _is_contradicted(walked: Walked, until: Millis) -> bool:
    """Tell whether a later state shows another basis than the recorded operations lead to."""
    return any(since < until <= at + HOUR_MS for since, at, _, _ in walked.differing)
