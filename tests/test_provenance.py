"""Every piece of bundled data says where it comes from."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "fixtures"
SETS = sorted(path for path in FIXTURES.iterdir() if not path.name.endswith(".meta.toml"))
NEEDED = {"source", "composed", "taken", "licence", "removed"}


def meta_of(data: Path) -> dict:
    """Return what a set says of itself, in the file beside it."""
    return tomllib.loads((FIXTURES / f"{data.stem}.meta.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("data", SETS, ids=lambda path: path.name)
def test_every_set_says_where_it_comes_from(data: Path):
    meta = meta_of(data)
    assert set() == NEEDED - set(meta)
    assert all(meta[name] != "" for name in NEEDED)


@pytest.mark.parametrize("data", SETS, ids=lambda path: path.name)
def test_what_was_not_composed_is_pinned_by_its_digest(data: Path):
    """Composed sets are made again by their composer; recorded ones cannot be."""
    meta = meta_of(data)
    if meta["composed"]:
        named = [word for word in meta["source"].replace(";", " ").split() if word.endswith(".py")]
        assert named
        assert all((ROOT / name).exists() for name in named)
    else:
        files = sorted(path for path in data.rglob("*") if path.is_file())
        assert meta["sha256"] == {
            str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }


def test_no_description_is_left_over():
    described = {path.name.removesuffix(".meta.toml") for path in FIXTURES.glob("*.meta.toml")}
    assert described == {path.stem for path in SETS}


def test_nothing_recorded_is_bundled(recorded: Path):
    """Real recordings state no licence: none of their bytes may be among the fixtures."""
    theirs = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in recorded.rglob("*")
        if path.is_file()
    }
    ours = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FIXTURES.rglob("*")
        if path.is_file()
    }
    assert set() == theirs & ours
