"""Signatures: signed notes in C2SP form, with Ed25519 keys; no file and no clock is read here.

A note is a text that ends in a newline, an empty line, and signature lines::

    rollforward approval 1
    …

    — ada 5XmRlQ…=

The signature is over the text with its final newline. A key is known by its name and by the first
four bytes of a digest over name and key, so that a note says which key to look for. The forms are
those of other implementations, who can read and make our notes:

    verifier key   NAME+HASH+BASE64(0x01, 32 bytes of public key)
    signer key     PRIVATE+KEY+NAME+HASH+BASE64(0x01, 32 bytes of seed)

Source: C2SP signed-note (c2sp.org/signed-note, read 2026-11-22); RFC 8032 for Ed25519; the text of
signer keys is that of the Go package sumdb/note, which C2SP leaves open.

The library ``cryptography`` (extra ``sign``) is imported when a signature is made or compared.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import attrs
from typing_extensions import override

from ledger.errors import MalformedRecord, NotInstalled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from cryptography.hazmat.primitives.asymmetric import ed25519

ED25519: Final = b"\x01"
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
PRIVATE: Final = "PRIVATE+KEY+"
DASH: Final = "— "
SIGNATURES_MAX: Final = 100
NOTE_CHARACTERS_MAX: Final = 1_000_000


@attrs.frozen(kw_only=True)
class VerifierKey:
    """A public key under its name; equal texts are equal keys."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The four bytes by which a signature line says which key made it."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as one line that can be published."""
        return f"{self.name}+{self.hash.hex()}+{_base64(ED25519 + self.public)}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the 32 bytes of the key, to be compared over another channel."""
        return f"SHA256:{sha256(self.public).hexdigest()}"


@attrs.frozen(kw_only=True)
class SignerKey:
    """A private key under its name; it is never printed with a value."""

    name: str
    seed: bytes = attrs.field(repr=False)

    @property
    def text(self) -> str:
        """The key as the one line of its file."""
        return f"{PRIVATE}{self.name}+{self.verifier.hash.hex()}+{_base64(ED25519 + self.seed)}"

    @property
    def verifier(self) -> VerifierKey:
        """The public key that belongs to it."""
        return VerifierKey(name=self.name, public=public_of(self.seed))


@attrs.frozen(kw_only=True)
class SignatureLine:
    """One signature of a note: the name and hash of its key, and its 64 bytes."""

    name: str
    hash: bytes
    signature: bytes

    @property
    def text(self) -> str:
        """The line without its newline."""
        return f"{DASH}{self.name} {_base64(self.hash + self.signature)}"


@attrs.frozen(kw_only=True)
class Note:
    """A text and the signatures under it, as read; nothing is compared yet."""

    text: str
    signatures: tuple[SignatureLine, ...]

    @override
    def __str__(self) -> str:
        """Return the note as it is written to a file."""
        return self.text + "\n" + "".join(f"{line.text}\n" for line in self.signatures)


# ------------------------------------------------------------------------------------------ keys


def key_name(name: str) -> str:
    """Return the name of a key, when it can be one.

    Raises: MalformedRecord, when it is empty or has a space, a plus or a sign nobody sees.
    """
    is_one = name and name.isprintable() and not any(sign.isspace() or sign == "+" for sign in name)
    if not is_one:
        raise MalformedRecord(
            field="name of a key", found=name, expected="a word without spaces and plus signs"
        )
    return name


def new_key(name: str, seed: bytes) -> SignerKey:
    """Return the key of 32 random bytes, which the caller brings.

    Raises: MalformedRecord, for a name that cannot be one.
    """
    assert len(seed) == KEY_BYTES, "a seed has 32 bytes"
    return SignerKey(name=key_name(name), seed=seed)


def read_verifier(text: str) -> VerifierKey:
    """Return the public key of its one line.

    Raises: MalformedRecord, when the text is not exactly a verifier key, its hash not that of name
    and key, or its kind not Ed25519.
    """
    name, said, key = _parts(text, what="verifier key")
    found = VerifierKey(name=name, public=key)
    if found.hash.hex() != said or found.text != text:
        raise MalformedRecord(
            field="verifier key", found=text, expected="NAME+HASH+KEY: its hash is another one"
        )
    return found


def read_signer(text: str) -> SignerKey:
    """Return the private key of its one line; messages never quote it.

    Raises: MalformedRecord, when the text is not exactly a signer key.
    """
    expected = f"a line {PRIVATE}NAME+HASH+KEY, as rollforward keys new writes"
    if not text.startswith(PRIVATE):
        raise MalformedRecord(field="signer key", found="(not shown)", expected=expected)
    try:
        name, _, seed = _parts(text.removeprefix(PRIVATE), what="signer key")
    except MalformedRecord as error:
        raise MalformedRecord(
            field="signer key", found="(not shown)", expected=expected
        ) from error.__cause__
    found = SignerKey(name=name, seed=seed)
    if found.text != text:
        raise MalformedRecord(field="signer key", found="(not shown)", expected=expected)
    return found


def _parts(text: str, *, what: str) -> tuple[str, str, bytes]:
    name, _, rest = text.partition("+")
    said, _, encoded = rest.partition("+")
    try:
        key = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        key = b""
    if len(said) != 8 or len(key) != 1 + KEY_BYTES or key[:1] != ED25519:
        raise MalformedRecord(
            field=what, found=text, expected="NAME+HASH+KEY of an Ed25519 key, on one line"
        )
    return key_name(name), said, key[1:]


# ----------------------------------------------------------------------------------------- notes


def sign(text: str, key: SignerKey) -> SignatureLine:
    """Return the signature over a text, which has to be one a note can bear.

    Raises: MalformedRecord, when it is not; NotInstalled, when the library is not there.
    """
    _check_text(text)
    verifier = key.verifier
    made = SignatureLine(
        name=key.name, hash=verifier.hash, signature=signature_of(key.seed, text.encode())
    )
    assert is_signed_by(text, made, verifier), "what was just signed can be verified"
    return made


def is_signed_by(text: str, line: SignatureLine, key: VerifierKey) -> bool:
    """Tell whether a line is this key's signature over a text.

    Raises: NotInstalled, when the library is not there.
    """
    if line.name != key.name or line.hash != key.hash:
        return False
    return is_signature(key.public, line.signature, text.encode())


def signers(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...] | None:
    """Return which of the keys signed a note, or None when one of them is named and did not.

    Lines of other keys are passed over; of several lines of one key the first decides.

    Raises: NotInstalled, when the library is not there.
    """
    found: list[VerifierKey] = []
    for key in keys:
        line = next((s for s in note.signatures if (s.name, s.hash) == (key.name, key.hash)), None)
        if line is None:
            continue
        if not is_signed_by(note.text, line, key):
            return None
        found.append(key)
    return tuple(found)


def read_note(text: str) -> Note:
    """Return a note, its form examined; the last empty line ends the text.

    Raises: MalformedRecord, when it is no note.
    """
    head, found, tail = text.rpartition("\n\n")
    if not found or len(text) > NOTE_CHARACTERS_MAX or not tail.endswith("\n"):
        raise MalformedRecord(
            field="note",
            found=text[:60],
            expected="a text, an empty line and lines of signatures",
        )
    body = head + "\n"
    _check_text(body)
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedRecord(
            field="note", found=f"{len(lines)} signatures", expected=f"at most {SIGNATURES_MAX}"
        )
    return Note(text=body, signatures=tuple(read_signature(line) for line in lines))


def read_signature(line: str) -> SignatureLine:
    """Return the signature of one line, without its newline.

    Raises: MalformedRecord, when the line is not exactly one.
    """
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    try:
        blob = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        blob = b""
    if len(blob) == 4 + SIGNATURE_BYTES and name:
        found = SignatureLine(name=key_name(name), hash=blob[:4], signature=blob[4:])
        if found.text == line:
            return found
    raise MalformedRecord(
        field="signature", found=line[:80], expected="a dash, the name of a key and its signature"
    )


def _check_text(text: str) -> None:
    """Refuse what no note can bear: no final newline, control signs, halves of signs."""
    plain = text.replace("\n", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        plain = "\x00"
    if not text.endswith("\n") or text == "\n" or any(sign < " " for sign in plain):
        raise MalformedRecord(
            field="text of a note", found=text[:60], expected="lines of plain text, each ended"
        )


def _base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")


# --------------------------------------------------------------------------------------- Ed25519


def public_of(seed: bytes) -> bytes:
    """Return the 32 bytes of the public key of a seed. Raises: NotInstalled, if no library."""
    return _private(seed).public_key().public_bytes_raw()


def signature_of(seed: bytes, message: bytes) -> bytes:
    """Return the 64 bytes of a signature; the same ones whenever it is made (RFC 8032).

    Raises: NotInstalled, when the library is not there.
    """
    return _private(seed).sign(message)


def is_signature(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature is a public key's over a message.

    Raises: NotInstalled, when the library is not there.
    """
    ed = _library()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra, and slow

    try:
        ed.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private(seed: bytes) -> ed25519.Ed25519PrivateKey:
    made: ed25519.Ed25519PrivateKey = _library().Ed25519PrivateKey.from_private_bytes(seed)
    return made


def _library() -> ModuleType:
    try:
        from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415 - as above
            ed25519 as found,
        )
    except ImportError as error:
        raise NotInstalled(library="cryptography", extra="sign", use="A signature") from error
    return found
