"""Wrappers: answers that their publishers put together in a form of their own.

The states of one account are taken to be of one moment, the one the perpetuals state carries;
in the recorded sets the spot totals agree with it to the last digit. What carries no moment of
the venue (reserves, lists of markets) waits for ``--at``: a recorder's clock is not the venue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.entries import Reading, Unreadable
from ledger.errors import MalformedRecord
from ledger.importers import dates, door, lending, market, observations
from ledger.importers.answers import Answer, Found, alone, first_row, joined, unreadable_row
from ledger.importers.base import Document, Hints, Importer
from ledger.units import MAIN_DEX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from ledger.events import Event
    from ledger.importers.base import Json
    from ledger.units import Address, Millis, Stream

    Figure = Callable[[Mapping[str, Json], str], Decimal]

UNDATED: Final = "says no moment of the venue's clock. Say --at 2026-01-31T12:00:00Z to take it"


@attrs.frozen(kw_only=True)
class _Names:
    """What a publisher calls the answers about one account."""

    perps: str
    spot: str
    lending: str
    mode: str


_VENUE: Final = _Names(
    perps="clearinghouseState",
    spot="spotClearinghouseState",
    lending="borrowLendUserState",
    mode="userAbstraction",
)
_SNAKE: Final = _Names(
    perps="clearinghouse_state",
    spot="spot_clearinghouse_state",
    lending="borrow_lend_user_state",
    mode="user_abstraction",
)
_SHORT: Final = _Names(
    perps="perps", spot="spot", lending="borrowLendUserState", mode="userAbstraction"
)


def _keyed(document: Document) -> Mapping[str, Json]:
    return document.value if isinstance(document.value, dict) else {}


def _answer(document: Document, hints: Hints, account: Address | None = None) -> Answer:
    at = document.fetched if hints.at is None else hints.at
    return Answer(name=document.name, value=None, account=account, at=at, hints=hints)


def _states(answer: Answer, row: Mapping[str, Json], names: _Names, figure: Figure) -> Found:
    """Return the states of one account; each that cannot be read is told apart."""
    moment = _moment(row, names)
    answer = attrs.evolve(answer, at=answer.at if moment is None else moment)
    stream, at = answer.stream, answer.moment
    readers: tuple[tuple[str, Callable[[Json], Event]], ...] = (
        (
            names.perps,
            lambda value: observations.perp_state(
                door.record(value), stream=stream, at=at, dex=MAIN_DEX, figure=figure
            ),
        ),
        (
            names.spot,
            lambda value: observations.spot_state(
                door.record(value), stream=stream, at=at, figure=figure
            ),
        ),
        (
            names.lending,
            lambda value: lending.lending_state(
                door.record(value), stream=stream, at=at, figure=figure
            ),
        ),
        (
            names.mode,
            lambda value: observations.mode_changed(value, stream=stream, at=at),
        ),
    )
    return joined(
        [
            _one(answer, field, row[field], stream, read)
            for field, read in readers
            if row.get(field) is not None
        ]
    )


def _one(
    answer: Answer, field: str, value: Json, stream: Stream, read: Callable[[Json], Event]
) -> Found:
    inner = attrs.evolve(answer, path=f"{answer.path}.{field}", value=value)
    try:
        return alone(inner, stream, read(value))
    except MalformedRecord as error:
        return _lost(inner.path, value, str(error))


def _lost(place: str, value: Json, reason: str) -> Found:
    return Found(unreadable=(Unreadable(place=place, reason=reason, text=door.as_text(value)),))


def _moment(row: Mapping[str, Json], names: _Names) -> Millis | None:
    perps = row.get(names.perps)
    return door.millis(perps) if isinstance(perps, dict) and "time" in perps else None


def _dated(answer: Answer, path: str, value: Json, read: Callable[[Answer], Found]) -> Found:
    """Return what has no moment of its own, dated by a person, or told as unreadable."""
    if answer.at is None:
        return _lost(path, value, f"{path} {UNDATED}")
    try:
        return read(answer)
    except MalformedRecord as error:
        return _lost(path, value, str(error))


def _reserves(answer: Answer, row: Mapping[str, Json]) -> Found:
    field = "reserve_states"
    pairs = row.get(field)
    if pairs is None:
        return Found()

    def read(dated: Answer) -> Found:
        return lending.read_reserves(dated, pairs, figure=door.number, path=field)

    return _dated(answer, field, pairs, read)


def _markets(answer: Answer, row: Mapping[str, Json]) -> Found:
    """Return markets and mark prices of a wrapped list; its margin tables are left as they are.

    They were turned into rates by the publisher; a table of ours holds what the venue wrote.
    """
    names = [item.get("name") for item in _rows(row.get("universe"))]
    return joined(
        (
            market.read_meta(answer, row, path="", dex=MAIN_DEX),
            market.read_contexts(
                answer,
                row.get("assetContexts"),
                names=names,
                path=".assetContexts",
                via="metaAndAssetCtxs",
                figure=door.number,
            ),
            Found(
                notes=("margin tables in their publisher's own form are in the raw record only",)
            ),
        )
    )


def _rows(value: Json) -> list[Mapping[str, Json]]:
    return [door.record(row) for row in door.array(value, "universe")]


# ------------------------------------------------------------------------- accounts by address


def _is_by_address(document: Document) -> bool:
    keyed = _keyed(document)
    return isinstance(keyed.get("users"), dict) and "reserve_states" in keyed


def _read_by_address(document: Document, hints: Hints) -> Reading:
    row = _keyed(document)
    plain = _answer(document, hints)
    founds = [_reserves(plain, row)]
    if row.get("meta") is not None:
        meta = attrs.evolve(plain, path="meta")
        founds.append(_dated(meta, "meta", row["meta"], lambda dated: _markets(dated, _meta(row))))
    for user, value in door.record(row["users"], "users").items():
        path = f"users.{user[:60]}"
        try:
            account = door.address({"user": user}, "user")
            states = door.record(value, "user")
            answer = attrs.evolve(plain, account=account, path=path)
            founds.append(_states(answer, states, _VENUE, door.number))
        except MalformedRecord as error:
            founds.append(_lost(path, value, str(error)))
    return _reading("states of several accounts", joined(founds))


def _meta(row: Mapping[str, Json]) -> Mapping[str, Json]:
    return door.record(row["meta"], "meta")


def _reading(kind: str, found: Found) -> Reading:
    return Reading(kind=kind, parts=found.parts, unreadable=found.unreadable, notes=found.notes)


# ------------------------------------------------------------------------- snapshots


def _is_snapshots(document: Document) -> bool:
    keyed = _keyed(document)
    return isinstance(keyed.get("snapshots"), list) and "reserve_states" in keyed


def _read_snapshots(document: Document, hints: Hints) -> Reading:
    row = _keyed(document)
    plain = _answer(document, hints)
    founds = [_reserves(plain, row)]
    for number, value in enumerate(door.array(row["snapshots"], "snapshots")):
        path = f"snapshots[{number}]"
        try:
            founds.append(_snapshot(plain, path, door.record(value, "snapshot")))
        except MalformedRecord as error:
            founds.append(_lost(path, value, str(error)))
    return _reading("snapshots of several accounts", joined(founds))


def _snapshot(plain: Answer, path: str, row: Mapping[str, Json]) -> Found:
    answer = attrs.evolve(plain, account=door.address(row, "user"), path=path)
    founds = [_states(answer, row, _SNAKE, door.number)]
    field = "asset_meta_snapshot"
    if row.get(field) is not None:
        moment = _moment(row, _SNAKE)
        inner = attrs.evolve(
            answer, path=f"{path}.{field}", at=plain.at if moment is None else moment
        )
        meta = door.record(row[field], field)
        founds.append(_dated(inner, inner.path, row[field], lambda one: _markets(one, meta)))
    return joined(founds)


# ------------------------------------------------------------------------- one account


def _is_account(document: Document) -> bool:
    return _keyed(document).keys() >= {"captured", "spot", "perps"}


def _read_account(document: Document, hints: Hints) -> Reading:
    row = _keyed(document)
    answer = _answer(document, hints, hints.account)
    if _moment(row, _SHORT) is None:
        answer = attrs.evolve(answer, at=dates.parse_iso(row.get("captured"), field="captured"))
    return _reading("states of one account", _states(answer, row, _SHORT, door.decimal))


# ------------------------------------------------------------------------- reserve states


def _is_reserve_list(document: Document) -> bool:
    return first_row(document.value).keys() >= {"token", "recorded", "state"}


def _read_reserve_list(document: Document, hints: Hints) -> Reading:
    """Read reserve states gathered from several places; each must state its own moment."""
    answer = _answer(document, hints)
    founds: list[Found] = []
    for number, value in enumerate(door.array(document.value)):
        try:
            row = door.record(value)
            at = dates.parse_iso(row.get("recorded"), field="recorded")
            state = door.record(row.get("state"), "state")
            event = lending.reserve_observed(state, token=door.integer(row, "token"), at=at)
        except MalformedRecord as error:
            lost = unreadable_row(answer, number, value, str(error))
            founds.append(Found(unreadable=(lost,)))
        else:
            own = attrs.evolve(answer, path=f"[{number}].state")
            founds.append(alone(own, event.stream, event))
    return _reading("reserve states", joined(founds))


IMPORTERS: Final[Sequence[Importer]] = (
    Importer(name="accounts by address", accepts=_is_by_address, read=_read_by_address),
    Importer(name="account snapshots", accepts=_is_snapshots, read=_read_snapshots),
    Importer(name="account states", accepts=_is_account, read=_read_account),
    Importer(name="reserve states", accepts=_is_reserve_list, read=_read_reserve_list),
)
"""The forms of publishers that are known."""
