"""Audit: the questions. A book is opened once; accounts, instants and tables come from it.

::

    replay.open("x.book").account("0x…").at("2026-02-10T13:00Z").balances

Every answer names its two times: the instant (``effective``) and what was known
(``position`` of the book).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import attrs
from typing_extensions import override

from ledger.book import Book
from ledger.codec import decode
from ledger.entries import AsOf
from ledger.errors import NotFound, UnclearQuestion
from ledger.events import Opened
from ledger.units import (
    Address,
    Asset,
    Digest,
    EventId,
    account_stream,
    parse_address,
    stream_account,
)
from replay import views
from replay.checkpoints import Checkpoints
from replay.engine import Engine, Folded
from replay.moments import iso, parse_known, parse_moment
from replay.rows import Rows
from replay.tables import Table, Tabled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from types import TracebackType

    from ledger.entries import Entry
    from ledger.events import Event
    from ledger.units import Stream
    from projections.desk import Desk
    from projections.fold import States
    from replay.checking import CheckReport
    from replay.coverage import Certificate
    from replay.diff import Diff
    from replay.explain import Explanation
    from replay.margin import MarginAt
    from replay.margin_timeline import Timeline
    from replay.recorded import Found
    from replay.statement import Statement


_OPENED: Final = b'{"@":"opened/'

NO_OPENING: Final = (
    "no opening is attested: these are sums of what is recorded, and nothing is assumed to have "
    "been there before"
)


class Audit:
    """A book, open for questions."""

    def __init__(self, path: Path, engine: Engine) -> None:
        """Ask *engine*, which reads the book at *path*."""
        self.path = path
        self.engine = engine
        self.book = engine.book
        self._rows: dict[Digest, Rows] = {}
        self._names: dict[Digest, str] = {}
        self._openings: dict[tuple[Stream, int], tuple[Opened, ...]] = {}
        self.markets: dict[int, tuple[Found[Event], ...]] = {}
        """What ``replay.recorded`` has read of markets, by position; the last one asked for."""

    @classmethod
    def open(cls, path: str | PathLike[str], *, cache: bool = True) -> Audit:
        """Return the book at *path*, open for reading; see ``replay.open``."""
        where = Path(path)
        if not where.is_file():
            raise NotFound(
                what="book",
                where="",
                name=str(where),
                remedy="Make a book with: rollforward import PATH",
            )
        book = Book.open(where)
        kept = Checkpoints(where.with_name(where.name + ".cache")) if cache else None
        return cls(where, Engine(book, kept))

    def close(self) -> None:
        """Close the book and what is remembered beside it."""
        self.book.close()
        if self.engine.checkpoints is not None:
            self.engine.checkpoints.close()

    def __enter__(self) -> Self:
        """Return the audit itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the book."""
        self.close()

    def accounts(self) -> tuple[Address, ...]:
        """Return the accounts the book has anything about, in order of their names."""
        found = (stream_account(info.stream) for info in self.book.streams())
        return tuple(sorted(account for account in found if account is not None))

    def account(self, address: str) -> AccountHistory:
        """Return the history of one account.

        Raises: NotFound, when the book has nothing about it; MalformedRecord, when *address* is
        none.
        """
        account = parse_address(address)
        if account not in self.accounts():
            known = ", ".join(self.accounts()) or "none"
            raise NotFound(what="account", name=account, remedy=f"Accounts in it: {known}")
        return AccountHistory(audit=self, account=account)

    def position(self, known_at: int | str | None = None) -> int:
        """Return the position of the book meant by ``known_at``; None is the last one.

        Whole numbers below 100,000,000,000 are positions, all else is a moment of recording.

        Raises: UnclearQuestion, for a position the book has not reached.
        """
        if known_at is None:
            return self.book.position()
        position, moment = parse_known(known_at)
        if moment is not None:
            return self.book.position_at(moment)
        last = self.book.position()
        if position is not None and position > last:
            raise UnclearQuestion(
                asked=str(known_at), problem=f"is a position after the book's last, {last}",
                remedy="Name one it has reached, or none for what is known now",
            )  # fmt: skip
        return position or 0

    def find(self, identity: str) -> Entry:
        """Return the event of an identity, with where it comes from.

        Raises: NotFound, when the book has none.
        """
        return self.book.find(EventId(identity))

    def record_name(self, digest: Digest) -> str:
        """Return the name a raw record had when it was given to us."""
        if digest not in self._names:
            self._names = {entry.digest: entry.name for entry in self.book.records()}
        return self._names.get(digest, digest)

    def openings(self, stream: Stream, position: int) -> tuple[Opened, ...]:
        """Return the attested openings of an account that are in force; read once per knowledge."""
        headers = self.engine.headers(stream, position)
        asked = stream, len(headers)
        if asked not in self._openings:
            course = self.engine.course(stream, position)
            aside = {(item.version, item.row) for item in course.set_aside}
            lines = [literal.line for literal in course.literals]
            for header in headers:
                if header.irregular:
                    rows = enumerate(self.engine.batch(stream, header.version).lines)
                    lines += [line for row, line in rows if (header.version, row) not in aside]
            found = [decode(line) for line in lines if line.startswith(_OPENED)]
            self._openings[asked] = tuple(event for event in found if isinstance(event, Opened))
        return self._openings[asked]

    def row_text(self, digest: Digest, place: str) -> str | None:
        """Return the characters at a place of a raw record, exactly as they were received."""
        if digest not in self._rows:
            self._rows = {digest: Rows(self.book.record(digest).body)}
        return self._rows[digest].text(place)

    def statement(
        self,
        subject: str,
        month: str | None = None,
        *,
        since: int | str | None = None,
        until: int | str | None = None,
        money: str = "USDC",
        token: str | None = None,
        known_at: int | str | None = None,
    ) -> Statement:
        """Return the statement of an account, or of a group by its name, for one period.

        The period is a *month* of UTC (``2026-08``), or from *since* to *until*, both included.

        Raises: NotFound, when the book has neither; UnclearQuestion, for what is no period.
        """
        from replay.periods import period
        from replay.statement import question, statement

        asked = question(
            self,
            subject,
            period(month, since, until),
            position=self.position(known_at),
            money=Asset(money),
            token=None if token is None else Asset(token),
        )
        return statement(self, asked)

    def desk(self, at: int | str | None = None, known_at: int | str | None = None) -> Desk:
        """Return every break and what became of it: ``.cases``, ``.case(name)``, ``.findings``.

        ``at`` is an instant until which acts count, ``known_at`` a position of the book or a
        moment of recording; without them everything counts.
        """
        from replay.desk import read

        effective = None if at is None else parse_moment(at)
        return read(self.book, position=self.position(known_at), at=effective)

    def quarantine(self) -> Table:
        """Return the rows that could not be read."""
        rows = tuple(
            (event.name, event.place, event.reason, event.text) for event in self.book.quarantine()
        )
        return Table(
            title="Quarantine: rows that could not be read",
            columns=("file", "place", "reason", "text"),
            rows=rows,
            empty="none",
        )

    @override
    def __repr__(self) -> str:
        """Return what the book is called and how many accounts it has."""
        return f"<Audit of {self.path}: {len(self.accounts())} accounts>"


@attrs.frozen(kw_only=True)
class AccountHistory:
    """One account of a book."""

    audit: Audit
    account: Address

    @property
    def stream(self) -> Stream:
        """The stream of this account."""
        return account_stream(self.account)

    def at(self, when: int | str | None = None, known_at: int | str | None = None) -> Instant:
        """Return the account at an instant, as known at another.

        ``when`` is ISO 8601 text with a zone, or milliseconds; None is after the last event.
        ``known_at`` is a position of the book or a moment of recording; None is now.

        Raises: UnclearQuestion, for a time without zone.
        """
        effective = None if when is None else parse_moment(when)
        as_of = AsOf(effective=effective, position=self.audit.position(known_at))
        folded = self.audit.engine.states(self.stream, as_of)
        return Instant(history=self, as_of=as_of, folded=folded)

    def history(
        self,
        since: int | str | None = None,
        until: int | str | None = None,
        asset: str | None = None,
        known_at: int | str | None = None,
    ) -> Table:
        """Return the events of the account with the running balance of what each one moved."""
        from replay.history import history_table

        return history_table(
            self,
            since=None if since is None else parse_moment(since),
            until=None if until is None else parse_moment(until),
            asset=asset,
            position=self.audit.position(known_at),
        )

    def check(self, known_at: int | str | None = None) -> CheckReport:
        """Return what the named checks found on this account."""
        from replay.checking import check_account

        return check_account(self, position=self.audit.position(known_at))

    def statement(
        self,
        month: str | None = None,
        *,
        since: int | str | None = None,
        until: int | str | None = None,
        money: str = "USDC",
        token: str | None = None,
        known_at: int | str | None = None,
    ) -> Statement:
        """Return the statement of a month (``2026-08``) or period; see ``Audit.statement``."""
        return self.audit.statement(
            self.account, month, since=since, until=until, money=money, token=token,
            known_at=known_at,
        )  # fmt: skip

    def margin(
        self,
        since: int | str | None = None,
        until: int | str | None = None,
        every: str = "1h",
        known_at: int | str | None = None,
    ) -> Timeline:
        """Return the margin ratio through an interval: ``every`` 15m, 1h, 1d, event or price.

        Without *since* from the first event, without *until* to the last. Of one instant, ask
        ``account.at(when).margin``.

        Raises: UnclearQuestion, for a time without zone, or one that ends before it begins.
        """
        from replay.coverage import asked_period
        from replay.margin import Assembler, Question
        from replay.margin_timeline import timeline

        position = self.audit.position(known_at)
        first, last = asked_period(
            self,
            None if since is None else parse_moment(since),
            None if until is None else parse_moment(until),
            position,
        )
        return timeline(Assembler(self, position, Question()), first, last, every)

    def coverage(
        self,
        since: int | str | None = None,
        until: int | str | None = None,
        known_at: int | str | None = None,
        *,
        markets: bool = False,
    ) -> Certificate:
        """Return what is proven, probable, unknown and known missing of this history.

        Without *since* from the first event, without *until* to the last. With *markets*, also of
        markets traded and reserves used.

        Raises: UnclearQuestion, for a time without zone, or one that ends before it begins.
        """
        from replay.coverage import asked_period, certificate

        position = self.audit.position(known_at)
        first, last = asked_period(
            self,
            None if since is None else parse_moment(since),
            None if until is None else parse_moment(until),
            position,
        )
        return certificate(self, since=first, until=last, position=position, markets=markets)

    def explain(
        self,
        subject: str,
        at: int | str | None = None,
        known_at: int | str | None = None,
    ) -> Explanation:
        """Return what an event or a figure rests on, back to the raw records.

        ``subject`` is an event's identity (or an unmistakable beginning of one), or a figure such
        as ``balance spot USDC``, ``position BTC``, ``fee USDC``, ``funding BTC``.
        """
        from replay.explain import explain

        return explain(
            self,
            subject,
            until=None if at is None else parse_moment(at),
            position=self.audit.position(known_at),
        )

    def diff(
        self,
        known_at: str | tuple[int | str, int | str | None],
        as_of: int | str | None = None,
        figures: Sequence[str] = (),
        *,
        detail: bool = False,
        margin: bool = False,
        rules: tuple[str | None, str | None] = (None, None),
        price_source: str | None = None,
    ) -> Diff:
        """Return why figures of an instant changed between two states of knowledge.

        ``known_at`` is ``A..B``: positions, moments of recording, or for A a closed report
        (``C-…``); see ``replay.diff``.
        """
        from replay.diff import asked, diff

        question = asked(
            self, known_at=known_at, as_of=as_of, figures=figures, detail=detail, margin=margin,
            rules=rules, price_source=price_source,
        )  # fmt: skip
        return diff(self, question)

    def entry(self, event: str, known_at: int | str | None = None) -> Entry:
        """Return an event of this account by its identity, or by an unmistakable beginning of it.

        Raises: NotFound, when the account has none; UnclearQuestion, when several begin so.
        """
        from replay.explain import full_identity

        entry = self.audit.find(full_identity(self, event.lower(), self.audit.position(known_at)))
        if entry.event.stream != self.stream:
            raise NotFound(what="event", name=event, remedy=f"It is of {entry.event.stream}")
        return entry

    def openings(self, position: int) -> tuple[Opened, ...]:
        """Return the attested openings that are in force, as known at a position."""
        return self.audit.openings(self.stream, position)

    def _repr_html_(self) -> str:
        """Return the latest instant as HTML, for notebooks."""
        return self.at()._repr_html_()


@attrs.frozen(kw_only=True)
class Instant(Tabled):
    """One account at one instant, as known at one position."""

    history: AccountHistory
    as_of: AsOf
    folded: Folded

    @property
    def states(self) -> States:
        """What every projection says."""
        return self.folded.states

    @property
    def balances(self) -> Table:
        """What the account has, by place and token."""
        return views.balances_table(self.states, self._rests_on())

    @property
    def positions(self) -> Table:
        """Open positions and holdings, with cost and realized result."""
        return views.positions_table(self.states)

    @property
    def fees(self) -> Table:
        """What was charged on fills, per token."""
        return views.fees_table(self.states)

    @property
    def funding(self) -> Table:
        """Funding received less paid, per market."""
        return views.funding_table(self.states)

    @property
    def liquidations(self) -> Table:
        """Episodes in which the venue closed positions of this account."""
        return views.liquidations_table(self.states)

    @property
    def prices(self) -> Table:
        """The last prices recorded by this instant, of all markets in the book."""
        from replay.market import prices_at

        return views.prices_table(prices_at(self.history.audit.engine, self.as_of))

    @property
    def margin(self) -> MarginAt:
        """Requirement, ratio, room and verdict, with the derivation; see ``replay.margin``.

        Raises: NotInForce, without a rulebook; UnclearQuestion, when the mode is not known.
        """
        from replay.margin import Assembler, Question, last_moment

        of = Assembler(self.history, self.as_of.position or 0, Question())
        at = last_moment(of) if self.as_of.effective is None else self.as_of.effective
        return of.at(at, workings=True)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All that is known of the account itself, table by table."""
        found = (self.balances, self.positions, self.fees, self.funding, self.liquidations)
        return tuple(
            table for number, table in enumerate(found) if number < 2 or len(table) or table.notes
        )

    @property
    def digest(self) -> Digest:
        """The state digest: two books that say the same have the same one."""
        return self.folded.digest

    @property
    def timeline_digest(self) -> Digest:
        """The digest over all events up to this instant, in effective order."""
        return self.history.audit.engine.timeline_digest(self.history.stream, self.as_of)

    @property
    def heading(self) -> str:
        """One line: which account, which instant, as known when."""
        effective = self.as_of.effective
        when = "after its last event" if effective is None else f"at {iso(effective)}"
        last = self.states.last_at
        events = "1 event" if self.folded.count == 1 else f"{self.folded.count} events"
        return (
            f"{self.history.account} {when}, as known at position {self.as_of.position}: {events}"
            + (f", the last at {iso(last)}" if last is not None else "")
        )

    def _rests_on(self) -> tuple[str, ...]:
        effective = self.as_of.effective
        openings = tuple(
            opening
            for opening in self.history.openings(self.as_of.position or 0)
            if effective is None or opening.at <= effective
        )
        if not openings:
            if not self.folded.count:
                return ()
            return (NO_OPENING,)
        return tuple(
            f"attested by {event.author} from {event.source} at {iso(event.at)}: every figure "
            f"above rests on it"
            for event in openings
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as one dictionary of text, for programs."""
        return {
            "account": self.history.account,
            "at": None if self.as_of.effective is None else iso(self.as_of.effective),
            "known_at": str(self.as_of.position),
            "events": self.folded.count,
            "last_event": None if self.states.last_at is None else iso(self.states.last_at),
            "state_digest": self.digest,
            **{
                table.title.lower(): table.to_dicts()
                for table in (
                    self.balances, self.positions, self.fees, self.funding, self.liquidations
                )
            },
            "notes": [note for table in self.tables for note in table.notes],
        }  # fmt: skip

    @override
    def __str__(self) -> str:
        """Return all tables as plain text."""
        return "\n\n".join([self.heading, *(str(table) for table in self.tables)])

    @override
    def _repr_html_(self) -> str:
        """Return all tables as HTML, for notebooks."""
        from html import escape

        tables = "".join(table._repr_html_() for table in self.tables)
        return f"<p>{escape(self.heading)}</p>{tables}"
