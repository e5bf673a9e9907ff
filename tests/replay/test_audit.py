"""The interface of Python: one line from a book to a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import replay
from ledger.errors import MalformedRecord, NotFound, StoreFailed, UnclearQuestion
from replay.cli import app

CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    book = tmp_path_factory.mktemp("book") / "x.book"
    result = CliRunner().invoke(app, ["import", str(CASCADE), "--book", str(book)])
    assert 0 == result.exit_code, result.output
    return book


@pytest.fixture
def audit(path):
    with replay.open(path) as opened:
        yield opened


def test_one_line_from_a_book_to_a_table(path):
    table = replay.open(path).account(ACCOUNT).at("2026-08-04T12:00Z").balances
    assert {"perp", "spot", "supplied"} <= {row["place"] for row in table.to_dicts()}
    assert "<table" in table._repr_html_()


def test_an_address_in_checksum_spelling_is_the_same_account(audit):
    spelt = "0x" + ACCOUNT[2:].upper()
    assert ACCOUNT == audit.account(spelt).account


def test_what_is_not_there_is_named(audit, tmp_path):
    with pytest.raises(NotFound, match="no account 0xabab"):
        audit.account("0x" + "ab" * 20)
    with pytest.raises(MalformedRecord, match="not an address"):
        audit.account("bob")
    with pytest.raises(NotFound, match=r"no book .*missing\.book"):
        replay.open(tmp_path / "missing.book")
    (tmp_path / "notes.book").write_text("notes")
    with pytest.raises(StoreFailed):
        replay.open(tmp_path / "notes.book").accounts()


def test_a_time_without_zone_is_refused(audit):
    with pytest.raises(UnclearQuestion, match="no time zone"):
        audit.account(ACCOUNT).at("2026-08-04T12:00")


def test_an_instant_has_all_its_tables(audit):
    instant = audit.account(ACCOUNT).at()
    titles = [table.title for table in instant.tables]
    assert ["Balances", "Positions", "Fees", "Funding", "Liquidations"] == titles
    assert all(table.title in str(instant) for table in instant.tables)
    assert instant._repr_html_().count("<table") == len(titles)
    assert {"mark", "oracle"} <= {row["measure"] for row in instant.prices}


def test_prices_are_the_last_ones_by_then_and_never_later(audit):
    from replay.moments import parse_moment

    early = audit.account(ACCOUNT).at("2026-08-04T12:00Z").prices.to_dicts()
    assert early
    assert all(parse_moment(row["at"]) <= parse_moment("2026-08-04T12:00Z") for row in early)


def test_equal_instants_have_equal_digests_and_others_do_not(audit):
    history = audit.account(ACCOUNT)
    at = "2026-08-04T12:00Z"
    assert history.at(at).digest == history.at(at).digest != history.at().digest
    assert history.at(at).timeline_digest == history.at(at).timeline_digest
    assert history.at(at).timeline_digest != history.at().timeline_digest


def test_before_anything_happened_there_is_nothing(audit):
    instant = audit.account(ACCOUNT).at("2020-01-01T00:00Z")
    assert ([], [], 0) == (
        instant.balances.to_dicts(),
        instant.positions.to_dicts(),
        instant.folded.count,
    )
    assert () == instant.balances.notes


def test_a_position_beyond_the_book_is_refused(audit):
    history = audit.account(ACCOUNT)
    last = audit.position()
    assert history.at().digest == history.at(known_at=last).digest
    assert 0 == history.at(known_at=0).folded.count
    with pytest.raises(UnclearQuestion, match=f"after the book's last, {last}"):
        history.at(known_at=last + 1)


def test_a_report_renders_in_a_notebook(audit):
    report = audit.account(ACCOUNT).check()
    assert report.is_clean
    assert "131 of 131" in report._repr_html_()
    assert "<table" in audit.account(ACCOUNT).explain("fee USDC")._repr_html_()


def test_an_unknown_kind_stops_what_it_concerns_and_nothing_else(tmp_path):
    import json

    rows = [
        {"time": 1760000000000, "hash": "0x1", "delta": {"type": "deposit", "usdc": "10.0"}},
        {"time": 1760000001000, "hash": "0x2", "delta": {"type": "moonGift", "usdc": "5.0"}},
    ]
    name, book = tmp_path / "ledger.json", tmp_path / "y.book"
    name.write_text(json.dumps(rows))
    words = ["import", str(name), "--account", ACCOUNT, "--book", str(book)]
    assert 0 == CliRunner().invoke(app, words).exit_code
    with replay.open(book) as opened:
        history = opened.account(ACCOUNT)
        assert "10" == history.at(1760000000500).balances.to_dicts()[0]["amount"]
        after = history.at()
        assert [] == after.balances.to_dicts()
        assert "moonGift" in after.balances.notes[0]
        assert "unknown" in str(after.balances)
        assert [] == after.fees.to_dicts()
        assert "unknown" in history.history().notes[0]
        assert "unknown" == history.explain("balance perp USDC").figure
        assert "10" == history.explain("balance perp USDC", at=1760000000500).figure
        assert not history.check().is_clean
