"""``verify``: prove that the stored bytes are the ones that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    Written,
    book_option,
    examples,
    find_book,
    json_option,
    put_json,
    put_tables,
    takes,
    tell,
)

if TYPE_CHECKING:
    from ledger.verification import Problem, Verdict
    from replay.tables import Table

_CODES = {
    "verified": exits.FINE,
    "partly verified": exits.INCOMPLETE,
    "broken": exits.FINDING,
}


@click.command(
    name="verify",
    epilog=examples(
        "rollforward verify --write-checkpoint safe/acme.checkpoint",
        "rollforward verify --checkpoint safe/acme.checkpoint",
    ),
)
@takes(book_option)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A checkpoint of this book that was kept elsewhere.",
)
@click.option(
    "--write-checkpoint",
    "written",
    type=Written(),
    metavar="FILE",
    help="Write a checkpoint to keep elsewhere, when nothing is wrong.",
)
@json_option
@click.pass_context
def command(
    ctx: click.Context, book: Path | None, checkpoint: Path | None, written: Path | None, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Read everything again, take every digest anew, and compare.

    Ends with 0 when the book agrees with itself and with a checkpoint kept elsewhere; with 3 when
    it agrees with itself only, which a book cut at its end or made anew does as well; with 1 when
    anything is not as it was written.
    """
    from ledger import book as books

    path = find_book(book)
    verdict = books.verify(path, checkpoint.read_text("utf-8") if checkpoint else None)
    if written is not None and verdict.outcome != "broken":
        with books.Book.open(path) as opened:
            written.write_text(opened.checkpoint(), encoding="utf-8")
        tell(f"checkpoint written to {written}; keep it where this book is not")
    if as_json:
        put_json(_as_json(verdict))
    else:
        _show(verdict, path)
    ctx.exit(_CODES[verdict.outcome])


def _show(verdict: Verdict, path: Path) -> None:
    if verdict.problems:
        put_tables([_problems(verdict)])
    click.echo(
        f"{path}: {verdict.outcome}. Read {verdict.batches} batches with {verdict.events} events, "
        f"{verdict.records} raw records, {verdict.seals} seals"
    )
    if verdict.seal:
        click.echo(f"last seal {verdict.seal}")
    if verdict.outcome == "partly verified":
        tell(
            "the book agrees with itself. That its end is still there, only a checkpoint kept "
            "elsewhere can show: rollforward verify --write-checkpoint FILE"
        )


def _problems(verdict: Verdict) -> Table:
    from replay.tables import Table

    return Table(
        title="What is not as it was written",
        columns=("about", "stream", "batch", "from", "to", "record", "events", "text"),
        rows=tuple(_row(problem) for problem in verdict.problems),
    )


def _row(problem: Problem) -> tuple[str | None, ...]:
    from replay.moments import iso

    return (
        problem.sort,
        problem.stream,
        None if problem.version is None else str(problem.version),
        None if problem.first_at is None else iso(problem.first_at),
        None if problem.last_at is None else iso(problem.last_at),
        problem.record and problem.record[:16],
        ", ".join(f"row {row} {event[:12]}" for row, event in problem.events) or None,
        problem.text,
    )


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "outcome": verdict.outcome,
        "batches": verdict.batches,
        "events": verdict.events,
        "records": verdict.records,
        "seals": verdict.seals,
        "seal": verdict.seal,
        "problems": [
            {
                "about": problem.sort,
                "text": problem.text,
                "stream": problem.stream,
                "batch": problem.version,
                "position": problem.position,
                "first_at": problem.first_at,
                "last_at": problem.last_at,
                "record": problem.record,
                "events": [{"row": row, "event": event} for row, event in problem.events],
            }
            for problem in verdict.problems
        ],
    }
