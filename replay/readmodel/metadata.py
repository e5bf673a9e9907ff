"""Metadata: titles, meanings, units, sources and canned queries, as datasette takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from replay.readmodel.queries import QUERIES, VIEWS
from replay.readmodel.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ABOUT: Final = (
    "What a book of recorded history leads to, as tables. Everything here is derived: each row "
    "follows from events, each event from a raw record. Amounts are text in plain digits; columns "
    "that end in _e8 are the same amounts as whole numbers of 10^-8, for exact sums. Moments are "
    "UTC, effective time unless a column says recorded."
)


def metadata(path: Path, meta: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of a file at *path*, made from what *meta* says."""
    of = f"book {meta['book']} at position {meta['position']}, seal {meta['seal'][:12]}"
    return {
        "title": f"rollforward: {of}",
        "description": ABOUT,
        "source": f"{of}, by {meta['rollforward']}",
        "databases": {
            path.stem: {
                "description": ABOUT,
                "source": of,
                "tables": {**_tables(), **_views()},
                "queries": _queries(),
            }
        },
    }


def _tables() -> dict[str, Any]:
    return {
        table.name: {
            "description": _sentence(table.means),
            "source": table.source,
            "columns": {column.name: column.described for column in table.columns},
            **({"sort": table.order} if table.order else {}),
            **({"hidden": True} if table.is_hidden else {}),
        }
        for table in TABLES
    }


def _views() -> dict[str, Any]:
    meant = {column.name: column.described for table in TABLES for column in table.columns}
    return {
        view.name: {
            "description": _sentence(view.means),
            "columns": {**_those_in(view.sql, meant), **view.columns},
        }
        for view in VIEWS
    }


def _those_in(sql: str, meant: Mapping[str, str]) -> dict[str, str]:
    """Return the meanings of the columns a view selects, by the tables they come from."""
    own = {
        f"{table.name}.{column.name}": column.described
        for table in TABLES
        for column in table.columns
    }
    selected = sql.partition("SELECT")[2].partition("\nFROM")[0]
    names = [each.strip().strip('"') for each in selected.split(",")]
    return {
        name.rpartition(".")[2]: own.get(name, meant.get(name.rpartition(".")[2], ""))
        for name in names
        if " AS " not in name
    }


def _queries() -> dict[str, Any]:
    return {
        query.name: {"title": query.title, "description": query.means, "sql": query.sql}
        for query in QUERIES
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
