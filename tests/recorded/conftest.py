"""The recorded accounts of portfolio margin, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded_margin import HEDGER, IDLE, SHORT
from tests.support.states import States, read, states


@pytest.fixture(scope="session")
def folder(recorded: Path) -> Path:
    return recorded / "portfolio-margin"


@pytest.fixture(scope="session")
def march(folder: Path) -> dict[str, States]:
    events = read(folder / "accounts_2026-03-31T22.json")
    return {account: states(events, account) for account in (HEDGER, SHORT, IDLE)}


@pytest.fixture(scope="session")
def borrower(folder: Path) -> States:
    return states(read(folder / "pm_borrow_2026-09-14.json"))


@pytest.fixture(scope="session")
def unified(folder: Path) -> States:
    return states(read(folder / "unified_short_2026-09-14.json"))
