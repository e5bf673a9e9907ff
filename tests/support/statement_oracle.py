"""A second hand for statements: slow, in fractions, and with no import from our packages.

It rolls a period forward row by row on the naive book-keeper: what a row changed is the difference
between the balances before and behind it. Its price change is no formula: it is what is left of
the difference of the two equities when everything else is taken off.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from tests.support import oracle

NOTHING = Fraction(0)
POSITION = "-PERP"
Marks = dict[str, list[tuple[int, Any]]]
Row = tuple[int, str, dict[str, Any]]

DEPOSITS = {"deposit": "deposits", "withdraw": "withdrawals"}
GAINS = {
    "rewardsClaim": "rewards", "spotGenesis": "airdrops", "deployGasAuction": "auctions",
    "gossipPriorityGasAuction": "auctions", "accountActivationGas": "other fees",
    "vaultLeaderCommission": "vault results", "vaultWithdraw": "vault results",
}  # fmt: skip


class Unpriced(Exception):
    """No price was recorded by then."""


def price(marks: Marks, listed: oracle.Listing, thing: str, at: int) -> Fraction:
    """Return what one of a token, or of a position, was worth in USDC."""
    if thing == "USDC":
        return Fraction(1)
    if thing.endswith(POSITION):
        market = thing.removesuffix(POSITION)
        return last(marks, market, at) * price(marks, listed, listed.collateral[market], at)
    for market, (base, quote) in sorted(listed.pairs.items()):
        if base == thing and quote == "USDC":
            return last(marks, market, at)
    raise Unpriced(thing)


def last(marks: Marks, market: str, at: int) -> Fraction:
    found = [px for when, px in marks.get(market, []) if when <= at]
    if not found:
        raise Unpriced(market)
    return Fraction(found[-1])


def held(told: oracle.Answer) -> dict[str, Fraction]:
    """Return quantities by token, and by market with a mark behind it for positions."""
    found: dict[str, Fraction] = {}
    for (_, asset), amount in told.balances.items():
        found[asset] = found.get(asset, NOTHING) + amount
    for market, (size, _, _) in told.positions.items():
        found[market + POSITION] = size
    return {thing: amount for thing, amount in found.items() if amount}


def equity(told: oracle.Answer, marks: Marks, listed: oracle.Listing, at: int) -> Fraction:
    """Return the worth of everything at a moment."""
    return sum(
        (amount * price(marks, listed, thing, at) for thing, amount in held(told).items()), NOTHING
    )


def rolled(
    rows: Iterable[Row], since: int, until: int, account: str, listed: oracle.Listing, marks: Marks
) -> dict[str, Fraction]:
    """Return every line of the statement in USDC, by name; lines of nothing may be missing.

    Raises: Unpriced, where a price that is needed was not recorded by then.
    """
    told = oracle.Answer()
    lines: dict[str, Fraction] = {}
    begun = False
    for time, family, body in rows:
        if time > until:
            break
        if time >= since and not begun:
            begun = True
            lines["opening equity"] = equity(told, marks, listed, since - 1)
        before = copy.deepcopy(told)
        oracle.take(told, family, body, account, listed)
        if begun:
            for name, thing, amount in causes(before, told, family, body, account):
                at = until if name == "trading" else time
                worth = amount * price(marks, listed, thing, at) if amount else NOTHING
                lines[name] = lines.get(name, NOTHING) + worth
    if not begun:
        lines["opening equity"] = equity(told, marks, listed, since - 1)
    lines["closing equity"] = equity(told, marks, listed, until)
    between = sum((worth for name, worth in lines.items() if "equity" not in name), NOTHING)
    lines["price change"] = lines["closing equity"] - lines["opening equity"] - between
    return lines


def causes(
    before: oracle.Answer, after: oracle.Answer, family: str, body: dict[str, Any], account: str
) -> Iterable[tuple[str, str, Fraction]]:
    """Yield (line, thing, amount) of one row."""
    was, now = held(before), held(after)
    changed = {thing: now.get(thing, NOTHING) - was.get(thing, NOTHING) for thing in {*was, *now}}
    if family == "fills":
        token, fee = body["feeToken"], Fraction(body["fee"])
        yield "trading fees", token, -fee
        changed[token] = changed.get(token, NOTHING) + fee
        for thing, amount in changed.items():
            yield "trading", thing, amount
    elif family == "funding":
        for thing, amount in changed.items():
            yield "funding", thing, amount
    elif family == "interest":
        yield "interest earned", body["token"], Fraction(body["supply"])
        yield "interest paid", body["token"], -Fraction(body["borrow"])
    else:
        yield from of_ledger(changed, body["delta"], account)


def of_ledger(
    changed: dict[str, Fraction], delta: dict[str, Any], account: str
) -> Iterable[tuple[str, str, Fraction]]:
    kind = delta["type"]
    name = DEPOSITS.get(kind) or GAINS.get(kind)
    if name is None and delta.get("user") != delta.get("destination"):
        name = "transfers out" if delta.get("user") == account else "transfers in"
    fees: dict[str, Fraction] = {}
    if kind not in GAINS and delta.get("user", account) == account:
        token = delta.get("feeToken") or "USDC"
        fees[token] = fees.get(token, NOTHING) + Fraction(delta.get("fee", 0))
        native = Fraction(delta.get("nativeTokenFee", 0))
        fees["HYPE"] = fees.get("HYPE", NOTHING) + native
    for token, fee in fees.items():
        if fee:
            yield "other fees", token, -fee
            changed[token] = changed.get(token, NOTHING) + fee
    for thing, amount in changed.items():
        if amount:
            assert name is not None, delta
            yield name, thing, amount
