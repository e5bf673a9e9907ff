"""The FAQ names the health factor and the thresholds at which a borrow is liquidated.

*Documented* on 2026-05-18: partial above LTV + (1 − LTV) ÷ 2, whole above LTV + (1 − LTV) × 2 ÷ 3
of the collateral. The same page writes 95 % once as "or more", once as "above", and rounds two
thirds to 83.3 %; those are readings.
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.units import Millis
from projections.rulebooks import y2026_05_07_caps as before
from projections.rulebooks.base import Reading, Source

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-05-18")


FAQ: Final = Source(text="documentation, support/faq/portfolio-margin", seen="2026-05-18")

READINGS: Final = (
    Reading(id="trigger:inclusive", says="liquidatable when the ratio is 0.95 or more",
            status="documented", source=FAQ),
    Reading(id="threshold:exact", says="a borrow is liquidated whole above two thirds, exactly",
            status="documented", source=FAQ),
    Reading(id="threshold:printed", says="two thirds rounded to 83.3 %, as the worked example does",
            status="documented", source=FAQ),
)  # fmt: skip

RULEBOOK: Final = attrs.evolve(
    before.RULEBOOK,
    id="2026-05-18 thresholds",
    effective_from=Millis(1_779_100_680_000),
    documented_from=Millis(1_779_100_680_000),
    status="documented",
    sources=(PAGE,),
    changes="The FAQ names health factor, partial and full thresholds for borrows.",
    names_borrow_thresholds=True,
    readings=(*before.RULEBOOK.readings, *READINGS),
)
