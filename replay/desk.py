"""The desk in use: breaks are opened from a run, worked on by people, and read back as of any time.

Every act is an event with the name of who did it. An act that does not fit the state of its break
is refused before anything is written; the rule is ``projections.desk.refusal``. The book has to be
open for writing from reading the state to recording the act, so that nothing comes between.

Acts are read as they were recorded and are never corrected: no course is built over them, they are
merely cut at a position (what was known) and at a moment (what had been done).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias, cast, get_args

import attrs

from ledger.civil import iso
from ledger.codec import decode, event_id
from ledger.errors import NotFound, RefusedAct, UnclearQuestion
from ledger.events import (
    BreakApproved,
    BreakAssigned,
    BreakCarried,
    BreakClosed,
    BreakDesk,
    BreakEvent,
    BreakExplained,
    BreakVanished,
    DeskEvent,
    Reconciled,
    Resolution,
)
from ledger.units import Address, Digest, EventId, Millis, Stream, desk_stream, is_desk
from projections import desk as desks
from projections.breaks import approval_statement, opened
from projections.desk import Act, Case, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ledger.book import Book
    from ledger.signatures import SignerKey
    from projections.breaks import Break

_KINDS: Final = get_args(DeskEvent)
FOUND_RECIPE: Final = b"rollforward found breaks 1\n"
NAME_MAX: Final = 200
WORDS_MAX: Final = 2_000

Made: TypeAlias = "Callable[[Case, Millis], BreakEvent]"


@attrs.frozen(kw_only=True)
class Run:
    """What a reconciliation went over, and by which rules; both ends belong to it.

    ``subjects`` limit it, when there are any; ``against`` says what the history was held against,
    ``parameters`` are tolerance, rules and options as canonical JSON.
    """

    desk: BreakDesk
    account: Address | None
    since: Millis
    until: Millis
    subjects: tuple[str, ...] = ()
    against: str = "venue"
    parameters: str = "{}"
    position: int

    def covers(self, case: Case) -> bool:
        """Tell whether this run would have found a break, had it been there."""
        found = case.found
        return (
            (found.desk, found.account, case.against) == (self.desk, self.account, self.against)
            and self.since <= found.at <= self.until
            and (not self.subjects or found.subject in self.subjects)
        )


@attrs.frozen(kw_only=True)
class Outcome:
    """What recording a run did: names of breaks that are new, back with other numbers, or gone.

    ``known`` were found as they stand. ``is_new`` tells whether anything was recorded.
    """

    run: EventId
    opened: tuple[str, ...]
    renewed: tuple[str, ...]
    known: tuple[str, ...]
    gone: tuple[str, ...]
    is_new: bool


# ----------------------------------------------------------------------------------------- reading


def acts(book: Book, *, position: int | None = None, at: Millis | None = None) -> Iterator[Act]:
    """Yield the acts of all desks of a book, as recorded by a position and done by a moment."""
    for info in book.streams():
        if is_desk(info.stream):
            yield from _acts(book, info.stream, position, at)


def _acts(
    book: Book, stream: Stream, position: int | None = None, at: Millis | None = None
) -> Iterator[Act]:
    for batch in book.batches(stream, position):
        for line in batch.lines:
            event = decode(line)
            if isinstance(event, _KINDS) and (at is None or event.at <= at):
                yield Act(
                    event=cast("DeskEvent", event),
                    id=event_id(event),
                    position=batch.header.position,
                    recorded=batch.header.recorded,
                )


def read(book: Book, *, position: int | None = None, at: Millis | None = None) -> Desk:
    """Return the desk of a book: every break, and what became of it, as of both times."""
    return desks.desk(acts(book, position=position, at=at))


def case_of(desk: Desk, name: str) -> Case:
    """Return the case of a break by its name, or by an unmistakable beginning of it.

    Raises: NotFound, when there is none; UnclearQuestion, when several begin so.
    """
    wanted = name.strip().upper().removeprefix("B-").lower()
    fitting = [case for case in desk.cases if case.found.identity[2:].startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting and wanted:
        names = ", ".join(case.found.identity for case in fitting[:5])
        raise UnclearQuestion(
            asked=name, problem=f"fits {len(fitting)} breaks", remedy=f"Name one of: {names}"
        )
    raise NotFound(what="break", name=name, remedy="See rollforward breaks --all")


# --------------------------------------------------------------------------------------- a run


def record_run(
    book: Book, breaks: Iterable[Break], run: Run, *, by: str, now: Millis, dry: bool = False
) -> Outcome:
    """Record what a reconciliation found; recording the same again adds nothing.

    New breaks are opened. Known ones are left as they stand, unless their numbers are others by
    now: then they are opened again. Live ones that this run goes over and does not find are marked
    as no longer found, and can be closed so. *dry* tells what would be recorded.

    Raises: RefusedAct, when a break lies outside the run or two breaks share a name.
    """
    found = _by_name(breaks, run)
    stream = desk_stream(run.account)
    past = tuple(_acts(book, stream))
    desk = desks.desk(past)
    at = _moment(past, now)
    made = _reconciled(found, run, stream=stream, at=at, by=name_of(by))
    outcome = _compared(desk, found, run, event_id(made))
    seen = {
        name: opened(one, stream=stream, at=at, against=run.against, run=outcome.run, by=made.by)
        for name, one in found.items()
    }
    known = {case.found.identity: case for case in desk.cases}
    for name, event in seen.items():
        _refuse("open", known.get(name), event)
    news: list[DeskEvent] = [seen[name] for name in (*outcome.opened, *outcome.renewed)]
    news += [
        BreakVanished(stream=stream, at=at, identity=name, run=outcome.run, by=made.by)
        for name in outcome.gone
    ]
    last = _last_like(desk, made)
    if not news and last is not None:
        return attrs.evolve(outcome, run=last.id, is_new=False)
    if not dry:
        book.act([made, *news], recorded=now)
    return outcome


def _by_name(breaks: Iterable[Break], run: Run) -> dict[str, Break]:
    found: dict[str, Break] = {}
    for one in breaks:
        if found.setdefault(one.identity, one) != one:
            raise RefusedAct(
                act="record",
                subject=one.identity,
                problem="is the name of two breaks of one run",
                remedy="Give the reconciliation's key more words, so that the names differ",
            )
        if (one.desk, one.account) != (run.desk, run.account) or not (
            run.since <= one.at <= run.until
        ):
            raise RefusedAct(
                act="record",
                subject=one.identity,
                problem="lies outside what the run went over",
                remedy="Record it with the run that found it",
            )
    return dict(sorted(found.items(), key=lambda item: (item[1].at, item[0])))


def _reconciled(
    found: dict[str, Break], run: Run, *, stream: Stream, at: Millis, by: str
) -> Reconciled:
    figures = "".join(f"{name} {found[name].figures}\n" for name in sorted(found))
    return Reconciled(
        stream=stream,
        at=at,
        desk=run.desk,
        account=run.account,
        since=run.since,
        until=run.until,
        subjects=run.subjects,
        against=run.against,
        parameters=run.parameters,
        position=run.position,
        found=len(found),
        found_digest=Digest(sha256(FOUND_RECIPE + figures.encode()).hexdigest()),
        by=by,
    )


def _compared(desk: Desk, found: dict[str, Break], run: Run, made: EventId) -> Outcome:
    known = {case.found.identity: case for case in desk.cases}
    renewed = [
        name
        for name, one in found.items()
        if name in known and desks.is_news(known[name], one.figures)
    ]
    gone = [
        name
        for name, case in known.items()
        if name not in found and case.is_live and not case.is_gone and run.covers(case)
    ]
    return Outcome(
        run=made,
        opened=tuple(name for name in found if name not in known),
        renewed=tuple(renewed),
        known=tuple(name for name in found if name in known and name not in renewed),
        gone=tuple(gone),
        is_new=True,
    )


def _last_like(desk: Desk, made: Reconciled) -> Act | None:
    """Return the last run over the same ground by the same rules, when it found the same."""

    def ground(event: Reconciled) -> tuple[object, ...]:
        return (event.desk, event.account, event.since, event.until, event.subjects,
                event.against, event.parameters)  # fmt: skip

    for act in reversed(desk.runs):
        event = act.event
        if isinstance(event, Reconciled) and ground(event) == ground(made):
            return act if event.found_digest == made.found_digest else None
    return None


# ------------------------------------------------------------------------------------------- acts


def assign(book: Book, name: str, *, to: str, because: str, by: str, now: Millis) -> Case:
    """Record that somebody is to explain a break, and return its case.

    Raises: NotFound or UnclearQuestion, as ``case_of``; RefusedAct, when it does not fit.
    """

    def made(case: Case, at: Millis) -> BreakAssigned:
        return BreakAssigned(
            stream=desk_stream(case.found.account),
            at=at,
            identity=case.found.identity,
            owner=name_of(to, "--to"),
            because=words_of(because, optional=True),
            by=name_of(by),
        )

    return _record(book, name, "assign", made, now)


def explain(book: Book, name: str, *, because: str, by: str, now: Millis) -> Case:
    """Record what a break comes from, and return its case. Raises: as ``assign``."""

    def made(case: Case, at: Millis) -> BreakExplained:
        return BreakExplained(
            stream=desk_stream(case.found.account),
            at=at,
            identity=case.found.identity,
            figures=case.found.figures,
            because=words_of(because),
            by=name_of(by),
        )

    return _record(book, name, "explain", made, now)


def approve(
    book: Book, name: str, *, because: str = "", by: str, now: Millis, key: SignerKey | None = None
) -> Case:
    """Record a second person's approval, signed when a key is given, and return the case.

    Raises: as ``assign``; NotFound, when signing needs a library that is not installed.
    """

    def made(case: Case, at: Millis) -> BreakApproved:
        plain = BreakApproved(
            stream=desk_stream(case.found.account),
            at=at,
            identity=case.found.identity,
            figures=case.found.figures,
            explanation=case.explanation.id if case.explanation else EventId(""),
            because=words_of(because, optional=True),
            signature=None,
            key=None,
            by=name_of(by),
        )
        return plain if key is None else _signed(plain, key)

    return _record(book, name, "approve", made, now)


def _signed(event: BreakApproved, key: SignerKey) -> BreakApproved:
    from ledger import signatures

    line = signatures.sign(approval_statement(event), key)
    return attrs.evolve(event, signature=line.text, key=key.verifier.text)


def close(
    book: Book, name: str, *, because: str, by: str, now: Millis, force: bool = False
) -> Case:
    """Record that nothing more is to be done about a break, and return its case.

    It is closed on its approval, or on a run that did not find it any more. With *force* neither
    is needed; the case shows that for ever.

    Raises: as ``assign``.
    """

    def made(case: Case, at: Millis) -> BreakClosed:
        resolution: Resolution = "approved"
        if case.status != "approved":
            resolution = "no longer found" if case.is_gone else "forced" if force else "approved"
        return BreakClosed(
            stream=desk_stream(case.found.account),
            at=at,
            identity=case.found.identity,
            figures=case.found.figures,
            resolution=resolution,
            because=words_of(because),
            by=name_of(by),
        )

    return _record(book, name, "close", made, now)


def carry(
    book: Book, name: str, *, because: str, by: str, now: Millis, to: Millis | None = None
) -> Case:
    """Record that a break is carried forward unexplained, and return its case.

    Raises: as ``assign``; RefusedAct, when *to* is not after now.
    """
    if to is not None and to <= now:
        raise RefusedAct(
            act="carry",
            subject=name,
            problem=f"would be looked at again at {iso(to)}, which is past",
            remedy="Name a later moment with --to, or none",
        )

    def made(case: Case, at: Millis) -> BreakCarried:
        return BreakCarried(
            stream=desk_stream(case.found.account),
            at=at,
            identity=case.found.identity,
            figures=case.found.figures,
            to=to,
            because=words_of(because),
            by=name_of(by),
        )

    return _record(book, name, "carry", made, now)


def _record(book: Book, name: str, act: str, make: Made, now: Millis) -> Case:
    case = case_of(read(book), name)
    past = tuple(_acts(book, desk_stream(case.found.account)))
    event = make(case, _moment(past, now))
    _refuse(act, case, event)
    receipt = book.act([event], recorded=now)
    assert receipt.new == 1, "an act is later than all before it, and so is none of them"
    return case_of(read(book), case.found.identity)


def _refuse(act: str, case: Case | None, event: BreakEvent) -> None:
    why = desks.refusal(case, event)
    if why is not None:
        raise RefusedAct(act=act, subject=event.identity, problem=why.problem, remedy=why.remedy)


def _moment(past: Iterable[Act], now: Millis) -> Millis:
    """Return when an act is done: now, but after all acts it can know of, whatever a clock says."""
    return Millis(max([now, *(act.event.at + 1 for act in past)]))


def name_of(text: str, option: str = "--as") -> str:
    """Return the name of a person as it is recorded: its words, single spaces between them.

    Raises: UnclearQuestion, when it says nothing, cannot be printed or is no name by its length.
    """
    name = " ".join(text.split())
    if not name.isprintable() or not desks.person(name) or len(name) > NAME_MAX:
        raise UnclearQuestion(
            asked=text, problem="is no name", remedy=f"Give {option} the name of a person"
        )
    return name


def words_of(text: str, *, optional: bool = False) -> str:
    """Return a reason as it is recorded: one line, single spaces between its words.

    Raises: UnclearQuestion, when it says nothing though it has to, or cannot be printed.
    """
    said = " ".join(text.split())
    if not said.isprintable() or len(said) > WORDS_MAX or not (said or optional):
        raise UnclearQuestion(
            asked=text, problem="says nothing", remedy="Give --because a few words that can be read"
        )
    return said
