"""Checks of observed states: the venue's own picture against what the history leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger import events as ev
from ledger.money import ZERO, canonical
from ledger.units import Asset, Coin, dex_of, stream_account
from projections import chart
from projections.checks.base import CheckResult, Options, Tally
from projections.fold import Folding
from projections.positions import Position, stated_size
from projections.postings import is_perp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from ledger.events import Event
    from projections.chart import Place
    from projections.reference import Reference

NO_HISTORY: Final = "nothing recorded before it"
ONE_BALANCE: Final = "in this mode one balance stands for spot and perpetuals"

SINGLE_BALANCE_MODES: Final = frozenset({"unifiedAccount", "portfolioMargin"})


def observed_positions(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every observed perpetuals state against the positions rebuilt up to it."""
    tally = Tally("observed-positions")
    for event, folding in _moments(events, reference):
        if not isinstance(event, ev.PerpStateObserved):
            continue
        held: Mapping[str, Position] = folding.held("positions")
        observed = {each.coin: each.size for each in event.positions}
        rebuilt = {
            Coin(key): stated_size(each)
            for key, each in held.items()
            if is_perp(Coin(key)) and not key.startswith("spot:") and dex_of(Coin(key)) == event.dex
        }
        for coin in sorted(observed.keys() | rebuilt.keys()):
            size = observed.get(coin, ZERO)
            if coin not in rebuilt:
                tally.unknown(NO_HISTORY)
            else:
                _compare(tally, event, coin, expected=rebuilt[coin], observed=size)
    return tally.result()


def observed_money(events: Sequence[Event], reference: Reference, options: Options) -> CheckResult:
    """Hold the raw money of every observed perpetuals state against the sum of postings."""
    tally = Tally("observed-money")
    for event, folding in _moments(events, reference):
        if not isinstance(event, ev.PerpStateObserved) or event.summary is None:
            continue
        balances = _balances(folding)
        place = chart.perp(event.dex)
        sums = (
            []
            if balances is None
            else [amount for (where, _), amount in balances.items() if where == place]
        )
        if len(sums) != 1:
            tally.unknown(NO_HISTORY if not sums else "money of several tokens on one exchange")
        else:
            raw = event.summary.total_raw_usd
            what = f"perp {event.dex}".rstrip()
            _compare(tally, event, what, expected=sums[0], observed=raw)
    return tally.result()


def observed_balances(
    events: Sequence[Event], reference: Reference, options: Options
) -> CheckResult:
    """Hold every token of an observed spot state against the sum of postings.

    Where one balance stands for everything (unified accounts, portfolio margin) the total is
    marked to market, and no sum of postings: counted unknown here.
    """
    tally = Tally("observed-balances")
    mode = ""
    for event, folding in _moments(events, reference):
        if isinstance(event, ev.ModeChanged):
            mode = event.mode
        if not isinstance(event, ev.SpotStateObserved):
            continue
        is_single = bool(event.margin_enabled) or mode in SINGLE_BALANCE_MODES
        balances = _balances(folding)
        for row in event.balances:
            key = (chart.SPOT, row.asset)
            if is_single:
                tally.unknown(ONE_BALANCE)
            elif balances is None or key not in balances:
                tally.unknown(NO_HISTORY)
            else:
                expected = balances[key]
                _compare(
                    tally, event, f"{row.asset} on spot", expected=expected, observed=row.total
                )
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
            for place, observed in (
                (chart.SUPPLIED, loan.supply_value),
                (chart.BORROWED, loan.borrow_value),
            ):
                if asset is None or balances is None or (place, asset) not in balances:
                    if observed:
                        tally.unknown(NO_HISTORY)
                    continue
                key = (place, asset)
                room = largest.get(key, ZERO)
                what = f"{asset} {place}"
                _compare(
                    tally, event, what, expected=abs(balances[key]), observed=observed, room=room
                )
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
