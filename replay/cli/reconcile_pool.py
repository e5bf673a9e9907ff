"""``reconcile pool``: recorded states of a reserve against its laws, and a supplier's share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

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
from replay.cli.recording import needs_name, parsed, period_options, record_options, recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal
    from pathlib import Path

    from projections.pool_bounds import Pace
    from replay.audit import Audit
    from replay.reconcile.pool import PoolReport
    from replay.reconcile.supply import Supply


F = TypeVar("F", bound="Callable[..., Any]")


def pace_options(verb: F) -> F:
    """Add ``--pace`` and ``--step``: how fast utilization is assumed to change."""
    pace = click.option(
        "--pace",
        metavar="SHARE",
        help="Assume that utilization changes by at most this per hour, such as 0.01.",
    )
    step = click.option(
        "--step",
        metavar="SHARE",
        help="Assume with --pace that it changes by at most this at once [default: 0].",
    )
    return pace(step(verb))


@click.command(
    name="pool",
    epilog=examples(
        "rollforward reconcile pool USDC",
        "rollforward reconcile pool USDH --supplier 0xfc8b… --pace 0.01",
        "rollforward reconcile pool USDC --amount 1000000 --since 2026-08-01T00:00Z "
        "--until 2026-09-01T00:00Z",
    ),
)
@click.argument("token", metavar="TOKEN")
@takes(period_options)
@click.option("--supplier", metavar="ACCOUNT", help="Bound what this account's supply earned.")
@click.option("--amount", metavar="AMOUNT", help="Bound what so much, supplied, earned.")
@click.option("--all", "every", is_flag=True, help="Show every figure of every state.")
@takes(pace_options, record_options, book_option, cache_option, json_option)
def command(
    token: str, since: str | None, until: str | None, known_at: str | None,
    supplier: str | None, amount: str | None, pace: str | None, step: str | None, *,
    every: bool, record: bool, by: str | None, book: Path | None, cache: bool, as_json: bool,
) -> int:  # fmt: skip
    """Hold the recorded states of a lending reserve against its laws.

    Utilization and rates within each state; conservation and the protocol's share between two.
    With --supplier or --amount: what a supply earned, at least and at most, from public states
    alone; every bound names what it assumes. Ends with 1 when anything does not follow, with 3
    when something stays unknown.
    """
    needs_name(record=record, by=by)
    if supplier is not None and amount is not None:
        message = "--supplier and --amount are two ways to say whose share: give one"
        raise click.UsageError(message)
    with open_audit(book, cache=cache) as audit:
        from ledger.units import Asset
        from replay.reconcile.pool import reconcile_pool
        from replay.reconcile.pool_report import heading, tables, to_dict

        report = reconcile_pool(
            audit,
            Asset(token),
            since=parsed(since),
            until=parsed(until),
            position=audit.position(known_at),
            supply=_supply(audit, supplier, amount),
            pace=pace_of(pace, step),
        )
        if as_json:
            put_json({**to_dict(report), "coverage": list(_coverage(audit, report))})
        else:
            tell(heading(report))
            put_tables(tables(report, every=every))
            _put_coverage(audit, report)
    if record and by:
        _record(book, report, by)
    if report.breaks:
        return exits.FINDING
    return exits.FINE if report.is_known else exits.INCOMPLETE


def _supply(audit: Audit, supplier: str | None, amount: str | None) -> Supply | None:
    from replay.reconcile.supply import Supply

    if supplier is not None:
        return Supply(account=audit.account(the_account(audit, supplier)))
    return None if amount is None else Supply(amount=_number("--amount", amount))


def pace_of(hourly: str | None, step: str | None) -> Pace | None:
    """Return the pace asked for; None where none is. Raises: click.UsageError."""
    from projections.pool_bounds import Pace

    if hourly is None:
        if step is not None:
            message = "--step is for --pace"
            raise click.UsageError(message)
        return None
    at_once = _number("--step", step) if step is not None else _number("--step", "0")
    return Pace(hourly=_number("--pace", hourly), step=at_once)


def _number(option: str, text: str) -> Decimal:
    """Return an option's number; it is plain digits and not negative."""
    from ledger.errors import MalformedRecord
    from ledger.money import parse_decimal

    try:
        value = parse_decimal(text, field=option)
    except MalformedRecord as error:
        raise click.UsageError(str(error)) from error
    if value < 0:
        message = f"{option} {text} is negative; give a number of zero or more"
        raise click.UsageError(message)
    return value


def _coverage(audit: Audit, report: PoolReport) -> tuple[str, ...]:
    if report.supplier is None:
        return ()
    from replay.coverage import foot

    history = audit.account(report.supplier)
    return foot(history, since=report.since, until=report.until, position=report.position)


def _put_coverage(audit: Audit, report: PoolReport) -> None:
    if report.supplier is None:
        return
    from replay.cli.coverage import put_foot

    history = audit.account(report.supplier)
    put_foot(history, since=report.since, until=report.until, position=report.position)


def _record(book: Path | None, report: PoolReport, by: str) -> None:
    """Record the run of the reserve, and that of the supplier where one was asked for."""
    pace = report.pace
    said = {} if pace is None else {"pace": str(pace.hourly), "step": str(pace.step)}
    for account in dict.fromkeys((None, report.supplier)):
        subject = f"reserve {report.asset}"
        if account is not None:
            subject = f"{report.asset} supply, from public states"
        recorded(
            book,
            [each for each in report.breaks if each.account == account],
            desk="pool",
            account=account,
            since=report.since,
            until=report.until,
            subjects=(subject,),
            parameters=said,
            position=report.position,
            by=by,
        )
