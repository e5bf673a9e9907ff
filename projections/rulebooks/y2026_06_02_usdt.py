"""USDT (USDT0) can be borrowed.

*Documented* on 2026-06-02.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_05_18_thresholds as before
from projections.rulebooks.base import USDT0, Source, lendable

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-06-02")


RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-06-02 usdt",
    effective_from=Millis(1_780_386_900_000),
    documented_from=Millis(1_780_386_900_000),
    status="documented",
    sources=(PAGE,),
    changes="USDT0 is borrowable.",
    tokens={
        **before.RULEBOOK.tokens,
        USDT0: lendable(
            PAGE,
            global_supply="50000000",
            global_borrow="10000000",
            user_supply="5000000",
            user_borrow="1000000",
        ),
    },
)
