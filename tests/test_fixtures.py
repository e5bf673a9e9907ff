"""The bundled history is what its composer says, and says what it is."""

from __future__ import annotations

from pathlib import Path

from tests.support import compose

FOLDER = Path(__file__).parents[1] / "fixtures" / "cascade"


def test_the_bundled_history_equals_a_fresh_composition() -> None:
    composed = compose.files()
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert composed == on_disk


def test_the_liquidation_comes_when_the_ratio_passes_the_line_and_not_before() -> None:
    play, taken = compose.play_all()
    states = [
        row["response"]
        for row in play.captures["states"]
        if row["request"]["type"] == "spotClearinghouseState"
    ]
    ratios = [compose.D(state["portfolioMarginRatio"]) for state in states]
    assert compose.at(5, 10) < taken < compose.END
    assert [True, True, False, True] == [ratio < compose.D("0.95") for ratio in ratios]
