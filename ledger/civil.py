"""Civil: moments as people read them, for messages; nothing is calculated with the text."""

from __future__ import annotations

from typing import Final

_DAY_MS: Final = 86_400_000
_YEARS: Final = range(-62_135_596_800_000, 253_402_300_800_000)
"""Moments of the years 1 to 9999, for which ISO 8601 has four digits."""


def iso(moment: int) -> str:
    """Return a moment as text in UTC, such as ``2026-02-10T13:00:00.000Z``.

    **Units**: milliseconds since 1970-01-01T00:00:00Z. A moment of another year than 1 to 9999 is
    told as a number of milliseconds.

    Example:
    >>> iso(1770728400000)
    '2026-02-10T13:00:00.000Z'
    """
    if moment not in _YEARS:
        return f"{moment} ms"
    days, of_day = divmod(moment, _DAY_MS)
    year, month, day = _date(days)
    seconds, milliseconds = divmod(of_day, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"


def _date(days: int) -> tuple[int, int, int]:
    """Return year, month and day of the Gregorian calendar, *days* after 1970-01-01.

    Years are counted from March on, so that the leap day is the last of its year.
    """
    era, of_era = divmod(days + 719_468, 146_097)  # days of 400 years
    leaps, _ = divmod(of_era, 1460)
    centuries, _ = divmod(of_era, 36_524)
    last, _ = divmod(of_era, 146_096)
    of_year, _ = divmod(of_era - leaps + centuries - last, 365)
    quarter, _ = divmod(of_year, 4)
    century, _ = divmod(of_year, 100)
    day = of_era - (365 * of_year + quarter - century)
    month, _ = divmod(5 * day + 2, 153)
    before, _ = divmod(153 * month + 2, 5)
    is_next = month > 9
    return (
        400 * era + of_year + is_next,
        month - 9 if is_next else month + 3,
        day - before + 1,
    )
