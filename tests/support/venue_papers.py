"""How the simulated venue hands its history out: info answers, web exports, node files.

Each function returns the text of one file. Nothing is computed here but the shapes, except the
noise of doubles with which web exports are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.venue import Row, Venue
from tests.support.venue_rules import (
    COLLATERAL,
    OTHERS,
    PAIR,
    PAIRS,
    PERP,
    PERPS,
    TOKEN,
    TOKENS,
    text,
)

INFO = "https://api.hyperliquid.xyz/info"
FILLS_PAGE = 2000
LEDGER_PAGE = 500
TRADES_HEAD = "time,coin,dir,px,sz,ntl,fee,closedPnl"
FUNDING_HEAD = "time,coin,sz,side,payment,rate"

# -------------------------------------------------------------------------- metadata


def spot_meta() -> dict[str, Any]:
    """The answer ``spotMeta``."""
    tokens = [
        {
            "name": token.symbol,
            "szDecimals": token.places,
            "weiDecimals": token.wei,
            "index": token.index,
            "tokenId": f"0x{token.index:032x}",
            "isCanonical": token.index < 2,
            "evmContract": None,
            "fullName": None,
            "deployerTradingFeeShare": "0.0",
        }
        for token in TOKENS
    ]
    universe = [
        {
            "tokens": [TOKEN[pair.base].index, TOKEN[pair.quote].index],
            "name": pair.coin,
            "index": pair.index,
            "isCanonical": pair.index == 0,
        }
        for pair in PAIRS
    ]
    return {"universe": universe, "tokens": tokens}


def all_perp_metas() -> list[dict[str, Any]]:
    """The answer ``allPerpMetas``: one per exchange, the main one first."""
    return [
        {
            "universe": [
                {
                    "szDecimals": perp.places,
                    "name": perp.coin,
                    "maxLeverage": perp.leverage,
                    "marginTableId": perp.leverage,
                }
                for perp in PERPS
                if perp.dex == dex
            ],
            "marginTables": [],
            "collateralToken": TOKEN[COLLATERAL[dex]].index,
        }
        for dex in COLLATERAL
    ]


def metadata(at: int) -> str:
    """A capture of both metadata answers."""
    asked = [({"type": "spotMeta"}, spot_meta()), ({"type": "allPerpMetas"}, all_perp_metas())]
    return json.dumps([captured(request, response, at) for request, response in asked])


# -------------------------------------------------------------------------- info answers


def captured(request: dict[str, Any], response: Any, at: int) -> dict[str, Any]:
    """One entry of a capture: what was asked, what came, and the date header of the answer."""
    date = datetime.fromtimestamp(at // 1000 + 2, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"url": INFO, "request": request, "recorded_at_http_date": date, "response": response}


def rows_of(venue: Venue, family: str, since: int, until: int) -> list[Row]:
    return [row for row in venue.rows if row.family == family and since <= row.time <= until]


def user_fills(venue: Venue, rows: Sequence[Row] | None = None) -> str:
    """The answer ``userFills``: the newest 2,000 fills, newest first, no word of the account."""
    fills = rows if rows is not None else rows_of(venue, "fills", 0, venue.now)
    return json.dumps([row.body for row in reversed(fills[-FILLS_PAGE:])])


def fills_by_time(
    venue: Venue,
    windows: Iterable[tuple[int, int]],
    *,
    page: int = FILLS_PAGE,
    newest_first: bool = False,
) -> str:
    """A capture of ``userFillsByTime`` pages, oldest first; those of 2023 run backward."""
    return pages(venue, "fills", "userFillsByTime", windows, page=page, newest_first=newest_first)


def funding_pages(venue: Venue, windows: Iterable[tuple[int, int]], page: int = LEDGER_PAGE) -> str:
    """A capture of ``userFunding`` pages, oldest first."""
    return pages(venue, "funding", "userFunding", windows, page=page)


def ledger_pages(venue: Venue, windows: Iterable[tuple[int, int]], page: int = LEDGER_PAGE) -> str:
    """A capture of ``userNonFundingLedgerUpdates`` pages, oldest first."""
    return pages(venue, "ledger", "userNonFundingLedgerUpdates", windows, page=page)


def interest_pages(
    venue: Venue, windows: Iterable[tuple[int, int]], page: int = LEDGER_PAGE
) -> str:
    """A capture of ``userBorrowLendInterest`` pages, oldest first."""
    return pages(venue, "interest", "userBorrowLendInterest", windows, page=page)


def pages(
    venue: Venue,
    family: str,
    name: str,
    windows: Iterable[tuple[int, int]],
    *,
    page: int,
    newest_first: bool = False,
) -> str:
    """Ask for windows page by page: after a full page, on from its last millisecond again."""
    answers = []
    for since, until in windows:
        start, more = since, True
        while more:
            rows = rows_of(venue, family, start, until)
            body = [row.body for row in rows[:page]]
            request = {"type": name, "user": venue.account, "startTime": start, "endTime": until}
            answers.append(captured(request, body[::-1] if newest_first else body, venue.now))
            more = len(rows) > page and rows[page - 1].time > start
            start = rows[page - 1].time if more else until
    return json.dumps(answers)


def states(venue: Venue) -> str:
    """A capture of what the account has now: every perpetuals side, and the spot side."""
    asked: list[tuple[dict[str, Any], Any]] = []
    for dex in COLLATERAL:
        request = {"type": "clearinghouseState", "user": venue.account}
        asked.append(({**request, "dex": dex} if dex else request, perp_state(venue, dex)))
    request = {"type": "spotClearinghouseState", "user": venue.account}
    asked.append((request, spot_state(venue)))
    return json.dumps([captured(request, response, venue.now) for request, response in asked])


def perp_state(venue: Venue, dex: str) -> dict[str, Any]:
    """The answer ``clearinghouseState`` of one exchange, marks at the venue's prices."""
    open_ones = [
        (PERP[coin], held)
        for coin, held in venue.positions.items()
        if held.lots and PERP[coin].dex == dex
    ]
    raw = venue.cash.get((f"perp:{dex}", COLLATERAL[dex]), 0) // 100
    value = sum(held.lots * venue.prices[perp.coin] for perp, held in open_ones)
    notional = sum(abs(held.lots) * venue.prices[perp.coin] for perp, held in open_ones)
    margin = sum(abs(h.lots) * venue.prices[p.coin] // p.leverage for p, h in open_ones)
    keep = sum(abs(h.lots) * venue.prices[p.coin] // (2 * p.leverage) for p, h in open_ones)
    summary = {
        "accountValue": text(raw + value, 6),
        "totalNtlPos": text(notional, 6),
        "totalRawUsd": text(raw, 6),
        "totalMarginUsed": text(margin, 6),
    }
    return {
        "marginSummary": summary,
        "crossMarginSummary": summary,
        "crossMaintenanceMarginUsed": text(keep, 6),
        "withdrawable": text(max(0, raw + value - margin), 6),
        "assetPositions": [
            {"type": "oneWay", "position": position(venue, perp.coin)} for perp, _ in open_ones
        ],
        "time": venue.now,
    }


def position(venue: Venue, coin: str) -> dict[str, Any]:
    perp, held = PERP[coin], venue.positions[coin]
    value = abs(held.lots) * venue.prices[coin]
    result = (value - held.notional) * (1 if held.lots > 0 else -1)
    ever, since_open, since_change = (text(paid, 6) for paid in held.funding)
    return {
        "coin": coin,
        "szi": text(held.lots, perp.places),
        "leverage": {"type": "cross", "value": perp.leverage},
        "entryPx": text(held.notional // abs(held.lots), 6 - perp.places),
        "positionValue": text(value, 6),
        "unrealizedPnl": text(result, 6),
        "returnOnEquity": text(result * perp.leverage * 10**10 // held.notional, 10),
        "liquidationPx": None,
        "marginUsed": text(value // perp.leverage, 6),
        "maxLeverage": perp.leverage,
        "cumFunding": {"allTime": ever, "sinceOpen": since_open, "sinceChange": since_change},
    }


def spot_state(venue: Venue) -> dict[str, Any]:
    """The answer ``spotClearinghouseState``."""
    held = [(asset, units) for (place, asset), units in venue.cash.items() if place == "spot"]
    return {
        "balances": [
            {
                "coin": asset,
                "token": TOKEN[asset].index,
                "total": text(units, 8),
                "hold": "0.0",
                "entryNtl": "0.0",
            }
            for asset, units in held
        ]
    }


# -------------------------------------------------------------------------- web exports


def web_trades(venue: Venue, rows: Sequence[Row], zone: str = "UTC") -> str:
    """The web interface's export of fills, one row each, local time to the second."""
    lines = [TRADES_HEAD]
    for row in rows:
        fill = row.body
        px, size, fee = float(fill["px"]), float(fill["sz"]), float(fill["fee"])
        pair = PAIR.get(fill["coin"])
        name = f"{pair.base}/{pair.quote}" if pair else fill["coin"]
        gross = float(fill["closedPnl"])
        net = gross - (fee * px if pair and fill["side"] == "B" else fee)
        numbers = (px, size, px * size, fee, net)
        shown = [script_number(number) for number in numbers]
        lines.append(",".join([civil(row.time, zone), name, fill["dir"], *shown]))
    return "\n".join(lines)  # the last line ends without a newline


def web_funding(venue: Venue, rows: Sequence[Row], zone: str = "UTC") -> str:
    """The web interface's export of funding: the hour on the dot, side and size apart."""
    lines = [FUNDING_HEAD]
    for row in rows:
        paid = row.body["delta"]
        size, usdc, rate = (float(paid[key]) for key in ("szi", "usdc", "fundingRate"))
        side = "Long" if size > 0 else "Short"
        shown = [script_number(abs(size)), side, script_number(usdc), script_number(rate)]
        hour = row.time - row.time % 3_600_000
        lines.append(",".join([civil(hour, zone), paid["coin"], *shown]))
    return "\n".join(lines)


def civil(time: int, zone: str) -> str:
    """Return a moment as the export writes it: local time, day first, no zone."""
    local = datetime.fromtimestamp(time // 1000, UTC).astimezone(ZoneInfo(zone))
    return local.strftime("%d/%m/%Y %H:%M:%S")


def script_number(value: float) -> str:
    """Return a number as a browser writes it: shortest digits, exponent below 10^-6."""
    shown = repr(value)
    if "e" in shown:
        digits, _, power = shown.partition("e")
        whole = int(power)
        if whole < -6:
            return f"{digits}e{whole}"
        places = len(digits.replace("-", "").replace(".", "")) - 1 - whole
        return f"{value:.{places}f}"
    return shown.removesuffix(".0")


# -------------------------------------------------------------------------- node files


def node_fills(venue: Venue, rows: Sequence[Row]) -> str:
    """Lines of ``node_fills_by_block``: per block, pairs of user and fill."""
    lines = []
    for block in blocks(rows):
        events = []
        for row in block:
            fill = row.body
            events.append([venue.account, fill])
            events.append([OTHERS[0], other_side(fill)])
        lines.append(envelope(block[0], events))
    return "".join(line + "\n" for line in lines)


def other_side(fill: dict[str, Any]) -> dict[str, Any]:
    """Return the counterparty's fill of the same trade: same number, other side."""
    turned = {"B": "A", "A": "B"}[fill["side"]]
    spot = fill["coin"] in PAIR
    named = {"B": ("Buy", "Open Long"), "A": ("Sell", "Open Short")}[turned][0 if spot else 1]
    kept = {key: value for key, value in fill.items() if key not in {"cloid", "builderFee"}}
    told = {"side": turned, "dir": named, "startPosition": "0.0", "closedPnl": "0.0"}
    return {**kept, **told, "oid": fill["oid"] + 1, "crossed": False, "fee": "0.0"}


def node_events(venue: Venue, rows: Sequence[Row]) -> str:
    """Lines of ``misc_events_by_block``: ledger updates and funding of ours and of others."""
    lines = []
    for block in blocks([row for row in rows if row.family in {"ledger", "funding"}]):
        events: list[dict[str, Any]] = []
        paid = [row.body["delta"] for row in block if row.family == "funding"]
        if paid:
            deltas = [
                {
                    "user": user,
                    "coin": delta["coin"],
                    "funding_amount": delta["usdc"],
                    "szi": delta["szi"],
                    "funding_rate": delta["fundingRate"],
                }
                for delta in paid
                for user in (OTHERS[1], venue.account)
            ]
            events.append(misc(block[0], {"Funding": {"deltas": deltas}}))
        for row in block:
            if row.family == "ledger":
                delta = row.body["delta"]
                users = [venue.account]
                if "destination" in delta:
                    users = list(dict.fromkeys((delta["user"], delta["destination"])))
                events.append(misc(row, {"LedgerUpdate": {"users": users, "delta": delta}}))
        lines.append(envelope(block[0], events))
    return "".join(line + "\n" for line in lines)


def misc(row: Row, inner: dict[str, Any]) -> dict[str, Any]:
    return {"time": node_time(row), "hash": row.body["hash"], "inner": inner}


def envelope(row: Row, events: list[Any]) -> str:
    head = {"local_time": node_time(row, late=412), "block_time": node_time(row)}
    return json.dumps({**head, "block_number": row.block, "events": events})


def node_time(row: Row, *, late: int = 0) -> str:
    """Return the node's time: ISO with nanoseconds, no zone; cut to milliseconds it is ours."""
    time = row.time + late
    second = datetime.fromtimestamp(time // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{time % 1000:03d}{row.nanos:06d}"


def blocks(rows: Sequence[Row]) -> list[list[Row]]:
    """Return rows grouped by their block, in order."""
    groups: list[list[Row]] = []
    for row in rows:
        if groups and groups[-1][0].block == row.block:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups
