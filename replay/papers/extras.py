"""Extras: libraries that papers need and that not everybody installs."""

from __future__ import annotations

from ledger.errors import NotFound


def absent(library: str, *, paper: str, extra: str) -> NotFound:
    """Return the error that names a library and how to get it."""
    return NotFound(
        what="library",
        where="",
        name=library,
        remedy=f"{paper} needs it: pip install 'rollforward[{extra}]'",
    )
