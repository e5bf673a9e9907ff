"""With one observed state a day, the certificate says where an event is missing.

Every event that moves an account's money is left out in turn (a random choice of them); before
that, nothing may be named. ROLLFORWARD_DELETIONS says how many.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.events import Event, InterestAccrued, ReserveOperated
from ledger.units import Millis
from projections.coverage import Stretch, Walk, certified
from replay.audit import Audit
from tests.support.deletions import CLOCKS, Observed, answers, lived, plain, portfolio, taken_in

DELETIONS = int(os.environ.get("ROLLFORWARD_DELETIONS", "240"))
EACH = 60
"""Deletions in one history."""

HOUR = 3_600_000
"""What belongs to an hour is named with its whole hour, in which a state may fall."""


def missing(events: Iterator[Event], observed: Observed) -> list[Stretch]:
    """Return what the certificate of the whole period names as missing."""
    walk = Walk(events, observed.reference)
    since, until = observed.events[0].at, observed.events[-1].at
    stretches = certified(walk.evidence, since=since, until=until)
    return [each for each in stretches if each.level == "missing"]


def histories(folder: Path) -> Iterator[Observed]:
    """Yield accounts of both venues, by turns, without end."""
    seed = 0
    while True:
        seed += 1
        yield plain(folder, seed, days=3)
        yield from portfolio(folder, seed, steps=450)


def reason(event: Event, observed: Observed) -> str:
    """Return why an omission does not show; empty where there is no reason."""
    if isinstance(event, InterestAccrued):
        later = [each for each in observed.events if each.at > event.at]
        rows = [each for each in later if isinstance(each, InterestAccrued)]
        if not any(each.asset == event.asset for each in rows):
            return "the last row of interest of a token"
        if max(event.supply, event.borrow) < Decimal("0.00002"):
            return "interest of a few units of the last place"
        if any(
            isinstance(each, ReserveOperated)
            and each.asset == event.asset
            and 0 <= event.at - each.at <= HOUR
            for each in observed.events
        ):
            return "interest of an hour in which a loan was repaid or taken back"
    if isinstance(event, ReserveOperated):
        return "a loan changed by less than its interest may have run"
    return ""


def test_deleting_any_one_event_names_its_interval(tmp_path: Path, figure):
    """Nothing is named before, and afterwards nothing on other days."""
    named = narrow = tried = 0
    missed: Counter[str] = Counter()
    chance = random.Random(20260803)
    for observed in histories(tmp_path):
        assert [] == missing(iter(observed.events), observed), observed.name
        moving = [n for n in observed.moving() if observed.events[n].at > observed.moments[0]]
        for index in chance.sample(moving, min(EACH, len(moving), DELETIONS - tried)):
            event = observed.events[index]
            before, after = observed.interval(event.at)
            longest = after - before + CLOCKS
            found = missing(observed.without(index), observed)
            # whatever is named meets the time between the two states, and nothing else
            stray = [each for each in found if each.until < before - CLOCKS or each.since > after]
            assert [] == stray, (observed.name, event)
            tried += 1
            if any(each.length <= longest for each in found):
                named += 1
                narrow += covered(found) <= longest + HOUR
            else:
                missed[reason(event, observed)] += 1
                assert reason(event, observed), (observed.name, event)
        if tried >= DELETIONS:
            break
    assert named * 100 >= tried * 99, missed
    # all that is named together is that one interval; now and then what holds is a wider one
    assert narrow * 100 >= named * 95
    why = "; ".join(f"{count} {text}" for text, count in missed.most_common())
    value = f"{named:,} of {tried:,} ({named * 100 / tried:.2f} %)"
    value += f", {narrow * 100 / named:.1f} % of them with nothing wider"
    value += f"; not {why}" if why else ""
    figure(line="4-2", text="deletions named to the interval between two states", value=value)


def covered(found: list[Stretch]) -> int:
    """Return how much time the stretches name together."""
    return max(each.until for each in found) - min(each.since for each in found) + 1


@pytest.mark.parametrize("family", ["fills", "funding", "ledger", "interest"])
def test_an_answer_without_one_row_is_found_out_through_a_book(tmp_path: Path, family: str):
    venue, states = lived(seed=3, days=2)
    rows = [row for row in venue.rows if row.family == family and row.body.get("coin") != "@232"]
    gone = rows[len(rows) // 2]
    venue.rows.remove(gone)
    observed = taken_in(tmp_path / "x.book", venue.account, [*states, *answers(venue)])
    before, after = observed.interval(gone.time)
    with Audit.open(tmp_path / "x.book") as audit:
        certificate = audit.account(venue.account).coverage()
    assert certificate.missing
    for each in certificate.missing:
        assert each.since <= gone.time <= each.until
        assert each.length <= after - before + CLOCKS
    assert "missing" == certificate.level("balances", Millis(gone.time))
    # the answers claim to show everything: what is missing beats the claim
    assert "proven" == certificate.level("transfers", Millis(gone.time))
