"""The reference of exports as a page, read off the kinds and what writes them.

Run ``python -m tests.support.export_reference`` to write ``docs/reference/exports.md``; a test
compares the page with what this makes.
"""

from __future__ import annotations

from pathlib import Path

from ledger import cells
from ledger.fields import fields_of
from ledger.importers.exported import BOOK_KEEPING
from ledger.kinds import KINDS
from replay.export.asked import FORMATS, OF_EVENTS, WHAT
from replay.history import COLUMNS as HISTORY
from replay.margin_timeline import COLUMNS as MARGIN

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exports.md"

FORM = {
    "csv": ("one wide table; events and figures", "imports it again (events)"),
    "jsonl": ("one object per line; events and figures", "imports it again (events)"),
    "parquet": ("typed columns; events and figures", "DuckDB, polars, pyarrow"),
    "xlsx": ("a sheet per kind of event or per account", "Excel, LibreOffice"),
    "beancount": ("the whole history as transactions", "`bean-check`"),
    "hledger": ("the whole history as transactions", "`hledger check`"),
}

FIRST = {
    "kind": ("tag of the kind, such as `filled/1`", "text"),
    "stream": ("whose history it is part of", "text"),
    "at": ("when it happened; CSV: milliseconds since 1970", "timestamp (ms, UTC)"),
    "time": ("the same moment for people", "only in CSV"),
    "event": ("identity of the event", "text"),
    "digest": ("digest of its canonical line; a changed row does not fit it", "only in CSV"),
}

CSV = {
    "text": "text",
    "number": "plain digits",
    "whole": "digits",
    "moment": "milliseconds",
    "flag": "`true`, `false`",
    "parts": "JSON",
}

PARQUET = {
    "text": "text",
    "number": "decimal",
    "whole": "64-bit integer",
    "moment": "timestamp (ms, UTC)",
    "flag": "boolean",
    "parts": "JSON as text",
}

BEGIN = """# Exports

`rollforward export FORMAT` writes what is taken to have happened: corrections are applied, second
sources set aside, everything in effective order.
How to use it is told in [Export to other programs](../how-to/export.md).

## Formats
"""

RULES = """## Rules

- **CSV.** UTF-8, lines end with a line feed, one header.
  An empty cell is what the record leaves open.
  A text that a spreadsheet would take for a formula, or that begins with an apostrophe, gets one
  apostrophe in front; a number never does.
  A text that cannot stand on one line, begins with a quotation mark, or is empty where it could be
  open, is a JSON string.
  The columns are those of the kinds that are there.
- **JSON Lines.** A line is the [canonical line](../spec/book.md) of the event, the very bytes its
  identity and digest are made of; amounts are text.
- **Parquet.** A column of amounts is `decimal(18, s)` where every value fits, else
  `decimal(38, s)`, where `s` is the most decimals of any value in it.
  Where 38 digits do not suffice the column is text, and its metadata says so: readers make a
  floating-point number of anything wider.
  Meaning and unit of a column stand in its metadata; what the file holds, the position of the book,
  and the timeline and state digests to compare, in that of the file (`rollforward.…`).
  Compressed by zstd, in groups of 32,768 rows; the same book gives the same bytes under the same
  version of pyarrow.
- **XLSX.** Numbers and dates are typed.
  Excel keeps fifteen digits: where an amount has more, its exact digits stand beside it as text,
  and whole numbers of sixteen digits and more are text.
  A cell has 32,000 characters at most; what is longer is cut off and ends in `…`.
  At most 250,000 events.
- **Beancount, hledger.** One transaction per event that moved something, with identity and digest;
  balances are asserted wherever the venue showed them, and at the end. At most 250,000 events.
- **Imported again**, an export adds what is not known yet, as a source that is not *identified*:
  where a record of the venue covers the same, it only corroborates or contradicts.
  A row whose digest does not fit, or a line not exactly as an export writes it, goes to quarantine.
  People's acts, corrections themselves and quarantine stay in the book they belong to.
- A file takes its place when all of it is written, and not before.
"""


def page() -> str:
    """Return the whole page."""
    lines = [BEGIN, "| format | has | opened by |", "|---|---|---|"]
    lines += [f"| `{form}` | {FORM[form][0]} | {FORM[form][1]} |" for form in FORMATS]
    lines += ["", "## What", "", "| `--what` | rows | imported again |", "|---|---|---|"]
    lines += [
        f"| `{what}` | {said} | {'yes' if what in OF_EVENTS else 'no'} |"
        for what, said in WHAT.items()
    ]
    lines += ["", RULES, "## Columns of events", "", "First come:", ""]
    lines += ["| column | is | in Parquet |", "|---|---|---|"]
    lines += [f"| `{name}` | {FIRST[name][0]} | {FIRST[name][1]} |" for name in cells.HEAD]
    lines += [
        "",
        "Then the fields of the kinds that are there.",
        "What a field means is said kind by kind in [Events](events.md).",
        "",
        "| column | in CSV | in Parquet | unit | kinds |",
        "|---|---|---|---|---|",
        *rows(),
        "",
        "## Columns of figures",
        "",
        "With `account` in front. Amounts are exact; `unknown` is null in Parquet.",
        "",
        "| `--what` | columns |",
        "|---|---|",
        f"| `history` | {listed(HISTORY)} |",
        "| `balances` | `place`, `asset`, `amount` |",
        "| `positions` | as `rollforward show` has them |",
        f"| `margin` | {listed(MARGIN)} |",
    ]
    return "\n".join(lines) + "\n"


def rows() -> list[str]:
    """Return a row for every column a table of events may have."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for tag in sorted(set(KINDS) - BOOK_KEEPING):
        for field in fields_of(tag):
            if field.name not in cells.OWN:
                found.setdefault(field.name, []).append((tag, field.holds, field.unit))
    made = []
    for name, of in found.items():
        (holds,) = {each[1] for each in of}
        units = sorted({each[2] for each in of} - {""})
        kinds = (
            "all" if name == "occurrence" else ", ".join(tag.partition("/")[0] for tag, _, _ in of)
        )
        made.append(
            f"| `{name}` | {CSV[holds]} | {PARQUET[holds]} | "
            f"{', '.join(f'`{unit}`' for unit in units)} | {kinds} |"
        )
    return made


def listed(names: tuple[str, ...]) -> str:
    """Return names as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
