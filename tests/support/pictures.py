"""Pictures composed by hand: round numbers, every input with a plain source."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ledger.units import Asset, Coin, Dex, Millis
from projections.margin import Exchange, Given, Input, Picture, Position, Step, Token, Unknown

D = Decimal
SOURCE = "composed"


def moment(text: str) -> Millis:
    """Return the milliseconds of a UTC time such as ``2026-08-10`` or with ``T12:00``."""
    return Millis(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000)


def given(value: object, at: Millis | None = None) -> Given:
    """Return an input of a number or text; what is a Given already stays as it is."""
    if isinstance(value, Input | Unknown):
        return value
    return Input(D(str(value)), SOURCE, at)


def token(
    name: str,
    *,
    total: object = 0,
    supplied: object = 0,
    borrowed: object = 0,
    price: object = 1,
    ltv: Given | None = None,
) -> Token:
    """Return one token of a picture."""
    return Token(
        asset=Asset(name),
        total=given(total),
        supplied=given(supplied),
        borrowed=given(borrowed),
        spot_hold=given(0),
        price=given(price),
        ltv=ltv,
    )


def position(
    coin: str,
    *,
    size: object,
    mark: object,
    entry: object | None = None,
    leverage: object = 5,
    max_leverage: int = 10,
    tiers: tuple[Step, ...] | Unknown | None = None,
    isolated_raw: object | None = None,
) -> Position:
    """Return one position; *entry* is the entry price."""
    amount, px = given(size), given(mark)
    value: Given = Unknown(f"mark of {coin}")
    cost: Given = Unknown(f"entry notional of {coin}")
    if isinstance(amount, Input) and isinstance(px, Input):
        value = given(abs(amount.value) * px.value)
        if entry is not None:
            cost = given(abs(amount.value) * D(str(entry)))
    return Position(
        coin=Coin(coin),
        size=amount,
        mark=px,
        value=value,
        entry_notional=cost,
        leverage=given(leverage),
        tiers=tiers or (Step(lower_bound=D(0), max_leverage=D(max_leverage)),),
        is_isolated=isolated_raw is not None,
        isolated_raw=Unknown("none") if isolated_raw is None else given(isolated_raw),
    )


def exchange(
    *positions: Position, raw: object = 0, dex: str = "", collateral: str = "USDC"
) -> Exchange:
    """Return one exchange of a picture."""
    return Exchange(dex=Dex(dex), collateral=Asset(collateral), raw=given(raw), positions=positions)


def picture(
    *tokens: Token,
    at: str = "2026-07-01",
    mode: str | None = "portfolioMargin",
    exchanges: tuple[Exchange, ...] = (),
) -> Picture:
    """Return a picture of portfolio margin, unless another mode is named."""
    return Picture(
        at=moment(at),
        account=None,
        mode=mode,
        mode_source=SOURCE,
        tokens=tokens,
        exchanges=exchanges,
    )
