"""Ledger deltas: every type the venue names, the unknown ones, and staking's history."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from ledger import codec
from ledger import events as kinds
from ledger.errors import NeedsHint
from ledger.importers import Hints
from ledger.importers.transfers import READERS
from ledger.money import canonical
from ledger.units import MAIN_DEX, account_stream
from tests.support.answers import (
    ALICE,
    AT,
    BOB,
    CAROL,
    captured,
    events,
    hash_of,
    only,
    read,
    reasons,
)

D = Decimal
COMMON = {"stream": account_stream(ALICE), "at": AT, "tx_hash": hash_of(1)}
HERE_PERP = {"source": "perp:", "target": "perp:"}
NO_FEE = {"fee": D(0), "fee_asset": None, "native_fee": D(0), "usdc_value": None, "nonce": None}
BETWEEN = {"sender": ALICE, "recipient": BOB}

CASES = {
    "deposit": (
        {"usdc": "2703997.4500000002"},
        kinds.Deposited(**COMMON, usdc=D("2703997.4500000002")),
    ),
    "withdraw": (
        {"usdc": "10", "nonce": 5, "fee": "1.0"},
        kinds.Withdrawn(**COMMON, usdc=D(10), fee=D(1), nonce=5),
    ),
    "accountClassTransfer": (
        {"usdc": "12.0", "toPerp": False},
        kinds.ClassTransferred(**COMMON, asset="USDC", amount=D(12), dex=MAIN_DEX, to_perp=False),
    ),
    "perpDexClassTransfer": (
        {"amount": "3", "token": "USDH", "dex": "flx", "toPerp": True},
        kinds.ClassTransferred(**COMMON, asset="USDH", amount=D(3), dex="flx", to_perp=True),
    ),
    "internalTransfer": (
        {"usdc": "40.0", "user": ALICE, "destination": BOB, "fee": "1.0"},
        kinds.Transferred(
            **COMMON, **BETWEEN, **HERE_PERP, **{**NO_FEE, "fee": D(1)},
            venue_type="internalTransfer", asset="USDC", amount=D(40),
        ),
    ),
    "subAccountTransfer": (
        {"usdc": "7", "user": ALICE, "destination": BOB},
        kinds.Transferred(
            **COMMON, **BETWEEN, **HERE_PERP, **NO_FEE,
            venue_type="subAccountTransfer", asset="USDC", amount=D(7),
        ),
    ),
    "spotTransfer": (
        {
            "token": "MAX", "amount": "320121.396989", "usdcValue": "0.0", "user": ALICE,
            "destination": BOB, "fee": "0.5", "nativeTokenFee": "0.001", "nonce": None,
            "feeToken": "USDC",
        },
        kinds.Transferred(
            **COMMON, **BETWEEN, venue_type="spotTransfer", asset="MAX", amount=D("320121.396989"),
            source="spot", target="spot", fee=D("0.5"), fee_asset="USDC", native_fee=D("0.001"),
            usdc_value=D(0), nonce=None,
        ),
    ),
    "send": (
        {
            "user": ALICE, "destination": BOB, "sourceDex": "", "destinationDex": "xyz",
            "token": "USDC", "amount": "25000.0", "usdcValue": "25000.0", "fee": "0.0",
            "nativeTokenFee": "0.0", "nonce": 1_784_288_317_818, "feeToken": "",
        },
        kinds.Transferred(
            **COMMON, **BETWEEN, venue_type="send", asset="USDC", amount=D(25000), source="perp:",
            target="perp:xyz", fee=D(0), fee_asset=None, native_fee=D(0), usdc_value=D(25000),
            nonce=1_784_288_317_818,
        ),
    ),
    "accountActivationGas": (
        {"amount": "1.0", "token": "USDC"},
        kinds.ActivationCharged(**COMMON, asset="USDC", amount=D(1)),
    ),
    "rewardsClaim": (
        {"amount": "8.5", "token": "USDC"},
        kinds.RewardsClaimed(**COMMON, asset="USDC", amount=D("8.5")),
    ),
    "spotGenesis": (
        {"token": "PURR", "amount": "-100.0"},
        kinds.GenesisReceived(**COMMON, asset="PURR", amount=D(-100)),
    ),
    "deployGasAuction": (
        {"token": "HYPE", "amount": "500"},
        kinds.AuctionPaid(**COMMON, venue_type="deployGasAuction", asset="HYPE", amount=D(500)),
    ),
    "gossipPriorityGasAuction": (
        {"token": "HYPE", "amount": "0.34223973"},
        kinds.AuctionPaid(
            **COMMON, venue_type="gossipPriorityGasAuction", asset="HYPE", amount=D("0.34223973")
        ),
    ),
    "cStakingTransfer": (
        {"token": "HYPE", "amount": "25.0", "isDeposit": False},
        kinds.StakingTransferred(**COMMON, asset="HYPE", amount=D(25), is_deposit=False),
    ),
    "borrowLend": (
        {
            "token": "USDC", "operation": "withdraw", "amount": "1000.0",
            "interestAmount": "0.93372645",
        },
        kinds.ReserveOperated(
            **COMMON, operation="withdraw", asset="USDC", amount=D(1000),
            reported_interest=D("0.93372645"),
        ),
    ),
    "activateDexAbstraction": (
        {"dex": "xyz", "token": "USDC", "amount": "4"},
        kinds.DexAbstractionActivated(**COMMON, dex="xyz", asset="USDC", amount=D(4)),
    ),
    "vaultCreate": (
        {"vault": CAROL, "usdc": "100", "fee": "100"},
        kinds.VaultCreated(**COMMON, vault=CAROL, usdc=D(100), fee=D(100)),
    ),
    "vaultDeposit": (
        {"vault": CAROL, "usdc": "50"},
        kinds.VaultDeposited(**COMMON, vault=CAROL, usdc=D(50)),
    ),
    "vaultWithdraw": (
        {
            "vault": CAROL, "user": ALICE, "requestedUsd": "310.0", "commission": "15.336366",
            "closingCost": "0.0", "basis": "156.636333", "netWithdrawnUsd": "294.663634",
        },
        kinds.VaultWithdrawn(
            **COMMON, vault=CAROL, user=ALICE, requested=D(310), commission=D("15.336366"),
            closing_cost=D(0), basis=D("156.636333"), net=D("294.663634"),
        ),
    ),
    "vaultDistribution": (
        {"vault": CAROL, "usdc": "88.985153"},
        kinds.VaultDistributed(**COMMON, vault=CAROL, usdc=D("88.985153")),
    ),
    "vaultLeaderCommission": (
        {"user": ALICE, "usdc": "15.336366"},
        kinds.LeaderCommissionReceived(**COMMON, user=ALICE, usdc=D("15.336366")),
    ),
    "liquidation": (
        {
            "liquidatedNtlPos": "713779.9733", "accountValue": "23677.066259",
            "leverageType": "Isolated",
            "liquidatedPositions": [{"coin": "TRUMP", "szi": "-12511.7"}],
        },
        kinds.Liquidated(
            **COMMON, notional=D("713779.9733"), account_value=D("23677.066259"),
            leverage_type="Isolated",
            positions=(kinds.LiquidatedPosition(coin="TRUMP", size=D("-12511.7")),),
        ),
    ),
}  # fmt: skip
"""Fields after the documentation's table of delta types, values from recorded rows where there
are any. Each with the event it has to become."""


def row(venue_type: str, fields: dict[str, object], **around: object) -> dict[str, object]:
    return {"time": AT, "hash": hash_of(1), "delta": {"type": venue_type, **fields}, **around}


@pytest.mark.parametrize("venue_type", sorted(CASES))
def test_a_delta_of_every_named_type_becomes_its_event(venue_type: str):
    fields, expected = CASES[venue_type]
    assert expected == only(read([row(venue_type, fields)]))


def test_every_type_that_is_read_has_its_case():
    assert set(READERS) == set(CASES)


@pytest.mark.parametrize(
    ("venue_type", "field"),
    [(name, field) for name, (fields, _) in sorted(CASES.items()) for field in fields],
)
def test_a_delta_with_nonsense_in_a_field_stays_outside(venue_type: str, field: str):
    fields, expected = CASES[venue_type]
    reading = read([row(venue_type, {**fields, field: [{}]}), row(venue_type, fields)])
    assert [expected] == events(reading)
    assert 1 == len(reading.unreadable)


def test_a_type_we_do_not_know_is_kept_word_for_word():
    event = only(read([row("welcomeBonus", {"usdc": "5.0", "more": [1, None]})]))
    assert isinstance(event, kinds.Unrecognized)
    assert "welcomeBonus" == event.venue_type
    assert {"type": "welcomeBonus", "usdc": "5.0", "more": [1, None]} == json.loads(event.body)


@pytest.mark.parametrize("field", ["time", "hash", "delta"])
def test_a_row_without_moment_hash_or_delta_stays_outside(field: str):
    whole = row("deposit", {"usdc": "1"})
    cut = {key: value for key, value in whole.items() if key != field}
    reading = read([whole, cut])
    assert 1 == len(events(reading))
    assert f"[1]: {field}" in reasons(reading)
    assert () == reading.parts[0].covers


def test_identical_rows_of_one_answer_are_counted():
    twins = [row("deposit", {"usdc": "1"}), row("deposit", {"usdc": "1"})]
    first, second = events(read(twins))
    assert (0, 1) == (first.occurrence, second.occurrence)
    assert codec.identity(first) != codec.identity(second)


def test_rows_of_one_key_and_other_amounts_in_one_answer_are_two_events():
    rows = [row("deposit", {"usdc": "1"}), row("deposit", {"usdc": "2"})]
    assert 2 == len(set(map(codec.identity, events(read(rows)))))


def test_a_full_page_of_the_ledger_claims_all_but_its_last_millisecond():
    rows = [row("deposit", {"usdc": "1"}, time=AT + number) for number in range(500)]
    asked = {"type": "userNonFundingLedgerUpdates", "user": ALICE, "startTime": AT - 5}
    (claim,) = read(captured(asked, rows)).parts[0].covers
    assert ("transfers", AT - 5, AT + 498) == (claim.family, claim.since, claim.until)


def test_a_bare_ledger_needs_to_be_told_whose_it_is():
    with pytest.raises(NeedsHint, match=r"--account 0x…"):
        read([row("deposit", {"usdc": "1"})], Hints())


def staked(delta: dict[str, object], time: int = AT) -> dict[str, object]:
    return {"time": time, "hash": hash_of(1), "delta": delta}


def test_the_history_of_a_delegator_is_read_and_turned_oldest_first():
    rows = [
        staked({"withdrawal": {"amount": "3", "phase": "initiated"}}, AT + 3),
        staked({"delegate": {"validator": BOB, "amount": "2", "isUndelegate": True}}, AT + 2),
        staked({"delegate": {"validator": BOB, "amount": "2", "isUndelegate": False}}, AT + 1),
        staked({"cDeposit": {"amount": "5"}}),
    ]
    found = events(read(rows))
    assert ["deposit", "delegate", "undelegate", "withdraw"] == [event.action for event in found]
    assert [None, BOB, BOB, None] == [event.validator for event in found]
    assert "initiated" == found[-1].phase


def test_an_unknown_act_of_a_delegator_is_kept():
    rows = [staked({"cDeposit": {"amount": "5"}}), staked({"rebase": {"amount": "5"}})]
    kept = [event for event in events(read(rows)) if isinstance(event, kinds.Unrecognized)]
    assert ["delegatorHistory"] == [event.venue_type for event in kept]


LEDGER = (
    "hyperliquid-python-sdk/test_user_non_funding_ledger_updates_without_end_time.49c14992.json"
)


@pytest.mark.recorded
def test_all_146_recorded_ledger_rows_are_events_and_sum_to_the_sums_of_the_rows(
    recorded: Path, figure
):
    """Every decimal of every event, summed by type, token and field, is that of the raw rows."""
    body = (recorded / LEDGER).read_bytes()
    rows = json.loads(body)[0]["response"]
    reading = read(body, Hints())
    found = events(reading)
    assert 146 == len(rows) == len(found)
    assert () == reading.unreadable
    fields = {"usdc": "usdc", "amount": "amount", "fee": "fee", "nativeTokenFee": "native_fee"}
    expected: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for item in rows:
        delta = item["delta"]
        token = delta.get("token", "USDC")
        for name, value in delta.items():
            if name in fields:
                # An event calls the moved amount by one name, whatever the row calls it.
                moved = "moved" if name in {"usdc", "amount"} else fields[name]
                expected[delta["type"], token, moved] += Decimal(value)
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for item, event in zip(rows, found, strict=True):
        own = attrs.asdict(event)
        token = own.get("asset", "USDC")
        for name, value in own.items():
            if name in {"usdc", "amount", "fee", "native_fee"} and value is not None:
                moved = "moved" if name in {"usdc", "amount"} else name
                sums[item["delta"]["type"], token, moved] += value
    # Rows without a field for a fee have none; their events say zero.
    assert {key: value for key, value in expected.items() if value} == {
        key: value for key, value in sums.items() if value
    }
    assert 9 == len({item["delta"]["type"] for item in rows})
    noisy = sum(len(item["delta"].get("usdc", "").partition(".")[2]) > 8 for item in rows)
    kept = Counter(canonical(event.usdc) for event in found if hasattr(event, "usdc"))
    assert 1 == kept["2703997.4500000002"]
    assert noisy
    figure(line="1g", text="recorded ledger rows that are events", value=f"{len(found)} of 146")


@pytest.mark.recorded
def test_a_window_asked_to_the_millisecond_of_an_event_holds_it(recorded: Path):
    """Fact 18: the end of a window is inclusive."""
    path = next((recorded / "rotki").glob("test_refetch*"))
    asked = [item["request"] for item in json.loads(path.read_bytes())]
    parts = [part for part in read(path.read_bytes(), Hints()).parts if part.covers]
    for part in parts:
        request = asked[int(part.answer.partition("]")[0][1:])]
        (claim,) = part.covers
        assert (request["startTime"], request["endTime"]) == (claim.since, claim.until)
        assert claim.since <= part.events[0].at <= claim.until
    assert 4 == len(parts)
