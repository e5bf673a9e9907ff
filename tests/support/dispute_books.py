"""Small accounts for disputes, worked by hand: captures from plain words, at whole seconds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.support.margin_books import book_of

WHO = "0x00000000000000000000000000000000000000d1"
NOON = 1_785_931_200_000
"""5 August 2026, 12:00 UTC."""

LEVERAGE = {"BTC": 40, "ETH": 25, "HYPE": 10, "xyz:GOLD": 20}
DIGITS = {"BTC": 5, "ETH": 4, "HYPE": 2, "xyz:GOLD": 4}
TOKENS = {"USDC": 0, "HYPE": 150, "UBTC": 197}
PAIRS = {"@107": 150, "@142": 197}

Answer = dict[str, object]


def answer(at: int, request: dict, response: object) -> Answer:
    date = datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"request": request, "recorded_at_http_date": date, "response": response}


def tokens(at: int) -> Answer:
    listed = [
        {"name": name, "szDecimals": 5, "weiDecimals": 8, "index": index, "isCanonical": True}
        for name, index in TOKENS.items()
    ]
    pairs = [
        {"name": name, "tokens": [token, 0], "index": int(name[1:]), "isCanonical": False}
        for name, token in PAIRS.items()
    ]
    return answer(at, {"type": "spotMeta"}, {"tokens": listed, "universe": pairs})


def mode(at: int, word: str) -> Answer:
    return answer(at, {"type": "userAbstraction", "user": WHO}, word)


def prices(at: int, dex: str = "", **px: str) -> Answer:
    """Return marks and oracle prices of markets; ``xyz_GOLD`` stands for ``xyz:GOLD``."""
    named = {name.replace("_", ":"): value for name, value in px.items()}
    universe = [
        {"name": name, "szDecimals": DIGITS[name], "maxLeverage": LEVERAGE[name],
         "marginTableId": LEVERAGE[name]}
        for name in named
    ]  # fmt: skip
    contexts = [
        {"funding": "0.0", "markPx": value, "midPx": value, "oraclePx": value,
         "openInterest": "1.0", "prevDayPx": value, "dayNtlVlm": "0.0", "premium": "0.0",
         "impactPxs": None, "dayBaseVlm": "0.0"}
        for value in named.values()
    ]  # fmt: skip
    meta = {"universe": universe, "marginTables": [], "collateralToken": 0}
    request = {"type": "metaAndAssetCtxs", **({"dex": dex} if dex else {})}
    return answer(at, request, [meta, contexts])


def position(
    coin: str, size: str, entry: str, value: str, *, isolated: tuple[str, str] | None = None
) -> dict:
    """Return a position; *isolated* is its raw money and its margin."""
    leverage: dict = {"type": "cross", "value": LEVERAGE[coin]}
    if isolated is not None:
        leverage = {"type": "isolated", "value": LEVERAGE[coin], "rawUsd": isolated[0]}
    used = "0.0" if isolated is None else isolated[1]
    found = {
        "coin": coin, "szi": size, "leverage": leverage, "entryPx": entry, "positionValue": value,
        "unrealizedPnl": "0.0", "liquidationPx": None, "marginUsed": used, "returnOnEquity": "0.0",
        "maxLeverage": LEVERAGE[coin],
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }  # fmt: skip
    return {"type": "oneWay", "position": found}


def perps(
    at: int, *positions: dict, value: str, raw: str, cross: tuple[str, str], need: str,
    dex: str = "",
) -> Answer:  # fmt: skip
    """Return a state of an exchange: account value and raw money, in all and of cross alone."""
    notional = "0.0"
    whole = {"accountValue": value, "totalNtlPos": notional, "totalRawUsd": raw,
             "totalMarginUsed": "0.0"}  # fmt: skip
    part = whole | {"accountValue": cross[0], "totalRawUsd": cross[1]}
    response = {
        "marginSummary": whole, "crossMarginSummary": part, "crossMaintenanceMarginUsed": need,
        "withdrawable": "0.0", "assetPositions": list(positions), "time": at,
    }  # fmt: skip
    request = {"type": "clearinghouseState", "user": WHO, **({"dex": dex} if dex else {})}
    return answer(at, request, response)


def spot(at: int, **totals: str) -> Answer:
    balances = [
        {"coin": name, "token": TOKENS[name], "total": total, "hold": "0.0", "entryNtl": "0.0"}
        for name, total in totals.items()
    ]
    return answer(at, {"type": "spotClearinghouseState", "user": WHO}, {"balances": balances})


def fill(at: int, coin: str, side: str, size: str, px: str, start: str, **more: object) -> dict:
    """Return a row of a fill without fee; ``liquidation="29.5"`` makes it a liquidation's."""
    about = more.pop("liquidation", None)
    row = {
        "coin": coin, "px": px, "sz": size, "side": side, "time": at, "startPosition": start,
        "dir": "Open Long" if side == "B" else "Close Long", "closedPnl": "0.0",
        "hash": "0x" + "0" * 64, "oid": at % 10**9, "crossed": True, "fee": "0.0",
        "tid": abs(hash_of(at, coin, size)), "feeToken": "USDC", "twapId": None, **more,
    }  # fmt: skip
    if about is not None:
        row["liquidation"] = {"liquidatedUser": WHO, "markPx": about, "method": "market"}
    return row


def hash_of(at: int, coin: str, size: str) -> int:
    """Return a number for a fill, the same on every run."""
    return sum(ord(sign) * 31**place for place, sign in enumerate(f"{at}{coin}{size}")) % 10**12


def fills(*rows: dict) -> Answer:
    at = max(row["time"] for row in rows)
    request = {"type": "userFillsByTime", "user": WHO, "startTime": 0, "endTime": at}
    return answer(at + 60_000, request, list(rows))


def updates(*rows: tuple[int, dict]) -> Answer:
    """Return ledger updates: moment and delta of each."""
    at = max(moment for moment, _ in rows)
    request = {"type": "userNonFundingLedgerUpdates", "user": WHO, "startTime": 0, "endTime": at}
    made = [
        {"time": moment, "hash": f"0x{moment:062x}{number:02x}", "delta": delta}
        for number, (moment, delta) in enumerate(rows)
    ]
    return answer(at + 60_000, request, made)


def book(folder: Path, *answers: Answer) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps(answers))
    return book_of(folder, path)


def two_tokens(last: int, hype: str, *, rate: str = "0.05") -> list[Answer]:
    """Return an account of portfolio margin that owes 5,700 USDC against 100 HYPE and 0.1 UBTC.

    Both tokens are supplied, at a loan to value of 0.5, so that 0.75 of them counts; UBTC is at
    40,000. Its states are of the moment *last*.
    """
    owed = {"basis": "5700.0", "value": "5700.0"}
    none = {"basis": "0.0", "value": "0.0"}
    loans = [
        [0, {"borrow": owed, "supply": none}],
        [150, {"borrow": none, "supply": {"basis": "100.0", "value": "100.0"}}],
        [197, {"borrow": none, "supply": {"basis": "0.1", "value": "0.1"}}],
    ]
    totals = {"USDC": "-5700.0", "HYPE": "100.0", "UBTC": "0.1"}
    balances = [
        {"coin": name, "token": TOKENS[name], "total": total, "hold": "0.0",
         "entryNtl": "0.0", "ltv": "0.0" if name == "USDC" else "0.5",
         **({"borrowed": "5700.0"} if name == "USDC" else {"supplied": total})}
        for name, total in totals.items()
    ]  # fmt: skip
    user = {"user": WHO}
    reserves = [
        [TOKENS[name],
         {"borrowYearlyRate": rate, "supplyYearlyRate": "0.0", "balance": "1000000.0",
          "utilization": "0.0", "oraclePx": px, "ltv": "0.0" if name == "USDC" else "0.5",
          "totalSupplied": "1000000.0", "totalBorrowed": "0.0"}]
        for name, px in (("USDC", "1.0"), ("HYPE", hype), ("UBTC", "40000.0"))
    ]  # fmt: skip
    spot_state = {"balances": balances, "portfolioMarginEnabled": True}
    lending = {"tokenToState": loans, "health": "healthy", "healthFactor": None}
    return [
        tokens(last - 3_600_000),
        mode(last - 3_600_000, "portfolioMargin"),
        prices(last, BTC="40000.0", HYPE=hype),
        answer(last, {"type": "allBorrowLendReserveStates"}, reserves),
        perps(last, value="0.0", raw="0.0", cross=("0.0", "0.0"), need="0.0"),
        answer(last, {"type": "spotClearinghouseState", **user}, spot_state),
        answer(last, {"type": "borrowLendUserState", **user}, lending),
    ]
