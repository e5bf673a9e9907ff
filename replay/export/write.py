"""Write: one export, in the form asked for, into a file or a stream."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ledger.errors import UnclearQuestion
from ledger.units import Millis
from replay import __version__
from replay.export import text
from replay.export.asked import JOURNALS, OF_EVENTS, WHAT, Made
from replay.export.columns import survey
from replay.moments import iso

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from replay.export.asked import Asked, Form
    from replay.export.columns import Survey
    from replay.tables import Table


def export(asked: Asked, form: Form, target: BinaryIO) -> Made:
    """Write what is asked for and say what was written.

    Forms that jump about in their file are made aside and copied where *target* cannot be moved in.

    Raises: UnclearQuestion, for what the form cannot hold; NotInstalled, without a library.
    """
    if form in {"parquet", "xlsx"} and not target.seekable():
        with tempfile.TemporaryFile() as aside:
            made = export(asked, form, aside)
            aside.seek(0)
            shutil.copyfileobj(aside, target)
            return made
    if form in JOURNALS:
        return _journal(asked, form, target)
    return _events(asked, form, target) if asked.what in OF_EVENTS else _tables(asked, form, target)


@contextmanager
def aside(path: Path) -> Generator[BinaryIO]:
    """Open a file that takes the place of *path* when all of it is written, and not before."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(number, "w+b") as target:
            yield cast("BinaryIO", target)
            target.flush()
            os.fsync(target.fileno())
        # As open() would have made it: a temporary file is its owner's alone.
        mask = os.umask(0)
        os.umask(mask)
        made.chmod(0o666 & ~mask)
        made.replace(path)
    except BaseException:
        made.unlink()
        raise


# --------------------------------------------------------------------------------- events


def _events(asked: Asked, form: Form, target: BinaryIO) -> Made:
    if form == "jsonl":
        count = 0
        for line in text.event_lines(asked.lines()):
            target.write(line)
            count += 1
        return Made(rows=count, noun="event")
    found = survey(asked.lines())
    if form == "csv":
        target.writelines(text.event_rows(asked.lines(), found))
    elif form == "parquet":
        from replay.export import parquet

        metadata = parquet.metadata_of(dict(_facts(asked, found)))
        parquet.write_events(asked.lines(), found, target, metadata)
    else:
        from replay.export import books

        books.write_events(
            asked.lines(), found, target, title=_title(asked), at=_last(asked),
            facts=_told(asked, found),
        )  # fmt: skip
    return Made(rows=found.events, noun="event", notes=_wide(found, form))


def _wide(found: Survey, form: Form) -> tuple[str, ...]:
    if form != "parquet":
        return ()
    return tuple(
        f"{each.name} is text: its values need {each.width.whole + each.width.places} digits"
        for each in found.columns
        if each.holds == "number" and not each.width.fits
    )


def _facts(asked: Asked, found: Survey | None) -> Iterator[tuple[str, str]]:
    """Yield what a file says of itself: what it holds, as known when, and digests to compare."""
    yield "what", asked.what
    yield "accounts", " ".join(asked.accounts)
    yield "position", str(asked.position)
    if asked.since is not None:
        yield "since", iso(asked.since)
    if asked.until is not None:
        yield "until", iso(asked.until)
    if found is not None:
        yield "events", str(found.events)
        yield "kinds", json.dumps(dict(found.kinds))
    for account in asked.accounts:
        instant = asked.audit.account(account).at(asked.until, known_at=asked.position)
        yield f"timeline_digest.{account}", instant.timeline_digest
        yield f"state_digest.{account}", instant.digest


def _told(asked: Asked, found: Survey | None) -> list[tuple[str, str]]:
    return [
        ("made by", f"rollforward {__version__}"),
        *((name.replace("_", " ").replace(".", " of "), value)
          for name, value in _facts(asked, found)),
    ]  # fmt: skip


def _title(asked: Asked) -> str:
    whose = asked.accounts[0] if len(asked.accounts) == 1 else f"{len(asked.accounts)} accounts"
    return f"{asked.what.capitalize()} of {whose}, as known at position {asked.position}"


def _last(asked: Asked) -> Millis:
    span = asked.span()
    return Millis(0) if span is None else span[1]


# --------------------------------------------------------------------------------- tables


def _tables(asked: Asked, form: Form, target: BinaryIO) -> Made:
    tables, subjects = asked.tables(), asked.accounts
    if form == "csv":
        target.writelines(text.table_rows(tables, subjects))
    elif form == "jsonl":
        target.writelines(text.table_lines(tables, subjects))
    elif form == "parquet":
        from replay.export import parquet

        metadata = parquet.metadata_of(dict(_facts(asked, None)))
        parquet.write_tables(tables, subjects, target, metadata)
    else:
        from replay.export import books

        books.write_tables(
            tables, subjects, target, title=_title(asked), at=_last(asked),
            facts=_told(asked, None),
        )  # fmt: skip
    return Made(
        rows=sum(len(table) for table in tables),
        noun="row",
        is_complete=not any(map(_lacks, tables)),
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
    )


def _lacks(table: Table) -> bool:
    """Tell whether a figure of a table is unknown."""
    from replay.tables import UNKNOWN

    return any(
        row[index] == UNKNOWN or (name == "unknown" and row[index])
        for index, name in enumerate(table.columns)
        for row in table.rows
    )


# ------------------------------------------------------------------------------- journals


def _journal(asked: Asked, form: Form, target: BinaryIO) -> Made:
    from replay.export import books

    if asked.what != "events":
        raise UnclearQuestion(
            asked=f"{form} of {asked.what}",
            problem="is no journal: one has every event that moved something",
            remedy=f"Leave --what out, or take csv, jsonl, parquet or xlsx for {WHAT[asked.what]}",
        )
    if asked.is_whole:
        raise UnclearQuestion(
            asked=f"{form} with --all",
            problem="is no journal: prices and metadata move nothing",
            remedy="Leave --all out",
        )
    books.refuse_many(sum(1 for _ in asked.lines()), form)
    made = books.whole(asked)
    target.write(books.journal_text(made, form).encode())
    return Made(
        rows=len({(each.moved.account, each.moved.event) for each in made.activity}),
        noun="transaction",
        is_complete=made.is_complete,
        notes=made.findings,
    )
