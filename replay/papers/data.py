"""Data: a statement for other programs, as CSV in one long table, and as JSON. Amounts are text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from ledger.cells import guarded
from ledger.money import canonical, exact
from replay.moments import iso
from replay.papers import words
from replay.papers.sheets import terms
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from projections.statement import Line, Row, Term
    from replay.statement import Statement

COLUMNS = ("section", "account", "place", "token", "line", "amount", "unit", "missing")


def csv_text(statement: Statement) -> str:
    """Return the statement as CSV: equity and roll-forward, one line of a statement per row.

    An amount that is not known is empty, and *missing* says what would have to be recorded.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    with exact():
        writer.writerows([tuple(map(guarded, row)) for row in _rows(statement)])
    return target.getvalue()


def _rows(statement: Statement) -> Iterator[tuple[str, ...]]:
    money = str(statement.of.money)
    for line in (statement.total, *statement.lines):
        token = "" if line.thing is None else str(line.thing[1])
        for name, term in terms(line):
            missing = "; ".join(term.missing)
            yield ("money", "", "", token, name, _number(term), money, missing)
    for row in statement.totals:
        yield from _quantities("quantity", row)
    for row in statement.rows:
        section = "eliminated place" if row.is_eliminated else "place"
        yield from _quantities(section, row)


def _quantities(section: str, row: Row) -> Iterator[tuple[str, ...]]:
    head = (section, row.account or "", "" if row.account is None else place_name(row.place))
    for name, amount in _of_row(row):
        missing = "" if amount is not None else "an event of unknown kind may have moved anything"
        text = "" if amount is None else canonical(amount)
        yield (*head, str(row.asset), name, text, str(row.asset), missing)


def _of_row(row: Row) -> Iterator[tuple[str, Decimal | None]]:
    yield "opening", row.opening
    for cause, amount in row.flows:
        if cause != "set by an opening":
            yield cause, amount
    yield "unexplained", row.unexplained
    yield "closing", row.closing


def _number(term: Term) -> str:
    return "" if term.value is None else canonical(term.value)


def document(statement: Statement) -> dict[str, object]:
    """Return the statement as a dictionary of text, with its activity where it was kept."""
    of = statement.of
    with exact():
        return {
            "subject": of.name,
            "members": [
                {"account": each.address, "role": each.role, "label": each.label}
                for each in of.group.members
            ],
            "since": iso(of.period.since),
            "until": iso(of.period.until),
            "known_at": str(of.position),
            "money": of.money,
            "token": of.token,
            "equity": _line(statement.total),
            "by_token": [_line(line) for line in statement.lines],
            "quantities": [_row(row) for row in statement.totals],
            "places": [_row(row) for row in statement.rows],
            "transfers_inside": [
                {"token": pair.asset, "matched": pair.is_whole,
                 "remainder": canonical(pair.remainder),
                 "sides": [{"account": side.account, "event": side.event, "at": iso(side.at),
                            "amount": canonical(side.amount)} for side in pair.sides]}
                for pair in statement.pairs
            ],
            "prices": [
                {"token": each.thing[1], "end": each.end, "at": iso(each.at),
                 "price": None if each.quote is None else canonical(each.quote.px),
                 "source": None if each.quote is None else each.quote.source,
                 "recorded_at": None if each.quote is None or each.quote.at is None
                 else iso(each.quote.at)}
                for each in statement.prices
            ],
            "observed": [
                {"account": each.account, "at": iso(each.at), "event": each.event,
                 "place": place_name(each.place), "token": each.asset,
                 "venue": canonical(each.amount), "records": words.number(each.ours),
                 "agrees": each.agrees}
                for each in statement.observed
            ],
            "activity": _activity(statement),
            "events": statement.events,
            "findings": list(words.findings(statement)),
            "unknown": list(words.lacking(statement)),
            "coverage": list(words.covered(statement)),
            "rests_on": list(words.remarks(statement)),
            "status": words.status(statement),
        }  # fmt: skip


def _line(line: Line) -> dict[str, object]:
    return {
        "token": None if line.thing is None else line.thing[1],
        "lines": [
            {"line": name, "amount": _number(term) or None, "missing": list(term.missing)}
            for name, term in terms(line)
        ],
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "account": row.account,
        "place": None if row.account is None else place_name(row.place),
        "token": row.asset,
        "eliminated": row.is_eliminated,
        "lines": {
            name: words.number(amount) for name, amount in _of_row(row)
        },
    }  # fmt: skip


def _activity(statement: Statement) -> list[dict[str, object]]:
    return [
        {
            "account": entry.moved.account,
            "at": iso(entry.moved.at),
            "event": entry.moved.event,
            "digest": entry.digest,
            "what": entry.what,
            "cause": entry.moved.flow.cause,
            "place": place_name(entry.moved.flow.place),
            "token": entry.moved.flow.asset,
            "change": canonical(entry.moved.flow.amount),
            "balance": words.number(entry.moved.balance),
            "source": entry.source,
        }
        for entry in statement.activity
    ]
