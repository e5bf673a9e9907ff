"""Law 13: no ``apply`` raises on a fact, save UnknownKind on a kind not known; no check does.

That importers raise nothing but MalformedRecord is tried where importers are.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import event_id
from ledger.errors import UnknownKind
from ledger.events import Event, MarketListed, PairListed, TokenListed, Unrecognized
from ledger.money import exact
from projections import PROJECTIONS, checks
from projections.fold import Stopped, digest, fold
from projections.reference import reference
from tests.support.strategies import events, instances
from tests.support.trades import trades

METADATA = st.lists(
    instances(MarketListed) | instances(PairListed) | instances(TokenListed), max_size=2
)


@given(history=st.lists(events(), max_size=3), metadata=METADATA)
def test_no_projection_raises_on_a_fact(history: list[Event], metadata: list[Event]) -> None:
    known = reference(metadata)
    for projection in PROJECTIONS:
        state = projection.EMPTY
        with exact():
            for event in history:
                try:
                    state = projection.apply(state, event, known)
                except UnknownKind:
                    assert isinstance(event, Unrecognized)
                    continue
                assert not isinstance(event, Unrecognized) or projection.NAME != "balances"


@settings(max_examples=40)  # thirteen checks, each walking the history
@given(history=st.lists(events(), max_size=3) | trades(), metadata=METADATA)
def test_no_check_raises_on_a_fact(history: list[Event], metadata: list[Event]) -> None:
    known = reference(metadata)
    for result in checks.run(checks.CHECKS | checks.MARKET_CHECKS, history, known):
        assert 0 <= result.agreed <= result.looked_at
        assert (result.agreed < result.looked_at) <= bool(result.findings)


@given(history=st.lists(events(), max_size=3), unknown=instances(Unrecognized))
def test_an_unknown_kind_stops_only_what_needs_it(
    history: list[Event], unknown: Unrecognized
) -> None:
    before = [event for event in history if not isinstance(event, Unrecognized)]
    states = fold([*before, unknown, *before])
    stopped = {name for name, held in states.by_name.items() if isinstance(held, Stopped)}
    assert {"balances"} == stopped
    assert states.by_name["balances"] == Stopped(
        event=event_id(unknown), kind=unknown.venue_type, at=unknown.at
    )
    assert 2 * len(before) + 1 == states.events
    digest(states)
