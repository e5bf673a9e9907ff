"""Markets: of which time rates, prices and reserve states are recorded.

Nobody claims to show all prices there were. So ``proven`` means here that a record at most an hour
old stands at every moment of the stretch, which is what hourly interest and funding ask for.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.units import Millis
from projections.checks.funding import HOLES
from projections.coverage.grids import HOUR, hour_of
from projections.coverage.levels import Stretch, united

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OLD: Final = HOUR + 60_000
"""A record stands for this long: an hour, and a minute for answers that come late."""

RECORDED: Final = "a record at most an hour old"
PUBLISHED: Final = "the rate of every hour"
SKIPPED: Final = "no rate of this hour, though those around it are recorded"


def recent(family: str, moments: Iterable[int]) -> Iterator[Stretch]:
    """Yield the stretches in which a record at most an hour old stands. **Order**: any."""
    for begin, end in united((at, at + OLD - 1) for at in moments):
        yield _stretch(family, begin, end, RECORDED)


def hourly(family: str, moments: Iterable[int]) -> Iterator[Stretch]:
    """Yield the stretches in which every hour has its rate, and the hours that lack theirs.

    An hour for which the venue published nothing has all that there is.
    """
    seen = sorted({hour_of(at) for at in moments})
    hours = {*seen, *(hole for hole in HOLES if seen and seen[0] < hole < seen[-1])}
    spans = united((hour, hour + HOUR - 1) for hour in hours)
    for begin, end in spans:
        yield _stretch(family, begin, end, PUBLISHED)
    for (_, before), (after, _) in pairwise(spans):
        yield Stretch(
            family=family,
            since=Millis(before + 1),
            until=Millis(after - 1),
            level="missing",
            cause=SKIPPED,
        )


def _stretch(family: str, begin: int, end: int, cause: str) -> Stretch:
    return Stretch(
        family=family, since=Millis(begin), until=Millis(end), level="proven", cause=cause
    )
