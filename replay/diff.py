"""Diff: why the figures of an instant changed between two states of knowledge.

Both ends are states of the whole book: positions. From the first to the second it is walked in the
order of recording, and what each step did to a figure is its share, so that the shares add up to
the difference to the last digit (``projections.beliefs``). Where the first end is a closed report,
what this program makes of the same position is compared with the pinned figures first: what
differs there is no news, it is the code.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

import attrs

from ledger.entries import AsOf
from ledger.errors import UnclearQuestion
from ledger.units import VENUE, Millis
from projections import beliefs
from projections.beliefs import UNKNOWN, Cause, Change, Figures, Stage, decomposed, named
from replay.knowledge import Knowledge
from replay.learned import BUDGET, METADATA, Step, steps, within
from replay.moments import parse_moment
from replay.tables import Table, Tabled
from replay.worth import Market

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.entries import Header
    from projections.fold import States
    from projections.reference import Reference
    from replay.audit import AccountHistory
    from replay.closing import Closed

MEASURES: Final = ("mark", "oracle", "mid", "last", "reserve")
"""Price sources that can be named: only prices of this measure count."""

FOLDED: Final = ("balance", "position", "fee", "funding")
"""With which words the figures of states begin."""


@attrs.frozen(kw_only=True)
class Question:
    """What is asked: the instant, both states of knowledge, and by which rules and prices.

    ``as_of`` is the instant, ``first`` and ``last`` the positions. ``figures`` are names or
    beginnings of names, none meaning all that changed. Rules and price sources of both ends are
    None where they are the ones in force and the ones statements use.
    """

    as_of: Millis
    first: int
    last: int
    figures: tuple[str, ...] = ()
    detail: bool = False
    margin: bool = False
    equity: bool = True
    rule_a: str | None = None
    rule_b: str | None = None
    price_a: str | None = None
    price_b: str | None = None
    pinned: Figures | None = None
    pinned_by: str = ""
    outgrown: tuple[str, ...] = ()
    """What made the pinned report and is not as it was."""
    budget: int = BUDGET
    """About how many events may be folded for the answer; see ``replay.learned.within``."""


@attrs.frozen(kw_only=True)
class Diff(Tabled):
    """Every figure asked for, at both ends, with the causes of its change."""

    account: str
    question: Question
    changes: tuple[Change, ...]
    unmoved: int
    """Figures that are the same at both ends and were not asked for by name."""
    record_names: dict[str, str] = attrs.field(factory=dict, repr=False)

    def change(self, figure: str) -> Change:
        """Return one figure.

        Raises: UnclearQuestion, when it is not among those that changed or were asked for.
        """
        for each in self.changes:
            if each.figure == figure:
                return each
        known = ", ".join(each.figure for each in self.changes) or "none"
        raise UnclearQuestion(
            asked=figure, problem="is not in this answer", remedy=f"It has: {known}"
        )

    @property
    def is_known(self) -> bool:
        """Whether no figure is unknown at either end."""
        return not any(UNKNOWN in {each.before, each.after} for each in self.changes)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The figures at both ends, and the causes of each difference."""
        from replay.diff_report import tables

        return tables(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as one dictionary of text, for programs."""
        from replay.diff_report import as_dict

        return as_dict(self)


def asked(
    account: AccountHistory,
    *,
    known_at: str | tuple[int | str, int | str | None],
    as_of: int | str | None = None,
    figures: Sequence[str] = (),
    detail: bool = False,
    margin: bool = False,
    rules: tuple[str | None, str | None] = (None, None),
    price_source: str | None = None,
) -> Question:
    """Return the question meant by what was written: moments, positions, a closed report.

    *known_at* is ``A..B`` or the two apart: positions, moments of recording, or for A the name of
    a closed report (``C-…``), whose last moment is then the instant unless another is named. An
    empty B is now. *as_of* is the instant; None is the last event known at B. *price_source* is
    ``A..B`` too, or one measure for both.

    Raises: UnclearQuestion, where this cannot be; NotFound, when there is no such report.
    """
    start, end = _ends(known_at)
    closed = _closed(account, start)
    first = account.audit.position(start) if closed is None else closed.event.position
    last = account.audit.position(end)
    if first > last:
        raise UnclearQuestion(
            asked=f"{start}..{'' if end is None else end}",
            problem=f"goes back, from position {first} to {last}",
            remedy="Name the earlier state of knowledge first",
        )
    instant = _instant(account, as_of, closed, last)
    if closed is not None and closed.event.until != instant:
        closed = None  # it pins figures of its own last moment, and of no other
    pinned_rule = None if closed is None else closed.rulebook
    price_a, price_b = _pair(price_source)
    words = [each.split()[:1] for each in figures]
    return Question(
        as_of=instant,
        first=first,
        last=last,
        figures=tuple(figures),
        detail=detail,
        margin=margin or ["margin"] in words,
        equity=not figures or ["equity"] in words,
        rule_a=rules[0] or pinned_rule,
        rule_b=rules[1] or pinned_rule,
        price_a=price_a,
        price_b=price_b,
        pinned=None if closed is None else closed.figures(),
        pinned_by="" if closed is None else closed.name,
        outgrown=() if closed is None else closed.outgrown,
    )


def _closed(account: AccountHistory, start: int | str) -> Closed | None:
    """Return the closed report that is named in place of a position."""
    if not isinstance(start, str) or start[:2].upper() != "C-":
        return None
    from replay.closing import closed_report

    closed = closed_report(account.audit, start)
    closed.is_about(account.account)
    return closed


def _instant(
    account: AccountHistory, as_of: int | str | None, closed: Closed | None, last: int
) -> Millis:
    """Return the instant meant: as named, the end of the period, the last event known."""
    if as_of is not None:
        return parse_moment(as_of)
    if closed is not None:
        return closed.event.until
    return account.audit.engine.states(
        account.stream, AsOf(position=last)
    ).states.last_at or Millis(0)


def _ends(known_at: str | tuple[int | str, int | str | None]) -> tuple[int | str, int | str | None]:
    if not isinstance(known_at, str):
        return known_at
    start, dots, end = (part.strip() for part in known_at.partition(".."))
    if not dots or not start:
        raise UnclearQuestion(
            asked=known_at,
            problem="does not name two states of knowledge",
            remedy="Write A..B: two positions (12..40), two moments of recording, or the name of a "
            "closed report in place of A (C-12ab34cd56ef..); an empty B is now",
        )
    return start, end or None


def _pair(written: str | None) -> tuple[str | None, str | None]:
    if written is None:
        return None, None
    first, dots, last = (part.strip() for part in written.partition(".."))
    return (first or None, last or None) if dots else (first, first)


def diff(account: AccountHistory, question: Question) -> Diff:
    """Return why the figures of an instant changed between two states of knowledge.

    Raises: UnclearQuestion, for an unknown price source or figures nothing in the book has.
    """
    for measure in (question.price_a, question.price_b):
        if measure is not None and measure not in MEASURES:
            raise UnclearQuestion(
                asked=measure, problem="is no price source", remedy=f"One of {', '.join(MEASURES)}"
            )
    first, stages = walked(account, question)
    changes = decomposed(first, stages)
    if question.margin:
        from replay.diff_margin import margin_changes

        changes += margin_changes(account, question)
    figures = [each.figure for each in changes]
    wanted = set(named(figures, question.figures))
    strange = [each for each in question.figures if not named(figures, (each,))]
    if strange:
        known = ", ".join(figures) or "none"
        raise UnclearQuestion(
            asked=" ".join(strange),
            problem="is no figure of this account",
            remedy=f"It has: {known}",
        )
    kept = tuple(
        each for each in changes
        if each.figure in wanted and (question.figures or each.before != each.after)
    )  # fmt: skip
    records = {cause.record for each in kept for share in each.shares for cause in share.causes}
    names = account.audit.book.records() if records - {None} else ()
    return Diff(
        account=account.account,
        question=question,
        changes=kept,
        unmoved=0 if question.figures else len(changes) - len(kept),
        record_names={entry.digest: entry.name for entry in names if entry.digest in records},
    )


def walked(account: AccountHistory, question: Question) -> tuple[Figures, tuple[Stage, ...]]:
    """Return the figures at the first end and the stages to the second, one per step."""
    walk = _Walk(account, question)
    start = walk.figures(question.first, question.price_a)
    first, stages = start, list[Stage]()
    if question.pinned is not None:
        first = overlaid(start, question.pinned, FOLDED)
        stages.append(Stage(cause=code_cause(question), figures=start))
    for step in walk.steps():
        found = walk.figures(step.position, question.price_a, step)
        stages.append(Stage(cause=step.cause, figures=found))
    if question.equity and question.price_a != question.price_b:
        text = f"prices: {question.price_b or 'as statements use them'} in place of "
        text += question.price_a or "those statements use"
        found = walk.figures(question.last, question.price_b)
        stages.append(Stage(cause=Cause(kind="price source", text=text), figures=found))
    return first, tuple(stages)


def overlaid(made: Figures, pinned: Figures, words: tuple[str, ...]) -> Figures:
    """Return figures as a report pinned them; what it does not name is as it is made now.

    Only figures whose names begin with one of *words* are compared, and those made now.
    """
    said = {name: value for name, value in pinned.values.items()
            if name in made.values or name.partition(" ")[0] in words}  # fmt: skip
    return attrs.evolve(made, values={**made.values, **said})


def code_cause(question: Question) -> Cause:
    """Return the cause of what a report pins and this program does not make."""
    why = "; ".join(question.outgrown) or "nothing of the program changed: run rollforward verify"
    text = f"{question.pinned_by} pins what this program does not make of the same records ({why})"
    return Cause(kind="code", text=text)


class _Walk:
    """The account under all states of knowledge between two positions."""

    def __init__(self, account: AccountHistory, question: Question) -> None:
        self.account = account
        self.question = question
        self.engine = account.audit.engine
        self.knowledge = Knowledge(self.engine, account.stream, question.as_of)
        self.headers = self.engine.headers(account.stream, question.last)
        self.metadata = [
            header.position
            for header in self.engine.headers(VENUE, question.last)
            if any(line.startswith(METADATA)
                   for line in self.engine.batch(VENUE, header.version).lines)
        ]  # fmt: skip
        self._reference: tuple[int, Reference] | None = None
        self._states: tuple[object, States] | None = None
        self._market = (
            Market(self.engine, question.as_of, question.last) if question.equity else None
        )

    def steps(self) -> Iterator[Step]:
        """Yield what was recorded between the two ends."""
        asked = self.question
        found = list(steps(
            self.account, self.knowledge, first=asked.first, last=asked.last,
            markets=asked.equity, detail=asked.detail,
        ))  # fmt: skip
        yield from within(found, self.headers, asked.budget)

    def figures(self, position: int, price: str | None, step: Step | None = None) -> Figures:
        """Return the figures as known at a position, or in the middle of its batch."""
        rows = step.rows if step is not None else None
        reference = self._reference_at(position)
        known = self._known(position)
        asked = len(known), rows, id(reference)
        if self._states is None or self._states[0] != asked:  # prices change nothing of them
            self._states = asked, self.knowledge.states(known, reference, rows)
        states = self._states[1]
        found = beliefs.figures(states)
        if self._market is None:
            return found
        equity = self._market.equity(states, reference, position, price)
        return attrs.evolve(found, values={**found.values, "equity USDC": equity})

    def _known(self, position: int) -> Sequence[Header]:
        count = bisect_right(self.headers, position, key=lambda header: header.position)
        return self.headers[:count]

    def _reference_at(self, position: int) -> Reference:
        """Return the metadata at a position; the very same object while none of it changes."""
        count = bisect_right(self.metadata, position)
        if self._reference is None or self._reference[0] != count:
            found = self.engine.reference(position)
            if self._reference is not None and found == self._reference[1]:
                found = self._reference[1]
            self._reference = count, found
        return self._reference[1]
