"""Borrow liquidations are taken over by the backstop liquidator, without a market phase.

*Documented* on 2026-08-01: whole above the full threshold, in steps of a fifth between the partial
and the full one. The printed slippage formula has unbalanced brackets; its widths are kept, the
formula is open.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Address, Millis
from projections.rulebooks import y2026_06_23_caps as before
from projections.rulebooks.base import HYPE, UBTC, Backstop, Reading, Source, parameter

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-08-01")


BACKSTOP: Final = Backstop(
    address=Address("0x" + "b" * 40),
    step=parameter("0.2", "documented", PAGE),
    widths={
        HYPE: parameter("3000000", "documented", PAGE),
        UBTC: parameter("300000", "documented", PAGE),
    },
)

FAQ: Final = Source(text="documentation, support/faq/portfolio-margin", seen="2026-08-01")

READINGS: Final = (
    Reading(id="takeover:direct", says="the backstop takes over at once, without a market phase",
            status="documented", source=PAGE),
    Reading(id="takeover:book", says="with slippage into the order book, as the FAQ keeps saying",
            status="documented", source=FAQ),
)  # fmt: skip

RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-08-01 backstop",
    effective_from=Millis(1_785_600_360_000),
    documented_from=Millis(1_785_600_360_000),
    status="documented",
    sources=(PAGE,),
    changes="Borrow liquidations go straight to the backstop liquidator, in steps of 20 %.",
    backstop=BACKSTOP,
    readings=(*before.RULEBOOK.readings, *READINGS),
)
