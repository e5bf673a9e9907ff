"""Pre-alpha, the first page: USDC can be borrowed against HYPE, within small caps per user.

*Documented* on 2026-01-27; the version before knows standard accounts only. When the rules began to
hold is not known; nothing is judged by them before the day the page was first seen.
"""

from __future__ import annotations

from typing import Final

from ledger.units import Millis
from projections.rulebooks.base import (
    HYPE,
    RECORDED,
    USDC,
    Curve,
    Reading,
    Rulebook,
    Source,
    TokenTerms,
    parameter,
)

PAGE: Final = Source(text="documentation, trading/portfolio-margin", seen="2026-01-27")


CURVE: Final = Curve(
    base=parameter("0.05", "confirmed", RECORDED),
    slope=parameter("4.75", "documented", PAGE),
    kink=parameter("0.8", "documented", PAGE),
    protocol_share=parameter("0.1", "confirmed", RECORDED),
)

READINGS: Final = (
    Reading(id="trigger:strict", says="liquidatable when the ratio is above 0.95",
            status="documented", source=PAGE),
    Reading(id="offset:observed", says="no offset while the net balance is not negative; with a "
            "net debt, of which nothing is recorded, the 20 USDC of the page",
            status="confirmed", source=RECORDED),
    Reading(id="offset:always", says="20 USDC are always added, as the page writes it",
            status="documented", source=PAGE),
    Reading(id="debt:net", says="the borrowed size is the negative part of the net balance",
            status="hypothetical", source=PAGE),
    Reading(id="debt:gross", says="the borrowed size is what is borrowed, gross",
            status="documented", source=PAGE),
    Reading(id="isolated:outside", says="margin of isolated positions is not counted again, as in "
            "unified accounts", status="inferred", source=RECORDED),
    Reading(id="isolated:inside", says="the whole balance counts, as the page writes it",
            status="documented", source=PAGE),
)  # fmt: skip

RULEBOOK: Final = Rulebook(
    id="2026-01-27 pre-alpha",
    effective_from=Millis(1_769_510_880_000),
    documented_from=Millis(1_769_510_880_000),
    status="documented",
    sources=(PAGE,),
    changes="The first rules: USDC is borrowable, HYPE is collateral at a loan to value of 0.5.",
    eligibility="weighted volume above 5M USDC (seen by others)",
    tokens={
        USDC: TokenTerms(
            ltv=parameter("0", "confirmed", RECORDED), is_borrowable=True,
            user_borrow_cap=parameter("1000", "documented", PAGE),
        ),
        HYPE: TokenTerms(
            ltv=parameter("0.5", "confirmed", RECORDED), is_borrowable=False,
            user_supply_cap=parameter("200", "documented", PAGE),
        ),
    },
    curve=CURVE,
    trigger=parameter("0.95", "documented", PAGE),
    offset=parameter("20", "documented", PAGE),
    readings=READINGS,
)  # fmt: skip
