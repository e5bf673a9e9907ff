"""Caps of USDC and HYPE grow, the global cap of BTC is halved.

*Documented* on 2026-06-23; the user caps are *confirmed* by recorded accounts of 2026-09-14.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_06_21_open as before
from projections.rulebooks.base import (
    HYPE,
    UBTC,
    USDC,
    Reading,
    Source,
    collateral,
    lendable,
)

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-06-23")


FAQ: Final = Source(text="documentation, support/faq/portfolio-margin", seen="2026-06-23")

READINGS: Final = (
    Reading(id="eligibility:page", says="accounts worth less than 25M USDC may join",
            status="documented", source=PAGE),
    Reading(id="eligibility:faq", says="accounts worth less than 5M USDC may join, as the FAQ kept",
            status="documented", source=FAQ),
)  # fmt: skip

RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-06-23 caps",
    effective_from=Millis(1_782_220_320_000),
    documented_from=Millis(1_782_220_320_000),
    status="documented",
    sources=(PAGE,),
    changes="USDC borrow caps 500M and 50M per user, HYPE 1M per user, BTC 2k in all.",
    eligibility="volume above 5M USDC or value above 10k, and value below 25M",
    readings=(*before.RULEBOOK.readings, *READINGS),
    tokens={
        **before.RULEBOOK.tokens,
        USDC: lendable(
            PAGE,
            global_supply="1000000000",
            global_borrow="500000000",
            user_supply="250000000",
            user_borrow="50000000",
        ),
        HYPE: collateral(PAGE, ltv="0.5", global_supply="10000000", user_supply="1000000"),
        UBTC: collateral(PAGE, ltv="0.5", global_supply="2000", user_supply="200"),
    },
)
