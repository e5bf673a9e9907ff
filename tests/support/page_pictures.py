"""Pictures of the page: ``python -m tests.support.page_pictures FOLDER [PAGE…]``.

Every page of the bundled account at the widths of a phone, a desk and a wide screen, light and
dark, for somebody to look at; and ``timeline.png``, the picture of the README, taken of the page as
it is. ``--readme FILE`` takes that one alone.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.command import rollforward
from tests.support.margin_books import ACCOUNT, CASCADE
from tests.support.visitor import Visit, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Page

BEFORE = "at=2026-08-05T14:40:00.349Z&known-at=482"
HOME = f"/a/{ACCOUNT}"
PAGES = {
    "accounts": "/",
    "timeline": f"{HOME}?{BEFORE}",
    "ghost": f"{HOME}?at=2026-08-05T14:40:00.349Z&known-at=120",
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
WIDTHS = (390, 1280, 1920)
THEMES = ("light", "dark")
README_WIDTH = 1280


def taken(page: Page, file: Path) -> None:
    """Take a picture of the whole page, from its head to its foot."""
    page.mouse.move(0, 0)
    page.screenshot(path=file, full_page=True)


def readme(visit: Visit, file: Path) -> None:
    """Take the README's picture: the timeline just before the liquidation, and no more."""
    page = visit.page(PAGES["timeline"], width=README_WIDTH)
    page.mouse.move(0, 0)
    lower = page.locator(".rail.known").bounding_box()
    assert lower is not None
    height = lower["y"] + lower["height"]
    page.screenshot(
        path=file, clip={"x": 0, "y": 0, "width": README_WIDTH, "height": height}, full_page=True
    )


def main() -> None:
    """Take the pictures asked for."""
    words = argparse.ArgumentParser(description="Take pictures of the page.")
    words.add_argument("folder", type=Path)
    words.add_argument("pages", nargs="*", choices=[[], *PAGES])
    words.add_argument("--readme", action="store_true", help="FOLDER is the README's picture")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "fixtures").mkdir()
        (home / "fixtures" / "cascade").symlink_to(CASCADE)
        book = home / "cascade.book"
        rollforward("import", "fixtures/cascade", "--book", book.name, cwd=home)
        with visiting(book) as visit:
            if given.readme:
                readme(visit, given.folder)
                return
            given.folder.mkdir(parents=True, exist_ok=True)
            readme(visit, given.folder / "timeline.png")
            for width in WIDTHS:
                for theme in THEMES:
                    page = visit.page(width=width, theme=theme)
                    for each in given.pages or PAGES:
                        visit.go(page, PAGES[each])
                        taken(page, given.folder / f"{each}-{width}-{theme}.png")
                    visit.close()


if __name__ == "__main__":
    main()
