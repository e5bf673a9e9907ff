"""``coverage``: what is proven, probable, unknown and known missing of an account's history."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    console_for,
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

    from ledger.units import Millis
    from replay.audit import AccountHistory
    from replay.coverage import Certificate


@click.command(
    name="coverage",
    epilog=examples(
        "rollforward coverage 0x31ca…",
        "rollforward coverage 0x31ca… --since 2026-02-01T00:00Z --until 2026-03-01T00:00Z",
        "rollforward coverage 0x31ca… --family fills --family funding --by day",
        "rollforward coverage 0x31ca… --json | jq '.stretches[] | select(.level == \"missing\")'",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@click.option("--since", "--from", "since", metavar="WHEN", help="First moment, with its zone.")
@click.option("--until", "--to", "until", metavar="WHEN", help="Last moment, with its zone.")
@click.option(
    "--family",
    "families",
    multiple=True,
    metavar="NAME",
    help="Only this family: fills, funding, transfers, interest, balances; may be repeated.",
)
@click.option("--by", type=click.Choice(["day"]), help="One row per day of UTC.")
@click.option(
    "--markets",
    is_flag=True,
    help="Also the rates and prices of markets traded, and the states of reserves used.",
)
@click.option(
    "--known-at",
    metavar="WHEN",
    help="As the book knew it then: a position, or a moment of recording [default: now].",
)
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV.")
@takes(book_option, json_option)
def command(
    account: str | None, since: str | None, until: str | None, families: tuple[str, ...],
    by: str | None, known_at: str | None, book: Path | None, *, markets: bool, as_csv: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Show how complete the recorded history of an account is, and how that is known.

    Each family of facts has a level at every moment: proven, probable, unknown, or known missing,
    with the cause. Ends with 1 when something is known to be missing.
    """
    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        found = history.coverage(since, until, known_at, markets=markets)
    if families:
        unknown = [name for name in families if name not in found.families]
        if unknown:
            message = f"no family {unknown[0]}. There are: {', '.join(found.families)}"
            raise click.UsageError(message)
        found = found.only(*families)
    if as_json:
        put_json(found.by_day.to_dicts() if by else found.to_dict())
    elif as_csv:
        shown = found.by_day if by else found.table
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([shown.columns, *shown.rows])
    else:
        _show(found, by_day=by is not None)
    return exits.FINDING if found.missing else exits.FINE


def put_foot(
    history: AccountHistory, *, since: Millis | None, until: Millis | None, position: int
) -> None:
    """Write the coverage of a period under a report: one or two lines, after an empty one."""
    from rich.text import Text

    from replay.coverage import foot

    told = foot(history, since=since, until=until, position=position)
    if told:
        console = console_for(sys.stdout)
        console.print()
        for line in told:
            console.print(Text(line, style="dim"))


def _show(found: Certificate, *, by_day: bool) -> None:
    put_tables([found.by_day if by_day else found.table])
    click.echo()
    for line in found.strip():
        click.echo(line)
