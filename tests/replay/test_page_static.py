"""What the page is made of: files that ask nothing of the network, and colors that can be read."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "replay" / "web"
STATIC = WEB / "static"
UPLOT = STATIC / "vendor" / "uplot-1.6.32"
OWN = tuple(
    each
    for each in sorted([*STATIC.rglob("*"), *(WEB / "templates").rglob("*")])
    if each.is_file() and UPLOT not in each.parents
)
SCRIPT_LINES = 250

STATED = {
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""The files of uplot 1.6.32 as its publisher's package holds them; the package's own digest is
sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==."""


def test_the_charting_library_is_the_published_one():
    found = {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in UPLOT.iterdir()
        if each.name != "SHA256SUMS"
    }
    assert STATED == found


def test_the_list_beside_the_library_says_the_same():
    lines = (UPLOT / "SHA256SUMS").read_text().splitlines()
    assert STATED == {name: digest for digest, name in (line.split() for line in lines)}


def test_what_is_installed_holds_every_file_of_the_page(tmp_path):
    pytest.importorskip("hatchling", reason="hatchling, which builds the package, is not here")
    made = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 0 == made.returncode, made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    own = [*OWN, *UPLOT.iterdir()]
    assert set() == {each.relative_to(ROOT).as_posix() for each in own} - held


@pytest.mark.parametrize("name", ["lanes.js", "timeline.js"])
def test_our_own_scripts_stay_small(name):
    assert SCRIPT_LINES >= len((STATIC / name).read_text().splitlines())


@pytest.mark.parametrize("file", OWN, ids=lambda each: each.name)
def test_no_file_of_the_page_asks_another_machine(file):
    """The name of the drawing language is no address that anything fetches."""
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert [] == re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*|@import|url\(", text)


@pytest.mark.parametrize(
    "file", [each for each in OWN if each.suffix == ".j2"], ids=lambda each: each.name
)
def test_no_template_holds_script_or_style_of_its_own(file):
    """What stands in the page itself would have to be allowed, and with it what a label injects."""
    text = file.read_text()
    assert [] == re.findall(r"\s(?:style|on[a-z]+)=|javascript:|<style|\|\s*safe\b", text)
    assert [] == re.findall(r"<script\b(?! defer src=\"/static/[\w./-]+\"></script>)", text)


# ------------------------------------------------------------------------- colors


def tokens(theme: str) -> dict[str, str]:
    """Return the colors of a theme by name: the dark one replaces what it names."""
    text = (STATIC / "style.css").read_text()
    light, dark = text.split("@media (prefers-color-scheme: dark)", 1)
    found = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", light))
    if theme == "dark":
        found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", dark.split("\n}\n", 1)[0]))
    return found


def luminance(color: str) -> float:
    """Return the relative luminance of a color, as WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_the_measure_of_contrast_is_the_known_one():
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


READ_ON = [
    ("ink", "paper"), ("ink", "wash"), ("ink", "accent-wash"), ("soft", "paper"), ("soft", "wash"),
    ("accent", "paper"), ("accent", "wash"), ("limit", "paper"), ("limit", "wash"),
    ("limit", "limit-wash"), ("on-accent", "accent"),
]  # fmt: skip
SEEN_ON = [
    ("edge", "paper"), ("ghost", "paper"), ("second", "paper"), ("accent", "limit-wash"),
    ("ghost", "limit-wash"), ("edge", "wash"),
]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("mark", "ground", "least"),
    [*((*pair, 4.5) for pair in READ_ON), *((*pair, 3.0) for pair in SEEN_ON)],
)
def test_every_color_stands_out_from_its_ground(theme, mark, ground, least):
    """WCAG 2.2 AA: 4.5 for text, 3 for the edges of controls and for lines of a drawing."""
    colors = tokens(theme)
    assert least <= contrast(colors[mark], colors[ground])
