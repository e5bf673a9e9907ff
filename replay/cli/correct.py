"""``correct``: annul or replace an event, with a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from replay.cli.common import (
    book_option,
    examples,
    find_book,
    json_option,
    now_ms,
    put_json,
    takes,
    tell,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    name="correct",
    epilog=examples(
        'rollforward correct 0x31ca… 9b3758b302a5 --annul --reason "entered twice" --as ada',
        'rollforward correct 0x31ca… 9b3758b302a5 --replace \'{"sz": "12.5"}\' '
        '--reason "misread page" --as ada',
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.argument("event", metavar="EVENT")
@click.option("--annul", is_flag=True, help="Take the event not to have happened.")
@click.option("--replace", "changes", metavar="JSON", help="Fields of the event as they were.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with the correction.")
@click.option("--as", "author", required=True, metavar="NAME", help="Who says so.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded; write nothing.")
@takes(book_option, json_option)
def command(
    account: str, event: str, annul: bool, changes: str | None, reason: str, author: str, *,  # noqa: FBT001 - click passes by name
    dry_run: bool, book: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Annul or replace an event. Nothing is edited: the correction is an event of its own.

    EVENT is an identity as history shows it, or its beginning. A correction can itself be
    annulled; asking with --known-at an earlier position shows the state before it.
    """
    import replay
    from ledger.book import Book
    from ledger.codec import event_id
    from replay import acts

    if annul == (changes is not None):
        message = "say either --annul or --replace JSON"
        raise click.UsageError(message)
    fields = None if changes is None else _fields(changes)
    path = find_book(book)
    with replay.open(path) as audit:
        history = audit.account(the_account(audit, account))
        target = history.entry(event)
        before = history.at().digest
        made = (
            acts.annulment(audit.book, target, author=author, reason=reason)
            if fields is None
            else acts.replacement(audit.book, target, fields, author=author, reason=reason)
        )
    result: dict[str, Any] = {
        "correction": event_id(made),
        "target": target.id,
        "state_digest_before": before,
    }
    if not dry_run:
        with Book.open(path, write=True) as written:
            receipt = written.act([made], recorded=now_ms())
        with replay.open(path) as audit:
            result["state_digest_after"] = audit.account(history.account).at().digest
        result["known_since"] = str(receipt.positions[0]) if receipt.positions else None
    if as_json:
        put_json(result)
        return
    for name, value in result.items():
        click.echo(f"{name.replace('_', ' ')}: {value if value is not None else 'known already'}")
    if dry_run:
        tell("dry run: nothing was written")


def _fields(text: str) -> dict[str, Any]:
    """Return the fields of ``--replace``; numbers stay the text they were written as."""
    from ledger.errors import UnclearQuestion

    try:
        fields = json.loads(text, parse_float=str)
    except ValueError as error:
        message = f"--replace: not JSON: {error}"
        raise click.UsageError(message) from error
    if not isinstance(fields, dict) or not fields:
        raise UnclearQuestion(
            asked=text, problem="is no JSON object of fields", remedy='Write {"sz": "12.5"}'
        )
    return fields
