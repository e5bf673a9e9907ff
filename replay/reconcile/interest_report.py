"""Tables of payouts held against what is due, and the same as text for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.money import canonical
from projections.lending import HOUR_MS
from replay.coverage_text import length_text
from replay.moments import iso
from replay.reconcile.interest import ASKED, subject_of
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from decimal import Decimal

    from projections.breaks import Break
    from projections.interest import Line, Reconciled
    from replay.reconcile.interest import InterestReport

SIDES_TITLE: Final = "Interest by token and side"


def heading(report: InterestReport) -> str:
    """Return one line: which account, which hours, as known when, against what."""
    return (
        f"{report.account}, hours from {iso(report.since)} to {iso(report.until)}, as known at "
        f"position {report.position}, against {_against(report)}"
    )


def _against(report: InterestReport) -> str:
    asked = report.asked
    return "the venue's rows" if asked.statement is None else asked.against


def tables(report: InterestReport, *, lines: bool = False) -> list[Table]:
    """Return the report as tables: sides, breaks, and if asked for, every hour."""
    found = [sides_table(report), breaks_table(report)]
    return [*found, lines_table(report)] if lines else found


def sides_table(report: InterestReport) -> Table:
    """Return one row per token and side: what was expected and paid, and what its hours are."""
    rows = tuple(
        (
            each.asset, each.side, str(len(each.lines)), _over(each, each.expected),
            _over(each, each.paid_known), _over(each, each.difference),
            str(each.counted("matched")), str(each.counted("within")),
            str(each.counted("convention")), str(each.counted("break")),
            str(each.counted("unknown")),
        )
        for each in report.sides
    )  # fmt: skip
    return Table(
        title=SIDES_TITLE,
        columns=(
            "token", "side", "hours", "expected", "paid", "difference", "matched", "within",
            "by_convention", "breaks", "unknown",
        ),
        rows=rows,
        numbers=frozenset({
            "hours", "expected", "paid", "difference", "matched", "within", "by_convention",
            "breaks", "unknown",
        }),
        notes=tuple(_notes(report)) if rows else tuple(_passed_over(report)),
        empty="nothing recorded says that anything was due or paid",
    )  # fmt: skip


def _notes(report: InterestReport) -> list[str]:
    asked = report.asked
    tolerance = (
        f"tolerance: {canonical(asked.tolerance.per_line)} per line, "
        f"{canonical(asked.tolerance.in_total)} in total of what is let pass; a row is late "
        f"{length_text(asked.tolerance.late_after)} after its hour; a recorded rate holds "
        f"{length_text(asked.hold_ms)}"
    )
    found = [tolerance, ASKED]
    for each in report.sides:
        unknown = [line for line in each.lines if line.expected is None]
        if unknown:
            found.append(_uncovered(each, unknown))
        if not each.habit.is_rule:
            found.append(_habit(each))
    if any(line.kind == "basis unknown" for each in report.sides for line in each.lines) and not (
        asked.is_complete
    ):
        found.append(
            "basis unknown: no state, opening or operation of it is recorded before, or an hour "
            "without rate and row lies between; --complete says that nothing was there before the "
            "first record"
        )
    return [*found, *_passed_over(report)]


def _passed_over(report: InterestReport) -> list[str]:
    """Return a sentence on the amounts of a statement that no hour of the report holds."""
    asked = report.asked
    if asked.statement is None:
        return []
    count = sum(
        not report.since + HOUR_MS <= row.at < report.until + HOUR_MS
        or bool(asked.tokens and row.asset not in asked.tokens)
        for row in asked.statement
    )
    if not count and asked.statement:
        return []
    told = f"{asked.against} has {len(asked.statement)} amounts, of which {count} are of other"
    return [f"{told} hours or other tokens and are not compared"]


def _uncovered(each: Reconciled, unknown: list[Line]) -> str:
    kinds: dict[str, int] = {}
    for line in unknown:
        kinds[line.kind] = kinds.get(line.kind, 0) + 1
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    return (
        f"{subject_of((each.asset, each.side))}: the sums cover {len(each.known)} of "
        f"{len(each.lines)} hours; unknown: {told}; "
        + (
            f"{_shown(each.paid - each.paid_known)} was paid in unknown hours"
            if any(line.paid is not None for line in unknown)
            else "no row is recorded for them"
        )
    )


def _habit(each: Reconciled) -> str:
    subject, names = subject_of((each.asset, each.side)), each.habit.candidates
    rows = f"{each.habit.own.fitting} of {each.habit.rows} rows"
    if len(names) == 1:
        return f"{subject}: {rows} are what this gives: {names[0].name}"
    told = "; ".join(name.name for name in names)
    return f"{subject}: {rows} are what each of these gives, undetermined which: {told}"


def breaks_table(report: InterestReport) -> Table:
    """Return one row per break, by value date."""
    rows = tuple(
        (
            each.identity, on_the_hour(each.at), each.subject, each.kind, _shown(each.expected),
            _shown(each.observed), _shown(each.difference), _explained(each),
        )
        for each in report.breaks
    )  # fmt: skip
    return Table(
        title="Breaks",
        columns=(
            "break", "at", "subject", "class", "expected", "paid", "difference",
            "explained_by",
        ),
        rows=rows,
        numbers=frozenset({"expected", "paid", "difference"}),
        notes=tuple(each.text for each in report.breaks if each.until != each.at),
        empty="none",
    )  # fmt: skip


def on_the_hour(moment: int) -> str:
    """Return a full hour as text: ``2026-08-11T21:00Z``."""
    return f"{iso(moment)[:16]}Z"


def _explained(each: Break | Line) -> str:
    if len(each.candidates) > 1:
        told = "; ".join(f"{name} {canonical(value)}" for name, value in each.candidates)
        return f"{each.convention}: {told}"
    return each.convention


def lines_table(report: InterestReport) -> Table:
    """Return one row per hour and side."""
    return Table(
        title="Hours",
        columns=(
            "hour_to", "token", "side", "expected", "paid", "difference", "status", "class",
            "explained_by", "rows",
        ),
        rows=tuple(
            (
                on_the_hour(line.until), line.asset, line.side, _shown(line.expected),
                _paid(line), _shown(line.difference), line.status, line.kind or None,
                _explained(line) or None,
                ", ".join(str(row.event or row.place)[:12] for row in line.rows) or None,
            )
            for line in report.lines
        ),
        numbers=frozenset({"expected", "paid", "difference"}),
    )  # fmt: skip


def _paid(line: Line) -> str | None:
    if line.paid is None:
        return UNKNOWN if line.kind == "not recorded" else "none"
    return canonical(line.paid)


def _over(each: Reconciled, value: Decimal) -> str:
    """Return a sum over the known hours: unknown where there is none."""
    return canonical(value) if each.known else UNKNOWN


def _shown(value: Decimal | None) -> str:
    return UNKNOWN if value is None else canonical(value)


def to_dict(report: InterestReport, *, lines: bool = False) -> dict[str, object]:
    """Return the report as a dictionary of text, for programs; with *lines* every hour too."""
    found: dict[str, object] = {
        "account": report.account,
        "since": iso(report.since),
        "until": iso(report.until),
        "known_at": str(report.position),
        "parameters": report.asked.parameters,
        "sides": [
            {
                **row,
                "paid_in_unknown_hours": _shown(each.paid - each.paid_known),
                "known_hours": str(len(each.known)),
                "convention": each.habit.name,
                "conventions_that_fit": [name.name for name in each.habit.candidates],
            }
            for row, each in zip(sides_table(report).to_dicts(), report.sides, strict=True)
        ],
        "breaks": [
            {
                **row,
                "until": iso(each.until),
                "convention": each.convention,
                "candidates": {name: canonical(value) for name, value in each.candidates},
                "events": list(each.events),
                "text": each.text,
            }
            for row, each in zip(breaks_table(report).to_dicts(), report.breaks, strict=True)
        ],
        "notes": list(sides_table(report).notes),
    }
    if lines:
        found["hours"] = lines_table(report).to_dicts()
    return found
