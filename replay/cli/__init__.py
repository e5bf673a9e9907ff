"""The command line: one module per verb, each a thin shell over ``replay.audit``.

This package alone reads the clock, and only for the time at which something is recorded. Nothing
heavy is imported here: a verb brings its own libraries when it is called.
"""

from __future__ import annotations

import io
import sys

from replay.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command ``rollforward`` and leave with its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A locale that lacks a sign, such as the minus, shows its code instead of failing.
        sys.stdout.reconfigure(errors="backslashreplace")
    app.main(prog_name="rollforward")
