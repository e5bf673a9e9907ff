"""A venue that liquidates by its rule is never said to have done otherwise.

The simulated venue takes positions only where the ratio is above 0.95, a fifth of a large one at
first. Some of its prices change in the very millisecond of the fills: there the verdict hangs on
the order inside the instant, and is unknown, never *did not hold*.
``ROLLFORWARD_WATERFALLS`` sets how many liquidated accounts are explained.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import replay
from replay.dispute.liquidation import explained, recorded
from replay.margin import Question
from tests.laws.test_supposed_numbers import imported
from tests.support.pm_venue import pm_history

ACCOUNTS = int(os.environ.get("ROLLFORWARD_WATERFALLS", "3"))


def test_what_a_venue_took_by_its_rule_is_never_contradicted(
    tmp_path: Path, figure: Callable[..., None]
) -> None:
    said: list[bool | None] = []
    seed = accounts = 0
    while accounts < ACCOUNTS:
        seed += 1
        venue = pm_history(seed, 60)
        taken = [each for each in venue.accounts[1:] if each.liquidations]
        if not taken:
            continue
        with replay.open(imported(venue, tmp_path), cache=False) as audit:
            history, position = audit.account(taken[0].account), audit.position()
            for number in list(recorded(history, position))[:3]:
                found = explained(
                    history, number, position=position, question=Question(is_complete=True)
                )
                where = f"seed {seed}, {found.heading}"
                assert found.condition is not False, where
                assert not any(each.is_more for each in found.taken), where
                said.append(found.condition)
        accounts += 1
    assert True in said
    figure(
        line="5-4",
        text="simulated liquidations, none contradicted",
        value=f"{len(said)} explained, {said.count(None)} hang on the order of the instant",
    )
