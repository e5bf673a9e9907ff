"""``open``: attest with what an account began."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    examples,
    find_book,
    json_option,
    now_ms,
    put_json,
    takes,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.entries import RawRecord, Reading
    from ledger.importers import Hints


@click.command(
    name="open",
    epilog=examples(
        "rollforward open 0x31ca… --from-state clearinghouse.json --as ada",
        "rollforward open 0x31ca… --from-state perp.json --from-state spot.json --as ada "
        "--at 2026-01-01T00:00Z",
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--from-state", "states", multiple=True, required=True, metavar="FILE", type=click.Path(),
    help="A recorded clearinghouse, spot or borrow/lend state; may be given several times.",
)  # fmt: skip
@click.option("--as", "author", required=True, metavar="NAME", help="Who attests it.")
@click.option("--at", metavar="WHEN", help="Moment of the state, where it does not say its own.")
@click.option("--dex", metavar="NAME", help="Exchange of a clearinghouse state.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded; write nothing.")
@takes(book_option, json_option)
@click.pass_context
def command(
    ctx: click.Context, account: str, states: tuple[str, ...], author: str, at: str | None,
    dex: str | None, *, dry_run: bool, book: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record with what an account began, taken from a state of the venue, with its author.

    For histories that are cut: the venue keeps the last 10,000 fills. Every figure that rests on
    the opening says so. It sets what it names, whatever older transfers and funding lead to, and
    holds until older fills are recorded, which then take its place.
    """
    import replay
    from ledger.book import Book
    from ledger.codec import event_id
    from ledger.units import account_stream
    from replay import acts
    from replay.cli.hints import hints_from
    from replay.moments import iso

    hints = hints_from(account=account, at=at, dex=dex)
    assert hints.account is not None
    found = _read(states, hints)
    path = find_book(book)
    with replay.open(path) as audit:
        reference = audit.engine.reference(audit.position())
    opened = acts.opening(
        [(reading, f"{r.name} sha256 {r.digest[:16]}") for r, reading in found],
        stream=account_stream(hints.account), author=author, at=hints.at, reference=reference,
    )  # fmt: skip
    is_other = False
    if not dry_run:
        with Book.open(path, write=True) as written:
            for record, reading in found:
                written.append(record, reading, recorded=now_ms())
            is_other = bool(written.act([opened], recorded=now_ms()).conflicting)
    in_force = dry_run or _is_in_force(path, hints.account, event_id(opened))
    told = acts.described(opened)
    if as_json:
        put_json({
            "opening": event_id(opened), "at": iso(opened.at), "attested": list(told),
            "author": opened.author, "source": opened.source, "in_force": in_force,
        })  # fmt: skip
    else:
        click.echo(f"opening {event_id(opened)} at {iso(opened.at)}, attested by {author}")
        for line in told:
            click.echo(f"  {line}")
    if is_other:
        tell(
            "another opening of that moment was recorded before and stays in force; correct that "
            "one first. See rollforward check"
        )
        ctx.exit(exits.FINDING)
    if not in_force:
        tell(
            "not in force: older fills of this account, or an earlier opening, are recorded and "
            "come before an attested opening. See rollforward check"
        )
        ctx.exit(exits.INCOMPLETE)


def _read(states: tuple[str, ...], hints: Hints) -> list[tuple[RawRecord, Reading]]:
    from ledger import importers
    from ledger.errors import RefusedFile
    from ledger.sources import files

    found = []
    for record in files.records(states, stdin=sys.stdin.buffer):
        if isinstance(record, RefusedFile):
            raise record
        found.append((record, importers.read(record, hints)))
    return found


def _is_in_force(path: Path, account: str, identity: str) -> bool:
    import replay
    from ledger.codec import event_id

    with replay.open(path) as audit:
        openings = audit.account(account).openings(audit.position())
        return any(event_id(opening) == identity for opening in openings)
