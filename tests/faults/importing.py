"""An import of many files in a process of its own, to be killed or to run into a broken disk.

``python importing.py BOOK`` writes ``ready`` when it begins, the number of every file once it is
acknowledged, and ``done``; a file it cannot write ends it with exit code 5 and the reason.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.book import Book
from ledger.entries import Reading, Unreadable
from ledger.errors import StoreBusy, StoreFailed
from ledger.units import Millis, Stream
from tests.support.books import reading_of, record_of

FILES = 12
OTHER = Stream("market:BTC")


def file(number: int):
    """Return a record and its reading: two streams, now and then two batches, one bad row."""
    hours = range(number * 3000, number * 3000 + (2100 if number % 6 == 3 else 120))
    parts = (*reading_of(hours).parts, *reading_of(hours, stream=OTHER).parts)
    bad = Unreadable(place=f"[{number}]", reason="not a number", text="x")
    return record_of(hours, name=f"{number}.json"), Reading(
        kind="userFunding", parts=parts, unreadable=(bad,)
    )


def import_all(path: Path, *, say=lambda text: None) -> None:
    """Import every file, as a user who begins again: what is there already adds nothing."""
    with Book.open(path, write=True) if path.exists() else Book.create(path) as book:
        say("ready")
        for number in range(FILES):
            book.append(*file(number), recorded=Millis(number))
            say(str(number))
    say("done")


def main() -> int:
    """Run the import and tell how it went."""
    try:
        import_all(Path(sys.argv[1]), say=lambda text: print(text, flush=True))
    except (StoreFailed, StoreBusy) as error:
        print("failed:", error, flush=True)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
