"""Pages of the whole book: the accounts in it, and what can be proven of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger import book as books
from ledger import seal
from ledger.units import account_stream
from ledger.verification import Problem
from replay.moments import iso
from replay.web import answers, pages
from replay.web.links import ACCOUNTS, VERIFY, Asked

if TYPE_CHECKING:
    from ledger.units import Digest
    from ledger.verification import Verdict
    from replay.web.answers import Answer
    from replay.web.app import Ask
    from replay.web.room import Room

AT_ONCE_MAX: Final = 50_000
"""A book of up to so many events is verified when the page is opened, a larger one when asked."""

PROBLEMS_MAX: Final = 200


@attrs.frozen(kw_only=True)
class AccountShown:
    """One account of the book."""

    address: str
    label: str
    href: str
    events: int
    first_text: str
    last_text: str


def accounts(room: Room, ask: Ask) -> Answer:  # noqa: ARG001 - every page has one shape
    """Return the accounts of the book, with what people call them."""
    audit = room.audit
    position = audit.position()
    streams = {info.stream: info for info in audit.book.streams()}
    called = pages.labels(room, position)
    found = []
    for address in audit.accounts():
        info = streams[account_stream(address)]
        found.append(
            AccountShown(
                address=address,
                label=called.get(address, ""),
                href=Asked(account=address, at=info.last_at, position=position).to(),
                events=info.events,
                first_text=iso(info.first_at),
                last_text=iso(info.last_at),
            )
        )
    context = {
        "page": pages.of_book("Accounts", "accounts"),
        "book": audit.path.name,
        "accounts": tuple(found),
        "position": position,
        "recorded": pages.recorded_text(room, position),
    }
    return answers.page("accounts", context)


# ------------------------------------------------------------------------- proof


@attrs.frozen(kw_only=True)
class ProofShown:
    """What reading the whole book again says."""

    outcome: str
    """verified, partly verified, broken."""
    batches: int
    events: int
    records: int
    seals: int
    seal: str
    root: str
    """Root of the tree over the digests of all batches; empty when the book is broken."""
    problems: tuple[Problem, ...]
    left: int
    """How many more problems there are."""


def verify(room: Room, ask: Ask) -> Answer:
    """Return what ``rollforward verify`` proves of this book, without a checkpoint from outside."""
    audit = room.audit
    events = sum(info.events for info in audit.book.streams())
    is_asked = bool(ask.get("run")) or events <= AT_ONCE_MAX
    context = {
        "page": pages.of_book("Verify", "verify"),
        "book": audit.path.name,
        "events": events,
        "proof": _proof(books.verify(audit.path)) if is_asked else None,
        "run": f"{VERIFY}?run=1",
        "accounts": ACCOUNTS,
    }
    return answers.page("verify", context)


def _proof(verdict: Verdict) -> ProofShown:
    return ProofShown(
        outcome=verdict.outcome,
        batches=verdict.batches,
        events=verdict.events,
        records=verdict.records,
        seals=verdict.seals,
        seal=verdict.seal or "",
        root=_root(verdict.digests) if verdict.digests else "",
        problems=verdict.problems[:PROBLEMS_MAX],
        left=max(0, len(verdict.problems) - PROBLEMS_MAX),
    )


def _root(digests: tuple[Digest, ...]) -> str:
    return seal.tree_root([seal.leaf_of_batch(digest) for digest in digests]).hex()
