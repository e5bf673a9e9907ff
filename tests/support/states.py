"""Recorded states of accounts, read by the importers and laid side by side."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import attrs

from ledger import importers
from ledger.entries import RawRecord
from ledger.events import (
    Event,
    LendingStateObserved,
    ModeChanged,
    PerpStateObserved,
    ReserveObserved,
    SpotStateObserved,
)
from ledger.importers import Hints
from ledger.seal import digest_of_record
from ledger.units import Asset, Millis, Stream, parse_address
from projections.margin import Picture, observed

SOMEBODY = parse_address("0x00000000000000000000000000000000000000aa")
"""Whose a record is that does not say."""

IN_MARCH = Millis(1_774_994_953_000)
"""2026-03-31T22:09:13Z, the recorder's clock of the states that have none of their own."""


@attrs.frozen(kw_only=True)
class States:
    """What one record shows of one account."""

    spot: SpotStateObserved
    perps: tuple[PerpStateObserved, ...]
    lending: LendingStateObserved | None
    mode: ModeChanged
    reserves: tuple[ReserveObserved, ...]

    def picture(self) -> Picture:
        """Return the picture the states make."""
        return observed(
            mode=self.mode.mode,
            spot=self.spot,
            perps=self.perps,
            lending=self.lending,
            reserves=self.reserves,
        )

    def row(self, asset: str):
        """Return one row of the spot state."""
        return next(row for row in self.spot.balances if row.asset == asset)

    def available(self, token: int) -> Decimal:
        """Return what the venue says is available of a token."""
        return next(each.value for each in self.spot.available if each.token == token)

    def position(self, coin: str):
        """Return one position of the main exchange."""
        return next(row for row in self.perps[0].positions if row.coin == coin)


def read(path: Path, at: Millis = IN_MARCH) -> list[Event]:
    """Return the events of one recorded file."""
    body = path.read_bytes()
    record = RawRecord(name=path.name, body=body, digest=digest_of_record(body))
    reading = importers.read(record, Hints(account=SOMEBODY, at=at))
    return [event for part in reading.parts for event in part.events]


def states(events: Iterable[Event], account: str = SOMEBODY) -> States:
    """Return the states of one account among events."""
    known = list(events)
    stream = Stream(f"account:{account}")

    def of(kind: type) -> list:
        return [each for each in known if isinstance(each, kind) and each.stream == stream]

    return States(
        spot=of(SpotStateObserved)[0],
        perps=tuple(of(PerpStateObserved)),
        lending=next(iter(of(LendingStateObserved)), None),
        mode=of(ModeChanged)[0],
        reserves=tuple(each for each in known if isinstance(each, ReserveObserved)),
    )


def asset(name: str) -> Asset:
    """Return a token by its symbol."""
    return Asset(name)
