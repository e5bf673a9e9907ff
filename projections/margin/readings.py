"""Readings: which way each contradictory text is taken, and what else it could have been.

A choice maps a question (``offset``) to the id of a reading (``offset:always``). What is not
chosen is the first reading the rulebook lists.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final, TypeAlias

from ledger.errors import UnclearQuestion
from projections.rulebooks import CALENDAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projections.rulebooks.base import Reading, Rulebook

    Choice: TypeAlias = Mapping[str, str]

OF_THE_RATIO: Final = ("offset", "debt", "isolated", "ltv", "trigger")
"""Questions whose answer may change the portfolio margin ratio or its verdict."""


def choice(rulebook: Rulebook, wanted: Iterable[str] = ()) -> dict[str, str]:
    """Return one reading per question: those *wanted*, else the first of each question.

    A reading of another date's texts is passed over, so that one choice serves a whole timeline.

    Raises: UnclearQuestion, when no rulebook of any date knows it.
    """
    taken: dict[str, str] = {}
    for each in rulebook.readings:
        taken.setdefault(each.question, each.id)
    for name in wanted:
        if reading(rulebook, name) is None:
            _require_known(name, rulebook)
        else:
            taken[name.partition(":")[0]] = name
    return taken


def _require_known(name: str, rulebook: Rulebook) -> None:
    ever = {each.id for book in (*CALENDAR, rulebook) for each in book.readings}
    if name not in ever:
        raise UnclearQuestion(
            asked=name,
            problem="is a reading no rulebook knows" if ":" in name else "is no reading",
            remedy=f"There are {', '.join(sorted(ever))}",
        )


def reading(rulebook: Rulebook, name: str) -> Reading | None:
    """Return a reading by its id, None when the rulebook has none of that id."""
    return next((each for each in rulebook.readings if each.id == name), None)


def combinations(rulebook: Rulebook, taken: Choice, of: Sequence[str]) -> list[dict[str, str]]:
    """Return every combination of readings of some questions; the rest stays as *taken*."""
    open_questions = [each for each in of if rulebook.readings_of(each)]
    options = [[each.id for each in rulebook.readings_of(name)] for name in open_questions]
    return [{**taken, **dict(zip(open_questions, each, strict=True))} for each in product(*options)]


def named(taken: Choice) -> tuple[str, ...]:
    """Return the ids of a choice, sorted."""
    return tuple(sorted(taken.values()))
