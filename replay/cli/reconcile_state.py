"""``reconcile state``: an account's observed states against what its history leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    cache_option,
    examples,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
    the_account,
)
from replay.cli.reconcile_pool import pace_of, pace_options
from replay.cli.recording import needs_name, parsed, period_options, record_options, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from replay.audit import AccountHistory
    from replay.reconcile.identities import IdentityReport
    from replay.reconcile.state import StateReport


@click.command(
    name="state",
    epilog=examples(
        "rollforward reconcile state 0x31ca…",
        "rollforward reconcile state 0x31ca… --since 2026-08-01T00:00Z --all",
        "rollforward reconcile state 0x31ca… --identities",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@takes(period_options)
@click.option("--all", "every", is_flag=True, help="Look at every state instead of bisecting.")
@click.option(
    "--identities",
    is_flag=True,
    help="Hold the figures of every state against each other instead; needs no history.",
)
@click.option(
    "--list",
    "listed",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="COUNT",
    help="How many events between two states to list.",
)
@takes(pace_options, record_options, book_option, cache_option, json_option)
def command(
    account: str | None, since: str | None, until: str | None, known_at: str | None, *,
    every: bool, identities: bool, listed: int, pace: str | None, step: str | None,
    record: bool, by: str | None,
    book: Path | None, cache: bool, as_json: bool,
) -> int:  # fmt: skip
    """Hold the venue's own states of an account against what its history leads to.

    The first state that differs is found by bisection, and the events since the last one that
    agrees are listed. With --since, what differs already is taken as given. Ends with 1 when
    anything differs, with 3 when something stays unknown.
    """
    needs_name(record=record, by=by)
    with open_audit(book, cache=cache) as audit:
        history = audit.account(the_account(audit, account))
        position = audit.position(known_at)
        if identities:
            from replay.reconcile.identities import reconcile_identities

            if record or every:
                message = "--identities goes with neither --record nor --all"
                raise click.UsageError(message)
            held = reconcile_identities(
                history, since=parsed(since), until=parsed(until), position=position
            )
            return _identities(held, as_json=as_json)
        from replay.reconcile.state import reconcile_state

        report = reconcile_state(
            history, since=parsed(since), until=parsed(until), position=position,
            how="all" if every else "bisection", listed_max=listed, pace=pace_of(pace, step),
        )  # fmt: skip
        _show(history, report, as_json=as_json)
    if record and by:
        _record(book, report, by, {"how": report.how, "pace": pace or "", "step": step or ""})
    if report.breaks:
        return exits.FINDING
    return exits.FINE if report.is_known and report.is_monotone else exits.INCOMPLETE


def _show(history: AccountHistory, report: StateReport, *, as_json: bool) -> None:
    from replay.reconcile.state_report import heading, tables, to_dict

    position = report.position
    # Without a state a period that was not asked for is the whole history's; of one that has
    # a begin and no end nothing can be told.
    is_dated = bool(report.courses) or report.since < report.until
    since, until = (report.since, report.until) if is_dated else (None, None)
    is_open = not is_dated and report.since > report.until
    if as_json:
        from replay.coverage import foot

        feet = () if is_open else foot(history, since=since, until=until, position=position)
        put_json({**to_dict(report), "coverage": list(feet)})
        return
    from replay.cli.coverage import put_foot

    tell(heading(report))
    put_tables(tables(report))
    if not is_open:
        put_foot(history, since=since, until=until, position=position)


def _identities(held: IdentityReport, *, as_json: bool) -> int:
    from replay.reconcile.identities import heading, tables, to_dict

    if as_json:
        put_json(to_dict(held))
    else:
        tell(heading(held))
        put_tables(tables(held))
    if held.is_clean:
        is_known = bool(held.states) and not held.count("unknown")
        return exits.FINE if is_known else exits.INCOMPLETE
    return exits.FINDING


def _record(book: Path | None, report: StateReport, by: str, said: dict[str, str]) -> None:
    recorded(
        book,
        report.breaks,
        desk="state",
        account=report.account,
        since=min([report.since, *(each.at for each in report.breaks)]),
        until=report.until,
        parameters=said,
        position=report.position,
        by=by,
    )
