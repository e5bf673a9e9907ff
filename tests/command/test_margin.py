"""The commands margin and efficiency, as a person types them."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from tests.support.margin_books import answers, by_hand

D = Decimal
NIGHT = "2026-08-04T22:01Z"


def test_margin_at_an_instant_says_verdict_figures_and_rules(cascade):
    said = cascade.fine("margin", "--at", "2026-08-05T14:39Z")
    assert "Margin under rulebook 2026-08-01 backstop: not liquidatable" in said
    for words in ("margin ratio", "0.9194374126", "2026-08-01 backstop/margin_ratio", "confirmed",
                  "liquidation value", "health factor", "can still borrow", "use of supply cap",
                  "liquidation price", "29.5436413154"):  # fmt: skip
        assert words in said


def test_a_price_older_than_the_age_named_is_said(cascade):
    said = cascade.fine("margin", "--at", "2026-08-05T14:39Z", "--stale", "2m")
    assert "mark of HYPE is 4m old, older than 2m" in said
    assert "old, older" not in cascade.fine("margin", "--at", "2026-08-05T14:39Z")


def test_the_derivation_has_inputs_formulas_and_the_nearest_other_reading(cascade):
    said = cascade.fine("margin", "--at", "2026-08-05T14:39Z", "--explain")
    assert "prices.json [" in said
    assert 'explain "position HYPE"' in said
    assert "requirement, observed of USDC [7335.9] ÷ liquidation value of USDC [7978.68" in said
    assert "[2026-08-01 backstop/margin_ratio, confirmed]" in said
    assert "Nearest other reading: offset:always, ratio 0.9219440919" in said


def test_json_has_every_digit_as_text_and_the_derivation_when_asked(cascade):
    words = ("margin", "--at", "2026-08-05T14:39Z")
    plain, explained = cascade.json(*words), cascade.json(*words, "--explain")
    (judgement,) = plain["judgements"]
    ratio = next(each for each in judgement["figures"] if each["figure"] == "margin ratio")
    assert "0.91943741262949137411" == ratio["value"]
    assert "derivation" not in judgement
    lines = explained["judgements"][0]["derivation"]
    assert any(each["where"].startswith("/") or "prices.json" in each["where"] for each in lines)
    assert {False} == {plain["liquidatable"], explained["liquidatable"]}


def test_a_verdict_that_is_unknown_ends_with_3_and_names_what_is_missing(cascade):
    result = cascade("margin", "--at", "2026-08-03T10:00Z", "--mode", "portfolioMargin")
    assert 3 == result.exit_code
    assert "unknown for want of: " in result.stdout
    assert "balance of USDC before the first record (perp:)" in result.stdout
    known = cascade.fine(
        "margin", "--at", "2026-08-03T10:00Z", "--mode", "portfolioMargin", "--complete"
    )
    assert "leverage of HYPE" in known
    assert "0.1864953308" in known


def test_an_instant_without_mode_or_rulebook_is_an_error_with_its_name(cascade):
    result = cascade("margin", "--at", "2026-08-03T10:00Z")
    assert (2, True) == (result.exit_code, "--mode" in result.stderr)
    result = cascade("margin", "--at", "2026-01-03T10:00Z", "--mode", "unifiedAccount")
    assert (2, True) == (result.exit_code, "--rulebook '2026-01-27 pre-alpha'" in result.stderr)
    result = cascade("margin", "--at", NIGHT, "--rulebook", "nope")
    assert (2, True) == (result.exit_code, "no rulebook is called 'nope'" in result.stderr)


def test_two_rulebooks_that_differ_are_both_shown_and_end_with_1(rf):
    book = by_hand(rf.folder, 4, 15)
    result = rf("margin", "--at", "2026-08-15T00:00Z", "--book", str(book))
    assert 1 == result.exit_code
    assert "Margin under rulebook 2026-08-01 backstop: liquidatable" in result.stdout
    assert "Margin under rulebook 2026-08-11 hype-ltv: not liquidatable" in result.stdout
    assert "they differ on the verdict" in result.stdout


# ------------------------------------------------------------------------- through time


SPAN = ("--from", "2026-08-05T14:00Z", "--to", "2026-08-05T15:00Z")


def test_a_timeline_is_a_table_and_csv_and_json_of_the_same_digits(cascade):
    table = cascade.fine("margin", *SPAN, "--every", "price")
    rows = list(csv.DictReader(io.StringIO(cascade.fine("margin", *SPAN, "--every", "price",
                                                        "--csv"))))  # fmt: skip
    told = cascade.json("margin", *SPAN, "--every", "price")
    assert "first liquidatable at 2026-08-05T14:40:00.000Z" in table
    assert "liquidation: Close Long 4500 HYPE" in table
    assert [each["ratio"] for each in told["points"]] == [each["ratio"] for each in rows]
    assert all(each["ratio"] in table for each in rows)
    assert ["no"] * 8 + ["yes"] + ["no"] * 2 == [each["liquidatable"] for each in rows]
    assert "2026-08-05T14:40:00.000Z" == told["first_liquidatable"]


@pytest.mark.parametrize("name", ["m.svg", "m.png"])
def test_a_chart_is_drawn_beside_the_table(cascade, name):
    result = cascade("margin", *SPAN, "--every", "price", "--chart", name, "--width", "720")
    assert 0 == result.exit_code, result.output
    assert f"drew {name}" in result.stderr
    assert 5000 < (cascade.folder / name).stat().st_size


def test_what_belongs_to_an_instant_and_what_to_a_time_is_kept_apart(cascade):
    for words in (("--csv",), ("--chart", "m.svg"), ("--from", NIGHT), ("--to", NIGHT),
                  (*SPAN, "--at", NIGHT), (*SPAN, "--explain"), (*SPAN, "--every", "week"),
                  ("--stale", "old"), ("--readings", "offset")):  # fmt: skip
        result = cascade("margin", *words)
        assert 2 == result.exit_code, (words, result.output)


# ------------------------------------------------------------------------- ways of margining


def test_the_ways_stand_side_by_side_and_portfolio_margin_counts_the_tokens(cascade):
    """Supplied: 280 HYPE, half of their worth at the oracle price of that minute."""
    told = cascade.json("efficiency", "--at", NIGHT)
    ways = {each["way"]: each for each in told["ways"]}
    assert ["isolated", "cross", "unified", "portfolio"] == list(ways)
    capture = next(
        each for each in answers("prices", "metaAndAssetCtxs")
        if each["recorded_at_http_date"].endswith("04 Aug 2026 22:01:00 GMT")
    )  # fmt: skip
    oracle = D(capture["response"][1][0]["oraclePx"])
    assert D(280) * oracle * D("0.5") == D(ways["portfolio"]["freed"])
    assert "0" == ways["unified"]["freed"]
    assert D("18214.1") == D(ways["isolated"]["requirement"])  # 15,552.45 + 2,661.65
    assert {"8441.6375"} == {each["maintenance"] for each in ways.values()}


def test_sharing_margin_moves_the_liquidation_price_away(cascade):
    told = cascade.json("efficiency", "--at", NIGHT)
    far = {
        each["way"]: abs(D(each["together_share"].removesuffix("%")))
        for each in told["distances"]
        if each["market"] == "HYPE"
    }
    assert far["isolated"] < far["cross"] <= far["unified"] < far["portfolio"]


def test_ways_stand_under_both_rulebooks_where_two_may_hold(rf):
    book = by_hand(rf.folder, 4, 15)
    result = rf("efficiency", "--at", "2026-08-15T00:00Z", "--book", str(book))
    assert 0 == result.exit_code
    for name in ("2026-08-01 backstop", "2026-08-11 hype-ltv"):
        assert f"Ways of margining, in USDC, under {name}" in result.stdout
    assert "two rulebooks may hold" in result.stdout
    assert "they agree which ways could hold the positions" in result.stdout


def test_ways_without_a_beginning_are_unknown_and_end_with_3(cascade):
    result = cascade("efficiency", "--at", "2026-08-03T10:00Z")
    assert 3 == result.exit_code
    assert "unknown for want of: " in result.stdout
