"""``what-if`` outside the bundled account: standard and unified mode, other exchanges, lending."""

from __future__ import annotations

import json

import pytest

from tests.support import dispute_books as made
from tests.support.dispute_books import NOON, WHO

MINUTE = 60_000
LATER = "2026-08-05T12:05Z"


def asked(rf, *words: str, code: int = 0) -> dict:
    result = rf("what-if", WHO, *words, "--at", LATER, "--all", "--json")
    assert code == result.exit_code, result.output
    return json.loads(result.stdout)


def row(found: dict, figure: str) -> tuple[str, str, str]:
    each = next(row for row in found["figures"] if row["figure"] == figure)
    return each["as_recorded"], each["supposed"], each["how"]


def ether(rf, mode: str, cash: str) -> None:
    """10 ETH at 2,000 with raw money of −10,000; *cash* is the balance of USDC."""
    made.book(
        rf.folder,
        made.tokens(NOON - MINUTE),
        made.mode(NOON - MINUTE, mode),
        made.prices(NOON, ETH="2000.0"),
        made.perps(
            NOON, made.position("ETH", "10.0", "2000.0", "20000.0"),
            value="10000.0", raw="-10000.0", cross=("10000.0", "-10000.0"), need="400.0",
        ),
        made.spot(NOON, USDC=cash),
        made.fills(made.fill(NOON - 2 * MINUTE, "ETH", "B", "10.0", "2000.0", "0.0")),
    )  # fmt: skip


def test_in_standard_mode_a_deposit_and_a_price_reach_the_exchange(rf):
    """At 1,041 the position is worth 410, and needs 10,410 ÷ 50 = 208.2."""
    ether(rf, "disabled", "0.0")
    found = asked(rf, "--deposit", "1500 USDC@2026-08-05T12:01Z")
    assert ("10000", "11500", "recomputed") == row(found, "margin: account value main")
    assert ("400", "400", "unchanged") == row(found, "margin: cross maintenance main")
    found = asked(rf, "--price", "ETH=1041")
    assert ("10000", "410", "recomputed") == row(found, "margin: account value main")
    assert ("400", "208.2", "recomputed") == row(found, "margin: cross maintenance main")
    assert any("supposed" in note and ": not liquidatable" in note for note in found["notes"])
    found = asked(rf, "--price", "ETH=1020")  # 200 against 204
    assert any("supposed" in note and ": liquidatable" in note for note in found["notes"])


def test_in_unified_mode_the_balance_is_the_account(rf):
    """400 ÷ 12,000; with 1,000 more 400 ÷ 13,000; at 1,000 it is 200 against 2,000."""
    ether(rf, "unifiedAccount", "12000.0")
    found = asked(rf, "--deposit", "1000 USDC@2026-08-05T12:01Z")
    assert ("0.03333333333333333333", "0.03076923076923076923", "recomputed") == row(
        found, "margin: unified ratio"
    )
    found = asked(rf, "--price", "ETH=1000")
    assert ("0.03333333333333333333", "0.1", "recomputed") == row(found, "margin: unified ratio")
    assert any("supposed" in note and ": not liquidatable" in note for note in found["notes"])


def test_a_trigger_is_supposed_in_unified_mode(rf):
    ether(rf, "unifiedAccount", "12000.0")
    found = asked(rf, "--parameter", "trigger=0.03")
    assert any("trigger=0.03: liquidatable" in note for note in found["notes"])


def test_a_market_of_another_exchange_has_a_price_to_suppose(rf):
    """10 ounces, raw money of −30,000: at 3,500 worth 5,000, and 35,000 ÷ 40 is needed."""
    held = made.position("xyz:GOLD", "10.0", "4000.0", "40000.0")
    made.book(
        rf.folder,
        made.tokens(NOON - MINUTE),
        made.mode(NOON - MINUTE, "disabled"),
        made.prices(NOON, ETH="2000.0"),
        made.prices(NOON, dex="xyz", xyz_GOLD="4000.0"),
        made.perps(NOON, value="0.0", raw="0.0", cross=("0.0", "0.0"), need="0.0"),
        made.perps(
            NOON, held, value="10000.0", raw="-30000.0", cross=("10000.0", "-30000.0"),
            need="1000.0", dex="xyz",
        ),
        made.spot(NOON, USDC="0.0"),
        made.fills(made.fill(NOON - 2 * MINUTE, "xyz:GOLD", "B", "10.0", "4000.0", "0.0")),
    )  # fmt: skip
    for text in ("xyz:GOLD=3500", "xyz:GOLD:mark=3500"):
        found = asked(rf, "--price", text)
        assert ("10000", "5000", "recomputed") == row(found, "margin: account value xyz"), text
        assert ("1000", "875", "recomputed") == row(found, "margin: cross maintenance xyz"), text
        assert ("0", "0", "unchanged") == row(found, "margin: account value main"), text
    found = asked(rf, "--price", "xyz:GOLD:oracle=3500")
    assert ("10000", "10000", "unchanged") == row(found, "margin: account value xyz")
    done = rf("what-if", WHO, "--price", "xyz:GOLDS=3500")
    assert (2, True) == (done.exit_code, "xyz:GOLD" in done.stderr)


def lending(rf) -> dict:
    """Return the recorded withdrawal of 10 HYPE from an account of two tokens, HYPE at 80.

    With s supplied HYPE: (20 + 5,700) ÷ (0.75 × (80 s + 4,000)); no interest runs.
    """
    delta = {
        "type": "borrowLend", "token": "HYPE", "operation": "withdraw", "amount": "10.0",
        "interestAmount": "0.0",
    }  # fmt: skip
    answers = made.two_tokens(NOON, "80.0", rate="0.0")
    made.book(rf.folder, *answers, made.updates((NOON + MINUTE, delta)))
    event = next(each for each in rf.json("history") if "withdraw" in each["what"])
    return rf.json("explain", WHO, event["event"])


def with_operation(recorded: dict, operation: str, token: str, amount: str) -> tuple[str, str]:
    """Return the option that adds another operation two minutes after the recorded one."""
    event = json.loads(recorded["line"])
    event |= {"operation": operation, "asset": token, "amount": amount, "at": NOON + 3 * MINUTE}
    return "--add", json.dumps(event, sort_keys=True, separators=(",", ":"))


RATIO = "margin: margin ratio"
AS_RECORDED = "0.68095238095238095238"  # 90 HYPE: 5,720 ÷ 8,400
OPERATIONS = [
    ("supply", "HYPE", "10", "0.63555555555555555556", "5700"),  # 100 HYPE: 5,720 ÷ 9,000
    ("withdraw", "HYPE", "20", "0.79444444444444444444", "5700"),  # 70 HYPE: 5,720 ÷ 7,200
    ("borrow", "USDC", "300", AS_RECORDED, "6000"),  # the net debt stays, the gross one grows
    ("repay", "USDC", "700", AS_RECORDED, "5000"),
]


def test_a_lending_operation_is_supposed_away(rf):
    recorded = lending(rf)
    found = asked(rf, "--remove", recorded["subject"][:12])
    assert (AS_RECORDED, "0.63555555555555555556", "recomputed") == row(found, RATIO)


@pytest.mark.parametrize(("operation", "token", "amount", "ratio", "debt"), OPERATIONS)
def test_a_lending_operation_is_supposed_beside_the_recorded_ones(
    rf, operation: str, token: str, amount: str, ratio: str, debt: str
):
    recorded = lending(rf)
    found = asked(rf, *with_operation(recorded, operation, token, amount))
    same = "unchanged" if ratio == AS_RECORDED else "recomputed"
    assert (AS_RECORDED, ratio, same) == row(found, RATIO)
    assert ("5700", debt) == row(found, "margin: debt of all")[:2]


def test_what_explain_prints_of_an_event_can_be_supposed_again(rf):
    """The line is taken as it is; as it stands it is recorded already."""
    recorded = lending(rf)
    done = rf("what-if", WHO, "--add", recorded["line"])
    assert (2, True) == (done.exit_code, "is recorded already" in done.stderr)
