"""Rulebooks: the venue's rules by date; the calendar reads as its history.

One module per version, which imports from the one right before it and says only what changed.
An instant without a rulebook is an error that names it, never a default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.errors import NotInForce
from projections.rulebooks import (
    y2025_03_standard,
    y2026_01_pre_alpha,
    y2026_03_alpha,
    y2026_05_07_caps,
    y2026_05_18_thresholds,
    y2026_06_02_usdt,
    y2026_06_21_open,
    y2026_06_23_caps,
    y2026_08_01_backstop,
    y2026_08_11_hype_ltv,
)

if TYPE_CHECKING:
    from ledger.units import Millis
    from projections.rulebooks.base import Rulebook

CALENDAR: Final[tuple[Rulebook, ...]] = (
    y2026_01_pre_alpha.RULEBOOK,
    y2026_03_alpha.RULEBOOK,
    y2026_05_07_caps.RULEBOOK,
    y2026_05_18_thresholds.RULEBOOK,
    y2026_06_02_usdt.RULEBOOK,
    y2026_06_21_open.RULEBOOK,
    y2026_06_23_caps.RULEBOOK,
    y2026_08_01_backstop.RULEBOOK,
    y2026_08_11_hype_ltv.RULEBOOK,
)
"""Every version, from the first page to the last change known (documents read to 2026-08-22)."""

EARLIER: Final[tuple[Rulebook, ...]] = (y2025_03_standard.RULEBOOK,)
"""Versions from before portfolio margin, which judge standard accounts alone."""


def in_force(
    at: Millis, calendar: tuple[Rulebook, ...] = CALENDAR, *, mode: str | None = None
) -> tuple[Rulebook, ...]:
    """Return the rulebook of an instant; two where a version was seen at work but not documented.

    The first is the one documented at that instant, a second the one already observed. Where the
    account's *mode* is named, versions from before portfolio margin that judge it count, too.

    Raises: NotInForce, when no version was in force, naming the instant and the earliest version.
    """
    known = tuple(each for each in _whole(calendar) if each.modes is None or mode in each.modes)
    documented = [each for each in known if each.documented_from <= at]
    observed = [each for each in known if each.effective_from <= at < each.documented_from]
    if not documented and not observed:
        raise NotInForce(at=at, earliest=known[0].id if known else None, mode=mode)
    return (*documented[-1:], *observed)


def _whole(calendar: tuple[Rulebook, ...]) -> tuple[Rulebook, ...]:
    """Return a calendar with the versions before it, unless its own beginning was taken away."""
    is_whole = bool(calendar) and calendar[0] is CALENDAR[0]
    return (*EARLIER, *calendar) if is_whole else calendar


def by_id(name: str, calendar: tuple[Rulebook, ...] = CALENDAR) -> Rulebook:
    """Return the version of that id.

    Raises: NotInForce, when the calendar has none, naming those it has.
    """
    whole = _whole(calendar)
    for each in whole:
        if each.id == name:
            return each
    raise NotInForce(at=None, earliest=None, wanted=name, known=tuple(each.id for each in whole))
