"""Room: what each token of a portfolio margin account still allows, from caps to withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from projections.arithmetic import Operand
from projections.margin import portfolio as pm
from projections.margin.picture import Given, Input, Token, Unknown, nothing
from projections.margin.result import TokenMargin
from projections.rulebooks import formulas
from projections.rulebooks.base import USDC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.units import Asset
    from projections.margin.perps import ExchangeCells
    from projections.margin.picture import Picture
    from projections.margin.sheet import Cell, Figure, Sheet
    from projections.rulebooks.base import Rulebook

N = TypeVar("N", bound=Operand)


def token_margins(
    sheet: Sheet[N],
    picture: Picture,
    exchanges: Sequence[ExchangeCells[N]],
    rulebook: Rulebook,
    whole: pm.Portfolio[N],
) -> tuple[TokenMargin, ...]:
    """Return the figures of every token of a portfolio margin account, in the picture's order."""
    margins: dict[Asset, TokenMargin] = {}
    for each in whole.towards:
        margins[each.asset] = _borrowable(sheet, picture, rulebook, whole, each)
    for token, available in whole.others:
        margins[token.asset] = _plain(sheet, picture, exchanges, rulebook, whole, token, available)
    return tuple(margins[token.asset] for token in picture.tokens)


def _borrowable(
    sheet: Sheet[N], picture: Picture, rulebook: Rulebook, whole: pm.Portfolio[N], of: pm.Toward[N]
) -> TokenMargin:
    asset, terms = of.asset, rulebook.tokens[of.asset]
    token = picture.token(asset)
    borrowed = sheet.given(
        "borrowed", Unknown(f"borrowed {asset}") if token is None else token.borrowed,
        of=asset, unit=asset,
    )  # fmt: skip
    cap = pm.cap_of(sheet, rulebook, asset, "user borrow cap", terms.user_borrow_cap)
    left = sheet.figure("left of user borrow cap", formulas.left_of, cap, borrowed,
                        of=asset, unit=asset)  # fmt: skip
    limits = [left, *_pool_limits(sheet, picture, rulebook, asset)]
    return TokenMargin(
        asset=asset,
        is_borrowable=True,
        net=of.net.figure,
        maintenance=of.maintenance.figure,
        available=of.available.figure,
        liquidation_value=of.value.figure,
        requirement_observed=of.observed.figure,
        requirement_documented=of.documented.figure,
        ratio_observed=of.ratio_observed.figure,
        ratio_documented=of.ratio_documented.figure,
        ratio=of.ratio.figure,
        excess=of.excess.figure,
        borrow_cap_use=sheet.figure(
            "use of borrow cap", formulas.cap_use, borrowed, cap, of=asset
        ).figure,
        can_borrow=sheet.figure(
            "can still borrow", formulas.room_to_borrow, whole.power, whole.debt, of.price,
            limits, of=asset, unit=asset, status="documented",
            note="" if len(limits) == 3 else "the reserve's own limits are not known",
        ).figure,
    )  # fmt: skip


def _pool_limits(
    sheet: Sheet[N], picture: Picture, rulebook: Rulebook, asset: Asset
) -> list[Cell[N]]:
    """Return what is left of the reserve's cap and what it has at hand, where it is recorded."""
    pool = next((each for each in picture.pools if each.asset == asset), None)
    if pool is None or not (isinstance(pool.balance, Input) and isinstance(pool.borrowed, Input)):
        return []
    terms = rulebook.tokens[asset]
    cap = pm.cap_of(sheet, rulebook, asset, "global borrow cap", terms.global_borrow_cap)
    limits = [sheet.given("reserve at hand", pool.balance, of=asset, unit=asset)]
    if cap.operand is not None:
        used = sheet.given("borrowed by all", pool.borrowed, of=asset, unit=asset)
        limits.append(
            sheet.figure("left of global borrow cap", formulas.left_of, cap, used,
                         of=asset, unit=asset)
        )  # fmt: skip
    return limits


def _plain(
    sheet: Sheet[N],
    picture: Picture,
    exchanges: Sequence[ExchangeCells[N]],
    rulebook: Rulebook,
    whole: pm.Portfolio[N],
    token: Token,
    available: Cell[N],
) -> TokenMargin:
    asset = token.asset
    net = sheet.given("net balance", token.total, of=asset, unit=asset)
    margin = TokenMargin(
        asset=asset,
        is_borrowable=False,
        net=net.figure,
        maintenance=pm.maintenance_in(sheet, exchanges, asset).figure,
        available=available.figure,
    )
    held = next((each for each in whole.collaterals if each.asset == asset), None)
    if held is None:
        return margin
    terms = rulebook.terms(asset)
    cap = pm.cap_of(
        sheet, rulebook, asset, "user supply cap", terms.user_supply_cap if terms else None
    )
    need = _needed(sheet, picture, exchanges)
    return attrs.evolve(
        margin,
        collateral=held.counted.figure,
        power=held.power.figure,
        supply_cap_use=sheet.figure(
            "use of supply cap", formulas.cap_use, net, cap, of=asset
        ).figure,
        can_withdraw=_withdrawable(sheet, held, need, whole),
        locked=_locked(sheet, held, need, whole),
    )


def _needed(
    sheet: Sheet[N], picture: Picture, exchanges: Sequence[ExchangeCells[N]]
) -> tuple[Cell[N], Cell[N]]:
    """Return requirement of transfers and net balance of USDC, which collateral must back."""
    required = sheet.figure(
        "transfer requirement of all", formulas.plain_total,
        [each.transfer for each in pm.settled_in(exchanges, USDC)], of=USDC, unit=USDC,
    )  # fmt: skip
    token = picture.token(USDC)
    total: Given = nothing("no USDC in the picture") if token is None else token.total
    return required, sheet.given("net balance", total, of=USDC, unit=USDC)


def _withdrawable(
    sheet: Sheet[N], held: pm.Collateral[N], need: tuple[Cell[N], Cell[N]], whole: pm.Portfolio[N]
) -> Figure:
    return sheet.figure(
        "can still withdraw", formulas.room_to_withdraw, held.balance, *need, whole.power,
        held.price, held.ltv, of=held.asset, unit=held.asset, status="inferred",
    ).figure  # fmt: skip


def _locked(
    sheet: Sheet[N], held: pm.Collateral[N], need: tuple[Cell[N], Cell[N]], whole: pm.Portfolio[N]
) -> Figure:
    note = "as if it were the only collateral" if len(whole.collaterals) > 1 else ""
    return sheet.figure(
        "locked", formulas.locked_collateral, *need, held.price, held.ltv,
        of=held.asset, unit=held.asset, note=note,
    ).figure  # fmt: skip
