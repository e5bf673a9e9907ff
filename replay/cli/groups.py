"""Groups of verbs that share a word, each imported when it is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """A group whose verbs are modules of this package with a ``command``; none is imported early.

    ``verbs`` maps each verb to its module in ``replay.cli`` and its one line in the list.
    """

    verbs: Mapping[str, tuple[str, str]] = {}

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in their order."""
        return list(self.verbs)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one verb, imported now."""
        found = self.verbs.get(cmd_name)
        if found is None:
            return None
        command: click.Command = importlib.import_module(f"replay.cli.{found[0]}").command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing any."""
        if not self.verbs:
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.verbs.items()])
