"""Canonical lines and identities, by example; the round trip of every kind is a law."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest

from ledger.codec import decode, encode, event_digest, event_id, identity, tag_of
from ledger.errors import MalformedRecord, UnknownKind
from ledger.events import Deposited, Filled, FundingPaid
from ledger.units import Address, Asset, Coin, Millis, Stream, account_stream

ACCOUNT = account_stream(Address("0x5ca1ab1e000000000000000000000000ca5cade0"))


def filled(**changes: Any) -> Filled:
    """Return a perpetual fill as the info service tells it."""
    fill = Filled(
        stream=ACCOUNT,
        at=Millis(1_761_021_509_786),
        coin=Coin("HYPE"),
        px=Decimal("36.45"),
        sz=Decimal(50),
        side="A",
        direction="Close Long",
        start_position=Decimal(50),
        reported_closed_pnl=Decimal("-109.85"),
        reported_net_pnl=None,
        notional=None,
        fee=Decimal("0.820125"),
        fee_asset=Asset("USDC"),
        builder_fee=None,
        crossed=True,
        oid=207838246357,
        tid=701625364644192,
        cloid=None,
        twap_id=None,
        liquidated_user=None,
        liquidation_mark=None,
        liquidation_method=None,
        tx_hash="0xab",
    )
    return attrs.evolve(fill, **changes)


def test_small_numbers_are_written_in_plain_digits() -> None:
    paid = FundingPaid(
        stream=ACCOUNT,
        at=Millis(1),
        coin=Coin("BTC"),
        usdc=Decimal("0.00000001"),
        size=Decimal("1E+3"),
        rate=Decimal("5.53E-7"),
        samples=None,
        tx_hash=None,
    )
    line = json.loads(encode(paid))
    assert ("0.000000553", "1000", "0.00000001") == (line["rate"], line["size"], line["usdc"])


def test_the_kind_can_be_told_without_reading_the_line() -> None:
    assert "filled/1" == tag_of(encode(filled()))


def test_a_trade_is_the_same_fact_whatever_else_a_record_says_of_it() -> None:
    assert event_id(filled()) == event_id(filled(px=Decimal(37), fee=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"tid": 1},
        {"oid": 1},
        {"coin": "BTC"},
        {"at": 1},
        {"tx_hash": None},
        {"occurrence": 1},
        {"stream": Stream("account:0x" + "1" * 40)},
    ],
)
def test_another_key_is_another_fact(changes: dict[str, Any]) -> None:
    assert event_id(filled()) != event_id(filled(**changes))


def test_a_row_without_a_trade_number_is_identified_by_all_it_says() -> None:
    row = filled(tid=None)
    assert event_id(row) != event_id(attrs.evolve(row, fee=Decimal(0)))
    assert identity(row) == identity(row, encode(row))


def test_kinds_never_share_an_identity() -> None:
    gift = Deposited(stream=ACCOUNT, at=Millis(1), usdc=Decimal(1), tx_hash=None)
    assert identity(gift) != identity(filled(at=1, tid=None))


def test_a_line_of_an_unknown_kind_is_named_not_guessed() -> None:
    with pytest.raises(UnknownKind) as caught:
        decode(b'{"@":"teleported/1","at":1}')
    assert "teleported/1" in str(caught.value)


@pytest.mark.parametrize(
    "line", [b'{"@":"filled/1",', b'{"@":"filled/1","at":"x"}', b'{"@":"deposited/1","at":1}']
)
def test_a_line_without_the_shape_of_its_kind_is_malformed(line: bytes) -> None:
    with pytest.raises((MalformedRecord, UnknownKind)):
        decode(line)


def test_the_digest_of_an_event_frames_its_length() -> None:
    line = encode(filled())
    assert event_digest(line) != event_digest(line + b" ")
    assert 64 == len(event_digest(line))
