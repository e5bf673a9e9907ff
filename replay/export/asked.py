"""Asked: what is to be exported, and the lines and tables it comes down to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger import timeline
from ledger.codec import tag_of
from ledger.events import Filled, FundingPaid, InterestAccrued, Liquidated
from ledger.kinds import KIND_OF, KINDS
from ledger.units import BOOK, Address, Millis, account_stream, is_desk, stream_account
from replay.audit import Audit
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.units import Stream
    from replay.audit import AccountHistory

Form: TypeAlias = Literal["csv", "jsonl", "parquet", "xlsx", "beancount", "hledger"]
What: TypeAlias = Literal[
    "events", "fills", "funding", "interest", "transfers", "history", "balances", "positions",
    "margin",
]  # fmt: skip

FORMATS: Final[tuple[Form, ...]] = ("csv", "jsonl", "parquet", "xlsx", "beancount", "hledger")
JOURNALS: Final = frozenset({"beancount", "hledger"})

_SOME: Final[dict[str, frozenset[str]]] = {
    "fills": frozenset({KIND_OF[Filled].tag}),
    "funding": frozenset({KIND_OF[FundingPaid].tag}),
    "interest": frozenset({KIND_OF[InterestAccrued].tag}),
    "transfers": frozenset(tag for tag, kind in KINDS.items() if kind.family == "transfers")
    - {KIND_OF[Liquidated].tag},
}
"""Events of one subject, by the tags of their kinds."""

WHAT: Final[dict[What, str]] = {
    "events": "every event with its fields",
    "fills": "fills only",
    "funding": "funding payments only",
    "interest": "hourly rows of interest only",
    "transfers": "deposits, withdrawals, transfers, operations on reserves",
    "history": "what each event moved, and the balance after it",
    "balances": "balances at --until",
    "positions": "positions at --until",
    "margin": "requirement, value and ratio at every --every",
}
"""What can be exported; the first five are events and can be imported again."""

OF_EVENTS: Final = frozenset({"events", *_SOME})


@attrs.frozen(kw_only=True)
class Asked:
    """What is to be exported.

    ``since`` and ``until`` are both included; None is without end. ``is_whole`` adds what belongs
    to no account: prices, reserves, and the metadata that names tokens and pairs.
    """

    audit: Audit
    accounts: tuple[Address, ...]
    what: What
    position: int
    since: Millis | None = None
    until: Millis | None = None
    is_whole: bool = False
    every: str = "1h"

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams events are taken from, accounts first."""
        found = tuple(account_stream(account) for account in self.accounts)
        if not self.is_whole:
            return found
        others = (
            info.stream
            for info in self.audit.book.streams()
            if info.stream != BOOK
            and stream_account(info.stream) is None
            and not is_desk(info.stream)
        )
        return (*found, *others)

    def lines(self) -> Iterator[bytes]:
        """Yield the canonical lines of the events asked for, stream by stream, in effective order.

        One batch is held at a time.
        """
        engine = self.audit.engine
        kinds = _SOME.get(self.what)
        for stream in self.streams:
            course, batch_of = engine.course(stream, self.position), engine.batches_of(stream)
            start = 0 if self.since is None else course.through(self.since - 1, batch_of)
            stop = course.count if self.until is None else course.through(self.until, batch_of)
            for line in timeline.lines(course, batch_of, start, stop):
                if kinds is None or tag_of(line) in kinds:
                    yield line

    def span(self) -> tuple[Millis, Millis] | None:
        """Return the first and the last moment asked for; None when nothing happened."""
        found = [
            (course.first_ats[0], max(course.last_ats))
            for stream in self.streams
            if (course := self.audit.engine.course(stream, self.position)).count
        ]
        if not found:
            return None
        since = min(each[0] for each in found) if self.since is None else self.since
        until = max(each[1] for each in found) if self.until is None else self.until
        return Millis(since), Millis(until)

    def tables(self) -> tuple[Table, ...]:
        """Return the tables asked for, one per account."""
        return tuple(self._table(self.audit.account(account)) for account in self.accounts)

    def _table(self, history: AccountHistory) -> Table:
        if self.what == "history":
            return history.history(self.since, self.until, known_at=self.position)
        if self.what == "margin":
            return self._margin(history)
        instant = history.at(self.until, known_at=self.position)
        return instant.balances if self.what == "balances" else instant.positions

    def _margin(self, history: AccountHistory) -> Table:
        from replay.export.exact import of_timeline
        from replay.margin import Assembler, Question
        from replay.margin_timeline import COLUMNS
        from replay.margin_timeline import timeline as through

        span = self.span()
        of = Assembler(history, self.position, Question())
        if span is None:
            return Table(title=f"Margin of {history.account}", columns=COLUMNS)
        return of_timeline(through(of, *span, self.every))[0]


@attrs.frozen(kw_only=True)
class Made:
    """What was written."""

    rows: int
    noun: str
    """What a row is: event, row, transaction."""
    is_complete: bool = True
    """Whether no figure of it is unknown."""
    notes: tuple[str, ...] = ()
