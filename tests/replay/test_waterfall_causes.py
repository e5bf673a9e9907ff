"""Causes of a waterfall that are no event: another mode, another rule, another basis."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import replay
from ledger.units import Millis
from replay.dispute.waterfall import BASIS, ROUNDING, Waterfall, waterfall
from replay.margin import Assembler, Question
from tests.support import dispute_books as made
from tests.support.dispute_books import NOON, WHO
from tests.support.margin_books import BY_HAND, by_hand

MINUTE = 60_000


def way(path: Path, account: str, since: int, until: int) -> Waterfall:
    with replay.open(path) as audit:
        of = Assembler(audit.account(account), audit.position(), Question())
        return waterfall(of, Millis(since), Millis(until))


def only(found: Waterfall, name: str) -> tuple[Decimal, Decimal, Decimal]:
    """Return the one cause there is beside rounding, whose parts are the whole change."""
    causes = [each for each in found.causes if each.name != ROUNDING]
    assert [name] == [each.name for each in causes]
    for figure in ("ratio", "requirement", "value"):
        change = getattr(found.after, figure) - getattr(found.before, figure)
        assert change == sum(getattr(each, figure) for each in found.causes), figure
    return causes[0].ratio, causes[0].requirement, causes[0].value


def account(folder: Path, *more: made.Answer) -> Path:
    """Return a book of 10 ETH at 2,000, 12,000 USDC, and 100 supplied HYPE at 40.

    Unified: 400 ÷ 12,000. In portfolio margin 3,000 of the HYPE count: 400 ÷ 15,000.
    """
    return made.book(
        folder,
        made.tokens(NOON - MINUTE),
        made.mode(NOON - MINUTE, "unifiedAccount"),
        made.prices(NOON, ETH="2000.0", HYPE="40.0"),
        made.fills(made.fill(NOON - 2 * MINUTE, "ETH", "B", "10.0", "2000.0", "0.0")),
        *state(NOON, "12000.0"),
        *more,
    )


def state(at: int, usdc: str) -> list[made.Answer]:
    held = {"basis": "100.0", "value": "100.0"}
    none = {"basis": "0.0", "value": "0.0"}
    lending = {
        "tokenToState": [[150, {"borrow": none, "supply": held}]],
        "health": "healthy",
        "healthFactor": None,
    }
    return [
        made.perps(
            at, made.position("ETH", "10.0", "2000.0", "20000.0"),
            value="10000.0", raw="-10000.0", cross=("10000.0", "-10000.0"), need="400.0",
        ),
        made.spot(at, USDC=usdc, HYPE="100.0"),
        made.answer(at, {"type": "borrowLendUserState", "user": WHO}, lending),
    ]  # fmt: skip


def test_another_mode_is_a_cause(tmp_path: Path) -> None:
    path = account(tmp_path, made.mode(NOON + 2 * MINUTE, "portfolioMargin"))
    found = way(path, WHO, NOON + MINUTE, NOON + 3 * MINUTE)
    ratio, requirement, value = only(found, "mode: portfolioMargin")
    assert abs(ratio - (Decimal(400) / 15000 - Decimal(400) / 12000)) < Decimal("1e-19")
    assert (0, 3000) == (requirement, value)


def test_a_basis_that_no_record_explains_is_a_cause(tmp_path: Path) -> None:
    """500 more in the next state than the movements lead to."""
    path = account(tmp_path, *state(NOON + 2 * MINUTE, "12500.0"))
    found = way(path, WHO, NOON + MINUTE, NOON + 3 * MINUTE)
    ratio, requirement, value = only(found, BASIS)
    assert abs(ratio - (Decimal(400) / 12500 - Decimal(400) / 12000)) < Decimal("1e-19")
    assert (0, 500) == (requirement, value)


def test_another_rule_is_a_cause(tmp_path: Path) -> None:
    """From 19 August the page gives HYPE 0.65: 33,000 in place of 30,000."""
    days = [int(datetime(2026, 8, day, tzinfo=UTC).timestamp()) * 1000 for day in (18, 20)]
    found = way(by_hand(tmp_path, *range(4, 21)), BY_HAND, *days)
    (name,) = {each.name for each in found.causes if each.name.startswith("rule: ")}
    ratio, requirement, value = only(found, name)
    assert abs(ratio - (Decimal(29000) / 33000 - Decimal(29000) / 30000)) < Decimal("1e-19")
    assert (0, 3000) == (requirement, value)


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_way_that_begins_where_it_ends_is_refused(tmp_path: Path, seconds: int) -> None:
    from ledger.errors import UnclearQuestion

    with pytest.raises(UnclearQuestion, match="is no way from one to another"):
        way(account(tmp_path), WHO, NOON + 60_000, NOON + 60_000 - 1000 * seconds)
