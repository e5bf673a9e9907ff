"""Minimal: the smallest change that would have avoided a liquidation, with its certificate.

A certificate is two replays: with the value found the condition of liquidation does not hold in
the millisecond before the liquidation's first fill; with one unit less it does. Whoever doubts the
search can repeat these two with ``rollforward what-if`` and needs nothing else.

A deposit, a smaller position and an earlier moment are sought by halving, which finds the smallest
one where more of it never does harm; that is tried at further points, and said where it fails. A
price may cross the condition several times. Every verdict is a stretch-wise straight line in a
price, so a range is divided until each part is straight to the last digit at three points between
its ends; then all crossings are at hand.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import attrs

from ledger.entries import AsOf
from ledger.errors import UnclearQuestion
from ledger.money import ZERO, canonical, exact, places, round_down, scaled, unscaled
from ledger.units import Asset, Coin, Millis
from projections import liquidations, positions
from projections.arithmetic import EXACT
from projections.margin import Input
from replay.audit import AccountHistory
from replay.dispute import suppositions as suppose
from replay.dispute.admissible import require_token
from replay.dispute.verdicts import condition_held
from replay.dispute.what_if import judged_in, world
from replay.margin import Assembler, Question
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.entries import Entry
    from projections.liquidations import Episode
    from replay.dispute.suppositions import Supposition

Kind: TypeAlias = Literal["deposit", "price", "size", "time"]

KINDS: Final[tuple[Kind, ...]] = ("deposit", "price", "size", "time")

EARLIER_MS: Final = 600_000
"""A deposit or a trade is supposed ten minutes before the liquidation, unless told otherwise."""

MONEY_PLACES: Final = 6
"""The unit of a deposit: what the venue keeps of money on an exchange."""

PRICE_PLACES: Final = 6

SPAN: Final = 10
"""Prices are sought from a tenth to ten times the recorded one."""

PARTS: Final = 64
"""Into how many parts that range is divided at first."""

DEEPEST: Final = 24

LARGEST: Final = 10**18
"""The largest deposit tried, in units: a million million USDC."""

TRIED: Final = 8
"""How many larger values are tried, to see whether more of it does harm."""


@attrs.frozen(kw_only=True)
class Crossing:
    """A value at which the condition changes."""

    passes: Decimal
    """With this the condition does not hold."""
    fails: Decimal
    """With this, one unit away, it holds."""


@attrs.frozen(kw_only=True)
class Minimal:
    """The smallest change of one kind. **Units**: as ``unit`` says; *time* in milliseconds."""

    kind: Kind
    unit: str
    liquidation: int
    at: Millis
    """The instant the condition was judged at: just before the liquidation's first fill."""
    recorded: Decimal
    """The value as recorded; zero for a deposit and a trade."""
    crossings: tuple[Crossing, ...]
    """Nearest to the recorded value first; empty when no value in range avoids it."""
    says: str
    method: str
    tries: int
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> Table:
        """The values found, each with its certificate."""
        show = _moment if self.kind == "time" else canonical
        rows = []
        for number, each in enumerate(self.crossings):
            with exact():
                change = each.passes - self.recorded
            rows.append((
                "nearest" if number == 0 else "further",
                show(each.passes),
                show(each.fails),
                f"{canonical(change)} ms" if self.kind == "time" else canonical(change),
                self.unit,
            ))  # fmt: skip
        return Table(
            title=f"Smallest change of {self.kind} that avoids liquidation {self.liquidation}: "
            f"{self.says}",
            columns=("which", "avoids_it", "does_not", "change", "unit"),
            rows=tuple(rows),
            numbers=frozenset({"avoids_it", "does_not", "change"}),
            notes=(
                f"judged at {iso(self.at)}, the last millisecond before the liquidation",
                f"method: {self.method}; {self.tries} replays",
                *self.notes,
            ),
            empty="no value in the range avoids it",
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as text, for programs."""
        return {
            "kind": self.kind, "unit": self.unit, "liquidation": self.liquidation,
            "judged_at": iso(self.at), "recorded": canonical(self.recorded),
            "crossings": self.table.to_dicts(), "method": self.method, "replays": self.tries,
            "notes": list(self.table.notes),
        }  # fmt: skip


@attrs.define
class _Search:
    """One question: the account, the liquidation, and how often it was replayed."""

    history: AccountHistory
    position: int
    question: Question
    number: int
    at: Millis
    actual: Assembler
    """Margin of the account as recorded."""
    coins: tuple[Coin, ...]
    """What was taken."""
    tries: int = 0

    def holds(self, supposition: Supposition) -> bool:
        """Tell whether the condition holds as supposed, by a whole replay."""
        self.tries += 1
        supposed = world(self.history, supposition, position=self.position, question=self.question)
        of = supposed.assembler(self.actual)
        return self.known(judged_in(supposed, of, self.at, self.coins))

    def known(self, verdict: bool | None) -> bool:  # noqa: FBT001 - a verdict, not a switch
        """Return a verdict that must be known for a search.

        Raises: UnclearQuestion, where it is not.
        """
        if verdict is None:
            raise UnclearQuestion(
                asked=f"liquidation {self.number}",
                problem=f"cannot be judged at {iso(self.at)}: an input is missing, two rulebooks "
                f"that may hold differ, or what is tried brings payments nobody recorded",
                remedy="See what is missing with: rollforward margin ACCOUNT --at WHEN --explain",
            )
        return verdict


def minimal(
    history: AccountHistory,
    kind: Kind,
    *,
    position: int,
    question: Question = Question(),  # noqa: B008 - a frozen value
    liquidation: int | None = None,
    at: Millis | None = None,
    asset: Asset = Asset("USDC"),  # noqa: B008 - a string
    coin: Coin | None = None,
    event: Entry | None = None,
) -> Minimal:
    """Return the smallest change of a kind that avoids a liquidation; the last one unless named.

    *at* is when a deposit or a trade is supposed, ten minutes before the liquidation unless given;
    *coin* is the market of a price or a size, *event* the one to be moved in time.

    Raises: UnclearQuestion, when there is no such liquidation, its condition cannot be judged or
    did not hold as recorded, or something the kind needs is not named.
    """
    number, episode = _episode(history, position, liquidation)
    actual = Assembler(history, position, question)
    coins = tuple(coin for coin, _ in episode.closed)
    at_last = Millis(episode.first_at - 1)
    search = _Search(history, position, question, number, at_last, actual, coins)
    if not search.holds(suppose_nothing()):
        raise UnclearQuestion(
            asked=f"liquidation {number}",
            problem=f"had no cause to avoid: as recorded, the condition did not hold at "
            f"{iso(search.at)}",
            remedy="Ask why with: rollforward explain L-" + str(number),
        )
    when = Millis(episode.first_at - EARLIER_MS) if at is None else at
    if kind == "deposit":
        require_token(history, asset, position)
        return _deposit(search, when, asset)
    if kind == "time":
        return _time(search, event)
    market = coin or _largest(search)
    return _price(search, market) if kind == "price" else _size(search, when, market)


def suppose_nothing() -> Supposition:
    """Return the supposition that changes nothing."""
    return suppose.Supposition()


def _episode(history: AccountHistory, position: int, number: int | None) -> tuple[int, Episode]:
    states = history.audit.engine.states(history.stream, AsOf(position=position)).states
    found = states.state(liquidations.NAME).by_key
    wanted = max(found, default=0) if number is None else number
    if wanted not in found:
        raise UnclearQuestion(
            asked="liquidation" if number is None else f"liquidation {number}",
            problem="is not recorded for this account",
            remedy="List them with: rollforward liquidations ACCOUNT",
        )
    return wanted, found[wanted]


def _largest(search: _Search) -> Coin:
    """Return the market with the largest position just before: the one meant when none is named."""
    as_of = AsOf(effective=search.at, position=search.position)
    states = search.history.audit.engine.states(search.history.stream, as_of).states
    picture, _ = search.actual.picture(search.at, states)
    found = [
        (each.value.value, each.coin)
        for exchange in picture.exchanges
        for each in exchange.positions
        if isinstance(each.value, Input)
    ]
    if not found:
        raise UnclearQuestion(
            asked="the market", problem="is not named, and no position has a known value",
            remedy="Name it with --coin",
        )  # fmt: skip
    return max(found)[1]


# ------------------------------------------------------------------------------- by halving


def _halved(fails: Callable[[int], bool], low: int, high: int) -> int:
    """Return the smallest whole number above *low* that does not fail; *high* is known not to."""
    while high - low > 1:
        middle = (low + high) // 2
        if fails(middle):
            low = middle
        else:
            high = middle
    return high


def _deposit(search: _Search, when: Millis, asset: Asset) -> Minimal:
    stream = search.history.stream

    def fails(units: int) -> bool:
        return search.holds(suppose.deposit(stream, when, asset, unscaled(units, MONEY_PLACES)))

    high = 10**MONEY_PLACES
    while fails(high) and high < LARGEST:
        high *= 4
    found: tuple[Crossing, ...] = ()
    notes: tuple[str, ...] = ()
    if not fails(high):
        units = _halved(fails, 0, high)
        found = (_units(units, units - 1, MONEY_PLACES),)
        notes = _harm(fails, [units * 2**power for power in range(1, TRIED + 1)], "deposits")
    return Minimal(
        kind="deposit", unit=asset, liquidation=search.number, at=search.at, recorded=ZERO,
        crossings=found, says=f"{asset} paid in at {iso(when)}",
        method="halving, to a millionth", tries=search.tries, notes=notes,
    )  # fmt: skip


def _harm(fails: Callable[[int], bool], units: list[int], what: str) -> tuple[str, ...]:
    bad = [each for each in units if fails(each)]
    if not bad:
        return (f"none of {len(units)} larger {what} tried brings the condition back",)
    said = f"not every larger one of the {what} avoids it: there may be other crossings"
    return (said,)


def _units(passes: int, fails: int, count: int) -> Crossing:
    return Crossing(passes=unscaled(passes, count), fails=unscaled(fails, count))


def _size(search: _Search, when: Millis, coin: Coin) -> Minimal:
    stream = search.history.stream
    held = _held(search, when, coin)
    price = search.actual.recorded.price(coin, "mark", when)
    if held is None or price is None:
        what = "no position is known there" if held is None else "no mark to close at is recorded"
        raise UnclearQuestion(
            asked=f"a smaller position of {coin} at {iso(when)}",
            problem=f"has no answer: {what}",
            remedy="Name a market and a moment with --coin and --when",
        )
    px = price[0].px

    def fails(lots: int) -> bool:
        size = unscaled(-lots if held.lots > 0 else lots, held.places)
        return search.holds(suppose.traded(stream, when, coin, size, px, start=held.stated))

    whole = abs(held.lots)
    found: tuple[Crossing, ...] = ()
    notes: tuple[str, ...] = ()
    if not fails(whole):
        lots = _halved(fails, 0, whole)
        found = (_units(lots, lots - 1, held.places),)
        further = {lots + (whole - lots) * part // TRIED for part in range(1, TRIED)} - {lots}
        notes = _harm(fails, sorted(further), "closes")
    return Minimal(
        kind="size", unit=coin, liquidation=search.number, at=search.at, recorded=ZERO,
        crossings=found,
        says=f"{coin} closed at {iso(when)} at the mark of {canonical(px)}, without fee",
        method="halving, to a lot", tries=search.tries, notes=notes,
    )  # fmt: skip


class _Lots(NamedTuple):
    """A position in whole lots, signed."""

    lots: int
    places: int
    stated: Decimal | None
    """The size as a state shows it, where no fill is recorded that led to it."""


def _held(search: _Search, when: Millis, coin: Coin) -> _Lots | None:
    """Return the position of a market, by its fills, else by the last state that shows it."""
    engine, stream = search.history.audit.engine, search.history.stream
    states = engine.states(stream, AsOf(effective=when, position=search.position)).states
    told = states.state(positions.NAME).by_key.get(coin)
    if told is not None:
        return _Lots(told.size, told.places, None) if told.size else None
    picture, _ = search.actual.picture(when, states)
    shown = (each for side in picture.exchanges for each in side.positions if each.coin == coin)
    size = next((each.size.value for each in shown if isinstance(each.size, Input)), ZERO)
    if not size:
        return None
    count = max(search.actual.reference.size_places.get(coin, 0), places(size))
    return _Lots(scaled(size, count), count, size)


def _time(search: _Search, event: Entry | None) -> Minimal:
    if event is None:
        raise UnclearQuestion(
            asked="another time", problem="is of no event", remedy="Name it with --event"
        )
    recorded = event.event.at

    def fails(earlier: int) -> bool:
        when = Millis(recorded - earlier)
        return search.holds(suppose.moved(event, when, search.history, search.position))

    first = next(iter(search.history.audit.engine.events(search.history.stream, search.position)))
    most = recorded - first.at
    found: tuple[Crossing, ...] = ()
    if most > 0 and not fails(most):
        earlier = _halved(fails, 0, most)
        found = (
            Crossing(passes=Decimal(recorded - earlier), fails=Decimal(recorded - earlier + 1)),
        )
    return Minimal(
        kind="time", unit="moment", liquidation=search.number, at=search.at,
        recorded=Decimal(recorded), crossings=found,
        says=f"event {event.id[:12]} earlier than {iso(recorded)}",
        method="halving, to a millisecond", tries=search.tries,
    )  # fmt: skip


def _moment(value: Decimal) -> str:
    return iso(Millis(int(value)))


# ------------------------------------------------------------------------------- prices


def _price(search: _Search, coin: Coin) -> Minimal:
    of = Assembler(search.history, search.position, search.question)
    known = of.recorded.price(coin, "mark", search.at) or of.recorded.price(
        coin, "oracle", search.at
    )
    if known is None:
        raise UnclearQuestion(
            asked=f"another price of {coin}", problem="has nothing to be near: none is recorded",
            remedy="Name a market with a recorded price with --coin",
        )  # fmt: skip
    digits = PRICE_PLACES - of.reference.size_places.get(coin, 0)
    scan = _Prices(search, of, coin, max(digits, 0))
    found = scan.crossings(known[0].px)
    with exact():
        nearest = sorted(found, key=lambda each: abs(each.passes - known[0].px))
    return Minimal(
        kind="price", unit=f"USDC per {coin}", liquidation=search.number, at=search.at,
        recorded=known[0].px, crossings=tuple(nearest),
        says=f"{coin} at another price, mark, oracle and token alike",
        method=f"from {canonical(scan.low)} to {canonical(scan.high)}, divided into "
        f"{scan.parts} straight parts, each crossing halved to one step of the price grid",
        tries=scan.tries,
    )  # fmt: skip


class _Prices:
    """Verdicts along the prices of one market, everything else as recorded."""

    def __init__(self, search: _Search, of: Assembler, coin: Coin, places: int) -> None:
        self._search = search
        self._of = of
        self._asked = of.question
        self._coin = coin
        self._places = places
        self._seen: dict[int, tuple[bool, tuple[Decimal, ...]]] = {}
        self.parts = 0
        self.low = self.high = ZERO

    @property
    def tries(self) -> int:
        return len(self._seen)

    def crossings(self, px: Decimal) -> list[Crossing]:
        """Return all values at which the condition changes, in order of the price."""
        with exact():
            unit = Decimal(10) ** self._places
            low = max(int(round_down(px * unit / SPAN, 0)), 1)
            high = int(px * unit * SPAN)
        self.low, self.high = unscaled(low, self._places), unscaled(high, self._places)
        edges = sorted({
            low + (high - low) * number * number // PARTS**2 for number in range(PARTS + 1)
        })  # fmt: skip
        straight: list[tuple[int, int]] = []
        for start, stop in pairwise(edges):
            self._divide(start, stop, straight, 0)
        self.parts = len(straight)
        found = []
        for start, stop in straight:
            if self._holds(start) != self._holds(stop):
                found.append(self._between(start, stop))
        return found

    def _divide(self, start: int, stop: int, straight: list[tuple[int, int]], depth: int) -> None:
        if stop - start <= 1 or depth >= DEEPEST or self._is_straight(start, stop):
            straight.append((start, stop))
            return
        middle = (start + stop) // 2
        self._divide(start, middle, straight, depth + 1)
        self._divide(middle, stop, straight, depth + 1)

    def _is_straight(self, start: int, stop: int) -> bool:
        """Tell whether all verdicts run straight between two prices, seen at three points."""
        one, other = self._at(start)[1], self._at(stop)[1]
        if len(one) != len(other):
            return False
        for part in (1, 2, 3):
            middle = start + (stop - start) * part // 4
            values = self._at(middle)[1]
            if len(values) != len(one):
                return False
            with exact():
                for left, value, right in zip(one, values, other, strict=True):
                    off = (value - left) * (stop - start) - (right - left) * (middle - start)
                    if abs(off) > _SMALL * (stop - start):
                        return False
        return True

    def _between(self, start: int, stop: int) -> Crossing:
        holds = self._holds(start)
        while stop - start > 1:
            middle = (start + stop) // 2
            if self._holds(middle) == holds:
                start = middle
            else:
                stop = middle
        passes, fails = (stop, start) if holds else (start, stop)
        return _units(passes, fails, self._places)

    def _holds(self, units: int) -> bool:
        return self._at(units)[0]

    def _at(self, units: int) -> tuple[bool, tuple[Decimal, ...]]:
        """Return whether the condition holds at a price, and by how much each part of it fails."""
        if units not in self._seen:
            supposed = suppose.price(self._coin, unscaled(units, self._places))
            self._of.question = supposed.question(self._asked)
            margin = self._of.at(self._search.at).margin
            verdict = condition_held(margin, self._search.coins)
            values = tuple(
                each.figure.value
                for judgement in margin.judgements
                for each in judgement.verdicts
                if each.figure.value is not None
            )
            self._seen[units] = (self._search.known(verdict), values)
        return self._seen[units]


_SMALL: Final = EXACT.lit("1e-12")
"""A bend smaller than this is none: values come of divisions cut after twenty places."""
