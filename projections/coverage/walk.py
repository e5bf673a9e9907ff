"""Walk: one way through a history, and all that it shows of what is recorded and what is not."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING, Final

from ledger import events as ev
from ledger.kinds import KIND_OF
from ledger.money import exact
from ledger.units import Millis
from projections.coverage.claims import END
from projections.coverage.levels import BALANCES, Stretch
from projections.coverage.sizes import Sizes
from projections.coverage.sums import Sums
from projections.postings import is_perp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.reference import Reference

STOPPED: Final = "a record of unknown kind may have moved anything: what follows cannot be summed"
UNOBSERVED: Final = "no two observed states around it agree with what is recorded"


class Walk:
    """Evidence that the events of one account give of each other."""

    def __init__(self, events: Iterable[ev.Event], reference: Reference) -> None:
        """Go through a history once. **Order**: effective order."""
        sizes, sums = Sizes(), Sums(reference)
        kinds: Counter[type] = Counter()
        coins: set[str] = set()
        assets: set[str] = set()
        last_at: int | None = None
        self.first_at: Millis | None = None
        self.fill_times = array("q")
        """Moments of all fills, in order."""
        with exact():
            for event in events:
                if self.first_at is None:
                    self.first_at = event.at
                last_at = event.at
                kinds[type(event)] += 1
                if isinstance(event, ev.Filled):
                    self.fill_times.append(event.at)
                    if is_perp(event.coin):
                        coins.add(event.coin)
                elif isinstance(event, ev.InterestAccrued | ev.ReserveOperated):
                    assets.add(event.asset)
                sizes.take(event)
                sums.take(event)
            found = [*sizes.evidence(last_at or 0), *sums.evidence(last_at or 0)]
        stopped = sums.stopped
        since = 0 if stopped is None else stopped.at
        found.append(_unknown(since, UNOBSERVED if stopped is None else STOPPED))
        self.last_at = None if last_at is None else Millis(last_at)
        self.evidence: tuple[Stretch, ...] = tuple(found)
        self.coins: tuple[str, ...] = tuple(sorted(coins))
        """Perpetual markets traded."""
        self.assets: tuple[str, ...] = tuple(sorted(assets))
        """Tokens supplied or borrowed."""
        self.seen: dict[str, int] = {}
        """Events by family."""
        for kind, count in kinds.items():
            family = KIND_OF[kind].family
            if family is not None:
                self.seen[family] = self.seen.get(family, 0) + count


def _unknown(since: int, cause: str) -> Stretch:
    return Stretch(
        family=BALANCES, since=Millis(since), until=Millis(END), level="unknown", cause=cause
    )
