"""Answers as they lie in files: bare, inside captures, from the websocket, or republished.

A capture says what was asked, by whom and when, so it needs no hints; its own user wins over a
person's. A bare answer says only what it carries. What is republished in a wrapper takes the
moment of the perpetuals state beside it: that is the venue's own clock, and the recorders'
clocks were seen to differ from it by minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.entries import Reading, Unreadable
from ledger.errors import MalformedRecord
from ledger.importers import dates, door, fills, funding, lending, market, observations, transfers
from ledger.importers.answers import Answer, AnswerKind, Found, first_row, joined
from ledger.importers.base import Document, Hints, Importer
from ledger.units import parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.importers.base import Json
    from ledger.units import Address, Millis

ANSWERS: Final[tuple[AnswerKind, ...]] = (
    *fills.KINDS,
    *funding.KINDS,
    *transfers.KINDS,
    *lending.KINDS,
    *observations.KINDS,
    *market.KINDS,
)
"""Every kind of answer that is read, the loosest shape last."""

_BY_TYPE: Final = {name: kind for kind in ANSWERS for name in kind.types}

NOT_RECORDS: Final = ("l2Book", "extraAgents", "userRateLimit", "userRole", "portfolio")
"""Answers that hold nothing of an account's history; they are named in a note."""


def _not_a_record(value: Json) -> str | None:
    """Return which of the answers without history a value is, by its shape."""
    if isinstance(value, dict):
        keys = value.keys()
        if keys >= {"levels", "coin"}:
            return "l2Book"
        if "nRequestsUsed" in keys:
            return "userRateLimit"
        return "userRole" if keys >= {"role"} and len(keys) <= 2 else None
    if first_row(value).keys() >= {"address", "validUntil"}:
        return "extraAgents"
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, list) and len(first) == 2 and isinstance(first[1], dict):
        return "portfolio" if "accountValueHistory" in first[1] else None
    return None


def kind_of(answer: Answer) -> AnswerKind | None:
    """Return how an answer is read: by what was asked where that is known, else by its shape."""
    asked = answer.request.get("type")
    if isinstance(asked, str) and asked in _BY_TYPE:
        return _BY_TYPE[asked]
    return next((kind for kind in ANSWERS if kind.fits(answer.value)), None)


def read_answer(answer: Answer) -> tuple[str, Found]:
    """Return the name and the finding of one answer; one that cannot be read is in the finding.

    Raises: NeedsHint.
    """
    asked = answer.request.get("type")
    other = asked if asked in NOT_RECORDS else None
    kind = None if other else kind_of(answer)
    if kind is None:
        name = str(other) if other else _not_a_record(answer.value)
        if name is not None:
            return name, Found(notes=(f"{name} is not an account record: nothing to read",))
        return "unknown", _lost(answer, "not an answer whose shape is known here")
    name = asked if isinstance(asked, str) and asked in kind.types else kind.name
    if answer.value == []:
        return name, Found(notes=(f"{name} was answered with no rows",))
    try:
        return name, kind.read(answer)
    except MalformedRecord as error:
        return name, _lost(answer, str(error))


def _lost(answer: Answer, reason: str) -> Found:
    place = answer.path or "answer"
    row = Unreadable(place=place, reason=reason, text=door.as_text(answer.value))
    return Found(unreadable=(row,))


def _reading(kind: str, found: Found) -> Reading:
    return Reading(kind=kind, parts=found.parts, unreadable=found.unreadable, notes=found.notes)


def _at(document: Document, hints: Hints) -> Millis | None:
    return document.fetched if hints.at is None else hints.at


def _own(value: Json, hints: Hints) -> Address | None:
    """Return the account a record names; a text that is no address leaves it to the hints."""
    try:
        return parse_address(value)
    except MalformedRecord:
        return hints.account


# ------------------------------------------------------------------------- bare answers


def _is_bare(document: Document) -> bool:
    value = document.value
    if not document.is_json:
        return False
    return any(kind.fits(value) for kind in ANSWERS) or _not_a_record(value) is not None


def _read_bare(document: Document, hints: Hints) -> Reading:
    answer = Answer(
        name=document.name,
        value=document.value,
        account=hints.account,
        at=_at(document, hints),
        hints=hints,
    )
    return _reading(*read_answer(answer))


def _is_empty(document: Document) -> bool:
    return document.is_json and document.value in (None, [], {})


def _read_empty(document: Document, hints: Hints) -> Reading:  # noqa: ARG001 - the protocol
    return Reading(kind="empty answer", notes=("an answer without rows: nothing to read",))


# ------------------------------------------------------------------------- captures


def _is_capture(document: Document) -> bool:
    return first_row(document.value).keys() >= {"request", "response"}


def _read_capture(document: Document, hints: Hints) -> Reading:
    names: list[str] = []
    founds: list[Found] = []
    for number, value in enumerate(door.array(document.value)):
        path = f"[{number}]"
        try:
            row = door.record(value)
            request = door.record(row.get("request"), "request")
            date = row.get("recorded_at_http_date")
            at = _at(document, hints) if date is None else dates.parse_http_date(date)
        except MalformedRecord as error:
            lost = Unreadable(place=path, reason=str(error), text=door.as_text(value))
            founds.append(Found(unreadable=(lost,)))
            continue
        answer = Answer(
            name=document.name,
            value=row.get("response"),
            path=f"{path}.response",
            request=request,
            account=_own(request.get("user"), hints),
            at=at,
            hints=hints,
        )
        name, found = read_answer(answer)
        names.append(name)
        founds.append(found)
    return _reading(f"capture of {', '.join(dict.fromkeys(names))}", joined(founds))


def _lines(text: str) -> list[str]:
    return text.split("\n", 3)


def _is_text_capture(document: Document) -> bool:
    head = [line.strip() for line in _lines(document.text[:2000])]
    return (
        len(head) == 4
        and head[0] in {"GET", "POST"}
        and head[1].startswith("/")
        and head[2] in {"true", "false"}
    )


def _read_text_capture(document: Document, hints: Hints) -> Reading:
    """Read a capture of four parts: method, path, whether it was signed, and the answer."""
    try:
        value = door.parse_json(_lines(document.text)[3])
    except MalformedRecord as error:
        lost = Unreadable(place="line 4", reason=str(error), text=document.text[:500])
        return Reading(kind="text capture", unreadable=(lost,))
    inner = attrs.evolve(document, value=value, fault=None)
    reading = _read_bare(inner, hints)
    return attrs.evolve(reading, kind=f"text capture of {reading.kind}")


# ------------------------------------------------------------------------- websocket

_ROWS: Final[Mapping[str, str]] = {
    "fills": "userFills",
    "fundings": "userFunding",
    "nonFundingLedgerUpdates": "userNonFundingLedgerUpdates",
    "twapSliceFills": "userTwapSliceFills",
}
"""Where a message of the websocket holds rows, and which answer they are rows of."""


def _is_message(document: Document) -> bool:
    value = document.value
    return isinstance(value, dict) and value.keys() >= {"channel", "data"}


def read_message(answer: Answer) -> Found:
    """Return the rows of one websocket message; they claim nothing beyond themselves.

    Raises: NeedsHint.
    """
    try:
        data = door.record(door.record(answer.value).get("data"), "data")
    except MalformedRecord as error:
        return _lost(answer, str(error))
    founds: list[Found] = []
    for field, name in _ROWS.items():
        if data.get(field) is None:
            continue
        inner = attrs.evolve(
            answer,
            value=data[field],
            path=f"{answer.path}.data.{field}",
            request={"type": name},
            account=_own(data.get("user"), attrs.evolve(answer.hints, account=answer.account)),
        )
        _, found = read_answer(inner)
        parts = tuple(attrs.evolve(part, covers=()) for part in found.parts)
        founds.append(attrs.evolve(found, parts=parts))
    return joined(founds) if founds else _lost(answer, "a message without rows we know")


def _read_message(document: Document, hints: Hints) -> Reading:
    answer = Answer(
        name=document.name,
        value=document.value,
        account=hints.account,
        at=_at(document, hints),
        hints=hints,
    )
    return _reading("websocket message", read_message(answer))


_MARKS: Final = (">", "<", "=")


def _is_dialog(document: Document) -> bool:
    head = document.text.lstrip()[:3]
    return head[:1] in _MARKS and head[1:].lstrip()[:1] in {"{", ""} and "{" in document.text


def _read_dialog(document: Document, hints: Hints) -> Reading:
    """Read a recorded dialog: ``>`` was sent, ``<`` and ``=`` were received."""
    blocks: list[tuple[int, str, str]] = []
    for number, line in enumerate(document.text.split("\n"), start=1):
        if line[:1] in _MARKS:
            blocks.append((number, line[0], line[1:]))
        elif blocks:
            start, mark, text = blocks[-1]
            blocks[-1] = (start, mark, f"{text}\n{line}")
    account = hints.account
    founds: list[Found] = []
    for number, mark, text in blocks:
        place = f"line {number}"
        try:
            message = door.record(door.parse_json(text), "message")
        except MalformedRecord as error:
            lost = Unreadable(place=place, reason=str(error), text=text[:500])
            founds.append(Found(unreadable=(lost,)))
            continue
        if mark == ">":
            asked = message.get("subscription")
            account = _own(asked.get("user") if isinstance(asked, dict) else None, hints)
        elif message.get("channel") != "subscriptionResponse":
            answer = Answer(
                name=document.name,
                value=message,
                path=place,
                account=account,
                at=_at(document, hints),
                hints=hints,
            )
            founds.append(read_message(answer))
    return _reading("websocket dialog", joined(founds))


IMPORTERS: Final[Sequence[Importer]] = (
    Importer(name="text capture", accepts=_is_text_capture, read=_read_text_capture),
    Importer(name="websocket dialog", accepts=_is_dialog, read=_read_dialog),
    Importer(name="capture", accepts=_is_capture, read=_read_capture),
    Importer(name="websocket message", accepts=_is_message, read=_read_message),
)
"""Documents around answers."""

BARE: Final[Sequence[Importer]] = (
    Importer(name="info answer", accepts=_is_bare, read=_read_bare),
    Importer(name="empty answer", accepts=_is_empty, read=_read_empty),
)
"""Answers with nothing around them; asked last, because their shapes are the loosest."""
