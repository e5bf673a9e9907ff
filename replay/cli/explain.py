"""``explain``: from a figure or an event back to the raw records behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    examples,
    instant_options,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
    the_account,
)
from replay.cli.margin import MODES, asked

if TYPE_CHECKING:
    from pathlib import Path

    from replay.audit import AccountHistory
    from replay.margin import Question

RAW_SHOWN = 5

LIQUIDATION = re.compile(r"\A[Ll]-(\d{1,6})\Z", re.ASCII)


@click.command(
    name="explain",
    epilog=examples(
        'rollforward explain 0x31ca… "balance spot USDC" --at 2026-02-10T13:00Z',
        'rollforward explain 0x31ca… "position BTC"',
        'rollforward explain 0x31ca… "fee USDC" --json | jq .evidence',
        "rollforward explain 0x31ca… 9b3758b302a5",
        "rollforward explain 0x5ca1… L-1 --from 2026-08-05T10:00Z",
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.argument("subject", nargs=-1, required=True, metavar="EVENT|FIGURE|L-NUMBER")
@takes(instant_options, book_option)
@click.option(
    "--from", "since", metavar="WHEN",
    help="Of a liquidation: from when on the way there is told [default: an hour].",
)  # fmt: skip
@click.option(
    "--mode", type=click.Choice(MODES), metavar="MODE",
    help="Of a liquidation: judge in this mode, whatever is recorded.",
)  # fmt: skip
@click.option(
    "--complete", is_flag=True,
    help="Of a liquidation: the history begins with the account.",
)  # fmt: skip
@click.option("--raw", is_flag=True, help="Show the raw row of every event, not only a few.")
@json_option
def command(
    account: str, subject: tuple[str, ...], at: str | None, known_at: str | None,
    book: Path | None, *, since: str | None, mode: str | None, complete: bool, raw: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Show what a figure or an event rests on, back to the raw records.

    EVENT is an identity as history shows it, or its beginning. FIGURE is one of: balance PLACE
    ASSET, position MARKET, fee ASSET, funding MARKET. L-NUMBER is a recorded liquidation, told to
    the end: its condition, what was taken, what led there, and what it hangs on.

    Ends with 1 when the condition of a liquidation did not hold or more was taken than the
    documents say, with 3 when the condition is unknown.
    """
    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        named = LIQUIDATION.match(subject[0]) if len(subject) == 1 else None
        if named is not None:
            question = asked(readings=None, rulebook=None, mode=mode, complete=complete, stale="1h")
            return _liquidation(history, int(named[1]), since, known_at, question, as_json=as_json)
        found = history.explain(" ".join(subject), at, known_at)
    if as_json:
        put_json(found.to_dict())
        return exits.FINE
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
    return exits.FINE


def _liquidation(
    history: AccountHistory, number: int, since: str | None, known_at: str | None,
    question: Question, *, as_json: bool,
) -> int:  # fmt: skip
    from replay.dispute.liquidation import explained
    from replay.moments import parse_moment

    found = explained(
        history,
        number,
        position=history.audit.position(known_at),
        question=question,
        since=None if since is None else parse_moment(since),
    )
    if as_json:
        put_json(found.to_dict())
    else:
        tell(found.heading)
        put_tables(found.tables)
    if found.condition is None:
        return exits.INCOMPLETE
    is_fine = found.condition and not any(each.is_more for each in found.taken)
    return exits.FINE if is_fine else exits.FINDING
