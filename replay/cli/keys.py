"""``keys``: make a key to sign approvals with, and show the public one that belongs to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay.cli.common import Written, examples, json_option, put_json, takes

if TYPE_CHECKING:
    from ledger.signatures import VerifierKey


@click.group(
    name="keys",
    epilog=examples("rollforward keys --help"),
)
def command() -> None:
    """Make and show keys to sign with (needs the extra sign)."""


@command.command(name="new", epilog=examples("rollforward keys new ben.key --name ben"))
@click.argument("file", metavar="FILE", type=Written())
@click.option(
    "--name", metavar="WORD", help="Name of the key, one word [default: name of the file]."
)
@takes(json_option)
def new(*, file: Path, name: str | None, as_json: bool) -> None:
    """Write a new private key to FILE, which only you can read, and print the public one.

    A file that is there is never overwritten. Whoever is to check your signatures pins the public
    key to your name: --pin NAME=KEY.
    """
    from replay import keys

    _put(file, keys.new_key(file, name if name is not None else file.stem), as_json=as_json)


@command.command(name="show", epilog=examples("rollforward keys show ben.key"))
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@takes(json_option)
def show(*, file: Path, as_json: bool) -> None:
    """Print the public key that belongs to the private key in FILE."""
    from replay import keys

    _put(file, keys.read_key(file).verifier, as_json=as_json)


def _put(file: Path, key: VerifierKey, *, as_json: bool) -> None:
    if as_json:
        put_json({"file": str(file), "key": key.text, "fingerprint": key.fingerprint})
        return
    click.echo(f"private key: {file}")
    click.echo(f"public key: {key.text}")
    click.echo(f"fingerprint: {key.fingerprint}")
