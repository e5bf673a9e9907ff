"""``history``: the events of an account with the running balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli.common import (
    book_option,
    examples,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="history",
    epilog=examples(
        "rollforward history 0x31ca…",
        "rollforward history 0x31ca… --asset USDC --from 2026-02-01T00:00Z",
        "rollforward history 0x31ca… --json | jq '.[-1]'",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@click.option("--from", "since", metavar="WHEN", help="First moment, with its zone.")
@click.option("--to", "until", metavar="WHEN", help="Last moment, with its zone.")
@click.option("--asset", metavar="SYMBOL", help="Only what moved this token.")
@click.option(
    "--known-at",
    metavar="WHEN",
    help="As the book knew it then: a position, or a moment of recording [default: now].",
)
@takes(book_option, json_option)
def command(
    account: str | None, since: str | None, until: str | None, asset: str | None,
    known_at: str | None, book: Path | None, *, as_json: bool,
) -> None:  # fmt: skip
    """List the events of an account in effective order, with the running balance.

    An event has one row for every place of the account it changed; EVENT is its identity, which
    explain and correct take.
    """
    from replay.cli.coverage import put_foot
    from replay.moments import parse_moment

    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        table = history.history(since, until, asset, known_at)
        if as_json:
            put_json(table.to_dicts())
        else:
            put_tables([table])
            put_foot(
                history,
                since=None if since is None else parse_moment(since),
                until=None if until is None else parse_moment(until),
                position=audit.position(known_at),
            )
