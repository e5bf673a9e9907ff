"""Supply yield: what lending earned over a period, as amount, simple and effective yearly rate.

The amount by rule is the interest of the time whose rates are known; by rows, what the venue
reported. The simple rate is earned ÷ (mean balance × time), yearly; the effective rate is what the
simple one comes to when it runs on, continuously, for a year: ``exp(simple) − 1``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger import events as ev
from ledger.money import ZERO, divide_half_even, exact
from ledger.units import Asset, Millis
from projections.arithmetic import EXACT
from projections.lending import Segment, Side, walk
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Event
    from projections.lending import Rates
    from projections.reference import Reference

PLACES: Final = 10


@attrs.frozen(kw_only=True)
class Yield:
    """What one side of one reserve earned or cost over a period. **Units**: the token; ratios."""

    asset: Asset
    side: Side
    since: Millis
    until: Millis
    amount: Decimal
    """By rule, over the time whose rates are known."""
    rows: Decimal
    """By the venue's hourly rows."""
    simple: Decimal | None
    """Yearly, by rule; None when no rate is known."""
    effective: Decimal | None
    """Yearly, running on continuously."""
    simple_of_rows: Decimal | None
    """Yearly, by rows, on the same balances; None without rows."""
    covered: Decimal
    """Share of the time with a balance whose rates are known."""
    time_ms: int
    """How long there was a balance."""


def supply_yield(
    events: Sequence[Event],
    known: Rates,
    asset: Asset,
    *,
    since: Millis,
    until: Millis,
    side: Side = "supply",
    reference: Reference | None = None,
) -> Yield:
    """Return the yield of one token from *since* to *until*.

    **Order**: effective order of the account's own events.
    """
    way = walk(events, known, until, reference)
    with exact():
        parts = [
            part
            for each in way.segments.get((asset, side), ())
            if (part := _within(each, since, until)) is not None
        ]
        rows = sum(
            (
                event.supply if side == "supply" else event.borrow
                for event in events
                if isinstance(event, ev.InterestAccrued)
                and event.asset == asset
                and since < event.at <= until
            ),
            ZERO,
        )
        covered = [part for part in parts if part.rate is not None]
        amount = sum((part.interest for part in covered), ZERO)
        time_ms = sum(part.until - part.since for part in parts)
        known_ms = sum(part.until - part.since for part in covered)
        simple = _simple(amount, covered)
        return Yield(
            asset=asset,
            side=side,
            since=since,
            until=until,
            amount=amount,
            rows=rows,
            simple=simple,
            effective=None if simple is None else formulas.effective_rate(EXACT, simple),
            simple_of_rows=_simple(rows, parts) if rows else None,
            covered=_share(known_ms, time_ms),
            time_ms=time_ms,
        )


def _share(part: int, whole: int) -> Decimal:
    return divide_half_even(Decimal(part), Decimal(whole), PLACES) if whole else ZERO


def _simple(earned: Decimal, parts: Sequence[Segment]) -> Decimal | None:
    """Return earned ÷ Σ (mean value × time), yearly; the mean of both ends of each stretch."""
    weight = sum(
        (formulas.mean_value(EXACT, part.value, part.interest) * (part.until - part.since)
         for part in parts),
        ZERO,
    )  # fmt: skip
    return formulas.simple_rate(EXACT, earned, weight) if weight else None


def _within(part: Segment, since: Millis, until: Millis) -> Segment | None:
    """Return the part of a segment inside a period; interest is split by time."""
    start, end = max(part.since, since), min(part.until, until)
    if end <= start:
        return None
    if (start, end) == (part.since, part.until) or part.rate is None:
        return part._replace(since=start, until=end)
    value = formulas.grown(EXACT, part.value, part.rate, Decimal(start - part.since), PLACES)
    after = formulas.grown(EXACT, part.value, part.rate, Decimal(end - part.since), PLACES)
    return Segment(start, end, value, part.rate, after - value)
