"""Closing: a period pinned on a report, and the report made again later.

To close a period makes the report at a position of the book and records its bytes, as a raw record,
with the event that names period, position, parameters, digest, and what made it. Nothing is locked:
what arrives later is recorded like everything else, and listed beside the closing. To reproduce a
closing makes the report anew, at the same position, and compares every byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs
import msgspec

from ledger.codec import event_id
from ledger.entries import Part, RawRecord, Reading
from ledger.errors import NotFound, RollforwardError, UnclearQuestion
from ledger.events import PeriodClosed
from ledger.money import parse_decimal
from ledger.seal import digest_of_record
from ledger.timeline.sheets import at_of, kind_of_line
from ledger.units import DESK, Address, Digest, Millis, account_stream, desk_stream
from projections.beliefs import MARGIN, NONE, UNKNOWN, Figures, Value
from replay.periods import Period
from replay.reports import Asked, Made, parameters_text, report
from replay.versions import changed, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.book import Book, Receipt
    from ledger.units import Stream
    from replay.audit import Audit

KIND: Final = "closed report"
"""What the archive calls the record of a closed report."""

Outcome: TypeAlias = Literal["identical", "differs", "not reproducible"]


@attrs.frozen(kw_only=True)
class Closed:
    """A closing, and the bytes that were pinned, as far as the book has them."""

    name: str
    """``C-`` and the first twelve digits of the event's identity."""
    event: PeriodClosed
    body: bytes | None

    @property
    def of(self) -> str:
        """The account's address, or the name of the group."""
        return self.event.account or self.event.group

    @property
    def period(self) -> Period:
        """The period that was closed."""
        return Period(since=self.event.since, until=self.event.until)

    def document(self) -> dict[str, Any]:
        """Return the pinned report as an object; empty where its bytes are not at hand."""
        if self.body is None:
            return {}
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found

    def figures(self) -> Figures:
        """Return the figures the report names, as ``rollforward diff`` compares them.

        Margin that was asked for in another way than by rulebook is left out: it is judged
        otherwise on purpose.
        """
        named: Mapping[str, str] = self.document().get("figures", {})
        asked: Mapping[str, Any] = self.document().get("parameters", {})
        is_plain = set(asked) <= {"rulebook"}
        return Figures(
            values={
                name: _value(said)
                for name, said in named.items()
                if is_plain or not name.startswith(MARGIN)
            }
        )

    @property
    def outgrown(self) -> tuple[str, ...]:
        """What made the report and is not as it was, in words; see ``replay.versions``."""
        then = self.event.versions
        books = [each.partition(" ")[2] for each in then if each.startswith("rulebook ")]
        return changed(then, versions(books))

    @property
    def rulebook(self) -> str | None:
        """The rulebook the report was asked to be judged under; None where the instant decides."""
        found = self.document().get("parameters", {}).get("rulebook")
        return None if found is None else str(found)

    def is_about(self, account: Address) -> None:
        """Refuse another account than the one that was closed.

        Raises: UnclearQuestion, naming both.
        """
        if self.event.account != account:
            raise UnclearQuestion(
                asked=self.name,
                problem=f"closes {self.of}, not {account}",
                remedy=f"Ask for {self.of}" if self.event.account else "Name two positions",
            )


def _value(said: str) -> Value:
    if said == UNKNOWN:
        return UNKNOWN
    return NONE if said == NONE else parse_decimal(said)


# ------------------------------------------------------------------------- to close


def made_report(
    audit: Audit,
    of: str,
    period: Period,
    *,
    position: int,
    name: str,
    parameters: Mapping[str, Any],
) -> tuple[Asked, Made]:
    """Return the question and the report of an account (an address) or a group (a name).

    Raises: NotFound, when the book has neither; UnclearQuestion, when there is no such report.
    """
    make = report(name)
    is_account = of.startswith("0x")
    if not is_account:
        from replay.groups import group

        group(audit, of, position)
    asked = Asked(
        audit=audit,
        history=audit.account(of) if is_account else None,
        group="" if is_account else of,
        since=period.since,
        until=period.until,
        position=position,
        parameters=parameters,
    )
    return asked, make(asked)


def closing(
    asked: Asked, made: Made, *, name: str, by: str, because: str, now: Millis
) -> PeriodClosed:
    """Return the event that closes a period on a report that was made.

    Raises: UnclearQuestion, when nobody says so.
    """
    if not by.strip():
        raise UnclearQuestion(asked=by, problem="says nothing", remedy="Give --as a name")
    account = None if asked.history is None else asked.history.account
    return PeriodClosed(
        stream=desk_stream(account),
        at=now,
        account=account,
        group=asked.group,
        since=asked.since,
        until=asked.until,
        position=asked.position,
        report=name,
        parameters=parameters_text(asked.parameters),
        digest=digest_of_record(made.body),
        versions=versions(made.rulebooks),
        because=because.strip(),
        by=by.strip(),
    )


def record_closing(book: Book, event: PeriodClosed, made: Made, *, now: Millis) -> Receipt:
    """Write down a closing with the bytes of its report, in one transaction.

    Raises: StoreBusy or StoreFailed, as the store says.
    """
    period = Period(since=event.since, until=event.until).name.replace(" ", "_")
    record = RawRecord(
        name=f"closed {event.report} {period}.json", body=made.body, digest=event.digest
    )
    part = Part(stream=event.stream, source="person", answer="", rows=(0,), events=(event,))
    return book.append(record, Reading(kind=KIND, parts=(part,)), recorded=now)


def name_of(event: PeriodClosed) -> str:
    """Return what a closing is called."""
    return f"C-{event_id(event)[:12]}"


# ------------------------------------------------------------------------- to find


def closings(audit: Audit, position: int | None = None) -> tuple[Closed, ...]:
    """Return every closing of the book, in the order they were made; bytes are not read."""
    known = audit.position() if position is None else position
    streams = [info.stream for info in audit.book.streams() if _is_desk(info.stream)]
    found = [
        event
        for stream in streams
        for event in audit.engine.events(stream, known)
        if isinstance(event, PeriodClosed)
    ]
    found.sort(key=lambda event: (event.at, event_id(event)))
    return tuple(Closed(name=name_of(event), event=event, body=None) for event in found)


def _is_desk(stream: Stream) -> bool:
    return stream == DESK or stream.startswith("desk:")


def closed_report(audit: Audit, name: str) -> Closed:
    """Return the closing of that name, or of an unmistakable beginning of it, with its bytes.

    Raises: NotFound, when there is none; UnclearQuestion, when several begin so.
    """
    wanted = f"C-{name[2:].lower()}" if name[:2].upper() == "C-" else name
    every = closings(audit)
    found = [each for each in every if len(wanted) > 2 and each.name.startswith(wanted)]
    if len(found) > 1:
        raise UnclearQuestion(
            asked=name,
            problem=f"begins {len(found)} names",
            remedy=f"Say {' or '.join(each.name for each in found)}",
        )
    if not found:
        told = ", ".join(each.name for each in every) or "none"
        raise NotFound(
            what="closed period",
            name=name,
            remedy=f"There are: {told}. See rollforward close --list",
        )
    return attrs.evolve(found[0], body=_body(audit, found[0].event.digest))


def _body(audit: Audit, digest: Digest) -> bytes | None:
    try:
        return audit.book.record(digest).body
    except NotFound:
        return None


# ------------------------------------------------------------------------- since then


def arrived_since(audit: Audit, closed: Closed) -> dict[str, int]:
    """Return how many events were recorded later that happened in the period, by kind.

    Corrections count by the moment of what they correct.
    """
    event = closed.event
    return dict(sorted(Counter(_arrived(audit, event)).items()))


def _arrived(audit: Audit, event: PeriodClosed) -> Iterator[str]:
    for account in _accounts(audit, event):
        stream = account_stream(account)
        for header in audit.engine.headers(stream, audit.position()):
            if header.position <= event.position or header.first_at > event.until:
                continue
            if header.last_at < event.since:
                continue
            for line in audit.engine.batch(stream, header.version).lines:
                if event.since <= at_of(line) <= event.until:
                    kind = kind_of_line(line)
                    yield "unknown kind" if kind is None else kind.name.replace("_", " ")


def _accounts(audit: Audit, event: PeriodClosed) -> tuple[Address, ...]:
    if event.account is not None:
        return (event.account,)
    from replay.groups import group

    return tuple(member.address for member in group(audit, event.group, event.position).members)


# ------------------------------------------------------------------------- to reproduce


@attrs.frozen(kw_only=True)
class Reproduction:
    """What came of making a closed report again."""

    closed: Closed
    outcome: Outcome
    digest: Digest | None
    """Digest of the bytes made now; None when none could be made."""
    reasons: tuple[str, ...]
    """Why it is not the same, in sentences; empty when it is."""
    figures: tuple[tuple[str, str, str], ...]
    """Figures that are not the same: name, pinned, made now."""
    lines: tuple[tuple[str, str], ...]
    """First lines of the text that are not the same: pinned, made now."""
    arrived: Mapping[str, int]
    """Events of the period that were recorded since, by kind."""


LINES_SHOWN: Final = 3


def reproduce(audit: Audit, closed: Closed) -> Reproduction:
    """Return whether a closed report, made again at its position, is the same byte for byte."""
    event = closed.event
    try:
        made = _made_again(audit, closed)
    except _Impossible as error:
        return Reproduction(
            closed=closed, outcome="not reproducible", digest=None, reasons=(str(error),),
            figures=(), lines=(), arrived={},
        )  # fmt: skip
    digest = digest_of_record(made.body)
    arrived = arrived_since(audit, closed)
    if digest == event.digest:
        return Reproduction(
            closed=closed, outcome="identical", digest=digest, reasons=(), figures=(), lines=(),
            arrived=arrived,
        )  # fmt: skip
    now: dict[str, Any] = msgspec.json.decode(made.body)
    then = closed.document()
    reasons = changed(event.versions, versions(made.rulebooks))
    return Reproduction(
        closed=closed,
        outcome="differs",
        digest=digest,
        reasons=reasons or (_unexplained(closed),),
        figures=tuple(_other_figures(then, now)),
        lines=tuple(_other_lines(then, now)),
        arrived=arrived,
    )


class _Impossible(Exception):
    """The report cannot be made at all; the text says why."""


def _made_again(audit: Audit, closed: Closed) -> Made:
    event = closed.event
    if event.position > audit.position():
        message = (
            f"the report reads position {event.position}, and this book ends at position "
            f"{audit.position()}: it is a part or an older copy"
        )
        raise _Impossible(message)
    try:
        parameters: dict[str, Any] = msgspec.json.decode(event.parameters)
    except msgspec.DecodeError as error:
        message = f"its parameters cannot be read: {error}"
        raise _Impossible(message) from error
    try:
        return made_report(
            audit, closed.of, closed.period, position=event.position, name=event.report,
            parameters=parameters,
        )[1]  # fmt: skip
    except RollforwardError as error:
        message = f"the report cannot be made any more: {error}"
        raise _Impossible(message) from error


def _unexplained(closed: Closed) -> str:
    if closed.body is None:
        return "the pinned bytes are not in this book, and program and rules are the same as then"
    return (
        "program and rules are the same as then: run rollforward verify, for the book may not "
        "hold the same bytes up to that position"
    )


def _other_figures(then: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    old: dict[str, str] = then.get("figures", {})
    new: dict[str, str] = now.get("figures", {})
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield name, old.get(name, "not in it"), new.get(name, "not in it")


def _other_lines(then: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, str]]:
    old, new = list(then.get("text", ())), list(now.get("text", ()))
    length = max(len(old), len(new))
    pairs = zip(old + [""] * (length - len(old)), new + [""] * (length - len(new)), strict=True)
    shown = 0
    for one, other in pairs:
        if one != other and then:
            yield one, other
            shown += 1
            if shown == LINES_SHOWN:
                return
