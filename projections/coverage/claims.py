"""Claims: what records say they show completely, and why they end where they end.

An answer of the venue shows everything of its window, up to a page: 500 rows (2,000 of fills).
A full page says nothing of what lies behind its cut; one whose rows are all of one millisecond
cannot be asked on from. Of fills the venue keeps the newest 10,000 only: before the first fill an
answer shows, an empty time is no proof once that many have followed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.entries import IDENTIFIED
from ledger.units import Millis
from projections.coverage.levels import MOVING, Stretch, united

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ledger.entries import Covered, Header
    from projections.coverage.levels import Level

FILLS_KEPT: Final = 10_000
"""How many of an account's fills the venue gives out, the newest. **Source**: the venue's page on
its info endpoint, read 2026-08."""

PAGE: Final = 500
"""Pages are this long, or a multiple of it."""

BEGINNING: Final = 0
END: Final = 10**15 - 1
"""Every moment the venue can write lies between these."""

SHOWN: Final = {
    "api": "answers of the venue show all of it",
    "node": "files of a node show all of it",
    "person": "attested as complete",
}

NONE: Final = "nothing of this kind is recorded"
UNSAID: Final = "what is recorded does not say that it is all"
BEFORE: Final = "no answer reaches back so far"
BETWEEN: Final = "no answer speaks of the time between two others"
AFTER: Final = "no answer reaches so far"
CUT: Final = "a full page ends here, and nothing recorded goes on from it"
NEWEST: Final = "a full page shows the newest rows only; what came before them is not recorded"
ONE_MOMENT: Final = (
    "a full page lies within one millisecond: what else happened in it, and after it, is not shown"
)
KEPT: Final = "the venue gives out the newest 10,000 fills only, and so many have followed"
MAYBE_KEPT: Final = (
    "an answer shows no fill here, but the venue gives out the newest 10,000 only, and how many "
    "had followed is not recorded"
)


ERAS: Final = {
    "fills": (
        (1_742_601_600_000, "no archive of the venue has fills of before March 2025"),
        (1_748_131_200_000, "archives of March to May 2025 have trades, without fee and result"),
    ),
    "funding": ((1_686_186_000_000, "until June 2023 payments came every eight hours"),),
}
"""What an unknown time is told with, up to when. **Source**: the venue's page on historical data
and listings of its buckets: ``node_trades`` from 2025-03-22, ``node_fills`` from late May 2025."""


class Claims:
    """What the batches of one account's history claim, family by family."""

    def __init__(
        self,
        headers: Sequence[Header],
        *,
        family_of: Callable[[Header], str | None],
        fill_times: Sequence[int],
        seen: Mapping[str, int],
    ) -> None:
        """Read headers in their order.

        ``family_of`` tells the family of the first event of a batch; *fill_times* are the moments
        of all fills recorded, in order; *seen* counts events by family.
        """
        self._family_of = family_of
        self._fill_times = fill_times
        self._seen = seen
        self._ends: dict[str, dict[int, str]] = {family: {} for family in MOVING}
        self._begins: dict[str, dict[int, str]] = {family: {} for family in MOVING}
        self._evidence: list[Stretch] = []
        self._kept: list[tuple[int, int]] = []
        """Beginnings of claims about fills that prove nothing, for too many have followed."""
        self._reach = _reach(headers)
        self._fills = united(
            (cover.since, cover.until)
            for header in headers
            if header.source in IDENTIFIED
            for cover in header.covers
            if cover.family == "fills"
        )
        for header in headers:
            if header.source in IDENTIFIED:
                self._read(header)

    def evidence(self) -> Iterator[Stretch]:
        """Yield what is claimed, and for the time between claims why nothing is."""
        yield from self._evidence
        for family in MOVING:
            spans = united(
                (each.since, each.until) for each in self._evidence if each.family == family
            )
            yield from self._gaps(family, spans)

    def _read(self, header: Header) -> None:
        is_full = answered(header) % PAGE == 0
        if is_full and header.count > 1 and header.first_at == header.last_at:
            family = self._family_of(header)
            if family in self._ends and not any(c.family == family for c in header.covers):
                self._ends[family][header.first_at - 1] = ONE_MOMENT
                self._ends[family][header.first_at] = ONE_MOMENT
        for cover in header.covers:
            if is_full and cover.until == header.last_at - 1:
                self._ends[cover.family].setdefault(cover.until, CUT)
            if is_full and cover.since == header.first_at + 1:
                self._begins[cover.family][cover.since] = NEWEST
            since = self._after_lead(header, cover)
            if since <= cover.until:
                self._claim(cover.family, since, cover.until, "proven", SHOWN[header.source])

    def _after_lead(self, header: Header, cover: Covered) -> int:
        """Return from when on a claim holds; what comes before has its own evidence.

        Only answers of the service about fills are looked at: a node's files are not cut.
        """
        if cover.family != "fills" or header.source != "api":
            return cover.since
        times = self._fill_times
        number = bisect_left(times, cover.since)
        first = times[number] if number < len(times) else cover.until + 1
        first = min(first, cover.until + 1)
        if first == cover.since:
            return cover.since
        reach = self._reach.get(header.record or "", header.last_at)
        followed = bisect_right(times, reach) - number
        if followed >= FILLS_KEPT:
            self._kept.append((cover.since, first - 1))
            return first
        if not self._is_claimed(first, reach):
            self._claim("fills", cover.since, first - 1, "probable", MAYBE_KEPT)
            return first
        return cover.since

    def _is_claimed(self, since: int, until: int) -> bool:
        """Tell whether claims of fills together cover a span."""
        return any(first <= since and until <= last for first, last in self._fills)

    def _claim(self, family: str, since: int, until: int, level: Level, cause: str) -> None:
        self._evidence.append(
            Stretch(
                family=family, since=Millis(since), until=Millis(until), level=level, cause=cause
            )
        )

    def _gaps(self, family: str, spans: list[tuple[int, int]]) -> Iterator[Stretch]:
        """Yield the time that nothing is claimed of, with the reason and its era."""
        for since, until, why in self._untold(family, spans):
            kept = family == "fills" and any(a <= until and since <= b for a, b in self._kept)
            begin, cause = since, KEPT if kept else why
            for end, era in ERAS.get(family, ()):
                if begin < end:
                    yield _unknown(family, begin, min(until, end - 1), f"{cause}; {era}")
                    begin = end
            yield _unknown(family, begin, until, cause)

    def _untold(self, family: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, str]]:
        ends, begins = self._ends[family], self._begins[family]
        if not spans:
            cause = next(iter(ends.values()), UNSAID if self._seen.get(family) else NONE)
            yield BEGINNING, END, cause
            return
        first, last = spans[0][0], spans[-1][1]
        yield BEGINNING, first - 1, begins.get(first, BEFORE)
        for (_, before), (after, _) in pairwise(spans):
            cause = ends.get(before) or begins.get(after) or BETWEEN
            yield before + 1, after - 1, cause
        yield last + 1, END, ends.get(last, AFTER)


def answered(header: Header) -> int:
    """Return how many rows the answer of a batch has at least: its highest row, counted from 1."""
    return max((max(first, first + step * (count - 1)) for first, step, count in header.rows),
               default=-1) + 1  # fmt: skip


def _reach(headers: Iterable[Header]) -> dict[str, int]:
    """Return for every record up to when something in it reaches: it was given after that."""
    reach: dict[str, int] = {}
    for header in headers:
        if header.record is not None:
            moments = (header.last_at, *(cover.until for cover in header.covers))
            reach[header.record] = max(reach.get(header.record, 0), *moments)
    return reach


def _unknown(family: str, since: int, until: int, cause: str) -> Stretch:
    return Stretch(
        family=family, since=Millis(since), until=Millis(until), level="unknown", cause=cause
    )
