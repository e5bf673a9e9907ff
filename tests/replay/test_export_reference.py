"""The reference of exports says what is written: fresh, and every column in it."""

from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq

from ledger.importers import exported
from tests.support import export_reference
from tests.support.exports import bundled, written


def test_the_reference_of_exports_is_fresh():
    assert export_reference.page() == export_reference.PAGE.read_text(encoding="utf-8"), (
        "run: python -m tests.support.export_reference"
    )


def test_every_column_there_can_be_is_in_the_reference_once():
    columns = export_reference.page().partition("## Columns of events")[2]
    columns = columns.partition("## Columns of figures")[0]
    assert [] == [name for name in exported.COLUMNS if columns.count(f"\n| `{name}` |") != 1]


def test_what_is_written_has_the_columns_of_the_reference():
    page, book = export_reference.page(), bundled()
    (header, *_) = csv.reader(io.StringIO(written(book, "csv").decode()))
    columns = pq.read_schema(io.BytesIO(written(book, "parquet"))).names
    for name in (*header, *columns):
        assert f"\n| `{name}` |" in page, name
