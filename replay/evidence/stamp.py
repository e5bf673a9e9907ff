"""Time stamps of packs: asked of an authority (RFC 3161), kept in the pack, held against a root.

A stamp says that somebody else's clock had not passed a moment when the signature of a pack was
already there. It is over the bytes of ``signed.txt`` and stands outside what is signed, so that it
can be asked for later, and taken away: its absence says nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from ledger.errors import NoStamp, NotInstalled, RefusedFile, UnclearQuestion
from replay.evidence.verifier.canon import Refused
from replay.evidence.verifier.container import container, contents
from replay.evidence.verifier.stamp import STAMP, read_stamp

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from cryptography.x509 import Certificate

    from replay.evidence.verifier.stamp import Stamp
    from replay.evidence.verifier.verdict import Verdict

ANSWER_MAX: Final = 65_536
"""Bytes of an answer; a response with a chain of certificates has a tenth of them."""

SECONDS: Final = 20
"""How long an authority may take in all, from the first byte asked to the last one answered."""

INTACT: Final = frozenset({0, 1, 3})
"""Exit codes of the verifier that speak of an intact pack."""


def stamped(
    data: bytes, url: str, *, roots: Path | None = None, seconds: float = SECONDS
) -> tuple[bytes, Stamp]:
    """Return a pack with the authority's stamp in it, in the place of any other, and the stamp.

    The stamp is over the pack's signature. With *roots* it is checked against these certificates
    before it is taken.

    Raises: NoStamp, when none is to be had; UnclearQuestion, for an address that is none;
    RefusedFile, when the certificates cannot be read; NotInstalled, without the library.
    """
    files = contents(data)
    signed = files["signed.txt"]
    certificates = None if roots is None else _certificates(roots)
    response = _asked(_address(url), signed, seconds)
    try:
        stamp = read_stamp(response, signed)
    except Refused as refused:
        raise NoStamp(url=url, reason=f"the answer does not serve: {refused.text}") from refused
    if certificates is not None:
        try:
            stamp.authority = _vouching(response, signed, certificates)
        except ValueError as error:
            reason = f"its signature is not that of the certificates given: {error}"
            raise NoStamp(url=url, reason=reason) from error
    return container({**files, STAMP: response}), stamp


def vouched(data: bytes, roots: Path, found: tuple[int, str, Verdict]) -> tuple[int, str]:
    """Return exit code and sentence of a pack of which *roots* are to vouch for the time stamp.

    What the verifier refuses stays as it is. Whoever vouches is noted in the verdict's stamp.

    Raises: RefusedFile, when the certificates cannot be read; NotInstalled, without the library.
    """
    code, text, verdict = found
    certificates = _certificates(roots)
    if code not in INTACT:
        return code, text
    if verdict.stamp is None:
        return 32, f"intact, but without a time stamp for {roots.name} to vouch for"
    files = contents(data)
    try:
        verdict.stamp.authority = _vouching(files[STAMP], files["signed.txt"], certificates)
    except ValueError as error:
        return 31, f"intact, but nobody in {roots.name} signed the time stamp: {error}"
    return code, text


def _library() -> ModuleType:
    """Return the library that knows the authorities' signatures.

    Raises: NotInstalled, when it is not installed.
    """
    try:
        import rfc3161_client
    except ImportError as error:
        raise NotInstalled(library="rfc3161-client", extra="stamp", use="A time stamp") from error
    return rfc3161_client


def _address(url: str) -> str:
    """Return an address that can be asked.

    Raises: UnclearQuestion.
    """
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        is_plain = not parts.username and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        is_one = is_plain = False
    if not (is_one and is_plain):
        raise UnclearQuestion(
            asked=url, problem="is no address of a time-stamp authority",
            remedy="Give one that begins with http:// or https://, without user and password",
        )  # fmt: skip
    return url


def _asked(url: str, signed: bytes, seconds: float) -> bytes:
    """Return the response of an authority which it granted for these bytes and this question.

    Raises: NoStamp.
    """
    library = _library()
    builder = library.TimestampRequestBuilder().data(signed)
    question = builder.hash_algorithm(library.HashAlgorithm.SHA256).build()
    answer = _fetched(url, question.as_bytes(), seconds)
    try:
        response = library.decode_timestamp_response(answer)
        granted, said = response.status == 0, "; ".join(response.status_string)
        is_ours = granted and response.tst_info.nonce == question.nonce
    except ValueError as error:
        reason = f"the answer is no RFC 3161 response: {str(error)[:200]}"
        raise NoStamp(url=url, reason=reason) from error
    if not granted:
        raise NoStamp(url=url, reason=f"it refuses: {_plain(said) or 'without saying why'}")
    if not is_ours:
        raise NoStamp(url=url, reason="the answer is to another question than ours")
    return answer


def _plain(text: str) -> str:
    return "".join(sign for sign in text[:200] if sign.isprintable())


def _fetched(url: str, question: bytes, seconds: float) -> bytes:
    """Return what an address answers, within a time and a size that it cannot stretch.

    The clock runs outside the connection: an answer that drips byte by byte ends too.

    Raises: NoStamp.
    """
    got: list[bytes] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            got.append(_posted(url, question, seconds))
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if failed:
        raise NoStamp(url=url, reason=_cause(failed[0], seconds)) from failed[0]
    if not got:
        raise NoStamp(url=url, reason=f"no whole answer within {seconds:g} seconds")
    if len(got[0]) > ANSWER_MAX:
        raise NoStamp(url=url, reason=f"the answer is longer than {ANSWER_MAX} bytes")
    return got[0]


def _posted(url: str, question: bytes, seconds: float) -> bytes:
    """Return at most one byte more than an answer may have. Nothing is followed to elsewhere."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(), HTTPHandler(), HTTPSHandler(), HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    kinds = {
        "Content-Type": "application/timestamp-query",
        "Accept": "application/timestamp-reply",
    }
    asked = Request(url, data=question, headers=kinds)  # noqa: S310 - http and https alone, see _address
    with opener.open(asked, timeout=seconds) as answer:
        body: bytes = answer.read(ANSWER_MAX + 1)
    return body


def _cause(error: BaseException, seconds: float) -> str:
    """Return why nothing came, in words that are the same on every machine."""
    if isinstance(error, HTTPError):
        error.close()
        return f"it answers {error.code} instead of a time stamp"
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ConnectionRefusedError):
        return "nobody answers at that address"
    if isinstance(reason, TimeoutError):
        return f"no whole answer within {seconds:g} seconds"
    return f"the connection failed: {_plain(str(reason)) or type(reason).__name__}"


def _certificates(path: Path) -> tuple[Certificate, ...]:
    """Return the certificates in a file.

    Raises: RefusedFile, when there is none; NotInstalled, without the library.
    """
    _library()
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return tuple(load_pem_x509_certificates(path.read_bytes()))
    except ValueError as error:
        raise RefusedFile(
            name=path.name, reason="it holds no certificates in PEM",
            remedy="Give the authority's root certificate, and those between, as they publish them",
        ) from error  # fmt: skip


def _vouching(response: bytes, signed: bytes, certificates: tuple[Certificate, ...]) -> str:
    """Return the name of the authority whose signature on a response the certificates bear out.

    Raises: ValueError, with the cause.
    """
    library = _library()
    from cryptography.x509 import load_der_x509_certificate

    builder = library.VerifierBuilder()
    for certificate in dict.fromkeys(certificates):
        builder = builder.add_root_certificate(certificate)
    decoded = library.decode_timestamp_response(response)
    try:
        builder.build().verify_message(decoded, signed)
    except library.VerificationError as error:
        raise ValueError(str(error)) from error
    (signer,) = decoded.signed_data.signer_infos
    for body in decoded.signed_data.certificates:
        one = load_der_x509_certificate(body)
        if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number):
            return str(one.subject.rfc4514_string())
    message = "the signer's certificate is not in it"
    raise ValueError(message)
