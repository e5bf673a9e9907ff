"""State: what every projection remembers, in one shape.

A state is a mapping from keys to values that are never changed in place. So the rule of a
projection, ``record``, is written once over a plain dictionary, and read twice: ``apply`` gives it
a copy and returns a new state; a fold over many events gives it one dictionary for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.events import Event
    from projections.reference import Reference

K = TypeVar("K")
V = TypeVar("V")


@attrs.frozen
class State(Generic[K, V]):
    """What a projection remembers: immutable values by key, in the order they first appeared."""

    by_key: Mapping[K, V] = attrs.field(factory=dict)


class Projection(Protocol):
    """A module that is a projection: everything the fold needs of it."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of the module
        """What the projection is called."""
        ...

    @property
    def EMPTY(self) -> State[Any, Any]:  # noqa: N802 - as above
        """The state before the first event."""
        ...

    @property
    def CONSUMED(self) -> frozenset[type]:  # noqa: N802 - as above
        """The classes of events that may change the state; others are never shown to it."""
        ...

    @property
    def ROWS(self) -> Any:  # noqa: ANN401, N802 - a type, for reading stored states
        """The type of the state as a list of (key, value)."""
        ...

    def apply(self, state: State[Any, Any], event: Event, reference: Reference) -> State[Any, Any]:
        """Return the state after an event.

        Raises: UnknownKind, and nothing else on any fact.
        """
        ...

    def record(self, held: dict[Any, Any], event: Event, reference: Reference) -> None:
        """Change *held*, a dictionary of the caller's, as the event has it; values are replaced."""
        ...


def applied(
    rule: Callable[[dict[K, V], Event, Reference], None],
    state: State[K, V],
    event: Event,
    reference: Reference,
) -> State[K, V]:
    """Return the state a rule makes of a copy: what ``apply`` of every projection is."""
    held = dict(state.by_key)
    rule(held, event, reference)
    return State(held)
