"""Swap: a file is made aside and takes the place of the one that is served, whole or not at all.

Whoever reads the old file keeps it as it was, immutable or not; a process that is killed leaves
the old one as it was, and a piece aside that the next run clears away.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs
from typing_extensions import override

from ledger.errors import NotFound, StoreFailed, UnclearQuestion
from replay.readmodel.build import Source, Work, made_by, update
from replay.readmodel.file import FORMAT, ViewsFile
from replay.readmodel.tables import META, TABLES

if TYPE_CHECKING:
    from replay.audit import Audit
    from replay.readmodel.build import Tell
    from replay.readmodel.columns import Cell, Table

ASIDE: Final = "-new."
"""Behind the name of the file, and before the number of the process that makes it aside."""

PASSING: Final = frozenset({"built", "how"})
"""What two files that say the same may say differently: when and how they were made."""

How: TypeAlias = Literal["unchanged", "brought up to date", "made", "made anew"]


@attrs.frozen(kw_only=True)
class Difference:
    """The first place where two files differ."""

    table: str
    key: str
    column: str
    served: str
    rebuilt: str

    @override
    def __str__(self) -> str:
        """Return it as one sentence."""
        return (
            f"{self.table} {self.key}: {self.column} is {self.served} in the served file and "
            f"{self.rebuilt} in the one made from nothing"
        )


@attrs.frozen(kw_only=True)
class Outcome:
    """What a run came to. ``compared`` counts the rows held against each other, None where none."""

    path: Path
    how: How
    because: str
    work: Work
    counts: dict[str, int]
    compared: int | None = None
    difference: Difference | None = None

    @property
    def is_switched(self) -> bool:
        """Whether the file is another one now."""
        return self.how != "unchanged"


def refresh(
    audit: Audit, path: Path, *, built: str, rebuild: bool = False, anyway: bool = False,
    dry: bool = False, tell: Tell = lambda _: None,
) -> Outcome:  # fmt: skip
    """Bring the file at *path* up to its book, or make it; with *rebuild* from nothing.

    A file made from nothing is held against the served one where both are of one position and
    version; where they differ it takes the other's place only when *anyway* is said. *dry* makes
    and compares, and leaves everything as it is. *built* is the moment as text.

    Raises: UnclearQuestion, when the file is no read model or of another book; BrokenChain, when
    the book is damaged; NotFound, without its folder; StoreFailed, when it cannot be written.
    """
    if not path.parent.is_dir():
        raise NotFound(
            what="folder", name=str(path.parent), where="", remedy="Make it first, or name another"
        )
    source = Source.of(audit)
    _clear(path)
    served = _served(path)
    because = "" if rebuild else _why_anew(served, path, source)
    goes_on = served is not None and not because and not rebuild
    if goes_on and served is not None and served["seal"] == source.seal:
        return _unchanged(path, source)
    aside = path.with_name(f"{path.name}{ASIDE}{os.getpid()}")
    try:
        if goes_on:
            shutil.copyfile(path, aside)
        how: How = (
            "brought up to date" if goes_on else "made anew" if served is not None else "made"
        )
        said = because or ("asked for" if rebuild else "")
        work, counts = _made(aside, source, built, f"{how}{f': {said}' if said else ''}",
                             goes_on=goes_on, tell=tell)  # fmt: skip
        compared, difference = None, None
        if rebuild and served is not None and _is_same(served, source):
            tell("comparing")
            compared, difference = compare(path, aside)
        if dry or (difference and not anyway):
            how = "unchanged"
        else:
            _publish(aside, path)
    except sqlite3.IntegrityError:
        raise  # rows that do not fit together are our own mistake
    except sqlite3.DatabaseError as error:
        message = (
            f"{path}: {error}. Nothing took its place; if the file itself is damaged, delete it "
            f"and it is made again"
        )
        raise StoreFailed(message) from error
    finally:
        with suppress(OSError):
            aside.unlink()
    return Outcome(
        path=path, how=how, because=said, work=work, counts=counts, compared=compared,
        difference=difference,
    )  # fmt: skip


def _made(
    aside: Path, source: Source, built: str, how: str, *, goes_on: bool, tell: Tell
) -> tuple[Work, dict[str, int]]:
    with ViewsFile.reopen(aside) if goes_on else ViewsFile.make(aside) as file:
        work = update(file, source, tell=tell)
        file.commit(source.meta(built=built, how=how))
        file.analyze()
        return work, file.counts()


def _unchanged(path: Path, source: Source) -> Outcome:
    with ViewsFile.read(path) as file:
        counts = file.counts()
    work = Work(
        since=source.position, position=source.position, recorded=0, folded=0, accounts=0, rows=0
    )
    return Outcome(path=path, how="unchanged", because="nothing new", work=work, counts=counts)


def _served(path: Path) -> dict[str, str] | None:
    """Return what the served file says of itself; None without one, nothing when it is torn.

    Raises: UnclearQuestion, when it is no read model.
    """
    if not path.exists():
        return None
    try:
        with ViewsFile.read(path) as file:
            return file.meta()
    except sqlite3.DatabaseError:
        return {}


def _why_anew(served: dict[str, str] | None, path: Path, source: Source) -> str:
    """Return why a served file cannot be gone on with; nothing when it can.

    Raises: UnclearQuestion, when it was made from another book, or from more than this one has.
    """
    if served is None:
        return ""
    if served.get("format") != FORMAT:
        return "the file is torn, or of another form"
    if not source.sealed_at(int(served["position"]), served["seal"]):
        raise UnclearQuestion(
            asked=str(path),
            problem=f"was made from {served['book']} at position {served['position']}, and "
            f"{source.audit.path.name} at position {source.position} has not its seal: it is "
            f"another book, or an older copy",
            remedy="Name another file, or make this one anew with --rebuild",
        )
    return "" if served["code"] == made_by("code") else "another version of rollforward made it"


def _is_same(served: dict[str, str], source: Source) -> bool:
    now = source.meta(built="", how="")
    return all(served.get(name) == now[name] for name in ("format", "seal", "code"))


def _publish(aside: Path, path: Path) -> None:
    """Put a whole file in its place: on the disk first, then under its name, at one stroke."""
    with aside.open("rb+") as file:
        os.fsync(file.fileno())
    aside.replace(path)
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _clear(path: Path) -> None:
    """Take away what killed runs left aside."""
    for left in path.parent.glob(f"{path.name}{ASIDE}*"):
        number = left.name.rpartition(".")[2]
        if number.isdigit() and not _is_running(int(number)):
            with suppress(FileNotFoundError):
                left.unlink()


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def compare(served: Path, rebuilt: Path) -> tuple[int, Difference | None]:
    """Return how many rows two files agree on, and the first place where they differ."""
    with ViewsFile.read(served) as one, ViewsFile.read(rebuilt) as other:
        count = 0
        for table in TABLES:
            ours, theirs = one.each(table), other.each(table)
            while True:
                left, right = next(ours, None), next(theirs, None)
                if left is None and right is None:
                    break
                if left != right and not _is_passing(table, left, right):
                    return count, _difference(table, left, right)
                count += 1
    return count, None


def _is_passing(
    table: Table, left: tuple[Cell, ...] | None, right: tuple[Cell, ...] | None
) -> bool:
    if table is not META or left is None or right is None:
        return False
    return left[0] == right[0] and left[0] in PASSING


def _difference(
    table: Table, left: tuple[Cell, ...] | None, right: tuple[Cell, ...] | None
) -> Difference:
    names = [column.name for column in table.stored]
    row = left if left is not None else right
    assert row is not None, "one of them is there"
    told = dict(zip(names, row, strict=True))
    key = " ".join(str(told[name]) for name in table.key)
    column = "the row"
    pair = ("there" if left else "not there", "there" if right else "not there")
    if left is not None and right is not None:
        place = next(number for number in range(len(names)) if left[number] != right[number])
        column = names[place]
        pair = (_shown(left[place]), _shown(right[place]))
    return Difference(table=table.name, key=key, column=column, served=pair[0], rebuilt=pair[1])


def _shown(cell: Cell) -> str:
    if isinstance(cell, bytes):
        return f"{len(cell)} bytes"
    return "nothing" if cell is None else str(cell)


__all__ = ["Outcome", "compare", "refresh"]
