"""Portfolio margin: collateral, power, ratio and room, toward each token that can be borrowed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from ledger.money import ZERO
from ledger.units import Asset
from projections.arithmetic import Operand
from projections.margin.picture import Given, Input, Token, Unknown, known, nothing
from projections.margin.sheet import Cell, Sheet
from projections.rulebooks import formulas
from projections.rulebooks.base import USDC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projections.margin.perps import ExchangeCells
    from projections.margin.picture import Picture
    from projections.rulebooks.base import Parameter, Rulebook, Status

N = TypeVar("N", bound=Operand)

NO_DEBT = "nothing is borrowed"
NO_RECORD = "a net balance is below zero, but no loan is recorded"


@attrs.frozen(kw_only=True)
class Collateral(Generic[N]):
    """One collateral of the account, calculated; in USDC but for balance and price."""

    asset: Asset
    balance: Cell[N]
    price: Cell[N]
    ltv: Cell[N]
    supplied_value: Cell[N]
    counted: Cell[N]
    """What counts in a liquidation."""
    power: Cell[N]
    partial: Cell[N]
    full: Cell[N]
    printed: Cell[N]


@attrs.frozen(kw_only=True)
class Toward(Generic[N]):
    """The ratio toward one borrowable token. **Units**: that token."""

    asset: Asset
    total: Cell[N]
    """The whole net balance, isolated margin in it."""
    net: Cell[N]
    """The part of it that stands behind cross positions, by the reading chosen."""
    price: Cell[N]
    maintenance: Cell[N]
    value: Cell[N]
    observed: Cell[N]
    documented: Cell[N]
    required: Cell[N]
    ratio: Cell[N]
    ratio_observed: Cell[N]
    ratio_documented: Cell[N]
    excess: Cell[N]
    available: Cell[N]
    is_exposed: bool
    """Whether the account has maintenance or debt in it; the ratio is the highest of these."""


@attrs.frozen(kw_only=True)
class Portfolio(Generic[N]):
    """All of a portfolio margin account, calculated."""

    collaterals: tuple[Collateral[N], ...]
    towards: tuple[Toward[N], ...]
    power: Cell[N]
    debt: Cell[N]
    health: Cell[N]
    partial: Cell[N]
    full: Cell[N]
    printed: Cell[N]
    others: tuple[tuple[Token, Cell[N]], ...]
    """Tokens that cannot be borrowed, with what is available of each."""


def ltv_of(token: Token, rulebook: Rulebook, taken: Mapping[str, str]) -> Input | None:
    """Return the loan to value of a token, None when it is no collateral; record before rulebook.

    The record of a day before the rulebook held says nothing about it.
    """
    terms = rulebook.terms(token.asset)
    recorded = token.ltv if isinstance(token.ltv, Input) else None
    if recorded is not None and recorded.at is not None and recorded.at < rulebook.effective_from:
        recorded = None
    found = recorded
    if found is None and terms is not None:
        found = Input(terms.ltv.value, f"rulebook {rulebook.id}")
    if found is None or not found.value:
        return None
    if taken.get("ltv") == "ltv:faq":
        return Input(Decimal("0.5"), "FAQ, as reading ltv:faq")
    return found


def collaterals(
    sheet: Sheet[N], picture: Picture, rulebook: Rulebook, taken: Mapping[str, str]
) -> tuple[Collateral[N], ...]:
    """Return what is supplied of every token that is collateral under the rulebook."""
    found = []
    for token in picture.tokens:
        ltv = ltv_of(token, rulebook, taken)
        if ltv is None or (isinstance(token.supplied, Input) and not token.supplied.value):
            continue
        found.append(_collateral(sheet, token, rulebook, ltv))
    return tuple(found)


def _collateral(sheet: Sheet[N], token: Token, rulebook: Rulebook, ltv: Input) -> Collateral[N]:
    asset = token.asset
    balance = sheet.given("supplied", token.supplied, of=asset, unit=asset)
    price = sheet.given("oracle price", token.price, of=asset, unit="USDC")
    share = sheet.given("loan to value", ltv, of=asset)
    terms = rulebook.terms(asset)
    cap = cap_of(
        sheet, rulebook, asset, "user supply cap", terms.user_supply_cap if terms else None
    )
    threshold = sheet.figure("liquidation threshold", formulas.threshold, share, of=asset)
    return Collateral(
        asset=asset,
        balance=balance,
        price=price,
        ltv=share,
        supplied_value=sheet.figure(
            "collateral", formulas.collateral_worth, balance, cap, price, of=asset, unit="USDC"
        ),
        counted=sheet.figure(
            "collateral value", formulas.haircut_value, balance, cap, price, threshold,
            of=asset, unit="USDC",
        ),
        power=sheet.figure(
            "borrowing power", formulas.borrowing_power, balance, price, share,
            of=asset, unit="USDC", status="documented",
        ),
        partial=threshold,
        full=sheet.figure(
            "full threshold", formulas.full_threshold, share, of=asset, status="documented"
        ),
        printed=sheet.figure(
            "full threshold, printed", formulas.full_threshold_printed, share, of=asset,
            status="documented",
        ),
    )  # fmt: skip


def cap_of(
    sheet: Sheet[N], rulebook: Rulebook, asset: Asset, name: str, cap: Parameter | None
) -> Cell[N]:
    """Return a cap of the rulebook as a cell; one nobody knows is unknown, and not none."""
    given: Given = Unknown(f"{name} of {asset}")
    if cap is not None:
        given = Input(cap.value, f"rulebook {rulebook.id}: {cap.source.text}")
    return sheet.given(name, given, of=asset, unit=asset)


def price_of(sheet: Sheet[N], token: Token) -> Cell[N]:
    """Return the price of a token in USDC; that of USDC is one by definition."""
    price: Given = token.price
    if token.asset == USDC:
        price = Input(Decimal(1), "USDC is the unit of prices")
    return sheet.given("oracle price", price, of=token.asset, unit="USDC")


def portfolio(
    sheet: Sheet[N],
    picture: Picture,
    exchanges: Sequence[ExchangeCells[N]],
    rulebook: Rulebook,
    taken: Mapping[str, str],
) -> Portfolio[N]:
    """Return a portfolio margin account under a rulebook and readings."""
    held = collaterals(sheet, picture, rulebook, taken)
    counted = sheet.figure(
        "collateral value of all", formulas.plain_total, [each.counted for each in held],
        unit="USDC",
    )  # fmt: skip
    power = sheet.figure(
        "borrowing power of all", formulas.plain_total, [each.power for each in held],
        unit="USDC", status="documented",
    )  # fmt: skip
    debt = _debt(sheet, picture)
    towards = tuple(
        _toward(sheet, token, exchanges, rulebook, taken, counted)
        for token in picture.tokens
        if (terms := rulebook.terms(token.asset)) is not None and terms.is_borrowable
    )
    return Portfolio(
        collaterals=held,
        towards=towards,
        power=power,
        debt=debt,
        health=_health(sheet, power, debt, picture),
        partial=_limit(sheet, "partial threshold", held, [each.partial for each in held]),
        full=sheet.figure(
            "full threshold of all", formulas.full_borrow_limit,
            [each.supplied_value for each in held], [each.ltv for each in held],
            unit="USDC", status="documented",
        ),
        printed=_limit(
            sheet, "full threshold of all, printed", held, [each.printed for each in held]
        ),
        others=tuple(
            (token, available_plainly(sheet, token, exchanges))
            for token in picture.tokens
            if (terms := rulebook.terms(token.asset)) is None or not terms.is_borrowable
        ),
    )  # fmt: skip


def _health(sheet: Sheet[N], power: Cell[N], debt: Cell[N], picture: Picture) -> Cell[N]:
    cell = sheet.figure("health factor", formulas.health_factor, power, debt)
    if debt.value == ZERO and not cell.figure.missing:
        totals = [known(token.total) for token in picture.tokens]
        is_short = any(total is not None and total < ZERO for total in totals)
        note = NO_RECORD if is_short else NO_DEBT
        return Cell(attrs.evolve(cell.figure, value=None, note=note), None)
    return cell


def _debt(sheet: Sheet[N], picture: Picture) -> Cell[N]:
    """Return everything borrowed in USDC, gross; tokens without a debt need no price."""
    parts = []
    for token in picture.tokens:
        if isinstance(token.borrowed, Input) and not token.borrowed.value:
            continue
        borrowed = sheet.given("borrowed", token.borrowed, of=token.asset, unit=token.asset)
        parts.append(
            sheet.figure("debt", formulas.worth, borrowed, price_of(sheet, token),
                         of=token.asset, unit="USDC")
        )  # fmt: skip
    return sheet.figure("debt of all", formulas.plain_total, parts, unit="USDC")


def _limit(
    sheet: Sheet[N], name: str, held: Sequence[Collateral[N]], shares: Sequence[Cell[N]]
) -> Cell[N]:
    return sheet.figure(
        name, formulas.borrow_limit, [each.supplied_value for each in held], shares,
        unit="USDC", status="documented",
    )  # fmt: skip


def settled_in(exchanges: Sequence[ExchangeCells[N]], asset: Asset) -> list[ExchangeCells[N]]:
    """Return the exchanges whose money is that token."""
    return [each for each in exchanges if each.exchange.collateral == asset]


def maintenance_in(sheet: Sheet[N], exchanges: Sequence[ExchangeCells[N]], asset: Asset) -> Cell[N]:
    """Return Σ cross maintenance of the exchanges that settle in a token."""
    parts = [each.cross_maintenance for each in settled_in(exchanges, asset)]
    return sheet.total("maintenance of all", parts, of=asset, unit=asset)


def isolated_in(sheet: Sheet[N], exchanges: Sequence[ExchangeCells[N]], asset: Asset) -> Cell[N]:
    """Return Σ isolated margin of the exchanges that settle in a token."""
    parts = [each.isolated for each in settled_in(exchanges, asset)]
    return sheet.total("isolated margin of all", parts, of=asset, unit=asset)


def available_plainly(
    sheet: Sheet[N], token: Token, exchanges: Sequence[ExchangeCells[N]]
) -> Cell[N]:
    """Return what is available of a token without borrowing: net − maintenance − isolated."""
    asset = token.asset
    return sheet.figure(
        "available after maintenance", formulas.unified_available,
        sheet.given("net balance", token.total, of=asset, unit=asset),
        maintenance_in(sheet, exchanges, asset),
        isolated_in(sheet, exchanges, asset),
        of=asset, unit=asset,
    )  # fmt: skip


def _toward(
    sheet: Sheet[N],
    token: Token,
    exchanges: Sequence[ExchangeCells[N]],
    rulebook: Rulebook,
    taken: Mapping[str, str],
    counted: Cell[N],
) -> Toward[N]:
    asset = token.asset
    net = total = sheet.given("net balance", token.total, of=asset, unit=asset)
    price = price_of(sheet, token)
    maintenance = maintenance_in(sheet, exchanges, asset)
    if taken.get("isolated") != "isolated:inside":
        isolated = isolated_in(sheet, exchanges, asset)
        net = sheet.figure(
            "net balance without isolated margin", formulas.free_of, net, isolated,
            of=asset, unit=asset, status="inferred" if isolated.value else "confirmed",
        )  # fmt: skip
    value, stands = _values(sheet, asset, rulebook, net=net, price=price, counted=counted)
    required = _required(sheet, token, rulebook, taken, net=net, price=price, part=maintenance)
    ratios = [
        sheet.figure(name, formulas.margin_ratio, each, value, of=asset, status=each.figure.status)
        for name, each in zip(
            ("margin ratio, observed", "margin ratio, documented", "margin ratio"),
            required, strict=True,
        )
    ]  # fmt: skip
    debts = (maintenance.value, net.value, token.borrowed)
    return Toward(
        asset=asset,
        total=total,
        net=net,
        price=price,
        maintenance=maintenance,
        value=value,
        observed=required[0],
        documented=required[1],
        required=required[2],
        ratio_observed=ratios[0],
        ratio_documented=ratios[1],
        ratio=ratios[2],
        excess=sheet.figure(
            "excess over the trigger", formulas.margin_excess, required[2], value,
            sheet.constant("trigger", rulebook.trigger.value, f"rulebook {rulebook.id}"),
            of=asset, unit=asset, status=required[2].figure.status,
        ),
        available=sheet.figure(
            "available after maintenance", formulas.available, stands, maintenance,
            of=asset, unit=asset, status=stands.figure.status,
        ),
        is_exposed=_is_exposed(*debts),
    )  # fmt: skip


def _values(
    sheet: Sheet[N],
    asset: Asset,
    rulebook: Rulebook,
    *,
    net: Cell[N],
    price: Cell[N],
    counted: Cell[N],
) -> tuple[Cell[N], Cell[N]]:
    """Return what stands against the requirement, and what is available before maintenance.

    The two differ for a net debtor alone: his debt is in the requirement, and not available.
    """
    cap = cap_of(sheet, rulebook, asset, "user borrow cap", rulebook.tokens[asset].user_borrow_cap)
    is_debtor = net.value is not None and net.value < ZERO
    status: Status = "hypothetical" if is_debtor else "confirmed"
    value = sheet.figure(
        "liquidation value", formulas.liquidation_value,
        sheet.figure("net balance, not below zero", formulas.net_asset, net, of=asset),
        cap, counted, price, of=asset, unit=asset, status=status,
    )  # fmt: skip
    if not is_debtor:
        return value, value
    stands = sheet.figure(
        "net balance and collateral", formulas.liquidation_value, net, cap, counted, price,
        of=asset, unit=asset, status=status,
    )  # fmt: skip
    return value, stands


def _is_exposed(maintenance: Decimal | None, net: Decimal | None, borrowed: Given) -> bool:
    """Tell whether there is anything to liquidate toward a token; what is unknown may be."""
    return (
        maintenance is None
        or maintenance > ZERO
        or net is None
        or net < ZERO
        or isinstance(borrowed, Unknown)
        or borrowed.value > ZERO
    )


def _required(
    sheet: Sheet[N],
    token: Token,
    rulebook: Rulebook,
    taken: Mapping[str, str],
    *,
    net: Cell[N],
    price: Cell[N],
    part: Cell[N],
) -> tuple[Cell[N], Cell[N], Cell[N]]:
    """Return the requirement as observed, as documented, and under the readings chosen."""
    asset, source = token.asset, f"rulebook {rulebook.id}"
    owed = sheet.figure(
        "net debt", formulas.net_debt, net, of=asset, unit=asset, status="hypothetical"
    )
    gross = sheet.given("borrowed", token.borrowed, of=asset, unit=asset)
    offset = sheet.constant("offset", rulebook.offset.value, source)
    is_debtor = net.value is not None and net.value < ZERO
    name = "requirement, documented"
    documented = sheet.figure(
        name, formulas.requirement_documented, part, gross, price, offset,
        of=asset, unit=asset, status="documented",
    )  # fmt: skip
    observed = sheet.figure(
        "requirement, observed", formulas.requirement_observed, part, of=asset, unit=asset
    )
    if is_debtor:
        observed = sheet.figure(
            "requirement with a net debt", formulas.requirement_documented, part, owed, price,
            offset, of=asset, unit=asset, status="hypothetical",
            note="no net debtor is recorded: documented terms on the net balance",
        )  # fmt: skip
    always, is_gross = taken.get("offset") == "offset:always", taken.get("debt") == "debt:gross"
    if always and is_gross:
        return observed, documented, documented
    if not always and not is_gross:
        return observed, documented, observed
    # With the offset always and nothing recorded of a price, the token's own is not needed at zero.
    none = sheet.given("no offset", nothing("reading offset:observed"))
    mixed = sheet.figure(
        "requirement, mixed readings", formulas.requirement_documented,
        part, gross if is_gross else owed, price, offset if always or is_debtor else none,
        of=asset, unit=asset, status="hypothetical",
    )  # fmt: skip
    return observed, documented, mixed
