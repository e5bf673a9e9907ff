"""Sums: what observed states show, held against the sums of what is recorded.

What was there before the history began shifts every state by the same amount. So not the
difference tells of an omission but its *change* from one state to the next: then something that
moves money is missing between the two. Where it did not change nothing is proven: two omissions
may cancel each other, and what is not observed (staking, vaults) is not held against anything.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import attrs

from ledger import events as ev
from ledger.errors import UnknownKind
from ledger.money import ZERO, canonical, unscaled
from ledger.units import Millis, is_spot
from projections.chart import BORROWED, SPOT, SUPPLIED, Place, perp
from projections.coverage.levels import BALANCES, FAMILIES, Stretch, common, united
from projections.coverage.loans import TOKEN_UNIT, Loans
from projections.margin.picture import SINGLE_BALANCE
from projections.positions import SHEET_DIGITS, agrees, is_early
from projections.postings import is_perp, moves, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.units import Asset, Coin, Dex
    from projections.reference import Reference

    Key: TypeAlias = tuple[Place, Asset]

CLOCK_BEHIND: Final = 10_000
"""A state without a moment of its own bears that of its answer; it may be older by this much."""

CLOCK_AHEAD: Final = 1_000
"""…and younger by this much, for an answer is dated to the full second."""

AGREED: Final = "states around it agree (omissions that cancel would not show)"

MARK_UNIT: Final = unscaled(2, 6)
"""How far value and money of an exchange, each cut at six places, may lie off together."""


LENDING: Final = "lending"
LENT: Final = frozenset({SUPPLIED, BORROWED})


@cache
def kind_of(place: Place) -> str | None:
    """Return which kind of state shows a place; None for what no state shows."""
    if place == SPOT or place.startswith("perp:"):
        return place
    return LENDING if place in {SUPPLIED, BORROWED} else None


class Statement(NamedTuple):
    """What a state says of a sum of balances: it lies ahead of ours by *low* to *high*.

    ``absent_from`` is the kind of state in which this subject is nothing when it is not shown.
    """

    subject: str
    keys: tuple[Key, ...]
    stated: Decimal
    low: Decimal = ZERO
    high: Decimal = ZERO
    absent_from: str = ""


class Window(NamedTuple):
    """From when to when a state may be; both ends belong to it."""

    first: int
    last: int


class Range(NamedTuple):
    """What may have been there before the history, by one statement; both ends included."""

    low: Decimal
    high: Decimal


NOTHING: Final = Range(ZERO, ZERO)


class _Stated(NamedTuple):
    """When a fill last stated what there was of a token, and how far ours lies off, read twice."""

    at: int
    off: tuple[Decimal, Decimal]


@attrs.define
class _Run:
    """Statements of one subject that go on from each other, and what all of them allow."""

    left: Range
    said: list[tuple[Window, Range]]


_Observed: TypeAlias = ev.PerpStateObserved | ev.SpotStateObserved | ev.LendingStateObserved


class Sums:
    """The balances an account's states speak of, while events pass in effective order.

    Use it inside ``ledger.money.exact``.
    """

    def __init__(self, reference: Reference) -> None:
        """Begin with nothing anywhere."""
        self._reference = reference
        self._loans = Loans()
        self._balances: dict[Key, Decimal] = {}
        self._recent: deque[tuple[int, Key, Decimal]] = deque()
        self._waiting: deque[_Observed] = deque()
        self._perps: dict[Dex, ev.PerpStateObserved] = {}
        self._is_single = False
        self._runs: dict[str, _Run] = {}
        self._tokens: dict[Asset, _Stated] = {}
        self._seen: dict[str, Window] = {}
        self._shown: dict[str, Window] = {}
        """The last state of a kind in which what is not shown is nothing."""
        self._agreed: dict[str, list[tuple[int, int]]] = {}
        self._touched: set[str] = set()
        self._missing: list[Stretch] = []
        self._late: list[tuple[Asset, Stretch]] = []
        self._began: int | None = None
        self.stopped: ev.Event | None = None

    def take(self, event: ev.Event) -> None:
        """Judge the states that are due, and let the event move what it moves."""
        if self.stopped is not None:
            return
        if self._began is None:
            self._began = event.at
        while self._waiting and self._waiting[0].at + CLOCK_AHEAD < event.at:
            self._judge(self._waiting.popleft())
        if isinstance(event, ev.ModeChanged):
            self._is_single = event.mode in SINGLE_BALANCE
        elif isinstance(event, _Observed):
            if isinstance(event, ev.PerpStateObserved):
                self._perps[event.dex] = event
            self._waiting.append(event)
        else:
            if isinstance(event, ev.Filled) and not is_perp(event.coin):
                self._state(event)
            self._move(event)

    def evidence(self, until: int) -> Iterator[Stretch]:
        """Yield what is known to be missing, and where states agree with what is recorded."""
        while self._waiting:
            self._judge(self._waiting.popleft())
        rows = list(self._loans.evidence(until))
        yield from self._missing
        yield from self._unexplained(rows)
        yield from rows
        needed = [united(self._agreed.get(kind, ())) for kind in sorted(self._touched)]
        for first, last in common(needed):
            for family in FAMILIES:
                yield Stretch(
                    family=family,
                    since=Millis(first),
                    until=Millis(last),
                    level="probable",
                    cause=AGREED,
                )

    # ------------------------------------------------------------------- what moves

    def _move(self, event: ev.Event) -> None:
        try:
            if isinstance(event, ev.Opened):
                found = opened(event, self._balances)
                self._runs.clear()
                self._tokens.clear()
                self._seen.clear()
                self._shown.clear()
            else:
                found = moves(event, self._reference)
        except UnknownKind:
            self.stopped = event
            self._waiting.clear()
            return
        if isinstance(event, ev.InterestAccrued):
            self._loans.row(event, self._lent(event.asset))
        for target, source, asset, amount in found:
            if amount:
                self._add(event, target, asset, amount)
                self._add(event, source, asset, -amount)
        forget = event.at - CLOCK_BEHIND - 2 * CLOCK_AHEAD
        while self._recent and self._recent[0][0] < forget:
            self._recent.popleft()

    def _state(self, event: ev.Filled) -> None:
        """Hold what a fill of a token states was there before it against what is recorded.

        Whether the venue counts what is supplied is not known: it goes on as long as one reading
        of the two does.
        """
        stated, at = event.start_position, event.at
        if stated is None or is_early(event) or not self._is_pair_known(event.coin):
            return
        base = self._reference.pair(event.coin)[0]
        alone = self._balances.get((SPOT, base), ZERO)
        ours = alone, alone + self._balances.get((SUPPLIED, base), ZERO)
        known = self._tokens.get(base)
        if known is not None:
            expected = [held + off for held, off in zip(ours, known.off, strict=True)]
            if any(agrees(each, stated, digits=SHEET_DIGITS) for each in expected):
                self._tokens[base] = known._replace(at=at)
                return
            self._missing.append(
                Stretch(
                    family=BALANCES,
                    since=Millis(known.at),
                    until=at,
                    level="missing",
                    cause=f"{base} on spot: what is recorded leaves {canonical(expected[0])}, "
                    f"the next fill states {canonical(stated)}",
                    subject=f"{base} on spot",
                )
            )
        self._tokens[base] = _Stated(at, (stated - ours[0], stated - ours[1]))

    def _is_pair_known(self, coin: Coin) -> bool:
        return coin in self._reference.pairs or "/" in coin or not is_spot(coin)

    def _add(self, event: ev.Event, place: Place, asset: Asset, amount: Decimal) -> None:
        kind = kind_of(place)
        if kind is None:
            return
        self._touched.add(kind)
        if kind == LENDING and not isinstance(event, ev.InterestAccrued):
            self._loans.change(asset, event.at, self._lent(asset))
        key = place, asset
        self._balances[key] = self._balances.get(key, ZERO) + amount
        self._recent.append((event.at, key, amount))

    def _lent(self, asset: Asset) -> dict[Place, Decimal]:
        held = self._balances
        return {place: abs(held.get((place, asset), ZERO)) for place in (SUPPLIED, BORROWED)}

    # ------------------------------------------------------------------- what is shown

    def _judge(self, event: _Observed) -> None:
        """Hold every statement of a state against our sums, and remember what agreed."""
        kind, window, statements = self._read(event)
        before = self._seen.get(kind)
        agreed = [each is not None and self._hold(each, window) for each in statements]
        for each, fits in zip(statements, agreed, strict=True):
            if each is not None:
                self._go_on(each, window, fits=fits)
        if agreed and all(agreed):
            since = self._began or 0 if before is None else before.last + 1
            self._agreed.setdefault(kind, []).append((since, window.last))
        self._seen[kind] = window
        if not (isinstance(event, ev.SpotStateObserved) and self._is_one(event)):
            self._shown[kind] = window

    def _go_on(self, said: Statement, window: Window, *, fits: bool) -> None:
        """Let what fills state of a token go on from a state of it, or begin anew behind it."""
        asset = said.keys[0][1] if said.keys else None
        if asset is None:
            return
        if fits and said.absent_from == LENDING:
            self._loans.show(asset, window.last - CLOCK_AHEAD, self._lent(asset))
        if asset in self._tokens and said.absent_from == SPOT:
            known = self._tokens.pop(asset)
            if fits:
                self._tokens[asset] = known._replace(at=max(known.at, window.first))

    def _read(self, event: _Observed) -> tuple[str, Window, list[Statement | None]]:
        """Return of which kind a state is, from when, and what it says; None for what it cannot."""
        if isinstance(event, ev.PerpStateObserved):
            return perp(event.dex), Window(event.at, event.at), [*self._of_perp(event)]
        window = Window(event.at - CLOCK_BEHIND, event.at + CLOCK_AHEAD)
        if isinstance(event, ev.LendingStateObserved):
            return LENDING, window, [*self._of_lending(event)]
        if self._is_one(event):
            return (
                SPOT,
                window,
                [self._whole(event, row) for row in event.balances],
            )
        return SPOT, window, [*self._of_spot(event)]

    def _is_one(self, event: ev.SpotStateObserved) -> bool:
        """Tell whether one balance stands for everything, marked to market."""
        return bool(event.margin_enabled or event.available) or self._is_single

    def _of_perp(self, event: ev.PerpStateObserved) -> Iterator[Statement]:
        if event.summary is not None:
            place = perp(event.dex)
            keys = tuple(key for key in self._balances if key[0] == place)
            what = f"money of the exchange {event.dex}" if event.dex else "money for perpetuals"
            yield Statement(what, keys, event.summary.total_raw_usd)

    def _of_spot(self, event: ev.SpotStateObserved) -> Iterator[Statement]:
        shown = {row.asset: row.total for row in event.balances}
        ours = (asset for (place, asset), held in self._balances.items() if place == SPOT and held)
        for asset in sorted({*ours, *shown}):
            yield Statement(
                f"{asset} on spot", ((SPOT, asset),), shown.get(asset, ZERO), absent_from=SPOT
            )

    def _whole(self, event: ev.SpotStateObserved, row: ev.ObservedBalance) -> Statement | None:
        """Return what one balance for everything says of a token, its positions taken out.

        None where states of an exchange are not of the same second: marks moved in between.
        """
        asset, total = row.asset, row.total
        keys: list[Key] = [(SPOT, asset), (SUPPLIED, asset), (BORROWED, asset)]
        places = [key[0] for key in self._balances if key[1] == asset and key[0] not in LENT]
        room = ZERO
        for dex, state in self._perps.items():
            if perp(dex) not in places:
                continue
            if state.summary is None or abs(state.at - event.at) > CLOCK_AHEAD:
                return None
            total -= state.summary.account_value - state.summary.total_raw_usd
            keys.append((perp(dex), asset))
            room += MARK_UNIT
        if any(place != SPOT and (place, asset) not in keys for place in places):
            return None
        lent = self._lent(asset)
        ahead = self._loans.room(
            asset, SUPPLIED, event.at, max(lent[SUPPLIED], row.supplied or ZERO)
        )
        behind = self._loans.room(
            asset, BORROWED, event.at, max(lent[BORROWED], row.borrowed or ZERO)
        )
        return Statement(f"{asset} in all", tuple(keys), total, -behind - room, ahead + room)

    def _of_lending(self, event: ev.LendingStateObserved) -> Iterator[Statement]:
        for loan in event.loans:
            asset = self._reference.symbols.get(loan.token)
            if asset is None:
                continue
            for place, value, what in (
                (SUPPLIED, loan.supply_value, "supplied"),
                (BORROWED, loan.borrow_value, "borrowed"),
            ):
                held = self._lent(asset)[place]
                if not value and not held:
                    continue
                room = self._loans.room(asset, place, event.at, max(held, value))
                owes = place == BORROWED
                yield Statement(
                    f"{asset} {what}",
                    ((place, asset),),
                    -value if owes else value,
                    low=-room if owes else -TOKEN_UNIT,
                    high=TOKEN_UNIT if owes else room,
                    absent_from=LENDING,
                )

    def _hold(self, said: Statement, window: Window) -> bool:
        """Tell whether a statement can go on from those before; else something is missing.

        Each allows a range of what was there before the history, and all of them one figure. Where
        no figure is left, something is missing since the last one that does not allow what this
        one allows. A first statement goes on from nothing, or shows what was there before.
        """
        spans = [
            Range(difference - said.high, difference - said.low)
            for difference in (said.stated - each for each in self._values(said.keys, window))
        ]
        run = self._runs.get(said.subject)
        if run is None:
            absent = self._shown.get(said.absent_from)
            if absent is None:
                first = next((each for each in spans if each.low <= ZERO <= each.high), None)
                span = first or spans[0]
                self._runs[said.subject] = _Run(span, [(window, span)])
                return first is not None
            run = self._runs[said.subject] = _Run(NOTHING, [(absent, NOTHING)])
        for span in spans:
            both = Range(max(run.left.low, span.low), min(run.left.high, span.high))
            if both.low <= both.high:
                run.left = both
                run.said.append((window, span))
                return True
        self._break(said, run, window, spans[0])
        self._runs[said.subject] = _Run(spans[0], [(window, spans[0])])
        return False

    def _break(self, said: Statement, run: _Run, window: Window, now: Range) -> None:
        """Name what is missing: since the last statement that does not allow what this one does."""
        apart = (
            (seen, span)
            for seen, span in reversed(run.said)
            if span.low > now.high or span.high < now.low
        )
        seen, span = next(apart, run.said[0])
        off = now.low - span.high if now.low > span.high else now.high - span.low
        named = Stretch(
            family=BALANCES,
            since=Millis(seen.first + 1),
            until=Millis(window.last),
            level="missing",
            cause=f"{said.subject}: the state changed by {canonical(off)} that nothing recorded "
            f"explains",
            subject=said.subject,
        )
        place, asset = said.keys[0] if said.keys else (None, None)
        if asset is not None and place in LENT:
            self._loans.doubt(asset, off)
        if asset is None or seen is run.said[-1][0] or not self._loans.is_interest(asset, off):
            self._missing.append(named)
        else:
            self._late.append((asset, named))

    def _unexplained(self, rows: list[Stretch]) -> Iterator[Stretch]:
        """Yield what only a later state showed, but where a missing row of interest explains it."""
        for asset, named in self._late:
            if not any(
                row.level == "missing"
                and row.subject == asset
                and named.since <= row.until
                and row.since <= named.until
                for row in rows
            ):
                yield named

    def _values(self, keys: tuple[Key, ...], window: Window) -> list[Decimal]:
        """Return the sums of balances inside a window of time, the latest first."""
        now = sum((self._balances.get(key, ZERO) for key in keys), ZERO)
        found = []
        for at, key, amount in reversed(self._recent):
            if key not in keys:
                continue
            if at <= window.first:
                break
            if at <= window.last:
                found.append(now)
            now -= amount
        return [*found, now]
