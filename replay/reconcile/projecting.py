"""Projecting: what a history leads to at the moment of an observed state, each instant counted.

A projection is the states of one instant: the checkpoint before it, and the events from there on.
A perpetuals state carries the venue's own moment. Spot and lending states carry that of the answer
alone, which may be seconds off; so the fold goes through those seconds event by event, and the
state is held against the instant that fits it best.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger import timeline
from ledger.codec import decode
from ledger.entries import AsOf
from ledger.events import (
    InterestAccrued,
    LendingStateObserved,
    ModeChanged,
    PerpStateObserved,
    ReserveOperated,
    SpotStateObserved,
)
from ledger.money import ZERO, exact
from ledger.units import Asset, Millis
from projections import balances, observed, positions
from projections.arithmetic import EXACT
from projections.fold import Folding
from projections.lending import HOUR_MS, RATE_AGE_MAX, VALUE_PLACES
from projections.observed import SINGLE_BALANCE_MODES, Figure, Held, Room, Verdict, worst
from projections.pool import CLOCK_MS
from projections.pool_bounds import UNIT, Pace, bounds, payout
from projections.rulebooks import formulas
from replay.reconcile.seen import Seen, reserve_states, reserves, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.events import Event, ReserveObserved
    from ledger.units import Dex, Stream
    from projections.observed import Side
    from replay.engine import Engine

FULL_BORROW: Final = Decimal(1)
"""Yearly borrow rate of a reserve of which all is lent; no curve known goes beyond it."""

FULL_SUPPLY: Final = Decimal("0.9")
"""The supply rate at the same."""

KINDS: Final = (
    PerpStateObserved, SpotStateObserved, LendingStateObserved, ModeChanged, InterestAccrued,
    ReserveOperated,
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Observation:
    """One observed state, and the family it is compared within: an exchange, spot or lending."""

    seen: Seen
    family: str

    @property
    def at(self) -> Millis:
        """The moment the state carries."""
        return self.seen.event.at


@attrs.frozen(kw_only=True)
class Looked:
    """An observed state that was looked at, figure by figure."""

    observation: Observation
    figures: tuple[Figure, ...]
    verdict: Verdict
    """differs, when any figure does; else agrees, when any could be compared."""
    fits_at: Millis
    """The instant it fits best; another than its own only where answers are seconds off."""

    @property
    def differing(self) -> dict[str, Decimal]:
        """Observed less rebuilt of every figure that differs, by subject."""
        with exact():
            return {
                each.subject: each.difference
                for each in self.figures
                if each.verdict == "differs" and each.difference is not None
            }

    def count(self, verdict: Verdict) -> int:
        """Return how many figures have one verdict."""
        with exact():
            return sum(each.verdict == verdict for each in self.figures)


class Projector:
    """One account's history, asked at the moments of its observed states; answers are kept."""

    def __init__(
        self, engine: Engine, stream: Stream, position: int, pace: Pace | None = None
    ) -> None:
        """Read which states were observed; nothing is folded yet.

        *pace* is how fast utilization is assumed to change: it bounds interest that runs on.
        """
        self._pace = pace
        self.engine, self.stream, self.position = engine, stream, position
        self.projections = 0
        self.folded = 0
        """Events folded beyond what checkpoints stood for."""
        self.observations: list[Observation] = []
        self.given: dict[tuple[str, str], Decimal] = {}
        """Differences taken as given, by family and subject."""
        self._modes: list[tuple[Millis, str]] = []
        self._taken_out: dict[tuple[Asset, str], list[tuple[Millis, Decimal]]] = {}
        self._rows: dict[Asset, list[Millis]] = {}
        self._perps: dict[Millis, dict[Dex, PerpStateObserved]] = {}
        self._looked: dict[int, Looked] = {}
        self._unknown: dict[str, frozenset[str]] = {}
        self._reserves: dict[Asset, tuple[ReserveObserved, ...]] = {}
        for each in seen(engine, stream, position, KINDS):
            self._note(each)

    def _note(self, each: Seen) -> None:
        event = each.event
        if isinstance(event, ModeChanged):
            self._modes.append((event.at, event.mode))
        elif isinstance(event, ReserveOperated):
            out = self._taken_out.setdefault((event.asset, event.operation), [])
            out.append((event.at, event.amount))
        elif isinstance(event, InterestAccrued):
            self._rows.setdefault(event.asset, []).append(event.at)
        elif isinstance(event, PerpStateObserved):
            self._perps.setdefault(event.at, {})[event.dex] = event
            name = f"perp {event.dex}" if event.dex else "perp"
            self.observations.append(Observation(seen=each, family=name))
        else:
            name = "spot" if isinstance(event, SpotStateObserved) else "lending"
            self.observations.append(Observation(seen=each, family=name))

    def look(self, observation: Observation) -> Looked:
        """Return an observed state beside what the history leads to at its moment."""
        key = observation.seen.ordinal
        if key not in self._looked:
            self._project(observation.at)
        return self._looked[key]

    def _project(self, at: Millis) -> None:
        """Fold to an instant once, and look at every state observed at it."""
        here = [each for each in self.observations if each.at == at]
        course = self.engine.course(self.stream, self.position)
        batch_of = self.engine.batches_of(self.stream)
        start = Millis(at - CLOCK_MS - 1)
        found = self.engine.states(self.stream, AsOf(effective=start, position=self.position))
        first, last = (course.through(end, batch_of) for end in (start, at + CLOCK_MS))
        events = [
            decode(line) for line in timeline.lines(course, batch_of, first, last)
        ]  # fmt: skip
        self.projections += 1
        self.folded += found.count - found.since + len(events)
        best: dict[int, Looked] = {}
        with exact():
            reference = self.engine.reference(self.position)
            folding = Folding(reference, found.states)
            for moment in _instants(folding, events, start, at):
                held = self._held(folding)
                for each in here:
                    if moment != at and each.family.startswith("perp"):
                        continue
                    looked = self._compared(each, held, moment)
                    key = each.seen.ordinal
                    if key not in best or _fit(looked, at) > _fit(best[key], at):
                        best[key] = looked
        self._looked.update(best)

    def _held(self, folding: Folding) -> Held:
        def living(name: str) -> dict[object, object] | None:
            return None if folding.stopped(name) else dict(folding.held(name))

        return Held(
            balances=living(balances.NAME),  # type: ignore[arg-type]
            positions=living(positions.NAME),  # type: ignore[arg-type]
            reference=self.engine.reference(self.position),
        )

    # ------------------------------------------------------------------- one state

    def _compared(self, each: Observation, held: Held, moment: Millis) -> Looked:
        held = attrs.evolve(
            held, is_whole=each.family in self._unknown,
            unknown=self._unknown.get(each.family, frozenset()),
        )  # fmt: skip
        figures = tuple(
            self._as_given(each, figure)
            for figure in self._figures(each, held)
            if not figure.is_nothing
        )
        return Looked(
            observation=each, figures=figures, verdict=worst(figures, held.unknown), fits_at=moment
        )

    def _figures(self, each: Observation, held: Held) -> Iterator[Figure]:
        event = each.seen.event
        if isinstance(event, PerpStateObserved):
            yield from observed.sizes(event, held)
            yield from observed.money(event, held)
        elif isinstance(event, SpotStateObserved):
            yield from observed.spot(
                event, held,
                single=bool(event.margin_enabled) or self._mode(event.at) in SINGLE_BALANCE_MODES,
                perps=self._perps.get(event.at), running=self._running(event.at),
            )  # fmt: skip
        elif isinstance(event, LendingStateObserved):
            yield from observed.lending(event, held, running=self._running(event.at))

    def _as_given(self, each: Observation, figure: Figure) -> Figure:
        given = self.given.get((each.family, figure.subject))
        if given is None or figure.expected is None:
            return figure
        return attrs.evolve(figure, expected=figure.expected + given)

    def begin(self, first: Looked, *, as_given: bool) -> None:
        """Take the first state of a family for the beginning: what it does not show is not there.

        From then on a figure that no event names is zero, but for those the first state shows
        without an event that explains them: they stay unknown. With *as_given* its differences are
        taken as given too.
        """
        family = first.observation.family
        self._unknown[family] = frozenset(
            each.subject for each in first.figures if each.expected is None
        )
        if as_given:
            for subject, difference in first.differing.items():
                self.given[family, subject] = difference

    def has(self, observation: Observation) -> bool:
        """Tell whether a state was looked at, for itself or for another of its instant."""
        return observation.seen.ordinal in self._looked

    def forget(self) -> None:
        """Look anew at what was looked at, because what is taken as given has changed."""
        self._looked.clear()

    def looked(self) -> tuple[Looked, ...]:
        """Return all states that were looked at, by moment."""
        found = self._looked.values()
        return tuple(sorted(found, key=lambda each: each.observation.seen.ordinal))

    def _mode(self, at: Millis) -> str:
        number = bisect_right(self._modes, at, key=lambda each: each[0])
        return self._modes[number - 1][1] if number else ""

    # ------------------------------------------------------------------- interest running on

    def _running(self, at: Millis) -> observed.Running:
        def ahead(asset: Asset, side: Side, value: Decimal) -> Room:
            rows = self._rows.get(asset, [])
            number = bisect_right(rows, at)
            # Rows come by the hour: interest has not been running longer than that.
            since = max(rows[number - 1] if number else 0, at - HOUR_MS)
            elapsed = at + CLOCK_MS - since
            # It ran on what was taken out since, too.
            base = value + self._taken(asset, side, since - CLOCK_MS, at + CLOCK_MS)
            if base and not rows and not self._is_free(asset, side):
                return Room(None, None)
            # Every row is cut off at its eighth place.
            printed = observed.PRINTED_LOAN + observed.PRINTED_ROW * number
            highest = self._highest(asset, side, Millis(since), at)
            likely = None if highest is None else _grown(base, highest, elapsed) + printed
            most = self._most(asset, side, base, Millis(since), Millis(since + elapsed))
            return Room(likely, most + printed)

        return ahead

    def _is_free(self, asset: Asset, side: Side) -> bool:
        """Tell whether every recorded state of a reserve says that no interest is paid."""
        states = self._states(asset)
        rates = [each.supply_rate if side == "supply" else each.borrow_rate for each in states]
        return bool(rates) and all(rate is not None and not rate for rate in rates)

    def _most(
        self, asset: Asset, side: Side, value: Decimal, since: Millis, until: Millis
    ) -> Decimal:
        """Return the most that can have run on a value: at the pace assumed, else on the curve."""
        if self._is_free(asset, side):
            return ZERO
        if self._pace is not None:
            found = bounds(self._states(asset), since, until, self._pace, side=side)
            if found.by and not found.is_refuted:
                return payout(value, found.by[-1])[1]
        return _grown(value, FULL_SUPPLY if side == "supply" else FULL_BORROW, until - since)

    def _taken(self, asset: Asset, side: Side, since: int, until: int) -> Decimal:
        """Return what was withdrawn or repaid between two moments."""
        name = "withdraw" if side == "supply" else "repay"
        moves = self._taken_out.get((asset, name), [])
        first = bisect_left(moves, since, key=lambda each: each[0])
        last = bisect_right(moves, until, key=lambda each: each[0])
        return sum((amount for _, amount in moves[first:last]), ZERO)

    def _highest(self, asset: Asset, side: Side, since: Millis, until: Millis) -> Decimal | None:
        """Return the highest of the recorded rates around an interval; None without one near."""
        states = self._states(asset)
        first = max(0, bisect_right(states, since, key=lambda each: each.at) - 1)
        last = bisect_right(states, until, key=lambda each: each.at) + 1
        near = [
            rate
            for each in states[first:last]
            if since - RATE_AGE_MAX <= each.at <= until + RATE_AGE_MAX
            and (rate := each.supply_rate if side == "supply" else each.borrow_rate) is not None
        ]
        return max(near, default=None)

    def _states(self, asset: Asset) -> Sequence[ReserveObserved]:
        if asset not in self._reserves:
            known = asset in reserves(self.engine)
            self._reserves[asset] = (
                reserve_states(self.engine, asset, self.position) if known else ()
            )
        return self._reserves[asset]


def _instants(
    folding: Folding, events: Sequence[Event], start: Millis, at: Millis
) -> Iterator[Millis]:
    """Yield every instant of some events once all of it is folded, and *at* in its place."""
    is_due = True
    if events:
        yield start
    for number, event in enumerate(events):
        if is_due and event.at > at:
            is_due = False
            yield at
        folding.take(event)
        now = event.at
        following = events[number + 1].at if number + 1 < len(events) else None
        if following != now:
            is_due = is_due and now != at
            yield now
    if is_due:
        yield at


def _fit(looked: Looked, at: Millis) -> tuple[int, int]:
    """Return how well a state fits: fewest differences first, then nearest to its own moment."""
    return -looked.count("differs"), -abs(looked.fits_at - at)


def _grown(value: Decimal, rate: Decimal, elapsed_ms: int) -> Decimal:
    """Return what runs on a value, cut off a unit up."""
    after = formulas.grown(EXACT, value, rate, ZERO + elapsed_ms, VALUE_PLACES)
    return after + UNIT - value
