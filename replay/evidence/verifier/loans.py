"""Loans: what was supplied and borrowed at an instant, interest running between its records.

By rule a loan grows at the reserve's recorded rates, each of which holds for an hour; where no rate
is known it is unknown by rule, and the venue's hourly rows are added up instead. Operations begin a
new principal, and recorded states say what there was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from replay.evidence.verifier.amounts import NOTHING, grown, plain
from replay.evidence.verifier.surroundings import Dated

RATE_HOLDS = 3_600_000
SLACK = Fraction(1, 1_000_000)
"""How far a recorded principal may be from ours without an operation in between."""
DEEDS = {
    "supply": ("supply", 1),
    "withdraw": ("supply", -1),
    "borrow": ("borrow", 1),
    "repay": ("borrow", -1),
}


class Loan:
    """What is supplied to a reserve, or borrowed from it."""

    def __init__(self, at: int) -> None:
        """Begin with nothing."""
        self.at = at
        self.since = at
        self.principal = NOTHING
        self.by_rule: Fraction | None = NOTHING
        self.by_rows = NOTHING
        self.earned = NOTHING
        self.earned_when_stated = NOTHING
        self.is_stated = False
        self.jumps: list[tuple[int, int, Fraction]] = []

    @property
    def value(self) -> Fraction:
        """By rule where that is known, else by rows."""
        return self.by_rows if self.by_rule is None else self.by_rule

    def grow(self, rates: list[tuple[int, Fraction | None]], until: int) -> None:
        """Let interest run up to a moment, at the rates of its reserve and side."""
        value = self.value
        if not value or until <= self.at:
            self.at = max(self.at, until)
            return
        ends = sorted({at for at, _ in rates if self.at < at < until} | {until})
        start = self.at
        for end in ends:
            known = [(at, rate) for at, rate in rates if at <= start]
            since, rate = known[-1] if known else (start, None)
            paid = min(end, since + RATE_HOLDS)
            if rate is not None and paid > start:
                after = grown(value, rate, paid - start)
                self.earned += after - value
                value = after
            if rate is None or paid < end:
                self.by_rule = None
            start = end
        if self.by_rule is not None:
            self.by_rule = value
        self.at = until

    def operate(self, amount: Fraction) -> None:
        """Begin a new principal: what there was, and what came or went."""
        self.principal = self.value + amount
        self.by_rows = self.principal
        if self.by_rule is not None:
            self.by_rule = self.principal
        self.since, self.is_stated = self.at, False

    def state(self, principal: Fraction, value: Fraction) -> None:
        """Take over what a recorded state says; another principal is a movement of its own.

        Ours may be off by the interest that operations took into it since the state before.
        """
        doubt = SLACK
        if not self.is_stated:
            doubt += self.earned - self.earned_when_stated
        if self.by_rule is not None and abs(principal - self.principal) > doubt:
            self.jumps.append((self.since, self.at, value - self.by_rule))
        self.principal, self.by_rule, self.by_rows = principal, value, value
        self.earned_when_stated = self.earned
        self.since, self.is_stated = self.at, True


Loans = dict[tuple[str, str], Loan]


def rates_of(reserves: Mapping[str, Dated], asset: str, side: str) -> list[Any]:
    """Return moment and rate of every recorded state of a reserve, one a moment."""
    dated = reserves.get(asset)
    found = {} if dated is None else {at: state[f"{side}_rate"] for at, state in dated.found}
    return [(at, None if found[at] is None else plain(found[at])) for at in sorted(found)]


def loans_at(
    events: Iterable[tuple[str, Any]],
    reserves: Mapping[str, Dated],
    symbols: Mapping[int, str],
    at: int,
) -> Loans:
    """Return all loans at an instant, by token and side."""
    loans: Loans = {}
    rates: dict[tuple[str, str], list[Any]] = {}

    def grow(key: tuple[str, str], until: int) -> Loan:
        if key not in rates:
            rates[key] = rates_of(reserves, *key)
        loans[key].grow(rates[key], until)
        return loans[key]

    for kind, event in events:
        moment = event["at"]
        if moment > at:
            continue
        if kind == "reserve_operated":
            side, sign = DEEDS[event["operation"]]
            key = (event["asset"], side)
            loans.setdefault(key, Loan(moment))
            grow(key, moment).operate(sign * plain(event["amount"]))
        elif kind == "interest_accrued":
            for side in ("supply", "borrow"):
                key, amount = (event["asset"], side), plain(event[side])
                if key not in loans and amount:
                    loans[key] = Loan(moment)
                    loans[key].by_rule = None
                if key in loans:
                    grow(key, moment).by_rows += amount
        else:
            for row in event["loans"]:
                asset = symbols.get(row["token"], f"token {row['token']}")
                for side in ("supply", "borrow"):
                    key, value = (asset, side), plain(row[f"{side}_value"])
                    if key not in loans and value:
                        loans[key] = Loan(moment)
                        loans[key].since = 0
                    if key in loans:
                        grow(key, moment).state(plain(row[f"{side}_basis"]), value)
    for key in loans:
        grow(key, at)
    return loans
