"""Prices: the last price of every market and measure, and when it was true.

Market and venue streams bring prices and candles; an account's own history knows only the marks
its liquidation fills carry. A price is never merged into a timeline: ask for the last one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ledger import events as ev
from ledger.units import Coin, Millis
from projections.state import State as GenericState
from projections.state import applied

if TYPE_CHECKING:
    from ledger.events import Event
    from projections.reference import Reference

NAME: Final = "prices"


class Price(NamedTuple):
    """A price, the moment it belongs to, and the kind of record it came from."""

    px: Decimal
    at: Millis
    via: str


Key: TypeAlias = tuple[Coin, str]
State: TypeAlias = GenericState[Key, Price]

EMPTY: Final[State] = GenericState()
ROWS: Final = list[tuple[Key, Price]]
CONSUMED: Final[frozenset[type]] = frozenset({
    ev.Filled, ev.PriceObserved, ev.CandleObserved, ev.ReserveObserved,
})  # fmt: skip


def apply(state: State, event: Event, reference: Reference) -> State:
    """Return the last prices after an event; it never raises. **Units**: quote per coin."""
    return applied(record, state, event, reference)


def record(held: dict[Key, Price], event: Event, reference: Reference) -> None:  # noqa: ARG001 - the shape of every rule
    """Put a price in the place of an older one in *held*.

    The close of a candle is the measure ``last``; a reserve's price is ``reserve`` of its token.
    """
    if isinstance(event, ev.Filled):
        if event.liquidation_mark is not None:
            price = Price(event.liquidation_mark, event.at, "liquidation")
            held[event.coin, "mark"] = price
    elif isinstance(event, ev.PriceObserved):
        held[event.coin, event.measure] = Price(event.px, event.at, event.via)
    elif isinstance(event, ev.CandleObserved):
        held[event.coin, "last"] = Price(event.last, event.at, f"candle {event.interval}")
    elif isinstance(event, ev.ReserveObserved):
        held[Coin(event.asset), "reserve"] = Price(event.oracle_px, event.at, "reserve")


def last(state: State, coin: Coin, measure: str) -> Price | None:
    """Return the last price of a market by one measure (mark, oracle, mid, last, reserve)."""
    return state.by_key.get((coin, measure))
