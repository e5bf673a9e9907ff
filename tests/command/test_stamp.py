"""Time stamps by the command line alone: asked for, missed, added later, held against a root."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.authority import Authority, served

ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
HELD = "long: position(HYPE) @ 2026-08-05T12:00Z = 4500 HYPE"
NOBODY = "http://127.0.0.1:9/tsr"

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def key(cascade) -> str:
    (cascade.folder / "claims.txt").write_text(HELD, encoding="utf-8")
    shown = cascade.fine("keys", "new", "ada.key")
    said = next(line for line in shown.splitlines() if line.startswith("public key"))
    return said.removeprefix("public key: ")


def pack(cascade, *more: str, code: int = 0):
    words = ("--claims", "claims.txt", "--key", "ada.key", "--out", "x.rfpack")
    result = cascade("pack", ACCOUNT, *words, *more)
    assert code == result.exit_code, result.output
    return result


def test_a_stamp_travels_in_the_pack_and_is_held_against_a_root(cascade, key, tmp_path: Path):
    authority = Authority(tmp_path / "authority")
    with served(lambda question: (200, authority.granted(question))) as url:
        made = pack(cascade, "--stamp", url, "--stamp-root", str(authority.root))
        assert "by CN=Example Time Stamps" in made.stderr
        assert "its signature unchecked: no --stamp-root" in pack(cascade, "--stamp", url).stderr
    shown = cascade.fine("verify-pack", "x.rfpack", "--key", key)
    assert "NOT CHECKED here: the authority's signature" in shown
    assert "VERIFIED: 1 claim proven; the time stamp was not checked" in shown
    root = ("--stamp-root", str(authority.root))
    shown = cascade.fine("verify-pack", "x.rfpack", "--key", key, *root)
    assert "says CN=Example Time Stamps, whose signature fits the certificates given" in shown
    assert "VERIFIED: 1 claim proven [" in shown
    told = cascade.json("verify-pack", "x.rfpack", "--key", key, *root)
    assert (True, True) == (told["verified"], told["stamp"]["verified"])
    stranger = Authority(tmp_path / "stranger", "Somebody Else")
    cascade.fine(
        "verify-pack", "x.rfpack", "--key", key, "--stamp-root", str(stranger.root), code=31
    )


def test_without_an_answer_nothing_is_written(cascade, key):
    said = pack(cascade, "--stamp", NOBODY, code=5).stderr
    assert "nobody answers at that address. Nothing was written" in said
    assert not (cascade.folder / "x.rfpack").exists()


def test_a_pack_that_may_go_without_is_written_and_says_so(cascade, key):
    said = pack(cascade, "--stamp", NOBODY, "--stamp-optional", code=3).stderr
    assert "written without a time stamp" in said
    cascade.fine("verify-pack", "x.rfpack", "--key", key)


def test_a_stamp_can_be_added_later_and_is_missed_by_who_asks_for_it(cascade, key, tmp_path: Path):
    pack(cascade)
    authority = Authority(tmp_path / "authority")
    words = ("verify-pack", "y.rfpack", "--key", key, "--stamp-root", str(authority.root))
    with served(lambda question: (200, authority.granted(question))) as url:
        cascade.fine("stamp-pack", "x.rfpack", "--stamp", url, "--out", "y.rfpack")
    cascade.fine(*words)
    missed = cascade("stamp-pack", "x.rfpack", "--stamp", NOBODY, "--out", "z.rfpack")
    assert (5, False) == (missed.exit_code, (cascade.folder / "z.rfpack").exists())
    (cascade.folder / "y.rfpack").write_bytes((cascade.folder / "x.rfpack").read_bytes())
    assert "no time stamp, though its authority was given" in cascade.fine(*words, code=32)


def test_what_is_no_pack_gets_no_stamp(cascade):
    (cascade.folder / "x.rfpack").write_bytes(b"PK")
    cascade.fine("stamp-pack", "x.rfpack", "--stamp", NOBODY, "--out", "y.rfpack", code=11)


def test_options_about_a_stamp_want_a_stamp(cascade, key):
    assert "add --stamp URL" in pack(cascade, "--stamp-optional", code=2).stderr
