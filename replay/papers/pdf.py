"""PDF: the printed page of a statement, set by typst from the same values as the HTML page.

The file is the same bytes whenever it is made: its date is the end of the period, and only the
fonts that come with typst are used.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from ledger.errors import NotInstalled
from replay.papers.page import facts

if TYPE_CHECKING:
    from replay.statement import Statement

TEMPLATE: Final = "page.typ"


def write(statement: Statement) -> bytes:
    """Return the statement as PDF.

    Raises: NotInstalled, when typst is not installed.
    """
    try:
        import typst
    except ImportError as error:
        raise NotInstalled(library="typst", extra="pdf", use="A PDF") from error
    told = facts(statement)
    sections = told.pop("sections")
    told["sections"] = [attrs.asdict(section) for section in sections]  # type: ignore[attr-defined]
    ended = datetime.fromtimestamp(statement.of.period.until // 1000, tz=UTC)
    return typst.compile(
        Path(__file__).with_name(TEMPLATE).read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={
            "facts": json.dumps(told, ensure_ascii=False),
            "year": str(ended.year),
            "month": str(ended.month),
            "day": str(ended.day),
        },
        timestamp=int(ended.timestamp()),
    )
