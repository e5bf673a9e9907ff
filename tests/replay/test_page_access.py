"""Every page of a book, for every eye: axe's rules, and nothing cut, covered or out of reach.

The pages are opened at the widths of a phone, a desk and a wide screen, light and dark. By default
each page is examined by axe once, in one of four views; ROLLFORWARD_PAGE_VIEWS says in how many.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.support.command import rollforward
from tests.support.eyes import faults_seen
from tests.support.margin_books import ACCOUNT, cascade
from tests.support.visitor import Visit, browser_path, visiting

BEFORE = "at=2026-08-05T14:40:00.349Z&known-at=483"
LABEL = "<script>alert('hi')</script> & a name as long as people give them" + "verylong" * 9
HOME = f"/a/{ACCOUNT}"
PAGES = {
    "accounts": "/",
    "timeline": f"{HOME}?{BEFORE}",
    "timeline-early": f"{HOME}?at=2026-08-03T09:00:00.000Z&known-at=120",
    "state": f"{HOME}/state?{BEFORE}",
    "workings": f"{HOME}/why?{BEFORE}&figure=margin%20margin%20ratio%20of%20USDC",
    "sum": f"{HOME}/why?{BEFORE}&figure=position%20HYPE",
    "event": f"{HOME}/event/98866b0d6e34?{BEFORE}",
    "liquidations": f"{HOME}/liquidations?{BEFORE}",
    "card": f"{HOME}/liquidations/L-1?{BEFORE}",
    "breaks": f"{HOME}/breaks?{BEFORE}",
    "coverage": f"{HOME}/coverage?{BEFORE}",
    "verify": "/verify",
    "error": "/a/0x1",
}
WANTED = int(os.environ.get("ROLLFORWARD_PAGE_VIEWS", "1"))
SELDOM = ("timeline-early", "state", "sum", "liquidations") if WANTED == 1 else ()
"""Pages that are made of what other pages are made of."""
VIEWS = [(390, "dark"), (1280, "light"), (390, "light"), (1280, "dark")]
WIDTHS = (390, 1280, 1920)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    browser_path()
    pytest.importorskip("axe_playwright_python", reason="axe's rules are not installed")
    book = cascade(tmp_path_factory.mktemp("access"))
    said = rollforward("group", "define", "fund", "--master", ACCOUNT, "--label",
                       f"{ACCOUNT}={LABEL}", "--as", "ada", cwd=book.parent)  # fmt: skip
    assert 0 == said.code, said.err
    with visiting(book) as found:
        yield found


@pytest.fixture(scope="module")
def window(visit: Visit):
    """One window, which is resized and turned dark as the tests need it."""
    yield visit.page()
    visit.close()
    assert [] == visit.strangers


def examined(page) -> list[str]:
    """What axe finds fault with on a page, by its rules for WCAG 2.2 AA and good practice."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response
    return [
        f"{each['impact']}: {each['id']} at {node['target']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def open_all(page) -> None:
    """Open whatever can be opened, so that it is looked at as well."""
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


@pytest.mark.parametrize("name", [each for each in PAGES if each not in SELDOM])
def test_every_page_can_be_read_by_everybody(visit, window, figure, name):
    """Axe finds no fault, and nothing is cut, covered or sticks out, opened and closed."""
    visit.go(window, PAGES[name])
    for is_open in (False, True):
        if is_open:
            open_all(window)
        for width in WIDTHS if is_open or WANTED > 1 else WIDTHS[:1]:
            window.set_viewport_size({"width": width, "height": 900})
            window.wait_for_timeout(50)
            assert [] == faults_seen(window), (width, is_open)
            figure(line="6-1", text="layouts with nothing cut, covered or sticking out", value=1,
                   is_part=True)  # fmt: skip
    start = list(PAGES).index(name)
    for each in range(WANTED):
        width, theme = VIEWS[(start + each) % len(VIEWS)]
        window.set_viewport_size({"width": width, "height": 900})
        window.emulate_media(color_scheme=theme)
        Visit.rest(window)
        assert [] == examined(window), (width, theme)
        figure(line="6-1", text="views of pages in which axe finds no fault", value=1,
               is_part=True)  # fmt: skip


def test_a_label_is_shown_as_it_is(visit, window):
    visit.go(window, PAGES["timeline"])
    assert LABEL == window.inner_text("h1")


# ------------------------------------------------------------------------- the instruments


BAD = {
    "sticks out": "<p style='width:4000px'>wide " + "x " * 900,
    "lies over": "<p style='position:absolute;top:9px'>one one one</p>"
    "<p style='position:absolute;top:12px'>two two two</p>",
    "cuts off": "<div style='width:40px;overflow:hidden;white-space:nowrap'>far too long for it",
    "pixels": "<a href='#' style='font-size:4px'>x",
}


@pytest.mark.parametrize("fault", BAD)
def test_the_eyes_see_what_is_wrong(window, fault):
    window.goto("about:blank")  # away from the rules of the page, which allow no style inside
    window.set_content(BAD[fault])
    assert any(fault in each for each in faults_seen(window))


def test_axe_sees_what_is_wrong(window):
    window.goto("about:blank")  # away from the rules of the page, which allow no style inside
    window.set_content("<main><h1>Gray</h1><p style='color:#999'>hard to read<img src='data:,'>")
    assert {"color-contrast", "image-alt"} <= {
        re.split(r": | at ", each)[1] for each in examined(window)
    }
