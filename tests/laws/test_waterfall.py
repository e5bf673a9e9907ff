"""A change shared out among causes: the parts sum to it, whatever the history and the causes.

The sums are held against margin judged at both ends by itself; that no order of the causes is
preferred, against all orders counted one by one. ``ROLLFORWARD_WATERFALLS`` sets how many ways.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import replay
from ledger.book import Book
from ledger.errors import UnclearQuestion
from ledger.money import ZERO, exact
from ledger.units import Asset, Coin, Millis
from projections.waterfall import rounded, shares
from replay.audit import AccountHistory, Audit
from replay.dispute import suppositions as suppose
from replay.dispute.waterfall import FIGURES, waterfall
from replay.margin import Assembler, Question
from replay.margin_timeline import moving_figures
from tests.support import pm_papers
from tests.support.margin_books import ACCOUNT, cascade
from tests.support.pm_venue import pm_history
from tests.support.route import Paper, take_in

WAYS = int(os.environ.get("ROLLFORWARD_WATERFALLS", "3"))
STEPS = 40
"""Things that happen in a simulated venue."""

FIRST, LAST = 1_785_837_600_000, 1_785_942_000_000


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cascade(tmp_path_factory.mktemp("waterfall"))


def otherwise(audit: Audit, chance: random.Random) -> Assembler:
    """Return margin of the bundled account with some random trades and transfers supposed."""
    history = audit.account(ACCOUNT)
    supposed = suppose.Supposition()
    for _ in range(chance.randrange(4)):
        at = Millis(chance.randrange(FIRST, LAST))
        if chance.random() < 0.5:
            size = Decimal(chance.choice((-300, -100, 100, 300)))
            supposed |= suppose.traded(history.stream, at, Coin("HYPE"), size, Decimal(31))
        else:
            amount = Decimal(chance.randrange(10, 4000))
            supposed |= suppose.deposit(history.stream, at, Asset("USDC"), amount)
    engine = audit.engine.supposing(supposed.events)
    other = AccountHistory(audit=Audit(audit.path, engine), account=history.account)
    before = Assembler(history, audit.position(), Question())
    return Assembler(other, audit.position(), Question(), actual=before)


def test_the_causes_sum_to_the_change(book: Path, figure: Callable[..., None]) -> None:
    summed = 0
    with replay.open(book) as audit:
        for seed in range(WAYS):
            chance = random.Random(seed)
            of = otherwise(audit, chance)
            since, middle, until = sorted(Millis(chance.randrange(FIRST, LAST)) for _ in "123")
            try:
                whole = waterfall(of, since, until)
            except UnclearQuestion:
                continue  # nothing above zero stands against the requirement somewhere on the way
            ends = [moving_figures(of.at(at).margin.judgements[0]) for at in (since, until)]
            for place, name in enumerate(FIGURES):
                before, after = ends[0][place], ends[1][place]
                assert before is not None
                assert after is not None
                with exact():
                    change = after - before
                    assert change == sum((getattr(each, name) for each in whole.causes), ZERO)
            halves = (*waterfall(of, since, middle).parts, *waterfall(of, middle, until).parts)
            for name in FIGURES:
                assert sum(getattr(part, name) for part in whole.parts) == sum(
                    getattr(part, name) for part in halves
                )
            summed += 1
    assert 2 * summed >= WAYS
    figure(
        line="5-4",
        text="the waterfall sums exactly",
        value=f"{summed} ways, {len(FIGURES)} figures each",
    )


def a_life(seed: int, folder: Path) -> tuple[Path, str, list[int]]:
    """Return a book of one account of a simulated venue, its name, and moments of its life.

    States of two random moments are among the papers, so that some ways lead over a state that
    becomes the basis; modes change, loans and positions come and go, fills liquidate.
    """
    chance = random.Random(seed)
    venue = pm_history(seed, STEPS)
    account = chance.choice(venue.accounts[1:])
    path = folder / f"{seed}.book"
    shown = [at for at, family, _ in venue.shown if family == "prices"]
    with Book.create(path) as book:
        take_in(book, account.account, [Paper("market.json", pm_papers.market(venue))])
        papers = [
            Paper(name, text)
            for name, text in pm_papers.history(venue, account).items()
            if '"response": []' not in text
        ]
        asked = sorted(chance.sample(shown, min(2, len(shown))))
        papers += [Paper(f"states-{at}.json", pm_papers.states(venue, account, at)) for at in asked]
        take_in(book, account.account, papers)
    return path, account.account, sorted({row.time for row in account.rows} | set(shown))


def test_the_causes_sum_to_the_change_in_the_life_of_accounts(
    tmp_path: Path, figure: Callable[..., None]
) -> None:
    """Of an unknown instant on the way the answer is that, by name; never a sum without it."""
    summed, refused, unknown, causes = 0, 0, 0, set()
    for seed in range(WAYS * 2):
        path, name, moments = a_life(seed, tmp_path)
        chance = random.Random(seed)
        with replay.open(path, cache=False) as audit:
            of = Assembler(
                audit.account(name), audit.position(), Question(is_complete=seed % 2 > 0)
            )
            for _ in range(2):
                start = chance.randrange(len(moments) // 3, len(moments) - 4)
                since = Millis(moments[start] - chance.randrange(2))
                until = Millis(moments[min(start + chance.randrange(3, 14), len(moments) - 1)])
                try:
                    whole = waterfall(of, since, until)
                except UnclearQuestion as error:
                    unknown += "no mode is recorded" in str(error) or "for want of" in str(error)
                    refused += 1
                    continue
                for at, told in ((since, whole.before), (until, whole.after)):
                    assert tuple(told) == moving_figures(of.at(at).margin.judgements[0])
                for place, figure_name in enumerate(FIGURES):
                    with exact():
                        change = whole.after[place] - whole.before[place]
                        parts = (getattr(each, figure_name) for each in whole.causes)
                        assert change == sum(parts, ZERO), (seed, figure_name)
                causes |= {each.name.split()[0] for each in whole.causes}
                summed += 1
    assert summed >= WAYS
    assert unknown == refused, "what is missing is named"
    assert {"price", "fills"} <= causes
    figure(
        line="5-4",
        text="the waterfall sums exactly in simulated lives",
        value=f"{summed} ways, {unknown} unknown by name",
    )


@given(count=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_no_order_of_the_causes_is_preferred(count: int, seed: int) -> None:
    """The mean over all orders, counted one by one, is what the sets give."""
    chance = random.Random(seed)
    figures: dict[frozenset[int], Fraction] = {}

    def value(chosen: frozenset[int]) -> Fraction:
        if chosen not in figures:
            figures[chosen] = Fraction(chance.randrange(-1000, 1000), chance.randrange(1, 50))
        return figures[chosen]

    found = shares(count, value)
    sums = [Fraction(0)] * count
    all_orders = list(itertools.permutations(range(count)))
    for order in all_orders:
        done: frozenset[int] = frozenset()
        for number in order:
            sums[number] += value(done | {number}) - value(done)
            done |= {number}
    assert tuple(each / len(all_orders) for each in sums) == found


@given(count=st.integers(7, 10), seed=st.integers(0, 10**6))
def test_many_causes_sum_too(count: int, seed: int) -> None:
    chance = random.Random(seed)
    weights = [Fraction(chance.randrange(-1000, 1000)) for _ in range(count)]

    def value(chosen: frozenset[int]) -> Fraction:
        return sum((weights[each] for each in chosen), Fraction(0)) ** 2

    assert sum(shares(count, value)) == value(frozenset(range(count)))


@given(parts=st.lists(st.fractions(max_denominator=10**9), max_size=8))
def test_what_rounding_leaves_is_told(parts: list[Fraction]) -> None:
    with exact():
        total = Decimal("12.5")
        told, rest = rounded(parts, total)
        assert total == sum(told, ZERO) + rest
