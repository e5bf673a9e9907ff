"""Taking: what a liquidation took of each market, held against what the documents allow.

A fifth of a large position may be sent at one moment; in the thirty seconds after a moment at
which anything of the account was taken, the whole. What no record says is None.

**Source**: the venue's page on liquidations. Status: documented.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import attrs

from ledger import events as ev
from ledger.codec import event_id
from ledger.entries import AsOf
from ledger.money import ZERO, exact, places, unscaled
from ledger.units import Asset, Coin, Millis
from projections import positions
from projections.arithmetic import EXACT
from projections.liquidations import EPISODE_GAP, Episode, is_liquidation
from projections.postings import is_perp, paid
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replay.margin import Assembler, MarginAt


@attrs.frozen(kw_only=True)
class Taken:
    """What a liquidation took of one market. **Units**: coins, quote per coin, collateral."""

    coin: Coin
    before: Decimal | None
    """Signed size just before; None where it is not known."""
    is_derived: bool
    """Whether only the liquidation's own first fill says what was there before it."""
    taken: Decimal
    """Signed: negative where a long was sold."""
    average: Decimal
    """Average price of the fills."""
    mark: Decimal | None
    """The venue's mark, as its fills carry it."""
    bankruptcy: Decimal | None
    """The mark at which nothing is left of the account, everything else standing still."""
    fees: Decimal | None
    at: Millis
    """The moment of its first fills, or of those that exceed what is allowed."""
    at_once: Decimal
    """What was taken at that moment, unsigned."""
    allowed: Decimal | None
    """What the documents let the venue send then; None where that is unknown."""
    lot: Decimal
    """The smallest size of the market, a fifth may be rounded to it; without metadata as seen."""

    @property
    def against_mark(self) -> Decimal | None:
        """What the account got less (negative) or more than the mark, before fees."""
        if self.mark is None:
            return None
        with exact():
            return (self.mark - self.average) * self.taken

    @property
    def is_more(self) -> bool:
        """Whether more was taken at one moment than the documents say."""
        if self.allowed is None:
            return False
        with exact():
            return self.at_once > self.allowed + self.lot


def taken_of(of: Assembler, episode: Episode, before: MarginAt | None) -> Iterator[Taken]:
    """Yield what a liquidation took, market by market, in name order."""
    engine, stream = of.engine, of.history.stream
    events = [
        event
        for event in engine.events(stream, of.position, Millis(episode.last_at))
        if event.at >= episode.first_at
    ]
    every = [each for each in events if isinstance(each, ev.Filled) and is_liquidation(each)]
    with exact():
        for coin, size in episode.closed:
            fills = [event for event in every if event.coin == coin]
            start, is_derived = _held_before(of, fills[0], every)
            mark = next((each.liquidation_mark for each in fills
                         if each.liquidation_mark is not None), None)  # fmt: skip
            count = of.reference.size_places.get(coin, max(places(each.sz) for each in fills))
            lot = unscaled(1, count)
            blocks = list(_blocks(of, fills, start))
            worst = next((each for each in blocks if _exceeds(each, lot)), blocks[0])
            yield Taken(
                coin=coin,
                before=start,
                is_derived=is_derived,
                taken=size,
                average=_average(fills),
                mark=mark,
                bankruptcy=_bankruptcy(coin, start, mark, before),
                fees=_fees(fills),
                at=worst.at,
                at_once=worst.taken,
                allowed=worst.allowed,
                lot=lot,
            )


def _held_before(
    of: Assembler, first: ev.Filled, every: Sequence[ev.Filled]
) -> tuple[Decimal | None, bool]:
    """Return the size just before a market's first fill, and whether only that fill says so."""
    as_of = AsOf(effective=Millis(first.at - 1), position=of.position)
    held = of.engine.states(of.history.stream, as_of).states.state(positions.NAME).by_key
    known = held.get(positions.key(first.coin, of.reference))
    stated = first.start_position
    if known is None:
        return stated, True
    start = positions.stated_size(known)
    if stated is None or positions.agrees(start, stated, digits=positions.SHEET_DIGITS):
        return start, False
    own = {event_id(each) for each in every}
    others = any(
        isinstance(each, ev.Filled) and event_id(each) not in own and each.at == first.at
        for each in of.engine.events(of.history.stream, of.position, first.at)
    )
    return stated, not others


class _Block(NamedTuple):
    """What was taken of one market at one moment, unsigned, and what was allowed."""

    at: Millis
    taken: Decimal
    allowed: Decimal | None


def _exceeds(block: _Block, lot: Decimal) -> bool:
    return block.allowed is not None and block.taken > block.allowed + lot


def _blocks(of: Assembler, fills: Sequence[ev.Filled], start: Decimal | None) -> Iterator[_Block]:
    """Yield what was taken moment by moment.

    Of a large position a fifth is sent at first; after a moment at which anything of the account
    was taken, the whole is, for thirty seconds. Between thirty and sixty seconds after, the
    documents leave open which of the two holds.
    """
    moments = [
        event.at
        for event in of.engine.events(of.history.stream, of.position, fills[-1].at)
        if isinstance(event, ev.Filled) and is_liquidation(event)
    ]
    left = None if start is None else abs(start)
    for at in sorted({each.at for each in fills}):
        here = [each for each in fills if each.at == at]
        taken = sum((each.sz for each in here), ZERO)
        since = min((at - each for each in moments if each < at), default=None)
        yield _Block(at, taken, _allowed(left, here, since))
        left = None if left is None else max(left - taken, ZERO)


def _average(fills: Sequence[ev.Filled]) -> Decimal:
    value = sum((paid(each) for each in fills), ZERO)
    return EXACT.ratio(value, sum((each.sz for each in fills), ZERO))


def _fees(fills: Sequence[ev.Filled]) -> Decimal | None:
    if any(each.fee is None for each in fills):
        return None
    return sum((each.fee or ZERO for each in fills), ZERO)


def _bankruptcy(
    coin: Coin, size: Decimal | None, mark: Decimal | None, before: MarginAt | None
) -> Decimal | None:
    """Return the mark at which nothing stands against the requirement any more."""
    if before is None or not size or mark is None:
        return None
    judgement = before.margin.judgements[0]
    value: Decimal | None = None
    ratio = judgement.ratio
    if ratio is not None and (token := judgement.token(Asset(ratio.of))) is not None:
        value = (token.liquidation_value or token.net).value
    own = [each.mark for side in judgement.exchanges for each in side.positions
           if each.coin == coin]  # fmt: skip
    if value is None or not own or own[0] is None:
        return None
    side = Decimal(1 if size > 0 else -1)
    return formulas.bankruptcy_price(EXACT, own[0], side, value, size)


def _allowed(size: Decimal | None, fills: Sequence[ev.Filled], since: int | None) -> Decimal | None:
    """Return what may be sent at a moment: a part of a large position, else all of it.

    *since* is how long ago anything of the account was taken; None is never.
    """
    if size is None:
        return None
    marks = {each.liquidation_mark for each in fills}
    methods = {each.liquidation_method for each in fills}
    if "backstop" in methods or not is_perp(fills[0].coin):
        return size
    if since is not None and since <= EPISODE_GAP:
        return size
    mark = max((each for each in marks if each is not None), default=None)
    if mark is None:
        return None
    if formulas.over_large(EXACT, size * mark) <= ZERO:
        return size
    if None in methods or (since is not None and since <= 2 * EPISODE_GAP):
        return None
    return formulas.first_order(EXACT, size)
