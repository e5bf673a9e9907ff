"""Books: exports for people with a spreadsheet or a double-entry program.

What a cell is, and how exact it is shown, is said in ``replay.papers.workbook``; what a
transaction is, in ``replay.papers.journal``. Both hold what they write in memory.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from ledger.cells import OWN, values_of
from ledger.codec import decode, identity, tag_of
from ledger.errors import UnclearQuestion
from ledger.fields import fields_of
from ledger.kinds import KINDS
from ledger.units import Millis
from projections.chart import USDC
from projections.statement import Group, Member
from replay.export.typed import typed
from replay.moments import iso
from replay.papers import beancount, hledger, workbook
from replay.papers.sheets import Block, Column, Sheet
from replay.periods import Period
from replay.statement import statement
from replay.statement_reading import Of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.fields import Field
    from replay.export.asked import Asked
    from replay.export.columns import Survey
    from replay.papers.sheets import Cell
    from replay.statement import Statement
    from replay.tables import Table

EVENTS_MOST: Final = 250_000
"""Events of one workbook or journal: they are held in memory, and nobody scrolls further."""

LATEST: Final = Millis(253_402_300_799_999)
"""The last moment a spreadsheet has a date for, in the year 9999; later ones are text."""

_WHOLE_MOST: Final = 10**15


def refuse_many(events: int, form: str) -> None:
    """Refuse what is too long for a form that is held in memory.

    Raises: UnclearQuestion.
    """
    if events > EVENTS_MOST:
        raise UnclearQuestion(
            asked=f"{events:,} events as {form}",
            problem=f"are more than the {EVENTS_MOST:,} such a file may have",
            remedy="Narrow it with --since and --until, or take parquet, csv or jsonl",
        )


# ------------------------------------------------------------------------------ workbooks


def write_events(
    lines: Iterable[bytes],
    found: Survey,
    target: BinaryIO,
    *,
    title: str,
    at: Millis,
    facts: Sequence[tuple[str, str]],
) -> None:
    """Write a workbook of events: a sheet per kind, and one that says what it is."""
    refuse_many(found.events, "xlsx")
    rows: dict[str, list[tuple[Cell, ...]]] = {tag: [] for tag in found.tags}
    shown = {tag: tuple(f for f in fields_of(tag) if f.name not in OWN) for tag in found.tags}
    largest = {column.name: column.width.largest for column in found.columns}
    for line in lines:
        tag, values = tag_of(line), values_of(line)
        rows[tag].append((
            _moment(values["at"]), values["stream"], identity(decode(line), line).hex(),
            *(_cell(field, values[field.name]) for field in shown[tag]),
        ))  # fmt: skip
    named = sheet_names(found.tags)
    sheets = [
        Sheet(
            name=named[tag],
            blocks=(
                Block(
                    title=f"{tag}: {_sentence(tag)}",
                    columns=(
                        Column(name="at", kind="moment"), Column(name="stream"),
                        Column(name="event"),
                        *(_column(field, largest[field.name]) for field in shown[tag]),
                    ),
                    rows=tuple(rows[tag]),
                ),
            ),
        )
        for tag in found.tags
    ]  # fmt: skip
    _write([*sheets, _about(facts)], target, title=title, at=at)


def sheet_names(tags: Iterable[str]) -> dict[str, str]:
    """Return a name for the sheet of every kind: at most 31 characters, none twice."""
    found: dict[str, str] = {}
    for tag in tags:
        name, _, version = tag.partition("/")
        plain = name.replace("_", " ").capitalize()[:27]
        found[tag] = plain if version == "1" else f"{plain} v{version}"
    return found


def _sentence(tag: str) -> str:
    return " ".join((KINDS[tag].event_class.__doc__ or "").split())


def _column(field: Field, largest: int) -> Column:
    if field.holds == "number":
        return Column(name=field.name, kind="amount", may_lack=True)
    if field.holds == "moment":
        return Column(name=field.name, kind="moment")
    is_count = field.holds == "whole" and largest < _WHOLE_MOST
    return Column(name=field.name, kind="count" if is_count else "text")


def _cell(field: Field, value: Any) -> Cell:  # noqa: ANN401 - what a canonical line holds
    if value is None:
        return None
    if field.holds == "number":
        return Decimal(value)
    if field.holds == "moment":
        return _moment(value)
    if field.holds == "flag":
        return "yes" if value else "no"
    if field.holds == "parts":
        import json

        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _moment(at: Millis) -> Cell:
    return at if at <= LATEST else iso(at)


def write_tables(
    tables: Sequence[Table],
    subjects: Sequence[str],
    target: BinaryIO,
    *,
    title: str,
    at: Millis,
    facts: Sequence[tuple[str, str]],
) -> None:
    """Write a workbook of tables, a sheet for each."""
    sheets: list[Sheet] = []
    for number, (subject, table) in enumerate(zip(subjects, tables, strict=True), start=1):
        refuse_many(len(table.rows), "xlsx")
        columns = typed(table)
        kinds = {"number": "amount", "moment": "moment", "text": "text"}
        block = Block(
            title=table.title if subject in table.title else f"{table.title} of {subject}",
            columns=tuple(
                Column(name=each.name.replace("_", " "), kind=kinds[each.holds],  # type: ignore[arg-type]
                       may_lack=not each.unknown)
                for each in columns
            ),
            rows=tuple(zip(*(each.values for each in columns), strict=True)),
            empty=table.empty,
        )  # fmt: skip
        name = "Table" if len(tables) == 1 else f"Account {number}"
        sheets.append(Sheet(name=name, blocks=(block,)))
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    told = [*facts, *(("note", note) for note in notes)]
    _write([*sheets, _about(told)], target, title=title, at=at)


def _about(facts: Sequence[tuple[str, str]]) -> Sheet:
    block = Block(
        title="What this is",
        columns=(Column(name="name"), Column(name="text")),
        rows=tuple(facts),
    )
    return Sheet(name="About", blocks=(block,))


def _write(sheets: Sequence[Sheet], target: BinaryIO, *, title: str, at: Millis) -> None:
    workbook.write_sheets(sheets, target, title=title, at=min(at, LATEST))


# ------------------------------------------------------------------------------- journals


def whole(asked: Asked) -> Statement:
    """Return everything asked for as one statement, from the first event to the last.

    Raises: UnclearQuestion, when nothing happened.
    """
    span = asked.span()
    if span is None:
        raise UnclearQuestion(
            asked="a journal",
            problem="has nothing to show: no event is recorded",
            remedy="Import something first",
        )
    members = tuple(Member(address=each, role="", label="") for each in asked.accounts)
    is_group = len(members) != 1
    name = "all accounts" if is_group else asked.accounts[0]
    of = Of(
        group=Group(name=name, members=members),
        is_group=is_group,
        period=Period(since=span[0], until=span[1]),
        position=asked.position,
        money=USDC,
        token=None,
    )
    return statement(asked.audit, of)


def journal_text(made: Statement, form: str) -> str:
    """Return a statement as the journal of a double-entry program."""
    return beancount.text(made) if form == "beancount" else hledger.text(made)
