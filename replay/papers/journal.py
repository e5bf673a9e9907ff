"""Journal: the activity of a statement as balanced transactions, for double-entry programs.

One transaction for every event that moved something, with the event's identity and digest; one for
the opening balances; assertions of what was there at the closing, and at every state the venue
showed. A token is a commodity, a position is one too (``BTC-PERP``): both sides of every leg are in
one commodity, so every transaction sums to nothing in each of them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger.money import ZERO, exact, places
from ledger.units import Address, Asset, Millis
from projections import chart
from projections.chart import Place, is_own
from replay.moments import iso
from replay.papers import words
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from projections.flows import Cause
    from replay.statement import Statement
    from replay.statement_reading import Entry

DECIMALS_LEAST: Final = 13
"""Every amount has so many decimals at least: checkers infer from them how exact they must be, and
a difference of 1e-12 is then refused."""

DAY_MS: Final = 86_400_000

COUNTERS: Final[Mapping[Cause, tuple[str, str]]] = {
    "opening attested": ("Equity", "Opening-Attested"),
    "deposits": ("Equity", "Deposits"),
    "withdrawals": ("Equity", "Withdrawals"),
    "transfers in": ("Equity", "Transfers"),
    "transfers out": ("Equity", "Transfers"),
    "inside the group": ("Equity", "Transfers-Inside-Group"),
    "moved inside": ("Equity", "Transfers"),
    "trading": ("Income", "Trading"),
    "liquidation": ("Income", "Liquidation"),
    "funding": ("Income", "Funding"),
    "trading fees": ("Expenses", "Fees-Trading"),
    "other fees": ("Expenses", "Fees-Other"),
    "interest earned": ("Income", "Interest"),
    "interest paid": ("Expenses", "Interest"),
    "rewards": ("Income", "Rewards"),
    "airdrops": ("Income", "Airdrops"),
    "auctions": ("Expenses", "Auctions"),
    "vault results": ("Income", "Vaults"),
    "set by an opening": ("Equity", "Unexplained"),
}
"""Where the other side of a leg goes, by its cause: root and last part of the account's name."""

OPENING: Final = ("Equity", "Opening-Balances")
UNEXPLAINED: Final = ("Equity", "Unexplained")

_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    chart.SPOT: ("Assets", "Spot"),
    chart.SUPPLIED: ("Assets", "Supplied"),
    chart.BORROWED: ("Liabilities", "Borrowed"),
    chart.STAKING: ("Assets", "Staking"),
    chart.MAIN_PERP: ("Assets", "Perp"),
}

_PLAIN: Final = re.compile(r"\A[A-Z](?:[A-Z0-9._-]{0,22}[A-Z0-9])?\Z")
_WORDS: Final = frozenset({"TRUE", "FALSE", "NULL"})
"""Names that mean something else in a Beancount file."""

Leg: TypeAlias = tuple[str, Decimal, Asset]


@attrs.frozen(kw_only=True)
class Transaction:
    """One event, the opening balances, or what is unexplained."""

    at: Millis
    what: str
    facts: tuple[tuple[str, str], ...]
    """Metadata by name."""
    legs: tuple[Leg, ...]
    """Account, amount and token; they sum to nothing in each token."""
    is_certain: bool = True


@attrs.frozen(kw_only=True)
class Assertion:
    """What an account has of a token at a moment."""

    at: Millis
    account: str
    asset: Asset
    amount: Decimal
    at_day_end: Decimal
    """The same, and what moved in the rest of that day (UTC)."""
    what: str


@attrs.frozen(kw_only=True)
class Journal:
    """Everything a file of a double-entry program is written from."""

    heading: str
    accounts: tuple[str, ...]
    commodities: tuple[tuple[Asset, str], ...]
    """Every token with the name it goes by."""
    decimals: int
    steps: tuple[Transaction | Assertion, ...]
    """By moment; openings first, closings last."""
    prices: tuple[tuple[Millis, Asset, Decimal], ...]
    money: Asset
    remarks: tuple[str, ...]
    since: Millis
    until: Millis

    def number(self, value: Decimal) -> str:
        """Return an amount with the decimals of this journal."""
        return f"{value:.{self.decimals}f}" if value else f"{ZERO:.{self.decimals}f}"


def commodity(asset: str) -> str:
    """Return the name a token goes by: its own, where that is a name of 24 plain capitals at most.

    Any other name keeps its letters and digits as capitals and gets eight digits of its digest
    behind, so that two tokens never share a name.

    Example:
    >>> commodity("BTC-PERP"), commodity("kPEPE-PERP")
    ('BTC-PERP', 'KPEPE-PERP-9EB491F3')
    """
    if _PLAIN.match(asset) and asset not in _WORDS:
        return asset
    kept = re.sub(r"[^A-Z0-9]+", "-", asset.upper().encode("ascii", "ignore").decode())
    stem = kept.strip("-")[:13].strip("-") or "X"
    first = "" if stem[0].isalpha() else "X"
    return f"{first}{stem}-{sha256(asset.encode()).hexdigest()[:8].upper()}"


def account_name(account: Address, place: Place) -> str:
    """Return the name of an own place of an account: ``Assets:0x5ca1…:Spot``."""
    if place.startswith("position:"):
        return f"Assets:{account}:Positions"
    if place in _PLACES:
        root, name = _PLACES[place]
        return f"{root}:{account}:{name}"
    kind, _, rest = place.partition(":")
    return f"Assets:{account}:{kind.capitalize()}-{_component(rest)}"


def _component(text: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text)
    if plain == text:
        return plain
    return f"{plain.strip('-')}-{sha256(text.encode()).hexdigest()[:8]}"


def journal(statement: Statement) -> Journal:
    """Return the journal of a statement; its activity must be there (``entries``)."""
    of = statement.of
    with exact():
        steps: list[Transaction | Assertion] = list(_openings(statement))
        steps += _events(statement)
        seen = list(_observed(statement))
        # Stable, and states stand behind the events of their moment: those they already show.
        steps = sorted([*steps, *seen], key=lambda step: step.at)
        steps += _remainders(statement)
        steps += _closings(statement)
    legs = [leg for step in steps if isinstance(step, Transaction) for leg in step.legs]
    named = {step.account for step in steps if isinstance(step, Assertion)}
    assets = {leg[2] for leg in legs} | {s.asset for s in steps if isinstance(s, Assertion)}
    assets |= {of.money} | {each.thing[1] for each in statement.prices}
    amounts = [leg[1] for leg in legs]
    amounts += [s.amount for s in steps if isinstance(s, Assertion)]
    return Journal(
        heading=words.heading(statement),
        accounts=tuple(sorted({leg[0] for leg in legs} | named)),
        commodities=tuple((asset, commodity(asset)) for asset in sorted(assets)),
        decimals=max([DECIMALS_LEAST, *(places(amount) for amount in amounts)]),
        steps=tuple(steps),
        prices=tuple(
            (each.at, each.thing[1], each.quote.px)
            for each in statement.prices
            if each.quote is not None and each.thing[1] != of.money
        ),
        money=of.money,
        remarks=(
            words.status(statement),
            *words.findings(statement),
            *words.lacking(statement),
            *words.covered(statement),
            *words.remarks(statement),
        ),
        since=of.period.since,
        until=of.period.until,
    )


def _openings(statement: Statement) -> Iterator[Transaction]:
    since = statement.of.period.since
    for account, rows in groupby(statement.rows, key=lambda row: row.account):
        legs: list[Leg] = []
        for row in rows:
            if account is not None and row.opening:
                legs.append((account_name(account, row.place), row.opening, row.asset))
                legs.append((_counter(account, OPENING), -row.opening, row.asset))
        if legs:
            yield Transaction(at=since, what="Opening balances", facts=(), legs=tuple(legs))


def _events(statement: Statement) -> Iterator[Transaction]:
    for _, group in groupby(
        statement.activity, key=lambda entry: (entry.moved.account, entry.moved.event)
    ):
        entries = tuple(group)
        first = entries[0]
        yield Transaction(
            at=first.moved.at,
            what=first.what,
            facts=(
                ("event", first.moved.event),
                ("digest", first.digest),
                ("time", iso(first.moved.at)),
                ("source", first.source),
            ),
            legs=tuple(leg for entry in entries for leg in _legs(entry)),
        )


def _legs(entry: Entry) -> Iterator[Leg]:
    moved, flow = entry.moved, entry.moved.flow
    yield account_name(moved.account, flow.place), flow.amount, flow.asset
    if not is_own(flow.counter):
        yield _counter(moved.account, COUNTERS[flow.cause]), -flow.amount, flow.asset


def _counter(account: Address, name: tuple[str, str]) -> str:
    return f"{name[0]}:{account}:{name[1]}"


def _observed(statement: Statement) -> Iterator[Transaction | Assertion]:
    """Yield an assertion for every balance the venue showed; what differs is booked before it."""
    later: dict[tuple[Address, Place, Asset], list[tuple[Millis, Decimal]]] = {}
    for entry in statement.activity:
        moved = entry.moved
        key = moved.account, moved.flow.place, moved.flow.asset
        later.setdefault(key, []).append((moved.at, moved.flow.amount))
    for each in statement.observed:
        key = each.account, each.place, each.asset
        later.setdefault(key, []).append((each.at, each.difference))
    for each in statement.observed:
        if each.ours is None:
            continue
        if each.difference:
            yield _unexplained(
                each.account,
                each.place,
                each.asset,
                each.difference,
                at=each.at,
                why=f"shown by the venue, event {each.event}",
            )
        end = each.at - each.at % DAY_MS + DAY_MS
        rest = sum(
            (
                amount
                for at, amount in later[each.account, each.place, each.asset]
                if each.at < at < end
            ),
            ZERO,
        )
        yield Assertion(
            at=each.at,
            account=account_name(each.account, each.place),
            asset=each.asset,
            amount=each.amount,
            at_day_end=each.amount + rest,
            what=f"shown by the venue at {iso(each.at)}, event {each.event}",
        )


def _unexplained(
    account: Address, place: Place, asset: Asset, amount: Decimal, *, at: Millis, why: str
) -> Transaction:
    return Transaction(
        at=at,
        what=f"Unexplained at {place_name(place)}",
        facts=(("unexplained", why),),
        legs=(
            (account_name(account, place), amount, asset),
            (_counter(account, UNEXPLAINED), -amount, asset),
        ),
        is_certain=False,
    )


def _remainders(statement: Statement) -> Iterator[Transaction]:
    """Yield what is unexplained and belongs to no state: what fills state of a position."""
    shown: dict[tuple[Address, Place, Asset], Decimal] = {}
    for each in statement.observed:
        key = each.account, each.place, each.asset
        shown[key] = shown.get(key, ZERO) + each.difference
    for row in statement.rows:
        if row.account is None or row.unexplained is None:
            continue
        left = row.unexplained - row.of("set by an opening")
        left -= shown.get((row.account, row.place, row.asset), ZERO)
        if left:
            yield _unexplained(
                row.account, row.place, row.asset, left, at=statement.of.period.until,
                why="closing less opening less everything recorded",
            )  # fmt: skip


def _closings(statement: Statement) -> Iterator[Assertion]:
    for row in statement.rows:
        if row.account is None or row.closing is None or row.opening is None:
            continue
        yield Assertion(
            at=statement.of.period.until,
            account=account_name(row.account, row.place),
            asset=row.asset,
            amount=row.closing,
            at_day_end=row.closing,
            what="closing",
        )
