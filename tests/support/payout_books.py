"""A simulated month of payouts as the product's own events, and what the product makes of it."""

from __future__ import annotations

from decimal import Decimal

from ledger.events import (
    InterestAccrued,
    LendingStateObserved,
    ObservedLoan,
    ReserveObserved,
    ReserveOperated,
)
from ledger.units import Address, Asset, Millis, account_stream, reserve_stream
from projections.interest import Reconciled, Tolerance, reconcile
from projections.lending import HOUR_MS, rates
from projections.sides import paid_rows, sides
from tests.support.payout_months import BEGIN, TOKENS, Month

ACCOUNT = Address("0x" + "1e" * 20)
STREAM = account_stream(ACCOUNT)
SYMBOLS = {index: Asset(token) for token, index in TOKENS.items()}


def tokens_of(units: int, places: int = 8) -> Decimal:
    """Return units of a decimal place as a number."""
    return Decimal(units).scaleb(-places).normalize() + 0


def market_events(month: Month) -> list[ReserveObserved]:
    """Return the recorded states of reserves."""
    return [
        ReserveObserved(
            stream=reserve_stream(Asset(token)),
            at=Millis(at),
            asset=Asset(token),
            token=TOKENS[token],
            supply_rate=None if supply is None else tokens_of(supply, 10),
            borrow_rate=None if borrow is None else tokens_of(borrow, 10),
            balance=None, utilization=None, supplied=None, borrowed=None,
            oracle_px=Decimal(1), ltv=Decimal(0),
        )
        for at, token, supply, borrow in month.rates
    ]  # fmt: skip


def account_events(month: Month) -> list[ReserveOperated | LendingStateObserved | InterestAccrued]:
    """Return operations, states and interest rows, in order of time."""
    found: list[ReserveOperated | LendingStateObserved | InterestAccrued] = [
        ReserveOperated(
            stream=STREAM, at=Millis(at), operation=kind, asset=Asset(key[0]),
            amount=tokens_of(units), reported_interest=None, tx_hash=f"0x{number:064x}",
        )
        for number, (at, key, kind, units) in enumerate(month.operations)
    ]  # fmt: skip
    for at, shown in month.states:
        loans = []
        for token, index in TOKENS.items():
            supply = shown.get((token, "supply"), (0, 0))
            borrow = shown.get((token, "borrow"), (0, 0))
            loans.append(
                ObservedLoan(
                    token=index,
                    supply_value=tokens_of(supply[0]), supply_basis=tokens_of(supply[1]),
                    borrow_value=tokens_of(borrow[0]), borrow_basis=tokens_of(borrow[1]),
                )
            )  # fmt: skip
        found.append(
            LendingStateObserved(
                stream=STREAM, at=Millis(at), loans=tuple(loans), health="healthy",
                health_factor=None,
            )
        )  # fmt: skip
    for row in month.rows:
        token, side = row.key
        amount, none = tokens_of(row.units), Decimal(0)
        found.append(
            InterestAccrued(
                stream=STREAM, at=Millis(row.at), asset=Asset(token),
                supply=amount if side == "supply" else none,
                borrow=amount if side == "borrow" else none,
            )
        )  # fmt: skip
    return sorted(found, key=lambda event: event.at)


def reconciled(month: Month) -> tuple[Reconciled, ...]:
    """Return what the product makes of a month."""
    events = account_events(month)
    rows = list(paid_rows(events))
    since, until = Millis(BEGIN), Millis(BEGIN + month.hours * HOUR_MS)
    found = sides(events, rows, rates(market_events(month)), SYMBOLS, since=since, until=until)
    return reconcile(found.hours, rows, since=since, until=until, tolerance=Tolerance())
