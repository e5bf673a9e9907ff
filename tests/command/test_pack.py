"""``claim``, ``pack``, ``verify-pack``: the whole way, by the command line alone."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
HELD = "long: position(HYPE) @ 2026-08-05T12:00Z = 4500 HYPE"
WRONG = "cash: balance(spot, USDC) @ 2026-08-05T12:00Z = 108.07 USDC"
RATIO = "ratio: margin(ratio) @ 2026-08-05T14:39Z < 0.95"
EXACTLY = "fatal: margin(ratio) @ 2026-08-05T14:40:00.349Z = 0.9528959393 rounded 10"


def key_of(shown: str) -> str:
    return next(
        line.removeprefix("public key: ")
        for line in shown.splitlines()
        if line.startswith("public key")
    )


def packed(cascade, *claims: str, code: int = 0) -> str:
    """Write a pack and return the public key."""
    (cascade.folder / "claims.txt").write_text("\n".join(claims), encoding="utf-8")
    key = key_of(cascade.fine("keys", "new", "ada.key"))
    words = ("--claims", "claims.txt", "--key", "ada.key", "--out", "x.rfpack")
    cascade.fine("pack", ACCOUNT, *words, code=code)
    return key


def test_claims_end_with_the_worst_of_their_statuses(cascade):
    unknown = "balance(spot, NOBODY) @ 2026-08-05T12:00Z = 0"
    assert "proven" in cascade.fine("claim", "0x5ca", HELD)
    assert "unknown" in cascade.fine("claim", "0x5ca", HELD, unknown, code=3)
    assert "contradicted" in cascade.fine("claim", "0x5ca", HELD, unknown, WRONG, code=1)


def test_claims_for_programs_say_what_was_found(cascade):
    (found,) = cascade.json("claim", "0x5ca", WRONG)
    assert ("cash", "contradicted", "108.08 USDC") == (
        found["claim"], found["status"], found["found"]
    )  # fmt: skip


def test_a_pack_of_the_bundled_account_verifies_by_every_way(cascade):
    key = packed(cascade, HELD)
    assert "VERIFIED: 1 claim proven" in cascade.fine("verify-pack", "x.rfpack", "--key", key)
    (cascade.folder / "ada.pub").write_text(f"{key}\n", encoding="utf-8")
    told = cascade.json("verify-pack", "x.rfpack", "--key", "ada.pub")
    assert (True, 0, ["key"]) == (told["verified"], told["code"], told["pinned_by"])
    with zipfile.ZipFile(cascade.folder / "x.rfpack") as archive:
        archive.extract("verify.py", cascade.folder)
    script = [sys.executable, "-I", "-S", "verify.py", "x.rfpack", "--key", "ada.pub"]
    ran = subprocess.run(script, cwd=cascade.folder, capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stderr)
    shown = cascade.fine("verify-pack", "x.rfpack", "--print-verifier")
    assert (cascade.folder / "verify.py").read_text(encoding="utf-8") == shown


def test_a_pack_without_a_key_from_outside_is_not_green(cascade):
    packed(cascade, HELD)
    assert "unpinned" in cascade.fine("verify-pack", "x.rfpack", code=13)


def test_a_checkpoint_that_was_kept_pins_and_is_continued(cascade):
    cascade.fine("verify", "--write-checkpoint", "kept", code=3)
    key = packed(cascade, HELD)
    cascade.fine("verify-pack", "x.rfpack", "--checkpoint", "kept")
    cascade.fine("verify-pack", "x.rfpack", "--key", key, "--checkpoint", "kept")
    kept = (cascade.folder / "kept").read_text(encoding="utf-8")
    (cascade.folder / "newer").write_text(kept.replace("\n482\n", "\n483\n"), encoding="utf-8")
    cascade.fine("verify-pack", "x.rfpack", "--key", key, "--checkpoint", "newer", code=27)


def test_a_wrong_claim_is_packed_as_contradicted_and_never_green(cascade):
    key = packed(cascade, HELD, WRONG, code=1)
    shown = cascade.fine("verify-pack", "x.rfpack", "--key", key, code=1)
    assert "contradicted   cash" in shown


def test_a_figure_of_margin_is_recomputed_in_a_bare_interpreter(cascade):
    key = packed(cascade, HELD, RATIO, EXACTLY)
    cascade.fine("verify-pack", "x.rfpack", "--key", key)
    with zipfile.ZipFile(cascade.folder / "x.rfpack") as archive:
        archive.extract("verify.py", cascade.folder)
    script = [sys.executable, "-I", "-S", "verify.py", "x.rfpack", "--key", key]
    ran = subprocess.run(script, cwd=cascade.folder, capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stderr)
    assert "[0.95289593933858746597]" in ran.stdout


def test_a_wrong_ratio_is_packed_as_contradicted_and_never_green(cascade):
    key = packed(cascade, HELD, RATIO.replace("<", ">"), code=1)
    shown = cascade.fine("verify-pack", "x.rfpack", "--key", key, code=1)
    assert "contradicted   ratio" in shown


def test_a_ratio_that_the_records_do_not_tell_is_unknown_and_green_only_when_accepted(cascade):
    key = packed(cascade, HELD, "early: margin(ratio) @ 2026-08-03T07:00Z < 1", code=3)
    shown = cascade.fine("verify-pack", "x.rfpack", "--key", key, code=3)
    assert "unknown        early" in shown
    cascade.fine("verify-pack", "x.rfpack", "--key", key, "--accept", "early")


def test_a_moment_of_recording_becomes_a_position_in_a_pack(cascade):
    packed(cascade, f"{HELD} known-at 2030-01-01T00:00Z")
    with zipfile.ZipFile(cascade.folder / "x.rfpack") as archive:
        (claim,) = json.loads(archive.read("manifest.json"))["claims"]
    assert claim["claim"].endswith("known-at 482")
