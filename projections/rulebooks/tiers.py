"""Margin tiers as the venue's page lists them, for days of which no margin table is recorded.

**Source**: trading/margin-tiers (documented since 2026-04-24; tables of 2026-03-31 with the same
bounds are recorded for BTC, ETH, SOL, XRP and HYPE). Before that day membership of the groups
differed, and only recorded tables hold.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ledger.units import Coin, Millis

SINCE: Final = Millis(1_776_988_800_000)
"""2026-04-24T00:00:00Z, the day of the page."""

_MILLION: Final = Decimal(1_000_000)

_OWN: Final[dict[str, tuple[int, int, int]]] = {
    "BTC": (40, 150, 20),
    "ETH": (25, 100, 15),
    "SOL": (20, 70, 10),
    "XRP": (20, 40, 10),
}
"""Highest leverage, bound in millions, highest leverage above it."""

_AT_20_MILLION: Final = frozenset(
    ("AAVE", "ADA", "APT", "AVAX", "BCH", "CRV", "DOGE", "ENA", "FARTCOIN", "HYPE", "kBONK",
     "kPEPE", "LINK", "LTC", "NEAR", "PUMP", "SUI", "TRUMP", "UNI", "WLD", "ZEC")
)  # fmt: skip
_AT_3_MILLION: Final = frozenset(
    ("ARB", "BNB", "DOT", "JUP", "kSHIB", "MKR", "ONDO", "PAXG", "TON", "TRX", "XPL")
)


def documented_tiers(coin: Coin, at: Millis) -> tuple[tuple[Decimal, int], ...]:
    """Return (lower bound, highest leverage) of each tier; empty where the page names none.

    **Units**: bounds in the collateral of the exchange. **Order**: from the lowest bound up.
    """
    if at < SINCE:
        return ()
    low, bound, high = _OWN.get(coin, (0, 0, 0))
    if coin in _AT_20_MILLION:
        low, bound, high = 10, 20, 5
    elif coin in _AT_3_MILLION:
        low, bound, high = 10, 3, 5
    if not low:
        return ()
    return ((Decimal(0), low), (bound * _MILLION, high))
