"""Views: states as tables. Amounts as they are, in plain digits; what is unknown says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.money import canonical, unscaled
from projections import balances, fees, funding, liquidations, positions
from projections.chart import IN_TRANSIT, is_own
from projections.fold import Stopped
from replay.moments import iso
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from projections.fold import States
    from projections.prices import Key, Price

_PLACES: Final = {
    "perp:": "perp",
    "supplied": "supplied",
    "borrowed": "borrowed",
}


def place_name(place: str) -> str:
    """Return a place as people say it: ``perp`` for the main exchange, ``perp xyz`` for another."""
    head, separator, rest = place.partition(":")
    if not separator:
        return place
    return f"{head} {rest}".strip()


def balances_table(states: States, notes: tuple[str, ...] = ()) -> Table:
    """Return what the account has, by place and token; what is owed is negative.

    Sizes of positions are in their own table. A transfer whose other side is not recorded
    stands as *in transit*.
    """
    columns = ("place", "asset", "amount")
    stopped = _stopped(states, balances.NAME, "Balances", columns)
    if stopped is not None:
        return stopped
    held = states.state(balances.NAME).by_key
    rows = [
        (place_name(place), str(asset), canonical(amount))
        for (place, asset), amount in held.items()
        if amount and (is_own(place) or place == IN_TRANSIT) and not place.startswith("position:")
    ]
    return Table(
        title="Balances",
        columns=columns,
        rows=tuple(sorted(rows)),
        numbers=frozenset({"amount"}),
        notes=notes,
    )


def positions_table(states: States, notes: tuple[str, ...] = ()) -> Table:
    """Return open positions and token holdings, with their cost and what they have brought so far.

    ``realized`` is the result of the closes whose entry is known; how many are not, stands beside
    it. The *opening* column says where a size came from that no recorded trade brought: ``derived``
    from what the first fill states, or ``attested`` by somebody.
    """
    columns = (
        "market", "size", "entry_price", "entry_notional", "realized", "unknown_closes", "money",
        "opening",
    )  # fmt: skip
    stopped = _stopped(states, positions.NAME, "Positions", columns)
    if stopped is not None:
        return stopped
    rows = []
    said: list[str] = []
    for market, held in sorted(states.state(positions.NAME).by_key.items()):
        is_open = bool(held.size or held.unexplained)
        if not (is_open or held.realized or held.unknown):
            continue
        rows.append(
            (
                market,
                canonical(positions.size(held)),
                _number(positions.entry_price(held)) if is_open else "",
                _number(positions.shown_notional(held)) if is_open else "",
                UNKNOWN
                if held.unknown and not held.realized
                else canonical(positions.realized(held)),
                str(held.unknown),
                str(held.money),
                f"{held.origin} {canonical(unscaled(held.opening, held.places))}".strip()
                if held.origin
                else "",
            )
        )
        said += _said_of(market, held, is_open=is_open)
    return Table(
        title="Positions",
        columns=columns,
        rows=tuple(rows),
        numbers=frozenset(columns[1:6]),
        notes=(*said, *notes),
    )


def _said_of(market: str, held: positions.Position, *, is_open: bool) -> list[str]:
    said = []
    if held.origin == "derived":
        said.append(
            f"{market}: the opening of {canonical(unscaled(held.opening, held.places))} is derived "
            f"from the first fill's start position; what it cost is not recorded"
        )
    if held.unexplained:
        stated = canonical(positions.stated_size(held))
        said.append(
            f"{market}: the venue last stated {stated}; "
            f"{canonical(unscaled(held.unexplained, held.places))} of it is in no record"
        )
    if held.unknown:
        said.append(
            f"{market}: the result of {held.unknown} closes is unknown, because the entry is "
            f"not recorded"
        )
    if is_open and held.notional is None and held.origin != "derived":
        said.append(f"{market}: the entry is unknown, because what came in has no recorded cost")
    return said


def fees_table(states: States) -> Table:
    """Return what was charged on fills, per token; a rebate lowers it."""
    columns = ("asset", "charged", "builders_share", "fills", "unknown_fees")
    stopped = _stopped(states, fees.NAME, "Fees", columns)
    if stopped is not None:
        return stopped
    rows = tuple(
        (
            str(asset),
            canonical(held.total),
            canonical(held.builder),
            str(held.fills),
            str(held.unknown),
        )
        for asset, held in sorted(states.state(fees.NAME).by_key.items())
    )
    return Table(title="Fees", columns=columns, rows=rows, numbers=frozenset(columns[1:]))


def funding_table(states: States) -> Table:
    """Return funding received less paid, per market."""
    columns = ("market", "received_less_paid", "money", "payments")
    stopped = _stopped(states, funding.NAME, "Funding", columns)
    if stopped is not None:
        return stopped
    rows = tuple(
        (str(coin), canonical(held.total), str(asset), str(held.payments))
        for (coin, asset), held in sorted(states.state(funding.NAME).by_key.items())
    )
    return Table(
        title="Funding",
        columns=columns,
        rows=rows,
        numbers=frozenset({"received_less_paid", "payments"}),
    )


def prices_table(latest: Mapping[Key, Price]) -> Table:
    """Return the last price of every market and measure, with the moment it belongs to."""
    rows = tuple(
        (str(coin), measure, canonical(held.px), iso(held.at), held.via)
        for (coin, measure), held in sorted(latest.items())
    )
    return Table(
        title="Prices",
        columns=("market", "measure", "price", "at", "from"),
        rows=rows,
        numbers=frozenset({"price"}),
    )


def liquidations_table(states: States) -> Table:
    """Return the liquidations of the account, each an episode of one or several fills."""
    columns = ("episode", "from", "to", "fills", "closed", "notional", "method")
    stopped = _stopped(states, liquidations.NAME, "Liquidations", columns)
    if stopped is not None:
        return stopped
    rows = tuple(
        (
            str(number),
            iso(held.first_at),
            iso(held.last_at),
            str(held.fills),
            ", ".join(f"{coin} {canonical(size)}" for coin, size in held.closed),
            canonical(held.notional),
            ", ".join(held.methods),
        )
        for number, held in sorted(states.state(liquidations.NAME).by_key.items())
    )
    return Table(
        title="Liquidations",
        columns=columns,
        rows=rows,
        numbers=frozenset({"fills", "notional"}),
        empty="none",
    )


def _number(value: Decimal | None) -> str:
    return UNKNOWN if value is None else canonical(value)


def _stopped(states: States, name: str, title: str, columns: tuple[str, ...]) -> Table | None:
    """Return the table of a projection that met an unknown kind: nothing, and why."""
    held = states.by_name[name]
    if not isinstance(held, Stopped):
        return None
    why = (
        f"{UNKNOWN} from {iso(held.at)} on: event {held.event} is of the kind {held.kind}, "
        f"whose meaning is not known. Correct it, or ask for an earlier instant"
    )
    return Table(title=title, columns=columns, empty=UNKNOWN, notes=(why,))
