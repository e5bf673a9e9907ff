"""``margin``: requirement, ratio, room and verdict of an account, at an instant or through time."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    Written,
    account_at_instant,
    examples,
    open_audit,
    put_json,
    put_tables,
    rules_options,
    tell,
    the_account,
)

if TYPE_CHECKING:
    from pathlib import Path

    from replay.margin import Assembler, MarginAt, Question
    from replay.margin_timeline import Timeline

MODES = ("default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction")


@click.command(
    name="margin",
    epilog=examples(
        "rollforward margin 0x31ca… --at 2026-08-05T14:39Z",
        "rollforward margin 0x31ca… --at 2026-08-05T14:39Z --explain --stale 2m",
        "rollforward margin 0x31ca… --at 2026-08-15T00:00Z --readings offset:always",
        "rollforward margin 0x31ca… --from 2026-08-03T12:01Z --to 2026-08-05T18:00Z --every price",
        "rollforward margin 0x31ca… --from 2026-08-03T12:01Z --to 2026-08-05T18:00Z --chart m.svg",
    ),
)
@account_at_instant
@click.option(
    "--explain",
    "explained",
    is_flag=True,
    help="Show inputs with source and age, and every formula with its numbers.",
)
@rules_options
@click.option(
    "--mode",
    type=click.Choice(MODES),
    metavar="MODE",
    help="Judge in this mode, whatever is recorded: " + ", ".join(MODES) + ".",
)
@click.option(
    "--stale",
    metavar="AGE",
    default="1h",
    show_default=True,
    help="Say so of every price older than this, such as 15m.",
)
@click.option("--from", "since", metavar="WHEN", help="Through time: first instant.")
@click.option("--to", "until", metavar="WHEN", help="Through time: last instant.")
@click.option(
    "--every",
    metavar="STEP",
    default="1h",
    show_default=True,
    help="Through time: a length such as 15m, or event, or price.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Through time: write CSV.")
@click.option(
    "--chart",
    type=Written(),
    metavar="FILE",
    help="Through time: draw FILE.svg or FILE.png (needs the extra chart).",
)
@click.option(
    "--width",
    type=int,
    default=1280,
    show_default=True,
    metavar="PIXELS",
    help="Width of the chart.",
)
def command(
    account: str | None, at: str | None, known_at: str | None, book: Path | None, *,
    cache: bool, as_json: bool, explained: bool, readings: str | None, rulebook: str | None,
    mode: str | None, complete: bool, stale: str, since: str | None, until: str | None,
    every: str, as_csv: bool, chart: Path | None, width: int,
) -> int:  # fmt: skip
    """Show margin of an account at an instant, or from one instant to another.

    Every figure names its rule; what is missing is unknown by its name. Where the venue's own
    state of that very moment is recorded, it stands beside ours.

    Ends with 1 when that state differs or the rulebooks that may hold come to different verdicts,
    with 3 when a verdict is unknown.
    """
    through = since is not None or until is not None
    if not through and (as_csv or chart is not None):
        message = "--csv and --chart are for a time: give --from and --to"
        raise click.UsageError(message)
    if through and (since is None or until is None or at is not None or explained):
        message = "through time both --from and --to are needed, and neither --at nor --explain"
        raise click.UsageError(message)
    question = asked(readings=readings, rulebook=rulebook, mode=mode, complete=complete,
                     stale=stale)  # fmt: skip
    with open_audit(book, cache=cache) as audit:
        from replay.margin import Assembler

        history = audit.account(the_account(audit, account))
        of = Assembler(history, audit.position(known_at), question)
        if since is not None and until is not None:
            return _through(of, since, until, every, as_json=as_json, as_csv=as_csv, chart=chart,
                            width=width)  # fmt: skip
        return _instant(of, at, as_json=as_json, explained=explained)


def asked(
    *,
    readings: str | None,
    rulebook: str | None,
    mode: str | None,
    complete: bool,
    stale: str,
) -> Question:
    """Return how margin is asked for, from what was written on the command line."""
    from replay.margin import MODES as KNOWN
    from replay.margin import Question
    from replay.margin_timeline import length

    taken = tuple(each.strip() for each in (readings or "").split(",") if each.strip())
    return Question(
        readings=taken,
        rulebook=rulebook,
        mode=next((each for each in KNOWN if each == mode), None),
        is_complete=complete,
        stale_ms=length(stale),
    )


def _instant(of: Assembler, at: str | None, *, as_json: bool, explained: bool) -> int:
    from replay import margin_report as report
    from replay.margin import last_moment
    from replay.moments import parse_moment

    when = last_moment(of) if at is None else parse_moment(at)
    found = of.at(when, workings=True)
    if as_json:
        put_json(report.as_dict(found, explained=explained))
        return _code(found)
    tell(report.heading(found))
    put_tables(report.tables(found))
    if explained:
        click.echo()
        put_tables(report.explanation(found))
        for judgement in found.margin.judgements:
            click.echo()
            click.echo("\n".join(report.workings(judgement)))
            click.echo()
            put_tables([report.readings_table(judgement)])
    return _code(found)


def _code(found: MarginAt) -> int:
    """Return how the command ends: two truths differ, or a verdict is unknown, or all is fine."""
    if found.findings or not found.margin.agrees:
        return exits.FINDING
    return exits.FINE if found.is_known else exits.INCOMPLETE


def _through(
    of: Assembler, since: str, until: str, every: str, *,
    as_json: bool, as_csv: bool, chart: Path | None, width: int,
) -> int:  # fmt: skip
    from replay.cli.coverage import put_foot
    from replay.coverage import foot
    from replay.margin_timeline import timeline
    from replay.moments import parse_moment

    first, last = parse_moment(since), parse_moment(until)
    found = timeline(of, first, last, every)
    if chart is not None:
        from replay.chart import draw

        draw(found, chart, width=width)
        tell(f"drew {chart}")
    if as_json:
        told = foot(of.history, since=first, until=last, position=of.position)
        put_json({**found.to_dict(), "coverage": told})
    elif as_csv:
        table = found.table()
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([table.columns, *table.rows])
    else:
        _put_timeline(found)
        put_foot(of.history, since=first, until=last, position=of.position)
    if any(each.differ for each in found.points):
        return exits.FINDING
    return exits.INCOMPLETE if any(each.missing for each in found.points) else exits.FINE


def _put_timeline(found: Timeline) -> None:
    from replay.margin_timeline import sparkline

    put_tables([found.for_people(), found.movers_table()])
    ratios = [each.ratio for each in found.points]
    line = sparkline(ratios)
    if line and sys.stdout.isatty():
        click.echo(f"\nratio  {line}")
