"""``diff``: why the figures of an instant changed between two states of knowledge."""

from __future__ import annotations

import csv
import sys
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


@click.command(
    name="diff",
    epilog=examples(
        "rollforward diff 0x31ca… --as-of 2026-08-31T23:59:59.999Z --known-at 12..40",
        'rollforward diff 0x31ca… --known-at C-12ab34cd56ef.. "balance spot" "fee USDC"',
        "rollforward diff 0x31ca… --as-of 2026-08-31T12:00Z --known-at 12.. --margin",
        'rollforward diff 0x31ca… --known-at 40..40 --price-source mark..oracle "equity USDC"',
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.argument("figures", nargs=-1, metavar="[FIGURE]...")
@click.option(
    "--as-of",
    metavar="WHEN",
    help="Instant in venue time whose figures are explained [default: the end of the closed "
    "period, else the last event known at B].",
)
@click.option(
    "--known-at",
    metavar="A..B",
    required=True,
    help="The two states of knowledge: positions or moments of recording; A may be a closed "
    "report (C-…), an empty B is now.",
)
@click.option("--detail", is_flag=True, help="Take every event as a cause of its own.")
@click.option("--margin", is_flag=True, help="Explain requirement, ratio and thresholds too.")
@click.option("--rule-a", metavar="ID", help="With margin: judge A under this rulebook.")
@click.option("--rule-b", metavar="ID", help="With margin: judge B under this rulebook.")
@click.option(
    "--price-source",
    metavar="A..B",
    help="Count only prices of this measure for equity: mark, oracle, mid, last or reserve; "
    "two of them to explain what the source changes.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Write the causes as CSV.")
@takes(book_option, cache_option, json_option)
def command(
    account: str, figures: tuple[str, ...], as_of: str | None, known_at: str, *, detail: bool,
    margin: bool, rule_a: str | None, rule_b: str | None, price_source: str | None, as_csv: bool,
    book: Path | None, cache: bool, as_json: bool,
) -> int:  # fmt: skip
    """Explain why figures of an instant changed between two states of knowledge.

    A FIGURE is a name or its beginning: "balance spot USDC", "position HYPE", "fee", "equity",
    "margin"; without one, every figure that changed. The shares of all causes add up to the
    difference exactly; they are taken in the order of recording.

    Ends with 3 when a figure is unknown at either end.
    """
    with open_audit(book, cache=cache) as audit:
        from replay.cli.coverage import put_foot
        from replay.coverage import foot
        from replay.diff_report import causes_table, heading, tables

        history = audit.account(the_account(audit, account))
        found = history.diff(
            known_at, as_of, figures, detail=detail, margin=margin, rules=(rule_a, rule_b),
            price_source=price_source,
        )  # fmt: skip
        if as_json:
            asked = found.question
            feet = foot(history, since=None, until=asked.as_of, position=asked.last)
            put_json({**found.to_dict(), "coverage": list(feet)})
        elif as_csv:
            table = causes_table(found)
            csv.writer(sys.stdout, lineterminator="\n").writerows([table.columns, *table.rows])
        else:
            tell(heading(found))
            put_tables(tables(found))
            put_foot(history, since=None, until=found.question.as_of,
                     position=found.question.last)  # fmt: skip
    return exits.FINE if found.is_known else exits.INCOMPLETE
