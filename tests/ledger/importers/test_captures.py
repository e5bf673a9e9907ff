"""Captures, dialogs, wrappers and bare documents: which is which, by content alone."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ledger.errors import NeedsHint, RefusedFile
from ledger.events import Filled, PerpStateObserved, PriceObserved, ReserveObserved
from ledger.importers import Hints
from ledger.units import account_stream
from tests.support.answers import (
    ALICE,
    AT,
    BOB,
    HERE,
    captured,
    events,
    fill,
    only,
    read,
    reasons,
)

NOT_RECORDS = {
    "l2Book": {"coin": "BTC", "levels": [[], []], "time": AT},
    "extraAgents": [{"name": "ok", "address": BOB, "validUntil": AT}],
    "userRateLimit": {"cumVlm": "1.5", "nRequestsUsed": 5, "nRequestsCap": 9},
    "userRole": {"role": "vault"},
    "portfolio": [["day", {"accountValueHistory": [], "pnlHistory": [], "vlm": "0.0"}]],
}


@pytest.mark.parametrize("name", sorted(NOT_RECORDS))
@pytest.mark.parametrize("bare", [True, False])
def test_what_is_no_account_record_is_named_and_holds_nothing(name: str, bare: bool):
    said = NOT_RECORDS[name]
    reading = read(said) if bare else read(captured({"type": name, "user": ALICE}, said))
    assert ((), ()) == (reading.parts, reading.unreadable)
    assert (f"{name} is not an account record: nothing to read",) == reading.notes


def test_the_date_of_a_capture_is_the_moment_of_its_snapshots():
    asked = {"type": "allMids"}
    date = "Fri, 22 Aug 2025 11:45:21 GMT"
    assert 1_755_863_121_000 == only(read(captured(asked, {"BTC": "1"}, date=date))).at


def test_a_capture_without_a_date_takes_the_hint():
    (item,) = captured({"type": "allMids"}, {"BTC": "1"})
    del item["recorded_at_http_date"]
    assert AT == only(read([item])).at
    with pytest.raises(NeedsHint, match="--at "):
        read([item], Hints())


def test_answers_of_one_capture_fail_each_for_itself():
    good = captured({"type": "allMids"}, {"BTC": "1"})
    odd = captured({"type": "somethingNew"}, {"a": [1]})
    late = captured({"type": "allMids"}, {"BTC": "1"}, date="yesterday")
    wrong = captured({"type": "userFills", "user": ALICE}, {"no": "list"})
    reading = read([*good, *odd, *late, *wrong, 5])
    assert 1 == len(events(reading))
    places = ["[1].response", "[2]", "[3].response", "[4]"]
    assert places == [row.place for row in reading.unreadable]


def test_what_was_asked_decides_and_not_what_an_answer_looks_like():
    reading = read(captured({"type": "openOrders", "user": ALICE}, []))
    assert ("openOrders",) == (reading.kind.removeprefix("capture of "),)


def test_an_answer_without_rows_is_noted():
    for name in ("userFills", "userFunding", "userNonFundingLedgerUpdates"):
        reading = read(captured({"type": name, "user": ALICE}, []))
        assert (f"{name} was answered with no rows",) == reading.notes
    for nothing in ([], {}, None):
        assert "empty answer" == read(nothing).kind


def test_names_of_files_decide_nothing():
    assert read([fill()], name="funding.json") == read([fill()], name="x.txt")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"{", b"plain words"])
def test_bytes_that_are_no_record_are_refused_whole(body: bytes):
    with pytest.raises(RefusedFile):
        read(body)


def test_json_of_no_known_shape_is_refused_and_says_so():
    with pytest.raises(RefusedFile, match="no record we know"):
        read({"hello": ["world", 1]})


def test_a_duplicate_key_refuses_the_file_and_names_the_key():
    with pytest.raises(RefusedFile, match="keys are all different"):
        read(b'[{"coin":"BTC","coin":"ETH"}]')


def test_a_text_capture_is_an_answer_under_three_lines():
    body = b"POST\n/info\nfalse\n" + json.dumps([fill()]).encode()
    assert isinstance(only(read(body)), Filled)
    assert "line 4" in reasons(read(b"POST\n/info\nfalse\n{oops"))


def dialog(user: str) -> bytes:
    asked = {"subscription": {"type": "userEvents", "user": user}, "method": "subscribe"}
    reply = {"channel": "subscriptionResponse", "data": asked}
    told = {"channel": "user", "data": {"fills": [fill()]}}
    lines = (
        f"> {json.dumps(asked)}",
        f"< {json.dumps(reply)}",
        f"= \n{json.dumps(told, indent=1)}",
    )
    return "\n".join(lines).encode()


def test_a_dialog_tells_whose_fills_it_is_about():
    assert account_stream(BOB) == only(read(dialog(BOB))).stream


def test_a_user_that_is_no_address_is_asked_for():
    """One recorded dialog names its user ``mtiz``."""
    with pytest.raises(NeedsHint, match="--account 0x…"):
        read(dialog("mtiz"), Hints())
    assert account_stream(ALICE) == only(read(dialog("mtiz"))).stream


def test_a_dialog_with_a_broken_message_keeps_the_others():
    reading = read(dialog(BOB) + b'\n< {"channel": oops}\n')
    assert 1 == len(events(reading))
    assert 1 == len(reading.unreadable)


def test_a_message_without_rows_we_know_is_not_read():
    assert 1 == len(read({"channel": "trades", "data": {"x": 1}}).unreadable)
    assert 1 == len(read({"channel": "trades", "data": []}).unreadable)


# ------------------------------------------------------------------------- wrappers

PERPS = {"assetPositions": [], "crossMaintenanceMarginUsed": 0.5, "time": AT + 5, "withdrawable": 0}
SPOT = {"balances": [{"coin": "USDC", "token": 0, "total": 2.61e-06, "hold": 0.0}]}
LOANS = {
    "tokenToState": {
        "0": {"borrow": {"basis": 0.0, "value": 0.0}, "supply": {"basis": 1.5, "value": 1.6}}
    },
    "health": "healthy",
    "healthFactor": None,
}
RESERVES = {"0": {"ltv": 0.0, "oraclePx": 1.0}, "150": {"ltv": 0.5, "oraclePx": 36.235071}}
MARKETS = {
    "assetContexts": [{"markPx": 36.234}],
    "universe": [{"name": "HYPE", "szDecimals": 2, "maxLeverage": 10}],
    "margin_tables": {"52": [{"lower_bound": 0.0, "mmr_rate": 0.05}]},
}


def by_address(**changes: object) -> dict[str, object]:
    states = {
        "clearinghouseState": PERPS,
        "spotClearinghouseState": SPOT,
        "borrowLendUserState": LOANS,
        "userAbstraction": "portfolioMargin",
    }
    wrapper = {"meta": MARKETS, "reserve_states": RESERVES, "users": {BOB: states}}
    return {**wrapper, **changes}


def test_states_by_address_take_the_moment_of_the_perpetuals_state():
    found = events(read(by_address(), Hints()))
    assert [AT + 5] * 4 == [event.at for event in found]
    assert {account_stream(BOB)} == {event.stream for event in found}


def test_numbers_of_a_wrapper_are_taken_from_their_own_characters():
    (spot,) = (event for event in events(read(by_address())) if hasattr(event, "balances"))
    assert Decimal("0.00000261") == spot.balances[0].total


def test_what_carries_no_moment_waits_for_a_person_to_say_it():
    reading = read(by_address(), Hints())
    assert ["reserve_states", "meta"] == [row.place for row in reading.unreadable]
    assert "--at" in reasons(reading)
    dated = read(by_address())
    assert () == dated.unreadable
    reserves = [event for event in events(dated) if isinstance(event, ReserveObserved)]
    assert [("USDC", AT), ("HYPE", AT)] == [(event.asset, event.at) for event in reserves]
    assert [Decimal("36.234")] == [
        event.px for event in events(dated) if isinstance(event, PriceObserved)
    ]


def test_a_wrapper_may_hold_states_alone():
    bare = by_address(reserve_states=None, meta=None)
    assert 4 == len(events(read(bare, Hints())))
    snapshot = {"user": BOB, "clearinghouse_state": PERPS}
    assert 1 == len(events(read({"snapshots": [snapshot], "reserve_states": None}, Hints())))


def test_reserves_and_markets_of_another_form_are_told_apart():
    reading = read(by_address(reserve_states={"x": {}}, meta={"universe": 5}))
    assert ["reserve_states", "meta"] == [row.place for row in reading.unreadable]


def test_an_account_that_cannot_be_read_leaves_the_others():
    good = by_address()["users"][BOB]
    bad = {**good, "spotClearinghouseState": {"balances": 5}}
    reading = read(by_address(users={BOB: good, ALICE: bad, "0x1": good}), HERE)
    places = [f"users.{ALICE}.spotClearinghouseState", "users.0x1"]
    assert places == [row.place for row in reading.unreadable]
    assert 4 + 3 == sum(event.stream.startswith("account:") for event in events(reading))


def test_snapshots_date_their_markets_by_their_own_state():
    snapshot = {
        "user": BOB,
        "captured_at": "2026-03-31T22:09:17.892466+00:00",
        "user_abstraction": "portfolioMargin",
        "clearinghouse_state": PERPS,
        "spot_clearinghouse_state": SPOT,
        "borrow_lend_user_state": LOANS,
        "asset_meta_snapshot": MARKETS,
    }
    wrapper = {"snapshots": [snapshot, {"user": 5}], "reserve_states": RESERVES}
    reading = read(wrapper, Hints())
    assert {AT + 5} == {event.at for event in events(reading)}
    assert 6 == len(events(reading))
    assert ["reserve_states", "snapshots[1]"] == [row.place for row in reading.unreadable]


def one_account(**changes: object) -> dict[str, object]:
    texts = {"balances": [{"coin": "USDC", "token": 0, "total": "1", "hold": "0"}]}
    perps = {"assetPositions": [], "withdrawable": "0.0", "time": AT + 5}
    return {"captured": "2026-09-14T14:05:59.976Z", "spot": texts, "perps": perps, **changes}


def test_states_of_one_account_have_to_be_told_whose_they_are():
    with pytest.raises(NeedsHint, match="--account"):
        read(one_account(), Hints())
    assert {(account_stream(BOB), AT + 5)} == {
        (event.stream, event.at) for event in events(read(one_account(), Hints(account=BOB)))
    }


def test_without_a_moment_of_the_venue_the_capture_dates_the_states():
    wrapper = one_account(perps={"assetPositions": [], "withdrawable": "0.0"})
    assert {1_789_394_759_976} == {event.at for event in events(read(wrapper))}


def test_numbers_are_refused_where_the_publisher_kept_the_texts():
    reading = read(one_account(spot=SPOT))
    assert [PerpStateObserved] == [type(event) for event in events(reading)]
    assert "total" in reasons(reading)


def test_reserve_states_are_taken_only_where_they_state_their_instant():
    state = {key: str(value) for key, value in RESERVES["150"].items()}
    rows = [
        {"token": 150, "recorded": "2026-03-31T22:09:13Z", "state": state},
        {"token": 150, "recorded": "2026-03-31T22:09:13Z (recorder clock)", "state": state},
        {"token": 150, "recorded": "unknown, 2026", "state": state},
    ]
    reading = read(rows)
    assert 1_774_994_953_000 == only_event(reading).at
    assert ["[1]", "[2]"] == [row.place for row in reading.unreadable]


def only_event(reading):
    (event,) = events(reading)
    return event


def test_quoted_records_are_read_one_by_one():
    quotes = {
        "note": "composed",
        "fills": {"source": "somewhere", "value": [fill(user=BOB)]},
        "state": {"source": "somewhere", "value": LOANS},
        "other": {"source": "somewhere", "value": {"coin": "o458"}},
    }
    reading = read(quotes, Hints())
    assert account_stream(BOB) == only_event(reading).stream
    assert "fills.value" == reading.parts[0].answer
    assert ["state.value", "other.value"] == [row.place for row in reading.unreadable]
