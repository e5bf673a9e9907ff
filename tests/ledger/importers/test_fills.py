"""Fills: order, look-alikes, what is covered, legacy rows, rows that lack what makes them one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import codec
from ledger.entries import Covered
from ledger.errors import NeedsHint
from ledger.events import Filled
from ledger.importers import Hints
from ledger.importers.fills import REMEMBERED_MAX, FillReader, filled
from ledger.units import Millis, account_stream
from tests.support.answers import (
    ALICE,
    AT,
    BOB,
    HERE,
    ZERO_HASH,
    captured,
    events,
    fill,
    hash_of,
    only,
    read,
    reasons,
)


def test_every_field_of_a_fill_is_read():
    row = fill(
        builderFee="0.02",
        cloid="0x01",
        twapId=77,
        liquidation={"liquidatedUser": BOB, "markPx": "22.07", "method": "market"},
    )
    assert Filled(
        stream=account_stream(ALICE),
        at=AT,
        coin="AVAX",
        px=Decimal("22.075"),
        sz=Decimal("28.53"),
        side="B",
        direction="Close Short",
        start_position=Decimal("-28.53"),
        reported_closed_pnl=Decimal("194.275035"),
        reported_net_pnl=None,
        notional=None,
        fee=Decimal("0.1"),
        fee_asset="USDC",
        builder_fee=Decimal("0.02"),
        crossed=True,
        oid=7,
        tid=11,
        cloid="0x01",
        twap_id=77,
        liquidated_user=BOB,
        liquidation_mark=Decimal("22.07"),
        liquidation_method="market",
        tx_hash=hash_of(9),
    ) == only(read([row]))


def test_a_list_newest_first_is_reversed_whole_ties_included():
    rows = [fill(time=AT + 1, tid=4), fill(tid=3), fill(tid=2), fill(time=AT - 1, tid=1)]
    (part,) = read(rows).parts
    assert [1, 2, 3, 4] == [event.tid for event in part.events]
    assert (3, 2, 1, 0) == part.rows


def test_a_list_of_one_millisecond_is_newest_first_unless_it_was_asked_by_time():
    rows = [fill(tid=2), fill(tid=1)]
    assert [1, 2] == [event.tid for event in events(read(rows))]
    by_time = captured({"type": "userFillsByTime", "user": ALICE, "startTime": AT}, rows)
    assert [2, 1] == [event.tid for event in events(read(by_time))]


def test_one_millisecond_runs_the_way_its_sizes_continue():
    """The venue has written both ways; see the rows' own sizes before."""
    later = fill(tid=2, startPosition="28.53")
    earlier = fill(tid=1, startPosition="0.0")
    asked = {"type": "userFillsByTime", "user": ALICE, "startTime": AT}
    for rows in ([later, earlier], [earlier, later]):
        for value in (rows, captured(asked, rows)):
            assert [1, 2] == [event.tid for event in events(read(value))]


def test_sizes_that_are_not_given_say_nothing_of_the_order():
    rows = [fill(tid=2, startPosition=None), fill(tid=1, startPosition=None)]
    assert [1, 2] == [event.tid for event in events(read(rows))]


def test_a_list_oldest_first_stays_as_it_is():
    rows = [fill(time=AT, tid=1), fill(time=AT, tid=2), fill(time=AT + 1, tid=3)]
    assert [1, 2, 3] == [event.tid for event in events(read(rows))]


def test_pages_put_together_are_sorted_and_claim_nothing():
    rows = [fill(time=AT + step, tid=step) for step in (3, 2, 1, 9, 8)]
    (part,) = read(rows).parts
    assert [1, 2, 3, 8, 9] == [event.tid for event in part.events]
    assert () == part.covers


@given(st.lists(st.integers(0, 3), max_size=12), st.booleans())
def test_whatever_the_order_events_come_out_by_time_and_each_keeps_its_row(times, backward):
    times = sorted(times, reverse=backward) if times and times[0] else times
    rows = [fill(time=AT + time, tid=number + 1) for number, time in enumerate(times)]
    for part in read(rows).parts:
        assert [event.at for event in part.events] == sorted(event.at for event in part.events)
        assert [event.tid - 1 for event in part.events] == list(part.rows)


def test_fills_without_a_number_are_told_apart_by_counting():
    dust = fill(tid=0, hash=ZERO_HASH, dir="Spot Dust Conversion", coin="@142", fee="0.0")
    counted = [event.occurrence for event in events(read([dust, dust, fill()]))]
    assert [0, 0, 1] == counted
    numbered = [event.occurrence for event in events(read([fill(), fill()]))]
    assert [0, 0] == numbered


def test_a_fill_of_2023_has_neither_fee_nor_number_and_is_known_by_all_it_says():
    row = fill()
    for field in ("fee", "tid", "feeToken", "twapId"):
        del row[field]
    first, second = events(read([row, {**row, "px": "22.076"}]))
    assert (None, None, None) == (first.fee, first.tid, first.fee_asset)
    assert codec.identity(first) != codec.identity(second)


@pytest.mark.parametrize("field", ["time", "hash", "coin", "px", "sz", "side", "dir"])
def test_a_row_that_lacks_what_makes_it_a_fill_stays_outside(field: str):
    row = fill(tid=12)
    del row[field]
    reading = read([fill(), row])
    assert [11] == [event.tid for event in events(reading)]
    assert f"[1]: {field}" in reasons(reading)
    assert () == reading.parts[0].covers


@pytest.mark.parametrize(
    "change",
    [
        {"px": 22.075},
        {"px": "2.2e1"},
        {"px": "NaN"},
        {"px": "-22"},
        {"coin": ""},
        {"dir": ""},
        {"sz": "0"},
        {"sz": "-1"},
        {"sz": None},
        {"side": "C"},
        {"side": ["B"]},
        {"time": str(AT)},
        {"time": -1},
        {"tid": "11"},
        {"tid": True},
        {"oid": 1.5},
        {"crossed": "yes"},
        {"fee": 1},
        {"feeToken": 5},
        {"coin": "a\u202eb"},
        {"dir": {}},
        {"hash": "no hash"},
        {"twapId": "7"},
        {"cloid": 7},
        {"liquidation": []},
        {"liquidation": {"liquidatedUser": "0x1"}},
        {"user": "somebody"},
    ],
)
def test_a_row_with_nonsense_in_a_field_stays_outside(change: dict[str, object]):
    reading = read([fill(**change), fill(tid=12)])
    assert [12] == [event.tid for event in events(reading)]
    assert next(iter(change)) in reasons(reading) or "liquidatedUser" in reasons(reading)


def test_an_empty_fee_token_is_none_given():
    assert [None] == [event.fee_asset for event in events(read([fill(feeToken="")]))]


def test_a_row_that_is_no_object_stays_outside():
    assert 2 == len(read([fill(), None, [1]]).unreadable)


def test_twap_slices_are_the_same_fills_under_the_same_identity():
    row = fill(hash=ZERO_HASH, twapId=None)
    sliced = only(read([{"fill": row, "twapId": 77}]))
    assert 77 == sliced.twap_id
    whole = only(read([{**row, "twapId": 77}]))
    assert whole == sliced
    assert codec.identity(only(read([row]))) == codec.identity(sliced)


def test_twap_slices_claim_no_interval():
    (part,) = read([{"fill": fill(), "twapId": 77}]).parts
    assert () == part.covers


def test_rows_asked_as_sums_are_refused():
    asked = {"type": "userFillsByTime", "user": ALICE, "startTime": 0, "aggregateByTime": True}
    reading = read(captured(asked, [fill()]))
    assert [] == events(reading)
    assert "aggregateByTime" in reasons(reading)


def test_a_bare_list_needs_to_be_told_whose_it_is():
    with pytest.raises(NeedsHint, match=r"--account 0x…"):
        read([fill()], Hints())


def test_a_row_that_names_its_user_needs_no_hint_and_wins_over_it():
    assert account_stream(BOB) == only(read([fill(user=BOB)], Hints())).stream
    assert account_stream(BOB) == only(read([fill(user=BOB)])).stream


def test_the_user_of_a_capture_wins_over_the_hint():
    asked = {"type": "userFills", "user": BOB.upper().replace("X", "x")}
    assert account_stream(BOB) == only(read(captured(asked, [fill()]))).stream


def covered(reading) -> tuple[int, int]:
    (claim,) = reading.parts[0].covers
    assert "fills" == claim.family
    return claim.since, claim.until


def test_a_bare_answer_covers_from_its_first_to_its_last_fill():
    rows = [fill(time=AT + 9, tid=2), fill(tid=1)]
    (part,) = read(rows).parts
    assert (Covered(family="fills", since=AT, until=Millis(AT + 9)),) == part.covers


def test_an_answer_that_is_no_full_page_covers_the_window_that_was_asked():
    asked = {"type": "userFillsByTime", "user": ALICE, "startTime": AT - 50, "endTime": AT - 10}
    assert (AT - 50, AT - 10) == covered(read(captured(asked, [fill(time=AT - 20)])))


def test_a_window_reaches_no_further_than_the_moment_of_asking():
    asked = {"type": "userFillsByTime", "user": ALICE, "startTime": AT - 50, "endTime": AT + 50}
    assert (AT - 50, AT) == covered(read(captured(asked, [fill(time=AT - 20)])))


def test_a_window_without_an_end_reaches_to_the_last_fill():
    asked = {"type": "userFillsByTime", "user": ALICE, "startTime": AT - 50}
    assert (AT - 50, AT - 20) == covered(read(captured(asked, [fill(time=AT - 20)])))


def page(count: int, *, step: int) -> list[dict[str, object]]:
    return [fill(time=AT + step * number, tid=number + 1) for number in range(count)]


def test_a_full_page_loses_the_millisecond_at_its_cut_end():
    newest = read(page(2000, step=-1))
    assert (AT - 1998, AT) == covered(newest)
    asked = {"type": "userFillsByTime", "user": ALICE, "startTime": AT - 9, "endTime": AT + 9999}
    oldest = read(captured(asked, page(2000, step=1), date="Fri, 10 Oct 2025 08:53:20 GMT"))
    assert (AT - 9, AT + 1998) == covered(oldest)


def test_a_full_page_of_one_millisecond_covers_nothing():
    assert () == read(page(2000, step=0)).parts[0].covers


def test_fields_that_are_not_read_are_named():
    (note,) = read([fill(deployerFee="0.1", priorityGas="3")]).notes
    assert "deployerFee, priorityGas" in note


def test_what_a_reader_remembers_changes_nothing():
    reader = FillReader()
    rows = [fill(px=f"{number}.5", coin=f"C{number}") for number in range(REMEMBERED_MAX + 2)]
    stream = account_stream(ALICE)
    for row in rows[:3] + rows[-2:] + rows[:3]:
        assert filled(row, stream=stream) == reader.read(row, stream=stream)
    for row in rows:
        last = reader.read(row, stream=stream)
    assert filled(rows[-1], stream=stream) == last


def test_websocket_fills_claim_no_interval():
    message = {"channel": "userFills", "data": {"user": BOB, "fills": [fill()]}}
    (part,) = read(message, Hints()).parts
    assert account_stream(BOB) == part.stream
    assert ".data.fills" == part.answer
    assert () == part.covers


@pytest.mark.recorded
def test_recorded_fills_continue_one_another_when_reversed_whole(recorded: Path):
    """Fact 2 of the recordings: 45 of 45 starts continue, none breaks."""
    reading = read((recorded / "gblack686/raw_fills.json").read_bytes())
    position: dict[str, Decimal] = {}
    chained = 0
    for event in events(reading):
        if event.coin in position:
            chained += event.start_position == position[event.coin]
        position[event.coin] = event.start_position + event.sz * (1 if event.side == "B" else -1)
    assert 50 - len(position) == chained == 45


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "count"),
    [("test_get_user_fills.7d89ebe2", 1062), ("test_get_user_fills_by_time.d5a760f5", 500)],
)
def test_recorded_fills_of_2023_keep_every_figure(recorded: Path, name: str, count: int):
    path = recorded / f"hyperliquid-python-sdk/{name}.json"
    rows = json.loads(path.read_text())[0]["response"]
    (part,) = read(path.read_bytes(), Hints()).parts
    assert count == len(rows) == len(part.events)
    for number, event in zip(part.rows, part.events, strict=True):
        row = rows[number]
        figures = (row["px"], row["sz"], row["startPosition"], row["closedPnl"])
        mine = (event.px, event.sz, event.start_position, event.reported_closed_pnl)
        assert tuple(map(Decimal, figures)) == mine
        assert event.tid is None
    assert len(set(map(codec.identity, part.events))) == count


def test_a_hint_of_another_moment_changes_no_fill():
    other = attrs.evolve(HERE, at=Millis(1))
    assert events(read([fill()])) == events(read([fill()], other))
