"""Law 13: on arbitrary bytes, importers raise what they are allowed to raise, and nothing else.

Bytes at random seldom look like a record. So most examples are good records with something
changed: a value exchanged, a key taken away, a row told twice, a byte flipped.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import codec, importers
from ledger.entries import RawRecord
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.importers import Hints
from ledger.units import Digest
from tests.support.answers import ALICE, AT, BOB, HERE, captured, fill, hash_of

ALLOWED = (MalformedRecord, NeedsHint, RefusedFile)

POSITION = {"coin": "BTC", "szi": "1", "leverage": {"type": "cross", "value": 3}, "entryPx": "1"}
TOTALS = {"accountValue": "1", "totalNtlPos": "1", "totalRawUsd": "1", "totalMarginUsed": "1"}
PERPS = {
    "marginSummary": TOTALS,
    "crossMarginSummary": TOTALS,
    "assetPositions": [{"type": "oneWay", "position": POSITION}],
    "time": AT,
}
SPOT = {
    "balances": [{"coin": "USDC", "token": 0, "total": "1", "hold": "0", "entryNtl": "0"}],
    "tokenToAvailableAfterMaintenance": [[0, "1"]],
}
LOAN = {"borrow": {"basis": "1", "value": "1"}, "supply": {"basis": "0", "value": "0"}}
LOANS = {"tokenToState": [[0, LOAN]], "health": "healthy", "healthFactor": "1.5"}
RESERVE = {"oraclePx": "1.0", "ltv": "0.5", "totalSupplied": "5", "totalBorrowed": "1"}
META = {
    "universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}],
    "marginTables": [[5, {"marginTiers": [{"lowerBound": "0", "maxLeverage": 40}]}]],
    "collateralToken": 0,
}
TOKENS = {
    "tokens": [
        {"name": "USDC", "index": 0, "szDecimals": 8, "weiDecimals": 8},
        {"name": "HYPE", "index": 150, "szDecimals": 2, "weiDecimals": 8},
    ],
    "universe": [{"name": "@107", "tokens": [150, 0], "index": 107}],
}
ORDER = {"coin": "BTC", "side": "B", "limitPx": "1", "sz": "1", "oid": 5, "timestamp": AT}
DELTAS: list[dict[str, Any]] = [
    {"type": "deposit", "usdc": "1"},
    {"type": "withdraw", "usdc": "1", "nonce": 1, "fee": "1"},
    {"type": "spotTransfer", "token": "X", "amount": "1", "user": ALICE, "destination": BOB,
     "fee": "0", "usdcValue": "0"},
    {"type": "liquidation", "liquidatedNtlPos": "1", "accountValue": "1", "leverageType": "Cross",
     "liquidatedPositions": [{"coin": "BTC", "szi": "1"}]},
    {"type": "news", "usdc": "1"},
]  # fmt: skip
CANDLE = {"t": 1, "T": 2, "s": "X", "i": "1h", "n": 1, **dict.fromkeys("ochlv", "1")}
STATES = {
    "clearinghouseState": PERPS,
    "spotClearinghouseState": SPOT,
    "borrowLendUserState": LOANS,
    "userAbstraction": "default",
}
GOOD: list[Any] = [
    [fill(), fill(tid=0, liquidation={"liquidatedUser": BOB, "markPx": "1", "method": "market"})],
    [{"fill": fill(), "twapId": 5}],
    captured({"type": "userFillsByTime", "user": ALICE, "startTime": 1, "endTime": AT}, [fill()]),
    [{"time": AT, "hash": hash_of(number), "delta": delta} for number, delta in enumerate(DELTAS)],
    [{"time": AT, "hash": hash_of(1), "delta": {"type": "funding", "coin": "BTC", "usdc": "1",
      "szi": "1", "fundingRate": "0.1"}}],
    [{"time": AT, "hash": hash_of(1), "delta": {"cDeposit": {"amount": "1"}}}],
    [{"coin": "BTC", "fundingRate": "0.1", "premium": "0.1", "time": AT}],
    [{"time": AT, "token": "USDC", "supply": "1", "borrow": "0"}],
    [[0, RESERVE], [150, RESERVE]],
    LOANS,
    PERPS,
    SPOT,
    "portfolioMargin",
    captured({"type": "batchClearinghouseStates", "users": [ALICE, BOB]}, [PERPS, PERPS]),
    [{"name": "x", "subAccountUser": BOB, "master": ALICE, "clearinghouseState": PERPS,
      "spotState": SPOT}],
    [{"dexToClearinghouseState": [["", PERPS]], "spotState": SPOT, "abstraction": "default"}],
    [ORDER],
    [{"order": ORDER, "status": "open", "statusTimestamp": AT}],
    [{"vaultAddress": BOB, "equity": "1", "lockedUntilTimestamp": AT}],
    {"delegated": "1", "undelegated": "1", "totalPendingWithdrawal": "1"},
    META,
    [META, META],
    [META, [{"markPx": "1", "midPx": None}]],
    TOKENS,
    [TOKENS, [{"coin": "@107", "markPx": "1"}]],
    [None, {"name": "xyz", "fullName": "X", "deployer": BOB}],
    [CANDLE],
    {"BTC": "1.5", "ETH": "2"},
    captured({"type": "marginTable", "id": 5}, {"marginTiers": []}),
    captured({"type": "borrowLendReserveState", "token": 0}, RESERVE),
    {"channel": "user", "data": {"fills": [fill()], "user": ALICE}},
    {"reserve_states": {"0": RESERVE}, "users": {ALICE: STATES}, "meta": {**META,
     "assetContexts": [{"markPx": 1.5}]}},
    {"reserve_states": {}, "snapshots": [{"user": ALICE, "clearinghouse_state": PERPS,
     "asset_meta_snapshot": {**META, "assetContexts": []}}]},
    {"captured": "2026-09-14T14:05:59.976Z", "spot": SPOT, "perps": PERPS},
    [{"token": 0, "recorded": "2026-09-14T14:05:59Z", "state": RESERVE}],
    {"a": {"source": "x", "value": [fill()]}, "b": {"source": "x", "value": "default"}},
    {"coin": "BTC", "levels": [[], []], "time": AT},
    [["day", {"accountValueHistory": []}]],
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["0", "-1.5", "1e5", "NaN", "B", ALICE, "\ud800", "\u202e", "@1", "+1", ""])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a value that can be changed: its holder and its key."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    found = [(value, key) for key in keys]
    for key in keys:
        found += nodes(value[key])
    return found


@st.composite
def changed(draw) -> Any:
    """A good record with up to three places changed."""
    holder = [copy.deepcopy(draw(st.sampled_from(GOOD)))]
    for _ in range(draw(st.integers(0, 3))):
        where, key = draw(st.sampled_from(nodes(holder)))
        act = draw(st.sampled_from(["exchange", "remove", "repeat"]))
        if act == "exchange":
            where[key] = draw(values)
        elif act == "remove" and where is not holder:
            del where[key]
        elif isinstance(where, list) and where is not holder:
            where.append(copy.deepcopy(where[key]))
    return holder[0]


hints = st.sampled_from(
    [
        Hints(),
        HERE,
        Hints(account=BOB, zone="UTC", dates="day-first"),
        Hints(at=AT, token=0, table=5),
    ]
)


def import_totally(body: bytes, said: Hints) -> None:
    """Read bytes; whatever comes out has to be storable and in order."""
    record = RawRecord(name="x", body=body, digest=Digest(sha256(body).hexdigest()))
    with suppress(*ALLOWED):
        reading = importers.read(record, said)
        for part in reading.parts:
            assert part.events
            assert len(part.rows) == len(part.events)
            moments = [event.at for event in part.events]
            assert moments == sorted(moments)
            for event in part.events:
                assert part.stream == event.stream
                line = codec.encode(event)
                assert event == codec.decode(line)
                assert 16 == len(codec.identity(event, line))
            assert all(claim.since <= claim.until for claim in part.covers)
        for row in reading.unreadable:
            assert row.reason
            assert len(row.text) <= 500


@given(changed(), hints)
def test_a_record_with_anything_changed_is_read_or_refused(value: Any, said: Hints):
    import_totally(json.dumps(value).encode(), said)


@given(values, hints)
def test_any_json_is_read_or_refused(value: Any, said: Hints):
    import_totally(json.dumps(value).encode(), said)


@given(st.binary(max_size=200), hints)
def test_any_bytes_are_read_or_refused(body: bytes, said: Hints):
    import_totally(body, said)


@given(st.sampled_from(GOOD), st.integers(0, 10_000), st.integers(0, 255), hints)
def test_a_record_with_a_byte_exchanged_is_read_or_refused(
    value: Any, place: int, byte: int, said: Hints
):
    body = bytearray(json.dumps(value).encode())
    body[place % len(body)] = byte
    import_totally(bytes(body), said)


@given(st.sampled_from(GOOD), st.integers(0, 10_000), hints)
def test_a_record_cut_off_anywhere_is_read_or_refused(value: Any, place: int, said: Hints):
    body = json.dumps(value).encode()
    import_totally(body[: place % len(body)], said)


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_the_records_that_are_changed_are_good_ones(number: int):
    """Otherwise these tests would only show that nonsense is refused."""
    body = json.dumps(GOOD[number]).encode()
    record = RawRecord(name="x", body=body, digest=Digest(sha256(body).hexdigest()))
    reading = importers.read(record, HERE)
    told = "is not an account record" in " ".join(reading.notes)
    assert reading.parts or told or reading.notes
    assert () == reading.unreadable
