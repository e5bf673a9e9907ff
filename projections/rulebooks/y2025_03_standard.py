"""Standard accounts before portfolio margin: every exchange by itself, since the transfer rule.

The formulas are those of the margining and liquidations pages (*documented*; several *confirmed*
on recordings of 2026). That they held from the day on which at least a tenth of the notional had
to stay in the account (2025-03-15, announced after the losses of 2025-03-12) is *inferred*; no
recording of a state is that old. Tiers come from recorded margin tables, as on any day.

It judges standard accounts alone. What a rulebook says of portfolio margin and of the reserves was
not published yet; such fields carry the first page's values, marked hypothetical, and are not read.
"""

from __future__ import annotations

from typing import Final

from ledger.units import Millis
from projections.rulebooks.base import Curve, Rulebook, Source, parameter

MARGINING: Final = Source(text="documentation, trading/margining and trading/liquidations",
                          seen="2026-01-27")  # fmt: skip
TRANSFERS: Final = Source(text="announcement after 2025-03-12: a tenth of the notional must stay, "
                          "effective 2025-03-15", seen="2025-03-15")  # fmt: skip
UNPUBLISHED: Final = Source(text="not published at the time; never read", seen="2026-01-27")

RULEBOOK: Final = Rulebook(
    id="2025-03-15 standard",
    effective_from=Millis(1_741_996_800_000),
    documented_from=Millis(1_741_996_800_000),
    status="inferred",
    sources=(MARGINING, TRANSFERS),
    changes="Transfers must leave a tenth of the notional; maintenance is half the initial margin "
    "at the market's highest leverage. Portfolio margin does not exist yet.",
    eligibility="standard accounts only",
    modes=frozenset({"default", "disabled", "dexAbstraction"}),
    tokens={},
    curve=Curve(
        base=parameter("0.05", "hypothetical", UNPUBLISHED),
        slope=parameter("4.75", "hypothetical", UNPUBLISHED),
        kink=parameter("0.8", "hypothetical", UNPUBLISHED),
        protocol_share=parameter("0.1", "hypothetical", UNPUBLISHED),
    ),
    trigger=parameter("0.95", "hypothetical", UNPUBLISHED),
    offset=parameter("20", "hypothetical", UNPUBLISHED),
    readings=(),
)
