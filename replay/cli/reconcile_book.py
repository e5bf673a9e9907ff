"""``reconcile book``: every recorded state of a book against what needs no history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    cache_option,
    examples,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
)
from replay.cli.reconcile_pool import pace_of, pace_options
from replay.cli.recording import parsed, period_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="book",
    epilog=examples(
        "rollforward reconcile book",
        "rollforward reconcile book --pace 0.01 --json | jq .clean",
    ),
)
@takes(period_options, pace_options, book_option, cache_option, json_option)
def command(
    since: str | None, until: str | None, known_at: str | None, pace: str | None,
    step: str | None, *, book: Path | None, cache: bool, as_json: bool,
) -> int:  # fmt: skip
    """Hold every recorded state of the book against what needs no history.

    Reserves against their laws, every account's supplies against the public states of their
    reserve, perpetuals states against themselves. Ends with 1 when anything does not follow, with
    3 when something stays unknown.
    """
    with open_audit(book, cache=cache) as audit:
        from replay.reconcile.whole import reconcile_whole, tables, to_dict

        report = reconcile_whole(
            audit, since=parsed(since), until=parsed(until), position=audit.position(known_at),
            pace=pace_of(pace, step),
        )  # fmt: skip
    if as_json:
        put_json(to_dict(report))
    else:
        put_tables(tables(report))
    if not report.is_clean:
        return exits.FINDING
    return exits.FINE if report.is_known else exits.INCOMPLETE
