"""``completion``: the script that lets a shell complete verbs and options."""

from __future__ import annotations

import click

from replay.cli.common import examples


@click.command(
    name="completion",
    epilog=examples(
        "rollforward completion bash >> ~/.bashrc",
        "rollforward completion zsh >> ~/.zshrc",
        "rollforward completion fish > ~/.config/fish/completions/rollforward.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    from replay.cli.app import app

    found = get_completion_class(shell)
    assert found is not None, shell
    click.echo(found(app, {}, "rollforward", "_ROLLFORWARD_COMPLETE").source())
