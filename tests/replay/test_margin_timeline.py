"""Margin through time: the bundled account up to its liquidation, and its chart."""

from __future__ import annotations

import struct
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import replay
from ledger.errors import UnclearQuestion
from replay.chart import _spread, draw
from replay.margin import Assembler, Question
from replay.margin_timeline import length, sparkline, timeline
from replay.moments import iso, parse_moment
from tests.support.margin_books import ACCOUNT, answers, cascade, moment

D = Decimal
BEGIN, END = "2026-08-03T12:01Z", "2026-08-05T18:01Z"
LIQUIDATION = "2026-08-05T14:40:00.000Z"


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    with replay.open(cascade(tmp_path_factory.mktemp("cascade"))) as opened:
        yield opened


def through(audit, every: str, since: str = BEGIN, until: str = END):
    of = Assembler(audit.account(ACCOUNT), audit.position(), Question())
    return timeline(of, parse_moment(since), parse_moment(until), every)


@pytest.fixture(scope="module")
def prices(audit):
    return through(audit, "price")


# ------------------------------------------------------------------------- the line


def test_the_limit_is_crossed_at_the_price_of_the_liquidation_and_not_before(prices):
    before = [each for each in prices.points if iso(each.at) < LIQUIDATION]
    assert LIQUIDATION == iso(prices.crossed)
    assert "2026-08-05T14:35:00.000Z" == iso(before[-1].at)
    assert {False} == {each.liquidatable for each in before}
    assert all(each.ratio < D("0.95") for each in before)
    at = next(each for each in prices.points if each.at == prices.crossed)
    assert at.ratio > D("0.95")
    assert D("7319.4625") == at.requirement


def test_every_recorded_price_is_judged(prices):
    recorded = {iso(parse_moment(moment(each))) for each in answers("prices", "metaAndAssetCtxs")}
    wanted = {each for each in recorded if iso(parse_moment(BEGIN)) <= each}
    assert wanted <= {iso(each.at) for each in prices.points}


def test_a_point_is_what_the_instant_says_when_it_is_asked_alone(audit, prices):
    of = Assembler(audit.account(ACCOUNT), audit.position(), Question())
    for point in prices.points[:: len(prices.points) // 7]:
        alone = of.at(point.at).margin.judgements[0]
        assert (alone.ratio.value, alone.liquidatable) == (point.ratio, point.liquidatable)


def test_a_line_by_the_hour_says_that_prices_lie_between(audit):
    hours = through(audit, "1h", "2026-08-05T10:00Z", "2026-08-05T18:00Z")
    assert 9 == len(hours.points)
    assert hours.crossed is None
    assert any("--every price judges each" in note for note in hours.notes())
    assert "liquidated at 2026-08-05T14:40:00.350Z" in hours.notes()
    told = hours.liquidations
    assert ["liquidation: Close Long 4500 HYPE"] == [each.what for each in told]
    assert D("0.95") < told[0].before < D("0.96")
    assert told[0].after < D("0.1")


def test_every_event_of_the_account_is_a_point(audit):
    line = through(audit, "event", "2026-08-04T10:02Z", "2026-08-04T10:03Z")
    moments = ["10:02:00.000", "10:02:00.118", "10:02:00.420", "10:03:00.000"]
    assert moments == [iso(each.at)[11:23] for each in line.points]
    (told,) = line.movers
    assert "Buy 109 HYPE/USDC, borrow 4000 USDC, supply 100 HYPE" == told.what
    assert told.change == told.after - told.before


def test_instants_without_a_mode_are_unknown_and_counted(audit):
    line = through(audit, "1h", "2026-08-03T10:00Z", "2026-08-03T13:00Z")
    assert [("mode",), ("mode",), ("mode",), ()] == [each.missing for each in line.points]
    assert any("3 of 4 instants unknown" in note for note in line.notes())


def test_where_exchanges_have_their_own_money_the_ratio_is_maintenance_over_value(audit):
    """8,441.6375 of 20,799.823221, as the venue's own state of that minute says of both."""
    asked = Question(mode="disabled")
    of = Assembler(audit.account(ACCOUNT), audit.position(), asked)
    at = parse_moment("2026-08-04T22:01Z")
    line = timeline(of, at, at, "1h")
    (point,) = line.points
    assert (D("8441.6375"), D("20799.823221")) == (point.requirement, point.value)
    assert D("0.4058514061") == point.ratio.quantize(D("1e-10"))
    assert (D(1), False) == (line.limit, point.liquidatable)


def test_lengths_and_intervals_are_asked_for_clearly(audit):
    assert [900_000, 3_600_000, 172_800_000] == [length(each) for each in ("15m", "1h", "2d")]
    for wrong in ("", "1", "h", "0h", "1w", "-1h"):
        with pytest.raises(UnclearQuestion, match="length of time"):
            length(wrong)
    with pytest.raises(UnclearQuestion, match="ends before"):
        through(audit, "1h", END, BEGIN)


def test_a_sparkline_goes_from_lowest_to_highest_and_keeps_the_peak():
    assert "" == sparkline([None, None])
    assert "▁▁" == sparkline([D(2), D(2)])
    assert "▁█ ▅" == sparkline([D(0), D(7), None, D(4)])
    assert "▁█▁" == sparkline([D(0), D(0), D(9), D(0), D(0), D(0)], width=3)


# ------------------------------------------------------------------------- the chart


@pytest.mark.parametrize("width", [720, 1280])
def test_a_chart_has_the_limit_and_every_event_that_moved_the_ratio(prices, tmp_path, width):
    path = tmp_path / "m.svg"
    draw(prices, path, width=width)
    text = path.read_text()
    assert f'width="{width * 72 // 96}pt"' in text
    assert "liquidation above 0.95" in text
    assert "first liquidatable 2026-08-05 14:40:00 UTC" in text
    for number, mover in enumerate(prices.movers, 1):
        assert f">{number}</text>" in text
        assert mover.what.replace(">", "&gt;") in text


def test_a_chart_says_where_it_is_unknown_and_what_happened_between(audit, tmp_path):
    path = tmp_path / "m.svg"
    draw(through(audit, "1h", "2026-08-03T10:00Z", "2026-08-05T18:00Z"), path)
    text = path.read_text()
    assert ">unknown</text>" in text
    assert "liquidated 2026-08-05 14:40:00 UTC" in text


def test_a_chart_repeats_its_bytes(prices, tmp_path):
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    draw(prices, one)
    draw(prices, two)
    assert one.read_bytes() == two.read_bytes()


def test_a_picture_is_as_wide_as_asked(prices, tmp_path):
    path = tmp_path / "m.png"
    draw(prices, path, width=720)
    head = path.read_bytes()[:24]
    assert b"\x89PNG\r\n\x1a\n" == head[:8]
    assert 720 == struct.unpack(">I", head[16:20])[0]


def test_for_people_what_never_changes_is_said_once(prices):
    table = prices.for_people()
    assert ("at", "ratio", "requirement", "value", "liquidatable") == table.columns
    assert "throughout: portfolioMargin, rulebook 2026-08-01 backstop" in table.notes


def test_another_format_or_width_is_refused(prices, tmp_path):
    with pytest.raises(UnclearQuestion, match=r"neither \.svg nor \.png"):
        draw(prices, tmp_path / "m.pdf")
    with pytest.raises(UnclearQuestion, match="outside 480 to 4000"):
        draw(prices, tmp_path / "m.svg", width=10)


@given(st.lists(st.floats(0, 1), max_size=12).map(sorted))
def test_marks_never_touch_and_never_leave_the_paper(places):
    apart = 0.03
    found = _spread(places, apart)
    assert len(places) == len(found)
    assert all(-1e-9 <= each <= 1 + 1e-9 for each in found)
    assert all(two - one >= apart - 1e-9 for one, two in pairwise(found))
