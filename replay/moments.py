"""Moments: instants as people write them, and milliseconds as everything behind knows them.

The zone is part of what is written; a time without one is refused, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger import civil
from ledger.errors import UnclearQuestion
from ledger.units import Millis

POSITIONS_BELOW: Final = 10**11
"""Whole numbers below it are positions in the book, from it on milliseconds (1973 and later)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_ISO: Final = re.compile(
    r"\A(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))?"
    r"\s?(Z|z|UTC|[+-]\d\d:?\d\d)?\Z",
    re.ASCII,
)
_REMEDY: Final = (
    "Write a moment with its zone, such as 2026-02-10T13:00Z or 2026-02-10T14:00+01:00, "
    "or in milliseconds"
)


def parse_moment(when: int | str) -> Millis:
    """Return the moment meant by milliseconds or by ISO 8601 text with a zone.

    **Units**: milliseconds since 1970-01-01T00:00:00Z. Digits after the third of a second must
    be zeros: the venue knows no shorter time.

    Raises: UnclearQuestion, for a time without zone and for anything that is no moment.

    Example:
    >>> parse_moment("2026-02-10T14:00+01:00") == parse_moment("2026-02-10T13:00Z")
    True
    """
    if isinstance(when, int) and not isinstance(when, bool):
        if 0 <= when < 10**15:
            return Millis(when)
        raise UnclearQuestion(asked=str(when), problem="is no moment", remedy=_REMEDY)
    text = str(when).strip()
    if text.isascii() and text.isdigit():
        return _from_digits(text)
    found = _ISO.match(text)
    if found is None:
        raise UnclearQuestion(asked=text, problem="is no moment", remedy=_REMEDY)
    day, clock, zone = found.groups()
    if clock is None:
        raise UnclearQuestion(
            asked=text,
            problem="is a day, which has many moments",
            remedy=_REMEDY,
        )
    if zone is None:
        raise UnclearQuestion(
            asked=text,
            problem="has no time zone and is never guessed at",
            remedy=_REMEDY,
        )
    return _from_parts(text, day=day, clock=clock, zone=zone)


def _from_digits(text: str) -> Millis:
    if len(text) <= 15 and int(text) >= POSITIONS_BELOW:
        return Millis(int(text))
    raise UnclearQuestion(
        asked=text, problem="is too small or too large for milliseconds", remedy=_REMEDY
    )


def _from_parts(text: str, *, day: str, clock: str, zone: str) -> Millis:
    clock, _, fraction = clock.partition(".")
    if fraction[3:].strip("0"):
        raise UnclearQuestion(asked=text, problem="has parts of a millisecond", remedy=_REMEDY)
    offset = "+00:00" if zone in {"Z", "z", "UTC"} else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
        whole = (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError) as error:
        raise UnclearQuestion(
            asked=text, problem=f"is no moment ({error})", remedy=_REMEDY
        ) from error
    if whole < 0:
        raise UnclearQuestion(asked=text, problem="is before 1970", remedy=_REMEDY)
    return Millis(whole + int(fraction[:3].ljust(3, "0") or "0"))


def parse_known(when: int | str) -> tuple[int | None, Millis | None]:
    """Return a position of the book, or else a moment of recording, as ``--known-at`` takes them.

    Whole numbers below 100,000,000,000 are positions, all else is read as a moment; the two
    cannot be confused, because as milliseconds such numbers lie before March 1973.

    Raises: UnclearQuestion, when it is neither.

    Example:
    >>> parse_known("17"), parse_known("2026-02-10T13:00Z")
    ((17, None), (None, 1770728400000))
    """
    text = str(when).strip()
    if text.isascii() and text.isdigit() and int(text) < POSITIONS_BELOW:
        return int(text), None
    return None, parse_moment(when)


def iso(moment: int) -> str:
    """Return a moment as text in UTC, such as ``2026-02-10T13:00:00.000Z``.

    Example:
    >>> iso(1770728400000)
    '2026-02-10T13:00:00.000Z'
    """
    return civil.iso(moment)
