"""Liquidations outside the common case: isolated, standard, several tokens, orders that matter."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import replay
from replay.dispute.liquidation import Liquidation, explained, liquidation_table
from replay.dispute.suppositions import Supposition, priced
from replay.dispute.what_if import suppose
from replay.margin import Assembler, Question
from tests.support import dispute_books as made
from tests.support.dispute_books import NOON, WHO

HOUR = 3_600_000


def told(path: Path, number: int = 1) -> Liquidation:
    with replay.open(path) as audit:
        return explained(audit.account(WHO), number, position=audit.position())


def isolated(folder: Path, mark: str, *rows: dict, later: tuple[dict, ...] = ()) -> Path:
    """Return a standard account with 1 BTC isolated at 100,000, and 10 ETH cross at 2,000.

    One state shows it, in the millisecond before 11:02. BTC has raw money of −90,000; at a mark p
    its margin is p − 90,000 and it needs p ÷ 80, so it is taken below 7,200,000 ÷ 79 = 91,139.24.
    ETH has raw money of −10,000 and is safe.
    """
    bought = (
        made.fill(NOON - HOUR, "BTC", "B", "1.0", "100000.0", "0.0"),
        made.fill(NOON - HOUR + 1, "ETH", "B", "10.0", "2000.0", "0.0"),
    )
    margin = f"{Decimal(mark) - 90000}"
    value = f"{Decimal(mark) - 90000 + 10000}"
    return made.book(
        folder,
        made.tokens(NOON - HOUR),
        made.mode(NOON - HOUR, "disabled"),
        made.prices(NOON - HOUR, BTC=mark, ETH="2000.0"),
        made.perps(
            NOON - HOUR + 119_999,  # what is in it is recorded at no other moment
            made.position("BTC", "1.0", "100000.0", mark, isolated=("-90000.0", margin)),
            made.position("ETH", "10.0", "2000.0", "20000.0"),
            value=value, raw="-100000.0", cross=("10000.0", "-10000.0"), need="400.0",
        ),
        made.spot(NOON - HOUR + 60_000, USDC="0.0"),
        made.fills(*bought, *rows),
        *later,
    )  # fmt: skip


@pytest.mark.parametrize(("mark", "held"), [("91139.0", True), ("91140.0", False)])
def test_an_isolated_position_is_judged_by_its_own_margin(
    tmp_path: Path, mark: str, held: bool
) -> None:
    taken = made.fill(NOON - HOUR + 120_000, "BTC", "A", "1.0", mark, "1.0", liquidation=mark)
    found = told(isolated(tmp_path, mark, taken))
    assert held is found.condition
    assert ("BTC", Decimal(1)) == (found.taken[0].coin, found.taken[0].before)


def test_what_is_taken_across_is_not_judged_by_an_isolated_margin(tmp_path: Path) -> None:
    """The isolated one could be taken; ETH, which was, could not."""
    at = NOON - HOUR + 120_000
    taken = made.fill(at, "ETH", "A", "10.0", "2000.0", "10.0", liquidation="2000.0")
    found = told(isolated(tmp_path, "91139.0", taken))
    assert found.before is not None
    assert found.before.margin.liquidatable is True
    assert found.condition is False


def test_a_price_of_the_same_millisecond_leaves_an_isolated_verdict_open(tmp_path: Path) -> None:
    """One second has one millisecond of prices: 91,139 may have come before the fill, or after."""
    at = NOON - HOUR + 120_000
    taken = made.fill(at, "BTC", "A", "1.0", "91139.0", "1.0", liquidation="91139.0")
    later = (made.prices(at, BTC="91139.0", ETH="2000.0"),)
    path = isolated(tmp_path, "91140.0", taken, later=later)
    found = told(path)
    assert ("yes", None) == (found.inside.changes, found.condition)
    with replay.open(path) as audit:
        history, position = audit.account(WHO), audit.position()
        table = liquidation_table(Assembler(history, position, Question()))
        assert "unknown" == table.to_dicts()[0]["condition_before"]
        (fate,) = suppose(history, Supposition(), position=position).fates
    assert (None, True) == (fate.condition, fate.hangs_on_order)
    assert "it hangs on the order inside its millisecond" in fate.text


def test_a_fate_and_an_explanation_say_the_same(tmp_path: Path) -> None:
    """At a price supposed from before on, nothing hangs on the order any more."""
    at = NOON - HOUR + 120_000
    taken = made.fill(at, "BTC", "A", "1.0", "91139.0", "1.0", liquidation="91139.0")
    later = (made.prices(at, BTC="91139.0", ETH="2000.0"),)
    with replay.open(isolated(tmp_path, "91140.0", taken, later=later)) as audit:
        history, position = audit.account(WHO), audit.position()
        for px, held in (("91000", True), ("92000", False)):
            world = suppose(history, priced(f"BTC={px}"), position=position)
            assert [held] == [fate.condition for fate in world.fates], px


@pytest.mark.parametrize(
    ("before", "then", "changes", "held"),
    [
        pytest.param("1040.0", "1030.0", "yes", None, id="one order on each side of 1"),
        pytest.param("1030.0", "1020.0", "no", True, id="above 1 in every order"),
        pytest.param("1050.0", "1045.0", "no", False, id="below 1 in every order"),
    ],
)
def test_in_standard_mode_the_limit_of_the_ratio_is_one(
    tmp_path: Path, before: str, then: str, changes: str, held: bool | None
) -> None:
    """10 ETH and raw money of −10,150: value 10 p − 10,150, need p ÷ 5; even at 1,035.71."""
    at = NOON - HOUR + 120_000
    first, other = Decimal(before), Decimal(then)
    path = made.book(
        tmp_path,
        made.tokens(NOON - HOUR),
        made.mode(NOON - HOUR, "disabled"),
        made.prices(NOON - HOUR, ETH=before),
        made.perps(
            NOON - HOUR + 60_000, made.position("ETH", "10.0", "2000.0", f"{10 * first}"),
            value=f"{10 * first - 10150}", raw="-10150.0",
            cross=(f"{10 * first - 10150}", "-10150.0"), need=f"{first / 5}",
        ),
        made.prices(at, ETH=then),
        made.spot(NOON - HOUR, USDC="0.0"),
        made.fills(
            made.fill(NOON - HOUR, "ETH", "B", "10.0", "2000.0", "0.0"),
            made.fill(at, "ETH", "A", "10.0", then, "10.0", liquidation=then),
        ),
    )  # fmt: skip
    found = told(path)
    assert (changes, held) == (found.inside.changes, found.condition)
    ratios = sorted(p / 5 / (10 * p - 10150) for p in (first, other))
    assert found.inside.range is not None
    assert abs(found.inside.range.lowest - ratios[0]) < Decimal("1e-15")
    assert abs((found.inside.range.highest or 0) - ratios[1]) < Decimal("1e-15")


# -------------------------------------------------------------------------- several tokens


def sold_both(folder: Path, hype: str) -> Path:
    """Return the account of two tokens, both of which are sold by the venue.

    At HYPE of p: 20 + 5,700 against 0.95 × 0.75 × (100 p + 4,000), which is even at 40.2807.
    """
    at = NOON - HOUR
    sold = made.fills(
        made.fill(at, "@107", "B", "100.0", "40.0", "0.0", feeToken="HYPE", dir="Buy"),
        made.fill(at + 1, "@142", "B", "0.1", "40000.0", "0.0", feeToken="UBTC", dir="Buy"),
        made.fill(NOON, "@107", "A", "100.0", hype, "100.0", dir="Sell", liquidation=hype),
        made.fill(
            NOON + 1, "@142", "A", "0.1", "40000.0", "0.1", dir="Sell", liquidation="40000.0"
        ),
    )
    return made.book(folder, *made.two_tokens(NOON - 1000, hype), sold)


@pytest.mark.parametrize(("hype", "held"), [("40.2", True), ("40.3", False)])
def test_one_liquidation_may_take_several_tokens(tmp_path: Path, hype: str, held: bool) -> None:
    found = told(sold_both(tmp_path, hype))
    assert [("@107", Decimal(100)), ("@142", Decimal("0.1"))] == [
        (each.coin, each.before) for each in found.taken
    ]
    assert [False, False] == [each.is_derived for each in found.taken]
    assert [Decimal(100), Decimal("0.1")] == [each.allowed for each in found.taken]
    assert held is found.condition
    assert "-100 @107, -0.1 @142" in found.heading


# -------------------------------------------------------------------------- rules of before


def test_a_parameter_leaves_the_rule_from_before_portfolio_margin_in_force() -> None:
    from ledger.units import Millis
    from projections.rulebooks import EARLIER, in_force
    from replay.dispute.suppositions import parameter

    autumn = Millis(1_760_000_000_000)  # 9 October 2025
    calendar = parameter("trigger=0.97").calendar
    calendar = parameter("HYPE.ltv=0.6", calendar).calendar
    assert EARLIER == in_force(autumn, calendar, mode="disabled")
    (later,) = in_force(Millis(NOON), calendar, mode="portfolioMargin")
    assert Decimal("0.97") == later.trigger.value
    assert "with trigger=0.97 with HYPE.ltv=0.6" in later.id
