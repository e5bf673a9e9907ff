"""Building a course: cut at a position, correct, weigh the sources, order, cut at a moment.

Batches that touch no other batch and hold nothing irregular are taken from their headers alone;
where batches overlap, their rows are laid side by side as whole numbers (moment, sheet, row) and
sorted; only inside a millisecond that several batches share are events read.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.codec import decode
from ledger.entries import AsOf, Batch, Header, Part
from ledger.events import Opened
from ledger.merge import plan
from ledger.timeline import coverage
from ledger.timeline.corrections import Findings, notes_of, resolved
from ledger.timeline.course import LITERAL, Course, Disagreement, Literal
from ledger.timeline.order import RANK_UNKNOWN, Item, in_order
from ledger.timeline.sheets import (
    ROW_BITS,
    ROW_MASK,
    Sheet,
    Shelf,
    at_of,
    identity_of,
    kind_of_line,
)
from ledger.units import Digest, EventId, Millis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ledger.entries import Covered
    from ledger.events import Event
    from ledger.units import Stream

SLOT_BITS: Final = 48
SLOT_MASK: Final = (1 << SLOT_BITS) - 1
"""A place in the course is one whole number: moment, then sheet, then row."""


def course(
    headers: Iterable[Header],
    batch_of: Callable[[int], Batch],
    as_of: AsOf = AsOf(),  # noqa: B008 - a frozen value
    hypotheses: Sequence[Event] = (),
) -> Course:
    """Return what is taken to have happened in one stream, as of two times.

    *headers* are those of one stream, in any order; *batch_of* reads a batch of it by version and
    is asked only where headers do not suffice. *hypotheses* are taken as if a person had recorded
    them last, in one go; those of other streams are passed over.
    **Order**: effective; rules in ``docs/spec/time.md``.
    """
    counted = sorted(
        (h for h in headers if as_of.position is None or h.position <= as_of.position),
        key=lambda header: header.version,
    )
    stream = counted[0].stream if counted else hypotheses[0].stream if hypotheses else None
    shelf = Shelf(counted, batch_of)
    ours = tuple(event for event in hypotheses if event.stream == stream)
    if ours and stream is not None:
        _suppose(shelf, stream, ours)
    found = resolved(shelf, notes_of(shelf))
    coverage.weigh(shelf, found)
    _weigh_openings(shelf, found)
    return _Layout(shelf, found, as_of).course(stream)


class _Moments:
    """What a plan must know of a shelf to add hypotheses to it."""

    def __init__(self, shelf: Shelf, moments: set[Millis]) -> None:
        self._shelf = shelf
        self._places = {
            shelf.identity(slot): (slot >> ROW_BITS, slot & ROW_MASK)
            for at in sorted(moments)
            for sheet in shelf.between(at, at)
            for slot in shelf.slots(sheet, at, at)
        }

    def identities(
        self,
        stream: Stream,  # noqa: ARG002 - a shelf holds one stream, and only the moments asked for
        since: Millis,  # noqa: ARG002 - as above
        until: Millis,  # noqa: ARG002 - as above
    ) -> Mapping[bytes, tuple[int, int]]:
        return self._places

    def line(self, stream: Stream, version: int, row: int) -> bytes:  # noqa: ARG002 - one stream
        return self._shelf.line((version << ROW_BITS) + row)

    def covered(self, stream: Stream) -> Sequence[Covered]:  # noqa: ARG002 - none
        return ()


def _suppose(shelf: Shelf, stream: Stream, hypotheses: tuple[Event, ...]) -> None:
    """Put hypotheses up behind all sheets, merged as the book would have merged them."""
    known = _Moments(shelf, {event.at for event in hypotheses})
    part = Part(
        stream=stream,
        source="person",
        answer="",
        rows=tuple(range(len(hypotheses))),
        events=hypotheses,
    )
    for draft in plan((part,), known).drafts:
        header = Header(
            schema=1,
            stream=stream,
            version=LITERAL,
            position=LITERAL,
            recorded=draft.last_at,
            source="person",
            record=None,
            answer="",
            rows=draft.rows,
            covers=(),
            count=len(draft.lines),
            first_at=draft.first_at,
            last_at=draft.last_at,
            irregular=draft.irregular,
            lines=Digest(""),
            previous="",
        )
        shelf.add_hypothetical(Batch(header=header, lines=draft.lines))


def _weigh_openings(shelf: Shelf, found: Findings) -> None:
    """Set aside every opening before which fills, or an earlier opening, are effective.

    Fills are what the venue cuts; transfers and funding mostly reach back to the beginning, and
    an opening sets what they lead to (``projections.balances``).
    """
    openings = [
        slot
        for sheet in shelf.by_moment
        if sheet.header.irregular
        for slot in range(sheet.number << ROW_BITS, (sheet.number << ROW_BITS) + sheet.header.count)
        if slot not in found.gone and _is_opening(_line(shelf, found, slot))
    ]
    openings.sort(key=lambda slot: (shelf.at(slot), shelf.identity(slot)))
    for number, slot in enumerate(openings):
        if number or _has_fills(shelf, found, shelf.at(slot)):
            found.instead.pop(slot, None)
            found.drop(shelf, slot, "older history recorded", ())


def _is_opening(line: bytes) -> bool:
    kind = kind_of_line(line)
    return kind is not None and kind.event_class is Opened


def _is_fill(line: bytes) -> bool:
    kind = kind_of_line(line)
    return kind is not None and kind.family == "fills"


def _has_fills(shelf: Shelf, found: Findings, at: int) -> bool:
    """Tell whether any fill in force happened before a moment, whoever recorded it."""
    if any(found.literals[number].at < at and _is_fill(found.literals[number].line)
           for number in found.loose):  # fmt: skip
        return True
    return any(
        slot not in found.gone and _is_fill(_line(shelf, found, slot))
        for sheet in shelf.by_moment
        if sheet.header.first_at < at
        for slot in shelf.slots(sheet, sheet.header.first_at, at - 1)
    )


def _line(shelf: Shelf, found: Findings, slot: int) -> bytes:
    """Return the line in force at a slot."""
    number = found.instead.get(slot)
    return shelf.line(slot) if number is None else found.literals[number].line


class _Layout:
    """Laying rows out in effective order, as runs."""

    def __init__(self, shelf: Shelf, found: Findings, as_of: AsOf) -> None:
        self.shelf = shelf
        self.found = found
        self.as_of = as_of
        self.literals: list[Literal] = list(found.literals)
        self.special = dict(found.instead)
        self.loose = len(shelf.sheets) << ROW_BITS
        for number in found.loose:
            self.special[self.loose + number] = number
        self._take_hypotheses()
        self.touched = {slot >> ROW_BITS for slot in (*found.gone, *found.instead)}
        self.orders: dict[Millis, list[tuple[EventId, ...]]] = {}
        for order in found.orders:
            self.orders.setdefault(order.at, []).append(order.events)
        self.moments = sorted(self.orders)
        self.columns = tuple(array("q") for _ in range(5))
        self.count = 0
        self.disagreements = list(found.disagreements)

    def _take_hypotheses(self) -> None:
        """Make a literal of every row that nobody recorded: no batch of the book holds it."""
        for sheet in self.shelf.sheets:
            if sheet.recorded:
                continue
            for row, line in enumerate(self.shelf.lines(sheet)):
                slot = (sheet.number << ROW_BITS) + row
                if slot in self.found.gone or slot in self.special:
                    continue
                self.special[slot] = len(self.literals)
                self.literals.append(
                    Literal(line=line, at=Millis(at_of(line)), version=None, row=row)
                )

    def course(self, stream: Stream | None) -> Course:
        """Return the course."""
        until = self.as_of.effective
        for first_at, cluster in self._clusters():
            if until is not None and first_at > until:
                break
            sheet = self._regular(cluster)
            if sheet is not None and (until is None or sheet.header.last_at <= until):
                self._add_whole(sheet)
            else:
                self._add_codes(self._codes(cluster))
        versions, rows, starts, first_ats, last_ats = self.columns
        within = [one for one in self.found.set_aside if until is None or one.at <= until]
        disagreements = [one for one in self.disagreements if until is None or one.at <= until]
        return Course(
            stream=stream,
            as_of=self.as_of,
            count=self.count,
            versions=versions,
            rows=rows,
            starts=starts,
            first_ats=first_ats,
            last_ats=last_ats,
            literals=tuple(self.literals),
            set_aside=tuple(sorted(within, key=lambda one: (one.at, one.version or 0, one.row))),
            disagreements=tuple(
                sorted(disagreements, key=lambda one: (one.at, one.cause, one.events, one.lines))
            ),
        )

    def _clusters(self) -> list[tuple[int, list[int]]]:
        """Return the sheets whose moments overlap, with the first moment of each cluster.

        A loose literal stands among the numbers of sheets as -1 minus its own.
        """
        spans = [(s.header.first_at, s.header.last_at, s.number) for s in self.shelf.by_moment]
        for number in self.found.loose:
            at = self.literals[number].at
            spans.append((at, at, -1 - number))
        spans.sort()
        clusters: list[tuple[int, list[int]]] = []
        reach = -1
        for first, last, number in spans:
            if not clusters or first > reach:
                clusters.append((first, []))
            clusters[-1][1].append(number)
            reach = max(reach, last)
        return clusters

    def _regular(self, cluster: list[int]) -> Sheet | None:
        """Return the sheet of a cluster that can be taken from its header alone."""
        if len(cluster) > 1 or cluster[0] < 0:
            return None
        sheet = self.shelf.sheets[cluster[0]]
        plain = sheet.recorded and sheet.number not in self.touched
        return sheet if plain else None

    def _codes(self, cluster: list[int]) -> list[int]:
        """Return the rows of a cluster as codes in effective order, cut at the moment asked for."""
        codes: list[int] = []
        gone = self.found.gone
        for number in cluster:
            if number < 0:
                at = self.literals[-1 - number].at
                codes.append((at << SLOT_BITS) + self.loose - 1 - number)
                continue
            sheet = self.shelf.sheets[number]
            rows = enumerate(self.shelf.ats(sheet), number << ROW_BITS)
            if number in self.touched:
                codes.extend((at << SLOT_BITS) + slot for slot, at in rows if slot not in gone)
            else:
                codes.extend([(at << SLOT_BITS) + slot for slot, at in rows])
        codes.sort()
        self._order_groups(codes)
        if self.as_of.effective is not None:
            del codes[bisect_left(codes, (self.as_of.effective + 1) << SLOT_BITS) :]
        return codes

    def _order_groups(self, codes: list[int]) -> None:
        """Order the events of every millisecond that several sheets, or an order, speak of."""
        low, high, loose = 1 << ROW_BITS, 1 << SLOT_BITS, self.loose
        shared = [
            first >> SLOT_BITS
            for first, second in pairwise(codes)
            # Codes sort, so of two that share a moment only the second needs be loose.
            if (second & SLOT_MASK >= loose and first ^ second < high)
            or low <= first ^ second < high
        ]
        if codes and self.moments:
            since, until = codes[0] >> SLOT_BITS, codes[-1] >> SLOT_BITS
            shared += self.moments[
                bisect_left(self.moments, since) : bisect_left(self.moments, until + 1)
            ]
        for at in dict.fromkeys(shared):
            start = bisect_left(codes, at << SLOT_BITS)
            end = bisect_left(codes, (at + 1) << SLOT_BITS, start)
            if end - start > 1:
                slots = [code & SLOT_MASK for code in codes[start:end]]
                codes[start:end] = [
                    (at << SLOT_BITS) + slot for slot in self._ordered(Millis(at), slots)
                ]

    def _ordered(self, at: Millis, slots: list[int]) -> list[int]:
        """Return the slots of one millisecond in order."""
        chains: dict[int, list[int]] = {}
        for slot in slots:
            # Rows of one batch are a sequence; what stands loose at another moment is in none.
            chains.setdefault(-slot if slot >= self.loose else slot >> ROW_BITS, []).append(slot)
        orders = self.orders.get(at)
        lines = {slot: self._line(slot) for slot in slots}
        kinds = {slot: kind_of_line(lines[slot]) for slot in slots}
        ranks = {slot: kind.rank if kind else RANK_UNKNOWN for slot, kind in kinds.items()}
        if orders is None:
            apart = _apart_by_rank(list(chains.values()), ranks)
            if apart is not None:
                return apart
        items = [
            Item(
                slot=slot,
                event=decode(lines[slot]) if kinds[slot] else None,
                identity=identity_of(lines[slot]),
                rank=ranks[slot],
            )
            for slot in slots
        ]
        sequences = list(chains.values())
        if orders is not None:
            sequences += self._named(items, orders)
        result, knots = in_order(items, sequences)
        names = {item.slot: EventId(item.identity.hex()) for item in items}
        self.disagreements.extend(
            Disagreement(
                cause="order",
                at=at,
                events=tuple(names[slot] for slot in knot),
                lines=(),
                text="records show these events in contradictory orders",
            )
            for knot in knots
        )
        return result

    def _named(self, items: list[Item], orders: list[tuple[EventId, ...]]) -> list[list[int]]:
        """Return recorded orders as slots; a replaced row goes by its old name and its new."""
        slots: dict[str, int] = {}
        for item in items:
            slots[item.identity.hex()] = item.slot
        for item in items:
            if item.slot in self.found.instead:
                slots[self.shelf.identity(item.slot).hex()] = item.slot
        return [[slots[name] for name in order if name in slots] for order in orders]

    def _line(self, slot: int) -> bytes:
        number = self.special.get(slot)
        return self.shelf.line(slot) if number is None else self.literals[number].line

    def _add_whole(self, sheet: Sheet) -> None:
        header = sheet.header
        self._add_runs([(header.version, 0, header.count, header.first_at, header.last_at)])

    def _add_runs(self, runs: Iterable[tuple[int, int, int, int, int]]) -> None:
        versions, rows, starts, first_ats, last_ats = self.columns
        for version, row, count, first_at, last_at in runs:
            versions.append(version)
            rows.append(row)
            starts.append(self.count)
            first_ats.append(first_at)
            last_ats.append(last_at)
            self.count += count

    def _add_codes(self, codes: list[int]) -> None:
        """Add rows as runs: rows of one sheet that follow each other go together."""
        start, special = 0, self.special
        marked = (
            [index for index, code in enumerate(codes) if code & SLOT_MASK in special]
            if special
            else []
        )
        for index in marked:
            self._add_plain(codes[start:index])
            at = codes[index] >> SLOT_BITS
            self._add_runs([(LITERAL, special[codes[index] & SLOT_MASK], 1, at, at)])
            start = index + 1
        self._add_plain(codes[start:] if start else codes)

    def _add_plain(self, codes: list[int]) -> None:
        if not codes:
            return
        mask, row_mask = SLOT_MASK, ROW_MASK
        heads = [0]
        heads += [
            index
            for index, (before, code) in enumerate(pairwise(codes), 1)
            if (code & mask) - (before & mask) != 1
        ]
        firsts = [codes[head] for head in heads]
        numbers = [sheet.header.version for sheet in self.shelf.sheets]
        versions, rows, starts, first_ats, last_ats = self.columns
        versions.extend([numbers[(code & mask) >> ROW_BITS] for code in firsts])
        rows.extend([code & row_mask for code in firsts])
        starts.extend([self.count + head for head in heads])
        first_ats.extend([code >> SLOT_BITS for code in firsts])
        last_ats.extend([codes[head - 1] >> SLOT_BITS for head in heads[1:]])
        last_ats.append(codes[-1] >> SLOT_BITS)
        self.count += len(codes)


def _apart_by_rank(chains: list[list[int]], ranks: dict[int, int]) -> list[int] | None:
    """Return the order when ranks alone decide it: chains that rise, and share no rank."""
    seen: set[int] = set()
    for chain in chains:
        own = [ranks[slot] for slot in chain]
        if not seen.isdisjoint(own) or any(a > b for a, b in pairwise(own)):
            return None
        seen.update(own)
    return sorted((slot for chain in chains for slot in chain), key=ranks.__getitem__)


__all__ = ["course"]
