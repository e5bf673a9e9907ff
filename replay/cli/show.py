"""``show``: what an account had at an instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    account_at_instant,
    examples,
    open_audit,
    put_json,
    put_tables,
    tell,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="show",
    epilog=examples(
        "rollforward show 0x31ca…",
        "rollforward show 0x31ca… --at 2026-02-10T13:00Z",
        "rollforward show 0x31ca… --at 2026-02-10T14:00+01:00 --known-at 2026-03-01T00:00Z",
        "rollforward show 0x31ca… --prices --json | jq .balances",
    ),
)
@account_at_instant
@click.option("--prices", is_flag=True, help="Add the last price of every market.")
@click.option("--digests", is_flag=True, help="Add the digests of the state and of the timeline.")
@click.pass_context
def command(
    ctx: click.Context, account: str | None, at: str | None, known_at: str | None,
    book: Path | None, *, cache: bool, as_json: bool, prices: bool, digests: bool,
) -> None:  # fmt: skip
    """Show balances, positions, fees and funding of an account at an instant.

    ACCOUNT may be left out when the book has only one, and cut short when no other begins so.
    --at asks what had happened by then; --known-at asks what the book knew then. Ends with 3
    when a table is unknown, since an event of unknown kind may have moved anything.
    """
    from projections.fold import Stopped
    from replay.cli.coverage import put_foot
    from replay.coverage import foot

    with open_audit(book, cache=cache) as audit:
        instant = audit.account(the_account(audit, account)).at(at, known_at)
        until, position = instant.as_of.effective, instant.as_of.position or 0
        if as_json:
            shown = instant.to_dict()
            shown["coverage"] = foot(instant.history, since=None, until=until, position=position)
            if prices:
                shown["prices"] = instant.prices.to_dicts()
            if digests:
                shown["timeline_digest"] = instant.timeline_digest
            put_json(shown)
        else:
            tell(instant.heading)
            put_tables([*instant.tables, instant.prices] if prices else instant.tables)
            if digests:
                click.echo(f"state digest     {instant.digest}")
                click.echo(f"timeline digest  {instant.timeline_digest}")
            put_foot(instant.history, since=None, until=until, position=position)
        if any(isinstance(held, Stopped) for held in instant.states.by_name.values()):
            ctx.exit(exits.INCOMPLETE)
