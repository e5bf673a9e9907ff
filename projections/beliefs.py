"""Beliefs: one instant's figures under several states of knowledge, and what moved them.

A book is written step by step, and every step may change what is thought of an instant. The figures
before the first step, and after each, are *stages*; what one step did to a figure is the figure
after it less the figure before it. So the shares of all steps add up to the whole difference, to
the last digit, whatever the steps are: an opening that steps back, a row that is set aside because
a better source of it arrived, a correction of a correction.

**Order.** A share depends on the order of the steps; that is the order of recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO, exact
from ledger.units import Digest, EventId, Millis
from projections import balances, fees, funding, positions
from projections.chart import IN_TRANSIT, is_own
from projections.fold import States, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.units import Coin

Missing: TypeAlias = Literal["unknown", "none"]
"""A figure that is no number: not known, or not there (the entry price of no position)."""

Value: TypeAlias = Decimal | Missing

Kind: TypeAlias = Literal[
    "new events", "correction", "prices", "metadata", "price source", "rule", "code"
]
"""Why a figure changed.

``new events``: facts recorded later, with the older rows they set aside. ``correction``: a person's
annulment, replacement or opening, a second record that completes or contradicts the first, an order
of one millisecond. ``prices``, ``metadata``: recorded of markets, not of the account. ``price
source``, ``rule``: asked for otherwise. ``code``: this program comes to another figure from the
same records than the one that made the pinned report.
"""

KINDS: Final[tuple[Kind, ...]] = (
    "code", "new events", "correction", "prices", "metadata", "price source", "rule",
)  # fmt: skip
"""Every kind of cause, in the order reports show them."""

UNKNOWN: Final = "unknown"
NONE: Final = "none"

MARGIN: Final = "margin "
"""How the names of margin figures begin."""

_ENTRY: Final = " entry"


@attrs.frozen(kw_only=True)
class Cause:
    """One step: what was learnt, or asked otherwise.

    ``position`` is where in the book it was recorded, None for what was not recorded; ``events``
    the identities, empty where there are many; ``count`` how many rows it brought.
    """

    kind: Kind
    text: str
    position: int | None = None
    recorded: Millis | None = None
    record: Digest | None = None
    place: str = ""
    events: tuple[EventId, ...] = ()
    count: int = 0


@attrs.frozen(kw_only=True)
class Figures:
    """Figures by name; those of a projection that stopped are unknown, whatever their name.

    A figure that is not named is zero: nothing recorded has touched it. The entry price of a
    position that is not there is none, and so is a figure of margin that is not named.
    """

    values: Mapping[str, Value]
    stopped: tuple[str, ...] = ()

    def value(self, name: str) -> Value:
        """Return a figure."""
        found = self.values.get(name)
        if found is not None:
            return found
        if name.partition(" ")[0] in self.stopped:
            return UNKNOWN
        return NONE if name.endswith(_ENTRY) or name.startswith(MARGIN) else ZERO


@attrs.frozen(kw_only=True)
class Stage:
    """What the figures were after one step."""

    cause: Cause
    figures: Figures


@attrs.frozen(kw_only=True)
class Share:
    """What one cause did to a figure; several where the figure was no number between them.

    ``amount`` is after less before, None where one of the two is no number.
    """

    causes: tuple[Cause, ...]
    before: Value
    after: Value
    amount: Decimal | None


@attrs.frozen(kw_only=True)
class Change:
    """One figure at both ends, and what moved it from one to the other."""

    figure: str
    before: Value
    after: Value
    difference: Decimal | None
    """After less before: the sum of all shares. None where one of the two is no number."""
    shares: tuple[Share, ...]

    @property
    def by_kind(self) -> tuple[tuple[Kind, Decimal], ...]:
        """The sum of the shares of every kind; shares of mixed kinds go by their first cause."""
        sums: dict[Kind, Decimal] = {}
        with exact():
            for share in self.shares:
                if share.amount is not None:
                    kind = share.causes[0].kind
                    sums[kind] = sums.get(kind, ZERO) + share.amount
        return tuple((kind, sums[kind]) for kind in KINDS if kind in sums)


def decomposed(first: Figures, stages: Sequence[Stage]) -> tuple[Change, ...]:
    """Return what every figure was at both ends and what each step did to it, by name.

    Where all values are numbers every step is a share of its own, and steps that did nothing are
    left out. From the step at which a figure is no number any more to the one at which it is one
    again, the steps are one share: what each of them did is not known, what they did together is.
    **Order**: *stages* in the order of the steps.
    """
    names = sorted({name for each in (first, *(s.figures for s in stages)) for name in each.values})
    with exact():
        return tuple(_change(name, first, stages) for name in names)


def _change(name: str, first: Figures, stages: Sequence[Stage]) -> Change:
    start = last = before = first.value(name)
    shares = []
    held: list[Cause] = []
    for stage in stages:
        end = stage.figures.value(name)
        # What an unknown figure hides may be moved by a step that leaves it unknown; but a report
        # that says unknown and a program that says unknown say the same.
        if end != last or (end == UNKNOWN and stage.cause.kind != "code"):
            held.append(stage.cause)
        last = end
        if held and isinstance(end, Decimal):
            shares.append(_share(tuple(held), before, end))
            before, held = end, []
    if held and last != before:
        shares.append(_share(tuple(held), before, last))
    return Change(
        figure=name,
        before=start,
        after=last,
        difference=_difference(start, last),
        shares=tuple(shares),
    )


def _share(causes: tuple[Cause, ...], before: Value, after: Value) -> Share:
    return Share(causes=causes, before=before, after=after, amount=_difference(before, after))


def _difference(before: Value, after: Value) -> Decimal | None:
    if isinstance(before, Decimal) and isinstance(after, Decimal):
        return after - before
    return None


# ------------------------------------------------------------------------- figures of states


def figures(states: States) -> Figures:
    """Return the figures of an instant's states, by name.

    ``balance PLACE ASSET``, ``position MARKET size`` (also ``cost``, ``entry``, ``result``),
    ``fee ASSET``, ``funding MARKET``. **Units**: balances and fees in the asset, sizes in the
    market's coin, money of positions and funding in the market's collateral.
    """
    values: dict[str, Value] = {}
    with exact():
        for name, read in _READ:
            held = states.by_name[name]
            if not isinstance(held, Stopped):
                values.update(read(held.by_key))
    stopped = tuple(_WORDS[name] for name, held in states.by_name.items()
                    if isinstance(held, Stopped) and name in _WORDS)  # fmt: skip
    return Figures(values=values, stopped=stopped)


def _balances(held: Mapping[balances.Key, Decimal]) -> Iterator[tuple[str, Value]]:
    for (place, asset), amount in held.items():
        if (is_own(place) or place == IN_TRANSIT) and not place.startswith("position:"):
            head, _, rest = place.partition(":")
            yield f"balance {f'{head} {rest}'.strip()} {asset}", amount


def _positions(held: Mapping[str, positions.Position]) -> Iterator[tuple[str, Value]]:
    for market, each in held.items():
        is_open = bool(each.size or each.unexplained)
        cost, entry = positions.entry_notional(each), positions.entry_price(each)
        is_unknown = bool(each.unknown and not each.realized)
        yield f"position {market} size", positions.size(each)
        yield f"position {market} cost", UNKNOWN if cost is None else cost
        if is_open:
            yield f"position {market}{_ENTRY}", UNKNOWN if entry is None else entry
        yield f"position {market} result", UNKNOWN if is_unknown else positions.realized(each)


def _fees(held: Mapping[str, fees.Fees]) -> Iterator[tuple[str, Value]]:
    for asset, each in held.items():
        yield f"fee {asset}", UNKNOWN if each.unknown and not each.fills else each.total


def _funding(held: Mapping[funding.Key, funding.Funding]) -> Iterator[tuple[str, Value]]:
    sums: dict[Coin, Decimal] = {}
    for (coin, _), each in held.items():
        sums[coin] = sums.get(coin, ZERO) + each.total
    for coin, total in sums.items():
        yield f"funding {coin}", total


_READ: Final = (
    (balances.NAME, _balances),
    (positions.NAME, _positions),
    (fees.NAME, _fees),
    (funding.NAME, _funding),
)

_WORDS: Final = {
    balances.NAME: "balance",
    positions.NAME: "position",
    fees.NAME: "fee",
    funding.NAME: "funding",
}
"""With which word the figures of a projection begin."""


def named(figures: Iterable[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the figures meant by names or their beginnings, in the order of *figures*.

    ``balance spot`` means every balance at hand; nothing wanted means all.

    Example:
    >>> named(("balance perp USDC", "fee USDC"), ("balance",))
    ('balance perp USDC',)
    """
    asked = [tuple(each.split()) for each in wanted]
    return tuple(
        name
        for name in figures
        if not asked or any(tuple(name.split())[: len(words)] == words for words in asked)
    )
