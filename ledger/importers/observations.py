"""Observations: the venue's own picture of an account, of its orders and of what belongs to it.

A state is one event: where one row of it cannot be read, none of it is taken, because half a
picture would be a wrong one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from ledger.errors import MalformedRecord, NeedsHint
from ledger.events import (
    MarginSummary,
    ModeChanged,
    ObservedBalance,
    ObservedOrder,
    ObservedPosition,
    OrdersObserved,
    OrderStatusObserved,
    PerpStateObserved,
    SpotStateObserved,
    StakeObserved,
    SubAccountObserved,
    TokenFigure,
    VaultEquityObserved,
)
from ledger.importers import door
from ledger.importers.answers import (
    Answer,
    AnswerKind,
    Found,
    alone,
    first_row,
    in_effective_order,
    joined,
    part,
    read_rows,
    unreadable_row,
)
from ledger.importers.lending import by_token
from ledger.units import (
    MAIN_DEX,
    Address,
    Asset,
    Coin,
    Dex,
    Millis,
    Stream,
    account_stream,
    dex_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ledger.events import Event
    from ledger.importers.base import Json

    Figure = Callable[[Mapping[str, Json], str], Decimal]

MODES: Final = ("default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction")


# ------------------------------------------------------------------------- perpetuals


def perp_state(
    row: Mapping[str, Json],
    *,
    stream: Stream,
    at: Millis,
    dex: Dex | None,
    figure: Figure = door.decimal,
) -> PerpStateObserved:
    """Return one perpetuals side of an account; without *dex*, its positions tell which one.

    Raises: MalformedRecord.
    """
    states = door.array(door.required(row, "assetPositions"), "assetPositions")
    positions = tuple(
        _position(door.record(door.record(item).get("position"), "position"), figure)
        for item in states
    )
    if dex is None:
        dexes = {dex_of(position.coin) for position in positions}
        dex = dexes.pop() if len(dexes) == 1 else MAIN_DEX
    withdrawable = door.optional(figure, row, "withdrawable")
    if withdrawable is None and isinstance(row.get("marginSummary"), dict):
        # Answers of early 2023 carry it among the totals.
        inner = door.record(row["marginSummary"])
        withdrawable = door.optional(figure, inner, "withdrawable")
    return PerpStateObserved(
        stream=stream,
        at=at,
        dex=dex,
        positions=positions,
        summary=_summary(row.get("marginSummary"), figure),
        cross=_summary(row.get("crossMarginSummary"), figure),
        cross_maintenance=door.optional(figure, row, "crossMaintenanceMarginUsed"),
        withdrawable=withdrawable,
    )


def _summary(value: Json, figure: Figure) -> MarginSummary | None:
    """Return totals, or None where they are absent or were emptied by a publisher."""
    if value is None or value == {}:
        return None
    row = door.record(value, "marginSummary")
    return MarginSummary(
        account_value=figure(row, "accountValue"),
        total_notional=figure(row, "totalNtlPos"),
        total_raw_usd=figure(row, "totalRawUsd"),
        total_margin_used=figure(row, "totalMarginUsed"),
    )


def _inner(row: Mapping[str, Json], field: str) -> Mapping[str, Json]:
    return {} if row.get(field) is None else door.record(row[field], field)


def _position(row: Mapping[str, Json], figure: Figure) -> ObservedPosition:
    leverage = _inner(row, "leverage")
    funding = _inner(row, "cumFunding")
    return ObservedPosition(
        coin=Coin(door.text(row, "coin")),
        size=figure(row, "szi"),
        entry_px=door.optional(figure, row, "entryPx"),
        value=door.optional(figure, row, "positionValue"),
        unrealized_pnl=door.optional(figure, row, "unrealizedPnl"),
        leverage_type=door.optional(door.text, leverage, "type"),
        leverage=door.optional(door.integer, leverage, "value"),
        raw_usd=door.optional(figure, leverage, "rawUsd"),
        margin_used=door.optional(figure, row, "marginUsed"),
        max_leverage=door.optional(door.integer, row, "maxLeverage"),
        liquidation_px=door.optional(figure, row, "liquidationPx"),
        return_on_equity=door.optional(figure, row, "returnOnEquity"),
        funding_all_time=door.optional(figure, funding, "allTime"),
        funding_since_open=door.optional(figure, funding, "sinceOpen"),
        funding_since_change=door.optional(figure, funding, "sinceChange"),
    )


def _read_perp_state(answer: Answer) -> Found:
    row = door.record(answer.value)
    at = door.millis(row) if "time" in row else answer.moment
    event = perp_state(row, stream=answer.stream, at=at, dex=answer.asked_dex)
    return alone(answer, answer.stream, event)


def _is_perp_state(value: Json) -> bool:
    return isinstance(value, dict) and "assetPositions" in value


def _read_batch(answer: Answer) -> Found:
    """Read the states of several accounts, told apart by the request alone."""
    if answer.value is None:
        return Found(notes=("batchClearinghouseStates was answered with null: nothing to read",))
    states = door.array(answer.value)
    users = door.array(answer.request.get("users"), "users")
    if len(users) != len(states):
        raise MalformedRecord(
            field="users", found=len(users), expected=f"one for each of {len(states)} states"
        )
    founds: list[Found] = []
    for number, (user, state) in enumerate(zip(users, states, strict=True)):
        try:
            row = door.record(state)
            stream = account_stream(door.address({"user": user}, "user"))
            at = door.millis(row) if "time" in row else answer.moment
            event = perp_state(row, stream=stream, at=at, dex=answer.asked_dex)
        except MalformedRecord as error:
            rows = (unreadable_row(answer, number, state, str(error)),)
            founds.append(Found(unreadable=rows))
        else:
            founds.append(Found(parts=part(answer, stream, (event,), (number,))))
    return joined(founds)


# ------------------------------------------------------------------------- spot


def spot_state(
    row: Mapping[str, Json], *, stream: Stream, at: Millis, figure: Figure = door.decimal
) -> SpotStateObserved:
    """Return the spot side of an account; in portfolio margin, all of it.

    Raises: MalformedRecord.
    """
    balances = door.array(door.required(row, "balances"), "balances")
    return SpotStateObserved(
        stream=stream,
        at=at,
        balances=tuple(_balance(door.record(item), figure) for item in balances),
        margin_enabled=door.optional(door.flag, row, "portfolioMarginEnabled"),
        margin_ratio=door.optional(figure, row, "portfolioMarginRatio"),
        borrow_ratios=_figures(row, "tokenToPortfolioBorrowRatio", figure),
        supply_ratios=_figures(row, "tokenToPortfolioSupplyRatio", figure),
        available=_figures(row, "tokenToAvailableAfterMaintenance", figure),
    )


def _balance(row: Mapping[str, Json], figure: Figure) -> ObservedBalance:
    return ObservedBalance(
        asset=Asset(door.text(row, "coin")),
        token=door.optional(door.integer, row, "token"),
        total=figure(row, "total"),
        hold=figure(row, "hold"),
        entry_notional=door.optional(figure, row, "entryNtl"),
        spot_hold=door.optional(figure, row, "spotHold"),
        ltv=door.optional(figure, row, "ltv"),
        borrowed=door.optional(figure, row, "borrowed"),
        supplied=door.optional(figure, row, "supplied"),
    )


def _figures(row: Mapping[str, Json], field: str, figure: Figure) -> tuple[TokenFigure, ...]:
    value = row.get(field)
    if value is None:
        return ()
    return tuple(
        TokenFigure(token=token, value=figure({field: item}, field))
        for token, item in by_token(value, field)
    )


def _read_spot_state(answer: Answer) -> Found:
    event = spot_state(door.record(answer.value), stream=answer.stream, at=answer.moment)
    return alone(answer, answer.stream, event)


def _is_spot_state(value: Json) -> bool:
    return isinstance(value, dict) and "balances" in value


Mode: TypeAlias = Literal[
    "default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction"
]
"""The venue's words for the ways an account can be kept."""


def mode_changed(value: Json, *, stream: Stream, at: Millis) -> ModeChanged:
    """Return the abstraction mode an account was seen in. Raises: MalformedRecord."""
    mode = door.one_of({"userAbstraction": value}, "userAbstraction", MODES)
    return ModeChanged(stream=stream, at=at, mode=cast("Mode", mode), observed=True)


def _read_mode(answer: Answer) -> Found:
    event = mode_changed(answer.value, stream=answer.stream, at=answer.moment)
    return alone(answer, answer.stream, event)


def _is_mode(value: Json) -> bool:
    return isinstance(value, str) and value in MODES


# ------------------------------------------------------------------------- sub-accounts


def _read_sub_accounts(answer: Answer) -> Found:
    if answer.value is None:
        return Found(notes=("subAccounts was answered with null: the account has none",))
    rows = door.array(answer.value)
    founds: list[Found] = []
    for number, row in enumerate(rows):
        try:
            founds.append(_sub_account(answer, number, door.record(row), alone=len(rows) == 1))
        except MalformedRecord as error:
            text = unreadable_row(answer, number, row, str(error))
            founds.append(Found(unreadable=(text,)))
    return joined(founds)


def _sub_account(answer: Answer, number: int, row: Mapping[str, Json], *, alone: bool) -> Found:
    """Read one sub-account: that it exists, and its states, which all are of one instant.

    A spot state carries no moment; the perpetuals state beside it in the same row does.
    """
    sub = _whose(answer, row, alone=alone)
    stream = account_stream(sub)
    states = _states_by_dex(row)
    at = next((door.millis(state) for _, state in states if "time" in state), None)
    at = answer.moment if at is None else at
    events: list[Event] = [
        perp_state(
            state,
            stream=stream,
            at=door.millis(state) if "time" in state else at,
            dex=dex,
        )
        for dex, state in states
    ]
    if row.get("spotState") is not None:
        spot = door.record(row["spotState"], "spotState")
        events.append(spot_state(spot, stream=stream, at=at))
    if row.get("abstraction") is not None:
        events.append(mode_changed(row["abstraction"], stream=stream, at=at))
    events.sort(key=lambda event: event.at)
    parts = part(answer, stream, events, [number] * len(events))
    if "subAccountUser" not in row:
        return Found(parts=parts)
    master = account_stream(door.address(row, "master"))
    listed = SubAccountObserved(stream=master, at=at, sub_account=sub, name=door.text(row, "name"))
    return Found(parts=part(answer, master, (listed,), (number,)) + parts)


def _whose(answer: Answer, row: Mapping[str, Json], *, alone: bool) -> Address:
    """Return whose states a row holds; a single row without a name may be told by a person."""
    if "subAccountUser" in row or not alone:
        return door.address(row, "subAccountUser")
    if answer.hints.account is None:
        raise NeedsHint(
            name=answer.name,
            question="it is the state of a sub-account that does not say which",
            flag="--account 0x…",
        )
    return answer.hints.account


def _states_by_dex(row: Mapping[str, Json]) -> list[tuple[Dex, Mapping[str, Json]]]:
    """Return the perpetuals states of a row, by exchange; old answers hold the main one alone."""
    if row.get("clearinghouseState") is not None:
        return [(MAIN_DEX, door.record(row["clearinghouseState"], "clearinghouseState"))]
    states: list[tuple[Dex, Mapping[str, Json]]] = []
    field = "dexToClearinghouseState"
    pairs = [] if row.get(field) is None else door.array(row[field], field)
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2):
            found = door.as_text(pair)
            raise MalformedRecord(field=field, found=found, expected="a pair of name and state")
        states.append((Dex(door.text({"dex": pair[0]}, "dex")), door.record(pair[1], field)))
    return states


def _is_sub_accounts(value: Json) -> bool:
    row = first_row(value)
    return "spotState" in row or "subAccountUser" in row


# ------------------------------------------------------------------------- orders


def order(row: Mapping[str, Json]) -> ObservedOrder:
    """Return an order as an answer shows it. Raises: MalformedRecord."""
    return ObservedOrder(
        coin=Coin(door.text(row, "coin")),
        side=cast('Literal["B", "A"]', door.one_of(row, "side", ("B", "A"))),
        limit_px=door.decimal(row, "limitPx"),
        sz=door.decimal(row, "sz"),
        oid=door.integer(row, "oid"),
        placed=door.millis(row, "timestamp"),
        original_sz=door.optional(door.decimal, row, "origSz"),
        order_type=door.optional(door.text, row, "orderType"),
        time_in_force=door.optional(door.text, row, "tif"),
        trigger_px=door.optional(door.decimal, row, "triggerPx"),
        is_trigger=door.optional(door.flag, row, "isTrigger"),
        reduce_only=door.optional(door.flag, row, "reduceOnly"),
        cloid=door.optional(door.text, row, "cloid"),
    )


def _read_open_orders(answer: Answer) -> Found:
    rows = door.array(answer.value)
    orders = tuple(order(door.record(row)) for row in rows)
    event = OrdersObserved(stream=answer.stream, at=answer.moment, orders=orders)
    return alone(answer, answer.stream, event)


def _is_open_orders(value: Json) -> bool:
    return first_row(value).keys() >= {"coin", "limitPx", "oid", "sz", "timestamp"}


def _read_historical_orders(answer: Answer) -> Found:
    rows, stream = door.array(answer.value), answer.stream

    def make(value: Json) -> Event:
        row = door.record(value)
        return OrderStatusObserved(
            stream=stream,
            at=door.millis(row, "statusTimestamp"),
            order=order(door.record(row.get("order"), "order")),
            status=door.text(row, "status"),
        )

    events, numbers, unreadable = read_rows(answer, rows, make)
    events, numbers = in_effective_order(events, numbers, newest_first=True)
    return Found(parts=part(answer, stream, events, numbers), unreadable=tuple(unreadable))


def _is_historical_orders(value: Json) -> bool:
    return first_row(value).keys() >= {"order", "status", "statusTimestamp"}


# ------------------------------------------------------------------------- vaults and staking


def _read_vault_equities(answer: Answer) -> Found:
    rows, stream, at = door.array(answer.value), answer.stream, answer.moment

    def make(value: Json) -> Event:
        row = door.record(value)
        return VaultEquityObserved(
            stream=stream,
            at=at,
            vault=door.address(row, "vaultAddress"),
            equity=door.decimal(row, "equity"),
            locked_until=door.optional(door.millis, row, "lockedUntilTimestamp"),
        )

    events, numbers, unreadable = read_rows(answer, rows, make)
    return Found(parts=part(answer, stream, events, numbers), unreadable=tuple(unreadable))


def _is_vault_equities(value: Json) -> bool:
    return first_row(value).keys() >= {"vaultAddress", "equity"}


def _read_stake(answer: Answer) -> Found:
    row = door.record(answer.value)
    event = StakeObserved(
        stream=answer.stream,
        at=answer.moment,
        delegated=door.decimal(row, "delegated"),
        undelegated=door.decimal(row, "undelegated"),
        pending=door.decimal(row, "totalPendingWithdrawal"),
    )
    return alone(answer, answer.stream, event)


def _is_stake(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() >= {"delegated", "undelegated"}


def _never(value: Json) -> bool:  # noqa: ARG001 - a shape that only its request tells
    return False


def _kind(
    name: str, fits: Callable[[Json], bool], read: Callable[[Answer], Found], *also: str
) -> AnswerKind:
    return AnswerKind(name=name, types=frozenset({name, *also}), fits=fits, read=read)


KINDS: Final = (
    _kind("clearinghouseState", _is_perp_state, _read_perp_state),
    _kind("batchClearinghouseStates", _never, _read_batch),
    _kind("spotClearinghouseState", _is_spot_state, _read_spot_state),
    _kind("userAbstraction", _is_mode, _read_mode),
    _kind("subAccounts", _is_sub_accounts, _read_sub_accounts, "subAccounts2"),
    _kind("openOrders", _is_open_orders, _read_open_orders, "frontendOpenOrders"),
    _kind("historicalOrders", _is_historical_orders, _read_historical_orders),
    _kind("userVaultEquities", _is_vault_equities, _read_vault_equities),
    _kind("delegatorSummary", _is_stake, _read_stake),
)
