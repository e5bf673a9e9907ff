"""What a judgement says: figures by position, exchange and token, and the verdicts they lead to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from ledger.units import Address, Asset, Coin, Dex, Millis
from projections.margin.picture import Input, Mode, Picture
from projections.margin.sheet import Figure, Line

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen(kw_only=True)
class PositionMargin:
    """One perpetual position. **Units**: the collateral of its exchange."""

    coin: Coin
    dex: Dex
    is_isolated: bool
    size: Decimal | None
    mark: Decimal | None
    value: Figure
    unrealized: Figure
    return_on_equity: Figure
    """A ratio, of the margin put in."""
    initial: Figure
    maintenance: Figure
    margin: Figure | None
    """Isolated positions: raw money and value of the position."""
    free: Figure
    """What stands between the position and liquidation: of its pool, or of itself if isolated."""
    liquidation_price: Figure
    """Mark at which its pool is used up, everything else standing still; it has no value, and a
    note, where no positive price does that."""


@attrs.frozen(kw_only=True)
class ExchangeMargin:
    """One perpetuals exchange. **Units**: its collateral."""

    dex: Dex
    collateral: Asset
    account_value: Figure
    cross_value: Figure
    cross_maintenance: Figure
    isolated_margin: Figure
    initial: Figure
    """Σ initial margin of its cross positions."""
    notional: Figure
    transfer_requirement: Figure
    positions: tuple[PositionMargin, ...]
    withdrawable: Figure | None = None
    """Standard accounts: what may leave the exchange."""


@attrs.frozen(kw_only=True)
class TokenMargin:
    """One token of a unified or portfolio margin account. **Units**: the token, unless named."""

    asset: Asset
    is_borrowable: bool
    net: Figure
    maintenance: Figure
    """Σ cross maintenance of the exchanges that settle in it."""
    available: Figure
    """After maintenance."""
    collateral: Figure | None = None
    """USDC: what it counts for in a liquidation, when it is collateral."""
    power: Figure | None = None
    """USDC: what it lets the account borrow."""
    liquidation_value: Figure | None = None
    requirement_observed: Figure | None = None
    requirement_documented: Figure | None = None
    ratio_observed: Figure | None = None
    ratio_documented: Figure | None = None
    ratio: Figure | None = None
    """Under the readings chosen."""
    excess: Figure | None = None
    """Requirement − trigger × liquidation value, under the readings chosen."""
    borrow_cap_use: Figure | None = None
    supply_cap_use: Figure | None = None
    can_borrow: Figure | None = None
    can_withdraw: Figure | None = None
    locked: Figure | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """One question of liquidation and its answer."""

    question: str
    """``portfolio margin ratio``, ``unified ratio``, ``cross margin``, ``isolated margin``,
    ``borrow, partial`` or ``borrow, full``."""
    of: str
    holds: bool | None
    """Whether the condition of liquidation holds; None when it is unknown."""
    figure: Figure
    """The number that decides: above zero the condition holds."""
    limit: str
    readings: tuple[str, ...]
    status: str
    counts: bool = True
    """False for the form of a text which the readings chosen pass over; it is told beside."""


@attrs.frozen(kw_only=True)
class Alternative:
    """What the account's ratio and verdict are under one set of readings."""

    readings: tuple[str, ...]
    ratio: Decimal | None
    liquidatable: bool | None


@attrs.frozen(kw_only=True)
class Judgement:
    """Margin of one picture under one rulebook and the readings chosen."""

    rulebook: str
    mode: Mode
    readings: tuple[str, ...]
    exchanges: tuple[ExchangeMargin, ...]
    tokens: tuple[TokenMargin, ...]
    ratio: Figure | None
    """Unified: the unified ratio. Portfolio margin: the ratio under the readings chosen."""
    ratio_observed: Figure | None
    ratio_documented: Figure | None
    borrowing_power: Figure | None
    debt: Figure | None
    """USDC, gross."""
    health_factor: Figure | None
    """None in other modes; without a value, and with a note, when nothing is borrowed."""
    partial_threshold: Figure | None
    full_threshold: Figure | None
    full_threshold_printed: Figure | None
    verdicts: tuple[Verdict, ...]
    alternatives: tuple[Alternative, ...]
    """Every combination of readings of the ratio; empty where the mode has none."""
    lines: tuple[Line, ...]
    """The derivation; empty unless asked for."""

    @property
    def liquidatable(self) -> bool | None:
        """Whether any condition of liquidation holds; None when that hangs on the unknown.

        Of the two forms of the full threshold only the one of the readings chosen counts.
        """
        answers = [each.holds for each in self.verdicts if each.counts]
        if any(answers):
            return True
        return None if None in answers else False

    @property
    def documents_disagree(self) -> bool:
        """Whether the two forms of the full threshold of a borrow come to different answers."""
        answers = {each.holds for each in self.verdicts if each.question.startswith("borrow, full")}
        return len(answers) > 1

    @property
    def readings_decide(self) -> bool:
        """Whether another reading of the same texts would change the verdict."""
        answers = {each.liquidatable for each in self.alternatives}
        return len(answers) > 1 or self.documents_disagree

    def position(self, coin: Coin) -> PositionMargin | None:
        """Return one position; None when there is none."""
        for exchange in self.exchanges:
            for each in exchange.positions:
                if each.coin == coin:
                    return each
        return None

    def exchange(self, dex: Dex) -> ExchangeMargin | None:
        """Return one exchange; None when there is none."""
        return next((each for each in self.exchanges if each.dex == dex), None)

    def token(self, asset: Asset) -> TokenMargin | None:
        """Return one token; None when there is none."""
        return next((each for each in self.tokens if each.asset == asset), None)

    def figures(self) -> Iterator[Figure]:
        """Yield every figure, each once, from the positions up to the account."""
        for exchange in self.exchanges:
            for position in exchange.positions:
                yield from _figures(position)
            yield from _figures(exchange)
        for token in self.tokens:
            yield from _figures(token)
        yield from _figures(self)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of all inputs that some figure lacks."""
        names = [name for figure in self.figures() for name in figure.missing]
        return tuple(dict.fromkeys(names))


@attrs.frozen(kw_only=True)
class Margin:
    """The judgement of one picture; two where two rulebooks hold and no record decides."""

    at: Millis
    account: Address | None
    picture: Picture
    judgements: tuple[Judgement, ...]
    decided_by: Input | None = None
    """The recorded loan to value that decided between two rulebooks."""
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether all judgements come to the same verdict."""
        return len({each.liquidatable for each in self.judgements}) == 1

    @property
    def liquidatable(self) -> bool | None:
        """The verdict, None when unknown or when the judgements differ."""
        return self.judgements[0].liquidatable if self.agrees else None


def _figures(holder: attrs.AttrsInstance) -> Iterator[Figure]:
    for name in attrs.fields_dict(type(holder)):
        value = getattr(holder, name)
        if isinstance(value, Figure):
            yield value
