"""A long history of one account, with the states the venue would have shown of it at intervals.

What the states show is counted here, in whole numbers, and never by the projections: money in
micro-dollars, sizes in lots of 10^-2, tokens in units of 10^-8. One event can be left out of the
history; the states know of it all the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ledger.book import Book
from ledger.entries import Part, RawRecord, Reading
from ledger.events import (
    ClassTransferred,
    Deposited,
    Event,
    Filled,
    FundingPaid,
    InterestAccrued,
    LendingStateObserved,
    MarginSummary,
    ModeChanged,
    ObservedBalance,
    ObservedLoan,
    ObservedPosition,
    PerpStateObserved,
    ReserveObserved,
    ReserveOperated,
    SpotStateObserved,
    TokenListed,
    Withdrawn,
)
from ledger.units import (
    MAIN_DEX,
    VENUE,
    Address,
    Asset,
    Coin,
    Digest,
    Millis,
    account_stream,
    reserve_stream,
)

ACCOUNT = Address("0x" + "1e" * 20)
STREAM = account_stream(ACCOUNT)
USDC = Asset("USDC")
COINS = tuple(f"C{number}" for number in range(8))
BATCH = 1000
START = 1_780_000_000_000
HOUR = 3_600_000
YEAR = 365 * 24 * HOUR
RATE = 3 * 10**8  # yearly supply rate in units of 10^-10: 3 %


@dataclass
class Long:
    """The account under way; ``moments`` are those of its states, ``dropped`` what was left out."""

    seed: int
    events: int
    every: int
    drop: int | None = None
    now: int = START
    perp: int = 0
    spot: int = 0
    supplied: int = 0
    owed: int = 0  # interest since the last row, in 10^-18
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COINS, 0))
    moments: list[int] = field(default_factory=list)
    dropped: Event | None = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.hour = START + HOUR

    def history(self) -> Iterator[Event]:
        """Yield the account's events in order, states among them, one left out."""
        yield ModeChanged(stream=STREAM, at=Millis(START), mode="disabled", observed=True)
        for number in range(self.events):
            if self.now >= self.hour:
                event: Event = self.turn_of_hour()
            else:
                self.let_pass(self.now + 1 + self.chance.randrange(4_000))
                event = self.deed(number)
            if number == self.drop:
                self.dropped = event
            else:
                yield event
            if number % self.every == self.every - 1:
                self.let_pass(self.now + 20_000)  # away from what the clock may be off by
                yield from self.states()
                self.let_pass(self.now + 20_000)

    def let_pass(self, at: int) -> None:
        """Go on to a moment, not beyond the full hour."""
        until = min(at, max(self.now, self.hour))
        self.owed += self.supplied * 10**10 * RATE * (until - self.now) // (10**10 * YEAR)
        self.now = until

    def turn_of_hour(self) -> InterestAccrued:
        units = self.owed // 10**10
        self.owed -= units * 10**10
        self.supplied += units
        self.hour += HOUR
        return InterestAccrued(
            stream=STREAM,
            at=Millis(self.now),
            asset=USDC,
            supply=Decimal(units).scaleb(-8),
            borrow=Decimal(0),
        )

    def deed(self, number: int) -> Event:
        roll = self.chance.random()
        tx = f"0x{number:064x}"
        at, amount = Millis(self.now), self.chance.randrange(1, 10**9)
        if roll < 0.80:
            return self.fill(number, tx)
        if roll < 0.92:
            coin = self.chance.choice(COINS)
            paid = self.chance.randrange(1, 10**5) * self.chance.choice((-1, 1))
            self.perp += paid
            return FundingPaid(
                stream=STREAM, at=at, coin=Coin(coin), usdc=Decimal(paid).scaleb(-6),
                size=Decimal(self.sizes[coin]).scaleb(-2), rate=Decimal("0.0000125"),
                samples=None, tx_hash=tx,
            )  # fmt: skip
        usdc = Decimal(amount).scaleb(-6)
        if roll < 0.94:
            self.perp += amount
            return Deposited(stream=STREAM, at=at, usdc=usdc, tx_hash=tx)
        if roll < 0.95:
            self.perp -= amount + 10**6
            return Withdrawn(
                stream=STREAM, at=at, usdc=usdc, fee=Decimal(1), nonce=number, tx_hash=tx
            )
        if roll < 0.97:
            to_perp = self.chance.random() < 0.4
            self.perp += amount if to_perp else -amount
            self.spot -= 100 * (amount if to_perp else -amount)
            return ClassTransferred(
                stream=STREAM, at=at, dex=MAIN_DEX, asset=USDC, amount=usdc, to_perp=to_perp,
                tx_hash=tx,
            )  # fmt: skip
        return self.operation(at, tx)

    def operation(self, at: Millis, tx: str) -> ReserveOperated:
        units = self.chance.randrange(1, 10**11)
        supplies = self.supplied < 2 * units or self.chance.random() < 0.6
        self.supplied += units if supplies else -units
        self.spot -= units if supplies else -units
        return ReserveOperated(
            stream=STREAM, at=at, operation="supply" if supplies else "withdraw", asset=USDC,
            amount=Decimal(units).scaleb(-8), reported_interest=None, tx_hash=tx,
        )  # fmt: skip

    def fill(self, number: int, tx: str) -> Filled:
        coin = self.chance.choice(COINS)
        lots, px = self.chance.randrange(1, 10**4), self.chance.randrange(10**3, 10**6)
        sign = self.chance.choice((-1, 1))
        before = self.sizes[coin]
        fee = lots * px * 45 // 10**5
        self.sizes[coin] = before + sign * lots
        self.perp -= sign * lots * px + fee
        return Filled(
            stream=STREAM, at=Millis(self.now), coin=Coin(coin), px=Decimal(px).scaleb(-4),
            sz=Decimal(lots).scaleb(-2), side="B" if sign > 0 else "A", direction="Buy",
            start_position=Decimal(before).scaleb(-2), reported_closed_pnl=Decimal(0),
            reported_net_pnl=None, notional=None, fee=Decimal(fee).scaleb(-6), fee_asset=USDC,
            builder_fee=None, crossed=True, oid=number, tid=number + 1, cloid=None, twap_id=None,
            liquidated_user=None, liquidation_mark=None, liquidation_method=None, tx_hash=tx,
        )  # fmt: skip

    def states(self) -> Iterator[Event]:
        """Yield what the venue shows at this moment: perpetuals, spot, lending."""
        at = Millis(self.now)
        self.moments.append(self.now)
        raw = Decimal(self.perp).scaleb(-6)
        totals = MarginSummary(
            account_value=raw, total_notional=Decimal(0), total_raw_usd=raw,
            total_margin_used=Decimal(0),
        )  # fmt: skip
        positions = tuple(
            ObservedPosition(coin=Coin(coin), size=Decimal(lots).scaleb(-2))
            for coin, lots in self.sizes.items()
            if lots
        )
        yield PerpStateObserved(
            stream=STREAM, at=at, dex=MAIN_DEX, positions=positions, summary=totals,
            cross=totals, cross_maintenance=None, withdrawable=None,
        )  # fmt: skip
        row = ObservedBalance(
            asset=USDC, token=0, total=Decimal(self.spot).scaleb(-8), hold=Decimal(0)
        )
        yield SpotStateObserved(
            stream=STREAM, at=at, balances=(row,), margin_enabled=None, margin_ratio=None,
            borrow_ratios=(), supply_ratios=(), available=(),
        )  # fmt: skip
        value = Decimal(self.supplied + self.owed // 10**10).scaleb(-8)
        loan = ObservedLoan(
            token=0, borrow_basis=Decimal(0), borrow_value=Decimal(0), supply_basis=value,
            supply_value=value,
        )  # fmt: skip
        yield LendingStateObserved(
            stream=STREAM, at=at, loans=(loan,), health="healthy", health_factor=None
        )


def write(path: Path, made: Long) -> None:
    """Write a book of a history, a batch at a time; one half hour of the reserve's rate beside."""
    raw = RawRecord(name="memory", body=b"[]", digest=Digest(sha256(b"[]").hexdigest()))
    with Book.create(path) as book:
        source, first = made.history(), 0
        while page := tuple(islice(source, BATCH)):
            rows = tuple(range(first, first + len(page)))
            part = Part(stream=STREAM, source="api", answer="", events=page, rows=rows)
            book.append(raw, Reading(kind="events", parts=(part,)), recorded=Millis(first))
            first += len(page)
        states = tuple(rate(at) for at in range(START, made.now + HOUR, HOUR // 2))
        listed = TokenListed(
            stream=VENUE, at=Millis(START), asset=USDC, index=0, size_places=8, wei_places=8
        )
        for stream, events in ((reserve_stream(USDC), states), (VENUE, (listed,))):
            part = Part(stream=stream, source="api", answer="", events=events,
                        rows=tuple(range(len(events))))  # fmt: skip
            book.append(raw, Reading(kind="events", parts=(part,)), recorded=Millis(first))


def rate(at: int) -> ReserveObserved:
    """Return a state of the reserve with the rate the account is paid."""
    return ReserveObserved(
        stream=reserve_stream(USDC), at=Millis(at), asset=USDC, token=0,
        borrow_rate=Decimal("0.05"), supply_rate=Decimal(RATE).scaleb(-10), balance=Decimal(3),
        utilization=Decimal("0.6666666667"), oracle_px=Decimal(1), ltv=Decimal(0),
        supplied=Decimal(9), borrowed=Decimal(6),
    )  # fmt: skip
