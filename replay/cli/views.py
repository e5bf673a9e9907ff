"""``views``: the book's answers as tables for SQL, kept up to date, made anew, compared."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    Written,
    book_option,
    cache_option,
    examples,
    find_book,
    json_option,
    now_ms,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from replay.readmodel.swap import Outcome
    from replay.tables import Table


@click.command(
    name="views",
    epilog=examples(
        "rollforward views",
        "rollforward views acme.views --metadata metadata.json",
        "rollforward views --rebuild",
        "rollforward views --rebuild --dry-run --json | jq .compared",
    ),
)
@click.argument("file", required=False, type=Written(), metavar="[FILE]")
@click.option("--rebuild", is_flag=True, help="Make the file from nothing and compare the two.")
@click.option("--anyway", is_flag=True, help="With --rebuild: switch although the two differ.")
@click.option(
    "--metadata",
    type=Written(),
    metavar="FILE",
    help="Also write what datasette is to show beside the rows: meanings, units, queries.",
)
@click.option("--dry-run", "dry", is_flag=True, help="Make it aside and compare; keep nothing.")
@takes(book_option, cache_option, json_option)
def command(
    file: Path | None, metadata: Path | None, book: Path | None, *, rebuild: bool, anyway: bool,
    dry: bool, cache: bool, as_json: bool,
) -> int:  # fmt: skip
    """Write what follows from the book as tables, for SQL and datasette.

    FILE is NAME.views beside NAME.book unless it is named. It holds nothing of its own: a second
    run adds what was recorded since, --rebuild makes it from nothing and shows that the two are
    equal; it ends with 1, and switches nothing, where they are not. To look at it:
    datasette NAME.views -m METADATA.
    """
    from ledger.civil import iso
    from replay.readmodel import swap

    if anyway and not rebuild:
        message = "--anyway goes with --rebuild: nothing is compared without it"
        raise click.UsageError(message)
    where = find_book(book)
    path = where.with_suffix(".views") if file is None else file
    progress = tell if sys.stderr.isatty() else _silent
    with open_audit(where, cache=cache) as audit:
        found = swap.refresh(
            audit, path, built=iso(now_ms()), rebuild=rebuild, anyway=anyway, dry=dry,
            tell=progress,
        )  # fmt: skip
    if metadata is not None and not dry:
        _write_metadata(path, metadata)
    if as_json:
        put_json(_as_json(found, dry=dry))
    else:
        _show(found, metadata, dry=dry)
    return exits.FINDING if found.difference else exits.FINE


def _silent(_: str) -> None:
    """Say nothing: nobody watches."""


def _write_metadata(path: Path, target: Path) -> None:
    from replay.readmodel.file import ViewsFile
    from replay.readmodel.metadata import metadata

    with ViewsFile.read(path) as file:
        made = metadata(path, file.meta())
    target.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _show(found: Outcome, metadata: Path | None, *, dry: bool) -> None:
    tell(_sentence(found, dry=dry))
    if found.compared is not None and found.difference is None:
        tell(f"equal: {found.compared} rows of the served file and of the one made from nothing")
    if found.difference is not None:
        tell(f"differs after {found.compared} equal rows: {found.difference}")
        if not found.is_switched:
            tell("the served file stays; --anyway takes the new one, and report this: the two "
                 "should never differ")  # fmt: skip
    put_tables([_counts(found)])
    if metadata is not None and not dry:
        tell(f"look at it with: datasette {found.path} -m {metadata}")


def _sentence(found: Outcome, *, dry: bool) -> str:
    work = found.work
    how = "nothing was written" if dry else found.how
    because = f" ({found.because})" if found.because else ""
    return (
        f"{found.path}: {how}{because}, at position {work.position}: {work.recorded} "
        f"event{'' if work.recorded == 1 else 's'} recorded since position {work.since}, "
        f"{work.folded} folded, {work.rows} rows written"
    )


def _counts(found: Outcome) -> Table:
    from replay.readmodel.tables import TABLES
    from replay.tables import Table

    return Table(
        title="Tables",
        columns=("table", "rows", "what_a_row_is"),
        rows=tuple(
            (table.name, str(found.counts[table.name]), table.means)
            for table in TABLES
            if not table.name.startswith("_")
        ),
        numbers=frozenset({"rows"}),
    )


def _as_json(found: Outcome, *, dry: bool) -> dict[str, object]:
    work, differs = found.work, found.difference
    return {
        "file": str(found.path),
        "how": found.how,
        "because": found.because,
        "dry_run": dry,
        "since": work.since,
        "position": work.position,
        "events_recorded": work.recorded,
        "events_folded": work.folded,
        "accounts_derived": work.accounts,
        "rows_written": work.rows,
        "rows": found.counts,
        "compared": found.compared,
        "difference": None if differs is None else {
            "table": differs.table, "key": differs.key, "column": differs.column,
            "served": differs.served, "rebuilt": differs.rebuilt,
        },
    }  # fmt: skip
