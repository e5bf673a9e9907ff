"""Files: records out of files, folders, packed files and standard input.

The digest of a record is taken over the record as given inside its wrapping: the unpacked bytes,
before anything is read into them. The same answer, plain or packed, is the same record.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from ledger.entries import RawRecord
from ledger.errors import RefusedFile
from ledger.sources.unpack import (
    CHUNK_BYTES,
    RECORD_BYTES_MAX,
    SUFFIXES,
    Budget,
    damaged,
    packing_of,
    too_large,
    unpacked,
)
from ledger.units import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

STANDARD_INPUT: Final = "standard input"

ZIP_ENTRIES_MAX: Final = 10**5
"""How many entries a zip file may list."""

ZIP_DIRECTORY_BYTES_MAX: Final = 1 << 25
"""Largest table of contents of a zip file: it is read whole before an entry can be counted."""

BOOK_ENDINGS: Final = (
    ".book", ".book-wal", ".book-shm", ".book-journal", ".book.cache", ".book.lock",
)  # fmt: skip
"""Endings of a book's own files. A live book is opened by nobody but SQLite, so they are not
opened even to look: closing such a file would drop the locks of this process on it."""

_SPREADSHEETS: Final = (".xlsx", ".xlsm", ".ods", ".xls", ".numbers")
_UNSOUND: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)
_SQLITE: Final = b"SQLite format 3\0"


def records(
    paths: Sequence[str | os.PathLike[str]],
    *,
    stdin: IO[bytes] | None = None,
    progress: Callable[[int], None] | None = None,
    keep_shut: Collection[str | os.PathLike[str]] = (),
) -> Iterator[RawRecord | RefusedFile]:
    """Yield the records in files and folders, in the order given, one at a time.

    A folder is walked through and through, by name; hidden files and books in it are passed over.
    ``.gz``, ``.lz4``, ``.zst`` and ``.zip`` are known by their first bytes and unpacked under caps;
    ``-`` is *stdin*. What cannot be taken is yielded as RefusedFile, and nothing of that file is.
    *progress* is told how many bytes were read from disk, as they are read; the sum over all is
    ``size_of(paths)``. Files in *keep_shut* (the book being written) are never opened.
    """
    shut = {os.path.realpath(path) for path in keep_shut}
    for path in paths:
        if os.fspath(path) == "-":
            yield from _standard_input(stdin, progress)
            continue
        for file in _files(Path(path)):
            if isinstance(file, RefusedFile):
                yield file
            elif os.path.realpath(file) not in shut:
                yield from _records_of(file, progress)


def size_of(
    paths: Sequence[str | os.PathLike[str]],
    *,
    keep_shut: Collection[str | os.PathLike[str]] = (),
) -> int:
    """Return how many bytes ``records`` will read from disk, as far as can be told before."""
    shut = {os.path.realpath(path) for path in keep_shut}
    total = 0
    for path in paths:
        for file in _files(Path(path)) if os.fspath(path) != "-" else ():
            with suppress(OSError):
                if isinstance(file, Path) and os.path.realpath(file) not in shut:
                    total += file.stat().st_size
    return total


def _files(path: Path) -> Iterator[Path | RefusedFile]:
    """Yield the file itself, or the files of a folder by name, folders in their place."""
    try:
        if not path.is_dir():
            yield path
            return
        inside = sorted(path.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        yield _unopened(path, error)
        return
    for entry in inside:
        if not entry.name.startswith(".") and not entry.name.endswith(BOOK_ENDINGS):
            yield from _inside(entry)


def _inside(entry: Path) -> Iterator[Path | RefusedFile]:
    """Yield what is to be read of one entry of a folder."""
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        yield _unopened(entry, error)
        return
    if stat.S_ISDIR(mode):
        # A linked folder could lead back up, and the walk would not end.
        yield from () if entry.is_symlink() else _files(entry)
    elif stat.S_ISREG(mode):
        yield entry
    else:
        yield RefusedFile(
            name=_shown(entry), reason="it is no regular file", remedy="Give it by its own name"
        )


def _records_of(
    path: Path, progress: Callable[[int], None] | None
) -> Iterator[RawRecord | RefusedFile]:
    name = _shown(path)
    if path.name.endswith(BOOK_ENDINGS):
        yield RefusedFile(
            name=name, reason="it is a book, not a record", remedy="Name it with --book"
        )
        return
    try:
        with path.open("rb") as file:
            yield from _opened(name, file, progress)
    except OSError as error:
        yield _unopened(path, error)


def _standard_input(
    stdin: IO[bytes] | None, progress: Callable[[int], None] | None
) -> Iterator[RawRecord | RefusedFile]:
    if stdin is None:
        yield RefusedFile(
            name=STANDARD_INPUT, reason="there is none", remedy="Pipe a record into the command"
        )
        return
    try:
        # A pipe cannot be read twice, and a zip file begins at its end.
        held = BytesIO(_all_of(iter(lambda: stdin.read(CHUNK_BYTES), b""), Budget(STANDARD_INPUT)))
    except RefusedFile as refused:
        yield refused
        return
    yield from _opened(STANDARD_INPUT, held, progress)


def _opened(
    name: str, file: IO[bytes], progress: Callable[[int], None] | None
) -> Iterator[RawRecord | RefusedFile]:
    """Yield what is in one opened file: one record, the members of a zip file, or its refusal."""
    try:
        head = file.read(CHUNK_BYTES)
        packing = _packing(name, head)
        if packing == "zip":
            yield from _zip_members(name, file, Budget(name, progress))
            return
        budget = Budget(name, progress)
        budget.take(len(head))
        read = _counted(head, file, budget)
        if packing is None:
            body = _all_of(iter(read, b""), None)
        else:
            body = _all_of(unpacked(packing, read, budget), None)
            _refuse_nested(name, body)
        yield _record(name, body)
    except RefusedFile as refused:
        yield refused


def _packing(name: str, head: bytes) -> str | None:
    packing = packing_of(head)
    ending = PurePosixPath(name).suffix.lower()
    if ending in _SPREADSHEETS:
        raise RefusedFile(
            name=name, reason="it is a spreadsheet file", remedy="Save the sheet as CSV, UTF-8"
        )
    if head.startswith(_SQLITE):
        raise RefusedFile(
            name=name, reason="it is a database, not a record", remedy="Name a book with --book"
        )
    promised = SUFFIXES.get(ending)
    if promised is not None and promised != packing:
        raise damaged(name, f"it does not begin as {promised} does")
    return packing


def _counted(head: bytes, file: IO[bytes], budget: Budget) -> Callable[[], bytes]:
    """Return a function that gives *head* first, then the rest of the file, counting the rest."""
    waiting = [head]

    def read() -> bytes:
        if waiting and (first := waiting.pop()):
            return first
        data = file.read(CHUNK_BYTES)
        budget.take(len(data))
        return data

    return read


def _all_of(chunks: Iterator[bytes], budget: Budget | None) -> bytes:
    held = BytesIO()
    for chunk in chunks:
        if budget is not None:
            budget.take(len(chunk))
        held.write(chunk)
    return held.getvalue()


def _record(name: str, body: bytes) -> RawRecord:
    return RawRecord(name=name, body=body, digest=Digest(sha256(body).hexdigest()))


def _refuse_nested(name: str, body: bytes) -> None:
    if packing_of(body[:8]) is not None:
        raise RefusedFile(
            name=name,
            reason="it holds another packed file",
            remedy="Unpack the outer one by hand and give what was in it",
        )


# ------------------------------------------------------------------------- zip


def _zip_members(name: str, file: IO[bytes], budget: Budget) -> Iterator[RawRecord]:
    """Yield the members of a zip file by name, once the whole of it has proved sound.

    It is read twice: the second member may be broken, and then the first is not taken either.
    """
    packed = file.seek(0, os.SEEK_END)
    if packed > RECORD_BYTES_MAX:
        raise too_large(name)
    _check_directory(name, file, packed)
    try:
        with zipfile.ZipFile(file) as archive:
            members = sorted(_sound_entries(name, archive), key=lambda member: member.filename)
            trial = Budget(name)
            trial.taken = packed
            for member in members:
                for number, data in enumerate(_chunks(archive, member)):
                    trial.give(len(data))
                    if not number:
                        _refuse_nested(name, data)
            for member in members:
                body = _all_of(_chunks(archive, member), None)
                budget.take(member.compress_size)
                yield _record(f"{name}/{member.filename}", body)
            budget.take(max(0, packed - budget.taken))
    except _UNSOUND as error:
        raise damaged(name, " ".join(str(error).split()) or "its end is missing") from error


def _check_directory(name: str, file: IO[bytes], packed: int) -> None:
    """Look at the size of the table of contents before it is read into memory."""
    file.seek(max(0, packed - (1 << 16) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise damaged(name, "its table of contents is missing")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > ZIP_DIRECTORY_BYTES_MAX:
        raise _zip_refused(name, f"it lists more than {ZIP_ENTRIES_MAX} entries")


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a member; at its end the library compares length and checksum."""
    given = 0
    with archive.open(member) as opened:
        while data := opened.read(CHUNK_BYTES):
            given += len(data)
            yield data
    if given != member.file_size:
        message = f"{member.filename} has {given} bytes where {member.file_size} are declared"
        raise zipfile.BadZipFile(message)


def _sound_entries(name: str, archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the members that are files. Raises: RefusedFile, for the first that is not honest."""
    entries = archive.infolist()
    if len(entries) > ZIP_ENTRIES_MAX:
        raise _zip_refused(name, f"it lists more than {ZIP_ENTRIES_MAX} entries")
    seen: set[str] = set()
    for entry in entries:
        reason = _fault(entry)
        if entry.filename in seen:
            reason = "it names one entry twice"
        if reason is not None:
            raise _zip_refused(name, reason)
        seen.add(entry.filename)
        hidden = any(part.startswith(".") for part in PurePosixPath(entry.filename).parts)
        if not entry.is_dir() and not hidden and not entry.filename.startswith("__MACOSX/"):
            yield entry


def _fault(entry: zipfile.ZipInfo) -> str | None:
    """Return why an entry is not taken from anybody, or None."""
    path = entry.filename
    if path.startswith("/") or path[1:2] == ":" or "\\" in (entry.orig_filename or path):
        return "an entry has an absolute path"
    if ".." in PurePosixPath(path).parts:
        return "an entry leads out of it with .."
    if "\0" in (entry.orig_filename or "") or not path.isprintable():
        return "the name of an entry holds control characters"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "an entry is a link"
    if entry.flag_bits & 0x1:
        return "an entry is encrypted"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "an entry is packed in a way that is not read"
    if PurePosixPath(path).suffix.lower() in {*SUFFIXES, *_SPREADSHEETS, ".tar", ".7z", ".rar"}:
        return "an entry is itself an archive"
    return None


def _zip_refused(name: str, reason: str) -> RefusedFile:
    return RefusedFile(
        name=name, reason=reason, remedy="Unpack it by hand if you trust it; nothing was taken"
    )


# ------------------------------------------------------------------------- names


def _shown(path: Path) -> str:
    """Return a path as text that can be written down; bytes that are no text stand escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _unopened(path: Path, error: OSError) -> RefusedFile:
    missing = isinstance(error, FileNotFoundError)
    reason = "there is no such file" if missing else (error.strerror or "it cannot be opened")
    return RefusedFile(
        name=_shown(path),
        reason=reason.lower() if not missing else reason,
        remedy="Check its name" if missing else "Check who may read it",
    )
