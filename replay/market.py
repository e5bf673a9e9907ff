"""Market: last prices at an instant, out of the streams of the venue and its markets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.units import VENUE
from projections import fold, prices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.entries import AsOf
    from projections.prices import Key, Price
    from replay.engine import Engine


def prices_at(engine: Engine, as_of: AsOf) -> Mapping[Key, Price]:
    """Return the last price of every market and measure recorded up to an instant.

    Prices are not part of an account's history: they are looked up, never merged into it.
    """
    position = as_of.position if as_of.position is not None else engine.book.position()
    latest: dict[Key, Price] = {}
    for info in engine.book.streams():
        if info.stream == VENUE or info.stream.startswith(("market:", "reserve:")):
            events = engine.events(info.stream, position, as_of.effective)
            states = fold.fold(events, engine.reference(position))
            for key, price in states.state(prices.NAME).by_key.items():
                if key not in latest or latest[key].at <= price.at:
                    latest[key] = price
    return latest
