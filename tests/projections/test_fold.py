"""The fold, and the small projections: fees, funding, prices, liquidations."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger import events as ev
from ledger.errors import UnknownKind
from ledger.money import exact
from ledger.units import Asset, Coin, Millis, account_stream, market_stream
from projections import PROJECTIONS, fees, funding, liquidations, prices
from projections.fold import BEGINNING, Folding, canonical_json, digest, fold
from projections.reference import EMPTY, reference
from tests.support.trades import ACCOUNT, START, fill

D = Decimal
MARK = {"liquidated_user": ACCOUNT, "liquidation_mark": D(9), "liquidation_method": "market"}


def close(number, *, coin="BTC", at=START, **other):
    return fill(coin, "A", D(1), D(10), start=None, number=number, at=at, **(MARK | other))


def test_the_digest_depends_on_values_not_on_how_they_were_written():
    plain = fold([fill("BTC", "B", D(1), D(10), start=None)])
    padded = fold([fill("BTC", "B", D("1.00"), D("10.0"), start=None)])
    assert digest(plain) == digest(padded)
    assert b'"position:BTC"' in canonical_json(plain)
    assert b"1.00" not in canonical_json(padded)


def test_the_digest_sees_every_projection():
    beginning = canonical_json(BEGINNING)
    assert all(f'"{each.NAME}":[]'.encode() in beginning for each in PROJECTIONS)


def test_the_digest_of_nothing_is_what_it_always_was():
    """Taken over the text below; another digest means that stored ones are void."""
    text = (
        b'{"@":"states/2","balances":[],"fees":[],"funding":[],"liquidations":[],'
        b'"positions":[],"prices":[]}'
    )
    assert text == canonical_json(BEGINNING)


def test_states_taken_during_a_fold_do_not_move_with_it():
    with exact():
        folding = Folding()
        folding.take(fill("BTC", "B", D(1), D(10), start=None))
        before = folding.states()
        kept = digest(before)
        folding.take(fill("BTC", "B", D(1), D(10), start=None, number=2))
        assert kept == digest(before) != digest(folding.states())
        assert (1, 2) == (before.events, folding.events)


def test_a_state_that_stopped_is_refused_by_name():
    unknown = ev.Unrecognized(
        stream=account_stream(ACCOUNT), at=Millis(START), venue_type="new", body="{}", tx_hash=None
    )
    states = fold([unknown, fill("BTC", "B", D(1), D(10), start=None)])
    with pytest.raises(UnknownKind, match=r"balances: event .* unknown kind 'new'"):
        states.state("balances")
    assert 1 == len(states.state("positions").by_key)
    assert digest(states) != digest(BEGINNING)
    with exact():
        folding = Folding(EMPTY, states)
        assert folding.stopped("balances") is not None
        with pytest.raises(UnknownKind, match="new"):
            folding.held("balances")


def test_fees_are_summed_per_token_and_the_unknown_counted():
    states = fold(
        [
            fill("BTC", "B", D(1), D(10), start=None, fee=D("0.3"), builder_fee=D("0.1")),
            fill("BTC", "B", D(1), D(10), start=None, fee=D("-0.1")),
            fill("BTC", "B", D(1), D(10), start=None, fee=None),
            fill("HYPE/USDC", "B", D(1), D(10), start=None, fee=D("0.2"), fee_asset=None),
        ]
    )
    assert {
        "USDC": fees.Fees(D("0.2"), D("0.1"), 2, 1),
        "HYPE": fees.Fees(D("0.2"), D(0), 1, 0),
    } == states.state(fees.NAME).by_key


def test_funding_is_summed_per_market_and_collateral():
    paid = ev.FundingPaid(
        stream=account_stream(ACCOUNT),
        at=Millis(START),
        coin=Coin("BTC"),
        usdc=D("-0.5"),
        size=D(1),
        rate=D(0),
        samples=None,
        tx_hash=None,
    )
    states = fold([paid, attrs.evolve(paid, usdc=D("0.2"))])
    expected = {("BTC", "USDC"): funding.Funding(D("-0.3"), 2)}
    assert expected == states.state(funding.NAME).by_key


def test_the_last_price_of_each_measure_is_kept_with_its_moment():
    stream = market_stream(Coin("BTC"))
    observed = ev.PriceObserved(
        stream=stream, at=Millis(1), coin=Coin("BTC"), measure="mark", px=D(10), via="allMids"
    )
    candle = ev.CandleObserved(
        stream=stream,
        at=Millis(3),
        coin=Coin("BTC"),
        interval="1h",
        opened=Millis(2),
        first=D(1),
        highest=D(4),
        lowest=D(1),
        last=D(3),
        volume=D(9),
        trades=2,
    )
    state = fold([observed, attrs.evolve(observed, at=2, px=D(11)), candle]).state(prices.NAME)
    assert prices.Price(D(11), Millis(2), "allMids") == prices.last(state, Coin("BTC"), "mark")
    assert D(3) == prices.last(state, Coin("BTC"), "last").px
    assert prices.last(state, Coin("BTC"), "oracle") is None


def test_the_mark_of_a_liquidation_is_a_price():
    state = fold([close(1)]).state(prices.NAME)
    assert D(9) == prices.last(state, Coin("BTC"), "mark").px


def episodes(*events):
    return fold(events).state(liquidations.NAME).by_key


def test_what_follows_within_thirty_seconds_is_the_same_liquidation():
    found = episodes(
        close(1),
        close(2, coin="ETH", at=START + 30_000, liquidation_method="backstop"),
        close(3, at=START + 60_001),
    )
    assert [(1, 2), (2, 1)] == [(number, each.fills) for number, each in found.items()]
    assert (("BTC", D(-1)), ("ETH", D(-1))) == found[1].closed
    assert (D(20), ("market", "backstop")) == (found[1].notional, found[1].methods)


def test_the_other_side_of_a_liquidation_is_none_of_ours():
    assert {} == episodes(close(1, liquidated_user="0x" + "b" * 40))


def test_a_web_export_says_it_in_words():
    fills = close(1, liquidated_user=None, liquidation_mark=None, liquidation_method=None)
    spoken = attrs.evolve(fills, direction="Liquidated Isolated Long")
    assert "liquidation 1 at 1760000000000: BTC" == liquidations.name(1, episodes(spoken)[1])


def test_a_mark_without_fills_is_an_episode_too():
    mark = ev.Liquidated(
        stream=account_stream(ACCOUNT),
        at=Millis(START),
        notional=D(100),
        account_value=D(1),
        leverage_type="Cross",
        positions=(),
        tx_hash=None,
    )
    found = episodes(mark)
    assert (D(100), 0) == (found[1].marked, found[1].fills)
    assert "liquidation 1 at 1760000000000: no fill recorded" == liquidations.name(1, found[1])


def test_the_reference_takes_the_later_of_two_whatever_their_order():
    listed = ev.MarketListed(
        stream=market_stream(Coin("flx:A")),
        at=Millis(1),
        coin=Coin("flx:A"),
        dex="flx",
        collateral=Asset("USDC"),
        size_places=2,
        max_leverage=None,
        margin_table=None,
        only_isolated=False,
        delisted=False,
    )
    later = attrs.evolve(listed, at=2, collateral=Asset("USDH"), size_places=3)
    token = ev.TokenListed(
        stream="venue", at=Millis(1), asset=Asset("HYPE"), index=150, size_places=2, wei_places=8
    )
    pair = ev.PairListed(
        stream="venue", at=Millis(1), coin=Coin("@107"), base=Asset("HYPE"), quote=Asset("USDC")
    )
    one, two = reference([listed, later, token, pair]), reference([pair, token, later, listed])
    assert one == two
    assert (3, "USDH") == (one.size_places["flx:A"], one.collateral_of(Coin("flx:B")))
    assert (("HYPE", "USDC"), "HYPE", 8) == (
        one.pair(Coin("@107")),
        one.symbols[150],
        one.wei_places["HYPE"],
    )
    nonsense = reference([attrs.evolve(listed, size_places=64)])
    assert {} == nonsense.size_places
