"""Inferred: what must have happened to loans without a record of it, and why; never an event.

A portfolio margin account supplies what is idle and borrows what is short by itself, and the
records need not say so. The identity of one balance does: total = Σ exchange values + supplied +
held − borrowed. What it leaves over is told here, marked as inferred, and nothing recorded is
changed by it. Between two observed states (``automatic``) the amount is exact, where only sums say
so (``shortfalls``) it is the least; see docs/spec/lending.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO, canonical, exact
from ledger.units import Asset, Millis
from projections import chart
from projections.arithmetic import EXACT
from projections.margin.picture import SINGLE_BALANCE, Given, known, missing
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.lending import Side
    from projections.margin.picture import Picture, Token
    from projections.margin.rebuilt import Anchor

Movement: TypeAlias = Literal["supplied", "withdrawn", "borrowed", "repaid"]

SEEN: Final = Decimal("1e-6")
"""The smallest movement that recorded states can show: their fields differ by up to 1e-7."""

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
    is_exact: bool = True
    """False where it is the least that must have moved."""

    @property
    def side(self) -> Side:
        """Which loan moved."""
        return "borrow" if self.what in {"borrowed", "repaid"} else "supply"


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


def automatic(before: Anchor | None, after: Anchor) -> tuple[Inferred, ...]:
    """Return what was lent or borrowed between two observed pictures without a record, exactly.

    None for the first says that the history begins with the account, and that it had nothing.

    The money at hand and on exchanges (total − supplied + borrowed, positions taken out) grows by
    what is recorded and by nothing else, but for loans taken or given back: interest runs in the
    loans alone. So what the records do not explain of it was borrowed, repaid, supplied or
    withdrawn. Which of them, the loans say that moved. Where they did not move (their growth is
    nearer to nothing than to it), a record is missing instead, and nothing is inferred.
    **Units**: the token; amounts up to ``SEEN`` are what the fields of one answer differ by.
    """
    found = []
    with exact():
        for token in after.picture.tokens:
            asset = token.asset
            one = ZERO if before is None else _cash(before.picture, asset)
            two = _cash(after.picture, asset)
            if one is None or two is None:
                continue
            moved = two - one - _recorded(after, asset)
            supplied, borrowed = _unexplained(after, asset)
            if before is not None:
                moved += _recorded(before, asset)
                earlier = _unexplained(before, asset)
                supplied, borrowed = supplied - earlier[0], borrowed - earlier[1]
            loans = borrowed - supplied
            if abs(moved) <= SEEN or abs(loans - moved) >= abs(loans):
                continue
            found.append(
                Inferred(
                    what=_named(moved, supplied, borrowed),
                    asset=asset,
                    amount=abs(moved),
                    since=None if before is None else before.picture.at,
                    until=after.picture.at,
                    why=f"money at hand and on exchanges went from {canonical(one)} to "
                    f"{canonical(two)}; records explain all but {canonical(moved)}",
                )
            )
    return tuple(found)


def _outside_loans(token: Token) -> Decimal | None:
    """Return the money of a token at hand and on exchanges, marked to market; None if unknown."""
    total, supplied, borrowed = (
        known(each) for each in (token.total, token.supplied, token.borrowed)
    )
    if total is None or supplied is None or borrowed is None:
        return None
    return formulas.idle(EXACT, total, [], supplied, ZERO, borrowed)


def _cash(picture: Picture, asset: Asset) -> Decimal | None:
    """Return the money of a token at hand and on exchanges, positions taken out; None if unknown.

    Only pictures of one balance say so: elsewhere a total holds no exchanges and no loans.
    """
    token = picture.token(asset)
    if token is None or picture.mode not in SINGLE_BALANCE:
        return None
    money = _outside_loans(token)
    if money is None:
        return None
    for side in picture.exchanges:
        for each in side.positions if side.collateral == asset else ():
            size, value = known(each.size), known(each.value)
            if size is None or value is None:
                return None
            money -= value if size >= ZERO else -value
    return money


def _recorded(of: Anchor, asset: Asset) -> Decimal:
    """Return the sum of recorded movements of a token at hand and on exchanges."""
    places = [
        amount
        for (place, each), amount in of.balances.items()
        if each == asset and (place == chart.SPOT or place.startswith("perp:"))
    ]
    return sum(places, ZERO)


def _unexplained(anchor: Anchor, asset: Asset) -> tuple[Decimal, Decimal]:
    """Return what is supplied and borrowed beyond what is recorded of it, interest in it."""
    token = anchor.picture.token(asset)
    supplied = known(token.supplied) if token is not None else None
    borrowed = known(token.borrowed) if token is not None else None
    # What is owed is kept negative in the sums.
    return (
        (supplied or ZERO) - anchor.balances.get((chart.SUPPLIED, asset), ZERO),
        (borrowed or ZERO) + anchor.balances.get((chart.BORROWED, asset), ZERO),
    )


def _named(moved: Decimal, supplied: Decimal, borrowed: Decimal) -> Movement:
    """Return which loan a movement of money belongs to: the side that moved by the nearer amount.

    Money that came was borrowed or withdrawn, money that went was repaid or supplied.
    """
    is_debt = abs(borrowed - moved) <= abs(supplied + moved)
    return _MOVED["borrow" if is_debt else "supply", (moved > ZERO) == is_debt]


def _of(given: Given) -> Decimal:
    value = known(given)
    assert value is not None, "missing() was asked"
    return value


def shortfalls(picture: Picture, earlier: Picture | None = None) -> tuple[Inferred, ...]:
    """Return what must have been borrowed in a picture of one balance, beyond what it says.

    Orders and losses borrow by themselves in portfolio margin and need leave no record of it. Money
    at hand and on exchanges can be short of nothing unless that much was borrowed: it is the least,
    for the venue may have borrowed more and kept it on an exchange. Where *earlier*, the state the
    picture's sums begin with, shows money short beside its own debts, the venue let it be so, and
    nothing follows. Where a state of the very moment is recorded, ask ``automatic`` instead.
    """
    if picture.mode != "portfolioMargin":
        return ()
    found = []
    with exact():
        for token in picture.tokens:
            money = _outside_loans(token)
            before = None if earlier is None else earlier.token(token.asset)
            short = None if before is None else _outside_loans(before)
            if money is None or (short is not None and short < ZERO):
                continue
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
                        is_exact=False,
                    )
                )
    return tuple(found)
