"""The group of all verbs: lazy loading, exit codes, and errors as people and programs read them."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click
from typing_extensions import override

from replay import __version__
from replay.cli import exits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.errors import RollforwardError

VERBS: Final[dict[str, tuple[str, str]]] = {
    "import": ("import_", "Record the venue's answers, exports, captures, archives."),
    "show": ("show", "Show what an account had at an instant."),
    "history": ("history", "List the events of an account with the running balance."),
    "check": ("check", "Compare what was recorded with what follows from it."),
    "coverage": ("coverage", "Show what of a history is proven, unknown, known missing."),
    "margin": ("margin", "Show requirement, ratio and verdict, at one instant or many."),
    "efficiency": ("efficiency", "Compare the ways of margining on one account."),
    "reconcile": ("reconcile", "Hold payouts, pools and states against what follows by rule."),
    "liquidations": ("liquidations", "List what the venue took, and whether it had cause to."),
    "what-if": ("what_if", "Show an account as supposed; find what would have saved it."),
    "breaks": ("breaks", "List what differs, and explain, approve, close or carry it."),
    "diff": ("diff", "Explain why figures changed between two states of knowledge."),
    "close": ("close", "Close a period on a report that can be made again."),
    "reproduce": ("reproduce", "Make a closed report again and compare every byte."),
    "statement": ("statement", "Roll a period forward: opening, activity, closing."),
    "views": ("views", "Write the answers of a book as tables for SQL and datasette."),
    "export": ("export", "Write events and figures to files that other programs open."),
    "group": ("group", "Take a master, its sub-accounts and vaults as one entity."),
    "tape": ("tape", "Step through an account, forward and back; watch figures."),
    "serve": ("serve", "Show a book as a page to look at, on this machine only."),
    "explain": ("explain", "Go from a figure, event or liquidation back to the records."),
    "correct": ("correct", "Annul or replace an event, with a reason; nothing is edited."),
    "open": ("open_", "Attest with what an account began, from a recorded state."),
    "verify": ("verify", "Prove that the stored bytes are the ones that were recorded."),
    "claim": ("claim", "Hold sentences about an account against what is recorded."),
    "pack": ("pack", "Write evidence that others can check without this program."),
    "stamp-pack": ("stamp_pack", "Add an authority's time stamp to a pack."),
    "verify-pack": ("verify_pack", "Check an evidence pack, and recompute its claims."),
    "keys": ("keys", "Make a key to sign approvals with, and show its public one."),
    "quarantine": ("quarantine", "List the rows that could not be read."),
    "doctor": ("doctor", "Examine the installation, the book and the file system."),
    "config": ("config", "Show which settings are in force and where they come from."),
    "completion": ("completion", "Print the completion script of a shell."),
}
"""Every verb: its module in this package, and its one line in the list of verbs."""


class Verbs(click.Group):
    """A group that imports a verb when it is called, and turns errors into exit codes."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the route."""
        return list(VERBS)

    @override
    def get_command(
        self,
        ctx: click.Context,
        cmd_name: str,
    ) -> click.Command | None:
        """Return one verb, imported now."""
        found = VERBS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = importlib.import_module(f"replay.cli.{found[0]}").command
        return command

    @override
    def format_commands(
        self,
        ctx: click.Context,
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of verbs without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; name the nearest ones when there is none of that name."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, VERBS, n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"no command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; click would end a broken pipe with 1, which here is a finding."""
        try:
            ended = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # whoever read our output has gone: nobody is left to tell, and the interpreter would
            # complain once more while it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(exits.READER_GONE)
        return ended

    @override
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a verb; every way to end has one exit code (``docs/reference/exit-codes.md``)."""
        given = list(sys.argv[1:] if args is None else args)
        try:
            ended = super().main(
                given,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
            code = ended if isinstance(ended, int) else exits.FINE
        except BaseException as error:  # noqa: BLE001 - the one place where errors become codes
            code = _ended_by(error, given)
        if standalone_mode:
            sys.exit(code)
        return code


def _ended_by(error: BaseException, given: list[str]) -> int:
    """Say what went wrong on standard error and return the exit code."""
    from ledger.errors import RollforwardError

    as_json = "--json" in given
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else exits.USAGE
    if _wants_traceback(given):
        _print_traceback(error)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        click.echo("interrupted", err=True)
        return exits.INTERRUPTED
    if isinstance(error, click.ClickException):
        if as_json:
            _say_json("Usage", error.format_message(), {}, error.exit_code)
        else:
            error.show()
        return exits.USAGE
    if isinstance(error, RollforwardError):
        code = exits.of(error)
        if as_json:
            _say_json(type(error).__name__, str(error), _subjects(error), code)
        else:
            click.echo(f"Error: {error}", err=True)
        return code
    if isinstance(error, OSError):
        message = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        if as_json:
            _say_json(type(error).__name__, message, {}, exits.STORAGE)
        else:
            click.echo(f"Error: {message}", err=True)
        return exits.STORAGE
    if not _wants_traceback(given):
        _print_traceback(error)
    click.echo("this is a mistake in rollforward, not in what you gave it", err=True)
    return exits.MISTAKE


def _print_traceback(error: BaseException) -> None:
    import traceback

    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)


def _wants_traceback(given: list[str]) -> bool:
    return "--debug" in given or bool(os.environ.get("ROLLFORWARD_DEBUG"))


def _subjects(error: RollforwardError) -> dict[str, object]:
    return {
        name: value if isinstance(value, (int, type(None))) else str(value)
        for name, value in vars(error).items()
    }


def _say_json(kind: str, message: str, subjects: dict[str, object], code: int) -> None:
    told = {"error": {"kind": kind, "message": message, "exit": code, **subjects}}
    click.echo(json.dumps(told, ensure_ascii=False), err=True)


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if not wanted or ctx.resilient_parsing:
        return
    import platform
    import sqlite3

    click.echo(
        f"rollforward {__version__} "
        f"(Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"
    )
    ctx.exit()


@click.group(
    cls=Verbs,
    name="rollforward",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "ROLLFORWARD",
    },
    epilog="""\b
Examples:
  rollforward import answers/ exports/trades.csv --account 0x31ca… --zone Europe/Paris
  rollforward show 0x31ca… --at 2026-02-10T13:00Z
  rollforward check
  rollforward explain 0x31ca… "balance spot USDC" --at 2026-02-10T13:00Z
  rollforward verify

Exit codes: 0 fine, 1 finding, 2 usage, 3 incomplete, 4 input refused, 5 storage, 130 interrupted.
""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the versions of rollforward, Python and SQLite.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def app(debug: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Replay an account's recorded history to any instant, and show where each figure is from."""
    del debug  # read where errors become exit codes, before there is a context
