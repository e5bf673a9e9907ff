"""Desk: what people did about differences, which periods they closed, what they call a group.

An act moves no money and is part of no account's history: acts stand in streams of their own
(``ledger.units.desk_stream``). ``at`` of an act is when it was done, by the clock of whoever did
it; ``value_at`` of a break is the moment the difference belongs to, from which it ages. Acts are
never corrected: a wrong one is followed by a right one, and both stay.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import attrs

from ledger.events.base import Fact, Number
from ledger.kinds import Is, kind
from ledger.units import Address, Digest, EventId, Millis

BreakDesk: TypeAlias = Literal["interest", "state", "pool"]
"""Which reconciliation a break comes from."""

Resolution: TypeAlias = Literal["approved", "no longer found", "forced"]
"""On what a break was closed: a second person's approval, a run that did not find it any more, or
neither."""

Role: TypeAlias = Literal["master", "sub-account", "vault"]
"""What an account is in a group."""

BreakName: TypeAlias = Annotated[str, Is("identity of the break: B- and twelve digits")]
By: TypeAlias = Annotated[str, Is("who did it")]
Because: TypeAlias = Annotated[str, Is("why")]

# Inside one millisecond acts stand as the life of a break goes.
RANK_GROUP: Final = 10
RANK_RUN: Final = 50
RANK_OPEN: Final = 51
RANK_VANISHED: Final = 52
RANK_ASSIGN: Final = 53
RANK_CARRY: Final = 54
RANK_EXPLAIN: Final = 55
RANK_APPROVE: Final = 56
RANK_CLOSE: Final = 57
RANK_PERIOD: Final = 90


@attrs.frozen(kw_only=True)
class BreakCandidate:
    """One convention that was tried on a break, and what it would have given."""

    convention: Annotated[str, Is("name of the convention")]
    value: Annotated[Number, Is("what is expected under it", unit="asset")]


@attrs.frozen(kw_only=True)
class GroupMember:
    """One account of a group."""

    address: Annotated[Address, Is("the account")]
    role: Annotated[Role, Is("what it is in the group")]
    label: Annotated[str, Is("what people call it; empty when they do not")]


@kind("reconciled", key=None, rank=RANK_RUN)
@attrs.frozen(kw_only=True)
class Reconciled(Fact):
    """A reconciliation was run, and this is how much it found; found nothing is recorded too."""

    desk: Annotated[BreakDesk, Is("which reconciliation")]
    account: Annotated[Address | None, Is("whose history; none for a reserve's pool")]
    since: Annotated[Millis, Is("first moment that was reconciled", unit="ms")]
    until: Annotated[Millis, Is("last moment that was reconciled", unit="ms")]
    subjects: Annotated[tuple[str, ...], Is("subjects it was limited to; empty: all there are")]
    against: Annotated[str, Is("what the history was held against: venue, a file's name")]
    parameters: Annotated[str, Is("tolerance, rules and options as canonical JSON")]
    position: Annotated[int, Is("position of the book up to which it read")]
    found: Annotated[int, Is("how many breaks it found")]
    found_digest: Annotated[Digest, Is("digest over identities and figures of what it found")]
    by: By


@kind("break_opened", key=None, rank=RANK_OPEN)
@attrs.frozen(kw_only=True)
class BreakOpened(Fact):
    """A reconciliation found a difference, or found a known one again with other numbers."""

    identity: BreakName
    desk: Annotated[BreakDesk, Is("which reconciliation")]
    account: Annotated[Address | None, Is("whose history; none for a reserve's pool")]
    subject: Annotated[str, Is("what differs, such as USDC supply")]
    value_at: Annotated[
        Millis, Is("moment the difference belongs to; it ages from here", unit="ms")
    ]
    value_until: Annotated[Millis, Is("end of what was compared", unit="ms")]
    breach: Annotated[str, Is("class: missing, doubled, late, wrong amount, …")]
    expected: Annotated[Number | None, Is("by rule; none where not known", unit="asset")]
    observed: Annotated[Number | None, Is("as recorded; none where not known", unit="asset")]
    difference: Annotated[Number | None, Is("observed less expected", unit="asset")]
    convention: Annotated[str, Is("the one that explains it; undetermined when two do; or empty")]
    candidates: Annotated[tuple[BreakCandidate, ...], Is("conventions that fit, with numbers")]
    rests_on: Annotated[tuple[EventId, ...], Is("events it rests on")]
    text: Annotated[str, Is("the difference in one sentence")]
    against: Annotated[str, Is("what the history was held against: venue, a file's name")]
    run: Annotated[EventId, Is("the run that found it")]
    by: By


@kind("break_vanished", key=None, rank=RANK_VANISHED)
@attrs.frozen(kw_only=True)
class BreakVanished(Fact):
    """A later run over the same ground did not find a break any more."""

    identity: BreakName
    run: Annotated[EventId, Is("the run that did not find it")]
    by: By


@kind("break_assigned", key=None, rank=RANK_ASSIGN)
@attrs.frozen(kw_only=True)
class BreakAssigned(Fact):
    """Somebody was given a break to explain."""

    identity: BreakName
    owner: Annotated[str, Is("whose it is now")]
    because: Because
    by: By


@kind("break_explained", key=None, rank=RANK_EXPLAIN)
@attrs.frozen(kw_only=True)
class BreakExplained(Fact):
    """Somebody said what a break comes from."""

    identity: BreakName
    figures: Annotated[Digest, Is("digest of the numbers that are explained")]
    because: Annotated[str, Is("the explanation")]
    by: By


@kind("break_approved", key=None, rank=RANK_APPROVE)
@attrs.frozen(kw_only=True)
class BreakApproved(Fact):
    """A second person approved the explanation of a break."""

    identity: BreakName
    figures: Annotated[Digest, Is("digest of the numbers that are approved")]
    explanation: Annotated[EventId, Is("the explanation that is approved")]
    because: Annotated[str, Is("remark of the approver")]
    signature: Annotated[str | None, Is("signature line of a signed note; none: not signed")]
    key: Annotated[str | None, Is("verifier key the signature names; none: not signed")]
    by: By


@kind("break_closed", key=None, rank=RANK_CLOSE)
@attrs.frozen(kw_only=True)
class BreakClosed(Fact):
    """Nothing more is to be done about a break, until a run finds it with other numbers."""

    identity: BreakName
    figures: Annotated[Digest, Is("digest of the numbers that are closed")]
    resolution: Annotated[Resolution, Is("on what it was closed")]
    because: Because
    by: By


@kind("break_carried", key=None, rank=RANK_CARRY)
@attrs.frozen(kw_only=True)
class BreakCarried(Fact):
    """A break was carried forward unexplained into a later period."""

    identity: BreakName
    figures: Annotated[Digest, Is("digest of the numbers that are carried")]
    to: Annotated[Millis | None, Is("when it is to be looked at again", unit="ms")]
    because: Because
    by: By


@kind("period_closed", key=None, rank=RANK_PERIOD)
@attrs.frozen(kw_only=True)
class PeriodClosed(Fact):
    """A period was closed on a report, which can be made again and compared with this digest."""

    account: Annotated[Address | None, Is("whose period; none where a group's")]
    group: Annotated[str, Is("name of the group; empty for one account")]
    since: Annotated[Millis, Is("first moment of the period", unit="ms")]
    until: Annotated[Millis, Is("last moment of the period", unit="ms")]
    position: Annotated[int, Is("position of the book up to which the report reads")]
    report: Annotated[str, Is("name of the report")]
    parameters: Annotated[str, Is("its parameters as canonical JSON")]
    digest: Annotated[Digest, Is("digest of the report's bytes")]
    versions: Annotated[tuple[str, ...], Is("what made it: products and rules with their versions")]
    because: Annotated[str, Is("remark of whoever closed it")]
    by: By


@kind("group_defined", key=None, rank=RANK_GROUP)
@attrs.frozen(kw_only=True)
class GroupDefined(Fact):
    """Accounts are taken as one entity under a name; the latest definition of a name holds."""

    name: Annotated[str, Is("name of the group")]
    members: Annotated[tuple[GroupMember, ...], Is("its accounts")]
    because: Annotated[str, Is("what it rests on")]
    by: By
