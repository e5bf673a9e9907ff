"""Tables: text for people, dictionaries for programs, HTML for notebooks."""

from __future__ import annotations

from replay.tables import Table

TABLE = Table(
    title="Balances <b>",
    columns=("asset", "in_all"),
    rows=(("USDC", "2703997.4500000002"), ("<script>", None)),
    numbers=frozenset({"in_all"}),
    notes=("rests & rests",),
)


def test_dictionaries_keep_every_digit_as_text():
    assert (
        [
            {"asset": "USDC", "in_all": "2703997.4500000002"},
            {"asset": "<script>", "in_all": None},
        ]
        == TABLE.to_dicts()
        == list(TABLE)
    )


def test_html_is_escaped_and_numbers_stand_right():
    html = TABLE._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "Balances &lt;b&gt;" in html
    assert "rests &amp; rests" in html
    assert '<td style="text-align:right">2703997.4500000002</td>' in html
    assert "<th>in all</th>" in html


def test_text_stands_in_columns():
    assert [
        "Balances <b>",
        "  asset                 in all",
        "  USDC      2703997.4500000002",
        "  <script>",
        "  note: rests & rests",
    ] == str(TABLE).splitlines()


def test_a_table_without_rows_says_so():
    empty = Table(title="Fees", columns=("asset",), empty="none")
    assert "Fees\n  (none)" == str(empty)
    assert "none" in empty._repr_html_()
    assert [] == empty.to_dicts()


def test_rows_can_be_picked_by_what_they_say():
    assert 1 == len(TABLE.only(asset="USDC"))
    assert 0 == len(TABLE.only(asset="HYPE"))
