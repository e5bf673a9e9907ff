"""``doctor``: examine the installation, the book and the file system."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    examples,
    find_book,
    json_option,
    put_json,
    put_tables,
    takes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SQLITE_FIXED = (3, 51, 3)
"""First SQLite in which two connections that reset the log at one instant lose no pages."""

FREE_BYTES_WANTED = 1 << 28
SAMPLES = 5
NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs"}


class Line(NamedTuple):
    """One thing examined: how it is, what was seen, and what to do about it."""

    verdict: Literal["ok", "note", "problem"]
    subject: str
    seen: str
    advice: str = ""


@click.command(
    name="doctor",
    epilog=examples("rollforward doctor", "rollforward doctor --book acme.book --json"),
)
@takes(book_option, json_option)
@click.pass_context
def command(ctx: click.Context, book: Path | None, *, as_json: bool) -> None:
    """Examine the installation, the book and the file system, and say what to do.

    Remembered states are compared with a fold from nothing on samples. Ends with 5 when
    something endangers the book, with 0 otherwise.
    """
    lines = [*_installation(), *_environment()]
    path = _book_or_none(book)
    if path is not None:
        lines += [*_file_system(path), *_looked_into(path)]
    else:
        lines.append(Line("note", "book", "none in this folder", "Name one with --book FILE"))
    if as_json:
        put_json([line._asdict() for line in lines])
    else:
        from replay.tables import Table

        put_tables([
            Table(title="Examined", columns=("verdict", "subject", "seen", "advice"),
                  rows=tuple(tuple(line) for line in lines))
        ])  # fmt: skip
    is_ill = any(line.verdict == "problem" for line in lines)
    ctx.exit(exits.STORAGE if is_ill else exits.FINE)


def _book_or_none(given: Path | None) -> Path | None:
    if given is None and len(list(Path().glob("*.book"))) != 1:
        return None
    return find_book(given)


def _installation() -> Iterator[Line]:
    import platform
    import sqlite3

    from replay import __version__

    yield Line("ok", "rollforward", __version__)
    yield Line("ok", "Python", f"{platform.python_version()} ({platform.python_implementation()})")
    version = sqlite3.sqlite_version_info
    is_fixed = version >= SQLITE_FIXED
    yield Line(
        "ok" if is_fixed else "note",
        "SQLite",
        sqlite3.sqlite_version,
        ""
        if is_fixed
        else "Before 3.51.3 two processes may lose pages when both reset the log at one instant; "
        "the book's own lock keeps a second writer out, do not open it with other tools",
    )
    for other in ("pysqlite3", "apsw"):
        if _is_installed(other):
            yield Line(
                "note",
                f"second SQLite: {other}",
                "installed",
                "Never open the book through it in the same process: its locks are not ours",
            )
    yield from _intruders()


def _is_installed(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def _intruders() -> Iterator[Line]:
    """Say whether the three packages are ours: their names are common ones."""
    import ledger
    import projections
    import replay

    homes = {
        package.__name__: str(Path(package.__file__ or "").parent.parent)
        for package in (ledger, projections, replay)
    }
    if len(set(homes.values())) == 1:
        yield Line("ok", "packages", f"ledger, projections and replay in {homes['replay']}")
    else:
        yield Line(
            "problem",
            "packages",
            ", ".join(f"{name} in {home}" for name, home in homes.items()),
            "Another distribution brings packages of these names. Install rollforward alone",
        )


def _environment() -> Iterator[Line]:
    import time

    yield Line("ok", "time zone", f"{time.tzname[0]}; everything is stored and shown in UTC")
    encoding = (sys.stdout.encoding or "unknown").lower()
    is_utf8 = encoding.replace("-", "") == "utf8"
    yield Line(
        "ok" if is_utf8 else "note",
        "output encoding",
        encoding,
        "" if is_utf8 else "Set PYTHONUTF8=1 if characters are lost",
    )


def _file_system(path: Path) -> Iterator[Line]:
    import shutil

    folder = path.resolve().parent
    kind = _file_system_of(folder)
    if kind in NETWORK_FILE_SYSTEMS:
        yield Line(
            "problem", "file system", kind, "Locks do not hold there: move the book to a local disk"
        )
    else:
        yield Line("ok", "file system", kind)
    free = shutil.disk_usage(folder).free
    yield Line(
        "ok" if free >= FREE_BYTES_WANTED else "problem",
        "free space",
        f"{free // (1 << 20)} MiB",
        ""
        if free >= FREE_BYTES_WANTED
        else "A full disk refuses imports; nothing recorded is lost",
    )
    may_write = os.access(path, os.W_OK) and os.access(folder, os.W_OK)
    yield Line(
        "ok" if may_write else "note",
        "permissions",
        "may be written" if may_write else "may be read only",
        "" if may_write else "import, correct and open need the right to write file and folder",
    )
    wal = path.with_name(path.name + "-wal")
    size = wal.stat().st_size if wal.exists() else 0
    if size > FREE_BYTES_WANTED:
        yield Line(
            "note",
            "write-ahead log",
            f"{size // (1 << 20)} MiB",
            "A reader is open for long; close it",
        )


def _file_system_of(folder: Path) -> str:
    """Return the kind of file system a folder is on, where the system tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    best, kind = "", "unknown"
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = fields[1].replace("\\040", " ")
        inside = mount == "/" or str(folder) == mount or str(folder).startswith(mount + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return kind


def _looked_into(path: Path) -> list[Line]:
    """Return what the book looks like from inside, or why it cannot be looked into."""
    from ledger.errors import RollforwardError

    lines: list[Line] = []
    try:
        lines.extend(_contents(path))
    except RollforwardError as error:
        lines.append(Line("problem", "book", str(error), "Run rollforward verify"))
    return lines


def _contents(path: Path) -> Iterator[Line]:
    import replay

    yield _lock(path)
    with replay.open(path) as audit:
        streams = audit.book.streams()
        events = sum(info.events for info in streams)
        yield Line(
            "ok",
            "book",
            f"{path}: {audit.position()} batches, {events} events, "
            f"{len(audit.accounts())} accounts, {len(audit.book.records())} raw records",
        )
        quarantined = len(audit.quarantine())
        if quarantined:
            yield Line("note", "quarantine", f"{quarantined} rows", "See rollforward quarantine")
    yield from _samples(path)
    yield Line(
        "note", "backup", "not looked for", "Copy the book with sqlite3's .backup, never with cp"
    )


def _lock(path: Path) -> Line:
    from ledger.book import Book
    from ledger.errors import StoreBusy, StoreFailed

    if not os.access(path, os.W_OK):
        return Line("ok", "writer", "not tried: the book may be read only")
    try:
        Book.open(path, write=True, wait_ms=0).close()
    except StoreBusy as busy:
        return Line("note", "writer", str(busy), "Wait for the other writer, then try again")
    except StoreFailed as failed:
        return Line("problem", "writer", str(failed), "Run rollforward verify")
    return Line("ok", "writer", "free")


def _samples(path: Path) -> Iterator[Line]:
    """Compare remembered states with folds from nothing, at some instants of every account."""
    import replay
    from ledger.civil import iso

    with replay.open(path) as fast, replay.open(path, cache=False) as slow:
        compared = 0
        for name in fast.accounts():
            info = next(
                (i for i in fast.book.streams() if i.stream == fast.account(name).stream), None
            )
            if info is None:
                continue
            span = info.last_at - info.first_at
            for number in range(1, SAMPLES + 1):
                moment = info.first_at + span * number // SAMPLES
                compared += 1
                if fast.account(name).at(moment).digest != slow.account(name).at(moment).digest:
                    yield Line(
                        "problem",
                        "remembered states",
                        f"{name} at {iso(moment)} differs from a fold from nothing",
                        f"Delete {path}.cache and report this",
                    )
                    return
    yield Line("ok", "remembered states", f"{compared} samples equal a fold from nothing")
