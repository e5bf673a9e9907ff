"""Fields: what the annotations of an event say of it, as columns that programs can be told.

Whoever writes events into a table, or reads them from one, asks here; nothing is said twice.
"""

from __future__ import annotations

import types
from decimal import Decimal
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs

from ledger.kinds import KINDS, Is
from ledger.units import Millis

if TYPE_CHECKING:
    from collections.abc import Iterator

Holds: TypeAlias = Literal["text", "number", "whole", "moment", "flag", "parts"]
"""What a field holds: text, an exact number, a whole number, a moment in milliseconds, yes or no,
or several values."""

COMMON: Final = ("stream", "at", "occurrence")
"""The fields every event has."""


@attrs.frozen(kw_only=True)
class Field:
    """One field of a kind of event."""

    name: str
    holds: Holds
    may_lack: bool
    """Whether a record may leave it open."""
    meaning: str
    unit: str
    venue: str
    """The venue's own name for it."""


@cache
def fields_of(tag: str) -> tuple[Field, ...]:
    """Return the fields of a kind by its tag, such as ``filled/1``, those of every event first.

    Raises: KeyError, when there is no such kind.
    """
    member = KINDS[tag].event_class
    hints = get_type_hints(member, include_extras=True)
    named: Any = member
    return tuple(_field(field.name, hints[field.name]) for field in attrs.fields(named))


def _field(name: str, hint: Any) -> Field:  # noqa: ANN401 - a type as it is written
    said = next((part for part in get_args(hint)[1:] if isinstance(part, Is)), Is(""))
    plain = set(_plain(hint))
    may_lack = type(None) in plain
    plain.discard(type(None))
    return Field(
        name=name,
        holds=_held(plain),
        may_lack=may_lack,
        meaning=said.meaning,
        unit=said.unit,
        venue=said.venue,
    )


def _plain(hint: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Yield what a type comes down to: classes, and the names that stand for them."""
    if get_origin(hint) is Annotated:
        yield from _plain(get_args(hint)[0])
    elif get_origin(hint) in {Union, types.UnionType}:
        for part in get_args(hint):
            yield from _plain(part)
    elif get_origin(hint) is Literal:
        yield str
    elif hint is Millis or not hasattr(hint, "__supertype__"):
        yield get_origin(hint) or hint
    else:
        yield from _plain(hint.__supertype__)


def _held(plain: set[Any]) -> Holds:
    if plain == {Decimal}:
        return "number"
    if plain == {Millis}:
        return "moment"
    if plain == {bool}:
        return "flag"
    if plain == {int}:
        return "whole"
    return "text" if plain == {str} else "parts"
