"""What is exported opens in the programs it is for, and every figure is the same to the last digit.

Programs that are not installed skip their test, with the cause: hledger and LibreOffice are
programs of the system.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.cells import values_of
from ledger.codec import event_id, tag_of
from ledger.events import Filled, FundingPaid, Noted
from ledger.fields import fields_of
from ledger.money import canonical, exact
from replay.moments import iso
from tests.support import workbooks
from tests.support.exports import (
    ACCOUNT,
    amounts,
    asked,
    bundled,
    of_events,
    simulated,
    written,
)
from tests.support.histories import START, STREAM, deposited, funded

BOOKS = int(os.environ.get("ROLLFORWARD_EXPORTS", "10"))
JOURNALS = max(2, BOOKS // 5)


@pytest.fixture(scope="module")
def story():
    return bundled()


def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": "false"})


def sums_of(book) -> dict[tuple[str, str], Decimal]:
    """Return the sum of every number of every kind, added up from the lines one by one."""
    found: dict[tuple[str, str], Decimal] = {}
    with exact():
        for line in asked(book).lines():
            tag, values = tag_of(line), values_of(line)
            for field in fields_of(tag):
                if field.holds == "number" and values[field.name] is not None:
                    key = tag, field.name
                    found[key] = found.get(key, Decimal(0)) + Decimal(values[field.name])
    return found


def put(folder: Path, name: str, body: bytes) -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


# ------------------------------------------------------------------------------ columns


def test_duckdb_sums_parquet_csv_and_json_lines_to_the_last_digit(story, tmp_path, figure):
    sums = 0
    for number, book in enumerate([story, *map(simulated, range(BOOKS))]):
        con = database()
        table = put(tmp_path, f"{number}.parquet", written(book, "parquet"))
        rows = put(tmp_path, f"{number}.csv", written(book, "csv"))
        lines = put(tmp_path, f"{number}.jsonl", written(book, "jsonl"))
        con.execute(f"create view p as select * from '{table}'")
        con.execute(f"create view c as select * from read_csv('{rows}', all_varchar=true)")
        con.execute(
            f'create view j as select *, "@" as kind from '
            f"read_json('{lines}', format='newline_delimited', sample_size=-1)"
        )
        wanted = sums_of(book)
        names = sorted({name for _, name in wanted})
        for view in "pcj":
            typed = "" if view == "p" else "::decimal(38, 12)"
            told = ", ".join(f'sum("{name}"{typed})' for name in names)
            rows = con.execute(f"select kind, {told} from {view} group by kind").fetchall()
            found = {
                (tag, name): value
                for tag, *values in rows
                for name, value in zip(names, values, strict=True)
                if value is not None
            }
            assert wanted == found, (number, view)
            sums += len(found)
    figure(
        line="6-4",
        text="sums DuckDB makes of exported Parquet, CSV and JSON Lines, exact",
        value=f"{sums:,} of {sums:,}, {BOOKS + 1} books",
    )


def test_parquet_is_read_back_by_pyarrow_and_polars_value_by_value(story):
    for book in (story, simulated(3)):
        body = written(book, "parquet")
        lines = [*asked(book).lines()]
        for table in (
            pq.read_table(io.BytesIO(body)),
            pl.read_parquet(io.BytesIO(body)).to_arrow(),
        ):
            rows = table.to_pylist()
            assert len(lines) == len(rows)
            for line, row in zip(lines, rows, strict=True):
                values, tag = values_of(line), tag_of(line)
                assert (tag, values["stream"]) == (row["kind"], row["stream"])
                for field in fields_of(tag):
                    value, found = values[field.name], row[field.name]
                    if field.holds == "number" and value is not None:
                        assert Decimal(value) == found
                    elif field.holds == "moment" and value is not None:
                        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
                        assert moment == found
                    elif field.holds == "parts" and value is not None:
                        assert value == json.loads(found)
                    else:
                        assert value == found


def test_columns_are_as_wide_as_their_longest_value_and_never_a_float(story):
    schema = pq.read_schema(io.BytesIO(written(story, "parquet")))
    assert pa.decimal128(18, 6) == schema.field("usdc").type
    assert pa.timestamp("ms", tz="UTC") == schema.field("at").type
    assert pa.int64() == schema.field("tid").type
    assert pa.bool_() == schema.field("crossed").type
    assert not [field for field in schema if pa.types.is_floating(field.type)]


@pytest.mark.parametrize(
    ("whole", "places", "wanted"),
    [(10, 8, pa.decimal128(18, 8)), (20, 18, pa.decimal128(38, 18)), (1, 0, pa.decimal128(18, 0)),
     (11, 8, pa.decimal128(38, 8)), (20, 19, pa.string()), (31, 30, pa.string())],
)  # fmt: skip
def test_no_digit_is_lost_however_long_amounts_are(whole, places, wanted):
    longest = Decimal("9" * whole + ("." + "9" * places if places else ""))
    values = [longest, longest.copy_negate(), *amounts(whole, 40, whole=whole, places=places)]
    events = [
        deposited(START + number, canonical(value), f"0x{number:02x}")
        for number, value in enumerate(values)
    ]
    table = pq.read_table(io.BytesIO(written(of_events(*events), "parquet")))
    assert wanted == table.schema.field("usdc").type
    assert values == [Decimal(value) for value in table["usdc"].to_pylist()]
    told = (table.schema.field("usdc").metadata or {}).get(b"text")
    assert (None if wanted != pa.string() else f"needs {whole + places} digits".encode()) == told


def test_the_same_book_gives_the_same_bytes(story):
    for form in ("csv", "jsonl", "parquet", "xlsx", "beancount", "hledger"):
        assert written(story, form) == written(bundled(), form), form


def test_a_parquet_file_says_what_it_is(story):
    told = pq.read_schema(io.BytesIO(written(story, "parquet"))).metadata
    instant = story.account(ACCOUNT).at()
    assert str(story.position()).encode() == told[b"rollforward.position"]
    assert instant.digest.encode() == told[f"rollforward.state_digest.{ACCOUNT}".encode()]
    timeline = told[f"rollforward.timeline_digest.{ACCOUNT}".encode()]
    assert instant.timeline_digest.encode() == timeline
    field = pq.read_schema(io.BytesIO(written(story, "parquet", what="funding"))).field("usdc")
    assert {b"meaning", b"unit"} <= set(field.metadata)
    assert b"collateral" == field.metadata[b"unit"]


def test_subjects_are_the_events_of_their_kinds(story):
    kinds = {
        what: {json.loads(line)["@"] for line in written(story, "jsonl", what=what).splitlines()}
        for what in ("fills", "funding", "interest", "transfers")
    }  # fmt: skip
    assert {"filled/1"} == kinds["fills"]
    assert {"funding_paid/1"} == kinds["funding"]
    assert {"interest_accrued/1"} == kinds["interest"]
    assert {"deposited/1", "withdrawn/1", "transferred/1", "class_transferred/1",
            "reserve_operated/1"} == kinds["transfers"]  # fmt: skip


# --------------------------------------------------------------------------- every face


def test_a_figure_is_the_same_by_every_face(story, tmp_path, figure):
    """Balances and every payment: Python, polars, Arrow, Parquet, DuckDB, CSV, JSON Lines, XLSX."""
    account = story.account(ACCOUNT)
    table = account.at().balances
    ours = {(row["place"], row["asset"]): Decimal(row["amount"]) for row in table.to_dicts()}
    parquet = put(tmp_path, "b.parquet", written(story, "parquet", what="balances"))
    rows = written(story, "csv", what="balances").decode()
    lines = written(story, "jsonl", what="balances").decode().splitlines()
    book = put(tmp_path, "b.xlsx", written(story, "xlsx", what="balances"))
    faces = {
        "polars": table.to_polars().rows(named=True),
        "Arrow": table.to_arrow().to_pylist(),
        "Parquet": pq.read_table(parquet).to_pylist(),
        "DuckDB": [
            dict(zip(("place", "asset", "amount"), row, strict=True))
            for row in database()
            .execute(f"select place, asset, amount from '{parquet}'")
            .fetchall()
        ],
        "CSV": [*csv.DictReader(io.StringIO(rows))],
        "JSON Lines": [json.loads(line) for line in lines],
        "XLSX": [
            {"place": row[0].value, "asset": row[1].value, "amount": row[2].value}
            for row in workbooks.sheets(book)["Table"][3:]
            if row and row[0] is not None and len(row) > 2
        ],
    }
    for name, found in faces.items():
        told = {(row["place"], row["asset"]): Decimal(row["amount"]) for row in found}
        assert ours == told, name
    figure(
        line="6-4",
        text="balances of the bundled account that are the same by every face",
        value=f"{len(ours)} of {len(ours)} by Python, {', '.join(faces)}",
    )


def test_libreoffice_reads_the_workbook_as_it_is(story, tmp_path, figure):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    path = put(tmp_path, "funding.xlsx", written(story, "xlsx", what="funding"))
    # 44,34,76 are comma, quote and UTF-8; sheet 1 has the payments.
    said = subprocess.run(
        [office, "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to",
         "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,1",
         "--outdir", str(tmp_path), str(path)],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    made = sorted(tmp_path.glob("funding*.csv"))
    assert made, said.stderr
    head, *rows = [*csv.reader(made[0].read_text(encoding="utf-8").splitlines())][2:]
    events = [each for each in events_of(story) if isinstance(each, FundingPaid)]
    assert len(events) == len(rows)
    for event, row in zip(events, rows, strict=True):
        told = dict(zip(head, row, strict=True))
        assert iso(event.at)[:-1].replace("T", " ") == told["at"]
        assert (event_id(event), event.coin) == (told["event"], told["coin"])
        for name in ("usdc", "size", "rate"):
            assert getattr(event, name) == Decimal(told[name]), name
    figure(
        line="6-4",
        text="payments LibreOffice reads from an exported workbook as they are",
        value=f"{len(rows)} of {len(rows)}",
    )


def events_of(book):
    return [*book.engine.events(f"account:{ACCOUNT}", book.position())]


def test_long_numbers_and_open_ones_in_a_workbook(tmp_path):
    """Sixteen digits stand beside the number as text; what a record leaves open stays empty."""
    long, oid = Decimal("1234567890123456.123456"), 2**53 - 1
    fill = next(each for each in events_of(bundled()) if isinstance(each, Filled))
    fill = attrs.evolve(fill, stream=STREAM, notional=long, oid=oid, builder_fee=None)
    path = put(tmp_path, "long.xlsx", written(of_events(fill), "xlsx"))
    _, _, head, row = workbooks.sheets(path)["Filled"][:4]
    names = [cell.value for cell in head]
    told = {name: cell for name, cell in zip(names, row, strict=False) if cell is not None}
    assert canonical(long) == told["notional, exact"].value
    assert str(oid) == told["oid"].value
    assert "s" == told["oid"].kind
    assert "builder_fee" in names
    assert "builder_fee" not in told


def test_a_moment_no_spreadsheet_has_a_date_for_is_text(tmp_path):
    far = attrs.evolve(funded(START), at=10**15 - 1)
    path = put(tmp_path, "far.xlsx", written(of_events(funded(START), far), "xlsx"))
    first, second = workbooks.sheets(path)["Funding paid"][3:5]
    assert START == round(first[0].moment.timestamp() * 1000)
    assert iso(10**15 - 1) == second[0].value
    for form in ("csv", "jsonl", "parquet"):
        assert written(of_events(far), form)


def test_hostile_text_is_text_in_every_sheet(tmp_path):
    text = '=HYPERLINK("x")<script>alert(1)</script>'
    note = Noted(stream=STREAM, at=START, author="@ada", text=text)
    path = put(tmp_path, "note.xlsx", written(of_events(note, funded(START + 1)), "xlsx"))
    cells = [cell for row in workbooks.sheets(path)["Noted"] for cell in row if cell is not None]
    assert text in [cell.value for cell in cells]
    assert {"n", "s"} == {cell.kind for cell in cells}


# ------------------------------------------------------------------------------ journals


def beaned(text: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    return ran(Path(sys.executable).parent / "bean-check", put(folder, "a.beancount", text))


def ledgered(text: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    path = put(folder, "a.journal", text)
    return ran(
        hledger_or_skip(), "-f", path, "check", "accounts", "commodities", "ordereddates"
    )  # fmt: skip


def hledger_or_skip() -> str:
    found = shutil.which("hledger")
    if found is None:
        pytest.skip("hledger is not installed")
    return found


def ran(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, timeout=240
    )


def test_bean_check_accepts_whole_histories(story, tmp_path, figure):
    transactions = assertions = 0
    for book in (story, *map(simulated, range(JOURNALS))):
        text = written(book, "beancount")
        said = beaned(text, tmp_path)
        assert (0, "", "") == (said.returncode, said.stdout, said.stderr)
        transactions += text.count(b'  event: "')
        assertions += text.count(b" balance ")
    figure(
        line="6-4",
        text="bean-check accepts whole exported histories",
        value=f"{JOURNALS + 1}: {transactions:,} events, {assertions:,} balance assertions",
    )


def test_hledger_check_accepts_whole_histories(story, tmp_path, figure):
    assertions = 0
    for book in (story, *map(simulated, range(JOURNALS))):
        text = written(book, "hledger")
        said = ledgered(text, tmp_path)
        assert (0, "") == (said.returncode, said.stderr)
        assertions += text.count(b" = ")
    figure(
        line="6-4",
        text="hledger check accepts whole exported histories",
        value=f"{JOURNALS + 1}: {assertions:,} balance assertions",
    )


def off(text: str, amount: str) -> bytes:
    """Return a journal in which the first such amount is 1e-12 too large."""
    with exact():
        wrong = f"{Decimal(amount) + Decimal('1e-12'):.13f}"
    return text.replace(f"  {amount} ", f"  {wrong} ", 1).encode()


def test_an_amount_that_is_off_by_a_trillionth_is_refused(story, tmp_path):
    amount = f"{Decimal(60000):.13f}"  # the deposit with which the account begins
    bean = written(story, "beancount").decode()
    assert f"  {amount} USDC" in bean
    assert 0 != beaned(off(bean, amount), tmp_path).returncode
    assert 0 != ledgered(off(written(story, "hledger").decode(), amount), tmp_path).returncode


def test_every_event_that_moves_something_is_a_transaction_with_its_digest(story):
    history = story.account(ACCOUNT).history().to_dicts()
    moved = {row["event"] for row in history if row["change"] is not None}
    text = written(story, "beancount").decode()
    told = [line.split('"')[1] for line in text.splitlines() if line.startswith('  event: "')]
    assert moved == set(told)
    assert len(told) == len(set(told)) == text.count('  digest: "')
