"""Versions: what makes a report beside the book, so that a later difference can be named.

A version number is what people say; the digests are taken over the sources themselves, so that no
change of a rule, a formula or a sentence can be forgotten.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from projections.fold import FOLD_VERSION
from replay import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.resources.abc import Traversable

PACKAGES: Final = ("ledger", "projections", "replay")
RULES: Final = "projections/rulebooks"

_NAMES: Final = {
    "rollforward": "version of the product",
    "fold": "version of what states hold",
    "code": "sources of the product",
    "rules": "sources of the rulebooks",
    "rulebook": "rulebooks of the period",
}


def versions(rulebooks: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what makes a report now: ``rollforward 0.1.0``, ``fold 2``, ``code …``, ``rules …``.

    *rulebooks* are the ids of those the report was judged under.
    """
    return (
        f"rollforward {__version__}",
        f"fold {FOLD_VERSION}",
        f"code {_digest('')}",
        f"rules {_digest(RULES)}",
        *(f"rulebook {name}" for name in rulebooks),
    )


def changed(then: Sequence[str], now: Sequence[str]) -> tuple[str, ...]:
    """Return in words what is not as it was, nothing when all of it is.

    Example:
    >>> changed(("fold 1", "rulebook a"), ("fold 2", "rulebook a"))
    ('version of what states hold: fold 1 then, fold 2 now',)
    """
    told = []
    for name, means in _NAMES.items():
        old, new = (_of(name, each) for each in (then, now))
        if old != new:
            told.append(f"{means}: {old or 'none'} then, {new or 'none'} now")
    return tuple(told)


def _of(name: str, told: Sequence[str]) -> str:
    return ", ".join(_short(each) for each in told if each.partition(" ")[0] == name)


def _short(told: str) -> str:
    name, _, value = told.partition(" ")
    return f"{name} {value[:12]}" if name in {"code", "rules"} else told


@cache
def _digest(under: str) -> str:
    """Return the digest of all sources, or of those in one folder."""
    total = sha256(b"rollforward sources 1\n")
    for package in PACKAGES:
        for name, body in sorted(_sources(files(package), package)):
            if name.startswith(under):
                total.update(f"{name} {len(body)}\n".encode() + body)
    return total.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name.endswith(".py"):
            yield f"{name}/{entry.name}", entry.read_bytes()
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry, f"{name}/{entry.name}")
