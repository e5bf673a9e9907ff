"""The composer of the bundled history: an account as the venue would keep it, in its answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import (
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Decimal,
    getcontext,
)

getcontext().prec = 60
D = Decimal
NOTHING = D(0)
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
SUB = "0x5ca1ab1e000000000000000000000000ca5cade1"
BEGIN = datetime(2026, 8, 3, 8, 0, tzinfo=UTC)
END = datetime(2026, 8, 5, 18, 0, tzinfo=UTC)
YEAR = D(365 * 24)  # hours
SIZE_PLACES = {"HYPE": 2, "BTC": 5, "ETH": 4}
LEVERAGE = {"HYPE": (10, 10), "BTC": (40, 20), "ETH": (25, 20)}  # highest, chosen
TOKENS = {"USDC": 0, "HYPE": 150, "UBTC": 197}
LTV = {"USDC": D(0), "HYPE": D("0.5"), "UBTC": D("0.5")}
ZERO_HASH = "0x" + "0" * 64


def ms(moment: datetime, extra: int = 0) -> int:
    """Return venue milliseconds."""
    return int(moment.timestamp()) * 1000 + extra


def text(value: Decimal) -> str:
    """Return a number as the venue writes it: plain digits, at least one after the point."""
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0")
        return plain + "0" if plain.endswith(".") else plain
    return plain + ".0"


def cut(value: Decimal, places: int, rounding: str = ROUND_DOWN) -> Decimal:
    """Return *value* with that many places."""
    return value.quantize(D(1).scaleb(-places), rounding=rounding)


def digest(*words: object) -> str:
    """Return an invented transaction hash which carries its block number as the venue's do."""
    raw = hashlib.sha256(repr(words).encode()).hexdigest()
    return (
        "0x"
        + raw[:20]
        + "04"
        + format(900_000_000 + int(raw[:6], 16) % 99_999_999, "08x")
        + raw[30:64]
    )


def number(*words: object, bits: int = 50) -> int:
    """Return an invented trade number."""
    return int(hashlib.sha256(repr(words).encode()).hexdigest(), 16) % 2**bits


@dataclass
class Account:
    """The account as the venue would keep it."""

    perp_cash: Decimal = NOTHING
    spot: dict[str, Decimal] = field(default_factory=lambda: {"USDC": D(0), "HYPE": D(0)})
    size: dict[str, Decimal] = field(default_factory=dict)
    notional: dict[str, int] = field(default_factory=dict)  # micro-USD
    supplied: dict[str, Decimal] = field(default_factory=lambda: {"USDC": D(0), "HYPE": D(0)})
    borrowed: Decimal = NOTHING
    basis: dict[str, Decimal] = field(default_factory=dict)
    funding: dict[str, Decimal] = field(default_factory=dict)


class Composer:
    """Plays the story and gathers the answers."""

    def __init__(self) -> None:
        self.account = Account()
        self.fills: list[dict[str, object]] = []
        self.payments: list[dict[str, object]] = []
        self.updates: list[dict[str, object]] = []
        self.interest: list[dict[str, object]] = []
        self.rates: dict[str, list[dict[str, object]]] = {coin: [] for coin in SIZE_PLACES}
        self.captures: dict[str, list[dict[str, object]]] = {}
        self.orders = 310_000_000_000
        self.pool = {"USDC": [D("31845210.55012345"), D("9553563.16503703")]}

    # ── prices ────────────────────────────────────────────────────────────────────────────────

    def mark(self, coin: str, moment: datetime) -> Decimal:
        """Return the mark price: a story, not a market."""
        hours = D((moment - BEGIN) // timedelta(seconds=1)) / 3600
        ripple = D((int(hours * 60) * 7919) % 41 - 20)
        if coin == "BTC":
            return cut(D(110000) - hours * 95 + ripple * 6, 0)
        if coin == "ETH":
            return cut(D(3500) - hours * 4 + ripple / 4, 1)
        if hours < 28:
            return cut(D("40") - hours / 8 + ripple / 200, 3)
        if hours < 50:
            return cut(D("36.5") - (hours - 28) / 5 + ripple / 200, 3)
        return cut(max(D("32.1") - (hours - 50) * D("0.52") + ripple / 400, D("29.4")), 3)

    def oracle(self, coin: str, moment: datetime) -> Decimal:
        """Return the oracle price, a little beside the mark."""
        return cut(
            self.mark(coin, moment) * D("1.0004"), 6 - SIZE_PLACES[coin] if coin == "HYPE" else 1
        )

    # ── what moves money ──────────────────────────────────────────────────────────────────────

    def ledger(self, moment: datetime, extra: int, **delta: object) -> None:
        """Append one non-funding ledger update."""
        row = {"time": ms(moment, extra), "hash": digest(moment, delta["type"]), "delta": delta}
        self.updates.append(row)

    def perp(
        self,
        moment: datetime,
        extra: int,
        coin: str,
        side: str,
        px: str,
        size: str,
        liquidation: dict[str, str] | None = None,
    ) -> None:
        """Fill a perpetual order at the taker rate."""
        account, price, sz = self.account, D(px), D(size)
        signed = sz if side == "B" else -sz
        before = account.size.get(coin, D(0))
        after = before + signed
        closed_pnl = self._close(coin, before, signed, price)
        fee = cut(price * sz * D("0.00045"), 6, ROUND_FLOOR)
        account.perp_cash += -signed * price - fee
        account.size[coin] = after
        word = "Long" if (before or signed) > 0 else "Short"
        opening = before == 0 or (before > 0) == (signed > 0)
        flip = not opening and abs(signed) > abs(before)
        direction = f"Open {word}" if opening else f"Close {word}"
        if flip:
            direction = "Long > Short" if before > 0 else "Short > Long"
        self._fill(
            moment,
            extra,
            coin=coin,
            px=px,
            sz=text(sz),
            side=side,
            startPosition=text(before),
            dir=direction,
            closedPnl=text(closed_pnl),
            fee=text(fee),
            feeToken="USDC",
            liquidation=liquidation,
        )

    def _close(self, coin: str, before: Decimal, signed: Decimal, price: Decimal) -> Decimal:
        """Move the entry notional and return the result of what was closed."""
        account, micro = self.account, 1_000_000
        notional = account.notional.get(coin, 0)
        if before == 0 or (before > 0) == (signed > 0):
            account.notional[coin] = notional + int(abs(signed) * price * micro)
            return D(0)
        entry = cut(D(notional) / micro / abs(before), 6 - SIZE_PLACES[coin], ROUND_FLOOR)
        closed = min(abs(before), abs(signed))
        left = abs(before + signed)
        if abs(signed) > abs(before):
            account.notional[coin] = int(left * price * micro)
        else:
            lots = 10 ** SIZE_PLACES[coin]
            account.notional[coin] = int(
                float(notional) * (int(left * lots) / int(abs(before) * lots))
            )
        return closed * (price - entry) * (1 if before > 0 else -1)

    def spot(self, moment: datetime, extra: int, side: str, px: str, size: str) -> None:
        """Fill a spot order on HYPE against USDC."""
        account, price, sz = self.account, D(px), D(size)
        before = account.spot["HYPE"] + account.supplied["HYPE"]  # what is lent is still held
        if side == "B":
            fee = cut(sz * D("0.0007"), 8)
            account.spot["HYPE"] += sz - fee
            account.spot["USDC"] -= price * sz
        else:
            fee = cut(price * sz * D("0.0007"), 8)
            account.spot["HYPE"] -= sz
            account.spot["USDC"] += price * sz - fee
        self._fill(
            moment,
            extra,
            coin="@107",
            px=px,
            sz=text(sz),
            side=side,
            startPosition=text(before),
            dir="Buy" if side == "B" else "Sell",
            closedPnl="0.0",
            fee=text(fee),
            feeToken="HYPE" if side == "B" else "USDC",
            liquidation=None,
        )

    def _fill(self, moment: datetime, extra: int, *, liquidation: object, **fields: object) -> None:
        self.orders += 7919
        row: dict[str, object] = {**fields, "time": ms(moment, extra)}
        row |= {
            "hash": digest(moment, extra, "fill"),
            "oid": self.orders,
            "crossed": True,
            "tid": number(moment, len(self.fills)),
            "twapId": None,
        }
        if liquidation:
            row["liquidation"] = liquidation
        self.fills.append(row)

    def reserve(
        self, moment: datetime, extra: int, operation: str, token: str, amount: str
    ) -> None:
        """Supply, withdraw, borrow or repay."""
        account, value = self.account, D(amount)
        sign = 1 if operation in {"supply", "repay"} else -1
        account.spot[token] -= sign * value
        if operation in {"supply", "withdraw"}:
            account.supplied[token] += sign * value
            account.basis[f"supply {token}"] = account.supplied[token]
        else:
            account.borrowed -= sign * value
            account.basis["borrow USDC"] = account.borrowed
        self.ledger(
            moment,
            extra,
            type="borrowLend",
            token=token,
            operation=operation,
            amount=text(value),
            interestAmount="0.0",
        )

    # ── what happens by the hour ──────────────────────────────────────────────────────────────

    def hour(self, moment: datetime) -> None:
        """Pay funding, accrue interest, publish rates."""
        for index, coin in enumerate(SIZE_PLACES):
            premium = D((moment.hour * 37 + index * 11 + moment.day * 5) % 19 - 6) / 40000
            clamp = max(D("-0.0005"), min(D("0.0005"), D("0.0001") - premium))
            rate = cut((premium + clamp) / 8, 10, ROUND_HALF_UP)
            extra = 41 + (moment.hour * 13 + index) % 60
            self.rates[coin].append(
                {
                    "coin": coin,
                    "fundingRate": text(rate),
                    "premium": text(premium),
                    "time": ms(moment, extra),
                }
            )
            size = self.account.size.get(coin, D(0))
            if size:
                usdc = cut(-size * self.oracle(coin, moment) * rate, 6)
                self.account.perp_cash += usdc
                self.account.funding[coin] = self.account.funding.get(coin, D(0)) - usdc
                delta = {
                    "type": "funding",
                    "coin": coin,
                    "usdc": text(usdc),
                    "szi": text(size),
                    "fundingRate": text(rate),
                    "nSamples": None,
                }
                self.payments.append({"time": ms(moment, extra), "hash": ZERO_HASH, "delta": delta})
        self._accrue(moment)

    def supply_rate(self) -> Decimal:
        """Return the yearly supply rate: borrow rate × utilization × 0.9, ten places."""
        supplied, borrowed = self.pool["USDC"]
        return cut(D("0.05") * borrowed / supplied * D("0.9"), 10, ROUND_HALF_UP)

    def _accrue(self, moment: datetime) -> None:
        account = self.account
        supply = cut(account.supplied["USDC"] * ((self.supply_rate() / YEAR).exp() - 1), 8)
        borrow = cut(account.borrowed * ((D("0.05") / YEAR).exp() - 1), 8)
        if supply or borrow:
            account.supplied["USDC"] += supply
            account.borrowed += borrow
            self.interest.append(
                {
                    "time": ms(moment),
                    "token": "USDC",
                    "borrow": text(borrow),
                    "supply": text(supply),
                }
            )
        self.pool["USDC"][0] += cut(self.pool["USDC"][0] * self.supply_rate() / YEAR, 8)
        self.pool["USDC"][1] += cut(self.pool["USDC"][1] * D("0.05") / YEAR, 8)

    # ── what the venue shows ──────────────────────────────────────────────────────────────────

    def capture(
        self, name: str, moment: datetime, request: dict[str, object], response: object
    ) -> None:
        """Keep one answer with its request and date."""
        date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.captures.setdefault(name, []).append(
            {"request": request, "recorded_at_http_date": date, "response": response}
        )

    def reserves(self, moment: datetime) -> None:
        """Show the reserve states."""
        supplied, borrowed = self.pool["USDC"]
        usdc = {
            "borrowYearlyRate": "0.05",
            "supplyYearlyRate": text(self.supply_rate()),
            "balance": text(supplied - borrowed + D("0.31730000")),
            "utilization": text(cut(borrowed / supplied, 10, ROUND_HALF_UP)),
            "oraclePx": "1.0",
            "ltv": "0.0",
            "totalSupplied": text(supplied),
            "totalBorrowed": text(borrowed),
        }
        hype = {
            "borrowYearlyRate": "0.05",
            "supplyYearlyRate": "0.0",
            "balance": "13402553.53586877",
            "utilization": "0.0",
            "oraclePx": text(self.oracle("HYPE", moment)),
            "ltv": "0.5",
            "totalSupplied": "13402553.53586877",
            "totalBorrowed": "0.0",
        }
        self.capture(
            "reserves", moment, {"type": "allBorrowLendReserveStates"}, [[0, usdc], [150, hype]]
        )

    def prices(self, moment: datetime) -> None:
        """Show mark, oracle and mid of every market."""
        contexts = [
            {
                "funding": self.rates[coin][-1]["fundingRate"] if self.rates[coin] else "0.0000125",
                "markPx": text(self.mark(coin, moment)),
                "midPx": text(self.mark(coin, moment)),
                "oraclePx": text(self.oracle(coin, moment)),
                "openInterest": "1000.0",
                "prevDayPx": "1.0",
                "dayNtlVlm": "0.0",
                "premium": "0.0",
                "impactPxs": None,
                "dayBaseVlm": "0.0",
            }
            for coin in SIZE_PLACES
        ]
        self.capture("prices", moment, {"type": "metaAndAssetCtxs"}, [self.meta(), contexts])

    def meta(self) -> dict[str, object]:
        """Return the metadata of the perpetual markets."""
        tables = {"HYPE": 52, "BTC": 56, "ETH": 55}
        universe = [
            {
                "name": coin,
                "szDecimals": SIZE_PLACES[coin],
                "maxLeverage": LEVERAGE[coin][0],
                "marginTableId": tables[coin],
            }
            for coin in SIZE_PLACES
        ]

        def table(name: str, *tiers: tuple[str, int]) -> dict[str, object]:
            rows = [{"lowerBound": bound, "maxLeverage": leverage} for bound, leverage in tiers]
            return {"description": name, "marginTiers": rows}

        return {
            "universe": universe,
            "marginTables": [
                [52, table("tiered 10x", ("0.0", 10), ("20000000.0", 5))],
                [55, table("tiered 25x", ("0.0", 25), ("100000000.0", 15))],
                [56, table("tiered 40x", ("0.0", 40), ("150000000.0", 20))],
            ],
            "collateralToken": 0,
        }

    def perp_value(self, moment: datetime) -> Decimal:
        """Return the value of the perpetuals side."""
        return self.account.perp_cash + sum(
            (size * self.mark(coin, moment) for coin, size in self.account.size.items()), D(0)
        )

    def maintenance(self, moment: datetime) -> Decimal:
        """Return the maintenance requirement of all positions, first tier."""
        return sum(
            (
                abs(size) * self.mark(coin, moment) / (2 * LEVERAGE[coin][0])
                for coin, size in self.account.size.items()
            ),
            D(0),
        )

    def total_usdc(self, moment: datetime) -> Decimal:
        """Return the account's USDC as portfolio margin counts it."""
        account = self.account
        idle = account.spot["USDC"]
        return self.perp_value(moment) + account.supplied["USDC"] + idle - account.borrowed

    def liquidation_value(self, moment: datetime) -> Decimal:
        """Return net USDC plus three quarters of the supplied HYPE."""
        collateral = self.account.supplied["HYPE"] * self.oracle("HYPE", moment) * D("0.75")
        return self.total_usdc(moment) + collateral

    def ratio(self, moment: datetime) -> Decimal:
        """Return the portfolio margin ratio."""
        return self.maintenance(moment) / self.liquidation_value(moment)

    def snapshot(self, moment: datetime) -> None:
        """Show the account's own states."""
        user = {"user": ACCOUNT}
        self.capture("states", moment, {"type": "userAbstraction", **user}, "portfolioMargin")
        self.capture(
            "states", moment, {"type": "clearinghouseState", **user}, self._perp_state(moment)
        )
        self.capture(
            "states", moment, {"type": "spotClearinghouseState", **user}, self._spot_state(moment)
        )
        self.capture(
            "states", moment, {"type": "borrowLendUserState", **user}, self._lending_state()
        )

    def _perp_state(self, moment: datetime) -> dict[str, object]:
        account, positions, used = self.account, [], D(0)
        for coin, size in account.size.items():
            if not size:
                continue
            value = abs(size) * self.mark(coin, moment)
            entry = D(account.notional[coin]) / 1_000_000
            margin = cut(value / LEVERAGE[coin][1], 6)
            used += margin
            pnl = (value - entry) * (1 if size > 0 else -1)
            position = {
                "coin": coin,
                "szi": text(size),
                "leverage": {"type": "cross", "value": LEVERAGE[coin][1]},
                "entryPx": text(cut(entry / abs(size), 6 - SIZE_PLACES[coin])),
                "positionValue": text(value),
                "unrealizedPnl": text(cut(pnl, 6)),
                "liquidationPx": None,
                "marginUsed": text(margin),
                "returnOnEquity": text(cut(pnl / (entry / LEVERAGE[coin][1]), 10, ROUND_HALF_EVEN)),
                "maxLeverage": LEVERAGE[coin][0],
                "cumFunding": {
                    "allTime": text(account.funding.get(coin, D(0))),
                    "sinceOpen": text(account.funding.get(coin, D(0))),
                    "sinceChange": "0.0",
                },
            }
            positions.append({"type": "oneWay", "position": position})
        notional = sum((abs(s) * self.mark(c, moment) for c, s in account.size.items()), D(0))
        summary = {
            "accountValue": text(self.perp_value(moment)),
            "totalNtlPos": text(notional),
            "totalRawUsd": text(account.perp_cash),
            "totalMarginUsed": text(used),
        }
        return {
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": text(cut(self.maintenance(moment), 6)),
            "withdrawable": "0.0",
            "assetPositions": positions,
            "time": ms(moment),
        }

    def _spot_state(self, moment: datetime) -> dict[str, object]:
        account = self.account
        usdc = {
            "coin": "USDC",
            "token": 0,
            "total": text(self.total_usdc(moment)),
            "hold": "0.0",
            "entryNtl": "0.0",
            "ltv": "0.0",
            "supplied": text(account.supplied["USDC"]),
        }
        if account.borrowed:
            usdc["borrowed"] = text(account.borrowed)
        held = account.spot["HYPE"] + account.supplied["HYPE"]
        hype = {
            "coin": "HYPE",
            "token": 150,
            "hold": "0.0",
            "entryNtl": "0.0",
            "ltv": "0.5",
            "total": text(held),
            "supplied": text(account.supplied["HYPE"]),
        }
        available = cut(self.liquidation_value(moment) - cut(self.maintenance(moment), 6), 8)
        return {
            "portfolioMarginEnabled": True,
            "balances": [usdc, hype],
            "portfolioMarginRatio": text(cut(self.ratio(moment), 10, ROUND_HALF_EVEN)),
            "tokenToPortfolioBorrowRatio": [
                [0, text(cut(account.borrowed / 50_000_000, 10, ROUND_HALF_EVEN))]
            ],
            "tokenToPortfolioSupplyRatio": [
                [150, text(cut(held / 1_000_000, 10, ROUND_HALF_EVEN))]
            ],
            "tokenToAvailableAfterMaintenance": [[0, text(available)]],
        }

    def _lending_state(self) -> dict[str, object]:
        account = self.account

        def side(basis: Decimal, value: Decimal) -> dict[str, str]:
            return {"basis": text(basis), "value": text(value)}

        basis = account.basis.get
        none = side(D(0), D(0))
        return {
            "tokenToState": [
                [
                    0,
                    {
                        "borrow": side(basis("borrow USDC", D(0)), account.borrowed),
                        "supply": side(basis("supply USDC", D(0)), account.supplied["USDC"]),
                    },
                ],
                [
                    150,
                    {
                        "borrow": none,
                        "supply": side(account.supplied["HYPE"], account.supplied["HYPE"]),
                    },
                ],
            ],
            "health": "healthy",
            "healthFactor": None,
        }
