"""The style as a test: what linters cannot say about our rooms is read off the syntax tree.

A rule is a function from a module to its complaints. The first half of this file holds the rules,
then come the tests that run them over the three packages, and last the planted violations that
show that each rule sees what it is for.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import re
import shutil
import subprocess
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ledger", "projections", "replay")
LINES_PER_MODULE = 600
LINES_PER_FUNCTION = 60

PURE = (
    "projections",
    "ledger.units",
    "ledger.civil",
    "ledger.money",
    "ledger.kinds",
    "ledger.events",
    "ledger.entries",
    "ledger.codec",
    "ledger.upcasts",
    "ledger.seal",
    "ledger.signatures",
    "ledger.timeline",
    "ledger.errors",
    "ledger.importers",
)

# Whole numbers may be divided with ``//`` here, because …
FLOOR_DIVISION = {
    "ledger.money": "the room where divisions live, each under its name",
    "projections.steps": "whole lots and money units, floored as the venue floors",
    "projections.consequences._hours": "turns of the hour are counted, not money",
}

# Only these rooms may know these libraries; ``projections`` is pure and knows none of them.
KNOWN_ONLY_TO = {
    "eventsourcing": ("ledger.stores",),
    "sqlite_utils": ("ledger.archive", "ledger.stores.sqlite", "replay.readmodel"),
    "click": ("replay.cli",),
    "rich": ("replay.cli",),
    "duckdb": ("replay.columnar",),
    "cryptography": ("ledger.signatures", "replay.evidence.stamp"),
    "rfc3161_client": ("replay.evidence.stamp",),
    "matplotlib": ("replay.chart",),
    "xlsxwriter": ("replay.papers",),
    "typst": ("replay.papers",),
    "jinja2": ("replay.papers", "replay.evidence", "replay.web"),
    "pyspark": ("replay.columnar",),
    "starlette": ("replay.web",),
    "uvicorn": ("replay.web",),
    "polars": ("replay.export",),
    "pyarrow": ("ledger.stores.parquet", "replay.export"),
}

WALL_CLOCK = {
    "time.time",
    "time.time_ns",
    "time.localtime",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
}
IMPURE_CALLS = {"open", "print", "input", "hash", "id", "__import__", "globals", "float"}
UNSAFE_CALLS = {"eval", "exec"}
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|root|home/\w+|Users/\w+)" + r"/")


@dataclass(frozen=True)
class Module:
    """A module by its dotted name and its text."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def is_pure(self) -> bool:
        return within(self.name, PURE)


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for such an expression; ``?`` stands for what is not a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def imported(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of every import; ``from a import b`` is ``a.b``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.name.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, node.module or ""]).strip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def no_float_literals(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree) if module.is_pure else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{node.lineno}: the literal {node.value} is a float; write Decimal text"


def no_bare_division(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree) if module.is_pure else ():
        if isinstance(node, ast.BinOp | ast.AugAssign):
            if isinstance(node.op, ast.Div):
                yield f"{node.lineno}: bare / rounds; divide by name (ledger.money)"
            elif isinstance(node.op, ast.FloorDiv) and not may_floor(module, node):
                yield f"{node.lineno}: bare // rounds; divide by name, or list the function here"


def may_floor(module: Module, division: ast.AST) -> bool:
    """Tell whether the module, or the function around the division, is listed with a reason."""
    if module.name in FLOOR_DIVISION:
        return True
    return any(
        f"{module.name}.{function.name}" in FLOOR_DIVISION and division in ast.walk(function)
        for function in functions(module)
    )


def no_rounding_outside_money(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree) if module.is_pure and module.name != "ledger.money" else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"quantize", "to_integral_value", "to_integral"}:
                yield f"{node.lineno}: .{node.func.attr}() rounds; round by name (ledger.money)"
        elif isinstance(node, ast.Call) and dotted(node.func) == "round":
            yield f"{node.lineno}: round() rounds; round by name (ledger.money)"


def no_impure_calls(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree) if module.is_pure else ():
        if isinstance(node, ast.Call) and dotted(node.func) in IMPURE_CALLS:
            yield f"{node.lineno}: {dotted(node.func)}() has no place in a pure room"
    for line, name in imported(module) if module.is_pure else ():
        if name.split(".")[0] == "importlib":
            yield f"{line}: a pure room imports by statement, where the walls can see it"


def no_unsafe_loading(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in UNSAFE_CALLS:
            yield f"{node.lineno}: {dotted(node.func)}() runs what it is given"
    for line, name in imported(module):
        if name.split(".")[0] in UNSAFE_MODULES:
            yield f"{line}: {name} can run what it loads"


def wall_clock_only_in_cli(module: Module) -> Iterator[str]:
    if within(module.name, ("replay.cli",)):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ".".join(dotted(node.func).split(".")[-2:])
            if called in WALL_CLOCK:
                yield f"{node.lineno}: {called}() reads the clock; the caller passes the time"
    for line, name in imported(module):
        if name in WALL_CLOCK:
            yield f"{line}: {name} reads the clock; the caller passes the time"


def libraries_in_their_rooms(module: Module) -> Iterator[str]:
    for line, name in imported(module):
        rooms = KNOWN_ONLY_TO.get(name.split(".")[0])
        if rooms and not within(module.name, rooms):
            yield f"{line}: {name.split('.')[0]} is known only to {', '.join(rooms)}"


def rulebooks_know_only_the_one_before(module: Module) -> Iterator[str]:
    home = "projections.rulebooks"
    own = module.name.removeprefix(home + ".")
    if not (within(module.name, (home,)) and own.startswith("y")):
        return
    folder = ROOT / "projections" / "rulebooks"
    versions = sorted({own, *(path.stem for path in folder.glob("y*.py"))})
    before = versions[max(0, versions.index(own) - 1)]
    for line, name in imported(module):
        other = name.removeprefix(home + ".").split(".")[0]
        if within(name, (home,)) and other.startswith("y") and other not in {own, before}:
            yield f"{line}: a rulebook builds on base or on {before}, not on {other}"


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def modules_fit(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LINES_PER_MODULE:
        yield f"{lines} lines; a module has at most {LINES_PER_MODULE}"


def functions_fit(module: Module) -> Iterator[str]:
    for node in functions(module):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > LINES_PER_FUNCTION:
            yield f"{node.lineno}: {node.name} has {lines} lines; at most {LINES_PER_FUNCTION}"


def public_names_have_docstrings(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield "1: the module has no docstring"
    yield from undocumented(module.tree)


def undocumented(parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        said_elsewhere = {dotted(mark).split(".")[-1] for mark in node.decorator_list}
        if node.name.startswith("_") or said_elsewhere & {"override", "overload", "setter"}:
            continue
        if not ast.get_docstring(node):
            yield f"{node.lineno}: {node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node)


def nothing_unfinished(module: Module) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        is_said = token.type in {tokenize.COMMENT, tokenize.STRING}
        if is_said and (found := UNFINISHED.search(token.string)):
            yield f"{token.start[0]}: {found.group()}; finish it or open an issue"


def machine_paths(name: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := MACHINE_PATH.search(line):
            yield f"{name}:{number}: {found.group()} is a folder of one machine"


Rule = Callable[[Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    no_float_literals,
    no_bare_division,
    no_rounding_outside_money,
    no_impure_calls,
    no_unsafe_loading,
    wall_clock_only_in_cli,
    libraries_in_their_rooms,
    rulebooks_know_only_the_one_before,
    modules_fit,
    functions_fit,
    public_names_have_docstrings,
    nothing_unfinished,
)


# ------------------------------------------------------------------------- the rules, applied


def our_modules() -> list[Module]:
    found = []
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path.read_text(encoding="utf-8")))
    return found


def files_of_the_repository() -> list[Path]:
    """Return what is or could be committed; without git, everything but what tools leave behind."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        asked = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True, text=True)
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        kept = {".ci", ".gitignore", ".pre-commit-config.yaml"}
        found = [
            path
            for path in ROOT.rglob("*")
            if not any(
                part == "__pycache__" or (part.startswith(".") and part not in kept)
                for part in path.relative_to(ROOT).parts
            )
        ]
    return [path for path in found if path.is_file()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Rule):
    complaints = [f"{module.name}:{said}" for module in our_modules() for said in rule(module)]
    assert not complaints, "\n" + "\n".join(complaints)


def test_tests_fit_too():
    complaints = [
        f"{path.relative_to(ROOT)}:{said}"
        for folder in ("tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for said in modules_fit(Module(path.stem, path.read_text(encoding="utf-8")))
    ]
    assert not complaints, "\n" + "\n".join(complaints)


def test_no_file_names_a_folder_of_one_machine():
    complaints = [
        said
        for path in files_of_the_repository()
        for said in machine_paths(
            str(path.relative_to(ROOT)), path.read_bytes().decode("utf-8", errors="replace")
        )
    ]
    assert not complaints, "\n" + "\n".join(complaints)


def test_examples_in_docstrings_say_the_truth():
    for module in our_modules():
        if ">>> " in module.text:
            failed, _ = doctest.testmod(importlib.import_module(module.name))
            assert failed == 0, module.name


def test_exceptions_to_the_rules_name_something_that_exists():
    names = {module.name for module in our_modules()}
    names |= {f"{m.name}.{function.name}" for m in our_modules() for function in functions(m)}
    assert set() == set(FLOOR_DIVISION) - names - {"ledger.money"}


# ------------------------------------------------------------------------- the rules, tried


def long_function(lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (lines - 1)


def long_class(lines: int) -> str:
    return "class C:\n" + "    x = 1\n" * (lines - 1)


DOC = '"""A room."""\n'
PURE_ROOM = "projections.fold"

CAUGHT: list[tuple[Rule, str, str]] = [
    (no_float_literals, PURE_ROOM, "x = 0.5"),
    (no_float_literals, "ledger.events.cash", "x = Decimal(1e3)"),
    (no_bare_division, PURE_ROOM, "x = a / b"),
    (no_bare_division, "ledger.seal", "x /= 2"),
    (no_bare_division, PURE_ROOM, "x = a // b"),
    (no_bare_division, "ledger.money", "x = a / b"),
    (no_rounding_outside_money, PURE_ROOM, "x = a.quantize(b)"),
    (no_rounding_outside_money, PURE_ROOM, "x = round(a, 2)"),
    (no_impure_calls, PURE_ROOM, "x = float(a)"),
    (no_impure_calls, PURE_ROOM, "x = hash(a)"),
    (no_impure_calls, PURE_ROOM, "x = id(a)"),
    (no_impure_calls, PURE_ROOM, "x = open('a')"),
    (no_impure_calls, PURE_ROOM, "import importlib"),
    (no_unsafe_loading, "replay.engine", "x = eval(a)"),
    (no_unsafe_loading, "replay.engine", "exec(a)"),
    (no_unsafe_loading, "replay.engine", "import pickle"),
    (no_unsafe_loading, "replay.engine", "from pickle import loads"),
    (wall_clock_only_in_cli, "ledger.book", "x = time.time()"),
    (wall_clock_only_in_cli, "ledger.book", "from time import time"),
    (wall_clock_only_in_cli, "replay.web.app", "x = datetime.datetime.now(UTC)"),
    (wall_clock_only_in_cli, "replay.engine", "x = datetime.now()"),
    (libraries_in_their_rooms, "ledger.book", "import eventsourcing.persistence"),
    (libraries_in_their_rooms, "replay.engine", "from sqlite_utils import Database"),
    (libraries_in_their_rooms, "replay.render", "import rich"),
    (libraries_in_their_rooms, "replay.export", "import duckdb"),
    (
        rulebooks_know_only_the_one_before,
        "projections.rulebooks.y1001_01",
        "from projections.rulebooks import y9999_12",
    ),
    (
        rulebooks_know_only_the_one_before,
        "projections.rulebooks.y9999_12",
        "from .y1001_01 import RULES",
    ),
    (modules_fit, PURE_ROOM, "x = 1\n" * 601),
    (functions_fit, PURE_ROOM, long_function(61)),
    (functions_fit, PURE_ROOM, "class C:\n    def f(self):\n" + "        x = 1\n" * 60),
    (public_names_have_docstrings, PURE_ROOM, "x = 1"),
    (public_names_have_docstrings, PURE_ROOM, DOC + "def f(): ..."),
    (public_names_have_docstrings, PURE_ROOM, DOC + "class C: ..."),
    (public_names_have_docstrings, PURE_ROOM, DOC + "class C:\n    'C.'\n    def f(self): ..."),
    (nothing_unfinished, PURE_ROOM, "x = 1  # TO" + "DO: two"),
]

ALLOWED: list[tuple[Rule, str, str]] = [
    (no_float_literals, PURE_ROOM, "x = Decimal('0.5') + 1"),
    (no_float_literals, "ledger.stores.sqlite", "timeout_s = 0.5"),
    (no_bare_division, "replay.cli.show", "path = folder / 'a'"),
    (no_bare_division, "ledger.money", "x = a // b"),
    (no_rounding_outside_money, "ledger.money", "x = a.quantize(b)"),
    (no_impure_calls, PURE_ROOM, "x = event.id() + events()[0].id()"),
    (no_unsafe_loading, "replay.engine", "connection.exec(a)"),
    (wall_clock_only_in_cli, "replay.cli.book", "x = time.time()"),
    (wall_clock_only_in_cli, "ledger.sources.api", "x = time.monotonic()"),
    (libraries_in_their_rooms, "ledger.stores.sqlite", "import eventsourcing"),
    (libraries_in_their_rooms, "replay.cli.show", "from click import echo"),
    (
        rulebooks_know_only_the_one_before,
        "projections.rulebooks.y9999_12",
        "from projections.rulebooks.base import Rulebook",
    ),
    (modules_fit, PURE_ROOM, "x = 1\n" * 600),
    (functions_fit, PURE_ROOM, long_function(60)),
    (functions_fit, PURE_ROOM, long_class(300)),
    (public_names_have_docstrings, PURE_ROOM, DOC + "def _f(): ..."),
    (public_names_have_docstrings, PURE_ROOM, DOC + "class _C:\n    def f(self): ..."),
    (nothing_unfinished, PURE_ROOM, "x = 'nothing to do'"),
]


def named(cases: list[tuple[Rule, str, str]]) -> list[str]:
    return [f"{rule.__name__}-{number}" for number, (rule, _, _) in enumerate(cases)]


@pytest.mark.parametrize(("rule", "name", "text"), CAUGHT, ids=named(CAUGHT))
def test_a_planted_violation_is_caught(rule: Rule, name: str, text: str):
    assert list(rule(Module(name, text)))


@pytest.mark.parametrize(("rule", "name", "text"), ALLOWED, ids=named(ALLOWED))
def test_what_is_allowed_is_left_alone(rule: Rule, name: str, text: str):
    assert [] == list(rule(Module(name, text)))


def test_every_rule_has_a_planted_violation():
    assert set(RULES) == {rule for rule, _, _ in CAUGHT}


def test_a_planted_machine_path_is_caught():
    assert list(machine_paths("notes.md", "see " + "/ro" + "ot/notes"))
    assert list(machine_paths("notes.md", 'open("' + "/wo" + 'rk/book")'))


def test_an_address_or_a_relative_path_is_no_machine_path():
    assert [] == list(machine_paths("a.md", "https://example.org/ro" + "ot/a"))
    assert [] == list(machine_paths("a.md", "docs/wo" + "rk/a"))


def test_a_listed_function_may_floor(monkeypatch: pytest.MonkeyPatch):
    module = Module(PURE_ROOM, "def listed():\n    return 7 // 2\n")
    monkeypatch.setitem(FLOOR_DIVISION, f"{PURE_ROOM}.listed", "whole numbers")
    assert [] == list(no_bare_division(module))
