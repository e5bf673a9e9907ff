"""Liquidation: one recorded liquidation told to the end, with what each sentence rests on.

The condition is judged in the last millisecond before its first fill; what the venue took is held
against what the documents let it take; the way there is told cause by cause; and what the outcome
hangs on (a reading of a text, an old price, the order inside an instant) is said with its range.
What nothing records is unknown by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger import events as ev
from ledger.codec import event_id
from ledger.entries import AsOf
from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from ledger.events import Event
from ledger.money import canonical
from ledger.units import Millis
from projections import liquidations
from projections.liquidations import Episode, is_liquidation
from projections.rulebooks import by_id
from replay.dispute.inside import Inside, inside
from replay.dispute.sources import Sources, price_sources
from replay.dispute.taking import Taken, taken_of
from replay.dispute.verdicts import condition_held
from replay.dispute.waterfall import Waterfall, waterfall
from replay.margin import Assembler, MarginAt, Question
from replay.margin_report import shown, verdict_text
from replay.moments import iso
from replay.tables import UNKNOWN, Table
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from replay.audit import AccountHistory
    from replay.dispute.orders import Range

LOOKED_BACK_MS: Final = 3_600_000
"""The way to a liquidation is told over one hour, unless told otherwise."""


@attrs.frozen(kw_only=True)
class Liquidation:
    """One recorded liquidation, explained as far as the records go."""

    account: str
    number: int
    episode: Episode
    before: MarginAt | None
    """Margin in the millisecond before its first fill."""
    problem: str
    """Why margin has no answer, where it has none."""
    events: tuple[Event, ...]
    """The fills of it, and the venue's mark, as recorded."""
    taken: tuple[Taken, ...]
    way: Waterfall | None
    way_problem: str
    inside: Inside
    """What the order inside its first millisecond leaves open."""
    sources: Sources | None
    """What each mark allowed by the records leads to."""

    @property
    def condition(self) -> bool | None:
        """Whether the condition held just before its first fill; None where that is unknown.

        So it is where the rulebooks differ, and where it hangs on the order inside the instant.
        """
        if self.before is None or any(each.is_derived for each in self.taken):
            return None
        if self.inside.changes != "no":
            return None
        return condition_held(self.before.margin, [coin for coin, _ in self.episode.closed])

    @property
    def range(self) -> Range | None:
        """The account's ratio just before its first fill, over all admissible orders."""
        return self.inside.range

    @property
    def name(self) -> str:
        """What it is called: ``L-1``."""
        return f"L-{self.number}"

    # ------------------------------------------------------------------- as tables

    @property
    def tables(self) -> tuple[Table, ...]:
        """Everything, in the order in which it is asked."""
        found = [self.condition_table, self.taken_table]
        if self.way is not None:
            found += [self.way.table, self.way.steps()]
        if self.range is not None:
            found.append(self.range.table)
        if self.sources is not None:
            found.append(self.sources.table)
        return (*found, self.hangs_table, self.events_table)

    def _repr_html_(self) -> str:
        """Return it as HTML, for notebooks; figures have ten places, as people are shown them."""
        return "".join(table._repr_html_() for table in self.tables)

    @property
    def heading(self) -> str:
        """One line: which liquidation, of whom, when, and whether its condition held."""
        words = {True: "its condition held", False: "its condition did not hold",
                 None: "whether its condition held is unknown"}  # fmt: skip
        coins = ", ".join(f"{canonical(size)} {coin}" for coin, size in self.episode.closed)
        return (
            f"{self.name} of {self.account}: {coins or 'no fill recorded'} at "
            f"{iso(self.episode.first_at)}; just before, {words[self.condition]}"
        )

    @property
    def condition_table(self) -> Table:
        """The conditions just before, under each rulebook that may have held, with its source."""
        rows = []
        for judgement in () if self.before is None else self.before.margin.judgements:
            for each in judgement.verdicts:
                words = {True: "yes", False: "no", None: UNKNOWN}
                rows.append((
                    judgement.rulebook, f"{each.question} {each.of}".strip(), words[each.holds],
                    each.limit, shown(each.figure.value), " ".join(each.readings), each.status,
                ))  # fmt: skip
        return Table(
            title=f"Condition at {iso(Millis(self.episode.first_at - 1))}",
            columns=("rulebook", "condition", "held", "limit", "excess", "readings", "status"),
            rows=tuple(rows),
            numbers=frozenset({"excess"}),
            notes=tuple(self._said_of_rules()),
            empty=f"unknown: {self.problem}" if self.problem else "nothing to liquidate",
        )

    def _said_of_rules(self) -> Iterator[str]:
        if self.before is None:
            return
        margin = self.before.margin
        for judgement in margin.judgements:
            ratio = judgement.ratio
            value = "" if ratio is None else f"ratio {shown(ratio.value)}; "
            yield f"{judgement.rulebook}: {value}{verdict_text(judgement)}"
            if judgement.missing:
                yield f"{judgement.rulebook}: unknown for want of {', '.join(judgement.missing)}"
        for judgement in margin.judgements:
            book = by_id(judgement.rulebook, self.before.question.calendar)
            said = "; ".join(f"{each.text}, seen {each.seen}" for each in book.sources)
            yield f"source of {book.id} ({book.status}): {said}"
        if margin.note:
            yield margin.note

    @property
    def taken_table(self) -> Table:
        """What was taken, at what price, against what the documents allow."""
        columns = (
            "market", "size_before", "taken", "average_price", "mark", "bankruptcy_price",
            "against_mark", "fees", "taken_at_once", "allowed_at_once",
        )  # fmt: skip
        notes = [
            f"{each.coin}: {canonical(each.at_once)} were taken at {iso(each.at)}; of a position "
            f"above 100,000 USDC the documents send {shown(each.allowed)} first, the whole only "
            f"in the thirty seconds after (liquidations page, documented)"
            for each in self.taken
            if each.is_more
        ]
        if self.episode.methods:
            notes.append(f"the venue's word for the method: {', '.join(self.episode.methods)}")
        else:
            notes.append("no record says by which method it was taken")
        notes += [
            f"{each.coin}: only the liquidation's own fill says what was there before it; what it "
            f"was worth beside is not recorded, so the condition is unknown"
            for each in self.taken
            if each.is_derived
        ]
        for event in self.events:
            if isinstance(event, ev.Liquidated):
                coins = ", ".join(f"{canonical(each.size)} {each.coin}" for each in event.positions)
                notes.append(
                    f"the venue's own mark: {event.leverage_type}, {coins or 'no position named'}, "
                    f"worth {canonical(event.notional)}, account value "
                    f"{canonical(event.account_value)}"
                )
        unknown = sorted(
            {
                word.replace("_", " ")
                for each in self.taken
                for word in ("before", "mark", "bankruptcy", "fees", "allowed")
                if getattr(each, word) is None
            }
        )
        if unknown:
            notes.append(f"not recorded, so unknown: {', '.join(unknown)}")
        return Table(
            title="What was taken",
            columns=columns,
            rows=tuple(
                (each.coin, _known(each.before), canonical(each.taken), shown(each.average),
                 _known(each.mark), _known(each.bankruptcy), _known(each.against_mark),
                 _known(each.fees), canonical(each.at_once), _known(each.allowed))
                for each in self.taken
            ),
            numbers=frozenset(columns[1:]),
            notes=tuple(notes),
            empty="no fill is recorded: only the venue's mark says that something was taken",
        )  # fmt: skip

    @property
    def events_table(self) -> Table:
        """The events it is made of; ``rollforward explain`` leads from each to its raw record."""
        return Table(
            title="Events of it",
            columns=("at", "event", "what"),
            rows=tuple((iso(event.at), event_id(event), described(event)) for event in self.events),
        )

    @property
    def hangs_table(self) -> Table:
        """What the outcome hangs on, and whether it changes the verdict."""
        return Table(
            title="What the outcome hangs on",
            columns=("question", "answer", "changes_the_verdict"),
            rows=tuple(self._hangs()),
        )

    def _hangs(self) -> Iterator[tuple[str, str, str]]:
        if self.problem or self.condition is None:
            yield ("margin just before", self.problem or UNKNOWN, UNKNOWN)
        if self.way is None:
            yield ("the way there", self.way_problem, UNKNOWN)
        if self.before is None:
            return
        words = {True: "yes", False: "no", None: UNKNOWN}
        agrees = self.before.margin.agrees
        books = " and ".join(each.rulebook for each in self.before.margin.judgements)
        yield ("rule in force", books, "no" if agrees else "yes")
        for judgement in self.before.margin.judgements:
            known = {each.liquidatable for each in judgement.alternatives}
            ratios = [each.ratio for each in judgement.alternatives if each.ratio is not None]
            span = f"ratio from {shown(min(ratios))} to {shown(max(ratios))}" if ratios else "none"
            yield (
                f"readings of the documents ({judgement.rulebook})",
                f"{len(judgement.alternatives)} ways, {span}",
                words[None] if None in known else words[len(known) > 1],
            )
        if self.sources is not None:
            yield ("source of the marks", self.sources.text, words[self._source_changes()])
        old = [f"{name}, {age // 1000} s old" for name, age in self.before.stale]
        yield ("age of the prices", ", ".join(old) or "none older than stated", UNKNOWN if old
               else "no")  # fmt: skip
        yield ("order inside the instant", *self._of_order())

    def _of_order(self) -> tuple[str, str]:
        found = self.range
        if not self.inside.is_judged:
            return "cannot be judged", UNKNOWN
        if found is None:
            return "the account's ratio has no answer in it", self.inside.changes
        top = "without limit" if found.highest is None else shown(found.highest)
        is_one = found.lowest == found.highest
        said = "one order" if is_one else f"ratio from {shown(found.lowest)} to {top}"
        return f"{said} ({found.method})", self.inside.changes

    def _source_changes(self) -> bool | None:
        """Tell whether the verdict hangs on which recorded mark is taken; None where unknown."""
        if self.sources is None or self.condition is None:
            return None
        return self.sources.changes

    def to_dict(self) -> dict[str, object]:
        """Return everything as text, for programs."""
        return {
            "liquidation": self.name,
            "heading": self.heading,
            "condition_held": self.condition,
            **{
                table.title: {"rows": table.to_dicts(), "notes": list(table.notes)}
                for table in self.tables
            },
            "way": None if self.way is None else self.way.to_dict(),
        }


def _known(value: Decimal | None) -> str:
    return UNKNOWN if value is None else shown(value)


# ------------------------------------------------------------------------- made from a book


def recorded(history: AccountHistory, position: int) -> dict[int, Episode]:
    """Return the recorded liquidations of an account, by number.

    Raises: UnknownKind, when the projection stopped at a kind not known.
    """
    states = history.audit.engine.states(history.stream, AsOf(position=position)).states
    return dict(sorted(states.state(liquidations.NAME).by_key.items()))


def liquidation_table(of: Assembler) -> Table:
    """Return all recorded liquidations with the condition just before each."""
    rows = []
    words = {True: "held", False: "did not hold", None: UNKNOWN}
    for number, episode in recorded(of.history, of.position).items():
        before, problem = _margin(of, Millis(episode.first_at - 1))
        ratio, verdict = UNKNOWN, None
        if before is not None:
            judgement = before.margin.judgements[0]
            ratio = shown(None if judgement.ratio is None else judgement.ratio.value)
            verdict = _condition(of, episode, before)
        rows.append((
            f"L-{number}", iso(episode.first_at), str(episode.fills),
            ", ".join(f"{coin} {canonical(size)}" for coin, size in episode.closed),
            canonical(episode.notional), ", ".join(episode.methods) or UNKNOWN, ratio,
            f"{words[verdict]}{': ' * bool(problem)}{problem}",
        ))  # fmt: skip
    return Table(
        title=f"Liquidations of {of.history.account}",
        columns=("liquidation", "at", "fills", "taken", "notional", "method",
                 "ratio_before", "condition_before"),
        rows=tuple(rows),
        numbers=frozenset({"fills", "notional", "ratio_before"}),
        empty="none recorded",
    )  # fmt: skip


def explained(
    history: AccountHistory,
    number: int,
    *,
    position: int,
    question: Question = Question(),  # noqa: B008 - a frozen value
    since: Millis | None = None,
) -> Liquidation:
    """Return a recorded liquidation, told to the end; the way there from *since* on.

    Raises: UnclearQuestion, when the account has no liquidation of that number.
    """
    found = recorded(history, position)
    if number not in found:
        names = ", ".join(f"L-{each}" for each in found) or "none"
        raise UnclearQuestion(
            asked=f"L-{number}", problem="is no recorded liquidation of this account",
            remedy=f"Recorded are: {names}",
        )  # fmt: skip
    episode = found[number]
    of = Assembler(history, position, question)
    before_at = Millis(episode.first_at - 1)
    before, problem = _margin(of, before_at, workings=True)
    way, way_problem = None, problem
    taken = tuple(taken_of(of, episode, before))
    order, sources = Inside(range=None, changes="no", is_judged=False), None
    if before is not None:
        begin = Millis(max(0, before_at - LOOKED_BACK_MS)) if since is None else since
        way, way_problem = _way(of, begin, before_at)
        order = inside(of, episode, before.margin)
        sources = price_sources(of, before, taken, episode.first_at)
    return Liquidation(
        account=history.account, number=number, episode=episode, before=before, problem=problem,
        events=events_of(history, episode, position),
        taken=taken, way=way, way_problem=way_problem, inside=order, sources=sources,
    )  # fmt: skip


def _margin(of: Assembler, at: Millis, *, workings: bool = False) -> tuple[MarginAt | None, str]:
    try:
        return of.at(at, workings=workings), ""
    except (NotInForce, UnclearQuestion, UnknownKind) as error:
        return None, str(error)


def _condition(of: Assembler, episode: Episode, before: MarginAt) -> bool | None:
    """Return whether the condition held; None where the records do not say what was there."""
    if any(each.is_derived for each in taken_of(of, episode, before)):
        return None
    if inside(of, episode, before.margin).changes != "no":
        return None
    return condition_held(before.margin, [coin for coin, _ in episode.closed])


def _way(of: Assembler, since: Millis, until: Millis) -> tuple[Waterfall | None, str]:
    try:
        return waterfall(of, since, until), ""
    except (NotInForce, UnclearQuestion, UnknownKind) as error:
        return None, str(error)


def events_of(history: AccountHistory, episode: Episode, position: int) -> tuple[Event, ...]:
    """Return the account's events of a liquidation, in order."""
    return tuple(
        event
        for event in history.audit.engine.events(history.stream, position, Millis(episode.last_at))
        if event.at >= episode.first_at
        and (isinstance(event, ev.Liquidated)
             or (isinstance(event, ev.Filled) and is_liquidation(event)))
    )  # fmt: skip
