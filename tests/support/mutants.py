"""Mutants: one small change of the syntax tree of one function, put into the running program.

A function's code is replaced in place, so that whoever imported it by name runs the mutant too,
and put back afterwards. Kinds of change: a comparison turned, a sign or an operator exchanged, a
whole number off by one, a truth turned, ``and`` for ``or``, a statement left out.
"""

from __future__ import annotations

import ast
import functools
import random
import signal
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TURNED: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
EXCHANGED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}  # fmt: skip
SECONDS = 4.0
"""A mutant that takes longer than this for one history runs in a circle, which shows."""


Change = Callable[[ast.FunctionDef], None]


@dataclass(frozen=True)
class Mutant:
    """One change: of which function of which module, at which line, and what."""

    module: types.ModuleType
    function: str
    line: int
    what: str
    change: Change

    @property
    def code(self) -> types.CodeType:
        """The changed function, compiled in its module."""
        tree = parsed(self.module)
        self.change(dict(functions(tree))[self.function])
        return code_of(compile(ast.fix_missing_locations(tree), "mutant", "exec"), self.function)

    def __str__(self) -> str:
        """Return where and what, for the list of survivors."""
        return f"{self.module.__name__}.{self.function}, line {self.line}: {self.what}"


def mutants(modules: Sequence[types.ModuleType], spared: Sequence[str] = ()) -> list[Mutant]:
    """Return every mutant of every function, but for those whose names are spared."""
    found = []
    for module in modules:
        for name, node in functions(parsed(module)):
            if f"{module.__name__}.{name}" in spared or owner(module, name) is None:
                continue
            found += [
                Mutant(module, name, line, what, change) for change, what, line in changes(node)
            ]
    return found


def parsed(module: types.ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions and methods of a module by name, nested ones apart."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def owner(module: types.ModuleType, name: str) -> types.FunctionType | None:
    """Return the living function of a name, behind caches and properties."""
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type) else getattr(found, part, None)
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__wrapped__", found)
    return found if isinstance(found, types.FunctionType) else None


def code_of(code: types.CodeType, name: str) -> types.CodeType:
    """Return the code of a function inside a module's code."""
    for part in name.split("."):
        code = next(
            constant
            for constant in code.co_consts
            if isinstance(constant, types.CodeType) and constant.co_name == part
        )
    return code


def changes(function: ast.FunctionDef) -> Iterator[tuple[Change, str, int]]:
    """Yield the changes of one function: each a function that makes it in a copy."""
    nodes = list(ast.walk(function))
    for number, node in enumerate(nodes):
        for what, make in changes_of(node):
            yield functools.partial(changed_at, number=number, make=make), what, line_of(node)
    for number, node in enumerate(nodes):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            for place, statement in enumerate(block if isinstance(block, list) else ()):
                if is_droppable(statement):
                    drop = functools.partial(drop_at, number=number, field=field, place=place)
                    said = ast.unparse(statement).split("\n")[0][:60]
                    yield drop, f"without {said!r}", statement.lineno


def line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def changed_at(function: ast.FunctionDef, *, number: int, make: Callable[[Any], None]) -> None:
    make(list(ast.walk(function))[number])


def drop_at(function: ast.FunctionDef, *, number: int, field: str, place: int) -> None:
    getattr(list(ast.walk(function))[number], field)[place] = ast.Pass()


def is_droppable(statement: object) -> bool:
    """Tell whether a statement does something: no docstring, nothing that is never reached."""
    if isinstance(statement, ast.Expr):
        is_note = isinstance(statement.value, ast.Constant)
        return not (is_note or ast.unparse(statement).startswith("assert_never("))
    return isinstance(statement, ast.AugAssign | ast.Continue | ast.Delete)


def changes_of(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Yield what can be changed at one node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        new = TURNED[type(node.ops[0])]

        def turn(here: ast.Compare) -> None:
            here.ops[0] = new()

        yield f"{type(node.ops[0]).__name__} for {new.__name__}", turn
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in EXCHANGED:
        other = EXCHANGED[type(node.op)]

        def exchange(here: ast.BinOp) -> None:
            here.op = other()

        yield f"{type(node.op).__name__} for {other.__name__}", exchange
    if isinstance(node, ast.Constant) and type(node.value) in {int, bool}:
        value = not node.value if isinstance(node.value, bool) else node.value + 1

        def set_to(here: ast.Constant) -> None:
            here.value = value

        yield f"{node.value} is {value}", set_to
    if isinstance(node, ast.BoolOp):
        joined = ast.Or if isinstance(node.op, ast.And) else ast.And

        def join(here: ast.BoolOp) -> None:
            here.op = joined()

        yield f"{joined.__name__} joins", join
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):

        def keep(here: ast.UnaryOp) -> None:
            here.op = ast.UAdd()

        yield "a minus is lost", keep


@contextmanager
def living(mutant: Mutant) -> Iterator[None]:
    """Run a mutant in place of its function; caches of its package forget what they knew."""
    function = owner(mutant.module, mutant.function)
    assert function is not None
    kept, changed = function.__code__, mutant.code
    forget()
    try:
        function.__code__ = changed
        yield
    finally:
        function.__code__ = kept
        forget()


def forget() -> None:
    """Empty the caches of pure functions of the rooms."""
    import sys

    for name, module in list(sys.modules.items()):
        if name.startswith(("projections", "ledger", "replay.evidence")):
            for one in list(vars(module).values()):
                if callable(getattr(one, "cache_clear", None)):
                    one.cache_clear()


def survivors(sample: Sequence[Mutant], differs: Callable[[], Iterator[bool]]) -> list[Mutant]:
    """Return the mutants which no history tells from the original."""
    left = []
    for mutant in sample:
        with living(mutant):
            if not is_caught(differs):
                left.append(mutant)
    return left


def is_caught(differs: Callable[[], Iterator[bool]]) -> bool:
    """Tell whether a history shows a difference, an error, or runs in a circle."""
    previous = signal.signal(signal.SIGALRM, stop)
    try:
        seen = differs()
        while True:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                if next(seen):
                    return True
            except StopIteration:
                return False
            except Exception:  # noqa: BLE001 - whatever a mutant raises, it shows
                return True
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, previous)


def stop(number: int, frame: object) -> None:
    raise TimeoutError


def sampled(found: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Return so many mutants, each function as often as it has lines that can be changed."""
    return random.Random(seed).sample(list(found), min(count, len(found)))
