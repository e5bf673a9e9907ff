"""Funding: an account's payments with the venue's sign, and the published rates of a market."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from ledger import codec
from ledger.errors import NeedsHint
from ledger.events import FundingPaid, FundingRateSet
from ledger.importers import Hints
from ledger.units import account_stream, market_stream
from tests.support.answers import (
    ALICE,
    AT,
    ZERO_HASH,
    captured,
    events,
    only,
    read,
    reasons,
)


def paid(**changes: object) -> dict[str, object]:
    delta = {
        "type": "funding", "coin": "APE", "usdc": "-0.145796", "szi": "40.13333333",
        "fundingRate": "0.00029319", "nSamples": 3, **changes,
    }  # fmt: skip
    return {"time": AT, "hash": ZERO_HASH, "delta": delta}


PAID = FundingPaid(
    stream=account_stream(ALICE),
    at=AT,
    coin="APE",
    usdc=Decimal("-0.145796"),
    size=Decimal("40.13333333"),
    rate=Decimal("0.00029319"),
    samples=3,
    tx_hash=ZERO_HASH,
)


def test_a_payment_keeps_its_sign_and_every_digit():
    assert PAID == only(read([paid()]))


def test_a_flat_row_says_the_same():
    row = paid()
    flat = {**row["delta"], "time": row["time"], "hash": row["hash"]}
    assert PAID == only(read([flat]))


def test_a_payment_told_twice_has_one_identity():
    first, second = events(read([paid(), paid()]))
    assert codec.identity(first) == codec.identity(second)


@pytest.mark.parametrize("field", ["coin", "usdc", "szi", "fundingRate"])
def test_a_payment_with_nonsense_in_a_field_stays_outside(field: str):
    reading = read([paid(), paid(**{field: None})])
    assert 1 == len(events(reading))
    assert field in reasons(reading)
    assert () == reading.parts[0].covers


def test_whose_payments_they_are_has_to_be_said():
    with pytest.raises(NeedsHint, match=r"--account 0x…"):
        read([paid()], Hints())


def test_funding_of_the_websocket_is_the_same():
    flat = {**paid()["delta"], "time": AT, "hash": ZERO_HASH}
    message = {"channel": "userFundings", "data": {"user": ALICE, "fundings": [flat]}}
    assert PAID == only(read(message, Hints()))


def test_an_asked_window_is_covered():
    asked = {"type": "userFunding", "user": ALICE, "startTime": AT - 9, "endTime": AT - 1}
    row = {**paid(), "time": AT - 5}
    (claim,) = read(captured(asked, [row])).parts[0].covers
    assert ("funding", AT - 9, AT - 1) == (claim.family, claim.since, claim.until)


def test_rates_go_to_the_stream_of_their_market():
    rows = [
        {"coin": coin, "fundingRate": "0.0000125", "premium": premium, "time": AT}
        for coin, premium in (("BTC", "0.00029005"), ("ETH", None))
    ]
    btc, eth = read(rows, Hints()).parts
    assert [market_stream("BTC"), market_stream("ETH")] == [btc.stream, eth.stream]
    assert (
        FundingRateSet(
            stream=market_stream("BTC"),
            at=AT,
            coin="BTC",
            rate=Decimal("0.0000125"),
            premium=Decimal("0.00029005"),
        ),
    ) == btc.events
    assert eth.events[0].premium is None
    assert ((0,), (1,)) == (btc.rows, eth.rows)


def test_a_rate_without_a_moment_stays_outside():
    rows = [
        {"coin": "BTC", "fundingRate": "0.1", "premium": "0", "time": AT},
        {"coin": "BTC", "fundingRate": "0.1", "premium": "0"},
    ]
    assert "[1]: time" in reasons(read(rows))


@pytest.mark.recorded
def test_recorded_payments_sum_to_the_sum_of_their_rows(recorded: Path):
    name = "hyperliquid-python-sdk/test_user_funding_history_without_end_time.44147975.json"
    body = (recorded / name).read_bytes()
    rows = json.loads(body)[0]["response"]
    found = events(read(body, Hints()))
    assert 218 == len(rows) == len(found)
    expected = sum(Decimal(row["delta"]["usdc"]) for row in rows)
    assert expected == sum(event.usdc for event in found)


@pytest.mark.recorded
def test_recorded_rates_are_those_of_their_rows(recorded: Path):
    name = "hyperliquid-python-sdk/test_get_funding_history_None.5c30fad5.json"
    body = (recorded / name).read_bytes()
    rows = json.loads(body)[0]["response"]
    expected = [(row["time"], Decimal(row["fundingRate"]), Decimal(row["premium"])) for row in rows]
    found = events(read(body, Hints()))
    assert expected == [(event.at, event.rate, event.premium) for event in found]
    assert 1038 == len(found)
