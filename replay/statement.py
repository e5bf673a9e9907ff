"""Statement: reads a book for one period, of one account or of a group of them.

The figures are made in ``projections.statement``; here the events are fetched, prices looked up,
and everything is kept with where it comes from. How it is shown is said in ``replay.papers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger.errors import NotFound
from ledger.events import PeriodClosed
from ledger.money import ZERO, exact
from ledger.units import DESK, Address, Asset, Millis, account_stream, desk_stream
from projections.arithmetic import EXACT
from projections.chart import USDC
from projections.flows import CAUSES, Cause
from projections.fold import Stopped
from projections.statement import (
    Gap,
    Group,
    Line,
    Member,
    Observed,
    Pair,
    Row,
    Term,
    money_line,
    pairs,
    rows,
    sum_of,
    total_rows,
)
from projections.statement.quantities import Key
from projections.valuation import Quote, worth
from replay.coverage import Certificate, certificate
from replay.groups import groups
from replay.statement_reading import Entry, Of, Reader, Walked, add
from replay.tables import Tabled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from ledger.events.desk import GroupDefined
    from projections.valuation import Prices
    from replay.audit import AccountHistory, Audit
    from replay.periods import Period
    from replay.statement_reading import Valued
    from replay.tables import Table


UNTOLD: Final = Term(value=None, missing=("any record of a balance by the end",))
"""An amount nothing recorded tells of."""


@attrs.frozen(kw_only=True)
class Priced:
    """The price of one thing at one end of the period."""

    thing: Key
    end: str
    """opening or closing."""
    at: Millis
    quote: Quote | None
    lacking: Asset
    """Of what no price was recorded, where there is none."""

    @property
    def term(self) -> Term:
        """The price, or what is missing to know it."""
        if self.quote is not None:
            return Term(value=self.quote.px)
        return Term(value=None, missing=(f"price of {self.lacking} at the {self.end}",))

    @property
    def age_ms(self) -> int | None:
        """How old the price was; None for the money itself."""
        return None if self.quote is None or self.quote.at is None else self.at - self.quote.at


@attrs.frozen(kw_only=True)
class Then:
    """What the amounts of one cause were worth when they moved, and by which prices."""

    thing: Key
    cause: Cause
    term: Term
    moments: int
    unpriced: int
    """At how many moments no price was recorded by then."""
    oldest_ms: int
    """Age of the oldest price used."""
    sources: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Statement(Tabled):
    """One period of one account or group, in quantities and in money."""

    of: Of
    rows: tuple[Row, ...]
    """By account, place and token."""
    totals: tuple[Row, ...]
    """By token and position, over places and accounts, without what is eliminated."""
    lines: tuple[Line, ...]
    """Equity by token and position, in the order of *totals*."""
    total: Line
    prices: tuple[Priced, ...]
    then: tuple[Then, ...]
    pairs: tuple[Pair, ...]
    activity: tuple[Entry, ...]
    events: int
    gaps: tuple[Gap, ...]
    observed: tuple[Observed, ...]
    stopped: tuple[tuple[Address, Stopped], ...]
    absent: tuple[Address, ...]
    """Members of which the book has nothing."""
    openings: tuple[str, ...]
    """On what the sums rest."""
    is_bare: bool
    """Whether nothing that moves, shows or attests a balance is recorded by the end."""
    ended: tuple[tuple[Address, Millis], ...]
    """Accounts whose records end before the period, and do not cover it: with the last moment."""
    certificates: tuple[Certificate, ...]
    closed: tuple[PeriodClosed, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is unknown by name."""
        is_told = not (self.gaps or self.stopped or self.absent or self.is_bare or self.ended)
        return is_told and not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """What would have to be recorded for every figure of money to be known."""
        terms = [self.total.opening, self.total.closing, self.total.price_change,
                 self.total.unexplained, *(term for _, term in self.total.causes)]  # fmt: skip
        return tuple(dict.fromkeys(name for term in terms for name in term.missing))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Equity, roll-forward, prices and notes as tables."""
        from replay.papers.sheets import tables

        return tables(self)

    @property
    def findings(self) -> tuple[str, ...]:
        """Where two truths differ, in sentences."""
        from replay.papers.words import findings

        return findings(self)


# ------------------------------------------------------------------------------- asking


def of_account(
    history: AccountHistory,
    period: Period,
    *,
    position: int,
    money: Asset = USDC,
    token: Asset | None = None,
    label: str = "",
) -> Of:
    """Return the question for one account."""
    member = Member(address=history.account, role="", label=label)
    return Of(
        group=Group(name=history.account, members=(member,)), is_group=False, period=period,
        position=position, money=money, token=token,
    )  # fmt: skip


def of_group(
    defined: GroupDefined,
    period: Period,
    *,
    position: int,
    money: Asset = USDC,
    token: Asset | None = None,
) -> Of:
    """Return the question for a group."""
    members = tuple(
        Member(address=each.address, role=each.role, label=each.label) for each in defined.members
    )
    return Of(
        group=Group(name=defined.name, members=members), is_group=True, period=period,
        position=position, money=money, token=token,
    )  # fmt: skip


def question(
    audit: Audit,
    name: str,
    period: Period,
    *,
    position: int,
    money: Asset = USDC,
    token: Asset | None = None,
) -> Of:
    """Return the question for an account by its address, or for a group by its name.

    Raises: NotFound, when the book has neither.
    """
    known = groups(audit, position)
    if name in known:
        return of_group(known[name], period, position=position, money=money, token=token)
    if not name.lower().startswith("0x"):
        told = ", ".join(known) or "none; see rollforward group define"
        raise NotFound(
            what="account or group", name=name,
            remedy=f"Groups in it: {told}. Accounts in it: {', '.join(audit.accounts()) or 'none'}",
        )  # fmt: skip
    history = audit.account(name)
    return of_account(history, period, position=position, money=money, token=token)


def statement(audit: Audit, of: Of, *, entries: bool = True) -> Statement:
    """Return the statement asked for.

    Without *entries* the activity is summed up and its legs are not kept.
    """
    known = audit.accounts()
    present = [each.address for each in of.group.members if each.address in known]
    reader = Reader(audit, of)
    walked = [reader.walk(account, entries=entries) for account in present]
    with exact():
        found, inside = _inside(walked, of)
        parts, valued = _rows(walked, inside, of)
        totals = total_rows(parts)
        quotes = reader.prices([(row.place, row.asset) for row in totals])
        priced = tuple(each for row in totals for each in _ends(row, quotes, of))
        then = tuple(_then(quotes, *each) for each in valued.items())
        lines = tuple(_line(row, priced, then) for row in totals)
        is_bare = bool(walked) and all(each.is_bare for each in walked)
        total = _untold(sum_of(lines)) if is_bare else sum_of(lines)
    certificates = tuple(
        certificate(
            audit.account(account),
            since=of.period.since,
            until=of.period.until,
            position=of.position,
        )
        for account in present
    )
    return Statement(
        of=of,
        rows=parts,
        totals=totals,
        lines=lines,
        total=total,
        prices=priced,
        then=then,
        pairs=found,
        activity=tuple(_relabeled(walked, inside)),
        events=sum(each.count for each in walked),
        gaps=tuple(gap for each in walked for gap in each.gaps),
        observed=tuple(
            seen for each in walked for seen in each.observed if of.token in {None, seen.asset}
        ),
        stopped=tuple(
            (each.account, each.closing.stopped) for each in walked if each.closing.stopped
        ),
        absent=tuple(each.address for each in of.group.members if each.address not in known),
        openings=tuple(text for each in walked for text in each.openings),
        is_bare=is_bare,
        ended=() if is_bare else tuple(_ended(audit, of, certificates)),
        certificates=certificates,
        closed=_closings(audit, of),
    )


def _untold(total: Line) -> Line:
    """Return a sum of nothing recorded: every figure unknown, for nobody recorded a zero."""
    from replay.papers.sheets import ALWAYS

    causes = tuple((cause, UNTOLD) for cause in CAUSES if cause in ALWAYS)
    return attrs.evolve(
        total, opening=UNTOLD, closing=UNTOLD, price_change=UNTOLD, unexplained=UNTOLD,
        causes=causes,
    )  # fmt: skip


def _ended(
    audit: Audit, of: Of, certificates: Iterable[Certificate]
) -> Iterator[tuple[Address, Millis]]:
    """Yield the accounts whose last record is before the period, where no claim covers it."""
    for each in certificates:
        stream = account_stream(each.account)
        headers = audit.engine.headers(stream, of.position)
        last = max((header.last_at for header in headers if header.count), default=None)
        is_open = any(stretch.level == "unknown" for stretch in each.stretches)
        if last is not None and last < of.period.since and is_open:
            yield each.account, last


# ---------------------------------------------------------------------------- quantities

_Leg: TypeAlias = tuple[int, int]
"""A leg that may pass between accounts: number of the account's walk, number in it."""


def _inside(walked: Sequence[Walked], of: Of) -> tuple[tuple[Pair, ...], frozenset[_Leg]]:
    """Return the transfers inside the group, and which legs they are."""
    places = [
        (number, leg) for number, each in enumerate(walked) for leg in range(len(each.passing))
    ]
    found, numbers = pairs([walked[number].passing[leg][0] for number, leg in places], of.group)
    return found, frozenset(places[number] for number in numbers)


def _rows(
    walked: Sequence[Walked], inside: frozenset[_Leg], of: Of
) -> tuple[tuple[Row, ...], Valued]:
    """Return the roll-forward by place, and what moved by moment where a price is asked for."""
    found: list[Row] = []
    valued: Valued = {}
    for number, each in enumerate(walked):
        for leg, (moved, _) in enumerate(each.passing):
            flow = moved.flow
            is_inside = (number, leg) in inside
            cause: Cause = "inside the group" if is_inside else flow.cause
            add(each.sums, each.valued, flow, cause, at=moved.at, money=of.money)
        for about, moments in each.valued.items():
            together = valued.setdefault(about, {})
            for at, amount in moments.items():
                together[at] = together.get(at, ZERO) + amount
        found += rows(
            each.account,
            each.opening,
            each.closing,
            each.sums,
            is_eliminated=of.group.is_eliminated,
        )
    return tuple(found), valued


def _relabeled(walked: Sequence[Walked], inside: frozenset[_Leg]) -> list[Entry]:
    """Return the activity by time, with what stays inside the group named so."""
    found: list[Entry] = []
    for number, each in enumerate(walked):
        for leg, (moved, place) in enumerate(each.passing):
            if place is not None and (number, leg) in inside:
                renamed = moved._replace(flow=moved.flow._replace(cause="inside the group"))
                each.entries[place] = attrs.evolve(each.entries[place], moved=renamed)
        found += each.entries
    # Stable: what one account did in a millisecond stays in its effective order.
    found.sort(key=lambda entry: entry.moved.at)
    return found


# --------------------------------------------------------------------------------- money


def _ends(row: Row, quotes: Prices, of: Of) -> Iterator[Priced]:
    thing = row.place, row.asset
    for end, at in (("opening", Millis(of.period.since - 1)), ("closing", of.period.until)):
        yield Priced(
            thing=thing,
            end=end,
            at=at,
            quote=quotes.quote(thing, at),
            lacking=quotes.lacking(thing, at),
        )


def _then(quotes: Prices, about: tuple[Key, Cause], moments: Mapping[Millis, Decimal]) -> Then:
    """Return what the amounts of one cause were worth when they moved."""
    (thing, cause), value, unpriced, oldest = about, ZERO, 0, 0
    lacking: dict[str, None] = {}
    sources: dict[str, None] = {}
    for at, amount in moments.items():
        if not amount:
            continue
        quote = quotes.quote(thing, at)
        if quote is None:
            unpriced += 1
            name = quotes.lacking(thing, at)
            when = "in between" if name == quotes.money else f"when it moved ({cause})"
            lacking[f"price of {name} {when}"] = None
            continue
        value += worth(EXACT, amount, quote.px)
        sources[quote.source] = None
        if quote.at is not None:
            oldest = max(oldest, at - quote.at)
    return Then(
        thing=thing,
        cause=cause,
        term=Term(value=None, missing=tuple(lacking)) if unpriced else Term(value=value),
        moments=len(moments),
        unpriced=unpriced,
        oldest_ms=oldest,
        sources=tuple(sources),
    )


def _line(row: Row, priced: Sequence[Priced], then: Sequence[Then]) -> Line:
    thing = row.place, row.asset
    ends = {each.end: each.term for each in priced if each.thing == thing}
    worths: dict[Cause, Term] = {each.cause: each.term for each in then if each.thing == thing}
    return money_line(row, worths, opening=ends["opening"], closing=ends["closing"])


def _closings(audit: Audit, of: Of) -> tuple[PeriodClosed, ...]:
    """Return the closings of this very period, oldest first."""
    stream = DESK if of.is_group else desk_stream(of.group.members[0].address)
    return tuple(
        event
        for event in audit.engine.events(stream, of.position)
        if isinstance(event, PeriodClosed)
        and (event.since, event.until) == (of.period.since, of.period.until)
        and (event.group == of.name if of.is_group else event.account is not None)
    )
