"""Surroundings: what is recorded beside an account's movements, by moment.

Prices of markets, states of reserves and of the account itself, its mode, tables of margin. Of
several of one moment the last holds: streams by name, each in its own order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from replay.evidence.verifier.amounts import plain, quotient
from replay.evidence.verifier.canon import fixed
from replay.evidence.verifier.course import Row, course
from replay.evidence.verifier.engine import Listing
from replay.evidence.verifier.rules import Tiers

TOGETHER = 60_000
"""States of one account recorded within a minute make one picture."""
STANDING_FOR_MARKS = ("mark", "mid", "oracle", "last")
"""Prices that are taken for the mark of a market, the best first."""
UNDERLYING = {"HYPE": "HYPE", "UBTC": "BTC", "UETH": "ETH", "USOL": "SOL"}
"""The perpetual market of what a token stands for."""
SINGLE_TIER = 50
"""A margin table of a number below this is one tier of that highest leverage."""

Price = tuple[int, Fraction]
"""Moment and price."""


class Dated:
    """Events in order of time."""

    def __init__(self) -> None:
        """Begin empty."""
        self.found: list[tuple[int, Any]] = []

    def put(self, at: int, value: Any) -> None:
        """Add one; those of one moment stand in the order in which they are put."""
        self.found.append((at, value))

    def until(self, at: int) -> list[Any]:
        """Return all up to and including a moment, in order of time."""
        known = [one for one in self.found if one[0] <= at]
        return [value for _, value in sorted(known, key=lambda one: one[0])]

    def last(self, at: int) -> Any:
        """Return the last at or before a moment; None without one."""
        latest = None
        for one in self.found:
            if one[0] <= at and (latest is None or one[0] >= latest[0]):
                latest = one
        return None if latest is None else latest[1]


class Surroundings:
    """What is recorded beside the movements of one account."""

    def __init__(self, own: Iterable[Row], others: Iterable[Row], listing: Listing) -> None:
        """Read the account's own course, and those of markets, reserves and the venue by name."""
        self.listing = listing
        self.modes, self.spots, self.lendings = Dated(), Dated(), Dated()
        self.openings: list[int] = []
        self.perps: dict[str, Dated] = {}
        self.loans: list[Any] = []
        self.reserves: dict[str, Dated] = {}
        self.prices: dict[tuple[str, str], Dated] = {}
        self.listed: dict[str, Dated] = {}
        self.tables: dict[tuple[str, int], Dated] = {}
        for row in own:
            self._own(row.kind, row.at, row.event)
        for row in others:
            self._other(row.kind, row.at, row.event)

    def _own(self, kind: str, at: int, event: Any) -> None:
        if kind == "mode_changed":
            self.modes.put(at, event["mode"])
        elif kind == "spot_state_observed":
            self.spots.put(at, event)
        elif kind == "perp_state_observed":
            self.perps.setdefault(event["dex"], Dated()).put(at, event)
        elif kind == "opened":
            self.openings.append(at)
        elif kind == "filled" and event["liquidation_mark"] is not None:
            self._price(at, event["coin"], "mark", event["liquidation_mark"])
        if kind == "lending_state_observed":
            self.lendings.put(at, event)
        if kind in ("reserve_operated", "interest_accrued", "lending_state_observed"):
            self.loans.append((kind, event))

    def _other(self, kind: str, at: int, event: Any) -> None:
        if kind == "price_observed":
            self._price(at, event["coin"], event["measure"], event["px"])
        elif kind == "candle_observed":
            self._price(at, event["coin"], "last", event["last"])
        elif kind == "reserve_observed":
            self.reserves.setdefault(event["asset"], Dated()).put(at, event)
        elif kind == "market_listed":
            self.listed.setdefault(event["coin"], Dated()).put(at, event)
        elif kind == "margin_table_set":
            self.tables.setdefault((event["dex"], event["table"]), Dated()).put(at, event)

    def _price(self, at: int, coin: str, measure: str, px: Any) -> None:
        self.prices.setdefault((coin, measure), Dated()).put(at, (at, plain(px)))

    # What held at an instant.

    def perps_at(self, at: int) -> list[Any]:
        """Return the last state of every exchange of the account."""
        found = [dated.last(at) for dated in self.perps.values()]
        return [state for state in found if state is not None]

    def settings_at(self, at: int) -> dict[str, Any]:
        """Return what the last states show of each market: the state's moment, and the row."""
        return {
            row["coin"]: (state["at"], row)
            for state in self.perps_at(at)
            for row in state["positions"]
        }

    def mark_at(self, coin: str, at: int) -> Price | None:
        """Return the best price that stands for the mark of a market."""
        for measure in STANDING_FOR_MARKS:
            price = self.price_at(coin, measure, at)
            if price is not None:
                return price
        return None

    def price_at(self, coin: str, measure: str, at: int) -> Price | None:
        """Return the last price of a market by one measure.

        A state of the account is marked at its own mark: value ÷ size of its position. It goes
        before an older price, and before another one of the same moment.
        """
        dated = self.prices.get((coin, measure))
        price: Price | None = None if dated is None else dated.last(at)
        if measure != "mark":
            return price
        for state in self.perps_at(at):
            for row in state["positions"]:
                if row["coin"] != coin or row["value"] is None or not fixed(row["size"]):
                    continue
                if price is None or price[0] <= state["at"]:
                    implied = quotient(plain(row["value"]), abs(plain(row["size"])))
                    assert isinstance(implied, Fraction)
                    price = (state["at"], implied)
        return price

    def oracle_at(self, asset: str, at: int) -> Price | None:
        """Return the price of a token: of its reserve, or a younger one of what it stands for."""
        state = self.reserve_at(asset, at)
        recorded = None if state is None else (state["at"], plain(state["oracle_px"]))
        if asset in UNDERLYING:
            for measure in ("oracle", *STANDING_FOR_MARKS):
                price = self.price_at(UNDERLYING[asset], measure, at)
                if price is not None and (recorded is None or price[0] > recorded[0]):
                    return price
        return recorded

    def reserve_at(self, asset: str, at: int) -> Any:
        """Return the last state of a reserve; None where none is recorded."""
        dated = self.reserves.get(asset)
        return None if dated is None else dated.last(at)

    def tiers_at(self, coin: str, at: int) -> Tiers:
        """Return the margin tiers of a market as recorded; none where they are not."""
        dated = self.listed.get(coin)
        listed = None if dated is None else dated.last(at)
        if listed is None:
            return []
        number = listed["margin_table"]
        named = self.tables.get((listed["dex"], number))
        table = None if number is None or named is None else named.last(at)
        if table is not None:
            return [
                (plain(one["lower_bound"]), Fraction(one["max_leverage"])) for one in table["tiers"]
            ]
        if number is not None and 0 < number < SINGLE_TIER:
            return [(Fraction(0), Fraction(number))]
        if number is None and listed["max_leverage"] is not None:
            return [(Fraction(0), Fraction(listed["max_leverage"]))]
        return []


def around(streams: Mapping[str, Any], position: int) -> list[Row]:
    """Return the courses of markets, reserves and the venue, by the names of their streams."""
    return [
        row
        for name in sorted(streams)
        if name == "venue" or name.startswith(("market:", "reserve:"))
        for row in course(streams[name], position)
    ]
