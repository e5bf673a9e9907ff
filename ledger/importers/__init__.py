"""Importers: from the bytes of one record to the events it holds.

``read`` finds out what a record is by its content and hands it to the importer of that shape.
One line of ``IMPORTERS`` per kind of document, the most particular first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.entries import Reading, Unreadable
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.importers import captures, door, exported, node, statements, tables, wrappers
from ledger.importers.base import NO_HINTS, Document, Hints, Importer

if TYPE_CHECKING:
    from ledger.entries import Part, RawRecord


def read(record: RawRecord, hints: Hints = NO_HINTS) -> Reading:
    """Return all that a record holds, as parts per stream in effective order.

    Raises: RefusedFile, when the bytes are no text or of no known shape; NeedsHint, when the
    record leaves open what only a person can say; MalformedRecord, when the whole answer has
    not the form of its kind. A single row that cannot be read is in ``Reading.unreadable``.
    """
    return _read(opened(record), hints)


def _read(document: Document, hints: Hints) -> Reading:
    importer = next((one for one in IMPORTERS if one.accepts(document)), None)
    if importer is None:
        reason = document.fault or "JSON of a shape that is no record of the venue"
        raise RefusedFile(
            name=document.name,
            reason=f"its content is no record we know ({reason})",
            remedy="Give info answers, captures of them, web exports or node files",
        )
    return importer.read(document, hints)


def _read_named(document: Document, hints: Hints) -> Reading:
    try:
        return _read(document, attrs.evolve(hints, account=None))
    except NeedsHint:
        return _read(document, hints)


def _is_quotes(document: Document) -> bool:
    value = document.value
    return isinstance(value, dict) and any(
        isinstance(item, dict) and item.keys() >= {"source", "value"} for item in value.values()
    )


def _read_quotes(document: Document, hints: Hints) -> Reading:
    """Read records quoted one by one under names of their own, each as if it were a document.

    A record that names its own accounts is read for all of them; a person's account is for those
    that name none. Where more would have to be asked, the record is unreadable: what is said of
    one would be taken for all.
    """
    parts: list[Part] = []
    unreadable: list[Unreadable] = []
    notes: list[str] = []
    for key, item in door.record(document.value).items():
        if not (isinstance(item, dict) and "value" in item):
            continue
        path, value = f"{key[:60]}.value", item["value"]
        text = door.as_text(value, whole=True)
        inner = attrs.evolve(document, text=text, value=value)
        try:
            reading = _read_named(inner, hints)
        except (MalformedRecord, NeedsHint, RefusedFile) as error:
            lost = Unreadable(place=path, reason=str(error), text=door.as_text(value))
            unreadable.append(lost)
            continue
        notes.extend(f"{path}: {note}" for note in reading.notes)
        parts.extend(
            attrs.evolve(part, answer=path if part.answer == "line" else path + part.answer)
            for part in reading.parts
        )
        unreadable.extend(
            attrs.evolve(row, place=f"{path} {row.place}") for row in reading.unreadable
        )
    return Reading(
        kind="quoted records",
        parts=tuple(parts),
        unreadable=tuple(unreadable),
        notes=tuple(notes),
    )


IMPORTERS: Final[tuple[Importer, ...]] = (
    *exported.IMPORTERS,
    *statements.IMPORTERS,
    *tables.IMPORTERS,
    *node.IMPORTERS,
    *captures.IMPORTERS,
    *wrappers.IMPORTERS,
    Importer(name="quoted records", accepts=_is_quotes, read=_read_quotes),
    *captures.BARE,
)
"""Every kind of document, the most particular shape first; the first that accepts reads it."""


def opened(record: RawRecord) -> Document:
    """Return a record as text, and as strict JSON where it is that.

    Raises: RefusedFile, when the bytes are not UTF-8.
    """
    try:
        text = record.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedFile(
            name=record.name,
            reason=f"byte {error.start} is not UTF-8",
            remedy="Unpack it first, or save it as UTF-8",
        ) from error
    try:
        value = door.parse_json(text)
    except MalformedRecord as error:
        return Document(name=record.name, text=text, fault=str(error), fetched=record.fetched)
    return Document(name=record.name, text=text, value=value, fetched=record.fetched)


__all__ = ["IMPORTERS", "NO_HINTS", "Document", "Hints", "Importer", "opened", "read"]
