"""Cells: an event as a row of a text table, and back, without losing anything on the way.

The rules, for CSV: what a record leaves open is an empty cell; numbers, whole numbers and moments
are their digits, yes and no ``true`` and ``false``, several values canonical JSON. A text that a
spreadsheet would take for a formula, or that begins with an apostrophe, gets one apostrophe in
front; a text that cannot stand on one line, begins with a quotation mark, or is empty where it
could also be open, is a JSON string.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.errors import MalformedRecord
from ledger.fields import fields_of
from ledger.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.fields import Field

HEAD: Final = ("kind", "stream", "at", "time", "event", "digest")
"""The first columns of an exported table of events: kind and what every event has, its moment for
people, its identity, and the digest of its canonical line."""

OWN: Final = frozenset({"stream", "at"})
"""Fields of an event that stand among the first columns."""

_APART: Final = (",", ":")


def is_formula(text: str) -> bool:
    """Tell whether a spreadsheet would take a text for a formula.

    Numbers, and tokens that are a sign and digits, are no formulas.
    """
    if text[:1] in {"=", "@", "\t", "\r"}:
        return True
    return text[:1] in {"+", "-"} and not text[1:].replace(".", "", 1).isdigit()


def guarded(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if is_formula(text) else text


def written(field: Field, value: Any) -> str:  # noqa: ANN401 - what a canonical line holds
    """Return a field as a cell; *value* is as the canonical line has it."""
    if value is None:
        return ""
    if field.holds == "text":
        return _text(value, may_lack=field.may_lack)
    if field.holds == "flag":
        return "true" if value else "false"
    if field.holds == "parts":
        return json.dumps(value, sort_keys=True, separators=_APART)
    return str(value)


def _text(text: str, *, may_lack: bool) -> str:
    if (not text and may_lack) or text[:1] == '"' or not text.isprintable():
        return json.dumps(text)
    return f"'{text}" if text[:1] == "'" or is_formula(text) else text


def read(field: Field, cell: str) -> Any:  # noqa: ANN401 - as a canonical line has it
    """Return what a cell says, as the canonical line has it.

    Raises: MalformedRecord, when the cell does not hold what the field is.
    """
    if not cell:
        if field.may_lack or field.holds == "text":
            return None if field.may_lack else ""
        raise MalformedRecord(field=field.name, found=cell, expected=_EXPECTED[field.holds])
    if field.holds == "text":
        if cell[0] == '"':
            return _from_json(field, cell, str)
        return cell[1:] if cell[0] == "'" else cell
    if field.holds == "number":
        return cell
    if field.holds == "flag":
        if cell in {"true", "false"}:
            return cell == "true"
        raise MalformedRecord(field=field.name, found=cell, expected=_EXPECTED["flag"])
    if field.holds == "parts":
        return _from_json(field, cell, (list, dict))
    if cell.removeprefix("-").isdecimal() and cell.isascii() and len(cell) <= _WHOLE_MOST:
        return int(cell)
    raise MalformedRecord(field=field.name, found=cell, expected=_EXPECTED[field.holds])


_WHOLE_MOST: Final = 20

_EXPECTED: Final[Mapping[str, str]] = {
    "number": "a number in plain digits, such as 0.5",
    "whole": "a whole number",
    "moment": "whole milliseconds since 1970",
    "flag": "true or false",
    "parts": "JSON",
    "text": "text",
}


def _from_json(field: Field, cell: str, wanted: Any) -> Any:  # noqa: ANN401 - any JSON value
    try:
        found = msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedRecord(field=field.name, found=cell[:60], expected="JSON") from error
    if not isinstance(found, wanted):
        raise MalformedRecord(field=field.name, found=cell[:60], expected=_EXPECTED[field.holds])
    return found


def line_of(tag: str, cells: Mapping[str, str]) -> bytes:
    """Return the canonical line of a row: its kind, and its cells by column.

    Columns of other kinds must be empty, those that are not there count as empty.

    Raises: MalformedRecord, for a kind there is none of, and for a cell that does not fit.
    """
    if tag not in KINDS:
        raise MalformedRecord(field="kind", found=tag[:60], expected="a kind, such as filled/1")
    fields = fields_of(tag)
    own = {field.name for field in fields}
    for name, cell in cells.items():
        if cell and name not in own and name not in HEAD:
            raise MalformedRecord(field=name, found=cell[:60], expected=f"empty: {tag} has none")
    found = {field.name: read(field, cells.get(field.name, "")) for field in fields}
    return msgspec.json.encode({"@": tag, **found}, order="sorted")


def values_of(line: bytes) -> dict[str, Any]:
    """Return the fields of a canonical line by name; amounts are text."""
    found: dict[str, Any] = msgspec.json.decode(line)
    return found
