"""The reference pages of the command line, written from the commands themselves.

``python -m replay.cli.reference`` writes them anew; a test holds them against the commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from replay.cli import exits
from replay.cli.app import VERBS, app

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reference"

WIDTH: Final = 90

_HEAD: Final = """# Commands

Every command takes `--book FILE`; without it `ROLLFORWARD_BOOK` names the book,
and without that the only `*.book` in the working folder is meant.
Data goes to standard output, everything else to standard error.
`--json` writes amounts as text.
Every option can be set in the environment: `ROLLFORWARD_SHOW_AT` is `--at` of `show`.
How a command ends is in [exit codes](exit-codes.md).

This page is written by `python -m replay.cli.reference`.
"""

_CODES_HEAD: Final = """# Exit codes

| code | name | when |
|---:|---|---|
"""

_CODES_TAIL: Final = """
Where several apply, one import of many files for instance, the first of 5, 4, 2, 1, 3 is given.
A proof that is only partly possible never ends with 0.
`verify-pack` and `verify.py` end with 10 to 32 where a pack is not what it says, one per cause:
[the format of packs](../spec/pack.md#exit-codes-of-the-verifier) lists them.
With `--json`, what ends a command is an object on standard error:
`{"error": {"kind": …, "message": …, "exit": …}}`.

This page is written by `python -m replay.cli.reference`.
"""


def commands_page() -> str:
    """Return the page of commands: the help of each, as it is printed."""
    parts = [_HEAD, _help_of([])]
    for name in VERBS:
        parts.append(f"\n## {name}\n\n{_help_of([name])}")
        parts += [
            f"\n### {name} {each}\n\n{_help_of([name, each])}" for each in _verbs_of_group(name)
        ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def codes_page() -> str:
    """Return the page of exit codes."""
    rows = "".join(
        f"| {code} | {name} | {sentence} |\n" for code, (name, sentence) in exits.MEANINGS.items()
    )
    return _CODES_HEAD + rows + _CODES_TAIL


def _verbs_of_group(name: str) -> list[str]:
    """Return the verbs of a group; none for a verb that is no group."""
    context = click.Context(app, info_name="rollforward")
    found = app.get_command(context, name)
    return found.list_commands(context) if isinstance(found, click.Group) else []


def _help_of(words: list[str]) -> str:
    context = click.Context(
        app,
        info_name="rollforward",
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    command: click.Command = app
    for word in words:
        assert isinstance(command, click.Group), word
        found = command.get_command(context, word)
        assert found is not None, word
        context = click.Context(
            found, info_name=word, parent=context, terminal_width=WIDTH, max_content_width=WIDTH
        )
        command = found
    return f"```text\n{command.get_help(context)}\n```\n"


PAGES: Final = {"commands.md": commands_page, "exit-codes.md": codes_page}


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
