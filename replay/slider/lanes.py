"""Lanes: lines of an account through time, and what they look like to whoever draws them.

Values are exact decimals. A drawing needs places on a screen, and only for them amounts become
floats here (``to_json_ready``); what is read stands beside as text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import canonical
from ledger.units import Address, Millis
from replay.margin_report import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ledger.units import Coin
    from replay.slider.marks import Mark

RATIO: Final = "ratio"
LIMIT: Final = "limit"
EQUITY: Final = "equity"
SUPPLIED: Final = "supplied"
BORROWED: Final = "borrowed"
POSITION: Final = "position "

POSITIONS_DRAWN: Final = 8
"""Positions of more markets than this are not drawn; the largest are."""

DIGITS: Final = 7
"""Significant digits of a place on a screen."""


@attrs.frozen(kw_only=True)
class Cause:
    """Why a line has no value over a stretch of its points. **Units**: milliseconds."""

    since: Millis
    until: Millis
    """The last point without a value; the next one has one, or another cause."""
    text: str


@attrs.frozen(kw_only=True)
class Lane:
    """One line: a value for every moment of its ``Lanes``, or None and why."""

    name: str
    unit: str
    """``USDC``, or empty for a ratio."""
    values: tuple[Decimal | None, ...]
    causes: tuple[Cause, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether there is a value anywhere."""
        return any(value is not None for value in self.values)


@attrs.frozen(kw_only=True)
class Lanes:
    """Lines of one account, as known at one position.

    The lanes are, in order, ``ratio`` (margin ratio), ``limit`` (the ratio above which the account
    can be liquidated), ``equity``, ``supplied``, ``borrowed`` (not negative), and ``position X``
    for each market drawn: signed size × price, a short below zero. **Units**: USDC, but for the
    two ratios.
    """

    account: Address
    position: int
    times: tuple[Millis, ...]
    """Milliseconds, ascending."""
    events: tuple[int, ...]
    """How many events had happened by each of them: what lies between two is not drawn."""
    lanes: tuple[Lane, ...]
    notes: tuple[str, ...] = ()

    def lane(self, name: str) -> Lane | None:
        """Return a lane by its name; None when there is none."""
        return next((lane for lane in self.lanes if lane.name == name), None)

    def _values(self, name: str) -> tuple[Decimal | None, ...]:
        lane = self.lane(name)
        return () if lane is None else lane.values

    @property
    def ratio(self) -> tuple[Decimal | None, ...]:
        """The margin ratio at every moment."""
        return self._values(RATIO)

    @property
    def limit(self) -> tuple[Decimal | None, ...]:
        """The ratio above which the account can be liquidated, at every moment."""
        return self._values(LIMIT)

    @property
    def equity(self) -> tuple[Decimal | None, ...]:
        """What the account was worth at every moment. **Units**: USDC."""
        return self._values(EQUITY)

    @property
    def supplied(self) -> tuple[Decimal | None, ...]:
        """What was lent to reserves at every moment. **Units**: USDC."""
        return self._values(SUPPLIED)

    @property
    def borrowed(self) -> tuple[Decimal | None, ...]:
        """What was owed to reserves at every moment, not negative. **Units**: USDC."""
        return self._values(BORROWED)

    @property
    def positions(self) -> Mapping[Coin, tuple[Decimal | None, ...]]:
        """Signed worth of the positions drawn, by market. **Units**: USDC."""
        return {
            # the name of such a lane is made of the market's
            lane.name.removeprefix(POSITION): lane.values  # type: ignore[misc]
            for lane in self.lanes
            if lane.name.startswith(POSITION)
        }

    def to_json_ready(self, marks: tuple[Mark, ...] = ()) -> dict[str, object]:
        """Return what a drawing needs, as plain values for JSON.

        ``times`` are seconds and ``values`` floats, both good for places on a screen alone;
        ``last``, ``lowest`` and ``highest`` are text to be read, with their moments in
        milliseconds.
        """
        return {
            "account": self.account,
            "known_at": str(self.position),
            "times": [at / 1000 for at in self.times],
            "events": list(self.events),
            "lanes": [
                {
                    "name": lane.name,
                    "unit": lane.unit,
                    "values": [_drawn(value) for value in lane.values],
                    "unknown": [
                        {"from_ms": cause.since, "to_ms": cause.until, "cause": cause.text}
                        for cause in lane.causes
                    ],
                    **dict(self._told(lane)),
                }
                for lane in self.lanes
            ],
            "marks": [
                {
                    "ms": mark.ms, "until_ms": mark.until, "family": mark.family,
                    "what": mark.what, "event": mark.event, "count": mark.count,
                }
                for mark in marks
            ],
            "notes": list(self.notes),
        }  # fmt: skip

    def _told(self, lane: Lane) -> Iterator[tuple[str, dict[str, object]]]:
        known = [
            (value, at)
            for value, at in zip(lane.values, self.times, strict=True)
            if value is not None
        ]
        if not known:
            return
        told = shown if not lane.unit else canonical
        for name, (value, at) in (
            ("lowest", min(known)), ("highest", max(known)), ("last", known[-1]),
        ):  # fmt: skip
            yield name, {"value": told(value), "ms": at}


def _drawn(value: Decimal | None) -> float | None:
    """Return a place on a screen: seven significant digits."""
    return None if value is None else float(f"{value:.{DIGITS}g}")
