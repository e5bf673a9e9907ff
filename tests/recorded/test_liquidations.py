"""Recorded liquidations, explained as far as the recordings allow; the rest unknown by name.

rollforward liquidations
rollforward explain ACCOUNT L-1 --mode default
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import replay
from replay.dispute.liquidation import Liquidation, explained, recorded
from replay.margin import Question
from tests.support.margin_books import book_with

pytestmark = pytest.mark.recorded

GBLACK = "0x109a42c3ead059b041560cb6da71058516e7ba3e"


def all_of(book: Path, mode: str | None = "default") -> list[Liquidation]:
    """Return every recorded liquidation of a book, explained."""
    question = Question(mode=mode)
    with replay.open(book) as audit:
        position = audit.position()
        return [
            explained(audit.account(name), number, position=position, question=question)
            for name in audit.accounts()
            for number in recorded(audit.account(name), position)
        ]


def test_four_liquidations_of_gblack686_say_what_was_taken(recorded: Path, tmp_path: Path, figure):
    """The fills carry size, price, mark and fee; nothing says what the account had beside."""
    book = book_with(tmp_path, recorded / "gblack686", "--account", GBLACK)
    found = all_of(book)
    assert 4 == len(found)
    for each in found:
        assert each.condition is None, "one answer of fills does not say what the account had"
        assert each.problem or each.before is not None
        for taken in each.taken:
            assert taken.mark is not None
            assert taken.against_mark is not None
            assert taken.before is not None
            assert taken.bankruptcy is None
    fills = sum(each.episode.fills for each in found)
    assert 19 == fills
    figure(
        line="5-6",
        text="gblack686: liquidations explained",
        value=f"{len(found)} of 4, {fills} fills with mark and fee; their condition unknown, "
        f"for want of what the account had",
    )


def test_the_sdk_ledger_names_a_liquidation_without_a_fill(recorded: Path, tmp_path: Path, figure):
    """One row of the ledger: notional 713779.9733, one account value, its positions, no fill."""
    name = "0x2ba553d9f990a3b66b03b2dc0d030dfc1c061036"
    book = book_with(tmp_path, recorded / "hyperliquid-python-sdk")
    (found,) = [each for each in all_of(book) if each.account == name]
    assert Decimal("713779.9733") == found.episode.marked
    assert () == found.taken
    assert found.condition is None
    notes = " ".join(found.taken_table.notes)
    assert "713779.9733" in notes
    assert "account value" in notes
    assert "no fill is recorded" in str(found.taken_table)
    figure(line="5-6", text="SDK ledger: liquidations explained", value="1 of 1, by its mark alone")


def test_a_fill_of_the_websocket_is_a_liquidation_of_somebody(
    recorded: Path, tmp_path: Path, figure
):
    """The fill names who was liquidated: for anybody else it is an ordinary fill."""
    path = recorded / "nautilus" / "ws_user_fill_liquidation.json"
    text = path.read_text()
    at = text.index("liquidatedUser")
    liquidated = text[text.index("0x", at) : text.index("0x", at) + 42]
    folder, other = tmp_path / "one", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (found,) = all_of(book_with(folder, path, "--account", liquidated))
    (taken,) = found.taken
    assert taken.mark is not None
    assert found.episode.methods
    assert found.condition is None
    assert [] == all_of(book_with(other, path, "--account", "0x" + "0" * 39 + "1"))
    figure(
        line="5-6",
        text="websocket fill: liquidations explained",
        value=f"1 of 1, method {', '.join(found.episode.methods)}, condition unknown",
    )
