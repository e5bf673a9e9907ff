"""Two hands judge the same random portfolios: the projection, and a naive calculator of fractions.

Every figure of every position, exchange, token and account is compared, and every verdict. The
calculator was written from the venue's pages and recordings, and imports none of our packages.
``ROLLFORWARD_PORTFOLIOS`` sets how many portfolios are judged; a failure names its seed, and
``differences(seed)`` shows it again.

The second half seeds ten errors into the rules, one at a time, and asks that the same comparison
finds each of them within a few portfolios.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest

from ledger.money import exact
from ledger.units import Asset, Coin, Dex, Millis
from projections import margin
from projections.margin import Exchange, Input, Picture, Pool, Position, Step, Token, Unknown
from tests.support import pm_oracle
from tests.support.pm_portfolios import portfolio

PORTFOLIOS = int(os.environ.get("ROLLFORWARD_PORTFOLIOS", "300"))
PARTS = -(-PORTFOLIOS // 12_500)
"""Tests the portfolios are shared out among, so that several processes have their part."""

SLACK = Fraction(1, 10**12)
"""Relative to the larger of one and the figure. The projection rounds a quotient to twenty places,
the calculator never; nothing else may part them."""

CUT = frozenset({"maintenance", "initial", "cross_maintenance"})
"""Figures both hands cut off at six places: equal, not nearly."""

ROUNDED = frozenset({"borrow_cap_use", "supply_cap_use", "return_on_equity"})
"""Figures the projection gives to ten places; no recording tells which way a half goes."""

CHOICES = {"offset": "observed", "debt": "net", "isolated": "outside"}


# ------------------------------------------------------------------------- plain to picture


def given(text: str, source: str, at: int) -> Input:
    return Input(Decimal(text), source, Millis(at))


def picture(made: dict[str, Any]) -> Picture:
    """Return a plain portfolio as the projection's picture of inputs."""
    at = made["at"]
    return Picture(
        at=Millis(at),
        account=None,
        mode=made["mode"],
        mode_source="drawn",
        tokens=tuple(token(name, row, at) for name, row in made["tokens"].items()),
        exchanges=tuple(
            Exchange(
                dex=Dex(name),
                collateral=Asset(row["collateral"]),
                raw=given(row["raw"], "drawn", at),
                positions=tuple(position(each, at) for each in row["positions"]),
            )
            for name, row in made["dexes"].items()
        ),
        pools=tuple(
            Pool(
                asset=Asset(name),
                balance=given(row["balance"], "drawn", at),
                borrowed=given(row["borrowed"], "drawn", at),
            )
            for name, row in made["pools"].items()
        ),
    )


def token(name: str, row: dict[str, Any], at: int) -> Token:
    return Token(
        asset=Asset(name),
        total=given(row["total"], "drawn", at),
        supplied=given(row["supplied"], "drawn", at),
        borrowed=given(row["borrowed"], "drawn", at),
        spot_hold=given(row["hold"], "drawn", at),
        price=given(row["price"], "drawn", at),
        ltv=None if row["ltv"] is None else given(row["ltv"], "drawn", at),
    )


def position(row: dict[str, Any], at: int) -> Position:
    with exact():
        value = abs(Decimal(row["size"])) * Decimal(row["mark"])
    isolated = row["isolated"]
    return Position(
        coin=Coin(row["coin"]),
        size=given(row["size"], "drawn", at),
        mark=given(row["mark"], "drawn", at),
        value=Input(value, "drawn", Millis(at)),
        entry_notional=given(row["entry"], "drawn", at),
        leverage=given(row["leverage"], "drawn", at),
        tiers=tuple(
            Step(lower_bound=Decimal(bound), max_leverage=Decimal(top))
            for bound, top in row["tiers"]
        ),
        is_isolated=isolated is not None,
        isolated_raw=Unknown("none") if isolated is None else given(isolated, "drawn", at),
    )


def judged(made: dict[str, Any]) -> margin.Margin:
    """Return the projection's judgement under the readings drawn."""
    wanted = [f"{name}:{value}" for name, value in made["readings"].items()]
    return margin.judge(picture(made), readings=wanted, alternatives=False)


# ------------------------------------------------------------------------- comparing


def figure_of(judgement: margin.Judgement, path: tuple[str, ...]) -> Any:
    """Return what the projection says at a path of the calculator's answer."""
    match path:
        case ("position", coin, name):
            return getattr(judgement.position(Coin(coin)), name)
        case ("dex", dex, name):
            return getattr(judgement.exchange(Dex(dex)), name)
        case ("token", asset, name):
            return getattr(judgement.token(Asset(asset)), name)
        case ("verdict", question, of):
            found = [
                each for each in judgement.verdicts if (each.question, each.of) == (question, of)
            ]
            return found[0].holds if len(found) == 1 else f"{len(found)} verdicts"
        case (name,):
            return getattr(judgement, name)


def agree(expected: Any, found: Any, name: str) -> bool:
    if isinstance(found, margin.Figure):
        if found.missing:
            return False
        found = found.value
    if expected is None or found is None or isinstance(expected, bool):
        return expected is found
    top, bottom = found.as_integer_ratio()
    if expected.numerator * bottom == top * expected.denominator:
        return True
    apart = abs(expected - Fraction(top, bottom))
    if name in ROUNDED:
        return apart <= Fraction(1, 2 * 10**10)
    return apart <= (0 if name in CUT else SLACK * max(1, abs(expected)))


def disagreements(made: dict[str, Any], expected: list[pm_oracle.Answer]) -> Iterator[str]:
    """Yield every figure and verdict in which the two hands differ."""
    whole = judged(made)
    if len(expected) != len(whole.judgements):
        yield f"{len(expected)} sets of rules, but {len(whole.judgements)} judgements"
        return
    for answer, judgement in zip(expected, whole.judgements, strict=True):
        for path, value in answer.items():
            found = figure_of(judgement, path)
            if not agree(value, found, path[-1]):
                told = found.value if isinstance(found, margin.Figure) else found
                yield f"{judgement.rulebook}: {'/'.join(path)}: expected {shown(value)}, {told}"
        told_verdicts = {path[1:] for path in answer if path[0] == "verdict"}
        for each in judgement.verdicts:
            if (each.question, each.of) not in told_verdicts and "printed" not in each.question:
                yield f"{judgement.rulebook}: a verdict on {each.question} of {each.of or 'all'}"


def shown(value: Any) -> str:
    return f"{float(value):.15g}" if isinstance(value, Fraction) else str(value)


def differences(seed: int) -> list[str]:
    """Return in what the two hands differ on the portfolio of a seed."""
    made = portfolio(random.Random(seed))
    return list(disagreements(made, pm_oracle.answers(made)))


@attrs.frozen
class Tally:
    """What one run of seeds came to."""

    wrong: tuple[tuple[int, str], ...] = ()
    figures: int = 0
    liquidatable: int = 0
    on_the_line: int = 0
    two_rulebooks: int = 0


def compared(seeds: range) -> Tally:
    """Judge the portfolios of some seeds by both hands."""
    wrong: list[tuple[int, str]] = []
    figures = liquidatable = on_the_line = two = 0
    for seed in seeds:
        made = portfolio(random.Random(seed))
        expected = pm_oracle.answers(made)
        wrong += [(seed, text) for text in disagreements(made, expected)]
        figures += sum(len(answer) for answer in expected)
        liquidatable += bool(expected[0]["liquidatable",])
        on_the_line += expected[0].get(("ratio",)) == pm_oracle.TRIGGER
        two += len(expected) > 1
    return Tally(tuple(wrong[:20]), figures, liquidatable, on_the_line, two)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_projection_and_a_naive_calculator_agree_on_random_portfolios(part, figure) -> None:
    first = random.SystemRandom().randrange(10**9) if PARTS > 1 else 0
    count = PORTFOLIOS // PARTS + (part < PORTFOLIOS % PARTS)
    tally = compared(range(first, first + count))
    figure(
        line="3-5",
        text="random portfolios on which the projection and the naive calculator agree",
        value=f"{count:,} of {count:,} ({tally.figures:,} figures and verdicts; "
        f"{tally.liquidatable:,} liquidatable, {tally.on_the_line:,} exactly on the line, "
        f"{tally.two_rulebooks:,} under two rulebooks)",
        is_part=True,
    )
    assert () == tally.wrong, f"differences({tally.wrong[0][0]}) shows the first"
    # a run that never meets a boundary or a liquidation would prove little
    assert 0 < tally.liquidatable < count
    assert 0 < tally.on_the_line
    assert 0 < tally.two_rulebooks


def test_the_second_hand_imports_none_of_our_packages() -> None:
    modules = "pm_oracle, pm_portfolios, pm_rules, pm_truth, pm_account, pm_venue, pm_papers"
    asked = (
        f"from tests.support import {modules}; import sys; "
        "print(sorted({'ledger', 'projections', 'replay'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=root
    )
    assert "[]" == done.stdout.strip()
