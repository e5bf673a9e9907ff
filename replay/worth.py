"""Worth: what an account was worth at one instant, by the prices known at a position.

The sum of what it has at its own places, each at the last price recorded by the instant
(``projections.valuation``); unknown where something it has was not priced by then, or where a
position began with a size of which no money is recorded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger import timeline
from ledger.codec import decode_all
from ledger.entries import AsOf
from ledger.money import ZERO, exact
from ledger.units import VENUE
from projections import balances, positions
from projections.arithmetic import EXACT
from projections.beliefs import UNKNOWN
from projections.fold import Stopped
from projections.valuation import Prices, Thing, observed_prices, worth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.units import Millis, Stream
    from projections.beliefs import Value
    from projections.fold import States
    from projections.prices import Key, Price
    from projections.reference import Reference
    from replay.engine import Engine

_PRICES: Final = (b"price_observed/", b"candle_observed/", b"reserve_observed/")


@attrs.frozen(kw_only=True)
class Valued:
    """What an account had at an instant, thing by thing. **Units**: USDC; what is owed negative."""

    worths: Mapping[Thing, Decimal | None]
    """None where no price was recorded by then."""
    stopped: str = ""
    """Why nothing is known of any of it; empty where it is."""
    causes: tuple[str, ...] = ()
    """Why the sum is not known; empty where it is."""

    @property
    def total(self) -> Decimal | None:
        """The sum; None where a part of it is unknown."""
        if self.causes:
            return None
        with exact():
            return sum((each for each in self.worths.values() if each is not None), ZERO)


def valued(states: States, prices: Prices, at: Millis) -> Valued:
    """Return what an account had at an instant by the last prices recorded."""
    held, traded = states.by_name[balances.NAME], states.by_name[positions.NAME]
    for each in (held, traded):
        if isinstance(each, Stopped):
            why = f"an event of unknown kind: {each.kind}"
            return Valued(worths={}, stopped=why, causes=(why,))
    assert not isinstance(held, Stopped), "said above"
    assert not isinstance(traded, Stopped), "said above"
    causes = [
        f"the money of the opening of {key}"
        for key, each in traded.by_key.items()
        if not key.startswith("spot:") and (each.origin == "derived" or each.unexplained)
    ]
    worths: dict[Thing, Decimal | None] = {}
    with exact():
        for thing, amount in balances.own(held).items():
            quote = prices.quote(thing, at)
            worths[thing] = None if quote is None else worth(EXACT, amount, quote.px)
            if quote is None:
                causes.append(f"price of {lacking(prices, thing, at)}")
    return Valued(worths=worths, causes=tuple(dict.fromkeys(causes)))


def lacking(prices: Prices, thing: Thing, at: Millis) -> str:
    """Return in words of what no price is recorded, where a thing cannot be quoted."""
    return prices.lacking(thing, at).removesuffix("-PERP")


class Market:
    """The prices of all markets and reserves at one instant, as known at any position."""

    def __init__(self, engine: Engine, at: Millis, last: int) -> None:
        """Ask for prices up to *at*, at positions up to *last*."""
        self._engine = engine
        self._at = at
        self._headers = {
            info.stream: engine.headers(info.stream, last)
            for info in engine.book.streams()
            if info.stream == VENUE or info.stream.startswith(("market:", "reserve:"))
        }
        self._latest: dict[tuple[Stream, int], dict[Key, Price]] = {}
        self._prices: tuple[object, Prices] | None = None

    def equity(
        self, states: States, reference: Reference, position: int, measure: str | None
    ) -> Value:
        """Return what the account was worth, in USDC; unknown where a price or money is missing.

        With *measure* only prices of that measure count.
        """
        total = valued(states, self._prices_at(reference, position, measure), self._at).total
        return UNKNOWN if total is None else total

    def _prices_at(self, reference: Reference, position: int, measure: str | None) -> Prices:
        versions = tuple(
            (stream, bisect_right(headers, position, key=lambda header: header.position))
            for stream, headers in self._headers.items()
        )
        asked = versions, id(reference), measure
        if self._prices is None or self._prices[0] != asked:
            found: dict[Key, list[Price]] = {}
            for stream, count in versions:
                for key, price in self.latest(stream, count).items():
                    if measure is None or key[1] == measure:
                        found.setdefault(key, []).append(price)
            for series in found.values():
                series.sort(key=lambda price: price.at)
            self._prices = asked, Prices(found, reference)
        return self._prices[1]

    def latest(self, stream: Stream, count: int) -> dict[Key, Price]:
        """Return the last prices of a stream by the instant, as known by its first batches."""
        asked = stream, count
        if asked not in self._latest:
            batch_of = self._engine.batches_of(stream)
            headers = self._headers[stream][:count]
            course = timeline.course(headers, batch_of, AsOf(effective=self._at))
            lines = _last_lines(timeline.lines(course, batch_of))
            series = observed_prices(decode_all(lines))
            self._latest[asked] = {key: prices[-1] for key, prices in series.items()}
        return self._latest[asked]


def _last_lines(lines: Iterable[bytes]) -> list[bytes]:
    """Return the last price of every market and measure, in their order; none is decoded.

    Inside strings of a canonical line quotes are escaped, so that a name with its quotes and colon
    is found nowhere but where the field is.
    """
    last: dict[tuple[bytes, ...], bytes] = {}
    for line in lines:
        head = line[6 : line.find(b'"', 6)]
        if head.startswith(_PRICES):
            key = (head, *(_field(line, name) for name in (b"asset", b"coin", b"measure")))
            last.pop(key, None)
            last[key] = line
    return list(last.values())


def _field(line: bytes, name: bytes) -> bytes:
    start = line.find(b'"' + name + b'":"')
    return b"" if start < 0 else line[start : line.find(b'",', start)]
