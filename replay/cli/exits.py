"""Exit codes: the one table of them, and which exception ends in which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ledger.errors import RollforwardError

FINE: Final = 0
FINDING: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
REFUSED: Final = 4
STORAGE: Final = 5
MISTAKE: Final = 70
INTERRUPTED: Final = 130
READER_GONE: Final = 141

MEANINGS: Final[dict[int, tuple[str, str]]] = {
    FINE: ("fine", "done; with `verify`, proven against a checkpoint kept elsewhere"),
    FINDING: (
        "finding",
        (
            "two truths differ: a check found something, a second record contradicts the first, a "
            "closed report is not made again as it was, "
            "or the stored bytes are not the ones that were recorded"
        ),
    ),
    USAGE: (
        "usage",
        (
            "the question is not clear: an unknown option, account or event, a time without zone, "
            "or a file that needs one more option (the message names it)"
        ),
    ),
    INCOMPLETE: (
        "incomplete",
        (
            "done in part: some rows went to quarantine, a proof lacks its outside checkpoint, or "
            "a figure asked for is unknown, or a closed report cannot be made again"
        ),
    ),
    REFUSED: (
        "input refused",
        (
            "a whole file could not be taken, or an act does not fit what it is about, such as the "
            "approval of one's own explanation; nothing of it was written"
        ),
    ),
    STORAGE: (
        "storage",
        (
            "the book is held by another writer, the file system failed, or a time-stamp "
            "authority gave no stamp"
        ),
    ),
    MISTAKE: ("mistake", "rollforward itself failed; the traceback says where"),
    INTERRUPTED: ("interrupted", "stopped from the keyboard; files already reported are in"),
    READER_GONE: ("reader gone", "whoever read the output closed it, as `head` does"),
}
"""What every code means: its name, and the sentence of the reference."""

_BY_NAME: Final[dict[str, int]] = {
    "MalformedRecord": INCOMPLETE,
    "RefusedFile": REFUSED,
    "RefusedAct": REFUSED,
    "NeedsHint": USAGE,
    "UnknownKind": FINDING,
    "NotFound": USAGE,
    "NotInForce": USAGE,
    "UnclearQuestion": USAGE,
    "BrokenChain": FINDING,
    "StoreBusy": STORAGE,
    "StoreFailed": STORAGE,
    "NoStamp": STORAGE,
}


def of(error: RollforwardError) -> int:
    """Return the exit code an exception ends in, by the nearest of its classes."""
    for ancestor in type(error).__mro__:
        if ancestor.__name__ in _BY_NAME:
            return _BY_NAME[ancestor.__name__]
    return FINDING


def worst(codes: set[int]) -> int:
    """Return the code of several outcomes: refused, then usage, finding, incomplete, fine."""
    for code in (STORAGE, REFUSED, USAGE, FINDING, INCOMPLETE):
        if code in codes:
            return code
    return FINE
