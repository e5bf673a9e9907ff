"""Rows: the characters of one row inside a raw record, exactly as they were received.

A record is looked at as text; nothing of it is parsed and written again, so what is shown is what
the digest was taken over.
"""

from __future__ import annotations

import json
import re
from typing import Final

_STEP: Final = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)


def raw_row(body: bytes, place: str) -> str | None:
    """Return the text at *place* (``line 17``, ``[3].response[17]``), or None if there is none.

    Lines are counted from 1, rows of a list from 0, as places are written.
    """
    text = body.decode("utf-8-sig", "replace")
    if place.startswith("line "):
        number = place[5:].split()[0]
        lines = text.splitlines()
        if number.isdigit() and 1 <= int(number) <= len(lines):
            return lines[int(number) - 1]
        return None
    try:
        begin = _after_space(text, 0)
        for index, key in _STEP.findall(place):
            begin = _element(text, begin, int(index)) if index else _member(text, begin, key)
        _, end = _DECODER.raw_decode(text, begin)
    except (ValueError, LookupError, RecursionError):
        return None
    return text[begin:end]


def _after_space(text: str, begin: int) -> int:
    found = _SPACE.match(text, begin)
    return found.end() if found else begin


def _element(text: str, begin: int, wanted: int) -> int:
    """Return where the element *wanted* of the list at *begin* starts."""
    if text[begin] != "[":
        if wanted == 0:
            return begin  # an answer that is one object counts as its own row 0
        raise LookupError(wanted)
    begin = _after_space(text, begin + 1)
    for _ in range(wanted):
        _, end = _DECODER.raw_decode(text, begin)
        begin = _after_space(text, end)
        if text[begin] != ",":
            raise LookupError(wanted)
        begin = _after_space(text, begin + 1)
    if text[begin] == "]":
        raise LookupError(wanted)
    return begin


def _member(text: str, begin: int, wanted: str) -> int:
    """Return where the value of the member *wanted* of the object at *begin* starts."""
    if text[begin] != "{":
        raise LookupError(wanted)
    begin = _after_space(text, begin + 1)
    while text[begin] == '"':
        name, end = _DECODER.raw_decode(text, begin)
        begin = _after_space(text, end)
        begin = _after_space(text, begin + 1)
        if name == wanted:
            return begin
        _, end = _DECODER.raw_decode(text, begin)
        begin = _after_space(text, end)
        begin = _after_space(text, begin + 1)
    raise LookupError(wanted)
