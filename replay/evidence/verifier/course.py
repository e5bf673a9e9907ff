"""The course: what is taken to have happened, in order; docs/spec/time.md, rules 6 to 18.

Every recorded row becomes one entry of a plain list. Corrections, second sources and openings
strike rows out or give them another line; what is left is put in order, millisecond by
millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from replay.evidence.verifier.canon import Refused, canonical, digest, fixed, frame, parsed
from replay.evidence.verifier.kinds import HOUSEKEEPING, KINDS, identity, name_of

IDENTIFIED = ("node", "api", "person")


class Row:
    """One recorded row, or a line that a correction put in place."""

    def __init__(self, place: tuple[int, int], source: str, line: bytes, event: Any) -> None:
        """Keep where it stands (batch, row), where it is from, and what it says."""
        self.place = place
        self.source = source
        self.chain: object = place[0]
        self.names: list[str] = []
        self.take(line, event)

    def take(self, line: bytes, event: Any) -> None:
        """Say something else from now on; the row still goes by its old name too."""
        self.line = line
        self.event = event
        self.kind = name_of(event)
        self.at = int(event["at"])
        self.name = identity(event, line)
        self.names.append(self.name)


def rows_of(batches: Iterable[tuple[Any, list[bytes]]], position: int) -> list[Row]:
    """Return the rows of batches recorded by a position, in the order of recording."""
    return [
        Row((header["version"], number), header["source"], line, parsed(line, "an event", 20))
        for header, lines in batches
        if header["position"] <= position
        for number, line in enumerate(lines)
    ]


def course(batches: list[tuple[Any, list[bytes]]], position: int) -> list[Row]:
    """Return what is taken to have happened in one stream, as known at a position, in order."""
    recorded = rows_of(batches, position)
    notes = [row for row in recorded if row.kind in HOUSEKEEPING]
    rows = [row for row in recorded if row.kind not in HOUSEKEEPING]
    desk = Corrections(notes, rows)
    rows = desk.corrected(rows)
    rows = weighed(rows, [header for header, _ in batches if header["position"] <= position])
    rows = opened_once(rows)
    orders = [note.event for note in notes if note.kind == "ordered" and not desk.holder(note.name)]
    result: list[Row] = []
    rows.sort(key=lambda row: row.at)
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and rows[end].at == rows[start].at:
            end += 1
        named = [order["events"] for order in orders if order["at"] == rows[start].at]
        result += in_order(rows[start:end], named)
        start = end
    return result


def timeline_digest(rows: Iterable[Row]) -> str:
    """Return the digest of a timeline, over the digests of its events."""
    parts = [bytes.fromhex(digest(b"rollforward event 1\n", frame(row.line))) for row in rows]
    return digest(b"rollforward timeline 1\n", *parts)


class Corrections:
    """Which correction holds for which event: rules 7 to 9."""

    def __init__(self, notes: list[Row], rows: list[Row]) -> None:
        """Enter the corrections in the order of recording."""
        self.notes = notes
        self.stream = (rows or notes)[0].event["stream"] if rows or notes else ""
        self.about: dict[str, list[Row]] = {}
        self.outer: dict[int, Row] = {}
        self.put: dict[int, Row | None] = {}
        self.known: dict[str, Row | None] = {}
        self.asking: set[str] = set()
        for note in notes:
            self._enter(note)
        for name in [name for name, found in self.about.items() if found][::-1]:
            self.holder(name)

    def _enter(self, note: Row) -> None:
        if note.kind not in ("annulled", "replaced"):
            return
        self.about.setdefault(note.event["target"], []).append(note)
        if note.kind == "replaced":
            instead = self.put[id(note)] = self._instead(note)
            if instead is not None and instead.kind in ("annulled", "replaced"):
                self.outer[id(instead)] = note
                self._enter(instead)

    def _instead(self, note: Row) -> Row | None:
        line = note.event["replacement"].encode()
        try:
            instead = Row(note.place, note.source, line, parsed(line, "a replacement", 20))
        except Refused:
            return None
        return instead if instead.event["stream"] == self.stream else None

    def holder(self, name: str) -> Row | None:
        """Return the correction of an event that holds: the last recorded of those in force."""
        if name not in self.known:
            if name in self.asking:
                return None
            self.asking.add(name)
            latest_first = reversed(self.about.get(name, []))
            found = next((note for note in latest_first if self.is_in_force(note)), None)
            self.asking.discard(name)
            self.known[name] = found
        return self.known[name]

    def is_in_force(self, note: Row) -> bool:
        """Tell whether no correction in force concerns this one."""
        if note.kind == "replaced" and self.put[id(note)] is None:
            return False
        outer = self.outer.get(id(note))
        if outer is None:
            return self.holder(note.name) is None
        holds = self.holder(outer.event["target"]) is outer
        return holds and self.holder(note.name) in (None, outer)

    def _last(self, name: str) -> Row | None:
        """Return the last of the corrections upon each other; None when they go in a circle."""
        seen = {name}
        note = self.holder(name)
        while note is not None and note.kind == "replaced":
            instead = self.put[id(note)]
            assert instead is not None
            following = self.holder(instead.name)
            if instead.name == name or following is None:
                return note
            if instead.name in seen:
                return None
            seen.add(instead.name)
            name, note = instead.name, following
        return note

    def corrected(self, rows: list[Row]) -> list[Row]:
        """Return the rows with what corrections and second records make of them."""
        by_name = {row.name: row for row in rows}
        for note in self.notes:
            if note.kind == "contradicted" and self.holder(note.name) is None:
                row = by_name.get(note.event["target"])
                if row is not None:
                    complete(row, note.event["other"].encode())
        standing: set[str] = set()
        gone: set[int] = set()
        added: list[Row] = []
        notes = {note.name for note in self.notes}
        for target in sorted(self.about):
            row, last = by_name.get(target), self._last(target)
            if last is None or (row is None and target not in notes):
                continue
            if row is not None:
                gone.add(id(row))
            instead = self.put.get(id(last)) if last.kind == "replaced" else None
            if instead is None or instead.kind in HOUSEKEEPING or instead.name in standing:
                continue
            taken = by_name.get(instead.name)
            if taken is not None and taken is not row and self.holder(instead.name) is None:
                continue
            standing.add(instead.name)
            if row is not None and instead.at == row.at:
                gone.discard(id(row))
                row.take(instead.line, instead.event)
            else:
                instead.chain = ("loose", len(added))
                instead.source = "person"
                added.append(instead)
        return [row for row in rows if id(row) not in gone] + added


def complete(row: Row, other: bytes) -> None:
    """Add to a row what a second record of the same event says beyond it; rule 2."""
    second = parsed(other, "a second record", 20)
    merged = dict(row.event)
    for field, value in second.items():
        if merged.get(field) is None:
            merged[field] = value
        elif value is not None and value != merged[field]:
            return
    if merged != row.event:
        row.take(canonical(merged), merged)


def opened_once(rows: list[Row]) -> list[Row]:
    """Return the rows without openings that older fills, or an earlier opening, end; rule 13."""
    openings = sorted(
        (row for row in rows if row.kind == "opened"), key=lambda row: (row.at, row.name)
    )
    fills = [row.at for row in rows if row.kind == "filled"]
    ended = {
        id(row) for number, row in enumerate(openings) if number or (fills and min(fills) < row.at)
    }
    return [row for row in rows if id(row) not in ended]


# Order inside a millisecond: rules 15 to 17.


def in_order(rows: list[Row], named: list[list[str]]) -> list[Row]:
    """Return the events of one millisecond in order."""
    rows = sorted(rows, key=lambda row: row.place)
    chains: dict[object, list[int]] = {}
    for number, row in enumerate(rows):
        chains.setdefault(row.chain, []).append(number)
    if len(chains) == 1 and not named:
        return rows
    by_name = {name: number for number, row in enumerate(rows) for name in row.names}
    sequences = list(chains.values())
    sequences += [[by_name[name] for name in order if name in by_name] for order in named]
    before = reach(len(rows), sequences)
    left = list(range(len(rows)))
    sizes: dict[str, int] = {}
    result: list[Row] = []
    while left:
        free = [n for n in left if not any(m in before[n] and n not in before[m] for m in left)]
        first = min(free, key=lambda n: wish(rows, left, sizes, n))
        knot = [n for n in left if n == first or (n in before[first] and first in before[n])]
        while knot:
            taken = min(knot, key=lambda n: wish(rows, left, sizes, n))
            knot.remove(taken)
            left.remove(taken)
            result.append(rows[taken])
            event = rows[taken].event
            if rows[taken].kind == "filled" and event["start_position"] is not None:
                sizes[event["coin"]] = size_after(event)
    return result


def reach(count: int, sequences: list[list[int]]) -> list[set[int]]:
    """Return for every event all those which the sequences put before it, however indirectly."""
    direct: list[set[int]] = [set() for _ in range(count)]
    for sequence in sequences:
        for one, other in zip(sequence, sequence[1:]):
            if one != other:
                direct[other].add(one)
    before = []
    for number in range(count):
        found: set[int] = set()
        waiting = list(direct[number])
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += direct[one]
        before.append(found)
    return before


def wish(rows: list[Row], left: list[int], sizes: dict[str, int], n: int) -> tuple[int, int, str]:
    """Return by what the next event is chosen: rank, then continued sizes, then identity."""
    row, event, continues = rows[n], rows[n].event, 1
    if row.kind == "filled" and event["start_position"] is not None:
        start = fixed(event["start_position"])
        if event["coin"] in sizes:
            continues = 0 if sizes[event["coin"]] == start else 2
        elif not any(m != n and ends_at(rows[m], event["coin"], start) for m in left):
            continues = 0
    return KINDS[row.kind][0], continues, row.name


def ends_at(row: Row, coin: str, size: int) -> bool:
    """Tell whether a fill that states its size before leaves this size behind."""
    event = row.event
    if row.kind != "filled" or event["coin"] != coin or event["start_position"] is None:
        return False
    return size_after(event) == size


def size_after(event: Any) -> int:
    """Return the signed size after a fill, as it states it."""
    size = fixed(event["sz"])
    return fixed(event["start_position"]) + (size if event["side"] == "B" else -size)


# Second sources: rules 10 to 12.


def weighed(rows: list[Row], headers: list[Any]) -> list[Row]:
    """Return the rows without those of exports that identified sources cover or explain."""
    known = [row for row in rows if row.source in IDENTIFIED]
    exported = [row for row in rows if row.source not in IDENTIFIED and KINDS[row.kind][1]]
    if not exported or not any(header["source"] in IDENTIFIED for header in headers):
        return rows
    covered = covers(headers)
    gone: set[int] = set()
    used: dict[str, set[int]] = {}
    groups: dict[tuple[int, str, str], list[Row]] = {}
    for row in exported:
        groups.setdefault((row.at, row.source, KINDS[row.kind][1]), []).append(row)
    for (at, source, family), group in sorted(groups.items(), key=lambda item: item[0]):
        taken = used.setdefault(source, set())
        since, until = window(family, at, source)
        near = [r for r in known if since <= r.at <= until and KINDS[r.kind][1] == family]
        near.sort(key=lambda row: (row.at, row.name))
        unexplained = []
        for row in sorted(group, key=lambda row: row.name):
            match = [one for one in near if id(one) not in taken and is_same(row, one)][:1]
            taken.update(map(id, match))
            if match:
                gone.add(id(row))
            else:
                unexplained.append(row)
        for row in unexplained:
            free = [one for one in near if id(one) not in taken]
            several = summed_up(row, free) if row.kind == "filled" else []
            taken.update(map(id, several))
            inside = any(
                a <= at and last_moment(at, source) <= b for a, b in covered.get(family, [])
            )
            if several or inside:
                gone.add(id(row))
    return [row for row in rows if id(row) not in gone]


def last_moment(at: int, source: str) -> int:
    """Return the last millisecond that a printed time stands for."""
    if at % 1000:
        return at
    return at + (60_000 if source == "sheet" and at % 60_000 == 0 else 1000) - 1


def window(family: str, at: int, source: str) -> tuple[int, int]:
    """Return where the event behind a printed time is looked for: funding in its whole hour."""
    if family == "funding":
        return at - at % 3_600_000, at - at % 3_600_000 + 3_599_999
    return at, last_moment(at, source)


def covers(headers: list[Any]) -> dict[str, list[tuple[int, int]]]:
    """Return the intervals which identified sources cover by family, joined where they touch."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for header in headers:
        for cover in header["covers"] if header["source"] in IDENTIFIED else ():
            spans.setdefault(cover["family"], []).append((cover["since"], cover["until"]))
    for family, found in spans.items():
        joined: list[tuple[int, int]] = []
        for since, until in sorted(found):
            if joined and since <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], until))
            else:
                joined.append((since, until))
        spans[family] = joined
    return spans


def is_same(row: Row, one: Row) -> bool:
    """Tell whether one identified event is what a row of an export shows."""
    ours, theirs = row.event, one.event
    if row.kind != one.kind:
        return False
    if row.kind == "filled":
        return is_same_market(row, one) and all(
            is_equal(ours[field], theirs[field], row.source) for field in ("px", "sz")
        )
    if row.kind == "funding_paid":
        return bool(ours["coin"] == theirs["coin"])
    return all(
        value is None or field in ("at", "occurrence") or theirs.get(field) == value
        for field, value in ours.items()
    )


def is_same_market(row: Row, one: Row) -> bool:
    """Tell whether two fills are of one side and market; a pair goes by number or by name."""
    ours, theirs = row.event["coin"], one.event["coin"]
    pairs = [coin.startswith("@") for coin in (ours, theirs) if coin.startswith("@") or "/" in coin]
    same = ours == theirs or sorted(pairs) == [False, True]
    return same and bool(row.event["side"] == one.event["side"])


def is_equal(ours: str, theirs: str, source: str) -> bool:
    """Tell whether two numbers agree; a spreadsheet may have dropped digits."""
    if ours == theirs or source != "sheet":
        return ours == theirs
    digits = [len(text.partition(".")[2]) for text in (ours, theirs)]
    unit = 10 ** (60 - min(digits))
    return digits[0] != digits[1] and abs(fixed(ours) - fixed(theirs)) <= unit


def summed_up(row: Row, free: list[Row]) -> list[Row]:
    """Return the fills that add up to an aggregated row: one order, one moment, all, neighbors."""
    fills = [one for one in free if one.kind == "filled" and is_same_market(row, one)]
    fills.sort(key=lambda r: (r.at, r.event["oid"] or 0, r.event["tid"] or 0, r.name))
    tried: list[list[Row]] = []
    for field in ("oid", "at"):
        together: dict[Any, list[Row]] = {}
        for one in fills:
            together.setdefault(one.event[field], []).append(one)
        tried += together.values()
    tried.append(fills)
    size = fixed(row.event["sz"])
    for first in range(len(fills)):
        total = 0
        for last in range(first, len(fills)):
            total += fixed(fills[last].event["sz"])
            if total >= size:
                tried.append(fills[first : last + 1])
                break
    return next((group for group in tried if adds_up(row, group)), [])


def adds_up(row: Row, group: list[Row]) -> bool:
    """Tell whether fills make all of a row's size, at its price on average as it is printed."""
    digits = len(row.event["px"].partition(".")[2])
    unit = 10 ** (60 - (digits if row.source == "sheet" else max(digits, 8)))
    size = sum(fixed(one.event["sz"]) for one in group)
    value = sum(fixed(one.event["sz"]) * fixed(one.event["px"]) for one in group)
    whole = fixed(row.event["sz"])
    return size == whole and abs(fixed(row.event["px"]) * whole - value) <= whole * unit
