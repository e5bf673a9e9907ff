"""Admissible: whether what is to be supposed names things that a book knows, before it is weighed.

A token nobody listed, a market without a price, or an event that was not known yet would change
nothing, and the answer would look as if it had been weighed. So each is refused by name.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ledger import events as ev
from ledger.codec import event_id
from ledger.entries import AsOf
from ledger.errors import NotFound, UnclearQuestion
from ledger.money import exact
from ledger.units import Asset, Coin, Dex, Millis, dex_of
from projections import balances
from projections.consequences import amount_before
from projections.margin.readings import choice
from projections.margin.rebuilt import UNDERLYING
from projections.postings import is_perp
from projections.rulebooks import CALENDAR, by_id
from projections.rulebooks.base import USDC

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from decimal import Decimal

    from ledger.entries import Entry
    from ledger.events import Event
    from replay.audit import AccountHistory
    from replay.margin import Assembler

NAMED_MAX = 8
"""How many names a message lists."""


def target(history: AccountHistory, name: str, position: int) -> Entry:
    """Return the event of this account that a name means, as known at a position.

    Raises: NotFound, when the account has none, or had none by then; UnclearQuestion, when several
    begin so.
    """
    entry = history.entry(name, position)
    if entry.position > position:
        raise NotFound(
            what="event", name=name, where=f" known at position {position}",
            remedy=f"It was recorded at position {entry.position}",
        )  # fmt: skip
    return entry


def require_token(history: AccountHistory, asset: Asset, position: int) -> None:
    """Refuse a token that no metadata and no balance of the account names.

    Raises: UnclearQuestion, naming the nearest.
    """
    engine = history.audit.engine
    states = engine.states(history.stream, AsOf(position=position)).states
    known = {USDC, *engine.reference(position).symbols.values()}
    known |= {held for _, held in states.state(balances.NAME).by_key}
    if asset not in known:
        raise UnclearQuestion(
            asked=asset, problem="is no token this book knows",
            remedy=f"Write it as the venue does: {_nearest(asset, known)}",
        )  # fmt: skip


def require_market(of: Assembler, coin: Coin) -> None:
    """Refuse a price of what is neither a market nor a token that this book knows.

    Raises: UnclearQuestion, naming the nearest.
    """
    known = {str(each) for each in of.reference.size_places}
    known |= {str(name) for name, _ in of.recorded.prices}
    known |= {str(each) for pair in UNDERLYING.items() for each in pair}
    known |= {str(each) for each in of.recorded.reserves}
    known |= {
        str(event.coin)
        for event in of.engine.events(of.history.stream, of.position)
        if isinstance(event, ev.Filled | ev.FundingPaid)
    }
    if str(coin) not in known:
        raise UnclearQuestion(
            asked=coin, problem="is no market or token this book knows",
            remedy=f"Write it as the venue does: {_nearest(coin, known)}",
        )  # fmt: skip


def require_rule(rulebook: str | None, readings: Sequence[str]) -> None:
    """Refuse a rulebook or a reading of which nothing is known.

    Raises: NotInForce, for a rulebook, naming those there are; UnclearQuestion, for a reading.
    """
    choice(CALENDAR[-1] if rulebook is None else by_id(rulebook), readings)


def _nearest(name: str, known: Collection[str]) -> str:
    by_fold = {each.casefold(): each for each in sorted(known)}
    near = get_close_matches(name.casefold(), by_fold, n=NAMED_MAX, cutoff=0.5)
    named = [by_fold[each] for each in near] or sorted(known)[:NAMED_MAX]
    more = "" if near or len(known) <= NAMED_MAX else f", and {len(known) - NAMED_MAX} more"
    return f"{', '.join(named)}{more}"


# ------------------------------------------------------------------------- sizes before a fill


def moved_size(
    history: AccountHistory, position: int, fill: ev.Filled, made: ev.Filled, act: Event
) -> Decimal | None:
    """Return the size before a recorded fill in the place of another; None if it is not stated.

    *act* puts *made* into the place of *fill*. What was there before everything recorded is in the
    size the fill states; only what lies between the two places changes it.
    """
    if made.coin != fill.coin:
        return size_before(history, position, made.coin, made.at)
    if fill.start_position is None or made.at == fill.at:
        return fill.start_position
    engine = history.audit.engine
    reference = engine.reference(position)
    actual = _until(engine.events(history.stream, position), fill)
    other = _until(engine.supposing((act,)).events(history.stream, position), made)
    if actual is None or other is None:
        return None
    with exact():
        change = amount_before(other, made, reference) - amount_before(actual, fill, reference)
        return fill.start_position + change


def _until(events: Iterable[Event], wanted: Event) -> list[Event] | None:
    """Return the events before one; None where it is not among them."""
    found: list[Event] = []
    for event in events:
        if event_id(event) == event_id(wanted):
            return found
        found.append(event)
    return None


def size_before(history: AccountHistory, position: int, coin: Coin, at: Millis) -> Decimal | None:
    """Return the size of a perpetual before a fill nobody recorded; None where fills tell it.

    A position of which no fill is recorded by then is known from the last state before, else from
    the first record after that speaks of it.
    """
    if not is_perp(coin):
        return None
    dex = Dex(dex_of(coin))
    known: Decimal | None = None
    for event in history.audit.engine.events(history.stream, position):
        if isinstance(event, ev.PerpStateObserved) and event.dex == dex:
            rows = [row.size for row in event.positions if row.coin == coin]
            told = rows[0] if rows else None
            if event.at <= at:
                known = told
                continue
            return known if known is not None else told
        if isinstance(event, ev.Filled) and event.coin == coin:
            if event.at <= at:
                return None
            return known if known is not None else event.start_position
        if isinstance(event, ev.FundingPaid) and event.coin == coin and event.at > at:
            return known if known is not None else event.size
        if isinstance(event, ev.Opened) and event.at <= at:
            return None
    return known
