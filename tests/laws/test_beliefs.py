"""Why a figure changed: the causes sum to the difference, to the last digit.

Books are written in every way a book can be: answers in any order, cut anywhere, overlapping;
exports beside them that are superseded later; second records, corrections of corrections,
openings that step back. The figures at both ends are taken from two separate books, which were told
only what was known then, folded from nothing, and counted in fractions.
``ROLLFORWARD_BELIEFS`` sets how many histories are walked.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import timeline
from ledger.book import Book
from ledger.codec import decode
from ledger.units import VENUE
from projections.fold import States, Stopped, fold
from projections.reference import reference
from replay.diff import Diff, asked, diff, walked
from replay.learned import BUDGET
from tests.support.believing import (
    ACCOUNT,
    audit_of,
    tellings,
    told,
    venue_tellings,
)
from tests.support.route import course_in

Taken = dict[str, Fraction | str]

COUNT = int(os.environ.get("ROLLFORWARD_BELIEFS", "60"))


def taken(book: Book, account: str, at: int) -> Taken:
    """Return the figures of a book, folded from nothing and named here anew."""
    known = [decode(line) for batch in book.batches(VENUE) for line in batch.lines]
    course, fetch = course_in(book, account, at)
    return dict(figured(fold(timeline.events(course, fetch), reference(known))))


def figured(states: States) -> Iterator[tuple[str, Fraction | str]]:
    for (place, asset), amount in held(states, "balances").items():
        if place.split(":")[0] not in {"venue", "outside", "opening", "position"}:
            yield f"balance {' '.join(filter(None, place.split(':')))} {asset}", Fraction(amount)
    for market, one in held(states, "positions").items():
        money = 10**one.money_places
        yield f"position {market} size", Fraction(one.size, 10**one.places)
        yield (
            f"position {market} cost",
            ("unknown" if one.notional is None else Fraction(one.notional, money)),
        )
        if one.unknown and not one.realized:
            yield f"position {market} result", "unknown"
        else:
            yield f"position {market} result", Fraction(one.realized, money)
    for asset, fee in held(states, "fees").items():
        yield f"fee {asset}", "unknown" if fee.unknown and not fee.fills else Fraction(fee.total)
    for (coin, _), paid in held(states, "funding").items():
        yield f"funding {coin}", Fraction(paid.total)


def held(states: States, name: str):
    found = states.by_name[name]
    assert not isinstance(found, Stopped)
    return found.by_key


@dataclass
class Seen:
    """What the walked histories had in them, so that nobody is proud of empty ones."""

    histories: int = 0
    numbers: int = 0
    shares: int = 0
    together: int = 0
    moved: int = 0
    """Differences with more than one share."""
    kinds: Counter[str] = field(default_factory=Counter)


def sums_up(found: Diff, before: Taken, after: Taken, seen: Seen) -> None:
    """Compare every figure of a diff with what the two books say, and add up its causes."""
    changes = {change.figure: change for change in found.changes}
    for name in before.keys() | after.keys():
        first, last = before.get(name, Fraction(0)), after.get(name, Fraction(0))
        change = changes.get(name)
        if change is None:
            assert first == last, name
            continue
        assert (first, last) == (exactly(change.before), exactly(change.after)), name
    for change in found.changes:
        first, last = exactly(change.before), exactly(change.after)
        if not (isinstance(first, Fraction) and isinstance(last, Fraction)):
            assert change.difference is None
            continue
        assert last - first == Fraction(change.difference)
        assert last - first == sum(Fraction(share.amount) for share in change.shares)
        assert last - first == sum(Fraction(each) for _, each in change.by_kind)
        seen.numbers += 1
        seen.moved += len(change.shares) > 1
        seen.shares += len(change.shares)
        for share in change.shares:
            seen.together += len(share.causes) > 1
            seen.kinds.update({cause.kind for cause in share.causes})


def exactly(value: Decimal | str) -> Fraction | str:
    return Fraction(value) if isinstance(value, Decimal) else value


def walked_through(writes, account: str, at: int, data: st.DataObject, seen: Seen) -> None:
    """Compare a diff between two points of a telling with books that were told no more."""
    count = len(writes)
    first, middle, last = sorted(data.draw(st.tuples(*[st.integers(0, count)] * 3), label="told"))
    book = told(writes)
    one, between, other = (told(writes, steps) for steps in (first, middle, last))
    audit = audit_of(book)
    if account not in audit.accounts():
        return
    detail = data.draw(st.booleans(), label="event by event")
    budget = data.draw(st.sampled_from((BUDGET, BUDGET, BUDGET, 100, 1)), label="budget")
    history = audit.account(account)
    question = asked(history, known_at=(one.position(), other.position()), as_of=at, detail=detail)
    question = attrs.evolve(question, budget=budget)
    sums_up(diff(history, question), taken(one, account, at), taken(other, account, at), seen)
    start, stages = walked(history, attrs.evolve(question, budget=BUDGET))
    known = [start, *(stage.figures for stage in stages
                      if (stage.cause.position or 0) <= between.position())][-1]  # fmt: skip
    for name, value in taken(between, account, at).items():
        assert value == exactly(known.value(name)), name
    seen.histories += 1


def test_causes_sum_to_the_difference_however_a_book_came_to_be(figure) -> None:
    seen = Seen()

    @settings(max_examples=max(COUNT * 3 // 4, 1))
    @given(telling=tellings(), data=st.data())
    def composed(telling, data: st.DataObject) -> None:
        writes, moments = telling
        walked_through(writes, ACCOUNT, data.draw(st.sampled_from(moments)), data, seen)

    @settings(max_examples=max(COUNT // 4, 1))
    @given(telling=venue_tellings(), data=st.data())
    def simulated(telling, data: st.DataObject) -> None:
        venue, writes, moments = telling
        walked_through(writes, venue.account, data.draw(st.sampled_from(moments)), data, seen)

    composed()
    simulated()
    assert seen.moved <= seen.numbers
    assert seen.moved > 0
    assert {"new events", "correction"} <= seen.kinds.keys()
    figure(
        line="4-5",
        text="causes of a belief diff that sum to the difference exactly",
        value=f"{seen.numbers:,} of {seen.numbers:,} figures with {seen.shares:,} causes "
        f"({seen.moved:,} with several), on {seen.histories:,} random histories; both ends and a "
        f"point between equal to books told no more, folded from nothing",
    )
