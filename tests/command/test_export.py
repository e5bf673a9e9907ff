"""Exports on the command line: whole files or none, streams, and what comes back."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest

from tests.command.conftest import CASCADE

ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
FORMS = ("csv", "jsonl", "parquet", "xlsx", "beancount", "hledger")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_book_made_of_an_export_shows_the_same_state(cascade, form):
    said = cascade("export", form, "--all", "-o", f"all.{form}")
    assert (0, "") == (said.exit_code, said.stdout)
    assert f"written to all.{form}, as known at position" in said.stderr
    book = next(path.name for path in cascade.folder.glob("*.book"))
    cascade.fine("import", f"all.{form}", "--book", "second.book")
    shown = [cascade.json("show", "--book", name) for name in (book, "second.book")]
    assert shown[0]["state_digest"] == shown[1]["state_digest"]
    assert shown[0]["balances"] == shown[1]["balances"]


def test_a_stream_has_the_bytes_of_the_file(cascade):
    for form in FORMS:
        cascade.fine("export", form, "-o", "a.file")
        said = cascade("export", form, "-o", "-")
        assert 0 == said.exit_code
        assert (cascade.folder / "a.file").read_bytes() == said.stdout_bytes
        assert "written to standard output" in said.stderr


def test_csv_and_json_lines_say_the_same(cascade):
    for what in ("history", "balances", "positions", "margin"):
        code = 3 if what == "margin" else 0  # the first hours have no price
        rows = cascade.fine("export", "csv", "--what", what, "-o", "-", code=code)
        lines = cascade.fine("export", "jsonl", "--what", what, "-o", "-", code=code)
        table = [*csv.DictReader(io.StringIO(rows))]
        objects = [json.loads(line) for line in lines.splitlines()]
        assert len(table) == len(objects) > 0
        for row, each in zip(table, objects, strict=True):
            assert {name: value or "" for name, value in each.items()} == row, what


def test_a_file_that_cannot_be_finished_leaves_what_was_there(cascade, monkeypatch):
    kept = cascade.folder / "kept.parquet"
    kept.write_bytes(b"what was there")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = cascade("export", "parquet", "-o", "kept.parquet")
    assert 2 == said.exit_code
    assert "pip install '.[analysis]'" in said.stderr
    assert b"what was there" == kept.read_bytes()
    assert [] == [path.name for path in cascade.folder.iterdir() if path.name.startswith(".")]


def test_a_file_may_be_read_by_whom_other_files_may(cascade):
    plain = cascade.folder / "plain"
    plain.write_text("x", encoding="utf-8")
    cascade.fine("export", "csv", "-o", "a.csv")
    assert plain.stat().st_mode == (cascade.folder / "a.csv").stat().st_mode


def test_without_an_account_every_account_is_there(cascade):
    other = "0x" + "11" * 20
    fills = [{"coin": "ETH", "px": "2000.0", "sz": "0.5", "side": "B", "time": 1760000002000,
              "startPosition": "0.5", "dir": "Open Long", "closedPnl": "0.0",
              "hash": "0x" + "0" * 63 + "2", "oid": 102, "crossed": True, "fee": "0.35",
              "tid": 1002, "feeToken": "USDC", "twapId": None}]  # fmt: skip
    (cascade.folder / "other.json").write_text(json.dumps(fills), encoding="utf-8")
    cascade.fine("import", "other.json", "--account", other)
    lines = cascade.fine("export", "jsonl", "--what", "fills", "-o", "-").splitlines()
    streams = {json.loads(line)["stream"] for line in lines}
    assert {f"account:{ACCOUNT}", f"account:{other}"} == streams
    one = cascade.fine("export", "jsonl", other[:8], "--what", "fills", "-o", "-").splitlines()
    assert 1 == len(one)
    text = cascade.fine("export", "beancount", "-o", "-")
    assert other in text
    assert ACCOUNT in text


def test_balances_are_those_of_the_moment_asked_for(cascade):
    asked = ("export", "jsonl", "--what", "positions", "-o", "-", "--until")
    before, after = (
        {each["market"]: each["size"] for each in map(json.loads, text.splitlines())}
        for text in (
            cascade.fine(*asked, "2026-08-05T14:39Z"), cascade.fine(*asked, "2026-08-05T14:41Z")
        )
    )  # fmt: skip
    assert "4500" == before["HYPE"]
    assert "0" == after["HYPE"]


UNCLEAR = (
    ("csv",), ("docx", "-o", "-"), ("csv", "0x99", "-o", "-"), ("csv", "--what", "x", "-o", "-"),
    ("hledger", "--all", "-o", "-"), ("csv", "--since", "2026-08-05", "-o", "-"),
    ("csv", "--what", "margin", "--every", "never", "-o", "-"), ("csv", "-o", "nowhere/a.csv"),
    ("csv", "--what", "balances", "--since", "2026-08-05T00:00Z", "-o", "-"),
    ("csv", "--what", "fills", "--every", "1h", "-o", "-"),
    ("csv", "--what", "fills", "--all", "-o", "-"),
)  # fmt: skip


def test_an_unclear_question_writes_nothing(cascade):
    for words in UNCLEAR:
        said = cascade("export", *words)
        assert (2, "") == (said.exit_code, said.stdout), words
    kept = {path.name.split("-")[0] for path in cascade.folder.iterdir()}
    assert {"rollforward.book", "rollforward.book.lock"} >= kept - {"rollforward.book.cache"}


def test_a_changed_row_is_quarantined_by_its_line(rf):
    rf.fine("import", str(CASCADE), "--book", "first.book")
    rf.fine("export", "csv", "--book", "first.book", "-o", "a.csv")
    text = (rf.folder / "a.csv").read_text(encoding="utf-8")
    (rf.folder / "b.csv").write_text(text.replace(",60000,", ",61000,", 1), encoding="utf-8")
    report = json.loads(rf("import", "b.csv", "--book", "second.book", "--json").stdout)
    assert ["line 2"] == [row["place"] for row in report["quarantined"]]
    assert "changed" in report["quarantined"][0]["reason"]
