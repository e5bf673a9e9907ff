"""Statements: the exports of the venue's web interface, and fills saved as a spreadsheet.

These records write civil time without a zone, carry no identities, and round to the second (the
spreadsheet to the minute). Which of the two numbers of a date is the day is decided over the
whole file; where every row fits both readings the file is not read until somebody says which.
The one importer that may know calendars and zones: turning them into milliseconds is its subject.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, datetime
from itertools import groupby, pairwise
from operator import gt, lt
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from ledger.entries import Part, Reading
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.importers.base import Importer
from ledger.importers.exports import FORMS
from ledger.importers.lines import apart, cells, header_of, refuse_mark, unread
from ledger.units import Millis, account_stream, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.entries import Unreadable
    from ledger.events import Event
    from ledger.importers.base import Document, Hints
    from ledger.importers.exports import Form
    from ledger.units import Address, Stream

Dates: TypeAlias = Literal["day-first", "month-first"]

SAY_ACCOUNT: Final = "--account 0x…"
SAY_ZONE: Final = "--zone Europe/Paris"
SAY_DATES: Final = "--dates day-first or --dates month-first"

_LOCAL_NAMES: Final = {"localtime", "posixrules", "Factory", "posix", "right"}
_DATE: Final = r"(?P<first>[0-9]{1,2})([/.-])(?P<second>[0-9]{1,2})\2(?P<year>[0-9]{4})"
_CLOCK: Final = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<secs>[0-9]{2}))?"
_DATE_FIRST: Final = re.compile(rf"\A{_DATE} (?:- )?{_CLOCK}\Z", re.ASCII)
_CLOCK_FIRST: Final = re.compile(
    r"\A(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<secs>[0-9]{2}))? "
    r"(?P<first>[0-9]{1,2})([/.-])(?P<second>[0-9]{1,2})\5(?P<year>[0-9]{4})\Z",
    re.ASCII,
)
_FIELDS: Final = ("first", "second", "year", "hour", "minute", "secs")
_EPOCH: Final = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day, not an instant


# ------------------------------------------------------------------------- reading


class _Row(NamedTuple):
    """A row with its civil time taken apart: first, second, year, hour, minute, second."""

    number: int
    cells: list[str]
    civil: tuple[int, ...]


class _Timed(NamedTuple):
    """A row and its moment; ``fold`` is the later one where the clock showed that time twice."""

    row: _Row
    at: Millis
    fold: Millis | None


def read(form: Form, document: Document, hints: Hints) -> Reading:
    """Return the rows of an export as events, oldest first, one part per account.

    **Order**: an export that shows the newest row first is turned round whole, ties included.

    Raises: NeedsHint, naming every flag the file cannot do without; RefusedFile, when a hint
    contradicts the file.
    """
    refuse_mark(document.name, document.text)
    unreadable: list[Unreadable] = []
    rows = _rows(form, document.text, unreadable)
    if not rows:
        return Reading(kind=form.name, unreadable=tuple(unreadable), notes=("no row to read",))
    dates, zone = _decide(form, document.name, rows, hints)
    notes: list[str] = []
    parts: list[Part] = []
    for account, own in _by_account(form, rows, hints, unreadable).items():
        timed = _in_order(_at(own, dates, zone, unreadable), unreadable, notes)
        stream = account_stream(account)
        pairs = list(_events(form, timed, stream, unreadable))
        if pairs:
            parts.append(
                Part(
                    stream=stream,
                    source=form.source,
                    answer="line",
                    rows=tuple(number for number, _ in pairs),
                    events=tuple(apart([event for _, event in pairs])),
                )
            )
    unreadable.sort(key=lambda row: int(row.place.removeprefix("line ")))
    return Reading(
        kind=form.name, parts=tuple(parts), unreadable=tuple(unreadable), notes=tuple(notes)
    )


def _rows(form: Form, text: str, unreadable: list[Unreadable]) -> list[_Row]:
    rows: list[_Row] = []
    for number, row in cells(text, len(form.columns), unreadable):
        written = row[form.time]
        found = _DATE_FIRST.match(written) or _CLOCK_FIRST.match(written)
        if found is None:
            expected = "a date and time as the web interface writes it: 27/6/2026 - 14:11:28"
            error = MalformedRecord(field=form.columns[form.time], found=written, expected=expected)
            unreadable.append(unread(number, error, ",".join(row)))
            continue
        parts = found.group(*_FIELDS)
        rows.append(_Row(number, row, tuple(map(int, parts if parts[-1] else (*parts[:-1], 0)))))
    return rows


def _events(
    form: Form, timed: Iterable[_Timed], stream: Stream, unreadable: list[Unreadable]
) -> Iterable[tuple[int, Event]]:
    make = form.row
    for item in timed:
        try:
            yield item.row.number, make(item.row.cells, item.at, stream)
        except MalformedRecord as error:
            unreadable.append(unread(item.row.number, error, ",".join(item.row.cells)))


def _by_account(
    form: Form, rows: list[_Row], hints: Hints, unreadable: list[Unreadable]
) -> dict[Address, list[_Row]]:
    """Return the rows per account; where the file names them, a hint has nothing to add."""
    if form.account is None:
        return {hints.account: rows} if hints.account is not None else {}
    groups: dict[Address, list[_Row]] = {}
    for row in rows:
        try:
            account = parse_address(row.cells[form.account], field=form.columns[form.account])
        except MalformedRecord as error:
            unreadable.append(unread(row.number, error, ",".join(row.cells)))
            continue
        groups.setdefault(account, []).append(row)
    return groups


# ------------------------------------------------------------------------- dates and zones


def _decide(form: Form, name: str, rows: list[_Row], hints: Hints) -> tuple[Dates, ZoneInfo]:
    """Return which number is the day and in which zone; ask for all that is open at once.

    Raises: NeedsHint; RefusedFile, when the hint on dates cannot be true.
    """
    questions: list[tuple[str, str]] = []
    if form.account is None and hints.account is None:
        questions.append(("it does not say whose account it is", SAY_ACCOUNT))
    zone_name = hints.zone or form.zone
    zone = None if zone_name is None else _zone(zone_name)
    if zone is None:
        asked = "it does not say in which time zone it was saved"
        if zone_name is not None:
            asked = f"{zone_name!r} is not the IANA name of a time zone"
        questions.append((asked, SAY_ZONE))
    dates, asked = _dates(name, rows, hints.dates)
    if asked:
        questions.append((asked, SAY_DATES))
    if questions or zone is None or dates is None:
        raise NeedsHint(
            name=name,
            question="; ".join(question for question, _ in questions),
            flag=", ".join(flag for _, flag in questions),
        )
    return dates, zone


def _zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name; names that mean another zone on every machine are none."""
    if name.split("/", maxsplit=1)[0] in _LOCAL_NAMES:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _dates(name: str, rows: list[_Row], hint: Dates | None) -> tuple[Dates | None, str]:
    """Return the only reading that fits every row, or what must be asked.

    A number above 12 is a day. That one reading would make the rows jump back in time proves
    nothing, and is not looked at.
    """
    day_first = next((row for row in rows if row.civil[0] > 12), None)
    month_first = next((row for row in rows if row.civil[1] > 12), None)
    if day_first and month_first:
        lines = f"lines {day_first.number} and {month_first.number}"
        return hint, "" if hint else f"{lines} cannot both be dates of one order"
    decided: Dates | None = "day-first" if day_first else "month-first" if month_first else None
    proof = day_first or month_first
    if decided and proof and hint not in {None, decided}:
        raise RefusedFile(
            name=name,
            reason=f"line {proof.number} can only be {decided}, and {hint} was said",
            remedy=f"Leave --dates out, or say --dates {decided}",
        )
    if decided or hint:
        return decided or hint, ""
    open_row = next((row for row in rows if row.civil[0] != row.civil[1]), None)
    if open_row is None:
        return "day-first", ""
    first, second, year = open_row.civil[:3]
    return None, (
        f"its dates can be read in two ways (line {open_row.number}: "
        f"{year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}), and every row fits both"
    )


def _at(
    rows: list[_Row], dates: Dates, zone: ZoneInfo, unreadable: list[Unreadable]
) -> list[_Timed]:
    """Return rows with their moments; times that no clock of the zone showed are unreadable."""
    timed: list[_Timed] = []
    for row in rows:
        first, second, year, hour, minute, secs = row.civil
        month, day = (second, first) if dates == "day-first" else (first, second)
        try:
            local = datetime(year, month, day, hour, minute, secs, tzinfo=zone)
        except ValueError as error:
            unreadable.append(unread(row.number, f"no such date: {error}", ",".join(row.cells)))
            continue
        early = _millis(local) if MINYEAR < year < MAXYEAR else -1
        late = _millis(local.replace(fold=1)) if early >= 0 else -1
        if early < 0 or late < early:
            reason = "before 1970 or too far on" if early < 0 else _skipped(zone)
            unreadable.append(unread(row.number, reason, ",".join(row.cells)))
            continue
        timed.append(_Timed(row, Millis(early), Millis(late) if late > early else None))
    return timed


def _millis(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    days = local.toordinal() - _EPOCH - offset.days
    seconds = (local.hour * 60 + local.minute) * 60 + local.second - offset.seconds
    return (days * 86_400 + seconds) * 1000


def _skipped(zone: ZoneInfo) -> str:
    return f"no clock in {zone.key} showed this time: it was put forward over it"


# ------------------------------------------------------------------------- order


def _in_order(timed: list[_Timed], unreadable: list[Unreadable], notes: list[str]) -> list[_Timed]:
    """Return rows oldest first, every one at its one moment.

    A time the clock showed twice is told by the order of the file: where the rows of that hour
    step back once, those before are of the first showing and those after of the second. Where
    they do not, it stays open and the rows are unreadable.
    """
    sure = [item.at for item in timed if item.fold is None]
    ups, downs = sum(map(lt, sure, sure[1:])), sum(map(gt, sure, sure[1:]))
    if downs > ups:
        timed.reverse()
    sorted_file = (ups == 0) != (downs == 0)
    placed = timed if len(sure) == len(timed) else _unfolded(timed, unreadable, told=sorted_file)
    if (ups and downs) or any(before.at > after.at for before, after in pairwise(placed)):
        notes.append("the rows are in no order of time; within a moment the file's order was kept")
        placed.sort(key=lambda item: item.at)
    return placed


def _unfolded(timed: list[_Timed], unreadable: list[Unreadable], *, told: bool) -> list[_Timed]:
    """Return rows with those of an hour that was shown twice each in its showing, or left out."""
    placed: list[_Timed] = []
    for day, group in groupby(timed, key=lambda item: item.fold and item.row.civil[:3]):
        run = list(group)
        steps = [index for index, (a, b) in enumerate(pairwise(run), start=1) if a.at > b.at]
        if day is None:
            placed.extend(run)
        elif len(steps) == 1 and told:
            placed.extend(run[: steps[0]])
            placed.extend(item._replace(at=item.fold or item.at) for item in run[steps[0] :])
        else:
            reason = "the clock showed this time twice, and the rows' order does not tell which"
            unreadable.extend(
                unread(item.row.number, reason, ",".join(item.row.cells)) for item in run
            )
    return placed


def _importer(form: Form) -> Importer:
    return Importer(
        name=form.name,
        accepts=lambda document: not document.is_json and header_of(document.text) == form.columns,
        read=lambda document, hints: read(form, document, hints),
    )


IMPORTERS: Final = tuple(_importer(form) for form in FORMS)
"""The importers of this module, for the table of all."""
