"""Inside: whether a liquidation's condition hangs on the order inside the instant that took it.

The condition is judged in the millisecond before the first fill. Prices and other events of the
fill's own millisecond may have come before it; where some admissible order of them turns the
verdict on what was taken, whether the condition held is unknown, and hangs on the order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger import events as ev
from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from ledger.units import Millis
from projections.liquidations import Episode, is_liquidation
from projections.margin import judge
from projections.margin.picture import SINGLE_BALANCE
from projections.rulebooks import by_id
from replay.dispute import orders
from replay.dispute.verdicts import condition_held

if TYPE_CHECKING:
    from ledger.events import Event
    from ledger.units import Coin
    from projections.margin import Margin
    from replay.margin import Assembler

Hangs: TypeAlias = Literal["yes", "no", "unknown"]

HANGS_ON_ORDER: Final = "hangs on the order inside its millisecond"


@attrs.frozen(kw_only=True)
class Inside:
    """What the instant of a liquidation leaves open."""

    range: orders.Range | None
    """The account's ratio just before the first fill, over all admissible orders."""
    changes: Hangs
    """Whether the verdict on what was taken hangs on the order; ``unknown`` from a bound alone."""
    is_judged: bool = True
    """Whether the instant could be taken apart at all."""


def inside(of: Assembler, episode: Episode, before: Margin) -> Inside:
    """Return what the order inside the first millisecond of a liquidation leaves open.

    *before* is margin in the millisecond before. Where the instant cannot be judged, the
    millisecond before stands alone.
    """
    try:
        found = orders.instant(of, episode.first_at)
    except (NotInForce, UnclearQuestion, UnknownKind):
        return Inside(range=None, changes="no", is_judged=False)
    first = next(
        (number for number, item in enumerate(found.items)
         if isinstance(item.event, ev.Filled) and is_liquidation(item.event)), None,
    )  # fmt: skip
    try:
        span = orders.ratio_range(of, found, first)
    except (NotInForce, UnclearQuestion, UnknownKind):
        span = None
    sets = orders.sets_before(found, first)
    if sets is None:
        return Inside(range=span, changes=_by_bound(of, span, before, episode))
    coins = [coin for coin, _ in episode.closed]
    own = _isolated(before)
    said = {condition_held(before, coins)}
    asked = of.question
    for done in sets:
        if any(_moves(found.items[number].event, own & set(coins)) for number in done):
            said.add(None)  # what it did to the margin of a position of its own is not recorded
            continue
        mixed = found.mixed(done)
        margin = judge(of.picture_of(mixed.made), (mixed.book,), readings=asked.readings,
                       workings=False, alternatives=False, calendar=asked.calendar)  # fmt: skip
        said.add(condition_held(margin, coins))
    if len(before.judgements) > 1 or said == {None}:
        return Inside(range=span, changes="no")  # unknown already, and not for the order
    if None in said:
        return Inside(range=span, changes="unknown")
    return Inside(range=span, changes="no" if len(said) == 1 else "yes")


def _by_bound(of: Assembler, span: orders.Range | None, before: Margin, episode: Episode) -> Hangs:
    """Return what a bound of the ratio says: ``no``, or that it is unknown.

    A position with a margin of its own is not judged by the account's ratio.
    """
    if span is None or any(coin in _isolated(before) for coin, _ in episode.closed):
        return "unknown"
    return order_changes(of, span, before)


def _isolated(before: Margin) -> set[Coin]:
    """Return the markets of positions with a margin of their own."""
    return {
        each.coin
        for judgement in before.judgements
        for side in judgement.exchanges
        for each in side.positions
        if each.is_isolated
    }


def _moves(event: Event | None, coins: set[Coin]) -> bool:
    return isinstance(event, ev.Filled | ev.FundingPaid) and event.coin in coins


def order_changes(of: Assembler, span: orders.Range, before: Margin) -> Hangs:
    """Return whether the limit of the ratio lies inside its range: ``unknown`` of a bound."""
    if span.lowest == span.highest:
        return "no"
    limit = by_id(before.judgements[0].rulebook, of.question.calendar).trigger.value
    if before.picture.mode not in SINGLE_BALANCE:
        limit = Decimal(1)  # in standard mode maintenance itself is the limit
    is_above = span.highest is None or span.highest > limit
    if (span.lowest > limit) == is_above:
        return "no"
    return "yes" if span.is_exact else "unknown"


def before_it(episode: Episode) -> Millis:
    """Return the instant a liquidation is judged at: the millisecond before its first fill."""
    return Millis(episode.first_at - 1)
