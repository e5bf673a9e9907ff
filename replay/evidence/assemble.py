"""Assembling ``verify.py``: the modules of the verifier as one file, in one order, as they stand.

What each module imports from the others is left out, what it imports from the standard library is
gathered at the top, and its docstring becomes a heading. Nothing else is changed, so that whoever
reads the file reads what is tested.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files
from typing import Final

MODULES: Final = (
    "canon", "merkle", "ed25519", "container", "chains", "kinds", "course", "engine", "state",
    "amounts", "rules", "surroundings", "loans", "holdings", "margin", "claims", "stamp",
    "verdict",
)  # fmt: skip
"""The modules of the verifier, each after those it uses."""

PACKAGE: Final = "replay.evidence.verifier"

TITLE: Final = '''#!/usr/bin/env python3
"""verify.py: checks an evidence pack with nothing but Python and its standard library.

    python3 -I verify.py X.rfpack --key NAME+HASH+KEY

The key comes from outside the pack: on paper, by telephone, from a page of the signer's. A copy of
this file that comes with a pack is worth what its sender is; FORMAT.md says why, and how to check a
pack with a copy one already holds. It needs Python 3.9 or later, opens no network, writes nothing.

Licensed under the Apache License 2.0.
"""
'''


@cache
def assembled() -> str:
    """Return the text of ``verify.py``."""
    imports: set[str] = set()
    bodies = []
    for name in MODULES:
        text = files(PACKAGE).joinpath(f"{name}.py").read_text("utf-8")
        bodies.append(_body(text, imports))
    plain = sorted(line for line in imports if line.startswith("import "))
    named = sorted(line for line in imports if line.startswith("from "))
    head = "\n".join(["from __future__ import annotations", "", *plain, *named])
    return f"{TITLE}\n{head}\n{''.join(bodies)}"


def _body(text: str, imports: set[str]) -> str:
    """Return a module without its imports, its docstring as a heading."""
    tree = ast.parse(text)
    lines = text.split("\n")
    docstring = ast.get_docstring(tree) or ""
    dropped: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.Expr) and node is tree.body[0]:
            dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
            _gather(node, imports)
    kept = [
        line.partition("  # noqa")[0].partition("  # fmt:")[0]
        for number, line in enumerate(lines)
        if number not in dropped
    ]
    rule = "# " + "-" * 97
    said = "\n".join(f"# {line}".rstrip() for line in docstring.split("\n"))
    body = "\n".join(kept).strip()
    return f"\n\n{rule}\n{said}\n\n\n{body}\n"


def _gather(node: ast.Import | ast.ImportFrom, imports: set[str]) -> None:
    if isinstance(node, ast.Import):
        imports.update(f"import {alias.name}" for alias in node.names)
    elif node.module not in {"__future__", None} and not str(node.module).startswith(PACKAGE):
        imports.update(f"from {node.module} import {alias.name}" for alias in node.names)
