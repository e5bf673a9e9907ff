"""Links: an address of the page is a question, with both times in it.

``/a/ACCOUNT?at=2026-08-05T14:39:00.000Z&known-at=482``: what had happened by then, as the book
stood at that position. Every link keeps both, so that an address that is sent to somebody shows
the same figures however much has been recorded since.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import attrs

from ledger.units import Address, Millis
from replay.moments import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

CALENDAR_ENDS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""

ACCOUNTS: Final = "/"
VERIFY: Final = "/verify"


@lru_cache(maxsize=256)
def _times(at: str, position: int) -> str:
    return urlencode({"at": at, "known-at": str(position)}, quote_via=quote)


@attrs.frozen(kw_only=True)
class Asked:
    """A question of the page: whose account, at which instant, as known at which position."""

    account: Address
    at: Millis
    position: int

    @property
    def at_text(self) -> str:
        """The instant in UTC; in milliseconds where no calendar reaches."""
        return iso(self.at) if self.at <= CALENDAR_ENDS else str(self.at)

    @property
    def times(self) -> dict[str, str]:
        """Both times as an address carries them."""
        return {"at": self.at_text, "known-at": str(self.position)}

    def moved(self, *, at: Millis | None = None, position: int | None = None) -> Asked:
        """Return the same question at another instant or as known at another position."""
        return attrs.evolve(
            self,
            at=self.at if at is None else at,
            position=self.position if position is None else position,
        )

    def to(self, page: str = "", more: Mapping[str, str] | None = None) -> str:
        """Return the address of a page of this account, both times kept."""
        path = f"/a/{quote(self.account, safe='')}" + (f"/{page}" if page else "")
        # A page has hundreds of links, and the times are the same in all of them.
        words = f"&{urlencode(more, quote_via=quote)}" if more else ""
        return f"{path}?{_times(self.at_text, self.position)}{words}"

    def why(self, figure: str) -> str:
        """Return the address of the workings of a figure."""
        return self.to("why", {"figure": figure})

    def event(self, identity: str) -> str:
        """Return the address of an event, by its identity or the beginning of it."""
        return self.to(f"event/{quote(identity, safe='')}")

    def card(self, number: int, minimal: str = "") -> str:
        """Return the address of a liquidation, with the smallest change of a kind if named."""
        return self.to(f"liquidations/L-{number}", {"minimal": minimal} if minimal else None)

    def broken(self, name: str) -> str:
        """Return the address of one break."""
        return self.to("breaks", {"break": name})
