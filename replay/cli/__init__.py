"""The command line: one module per verb, each a thin shell over ``replay.audit``.

This package alone reads the clock, and only for the time at which something is recorded. Nothing
heavy is imported here: a verb brings its own libraries when it is called.
"""

from __future__ import annotations

from replay.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command ``rollforward`` and leave with its exit code."""
    app.main(prog_name="rollforward")
