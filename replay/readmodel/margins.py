"""Margins: requirement, ratio and verdict of an account at its full hours."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from ledger.money import canonical
from ledger.units import Millis
from projections.margin.picture import SINGLE_BALANCE
from projections.rulebooks import by_id
from replay.margin import TOGETHER_MS, Assembler, Question
from replay.margin_timeline import point_of
from replay.readmodel.columns import plain

if TYPE_CHECKING:
    from ledger.units import Address
    from projections.fold import States
    from replay.audit import AccountHistory
    from replay.margin_timeline import Point
    from replay.readmodel.columns import Cell

LOOKS_AHEAD_MS: Final = TOGETHER_MS
"""An hour's margin may rest on states recorded so long after it: they belong to one snapshot."""

_NO_MODE: Final = "mode: none is recorded at or before the hour"


class Margins:
    """Margin of one account, hour by hour. **Order**: ascending hours cost one walk together."""

    def __init__(self, history: AccountHistory, position: int) -> None:
        """Judge *history* as known at a position, by the readings taken first."""
        self._of = Assembler(history, position, Question())

    def row(self, account: Address, hour: int, states: States) -> tuple[Cell, ...]:
        """Return the row of one hour; what is not known says by which name it is missing."""
        at = Millis(hour)
        if self._of.recorded.modes.last(at) is None:
            return _unknown(account, hour, _NO_MODE)
        try:
            return _known(account, hour, point_of(self._of.at(at, states)))
        except UnclearQuestion:
            return _unknown(account, hour, _NO_MODE)
        except NotInForce as error:
            return _unknown(account, hour, f"rulebook: {error}")
        except UnknownKind as error:
            return _unknown(account, hour, f"meaning of {error.kind}")


def _unknown(account: Address, hour: int, missing: str) -> tuple[Cell, ...]:
    return account, hour, "unknown", None, None, None, None, "unknown", None, missing


def _known(account: Address, hour: int, point: Point) -> tuple[Cell, ...]:
    words = {True: "yes", False: "no", None: "unknown"}
    return (
        account, hour, point.mode, plain(point.ratio), canonical(_limit(point)),
        plain(point.requirement), plain(point.value),
        "differs" if point.differ else words[point.liquidatable],
        " | ".join(point.rulebooks), ", ".join(point.missing),
    )  # fmt: skip


def _limit(point: Point) -> Decimal:
    """Return the ratio above which the account could be liquidated."""
    if point.mode in SINGLE_BALANCE and point.rulebooks:
        return by_id(point.rulebooks[-1]).trigger.value
    return Decimal(1)
