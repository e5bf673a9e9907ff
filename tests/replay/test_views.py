"""The read model through datasette: every canned query answers, with the product's own digits."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import replay
from ledger.money import canonical, exact
from replay import desk_views
from replay.cli import app
from replay.margin import Assembler, Question
from replay.margin_timeline import timeline
from replay.moments import iso, parse_moment
from replay.readmodel import tables
from replay.readmodel.columns import iso_of, ms_of, plain, plain_of, units_of
from replay.readmodel.file import ViewsFile
from replay.readmodel.metadata import metadata
from replay.readmodel.queries import QUERIES, VIEWS
from tests.support import views_reference
from tests.support.hostile import ATTEMPTS, hostile_book
from tests.support.views import asked, dump, refreshed, sound

ROOT = Path(__file__).resolve().parents[2]
ME = "0x5ca1ab1e000000000000000000000000ca5cade0"
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script>"
AT = "2026-08-04T12:34:56.789Z"
HOUR = "2026-08-04T12:00:00Z"


def run(*words: str | Path, code: int = 0) -> str:
    said = CliRunner().invoke(app, [str(word) for word in words])
    assert code == said.exit_code, said.output
    return said.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A book of the bundled history with work done on it, its read model, its metadata."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("ROLLF")}
    made = tmp_path_factory.mktemp("views")
    book = made / "acme.book"
    run("import", ROOT / "fixtures" / "cascade", "--book", book)
    run("correct", ME, "88fbe45fd24d", "--annul", "--reason", "not on our sheet", "--as", "Dan",
        "--book", book)  # fmt: skip
    run("reconcile", "state", "--record", "--as", "Ana", "--book", book, code=1)
    run("group", "define", "fund", "--master", ME, "--label", f"{ME}={HOSTILE}", "--as", "Ana",
        "--book", book)  # fmt: skip
    name = json.loads(run("breaks", "--book", book, "--json"))["breaks"][0]["break"]
    run("breaks", "explain", name, "--as", "Ana", "--because", HOSTILE, "--book", book)
    run("views", "--book", book, "--metadata", made / "metadata.json")
    os.environ.update(kept)
    return made


@pytest.fixture(scope="module")
def audit(folder):
    with replay.open(folder / "acme.book") as audit:
        yield audit


@pytest.fixture(scope="module")
def answers(folder) -> dict[str, list[dict[str, object]]]:
    """What datasette answers to every canned query, with its example and with nothing said."""
    paths = [
        f"/acme/{query.name}.json?{urlencode({**said, '_shape': 'array'})}"
        for query in QUERIES
        for said in (examples()[query.name], dict.fromkeys(query.example, ""))
    ]
    found = asked(folder / "acme.views", folder / "metadata.json", paths)
    assert [200] * len(paths) == [status for status, _ in found], found
    rows = [json.loads(text) for _, text in found]
    whole = {f"{query.name} of all": rows[2 * number + 1] for number, query in enumerate(QUERIES)}
    return {query.name: rows[2 * number] for number, query in enumerate(QUERIES)} | whole


def examples() -> dict[str, dict[str, str]]:
    """Parameters that are asked for here: those of the queries, some made sharper."""
    found = {query.name: dict(query.example) for query in QUERIES}
    found["balances_at"]["at"] = AT
    found["what_touched"]["of"] = "88fbe45fd24d"
    found["search_notes"]["words"] = "our sheet"
    return found


def text_of(rows, *names: str) -> list[tuple[object, ...]]:
    return sorted(tuple(row[name] for name in names) for row in rows)


# ----------------------------------------------------------------- the canned queries' figures


def test_every_canned_query_finds_rows(answers, figure):
    assert [] == [name for name, rows in answers.items() if not rows]
    figure(
        line="6-4",
        text="datasette: canned queries that answer with the product's own digits",
        value=f"{len(QUERIES)} of {len(QUERIES)}, "
        f"{sum(len(answers[query.name]) for query in QUERIES)} rows",
    )


def test_balances_are_those_of_show_to_the_millisecond(answers, audit):
    for name, at in (("balances_at", AT), ("balances_at of all", None)):
        ours = text_of(audit.account(ME).at(at).balances.to_dicts(), "place", "asset", "amount")
        assert ours == text_of(answers[name], "place", "asset", "amount")


@given(at=st.integers(parse_moment("2026-08-03T07:00Z"), parse_moment("2026-08-05T20:00Z")))
def test_balances_are_those_of_show_at_any_millisecond(folder, audit, at):
    sql = next(query.sql for query in QUERIES if query.name == "balances_at")
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        found = base.execute(sql, {"account": ME, "at": str(at)}).fetchall()
    ours = audit.account(ME).at(at).balances.to_dicts()
    assert sorted((row["place"], row["asset"], row["amount"]) for row in ours) == sorted(
        (place, asset, amount) for _, place, asset, amount in found
    )


def test_positions_are_those_of_show(answers, audit):
    for name, at in (("positions_at_hour", HOUR), ("positions_at_hour of all", None)):
        ours = audit.account(ME).at(at).positions.to_dicts()
        theirs = [{key: value or "" for key, value in row.items()} for row in answers[name]]
        for row in ours:
            row |= {key: "" for key, cell in row.items() if cell == "unknown"}
        columns = ("market", "size", "entry_price", "entry_notional", "realized", "money")
        assert text_of(ours, *columns) == text_of(theirs, *columns)


def test_margin_is_that_of_the_margin_command_unrounded(answers, audit, folder):
    of = Assembler(audit.account(ME), audit.position(), Question())
    first, last = parse_moment("2026-08-03T09:00Z"), parse_moment("2026-08-05T19:00Z")
    points = {iso(each.at): each for each in timeline(of, first, last, "1h").points}
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        rows = base.execute("SELECT hour, ratio, requirement, value, liquidatable, mode, rulebook,"
                            " missing FROM margin_by_hour").fetchall()  # fmt: skip
    assert 59 == len(rows) == len(points)
    words = {True: "yes", False: "no", None: "unknown"}
    for hour, *found in rows:
        point = points[hour]
        if point.mode == "unknown":
            assert [None, None, None, "unknown", "unknown", None] == found[:-1]
            assert found[-1].startswith("mode")
            continue
        numbers = (point.ratio, point.requirement, point.value)
        assert [*map(plain, numbers), words[point.liquidatable], point.mode,
                " | ".join(point.rulebooks), ", ".join(point.missing)] == found  # fmt: skip
    near = {
        at: canonical(each.ratio)
        for at, each in points.items()
        if each.liquidatable or (each.ratio is not None and each.ratio >= Decimal("0.6"))
    }
    assert near
    assert near == {row["hour"]: row["ratio"] for row in answers["margin_near_liquidation"]}


def test_interest_by_day_is_that_of_the_statement(answers, audit):
    days = sorted({row["day"] for row in answers["interest_by_day"]})
    assert len(days) == 3
    for day in days:
        said = audit.statement(ME, since=f"{day}T00:00Z", until=f"{day}T23:59:59.999Z")
        with exact():
            ours = {
                (
                    row.asset,
                    canonical(row.of("interest earned")),
                    canonical(row.of("interest paid")),
                )
                for row in said.totals
                if row.of("interest earned") or row.of("interest paid")
            }
            theirs = {
                (row["asset"], row["supply"], canonical(-Decimal(row["borrow"])))
                for row in answers["interest_by_day"]
                if row["day"] == day
            }
        assert ours == theirs, day


def test_fees_by_month_are_those_of_show(answers, audit):
    ours = audit.account(ME).at().fees.to_dicts()
    assert text_of(ours, "asset", "charged") == text_of(
        answers["fees_by_month"], "fee_asset", "charged"
    )


def test_open_breaks_are_those_of_the_desk(answers, audit):
    at = parse_moment("2026-10-01T00:00:00Z")
    cases = [case for case in audit.desk().cases if case.is_live]
    ours = desk_views.ages(cases, at).to_dicts()
    assert ours
    for row in ours:
        theirs = next(each for each in answers["open_breaks"] if each["class"] == row["class"])
        assert row == {name: str(theirs[name]) for name in row}


def test_what_touched_an_annulled_event_names_the_correction_and_the_breaks(answers, audit):
    found = answers["what_touched"]
    (event,) = {row["event"] for row in found}
    assert event == audit.account(ME).entry("88fbe45fd24d").id
    said = {row["what"]: row for row in found}
    assert "Dan: not on our sheet" == said["correction"]["said"]
    assert "annulled" == said["set aside"]["about"]
    assert "movement" not in said  # it is not in force, so it moved nothing


def test_coverage_holes_are_those_of_the_certificate(answers, audit):
    rows = audit.account(ME).coverage().table.to_dicts()
    holes = [row for row in rows if row["level"] in {"missing", "unknown"}]
    columns = ("family", "since", "until", "level")
    assert text_of(holes, *columns) == text_of(answers["coverage_holes"], *columns)


def test_searching_finds_what_people_wrote(answers):
    assert {"correction"} == {row["kind"] for row in answers["search_notes"]}
    assert {"break", "correction", "desk", "finding"} <= {
        row["kind"] for row in answers["search_notes of all"]
    }


# --------------------------------------------------------------------- tables and their figures


def test_every_hour_has_the_digest_that_show_prints(folder, audit):
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        hours = base.execute("SELECT hour_ms, state_digest, events FROM hours").fetchall()
    assert 59 == len(hours)
    for hour, digest, events in hours[::10] + hours[-1:]:
        instant = audit.account(ME).at(hour)
        assert (digest, events) == (instant.digest, instant.folded.count)


def test_movements_are_the_rows_of_history(folder, audit):
    rows = [row for row in audit.account(ME).history().to_dicts() if row["place"]]
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        found = base.execute("SELECT event, place, asset, change, balance FROM movements")
        theirs = sorted(found.fetchall())
    columns = ("event", "place", "asset", "change", "balance")
    assert sorted(tuple(row[name] for name in columns) for row in rows) == theirs


def test_findings_are_those_of_check(folder):
    said = json.loads(run("check", "--json", "--book", folder / "acme.book", code=1))["findings"]
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        found = base.execute("SELECT check_name, severity, at, said, place FROM findings")
        theirs = sorted(found.fetchall(), key=repr)
    columns = ("check", "severity", "at", "text", "place")
    assert sorted((tuple(row[name] for name in columns) for row in said), key=repr) == theirs


def test_every_reference_leads_somewhere_and_nothing_is_left_open(folder):
    sound(folder / "acme.views")
    assert [] == [path.name for path in folder.glob("acme.views-*")]


def test_no_amount_is_stored_as_a_float(folder):
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        for table in tables.TABLES:
            for column in table.columns:
                sorts = base.execute(
                    f'SELECT DISTINCT typeof("{column.name}") FROM "{table.name}"'
                ).fetchall()
                assert {(column.sort.lower(),), ("null",)} >= set(sorts), (table.name, column.name)


def test_a_decimal_or_a_float_never_reaches_the_database(tmp_path):
    with ViewsFile.make(tmp_path / "x.views") as file:
        for wrong in (Decimal("0.1"), 0.1, True):
            with pytest.raises(TypeError, match="write it as text first"):
                file.put(tables.META, ("x", wrong))


# ------------------------------------------------------------------- amounts as whole numbers


def computed(sql: str, **values: object) -> object:
    with closing(sqlite3.connect(":memory:")) as base:
        names = ", ".join(f':{name} AS "{name}"' for name in values)
        return base.execute(f"SELECT {sql} FROM (SELECT {names})", values).fetchone()[0]


@given(units=st.integers(-(10**18) + 1, 10**18 - 1), places=st.integers(0, 8))
def test_an_amount_that_fits_is_that_whole_number_and_back(units, places):
    value = Decimal(units).scaleb(-places)
    if abs(value) >= 10**10:
        value = value.scaleb(-8)
    text = canonical(value)
    wanted = int(Decimal(text).scaleb(8)) if Decimal(text).scaleb(8) % 1 == 0 else None
    assert wanted == computed(units_of("x"), x=text)
    if wanted is not None:
        assert text == computed(plain_of("x"), x=wanted)


@pytest.mark.parametrize(
    "text", ["0.000000001", "10000000000", "-99999999999.5", "0.123456789012345678"]
)
def test_an_amount_that_does_not_fit_is_nothing_and_not_another_one(text):
    assert computed(units_of("x"), x=text) is None


@given(at=st.integers(0, 4_000_000_000_000))
def test_moments_are_written_to_the_millisecond_and_read_back(at):
    text = computed(iso_of("x"), x=at)
    assert at == parse_moment(str(text))
    assert at == computed(ms_of(":p").replace(":p", "x"), x=text)
    assert at == computed(ms_of(":p").replace(":p", "x"), x=str(at))


@pytest.mark.parametrize("text", ["2026-08-04T12:00:00", "2026-08-04", "now", "yesterday", ""])
def test_a_moment_without_its_zone_finds_nothing(text):
    assert computed(ms_of(":p").replace(":p", "x"), x=text) is None


def test_a_sum_with_a_row_that_does_not_fit_is_not_given(folder, tmp_path):
    sql = next(query.sql for query in QUERIES if query.name == "interest_by_day")
    copy = tmp_path / "x.views"
    copy.write_bytes((folder / "acme.views").read_bytes())
    with closing(sqlite3.connect(copy)) as base:
        base.execute("UPDATE interest SET supply='0.0000000001' WHERE ordinal="
                     "(SELECT min(ordinal) FROM interest)")  # fmt: skip
        rows = base.execute(sql, {"account": "", "asset": ""}).fetchall()
    assert (None, 1) == (rows[0][3], rows[0][-1])
    assert all(row[3] is not None and row[-1] == 0 for row in rows[1:])


# ------------------------------------------------------------------------------- what is told


def test_every_table_view_and_column_is_described(folder):
    told = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    own = told["databases"]["acme"]["tables"]
    with closing(sqlite3.connect(folder / "acme.views")) as base:
        names = [
            name
            for (name,) in base.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            )
            if not name.startswith(("sqlite_", "texts_fts"))
        ]
        for name in names:
            assert own[name]["description"]
            seen = {row[1] for row in base.execute(f'PRAGMA table_xinfo("{name}")')}
            assert seen == {column for column, means in own[name]["columns"].items() if means}
        comments = dict(base.execute("SELECT name, sql FROM sqlite_master WHERE type='table'"))
        listed = base.execute("SELECT table_name, column_name FROM _columns").fetchall()
    assert set(own) == set(names) == {each.name for each in (*tables.TABLES, *VIEWS)}
    assert {(t.name, c.name) for t in tables.TABLES for c in t.columns} == set(listed)
    for table in tables.TABLES:
        assert all(f"-- {column.described}\n" in comments[table.name] for column in table.columns)


def test_the_reference_of_tables_is_fresh():
    assert views_reference.page() == views_reference.PAGE.read_text(encoding="utf-8"), (
        "run: python -m tests.support.views_reference"
    )


def test_datasette_shows_hostile_texts_as_texts(tmp_path, figure):
    book = hostile_book(tmp_path / "x.book")
    with replay.open(book) as audit:
        refreshed(audit, tmp_path / "x.views")
    with ViewsFile.read(tmp_path / "x.views") as file:
        told = metadata(tmp_path / "x.views", file.meta())
    (tmp_path / "m.json").write_text(json.dumps(told), encoding="utf-8")
    named = ("group_members", "notes", "breaks", "texts", "fills", "records", "desk_acts")
    paths = [f"/x/{name}?_size=max" for name in named] + ["/x/search_notes?words="]
    found = asked(tmp_path / "x.views", tmp_path / "m.json", paths)
    for path, (status, page) in zip(paths, found, strict=True):
        assert 200 == status, path
        assert "alert(1)" in page or "evil" in page, path
        raw = [text for text in ATTEMPTS if "<" in text and text in page]
        assert [] == raw, path
    figure(line="6-4", text="datasette: hostile texts shown as text",
           value=f"{len(ATTEMPTS)} attempts on {len(paths)} pages")  # fmt: skip


def test_a_full_rebuild_of_the_worked_book_is_equal(folder, audit, tmp_path):
    found = refreshed(audit, tmp_path / "acme.views")
    assert "made" == found.how
    assert dump(folder / "acme.views") == dump(tmp_path / "acme.views")
