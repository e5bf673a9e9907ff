"""The verifier's proofs and signatures: vectors of others, vectors of ours, every small tree."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from ledger import seal
from replay.evidence.verifier.ed25519 import is_signed
from replay.evidence.verifier.merkle import is_consistent, is_included
from tests.support import merkle_vectors

ROOT = Path(__file__).resolve().parents[2]
THEIRS = Path(os.environ.get("ROLLFORWARD_VECTORS", ROOT / "../shared/vectors")) / "merkle/testdata"
OURS = json.loads(merkle_vectors.FILE.read_text(encoding="utf-8"))


def of_others(kind: str) -> list[dict]:
    if not THEIRS.is_dir():
        pytest.skip("no Merkle vectors; ROLLFORWARD_VECTORS names the folder to look in")
    found = [json.loads(path.read_bytes()) for path in sorted((THEIRS / kind).rglob("*.json"))]
    assert 98 == len(found)
    return found


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def steps(vector: dict) -> list[bytes]:
    return [raw(step) for step in vector["proof"] or ()]


def test_the_vectors_of_others_are_judged_alike_by_the_tree_and_by_the_verifier(figure) -> None:
    right = {"tree": 0, "verifier": 0}
    for vector in of_others("inclusion"):
        leaf, root, proof = raw(vector["leafHash"]), raw(vector["root"]), steps(vector)
        index, size = vector["leafIdx"], vector["treeSize"]
        wanted = not vector["wantErr"]
        ours = seal.is_included(leaf=leaf, index=index, size=size, proof=proof, root=root)
        right["tree"] += wanted == ours
        right["verifier"] += wanted == is_included(leaf, index, size, proof, root)
    for vector in of_others("consistency"):
        size, later, proof = vector["size1"], vector["size2"], steps(vector)
        root, later_root = raw(vector["root1"]), raw(vector["root2"])
        wanted = not vector["wantErr"]
        ours = seal.is_consistent(
            size=size, root=root, later_size=later, later_root=later_root, proof=proof
        )
        right["tree"] += wanted == ours
        right["verifier"] += wanted == is_consistent(size, root, later, later_root, proof)
    assert {"tree": 196, "verifier": 196} == right
    figure(
        line="5-2",
        text="vectors of others, judged alike by tree and verifier",
        value="98 of 98 inclusion, 98 of 98 consistency",
    )


def hexed(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_our_own_vectors_are_judged_alike_by_the_tree_and_by_the_verifier(figure) -> None:
    assert merkle_vectors.FILE.read_text(encoding="utf-8") == merkle_vectors.composed()
    for case in OURS["inclusion"]:
        leaf, root, proof = *hexed([case["leaf"], case["root"]]), hexed(case["proof"])
        index, size = case["index"], case["size"]
        assert case["good"] == is_included(leaf, index, size, proof, root), case["name"]
        assert case["good"] == seal.is_included(
            leaf=leaf, index=index, size=size, proof=proof, root=root
        ), case["name"]
    for case in OURS["consistency"]:
        root, later_root, proof = *hexed([case["root"], case["later_root"]]), hexed(case["proof"])
        size, later = case["size"], case["later_size"]
        assert case["good"] == is_consistent(size, root, later, later_root, proof), case["name"]
        assert case["good"] == seal.is_consistent(
            size=size, root=root, later_size=later, later_root=later_root, proof=proof
        ), case["name"]
    counts = len(OURS["inclusion"]), len(OURS["consistency"])
    assert all(98 <= count for count in counts)
    figure(
        line="5-2",
        text="vectors of our own",
        value=f"{counts[0]} inclusion, {counts[1]} consistency",
    )


@pytest.mark.parametrize("size", range(1, 25))
def test_the_verifier_takes_the_proofs_the_tree_makes_and_none_for_another_place(size) -> None:
    leaves = [seal.leaf_hash(bytes([number])) for number in range(size)]
    root = seal.tree_root(leaves)
    for index in range(size):
        proof = list(seal.inclusion_proof(leaves, index))
        taken = [n for n in range(size) if is_included(leaves[n], index, size, proof, root)]
        assert [index] == taken
        early = seal.tree_root(leaves[: index + 1])
        grown = list(seal.consistency_proof(leaves, index + 1))
        assert is_consistent(index + 1, early, size, root, grown)
        assert not is_consistent(index + 1, seal.leaf_hash(b"else"), size, root, grown)


RFC_8032 = (
    # public key, message and signature of section 7.1: tests 1 to 3 and SHA(abc)
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     ("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"),
     ("dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")),
)  # fmt: skip


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_the_signatures_of_rfc_8032_verify_and_no_changed_bit_does(key, message, signature) -> None:
    public, said, signed = hexed([key, message, signature])
    assert is_signed(public, said, signed)
    assert not is_signed(public, said + b"x", signed)
    for bit in (0, 255, 256, 300, 511):
        changed = (int.from_bytes(signed, "little") ^ (1 << bit)).to_bytes(64, "little")
        assert not is_signed(public, said, changed)
    other = (int.from_bytes(public, "little") ^ 1).to_bytes(32, "little")
    assert not is_signed(other, said, signed)


def test_a_signature_beside_the_order_of_the_group_is_refused() -> None:
    """S + L satisfies the equation as well; RFC 8032 demands the smaller."""
    public, said, signed = hexed([RFC_8032[1][0], RFC_8032[1][1], RFC_8032[1][2]])
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(signed[32:], "little") + order
    assert not is_signed(public, said, signed[:32] + scalar.to_bytes(32, "little"))


def test_the_verifier_and_the_library_agree_on_signatures() -> None:
    from ledger.signatures import new_key, sign

    for number in range(8):
        key = new_key("ada", bytes([number]) * 32)
        text = f"text {number}\n"
        line = sign(text, key)
        assert is_signed(key.verifier.public, text.encode(), line.signature)
        assert not is_signed(key.verifier.public, b"another\n", line.signature)
