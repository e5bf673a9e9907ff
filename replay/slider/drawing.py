"""Drawing: the values of lanes, instant by instant, each what the same question asked alone says.

Ratio and limit are margin's (``replay.margin``); equity, supplied, borrowed and positions are
balances and sizes by the last recorded prices (``replay.worth``), as statements value them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from ledger.money import ZERO, exact
from ledger.units import Coin, Millis
from projections import chart, positions
from projections.arithmetic import EXACT
from projections.fold import Stopped
from projections.rulebooks import by_id
from projections.valuation import Prices, observed_prices, worth
from replay.margin_timeline import point_of
from replay.slider import lanes as names
from replay.slider.lanes import Cause, Lane, Lanes
from replay.worth import lacking, valued

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from projections.fold import States
    from replay.margin import Assembler
    from replay.slider.points import Points
    from replay.worth import Valued

ONE: Final = Decimal(1)

SLICE: Final = 12
"""Instants in one slice of work."""

MISSING_TOLD: Final = 3
"""Of more missing inputs only these are named, the others are counted."""

CAUSES_MAX: Final = 50
"""More stretches without a value than this are told as one."""

NO_OPENING: Final = (
    "equity, supplied, borrowed and positions are sums of what is recorded, by the last price "
    "recorded: nothing is assumed to have been there before"
)


@attrs.frozen(kw_only=True)
class Known:
    """A value, or why there is none."""

    value: Decimal | None
    cause: str = ""


NOTHING: Final = Known(value=ZERO)
"""Of a market without a position."""


@attrs.frozen(kw_only=True)
class Sample:
    """The values of one instant."""

    at: Millis
    events: int
    named: Mapping[str, Known]
    positions: Mapping[Coin, Known]


class Drawing:
    """Values of one account at any instant, as known at one position."""

    def __init__(self, of: Assembler) -> None:
        """Take margin, prices and metadata from *of*."""
        self._of = of
        series = observed_prices(found.event for found in of.recorded.markets)
        self._prices = Prices(series, of.reference)

    def lanes(self, points: Points) -> Generator[None, None, Lanes]:
        """Return the lines through some instants, in slices of work."""
        of = self._of
        walked = of.engine.through(of.history.stream, of.position, points.moments)
        samples: list[Sample] = []
        for at, folded in walked:
            samples.append(self.sample(at, folded.states))
            if not len(samples) % SLICE:
                yield
        drawn, notes = _drawn(samples)
        named = (names.RATIO, names.LIMIT, names.EQUITY, names.SUPPLIED, names.BORROWED)
        values = {name: [sample.named[name] for sample in samples] for name in named}
        for coin in drawn:
            name = f"{names.POSITION}{coin}"
            values[name] = [sample.positions.get(coin, NOTHING) for sample in samples]
        return Lanes(
            account=of.history.account,
            position=of.position,
            times=tuple(sample.at for sample in samples),
            events=tuple(sample.events for sample in samples),
            lanes=tuple(_lane(name, samples, known) for name, known in values.items()),
            notes=(points.said(), *notes, *([] if of.openings else [NO_OPENING])),
        )

    def sample(self, at: Millis, states: States) -> Sample:
        """Return the values of one instant; *states* are those of the instant."""
        found = valued(states, self._prices, at)
        return Sample(
            at=at,
            events=states.events,
            named={
                **self._margin(at, states),
                names.EQUITY: Known(value=found.total, cause=_unknown(found.causes)),
                names.SUPPLIED: _at_place(found, chart.SUPPLIED),
                names.BORROWED: _at_place(found, chart.BORROWED),
            },
            positions=self._positions(at, states),
        )

    def _margin(self, at: Millis, states: States) -> dict[str, Known]:
        try:
            found = self._of.line_at(at, states)
        except (UnclearQuestion, NotInForce, UnknownKind) as error:
            none = Known(value=None, cause=_cause(error))
            return {names.RATIO: none, names.LIMIT: none}
        point = point_of(found)
        cause = ""
        if point.ratio is None:
            missing = point.missing or found.margin.judgements[0].missing
            cause = _unknown(missing) or "no ratio: nothing stands against it"
        limit = ONE
        if point.mode in {"unifiedAccount", "portfolioMargin"}:
            limit = by_id(point.rulebooks[0], self._of.question.calendar).trigger.value
        return {
            names.RATIO: Known(value=point.ratio, cause=cause),
            names.LIMIT: Known(value=limit),
        }

    def _positions(self, at: Millis, states: States) -> dict[Coin, Known]:
        held = states.by_name[positions.NAME]
        if isinstance(held, Stopped):
            return {}
        found: dict[Coin, Known] = {}
        for key, each in held.by_key.items():
            size = positions.stated_size(each)
            if key.startswith("spot:") or not size:
                continue
            coin = Coin(key)
            thing = chart.position(coin), chart.size_asset(coin)
            quote = self._prices.quote(thing, at)
            if quote is None:
                lacks = lacking(self._prices, thing, at)
                found[coin] = Known(value=None, cause=f"unknown: price of {lacks}")
                continue
            with exact():
                found[coin] = Known(value=worth(EXACT, size, quote.px))
        return found


def _unknown(missing: Sequence[str]) -> str:
    """Return what is missing in a few words that are the same wherever the same is missing."""
    if not missing:
        return ""
    named, more = sorted(missing)[:MISSING_TOLD], len(missing) - MISSING_TOLD
    return f"unknown: {', '.join(named)}" + (f" and {more} more" if more > 0 else "")


def _cause(error: UnclearQuestion | NotInForce | UnknownKind) -> str:
    """Return why margin has no answer, in words that are the same at every instant."""
    match error:
        case UnclearQuestion():
            return f"unknown: {error.asked} {error.problem}"
        case NotInForce():
            return "unknown: no rulebook was in force for the mode of the account"
        case UnknownKind():
            return f"unknown: an event of unknown kind: {error.kind}"


def _at_place(found: Valued, place: str) -> Known:
    """Return the worth of all that is at a place, not negative; unknown where a part of it is."""
    if found.stopped:
        return Known(value=None, cause=f"unknown: {found.stopped}")
    total = ZERO
    for (where, asset), value in found.worths.items():
        if where != place:
            continue
        if value is None:
            return Known(value=None, cause=f"unknown: price of {asset}")
        with exact():
            total += value
    return Known(value=abs(total))


def _drawn(samples: Sequence[Sample]) -> tuple[list[Coin], list[str]]:
    """Return the markets drawn, the largest positions, and what is to be said of others."""
    largest: dict[Coin, Decimal] = {}
    for sample in samples:
        for coin, known in sample.positions.items():
            before = largest.get(coin, ZERO)
            largest[coin] = before if known.value is None else max(before, abs(known.value))
    ordered = sorted(largest, key=lambda coin: (-largest[coin], coin))
    drawn, others = ordered[: names.POSITIONS_DRAWN], ordered[names.POSITIONS_DRAWN :]
    if not others:
        return drawn, []
    return drawn, [f"positions of {len(others)} more markets are not drawn"]


def _lane(name: str, samples: Sequence[Sample], known: Sequence[Known]) -> Lane:
    causes: list[Cause] = []
    before = ""
    for sample, each in zip(samples, known, strict=True):
        if each.value is None and causes and before == each.cause:
            causes[-1] = attrs.evolve(causes[-1], until=sample.at)
        elif each.value is None:
            causes.append(Cause(since=sample.at, until=sample.at, text=each.cause))
        before = each.cause if each.value is None else ""
    if len(causes) > CAUSES_MAX:
        text = f"unknown at times, first: {causes[0].text}"
        causes = [Cause(since=causes[0].since, until=causes[-1].until, text=text)]
    return Lane(
        name=name,
        unit="" if name in {names.RATIO, names.LIMIT} else str(chart.USDC),
        values=tuple(each.value for each in known),
        causes=tuple(causes),
    )
