"""Rows: the characters of one row inside a raw record, exactly as they were received.

A record is looked at as text; nothing of it is parsed and written again, so what is shown is what
the digest was taken over.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Final

_STEP: Final = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)


class Rows:
    """The rows of one record; where the elements of a list begin is found once."""

    def __init__(self, body: bytes) -> None:
        """Look at the bytes of one record."""
        self._text = body.decode("utf-8-sig", "replace")
        self._begins: dict[int, list[int]] = {}

    def text(self, place: str) -> str | None:
        """Return the text at *place* (``line 17``, ``[3].response[17]``), or None if there is none.

        Lines are counted from 1, rows of a list from 0, as places are written.
        """
        if place.startswith("line "):
            number = place[5:].split(maxsplit=1)[0]
            known = number.isdigit() and 1 <= int(number) <= len(self._lines)
            return self._lines[int(number) - 1] if known else None
        try:
            begin = self._after_space(0)
            for index, key in _STEP.findall(place):
                begin = self._element(begin, int(index)) if index else self._member(begin, key)
            _, end = _DECODER.raw_decode(self._text, begin)
        except (ValueError, LookupError, RecursionError):
            return None
        return self._text[begin:end]

    @cached_property
    def _lines(self) -> list[str]:
        return [line.removesuffix("\r") for line in self._text.split("\n")]

    def _after_space(self, begin: int) -> int:
        found = _SPACE.match(self._text, begin)
        return found.end() if found else begin

    def _element(self, begin: int, wanted: int) -> int:
        """Return where the element *wanted* of the list at *begin* starts.

        An answer that is one object counts as its own row 0.
        """
        if self._text[begin] != "[":
            if wanted == 0:
                return begin
            raise LookupError(wanted)
        if begin not in self._begins:
            self._begins[begin] = self._elements(begin)
        return self._begins[begin][wanted]

    def _elements(self, begin: int) -> list[int]:
        found = []
        begin = self._after_space(begin + 1)
        while self._text[begin] != "]":
            found.append(begin)
            _, end = _DECODER.raw_decode(self._text, begin)
            begin = self._after_space(end)
            if self._text[begin] == ",":
                begin = self._after_space(begin + 1)
        return found

    def _member(self, begin: int, wanted: str) -> int:
        """Return where the value of the member *wanted* of the object at *begin* starts."""
        if self._text[begin] != "{":
            raise LookupError(wanted)
        begin = self._after_space(begin + 1)
        while self._text[begin] == '"':
            name, end = _DECODER.raw_decode(self._text, begin)
            begin = self._after_space(self._after_space(end) + 1)
            if name == wanted:
                return begin
            _, end = _DECODER.raw_decode(self._text, begin)
            begin = self._after_space(self._after_space(end) + 1)
        raise LookupError(wanted)
