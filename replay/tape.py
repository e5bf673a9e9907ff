"""Tape: an account forward and backward, event by event, with watches and last writers.

A tape stands between two stops; a stop is one event of the account, or one moment at which a price
was recorded. What a tape shows at a stop is what a fold from nothing shows there: states are kept
every so many events, and going back is folding on from the kept one before.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.codec import event_id
from ledger.errors import MalformedRecord, NotInForce, UnclearQuestion
from ledger.events import Event
from ledger.money import canonical, exact, parse_decimal
from ledger.units import Millis
from projections import fold
from projections.fold import Folding
from replay.dispute.what_if import figures_of
from replay.margin import Assembler, Question
from replay.margin_report import shown
from replay.margin_timeline import coins_of, moving_figures
from replay.moments import iso
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.units import Digest
    from projections.fold import States
    from replay.audit import AccountHistory

KEPT_EVERY: Final = 64

MARGIN: Final = ("pmr", "requirement", "value", "health")
"""Names of margin: the ratio that decides, what is required, what stands against it, and health."""

Operator: TypeAlias = Literal[">", ">=", "<", "<=", "=", "!=", "changed"]

_WATCH: Final = re.compile(
    r"\A\s*(?P<figure>.+?)\s*(?:(?P<op>>=|<=|!=|>|<|=)\s*(?P<limit>[-+0-9._]+)|(?P<changed>changed))\s*\Z"
)


@attrs.frozen(kw_only=True)
class Watch:
    """A condition on one figure, such as ``pmr > 0.90`` or ``balance spot USDC changed``."""

    figure: str
    operator: Operator
    limit: Decimal | None

    @classmethod
    def parse(cls, text: str) -> Watch:
        """Return the watch that words ask for.

        Raises: UnclearQuestion, for anything that is none.
        """
        found = _WATCH.match(text)
        if found is None:
            raise UnclearQuestion(
                asked=text, problem="is no watch",
                remedy="Write it as: pmr > 0.90, balance spot USDC < 0, or size BTC changed",
            )  # fmt: skip
        if found["changed"]:
            return cls(figure=found["figure"], operator="changed", limit=None)
        operator: Operator = next(each for each in _OPERATORS if each == found["op"])
        try:
            limit = parse_decimal(found["limit"].replace("_", ""))
        except MalformedRecord as error:
            raise UnclearQuestion(
                asked=text, problem=f"holds no number: {found['limit']}",
                remedy="Write plain digits: pmr > 0.90",
            ) from error  # fmt: skip
        return cls(figure=found["figure"], operator=operator, limit=limit)

    def holds(self, before: Decimal | None, now: Decimal | None) -> bool:
        """Tell whether it holds; what is unknown is neither above nor below anything."""
        if self.operator == "changed":
            return before != now
        if now is None or self.limit is None:
            return False
        return _COMPARE[self.operator](now, self.limit)


_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
}
_OPERATORS: Final[tuple[Operator, ...]] = (">", ">=", "<", "<=", "=", "!=")


@attrs.frozen(kw_only=True)
class Stop:
    """One place of the tape."""

    at: Millis
    event: Event | None
    """None for a moment at which only prices were recorded."""

    @property
    def what(self) -> str:
        """What happened, in words."""
        return "prices recorded" if self.event is None else described(self.event)


class Tape:
    """An account laid out in order; ``place`` is how many stops lie behind."""

    def __init__(
        self,
        history: AccountHistory,
        position: int,
        question: Question = Question(),  # noqa: B008 - a frozen value
        *,
        with_prices: bool = False,
    ) -> None:
        """Lay out the account as known at a position; *with_prices* stops at prices, too."""
        self.of = Assembler(history, position, question)
        engine = self.of.engine
        stops = [
            Stop(at=event.at, event=event) for event in engine.events(history.stream, position)
        ]
        if with_prices and stops:
            since, until = stops[0].at, stops[-1].at
            moments = self.of.recorded.price_moments(since, until, coins_of(self.of, until))
            stops += [Stop(at=Millis(at), event=None) for at in moments]
            stops.sort(key=lambda stop: (stop.at, stop.event is None))
        self.stops: Final = tuple(stops)
        self.place = 0
        self.unseen = 0
        """At how many places of the last run a figure of margin was unknown."""
        self._kept: dict[int, States] = {0: fold.BEGINNING}

    # ------------------------------------------------------------------- moving

    def step(self, count: int = 1) -> int:
        """Go on by some stops, or back by a negative number; return the place."""
        return self.go(self.place + count)

    def go(self, place: int) -> int:
        """Go to a place; beyond the ends is at the end."""
        self.place = max(0, min(place, len(self.stops)))
        return self.place

    def go_to(self, at: Millis) -> int:
        """Go to the last stop at or before an instant."""
        return self.go(sum(1 for stop in self.stops if stop.at <= at))

    def run(self, watch: Watch, *, back: bool = False) -> int | None:
        """Go on, or back, to the next place where a watch comes to hold; None leaves the place.

        Raises: UnclearQuestion, for a figure that nothing has.
        """
        places = (
            range(self.place - 1, 0, -1) if back else range(self.place + 1, len(self.stops) + 1)
        )
        self.unseen = 0
        before = self.figure(watch.figure, places[0] - 1) if places else None
        for place in places:
            if back:
                before = self.figure(watch.figure, place - 1)
            now = self.figure(watch.figure, place)
            self.unseen += now is None and watch.figure in MARGIN
            if watch.holds(before, now) and (
                watch.operator == "changed" or not watch.holds(None, before)
            ):
                return self.go(place)
            before = now
        return None

    def last_writer(self, figure: str, place: int | None = None) -> int | None:
        """Return the last place, at or before one, whose event changed a figure; None for none."""
        for number in range(self.place if place is None else place, 0, -1):
            if self.figure(figure, number) != self.figure(figure, number - 1):
                return number
        return None

    # ------------------------------------------------------------------- reading

    def states(self, place: int | None = None) -> States:
        """Return what every projection says after so many stops."""
        wanted = self.place if place is None else place
        start = max(number for number in self._kept if number <= wanted)
        with exact():
            folding = Folding(self.of.reference, self._kept[start])
            for number in range(start, wanted):
                event = self.stops[number].event
                if event is not None:
                    folding.take(event)
                if (number + 1) % KEPT_EVERY == 0:
                    self._kept[number + 1] = folding.states()
            return folding.states()

    def digest(self, place: int | None = None) -> Digest:
        """Return the state digest at a place: what a fold from nothing has there."""
        return fold.digest(self.states(place))

    def figures(self, place: int | None = None) -> dict[str, Decimal | None]:
        """Return the account's figures at a place, by name."""
        return figures_of(self.states(place))

    def figure(self, name: str, place: int | None = None) -> Decimal | None:
        """Return one figure at a place; None where it is unknown or does not exist yet.

        Raises: UnclearQuestion, for a name that no figure of the whole tape has.
        """
        wanted = self.place if place is None else place
        if name in MARGIN:
            return self._margin(name, wanted)
        if name not in self._names():
            raise UnclearQuestion(
                asked=name, problem="is no figure of this account",
                remedy=f"Figures are {', '.join((*MARGIN, *self._names()))}",
            )  # fmt: skip
        return self.figures(wanted).get(name)

    def _names(self) -> tuple[str, ...]:
        return tuple(self.figures(len(self.stops)))

    def _margin(self, name: str, place: int) -> Decimal | None:
        if not place:
            return None
        try:
            margin = self.of.at(self.stops[place - 1].at, self.states(place)).margin
        except (NotInForce, UnclearQuestion):
            return None
        judgement = margin.judgements[0]
        if name == "health":
            return None if judgement.health_factor is None else judgement.health_factor.value
        return moving_figures(judgement)[("pmr", "requirement", "value").index(name)]

    def lines(self) -> Iterator[str]:
        """Yield the place in words: the stop, what it changed, and the state digest."""
        yield f"{self.place} of {len(self.stops)}, state {self.digest()[:16]}"
        if not self.place:
            yield "  before everything recorded"
            return
        stop = self.stops[self.place - 1]
        identity = "" if stop.event is None else f"  {event_id(stop.event)[:12]}"
        yield f"{iso(stop.at)}{identity}  {stop.what}"
        before, now = self.figures(self.place - 1), self.figures()
        for name in (*now, *(each for each in before if each not in now)):
            if before.get(name) != now.get(name):
                yield f"  {name}: {_text(before.get(name))} → {_text(now.get(name))}"
        ratio = self._margin("pmr", self.place)
        if ratio is not None:
            yield f"  pmr {shown(ratio)}"


def _text(value: Decimal | None) -> str:
    return "none" if value is None else canonical(value)
