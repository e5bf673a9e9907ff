"""What a rulebook is: the venue's rules as they stood from a date on, each with its source.

Formulas are functions over the tiny arithmetic; parameters that only documents give stand here as
constants with source, first sight and status. What the venue itself recorded (a reserve state, a
margin table) goes before a constant of the rulebook, always.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import attrs

from ledger.units import Address, Asset, Millis

Status: TypeAlias = Literal["confirmed", "documented", "observed", "inferred", "hypothetical"]
"""How sure we are: confirmed on recorded data; said by the venue's documents; seen by others on
live data; concluded by us; assumed by whoever asks."""


@attrs.frozen(kw_only=True)
class Source:
    """Where a rule or a parameter comes from."""

    text: str
    """Document and section, or recording."""
    seen: str
    """Day it was first seen there, as ``2026-08-19``."""


@attrs.frozen(kw_only=True)
class Parameter:
    """A constant of the venue, with how we know it."""

    value: Decimal
    status: Status
    source: Source


@attrs.frozen(kw_only=True)
class TokenTerms:
    """What portfolio margin grants one token. **Units**: caps in the token itself.

    A cap of None is not known, which is not the same as none.
    """

    ltv: Parameter
    is_borrowable: bool
    user_supply_cap: Parameter | None = None
    user_borrow_cap: Parameter | None = None
    global_supply_cap: Parameter | None = None
    global_borrow_cap: Parameter | None = None


@attrs.frozen(kw_only=True)
class Curve:
    """The borrow rate of a reserve: ``base + slope × max(0, utilization − kink)``, yearly."""

    base: Parameter
    slope: Parameter
    kink: Parameter
    protocol_share: Parameter


@attrs.frozen(kw_only=True)
class Reading:
    """One way to take a text that can be taken in several."""

    id: str
    """Such as ``trigger:strict``; the part before the colon is the question."""
    says: str
    status: Status
    source: Source

    @property
    def question(self) -> str:
        """What the readings of one text are about."""
        return self.id.partition(":")[0]


@attrs.frozen(kw_only=True)
class Backstop:
    """Who takes over a borrow liquidation, and how."""

    address: Address
    step: Parameter
    """Share taken at a time between the partial and the full threshold."""
    widths: Mapping[Asset, Parameter]
    """Width of the takeover slippage, in USDC."""


@attrs.frozen(kw_only=True)
class Rulebook:
    """The rules of portfolio margin as they stood from ``effective_from`` on."""

    id: str
    effective_from: Millis
    documented_from: Millis
    """When the page first said so; later than ``effective_from`` where it was seen before."""
    status: Status
    sources: tuple[Source, ...]
    changes: str
    """What this version changed against the one before, in a sentence or two."""
    eligibility: str
    tokens: Mapping[Asset, TokenTerms]
    curve: Curve
    trigger: Parameter
    """Portfolio margin ratio at which an account may be liquidated."""
    offset: Parameter
    """The 20 USDC of the documented requirement."""
    readings: tuple[Reading, ...]
    modes: frozenset[str] | None = None
    """Account modes it says anything about; None for all."""
    names_borrow_thresholds: bool = False
    """Whether the documents of the day name partial and full thresholds for borrows."""
    backstop: Backstop | None = None

    def terms(self, asset: Asset) -> TokenTerms | None:
        """Return what the rulebook grants a token, or None when it is not eligible."""
        return self.tokens.get(asset)

    def borrowable(self) -> tuple[Asset, ...]:
        """Return the tokens that can be borrowed, in name order."""
        return tuple(sorted(name for name, terms in self.tokens.items() if terms.is_borrowable))

    def readings_of(self, question: str) -> tuple[Reading, ...]:
        """Return the ways to read one text; the first is the one taken unless another is chosen."""
        return tuple(each for each in self.readings if each.question == question)


def parameter(value: str, status: Status, source: Source) -> Parameter:
    """Return a parameter from the text of its value."""
    return Parameter(value=Decimal(value), status=status, source=source)


RECORDED: Final = Source(text="recorded reserve states and accounts", seen="2026-03-31")

USDC: Final = Asset("USDC")
USDH: Final = Asset("USDH")
USDT0: Final = Asset("USDT0")
HYPE: Final = Asset("HYPE")
UBTC: Final = Asset("UBTC")


def lendable(
    page: Source, *, global_supply: str, global_borrow: str, user_supply: str, user_borrow: str
) -> TokenTerms:
    """Return the terms of a token that can be borrowed, its caps as a page prints them."""
    return TokenTerms(
        ltv=parameter("0", "confirmed", RECORDED),
        is_borrowable=True,
        global_supply_cap=parameter(global_supply, "documented", page),
        global_borrow_cap=parameter(global_borrow, "documented", page),
        user_supply_cap=parameter(user_supply, "documented", page),
        user_borrow_cap=parameter(user_borrow, "documented", page),
    )


def collateral(page: Source, *, ltv: str, global_supply: str, user_supply: str) -> TokenTerms:
    """Return the terms of a collateral, its caps as a page prints them."""
    return TokenTerms(
        ltv=parameter(ltv, "confirmed", RECORDED),
        is_borrowable=False,
        global_supply_cap=parameter(global_supply, "documented", page),
        user_supply_cap=parameter(user_supply, "documented", page),
    )
