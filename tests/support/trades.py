"""Strategy: fills of one account that chain, mostly, as a venue's would, with openings and gaps."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from ledger.events import Event, Filled
from ledger.money import unscaled
from ledger.units import Address, Asset, Coin, Millis, account_stream

ACCOUNT = Address("0x" + "a" * 40)
START = 1_760_000_000_000


def fill(
    coin: str,
    side: str,
    sz: Decimal,
    px: Decimal,
    *,
    start: Decimal | None,
    number: int = 1,
    at: int | None = None,
    **other: object,
) -> Filled:
    """Return a fill as an info answer gives it, with a fee of 0.01 in the collateral."""
    fields: dict[str, object] = {
        "stream": account_stream(ACCOUNT),
        "at": Millis(START + number if at is None else at),
        "coin": Coin(coin),
        "px": px,
        "sz": sz,
        "side": side,
        "direction": "Buy" if side == "B" else "Sell",
        "start_position": start,
        "reported_closed_pnl": None,
        "reported_net_pnl": None,
        "notional": None,
        "fee": Decimal("0.01"),
        "fee_asset": Asset("USDC"),
        "builder_fee": None,
        "crossed": True,
        "oid": number,
        "tid": number,
        "cloid": None,
        "twap_id": None,
        "liquidated_user": None,
        "liquidation_mark": None,
        "liquidation_method": None,
        "tx_hash": None,
    }
    return Filled(**(fields | other))


@st.composite
def trades(draw: st.DrawFn, *, most: int = 30) -> list[Event]:
    """Return fills of three markets in order, stating sizes that chain but for rare gaps."""
    held: dict[str, int] = {}
    history: list[Event] = []
    for number in range(draw(st.integers(0, most))):
        coin = draw(st.sampled_from(("BTC", "ENA", "HYPE/USDC")))
        lots = draw(st.integers(1, 500))
        side = draw(st.sampled_from("BA"))
        if coin not in held or draw(st.integers(0, 19)) == 0:
            held[coin] = draw(st.sampled_from((0, 0, 0, 250, 1000)))
        before = held[coin]
        if coin == "HYPE/USDC" and side == "A":
            lots = min(lots, before) or 1
        held[coin] = before + (lots if side == "B" else -lots)
        states = draw(st.booleans()) or coin != "ENA"
        start = unscaled(before, 2) if states else None
        px = unscaled(draw(st.integers(1, 10**6)), 4)
        history.append(fill(coin, side, unscaled(lots, 2), px, start=start, number=number))
    return history
