"""``group``: several accounts as one entity, under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli.common import (
    book_option,
    examples,
    find_book,
    json_option,
    now_ms,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.events.desk import Role


@click.group(
    name="group",
    epilog=examples("rollforward group list", "rollforward group show fund"),
)
def command() -> None:
    """Take a master, its sub-accounts and vaults as one entity."""


@command.command(
    name="define",
    epilog=examples(
        "rollforward group define fund --master 0x31ca… --sub 0x77aa… --label 0x77aa…=hedge "
        "--as ada",
        "rollforward group define fund --master 0x31ca… --vault 0x90be… --label 0x90be…=vault "
        '--reason "mandate of 2026" --as ada',
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--master", "masters", multiple=True, metavar="ACCOUNT", help="The master account.")
@click.option("--sub", "subs", multiple=True, metavar="ACCOUNT", help="A sub-account; repeatable.")
@click.option("--vault", "vaults", multiple=True, metavar="ACCOUNT", help="A vault; repeatable.")
@click.option(
    "--label", "labels", multiple=True, metavar="ACCOUNT=NAME", help="What people call a member."
)
@click.option("--reason", default="", metavar="TEXT", help="What the definition rests on.")
@click.option(
    "--as", "by", required=True, metavar="NAME", envvar="ROLLFORWARD_AS",
    help="Who says so [default: $ROLLFORWARD_AS].",
)  # fmt: skip
@takes(book_option, json_option)
def define(
    name: str, masters: tuple[str, ...], subs: tuple[str, ...], vaults: tuple[str, ...],
    labels: tuple[str, ...], reason: str, by: str, book: Path | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Define a group; defined again under its name, the later definition holds.

    The definition is an event of the book: asking with --known-at an earlier position shows the
    group as it was then. An account the book has nothing about may be a member; statements say so.
    """
    import replay
    from ledger.book import Book
    from ledger.codec import event_id
    from replay import groups

    if len(masters) > 1:
        message = f"a group has one master; given are {', '.join(masters)}"
        raise click.UsageError(message)
    named: tuple[tuple[Role, tuple[str, ...]], ...] = (
        ("master", masters), ("sub-account", subs), ("vault", vaults),
    )  # fmt: skip
    roles: list[tuple[Role, str]] = [(role, each) for role, given in named for each in given]
    path = find_book(book)
    made = groups.definition(
        name, roles, labels=dict(map(_label, labels)), because=reason, by=by, at=now_ms()
    )
    with Book.open(path, write=True) as written:
        receipt = written.act([made], recorded=now_ms())
    position = str(receipt.positions[0]) if receipt.positions else None
    if as_json:
        put_json({"group": made.name, "event": event_id(made), "known_since": position})
        return
    with replay.open(path) as audit:
        put_tables([groups.group_table(audit, made)])
    tell(f"known since position {position}")


def _label(text: str) -> tuple[str, str]:
    account, equals, label = text.partition("=")
    if not equals or not label.strip():
        message = f"--label {text}: write ACCOUNT=NAME"
        raise click.UsageError(message)
    return account.strip(), label.strip()


@command.command(name="list", epilog=examples("rollforward group list"))
@click.option("--known-at", metavar="WHEN", help="As the book knew it then [default: now].")
@takes(book_option, json_option)
def list_(known_at: str | None, book: Path | None, *, as_json: bool) -> None:
    """List the groups of a book."""
    from replay import groups

    with open_audit(book) as audit:
        table = groups.groups_table(groups.groups(audit, audit.position(known_at)))
    if as_json:
        put_json(table.to_dicts())
    else:
        put_tables([table])


@command.command(name="show", epilog=examples("rollforward group show fund"))
@click.argument("name", metavar="NAME")
@click.option("--known-at", metavar="WHEN", help="As the book knew it then [default: now].")
@takes(book_option, json_option)
def show(name: str, known_at: str | None, book: Path | None, *, as_json: bool) -> None:
    """Show the members of a group, with their roles and labels."""
    from replay import groups

    with open_audit(book) as audit:
        found = groups.group(audit, name, audit.position(known_at))
        table = groups.group_table(audit, found)
    if as_json:
        put_json(table.to_dicts())
    else:
        put_tables([table])
