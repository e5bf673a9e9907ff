"""Rules: what portfolio margin granted at which time, and the margin tiers of documented days.

Sources: the venue's pages on portfolio margin, its FAQ, and on margin tiers, by the day they were
first seen; docs/spec/margin.md. A rulebook may be at work before it is documented.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from replay.evidence.verifier.amounts import Amount, Unknown, exactly
from replay.evidence.verifier.canon import Refused

CALENDAR_TABLE = """
2026-01-27 pre-alpha  | 1769510880000 1769510880000 | USDC:0:-:1000 HYPE:0.5:200:-
2026-03-14 alpha      | 1773512220000 1773512220000 | USDC:0:5000000:1000000
    USDH:0:5000000:1000000 HYPE:0.5:50000:- UBTC:0.5:20:-
2026-05-07 caps       | 1778147940000 1778147940000 | USDC:0:50000000:10000000
    USDH:0:5000000:1000000 HYPE:0.5:500000:- UBTC:0.5:200:-
2026-05-18 thresholds | 1779100680000 1779100680000 | USDC:0:50000000:10000000
    USDH:0:5000000:1000000 HYPE:0.5:500000:- UBTC:0.5:200:-
2026-06-02 usdt       | 1780386900000 1780386900000 | USDC:0:50000000:10000000
    USDH:0:5000000:1000000 HYPE:0.5:500000:- UBTC:0.5:200:- USDT0:0:5000000:1000000
2026-06-21 open       | 1782056520000 1782056520000 | USDC:0:50000000:10000000
    HYPE:0.5:500000:- UBTC:0.5:200:- USDT0:0:5000000:1000000
2026-06-23 caps       | 1782220320000 1782220320000 | USDC:0:250000000:50000000
    HYPE:0.5:1000000:- UBTC:0.5:200:- USDT0:0:5000000:1000000
2026-08-01 backstop   | 1785600360000 1785600360000 | USDC:0:250000000:50000000
    HYPE:0.5:1000000:- UBTC:0.5:200:- USDT0:0:5000000:1000000
2026-08-11 hype-ltv   | 1786406400000 1787132400000 | USDC:0:250000000:50000000
    HYPE:0.65:1000000:- UBTC:0.5:200:- USDT0:0:5000000:1000000
"""
"""Name, in force from, documented from (milliseconds); then token, loan to value, user supply cap,
user borrow cap. A token without a borrow cap cannot be borrowed; ``-`` elsewhere is not known."""

OFFSET = "20"
READINGS = ("debt:net", "isolated:outside", "offset:observed")
"""How contested texts are read: debt and offset enter with a negative net balance alone, and
isolated margin does not stand behind cross positions."""

Terms = dict[str, dict[str, Any]]


class Rules:
    """One rulebook: when it held and what it granted which token."""

    def __init__(self, name: str, since: int, documented: int, tokens: Terms) -> None:
        """Keep name, the two moments and the terms of tokens, numbers as text."""
        self.name = name
        self.since = since
        self.documented = documented
        self.tokens = tokens

    def parameters(self) -> dict[str, Any]:
        """Return what the manifest of a pack says of the rulebook."""
        return {
            "since": self.since,
            "documented": self.documented,
            "offset": OFFSET,
            "readings": list(READINGS),
            "tokens": self.tokens,
        }

    def can_be_borrowed(self, asset: str) -> bool:
        """Tell whether a token can be borrowed."""
        return self.tokens.get(asset, {}).get("borrow_cap") is not None

    def granted(self, asset: str, what: str) -> Amount:
        """Return one number granted to a token, unknown where the rulebook does not say it."""
        return exactly(self.tokens.get(asset, {}).get(what), f"{what} of {asset}")


def calendar_of_rules() -> list[Rules]:
    """Return all rulebooks of portfolio margin in order of time."""
    found = []
    for line in CALENDAR_TABLE.strip().replace("\n    ", " ").split("\n"):
        name, moments, granted = (part.strip() for part in line.split("|"))
        since, documented = map(int, moments.split())
        tokens: Terms = {}
        for words in (one.split(":") for one in granted.split()):
            ltv, supply, borrow = (None if word == "-" else word for word in words[1:])
            tokens[words[0]] = {"ltv": ltv, "supply_cap": supply, "borrow_cap": borrow}
        found.append(Rules(name, since, documented, tokens))
    return found


def rules_at(at: int) -> list[Rules]:
    """Return the rulebook documented at an instant, then those at work before they were."""
    calendar = calendar_of_rules()
    documented = [one for one in calendar if one.documented <= at]
    return documented[-1:] + [one for one in calendar if one.since <= at < one.documented]


class Granted:
    """The rulebooks that a manifest lists: those this verifier knows, and since when others."""

    def __init__(self, listed: Any) -> None:
        """Hold the parameters of every rulebook listed against ours.

        Raises: Refused, 26, where the pack grants anything else.
        """
        ours = {one.name: one for one in calendar_of_rules()}
        self.names: set[str] = set()
        self.strange: list[int] = []
        for rule in listed:
            known = ours.get(rule["id"])
            if known is None:
                self.strange.append(rule["parameters"]["since"])
                continue
            if rule["parameters"] != known.parameters():
                raise Refused(26, f"rulebook {rule['id']} in the pack has not its parameters")
            self.names.add(known.name)

    def is_strange(self, at: int) -> bool:
        """Tell whether a rulebook that this verifier does not know may hold at an instant."""
        return any(since <= at for since in self.strange)


# Margin tiers of the venue's page, for markets of which no table is recorded.

TIERS_SINCE = 1_776_988_800_000
TIERS_TABLE = """
40 150 20 BTC
25 100 15 ETH
20 70 10 SOL
20 40 10 XRP
10 20 5 AAVE ADA APT AVAX BCH CRV DOGE ENA FARTCOIN HYPE kBONK kPEPE LINK LTC NEAR PUMP SUI
10 20 5 TRUMP UNI WLD ZEC
10 3 5 ARB BNB DOT JUP kSHIB MKR ONDO PAXG TON TRX XPL
"""
"""Highest leverage, a bound in millions, highest leverage above it, and the markets of the line."""

Tiers = list[tuple[Fraction, Fraction]]
"""Lower bound and highest leverage of each tier, from the lowest bound up."""


def documented_tiers(coin: str, at: int) -> Tiers:
    """Return the tiers that the page of the day names for a market; none before 2026-04-24."""
    for low, bound, high, *coins in map(str.split, TIERS_TABLE.strip().split("\n")):
        if coin in coins and at >= TIERS_SINCE:
            return [
                (Fraction(0), Fraction(low)),
                (Fraction(bound) * 1_000_000, Fraction(high)),
            ]
    return []


def tiers_of(coin: str, recorded: Tiers, leverage: int | None, at: int) -> Tiers | Unknown:
    """Return the tiers of a market: recorded, else documented, else one of its highest leverage.

    *leverage* is what a recorded position carries; documented tiers that differ from it are not
    those of the market.
    """
    if recorded:
        return recorded
    documented = documented_tiers(coin, at)
    if documented and (leverage is None or documented[0][1] == leverage):
        return documented
    if leverage is None:
        return Unknown(f"highest leverage of {coin}")
    return [(Fraction(0), Fraction(leverage))]
