"""The loan to value of HYPE rises from 0.5 to 0.65.

*Observed* on chain by others on 2026-08-11, *documented* on 2026-08-19; a reserve state of
2026-08-05 still says 0.5. Between the two days a recorded reserve state decides, and without one
both verdicts are given. The FAQ still said 50 % in August: a reading.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_08_01_backstop as before
from projections.rulebooks.base import HYPE, Reading, Source, parameter

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-08-19")

FAQ: Final = Source(text="documentation, support/faq/portfolio-margin", seen="2026-08-19")
RECORDED: Final = Source(text="recorded account of a borrower", seen="2026-09-14")

READINGS: Final = (
    Reading(id="ltv:page", says="HYPE at 0.65, as the page and recorded states say",
            status="confirmed", source=RECORDED),
    Reading(id="ltv:faq", says="every collateral at 50 %, as the FAQ still says",
            status="documented", source=FAQ),
)  # fmt: skip

RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-08-11 hype-ltv",
    effective_from=Millis(1_786_406_400_000),
    documented_from=Millis(1_787_132_400_000),
    status="observed",
    sources=(PAGE,),
    changes="HYPE counts with a loan to value of 0.65: 0.825 in a liquidation instead of 0.75.",
    readings=(*before.RULEBOOK.readings, *READINGS),
    tokens={
        **before.RULEBOOK.tokens,
        HYPE: attrs.evolve(
            before.RULEBOOK.tokens[HYPE], ltv=parameter("0.65", "confirmed", RECORDED)
        ),
    },
)
