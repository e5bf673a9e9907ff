"""The site of the documents: it builds without a warning, and what it holds is whole.

Built once, into a folder of the test; ``make docs`` builds the same into ``build/docs``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "object": ("data",),
    "form": ("action",),
    "use": ("href", "xlink:href"),
}
"""What a browser fetches by itself, by element; links of the kinds below as well."""
SEEN = (("light", "spec/margin.html"), ("dark", "how-to/follow-margin.html"))
"""Wide tables, and wide sessions: looked at in a browser."""
LOADING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect"}


@dataclass
class Page(HTMLParser):
    """What a built page points at and can be pointed at."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    tree: list[str] = field(default_factory=list)
    """Links of the navigation."""

    def __post_init__(self) -> None:
        super().__init__()
        self._depth = 0
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.anchors.update(said[name] for name in ("id", "name") if name in said)
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
            if self._depth:
                self.tree.append(said["href"])
        if tag == "link" and LOADING_LINKS & set(said.get("rel", "").split()):
            self.loaded.append(said["href"])
        self.loaded += [said[name] for name in LOADS.get(tag, ()) if name in said]
        if tag == "div" and (self._depth or said.get("class") == "sidebar-tree"):
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._depth:
            self._depth -= 1


@dataclass(frozen=True)
class Site:
    """The site as built."""

    folder: Path
    said: subprocess.CompletedProcess[str]
    seconds: float
    pages: dict[Path, Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    began = time.monotonic()
    words = ["-q", "-E", "-n", "-W", "--keep-going", "-d", str(folder / "doctrees")]
    said = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(DOCS), str(folder / "html")],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    seconds = time.monotonic() - began
    found = sorted((folder / "html").rglob("*.html"))
    pages = {path: Page(path) for path in found}
    return Site(folder / "html", said, seconds, pages)


def test_it_builds_without_a_warning(site: Site, figure):
    assert (0, "", "") == (site.said.returncode, site.said.stdout, site.said.stderr)
    value = f"{len(site.pages)} pages, 0 warnings, {site.seconds:.0f} s"
    figure(line="6-5", text="the documents built as a site, warnings as errors", value=value)


def test_every_link_and_anchor_in_it_leads_somewhere(site: Site, figure):
    followed = 0
    for path, page in site.pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in {"https", "mailto"}, (path, link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), (path, link)
            if parts.fragment and target in site.pages:
                assert unquote(parts.fragment) in site.pages[target].anchors, (path, link)
            followed += 1
    assert followed > 5000
    figure(line="6-5", text="links inside the site that lead somewhere", value=followed)


def test_every_page_is_in_the_navigation_of_the_first(site: Site):
    pages = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    first = site.pages[site.folder / "index.html"]
    assert pages - {"README.html"} == set(first.tree)
    assert len(first.tree) == len(set(first.tree))


def test_the_navigation_keeps_the_order_from_learning_to_reasons(site: Site):
    first = site.pages[site.folder / "index.html"]
    folders = list(dict.fromkeys(link.partition("/")[0] for link in first.tree))
    assert ["tutorial", "how-to", "explanation", "reference", "spec", "decisions"] == folders


def test_it_loads_nothing_from_elsewhere(site: Site):
    loaded = [(path, each) for path, page in site.pages.items() for each in page.loaded]
    assert len(loaded) > len(site.pages)
    for path, each in loaded:
        parts = urlsplit(each)
        assert ("", "") == (parts.scheme.replace("data", ""), parts.netloc), (path, each)
        if parts.path and not parts.scheme:
            assert (path.parent / unquote(parts.path)).exists(), (path, each)
    for sheet in site.folder.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        fetched = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", text)
        elsewhere = [each for each in fetched if urlsplit(each).netloc]
        assert [] == elsewhere, sheet


def test_it_is_made_for_bright_rooms_and_for_dark_ones(site: Site):
    sheets = [path.read_text(encoding="utf-8") for path in site.folder.rglob("*.css")]
    assert any("prefers-color-scheme:dark" in sheet.replace(" ", "") for sheet in sheets)
    for path, page in site.pages.items():
        text = path.read_text(encoding="utf-8")
        assert '<html class="no-js" lang="en"' in text, path
        assert "content" in page.anchors or "furo-main-content" in page.anchors, path


def test_readers_without_eyes_or_mouse_find_no_serious_fault(site: Site, figure):
    """By the rules of axe-core, at the width of a phone, in a bright room and in a dark one."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here: Debian's package is what the browser tests drive")
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    faults, asked = [], set[str]()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme, name in SEEN:
            page = browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 844})
            page.on("request", lambda request: asked.add(urlsplit(request.url).scheme))
            page.goto((site.folder / name).as_uri())
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
            found = Axe().run(page).response["violations"]
            faults += [
                (name, each["id"]) for each in found if each["impact"] in {"serious", "critical"}
            ]
            page.close()
        browser.close()
    assert [] == faults
    assert asked <= {"file", "data"}
    value = f"{len(SEEN)} pages, no serious fault"
    figure(line="6-5", text="the site by the rules of axe-core, bright and dark", value=value)
