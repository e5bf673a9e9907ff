"""``reconcile interest``: the payouts of a period against what follows by rule."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
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
from replay.cli.recording import needs_name, period_options, record_options

if TYPE_CHECKING:
    from decimal import Decimal

    from replay.audit import AccountHistory
    from replay.reconcile.interest import Asked, InterestReport


@click.command(
    name="interest",
    epilog=examples(
        "rollforward reconcile interest 0x31ca… --month 2026-08",
        "rollforward reconcile interest 0x31ca… --month 2026-08 --against statement.csv",
        "rollforward reconcile interest 0x31ca… --month 2026-08 --against statement.csv",
        "rollforward reconcile interest 0x31ca… --month 2026-08 --tolerance 0.000001 "
        "--total-tolerance 0.01 --lines",
        "rollforward reconcile interest 0x31ca… --month 2026-08 --as ada --record",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@click.option("--month", metavar="YYYY-MM", help="A month of UTC.")
@takes(period_options)
@click.option(
    "--against",
    default="venue",
    show_default=True,
    metavar="venue|FILE",
    help="The venue's recorded rows, or a statement: CSV with time, token, supply, borrow.",
)
@click.option("--token", "tokens", multiple=True, metavar="SYMBOL", help="Only this token.")
@click.option("--zone", metavar="NAME", help="Zone of times in the statement that name none.")
@click.option(
    "--tolerance",
    default="0.00000001",
    show_default=True,
    metavar="AMOUNT",
    help="Difference of one hour that is let pass, in the token.",
)
@click.option(
    "--total-tolerance",
    default="0.00001",
    show_default=True,
    metavar="AMOUNT",
    help="Sum of what is let pass, of one token and side.",
)
@click.option(
    "--hold", default="1h", show_default=True, metavar="AGE", help="How long a rate holds."
)
@click.option(
    "--late-after", default="10m", show_default=True, metavar="AGE", help="When a row is late."
)
@click.option(
    "--complete",
    is_flag=True,
    help="The history begins with the account: nothing was there before.",
)
@click.option("--lines", is_flag=True, help="Show every hour.")
@click.option("--csv", "as_csv", is_flag=True, help="Write every hour as CSV.")
@takes(record_options, book_option, cache_option, json_option)
def command(
    account: str | None, month: str | None, since: str | None, until: str | None,
    known_at: str | None, against: str, tokens: tuple[str, ...], zone: str | None,
    tolerance: str, total_tolerance: str, hold: str, late_after: str, *, complete: bool,
    lines: bool, as_csv: bool, record: bool, by: str | None, book: Path | None, cache: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Hold the interest paid in a period against what follows by rule, hour by hour.

    Each hour of each token and side is matched, within the tolerance, explained by one convention
    that holds for the whole period, a break of some class, or unknown. A break names the
    convention that would explain it, or undetermined with all that fit. Ends with 1 when there is
    a break, with 3 when something stays unknown.
    """
    needs_name(record=record, by=by)
    if zone is not None and against == "venue":
        message = "--zone is for a statement: name one with --against FILE"
        raise click.UsageError(message)
    with open_audit(book, cache=cache) as audit:
        import attrs

        from replay.periods import period
        from replay.reconcile.interest import reconcile_interest

        history = audit.account(the_account(audit, account))
        asked = _asked(tolerance, total_tolerance, hold, late_after, complete=complete)
        asked = _against(attrs.evolve(asked, tokens=tokens), against, zone)
        report = reconcile_interest(
            history, period(month, since, until), asked, position=audit.position(known_at)
        )
        _show(history, report, lines=lines, as_json=as_json, as_csv=as_csv)
        is_known = report.is_known and (bool(report.sides) or _is_covered(history, report))
    if record and by:
        _record(book, report, by)
    if report.breaks:
        return exits.FINDING
    return exits.FINE if is_known else exits.INCOMPLETE


def _is_covered(history: AccountHistory, report: InterestReport) -> bool:
    """Tell whether records cover the period: then nothing recorded means nothing due."""
    from replay.coverage import certificate

    found = certificate(
        history, since=report.since, until=report.until, position=report.position
    ).only("interest", "transfers")
    return not any(each.level in {"unknown", "missing"} for each in found.stretches)


def _asked(per_line: str, in_total: str, hold: str, late_after: str, *, complete: bool) -> Asked:
    from projections.interest import Tolerance
    from replay.margin_timeline import length
    from replay.reconcile.interest import Asked

    return Asked(
        tolerance=Tolerance(
            per_line=_amount(per_line, "--tolerance"),
            in_total=_amount(in_total, "--total-tolerance"),
            late_after=length(late_after),
        ),
        hold_ms=length(hold),
        is_complete=complete,
    )


def _amount(text: str, option: str) -> Decimal:
    from ledger.errors import MalformedRecord
    from ledger.money import parse_decimal

    try:
        found = parse_decimal(text, field=option)
    except MalformedRecord as error:
        raise click.UsageError(str(error)) from error
    if found < 0:
        message = f"{option}: a tolerance is not negative"
        raise click.UsageError(message)
    return found


def _against(asked: Asked, against: str, zone: str | None) -> Asked:
    if against == "venue":
        return asked
    from ledger.errors import NotFound
    from replay.reconcile.interest import statement_of

    path = Path(against)
    if not path.is_file():
        raise NotFound(
            what="statement", name=against, where="",
            remedy="Name a CSV file, or venue for the recorded rows",
        )  # fmt: skip
    return statement_of(path.name, path.read_bytes(), zone, asked)


def _show(
    history: AccountHistory, report: InterestReport, *, lines: bool, as_json: bool, as_csv: bool
) -> None:
    from replay.reconcile.interest_report import heading, lines_table, tables, to_dict

    since, until, position = report.since, report.until, report.position
    if as_json:
        from replay.coverage import foot

        feet = foot(history, since=since, until=until, position=position)
        put_json({**to_dict(report, lines=lines), "coverage": list(feet)})
        return
    if as_csv:
        table = lines_table(report)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([table.columns, *table.rows])
        return
    from replay.cli.coverage import put_foot

    tell(heading(report))
    put_tables(tables(report, lines=lines))
    put_foot(history, since=since, until=until, position=position)


def _record(book: Path | None, report: InterestReport, by: str) -> None:
    from replay.cli.recording import recorded

    recorded(
        book, report.breaks, desk="interest", account=report.account, since=report.since,
        until=report.until, subjects=report.subjects, parameters=report.asked.parameters,
        position=report.position, by=by,
    )  # fmt: skip
