r"""Breaks: a difference between what was expected and what was recorded, with a name that stays.

A reconciliation gives breaks as values. The name of a break is made from what it is about and
never from its numbers, so that a later run which knows more finds the same break again:

    B- and the first 12 hexadecimal digits of SHA-256 over "rollforward break 1\n" and the
    canonical JSON array [desk, account, subject, at, until, key]

``account`` is the empty string where there is none, ``at`` and ``until`` are whole milliseconds,
and ``key`` is whatever the reconciliation needs to tell two breaks of one subject and interval
apart (the hour of a row, the identity of a recorded state); it must not contain a number that more
knowledge would change. The digest of the figures, by contrast, changes with every number of the
break: who explains or approves a break does so for these figures.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Final

import attrs
import msgspec

from ledger.events import BreakApproved, BreakCandidate, BreakDesk, BreakOpened
from ledger.money import canonical
from ledger.units import Address, Digest, EventId, Millis, Stream

BREAK_RECIPE: Final = b"rollforward break 1\n"
FIGURES_RECIPE: Final = b"rollforward break figures 1\n"

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def identity(
    *,
    desk: BreakDesk,
    account: Address | None,
    subject: str,
    at: Millis,
    until: Millis,
    key: str = "",
) -> str:
    """Return the name of a break; the recipe stands at the top of this module."""
    named = [desk, account or "", subject, at, until, key]
    return f"B-{sha256(BREAK_RECIPE + _ENCODER.encode(named)).hexdigest()[:12]}"


@attrs.frozen(kw_only=True)
class Break:
    """One difference that somebody has to explain.

    **Units**: numbers in the token or unit of the subject, moments in milliseconds.
    ``difference`` is observed less expected. None means not known, never zero.
    """

    identity: str
    """``B-`` and twelve hexadecimal digits, from ``identity``."""
    desk: BreakDesk
    account: Address | None
    """Whose history it is in; None for a reserve's pool."""
    subject: str
    """What differs: ``USDC supply``, ``spot USDC``, ``reserve HYPE``."""
    at: Millis
    """Value date: the moment the difference belongs to, from which it ages."""
    until: Millis
    """End of what was compared; as ``at`` where it was one moment."""
    kind: str
    """Class: missing, doubled, late, wrong amount, rounding, rate unknown, differs, …"""
    expected: Decimal | None
    observed: Decimal | None
    difference: Decimal | None
    convention: str = ""
    """The convention that would explain it, ``undetermined`` where two do, or empty."""
    candidates: tuple[tuple[str, Decimal], ...] = ()
    """Every convention that fits, with what it would have given."""
    events: tuple[EventId, ...] = ()
    """The events it rests on."""
    text: str
    """The difference in one sentence."""

    @property
    def figures(self) -> Digest:
        """Digest of all that an explanation or an approval speaks of: class and numbers."""
        said = [
            self.identity,
            self.kind,
            *(_plain(number) for number in (self.expected, self.observed, self.difference)),
            self.convention,
            [[name, canonical(value)] for name, value in self.candidates],
        ]
        return Digest(sha256(FIGURES_RECIPE + _ENCODER.encode(said)).hexdigest())


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else canonical(number)


def opened(
    found: Break, *, stream: Stream, at: Millis, against: str, run: EventId, by: str
) -> BreakOpened:
    """Return the event that records a break as a run found it at a moment."""
    return BreakOpened(
        stream=stream,
        at=at,
        identity=found.identity,
        desk=found.desk,
        account=found.account,
        subject=found.subject,
        value_at=found.at,
        value_until=found.until,
        breach=found.kind,
        expected=found.expected,
        observed=found.observed,
        difference=found.difference,
        convention=found.convention,
        candidates=tuple(
            BreakCandidate(convention=name, value=value) for name, value in found.candidates
        ),
        rests_on=found.events,
        text=found.text,
        against=against,
        run=run,
        by=by,
    )


def recorded(event: BreakOpened) -> Break:
    """Return the break an event records."""
    return Break(
        identity=event.identity,
        desk=event.desk,
        account=event.account,
        subject=event.subject,
        at=event.value_at,
        until=event.value_until,
        kind=event.breach,
        expected=event.expected,
        observed=event.observed,
        difference=event.difference,
        convention=event.convention,
        candidates=tuple((one.convention, one.value) for one in event.candidates),
        events=event.rests_on,
        text=event.text,
    )


def approval_statement(event: BreakApproved) -> str:
    """Return the text an approver signs: which break, which numbers, which explanation, by whom.

    One line each, so that it can be read before it is signed. The identity of the explanation
    stands for its words, its author and the account. Halves of a line never change places: every
    line begins with its word, and a name or a remark has no line of its own to break.
    """
    return (
        "rollforward approval 1\n"
        f"stream {event.stream}\n"
        f"break {event.identity}\n"
        f"figures {event.figures}\n"
        f"explanation {event.explanation}\n"
        f"by {event.by}\n"
        f"at {event.at} ms\n"
        f"because {event.because or '-'}\n"
    )
