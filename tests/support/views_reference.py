"""The reference of the read model as a page, read off its tables, views and queries.

Run ``python -m tests.support.views_reference`` to write ``docs/reference/views.md``; a test
compares the page with what this makes.
"""

from __future__ import annotations

from pathlib import Path

from replay.readmodel.metadata import metadata
from replay.readmodel.queries import QUERIES, VIEWS
from replay.readmodel.tables import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "views.md"

BEGIN = """# Tables of the read model

What `rollforward views` writes: every table, view and canned query.
How to use them is told in [Ask with SQL](../how-to/query-with-sql.md).

Amounts are TEXT in plain digits; a column that ends in `_e8` is the same amount as a whole
number of 10⁻⁸, computed by the database, NULL where it does not fit.
Moments are whole milliseconds of UTC in a column that ends in `_ms`; the same name without that
ending is the moment as ISO 8601 text.
Tables are STRICT; a column that may be NULL says so, and NULL means not known or not there,
never zero.

This page is written by `python -m tests.support.views_reference`.
"""


def page() -> str:
    """Return the page."""
    parts = [BEGIN, "\n## Tables\n"]
    for table in TABLES:
        parts.append(f"\n### {table.name}\n\n{_sentence(table.means)}.\n")
        parts.append(f"From: {table.source}. Key: {_names(table.key)}.\n\n")
        parts.append("| column | type | means |\n|---|---|---|\n")
        for column in table.columns:
            sort = column.sort + (", or NULL" if column.is_optional and not column.computed else "")
            leads = f"; in `{'.'.join(column.refers)}`" if column.refers else ""
            means = column.described.replace("|", "\\|")
            parts.append(f"| `{column.name}` | {sort} | {means}{leads} |\n")
    parts.append("\n## Views\n")
    meta = dict.fromkeys(("book", "position", "seal", "rollforward"), "")
    told = metadata(Path("x.views"), meta)["databases"]["x"]["tables"]
    for view in VIEWS:
        parts.append(f"\n### {view.name}\n\n{_sentence(view.means)}.\n\n")
        parts.append("| column | means |\n|---|---|\n")
        for name, means in told[view.name]["columns"].items():
            parts.append(f"| `{name}` | {means} |\n")
    parts.append("\n## Canned queries\n")
    for query in QUERIES:
        given = ", ".join(f"`{name}`" for name in query.example)
        parts.append(f"\n### {query.name}\n\n{query.means}\nTakes: {given}.\n")
        parts.append(f"\n```sql\n{query.sql}\n```\n")
    return "".join(parts)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
