"""The site of these documents: ``make docs`` builds it into ``build/docs``.

The pages are plain Markdown that reads as well on a code host, so there is no table of contents
to keep beside them: a ``README.md`` lists its pages, and the navigation is made of its links.
Nothing is fetched, neither while building nor by the pages that come out.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the reference of Python reads the modules beside these documents

project = "rollforward"
author = "The rollforward authors"
copyright = f"{author}, Apache 2.0"  # noqa: A001 - the builder asks for this name
html_title = "rollforward"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "README"
nitpicky = True
myst_heading_anchors = 4  # a code host makes one for every heading, too

html_theme = "furo"
html_show_sourcelink = False
html_copy_source = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
# Types in signatures are named as they are, whether or not they have a place on a page.
nitpick_ignore_regex = [("py:.*", r".*")]

HEADING: Final = re.compile(r"^## (.+)$", re.MULTILINE)
PAGE: Final = re.compile(r"\]\((?!\.\./)([^)#:\s]+)\.md(?:#[^)]*)?\)")

REPAIRS: Final = (
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer">', '<aside class="toc-drawer" aria-label="On this page">'),
    ("<pre>", '<pre tabindex="0">'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
)
"""What the theme lacks for readers without eyes or without a mouse: wide code and tables scroll."""


def with_navigation(_: Sphinx, name: str, source: list[str]) -> None:
    """Add to a page of pages the tree the navigation is made of: one for every heading."""
    if name.rpartition("/")[2] != "README":
        return
    head, *parts = HEADING.split(source[0])
    listed = list(zip(parts[::2], parts[1::2], strict=True)) or [("", head)]
    seen: set[str] = set()
    for caption, text in listed:
        pages = [page for page in dict.fromkeys(PAGE.findall(text)) if page not in seen]
        seen.update(pages)
        options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
        source[0] += "\n".join(["\n```{toctree}", *options, "", *pages, "```\n"])


def with_sessions(_: Sphinx, __: str, source: list[str]) -> None:
    """Let a session on recordings be colored as one; how it differs only the tests must know."""
    source[0] = source[0].replace("```console-recorded", "```console")


def finished(app: Sphinx, failure: Exception | None) -> None:
    """Repair the pages, and let the first be found under the name a web server looks for."""
    if failure is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for found, made in REPAIRS:
            text = text.replace(found, made)
        page.write_text(text, encoding="utf-8")
    shutil.copy(Path(app.outdir, "README.html"), Path(app.outdir, "index.html"))


def setup(app: Sphinx) -> None:
    """Tell the builder of all three."""
    app.connect("source-read", with_sessions)
    app.connect("source-read", with_navigation)
    app.connect("build-finished", finished)
