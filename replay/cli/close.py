"""``close``: pin a period on a report that can be made again."""

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
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path

    from replay.audit import Audit
    from replay.periods import Period

REPORTS = "show, margin, interest, statement, state"


@click.command(
    name="close",
    epilog=examples(
        "rollforward close 0x31ca… --month 2026-08 --report show --as ada",
        "rollforward close 0x31ca… --since 2026-08-01T00:00Z --until 2026-08-05T18:00Z "
        "--report margin --as ada",
        "rollforward close --list",
    ),
)
@click.argument("of", required=False, metavar="[ACCOUNT|GROUP]")
@click.option("--month", metavar="MONTH", help="The period: a month of UTC, such as 2026-08.")
@click.option("--since", metavar="WHEN", help="The period: its first moment.")
@click.option("--until", metavar="WHEN", help="The period: its last moment.")
@click.option("--report", "name", metavar="REPORT", help=f"On which report: {REPORTS}.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=VALUE",
    help="A parameter of the report; a list or object as JSON.",
)  # fmt: skip
@click.option(
    "--known-at", metavar="WHEN",
    help="Make the report as the book knew it then [default: now].",
)  # fmt: skip
@click.option("--note", default="", metavar="TEXT", help="A remark, kept with the closing.")
@click.option(
    "--as", "by", metavar="NAME", envvar="ROLLFORWARD_AS",
    help="Who closes it [default: $ROLLFORWARD_AS].",
)  # fmt: skip
@click.option("--list", "is_list", is_flag=True, help="List the periods that were closed.")
@click.option("--dry-run", is_flag=True, help="Make the report and its digest; write nothing.")
@takes(book_option, json_option)
def command(
    of: str | None, month: str | None, since: str | None, until: str | None, name: str | None, *,
    parameters: tuple[str, ...], known_at: str | None, note: str, by: str | None, is_list: bool,
    dry_run: bool, book: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Close a period on a report: its bytes, position, parameters and versions are recorded.

    Nothing is locked. What arrives later is recorded as ever, and --list says how much of it
    happened in a closed period; diff says what it changed, reproduce makes the report again.
    """
    if is_list:
        _list(book, as_json=as_json)
        return
    if name is None or by is None:
        message = "give a period, --report and --as; or --list"
        raise click.UsageError(message)
    from replay.periods import period

    _close(
        find_book(book), of, period(month, since, until), name=name, by=by, note=note,
        parameters=_parameters(parameters), known_at=known_at, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def _close(
    path: Path, of: str | None, period: Period, *, name: str, by: str, note: str,
    parameters: dict[str, Any], known_at: str | None, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    import replay
    from ledger.book import Book
    from replay import closing

    now = now_ms()
    with replay.open(path) as audit:
        position = audit.position(known_at)
        asked, made = closing.made_report(
            audit, _of(audit, of), period, position=position, name=name, parameters=parameters
        )
        event = closing.closing(asked, made, name=name, by=by, because=note, now=now)
    if not dry_run:
        with Book.open(path, write=True) as written:
            closing.record_closing(written, event, made, now=now)
    result = {
        "closed": closing.name_of(event),
        "of": asked.of,
        "period": period.name,
        "report": name,
        "position": str(position),
        "bytes": str(len(made.body)),
        "sha256": event.digest,
    }
    if as_json:
        put_json({**result, "versions": list(event.versions), "parameters": parameters})
    else:
        for key, value in result.items():
            click.echo(f"{key}: {value}")
    if dry_run:
        tell("dry run: nothing was written")


def _of(audit: Audit, given: str | None) -> str:
    """Return the address meant by an account or its beginning; the name of a group as it is."""
    if given is None or given.lower().startswith("0x"):
        return the_account(audit, given)
    return given


def _parameters(written: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in written:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            message = f"--parameter {each}: write NAME=VALUE"
            raise click.UsageError(message)
        found[key.strip()] = _value(value)
    return found


def _value(text: str) -> Any:  # noqa: ANN401 - whatever JSON the report takes
    if not text.startswith(("[", "{", '"')):
        return text
    try:
        return json.loads(text, parse_float=str)
    except ValueError as error:
        message = f"--parameter: not JSON: {error}"
        raise click.UsageError(message) from error


def _list(book: Path | None, *, as_json: bool) -> None:
    from replay.closing_report import list_table, listed

    with open_audit(book) as audit:
        if as_json:
            put_json({"closed": listed(audit)})
        else:
            put_tables([list_table(audit)])
