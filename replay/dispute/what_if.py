"""What if: an account as recorded and as supposed, side by side, figure by figure.

Nothing is written. The supposed account is a book read as if something else had been recorded
last; whatever follows from it is recomputed, and each figure says what it rests on:

- *unchanged*: the same, and nothing it rests on was touched;
- *recomputed*: derived anew from events as supposed;
- *carried over*: it rests on records the venue made in the actual world, which nothing recomputes:
  fees at the tier of that day, liquidations as they happened;
- *not knowable*: it would need something nobody recorded, and the note says what.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger import events as ev
from ledger.codec import event_id
from ledger.entries import AsOf
from ledger.errors import NotInForce, UnclearQuestion
from ledger.money import canonical, exact
from ledger.units import Millis
from projections import balances, fees, funding, liquidations, positions
from projections.chart import IN_TRANSIT, is_own
from projections.consequences import AUTHOR, Consequences, consequences
from projections.liquidations import Episode, is_liquidation
from replay.audit import AccountHistory, Audit
from replay.dispute.inside import HANGS_ON_ORDER, before_it, inside
from replay.dispute.suppositions import Supposition
from replay.dispute.verdicts import condition_held
from replay.margin import Assembler, MarginAt, Question
from replay.moments import iso
from replay.tables import UNKNOWN, Table
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ledger.events import Event
    from ledger.units import Coin
    from projections.fold import States
    from projections.margin.result import Judgement
    from replay.engine import Engine

Label: TypeAlias = Literal["unchanged", "recomputed", "carried over", "not knowable"]

OF_MARGIN: Final = (
    "ratio", "health_factor", "borrowing_power", "debt", "partial_threshold", "full_threshold",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Row:
    """One figure in both worlds; None where it is unknown or does not exist."""

    figure: str
    actual: Decimal | None
    supposed: Decimal | None
    label: Label

    @property
    def difference(self) -> Decimal | None:
        """Supposed less actual."""
        if self.actual is None or self.supposed is None:
            return None
        with exact():
            return self.supposed - self.actual


@attrs.frozen(kw_only=True)
class Fate:
    """What became of a recorded liquidation in the supposed world."""

    number: int
    episode: Episode
    condition: bool | None
    """Whether the condition held in the millisecond before; None where that is unknown."""
    is_dropped: bool
    hangs_on_order: bool = False
    """Whether it is unknown for the order inside the millisecond of the first fill."""

    @property
    def text(self) -> str:
        """One sentence."""
        words = {True: "held", False: "did not hold", None: "is unknown"}
        said = words[self.condition]
        if self.hangs_on_order:
            said = f"is unknown: it {HANGS_ON_ORDER}"
        how = "left out with everything it took" if self.is_dropped else "carried over as recorded"
        return (
            f"liquidation {self.number} at {iso(self.episode.first_at)}: just before it the "
            f"condition {said} as supposed; it is {how}"
        )


@attrs.frozen(kw_only=True)
class Supposed:
    """The two worlds."""

    actual: AccountHistory
    history: AccountHistory
    """The same account, as supposed."""
    supposition: Supposition
    question: Question
    position: int
    follows: Consequences
    fates: tuple[Fate, ...] = ()

    def assembler(self, actual: Assembler | None = None) -> Assembler:
        """Return margin of the supposed account at any instant; *actual* is that as recorded."""
        if actual is None:
            actual = Assembler(self.actual, self.position, self.question)
        asked = self.supposition.question(self.question)
        return Assembler(self.history, self.position, asked, actual=actual)


def suppose(
    history: AccountHistory,
    supposition: Supposition,
    *,
    position: int,
    question: Question = Question(),  # noqa: B008 - a frozen value
    avoid: bool = False,
) -> Supposed:
    """Return the account as supposed, with everything that follows.

    With *avoid* a recorded liquidation whose condition does not hold as supposed is left out, one
    after the other; without, it is carried over, and the answer says so.
    """
    dropped: list[Event] = []
    out: list[Fate] = []
    while True:
        found = world(
            history, supposition, position=position, question=question, dropped=tuple(dropped)
        )
        fates = _fates(found)
        gone = next((fate for fate in fates if fate.condition is False), None)
        if gone is None or not avoid:
            every = sorted((*out, *(_numbered(each, out) for each in fates)), key=_number)
            return attrs.evolve(found, fates=tuple(every))
        out.append(attrs.evolve(_numbered(gone, out), is_dropped=True))
        dropped += _taken(found.history, gone.episode, position)


def _number(fate: Fate) -> int:
    return fate.number


def _numbered(fate: Fate, out: Sequence[Fate]) -> Fate:
    """Return a fate under its number as recorded: those left out before it are counted again."""
    number = fate.number
    for each in sorted(out, key=_number):
        if each.number <= number:
            number += 1
    return attrs.evolve(fate, number=number)


def world(
    history: AccountHistory,
    supposition: Supposition,
    *,
    position: int,
    question: Question,
    dropped: tuple[Event, ...] = (),
) -> Supposed:
    """Return the account as supposed, recorded liquidations carried over and not judged."""
    engine = history.audit.engine
    events = (*supposition.events, *dropped)
    found = Consequences()
    if events:
        changed = engine.supposing(events)
        _require_after_openings(history, changed, supposition, position)
        found = consequences(
            tuple(engine.events(history.stream, position)),
            tuple(changed.events(history.stream, position)),
            engine.reference(position),
        )
        engine = engine.supposing((*events, *found.events))
    audit = Audit(history.audit.path, engine)
    return Supposed(
        actual=history,
        history=AccountHistory(audit=audit, account=history.account),
        supposition=supposition,
        question=question,
        position=position,
        follows=found,
    )


def _require_after_openings(
    history: AccountHistory, changed: Engine, supposition: Supposition, position: int
) -> None:
    """Refuse events before an attested opening: it says what there was, whatever came before.

    Raises: UnclearQuestion, naming both moments.
    """
    first = supposition.first_at
    other = AccountHistory(audit=Audit(history.audit.path, changed), account=history.account)
    for opening in other.openings(position) if first is not None else ():
        if first is not None and first < opening.at:
            raise UnclearQuestion(
                asked=iso(first),
                problem=f"is before the opening attested for {iso(opening.at)}, which says what "
                f"the account began with",
                remedy="Suppose something after it, or leave the opening out with --remove",
            )


def _fates(world: Supposed) -> list[Fate]:
    """Return the liquidations after the supposition begins, with their condition as supposed."""
    states = world.history.audit.engine.states(
        world.history.stream, AsOf(position=world.position)
    ).states
    first = world.supposition.first_at
    begins = [each.since or Millis(0) for each in world.supposition.prices]
    begins += [] if first is None else [first]
    since = Millis(0) if world.supposition.is_of_rules else min(begins, default=Millis(0))
    found = [
        (number, episode)
        for number, episode in sorted(states.state(liquidations.NAME).by_key.items())
        if episode.first_at >= since
    ]
    if not found:
        return []
    of = world.assembler()
    return [_fate(world, of, number, episode) for number, episode in found]


def _fate(world: Supposed, of: Assembler, number: int, episode: Episode) -> Fate:
    """Return what became of one liquidation, by the same rule as where it is explained."""
    at = before_it(episode)
    held = judged_in(world, of, at, [coin for coin, _ in episode.closed])
    hangs = held is not None and inside(of, episode, of.at(at).margin).changes != "no"
    return Fate(
        number=number,
        episode=episode,
        condition=None if hangs else held,
        is_dropped=False,
        hangs_on_order=hangs,
    )


def judged_in(world: Supposed, of: Assembler, at: Millis, coins: Sequence[Coin]) -> bool | None:
    """Return whether markets of the account as supposed could be taken; None where that is unknown.

    What would need something nobody recorded is not judged without it.
    """
    if any(each.how == "not knowable" and each.at <= at for each in world.follows.found):
        return None
    return condition(of, at, coins)


def condition(of: Assembler, at: Millis, coins: Sequence[Coin] = ()) -> bool | None:
    """Return whether markets of the account could be taken at an instant; None where unknown."""
    try:
        return condition_held(of.at(at).margin, coins)
    except (NotInForce, UnclearQuestion):
        return None


def _taken(history: AccountHistory, episode: Episode, position: int) -> list[Event]:
    """Return the annulments of everything a liquidation did."""
    return [
        ev.Annulled(
            stream=event.stream,
            at=event.at,
            target=event_id(event),
            author=AUTHOR,
            reason="the liquidation would not have happened",
        )
        for event in history.audit.engine.events(history.stream, position, episode.last_at)
        if event.at >= episode.first_at
        and (
            isinstance(event, ev.Liquidated)
            or (isinstance(event, ev.Filled) and is_liquidation(event))
        )
    ]


# ------------------------------------------------------------------------------- side by side


@attrs.frozen(kw_only=True)
class WhatIf:
    """Both worlds at one instant."""

    world: Supposed
    at: Millis
    rows: tuple[Row, ...]
    actual_margin: MarginAt | None
    supposed_margin: MarginAt | None
    margin_problem: str = ""
    """Why margin has no answer, where it has none."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The figures side by side, what follows, and the recorded liquidations."""
        return self.shown(everything=True)

    @property
    def when(self) -> str:
        """The instant, as people write it."""
        return iso(self.at)

    def shown(self, *, everything: bool) -> tuple[Table, ...]:
        """Return the tables; without *everything* figures that stay as they are, are counted."""
        figures = self.figures
        if not everything:
            same = figures.only(how="unchanged")
            kept = tuple(row for row in figures.rows if row not in same.rows)
            note = f"{len(same)} figures are unchanged; --all shows them"
            notes = (note, *figures.notes) if len(same) else figures.notes
            figures = attrs.evolve(figures, rows=kept, notes=notes, empty="no figure changes")
        return (figures, self.consequences, self.liquidations)

    @property
    def figures(self) -> Table:
        """Every figure in both worlds; with the verdict in the title."""
        columns = ("figure", "as_recorded", "supposed", "difference", "how")
        shown = [
            (row.figure, _text(row.actual), _text(row.supposed), _text(row.difference, ""),
             row.label)
            for row in self.rows
        ]  # fmt: skip
        return Table(
            title=f"Supposed {'; '.join(self.world.supposition.says) or 'nothing'}",
            columns=columns,
            rows=tuple(shown),
            numbers=frozenset(columns[1:4]),
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if self.margin_problem:
            yield f"margin: {self.margin_problem}"
        for name, margin in (("as recorded", self.actual_margin),
                             ("supposed", self.supposed_margin)):  # fmt: skip
            for judgement in () if margin is None else margin.margin.judgements:
                from replay.margin_report import verdict_text

                yield f"{name}, rulebook {judgement.rulebook}: {verdict_text(judgement)}"
        for fate in self.world.fates:
            yield fate.text
        yield (
            "fees of later trades are carried over: the tier of that day is not judged anew"
            if any(row.label == "carried over" for row in self.rows)
            else "no figure is carried over from the actual world"
        )

    @property
    def consequences(self) -> Table:
        """What else would have been recorded, by subject."""
        grouped: dict[tuple[str, str, str], list[Millis]] = {}
        for each in self.world.follows.found:
            if each.at <= self.at:
                text = each.text if each.how == "recomputed" else _dated(each.text)
                grouped.setdefault((each.subject, each.how, text), []).append(each.at)
        return Table(
            title="What follows",
            columns=("subject", "how", "records", "first_at", "why"),
            rows=tuple(
                (subject, how, str(len(moments)), iso(min(moments)), text)
                for (subject, how, text), moments in grouped.items()
            ),
            numbers=frozenset({"records"}),
            empty="no other record would have been different",
        )

    @property
    def liquidations(self) -> Table:
        """The recorded liquidations, as supposed."""
        words = {True: "held", False: "did not hold", None: UNKNOWN}
        return Table(
            title="Recorded liquidations",
            columns=("liquidation", "at", "condition_just_before", "so"),
            rows=tuple(
                (str(fate.number), iso(fate.episode.first_at),
                 HANGS_ON_ORDER if fate.hangs_on_order else words[fate.condition],
                 "left out" if fate.is_dropped else "carried over")
                for fate in self.world.fates
            ),
            empty="none after what is supposed",
        )  # fmt: skip

    def to_dict(self) -> dict[str, object]:
        """Return everything as text, for programs."""
        return {
            "account": self.world.actual.account,
            "at": iso(self.at),
            "known_at": str(self.world.position),
            "supposed": list(self.world.supposition.says),
            **{table.title: table.to_dicts() for table in (self.consequences, self.liquidations)},
            "figures": self.figures.to_dicts(),
            "notes": list(self.figures.notes),
        }


def what_if(world: Supposed, at: Millis) -> WhatIf:
    """Return both worlds at an instant, figure by figure."""
    position = world.position
    as_of = AsOf(effective=at, position=position)
    engine, stream = world.actual.audit.engine, world.actual.stream
    before = figures_of(engine.states(stream, as_of).states)
    after = figures_of(world.history.audit.engine.states(stream, as_of).states)
    actual_margin = supposed_margin = None
    problem = ""
    try:
        actual_margin = Assembler(world.actual, position, world.question).at(at)
        supposed_margin = world.assembler().at(at)
    except (NotInForce, UnclearQuestion) as error:
        problem = str(error)
    if actual_margin is not None and supposed_margin is not None:
        before |= _margin_figures(actual_margin)
        after |= _margin_figures(supposed_margin)
    labels = _Labels(world, at)
    names = [*before, *(name for name in after if name not in before)]
    return WhatIf(
        world=world,
        at=at,
        rows=tuple(
            Row(
                figure=name,
                actual=before.get(name),
                supposed=after.get(name),
                label=labels.of(name, before.get(name), after.get(name)),
            )
            for name in names
        ),
        actual_margin=actual_margin,
        supposed_margin=supposed_margin,
        margin_problem=problem,
    )


def figures_of(states: States) -> dict[str, Decimal | None]:
    """Return the figures of an account's states by name; what is unknown is None."""
    found: dict[str, Decimal | None] = {}
    for (place, asset), amount in sorted(states.state(balances.NAME).by_key.items()):
        is_shown = is_own(place) or place == IN_TRANSIT
        if is_shown and not place.startswith("position:"):
            found[f"balance {place_name(place)} {asset}"] = amount
    for market, held in sorted(states.state(positions.NAME).by_key.items()):
        found[f"size {market}"] = positions.size(held)
        found[f"entry notional {market}"] = positions.entry_notional(held)
        found[f"realized {market}"] = None if held.unknown else positions.realized(held)
    for asset, paid in sorted(states.state(fees.NAME).by_key.items()):
        found[f"fees {asset}"] = None if paid.unknown else paid.total
    for (coin, asset), received in sorted(states.state(funding.NAME).by_key.items()):
        found[f"funding {coin} {asset}"] = received.total
    return found


def _margin_figures(found: MarginAt) -> dict[str, Decimal | None]:
    several = len(found.margin.judgements) > 1
    figures: dict[str, Decimal | None] = {}
    for judgement in found.margin.judgements:
        tail = f" ({judgement.rulebook})" if several else ""
        for name, value in _of_judgement(judgement):
            figures[f"{name}{tail}"] = value
    return figures


def _of_judgement(judgement: Judgement) -> Iterator[tuple[str, Decimal | None]]:
    for name in OF_MARGIN:
        figure = getattr(judgement, name)
        if figure is not None:
            yield f"margin: {figure.name}", figure.value
    for token in judgement.tokens:
        for figure in (token.maintenance, token.liquidation_value, token.available):
            if figure is not None and figure.value != 0:
                yield f"margin: {figure.name} {token.asset}", figure.value
    for exchange in judgement.exchanges:
        dex = exchange.dex or "main"
        yield f"margin: account value {dex}", exchange.account_value.value
        yield f"margin: cross maintenance {dex}", exchange.cross_maintenance.value
        for each in exchange.positions:
            yield f"margin: liquidation price {each.coin}", each.liquidation_price.value


class _Labels:
    """Which word belongs to a figure."""

    def __init__(self, world: Supposed, at: Millis) -> None:
        first = world.supposition.first_at
        self._unknowable: set[str] = {
            each.subject
            for each in world.follows.found
            if each.how == "not knowable" and each.at <= at
        }
        kept = [fate for fate in world.fates if not fate.is_dropped and fate.condition is False]
        self._coins = {
            coin for fate in kept if fate.episode.first_at <= at for coin, _ in fate.episode.closed
        }
        self._has_later_fills = first is not None and any(
            isinstance(event, ev.Filled) and event.at > first
            for event in world.history.audit.engine.events(world.history.stream, world.position, at)
        )

    def of(self, name: str, actual: Decimal | None, supposed: Decimal | None) -> Label:
        words = name.split()
        if any(_touches(subject, words) for subject in self._unknowable):
            return "not knowable"
        if name.startswith("margin: ") and self._unknowable:
            return "not knowable"
        if words[-1] in self._coins or (self._coins and words[0] in {"balance", "margin:"}):
            return "carried over"
        if words[0] == "fees" and self._has_later_fills:
            return "carried over"
        return "unchanged" if actual == supposed else "recomputed"


def _touches(subject: str, words: Sequence[str]) -> bool:
    """Tell whether what is not knowable about a subject reaches a figure."""
    what, _, of = subject.partition(" ")
    if what == "size":
        return words[-1] == of and words[0] in {"size", "entry", "realized"}
    if what == "funding":
        return words[:2] == ["funding", of] or words[:2] == ["balance", "perp"]
    if what == "interest":
        return words[0] == "balance" and words[1] in {"supplied", "borrowed"} and words[-1] == of
    return False


def _text(value: Decimal | None, otherwise: str = UNKNOWN) -> str:
    return otherwise if value is None else canonical(value)


def _dated(text: str) -> str:
    words = text.split()
    return " ".join(
        iso(Millis(int(word))) if word.isdigit() and len(word) == 13 else word for word in words
    )


def side_by_side(
    history: AccountHistory,
    supposition: Supposition,
    at: Millis,
    *,
    position: int,
    question: Question = Question(),  # noqa: B008 - a frozen value
    avoid: bool = False,
) -> WhatIf:
    """Return both worlds at an instant: ``suppose`` and ``what_if`` in one."""
    world = suppose(history, supposition, position=position, question=question, avoid=avoid)
    return what_if(world, at)


def by_name(found: WhatIf) -> Mapping[str, Row]:
    """Return the rows by the name of their figure."""
    return {row.figure: row for row in found.rows}
