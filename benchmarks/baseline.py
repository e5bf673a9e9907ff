"""The baseline: an account as the `eventsourcing` documentation would have it.

An ``Aggregate`` with decorated command methods, ``Decimal`` fields, an ``Application`` on a
SQLite file, events saved in batches of 1,000, a snapshot every 1,000 events. It keeps the same
figures as our projections (balances by place, positions with entry notional and realized result,
fees, funding, last prices seen), so that both can be held against each other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from ledger.events import Event

ZERO = Decimal(0)
MICRO = 1_000_000


class Account(Aggregate):
    """One account: commands become events, events change the figures."""

    @event("Opened")
    def __init__(self) -> None:
        self.balances: dict[str, Decimal] = {}
        self.size: dict[str, Decimal] = {}
        self.entry: dict[str, int] = {}
        self.realized: dict[str, Decimal] = {}
        self.fees: dict[str, Decimal] = {}
        self.funding: dict[str, Decimal] = {}

    def _add(self, place: str, asset: str, amount: Decimal) -> None:
        key = f"{place} {asset}"
        self.balances[key] = self.balances.get(key, ZERO) + amount

    @event("Deposited")
    def deposit(self, at: int, usdc: Decimal, tx_hash: str) -> None:
        self._add("perp:", "USDC", usdc)
        self._add("outside", "USDC", -usdc)

    @event("FundingPaid")
    def pay_funding(
        self, at: int, coin: str, usdc: Decimal, size: Decimal, rate: Decimal, tx_hash: str
    ) -> None:
        self._add("perp:", "USDC", usdc)
        self._add("venue:funding", "USDC", -usdc)
        self.funding[coin] = self.funding.get(coin, ZERO) + usdc

    @event("InterestAccrued")
    def accrue(self, at: int, asset: str, supply: Decimal, borrow: Decimal) -> None:
        self._add("supplied", asset, supply)
        self._add("borrowed", asset, -borrow)
        self._add("venue:lending", asset, borrow - supply)

    @event("ReserveOperated")
    def supply(self, at: int, asset: str, amount: Decimal, tx_hash: str) -> None:
        self._add("spot", asset, -amount)
        self._add("supplied", asset, amount)

    @event("Filled")
    def fill(
        self,
        at: int,
        coin: str,
        px: Decimal,
        sz: Decimal,
        side: str,
        start_position: Decimal,
        direction: str,
        closed_pnl: Decimal,
        fee: Decimal,
        fee_asset: str,
        crossed: bool,
        oid: int,
        tid: int,
        tx_hash: str,
    ) -> None:
        signed = sz if side == "B" else -sz
        if "/" in coin:
            base, quote = coin.split("/")
            self._add("spot", base, signed)
            self._add("venue:trading", base, -signed)
            self._add("spot", quote, -signed * px)
            self._add("venue:trading", quote, signed * px)
            self._add("spot", fee_asset, -fee)
        else:
            self._add("perp:", "USDC", -signed * px)
            self._add("venue:trading", "USDC", signed * px)
            self._add("perp:", "USDC", -fee)
            self._trade(coin, signed, px)
        self._add("venue:fees", fee_asset, fee)
        self.fees[fee_asset] = self.fees.get(fee_asset, ZERO) + fee

    def _trade(self, coin: str, signed: Decimal, px: Decimal) -> None:
        size, entry = self.size.get(coin, ZERO), self.entry.get(coin, 0)
        after = size + signed
        if size == 0 or (size > 0) == (signed > 0):
            self.entry[coin] = entry + int(abs(signed) * px * MICRO)
        else:
            closed = min(abs(signed), abs(size))
            places = SIZE_PLACES[coin]
            grid = 10 ** (6 - places)
            lots = int(abs(size) * 10**places)
            # floor(N / |szi|) on the price grid, exactly
            entry_px = Decimal(entry * 10**places * grid // (lots * MICRO)) / grid
            gain = closed * (px - entry_px) * (1 if size > 0 else -1)
            self.realized[coin] = self.realized.get(coin, ZERO) + gain
            if abs(signed) < abs(size):
                left = int(abs(after) * 10**places)
                self.entry[coin] = int(float(entry) * (left / lots))
            else:
                self.entry[coin] = int(abs(after) * px * MICRO)
        self.size[coin] = after


SIZE_PLACES: dict[str, int] = {}


class Accounts(Application):
    """The application of the documentation, with a snapshot every 1,000 events."""

    snapshotting_intervals: ClassVar[dict[type, int]] = {Account: 1000}


def application(path: str) -> Accounts:
    """Open the baseline on a SQLite file."""
    return Accounts(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": path})


def command(account: Account, fact: Event) -> None:
    """Give one of our parsed events to the aggregate as the call its documentation shows."""
    name = type(fact).__name__
    if name == "Filled":
        account.fill(
            fact.at,
            fact.coin,
            fact.px,
            fact.sz,
            fact.side,
            fact.start_position,
            fact.direction,
            fact.reported_closed_pnl,
            fact.fee,
            fact.fee_asset,
            fact.crossed,
            fact.oid,
            fact.tid,
            fact.tx_hash,
        )
    elif name == "FundingPaid":
        account.pay_funding(fact.at, fact.coin, fact.usdc, fact.size, fact.rate, fact.tx_hash)
    elif name == "InterestAccrued":
        account.accrue(fact.at, fact.asset, fact.supply, fact.borrow)
    elif name == "ReserveOperated":
        account.supply(fact.at, fact.asset, fact.amount, fact.tx_hash)
    else:
        account.deposit(fact.at, fact.usdc, fact.tx_hash)


def append(app: Accounts, facts: Iterable[Event], batch: int = 1000) -> UUID:
    """Append all events in batches and return the aggregate's id."""
    account = Account()
    app.save(account)
    for index, fact in enumerate(facts, start=1):
        command(account, fact)
        if index % batch == 0:
            app.save(account)
    app.save(account)
    return account.id
