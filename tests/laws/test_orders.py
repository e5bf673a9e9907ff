"""The order inside an instant: the range is what brute force finds, and bounds hold it.

Events nobody put in order are supposed into one millisecond of the bundled account, in random
numbers and sizes. Brute force goes through every order and judges after every step.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

import replay
from ledger.units import Asset, Coin, Millis
from replay.audit import AccountHistory, Audit
from replay.dispute import orders
from replay.dispute import suppositions as suppose
from replay.dispute.mixing import judged
from replay.margin import Assembler, Question
from tests.support.margin_books import ACCOUNT, cascade

INSTANTS = int(os.environ.get("ROLLFORWARD_INSTANTS", "12"))
AT = Millis(1_785_939_000_007)
"""Half an hour before the liquidation: nothing is recorded in that millisecond."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cascade(tmp_path_factory.mktemp("orders"))


def crowded(audit: Audit, count: int, chance: random.Random) -> Assembler:
    """Return margin of the bundled account with *count* events supposed into one millisecond."""
    history = audit.account(ACCOUNT)
    supposed = suppose.Supposition()
    for number in range(count):
        match chance.choice(("trade", "trade", "other", "paid in", "paid out")):
            case "trade":
                size = Decimal(chance.choice((-200, -100, 100, 200)))
                px = Decimal(30 + chance.randrange(-2, 2))
                supposed |= suppose.traded(history.stream, AT, Coin("HYPE"), size, px)
            case "other":
                size = Decimal(chance.choice(("-0.2", "0.1", "0.4", "0.9")))
                supposed |= suppose.traded(history.stream, AT, Coin("BTC"), size, Decimal(105_000))
            case "paid in":
                amount = Decimal(chance.randrange(1, 3000) + number)
                supposed |= suppose.deposit(history.stream, AT, Asset("USDC"), amount)
            case _:
                amount = -Decimal(chance.randrange(1, 500) + number)
                supposed |= suppose.deposit(history.stream, AT, Asset("USDC"), amount)
    engine = audit.engine.supposing(tuple(
        attrs.evolve(event, occurrence=number) for number, event in enumerate(supposed.events)
    ))  # fmt: skip
    other = AccountHistory(audit=Audit(audit.path, engine), account=history.account)
    before = Assembler(history, audit.position(), Question())
    return Assembler(other, audit.position(), Question(), actual=before)


def by_force(of: Assembler, found: orders.Instant, target: int | None) -> list[Decimal]:
    """Judge after every step of every order: slow, and without any set."""
    ratios = []
    for order in orders.orders(found):
        mix = found.start
        for place, number in enumerate((*order, None)):
            if target is None or number == target:
                figures = judged(of, mix)
                assert figures.value > 0
                ratios.append(figures.ratio)
            if number is not None:
                mix = found.items[number].change.apply(mix)
            assert place <= len(found.items)
    return ratios


def instants(book: Path, sizes: tuple[int, ...]) -> Iterator[tuple[Assembler, orders.Instant]]:
    with replay.open(book) as audit:
        for seed in range(INSTANTS):
            chance = random.Random(seed)
            of = crowded(audit, chance.choice(sizes), chance)
            yield of, orders.instant(of, AT)


def test_the_range_equals_brute_force(book: Path, figure: Callable[..., None]) -> None:
    compared = 0
    for of, found in instants(book, (2, 3, 3, 4, 5)):
        targets: list[int | None] = [None, *range(min(2, len(found.items)))]
        for target in targets:
            told = orders.ratio_range(of, found, target)
            forced = by_force(of, found, target)
            assert told.is_exact
            assert (min(forced), max(forced)) == (told.lowest, told.highest)
            compared += 1
    figure(line="5-4", text="order range equals brute force", value=f"{compared} ranges")


def test_the_range_of_six_equals_brute_force(book: Path) -> None:
    with replay.open(book) as audit:
        of = crowded(audit, 6, random.Random(6))
        found = orders.instant(of, AT)
        assert 6 == len(found.items)
        told = orders.ratio_range(of, found, 0)
        ratios = [judged(of, found.mixed(frozenset(order[: order.index(0)]))).ratio
                  for order in orders.orders(found)]  # fmt: skip
        assert 720 == len(ratios)
        assert (min(ratios), max(ratios)) == (told.lowest, told.highest)


def test_a_bound_holds_the_range(book: Path, figure: Callable[..., None]) -> None:
    wide = 0
    for of, found in instants(book, (4, 6, 7, 8)):
        exact = orders.ratio_range(of, found)
        bound = orders.ratio_range(of, found, sets_max=2)
        assert not bound.is_exact
        assert bound.lowest <= exact.lowest
        if bound.highest is not None:
            assert exact.highest is not None
            assert exact.highest <= bound.highest
        wide += 1
    figure(line="5-4", text="a bound holds the range", value=f"{wide} instants")


def test_a_recorded_order_leaves_one_way(tmp_path: Path) -> None:
    with replay.open(cascade(tmp_path)) as audit:
        history = audit.account(ACCOUNT)
        of = Assembler(history, audit.position(), Question())
        fills = [event for event in audit.engine.events(history.stream, audit.position())
                 if event.at == 1_785_940_800_350]  # fmt: skip
        found = orders.instant(of, Millis(1_785_940_800_350))
        assert len(fills) > 1
        assert 1 == len(list(orders.orders(found)))
        told = orders.ratio_range(of, found, 0)
        assert told.lowest == told.highest
        assert "0.9528959393" == str(round(told.lowest, 10))
