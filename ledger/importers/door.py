"""The door: strict JSON, and typed readers of its fields.

Nothing behind this module meets a bare value of the venue. JSON is read strictly: no duplicate
keys, no ``NaN`` or ``Infinity``, no nesting deeper than 32, no lone surrogates, and no number
ever passes through a float: a number with a point or an exponent stays its own text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar, cast

from ledger.errors import MalformedRecord
from ledger.money import parse_decimal
from ledger.units import Address, Millis, parse_address, parse_millis

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from decimal import Decimal

    from ledger.importers.base import Json

T = TypeVar("T")

DEPTH_MAX: Final = 32
INTEGER_DIGITS_MAX: Final = 19
TEXT_MAX: Final = 500

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_HASH: Final = re.compile(r"\A0x[0-9a-f]{1,64}\Z")
_WORD_JOINERS: Final = str.maketrans("", "", "\u200d")


class SourceNumber(str):
    """A JSON number that is not whole, as the characters it was written with."""

    __slots__ = ()


def _refuse(expected: str, found: object) -> NoReturn:
    raise MalformedRecord(field="JSON", found=found, expected=expected)


def _whole(text: str) -> int:
    if len(text) > INTEGER_DIGITS_MAX and len(text.lstrip("-")) > INTEGER_DIGITS_MAX:
        _refuse("a whole number of at most 19 digits", text)
    return int(text)


def _constant(text: str) -> NoReturn:
    _refuse("a number: JSON knows neither NaN nor Infinity", text)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        _refuse("an object whose keys are all different", twice)
    return made


_DECODER: Final = json.JSONDecoder(
    parse_int=_whole,
    parse_float=SourceNumber,
    parse_constant=_constant,
    object_pairs_hook=_object,
)


def parse_json(text: str) -> Json:
    """Return the value of a strict JSON text; numbers that are not whole stay text.

    Raises: MalformedRecord, for anything that is not one JSON value, duplicate keys, ``NaN``,
    whole numbers of more than 19 digits, nesting deeper than 32, lone surrogates.
    """
    try:
        value = cast("Json", _DECODER.decode(text))
    except json.JSONDecodeError as error:
        _refuse(f"JSON: {error.msg} at character {error.pos}", text[error.pos : error.pos + 20])
    except RecursionError:
        _refuse(f"nested at most {DEPTH_MAX} deep", text[:20])
    _check_depth(value)
    if _SURROGATE.search(text):
        _check_surrogates(value)
    return value


_HOLDERS: Final = frozenset({dict, list})


def _check_depth(value: Json) -> None:
    """Refuse what is nested too deep, level by level and without recursion."""
    level: list[Json] = [value]
    depth = 0
    while level:
        inner: list[Json] = []
        for holder in level:
            if isinstance(holder, dict):
                items: Collection[Json] = holder.values()
            elif isinstance(holder, list):
                items = holder
            else:
                continue
            # Most holders hold no other: that is settled without touching their items here.
            if not _HOLDERS.isdisjoint(map(type, items)):
                inner.extend(item for item in items if type(item) in _HOLDERS)
        depth += 1
        if depth > DEPTH_MAX:
            _refuse(f"nested at most {DEPTH_MAX} deep", "[…")
        level = inner


def _check_surrogates(value: Json) -> None:
    for text in _texts(value):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            _refuse("text: it holds half of a surrogate pair", ascii(text))


def _texts(value: Json) -> list[str]:
    found: list[str] = []
    rest: list[Json] = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, list):
            rest.extend(item)
        elif isinstance(item, dict):
            found.extend(item)
            rest.extend(item.values())
    return found


def as_text(value: Json, *, whole: bool = False) -> str:
    """Return a JSON value as JSON text, numbers as they were written; cut after 500 characters.

    ``whole`` keeps all of it.
    """
    text = _written(value)
    return text if whole or len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def _written(value: Json) -> str:
    if isinstance(value, SourceNumber):
        return str(value)
    if isinstance(value, dict):
        inner = ",".join(f"{json.dumps(key)}:{_written(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return json.dumps(value)


# ------------------------------------------------------------------------- fields


def missing(field: str) -> MalformedRecord:
    """Return the error of a field that is not there."""
    return MalformedRecord(field=field, found="(missing)", expected="given")


def required(row: Mapping[str, Json], field: str) -> Json:
    """Return the value of a field that has to be there. Raises: MalformedRecord."""
    if field not in row:
        raise missing(field)
    return row[field]


def record(value: Json, field: str = "row") -> dict[str, Json]:
    """Return *value* as a JSON object. Raises: MalformedRecord."""
    if isinstance(value, dict):
        return value
    raise MalformedRecord(field=field, found=_shown(value), expected="a JSON object")


def array(value: Json, field: str = "rows") -> list[Json]:
    """Return *value* as a JSON array. Raises: MalformedRecord."""
    if isinstance(value, list):
        return value
    raise MalformedRecord(field=field, found=_shown(value), expected="a JSON array")


def decimal(row: Mapping[str, Json], field: str) -> Decimal:
    """Return a number the venue writes as text, exactly. Raises: MalformedRecord."""
    value = row.get(field)
    if type(value) is str:
        return parse_decimal(value, field=field)
    raise _not_figure(row, field, value)


def _not_figure(row: Mapping[str, Json], field: str, value: Json) -> MalformedRecord:
    if field not in row:
        return missing(field)
    return MalformedRecord(
        field=field, found=_shown(value), expected='a decimal number as text, such as "0.5"'
    )


def number(row: Mapping[str, Json], field: str) -> Decimal:
    """Return a number from text or from a JSON number's own characters, exponents admitted.

    Only for the wrappers that republish answers with numbers in place of text. Raises:
    MalformedRecord.
    """
    value = row.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        return parse_decimal(str(value), field=field, exponent=isinstance(value, SourceNumber))
    raise _not_figure(row, field, value)


def integer(row: Mapping[str, Json], field: str) -> int:
    """Return a whole JSON number. Raises: MalformedRecord."""
    value = row.get(field)
    if type(value) is int:
        return value
    if field not in row:
        raise missing(field)
    raise MalformedRecord(field=field, found=_shown(value), expected="a whole number")


def millis(row: Mapping[str, Json], field: str = "time") -> Millis:
    """Return a moment in venue milliseconds, a JSON number. Raises: MalformedRecord."""
    value = row.get(field)
    if type(value) is int:
        return parse_millis(value, field=field)
    if field not in row:
        raise missing(field)
    raise MalformedRecord(
        field=field, found=_shown(value), expected="whole milliseconds since 1970"
    )


def address(row: Mapping[str, Json], field: str) -> Address:
    """Return an account address in lower case. Raises: MalformedRecord."""
    if field not in row:
        raise missing(field)
    return parse_address(row[field], field=field)


def text(row: Mapping[str, Json], field: str) -> str:
    """Return printable text, without control or direction characters. Raises: MalformedRecord."""
    value = row.get(field)
    if type(value) is not str:
        raise not_text(row, field)
    if value.isprintable() or value.translate(_WORD_JOINERS).isprintable():
        return value
    raise MalformedRecord(field=field, found=value, expected="text without control characters")


def not_text(row: Mapping[str, Json], field: str) -> MalformedRecord:
    """Return the error of a field that holds something else than text, or is not there."""
    if field not in row:
        return missing(field)
    return MalformedRecord(field=field, found=_shown(row[field]), expected="text")


def flag(row: Mapping[str, Json], field: str) -> bool:
    """Return true or false. Raises: MalformedRecord."""
    value = row.get(field)
    if isinstance(value, bool):
        return value
    if field not in row:
        raise missing(field)
    raise MalformedRecord(field=field, found=_shown(value), expected="true or false")


def tx_hash(row: Mapping[str, Json], field: str = "hash") -> str:
    """Return a transaction hash in lower case. Raises: MalformedRecord."""
    value = row.get(field)
    if type(value) is str:
        if _HASH.match(value):
            return value
        if _HASH.match(lowered := value.lower()):
            return lowered
    if field not in row:
        raise missing(field)
    raise MalformedRecord(
        field=field, found=_shown(value), expected="a hash: 0x and up to 64 hexadecimal digits"
    )


def optional(
    read: Callable[[Mapping[str, Json], str], T], row: Mapping[str, Json], field: str
) -> T | None:
    """Return what *read* makes of the field, or None where it is missing or null."""
    return None if row.get(field) is None else read(row, field)


def one_of(row: Mapping[str, Json], field: str, words: tuple[str, ...]) -> str:
    """Return one of the given words. Raises: MalformedRecord."""
    value = row.get(field)
    if isinstance(value, str) and value in words:
        return value
    if field not in row:
        raise missing(field)
    raise MalformedRecord(field=field, found=_shown(value), expected=f"one of {', '.join(words)}")


def _shown(value: Json) -> str:
    return as_text(value)[:80]
