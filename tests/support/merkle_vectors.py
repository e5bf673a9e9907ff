"""Vectors of trees and proofs, composed from the definitions of RFC 9162 with SHA-256 alone.

``python -m tests.support.merkle_vectors`` writes ``fixtures/vectors/merkle.json``. The good proofs
are those of the recursive definitions; every bad one is a good one with one thing wrong.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "fixtures" / "vectors" / "merkle.json"
GARBAGE = sha256(b"nothing of this tree").digest()
INCLUSIONS = ((0, 8), (5, 8), (2, 3), (4, 7), (10, 13))
CONSISTENCIES = ((1, 8), (6, 8), (3, 7), (5, 13))

Case = dict[str, object]


def leaves(size: int) -> list[bytes]:
    return [sha256(b"\x00" + f"leaf {number}".encode()).digest() for number in range(size)]


def power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def root(hashed: list[bytes]) -> bytes:
    if not hashed:
        return sha256(b"").digest()
    if len(hashed) == 1:
        return hashed[0]
    k = power_below(len(hashed))
    return sha256(b"\x01" + root(hashed[:k]) + root(hashed[k:])).digest()


def path(index: int, hashed: list[bytes]) -> list[bytes]:
    if len(hashed) == 1:
        return []
    k = power_below(len(hashed))
    if index < k:
        return [*path(index, hashed[:k]), root(hashed[k:])]
    return [*path(index - k, hashed[k:]), root(hashed[:k])]


def subproof(size: int, hashed: list[bytes], *, whole: bool) -> list[bytes]:
    if size == len(hashed):
        return [] if whole else [root(hashed)]
    k = power_below(len(hashed))
    if size <= k:
        return [*subproof(size, hashed[:k], whole=whole), root(hashed[k:])]
    return [*subproof(size - k, hashed[k:], whole=False), root(hashed[:k])]


def flipped(proof: list[bytes], place: int, bit: int) -> list[bytes]:
    changed = (int.from_bytes(proof[place], "big") ^ (1 << bit)).to_bytes(32, "big")
    return [*proof[:place], changed, *proof[place + 1 :]]


def inclusion_case(name: str, good: bool, index: int, size: int, leaf: bytes, proof: list[bytes],
                   top: bytes) -> Case:  # fmt: skip
    return {"name": name, "good": good, "index": index, "size": size, "leaf": leaf.hex(),
            "proof": [step.hex() for step in proof], "root": top.hex()}  # fmt: skip


def inclusion() -> list[Case]:
    found = []
    for index, size in INCLUSIONS:
        hashed = leaves(size)
        leaf, top, proof = hashed[index], root(hashed), path(index, hashed)
        wrong: list[tuple[str, int, int, bytes, list[bytes], bytes]] = [
            ("another index, nearby", index + 1, size, leaf, proof, top),
            ("another index, before", index - 1, size, leaf, proof, top),
            ("another index, one bit", index ^ 2, size, leaf, proof, top),
            ("twice the size", index, size * 2, leaf, proof, top),
            ("half the size", index, size // 2, leaf, proof, top),
            ("another leaf", index, size, hashed[index - 1], proof, top),
            ("a strange leaf", index, size, GARBAGE, proof, top),
            ("a strange root", index, size, leaf, proof, GARBAGE),
            ("no root", index, size, leaf, proof, b""),
            ("no leaf", index, size, b"", proof, top),
            ("neither root nor leaf", index, size, b"", proof, b""),
            ("garbage behind", index, size, leaf, [*proof, GARBAGE], top),
            ("the root behind", index, size, leaf, [*proof, top], top),
            ("garbage before", index, size, leaf, [GARBAGE, *proof], top),
            ("the root before", index, size, leaf, [top, *proof], top),
            ("one step inserted", index, size, leaf, [proof[0], GARBAGE, *proof[1:]], top),
            ("the last step removed", index, size, leaf, proof[:-1], top),
            ("half a step", index, size, leaf, [proof[0][:16], *proof[1:]], top),
            *[(f"step {n}, one bit", index, size, leaf, flipped(proof, n, 3), top)
              for n in range(min(3, len(proof)))],
        ]  # fmt: skip
        found.append(inclusion_case("as it should be", True, index, size, leaf, proof, top))
        found += [inclusion_case(name, False, *rest) for name, *rest in wrong]
    one = leaves(1)
    found.append(inclusion_case("a tree of one leaf", True, 0, 1, one[0], [], one[0]))
    found.append(inclusion_case("one leaf under another root", False, 0, 1, one[0], [], GARBAGE))
    found.append(inclusion_case("a tree of no leaf", False, 0, 0, one[0], [], root([])))
    return found


def consistency_case(name: str, good: bool, size: int, later: int, top: bytes, later_top: bytes,
                     proof: list[bytes]) -> Case:  # fmt: skip
    return {"name": name, "good": good, "size": size, "later_size": later, "root": top.hex(),
            "later_root": later_top.hex(), "proof": [step.hex() for step in proof]}  # fmt: skip


def consistency() -> list[Case]:
    found = []
    for size, later in CONSISTENCIES:
        hashed = leaves(later)
        top, later_top = root(hashed[:size]), root(hashed)
        proof = subproof(size, hashed, whole=True)
        wrong: list[tuple[str, int, int, bytes, bytes, list[bytes]]] = [
            ("no proof", size, later, top, later_top, []),
            ("another earlier size", size + 1, later, top, later_top, proof),
            ("an earlier size too small", size - 1, later, top, later_top, proof),
            ("an earlier size, one bit", size ^ 2, later, top, later_top, proof),
            ("twice the later size", size, later * 2, top, later_top, proof),
            ("half the later size", size, later // 2, top, later_top, proof),
            ("roots exchanged", size, later, later_top, top, proof),
            ("a strange earlier root", size, later, GARBAGE, later_top, proof),
            ("a strange later root", size, later, top, GARBAGE, proof),
            ("garbage behind", size, later, top, later_top, [*proof, GARBAGE]),
            ("the earlier root behind", size, later, top, later_top, [*proof, top]),
            ("the later root behind", size, later, top, later_top, [*proof, later_top]),
            ("garbage before", size, later, top, later_top, [GARBAGE, *proof]),
            ("the earlier root before", size, later, top, later_top, [top, *proof]),
            ("the later root before", size, later, top, later_top, [later_top, *proof]),
            ("the first step twice", size, later, top, later_top, [proof[0], *proof]),
            ("the last step removed", size, later, top, later_top, proof[:-1]),
            ("half a step", size, later, top, later_top, [proof[0][:16], *proof[1:]]),
            ("the earlier tree is the later", later, size, top, later_top, proof),
            *[(f"step {n}, one bit", size, later, top, later_top, flipped(proof, n, 4))
              for n in range(min(3, len(proof)))],
        ]  # fmt: skip
        found.append(consistency_case("as it should be", True, size, later, top, later_top, proof))
        found += [consistency_case(name, False, *rest) for name, *rest in wrong]
    one, none = root(leaves(1)), root([])
    two = root(leaves(2))
    found += [
        consistency_case("equal trees of one leaf", True, 1, 1, one, one, []),
        consistency_case("equal trees of two leaves", True, 2, 2, two, two, []),
        consistency_case("one leaf, other roots", False, 1, 1, one, GARBAGE, []),
        consistency_case("one leaf, a proof too many", False, 1, 1, one, one, [GARBAGE]),
        consistency_case("two trees without leaves", False, 0, 0, none, none, []),
        consistency_case("no leaves, other roots", False, 0, 0, none, GARBAGE, []),
        consistency_case("no leaves, a proof too many", False, 0, 0, none, none, [GARBAGE]),
        consistency_case("no leaves, then one", False, 0, 1, none, one, []),
        consistency_case("no leaves, then two", False, 0, 2, none, two, [one]),
        consistency_case("sizes differ, no proof", False, 1, 2, one, two, []),
    ]
    return found


def composed() -> str:
    """Return the file."""
    document = {
        "composed": True,
        "about": "Proofs of RFC 9162, good and bad; hashes of leaves and nodes in hexadecimal.",
        "inclusion": inclusion(),
        "consistency": consistency(),
    }
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(composed(), encoding="utf-8")
