"""Sources: what the ratio before a liquidation comes to under each mark that records allow.

A mark is recorded with the market's prices, it follows from the account's own states, and the fills
of the liquidation carry the one the venue used. They differ by age and by source; nothing says
which of them the venue judged by, but for the fills' own.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

import attrs

from ledger.errors import NotInForce, UnclearQuestion
from ledger.money import exact
from ledger.units import Coin, Millis
from projections.arithmetic import EXACT
from projections.margin import Input
from projections.margin.supposed import SupposedPrice
from replay.dispute.verdicts import condition_held
from replay.margin_report import shown
from replay.moments import iso
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from replay.dispute.taking import Taken
    from replay.margin import Assembler, MarginAt

COMBINATIONS_MAX: Final = 64
"""More ways to choose a mark for each market than this are tried market by market only."""


class Mark(NamedTuple):
    """One mark of a market, and where it is from."""

    coin: Coin
    source: str
    px: Decimal
    at: Millis


class Outcome(NamedTuple):
    """What a choice of marks leads to."""

    marks: tuple[Mark, ...]
    ratio: Decimal | None
    held: bool | None


@attrs.frozen(kw_only=True)
class Sources:
    """Every mark the records allow, and what each choice of them leads to."""

    at: Millis
    marks: tuple[Mark, ...]
    outcomes: tuple[Outcome, ...]
    is_whole: bool
    """Whether all choices were tried, not only market by market."""

    @property
    def changes(self) -> bool | None:
        """Whether the verdict hangs on the choice; None where one of them is unknown."""
        said = {each.held for each in self.outcomes}
        return None if None in said else len(said) > 1

    @property
    def text(self) -> str:
        """One line with the range of the ratio."""
        ratios = [each.ratio for each in self.outcomes if each.ratio is not None]
        if len(self.outcomes) < 2:
            return "one mark of each market is recorded"
        span = f"ratio from {shown(min(ratios))} to {shown(max(ratios))}" if ratios else UNKNOWN
        if ratios and min(ratios) == max(ratios):
            span = f"one ratio, {shown(ratios[0])}"
        how = "" if self.is_whole else ", one market at a time"
        return f"{len(self.marks)} marks, {len(self.outcomes)} choices{how}, {span}"

    @property
    def table(self) -> Table:
        """One line per mark, with the ratio where that one alone is taken."""
        words = {True: "held", False: "did not hold", None: UNKNOWN}
        alone = {each.marks[0]: each for each in self.outcomes if len(each.marks) == 1}
        return Table(
            title=f"Marks by source at {iso(self.at)}",
            columns=("market", "source", "mark", "recorded_at", "ratio_with_it", "condition"),
            rows=tuple(
                (mark.coin, mark.source, shown(mark.px), iso(mark.at),
                 shown(alone[mark].ratio) if alone[mark].ratio is not None else UNKNOWN,
                 words[alone[mark].held])
                for mark in self.marks if mark in alone
            ),
            numbers=frozenset({"mark", "ratio_with_it"}),
            empty="no position has a mark",
        )  # fmt: skip


def price_sources(
    of: Assembler, before: MarginAt, taken: Sequence[Taken], first_at: Millis
) -> Sources:
    """Return what each mark allowed by the records leads to in the millisecond before."""
    at = Millis(first_at - 1)
    told = {each.coin: each.mark for each in taken if each.mark is not None}
    coins = [
        each.coin
        for side in before.margin.picture.exchanges
        for each in side.positions
        if isinstance(each.size, Input) and each.size.value
    ]
    by_coin = {coin: list(_marks(of, coin, at, told.get(coin), first_at)) for coin in coins}
    by_coin = {coin: marks for coin, marks in by_coin.items() if marks}
    every = tuple(mark for marks in by_coin.values() for mark in marks)
    choices: list[tuple[Mark, ...]] = [(mark,) for mark in every]
    count = 1
    for marks in by_coin.values():
        count *= len(marks)
    is_whole = count <= COMBINATIONS_MAX
    if is_whole and len(by_coin) > 1:
        choices += list(product(*by_coin.values()))
    closed = [each.coin for each in taken]
    return Sources(
        at=at, marks=every, is_whole=is_whole,
        outcomes=tuple(_outcome(of, at, choice, closed) for choice in choices),
    )  # fmt: skip


def _marks(
    of: Assembler, coin: Coin, at: Millis, told: Decimal | None, first_at: Millis
) -> Iterator[Mark]:
    known = of.recorded.price(coin, "mark", at)
    if known is not None:
        yield Mark(coin, known[0].via, known[0].px, known[0].at)
    states = [
        (found.event.at, row)
        for found in of.recorded.perps_at(at).values()
        for row in found.event.positions
        if row.coin == coin and row.value is not None and row.size
    ]
    for moment, row in states:
        if row.value is not None:
            with exact():
                px = EXACT.ratio(row.value, abs(row.size))
            yield Mark(coin, "implied by the account's state", px, moment)
    if told is not None:
        yield Mark(coin, "fills of the liquidation", told, first_at)


def _outcome(
    of: Assembler, at: Millis, marks: tuple[Mark, ...], closed: Collection[Coin]
) -> Outcome:
    prices = tuple(SupposedPrice(coin=each.coin, px=each.px, measures=("mark",)) for each in marks)
    asked = of.question
    of.question = attrs.evolve(asked, prices=(*asked.prices, *prices))
    try:
        margin = of.at(at).margin
    except (NotInForce, UnclearQuestion):
        return Outcome(marks, None, None)
    finally:
        of.question = asked
    ratio = margin.judgements[0].ratio
    return Outcome(marks, None if ratio is None else ratio.value, condition_held(margin, closed))
