"""From what the venue hands out to figures: our own route, in two lengths, and one form to compare.

The short way reads rows one by one and folds them in the order the venue tells; the whole way
(``taken_in``) goes through files, importers, a book and the timeline. ``figures`` brings states and
the oracle's answers into one form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import attrs

from ledger import timeline
from ledger.book import Book, Receipt
from ledger.codec import decode
from ledger.entries import AsOf, Batch, RawRecord
from ledger.events import Event, MarketListed, PairListed, TokenListed
from ledger.importers import Hints, read
from ledger.importers.fills import filled
from ledger.importers.funding import funding_paid
from ledger.importers.lending import interest_accrued
from ledger.importers.transfers import ledger_event
from ledger.seal import digest_of_record
from ledger.timeline import Course
from ledger.units import VENUE, Address, Asset, Coin, Dex, Millis, Stream, account_stream
from projections import balances
from projections.fold import States, fold
from projections.reference import Reference, reference
from tests.support import oracle
from tests.support.venue import Row, Venue
from tests.support.venue_papers import all_perp_metas, spot_meta
from tests.support.venue_rules import PAIRS, PERPS, START_MS, TOKENS

Fetch: TypeAlias = Callable[[int], Batch]

LISTED = oracle.listing(spot_meta(), all_perp_metas())


@attrs.frozen(kw_only=True)
class Figures:
    """What an account has at one instant, in fractions; what is zero is left out."""

    balances: dict[tuple[str, str], Fraction]
    positions: dict[str, tuple[Fraction, int | None, Fraction]]
    fees: dict[str, Fraction]
    funding: dict[str, Fraction]


def event_of(row: Row, stream: Stream) -> Event:
    """Return the event of one row of an info answer, read by the importers' row readers."""
    body: dict[str, Any] = row.body
    if row.family == "fills":
        return filled(body, stream=stream)
    if row.family == "funding":
        return funding_paid(body, stream=stream)
    if row.family == "interest":
        return interest_accrued(body, stream=stream)
    at = Millis(row.time)
    return ledger_event(body["delta"], stream=stream, at=at, tx_hash=body["hash"])


def events_of(venue: Venue) -> list[Event]:
    """Return the account's events in the true order."""
    stream = account_stream(Address(venue.account))
    return [event_of(row, stream) for row in venue.rows]


def listed_events() -> Iterator[Event]:
    """Yield what the simulated venue lists, as events."""
    at = Millis(START_MS)
    names = {token.symbol: Asset(token.symbol) for token in TOKENS}
    for token in TOKENS:
        yield TokenListed(
            stream=VENUE,
            at=at,
            asset=names[token.symbol],
            index=token.index,
            size_places=token.places,
            wei_places=token.wei,
        )
    for pair in PAIRS:
        yield PairListed(
            stream=VENUE,
            at=at,
            coin=Coin(pair.coin),
            base=names[pair.base],
            quote=names[pair.quote],
        )
    for perp in PERPS:
        yield MarketListed(
            stream=VENUE,
            at=at,
            coin=Coin(perp.coin),
            dex=Dex(perp.dex),
            collateral=names[perp.collateral],
            size_places=perp.places,
            max_leverage=perp.leverage,
            margin_table=None,
            only_isolated=False,
            delisted=False,
        )


def listed() -> Reference:
    """Return the metadata of the simulated venue."""
    return reference(listed_events())


def figures(states: States) -> Figures:
    """Return what states say of the account's own places, perpetuals, fees and funding."""
    held = balances.own(states.state("balances"))
    perps = {
        coin: position
        for coin, position in states.state("positions").by_key.items()
        if coin in LISTED.collateral
    }
    fees = states.state("fees").by_key
    funding = states.state("funding").by_key
    return Figures(
        balances={
            key: Fraction(amount)
            for key, amount in held.items()
            if amount and not key[0].startswith("position:")
        },
        positions={
            coin: (
                Fraction(position.size, 10**position.places),
                position.notional,
                Fraction(position.realized, 10**position.money_places),
            )
            for coin, position in perps.items()
        },
        fees={asset: Fraction(fee.total) for asset, fee in fees.items() if fee.total},
        funding={coin: Fraction(paid.total) for (coin, _), paid in funding.items() if paid.total},
    )


def told(venue: Venue, until: int) -> Figures:
    """Return the oracle's answer for an instant in the same form."""
    rows = [(row.time, row.family, row.body) for row in venue.rows]
    answer = oracle.answer(rows, until, venue.account, LISTED)
    return Figures(
        balances={key: amount for key, amount in answer.balances.items() if amount},
        positions=dict(answer.positions),
        fees={asset: amount for asset, amount in answer.fees.items() if amount},
        funding={coin: amount for coin, amount in answer.funding.items() if amount},
    )


def until(events: Iterable[Event], at: int) -> list[Event]:
    """Return the events up to and including a millisecond, in the order given."""
    return [event for event in events if event.at <= at]


# ------------------------------------------------------------------------- the whole way

ZONE = "Europe/Berlin"
FIRST_RECORDED = Millis(START_MS + 10**10)


@attrs.frozen(order=True)
class Paper:
    """One file as the venue hands it out."""

    name: str
    text: str = attrs.field(repr=lambda text: f"{len(text)} characters")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Let a falsifying example be read: the text itself is kept out of it."""
        printer.text(repr(self))


def record_of(paper: Paper) -> RawRecord:
    """Return a paper as a record, with its digest."""
    body = paper.text.encode()
    return RawRecord(name=paper.name, body=body, digest=digest_of_record(body))


def take_in(book: Book, account: str, papers: Iterable[Paper]) -> list[Receipt]:
    """Import papers one after the other, as a person who names account and zone."""
    hints = Hints(account=Address(account), zone=ZONE, dates="day-first")
    receipts = []
    for number, paper in enumerate(papers):
        record = record_of(paper)
        reading = read(record, hints)
        assert not reading.unreadable, (paper, reading.unreadable[0])
        recorded = Millis(FIRST_RECORDED + number)
        receipts.append(book.append(record, reading, recorded=recorded))
    return receipts


def course_in(
    book: Book, account: str, at: int | None = None, position: int | None = None
) -> tuple[Course, Fetch]:
    """Return the account's course as of two times, and how its batches are fetched."""
    stream = account_stream(Address(account))
    as_of = AsOf(effective=None if at is None else Millis(at), position=position)

    def fetch(version: int) -> Batch:
        return book.batch(stream, version)

    return timeline.course(book.headers(stream), fetch, as_of), fetch


def states_in(
    book: Book, account: str, at: int | None = None, position: int | None = None
) -> States:
    """Return what a book says of an account as of two times, folded from nothing."""
    known = [decode(line) for batch in book.batches(VENUE) for line in batch.lines]
    course, fetch = course_in(book, account, at, position)
    return fold(timeline.events(course, fetch), reference(known))
