"""Alpha: caps grow, USDH can be borrowed and BTC is collateral.

*Documented* on 2026-03-14; the loan to value of BTC is *confirmed* by a reserve state of
2026-03-31.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_01_pre_alpha as before
from projections.rulebooks.base import HYPE, UBTC, USDC, USDH, Source, collateral, lendable

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-03-14")


RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-03-14 alpha",
    effective_from=Millis(1_773_512_220_000),
    documented_from=Millis(1_773_512_220_000),
    status="documented",
    sources=(PAGE,),
    changes="Larger caps; USDH is borrowable; BTC (UBTC) is collateral.",
    eligibility="master account with a weighted volume above 5M USDC",
    tokens={
        USDC: lendable(
            PAGE,
            global_supply="500000000",
            global_borrow="100000000",
            user_supply="5000000",
            user_borrow="1000000",
        ),
        USDH: lendable(
            PAGE,
            global_supply="500000000",
            global_borrow="100000000",
            user_supply="5000000",
            user_borrow="1000000",
        ),
        HYPE: collateral(PAGE, ltv="0.5", global_supply="1000000", user_supply="50000"),
        UBTC: collateral(PAGE, ltv="0.5", global_supply="400", user_supply="20"),
    },
)
