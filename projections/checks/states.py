"""Checks of observed states: the venue's own picture against what the history leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger import events as ev
from ledger.money import ZERO, canonical
from ledger.units import Asset, stream_account
from projections import chart, observed
from projections.checks.base import CheckResult, Options, Tally
from projections.fold import Folding
from projections.observed import Figure, Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from ledger.events import Event
    from projections.chart import Place
    from projections.reference import Reference


def observed_positions(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every observed perpetuals state against the positions rebuilt up to it."""
    tally = Tally("observed-positions")
    for event, folding in _moments(events, reference):
        if isinstance(event, ev.PerpStateObserved):
            for figure in observed.sizes(event, _held(folding, reference), stated=True):
                what = figure.subject.removeprefix("size ")
                _judge(tally, event, what, figure)
    return tally.result()


def observed_money(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Hold the raw money of every observed perpetuals state against the sum of postings."""
    tally = Tally("observed-money")
    for event, folding in _moments(events, reference):
        if isinstance(event, ev.PerpStateObserved):
            for figure in observed.money(event, _held(folding, reference)):
                _judge(tally, event, f"perp {event.dex}".rstrip(), figure)
    return tally.result()


def observed_balances(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every token of an observed spot state against the sum of postings.

    Where one balance stands for everything (unified accounts, portfolio margin) the total is
    marked to market, and no sum of postings: counted unknown here, for marks are other records.
    """
    tally = Tally("observed-balances")
    mode = ""
    for event, folding in _moments(events, reference):
        if isinstance(event, ev.ModeChanged):
            mode = event.mode
        if not isinstance(event, ev.SpotStateObserved):
            continue
        if bool(event.margin_enabled) or mode in observed.SINGLE_BALANCE_MODES:
            for _ in event.balances:
                tally.unknown(observed.ONE_BALANCE)
            continue
        shown = {row.asset for row in event.balances}
        for figure in observed.spot(event, _held(folding, reference), single=False):
            if (asset := figure.subject.removeprefix("spot ")) in shown:
                _judge(tally, event, f"{asset} on spot", figure)
    return tally.result()


def observed_lending(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every observed loan against operations and interest recorded.

    Interest runs on between its hourly rows: the observed value may be ahead of ours by as much
    as the largest hourly row of that side recorded before it.
    """
    tally = Tally("observed-lending")
    largest: dict[tuple[Place, Asset], Decimal] = {}
    for event, folding in _moments(events, reference):
        if isinstance(event, ev.InterestAccrued):
            for place, interest in (
                (chart.SUPPLIED, event.supply),
                (chart.BORROWED, event.borrow),
            ):
                key = (place, event.asset)
                largest[key] = max(largest.get(key, ZERO), interest)
        if not isinstance(event, ev.LendingStateObserved):
            continue
        balances = _balances(folding)
        for loan in event.loans:
            asset = reference.symbols.get(loan.token)
            for place, shown in (
                (chart.SUPPLIED, loan.supply_value),
                (chart.BORROWED, loan.borrow_value),
            ):
                if asset is None or balances is None or (place, asset) not in balances:
                    if shown:
                        tally.unknown(observed.NO_HISTORY)
                    continue
                key = (place, asset)
                room = largest.get(key, ZERO)
                what = f"{asset} {place}"
                _compare(tally, event, what, expected=abs(balances[key]), observed=shown, room=room)
    return tally.result()


def transfers(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Name movements of which the record does not say from where to where; they move nothing."""
    tally = Tally("transfers")
    for event in events:
        if isinstance(event, ev.DexAbstractionActivated):
            what, amount = (
                f"{event.asset} when {event.dex or 'the main exchange'} was joined",
                event.amount,
            )
        elif isinstance(event, ev.Transferred):
            own = stream_account(event.stream)
            if own in {event.sender, event.recipient} or (event.sender is None) != (
                event.recipient is None
            ):
                tally.agree()
                continue
            what, amount = f"{event.asset} of a {event.venue_type}", event.amount
        else:
            continue
        if not amount:
            tally.agree()
            continue
        tally.differ(
            event,
            expected="a record that says from where to where",
            observed=amount,
            text=f"{canonical(amount)} {what}: which way it went is not in the record, so it "
            f"moves nothing here",
        )
    return tally.result()


def _moments(events: Sequence[Event], reference: Reference) -> Iterator[tuple[Event, Folding]]:
    """Yield every event beside the fold up to and with it."""
    folding = Folding(reference)
    for event in events:
        folding.take(event)
        yield event, folding


def _balances(folding: Folding) -> Mapping[tuple[Place, Asset], Decimal] | None:
    """Return the balances up to now; None when they stopped at a kind not known."""
    return None if folding.stopped("balances") else folding.held("balances")


def _held(folding: Folding, reference: Reference) -> Held:
    """Return what the fold holds now, living; later events change it."""
    positions = None if folding.stopped("positions") else folding.held("positions")
    return Held(balances=_balances(folding), positions=positions, reference=reference)


def _judge(tally: Tally, event: Event, what: str, figure: Figure) -> None:
    if figure.expected is None:
        tally.unknown(figure.lacking)
    else:
        _compare(tally, event, what, expected=figure.expected, observed=figure.observed)


def _compare(
    tally: Tally,
    event: Event,
    what: str,
    *,
    expected: Decimal,
    observed: Decimal,
    room: Decimal = ZERO,
) -> None:
    if ZERO <= observed - expected <= room:
        tally.agree()
        return
    tally.differ(
        event,
        expected=expected,
        observed=observed,
        severity="error",
        text=f"{what}: the history leads to {canonical(expected)}, the venue shows "
        f"{canonical(observed)}",
    )
