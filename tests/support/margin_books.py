"""Books for tests of margin: the bundled history whole or in part, and one account worked by hand.

The account by hand has nothing but 1,000 supplied HYPE at 40 and a long position of 20 BTC at
116,000 that is worth what it cost: requirement 2,320,000 ÷ 80 = 29,000, liquidation value 30,000
where HYPE counts 0.75 and 33,000 where it counts 0.825.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from click.testing import CliRunner

from replay.cli import app

CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
BY_HAND = "0x00000000000000000000000000000000000000a1"


def book_of(folder: Path, *paths: Path) -> Path:
    """Import files by the command and return the book."""
    book = folder / "x.book"
    words = ["import", *map(str, paths), "--book", str(book)]
    result = CliRunner().invoke(app, words)
    assert 0 == result.exit_code, result.output
    return book


def book_with(folder: Path, path: Path, *options: str) -> Path:
    """Return a book of everything readable under a path; rows that cannot be read stay aside."""
    book = folder / "x.book"
    words = ["import", str(path), "--book", str(book), *options]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in {0, 1, 2, 3}, result.output
    return book


def cascade(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Return a book of the bundled history, some of its files left out."""
    paths = [path for path in sorted(CASCADE.glob("*.json")) if path.stem not in without]
    return book_of(folder, *paths)


def answers(name: str, of_type: str) -> list[dict]:
    """Return the captures of one request in a bundled file."""
    captures = json.loads((CASCADE / f"{name}.json").read_text())
    return [each for each in captures if each["request"]["type"] == of_type]


def moment(capture: dict) -> str:
    """Return the moment of a capture as it is asked for."""
    return parsedate_to_datetime(capture["recorded_at_http_date"]).isoformat()


# ------------------------------------------------------------------------- the account by hand


def by_hand(
    folder: Path,
    *days: int,
    ltv: dict[int, str] | None = None,
    maintenance: str = "29000.0",
    mark: str = "116000.0",
) -> Path:
    """Return a book of the account by hand: its states of 4 August, prices of some days of August.

    *ltv* adds reserve states of HYPE with that loan to value, by day; *maintenance* is what the
    venue states of itself, *mark* the price of BTC beside its states.
    """
    captures = [*_states(4, maintenance), *(_prices(day, mark) for day in days)]
    captures += [_reserves(day, value) for day, value in (ltv or {}).items()]
    path = folder / "by-hand.json"
    path.write_text(json.dumps(captures))
    return book_of(folder, path)


def borrowing_by_itself(folder: Path) -> Path:
    """Return a book of the account by hand, which withdraws 500 it does not have.

    A withdrawal of 5 August with a fee of 1; in the states of 6 August 501.02 USDC are owed, of
    which no record tells: 501 borrowed, and interest.
    """
    before, after = _states(4, "29000.0"), _states(6, "29000.0")
    balance = after[3]["response"]["balances"][0]
    balance |= {"total": "-501.02", "borrowed": "501.02"}
    owed = {"basis": "501.0", "value": "501.02"}
    none = {"basis": "0.0", "value": "0.0"}
    after[4]["response"]["tokenToState"].append([0, {"borrow": owed, "supply": none}])
    at = int(datetime(2026, 8, 5, tzinfo=UTC).timestamp()) * 1000
    request = {"type": "userNonFundingLedgerUpdates", "user": BY_HAND, "startTime": at - 1}
    delta = {"type": "withdraw", "usdc": "500.0", "nonce": 1, "fee": "1.0"}
    row = {"time": at, "hash": f"0x{1:064x}", "delta": delta}
    captures = [*before, *after, _capture(6, request, [row])]
    captures += [_prices(day, "116000.0") for day in (4, 5, 6)]
    path = folder / "by-itself.json"
    path.write_text(json.dumps(captures))
    return book_of(folder, path)


def hedged_too_little(folder: Path) -> Path:
    """Return a book of an account that is safe between two prices, and liquidated below the lower.

    1,000,000 supplied HYPE, of which at most 50,000,000 USDC count, against 600,000 HYPE sold
    short and raw money of −4,300,000; HYPE stands at 50. At a price p the requirement of a net
    debtor is 20 + 600,000 p ÷ 20 + 4,300,000 + 600,000 p, and 750,000 p, or the cap, stands
    against it. So 0.95 is met at 4,300,020 ÷ 82,500 = 52.1215, and again, above the cap, at
    (47,500,000 − 4,300,020) ÷ 630,000 = 68.5714.
    """
    captures = _states(4, "1500000.0")
    _, _, perps, spot, loans = (each["response"] for each in captures)
    perps["assetPositions"][0]["position"] |= {
        "coin": "HYPE", "szi": "-600000.0", "leverage": {"type": "cross", "value": 10},
        "entryPx": "50.0", "positionValue": "30000000.0", "marginUsed": "3000000.0",
        "maxLeverage": 10,
    }  # fmt: skip
    perps["marginSummary"] |= {
        "accountValue": "-34300000.0", "totalNtlPos": "30000000.0", "totalRawUsd": "-4300000.0",
        "totalMarginUsed": "3000000.0",
    }  # fmt: skip
    spot["balances"][0]["total"] = "-34300000.0"
    spot["balances"][1] |= {"total": "1000000.0", "supplied": "1000000.0"}
    supplied = loans["tokenToState"][0][1]["supply"]
    supplied |= {"basis": "1000000.0", "value": "1000000.0"}
    captures += [_prices(day, "116000.0") for day in (4, 5)]
    for each in captures[-2:]:
        each["response"][1][1] |= {"markPx": "50.0", "midPx": "50.0", "oraclePx": "50.0"}
    at = int(datetime(2026, 8, 5, 1, tzinfo=UTC).timestamp()) * 1000
    fill = {
        "coin": "HYPE", "px": "50.1", "sz": "120000.0", "side": "B", "time": at,
        "startPosition": "-600000.0", "dir": "Close Short", "closedPnl": "-12000.0",
        "hash": f"0x{2:064x}", "oid": 1, "crossed": True, "fee": "0.0", "tid": 7,
        "feeToken": "USDC", "twapId": None,
        "liquidation": {"liquidatedUser": BY_HAND, "markPx": "50.0", "method": "market"},
    }  # fmt: skip
    captures.append(_capture(6, {"type": "userFills", "user": BY_HAND}, [fill]))
    path = folder / "hedged.json"
    path.write_text(json.dumps(captures))
    return book_of(folder, path)


def _capture(day: int, request: dict, response: object) -> dict:
    date = datetime(2026, 8, day, tzinfo=UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"request": request, "recorded_at_http_date": date, "response": response}


def _states(day: int, maintenance: str) -> list[dict]:
    user = {"user": BY_HAND}
    position = {
        "coin": "BTC", "szi": "20.0", "leverage": {"type": "cross", "value": 40},
        "entryPx": "116000.0", "positionValue": "2320000.0", "unrealizedPnl": "0.0",
        "liquidationPx": None, "marginUsed": "58000.0", "returnOnEquity": "0.0", "maxLeverage": 40,
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }  # fmt: skip
    summary = {
        "accountValue": "0.0", "totalNtlPos": "2320000.0", "totalRawUsd": "-2320000.0",
        "totalMarginUsed": "58000.0",
    }  # fmt: skip
    perps = {
        "marginSummary": summary, "crossMarginSummary": summary,
        "crossMaintenanceMarginUsed": maintenance, "withdrawable": "0.0",
        "assetPositions": [{"type": "oneWay", "position": position}],
        "time": int(datetime(2026, 8, day, tzinfo=UTC).timestamp()) * 1000,
    }  # fmt: skip
    spot = {
        "portfolioMarginEnabled": True,
        "balances": [
            {"coin": "USDC", "token": 0, "total": "0.0", "hold": "0.0", "entryNtl": "0.0",
             "ltv": "0.0"},
            {"coin": "HYPE", "token": 150, "total": "1000.0", "hold": "0.0", "entryNtl": "0.0",
             "ltv": "0.5", "supplied": "1000.0"},
        ],
    }  # fmt: skip
    none = {"basis": "0.0", "value": "0.0"}
    held = {"basis": "1000.0", "value": "1000.0"}
    loans = {
        "tokenToState": [[150, {"borrow": none, "supply": held}]],
        "health": "healthy",
        "healthFactor": None,
    }
    tokens = [
        {"name": name, "szDecimals": 2, "weiDecimals": 8, "index": index, "isCanonical": True}
        for name, index in (("USDC", 0), ("HYPE", 150))
    ]
    return [
        _capture(day, {"type": "spotMeta"}, {"tokens": tokens, "universe": []}),
        _capture(day, {"type": "userAbstraction", **user}, "portfolioMargin"),
        _capture(day, {"type": "clearinghouseState", **user}, perps),
        _capture(day, {"type": "spotClearinghouseState", **user}, spot),
        _capture(day, {"type": "borrowLendUserState", **user}, loans),
    ]


def _prices(day: int, mark: str) -> dict:
    universe = [
        {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 40},
        {"name": "HYPE", "szDecimals": 2, "maxLeverage": 10, "marginTableId": 10},
    ]
    meta = {"universe": universe, "marginTables": [], "collateralToken": 0}
    contexts = [
        {"funding": "0.0", "markPx": px, "midPx": px, "oraclePx": px, "openInterest": "1.0",
         "prevDayPx": px, "dayNtlVlm": "0.0", "premium": "0.0", "impactPxs": None,
         "dayBaseVlm": "0.0"}
        for px in (mark, "40.0")
    ]  # fmt: skip
    return _capture(day, {"type": "metaAndAssetCtxs"}, [meta, contexts])


def _reserves(day: int, ltv: str) -> dict:
    state = {
        "borrowYearlyRate": "0.05", "supplyYearlyRate": "0.0", "balance": "1000000.0",
        "utilization": "0.0", "oraclePx": "40.0", "ltv": ltv, "totalSupplied": "1000000.0",
        "totalBorrowed": "0.0",
    }  # fmt: skip
    return _capture(day, {"type": "allBorrowLendReserveStates"}, [[150, state]])
