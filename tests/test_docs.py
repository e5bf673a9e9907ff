"""Documents say the truth: their links lead somewhere, their pages are fresh, their commands run.

What a ``console`` block is, ``tests/support/sessions.py`` says; it also writes outputs anew.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from decimal import Decimal
from pathlib import Path

import click
import pytest

import replay
from ledger import codec, importers
from ledger.entries import RawRecord
from ledger.money import exact
from ledger.seal import digest_of_record
from projections import postings
from projections.reference import EMPTY
from tests.support import event_reference, rulebook_reference, sessions
from tests.support.blocks import blocks as every_block
from tests.support.blocks import shown
from tests.support.sessions import FENCE, blocks, pattern

ROOT = Path(__file__).resolve().parents[1]
ALL = every_block()
DOCS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sessions.prepare(tmp_path)


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(page: Path):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            name, _, anchor = target.partition("#")
            assert (page.parent / name).exists(), target
            if anchor:
                heads = re.findall(r"^#+ (.+)$", (page.parent / name).read_text(), re.MULTILINE)
                slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
                assert anchor in slugs, target


def scripts(page: Path) -> str:
    """Return what a page has a shell do beside its sessions; what can only be shown left out."""
    name = page.relative_to(ROOT).as_posix()
    found = [block for block in ALL if (block.page, block.language) == (name, "sh")]
    return "".join(block.body for block in found if not shown(block))


TAUGHT_BY_HAND = ROOT / "docs" / "how-to" / "import-what-you-have.md"
"""The page whose scripts ask the venue: they run below, against the bundled history."""


@pytest.mark.parametrize(
    "page",
    [page for page in DOCS if sessions.commands(page) or blocks(page, "python")],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_everything_on_a_page_runs_and_prints_what_it_says(page: Path, folder: Path):
    """First its sessions, command by command, then its Python, then its scripts."""
    for command, expected in sessions.commands(page):
        printed = sessions.run(command, folder)
        assert pattern(expected).fullmatch(printed), (
            f"$ {command}\n{printed}\n--- said:\n{expected}"
        )
    for number, block in enumerate(blocks(page, "python")):
        (folder / f"block{number}.py").write_text(block, encoding="utf-8")
        printed = sessions.run(f"python block{number}.py && echo ran", folder)
        assert printed.endswith("ran\n"), printed
    script = scripts(page)
    if page != TAUGHT_BY_HAND and script:
        programs = {line.split()[0] for line in script.splitlines() if line.strip()}
        missing = [name for name in sorted(programs) if sessions.program(name, folder) is None]
        if missing:
            pytest.skip(f"not installed here: {', '.join(missing)}")
        printed = sessions.run(f"set -e\n{script}\necho all of it ran", folder)
        assert printed.endswith("all of it ran\n"), printed


def test_every_script_is_on_a_page_that_is_run():
    run = {page for page in DOCS if sessions.commands(page)} | {TAUGHT_BY_HAND}
    assert {page for page in DOCS if scripts(page)} <= run


CURL = """
import json, sys
from pathlib import Path

asked = json.loads(sys.argv[sys.argv.index("-d") + 1])
for path in sorted(Path("fixtures/cascade").glob("*.json")):
    for one in json.loads(path.read_text()):
        if one["request"]["type"] == asked["type"]:
            print(json.dumps(one["response"]))
            raise SystemExit
raise SystemExit(f"nothing recorded for {asked}")
"""
"""Answers from the bundled history in place of the venue, whoever asks."""

EXPORT = """time,coin,dir,px,sz,ntl,fee,closedPnl
27/06/2026 - 14:11:28,HYPE,Open Long,61.62,0.24,14.7888,0.006654,-0.006654
27/06/2026 - 14:12:13,HYPE,Close Long,60.88,0.24,14.6112,0.006575,-0.184175
"""


def test_what_to_save_and_import_is_a_script_that_runs(folder: Path):
    curl = folder / "bin" / "curl"
    curl.write_text(f"#!{sys.executable}\n{CURL}", encoding="utf-8")
    curl.chmod(0o755)
    (folder / "trade_history.csv").write_text(EXPORT, encoding="utf-8")
    script = f"set -e\n{scripts(TAUGHT_BY_HAND)}\necho all of it ran\n"
    me = "0x5ca1ab1e000000000000000000000000ca5cade0"
    printed = sessions.run(script.replace("0xYOUR_ADDRESS", me), folder)
    assert printed.endswith("all of it ran\n"), printed
    shown = json.loads(sessions.run("rollforward show --json 2>/dev/null", folder))
    assert {"HYPE", "USDC"} <= {row["asset"] for row in shown["balances"]}


def test_every_command_that_is_mentioned_exists_with_its_options():
    from replay.cli.app import VERBS, app

    mentions = [
        (page, mention)
        for page in DOCS
        for mention in re.findall(r"rollforward ([a-z][^`\n|]*)", code_of(page))
        if page.parent.name != "spec"  # there, recipes of digests begin with the name
    ]
    assert len(mentions) > 20
    for page, mention in mentions:
        words = mention.split()
        assert words[0] in VERBS, (page.name, mention)
        verb = app.get_command(click.Context(app), words[0])
        if isinstance(verb, click.Group) and len(words) > 1:
            verb = verb.get_command(click.Context(verb), words[1]) or verb
        known = {option for param in verb.params for option in param.opts} | {"--help"}
        used = {word.partition("=")[0].rstrip(".,;:)") for word in words if word.startswith("--")}
        assert used <= known, (page.name, mention)


def code_of(page: Path) -> str:
    """Return everything a page sets as code, one piece a line; outputs of sessions left out."""
    text = page.read_text(encoding="utf-8")
    pieces = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    for language, body in FENCE.findall(text):
        is_session = language.startswith("console")
        pieces += [line for line in body.splitlines() if not is_session or line.startswith("$ ")]
    return "\n".join(pieces)


def test_the_reference_of_events_is_fresh():
    assert event_reference.page() == event_reference.PAGE.read_text(encoding="utf-8"), (
        "run: python -m tests.support.event_reference"
    )


def test_the_reference_of_rulebooks_is_fresh():
    assert rulebook_reference.page() == rulebook_reference.PAGE.read_text(encoding="utf-8"), (
        "run: python -m tests.support.rulebook_reference"
    )


def test_every_event_is_in_the_reference_once():
    listed = [member for _, _, members in event_reference.SECTIONS for member in members]
    assert len(listed) == len(set(listed))
    assert set(event_reference.KIND_OF) == set(listed)


def test_every_decision_is_in_the_list_of_decisions():
    folder = ROOT / "docs" / "decisions"
    pages = {path.name for path in folder.glob("0*.md")}
    assert pages == set(re.findall(r"\((\d{4}-[^)]+)\)", (folder / "README.md").read_text()))


def test_every_page_is_reachable_from_the_first():
    seen, todo = set[Path](), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            path = (page.parent / target.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_file():
                todo.append(path)
    assert set() == set(DOCS) - seen


def test_the_first_page_is_short_enough_to_be_read():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200


PICTURE = re.compile(r"!\[([^\]]+)\]\(([^)]+\.png)\)")


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Return the parts of a PNG by name, each with its check sum taken again."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, at = [], 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        said = int.from_bytes(png[at + 8 + length : at + 12 + length], "big")
        assert said == zlib.crc32(name + body), name
        found.append((name, body))
        at += 12 + length
    return found


def test_the_first_page_shows_a_picture_of_the_page(figure):
    (_, target), *_ = PICTURE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    parts = chunks((ROOT / target).read_bytes())
    assert (b"IHDR", b"IEND") == (parts[0][0], parts[-1][0])
    width, height = (int.from_bytes(parts[0][1][at : at + 4], "big") for at in (0, 4))
    assert width >= 1000
    rows = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    assert len({rows[at : at + 3] for at in range(0, len(rows), 3)}) > 100, "nothing is on it"
    value = f"{target}, {width} × {height}"
    figure(line="6-5", text="a picture of the page on the first page", value=value)


def test_who_cannot_see_the_picture_is_told_what_the_page_says(tmp_path: Path):
    """The numbers of the description are those of the history it shows."""
    sessions.run("rollforward import fixtures/cascade --book x.book", sessions.prepare(tmp_path))
    for page in (ROOT / "README.md", ROOT / "docs" / "README.md"):
        (said, _), *_ = PICTURE.findall(page.read_text(encoding="utf-8"))
        moment = re.search(r"at (\S+Z)", said)
        ratio = re.search(r"climbed to (0\.\d+)", said)
        limit = re.search(r"the line at (0\.\d+)", said)
        assert moment
        assert ratio
        assert limit
        with replay.open(tmp_path / "x.book") as audit:
            margin = audit.account(audit.accounts()[0]).at(moment[1]).margin
            (judgement,) = margin.margin.judgements
        assert round(judgement.ratio.value, 10) == Decimal(ratio[1]) > Decimal(limit[1])
        assert margin.margin.liquidatable


def test_a_session_that_says_something_else_is_noticed():
    assert pattern("a\n…\nd\n").fullmatch("a\nb\nc\nd\n")
    assert not pattern("a\n…\nd\n").fullmatch("a\nb\nc\n")
    assert not pattern("a\n").fullmatch("a\nb\n")
    assert not pattern("").fullmatch("a\n")
    assert pattern("seal …\n").fullmatch("seal 12ab\n")
    assert not pattern("seal …\n").fullmatch("leaf 12ab\n")


def test_the_fill_that_is_followed_is_one_of_the_bundled_history():
    page = ROOT / "docs" / "explanation" / "one-fill.md"
    body = (ROOT / "fixtures" / "cascade" / "account.json").read_bytes()
    (row,), (line,) = blocks(page, "json"), blocks(page, "text")
    assert row.strip() in body.decode()
    record = RawRecord(name="account.json", body=body, digest=digest_of_record(body))
    events = [event for part in importers.read(record).parts for event in part.events]
    (event,) = (event for event in events if codec.encode(event) == line.strip().encode())
    assert f"`{codec.event_id(event)}`" in page.read_text(encoding="utf-8")


def test_the_legs_of_the_fill_that_is_followed_are_the_ones_posted():
    page = (ROOT / "docs" / "explanation" / "one-fill.md").read_text(encoding="utf-8")
    (line,) = blocks(ROOT / "docs" / "explanation" / "one-fill.md", "text")
    event = codec.decode(line.strip().encode())
    shown = {
        (place, asset, Decimal(amount.replace("−", "-")))
        for place, asset, amount in re.findall(r"\| `(\S+)` \| `(\S+)` \| (\S+) \|", page)
    }
    with exact():
        posted = {(leg.place, leg.asset, leg.amount) for leg in postings.postings(event, EMPTY)}
    assert shown == posted


def test_every_file_that_is_named_is_there():
    for page in DOCS:
        named = re.findall(
            r"`((?:ledger|projections|replay|tests|fixtures|docs)/[\w/.-]+)`",
            page.read_text(encoding="utf-8"),
        )
        assert [] == [name for name in named if not (ROOT / name).exists()], page


def test_every_check_is_described():
    from projections.checks import CHECKS, MARKET_CHECKS

    page = (ROOT / "docs" / "spec" / "checks.md").read_text(encoding="utf-8")
    assert [] == [name for name in (*CHECKS, *MARKET_CHECKS) if f"| `{name}` |" not in page]
