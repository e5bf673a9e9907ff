"""The oracle: a second, naive book-keeper by another hand, kept slow and obvious.

It imports none of our packages. It reads the venue's own rows in the order they happened, keeps
lists, dictionaries and fractions, and starts from nothing for every question. Where it and the
projections differ, the recordings decide who is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

NOTHING = Fraction(0)


@dataclass
class Listing:
    """What the venue lists: which token a market's money is in, and how fine its sizes are."""

    pairs: dict[str, tuple[str, str]] = field(default_factory=dict)
    collateral: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    wei: dict[str, int] = field(default_factory=dict)


@dataclass
class Answer:
    """What the account had at one instant.

    ``balances`` is keyed by (place, asset); a perpetuals side holds its raw money, that is the cash
    that went in and out, position values apart. What is borrowed is negative; a vault holds what
    was paid in and not yet taken out. ``positions`` gives (size, entry notional in micro-dollars,
    closed result); the notional is without sign.
    """

    balances: dict[tuple[str, str], Fraction] = field(default_factory=dict)
    positions: dict[str, tuple[Fraction, int, Fraction]] = field(default_factory=dict)
    fees: dict[str, Fraction] = field(default_factory=dict)
    funding: dict[str, Fraction] = field(default_factory=dict)

    def add(self, place: str, asset: str, amount: Fraction) -> None:
        key = (place, asset)
        self.balances[key] = self.balances.get(key, NOTHING) + amount

    def charge(self, asset: str, amount: Fraction) -> None:
        self.fees[asset] = self.fees.get(asset, NOTHING) + amount


def listing(spot_meta: dict[str, Any], perp_metas: list[dict[str, Any]]) -> Listing:
    """Read the answers ``spotMeta`` and ``allPerpMetas``."""
    result = Listing()
    names = {}
    for token in spot_meta["tokens"]:
        names[token["index"]] = token["name"]
        result.wei[token["name"]] = token["weiDecimals"]
    for pair in spot_meta["universe"]:
        base, quote = pair["tokens"]
        result.pairs[pair["name"]] = (names[base], names[quote])
    for meta in perp_metas:
        for market in meta["universe"]:
            result.collateral[market["name"]] = names[meta["collateralToken"]]
            result.places[market["name"]] = market["szDecimals"]
    return result


def answer(
    rows: list[tuple[int, str, dict[str, Any]]], until: int, account: str, listed: Listing
) -> Answer:
    """Read all rows up to and including the millisecond *until*.

    A row is (time, family, body): fills, funding, ledger or interest, and the venue's own row.
    """
    told = Answer()
    for time, family, body in rows:
        if time <= until:
            take(told, family, body, account, listed)
    return told


def take(told: Answer, family: str, body: dict[str, Any], account: str, listed: Listing) -> None:
    """Take one row: its family is fills, funding, ledger or interest."""
    if family == "fills" and body["coin"] in listed.pairs:
        spot_fill(told, body, listed.pairs[body["coin"]])
    elif family == "fills":
        perp_fill(told, body, listed)
    elif family == "funding":
        pay_funding(told, body["delta"], listed)
    elif family == "interest":
        told.add("supplied", body["token"], Fraction(body["supply"]))
        told.add("borrowed", body["token"], -Fraction(body["borrow"]))
    else:
        ledger_row(told, body["delta"], account, listed)


def without(
    rows: list[tuple[int, str, dict[str, Any]]], gone: int, account: str, listed: Listing
) -> Answer:
    """Read a history as if one row of it had never been: later payments shrink or grow with it.

    Funding goes with the size it is charged on, cut after six places; interest with what it runs
    on, to the nearest eighth place, and on nothing where more was taken off than there was.
    Everything else stands as the venue wrote it.
    """
    was, now = Answer(), Answer()
    for number, (_, family, body) in enumerate(rows):
        if number != gone:
            instead = otherwise(was, now, family, body)
            take(now, family, instead, account, listed)
        take(was, family, body, account, listed)
    return now


def otherwise(was: Answer, now: Answer, family: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a row as it would have been, given the two worlds just before it."""
    if family == "funding":
        delta = body["delta"]
        before, then = size_of(was, delta["coin"]), size_of(now, delta["coin"])
        size = Fraction(delta["szi"])
        if before == then or not size:
            return body
        paid = Fraction(delta["usdc"]) * (size + then - before) / size
        cut = Fraction(math.trunc(paid * 10**6), 10**6)
        return {"delta": {**delta, "usdc": cut}}
    if family == "interest":
        token, told = body["token"], dict(body)
        for name, place, sign in (("supply", "supplied", 1), ("borrow", "borrowed", -1)):
            before = max(sign * was.balances.get((place, token), NOTHING), NOTHING)
            then = max(sign * now.balances.get((place, token), NOTHING), NOTHING)
            if before and before != then:
                told[name] = nearest(Fraction(body[name]) * then / before, 8)
        return told
    return body


def size_of(told: Answer, coin: str) -> Fraction:
    return told.positions.get(coin, (NOTHING, 0, NOTHING))[0]


def nearest(value: Fraction, places: int) -> Fraction:
    """Round to the nearest, and a half to the even one, as ``round`` of a fraction does."""
    return Fraction(round(value * 10**places), 10**places)


def exchange_of(coin: str) -> str:
    """The main exchange has no name; the others stand before the colon."""
    return coin.partition(":")[0] if ":" in coin else ""


def perp_fill(told: Answer, row: dict[str, Any], listed: Listing) -> None:
    coin, px, size = row["coin"], Fraction(row["px"]), Fraction(row["sz"])
    side = 1 if row["side"] == "B" else -1
    before, cost, result = told.positions.get(coin, (NOTHING, 0, NOTHING))
    after = before + side * size

    opened = size
    if before * side < 0:  # something is closed first
        closed = min(size, abs(before))
        opened = size - closed
        direction = 1 if before > 0 else -1
        # the entry price is cut to the grid of the market's prices
        grid = 10 ** (6 - listed.places[coin])
        entry = Fraction(math.floor(Fraction(cost, 10**6) / abs(before) * grid), grid)
        result += closed * (px - entry) * direction
        # the venue keeps the rest of the notional with a double: quotient, product, cut off
        lots_before = int(abs(before) * 10 ** listed.places[coin])
        lots_left = int((abs(before) - closed) * 10 ** listed.places[coin])
        cost = math.trunc(float(cost) * (lots_left / lots_before))
    cost += int(opened * px * 10**6)
    told.positions[coin] = (after, cost, result)

    place, asset = "perp:" + exchange_of(coin), listed.collateral[coin]
    told.add(place, asset, -side * size * px)
    told.add(place, row["feeToken"], -Fraction(row["fee"]))
    told.charge(row["feeToken"], Fraction(row["fee"]))


def spot_fill(told: Answer, row: dict[str, Any], tokens: tuple[str, str]) -> None:
    base, quote = tokens
    side = 1 if row["side"] == "B" else -1
    told.add("spot", base, side * Fraction(row["sz"]))
    told.add("spot", quote, -side * Fraction(row["sz"]) * Fraction(row["px"]))
    told.add("spot", row["feeToken"], -Fraction(row["fee"]))
    told.charge(row["feeToken"], Fraction(row["fee"]))


def pay_funding(told: Answer, delta: dict[str, Any], listed: Listing) -> None:
    coin, amount = delta["coin"], Fraction(delta["usdc"])
    told.add("perp:" + exchange_of(coin), listed.collateral[coin], amount)
    told.funding[coin] = told.funding.get(coin, NOTHING) + amount


def without_noise(text: str, places: int) -> Fraction:
    """The ledger writes some amounts with the noise of a double: 2703997.4500000002 means .45."""
    return Fraction(round(Fraction(text) * 10**places), 10**places)


def ledger_row(told: Answer, delta: dict[str, Any], account: str, listed: Listing) -> None:
    """One movement of the ledger, by the table of delta types."""
    kind = delta["type"]
    token = delta.get("token", "USDC")
    usdc = without_noise(delta.get("usdc", "0"), 6)
    amount = without_noise(delta.get("amount", "0"), listed.wei[token])
    fee = Fraction(delta.get("fee", 0))

    if kind == "deposit":
        told.add("perp:", "USDC", usdc)
    elif kind == "withdraw":
        told.add("perp:", "USDC", -usdc - fee)
    elif kind == "accountClassTransfer":
        sign = 1 if delta["toPerp"] else -1
        told.add("perp:", "USDC", sign * usdc)
        told.add("spot", "USDC", -sign * usdc)
    elif kind == "perpDexClassTransfer":
        sign = 1 if delta["toPerp"] else -1
        told.add("perp:" + delta["dex"], token, sign * amount)
        told.add("spot", token, -sign * amount)
    elif kind in {"internalTransfer", "subAccountTransfer"}:
        transfer(told, delta, account, ("perp:", "perp:"), "USDC", usdc)
    elif kind == "spotTransfer":
        transfer(told, delta, account, ("spot", "spot"), token, amount)
    elif kind == "send":
        names = (delta["sourceDex"], delta["destinationDex"])
        here, there = ["spot" if name == "spot" else "perp:" + name for name in names]
        transfer(told, delta, account, (here, there), token, amount)
    elif kind in {"accountActivationGas", "deployGasAuction", "gossipPriorityGasAuction"}:
        told.add("spot", token, -amount)
    elif kind in {"rewardsClaim", "spotGenesis"}:
        told.add("spot", token, amount)
    elif kind == "cStakingTransfer":
        sign = 1 if delta["isDeposit"] else -1
        told.add("spot", token, -sign * amount)
        told.add("staking", token, sign * amount)
    elif kind == "borrowLend":
        reserve(told, delta["operation"], token, amount)
    elif kind in {"vaultCreate", "vaultDeposit"}:
        told.add("perp:", "USDC", -usdc - fee)
        told.add("vault:" + delta["vault"], "USDC", usdc)
    elif kind == "vaultDistribution":  # a vault that closes gives back what is in it
        told.add("perp:", "USDC", usdc)
        told.add("vault:" + delta["vault"], "USDC", -usdc)
    elif kind == "vaultLeaderCommission":
        told.add("perp:", "USDC", usdc)
    elif kind == "vaultWithdraw":
        told.add("perp:", "USDC", Fraction(delta["netWithdrawnUsd"]))
        told.add("vault:" + delta["vault"], "USDC", -Fraction(delta["basis"]))
    elif kind != "liquidation":  # a liquidation is a mark: its money moves in the fills
        raise ValueError(f"the oracle does not know {kind}")


def transfer(
    told: Answer,
    delta: dict[str, Any],
    account: str,
    sides: tuple[str, str],
    token: str,
    amount: Fraction,
) -> None:
    """Move *amount* between two accounts; either may be ours, and the sender pays the costs."""
    here, there = sides
    if delta["user"] == account:
        told.add(here, token, -amount)
        told.add(here, delta.get("feeToken") or "USDC", -Fraction(delta.get("fee", 0)))
        told.add("spot", "HYPE", -Fraction(delta.get("nativeTokenFee", 0)))
    if delta["destination"] == account:
        told.add(there, token, amount)


def reserve(told: Answer, operation: str, token: str, amount: Fraction) -> None:
    if operation == "supply":
        told.add("spot", token, -amount)
        told.add("supplied", token, amount)
    elif operation == "withdraw":
        told.add("supplied", token, -amount)
        told.add("spot", token, amount)
    elif operation == "borrow":
        told.add("borrowed", token, -amount)
        told.add("spot", token, amount)
    elif operation == "repay":
        told.add("borrowed", token, amount)
        told.add("spot", token, -amount)
    else:
        raise ValueError(f"the oracle does not know {operation}")
