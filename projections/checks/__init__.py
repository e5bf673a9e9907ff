"""Checks: what two parts of a history say of the same thing, held against each other.

A check is a function (events in effective order, reference, options) → ``CheckResult``; a new one
gets its line in ``CHECKS`` (histories of accounts), ``MARKET_CHECKS`` or ``RESERVE_CHECKS``.
Nothing is repaired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ledger.money import exact
from projections.checks.base import CheckResult, Options
from projections.checks.fees import fee_rate
from projections.checks.fills import closed_pnl, continuity, openings, spot_closed_pnl
from projections.checks.funding import (
    funding_amount,
    funding_grid,
    funding_presence,
    funding_rate,
    funding_size,
)
from projections.checks.pools import (
    pool_borrow_rate,
    pool_conservation,
    pool_supply_rate,
    pool_utilization,
)
from projections.checks.states import (
    observed_balances,
    observed_lending,
    observed_money,
    observed_positions,
    transfers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.events import Event
    from projections.reference import Reference

    Check: TypeAlias = Callable[[Sequence[Event], Reference, Options], CheckResult]

CHECKS: Final[dict[str, Check]] = {
    "continuity": continuity,
    "openings": openings,
    "closed-pnl": closed_pnl,
    "spot-closed-pnl": spot_closed_pnl,
    "fee-rate": fee_rate,
    "funding-size": funding_size,
    "funding-presence": funding_presence,
    "funding-amount": funding_amount,
    "transfers": transfers,
    "observed-positions": observed_positions,
    "observed-money": observed_money,
    "observed-balances": observed_balances,
    "observed-lending": observed_lending,
}
"""Checks of an account's history, by name, in the order reports show them."""

MARKET_CHECKS: Final[dict[str, Check]] = {
    "funding-rate": funding_rate,
    "funding-grid": funding_grid,
}
"""Checks of a market's history."""

RESERVE_CHECKS: Final[dict[str, Check]] = {
    "pool-utilization": pool_utilization,
    "pool-borrow-rate": pool_borrow_rate,
    "pool-supply-rate": pool_supply_rate,
    "pool-conservation": pool_conservation,
}
"""Checks of the history of a lending reserve."""


def run(
    checks: dict[str, Check],
    events: Sequence[Event],
    reference: Reference,
    options: Options | None = None,
) -> tuple[CheckResult, ...]:
    """Return what each of *checks* says of a history, in their order.

    **Order**: effective order, as the fold has it.
    """
    with exact():
        return tuple(check(events, reference, options or Options()) for check in checks.values())


__all__ = ["CHECKS", "MARKET_CHECKS", "RESERVE_CHECKS", "CheckResult", "Options", "run"]
