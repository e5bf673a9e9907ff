"""Margin in a diff: requirement, ratio and thresholds of one instant, as known step by step.

A margin figure rests on states, prices and rules as much as on events, so it is judged anew after
every batch that may concern the account, its markets or the reserves. Another rulebook is the last
step: what it changes at the second state of knowledge is the share of the rule.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import attrs

from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from projections.beliefs import MARGIN, NONE, UNKNOWN, Cause, Change, Figures, Stage, decomposed
from replay.diff import code_cause, overlaid
from replay.knowledge import Knowledge
from replay.learned import steps
from replay.margin import Assembler
from replay.margin import Question as MarginQuestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from projections.beliefs import Value
    from projections.margin import Figure, Judgement
    from replay.audit import AccountHistory
    from replay.diff import Question

STOPPED = Figures(values={}, stopped=(MARGIN.strip(),))
"""No margin could be judged: no mode or no rulebook is known, or an event of unknown kind."""


def margin_changes(account: AccountHistory, question: Question) -> tuple[Change, ...]:
    """Return why the margin of an instant changed between two states of knowledge."""
    start = first = margin_figures(account, question, question.first, question.rule_a)
    stages = []
    if question.pinned is not None:
        first = overlaid(start, question.pinned, (MARGIN.strip(),))
        first = attrs.evolve(first, values=_only_margin(first.values))
        stages.append(Stage(cause=code_cause(question), figures=start))
    stages += [
        Stage(cause=cause, figures=margin_figures(account, question, position, question.rule_a))
        for position, cause in _batches(account, question)
    ]
    if question.rule_a != question.rule_b:
        one, other = (rule or "the one in force" for rule in (question.rule_a, question.rule_b))
        found = margin_figures(account, question, question.last, question.rule_b)
        cause = Cause(kind="rule", text=f"rulebook {other} in place of {one}")
        stages.append(Stage(cause=cause, figures=found))
    return decomposed(first, stages)


def _only_margin(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name.startswith(MARGIN)}


def _batches(account: AccountHistory, question: Question) -> Iterator[tuple[int, Cause]]:
    """Yield every position at which something was learnt, with all of it as one cause."""
    knowledge = Knowledge(account.audit.engine, account.stream, question.as_of)
    found = steps(account, knowledge, first=question.first, last=question.last,
                  markets=True, detail=False)  # fmt: skip
    for position, parts in groupby(found, key=lambda step: step.position):
        causes = [step.cause for step in parts]
        text = "; ".join(cause.text for cause in causes)
        events = tuple(event for cause in causes for event in cause.events)
        yield (
            position,
            attrs.evolve(
                causes[0], text=text, events=events, count=sum(cause.count for cause in causes)
            ),
        )


def margin_figures(
    account: AccountHistory, question: Question, position: int, rule: str | None
) -> Figures:
    """Return the margin figures of the instant as known at a position, by name.

    Where two rulebooks may hold, those of the first. All are unknown where nothing can be judged.
    """
    try:
        of = Assembler(account, position, MarginQuestion(rulebook=rule))
        margin = of.at(question.as_of).margin
    except NotInForce:
        if rule is not None:
            raise
        return STOPPED
    except (UnclearQuestion, UnknownKind):
        return STOPPED
    return Figures(values=dict(figure_values(margin.judgements[0])))


def figure_values(judgement: Judgement) -> Iterator[tuple[str, Value]]:
    """Yield every figure of a judgement by name."""
    for figure in judgement.figures():
        yield f"{MARGIN}{figure.name} {figure.of}".strip(), _value(figure)


def _value(figure: Figure) -> Value:
    if figure.value is not None:
        return figure.value
    return UNKNOWN if figure.missing else NONE
