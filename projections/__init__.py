"""Meanings: what follows from recorded facts; pure, with no file, clock or randomness.

Postings, folds, views and checks live here. What was recorded is ``ledger``'s, who asks is
``replay``'s. Start with ``postings``, then ``balances``, the shortest projection.

A projection is a module: ``NAME``, ``EMPTY``, ``apply`` and the kinds it consumes. A new one is
copied from ``balances`` and gets its line in ``PROJECTIONS``; nothing else knows its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from projections import balances, fees, funding, liquidations, positions, prices

if TYPE_CHECKING:
    from projections.state import Projection

PROJECTIONS: Final[tuple[Projection, ...]] = (
    balances,
    positions,
    fees,
    funding,
    prices,
    liquidations,
)
"""Every projection, in the order reports show them."""

__all__ = ["PROJECTIONS"]
