"""Measure the slider: 500 random positions of one long account beside a fold from nothing.

All in one run, over the seeded book of ``spine.py``. A position of the slider is the moment of an
event or a full hour; none is asked twice. An answer is the state with its digest and the moments
to step to. Cold is measured in processes of their own: the first answer of all, which makes the
checkpoints, and the first answer of a program that finds them. Every digest is held against one
fold from nothing that stops at each of the positions, and a few against folds of their own.

    python benchmarks/slider.py [--events 1000000] [--positions 500] [--book FILE]

prints a line per figure, and exits 1 when a bar is missed or an answer differs.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ledger.money import exact
from ledger.units import Millis
from projections import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.units import Digest
    from replay.audit import AccountHistory
    from replay.slider import Slider

Figures: TypeAlias = dict[str, Any]

MEDIAN_BAR: Final = 50
"""The median answer takes at most this part of a full fold."""

WORST_BAR: Final = 10

APART: Final = 3
"""How many positions are folded from nothing each for itself."""

HOURS: Final = 5
"""Of so many positions one is a full hour, the others moments of events."""


def positions(slider: Slider, count: int) -> list[Millis]:
    """Return random positions of the slider, none twice, in the order they are asked."""
    chance = random.Random(20261122)
    steps = slider.steps
    first, last = steps.hours or (0, 0)
    hours = list(range(first, last + 1, 3_600_000))
    found = {Millis(at) for at in chance.sample(hours, min(len(hours), count // HOURS))}
    while len(found) < count:
        found.add(steps.moment(chance.randrange(steps.count)))
    drawn = sorted(found)
    chance.shuffle(drawn)
    return drawn


def stopping(history: AccountHistory, moments: Sequence[Millis]) -> Iterator[tuple[Millis, Digest]]:
    """Yield the digest at ascending moments, in one fold from nothing over decoded events."""
    engine = history.audit.engine
    assert engine.checkpoints is None, "nothing is remembered here"
    position = engine.book.position()
    with exact():
        folding = fold.Folding(engine.reference(position))
    waiting = list(moments[::-1])
    for event in engine.events(history.stream, position):
        while waiting and event.at > waiting[-1]:
            yield waiting.pop(), digest_of(folding)
        with exact():
            folding.take(event)
    while waiting:
        yield waiting.pop(), digest_of(folding)


def digest_of(folding: fold.Folding) -> Digest:
    """Return the digest of a fold under way."""
    with exact():
        return fold.digest(folding.states())


def run_cold(book: Path, at: int) -> Figures:
    """Return how long the first answer of this process takes, from opening the book."""
    from replay.audit import Audit
    from replay.slider import Slider

    started = time.perf_counter()
    with Audit.open(book) as audit:
        slider = Slider(audit.account(spine().ACCOUNT))
        digest = slider.digest(at)
        slider.step(at)
        return {"seconds": time.perf_counter() - started, "digest": digest}


def run_warm(book: Path, count: int) -> Figures:
    """Ask at every position, fold it all from nothing, and compare."""
    from replay.audit import Audit
    from replay.slider import Slider

    with Audit.open(book) as audit:
        slider = Slider(audit.account(spine().ACCOUNT))
        moments = positions(slider, count)
        slider.digest(moments[0] + 1)
        answers: dict[Millis, Digest] = {}
        took: list[float] = []
        shown: list[float] = []
        for at in moments:
            started = time.perf_counter()
            instant = slider.at(at)
            answers[at] = instant.digest
            slider.step(at)
            took.append(time.perf_counter() - started)
            _ = instant.tables
            shown.append(time.perf_counter() - started)
        events = slider.steps.count
    with Audit.open(book, cache=False) as audit:
        history = audit.account(spine().ACCOUNT)
        started = time.perf_counter()
        whole = history.at().digest
        full = time.perf_counter() - started
        folded = dict(stopping(history, sorted(moments)))
        apart = random.Random(1).sample(moments, min(APART, len(moments)))
        alone = {at: history.at(at).digest for at in apart}
    return {
        "events": events,
        "answers": len(answers),
        "median": statistics.median(took),
        "worst": max(took),
        "shown": statistics.median(shown),
        "full": full,
        "whole": whole,
        "equal": sum(folded[at] == digest for at, digest in answers.items()),
        "distinct": len(set(answers.values())),
        "apart": len(apart),
        "equal_apart": sum(answers[at] == digest for at, digest in alone.items()),
        "peak": spine().peak_mb(),
    }


def run_lanes(book: Path, _: int) -> Figures:
    """Return what lines and marks of the whole account take, apart from the answers."""
    from replay.audit import Audit
    from replay.slider import Slider

    with Audit.open(book) as audit:
        slider = Slider(audit.account(spine().ACCOUNT))
        started = time.perf_counter()
        marks = slider.marks
        marked = time.perf_counter() - started
        started = time.perf_counter()
        lanes = slider.lanes()
        drawn = time.perf_counter() - started
        told = json.dumps(lanes.to_json_ready(marks), separators=(",", ":"))
        return {
            "points": len(lanes.times),
            "marks": marked,
            "drawn": drawn,
            "bytes": len(told.encode()),
            "peak": spine().peak_mb(),
        }


PARTS: Final = {"cold": run_cold, "warm": run_warm, "lanes": run_lanes}


def spine() -> Any:
    """Return the benchmark that makes the book; it needs the library it is held against."""
    import spine as beside

    return beside


def measured(part: str, book: Path, number: int) -> Figures:
    """Run one part in a process of its own and return its figures."""
    words = [sys.executable, __file__, "--part", part, "--book", str(book), "--number", str(number)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def compared(book: Path, count: int) -> Figures:
    """Measure all parts, one process after the other, from a book without anything remembered."""
    book.with_name(book.name + ".cache").unlink(missing_ok=True)
    at = spine().FIRST_MOMENT
    first, again = measured("cold", book, at), measured("cold", book, at + 1)
    warm = measured("warm", book, count)
    lanes = measured("lanes", book, 0)
    return {**warm, "first": first["seconds"], "again": again["seconds"], "lanes": lanes}


def report(found: Figures) -> int:
    """Print a line per figure; return 1 when a bar is missed or an answer differs."""
    full = found["full"]
    missed = 0
    print(
        f"6-2 random positions, none repeated: {found['answers']:,} over {found['events']:,} "
        f"events; a full fold takes {full:.2f} s"
    )
    for name, bar in (("median", MEDIAN_BAR), ("worst", WORST_BAR)):
        part = full / found[name]
        missed += part < bar
        verdict = "met" if part >= bar else "MISSED"
        print(
            f"6-2 {name} warm answer: {found[name] * 1e3:.2f} ms, 1/{part:,.0f} of a full fold, "
            f"bar 1/{bar} {verdict}"
        )
    print(
        f"6-2 cold: {found['first']:.1f} s for the first answer of all, which makes the "
        f"checkpoints; {found['again'] * 1e3:.0f} ms for the first of a program that finds them"
    )
    equal = found["equal"] == found["answers"] and found["equal_apart"] == found["apart"]
    print(
        f"6-2 equal to a full fold: {found['equal']:,} of {found['answers']:,} "
        f"({found['distinct']:,} different digests), and {found['equal_apart']} of "
        f"{found['apart']} folded each for itself{'' if equal else ', MISSED'}"
    )
    lanes = found["lanes"]
    print(
        f"6-2 beside it: with all tables {found['shown'] * 1e3:.2f} ms; lines of "
        f"{lanes['points']} instants in {lanes['drawn']:.1f} s and marks in {lanes['marks']:.1f} s,"
        f" once, {lanes['bytes'] // 1000} kB; peak memory {found['peak']} MB"
    )
    return int(bool(missed) or not equal)


def main() -> int:
    """Measure over a book that is given or made, or run the one part asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--positions", type=int, default=500)
    parser.add_argument("--book", type=Path)
    parser.add_argument("--part", choices=tuple(PARTS))
    parser.add_argument("--number", type=int, default=0)
    given = parser.parse_args()
    if given.part:
        print(json.dumps(PARTS[given.part](given.book, given.number)))
        return 0
    machine = (
        f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
    )
    print(f"{given.positions} positions of the slider; {machine}", flush=True)
    if given.book is not None:
        return report(compared(given.book, given.positions))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "slider.book"
        spine().write_book(made, spine().events(given.events))
        return report(compared(made, given.positions))


if __name__ == "__main__":
    sys.exit(main())
