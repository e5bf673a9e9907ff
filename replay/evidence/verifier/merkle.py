"""Trees: proofs of inclusion and of consistency, as RFC 9162 (and RFC 6962) has them.

Roots are computed from proofs by walking down the shape of the tree, as the definitions of section
2.1 do, not by the iterative procedures of the same section.
"""

from __future__ import annotations

from hashlib import sha256


def leaf(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def parent(left: bytes, right: bytes) -> bytes:
    """Return the hash of two children."""
    return sha256(b"\x01" + left + right).digest()


def largest_power_below(size: int) -> int:
    """Return the largest power of two smaller than a size of two or more."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def included_root(hashed: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """Return the root that a proof of inclusion leads to; None when it has not the tree's shape."""
    if not 0 <= index < size or len(hashed) != 32 or any(len(step) != 32 for step in proof):
        return None
    if size == 1:
        return None if proof else hashed
    if not proof:
        return None
    *inner, last = proof
    half = largest_power_below(size)
    if index < half:
        left = included_root(hashed, index, half, inner)
        return None if left is None else parent(left, last)
    right = included_root(hashed, index - half, size - half, inner)
    return None if right is None else parent(last, right)


def is_included(hashed: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Tell whether a proof shows a leaf's hash at a place of the tree with this root."""
    return included_root(hashed, index, size, proof) == root


def is_consistent(
    earlier: int, earlier_root: bytes, later: int, later_root: bytes, proof: list[bytes]
) -> bool:
    """Tell whether a proof shows the earlier tree to be the beginning of the later one.

    A tree without leaves is the beginning of nothing in particular: that is never shown.
    """
    if not 0 < earlier <= later or any(len(step) != 32 for step in proof):
        return False
    if earlier == later:
        return not proof and earlier_root == later_root
    roots = _grown(earlier, later, list(proof), earlier_root, whole=True)
    return roots == (earlier_root, later_root)


def _grown(
    earlier: int, later: int, proof: list[bytes], known: bytes, *, whole: bool
) -> tuple[bytes, bytes] | None:
    """Return both roots of a subtree, of its first leaves and of all, out of its part of a proof.

    *whole* tells that the earlier tree begins here and is one perfect subtree so far: its root is
    known then and not repeated in the proof.
    """
    if earlier == later:
        if whole:
            return None if proof else (known, known)
        return (proof[0], proof[0]) if len(proof) == 1 else None
    if not proof:
        return None
    *inner, last = proof
    half = largest_power_below(later)
    if earlier <= half:
        found = _grown(earlier, half, inner, known, whole=whole)
        return None if found is None else (found[0], parent(found[1], last))
    found = _grown(earlier - half, later - half, inner, known, whole=False)
    return None if found is None else (parent(last, found[0]), parent(last, found[1]))
