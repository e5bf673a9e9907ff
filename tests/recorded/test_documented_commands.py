"""The documented commands on real recordings print what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import sessions

pytestmark = pytest.mark.recorded

PAGE = sessions.ROOT / "docs" / "how-to" / "repeat-the-recorded-figures.md"


def test_every_command_on_recordings_prints_what_the_page_says(recorded: Path, tmp_path: Path):
    folder = sessions.prepare(tmp_path)
    found = sessions.commands(PAGE, "console-recorded")
    assert len(found) >= 10
    for command, expected in found:
        printed = sessions.run(command, folder)
        assert sessions.pattern(expected).fullmatch(printed), (
            f"$ {command}\n{printed}\n--- said:\n{expected}"
        )
