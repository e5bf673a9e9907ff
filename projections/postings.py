"""Postings: what each event means for money, as legs that sum to zero per asset.

This is the only place where an event is given a meaning for balances. It is written as *moves*:
an amount of an asset goes to one place and comes from another, so that nothing can appear or
vanish. A posting is one leg of a move.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import attrs

from ledger import events as ev
from ledger.codec import event_id
from ledger.errors import UnknownKind
from ledger.money import ZERO, places, round_half_even
from ledger.units import Asset, Coin, is_outcome, is_spot, stream_account
from projections import chart
from projections.chart import HYPE, MAIN_PERP, SPOT, USDC, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.events import Event
    from projections.reference import Reference

PERP_PLACES: Final = 6
"""Decimal places the venue keeps of money on a perpetuals side."""

TOKEN_PLACES: Final = 8
"""Decimal places the venue keeps of USDC and HYPE on the spot side, and of fees."""

MOST_PLACES: Final = 10
"""Most decimal places of any token balance: nothing finer is cut where metadata does not say.
Source: weiDecimals in the venue's spot metadata, 5 to 10, read 2025-11-09."""


@attrs.frozen(kw_only=True)
class Posting:
    """One leg: what came to a place (positive) or went from it (negative)."""

    place: Place
    asset: Asset
    amount: Decimal


Move: TypeAlias = tuple[Place, Place, Asset, Decimal]
"""(to, from, asset, amount): two legs in one. A plain tuple, for every fill makes three."""

Moves: TypeAlias = tuple[Move, ...]

NOTHING: Final[Moves] = ()


def postings(event: Event, reference: Reference) -> tuple[Posting, ...]:
    """Return the legs of an event, two for each move that is not nothing.

    **Units**: each leg in its own asset; sizes of perpetuals in the pseudo-asset of their market.
    Must be called in the exact context (``ledger.money.exact``).

    Raises: UnknownKind, for a record whose meaning is not known.
    """
    legs: list[Posting] = []
    for target, source, asset, amount in moves(event, reference):
        if amount:
            legs.append(Posting(place=target, asset=asset, amount=amount))
            legs.append(Posting(place=source, asset=asset, amount=-amount))
    return tuple(legs)


def moves(event: Event, reference: Reference) -> Moves:
    """Return what an event moves, from where to where.

    Raises: UnknownKind, for a record whose meaning is not known.
    """
    match event:
        case ev.Filled():
            if is_perp(event.coin):
                return _perp_filled(event, reference)
            return _spot_filled(event, reference)
        case ev.FundingPaid():
            asset = reference.collateral_of(event.coin)
            return ((chart.perp_of(event.coin), chart.FUNDING, asset, event.usdc),)
        case ev.InterestAccrued():
            return (
                (chart.SUPPLIED, chart.LENDING, event.asset, event.supply),
                (chart.LENDING, chart.BORROWED, event.asset, event.borrow),
            )
        case ev.ReserveOperated():
            return _reserve_operated(event)
        case ev.Transferred():
            return _transferred(event, reference)
        case (
            ev.Deposited() | ev.Withdrawn() | ev.ClassTransferred() | ev.ActivationCharged()
            | ev.RewardsClaimed() | ev.GenesisReceived() | ev.AuctionPaid()
            | ev.StakingTransferred()
        ):  # fmt: skip
            return _simple_cash(event, reference)
        case (
            ev.VaultCreated() | ev.VaultDeposited() | ev.VaultWithdrawn() | ev.VaultDistributed()
            | ev.LeaderCommissionReceived()
        ):  # fmt: skip
            return _vault(event)
        case ev.Opened():
            return _opened(event)
        case ev.Unrecognized():
            raise UnknownKind(
                kind=event.venue_type, event=event_id(event), at=event.at, projection="postings"
            )
        case ev.DexAbstractionActivated():  # which way is not recorded: only a check speaks of it
            return NOTHING
        case ev.StakeChanged():  # told again as a staking transfer, and that one moves
            return NOTHING
        case ev.Liquidated():  # the money of a liquidation moves in its fills
            return NOTHING
        case (
            ev.PriceObserved() | ev.CandleObserved() | ev.FundingRateSet() | ev.ReserveObserved()
            | ev.MarginTableSet() | ev.MarketListed() | ev.TokenListed() | ev.PairListed()
            | ev.DexListed() | ev.ModeChanged() | ev.PerpStateObserved() | ev.SpotStateObserved()
            | ev.LendingStateObserved() | ev.OrdersObserved() | ev.OrderStatusObserved()
            | ev.SubAccountObserved() | ev.VaultEquityObserved() | ev.StakeObserved() | ev.Noted()
            | ev.Annulled() | ev.Replaced() | ev.Contradicted() | ev.Ordered() | ev.Quarantined()
            | ev.Reconciled() | ev.BreakOpened() | ev.BreakVanished() | ev.BreakAssigned()
            | ev.BreakExplained() | ev.BreakApproved() | ev.BreakClosed() | ev.BreakCarried()
            | ev.PeriodClosed() | ev.GroupDefined()
        ):  # fmt: skip
            return NOTHING
        case _:
            assert_never(event)


@cache
def is_perp(coin: Coin) -> bool:
    """Tell whether a market is a perpetual: neither tokens against tokens nor outcome shares."""
    return not (is_spot(coin) or is_outcome(coin))


def paid(event: ev.Filled) -> Decimal:
    """Return what changed hands in a fill, price × size, always with the sign of the price.

    Exact. Only rows a web export has summed up carry an average price, whose product is off by
    its rounding (it has more than eight decimal places): there the row's own value, freed of
    binary noise, holds.
    """
    product = event.px * event.sz
    notional = event.notional
    if notional is None or places(product) <= TOKEN_PLACES:
        return product
    return round_half_even(notional, PERP_PLACES)


def fee_asset(event: ev.Filled, reference: Reference) -> Asset:
    """Return the token a fill was charged in: as recorded, else as the venue's rule has it.

    Perpetuals pay in their collateral, buyers of tokens in the token bought, sellers in the token
    received. **Source**: recorded fills (986.87 bought, 0.34540448 charged, 986.52459552 held).
    """
    if event.fee_asset is not None:
        return event.fee_asset
    if is_perp(event.coin):
        return reference.collateral_of(event.coin)
    base, quote = reference.pair(event.coin)
    return base if event.side == "B" else quote


def _perp_filled(event: ev.Filled, reference: Reference) -> Moves:
    coin, charged = event.coin, event.fee_asset
    asset = reference.collateral_of(coin) if charged is None else charged
    fee = event.fee or None
    return perp_moves(coin, event.side, asset, size=event.sz, cash=paid(event), fee=fee)


def perp_moves(
    coin: Coin, side: str, asset: Asset, *, size: Decimal, cash: Decimal, fee: Decimal | None
) -> Moves:
    """Return what a perpetual's fill moves, or a sum of fills: size in, money out, fee out.

    The fee already includes the builder's share; None moves nothing. **Units**: ``size`` in the
    coin, ``cash`` and ``fee`` in *asset*, size and cash without sign.
    """
    money, position, size_asset = chart.of_perp(coin)
    if side == "B":
        into: Move = (position, chart.TRADING, size_asset, size)
        out: Move = (chart.TRADING, money, asset, cash)
    else:
        into = (money, chart.TRADING, asset, cash)
        out = (chart.TRADING, position, size_asset, size)
    if fee is None:
        return (into, out)
    return (into, out, (chart.FEES, money, asset, fee))


def _spot_filled(event: ev.Filled, reference: Reference) -> Moves:
    """One token in, the other out, fee out."""
    base, quote = reference.pair(event.coin)
    cash = paid(event)
    bought, sold = (base, quote) if event.side == "B" else (quote, base)
    into, out = (event.sz, cash) if event.side == "B" else (cash, event.sz)
    traded: Moves = ((SPOT, chart.TRADING, bought, into), (chart.TRADING, SPOT, sold, out))
    if not event.fee:
        return traded
    return (*traded, (chart.FEES, SPOT, fee_asset(event, reference), event.fee))


def _reserve_operated(event: ev.ReserveOperated) -> Moves:
    """Tokens between the spot side and the reserve; what is owed is kept as a negative balance."""
    match event.operation:
        case "supply":
            return ((chart.SUPPLIED, SPOT, event.asset, event.amount),)
        case "withdraw":
            return ((SPOT, chart.SUPPLIED, event.asset, event.amount),)
        case "borrow":
            return ((SPOT, chart.BORROWED, event.asset, event.amount),)
        case "repay":
            return ((chart.BORROWED, SPOT, event.asset, event.amount),)
        case _:
            assert_never(event.operation)


def _transferred(event: ev.Transferred, reference: Reference) -> Moves:
    """Between accounts, or between sides of this one, by who is named as sender and recipient.

    The other account's side waits in transit. When only one party is named and it is not this
    account, this account is the other party. When neither is named nothing can be said and
    nothing moves: the check ``transfers`` speaks of it.
    """
    own = stream_account(event.stream)
    sends = event.sender == own or (event.sender is None and event.recipient not in {None, own})
    receives = event.recipient == own or (
        event.recipient is None and event.sender not in {None, own}
    )
    amount = _transferred_amount(event, reference)
    source, target = chart.side(event.source), chart.side(event.target)
    waiting = chart.in_transit(tx_hash=event.tx_hash, nonce=event.nonce, at=event.at)
    if sends and receives:
        moved: Moves = ((target, source, event.asset, amount),)
    elif sends:
        moved = ((waiting, source, event.asset, amount),)
    elif receives:
        return ((target, waiting, event.asset, amount),)
    else:
        return NOTHING
    return (
        *moved,
        (chart.FEES, source, event.fee_asset or USDC, _settled(event.fee, TOKEN_PLACES)),
        (chart.FEES, SPOT, HYPE, _settled(event.native_fee, TOKEN_PLACES)),
    )


def _transferred_amount(event: ev.Transferred, reference: Reference) -> Decimal:
    if event.venue_type in {"internalTransfer", "subAccountTransfer"}:
        return _usd(event.amount)
    return _token(event.asset, event.amount, reference)


def _simple_cash(
    event: ev.Deposited
    | ev.Withdrawn
    | ev.ClassTransferred
    | ev.ActivationCharged
    | ev.RewardsClaimed
    | ev.GenesisReceived
    | ev.AuctionPaid
    | ev.StakingTransferred,
    reference: Reference,
) -> Moves:
    """One amount between two places that the kind of the event names."""
    match event:
        case ev.Deposited():
            return ((MAIN_PERP, chart.OUTSIDE, USDC, _usd(event.usdc)),)
        case ev.Withdrawn():
            return (
                (chart.OUTSIDE, MAIN_PERP, USDC, _usd(event.usdc)),
                (chart.FEES, MAIN_PERP, USDC, _usd(event.fee)),
            )
        case ev.ClassTransferred():
            side = chart.perp(event.dex)
            target, source = (side, SPOT) if event.to_perp else (SPOT, side)
            amount = event.amount
            moved = _usd(amount) if event.asset == USDC else _token(event.asset, amount, reference)
            return ((target, source, event.asset, moved),)
        case ev.ActivationCharged():
            return ((chart.FEES, SPOT, event.asset, _token(event.asset, event.amount, reference)),)
        case ev.RewardsClaimed():
            amount = _token(event.asset, event.amount, reference)
            return ((SPOT, chart.REWARDS, event.asset, amount),)
        case ev.GenesisReceived():
            amount = _token(event.asset, event.amount, reference)
            return ((SPOT, chart.GENESIS, event.asset, amount),)
        case ev.AuctionPaid():
            amount = _token(event.asset, event.amount, reference)
            return ((chart.AUCTIONS, SPOT, event.asset, amount),)
        case ev.StakingTransferred():
            amount = _token(event.asset, event.amount, reference)
            target, source = (chart.STAKING, SPOT) if event.is_deposit else (SPOT, chart.STAKING)
            return ((target, source, event.asset, amount),)
        case _:
            assert_never(event)


def _vault(
    event: ev.VaultCreated
    | ev.VaultDeposited
    | ev.VaultWithdrawn
    | ev.VaultDistributed
    | ev.LeaderCommissionReceived,
) -> Moves:
    """A vault's place holds what was paid in; what comes back beyond it is the vaults' result."""
    own = stream_account(event.stream)
    match event:
        case ev.VaultCreated():
            return (
                (chart.vault(event.vault), MAIN_PERP, USDC, _usd(event.usdc)),
                (chart.FEES, MAIN_PERP, USDC, _usd(event.fee)),
            )
        case ev.VaultDeposited():
            if event.vault == own:  # the vault's own history: others' money comes in
                return ((MAIN_PERP, _waiting(event), USDC, _usd(event.usdc)),)
            return ((chart.vault(event.vault), MAIN_PERP, USDC, _usd(event.usdc)),)
        case ev.VaultWithdrawn():
            net, basis = _usd(event.net), _usd(event.basis)
            if event.vault == own:
                gone = net + _usd(event.commission)
                return ((_waiting(event), MAIN_PERP, USDC, gone),)
            if event.user not in {None, own}:
                return NOTHING
            share = chart.VAULTS if event.vault is None else chart.vault(event.vault)
            return ((MAIN_PERP, share, USDC, basis), (MAIN_PERP, chart.VAULTS, USDC, net - basis))
        case ev.VaultDistributed():
            share = chart.VAULTS if event.vault is None else chart.vault(event.vault)
            return ((MAIN_PERP, share, USDC, _usd(event.usdc)),)
        case ev.LeaderCommissionReceived():
            return ((MAIN_PERP, chart.VAULTS, USDC, _usd(event.usdc)),)
        case _:
            assert_never(event)


def _waiting(event: ev.VaultDeposited | ev.VaultWithdrawn) -> Place:
    return chart.in_transit(tx_hash=event.tx_hash, nonce=None, at=event.at)


def opened(event: ev.Opened, held: Mapping[tuple[Place, Asset], Decimal]) -> Moves:
    """Return what an opening moves where something is held already: it *sets* what it names.

    Transfers and funding may reach back further than the fills that are kept. What they lead to
    is not what the account had, so every balance and size named becomes what is attested, and
    the difference is a move from ``opening``; what is not named stays. With nothing held these
    are its ``moves``. Must be called in the exact context (``ledger.money.exact``).
    """
    attested: dict[tuple[Place, Asset], Decimal] = {}
    for place, _, asset, amount in _opened(event):
        attested[place, asset] = attested.get((place, asset), ZERO) + amount
    return tuple(
        (place, chart.OPENING, asset, amount - held.get((place, asset), ZERO))
        for (place, asset), amount in attested.items()
    )


def _opened(event: ev.Opened) -> Moves:
    """What an opening attests; what is owed is attested as a positive number."""
    balances = tuple(
        (
            Place(balance.place),
            chart.OPENING,
            balance.asset,
            -balance.amount if balance.place == chart.BORROWED else balance.amount,
        )
        for balance in event.balances
    )
    positions = tuple(
        (chart.position(held.coin), chart.OPENING, chart.size_asset(held.coin), held.size)
        for held in event.positions
        if is_perp(held.coin)
    )
    return balances + positions


def _usd(amount: Decimal) -> Decimal:
    """Return USDC of a perpetuals side without the binary noise the venue's text may carry.

    2703997.4500000002 is 2703997.45; the record keeps its digits, the posting does not.
    """
    return _settled(amount, PERP_PLACES)


def _token(asset: Asset, amount: Decimal, reference: Reference) -> Decimal:
    """Return an amount of a token without binary noise, in the decimal places of its balances."""
    unsaid = TOKEN_PLACES if asset in {USDC, HYPE} else MOST_PLACES
    return _settled(amount, reference.wei_places.get(asset, unsaid))


def _settled(amount: Decimal, count: int) -> Decimal:
    if not amount:
        return ZERO
    return amount if places(amount) <= count else round_half_even(amount, count)
