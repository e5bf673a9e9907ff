"""Every code block of every document, and what holds it: nothing is shown that nothing checks.

A block is run, or parsed, or written by a generator whose page is compared, or built by the site,
or it stands in ``SHOWN`` with the test that holds what it says. There is no other kind.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {"build", "dist", "htmlcov", "node_modules"}


@dataclass(frozen=True)
class Block:
    """A piece of a document that is set as code."""

    page: str
    language: str
    """The first word behind the fence; ``indented`` where there is no fence."""
    body: str
    line: int

    @property
    def first(self) -> str:
        """The first line."""
        return self.body.strip("\n").partition("\n")[0].strip()


@dataclass(frozen=True)
class Shown:
    """A block that can neither be run nor parsed, and what holds it all the same."""

    page: str
    first: str
    held: str
    """A test, as ``file::name``."""
    why: str


RUN = {
    "console": "tests/test_docs.py::test_everything_on_a_page_runs_and_prints_what_it_says",
    "console-recorded": "tests/recorded/test_documented_commands.py"
    "::test_every_command_on_recordings_prints_what_the_page_says",
    "python": "tests/test_docs.py::test_everything_on_a_page_runs_and_prints_what_it_says",
    "sh": "tests/test_docs.py::test_everything_on_a_page_runs_and_prints_what_it_says",
}
"""Languages that are run, and by which test."""

PARSED: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "csv": lambda text: list(csv.reader(io.StringIO(text), strict=True)),
}
"""Languages that are read by who knows them."""

GENERATED = {
    "docs/reference/commands.md": "tests/command/test_help.py::test_the_reference_pages_are_fresh",
    "docs/reference/exports.md": "tests/replay/test_export_reference.py"
    "::test_the_reference_of_exports_is_fresh",
    "docs/reference/views.md": "tests/replay/test_views.py::test_the_reference_of_tables_is_fresh",
    "replay/evidence/FORMAT.md": "tests/replay/test_pack.py"
    "::test_the_format_in_a_pack_is_the_page_of_the_documents",
}
"""Pages written from the code, and the tests that compare them."""

BUILT = {"{eval-rst}": "tests/test_docs_site.py::test_it_builds_without_a_warning"}
"""Languages only the site can read."""

SHOWN = (
    Shown(
        "README.md",
        "what the venue recorded ",
        "tests/test_docs_blocks.py::test_the_picture_of_the_route_ends_with_the_three_rooms",
        "a picture",
    ),
    Shown(
        "README.md",
        "make demo",
        "tests/test_demo.py::test_the_demonstration_runs_and_every_step_comes_out_as_it_must",
        "makes an environment of its own",
    ),
    Shown(
        "README.md",
        "python3 -m venv .venv",
        "tests/test_docs_blocks.py::test_what_installs_names_extras_and_verbs_there_are",
        "fetches packages",
    ),
    Shown(
        "docs/how-to/install.md",
        "python3 -m venv .venv",
        "tests/test_docs_blocks.py::test_what_installs_names_extras_and_verbs_there_are",
        "fetches packages",
    ),
    Shown(
        "docs/how-to/install.md",
        ".venv/bin/pip install '.[web,chart,reports,sign]'",
        "tests/test_docs_blocks.py::test_what_installs_names_extras_and_verbs_there_are",
        "fetches packages",
    ),
    Shown(
        "docs/how-to/install.md",
        ". .venv/bin/activate",
        "tests/test_docs_blocks.py::test_what_installs_names_extras_and_verbs_there_are",
        "needs what was fetched",
    ),
    Shown(
        "docs/how-to/look-at-an-account.md",
        "$ rollforward serve cascade.book",
        "tests/command/test_serve.py::test_it_serves_the_book_and_ends_with_ctrl_c",
        "stays until it is interrupted",
    ),
    Shown(
        "docs/how-to/look-at-an-account.md",
        "/a/0x5ca1ab1e000000000000000000000000ca5cade0?at=2026-08-05T14:39:00.000Z&known-at=482",
        "tests/command/test_serve.py::test_the_documented_way_for_programs_answers",
        "an address",
    ),
    Shown(
        "docs/how-to/look-at-an-account.md",
        'curl --silent --cookie-jar jar "$ADDRESS"',
        "tests/command/test_serve.py::test_the_documented_way_for_programs_answers",
        "asks a page that is served meanwhile",
    ),
    Shown(
        "docs/how-to/repeat-the-recorded-figures.md",
        "export ROLLFORWARD_RECORDED=/path/to/the/recordings",
        "tests/recorded/test_documented_commands.py"
        "::test_every_command_on_recordings_prints_what_the_page_says",
        "a path the reader fills in",
    ),
    Shown(
        "docs/explanation/one-fill.md",
        '{"@":"filled/1","at":1785847500066,"builder_fee":null,"cloid":null,"coin":"HYPE",',
        "tests/test_docs.py::test_the_fill_that_is_followed_is_one_of_the_bundled_history",
        "a canonical line",
    ),
    Shown(
        "docs/spec/claims.md",
        "[NAME:] FIGURE [@ MOMENT] [+ or - FIGURE [@ MOMENT] …] OP NUMBER [UNIT] [rounded N] ",
        "tests/test_docs_blocks.py::test_the_grammar_of_claims_is_the_one_that_is_read",
        "a grammar",
    ),
    Shown(
        "docs/spec/seals.md",
        "rollforward/book/1",
        "tests/test_docs_blocks.py::test_a_checkpoint_has_the_shape_that_is_shown",
        "a shape with names in place of values",
    ),
    Shown(
        "docs/spec/pack.md",
        "rollforward/pack/1",
        "tests/test_docs_blocks.py::test_what_a_pack_signs_has_the_shape_that_is_shown",
        "a shape with names in place of values",
    ),
    Shown(
        "docs/spec/pack.md",
        "openssl ts -verify",
        "tests/replay/test_stamp.py::test_openssl_agrees_with_the_command_that_is_named",
        "a pack stamped by an authority nobody can bundle",
    ),
    Shown(
        "docs/spec/breaks.md",
        "[desk, account, subject, at, until, key]",
        "tests/test_docs_blocks.py::test_names_and_figures_of_breaks_are_made_as_the_page_says",
        "a recipe",
    ),
    Shown(
        "docs/spec/breaks.md",
        "[name, class, expected, observed, difference, convention, [[convention, value], …]]",
        "tests/test_docs_blocks.py::test_names_and_figures_of_breaks_are_made_as_the_page_says",
        "a recipe",
    ),
    Shown(
        "docs/spec/breaks.md",
        "rollforward approval 1",
        "tests/test_docs_blocks.py::test_what_an_approver_signs_has_the_shape_that_is_shown",
        "a shape with names in place of values",
    ),
    Shown(
        "docs/spec/positions.md",
        "opening       N := N + px·sz",
        "tests/projections/test_positions.py::test_a_step_of_a_perpetual_is_what_its_formula_says",
        "formulas",
    ),
    Shown(
        "tests/support/README.md",
        "venue.py ── rows ──► oracle.py ──────────────┐",
        "tests/test_docs_blocks.py::test_the_picture_of_three_hands_names_files_there_are",
        "a picture",
    ),
    Shown(
        "docs/spec/disputes.md",
        "Σ over S ⊆ N∖{i} of |S|! (|N|−|S|−1)! ÷ |N|! · ( f(S ∪ {i}) − f(S) )",
        "tests/laws/test_waterfall.py::test_no_order_of_the_causes_is_preferred",
        "a formula",
    ),
    Shown(
        "docs/spec/pool.md",
        "min over states i of  uᵢ + step + pace × (time from state i to the far end of the stretch",
        "tests/projections/test_pool.py::test_a_pace_narrows_by_hand",
        "a formula",
    ),
)


def documents() -> list[Path]:
    """Return every document of the repository; what tools leave behind is not looked into."""
    own = [
        path
        for path in sorted(ROOT.iterdir())
        if path.is_dir() and path.name not in ELSEWHERE and not path.name.startswith(".")
    ]
    return [
        *sorted(ROOT.glob("*.md")),
        *(page for path in own for page in sorted(path.rglob("*.md"))),
    ]


def blocks() -> list[Block]:
    """Return every block, as a reader of Markdown sees them."""
    found = []
    for path in documents():
        for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")):
            if token.type in {"fence", "code_block"}:
                language = (token.info.split() or [""])[0] if token.type == "fence" else "indented"
                page = path.relative_to(ROOT).as_posix()
                line = (token.map or [0])[0] + 1
                found.append(Block(page, language, token.content, line))
    return found


def shown(block: Block) -> Shown | None:
    """Return the entry of a block that can only be shown."""
    for entry in SHOWN:
        if entry.page == block.page and block.first.startswith(entry.first):
            return entry
    return None


def way(block: Block) -> str | None:
    """Return how a block is held: run, parsed, generated, built, shown; None if by nothing."""
    if shown(block) is not None:
        return "shown"
    if block.page in GENERATED:
        return "generated"
    ways = {"run": RUN, "parsed": PARSED, "built": BUILT}
    return next((name for name, languages in ways.items() if block.language in languages), None)
