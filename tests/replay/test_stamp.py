"""Time stamps: good ones are read and vouched for, all others have a code, nothing hangs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.errors import NoStamp, UnclearQuestion
from replay.evidence.stamp import stamped, vouched
from replay.evidence.verifier.canon import Refused
from replay.evidence.verifier.container import container, contents
from replay.evidence.verifier.stamp import STAMP, read_stamp
from replay.evidence.verifier.verdict import Verdict, closing, said, verified
from tests.support.authority import Authority, served
from tests.support.packs import ADA, files, honest

KEY = ADA.verifier.text

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authorities") / "one")


@pytest.fixture(scope="module")
def response(authority: Authority) -> bytes:
    """A stamp over the honest pack."""
    return authority.over(files()["signed.txt"])


def bearing(response: bytes) -> bytes:
    """Return the honest pack with a response in it, whatever it holds."""
    return container({**files(), STAMP: response})


def code_with(response: bytes, root: Path) -> int:
    """Return the code of the honest pack with a response in it, the pack itself being sound."""
    verdict, signed = Verdict(), files()["signed.txt"]
    try:
        verdict.stamp = read_stamp(response, signed)
    except Refused as refused:
        return refused.code
    return vouched(container({"signed.txt": signed, STAMP: response}), root, (0, "", verdict))[0]


# -------------------------------------------------------------------------------------- reading


def test_a_stamp_is_read_and_vouched_for(authority: Authority, response: bytes, figure) -> None:
    data = bearing(response)
    found = verified(data, KEY)
    assert 0 == found[0]
    assert "the time stamp was not checked" in closing(*found)
    assert any("NOT CHECKED here" in line for line in said(found[2]))
    code, text = vouched(data, authority.root, found)
    assert 0 == code
    assert "CN=Example Time Stamps" == found[2].stamp.authority
    assert "not checked" not in closing(code, text, found[2])
    (line,) = [line for line in said(found[2]) if line.startswith("time stamp")]
    (authority.folder / "read.tsr").write_bytes(response)
    told = authority.ran("ts", "-reply", "-in", "read.tsr", "-text")
    (moment,) = [row for row in told.splitlines() if row.startswith("Time stamp:")]
    hour = moment.split()[4]
    assert f"T{hour}Z" in line  # openssl's own reading of the moment
    figure(line="5-1", text="time stamps read and vouched for", value="1 of 1")


def test_openssl_agrees_with_the_command_that_is_named(
    authority: Authority, response: bytes, tmp_path: Path
) -> None:
    data = contents(bearing(response))
    for name in ("signed.txt", STAMP):
        (authority.folder / name).write_bytes(data[name])
    words = ("-data", "signed.txt", "-in", STAMP, "-CAfile", "ca.pem")
    authority.ran("ts", "-verify", *words)
    with pytest.raises(subprocess.CalledProcessError):
        authority.ran("ts", "-verify", "-data", "ca.pem", *words[2:])


def test_the_verifier_of_the_pack_reads_a_stamp_alone(response: bytes, tmp_path: Path) -> None:
    (tmp_path / "verify.py").write_bytes(files()["verify.py"])
    (tmp_path / "x.rfpack").write_bytes(bearing(response))
    asked = [sys.executable, "-I", "-S", "verify.py", "x.rfpack", "--key", KEY]
    ran = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stderr)
    assert "NOT CHECKED here: the authority's signature" in ran.stdout
    assert "openssl ts -verify" in ran.stdout
    assert "the time stamp was not checked [0" in ran.stdout


def test_a_stamp_over_anything_else_has_its_own_code(authority: Authority) -> None:
    other = authority.over(files()["signed.txt"] + b"\n")
    assert 30 == verified(bearing(other), KEY)[0]


def test_a_stamp_under_another_root_is_refused(response: bytes, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "two", "Somebody Else")
    assert 31 == code_with(response, stranger.root)


def test_a_pack_without_a_stamp_is_not_green_for_who_names_an_authority(
    authority: Authority,
) -> None:
    data = honest().data
    assert 32 == vouched(data, authority.root, verified(data, KEY))[0]


def test_a_pack_that_is_not_sound_stays_so(authority: Authority, response: bytes) -> None:
    data = bearing(response)[:-1]
    assert 11 == vouched(data, authority.root, verified(data, KEY))[0]


def test_no_changed_byte_moves_a_stamp_that_is_vouched_for(
    authority: Authority, response: bytes
) -> None:
    """A response may be rewritten where nothing is signed; what it says cannot."""
    signed = files()["signed.txt"]
    was, codes = read_stamp(response, signed).moment, set()
    for place in range(0, len(response), 7):
        changed = bytearray(response)
        changed[place] ^= 1 << place % 8
        try:
            now = read_stamp(bytes(changed), signed).moment
        except Refused as refused:
            codes.add(refused.code)
            continue
        code = code_with(bytes(changed), authority.root)
        codes.add(code)
        assert code == 31 or was == now, place
    assert {30, 31} <= codes


def test_every_cut_of_a_response_is_refused(response: bytes) -> None:
    signed = files()["signed.txt"]
    for length in range(0, len(response), 3):
        with pytest.raises(Refused):
            read_stamp(response[:length], signed)
    with pytest.raises(Refused):
        read_stamp(response + b"\0", signed)


PIECES = (b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03", b"\x02\x01\x00", b"\x1f\xff\xff")


@given(st.binary(max_size=300) | st.lists(st.sampled_from(PIECES)).map(b"".join))
@example(b"\x30" * 100_000)
@example(b"\x30\x84\x7f\xff\xff\xff" * 1000)
@example(b"\x02\x00" * 100_000)
def test_no_bytes_make_the_reader_fail(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_stamp(body, b"signed")
    assert 30 == refused.value.code


@given(st.data())
def test_no_bytes_in_a_response_make_either_reader_fail(authority, response, data) -> None:
    changed = bytearray(response)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert code_with(bytes(changed), authority.root) in {0, 30, 31}


# --------------------------------------------------------------------------------------- asking


def test_a_stamp_is_asked_for_and_checked_before_it_is_taken(authority: Authority) -> None:
    with served(lambda question: (200, authority.granted(question))) as url:
        data, stamp = stamped(honest().data, url, roots=authority.root)
        again, _ = stamped(data, url)
    assert "CN=Example Time Stamps" == stamp.authority
    found = verified(data, KEY)
    assert (0, stamp.moment) == (found[0], found[2].stamp.moment)
    assert contents(data)[STAMP] != contents(again)[STAMP]  # a later one takes its place
    assert files() == {name: body for name, body in contents(again).items() if name != STAMP}


def refused(url: str, **more) -> str:
    with pytest.raises(NoStamp) as error:
        stamped(honest().data, url, **more)
    return error.value.reason


def test_an_answer_to_another_question_is_not_taken(authority: Authority, response: bytes) -> None:
    """Over the same bytes, but not to this question: an old answer played again."""
    with served(lambda _: (200, response)) as url:
        assert "the answer is to another question than ours" == refused(url)


def test_an_answer_over_other_bytes_is_not_taken(authority: Authority) -> None:
    def cheat(question: bytes) -> tuple[int, bytes]:
        from hashlib import sha256

        wanted = sha256(files()["signed.txt"]).digest()
        assert wanted in question
        return 200, authority.granted(question.replace(wanted, bytes(32)))

    with served(cheat) as url:
        assert "hash is of something else" in refused(url)


def test_a_stamp_under_another_root_is_not_taken(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "two", "Somebody Else")
    with served(lambda question: (200, authority.granted(question))) as url:
        assert "not that of the certificates given" in refused(url, roots=stranger.root)


@pytest.mark.parametrize(("code", "body", "reason"), [
    (200, b"", "the answer is no RFC 3161 response"),
    (200, b"<html>good morning</html>", "the answer is no RFC 3161 response"),
    (200, b"x" * 65_537, "the answer is longer than 65536 bytes"),
    (200, b"x" * 3_000_000, "the answer is longer than 65536 bytes"),
    (200, bytes.fromhex("30053003020102"), "it refuses: without saying why"),
    (404, b"nothing here", "it answers 404 instead of a time stamp"),
    (302, b"", "it answers 302 instead of a time stamp"),
    (500, b"", "it answers 500 instead of a time stamp"),
])  # fmt: skip
def test_an_answer_that_does_not_serve_says_why(code: int, body: bytes, reason: str) -> None:
    with served(lambda _: (code, body)) as url:
        assert refused(url).startswith(reason)


def test_an_authority_that_is_down_says_so() -> None:
    with served(lambda _: (200, b"")) as url:
        pass
    assert "nobody answers at that address" == refused(url)


def test_an_authority_that_never_ends_is_left() -> None:
    def slow(_: bytes) -> tuple[int, bytes]:
        time.sleep(1.2)
        return 200, b""

    with served(slow) as url:
        began = time.monotonic()
        assert "no whole answer within 0.3 seconds" == refused(url, seconds=0.3)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("url", [
    "", "tsa.example", "ftp://tsa.example/", "file:///etc/passwd", "http://", "http:///tsr",
    "https://user:secret@tsa.example/", "http://tsa.example:x/", "http://tsa.example/a b",
    "http://[::1/", "http://tsa.example/\nHost: other",
])  # fmt: skip
def test_what_is_no_address_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(UnclearQuestion, match="no address of a time-stamp authority"):
        stamped(honest().data, url)
