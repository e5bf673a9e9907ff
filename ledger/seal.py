"""Seals: what makes a change of anything recorded show itself.

Every digest is SHA-256 over a recipe name and length-framed fields; ``docs/spec/seals.md`` has the
bytes and what a seal does not prove, ``fixtures/vectors/seals.json`` the examples. From the
inside out: the lines of a batch, its header (which names the lines and the header before it),
the head of every stream as leaves of a tree, the root chained to the seal before it.

Trees and proofs are those of RFC 9162 section 2.1 (the hashes of RFC 6962), and nothing else.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

import attrs

from ledger.units import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LINES_RECIPE: Final = b"rollforward lines 1\n"
BATCH_RECIPE: Final = b"rollforward batch 1\n"
HEAD_RECIPE: Final = b"rollforward head 1\n"
SEAL_RECIPE: Final = b"rollforward seal 1\n"
RECORD_RECIPE: Final = b"rollforward record 1\n"
CHECKPOINT_ORIGIN: Final = "rollforward/book/1"

ARCHIVE: Final = "archive"
"""The name under which the chain of raw records stands among the heads of streams."""

NO_SEAL: Final = Digest("0" * 64)
"""What a checkpoint names while the book has no seal."""

EMPTY_ROOT: Final = sha256().digest()
"""Root of a tree without leaves."""


@attrs.frozen(kw_only=True)
class Seal:
    """One seal: its number, the last position under it, the root over all heads, and its digest.

    ``records`` is how many raw records the archive held, ``previous`` the digest of the seal
    before this one, empty for the first.
    """

    number: int
    position: int
    records: int
    root: Digest
    previous: str
    digest: Digest


@attrs.frozen(kw_only=True)
class Head:
    """The last batch of one stream: its place in the stream and the digest of its header."""

    stream: str
    version: int
    digest: Digest


@attrs.frozen(kw_only=True)
class Checkpoint:
    """What is kept outside the book: how many batches it had, the root over them, the last seal."""

    size: int
    root: Digest
    number: int
    seal: Digest


def framed(field: bytes) -> bytes:
    """Return a field behind its length (8 bytes, big-endian)."""
    return len(field).to_bytes(8, "big") + field


def digest_of_record(body: bytes) -> Digest:
    """Return the digest of a raw record: plain SHA-256 of its bytes, as any shell computes it."""
    return Digest(sha256(body).hexdigest())


def digest_of_lines(joined: bytes, count: int) -> Digest:
    """Return the digest of a batch's lines, given joined by newlines, and of how many they are."""
    whole = sha256(LINES_RECIPE + count.to_bytes(8, "big") + len(joined).to_bytes(8, "big"))
    whole.update(joined)
    return Digest(whole.hexdigest())


def digest_of_header(line: bytes) -> Digest:
    """Return the digest of a batch: of its header line, which names lines and predecessor."""
    return Digest(sha256(BATCH_RECIPE + framed(line)).hexdigest())


def digest_of_archived(line: bytes) -> Digest:
    """Return the digest of an archive entry's line, which names its record and predecessor."""
    return Digest(sha256(RECORD_RECIPE + framed(line)).hexdigest())


def leaf_of_head(head: Head) -> bytes:
    """Return the leaf which stands for one stream in the tree of a seal."""
    return (
        HEAD_RECIPE
        + framed(head.stream.encode())
        + head.version.to_bytes(8, "big")
        + bytes.fromhex(head.digest)
    )


def root_of_heads(heads: Iterable[Head]) -> Digest:
    """Return the root over the heads of all streams, taken in the order of their names' bytes."""
    ordered = sorted(heads, key=lambda head: head.stream.encode())
    return Digest(tree_root([leaf_hash(leaf_of_head(head)) for head in ordered]).hex())


def digest_of_seal(*, previous: str, position: int, root: Digest) -> Digest:
    """Return the digest of a seal: previous seal (empty for the first), position and root."""
    fields = framed(bytes.fromhex(previous)) + position.to_bytes(8, "big") + bytes.fromhex(root)
    return Digest(sha256(SEAL_RECIPE + fields).hexdigest())


def seal(*, after: Seal | None, position: int, records: int, heads: Iterable[Head]) -> Seal:
    """Return the seal that follows another one, over the heads as they stand at a position.

    The archive, when it holds any record, is one of the heads, under the name ``ARCHIVE``.
    """
    previous = after.digest if after else ""
    root = root_of_heads(heads)
    return Seal(
        number=after.number + 1 if after else 1,
        position=position,
        records=records,
        root=root,
        previous=previous,
        digest=digest_of_seal(previous=previous, position=position, root=root),
    )


def leaf_of_batch(digest: Digest) -> bytes:
    """Return the leaf hash of a batch in the tree over all batches by position."""
    return leaf_hash(bytes.fromhex(digest))


def checkpoint_text(point: Checkpoint) -> str:
    """Return a checkpoint as text: a line each for origin, size, root, and number and seal."""
    return f"{CHECKPOINT_ORIGIN}\n{point.size}\n{point.root}\nseal {point.number} {point.seal}\n"


def read_checkpoint(text: str) -> Checkpoint | None:
    """Return the checkpoint of a text, or None when the text is not exactly one."""
    lines = text.split("\n")
    if len(lines) != 5 or lines[0] != CHECKPOINT_ORIGIN or lines[4]:
        return None
    word, _, rest = lines[3].partition(" ")
    number, _, digest = rest.partition(" ")
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in (lines[1], number)):
        return None
    point = Checkpoint(
        size=int(lines[1]), root=Digest(lines[2]), number=int(number), seal=Digest(digest)
    )
    hexadecimal = set("0123456789abcdef")
    is_whole = all(len(d) == 64 and hexadecimal.issuperset(d) for d in (point.root, point.seal))
    return point if word == "seal" and is_whole and checkpoint_text(point) == text else None


# ------------------------------------------------------------------ RFC 9162: trees and proofs


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 of 0x00 and its bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of 0x01 and both children."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes in order.

    Source: RFC 9162 section 2.1.1. A level without a partner hands its last hash up unchanged,
    which is the same tree as the recursive definition's.
    """
    level = list(hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        last = level[-1:] if len(level) & 1 else []
        level = [node_hash(a, b) for a, b in zip(level[::2], level[1::2], strict=False)] + last
    return level[0]


def _split(size: int) -> int:
    """Return the largest power of two below a size of two or more."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the hashes that lead from one leaf to the root, nearest first.

    Raises: IndexError, when there is no such leaf.
    Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < len(hashes):
        message = f"no leaf {index} in a tree of {len(hashes)}"
        raise IndexError(message)
    if len(hashes) == 1:
        return ()
    k = _split(len(hashes))
    if index < k:
        return (*inclusion_proof(hashes[:k], index), tree_root(hashes[k:]))
    return (*inclusion_proof(hashes[k:], index - k), tree_root(hashes[:k]))


def consistency_proof(hashes: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Return the hashes that show the first *size* leaves to be the beginning of all of them.

    Raises: IndexError, when *size* is not between 1 and the number of leaves.
    Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 < size <= len(hashes):
        message = f"no tree of {size} leaves in one of {len(hashes)}"
        raise IndexError(message)
    return _subproof(hashes, size, is_known=True)


def _subproof(hashes: Sequence[bytes], size: int, *, is_known: bool) -> tuple[bytes, ...]:
    if size == len(hashes):
        return () if is_known else (tree_root(hashes),)
    k = _split(len(hashes))
    if size <= k:
        return (*_subproof(hashes[:k], size, is_known=is_known), tree_root(hashes[k:]))
    return (*_subproof(hashes[k:], size - k, is_known=False), tree_root(hashes[:k]))


def is_included(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof shows that the leaf hash stands at *index* under the root.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size or len(leaf) != 32 or any(len(step) != 32 for step in proof):
        return False
    fn, sn, found = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(step, found)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == root


def is_consistent(
    *, size: int, root: bytes, later_size: int, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether a proof shows that the later tree begins with the earlier one.

    Nothing is shown by a tree without leaves, so it is never consistent.
    Source: RFC 9162 section 2.1.4.2.
    """
    if any(len(step) != 32 for step in proof) or not 0 < size <= later_size:
        return False
    if size == later_size:
        return not proof and root == later_root
    if not proof:
        return False
    path = list(proof) if size & (size - 1) else [root, *proof]
    fn, sn = size - 1, later_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == root and second == later_root
