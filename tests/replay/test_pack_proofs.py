"""Proofs of a pack are those of the tree that the book seals, made with fewer hashes."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger import seal
from replay.evidence.proofs import Tree

HASHES = [sha256(bytes([number])).digest() for number in range(41)]


def test_every_proof_of_every_small_tree_is_the_one_the_book_makes() -> None:
    for count in range(1, len(HASHES) + 1):
        hashes = HASHES[:count]
        tree = Tree(hashes)
        for index in range(count):
            assert seal.inclusion_proof(hashes, index) == tree.inclusion(index), (count, index)
            assert seal.consistency_proof(hashes, index + 1) == tree.consistency(index + 1)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(IndexError):
        Tree(HASHES[:3]).inclusion(index)


@pytest.mark.parametrize("size", [0, 4])
def test_a_size_that_never_was_has_no_proof(size: int) -> None:
    with pytest.raises(IndexError):
        Tree(HASHES[:3]).consistency(size)
