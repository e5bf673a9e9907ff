"""Codec: event ↔ canonical line, and the identity of an event.

A canonical line is the RFC 8785 form of a JSON object without floats: keys in order, the key
``@`` holding the kind, numbers of money as plain text. It is what is stored, hashed and shown;
nothing in it depends on this program's names or on the machine.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from ledger import events as _all_events  # noqa: F401 - importing registers every kind
from ledger.errors import MalformedRecord, UnknownKind
from ledger.kinds import KIND_OF, KINDS, Kind
from ledger.money import canonical
from ledger.units import Digest, EventId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ledger.events import Event

ID_RECIPE: Final = b"rollforward event id 1\n"
EVENT_RECIPE: Final = b"rollforward event 1\n"

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class _Form:
    """How one kind is written, read and identified."""

    __slots__ = ("decode", "head", "identified", "key", "kind", "prefix", "whole")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.head = f'{{"@":"{kind.tag}",'.encode()
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(kind.event_class).decode
        self.prefix = ID_RECIPE + kind.name.encode() + b"\n"
        self.whole = kind.whole
        self.key: Callable[[Any], Any] = attrgetter("stream", "at", "occurrence", *kind.key)
        self.identified: Callable[[Any], Any] | None = (
            attrgetter(kind.identified_by) if kind.identified_by else None
        )


_FORMS: Final[dict[type, _Form]] = {cls: _Form(kind) for cls, kind in KIND_OF.items()}
_BY_HEAD: Final[dict[bytes, _Form]] = {form.head: form for form in _FORMS.values()}
_DECODE_BY_HEAD: Final = {form.head: form.decode for form in _FORMS.values()}


def encode(event: Event) -> bytes:
    """Return the canonical line of an event, without a newline."""
    line = _ENCODER.encode(event)
    if b"E-" in line or b"E+" in line:
        line = _encode_carefully(event)
    return _FORMS[type(event)].head + line[1:]


def _encode_carefully(event: Event) -> bytes:
    """Encode an event whose line shows an exponent: numbers are put into plain digits first."""
    plain = msgspec.to_builtins(event, builtin_types=(Decimal,))
    return _ENCODER.encode(_in_plain_digits(plain))


def _in_plain_digits(value: Any) -> Any:  # noqa: ANN401 - the shape of any event
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, dict):
        return {key: _in_plain_digits(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_plain_digits(item) for item in value]
    return value


def decode(line: bytes) -> Event:
    """Return the event of a canonical line.

    Raises: UnknownKind, when the line is of a kind not in the registry; MalformedRecord, when it
    does not have the shape of its kind.
    """
    end = line.find(b",") + 1
    form = _BY_HEAD.get(line[:end])
    if form is None:
        raise UnknownKind(
            kind=line[:40].decode("utf-8", "replace"),
            event="?",
            at=0,
            projection="codec",
        )
    try:
        return cast("Event", form.decode(line))
    except msgspec.DecodeError as error:
        raise MalformedRecord(
            field="line", found=line[:60], expected=f"of kind {form.kind.tag}: {error}"
        ) from error


def decode_all(lines: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of canonical lines, one at a time; the quick way through many.

    Raises: as ``decode``, at the line concerned.
    """
    known = _DECODE_BY_HEAD
    for line in lines:
        read = known.get(line[: line.find(b",") + 1])
        if read is None:
            yield decode(line)
            continue
        try:
            yield read(line)
        except msgspec.DecodeError:
            yield decode(line)


def identity(event: Event, line: bytes | None = None) -> bytes:
    """Return the 16 bytes that make two records the same fact.

    They are the head of a digest over the recipe's name, the kind and the JSON array of stream,
    moment, occurrence and natural key. Where a record has no venue identity (a row of a web
    export), its canonical line stands in place of the array. *line* may give the
    canonical line when the caller has it.
    """
    form = _FORMS[type(event)]
    if form.whole or (form.identified is not None and form.identified(event) is None):
        return sha256(form.prefix + (line or encode(event))).digest()[:16]
    return sha256(form.prefix + _ENCODER.encode(form.key(event))).digest()[:16]


def event_id(event: Event) -> EventId:
    """Return the identity of an event as text."""
    return EventId(identity(event).hex())


def event_digest(line: bytes) -> Digest:
    """Return the digest of one event: of its canonical line, domain-tagged and length-framed."""
    return Digest(sha256(EVENT_RECIPE + len(line).to_bytes(8, "big") + line).hexdigest())


def kind_of(event: Event) -> Kind:
    """Return the registered kind of an event."""
    return _FORMS[type(event)].kind


def tag_of(line: bytes) -> str:
    """Return the tag of a canonical line without reading the rest of it."""
    return line[6 : line.find(b'"', 6)].decode()


__all__ = [
    "KINDS",
    "decode",
    "decode_all",
    "encode",
    "event_digest",
    "event_id",
    "identity",
    "kind_of",
    "tag_of",
]
