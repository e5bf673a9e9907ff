"""Importers: from the bytes of one record to the events it holds.

``read`` finds out what a record is by its content and hands it to the importer of that shape.
One line of ``IMPORTERS`` per kind of document, the most particular first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.errors import MalformedRecord, RefusedFile
from ledger.importers import door
from ledger.importers.base import NO_HINTS, Document, Hints, Importer

if TYPE_CHECKING:
    from ledger.entries import RawRecord, Reading

IMPORTERS: Final[tuple[Importer, ...]] = ()
"""Every kind of document, the most particular shape first; the first that accepts reads it."""


def read(record: RawRecord, hints: Hints = NO_HINTS) -> Reading:
    """Return all that a record holds, as parts per stream in effective order.

    Raises: RefusedFile, when the bytes are no text or of no known shape; NeedsHint, when the
    record leaves open what only a person can say; MalformedRecord, when the whole answer has
    not the form of its kind. A single row that cannot be read is in ``Reading.unreadable``.
    """
    document = opened(record)
    for importer in IMPORTERS:
        if importer.accepts(document):
            return importer.read(document, hints)
    reason = document.fault or "JSON of a shape that is no record of the venue"
    raise RefusedFile(
        name=record.name,
        reason=f"its content is no record we know ({reason})",
        remedy="Give info answers, captures of them, web exports or node files",
    )


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
