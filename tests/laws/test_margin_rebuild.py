"""What a simulated venue of portfolio margin had, the projections rebuild from its papers alone.

The whole way each time: papers, importers, a book in a file, the timeline, the fold. Balances by
place (supplied and borrowed among them), positions, fees and funding are equal to the venue's, not
nearly equal, at every event of every account and at random instants between. With interest running
and prices as recorded, what was lent and the margin ratio are right to the last place a rule keeps.

``ROLLFORWARD_HISTORIES`` sets how many histories are played; a failure names the seed.
"""

from __future__ import annotations

import os
import random
import tempfile
from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import attrs
import pytest

from ledger import timeline
from ledger.book import Book
from ledger.codec import decode
from ledger.entries import AsOf, Batch
from ledger.events import (
    Event,
    LendingStateObserved,
    ModeChanged,
    PerpStateObserved,
    ReserveObserved,
    SpotStateObserved,
)
from ledger.units import (
    VENUE,
    Address,
    Asset,
    Millis,
    account_stream,
    reserve_stream,
    stream_account,
)
from projections import balances, margin
from projections.fold import States, fold
from projections.lending import VALUE_PLACES, Loan, Rates, lending, rates
from projections.reference import Reference, reference
from tests.support import pm_oracle, pm_papers
from tests.support.pm_account import Account
from tests.support.pm_rules import BORROWABLE, FINE, LTV_CHANGE, PERP, TOKEN, UNIT
from tests.support.pm_truth import Standing, World, price_of, ratio_of, toward
from tests.support.pm_venue import PmVenue, pm_history
from tests.support.route import Paper, take_in

HISTORIES = int(os.environ.get("ROLLFORWARD_HISTORIES", "7"))
PARTS = -(-HISTORIES // 125)
"""Tests the histories are shared out among, so that several processes have their part."""

STEPS = 60
INSTANTS = 3
"""Random instants asked of each account; its history is folded from nothing for each."""

SLACK = Fraction(1, 10**18)
"""Relative; the projection rounds a quotient to twenty places."""


@attrs.frozen
class Market:
    """What the market's papers say by an instant."""

    prices: Any
    pools: dict[Asset, ReserveObserved]
    tables: dict[Any, Any]
    rates: Rates
    pieces: int
    """How many records that is: no rate changes oftener."""


@attrs.define
class Found:
    """The papers of one venue, imported; what a test asks of the book."""

    venue: PmVenue
    book: Book
    _batches: dict[tuple[str, int], Batch] = attrs.field(factory=dict)
    _folded: dict[int, States] = attrs.field(factory=dict)
    _markets: dict[int, Market] = attrs.field(factory=dict)

    @cached_property
    def all_of_market(self) -> list[Event]:
        """Everything of the market in order of time: metadata, prices, reserve states."""
        streams = [VENUE, *(reserve_stream(Asset(token)) for token in TOKEN)]
        events = [
            decode(line)
            for stream in streams
            for batch in self.book.batches(stream)
            for line in batch.lines
        ]
        return sorted(events, key=lambda event: event.at)

    @cached_property
    def reference(self) -> Reference:
        return reference(self.all_of_market)

    def market(self, at: int) -> Market:
        """Return the market by an instant; prices go on from an earlier instant that was asked."""
        if at not in self._markets:
            count = bisect_right(self.all_of_market, at, key=lambda event: event.at)
            known = self.all_of_market[:count]
            before = max((each for each in self._folded if each <= count), default=0)
            states = fold(known[before:], self.reference, self._folded.get(before))
            self._folded[count] = states
            pools = [event for event in known if isinstance(event, ReserveObserved)]
            self._markets[at] = Market(
                prices=states.state("prices"),
                pools={event.asset: event for event in pools},
                tables=margin.market_tables(known, Millis(at)),
                rates=rates(pools),
                pieces=count,
            )
        return self._markets[at]

    def events(self, account: Account, at: int | None = None) -> list[Event]:
        """Return an account's history in effective order, whole or up to an instant."""
        stream = account_stream(Address(account.account))

        def fetch(version: int) -> Batch:
            found = self._batches.get((stream, version))
            if found is None:
                found = self._batches[stream, version] = self.book.batch(stream, version)
            return found

        as_of = AsOf(effective=None if at is None else Millis(at))
        course = timeline.course(self.book.headers(stream), fetch, as_of)
        return list(timeline.events(course, fetch))


def imported(venue: PmVenue, folder: str, chance: random.Random) -> Found:
    """Return the venue's papers in a book, states of some instants with them."""
    book = Book.create(Path(folder) / f"{venue.seed}.book")
    take_in(book, venue.accounts[0].account, [Paper("market.json", pm_papers.market(venue))])
    moments = [at for at, family, _ in venue.shown if family == "prices"]
    for account in venue.accounts:
        papers = [
            Paper(name, text)
            for name, text in pm_papers.history(venue, account).items()
            if '"response": []' not in text
        ]
        asked = sorted(chance.sample(moments, min(2, len(moments))))
        papers += [Paper(f"states-{at}.json", pm_papers.states(venue, account, at)) for at in asked]
        take_in(book, account.account, papers)
    return Found(venue, book)


# ------------------------------------------------------------------------- what is in the books


def rebuilt(states: States) -> dict[str, Any]:
    """Return what folded states say, in the form of ``stood``."""
    held = balances.own(states.state("balances"))
    return {
        "balances": {
            key: Fraction(amount)
            for key, amount in held.items()
            if not key[0].startswith("position:")
        },
        "positions": {
            coin: (Fraction(each.size, 10**each.places), each.notional, each.realized)
            for coin, each in states.state("positions").by_key.items()
            if coin in PERP
        },
        "fees": {
            asset: Fraction(fee.total)
            for asset, fee in states.state("fees").by_key.items()
            if fee.total
        },
        "funding": {
            coin: Fraction(paid.total)
            for (coin, _), paid in states.state("funding").by_key.items()
            if paid.total
        },
    }


def stood(stand: Standing) -> dict[str, Any]:
    """Return what the venue's books said, in fractions."""
    return {
        "balances": {key: Fraction(units, UNIT) for key, units in stand.cash.items()},
        "positions": {
            coin: (Fraction(lots, 10 ** PERP[coin].places), notional, result)
            for coin, (lots, notional, result) in stand.positions.items()
        },
        "fees": {asset: Fraction(units, UNIT) for asset, units in stand.fees.items()},
        "funding": {coin: Fraction(micro, 10**6) for coin, micro in stand.funding.items()},
    }


def differing(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [
        f"{part} {key}: expected {expected[part].get(key)}, found {found[part].get(key)}"
        for part in expected
        for key in sorted({*expected[part], *found[part]}, key=str)
        if expected[part].get(key) != found[part].get(key)
    ]


# ------------------------------------------------------------------------- margin at an instant


def picture(
    found: Found, states: States, at: int, events: list[Event], loans: Any = None
) -> margin.Picture:
    """Return the picture the projections rebuild for an instant, from what was recorded by then."""
    market = found.market(at)
    modes = [event.mode for event in events if isinstance(event, ModeChanged)]
    return margin.rebuilt(
        states,
        at=Millis(at),
        account=stream_account(events[0].stream),
        mode=modes[-1] if modes else "disabled",
        reference=found.reference,
        prices=market.prices,
        loans=loans,
        reserves=market.pools.values(),
        tables=market.tables,
        is_complete=True,
    )


def near(expected: Fraction | None, found: margin.Figure | None, slack: Fraction) -> bool:
    if found is None or (found.value is None and not found.missing):
        return not expected  # an empty account: nothing is required, and nothing stands against it
    if found.value is None:
        return False
    return expected is not None and abs(expected - Fraction(found.value)) <= slack


def one(whole: margin.Margin) -> margin.Judgement:
    """Return the judgement: where two rulebooks could hold, a recorded loan to value decides.

    It is recorded always, so two are left only where there is nothing it would change.
    """
    said = {
        (each.ratio and each.ratio.value, tuple(verdict.holds for verdict in each.verdicts))
        for each in whole.judgements
    }
    assert len(said) == 1, (whole.note, said)
    return whole.judgements[0]


def posted(stand: Standing, at: int, world: World) -> tuple[Standing, World]:
    """Return the same state with loans as operations and hourly rows have them."""
    loans = {
        (token, side): (abs(stand.cash.get((place, token), 0)) * FINE, 0)
        for token in TOKEN
        for side, place in (("supply", "supplied"), ("borrow", "borrowed"))
    }
    return attrs_like(stand, loans=loans), attrs_like(world, now=at)


def attrs_like(value: Any, **changed: Any) -> Any:
    return type(value)(**{**vars(value), **changed})


def lost(pieces: int) -> Fraction:
    """Return what a loan by rule may lack: a unit of 10^-10 for each piece of time it runs over.

    And what an observed state cut off: it shows eight places, and interest runs on from it.
    """
    return Fraction(pieces, 10**VALUE_PLACES) + Fraction(2, 10**8)


def lent_wrongly(
    found: Found, account: Account, at: int, loans: dict[Any, Loan], pieces: int
) -> list[str]:
    """Return loans the rule counts otherwise than the venue, by more than ``lost`` allows."""
    wrong = []
    for token in TOKEN:
        for side in ("supply", "borrow"):
            expected = Fraction(found.venue.lent(account, token, side, at), UNIT * FINE)
            loan = loans.get((token, side))
            value = None if loan is None else loan.value
            if (value is None and expected) or not (
                0 <= expected - Fraction(value or 0) <= lost(pieces)
            ):
                wrong.append(f"{side} of {token} at {at}: expected {float(expected)}, {value}")
    return wrong


def ratio_wrongly(found: Found, account: Account, at: int) -> list[str]:
    """Return where margin rebuilt at an instant differs from the venue's own, in three ways."""
    venue = found.venue
    stand, world = venue.standing(account, at), venue.world(at)
    events = found.events(account, at)
    states = fold(events, found.reference)
    told = [f"{account.account} at {at}: {text}" for text in
            differing(stood(stand), rebuilt(states))]  # fmt: skip
    if stand.mode == "disabled":
        return told

    # as the books have it: exactly, but for the places of a quotient
    booked = ratio_of(*posted(stand, at, world), at)
    figure = one(margin.judge(picture(found, states, at, events), alternatives=False)).ratio
    if not near(booked, figure, SLACK * max(1, booked or 0)):
        told.append(f"ratio by rows at {at}: expected {shown(booked)}, {figure}")

    # with interest running, by the recorded rates
    market = found.market(at)
    pieces = market.pieces + len(events) + 1
    loans = lending(events, market.rates, Millis(at), found.reference)
    told += lent_wrongly(found, account, at, loans, pieces)
    judgement = one(margin.judge(picture(found, states, at, events, loans), alternatives=False))
    true = ratio_of(stand, world, at)
    if not near(true, judgement.ratio, allowed(stand, world, at, pieces)):
        told.append(f"ratio by rule at {at}: expected {shown(true)}, {judgement.ratio}")

    # the naive calculator, on the venue's own numbers, stands between the two
    (answer,) = pm_oracle.answers(venue.plain(account, at))
    if (answer["ratio",] or None) != (true or None):  # none at all where nothing is required
        told.append(f"naive ratio at {at}: expected {shown(true)}, {shown(answer['ratio',])}")
    return told


def allowed(stand: Standing, world: World, at: int, pieces: int) -> Fraction:
    """Return how far a ratio may be off when every loan lacks what ``lost`` says."""
    lacking = lost(pieces) * sum(price_of(world, token) for token in TOKEN)
    widest = Fraction(0)
    for token in BORROWABLE:
        need, value = toward(stand, world, token, at)
        if value > lacking:
            widest = max(widest, 2 * lacking * (1 + need / value) / (value - lacking))
    return widest


def shown(value: Fraction | None) -> str:
    return "none" if value is None else f"{float(value):.15g}"


# ------------------------------------------------------------------------- one history


@attrs.frozen
class Tally:
    """What the comparison of some histories came to."""

    wrong: tuple[str, ...] = ()
    accounts: int = 0
    events: int = 0
    moments: int = 0
    instants: int = 0
    ratios: int = 0
    liquidations: int = 0
    crossings: int = 0


def compared(seed: int) -> Tally:
    """Play one history, import its papers, and compare everything."""
    venue, chance = pm_history(seed, STEPS), random.Random(seed)
    wrong: list[str] = []
    counted = [0] * 6
    with tempfile.TemporaryDirectory() as folder:
        found = imported(venue, folder, chance)
        with found.book:
            for account in venue.accounts:
                events = found.events(account)
                more, moments = at_every_event(found, account, events)
                wrong += more
                first = account.told[0][0]
                instants = [chance.randrange(first, venue.now + 1) for _ in range(INSTANTS)]
                # the moment of a liquidation and the one before it matter most
                for at, _ in account.liquidations[:1]:
                    instants += [at - 1, at]
                for at in instants:
                    wrong += ratio_wrongly(found, account, at)
                wrong += states_wrongly(found, account, events)
                judged = [at for at in instants if venue.standing(account, at).mode != "disabled"]
                for place, count in enumerate(
                    (len(events), moments, len(instants), len(judged), len(account.liquidations))
                ):
                    counted[place] += count
    counted[5] = venue.began < LTV_CHANGE <= venue.now
    return Tally(
        tuple(f"seed {seed}: {text}" for text in wrong[:10]), len(venue.accounts), *counted
    )


def at_every_event(found: Found, account: Account, events: list[Event]) -> tuple[list[str], int]:
    """Compare the books after every millisecond in which something happened to an account."""
    wrong: list[str] = []
    states: States | None = None
    moments = 0
    for at, group in groupby(events, key=lambda event: event.at):
        states = fold(group, found.reference, states)
        expected = stood(found.venue.standing(account, at))
        wrong += [f"{account.account} at {at}: {text}" for text in
                  differing(expected, rebuilt(states))]  # fmt: skip
        moments += 1
    return wrong, moments


def states_wrongly(found: Found, account: Account, events: list[Event]) -> list[str]:
    """Return where a judgement of observed states differs from what the states themselves say."""
    wrong = []
    spots = [event for event in events if isinstance(event, SpotStateObserved)]
    for spot in spots:
        at = spot.at
        beside = [event for event in events if event.at == at]
        market = found.market(at)
        judgement = one(
            margin.judge(
                margin.observed(
                    mode=found.venue.standing(account, at).mode,
                    spot=spot,
                    perps=[each for each in beside if isinstance(each, PerpStateObserved)],
                    lending=first(beside, LendingStateObserved),
                    reserves=market.pools.values(),
                    tables=market.tables,
                    reference=found.reference,
                ),
                alternatives=False,
            )
        )
        half = Fraction(1, 2 * 10**10) + SLACK
        ratio = None if spot.margin_ratio is None else Fraction(spot.margin_ratio)
        if spot.margin_enabled and not near(ratio, judgement.ratio, half):
            wrong.append(f"observed ratio at {at}: expected {ratio}, {judgement.ratio}")
        for figure in spot.available:
            token = found.reference.symbols[figure.token]
            available = judgement.token(token).available
            if not near(Fraction(figure.value), available, half):
                wrong.append(f"available {token} at {at}: expected {figure.value}, {available}")
        for dex in beside:
            if isinstance(dex, PerpStateObserved) and dex.cross_maintenance is not None:
                kept = judgement.exchange(dex.dex).cross_maintenance
                if not near(Fraction(dex.cross_maintenance), kept, Fraction(0)):
                    wrong.append(f"maintenance at {at}: {dex.cross_maintenance}, {kept}")
    return wrong


def first(events: Iterable[Event], kind: type) -> Any:
    return next((event for event in events if isinstance(event, kind)), None)


def all_compared(seeds: range) -> Tally:
    tallies = [compared(seed) for seed in seeds]
    numbers = [attrs.astuple(each)[1:] for each in tallies]
    sums = [sum(column) for column in zip(*numbers, strict=True)]
    return Tally(tuple(text for each in tallies for text in each.wrong), *sums)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_state_of_a_simulated_venue_is_rebuilt_from_its_papers(part, figure) -> None:
    start = random.SystemRandom().randrange(10**9) if PARTS > 1 else 0
    count = HISTORIES // PARTS + (part < HISTORIES % PARTS)
    tally = all_compared(range(start, start + count))
    figure(
        line="3-4",
        text="simulated portfolio margin histories rebuilt from their papers",
        value=f"{count:,} of {count:,} ({tally.accounts:,} accounts, {tally.events:,} "
        f"events; equal at {tally.moments:,} moments and {tally.instants:,} instants between, "
        f"{tally.ratios:,} ratios, {tally.liquidations:,} liquidations, {tally.crossings:,} "
        f"across a change of the loan to value)",
        is_part=True,
    )
    assert () == tally.wrong
    # a venue in which nobody is liquidated and no rule changes would leave much unplayed
    assert 0 < tally.crossings
    assert 0 < tally.liquidations
    assert 0 < tally.ratios


def test_a_token_with_nothing_required_and_nothing_held_does_not_undo_the_ratio() -> None:
    """Of this seed a loan leaves dust behind, toward which 0 ÷ 0 once made the ratio vanish."""
    assert () == all_compared(range(881_851_425, 881_851_426)).wrong
