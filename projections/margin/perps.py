"""Perpetuals: positions and exchanges of a picture, as cells of a sheet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from ledger.money import ZERO
from projections.arithmetic import Operand
from projections.margin.picture import Exchange, Input, Position, Step, Unknown, known, nothing
from projections.margin.result import ExchangeMargin, PositionMargin
from projections.margin.sheet import Cell, Figure, Sheet
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Sequence


N = TypeVar("N", bound=Operand)

NO_PRICE = "no positive price uses it up"


@attrs.frozen(kw_only=True)
class PositionCells(Generic[N]):
    """One position, calculated."""

    position: Position
    value: Cell[N]
    signed: Cell[N]
    unrealized: Cell[N]
    initial: Cell[N]
    maintenance: Cell[N]
    max_leverage: Cell[N]
    margin: Cell[N] | None


@attrs.frozen(kw_only=True)
class ExchangeCells(Generic[N]):
    """One exchange, calculated."""

    exchange: Exchange
    positions: tuple[PositionCells[N], ...]
    value: Cell[N]
    cross_value: Cell[N]
    cross_maintenance: Cell[N]
    isolated: Cell[N]
    initial: Cell[N]
    notional: Cell[N]
    transfer: Cell[N]


def exchange_cells(sheet: Sheet[N], exchange: Exchange) -> ExchangeCells[N]:
    """Return one exchange of a picture as cells of a sheet."""
    of = f"dex {exchange.dex}" if exchange.dex else "main dex"
    unit = exchange.collateral
    each = tuple(_position(sheet, position, unit) for position in exchange.positions)
    cross = [cells for cells in each if not cells.position.is_isolated]
    margins = [cells.margin for cells in each if cells.margin is not None]
    value = sheet.figure(
        "account value", formulas.account_value,
        sheet.given("raw money", exchange.raw, of=of, unit=unit),
        [cells.signed for cells in each], of=of, unit=unit,
    )  # fmt: skip
    if value.value is None and isinstance(exchange.reported_value, Input):
        value = sheet.given("account value, recorded", exchange.reported_value, of=of, unit=unit)
    initial = sheet.figure(
        "initial margin of all", formulas.plain_total, [cells.initial for cells in cross],
        of=of, unit=unit,
    )  # fmt: skip
    notional = sheet.figure(
        "notional", formulas.plain_total, [cells.value for cells in cross], of=of, unit=unit
    )
    return ExchangeCells(
        exchange=exchange,
        positions=each,
        value=value,
        cross_value=sheet.figure(
            "cross account value", formulas.cross_value, value, margins, of=of, unit=unit
        ),
        cross_maintenance=_cross_maintenance(sheet, exchange, cross, of),
        isolated=sheet.figure(
            "isolated margin", formulas.plain_total, margins, of=of, unit=unit
        ),
        initial=initial,
        notional=notional,
        transfer=sheet.figure(
            "transfer requirement", formulas.transfer_requirement, initial, notional,
            of=of, unit=unit,
        ),
    )  # fmt: skip


def _cross_maintenance(
    sheet: Sheet[N], exchange: Exchange, cross: Sequence[PositionCells[N]], of: str
) -> Cell[N]:
    unit = exchange.collateral
    cell = sheet.figure(
        "cross maintenance", formulas.cross_maintenance,
        [cells.maintenance for cells in cross], of=of, unit=unit,
    )  # fmt: skip
    if cell.value is None and isinstance(exchange.reported_maintenance, Input):
        return sheet.given(
            "cross maintenance, recorded", exchange.reported_maintenance, of=of, unit=unit
        )
    return cell


def _position(sheet: Sheet[N], position: Position, unit: str) -> PositionCells[N]:
    coin = position.coin
    size = sheet.given("size", position.size, of=coin, unit=coin)
    mark = sheet.given("mark", position.mark, of=coin, unit=unit)
    value = sheet.given("position value", position.value, of=coin, unit=unit)
    side = sheet.given("side", _side(position), of=coin)
    signed = sheet.figure("signed value", formulas.signed_value, side, value, of=coin, unit=unit)
    entry = sheet.given("entry notional", position.entry_notional, of=coin, unit=unit)
    signed_entry = sheet.figure("signed entry", formulas.signed_value, side, entry, of=coin)
    max_leverage, deduction = _tier(sheet, position)
    margin = None
    if position.is_isolated:
        raw = sheet.given("isolated raw money", position.isolated_raw, of=coin, unit=unit)
        margin = sheet.figure(
            "isolated margin", formulas.isolated_margin, raw, signed, of=coin, unit=unit
        )
    del size, mark  # written down for the derivation; the formulas start from the value
    return PositionCells(
        position=position,
        value=value,
        signed=signed,
        unrealized=sheet.figure(
            "unrealized result", formulas.unrealized, signed, signed_entry, of=coin, unit=unit
        ),
        initial=sheet.figure(
            "initial margin", formulas.initial_margin, value,
            sheet.given("leverage", position.leverage, of=coin), of=coin, unit=unit,
        ),
        maintenance=sheet.figure(
            "maintenance", formulas.maintenance, value, max_leverage, deduction,
            of=coin, unit=unit,
        ),
        max_leverage=max_leverage,
        margin=margin,
    )  # fmt: skip


def _side(position: Position) -> Input | Unknown:
    size = position.size
    if isinstance(size, Unknown):
        return size
    return Input(Decimal(-1 if size.value < 0 else 1), "sign of the size", size.at)


def tier_at(tiers: Sequence[Step], value: Decimal) -> int:
    """Return which tier a notional is in: the last whose bound it is above."""
    number = 0
    for each in range(1, len(tiers)):
        if value > tiers[each].lower_bound:
            number = each
    return number


def _tier(sheet: Sheet[N], position: Position) -> tuple[Cell[N], Cell[N]]:
    """Return highest leverage and deduction of the tier the position is in."""
    coin, value = position.coin, known(position.value)
    if isinstance(position.tiers, Unknown):
        lacking = sheet.given("highest leverage", position.tiers, of=coin)
        return lacking, lacking
    if value is None:
        lacking = sheet.given("position value", position.value, of=coin)
        return lacking, lacking
    deduction = sheet.given("deduction", nothing("first tier"), of=coin)
    number = tier_at(position.tiers, value)
    source = "margin table" if len(position.tiers) > 1 else "highest leverage of the market"
    leverages = [
        sheet.constant(
            "highest leverage" if each == number else f"highest leverage {each}",
            position.tiers[each].max_leverage, source, of=coin,
        )
        for each in range(number + 1)
    ]  # fmt: skip
    rates = [
        sheet.figure("maintenance rate", formulas.maintenance_rate, each, of=coin)
        for each in leverages
    ]
    for each in range(1, number + 1):
        bound = sheet.constant(
            f"lower bound {each}", position.tiers[each].lower_bound, source, of=coin
        )
        deduction = sheet.figure(
            "tier deduction", formulas.tier_deduction,
            deduction, bound, rates[each], rates[each - 1], of=coin,
        )  # fmt: skip
    return leverages[number], deduction


def exchange_margin(sheet: Sheet[N], cells: ExchangeCells[N], *, pool: Cell[N]) -> ExchangeMargin:
    """Return an exchange's figures; *pool* is what its cross positions share beyond maintenance."""
    return ExchangeMargin(
        dex=cells.exchange.dex,
        collateral=cells.exchange.collateral,
        account_value=cells.value.figure,
        cross_value=cells.cross_value.figure,
        cross_maintenance=cells.cross_maintenance.figure,
        isolated_margin=cells.isolated.figure,
        initial=cells.initial.figure,
        notional=cells.notional.figure,
        transfer_requirement=cells.transfer.figure,
        positions=tuple(_margin(sheet, each, cells.exchange, pool) for each in cells.positions),
    )


def _margin(
    sheet: Sheet[N], cells: PositionCells[N], exchange: Exchange, pool: Cell[N]
) -> PositionMargin:
    position, coin, unit = cells.position, cells.position.coin, exchange.collateral
    free = pool
    if cells.margin is not None:
        free = sheet.figure(
            "free of the position", formulas.free_of, cells.margin, cells.maintenance,
            of=coin, unit=unit,
        )  # fmt: skip
    price = sheet.figure(
        "liquidation price", formulas.liquidation_price,
        sheet.given("mark", position.mark, of=coin, unit=unit),
        sheet.given("side", _side(position), of=coin),
        free,
        sheet.given("size", position.size, of=coin, unit=coin),
        cells.max_leverage,
        of=coin, unit=unit,
    )  # fmt: skip
    return PositionMargin(
        coin=coin,
        dex=exchange.dex,
        is_isolated=position.is_isolated,
        size=known(position.size),
        mark=known(position.mark),
        value=cells.value.figure,
        unrealized=cells.unrealized.figure,
        return_on_equity=sheet.figure(
            "return on equity",
            formulas.return_on_equity,
            cells.unrealized,
            sheet.given("entry notional", position.entry_notional, of=coin, unit=unit),
            sheet.given("leverage", position.leverage, of=coin),
            of=coin,
        ).figure,
        initial=cells.initial.figure,
        maintenance=cells.maintenance.figure,
        margin=None if cells.margin is None else cells.margin.figure,
        free=free.figure,
        liquidation_price=_positive(price.figure),
    )


def _positive(figure: Figure) -> Figure:
    """Return a price as the venue shows it: none where it would not be positive."""
    if figure.value is not None and figure.value <= ZERO:
        return attrs.evolve(figure, value=None, note=NO_PRICE)
    return figure
