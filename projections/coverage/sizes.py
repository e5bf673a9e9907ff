"""Sizes: the size of every perpetual position, followed from statement to statement.

A fill states the size before it, a funding payment the size it was charged on, an observed state
the size of every position of its exchange (and of those it does not show: nothing). Between two
statements that do not fit, a fill is missing. Two that fit prove less: what is missing between
them, if anything, adds up to nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger import events as ev
from ledger.money import ZERO, canonical
from ledger.units import Millis, dex_of
from projections.checks.funding import HOLES, HOURLY_SINCE
from projections.coverage.grids import Grid, hour_of
from projections.coverage.levels import Stretch
from projections.positions import SHEET_DIGITS, agrees, is_early
from projections.postings import is_perp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.units import Coin, Dex

FILLS: Final = "fills"


class Link(NamedTuple):
    """A size that is known from a moment on."""

    at: int
    size: Decimal


class Sizes:
    """The chains of all perpetual positions, while events pass in effective order."""

    def __init__(self) -> None:
        """Begin with nothing known of any market."""
        self._last: dict[Coin, Link] = {}
        self._before_hour: dict[Coin, tuple[int, Link]] = {}
        self._shown: dict[Dex, int] = {}
        self._missing: list[Stretch] = []
        self._payments = Grid("funding", of="payment")

    def take(self, event: ev.Event) -> None:
        """Hold what an event states against what is known, and go on from it."""
        if isinstance(event, ev.Filled):
            if is_perp(event.coin):
                self._filled(event)
        elif isinstance(event, ev.FundingPaid):
            self._paid(event)
        elif isinstance(event, ev.PerpStateObserved):
            self._observed(event)
        elif isinstance(event, ev.Opened):
            for held in event.positions:
                if is_perp(held.coin):
                    self._last[held.coin] = Link(event.at, held.size)

    def evidence(self, until: int) -> Iterator[Stretch]:
        """Yield what is known to be missing of fills and payments, and where payments are full."""
        yield from self._missing
        yield from self._payments.evidence(until=until, free=HOLES)

    def _known(self, coin: Coin) -> Link | None:
        """Return the last size known of a market; a state speaks of all markets of its exchange."""
        link, shown = self._last.get(coin), self._shown.get(dex_of(coin))
        if shown is None or (link is not None and link.at >= shown):
            return link
        return Link(shown, ZERO) if link is None else Link(shown, link.size)

    def _filled(self, event: ev.Filled) -> None:
        link, stated = self._known(event.coin), event.start_position
        if stated is None or is_early(event):
            if link is None:
                return
            stated = link.size
        elif link is not None:
            self._compare(event.coin, link, event.at, stated)
        hour = hour_of(event.at)
        if self._before_hour.get(event.coin, (0,))[0] != hour:
            self._before_hour[event.coin] = hour, link or Link(event.at, stated)
        after = stated + (event.sz if event.side == "B" else -event.sz)
        self._last[event.coin] = Link(event.at, after)

    def _paid(self, event: ev.FundingPaid) -> None:
        if event.at < HOURLY_SINCE:
            return
        hour = hour_of(event.at)
        self._payments.see(event.coin, event.at)
        filled, before = self._before_hour.get(event.coin, (0, None))
        link = before if filled == hour else self._known(event.coin)
        if link is not None:
            self._compare(event.coin, link, max(hour, link.at), event.size)
        if filled != hour:
            self._last[event.coin] = Link(max(hour, link.at if link else 0), event.size)

    def _observed(self, event: ev.PerpStateObserved) -> None:
        shown = {each.coin: each.size for each in event.positions}
        open_ones = {
            coin for coin, link in self._last.items() if link.size and dex_of(coin) == event.dex
        }
        for coin in sorted(open_ones | shown.keys()):
            link, size = self._known(coin), shown.get(coin, ZERO)
            if link is not None:
                self._compare(coin, link, event.at, size)
            self._last[coin] = Link(event.at, size)
        self._shown[event.dex] = event.at

    def _compare(self, coin: Coin, link: Link, at: int, stated: Decimal) -> None:
        """Hold a statement against the size known before it."""
        if agrees(link.size, stated, digits=SHEET_DIGITS):
            self._due(coin, link, at)
            return
        self._missing.append(
            Stretch(
                family=FILLS,
                since=Millis(link.at),
                until=Millis(at),
                level="missing",
                cause=f"{coin}: what is recorded leaves a size of {canonical(link.size)}, "
                f"the next record states {canonical(stated)}",
                subject=coin,
            )
        )

    def _due(self, coin: Coin, link: Link, until: int) -> None:
        if link.size:
            after = max(link.at, HOURLY_SINCE - 1)
            self._payments.due(coin, after=after, until=until, what="a position was held")
