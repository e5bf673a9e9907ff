"""Findings: two truths that differ, as values; they are what an audit is for.

A finding never raises and repairs nothing. It names both numbers, the place and the events, from
which the raw records follow.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from ledger.units import Address, EventId, Millis

Severity: TypeAlias = Literal["note", "warning", "error"]
"""``note``: worth knowing, such as a derived opening. ``warning``: a record is missing or a rule
does not explain a number. ``error``: two recorded numbers cannot both be right."""


@attrs.frozen(kw_only=True)
class Finding:
    """One disagreement."""

    check: str
    """Name of the check that found it."""
    account: Address | None
    """Whose history it is in; None for markets."""
    at: Millis
    """When, in venue time."""
    events: tuple[EventId, ...]
    """The events that disagree, or that a missing one would stand between."""
    expected: str
    """What the rest of the history says, as plain text with its number."""
    observed: str
    """What this record says."""
    difference: str
    """Observed less expected, where both are numbers; else empty."""
    text: str
    """One sentence for people."""
    severity: Severity = "warning"
