"""Loans: the interest that runs between its hourly rows, and the rows that are due.

An observed loan is ahead of what is recorded by the interest since the last full hour. How much
that may be is bounded by the rate of the last undisturbed hour, tenfold, and by the highest rate
of the venue's curve.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ledger.money import ZERO, divide_down, unscaled
from projections.chart import BORROWED, SUPPLIED
from projections.coverage.grids import HOUR, LATE, Grid, hour_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.events import InterestAccrued
    from ledger.units import Asset
    from projections.chart import Place
    from projections.coverage.levels import Stretch

LEAST_LENT: Final = Decimal("0.1")
"""From this many tokens on an hourly row is due: at 1 % a year an hour brings 10^-7 of one."""

RESIDUE: Final = Decimal("0.0002")
"""What is left of a loan when it is ended and one row of interest is not recorded: at most this."""

MOST_HOURLY: Final = Decimal("0.00012")
"""Interest of an hour is at most this part of a loan: 100 % a year, the top of the venue's curve
(5 % and 4.75 × the utilization above 80 %), and five in a hundred of it."""

LEAST_HOURLY: Final = Decimal("0.000001")
"""At least this part of a loan, about 1 % a year, may be its interest after hours without any."""

ROOM_FOR_RATES: Final = 10
"""How many times the last undisturbed hour's rate the present one may be."""

CLOCK: Final = 60_000
"""Rows and states may be a minute off each other."""

RATE_PLACES: Final = 18
TOKEN_UNIT: Final = unscaled(1, 8)


class Loans:
    """What is supplied and borrowed of every token, as far as interest asks for it."""

    def __init__(self) -> None:
        """Begin with nothing lent."""
        self._rows = Grid("interest", of="row of interest")
        self._since: dict[Asset, int] = {}
        self._row_at: dict[Asset, int] = {}
        self._peak: dict[tuple[Place, Asset], Decimal] = {}
        self._quiet: dict[tuple[Place, Asset], bool] = {}
        self._most: dict[tuple[Place, Asset], Decimal] = {}
        self._rate: dict[tuple[Place, Asset], Decimal] = {}
        self._earning: set[str] = set()
        self._doubted: set[str] = set()
        self._supposed: dict[Asset, list[tuple[int, int]]] = {}
        """Spans in which rows are due by the record alone, until a state bears it out."""

    def change(self, asset: Asset, at: int, lent: dict[Place, Decimal]) -> None:
        """Say what was lent up to a moment in which an operation changes it, without signs."""
        self._hold(asset, at, lent)
        for place in lent:
            self._quiet[place, asset] = False

    def row(self, event: InterestAccrued, lent: dict[Place, Decimal]) -> None:
        """Take an hourly row, and what was lent before it."""
        since_row = self._quiet.get((SUPPLIED, event.asset), False)
        self._hold(event.asset, event.at, lent, between_rows=since_row)
        self._rows.see(event.asset, event.at)
        self._row_at[event.asset] = event.at
        for place, interest in ((SUPPLIED, event.supply), (BORROWED, event.borrow)):
            key = place, event.asset
            if interest:
                self._earning.add(event.asset)
            if self._quiet.get(key) and lent[place] >= LEAST_LENT:
                self._rate[key] = divide_down(interest, lent[place], RATE_PLACES)
            self._quiet[key] = True
            self._peak[key] = lent[place] + interest

    def _is_due(self, place: Place, asset: Asset, amount: Decimal) -> bool:
        """Tell whether a loan is more than a crumb, and more than what interest left of another."""
        key = place, asset
        most = self._most[key] = max(self._most.get(key, ZERO), amount)
        return amount >= LEAST_LENT and amount >= most * RESIDUE

    def show(self, asset: Asset, at: int, lent: dict[Place, Decimal]) -> None:
        """Say that a state shows what is lent as it is recorded: rows due by the record are due."""
        due = any(self._is_due(place, asset, amount) for place, amount in lent.items())
        if due and at > self._since.get(asset, at):
            self._hold(asset, at, lent)
        for after, until in self._supposed.pop(asset, ()):
            self._due(asset, after, until)

    def _hold(
        self, asset: Asset, at: int, lent: dict[Place, Decimal], *, between_rows: bool = False
    ) -> None:
        due = [self._is_due(place, asset, amount) for place, amount in lent.items()]
        if between_rows and max(lent.values()) >= LEAST_LENT:
            self._due(asset, self._since[asset], at)
        elif any(due) and asset not in self._doubted:
            self._supposed.setdefault(asset, []).append((self._since[asset], at))
        self._since[asset] = at
        for place, amount in lent.items():
            self._peak[place, asset] = max(self._peak.get((place, asset), ZERO), amount)

    def _due(self, asset: Asset, after: int, until: int) -> None:
        self._rows.due(asset, after=after, until=until, what="it was supplied or borrowed")

    def doubt(self, asset: Asset, off: Decimal) -> None:
        """Say that a state shows other loans than are recorded, and by how much.

        More than interest can have left is an operation that is not recorded: then rates mean
        nothing, nor does it make rows due what was thought to be lent since the state before.
        """
        if not self.is_interest(asset, off):
            self._doubted.add(asset)
            self._supposed.pop(asset, None)

    def is_interest(self, asset: Asset, off: Decimal) -> bool:
        """Tell whether an amount is no more than an hour's interest of a token can be."""
        most = max(self._most.get((place, asset), ZERO) for place in (SUPPLIED, BORROWED))
        return abs(off) <= most * RESIDUE

    def room(self, asset: Asset, place: Place, at: int, amount: Decimal) -> Decimal:
        """Return how much interest may have run by a moment and be in no row yet."""
        key = place, asset
        elapsed = at - hour_of(at) + CLOCK
        if self._row_at.get(asset, -1) < hour_of(at) and elapsed < LATE:
            elapsed += HOUR
        rate = MOST_HOURLY
        if key in self._rate and asset not in self._doubted:
            rate = min(rate, max(self._rate[key] * ROOM_FOR_RATES, LEAST_HOURLY))
        whole = max(self._peak.get(key, ZERO), amount) * rate * elapsed
        return divide_down(whole, Decimal(HOUR), 8) + 2 * TOKEN_UNIT

    def evidence(self, until: int) -> Iterator[Stretch]:
        """Yield where rows are missing, and where every row due is there."""
        for asset, spans in self._supposed.items():
            for after, stop in spans:
                self._due(asset, after, stop)
        self._supposed.clear()
        yield from self._rows.evidence(until=until, only=self._earning)
