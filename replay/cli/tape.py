"""``tape``: step through an account, forward and back, watch figures, find who wrote them last."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import book_option, examples, open_audit, takes, tell, the_account
from replay.cli.margin import MODES, asked

if TYPE_CHECKING:
    from pathlib import Path

    from replay.tape import Tape

COMMANDS = """\
n [COUNT]       next
p [COUNT]       back
g WHEN|PLACE    go to an instant or a place
w CONDITION     on to where it comes to hold: w pmr > 0.90
b CONDITION     back to where it came to hold
l FIGURE        back to the event that wrote it last: l balance spot USDC
f               all figures here
h               these commands
q               quit"""


@click.command(
    name="tape",
    epilog=examples(
        "rollforward tape 0x5ca1…",
        "rollforward tape 0x5ca1… --prices --watch 'pmr > 0.90'",
        "rollforward tape 0x5ca1… --at 2026-08-05T14:30Z --last-writer 'balance spot USDC'",
        "printf 'n 3\\np\\nq\\n' | rollforward tape 0x5ca1…",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@takes(book_option)
@click.option("--at", metavar="WHEN", help="Begin there [default: before everything].")
@click.option("--known-at", metavar="WHEN", help="As the book knew it then.")
@click.option("--prices", is_flag=True, help="Stop at recorded prices, too.")
@click.option("--watch", metavar="CONDITION", help="Go to where it first comes to hold, and end.")
@click.option("--last-writer", metavar="FIGURE", help="Go to what wrote it last, and end.")
@click.option("--mode", type=click.Choice(MODES), metavar="MODE", help="Judge in this mode.")
@click.option("--complete", is_flag=True, help="The history begins with the account.")
def command(
    account: str | None, book: Path | None, *, at: str | None, known_at: str | None, prices: bool,
    watch: str | None, last_writer: str | None, mode: str | None, complete: bool,
) -> int:  # fmt: skip
    """Step through an account. Reads one command a line: n, p, g, w, b, l, f, h, q.

    Ends with 1 when a condition asked for on the command line never comes to hold, or nothing
    wrote the figure; with 3 when the figure is unknown somewhere, so that it may have held there.
    """
    from replay.moments import parse_moment
    from replay.tape import Tape

    question = asked(readings=None, rulebook=None, mode=mode, complete=complete, stale="1h")
    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        tape = Tape(history, audit.position(known_at), question, with_prices=prices)
        if at is not None:
            tape.go_to(parse_moment(at))
        if watch is not None:
            return _found(tape, f"w {watch}")
        if last_writer is not None:
            if at is None:
                tape.go(len(tape.stops))
            return _found(tape, f"l {last_writer}")
        return _interactive(tape)


def _found(tape: Tape, line: str) -> int:
    is_found = _obey(tape, line)
    if is_found:
        _put(tape)
        return exits.FINE
    if tape.unseen:
        tell(f"never, as far as it is known: unknown at {tape.unseen} of {len(tape.stops)} places")
        return exits.INCOMPLETE
    tell("never")
    return exits.FINDING


def _put(tape: Tape) -> None:
    for line in tape.lines():
        click.echo(line)


def _interactive(tape: Tape) -> int:
    from ledger.errors import RollforwardError

    is_person = sys.stdin.isatty()
    _put(tape)
    while True:
        if is_person:
            click.echo("tape> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line or line.strip() == "q":
            return exits.FINE
        try:
            if _obey(tape, line.strip()):
                _put(tape)
        except RollforwardError as error:
            if not is_person:
                raise
            tell(f"Error: {error}")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _obey(tape: Tape, line: str) -> bool:
    """Obey one command; tell whether the tape should be shown."""
    from ledger.errors import UnclearQuestion
    from replay.moments import parse_moment
    from replay.tape import Watch

    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word in {"n", "", "p"}:
        if rest and not _is_count(rest):
            raise UnclearQuestion(asked=line, problem="names no count", remedy="Write it as n 3")
        count = int(rest) if rest else 1
        tape.step(-count if word == "p" else count)
    elif word == "g":
        if _is_count(rest):
            tape.go(int(rest))
        else:
            tape.go_to(parse_moment(rest))
    elif word in {"w", "b"}:
        if tape.run(Watch.parse(rest), back=word == "b") is None:
            return False
    elif word == "l":
        place = tape.last_writer(rest)
        if place is None:
            return False
        tape.go(place)
    elif word == "f":
        for name, value in tape.figures().items():
            click.echo(f"  {name}: {'unknown' if value is None else value}")
        return False
    elif word == "h":
        click.echo(COMMANDS)
        return False
    else:
        raise UnclearQuestion(asked=line, problem="is no command of the tape",
                              remedy="h lists them")  # fmt: skip
    return True
