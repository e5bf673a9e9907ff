"""The bundled stories come out as they say, and a story that lies is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import story


@pytest.mark.parametrize("path", story.stories(), ids=lambda path: path.stem)
def test_a_story_comes_out_as_it_says(path: Path) -> None:
    told = story.read(path.read_text("utf-8"))
    assert told.claims
    for claim in told.claims:
        assert " ".join(claim.text.split()) == story.found(told, claim), claim


def test_a_wrong_claim_is_told_from_a_right_one() -> None:
    told = story.read("09:00 deposit 5 USDC\nthen at 09:00 perp 6 USDC")
    assert "perp 5 USDC" == story.found(told, told.claims[0])


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="line 2 is no line of a story: nine o'clock"):
        story.read("account A\nnine o'clock deposit 5 USDC")
