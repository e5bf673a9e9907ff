"""Order inside one millisecond, from what records show of it.

Sequences (rows of one answer, recorded orders) are partial orders over the same events. Where
they leave freedom, kinds go by rank, fills so that each continues the position before it, and at
last identities decide; where they contradict each other, the events concerned form a knot that is
ordered as if nothing were known, and the knot is reported.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import attrs

from ledger.events import Event, Filled
from ledger.money import exact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal


RANK_UNKNOWN: Final = 50


@attrs.frozen(kw_only=True, eq=False)
class Item:
    """One event of the millisecond: its slot, what is in force there, its identity and rank."""

    slot: int
    event: Event | None
    identity: bytes
    rank: int


def in_order(
    items: Sequence[Item], sequences: Iterable[Sequence[int]]
) -> tuple[list[int], list[list[int]]]:
    """Return the slots of one millisecond in order, and the knots of contradictory sequences.

    *sequences* hold slots; slots that are not among the items are passed over. **Order**: the
    result depends on what the sequences imply together, not on how they are cut or sorted.
    """
    by_slot = {item.slot: item for item in items}
    after: dict[int, set[int]] = {slot: set() for slot in by_slot}
    for sequence in sequences:
        present = [slot for slot in sequence if slot in by_slot]
        for first, second in itertools.pairwise(present):
            if first != second:
                after[first].add(second)
    groups = _knots(after)
    with exact():
        return (
            _Walk(by_slot, after, groups).slots(),
            sorted(
                sorted(group, key=lambda slot: by_slot[slot].identity)
                for group in groups
                if len(group) > 1
            ),
        )


def _knots(after: dict[int, set[int]]) -> list[list[int]]:
    """Return the strongly connected components of the sequences (Tarjan, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    groups: list[list[int]] = []
    for root, following_root in after.items():
        if root in index:
            continue
        work = [(root, iter(sorted(following_root)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for following in rest:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    on_stack.add(following)
                    work.append((following, iter(sorted(after[following]))))
                    break
                if following in on_stack:
                    low[node] = min(low[node], index[following])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    cut = stack.index(node)
                    group, stack[cut:] = stack[cut:], []
                    on_stack.difference_update(group)
                    groups.append(group)
    return groups


class _Walk:
    """Taking one event after the other, always one that nothing untaken precedes."""

    def __init__(
        self, items: dict[int, Item], after: dict[int, set[int]], groups: list[list[int]]
    ) -> None:
        self.items = items
        self.after = after
        self.groups = groups
        self.group_of = {slot: number for number, group in enumerate(groups) for slot in group}
        self.waits = [0] * len(groups)
        for first, seconds in after.items():
            for second in seconds:
                if self.group_of[first] != self.group_of[second]:
                    self.waits[self.group_of[second]] += 1
        self.sizes: dict[str, Decimal] = {}
        self.ends: dict[tuple[str, Decimal], int] = {}
        for item in items.values():
            self._count_end(item, 1)

    def slots(self) -> list[int]:
        """Return all slots in order."""
        ready = [number for number, count in enumerate(self.waits) if not count]
        taken: list[int] = []
        while ready:
            group = self._next([slot for number in ready for slot in self.groups[number]])
            ready.remove(group)
            members = list(self.groups[group])
            while members:
                slot = min(members, key=lambda slot: self._wish(self.items[slot]))
                members.remove(slot)
                self._take(self.items[slot])
                taken.append(slot)
            for slot in self.groups[group]:
                for following in self.after[slot]:
                    behind = self.group_of[following]
                    if behind != group:
                        self.waits[behind] -= 1
                        if not self.waits[behind]:
                            ready.append(behind)
        return taken

    def _next(self, candidates: list[int]) -> int:
        """Return the group of the event that should come next."""
        return self.group_of[min(candidates, key=lambda slot: self._wish(self.items[slot]))]

    def _wish(self, item: Item) -> tuple[int, int, bytes]:
        """Return what an event is sorted by, as things stand: rank, continuation, identity."""
        event, continuation = item.event, 1
        if isinstance(event, Filled) and event.start_position is not None:
            size = self.sizes.get(event.coin)
            if size is not None:
                continuation = 0 if size == event.start_position else 2
            elif not self._is_reached(event):
                continuation = 0
        return item.rank, continuation, item.identity

    def _is_reached(self, event: Filled) -> bool:
        """Tell whether another fill still to come ends where this one starts."""
        assert event.start_position is not None
        count = self.ends.get((event.coin, event.start_position), 0)
        return count > (1 if event.start_position == _end(event) else 0)

    def _take(self, item: Item) -> None:
        event = item.event
        if isinstance(event, Filled) and event.start_position is not None:
            self._count_end(item, -1)
            self.sizes[event.coin] = _end(event)

    def _count_end(self, item: Item, step: int) -> None:
        event = item.event
        if isinstance(event, Filled) and event.start_position is not None:
            key = event.coin, _end(event)
            self.ends[key] = self.ends.get(key, 0) + step


def _end(event: Filled) -> Decimal:
    """Return the signed size after a fill that states the size before it."""
    assert event.start_position is not None
    return event.start_position + (event.sz if event.side == "B" else -event.sz)
