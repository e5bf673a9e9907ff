"""Orders: how much the unknown order inside one instant leaves open.

Events and prices of one millisecond have no recorded order except where a record shows one: rows
of one answer, a recorded order, sizes of fills that continue each other. Every order that keeps
to those is *admissible*. What an account's margin is just before an event of the instant depends
only on what came before it, not on the order among that; so it is enough to go through the sets
that can have come before (the down-closed sets), and the range over all admissible orders is
exact. Where there are more than ``SETS_MAX`` of them a bound is given instead: the highest
requirement and the lowest value that any mixture of the instant's sizes, money and prices could
have, each taken alone. It holds for every order, and may be wider than the truth.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger import events as ev
from ledger.codec import decode, event_id
from ledger.errors import UnknownKind
from ledger.events import Event
from ledger.money import ZERO, exact
from ledger.timeline import LITERAL
from ledger.units import Coin, Millis
from projections import positions
from projections.arithmetic import EXACT
from projections.chart import SPOT
from projections.margin import Input, Picture, Unknown
from projections.margin import judge as judge_margin
from projections.margin.picture import SINGLE_BALANCE, Position
from projections.margin.rebuilt import dex_of
from projections.postings import moves
from replay.dispute.mixing import Change, Figures, Mix, folded, judged, mix_at, price_changes, put
from replay.dispute.mixing import said as parts_of
from replay.margin_report import shown
from replay.margin_timeline import figures_by_token
from replay.moments import iso
from replay.tables import Table
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replay.margin import Assembler

SETS_MAX: Final = 4096

BOUND: Final = (
    "bound: largest sizes at the highest prices for the requirement, least money and worst prices "
    "for the value"
)


@attrs.frozen(kw_only=True)
class Item:
    """Something of the instant that can come before or after something else."""

    what: str
    change: Change
    event: Event | None
    """The account's event; None for a price."""


@attrs.frozen(kw_only=True)
class Instant:
    """The things of one instant, and which of them are known to come before which."""

    at: Millis
    start: Mix
    items: tuple[Item, ...]
    before: tuple[frozenset[int], ...]
    """For each item, the numbers of those that came before it for certain."""

    def next_to(self, done: frozenset[int]) -> list[int]:
        """Return what can come next after a set."""
        return [
            number
            for number, needed in enumerate(self.before)
            if number not in done and needed <= done
        ]

    def mixed(self, done: frozenset[int]) -> Mix:
        """Return the mix with a set applied, in the order the book tells the events."""
        mix = self.start
        for number, item in enumerate(self.items):
            if number in done:
                mix = item.change.apply(mix)
        return mix


@attrs.frozen(kw_only=True)
class Range:
    """The ratio over all admissible orders."""

    at: Millis
    what: str
    """Just before which event, or ``at any time of the instant``."""
    lowest: Decimal
    highest: Decimal | None
    """None where nothing above zero may stand against the requirement."""
    method: str
    sets: int
    is_exact: bool

    @property
    def table(self) -> Table:
        """One line with the range and its method."""
        high = "without limit" if self.highest is None else shown(self.highest)
        return Table(
            title=f"Order inside {iso(self.at)}",
            columns=("when", "lowest_ratio", "highest_ratio", "sets", "method"),
            rows=((self.what, shown(self.lowest), high, str(self.sets), self.method),),
            numbers=frozenset({"lowest_ratio", "highest_ratio", "sets"}),
        )


def instant(of: Assembler, at: Millis) -> Instant:
    """Return what happened in one millisecond of an account, and what is known of its order.

    Raises: UnclearQuestion, NotInForce, where margin just before has no answer.
    """
    start = mix_at(of, Millis(at - 1))
    then = mix_at(of, at)
    placed = [(place, event) for place, event in _placed(of, at) if _counts(event, of)]
    items = [_of_event(of, event) for _, event in placed]
    after = _certain(of, placed)
    changes = price_changes(start.made, attrs.evolve(then.made, states=then.made.states))
    items += [Item(what=change.name, change=change, event=None) for change in changes]
    before = [frozenset(after.get(number, ())) for number in range(len(items))]
    begin = Mix(
        made=attrs.evolve(
            then.made, states=start.made.states, prices=start.made.prices,
            reserves=start.made.reserves, settings=start.made.settings,
        ),
        book=then.book,
    )  # fmt: skip
    return Instant(at=at, start=begin, items=tuple(items), before=tuple(before))


def ratio_range(
    of: Assembler, found: Instant, target: int | None = None, *, sets_max: int = SETS_MAX
) -> Range:
    """Return the range of the ratio just before an item, or at any time of the instant.

    Raises: UnclearQuestion, where margin is unknown in one of the orders.
    """
    what = "at any time of the instant"
    if target is not None:
        what = f"just before {found.items[target].what}"
    sets = sets_before(found, target, sets_max=sets_max)
    if sets is None:
        return _bound(of, found, what)
    ratios = [_ratio(judged(of, found.mixed(done))) for done in sets]
    known = [each for each in ratios if each is not None]
    return Range(
        at=found.at,
        what=what,
        lowest=min(known, default=ZERO),
        highest=None if len(known) < len(ratios) else max(known, default=ZERO),
        method="exact: all sets that admissible orders lead through",
        sets=len(ratios),
        is_exact=True,
    )


def sets_before(
    found: Instant, target: int | None = None, *, sets_max: int = SETS_MAX
) -> list[frozenset[int]] | None:
    """Return the sets that can have come before an item, or all; None where there are too many."""
    sets = list(_sets(found, sets_max + 1))
    if len(sets) > sets_max:
        return None
    return [done for done in sets if target is None or target in found.next_to(done)]


def _ratio(figures: Figures) -> Decimal | None:
    return figures.ratio if figures.value > ZERO else None


def _sets(found: Instant, most: int) -> Iterator[frozenset[int]]:
    """Yield the down-closed sets, no more than *most*."""
    seen: set[frozenset[int]] = {frozenset()}
    waiting: list[frozenset[int]] = [frozenset()]
    count = 0
    while waiting and count < most:
        done = waiting.pop()
        yield done
        count += 1
        for number in found.next_to(done):
            larger = done | {number}
            if larger not in seen:
                seen.add(larger)
                waiting.append(larger)


def orders(found: Instant) -> Iterator[tuple[int, ...]]:
    """Yield every admissible order: for small instants, and for whoever wants to count by hand."""

    def go(done: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(done) == len(found.items):
            yield done
        for number in found.next_to(frozenset(done)):
            yield from go((*done, number))

    yield from go(())


# ------------------------------------------------------------------------- what is known


def _placed(of: Assembler, at: Millis) -> list[tuple[tuple[int, int], Event]]:
    """Return the account's events of a millisecond, each with its batch and row, in order."""
    engine, stream = of.engine, of.history.stream
    course = engine.course(stream, of.position)
    found: list[tuple[tuple[int, int], Event]] = []
    for version, row, count in course.pieces():
        if version == LITERAL:
            lines: Sequence[bytes] = (course.literals[row].line,)
        else:
            lines = engine.batch(stream, version).lines[row : row + count]
        marked = b'"at":%d,' % at
        found += [
            ((version, row + number), decode(line))
            for number, line in enumerate(lines)
            if marked in line
        ]
    return [(place, event) for place, event in found if event.at == at]


def _counts(event: Event, of: Assembler) -> bool:
    """Tell whether an event changes what the account has."""
    try:
        return bool(moves(event, of.reference))
    except UnknownKind:
        return False


def _of_event(of: Assembler, event: Event) -> Item:
    parts = [part for _, part in parts_of(event)]

    def apply(mix: Mix) -> Mix:
        return put(mix, states=folded(of, mix.made.states, parts))

    what = described(event)
    return Item(what=what, change=Change(name=what, apply=apply), event=event)


def _certain(of: Assembler, placed: Sequence[tuple[tuple[int, int], Event]]) -> dict[int, set[int]]:
    """Return which events of a millisecond came after which for certain, transitively."""
    numbers: dict[str, int] = {event_id(event): number for number, (_, event) in enumerate(placed)}
    after: dict[int, set[int]] = {number: set() for number in range(len(placed))}
    by_batch: dict[int, list[tuple[int, int]]] = {}
    for number, ((version, row), _) in enumerate(placed):
        if version != LITERAL:
            by_batch.setdefault(version, []).append((row, number))
    chains = [[number for _, number in sorted(rows)] for rows in by_batch.values()]
    chains += [
        [numbers[each] for each in order if each in numbers] for order in _recorded_orders(of)
    ]
    chains += _continued([event for _, event in placed])
    for chain in chains:
        for place, number in enumerate(chain):
            after[number] |= set(chain[:place])
    for _ in placed:  # what comes before what came before
        for number, needed in after.items():
            after[number] = needed.union(*(after[each] for each in needed))
    return {number: needed - {number} for number, needed in after.items()}


def _recorded_orders(of: Assembler) -> Iterator[tuple[str, ...]]:
    engine, stream = of.engine, of.history.stream
    for header in engine.headers(stream, of.position):
        if header.irregular:
            for line in engine.batch(stream, header.version).lines:
                if line.startswith(b'{"@":"ordered/'):
                    event = decode(line)
                    if isinstance(event, ev.Ordered):
                        yield event.events


def _continued(events: Sequence[Event]) -> list[list[int]]:
    """Return fills whose stated sizes continue one another: that is an order that was recorded."""
    chains = []
    with exact():
        ends: dict[tuple[Coin, Decimal], list[int]] = {}
        for number, event in enumerate(events):
            if isinstance(event, ev.Filled) and event.start_position is not None:
                signed = event.sz if event.side == "B" else -event.sz
                ends.setdefault((event.coin, event.start_position + signed), []).append(number)
        for number, event in enumerate(events):
            if isinstance(event, ev.Filled) and event.start_position is not None:
                found = ends.get((event.coin, event.start_position), [])
                if len(found) == 1 and found[0] != number:
                    chains.append([found[0], number])
    return chains


# ------------------------------------------------------------------------- a sound bound


@attrs.frozen(kw_only=True)
class _Spans:
    """Least and most of every input that the instant changes, whatever the order."""

    positions: dict[Coin, Position]
    """One position of every market that any order shows."""
    sizes: dict[Coin, tuple[Decimal, Decimal]]
    marks: dict[Coin, tuple[Decimal, Decimal]]
    money: dict[str, tuple[Decimal, Decimal]]
    """What came to an exchange, by its name."""
    hands: dict[str, tuple[Decimal, Decimal]]
    """What came to a token at hand."""
    prices: dict[str, tuple[Decimal, Decimal]]
    """Oracle prices of tokens."""


def _bound(of: Assembler, found: Instant, what: str) -> Range:
    """Return a range that holds for every order, from the extremes of each input alone."""
    everything = frozenset(range(len(found.items)))
    sets = [frozenset[int](), everything]
    sets += [found.before[number] | {number} for number in everything]
    pictures = [of.picture_of(found.mixed(done).made) for done in sets]
    spans = _spans(of, found, pictures)
    base = _with_all_exchanges(pictures)
    worst, best = (_extreme(of, found, base, spans, is_bad=bad) for bad in (True, False))
    highest: list[Decimal] = []
    is_limited = True
    lowest = ZERO
    with exact():
        for key, need in worst[0].items():
            value = worst[1].get(key, ZERO)
            if value > ZERO:
                highest.append(EXACT.ratio(need, value))
            elif need > ZERO:
                is_limited = False
        for key, need in best[0].items():
            value = best[1].get(key, ZERO)
            if value > ZERO:
                lowest = max(lowest, EXACT.ratio(need, value))
    high = max(highest, default=ZERO) if is_limited else None
    low = lowest
    return Range(
        at=found.at, what=what, lowest=low, highest=high, method=BOUND, sets=len(found.items),
        is_exact=False,
    )  # fmt: skip


def _with_all_exchanges(pictures: Sequence[Picture]) -> Picture:
    """Return the first picture with every exchange that any order shows, empty where it is new."""
    known = {side.dex: side for picture in reversed(pictures) for side in picture.exchanges}
    own = {side.dex: side for side in pictures[0].exchanges}
    nothing = Input(ZERO, "bound", pictures[0].at)
    sides = tuple(
        own.get(dex) or attrs.evolve(side, positions=(), raw=nothing)
        for dex, side in sorted(known.items())
    )
    return attrs.evolve(pictures[0], exchanges=sides)


def _spans(of: Assembler, found: Instant, pictures: Sequence[Picture]) -> _Spans:
    shown_positions: dict[Coin, Position] = {}
    marks: dict[Coin, list[Decimal]] = {}
    prices: dict[str, list[Decimal]] = {}
    for picture in pictures:
        for side in picture.exchanges:
            for each in side.positions:
                shown_positions.setdefault(each.coin, each)
                if isinstance(each.mark, Input):
                    marks.setdefault(each.coin, []).append(each.mark.value)
        for token in picture.tokens:
            if isinstance(token.price, Input):
                prices.setdefault(token.asset, []).append(token.price.value)
    deltas: dict[str, dict[str, list[Decimal]]] = {"size": {}, "money": {}, "hand": {}}
    with exact():
        for item in found.items:
            if item.event is not None:
                _gather(of, item.event, deltas)
        held = found.start.made.states.state(positions.NAME).by_key
        starts = {
            side_position.coin: side_position.size.value
            for side in pictures[0].exchanges
            for side_position in side.positions
            if isinstance(side_position.size, Input)
        }
        starts |= {coin: positions.stated_size(held[coin]) for coin in starts if coin in held}
        sizes = {
            coin: _span(starts.get(coin, ZERO), deltas["size"].get(coin, []))
            for coin in shown_positions
        }
    return _Spans(
        positions=shown_positions,
        sizes=sizes,
        marks={coin: (min(each), max(each)) for coin, each in marks.items()},
        money={dex: _span(ZERO, each) for dex, each in deltas["money"].items()},
        hands={asset: _span(ZERO, each) for asset, each in deltas["hand"].items()},
        prices={asset: (min(each), max(each)) for asset, each in prices.items()},
    )


def _gather(of: Assembler, event: Event, deltas: dict[str, dict[str, list[Decimal]]]) -> None:
    """Add what an event moves to the changes of sizes, of exchange money and of tokens at hand."""
    for target, source, asset, amount in moves(event, of.reference):
        for place, signed in ((target, amount), (source, -amount)):
            if place.startswith("perp:"):
                deltas["money"].setdefault(place.removeprefix("perp:"), []).append(signed)
            elif place == SPOT:
                deltas["hand"].setdefault(asset, []).append(signed)
    if isinstance(event, ev.Filled):
        signed = event.sz if event.side == "B" else -event.sz
        deltas["size"].setdefault(event.coin, []).append(signed)


def _span(start: Decimal, deltas: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    low = sum((each for each in deltas if each < 0), start)
    high = sum((each for each in deltas if each > 0), start)
    return low, high


_PerToken: TypeAlias = dict[str, Decimal]


def _extreme(
    of: Assembler, found: Instant, base: Picture, spans: _Spans, *, is_bad: bool
) -> tuple[_PerToken, _PerToken]:
    """Return requirements and values, each at its own extreme, by token or exchange."""
    told: list[_PerToken] = []
    for for_need in (True, False):
        with exact():
            picture = _with(base, spans, for_need=for_need, is_bad=is_bad)
        margin = judge_margin(picture, (found.start.book,), readings=of.question.readings,
                              workings=False, alternatives=False,
                              calendar=of.question.calendar)  # fmt: skip
        needs, values = figures_by_token(margin.judgements[0])
        told.append(needs if for_need else values)
    return told[0], told[1]


def _with(base: Picture, spans: _Spans, *, for_need: bool, is_bad: bool) -> Picture:
    """Return the picture with every input at the end of its span that is asked for."""
    least = min if is_bad else max
    gained: dict[str, Decimal] = {}
    sides = []
    for side in base.exchanges:
        money = least(spans.money.get(side.dex, (ZERO, ZERO)))
        change = money
        kept = []
        for coin, position in spans.positions.items():
            if dex_of(coin) != side.dex:
                continue
            size, mark = _corner(spans, coin, for_need=for_need, is_bad=is_bad)
            own = next((each for each in side.positions if each.coin == coin), None)
            if own is not None and isinstance(own.size, Input) and isinstance(own.mark, Input):
                change -= own.size.value * own.mark.value
            change += size * mark
            value = _told(abs(size) * mark, base)
            told_size, told_mark = _told(size, base), _told(mark, base)
            kept.append(attrs.evolve(position, size=told_size, mark=told_mark, value=value))
        raw = side.raw
        if isinstance(raw, Input):
            raw = _told(raw.value + money, base)
        gained[side.collateral] = gained.get(side.collateral, ZERO) + change
        side_now = attrs.evolve(side, positions=tuple(kept), raw=raw)
        sides.append(attrs.evolve(side_now, reported_value=Unknown("recorded account value")))
    tokens = []
    for token in base.tokens:
        total, price = token.total, token.price
        if isinstance(total, Input):
            change = least(spans.hands.get(token.asset, (ZERO, ZERO)))
            if base.mode in SINGLE_BALANCE:
                change += gained.get(token.asset, ZERO)
            total = _told(total.value + change, base)
        if isinstance(price, Input):
            ends = spans.prices.get(token.asset, (price.value, price.value))
            is_owed = isinstance(total, Input) and total.value < ZERO
            is_high = is_bad if for_need else is_bad == is_owed
            price = _told(ends[1] if is_high else ends[0], base)
        tokens.append(attrs.evolve(token, total=total, price=price))
    return attrs.evolve(base, exchanges=tuple(sides), tokens=tuple(tokens))


def _corner(spans: _Spans, coin: Coin, *, for_need: bool, is_bad: bool) -> tuple[Decimal, Decimal]:
    """Return the size and the mark that make the requirement, or the value, extreme."""
    ends, marks = spans.sizes[coin], spans.marks.get(coin, (ZERO, ZERO))
    if not for_need:
        corners = [(size * mark, size, mark) for size in ends for mark in marks]
        _, size, mark = min(corners) if is_bad else max(corners)
        return size, mark
    if is_bad:
        return max(ends, key=abs), marks[1]
    straddles = ends[0] < ZERO < ends[1]
    return (ZERO if straddles else min(ends, key=abs)), marks[0]


def _told(value: Decimal, base: Picture) -> Input:
    return Input(value, "bound", base.at)
