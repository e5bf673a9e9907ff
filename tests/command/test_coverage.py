"""``coverage``: the certificate by every way it can be asked for, and at the foot of reports."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import replay
from ledger.units import Millis

CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
FAMILIES = ["fills", "funding", "transfers", "interest", "balances"]
DAY = ("--since", "2026-08-04T00:00Z", "--until", "2026-08-04T23:59:59.999Z")


@pytest.fixture
def robbed(rf):
    """The command beside a book of the bundled history without one transfer."""
    for path in CASCADE.glob("*.json"):
        (rf.folder / path.name).write_bytes(path.read_bytes())
    answers = json.loads((CASCADE / "account.json").read_text())
    for answer in answers:
        if answer["request"]["type"] == "userNonFundingLedgerUpdates":
            del answer["response"][7]
    (rf.folder / "account.json").write_text(json.dumps(answers))
    rf.fine("import", ".")
    return rf


def test_the_bundled_history_lacks_nothing_that_is_known(cascade):
    certificate = cascade.json("coverage")
    assert FAMILIES == list(dict.fromkeys(row["family"] for row in certificate["stretches"]))
    assert {"proven", "probable"} == {row["level"] for row in certificate["stretches"]}
    assert ACCOUNT == certificate["account"]


def test_the_command_says_what_the_interface_says(cascade):
    with replay.open(cascade.folder / "rollforward.book") as audit:
        found = audit.account(ACCOUNT).coverage(DAY[1], DAY[3])
        assert found.to_dict() == cascade.json("coverage", *DAY)
        assert found.by_day.to_dicts() == cascade.json("coverage", *DAY, "--by", "day")
        assert "proven" == found.level("transfers", found.since)
        assert "unknown" == found.level("transfers", Millis(found.since - 1))
        assert "unknown" == found.level("nothing", found.since)


def test_csv_has_the_rows_of_the_table(cascade):
    rows = list(csv.DictReader(io.StringIO(cascade.fine("coverage", *DAY, "--csv"))))
    assert cascade.json("coverage", *DAY)["stretches"] == rows


def test_a_day_has_one_row_and_a_column_per_family(cascade):
    (row,) = cascade.json("coverage", *DAY, "--by", "day", "--family", "transfers")
    assert {"day": "2026-08-04", "transfers": "proven"} == row


def test_each_family_has_a_line_of_signs(cascade):
    lines = cascade.fine("coverage").splitlines()[-6:]
    assert "2026-08-03 to 2026-08-05, a sign a day: # proven" in lines[0]
    assert ["+#+", "+++", "###", "###", "+++"] == [line.split()[1] for line in lines[1:]]


def test_rates_prices_and_reserves_are_added_when_asked_for(cascade):
    rows = cascade.json("coverage", "--markets")["stretches"]
    levels = {row["family"]: row["level"] for row in rows[-8:]}
    assert {"rates BTC", "prices HYPE", "reserve USDC"} < levels.keys()
    assert {"proven"} == set(levels.values())


def test_what_is_missing_ends_with_a_finding_and_is_told_at_the_foot(robbed):
    shown = robbed.fine("coverage", "--family", "balances", code=1)
    assert "money for perpetuals: the state changed by -1000" in shown
    assert "balances  !!+" in shown
    foot = robbed.fine("show").splitlines()[-2:]
    assert "balances probable 1 d, known missing 1 d 10 h" in foot[0]
    assert foot[1].startswith("known missing: balances between 2026-08-03T12:01:00.001Z and ")
    assert foot[1].endswith(", and in 1 more stretches")


@pytest.mark.parametrize(
    "words", [("history", "--to", "2026-08-03T09:00Z"), ("check",), ("show", "--at", DAY[1])]
)
def test_reports_end_with_the_coverage_of_their_period(cascade, words):
    assert cascade.fine(*words).splitlines()[-1].startswith("coverage: ")


def test_before_the_first_event_there_is_no_coverage_to_tell(cascade):
    assert "coverage" not in cascade.fine("show", "--at", "2026-08-01T00:00Z")


def test_a_family_that_does_not_exist_is_refused_by_name(cascade):
    result = cascade("coverage", "--family", "rebates")
    assert (2, True) == (result.exit_code, "fills, funding, transfers" in result.output)


def test_a_period_that_ends_before_it_begins_is_refused(cascade):
    result = cascade("coverage", "--since", DAY[3], "--until", DAY[1])
    assert (2, True) == (result.exit_code, "ends before it begins" in result.output)


def test_programs_get_the_coverage_of_a_report_too(cascade):
    through = ("--from", "2026-08-04T00:00Z", "--to", "2026-08-04T02:00Z")
    for report in (cascade.json("show"), cascade.json("margin", *through)):
        assert report["coverage"][0].startswith("coverage: ")
    assert cascade.json("check")["coverage"][ACCOUNT][0].startswith("coverage: ")
