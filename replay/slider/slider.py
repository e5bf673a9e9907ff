"""Slider: one account as known at one position, at any instant, with what it reads kept at hand."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Final

from ledger.entries import AsOf
from ledger.units import Millis
from replay.audit import Instant
from replay.margin_timeline import coins_of
from replay.slider.drawing import Drawing
from replay.slider.marks import marks
from replay.slider.points import points as chosen
from replay.slider.steps import Steps

if TYPE_CHECKING:
    from ledger.units import Digest
    from replay.audit import AccountHistory
    from replay.margin import Assembler, MarginAt, Question
    from replay.slider.lanes import Lanes
    from replay.slider.marks import Mark
    from replay.slider.steps import Step

POINTS: Final = 600
"""Instants of a line, unless others are asked for."""

LANES_KEPT: Final = 4
"""Drawings kept per slider: of its own and of other states of knowledge."""


class Slider:
    """An account laid out in time. Nothing is read before it is asked for."""

    def __init__(
        self,
        history: AccountHistory,
        position: int | None = None,
        question: Question | None = None,
    ) -> None:
        """Lay out *history* as known at *position*; None is the last of the book.

        *question* is how margin is asked for, when not by the rulebook and mode of the instant.
        """
        self.history = history
        self.position = history.audit.book.position() if position is None else position
        self._question = question
        self._lanes: OrderedDict[tuple[int, int], Lanes] = OrderedDict()
        self._lock = RLock()

    # ------------------------------------------------------------------- an instant

    def at(self, ms: int) -> Instant:
        """Return the account at an instant, the same that ``AccountHistory.at`` returns."""
        as_of = AsOf(effective=Millis(ms), position=self.position)
        folded = self.history.audit.engine.states(self.history.stream, as_of)
        return Instant(history=self.history, as_of=as_of, folded=folded)

    def digest(self, ms: int) -> Digest:
        """Return the state digest of an instant."""
        return self.at(ms).digest

    def margin(self, ms: int, instant: Instant | None = None, *, workings: bool = True) -> MarginAt:
        """Return margin at an instant; *instant* is the one of it, when it is at hand.

        Raises: NotInForce, without a rulebook; UnclearQuestion, when the mode is not known;
        UnknownKind, when balances stopped at a kind not known.
        """
        states = None if instant is None else instant.states
        with self._lock:
            return self.assembler.at(Millis(ms), states, workings=workings)

    @cached_property
    def assembler(self) -> Assembler:
        """What margin of the account is made of; made once, which reads the history once."""
        from replay.margin import Assembler, Question

        return Assembler(self.history, self.position, self._question or Question())

    # ------------------------------------------------------------------- positions in time

    @property
    def steps(self) -> Steps:
        """The moments of events and the full hours: where the slider may stand."""
        engine = self.history.audit.engine
        course = engine.course(self.history.stream, self.position)
        return Steps(course, engine.batches_of(self.history.stream))

    @property
    def span(self) -> tuple[Millis, Millis] | None:
        """Moments of the first and the last event; None when none is known at the position."""
        return self.steps.span

    def neighbours(self, ms: int) -> tuple[Millis | None, Millis | None]:
        """Return the moments of the last event before an instant and of the first after it."""
        step = self.steps.step(ms)
        return step.previous, step.next

    def step(self, ms: int) -> Step:
        """Return where an instant stands: neighbours, full hours, how many events are one step."""
        return self.steps.step(ms)

    # ------------------------------------------------------------------- lines

    def lanes(self, points: int = POINTS) -> Lanes:
        """Return the lines of the account through at most so many instants (16 to 2,000)."""
        return self._drawn(self.position, points)

    def ghost(self, position: int, points: int = POINTS) -> Lanes:
        """Return the lines as known at another position: the other belief."""
        return self._drawn(position, points)

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """Events to be marked on the lines, in order of time; gathered when they are too many."""
        engine = self.history.audit.engine
        last = engine.states(self.history.stream, AsOf(position=self.position))
        return marks(engine, self.history.stream, self.position, last.states)

    def _drawn(self, position: int, count: int) -> Lanes:
        asked = position, count
        found = self._lanes.get(asked)
        if found is None:
            other = self if position == self.position else self._other(position)
            found = other._draw(count)  # noqa: SLF001 - another of this class
            self._lanes[asked] = found
            while len(self._lanes) > LANES_KEPT:
                self._lanes.popitem(last=False)
        return found

    def _other(self, position: int) -> Slider:
        return Slider(self.history, position, self._question)

    def _draw(self, count: int) -> Lanes:
        steps = self.steps
        of = self.assembler
        prices: set[int] = set()
        if steps.span is not None:
            prices = of.recorded.price_moments(*steps.span, coins_of(of, steps.span[1]))
        return Drawing(of).lanes(chosen(steps, self.marks, prices, count))
