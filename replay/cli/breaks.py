"""``breaks``: the list of what differs, the story of one, and the acts on it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from replay.cli import exits
from replay.cli.common import (
    as_option,
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
    the_account,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.book import Book
    from ledger.units import Millis
    from projections.desk import Case, Desk
    from projections.findings import Finding
    from replay.audit import Audit

F = TypeVar("F", bound="Callable[..., Any]")

STATUSES: Final = ("open", "assigned", "carried", "explained", "approved", "closed")
DESKS: Final = ("interest", "state", "pool")


def _times(verb: F) -> F:
    """Add ``--at`` and ``--known-at`` as a desk reads them."""
    known = click.option(
        "--known-at",
        metavar="WHEN",
        help="As the book knew it then: a position, or a moment of recording [default: now].",
    )
    at = click.option(
        "--at",
        metavar="WHEN",
        help="What had been done, and how old breaks were, at this moment "
        "[default: everything, and their age at --known-at, else now].",
    )
    return at(known(verb))


def _pins(verb: F) -> F:
    """Add ``--pin`` and ``--pins``: which public keys are whose."""
    file = click.option(
        "--pins",
        "pins_file",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="ROLLFORWARD_PINS",
        metavar="FILE",
        help="Lines NAME=KEY: whose key is which [default: $ROLLFORWARD_PINS].",
    )
    one = click.option("--pin", "pins", multiple=True, metavar="NAME=KEY", help="One such line.")
    return one(file(verb))


def _because(*, required: bool) -> Callable[[F], F]:
    return click.option(
        "--because", default="", required=required, metavar="TEXT", help="Why; kept for ever."
    )


@click.group(
    name="breaks",
    invoke_without_command=True,
    epilog=examples(
        "rollforward breaks",
        "rollforward breaks --older 30 --owner ana",
        "rollforward breaks --status closed --known-at 2026-09-01T00:00Z",
        "rollforward breaks --gone --json",
    ),
)
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(STATUSES), metavar="STATUS",
    help="Only these: " + ", ".join(STATUSES) + " [default: all but closed].",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Closed ones, too.")
@click.option("--owner", metavar="NAME", help="Only what this person has; '' for nobody's.")
@click.option("--desk", type=click.Choice(DESKS), help="Only from this reconciliation.")
@click.option("--account", metavar="0x…", help="Only of this account.")
@click.option("--older", type=click.IntRange(0), metavar="DAYS", help="Only from this age on.")
@click.option("--gone", is_flag=True, help="Only what the last run no longer found.")
@click.option("--runs", "with_runs", is_flag=True, help="List the recorded reconciliations, too.")
@click.option("--csv", "as_csv", is_flag=True, help="Write the list as CSV.")
@takes(_times, _pins, book_option, json_option)
@click.pass_context
def command(
    ctx: click.Context, *, statuses: tuple[str, ...], everything: bool, owner: str | None,
    desk: str | None, account: str | None, older: int | None, gone: bool, with_runs: bool,
    as_csv: bool, at: str | None, known_at: str | None, pins: tuple[str, ...],
    pins_file: Path | None, book: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """List what reconciliations found to differ, how old it is, and who is to explain it.

    Without a further word this lists; what can be done to a break is below. Ends with 1 when
    somebody recorded an act that has no effect, or a signature is wrong.
    """
    if ctx.invoked_subcommand is not None:
        return
    from replay import desk_views, keys

    pinned = keys.pins(pins, pins_file)
    with open_audit(book) as audit:
        read, moment, position = _read(audit, at, known_at)
        wanted = desk_views.Wanted(
            statuses=frozenset(statuses) or (frozenset() if everything else desk_views.LIVE),
            owner=owner,
            desk=desk,
            account=None if account is None else the_account(audit, account),
            older=older,
            is_gone=gone,
        )
    cases = [case for case in read.cases if wanted.fits(case, moment)]
    found = desk_views.findings(cases, read, pinned)
    table = desk_views.listed(cases, moment, position=position, all_of=read)
    if as_json:
        put_json({
            "at": moment, "position": position,
            "breaks": [desk_views.as_dict(case, moment) for case in cases],
            "runs": desk_views.runs(read).to_dicts(), "findings": _dicts(found),
        })  # fmt: skip
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([table.columns, *[[cell or "" for cell in row] for row in table.rows]])
    else:
        runs = [desk_views.runs(read)] if with_runs else []
        put_tables([desk_views.narrow(table), desk_views.ages(cases, moment), *runs])
    _tell(found)
    ctx.exit(exits.FINDING if found else exits.FINE)


def _read(audit: Audit, at: str | None, known_at: str | None) -> tuple[Desk, Millis, int]:
    """Return the desk, the instant and the position that are asked for.

    Only an instant that somebody names cuts acts off: the clocks of those who did them may be
    ahead of ours.
    """
    from replay import desk as desks
    from replay.moments import parse_known, parse_moment

    position = audit.position(known_at)
    until = None if at is None else parse_moment(at)
    known = None if known_at is None else parse_known(known_at)[1]
    moment = next((each for each in (until, known) if each is not None), now_ms())
    return desks.read(audit.book, position=position, at=until), moment, position


def _dicts(found: tuple[Finding, ...]) -> list[dict[str, object]]:
    return [
        {"check": one.check, "severity": one.severity, "account": one.account, "at": one.at,
         "events": list(one.events), "text": one.text}
        for one in found
    ]  # fmt: skip


def _tell(found: tuple[Finding, ...]) -> None:
    for one in found:
        tell(f"{one.severity} {one.check}: {one.text}")


@command.command(
    name="show",
    epilog=examples(
        "rollforward breaks show B-1f2e3d4c5b6a",
        "rollforward breaks show B-1f2e --pin 'ben=ben+0a1b2c3d+AXk…'",
    ),
)
@click.argument("name", metavar="B-…")
@takes(_times, _pins, book_option, json_option)
@click.pass_context
def show(
    ctx: click.Context, *, name: str, at: str | None, known_at: str | None,
    pins: tuple[str, ...], pins_file: Path | None, book: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Show one break: its numbers, what fits it, the events it rests on, who did what when.

    B-… is the name of the break, or its beginning. Ends with 1 when an act on it has no effect, or
    the signature of an approval is wrong.
    """
    from replay import desk as desks
    from replay import desk_views, keys

    pinned = keys.pins(pins, pins_file)
    with open_audit(_book(ctx, book)) as audit:
        read, moment, position = _read(audit, at, known_at)
        case = desks.case_of(read, name)
        own = {act.id for act in case.acts}
        found = tuple(
            one for one in desk_views.findings([case], read, pinned) if own.intersection(one.events)
        )
        if as_json:
            put_json({
                "at": moment, "position": position, **desk_views.as_dict(case, moment),
                "history": desk_views.history_dicts(case, pinned), "findings": _dicts(found),
            })  # fmt: skip
        else:
            put_tables(desk_views.shown(audit, case, moment, pinned, position=position))
    _tell(found)
    ctx.exit(exits.FINDING if found else exits.FINE)


# ---------------------------------------------------------------------------------------- acts


def _book(ctx: click.Context, given: Path | None) -> Path | None:
    """Return the book of a verb of the group, or the one given before the verb."""
    before: Path | None = ctx.parent.params.get("book") if ctx.parent else None
    return given or before


def _act(
    ctx: click.Context, book: Path | None, as_json: bool, do: Callable[[Book, Millis], Case]  # noqa: FBT001 - passed on as click gave it
) -> None:  # fmt: skip
    """Do something to a break and say what it is now."""
    from ledger.book import Book
    from replay import desk_views

    now = now_ms()
    with Book.open(find_book(_book(ctx, book)), write=True) as written:
        case = do(written, now)
        position = written.position()
    if as_json:
        put_json({"position": position, **desk_views.as_dict(case, now)})
        return
    marks = desk_views.marks(case)
    click.echo(
        f"{case.found.identity} {case.found.subject}: {case.status}"
        + (f" ({marks})" if marks else "")
        + f"; next: {desk_views.next_step(case)}"
    )


@command.command(
    name="assign",
    epilog=examples("rollforward breaks assign B-1f2e --to ana --as ben"),
)
@click.argument("name", metavar="B-…")
@click.option("--to", required=True, metavar="NAME", help="Who is to explain it.")
@takes(_because(required=False), as_option, book_option, json_option)
@click.pass_context
def assign(
    ctx: click.Context, *, name: str, to: str, because: str, by: str, book: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Give a break to somebody to explain; whoever has it cannot approve it."""
    from replay import desk as desks

    _act(
        ctx,
        book,
        as_json,
        lambda held, now: desks.assign(held, name, to=to, because=because, by=by, now=now),
    )


@command.command(
    name="explain",
    epilog=examples(
        'rollforward breaks explain B-1f2e --as ana --because "paid with the next hour"'
    ),
)
@click.argument("name", metavar="B-…")
@takes(_because(required=True), as_option, book_option, json_option)
@click.pass_context
def explain(
    ctx: click.Context, *, name: str, because: str, by: str, book: Path | None, as_json: bool
) -> None:
    """Say what a break comes from; an approval given to an earlier explanation is void then."""
    from replay import desk as desks

    _act(
        ctx,
        book,
        as_json,
        lambda held, now: desks.explain(held, name, because=because, by=by, now=now),
    )


@command.command(
    name="approve",
    epilog=examples(
        "rollforward breaks approve B-1f2e --as ben",
        "rollforward breaks approve B-1f2e --as ben --key ben.key",
    ),
)
@click.argument("name", metavar="B-…")
@click.option(
    "--key", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Sign with this private key (needs the extra sign).",
)  # fmt: skip
@takes(_because(required=False), as_option, book_option, json_option)
@click.pass_context
def approve(
    ctx: click.Context, *, name: str, key: Path | None, because: str, by: str, book: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Approve the latest explanation of a break; nobody can approve what is his own."""
    from replay import desk as desks
    from replay import keys

    signer = None if key is None else keys.read_key(key)
    if key is not None and keys.is_open_to_others(key):
        tell(f"{key} can be read by others; make that impossible: chmod 600 {key}")
    _act(
        ctx,
        book,
        as_json,
        lambda held, now: desks.approve(held, name, because=because, by=by, now=now, key=signer),
    )


@command.command(
    name="close",
    epilog=examples(
        'rollforward breaks close B-1f2e --as ana --because "approved, nothing to claim"',
        'rollforward breaks close B-1f2e --as ana --force --because "below a cent, not pursued"',
    ),
)
@click.argument("name", metavar="B-…")
@click.option("--force", is_flag=True, help="Without an approval; shown for ever as such.")
@takes(_because(required=True), as_option, book_option, json_option)
@click.pass_context
def close(
    ctx: click.Context, *, name: str, force: bool, because: str, by: str, book: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Close a break whose explanation is approved, or which no run finds any more."""
    from replay import desk as desks

    _act(
        ctx,
        book,
        as_json,
        lambda held, now: desks.close(held, name, because=because, by=by, now=now, force=force),
    )


@command.command(
    name="carry",
    epilog=examples(
        'rollforward breaks carry B-1f2e --as ana --because "the venue was asked" '
        "--to 2026-09-30T00:00Z"
    ),
)
@click.argument("name", metavar="B-…")
@click.option("--to", metavar="WHEN", help="When it is to be looked at again.")
@takes(_because(required=True), as_option, book_option, json_option)
@click.pass_context
def carry(
    ctx: click.Context, *, name: str, to: str | None, because: str, by: str, book: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Carry a break forward unexplained, with a reason; it ages on and stays live."""
    from replay import desk as desks
    from replay.moments import parse_moment

    until = None if to is None else parse_moment(to)
    _act(
        ctx,
        book,
        as_json,
        lambda held, now: desks.carry(held, name, because=because, by=by, now=now, to=until),
    )
