"""``claim``: hold sentences about an account against what is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    cache_option,
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
    from replay.claims import Checked


@click.command(
    name="claim",
    epilog=examples(
        "rollforward claim 0x31ca… 'balance(spot, USDC) @ 2026-02-10T13:00Z = 123.45 USDC'",
        "rollforward claim 0x31ca… --claims claims.txt",
        "rollforward claim 0x31ca… 'sum(fee USDC per fill, 2026-02-01T00:00Z..2026-03-01T00:00Z) "
        "<= 250 rounded 2'",
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.argument("sentences", nargs=-1, metavar="[CLAIM]...")
@click.option(
    "--claims",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A file of claims, one a line; lines that begin with # are remarks.",
)
@takes(instant_options, book_option, cache_option, json_option)
@click.pass_context
def command(
    ctx: click.Context, account: str, sentences: tuple[str, ...], file: Path | None,
    at: str | None, known_at: str | None, book: Path | None, *, cache: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say of every CLAIM whether it is proven, contradicted or unknown.

    A claim is a figure, a comparison and a number. --at is the instant of figures that name
    none, --known-at what is known where a claim says nothing else. Sums and counts run over
    rows: what is no row (a balance, a position) is never summed, and unlike units are never
    added; such a claim is refused. Ends with 1 when any claim is contradicted, else with 3 when
    any is unknown.
    """
    from replay.claims import check_claims, claims_table, read_claims, workings_table
    from replay.moments import parse_moment

    text = "\n".join(sentences) + (f"\n{file.read_text('utf-8')}" if file is not None else "")
    claims = read_claims(text)
    if not claims:
        message = "no claim: write one, or name a file of them with --claims"
        raise click.UsageError(message)
    with open_audit(book, cache=cache) as audit:
        history = audit.account(the_account(audit, account))
        moment = None if at is None else parse_moment(at)
        checked = check_claims(history, claims, at=moment, position=audit.position(known_at))
    if as_json:
        put_json([as_dict(one) for one in checked])
    else:
        put_tables([claims_table(checked), workings_table(checked)])
    ctx.exit(code_of(checked))


def as_dict(one: Checked) -> dict[str, object]:
    """Return a checked claim for programs."""
    return {
        "claim": one.name,
        "status": one.status,
        "sentence": one.sentence,
        "found": one.value,
        "workings": list(one.workings),
        "position": one.position,
    }


def code_of(checked: tuple[Checked, ...]) -> int:
    """Return the exit code of checked claims: the worst of them decides."""
    found = {one.status for one in checked}
    if "contradicted" in found:
        return exits.FINDING
    return exits.INCOMPLETE if "unknown" in found else exits.FINE
