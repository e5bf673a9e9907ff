"""``config``: which settings are in force, and where they come from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from replay.cli.common import examples, json_option, put_json, put_tables, takes

KNOWN = {
    "ROLLFORWARD_BOOK": "the book every command opens, unless --book names another",
    "ROLLFORWARD_AS": "who acts on breaks, unless --as names another",
    "ROLLFORWARD_PINS": "file of the public keys that are whose, for signed approvals",
    "ROLLFORWARD_DEBUG": "1: show the traceback of an error",
    "NO_COLOR": "any text: no colors",
    "FORCE_COLOR": "any text: colors even into a pipe",
    "COLUMNS": "width of tables",
}


@click.command(name="config", epilog=examples("rollforward config", "rollforward config --json"))
@takes(json_option)
def command(*, as_json: bool) -> None:
    """Show which settings are in force and where they come from.

    An option on the command line comes first, then the environment (ROLLFORWARD_VERB_OPTION for
    any option of any verb, such as ROLLFORWARD_SHOW_AT), then what is found in the folder.
    """
    from replay.tables import Table

    rows = [
        (name, os.environ.get(name) or None, "environment" if os.environ.get(name) else "not set")
        for name in KNOWN
    ]
    others = sorted(
        name for name in os.environ if name.startswith("ROLLFORWARD_") and name not in KNOWN
    )
    rows += [(name, os.environ[name], "environment") for name in others]
    books = [str(path) for path in sorted(Path().glob("*.book"))]
    rows.append(("books in this folder", ", ".join(books) or None, str(Path.cwd())))
    table = Table(title="Settings", columns=("setting", "value", "from"), rows=tuple(rows))
    if as_json:
        put_json(table.to_dicts())
    else:
        put_tables([table])
