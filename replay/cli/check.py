"""``check``: compare what was recorded with what follows from it."""

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

if TYPE_CHECKING:
    from pathlib import Path

    from replay.audit import Audit
    from replay.checking import CheckReport


@click.command(
    name="check",
    epilog=examples(
        "rollforward check",
        "rollforward check 0x31ca… --known-at 2026-03-01T00:00Z",
        "rollforward check --quiet && echo nothing disagrees",
        "rollforward check --json | jq '.findings[].text'",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@click.option(
    "--known-at",
    metavar="WHEN",
    help="As the book knew it then: a position, or a moment of recording [default: now].",
)
@click.option("-q", "--quiet", is_flag=True, help="Findings only, no summary, no notes.")
@takes(book_option, cache_option, json_option)
@click.pass_context
def command(
    ctx: click.Context, account: str | None, known_at: str | None, *, quiet: bool,
    book: Path | None, cache: bool, as_json: bool,
) -> None:  # fmt: skip
    """Run the named checks over an account, or over everything in the book.

    One line per finding: file and place, severity, check, sentence. Ends with 1 when anything
    disagrees; a note (a derived opening, an hour in which the venue published nothing) does not.
    """
    from replay.checking import check_account, check_book

    with open_audit(book, cache=cache) as audit:
        position = audit.position(known_at)
        if account is None:
            report = check_book(audit, position=position)
        else:
            report = check_account(audit.account(the_account(audit, account)), position=position)
        if as_json:
            put_json(_as_json(audit, report, position))
        else:
            _show(audit, report, position, quiet=quiet)
    ctx.exit(exits.FINE if report.is_clean else exits.FINDING)


def _show(audit: Audit, report: CheckReport, position: int, *, quiet: bool) -> None:
    from replay.checking import said
    from replay.cli.coverage import put_foot

    for finding in report.findings:
        if not (quiet and finding.severity == "note"):
            click.echo(said(audit, finding))
    if quiet:
        return
    if count := len(audit.quarantine()):
        tell(f"{count} rows are in quarantine and in no figure. See rollforward quarantine")
    if report.findings:
        click.echo()
    tables = [each.liquidations for each in report.checked if each.liquidations is not None]
    put_tables([report.table(), *tables])
    accounts = _accounts(report)
    for subject in accounts:
        if len(accounts) > 1:
            click.echo(f"\n{subject}", nl=False)
        put_foot(audit.account(subject), since=None, until=None, position=position)


def _accounts(report: CheckReport) -> list[str]:
    return [each.subject for each in report.checked if each.subject.startswith("0x")]


def _as_json(audit: Audit, report: CheckReport, position: int) -> dict[str, object]:
    from replay.checking import as_dict
    from replay.coverage import foot

    return {
        "clean": report.is_clean,
        "checks": [
            {
                "history": each.subject,
                "check": result.name,
                "agreed": result.agreed,
                "looked_at": result.looked_at,
                "unknown": result.unknown,
                "why_unknown": dict(result.why_unknown),
                "seen": dict(result.tally),
            }
            for each in report.checked
            for result in each.results
        ],
        "liquidations": {
            each.subject: each.liquidations.to_dicts()
            for each in report.checked
            if each.liquidations is not None
        },
        "coverage": {
            subject: foot(audit.account(subject), since=None, until=None, position=position)
            for subject in _accounts(report)
        },
        "findings": [as_dict(audit, finding) for finding in report.findings],
    }
