"""Picture: everything a judgement of margin rests on at one instant, each number with its source.

A picture is plain values; builders make it from what the venue showed (``observed``) or from what
a history leads to (``rebuilt``). What is missing is ``Unknown`` and carries its name: whatever
needs it is unknown by that name, and never zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO
from ledger.units import Address, Asset, Coin, Dex, Millis

if TYPE_CHECKING:
    from collections.abc import Callable

Mode: TypeAlias = Literal[
    "default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction"
]

STANDARD: Final = frozenset({"default", "disabled", "dexAbstraction"})
"""Modes in which every exchange has its own money."""

SINGLE_BALANCE: Final = frozenset({"unifiedAccount", "portfolioMargin"})
"""Modes in which one balance of a token stands for spot and exchanges, marked to market."""


@attrs.frozen
class Input:
    """A number that goes into a judgement."""

    value: Decimal
    source: str
    """Such as ``spot state``, ``allMids``, ``rulebook 2026-06-23 caps``."""
    at: Millis | None = None
    """The moment it belongs to; None for what has none, such as a constant of a rulebook."""

    def age(self, at: Millis) -> int | None:
        """Return how old it is at an instant, in milliseconds; None without a moment."""
        return None if self.at is None else at - self.at


@attrs.frozen
class Unknown:
    """A number that is missing, by name."""

    name: str


Given: TypeAlias = Input | Unknown


def known(given: Given) -> Decimal | None:
    """Return the value of an input, None when it is missing."""
    return given.value if isinstance(given, Input) else None


def missing(*givens: Given) -> tuple[str, ...]:
    """Return the names of what is missing among inputs, each once, in their order."""
    names = [each.name for each in givens if isinstance(each, Unknown)]
    return tuple(dict.fromkeys(names))


def combined(text: str, rule: Callable[..., Decimal], *givens: Given) -> Given:
    """Return an input made of others; its moment is the oldest, its source says how it was made."""
    values = [each.value for each in givens if isinstance(each, Input)]
    if len(values) < len(givens):
        return Unknown(missing(*givens)[0])
    moments = [each.at for each in givens if isinstance(each, Input) and each.at is not None]
    sources = dict.fromkeys(each.source for each in givens if isinstance(each, Input))
    source = f"{text} ({', '.join(sources)})"
    return Input(rule(*values), source, min(moments) if moments else None)


def nothing(source: str, at: Millis | None = None) -> Input:
    """Return a zero that is known: the source lists all there is, and this is not among it."""
    return Input(ZERO, source, at)


@attrs.frozen(kw_only=True)
class Token:
    """One token of the account. **Units**: the token; prices in USDC, loan to value a ratio."""

    asset: Asset
    total: Given
    """Balance; in unified accounts and portfolio margin net of debt and marked to market."""
    supplied: Given
    borrowed: Given
    """Gross, not negative."""
    spot_hold: Given
    """Bound by open spot orders."""
    price: Given
    """Oracle price of the token."""
    ltv: Given | None = None
    """Loan to value the venue recorded; None where it said nothing, and the rulebook decides."""


@attrs.frozen(kw_only=True)
class Step:
    """One tier of a margin table: from which notional on which highest leverage holds."""

    lower_bound: Decimal
    max_leverage: Decimal


@attrs.frozen(kw_only=True)
class Position:
    """One perpetual position. **Units**: size in coins, signed; money in the collateral."""

    coin: Coin
    size: Given
    mark: Given
    value: Given
    """|size| × mark, not negative."""
    entry_notional: Given
    leverage: Given
    """As chosen by the account."""
    tiers: tuple[Step, ...] | Unknown
    """The margin table, from the lowest bound up; the first bound is zero."""
    is_isolated: bool = False
    isolated_raw: Given = Unknown("isolated raw money")
    """Raw money of an isolated position."""


@attrs.frozen(kw_only=True)
class Exchange:
    """One perpetuals exchange of the account. **Units**: its collateral."""

    dex: Dex
    collateral: Asset
    raw: Given
    """Raw money, that of isolated positions included."""
    positions: tuple[Position, ...]
    reported_maintenance: Given = Unknown("recorded cross maintenance")
    """What the venue says of cross maintenance; used only where positions do not say."""
    reported_value: Given = Unknown("recorded account value")


@attrs.frozen(kw_only=True)
class Pool:
    """A lending reserve as last recorded, for what can still be borrowed from it."""

    asset: Asset
    balance: Given
    borrowed: Given


@attrs.frozen(kw_only=True)
class Picture:
    """All inputs of a judgement."""

    at: Millis
    account: Address | None
    mode: Mode | None
    """None when it is not known; then nothing can be judged."""
    mode_source: str
    tokens: tuple[Token, ...]
    exchanges: tuple[Exchange, ...]
    pools: tuple[Pool, ...] = ()

    def token(self, asset: Asset) -> Token | None:
        """Return one token; None when the account has none of it."""
        return next((each for each in self.tokens if each.asset == asset), None)

    def with_price(self, asset: Asset, price: Given) -> Picture:
        """Return the same picture with another price of one token."""
        tokens = tuple(
            attrs.evolve(each, price=price) if each.asset == asset else each for each in self.tokens
        )
        return attrs.evolve(self, tokens=tokens)
