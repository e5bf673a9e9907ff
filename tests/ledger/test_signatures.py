"""Signatures against the vectors of others, and against everything that is nearly one."""

from __future__ import annotations

import contextlib
import sys
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import signatures
from ledger.errors import MalformedRecord, NotFound
from ledger.signatures import new_key, read_note, read_signature, read_signer, read_verifier

# RFC 8032 section 7.1: secret key, public key, message, signature.
RFC_8032 = {
    "test 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
            "1cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    "test 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
            "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    "test 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
            "984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    "test SHA(abc)": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
            "a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6"
            "6431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
}

# The example of the Go package golang.org/x/mod/sumdb/note (note_test.go), which C2SP came from.
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}\n"

ANA = new_key("ana", bytes(range(32)))
BEN = new_key("ben", bytes(range(1, 33)))


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"), RFC_8032.values(), ids=RFC_8032
)
def test_keys_and_signatures_are_those_of_rfc_8032(seed, public, message, signature):
    raw = bytes.fromhex(message)
    assert public == signatures.public_of(bytes.fromhex(seed)).hex()
    assert signature == signatures.signature_of(bytes.fromhex(seed), raw).hex()
    assert signatures.is_signature(bytes.fromhex(public), bytes.fromhex(signature), raw)
    assert not signatures.is_signature(bytes.fromhex(public), bytes.fromhex(signature), raw + b"x")


def test_a_note_of_another_implementation_is_read_and_made_byte_for_byte():
    key, note = read_verifier(GO_VERIFIER), read_note(GO_NOTE)
    assert GO_TEXT == note.text
    assert (key,) == signatures.signers(note, [key])
    signer = read_signer(GO_SIGNER)
    assert GO_VERIFIER == signer.verifier.text
    assert GO_SIGNER == signer.text
    assert GO_LINE == signatures.sign(GO_TEXT, signer).text
    assert GO_NOTE == str(note)


@pytest.mark.parametrize(
    "text",
    [
        # wrong length of the key and an unknown kind, each with a hash made to fit: the same
        # package's tests
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        GO_VERIFIER + "\n",
        GO_VERIFIER.replace("c74f", "C74F"),
        "",
        "++",
    ],
)
def test_what_is_nearly_a_verifier_key_is_refused(text):
    with pytest.raises(MalformedRecord):
        read_verifier(text)


def test_no_part_of_a_verifier_key_and_none_with_another_sign_is_one():
    whole = GO_VERIFIER
    parts = [whole[i:j] for i in range(len(whole) + 1) for j in range(i + 1, len(whole) + 1)]
    parts.remove(whole)
    changed = [whole[:i] + chr(ord(whole[i]) + 1) + whole[i + 1 :] for i in range(len(whole))]
    for text in [*parts, *changed]:
        with pytest.raises(MalformedRecord):
            read_verifier(text)


def test_a_private_key_is_never_quoted():
    for text in (
        GO_SIGNER[:-1],
        GO_SIGNER.replace("c74f", "c74e"),
        GO_SIGNER + "x",
        "x" + GO_SIGNER,
    ):
        with pytest.raises(MalformedRecord) as caught:
            read_signer(text)
        said = str(caught.value) + repr(caught.value.__cause__)
        assert "AYEKFALVFGy" not in said
    assert "AYEKFALVFGy" not in repr(read_signer(GO_SIGNER))


def test_any_changed_bit_of_a_note_is_noticed():
    raw = GO_NOTE.encode()
    key = read_verifier(GO_VERIFIER)
    passed = []
    for place in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[place >> 3] ^= 1 << (place & 7)
        try:
            note = read_note(changed.decode("utf-8"))
        except (UnicodeDecodeError, MalformedRecord):
            continue
        if signatures.signers(note, [key]):
            passed.append(place)
    assert [] == passed


def test_signatures_of_other_keys_are_passed_over_and_a_false_one_is_not():
    text = "a statement\n"
    ana, ben = signatures.sign(text, ANA), signatures.sign(text, BEN)
    both = read_note(f"{text}\n{ana.text}\n{ben.text}\n")
    keys = [ANA.verifier, BEN.verifier]
    assert tuple(keys) == signatures.signers(both, keys)
    assert (ANA.verifier,) == signatures.signers(both, [ANA.verifier])
    assert () == signatures.signers(both, [read_verifier(GO_VERIFIER)])
    other = signatures.sign("another statement\n", ANA)
    false = read_note(f"{text}\n{other.text}\n{ben.text}\n")
    assert signatures.signers(false, keys) is None
    # of several lines of one key the first decides
    doubled = read_note(f"{text}\n{other.text}\n{ana.text}\n")
    assert signatures.signers(doubled, keys) is None


def test_the_last_empty_line_ends_the_text():
    text = "a\n\nb\n"
    note = f"{text}\n{signatures.sign(text, ANA).text}\n"
    assert text == read_note(note).text
    assert (ANA.verifier,) == signatures.signers(read_note(note), [ANA.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "a\n", "a\n\n", "a\n\n\n", f"a\n{GO_LINE}\n", f"a\n\n{GO_LINE}",
        f"a\n\n{GO_LINE}\nb\n", f"a\tb\n\n{GO_LINE}\n", f"a\r\n\n{GO_LINE}\n",
        f"a\n\n{GO_LINE.replace('—', '-')}\n", f"a\n\n{GO_LINE} \n", f"\n\n{GO_LINE}\n",
        "a\n\n— ana \n", "a\n\n— ana\n", "a\n\n—  " + "A" * 92 + "\n",
        "a\n\n" + f"{GO_LINE}\n" * 101,
    ],
)  # fmt: skip
def test_what_is_nearly_a_note_is_refused(text):
    with pytest.raises(MalformedRecord):
        read_note(text)


@pytest.mark.parametrize("text", ["", "\n", "a", "a\tb\n", "a\x00\n", "\ud800\n"])
def test_what_no_note_can_bear_is_not_signed(text):
    with pytest.raises(MalformedRecord):
        signatures.sign(text, ANA)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "\u200b"])
def test_a_key_has_a_word_for_a_name(name):
    with pytest.raises(MalformedRecord):
        new_key(name, bytes(32))


nearly_notes = st.builds(
    lambda place, put, left: GO_NOTE[:place] + put + GO_NOTE[place + left :],
    st.integers(0, len(GO_NOTE)),
    st.text("\n —+=A\x00\ud800", max_size=3),
    st.integers(0, 40),
)


@given(nearly_notes | st.text(max_size=200))
def test_any_text_is_a_note_to_the_letter_or_is_refused(text):
    with contextlib.suppress(MalformedRecord):
        assert text == str(read_note(text))


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.just("\n"), max_size=80)
)
def test_what_is_signed_is_verified_and_read_back(text):
    text += "\n"
    try:
        line = signatures.sign(text, ANA)
    except MalformedRecord:
        assert text == "\n"
        return
    note = read_note(f"{text}\n{line.text}\n")
    assert (text, (line,)) == (note.text, note.signatures)
    assert (ANA.verifier,) == signatures.signers(note, [ANA.verifier, BEN.verifier])


def test_the_key_hash_binds_name_and_key():
    renamed = signatures.VerifierKey(name="ben", public=ANA.verifier.public)
    assert renamed.hash != ANA.verifier.hash
    line = signatures.sign("a\n", ANA)
    blob = b64decode(line.text.rsplit(" ", 1)[1])
    forged = read_signature(f"— ben {b64encode(renamed.hash + blob[4:]).decode()}")
    # the bytes are those of the same key, and yet another name stands under them
    assert not signatures.is_signed_by("a\n", forged, ANA.verifier)
    assert not signatures.is_signed_by("a\n", line, renamed)


def test_without_the_library_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(NotFound, match=r"pip install '\.\[sign\]'"):
        signatures.sign("a\n", ANA)
