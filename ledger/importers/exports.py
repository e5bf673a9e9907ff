"""Exports: the rows of the web interface's exports and of the spreadsheet, as events.

What a record never says is None in the event; ``closedPnl`` of these rows is after the fee, and
``ntl`` is what the row was worth. When a row happened is settled in ``statements``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

import attrs

from ledger.entries import Source
from ledger.errors import MalformedRecord
from ledger.events import Deposited, Event, Filled, FundingPaid, Unrecognized, Withdrawn
from ledger.importers.lines import market
from ledger.money import ZERO, parse_decimal
from ledger.units import Coin, Millis, Stream

if TYPE_CHECKING:
    from decimal import Decimal

SHEET_ZONE: Final = "Asia/Kolkata"
"""What the spreadsheet's column ``Timestamp IST`` names."""

_PRICE_IMPROVED: Final = " (Price Improved)"
_SIDES: Final[dict[str, Literal["B", "A"]]] = {
    "Open Long": "B",
    "Close Short": "B",
    "Short > Long": "B",
    "Buy": "B",
    "Liquidated Cross Short": "B",
    "Liquidated Isolated Short": "B",
    "Open Short": "A",
    "Close Long": "A",
    "Long > Short": "A",
    "Sell": "A",
    "Liquidated Cross Long": "A",
    "Liquidated Isolated Long": "A",
    "Spot Dust Conversion": "A",
}
"""What was done to the market, by the venue's words for a fill. Other words do not tell."""


# ------------------------------------------------------------------------- the forms


@attrs.frozen(kw_only=True)
class Form:
    """One kind of export: its columns, whose column is the time, and how a row becomes an event."""

    name: str
    columns: tuple[str, ...]
    time: int
    source: Source
    row: Callable[[Sequence[str], Millis, Stream], Event]
    account: int | None = None
    zone: str | None = None


def _traded(row: Sequence[str], at: Millis, stream: Stream) -> Filled:
    _, coin, direction, px, sz, notional, fee, pnl = row
    return _filled(
        stream=stream,
        at=at,
        coin=market(coin),
        px=_number("px", px),
        sz=_size("sz", sz),
        side=side_of(direction),
        direction=direction,
        reported_net_pnl=_number("closedPnl", pnl),
        notional=_number("ntl", notional),
        fee=_number("fee", fee),
    )


def _filled(
    *,
    stream: Stream,
    at: Millis,
    coin: Coin,
    px: Decimal,
    sz: Decimal,
    side: Literal["B", "A"],
    direction: str,
    notional: Decimal,
    fee: Decimal,
    start_position: Decimal | None = None,
    reported_closed_pnl: Decimal | None = None,
    reported_net_pnl: Decimal | None = None,
    crossed: bool | None = None,
    oid: int | None = None,
    tx_hash: str | None = None,
) -> Filled:
    """Return a fill of a record without identities: what such a record never says is None."""
    return Filled(
        stream=stream,
        at=at,
        coin=coin,
        px=px,
        sz=sz,
        side=side,
        direction=direction,
        start_position=start_position,
        reported_closed_pnl=reported_closed_pnl,
        reported_net_pnl=reported_net_pnl,
        notional=notional,
        fee=fee,
        fee_asset=None,
        builder_fee=None,
        crossed=crossed,
        oid=oid,
        tid=None,
        cloid=None,
        twap_id=None,
        liquidated_user=None,
        liquidation_mark=None,
        liquidation_method=None,
        tx_hash=tx_hash,
    )


def _funded(row: Sequence[str], at: Millis, stream: Stream) -> FundingPaid:
    _, coin, sz, side, payment, rate = row
    size = _size("sz", sz)
    return FundingPaid(
        stream=stream,
        at=at,
        coin=market(coin),
        usdc=_number("payment", payment),
        size=size if _word("side", side, ("Long", "Short")) == "Long" else size.copy_negate(),
        rate=_number("rate", rate),
        samples=None,
        tx_hash=None,
    )


def _moved(row: Sequence[str], at: Millis, stream: Stream) -> Event:
    """Return a deposit or withdrawal; whatever else the row calls itself is kept as it is."""
    _, action, _, _, change, fee = row
    word = action.lower()
    if word == "deposit":
        usdc = _size("accountValueChange", change)
        return Deposited(stream=stream, at=at, usdc=usdc, tx_hash=None)
    if word in {"withdraw", "withdrawal"}:
        lost = _number("accountValueChange", change).copy_negate()
        charged = ZERO if fee in {"", "-", "--"} else _number("fee", fee)
        if lost <= charged or charged < 0:
            expected = "negative, and more than the fee: what the account lost"
            raise MalformedRecord(field="accountValueChange", found=change, expected=expected)
        usdc = lost - charged
        return Withdrawn(stream=stream, at=at, usdc=usdc, fee=charged, nonce=None, tx_hash=None)
    body = json.dumps(dict(zip(TRANSFERS.columns, row, strict=True)), ensure_ascii=False)
    return Unrecognized(stream=stream, at=at, venue_type=action, body=body, tx_hash=None)


def _sheet_row(row: Sequence[str], at: Millis, stream: Stream) -> Filled:
    """Return a fill of the spreadsheet; ``Trade ID`` (``8.95E+14``) is no identity any more."""
    sides: dict[str, Literal["B", "A"]] = {"BUY": "B", "SELL": "A"}
    return _filled(
        stream=stream,
        at=at,
        coin=market(row[1]),
        px=_number("Execution Price", row[2]),
        sz=_size("Size Tokens", row[3]),
        notional=_number("Size USD", row[4]),
        side=sides[_word("Side", row[5], ("BUY", "SELL"))],
        start_position=_number("Start Position", row[7]),
        direction=row[8],
        reported_closed_pnl=_number("Closed PnL", row[9]),
        tx_hash=_hash("Transaction Hash", row[10]),
        oid=int(row[11]) if re.fullmatch("[0-9]{1,19}", row[11], re.ASCII) else None,
        crossed=_word("Crossed", row[12].upper(), ("TRUE", "FALSE")) == "TRUE",
        fee=_number("Fee", row[13]),
    )


TRADES: Final = Form(
    name="web trades",
    columns=("time", "coin", "dir", "px", "sz", "ntl", "fee", "closedPnl"),
    time=0,
    source="web",
    row=_traded,
)
FUNDING: Final = Form(
    name="web funding",
    columns=("time", "coin", "sz", "side", "payment", "rate"),
    time=0,
    source="web",
    row=_funded,
)
TRANSFERS: Final = Form(
    name="web transfers",
    columns=("time", "action", "source", "destination", "accountValueChange", "fee"),
    time=0,
    source="web",
    row=_moved,
)
SHEET: Final = Form(
    name="spreadsheet of fills",
    columns=(
        "Account", "Coin", "Execution Price", "Size Tokens", "Size USD", "Side", "Timestamp IST",
        "Start Position", "Direction", "Closed PnL", "Transaction Hash", "Order ID", "Crossed",
        "Fee", "Trade ID", "Timestamp",
    ),
    time=6,
    source="sheet",
    row=_sheet_row,
    account=0,
    zone=SHEET_ZONE,
)  # fmt: skip
FORMS: Final = (TRADES, FUNDING, TRANSFERS, SHEET)


def side_of(direction: str) -> Literal["B", "A"]:
    """Return whether the venue's words for a fill mean bought (B) or sold (A).

    The suffix ``(Price Improved)`` says nothing about the side.

    Raises: MalformedRecord, for words that do not tell, such as Auto-Deleveraging or Settlement.
    """
    side = _SIDES.get(direction.removesuffix(_PRICE_IMPROVED))
    if side is None:
        expected = "words that say which side was taken, such as Open Long; give the API's record"
        raise MalformedRecord(field="dir", found=direction, expected=expected)
    return side


# ------------------------------------------------------------------------- cells


def _number(field: str, text: str) -> Decimal:
    return parse_decimal(text, field=field, exponent=True)


def _size(field: str, text: str) -> Decimal:
    value = parse_decimal(text, field=field, exponent=True)
    if value > 0:
        return value
    raise MalformedRecord(field=field, found=text, expected="above zero")


def _word(field: str, text: str, words: tuple[str, ...]) -> str:
    if text in words:
        return text
    raise MalformedRecord(field=field, found=text, expected=f"one of {', '.join(words)}")


def _hash(field: str, text: str) -> str:
    if re.fullmatch("0x[0-9a-f]{64}", text, re.ASCII):
        return text
    raise MalformedRecord(field=field, found=text, expected="a hash: 0x and 64 hexadecimal digits")
