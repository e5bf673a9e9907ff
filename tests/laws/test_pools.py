"""Laws of lending pools, held on pools a simulated venue keeps in whole numbers.

The venue counts everybody's interest by its own series, at the rates it prints; the laws are asked
of what it hands out (reserve states, operations, hourly rows), by the product's own formulas.

**Where the laws are not exact, and by how much.** Utilization and supply rate are exact. The rest
is bounded, term by term:

* printed totals are cut off at ten places, hourly rows at eight;
* a printed supply rate is off by half a unit of 10^-10 at most, and so is a borrow rate above the
  kink, where the printed utilization is off by as much and counts 4.75 times;
* both sides run exponentially, the supply side at the smaller rate: over a stretch x of borrow
  rate × time, suppliers get up to 0.9 · borrowed · x² · e^x ÷ 2 less than nine tenths of what
  borrowers pay, and never more. The protocol keeps that on top of its tenth.
"""

from __future__ import annotations

import itertools
import os
import random
import tempfile
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ledger.money import exact
from ledger.units import Asset
from projections import balances
from projections.arithmetic import EXACT
from projections.fold import fold
from projections.rulebooks import formulas
from projections.rulebooks.y2026_01_pre_alpha import CURVE
from tests.laws.test_margin_rebuild import imported
from tests.support.pm_rules import HOUR_MS, TOKENS, YEAR_MS
from tests.support.pm_venue import PmVenue, pm_history
from tests.support.venue_rules import text

HISTORIES = max(7, int(os.environ.get("ROLLFORWARD_HISTORIES", "0")) // 4)
POOLS = 4 * HISTORIES

PRINTED = Fraction(1, 10**10)
ROW = Fraction(1, 10**8)
HALF = Fraction(1, 2)
SYMBOL = {token.index: token.symbol for token in TOKENS}

State = dict[str, str]


def states_of(venue: PmVenue, token: str) -> list[tuple[int, State]]:
    """Return every state shown of one reserve, in order."""
    return [
        (at, state)
        for at, family, body in venue.shown
        if family == "reserves"
        for index, state in body
        if SYMBOL[index] == token
    ]


def lent(state: State) -> bool:
    return Fraction(state["totalSupplied"]) > 0


# ------------------------------------------------------------------------- the laws


def utilization_law(state: State) -> str:
    with exact():
        used = formulas.utilization(
            EXACT, Decimal(state["totalBorrowed"]), Decimal(state["totalSupplied"])
        )
    return "" if used == Decimal(state["utilization"]) else f"utilization is {used}"


def supply_rate_law(state: State) -> str:
    with exact():
        rate = formulas.supply_rate(
            EXACT,
            Decimal(state["borrowYearlyRate"]),
            Decimal(state["totalBorrowed"]),
            Decimal(state["totalSupplied"]),
            CURVE.protocol_share.value,
        )
    return "" if rate == Decimal(state["supplyYearlyRate"]) else f"supply rate is {rate}"


def borrow_rate_law(state: State) -> str:
    """Exact up to the kink; above it the printed utilization's rounding counts 4.75 times."""
    with exact():
        rate = formulas.borrow_rate(
            EXACT,
            Decimal(state["utilization"]),
            CURVE.base.value,
            CURVE.slope.value,
            CURVE.kink.value,
        )
    apart = abs(Fraction(rate) - Fraction(state["borrowYearlyRate"]))
    is_low = Fraction(state["utilization"]) < Fraction(8, 10)
    allowed = Fraction(0) if is_low else PRINTED * HALF * (1 + Fraction(475, 100))
    return "" if apart <= allowed else f"borrow rate is {rate}"


def buffer_of(state: State) -> Fraction:
    with exact():
        held = formulas.buffer(
            EXACT,
            Decimal(state["balance"]),
            Decimal(state["totalBorrowed"]),
            Decimal(state["totalSupplied"]),
        )
    return Fraction(held)


def tenth(before: State, after: State, elapsed_ms: int) -> tuple[Fraction, Fraction, Fraction]:
    """Return what the protocol got beyond a tenth, and the bounds of it (lower, upper)."""
    borrowed, supplied = Fraction(before["totalBorrowed"]), Fraction(before["totalSupplied"])
    paid = Fraction(after["totalBorrowed"]) - borrowed
    beyond = buffer_of(after) - buffer_of(before) - paid / 10
    years = Fraction(elapsed_ms, YEAR_MS)
    x = Fraction(before["borrowYearlyRate"]) * years
    # e^x < 1 + 2x for these small x
    runs_on = Fraction(9, 10) * borrowed * x * x / 2 * (1 + 2 * x)
    rounding = supplied * PRINTED * HALF * years * (1 + 2 * x) + 4 * PRINTED
    return beyond, -rounding, runs_on + rounding


def tenth_law(before: State, after: State, elapsed_ms: int) -> str:
    """Between two states without an operation: the protocol keeps a tenth of the interest."""
    beyond, least, most = tenth(before, after, elapsed_ms)
    if least <= beyond <= most:
        return ""
    return f"the protocol got {float(beyond)} beyond its tenth, not {float(least)} to {float(most)}"


ONE = (utilization_law, supply_rate_law, borrow_rate_law)


def broken(one: State, two: State, elapsed_ms: int) -> list[str]:
    """Return the laws two states of one reserve break, no operation lying between them."""
    told = [law(state) for state in (one, two) for law in ONE]
    return [text for text in (*told, tenth_law(one, two, elapsed_ms)) if text]


# ------------------------------------------------------------------------- on simulated pools


def pairs(venue: PmVenue, token: str) -> list[tuple[int, State, State]]:
    """Return neighboring states between which nothing was moved, with the time between them."""
    shown = [each for each in states_of(venue, token) if lent(each[1])]
    return [
        (until - since, before, after)
        for (since, before), (until, after) in itertools.pairwise(shown)
        if before["balance"] == after["balance"] and moved(venue, token, since, until) == 0
    ]


def moved(venue: PmVenue, token: str, since: int, until: int) -> int:
    """Return how many operations lie between two moments."""
    return sum(
        row.body["delta"].get("token") == token
        and row.body["delta"]["type"] == "borrowLend"
        and since < row.time <= until
        for account in venue.accounts
        for row in account.rows
        if row.family == "ledger"
    )


def test_every_state_of_a_pool_keeps_the_laws(figure) -> None:
    states = stretches = 0
    widest = Fraction(0)
    above = 0
    for seed in range(POOLS):
        venue = pm_history(seed, 25)
        for token in SYMBOL.values():
            for at, state in states_of(venue, token):
                if lent(state):
                    assert [] == [said for law in ONE if (said := law(state))], (seed, at, state)
                    states += 1
                    above += Fraction(state["utilization"]) > Fraction(8, 10)
            for elapsed, before, after in pairs(venue, token):
                assert "" == tenth_law(before, after, elapsed), (seed, token, elapsed)
                beyond, least, most = tenth(before, after, elapsed)
                widest = max(widest, beyond / most if beyond > 0 else beyond / least)
                stretches += 1
    figure(
        line="3-4",
        text="simulated pools: reserve states that keep the laws, and stretches with the tenth",
        value=f"{POOLS:,} pools, {states:,} states ({above:,} above 80 % utilization), "
        f"{stretches:,} stretches; the tenth within {float(widest):.1%} of its stated slack",
    )
    # below the kink alone, the slope would never be asked for
    assert 0 < above < states
    # a slack of which nothing is ever used would be too wide to say anything
    assert Fraction(1, 2) < widest <= 1


@pytest.mark.parametrize(
    "field",
    ["totalSupplied", "totalBorrowed", "balance", "utilization", "borrowYearlyRate",
     "supplyYearlyRate"],
)  # fmt: skip
def test_altering_the_sixth_digit_of_any_figure_breaks_a_law(field) -> None:
    chance = random.Random(field)
    tried = 0
    for seed in range(12):
        venue = pm_history(seed, 12)
        for elapsed, before, after in pairs(venue, "USDC"):
            assert [] == broken(before, after, elapsed)
            for number in (0, 1):
                state = (before, after)[number]
                altered = {**state, field: sixth_digit(state[field], chance)}
                two = (altered, after) if number == 0 else (before, altered)
                assert [] != broken(*two, elapsed), (seed, field, state[field], altered[field])
                tried += 1
    assert 100 < tried


def sixth_digit(shown: str, chance: random.Random) -> str:
    """Return a number with its sixth significant digit changed."""
    whole, _, rest = shown.partition(".")
    digits = int(whole + rest.ljust(10, "0"))
    grain = 10 ** max(0, len(str(digits)) - 6)
    old = digits // grain % 10
    new = chance.choice([each for each in range(10) if each != old])
    return text(digits + (new - old) * grain, 10)


# ------------------------------------------------------------------------- between all accounts


def test_interest_is_conserved_between_borrowers_suppliers_and_protocol(figure) -> None:
    """What accounts have by our books adds up to the reserve, hour by hour.

    Every account's rows are cut off, and what was cut is carried to its next row: so the books of
    all lack less than one unit of 10^-8 an account, however many hours pass.
    """
    hours = 0
    lacking = Fraction(0)
    paid = kept = earned = Fraction(0)
    for seed in range(HISTORIES):
        venue = pm_history(seed, 40)
        with tempfile.TemporaryDirectory() as folder:
            found = imported(venue, folder, random.Random(seed))
            with found.book:
                histories = [found.events(account) for account in venue.accounts]
                first = venue.began + HOUR_MS
                for hour in range(first, venue.now + 1, HOUR_MS * 3):
                    books = [
                        balances.own(
                            fold(
                                [event for event in events if event.at <= hour], found.reference
                            ).state("balances")
                        )
                        for events in histories
                    ]
                    for token in ("USDC", "USDT0", "HYPE"):
                        state = dict(states_of(venue, token)).get(hour)
                        if state is None or not lent(state):
                            continue
                        short = lacking_of(books, state, token)
                        assert all(0 <= each + PRINTED for each in short), (seed, hour, token)
                        assert max(short) < len(books) * ROW, (seed, hour, token)
                        lacking = max(lacking, *short)
                        hours += 1
                supply, borrow = rows_of(venue)
                paid, earned, kept = paid + borrow, earned + supply, kept + borrow - supply
    figure(
        line="3-4",
        text="hours of simulated pools whose accounts, as rebuilt, add up to the reserve",
        value=f"{hours:,}, lacking at most {float(lacking):.1e} of a token (bound: 1e-08 an "
        f"account); of {float(paid):,.2f} USDC paid, suppliers got {float(earned):,.2f}, the "
        f"protocol {float(kept / paid):.6%}",
    )
    assert 0 < lacking
    # the tenth, over all hours: rows alone, without what is still to be shown
    assert abs(kept / paid - Fraction(1, 10)) < Fraction(1, 10**5)


def lacking_of(
    books: list[dict[Any, Decimal]], state: State, token: str
) -> tuple[Fraction, Fraction]:
    """Return how much less the accounts' books have than the reserve, supplied and borrowed."""
    supplied, borrowed = (
        sum((Fraction(book.get((place, Asset(token)), 0)) for book in books), Fraction(0))
        for place in ("supplied", "borrowed")
    )
    return Fraction(state["totalSupplied"]) - supplied, Fraction(state["totalBorrowed"]) + borrowed


def rows_of(venue: PmVenue) -> tuple[Fraction, Fraction]:
    """Return interest of USDC in all accounts' hourly rows: (supplied, borrowed)."""
    rows = [
        row.body
        for account in venue.accounts
        for row in account.rows
        if row.family == "interest" and row.body["token"] == "USDC"
    ]
    supply = sum((Fraction(row["supply"]) for row in rows), Fraction(0))
    return supply, sum((Fraction(row["borrow"]) for row in rows), Fraction(0))
