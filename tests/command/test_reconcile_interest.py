"""``reconcile interest`` on the bundled month, whose five slips its composer wrote down."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import compose_payouts
from tests.support.command import imported, rollforward

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "payouts"
MONTH = ("--month", "2026-08")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("payouts")
    imported(where, FIXTURE / "account.json", FIXTURE / "reserves.json", "--book", where / "a.book")
    return where


def interest(folder, *words):
    return rollforward("reconcile", "interest", *words, cwd=folder)


def test_the_bundled_month_equals_a_fresh_composition():
    composed = compose_payouts.files()
    assert composed == {path.name: path.read_text() for path in FIXTURE.iterdir()}


def test_every_slip_of_the_month_is_told_and_nothing_else(folder):
    said = interest(folder, *MONTH, "--json")
    assert 1 == said.code
    found = {
        (row["at"], row["subject"], row["class"], row["convention"]) for row in said.json["breaks"]
    }
    assert {
        ("2026-08-01T00:00Z", "USDT0 supply", "wrong amount", "360 days"),
        ("2026-08-03T10:00Z", "USDC supply", "missing", ""),
        ("2026-08-09T10:00Z", "USDC supply", "late", ""),
        ("2026-08-11T21:00Z", "USDC supply", "wrong amount", "effective yearly rate"),
        ("2026-08-14T22:00Z", "USDC borrow", "wrong side", ""),
        ("2026-08-20T15:00Z", "USDC supply", "rounding", "rounded down at 6 places"),
        ("2026-08-26T01:00Z", "USDC supply", "rate unknown", ""),
        ("2026-08-26T01:00Z", "USDC borrow", "rate unknown", ""),
    } == found


def test_sums_cover_the_known_hours_and_say_so(folder):
    supply = next(
        row
        for row in interest(folder, *MONTH, "--json").json["sides"]
        if (row["token"], row["side"]) == ("USDC", "supply")
    )
    assert ("744", "741", "3") == (supply["hours"], supply["known_hours"], supply["unknown"])
    assert "0" != supply["paid_in_unknown_hours"]
    text = interest(folder, *MONTH).out
    assert "USDC supply: the sums cover 741 of 744 hours" in text
    assert any(line.startswith("coverage:") for line in text.splitlines()[-3:])


def test_an_unknown_hour_is_shown_as_unknown_and_never_as_zero(folder):
    said = interest(folder, *MONTH, "--csv").out
    rows = list(csv.DictReader(io.StringIO(said)))
    dark = [row for row in rows if row["class"] == "rate unknown"]
    assert 6 == len(dark)
    assert {("unknown", "unknown")} == {(row["expected"], row["difference"]) for row in dark}
    assert 3 * 744 == len(rows)


def test_the_sums_of_the_lines_are_the_sums_of_the_sides(folder):
    from decimal import Decimal

    told = interest(folder, *MONTH, "--json", "--lines").json
    for side in told["sides"]:
        lines = [
            row
            for row in told["hours"]
            if (row["token"], row["side"]) == (side["token"], side["side"])
            and row["expected"] != "unknown"
        ]
        for name in ("expected", "difference"):
            assert Decimal(side[name]) == sum(Decimal(row[name]) for row in lines)


def test_a_statement_that_lacks_an_hour_shows_it_missing(folder):
    said = interest(
        folder, *MONTH, "--token", "USDT0", "--against", FIXTURE / "statement.csv", "--json"
    )
    assert {"missing", "wrong amount"} == {row["class"] for row in said.json["breaks"]}
    assert "statement.csv" == said.json["parameters"]["against"]
    assert 64 == len(said.json["parameters"]["statement"])


def test_a_clean_stretch_ends_with_zero(folder):
    said = interest(
        folder, "--since", "2026-08-05T00:00Z", "--until", "2026-08-06T00:00Z", "--token", "USDC"
    )
    assert 0 == said.code


def test_a_tolerance_is_declared_and_a_sum_beyond_it_is_a_break(folder):
    said = interest(
        folder, "--since", "2026-08-05T00:00Z", "--until", "2026-08-06T00:00Z", "--token", "USDC",
        "--total-tolerance", "0", "--json",
    )  # fmt: skip
    assert 1 == said.code
    assert {"total beyond tolerance"} == {row["class"] for row in said.json["breaks"]}
    assert "0" == said.json["parameters"]["tolerance in total"]


def test_without_a_state_the_basis_is_unknown_unless_the_history_is_said_to_be_whole(tmp_path):
    answers = json.loads((FIXTURE / "account.json").read_text())
    (tmp_path / "rows.json").write_text(
        json.dumps([each for each in answers if each["request"]["type"] != "borrowLendUserState"])
    )
    imported(
        tmp_path, tmp_path / "rows.json", FIXTURE / "reserves.json", "--book", tmp_path / "b.book"
    )
    said = interest(tmp_path, *MONTH, "--json").json
    assert {"basis unknown"} == {row["class"] for row in said["breaks"]}
    assert {"unknown"} == {row["expected"] for row in said["breaks"]}


def test_a_run_is_recorded_with_its_tolerance_and_found_again(folder, tmp_path):
    book = tmp_path / "r.book"
    book.write_bytes((folder / "a.book").read_bytes())
    first = interest(tmp_path, *MONTH, "--record", "--as", "ada", "--book", book)
    assert "8 breaks opened" in first.err
    again = interest(tmp_path, *MONTH, "--record", "--as", "ada", "--book", book)
    assert "0 breaks opened" in again.err
    assert "8 known" in again.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "is no period"),
        (("--since", "2026-08-05T00:30Z", "--until", "2026-08-06T00:00Z"), "not on the hour"),
        ((*MONTH, "--tolerance", "0,1"), "--tolerance"),
        ((*MONTH, "--tolerance", "-1"), "not negative"),
        ((*MONTH, "--zone", "Europe/Paris"), "--zone is for a statement"),
        ((*MONTH, "--against", "nowhere.csv"), "nowhere.csv"),
        ((*MONTH, "--token", "usdt0"), "Tokens there: USDC, USDT0"),
        ((*MONTH, "--record"), "--record needs --as NAME"),
    ],
)
def test_an_unclear_question_is_refused(folder, words, said):
    asked = interest(folder, *words)
    assert 2 == asked.code
    assert said in asked.err


def test_where_rates_were_only_sampled_a_declared_tolerance_still_tells_the_classes(tmp_path):
    """No rate is right in its last digits: without a tolerance all of it is told together."""
    answers = json.loads((FIXTURE / "reserves.json").read_text())
    for number, answer in enumerate(answers):
        if answer["request"]["type"] != "spotMeta":
            for _, state in answer["response"]:
                state["supplyYearlyRate"] = f"{state['supplyYearlyRate']:0<9}"[:9] + str(number % 7)
    (tmp_path / "sampled.json").write_text(json.dumps(answers))
    book = tmp_path / "s.book"
    imported(tmp_path, FIXTURE / "account.json", tmp_path / "sampled.json", "--book", book)
    words = (*MONTH, "--token", "USDC", "--json", "--book", book)
    told = interest(tmp_path, *words).json["breaks"]
    assert {"wrong amount"} <= {row["class"] for row in told if row["subject"] == "USDC supply"}
    wide = interest(tmp_path, *words, "--tolerance", "0.0001", "--total-tolerance", "1").json
    found = {(row["at"], row["subject"], row["class"]) for row in wide["breaks"]}
    assert {
        ("2026-08-03T10:00Z", "USDC supply", "missing"),
        ("2026-08-09T10:00Z", "USDC supply", "late"),
        ("2026-08-11T21:00Z", "USDC supply", "wrong amount"),
        ("2026-08-14T22:00Z", "USDC borrow", "wrong side"),
        ("2026-08-26T01:00Z", "USDC supply", "rate unknown"),
        ("2026-08-26T01:00Z", "USDC borrow", "rate unknown"),
    } == found


@pytest.mark.parametrize("month", ["2026-07", "2026-09"])
def test_a_month_nobody_recorded_is_unknown_and_not_nothing(folder, month):
    said = interest(folder, "--month", month, "--json")
    sides = said.json["sides"]
    assert [("USDC", "supply"), ("USDC", "borrow"), ("USDT0", "supply")] == [
        (row["token"], row["side"]) for row in sides
    ]
    assert {("unknown", "unknown", "unknown")} == {
        (row["expected"], row["paid"], row["difference"]) for row in sides
    }
    assert {("unknown", "unknown")} == {
        (row["expected"], row["paid"]) for row in said.json["breaks"]
    }
    assert 1 == said.code


def test_amounts_of_a_statement_that_no_hour_holds_are_counted(folder, tmp_path):
    """A month mistaken, or a token spelled otherwise, is else only seen as payouts that miss."""
    text = (FIXTURE / "statement.csv").read_text()
    (tmp_path / "s.csv").write_text(text.replace("USDT0", "usdt0"))
    words = (*MONTH, "--token", "USDT0", "--against", tmp_path / "s.csv", "--json")
    assert (
        "s.csv has 743 amounts, of which 743 are of other hours or other tokens and are not "
        "compared"
    ) in interest(folder, *words).json["notes"]


def test_a_locale_that_lacks_a_sign_gets_its_code(folder):
    said = subprocess.run(
        [sys.executable, "-m", "replay", "reconcile", "pool", "USDC", "--book", folder / "a.book"],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert b"borrowed \\u2212 supplied" in said.stdout
    assert 70 != said.returncode
