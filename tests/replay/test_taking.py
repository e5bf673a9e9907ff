"""What the documents let the venue take at one moment: a fifth of a large position, then all."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

import replay
from ledger.units import Millis
from replay.dispute.liquidation import Liquidation, explained, recorded
from replay.dispute.sources import price_sources
from replay.margin import Assembler, Question
from tests.support.margin_books import ACCOUNT as BUNDLED
from tests.support.margin_books import CASCADE, book_of, cascade

ACCOUNT = "0x00000000000000000000000000000000000000b2"
AT = 1_785_940_800_000


def fill(at: int, start: str, size: str, **more: object) -> dict[str, object]:
    """Return a row of a fill that sells BTC at 100,000 for a liquidated account."""
    about = {"liquidatedUser": ACCOUNT, "markPx": "100000.0", "method": "market"}
    row = {
        "coin": "BTC", "px": "100000.0", "sz": size, "side": "A", "time": at,
        "startPosition": start, "dir": "Close Long", "closedPnl": "0.0", "hash": "0x" + "0" * 64,
        "oid": at, "crossed": True, "fee": "0.0", "tid": at + int(float(size) * 1000),
        "feeToken": "USDC", "twapId": None, "liquidation": about,
    }  # fmt: skip
    return {**row, **more}


def liquidated(folder: Path, *fills: dict[str, object]) -> Liquidation:
    """Return the first liquidation of an account that bought ten BTC a day before."""
    bought = fill(AT - 86_400_000, "0.0", "10.0", side="B", dir="Open Long", liquidation=None)
    del bought["liquidation"]
    path = folder / "fills.json"
    request = {"type": "userFillsByTime", "user": ACCOUNT, "startTime": AT - 90_000_000}
    capture = {
        "url": "https://api.hyperliquid.xyz/info", "request": request,
        "recorded_at_http_date": "Thu, 06 Aug 2026 00:00:00 GMT", "response": [bought, *fills],
    }  # fmt: skip
    path.write_text(json.dumps([capture]))
    with replay.open(book_of(folder, path, CASCADE / "markets.json")) as audit:
        history = audit.account(ACCOUNT)
        number = min(recorded(history, audit.position()))
        return explained(
            history, number, position=audit.position(), question=Question(is_complete=True)
        )


@pytest.mark.parametrize(
    ("fills", "exceeds", "at_once", "allowed"),
    [
        pytest.param(
            [fill(AT, "10.0", "2.0"), fill(AT + 8_000, "8.0", "8.0")],
            False, "2", "2", id="a fifth, then the whole within thirty seconds",
        ),
        pytest.param(
            [fill(AT, "10.0", "2.0"), fill(AT + 30_000, "8.0", "8.0")],
            False, "2", "2", id="a fifth, then the whole thirty seconds after",
        ),
        pytest.param([fill(AT, "10.0", "10.0")], True, "10", "2", id="all at once"),
        pytest.param(
            [fill(AT, "10.0", "9.0"), fill(AT + 29_999, "1.0", "1.0")],
            True, "9", "2", id="most at once, a little later",
        ),
        pytest.param([fill(AT, "10.0", "2.00001")], False, "2.00001", "2", id="rounded up a lot"),
        pytest.param([fill(AT, "10.0", "2.00002")], True, "2.00002", "2", id="two lots more"),
    ],
)  # fmt: skip
def test_what_is_taken_at_one_moment_is_held_against_the_documents(
    tmp_path: Path, fills: list[dict[str, object]], exceeds: bool, at_once: str, allowed: str
) -> None:
    found = liquidated(tmp_path, *fills)
    (taken,) = found.taken
    assert exceeds is taken.is_more
    assert (at_once, allowed) == (f"{taken.at_once.normalize():f}", f"{taken.allowed:.0f}")
    assert any("were taken at" in note for note in found.taken_table.notes) is exceeds


def test_the_backstop_may_take_everything(tmp_path: Path) -> None:
    about = {"liquidatedUser": ACCOUNT, "markPx": "100000.0", "method": "backstop"}
    (taken,) = liquidated(tmp_path, fill(AT, "10.0", "10.0", liquidation=about)).taken
    assert taken.allowed == taken.at_once
    assert not taken.is_more


def test_a_size_that_records_do_not_lead_to_makes_the_condition_unknown(tmp_path: Path) -> None:
    """Ten were bought, twelve were there: something is not recorded."""
    found = liquidated(tmp_path, fill(AT, "12.0", "2.0"))
    (taken,) = found.taken
    assert taken.is_derived
    assert found.condition is None
    assert any("only the liquidation's own fill" in note for note in found.taken_table.notes)


def test_a_moment_is_not_a_liquidation_by_itself(tmp_path: Path) -> None:
    found = liquidated(tmp_path, fill(AT, "10.0", "2.0"))
    assert Millis(AT) == found.episode.first_at
    assert not attrs.evolve(found.taken[0], allowed=None).is_more, "unknown is no finding"


def test_a_mark_of_the_fills_that_differs_changes_the_verdict_and_says_so(tmp_path: Path) -> None:
    """At 29.623 the condition held; 4,500 HYPE at 31 are worth 6,196.50 more, and it does not."""
    with replay.open(cascade(tmp_path)) as audit:
        history, position = audit.account(BUNDLED), audit.position()
        found = explained(history, 1, position=position)
        assert found.before is not None
        assert found.sources is not None
        assert found.sources.changes is False
        other = attrs.evolve(found.taken[0], mark=Decimal(31))
        of = Assembler(history, position, Question())
        sources = price_sources(of, found.before, [other], found.episode.first_at)
    assert sources.changes is True
    held = {row[1]: row[5] for row in sources.table.rows if row[0] == "HYPE"}
    assert "held" == held["metaAndAssetCtxs"]
    assert "did not hold" == held["fills of the liquidation"]
    text = str(attrs.evolve(found, sources=sources).hangs_table)
    assert "source of the marks" in text
    assert "yes" in text
