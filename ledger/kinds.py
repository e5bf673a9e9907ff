"""The closed registry of event kinds, and what a field says of itself.

A kind is a stable name and version; no Python path ever reaches the store, and nothing is
imported by a name that a file holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@attrs.frozen
class Is:
    """What a field means: one sentence, its unit, and the venue's own name for it."""

    meaning: str
    unit: str = ""
    venue: str = ""


@attrs.frozen(kw_only=True)
class Kind:
    """One kind of event: its stable name, its class, and what makes two of them the same fact."""

    name: str
    version: int
    event_class: type
    key: tuple[str, ...]
    whole: bool
    identified_by: str | None
    family: str | None
    rank: int

    @property
    def tag(self) -> str:
        """The text that stands for the kind in canonical bytes, such as ``filled/1``."""
        return f"{self.name}/{self.version}"


KINDS: Final[dict[str, Kind]] = {}
"""Every kind by its tag."""

KIND_OF: Final[dict[type, Kind]] = {}
"""Every kind by its class."""


def kind(
    name: str,
    *,
    version: int = 1,
    key: tuple[str, ...] | None = (),
    identified_by: str | None = None,
    family: str | None = None,
    rank: int = 50,
) -> Callable[[type[T]], type[T]]:
    """Register an event class under a stable name.

    ``key`` names the fields which, with kind, stream, moment and occurrence, make the natural key;
    None means every field does. ``identified_by`` names a field without which a record has no
    venue identity (a row of a web export): then, too, every field is the key. ``family`` groups
    the kinds that one history answer covers completely (``fills``, ``funding``, ``transfers``,
    ``interest``). ``rank`` orders kinds inside one millisecond, and nothing else.
    """

    def register(event_class: type[T]) -> type[T]:
        names = {field.name for field in attrs.fields(_attrs_class(event_class))}
        registered = Kind(
            name=name,
            version=version,
            event_class=event_class,
            key=key or (),
            whole=key is None,
            identified_by=identified_by,
            family=family,
            rank=rank,
        )
        unknown = set(registered.key) - names
        if registered.tag in KINDS or unknown:
            message = f"kind {registered.tag}: taken, or unknown key fields {sorted(unknown)}"
            raise TypeError(message)
        KINDS[registered.tag] = registered
        KIND_OF[event_class] = registered
        return event_class

    return register


def _attrs_class(event_class: type) -> Any:  # noqa: ANN401 - attrs.fields wants its own protocol
    return event_class
