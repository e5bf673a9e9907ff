"""Packs: the honest one passes anywhere, each tampering has its own code, nothing is green."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import replay
from ledger.errors import UnclearQuestion
from ledger.signatures import VerifierKey
from replay.evidence.assemble import assembled
from replay.evidence.verifier.verdict import CODES, verified
from tests.support import packs
from tests.support.packs import ADA, EVE, files, first_batch, honest, last_batch, repacked, signed

KEY = ADA.verifier.text
FLIPS = int(os.environ.get("ROLLFORWARD_FLIPS", "1009"))


def code_of(data: bytes, key: str | None = KEY, checkpoint: str | None = None) -> int:
    return verified(data, key, checkpoint)[0]


def checkpoint_of(size_from: bytes) -> str:
    """Return the book's checkpoint out of a pack's signed note."""
    lines = size_from.decode().split("\n")
    return "\n".join(["rollforward/book/1", *lines[1:4], ""])


# ------------------------------------------------------------------------------- the twelve cases


def byte_flip() -> tuple[bytes, str | None]:
    data = bytearray(honest().data)
    data[len(data) // 2] ^= 1
    return bytes(data), None


def reorder() -> tuple[bytes, str | None]:
    changed = files()
    name = first_batch(changed)
    header, first, second, *rest = changed[name].split(b"\n")
    changed[name] = b"\n".join([header, second, first, *rest])
    return repacked(changed), None


def tail_cut() -> tuple[bytes, str | None]:
    changed = files()
    del changed[last_batch(changed)]
    return repacked(changed), None


def duplicate() -> tuple[bytes, str | None]:
    changed = files()
    name = first_batch(changed)
    changed[name] += b"\n" + changed[name].split(b"\n")[-1]
    return repacked(changed), None


def swapped_rulebook() -> tuple[bytes, str | None]:
    changed = files()
    first, second, *_ = sorted(name for name in changed if name.startswith("rules/"))
    changed[first], changed[second] = changed[second], changed[first]
    return repacked(changed), None


def another_key() -> tuple[bytes, str | None]:
    return signed(files(), EVE), None


def empty() -> tuple[bytes, str | None]:
    return signed(files(), ADA, lambda manifest: manifest.update(claims=[])), None


def downgraded_recipe() -> tuple[bytes, str | None]:
    def downgrade(manifest: dict) -> None:
        manifest["recipes"] = ["rollforward batch 0", *manifest["recipes"][1:]]

    return signed(files(), ADA, downgrade), None


def changed_verifier() -> tuple[bytes, str | None]:
    changed = files()
    changed["verify.py"] = b"print('VERIFIED')\n"
    return repacked(changed), None


def stale_checkpoint() -> tuple[bytes, str | None]:
    lines = files()["signed.txt"].decode().split("\n")
    return honest().data, "\n".join(["rollforward/book/1", f"{int(lines[1]) + 1}", *lines[2:4], ""])


def altered_raw_record() -> tuple[bytes, str | None]:
    changed = files()
    name = next(name for name in sorted(changed) if name.startswith("records/"))
    changed[name] = changed[name].replace(b"1", b"2", 1)
    return repacked(changed), None


def altered_report() -> tuple[bytes, str | None]:
    changed = files()
    changed["report.html"] = changed["report.html"].replace(b"proven", b"PROVEN", 1)
    return repacked(changed), None


CASES = {
    byte_flip: 11, reorder: 21, tail_cut: 23, duplicate: 22, swapped_rulebook: 26,
    another_key: 14, empty: 10, downgraded_recipe: 12, changed_verifier: 17, stale_checkpoint: 27,
    altered_raw_record: 19, altered_report: 18,
}  # fmt: skip


def test_each_of_twelve_tamperings_has_its_own_exit_code(tmp_path: Path, figure) -> None:
    """In a bare interpreter, by the text that travels in the pack."""
    assert len(CASES) == 12 == len(set(CASES.values()))
    script = written(tmp_path)
    found = {}
    for case in CASES:
        data, checkpoint = case()
        (tmp_path / "x.rfpack").write_bytes(data)
        words = ["x.rfpack", "--key", KEY]
        if checkpoint is not None:
            (tmp_path / "kept").write_text(checkpoint, encoding="utf-8")
            words += ["--checkpoint", "kept"]
        ran = bare(sys.executable, script, words, tmp_path)
        assert "\nVERIFIED" not in f"\n{ran.stdout}", case.__name__
        found[case] = ran.returncode
    assert CASES == found
    figure(line="5-1", text="tamperings with an exit code of their own", value="12 of 12")


def written(folder: Path) -> Path:
    script = folder / "verify.py"
    script.write_bytes(files()["verify.py"])
    return script


def bare(python: str, script: Path, words: list[str], folder: Path) -> subprocess.CompletedProcess:
    """Run the verifier isolated, without any installed package."""
    asked = [python, "-I", "-S", str(script), *words]
    return subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)


def pythons() -> list[str]:
    """Return this interpreter and those that ROLLFORWARD_PYTHONS names."""
    named = os.environ.get("ROLLFORWARD_PYTHONS", "").split(os.pathsep)
    return [sys.executable, *filter(None, named)]


def test_an_honest_pack_passes_in_a_bare_interpreter(tmp_path: Path, figure) -> None:
    script = written(tmp_path)
    (tmp_path / "x.rfpack").write_bytes(honest().data)
    for python in pythons():
        ran = bare(python, script, ["x.rfpack", "--key", KEY], tmp_path)
        assert (0, "") == (ran.returncode, ran.stderr)
        assert ran.stdout.splitlines()[-1].startswith("VERIFIED")
        assert 5 == sum(line.startswith("proven ") for line in ran.stdout.splitlines())
    figure(line="5-1", text="honest pack in bare interpreters", value=len(pythons()))


# ----------------------------------------------------------------------------- every other code


def unsigned_note(changed: dict[str, bytes]) -> bytes:
    text, _, rest = changed["signed.txt"].rpartition(b"\n\n")
    name = rest.split(b" ")[1]
    forged = b"AAAA" + rest.split(b" ")[2].strip()[4:]
    del name
    changed["signed.txt"] = text + b"\n\n" + b" ".join([*rest.split(b" ")[:2], forged]) + b"\n"
    return repacked(changed)


def test_every_exit_code_of_the_verifier_is_provoked() -> None:
    found = {code_of(*with_key(case())) for case in CASES}
    found |= {code_of(honest().data), code_of(honest().data, None)}
    changed = files()
    found.add(code_of(honest().data, "no key at all"))
    wrong = honest().data
    found.add(code_of(packs.made(ADA, "funding(BTC) @ 1893456000000 = 123456789").data))
    found.add(code_of(packs.made(ADA, "balance(spot, NOBODY) @ 1893456000000 = 1").data))
    # a signature that is not the key's: the note says another text
    text, _, rest = changed["signed.txt"].rpartition(b"\n\n")
    changed["signed.txt"] = text.replace(b"manifest ", b"manifest  ") + b"\n\n" + rest
    found.add(code_of(repacked(changed)))
    changed = files()
    changed["added.txt"] = b""
    found.add(code_of(repacked(changed)))
    changed = files()
    name = first_batch(changed)
    changed[name] = changed[name].replace(b'"side":"B"', b'"side":"A"', 1)
    found.add(code_of(repacked(changed)))
    changed = files()
    proofs = json.loads(changed["proofs.json"])
    step = next(iter(proofs["inclusion"]))
    broken = {**proofs, "inclusion": {**proofs["inclusion"], step: ["00" * 32]}}
    changed["proofs.json"] = packs.canonical(broken)
    found.add(code_of(signed(changed, ADA)))
    changed["proofs.json"] = packs.canonical({**proofs, "heads": {}})
    found.add(code_of(signed(changed, ADA)))
    other = checkpoint_of(files()["signed.txt"]).replace("\n", "\n1", 0)
    lines = other.split("\n")
    earlier = "\n".join([lines[0], "1", "ab" * 32, *lines[3:]])
    found.add(code_of(wrong, KEY, earlier))
    lied = signed(files(), ADA, lambda manifest: manifest["claims"][0].update(status="unknown"))
    found.add(code_of(lied))
    found.add(code_of(repacked({**files(), "stamp.tsr": b"none"})))
    assert set(CODES) - {31, 32} == found  # those two take an authority: test_stamp


def with_key(case: tuple[bytes, str | None]) -> tuple[bytes, str, str | None]:
    return case[0], KEY, case[1]


def test_a_claim_the_pack_calls_proven_is_recomputed() -> None:
    """Even the rightful signer cannot make a false claim pass."""

    def lie(manifest: dict) -> None:
        manifest["claims"][1]["claim"] = manifest["claims"][1]["claim"].replace("= ", "!= ")

    code, text, _ = verified(signed(files(), ADA, lie), KEY)
    assert 29 == code
    assert "recomputed contradicted" in text


def test_who_holds_the_key_cannot_change_an_event_of_the_sealed_book() -> None:
    changed = files()
    name = first_batch(changed)
    changed[name] = changed[name].replace(b'"side":"B"', b'"side":"A"', 1)
    assert 20 == code_of(signed(changed, ADA))


def test_every_changed_byte_of_a_pack_is_seen() -> None:
    data = honest().data
    places = range(random.Random(3).randrange(FLIPS), len(data), max(FLIPS, 211))
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        assert 11 == code_of(bytes(changed)), place


@pytest.mark.parametrize("kept", [0, 1, 21, 1000, -1, -22])
def test_a_pack_that_was_cut_is_never_green(kept: int) -> None:
    assert 11 == code_of(honest().data[:kept])


def test_a_checkpoint_of_the_very_book_pins_a_pack_without_a_key() -> None:
    kept = checkpoint_of(files()["signed.txt"])
    assert 0 == code_of(honest().data, None, kept)
    assert 0 == code_of(honest().data, KEY, kept)


def test_an_earlier_checkpoint_of_the_book_is_continued_but_pins_nothing() -> None:
    from ledger import seal

    with replay.open(packs.book_path(), cache=False) as audit:
        digests = audit.book.verify().digests
        seals = audit.book.seals()
    early = next(one for one in seals if one.position < len(digests))
    leaves = [seal.leaf_of_batch(one) for one in digests[: early.position]]
    kept = f"rollforward/book/1\n{early.position}\n{seal.tree_root(leaves).hex()}\n"
    kept += f"seal {early.number} {early.digest}\n"
    assert 0 == code_of(honest().data, KEY, kept)
    assert 13 == code_of(honest().data, None, kept)


def test_the_same_book_and_key_give_the_same_bytes() -> None:
    assert honest().data == packs.made(ADA, packs.claims_text()).data


def test_a_pack_is_an_ordinary_archive_that_holds_its_verifier_and_format() -> None:
    with zipfile.ZipFile(BytesIO(honest().data)) as archive:
        assert archive.testzip() is None
        assert assembled().encode() == archive.read("verify.py")
        assert b"# Evidence packs" in archive.read("FORMAT.md")


def test_the_report_needs_no_network_and_runs_nothing() -> None:
    page = files()["report.html"].decode()
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<svg") >= 3


def test_nothing_of_the_other_account_stands_in_a_pack() -> None:
    other = packs.history(78, 30).account
    named = [name for name, body in files().items() if other.encode() in body]
    assert [] == named


def test_a_pack_about_nothing_is_refused() -> None:
    with pytest.raises(UnclearQuestion, match="a pack about nothing proves nothing"):
        packs.made(ADA, "# nothing\n")


def test_a_claim_that_needs_the_margin_engine_is_green_only_by_name() -> None:
    pack = packs.made(ADA, f"{packs.claims_text()}ratio: margin(ratio) @ {packs.venue().now} < 1")
    statuses = {one.name: one.status for one in pack.checked}
    assert "unknown" == statuses["ratio"]  # nobody recorded the mode of this account
    assert 3 == verified(pack.data, KEY)[0]
    assert 0 == verified(pack.data, KEY, None, ("ratio",))[0]


def test_keys_of_the_verifier_are_those_of_the_signer() -> None:
    from replay.evidence.verifier.ed25519 import key_hash, read_key

    key: VerifierKey = ADA.verifier
    assert ("ada", key.public) == read_key(key.text)
    assert key.hash == key_hash("ada", key.public)
    assert read_key(key.text.replace("ada", "eva")) is None


def misshapen(value: object, chance: random.Random) -> object:
    """Return JSON with one thing in it replaced or left out."""
    if value and isinstance(value, dict | list) and chance.random() < 0.8:
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = chance.choice(keys)
        copy = value.copy()
        if chance.random() < 0.15:
            del copy[key]
        else:
            copy[key] = misshapen(copy[key], chance)
        return copy
    strange = (None, -1, 0, 2**70, "", "x", "00" * 32, [], {}, True, "9" * 5000, [[1]])
    return chance.choice(strange)


@pytest.mark.parametrize("seed", range(40))
def test_no_shape_of_a_pack_makes_the_verifier_fail(seed: int) -> None:
    """Whoever holds a key can sign anything: the answer is a code, never a traceback."""
    chance, changed = random.Random(seed), files()
    name = chance.choice(("manifest.json", "proofs.json", first_batch(changed)))
    if name == "manifest.json":
        broken = misshapen(json.loads(changed[name]), chance)
        kept = json.loads(changed[name])["files"]

        def put(manifest: dict) -> None:
            manifest.clear()
            manifest.update(broken if isinstance(broken, dict) else {}, files=kept)

        data = signed(changed, ADA, put)
    else:
        lines = changed[name].split(b"\n")
        place = chance.randrange(len(lines))
        lines[place] = packs.canonical(misshapen(json.loads(lines[place]), chance))
        changed[name] = b"\n".join(lines)
        data = signed(changed, ADA)
    assert code_of(data) in CODES


def test_the_format_in_a_pack_is_the_page_of_the_documents() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "spec" / "pack.md"
    assert page.read_bytes() == files()["FORMAT.md"]
    said = {int(row.split("|")[1]) for row in page.read_text("utf-8").splitlines()
            if row.startswith("| ") and row.split("|")[1].strip().isdigit()}  # fmt: skip
    assert set(CODES) == said
