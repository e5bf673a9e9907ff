"""Explain: from a figure or an event back to the events and the raw records behind it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs
import msgspec
from typing_extensions import override

from ledger import timeline
from ledger.codec import decode, encode, event_id
from ledger.entries import AsOf
from ledger.errors import NotFound, UnclearQuestion, UnknownKind
from ledger.events import Annulled, Contradicted, Filled, FundingPaid, Opened, Replaced
from ledger.money import ZERO, canonical, exact
from ledger.units import Asset, Coin, Millis
from projections import balances, fees, funding, positions
from projections.chart import position, size_asset
from projections.fold import Stopped
from projections.postings import fee_asset, is_perp, postings
from replay.history import Running
from replay.moments import iso
from replay.tables import UNKNOWN, Table, Tabled
from replay.views import place_name
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.entries import Entry
    from ledger.events import Event
    from projections.fold import States
    from projections.reference import Reference
    from replay.audit import AccountHistory, Audit

Change: TypeAlias = "Decimal | Literal['unknown']"
"""By how much an event changes a figure."""

Rule: TypeAlias = "Callable[[Event], tuple[tuple[Change, str], ...]]"
"""What an event changes, each change in words; nothing where it does not touch the figure."""

_IDENTITY: Final = re.compile(r"\A[0-9a-f]{6,32}\Z")

SETS: Final = (
    "an opening sets what it names: where something is held before it, only the difference moves"
)

FIGURES: Final = (
    "balance PLACE ASSET (such as balance spot USDC, balance perp USDC, balance borrowed HYPE)",
    "position MARKET (such as position BTC)",
    "fee ASSET",
    "funding MARKET",
)
"""The figures that can be explained, as they are asked for."""


@attrs.frozen(kw_only=True)
class Evidence:
    """One row of a raw record: where it is, and its characters exactly as received."""

    event: str
    source: str
    record: str | None
    name: str
    place: str
    recorded: str
    position: str
    text: str | None


@attrs.frozen(kw_only=True)
class Explanation(Tabled):
    """What a figure or an event rests on."""

    subject: str
    figure: str | None
    tables: tuple[Table, ...]
    evidence: tuple[Evidence, ...]
    notes: tuple[str, ...] = ()
    line: str | None = None
    """An event's canonical line, as ``what-if --add`` takes one; None for a figure."""

    def to_dict(self) -> dict[str, object]:
        """Return everything as one dictionary of text, for programs."""
        return {
            "subject": self.subject,
            "figure": self.figure,
            "line": self.line,
            **{table.title.lower().replace(" ", "_"): table.to_dicts() for table in self.tables},
            "evidence": [attrs.asdict(item) for item in self.evidence],
            "notes": list(self.notes),
        }

    def evidence_table(self) -> Table:
        """Return the raw records behind it, one row per event."""
        return Table(
            title="Raw records",
            columns=("event", "file", "place", "record", "position"),
            rows=tuple(
                (item.event[:12], item.name, item.place, (item.record or "")[:16], item.position)
                for item in self.evidence
            ),
            empty="none",
        )

    @property
    @override
    def exact_tables(self) -> tuple[Table, ...]:
        """The tables, and the raw records behind them."""
        return (*self.tables, self.evidence_table())

    @override
    def _repr_html_(self) -> str:
        """Return it as HTML, for notebooks."""
        return "".join(table._repr_html_() for table in self.exact_tables)


def explain(
    account: AccountHistory,
    subject: str,
    *,
    until: Millis | None,
    position: int,
    last: int | None = None,
) -> Explanation:
    """Return what an event or a figure of an account rests on.

    With *last*, only about so many of the account's last events are gone through; what the figure
    was before them is taken from the state then, in one row.

    Raises: NotFound, for an event the account does not have; UnclearQuestion, for anything that
    is neither an event nor a figure.
    """
    words = subject.split()
    if len(words) == 1 and _IDENTITY.match(subject.lower()):
        return _of_event(account, full_identity(account, subject.lower(), position), position)
    return _of_figure(account, words, subject, until=until, known_at=position, last=last)


def full_identity(account: AccountHistory, start: str, position: int) -> str:
    """Return the identity that begins so.

    Raises: NotFound, when none of the account does; UnclearQuestion, when several do.
    """
    if len(start) == 32:
        return start
    found = sorted(
        {identity for identity in _all_identities(account, position) if identity.startswith(start)}
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(what="event", name=start, remedy="See rollforward history")
    raise UnclearQuestion(
        asked=start, problem=f"begins {len(found)} identities", remedy=f"Say {' or '.join(found)}"
    )


def _all_identities(account: AccountHistory, position: int) -> Iterator[str]:
    engine = account.audit.engine
    for header in engine.headers(account.stream, position):
        for line in engine.batch(account.stream, header.version).lines:
            yield event_id(decode(line))


# ------------------------------------------------------------------------------- one event


def identity_anywhere(audit: Audit, start: str) -> str:
    """Return the identity, of any stream of a book, that begins so.

    Raises: NotFound, when none does; UnclearQuestion, when several do.
    """
    even = start if len(start) % 2 == 0 else start[:-1]
    found = (
        [
            name
            for name in (one.hex() for one in audit.book.beginning(bytes.fromhex(even)))
            if name.startswith(start)
        ]
        if _IDENTITY.match(start)
        else []
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(what="event", name=start[:32], remedy="See rollforward history")
    raise UnclearQuestion(
        asked=start, problem=f"begins {len(found)} identities", remedy="Give more of its digits"
    )


def explain_any(account: AccountHistory, identity: str, position: int) -> Explanation:
    """Return what an event rests on, one of a market or reserve of the account's book included.

    Raises: NotFound, when the book has no such event.
    """
    entry = account.audit.find(identity)
    if entry.event.stream == account.stream:
        return _of_event(account, identity, position)
    return Explanation(
        subject=identity,
        figure=None,
        tables=(_fields(entry),),
        evidence=(_evidence(account, entry),),
    )


def _of_event(account: AccountHistory, identity: str, position: int) -> Explanation:
    engine = account.audit.engine
    entry = account.entry(identity)
    reference = engine.reference(position)
    return Explanation(
        subject=identity,
        figure=None,
        tables=(_fields(entry), _legs(entry.event, reference)),
        evidence=(_evidence(account, entry),),
        notes=tuple(_fate(account, entry, position)),
        line=encode(entry.event).decode(),
    )


def _fields(entry: Entry) -> Table:
    fields = msgspec.json.decode(encode(entry.event))
    rows = [(name, _shown(value)) for name, value in fields.items() if name != "@"]
    return Table(
        title="Event",
        columns=("field", "value"),
        rows=(("kind", str(fields["@"])), ("means", described(entry.event)), *rows),
    )


def _shown(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)


def _legs(event: Event, reference: Reference) -> Table:
    try:
        with exact():
            legs = postings(event, reference)
        empty = "it moves nothing"
    except UnknownKind:
        legs, empty = (), f"{UNKNOWN}: the kind of the event has no known meaning"
    return Table(
        title="Postings",
        columns=("place", "asset", "amount"),
        rows=tuple((place_name(leg.place), str(leg.asset), canonical(leg.amount)) for leg in legs),
        numbers=frozenset({"amount"}),
        notes=(SETS,) if isinstance(event, Opened) and legs else (),
        empty=empty,
    )


def _fate(account: AccountHistory, entry: Entry, position: int) -> Iterator[str]:
    """Yield what became of an event: set aside, corrected, contradicted."""
    engine = account.audit.engine
    course = engine.course(account.stream, position)
    for header in engine.headers(account.stream, position):
        batch = engine.batch(account.stream, header.version) if header.irregular else None
        for line in batch.lines if batch else ():
            event = decode(line)
            if isinstance(event, Annulled | Replaced) and event.target == entry.id:
                verb = "annulled" if isinstance(event, Annulled) else "replaced"
                yield f"{verb} by {event.author} at position {header.position}: {event.reason}"
            elif isinstance(event, Contradicted) and event.target == entry.id:
                where = f"at position {header.position}"
                yield f"contradicted {where}: another record says {event.other}"
    for aside in course.set_aside:
        if aside.version is not None and aside.at == entry.event.at:
            line = engine.batch(account.stream, aside.version).lines[aside.row]
            if event_id(decode(line)) == entry.id:
                by = f" ({', '.join(other[:12] for other in aside.by)})" if aside.by else ""
                yield f"not in the course of events: {aside.reason}{by}"


# ------------------------------------------------------------------------------- figures


def _of_figure(
    account: AccountHistory,
    words: list[str],
    subject: str,
    *,
    until: Millis | None,
    known_at: int,
    last: int | None,
) -> Explanation:
    engine = account.audit.engine
    reference = engine.reference(known_at)
    course = engine.course(account.stream, known_at)
    batch_of = engine.batches_of(account.stream)
    running = Running(reference)
    change_of = _rule(words, subject, reference, running)
    rows: list[tuple[str | None, ...]] = []
    evidence: list[Evidence] = []
    total: Change = ZERO
    with exact():
        stop = course.count if until is None else course.through(until, batch_of)
        start, begin = 0, 0
        if last is not None and stop > last:
            begin = timeline.entry(course, stop - last, batch_of).event.at
            start = course.through(begin - 1, batch_of)
        if start:
            as_of = AsOf(effective=Millis(begin - 1), position=known_at)
            total = _before(words, engine.states(account.stream, as_of).states, running)
            told = f"{start} earlier events, taken together"
            rows.append((None, None, told, None, _text(total), None))
        events = timeline.events(course, batch_of, start, stop)
        for ordinal, event in enumerate(events, start):
            changes = change_of(event)
            if not changes:
                continue
            entry = timeline.entry(course, ordinal, batch_of)
            evidence.append(_evidence(account, entry))
            for change, what in changes:
                total = _sum(total, change)
                rows.append(
                    (iso(event.at), entry.id, what, _text(change), _text(total), entry.place)
                )
    figure = _text(total)
    return Explanation(
        subject=subject,
        figure=figure,
        tables=(_figure_table(words, figure, rows),),
        evidence=tuple(evidence),
        notes=tuple(
            f"rests on an opening attested by {opening.author} from {opening.source}"
            for opening in account.openings(known_at)
            if until is None or opening.at <= until
        ),
    )


def _before(words: list[str], states: States, running: Running) -> Change:
    """Return what a figure was in a state, and let balances run on from there."""
    held = states.by_name[balances.NAME]
    if isinstance(held, Stopped):
        running.unknown_since = Millis(held.at)
        return UNKNOWN
    running.balances = dict(states.state(balances.NAME).by_key)
    match words:
        case ["balance", *place, asset]:
            named = " ".join(place)
            return sum(
                (
                    amount
                    for (where, token), amount in running.balances.items()
                    if token == asset and named in {where, place_name(where)}
                ),
                ZERO,
            )
        case ["position", market]:
            found = states.state(positions.NAME).by_key.get(Coin(market))
            return ZERO if found is None else positions.size(found)
        case ["fee" | "fees", asset]:
            charged = states.state(fees.NAME).by_key.get(Asset(asset))
            if charged is None:
                return ZERO
            return UNKNOWN if charged.unknown else charged.total
        case _:
            by_key = states.state(funding.NAME).by_key
            return sum(
                (each.total for (coin, _), each in by_key.items() if coin == words[-1]), ZERO
            )


def _sum(total: Change, change: Change) -> Change:
    if isinstance(total, Decimal) and isinstance(change, Decimal):
        return total + change
    return UNKNOWN


def _text(value: Change) -> str:
    return canonical(value) if isinstance(value, Decimal) else UNKNOWN


def _figure_table(words: list[str], figure: str, rows: list[tuple[str | None, ...]]) -> Table:
    return Table(
        title="Events",
        columns=("at", "event", "what", "change", "sum", "place_in_record"),
        rows=tuple(rows),
        numbers=frozenset({"change", "sum"}),
        notes=(f"{' '.join(words)} = {figure}",),
        empty="no event touches this figure",
    )


def _rule(words: list[str], subject: str, reference: Reference, running: Running) -> Rule:
    match words:
        case ["balance", *place, asset] if place:
            return _balance_rule(" ".join(place), asset, running)
        case ["position", market] if is_perp(Coin(market)) and not market.startswith("spot:"):
            return _position_rule(Coin(market), running)
        case ["position", market]:
            raise UnclearQuestion(
                asked=subject,
                problem="is a holding of tokens, not a position",
                remedy=f"Ask for balance spot {market.removeprefix('spot:')}",
            )
        case ["fee" | "fees", asset]:
            return lambda event: _fee(event, asset, reference)
        case ["funding", market]:
            return lambda event: _funding(event, market)
        case _:
            raise UnclearQuestion(
                asked=subject,
                problem="is neither an event nor a figure that can be explained",
                remedy=f"Figures are: {'; '.join(FIGURES)}. Events: see rollforward history",
            )


def _balance_rule(place: str, asset: str, running: Running) -> Rule:
    def changes(event: Event) -> tuple[tuple[Change, str], ...]:
        was_known = running.unknown_since is None
        changed = running.take(event)
        if was_known and running.unknown_since is not None:
            return ((UNKNOWN, described(event)),)
        return tuple(
            (amount, described(event))
            for (where, token), amount in changed.items()
            if token == asset and place in {where, place_name(where)}
        )

    return changes


def _position_rule(market: Coin, running: Running) -> Rule:
    """Say how a position's size changes; the first fill brings a derived opening with it."""
    place, token = position(market), size_asset(market)

    def changes(event: Event) -> tuple[tuple[Change, str], ...]:
        is_first = (place, token) not in running.balances
        amount = running.take(event).get((place, token))
        if amount is None:
            return ()
        traded = (amount, described(event))
        if is_first and isinstance(event, Filled) and event.start_position:
            return ((event.start_position, "opening, derived from the next fill's start"), traded)
        return (traded,)

    return changes


def _fee(event: Event, asset: str, reference: Reference) -> tuple[tuple[Change, str], ...]:
    if isinstance(event, Filled) and fee_asset(event, reference) == asset:
        return ((UNKNOWN if event.fee is None else event.fee, described(event)),)
    return ()


def _funding(event: Event, market: str) -> tuple[tuple[Change, str], ...]:
    if isinstance(event, FundingPaid) and event.coin == market:
        return ((event.usdc, described(event)),)
    return ()


# ------------------------------------------------------------------------------- evidence


def _evidence(account: AccountHistory, entry: Entry) -> Evidence:
    """Return where an event was read, with the characters of its row."""
    audit = account.audit
    name, text = "recorded by a person", None
    if entry.record is not None:
        name, text = audit.record_name(entry.record), audit.row_text(entry.record, entry.place)
    return Evidence(
        event=entry.id,
        source=entry.source,
        record=entry.record,
        name=name,
        place=entry.place,
        recorded=iso(entry.recorded),
        position=str(entry.position),
        text=text,
    )
