"""The desk: what became of every break, from the acts people recorded about it.

    open → assigned → explained → approved → closed
              ↘ carried forward, with a reason, and on

A break is opened by a run that finds it and stays live until it is closed. It is closed on a
second person's approval of an explanation, on a later run that did not find it any more, or by
force with a reason. A run that finds it with other numbers opens it again: what was explained or
approved was said of other numbers.

One rule, ``refusal``, says which act does not fit the state it meets. It is read twice: before an
act is recorded, where it refuses the act, and over what is recorded (two books laid together),
where the act changes nothing and is a finding. The page ``docs/spec/breaks.md`` has the table.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, assert_never

import attrs

from ledger.events import (
    BreakApproved,
    BreakAssigned,
    BreakCarried,
    BreakClosed,
    BreakEvent,
    BreakExplained,
    BreakOpened,
    BreakVanished,
    DeskEvent,
    GroupDefined,
    PeriodClosed,
    Reconciled,
)
from ledger.kinds import KIND_OF
from ledger.money import divide_down, exact
from ledger.units import Digest, EventId, Millis
from projections.breaks import Break, recorded
from projections.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECK: Final = "desk"
"""Name of the check under which what does not fit is a finding."""

DAY_MS: Final = 86_400_000

Status: TypeAlias = Literal["open", "assigned", "explained", "approved", "carried", "closed"]
STATUSES: Final[tuple[Status, ...]] = (
    "open", "assigned", "carried", "explained", "approved", "closed",
)  # fmt: skip

BUCKETS: Final[tuple[tuple[int, str], ...]] = (
    (7, "0-7 days"),
    (30, "8-30 days"),
    (60, "31-60 days"),
    (90, "61-90 days"),
)
"""Upper ends of the ages, in whole days, with their names; what is older is ``OLDEST``."""
OLDEST: Final = "over 90 days"
NOT_YET: Final = "before its value date"


@attrs.frozen(kw_only=True)
class Act:
    """One recorded act, and where and when the book took it."""

    event: DeskEvent
    id: EventId
    position: int
    recorded: Millis


@attrs.frozen(kw_only=True)
class Refusal:
    """Why an act does not fit, and what would."""

    problem: str
    remedy: str


@attrs.frozen(kw_only=True)
class Case:
    """One break and all that was done about it, up to an instant.

    ``explainers`` are all who explained the present numbers. ``carried``, ``forced`` and
    ``renewed`` count how often it was carried forward, closed by force, and opened again by a run;
    nothing takes them back. ``refused`` are recorded acts that did not fit and changed nothing.
    """

    found: Break
    against: str
    status: Status
    opened_at: Millis
    owner: str | None = None
    is_gone: bool = False
    explanation: Act | None = None
    approval: Act | None = None
    closing: Act | None = None
    explainers: tuple[str, ...] = ()
    carried: int = 0
    forced: int = 0
    renewed: int = 0
    acts: tuple[Act, ...] = ()
    refused: tuple[tuple[Act, Refusal], ...] = ()

    @property
    def is_live(self) -> bool:
        """True until it is closed."""
        return self.status != "closed"


@attrs.frozen(kw_only=True)
class Desk:
    """All cases by value date, the runs in their order, and acts on breaks nobody opened."""

    cases: tuple[Case, ...] = ()
    runs: tuple[Act, ...] = ()
    findings: tuple[Finding, ...] = ()

    def case(self, identity: str) -> Case | None:
        """Return the case of a break, or None when no run opened it."""
        return next((one for one in self.cases if one.found.identity == identity), None)


# ---------------------------------------------------------------------------- people and ages


def person(name: str) -> str:
    """Return a name as it is compared: without spaces, marks nobody sees, and capitals.

    Letters of other scripts that merely look alike stay different: the spelling of a name is no
    proof of who wrote it, a signature is.

    Example:
    >>> person("Ada  Lovelace") == person("ada lovelace") == person("AdaLovelace")
    True
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "ZC")


def age_days(case: Case, at: Millis) -> int:
    """Return how many whole days lie between the value date and an instant.

    A closed break ages no further than to its closing. Below zero before the value date.
    """
    until = min(at, case.closing.event.at) if case.closing else at
    with exact():
        return int(divide_down(Decimal(until - case.found.at), Decimal(DAY_MS), 0))


def bucket(case: Case, at: Millis) -> str:
    """Return the name of the ages an age falls into."""
    if at < case.found.at:
        return NOT_YET
    days = age_days(case, at)
    return next((name for most, name in BUCKETS if days <= most), OLDEST)


# ------------------------------------------------------------------------------- what may be done


def refusal(case: Case | None, event: BreakEvent) -> Refusal | None:
    """Return why an act does not fit the state of its break, or None when it does."""
    if isinstance(event, BreakOpened):
        return None if case is None else _other_break(case, event)
    if case is None:
        return Refusal(
            problem="is a break no run opened",
            remedy="Run the reconciliation that finds it, or see rollforward breaks",
        )
    if isinstance(event, BreakVanished):
        return None
    if case.status == "closed":
        return Refusal(
            problem="is closed",
            remedy="A run that finds it with other numbers opens it again",
        )
    if not isinstance(event, BreakAssigned) and event.figures != case.found.figures:
        return Refusal(
            problem="has other numbers by now than those that were meant",
            remedy="Look at it again: rollforward breaks show " + event.identity,
        )
    match event:
        case BreakApproved():
            return _no_approval(case, event)
        case BreakClosed():
            return _no_closing(case, event)
        case BreakAssigned() | BreakCarried():
            if case.status != "approved":
                return None
            return Refusal(
                problem="is approved already", remedy="Close it, or explain it differently first"
            )
        case BreakExplained():
            return None
        case _:
            assert_never(event)


def _other_break(case: Case, event: BreakOpened) -> Refusal | None:
    """A name stands for one desk, account, subject and interval, or two breaks share it."""
    known, said = case.found, recorded(event)
    ours = (known.desk, known.account, known.subject, known.at, known.until)
    if ours == (said.desk, said.account, said.subject, said.at, said.until):
        return None
    return Refusal(
        problem="is the name of another break in this book",
        remedy="Give the reconciliation's key more words, so that the two names differ",
    )


def _no_approval(case: Case, event: BreakApproved) -> Refusal | None:
    if case.status == "approved":
        return Refusal(problem="is approved already", remedy="Close it")
    if case.explanation is None:
        return Refusal(problem="is not explained", remedy="Explain it first; a second one approves")
    if event.explanation != case.explanation.id:
        return Refusal(
            problem="was explained again meanwhile",
            remedy="Read the latest explanation: rollforward breaks show " + event.identity,
        )
    own = {person(name) for name in (*case.explainers, case.owner) if name is not None}
    if person(event.by) in own:
        return Refusal(
            problem=f"is {event.by}'s own: who explained it, or has it, cannot approve it",
            remedy="Let a second person approve it",
        )
    return None


def _no_closing(case: Case, event: BreakClosed) -> Refusal | None:
    if event.resolution == "approved" and case.status != "approved":
        return Refusal(
            problem=f"is {case.status}, not approved",
            remedy="Let a second person approve its explanation, carry it forward, or close it "
            "with --force and a reason",
        )
    if event.resolution == "no longer found" and not case.is_gone:
        return Refusal(
            problem="is still found",
            remedy="Explain it and have that approved; only what a later run does not find is "
            "closed so",
        )
    return None


# ----------------------------------------------------------------------------- what acts come to


def after(case: Case | None, act: Act) -> Case | None:
    """Return the case after an act; one that does not fit is kept with it and changes nothing.

    None when the act is about a break no run opened.
    """
    event = act.event
    assert not isinstance(event, Reconciled | PeriodClosed | GroupDefined), "an act on a break"
    why = refusal(case, event)
    if case is None:
        return _opened(act, event) if why is None and isinstance(event, BreakOpened) else None
    kept = attrs.evolve(case, acts=(*case.acts, act))
    if why is not None:
        return attrs.evolve(kept, refused=(*case.refused, (act, why)))
    return _applied(kept, act, event)


def _opened(act: Act, event: BreakOpened) -> Case:
    return Case(
        found=recorded(event),
        against=event.against,
        status="open",
        opened_at=event.at,
        acts=(act,),
    )


def _applied(case: Case, act: Act, event: BreakEvent) -> Case:
    match event:
        case BreakOpened():
            return _found_again(case, event)
        case BreakVanished():
            return attrs.evolve(case, is_gone=True) if case.is_live else case
        case BreakAssigned():
            status: Status = "assigned" if case.explanation is None else "explained"
            return attrs.evolve(case, owner=event.owner, status=status)
        case BreakExplained():
            return attrs.evolve(
                case,
                status="explained",
                explanation=act,
                approval=None,
                explainers=(*case.explainers, event.by),
            )
        case BreakApproved():
            return attrs.evolve(case, status="approved", approval=act)
        case BreakCarried():
            return attrs.evolve(case, status="carried", carried=case.carried + 1)
        case BreakClosed():
            forced = case.forced + (event.resolution == "forced")
            return attrs.evolve(case, status="closed", closing=act, forced=forced)
        case _:
            assert_never(event)


def _found_again(case: Case, event: BreakOpened) -> Case:
    """Return the case after a run found its break again.

    With the same numbers a live break is merely found again, and a closed one stays closed, save
    one that was closed because no run found it.
    """
    found = recorded(event)
    if found.figures == case.found.figures and not _was_gone(case):
        return attrs.evolve(case, is_gone=False) if case.is_live else case
    return attrs.evolve(
        case,
        found=found,
        against=event.against,
        status="open" if case.owner is None else "assigned",
        is_gone=False,
        explanation=None,
        approval=None,
        closing=None,
        explainers=(),
        renewed=case.renewed + 1,
    )


def is_news(case: Case, figures: Digest) -> bool:
    """Tell whether finding a break with these figures says anything new about it."""
    if figures != case.found.figures:
        return True
    return case.is_gone if case.is_live else _was_gone(case)


def _was_gone(case: Case) -> bool:
    """Tell whether a break was closed because no run found it any more."""
    event = case.closing.event if case.closing else None
    return isinstance(event, BreakClosed) and event.resolution == "no longer found"


def in_order(acts: Iterable[Act]) -> tuple[Act, ...]:
    """Return acts in the order in which they were done, whatever order they were recorded in.

    **Order**: by moment, then as the life of a break goes, then by identity.
    """
    return tuple(
        sorted(acts, key=lambda act: (act.event.at, KIND_OF[type(act.event)].rank, act.id))
    )


def desk(acts: Iterable[Act]) -> Desk:
    """Return what acts come to, up to the last of them; no act raises.

    **Order**: of *acts* none is needed.
    """
    cases: dict[str, Case] = {}
    runs: list[Act] = []
    findings: list[Finding] = []
    for act in in_order(acts):
        event = act.event
        if isinstance(event, Reconciled):
            runs.append(act)
        elif not isinstance(event, PeriodClosed | GroupDefined):
            before = cases.get(event.identity)
            case = after(before, act)
            if case is not None:
                cases[event.identity] = case
            why = refusal(before, event)
            if why is not None:
                findings.append(_unfitting(act, event, before, why))
    ordered = sorted(cases.values(), key=lambda case: (case.found.at, case.found.identity))
    return Desk(cases=tuple(ordered), runs=tuple(runs), findings=tuple(findings))


def _unfitting(act: Act, event: BreakEvent, case: Case | None, why: Refusal) -> Finding:
    done = KIND_OF[type(event)].name.removeprefix("break_")
    return Finding(
        check=CHECK,
        account=case.found.account if case else None,
        at=event.at,
        events=(act.id,),
        expected=why.remedy,
        observed=f"{done} by {event.by}",
        difference="",
        text=f"{event.identity} was {done} by {event.by}, which has no effect: it {why.problem}",
        severity="warning",
    )
