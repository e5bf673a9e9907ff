"""Caps of USDC, HYPE and BTC grow tenfold; USDH keeps its own.

*Documented* on 2026-05-07.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_03_alpha as before
from projections.rulebooks.base import HYPE, UBTC, USDC, Source, collateral, lendable

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-05-07")


RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-05-07 caps",
    effective_from=Millis(1_778_147_940_000),
    documented_from=Millis(1_778_147_940_000),
    status="documented",
    sources=(PAGE,),
    changes="Larger caps for USDC, HYPE and BTC.",
    tokens={
        **before.RULEBOOK.tokens,
        USDC: lendable(
            PAGE,
            global_supply="1000000000",
            global_borrow="200000000",
            user_supply="50000000",
            user_borrow="10000000",
        ),
        HYPE: collateral(PAGE, ltv="0.5", global_supply="10000000", user_supply="500000"),
        UBTC: collateral(PAGE, ltv="0.5", global_supply="4000", user_supply="200"),
    },
)
