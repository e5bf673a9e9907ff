"""Pack: one file with which another party can check claims about an account, without us.

Everything in it is either hashed into what is signed, or follows from what is. The same book,
claims, period and key give the same bytes. Before a pack is handed out, the verifier inside it has
checked it: a pack that its own verifier refuses is never written. The format is
``docs/spec/pack.md``, which travels in the pack as FORMAT.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files as resources
from typing import TYPE_CHECKING, Final

import attrs

from ledger import seal
from ledger.civil import iso
from ledger.entries import AsOf
from ledger.errors import BrokenChain, NotFound, UnclearQuestion
from ledger.signatures import Note, sign
from ledger.stores.form import header_line
from ledger.units import VENUE, Digest, Millis
from projections import fold
from replay.claims import Checked, check_claims
from replay.evidence.assemble import assembled
from replay.evidence.beside import is_about_margin, parameters, rulebooks_of, streams_beside
from replay.evidence.proofs import Tree
from replay.evidence.stamp import INTACT
from replay.evidence.verifier.canon import canonical
from replay.evidence.verifier.container import container
from replay.evidence.verifier.verdict import FORMAT, RECIPES, Verdict, verified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.book import Book
    from ledger.entries import Batch
    from ledger.signatures import SignerKey
    from ledger.units import Stream
    from projections.claims_language import Claim
    from projections.rulebooks.base import Rulebook
    from replay.audit import AccountHistory

ORIGIN: Final = "rollforward/pack/1"


@attrs.frozen(kw_only=True)
class Asked:
    """What a pack is to be about. **Units**: moments in milliseconds, both ends of the period in.

    ``at`` is the instant of claims that name none, and of the state and timeline digests.
    """

    since: Millis
    until: Millis
    at: Millis


@attrs.frozen(kw_only=True)
class Pack:
    """A pack as it is written, with what its own verifier says of it."""

    data: bytes
    checked: tuple[Checked, ...]
    code: int
    verdict: Verdict
    files: Mapping[str, bytes] = attrs.field(repr=False)


def period(
    account: AccountHistory, *, since: Millis | None, until: Millis | None, at: Millis | None
) -> Asked:
    """Return the period of a pack: where nothing is said, from the first event to the last.

    Raises: NotFound, when nothing is recorded of the account; UnclearQuestion, when the period
    ends before it begins.
    """
    headers = [header for header in account.audit.book.headers(account.stream) if header.count]
    if not headers:
        raise NotFound(what="event", name=f"of {account.account}", remedy="A pack needs events")
    last = max(header.last_at for header in headers)
    first = min(header.first_at for header in headers)
    asked = Asked(
        since=first if since is None else since,
        until=last if until is None else until,
        at=(last if until is None else until) if at is None else at,
    )
    if asked.until < asked.since:
        raise UnclearQuestion(
            asked=f"{iso(asked.since)}..{iso(asked.until)}",
            problem="is a period that ends before it begins",
            remedy="Give --since before --until",
        )
    return asked


def make_pack(
    account: AccountHistory, claims: Iterable[Claim], asked: Asked, key: SignerKey
) -> Pack:
    """Return the pack of an account's whole recorded history with claims about it.

    Raises: UnclearQuestion, without claims or with one that cannot be evaluated; BrokenChain,
    when the book is not sound, or the verifier in the pack does not accept it.
    """
    book = account.audit.book
    position = book.position()
    checked = check_claims(account, claims, at=asked.at, position=position)
    if not checked:
        raise UnclearQuestion(
            asked="claims", problem="are none: a pack about nothing proves nothing",
            remedy="Write one claim a line into the file of --claims",
        )  # fmt: skip
    digests, last = _sound(book)
    wanted = (account.stream, VENUE, *streams_beside(account, checked))
    streams = {stream: tuple(book.batches(stream)) for stream in wanted if book.headers(stream)}
    rulebooks = rulebooks_of(checked, since=asked.since, until=asked.until, at=asked.at)
    backed = tuple(streams) if is_about_margin(checked) else (account.stream,)
    files = _files(account, streams, backed, digests, last, rulebooks)
    manifest = _manifest(account, asked, checked, key, position, rulebooks)
    from replay.evidence.report import report

    files["report.html"] = report(account, asked, checked, manifest, files).encode()
    manifest["files"] = {name: sha256(body).hexdigest() for name, body in files.items()}
    files["manifest.json"] = canonical(manifest)
    files["signed.txt"] = _signed(digests, last, files["manifest.json"], key)
    data = container(files)
    code, said, verdict = verified(data, key.verifier.text)
    if code not in INTACT | {10}:
        raise BrokenChain(
            stream=account.stream, version=0,
            reason=f"the verifier refuses the pack, so it was not written: {said} (code {code})",
        )  # fmt: skip
    return Pack(data=data, checked=checked, code=code, verdict=verdict, files=files)


def _sound(book: Book) -> tuple[tuple[Digest, ...], seal.Seal]:
    """Return the digests of all batches and the last seal, everything read again first."""
    verdict = book.verify()
    seals = book.seals()
    if verdict.problems or not seals:
        worst = verdict.problems[0].text if verdict.problems else "it has no seal"
        raise BrokenChain(stream=book.name, version=0, reason=worst)
    return tuple(verdict.digests), seals[-1]


def _files(
    account: AccountHistory,
    streams: Mapping[Stream, tuple[Batch, ...]],
    backed: tuple[Stream, ...],
    digests: tuple[Digest, ...],
    last: seal.Seal,
    rulebooks: tuple[Rulebook, ...],
) -> dict[str, bytes]:
    """Return the files that stand in every pack, but for report, manifest and signature.

    Of the streams *backed* the raw records are among them.
    """
    book = account.audit.book
    files: dict[str, bytes] = {
        "FORMAT.md": resources("replay.evidence").joinpath("FORMAT.md").read_bytes(),
        "verify.py": assembled().encode(),
    }
    for batches in streams.values():
        for batch in batches:
            name = f"batches/{batch.header.position:012d}.jsonl"
            files[name] = b"\n".join([header_line(batch.header), *batch.lines])
    wanted = {
        batch.header.record for stream in backed for batch in streams[stream] if batch.header.record
    }
    for digest in sorted(wanted):
        files[f"records/{digest}"] = book.record(digest).body
    for rule in rulebooks:
        files[f"rules/{module_of(rule)}.py"] = rule_text(rule)
    files["rules/formulas.py"] = _module_text("formulas")
    files["proofs.json"] = canonical(_proofs(book, streams, digests, last))
    return files


def rule_text(rule: Rulebook) -> bytes:
    """Return the text of the module that defines a rulebook."""
    return _module_text(module_of(rule))


def module_of(rule: Rulebook) -> str:
    """Return the name of the module that defines a rulebook.

    Raises: NotFound, when no module of the calendar does.
    """
    for path in resources("projections.rulebooks").iterdir():
        text = path.read_text("utf-8") if path.name.startswith("y") else ""
        if f'"{rule.id}"' in text:
            return path.name.removesuffix(".py")
    raise NotFound(what="module", name=f"of rulebook {rule.id}", where="")


def _module_text(name: str) -> bytes:
    return resources("projections.rulebooks").joinpath(f"{name}.py").read_bytes()


def _proofs(
    book: Book,
    streams: Mapping[Stream, tuple[Batch, ...]],
    digests: tuple[Digest, ...],
    last: seal.Seal,
) -> dict[str, object]:
    """Return what shows the batches under the root, the ends of streams, and earlier books."""
    leaves = [seal.leaf_of_batch(digest) for digest in digests]
    heads = _heads(book, last)
    order = sorted(heads, key=lambda head: head.stream.encode())
    hashed = [seal.leaf_hash(seal.leaf_of_head(head)) for head in order]
    sizes = sorted({one.position for one in book.seals() if one.position})
    batches_of, heads_of = Tree(leaves), Tree(hashed)
    return {
        "inclusion": {
            str(batch.header.position): _hex(batches_of.inclusion(batch.header.position - 1))
            for batches in streams.values()
            for batch in batches
        },
        "consistency": {str(size): _hex(batches_of.consistency(size)) for size in sizes},
        "seal": {
            "number": last.number,
            "position": last.position,
            "root": last.root,
            "previous": last.previous,
            "digest": last.digest,
        },
        "heads": {
            head.stream: {
                "index": index,
                "size": len(order),
                "version": head.version,
                "proof": _hex(heads_of.inclusion(index)),
            }
            for index, head in enumerate(order)
            if head.stream in streams
        },
    }


def _heads(book: Book, last: seal.Seal) -> list[seal.Head]:
    """Return the heads of all streams and of the archive, as the last seal has them."""
    heads = [
        seal.Head(stream=info.stream, version=info.batches, digest=info.head)
        for info in book.streams()
    ]
    records = book.records()
    if records:
        from ledger.archive import entry_line, head_of

        head = head_of(entry_line(records[-1]))
        heads.append(seal.Head(stream=seal.ARCHIVE, version=len(records), digest=head))
    if seal.root_of_heads(heads) != last.root:
        raise BrokenChain(
            stream=book.name, version=last.number, reason="the last seal is not over these heads"
        )
    return heads


def _hex(proof: Iterable[bytes]) -> list[str]:
    return [step.hex() for step in proof]


def _manifest(
    account: AccountHistory,
    asked: Asked,
    checked: tuple[Checked, ...],
    key: SignerKey,
    position: int,
    rulebooks: tuple[Rulebook, ...],
) -> dict[str, object]:
    as_of = AsOf(effective=asked.at, position=position)
    engine = account.audit.engine
    from replay import __version__

    return {
        "format": FORMAT,
        "recipes": RECIPES,
        "program": f"rollforward {__version__}",
        "account": account.account,
        "position": position,
        "at": asked.at,
        "since": asked.since,
        "until": asked.until,
        "key": key.verifier.text,
        "timeline": engine.timeline_digest(account.stream, as_of),
        "state": fold.digest(engine.states(account.stream, as_of).states),
        "rulebooks": [
            {
                "id": rule.id,
                "file": f"rules/{module_of(rule)}.py",
                "digest": sha256(rule_text(rule)).hexdigest(),
                "parameters": parameters(rule),
            }
            for rule in rulebooks
        ],
        "claims": [
            {
                "claim": one.text,
                "name": one.name,
                "status": one.status,
                "value": one.value,
                "workings": list(one.workings),
            }
            for one in checked
        ],
    }


def _signed(digests: tuple[Digest, ...], last: seal.Seal, manifest: bytes, key: SignerKey) -> bytes:
    """Return the signed note: the book's checkpoint and the digest of the manifest."""
    point = seal.Checkpoint(
        size=len(digests),
        root=Digest(seal.tree_root([seal.leaf_of_batch(digest) for digest in digests]).hex()),
        number=last.number,
        seal=last.digest,
    )
    rest = seal.checkpoint_text(point).removeprefix(seal.CHECKPOINT_ORIGIN)
    text = f"{ORIGIN}{rest}manifest {sha256(manifest).hexdigest()}\n"
    return str(Note(text=text, signatures=(sign(text, key),))).encode()
