"""Recorded: what a book has beside an account's movements, by moment: prices, reserves, states.

Read once, asked for any instant. Every answer is the last record at or before the instant, and
knows where in which raw record it stands.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import attrs

from ledger import timeline
from ledger.codec import decode, event_id
from ledger.entries import from_runs, place_of
from ledger.events import (
    CandleObserved,
    Filled,
    InterestAccrued,
    LendingStateObserved,
    MarginTableSet,
    MarketListed,
    ModeChanged,
    PerpStateObserved,
    PriceObserved,
    ReserveObserved,
    ReserveOperated,
    SpotStateObserved,
)
from ledger.kinds import KIND_OF
from ledger.units import VENUE, Asset, Coin, Dex, EventId, Millis, Stream
from projections import prices
from projections.reference import EMPTY as NO_REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from ledger.events import Event
    from projections.prices import Key, Price
    from replay.audit import Audit

T = TypeVar("T")
E_co = TypeVar("E_co", covariant=True)
F = TypeVar("F")

OF_MARKETS: Final = (
    PriceObserved, CandleObserved, ReserveObserved, MarketListed, MarginTableSet,
)  # fmt: skip
"""What markets, reserves and the venue say that margin rests on."""

OF_ACCOUNTS: Final = (
    ModeChanged, SpotStateObserved, PerpStateObserved, LendingStateObserved, ReserveOperated,
    InterestAccrued, Filled,
)  # fmt: skip
"""What the account's own history says beside its sums; of fills only those that name a mark."""


@attrs.frozen
class Found(Generic[E_co]):
    """An event, and where it is in the book."""

    event: E_co
    stream: Stream
    version: int
    row: int

    def of(self, event: F) -> Found[F]:
        """Return the same place with the event of a narrower type."""
        return Found(event, self.stream, self.version, self.row)


class Dated(Generic[T]):
    """Values in order of time, with the last one of an instant."""

    def __init__(self) -> None:
        """Begin empty."""
        self._moments: list[int] = []
        self._values: list[T] = []

    def put(self, at: int, value: T) -> None:
        """Add a value; of several of one moment the one put last holds."""
        number = bisect_right(self._moments, at)
        self._moments.insert(number, at)
        self._values.insert(number, value)

    def last(self, at: int | None) -> T | None:
        """Return the last value at or before an instant, None without one."""
        number = len(self._moments) if at is None else bisect_right(self._moments, at)
        return self._values[number - 1] if number else None

    def until(self, at: int | None) -> list[T]:
        """Return all values up to and including an instant, in order."""
        number = len(self._moments) if at is None else bisect_right(self._moments, at)
        return self._values[:number]

    def between(self, since: int, until: int) -> list[int]:
        """Return the moments of an interval, both ends included."""
        return [each for each in self._moments if since <= each <= until]


class Recorded:
    """What a book has of one account's surroundings, as known at a position.

    **Order**: values of one moment stand in the order of the streams' names and of their courses.
    """

    def __init__(
        self, audit: Audit, account: Stream, position: int, markets: Recorded | None = None
    ) -> None:
        """Read the account's own states and all markets and reserves of the book.

        *markets* has read the same markets before; they are not read again.
        """
        self._audit = audit
        self._position = position
        self.reference = audit.engine.reference(position)
        self.modes: Dated[Found[ModeChanged]] = Dated()
        self.spots: Dated[Found[SpotStateObserved]] = Dated()
        self.perps: dict[Dex, Dated[Found[PerpStateObserved]]] = {}
        self.lendings: Dated[Found[LendingStateObserved]] = Dated()
        self.loans: list[Event] = []
        """Operations, interest rows and lending states of the account, in effective order."""
        self.reserves: dict[Asset, Dated[Found[ReserveObserved]]] = {}
        self.metadata: list[MarketListed | MarginTableSet] = []
        self.prices: dict[Key, Dated[tuple[Price, Found[Event]]]] = {}
        for found in self._events(account, OF_ACCOUNTS, _is_of_account):
            self._of_account(found)
        self.markets: tuple[Found[Event], ...] = (
            self._read_markets() if markets is None else markets.markets
        )
        for market in self.markets:
            self._of_market(market)

    def _read_markets(self) -> tuple[Found[Event], ...]:
        """Return what markets, reserves and the venue say; of one position it is read once."""
        known = self._audit.markets.get(self._position)
        if known is None:
            known = self._read_all_markets()
            self._audit.markets = {self._position: known}
        return known

    def _read_all_markets(self) -> tuple[Found[Event], ...]:
        return tuple(
            found
            for stream in sorted(info.stream for info in self._audit.book.streams())
            if stream == VENUE or stream.startswith(("market:", "reserve:"))
            for found in self._events(stream, OF_MARKETS)
        )

    def _events(
        self,
        stream: Stream,
        kinds: Collection[type],
        wanted: Callable[[bytes], bool] = lambda _: True,
    ) -> Iterator[Found[Event]]:
        """Yield the events of some kinds in effective order; other lines are not decoded."""
        engine = self._audit.engine
        heads = tuple(f'{{"@":"{KIND_OF[kind].name}/'.encode() for kind in kinds)
        course = engine.course(stream, self._position)
        for version, row, count in course.pieces():
            if version == timeline.LITERAL:
                lines: tuple[bytes, ...] = (course.literals[row].line,)
            else:
                lines = engine.batch(stream, version).lines[row : row + count]
            for number, line in enumerate(lines, row):
                if line.startswith(heads) and wanted(line):
                    yield Found(decode(line), stream, version, number)

    def _of_account(self, found: Found[Event]) -> None:
        event = found.event
        if isinstance(event, ModeChanged):
            self.modes.put(event.at, found.of(event))
        elif isinstance(event, SpotStateObserved):
            self.spots.put(event.at, found.of(event))
        elif isinstance(event, PerpStateObserved):
            own = self.perps.setdefault(event.dex, Dated())
            own.put(event.at, found.of(event))
        elif isinstance(event, Filled):
            self._price(found)
        else:
            self.loans.append(event)
            if isinstance(event, LendingStateObserved):
                self.lendings.put(event.at, found.of(event))

    def _of_market(self, found: Found[Event]) -> None:
        event = found.event
        if isinstance(event, MarketListed | MarginTableSet):
            self.metadata.append(event)
            return
        if isinstance(event, ReserveObserved):
            own = self.reserves.setdefault(event.asset, Dated())
            own.put(event.at, found.of(event))
        self._price(found)

    def _price(self, found: Found[Event]) -> None:
        held: dict[Key, Price] = {}
        prices.record(held, found.event, NO_REFERENCE)
        for key, price in held.items():
            self.prices.setdefault(key, Dated()).put(price.at, (price, found))

    # ----------------------------------------------------------- what held at an instant

    def prices_at(self, at: Millis) -> prices.State:
        """Return the last price of every market and measure at an instant."""
        found = ((key, dated.last(at)) for key, dated in self.prices.items())
        return prices.State({key: each[0] for key, each in found if each is not None})

    def price(self, coin: Coin, measure: str, at: Millis) -> tuple[Price, Found[Event]] | None:
        """Return the last price of a market by one measure, with its event."""
        dated = self.prices.get((coin, measure))
        return None if dated is None else dated.last(at)

    def reserves_at(self, at: Millis) -> dict[Asset, Found[ReserveObserved]]:
        """Return the last state of every reserve at an instant."""
        found = ((asset, dated.last(at)) for asset, dated in self.reserves.items())
        return {asset: each for asset, each in found if each is not None}

    def perps_at(self, at: Millis) -> dict[Dex, Found[PerpStateObserved]]:
        """Return the last recorded state of every exchange of the account at an instant."""
        found = ((dex, dated.last(at)) for dex, dated in self.perps.items())
        return {dex: each for dex, each in found if each is not None}

    def price_moments(self, since: Millis, until: Millis, coins: Collection[str]) -> set[int]:
        """Return when a price of some markets or tokens was recorded, both ends included."""
        return {
            at
            for (coin, _), dated in self.prices.items()
            if coin in coins
            for at in dated.between(since, until)
        }

    # ----------------------------------------------------------- where it stands

    def where(self, found: Found[Event]) -> str:
        """Return record, place and identity: ``prices.json [3].response[1], event 9b37…``."""
        identity = EventId(event_id(found.event))
        if found.version == timeline.LITERAL:
            return f"corrected event {identity[:12]}"
        engine = self._audit.engine
        header = next(
            each
            for each in engine.headers(found.stream, self._position)
            if each.version == found.version
        )
        said = f"event {identity[:12]}"
        if header.record is None:
            return f"{header.source}, {said}"
        row = next(row for number, row in enumerate(from_runs(header.rows)) if number == found.row)
        place = place_of(header.answer, row)
        return f"{self._audit.record_name(header.record)} {place}, {said}"


def _is_of_account(line: bytes) -> bool:
    """Tell whether a line is wanted: of fills only those that name the mark of a liquidation."""
    return not line.startswith(b'{"@":"filled/') or b'"liquidation_mark":null' not in line
