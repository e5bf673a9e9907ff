"""Two hands on one book's margin: the main engine's, and the clean room's, given lines alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import attrs

from ledger import events as ev
from ledger import money
from ledger.codec import encode
from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from ledger.events import Event
from ledger.kinds import KIND_OF
from ledger.money import exact
from ledger.stores.form import header_line
from ledger.units import VENUE, Asset, Coin, Millis, Stream
from projections import lending
from projections.reference import Reference
from projections.rulebooks import CALENDAR, in_force, tiers
from replay.audit import AccountHistory
from replay.claims import ratio_found
from replay.evidence.verifier import (
    amounts,
    course,
    engine,
    holdings,
    loans,
    margin,
    rules,
    surroundings,
)
from replay.margin import Assembler, Question

CLEAN = SimpleNamespace(
    amounts=amounts, course=course, engine=engine, holdings=holdings, loans=loans, margin=margin,
    rules=rules, surroundings=surroundings,
)  # fmt: skip

HOUR = 3_600_000
Ratio = Fraction | None


def main_ratios(account: AccountHistory, moments: Sequence[int]) -> list[Ratio]:
    """Return the ratio at each moment by the main engine, as claims speak of it."""
    of = Assembler(account, account.audit.position(), Question())
    found = [ratio_found(of, Millis(at)).value for at in moments]
    return [None if value is None else Fraction(value) for value in found]


Pictured = dict[str, Any] | None
"""What an account has by tokens and exchanges; None where an unknown kind may have moved it."""


def main_pictures(account: AccountHistory, moments: Sequence[int]) -> list[Pictured]:
    """Return what the account has at each moment by the main engine."""
    of = Assembler(account, account.audit.position(), Question())
    found: list[Pictured] = []
    for at in moments:
        try:
            picture = of.picture(Millis(at))[0]
        except UnknownKind:
            found.append(None)
            continue
        found.append({
            "tokens": {
                one.asset: tuple(map(number, (one.total, one.supplied, one.borrowed)))
                for one in picture.tokens
            },
            "exchanges": {side.dex: (side.collateral, number(side.raw), {
                each.coin: (number(each.size), number(each.value), each.is_isolated,
                            number(each.isolated_raw) if each.is_isolated else None,
                            steps(each.tiers)) for each in side.positions
            }) for side in picture.exchanges},
        })  # fmt: skip
    return found


def main_rulebooks(account: AccountHistory, moments: Sequence[int]) -> list[list[str]]:
    """Return under which rulebooks the main engine judges; none without a ratio to judge."""
    of = Assembler(account, account.audit.position(), Question())
    found: list[list[str]] = []
    for at in moments:
        try:
            judged = of.at(Millis(at)).margin.judgements
        except (NotInForce, UnclearQuestion, UnknownKind):
            judged = ()
        found.append([one.rulebook for one in judged if one.mode in holdings.ONE_BALANCE])
    return found


def number(given: Any) -> Fraction | None:
    """Return a number of either hand, None where it is unknown."""
    if isinstance(given, Fraction):
        return given
    value = getattr(given, "value", None)
    return None if value is None else Fraction(value)


def steps(tiers: Any) -> list[tuple[Fraction, Fraction]] | None:
    """Return margin tiers of either hand, None where they are unknown."""
    if not isinstance(tiers, list | tuple):
        return None
    return [
        tuple(map(Fraction, step if isinstance(step, tuple) else attrs.astuple(step)))
        for step in tiers
    ]


def clean_pictures(reckoned: Any, moments: Sequence[int]) -> Iterator[Pictured]:
    """Yield the same by the clean room."""
    for at in moments:
        try:
            found = reckoned.holdings(at)
        except holdings.Untold:
            yield None
            continue
        yield {
            "tokens": {name: tuple(map(number, (coins.total, coins.supplied, coins.borrowed)))
                       for name, coins in found.coins.items()},
            "exchanges": {dex: (side.money, number(side.raw), {
                coin: (number(stake.size), number(stake.value), stake.is_isolated,
                       number(stake.isolated_money) if stake.is_isolated else None,
                       steps(stake.tiers)) for coin, stake in side.stakes.items()
            }) for dex, side in found.exchanges.items()},
        }  # fmt: skip


def streams_of(account: AccountHistory) -> dict[str, list[Any]]:
    """Return the batches of the account and of everything around it, as JSON and lines."""
    book = account.audit.book
    return {
        info.stream: [
            (json.loads(header_line(batch.header)), list(batch.lines))
            for batch in book.batches(info.stream)
        ]
        for info in book.streams()
        if info.stream in {account.stream, VENUE} or info.stream.startswith(("market:", "reserve:"))
    }


Told = tuple[list[Any], list[Any], Any]
"""An account's course, the courses around it, and its journal."""


def told(streams: dict[str, list[Any]], own: str, position: int = 10**6) -> Told:
    """Return what the clean room's other modules make of lines, before margin is asked for."""
    listed = [
        (line, json.loads(line))
        for header, lines in streams.get("venue", [])
        if header["position"] <= position
        for line in lines
    ]
    rows = course.course(streams[own], position)
    journal = engine.Journal(rows, engine.Listing(listed))
    return rows, surroundings.around(streams, position), journal


def reckoning(streams: dict[str, list[Any]], own: str, position: int = 10**6) -> Any:
    """Return what the clean room recomputes margin from."""
    rows, others, journal = told(streams, own, position)
    beside = surroundings.Surroundings(rows, others, journal.listing)
    return holdings.Reckoning(journal, beside)


def asked(known: Told, moments: Sequence[int]) -> list[Any]:
    """Return ratios and holdings by the clean room for what is told."""
    rows, others, journal = known
    beside = surroundings.Surroundings(rows, others, journal.listing)
    reckoned = holdings.Reckoning(journal, beside)
    rulebooks = [margin.margin_ratio(reckoned, at)[1] for at in moments]
    return [*clean_ratios(reckoned, moments), *clean_pictures(reckoned, moments), *rulebooks]


def clean_ratios(reckoned: Any, moments: Sequence[int]) -> Iterator[Ratio]:
    """Yield the ratio at each moment by the clean room, None where it is unknown."""
    for at in moments:
        found = margin.margin_ratio(reckoned, at)[0]
        yield found if isinstance(found, Fraction) else None


# ------------------------------------------------------------------------- single parts of it

SIDES = ("supply", "borrow")


def loans_case(seed: int) -> tuple[list[Event], list[Event], int]:
    """Return operations, rows and states of two loans, the states of their reserve, an instant."""
    chance = random.Random(seed)
    at, own, of_reserve = 1_790_000_000_000, [], []
    asset = Asset("USDC")
    owed = {side: Decimal(chance.choice((0, 1000))) for side in SIDES}
    is_steady = chance.random() < 0.5
    for number in range(chance.randrange(2, 14)):
        at += chance.choice((0, 0, 1, HOUR - 1, HOUR) if is_steady else (0, 1, HOUR + 1, 5 * HOUR))
        common: dict[str, Any] = {"stream": Stream("account:0x"), "at": Millis(at)}
        sort = chance.choice(("rate", "rate", "operation", "operation", "row", "state", "state"))
        if sort == "rate" or is_steady:
            steady = [Decimal(text) for text in ("0.05", "0.3", "9")]
            rate = chance.choice(steady if is_steady else [None, *steady])
            of_reserve.append(ev.ReserveObserved(
                **common, asset=asset, token=0, borrow_rate=rate, supply_rate=rate, balance=None,
                utilization=None, oracle_px=Decimal(1), ltv=Decimal(0), supplied=None,
                borrowed=None,
            ))  # fmt: skip
        if sort == "operation":
            amount = Decimal(chance.choice((10, 500, 1000, 100_000_000)))
            own.append(ev.ReserveOperated(
                **common, operation=chance.choice(("supply", "withdraw", "borrow", "repay")),
                asset=asset, amount=amount, reported_interest=None, tx_hash=f"0x{number}",
            ))  # fmt: skip
        elif sort == "row":
            own.append(ev.InterestAccrued(
                **common, asset=asset, supply=Decimal(chance.choice(("0", "0.5"))),
                borrow=Decimal(chance.choice(("0", "0.25"))),
            ))  # fmt: skip
        elif sort == "state":
            own.append(stated(common, own, of_reserve, owed, chance))
    chance.shuffle(of_reserve)
    return own, of_reserve, at + chance.choice((-1, 0, 0, 1, HOUR))


def stated(
    common: dict[str, Any], own: list[Event], reserve: list[Event], owed: dict[str, Decimal],
    chance: random.Random,
) -> Event:  # fmt: skip
    """Return a lending state near to what the loans come to, a hair or a lot away from it."""
    known = main_loans(own, reserve, common["at"])
    states = [event.at for event in own if isinstance(event, ev.LendingStateObserved)]
    before = main_loans(own, reserve, states[-1]) if states else {}
    fields = {}
    for side in SIDES:
        earned = [
            found.get(("USDC", side), (0, 0, (), Fraction(0)))[3] for found in (known, before)
        ]
        doubt = earned[0] - earned[1]
        is_paid_back = chance.random() < 0.15
        basis, value = known.get(("USDC", side), (Fraction(owed[side]), Fraction(owed[side]), ()))[
            :2
        ]
        grown = value - basis
        off = chance.choice(("0", "0", "0.000001", "0.0000011", "-0.000001", "5"))
        moved = chance.choice((
            Fraction(off), grown, grown + Fraction(off), -grown, doubt, doubt + Fraction(off),
            doubt + Fraction(off), -doubt - Fraction(off),
        ))  # fmt: skip
        places = Decimal("0.0000000001")
        fields[f"{side}_basis"] = dec(basis + moved).quantize(places)
        fields[f"{side}_value"] = dec(value + chance.choice((0, moved))).quantize(places)
        if is_paid_back:
            fields |= {f"{side}_basis": Decimal(0), f"{side}_value": Decimal(0)}
    return ev.LendingStateObserved(
        **common, loans=(ev.ObservedLoan(token=0, **fields),), health="healthy", health_factor=None
    )


def dec(value: Fraction | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / value.denominator


Lent = dict[tuple[str, str], tuple[Any, ...]]


def main_loans(own: Sequence[Event], reserve: Sequence[Event], at: int) -> Lent:
    """Return principal, value, unrecorded movements and interest of loans by the main engine."""
    with exact():
        walk = lending.Walk(
            lending.rates(reserve), Reference(symbols={0: Asset("USDC"), 7: Asset("HYPE")})
        )
        for event in own:
            if event.at <= at:
                walk.take(event)
        found = walk.until(Millis(at))
    return {
        key: (Fraction(loan.basis), Fraction(loan.best), tuple((s, u, Fraction(a))
              for s, u, a in loan.jumps), Fraction(loan.accrued))
        for key, loan in found.items()
    }  # fmt: skip


def clean_loans(own: Sequence[Event], reserve: Sequence[Event], at: int) -> Lent:
    """Return the same by the clean room, which is given nothing but lines."""
    dated = surroundings.Dated()
    for event in reserve:
        dated.put(event.at, json.loads(encode(event)))
    events = [(KIND_OF[type(event)].name, json.loads(encode(event))) for event in own]
    found = loans.loans_at(events, {"USDC": dated}, {0: "USDC", 7: "HYPE"}, at)
    return {
        key: (loan.principal, loan.value, tuple(loan.jumps), loan.earned)
        for key, loan in found.items()
    }


PERPS = ("BTC", "HYPE", "SOL", "XRP", "BNB", "kBONK", "XPL", "FOO")


def dates_by_main() -> list[Any]:
    """Return rulebooks and documented tiers around every date they begin, by the main engine."""
    starts = [at for book in CALENDAR for at in (book.effective_from, book.documented_from)]
    found: list[Any] = []
    for at in [start + off for start in (*starts, tiers.SINCE) for off in (-1, 0, 1)]:
        try:
            found.append([book.id for book in in_force(Millis(at))])
        except NotInForce:
            found.append([])
        found.append([
            [(Fraction(bound), Fraction(top)) for bound, top in
             tiers.documented_tiers(Coin(coin), Millis(at))]
            for coin in PERPS
        ])  # fmt: skip
    return found


def dates_by_clean() -> list[Any]:
    """Return the same by the clean room."""
    starts = [at for book in CALENDAR for at in (book.effective_from, book.documented_from)]
    found: list[Any] = []
    for at in [start + off for start in (*starts, tiers.SINCE) for off in (-1, 0, 1)]:
        found.append([one.name for one in rules.rules_at(at)])
        found.append([rules.documented_tiers(coin, at) for coin in PERPS])
    return found


def numbers_case(seed: int) -> list[Fraction | None]:
    """Return roundings, quotients and powers of random numbers by the clean room."""
    chance = random.Random(seed)
    top, bottom = (Fraction(chance.randrange(-40, 40), 8) for _ in range(2))
    power = Fraction(chance.randrange(-(10**6), 10**6), 10 ** chance.choice((5, 6, 9)))
    found = amounts.quotient(top, bottom)
    return [
        amounts.nearest(top, 1), amounts.cut(top, 1), amounts.exponential(power),
        found if isinstance(found, Fraction) else None,
    ]  # fmt: skip


def numbers_by_money(seed: int) -> list[Fraction | None]:
    """Return the same by the decimals of the main engine."""
    chance = random.Random(seed)
    top, bottom = (Decimal(chance.randrange(-40, 40)) / 8 for _ in range(2))
    power = Decimal(chance.randrange(-(10**6), 10**6)) / 10 ** chance.choice((5, 6, 9))
    with exact():
        found = [
            money.round_half_even(top, 1), money.round_down(top, 1), money.exp_rounded(power, 40),
            money.divide_half_even(top, bottom, 20) if bottom else None,
        ]  # fmt: skip
    return [None if one is None else Fraction(one) for one in found]
