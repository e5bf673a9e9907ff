"""Pictures of what the venue showed: spot, perpetuals, lending and reserve states of one instant.

Answers are fetched seconds apart; every input keeps the moment of its own state, and the picture
has the latest of them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ledger.money import ZERO, exact
from ledger.units import Asset, Coin, stream_account
from projections.arithmetic import EXACT
from projections.margin.picture import (
    Exchange,
    Given,
    Input,
    Picture,
    Pool,
    Position,
    Step,
    Token,
    Unknown,
    combined,
    nothing,
)
from projections.rulebooks.base import USDC
from projections.rulebooks.tiers import documented_tiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ledger.events import (
        LendingStateObserved,
        ObservedBalance,
        ObservedPosition,
        PerpStateObserved,
        ReserveObserved,
        SpotStateObserved,
    )
    from ledger.units import Dex, Millis
    from projections.margin.picture import Mode
    from projections.reference import Reference

SPOT = "spot state"
PERPS = "perpetuals state"
LENDING = "lending state"
RESERVE = "reserve state"


def observed(
    *,
    mode: Mode | None,
    spot: SpotStateObserved | None,
    perps: Iterable[PerpStateObserved] = (),
    lending: LendingStateObserved | None = None,
    reserves: Iterable[ReserveObserved] = (),
    tables: Mapping[Coin, Sequence[Step]] | None = None,
    reference: Reference | None = None,
    at: Millis | None = None,
) -> Picture:
    """Return the picture that recorded states make together.

    *perps* are the states of the account's exchanges; one that is not among them has no positions
    as far as the picture goes. *tables* are margin tables by market; where there is none the
    documented one holds if the day has one, else the highest leverage the position carries.
    """
    sides = tuple(perps)
    pools = {each.asset: each for each in reserves}
    moments = [each.at for each in sides]
    if spot is not None:
        moments.append(spot.at)
    if lending is not None:
        moments.append(lending.at)
    if not moments and at is None:
        message = "a picture needs at least one state or a moment"
        raise ValueError(message)
    instant = max(moments) if at is None else at
    streams = [each.stream for each in (spot, lending, *sides) if each is not None]
    with exact():
        return Picture(
            at=instant,
            account=stream_account(streams[0]) if streams else None,
            mode=mode,
            mode_source="userAbstraction" if mode else "unknown",
            tokens=_tokens(
                spot, lending, pools, [collateral_of(each.dex, reference) for each in sides]
            ),
            exchanges=tuple(_exchange(each, tables or {}, reference, instant) for each in sides),
            pools=tuple(
                Pool(
                    asset=each.asset,
                    balance=_optional(each.balance, RESERVE, each.at, f"reserve of {each.asset}"),
                    borrowed=_optional(each.borrowed, RESERVE, each.at, f"debts of {each.asset}"),
                )
                for each in pools.values()
            ),
        )


def _optional(value: Decimal | None, source: str, at: Millis | None, name: str) -> Given:
    return Unknown(name) if value is None else Input(value, source, at)


# ------------------------------------------------------------------------- tokens


def _tokens(
    spot: SpotStateObserved | None,
    lending: LendingStateObserved | None,
    pools: Mapping[Asset, ReserveObserved],
    moneys: Sequence[Asset],
) -> tuple[Token, ...]:
    """Return the tokens of a spot state; a money of an exchange that it does not list is zero."""
    if spot is None:
        return ()
    listed = [_token(row, spot.at, lending, pools.get(row.asset)) for row in spot.balances]
    absent = dict.fromkeys(moneys)
    for row in spot.balances:
        absent.pop(row.asset, None)
    zero = nothing(f"{SPOT}, which lists none", spot.at)
    listed += [
        Token(
            asset=asset, total=zero, supplied=zero, borrowed=zero, spot_hold=zero,
            price=Unknown(f"oracle price of {asset}"),
        )
        for asset in absent
    ]  # fmt: skip
    return tuple(listed)


def _token(
    row: ObservedBalance,
    at: Millis,
    lending: LendingStateObserved | None,
    pool: ReserveObserved | None,
) -> Token:
    asset = row.asset
    supplied, borrowed = _loans(row, at, lending)
    ltv: Given | None = None
    if row.ltv is not None:
        ltv = Input(row.ltv, SPOT, at)
    elif pool is not None:
        ltv = Input(pool.ltv, RESERVE, pool.at)
    price: Given = Unknown(f"oracle price of {asset}")
    if pool is not None:
        price = Input(pool.oracle_px, RESERVE, pool.at)
    elif asset == USDC:
        price = Input(Decimal(1), "USDC is the unit of prices")
    return Token(
        asset=asset,
        total=Input(row.total, SPOT, at),
        supplied=supplied,
        borrowed=borrowed,
        spot_hold=_optional(row.spot_hold, SPOT, at, f"spot hold of {asset}"),
        price=price,
        ltv=ltv,
    )


def _loans(
    row: ObservedBalance, at: Millis, lending: LendingStateObserved | None
) -> tuple[Given, Given]:
    """Return supplied and borrowed: of the spot state, else of the lending state.

    An answer of portfolio margin leaves out what is zero; other modes never show loans.
    """
    supplied: Given = nothing(f"{SPOT}, which lists none", at)
    borrowed: Given = supplied
    for loan in lending.loans if lending is not None else ():
        if loan.token == row.token and lending is not None:
            supplied = Input(loan.supply_value, LENDING, lending.at)
            borrowed = Input(loan.borrow_value, LENDING, lending.at)
    if row.supplied is not None:
        supplied = Input(row.supplied, SPOT, at)
    if row.borrowed is not None:
        borrowed = Input(row.borrowed, SPOT, at)
    return supplied, borrowed


# ------------------------------------------------------------------------- perpetuals


def _exchange(
    state: PerpStateObserved,
    tables: Mapping[Coin, Sequence[Step]],
    reference: Reference | None,
    at: Millis,
) -> Exchange:
    summary = state.summary
    name = state.dex or "main dex"
    return Exchange(
        dex=state.dex,
        collateral=collateral_of(state.dex, reference),
        raw=_optional(
            summary.total_raw_usd if summary else None, PERPS, state.at, f"raw money of {name}"
        ),
        positions=tuple(
            _position(each, state.at, tables.get(each.coin), at) for each in state.positions
        ),
        reported_maintenance=_optional(
            state.cross_maintenance, f"{PERPS}: crossMaintenanceMarginUsed", state.at,
            f"cross maintenance of {name}",
        ),
        reported_value=_optional(
            summary.account_value if summary else None, f"{PERPS}: accountValue", state.at,
            f"account value of {name}",
        ),
    )  # fmt: skip


def collateral_of(dex: Dex, reference: Reference | None) -> Asset:
    """Return the money of an exchange: metadata first, USDC on the main one, else by its name."""
    if reference is not None and dex in reference.collateral:
        return reference.collateral[dex]
    return Asset(f"collateral of {dex}") if dex else USDC


def _position(
    row: ObservedPosition, at: Millis, table: Sequence[Step] | None, instant: Millis
) -> Position:
    coin = row.coin
    value = _optional(row.value, PERPS, at, f"position value of {coin}")
    size = Input(row.size, PERPS, at)
    mark: Given = Unknown(f"mark of {coin}")
    if row.value is not None and row.size:
        mark = combined(
            "positionValue ÷ |szi|", lambda top, under: EXACT.ratio(top, abs(under)), value, size
        )
    entry: Given = Unknown(f"entry notional of {coin}")
    if row.value is not None and row.unrealized_pnl is not None:
        # The shown entry price is rounded to five digits; value and result are not.
        result, side = row.unrealized_pnl, -1 if row.size < ZERO else 1
        entry = Input(row.value - side * result, f"{PERPS}: positionValue − unrealizedPnl", at)
    leverage = None if row.leverage is None else Decimal(row.leverage)
    return Position(
        coin=coin,
        size=size,
        mark=mark,
        value=value,
        entry_notional=entry,
        leverage=_optional(leverage, PERPS, at, f"leverage of {coin}"),
        tiers=tiers(coin, row.max_leverage, table, instant),
        is_isolated=row.leverage_type == "isolated",
        isolated_raw=_optional(row.raw_usd, PERPS, at, f"isolated raw money of {coin}"),
    )


def tiers(
    coin: Coin, max_leverage: int | None, table: Sequence[Step] | None, at: Millis
) -> tuple[Step, ...] | Unknown:
    """Return the margin tiers of a market: its recorded table, else the documented one of the day.

    Without either, the highest leverage the market is listed with makes one tier.
    """
    if table:
        return tuple(table)
    found = documented_tiers(coin, at)
    if found and (max_leverage is None or found[0][1] == max_leverage):
        return tuple(Step(lower_bound=bound, max_leverage=Decimal(top)) for bound, top in found)
    if max_leverage is None:
        return Unknown(f"highest leverage of {coin}")
    return (Step(lower_bound=ZERO, max_leverage=Decimal(max_leverage)),)
