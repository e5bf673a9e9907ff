"""No longer alpha: smaller accounts may join, USDH is dropped.

*Documented* on 2026-06-21. Accounts still held supplied USDH afterwards; it no longer counts.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_06_02_usdt as before
from projections.rulebooks.base import USDH, Source

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-06-21")


RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-06-21 open",
    effective_from=Millis(1_782_056_520_000),
    documented_from=Millis(1_782_056_520_000),
    status="documented",
    sources=(PAGE,),
    changes="USDH is no longer eligible; open to accounts above 10k USDC.",
    eligibility="volume above 5M USDC or value above 10k, and value below 5M",
    tokens={asset: terms for asset, terms in before.RULEBOOK.tokens.items() if asset != USDH},
)
