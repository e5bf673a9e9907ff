"""Inferred: what must have happened to loans without a record of it, and why; never an event.

A portfolio margin account supplies what is idle and borrows what is short by itself, and the
records need not say so. The identity of one balance does: total = Σ exchange values + supplied +
held − borrowed. What it leaves over is told here, marked as inferred, and nothing recorded is
changed by it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO, canonical, exact
from ledger.units import Asset, Millis
from projections.arithmetic import EXACT
from projections.margin.picture import Given, Input, known, missing
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.lending import Side
    from projections.margin.picture import Picture

Movement: TypeAlias = Literal["supplied", "withdrawn", "borrowed", "repaid"]

_MOVED: Final[Mapping[tuple[str, bool], Movement]] = {
    ("supply", True): "supplied", ("supply", False): "withdrawn",
    ("borrow", True): "borrowed", ("borrow", False): "repaid",
}  # fmt: skip


@attrs.frozen(kw_only=True)
class Inferred:
    """A movement that follows from other numbers. **Units**: the token; always positive."""

    what: Movement
    asset: Asset
    amount: Decimal
    since: Millis | None
    """Not before; None when only the instant of the identity is known."""
    until: Millis
    why: str


def idle(
    asset: Asset,
    at: Millis,
    *,
    total: Given,
    values: Sequence[Given],
    supplied: Given,
    borrowed: Given,
    held: Given,
) -> Inferred | tuple[str, ...] | None:
    """Return what the identity of one balance leaves over, None when nothing.

    *values* are those of the exchanges that settle in the token. Names of what is missing are
    returned instead where the identity cannot be written.
    """
    lacks = missing(total, supplied, borrowed, held, *values)
    if lacks:
        return lacks
    with exact():
        left = formulas.idle(
            EXACT, _of(total), [_of(each) for each in values], _of(supplied), _of(held),
            _of(borrowed),
        )  # fmt: skip
    if not left:
        return None
    return Inferred(
        what="supplied" if left > ZERO else "borrowed",
        asset=asset,
        amount=abs(left),
        since=None,
        until=at,
        why=f"total {canonical(_of(total))} − exchanges − supplied − held + borrowed leaves "
        f"{canonical(left)}",
    )


def _of(given: Given) -> Decimal:
    value = known(given)
    assert value is not None, "missing() was asked"
    return value


def between(
    before: Picture, after: Picture, explained: Mapping[tuple[Asset, Side], Decimal]
) -> tuple[Inferred, ...]:
    """Return movements of loans between two pictures that *explained* does not cover.

    *explained* is, by token and side, what recorded operations and interest moved in between.
    """
    found = []
    with exact():
        for token in after.tokens:
            earlier = before.token(token.asset)
            if earlier is None:
                continue
            pairs: tuple[tuple[Side, Given, Given], ...] = (
                ("supply", earlier.supplied, token.supplied),
                ("borrow", earlier.borrowed, token.borrowed),
            )
            for side, one, two in pairs:
                if not (isinstance(one, Input) and isinstance(two, Input)):
                    continue
                told = explained.get((token.asset, side), ZERO)
                left = two.value - one.value - told
                if left:
                    found.append(
                        Inferred(
                            what=_MOVED[side, left > ZERO],
                            asset=token.asset,
                            amount=abs(left),
                            since=before.at,
                            until=after.at,
                            why=f"{side} went from {canonical(one.value)} to "
                            f"{canonical(two.value)}; records explain {canonical(told)}",
                        )
                    )
    return tuple(found)


def shortfalls(picture: Picture) -> tuple[Inferred, ...]:
    """Return what must have been borrowed in a picture of one balance, beyond what it says.

    Orders and losses borrow by themselves in portfolio margin and need leave no record of it. Money
    at hand and on exchanges can be short of nothing unless that much was borrowed: it is the least,
    for the venue may have borrowed more and kept it on an exchange.
    """
    if picture.mode != "portfolioMargin":
        return ()
    found = []
    with exact():
        for token in picture.tokens:
            total, supplied, borrowed = (
                known(each) for each in (token.total, token.supplied, token.borrowed)
            )
            if total is None or supplied is None or borrowed is None:
                continue
            money = formulas.idle(EXACT, total, [], supplied, ZERO, borrowed)
            if money < ZERO:
                found.append(
                    Inferred(
                        what="borrowed",
                        asset=token.asset,
                        amount=ZERO - money,
                        since=None,
                        until=picture.at,
                        why=f"at hand and on exchanges there is {canonical(money)}; at least what "
                        "is short was borrowed",
                    )
                )
    return tuple(found)
