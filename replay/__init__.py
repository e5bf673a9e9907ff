"""Uses: who asks, and for what. Opens books, runs folds, answers, shows.

Nothing here knows what an event means (``projections``) or how it is stored (``ledger``).

Start with ``audit`` (the questions), then ``engine`` (how a course is folded), ``checkpoints``
(what is remembered of it) and ``cli`` (the command line, the only place that reads the clock).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from replay.audit import Audit

__version__ = "0.1.0"

__all__ = ["__version__", "open"]


def open(path: str | PathLike[str], *, cache: bool = True) -> Audit:  # noqa: A001 - replay.open reads as it should
    """Return an open book to ask questions of; close it, or use it in a ``with`` statement.

    ``cache=False`` neither reads nor writes remembered states: every answer is folded from
    nothing.

    Raises: NotFound, when there is no such file; StoreFailed, when it is no book.

    Example::

        replay.open("x.book").account("0x…").at("2026-02-10T13:00Z").balances
    """
    from replay.audit import Audit

    return Audit.open(path, cache=cache)
