"""Two engines that share no code agree: on states, on the order of events, and against mutants.

``ROLLFORWARD_ENGINES`` sets how many random histories are compared, ``ROLLFORWARD_MUTANTS`` how
many mutants of each engine are held against them (more than there are means all).
"""

from __future__ import annotations

import ast
import linecache
import os
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.codec import encode, event_id
from projections import (
    balances,
    chart,
    fees,
    funding,
    liquidations,
    positions,
    postings,
    prices,
    reference,
    steps,
)  # fmt: skip
from replay.evidence import verifier
from replay.evidence.assemble import MODULES
from replay.evidence.verifier import canon, engine, state
from tests.support import mutants, two_engines
from tests.support.histories import START, STREAM, filled, part, replaced
from tests.support.shelf import Shelf

ROOT = Path(__file__).resolve().parents[2]
HISTORIES = int(os.environ.get("ROLLFORWARD_ENGINES", "300"))
MUTANTS = int(os.environ.get("ROLLFORWARD_MUTANTS", "30"))
HELD_AGAINST = 800
"""Histories that mutants are held against."""

SPARED = (
    # read by claims and tables, not by states
    "projections.balances.own", "projections.positions.size", "projections.positions.stated_size",
    "projections.positions.entry_notional", "projections.positions.entry_price",
    "projections.positions.realized", "projections.positions.perp_filled",
    "projections.prices.last",
    "projections.liquidations.name", "projections.postings.postings", "projections.chart.is_own",
    "replay.evidence.verifier.engine.Journal.position",
    # how bytes are framed and errors are made: their own vectors hold them
    "replay.evidence.verifier.canon.Refused.__init__", "replay.evidence.verifier.canon.parsed",
    "replay.evidence.verifier.canon.frame", "replay.evidence.verifier.canon.digest",
    # only save time: without it the same is found on the longer way
    "projections.positions._moves_tokens",
    # the names of single transfers in transit are summed into one place before they are counted
    "projections.chart.in_transit",
)  # fmt: skip

TOLD_TO_CHECKS = re.compile(
    r"Fill\(|\bdid\b|\bshift\b|\bderived\b|\bresult\b|\b(closed|sold) = m"
    r"|return .*, (True|False), (True|False)"
)
"""Lines of ``positions`` that say what one fill did: checks read it, no state holds it."""

EQUIVALENT = (
    # (function, part of the line, change): why it computes the same
    ("perp_step", "", "Gt for GtE", "neither size nor trade is zero there"),
    ("perp_run", "", "Gt for GtE", "as in the step"),
    ("perp_cost", "", "Gt for GtE", "as in the step"),
    ("perp_step", "", "LtE for Lt", "closing all is closing and opening nothing"),
    ("perp_cost", "", "Lt for LtE", "as in the step"),
    ("_settled", "", "LtE for Lt", "rounding to the places a number has changes nothing"),
    ("reference", "", "2 is 3", "two lines that are equal are one event"),
    ("perp_run", "start * scale", "Add for Sub", "only decides whether to look closer"),
    ("record", "_moves_tokens", "Or joins", "only saves a look at what moves no token"),
    ("spot_step", "if trade >= 0", "GtE for Gt", "no trade is of nothing"),
    ("spot_step", "if trade >= 0", "0 is 1", "no trade is of nothing"),
    ("spot_step", "return after, 0, value", "0 is 1", "asked only where enough is held"),
    ("outflow_step", "0 <= out", "LtE for Lt", "what goes out is more than nothing"),
    ("outflow_step", "0 <= out", "0 is 1", "what goes out is more than nothing"),
    ("_carry", "amount <= 0", "LtE for Lt", "amounts of nothing do not come here"),
    ("_carry", "lots > 0", "Gt for GtE", "amounts of nothing do not come here"),
    ("swapped", "elif trade >= 0", "GtE for Gt", "no trade is of nothing"),
    ("swapped", "elif trade >= 0", "0 is 1", "no trade is of nothing"),
    ("swapped", "1 if trade < 0", "Lt for LtE", "no trade is of nothing"),
    ("spot_filled", "1 if trade < 0", "Lt for LtE", "no trade is of nothing"),
    (
        "traded",
        "stated * trade < 0",
        "Lt for LtE",
        "asked only where the cost is unknown, which it is of no position of nothing",
    ),
    ("_fill", "self.fills.append", "", "read by claims, not by states"),
    ("_take", "self.interest.append", "", "read by claims, not by states"),
    ("__init__", "self.moments.append", "", "read by claims, not by states"),
    ("balance", "leg[0] <= at", "LtE for Lt", "openings ask for all there is, whatever its moment"),
    ("balance", "leg[0] <= at", "0 is 1", "openings ask for all there is, whatever its moment"),
    ("_carried", "amount <= 0", "LtE for Lt", "amounts of nothing do not come here"),
    ("_carried", "lots > 0", "Gt for GtE", "amounts of nothing do not come here"),
)
"""Mutants that compute the same as the original, with the reason."""


def imports(path: Path) -> set[str]:
    """Return the modules a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, path
            found.add(str(node.module))
    return found


def test_the_clean_room_imports_the_standard_library_and_itself_alone() -> None:
    folder = Path(str(verifier.__file__)).parent
    seen = set()
    for path in sorted(folder.glob("*.py")):
        for name in imports(path):
            own = name.startswith("replay.evidence.verifier.")
            assert own or name.split(".")[0] in sys.stdlib_module_names, (path.name, name)
        seen.add(path.stem)
    assert {*MODULES, "__init__"} == seen


def test_no_two_modules_of_the_clean_room_give_one_name_to_two_things() -> None:
    """They become one file, in which the later would take the place of the earlier."""
    named: dict[str, list[str]] = {}
    for module in MODULES:
        path = Path(str(verifier.__file__)).with_name(f"{module}.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for name in names_given(node):
                named.setdefault(name, []).append(module)
    assert {} == {name: modules for name, modules in named.items() if len(modules) > 1}


def names_given(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module gives; imports are gathered, not given."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]


def test_the_main_engine_knows_nothing_of_the_clean_room() -> None:
    knowing = set()
    for room in ("ledger", "projections", "replay"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "verifier" in path.parts:
                continue
            if any(name.startswith("replay.evidence") for name in imports(path)):
                knowing.add(path.relative_to(ROOT).as_posix())
    packing = {"replay/evidence/pack.py", "replay/evidence/assemble.py",
               "replay/evidence/report.py", "replay/cli/pack.py",
               "replay/cli/verify_pack.py", "replay/cli/stamp_pack.py", "replay/cli/stamping.py",
               "replay/evidence/stamp.py", "replay/demo.py"}  # fmt: skip
    assert set() == knowing - packing


def test_the_engines_agree_on_random_histories(figure) -> None:
    differing = []
    for seed in range(HISTORIES):
        events, known = two_engines.engines_case(seed)
        if two_engines.main_digest(events, known) != two_engines.clean_digest(events, known):
            differing.append(seed)
    assert [] == differing
    figure(line="5-3", text="two engines, equal state digests", value=f"{HISTORIES:,} histories")


def test_the_engines_agree_on_the_order_of_events(figure) -> None:
    """Sources that overlap, exports, corrections of corrections, any position of the book."""
    differing = []
    for seed in range(HISTORIES):
        shelf, position = two_engines.timeline_case(seed)
        expected = two_engines.main_timeline(shelf, position)
        if expected != two_engines.clean_timeline(shelf, position):
            differing.append(seed)
    assert [] == differing
    figure(line="5-3", text="two engines, equal timeline digests", value=f"{HISTORIES:,} books")


def cases() -> tuple[list[tuple[object, object]], list[str]]:
    """Return histories and the digest on which both engines agree."""
    found = [two_engines.engines_case(seed) for seed in range(HELD_AGAINST)]
    return found, [two_engines.main_digest(*case) for case in found]


def is_equivalent(mutant: mutants.Mutant) -> bool:
    """Tell whether a mutant is of a line that no state depends on, or computes the same."""
    name = mutant.function.rpartition(".")[2]
    line = linecache.getline(str(mutant.module.__file__), mutant.line)
    if mutant.module is positions and TOLD_TO_CHECKS.search(line):
        return True
    return any(
        name == function and part in line and mutant.what.startswith(what)
        for function, part, what, _ in EQUIVALENT
    )


@pytest.mark.parametrize(
    ("name", "modules", "digest_of"),
    [
        ("main", (balances, positions, steps, postings, fees, funding, liquidations, prices,
                  reference, chart), two_engines.main_digest),
        ("clean-room", (engine, state, canon), two_engines.clean_digest),
    ],
)  # fmt: skip
def test_mutants_of_one_engine_are_caught_by_the_other(name, modules, digest_of, figure) -> None:
    histories, digests = cases()

    def differs() -> Iterator[bool]:
        for case, expected in zip(histories, digests, strict=True):
            yield digest_of(*case) != expected

    made = [one for one in mutants.mutants(modules, SPARED) if not is_equivalent(one)]
    sample = mutants.sampled(made, MUTANTS, seed=1)
    left = mutants.survivors(sample, differs)
    for mutant in left:
        print("survived:", mutant)
    caught = len(sample) - len(left)
    is_full = len(sample) == len(made)
    assert caught >= len(sample) * (0.95 if is_full else 0.8), [str(mutant) for mutant in left]
    assert 60 <= len(sample) or not is_full
    survivors = "; ".join(sorted(map(str, left))) or "none"
    figure(
        line="5-3",
        text=f"mutants of the {name} engine caught",
        value=f"{caught} of {len(sample)}; survivors: {survivors}",
    )


# What the second engine found in the first.


def shelf_of(*parts) -> Shelf:
    shelf = Shelf()
    for one in parts:
        shelf.append(one)
    return shelf


def both(shelf: Shelf) -> tuple[list[Decimal], bool]:
    """Return the prices of the course, and whether both engines give the same."""
    prices = [event.px for event in shelf.events(STREAM)]
    same = two_engines.main_timeline(shelf, 10**6) == two_engines.clean_timeline(shelf, 10**6)
    return prices, same


def test_an_event_that_a_correction_moved_explains_a_row_of_an_export() -> None:
    misread = filled(START + 7000, 1, px="50")
    shelf = shelf_of(part([misread]), part([filled(START, None, px="50")], source="web"))
    moved = encode(filled(START + 300, 1, px="50"))
    shelf.act(replaced(misread, target=event_id(misread), by=moved))
    assert ([Decimal(50)], True) == both(shelf)


def test_events_that_corrections_moved_to_one_moment_stand_in_the_order_of_their_sizes() -> None:
    first, second = filled(START + 1, 1, start="0"), filled(START + 2, 2, start="1")
    shelf = shelf_of(part([first, second]))
    for event, tid, px, start in ((second, 2, "2", "1"), (first, 1, "1", "0")):
        moved = filled(START + 9, tid, px=px, start=start)
        shelf.act(replaced(event, target=event_id(event), by=encode(moved)))
    assert ([Decimal(1), Decimal(2)], True) == both(shelf)
