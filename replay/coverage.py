"""Coverage: the certificate of a period: what is proven, probable, unknown and known missing.

The books are read here; what evidence amounts to is said in ``projections.coverage``.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import attrs

from ledger.entries import IDENTIFIED
from ledger.units import Address, Millis
from projections.coverage import BALANCES, FAMILIES, LEVELS, MOVING, Level, Stretch, judged
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.entries import Header
    from replay.audit import AccountHistory

MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000

COLUMNS: Final = ("family", "since", "until", "length", "level", "cause")

_CLAIMED: Final = {
    "api": "answers of the venue show every record of it",
    "node": "files of a node show every record of it",
    "person": "attested complete",
}


@attrs.frozen(kw_only=True)
class Certificate:
    """What is known of the completeness of one account's history in a period.

    **Order**: family by family, each by time, without gap or overlap; both ends included.
    """

    account: Address
    since: Millis
    until: Millis
    position: int
    stretches: tuple[Stretch, ...]

    def of(self, family: str) -> tuple[Stretch, ...]:
        """Return the stretches of one family, by time."""
        return tuple(each for each in self.stretches if each.family == family)

    def level(self, family: str, at: Millis) -> Level:
        """Return the level that holds for a family at a moment; unknown outside the period."""
        own = self.of(family)
        number = bisect_right(own, at, key=lambda each: each.since)
        if not number or own[number - 1].until < at:
            return "unknown"
        return own[number - 1].level

    @property
    def missing(self) -> tuple[Stretch, ...]:
        """The stretches in which something is known to be missing."""
        return tuple(each for each in self.stretches if each.level == "missing")

    @property
    def families(self) -> tuple[str, ...]:
        """The families the certificate speaks of, in order."""
        return tuple(dict.fromkeys(each.family for each in self.stretches))

    @property
    def table(self) -> Table:
        """One row per stretch."""
        rows = tuple(
            (each.family, iso(each.since), iso(each.until), length_text(each.length), each.level,
             each.cause)
            for each in self.stretches
        )  # fmt: skip
        return Table(
            title=f"Coverage of {self.account} from {iso(self.since)} to {iso(self.until)}, "
            f"as known at position {self.position}",
            columns=COLUMNS,
            rows=rows,
            numbers=frozenset({"length"}),
            empty="no time to speak of",
        )

    def lines(self) -> tuple[str, ...]:
        """Return one to three sentences for the foot of a report."""
        groups: dict[str, list[str]] = {}
        for family in self.families:
            groups.setdefault(_levels_text(self.of(family)), []).append(family)
        told = "; ".join(f"{_listed(names)} {said}" for said, names in groups.items())
        found = [f"coverage: {told}"] if told else []
        if missing := self.missing:
            first = missing[0]
            more = len(missing) - 1
            found.append(
                f"known missing: {first.family} between {iso(first.since)} and "
                f"{iso(first.until)} ({first.cause})" + (f", and {more} more" if more else "")
            )
        return tuple(found)

    def to_dict(self) -> dict[str, object]:
        """Return the certificate as a dictionary of text, for programs."""
        return {
            "account": self.account,
            "since": iso(self.since),
            "until": iso(self.until),
            "known_at": str(self.position),
            "stretches": self.table.to_dicts(),
        }


def certificate(
    history: AccountHistory, *, since: Millis, until: Millis, position: int
) -> Certificate:
    """Return what is known of the completeness of an account's history in a period.

    **Units**: moments in milliseconds, both included; *position* of the book.
    """
    headers = history.audit.engine.headers(history.stream, position)
    evidence = list(claims(headers))
    stretches = [
        stretch
        for family in FAMILIES
        for stretch in judged(evidence, family=family, since=since, until=until)
    ]
    return Certificate(
        account=history.account,
        since=since,
        until=until,
        position=position,
        stretches=tuple(stretches),
    )


def claims(headers: Iterable[Header]) -> Iterator[Stretch]:
    """Yield what records claim to show completely, as evidence."""
    for header in headers:
        if header.source in IDENTIFIED:
            for cover in header.covers:
                yield Stretch(
                    family=cover.family,
                    since=cover.since,
                    until=cover.until,
                    level="proven",
                    cause=_CLAIMED[header.source],
                )


def length_text(milliseconds: int) -> str:
    """Return a length of time in its two largest units, cut off: ``3 d 4 h``, ``12 min``."""
    for unit, name, below, smaller in (
        (DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1_000, "s"),
        (1_000, "s", 1, "ms"),
    ):  # fmt: skip
        if milliseconds >= unit:
            rest = milliseconds % unit // below
            return f"{milliseconds // unit} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{milliseconds} ms"


def _levels_text(stretches: Iterable[Stretch]) -> str:
    """Return how long each level holds, or the one that holds throughout."""
    lengths: dict[str, int] = {}
    for each in stretches:
        lengths[each.level] = lengths.get(each.level, 0) + each.length
    if len(lengths) == 1:
        return next(iter(lengths))
    order = ("proven", "probable", "unknown", "missing")
    return ", ".join(
        f"{level} {length_text(lengths[level])}" for level in order if level in lengths
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


__all__ = ["BALANCES", "FAMILIES", "LEVELS", "MOVING", "Certificate", "certificate", "claims"]
