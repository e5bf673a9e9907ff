"""Verdicts: whether the condition of one liquidation held, and not another one of the account.

An isolated position is liquidated on its own margin, everything else on the account's: a verdict
about the one says nothing of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from ledger.units import Coin
    from projections.margin import Judgement, Margin

ISOLATED: Final = "isolated margin"
"""How verdicts on positions with a margin of their own are called."""


def condition_held(margin: Margin, coins: Collection[Coin] = ()) -> bool | None:
    """Return whether what took these markets could be taken; None where it is unknown.

    Without markets, whether anything of the account could. Where two rulebooks may hold and differ,
    it is unknown.
    """
    said = {_held(judgement, coins) for judgement in margin.judgements}
    return said.pop() if len(said) == 1 else None


def _held(judgement: Judgement, coins: Collection[Coin]) -> bool | None:
    own = {each.coin: each.is_isolated for side in judgement.exchanges for each in side.positions}
    kinds = {own[coin] for coin in coins if coin in own}
    if len(kinds) != 1:
        return judgement.liquidatable
    is_isolated = kinds.pop()
    answers = [
        each.holds
        for each in judgement.verdicts
        if each.counts
        and each.question.startswith(ISOLATED) == is_isolated
        and (not is_isolated or each.of in coins)
    ]
    if any(answers):
        return True
    return None if None in answers or not answers else False
