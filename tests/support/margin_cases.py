"""Small random lives of one account in which everything margin rests on meets its edge.

A life grows from its number alone: it deposits, trades, lends and borrows, some of it without a
record; markets, reserves and the venue are recorded around it, and now and then its own states. The
amounts are ones, twos and fives, so that limits are met exactly and not merely passed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger import events as ev
from ledger.book import Book
from ledger.entries import Part, RawRecord, Reading
from ledger.events import Event
from ledger.seal import digest_of_record
from ledger.units import Address, Asset, Coin, Dex, Millis, Stream, account_stream
from replay.audit import AccountHistory, Audit
from replay.engine import Engine

ADDRESS = Address("0x" + "c" * 40)
OWN = account_stream(ADDRESS)
HOUR = 3_600_000
INDEX = {"USDC": 0, "HYPE": 150, "UBTC": 197, "USDT0": 268, "USDH": 360, "PURR": 1}
COLLATERAL = ("HYPE", "UBTC", "USDH", "PURR")
COINS = ("BTC", "HYPE", "DOGE", "xyz:NVDA", "FOO")
BEGINNINGS = (
    1_769_510_880_000, 1_773_512_220_000, 1_778_147_940_000, 1_779_100_680_000, 1_780_386_900_000,
    1_782_056_520_000, 1_782_220_320_000, 1_785_600_360_000, 1_786_406_400_000, 1_787_132_400_000,
    1_776_988_800_000,
)  # fmt: skip
"""When rulebooks begin, and documented tiers."""
DISPUTED = 1_786_406_400_000
"""From when two rulebooks may hold."""


def amount(chance: random.Random) -> Decimal:
    """Return a small amount, sometimes with many places, sometimes large."""
    if chance.random() < 0.1:
        return Decimal(chance.choice(("0.00000001", "12.3456789", "900000", "60000000")))
    return Decimal(chance.choice((1, 2, 5, 10, 100, 1000)))


class Life:
    """One account, and the world around it."""

    def __init__(self, seed: int) -> None:
        """Live the whole life of a number."""
        self.chance = chance = random.Random(seed)
        began = chance.choice((*BEGINNINGS, *[DISPUTED] * 4))
        self.now = began + chance.choice((-3, -1, 0, 5, 40)) * HOUR
        self.parts: dict[str, list[Event]] = defaultdict(list)
        self.cash: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.sizes: dict[str, Decimal] = defaultdict(Decimal)
        self.marks = {coin: Decimal(chance.choice((1, 2, 40))) for coin in COINS}
        self.moments: set[int] = {self.now}
        self.telling: set[int] = set()
        self.number = 0
        self.mode = chance.choice(
            ("portfolioMargin",) * 14 + ("unifiedAccount",) * 3 + ("default",)
        )
        self.isolated = {coin for coin in COINS if chance.random() < 0.1}
        self.is_tidy = chance.random() < 0.6
        self.listed()
        if chance.random() < 0.97:
            self.told(ev.ModeChanged, mode=self.mode, observed=True)
        if chance.random() < 0.6:
            self.opened()
        self.begun()
        for _ in range(chance.randrange(4, 30)):
            self.now += chance.choice((0, 1, 1, 1000, 60_000, 60_001, HOUR // 2, HOUR, HOUR + 1))
            self.moments |= {self.now, self.now + chance.choice((-1, 1, HOUR, 60_000))}
            self.step()

    def put(self, stream: str, kind: type, at: int | None = None, **fields: Any) -> None:
        """Record an event."""
        moment = self.now if at is None else at
        self.parts[stream].append(kind(stream=Stream(stream), at=Millis(moment), **fields))

    def told(self, kind: type, **fields: Any) -> None:
        """Record an event of the account."""
        self.put(OWN, kind, **fields)

    def is_told(self) -> bool:
        """Tell whether something is recorded, and not merely done."""
        return self.chance.random() < (0.85 if self.is_tidy else 0.7)

    # ------------------------------------------------------------------------ the venue

    def listed(self) -> None:
        """Record metadata, some of it missing, some of it twice."""
        chance = self.chance
        for asset, index in INDEX.items():
            if chance.random() < 0.9:
                self.put("venue", ev.TokenListed, asset=Asset(asset), index=index, size_places=2,
                         wei_places=8)  # fmt: skip
        for coin in COINS:
            for _ in range(chance.choice((0, 1, 1, 1, 1, 1, 2))):
                dex = "xyz" if coin.startswith("xyz:") else ""
                self.put(
                    "venue", ev.MarketListed, at=self.now + chance.choice((0, 0, 0, HOUR)),
                    coin=Coin(coin), dex=Dex(dex), size_places=chance.choice((0, 2)),
                    collateral=Asset(chance.choice(("USDH", "USDT0"))) if dex else None,
                    max_leverage=chance.choice((None, 3, 10, 10)),
                    margin_table=chance.choice((None, 0, 1, 20, 49, 50, 51, 51, 51, 51, 52)),
                    only_isolated=False, delisted=chance.random() < 0.5,
                )  # fmt: skip
        for table in (50, 51, 52):
            for _ in range(chance.choice((0, 1, 1, 1, 1, 2))):
                bounds = chance.choice(((0,), (0, 100), (0, 10, 1000), (0, 1, 2, 40)))
                tops = chance.sample((50, 25, 10, 7, 5, 3), len(bounds))
                tiers = zip(bounds, sorted(tops, reverse=True), strict=True)
                self.put(
                    "venue", ev.MarginTableSet, at=self.now + chance.choice((0, 1, HOUR)),
                    table=table, dex=Dex(chance.choice(("", "", "xyz"))),
                    description=f"tiers {chance.random()}",
                    tiers=tuple(ev.Tier(lower_bound=Decimal(low), max_leverage=top)
                                for low, top in tiers),
                )  # fmt: skip

    def opened(self) -> None:
        """Record an opening, at what the account has or at anything else."""
        chance = self.chance
        places = ("spot", "perp:", "supplied", "borrowed")
        rows = {(chance.choice(places), chance.choice(tuple(INDEX))): amount(chance)
                for _ in range(chance.randrange(4))}  # fmt: skip
        for (place, asset), found in rows.items():
            self.cash[place, asset] += -found if place == "borrowed" else found
        self.told(
            ev.Opened, positions=(), author="Mara", source="a state",
            balances=tuple(ev.OpeningBalance(place=place, asset=Asset(asset), amount=found)
                           for (place, asset), found in rows.items()),
        )  # fmt: skip

    def begun(self) -> None:
        """Record most of what a ratio needs: prices, reserves, some money."""
        chance = self.chance
        for coin in COINS:
            if chance.random() < 0.8:
                self.put(f"market:{coin}", ev.PriceObserved, coin=Coin(coin), measure="mark",
                         px=self.marks[coin], via="allMids")  # fmt: skip
        for asset in INDEX:
            if chance.random() < 0.7:
                self.reserve(asset)
        self.cash["perp:", "USDC"] += 500
        self.told(ev.Deposited, usdc=Decimal(500), tx_hash=self.hash())
        if chance.random() < 0.5:
            self.cash["supplied", "HYPE"] += 100
            self.cash["spot", "HYPE"] -= 100
            self.told(ev.ReserveOperated, operation="supply", asset=Asset("HYPE"),
                      amount=Decimal(100), reported_interest=None, tx_hash=self.hash())  # fmt: skip
        if chance.random() < 0.6:
            self.shown()

    def step(self) -> None:
        """Let one thing happen."""
        sorts = (self.price, self.price, self.reserve, self.reserve, self.move, self.trade,
                 self.trade, self.swap, self.lend, self.lend, self.interest, self.shown,
                 self.rare)  # fmt: skip
        self.chance.choice(sorts)()

    def price(self) -> None:
        """Record a price of a market."""
        chance, coin = self.chance, self.chance.choice(COINS)
        px = Decimal(chance.choice(("1", "2", "40", "0.3333")))
        if chance.random() < 0.7:
            measure = chance.choice(("mark", "mark", "mid", "oracle"))
            if measure == "mark":
                self.marks[coin] = px
            self.put(f"market:{coin}", ev.PriceObserved, coin=Coin(coin), measure=measure, px=px,
                     via=chance.choice(("allMids", "metaAndAssetCtxs")))  # fmt: skip
            if chance.random() < 0.2:
                self.put(f"market:{coin}", ev.PriceObserved, coin=Coin(coin), measure=measure,
                         px=px * 3, via="another")  # fmt: skip
        else:
            self.put(f"market:{coin}", ev.CandleObserved, coin=Coin(coin),
                     interval=chance.choice(("1m", "1h")), opened=Millis(self.now), first=px,
                     highest=px, lowest=px, last=px, volume=px, trades=1)  # fmt: skip

    def reserve(self, of: str = "") -> None:
        """Record the state of a reserve."""
        chance = self.chance
        asset = of or chance.choice((*INDEX, "HYPE", "HYPE", "USDC"))
        share = {"HYPE": "0.5 0.5 0.65", "UBTC": "0.5 0", "PURR": "0 0.2"}.get(asset, "0 0 0.1")
        rate = chance.choice((None, Decimal("0.05"), Decimal("0.3"), Decimal("1.25")))
        self.put(
            f"reserve:{asset}", ev.ReserveObserved, asset=Asset(asset), token=INDEX[asset],
            borrow_rate=rate, supply_rate=None if rate is None else rate * Decimal("0.5"),
            balance=None, utilization=None, supplied=None, borrowed=None,
            oracle_px=Decimal(chance.choice(("1", "2", "40", "0.9993", "0.7"))),
            ltv=Decimal(chance.choice(share.split())),
        )  # fmt: skip

    # ------------------------------------------------------------------------ the account

    def move(self) -> None:
        """Deposit, or move money between the sides."""
        chance, found = self.chance, amount(self.chance)
        if chance.random() < 0.4:
            self.cash["perp:", "USDC"] += found
            if self.is_told():
                self.told(ev.Deposited, usdc=found, tx_hash=self.hash())
            return
        asset, dex = chance.choice((("USDC", ""), ("USDC", ""), ("USDH", "xyz"), ("USDT0", "xyz")))
        to_perp = chance.random() < 0.5
        signed = found if to_perp else -found
        self.cash[f"perp:{dex}", asset] += signed
        self.cash["spot", asset] -= signed
        if self.is_told():
            self.told(ev.ClassTransferred, asset=Asset(asset), amount=found, dex=Dex(dex),
                      to_perp=to_perp, tx_hash=self.hash())  # fmt: skip

    def hash(self) -> str:
        self.number += 1
        return f"0x{self.number:04x}"

    def fill(self, coin: str, sz: Decimal, px: Decimal, side: str, **other: Any) -> None:
        self.number += 1
        fields: dict[str, Any] = dict.fromkeys((
            "start_position", "reported_closed_pnl", "reported_net_pnl", "notional", "builder_fee",
            "crossed", "cloid", "twap_id", "liquidated_user", "liquidation_mark",
            "liquidation_method", "tx_hash",
        ))  # fmt: skip
        fields |= {"fee": Decimal(0), "fee_asset": None, "oid": self.number, "tid": self.number}
        self.told(ev.Filled, coin=Coin(coin), px=px, sz=sz, side=side, direction="x",
                  **fields | other)  # fmt: skip

    def trade(self) -> None:
        """Trade a perpetual."""
        chance, coin = self.chance, self.chance.choice(COINS)
        sz, px, side = amount(chance), self.marks[coin], chance.choice("BBA")
        if chance.random() < 0.3 and self.sizes[coin]:
            sz, side = abs(self.sizes[coin]), "A" if self.sizes[coin] > 0 else "B"
        start, signed = self.sizes[coin], sz if side == "B" else -sz
        self.sizes[coin] += signed
        dex = "xyz" if coin.startswith("xyz:") else ""
        self.cash[f"perp:{dex}", "USDH" if dex else "USDC"] -= signed * px
        if self.is_told():
            mark = chance.choice((None,) * 6 + (px, px * 2))
            self.fill(coin, sz, px, side, start_position=chance.choice((None, start, start)),
                      liquidation_mark=mark)  # fmt: skip

    def swap(self) -> None:
        """Trade a token for USDC."""
        chance = self.chance
        asset, sz, px = chance.choice(COLLATERAL), amount(chance), Decimal(chance.choice((1, 40)))
        side = chance.choice("BBA")
        signed = sz if side == "B" else -sz
        self.cash["spot", asset] += signed
        self.cash["spot", "USDC"] -= signed * px
        if self.is_told():
            self.fill(f"{asset}/USDC", sz, px, side)

    def lend(self) -> None:
        """Supply, withdraw, borrow or repay, often by itself and without a record."""
        chance = self.chance
        what = chance.choice(("supply", "supply", "withdraw", "borrow", "repay"))
        asset = chance.choice(("USDC", "USDT0") if what in {"borrow", "repay"} else tuple(INDEX))
        found = amount(chance)
        place = "supplied" if what in {"supply", "withdraw"} else "borrowed"
        signed = found if what in {"supply", "repay"} else -found
        if chance.random() < 0.2 and self.cash[place, asset]:
            found, signed = abs(self.cash[place, asset]), -self.cash[place, asset]
            what = {True: "supply", False: "withdraw"}[signed > 0]
            what = what if place == "supplied" else {"supply": "repay", "withdraw": "borrow"}[what]
        self.cash[place, asset] += signed
        self.cash["spot", asset] -= signed
        if self.is_told():
            self.told(ev.ReserveOperated, operation=what, asset=Asset(asset), amount=found,
                      reported_interest=None, tx_hash=self.hash())  # fmt: skip

    def interest(self) -> None:
        """Record an hourly row."""
        chance, asset = self.chance, self.chance.choice(("USDC", "HYPE", "USDT0"))
        supply, borrow = (Decimal(chance.choice(("0", "0.01", "0.5"))) for _ in range(2))
        self.cash["supplied", asset] += supply
        self.cash["borrowed", asset] -= borrow
        if self.is_told():
            self.told(ev.InterestAccrued, asset=Asset(asset), supply=supply, borrow=borrow)

    def rare(self) -> None:
        """Change the mode, or record something nobody knows."""
        chance = self.chance
        if chance.random() < 0.05:
            self.told(ev.Unrecognized, venue_type="bonus", body="{}", tx_hash=None)
            self.telling.add(self.now)
        elif chance.random() < 0.3:
            self.mode = chance.choice(("portfolioMargin", "portfolioMargin", "unifiedAccount",
                                       "disabled"))  # fmt: skip
            self.told(ev.ModeChanged, mode=self.mode, observed=True)

    # ------------------------------------------------------------------------ its states

    def shown(self) -> None:
        """Record states of the account, seconds apart, some of them not at all."""
        chance, began = self.chance, self.now
        after = (0, 0, 0, 1, 59_999, 60_000, 60_001)
        dexes = ("", "xyz") if self.cash["perp:xyz", "USDH"] or chance.random() < 0.2 else ("",)
        values: dict[str, Decimal] = defaultdict(Decimal)
        for dex in dexes:
            token = "USDH" if dex else "USDC"
            value = self.perp_state(dex, began + chance.choice(after) * chance.choice((1, 1, -1)))
            values[token] += value
        if chance.random() < 0.9:
            self.spot_state(began, values)
        if chance.random() < 0.6:
            self.lending_state(began + chance.choice(after))
        self.moments |= {began, began + 1, began + HOUR}
        self.telling.add(began)
        if chance.random() < 0.3:
            self.price()

    def noise(self) -> Decimal:
        """Return what a field differs by from another: nothing, a hair, or a lot."""
        hairs = ("0",) * (12 if self.is_tidy else 3) + ("0.000001", "-0.0000011", "0.0000005", "1")
        return Decimal(self.chance.choice(hairs))

    def perp_state(self, dex: str, at: int) -> Decimal:
        chance = self.chance
        raw = self.cash[f"perp:{dex}", "USDH" if dex else "USDC"] + self.noise()
        rows, total = [], raw
        for coin in COINS:
            size = self.sizes[coin]
            if ("xyz" if coin.startswith("xyz:") else "") != dex or not size:
                continue
            if chance.random() < 0.05:
                size += 1
            value = abs(size) * self.marks[coin]
            total += value if size > 0 else -value
            rows.append(ev.ObservedPosition(
                coin=Coin(coin), size=chance.choice((size,) * 9 + (Decimal(0),)),
                value=chance.choice((value,) * 12 + (None, value + 1)), leverage=5,
                leverage_type="isolated" if coin in self.isolated else "cross",
                raw_usd=chance.choice((None, value)) if coin in self.isolated else None,
                max_leverage=chance.choice((None, 3, 10, 10, 40)),
            ))  # fmt: skip
        summary = ev.MarginSummary(account_value=total, total_notional=total, total_raw_usd=raw,
                                   total_margin_used=total)  # fmt: skip
        self.put(OWN, ev.PerpStateObserved, at=at, dex=Dex(dex), positions=tuple(rows),
                 summary=None if chance.random() < 0.03 else summary, cross=None,
                 cross_maintenance=None, withdrawable=None)  # fmt: skip
        return total

    def spot_state(self, at: int, values: dict[str, Decimal]) -> None:
        chance, rows = self.chance, []
        is_one = self.mode in {"portfolioMargin", "unifiedAccount"}
        for asset, index in INDEX.items():
            lent, owed = self.cash["supplied", asset], -self.cash["borrowed", asset]
            total = self.cash["spot", asset] + self.noise()
            total += lent - owed + values[asset] if is_one else 0
            if not any((total, lent, owed, values[asset])) or chance.random() < 0.04:
                continue
            rows.append(ev.ObservedBalance(
                asset=Asset(asset), token=index, total=total, hold=Decimal(0),
                supplied=chance.choice((None, lent, lent, lent)) if is_one else None,
                borrowed=chance.choice((None, owed, owed, owed)) if is_one else None,
            ))  # fmt: skip
        self.put(OWN, ev.SpotStateObserved, at=at, balances=tuple(rows), margin_enabled=None,
                 margin_ratio=None, borrow_ratios=(), supply_ratios=(), available=())  # fmt: skip

    def lending_state(self, at: int) -> None:
        rows = []
        for asset, index in INDEX.items():
            lent, owed = (abs(self.cash[place, asset]) for place in ("supplied", "borrowed"))
            if lent or owed or self.chance.random() < 0.1:
                rows.append(ev.ObservedLoan(
                    token=index, borrow_basis=owed + self.noise(), borrow_value=owed,
                    supply_basis=lent + self.noise(), supply_value=lent,
                ))  # fmt: skip
        self.put(OWN, ev.LendingStateObserved, at=at, loans=tuple(rows), health="healthy",
                 health_factor=None)  # fmt: skip

    # ------------------------------------------------------------------------ its book

    def account(self) -> AccountHistory:
        """Return the account in a book in memory, every stream in one or two records."""
        book = Book.in_memory()
        for stream, found in sorted(self.parts.items()):
            ordered = sorted(found, key=lambda event: event.at)
            place = self.chance.randrange(len(ordered) + 1)
            for events in (ordered[:place], ordered[place:]):
                if events:
                    appended(book, stream, events)
        return AccountHistory(audit=Audit(Path("x.book"), Engine(book)), account=ADDRESS)


def appended(book: Book, stream: str, events: list[Event]) -> None:
    """Write one record of one stream."""
    body = repr(events).encode()
    part = Part(stream=Stream(stream), source="api", answer="", events=tuple(events), covers=(),
                rows=tuple(range(len(events))))  # fmt: skip
    name = sha256(body).hexdigest()[:8]
    record = RawRecord(name=name, body=body, digest=digest_of_record(body))
    book.append(record, Reading(kind="made", parts=(part,)), recorded=Millis(book.position() + 1))


def margin_case(seed: int, count: int = 6) -> tuple[AccountHistory, list[int]]:
    """Return the account of one life, and instants to ask about it."""
    life = Life(seed)
    telling, others = sorted(life.telling), sorted(life.moments - life.telling)
    chosen = life.chance.sample(telling, min(count // 2, len(telling)))
    rest = min(count - len(chosen), len(others))
    return life.account(), [*chosen, *life.chance.sample(others, rest)]
