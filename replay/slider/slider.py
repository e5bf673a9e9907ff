"""Slider: one account as known at one position, at any instant, with what it reads kept at hand."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeVar

from ledger.entries import AsOf
from ledger.units import Millis
from replay.audit import Instant
from replay.margin_timeline import coins_of
from replay.slider.drawing import Drawing
from replay.slider.marks import marks
from replay.slider.points import points as chosen
from replay.slider.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ledger.units import Digest
    from replay.audit import AccountHistory
    from replay.margin import Assembler, MarginAt, Question
    from replay.slider.lanes import Lanes
    from replay.slider.marks import Mark
    from replay.slider.steps import Step

T = TypeVar("T")

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
        self._lanes: OrderedDict[tuple[int, int], UnderWay] = OrderedDict()
        self._marks: tuple[Mark, ...] | None = None
        self._assembler: Assembler | None = None
        self._steps: Steps | None = None
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
        return self.assembler.at(Millis(ms), states, workings=workings)

    @property
    def assembler(self) -> Assembler:
        """What margin of the account is made of; made once, which reads the history once."""
        from replay.margin import Assembler, Question

        with self._lock:
            if self._assembler is None:
                asked = self._question or Question()
                self._assembler = Assembler(self.history, self.position, asked)
            return self._assembler

    # ------------------------------------------------------------------- positions in time

    @property
    def steps(self) -> Steps:
        """The moments of events and the full hours: where the slider may stand."""
        if self._steps is None:
            engine = self.history.audit.engine
            course = engine.course(self.history.stream, self.position)
            self._steps = Steps(course, engine.batches_of(self.history.stream))
        return self._steps

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
        return self.begun(points).whole()

    def ghost(self, position: int, points: int = POINTS) -> Lanes:
        """Return the lines as known at another position: the other belief."""
        return self.begun(points, position).whole()

    def begun(self, points: int = POINTS, position: int | None = None) -> UnderWay:
        """Return lines to be drawn slice by slice, as known here or at another *position*.

        Whoever answers other questions in between draws so; ``lanes`` and ``ghost`` draw at once.
        """
        asked = self.position if position is None else position, points
        found = self._lanes.get(asked)
        if found is None:
            other = self if asked[0] == self.position else self._other(asked[0])
            found = self._lanes[asked] = UnderWay(lambda: other._draw(points))  # noqa: SLF001 - of this class
            while len(self._lanes) > LANES_KEPT:
                self._lanes.popitem(last=False)
        return found

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Events to be marked on the lines, in order of time; gathered when they are too many."""
        return _finished(self._marked())

    def _other(self, position: int) -> Slider:
        return Slider(self.history, position, self._question)

    def _marked(self) -> Generator[None, None, tuple[Mark, ...]]:
        if self._marks is None:
            engine, stream = self.history.audit.engine, self.history.stream
            last = engine.states(stream, AsOf(position=self.position))
            yield
            self._marks = yield from marks(engine, stream, self.position, last.states)
        return self._marks

    def _draw(self, count: int) -> Generator[None, None, Lanes]:
        told = yield from self._marked()
        steps, of = self.steps, self.assembler
        yield
        prices: set[int] = set()
        if steps.span is not None:
            prices = of.recorded.price_moments(*steps.span, coins_of(of, steps.span[1]))
        instants = chosen(steps, told, prices, count)
        yield
        return (yield from Drawing(of).lanes(instants))


class UnderWay:
    """Lines that are being drawn; a slice of the work takes a few hundredths of a second."""

    def __init__(self, begin: Callable[[], Generator[None, None, Lanes]]) -> None:
        """Draw by the work that *begin* begins; work that was broken off begins anew."""
        self._begin = begin
        self._work: Generator[None, None, Lanes] | None = None
        self._lanes: Lanes | None = None
        self._lock = RLock()

    def go_on(self) -> Lanes | None:
        """Do one more slice; return the lines when they are drawn, None while they are not."""
        with self._lock:
            if self._lanes is not None:
                return self._lanes
            work, self._work = self._work or self._begin(), None
            try:
                next(work)
            except StopIteration as done:
                self._lanes = done.value
                self._begin = _nothing_left  # and let go of what the drawing was read from
            else:
                self._work = work
            return self._lanes

    def whole(self) -> Lanes:
        """Return the lines, all that is left to do done now."""
        while (found := self.go_on()) is None:
            pass
        return found


def _nothing_left() -> Generator[None, None, Lanes]:
    raise AssertionError("the lines are drawn")  # noqa: EM101, TRY003 - said to nobody


def _finished(work: Generator[None, None, T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: T = done.value
            return found
