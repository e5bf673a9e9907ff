"""Margin by two hands that share no code: the main engine, and the one that travels in a pack.

``ROLLFORWARD_ENGINES`` sets how many random lives are compared, ``ROLLFORWARD_MUTANTS`` how many
mutants of the clean room are held against them (more than there are means all).
"""

from __future__ import annotations

import json
import linecache
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import replay
from projections.rulebooks import CALENDAR
from replay.audit import Audit
from replay.engine import Engine
from replay.evidence.beside import parameters
from replay.evidence.verifier import amounts, holdings, loans, margin, rules, surroundings
from tests.laws.test_margin_rebuild import STEPS, allowed, imported
from tests.support import margin_books, mutants, two_margins
from tests.support.margin_cases import margin_case
from tests.support.pm_truth import ratio_of
from tests.support.pm_venue import pm_history

HISTORIES = int(os.environ.get("ROLLFORWARD_ENGINES", "300"))
LIVES = max(20, HISTORIES // 40)
LOANS = max(60, HISTORIES // 10)
MUTANTS = int(os.environ.get("ROLLFORWARD_MUTANTS", "30"))
BUNDLED = max(20, HISTORIES // 100)
VENUES = max(1, HISTORIES // 3000)
HELD_AGAINST = 100 if MUTANTS > 60 else 40
"""Lives that mutants are held against."""

LIQUIDATED = 1_785_940_800_350
"""2026-08-05T14:40:00.350Z, when the fills of the bundled liquidation are."""


def test_two_hands_agree_on_the_margin_of_random_lives(figure) -> None:
    differing, known, asked = [], 0, 0
    for seed in range(LIVES):
        account, moments = margin_case(seed)
        told = two_margins.told(two_margins.streams_of(account), account.stream)
        ours = two_margins.main_ratios(account, moments)
        pictures = two_margins.main_pictures(account, moments)
        rulebooks = two_margins.main_rulebooks(account, moments)
        if [*ours, *pictures, *rulebooks] != two_margins.asked(told, moments):
            differing.append(seed)
        known += sum(1 for ratio in ours if ratio is not None)
        asked += len(ours)
    assert [] == differing
    assert known > asked // 4, "most lives must have a ratio at some instant"
    figure(
        line="5-3", text="two engines, equal margin ratios",
        value=f"{asked:,} instants of {LIVES:,} lives, {known:,} known",
    )  # fmt: skip


def test_two_hands_agree_on_loans_and_what_moved_without_a_record(figure) -> None:
    cases = [two_margins.loans_case(seed) for seed in range(LOANS)]
    assert [] == [
        seed for seed, case in enumerate(cases)
        if two_margins.main_loans(*case) != two_margins.clean_loans(*case)
    ]  # fmt: skip
    figure(line="5-3", text="two engines, equal loans", value=f"{LOANS:,} histories")


def test_two_hands_know_the_same_rulebooks_from_the_same_millisecond_on() -> None:
    assert two_margins.dates_by_main() == two_margins.dates_by_clean()
    for book in CALENDAR:
        (ours,) = [one for one in rules.calendar_of_rules() if one.name == book.id]
        assert parameters(book) == ours.parameters()


def test_two_hands_round_alike() -> None:
    for seed in range(120):
        assert two_margins.numbers_by_money(seed) == two_margins.numbers_case(seed), seed


def test_two_hands_agree_on_the_bundled_history(tmp_path: Path, figure) -> None:
    with replay.open(margin_books.cascade(tmp_path), cache=False) as audit:
        account = audit.account(margin_books.ACCOUNT)
        streams = two_margins.streams_of(account)
        recorded = sorted({json.loads(line)["at"] for batches in streams.values()
                           for _, lines in batches for line in lines})  # fmt: skip
        chance = random.Random(1)
        moments = [chance.choice(recorded) + chance.choice((0, 0, 1, -1, 400_000))
                   for _ in range(BUNDLED)]  # fmt: skip
        moments += [LIQUIDATED - 350, LIQUIDATED - 1, LIQUIDATED]
        clean = two_margins.reckoning(streams, account.stream)
        found = list(two_margins.clean_ratios(clean, moments))
        assert two_margins.main_ratios(account, moments) == found
    # what the papers of the liquidation show, told in docs/spec/margin.md and by explain
    assert "0.9528959393" == f"{float(found[-2] or 0):.10f}"
    figure(line="5-3", text="two engines on the bundled history", value=f"{len(moments)} instants")


def test_two_hands_agree_on_a_simulated_venue_and_with_what_was_true_in_it(figure) -> None:
    """The venue counts for itself; the clean room, given lines alone, comes as near as they tell.

    A book begins with a state that shows eight places; twice what loans may lack covers them.
    """
    asked, known = 0, 0
    for seed in range(VENUES):
        chance, venue = random.Random(seed), pm_history(seed, STEPS)
        with tempfile.TemporaryDirectory() as folder:
            found = imported(venue, folder, chance)
            audit = Audit(Path(folder), Engine(found.book))
            for account in venue.accounts:
                history = audit.account(account.account)
                first = account.told[0][0]
                moments = [chance.randrange(first, venue.now + 1) for _ in range(4)]
                moments += [at + later for at, _ in account.liquidations[:2] for later in (-1, 0)]
                clean = two_margins.reckoning(two_margins.streams_of(history), history.stream)
                ratios = list(two_margins.clean_ratios(clean, moments))
                assert two_margins.main_ratios(history, moments) == ratios, seed
                for at, ratio in zip(moments, ratios, strict=True):
                    stand, world = venue.standing(account, at), venue.world(at)
                    asked += 1
                    if ratio is None:
                        continue
                    known += 1
                    slack = 2 * allowed(stand, world, at, found.market(at).pieces + 100)
                    true = ratio_of(stand, world, at) or Fraction(0)
                    assert abs(ratio - true) <= slack, (seed, at, float(ratio), float(true))
            found.book.close()
    assert known
    figure(
        line="5-3", text="two engines and a simulated venue, equal margin ratios",
        value=f"{asked:,} instants, {known:,} known",
    )  # fmt: skip


# ------------------------------------------------------------------------- mutants

Case = tuple[Callable[[], Any], Any]
"""A question to the clean room, and the main engine's answer."""

SPARED = (
    # told to people: no figure rests on it
    "replay.evidence.verifier.rules.Rules.parameters",
    "replay.evidence.verifier.rules.Granted.__init__",
    "replay.evidence.verifier.rules.Granted.is_strange",
    # gathers the courses of other streams, before the cases begin
    "replay.evidence.verifier.surroundings.around",
)  # fmt: skip

EQUIVALENT: tuple[tuple[str, str, str, str], ...] = (
    ("exponential", "guard", "", "only decides with how many digits is begun, and gone on"),
    ("exponential", "doubt", "", "only decides whether more digits are looked at"),
    ("exponential", "ends[0]", "0 is 1", "no random power lies so near to a tie"),
    ("exponential", "HIGHEST_POWER", "Gt for GtE", "no interest comes to that power"),
    ("exponential", "while term", "", "terms below the last digit change nothing"),
    ("cut", "-whole if", "Lt for LtE", "nothing is nothing with either sign"),
    ("signed", "-value if", "Lt for LtE", "a position of nothing is worth nothing"),
    ("grow", "paid > start", "Gt for GtE", "nothing grows in no time"),
    ("grow", "self.at < at", "Lt for LtE", "a piece of no time has no interest"),
    (
        "maintenance_of",
        "value > tiers",
        "Gt for GtE",
        "at its bound a tier begins where the one before it ends",
    ),
    ("__init__", "self.is_isolated = False", "", "always set again"),
    (
        "__init__",
        "self.is_stated = False",
        "",
        "an operation sets it again; a loan begun by a row is unknown",
    ),
    ("_trade", "settings.get(", "0 is 1", "no instant asked for is so early"),
    ("unexplained", "sums.get(", "0 is 1", "a unit of 10^-60 is not seen"),
    ("unified_ratio", "against <= 0", "LtE for Lt", "a quotient by zero is unknown already"),
)
"""(function, part of the line, change, why it computes the same)."""


def cases() -> list[Case]:
    """Return questions about parts, then whole lives, the most telling first."""
    found: list[Case] = [
        (partial(two_margins.numbers_case, seed), two_margins.numbers_by_money(seed))
        for seed in range(60)
    ]
    found.append((two_margins.dates_by_clean, two_margins.dates_by_main()))
    histories = [two_margins.loans_case(seed) for seed in range(150)]
    found += [
        (partial(two_margins.clean_loans, *case), two_margins.main_loans(*case))
        for case in histories
    ]
    lives: list[tuple[int, Case]] = []
    for seed in range(HELD_AGAINST):
        account, moments = margin_case(seed, count=5)
        ours: list[Any] = list(two_margins.main_ratios(account, moments))
        known = sum(1 for ratio in ours if ratio is not None)
        ours += two_margins.main_pictures(account, moments)
        ours += two_margins.main_rulebooks(account, moments)
        told = two_margins.told(two_margins.streams_of(account), account.stream)
        if known:
            lives.append((known, (partial(two_margins.asked, told, moments), ours)))
    lives.sort(key=lambda one: -one[0])
    return found + [case for _, case in lives]


def is_equivalent(mutant: mutants.Mutant) -> bool:
    name = mutant.function.rpartition(".")[2]
    line = linecache.getline(str(mutant.module.__file__), mutant.line)
    return any(
        name == function and part in line and mutant.what.startswith(what)
        for function, part, what, _ in EQUIVALENT
    )


def test_mutants_of_the_clean_rooms_margin_are_caught_by_the_main_engine(figure) -> None:
    modules = (amounts, rules, surroundings, loans, holdings, margin)
    made = [one for one in mutants.mutants(modules, SPARED) if not is_equivalent(one)]
    sample = mutants.sampled(made, MUTANTS, seed=1)
    questions = cases()

    def differs() -> Iterator[bool]:
        for ask, expected in questions:
            yield ask() != expected

    left = mutants.survivors(sample, differs)
    for mutant in left:
        print("survived:", mutant)
    caught, is_full = len(sample) - len(left), len(sample) == len(made)
    assert caught >= len(sample) * (0.95 if is_full else 0.8), [str(mutant) for mutant in left]
    survivors = "; ".join(sorted(map(str, left))) or "none"
    figure(
        line="5-3", text="mutants of the clean room's margin caught",
        value=f"{caught} of {len(sample)}; survivors: {survivors}",
    )  # fmt: skip
