"""Periods: months and stretches of time as people write them, both ends included."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import attrs

from ledger.errors import UnclearQuestion
from ledger.units import Millis
from replay.moments import iso, parse_moment

_MONTH: Final = re.compile(r"\A(\d{4})-(\d\d)\Z", re.ASCII)


@attrs.frozen(kw_only=True)
class Period:
    """A stretch of time. **Units**: milliseconds, both ends included."""

    since: Millis
    until: Millis

    @property
    def name(self) -> str:
        """The period for people: ``2026-08`` for a month, else its two ends."""
        begin = datetime.fromtimestamp(self.since // 1000, tz=UTC)
        if self == month(f"{begin:%Y-%m}"):
            return f"{begin:%Y-%m}"
        return f"{iso(self.since)} to {iso(self.until)}"


def month(text: str) -> Period:
    """Return a month of UTC, from its first to its last millisecond.

    Raises: UnclearQuestion, for anything but a year and a month.

    Example:
    >>> month("2026-08").until - month("2026-08").since + 1 == 31 * 86_400_000
    True
    """
    found = _MONTH.match(text.strip())
    number = int(found[2]) if found else 0
    if found is None or not (1 <= number <= 12 and int(found[1]) >= 1970):
        raise UnclearQuestion(
            asked=text, problem="is no month", remedy="Write a year and a month, such as 2026-08"
        )
    year = int(found[1])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return Period(since=_first(year, number), until=Millis(_first(*following) - 1))


def period(text: str | None, since: int | str | None, until: int | str | None) -> Period:
    """Return the period meant by a month, or by a first and a last moment.

    Raises: UnclearQuestion, when neither or both are given, or the end is before the beginning.
    """
    if text is not None and since is None and until is None:
        return month(text)
    if text is not None or since is None or until is None:
        raise UnclearQuestion(
            asked=" ".join(str(each) for each in (text, since, until) if each is not None)
            or "no period",
            problem="is no period",
            remedy="Give --month 2026-08, or both --since and --until",
        )
    found = Period(since=parse_moment(since), until=parse_moment(until))
    if found.until < found.since:
        raise UnclearQuestion(
            asked=f"{since} to {until}",
            problem="ends before it begins",
            remedy="Give the first moment with --since and the last with --until",
        )
    return found


def _first(year: int, number: int) -> Millis:
    return Millis(int(datetime(year, number, 1, tzinfo=UTC).timestamp()) * 1000)
