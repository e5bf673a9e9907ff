"""Read models in tests: made of a book, dumped with sqlite3 alone, asked through datasette."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from replay.audit import Audit
from replay.engine import Engine
from replay.readmodel import swap

PASSING = ("built", "how")

ASKING = """
import asyncio, json, sys
from datasette.app import Datasette

async def main():
    asked = json.load(sys.stdin)
    with open(asked["metadata"], encoding="utf-8") as file:
        told = json.load(file)
    served = Datasette(files=[], immutables=[asked["file"]], metadata=told)
    await served.invoke_startup()
    found = []
    for path in asked["paths"]:
        answer = await served.client.get(path)
        found.append([answer.status_code, answer.text])
    json.dump(found, sys.stdout)

asyncio.run(main())
"""
"""Datasette as it serves, without a socket, in a process of its own: its warnings are not ours."""


def audit_of(book, folder: Path) -> Audit:
    """Return questions to a book in memory."""
    return Audit(folder / "x.book", Engine(book))


def refreshed(audit: Audit, path: Path, **options) -> swap.Outcome:
    """Bring a file up to its book."""
    return swap.refresh(audit, path, built="2026-11-22T12:00:00.000Z", **options)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables and views, computed columns too, in one order."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        names = [
            name
            for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type IN"
                                        " ('table', 'view') ORDER BY name")
            if not name.startswith(("sqlite_", "texts_fts"))
        ]  # fmt: skip
        found = {name: base.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    found["_meta"] = [row for row in found["_meta"] if row[0] not in PASSING]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def sound(path: Path) -> None:
    """Look whether the database is whole and every reference leads somewhere."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        assert [("ok",)] == base.execute("PRAGMA integrity_check").fetchall()
        assert [] == base.execute("PRAGMA foreign_key_check").fetchall()
        assert [("delete",)] == base.execute("PRAGMA journal_mode").fetchall()


def asked(file: Path, metadata: Path, paths: list[str]) -> list[tuple[int, str]]:
    """Return what datasette answers to some paths, each with its status."""
    said = subprocess.run(
        [sys.executable, "-c", ASKING],
        input=json.dumps({"file": str(file), "metadata": str(metadata), "paths": paths}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert said.returncode == 0, said.stderr
    return [(status, text) for status, text in json.loads(said.stdout)]
