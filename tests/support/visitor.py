"""A visitor of the page: a book that is served, and a browser that opens it as a person would.

The browser is the machine's own Chromium. Whatever it says in its console, and every address it
asks for, is kept: a page that is at ease says nothing and asks its own server alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NEVER_MS = 15_000
"""Longer than this nothing may take before a test gives up."""


def browser_path() -> str:
    """Return where Chromium is; a test that needs it is skipped where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine (Debian's package is called chromium)")
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    return found


@contextmanager
def served(book: Path) -> Iterator[str]:
    """Serve a book by the command itself, on a free port, and yield the address it prints."""
    page = subprocess.Popen(
        [sys.executable, "-m", "replay", "serve", book.name, "--port", "0"],
        cwd=book.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert page.stdout is not None
        address = page.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), page.communicate()[1]
        yield address
    finally:
        page.terminate()
        page.communicate(timeout=30)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser."""
    path = browser_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            # Chromium refuses its own sandbox to the superuser, as whom containers run.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        yield browser
        browser.close()


@dataclass
class Visit:
    """A book served, and contexts of a browser that hold its cookie."""

    book: Path
    browser: Browser
    address: str
    state: Any
    said: list[str] = field(default_factory=list)
    """What pages said in the console, and errors nobody caught."""
    asked: list[str] = field(default_factory=list)
    """Every address that was asked for."""
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Scheme, name and port of the page."""
        return self.address.split("/open")[0]

    def page(
        self, path: str = "", *, width: int = 1280, theme: Any = "light", script: bool = True
    ) -> Page:
        """Return a page of a fresh context with the cookie, at *path* when there is one."""
        context = self.browser.new_context(
            storage_state=self.state,
            viewport={"width": width, "height": 844 if width < 640 else 900},
            color_scheme=theme,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.contexts.append(context)
        context.set_default_timeout(NEVER_MS)
        context.on("request", lambda request: self.asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: self.said.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"{page.url}: {error}"))
        if path:
            self.go(page, path)
        return page

    def go(self, page: Page, path: str) -> None:
        """Open a page, and wait until its lanes are drawn where it has some."""
        page.goto(self.origin + path)
        self.rest(page)

    @staticmethod
    def rest(page: Page) -> None:
        """Wait until nothing moves: lanes are drawn, and no answer is awaited."""
        if page.locator("#lanes.needs-script").count() and page.evaluate("'Lanes' in window"):
            page.wait_for_selector("#lanes.drawn", state="attached")
            page.wait_for_selector("[aria-busy=true]", state="detached")

    def close(self) -> None:
        """Leave: every context is closed."""
        while self.contexts:
            self.contexts.pop().close()

    @property
    def strangers(self) -> list[str]:
        """Addresses that were asked for and are not of this page."""
        return [each for each in self.asked if not each.startswith(self.origin + "/")]


@contextmanager
def visiting(book: Path) -> Iterator[Visit]:
    """Serve a book and yield a visit to it; the token of the address is used up by it."""
    with chromium() as browser, served(book) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        assert urlsplit(page.url).query == ""
        state = context.storage_state()
        context.close()
        visit = Visit(book=book, browser=browser, address=address, state=state)
        yield visit
        visit.close()
