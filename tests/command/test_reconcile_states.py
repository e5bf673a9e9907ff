"""The commands reconcile state, pool and book, as a person types them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from replay import open as open_book

D = Decimal
CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
ETH_SALE = "88fbe45fd24d95f262bac61fe1264262"
"""15 ETH sold on 3 August 18:31, between the states of 12:01 and of the next day, 22:01."""

FIRST, SECOND = "2026-08-03T12:01:00.000Z", "2026-08-04T22:01:00.000Z"


def annul(cascade) -> None:
    cascade.fine("correct", ACCOUNT, ETH_SALE, "--annul", "--reason", "to see", "--as", "Ada")


# ------------------------------------------------------------------------- state


def test_states_of_the_bundled_history_agree_figure_by_figure(cascade):
    said = cascade.fine("reconcile", "state")
    for words in ("size BTC", "perp money", "net USDC", "USDC borrowed", "2500.73066017",
                  "found by bisection", "coverage: "):  # fmt: skip
        assert words in said
    assert "differs" not in said.replace("first differs between", "").replace(
        "what once differs goes on differing", ""
    )


def test_every_figure_of_every_state_is_shown_with_all(cascade):
    found = cascade.json("reconcile", "state", "--all")
    assert 12 == len(found["looked_at"])
    verdicts = [each["verdict"] for state in found["looked_at"] for each in state["figures"]]
    assert 48 == len(verdicts)
    assert {"agrees"} == set(verdicts)
    assert all(state["recorded"] for state in found["looked_at"])


def test_a_missing_fill_is_found_between_two_states_with_the_events_there(cascade):
    annul(cascade)
    result = cascade("reconcile", "state", "--list", "3")
    assert 1 == result.exit_code
    for words in ("First difference: perp", f"{FIRST} and {SECOND}", "size ETH",
                  f"agrees: state of {FIRST}, captured {FIRST}, recorded 20",
                  f"differs: state of {SECOND}, captured {SECOND}, recorded 20",
                  "Events between them: ", "more events; list more with --list"):  # fmt: skip
        assert words in result.stdout
    found = cascade.json("reconcile", "state")
    perp = next(each for each in found["divergences"] if each["state"] == "perp")
    size = next(each for each in perp["figures"] if each["figure"] == "size ETH")
    # ten were bought, fifteen sold and five bought back
    assert ("15", "0", "-15") == (size["rebuilt"], size["observed"], size["difference"])
    assert found["monotone"]


def test_since_takes_as_given_what_differs_already(cascade):
    annul(cascade)
    # the money of the whole account stays unknown while a position differs
    said = cascade.fine("reconcile", "state", "--since", SECOND, code=3)
    assert "taken as given: size ETH differed by -15 already" in said


def test_identities_need_no_history(cascade):
    said = cascade.fine("reconcile", "state", "--identities")
    assert "Identities of " + ACCOUNT in said
    found = cascade.json("reconcile", "state", "--identities")
    assert found["clean"]
    assert 4 == len(found["states"])
    assert {"0"} == {each["differ"] for each in found["states"]}


def test_an_altered_state_breaks_an_identity(rf):
    captures = json.loads((CASCADE / "states.json").read_text())
    state = next(each["response"] for each in captures
                 if each["request"]["type"] == "clearinghouseState")  # fmt: skip
    value = D(state["marginSummary"]["accountValue"])
    state["marginSummary"]["accountValue"] = str(value + D("0.000001"))
    (rf.folder / "states.json").write_text(json.dumps(captures))
    rf.fine("import", "states.json")
    result = rf("reconcile", "state", "--identities")
    assert 1 == result.exit_code
    assert "account value" in result.stdout
    assert "0.000001" in result.stdout


def test_without_an_observed_state_nothing_is_known(rf):
    rf.fine("import", str(CASCADE / "account.json"))
    result = rf("reconcile", "state")
    assert 3 == result.exit_code
    assert "no observed state is recorded" in result.stdout


def test_a_period_without_states_is_not_given_the_coverage_of_another(cascade):
    later = "2027-01-01T00:00Z"
    closed = cascade("reconcile", "state", "--since", later, "--until", "2027-02-01T00:00Z")
    assert 3 == closed.exit_code
    assert "coverage: fills, funding, transfers, interest and balances unknown" in closed.stdout
    endless = cascade("reconcile", "state", "--since", later)
    assert 3 == endless.exit_code
    assert "coverage" not in endless.stdout


def test_a_period_that_ends_before_it_begins_is_refused(cascade):
    result = cascade("reconcile", "state", "--since", "2026-08-05T00:00Z",
                     "--until", "2026-08-04T00:00Z")  # fmt: skip
    assert 2 == result.exit_code
    assert "ends before it begins" in result.stderr
    pool = cascade("reconcile", "pool", "USDC", "--since", "2027-01-01T00:00Z")
    assert 2 == pool.exit_code
    assert "USDC from 2027-01-01T00:00:00.000Z" in pool.stderr


# ------------------------------------------------------------------------- pool


def test_a_reserve_keeps_its_laws(cascade):
    said = cascade.fine("reconcile", "pool", "USDC")
    for words in ("59 states of reserve USDC", "supply rate |    59", "was taken out",
                  "at hand + borrowed − supplied"):  # fmt: skip
        assert words in said


def test_a_suppliers_share_lies_in_its_interval_and_says_what_it_assumes(cascade):
    words = ("reconcile", "pool", "USDC", "--supplier", ACCOUNT, "--until", SECOND)
    found = cascade.json(*words, "--pace", "0.001")
    (share,) = found["supply"]
    rows = share["bounds"]
    assert "0.30918137" == share["earned"]
    assert ["curve", "pace"] == [each["assumption"] for each in rows]
    assert {"inside"} == {each["verdict"] for each in rows}
    for each in rows:
        assert D(each["least"]) <= D("0.30918137") <= D(each["most"])
    narrow = rows[1]
    assert D(narrow["most"]) - D(narrow["least"]) < D("0.001")
    assert any("assumed, not proven" in each for each in found["assumptions"])
    assert 2 == len(share["captured"])


def test_an_amount_needs_no_account_and_more_states_narrow_it(rf):
    captures = json.loads((CASCADE / "reserves.json").read_text())
    asked = ("reconcile", "pool", "USDC", "--amount", "1000000", "--pace", "0.01",
             "--since", "2026-08-04T00:00Z", "--until", "2026-08-04T12:00Z")  # fmt: skip
    widths = []
    for step in (24, 6, 1):
        (rf.folder / "some.json").write_text(json.dumps(captures[::step]))
        rf.fine("import", "some.json")
        row = rf.json(*asked)["supply"][0]["bounds"][1]
        widths.append(D(row["most"]) - D(row["least"]))
    assert widths[0] > widths[1] > widths[2] > 0


def test_an_altered_figure_of_a_reserve_is_a_break(rf):
    captures = json.loads((CASCADE / "reserves.json").read_text())
    for token, state in captures[20]["response"]:
        if token == 0:
            state["supplyYearlyRate"] = "0.0135010063"
    (rf.folder / "reserves.json").write_text(json.dumps(captures))
    rf.fine("import", "reserves.json")
    result = rf("reconcile", "pool", "USDC")
    assert 1 == result.exit_code
    assert "supply rate |    58 |      1" in result.stdout
    assert "supply rate 0.0135010063, by rule " in result.stdout


def test_a_state_off_the_curve_bounds_nothing(rf):
    captures = json.loads((CASCADE / "reserves.json").read_text())
    for token, state in captures[20]["response"]:
        if token == 0:
            state["supplyYearlyRate"] = "0.05"
    (rf.folder / "reserves.json").write_text(json.dumps(captures))
    rf.fine("import", "reserves.json")
    found = rf.json("reconcile", "pool", "USDC", "--amount", "1")
    assert [] == found["supply"][0]["bounds"]
    assert "a recorded rate does not follow the curve" == found["supply"][0]["unknown"]


def test_recorded_states_refute_a_pace_too_slow(cascade):
    said = cascade("reconcile", "pool", "USDC", "--amount", "5", "--pace", "0.0000000001").stdout
    assert "it is refuted, and not used" in said


def test_a_reserve_that_is_not_recorded_is_named(cascade):
    result = cascade("reconcile", "pool", "USDE")
    assert 2 == result.exit_code
    assert "borrowLendReserveState" in result.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--amount", "1", "--supplier", ACCOUNT), "give one"),
        (("--amount", "-1"), "is negative"),
        (("--amount", "much"), "--amount"),
        (("--step", "0.1"), "--step is for --pace"),
        (("--record",), "--record needs --as NAME"),
        (("--as", "Ada"), "--as NAME is for --record"),
    ],
)
def test_unclear_questions_about_a_reserve_are_refused(cascade, words, why):
    result = cascade("reconcile", "pool", "USDC", *words)
    assert 2 == result.exit_code
    assert why in result.stderr


# ------------------------------------------------------------------------- book and desk


def test_a_book_is_held_against_itself_by_one_command(cascade):
    said = cascade.fine("reconcile", "book")
    for words in ("Reserves: utilization and rates of every state",
                  "Reserves: the protocol's part between neighboring states",
                  "Perpetuals states held against themselves", "inside"):  # fmt: skip
        assert words in said
    assert cascade.json("reconcile", "book")["clean"]


def test_breaks_go_to_the_desk_under_a_name_once(cascade):
    annul(cascade)
    words = ("reconcile", "state", "--record", "--as", "Ada")
    first, again = cascade(*words), cascade(*words)
    assert 1 == first.exit_code == again.exit_code
    assert "breaks opened, 0 with new figures, 0 known" in first.stderr
    assert "recorded: 0 breaks opened" in again.stderr
    from replay.desk import read

    (path,) = cascade.folder.glob("*.book")
    with open_book(path) as audit:
        cases = read(audit.book).cases
    assert {"state"} == {case.found.desk for case in cases}
    assert "size ETH" in {case.found.subject for case in cases}
    assert {ACCOUNT} == {case.found.account for case in cases}
