"""``quarantine``: the rows that could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    examples,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="quarantine",
    epilog=examples("rollforward quarantine", "rollforward quarantine --json"),
)
@takes(book_option, json_option)
@click.pass_context
def command(ctx: click.Context, book: Path | None, *, as_json: bool) -> None:
    """List the rows that could not be read: file, place, reason and text.

    Ends with 3 when there are any: figures may lack what these rows say.
    """
    with open_audit(book) as audit:
        table = audit.quarantine()
    if as_json:
        put_json(table.to_dicts())
    else:
        put_tables([table])
    ctx.exit(exits.INCOMPLETE if len(table) else exits.FINE)
