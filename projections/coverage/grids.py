"""Grids: what comes every hour; an hour without it, while it was due, is known to be missing.

An hour is *due* when a position was held, or something was lent, just before it. Hours due are kept
as runs, hours seen as a set; they are compared when everything has been read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.units import Millis
from projections.coverage.levels import Stretch, united

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

HOUR: Final = 3_600_000

LATE: Final = 1_800_000
"""What belongs to an hour may be booked this long after it: once it was 24 minutes."""

QUIET: Final = 24 * HOUR
"""So long nothing may be due between two hours that have what is theirs, and be told with them."""


def hour_of(at: int) -> int:
    """Return the full hour a moment lies in, as milliseconds."""
    return at - at % HOUR


class Grid:
    """What is due every hour and what is seen of one family, by subject (a market, a token)."""

    def __init__(self, family: str, *, of: str) -> None:
        """Begin with nothing due; *of* names one thing that comes, such as ``payment``."""
        self.family = family
        self.of = of
        self.last_seen = 0
        self._due: dict[str, list[tuple[int, int, str]]] = {}
        self._seen: dict[str, set[int]] = {}

    def due(self, subject: str, *, after: int, until: int, what: str) -> None:
        """Say that every full hour after a moment, up to another, is due; *what* says of what."""
        first, last = hour_of(after) + HOUR, hour_of(until)
        if first > last:
            return
        runs = self._due.setdefault(subject, [])
        if runs and runs[-1][0] <= first <= runs[-1][1] + HOUR and runs[-1][2] == what:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last), what)
        else:
            runs.append((first, last, what))

    def see(self, subject: str, at: int) -> None:
        """Say that what is due of the hour of a moment is recorded."""
        hour = hour_of(at)
        self._seen.setdefault(subject, set()).add(hour)
        self.last_seen = max(self.last_seen, hour)

    def evidence(
        self, *, until: int, free: Container[int] = (), only: Container[str] | None = None
    ) -> Iterator[Stretch]:
        """Yield the hours that are missing, and the stretches in which every hour due is seen.

        Judged are hours up to the last one seen of any subject, and to half an hour before *until*;
        in the hours of *free* the venue made nothing. With *only*, other subjects are not judged.
        """
        end = max(self.last_seen, hour_of(until - LATE))
        full: list[tuple[int, int]] = []
        for subject, runs in sorted(self._due.items()):
            if only is not None and subject not in only:
                continue
            seen = self._seen.get(subject, set())
            for first, last, what in runs:
                hours = range(first, min(last, end) + 1, HOUR)
                full += united((hour, hour + HOUR - 1) for hour in hours if hour in seen)
                gone = [hour for hour in hours if hour not in seen and hour not in free]
                yield from self._missing(gone, subject, what)
        for begin, stop in united(full, apart=QUIET):
            yield Stretch(
                family=self.family,
                since=Millis(begin),
                until=Millis(stop),
                level="probable",
                cause=f"every hour in which one was due has its {self.of}",
            )

    def _missing(self, hours: Iterable[int], subject: str, what: str) -> Iterator[Stretch]:
        for begin, stop in united((hour, hour + HOUR - 1) for hour in hours):
            yield Stretch(
                family=self.family,
                since=Millis(begin),
                until=Millis(stop),
                level="missing",
                cause=f"{subject}: no {self.of}, though {what}",
                subject=subject,
            )
