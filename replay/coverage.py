"""Coverage: the certificate of a period: what is proven, probable, unknown and known missing.

The book is read here, each history once; what evidence amounts to is said in
``projections.coverage``, and for people in ``docs/spec/coverage.md``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import attrs
from typing_extensions import override

from ledger.codec import decode
from ledger.errors import UnclearQuestion
from ledger.events import CandleObserved, FundingRateSet, PriceObserved, ReserveObserved
from ledger.kinds import KIND_OF
from ledger.units import VENUE, Address, Asset, Coin, Millis, market_stream, reserve_stream
from projections.coverage import LEVELS, Claims, Level, Stretch, Walk, certified, judged
from projections.coverage.markets import hourly, recent
from replay.coverage_text import days_table, flat, length_text, lines, strip, table
from replay.moments import iso
from replay.tables import Table, Tabled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.entries import Header
    from ledger.units import Stream
    from replay.audit import AccountHistory
    from replay.engine import Engine

KEPT: Final = 4
"""How many histories are remembered as they were read."""

QUICK: Final = 20_000
"""Up to this many events a history is read through for the foot of a short report."""


@attrs.frozen(kw_only=True)
class Certificate(Tabled):
    """What is known of the completeness of one account's history in a period.

    **Order**: family by family, each by time and without a gap; both ends included. Stretches in
    which something is missing may overlap each other, and reach beyond the period.
    """

    account: Address
    since: Millis
    until: Millis
    position: int
    stretches: tuple[Stretch, ...]

    def of(self, family: str) -> tuple[Stretch, ...]:
        """Return the stretches of one family, by time."""
        return tuple(each for each in self.stretches if each.family == family)

    def only(self, *families: str) -> Certificate:
        """Return the certificate of some families."""
        kept = tuple(each for each in self.stretches if each.family in families)
        return attrs.evolve(self, stretches=kept)

    def level(self, family: str, at: Millis) -> Level:
        """Return the level that holds for a family at a moment; unknown outside the period."""
        if not self.since <= at <= self.until:
            return "unknown"
        here = {each.level for each in self.of(family) if each.since <= at <= each.until}
        for level in LEVELS:
            if level in here:
                return level
        return "unknown"

    @property
    def missing(self) -> tuple[Stretch, ...]:
        """The stretches in which something is known to be missing."""
        return tuple(each for each in self.stretches if each.level == "missing")

    @property
    def families(self) -> tuple[str, ...]:
        """The families the certificate speaks of, in order."""
        return tuple(dict.fromkeys(each.family for each in self.stretches))

    @property
    def title(self) -> str:
        """One line: whose certificate it is, of which period, as known when."""
        return (
            f"Coverage of {self.account} from {iso(self.since)} to {iso(self.until)}, "
            f"as known at position {self.position}"
        )

    @property
    def table(self) -> Table:
        """One row per stretch."""
        return table(self.title, self.stretches)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Stretch by stretch, and day by day."""
        return (self.table, self.by_day)

    @property
    @override
    def exact_tables(self) -> tuple[Table, ...]:
        """The same under short names, for programs."""
        return (
            attrs.evolve(self.table, title="Stretches"),
            attrs.evolve(self.by_day, title="Days"),
        )

    @property
    def by_day(self) -> Table:
        """One row per day (UTC), a column per family: how long each level holds."""
        return days_table(self.title, self.families, self._flat)

    @property
    def _flat(self) -> tuple[Stretch, ...]:
        return flat(self.stretches, self.since, self.until)

    def lines(self) -> tuple[str, ...]:
        """Return one or two sentences for the foot of a report."""
        return lines(self.families, self._flat, self.missing)

    def strip(self) -> tuple[str, ...]:
        """Return one line per family with a sign for every day, after a line that explains it."""
        return strip(self.families, self._flat)

    def to_dict(self) -> dict[str, object]:
        """Return the certificate as a dictionary of text, for programs."""
        return {
            "account": self.account,
            "since": iso(self.since),
            "until": iso(self.until),
            "known_at": str(self.position),
            "stretches": self.table.to_dicts(),
        }


@attrs.frozen(kw_only=True)
class _Read:
    """What one reading of a history brought."""

    walk: Walk
    evidence: tuple[Stretch, ...]


_READ: WeakKeyDictionary[Engine, OrderedDict[tuple[Stream, int], _Read]] = WeakKeyDictionary()


def certificate(
    history: AccountHistory,
    *,
    since: Millis,
    until: Millis,
    position: int,
    markets: bool = False,
) -> Certificate:
    """Return what is known of the completeness of an account's history in a period.

    With *markets*, also of the rates and prices of markets it traded, and of the states of
    reserves it used. **Units**: moments in milliseconds, both included; *position* of the book.
    """
    found = _read(history, position)
    stretches = list(certified(found.evidence, since=since, until=until))
    if markets:
        engine = history.audit.engine
        for family, evidence in _market_evidence(engine, found.walk, position):
            stretches += judged(
                evidence,
                family=family,
                since=since,
                until=until,
                otherwise="no record at most an hour old",
            )
    return Certificate(
        account=history.account,
        since=since,
        until=until,
        position=position,
        stretches=tuple(stretches),
    )


def period(history: AccountHistory, position: int) -> tuple[Millis, Millis] | None:
    """Return the moments of the first and the last event of an account; None without any."""
    walk = _read(history, position).walk
    if walk.first_at is None or walk.last_at is None:
        return None
    return walk.first_at, walk.last_at


def asked_period(
    history: AccountHistory, since: Millis | None, until: Millis | None, position: int
) -> tuple[Millis, Millis]:
    """Return the period asked for, its open ends filled from what is recorded.

    Raises: UnclearQuestion, when it ends before it begins.
    """
    first, last = period(history, position) or (Millis(0), Millis(0))
    first = first if since is None else since
    last = last if until is None else until
    if last < first:
        raise UnclearQuestion(
            asked=f"{iso(first)} to {iso(last)}",
            problem="ends before it begins",
            remedy="Give --since a moment before --until",
        )
    return first, last


def foot(
    history: AccountHistory, *, since: Millis | None, until: Millis | None, position: int
) -> tuple[str, ...]:
    """Return the coverage of a period in one or two lines for the foot of a short report.

    Without *since* from the first event, without *until* to the last. A long history is not
    read through for it.
    """
    engine = history.audit.engine
    count = sum(header.count for header in engine.headers(history.stream, position))
    if count > QUICK:
        return (f"coverage: not examined here ({count} events): see rollforward coverage",)
    whole = period(history, position)
    if whole is None:
        return ()
    first = whole[0] if since is None else since
    last = whole[1] if until is None else until
    if first > last:
        return ()
    return certificate(history, since=first, until=last, position=position).lines()


def _read(history: AccountHistory, position: int) -> _Read:
    """Return a history as it was read through, once."""
    engine, stream = history.audit.engine, history.stream
    kept = _READ.setdefault(engine, OrderedDict())
    found = kept.get((stream, position))
    if found is None:
        walk = Walk(engine.events(stream, position), engine.reference(position))
        headers = engine.headers(stream, position)
        claims = Claims(
            headers,
            family_of=lambda header: _family_of(engine, header),
            fill_times=walk.fill_times,
            seen=walk.seen,
        )
        found = _Read(walk=walk, evidence=(*walk.evidence, *claims.evidence()))
        kept[stream, position] = found
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return found


def _family_of(engine: Engine, header: Header) -> str | None:
    """Return the family of the first event of a batch."""
    lines_of = engine.batch(header.stream, header.version).lines
    return KIND_OF[type(decode(lines_of[0]))].family if lines_of else None


def _market_evidence(
    engine: Engine, walk: Walk, position: int
) -> Iterator[tuple[str, list[Stretch]]]:
    """Yield the families of markets and reserves an account used, with what speaks of them."""
    prices: dict[str, list[int]] = {coin: [] for coin in walk.coins}
    rates: dict[str, list[int]] = {coin: [] for coin in walk.coins}
    for stream in (VENUE, *(market_stream(Coin(coin)) for coin in walk.coins)):
        for event in engine.events(stream, position):
            if isinstance(event, FundingRateSet) and event.coin in rates:
                rates[event.coin].append(event.at)
            elif isinstance(event, PriceObserved | CandleObserved) and event.coin in prices:
                prices[event.coin].append(event.at)
    for coin in walk.coins:
        yield f"rates {coin}", list(hourly(f"rates {coin}", rates[coin]))
        yield f"prices {coin}", list(recent(f"prices {coin}", prices[coin]))
    for asset in walk.assets:
        states = [
            event.at
            for event in engine.events(reserve_stream(Asset(asset)), position)
            if isinstance(event, ReserveObserved)
        ]
        yield f"reserve {asset}", list(recent(f"reserve {asset}", states))


__all__ = ["Certificate", "certificate", "foot", "length_text", "period"]
