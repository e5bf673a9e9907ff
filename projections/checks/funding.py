"""Checks of funding: charged on what was held, every hour, by the rule, and cut off rightly."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ledger import events as ev
from ledger.money import ZERO, canonical, divide_down, round_down, unscaled
from ledger.units import Coin, Millis, dex_of
from projections.checks.base import CheckResult, Options, Tally, walk
from projections.positions import PERP_MONEY, Position, stated_size
from projections.postings import is_perp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.events import Event
    from projections.reference import Reference

HOUR: Final = 3_600_000

HOURLY_SINCE: Final = Millis(1_686_186_000_000)
"""2023-06-08 01:00: payments before were made every eight hours, on an averaged size."""

RULE_SINCE: Final = Millis(1_702_339_200_000)
"""2023-12-12: from here on the rate rule holds as it is written here."""

HOLES: Final = (1_688_328_000_000, 1_692_820_800_000, 1_723_726_800_000)
"""Hours in which the venue published no rate: 2023-07-02 20:00, 2023-08-23 20:00 and
2024-08-15 13:00. **Source**: recorded rates of BTC."""

RATE_TOLERANCE: Final = Decimal("5e-11")
"""The premium published is itself rounded to ten places, an eighth of whose unit this is not."""

INTEREST: Final = Decimal("0.0001")
CLAMP: Final = Decimal("0.0005")
EIGHTH: Final = Decimal("0.125")
CAP: Final = Decimal("0.04")


class Sizes:
    """The size of every perpetual position through time, as its fills state it."""

    def __init__(self, events: Sequence[Event], reference: Reference) -> None:
        """Walk the fills once."""
        self.moments: dict[Coin, list[int]] = {}
        self.sizes: dict[Coin, list[Decimal]] = {}
        self.events: dict[Coin, list[ev.Filled]] = {}
        for step in walk(events, reference):
            coin = step.event.coin
            if not is_perp(coin):
                continue
            if coin not in self.moments:
                self._begin(coin, step.before, step.after, derived=step.fill.derived)
            self.moments[coin].append(step.event.at)
            self.sizes[coin].append(stated_size(step.after))
            self.events[coin].append(step.event)

    def _begin(
        self, coin: Coin, before: Position | None, after: Position, *, derived: bool
    ) -> None:
        opening = ZERO if before is None else stated_size(before)
        if before is None and derived:
            opening = unscaled(after.opening, after.places)
        self.moments[coin], self.sizes[coin], self.events[coin] = [], [opening], []

    def before(self, coin: Coin, at: int) -> tuple[Decimal, ev.Filled | None] | None:
        """Return the size held just before a moment, and the fill it rests on, if any.

        None when nothing is known of the market.
        """
        moments = self.moments.get(coin)
        if moments is None:
            return None
        index = bisect_left(moments, at)
        return self.sizes[coin][index], self.events[coin][index - 1] if index else None


def hour_of(at: int) -> int:
    """Return the full hour a moment lies in, as milliseconds."""
    return at - at % HOUR


def funding_size(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Hold the size and side every payment was charged on against the position before its hour.

    Fills in the second before the hour count, fills after it do not.
    """
    tally = Tally("funding-size")
    sizes = Sizes(events, reference)
    for event in events:
        if not isinstance(event, ev.FundingPaid):
            continue
        held = sizes.before(event.coin, hour_of(event.at))
        if event.at < HOURLY_SINCE:
            tally.unknown("charged on an averaged size (2023)")
        elif held is None:
            tally.unknown("no fill of its market is recorded")
        elif held[0] == event.size:
            tally.agree()
        else:
            expected, fill = held
            tally.differ(
                event,
                expected=expected,
                observed=event.size,
                others=() if fill is None else (fill,),
                severity="error",
                text=f"{event.coin}: funding was charged on {canonical(event.size)}, "
                f"the fills lead to {canonical(expected)} before that hour",
            )
    return tally.result()


def funding_presence(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Ask of every hour with a position whether its payment is recorded.

    Hours are asked where the history of payments is known to be complete; without such a claim,
    between the first payment recorded and the last.
    """
    tally = Tally("funding-presence")
    payments = [event for event in events if isinstance(event, ev.FundingPaid)]
    if not payments:
        return tally.result()
    paid: dict[Coin, set[int]] = {}
    for event in payments:
        paid.setdefault(event.coin, set()).add(hour_of(event.at))
    moments = [event.at for event in payments]
    claims = [(each.since, each.until) for each in options.covers if each.family == "funding"]
    spans = _joined(claims or [(min(moments), max(moments))])
    sizes = Sizes(events, reference)
    for coin in sorted(sizes.moments):
        hours = sorted(paid.get(coin, ()))
        for first, last, fill in _held_hours(sizes, coin, spans, paid.get(coin, set())):
            here = hours[bisect_left(hours, first) : bisect_right(hours, last)]
            tally.agree(len(here))
            for begin, end in _gaps(here, first, last):
                _say_missing(tally, sizes, fill, begin, end)
    return tally.result()


def _say_missing(tally: Tally, sizes: Sizes, fill: ev.Filled, begin: int, end: int) -> None:
    """Name a run of hours without a payment, unless the venue published no rate in them."""
    hours = range(begin, end + 1, HOUR)
    count = len(hours) - sum(hole in hours for hole in HOLES)
    if not count:
        return
    held = sizes.before(fill.coin, begin)
    assert held is not None
    size = canonical(held[0])
    tally.differ(
        fill,
        count=count,
        expected=f"{count} payment(s) on {size} {fill.coin}",
        observed="none",
        text=f"{fill.coin}: a position of {size} was held, and no funding payment is recorded "
        f"for {count} hour(s) from {begin} to {end}",
    )


def _held_hours(
    sizes: Sizes, coin: Coin, spans: list[tuple[int, int]], paid: set[int]
) -> Iterator[tuple[int, int, ev.Filled]]:
    """Yield runs of hours inside *spans* before which a position was held, and the fill behind.

    A span that begins inside an hour says nothing of it, unless its payment is recorded.
    """
    moments = sizes.moments[coin]
    for index, fill in enumerate(sizes.events[coin]):
        if not sizes.sizes[coin][index + 1]:
            continue
        ends = moments[index + 1] if index + 1 < len(moments) else None
        for since, until in spans:
            begin = hour_of(since) if hour_of(since) in paid else hour_of(since - 1) + HOUR
            first = max(hour_of(fill.at) + HOUR, begin, HOURLY_SINCE)
            last = hour_of(until if ends is None else min(until, ends))
            if first <= last:
                yield first, last, fill


def _gaps(hours: list[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of full hours from *first* to *last* that are not among sorted *hours*."""
    expected = first
    for hour in (*hours, last + HOUR):
        if hour > expected:
            yield expected, hour - HOUR
        expected = hour + HOUR


def _joined(spans: list[tuple[Millis, Millis]]) -> list[tuple[int, int]]:
    """Return intervals without overlaps, so that no hour is asked twice."""
    joined: list[tuple[int, int]] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined


def funding_amount(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Ask of every payment whether a price on the market's grid gives it, cut off at six places.

    −size × oracle price × rate, truncated. The price is not in the record; so a payment can be
    judged only when its size leaves room for few prices, and is counted unknown otherwise. Which
    side pays needs no price: a positive rate is paid by who is long.
    """
    tally = Tally("funding-amount")
    for event in events:
        if not isinstance(event, ev.FundingPaid):
            continue
        known = reference.size_places.get(event.coin)
        per_price = abs(event.size * event.rate)
        if event.at < HOURLY_SINCE:
            tally.unknown("charged on an averaged size (2023)")
        elif not per_price or not event.usdc:
            tally.unknown("nothing was charged")
        elif not _is_sign_right(event):
            _say_wrong_side(tally, event)
        elif known is None:
            tally.unknown("the price grid of its market is not known")
        elif per_price * unscaled(1, PERP_MONEY - known) < unscaled(1, PERP_MONEY):
            tally.unknown("too small to tell")
        else:
            _judge_amount(tally, event, per_price, grid=PERP_MONEY - known)
    return tally.result()


def _judge_amount(tally: Tally, event: ev.FundingPaid, per_price: Decimal, *, grid: int) -> None:
    charged, tick = abs(event.usdc), unscaled(1, grid)
    nearest = divide_down(charged, per_price, grid)
    price = nearest if nearest * per_price >= charged else nearest + tick
    if round_down(price * per_price, PERP_MONEY) == charged:
        tally.agree()
        return
    tally.differ(
        event,
        expected=round_down(price * per_price, PERP_MONEY),
        observed=charged,
        text=f"{event.coin}: no oracle price on the grid gives a payment of "
        f"{canonical(event.usdc)} on {canonical(event.size)} at {canonical(event.rate)}",
    )


def _is_sign_right(event: ev.FundingPaid) -> bool:
    return (event.usdc < 0) == ((event.size > 0) == (event.rate > 0))


def _say_wrong_side(tally: Tally, event: ev.FundingPaid) -> None:
    tally.differ(
        event,
        expected=-event.usdc,
        observed=event.usdc,
        severity="error",
        text=f"{event.coin}: on {canonical(event.size)} at a rate of {canonical(event.rate)} "
        f"funding is {'paid' if event.usdc > 0 else 'received'}, the record says "
        f"{canonical(event.usdc)}",
    )


def funding_rate(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Recompute every hourly rate of the main exchange from its premium P.

    (P + clamp(0.0001 − P, −0.0005, 0.0005)) ÷ 8, at most 4 % an hour. **Source**: 37,962 of 37,962
    recorded rows of BTC and ETH since 2023-12-12; within 5e-11, for the premium is rounded.
    """
    tally = Tally("funding-rate")
    for event in events:
        if not isinstance(event, ev.FundingRateSet):
            continue
        if event.premium is None:
            tally.unknown("no premium is recorded")
        elif event.at < RULE_SINCE:
            tally.unknown("before the rule in force (2023-12-12)")
        elif dex_of(event.coin):
            tally.unknown("exchanges of others set their own multipliers")
        else:
            expected = hourly_rate(event.premium)
            if abs(expected - event.rate) <= RATE_TOLERANCE:
                tally.agree()
            else:
                tally.differ(
                    event,
                    expected=expected,
                    observed=event.rate,
                    text=f"{event.coin}: a premium of {canonical(event.premium)} gives a rate of "
                    f"{canonical(expected)}, published was {canonical(event.rate)}",
                )
    return tally.result()


def hourly_rate(premium: Decimal) -> Decimal:
    """Return the hourly funding rate that the rule in force makes of a premium, unrounded."""
    pull = min(max(INTEREST - premium, -CLAMP), CLAMP)
    return min(max((premium + pull) * EIGHTH, -CAP), CAP)


def funding_grid(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Ask whether every hour between the first rate recorded of a market and the last has one."""
    tally = Tally("funding-grid")
    last: dict[Coin, ev.FundingRateSet] = {}
    for event in events:
        if not isinstance(event, ev.FundingRateSet):
            continue
        before = last.get(event.coin)
        last[event.coin] = event
        if before is None or before.at < HOURLY_SINCE - HOUR:
            continue
        missing = range(hour_of(before.at) + HOUR, hour_of(event.at), HOUR)
        if not missing:
            tally.agree()
            continue
        venue = all(hour in HOLES for hour in missing)
        tally.differ(
            event,
            expected=f"a rate every hour after {hour_of(before.at)}",
            observed=f"none until {hour_of(event.at)}",
            others=(before,),
            severity="note" if venue else "warning",
            text=f"{event.coin}: no rate for {len(missing)} hour(s) after {hour_of(before.at)}"
            + ("; the venue published none" if venue else ""),
        )
    return tally.result()


__all__ = [
    "Sizes",
    "funding_amount",
    "funding_grid",
    "funding_presence",
    "funding_rate",
    "funding_size",
    "hourly_rate",
]
