"""Corrections: what annulments, replacements and second records make of the recorded rows.

For every target the latest recorded correction in force wins; a correction is in force unless a
correction of it is. Nothing here raises on a correction that makes no sense: it becomes a
disagreement, and the target stands as it was recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ledger.codec import decode, event_id
from ledger.errors import RollforwardError
from ledger.events import Annulled, Contradicted, Event, Ordered, Quarantined, Replaced
from ledger.merge import completed, likeness
from ledger.timeline.course import Disagreement, Literal, SetAside
from ledger.timeline.sheets import ROW_BITS, kind_of_line
from ledger.units import EventId, Millis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.timeline.course import AsideReason, Cause
    from ledger.timeline.sheets import Shelf

HOUSEKEEPING: Final = (Annulled, Replaced, Contradicted, Ordered, Quarantined)

Correction: TypeAlias = Annulled | Replaced


@attrs.frozen(kw_only=True, eq=False)
class Note:
    """A piece of housekeeping: the event, its identity, its slot.

    ``parent`` is the replacement that put it in place of another correction.
    """

    event: Event
    id: EventId
    slot: int
    parent: Note | None = None


@attrs.define
class Findings:
    """What corrections and second records make of the rows.

    ``gone`` are slots that do not appear, ``instead`` the literal in place of a slot, ``loose``
    the literals that stand at another moment than what they replace; ``orders`` are the orders in
    force and ``alias`` the slots which such an order may name otherwise.
    """

    gone: set[int] = attrs.field(factory=set)
    instead: dict[int, int] = attrs.field(factory=dict)
    loose: list[int] = attrs.field(factory=list)
    literals: list[Literal] = attrs.field(factory=list)
    set_aside: list[SetAside] = attrs.field(factory=list)
    disagreements: list[Disagreement] = attrs.field(factory=list)
    orders: list[Ordered] = attrs.field(factory=list)

    def put(self, shelf: Shelf, line: bytes, at: Millis, slot: int) -> int:
        """Keep a literal that the entry at *slot* gave rise to; return its number."""
        version, row = shelf.recorded_as(slot)
        self.literals.append(Literal(line=line, at=at, version=version, row=row))
        return len(self.literals) - 1

    def drop(self, shelf: Shelf, slot: int, reason: AsideReason, by: Iterable[EventId]) -> None:
        """Take a recorded row out of the course."""
        version, row = shelf.recorded_as(slot)
        self.gone.add(slot)
        self.set_aside.append(
            SetAside(
                version=version, row=row, at=Millis(shelf.at(slot)), reason=reason, by=tuple(by)
            )
        )


def notes_of(shelf: Shelf) -> list[Note]:
    """Return the housekeeping of all irregular sheets, first recorded first."""
    notes = []
    for sheet in shelf.sheets:
        if not sheet.header.irregular:
            continue
        for row, line in enumerate(shelf.lines(sheet)):
            kind = kind_of_line(line)
            if kind is not None and issubclass(kind.event_class, HOUSEKEEPING):
                slot = (sheet.number << ROW_BITS) + row
                event_name = EventId(shelf.identity(slot).hex())
                notes.append(Note(event=decode(line), id=event_name, slot=slot))
    return notes


def resolved(shelf: Shelf, notes: list[Note]) -> Findings:
    """Return what the notes make of the rows; slots are in the order of recording."""
    found = Findings(gone={note.slot for note in notes})
    if notes:
        _Desk(shelf, notes, found).settle()
    return found


class _Desk:
    """Where the corrections of one stream are settled."""

    def __init__(self, shelf: Shelf, notes: list[Note], found: Findings) -> None:
        self.shelf = shelf
        self.found = found
        self.notes = notes
        self.note_of = {note.id: note for note in notes}
        self.replacements: dict[EventId, tuple[Event, EventId, bytes] | None] = {}
        self.by_target: dict[EventId, list[Note]] = {}
        self.corrections: list[Note] = []
        self.winners: dict[EventId, Note | None] = {}
        self.asked: set[EventId] = set()
        self.rows = self._rows_named()
        for note in notes:
            self._enter(note)

    def _enter(self, note: Note) -> None:
        """Take a correction, and the correction it may put in place of another, into account."""
        event = note.event
        if not isinstance(event, Correction):
            return
        self.corrections.append(note)
        self.by_target.setdefault(event.target, []).append(note)
        if isinstance(event, Replaced):
            replacement = self._replacement(note)
            if replacement is not None and isinstance(replacement[0], Correction):
                self._enter(
                    Note(event=replacement[0], id=replacement[1], slot=note.slot, parent=note)
                )

    def _replacement(self, note: Note) -> tuple[Event, EventId, bytes] | None:
        """Return what a replacement puts in place; None when it cannot be read or is not ours."""
        event = note.event
        assert isinstance(event, Replaced)
        if note.id not in self.replacements:
            line = event.replacement.encode()
            try:
                instead = decode(line)
            except RollforwardError:
                self.replacements[note.id] = None
            else:
                self.replacements[note.id] = (
                    (instead, event_id(instead), line) if instead.stream == event.stream else None
                )
        return self.replacements[note.id]

    def _rows_named(self) -> dict[EventId, int]:
        """Return the slot of every row at a moment some note speaks of, by identity."""
        moments = {note.event.at for note in self.notes if not isinstance(note.event, Quarantined)}
        for note in self.notes:
            if isinstance(note.event, Replaced):
                replacement = self._replacement(note)
                if replacement is not None:
                    moments.add(replacement[0].at)
        hidden = self.found.gone
        return {
            EventId(self.shelf.identity(slot).hex()): slot
            for at in sorted(moments)
            for sheet in self.shelf.between(at, at)
            for slot in self.shelf.slots(sheet, at, at)
            if slot not in hidden
        }

    # What is in force

    def winner(self, target: EventId) -> Note | None:
        """Return the correction of *target* that holds, None when it stands as recorded."""
        if target in self.winners:
            return self.winners[target]
        if target in self.asked:
            return None
        self.asked.add(target)
        best = None
        for note in reversed(self.by_target.get(target, ())):
            if self.is_in_force(note):
                best = note
                break
        self.asked.discard(target)
        self.winners[target] = best
        return best

    def is_in_force(self, note: Note) -> bool:
        """Tell whether no correction in force concerns this correction."""
        if isinstance(note.event, Replaced) and self._replacement(note) is None:
            return False
        parent = note.parent
        if parent is None:
            return self.winner(note.id) is None
        event = parent.event
        assert isinstance(event, Replaced)
        return self.winner(event.target) is parent and self.winner(note.id) in {None, parent}

    def settle(self) -> None:
        """Write down what follows for every row and note."""
        # Later corrections concern earlier ones, so asking the latest first keeps questions short.
        for note in reversed(self.corrections):
            self.winner(note.id)
        self._settle_second_records()
        standing: dict[EventId, int] = {}
        for target in sorted(self.by_target):
            self._settle_target(target, standing)
        self._settle_complaints()
        self.found.orders.extend(
            note.event
            for note in self.notes
            if isinstance(note.event, Ordered) and self.winner(note.id) is None
        )

    def _settle_target(self, target: EventId, standing: dict[EventId, int]) -> None:
        """Take a corrected row out, and put in what stands in its place."""
        slot = self.rows.get(target)
        first = self.winner(target)
        if first is None or (slot is None and target not in self.note_of):
            return
        chain = list(self._chain(target))
        if chain and chain[-1] is None:
            self._disagree("cycle", first, "replacements lead back to where they began")
            return
        last = next(note for note in reversed(chain) if note is not None)
        if isinstance(last.event, Annulled):
            if slot is not None:
                self._drop(slot, "annulled", chain)
            return
        replacement = self._replacement(last)
        assert replacement is not None
        event, name, line = replacement
        if slot is not None:
            self._drop(slot, "replaced", chain)
        if isinstance(event, HOUSEKEEPING):
            return
        taken = self.rows.get(name)
        if name in standing or (taken is not None and taken != slot and not self.winner(name)):
            if taken is None or self.shelf.line(taken) != line:
                self._disagree("doubled", last, "what is put in place stands elsewhere already")
            return
        number = self.found.put(self.shelf, line, event.at, last.slot)
        standing[name] = number
        if slot is not None and event.at == self.shelf.at(slot):
            self.found.gone.discard(slot)
            self.found.instead[slot] = number
        else:
            self.found.loose.append(number)

    def _drop(self, slot: int, reason: AsideReason, chain: list[Note | None]) -> None:
        self.found.instead.pop(slot, None)
        self.found.drop(self.shelf, slot, reason, (note.id for note in chain if note is not None))

    def _chain(self, target: EventId) -> Iterator[Note | None]:
        """Yield the corrections that hold, one upon the other; None at last for a circle."""
        seen = {target}
        name = target
        while (note := self.winner(name)) is not None:
            yield note
            if isinstance(note.event, Annulled):
                return
            replacement = self._replacement(note)
            assert replacement is not None
            if replacement[1] == name:
                return
            name = replacement[1]
            if name in seen:
                yield None
                return
            seen.add(name)

    # Second records, and what makes no sense

    def _settle_second_records(self) -> None:
        """Complete what the first record lacks; say where the second says something else."""
        lines: dict[int, bytes] = {}
        for note in self.notes:
            event = note.event
            if not isinstance(event, Contradicted) or self.winner(note.id) is not None:
                continue
            slot = self.rows.get(event.target)
            if slot is None:
                self._disagree("unknown target", note, "contradicts an event that is not here")
                continue
            ours, theirs = lines.get(slot, self.shelf.line(slot)), event.other.encode()
            match likeness(ours, theirs):
                case "other":
                    settled = self.winner(event.target)
                    if settled is None or settled.slot < note.slot:
                        self._disagree("contradicted", note, "a second record of the event differs")
                case "more":
                    lines[slot] = completed(ours, theirs)
                    number = self.found.put(self.shelf, lines[slot], event.at, slot)
                    self.found.instead[slot] = number
                case _:
                    pass

    def _settle_complaints(self) -> None:
        """Name the corrections that concern nothing, or put nothing readable in place."""
        names = {replacement[1] for replacement in self.replacements.values() if replacement}
        for note in self.corrections:
            if note.parent is not None or self.winner(note.id) is not None:
                continue
            event = note.event
            assert isinstance(event, Correction)
            if isinstance(event, Replaced) and self._replacement(note) is None:
                self._disagree(
                    "unreadable replacement", note, "no event of this stream is put in place"
                )
            elif not (
                event.target in self.rows or event.target in self.note_of or event.target in names
            ):
                self._disagree("unknown target", note, "corrects an event that is not here")

    def _disagree(self, cause: Cause, note: Note, text: str) -> None:
        event = note.event
        assert isinstance(event, (Annulled, Replaced, Contradicted))
        lines: tuple[str, ...] = ()
        if isinstance(event, Contradicted):
            lines = (event.other,)
        elif isinstance(event, Replaced):
            lines = (event.replacement,)
        self.found.disagreements.append(
            Disagreement(
                cause=cause, at=event.at, events=(event.target, note.id), lines=lines, text=text
            )
        )
