"""Seals: the vectors of the specification, the vectors of others, and what no proof may survive."""

from __future__ import annotations

import base64
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import seal

ROOT = Path(__file__).resolve().parents[2]
OURS = json.loads((ROOT / "fixtures" / "vectors" / "seals.json").read_text(encoding="utf-8"))
THEIRS = Path(os.environ.get("ROLLFORWARD_VECTORS", ROOT / "../shared/vectors")) / "merkle/testdata"


def of_others(kind: str) -> list[dict]:
    if not THEIRS.is_dir():
        pytest.skip("no Merkle vectors; ROLLFORWARD_VECTORS names the folder to look in")
    found = [json.loads(path.read_bytes()) for path in sorted((THEIRS / kind).rglob("*.json"))]
    assert len(found) == 98
    return found


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def test_inclusion_proofs_are_judged_as_the_vectors_of_others_say():
    verdicts = [
        seal.is_included(
            leaf=raw(vector["leafHash"]),
            index=vector["leafIdx"],
            size=vector["treeSize"],
            proof=[raw(step) for step in vector["proof"] or ()],
            root=raw(vector["root"]),
        )
        for vector in of_others("inclusion")
    ]
    assert [not vector["wantErr"] for vector in of_others("inclusion")] == verdicts
    assert {True, False} == set(verdicts)


def test_consistency_proofs_are_judged_as_the_vectors_of_others_say():
    for vector in of_others("consistency"):
        verdict = seal.is_consistent(
            size=vector["size1"],
            root=raw(vector["root1"]),
            later_size=vector["size2"],
            later_root=raw(vector["root2"]),
            proof=[raw(step) for step in vector["proof"] or ()],
        )
        assert (not vector["wantErr"]) == verdict, vector["desc"]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    halves = root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])
    return sha256(b"\x01" + halves).digest()


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_the_root_is_that_of_the_definition(leaves):
    assert root_by_definition(leaves) == seal.tree_root([seal.leaf_hash(leaf) for leaf in leaves])


def tree(size: int) -> list[bytes]:
    return [seal.leaf_hash(bytes([number])) for number in range(size)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_honest_inclusion_proof_verifies_and_no_other_leaf_does(size):
    leaves = tree(size)
    root = seal.tree_root(leaves)
    for index in range(size):
        proof = seal.inclusion_proof(leaves, index)
        accepted = [
            other
            for other in range(size)
            if seal.is_included(leaf=leaves[other], index=index, size=size, proof=proof, root=root)
        ]
        assert [index] == accepted


@pytest.mark.parametrize("size", range(1, 34))
def test_every_honest_consistency_proof_verifies_and_none_for_another_beginning(size):
    leaves = tree(size)
    root = seal.tree_root(leaves)
    for earlier in range(1, size + 1):
        proof = seal.consistency_proof(leaves, earlier)
        for claimed in (leaves[:earlier], [seal.leaf_hash(b"else"), *leaves[1:earlier]]):
            verdict = seal.is_consistent(
                size=earlier,
                root=seal.tree_root(claimed),
                later_size=size,
                later_root=root,
                proof=proof,
            )
            assert (claimed == leaves[:earlier]) == verdict


@given(st.integers(2, 60), st.data())
def test_a_changed_proof_is_refused(size, data):
    leaves = tree(size)
    root = seal.tree_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = list(seal.inclusion_proof(leaves, index))
    place = data.draw(st.integers(0, len(proof) - 1))
    change = data.draw(st.sampled_from(["flip", "drop", "double", "swap"]))
    if change == "flip":
        bit = data.draw(st.integers(0, 255))
        number = int.from_bytes(proof[place], "big") ^ (1 << bit)
        proof[place] = number.to_bytes(32, "big")
    elif change == "drop":
        del proof[place]
    elif change == "double":
        proof.insert(place, proof[place])
    else:
        proof[place], proof[0] = proof[0], proof[place]
    honest = proof == list(seal.inclusion_proof(leaves, index))
    assert honest == seal.is_included(
        leaf=leaves[index], index=index, size=size, proof=proof, root=root
    )


def test_there_is_no_proof_of_what_is_not_in_the_tree():
    with pytest.raises(IndexError, match="no leaf 3 in a tree of 3"):
        seal.inclusion_proof(tree(3), 3)
    with pytest.raises(IndexError, match="no tree of 4 leaves in one of 3"):
        seal.consistency_proof(tree(3), 4)


# ------------------------------------------------------------------ the recipe, byte by byte


def frame(field: bytes) -> bytes:
    return len(field).to_bytes(8, "big") + field


@pytest.mark.parametrize("vector", OURS["lines"], ids=lambda v: v["name"])
def test_lines_follow_the_recipe(vector):
    lines = [line.encode() for line in vector["lines"]]
    joined = b"\n".join(lines)
    by_hand = sha256(
        b"rollforward lines 1\n" + len(lines).to_bytes(8, "big") + frame(joined)
    ).hexdigest()
    assert vector["digest"] == by_hand
    assert vector["digest"] == seal.digest_of_lines(joined, len(lines))


@pytest.mark.parametrize("vector", OURS["headers"], ids=lambda v: v["name"])
def test_headers_follow_the_recipe(vector):
    by_hand = sha256(b"rollforward batch 1\n" + frame(vector["header"].encode())).hexdigest()
    assert vector["digest"] == by_hand
    assert vector["digest"] == seal.digest_of_header(vector["header"].encode())


@pytest.mark.parametrize("vector", OURS["archived"], ids=lambda v: v["name"])
def test_archive_entries_follow_the_recipe(vector):
    by_hand = sha256(b"rollforward record 1\n" + frame(vector["entry"].encode())).hexdigest()
    assert vector["digest"] == by_hand
    assert vector["digest"] == seal.digest_of_archived(vector["entry"].encode())


@pytest.mark.parametrize("vector", OURS["seals"], ids=lambda v: v["name"])
def test_seals_follow_the_recipe(vector):
    leaves = [
        b"rollforward head 1\n"
        + frame(head["stream"].encode())
        + head["version"].to_bytes(8, "big")
        + bytes.fromhex(head["digest"])
        for head in sorted(vector["heads"], key=lambda head: head["stream"].encode())
    ]
    root = root_by_definition(leaves)
    by_hand = sha256(
        b"rollforward seal 1\n"
        + frame(bytes.fromhex(vector["previous"]))
        + vector["position"].to_bytes(8, "big")
        + root
    ).hexdigest()
    assert (vector["root"], vector["digest"]) == (root.hex(), by_hand)
    heads = [seal.Head(**head) for head in vector["heads"]]
    assert vector["root"] == seal.root_of_heads(heads)
    assert vector["digest"] == seal.digest_of_seal(
        previous=vector["previous"], position=vector["position"], root=vector["root"]
    )


def test_the_order_in_which_heads_are_given_does_not_matter():
    heads = [seal.Head(**head) for head in OURS["seals"][-1]["heads"]]
    assert 1 < len(heads)
    assert seal.root_of_heads(heads) == seal.root_of_heads(heads[::-1])


def test_a_seal_numbers_and_names_the_one_before():
    head = seal.Head(stream="venue", version=1, digest="ab" * 32)
    first = seal.seal(after=None, position=1, records=0, heads=[head])
    second = seal.seal(after=first, position=2, records=0, heads=[head])
    assert (1, "") == (first.number, first.previous)
    assert (2, first.digest) == (second.number, second.previous)
    assert first.root == second.root
    assert first.digest != second.digest


def test_a_checkpoint_is_read_as_it_is_written():
    point = seal.Checkpoint(size=7, root="0a" * 32, number=3, seal="f0" * 32)
    text = seal.checkpoint_text(point)
    assert f"rollforward/book/1\n7\n{'0a' * 32}\nseal 3 {'f0' * 32}\n" == text
    assert point == seal.read_checkpoint(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [("7\n", "07\n"), ("book/1", "book/2"),
     ("seal 3", "seal  3"), ("0a0a", "0A0A"), ("\n7", "\n-7"),
     ("f0f0", "f0f"), ("seal", "leaf"), ("\nseal", "\n\nseal")],
)  # fmt: skip
def test_a_text_that_is_not_exactly_a_checkpoint_is_none(old, new):
    point = seal.Checkpoint(size=7, root="0a" * 32, number=3, seal="f0" * 32)
    text = seal.checkpoint_text(point)
    assert old in text
    assert seal.read_checkpoint(text.replace(old, new, 1)) is None
