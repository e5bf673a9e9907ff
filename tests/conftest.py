"""What every test may rely on: hypothesis profiles, real recordings, figures to be reported."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "accept",
    max_examples=int(os.environ.get("ROLLFORWARD_EXAMPLES", "1000")),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep",
    max_examples=20_000,
    stateful_step_count=200,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def recorded_folder() -> Path:
    """Return where recordings are looked for: ROLLFORWARD_RECORDED, else beside the checkout."""
    named = os.environ.get("ROLLFORWARD_RECORDED")
    return (ROOT / (named or "../shared/recorded")).resolve()


def _folder_or_skip() -> Path:
    folder = recorded_folder()
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}; ROLLFORWARD_RECORDED names the folder to look in")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever asks for recordings, and let its reports say so across processes."""
    for item in items:
        if "recorded" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.recorded)
        if item.get_closest_marker("recorded"):
            item.user_properties.append(("recorded", True))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what reads recordings where there are none."""
    if item.get_closest_marker("recorded"):
        _folder_or_skip()


@pytest.fixture(scope="session")
def recorded() -> Path:
    """Return the folder of real recordings; without it the test is skipped."""
    return _folder_or_skip()


Figure = Callable[..., None]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Return a function that reports a figure: ``figure(line="1a", text="…", value="47 of 47")``.

    ``tests/accept.py`` prints them by line. A figure counts only when its test passes. With
    ``is_part`` it is one of several of the same text, and their numbers are added up.
    """

    def report(*, line: str, text: str, value: object, is_part: bool = False) -> None:
        said = json.dumps([line, text, str(value), is_part])
        request.node.user_properties.append(("figure", said))

    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Add to a test's report how many generated examples it passed."""
    if call.when == "call":
        statistics = getattr(item, "hypothesis_statistics", "")
        said = re.search(r"generate phase.*?- (\d+) passing\b", statistics, re.DOTALL)
        if said:
            item.user_properties.append(("examples", int(said.group(1))))
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of the run rested on real recordings."""
    ran: set[str] = set()
    skipped: set[str] = set()
    for category, reports in terminalreporter.stats.items():
        for report in reports if category != "deselected" else ():
            if ("recorded", True) in map(tuple, getattr(report, "user_properties", ())):
                (skipped if category == "skipped" else ran).add(report.nodeid)
    ran -= skipped
    terminalreporter.write_line(f"recorded tests: {len(ran)} run, {len(skipped)} skipped")
