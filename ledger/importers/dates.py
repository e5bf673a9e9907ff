"""Moments written as civil dates, in whole-number arithmetic: no clock, no zone, no locale.

Only forms that name their own zone are read here: the date header of HTTP (always GMT) and
ISO 8601 with ``Z`` or an offset. The dates of web exports, which name none, are not.
"""

from __future__ import annotations

import re
from typing import Final

from ledger.errors import MalformedRecord
from ledger.units import Millis

MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip

_HTTP: Final = re.compile(
    r"\A(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT\Z"
)
_ISO: Final = re.compile(
    r"\A([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)


def days_of(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date of the Gregorian calendar.

    Raises: ValueError, when there is no such day.
    """
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1970 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= lengths[month - 1]):
        message = f"no such day: {year:04}-{month:02}-{day:02}"
        raise ValueError(message)
    fourths, hundreds, cycles = (divmod(year - 1, every)[0] for every in (4, 100, 400))
    leaps = fourths - hundreds + cycles - 477
    return 365 * (year - 1970) + leaps + sum(lengths[: month - 1]) + day - 1


def parse_http_date(text: object, *, field: str = "date") -> Millis:
    """Return the moment of an HTTP date header, such as ``Fri, 22 Aug 2025 11:45:21 GMT``.

    Raises: MalformedRecord.
    """
    found = _HTTP.match(text) if isinstance(text, str) else None
    if found and found[2] in MONTHS:
        month = MONTHS.index(found[2]) + 1
        day, year, hour, minute, second = (int(found[at]) for at in (1, 3, 4, 5, 6))
        made = _moment(year, month, day, hour, minute, second)
        if made is not None:
            return Millis(made)
    raise MalformedRecord(
        field=field, found=text, expected='a date such as "Fri, 22 Aug 2025 11:45:21 GMT"'
    )


def parse_iso(text: object, *, field: str = "date") -> Millis:
    """Return the moment of an ISO 8601 text that names its zone; below a millisecond is cut off.

    Raises: MalformedRecord.
    """
    found = _ISO.match(text) if isinstance(text, str) else None
    if found:
        year, month, day, hour, minute, second = (int(found[at]) for at in range(1, 7))
        made = _moment(year, month, day, hour, minute, second)
        offset = _offset(found[8])
        if made is not None and offset is not None:
            moment = made + int((found[7] or "").ljust(3, "0")[:3]) - offset
            if moment >= 0:
                return Millis(moment)
    raise MalformedRecord(
        field=field, found=text, expected='a moment such as "2026-03-31T22:09:17.892Z"'
    )


def _offset(zone: str) -> int | None:
    """Return how many milliseconds a zone such as ``+01:00`` is ahead; None if there is none."""
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * 60_000 * (-1 if zone[0] == "-" else 1)


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    if hour > 23 or minute > 59 or second > 59:
        return None
    try:
        days = days_of(year, month, day)
    except ValueError:
        return None
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000
