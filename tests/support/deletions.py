"""Deletions: simulated accounts with one observed state a day, and what is left without one event.

The states are what the simulated venue itself shows on perpetuals, spot and lending; the first is
from before anything happened, the last from after everything. The rows go through importers, a
book and the timeline once; an event is then left out of the course, as if the venue's answer had
never had its row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from ledger import events as ev
from ledger.book import Book
from ledger.events import Event
from ledger.money import exact
from projections.chart import is_own
from projections.postings import moves
from projections.reference import Reference
from replay.audit import Audit
from tests.support import pm_papers, venue_papers
from tests.support.pm_venue import pm_history
from tests.support.route import Paper, take_in
from tests.support.venue import DEEDS, Venue
from tests.support.venue_rules import TOKEN, text

DAY = 86_400_000
SETTLED = 20_000
"""Milliseconds without an event around a state, which is dated to the second and may be older."""

CLOCKS = 11_000
"""From 10 s before its date to 1 s after it: within this span a state without a moment lies."""


@attrs.frozen(kw_only=True)
class Observed:
    """One account's events in effective order, and the moments of its observed states."""

    name: str
    events: tuple[Event, ...]
    reference: Reference
    moments: tuple[int, ...]

    def moving(self) -> list[int]:
        """Return the places of events that move the account's own money between two states."""
        found = []
        with exact():
            for index, event in enumerate(self.events):
                if isinstance(event, ev.Opened):
                    continue
                touched: dict[tuple[str, str], Any] = {}
                for target, source, asset, amount in moves(event, self.reference):
                    for place, signed in ((target, amount), (source, -amount)):
                        if is_own(place):
                            key = place, asset
                            touched[key] = touched.get(key, 0) + signed
                if any(touched.values()):
                    found.append(index)
        return found

    def without(self, index: int) -> Iterator[Event]:
        """Yield the events but one."""
        yield from self.events[:index]
        yield from self.events[index + 1 :]

    def interval(self, at: int) -> tuple[int, int]:
        """Return the moments of the states before and after a moment."""
        before = max(moment for moment in self.moments if moment < at)
        after = min(moment for moment in self.moments if moment >= at)
        return before, after


# ------------------------------------------------------------------------- the plain venue


def plain(folder: Path, seed: int, days: int) -> Observed:
    """Return an account of the standard mode, *days* long."""
    venue, papers = lived(seed, days)
    return taken_in(folder / f"plain-{seed}.book", venue.account, [*papers, *answers(venue)])


def lived(seed: int, days: int) -> tuple[Venue, list[Paper]]:
    """Return a venue after some days, and the captures of the account's states."""
    venue = Venue(seed)
    first = venue.now - SETTLED
    papers = [Paper("before.json", _states_of(venue, first))]
    venue.deposit(venue.chance.randrange(5_000, 900_000) * 10**8)
    venue.genesis("HYPE")
    for day in range(days):
        while venue.now < first + (day + 1) * DAY:
            venue.wait()
            name, *_ = venue.chance.choices(*zip(*DEEDS, strict=True))
            getattr(venue, name)()
        _rest(venue)
        papers.append(Paper(f"day-{day}.json", _states_of(venue, venue.now)))
        _rest(venue)
    return venue, papers


def answers(venue: Venue) -> list[Paper]:
    """Return everything the venue answers about the account's rows, and its metadata."""
    whole = [(venue.began, venue.now)]
    return [
        Paper("metadata.json", venue_papers.metadata(venue.now)),
        Paper("fills.json", venue_papers.fills_by_time(venue, whole)),
        Paper("funding.json", venue_papers.funding_pages(venue, whole)),
        Paper("ledger.json", venue_papers.ledger_pages(venue, whole)),
        Paper("interest.json", venue_papers.interest_pages(venue, whole)),
    ]


def _rest(venue: Venue) -> None:
    """Let some quiet time pass that has no full hour in it."""
    while venue.now + SETTLED >= venue.next_hour:
        venue.turn_of_hour()
    venue.now += SETTLED


def _states_of(venue: Venue, at: int) -> str:
    now, venue.now = venue.now, at
    found = json.loads(venue_papers.states(venue))
    request = {"type": "borrowLendUserState", "user": venue.account}
    found.append(venue_papers.captured(request, _lending(venue), at))
    venue.now = now
    return json.dumps(found)


def _lending(venue: Venue) -> dict[str, Any]:
    rows = []
    for symbol, token in TOKEN.items():
        sides = {}
        for side, place, sign in (("supply", "supplied", 1), ("borrow", "borrowed", -1)):
            value = text(sign * venue.cash.get((place, symbol), 0), 8)
            sides[side] = {"basis": value, "value": value}
        rows.append([token.index, sides])
    return {"tokenToState": rows, "health": "healthy", "healthFactor": None}


# ------------------------------------------------------------------------- portfolio margin


def portfolio(folder: Path, seed: int, steps: int) -> Iterator[Observed]:
    """Yield the accounts of a venue of portfolio margin, each with a state every 24 hours."""
    venue = pm_history(seed, steps)
    quarter = venue.began - 15 * 60_000
    moments = [*range(quarter, venue.now, DAY)]
    for number, account in enumerate(venue.accounts[1:]):
        papers = [Paper("market.json", pm_papers.market(venue))]
        papers += [Paper(name, body) for name, body in pm_papers.history(venue, account).items()]
        shown = [*moments[1:], (venue.now // 1000 + 30) * 1000]
        papers += [Paper(f"state-{at}.json", pm_papers.states(venue, account, at)) for at in shown]
        book = folder / f"portfolio-{seed}-{number}.book"
        yield taken_in(book, account.account, papers)


def taken_in(where: Path, account: str, papers: list[Paper]) -> Observed:
    """Import papers into a new book and return what it says of the account."""
    with Book.create(where) as book:
        take_in(book, account, [paper for paper in papers if paper.text != "[]"])
    with Audit.open(where, cache=False) as audit:
        history, position = audit.account(account), audit.position()
        events = tuple(audit.engine.events(history.stream, position))
        return Observed(
            name=where.stem,
            events=events,
            reference=audit.engine.reference(position),
            moments=tuple(each.at for each in events if isinstance(each, ev.SpotStateObserved)),
        )
