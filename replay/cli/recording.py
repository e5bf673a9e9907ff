"""What reconciliations share on the command line: their period, and handing breaks to the desk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import click

from replay.cli.common import find_book, now_ms, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from ledger.events import BreakDesk
    from ledger.units import Address, Millis
    from projections.breaks import Break

F = TypeVar("F", bound="Callable[..., Any]")


def period_options(verb: F) -> F:
    """Add ``--since``, ``--until`` and ``--known-at``."""
    since = click.option("--since", metavar="WHEN", help="First moment, with its zone.")
    until = click.option("--until", metavar="WHEN", help="Last moment, with its zone.")
    known = click.option(
        "--known-at",
        metavar="WHEN",
        help="As the book knew it then: a position, or a moment of recording [default: now].",
    )
    return since(until(known(verb)))


def record_options(verb: F) -> F:
    """Add ``--record`` and ``--as``: hand the breaks found to the desk, under a name."""
    record = click.option(
        "--record", is_flag=True, help="Record the run and its breaks in the book; needs --as."
    )
    by = click.option(
        "--as",
        "by",
        metavar="NAME",
        envvar="ROLLFORWARD_AS",
        help="Who records it [default: $ROLLFORWARD_AS].",
    )
    return record(by(verb))


def parsed(when: str | None) -> Millis | None:
    """Return a moment given on the command line; None where none is."""
    from replay.moments import parse_moment

    return None if when is None else parse_moment(when)


def needs_name(*, record: bool, by: str | None) -> None:
    """Refuse to record without a name. Raises: click.UsageError."""
    if record and not by:
        message = "--record needs --as NAME: a run is recorded under a person's name"
        raise click.UsageError(message)
    source = click.get_current_context().get_parameter_source("by")
    if by and not record and source is click.core.ParameterSource.COMMANDLINE:
        message = "--as NAME is for --record"
        raise click.UsageError(message)


def recorded(
    book: Path | None,
    found: Iterable[Break],
    *,
    desk: BreakDesk,
    account: Address | None,
    since: Millis,
    until: Millis,
    subjects: tuple[str, ...] = (),
    parameters: Mapping[str, str],
    position: int,
    by: str,
) -> None:
    """Record a run and its breaks, and say on standard error what became of them.

    What the history was held against is among the parameters, where it was not the venue.
    """
    from ledger.book import Book
    from replay.desk import Run, record_run

    run = Run(
        desk=desk, account=account, since=since, until=until, subjects=subjects,
        against=parameters.get("against", "venue"),
        parameters=json.dumps(dict(parameters), sort_keys=True, separators=(",", ":")),
        position=position,
    )  # fmt: skip
    with Book.open(find_book(book), write=True) as opened:
        said = record_run(opened, found, run, by=by, now=now_ms())
    tell(
        f"recorded: {len(said.opened)} breaks opened, {len(said.renewed)} with new figures, "
        f"{len(said.known)} known, {len(said.gone)} no longer found"
    )
