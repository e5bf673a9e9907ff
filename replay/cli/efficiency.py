"""``efficiency``: one account at one instant under isolated, cross, unified, portfolio margin."""

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
    rules_options,
    tell,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="efficiency",
    epilog=examples(
        "rollforward efficiency 0x31ca… --at 2026-08-04T22:01Z",
        "rollforward efficiency 0x31ca… --at 2026-08-04T22:01Z --json | jq .ways",
    ),
)
@account_at_instant
@rules_options
def command(
    account: str | None, at: str | None, known_at: str | None, book: Path | None, *,
    cache: bool, as_json: bool, readings: str | None, rulebook: str | None, complete: bool,
) -> int:  # fmt: skip
    """Compare what each way of margining asks of the same account at the same instant.

    Isolated, cross, unified and portfolio margin side by side: what stands behind the positions,
    what is required, what stays free, and how far each market may move; under both rulebooks
    where two may hold. Ends with 1 when those differ in what could be held, with 3 when a figure
    is unknown.
    """
    from replay.cli.margin import asked

    question = asked(readings=readings, rulebook=rulebook, mode=None, complete=complete,
                     stale="1h")  # fmt: skip
    with open_audit(book, cache=cache) as audit:
        from replay.efficiency import compared, tables, to_dict
        from replay.margin import Assembler, last_moment
        from replay.moments import parse_moment

        history = audit.account(the_account(audit, account))
        of = Assembler(history, audit.position(known_at), question)
        found = compared(of, last_moment(of) if at is None else parse_moment(at))
    if as_json:
        put_json(to_dict(found))
    else:
        tell(found.heading)
        put_tables(tables(found))
    if not found.agrees:
        return exits.FINDING
    return exits.INCOMPLETE if found.missing else exits.FINE
