"""Keys: files of private keys, pinned public ones, and what the signature of an approval is worth.

A key proves nothing of a person until somebody who met the person pins it to the name. Pins are
given one by one (``ben=NAME+HASH+KEY``) or in a file with one such line each.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger import signatures
from ledger.errors import MalformedRecord, NotFound, RefusedFile, UnclearQuestion
from ledger.signatures import VerifierKey
from projections.breaks import approval_statement
from projections.desk import person
from projections.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ledger.events import BreakApproved
    from ledger.signatures import SignerKey
    from ledger.units import Address
    from projections.desk import Act

Worth: TypeAlias = Literal["valid", "invalid", "key not pinned", "unsigned", "not compared"]

KEY_FILE_MODE: Final = 0o600
KEY_FILE_BYTES_MAX: Final = 4_096
PINS_BYTES_MAX: Final = 1_000_000


@attrs.frozen(kw_only=True)
class Checked:
    """What the signature of an approval is worth, and why; ``key`` is the one it names."""

    worth: Worth
    text: str
    key: VerifierKey | None = None


# ----------------------------------------------------------------------------------- key files


def new_key(path: Path, name: str) -> VerifierKey:
    """Write a new private key to a new file only its owner can read; return the public one.

    Raises: RefusedFile, when there is a file already, which is never overwritten; MalformedRecord,
    for a name no key can have; NotFound, when the library is not installed.
    """
    key = signatures.new_key(name, secrets.token_bytes(signatures.KEY_BYTES))
    public = key.verifier
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_FILE_MODE)
    except FileExistsError as error:
        raise RefusedFile(
            name=str(path),
            reason="there is such a file, and a key is never overwritten",
            remedy="Name a new file",
        ) from error
    with os.fdopen(file, "w", encoding="utf-8") as written:
        written.write(key.text + "\n")
        written.flush()
        os.fsync(written.fileno())
    return public


def read_key(path: Path) -> SignerKey:
    """Return the private key of a file.

    Raises: RefusedFile, when there is none in it; its text is never quoted.
    """
    try:
        with path.open("rb") as file:
            text = file.read(KEY_FILE_BYTES_MAX).decode("utf-8")
        return signatures.read_signer(text.removesuffix("\n"))
    except OSError as error:
        raise RefusedFile(
            name=str(path),
            reason=f"it cannot be read ({error.strerror})",
            remedy="Make a key with: rollforward keys new FILE",
        ) from error
    except (MalformedRecord, UnicodeDecodeError) as error:
        raise RefusedFile(
            name=str(path),
            reason="it holds no private key",
            remedy="Give the file that rollforward keys new has written",
        ) from error


def is_open_to_others(path: Path) -> bool:
    """Tell whether somebody besides its owner can read a file, where the system has such modes."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)


# ---------------------------------------------------------------------------------------- pins


@attrs.frozen(kw_only=True)
class Pins:
    """Which public keys are whose; a person may have several, one after another."""

    by_person: tuple[tuple[str, VerifierKey], ...] = ()

    def of(self, name: str) -> tuple[VerifierKey, ...]:
        """Return the keys pinned to a person, however the name is spelled in space and case."""
        return tuple(key for whose, key in self.by_person if person(whose) == person(name))


def pins(given: Iterable[str] = (), file: Path | None = None) -> Pins:
    """Return the pins of command-line texts and of a file, whose lines are the same texts.

    Empty lines of the file and lines that begin with ``#`` say nothing.

    Raises: UnclearQuestion, for a text that is no pin and for one key of two people, whose
    signature would say nothing of either; RefusedFile, for a file that cannot be read or has such
    a line.
    """
    found = [_pin(text) for text in given]
    if file is not None:
        for number, line in enumerate(_lines(file), start=1):
            if line.strip() and not line.startswith("#"):
                try:
                    found.append(_pin(line))
                except UnclearQuestion as error:
                    raise RefusedFile(
                        name=f"{file} line {number}", reason=error.problem, remedy=error.remedy
                    ) from error
    owners: dict[bytes, str] = {}
    for name, key in found:
        if person(owners.setdefault(key.public, name)) != person(name):
            raise UnclearQuestion(
                asked=f"{name}={key.text}",
                problem=f"is the key of {owners[key.public]} as well",
                remedy="Pin a key to one person: a signature says nothing where two can make it",
            )
    return Pins(by_person=tuple(found))


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            return opened.read(PINS_BYTES_MAX).decode("utf-8").splitlines()
    except OSError as error:
        raise RefusedFile(
            name=str(file),
            reason=f"it cannot be read ({error.strerror})",
            remedy="Name a text file",
        ) from error
    except UnicodeDecodeError as error:
        raise RefusedFile(
            name=str(file), reason="it is not UTF-8 text", remedy="Name a text file"
        ) from error


def _pin(text: str) -> tuple[str, VerifierKey]:
    if signatures.PRIVATE in text:
        raise UnclearQuestion(
            asked="a private key, not shown",
            problem="is no pin",
            remedy="Pin the public one, which keys show prints, and let nobody see this one",
        )
    name, separator, key = text.strip().partition("=")
    try:
        if separator and person(name):
            return name.strip(), signatures.read_verifier(key.strip())
        why = "is no pin"
    except MalformedRecord as error:
        why = f"has no key of this kind: {error.expected}"
    raise UnclearQuestion(
        asked=text, problem=why, remedy="Write NAME=KEY with the line that keys new has printed"
    )


# --------------------------------------------------------------------------------- verification


def checked(event: BreakApproved, pinned: Pins) -> Checked:
    """Return what the signature of an approval is worth.

    ``valid`` says: the key pinned to the approver's name signed exactly this approval. ``not
    compared`` says that the library for it is not installed.
    """
    if event.signature is None and event.key is None:
        return Checked(worth="unsigned", text="nobody signed it: it is as good as whoever wrote it")
    try:
        line = signatures.read_signature(event.signature or "")
        key = signatures.read_verifier(event.key or "")
    except MalformedRecord as error:
        return Checked(worth="invalid", text=str(error))
    try:
        is_signed = signatures.is_signed_by(approval_statement(event), line, key)
    except NotFound as error:
        return Checked(worth="not compared", text=str(error), key=key)
    if not is_signed:
        return Checked(
            worth="invalid",
            text="the signature is not of this approval, or not of its key",
            key=key,
        )
    known = pinned.of(event.by)
    owner = next((name for name, each in pinned.by_person if each == key), None)
    if not known and owner is not None:
        return Checked(worth="invalid", text=f"signed by the key pinned to {owner}", key=key)
    if not known:
        return Checked(
            worth="key not pinned",
            text=f"signed by the key it names; whether that is {event.by}'s, a pin would say",
            key=key,
        )
    if key not in known:
        return Checked(
            worth="invalid",
            text=f"signed by another key than the one pinned to {event.by}",
            key=key,
        )
    return Checked(worth="valid", text=f"signed by the key pinned to {event.by}", key=key)


def finding(act: Act, event: BreakApproved, account: Address | None, worth: Checked) -> Finding:
    """Return the finding that a signature is wrong."""
    return Finding(
        check="desk-signature",
        account=account,
        at=event.at,
        events=(act.id,),
        expected=f"a signature of {event.by}",
        observed=event.signature or "none",
        difference="",
        text=f"the approval of {event.identity} by {event.by} bears a wrong signature: "
        + worth.text,
        severity="error",
    )
