"""Whole: every recorded state of a book held against what needs no history.

Reserves against their laws, every account's supplies against the public states of their reserve,
and every perpetuals state against itself: what published recordings, of which none has both a whole
history and a state, can be asked for at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from projections import pool
from replay.moments import iso
from replay.reconcile import identities, pool_report, supply
from replay.reconcile.identities import IdentityReport, reconcile_identities
from replay.reconcile.pool import PoolReport, reconcile_pool
from replay.reconcile.seen import reserve_states, reserves
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from ledger.units import Millis
    from projections.pool_bounds import Pace
    from replay.audit import Audit


@attrs.frozen(kw_only=True)
class WholeReport:
    """What the recorded states of a book come to."""

    position: int
    pools: tuple[PoolReport, ...]
    """One per reserve, without a supplier."""
    supplies: tuple[PoolReport, ...]
    """One per account and reserve, where two of its states or more show a supply."""
    identities: tuple[IdentityReport, ...]
    """One per account that has a perpetuals state."""

    @property
    def is_known(self) -> bool:
        """True when something could be asked, and nothing of it stays unknown."""
        several = (*self.pools, *self.supplies)
        return (
            bool(several or self.identities)
            and all(each.is_known for each in several)
            and not any(each.count("unknown") for each in self.identities)
        )

    @property
    def is_clean(self) -> bool:
        """True when everything follows that could be asked."""
        return not any(each.breaks for each in (*self.pools, *self.supplies)) and all(
            each.is_clean for each in self.identities
        )


def reconcile_whole(
    audit: Audit,
    *,
    since: Millis | None = None,
    until: Millis | None = None,
    position: int,
    pace: Pace | None = None,
) -> WholeReport:
    """Return everything in a book that can be held against itself, reserve by reserve.

    **Units**: moments in milliseconds, both included; None is no limit.
    """
    assets = [
        each for each in reserves(audit.engine) if reserve_states(audit.engine, each, position)
    ]
    supplies = []
    for name in audit.accounts():
        history = audit.account(name)
        for asset in assets:
            every = reserve_states(audit.engine, asset, position)
            if len(supply.anchors(history, every, position)) < 2:
                continue
            report = reconcile_pool(
                audit, asset, since=since, until=until, position=position,
                supply=supply.Supply(account=history), pace=pace,
            )  # fmt: skip
            if any(share.events for share in report.shares):
                supplies.append(report)
    held = [
        reconcile_identities(audit.account(name), since=since, until=until, position=position)
        for name in audit.accounts()
    ]
    return WholeReport(
        position=position,
        pools=tuple(
            reconcile_pool(audit, asset, since=since, until=until, position=position)
            for asset in assets
        ),
        supplies=tuple(supplies),
        identities=tuple(each for each in held if each.states),
    )


def tables(report: WholeReport) -> list[Table]:
    """Return the report as tables: reserves, neighboring states, supplies, identities."""
    found = [_pools(report), _pairs(report)]
    for each in report.supplies:
        found += [pool_report.supply_table(each), pool_report.rates_table(each)]
    found += [_identities(report)]
    found += [identities.figures_table(each) for each in report.identities if not each.is_clean]
    return found


def _pools(report: WholeReport) -> Table:
    rows = []
    for each in report.pools:
        lines = [line for state in each.states for line in pool.lines(state)]
        counts = [sum(line.verdict == verdict for line in lines)
                  for verdict in ("agrees", "differs", "unknown")]  # fmt: skip
        rows.append((each.asset, str(len(each.states)), *map(str, counts)))
    return Table(
        title="Reserves: utilization and rates of every state",
        columns=("reserve", "states", "agree", "differ", "unknown"),
        rows=tuple(rows),
        numbers=frozenset({"states", "agree", "differ", "unknown"}),
        empty="no reserve is recorded",
    )


def _pairs(report: WholeReport) -> Table:
    rows: list[tuple[str | None, ...]] = []
    for each in report.pools:
        for pair in each.pairs:
            kept = pair.kept if not pair.lacking else f"{UNKNOWN}: {pair.lacking}"
            rows.append((each.asset, iso(pair.before.at), iso(pair.after.at),
                         pool_report.share_shown(pair), kept))  # fmt: skip
    return Table(
        title="Reserves: the protocol's part between neighboring states",
        columns=("reserve", "since", "until", "share", "verdict"),
        rows=tuple(rows),
        numbers=frozenset({"share"}),
        empty="no reserve has two states",
    )


def _identities(report: WholeReport) -> Table:
    rows: list[tuple[str | None, ...]] = []
    for each in report.identities:
        account = f"{each.account[:6]}…{each.account[-4:]}"
        rows += [(account, *row) for row in identities.states_table(each).rows]
    return Table(
        title="Perpetuals states held against themselves",
        columns=("account", *identities.COLUMNS),
        rows=tuple(rows),
        numbers=frozenset(identities.COLUMNS[2:]),
        empty="no perpetuals state is recorded",
    )


def to_dict(report: WholeReport) -> dict[str, object]:
    """Return the report as a dictionary of text, for programs."""
    return {
        "known_at": str(report.position),
        "clean": report.is_clean,
        "known": report.is_known,
        "reserves": [pool_report.to_dict(each) for each in report.pools],
        "supplies": [pool_report.to_dict(each) for each in report.supplies],
        "identities": [identities.to_dict(each) for each in report.identities],
    }
