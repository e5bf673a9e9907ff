"""Pool: recorded states of a reserve held against its laws, and a supplier's share as an interval.

Within a state: utilization and both rates. Between two: conservation and the protocol's share. For
a supplier: what the reserve's public states alone say was paid, at least and at most, beside what
the account's own states show. The rules are in ``projections.pool`` and ``pool_bounds``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from ledger.codec import event_id
from ledger.errors import NotFound, UnclearQuestion
from ledger.events import ReserveObserved
from ledger.money import ZERO, canonical, exact
from ledger.units import Address, Asset, Millis
from projections import breaks, pool
from projections.breaks import Break
from projections.pool_bounds import Pace, fastest
from replay.moments import iso
from replay.reconcile.seen import reserve_states
from replay.reconcile.supply import Share, Supply, anchors, shares

if TYPE_CHECKING:
    from replay.audit import Audit


@attrs.frozen(kw_only=True)
class PoolReport:
    """What the recorded states of one reserve come to, in a period."""

    asset: Asset
    since: Millis
    until: Millis
    position: int
    states: tuple[ReserveObserved, ...]
    """Those of the period."""
    pairs: tuple[pool.Pair, ...]
    supplier: Address | None
    shares: tuple[Share, ...]
    pace: Pace | None
    fastest: Decimal | None
    """The fastest change of utilization per hour between recorded states."""

    @property
    def breaks(self) -> tuple[Break, ...]:
        """What does not follow, as breaks of the reserve or of the supplier, by moment."""
        found = [*_state_breaks(self), *_pair_breaks(self), *_share_breaks(self)]
        return tuple(sorted(found, key=lambda each: (each.at, each.identity)))

    @property
    def is_known(self) -> bool:
        """True when nothing that was asked for stays unknown."""
        lines = [line for state in self.states for line in pool.lines(state)]
        return (
            bool(self.states)
            and all(line.verdict != "unknown" for line in lines)
            and all(each.kept != "unknown" for each in self.pairs)
            and all(each.paid for each in self.shares)
        )


def reconcile_pool(
    audit: Audit,
    asset: Asset,
    *,
    since: Millis | None = None,
    until: Millis | None = None,
    position: int,
    supply: Supply | None = None,
    pace: Pace | None = None,
) -> PoolReport:
    """Return a reserve's recorded states held against its laws, from *since* to *until*.

    **Units**: moments in milliseconds, both included; None is the first or last of what is
    recorded. Raises: NotFound, without a state of the reserve; UnclearQuestion, when an amount is
    asked of no time.
    """
    every = reserve_states(audit.engine, asset, position)
    if not every:
        raise NotFound(
            what="reserve",
            name=asset,
            remedy="Import recorded answers of borrowLendReserveState or "
            "allBorrowLendReserveStates; what carries no moment needs --at",
        )
    ends = _ends(asset, every, since, until, position, supply)
    inside = tuple(state for state in every if ends[0] <= state.at <= ends[1])
    return PoolReport(
        asset=asset,
        since=ends[0],
        until=ends[1],
        position=position,
        states=inside,
        # A state that names no amounts says nothing of what lies around it.
        pairs=pool.pairs([state for state in inside if pool.buffer(state) is not None]),
        supplier=None if supply is None or supply.account is None else supply.account.account,
        shares=() if supply is None else tuple(shares(every, ends, position, supply, pace, asset)),
        pace=pace,
        fastest=fastest(every),
    )


def _ends(
    asset: Asset,
    every: tuple[ReserveObserved, ...],
    since: Millis | None,
    until: Millis | None,
    position: int,
    supply: Supply | None,
) -> tuple[Millis, Millis]:
    """Return the period: as asked, else from the first to the last recorded state that matters."""
    moments = [state.at for state in every]
    if supply is not None and supply.account is not None:
        moments += [each.event.at for each in anchors(supply.account, every, position)]
    first = min(moments) if since is None else since
    last = max(moments) if until is None else until
    if last < first or (supply is not None and supply.amount is not None and last == first):
        raise UnclearQuestion(
            asked=f"{asset} from {iso(first)} to {iso(last)}",
            problem="is no time in which anything could be earned",
            remedy="Give --since and --until, each with its zone; what is recorded of it is from "
            f"{iso(min(moments))} to {iso(max(moments))}",
        )
    return first, last


# ------------------------------------------------------------------------- what does not follow


def _state_breaks(report: PoolReport) -> list[Break]:
    found = []
    for state in report.states:
        for line in pool.lines(state):
            if line.verdict == "differs" and line.expected is not None:
                observed = line.observed or ZERO
                text = f"{report.asset}: the {line.name} does not follow from the amounts"
                found.append(_of_pool(report, state.at, state.at, "differs", line.expected,
                                      observed, (state,), text, line.name))  # fmt: skip
        held = pool.buffer(state)
        if held is not None and pool.is_short(state):
            text = f"{report.asset}: more is owed to suppliers than is there"
            found.append(_of_pool(report, state.at, state.at, "differs", ZERO, held, (state,),
                                  text, "buffer"))  # fmt: skip
    return found


def _pair_breaks(report: PoolReport) -> list[Break]:
    found = []
    for each in report.pairs:
        if each.kept == "does not follow" and each.grown is not None:
            bound = each.most if each.most is not None and each.grown > each.most else each.least
            text = (
                f"{report.asset}: the protocol's part grew by {canonical(each.grown)}, its share "
                f"of the interest is {canonical(each.least or ZERO)} to "
                f"{canonical(each.most or ZERO)}"
            )
            found.append(
                _of_pool(
                    report, each.before.at, each.after.at, "differs", bound or ZERO, each.grown,
                    (each.before, each.after), text, "share",
                )
            )  # fmt: skip
    return found


def _of_pool(
    report: PoolReport,
    at: Millis,
    until: Millis,
    kind: str,
    expected: Decimal,
    observed: Decimal,
    states: tuple[ReserveObserved, ...],
    text: str,
    key: str,
) -> Break:
    subject = f"reserve {report.asset}"
    with exact():
        difference = observed - expected
    return Break(
        identity=breaks.identity(
            desk="pool", account=None, subject=subject, at=at, until=until, key=key
        ),
        desk="pool", account=None, subject=subject, at=at, until=until, kind=kind,
        expected=expected, observed=observed, difference=difference,
        events=tuple(event_id(state) for state in states), text=text,
    )  # fmt: skip


def _share_breaks(report: PoolReport) -> list[Break]:
    found = []
    for share in report.shares:
        outside = [each for each in share.paid if each.verdict == "outside"]
        if not outside or share.observed is None:
            continue
        each, subject = outside[0], f"{report.asset} supply, from public states"
        nearest = each.least if share.observed < each.least else each.most
        with exact():
            difference = share.observed - nearest
        found.append(
            Break(
                identity=breaks.identity(
                    desk="pool",
                    account=report.supplier,
                    subject=subject,
                    at=share.since,
                    until=share.until,
                    key=each.bound.assumption,
                ),
                desk="pool",
                account=report.supplier,
                subject=subject,
                at=share.since,
                until=share.until,
                kind="outside the interval",
                expected=nearest,
                observed=share.observed,
                difference=difference,
                events=tuple(one.identity for one in share.events),
                text=f"{report.asset}: the supply earned {canonical(share.observed)}, public "
                f"states allow {canonical(each.least)} to {canonical(each.most)} "
                f"({each.bound.assumption})",
            )
        )
    return found
