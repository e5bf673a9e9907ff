"""Packs for tests: an honest one of a simulated account, and ways to forge one."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp

import replay
from ledger.book import Book
from ledger.signatures import Note, SignerKey, new_key, sign
from replay.claims import read_claims
from replay.evidence.pack import Pack, make_pack, period
from replay.evidence.verifier.canon import canonical
from replay.evidence.verifier.container import container, contents
from tests.support.route import Paper, take_in
from tests.support.sources import api_funding, api_interest, api_ledger, node_fills, web_fills
from tests.support.venue import Venue, history
from tests.support.venue_papers import metadata

ADA = new_key("ada", bytes(range(32)))
EVE = new_key("eve", bytes(range(1, 33)))

Files = dict[str, bytes]


def venue() -> Venue:
    """Return a life that trades, lends and is liquidated."""
    return history(77, 60)


@cache
def book_path() -> Path:
    """Return a book with two accounts, written once for all tests of a process."""
    path = Path(mkdtemp(prefix="packs-")) / "acme.book"
    first, second = venue(), history(78, 30)
    with Book.create(path) as book:
        for number, life in enumerate((first, second)):
            whole = (life.began, life.now)
            sources = (node_fills, api_ledger, api_funding, api_interest, web_fills)
            papers = [source(life, whole) for source in sources]
            if not number:
                papers.append(Paper("metadata.json", metadata(life.now)))
            take_in(book, life.account, papers)
    return path


def claims_text() -> str:
    """Return claims of every sort that hold, taken from what the simulated venue counts."""
    life = venue()
    usdc = life.cash["perp:", "USDC"]
    whole, rest = divmod(abs(usdc), 10**8)
    sign_of = "-" if usdc < 0 else ""
    number = f"{sign_of}{whole}.{rest:08d}".rstrip("0").rstrip(".")
    fills = sum(1 for row in life.rows if row.family == "fills")
    span = f"{life.began}..{life.now}"
    return (
        f"# what the account had when it ended\n"
        f"cash: balance(perp, USDC) @ {life.now} = {number} USDC\n"
        f"count(fills, {span}) = {fills}\n"
        f"sum(fee USDC per fill, {span}) > 0 USDC rounded 2\n"
        f"funding(BTC) @ {life.now} < 1000000 USDC\n"
        f"sum(funding USDC per hour, {span}) != 0.5\n"
    )


@cache
def honest() -> Pack:
    """Return a pack whose claims all hold, signed by Ada."""
    return made(ADA, claims_text())


def made(key: SignerKey, text: str) -> Pack:
    """Return a pack of the first account with these claims."""
    with replay.open(book_path(), cache=False) as audit:
        account = audit.account(venue().account)
        asked = period(account, since=None, until=None, at=None)
        return make_pack(account, read_claims(text), asked, key)


def files() -> Files:
    """Return the files of the honest pack, to be changed."""
    return contents(honest().data)


def repacked(changed: Files) -> bytes:
    """Return changed files as a pack, without the key: neither manifest nor signature follow."""
    return container(changed)


def signed(changed: Files, key: SignerKey, change: Callable[[dict], None] | None = None) -> bytes:
    """Return changed files as a pack that somebody with a key has signed again."""
    manifest = json.loads(changed["manifest.json"])
    manifest["key"] = key.verifier.text
    manifest["files"] = {
        name: sha256(body).hexdigest()
        for name, body in changed.items()
        if name not in {"manifest.json", "signed.txt"}
    }
    if change is not None:
        change(manifest)
    changed["manifest.json"] = canonical(manifest)
    lines = changed["signed.txt"].decode().split("\n")[:4]
    text = "\n".join([*lines, f"manifest {sha256(changed['manifest.json']).hexdigest()}", ""])
    changed["signed.txt"] = str(Note(text=text, signatures=(sign(text, key),))).encode()
    return container(changed)


def first_batch(changed: Files, *, events: int = 2) -> str:
    """Return the name of the first batch of the account with at least so many events."""
    stream = f'"stream":"account:{venue().account}"'.encode()
    return next(
        name
        for name in sorted(changed)
        if name.startswith("batches/")
        and stream in changed[name].split(b"\n")[0]
        and changed[name].count(b"\n") >= events
    )


def last_batch(changed: Files) -> str:
    """Return the name of the account's last batch."""
    stream = f'"stream":"account:{venue().account}"'.encode()
    return max(
        name
        for name in changed
        if name.startswith("batches/") and stream in changed[name].split(b"\n")[0]
    )
