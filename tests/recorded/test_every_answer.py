"""Every recorded answer imports, and holds as many events as its raw text says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from ledger import importers
from ledger.codec import kind_of
from ledger.entries import RawRecord, Reading
from ledger.importers import Hints
from ledger.seal import digest_of_record
from ledger.units import Millis, parse_address
from tests.support import raw_counts
from tests.support.raw_counts import load, millis, table_rows

pytestmark = pytest.mark.recorded

SOMEBODY = parse_address("0x00000000000000000000000000000000000000aa")
"""Whose a record is that does not say."""
DATED = Millis(millis(2026, 3, 31, 15, 22))
VENUE_NAMES = (
    "clearinghouseState",
    "spotClearinghouseState",
    "borrowLendUserState",
    "userAbstraction",
)
SNAKE_NAMES = (
    "clearinghouse_state",
    "spot_clearinghouse_state",
    "borrow_lend_user_state",
    "user_abstraction",
)
PLAIN = Hints(account=SOMEBODY, zone="Europe/Paris")
FARMER = Hints(account=SOMEBODY, zone="Europe/Paris", dates="day-first")
HERE = Hints(account=SOMEBODY, zone="Europe/Paris", dates="day-first", at=DATED)


def read(name: str, body: bytes, hints: Hints = HERE) -> Reading:
    return importers.read(RawRecord(name=name, body=body, digest=digest_of_record(body)), hints)


def found(reading: Reading) -> Counter[str]:
    return Counter(kind_of(event).name for part in reading.parts for event in part.events)


def read_file(recorded: Path, name: str, hints: Hints = HERE) -> Reading:
    return read(name, (recorded / name).read_bytes(), hints)


def captures(folder: Path) -> list[str]:
    """Return the captures by name: lists of request and response."""
    names = []
    for path in sorted(folder.rglob("*.json")) if folder.is_dir() else ():
        value = load(path)
        if isinstance(value, list) and isinstance(value[0], dict) and "request" in value[0]:
            names.append(str(path.relative_to(folder)))
    return names


def test_every_capture_holds_what_its_answers_say(recorded: Path, figure):
    names = captures(recorded)
    events = 0
    for name in names:
        expected, others = raw_counts.capture(load(recorded / name))
        reading = read_file(recorded, name, Hints())
        assert expected == found(reading), name
        assert () == reading.unreadable, name
        said = " ".join(reading.notes)
        assert all(f"{other} is not an account record" in said for other in others), name
        assert len(others) == said.count("is not an account record"), name
        events += expected.total()
    figure(
        line="2a",
        text="captures import, events as counted from the raw answers",
        value=f"{len(names)} of {len(names)}, {events:,} events",
    )


def tables(recorded: Path) -> dict[str, Counter[str]]:
    fills = ("four86", "claude-trade", "hl-trader-dataset")
    return {
        **{
            str(path.relative_to(recorded)): Counter(filled=table_rows(path))
            for folder in fills
            for path in sorted((recorded / folder).glob("*.csv"))
        },
        "funding-farmer/trade_history.csv": Counter(filled=1524),
        "funding-farmer/funding_history.csv": Counter(funding_paid=47),
        "funding-tracker/funding_history.BTC.csv": Counter(funding_rate_set=23548),
    }


def test_every_table_holds_as_many_events_as_rows(recorded: Path, figure):
    expected = tables(recorded)
    for name, counts in expected.items():
        reading = read_file(recorded, name, FARMER if name.startswith("funding-farmer") else PLAIN)
        assert counts == found(reading), name
        assert () == reading.unreadable, name
    on_disk = {str(path.relative_to(recorded)) for path in recorded.rglob("*.csv")}
    assert on_disk == set(expected)
    figure(
        line="2a",
        text="tables import, one event per row",
        value=f"{len(expected)} of {len(expected)}, "
        f"{sum(counts.total() for counts in expected.values()):,} rows",
    )


def test_fills_as_the_service_sent_them(recorded: Path):
    assert Counter(filled=50) == found(read_file(recorded, "gblack686/raw_fills.json"))
    dust = "nautilus/http_user_fills_dust_conversion.json"
    assert Counter(filled=len(load(recorded / dust))) == found(read_file(recorded, dust))


def test_messages_of_the_websocket(recorded: Path):
    assert Counter(filled=1) == found(read_file(recorded, "nautilus/ws_user_fill_liquidation.json"))
    assert Counter(filled=1) == found(read_file(recorded, "jkorf/UserEventTrade.txt"))


def test_metadata_of_every_exchange(recorded: Path):
    name = "nautilus/http_all_perp_metas_non_usdc_collateral.json"
    assert Counter(market_listed=3) == found(read_file(recorded, name))


def test_sub_accounts_with_their_states(recorded: Path):
    named = read_file(recorded, "jkorf/GetSubAccounts.txt")
    assert Counter(sub_account_observed=1, perp_state_observed=1, spot_state_observed=1) == found(
        named
    )
    unnamed = read_file(recorded, "jkorf/GetSubAccounts2.txt")
    assert Counter(perp_state_observed=1, spot_state_observed=1, mode_changed=1) == found(unnamed)


def test_states_of_portfolio_margin_accounts_by_address(recorded: Path):
    name = "portfolio-margin/accounts_2026-03-31T15.json"
    value = load(recorded / name)
    expected = sum(
        (raw_counts.states(user, VENUE_NAMES) for user in value["users"].values()), Counter()
    )
    expected += Counter(
        reserve_observed=len(value["reserve_states"]),
        market_listed=len(value["meta"]["universe"]),
    )
    expected += raw_counts.contexts(value["meta"]["assetContexts"])
    reading = read_file(recorded, name)
    assert expected == found(reading)
    assert () == reading.unreadable


def test_snapshots_of_portfolio_margin_accounts(recorded: Path):
    name = "portfolio-margin/accounts_2026-03-31T22.json"
    value = load(recorded / name)
    expected = Counter(reserve_observed=len(value["reserve_states"]))
    for one in value["snapshots"]:
        meta = one["asset_meta_snapshot"]
        expected += raw_counts.states(one, SNAKE_NAMES)
        expected += Counter(market_listed=len(meta["universe"]))
        expected += raw_counts.contexts(meta["assetContexts"])
    reading = read_file(recorded, name)
    assert expected == found(reading)
    assert () == reading.unreadable


@pytest.mark.parametrize("name", ["pm_borrow_2026-09-14", "unified_short_2026-09-14"])
def test_states_of_one_account(recorded: Path, name: str):
    reading = read_file(recorded, f"portfolio-margin/{name}.json")
    assert Counter(
        perp_state_observed=1, spot_state_observed=1, lending_state_observed=1, mode_changed=1
    ) == found(reading)
    assert () == reading.unreadable


def test_reserve_states_import_when_somebody_says_of_which_moment(recorded: Path):
    """The collection dates most of its states in words; the states themselves are answers."""
    collected = load(recorded / "reserves/reserve_states.json")
    for row in collected:
        body = json.dumps(row["state"]).encode()
        reading = read("state.json", body, Hints(at=DATED, token=row["token"]))
        assert Counter(reserve_observed=1) == found(reading), row["id"]


def test_states_of_the_collection_that_tell_no_instant_are_told_apart_not_guessed(recorded: Path):
    reading = read_file(recorded, "reserves/reserve_states.json", Hints())
    collected = load(recorded / "reserves/reserve_states.json")
    assert len(collected) == found(reading).total() + len(reading.unreadable)


def test_quoted_fills_without_a_hash_are_told_apart(recorded: Path):
    """Two of the three were quoted in part; without its hash a fill cannot be told from others."""
    reading = read_file(recorded, "ledger-deltas/fill_examples.json")
    assert Counter(filled=1) == found(reading)
    assert ["[0]", "[1]"] == [row.place for row in reading.unreadable]
    assert all("hash" in row.reason for row in reading.unreadable)


def test_quoted_ledger_rows_without_a_moment_are_told_apart(recorded: Path):
    name = "ledger-deltas/ledger_delta_examples.json"
    rows = load(recorded / name)
    dated = [row for row in rows if "time" in row]
    reading = read_file(recorded, name)
    assert Counter(raw_counts.LEDGER[row["delta"]["type"]] for row in dated) == found(reading)
    assert len(rows) - len(dated) == len(reading.unreadable)


def test_a_collection_of_quotations_is_read_as_far_as_it_quotes_records(recorded: Path):
    """Rows quoted without time or hash stay outside, each with its reason; none is lost."""
    reading = read_file(recorded, "ledger-deltas/quoted_values.json")
    quoted = load(recorded / "ledger-deltas/quoted_values.json")
    outside = {row.place.partition(".")[0] for row in reading.unreadable}
    inside = {part.answer.partition(".")[0] for part in reading.parts}
    assert set(quoted) - {"note"} == inside | outside
    assert "borrowLendUserState_testnet" in inside - outside
    quoted = load(recorded / "ledger-deltas/quoted_values.json")
    state = json.dumps(quoted["borrowLendUserState_testnet"]["value"]).encode()
    assert Counter(lending_state_observed=1) == found(read("state.json", state))
    balance = {"balances": [quoted["outcome_balance_row_2026_08_21"]["value"]]}
    row = json.dumps(balance).encode()
    assert Counter(spot_state_observed=1) == found(read("spot.json", row))


def test_a_quoted_block_of_the_node(recorded: Path):
    quoted = load(recorded / "ledger-deltas/quoted_values.json")
    block = quoted["misc_event_vaultWithdraw_2025_11_05"]["value"]
    update = block["events"][0]["inner"]["LedgerUpdate"]
    line = json.dumps(block, separators=(",", ":")).encode() + b"\n"
    for user in update["users"]:
        reading = read("block.jsonl", line, Hints(account=parse_address(user)))
        assert Counter(vault_withdrawn=1) == found(reading), user


def test_no_recorded_file_is_left_out_of_these_tests(recorded: Path, figure):
    named = {
        *captures(recorded),
        *tables(recorded),
        "gblack686/raw_fills.json",
        "jkorf/GetSubAccounts.txt",
        "jkorf/GetSubAccounts2.txt",
        "jkorf/UserEventTrade.txt",
        "ledger-deltas/fill_examples.json",
        "ledger-deltas/ledger_delta_examples.json",
        "ledger-deltas/quoted_values.json",
        "nautilus/http_all_perp_metas_non_usdc_collateral.json",
        "nautilus/http_user_fills_dust_conversion.json",
        "nautilus/ws_user_fill_liquidation.json",
        "portfolio-margin/accounts_2026-03-31T15.json",
        "portfolio-margin/accounts_2026-03-31T22.json",
        "portfolio-margin/pm_borrow_2026-09-14.json",
        "portfolio-margin/unified_short_2026-09-14.json",
        "reserves/reserve_states.json",
    }
    there = {
        str(path.relative_to(recorded))
        for path in recorded.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert there == named
    figure(line="2a", text="recorded files read, none left out", value=f"{len(there)} files")
