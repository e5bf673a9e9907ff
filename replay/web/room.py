"""The room: a book open for reading, and what is kept at hand from one answer to the next."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Self, TypeVar, cast

import attrs

from ledger.errors import NotFound, UnclearQuestion
from ledger.units import Address, Millis
from replay.audit import AccountHistory, Audit
from replay.moments import parse_moment
from replay.slider import Slider
from replay.web.links import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from replay.margin import Assembler

T = TypeVar("T")

KEPT: Final = 4
"""How many accounts, each as known at one position, are kept at hand."""

MADE_KEPT: Final = 12
"""How many answers that take long are kept."""

POSITIONS_MAX: Final = 64
"""After answers as known at so many positions the book is opened anew: it remembers each."""

SHOWN_MAX: Final = 120
"""Characters of what was asked that an error repeats."""


@attrs.define(kw_only=True)
class Room:
    """A book open for reading. Used by one thread."""

    audit: Audit
    _sliders: OrderedDict[tuple[Address, int], Slider] = attrs.field(factory=OrderedDict)
    _positions: set[int] = attrs.field(factory=set)
    _made: OrderedDict[tuple[object, ...], object] = attrs.field(factory=OrderedDict)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the room of the book at *path*; it reads, and writes nothing to the book."""
        import replay

        return cls(audit=replay.open(path))

    def close(self) -> None:
        """Close the book."""
        self.audit.close()

    @property
    def is_full(self) -> bool:
        """Whether so much is remembered that the book should be opened anew."""
        return len(self._positions) > POSITIONS_MAX

    # ------------------------------------------------------------------- what is asked

    def asked(self, account: str, query: Mapping[str, str]) -> Asked:
        """Return the question of an address; what it leaves open is filled from the book.

        Without *at* it is the last event's moment, without *known-at* the book as it is.

        Raises: NotFound, for an account the book has not; UnclearQuestion, for what is no time.
        """
        known = query.get("known-at")
        position = self.audit.position(known or None)
        self._positions.add(position)
        whose = self._account(account)
        at = query.get("at")
        if at:
            moment = parse_moment(at)
        else:
            found = self.slider(Asked(account=whose, at=Millis(0), position=position)).span
            moment = Millis(0) if found is None else found[1]
        return Asked(account=whose, at=moment, position=position)

    def _account(self, given: str) -> Address:
        """Return the account meant: its address, or an unmistakable beginning of it."""
        accounts = self.audit.accounts()
        fitting = [name for name in accounts if name.startswith(given.lower())]
        if given and len(fitting) == 1:
            return fitting[0]
        if given and fitting:
            raise UnclearQuestion(
                asked=given, problem=f"fits {len(fitting)} accounts",
                remedy="Choose one from the list of accounts",
            )  # fmt: skip
        shown = given if len(given) <= SHOWN_MAX else given[: SHOWN_MAX - 1] + "…"
        raise NotFound(what="account", name=shown, remedy="Choose one from the list of accounts")

    # ------------------------------------------------------------------- what is kept

    def history(self, asked: Asked) -> AccountHistory:
        """Return the account that is asked about."""
        return AccountHistory(audit=self.audit, account=asked.account)

    def slider(self, asked: Asked) -> Slider:
        """Return the account laid out for any instant, as known at the position asked for."""
        key = asked.account, asked.position
        if key not in self._sliders:
            self._sliders[key] = Slider(self.history(asked), asked.position)
        self._sliders.move_to_end(key)
        while len(self._sliders) > KEPT:
            self._sliders.popitem(last=False)
        return self._sliders[key]

    def made(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what was made under a key, made now when it is not at hand.

        What a key names must not change with the book's growth: a position belongs into it.
        """
        if key not in self._made:
            self._made[key] = make()
        self._made.move_to_end(key)
        while len(self._made) > MADE_KEPT:
            self._made.popitem(last=False)
        return cast("T", self._made[key])

    def assembler(self, asked: Asked) -> Assembler:
        """Return what margin of the account is made by, as known at the position asked for."""
        return self.slider(asked).assembler
