"""Room: what each token of a portfolio margin account still allows, from caps to withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from ledger.money import ZERO
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
    short = _shortfalls(sheet, exchanges, whole) if whole.collaterals else []
    for token, available in whole.others:
        plain = _plain(sheet, exchanges, token, available)
        held = next((each for each in whole.collaterals if each.asset == token.asset), None)
        margins[token.asset] = (
            plain
            if held is None
            else _of_collateral(sheet, picture, exchanges, rulebook, whole, held, short, plain)
        )
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
    sheet: Sheet[N], exchanges: Sequence[ExchangeCells[N]], token: Token, available: Cell[N]
) -> TokenMargin:
    asset = token.asset
    return TokenMargin(
        asset=asset,
        is_borrowable=False,
        net=sheet.given("net balance", token.total, of=asset, unit=asset).figure,
        maintenance=pm.maintenance_in(sheet, exchanges, asset).figure,
        available=available.figure,
    )


def _of_collateral(
    sheet: Sheet[N],
    picture: Picture,
    exchanges: Sequence[ExchangeCells[N]],
    rulebook: Rulebook,
    whole: pm.Portfolio[N],
    held: pm.Collateral[N],
    short: list[Cell[N]],
    plain: TokenMargin,
) -> TokenMargin:
    """Return the figures of a token that is collateral; *short* is what others need of it."""
    asset = held.asset
    token = picture.token(asset)
    assert token is not None, "collateral is made of the picture's tokens"
    net = sheet.given("net balance", token.total, of=asset, unit=asset)
    terms = rulebook.terms(asset)
    cap = pm.cap_of(
        sheet, rulebook, asset, "user supply cap", terms.user_supply_cap if terms else None
    )
    return attrs.evolve(
        plain,
        collateral=held.counted.figure,
        power=held.power.figure,
        supply_cap_use=sheet.figure(
            "use of supply cap", formulas.cap_use, net, cap, of=asset
        ).figure,
        can_withdraw=sheet.figure(
            "can still withdraw", formulas.room_to_withdraw, held.balance,
            short, whole.debt, whole.power, held.price, held.ltv,
            of=asset, unit=asset, status="inferred",
        ).figure,
        locked=_locked(sheet, picture, exchanges, held, whole),
    )  # fmt: skip


def _required(sheet: Sheet[N], exchanges: Sequence[ExchangeCells[N]], asset: Asset) -> Cell[N]:
    """Return what transfers require of the exchanges that settle in a token."""
    parts = [each.transfer for each in pm.settled_in(exchanges, asset)]
    return sheet.total("transfer requirement of all", parts, of=asset, unit=asset)


def _shortfalls(
    sheet: Sheet[N], exchanges: Sequence[ExchangeCells[N]], whole: pm.Portfolio[N]
) -> list[Cell[N]]:
    """Return what collateral must back of each token that can be borrowed, in USDC.

    A token that is short of nothing needs no price.
    """
    found = []
    for each in whole.towards:
        short = sheet.figure(
            "short of transfers", formulas.transfer_shortfall,
            _required(sheet, exchanges, each.asset), each.total, of=each.asset, unit=each.asset,
            status="inferred",
        )  # fmt: skip
        if short.value != ZERO:
            found.append(
                sheet.figure("short of transfers, worth", formulas.worth, short, each.price,
                             of=each.asset, unit="USDC", status="inferred")
            )  # fmt: skip
    return found


def _locked(
    sheet: Sheet[N],
    picture: Picture,
    exchanges: Sequence[ExchangeCells[N]],
    held: pm.Collateral[N],
    whole: pm.Portfolio[N],
) -> Figure:
    """Return what is locked of a collateral; recorded holds show it for USDC alone."""
    note = "as if it were the only collateral" if len(whole.collaterals) > 1 else ""
    token = picture.token(USDC)
    total: Given = nothing("no USDC in the picture") if token is None else token.total
    return sheet.figure(
        "locked", formulas.locked_collateral, _required(sheet, exchanges, USDC),
        sheet.given("net balance", total, of=USDC, unit=USDC), held.price, held.ltv,
        of=held.asset, unit=held.asset, note=note,
    ).figure  # fmt: skip
