"""Node: lines of the node's own files, as it writes them or as the public archive keeps them.

``node_fills`` (lines ``[user, fill]``, or a fill that names its user), ``node_fills_by_block``
and ``misc_events_by_block`` (lines ``{local_time, block_time, block_number, events}``). Fills and
ledger deltas have the shape the info service gives them and are read by the same functions, so
one fact has one identity whichever way it came. Times of nanoseconds are cut to milliseconds.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

import attrs

from ledger.entries import Covered, Part, Reading, Unreadable
from ledger.errors import MalformedRecord
from ledger.events import Event, Filled, FundingPaid, StakeChanged, Unrecognized
from ledger.importers import door
from ledger.importers.answers import told_apart
from ledger.importers.base import Importer
from ledger.importers.fills import READ_KEYS, filled
from ledger.importers.lines import by_moment, parse_utc, unread
from ledger.importers.transfers import ledger_event
from ledger.units import Address, Coin, Millis, Stream, account_stream, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ledger.importers.base import Document, Hints, Json

LINE_CHARACTERS_MAX: Final = 1 << 26
"""Longest line: 64 MiB. Funding of every account is one line, and passes 20 MB."""

LINES_LOOKED_AT: Final = 5
"""In how many lines the shape is looked for, should the first be broken."""

FILLS: Final = "node_fills"
FILLS_BY_BLOCK: Final = "node_fills_by_block"
MISC_BY_BLOCK: Final = "misc_events_by_block"


@attrs.define
class _Found:
    """What has been read so far; the one thing here that grows."""

    account: Address | None
    streams: dict[Stream, tuple[list[int], list[Event]]] = attrs.field(factory=dict)
    unreadable: list[Unreadable] = attrs.field(factory=list)
    nameless: Counter[str] = attrs.field(factory=Counter)
    more: set[str] = attrs.field(factory=set)
    blocks: dict[int, int] = attrs.field(factory=dict)
    first_at: Millis | None = None
    last_at: Millis | None = None
    redelivered: int = 0

    def add(self, number: int, event: Event) -> None:
        """Keep an event of the line *number*."""
        numbers, events = self.streams.setdefault(event.stream, ([], []))
        numbers.append(number)
        events.append(event)

    def saw(self, at: Millis) -> None:
        """Take note that the file reaches this moment."""
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = at if self.last_at is None else max(self.last_at, at)

    def wants(self, account: Address) -> bool:
        """Tell whether facts of the account were asked for."""
        return self.account is None or self.account == account


# ------------------------------------------------------------------------- lines


def shape_of(value: Json) -> str | None:
    """Return which of the node's files a line of this value belongs to, or None."""
    if isinstance(value, list):
        return FILLS if _is_user_fill(value) else None
    if not isinstance(value, dict):
        return None
    events = value.get("events")
    if isinstance(events, list) and "block_time" in value:
        return FILLS_BY_BLOCK if not events or _is_user_fill(events[0]) else MISC_BY_BLOCK
    if isinstance(value.get("inner"), dict) and "time" in value:
        return MISC_BY_BLOCK
    return FILLS if value.keys() >= {"user", "coin", "px", "sz", "side", "dir"} else None


def _is_user_fill(value: Json) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and value[0][:2] == "0x"
        and isinstance(value[1], dict)
    )


def _accepts(document: Document) -> bool:
    if document.is_json:
        return shape_of(document.value) is not None
    return any(shape_of(value) is not None for value in _first_values(document.text))


def _first_values(text: str) -> Iterator[Json]:
    start = 0
    for _ in range(LINES_LOOKED_AT):
        end = text.find("\n", start)
        line = text[start : end if end >= 0 else len(text)]
        if line[:1] in {"{", "["} and len(line) <= LINE_CHARACTERS_MAX:
            with suppress(MalformedRecord):
                yield door.parse_json(line)
        if end < 0:
            return
        start = end + 1


def read(document: Document, hints: Hints) -> Reading:
    """Return the facts of the node's lines, one part per account, in the order of the file.

    With an account among the hints only its facts are read; lines which do not name it are
    passed over unread. A fills file claims to show every fill from its first moment to its last.
    """
    found = _Found(hints.account)
    lines = [document.text] if document.is_json else document.text.split("\n")
    kept = [number for number, line in enumerate(lines, start=1) if line and not line.isspace()]
    shapes: Counter[str] = Counter()
    ends = {kept[0], kept[-1]} if kept else set()
    for number in kept:
        line = lines[number - 1]
        if number not in ends and hints.account and hints.account not in line.lower():
            continue
        try:
            value, shape = _parsed(line)
            shapes[shape] += 1
            _read_line(found, number, value, lines)
        except MalformedRecord as error:
            found.unreadable.append(unread(number, error, line))
    kind = max(sorted(shapes), key=lambda shape: shapes[shape]) if shapes else FILLS
    return _reading(found, kind)


def _parsed(line: str) -> tuple[Json, str]:
    if len(line) > LINE_CHARACTERS_MAX:
        raise MalformedRecord(field="line", found=line[:20], expected="shorter than 64 MiB")
    value = door.parse_json(line)
    shape = shape_of(value)
    if shape is None:
        expected = "a line of the node's files"
        raise MalformedRecord(field="line", found=line[:60], expected=expected)
    return value, shape


def _read_line(found: _Found, number: int, value: Json, lines: list[str]) -> None:
    if isinstance(value, list) or (isinstance(value, dict) and "coin" in value):
        _each(found, number, value)
        return
    row = door.record(value, "line")
    if "inner" in row:
        _each(found, number, row)
        return
    found.saw(parse_utc(row.get("block_time"), field="block_time"))
    events = door.array(row.get("events"), "events")
    if row.get("block_number") is not None:
        block = door.integer(row, "block_number")
        if block in found.blocks:
            events = _news(events, lines[found.blocks[block] - 1])
            found.redelivered += 1
        found.blocks[block] = number
    for event in events:
        _each(found, number, event)


def _news(events: list[Json], before: str) -> list[Json]:
    """Return what a block delivered again holds beyond its first delivery: it may be a superset."""
    known = Counter(
        door.as_text(event, whole=True)
        for event in door.array(door.record(door.parse_json(before)).get("events"), "events")
    )
    fresh: list[Json] = []
    for event in events:
        text = door.as_text(event, whole=True)
        if known[text] > 0:
            known[text] -= 1
        else:
            fresh.append(event)
    return fresh


def _each(found: _Found, number: int, value: Json) -> None:
    """Read one event of a line; what cannot be read does not stop the others."""
    try:
        if isinstance(value, dict) and "inner" in value:
            for event in _misc_events(found, number, value):
                found.add(number, event)
        else:
            _fill(found, number, value)
    except MalformedRecord as error:
        found.unreadable.append(unread(number, error, door.as_text(value)))


# ------------------------------------------------------------------------- fills


def _fill(found: _Found, number: int, value: Json) -> None:
    if isinstance(value, list) and len(value) == 2:
        user, row = parse_address(value[0], field="user"), door.record(value[1], "fill")
    else:
        row = door.record(value, "fill")
        user = door.address(row, "user")
    found.saw(door.millis(row))
    if found.wants(user):
        found.add(number, filled(row, stream=account_stream(user)))
        found.more |= row.keys() - READ_KEYS


# ------------------------------------------------------------------------- other events


def _misc_events(found: _Found, number: int, row: Mapping[str, Json]) -> Iterator[Event]:
    """Yield the facts of one event: for every account it names, its own."""
    at = parse_utc(row.get("time"), field="time")
    tx_hash = door.tx_hash(row)
    inner = door.record(row.get("inner"), "inner")
    for variant, body in inner.items():
        fields = door.record(body, variant)
        if variant == "LedgerUpdate":
            delta = door.record(fields.get("delta"), "delta")
            users = door.array(fields.get("users"), "users")
            for user in dict.fromkeys(parse_address(user, field="users") for user in users):
                if found.wants(user):
                    yield ledger_event(delta, stream=account_stream(user), at=at, tx_hash=tx_hash)
        elif variant == "Funding":
            for paid in door.array(fields.get("deltas"), "deltas"):
                try:
                    event = _funding(door.record(paid, "deltas"), at, tx_hash)
                except MalformedRecord as error:
                    # One line holds the funding of every account; one of them must not stop it.
                    found.unreadable.append(unread(number, error, door.as_text(paid)))
                    continue
                if found.account is None or event.stream == account_stream(found.account):
                    yield event
        elif "user" not in fields:
            found.nameless[variant] += 1
        elif found.wants(user := door.address(fields, "user")):
            yield _of_user(variant, fields, account_stream(user), at, tx_hash)


def _funding(row: Mapping[str, Json], at: Millis, tx_hash: str) -> FundingPaid:
    return FundingPaid(
        stream=account_stream(door.address(row, "user")),
        at=at,
        coin=Coin(door.text(row, "coin")),
        usdc=door.number(row, "funding_amount"),
        size=door.number(row, "szi"),
        rate=door.number(row, "funding_rate"),
        samples=None,
        tx_hash=tx_hash,
    )


def _of_user(
    variant: str, row: Mapping[str, Json], stream: Stream, at: Millis, tx_hash: str
) -> StakeChanged | Unrecognized:
    """Return a movement of staked tokens; a variant we do not know is kept as it is."""
    action: Literal["delegate", "undelegate", "deposit", "withdraw"]
    validator: Address | None = None
    phase: str | None = None
    if variant == "CDeposit":
        action = "deposit"
    elif variant == "CWithdrawal":
        action = "withdraw"
        phase = "finalized" if door.flag(row, "is_finalized") else "initiated"
    elif variant == "Delegation":
        action = "undelegate" if door.flag(row, "is_undelegate") else "delegate"
        validator = door.address(row, "validator")
    else:
        body = door.as_text(dict(row), whole=True)
        return Unrecognized(stream=stream, at=at, venue_type=variant, body=body, tx_hash=tx_hash)
    return StakeChanged(
        stream=stream,
        at=at,
        action=action,
        validator=validator,
        amount=door.number(row, "amount"),
        phase=phase,
        tx_hash=tx_hash,
    )


# ------------------------------------------------------------------------- parts


def _reading(found: _Found, kind: str) -> Reading:
    covers: tuple[Covered, ...] = ()
    if kind != MISC_BY_BLOCK and found.first_at is not None and not found.unreadable:
        until = found.last_at if found.last_at is not None else found.first_at
        covers = (Covered(family="fills", since=found.first_at, until=until),)
    parts = tuple(
        _part(stream, numbers, events, covers)
        for stream, (numbers, events) in found.streams.items()
    )
    return Reading(
        kind=kind, parts=parts, unreadable=tuple(found.unreadable), notes=tuple(_notes(found))
    )


def _part(
    stream: Stream, numbers: list[int], events: list[Event], covers: tuple[Covered, ...]
) -> Part:
    numbers, events = by_moment(numbers, events)
    return Part(
        stream=stream,
        source="node",
        answer="line",
        rows=tuple(numbers),
        events=tuple(told_apart(events, only=_may_have_twins)),
        covers=covers,
    )


def _may_have_twins(event: Event) -> bool:
    return not (isinstance(event, Filled) and event.tid)


def _notes(found: _Found) -> Iterator[str]:
    if found.more:
        yield f"fields of fills kept in the raw record only: {', '.join(sorted(found.more))}"
    for variant, count in sorted(found.nameless.items()):
        yield f"{count} {variant} without an account, kept in the raw record only"
    if found.redelivered:
        yield f"{found.redelivered} blocks delivered again; only what was new in them was taken"
    if found.account is not None:
        yield f"only facts of {found.account} were asked for"


IMPORTERS: Final = (Importer(name="node lines", accepts=_accepts, read=read),)
"""The importer of this module, for the table of all."""
