"""What tests of the command line share: they know nothing but the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from replay.cli import app

CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"


class Command:
    """Runs ``rollforward`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, given: bytes | None = None):
        return CliRunner().invoke(app, list(words), input=given)

    def json(self, *words: str):
        result = self(*words, "--json")
        return json.loads(result.stdout)

    def fine(self, *words: str, code: int = 0) -> str:
        result = self(*words)
        assert code == result.exit_code, result.output
        return result.stdout


@pytest.fixture
def rf(tmp_path, monkeypatch) -> Command:
    """The command, in an empty folder, with nothing set in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ROLLFORWARD_")]:
        monkeypatch.delenv(name)
    for name in ("COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Command(tmp_path)


@pytest.fixture
def cascade(rf) -> Command:
    """The command beside a book of the bundled history."""
    rf.fine("import", str(CASCADE))
    return rf
