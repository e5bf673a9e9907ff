"""``explain``: from a figure or an event back to the raw records behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli.common import (
    book_option,
    examples,
    instant_options,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path

RAW_SHOWN = 5


@click.command(
    name="explain",
    epilog=examples(
        'rollforward explain 0x31ca… "balance spot USDC" --at 2026-02-10T13:00Z',
        'rollforward explain 0x31ca… "position BTC"',
        'rollforward explain 0x31ca… "fee USDC" --json | jq .evidence',
        "rollforward explain 0x31ca… 9b3758b302a5",
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.argument("subject", nargs=-1, required=True, metavar="EVENT|FIGURE")
@takes(instant_options, book_option)
@click.option("--raw", is_flag=True, help="Show the raw row of every event, not only a few.")
@json_option
def command(
    account: str, subject: tuple[str, ...], at: str | None, known_at: str | None,
    book: Path | None, *, raw: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show what a figure or an event rests on, back to the raw records.

    EVENT is an identity as history shows it, or its beginning. FIGURE is one of: balance PLACE
    ASSET, position MARKET, fee ASSET, funding MARKET.
    """
    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        found = history.explain(" ".join(subject), at, known_at)
    if as_json:
        put_json(found.to_dict())
        return
    put_tables([*found.tables, found.evidence_table()])
    for note in found.notes:
        click.echo(f"note: {note}")
    with_text = [item for item in found.evidence if item.text is not None]
    shown = with_text if raw or len(with_text) <= RAW_SHOWN else with_text[-RAW_SHOWN:]
    if shown:
        left = len(with_text) - len(shown)
        click.echo(f"\nRaw rows{f' (the last {len(shown)}; --raw shows {left} more)' * bool(left)}")
    for item in shown:
        click.echo(f"{item.name} {item.place}, sha256 {item.record}")
        click.echo(f"  {item.text}")
