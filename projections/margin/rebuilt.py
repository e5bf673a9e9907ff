"""Pictures of what a history leads to: balances, positions, loans and prices at an instant.

Money is the sum of what is recorded. Where the history does not begin at the account's beginning,
an earlier observed picture with the balances of its own moment (``Anchor``) says where the sums
start; without one, and without the caller's word that nothing is missing, money is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from ledger.events import MarginTableSet, MarketListed
from ledger.money import ZERO, exact
from ledger.units import MAIN_DEX, Asset, Coin, Dex, Millis
from projections import chart
from projections.arithmetic import EXACT
from projections.chart import Place
from projections.lending import SIDES
from projections.margin.observed import collateral_of, tiers
from projections.margin.picture import (
    SINGLE_BALANCE,
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
from projections.positions import entry_notional, stated_size
from projections.postings import is_perp
from projections.prices import last
from projections.rulebooks import formulas
from projections.rulebooks.base import USDC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.events import Event, ReserveObserved
    from ledger.units import Address
    from projections.fold import States
    from projections.lending import Key, Loan, Side
    from projections.margin.picture import Mode
    from projections.positions import Position as Held
    from projections.prices import State as Prices
    from projections.reference import Reference

LEDGER: Final = "sum of recorded movements"

MEASURES: Final = ("mark", "mid", "oracle", "last")
"""Prices that stand for a mark, the best first; the source says which it was."""

NO_RAW: Final = Unknown("isolated raw money")

UNDERLYING: Final[Mapping[Asset, Coin]] = {
    Asset("HYPE"): Coin("HYPE"), Asset("UBTC"): Coin("BTC"), Asset("UETH"): Coin("ETH"),
    Asset("USOL"): Coin("SOL"),
}  # fmt: skip
"""Perpetual market of what a token stands for."""

Balances = Mapping[tuple[Place, Asset], Decimal]


@attrs.frozen(kw_only=True)
class Anchor:
    """An observed picture, and the sums of recorded movements at its own moment."""

    picture: Picture
    balances: Balances


@attrs.frozen(kw_only=True)
class Settings:
    """What an account chose for a market, as last observed."""

    leverage: Given
    is_isolated: bool = False
    isolated_raw: Given = NO_RAW


def rebuilt(
    states: States,
    *,
    at: Millis,
    account: Address | None,
    mode: Mode | None,
    reference: Reference,
    prices: Prices,
    loans: Mapping[Key, Loan] | None = None,
    reserves: Iterable[ReserveObserved] = (),
    tables: Mapping[Coin, tuple[Step, ...]] | None = None,
    settings: Mapping[Coin, Settings] | None = None,
    anchor: Anchor | None = None,
    is_complete: bool = False,
) -> Picture:
    """Return the picture a folded history leads to.

    *prices* is the state of the prices projection over market, reserve and account events up to
    the instant; *reserves* the last state of each reserve; *loans* what ``lending`` says (without
    it the recorded operations and rows stand). *is_complete* says that the history begins with
    the account. Positions are taken for cross positions where *settings* do not say otherwise.

    Raises: UnknownKind, when balances or positions stopped at a kind not known.
    """
    balances: Balances = states.state("balances").by_key
    held: Mapping[str, Held] = states.state("positions").by_key
    pools = {each.asset: each for each in reserves}
    money = _Money(balances, anchor, is_complete=is_complete, at=at)
    with exact():
        exchanges = _exchanges(money, held, reference, prices, tables or {}, settings or {}, at)
        return Picture(
            at=at,
            account=account,
            mode=mode,
            mode_source="last recorded mode" if mode else "unknown",
            tokens=_tokens(money, mode, exchanges, prices, pools, loans, at),
            exchanges=exchanges,
            pools=tuple(
                Pool(
                    asset=each.asset,
                    balance=_recorded(each.balance, each),
                    borrowed=_recorded(each.borrowed, each),
                )
                for each in pools.values()
            ),
        )


def _recorded(value: Decimal | None, of: ReserveObserved) -> Given:
    if value is None:
        return Unknown(f"state of the reserve of {of.asset}")
    return Input(value, "reserve state", of.at)


class _Money:
    """Sums of movements, from the beginning or from an anchor on."""

    def __init__(
        self, balances: Balances, anchor: Anchor | None, *, is_complete: bool, at: Millis
    ) -> None:
        self.balances = balances
        self.anchor = anchor
        self.is_known = is_complete or anchor is not None
        self.at = at

    def moved(self, place: Place, asset: Asset) -> Decimal:
        """Return what came to a place since the anchor, or since the beginning."""
        before = ZERO if self.anchor is None else self.anchor.balances.get((place, asset), ZERO)
        return self.balances.get((place, asset), ZERO) - before

    def at_place(self, place: Place, asset: Asset, start: Given | None) -> Given:
        """Return the money at a place: *start* (of the anchor) and what came since."""
        if self.anchor is None:
            if not self.is_known:
                return Unknown(f"balance of {asset} before the first record ({place})")
            return Input(self.moved(place, asset), LEDGER, self.at)
        if not isinstance(start, Input):
            return Unknown(f"balance of {asset} in the observed state ({place})")
        source = f"{start.source}, and recorded movements since"
        return Input(start.value + self.moved(place, asset), source, self.at)


# ------------------------------------------------------------------------- perpetuals


def _exchanges(
    money: _Money,
    held: Mapping[str, Held],
    reference: Reference,
    prices: Prices,
    tables: Mapping[Coin, tuple[Step, ...]],
    settings: Mapping[Coin, Settings],
    at: Millis,
) -> tuple[Exchange, ...]:
    coins = [
        Coin(key)
        for key, each in held.items()
        if not key.startswith("spot:") and is_perp(Coin(key)) and stated_size(each)
    ]
    names = {dex_of(coin) for coin in coins} | {
        Dex(place.removeprefix("perp:")) for place, _ in money.balances if place[:5] == "perp:"
    }
    observed = money.anchor.picture.exchanges if money.anchor else ()
    names |= {each.dex for each in observed} | {MAIN_DEX}
    found = []
    for dex in sorted(names):
        start = next((each for each in observed if each.dex == dex), None)
        collateral = collateral_of(dex, reference)
        # An exchange the earlier picture does not show had no money then.
        raw = nothing("not in the observed state") if start is None else start.raw
        positions = [
            _position(coin, held[coin], prices, tables.get(coin), settings.get(coin), at)
            for coin in sorted(coins)
            if dex_of(coin) == dex
        ]
        # A position the earlier picture shows, and of which no fill is recorded, is still there.
        positions += [
            _carried(each, prices, tables.get(each.coin))
            for each in (start.positions if start is not None else ())
            if each.coin not in held
        ]
        found.append(
            Exchange(
                dex=dex,
                collateral=collateral,
                raw=money.at_place(chart.perp(dex), collateral, raw),
                positions=tuple(sorted(positions, key=lambda each: each.coin)),
            )
        )
    return tuple(found)


def _carried(position: Position, prices: Prices, table: tuple[Step, ...] | None) -> Position:
    """Return a position of the earlier picture as it stands now: the same, at the last mark."""
    mark = mark_of(prices, position.coin)
    if isinstance(mark, Unknown):
        mark = position.mark
    return attrs.evolve(
        position,
        mark=mark,
        value=combined("|size| × mark", lambda one, two: abs(one) * two, position.size, mark),
        tiers=table or position.tiers,
        isolated_raw=Unknown(f"isolated raw money of {position.coin}"),
    )


def dex_of(coin: Coin) -> Dex:
    """Return the exchange a perpetual is traded on, by its name."""
    return Dex(coin.partition(":")[0]) if ":" in coin else MAIN_DEX


def _position(
    coin: Coin,
    of: Held,
    prices: Prices,
    table: tuple[Step, ...] | None,
    chosen: Settings | None,
    at: Millis,
) -> Position:
    size = Input(stated_size(of), "positions rebuilt from fills", at)
    mark = mark_of(prices, coin)
    cost = entry_notional(of)
    return Position(
        coin=coin,
        size=size,
        mark=mark,
        value=combined("|size| × mark", lambda one, two: abs(one) * two, size, mark),
        entry_notional=Unknown(f"entry notional of {coin}")
        if cost is None
        else Input(cost, "positions rebuilt from fills", at),
        leverage=Unknown(f"leverage of {coin}") if chosen is None else chosen.leverage,
        tiers=tiers(coin, None, table, at),
        is_isolated=chosen is not None and chosen.is_isolated,
        isolated_raw=Unknown(f"isolated raw money of {coin}")
        if chosen is None
        else chosen.isolated_raw,
    )


def mark_of(prices: Prices, coin: Coin) -> Given:
    """Return the mark of a market: the best price known, its source saying which."""
    for measure in MEASURES:
        price = last(prices, coin, measure)
        if price is not None:
            said = price.via if measure == "mark" else f"{price.via}: {measure} for the mark"
            return Input(price.px, said, price.at)
    return Unknown(f"mark of {coin}")


def oracle_of(prices: Prices, asset: Asset, pool: ReserveObserved | None) -> Given:
    """Return the oracle price of a token: of its reserve, else of the market it stands for."""
    if asset == USDC:
        return Input(Decimal(1), "USDC is the unit of prices")
    recorded = None if pool is None else Input(pool.oracle_px, "reserve state", pool.at)
    coin = UNDERLYING.get(asset)
    for measure in ("oracle", *MEASURES) if coin is not None else ():
        price = last(prices, coin, measure) if coin is not None else None
        if price is not None and (recorded is None or price.at > (recorded.at or 0)):
            return Input(
                price.px, f"{price.via}: {measure} of {coin} for the oracle price", price.at
            )
    return Unknown(f"oracle price of {asset}") if recorded is None else recorded


# ------------------------------------------------------------------------- tokens


def _tokens(
    money: _Money,
    mode: Mode | None,
    exchanges: tuple[Exchange, ...],
    prices: Prices,
    pools: Mapping[Asset, ReserveObserved],
    loans: Mapping[Key, Loan] | None,
    at: Millis,
) -> tuple[Token, ...]:
    names = {asset for place, asset in money.balances if place in {chart.SPOT, chart.SUPPLIED}}
    names |= {asset for place, asset in money.balances if place == chart.BORROWED} | {USDC}
    # A token may be held on its exchange alone, and still be what that exchange is margined in.
    names |= {each.collateral for each in exchanges}
    if money.anchor is not None:
        names |= {each.asset for each in money.anchor.picture.tokens}
    found = []
    for asset in sorted(names):
        supplied = _loan(money, asset, loans, at, is_supply=True)
        borrowed = _loan(money, asset, loans, at, is_supply=False)
        at_hand = money.at_place(chart.SPOT, asset, _at_hand(money, asset))
        if isinstance(at_hand, Input):
            at_hand = attrs.evolve(at_hand, value=at_hand.value + _unrecorded(money, asset, loans))
        pool = pools.get(asset)
        found.append(
            Token(
                asset=asset,
                total=_total(mode, asset, at_hand, supplied, borrowed, exchanges),
                supplied=supplied,
                borrowed=borrowed,
                spot_hold=Unknown(f"spot hold of {asset}"),
                price=oracle_of(prices, asset, pool),
                ltv=None if pool is None else Input(pool.ltv, "reserve state", pool.at),
            )
        )
    return tuple(found)


def _loan(
    money: _Money,
    asset: Asset,
    loans: Mapping[Key, Loan] | None,
    at: Millis,
    *,
    is_supply: bool,
) -> Given:
    loan = (loans or {}).get((asset, "supply" if is_supply else "borrow"))
    if loan is not None:
        how = "by rows" if loan.value is None else "by rule"
        return Input(loan.best, f"{loan.source}, interest since {how}", at)
    place = chart.SUPPLIED if is_supply else chart.BORROWED
    start: Given = nothing("not in the observed state")
    token = money.anchor.picture.token(asset) if money.anchor else None
    if token is not None:
        start = token.supplied if is_supply else token.borrowed
    if not is_supply and isinstance(start, Input):
        start = attrs.evolve(start, value=ZERO - start.value)  # what is owed is kept negative
    found = money.at_place(place, asset, start)
    if isinstance(found, Input) and not is_supply:
        return attrs.evolve(found, value=ZERO - found.value)
    return found


def _unrecorded(money: _Money, asset: Asset, loans: Mapping[Key, Loan] | None) -> Decimal:
    """Return what came to the money at hand with loans that only a recorded state shows.

    Such a loan is in what is supplied or owed already; without this it would count twice.
    """
    anchor = None if money.anchor is None else money.anchor.picture
    token = None if anchor is None else anchor.token(asset)
    came = ZERO
    for side in SIDES:
        loan = (loans or {}).get((asset, side))
        start = None if token is None else token.supplied if side == "supply" else token.borrowed
        for jump in loan.jumps if loan is not None else ():
            is_first = jump.since == 0
            # What the earlier picture shows lent already is not moved by being shown again.
            was_there = is_first and isinstance(start, Input) and start.value != ZERO
            if (anchor is None or jump.until > anchor.at) and not was_there:
                came += jump.amount if side == "borrow" else -jump.amount
    return came


def with_recorded_loans(
    picture: Picture, recorded: Picture, moved: Collection[tuple[Asset, Side]]
) -> Picture:
    """Return the picture with loans as *recorded*, a state of its very moment, shows them.

    *moved* are those that changed without a record of it; of the others ours stay, to be held
    against the state. Balances stay, too: what was lent or borrowed only changed its place.
    """
    tokens = []
    for token in picture.tokens:
        seen = recorded.token(token.asset)
        if seen is not None and (token.asset, "supply") in moved:
            token = attrs.evolve(token, supplied=seen.supplied)  # noqa: PLW2901 - one field of it
        if seen is not None and (token.asset, "borrow") in moved:
            token = attrs.evolve(token, borrowed=seen.borrowed)  # noqa: PLW2901 - as above
        tokens.append(token)
    return attrs.evolve(picture, tokens=tuple(tokens))


def _at_hand(money: _Money, asset: Asset) -> Given | None:
    """Return what the anchor had of a token neither lent nor on an exchange."""
    if money.anchor is None:
        return None
    picture = money.anchor.picture
    token = picture.token(asset)
    if token is None:
        return nothing("not in the observed state")
    if picture.mode not in SINGLE_BALANCE:
        return token.total
    values = [value_of(each) for each in picture.exchanges if each.collateral == asset]
    return combined(
        "total − exchanges − supplied + borrowed",
        lambda total, supplied, borrowed, *each: formulas.idle(
            EXACT, total, list(each), supplied, ZERO, borrowed
        ),
        token.total, token.supplied, token.borrowed, *values,
    )  # fmt: skip


def value_of(exchange: Exchange) -> Given:
    """Return the value of an exchange in a picture: raw money and the values of its positions."""
    if isinstance(exchange.reported_value, Input):
        return exchange.reported_value
    signed = [
        combined("signed value", lambda size, value: value if size >= ZERO else -value,
                 each.size, each.value)
        for each in exchange.positions
    ]  # fmt: skip
    return combined(
        "raw money + Σ signed values",
        lambda raw, *values: formulas.account_value(EXACT, raw, list(values)),
        exchange.raw, *signed,
    )  # fmt: skip


def _total(
    mode: Mode | None,
    asset: Asset,
    at_hand: Given,
    supplied: Given,
    borrowed: Given,
    exchanges: tuple[Exchange, ...],
) -> Given:
    """Return the total of a token as the mode counts it: net and marked, or what is at hand."""
    if mode not in SINGLE_BALANCE:
        return at_hand
    values = [value_of(each) for each in exchanges if each.collateral == asset]
    return combined(
        "Σ exchanges + supplied + at hand − borrowed",
        lambda hand, lent, owed, *each: formulas.net_total(EXACT, hand, lent, owed, list(each)),
        at_hand, supplied, borrowed, *values,
    )  # fmt: skip


# ------------------------------------------------------------------------- market metadata


def market_tables(events: Iterable[Event], at: Millis) -> dict[Coin, tuple[Step, ...]]:
    """Return the margin tiers of every market as recorded up to an instant.

    A table number below 50 means one tier of that highest leverage. **Source**: margin tiers page.
    """
    listed: dict[Coin, MarketListed] = {}
    tables: dict[tuple[Dex, int], MarginTableSet] = {}
    for event in events:
        if event.at > at:
            continue
        if isinstance(event, MarketListed):
            before = listed.get(event.coin)
            if before is None or before.at <= event.at:
                listed[event.coin] = event
        elif isinstance(event, MarginTableSet):
            known = tables.get((event.dex, event.table))
            if known is None or known.at <= event.at:
                tables[event.dex, event.table] = event
    return {coin: steps for coin, each in listed.items() if (steps := _steps(each, tables))}


def _steps(
    listed: MarketListed, tables: Mapping[tuple[Dex, int], MarginTableSet]
) -> tuple[Step, ...]:
    number = listed.margin_table
    table = tables.get((listed.dex, number)) if number is not None else None
    if table is not None:
        return tuple(
            Step(lower_bound=each.lower_bound, max_leverage=Decimal(each.max_leverage))
            for each in table.tiers
        )
    if number is not None and 0 < number < 50:
        return (Step(lower_bound=ZERO, max_leverage=Decimal(number)),)
    if number is None and listed.max_leverage is not None:
        return (Step(lower_bound=ZERO, max_leverage=Decimal(listed.max_leverage)),)
    return ()
