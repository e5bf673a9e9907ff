"""Sheet: figures made by formulas over one reading of the arithmetic, unknown by name.

A sheet is what makes one text of a judgement serve the exact reading and the one with workings. It
carries what is missing through every formula, and remembers by which rule a figure was made.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, cast

import attrs

from projections.arithmetic import EXACT, Arithmetic, Operand, Quantity, Workings
from projections.margin.picture import Input, Unknown
from projections.rulebooks import formulas
from projections.rulebooks.base import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.units import Millis
    from projections.margin.picture import Given
    from projections.rulebooks.base import Rulebook

N = TypeVar("N", bound=Operand)

SURENESS: Final[tuple[Status, ...]] = (
    "confirmed", "observed", "documented", "inferred", "hypothetical",
)  # fmt: skip
"""How sure we are of a rule, from most to least."""

_WEAK: Final = SURENESS[3:]
_RANK: Final = {status: number for number, status in enumerate(SURENESS)}


@attrs.frozen(kw_only=True)
class Figure:
    """One number of a judgement, or why it is not known."""

    name: str
    of: str
    """What it is of: a token, a market, an exchange; empty for the account."""
    value: Decimal | None
    """None when it is unknown, or when it does not exist (``note`` says so)."""
    unit: str
    rule: str
    """Rulebook and formula: ``2026-06-23 caps/margin_ratio``; empty for an input."""
    status: Status
    """How sure we are of the rule, or of the least sure one it builds on."""
    missing: tuple[str, ...] = ()
    """Names of the inputs it lacks."""
    note: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return self.value is not None


@attrs.frozen(kw_only=True)
class Line:
    """One line of a derivation."""

    name: str
    of: str
    formula: str
    value: Decimal | None
    unit: str
    rule: str
    """Rulebook and formula; empty for an input."""
    source: str = ""
    """Inputs only: where the number comes from."""
    age_ms: int | None = None
    """Inputs only: how old it was at the instant judged; None without a moment."""
    status: str = ""
    alternative: str = ""
    """The nearest other reading, and what it gives; empty where the text has one reading."""


@attrs.frozen
class Cell(Generic[N]):
    """A figure together with the operand it is calculated on with."""

    figure: Figure
    operand: N | None

    @property
    def value(self) -> Decimal | None:
        """The number, None when unknown."""
        return self.figure.value


Argument: TypeAlias = "Cell[N] | Sequence[Cell[N]]"


class Sheet(Generic[N]):
    """Figures under one rulebook and one reading of the arithmetic. Use it in the exact context."""

    def __init__(
        self,
        a: Arithmetic[N],
        *,
        lift: Callable[[str, Decimal], N],
        read: Callable[[N], Decimal],
        rulebook: Rulebook,
        at: Millis,
        steps: list[Any] | None = None,
    ) -> None:
        """Begin an empty sheet; *lift* makes an operand of an input, *read* its number.

        No figure is surer than a rulebook that is itself inferred or hypothetical.
        """
        self.a = a
        self.rulebook = rulebook.id
        self._floor = _RANK[rulebook.status] if rulebook.status in _WEAK else 0
        self.at = at
        self.lines: list[Line] = []
        self._lift = lift
        self._read = read
        self._steps = steps
        self._once: dict[tuple[str, str], Cell[N]] = {}

    def given(self, name: str, given: Given, *, of: str = "", unit: str = "") -> Cell[N]:
        """Return an input as a cell; its line is written once."""
        key = (name, of)
        found = self._once.get(key)
        if found is not None:
            return found
        if isinstance(given, Unknown):
            figure = Figure(name=name, of=of, value=None, unit=unit, rule="", status="inferred",
                            missing=(given.name,))  # fmt: skip
            cell: Cell[N] = Cell(figure, None)
        else:
            said = f"{name} of {of}" if of else name
            figure = Figure(name=name, of=of, value=given.value, unit=unit, rule="",
                            status="confirmed")  # fmt: skip
            cell = Cell(figure, self._lift(said, given.value))
        if self._steps is not None:
            self.lines.append(_line_of(given, figure, self.at))
        self._once[key] = cell
        return cell

    def figure(
        self,
        name: str,
        rule: Callable[..., N],
        *arguments: Cell[N] | Sequence[Cell[N]],
        of: str = "",
        unit: str = "",
        status: Status = "confirmed",
        note: str = "",
        extra: tuple[Any, ...] = (),
    ) -> Cell[N]:
        """Return what a formula makes of cells; unknown where one of them is.

        A division by zero makes the figure nonexistent, with a note, and no error.
        """
        operands, lacks, status = _gathered(arguments, max(self._floor, _RANK[status]))
        told = f"{self.rulebook}/{rule.__name__}"
        operand, value = None, None
        before = len(self._steps) if self._steps is not None else 0
        if not lacks:
            try:
                operand = rule(self.a, *operands, *extra)
            except ZeroDivisionError:
                note = f"{name} does not exist: it would divide by zero"
        if operand is not None:
            value = self._read(operand)
            if self._steps is not None:
                operand = (
                    _passed(self.a, arguments)
                    if _is_idle(rule, arguments)
                    else self._told(
                        before, name, operand, of=of, unit=unit, rule=told, status=status
                    )
                )
        figure = Figure(
            name=name, of=of, value=value, unit=unit, rule=told, status=status, missing=lacks,
            note=note,
        )  # fmt: skip
        return Cell(figure, operand)

    def total(
        self, name: str, parts: Sequence[Cell[N]], *, of: str = "", unit: str = ""
    ) -> Cell[N]:
        """Return a sum that several figures rest on; it is made, and its line written, once."""
        key = (name, of)
        found = self._once.get(key)
        if found is None:
            found = self.figure(name, formulas.plain_total, parts, of=of, unit=unit)
            self._once[key] = found
        return found

    def constant(self, name: str, value: Decimal, source: str, *, of: str = "") -> Cell[N]:
        """Return a constant of the rulebook as a cell."""
        return self.given(name, Input(value, source), of=of)

    def _told(
        self,
        before: int,
        name: str,
        operand: N,
        *,
        of: str,
        unit: str,
        rule: str,
        status: str,
    ) -> N:
        """Write down the steps of a formula, the last under the figure's name, and rename it."""
        for step in self._steps[before:] if self._steps is not None else ():
            self.lines.append(
                Line(name=step.name, of=of, formula=step.formula, value=step.value,
                     unit=step.unit, rule=rule, status=status)
            )  # fmt: skip
        value = self._read(operand)
        if self.lines and self.lines[-1].rule == rule and self.lines[-1].value == value:
            self.lines[-1] = attrs.evolve(self.lines[-1], name=name, unit=unit)
        return self._lift(f"{name} of {of}" if of else name, value)


def _line_of(given: Given, figure: Figure, at: Millis) -> Line:
    """Return the line of an input in a derivation."""
    source, age = (
        (f"unknown: {given.name}", None)
        if isinstance(given, Unknown)
        else (given.source, given.age(at))
    )
    return Line(
        name=figure.name, of=figure.of, formula="", value=figure.value, unit=figure.unit, rule="",
        source=source, age_ms=age,
    )  # fmt: skip


def _gathered(arguments: Sequence[Any], rank: int) -> tuple[list[Any], tuple[str, ...], Status]:
    """Return a formula's operands, what they lack by name, and the least sure status of all.

    The status is that of *rank*, the formula's own, or of the least sure cell it is made of.
    """
    operands: list[Any] = []
    lacks: list[str] = []
    for each in arguments:
        is_one = isinstance(each, Cell)
        for cell in (each,) if is_one else each:
            figure = cell.figure
            if cell.operand is None:
                lacks.extend(figure.missing or (f"{figure.name} {figure.of}",))
            rank = max(rank, _RANK[figure.status])
        operands.append(each.operand if is_one else [cell.operand for cell in each])
    return operands, tuple(dict.fromkeys(lacks)) if lacks else (), SURENESS[rank]


def _is_idle(rule: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Tell whether a formula only passes on one part, or nothing: no line is worth it."""
    return rule.__name__ == "plain_total" and len(arguments) == 1 and len(arguments[0]) < 2


def _passed(a: Arithmetic[N], arguments: Sequence[Any]) -> N:
    parts = [cell.operand for cell in arguments[0]]
    return parts[0] if parts else a.lit("0")


def exact_sheet(rulebook: Rulebook, at: Millis) -> Sheet[Decimal]:
    """Return a sheet for the exact reading."""
    return Sheet(
        EXACT, lift=lambda _, value: value, read=lambda value: value, rulebook=rulebook, at=at
    )


def worked_sheet(rulebook: Rulebook, at: Millis) -> Sheet[Quantity]:
    """Return a sheet for the reading with workings; ``lines`` holds the derivation."""
    workings = Workings()
    return Sheet(
        cast("Arithmetic[Quantity]", workings),
        lift=workings.given,
        read=lambda quantity: quantity.value,
        rulebook=rulebook,
        at=at,
        steps=workings.steps,
    )
