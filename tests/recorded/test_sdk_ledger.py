"""The SDK's recording of userNonFundingLedgerUpdates: 146 rows of nine types.

rollforward import test_user_non_funding_ledger_updates_without_end_time.49c14992.json
rollforward show
"""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

from tests.support.command import imported, rollforward
from tests.support.raw_counts import LEDGER, load

pytestmark = pytest.mark.recorded

NAME = "hyperliquid-python-sdk/test_user_non_funding_ledger_updates_without_end_time.49c14992.json"
MICRO = Decimal("0.000001")


def summed(me: str, rows: list[dict]) -> dict[str, Decimal]:
    """Return what the rows do to the account per token, place by place or not: by hand.

    Amounts in USDC carry noise of the venue's own doubles and mean whole micro-dollars.
    """
    total: dict[str, Decimal] = {}

    def add(token: str, amount: Decimal) -> None:
        total[token] = total.get(token, Decimal(0)) + amount

    def usdc(text: str) -> Decimal:
        return Decimal(text).quantize(MICRO, rounding=ROUND_HALF_EVEN)

    for row in rows:
        delta = row["delta"]
        match delta["type"]:
            case "deposit":
                add("USDC", usdc(delta["usdc"]))
            case "withdraw":
                add("USDC", -usdc(delta["usdc"]) - usdc(delta["fee"]))
            case "internalTransfer" | "subAccountTransfer" if delta["destination"].lower() == me:
                add("USDC", usdc(delta["usdc"]))
            case "internalTransfer" | "subAccountTransfer":
                add("USDC", -usdc(delta["usdc"]) - usdc(delta.get("fee", "0")))
            case "spotTransfer" if delta["destination"].lower() == me:
                add(delta["token"], Decimal(delta["amount"]))
            case "spotTransfer":
                add(delta["token"], -Decimal(delta["amount"]))
                add(delta["feeToken"] or "USDC", -Decimal(delta["fee"]))
                assert "0.0" == delta["nativeTokenFee"]
            case "spotGenesis":
                add(delta["token"], Decimal(delta["amount"]))
            case "accountClassTransfer" | "cStakingTransfer" | "liquidation":
                pass  # inside the account, or a mark without money
            case other:
                raise AssertionError(other)
    return {token: amount for token, amount in total.items() if amount}


def test_every_row_is_an_event_and_every_sum_is_the_one_by_hand(
    recorded: Path, tmp_path: Path, figure
):
    (answer,) = load(recorded / NAME)
    rows, me = answer["response"], answer["request"]["user"].lower()
    report = imported(tmp_path, recorded / NAME)
    expected = Counter(LEDGER[row["delta"]["type"]] + "/1" for row in rows)
    assert expected == {kind: counts["new"] for kind, counts in report["kinds"].items()}
    assert 146 == len(rows) == report["new"]

    own: dict[str, Decimal] = {}
    for row in rollforward("show", "--json", cwd=tmp_path).json["balances"]:
        if row["place"] != "in-transit":
            own[row["asset"]] = own.get(row["asset"], Decimal(0)) + Decimal(row["amount"])
    by_hand = summed(me, rows)
    assert by_hand == {token: amount for token, amount in own.items() if amount}
    figure(
        line="1f",
        text="SDK ledger: rows that are events, none quarantined",
        value=f"{report['new']} of {len(rows)}",
    )
    figure(
        line="1f",
        text="SDK ledger: sums per token equal those by hand",
        value=f"{sum(own[token] == amount for token, amount in by_hand.items())} of {len(by_hand)}",
    )


def test_noise_of_the_venue_is_kept_in_the_event_and_leaves_the_balance(
    recorded: Path, tmp_path: Path
):
    """``2703997.4500000002`` is what the row says; 2,703,997.45 is what the account got."""
    imported(tmp_path, recorded / NAME)
    history = rollforward("history", "--asset", "USDC", "--json", cwd=tmp_path).json
    first = history[0]
    assert "2703997.45" in first.values()
    event = rollforward(
        "explain", "0x2ba553d9f990a3b66b03b2dc0d030dfc1c061036", first["event"], "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert '"2703997.4500000002"' in event.out.replace("\\", "")
