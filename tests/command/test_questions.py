"""``show``, ``history``, ``explain``, ``check``: the same figures by every way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

import replay

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
NOON = "2026-08-04T12:00Z"


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as another process, with its own environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "replay", *words],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**kept, "PYTHONPATH": str(ROOT), **env},
    )  # fmt: skip


def test_show_gives_what_the_interface_gives(cascade):
    shown = cascade.json("show", ACCOUNT, "--at", NOON)
    with replay.open(cascade.folder / "rollforward.book") as audit:
        instant = audit.account(ACCOUNT).at(NOON)
        assert instant.balances.to_dicts() == shown["balances"]
        assert instant.positions.to_dicts() == shown["positions"]
        assert instant.digest == shown["state_digest"]


def test_every_number_is_text_and_exact(cascade):
    def walk(value):
        if isinstance(value, dict):
            for item in value.values():
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)
        else:
            yield value

    shown = cascade.json("show")
    assert [] == [value for value in walk(shown) if isinstance(value, float)]
    amounts = {(row["place"], row["asset"]): row["amount"] for row in shown["balances"]}
    # composed: fixtures/cascade/states.json, borrow of the last state
    assert Decimal("-2500.73066017") == Decimal(amounts["borrowed", "USDC"])


def test_one_moment_by_three_spellings(cascade):
    digests = {
        cascade.json("show", "--at", when)["state_digest"]
        for when in (NOON, "2026-08-04T14:00+02:00", "1785844800000")
    }
    assert 1 == len(digests)
    assert digests != {cascade.json("show")["state_digest"]}


def test_with_and_without_remembered_states(cascade):
    for when in (NOON, "2026-08-05T14:40:00.350Z"):
        fast, slow = (
            cascade.json("show", "--at", when),
            cascade.json("show", "--at", when, "--no-cache"),
        )
        assert slow == fast


def test_known_at_a_position_and_at_a_moment(cascade):
    target = cascade.json("history", "--asset", "USDC")[-1]["event"]
    before = cascade.json("show")
    cascade.fine("correct", ACCOUNT, target, "--annul", "--reason", "test", "--as", "ada")
    after = cascade.json("show")
    assert before["state_digest"] != after["state_digest"]
    assert before == cascade.json("show", "--known-at", before["known_at"])
    assert 0 == cascade.json("show", "--known-at", "2000-01-01T00:00Z")["events"]


def test_an_account_may_be_left_out_or_cut_short(cascade):
    assert cascade.json("show") == cascade.json("show", "0x5ca1") == cascade.json("show", ACCOUNT)


def test_history_ends_where_show_stands(cascade):
    running = {}
    for row in cascade.json("history", "--to", NOON):
        if row["place"]:
            running[row["place"], row["asset"]] = row["balance"]
    shown = {
        (b["place"], b["asset"]): b["amount"]
        for b in cascade.json("show", "--at", NOON)["balances"]
    }
    kept = {
        key: amount for key, amount in running.items()
        if amount != "0" and not key[0].startswith("position ")
    }  # fmt: skip
    assert shown == kept


def test_history_from_a_moment_keeps_the_balance_before(cascade):
    whole = cascade.json("history", "--asset", "USDC")
    part = cascade.json("history", "--asset", "USDC", "--from", NOON)
    assert part
    assert whole[-len(part) :] == part


@pytest.mark.parametrize(
    "figure",
    ["balance perp USDC", "balance borrowed USDC", "balance spot HYPE", "balance in-transit USDC"],
)
def test_explain_a_balance_sums_to_what_show_says(cascade, figure):
    found = cascade.json("explain", ACCOUNT, figure, "--at", NOON)
    _, place, asset = figure.split()
    shown = cascade.json("show", "--at", NOON)["balances"]
    amounts = [b["amount"] for b in shown if (b["place"], b["asset"]) == (place, asset)]
    assert (amounts or ["0"]) == [found["figure"]]
    changes = [Decimal(row["change"]) for row in found["events"]]
    assert Decimal(found["figure"]) == sum(changes, Decimal(0))


def test_explain_other_figures(cascade):
    shown = cascade.json("show")
    sizes = {row["market"]: row["size"] for row in shown["positions"]}
    assert sizes["BTC"] == cascade.json("explain", ACCOUNT, "position BTC")["figure"]
    fees = {row["asset"]: row["charged"] for row in shown["fees"]}
    assert fees["USDC"] == cascade.json("explain", ACCOUNT, "fee USDC")["figure"]
    funding = {row["market"]: row["received_less_paid"] for row in shown["funding"]}
    assert funding["HYPE"] == cascade.json("explain", ACCOUNT, "funding HYPE")["figure"]


def test_explain_shows_the_row_as_it_was_received(cascade):
    found = cascade.json("explain", ACCOUNT, "fee USDC")
    for item in found["evidence"]:
        row = json.loads(item["text"])
        assert {"coin", "px", "sz", "tid"} <= set(row)
        assert item["text"] in (ROOT / "fixtures" / "cascade" / "account.json").read_text()


def test_explain_an_event_by_the_beginning_of_its_name(cascade):
    event = cascade.json("history")[0]["event"]
    found = cascade.json("explain", ACCOUNT, event[:12])
    assert event == found["subject"]
    fields = {row["field"]: row["value"] for row in found["event"]}
    assert "kind" in fields
    assert found["evidence"][0]["text"]


def test_check_of_a_sound_history_is_clean(cascade):
    result = cascade("check")
    assert 0 == result.exit_code, result.output
    assert "131 of 131" in result.stdout
    report = cascade.json("check")
    assert report["clean"] is True
    episodes = report["liquidations"][ACCOUNT]
    assert ["HYPE -4500"] == [episode["closed"] for episode in episodes]
    assert "" == cascade.fine("check", "--quiet")


def test_data_goes_to_standard_output_and_nothing_else_does(cascade):
    result = cascade("show", "--json")
    assert "" == result.stderr
    told = cascade("show")
    assert "as known at position" in told.stderr
    assert "as known at position" not in told.stdout


def test_colors_come_and_go_as_asked(cascade):
    folder = cascade.folder
    assert "\x1b[" not in run(folder, "show").stdout
    assert "\x1b[" in run(folder, "show", FORCE_COLOR="1").stdout
    assert "\x1b[3" not in run(folder, "show", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_nothing_is_cut_off_whatever_the_width(cascade):
    wide = run(cascade.folder, "show").stdout
    narrow = run(cascade.folder, "show", COLUMNS="40").stdout
    assert max(map(len, narrow.splitlines())) <= 40 < max(map(len, wide.splitlines()))
    assert "-2500.73066017" in wide
    assert "…" not in narrow


def test_every_option_can_be_set_in_the_environment(cascade):
    asked = run(cascade.folder, "show", "--json", ROLLFORWARD_SHOW_AT=NOON)
    assert cascade.json("show", "--at", NOON) == json.loads(asked.stdout)


@pytest.mark.parametrize("words", [["history", "--json"], ["history"]])
def test_a_reader_who_leaves_is_no_error(cascade, words: list[str]):
    with subprocess.Popen(
        [sys.executable, "-m", "replay", *words],
        cwd=cascade.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        process.stdout.close()  # long before the first line is written
        said = process.stderr.read()
        code = process.wait()
    assert (141, "") == (code, said)


def test_errors_are_objects_where_json_is_asked_for(cascade):
    result = cascade("show", "--at", "2026-08-04", "--json")
    assert (2, "") == (result.exit_code, result.stdout)
    error = json.loads(result.stderr)["error"]
    assert ("UnclearQuestion", "2026-08-04", 2) == (error["kind"], error["asked"], error["exit"])


def test_a_table_renders_in_a_notebook(cascade):
    with replay.open(cascade.folder / "rollforward.book") as audit:
        html = audit.account(ACCOUNT).at(NOON).balances._repr_html_()
    assert html.startswith("<table")
    assert "USDC" in html
