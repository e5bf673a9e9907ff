"""``reproduce``: make a closed report again and compare every byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    Written,
    book_option,
    cache_option,
    examples,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from replay.closing import Reproduction


@click.command(
    name="reproduce",
    epilog=examples(
        "rollforward reproduce C-12ab34cd56ef",
        "rollforward reproduce C-12ab34cd56ef --text",
        "rollforward reproduce C-12ab34cd56ef --out august.json",
    ),
)
@click.argument("name", metavar="C-…")
@click.option("--text", "as_text", is_flag=True, help="Print the pinned report as people read it.")
@click.option(
    "--out", type=Written(), metavar="FILE",
    help="Write the pinned bytes to a file.",
)  # fmt: skip
@takes(book_option, cache_option, json_option)
def command(
    name: str, *, as_text: bool, out: Path | None, book: Path | None, cache: bool, as_json: bool
) -> int:
    """Make a closed report again, at its own position, and compare it byte for byte.

    Ends with 0 when it is the same, with 1 when it differs (what made it otherwise, and which
    figures), with 3 when it cannot be made: the book lacks the position, or the report, a
    parameter or a rulebook is not known.
    """
    from replay.closing import closed_report, reproduce
    from replay.closing_report import as_dict, differences, lines

    with open_audit(book, cache=cache) as audit:
        closed = closed_report(audit, name)
        if out is not None and closed.body is not None:
            out.write_bytes(closed.body)
            tell(f"wrote {out}")
        if as_text:
            click.echo("\n".join(closed.document().get("text", ())))
            click.echo()
        found = reproduce(audit, closed)
    if as_json:
        put_json(as_dict(found))
    else:
        for line in lines(found):
            click.echo(line)
        put_tables(differences(found))
    return code(found)


def code(found: Reproduction) -> int:
    """Return how the command ends."""
    if found.outcome == "identical":
        return exits.FINE
    return exits.FINDING if found.outcome == "differs" else exits.INCOMPLETE
