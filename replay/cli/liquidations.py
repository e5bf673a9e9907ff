"""``liquidations``: what the venue took of an account, and whether the condition held before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli.common import (
    as_rows,
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
    name="liquidations",
    epilog=examples(
        "rollforward liquidations 0x5ca1…",
        "rollforward liquidations 0x5ca1… --known-at 2026-08-06T00:00Z --json",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@takes(book_option, json_option)
@click.option(
    "--known-at", metavar="WHEN", help="As the book knew it then: a position, or a moment."
)
@click.option("--complete", is_flag=True, help="The history begins with the account.")
def command(
    account: str | None, book: Path | None, *, as_json: bool, known_at: str | None, complete: bool
) -> None:
    """List the recorded liquidations of an account, with the condition just before each.

    ``rollforward explain ACCOUNT L-NUMBER`` tells one of them to the end.
    """
    from replay.dispute.liquidation import liquidation_table
    from replay.margin import Assembler, Question

    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        of = Assembler(history, audit.position(known_at), Question(is_complete=complete))
        table = liquidation_table(of)
    if as_json:
        put_json(as_rows([table]))
    else:
        put_tables([table])
