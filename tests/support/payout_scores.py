"""How well a reconciliation read simulated months: line by line, and side by side.

What must be found was written down by the simulator, with an enumeration of its own: a convention
is right where it is the only one that fits; *undetermined* is right only where the enumeration
finds two or more, the one that was used among them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.payout_books import reconciled
from tests.support.payout_months import BEGIN, Month, Side, Slip
from tests.support.payout_rules import HOUR_MS, RULE

if TYPE_CHECKING:
    from projections.interest import Line, Reconciled

UNDETERMINED = "undetermined"
UNKNOWN = {"rate unknown", "basis unknown"}


@dataclass
class Score:
    """Counts over months."""

    lines: int = 0
    classes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Lines by what must be found and what was; those with nothing to find and none found apart."""
    conventions: Counter[bool] = field(default_factory=Counter)
    """Amounts that went wrong, of the right class: whether the convention was right, too."""
    undetermined: int = 0
    """Of these, how many were rightly undetermined."""
    sides: Counter[bool] = field(default_factory=Counter)
    """Whether the convention of a side was right over its whole month."""
    undetermined_sides: int = 0
    false: list[str] = field(default_factory=list)
    """Breaks where nothing went wrong, in words."""
    wrong: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        """Lines with something to find that were right in class and convention, and sides.

        Hours that nobody recorded come in stretches and would flatter: rightly unknown ones do
        not count, wrongly unknown ones do.
        """
        classes = sum(
            count
            for (told, got), count in self.classes.items()
            if told == got and told not in UNKNOWN
        )
        return classes - self.conventions[False] + self.sides[True]

    @property
    def judged(self) -> int:
        """Lines with something to find or something found, and sides."""
        classes = sum(
            count
            for (told, got), count in self.classes.items()
            if told != got or told not in UNKNOWN
        )
        return classes + self.sides.total()

    def table(self) -> str:
        """Return the confusion table in a line: class, right of all, what else was said."""
        kinds = sorted({told for told, _ in self.classes})
        parts = []
        for kind in kinds:
            own = {got: count for (told, got), count in self.classes.items() if told == kind}
            others = ", ".join(
                f"{got or 'nothing'} {count}" for got, count in sorted(own.items()) if got != kind
            )
            said = f"{kind or 'nothing'} {own.get(kind, 0)}/{sum(own.values())}"
            parts.append(said + (f" ({others})" if others else ""))
        return "; ".join(parts)


def score(month: Month, to: Score) -> None:
    """Hold what the product makes of a month against what the simulator knows."""
    found = {(each.asset, each.side): each for each in reconciled(month)}
    for key, side in month.sides.items():
        each = found.get(key)
        if each is None:
            assert not any(row.key == key for row in month.rows), "rows of a side not looked at"
            continue
        _score_side(month, side, each, to)
        for line in each.lines:
            _score_line(month, side, line, to)
    for key, each in found.items():
        if key not in month.sides:
            to.false += [
                f"{month.seed} {key}: {line}"
                for line in each.lines
                if line.status in {"break", "convention"} and not line.is_echo
            ]


def _score_side(month: Month, side: Side, found: Reconciled, to: Score) -> None:
    way, habit = side.way.called(), found.habit
    fitting = month.explaining(side)
    if habit.is_rule:
        is_right = month.explains(side, RULE, spared=2)
    elif habit.name == UNDETERMINED:
        named = {each.name for each in habit.candidates}
        is_right = len(fitting) > 1 and way in fitting and way in named
        to.undetermined_sides += is_right
    else:
        is_right = habit.name == way and fitting == (way,)
    to.sides[is_right] += 1
    if not is_right:
        to.wrong.append(f"{month.seed} {side.key}: paid by {way}, read as {habit.name}; {fitting}")


def _score_line(month: Month, side: Side, line: Line, to: Score) -> None:
    number = (line.until - BEGIN) // HOUR_MS - 1
    slip = side.slips.get(number)
    told = slip.told if slip else ""
    if (side.key, number) in month.unrated:
        told = "rate unknown"
    if (side.key, number) in month.unfounded:
        told = "basis unknown"
    got = "" if line.is_echo else line.kind
    to.lines += 1
    if not told and got in {"wrong amount", "rounding"} and side.way != RULE:
        # Where the rule explains a side but for an hour or two, that hour is told by itself.
        way = side.way.called()
        got = "" if way == line.convention or way in dict(line.candidates) else got
    if not told and not got:
        if line.status == "convention" and side.way == RULE:
            to.false.append(f"{month.seed} {side.key} {number}: {line}")
        return
    to.classes[told, got] += 1
    if not told:
        to.false.append(f"{month.seed} {side.key} {number}: {line}")
    if told != got:
        to.wrong.append(f"{month.seed} {side.key} {number}: {told or 'nothing'}, read as {line}")
    elif slip is not None and told == slip.told and told in {"wrong amount", "rounding"}:
        is_right = _is_named(slip, line)
        to.conventions[is_right] += 1
        to.undetermined += is_right and line.convention == UNDETERMINED
        if not is_right:
            to.wrong.append(f"{month.seed} {side.key} {number}: {slip}, read as {line}")


def _is_named(slip: Slip, line: Line) -> bool:
    """Tell whether the convention of a line is the one that fits, or all that do."""
    if len(slip.fits) < 2:
        return line.convention == "".join(slip.fits)
    named = {name for name, _ in line.candidates}
    return line.convention == UNDETERMINED and set(slip.fits) <= named | {slip.done}
