"""What importers share: the document they are given, the hints of a person, the protocol.

An importer is pure: it turns one document and the hints into a ``Reading``, and knows neither
where the document came from nor what the book already holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import attrs

from ledger.entries import Reading
from ledger.units import Address, Dex, Millis

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
"""What strict JSON becomes: whole numbers are ``int``; every other number is a
``door.SourceNumber``, which is its own text."""


@attrs.frozen(kw_only=True)
class Hints:
    """What a person says about a file because the file cannot say it.

    ``account`` (``--account 0x…``) whose records these are; ``at`` (``--at``) the moment of a
    snapshot; ``zone`` (``--zone Europe/Paris``) and ``dates`` (``--dates day-first``) how a web
    export writes civil time; ``dex`` (``--dex``), ``token`` (``--token``) and ``table``
    (``--table``) what an answer without its request was asked about.
    """

    account: Address | None = None
    at: Millis | None = None
    zone: str | None = None
    dates: Literal["day-first", "month-first"] | None = None
    dex: Dex | None = None
    token: int | None = None
    table: int | None = None


NO_HINTS: Final = Hints()


@attrs.frozen(kw_only=True)
class Document:
    """One record as text, and as strict JSON where the whole of it is one JSON value.

    ``fault`` says why it is not JSON; None means ``value`` holds what it is.
    """

    name: str
    text: str
    value: Json = None
    fault: str | None = None
    fetched: Millis | None = None

    @property
    def is_json(self) -> bool:
        """True when the whole document is one JSON value."""
        return self.fault is None


@attrs.frozen(kw_only=True)
class Importer:
    """One kind of document: how its shape is known, and how it is read.

    ``accepts`` looks at content only, never at the name of the file, and never raises. ``read``
    raises nothing but MalformedRecord, NeedsHint and RefusedFile; a row which cannot be read is
    an ``Unreadable`` of its reading and does not stop the others.
    """

    name: str
    accepts: Callable[[Document], bool]
    read: Callable[[Document, Hints], Reading]
