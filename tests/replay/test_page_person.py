"""The page in a browser, as a person uses it: by mouse, by keyboard, by address, without script."""

from __future__ import annotations

import os

import pytest

import replay
from tests.support.margin_books import ACCOUNT, CASCADE, cascade
from tests.support.visitor import Visit, browser_path, visiting

LIQUIDATED = "2026-08-05T14:40:00.350Z"
BEFORE = "2026-08-05T14:40:00.349Z"
RATIO = "0.9528959393"
"""The ratio just before the bundled liquidation, as composed and explained (``explain L-1``)."""
STEPS = int(os.environ.get("ROLLFORWARD_PAGE_STEPS", "8"))


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    browser_path()
    with visiting(cascade(tmp_path_factory.mktemp("person"))) as found:
        yield found


@pytest.fixture(autouse=True)
def at_ease(visit: Visit):
    """Whatever a person does: the console stays silent, and nobody else is asked."""
    yield
    visit.close()
    said, strangers = list(visit.said), visit.strangers
    visit.said.clear()
    visit.asked.clear()
    assert [] == said
    assert [] == strangers


def at(moment: str = BEFORE, known_at: int = 482) -> str:
    return f"/a/{ACCOUNT}?at={moment}&known-at={known_at}"


def ratio(page) -> str:
    Visit.rest(page)
    return page.inner_text("#ratio").strip()


def verdict(page) -> str:
    Visit.rest(page)
    return page.get_attribute("#verdict", "data-verdict")


def instant(page) -> str:
    return page.inner_text("#moment-text")


def digest(page) -> str:
    Visit.rest(page)
    return page.text_content("#digest").strip()


def drag(page, share_from: float, share_to: float) -> None:
    """Drag the slider's thumb from one share of its way to another, with the mouse."""
    box = page.locator("#moment").bounding_box()
    thumb = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize) * 1.375")
    x = lambda share: box["x"] + thumb / 2 + share * (box["width"] - thumb)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x(share_from), y)
    page.mouse.down()
    page.mouse.move(x((share_from + share_to) / 2), y, steps=4)
    page.mouse.move(x(share_to), y, steps=4)
    page.mouse.up()


def share(page, moment: str) -> float:
    """Where on the slider a moment lies."""
    return page.evaluate(
        "(moment) => { const s = document.getElementById('moment');"
        " return (Date.parse(moment) - s.min) / (s.max - s.min); }",
        moment,
    )


def folded(visit: Visit, moment: str, known_at: int = 482) -> str:
    """The digest of a state that is folded from nothing, without the page and its memory."""
    with replay.open(visit.book, cache=False) as audit:
        return audit.account(ACCOUNT).at(moment, known_at).digest


# ------------------------------------------------------------------------- by mouse


def test_the_slider_is_dragged_to_before_and_after_the_liquidation(visit, figure):
    page = visit.page(at("2026-08-05T18:01:00.000Z"))
    assert ("2026-08-05 18:01:00 UTC", "fine") == (instant(page), verdict(page))
    there = share(page, LIQUIDATED)
    drag(page, 1.0, there - 0.02)
    assert instant(page) < "2026-08-05 14"
    before = float(ratio(page))
    assert 0.3 < before < 0.95
    drag(page, there - 0.02, there + 0.001)
    assert "2026-08-05 14:40:00.350 UTC" == instant(page)
    after = float(ratio(page))
    assert ("fine", True) == (verdict(page), after < before)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#moment-text:has-text('14:40:00 UTC')")
    assert ("liquidatable", "0.9528959392") == (verdict(page), ratio(page))
    figure(line="6-1", text="acts of a person on the page, as the book tells them", value=3,
           is_part=True)  # fmt: skip


def test_pressing_on_a_lane_moves_there(visit):
    page = visit.page(at())
    lane = page.locator('[data-lane="ratio"] .u-over')
    lane.click(position={"x": 40, "y": 30})
    assert "2026-08-03" == instant(page)[:10]
    Visit.rest(page)
    assert instant(page).replace(" UTC", "") in page.inner_text("#state-title").replace("UTC", "")


def test_the_figures_follow_the_hand(visit):
    """While the button is still down and the mouse moves on, answers come and are shown."""
    page = visit.page(at("2026-08-05T18:01:00.000Z"))
    box = page.locator("#moment").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 11, y)
    page.mouse.down()
    shown = set()
    for step in range(1, 36):
        page.mouse.move(box["x"] + box["width"] - 11 - step * 12, y)
        page.wait_for_timeout(20)
        shown.add(page.inner_text("#state-title"))
    assert 3 <= len(shown)
    page.mouse.up()
    moment = instant(page)
    Visit.rest(page)
    assert moment in page.inner_text("#state-title")


# ------------------------------------------------------------------------- by keyboard


def test_arrows_go_from_event_to_event(visit, figure):
    page = visit.page(at("2026-08-03T08:00:05.123Z"))
    with replay.open(visit.book) as audit:
        expected = sorted({row["at"] for row in audit.account(ACCOUNT).history()})
    steps = min(STEPS, len(expected) - 1)
    page.focus("#moment")
    seen = [page.input_value("#at-text")]
    for _ in range(steps):
        page.keyboard.press("ArrowRight")
        Visit.rest(page)
        seen.append(page.input_value("#at-text"))
    assert expected[: steps + 1] == seen
    page.keyboard.press("ArrowLeft")
    Visit.rest(page)
    assert expected[steps - 1] == page.input_value("#at-text")
    figure(line="6-1", text="acts of a person on the page, as the book tells them",
           value=steps + 1, is_part=True)  # fmt: skip


def test_at_the_end_the_focus_stays_where_it_was(visit):
    with replay.open(visit.book) as audit:
        second = sorted({row["at"] for row in audit.account(ACCOUNT).history()})[1]
    page = visit.page(at(second))
    page.focus("#previous-event")
    page.keyboard.press("Enter")
    page.wait_for_selector("#previous-event[aria-disabled=true]")
    Visit.rest(page)
    assert "previous-event" == page.evaluate("document.activeElement.id")
    moment = page.input_value("#at-text")
    assert moment in page.title(), "the window is called after the instant shown"
    page.keyboard.press("Enter")
    assert moment == page.input_value("#at-text")


@pytest.mark.parametrize("moment", ["2026-08-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_an_instant_outside_the_history_is_shown_and_moves_nothing_aside(visit, moment):
    page = visit.page(at(moment))
    assert moment == page.input_value("#at-text")
    assert not page.is_visible("#now")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.focus("#known")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**known-at=481")
    Visit.rest(page)
    assert moment == page.input_value("#at-text"), "what is known changed, not the instant"
    page.focus("#moment")
    page.keyboard.press("Home")
    Visit.rest(page)
    assert page.is_visible("#now")


def test_shift_goes_by_the_hour_and_the_ends_are_a_key_away(visit):
    page = visit.page(at())
    page.focus("#moment")
    page.keyboard.press("Shift+ArrowRight")
    assert "2026-08-05 15:00:00 UTC" == instant(page)
    page.keyboard.press("Shift+ArrowRight")
    assert "2026-08-05 16:00:00 UTC" == instant(page)
    page.keyboard.press("Shift+ArrowLeft")
    assert "2026-08-05 15:00:00 UTC" == instant(page)
    page.keyboard.press("Home")
    assert "2026-08-03 08:00:05.123 UTC" == instant(page)
    assert "unknown" == verdict(page)
    page.keyboard.press("End")
    assert "2026-08-05 18:01:00 UTC" == instant(page)
    assert "fine" == verdict(page)


def test_what_is_reached_is_said_politely(visit):
    page = visit.page(at(LIQUIDATED))
    page.focus("#moment")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#say:has-text('UTC')", state="attached")
    assert "polite" == page.get_attribute("#say", "aria-live")
    assert page.text_content("#say").startswith(
        "2026-08-05 14:40:00 UTC: margin ratio 0.9528959392, liquidatable"
    )
    assert "2026-08-05 14:40:00 UTC" == page.get_attribute("#moment", "aria-valuetext")


def test_every_control_is_reached_by_tab_and_shows_it(visit):
    page = visit.page(at())
    outlines = []
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        outlines.append(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    assert {"moment", "known", "previous-event", "next-event"} <= set(reached)
    assert {"solid"} == set(outlines)


# ------------------------------------------------------------------------- down to the record


def test_a_number_is_opened_down_to_its_raw_record(visit, figure):
    page = visit.page(at())
    assert RATIO == ratio(page)
    page.click("#ratio a")
    assert RATIO == page.inner_text("#value")
    page.click(".derivation a:has-text('liquidation value of USDC') >> nth=0")
    assert "7681.2820769081" == page.inner_text("#value").split()[0]
    page.click("a:has-text('oracle price of HYPE') >> nth=0")
    page.click(".derivation a:has-text('prices.json') >> nth=0")
    assert "/event/" in page.url
    raw = page.inner_text("pre.raw")
    prices = (CASCADE / "prices.json").read_text()
    assert "29.6348" in raw
    assert raw in prices
    page.go_back()
    page.go_back()
    page.go_back()
    page.go_back()
    Visit.rest(page)
    page.click("#frame-positions a:has-text('4500')")
    page.click("table a >> nth=-1")
    assert page.inner_text("pre.raw") in (CASCADE / "account.json").read_text()
    figure(line="6-1", text="acts of a person on the page, as the book tells them", value=2,
           is_part=True)  # fmt: skip


def test_the_card_of_the_liquidation_leads_to_the_instant_before(visit):
    page = visit.page(f"/a/{ACCOUNT}/liquidations?at={BEFORE}&known-at=482")
    page.click("table a:has-text('L-1')")
    assert (RATIO, "held") == (page.inner_text("#ratio"), page.inner_text("#verdict"))
    page.click("a:has-text('just before')")
    assert ("2026-08-05 14:40:00.349 UTC", RATIO) == (instant(page), ratio(page))
    assert "liquidatable" == verdict(page)


# ------------------------------------------------------------------------- known at


def test_known_at_is_changed_and_the_other_belief_is_a_ghost(visit, figure):
    page = visit.page(at())
    late = digest(page)
    assert page.is_hidden("#ghost-key")
    page.focus("#known")
    page.keyboard.press("Home")
    page.wait_for_selector("#ghost-key:visible")
    page.wait_for_url("**&known-at=1")
    assert "position 1 of 482" == page.inner_text("#known-text")
    early = digest(page)
    assert early != late
    assert folded(visit, BEFORE, 1) == early
    page.keyboard.press("End")
    page.wait_for_selector("#ghost-key", state="hidden")
    assert late == digest(page)
    figure(line="6-1", text="acts of a person on the page, as the book tells them", value=2,
           is_part=True)  # fmt: skip


def test_what_is_known_later_widens_the_slider(visit):
    """A link into a time when less was known must not keep later events out of reach."""
    page = visit.page(at("2026-08-05T14:00:00.000Z", known_at=1))
    first = page.get_attribute("#moment", "max")
    page.focus("#known")
    page.keyboard.press("End")
    Visit.rest(page)
    page.focus("#moment")
    page.keyboard.press("End")
    assert "2026-08-05 18:01:00 UTC" == instant(page)
    assert int(first) < int(page.get_attribute("#moment", "max"))


def test_an_answer_that_fails_is_said_where_it_is_seen(visit):
    page = visit.page(at())
    page.route("**/state?*", lambda route: route.abort())
    page.focus("#moment")
    page.keyboard.press("Home")
    page.wait_for_selector("#trouble:visible")
    assert "No answer for 2026-08-03 08:00:05.123 UTC" in page.inner_text("#trouble")
    page.unroute("**/state?*")
    page.keyboard.press("End")
    page.wait_for_selector("#trouble", state="hidden")
    assert "fine" == verdict(page)
    assert 1 == len(visit.said)
    visit.said.clear()


# ------------------------------------------------------------------------- by address


def test_a_deep_link_shows_the_same_in_another_window(visit, figure):
    page = visit.page(at("2026-08-05T18:01:00.000Z"))
    drag(page, 1.0, 0.4)
    first = digest(page)
    moment = page.input_value("#at-text")
    page.wait_for_url(f"**?at={moment}&known-at=482")
    link = page.url.removeprefix(visit.origin)
    other = visit.page(link)
    assert first == digest(other)
    assert instant(page) == instant(other)
    assert folded(visit, moment) == first
    figure(line="6-1", text="acts of a person on the page, as the book tells them", value=1,
           is_part=True)  # fmt: skip


def test_links_to_other_pages_keep_both_times_of_the_slider(visit):
    page = visit.page(at())
    page.focus("#moment")
    page.keyboard.press("Home")
    page.click("nav >> text=Coverage")
    assert page.url.endswith("coverage?at=2026-08-03T08:00:05.123Z&known-at=482")


@pytest.mark.parametrize("path", ["", "/liquidations/L-1", "/coverage", "/breaks"])
def test_the_narrowest_window_needs_no_scrolling_aside(visit, path):
    page = visit.page(at().replace("?", f"{path}?"), width=320)
    assert page.evaluate("document.documentElement.scrollWidth <= 320"), "WCAG 1.4.10"


# ------------------------------------------------------------------------- without script


def test_without_script_the_page_answers_by_links_and_forms(visit, figure):
    page = visit.page(at(LIQUIDATED), script=False)
    assert "fine" == verdict(page)
    page.click("#previous-event")
    assert (BEFORE[:19] + ".000Z") == page.input_value("#at-text")
    assert ("liquidatable", "0.9528959392") == (verdict(page), ratio(page))
    page.click("summary:has-text('exact instant')")
    page.fill("#at-text", BEFORE)
    page.click("#exact button")
    assert RATIO == ratio(page)
    page.focus("#moment")
    page.keyboard.press("Home")
    page.click("text=Show this instant")
    assert "2026-08-03 08:00:05.123 UTC" == instant(page)
    assert page.is_hidden("#lanes")
    figure(line="6-1", text="acts of a person on the page, as the book tells them", value=3,
           is_part=True)  # fmt: skip


# ------------------------------------------------------------------------- the lanes as text


def test_the_lanes_are_told_in_words_and_exact_amounts(visit):
    page = visit.page(at())
    page.click("text=The lanes in words")
    rows = {
        row.locator("th").inner_text(): row.inner_text()
        for row in page.locator("#lanes-table tbody tr").all()
    }
    assert {"Margin ratio", "Equity", "Supplied", "Borrowed"} <= set(rows)
    assert RATIO in rows["Margin ratio"] or "0.9528968709" in rows["Margin ratio"]
    page.click("text=The events as a list")
    page.click("#lanes-events a >> nth=-1")
    assert instant(page).startswith("2026-08-05")


def test_what_the_lines_rest_on_is_said_without_opening_anything(visit):
    page = visit.page(at(BEFORE, 1))
    said = page.inner_text("#lanes-notes")
    assert page.is_visible("#lanes-notes")
    assert "sums of what is recorded" in said, "nothing lent was recorded yet: the line lies at 0"
    assert "every event" in said


def test_lanes_without_anything_to_draw_are_empty_and_no_error(visit):
    """Nothing known, nothing marked: the slider still works; errors would be in the console."""
    page = visit.page()

    def emptied(route):
        got = route.fetch()
        told = got.json() | {"marks": []}
        for lane in told["lanes"]:
            lane["values"] = [None] * len(lane["values"])
        route.fulfill(response=got, json=told)

    page.route("**/lanes.json?*", emptied)
    visit.go(page, at())
    page.focus("#moment")
    page.keyboard.press("End")
    assert "fine" == verdict(page)
