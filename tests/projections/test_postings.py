"""What each kind of event means for money: its own legs, one line per kind."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import attrs
import pytest

from ledger import events as ev
from ledger.errors import UnknownKind
from ledger.kinds import KIND_OF
from ledger.money import exact
from ledger.units import Address, Asset, Coin, Dex, Millis, account_stream
from projections import PROJECTIONS, balances
from projections.chart import is_own
from projections.postings import postings
from projections.reference import EMPTY, Reference
from tests.support.trades import ACCOUNT, START, fill

D = Decimal
OTHER = Address("0x" + "b" * 40)
VAULT = Address("0x" + "c" * 40)
HASH = "0x" + "1" * 64
COMMON = {"stream": account_stream(ACCOUNT), "at": Millis(START)}


def own(event, reference=EMPTY) -> dict[tuple[str, str], Decimal]:
    """Return what an event changes at the account's own places."""
    changes: dict[tuple[str, str], Decimal] = {}
    with exact():
        for leg in postings(event, reference):
            if is_own(leg.place):
                key = (leg.place, leg.asset)
                changes[key] = changes.get(key, D(0)) + leg.amount
    return changes


def make(kind: type, **fields):
    return kind(**COMMON, **fields)


def transfer(**fields):
    given = {
        "venue_type": "send",
        "asset": Asset("USDC"),
        "amount": D(10),
        "sender": ACCOUNT,
        "recipient": OTHER,
        "source": "perp:",
        "target": "spot",
        "fee": D(0),
        "fee_asset": None,
        "native_fee": D(0),
        "usdc_value": None,
        "nonce": 7,
        "tx_hash": HASH,
    }
    return make(ev.Transferred, **(given | fields))


def reserve(operation: str):
    return make(
        ev.ReserveOperated,
        operation=operation,
        asset=Asset("HYPE"),
        amount=D(5),
        reported_interest=None,
        tx_hash=HASH,
    )


def withdrawn_from_vault(**fields):
    given = {
        "vault": VAULT,
        "user": ACCOUNT,
        "requested": D(310),
        "commission": D("15.336366"),
        "closing_cost": D(0),
        "basis": D("156.636333"),
        "net": D("294.663634"),
        "tx_hash": HASH,
    }
    return make(ev.VaultWithdrawn, **(given | fields))


USDC, HYPE = Asset("USDC"), Asset("HYPE")

CASES = {
    "a deposit comes to the main perpetuals side": (
        make(ev.Deposited, usdc=D("2703997.4500000002"), tx_hash=HASH),
        {("perp:", "USDC"): D("2703997.45")},
    ),
    "a withdrawal takes the amount and the fee": (
        make(ev.Withdrawn, usdc=D(9), fee=D(1), nonce=1, tx_hash=HASH),
        {("perp:", "USDC"): D(-10)},
    ),
    "money goes from spot to an exchange of others": (
        make(
            ev.ClassTransferred,
            asset=Asset("USDH"),
            amount=D(3),
            dex=Dex("flx"),
            to_perp=True,
            tx_hash=HASH,
        ),
        {("perp:flx", "USDH"): D(3), ("spot", "USDH"): D(-3)},
    ),
    "what is sent leaves its side with its costs": (
        transfer(fee=D(1), native_fee=D("0.1")),
        {("perp:", "USDC"): D(-11), ("spot", "HYPE"): D("-0.1")},
    ),
    "what is received comes without the sender's costs": (
        transfer(sender=OTHER, recipient=ACCOUNT, fee=D(1)),
        {("spot", "USDC"): D(10)},
    ),
    "a transfer to oneself goes from side to side": (
        transfer(recipient=ACCOUNT),
        {("perp:", "USDC"): D(-10), ("spot", "USDC"): D(10)},
    ),
    "when only another recipient is named this account sent": (
        transfer(sender=None),
        {("perp:", "USDC"): D(-10)},
    ),
    "when only another sender is named this account received": (
        transfer(sender=OTHER, recipient=None),
        {("spot", "USDC"): D(10)},
    ),
    "when nobody is named nothing moves": (transfer(sender=None, recipient=None), {}),
    "when only strangers are named nothing moves": (transfer(sender=OTHER, recipient=VAULT), {}),
    "activation is paid from spot": (
        make(ev.ActivationCharged, asset=USDC, amount=D(1), tx_hash=HASH),
        {("spot", "USDC"): D(-1)},
    ),
    "rewards come to spot": (
        make(ev.RewardsClaimed, asset=USDC, amount=D(2), tx_hash=HASH),
        {("spot", "USDC"): D(2)},
    ),
    "a genesis may take from its deployer": (
        make(ev.GenesisReceived, asset=Asset("PURR"), amount=D(-2), tx_hash=HASH),
        {("spot", "PURR"): D(-2)},
    ),
    "an auction is paid from spot": (
        make(
            ev.AuctionPaid, venue_type="deployGasAuction", asset=HYPE, amount=D(100), tx_hash=HASH
        ),
        {("spot", "HYPE"): D(-100)},
    ),
    "staking comes from spot": (
        make(ev.StakingTransferred, asset=HYPE, amount=D(4), is_deposit=True, tx_hash=HASH),
        {("spot", "HYPE"): D(-4), ("staking", "HYPE"): D(4)},
    ),
    "and goes back there": (
        make(ev.StakingTransferred, asset=HYPE, amount=D(4), is_deposit=False, tx_hash=HASH),
        {("spot", "HYPE"): D(4), ("staking", "HYPE"): D(-4)},
    ),
    "a supply moves to the reserve": (
        reserve("supply"),
        {("spot", "HYPE"): D(-5), ("supplied", "HYPE"): D(5)},
    ),
    "what is withdrawn from it comes back": (
        reserve("withdraw"),
        {("spot", "HYPE"): D(5), ("supplied", "HYPE"): D(-5)},
    ),
    "a debt is a negative balance": (
        reserve("borrow"),
        {("spot", "HYPE"): D(5), ("borrowed", "HYPE"): D(-5)},
    ),
    "repaying brings it back to zero": (
        reserve("repay"),
        {("spot", "HYPE"): D(-5), ("borrowed", "HYPE"): D(5)},
    ),
    "interest grows what is lent and what is owed": (
        make(ev.InterestAccrued, asset=USDC, supply=D("0.3"), borrow=D("0.2")),
        {("supplied", "USDC"): D("0.3"), ("borrowed", "USDC"): D("-0.2")},
    ),
    "funding paid leaves the exchange's side": (
        make(
            ev.FundingPaid,
            coin=Coin("BTC"),
            usdc=D("-0.5"),
            size=D(1),
            rate=D("0.0000125"),
            samples=None,
            tx_hash=None,
        ),
        {("perp:", "USDC"): D("-0.5")},
    ),
    "a vault takes what is put in and the fee": (
        make(ev.VaultCreated, vault=VAULT, usdc=D(100), fee=D(10), tx_hash=HASH),
        {("perp:", "USDC"): D(-110), (f"vault:{VAULT}", "USDC"): D(100)},
    ),
    "a deposit into a vault stays the account's": (
        make(ev.VaultDeposited, vault=VAULT, usdc=D(100), tx_hash=HASH),
        {("perp:", "USDC"): D(-100), (f"vault:{VAULT}", "USDC"): D(100)},
    ),
    "a withdrawal takes what was paid in, and the result comes with it": (
        withdrawn_from_vault(),
        {("perp:", "USDC"): D("294.663634"), (f"vault:{VAULT}", "USDC"): D("-156.636333")},
    ),
    "another depositor's withdrawal is not this account's": (
        withdrawn_from_vault(user=OTHER),
        {},
    ),
    "in the vault's own history the money leaves": (
        withdrawn_from_vault(vault=ACCOUNT, user=OTHER),
        {("perp:", "USDC"): D("-310")},
    ),
    "a distribution comes from the vault": (
        make(ev.VaultDistributed, vault=VAULT, usdc=D(5), tx_hash=HASH),
        {("perp:", "USDC"): D(5), (f"vault:{VAULT}", "USDC"): D(-5)},
    ),
    "a leader's share comes from the vaults": (
        make(ev.LeaderCommissionReceived, user=ACCOUNT, usdc=D(5), tx_hash=HASH),
        {("perp:", "USDC"): D(5)},
    ),
    "a purchase of a perpetual brings size and costs its value and the fee": (
        fill("BTC", "B", D("0.5"), D(100), start=D(0)),
        {("position:BTC", "BTC-PERP"): D("0.5"), ("perp:", "USDC"): D("-50.01")},
    ),
    "a sale brings its value": (
        fill("flx:CRCL", "A", D("0.5"), D(100), start=D(0), fee_asset=Asset("USDH")),
        {("position:flx:CRCL", "flx:CRCL-PERP"): D("-0.5"), ("perp:flx", "USDH"): D("49.99")},
    ),
    "a maker's rebate is received": (
        fill("BTC", "B", D(1), D(100), start=None, fee=D("-0.003")),
        {("position:BTC", "BTC-PERP"): D(1), ("perp:", "USDC"): D("-99.997")},
    ),
    "where no fee is recorded none is paid": (
        fill("BTC", "B", D(1), D(100), start=None, fee=None, fee_asset=None),
        {("position:BTC", "BTC-PERP"): D(1), ("perp:", "USDC"): D(-100)},
    ),
    "a buyer of tokens pays the fee in them": (
        fill("HYPE/USDC", "B", D("986.87"), D(8), start=None, fee=D("0.34540448"), fee_asset=None),
        {("spot", "HYPE"): D("986.52459552"), ("spot", "USDC"): D("-7894.96")},
    ),
    "a seller of tokens pays it in what is received": (
        fill("HYPE/USDC", "A", D(1), D(8), start=None, fee=D("0.003"), fee_asset=None),
        {("spot", "HYPE"): D(-1), ("spot", "USDC"): D("7.997")},
    ),
    "the tokens of a market not listed are named, not guessed": (
        fill("@107", "B", D(1), D(8), start=None, fee=D("0.1"), fee_asset=None),
        {("spot", "@107"): D("0.9"), ("spot", "quote of @107"): D(-8)},
    ),
    "a row that sums up fills counts by its own value": (
        fill(
            "ETH",
            "B",
            D("0.3131"),
            D("2868.2853312303"),
            start=None,
            fee=D(0),
            notional=D("898.0601372100001"),
        ),
        {("position:ETH", "ETH-PERP"): D("0.3131"), ("perp:", "USDC"): D("-898.060137")},
    ),
    "a liquidation's mark moves nothing": (
        make(
            ev.Liquidated,
            notional=D(1),
            account_value=D(1),
            leverage_type="Cross",
            positions=(),
            tx_hash=HASH,
        ),
        {},
    ),
    "an opening is attested with debts as positive numbers": (
        make(
            ev.Opened,
            balances=(
                ev.OpeningBalance(place="spot", asset=USDC, amount=D(5)),
                ev.OpeningBalance(place="borrowed", asset=USDC, amount=D(3)),
            ),
            positions=(ev.OpeningPosition(coin=Coin("BTC"), size=D(2), entry_notional=None),),
            author="Somebody",
            source="a state",
        ),
        {
            ("spot", "USDC"): D(5),
            ("borrowed", "USDC"): D(-3),
            ("position:BTC", "BTC-PERP"): D(2),
        },
    ),
}


@pytest.mark.parametrize(("event", "expected"), CASES.values(), ids=CASES)
def test_the_own_legs_of_an_event_are(event, expected):
    assert expected == own(event)


def test_a_listed_pair_names_its_tokens():
    listed = Reference(pairs={Coin("@107"): (HYPE, USDC)})
    event = fill("@107", "A", D(1), D(8), start=None, fee=D(0))
    assert {("spot", "HYPE"): D(-1), ("spot", "USDC"): D(8)} == own(event, listed)


def test_the_collateral_of_an_exchange_is_listed_or_named_but_never_guessed():
    paid = make(
        ev.FundingPaid,
        coin=Coin("flx:CRCL"),
        usdc=D(1),
        size=D(-1),
        rate=D("0.0001"),
        samples=None,
        tx_hash=None,
    )
    assert {("perp:flx", "collateral of flx"): D(1)} == own(paid)
    assert {("perp:flx", "USDH"): D(1)} == own(
        paid, Reference(collateral={Dex("flx"): Asset("USDH")})
    )


def test_the_fee_of_the_venue_already_includes_the_builders():
    event = fill("BTC", "B", D(1), D(100), start=None, fee=D(3), builder_fee=D(1))
    assert D(-103) == own(event)["perp:", "USDC"]


def test_a_kind_not_known_is_refused_with_its_name():
    unknown = make(ev.Unrecognized, venue_type="welcomeBonus", body="{}", tx_hash=None)
    with exact(), pytest.raises(UnknownKind, match="welcomeBonus"):
        postings(unknown, EMPTY)


def members(alias) -> set[type]:
    return set().union(*(members(each) for each in get_args(alias))) if get_args(alias) else {alias}


def test_the_union_of_events_is_all_that_is_registered():
    assert set(KIND_OF) == members(ev.Event)


INFORMATIONAL = {
    ev.StakeChanged: "told again as a staking transfer",
    ev.DexAbstractionActivated: "the record does not say which way",
    ev.CandleObserved: "prices",
    ev.PriceObserved: "prices",
    ev.ReserveObserved: "prices",
    ev.FundingRateSet: "held against its rule by a check",
    ev.MarginTableSet: "metadata",
    ev.MarketListed: "metadata",
    ev.TokenListed: "metadata",
    ev.PairListed: "metadata",
    ev.DexListed: "metadata",
    ev.ModeChanged: "observation",
    ev.PerpStateObserved: "observation",
    ev.SpotStateObserved: "observation",
    ev.LendingStateObserved: "observation",
    ev.OrdersObserved: "observation",
    ev.OrderStatusObserved: "observation",
    ev.SubAccountObserved: "observation",
    ev.VaultEquityObserved: "observation",
    ev.StakeObserved: "observation",
    ev.Noted: "a remark",
    ev.Annulled: "resolved before any fold",
    ev.Replaced: "resolved before any fold",
    ev.Contradicted: "resolved before any fold",
    ev.Ordered: "resolved before any fold",
    ev.Quarantined: "resolved before any fold",
    ev.Liquidated: "the money moves in the fills",
    **dict.fromkeys(get_args(ev.DeskEvent), "an act of people"),
}


def test_every_kind_has_postings_or_a_reason_to_have_none():
    with_legs = {type(event) for event, legs in CASES.values() if legs}
    assert set(KIND_OF) == with_legs | set(INFORMATIONAL) | {ev.Unrecognized}
    assert balances.CONSUMED == with_legs | {ev.Unrecognized}


def test_every_projection_names_only_registered_kinds():
    for projection in PROJECTIONS:
        assert projection.CONSUMED <= set(KIND_OF)


def test_a_posting_says_where_what_and_how_much():
    with exact():
        legs = postings(make(ev.Deposited, usdc=D(1), tx_hash=HASH), EMPTY)
    assert [("perp:", "USDC", D(1)), ("outside", "USDC", D(-1))] == [
        attrs.astuple(leg) for leg in legs
    ]
