"""Node lines: the same facts the API tells, under the same identities. All lines are composed."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import codec
from ledger.entries import Covered, RawRecord, Reading
from ledger.errors import MalformedRecord, NeedsHint, RefusedFile
from ledger.events import Filled, FundingPaid, StakeChanged, Transferred, Unrecognized
from ledger.importers import node, opened
from ledger.importers import read as read_record
from ledger.importers.base import Hints
from ledger.units import Address, Digest

ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
ZERO_HASH = "0x" + "0" * 64
AT = 1_760_130_964_831
ISO = "2025-10-10T21:16:04.831874929"


def fill(**changes: object) -> dict[str, object]:
    return {
        "coin": "AVAX", "px": "22.075", "sz": "28.53", "side": "B", "time": AT,
        "startPosition": "-28.53", "dir": "Close Short", "closedPnl": "194.275035",
        "hash": "0x" + "9" * 64, "oid": 7, "crossed": True, "fee": "0.1", "tid": 11,
        "feeToken": "USDC", "twapId": None, **changes,
    }  # fmt: skip


def block(number: int, *events: object, at: str = ISO) -> dict[str, object]:
    return {"local_time": at, "block_time": at, "block_number": number, "events": list(events)}


def misc(variant: str, body: dict[str, object], tx_hash: str = ZERO_HASH) -> dict[str, object]:
    return {"time": ISO, "hash": tx_hash, "inner": {variant: body}}


def text_of(*lines: object) -> str:
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def read(*lines: object, hints: Hints = Hints()) -> Reading:  # noqa: B008 - frozen
    return read_text(text_of(*lines), hints)


def read_text(text: str, hints: Hints = Hints()) -> Reading:  # noqa: B008 - frozen
    body = text.encode()
    record = RawRecord(name="node", body=body, digest=Digest(sha256(body).hexdigest()))
    return read_record(record, hints)


def identities(reading: Reading) -> list[bytes]:
    return [codec.identity(event) for part in reading.parts for event in part.events]


def lines_of(reading: Reading) -> list[bytes]:
    return [codec.encode(event) for part in reading.parts for event in part.events]


def test_the_fill_of_the_node_is_the_fill_of_the_api():
    api = read_text(json.dumps([fill()]), Hints(account=ALICE))
    assert 1 == len(identities(api))
    for reading in (
        read([ALICE, fill()]),
        read([ALICE, fill()], [BOB, fill(side="A")], hints=Hints(account=ALICE)),
        read(fill(user=ALICE)),
        read(block(1, [ALICE, fill()])),
    ):
        assert identities(api) == identities(reading)
        assert lines_of(api) == lines_of(reading)
        assert {"node"} == {part.source for part in reading.parts}


def test_look_alike_fills_without_a_number_are_counted_as_the_api_counts_them():
    dust = fill(tid=0, hash=ZERO_HASH, dir="Spot Dust Conversion", coin="@107", side="A")
    api = read_text(json.dumps([dust, dust]), Hints(account=ALICE))
    assert 2 == len(set(identities(api)))
    assert identities(api) == identities(read(block(1, [ALICE, dust], [ALICE, dust])))


def test_both_sides_of_a_match_go_to_their_own_streams_in_the_order_of_the_file():
    reading = read(
        block(1, [ALICE, fill()], [BOB, fill(side="A")]),
        block(2, [ALICE, fill(tid=12, time=AT + 70)], at="2025-10-10T21:16:04.901"),
    )
    first, second = reading.parts
    assert (f"account:{ALICE}", (1, 2)) == (first.stream, first.rows)
    assert (f"account:{BOB}", (1,)) == (second.stream, second.rows)
    covers = (Covered(family="fills", since=AT, until=AT + 70),)
    assert covers == first.covers == second.covers
    assert "node_fills_by_block" == reading.kind


def test_blocks_without_fills_widen_what_is_covered():
    reading = read(
        block(1, at="2025-10-10T21:16:00"),
        block(2, [ALICE, fill()]),
        block(3, at="2025-10-10T21:17:00.5"),
    )
    assert (Covered(family="fills", since=1_760_130_960_000, until=1_760_131_020_500),) == (
        reading.parts[0].covers
    )


def test_a_file_with_an_unreadable_line_claims_no_coverage():
    reading = read_text(text_of(block(1, [ALICE, fill()])) + "{broken\n")
    assert () == reading.parts[0].covers
    assert ["line 2"] == [row.place for row in reading.unreadable]


def test_only_the_account_asked_for_is_read():
    rows = [block(n, [BOB, fill(tid=n)], [ALICE, fill(tid=n)]) for n in range(1, 5)]
    reading = read(*rows, hints=Hints(account=ALICE))
    (part,) = reading.parts
    assert (f"account:{ALICE}", (1, 2, 3, 4)) == (part.stream, part.rows)


def test_a_block_delivered_again_adds_only_what_is_new_in_it():
    dust = fill(tid=0, hash=ZERO_HASH)
    reading = read(
        block(1, [ALICE, dust], [ALICE, fill()]),
        block(1, [ALICE, dust], [ALICE, fill()], [ALICE, dust]),
    )
    assert (1, 1, 2) == reading.parts[0].rows
    assert 3 == len(set(identities(reading)))
    assert any("delivered again" in note for note in reading.notes)


def test_fields_only_the_node_gives_are_named():
    reading = read([ALICE, fill(deployerFee="0.001902", priorityGas=3)])
    assert any("deployerFee" in note and "priorityGas" in note for note in reading.notes)


# ------------------------------------------------------------------------- other events

SEND = {
    "type": "send", "user": ALICE, "destination": BOB, "sourceDex": "", "destinationDex": "spot",
    "token": "USDC", "amount": "33.053999", "usdcValue": "33.053999", "fee": "0.0",
    "nativeTokenFee": "0.0", "nonce": 1784288317818, "feeToken": "",
}  # fmt: skip


def test_a_ledger_update_is_the_api_row_of_every_user_it_names():
    tx_hash = "0x" + "5" * 64
    reading = read(block(1, misc("LedgerUpdate", {"users": [ALICE, BOB], "delta": SEND}, tx_hash)))
    assert ["misc_events_by_block", 2] == [reading.kind, len(reading.parts)]
    for part, account in zip(reading.parts, (ALICE, BOB), strict=True):
        rows = [{"time": AT, "hash": tx_hash, "delta": SEND}]
        api = read_text(json.dumps(rows), Hints(account=account))
        assert lines_of(api) == [codec.encode(event) for event in part.events]
        assert isinstance(part.events[0], Transferred)
        assert () == part.covers


def test_a_user_named_twice_gets_one_event():
    reading = read(block(1, misc("LedgerUpdate", {"users": [ALICE, ALICE], "delta": SEND})))
    assert [1] == [len(part.events) for part in reading.parts]


def test_funding_is_the_funding_the_api_tells():
    delta = {"user": ALICE, "coin": "ETH", "funding_amount": "-3.625312", "szi": "49.1477",
             "funding_rate": "0.0000417"}  # fmt: skip
    other = {**delta, "user": BOB, "szi": "NaN"}
    reading = read(block(1, misc("Funding", {"deltas": [other, delta]})))
    api = read_text(
        json.dumps([
            {"time": AT, "hash": ZERO_HASH,
             "delta": {"type": "funding", "coin": "ETH", "usdc": "-3.625312", "szi": "49.1477",
                       "fundingRate": "0.0000417", "nSamples": None}},
        ]),
        Hints(account=ALICE),
    )  # fmt: skip
    assert lines_of(api) == lines_of(reading)
    assert isinstance(reading.parts[0].events[0], FundingPaid)
    assert ["line 1"] == [row.place for row in reading.unreadable]


@pytest.mark.parametrize(
    ("variant", "body", "action", "phase"),
    [
        ("CDeposit", {}, "deposit", None),
        ("CWithdrawal", {"is_finalized": False}, "withdraw", "initiated"),
        ("CWithdrawal", {"is_finalized": True}, "withdraw", "finalized"),
        ("Delegation", {"validator": BOB, "is_undelegate": False}, "delegate", None),
        ("Delegation", {"validator": BOB, "is_undelegate": True}, "undelegate", None),
    ],
)
def test_staking_moves(variant: str, body: dict, action: str, phase: str | None):
    (part,) = read(block(1, misc(variant, {"user": ALICE, "amount": "10.5", **body}))).parts
    (event,) = part.events
    assert isinstance(event, StakeChanged)
    assert (action, phase, Decimal("10.5")) == (event.action, event.phase, event.amount)
    assert (BOB if variant == "Delegation" else None) == event.validator
    assert AT == event.at


def test_an_unknown_event_of_a_user_is_kept_and_one_of_nobody_is_counted():
    reading = read(
        block(
            1,
            misc("Surprise", {"user": ALICE, "amount": 1.50}),
            misc("ValidatorRewards", {"validator_to_reward": [[BOB, "1.0"]]}),
            misc("ValidatorRewards", {"validator_to_reward": []}),
        )
    )
    (event,) = reading.parts[0].events
    assert isinstance(event, Unrecognized)
    assert ("Surprise", {"user": ALICE, "amount": 1.5}) == (
        event.venue_type, json.loads(event.body)
    )  # fmt: skip
    assert ("2 ValidatorRewards without an account, kept in the raw record only",) == reading.notes


def test_an_event_line_without_its_block_is_read():
    assert 1 == len(identities(read(misc("CDeposit", {"user": ALICE, "amount": "1"}))))


# ------------------------------------------------------------------------- broken lines


@pytest.mark.parametrize(
    "line",
    [
        json.dumps([ALICE, fill(px="NaN")]),
        json.dumps([ALICE, fill(sz="0")]),
        json.dumps(["0x12", fill()]),
        json.dumps({**fill(user=ALICE), "time": -1}),
        '{"user":',
        "17",
        '{"a":1,"a":2}',
        "[" * 100_000,
    ],
)
def test_a_line_that_cannot_be_read_goes_to_quarantine_and_the_rest_goes_on(line: str):
    reading = read_text(f"{text_of([ALICE, fill()])}{line}\n{text_of([ALICE, fill(tid=12)])}")
    assert (1, 3) == reading.parts[0].rows
    assert ["line 2"] == [row.place for row in reading.unreadable]
    assert all(len(row.text) <= 500 for row in reading.unreadable)


def test_one_broken_fill_of_a_block_does_not_stop_the_others():
    reading = read(block(1, [ALICE, fill(px="x")], [ALICE, fill()], "nonsense"))
    assert 1 == len(identities(reading))
    assert ["line 1", "line 1"] == [row.place for row in reading.unreadable]


def test_rows_out_of_the_order_of_time_are_put_into_it():
    reading = read([ALICE, fill(time=AT + 5)], [ALICE, fill(tid=12)], [ALICE, fill(tid=13)])
    assert (2, 3, 1) == reading.parts[0].rows


def test_a_line_longer_than_a_line_may_be_goes_to_quarantine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(node, "LINE_CHARACTERS_MAX", 1000)
    reading = read([ALICE, fill()], [ALICE, fill(tid=12, cloid="x" * 1000)])
    assert ["line 2"] == [row.place for row in reading.unreadable]


@pytest.mark.parametrize("text", ["{\n" * 9, "{}\n17\n", "{\n[\n"])
def test_lines_that_are_nothing_of_the_node_are_left_to_others(text: str):
    document = opened(RawRecord(name="x", body=text.encode(), digest=Digest("0" * 64)))
    assert [False] == [importer.accepts(document) for importer in node.IMPORTERS]


def test_lines_that_do_not_name_the_account_are_passed_over():
    rows = [[BOB, fill(tid=n)] for n in range(1, 5)]
    reading = read(*rows[:2], [ALICE, fill(tid=9)], *rows[2:], hints=Hints(account=ALICE))
    assert [(3,)] == [part.rows for part in reading.parts]


def test_events_of_others_are_left_out_where_one_account_is_asked_for():
    deltas = [
        {"user": user, "coin": "ETH", "funding_amount": "1", "szi": "1", "funding_rate": "0"}
        for user in (ALICE, BOB)
    ]
    line = block(
        1,
        misc("Funding", {"deltas": deltas}),
        misc("LedgerUpdate", {"users": [ALICE, BOB], "delta": SEND}),
        misc("CDeposit", {"user": BOB, "amount": "1"}),
    )
    (part,) = read(line, hints=Hints(account=ALICE)).parts
    assert (f"account:{ALICE}", 2) == (part.stream, len(part.events))


def test_a_block_written_over_several_lines_is_read():
    reading = read_text(json.dumps(block(1, [ALICE, fill()]), indent=1))
    assert 1 == len(identities(reading))


def test_a_first_line_that_is_broken_hides_nothing():
    assert 1 == len(identities(read_text("{\n" + text_of([ALICE, fill()]))))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(ALICE) | st.just(ISO),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["time", "hash", "inner", "events", "block_time", "block_number", "user",
                         "users", "delta", "deltas", "LedgerUpdate", "Funding", "CDeposit", "coin",
                         "type", "amount"]),
        inner, max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(json_values | st.just([ALICE, fill()]), max_size=4))
def test_lines_of_any_json_are_events_or_quarantine(values: list[object]):
    body = text_of([ALICE, fill()], *values).encode()
    document = opened(RawRecord(name="x", body=body, digest=Digest("0" * 64)))
    reading = node.read(document, Hints())
    assert all(isinstance(event.at, int) for part in reading.parts for event in part.events)


@given(st.data())
def test_a_line_changed_anywhere_is_events_or_quarantine(data: st.DataObject):
    text = text_of(
        block(1, misc("LedgerUpdate", {"users": [ALICE], "delta": SEND})),
        block(2, [ALICE, fill()]),
    )
    place = data.draw(st.integers(0, len(text) - 1))
    text = text[:place] + data.draw(st.text(max_size=3)) + text[place + 1 :]
    try:
        read_text(text)
    except (MalformedRecord, NeedsHint, RefusedFile):
        return
    except UnicodeEncodeError:
        assert any("\ud800" <= letter <= "\udfff" for letter in text)


@given(
    st.lists(
        st.tuples(st.sampled_from([ALICE, BOB]), st.integers(0, 3), st.integers(1, 2**50)),
        min_size=1, max_size=8, unique_by=lambda item: item[2],
    ),
)  # fmt: skip
def test_every_fill_comes_back_whichever_way_it_was_written(rows):
    rows.sort(key=lambda item: item[1])
    fills = [(user, fill(time=AT + step, tid=tid)) for user, step, tid in rows]
    plain = read(*[[user, row] for user, row in fills])
    named = read(*[{**row, "user": user} for user, row in fills])
    blocks = read(*[
        block(step, *[[u, r] for u, r in fills if r["time"] == AT + step],
              at=f"2025-10-10T21:16:04.{831 + step}000001")
        for step in sorted({step for _, step, _ in rows})
    ])  # fmt: skip
    assert lines_of(plain) == lines_of(named) == lines_of(blocks)
    assert len(rows) == len(set(identities(plain)))
    assert all(isinstance(event, Filled) for part in plain.parts for event in part.events)
