"""What people read: every verb without ``--json``."""

from __future__ import annotations

import json

from tests.command.test_acts import STATE, two_fills
from tests.command.test_import import ACCOUNT, fill, write

OWNER = "0x5ca1ab1e000000000000000000000000ca5cade0"


def test_show_with_prices_and_digests(cascade):
    shown = cascade.fine("show", "--prices", "--digests", "--at", "2026-08-04T12:00Z")
    for title in ("Balances", "Positions", "Fees", "Funding", "Prices"):
        assert f"\n{title}\n" in "\n" + shown
    told = cascade.json("show", "--prices", "--digests", "--at", "2026-08-04T12:00Z")
    assert f"state digest     {told['state_digest']}" in shown
    assert f"timeline digest  {told['timeline_digest']}" in shown
    assert {row["market"] for row in told["prices"]} >= {"BTC", "HYPE"}


def test_history_has_a_line_per_place_moved(cascade):
    rows = cascade.json("history", "--asset", "HYPE")
    *lines, empty, coverage = cascade.fine("history", "--asset", "HYPE").splitlines()
    assert len(rows) + 3 == len(lines)
    assert ("", "coverage: ") == (empty, coverage[:10])


def test_explain_shows_a_few_raw_rows_and_all_of_them_when_asked(cascade):
    few = cascade.fine("explain", OWNER, "fee USDC")
    assert "Raw rows (the last 5; --raw shows 10 more)" in few
    whole = cascade.fine("explain", OWNER, "fee USDC", "--raw")
    assert 15 == whole.count("sha256")
    event = cascade.json("history", "--asset", "HYPE")[0]["event"]
    assert "Postings" in cascade.fine("explain", OWNER, event[:10])


def test_a_quarantined_row_is_listed_with_its_text(rf):
    name = write(rf.folder, "a.json", [fill(1, sz="0,5")])
    rf.fine("import", name, "--account", ACCOUNT, code=3)
    assert "0,5" in rf.fine("quarantine", code=3)
    assert "1 rows are in quarantine" in rf("check").stderr


def test_settings_are_listed(rf):
    assert "ROLLFORWARD_BOOK" in rf.fine("config")


def test_an_error_shows_its_traceback_when_asked(rf):
    two_fills(rf)
    result = rf("--debug", "show", "--at", "2026-02-10")
    assert 2 == result.exit_code
    assert "Traceback" in result.stderr
    assert "Traceback" not in rf("show", "--at", "2026-02-10").stderr


def test_a_mistake_of_ours_is_told_apart_from_a_finding(rf, monkeypatch):
    import replay

    two_fills(rf)
    monkeypatch.setattr(replay, "open", lambda *_, **__: 1 // 0)
    result = rf("show")
    assert 70 == result.exit_code
    assert "ZeroDivisionError" in result.stderr
    assert "a mistake in rollforward" in result.stderr


def test_a_replacement_keeps_to_the_fields_of_the_event(rf):
    two_fills(rf)
    event = rf.json("history")[-1]["event"]
    for changes in (
        '{"size": "1"}',
        '{"stream": "account:0x00"}',
        '{"sz": "NaN"}',
        '{"sz": null}',
        '{"sz": "-1"}',
        '{"px": "1e400"}',
        '{"px": "1e-400"}',
        '{"px": "1e999999999999"}',
        '{"at": -5}',
        '{"at": 100000000000000000}',
        '{"coin": ""}',
        '{"direction": "Open\\u0000"}',
        '{"side": "X"}',
        "{}",
        "[1]",
    ):
        result = rf("correct", ACCOUNT, event, "--replace", changes, "--reason", "x", "--as", "ada")
        assert 2 == result.exit_code, (changes, result.output)
        assert "Traceback" not in result.output
    assert [] == [row for row in rf.json("check")["findings"] if row["severity"] == "error"]


def test_a_number_in_a_replacement_keeps_its_digits(rf):
    two_fills(rf)
    event = rf.json("history")[-1]["event"]
    told = ("--replace", '{"fee": 0.30000000000000004}', "--reason", "x", "--as", "ada")
    rf.fine("correct", ACCOUNT, event, *told)
    assert "0.65000000000000004" == rf.json("show")["fees"][0]["charged"]


def test_states_of_different_moments_make_no_opening(rf):
    two_fills(rf)
    for name, time in (("a", 1759999900000), ("b", 1759999999000)):
        (rf.folder / f"{name}.state").write_text(json.dumps({**STATE, "time": time}))
    told = ("--from-state", "a.state", "--from-state", "b.state", "--as", "ada")
    result = rf("open", ACCOUNT, *told)
    assert 4 == result.exit_code
    assert "more than a minute apart" in result.stderr
