"""In a notebook results are tables with exact types, and pictures; hostile text stays text."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from xml.etree import ElementTree as ET

import attrs
import polars as pl
import pyarrow as pa
import pytest

from ledger.errors import NotFound
from ledger.money import exact
from replay.margin import Assembler, Question
from replay.margin_timeline import Timeline, timeline
from replay.moments import parse_moment
from replay.tables import Table
from tests.support.exports import ACCOUNT, bundled

HOSTILE = '"><script>alert(1)</script>&'


@pytest.fixture(scope="module")
def account():
    return bundled().account(ACCOUNT)


@pytest.fixture(scope="module")
def through(account) -> Timeline:
    of = Assembler(account, account.audit.position(), Question())
    return timeline(of, parse_moment("2026-08-03T08:00Z"), parse_moment("2026-08-05T18:00Z"), "1h")


def table(*cells: str | None, name: str = "amount") -> Table:
    return Table(
        title="T",
        columns=(name,),
        rows=tuple((cell,) for cell in cells),
        numbers=frozenset({name}),
    )


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (("1.5", "-2"), pa.decimal128(18, 1), [Decimal("1.5"), Decimal(-2)]),
        (("1", "unknown", None, "none"), pa.decimal128(18, 0), [Decimal(1), None, None, None]),
        (("9" * 30 + ".12345678",), pa.decimal128(38, 8), [Decimal("9" * 30 + ".12345678")]),
        (("9" * 31 + ".12345678",), pa.string(), ["9" * 31 + ".12345678"]),
        (("1", "2d 3h"), pa.string(), ["1", "2d 3h"]),
        (("01",), pa.string(), ["01"]),
        ((), pa.decimal128(18, 0), []),
    ],
)
def test_amounts_are_exact_decimals_or_else_their_text(cells, kind, values):
    made = table(*cells).to_arrow()
    assert kind == made.schema.field("amount").type
    assert values == made["amount"].to_pylist()
    assert values == table(*cells).to_polars()["amount"].to_list()


def test_what_is_unknown_is_null_and_said():
    made = table("1", "unknown").to_arrow()
    assert 1 == made["amount"].null_count
    assert "amount: 1 of 2 unknown" in made.schema.metadata[b"notes"].decode()


def test_moments_are_moments_and_other_text_is_text():
    made = attrs.evolve(
        table("2026-08-05T14:40:00.350Z", None, name="at"), numbers=frozenset()
    ).to_arrow()
    assert pa.timestamp("ms", tz="UTC") == made.schema.field("at").type
    assert [350_000, None] == [each and each.microsecond for each in made["at"].to_pylist()]
    told = attrs.evolve(table("2026-08-05T14:40:00.350Z", "later", name="at"), numbers=frozenset())
    assert pa.string() == told.to_arrow().schema.field("at").type


def test_everything_that_shows_itself_is_also_a_frame(account, through):
    shown = {
        "instant": account.at(),
        "margin": account.at("2026-08-05T14:00Z").margin,
        "timeline": through,
        "statement": account.statement("2026-08"),
        "certificate": account.coverage(),
        "checks": account.check(),
        "explanation": account.explain("balance spot USDC"),
        "diff": account.diff("10..400"),
    }
    for name, each in shown.items():
        frames, tables = each.to_polars(), each.to_arrow()
        assert list(frames) == list(tables), name
        assert len(frames) > 0
        for told, frame in frames.items():
            assert re.fullmatch(r"[a-z0-9_]{1,60}", told), (name, told)
            assert frame.equals(pl.from_arrow(tables[told])), (name, told)
            assert not [kind for kind in frame.dtypes if kind.is_float()], (name, told)
        assert "<table" in each._repr_html_()


def test_a_sum_of_a_frame_is_the_sum_of_the_account(account):
    """What every event changed adds up to the balances, in the frame's own arithmetic."""
    moved = account.history().to_polars().drop_nulls("change")
    sums = moved.group_by("place", "asset").agg(pl.col("change").sum())
    told = {(place, asset): amount for place, asset, amount in sums.rows() if amount}
    shown = {(row["place"], row["asset"]): Decimal(row["amount"])
             for row in account.at().balances.to_dicts()}  # fmt: skip
    assert shown == {key: amount for key, amount in told.items() if key in shown}


def test_margin_in_frames_has_all_its_digits(account, through):
    frame = through.to_polars()["margin"]
    with exact():
        for point, ratio in zip(through.points, frame["ratio"].to_list(), strict=True):
            assert point.ratio == ratio
    assert any(len(str(ratio).rstrip("0")) > 15 for ratio in frame["ratio"].to_list() if ratio)
    instant = account.at("2026-08-05T14:00Z").margin
    judged = instant.margin.judgements[0]
    rows = instant.to_polars()["figures"].rows(named=True)
    assert judged.ratio.value == next(r["value"] for r in rows if r["figure"] == judged.ratio.name)


def test_the_picture_of_margin_is_drawn_without_a_library(through, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    picture = through._repr_svg_()
    assert picture == through._repr_svg_()
    tree = ET.fromstring(picture)
    assert "img" == tree.get("role")
    assert "0.95" in picture
    titles = [each.text for each in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert len(through.liquidations) == len(titles) == 1
    assert picture in through._repr_html_()


def test_where_the_ratio_is_not_known_the_line_is_broken(through):
    known = [each for each in through.points if each.ratio is not None]
    gap = attrs.evolve(known[20], ratio=None, missing=("price",))
    points = (*known[:20], gap, *known[21:])
    whole, broken = (
        attrs.evolve(through, points=each)._repr_svg_() for each in (tuple(known), points)
    )
    assert 1 == whole.count("<path")
    assert 2 == broken.count("<path")
    assert f"1 of {len(points)} instants have none" in broken


def test_hostile_text_is_escaped_in_pictures_and_tables(through):
    mover = attrs.evolve(through.liquidations[0], what=HOSTILE)
    shown = attrs.evolve(through, account=HOSTILE, movers=(mover,))._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "<script" not in table(HOSTILE, name=HOSTILE)._repr_html_()


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_a_library_that_is_not_there_is_named_with_its_extra(library, account, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(NotFound, match=rf"{library}.*extra analysis\. .*'\.\[analysis\]'"):
        account.at().balances.to_polars()


LOADED = """
import sys, replay.audit, replay.export, replay.cli.export, replay.margin_timeline
print(sorted({"pyarrow", "polars", "xlsxwriter", "matplotlib"} & set(sys.modules)))
"""


def test_no_library_is_loaded_before_it_is_asked_for():
    said = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert "[]" == said.stdout.strip()
