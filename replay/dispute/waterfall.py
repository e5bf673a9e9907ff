"""Waterfall: what moved an account's margin from one instant to another, cause by cause.

The way is walked moment by moment: every event of the account, every recorded price and reserve
state, every change of the rules. What changed at one moment is shared out symmetrically
(``projections.waterfall``). Interest runs between moments and is told as a cause of its own. What
no record explains (the venue's own state taken as the basis from then on) is told by that name.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import attrs

from ledger import events as ev
from ledger.errors import UnclearQuestion
from ledger.money import ZERO, canonical, exact
from ledger.units import Asset, Coin, Millis
from projections.fold import Folding
from projections.margin import judge
from projections.margin.rebuilt import UNDERLYING
from projections.postings import is_perp
from projections.prices import State as PriceState
from projections.rulebooks.base import Rulebook
from projections.waterfall import rounded, shares
from replay.margin import Ingredients
from replay.margin_report import shown
from replay.margin_timeline import coins_of, moving_figures
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.events import Event
    from projections.fold import States
    from replay.margin import Assembler

FIGURES: Final = ("ratio", "requirement", "value")
"""What is explained: the ratio that decides, the requirement, and what stands against it."""

ROUNDING: Final = "rounding of shares"

BASIS: Final = "not in any record: the venue's own state taken as the basis"

SYMMETRIC: Final = (
    "causes of one moment share its change symmetrically, over all their orders; the parts sum to "
    "the change to the last digit"
)

MOMENTS_MAX: Final = 20_000


class Figures(NamedTuple):
    """The three figures at one point of the way. **Units**: amounts in the deciding token."""

    ratio: Decimal
    requirement: Decimal
    value: Decimal


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
            notes=(SYMMETRIC,),
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
    for at in moments:
        walk.step(at)
    after = walk.figures
    return Waterfall(
        since=since, until=until, before=before, after=after, parts=tuple(walk.parts),
        causes=_causes(walk.parts, before, after),
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
    found |= {book.effective_from for book in of.question.calendar
              if since < book.effective_from <= until}  # fmt: skip
    if len(found) > MOMENTS_MAX:
        raise UnclearQuestion(
            asked=f"{iso(since)} to {iso(until)}",
            problem=f"holds {len(found)} moments, more than {MOMENTS_MAX}",
            remedy="Ask for a shorter way",
        )
    return [Millis(at) for at in sorted(found)]


# ------------------------------------------------------------------------- one moment


@attrs.frozen(kw_only=True)
class _Mix:
    """Ingredients on the way from one moment to the next, some causes applied."""

    made: Ingredients
    book: Rulebook


@attrs.frozen(kw_only=True)
class _Change:
    """One cause at a moment: how it changes what is mixed."""

    name: str
    apply: Callable[[_Mix], _Mix]


class _Way:
    """The walk from moment to moment."""

    def __init__(self, of: Assembler, since: Millis) -> None:
        self._of = of
        self._now, self._book = self._at(since, of.states(since))
        self._events = [
            event for event in of.engine.events(of.history.stream, of.position) if event.at > since
        ]
        self.parts: list[Part] = []
        self.figures = self._judged(_Mix(made=self._now, book=self._book))

    def _at(self, at: Millis, states: States) -> tuple[Ingredients, Rulebook]:
        made = self._of.ingredients(at, states)
        asked = self._of.question
        picture = self._of.picture_of(made)
        if picture.mode is None:
            raise UnclearQuestion(
                asked=f"margin at {iso(at)}", problem="has no answer: no mode is recorded by then",
                remedy="Name the mode with --mode",
            )  # fmt: skip
        margin = judge(picture, asked.rulebooks(), readings=asked.readings, workings=False,
                       alternatives=False, calendar=asked.calendar)  # fmt: skip
        name = margin.judgements[0].rulebook
        return made, next(book for book in asked.calendar if book.id == name)

    def step(self, at: Millis) -> None:
        """Go on to the next moment."""
        coming: list[Event] = []
        while self._events and self._events[0].at <= at:
            coming.append(self._events.pop(0))
        states = self._folded(self._now.states, coming)
        then, book = self._at(at, states)
        changes = self._changes(then, book, coming)
        start = _Mix(made=attrs.evolve(self._now, at=at), book=self._book)
        known: dict[frozenset[int], Figures] = {}

        def value(chosen: frozenset[int]) -> Figures:
            if chosen not in known:
                mixed = start
                for number, change in enumerate(changes):
                    if number in chosen:
                        mixed = change.apply(mixed)
                known[chosen] = self._judged(mixed)
            return known[chosen]

        after = self._judged(_Mix(made=then, book=book))
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
        self._now, self._book, self.figures = then, book, after

    def _folded(self, states: States, events: Sequence[Event]) -> States:
        if not events:
            return states
        with exact():
            folding = Folding(self._of.reference, states)
            folding.run(events)
            return folding.states()

    def _judged(self, mixed: _Mix) -> Figures:
        picture = self._of.picture_of(mixed.made)
        margin = judge(picture, (mixed.book,), readings=self._of.question.readings,
                       workings=False, alternatives=False,
                       calendar=self._of.question.calendar)  # fmt: skip
        found = moving_figures(margin.judgements[0])
        if None in found:
            missing = ", ".join(margin.judgements[0].missing) or "an input"
            raise UnclearQuestion(
                asked=f"margin at {iso(picture.at)}", problem=f"is unknown for want of: {missing}",
                remedy="Import what is missing, or ask for a way that begins later",
            )  # fmt: skip
        return Figures(*(each for each in found if each is not None))

    # ----------------------------------------------------------- the causes of a moment

    def _changes(self, then: Ingredients, book: Rulebook, coming: list[Event]) -> list[_Change]:
        """Return what changes at a moment, each as something that can be applied alone."""
        now = self._now
        found = [*_price_changes(now, then), *self._event_changes(coming)]
        if _loans(now) != _loans(then):
            word = "interest"
            if any(isinstance(event, ev.ReserveOperated) for event in coming):
                word = "lending operations"
            loans = then.loans
            found.append(_Change(name=word, apply=lambda mix: _put(mix, loans=loans)))
        if book.id != self._book.id:
            found.append(
                _Change(name=f"rule: {book.id}", apply=lambda mix: attrs.evolve(mix, book=book))
            )
        if now.mode != then.mode:
            found.append(
                _Change(name=f"mode: {then.mode}", apply=lambda mix: _put(mix, mode=then.mode))
            )
        if now.tables != then.tables:
            found.append(
                _Change(name="margin tables", apply=lambda mix: _put(mix, tables=then.tables))
            )
        if now.settings != then.settings:
            found.append(
                _Change(name="leverage chosen", apply=lambda mix: _put(mix, settings=then.settings))
            )
        if now.anchor != then.anchor or now.is_complete != then.is_complete:
            found.append(
                _Change(
                    name=BASIS,
                    apply=lambda mix: _put(
                        mix, anchor=then.anchor, basis=then.basis, is_complete=then.is_complete
                    ),
                )
            )
        return found

    def _event_changes(self, coming: list[Event]) -> list[_Change]:
        """Return the account's events of a moment by what they are, fees apart from fills."""
        groups: dict[str, list[Event]] = {}
        for event in coming:
            for name, part in _said(event):
                groups.setdefault(name, []).append(part)

        def applied(events: list[Event]) -> Callable[[_Mix], _Mix]:
            return lambda mix: _put(mix, states=self._folded(mix.made.states, events))

        return [_Change(name=name, apply=applied(events)) for name, events in groups.items()]


def _put(mix: _Mix, **changed: object) -> _Mix:
    return attrs.evolve(mix, made=attrs.evolve(mix.made, **changed))  # type: ignore[arg-type]


def _loans(made: Ingredients) -> object:
    if made.loans is None:
        return None
    return {key: (loan.basis, loan.best) for key, loan in made.loans.items()}


def _said(event: Event) -> list[tuple[str, Event]]:
    """Return what an event is called, and for a fill with a fee of its exchange, the two apart."""
    if isinstance(event, ev.Filled):
        word = "liquidation fills" if event.liquidated_user is not None else "fills"
        # What the venue stated of sizes holds only when everything else of the moment is there.
        bare = attrs.evolve(event, start_position=None)
        if not event.fee or not is_perp(event.coin):
            return [(f"{word} {event.coin}", bare)]
        fee = ev.FundingPaid(
            stream=event.stream, at=event.at, coin=event.coin, usdc=-event.fee, size=ZERO,
            rate=ZERO, samples=None, tx_hash=None,
        )  # fmt: skip
        free = attrs.evolve(bare, fee=ZERO)
        return [(f"{word} {event.coin}", free), ("fees", fee)]
    name = {
        ev.FundingPaid: "funding",
        ev.InterestAccrued: "interest",
        ev.ReserveOperated: "lending operations",
        ev.Deposited: "deposits",
        ev.Withdrawn: "withdrawals",
    }.get(type(event), "transfers")
    if isinstance(event, ev.FundingPaid):
        name = f"funding {event.coin}"
    return [(name, event)]


def _price_changes(now: Ingredients, then: Ingredients) -> list[_Change]:
    """Return the prices and loans to value that differ, by market; a token goes with its market."""
    changed: dict[str, tuple[set[Coin], set[Asset]]] = {}
    for key, price in then.prices.by_key.items():
        before = now.prices.by_key.get(key)
        if before is None or before.px != price.px:
            changed.setdefault(str(key[0]), (set(), set()))[0].add(key[0])
    ltvs: list[Asset] = []
    for asset, pool in then.reserves.items():
        known = now.reserves.get(asset)
        if known is None or known.oracle_px != pool.oracle_px:
            name = str(UNDERLYING.get(asset, asset))
            changed.setdefault(name, (set(), set()))[1].add(asset)
        if known is not None and known.ltv != pool.ltv:
            ltvs.append(asset)
    found = [
        _Change(name=f"price {name}", apply=_price_change(then, coins, assets))
        for name, (coins, assets) in sorted(changed.items())
        if _matters(then, name, coins, assets)
    ]
    return found + [
        _Change(name=f"loan to value of {asset}", apply=_ltv_change(then, asset)) for asset in ltvs
    ]


def _matters(then: Ingredients, name: str, coins: set[Coin], assets: set[Asset]) -> bool:
    """Tell whether the account's margin can hang on a price: it has, or had, a part in it."""
    held = then.states.state("positions").by_key
    tokens = {asset for asset, coin in UNDERLYING.items() if str(coin) == name} | assets
    if then.anchor is not None:
        picture = then.anchor.picture
        if any(str(each.coin) in {str(coin) for coin in coins}
               for side in picture.exchanges for each in side.positions):  # fmt: skip
            return True
        if any(picture.token(asset) is not None for asset in tokens):
            return True
    return (
        any(str(coin) in held for coin in coins)
        or any(f"spot:{asset}" in held for asset in tokens)
        or bool(assets)
    )


def _price_change(
    then: Ingredients, coins: set[Coin], assets: set[Asset]
) -> Callable[[_Mix], _Mix]:
    def apply(mix: _Mix) -> _Mix:
        prices = dict(mix.made.prices.by_key)
        prices |= {key: each for key, each in then.prices.by_key.items() if key[0] in coins}
        reserves = dict(mix.made.reserves)
        for asset in assets:
            known = reserves.get(asset, then.reserves[asset])
            reserves[asset] = attrs.evolve(
                known, oracle_px=then.reserves[asset].oracle_px, at=then.reserves[asset].at
            )
        return _put(mix, prices=PriceState(prices), reserves=reserves)

    return apply


def _ltv_change(then: Ingredients, asset: Asset) -> Callable[[_Mix], _Mix]:
    def apply(mix: _Mix) -> _Mix:
        known = mix.made.reserves.get(asset)
        if known is None:
            return mix
        reserves = {**mix.made.reserves, asset: attrs.evolve(known, ltv=then.reserves[asset].ltv)}
        return _put(mix, reserves=reserves)

    return apply
