"""Beside: what a pack carries around an account when a claim is about margin.

A balance needs the account's own history alone. A ratio also needs the prices of the markets it is
in and of what its tokens stand for, the states of the reserves of its tokens, and the rulebooks of
the instants claimed, with their parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.entries import AsOf
from ledger.errors import NotInForce, UnknownKind
from ledger.events import LendingStateObserved, Opened, PerpStateObserved, SpotStateObserved
from ledger.money import canonical
from ledger.units import Asset, Coin, market_stream, reserve_stream
from projections import balances, positions
from projections.margin.rebuilt import UNDERLYING
from projections.postings import is_perp
from projections.rulebooks import CALENDAR, in_force
from projections.rulebooks.base import USDC
from replay.claims import OF_THE_RATIO
from replay.moments import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.events import Event
    from ledger.units import Millis, Stream
    from projections.reference import Reference
    from projections.rulebooks.base import Parameter, Rulebook
    from replay.audit import AccountHistory
    from replay.claims import Checked

MARGIN: Final = "margin"


def is_about_margin(checked: Iterable[Checked]) -> bool:
    """Tell whether any claim asks for a figure of margin."""
    return any(_moments(one) for one in checked)


def streams_beside(account: AccountHistory, checked: Iterable[Checked]) -> tuple[Stream, ...]:
    """Return the markets and reserves that claims about margin rest on, as far as recorded.

    **Order**: by name; none without such a claim.
    """
    asked = {one.position for one in checked if _moments(one)}
    coins: set[Coin] = set()
    tokens: set[Asset] = {USDC} if asked else set()
    for position in asked:
        found = _names(account, position)
        coins |= found[0]
        tokens |= found[1]
    coins |= {UNDERLYING[token] for token in tokens if token in UNDERLYING}
    wanted = {market_stream(coin) for coin in coins} | {reserve_stream(token) for token in tokens}
    return tuple(sorted(wanted & {info.stream for info in account.audit.book.streams()}))


def _names(account: AccountHistory, position: int) -> tuple[set[Coin], set[Asset]]:
    """Return all perpetuals and tokens an account ever had, as known at a position."""
    engine = account.audit.engine
    known = engine.reference(position)
    states = engine.states(account.stream, AsOf(position=position)).states
    coins = {Coin(name) for name in states.state(positions.NAME).by_key}
    tokens: set[Asset] = set()
    try:
        held = states.state(balances.NAME).by_key
    except UnknownKind:
        held = {}
    dexes = {place.removeprefix("perp:") for place, _ in held if place.startswith("perp:")}
    tokens |= {asset for place, asset in held if place in {"spot", "supplied", "borrowed"}}
    for event in engine.events(account.stream, position):
        _shown(event, known, coins, tokens, dexes)
    tokens |= {asset for dex, asset in known.collateral.items() if dex in dexes}
    coins = {coin for coin in coins if not coin.startswith("spot:") and is_perp(coin)}
    return coins, tokens | {known.collateral_of(coin) for coin in coins}


def _shown(
    event: Event, known: Reference, coins: set[Coin], tokens: set[Asset], dexes: set[str]
) -> None:
    """Add what a state of the account, or an opening, names."""
    if isinstance(event, SpotStateObserved):
        tokens.update(row.asset for row in event.balances)
    elif isinstance(event, PerpStateObserved):
        dexes.add(event.dex)
        coins.update(row.coin for row in event.positions)
    elif isinstance(event, LendingStateObserved):
        tokens.update(known.symbols[row.token] for row in event.loans if row.token in known.symbols)
    elif isinstance(event, Opened):
        tokens.update(row.asset for row in event.balances)
        coins.update(row.coin for row in event.positions)


def _moments(one: Checked) -> list[str | None]:
    """Return the instants of a claim's figures of margin, as written."""
    return [figure.moment for figure in one.claim.figures if figure.word == MARGIN]


def rulebooks_of(
    checked: Iterable[Checked], *, since: Millis, until: Millis, at: Millis
) -> tuple[Rulebook, ...]:
    """Return the rulebooks in force at any moment of a period, or of a claim about margin."""
    starts = [book.effective_from for book in CALENDAR if since < book.effective_from <= until]
    claimed = [
        at if moment is None else parse_moment(moment)
        for one in checked
        for moment in _moments(one)
    ]
    found: list[Rulebook] = []
    for moment in (since, *starts, at, *claimed):
        try:
            found += [book for book in in_force(moment) if book not in found]
        except NotInForce:
            continue
    return tuple(found)


def parameters(rule: Rulebook) -> dict[str, object]:
    """Return the numbers of a rulebook that a ratio rests on, and how contested texts are read."""
    first = {question: rule.readings_of(question) for question in ("debt", "isolated", "offset")}
    readings = [found[0].id for found in first.values() if found]
    assert tuple(readings) == OF_THE_RATIO, "the verifier knows these readings alone"
    return {
        "since": rule.effective_from,
        "documented": rule.documented_from,
        "offset": canonical(rule.offset.value),
        "readings": readings,
        "tokens": {
            asset: {
                "ltv": canonical(terms.ltv.value),
                "supply_cap": _text(terms.user_supply_cap),
                "borrow_cap": _text(terms.user_borrow_cap),
            }
            for asset, terms in rule.tokens.items()
        },
    }


def _text(parameter: Parameter | None) -> str | None:
    return None if parameter is None else canonical(parameter.value)
