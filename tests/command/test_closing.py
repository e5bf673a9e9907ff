"""``diff``, ``close``, ``reproduce``: what a book thought then, pinned and explained."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction

import attrs
import msgspec
import pytest

import replay
from ledger.book import Book
from ledger.seal import digest_of_record
from ledger.units import Millis
from replay import closing
from replay.cli import close
from replay.reports import REPORTS, Made
from tests.command.conftest import CASCADE

ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"


@pytest.fixture
def begun(rf):
    """The command beside a book that has the account's own records only."""
    rf.fine("import", str(CASCADE / "account.json"))
    return rf


def closed(rf, *words: str, report: str = "show") -> str:
    told = rf.json(
        "close", ACCOUNT, "--month", "2026-08", "--report", report, "--as", "ada", *words
    )
    return str(told["closed"])


def test_a_closed_report_is_made_again_after_more_was_recorded(begun):
    name = closed(begun)
    assert begun.fine("reproduce", name).splitlines()[1].startswith("byte-identical: sha256")
    begun.fine("import", str(CASCADE / "markets.json"))
    begun.fine("import", str(CASCADE / "states.json"))
    told = begun.fine("reproduce", name[:8])
    assert "byte-identical" in told
    assert "since then 16 events arrived with effective time inside the period" in told
    assert f"rollforward diff {ACCOUNT} --known-at {name}.. says what they changed" in told
    (row,) = begun.json("close", "--list")["closed"]
    assert (name, "2026-08", "show", "ada") == (
        row["closed"], row["period"], row["report"], row["by"],
    )  # fmt: skip
    assert 16 == sum(row["arrived_since"].values())
    assert f"{name} | {ACCOUNT} | 2026-08 | show" in begun.fine("close", "--list")


def test_every_kind_of_change_since_a_closing_is_explained(begun):
    name = closed(begun)
    begun.fine("import", str(CASCADE / "markets.json"))
    event = next(row["event"] for row in begun.json("history") if row["what"].startswith("deposit"))
    begun.fine("correct", ACCOUNT, event, "--annul", "--reason", "entered twice", "--as", "bob")
    found = begun.json("diff", ACCOUNT, "--known-at", f"{name}..")
    kinds = set()
    for figure in found["figures"]:
        shares = [share["share"] for share in figure["shares"]]
        kinds |= {cause["kind"] for share in figure["shares"] for cause in share["causes"]}
        if figure["difference"] not in {"unknown", "none"}:
            assert Fraction(figure["difference"]) == sum(map(Fraction, shares))
            assert figure["difference"] == figure["sum_of_shares"]
    assert {"metadata", "correction"} == kinds
    assert name == found["pinned_by"]


def test_causes_can_be_had_as_csv_and_the_heading_stays_out_of_it(begun):
    result = begun("diff", ACCOUNT, "--known-at", "0..", "--csv", "fee")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {"fee HYPE", "fee USDC"} == {row["figure"] for row in rows}
    text = begun("diff", ACCOUNT, "--known-at", "0..", "fee")
    assert f"{ACCOUNT} at 2026-08-05T18:00:00.096Z" in text.stderr
    assert "A: as known at position 0, B: as known at position 4" in text.stderr
    assert "in the order of recording" in text.stdout


def test_a_difference_that_is_not_known_ends_with_3(begun):
    assert 3 == begun("diff", ACCOUNT, "--known-at", "0..", "position spot:@107 cost").exit_code
    assert 0 == begun("diff", ACCOUNT, "--known-at", "0..", "position BTC size").exit_code
    assert 0 == begun("diff", ACCOUNT, "--known-at", "0..", "position BTC entry").exit_code


def test_event_by_event_every_cause_has_its_event(begun):
    found = begun.json("diff", ACCOUNT, "--known-at", "0..", "--detail", "fee USDC")
    (figure,) = found["figures"]
    causes = [cause for share in figure["shares"] for cause in share["causes"]]
    assert len(causes) == len({cause["events"][0] for cause in causes}) == 15
    assert all(cause["place"].startswith("[0].response[") for cause in causes)


def test_every_report_can_be_closed_on_and_is_named_in_the_help(cascade):
    assert ", ".join(REPORTS) == close.REPORTS
    for report in REPORTS:
        name = closed(cascade, report=report)
        assert "identical" == cascade.json("reproduce", name)["outcome"]
        found = cascade.json("diff", ACCOUNT, "--known-at", f"{name}..", "--margin")
        assert [] == found["figures"], report


def test_parameters_are_pinned_with_the_report(cascade):
    asked = ("--parameter", "rulebook=2026-03-14 alpha", "--parameter", 'readings=["debt:gross"]')
    name = closed(cascade, *asked, report="margin")
    found = cascade.json("reproduce", name)
    assert "identical" == found["outcome"]
    assert {"rulebook": "2026-03-14 alpha", "readings": ["debt:gross"]} == json.loads(
        found["parameters"]
    )
    assert "rulebook 2026-03-14 alpha" in found["versions"]


def test_terms_of_a_reconciliation_are_pinned_with_it(cascade):
    terms = ("tolerance=0.000001", "total-tolerance=0.01", "late-after=5m", "hold=2h",
             "complete=yes")  # fmt: skip
    words = [word for term in terms for word in ("--parameter", term)]
    name = closed(cascade, *words, report="interest")
    assert "identical" == cascade.json("reproduce", name)["outcome"]
    cascade.fine("reproduce", name, "--out", "interest.json")
    pinned = json.loads((cascade.folder / "interest.json").read_text())["values"]["parameters"]
    assert "0.000001" == pinned["tolerance per line"]
    assert "0.01" == pinned["tolerance in total"]
    assert "yes" == pinned["complete"]
    assert ("300000", "7200000") == (pinned["late after ms"], pinned["rate holds ms"])


def test_a_margin_report_pins_margin_figures(cascade):
    name = closed(cascade, report="margin")
    assert 0 == cascade("diff", ACCOUNT, "--known-at", f"{name}..", "margin").exit_code
    found = cascade.json("diff", ACCOUNT, "--known-at", f"{name}..", "margin")
    assert found["figures"]
    assert all("0" == figure["difference"] for figure in found["figures"])


def test_a_group_is_closed_on_a_statement_and_on_nothing_else(begun):
    begun.fine("group", "define", "house", "--master", ACCOUNT, "--as", "ada")
    asked = ("close", "house", "--month", "2026-08", "--as", "ada", "--report")
    name = begun.json(*asked, "statement")["closed"]
    begun.fine("import", str(CASCADE / "states.json"))
    told = begun.fine("reproduce", name)
    assert "statement of house, 2026-08" in told
    assert "byte-identical" in told
    assert "since then 16 events arrived" in told
    refused = begun(*asked, "show")
    assert 2 == refused.exit_code
    assert "is a group, and the report show is about one account" in refused.output
    about = begun("diff", ACCOUNT, "--known-at", f"{name}..")
    assert 2 == about.exit_code
    assert f"closes house, not {ACCOUNT}" in about.output


def test_the_pinned_bytes_can_be_had_as_they_are(begun):
    name = closed(begun)
    begun.fine("reproduce", name, "--out", "august.json")
    body = (begun.folder / "august.json").read_bytes()
    assert begun.json("reproduce", name)["pinned_sha256"] == digest_of_record(body)
    assert "Balances" in begun.fine("reproduce", name, "--text")


def test_the_only_account_of_a_book_need_not_be_named(begun):
    told = begun.json("close", "--month", "2026-08", "--report", "show", "--as", "ada")
    assert ACCOUNT == told["of"]


def test_no_figure_asked_for_is_passed_over(begun):
    result = begun("diff", ACCOUNT, "--known-at", "0..", "fee", "nonsense")
    assert 2 == result.exit_code
    assert '"nonsense" is no figure of this account' in result.stderr


def test_a_dry_run_writes_nothing(begun):
    told = begun.json("close", ACCOUNT, "--month", "2026-08", "--report", "show", "--as", "ada",
                      "--dry-run")  # fmt: skip
    assert told["closed"].startswith("C-")
    assert [] == begun.json("close", "--list")["closed"]


def test_what_cannot_be_closed_is_said(begun):
    for words, said in (
        (("--month", "2026-08", "--report", "moon", "--as", "ada"), "is no report"),
        (("--month", "2026-13", "--report", "show", "--as", "ada"), "is no month"),
        (("--month", "2026-08", "--report", "show", "--as", " "), "says nothing"),
        (("--month", "2026-08", "--report", "show"), "--as"),
        (("--month", "2026-08", "--report", "show", "--as", "ada", "--parameter", "x=1"),
         "is no parameter of the report show"),
        (("--month", "2026-08", "--report", "show", "--as", "ada", "--parameter", "x"),
         "write NAME=VALUE"),
    ):  # fmt: skip
        result = begun("close", ACCOUNT, *words)
        assert 2 == result.exit_code
        assert said in result.output
    result = begun("close", "house", "--month", "2026-08", "--report", "show", "--as", "ada")
    assert 2 == result.exit_code
    assert "no group house" in result.output
    assert 2 == begun("reproduce", "C-00").exit_code


# ------------------------------------------------------------------- what is not the same


def pinned_otherwise(rf, change, **fields) -> str:
    """Record a closing whose report another program, or another hand, made."""
    (path,) = rf.folder.glob("*.book")
    with replay.open(path) as audit:
        period = closing.Period(since=Millis(1785542400000), until=Millis(1788220799999))
        asked, made = closing.made_report(
            audit, ACCOUNT, period, position=audit.position(), name="show", parameters={}
        )
    document = msgspec.json.decode(made.body)
    change(document)
    other = Made(body=msgspec.json.encode(document, order="sorted") + b"\n")
    event = closing.closing(asked, other, name="show", by="ada", because="", now=Millis(1))
    event = attrs.evolve(event, **fields)
    with Book.open(path, write=True) as book:
        closing.record_closing(book, event, other, now=Millis(1))
    return closing.name_of(event)


def test_figures_that_are_not_the_same_are_named_with_what_changed(begun):
    def change(document):
        document["figures"]["fee USDC"] = "1"
        document["text"][0] = "as it was"

    name = pinned_otherwise(begun, change, versions=("rollforward 0.0.9", "fold 1"))
    result = begun("reproduce", name)
    assert 1 == result.exit_code
    assert "not the same" in result.stdout
    assert "version of the product: rollforward 0.0.9 then" in result.stdout
    assert "version of what states hold: fold 1 then, fold" in result.stdout
    found = begun.json("reproduce", name)
    assert [("fee USDC", "1")] == [(row["figure"], row["pinned"]) for row in found["figures"]]
    assert "as it was" == found["lines"][0]["pinned"]


def test_where_nothing_changed_but_the_bytes_the_book_is_to_be_verified(begun):
    name = pinned_otherwise(begun, lambda document: document.update(values={}))
    result = begun("reproduce", name)
    assert 1 == result.exit_code
    assert "run rollforward verify" in result.stdout


def test_what_cannot_be_made_again_says_why(begun):
    same = pinned_otherwise(begun, lambda document: None, position=4000)
    result = begun("reproduce", same)
    assert 3 == result.exit_code
    assert "the report reads position 4000, and this book ends at position" in result.stdout
    for fields, said in (
        ({"report": "moon"}, '"moon" is no report'),
        ({"parameters": '{"color":"red"}'}, '"color" is no parameter of the report show'),
        ({"parameters": "red"}, "its parameters cannot be read"),
        ({"account": None, "group": "house"}, "no group house"),
    ):
        name = pinned_otherwise(begun, lambda document: None, **fields)
        result = begun("reproduce", name)
        assert 3 == result.exit_code
        assert said in result.stdout
