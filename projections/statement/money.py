"""Money: the equity of an account at both ends of a period, and every cause of the difference.

**Definitions**, for one token or position with quantity ``q0`` at the opening and ``q1`` at the
closing, last recorded prices ``p0`` and ``p1`` of these moments, and activity ``f``:

- opening equity = q0 × p0, closing equity = q1 × p1; a position is its signed size × mark, beside
  the money of its exchange, which is a token of its own;
- trading = Σ f × p1: what was bought and sold, at the closing price, and what was paid and received
  for it. So it is the result of the period's trades up to its end. Liquidations are trades like
  others: what they closed at a loss was bought by another trade, or is in the price change;
- any other cause = Σ f × p, with the price last recorded when it moved;
- price change = q0 × (p1 − p0) + Σ f × (p1 − p) over all but trades: what prices did to what was
  there, and to what came in or went without a trade, since then;
- unexplained = closing equity − all of these. It is u × p1 where u is the unexplained quantity:
  nothing, unless an opening set a balance or the venue stated another position.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger.money import ZERO
from projections.arithmetic import EXACT
from projections.flows import CAUSES, TRADES, UNEXPLAINED, Cause
from projections.statement.quantities import Key
from projections.valuation import change_of_price, worth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.statement.quantities import Row

VALUED_THEN: Final[tuple[Cause, ...]] = tuple(
    cause for cause in CAUSES if cause not in TRADES and cause not in {"moved inside", UNEXPLAINED}
)
"""Causes whose amounts are worth what they were when they moved."""


@attrs.frozen(kw_only=True)
class Term:
    """An amount of money, or what is missing to know it."""

    value: Decimal | None
    missing: tuple[str, ...] = ()
    """What would have to be recorded; empty where the value is known."""

    def plus(self, other: Term) -> Term:
        """Return the sum; unknown where a part is."""
        if self.value is None or other.value is None:
            both = dict.fromkeys((*self.missing, *other.missing))
            return Term(value=None, missing=tuple(both))
        return Term(value=self.value + other.value)


NOTHING: Final = Term(value=ZERO)

Worths: TypeAlias = Mapping[Cause, Term]


@attrs.frozen(kw_only=True)
class Line:
    """Equity in one token or position, or in all: two ends and the causes between them."""

    thing: Key | None
    """None in a sum."""
    opening: Term
    causes: tuple[tuple[Cause, Term], ...]
    """In the order of ``CAUSES``, without what is nothing."""
    price_change: Term
    unexplained: Term
    closing: Term

    def of(self, cause: Cause) -> Term:
        """Return the term of one cause."""
        return dict(self.causes).get(cause, NOTHING)


def money_line(row: Row, then: Worths, *, opening: Term, closing: Term) -> Line:
    """Return the equity in one token or position; *row* is its sum over places and accounts.

    *then* is what each cause's amounts were worth when they moved, *opening* and *closing* the
    prices at both ends. Must be called in the exact context.
    """
    name, p0, p1 = row.asset, opening, closing
    q0 = _quantity(row.opening, f"what there was of {name} at the opening")
    q1 = _quantity(row.closing, f"what there was of {name} at the closing")
    causes: dict[Cause, Term] = {}
    other = NOTHING
    moved = ZERO
    traded = sum((amount for cause, amount in row.flows if cause in TRADES), ZERO)
    causes["trading"] = _times(Term(value=traded), p1)
    for cause in VALUED_THEN:
        amount = row.of(cause)
        if amount or cause in then:
            causes[cause] = then[cause]
            other, moved = other.plus(then[cause]), moved + amount
    price_change = _price_change(q0, p0, p1, moved=Term(value=moved), then=other)
    first, last = _times(q0, p0), _times(q1, p1)
    explained = first.plus(price_change)
    for term in causes.values():
        explained = explained.plus(term)
    return Line(
        thing=(row.place, row.asset),
        opening=first,
        causes=tuple((cause, causes[cause]) for cause in CAUSES if _says(causes.get(cause))),
        price_change=price_change,
        unexplained=last.plus(_negative(explained)),
        closing=last,
    )


def sum_of(lines: Iterable[Line]) -> Line:
    """Return the equity in all tokens and positions together; unknown where a part is."""
    opening = change = unexplained = closing = NOTHING
    causes: dict[Cause, Term] = {}
    for line in lines:
        opening, closing = opening.plus(line.opening), closing.plus(line.closing)
        change, unexplained = change.plus(line.price_change), unexplained.plus(line.unexplained)
        for cause, term in line.causes:
            causes[cause] = causes.get(cause, NOTHING).plus(term)
    return Line(
        thing=None,
        opening=opening,
        causes=tuple((cause, causes[cause]) for cause in CAUSES if cause in causes),
        price_change=change,
        unexplained=unexplained,
        closing=closing,
    )


def _price_change(q0: Term, p0: Term, p1: Term, *, moved: Term, then: Term) -> Term:
    """Return q0 × (p1 − p0) + what moved × p1 − what it was worth then.

    The closing price is not asked for where nothing hangs on it.
    """
    if q0.value is None or then.value is None or moved.value is None:
        return q0.plus(then)
    needs_last = bool(q0.value + moved.value)
    if (needs_last and p1.value is None) or (q0.value and p0.value is None):
        return _times(q0, p0).plus(_times(q0.plus(moved), p1))
    first, last = p0.value or ZERO, p1.value or ZERO
    held = change_of_price(EXACT, q0.value, first, last)
    return Term(value=held + worth(EXACT, moved.value, last) - then.value)


def _quantity(value: Decimal | None, name: str) -> Term:
    return Term(value=None, missing=(name,)) if value is None else Term(value=value)


def _times(amount: Term, price: Term) -> Term:
    """Return amount × price; nothing of something is worth nothing at any price."""
    if amount.value == ZERO:
        return NOTHING
    if amount.value is None or price.value is None:
        return Term(value=None, missing=amount.missing or price.missing)
    return Term(value=worth(EXACT, amount.value, price.value))


def _negative(term: Term) -> Term:
    return term if term.value is None else Term(value=-term.value)


def _says(term: Term | None) -> bool:
    return term is not None and (term.value is None or bool(term.value))
