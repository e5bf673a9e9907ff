"""Positions: size, entry notional, entry price and realised result of every market.

Perpetuals are kept by market, tokens by what is held (``spot:HYPE``), because every pair of one
token trades the same holding, and transfers move it too. The arithmetic is in ``steps``.

**What a history does not say.** A first fill may state a size before it that is not zero. That
opening is *derived*: the position begins with it, marked, and what it cost is unknown; so the
result of every close is unknown, not zero, until the position has once been flat.

**What a history contradicts.** A later fill may state another size before it than ours. Our size
goes on as the sum of what is recorded; the difference is kept beside it as ``unexplained``. One
event that was never recorded shifts every later statement by the same amount, so a *break* is a
change of the difference, not the difference itself. The steps run on the stated size (ours and the
unexplained part), which is what the venue closed against; the entry is unknown from a break until
the stated size is zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, get_args

from ledger import events as ev
from ledger.money import EXACT, ZERO, divide_down, places, scaled, unscaled
from ledger.units import Asset
from projections.chart import SPOT, SUPPLIED, USDC
from projections.postings import fee_asset, is_perp, moves, paid
from projections.state import State as GenericState
from projections.state import applied
from projections.steps import outflow_step, perp_step, spot_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Event
    from ledger.units import Coin
    from projections.reference import Reference

NAME: Final = "positions"

PERP_MONEY: Final = 6
"""Decimal places of the entry notional of a perpetual: whole micro-units of its collateral."""

SPOT_MONEY: Final = 8
"""Decimal places of the cost of a token holding."""

SHEET_DIGITS: Final = 10
"""Significant digits a spreadsheet shows. A stated size that is ours rounded to them agrees."""

TRADE_NUMBERS_SINCE: Final = 1_704_067_200_000
"""2024-01-01: all recordings of the venue's answers without trade numbers are older."""

_SCALES: Final = tuple(Decimal(10**count) for count in range(64))

Opening: TypeAlias = Literal["", "derived", "attested"]


class Position(NamedTuple):
    """One market's position. A named tuple, for one is made anew for every fill.

    **Units**: ``size``, ``opening`` and ``unexplained`` in signed lots of 10^-``places``;
    ``notional`` and ``realized`` in 10^-``money_places`` of ``money``, before fees.
    """

    size: int
    """Sum of what is recorded, from the opening on."""
    places: int
    """Decimal places of a lot: the venue's, or the most seen in sizes so far."""
    inferred: bool
    """True when ``places`` was not in the metadata."""
    notional: int | None
    """What the stated size cost; None when it is not known."""
    money: Asset
    """The token of ``notional`` and ``realized``."""
    money_places: int
    realized: int
    """Result of all closes that are known."""
    unknown: int
    """How many closes have an unknown result."""
    opening: int
    """Size the position began with before anything recorded."""
    origin: Opening
    """Whether that opening was derived or attested; empty without one."""
    unexplained: int
    """Size the venue stated last, less ours."""


Key: TypeAlias = str
State: TypeAlias = GenericState[Key, Position]

EMPTY: Final[State] = GenericState()
ROWS: Final = list[tuple[Key, Position]]

_Moving: TypeAlias = (
    ev.Transferred | ev.ClassTransferred | ev.StakingTransferred | ev.RewardsClaimed
    | ev.GenesisReceived | ev.AuctionPaid | ev.ActivationCharged
)  # fmt: skip
"""Kinds that move tokens at hand without trading them. Reserve operations are not among them:
what is supplied is still held."""

CONSUMED: Final[frozenset[type]] = frozenset({*get_args(_Moving), ev.Filled, ev.Opened})


class Fill(NamedTuple):
    """What one fill did to a position: sizes in lots, money in units, as in ``Position``."""

    closed: int
    """Lots closed, not negative."""
    result: int | None
    """Result of the closed part before fees; None when it is not known, 0 when nothing closed."""
    shift: bool
    """True when the unexplained size changed: a break."""
    derived: bool
    """True when the fill states an opening; it is the position's ``opening`` from now on."""


def apply(state: State, event: Event, reference: Reference) -> State:
    """Return the positions after an event; it never raises.

    **Order**: effective order, ties inside a millisecond included.
    """
    return applied(record, state, event, reference)


def record(held: dict[Key, Position], event: Event, reference: Reference) -> None:
    """Move the positions in *held* as the event has it."""
    if isinstance(event, ev.Filled):
        if is_perp(event.coin):
            coin = event.coin
            held[coin] = perp_run(held.get(coin), (event,), reference)
        else:
            _spot_filled(held, event, reference)
    elif isinstance(event, ev.Opened):
        _opened(held, event, reference)
    elif isinstance(event, _Moving) and _moves_tokens(event):
        for target, source, asset, amount in moves(event, reference):
            if amount and target != source and asset != USDC:
                if target == SPOT:
                    _carried(held, asset, amount, reference)
                elif source == SPOT:
                    _carried(held, asset, -amount, reference)


def _moves_tokens(event: _Moving) -> bool:
    """Tell whether anything but USDC may move: results are measured in USDC, it is no holding."""
    if event.asset != USDC:
        return True
    if not isinstance(event, ev.Transferred):
        return False
    return bool(event.native_fee) or bool(event.fee and event.fee_asset not in {None, USDC})


# ------------------------------------------------------------------------------- perpetuals


def perp_filled(
    before: Position | None, event: ev.Filled, reference: Reference
) -> tuple[Position, Fill]:
    """Return a perpetual's position after a fill, and what the fill did to it."""
    did: list[Fill] = []
    after = perp_run(before, (event,), reference, did)
    return after, did[0]


def perp_run(
    before: Position | None,
    fills: Sequence[ev.Filled],
    reference: Reference,
    did: list[Fill] | None = None,
) -> Position:
    """Return a perpetual's position after fills of its market; *did* gets what each one did.

    **Order**: effective order; there is at least one fill.
    """
    now = before or _begun(fills[0], reference)
    (size, count, inferred, notional, money, money_places,
     realized, unknown, opening, origin, unexplained) = now  # fmt: skip
    scale, unit = _SCALES[count], _SCALES[money_places]
    for event in fills:
        start = event.start_position
        shift = derived = False
        shifted = event.sz * scale
        trade = int(shifted)
        if trade != shifted or (start is not None and start * scale != size + unexplained):
            now = Position(size, count, inferred, notional, money, money_places,
                           realized, unknown, opening, origin, unexplained)  # fmt: skip
            if start is not None:
                is_first = before is None and event is fills[0]
                now, shift, derived = _continued(now, event, start, first=is_first)
            now, trade = _in_lots(now, event.sz)
            (size, count, inferred, notional, money, money_places,
             realized, unknown, opening, origin, unexplained) = now  # fmt: skip
            scale = _SCALES[count]
        if event.side == "A":
            trade = -trade
        stated = size + unexplained
        value = abs(int(paid(event) * unit))
        after, kept, gained = perp_step(stated, notional or 0, trade=trade, value=value)
        closes = stated != 0 and (stated > 0) != (trade > 0)
        size += trade
        result: int | None = gained
        if notional is not None:
            notional, realized = kept, realized + gained
        else:
            notional = kept if (stated > 0) != (after > 0) or not after else None
            unknown, result = (unknown + 1, None) if closes else (unknown, 0)
        if did is not None:
            closed = min(abs(stated), abs(trade)) if closes else 0
            did.append(Fill(closed, result, shift, derived))
    return Position(size, count, inferred, notional, money, money_places,
                    realized, unknown, opening, origin, unexplained)  # fmt: skip


def _begun(event: ev.Filled, reference: Reference) -> Position:
    """Return the position of a market before its first fill."""
    money = reference.collateral_of(event.coin, event.fee_asset)
    known = reference.size_places.get(event.coin)
    return _flat(count=known, money=money, money_places=PERP_MONEY)


def _flat(*, count: int | None, money: Asset, money_places: int) -> Position:
    return Position(
        0, count or 0, count is None, 0, money, money_places, 0, 0, 0, "", 0
    )  # fmt: skip


def _in_lots(position: Position, size: Decimal) -> tuple[Position, int]:
    """Return a size in whole lots, and the position in lots fine enough to say it."""
    shifted = size * _SCALES[position.places]
    lots = int(shifted)
    if lots == shifted:
        return position, lots
    count = places(size)
    factor = 10 ** (count - position.places)
    finer = position._replace(
        size=position.size * factor,
        places=count,
        opening=position.opening * factor,
        unexplained=position.unexplained * factor,
        inferred=True,
    )
    return finer, scaled(size, count)


def _money(value: Decimal, count: int) -> int:
    """Return money in whole units of 10^-count; what is finer is cut off."""
    return abs(int(value * _SCALES[count]))


def _continued(
    position: Position, event: ev.Filled, start: Decimal, *, first: bool
) -> tuple[Position, bool, bool]:
    """Return (position, break, derived): the size stated before a fill, against ours."""
    expected = unscaled(position.size + position.unexplained, position.places)
    if agrees(expected, start, digits=SHEET_DIGITS):
        return position, False, False
    position, lots = _in_lots(position, start)
    if first:
        opened = position._replace(size=lots, opening=lots, origin="derived", notional=None)
        return opened, False, True
    if is_early(event):
        return position, False, False
    unexplained = lots - position.size
    notional = None if lots else 0
    return position._replace(unexplained=unexplained, notional=notional), True, False


def is_early(event: ev.Filled) -> bool:
    """Tell whether a fill is of the format of 2023, without trade numbers: its sizes do not chain.

    Both sides of a trade of an account with itself state the same size, and ties come in no order.
    """
    return event.tid is None and event.at < TRADE_NUMBERS_SINCE


def agrees(ours: Decimal, stated: Decimal, *, digits: int | None) -> bool:
    """Tell whether a stated number is ours, exactly or rounded to *digits* significant digits.

    Rounded means within half a unit of the last of these digits, and only where the stated number
    has no more of them; trailing zeros need not be shown.
    """
    difference = ours - stated
    if not difference:
        return True
    if digits is None or not stated or _digits(stated) > digits:
        return False
    unit = Decimal((0, (1,), stated.adjusted() - digits + 1))
    return abs(difference) * 2 <= unit


def _digits(value: Decimal) -> int:
    return len(value.normalize(EXACT).as_tuple().digits)


# ----------------------------------------------------------------------------------- tokens


def key(coin: Coin, reference: Reference) -> Key:
    """Return under which key the position of a market is kept."""
    return coin if is_perp(coin) else holding(reference.pair(coin)[0])


def holding(asset: Asset) -> Key:
    """Return under which key the holding of a token is kept."""
    return f"spot:{asset}"


def _spot_filled(held: dict[Key, Position], event: ev.Filled, reference: Reference) -> None:
    base, quote = reference.pair(event.coin)
    name = holding(base)
    held[name] = spot_filled(held.get(name), event, reference)[0]
    is_known = event.coin in reference.pairs or "/" in event.coin
    if quote != USDC and is_known:
        cash = paid(event)
        charged = event.fee if event.fee and fee_asset(event, reference) == quote else ZERO
        _carried(held, quote, (cash if event.side == "A" else -cash) - charged, reference)


def spot_filled(
    before: Position | None, event: ev.Filled, reference: Reference
) -> tuple[Position, Fill]:
    """Return a token's holding after a trade, and what the trade did to it.

    A trade against another token than the one the cost is kept in leaves the cost unknown.
    """
    base, quote = reference.pair(event.coin)
    first = before is None
    if before is None:
        before = _flat(count=None, money=quote, money_places=SPOT_MONEY)
    shift = derived = False
    start = event.start_position
    if start is not None:
        before, shift, derived = _continued(before, event, start, first=first)
    charged = event.fee if event.fee and fee_asset(event, reference) == base else ZERO
    before, _ = _in_lots(before, charged)
    before, trade = _in_lots(before, event.sz if event.side == "B" else -event.sz)
    before, fee = _in_lots(before, charged)
    stated, cost = before.size + before.unexplained, before.notional
    after, kept, result = spot_step(
        stated, cost or 0, trade=trade, fee=fee, value=_money(paid(event), before.money_places)
    )
    sold = max(0, min(-trade, stated))
    if cost is None or quote != before.money or -trade > max(stated, 0):
        position = before._replace(
            size=before.size + trade - fee,
            notional=None if after > 0 else 0,
            unknown=before.unknown + (1 if trade < 0 else 0),
        )
        return position, Fill(sold, None if trade < 0 else 0, shift, derived)
    position = before._replace(
        size=before.size + trade - fee, notional=kept, realized=before.realized + result
    )
    return position, Fill(sold, result, shift, derived)


def _carried(
    held: dict[Key, Position], asset: Asset, amount: Decimal, reference: Reference
) -> None:
    """Tokens came or went without a trade of theirs: what came cost nobody knows what."""
    name = holding(asset)
    before = held.get(name)
    if before is None:
        if amount <= 0:  # nothing is known of this token: the balances tell of it
            return
        before = _flat(count=reference.wei_places.get(asset), money=USDC, money_places=SPOT_MONEY)
    before, lots = _in_lots(before, amount)
    stated = before.size + before.unexplained
    cost = before.notional
    if lots > 0:
        cost = None
    elif cost is not None:
        cost = outflow_step(stated, cost, out=-lots)
    elif stated + lots <= 0:
        cost = 0
    held[name] = before._replace(size=before.size + lots, notional=cost)


# --------------------------------------------------------------------------------- openings


def _opened(held: dict[Key, Position], event: ev.Opened, reference: Reference) -> None:
    """Set what an opening attests; its tokens at hand cost nobody knows what.

    A holding that older transfers have moved is set too: what was traded then is not recorded.
    """
    named: set[Key] = set()
    for attested in event.positions:
        if is_perp(attested.coin):
            money = reference.collateral_of(attested.coin)
            known = reference.size_places.get(attested.coin)
            cost, count = attested.entry_notional, PERP_MONEY
        else:
            money = reference.pair(attested.coin)[1]
            known, cost, count = None, attested.entry_notional, SPOT_MONEY
        flat = _flat(count=known, money=money, money_places=count)
        begun, lots = _in_lots(flat, attested.size)
        name = key(attested.coin, reference)
        named.add(name)
        held[name] = begun._replace(
            size=lots,
            opening=lots,
            origin="attested",
            notional=None if cost is None else _money(cost, count),
        )
    tokens: dict[Asset, Decimal] = {}
    for balance in event.balances:  # what is supplied is still held
        if balance.place in {SPOT, SUPPLIED} and balance.asset != USDC:
            tokens[balance.asset] = tokens.get(balance.asset, ZERO) + balance.amount
    for asset, amount in tokens.items():
        name = holding(asset)
        if name in named or not (amount or name in held):
            continue
        flat = _flat(count=None, money=USDC, money_places=SPOT_MONEY)
        begun, lots = _in_lots(flat, amount)
        held[name] = begun._replace(
            size=lots, opening=lots, origin="attested", notional=None if lots else 0
        )


# ------------------------------------------------------------------------------------ views


def size(position: Position) -> Decimal:
    """Return the signed size, the sum of what is recorded."""
    return unscaled(position.size, position.places)


def stated_size(position: Position) -> Decimal:
    """Return the signed size the venue states: ours and what is unexplained."""
    return unscaled(position.size + position.unexplained, position.places)


def entry_notional(position: Position) -> Decimal | None:
    """Return what the position cost, in its money; None when not known."""
    return None if position.notional is None else unscaled(position.notional, position.money_places)


def shown_notional(position: Position) -> Decimal | None:
    """Return the entry notional beside ``size``, in its money; None when not known.

    Where the venue states no position and records lead to one, the nought is of what is stated:
    what the recorded size cost is not known.
    """
    if position.size and not position.size + position.unexplained:
        return None
    return entry_notional(position)


def entry_price(position: Position) -> Decimal | None:
    """Return the entry price as the venue keeps it, floored on the grid; None without a position.

    Tokens: average cost, floored at eight decimal places.
    """
    held, cost = abs(stated_size(position)), entry_notional(position)
    if not held or cost is None:
        return None
    if position.money_places == PERP_MONEY:
        return divide_down(cost, held, max(PERP_MONEY - position.places, 0))
    return divide_down(cost, held, SPOT_MONEY)


def realized(position: Position) -> Decimal:
    """Return the result of all closes whose entry is known, before fees."""
    return unscaled(position.realized, position.money_places)
