"""The states a simulated venue shows of an account agree with its history, and with no other.

The venue of portfolio margin counts in whole numbers and shows states at every change of prices.
With its whole history recorded no figure of any state differs; with one row left out, the first
difference lies in the interval the row fell into. ``ROLLFORWARD_HISTORIES`` sets how many accounts
are played, one for eighty of it; a failure names the seed.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from ledger.book import Book
from replay.audit import Audit
from replay.reconcile.state import StateReport, reconcile_state
from tests.support import pm_papers
from tests.support.pm_venue import PmVenue, pm_history
from tests.support.route import Paper, take_in
from tests.support.venue import Row

ACCOUNTS = max(3, int(os.environ.get("ROLLFORWARD_HISTORIES", "7")) // 80)
STEPS = 60


def book_of(folder: Path, venue: PmVenue, *, drop: int | None = None) -> tuple[Path, Row | None]:
    """Write a book of one account with all its states, one row of its history left out."""
    path, account = folder / f"{venue.seed}-{drop}.book", venue.accounts[1]
    moments = sorted({at for at, family, _ in venue.shown if family == "prices"})
    states = [Paper(f"states-{at}.json", pm_papers.states(venue, account, at)) for at in moments]
    gone = None if drop is None else account.rows.pop(drop)
    papers = [
        Paper(name, text)
        for name, text in pm_papers.history(venue, account).items()
        if '"response": []' not in text
    ]
    with Book.create(path) as book:
        market = Paper("market.json", pm_papers.market(venue))
        take_in(book, venue.accounts[0].account, [market])
        take_in(book, account.account, [*papers, *states])
    if gone is not None:
        account.rows.insert(drop or 0, gone)
    return path, gone


def asked(path: Path, venue: PmVenue, **options: str) -> StateReport:
    with Audit.open(path) as audit:
        history = audit.account(venue.accounts[1].account)
        return reconcile_state(history, position=audit.position(), **options)  # type: ignore[arg-type]


def test_every_shown_state_agrees_with_a_whole_history(tmp_path: Path, figure) -> None:
    states = figures = unknown = 0
    for seed in range(ACCOUNTS):
        venue = pm_history(seed, STEPS)
        path, _ = book_of(tmp_path, venue)
        report = asked(path, venue, how="all")
        assert () == report.divergences, seed
        states += len(report.looked)
        figures += sum(len(each.figures) for each in report.looked)
        unknown += sum(each.count("unknown") for each in report.looked)
        path.unlink()
    assert unknown < figures / 5
    figure(
        line="4-4",
        text="rebuilt against observed, generated accounts",
        value=f"{ACCOUNTS} accounts, {states:,} states, {figures:,} figures, none differs, "
        f"{unknown:,} unknown",
    )


def test_a_row_left_out_shows_in_the_interval_it_fell_into(tmp_path: Path, figure) -> None:
    """An hourly row may not show: until the next one, interest could have run so fast by itself."""
    found = rows = 0
    for seed in range(ACCOUNTS):
        venue = pm_history(seed, STEPS)
        known = venue.accounts[1].rows
        first = min(at for at, family, _ in venue.shown if family == "prices")
        last = max(at for at, family, _ in venue.shown if family == "prices")
        inside = [number for number, row in enumerate(known) if first < row.time <= last]
        drop = random.Random(seed).choice(inside)
        path, gone = book_of(tmp_path, venue, drop=drop)
        report = asked(path, venue)
        path.unlink()
        assert gone is not None
        if gone.family == "interest":
            continue
        rows += 1
        assert report.first is not None, (seed, drop)
        agreeing = report.first.agreeing
        assert agreeing is None or agreeing.observation.at <= gone.time, (seed, drop)
        assert gone.time <= report.first.differing.observation.at, (seed, drop)
        found += 1
    figure(
        line="4-4",
        text="a row left out of a generated account",
        value=f"{found} of {rows} located",
    )
