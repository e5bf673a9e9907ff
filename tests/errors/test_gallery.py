"""The gallery: each message has a folder that provokes it and pins its text.

``case.toml`` says what is run before and what is run, without which library, the exit code, and
which exception it is; ``message.txt`` is what a person then reads, findings and errors alike. Run
this file with UPDATE_GALLERY=1 to write the messages anew, and review the difference.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest
import pytest_socket
from click.testing import CliRunner

from ledger import errors
from ledger.book import Book
from replay.cli import app

GALLERY = Path(__file__).resolve().parents[2] / "fixtures" / "errors"
CASES = sorted(path.parent for path in GALLERY.glob("*/case.toml"))
ZSTD = b"\x28\xb5\x2f\xfd"


def case_of(folder: Path) -> dict:
    return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))


def invoke(*words: str):
    return CliRunner().invoke(app, list(words))


def without_chance(output: str) -> str:
    """Return what was printed without what differs from run to run: processes, digests of time."""
    text = "".join(line.rstrip() + "\n" for line in output.splitlines())
    text = re.sub(r"\bprocess \d+", "process N", text)
    return re.sub(r"\bseal [0-9a-f]{64}\b", "seal DIGEST", text)


def flip() -> None:
    """Change one byte of the lines of the one batch there is."""
    path = next(Path().glob("*.book"))
    with Book.open(path) as book:
        header = book.headers(book.streams()[0].stream)[0]
    assert header.count
    body = bytearray(path.read_bytes())
    at = body.index(b'"schema":')
    begin = body.index(ZSTD, at)
    body[begin + 40] ^= 1
    path.write_bytes(body)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ROLLFORWARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_the_message_is_the_pinned_one(folder: Path, here: Path):
    update = os.environ.get("UPDATE_GALLERY")
    case = case_of(folder)
    for path in folder.iterdir():
        if path.name not in {"case.toml", "message.txt"}:
            shutil.copy(path, here)
    before = case.get("before", ())
    # a reconciliation that finds something ends with 1, and is needed to have something
    for words, ends in zip(before, case.get("before_ends", [0] * len(before)), strict=True):
        assert ends == invoke(*words).exit_code, words
    with ExitStack() as held:
        if case.get("hook") == "hold":
            held.enter_context(Book.open(next(here.glob("*.book")), write=True))
        elif case.get("hook") == "flip":
            flip()
        elif case.get("hook") == "network":
            pytest_socket.enable_socket()  # until the next test, which begins without
        if "without" in case:
            lacking = held.enter_context(pytest.MonkeyPatch.context())
            lacking.setitem(sys.modules, case["without"], None)
        result = invoke(*case["run"])
    said = without_chance(result.output)
    if update:
        (folder / "message.txt").write_text(said, encoding="utf-8")
    assert (folder / "message.txt").read_text(encoding="utf-8") == said
    assert case["exit"] == result.exit_code


def exceptions() -> set[str]:
    found = vars(errors).values()
    ours = [kind for kind in found if isinstance(kind, type) and issubclass(kind, Exception)]
    return {kind.__name__ for kind in ours} - {"RollforwardError"}


def test_every_exception_has_a_folder():
    shown = {case_of(folder).get("error") for folder in CASES} - {None}
    assert exceptions() == shown


def test_the_drawn_tree_names_every_exception():
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert exceptions() == drawn


def test_no_message_speaks_python():
    for folder in CASES:
        said = (folder / "message.txt").read_text(encoding="utf-8")
        assert not re.search(r"Traceback|NoneType|object at 0x|b'|\bself\b", said), folder.name
