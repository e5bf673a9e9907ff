"""``import``: record files of the venue."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    console_for,
    examples,
    json_option,
    now_ms,
    put_json,
    put_tables,
    takes,
    tell,
)
from replay.cli.hints import hint_options, hints_from

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from replay.importing import Recorder, Report
    from replay.tables import Table

NEW_BOOK = Path("rollforward.book")


@click.command(
    name="import",
    epilog=examples(
        "rollforward import answers/ --account 0x31ca…",
        "rollforward import trades.csv --account 0x31ca… --zone Europe/Paris --dates day-first",
        "rollforward import node_fills/20260210/ --account 0x31ca… --book acme.book",
        "zcat fills.json.gz | rollforward import - --account 0x31ca…",
    ),
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path())
@takes(hint_options, book_option)
@click.option("--dry-run", is_flag=True, help="Report what would be recorded; write nothing.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[str, ...],
    book: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401 - the options of hints, passed on as they are
) -> None:
    """Record files, folders, packed files (.gz, .lz4, .zst, .zip) or standard input (-).

    What each file is, is found out from its content. One file is one transaction; importing the
    same or an overlapping export again adds only what is new. Rows that cannot be read go to
    quarantine and the rest goes in.
    """
    from replay import importing

    hints = hints_from(**given)
    target = _target(book)
    with _progress(paths, is_quiet=as_json) as told, _opened(target, dry_run=dry_run) as opened:
        from ledger.sources import files

        found = files.records(
            paths, stdin=sys.stdin.buffer, progress=told, keep_shut=_own_files(target)
        )
        report = importing.take_in(found, book=opened, hints=hints, recorded=now_ms)
    if as_json:
        put_json(_as_json(report, target, dry_run=dry_run))
    else:
        put_tables(_tables(report))
        _say_rest(report, target, dry_run=dry_run)
    ctx.exit(_exit_code(report))


def _target(given: Path | None) -> Path:
    """Return the book to write into: the one given, the only one here, else a new one."""
    if given is not None:
        return given
    found = sorted(Path().glob("*.book"))
    if len(found) > 1:
        from replay.cli.common import find_book

        return find_book(None)  # says which ones there are
    return found[0] if found else NEW_BOOK


def _own_files(book: Path) -> list[Path]:
    return [book, *(book.with_name(book.name + end) for end in ("-wal", "-shm", ".cache", ".lock"))]


@contextlib.contextmanager
def _opened(path: Path, *, dry_run: bool) -> Generator[Callable[[], Recorder]]:
    """Yield a function that opens the book for writing, or makes it, when it is first called."""
    from ledger.book import Book
    from replay.importing import Trial

    with contextlib.ExitStack() as stack:
        held: list[Recorder] = []

        def opened() -> Recorder:
            if not held and dry_run:
                known = stack.enter_context(Book.open(path)) if path.exists() else None
                held.append(Trial(known))
            elif not held:
                book = Book.open(path, write=True) if path.exists() else Book.create(path)
                held.append(stack.enter_context(book))
            return held[0]

        yield opened


@contextlib.contextmanager
def _progress(paths: tuple[str, ...], *, is_quiet: bool) -> Generator[Callable[[int], None] | None]:
    """Show a bar of bytes on standard error, when that is a terminal and the work is long."""
    if is_quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from ledger.sources import files

    bar = Progress(
        TextColumn("importing"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console_for(sys.stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task("importing", total=files.size_of(paths) or None)
        yield lambda count: bar.update(task, advance=count)


def _exit_code(report: Report) -> int:
    codes = {exits.FINE}
    if report.refused:
        codes.add(exits.REFUSED)
    if report.questions:
        codes.add(exits.USAGE)
    if report.count("conflicting"):
        codes.add(exits.FINDING)
    if report.quarantined():
        codes.add(exits.INCOMPLETE)
    return exits.worst(codes)


def _tables(report: Report) -> list[Table]:
    from replay.tables import Table

    counts = report.counts()
    rows = [
        (tag.partition("/")[0], *(str(tallies[name]) for name in ("new", "same", "conflicting")))
        for tag, tallies in counts.items()
    ]
    if len(rows) > 1:
        names = ("new", "same", "conflicting")
        rows.append(("all", *(str(report.count(name)) for name in names)))
    if not report.receipts:
        return []
    tables = [
        Table(
            title="Events",
            columns=("kind", "new", "same", "conflicting"),
            rows=tuple(rows),
            numbers=frozenset({"new", "same", "conflicting"}),
            empty="no events",
        )
    ]
    if report.quarantined():
        tables.append(
            Table(
                title="Quarantine: rows that could not be read",
                columns=("file", "place", "reason"),
                rows=tuple((name, row.place, row.reason) for name, row in report.quarantined()),
            )
        )
    return tables


def _say_rest(report: Report, target: Path, *, dry_run: bool) -> None:
    from replay.moments import iso

    span = report.span()
    taken = len(report.receipts)
    where = "would go into" if dry_run else "recorded in"
    files = "1 file" if taken == 1 else f"{taken} files"
    when = f", from {iso(span[0])} to {iso(span[1])}" if span else ""
    if taken:
        tell(f"{files} {where} {target}{when}")
    notes = {note: None for _, receipt in report.receipts for note in receipt.notes}
    for note in notes:
        tell(f"note: {note}")
    if count := report.count("conflicting"):
        tell(
            f"{count} of the events contradict what was recorded before; both are kept, the first "
            f"stays in force. See rollforward check"
        )
    for refused in report.refused:
        tell(f"refused: {refused}")
    for question in report.questions:
        tell(f"open question: {question}")


def _as_json(report: Report, target: Path, *, dry_run: bool) -> dict[str, object]:
    from replay.moments import iso

    span = report.span()
    return {
        "book": str(target),
        "dry_run": dry_run,
        "new": report.count("new"),
        "same": report.count("same"),
        "conflicting": report.count("conflicting"),
        "kinds": report.counts(),
        "first": iso(span[0]) if span else None,
        "last": iso(span[1]) if span else None,
        "files": [
            {"name": outcome.name, "kind": outcome.kind, "taken": outcome.receipt is not None}
            for outcome in report.outcomes
        ],
        "quarantined": [
            {"file": name, "place": row.place, "reason": row.reason, "text": row.text}
            for name, row in report.quarantined()
        ],
        "refused": [
            {"file": item.name, "reason": item.reason, "remedy": item.remedy}
            for item in report.refused
        ],
        "questions": [
            {"file": item.name, "question": item.question, "flag": item.flag}
            for item in report.questions
        ],
        "notes": [note for _, receipt in report.receipts for note in receipt.notes],
    }
