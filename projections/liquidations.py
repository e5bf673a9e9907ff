"""Liquidations: episodes in which the venue closed positions of this account.

The money moves in ordinary fills; what makes them an episode is that the venue names this account
as the one liquidated, or marks the liquidation beside them. Of a large position a fifth is sent
first, and for the thirty seconds after it the whole; so what follows within that time belongs to
the same episode.

**Source**: the venue's page on liquidations. Status: documented.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ledger import events as ev
from ledger.money import ZERO
from ledger.units import Coin, Millis, stream_account
from projections.postings import paid
from projections.state import State as GenericState
from projections.state import applied

if TYPE_CHECKING:
    from ledger.events import Event
    from projections.reference import Reference

NAME: Final = "liquidations"

EPISODE_GAP: Final = 30_000
"""Milliseconds after a part of a liquidation in which the venue may send the whole position."""


class Episode(NamedTuple):
    """One liquidation of the account, from its first fill or mark to its last."""

    first_at: Millis
    last_at: Millis
    fills: int
    closed: tuple[tuple[Coin, Decimal], ...]
    """Signed size taken per market, in name order: negative where a long was sold."""
    notional: Decimal
    """Σ price × size of the fills."""
    methods: tuple[str, ...]
    """The venue's words, in order: market, backstop; empty where no fill says."""
    marked: Decimal | None
    """What the venue's own mark says was taken; None without one."""


Key: TypeAlias = int
State: TypeAlias = GenericState[Key, Episode]

EMPTY: Final[State] = GenericState()
ROWS: Final = list[tuple[Key, Episode]]
CONSUMED: Final[frozenset[type]] = frozenset({ev.Filled, ev.Liquidated})


def apply(state: State, event: Event, reference: Reference) -> State:
    """Return the episodes after an event, numbered from 1; it never raises.

    **Order**: effective order.
    """
    return applied(record, state, event, reference)


def record(held: dict[Key, Episode], event: Event, reference: Reference) -> None:  # noqa: ARG001 - the shape of every rule
    """Add a fill or a mark of a liquidation to its episode in *held*."""
    if isinstance(event, ev.Filled):
        is_marked = event.liquidated_user is not None or "Liquidat" in event.direction
        if is_marked and is_liquidation(event):
            _add_fill(held, event)
    elif isinstance(event, ev.Liquidated):
        number, episode = _episode(held, event.at)
        marked = (episode.marked or ZERO) + event.notional
        held[number] = episode._replace(last_at=event.at, marked=marked)


def is_liquidation(event: ev.Filled) -> bool:
    """Tell whether a fill was part of a liquidation of the account whose history it is in.

    Web exports carry no such field; there the venue's words for the direction say it.
    """
    if event.liquidated_user is not None:
        return event.liquidated_user == stream_account(event.stream)
    return "Liquidat" in event.direction


def name(number: int, episode: Episode) -> str:
    """Return what an episode is called: ``liquidation 2 at 1760130838189: HYPE``."""
    coins = ", ".join(coin for coin, _ in episode.closed) or "no fill recorded"
    return f"liquidation {number} at {episode.first_at}: {coins}"


def _episode(held: dict[Key, Episode], at: Millis) -> tuple[int, Episode]:
    number = len(held)
    if number and at - held[number].last_at <= EPISODE_GAP:
        return number, held[number]
    return number + 1, Episode(at, at, 0, (), ZERO, (), None)


def _add_fill(held: dict[Key, Episode], event: ev.Filled) -> None:
    number, episode = _episode(held, event.at)
    closed = dict(episode.closed)
    signed = event.sz if event.side == "B" else -event.sz
    closed[event.coin] = closed.get(event.coin, ZERO) + signed
    method = event.liquidation_method
    methods = episode.methods
    if method is not None and method not in methods:
        methods = (*methods, method)
    held[number] = Episode(
        episode.first_at,
        event.at,
        episode.fills + 1,
        tuple(sorted(closed.items())),
        episode.notional + paid(event),
        methods,
        episode.marked,
    )
