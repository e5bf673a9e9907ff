"""Payouts: what each hour of one side of a reserve comes to, walked beside the rows paid.

A walk knows what the side stands at only by hypothesis: after a row that is not what was due, the
venue may go on with what was due or with what it paid. Both are walked on as *tracks* until a row
fits one and not the other. A recorded state, an attested opening, or the word that a history is
whole begins a track; without one the basis is unknown. Over an hour without a known rate only what
was paid leads on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import attrs

from ledger.money import ZERO, round_half_even
from ledger.units import Asset, EventId, Millis
from projections.conventions import (
    PAID_PLACES,
    RULE,
    Convention,
    Factors,
    Span,
    Standing,
    counted,
)
from projections.lending import HOUR_MS, Key, Rates, Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.conventions import Counted

TRACKS_MAX: Final = 12
"""Hypotheses kept at once; the oldest come first, and the newest give way."""

TRACKS_ON_BASIS: Final = 8
"""So many times more are kept where interest runs on the basis alone: there no row tells them
apart before the next operation."""

SAMPLE: Final = 48
"""Rows of which a convention must explain half, before it is held against all."""

SHOWS: Final = Decimal("1e-11")
"""Interest that does not show in a payout of an hour: a thousandth of its last place."""

SAME: Final = Decimal("1e-7")
"""Values nearer than this make no difference to any payout of an hour at eight places."""


@attrs.frozen(kw_only=True)
class Paid:
    """An amount of one side in a recorded row. **Units**: the token; never zero."""

    at: Millis
    asset: Asset
    side: Side
    amount: Decimal
    event: EventId | None = None
    """The row among the book's events; None for a row of a statement."""
    place: str = ""
    """Where it stands in a statement."""

    @property
    def key(self) -> Key:
        """The token and side it says it is for."""
        return self.asset, self.side


class Mark(NamedTuple):
    """Something recorded that moves a side, or tells what it stands at."""

    at: Millis
    change: Decimal | None = None
    told: Standing | None = None
    is_weak: bool = False
    """A standing that holds only where no other is known."""


class Told(NamedTuple):
    """What a side was told to stand at, inside an hour."""

    after: int
    """How many spans of the hour lie before it."""
    standing: Standing
    is_weak: bool


@attrs.frozen(kw_only=True)
class Hour:
    """An hour of one side: its rates, what was moved in it, and what was told of it."""

    until: Millis
    spans: tuple[Span, ...]
    told: tuple[Told, ...] = ()

    @property
    def is_rated(self) -> bool:
        """Whether every rate is known."""
        return all(span.rate is not None for span in self.spans if span.elapsed)

    @property
    def has_operation(self) -> bool:
        """Whether something was moved inside the hour, not only at its begin."""
        elapsed = 0
        for span in self.spans:
            elapsed += span.elapsed
            if span.change and 0 < elapsed < HOUR_MS:
                return True
        return False


class Track(NamedTuple):
    """One hypothesis of what a side stands at when an hour begins."""

    standing: Standing
    by_rows: bool = False
    """Whether it goes on with the rows as printed instead of with unrounded interest."""
    before: Standing | None = None
    """What it stood at an hour earlier."""
    skip: int = 0
    """Spans of the hour that lie before it."""


@attrs.frozen(kw_only=True)
class Payable:
    """What one hour comes to under a convention, beside the row paid for it."""

    hour: Hour
    dues: tuple[Decimal, ...]
    """Interest by hypothesis, not rounded; the first is the oldest. Empty where not known."""
    why: str
    """Why it is not known: rate unknown, basis unknown; else empty."""
    row: Paid | None
    others: tuple[Paid, ...]
    """More rows of the hour: late ones, and a second one."""
    is_fit: bool
    tracks: tuple[Track, ...]
    by_rule: Decimal | None
    """What the rule gives at eight places, on the hypothesis that the row fits, else the oldest."""

    @property
    def due(self) -> Decimal | None:
        """What is due, at eight places; None where not known."""
        return round_half_even(self.dues[0], PAID_PLACES) if self.dues else None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was paid and nothing is due."""
        return self.row is None and not self.others and self.due in {ZERO, None}


@attrs.frozen(kw_only=True)
class Walked:
    """All hours of one side under one convention, in order."""

    convention: Convention
    payables: tuple[Payable, ...]
    differing: tuple[tuple[Millis, Millis, Decimal, Decimal], ...] = ()
    """Stretches at whose end a recorded state shows another basis: since, until, ours, shown."""

    @property
    def fitting(self) -> int:
        """How many rows are what was due."""
        return sum(each.is_fit for each in self.payables)

    @property
    def misses(self) -> int:
        """How many rows are not what was due, where that is known."""
        return sum(
            each.row is not None and bool(each.dues) and not each.is_fit for each in self.payables
        )


def hours_of(
    key: Key, marks: Sequence[Mark], known: Rates, *, since: Millis, until: Millis
) -> tuple[Hour, ...]:
    """Return the hours of one side from *since* to *until*, both on the hour.

    **Order**: marks in effective order; marks before *since* are passed over.
    """
    found: list[Hour] = []
    number = 0
    while number < len(marks) and marks[number].at < since:
        number += 1
    for begin in range(since, until, HOUR_MS):
        end, at = begin + HOUR_MS, begin
        spans: list[Span] = []
        told: list[Told] = []
        while number < len(marks) and marks[number].at < end:
            mark = marks[number]
            number += 1
            spans += _rated(key, known, at, mark.at)
            at = mark.at
            if mark.change is not None:
                spans.append(Span(0, None, mark.change))
            if mark.told is not None:
                told.append(Told(len(spans), mark.told, mark.is_weak))
        spans += _rated(key, known, at, end)
        found.append(Hour(until=Millis(end), spans=tuple(spans), told=tuple(told)))
    return tuple(found)


def _rated(key: Key, known: Rates, since: int, until: int) -> list[Span]:
    """Return the rates of a stretch; neighbors of one rate are one span."""
    found: list[Span] = []
    for piece in known.pieces(*key, Millis(since), Millis(until)):
        elapsed = piece.until - piece.since
        if found and found[-1].rate == piece.rate:
            elapsed += found.pop().elapsed
        found.append(Span(elapsed, piece.rate))
    return found


def bucketed(rows: Sequence[Paid]) -> dict[Millis, list[Paid]]:
    """Return rows by the end of the hour they were paid for: the full hour at or before them."""
    found: dict[Millis, list[Paid]] = {}
    for row in rows:
        found.setdefault(Millis(row.at - row.at % HOUR_MS), []).append(row)
    return found


class Walker:
    """A walk over the hours of one side under one convention. Use it in the exact context."""

    def __init__(
        self,
        hours: Sequence[Hour],
        rows: Mapping[Millis, Sequence[Paid]],
        convention: Convention,
        factors: Factors,
        *,
        late_after: int,
    ) -> None:
        """Walk *hours* beside *rows* by hour; a row more than *late_after* ms past it is late."""
        self._hours = hours
        self._rows = rows
        self._convention = convention
        self._factors = factors
        self._late_after = late_after
        self._tracks: list[Track] = []
        self._agreed: Millis | None = None
        self._differing: list[tuple[Millis, Millis, Decimal, Decimal]] = []

    def walked(self, misses_max: int | None = None) -> Walked:
        """Return every hour.

        With *misses_max* the walk ends early where more rows than that misfit, or half of the
        first ``SAMPLE`` of them: such a convention is not the one.
        """
        payables: list[Payable] = []
        seen = misses = 0
        for number in range(len(self._hours)):
            found = self._step(number)
            payables.append(found)
            if found.row is not None and found.dues:
                seen += 1
                misses += not found.is_fit
                is_hopeless = seen == SAMPLE and 2 * misses > seen
                if misses_max is not None and (misses > misses_max or is_hopeless):
                    break
        return Walked(
            convention=self._convention, payables=tuple(payables), differing=tuple(self._differing)
        )

    def _step(self, number: int) -> Payable:
        hour = self._hours[number]
        for told in hour.told:
            self._compare(hour, told)
            if not sum(span.elapsed for span in hour.spans[: told.after]):
                self._begin(told)
        alive = [
            (track, own)
            for track in self._tracks
            if (own := self._own(hour, track)) is not None or not hour.is_rated
        ]
        tracks = tuple(track for track, _ in alive)
        dues, why = self._dues(number, alive)
        row, others, place = self._matched(hour, dues)
        payable = Payable(
            hour=hour,
            dues=dues,
            why=why,
            row=row,
            others=others,
            is_fit=place is not None,
            tracks=tracks,
            by_rule=self._by_rule(hour, tracks[place or 0]) if dues else None,
        )
        self._advance(number, payable, alive)
        for told in hour.told:
            if sum(span.elapsed for span in hour.spans[: told.after]):
                self._begin_inside(hour, told)
        return payable

    # ----------------------------------------------------------- where tracks begin

    def _begin(self, told: Told) -> None:
        """Add a track that begins with the hour, unless one stands there already."""
        if told.is_weak and self._tracks:
            return
        if not any(_is_near(each.standing, told.standing) for each in self._tracks):
            new = [Track(told.standing, by_rows, skip=told.after) for by_rows in (False, True)]
            self._tracks = [*new, *self._tracks][:TRACKS_MAX]

    def _begin_inside(self, hour: Hour, told: Told) -> None:
        """Add a track that begins inside the hour: it stands at the end of it."""
        rest = counted(hour.spans[told.after :], told.standing, self._convention, self._factors)
        if rest is not None:
            self._begin(Told(0, rest.after, told.is_weak))

    def _compare(self, hour: Hour, told: Told) -> None:
        """Hold the basis a state shows against ours: another one means operations not recorded."""
        if told.is_weak:
            return
        at = Millis(hour.until - sum(span.elapsed for span in hour.spans[told.after :]))
        if self._tracks:
            track = self._tracks[0]
            spans = hour.spans[track.skip : told.after]
            ours = counted(spans, track.standing, self._convention, self._factors)
            if ours is not None and not _is_near(ours.after, told.standing, of_basis=True):
                since = at if self._agreed is None else self._agreed
                self._differing.append((since, at, ours.after.basis, told.standing.basis))
        self._agreed = at

    # ----------------------------------------------------------- one hour

    def _own(self, hour: Hour, track: Track) -> Counted | None:
        return counted(hour.spans[track.skip :], track.standing, self._convention, self._factors)

    def _dues(
        self, number: int, alive: Sequence[tuple[Track, Counted | None]]
    ) -> tuple[tuple[Decimal, ...], str]:
        """Return what is due by every track, or why it is not known."""
        if not alive:
            return (), "basis unknown"
        found: list[Decimal] = []
        for track, own in alive:
            hour = own if own is None else self._shifted(number, track, own)
            if hour is None:
                return (), self._why(number)
            found.append(hour.interest)
        return tuple(found), ""

    def _why(self, number: int) -> str:
        """Return why an hour is not known: its rate, that of the hour it pays, or its basis."""
        paid_hour = min(max(0, number + self._convention.shift), len(self._hours) - 1)
        is_rated = self._hours[number].is_rated and self._hours[paid_hour].is_rated
        return "basis unknown" if is_rated else "rate unknown"

    def _shifted(self, number: int, track: Track, own: Counted) -> Counted | None:
        if not self._convention.shift:
            return own
        return paid_for(self._hours, number, track, self._convention, self._factors)

    def _matched(
        self, hour: Hour, dues: Sequence[Decimal]
    ) -> tuple[Paid | None, tuple[Paid, ...], int | None]:
        """Return the row of the hour, the others beside it, and by which hypothesis it is due."""
        rows = list(self._rows.get(hour.until, ()))
        timely = [row for row in rows if row.at - hour.until <= self._late_after]
        # The oldest hypothesis goes first: a late row may fit one that nothing was paid before.
        for place, due in enumerate(dues):
            for row in timely:
                if self._convention.fits(row.amount, due):
                    return row, _without(rows, row), place
        if timely:
            return timely[0], _without(rows, timely[0]), None
        return None, tuple(rows), None

    def _by_rule(self, hour: Hour, track: Track) -> Decimal | None:
        """Return what the rule gives for an hour on what stands as it begins."""
        found = counted(hour.spans[track.skip :], track.standing, RULE, self._factors)
        return None if found is None else round_half_even(found.interest, PAID_PLACES)

    # ----------------------------------------------------------- on to the next hour

    def _advance(
        self, number: int, found: Payable, alive: Sequence[tuple[Track, Counted | None]]
    ) -> None:
        """Let every hypothesis go on with what was due, and where that was not paid, with that."""
        paid = found.row.amount if found.row is not None else ZERO
        more = sum((row.amount for row in found.others), ZERO)
        is_aligned = not self._convention.shift
        held: list[Track] = []
        forks: list[Track] = []
        for place, (track, own) in enumerate(alive):
            if own is None:
                held += self._paid_on(number, track)
                continue
            if found.is_fit and not self._convention.fits(paid, found.dues[place]):
                continue
            exact = Track(own.after, before=track.standing)
            if not is_aligned:
                held.append(exact)
                continue
            value = max(own.after.value - own.interest + paid, ZERO)
            rows = Track(Standing(value, own.after.basis), by_rows=True, before=track.standing)
            if found.is_fit:
                held.append(rows if track.by_rows else exact)
            else:
                held.append(exact._replace(by_rows=track.by_rows))
                forks.append(rows._replace(by_rows=track.by_rows))
            if more:
                forks += [
                    each._replace(standing=Standing(each.standing.value + more, own.after.basis))
                    for each in (held[-1], *forks[-1:])
                ]
        kept = TRACKS_MAX * (TRACKS_ON_BASIS if self._convention.growth == "basis" else 1)
        tracks = [*held, *forks]
        if len(tracks) > 2:
            tracks = _distinct(tracks, alive[0][1] if alive else None)
        self._tracks = tracks[:kept]

    def _paid_on(self, number: int, track: Track) -> list[Track]:
        """Return a track after an hour whose interest only its rows tell; none where none does."""
        place = number - self._convention.shift
        if not 0 <= place < len(self._hours):
            return []
        rows = self._rows.get(self._hours[place].until, ())
        if not rows:
            return []
        spans = self._hours[number].spans[track.skip :]
        moved = sum((span.change for span in spans), ZERO)
        value = track.standing.value + moved + sum((row.amount for row in rows), ZERO)
        is_moved = any(span.change for span in spans)
        return [Track(Standing(value, value if is_moved else track.standing.basis), track.by_rows)]


def paid_for(
    hours: Sequence[Hour], number: int, track: Track, convention: Convention, factors: Factors
) -> Counted | None:
    """Return the hour that a row pays under a convention: its own, or where it is cut, a neighbor.

    None where it is not known.
    """
    own = counted(hours[number].spans[track.skip :], track.standing, convention, factors)
    if not convention.shift or own is None:
        return own
    place = number + convention.shift
    start = track.before if convention.shift < 0 else own.after
    if start is None or not 0 <= place < len(hours):
        return None
    return counted(hours[place].spans, start, convention, factors)


def _without(rows: Sequence[Paid], taken: Paid) -> tuple[Paid, ...]:
    left = list(rows)
    left.remove(taken)
    return tuple(left)


def _is_near(one: Standing, other: Standing, *, of_basis: bool = False) -> bool:
    """Tell whether two standings agree in the places that states print."""
    gap = one.basis - other.basis if of_basis else one.value - other.value
    return round_half_even(gap, PAID_PLACES - (2 if of_basis else 1)) == ZERO


def _distinct(tracks: Sequence[Track], earned: Counted | None) -> list[Track]:
    """Return tracks that differ, the oldest first.

    *earned* is an hour like those to come: values whose interest differs by less than shows in it
    are one.
    """
    interest, value = (ZERO, ZERO) if earned is None else (earned.interest, earned.after.value)
    found: list[Track] = []
    for track in tracks:
        for each in found:
            gap = abs(track.standing.value - each.standing.value)
            is_small = gap < SAME or (interest > ZERO and gap * interest < SHOWS * value)
            if track.by_rows == each.by_rows and is_small:
                break
        else:
            found.append(track)
    return found
