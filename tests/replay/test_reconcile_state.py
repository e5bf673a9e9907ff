"""Observed states held against a history: what is missing is found between two of them.

What the states of the long history show is counted by its own generator, in whole numbers; one
event is left out of the book. ``ROLLFORWARD_BISECT_EVENTS`` sets how long the history is.
"""

from __future__ import annotations

import os
import random
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.book import Book
from ledger.events import (
    ClassTransferred,
    Deposited,
    Filled,
    FundingPaid,
    InterestAccrued,
    ReserveOperated,
    Withdrawn,
)
from ledger.units import Millis
from projections.pool_bounds import Pace
from replay.audit import Audit
from replay.reconcile.state import StateReport, reconcile_state
from tests.support.long_history import ACCOUNT, STREAM, Long, write

EVENTS = int(os.environ.get("ROLLFORWARD_BISECT_EVENTS", "20000"))
DROPS = 3
MOST = 20
"""Projections, for a million events."""

KINDS = (
    Filled, FundingPaid, Deposited, Withdrawn, ClassTransferred, ReserveOperated, InterestAccrued,
)  # fmt: skip


def asked(path: Path, **options) -> StateReport:
    with Audit.open(path) as audit:
        history = audit.account(ACCOUNT)
        return reconcile_state(history, position=audit.position(), **options)


def around(made: Long, at: int) -> tuple[int | None, int]:
    """Return the moments of the last state before an instant and of the first from it on."""
    before = [moment for moment in made.moments if moment < at]
    return (before[-1] if before else None), min(m for m in made.moments if m >= at)


def located(report: StateReport) -> tuple[int | None, int]:
    found = report.first
    assert found is not None
    agreeing = found.agreeing
    return None if agreeing is None else agreeing.observation.at, found.differing.observation.at


def test_a_missing_event_among_a_million_is_located_by_bisection(tmp_path: Path, figure) -> None:
    every = max(50, EVENTS // 1000)
    chance = random.Random(EVENTS)
    most = 0
    kinds: set[str] = set()
    for number in range(DROPS):
        drop = chance.randrange(every, EVENTS - every)
        made = Long(seed=number, events=EVENTS, every=every, drop=drop)
        path = tmp_path / f"{number}.book"
        write(path, made)
        assert made.dropped is not None
        kinds.add(type(made.dropped).__name__)
        report = asked(path)
        assert around(made, made.dropped.at) == located(report), (number, drop)
        assert report.is_monotone
        assert report.projections <= MOST
        most = max(most, report.projections)
        path.unlink()
    figure(
        line="4-3",
        text="one event dropped, located to the interval between two observed states",
        value=f"{DROPS} of {DROPS} among {EVENTS:,} events and {EVENTS // every:,} observed "
        f"instants ({', '.join(sorted(kinds))}), at most {most} projections",
    )


def of_kind(kind: type, made: Long) -> int:
    """Return the number of an event of one kind inside a short history."""
    numbers = [number for number, event in enumerate(plain(made)) if isinstance(event, kind)]
    inside = [number for number in numbers if 200 < number < made.events - 200]
    return inside[len(inside) // 2]


def plain(made: Long) -> list[object]:
    """Return the events of a history that states stand between, in order."""
    moving = [each for each in made.history() if isinstance(each, KINDS)]
    assert len(moving) == made.events
    return moving


@pytest.mark.parametrize("kind", KINDS[:-1], ids=lambda kind: kind.__name__)
def test_whatever_kind_is_missing_is_located(tmp_path: Path, kind: type) -> None:
    number = of_kind(kind, Long(seed=1, events=4_000, every=100))
    made = Long(seed=1, events=4_000, every=100, drop=number)
    write(tmp_path / "x.book", made)
    assert isinstance(made.dropped, kind)
    report = asked(tmp_path / "x.book")
    assert around(made, made.dropped.at) == located(report)
    assert report.is_monotone
    assert report.breaks
    for each in report.breaks:
        assert each.at <= made.dropped.at <= each.until
        assert each.expected + each.difference == each.observed


class Patient(Long):
    """A history in which the account supplies once and leaves it there."""

    def operation(self, at, tx):
        if not self.supplied:
            return super().operation(at, tx)
        self.perp += 1
        return Deposited(stream=STREAM, at=at, usdc=Decimal("0.000001"), tx_hash=tx)


def test_a_missing_hourly_row_shows_within_an_hour_where_the_pace_is_known(tmp_path: Path) -> None:
    """Without a pace interest might have run so fast by itself: unknown, and not said to differ."""
    number = of_kind(InterestAccrued, Patient(seed=1, events=8_000, every=100))
    made = Patient(seed=1, events=8_000, every=100, drop=number)
    write(tmp_path / "x.book", made)
    assert isinstance(made.dropped, InterestAccrued)
    report = asked(tmp_path / "x.book", pace=Pace(hourly=Decimal("0.01")), how="all")
    _, until = located(report)
    assert made.dropped.at < until <= made.dropped.at + 3_600_000
    blind = asked(tmp_path / "x.book", how="all")
    assert located(report)[1] <= located(blind)[1]
    soon = next(each for each in blind.looked if each.observation.at == until
                and each.observation.family == "lending")  # fmt: skip
    assert "unknown" == soon.verdict
    assert ["ahead of its rows"] == [each.why[:17] for each in soon.figures if each.why]


def test_a_whole_history_differs_nowhere(tmp_path: Path) -> None:
    made = Long(seed=2, events=3_000, every=100)
    write(tmp_path / "x.book", made)
    report = asked(tmp_path / "x.book", how="all")
    assert () == report.divergences
    assert 3 * 30 == len(report.looked)
    assert {"agrees"} == {each.verdict for each in report.looked}
    assert () == report.breaks


def test_bisection_and_a_look_at_every_state_find_the_same(tmp_path: Path) -> None:
    made = Long(seed=3, events=3_000, every=100, drop=1_234)
    write(tmp_path / "x.book", made)
    halved, whole = asked(tmp_path / "x.book"), asked(tmp_path / "x.book", how="all")
    assert located(halved) == located(whole)
    assert halved.breaks == whole.breaks
    assert halved.projections < whole.projections


def test_the_events_between_the_two_states_are_listed(tmp_path: Path) -> None:
    made = Long(seed=4, events=3_000, every=100, drop=1_550)
    write(tmp_path / "x.book", made)
    report = asked(tmp_path / "x.book", listed_max=7)
    since, until = located(report)
    assert report.between is not None
    assert 7 == len(report.between.listed)
    # a hundred deeds less the missing one, and the other two states of the earlier moment
    assert 99 + 2 == report.between.count
    assert all(since <= each.at <= until for each in report.between.listed)


def test_both_capture_times_of_both_states_are_carried(tmp_path: Path) -> None:
    made = Long(seed=4, events=3_000, every=100, drop=1_550)
    write(tmp_path / "x.book", made)
    found = asked(tmp_path / "x.book").first
    assert found is not None
    for looked in (found.agreeing, found.differing):
        seen = looked.observation.seen
        assert seen.event.at in made.moments
        # batches are written at 0, 1000, 2000, … by the recorder's clock
        assert 0 == seen.recorded % 1000
        assert seen.ordinal // 1000 == seen.recorded // 1000


def test_what_differs_from_the_first_state_on_is_said_to_have_no_agreeing_one(tmp_path: Path):
    made = Long(seed=5, events=2_000, every=100, drop=10)
    write(tmp_path / "x.book", made)
    report = asked(tmp_path / "x.book")
    assert report.first is not None
    assert report.first.agreeing is None
    assert made.moments[0] == report.first.differing.observation.at


def test_since_takes_what_differs_already_as_given(tmp_path: Path) -> None:
    """Two events are missing; asked from a state between them, the second one alone is found."""
    made = Long(seed=6, events=3_000, every=100, drop=700)
    write(tmp_path / "x.book", made)
    second = next(
        each
        for each in Long(seed=6, events=3_000, every=100).history()
        if isinstance(each, Deposited) and each.at > made.moments[15]
    )
    annul(tmp_path / "x.book", second)
    first = asked(tmp_path / "x.book")
    assert around(made, made.dropped.at) == located(first)
    assert first.first.changed
    later = asked(tmp_path / "x.book", since=Millis(made.moments[8]))
    assert around(made, second.at) == located(later)
    assert later.given
    assert {-second.usdc, second.usdc} & set(later.first.differing.differing.values())


def annul(path: Path, target) -> None:
    """Record that an event is taken not to have happened."""
    from ledger.codec import event_id
    from ledger.events import Annulled

    with Book.open(path, write=True) as book:
        event = Annulled(
            stream=target.stream, at=target.at, target=event_id(target), author="Ada", reason="-"
        )
        book.act([event], recorded=Millis(10**12))


def test_two_missing_events_that_make_up_for_each_other_are_seen(tmp_path: Path) -> None:
    """A deposit and a withdrawal of the same amount, neither recorded: it heals, and says so."""
    made = Healing(seed=7, events=3_000, every=100)
    write(tmp_path / "x.book", made)
    report = asked(tmp_path / "x.book")
    assert not report.is_monotone
    whole = asked(tmp_path / "x.book", how="all")
    assert not whole.is_monotone
    assert located(whole)[1] == made.moments[7]
    assert {Decimal(77)} == set(whole.first.differing.differing.values())


class Healing(Long):
    """A history whose states show 77 more for a while, which nothing recorded explains."""

    def states(self):
        shown = 8 <= len(self.moments) + 1 <= 22
        self.perp += 77 * 10**6 if shown else 0
        yield from super().states()
        self.perp -= 77 * 10**6 if shown else 0
