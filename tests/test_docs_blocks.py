"""Nothing is shown as code that nothing checks: every block of every document is held by a test.

What holds which kind is in ``tests/support/blocks.py``; blocks that can only be shown stand there
one by one, and several of the tests that hold them are here.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import subprocess
import textwrap
import tomllib
from collections import Counter
from hashlib import sha256
from pathlib import Path

import attrs
import click
import pytest

from ledger.book import Book
from ledger.codec import encode
from ledger.events import BreakApproved
from ledger.units import Address, Digest, EventId, Millis, desk_stream
from projections.breaks import Break, approval_statement, identity
from projections.claims_language import parse_claim
from replay.cli.app import app
from replay.demo import BOOK
from tests.support import blocks, packs, sessions
from tests.support.blocks import ROOT, Block

ALL = blocks.blocks()
ADDRESS = Address("0x" + "ab" * 20)


def body_of(page: str, first: str) -> str:
    """Return the one block of a page that begins so."""
    (found,) = (each for each in ALL if each.page == page and each.first.startswith(first))
    return found.body


def test_every_block_is_run_or_parsed_or_held_by_a_test(figure):
    ways = Counter(blocks.way(block) for block in ALL)
    loose = [f"{each.page}:{each.line}: {each.first}" for each in ALL if not blocks.way(each)]
    assert [] == loose, "run it, parse it, or list it in tests/support/blocks.py with its test"
    assert ways["run"] > 80
    shares = ", ".join(f"{count} {way}" for way, count in ways.most_common())
    figure(line="6-5", text="blocks of code in the documents, held", value=f"{len(ALL)}: {shares}")


def test_every_test_that_is_said_to_hold_a_block_exists():
    held = [entry.held for entry in blocks.SHOWN]
    for name in {*held, *blocks.RUN.values(), *blocks.GENERATED.values(), *blocks.BUILT.values()}:
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert function in names, name


def test_no_entry_of_the_list_is_left_over():
    used = {blocks.shown(block) for block in ALL}
    assert set() == set(blocks.SHOWN) - used


def test_what_runs_sessions_sees_the_blocks_that_readers_see():
    for path in blocks.documents():
        page = path.relative_to(ROOT).as_posix()
        for language in blocks.RUN:
            seen = [each.body for each in ALL if (each.page, each.language) == (page, language)]
            assert seen == sessions.blocks(path, language), (page, language)


@pytest.mark.parametrize(
    "block",
    [block for block in ALL if blocks.way(block) == "parsed"],
    ids=lambda block: f"{block.page}:{block.line}",
)
def test_what_is_data_can_be_read(block: Block):
    assert blocks.PARSED[block.language](block.body)


def test_examples_in_what_the_modules_say_are_python():
    """The page of names shows docstrings; what stands in them as code must be code."""
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    modules = {
        name.rpartition(".")[0] for name in re.findall(r"auto(?:class|function):: (\S+)", page)
    }
    found = []
    for module in sorted(modules):
        path = ROOT / (module.replace(".", "/") + ".py")
        tree = ast.parse(
            (path if path.exists() else path.with_suffix("") / "__init__.py").read_text()
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                said = ast.get_docstring(node) or ""
                found += re.findall(r"::\n\n((?: {4}.*\n?)+)", said)
    assert found
    for example in found:
        assert ast.parse(textwrap.dedent(example)).body


def test_the_picture_of_the_route_ends_with_the_three_rooms():
    picture = body_of("README.md", "what the venue recorded")
    assert ["ledger", "projections", "replay"] == picture.rstrip().splitlines()[-1].split()


def test_the_picture_of_three_hands_names_files_there_are():
    named = re.findall(r"\w+\.py", body_of("tests/support/README.md", "venue.py ── rows"))
    assert named
    assert [] == [name for name in named if not (ROOT / "tests" / "support" / name).exists()]


def test_what_the_first_page_starts_is_there_to_be_started():
    """The verb is run by ``tests/test_demo.py``; the page it leads to is that of its book."""
    verb, page = body_of("README.md", "make demo").splitlines()
    assert ["make", "demo"] == verb.split()
    program, command, book = page.split()
    assert (".venv/bin/rollforward", BOOK) == (program, book)
    with click.Context(app, help_option_names=["-h", "--help"]) as context:
        found = app.get_command(context, command)
        assert found is not None
        assert book == str(found.make_context(command, [book], parent=context).params["named"])


def test_the_first_page_goes_on_with_the_book_the_demonstration_leaves():
    """With a second book in the folder every command would have to name the one it means."""
    named = re.findall(r"[\w-]+\.book\b", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {BOOK} == set(named)


@pytest.mark.parametrize(
    "block",
    [block for block in ALL if block.language == "sh"],
    ids=lambda block: f"{block.page}:{block.line}",
)
def test_what_installs_names_extras_and_verbs_there_are(block: Block):
    assert 0 == subprocess.run(["sh", "-n"], input=block.body, text=True, check=False).returncode
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for said in re.findall(r"\[([\w,]+)\]", block.body):
        assert set(said.split(",")) <= set(project["optional-dependencies"])
    verbs = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(re.findall(r"^make (\w+)", block.body, re.MULTILINE)) <= verbs
    commands = set(re.findall(r"\.venv/bin/(\w+) \w", block.body)) - {"pip", "python"}
    assert commands <= set(project["scripts"])


def shape(text: str) -> re.Pattern[str]:
    """Return what fits a shape in which names in angle brackets, and ``…``, stand for values."""
    parts = re.split(r"(<[^>]+>|…)", text)
    return re.compile(
        "".join(".+" if part[:1] in "<…" and part else re.escape(part) for part in parts)
    )


def test_a_checkpoint_has_the_shape_that_is_shown(tmp_path: Path):
    with Book.open(packs.book_path()) as book:
        assert shape(body_of("docs/spec/seals.md", "rollforward/book/1")).fullmatch(
            book.checkpoint()
        )


def test_what_a_pack_signs_has_the_shape_that_is_shown():
    said = packs.files()["signed.txt"].decode()
    assert shape(body_of("docs/spec/pack.md", "rollforward/pack/1")).fullmatch(said)


def test_what_an_approver_signs_has_the_shape_that_is_shown():
    event = BreakApproved(
        stream=desk_stream(ADDRESS), at=Millis(7), identity="B-0123456789ab",
        figures=Digest("cd" * 32), explanation=EventId("ef" * 16), because="", signature=None,
        key=None, by="Ben Okri",
    )  # fmt: skip
    assert encode(event)
    said = approval_statement(event)
    assert shape(body_of("docs/spec/breaks.md", "rollforward approval 1")).fullmatch(said)


def recipe(first: str, values: dict[str, object]) -> bytes:
    """Return the canonical JSON a recipe of the page asks for, from values by its words."""
    (line,) = body_of("docs/spec/breaks.md", first).splitlines()
    words = re.findall(r"[a-z]+", line.partition("[[")[0])
    said: list[object] = [values[word] for word in words]
    if "[[" in line:
        said.append(values["candidates"])
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def test_names_and_figures_of_breaks_are_made_as_the_page_says():
    asked = {
        "desk": "interest",
        "account": ADDRESS,
        "subject": "USDC supply",
        "at": 1,
        "until": 2,
        "key": "k",
    }
    name = identity(**asked)  # type: ignore[arg-type]
    digest = sha256(b"rollforward break 1\n" + recipe("[desk,", asked)).hexdigest()
    assert f"B-{digest[:12]}" == name
    found = Break(
        identity=name, kind="wrong amount", expected=None, observed=None, difference=None,
        convention="undetermined", text="",
        **{word: asked[word] for word in asked if word != "key"},
    )  # fmt: skip
    values = {
        "name": name, "class": "wrong amount", "expected": None, "observed": None,
        "difference": None, "convention": "undetermined", "candidates": [],
    }  # fmt: skip
    digest = sha256(b"rollforward break figures 1\n" + recipe("[name,", values)).hexdigest()
    assert digest == attrs.evolve(found, text="another sentence").figures


def test_the_grammar_of_claims_is_the_one_that_is_read():
    """With and without each part that may be left out, the sentence is read; a part more is not."""
    grammar = body_of("docs/spec/claims.md", "[NAME:]").strip()
    moment = "@ 2026-02-10T13:00Z"
    words = {
        "[NAME:]": "cash:", "FIGURE": "fee(USDC)", "[@ MOMENT]": moment,
        "[+ or - FIGURE [@ MOMENT] …]": f"+ fee(USDC) {moment} - fee(USDC)", "OP": "<=",
        "NUMBER": "12.5", "[UNIT]": "USDC", "[rounded N]": "rounded 2",
        "[known-at K]": "known-at 7",
    }  # fmt: skip
    parts = [
        part
        for part in re.split(r"(\[[^\[\]]*(?:\[[^\]]*\][^\]]*)?\]|\S+)", grammar)
        if part.strip()
    ]
    assert list(words) == parts
    left_out = [part for part in parts if part.startswith("[")]
    for count in range(len(left_out) + 1):
        for without in itertools.combinations(left_out, count):
            sentence = " ".join(words[part] for part in parts if part not in without)
            claim = parse_claim(sentence)
            assert (2 if "[rounded N]" not in without else None) == claim.rounded, sentence
            assert (3 if "[+ or - FIGURE [@ MOMENT] …]" not in without else 1) == len(claim.figures)


def test_a_block_that_nothing_holds_is_noticed():
    assert blocks.way(Block("README.md", "text", "something else\n", 1)) is None
    assert blocks.way(Block("README.md", "yaml", "a: 1\n", 1)) is None
