"""History: the events of an account in effective order, with the running balance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ledger.codec import event_id
from ledger.errors import UnknownKind
from ledger.events import Opened
from ledger.money import ZERO, canonical, exact
from projections.chart import IN_TRANSIT, is_own, summed
from projections.postings import moves, opened
from replay.moments import iso
from replay.tables import UNKNOWN, Table
from replay.views import place_name
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ledger.events import Event
    from ledger.units import Asset, Millis
    from projections.chart import Place
    from projections.reference import Reference
    from replay.audit import AccountHistory

    Changes: TypeAlias = dict[tuple[Place, Asset], Decimal]

_UNKNOWN_SINCE: Final = (
    f"balances are {UNKNOWN} from {{}} on: an event of unknown kind may have moved anything. See "
    f"rollforward check"
)

COLUMNS: Final = ("at", "event", "what", "place", "asset", "change", "balance")


class Running:
    """Balances at the account's own places while events pass."""

    def __init__(self, reference: Reference) -> None:
        """Begin with nothing anywhere."""
        self._reference = reference
        self.balances: Changes = {}
        self.unknown_since: Millis | None = None

    def take(self, event: Event) -> Changes:
        """Return what an event changed at the account's own places, and remember it.

        From an event of unknown meaning on, balances are unknown; what later events change is
        not. Use it inside ``ledger.money.exact``.
        """
        changes: Changes = {}
        try:
            if isinstance(event, Opened):
                found = opened(event, self.balances)
            else:
                found = moves(event, self._reference)
        except UnknownKind:
            self.unknown_since = self.unknown_since or event.at
            return changes
        for target, source, asset, amount in found:
            for place, change in ((summed(target), amount), (summed(source), -amount)):
                if amount and (is_own(place) or place == IN_TRANSIT):
                    changes[place, asset] = changes.get((place, asset), ZERO) + change
        for key, change in changes.items():
            self.balances[key] = self.balances.get(key, ZERO) + change
        return changes

    def shown(self, key: tuple[Place, Asset]) -> str:
        """Return a balance as text, ``unknown`` where it is."""
        return UNKNOWN if self.unknown_since is not None else canonical(self.balances[key])


def history_table(
    account: AccountHistory,
    *,
    since: Millis | None,
    until: Millis | None,
    asset: str | None,
    position: int,
) -> Table:
    """Return a row for every own place an event changed; one without amounts where there is none.

    **Order**: effective order. **Units**: changes and balances in the row's asset; moments from
    *since* to *until*, both included. With *asset* only its rows are given.
    """
    engine = account.audit.engine
    running = Running(engine.reference(position))
    rows: list[tuple[str | None, ...]] = []
    with exact():
        for event in engine.events(account.stream, position, until):
            changes = running.take(event)
            if since is None or event.at >= since:
                rows += _rows(event, changes, running, asset)
    notes: tuple[str, ...] = ()
    if running.unknown_since is not None:
        notes = (_UNKNOWN_SINCE.format(iso(running.unknown_since)),)
    return Table(
        title=f"History of {account.account}",
        columns=COLUMNS,
        rows=tuple(rows),
        numbers=frozenset({"change", "balance"}),
        notes=notes,
        empty="no events",
    )


def _rows(
    event: Event, changes: Changes, running: Running, asset: str | None
) -> Iterator[tuple[str | None, ...]]:
    head = (iso(event.at), event_id(event), described(event))
    if not changes and asset is None:
        yield (*head, None, None, None, None)
    for (place, token), change in changes.items():
        if asset is None or token == asset:
            yield (
                *head,
                place_name(place),
                str(token),
                canonical(change),
                running.shown((place, token)),
            )
