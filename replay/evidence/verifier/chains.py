"""Chains: batches, their streams, the seal over all streams, the tree of all batches.

Recipes: docs/spec/seals.md. A digest is always taken of the bytes in the pack, never of JSON
written again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from replay.evidence.verifier.canon import Refused, digest, frame, parsed
from replay.evidence.verifier.merkle import is_consistent, is_included, leaf

Batch = tuple[Any, list[bytes]]
"""A header and the lines behind it."""

BATCHES = "batches/"


def number(value: int) -> bytes:
    """Return a number as 8 bytes, big-endian."""
    return value.to_bytes(8, "big")


def hashes(texts: Iterable[str]) -> list[bytes]:
    """Return digests written as hexadecimal digits as bytes.

    Raises: Refused, for anything that is no digest.
    """
    try:
        found = [bytes.fromhex(text) for text in texts]
    except (TypeError, ValueError) as error:
        raise Refused(24, f"a proof holds what is no digest: {error}") from error
    if any(len(one) != 32 for one in found):
        raise Refused(24, "a proof holds what is no digest")
    return found


def read_batches(files: Mapping[str, bytes]) -> dict[str, list[Batch]]:
    """Return the batches of every stream in the pack, in order, each held against its chain.

    Raises: Refused: 20 for changed bytes, 21 for another order, 22 for something twice, 23 for
    something cut off.
    """
    streams: dict[str, list[Batch]] = {}
    before: dict[str, str] = {}
    for name in sorted(name for name in files if name.startswith(BATCHES)):
        first, *lines = files[name].split(b"\n")
        header = parsed(first, f"the header in {name}", 20)
        stream, version = header["stream"], header["version"]
        expected = len(streams.get(stream, [])) + 1
        if f"{BATCHES}{header['position']:012d}.jsonl" != name:
            raise Refused(21, f"{name} holds the batch of position {header['position']}")
        if version != expected:
            code = 22 if version < expected else 23
            raise Refused(code, f"{name}: batch {version} of {stream} stands where {expected} does")
        if header["previous"] != before.get(stream, ""):
            raise Refused(21, f"{name} does not follow the batch before it in {stream}")
        check_lines(name, header, lines)
        streams.setdefault(stream, []).append((header, lines))
        before[stream] = digest(b"rollforward batch 1\n", frame(first))
    return streams


def check_lines(name: str, header: Any, lines: list[bytes]) -> None:
    """Hold the lines of a batch against their digest, and say what kind of change is seen.

    Raises: Refused.
    """
    joined = b"\n".join(lines)
    found = digest(b"rollforward lines 1\n", number(header["count"]), frame(joined))
    if found == header["lines"] and len(lines) == header["count"]:
        return
    twice = [line for line, count in Counter(lines).items() if count > 1]
    if len(lines) > header["count"] and twice:
        raise Refused(22, f"{name} holds an event twice: {twice[0][:80]!r}")
    if len(lines) < header["count"]:
        raise Refused(23, f"{name} holds {len(lines)} events; its header names {header['count']}")
    if is_shuffled(header, lines):
        raise Refused(21, f"{name} holds its events in another order than was recorded")
    raise Refused(20, f"{name}: its events are not those which its header names")


def is_shuffled(header: Any, lines: list[bytes]) -> bool:
    """Tell whether exchanging two neighbors, or sorting by moment, restores the digest."""

    def restored(candidate: list[bytes]) -> bool:
        joined = b"\n".join(candidate)
        found = digest(b"rollforward lines 1\n", number(len(candidate)), frame(joined))
        return bool(found == header["lines"])

    try:
        by_moment = sorted(lines, key=lambda line: int(parsed(line, "an event", 20)["at"]))
    except (Refused, KeyError, TypeError, ValueError):
        return False
    if restored(by_moment):
        return True
    swaps = range(min(len(lines) - 1, 256))
    return any(restored([*lines[:n], lines[n + 1], lines[n], *lines[n + 2 :]]) for n in swaps)


def header_digest(files: Mapping[str, bytes], position: int) -> bytes:
    """Return the digest of the batch at a position, from its header's bytes."""
    first = files[f"{BATCHES}{position:012d}.jsonl"].partition(b"\n")[0]
    return bytes.fromhex(digest(b"rollforward batch 1\n", frame(first)))


def check_tree(
    files: Mapping[str, bytes],
    proofs: Any,
    point: dict[str, Any],
    streams: Mapping[str, list[Batch]],
) -> int:
    """Hold every batch against the root which was signed; return how many.

    Raises: Refused, 24.
    """
    size, root = point["size"], bytes.fromhex(point["root"])
    count = 0
    for batches in streams.values():
        for header, _ in batches:
            position = header["position"]
            proof = hashes(proofs["inclusion"].get(str(position), []))
            leaf_hash = leaf(header_digest(files, position))
            if not is_included(leaf_hash, position - 1, size, proof, root):
                raise Refused(24, f"no proof shows batch {position} under the root that was signed")
            count += 1
    return count


def check_seal(
    files: Mapping[str, bytes],
    proofs: Any,
    point: dict[str, Any],
    streams: Mapping[str, list[Batch]],
) -> None:
    """Hold the ends of the streams against the seal: nothing is missing at their ends.

    Raises: Refused, 25; 23, when a stream ends before its head.
    """
    seal = proofs["seal"]
    root = hashes([seal["root"]])[0]
    previous = bytes.fromhex(seal["previous"])
    found = digest(b"rollforward seal 1\n", frame(previous), number(seal["position"]), root)
    if not found == seal["digest"] == point["seal"] or seal["number"] != point["number"]:
        raise Refused(25, "the seal in the pack is not the one that was signed")
    if seal["position"] != point["size"]:
        raise Refused(25, "the seal does not cover all batches under the root that was signed")
    for stream, batches in streams.items():
        head = proofs["heads"].get(stream)
        if head is None:
            raise Refused(25, f"no proof shows where {stream} ends")
        header = batches[-1][0]
        last = header_digest(files, header["position"])
        named = b"rollforward head 1\n" + frame(stream.encode()) + number(header["version"]) + last
        proof = hashes(head["proof"])
        if not is_included(leaf(named), head["index"], head["size"], proof, root):
            cut = head["version"] > header["version"]
            raise Refused(23 if cut else 25, f"the seal does not end {stream} where the pack does")


def read_point(text: str) -> dict[str, Any] | None:
    """Return size, root, seal number and seal of a checkpoint's four lines; None otherwise."""
    lines = text.split("\n")
    words = lines[3].split(" ") if len(lines) > 4 else []
    if len(words) != 3 or words[0] != "seal" or lines[0] != "rollforward/book/1":
        return None
    try:
        digests = [bytes.fromhex(lines[2]), bytes.fromhex(words[2])]
        size, sealed = int(lines[1]), int(words[1])
    except ValueError:
        return None
    if [32, 32] != [len(one) for one in digests] or size < 1:
        return None
    return {"size": size, "root": lines[2], "number": sealed, "seal": words[2]}


def check_continues(proofs: Any, held: dict[str, Any], point: dict[str, Any]) -> None:
    """Hold the pack's book against a checkpoint which its reader kept.

    Raises: Refused, 27 when the pack is older, 28 when no proof shows one history.
    """
    if held["size"] > point["size"]:
        raise Refused(
            27,
            f"the pack is of {point['size']} batches, your checkpoint of {held['size']}: it is "
            f"older than what you know",
        )
    proof = hashes(proofs["consistency"].get(str(held["size"]), []))
    sizes = (held["size"], point["size"])
    roots = (bytes.fromhex(held["root"]), bytes.fromhex(point["root"]))
    if not is_consistent(sizes[0], roots[0], sizes[1], roots[1], proof):
        raise Refused(28, "no proof shows that the pack's book continues your checkpoint")
