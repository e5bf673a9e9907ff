"""A lending reserve by itself, in whole numbers: one seed gives its true course.

It knows nothing of our rooms. Tokens are units of 10^-18, rates and utilizations units of 10^-12,
time milliseconds. Others supply, withdraw, borrow and repay; one supplier does nothing but wait.
How far utilization goes is held to a pace: what operations move it in any stretch of time is at
most ``step`` and ``hourly`` × hours, kept by a bucket that fills with time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

UNIT = 10**18
PART = 10**12
HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS
KINK = 8 * PART // 10
FULLEST = 999 * PART // 1000
TICK_MS = 20_000
START = 1_785_542_400_000


def curve(used: int) -> int:
    """Return the yearly borrow rate: 0.05 + 4.75 × what utilization is above 0.8."""
    return PART // 20 + 475 * max(0, used - KINK) // 100


def interest(amount: int, rate: int, elapsed_ms: int) -> int:
    """Return what runs on an amount: amount × (e^x − 1), by the series, until a term is nothing."""
    top, under = rate * elapsed_ms, PART * YEAR_MS
    total, term, count = 0, amount, 0
    while term:
        count += 1
        term = term * top // (under * count)
        total += term
    return total


@dataclass
class Pool:
    """The reserve and its one patient supplier; ``states`` is what it showed, oldest first."""

    seed: int
    hours: int = 6
    now: int = START
    states: list[dict[str, Any]] = field(default_factory=list)
    course: list[tuple[int, int]] = field(default_factory=list)  # moment, the supplier's value

    def __post_init__(self) -> None:
        chance = self.chance = random.Random(self.seed)
        self.supplied = chance.randrange(10**4, 10**8) * UNIT
        used = chance.choice((0, chance.randrange(PART), 78 * PART // 100, 95 * PART // 100))
        self.borrowed = self.supplied * min(used, FULLEST) // PART
        self.cash = self.supplied - self.borrowed
        self.mine = chance.randrange(1, 10**6) * UNIT
        self.hourly = chance.choice((PART // 1000, PART // 100, PART // 10))
        self.step = chance.choice((PART // 10**4, PART // 1000, PART // 50))
        self.bucket = self.step
        self.bias = chance.choice((-1, 0, 0, 1))  # one way only, or to and fro
        self.began = self.now

    def used(self) -> int:
        return self.borrowed * PART // self.supplied if self.supplied else 0

    def rates(self) -> tuple[int, int]:
        """Return the yearly (supply, borrow) rate."""
        used = self.used()
        rate = curve(used)
        return rate * used * 9 // (10 * PART), rate

    def pass_to(self, at: int) -> None:
        """Let interest run, a short tick at a time, each at the rate of its beginning."""
        while self.now < at:
            until = min(at, self.now + TICK_MS)
            supply, borrow = self.rates()
            before = self.used()
            gone = until - self.now
            self.supplied += interest(self.supplied, supply, gone)
            self.borrowed += interest(self.borrowed, borrow, gone)
            self.mine += interest(self.mine, supply, gone)
            self.bucket = min(self.step, self.bucket + self.hourly * gone // HOUR_MS)
            self.bucket -= abs(self.used() - before) + 1  # running interest moves it too
            self.now = until
        self.course.append((self.now, self.mine))

    def live(self) -> None:
        """Let the hours go by, with operations and states at random moments."""
        end = self.began + self.hours * HOUR_MS
        self.show()
        while self.now < end:
            gap = self.chance.choice((300, 9_000, 90_000, 700_000))
            self.pass_to(min(end, self.now + 1 + self.chance.randrange(gap)))
            if self.chance.random() < 0.75:
                self.operate()
            if self.chance.random() < 0.4:
                self.show()
        self.show()

    def operate(self) -> None:
        """Move utilization by at most what the bucket holds, by one of the four operations."""
        room = self.bucket - 10
        if room <= 0:
            return
        by = room if self.chance.random() < 0.3 else self.chance.randrange(room + 1)
        way = self.bias or self.chance.choice((-1, 1))
        used = self.used()
        wanted = max(0, min(FULLEST, used + way * by))
        if wanted == used:
            return
        if self.chance.random() < 0.5 or not self.borrowed or not wanted:
            more = self.supplied * wanted // PART - self.borrowed  # borrow or repay
            if more > self.cash:
                return
            self.borrowed += more
            self.cash -= more
        else:
            more = self.borrowed * PART // wanted - self.supplied  # supply or withdraw
            if self.cash + more < 0 or self.supplied + more <= self.mine:
                return
            self.supplied += more
            self.cash += more
        self.bucket -= abs(self.used() - used)

    def show(self) -> None:
        """Show the state, dated up to five seconds off."""
        supplied, borrowed = self.supplied // 10**8, self.borrowed // 10**8
        used, rate = halves(borrowed, supplied), halves(curve(borrowed * PART // supplied), PART)
        supply = halves(rate * borrowed * 9, 10 * supplied * 10**10)
        self.states.append({
            "at": self.now + self.chance.randrange(-5_000, 5_001),
            "supplied": (supplied, 10),
            "borrowed": (borrowed, 10),
            "utilization": (used, 10),
            "borrow_rate": (rate, 10),
            "supply_rate": (supply, 10),
        })  # fmt: skip

    def value(self, at: int) -> int:
        """Return the supplier's value at the first moment kept at or after an instant."""
        return next(mine for moment, mine in self.course if moment >= at)


def halves(top: int, bottom: int) -> int:
    """Return top ÷ bottom in units of 10^-10, a half up."""
    return (top * 2 * 10**10 + bottom) // (2 * bottom)
