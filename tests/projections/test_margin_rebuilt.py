"""Pictures rebuilt from a history: sums of movements, prices with their age, what is unknown."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ledger.events import (
    Deposited,
    Filled,
    MarginTableSet,
    MarketListed,
    PriceObserved,
    ReserveObserved,
    Tier,
)
from ledger.importers.fills import filled
from ledger.money import ZERO
from ledger.units import VENUE, Address, Coin, Dex, Millis, Stream, market_stream
from projections import prices
from projections.fold import fold
from projections.margin import Anchor, Input, Settings, judge, market_tables, rebuilt
from projections.margin.inferred import shortfalls
from projections.margin.rebuilt import mark_of, oracle_of
from projections.reference import Reference
from projections.rulebooks.base import HYPE, UBTC, USDC
from tests.support.pictures import exchange, given, moment, picture, position, token

D = Decimal
WHO = Address("0x00000000000000000000000000000000000000aa")
STREAM = Stream(f"account:{WHO}")
BTC = Coin("BTC")
START = moment("2026-07-01")
METADATA = Reference(size_places={BTC: 5}, collateral={Dex(""): USDC}, symbols={0: USDC})


def later(minutes: int) -> Millis:
    """Return a moment some minutes after the start."""
    return Millis(START + minutes * 60_000)


def deposited(minutes: int, amount: str) -> Deposited:
    return Deposited(stream=STREAM, at=later(minutes), usdc=D(amount), tx_hash=f"0x{minutes}")


def bought(minutes: int, size: str, px: str, start: str = "0") -> Filled:
    return filled(
        {
            "coin": "BTC", "side": "B", "px": px, "sz": size, "time": later(minutes),
            "startPosition": start, "dir": "Open Long", "closedPnl": "0.0", "fee": "1.0",
            "feeToken": "USDC", "crossed": True, "oid": 1, "tid": minutes, "hash": f"0x{minutes}",
        },
        stream=STREAM,
    )  # fmt: skip


def marked(minutes: int, px: str, measure: str = "mark", coin: Coin = BTC) -> PriceObserved:
    return PriceObserved(
        stream=market_stream(coin), at=later(minutes), coin=coin, measure=measure, px=D(px),
        via="metaAndAssetCtxs",
    )  # fmt: skip


def quotes(*events: object):
    state = prices.EMPTY
    for event in events:
        state = prices.apply(state, event, METADATA)
    return state


TABLES = {BTC: exchange(position("BTC", size=1, mark=1, max_leverage=40)).positions[0].tiers}


def shown(minutes: int, *events, **options):
    known = [event for event in events if event.at <= later(minutes)]
    defaults = {
        "at": later(minutes), "account": WHO, "mode": "disabled", "reference": METADATA,
        "prices": quotes(marked(10, "50000")), "tables": TABLES,
    }  # fmt: skip
    return rebuilt(fold(known, METADATA), **{**defaults, **options})


HISTORY = (deposited(0, "10000"), bought(5, "0.5", "48000"))


def test_a_whole_history_leads_to_the_account_s_margin():
    found = shown(20, *HISTORY, is_complete=True)
    judgement = judge(found).judgements[0]
    main = judgement.exchange(Dex(""))
    assert D(10_000 - 1 + 1_000) == main.account_value.value
    assert D("312.5") == main.cross_maintenance.value
    assert D(1000) == main.positions[0].unrealized.value
    assert ("leverage of BTC",) == main.initial.missing
    mark = found.exchanges[0].positions[0].mark
    assert ("metaAndAssetCtxs", 600_000) == (mark.source, mark.age(found.at))


def test_money_before_the_first_record_is_unknown_not_zero():
    judgement = judge(shown(20, *HISTORY)).judgements[0]
    (name,) = judgement.exchange(Dex("")).account_value.missing
    assert "balance of USDC before the first record (perp:)" == name
    assert judgement.liquidatable is None


def test_an_observed_picture_is_an_anchor_for_the_sums_after_it():
    at_anchor = fold(HISTORY[:1], METADATA).state("balances").by_key
    observed = picture(
        token("USDC", total=77), at="2026-07-01", mode="disabled",
        exchanges=(exchange(raw=12_345),),
    )  # fmt: skip
    found = shown(20, *HISTORY, anchor=Anchor(picture=observed, balances=at_anchor))
    assert D(12_345 - 24_000 - 1) == found.exchanges[0].raw.value
    assert "composed, and recorded movements since" == found.exchanges[0].raw.source
    assert D(77) == found.token(USDC).total.value


def test_in_one_balance_the_total_is_marked_to_market():
    chosen = {BTC: Settings(leverage=given(20))}
    found = shown(20, *HISTORY, is_complete=True, mode="unifiedAccount", settings=chosen)
    assert D(10_999) == found.token(USDC).total.value
    judgement = judge(found).judgements[0]
    assert D("10686.5") == judgement.token(USDC).available.value
    assert D(1250) == judgement.exchange(Dex("")).initial.value


def test_an_anchor_in_one_balance_takes_exchanges_and_loans_out_first():
    observed = attrs.evolve(
        picture(
            token("USDC", total=1000, supplied=300),
            mode="portfolioMargin",
            exchanges=(exchange(raw=600),),
        ),
        at=START,
    )
    found = shown(20, *HISTORY[1:], mode="portfolioMargin",
                  anchor=Anchor(picture=observed, balances={}))  # fmt: skip
    assert D(600 - 24_001 + 25_000 + 300 + 100) == found.token(USDC).total.value
    assert D(300) == found.token(USDC).supplied.value


def test_another_price_stands_for_a_missing_mark_and_says_so():
    assert "mark of BTC" == mark_of(quotes(), BTC).name
    mid = mark_of(quotes(marked(1, "5", "mid"), marked(2, "6", "oracle")), BTC)
    assert (D(5), "metaAndAssetCtxs: mid for the mark") == (mid.value, mid.source)


def test_the_oracle_price_of_a_token_is_its_reserve_s_or_that_of_its_market():
    pool = ReserveObserved(
        stream=Stream("reserve:UBTC"), at=later(5), asset=UBTC, token=197, borrow_rate=None,
        supply_rate=None, balance=None, utilization=None, oracle_px=D(49_000), ltv=D("0.5"),
        supplied=None, borrowed=None,
    )  # fmt: skip
    assert Input(D(49_000), "reserve state", later(5)) == oracle_of(quotes(), UBTC, pool)
    newer = oracle_of(quotes(marked(9, "50000", "oracle")), UBTC, pool)
    assert "metaAndAssetCtxs: oracle of BTC for the oracle price" == newer.source
    older = oracle_of(quotes(marked(3, "50000", "oracle")), UBTC, pool)
    assert D(49_000) == older.value
    assert "oracle price of HYPE" == oracle_of(quotes(), HYPE, None).name
    assert D(1) == oracle_of(quotes(), USDC, None).value


def test_margin_tables_are_those_recorded_last_before_the_instant():
    def listed(table: int | None, top: int = 40, minutes: int = 0) -> MarketListed:
        return MarketListed(
            stream=VENUE, at=later(minutes), coin=BTC, dex=Dex(""), collateral=USDC,
            size_places=5, max_leverage=top, margin_table=table, only_isolated=False,
            delisted=False,
        )  # fmt: skip

    tiered = MarginTableSet(
        stream=VENUE, at=later(0), table=56, dex=Dex(""), description="tiered",
        tiers=(Tier(lower_bound=ZERO, max_leverage=40),
               Tier(lower_bound=D(150_000_000), max_leverage=20)),
    )  # fmt: skip
    assert 2 == len(market_tables([listed(56), tiered], later(1))[BTC])
    assert D(5) == market_tables([listed(5)], later(1))[BTC][0].max_leverage
    assert D(40) == market_tables([listed(None)], later(1))[BTC][0].max_leverage
    assert {} == market_tables([listed(56)], later(1))
    assert {} == market_tables([listed(56, minutes=9), tiered], later(1))


def test_what_the_money_is_short_of_is_inferred_and_kept_apart_from_what_is_recorded():
    """Tokens bought with more than there was: no record of a loan, and yet there is one."""
    moved = deposited(0, "100")
    spent = attrs.evolve(bought(5, "1", "1"), coin=Coin("@107"), fee=ZERO, px=D(30), sz=D(10),
                         start_position=ZERO)  # fmt: skip
    known = attrs.evolve(METADATA, pairs={Coin("@107"): (HYPE, USDC)})
    states = fold((moved, spent), known)
    options = {
        "at": later(20), "account": WHO, "reference": known, "prices": quotes(),
        "is_complete": True,
    }  # fmt: skip
    shown = rebuilt(states, mode="portfolioMargin", **options)
    usdc = shown.token(USDC)
    assert (D(-200), D(0)) == (usdc.total.value, usdc.borrowed.value)
    (found,) = shortfalls(shown)
    assert ("borrowed", USDC, D(200)) == (found.what, found.asset, found.amount)
    assert () == shortfalls(rebuilt(states, mode="unifiedAccount", **options))
    health = judge(shown).judgements[0].health_factor
    assert (None, "a net balance is below zero, but no loan is recorded") == (
        health.value, health.note,
    )  # fmt: skip
