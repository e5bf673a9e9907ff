"""The verdict: everything held against everything else, in one order, with one exit code.

Exit codes: 0 verified · 1 intact, and a claim is contradicted · 2 usage · 3 intact, and a claim is
unknown or was not recomputed · 10 to 32 not what it says, one code per cause (FORMAT.md).
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replay.evidence.verifier.canon import Refused, digest, parsed
from replay.evidence.verifier.chains import (
    BATCHES,
    Batch,
    check_continues,
    check_seal,
    check_tree,
    read_batches,
    read_point,
)  # fmt: skip
from replay.evidence.verifier.claims import UNCHECKED, Claim, Reckoned, evaluated, read_claim
from replay.evidence.verifier.container import contents
from replay.evidence.verifier.course import Row, course, timeline_digest
from replay.evidence.verifier.ed25519 import is_signed, key_hash, read_key, read_note
from replay.evidence.verifier.engine import Journal, Listing
from replay.evidence.verifier.holdings import Reckoning
from replay.evidence.verifier.rules import Granted
from replay.evidence.verifier.stamp import STAMP, Stamp, read_stamp, told
from replay.evidence.verifier.state import state_digest
from replay.evidence.verifier.surroundings import Surroundings, around

FORMAT = "rollforward pack 2"
RECIPES = [
    "rollforward batch 1", "rollforward event 1", "rollforward event id 1", "rollforward head 1",
    "rollforward lines 1", "rollforward seal 1", "rollforward state 1", "rollforward timeline 1",
    "states/2",
]  # fmt: skip
RECORDS = "records/"
RULES = "rules/"

MISSHAPEN = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip
"""What reading JSON of another shape than expected may raise."""

CODES = {
    0: "verified",
    1: "a claim is contradicted",
    2: "usage",
    3: "a claim is unknown, or was not recomputed",
    10: "empty: no events or no claims",
    11: "the file is damaged, cut, or not a pack",
    12: "another format, recipe or kind than this verifier knows",
    13: "unpinned: neither key nor checkpoint was given from outside",
    14: "signed by another key than the one given",
    15: "the signature is not that of the key named",
    16: "a file is missing, added or not the one the manifest names",
    17: "the verifier in the pack is not the one the manifest names",
    18: "the report is not the one the manifest names",
    19: "a raw record is not the one its events were read from",
    20: "events are not those that were recorded",
    21: "events stand in another order than was recorded",
    22: "something stands twice",
    23: "something was cut off",
    24: "no proof shows a batch under the root that was signed",
    25: "the seal, or an end of a stream, is not the one that was signed",
    26: "a rulebook is not the one the manifest names",
    27: "the pack is older than the checkpoint given",
    28: "the pack does not continue the checkpoint given",
    29: "the figures in the pack are not those its events lead to",
    30: "the time stamp cannot be read, or is about something else",
    31: "the time stamp is not signed by the authority given",
    32: "no time stamp, though its authority was given",
}


class Verdict:
    """What was found: how many of each, and the claims with their statuses."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.events = 0
        self.batches = 0
        self.records = 0
        self.point: dict[str, Any] = {}
        self.key = ""
        self.claims: list[tuple[str, str, str, str]] = []
        self.pinned_by: list[str] = []
        self.stamp: Stamp | None = None


def verified(
    data: bytes, key: str | None = None, checkpoint: str | None = None, accept: tuple[str, ...] = ()
) -> tuple[int, str, Verdict]:
    """Return exit code, a sentence and what was found. *accept* names claims that need no check."""
    verdict = Verdict()
    try:
        examined(contents(data), verdict, key, checkpoint)
    except Refused as refused:
        return refused.code, refused.text, verdict
    except MISSHAPEN as error:
        return 16, f"something in the pack has not its form: {error!r}", verdict
    return summing_up(verdict, accept)


def examined(
    files: Mapping[str, bytes], verdict: Verdict, key: str | None, checkpoint: str | None
) -> None:
    """Hold the files of a pack against each other, and against what comes from outside.

    Raises: Refused.
    """
    manifest = opened(files, verdict, key)
    text = None if checkpoint is None else checkpoint.partition("\n\n")[0].rstrip("\n") + "\n"
    held = None if text is None else read_point(text)
    if text is not None and held is None:
        raise Refused(2, "the checkpoint given cannot be read")
    check_files(files, manifest)
    checked(files, manifest, verdict, held)
    if held is not None and held["size"] == verdict.point["size"]:
        verdict.pinned_by.append("checkpoint")
    if STAMP in files:
        verdict.stamp = read_stamp(files[STAMP], files["signed.txt"])
    if not verdict.pinned_by:
        raise Refused(13, "intact, but nothing from outside says whose it is: give --key")


def summing_up(verdict: Verdict, accept: tuple[str, ...]) -> tuple[int, str, Verdict]:
    """Return the verdict on an intact pack, by its claims."""
    found = [(name, status) for name, status, _, _ in verdict.claims if name not in accept]
    contradicted = [name for name, status in found if status == "contradicted"]
    if contradicted:
        return 1, f"intact; contradicted: {', '.join(contradicted)}", verdict
    open_ones = [name for name, status in found if status != "proven"]
    if open_ones:
        return 3, f"intact; unknown or not recomputed: {', '.join(open_ones)}", verdict
    if not any(status == "proven" for _, status in found):
        return 10, "no claim was proven", verdict
    proven = sum(1 for _, status in found if status == "proven")
    return 0, f"{proven} claim{'s' if proven > 1 else ''} proven", verdict


def opened(files: Mapping[str, bytes], verdict: Verdict, key: str | None) -> Any:
    """Return the manifest, which the key given from outside, or else its own, has signed.

    Raises: Refused.
    """
    for name in ("manifest.json", "signed.txt"):
        if name not in files:
            raise Refused(16, f"{name} is missing")
    note = read_note(files["signed.txt"])
    if note is None:
        raise Refused(15, "signed.txt is no signed note")
    text, signatures = note
    lines = text.decode("utf-8", "replace").split("\n")
    point = read_point("\n".join(["rollforward/book/1", *lines[1:4], ""]))
    if lines[0] != "rollforward/pack/1" or point is None or len(lines) != 6:
        raise Refused(12, "signed.txt is not of the form rollforward/pack/1")
    manifest = files["manifest.json"]
    claimed = parsed(manifest, "the manifest", 16)
    if claimed["format"] != FORMAT or claimed["recipes"] != RECIPES:
        raise Refused(12, "the pack uses another format or other recipes than this verifier knows")
    own = read_key(claimed["key"])
    if own is None:
        raise Refused(15, "the key which the manifest names is none")
    wanted = own if key is None else read_key(key)
    if wanted is None:
        raise Refused(2, "the key given is no public key (NAME+HASH+BASE64)")
    matching = [
        s for name, hashed, s in signatures if (name, hashed) == (wanted[0], key_hash(*wanted))
    ]
    if wanted != own or not matching:
        raise Refused(14, f"signed by {claimed['key']}, not by the key given")
    if not any(is_signed(wanted[1], text, signature) for signature in matching):
        raise Refused(15, "the signature in signed.txt is not that of its key over its text")
    if lines[4] != f"manifest {digest(manifest)}":
        raise Refused(16, "the manifest is not the one that was signed")
    verdict.point, verdict.key = point, claimed["key"]
    if key is not None:
        verdict.pinned_by.append("key")
    return claimed


def check_files(files: Mapping[str, bytes], manifest: Any) -> None:
    """Hold every file against its digest in the manifest; what differs has its own code.

    Raises: Refused.
    """
    named = manifest["files"]
    for name in sorted(set(named) | set(files) - {"manifest.json", "signed.txt", STAMP}):
        if name in files and name in named and digest(files[name]) == named[name]:
            continue
        if name.startswith(BATCHES):
            if name not in files:
                raise Refused(23, f"{name} is missing")
            if name not in named:
                raise Refused(22, f"{name} was added")
            read_batches(files)
            raise Refused(20, f"{name} is not the one the manifest names")
        sorts = (("verify.py", 17), ("report.html", 18), (RECORDS, 19), (RULES, 26))
        code = next((code for start, code in sorts if name.startswith(start)), 16)
        state = (
            "not the one the manifest names"
            if name in files and name in named
            else ("missing" if name in named else "not named in the manifest")
        )
        raise Refused(code, f"{name} is {state}")


def checked(
    files: Mapping[str, bytes],
    manifest: Any,
    verdict: Verdict,
    held: dict[str, Any] | None,
) -> None:
    """Hold chains, trees, records, rulebooks and figures against each other.

    Raises: Refused.
    """
    proofs = parsed(files["proofs.json"], "proofs.json", 24)
    streams = read_batches(files)
    own = streams.get(f"account:{manifest['account']}", [])
    verdict.events = sum(len(lines) for _, lines in own)
    if not verdict.events or not manifest["claims"]:
        raise Refused(10, "the pack holds no events of its account, or no claims: nothing to prove")
    verdict.batches = check_tree(files, proofs, verdict.point, streams)
    check_seal(files, proofs, verdict.point, streams)
    if held is not None:
        check_continues(proofs, held, verdict.point)
    beside = any("margin(" in said["claim"] for said in manifest["claims"])
    verdict.records = check_records(files, *(streams.values() if beside else [own]))
    for rule in manifest["rulebooks"]:
        if digest(files.get(rule["file"], b"")) != rule["digest"]:
            raise Refused(26, f"the text of rulebook {rule['id']} is not the one named")
    check_figures(manifest, verdict, streams, own)


def check_records(files: Mapping[str, bytes], *streams: list[Batch]) -> int:
    """Hold the raw records against the headers of the batches that were read from them.

    Raises: Refused, 19.
    """
    wanted = {header["record"] for batches in streams for header, _ in batches if header["record"]}
    for name in wanted:
        if digest(files.get(RECORDS + name, b"")) != name:
            raise Refused(19, f"raw record {name} is missing or changed")
    return len(wanted)


class Known:
    """The account as it was known at positions of the book; each is read once."""

    def __init__(self, streams: Mapping[str, Any], own: list[Batch], granted: Granted) -> None:
        """Keep what the pack holds, and the rulebooks it lists."""
        self.streams = streams
        self.own = own
        self.granted = granted
        self.journals: dict[int, tuple[list[Row], Journal]] = {}
        self.reckonings: dict[int, Reckoning] = {}

    def at(self, position: int) -> tuple[list[Row], Journal]:
        """Return the course of events and what it comes to."""
        if position not in self.journals:
            listed = [
                (line, parsed(line, "an event", 20))
                for header, lines in self.streams.get("venue", [])
                if header["position"] <= position
                for line in lines
                if line.startswith((b'{"@":"market_l', b'{"@":"pair_l', b'{"@":"token_l'))
            ]
            rows = course(self.own, position)
            self.journals[position] = rows, Journal(rows, Listing(listed))
        return self.journals[position]

    def reckoned(self, position: int) -> Reckoned:
        """Return how margin is computed, which is done when a claim asks for it."""

        def reckoned() -> tuple[Reckoning, Granted]:
            if position not in self.reckonings:
                rows, journal = self.at(position)
                beside = Surroundings(rows, around(self.streams, position), journal.listing)
                self.reckonings[position] = Reckoning(journal, beside)
            return self.reckonings[position], self.granted

        return reckoned


def check_figures(
    manifest: Any,
    verdict: Verdict,
    streams: Mapping[str, Any],
    own: list[Batch],
) -> None:
    """Recompute order, states and claims, and hold them against the pack's.

    Raises: Refused, 29; 26, for a rulebook with other parameters.
    """
    known = Known(streams, own, Granted(manifest["rulebooks"]))
    position, at = manifest["position"], manifest["at"]
    if position != verdict.point["size"]:
        raise Refused(29, "the pack's position is not that of the book that was signed")
    whole, journal = known.at(position)
    rows = [row for row in whole if row.at <= at]
    if timeline_digest(rows) != manifest["timeline"]:
        raise Refused(29, "the order of events is not the one their rules lead to")
    then = journal if len(rows) == len(whole) else Journal(rows, journal.listing)
    if state_digest(then) != manifest["state"]:
        raise Refused(29, "the states are not those which the events lead to")
    names = set()
    for number, said in enumerate(manifest["claims"], 1):
        claim: Claim = read_claim(said["claim"], at)
        then_known = min(position if claim["known"] is None else claim["known"], position)
        status, value = evaluated(claim, known.at(then_known)[1], known.reckoned(then_known))
        name = claim["name"] or f"C{number}"
        if name in names:
            raise Refused(22, f"two claims are called {name}")
        names.add(name)
        told = (said["status"], said["value"])
        agrees = told == (status, value) or (told[0] == status == "unknown")
        if status != UNCHECKED and not agrees:
            raise Refused(
                29,
                f"{name}: {said['claim']}: the pack says {said['status']} ({said['value']}), "
                f"recomputed {status} ({value})",
            )
        text = claim["text"].removeprefix(f"{claim['name']}: ")
        verdict.claims.append((name, status, value, text))


def main(words: list[str] | None = None) -> int:
    """Check a pack, say what was found, return the exit code."""
    parser = argparse.ArgumentParser(
        prog="verify.py", description="Check an evidence pack with the standard library alone."
    )
    parser.add_argument("pack", help="the pack, X.rfpack")
    parser.add_argument("--key", metavar="KEY", help="public key, or a file with it, from outside")
    parser.add_argument("--checkpoint", metavar="FILE", help="a checkpoint of the book you kept")
    parser.add_argument(
        "--accept", metavar="NAME", action="append", default=[],
        help="a claim that may stay unknown or not recomputed",
    )  # fmt: skip
    given = parser.parse_args(words)
    try:
        data = Path(given.pack).read_bytes()
        key = given.key
        if key and Path(key).is_file():
            key = Path(key).read_text("utf-8").strip()
        held = Path(given.checkpoint).read_text("utf-8") if given.checkpoint else None
    except OSError as error:
        print(f"cannot read: {error}")
        return 2
    code, text, verdict = verified(data, key, held, tuple(given.accept))
    for line in said(verdict):
        print(line)
    print(closing(code, text, verdict))
    return code


def closing(code: int, text: str, verdict: Verdict) -> str:
    """Return the last line of an answer: whether all is well, why, and what was not looked at."""
    word = "VERIFIED" if code == 0 else "NOT VERIFIED"
    is_open = code == 0 and verdict.stamp is not None and not verdict.stamp.authority
    rest = "; the time stamp was not checked" if is_open else ""
    return f"{word}: {text}{rest} [{code}: {CODES[code]}]"


def said(verdict: Verdict) -> list[str]:
    """Return what was found as lines for people."""
    lines = [
        f"{status:<14} {name}: {text}  [{value}]" for name, status, value, text in verdict.claims
    ]
    if verdict.claims:
        lines.append(
            f"{verdict.events} events in {verdict.batches} batches, {verdict.records} raw records, "
            f"root {verdict.point['root'][:16]} over {verdict.point['size']} batches"
        )
    if verdict.key:
        pinned = " and ".join(verdict.pinned_by) or "nothing"
        lines.append(f"signed by {verdict.key}; pinned by {pinned}")
    if verdict.stamp:
        lines += told(verdict.stamp)
    return lines


if __name__ == "__main__":
    gc.disable()  # what is read is kept until the end
    sys.exit(main())
