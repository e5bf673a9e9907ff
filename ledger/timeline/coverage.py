"""Coverage: a second source of the same facts corroborates or contradicts, it never adds.

Web exports and spreadsheets carry no identities and full seconds or minutes. Where identified
sources claim to cover a family of facts, or where an identified event explains a row, the row is
set aside; a covered row that nothing explains is a disagreement.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec

from ledger.codec import decode, identity
from ledger.entries import IDENTIFIED, Source
from ledger.events import Event, Filled, FundingPaid
from ledger.money import ZERO, exact, places
from ledger.timeline.course import Disagreement
from ledger.timeline.sheets import ROW_BITS, kind_of_line
from ledger.units import EventId, is_spot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.timeline.corrections import Findings
    from ledger.timeline.course import AsideReason, Cause
    from ledger.timeline.sheets import Sheet, Shelf
    from ledger.units import Coin

SECOND: Final = 1_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000

FEE_PLACES: Final = 6
"""Decimal places of a fee; what an export shows beyond them is noise of its sums."""

AVERAGE_PLACES: Final = 8
"""Decimal places an export gives the average price of a row at least, trailing zeros left out."""

_UNSAID: Final = frozenset({"at", "occurrence"})
"""Fields which two records of one fact may give differently: the resolution of time differs."""


def weigh(shelf: Shelf, found: Findings) -> None:
    """Set aside the rows of unidentified sources that identified ones cover or explain.

    Rows are weighed in the order of moment and identity, so that the result does not depend on
    how they were imported.
    """
    seconds = [sheet for sheet in shelf.by_moment if sheet.source not in IDENTIFIED]
    if not seconds or all(sheet.source not in IDENTIFIED for sheet in shelf.sheets):
        return
    with exact():
        desk = _Desk(shelf, found)
        buckets: dict[tuple[int, Source, str], list[_Row]] = defaultdict(list)
        for sheet in seconds:
            for row in desk.rows(sheet):
                buckets[row.event.at, sheet.source, row.family].append(row)
        for key in sorted(buckets):
            desk.weigh(sorted(buckets[key], key=attrgetter("name")))


@attrs.frozen(kw_only=True, eq=False)
class _Row:
    """A row of either tier: where it stands, and what it says."""

    slot: int
    source: Source
    family: str
    line: bytes
    event: Event
    name: EventId
    until: int
    """The last millisecond that the row's printed time may stand for."""


class _Desk:
    """Where the rows of one stream are weighed."""

    def __init__(self, shelf: Shelf, found: Findings) -> None:
        self.shelf = shelf
        self.found = found
        self.claims = _claims(shelf)
        self.used: dict[Source, set[int]] = defaultdict(set)

    def rows(self, sheet: Sheet) -> Iterator[_Row]:
        """Yield the rows of an unidentified sheet which some identified source may know."""
        ats, base = self.shelf.ats(sheet), sheet.number << ROW_BITS
        for index, at in enumerate(ats):
            slot = base + index
            kind = kind_of_line(self._line(slot))
            if kind is None or kind.family is None or slot in self.found.gone:
                continue
            until = _last_of(at, sheet.source)
            if not (
                self._is_covered(kind.family, at, until)
                or self._may_be_known(*_window(kind.family, at, until))
            ):
                continue
            yield self._row(slot, until)

    def _row(self, slot: int, until: int) -> _Row:
        line = self._line(slot)
        event = decode(line)
        kind = kind_of_line(line)
        return _Row(
            slot=slot,
            source=self.shelf.sheets[slot >> ROW_BITS].source,
            family=(kind.family if kind else None) or "",
            line=line,
            event=event,
            name=EventId(identity(event, line).hex()),
            until=until,
        )

    def _line(self, slot: int) -> bytes:
        """Return the line in force at a slot: a replacement may even be of another family."""
        number = self.found.instead.get(slot)
        return self.shelf.line(slot) if number is None else self.found.literals[number].line

    def _is_covered(self, family: str, since: int, until: int) -> bool:
        return any(first <= since and until <= last for first, last in self.claims[family])

    def _may_be_known(self, since: int, until: int) -> bool:
        """Tell whether an identified record, or a correction, speaks of an interval at all."""
        return any(other.identified for other in self.shelf.between(since, until)) or any(
            since <= self.found.literals[number].at <= until for number in self.found.loose
        )

    def _moved(self, since: int, until: int, family: str) -> Iterator[_Row]:
        """Yield what corrections put at another moment than they were recorded for."""
        for number in self.found.loose:
            literal = self.found.literals[number]
            kind = kind_of_line(literal.line)
            if since <= literal.at <= until and kind is not None and kind.family == family:
                event = decode(literal.line)
                name = EventId(identity(event, literal.line).hex())
                yield _Row(
                    slot=-1 - number,
                    source="person",
                    family=family,
                    line=literal.line,
                    event=event,
                    name=name,
                    until=0,
                )

    def _candidates(self, row: _Row) -> list[_Row]:
        """Return the identified rows of the same family that the printed time admits."""
        since, until = _window(row.family, row.event.at, row.until)
        found = list(self._moved(since, until, row.family))
        for sheet in self.shelf.between(since, until):
            if not sheet.identified:
                continue
            for slot in self.shelf.slots(sheet, since, until):
                kind = kind_of_line(self._line(slot))
                if kind is None or kind.family != row.family or slot in self.found.gone:
                    continue
                found.append(self._row(slot, 0))
        return sorted(found, key=lambda one: (one.event.at, one.name))

    def weigh(self, rows: list[_Row]) -> None:
        """Weigh the rows of one source, family and printed moment."""
        candidates = self._candidates(rows[0])
        used = self.used[rows[0].source]
        left: list[_Row] = []
        for row in rows:
            match = next(
                (one for one in candidates if one.slot not in used and _is_same(row, one)), None
            )
            if match is None:
                left.append(row)
                continue
            self._explain(row, [match])
        for row in left:
            free = [one for one in candidates if one.slot not in used]
            several = (
                _sum_of(row.event, free, row.source) if isinstance(row.event, Filled) else None
            )
            if several is not None:
                self._explain(row, several)
            elif self._is_covered(row.family, row.event.at, row.until):
                self.found.drop(self.shelf, row.slot, "covered", ())
                self._disagree("unmatched", row, (), "no identified record has this row")

    def _explain(self, row: _Row, matches: list[_Row]) -> None:
        """Set a row aside which identified events explain."""
        self.used[row.source].update(match.slot for match in matches)
        covered = self._is_covered(row.family, row.event.at, row.until)
        reason: AsideReason = "covered" if covered else "explained"
        names = tuple(match.name for match in matches)
        self.found.instead.pop(row.slot, None)
        self.found.drop(self.shelf, row.slot, reason, names)
        ours, theirs = row.event, matches[0].event
        if (
            isinstance(ours, FundingPaid)
            and isinstance(theirs, FundingPaid)
            and not _is_near(ours.usdc, theirs.usdc)
        ):
            self._disagree("mismatched", row, names, "the identified record pays otherwise")
        elif isinstance(ours, Filled) and not _is_fee_of(ours, matches):
            self._disagree("mismatched", row, names, "the identified record charges another fee")

    def _disagree(self, cause: Cause, row: _Row, by: tuple[EventId, ...], text: str) -> None:
        self.found.disagreements.append(
            Disagreement(cause=cause, at=row.event.at, events=(row.name, *by), lines=(), text=text)
        )


def _last_of(at: int, source: Source) -> int:
    """Return the last millisecond a printed time stands for.

    Web exports print full seconds, spreadsheets mostly full minutes.
    """
    if at % SECOND:
        return at
    return at + (MINUTE if source == "sheet" and at % MINUTE == 0 else SECOND) - 1


def _window(family: str, at: int, until: int) -> tuple[int, int]:
    """Return where the identified event of a row is looked for.

    Funding is booked some milliseconds, once 24 minutes, after the hour; exports print the hour.
    """
    if family == "funding":
        return at - at % HOUR, at - at % HOUR + HOUR - 1
    return at, until


def _claims(shelf: Shelf) -> dict[str, list[tuple[int, int]]]:
    """Return what identified sources cover, by family, as intervals that do not touch."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for sheet in shelf.sheets:
        if sheet.identified:
            for cover in sheet.header.covers:
                spans[cover.family].append((cover.since, cover.until))
    joined: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for family, intervals in spans.items():
        for since, until in sorted(intervals):
            own = joined[family]
            if own and since <= own[-1][1] + 1:
                own[-1] = own[-1][0], max(own[-1][1], until)
            else:
                own.append((since, until))
    return joined


def _is_same(row: _Row, one: _Row) -> bool:
    """Tell whether an identified event alone is what a row of an export shows."""
    ours, theirs = row.event, one.event
    if isinstance(ours, Filled):
        return (
            isinstance(theirs, Filled)
            and _is_same_market(ours, theirs)
            and _is_equal(ours.px, theirs.px, row.source)
            and _is_equal(ours.sz, theirs.sz, row.source)
        )
    if isinstance(ours, FundingPaid):
        return isinstance(theirs, FundingPaid) and ours.coin == theirs.coin
    if type(ours) is not type(theirs):
        return False
    said: dict[str, Any] = msgspec.json.decode(row.line)
    known: dict[str, Any] = msgspec.json.decode(one.line)
    return all(
        value is None or name in _UNSAID or known.get(name) == value for name, value in said.items()
    )


def _is_same_market(ours: Filled, theirs: Filled) -> bool:
    return ours.side == theirs.side and _is_same_coin(ours.coin, theirs.coin)


def _is_same_coin(ours: Coin, theirs: Coin) -> bool:
    """Tell whether two names may mean one market: exports name spot pairs, the API numbers them."""
    if ours == theirs:
        return True
    return is_spot(ours) and is_spot(theirs) and ours.startswith("@") != theirs.startswith("@")


def _is_equal(ours: Decimal, theirs: Decimal, source: Source) -> bool:
    """Tell whether two numbers agree; a spreadsheet may have dropped digits."""
    return ours == theirs if source != "sheet" else _is_near(ours, theirs)


def _is_near(ours: Decimal, theirs: Decimal) -> bool:
    """Tell whether two numbers agree within one unit of the coarser one's last place."""
    return abs(ours - theirs) <= _unit(min(places(ours), places(theirs))) and (
        ours == theirs or places(ours) != places(theirs)
    )


def _is_fee_of(row: Filled, matches: Iterable[_Row]) -> bool:
    """Tell whether a row shows the fee of the fills that explain it, where both sides say one."""
    fees = [one.event.fee for one in matches if isinstance(one.event, Filled)]
    known = [fee for fee in fees if fee is not None]
    if row.fee is None or len(known) < len(fees):
        return True
    return abs(row.fee - sum(known, ZERO)) <= _unit(FEE_PLACES)


def _unit(count: int) -> Decimal:
    return Decimal((0, (1,), -count))


def _sum_of(row: Filled, free: list[_Row], source: Source) -> list[_Row] | None:
    """Return the fills whose sizes add up to an aggregated row at its average price.

    Tried in turn: the fills of one order, of one millisecond, all of them, neighbors.
    """
    fills = [one for one in free if isinstance(one.event, Filled)
             and _is_same_market(row, one.event)]  # fmt: skip
    fills.sort(key=_by_trade)
    for group in _groups(fills):
        if _adds_up(row, group, source):
            return group
    for first in range(len(fills)):
        size = ZERO
        for last in range(first, len(fills)):
            event = fills[last].event
            assert isinstance(event, Filled)
            size += event.sz
            if size >= row.sz:
                group = fills[first : last + 1]
                if _adds_up(row, group, source):
                    return group
                break
    return None


def _by_trade(one: _Row) -> tuple[int, int, int, EventId]:
    event = one.event
    assert isinstance(event, Filled)
    return event.at, event.oid or 0, event.tid or 0, one.name


def _groups(fills: list[_Row]) -> Iterator[list[_Row]]:
    for key in ("oid", "at"):
        together: dict[Any, list[_Row]] = defaultdict(list)
        for one in fills:
            together[getattr(one.event, key)].append(one)
        yield from together.values()
    yield fills


def _adds_up(row: Filled, group: Iterable[_Row], source: Source) -> bool:
    """Tell whether fills make a row: all of its size, and its price on average, as it is printed.

    An export ends an average where it is exact, so that a short one leaves no room.
    """
    digits = places(row.px) if source == "sheet" else max(places(row.px), AVERAGE_PLACES)
    size, value = ZERO, ZERO
    for one in group:
        assert isinstance(one.event, Filled)
        size += one.event.sz
        value += one.event.sz * one.event.px
    return size == row.sz and abs(row.px * row.sz - value) <= row.sz * _unit(digits)


__all__ = ["weigh"]
