"""The baseline: an account as the `eventsourcing` documentation would have it.

An ``Aggregate`` with decorated command methods and ``Decimal`` fields, an ``Application`` on a
SQLite file, events saved in batches of 1,000, a snapshot every 1,000 events. It keeps the very
figures our projections keep (balances by place with their counter places, positions with entry
notional, realized result and stated size, fees, funding), so that digests can be compared.
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
SIZE_PLACES: dict[str, int] = {}
"""Decimal places of the sizes of every market; reference data, given before use."""


class Account(Aggregate):
    """One account: commands become events, events change the figures."""

    @event("Began")
    def __init__(self) -> None:
        """Begin with nothing."""
        self.balances: dict[str, Decimal] = {}
        self.size: dict[str, Decimal] = {}
        self.entry: dict[str, int] = {}
        self.realized: dict[str, Decimal] = {}
        self.unexplained: dict[str, Decimal] = {}
        self.fees: dict[str, Decimal] = {}
        self.builder: dict[str, Decimal] = {}
        self.fills: dict[str, int] = {}
        self.funding: dict[str, Decimal] = {}
        self.payments: dict[str, int] = {}
        self.liquidations = 0

    def _move(self, target: str, source: str, asset: str, amount: Decimal) -> None:
        into, out = f"{target} {asset}", f"{source} {asset}"
        self.balances[into] = self.balances.get(into, ZERO) + amount
        self.balances[out] = self.balances.get(out, ZERO) - amount

    @event("Deposited")
    def deposit(self, at: int, usdc: Decimal, tx_hash: str) -> None:
        """Money came over the bridge."""
        self._move("perp:", "outside", "USDC", usdc)

    @event("FundingPaid")
    def pay_funding(
        self, at: int, coin: str, usdc: Decimal, size: Decimal, rate: Decimal, tx_hash: str
    ) -> None:
        """Funding was paid or received."""
        self._move("perp:", "venue:funding", "USDC", usdc)
        self.funding[coin] = self.funding.get(coin, ZERO) + usdc
        self.payments[coin] = self.payments.get(coin, 0) + 1

    @event("InterestAccrued")
    def accrue(self, at: int, asset: str, supply: Decimal, borrow: Decimal) -> None:
        """Interest of one hour."""
        if supply:
            self._move("supplied", "venue:lending", asset, supply)
        if borrow:
            self._move("borrowed", "venue:lending", asset, -borrow)

    @event("ReserveOperated")
    def operate(
        self, at: int, operation: str, asset: str, amount: Decimal, interest: Decimal, tx_hash: str
    ) -> None:
        """Tokens were supplied or withdrawn."""
        signed = amount if operation == "supply" else -amount
        self._move("supplied", "spot", asset, signed)

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
        builder_fee: Decimal | None,
        crossed: bool,
        oid: int,
        tid: int,
        cloid: str | None,
        twap_id: int | None,
        liquidated_user: str | None,
        tx_hash: str,
    ) -> None:
        """Take one fill of a perpetual."""
        signed = sz if side == "B" else -sz
        self._move("perp:", "venue:trading", "USDC", -signed * px)
        self._move(f"position:{coin}", "venue:trading", f"{coin}-PERP", signed)
        self._move("venue:fees", "perp:", fee_asset, fee)
        self.fees[fee_asset] = self.fees.get(fee_asset, ZERO) + fee
        self.builder[fee_asset] = self.builder.get(fee_asset, ZERO) + (builder_fee or ZERO)
        self.fills[fee_asset] = self.fills.get(fee_asset, 0) + 1
        if liquidated_user is not None:
            self.liquidations += 1
        self.unexplained[coin] = start_position - self.size.get(coin, ZERO)
        self._trade(coin, signed, px)

    def _trade(self, coin: str, signed: Decimal, px: Decimal) -> None:
        size, entry = self.size.get(coin, ZERO), self.entry.get(coin, 0)
        after = size + signed
        if size == 0 or (size > 0) == (signed > 0):
            self.entry[coin] = entry + int(abs(signed) * px * MICRO)
        else:
            places = SIZE_PLACES[coin]
            lots = int(abs(size) * 10**places)
            closed = min(abs(signed), abs(size))
            steps = entry * 10**places * 10 ** (6 - places) // (lots * MICRO)
            entry_px = Decimal(steps).scaleb(places - 6)
            gain = closed * (px - entry_px) * (1 if size > 0 else -1)
            self.realized[coin] = self.realized.get(coin, ZERO) + gain
            if abs(signed) <= abs(size):
                left = int(abs(after) * 10**places)
                self.entry[coin] = int(float(entry) * (left / lots))
            else:
                self.entry[coin] = int(abs(after) * px * MICRO)
        self.size[coin] = after


class Accounts(Application):
    """The application of the documentation, with a snapshot every 1,000 events."""

    snapshotting_intervals: ClassVar[dict[type, int]] = {Account: 1000}


class WithoutSnapshots(Application):
    """The same for reading from the first event on."""


def settings(path: str) -> dict[str, str]:
    """Return the settings of the documentation for a SQLite file."""
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": path}


def command(account: Account, fact: Event) -> None:
    """Give one parsed event to the aggregate as the call its documentation shows."""
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
            fact.builder_fee,
            fact.crossed,
            fact.oid,
            fact.tid,
            fact.cloid,
            fact.twap_id,
            fact.liquidated_user,
            fact.tx_hash,
        )
    elif name == "FundingPaid":
        account.pay_funding(fact.at, fact.coin, fact.usdc, fact.size, fact.rate, fact.tx_hash)
    elif name == "InterestAccrued":
        account.accrue(fact.at, fact.asset, fact.supply, fact.borrow)
    elif name == "ReserveOperated":
        account.operate(
            fact.at, fact.operation, fact.asset, fact.amount, fact.reported_interest, fact.tx_hash
        )
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


def figures(account: Account) -> dict[str, str]:
    """Return every figure of the account as plain text."""
    named: dict[str, object] = {f"balance {key}": value for key, value in account.balances.items()}
    for coin, size in account.size.items():
        named[f"size {coin}"] = size
        named[f"entry {coin}"] = account.entry[coin]
        named[f"realized {coin}"] = account.realized.get(coin, ZERO)
        named[f"unexplained {coin}"] = account.unexplained[coin]
    for asset, total in account.fees.items():
        named[f"fees {asset}"] = total
        named[f"builder {asset}"] = account.builder[asset]
        named[f"fills {asset}"] = account.fills[asset]
    for coin, total in account.funding.items():
        named[f"funding {coin}"] = total
        named[f"payments {coin}"] = account.payments[coin]
    named["liquidations"] = account.liquidations
    return {key: format(Decimal(str(value)).normalize(), "f") for key, value in named.items()}
