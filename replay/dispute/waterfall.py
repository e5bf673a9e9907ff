"""Waterfall: what moved an account's margin from one instant to another, cause by cause.

The way is walked moment by moment: every event of the account, every recorded price and reserve
state, every change of the rules. What changed at one moment is shared out symmetrically
(``projections.waterfall``). Interest runs between moments and is told as a cause of its own. What
no record explains (the venue's own state taken as the basis from then on) is told by that name.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import attrs

from ledger import events as ev
from ledger.errors import UnclearQuestion
from ledger.money import ZERO, canonical, exact
from ledger.units import Millis
from projections.waterfall import rounded, shares
from replay.dispute.mixing import (
    Change,
    Figures,
    Mix,
    decided,
    folded,
    judged,
    loans_of,
    mix_at,
    price_changes,
    put,
    said,
)
from replay.margin_report import shown
from replay.margin_timeline import coins_of
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.events import Event
    from projections.rulebooks.base import Rulebook
    from replay.margin import Assembler, Ingredients

FIGURES: Final = ("ratio", "requirement", "value")
"""What is explained: the ratio that decides, the requirement, and what stands against it."""

ROUNDING: Final = "rounding of shares"

BASIS: Final = "not in any record: the venue's own state taken as the basis"

SYMMETRIC: Final = (
    "causes of one moment share its change symmetrically, over all their orders; the parts sum to "
    "the change to the last digit"
)

MOMENTS_MAX: Final = 20_000


@attrs.frozen(kw_only=True)
class Part:
    """What one cause contributed at one moment; the three figures apart."""

    at: Millis
    cause: str
    ratio: Fraction
    requirement: Fraction
    value: Fraction


@attrs.frozen(kw_only=True)
class Cause:
    """What one cause contributed over the whole way, rounded to twenty places."""

    name: str
    moments: int
    ratio: Decimal
    requirement: Decimal
    value: Decimal


@attrs.frozen(kw_only=True)
class Waterfall:
    """A change of margin, shared out. The causes sum to the change to the last digit."""

    since: Millis
    until: Millis
    before: Figures
    after: Figures
    parts: tuple[Part, ...]
    """Moment by moment, in order of time."""
    causes: tuple[Cause, ...]
    """Over the whole way, by name, rounding last."""
    tokens: tuple[str, ...] = ()
    """Which token decides, one after the other; amounts are told in it."""
    doubtful: tuple[str, ...] = ()
    """Further rulebooks that may have held somewhere on the way."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said of the whole."""
        said = [SYMMETRIC]
        if len(self.tokens) > 1:
            said.append(
                "the token that decides changes on the way, and requirement and value with it: "
                f"{', then '.join(self.tokens)}"
            )
        if self.doubtful:
            said.append(
                f"told under the documented rule; {' and '.join(self.doubtful)} may have held too"
            )
        return tuple(said)

    @property
    def table(self) -> Table:
        """The causes, largest first, between the figures before and after."""
        columns = ("cause", "moments", *FIGURES)
        ordered = sorted(self.causes, key=lambda each: -abs(each.ratio))
        return Table(
            title=f"What moved it, from {iso(self.since)} to {iso(self.until)}",
            columns=columns,
            rows=(
                ("before", "", *map(shown, self.before)),
                *(
                    (each.name, str(each.moments or ""), _signed(each.ratio),
                     _signed(each.requirement), _signed(each.value))
                    for each in ordered
                    if any(_signed(getattr(each, name)) != "0" for name in FIGURES)
                ),
                ("after", "", *map(shown, self.after)),
            ),
            numbers=frozenset(columns[1:]),
            notes=self.notes,
        )  # fmt: skip

    def steps(self, *, least: Decimal = Decimal("0.0005")) -> Table:
        """Return the moments that moved the ratio by at least *least*, cause by cause."""
        rows = []
        ratio = Fraction(self.before.ratio)
        for part in self.parts:
            ratio += part.ratio
            if abs(part.ratio) >= least:
                (change, after), _ = rounded((part.ratio, ratio), ZERO)
                rows.append((iso(part.at), part.cause, _signed(change), shown(after)))
        return Table(
            title=f"Step by step, each of at least {canonical(least)} of the ratio",
            columns=("at", "cause", "change", "ratio_after"),
            rows=tuple(rows),
            numbers=frozenset({"change", "ratio_after"}),
            empty="no single step moved it by that much",
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as text, every digit, for programs."""
        return {
            "from": iso(self.since),
            "to": iso(self.until),
            "notes": list(self.notes),
            "before": {name: canonical(getattr(self.before, name)) for name in FIGURES},
            "after": {name: canonical(getattr(self.after, name)) for name in FIGURES},
            "causes": [
                {"cause": each.name, "moments": each.moments, "ratio": canonical(each.ratio),
                 "requirement": canonical(each.requirement), "value": canonical(each.value)}
                for each in self.causes
            ],
        }  # fmt: skip


def _signed(value: Decimal) -> str:
    text = shown(value)
    return f"+{text}" if value > 0 and text != "0" else text


def waterfall(of: Assembler, since: Millis, until: Millis) -> Waterfall:
    """Return what moved margin between two instants, exactly.

    Raises: UnclearQuestion, where an instant of the way cannot be judged, naming it and what is
    missing; NotInForce, without a rulebook.
    """
    if until <= since:
        raise UnclearQuestion(
            asked=f"{iso(since)} to {iso(until)}", problem="is no way from one to another",
            remedy="Give the earlier moment first",
        )  # fmt: skip
    moments = _moments(of, since, until)
    walk = _Way(of, since)
    before = walk.figures
    walk.come(until)
    for at in moments:
        walk.step(at)
    after = walk.figures
    return Waterfall(
        since=since, until=until, before=before, after=after, parts=tuple(walk.parts),
        causes=_causes(walk.parts, before, after), tokens=tuple(walk.tokens),
        doubtful=tuple(sorted(walk.doubtful)),
    )  # fmt: skip


def _causes(parts: Iterable[Part], before: Figures, after: Figures) -> tuple[Cause, ...]:
    """Return the parts added up by cause, with one for what rounding leaves."""
    sums: dict[str, list[Fraction]] = {}
    counts: dict[str, int] = {}
    for part in parts:
        own = sums.setdefault(part.cause, [Fraction(0)] * len(FIGURES))
        for number, name in enumerate(FIGURES):
            own[number] += getattr(part, name)
        counts[part.cause] = counts.get(part.cause, 0) + 1
    names = list(sums)
    told, rest = [], []
    for number in range(len(FIGURES)):
        with exact():
            total = after[number] - before[number]
        values, left = rounded([sums[name][number] for name in names], total)
        told.append(values)
        rest.append(left)
    found = [
        Cause(name=name, moments=counts[name], ratio=told[0][place], requirement=told[1][place],
              value=told[2][place])
        for place, name in enumerate(names)
    ]  # fmt: skip
    if any(rest):
        found.append(Cause(name=ROUNDING, moments=0, ratio=rest[0], requirement=rest[1],
                           value=rest[2]))  # fmt: skip
    return tuple(found)


def _moments(of: Assembler, since: Millis, until: Millis) -> list[Millis]:
    """Return every moment after *since* at which something may have changed, *until* last."""
    found: set[int] = {until}
    for event in of.engine.events(of.history.stream, of.position, until):
        if event.at > since:
            found.add(event.at)
            if isinstance(event, ev.ReserveOperated):
                # Interest up to the operation is a step of its own.
                found.add(max(event.at - 1, since + 1))
    coins = coins_of(of, until)
    found |= of.recorded.price_moments(Millis(since + 1), until, coins)
    for dated in of.recorded.reserves.values():
        found |= set(dated.between(since + 1, until))
    changes = {
        at for book in of.question.calendar for at in (book.effective_from, book.documented_from)
    }
    found |= {at for at in changes if since < at <= until}
    if len(found) > MOMENTS_MAX:
        raise UnclearQuestion(
            asked=f"{iso(since)} to {iso(until)}",
            problem=f"holds {len(found)} moments, more than {MOMENTS_MAX}",
            remedy="Ask for a shorter way",
        )
    return [Millis(at) for at in sorted(found)]


# ------------------------------------------------------------------------- one moment


class _Way:
    """The walk from moment to moment."""

    def __init__(self, of: Assembler, since: Millis) -> None:
        self._of = of
        self._mix = mix_at(of, since, of.states(since))
        self._since = since
        self._events: deque[Event] = deque()
        self.parts: list[Part] = []
        self.figures, token = decided(of, self._mix)
        self.tokens = [token]
        self.doubtful = set(self._mix.others)

    def come(self, until: Millis) -> None:
        """Read the events of the way."""
        found = self._of.engine.events(self._of.history.stream, self._of.position, until)
        self._events.extend(event for event in found if event.at > self._since)

    def step(self, at: Millis) -> None:
        """Go on to the next moment."""
        coming: list[Event] = []
        while self._events and self._events[0].at <= at:
            coming.append(self._events.popleft())
        then = mix_at(self._of, at, folded(self._of, self._mix.made.states, coming))
        changes = self._changes(then.made, then.book, coming)
        start = put(self._mix, at=at)
        known: dict[frozenset[int], Figures] = {}

        def value(chosen: frozenset[int]) -> Figures:
            if chosen not in known:
                mixed = start
                for number, change in enumerate(changes):
                    if number in chosen:
                        mixed = change.apply(mixed)
                known[chosen] = judged(self._of, mixed)
            return known[chosen]

        after, token = decided(self._of, then)
        if token != self.tokens[-1]:
            self.tokens.append(token)
        self.doubtful |= set(then.others)
        known[frozenset(range(len(changes)))] = after
        known[frozenset()] = self.figures
        if changes:
            told = [
                shares(len(changes), lambda chosen: Fraction(value(chosen)[place]))  # noqa: B023 - called at once
                for place in range(len(FIGURES))
            ]
            self.parts += [
                Part(at=at, cause=change.name, ratio=told[0][number], requirement=told[1][number],
                     value=told[2][number])
                for number, change in enumerate(changes)
                if any(figure[number] for figure in told)
            ]  # fmt: skip
        self._mix, self.figures = then, after

    # ----------------------------------------------------------- the causes of a moment

    def _changes(self, then: Ingredients, book: Rulebook, coming: list[Event]) -> list[Change]:
        """Return what changes at a moment, each as something that can be applied alone."""
        now = self._mix.made
        found = [*price_changes(now, then), *self._event_changes(coming)]
        if loans_of(now) != loans_of(then):
            word = "interest"
            if any(isinstance(event, ev.ReserveOperated) for event in coming):
                word = "lending operations"
            loans = then.loans
            found.append(Change(name=word, apply=lambda mix: put(mix, loans=loans)))
        if book.id != self._mix.book.id:
            found.append(
                Change(name=f"rule: {book.id}", apply=lambda mix: attrs.evolve(mix, book=book))
            )
        if now.mode != then.mode:
            found.append(
                Change(name=f"mode: {then.mode}", apply=lambda mix: put(mix, mode=then.mode))
            )
        if now.tables != then.tables:
            found.append(
                Change(name="margin tables", apply=lambda mix: put(mix, tables=then.tables))
            )
        if now.settings != then.settings:
            found.append(
                Change(name="leverage chosen", apply=lambda mix: put(mix, settings=then.settings))
            )
        if now.anchor != then.anchor or now.is_complete != then.is_complete:
            found.append(
                Change(
                    name=BASIS,
                    apply=lambda mix: put(
                        mix, anchor=then.anchor, basis=then.basis, is_complete=then.is_complete
                    ),
                )
            )
        return found

    def _event_changes(self, coming: list[Event]) -> list[Change]:
        """Return the account's events of a moment by what they are, fees apart from fills."""
        groups: dict[str, list[Event]] = {}
        for event in coming:
            for name, part in said(event):
                groups.setdefault(name, []).append(part)

        def applied(events: list[Event]) -> Callable[[Mix], Mix]:
            return lambda mix: put(mix, states=folded(self._of, mix.made.states, events))

        return [Change(name=name, apply=applied(events)) for name, events in groups.items()]
