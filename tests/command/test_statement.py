"""Statements on the command line: periods, formats, groups, exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.money import exact

ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
SUB = "0x" + "0" * 39 + "1"
MONTH = ("--month", "2026-08")


def lines(document: dict) -> dict[str, Decimal]:
    return {each["line"]: Decimal(each["amount"]) for each in document["equity"]["lines"]}


def test_the_month_of_the_bundled_account_sums_to_the_last_digit(cascade):
    told = lines(cascade.json("statement", *MONTH))
    closing = told.pop("closing equity")
    with exact():
        assert closing == sum(told.values())
    assert Decimal(60000) == told["deposits"]
    assert Decimal("-237.42844898") == told["trading fees"]
    assert Decimal(0) == told["unexplained"]


def test_every_balance_the_venue_showed_is_what_records_lead_to(cascade):
    observed = cascade.json("statement", *MONTH)["observed"]
    assert 11 == len(observed)
    assert all(each["agrees"] for each in observed)
    assert {"perp", "position BTC", "position HYPE"} == {each["place"] for each in observed}


def test_september_opens_with_what_august_closed_with(cascade):
    august, september = (
        cascade.json("statement", "--month", month) for month in ("2026-08", "2026-09")
    )
    assert lines(august)["closing equity"] == lines(september)["opening equity"]


def test_what_is_not_closed_says_so_and_coverage_is_at_the_foot(cascade):
    shown = cascade.fine("statement", *MONTH)
    assert "this period is not closed" in shown
    assert "coverage | fills proven" in shown
    assert "no opening is attested" in shown
    assert "closing price of BTC-PERP is 26d 5h old" in shown


def test_csv_and_json_say_the_same(cascade):
    document = cascade.json("statement", *MONTH)
    text = cascade.fine("statement", *MONTH, "--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if not row["token"]]
    assert lines(document) == {row["line"]: Decimal(row["amount"]) for row in rows}


def test_only_one_token_is_a_statement_of_its_own(cascade):
    document = cascade.json("statement", *MONTH, "--token", "HYPE")
    assert ["HYPE"] == [each["token"] for each in document["by_token"]]
    assert {"HYPE"} == {each["token"] for each in document["activity"]}


@pytest.mark.parametrize(
    "words",
    [
        ("--month", "2026-07"),
        ("--month", "2026-08", "--known-at", "0"),
        ("--month", "2026-08", "--token", "usdc"),
    ],
    ids=" ".join,
)
def test_what_nothing_recorded_tells_of_is_no_complete_statement_of_nothing(cascade, words):
    result = cascade("statement", *words)
    assert 3 == result.exit_code
    assert "no figure of it is known" in result.stdout
    assert "closing equity  | unknown" in result.stdout
    assert not re.search(r"^[a-z ]+\| +0$", result.stdout, re.MULTILINE)


def test_a_month_after_the_last_record_is_no_complete_statement(cascade):
    """The amounts are those of the last record; nobody says that nothing happened since."""
    result = cascade("statement", "--month", "2026-09")
    assert 3 == result.exit_code
    assert "nothing is recorded after 2026-08-05T18:01:00.000Z" in result.stdout
    assert 0 == cascade("statement", *MONTH).exit_code


def test_in_a_money_without_a_price_every_figure_is_unknown_by_name(cascade):
    result = cascade("statement", *MONTH, "--money", "USDT0")
    assert 3 == result.exit_code
    assert (
        "unknown for want of: price of USDT0 at the closing, price of USDT0 in between"
        in result.output
    )
    assert "closing equity  | unknown" in result.output


def test_every_leg_names_event_digest_and_source_record(cascade):
    document = cascade.json("statement", *MONTH)
    first = document["activity"][0]
    assert "dc135b77a4f473f941dbcb81c4c0c7e1" == first["event"]
    assert 64 == len(first["digest"])
    assert first["source"].endswith("account.json [2].response[0]")
    assert first["what"] in cascade.fine("explain", ACCOUNT, first["event"])


def test_an_ending_chooses_the_format_and_binary_ones_need_a_file(cascade):
    cascade.fine("statement", *MONTH, "--out", "august.html")
    assert Path("august.html").read_text().startswith("<!doctype html>")
    assert 2 == cascade("statement", *MONTH, "--format", "xlsx").exit_code


def test_an_ending_of_no_format_is_refused_and_nothing_written(cascade):
    refused = cascade("statement", *MONTH, "--out", "august.docx")
    assert 2 == refused.exit_code
    assert "'august.docx' has an ending of no format" in refused.output
    assert not Path("august.docx").exists()
    cascade.fine("statement", *MONTH, "--out", "august.docx", "--format", "html")


def test_a_period_needs_a_month_or_both_ends(cascade):
    for words in (
        (), ("--month", "2026-13"), ("--month", "august"), ("--since", "2026-08-01T00:00Z"),
        (*MONTH, "--until", "2026-08-02T00:00Z"),
        ("--since", "2026-08-02T00:00Z", "--until", "2026-08-01T00:00Z"),
    ):  # fmt: skip
        assert 2 == cascade("statement", *words).exit_code, words


def test_a_name_that_is_neither_account_nor_group_is_refused(cascade):
    result = cascade("statement", "fund", *MONTH)
    assert 2 == result.exit_code
    assert "Groups in it: none" in result.output


def test_what_was_known_before_is_told_as_it_was(cascade):
    before = cascade.json("statement", *MONTH)
    known = before["known_at"]
    event = before["activity"][0]["event"]
    cascade.fine("correct", ACCOUNT, event, "--annul", "--reason", "a test", "--as", "ada")
    after = cascade.json("statement", *MONTH)
    assert lines(before)["deposits"] - 60000 == lines(after)["deposits"]
    again = cascade.json("statement", *MONTH, "--known-at", known)
    assert before == again


# -------------------------------------------------------------------------------- groups


def test_a_group_is_defined_listed_and_shown(cascade):
    cascade.fine(
        "group", "define", "fund", "--master", ACCOUNT, "--sub", SUB, "--label", f"{SUB}=hedge",
        "--reason", "mandate", "--as", "ada",
    )  # fmt: skip
    assert "fund" in cascade.fine("group", "list")
    shown = cascade.fine("group", "show", "fund")
    assert "sub-account" in shown
    assert "hedge" in shown
    assert "defined by ada" in shown


def test_a_group_with_a_member_nothing_is_recorded_of_says_so(cascade):
    cascade.fine("group", "define", "fund", "--master", ACCOUNT, "--sub", SUB, "--as", "ada")
    result = cascade("statement", "fund", *MONTH)
    assert f"the book has nothing about {SUB}" in result.output
    assert 3 == result.exit_code


def test_a_transfer_with_one_side_is_a_finding_and_the_amount_is_in_transit(cascade):
    (recipient,) = {
        row["delta"]["destination"]
        for answer in json.loads((CASCADE / "account.json").read_text())
        for row in answer["response"]
        if row.get("delta", {}).get("type") == "subAccountTransfer"
    }
    cascade.fine("group", "define", "fund", "--master", ACCOUNT, "--sub", recipient, "--as", "ada")
    result = cascade("statement", "fund", *MONTH, "--json")
    assert 1 == result.exit_code
    told = json.loads(result.stdout)
    (pair,) = told["transfers_inside"]
    assert "-1000" == pair["remainder"]
    assert lines(told)["inside the group"] == Decimal(-1000)
    assert any("1000 USDC in transit inside the group" in text for text in told["findings"])


def test_bad_definitions_of_groups_are_refused(cascade):
    for words in (
        ("fund", "--as", "ada"),
        ("fund", "--master", "0x12", "--as", "ada"),
        ("fund", "--master", ACCOUNT, "--sub", ACCOUNT, "--as", "ada"),
        ("fund", "--master", ACCOUNT, "--master", SUB, "--as", "ada"),
        ("0xfund", "--master", ACCOUNT, "--as", "ada"),
        ("fund", "--master", ACCOUNT, "--label", f"{SUB}=x", "--as", "ada"),
        ("fund", "--master", ACCOUNT, "--label", "nothing", "--as", "ada"),
        ("fund", "--master", ACCOUNT, "--as", " "),
    ):
        result = cascade("group", "define", *words)
        assert 2 == result.exit_code, (words, result.output)
    assert "none defined" in cascade.fine("group", "list")
