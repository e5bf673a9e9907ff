"""What verbs share: their common options, finding the book, and writing to the terminal."""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ledger.units import Address, Millis
    from replay.audit import Audit
    from replay.tables import Table

F = TypeVar("F", bound="Callable[..., Any]")

WIDE: Final = 10_000
"""Width of a table that goes into a file or a pipe: nothing is folded there."""


class Written(click.Path):
    """A file that is going to be written, in a folder that is there."""

    def __init__(self, *, allow_dash: bool = False) -> None:
        """Take ``-`` for standard output, too, with *allow_dash*."""
        super().__init__(dir_okay=False, allow_dash=allow_dash, path_type=Path)

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, before anything is worked out that could not be kept.

        Raises: NotFound, when its folder is not there.
        """
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            from ledger.errors import NotFound

            remedy = "Make it first, or name another"
            raise NotFound(what="folder", where="", name=str(path.parent), remedy=remedy)
        return path


def book_option(verb: F) -> F:
    """Add ``--book``, the same in every verb."""
    return click.option(
        "--book",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="ROLLFORWARD_BOOK",
        metavar="FILE",
        help="The book [default: $ROLLFORWARD_BOOK, else the only *.book in this folder].",
    )(verb)


def json_option(verb: F) -> F:
    """Add ``--json``, the same in every verb."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Write JSON; amounts are text, never floats."
    )(verb)


def cache_option(verb: F) -> F:
    """Add ``--no-cache``: fold from nothing."""
    return click.option(
        "--no-cache",
        "cache",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Fold from nothing; neither read nor write remembered states.",
    )(verb)


def instant_options(verb: F) -> F:
    """Add ``--at`` and ``--known-at``, the two axes of time."""
    known = click.option(
        "--known-at",
        metavar="WHEN",
        help="As the book knew it then: a position, or a moment of recording [default: now].",
    )
    at = click.option(
        "--at",
        metavar="WHEN",
        help="Instant in venue time, with its zone (2026-02-10T13:00Z) or in milliseconds "
        "[default: the last event].",
    )
    return at(known(verb))


def account_at_instant(verb: F) -> F:
    """Add an account, an instant on both axes, the book, and ``--no-cache`` and ``--json``."""
    account = click.argument("account", required=False, metavar="[ACCOUNT]")
    return account(takes(instant_options, book_option, cache_option, json_option)(verb))


def rules_options(verb: F) -> F:
    """Add ``--readings``, ``--rulebook`` and ``--complete``: by what margin is judged."""
    readings = click.option(
        "--readings",
        metavar="ID,…",
        help="Take open texts so: offset:always, debt:gross, isolated:inside, …",
    )
    rulebook = click.option(
        "--rulebook", metavar="ID", help="Judge under this rulebook, whatever held then."
    )
    complete = click.option(
        "--complete",
        is_flag=True,
        help="The history begins with the account: nothing was there before.",
    )
    return readings(rulebook(complete(verb)))


def as_option(verb: F) -> F:
    """Add ``--as``: under which name somebody acts."""
    return click.option(
        "--as",
        "by",
        required=True,
        envvar="ROLLFORWARD_AS",
        metavar="NAME",
        help="Who acts [default: $ROLLFORWARD_AS].",
    )(verb)


def examples(*lines: str) -> str:
    """Return the examples of a verb for the end of its help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def find_book(given: Path | None) -> Path:
    """Return the book meant: the one given, else the only ``*.book`` of the working folder.

    Raises: NotFound, when there is none, or several and none was named.
    """
    from ledger.errors import NotFound

    if given is not None:
        if not given.is_file():
            raise NotFound(
                what="book",
                where="",
                name=str(given),
                remedy="Name the book with --book FILE, or make one with: rollforward import PATH",
            )
        return given
    found = sorted(Path().glob("*.book"))
    if len(found) == 1:
        return found[0]
    message = (
        f"which book? This folder has {', '.join(str(path) for path in found)}. "
        f"Name one with --book FILE or ROLLFORWARD_BOOK"
    )
    if not found:
        message = (
            "no book: there is no *.book in this folder. Name one with --book FILE or "
            "ROLLFORWARD_BOOK, or make one with: rollforward import PATH"
        )
    raise click.UsageError(message)


def open_audit(given: Path | None, *, cache: bool = True) -> Audit:
    """Return the book meant, open for questions."""
    import replay

    return replay.open(find_book(given), cache=cache)


def the_account(audit: Audit, given: str | None) -> Address:
    """Return the account meant: the one given (or its unmistakable beginning), else the only one.

    Raises: NotFound, when the book has no such account; UnclearQuestion, when several fit.
    """
    from ledger.errors import NotFound, UnclearQuestion

    accounts = audit.accounts()
    fitting = [name for name in accounts if given is None or name.startswith(given.lower())]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(accounts) or "none; import something first"
    if not fitting:
        raise NotFound(what="account", name=given or "at all", remedy=f"Accounts in it: {known}")
    if given is None:
        message = f"which account? This book has {known}"
        raise click.UsageError(message)
    raise UnclearQuestion(
        asked=given,
        problem=f"fits {len(fitting)} accounts",
        remedy=f"Name one of: {', '.join(fitting)}",
    )


def now_ms() -> Millis:
    """Return the time of recording: the one place where the clock is read."""
    import time

    from ledger.units import Millis

    return Millis(time.time_ns() // 1_000_000)


def put_json(value: object) -> None:
    """Write one JSON document to standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def put_tables(tables: Iterable[Table]) -> None:
    """Write tables to standard output: colored on a terminal, plain and unfolded in a pipe."""
    console = console_for(sys.stdout)
    first = True
    for table in tables:
        if not first:
            console.print()
        first = False
        _put_table(console, table)


def console_for(stream: Any) -> Any:  # noqa: ANN401 - rich is not imported at the head of a verb
    """Return a rich console on *stream* that never folds what goes into a file."""
    from rich.console import Console

    class Piped(Console):
        @override
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704 - called while the error is handled; rich would end with 1

    is_terminal = stream.isatty()
    asked = os.environ.get("COLUMNS", "")
    width = None if is_terminal else WIDE
    return Piped(
        file=stream,
        width=int(asked) if asked.isdigit() and int(asked) > 0 else width,
        highlight=False,
        soft_wrap=False,
        emoji=False,
        markup=False,
    )


def _put_table(console: Any, table: Table) -> None:  # noqa: ANN401 - as above
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    console.print(Text(table.title, style="bold"))
    if not table.rows:
        console.print(Text(f"  ({table.empty})", style="dim"))
    else:
        shown = RichTable(
            box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2,
            show_edge=False,
            pad_edge=False,
            header_style="bold",
        )
        for name, head in zip(table.columns, table.heads, strict=True):
            right = name in table.numbers
            shown.add_column(head, justify="right" if right else "left", overflow="fold")
        for row in table.rows:
            shown.add_row(*[Text(cell or "") for cell in row])
        console.print(shown)
    for note in table.notes:
        console.print(Text(f"note: {note}", style="dim"))


def tell(message: str) -> None:
    """Write a line to standard error: everything that is not data goes there."""
    click.echo(message, err=True)


def takes(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Put several shared options on a verb at once, first to last."""

    def put(verb: F) -> F:
        return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), verb)

    return put


def as_rows(tables: Sequence[Table]) -> dict[str, object]:
    """Return tables as JSON: their rows by title, and their notes."""
    return {table.title: {"rows": table.to_dicts(), "notes": list(table.notes)} for table in tables}
