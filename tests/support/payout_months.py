"""A venue that pays interest by the hour, for a month, in one of many ways, and goes wrong in it.

Balances are log-uniform from 1 to 10^8, rates move or stand, operations come at random; every
account is paid by a convention of its own, rounded in a way of its own, on a balance that runs on
unrounded or on what was credited. Then things go wrong, each of them written down with what an
independent enumeration makes of it. Nothing is imported from the product.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from tests.support.payout_rules import (
    GROWTHS,
    HOUR_MS,
    RATE,
    READINGS,
    ROUNDING_MODES,
    RULE,
    SCALE,
    UNIT,
    Piece,
    Way,
    could_be,
    hour,
    printed,
)

BEGIN = 1_785_542_400_000
"""2026-08-01T00:00Z."""
LEAD = 3
"""Hours simulated before the period."""
TOKENS = {"USDC": 0, "HYPE": 150, "UBTC": 197, "USDT0": 268}
SLIPS = (
    "missing", "doubled", "late", "wrong side", "wrong token", "wrong amount", "convention",
    "rounding",
)  # fmt: skip
TOLERATED = 1
"""Units of the eighth place that a payout may be off."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """A payout of one side as the venue prints it."""

    at: int
    key: Key
    units: int


@dataclass
class Slip:
    """One thing that went wrong, and what can be made of it by enumeration."""

    kind: str
    """What was done."""
    told: str
    """What a reader of the rows must find; empty where nothing can be seen."""
    fits: tuple[str, ...] = ()
    """Every convention that gives the amount paid."""
    done: str = ""
    """The convention it was paid by, where it was one."""


@dataclass
class Side:
    """One token and side: what stands, hour by hour, and how it is paid."""

    key: Key
    way: Way
    value: int
    rate: int
    unrounded: bool
    basis: int = 0
    pieces: dict[int, list[Piece]] = field(default_factory=dict)
    starts: dict[int, tuple[int, int]] = field(default_factory=dict)
    paid: dict[int, int] = field(default_factory=dict)
    slips: dict[int, Slip] = field(default_factory=dict)
    shifts: dict[int, int] = field(default_factory=dict)
    """What the balance took over beyond what was due, hour by hour."""


@dataclass
class Month:
    """A simulated month of one account."""

    seed: int
    hours: int = 744
    breaks: int = 0
    rows: list[Row] = field(default_factory=list)
    operations: list[tuple[int, Key, str, int]] = field(default_factory=list)
    states: list[tuple[int, dict[Key, tuple[int, int]]]] = field(default_factory=list)
    rates: list[tuple[int, str, int | None, int | None]] = field(default_factory=list)
    sides: dict[Key, Side] = field(default_factory=dict)
    unrated: set[tuple[Key, int]] = field(default_factory=set)
    unfounded: set[tuple[Key, int]] = field(default_factory=set)
    """Hours whose rate, and whose basis, nobody recorded."""
    astray: set[tuple[Key, int]] = field(default_factory=set)
    """Hours in which a payout of another side lies."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.late_state = self.breaks > 0 and self.chance.random() < 0.15
        self._found()
        self._rates()
        self._operations()
        self._live()
        self.rows.sort(key=lambda row: row.at)

    # ------------------------------------------------------------ what there is

    def end_of(self, number: int) -> int:
        """Return the end of an hour; hour 0 is the first of the period."""
        return BEGIN + (number + 1) * HOUR_MS

    def _found(self) -> None:
        chance = self.chance
        keys = [(token, side) for token in TOKENS for side in ("supply", "borrow")]
        for key in chance.sample(keys, chance.choice((1, 2, 2, 3))):
            way = self._way()
            value = round(10 ** chance.uniform(0, 8) * 10**8) * UNIT
            rate = round(10 ** chance.uniform(-3, -0.3) * RATE)
            # a payout that is rounded to nothing is no row: such an account shows no convention
            while way.places < 8 and value * rate // (RATE * 8760) < 5 * UNIT * 10 ** (
                8 - way.places
            ):
                value *= 10
            self.sides[key] = Side(
                key, way, value, rate, unrounded=bool(way.cut) or chance.random() < 0.5,
                basis=value * chance.randrange(99_000, 100_001) // 100_000 // UNIT * UNIT,
            )  # fmt: skip

    def _way(self) -> Way:
        """Return how an account is paid: by rule four times of ten."""
        draw = self.chance.random()
        if draw < 0.4:
            return RULE
        if draw < 0.75:
            return self.chance.choice(READINGS[1:])
        if draw < 0.9:
            return Way(mode=self.chance.choice(ROUNDING_MODES), places=self.chance.choice((6, 7)))
        return Way(cut=self.chance.choice((-1, 1)))

    def _rates(self) -> None:
        """Let rates stand, step now and then, or move every hour; each state is recorded."""
        chance = self.chance
        for token in sorted({key[0] for key in self.sides}):
            own = {side: self.sides.get((token, side)) for side in ("supply", "borrow")}
            now = {side: each.rate if each else None for side, each in own.items()}
            moves = chance.choice((0.0, 0.02, 1.0, 1.6))
            number = -LEAD
            while number <= self.hours + 1:
                gap = self.breaks > 0 and 0 < number < self.hours - 12 and chance.random() < 0.003
                dark = chance.randrange(2, 6) if gap else 0
                for hour_number in range(number, number + max(1, dark)):
                    begin = self.end_of(hour_number) - HOUR_MS
                    cuts = sorted(
                        chance.sample(range(1, HOUR_MS), 0 if dark else self._count(moves))
                    )
                    if cuts and chance.random() < 0.5:
                        cuts[0] = 0
                    self._hour_of_rates(token, own, now, hour_number, begin, cuts, dark > 0)
                number += max(1, dark)

    def _count(self, moves: float) -> int:
        return int(moves) + (self.chance.random() < moves % 1)

    def _hour_of_rates(self, token, own, now, number, begin, cuts, is_dark) -> None:
        edges = sorted({0, *cuts})
        for place, offset in enumerate(edges):
            if offset in cuts:
                for side, rate in now.items():
                    if rate is not None:
                        now[side] = max(1, rate * self.chance.randrange(9_800, 10_201) // 10_000)
            if not is_dark:
                self.rates.append((begin + offset, token, now["supply"], now["borrow"]))
            until = edges[place + 1] if place + 1 < len(edges) else HOUR_MS
            for side, each in own.items():
                if each is not None:
                    each.pieces.setdefault(number, []).append(Piece(until - offset, now[side]))
                    if is_dark:
                        self.unrated.add((each.key, number))

    def _operations(self) -> None:
        """Choose the moments of operations; amounts are chosen when they come."""
        self.moments: dict[Key, dict[int, int]] = {}
        for key in self.sides:
            count = self.chance.choice((0, 1, 3, 8))
            self.moments[key] = {
                number: self.chance.randrange(1, HOUR_MS)
                for number in self.chance.sample(range(self.hours), count)
                if (key, number) not in self.unrated
            }

    # ------------------------------------------------------------ how it goes

    def _live(self) -> None:
        shown_at = -LEAD
        if self.late_state:
            shown_at = self.chance.randrange(1, self.hours // 2)
        self.shown_at = shown_at
        for number in range(-LEAD, self.hours + 2):
            if number == shown_at:
                self._show(number)
            for side in self.sides.values():
                side.starts[number] = (side.value, side.basis)
                self._operate(side, number)
                gained, value, basis = hour(
                    side.pieces[number], side.value, side.basis, replace(side.way, cut=0)
                )
                side.value, side.basis, side.paid[number] = value, basis, gained
                if not side.unrounded:
                    units = printed(gained, side.way)
                    side.value = max(0, side.value + units * UNIT - gained)
                if not side.way.cut:
                    self._pay(side, number, gained)
        for side in self.sides.values():
            dark = {number for key, number in self.unrated if key == side.key}
            self.unrated |= {(side.key, number - side.way.cut) for number in dark}
            for number in range(-LEAD, self.hours + 1) if side.way.cut else ():
                neighbor = side.paid.get(number + side.way.cut)
                if neighbor is not None:
                    self._pay(side, number, neighbor)
        self._unfounded(shown_at)

    def _show(self, number: int) -> None:
        at = self.end_of(number) - HOUR_MS
        shown = {key: (side.value // UNIT, side.basis // UNIT) for key, side in self.sides.items()}
        self.states.append((at, shown))

    def _unfounded(self, shown_at: int) -> None:
        """Write down which hours have no basis: those before a state, or the operation before."""
        for key in self.sides:
            before = [number for number in self.moments[key] if number < shown_at]
            known_from = max(before) + 1 if before else shown_at
            known_from += self.sides[key].way.cut < 0  # the first such row is for an hour before
            self.unfounded |= {(key, number) for number in range(known_from)}

    def _operate(self, side: Side, number: int) -> None:
        moment = self.moments[side.key].get(number)
        if moment is None:
            return
        pieces, elapsed, found = side.pieces[number], 0, []
        running, basis = side.value, side.basis
        for piece in pieces:
            if elapsed < moment <= elapsed + piece.ms:
                head = Piece(moment - elapsed, piece.rate)
                _, running, basis = hour([head], running, basis, replace(side.way, cut=0))
                units = self._amount(running // UNIT)
                kinds = ("supply", "withdraw") if side.key[1] == "supply" else ("borrow", "repay")
                kind = kinds[units < 0]
                at = self.end_of(number) - HOUR_MS + moment
                self.operations.append((at, side.key, kind, abs(units)))
                found.append(replace(head, moved=units * UNIT))
                if moment < elapsed + piece.ms:
                    found.append(Piece(elapsed + piece.ms - moment, piece.rate))
            else:
                found.append(piece)
                if elapsed < moment:
                    _, running, basis = hour([piece], running, basis, replace(side.way, cut=0))
            elapsed += piece.ms
        side.pieces[number] = found

    def _amount(self, units: int) -> int:
        draw = self.chance.random()
        if draw < 0.08 and units > 1:
            return -units
        share = self.chance.randrange(1, 600)
        amount = max(1, units * share // 1000)
        return -amount if draw < 0.5 and units > amount else amount

    # ------------------------------------------------------------ what is paid

    def _pay(self, side: Side, number: int, due: int) -> None:
        units = printed(due, side.way)
        kind = self._slip(side, number)
        if kind and units > TOLERATED:
            getattr(self, "_" + kind.replace(" ", "_"))(side, number, due, units)
        elif units:
            self._row(side.key, number, units)

    def _slip(self, side: Side, number: int) -> str:
        """Return what goes wrong in an hour.

        Things go wrong more than a day apart: a payout that is missing and another that is doubled
        within a day read the same as one that is late. Nor do they where no basis is known, since
        nobody could tell.
        """
        near = any(number - each < 26 for each in side.slips) or number <= self.shown_at
        is_known = not any((side.key, number + each) in self.unrated for each in range(-1, 8))
        if not self.breaks or near or not is_known or not 1 < number < self.hours - 10:
            return ""
        others = [each for key, each in self.sides.items() if key != side.key]
        if any(abs(number - each) < 26 for other in others for each in other.slips):
            return ""
        if self.chance.random() > self.breaks / self.hours:
            return ""
        return self.chance.choice(SLIPS)

    def _row(self, key: Key, number: int, units: int, extra: int | None = None) -> None:
        late = self.chance.choice((0, 11, 66, 66, 213, 439)) if extra is None else extra
        self.rows.append(Row(self.end_of(number) + late, key, units))

    def _takes(self, side: Side, number: int, due: int, paid: int) -> None:
        """Let the balance go on with what was due, or with what was paid."""
        if not side.way.cut and self.chance.random() < 0.5:
            side.value += paid * UNIT - due
            side.shifts[number] = paid * UNIT - due

    def _missing(self, side: Side, number: int, due: int, units: int) -> None:
        side.slips[number] = Slip("missing", "missing")
        self._takes(side, number, due, 0)

    def _doubled(self, side: Side, number: int, due: int, units: int) -> None:
        side.slips[number] = Slip("doubled", "doubled")
        if self.chance.random() < 0.3:
            self._row(side.key, number, 2 * units)
        else:
            self._row(side.key, number, units)
            self._row(side.key, number, units, self.chance.choice((0, 439, 5_000)))
        self._takes(side, number, due, 2 * units)

    def _late(self, side: Side, number: int, due: int, units: int) -> None:
        side.slips[number] = Slip("late", "late")
        draw = self.chance.random()
        if draw < 0.4:
            self._row(side.key, number, units, self.chance.randrange(1_200_000, 3_300_000))
        else:
            self._row(side.key, number + self.chance.randrange(1, 7), units)

    def _other(self, side: Side, number: int, due: int, units: int, key: Key, kind: str) -> None:
        side.slips[number] = Slip(kind, kind)
        self._row(key, number, units)
        self.astray.add((key, number))
        self._takes(side, number, due, 0)

    def _wrong_side(self, side: Side, number: int, due: int, units: int) -> None:
        token, name = side.key
        other = (token, "borrow" if name == "supply" else "supply")
        self._other(side, number, due, units, other, "wrong side")

    def _wrong_token(self, side: Side, number: int, due: int, units: int) -> None:
        token, name = side.key
        other = (self.chance.choice([each for each in TOKENS if each != token]), name)
        self._other(side, number, due, units, other, "wrong token")

    def _wrong_amount(self, side: Side, number: int, due: int, units: int) -> None:
        off = units * self.chance.randrange(5, 3_000) // 1000
        if self.chance.random() < 0.3:
            off = units + self.chance.choice((-40, -7, -3, 3, 5, 23, 400))
        self._judged(side, number, due, max(0, off), "wrong amount", "")

    def _convention(self, side: Side, number: int, due: int, units: int) -> None:
        near = self.near(side, number)
        way = self.chance.choice([way for way in near if way.mode == side.way.mode])
        fine = self.counted(side, number, way)
        if fine is None:
            self._row(side.key, number, units)
            return
        self._judged(side, number, due, printed(fine, way), "convention", near[way])

    def _rounding(self, side: Side, number: int, due: int, units: int) -> None:
        if side.way.mode:
            self._row(side.key, number, units)
            return
        mode, places = self.chance.choice(ROUNDING_MODES), self.chance.choice((4, 5, 6, 7))
        way = replace(side.way, mode=mode, places=places)
        called = f"rounded {mode} at {places} places"
        self._judged(side, number, due, printed(due, way), "rounding", called)

    def _judged(
        self, side: Side, number: int, due: int, paid: int, kind: str, done: str
    ) -> None:  # fmt: skip
        """Pay an amount, and write down what enumeration makes of it."""
        if paid:
            self._row(side.key, number, paid)
        self._takes(side, number, due, paid)
        nearest = printed(due, Way(mode="half even"))
        if abs(paid - nearest) <= TOLERATED or could_be(paid, due, side.way):
            side.slips[number] = Slip(kind, "")
        elif not paid:
            side.slips[number] = Slip(kind, "missing")
        elif abs(paid * UNIT - 2 * due) < 2 * UNIT:
            side.slips[number] = Slip(kind, "doubled")
        else:
            found = {}
            for way, called in self.near(side, number).items():
                fine = self.counted(side, number, way)
                if fine is not None and could_be(paid, fine, way):
                    found[called] = way
            is_rounding = found and all(way.mode != side.way.mode for way in found.values())
            told = "rounding" if is_rounding else "wrong amount"
            fits = tuple(found)
            side.slips[number] = Slip(kind, told, fits, done)

    # ------------------------------------------------------------ enumeration

    def near(self, side: Side, number: int) -> dict[Way, str]:
        """Return the account's way with one thing changed, and what that is called."""
        own = side.way
        found = {replace(own, growth=way.growth, year=way.year): way.called() for way in READINGS}
        cuts = {-1: "cut-off one hour early", 0: "cut-off at the hour", 1: "cut-off one hour late"}
        found |= {replace(own, cut=cut): called for cut, called in cuts.items() if cut != own.cut}
        if any(piece.moved for piece in side.pieces[number]):
            for moved in ("before", "after"):
                found[replace(own, moved=moved)] = f"operations {moved} the hour"
        for mode in ROUNDING_MODES if not own.mode else ():
            for places in range(2, 8):
                way = replace(own, mode=mode, places=places)
                found[way] = f"rounded {mode} at {places} places"
        found.pop(own, None)
        return found

    def counted(self, side: Side, number: int, way: Way) -> int | None:
        """Return what an hour comes to under a way, from what stood when it began."""
        place = number + way.cut
        value, basis = side.starts[number]
        if way.cut < 0:
            if number - 1 not in side.starts:
                return None
            value, basis = side.starts[number - 1]
        elif way.cut > 0:
            if number + 1 in self.moments[side.key]:
                return None  # what will be moved is not known when the hour is paid
            _, value, basis = hour(side.pieces[number], value, basis, replace(way, cut=0))
        if place not in side.pieces:
            return None
        return hour(side.pieces[place], value, basis, replace(way, cut=0))[0]

    def explaining(self, side: Side, spared: int = 0) -> tuple[str, ...]:
        """Return the single conventions that explain every untouched hour but *spared*."""
        ways = [*READINGS, Way(cut=-1), Way(cut=1)]
        ways += [Way(mode=mode, places=places) for mode in ROUNDING_MODES for places in (6, 7)]
        return tuple(way.called() for way in ways if self.explains(side, way, spared))

    def explains(self, side: Side, way: Way, spared: int = 0) -> bool:
        """Tell whether a convention, walked on its own, gives all untouched rows but *spared*."""
        rows: dict[int, int] = {}
        for row in self.rows:
            if row.key == side.key:
                number = (row.at - BEGIN) // HOUR_MS - 1
                rows[number] = rows.get(number, 0) + row.units
        untold = self.unrated | self.unfounded | self.astray
        (value, basis), before, misses = side.starts[-LEAD], None, 0
        for number in range(-LEAD, self.hours + 1):
            own = hour(side.pieces[number], value, basis, replace(way, cut=0))
            due: int | None = own[0]
            if way.cut < 0:
                due, before = before, own[0]
            elif way.cut > 0:
                following = side.pieces[number + 1]
                due = hour(following, own[1], own[2], replace(way, cut=0))[0]
            value, basis = own[1] + side.shifts.get(number, 0), own[2]
            if not side.unrounded:
                value = max(0, value + printed(own[0], way) * UNIT - own[0])
            is_touched = any(0 <= number - each <= 7 for each in side.slips)
            is_told = (side.key, number) not in untold and not is_touched and number >= 0
            if is_told and number in rows and due is not None:
                misses += not could_be(rows[number], due, way)
                if misses > spared:
                    return False
        return True


__all__ = ["BEGIN", "GROWTHS", "SCALE", "TOKENS", "Month", "Row", "Side", "Slip"]
