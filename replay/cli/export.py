"""``export``: what a book says, in files that other programs open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click

from replay.cli import exits
from replay.cli.common import (
    Written,
    book_option,
    cache_option,
    examples,
    open_audit,
    takes,
    tell,
    the_account,
)
from replay.export import FORMATS, WHAT

if TYPE_CHECKING:
    from pathlib import Path

    from replay.audit import Audit
    from replay.export import Asked, Made
    from replay.export.asked import Form, What


@click.command(
    name="export",
    epilog=examples(
        "rollforward export parquet 0x31ca… -o events.parquet",
        "rollforward export csv --what fills -o fills.csv",
        "rollforward export jsonl --all -o book.jsonl",
        "rollforward export beancount 0x31ca… -o books.beancount",
        "rollforward export csv --what balances --until 2026-08-31T23:59:59.999Z -o -",
    ),
)
@click.argument("form", type=click.Choice(FORMATS), metavar="FORMAT")
@click.argument("account", required=False, metavar="[ACCOUNT]")
@click.option(
    "--what",
    type=click.Choice(list(WHAT)),
    default="events",
    show_default=True,
    metavar="WHAT",
    help=f"{', '.join(WHAT)}.",
)
@click.option(
    "--all",
    "is_whole",
    is_flag=True,
    help="Also events of no account: prices, reserves, names of tokens and pairs.",
)
@click.option("--since", metavar="WHEN", help="First moment, with its zone [default: the first].")
@click.option("--until", metavar="WHEN", help="Last moment, with its zone [default: the last].")
@click.option(
    "--known-at",
    metavar="WHEN",
    help="As the book knew it then: a position, or a moment of recording [default: now].",
)
@click.option(
    "--every", metavar="LENGTH",
    help="For margin: 15m, 1h, 1d, event or price [default: 1h].",
)  # fmt: skip
@click.option(
    "-o",
    "--out",
    required=True,
    type=Written(allow_dash=True),
    metavar="FILE",
    help="Write here; - is standard output.",
)
@takes(book_option, cache_option)
def command(
    form: str, account: str | None, what: str, since: str | None, until: str | None,
    known_at: str | None, every: str | None, out: Path, book: Path | None, *, is_whole: bool,
    cache: bool,
) -> int:  # fmt: skip
    """Write what is taken to have happened to a file other programs open.

    FORMAT is csv, jsonl, parquet, xlsx, beancount or hledger. Without ACCOUNT, of every account.
    Events as csv and jsonl can be imported again. A file is there whole, or not at all. Ends with
    3 when a figure in it is unknown.
    """
    from replay.export import export
    from replay.export.write import aside

    with open_audit(book, cache=cache) as audit:
        asked = _asked(
            audit, account, what=cast("What", what), since=since, until=until, known_at=known_at,
            is_whole=is_whole, every=every,
        )  # fmt: skip
        if str(out) == "-":
            made = export(asked, cast("Form", form), sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            with aside(out) as target:
                made = export(asked, cast("Form", form), target)
    _tell(made, out, asked)
    return exits.FINE if made.is_complete else exits.INCOMPLETE


def _asked(
    audit: Audit, account: str | None, *, what: What, since: str | None, until: str | None,
    known_at: str | None, is_whole: bool, every: str | None,
) -> Asked:  # fmt: skip
    """Return what is meant.

    Raises: NotFound, for an account the book does not have; UnclearQuestion, for times without a
    zone, that end before they begin, or an option that says nothing of *what*.
    """
    from ledger.errors import NotFound, UnclearQuestion
    from replay.export import Asked
    from replay.moments import parse_moment

    _refuse_idle(what, since=since, is_whole=is_whole, every=every)
    accounts = audit.accounts() if account is None else (the_account(audit, account),)
    if not accounts:
        raise NotFound(what="account", name="at all", remedy="Import something first")
    first = None if since is None else parse_moment(since)
    last = None if until is None else parse_moment(until)
    if first is not None and last is not None and last < first:
        raise UnclearQuestion(
            asked=f"{since} to {until}",
            problem="ends before it begins",
            remedy="Give the first moment with --since and the last with --until",
        )
    return Asked(
        audit=audit, accounts=accounts, what=what, position=audit.position(known_at), since=first,
        until=last, is_whole=is_whole, every=every or "1h",
    )  # fmt: skip


def _refuse_idle(what: What, *, since: str | None, is_whole: bool, every: str | None) -> None:
    """Refuse an option that would change nothing: whoever gives it means something by it.

    Raises: UnclearQuestion.
    """
    from ledger.errors import UnclearQuestion

    if since is not None and what in {"balances", "positions"}:
        raise UnclearQuestion(
            asked=f"{what} --since",
            problem="asks for a beginning, and these are as of one moment",
            remedy="Give the moment with --until, or take history for what moved in between",
        )
    if every is not None and what != "margin":
        raise UnclearQuestion(
            asked=f"{what} --every",
            problem="asks for steps, and only margin has them",
            remedy="Leave --every out, or add --what margin",
        )
    if is_whole and what != "events":
        raise UnclearQuestion(
            asked=f"{what} --all",
            problem="asks for what belongs to no account, and only events hold that",
            remedy="Leave --all out, or --what",
        )


def _tell(made: Made, out: Path, asked: Asked) -> None:
    nouns = made.noun if made.rows == 1 else f"{made.noun}s"
    of = "1 account" if len(asked.accounts) == 1 else f"{len(asked.accounts)} accounts"
    if asked.is_whole:
        of = "the whole book"
    where = "standard output" if str(out) == "-" else str(out)
    tell(f"{made.rows:,} {nouns} of {of} written to {where}, as known at position {asked.position}")
    for note in made.notes:
        tell(f"note: {note}")
