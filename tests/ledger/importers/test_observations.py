"""Observed states: whole or not at all, with the moment they carry before the one we are told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.errors import NeedsHint
from ledger.events import (
    MarginSummary,
    ModeChanged,
    ObservedBalance,
    ObservedOrder,
    ObservedPosition,
    OrdersObserved,
    OrderStatusObserved,
    PerpStateObserved,
    SpotStateObserved,
    StakeObserved,
    SubAccountObserved,
    TokenFigure,
    VaultEquityObserved,
)
from ledger.importers import Hints
from ledger.units import MAIN_DEX, account_stream
from tests.support.answers import ALICE, AT, BOB, CAROL, captured, events, only, read, reasons

D = Decimal
SEEN = AT + 777
TOTALS = {
    "accountValue": "1000.5", "totalNtlPos": "200.0", "totalRawUsd": "800.5",
    "totalMarginUsed": "20.0",
}  # fmt: skip
SUMMARY = MarginSummary(
    account_value=D("1000.5"), total_notional=D(200), total_raw_usd=D("800.5"),
    total_margin_used=D(20),
)  # fmt: skip


def position(**changes: object) -> dict[str, object]:
    return {
        "coin": "BTC", "szi": "-0.00785", "leverage": {"type": "isolated", "value": 20,
        "rawUsd": "95.1"}, "entryPx": "26951.0", "positionValue": "211.64542",
        "unrealizedPnl": "-0.08007", "returnOnEquity": "-0.00756643", "liquidationPx": None,
        "marginUsed": "10.582271", "maxLeverage": 50,
        "cumFunding": {"allTime": "1.1", "sinceOpen": "1.2", "sinceChange": "1.3"}, **changes,
    }  # fmt: skip


def perps(*positions: dict[str, object], **changes: object) -> dict[str, object]:
    return {
        "marginSummary": TOTALS, "crossMarginSummary": TOTALS,
        "crossMaintenanceMarginUsed": "5.25", "withdrawable": "980.5",
        "assetPositions": [{"type": "oneWay", "position": one} for one in positions],
        "time": SEEN, **changes,
    }  # fmt: skip


def test_a_perpetuals_state_is_read_field_by_field():
    assert PerpStateObserved(
        stream=account_stream(ALICE),
        at=SEEN,
        dex=MAIN_DEX,
        positions=(
            ObservedPosition(
                coin="BTC", size=D("-0.00785"), entry_px=D(26951), value=D("211.64542"),
                unrealized_pnl=D("-0.08007"), leverage_type="isolated", leverage=20,
                raw_usd=D("95.1"), margin_used=D("10.582271"), max_leverage=50,
                liquidation_px=None, return_on_equity=D("-0.00756643"),
                funding_all_time=D("1.1"), funding_since_open=D("1.2"),
                funding_since_change=D("1.3"),
            ),
        ),
        summary=SUMMARY,
        cross=SUMMARY,
        cross_maintenance=D("5.25"),
        withdrawable=D("980.5"),
    ) == only(read(perps(position())))  # fmt: skip


def test_the_moment_a_state_carries_wins_over_every_other():
    assert SEEN == only(read(perps())).at
    asked = {"type": "clearinghouseState", "user": BOB}
    assert SEEN == only(read(captured(asked, perps()))).at


def test_a_state_without_a_moment_is_of_the_moment_of_asking():
    state = perps()
    del state["time"]
    assert AT == only(read(captured({"type": "clearinghouseState", "user": BOB}, state))).at
    with pytest.raises(NeedsHint, match="--at "):
        read(state, Hints(account=ALICE))


def test_a_state_of_2023_says_what_may_leave_among_its_totals():
    state = perps(marginSummary={**TOTALS, "withdrawable": "7.5"})
    del state["withdrawable"]
    assert D("7.5") == only(read(state)).withdrawable


def test_the_exchange_is_told_by_request_person_or_positions():
    asked = {"type": "clearinghouseState", "user": BOB, "dex": "xyz"}
    assert "xyz" == only(read(captured(asked, perps()))).dex
    assert "flx" == only(read(perps(), Hints(account=ALICE, dex="flx"))).dex
    assert "km" == only(read(perps(position(coin="km:US500")))).dex
    assert "" == only(read(perps())).dex


@pytest.mark.parametrize(
    "state",
    [
        perps(position(szi="many")),
        perps(position(leverage=[])),
        perps(position(maxLeverage="50")),
        perps(marginSummary={"accountValue": "1"}),
        perps(withdrawable=1),
        perps(time="yesterday"),
        perps(assetPositions=[{"type": "oneWay"}]),
        perps(assetPositions={}),
    ],
)
def test_half_a_perpetuals_state_is_none(state: dict[str, object]):
    reading = read(state)
    assert [] == events(reading)
    assert 1 == len(reading.unreadable)


def test_states_of_several_accounts_are_told_apart_by_the_request():
    asked = {"type": "batchClearinghouseStates", "users": [ALICE, BOB], "dex": ""}
    reading = read(captured(asked, [perps(), perps(position(szi=None))]))
    assert [account_stream(ALICE)] == [event.stream for event in events(reading)]
    assert "[0].response[1]: szi" in reasons(reading)
    assert () == read(captured(asked, None)).parts
    assert "one for each" in reasons(read(captured(asked, [perps()])))


BALANCE = {"coin": "USDC", "token": 0, "total": "-5.5", "hold": "-1.25", "entryNtl": "0.0"}


def test_a_spot_state_in_portfolio_margin_is_read_field_by_field():
    state = {
        "portfolioMarginEnabled": True,
        "balances": [
            {**BALANCE, "spotHold": "1", "ltv": "0.0", "borrowed": "4466.5", "supplied": "2"},
            {"coin": "+12", "total": "1", "hold": "0", "entryNtl": "0.5"},
        ],
        "portfolioMarginRatio": "0.0342302364",
        "tokenToPortfolioBorrowRatio": [[0, "0.0001721778"]],
        "tokenToPortfolioSupplyRatio": [[197, "0.0999997175"]],
        "tokenToAvailableAfterMaintenance": [[0, "704117.0719243229"]],
    }
    assert SpotStateObserved(
        stream=account_stream(ALICE),
        at=AT,
        balances=(
            ObservedBalance(
                asset="USDC", token=0, total=D("-5.5"), hold=D("-1.25"), entry_notional=D(0),
                spot_hold=D(1), ltv=D(0), borrowed=D("4466.5"), supplied=D(2),
            ),
            ObservedBalance(
                asset="+12", token=None, total=D(1), hold=D(0), entry_notional=D("0.5")
            ),
        ),
        margin_enabled=True,
        margin_ratio=D("0.0342302364"),
        borrow_ratios=(TokenFigure(token=0, value=D("0.0001721778")),),
        supply_ratios=(TokenFigure(token=197, value=D("0.0999997175")),),
        available=(TokenFigure(token=0, value=D("704117.0719243229")),),
    ) == only(read(state))  # fmt: skip


def test_a_standard_spot_state_says_nothing_of_portfolio_margin():
    event = only(read({"balances": [BALANCE]}))
    assert (None, None, ()) == (event.margin_enabled, event.margin_ratio, event.available)


@pytest.mark.parametrize("total", [1.5, None, "x", [1]])
def test_half_a_spot_state_is_none(total: object):
    reading = read({"balances": [BALANCE, {**BALANCE, "total": total}]})
    assert [] == events(reading)
    assert "total" in reasons(reading)


@pytest.mark.parametrize(
    "mode", ["default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction"]
)
def test_a_mode_is_one_word(mode: str):
    assert ModeChanged(stream=account_stream(ALICE), at=AT, mode=mode, observed=True) == only(
        read(mode)
    )


def test_a_mode_nobody_knows_is_not_read():
    asked = {"type": "userAbstraction", "user": ALICE}
    assert "userAbstraction" in reasons(read(captured(asked, "superMargin")))


def sub(**changes: object) -> dict[str, object]:
    return {
        "name": "Test", "subAccountUser": BOB, "master": ALICE, "clearinghouseState": perps(),
        "spotState": {"balances": [BALANCE]}, **changes,
    }  # fmt: skip


def test_a_sub_account_has_its_states_in_a_stream_of_its_own():
    reading = read([sub()], Hints())
    listed, perp, spot = events(reading)
    assert (
        SubAccountObserved(stream=account_stream(ALICE), at=SEEN, sub_account=BOB, name="Test")
        == listed
    )
    assert [account_stream(BOB)] * 2 == [perp.stream, spot.stream]
    assert [SEEN, SEEN] == [perp.at, spot.at]


def test_a_sub_account_with_a_state_per_exchange_and_a_mode():
    row = sub(
        dexToClearinghouseState=[["", perps()], ["xyz", perps(time=SEEN + 5)]],
        abstraction="portfolioMargin",
    )
    del row["clearinghouseState"]
    _, *states = events(read([row], Hints()))
    kinds = ["PerpStateObserved", "SpotStateObserved", "ModeChanged", "PerpStateObserved"]
    assert kinds == [type(event).__name__ for event in states]
    assert ["", "xyz"] == [one.dex for one in states if isinstance(one, PerpStateObserved)]


def test_a_sub_account_whose_exchanges_are_no_pairs_is_not_read():
    row = sub(dexToClearinghouseState=[[""]])
    del row["clearinghouseState"]
    assert "a pair of name and state" in reasons(read([row]))


def test_a_sub_account_may_have_no_spot_state():
    row = sub(spotState=None)
    assert 2 == len(events(read([row], Hints())))


def test_a_sub_account_that_cannot_be_read_leaves_the_others():
    reading = read([sub(), sub(master=5), sub(subAccountUser=CAROL), "x"], Hints())
    assert 6 == len(events(reading))
    assert ["[1]", "[3]"] == [row.place for row in reading.unreadable]


def test_one_row_without_a_name_is_of_whom_a_person_says():
    row = sub()
    del row["subAccountUser"], row["master"]
    with pytest.raises(NeedsHint, match="--account"):
        read([row], Hints())
    assert [account_stream(CAROL)] * 2 == [
        event.stream for event in events(read([row], Hints(account=CAROL)))
    ]
    assert "subAccountUser" in reasons(read([row, sub()], Hints(account=CAROL)))


def test_an_account_without_sub_accounts_says_so():
    asked = {"type": "subAccounts", "user": ALICE}
    assert ("subAccounts was answered with null: the account has none",) == read(
        captured(asked, None)
    ).notes


def order(**changes: object) -> dict[str, object]:
    return {
        "coin": "INJ", "side": "A", "limitPx": "9.2037", "sz": "12.5", "oid": 3_184_595_907,
        "timestamp": AT - 5, "origSz": "13.0", "orderType": "Take Profit Market", "tif": None,
        "triggerPx": "10.004", "isTrigger": True, "reduceOnly": True, "cloid": None, **changes,
    }  # fmt: skip


ORDER = ObservedOrder(
    coin="INJ", side="A", limit_px=D("9.2037"), sz=D("12.5"), oid=3_184_595_907, placed=AT - 5,
    original_sz=D(13), order_type="Take Profit Market", time_in_force=None,
    trigger_px=D("10.004"), is_trigger=True, reduce_only=True, cloid=None,
)  # fmt: skip


def test_open_orders_are_one_observation():
    assert OrdersObserved(stream=account_stream(ALICE), at=AT, orders=(ORDER, ORDER)) == only(
        read([order(), order()])
    )


def test_half_a_list_of_open_orders_is_none():
    reading = read([order(), order(side="X")])
    assert [] == events(reading)
    assert "side" in reasons(reading)


def test_statuses_of_orders_are_read_oldest_first():
    rows = [
        {"order": order(), "status": "canceled", "statusTimestamp": AT + 5},
        {"order": order(), "status": "open", "statusTimestamp": AT},
    ]
    first, second = events(read(rows))
    assert ("open", "canceled") == (first.status, second.status)
    assert (
        OrderStatusObserved(stream=account_stream(ALICE), at=AT, order=ORDER, status="open")
        == first
    )


def test_shares_of_vaults_are_read():
    rows = [{"vaultAddress": CAROL, "equity": "688536.0314879999", "lockedUntilTimestamp": AT}]
    assert VaultEquityObserved(
        stream=account_stream(ALICE),
        at=AT,
        vault=CAROL,
        equity=D("688536.0314879999"),
        locked_until=AT,
    ) == only(read(rows))


def test_what_is_staked_is_read():
    row = {
        "delegated": "12.5", "undelegated": "0.5", "totalPendingWithdrawal": "1.0",
        "nPendingWithdrawals": 1,
    }  # fmt: skip
    assert StakeObserved(
        stream=account_stream(ALICE), at=AT, delegated=D("12.5"), undelegated=D("0.5"), pending=D(1)
    ) == only(read(row))
