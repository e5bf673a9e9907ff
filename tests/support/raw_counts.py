"""How many events of which kind a recorded answer holds, counted from its raw JSON or CSV.

Written from the venue's documented answers, without any of the product's code: what the
importers find is held against it.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import StringIO
from pathlib import Path
from typing import Any

NOT_RECORDS = ("l2Book", "extraAgents", "userRateLimit", "userRole", "portfolio")
"""Answers without any account history."""

LEDGER = {
    "deposit": "deposited",
    "withdraw": "withdrawn",
    "accountClassTransfer": "class_transferred",
    "internalTransfer": "transferred",
    "subAccountTransfer": "transferred",
    "spotTransfer": "transferred",
    "send": "transferred",
    "spotGenesis": "genesis_received",
    "liquidation": "liquidated",
    "cStakingTransfer": "staking_transferred",
    "borrowLend": "reserve_operated",
    "gossipPriorityGasAuction": "auction_paid",
    "vaultDistribution": "vault_distributed",
    "vaultWithdraw": "vault_withdrawn",
}
ROWS = {
    "userFills": "filled",
    "userFillsByTime": "filled",
    "userTwapSliceFills": "filled",
    "userFunding": "funding_paid",
    "fundingHistory": "funding_rate_set",
    "historicalOrders": "order_status_observed",
    "delegatorHistory": "stake_changed",
    "userVaultEquities": "vault_equity_observed",
}
WHOLE = {
    "clearinghouseState": "perp_state_observed",
    "spotClearinghouseState": "spot_state_observed",
    "borrowLendUserState": "lending_state_observed",
    "userAbstraction": "mode_changed",
    "openOrders": "orders_observed",
    "frontendOpenOrders": "orders_observed",
    "borrowLendReserveState": "reserve_observed",
}


def capture(answers: list[dict[str, Any]]) -> tuple[Counter[str], list[str]]:
    """Return the events of a capture, and which of its answers are no account record."""
    total: Counter[str] = Counter()
    others: list[str] = []
    for one in answers:
        asked = one["request"]["type"]
        if asked in NOT_RECORDS:
            others.append(asked)
        else:
            moment = parsedate_to_datetime(one["recorded_at_http_date"]).timestamp() * 1000
            total += answer(asked, one["response"], before=moment)
    return total, others


def answer(asked: str, said: Any, *, before: float) -> Counter[str]:
    """Return the events of one answer; candles count when they were closed *before* (ms)."""
    if said is None or said == []:
        return Counter()
    if asked in ROWS:
        return Counter({ROWS[asked]: len(said)})
    if asked in WHOLE:
        return Counter({WHOLE[asked]: 1})
    if asked == "userNonFundingLedgerUpdates":
        return Counter(LEDGER[row["delta"]["type"]] for row in said)
    if asked == "candleSnapshot":
        return Counter({"candle_observed": sum(row["T"] < before for row in said)})
    if asked == "allMids":
        return Counter({"price_observed": len(said)})
    if asked == "perpDexs":
        return Counter({"dex_listed": sum(row is not None for row in said)})
    if asked == "meta":
        tables = len(said.get("marginTables", ()))
        return Counter({"market_listed": len(said["universe"]), "margin_table_set": tables})
    if asked == "spotMeta":
        return Counter({"token_listed": len(said["tokens"]), "pair_listed": len(said["universe"])})
    if asked == "spotMetaAndAssetCtxs":
        return answer("spotMeta", said[0], before=before) + contexts(said[1])
    raise AssertionError(f"no count for {asked}")


def contexts(rows: list[dict[str, Any]]) -> Counter[str]:
    """Return the prices that are not null in a list of contexts."""
    fields = ("markPx", "oraclePx", "midPx")
    return Counter(
        {"price_observed": sum(row.get(field) is not None for row in rows for field in fields)}
    )


def states(one: dict[str, Any], names: tuple[str, ...]) -> Counter[str]:
    """Return the states of one account by their publisher's names: perps, spot, lending, mode."""
    tags = ("perp_state_observed", "spot_state_observed", "lending_state_observed", "mode_changed")
    return Counter(tag for name, tag in zip(names, tags, strict=True) if one.get(name) is not None)


def table_rows(path: Path) -> int:
    """Return how many rows a CSV has under its head."""
    return len(list(csv.reader(StringIO(path.read_text(encoding="utf-8"))))) - 1


def millis(year: int, month: int, day: int, hour: int, minute: int) -> int:
    """Return venue milliseconds of an instant in UTC."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1000


def load(path: Path) -> Any:
    """Return a JSON file as Python has it."""
    return json.loads(path.read_text(encoding="utf-8"))
