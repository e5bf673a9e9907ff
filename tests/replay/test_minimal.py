"""The smallest change: every crossing of a price is found, on accounts worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import replay
from ledger.errors import UnclearQuestion
from ledger.units import Asset, Coin
from replay.dispute.minimal import minimal
from replay.margin import Assembler, Question
from tests.support.margin_books import BY_HAND, hedged_too_little


def test_a_price_that_crosses_twice_has_two_roots(tmp_path: Path, figure):
    """Safe between 52.1215 and 68.5713: worked out by hand where the account is made."""
    with replay.open(hedged_too_little(tmp_path)) as audit:
        found = minimal(audit.account(BY_HAND), "price", position=audit.position())
    low, high = found.crossings
    assert (Decimal("52.1215"), Decimal("52.1214")) == (low.passes, low.fails)
    assert (Decimal("68.5713"), Decimal("68.5714")) == (high.passes, high.fails)
    assert "straight parts" in found.method
    figure(line="5-4", text="all roots of a price that crosses twice", value="52.1215 and 68.5713")


def test_every_value_found_passes_and_one_unit_away_fails(tmp_path: Path):
    with replay.open(hedged_too_little(tmp_path)) as audit:
        history = audit.account(BY_HAND)
        for kind in ("deposit", "price"):
            found = minimal(history, kind, position=audit.position(), coin=Coin("HYPE"))
            assert found.crossings
            for each in found.crossings:
                assert each.passes != each.fails
        of = Assembler(history, audit.position(), Question())
        assert of.at(found.at).margin.liquidatable


def test_a_deposit_by_hand(tmp_path: Path):
    """20 + 1,500,000 + 34,300,000 stand against 0.95 × 37,500,000: 175,020 are short."""
    with replay.open(hedged_too_little(tmp_path)) as audit:
        found = minimal(audit.account(BY_HAND), "deposit", position=audit.position(),
                        asset=Asset("USDC"))  # fmt: skip
    (only,) = found.crossings
    assert Decimal(175_020) == only.passes
    assert Decimal("175019.999999") == only.fails


def test_a_position_that_only_a_state_shows_is_closed_in_part(tmp_path: Path):
    """20 + 2.5 × (600,000 − x) + 34,300,000 against 0.95 × 37,500,000: even at x = 70,008.

    Closed at the mark of 50 the money is what the position was worth, so the net debt stays.
    """
    with replay.open(hedged_too_little(tmp_path)) as audit:
        found = minimal(audit.account(BY_HAND), "size", position=audit.position())
    (only,) = found.crossings
    assert (Decimal(70_008), Decimal("70007.99")) == (only.passes, only.fails)


def test_what_no_record_shows_cannot_be_closed_in_part(tmp_path: Path):
    with replay.open(hedged_too_little(tmp_path)) as audit:
        history, position = audit.account(BY_HAND), audit.position()
        with pytest.raises(UnclearQuestion, match="no position is known there"):
            minimal(history, "size", position=position, coin=Coin("BTC"))


def test_what_was_no_liquidation_cannot_be_avoided(tmp_path: Path):
    with replay.open(hedged_too_little(tmp_path)) as audit:
        with pytest.raises(UnclearQuestion, match="is not recorded for this account"):
            minimal(audit.account(BY_HAND), "price", position=audit.position(), liquidation=9)
        with pytest.raises(UnclearQuestion, match="is of no event"):
            minimal(audit.account(BY_HAND), "time", position=audit.position())
