"""Mixing: one instant turned into another cause by cause, so that each can be weighed alone.

A mix is what the picture of an instant is made of, with some of the next moment's causes applied
and others not. Nothing is guessed: every part is of the one moment or of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import attrs

from ledger import events as ev
from ledger.errors import UnclearQuestion
from ledger.money import ZERO, exact
from projections.fold import Folding
from projections.liquidations import is_liquidation
from projections.margin import judge
from projections.margin.rebuilt import UNDERLYING
from projections.postings import is_perp
from projections.prices import State as PriceState
from projections.rulebooks import by_id
from projections.rulebooks.base import Rulebook
from replay.margin import Ingredients
from replay.margin_timeline import moving_figures
from replay.moments import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Event
    from ledger.units import Asset, Coin, Millis
    from projections.fold import States
    from replay.margin import Assembler


class Figures(NamedTuple):
    """The ratio that decides, the requirement, and what stands against it.

    **Units**: amounts in the deciding token.
    """

    ratio: Decimal
    requirement: Decimal
    value: Decimal


@attrs.frozen(kw_only=True)
class Mix:
    """Ingredients on the way from one moment to the next, some causes applied."""

    made: Ingredients
    book: Rulebook
    others: tuple[str, ...] = ()
    """Ids of further rulebooks that may have held at the instant."""


@attrs.frozen(kw_only=True)
class Change:
    """One cause at a moment: how it changes what is mixed."""

    name: str
    apply: Callable[[Mix], Mix]


def mix_at(of: Assembler, at: Millis, states: States | None = None) -> Mix:
    """Return everything of an instant, and the rulebook it is judged under.

    Raises: UnclearQuestion, when the mode is not known; NotInForce, without a rulebook.
    """
    made = of.ingredients(at, states)
    asked = of.question
    picture = of.picture_of(made)
    if picture.mode is None:
        raise UnclearQuestion(
            asked=f"margin at {iso(at)}", problem="has no answer: no mode is recorded by then",
            remedy="Name the mode with --mode",
        )  # fmt: skip
    margin = judge(picture, asked.rulebooks(), readings=asked.readings, workings=False,
                   alternatives=False, calendar=asked.calendar)  # fmt: skip
    name, *others = (each.rulebook for each in margin.judgements)
    return Mix(made=made, book=by_id(name, asked.calendar), others=tuple(others))


def judged(of: Assembler, mixed: Mix) -> Figures:
    """Return the figures of a mix.

    Raises: UnclearQuestion, where one is unknown, naming what is missing.
    """
    return decided(of, mixed)[0]


def decided(of: Assembler, mixed: Mix) -> tuple[Figures, str]:
    """Return the figures of a mix, and the token or exchange they are of.

    Raises: UnclearQuestion, where one is unknown, naming what is missing.
    """
    picture = of.picture_of(mixed.made)
    asked = of.question
    margin = judge(picture, (mixed.book,), readings=asked.readings, workings=False,
                   alternatives=False, calendar=asked.calendar)  # fmt: skip
    ratio, requirement, value = moving_figures(margin.judgements[0])
    if ratio is None or requirement is None or value is None:
        missing = ", ".join(margin.judgements[0].missing) or "an input"
        raise UnclearQuestion(
            asked=f"margin at {iso(picture.at)}", problem=f"is unknown for want of: {missing}",
            remedy="Import what is missing, or ask for another moment",
        )  # fmt: skip
    of_ratio = margin.judgements[0].ratio
    return Figures(ratio, requirement, value), "" if of_ratio is None else of_ratio.of


def folded(of: Assembler, states: States, events: Sequence[Event]) -> States:
    """Return states after some more events."""
    if not events:
        return states
    with exact():
        folding = Folding(of.reference, states)
        folding.run(events)
        return folding.states()


def put(mix: Mix, **changed: object) -> Mix:
    """Return the mix with other ingredients."""
    return attrs.evolve(mix, made=attrs.evolve(mix.made, **changed))  # type: ignore[arg-type]


def loans_of(made: Ingredients) -> object:
    """Return what was lent and owed, to be compared."""
    if made.loans is None:
        return None
    return {key: (loan.basis, loan.best) for key, loan in made.loans.items()}


def said(event: Event) -> list[tuple[str, Event]]:
    """Return what an event is called, and for a fill with a fee of its exchange, the two apart."""
    if isinstance(event, ev.Filled):
        word = "liquidation fills" if is_liquidation(event) else "fills"
        if not is_perp(event.coin):
            # What was stated of a holding holds only when all else of the moment is there.
            return [(f"{word} {event.coin}", attrs.evolve(event, start_position=None))]
        if not event.fee:
            return [(f"{word} {event.coin}", event)]
        fee = ev.FundingPaid(
            stream=event.stream, at=event.at, coin=event.coin, usdc=-event.fee, size=ZERO,
            rate=ZERO, samples=None, tx_hash=None,
        )  # fmt: skip
        free = attrs.evolve(event, fee=ZERO)
        return [(f"{word} {event.coin}", free), ("fees", fee)]
    names: dict[type, str] = {
        ev.FundingPaid: "funding",
        ev.InterestAccrued: "interest",
        ev.ReserveOperated: "lending operations",
        ev.Deposited: "deposits",
        ev.Withdrawn: "withdrawals",
    }
    name = names.get(type(event), "transfers")
    if isinstance(event, ev.FundingPaid):
        name = f"funding {event.coin}"
    return [(name, event)]


def price_changes(now: Ingredients, then: Ingredients) -> list[Change]:
    """Return the prices and loans to value that differ, by market; a token goes with its market."""
    changed: dict[str, tuple[set[Coin], set[Asset]]] = {}
    for key, price in then.prices.by_key.items():
        before = now.prices.by_key.get(key)
        if before is None or before.px != price.px:
            changed.setdefault(str(key[0]), (set(), set()))[0].add(key[0])
    ltvs: list[Asset] = []
    for asset, pool in then.reserves.items():
        known = now.reserves.get(asset)
        if known is None or known.oracle_px != pool.oracle_px:
            name = str(UNDERLYING.get(asset, asset))
            changed.setdefault(name, (set(), set()))[1].add(asset)
        if known is not None and known.ltv != pool.ltv:
            ltvs.append(asset)
    found = [
        Change(name=f"price {name}", apply=_price_change(then, coins, assets))
        for name, (coins, assets) in sorted(changed.items())
        if _matters(then, name, coins, assets)
    ]
    return found + [
        Change(name=f"loan to value of {asset}", apply=_ltv_change(then, asset)) for asset in ltvs
    ]


def _matters(then: Ingredients, name: str, coins: set[Coin], assets: set[Asset]) -> bool:
    """Tell whether the account's margin can hang on a price: it has, or had, a part in it."""
    held = then.states.state("positions").by_key
    tokens = {asset for asset, coin in UNDERLYING.items() if str(coin) == name} | assets
    if then.anchor is not None:
        picture = then.anchor.picture
        if any(str(each.coin) in {str(coin) for coin in coins}
               for side in picture.exchanges for each in side.positions):  # fmt: skip
            return True
        if any(picture.token(asset) is not None for asset in tokens):
            return True
    return (
        any(str(coin) in held for coin in coins)
        or any(f"spot:{asset}" in held for asset in tokens)
        or bool(assets)
    )


def _price_change(then: Ingredients, coins: set[Coin], assets: set[Asset]) -> Callable[[Mix], Mix]:
    def apply(mix: Mix) -> Mix:
        prices = dict(mix.made.prices.by_key)
        prices |= {key: each for key, each in then.prices.by_key.items() if key[0] in coins}
        reserves = dict(mix.made.reserves)
        for asset in assets:
            known = reserves.get(asset, then.reserves[asset])
            reserves[asset] = attrs.evolve(
                known, oracle_px=then.reserves[asset].oracle_px, at=then.reserves[asset].at
            )
        return put(mix, prices=PriceState(prices), reserves=reserves)

    return apply


def _ltv_change(then: Ingredients, asset: Asset) -> Callable[[Mix], Mix]:
    def apply(mix: Mix) -> Mix:
        known = mix.made.reserves.get(asset)
        if known is None:
            return mix
        reserves = {**mix.made.reserves, asset: attrs.evolve(known, ltv=then.reserves[asset].ltv)}
        return put(mix, reserves=reserves)

    return apply
