"""How the simulated portfolio margin venue hands its history out: captures of info answers.

Each function returns the text of one file; nothing is computed here but the shapes, and what the
states of an account show. A capture's date header has whole seconds and is the moment itself.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from tests.support.pm_account import Account
from tests.support.pm_rules import (
    BORROW_CAP,
    BORROWABLE,
    COLLATERAL,
    COLLATERALS,
    FINE,
    PAIRS,
    PERP,
    PERPS,
    SUPPLY_CAP,
    TABLES,
    TIERS,
    TOKEN,
    TOKENS,
    UNIT,
    ltv_of,
)
from tests.support.pm_truth import maintenance, price_of, total_of, toward
from tests.support.pm_venue import PmVenue
from tests.support.venue_papers import (
    INFO,
    fills_by_time,
    funding_pages,
    interest_pages,
    ledger_pages,
)
from tests.support.venue_rules import text


def captured(request: dict[str, Any], response: Any, at: int) -> dict[str, Any]:
    """One entry of a capture, its date header at the second of *at*."""
    date = datetime.fromtimestamp(at // 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"url": INFO, "request": request, "recorded_at_http_date": date, "response": response}


# ------------------------------------------------------------------------- the venue


def spot_meta() -> dict[str, Any]:
    tokens = [
        {
            "name": token.symbol,
            "szDecimals": token.places,
            "weiDecimals": token.wei,
            "index": token.index,
            "tokenId": f"0x{token.index:032x}",
            "isCanonical": token.index == 0,
            "evmContract": None,
            "fullName": None,
            "deployerTradingFeeShare": "0.0",
        }
        for token in TOKENS
    ]
    pairs = [
        {
            "tokens": [TOKEN[pair.base].index, TOKEN[pair.quote].index],
            "name": pair.coin,
            "index": pair.index,
            "isCanonical": False,
        }
        for pair in PAIRS
    ]
    return {"universe": pairs, "tokens": tokens}


def meta(dex: str) -> dict[str, Any]:
    """The metadata of one exchange, its margin tables with it."""
    perps = [perp for perp in PERPS if perp.dex == dex]
    tables = [
        [
            TABLES[perp.coin],
            {
                "description": f"tiered {perp.leverage}x",
                "marginTiers": [
                    {"lowerBound": f"{bound}.0", "maxLeverage": top}
                    for bound, top in TIERS[perp.coin]
                ],
            },
        ]
        for perp in perps
    ]
    universe = [
        {
            "szDecimals": perp.places,
            "name": perp.coin,
            "maxLeverage": perp.leverage,
            "marginTableId": TABLES[perp.coin],
        }
        for perp in perps
    ]
    token = TOKEN[COLLATERAL[dex]].index
    return {"universe": universe, "marginTables": tables, "collateralToken": token}


def market(venue: PmVenue) -> str:
    """All that was asked of the market: metadata, then prices and reserve states in order."""
    found = [
        captured({"type": "spotMeta"}, spot_meta(), venue.began),
        captured({"type": "allPerpMetas"}, [meta(dex) for dex in COLLATERAL], venue.began),
    ]
    for at, family, body in venue.shown:
        if family == "reserves":
            found.append(captured({"type": "allBorrowLendReserveStates"}, body, at))
            continue
        oracle, mark = body
        for dex in COLLATERAL:
            contexts = [
                {
                    "markPx": text(mark[perp.coin], 6 - perp.places),
                    "oraclePx": text(oracle[perp.coin], 6 - perp.places),
                    "midPx": None,
                    "funding": "0.0000125",
                    "openInterest": "1.0",
                    "prevDayPx": "1.0",
                    "dayNtlVlm": "1.0",
                    "premium": None,
                    "impactPxs": None,
                }
                for perp in PERPS
                if perp.dex == dex
            ]
            request = {"type": "metaAndAssetCtxs", **({"dex": dex} if dex else {})}
            found.append(captured(request, [meta(dex), contexts], at))
    return json.dumps(found)


# ------------------------------------------------------------------------- an account


def history(venue: PmVenue, account: Account) -> dict[str, str]:
    """All rows of an account, by file name."""
    whole = [(venue.began, venue.now)]
    return {
        "fills.json": fills_by_time(account, whole),
        "funding.json": funding_pages(account, whole),
        "ledger.json": ledger_pages(account, whole),
        "interest.json": interest_pages(account, whole),
        "modes.json": modes(account),
    }


def modes(account: Account) -> str:
    """What was answered when the mode was asked for, right after each change of it."""
    request = {"type": "userAbstraction", "user": account.account}
    return json.dumps([captured(request, mode, at) for at, mode in account.modes])


def states(venue: PmVenue, account: Account, at: int) -> str:
    """Everything the account's states show at one instant, a whole second."""
    found = []
    for dex in COLLATERAL:
        request = {"type": "clearinghouseState", "user": account.account}
        asked = {**request, "dex": dex} if dex else request
        found.append(captured(asked, perp_state(venue, account, dex, at), at))
    request = {"type": "spotClearinghouseState", "user": account.account}
    found.append(captured(request, spot_state(venue, account, at), at))
    request = {"type": "borrowLendUserState", "user": account.account}
    found.append(captured(request, lending_state(venue, account, at), at))
    return json.dumps(found)


def perp_state(venue: PmVenue, account: Account, dex: str, at: int) -> dict[str, Any]:
    """The answer ``clearinghouseState`` of one exchange."""
    stand, world = venue.standing(account, at), venue.world(at)
    held = {coin: row for coin, row in stand.positions.items() if row[0] and PERP[coin].dex == dex}
    raw = stand.cash.get((f"perp:{dex}", COLLATERAL[dex]), 0) // 100
    values = {coin: abs(lots) * world.mark[coin] for coin, (lots, _, _) in held.items()}
    signed = sum(lots * world.mark[coin] for coin, (lots, _, _) in held.items())
    margin = sum(value // PERP[coin].leverage for coin, value in values.items())
    keep = sum(maintenance(coin, Fraction(value, 10**6)) for coin, value in values.items())
    summary = {
        "accountValue": text(raw + signed, 6),
        "totalNtlPos": text(sum(values.values()), 6),
        "totalRawUsd": text(raw, 6),
        "totalMarginUsed": text(margin, 6),
    }
    rows = []
    for coin, (lots, notional, _) in held.items():
        perp = PERP[coin]
        result = (values[coin] - notional) * (1 if lots > 0 else -1)
        paid = text(-stand.funding.get(coin, 0), 6)
        rows.append(
            {
                "coin": coin,
                "szi": text(lots, perp.places),
                "leverage": {"type": "cross", "value": perp.leverage},
                "entryPx": text(notional // abs(lots), 6 - perp.places),
                "positionValue": text(values[coin], 6),
                "unrealizedPnl": text(result, 6),
                "returnOnEquity": "0.0",
                "liquidationPx": None,
                "marginUsed": text(values[coin] // perp.leverage, 6),
                "maxLeverage": perp.leverage,
                "cumFunding": {"allTime": paid, "sinceOpen": paid, "sinceChange": paid},
            }
        )
    return {
        "marginSummary": summary,
        "crossMarginSummary": summary,
        "crossMaintenanceMarginUsed": text(int(keep * 10**6), 6),
        "withdrawable": "0.0",
        "assetPositions": [{"type": "oneWay", "position": row} for row in rows],
        "time": at,
    }


def spot_state(venue: PmVenue, account: Account, at: int) -> dict[str, Any]:
    """The answer ``spotClearinghouseState``; but in standard mode it is the whole account."""
    stand, world = venue.standing(account, at), venue.world(at)
    enabled = stand.mode == "portfolioMargin"
    balances = []
    for token in TOKENS:
        lent, owed = (venue.lent(account, token.symbol, side, at) for side in ("supply", "borrow"))
        total = total_of(stand, world, token.symbol, at)
        if stand.mode == "disabled":
            total = Fraction(stand.cash.get(("spot", token.symbol), 0), UNIT)
        row = {
            "coin": token.symbol,
            "token": token.index,
            "total": text(int(total * 10**18), 18),
            "hold": "0.0",
            "entryNtl": "0.0",
        }
        if enabled:
            row["ltv"] = text(ltv_of(token.symbol, at), 2)
            row["supplied"] = text(lent, 18)
            row["borrowed"] = text(owed, 18)
        balances.append(row)
    if stand.mode == "disabled":
        return {"balances": balances}
    free, borrows, supplies = [], [], []
    for token in BORROWABLE:
        need, value = toward(stand, world, token, at)
        net = total_of(stand, world, token, at)
        # no offset in what is available
        offset = 20 / price_of(world, token) if enabled and net < 0 else 0
        free.append([TOKEN[token].index, rounded(value - need + offset)])
        owed = Fraction(venue.lent(account, token, "borrow", at), UNIT * FINE)
        borrows.append([TOKEN[token].index, rounded(owed * UNIT / BORROW_CAP[token])])
    available = {"tokenToAvailableAfterMaintenance": free}
    if not enabled:
        return {"balances": balances, **available}
    for token in COLLATERALS:
        total = total_of(stand, world, token, at)
        supplies.append([TOKEN[token].index, rounded(total * UNIT / SUPPLY_CAP[token])])
    ratio = venue.ratio(account, at)
    return {
        "balances": balances,
        "portfolioMarginEnabled": True,
        "portfolioMarginRatio": None if ratio is None else rounded(ratio),
        "tokenToPortfolioBorrowRatio": borrows,
        "tokenToPortfolioSupplyRatio": supplies,
        **available,
    }


def lending_state(venue: PmVenue, account: Account, at: int) -> dict[str, Any]:
    """The answer ``borrowLendUserState``: basis and value of every loan, value cut at 8 places."""
    stand = venue.standing(account, at)
    rows = []
    for token in TOKENS:
        sides = {}
        for side in ("borrow", "supply"):
            _, basis = stand.loans.get((token.symbol, side), (0, 0))
            value = venue.lent(account, token.symbol, side, at) // FINE
            sides[side] = {"basis": text(basis, 8), "value": text(value, 8)}
        rows.append([token.index, sides])
    return {"tokenToState": rows, "health": "healthy", "healthFactor": None}


def rounded(value: Fraction) -> str:
    """Return a value to ten places, a half away from zero, as the venue prints ratios."""
    twice = abs(value) * 2 * 10**10
    units = (twice.numerator // twice.denominator + 1) // 2
    return text(-units if value < 0 else units, 10)
