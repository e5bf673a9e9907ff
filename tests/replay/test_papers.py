"""Papers: the same figures in every one, taken by the programs they are for, the same bytes twice.

Checkers that are not installed skip their test, with the cause: ``bean-check`` comes with the
development environment, ``hledger`` and LibreOffice are programs of the system.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest

from ledger.book import Book
from ledger.events import MarginSummary, PerpStateObserved, Unrecognized
from ledger.importers import Hints, read
from ledger.money import canonical, exact
from ledger.units import Address, Asset, Dex, Millis, account_stream
from replay.audit import Audit
from replay.engine import Engine
from replay.papers import beancount, data, hledger, page, pdf, workbook
from replay.papers.journal import commodity, journal
from replay.papers.sheets import sheets
from replay.periods import Period, month
from replay.statement import Statement, question, statement
from tests.support import workbooks
from tests.support.histories import deposited
from tests.support.route import Paper, record_of
from tests.support.statement_books import (
    OTHERS,
    audit_of,
    defined,
    events_of,
    marks,
    mirrored,
    span,
)
from tests.support.venue import history
from tests.support.venue_rules import HOUR_MS

ROOT = Path(__file__).resolve().parents[2]
CASCADE = ROOT / "fixtures" / "cascade"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
OTHER = Address("0x" + "9" * 40)
MONTHS = int(os.environ.get("ROLLFORWARD_MONTHS", "4"))
HOSTILE = '=HYPERLINK("x")<script>alert(1)</script>&;|"\\'


@pytest.fixture(scope="module")
def bundled() -> Statement:
    """August 2026 of the bundled account."""
    book = Book.in_memory()
    for number, path in enumerate(sorted(CASCADE.glob("*.json"))):
        record = record_of(Paper(path.name, path.read_text(encoding="utf-8")))
        book.append(record, read(record, Hints()), recorded=Millis(number + 1))
    audit = Audit(Path("cascade.book"), Engine(book))
    of = question(audit, ACCOUNT, month("2026-08"), position=audit.position())
    return statement(audit, of)


def generated(seed: int) -> Statement:
    """One period of a simulated account, in a group with one that mirrors its transfers."""
    venue = history(seed, 60)
    events = events_of(venue)
    first, last = span(venue)
    prices = marks(seed, first - 400 * HOUR_MS, last)
    other = OTHERS[seed % len(OTHERS)]
    theirs = mirrored(events, other)
    group = defined("fund", {venue.account: "master", other: "sub-account"})
    audit = audit_of({venue.account: events, other: theirs}, prices, more=[group])
    middle = (first + last) // 2
    name = "fund" if theirs and seed % 2 else venue.account
    of = question(
        audit, name, Period(since=Millis(middle), until=Millis(last)), position=audit.position()
    )
    return statement(audit, of)


def hostile() -> Statement:
    """A statement whose names try to be formulas, markup, and ends of strings."""
    venue = history(7, 40)
    events = events_of(venue)
    first, last = span(venue)
    group = defined("fund", {venue.account: "master"})
    member = attrs.evolve(group.members[0], label=HOSTILE)
    audit = audit_of(
        {venue.account: [attrs.evolve(each, asset=Asset(HOSTILE)) if hasattr(each, "asset")
                         and type(each).__name__ == "GenesisReceived" else each
                         for each in events]},
        marks(7, first - HOUR_MS, last),
        more=[attrs.evolve(group, members=(member,))],
    )  # fmt: skip
    of = question(
        audit, "fund", Period(since=Millis(first), until=Millis(last)), position=audit.position()
    )
    return statement(audit, of)


def checker(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def ran(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, timeout=240
    )


def beaned(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "month.beancount"
    path.write_text(text, encoding="utf-8")
    return ran(checker("bean-check"), path)


def ledgered(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "month.journal"
    path.write_text(text, encoding="utf-8")
    return ran(checker("hledger"), "-f", path, "check", "accounts", "commodities", "ordereddates")


# ------------------------------------------------------------------------------ journals


def test_beancount_accepts_the_bundled_month_and_generated_ones(bundled, tmp_path, figure):
    transactions = assertions = 0
    for made in (bundled, *map(generated, range(MONTHS))):
        text = beancount.text(made)
        said = beaned(text, tmp_path)
        assert (0, "", "") == (said.returncode, said.stdout, said.stderr)
        transactions += text.count('  event: "')
        assertions += text.count(" balance ")
    figure(
        line="4-6",
        text="bean-check accepts exported months",
        value=f"{MONTHS + 1} months, {transactions:,} events, {assertions:,} balance assertions",
    )


def test_hledger_accepts_the_bundled_month_and_generated_ones(bundled, tmp_path, figure):
    assertions = 0
    for made in (bundled, *map(generated, range(MONTHS))):
        text = hledger.text(made)
        said = ledgered(text, tmp_path)
        assert (0, "") == (said.returncode, said.stderr)
        assertions += text.count(" = ")
    figure(
        line="4-6",
        text="hledger check accepts exported months",
        value=f"{MONTHS + 1} months, {assertions:,} balance assertions",
    )


def amounts(text: str) -> list[re.Match[str]]:
    """Return the amounts of postings and of balance assertions."""
    return [*re.finditer(r"(?<=  )-?\d+\.\d{13,}(?= )", text)]


def off(text: str, place: re.Match[str]) -> str:
    """Return a journal in which one amount is 1e-12 too large."""
    with exact():
        wrong = Decimal(place[0]) + Decimal("1e-12")
    return f"{text[: place.start()]}{wrong:.13f}{text[place.end() :]}"


def test_an_error_of_a_trillionth_anywhere_is_refused(bundled, tmp_path, figure):
    text = beancount.text(bundled)
    places = amounts(text)
    chosen = [*places[:3], *places[-3:], *places[100 : 100 + 50 * MONTHS : 50]]
    for place in chosen:
        assert beaned(off(text, place), tmp_path).returncode != 0, place
    figure(
        line="4-6",
        text="amounts changed by 1e-12 that bean-check refuses",
        value=f"{len(chosen)} of {len(chosen)}",
    )


def test_hledger_refuses_an_error_of_a_trillionth(bundled, tmp_path):
    text = hledger.text(bundled)
    places = amounts(text)
    for place in (places[0], places[40], places[-1]):
        assert ledgered(off(text, place), tmp_path).returncode != 0, place


def test_every_event_is_one_transaction_with_its_digest_and_sums_to_nothing(bundled):
    made = journal(bundled)
    events = {entry.moved.event: entry.digest for entry in bundled.activity}
    steps = [step for step in made.steps if hasattr(step, "legs")]
    told = [dict(step.facts) for step in steps]
    assert events == {each["event"]: each["digest"] for each in told if "event" in each}
    assert len(told) == len(events)
    with exact():
        for step in steps:
            for asset in {leg[2] for leg in step.legs}:
                legs = [amount for _, amount, named in step.legs if named == asset]
                assert sum(legs, Decimal(0)) == 0


def test_no_two_tokens_share_a_name_and_every_name_is_a_commodity():
    names = ["USDC", "BTC-PERP", "kPEPE-PERP", "KPEPE-PERP", "xyz:NVDA-PERP", "xyz-NVDA-PERP",
             "+12", "#12", "12", "", "TRUE", "A", "a", "Ä", "USDC.", "A" * 24, "A" * 25, HOSTILE,
             "quote of @107"]  # fmt: skip
    made = [commodity(name) for name in names]
    assert len(names) == len(set(made))
    assert "USDC" == made[0]
    assert all(re.fullmatch(r"[A-Z](?:[A-Z0-9._-]{0,22}[A-Z0-9])?", each) for each in made)
    assert "TRUE" not in made


def test_hostile_names_do_not_break_the_journals(tmp_path):
    made = hostile()
    assert (0, "") == ((said := beaned(beancount.text(made), tmp_path)).returncode, said.stderr)
    said = ledgered(hledger.text(made), tmp_path)
    assert (0, "") == (said.returncode, said.stderr)


def test_what_the_venue_showed_otherwise_is_booked_as_unexplained(tmp_path):
    """100 came in, the venue shows 103, 10 more come: 3 are unexplained, and everything holds."""
    of = account_stream(OTHER)
    first = deposited(1_000, "100", "0x01")
    second = deposited(3_000, "10", "0x02")
    summary = MarginSummary(account_value=Decimal(103), total_notional=Decimal(0),
                            total_raw_usd=Decimal(103), total_margin_used=Decimal(0))  # fmt: skip
    state = PerpStateObserved(stream=of, at=Millis(2_000), dex=Dex(""), positions=(),
                              summary=summary, cross=None, cross_maintenance=None,
                              withdrawable=None)  # fmt: skip
    events = [attrs.evolve(each, stream=of) for each in (first, state, second)]
    audit = audit_of({OTHER: events}, {})
    made, after = (
        statement(audit, question(audit, OTHER, Period(since=Millis(since), until=Millis(until)),
                                  position=audit.position()))
        for since, until in ((0, 5_000), (5_001, 9_000))
    )  # fmt: skip
    assert Decimal(3) == made.total.unexplained.value
    assert Decimal(113) == made.total.closing.value == after.total.opening.value
    assert Decimal(0) == after.total.unexplained.value
    assert any("the venue showed 103 USDC at perp" in each for each in made.findings)
    text = beancount.text(made)
    assert '1970-01-01 ! "Unexplained at perp"' in text
    assert (0, "") == ((said := beaned(text, tmp_path)).returncode, said.stderr)
    assert (0, "") == ((said := ledgered(hledger.text(made), tmp_path)).returncode, said.stderr)


def test_after_an_event_of_unknown_kind_nothing_is_asserted(tmp_path):
    venue = history(3, 40)
    events = events_of(venue)
    stream = account_stream(Address(venue.account))
    middle = events[len(events) // 2].at
    strange = Unrecognized(stream=stream, at=middle, venue_type="new", body="{}", tx_hash=None)
    first, last = span(venue)
    whole = sorted([*events, strange], key=lambda event: event.at)
    audit = audit_of({venue.account: whole}, marks(3, first, last))
    of = question(audit, venue.account, Period(since=Millis(first), until=Millis(last)),
                  position=audit.position())  # fmt: skip
    made = statement(audit, of)
    assert not made.is_complete
    assert all(row.closing is None for row in made.rows)
    text = beancount.text(made)
    assert " balance " not in text
    assert "whose meaning is not known" in text
    assert 0 == beaned(text, tmp_path).returncode


# ------------------------------------------------------------------------------- workbook


def written(made: Statement, path: Path) -> Path:
    target = io.BytesIO()
    workbook.write(made, target)
    path.write_bytes(target.getvalue())
    return path


def as_excel_keeps(value: Decimal) -> Decimal:
    """Return a number with the fifteen significant digits that are shown."""
    return Decimal(f"{value:.14e}")


def test_numbers_and_dates_of_the_workbook_are_typed(bundled, tmp_path, figure):
    found = workbooks.sheets(written(bundled, tmp_path / "month.xlsx"))
    assert ["Summary", "Roll-forward", "Activity", "Prices", "Coverage", "Notes"] == list(found)
    numbers = moments = exact_texts = 0
    for sheet in sheets(bundled):
        stored = found[sheet.name]
        row = 1
        for block in sheet.blocks:
            assert block.title == stored[row][0].value
            heads = [cell.value for cell in stored[row + 1] if cell is not None]
            for number, cells in enumerate(block.rows):
                line = stored[row + 2 + number]
                for column, cell in zip(block.columns, cells, strict=True):
                    kept = (
                        line[heads.index(column.name)]
                        if len(line) > heads.index(column.name)
                        else None
                    )
                    if isinstance(cell, Decimal):
                        assert as_excel_keeps(cell) == as_excel_keeps(kept.number)
                        numbers += 1
                        if f"{column.name}, exact" in heads:
                            beside = heads.index(f"{column.name}, exact")
                            if len(line) > beside and line[beside] is not None:
                                assert canonical(cell) == line[beside].value
                                exact_texts += 1
                    elif column.kind == "moment" and cell is not None:
                        told = datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=cell)
                        assert told == kept.moment
                        moments += 1
            row += 3 + max(len(block.rows), 1)
    assert exact_texts or not any(
        len(canonical(abs(entry.moved.flow.amount)).replace(".", "").strip("0")) > 15
        for entry in bundled.activity
    )
    figure(
        line="4-6",
        text="cells of the bundled month read back from the workbook",
        value=f"{numbers:,} numbers, {moments:,} dates, typed",
    )


def test_long_numbers_stand_beside_their_exact_digits(tmp_path):
    longest = Decimal("1234567890123456.12345678")
    venue = history(1, 20)
    first, last = span(venue)
    deposit = next(each for each in events_of(venue) if type(each).__name__ == "Deposited")
    audit = audit_of(
        {venue.account: [attrs.evolve(deposit, usdc=Decimal("1234567890123456.123456"))]},
        marks(1, first, last),
    )
    of = question(audit, venue.account, Period(since=Millis(first), until=Millis(last)),
                  position=audit.position())  # fmt: skip
    made = workbooks.sheets(written(statement(audit, of), tmp_path / "long.xlsx"))
    texts = {cell.value for row in made["Summary"] for cell in row if cell and cell.kind == "s"}
    assert "USDC, exact" in texts
    assert canonical(longest)[:-2] in texts


def test_the_workbook_opens_in_libreoffice_with_the_same_cells(bundled, tmp_path, figure):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    path = written(bundled, tmp_path / "month.xlsx")
    # Sheet 3 is the activity; 44,34,76 are comma, quote and UTF-8.
    asked = ran(
        office, "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,3",
        "--outdir", tmp_path, path,
    )  # fmt: skip
    made = sorted(tmp_path.glob("*Activity*.csv"))
    assert made, asked.stderr
    rows = [*csv.reader(made[0].read_text(encoding="utf-8").splitlines())][3:]
    assert len(bundled.activity) == len(rows)
    for row, entry in zip(rows, bundled.activity, strict=True):
        assert as_excel_keeps(entry.moved.flow.amount) == as_excel_keeps(Decimal(row[5]))
        shown = datetime.fromtimestamp(0, tz=UTC) + timedelta(milliseconds=entry.moved.at)
        assert f"{shown:%Y-%m-%d %H:%M:%S}.{entry.moved.at % 1000:03d}" == row[0]
        assert entry.moved.event in row
    figure(
        line="4-6",
        text="legs LibreOffice reads from the workbook as they are",
        value=f"{len(rows)} of {len(rows)}",
    )


def test_hostile_names_are_text_in_the_workbook(tmp_path):
    path = written(hostile(), tmp_path / "hostile.xlsx")
    cells = [
        cell for rows in workbooks.sheets(path).values() for row in rows for cell in row if cell
    ]
    assert any(HOSTILE in cell.value for cell in cells)
    assert {"n", "s"} == {cell.kind for cell in cells}


def test_no_cell_of_the_csv_is_a_formula():
    rows = [*csv.reader(io.StringIO(data.csv_text(hostile())))]
    cells = [cell for row in rows for cell in row if cell]
    assert f"'{HOSTILE}" in cells
    assert all(re.fullmatch(r"[+-]?\d+(\.\d+)?", cell) for cell in cells if cell[0] in "=+-@\t\r")


# ------------------------------------------------------------------------- page and PDF


class Tags(HTMLParser):
    """Collects tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [
            str(value) for name, value in attributes if name in {"src", "href", "action", "style"}
        ]

    def handle_data(self, data):
        self.texts.append(data.strip())


def test_the_page_has_no_script_and_fetches_nothing():
    text = page.page(hostile())
    tags = Tags()
    tags.feed(text)
    assert not {"script", "img", "link", "iframe", "object", "form", "svg"} & set(tags.tags)
    assert [] == tags.links
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@page { size: A4" in text
    assert any(HOSTILE in each for each in tags.texts)


def test_the_page_shows_every_line_of_the_statement(bundled):
    tags = Tags()
    tags.feed(page.page(bundled))
    for sheet in sheets(bundled)[:2]:
        for block in sheet.blocks:
            for row in block.rows:
                for cell in row:
                    if isinstance(cell, Decimal):
                        assert page.grouped(cell) in tags.texts


def test_a_pdf_is_made_of_hostile_names_too():
    pytest.importorskip("typst", reason="typst is not installed")
    assert pdf.write(hostile()).startswith(b"%PDF-")


TWICE = """
import hashlib, io, sys
from pathlib import Path
from tests.replay import test_papers as t
from replay.papers import beancount, hledger, page, pdf, workbook
made = t.generated(5)
target = io.BytesIO()
workbook.write(made, target)
papers = [target.getvalue(), page.page(made).encode(), pdf.write(made),
          beancount.text(made).encode(), hledger.text(made).encode()]
print([hashlib.sha256(each).hexdigest() for each in papers])
"""


def test_every_paper_is_the_same_bytes_under_other_zones_and_seeds(tmp_path, figure):
    pytest.importorskip("typst", reason="typst is not installed")
    said = set()
    for zone, seed, language in (("UTC", "0", "C.UTF-8"), ("Asia/Tokyo", "7", "de_DE.UTF-8")):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "TZ": zone,
               "LANG": language, "LC_ALL": language}  # fmt: skip
        made = subprocess.run(
            [sys.executable, "-c", TWICE], env=env, cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        said.add(made.stdout)
    assert 1 == len(said)
    figure(line="4-6", text="papers the same bytes in another zone, language, hash seed, folder",
           value="5 of 5")  # fmt: skip


def test_a_paper_made_twice_is_the_same_bytes(bundled, tmp_path):
    one, other = (written(bundled, tmp_path / name).read_bytes() for name in ("1.xlsx", "2.xlsx"))
    assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest()
