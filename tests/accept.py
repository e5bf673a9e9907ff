"""What this release must show, and whether it does: one line per figure, by the list below.

The whole suite runs at full count, then the benchmarks. A line of the list without a figure, a
failed test, a test on real recordings that did not run, or a missed bar of a benchmark makes the
result a failure. Run ``make accept``; it takes a while.

Environment: ROLLFORWARD_RECORDED (folder of the recordings), ROLLFORWARD_EXAMPLES (generated
histories per law), ROLLFORWARD_KILLS, ROLLFORWARD_FLIPS, ROLLFORWARD_PORTFOLIOS (random margin
states), ROLLFORWARD_HISTORIES (simulated venues), ROLLFORWARD_BISECT_EVENTS (events among which one
is missing), ROLLFORWARD_REMOVALS (events taken out of histories), ROLLFORWARD_INSTANTS (crowded
milliseconds), ROLLFORWARD_WATERFALLS (ways whose change is shared out), ROLLFORWARD_SUPPOSED
(portfolios with a supposed price or parameter), ROLLFORWARD_STATEMENTS
(books, per law of statements), ROLLFORWARD_MONTHS (exported months), ROLLFORWARD_EXPORTS (exported
books), ROLLFORWARD_DELETIONS (events left out), ROLLFORWARD_BELIEFS (histories whose figures
changed), ROLLFORWARD_FORGED_HOSTS (names that are not the page's), ROLLFORWARD_PAGES (walked by
their links), ROLLFORWARD_PAGE_STEPS (events stepped through in a browser), ROLLFORWARD_PAGE_VIEWS
(in which each page is examined), ROLLFORWARD_PAYOUT_MONTHS (simulated months of interest),
ROLLFORWARD_BENCHMARK_EVENTS,
ROLLFORWARD_WORKERS (processes), ROLLFORWARD_PYTHONS (other interpreters, by path).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]

FULL_COUNT = {
    "HYPOTHESIS_PROFILE": "accept",
    "ROLLFORWARD_EXAMPLES": "400",
    "ROLLFORWARD_KILLS": "200",
    "ROLLFORWARD_FLIPS": "29",  # the distance between the bytes that are flipped
    "ROLLFORWARD_PORTFOLIOS": "200000",
    "ROLLFORWARD_HISTORIES": "2000",
    "ROLLFORWARD_BISECT_EVENTS": "1000000",
    "ROLLFORWARD_REMOVALS": "1000",
    "ROLLFORWARD_INSTANTS": "24",
    "ROLLFORWARD_WATERFALLS": "20",
    "ROLLFORWARD_SUPPOSED": "200",
    "ROLLFORWARD_STATEMENTS": "150",  # books of random histories, per law of statements
    "ROLLFORWARD_MONTHS": "20",  # exported months that are checked by other programs
    "ROLLFORWARD_PAYOUT_MONTHS": "40",  # of each kind, clean and not
    "ROLLFORWARD_DELETIONS": "1000",
    "ROLLFORWARD_VIEWS": "12",  # orders of import in which a read model goes on
    "ROLLFORWARD_VIEWS_KILLS": "25",
    "ROLLFORWARD_BELIEFS": "2000",
    "ROLLFORWARD_DESK_SEQUENCES": "200",  # of runs and acts on breaks, beside the naive desk
    "ROLLFORWARD_ENGINES": "10000",  # random histories on which two engines must agree
    "ROLLFORWARD_EXPORTS": "60",  # random books that are exported, read again, opened elsewhere
    "ROLLFORWARD_FORGED_HOSTS": "20000",
    "ROLLFORWARD_PAGE_STEPS": "1000",  # events stepped through by keyboard; more than there are
    "ROLLFORWARD_PAGE_VIEWS": "4",  # in which each page is examined: phone and desk, light and dark
    "ROLLFORWARD_PAGES": "330",  # of the bundled account's, walked by their links
    "ROLLFORWARD_MUTANTS": "10000",  # of each engine; more than there are means all
}
BENCHMARK_EVENTS = "1000000"


@dataclass(frozen=True)
class Expected:
    """One line that must have a figure.

    ``tests`` names the file or folder whose passed tests are the figure where no test reports one
    by the ``figure`` fixture.
    """

    line: str
    text: str
    tests: str = ""


EXPECTED = (
    Expected("1a", "funding-farmer"),
    Expected("1b", "gblack686"),
    Expected("1c", "hl-trader-dataset"),
    Expected("1d", "four86"),
    Expected("1e", "claude-trade"),
    Expected("1f", "SDK ledger"),
    Expected("1g", "BTC funding history"),
    Expected("2a", "every recorded answer"),
    Expected("2b", "any subset of sources gives the same state", "tests/laws/test_sources.py"),
    Expected("3 conservation", "law", "tests/laws/test_conservation.py"),
    Expected("3 prefix", "law", "tests/laws/test_prefix.py"),
    Expected("3 import order", "law", "tests/laws/test_import_order.py"),
    Expected("3 idempotence", "law", "tests/laws/test_idempotence.py"),
    Expected("3 round trip", "law", "tests/laws/test_round_trip.py"),
    Expected("3 two times", "law", "tests/laws/test_two_times.py"),
    Expected("3 correction", "law", "tests/laws/test_correction.py"),
    Expected("3 stores", "law", "tests/laws/test_stores_agree.py"),
    Expected("3 totality", "law", "tests/laws/test_totality.py"),
    Expected("3 repeatability", "law", "tests/laws/test_repeatability.py"),
    Expected("3 oracle", "a second, naive implementation agrees", "tests/laws/test_oracle.py"),
    Expected("4", "digests across seeds, zones, locales, -O and Pythons"),
    Expected("5a", "killed imports"),
    Expected("5b", "flipped bytes"),
    Expected("6a", "append"),
    Expected("6b", "replay"),
    Expected("6c", "stored"),
    Expected("6d", "instant"),
    Expected("6e", "peak memory"),
    Expected("6f", "import from JSON"),
    Expected("6g", "digests of both sides"),
    Expected("7", "demo"),
    Expected("3-1", "recorded and documented examples of margin"),
    Expected("3-2", "the rule of the day"),
    Expected("3-3", "contradictions of the documents"),
    Expected("3-4", "pool laws"),
    Expected("3-5", "a simulated venue, a naive calculator, seeded errors"),
    Expected("3-6", "the bundled account's margin, shown"),
    Expected("4-1", "interest: classes and conventions"),
    Expected("4-2", "deletions named to the interval between two states"),
    Expected("4-3", "one event dropped, located by bisection"),
    Expected("4-4", "recorded reserves, supplies and states, rebuilt and observed"),
    Expected("4-5", "why a figure changed, and closed reports made again"),
    Expected("4-6", "exported months, taken by the programs they are for"),
    Expected("5-1", "tamperings of a pack, and the honest one anywhere"),
    Expected("5-2", "proofs against vectors, by tree and by verifier"),
    Expected("5-3", "two engines agree, and mutants of each are caught"),
    Expected("5-4", "what-ifs, orders and waterfalls, against other hands"),
    Expected("5-5", "the bundled liquidation, explained and handed over"),
    Expected("5-6", "recorded liquidations, as far as they go"),
    Expected("6-1", "the page in a browser: driven, examined, nothing cut or covered"),
    Expected("6-2", "500 positions of the slider over a million events, each as a full fold"),
    Expected("6-3", "the page against whoever should not see it"),
    Expected("6-4", "what is exported and the read model, opened by the programs they are for"),
    Expected("6-5", "documents: built, linked, every block held, a picture of the page"),
)


@dataclass
class Outcome:
    """What a run showed."""

    figures: list[tuple[str, str, str]] = field(default_factory=list)
    parts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Figures of tests that run in parts, by line and text."""
    failed: list[str] = field(default_factory=list)
    passed: int = 0
    recorded_run: int = 0
    recorded_skipped: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    by_file: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Passed tests and passed generated examples, by file."""


def main() -> int:
    """Run everything, print the figures, return the exit code."""
    began = time.monotonic()
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run_tests(report)
        if report.exists():
            read_report(report, outcome)
    if code and not outcome.failed:
        outcome.failed.append(f"pytest ended with exit code {code}")
    run_benchmarks(outcome)
    missing = derive_missing(outcome)
    print()
    for line, text, value in sorted(outcome.figures, key=by_line):
        print(f"{line:<16} {text}: {value}")
    for expected in missing:
        print(f"{expected.line:<16} {expected.text}: NO FIGURE")
    for name in outcome.failed:
        print(f"failed: {name}")
    for name in (*outcome.skipped, *outcome.recorded_skipped):
        print(f"skipped: {name}")
    print(
        f"tests: {outcome.passed} passed, {len(outcome.failed)} failed, "
        f"{len(outcome.skipped) + len(outcome.recorded_skipped)} skipped"
    )
    print(
        f"recorded tests: {outcome.recorded_run} run, {len(outcome.recorded_skipped)} skipped"
        f" ({time.monotonic() - began:.0f} s)"
    )
    return 1 if outcome.failed or outcome.recorded_skipped or missing else 0


def run_tests(report: Path) -> int:
    """Run the suite at full count and return pytest's exit code."""
    env = {**FULL_COUNT, **os.environ, "HYPOTHESIS_PROFILE": FULL_COUNT["HYPOTHESIS_PROFILE"]}
    env["ROLLFORWARD_PYTHONS"] = os.pathsep.join(other_pythons())
    workers = os.environ.get("ROLLFORWARD_WORKERS", "auto")
    asked = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--timeout=0", "--dist=worksteal"]
    asked += [f"--junitxml={report}", "-o", "junit_family=xunit1"]
    return subprocess.run(asked, cwd=ROOT, env=env, check=False).returncode


def other_pythons() -> list[str]:
    """Return interpreters of other versions, each in an environment with the locked packages.

    Tried are what ROLLFORWARD_PYTHONS lists, python3.11 to python3.14 on the path, and those a
    version manager keeps in the home folder; one that does not start, or whose packages cannot be
    had, is named and left out.
    """
    named = [*filter(None, os.environ.get("ROLLFORWARD_PYTHONS", "").split(os.pathsep))]
    named += [f"python3.{minor}" for minor in range(11, 15)]
    for manager in (".pyenv/versions", ".local/share/uv/python"):
        named += [str(kept) for kept in sorted(Path.home().glob(f"{manager}/*/bin/python3.1[1-9]"))]
    wanted: dict[str, str] = {}
    for name in named:
        program = shutil.which(name)
        if program is None:
            continue
        said = run([program, "-c", "import sysconfig as s; print(s.get_python_version())"])
        version = said.stdout.strip()
        if not said.returncode and version != sysconfig.get_python_version():
            wanted.setdefault(version, program)
    with ThreadPoolExecutor() as at_once:  # an environment is mostly downloads
        return list(filter(None, at_once.map(environment, wanted, wanted.values())))


def environment(version: str, program: str) -> str | None:
    """Return the interpreter of an environment with the locked packages; None if there is none."""
    folder = ROOT / ".venv" / "others" / version
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return str(python)
    wanted = folder / "wanted.txt"
    for step in (
        [program, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(wanted)],
    ):
        if folder.is_dir():
            wanted.write_text(locked_for_use(), encoding="utf-8")
        said = run(step)
        if said.returncode:
            print(f"Python {version} left out: {said.stderr.strip().splitlines()[-1:]}")
            return None
    (folder / "ready").touch()
    return str(python)


def locked_for_use() -> str:
    """Return the part of the lock that the product needs without its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    kept = {re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in project["dependencies"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = {
        block.partition("==")[0]: block
        for block in re.findall(r"^[\w.-]+==.*\n(?:[ ].*\n)*", lock, re.MULTILINE)
    }
    asked_by = {name: set(re.findall(r"# +(?:via )?([\w.-]+)", blocks[name])) for name in blocks}
    while added := {name for name in blocks if asked_by[name] & kept} - kept:
        kept |= added
    return "".join(blocks[name] for name in blocks if name in kept)


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command quietly."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


def read_report(report: Path, outcome: Outcome) -> None:
    """Add what a report of tests says."""
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        said = [(item.get("name"), item.get("value")) for item in case.iter("property")]
        is_recorded = ("recorded", "True") in said
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed.append(name)
            continue
        skipped = case.find("skipped")
        if skipped is not None:
            said_why = f"{name}: {skipped.get('message')}"
            (outcome.recorded_skipped if is_recorded else outcome.skipped).append(said_why)
            continue
        outcome.passed += 1
        outcome.recorded_run += is_recorded
        examples = sum(int(value or 0) for key, value in said if key == "examples")
        file = case.get("file") or f"{(case.get('classname') or '').replace('.', '/')}.py"
        tests, before = outcome.by_file.get(file, (0, 0))
        outcome.by_file[file] = (tests + 1, before + examples)
        for key, value in said:
            if key == "figure" and value:
                line, text, shown, is_part = json.loads(value)
                if is_part:
                    outcome.parts.setdefault((line, text), []).append(shown)
                else:
                    outcome.figures.append((line, text, shown))
    for (line, text), values in outcome.parts.items():
        outcome.figures.append((line, text, added(values)))


def added(values: list[str]) -> str:
    """Return one value of several of one shape: their numbers added up."""
    shape = re.sub(r"\d[\d,]*", "{:,}", values[0])
    sums = [
        sum(int(number.replace(",", "")) for number in column)
        for column in zip(*(re.findall(r"\d[\d,]*", value) for value in values), strict=True)
    ]
    return shape.format(*sums) + (f" in {len(values)} parts" if len(values) > 1 else "")


def run_benchmarks(outcome: Outcome) -> None:
    """Run the benchmarks, the second over the book of the first."""
    count = os.environ.get("ROLLFORWARD_BENCHMARK_EVENTS", BENCHMARK_EVENTS)
    with tempfile.TemporaryDirectory() as folder:
        run_benchmark(outcome, "spine.py", "--events", count, "--folder", folder)
        run_benchmark(outcome, "slider.py", "--book", str(Path(folder) / "ours.book"))


def run_benchmark(outcome: Outcome, name: str, *words: str) -> None:
    """Run a benchmark; its lines that begin with a line of the list are figures."""
    script = ROOT / "benchmarks" / name
    asked = subprocess.run(
        [sys.executable, str(script), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(asked.stdout)
    if asked.returncode:
        outcome.failed.append(f"benchmarks/{name}: exit code {asked.returncode}")
        print(asked.stderr, file=sys.stderr)
    for said in asked.stdout.splitlines():
        found = re.match(r"(6[a-g]|6-2)\s+([^:]+):\s*(.+)", said)
        if found:
            outcome.figures.append((found[1], found[2], found[3]))


def derive_missing(outcome: Outcome) -> list[Expected]:
    """Give lines without a figure that of their test files; return those which have none."""
    shown = {line for line, _, _ in outcome.figures}
    missing = []
    for expected in EXPECTED:
        if expected.line in shown:
            continue
        counts = [
            count
            for file, count in outcome.by_file.items()
            if expected.tests and file.startswith(expected.tests)
        ]
        if not counts:
            missing.append(expected)
            continue
        tests, examples = (sum(column) for column in zip(*counts, strict=True))
        generated = f", {examples:,} generated histories" if examples else ""
        outcome.figures.append((expected.line, expected.text, f"{tests} tests passed{generated}"))
    return missing


def by_line(figure: tuple[str, str, str]) -> tuple[int, str, str]:
    """Return the place of a figure in the list."""
    order = [expected.line for expected in EXPECTED]
    return (order.index(figure[0]) if figure[0] in order else len(order), figure[0], figure[1])


if __name__ == "__main__":
    sys.exit(main())
