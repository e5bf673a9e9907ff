"""Proofs: many of one tree, each part of which is hashed once.

``ledger.seal`` makes one proof by itself; a pack needs one for every batch in it, and one for every
earlier seal. What they say is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger import seal

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tree:
    """A tree over leaf hashes, as RFC 9162 section 2.1 has it."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        """Keep the leaf hashes in order."""
        self._hashes = hashes
        self._roots: dict[tuple[int, int], bytes] = {}

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """Return the hashes that lead from one leaf to the root, nearest first.

        Raises: IndexError, when there is no such leaf.
        """
        start, end = 0, len(self._hashes)
        if not 0 <= index < end:
            message = f"no leaf {index} in a tree of {end}"
            raise IndexError(message)
        found: list[bytes] = []
        while end - start > 1:
            middle = _middle(start, end)
            if index < middle:
                found.append(self._root(middle, end))
                end = middle
            else:
                found.append(self._root(start, middle))
                start = middle
        return tuple(reversed(found))

    def consistency(self, size: int) -> tuple[bytes, ...]:
        """Return the hashes that show the first *size* leaves to be the beginning of all of them.

        Raises: IndexError, when *size* is not between 1 and the number of leaves.
        """
        start, end = 0, len(self._hashes)
        if not 0 < size <= end:
            message = f"no tree of {size} leaves in one of {end}"
            raise IndexError(message)
        found: list[bytes] = []
        while size != end:
            middle = _middle(start, end)
            if size <= middle:
                found.append(self._root(middle, end))
                end = middle
            else:
                found.append(self._root(start, middle))
                start = middle
        if start:
            found.append(self._root(start, end))
        return tuple(reversed(found))

    def _root(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return self._hashes[start]
        known = self._roots.get((start, end))
        if known is None:
            middle = _middle(start, end)
            known = seal.node_hash(self._root(start, middle), self._root(middle, end))
            self._roots[start, end] = known
        return known


def _middle(start: int, end: int) -> int:
    """Return where a part of the tree divides: the largest power of two below its size."""
    return start + (1 << ((end - start - 1).bit_length() - 1))
