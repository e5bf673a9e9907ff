"""``statement``: one period of an account or group: opening, activity, closing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from replay.cli import exits
from replay.cli.common import (
    Written,
    book_option,
    cache_option,
    examples,
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
    from replay.statement import Statement

FORMATS: Final = ("table", "csv", "json", "xlsx", "html", "pdf", "beancount", "hledger")
BINARY: Final = frozenset({"xlsx", "pdf"})
ENDINGS: Final = {
    ".csv": "csv", ".json": "json", ".xlsx": "xlsx", ".html": "html", ".pdf": "pdf",
    ".beancount": "beancount", ".journal": "hledger", ".txt": "table",
}  # fmt: skip


@click.command(
    name="statement",
    epilog=examples(
        "rollforward statement 0x31ca… --month 2026-08",
        "rollforward statement 0x31ca… --month 2026-08 --out august.xlsx",
        "rollforward statement fund --month 2026-08 --format html --out august.html",
        "rollforward statement 0x31ca… --month 2026-08 --out august.beancount",
    ),
)
@click.argument("subject", required=False, metavar="[ACCOUNT|GROUP]")
@click.option("--month", metavar="YYYY-MM", help="A month of UTC.")
@click.option("--since", metavar="WHEN", help="Instead of a month: first moment, with its zone.")
@click.option("--until", metavar="WHEN", help="Instead of a month: last moment, with its zone.")
@click.option("--token", metavar="SYMBOL", help="Only this token or position, such as BTC-PERP.")
@click.option(
    "--money", metavar="SYMBOL", default="USDC", show_default=True, help="Token to value in."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="FORMAT",
    help=f"{', '.join(FORMATS)} [default: by the ending of --out, else table].",
)
@click.option(
    "--out",
    type=Written(),
    metavar="FILE",
    help="Write here instead of to standard output.",
)
@click.option(
    "--known-at",
    metavar="WHEN",
    help="As the book knew it then: a position, or a moment of recording [default: now].",
)
@takes(book_option, cache_option)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    subject: str | None, month: str | None, since: str | None, until: str | None,
    token: str | None, money: str, form: str | None, out: Path | None, known_at: str | None,
    book: Path | None, *, cache: bool, as_json: bool,
) -> int:  # fmt: skip
    """Roll one period forward: opening, activity by cause, closing, in quantities and in money.

    Both sum to the last digit. Ends with 1 when two truths differ (something is unexplained, a
    transfer has one side, a state the venue showed differs), with 3 when a figure is unknown.
    """
    form = "json" if as_json else form or _by_ending(out)
    if form in BINARY and out is None:
        message = f"{form} is no text: name a file with --out"
        raise click.UsageError(message)
    with open_audit(book, cache=cache) as audit:
        from ledger.units import Asset
        from replay.periods import period
        from replay.statement import question, statement

        of = question(
            audit,
            _subject(audit, subject),
            period(month, since, until),
            position=audit.position(known_at),
            money=Asset(money),
            token=None if token is None else Asset(token),
        )
        made = statement(audit, of, entries=form != "table")
    _put(made, form, out)
    if made.findings:
        return exits.FINDING
    return exits.FINE if made.is_complete else exits.INCOMPLETE


def _by_ending(out: Path | None) -> str:
    if out is None or not out.suffix:
        return "table"
    form = ENDINGS.get(out.suffix.lower())
    if form is None:
        message = (
            f"'{out.name}' has an ending of no format. Name the format with --format, "
            f"or end the file in {', '.join(ENDINGS)}"
        )
        raise click.UsageError(message)
    return form


def _subject(audit: Audit, given: str | None) -> str:
    """Return the account or group meant; an address may be cut short."""
    if given is None or given.lower().startswith("0x"):
        return the_account(audit, given)
    return given


def _put(made: Statement, form: str, out: Path | None) -> None:
    if form == "table" and out is None:
        _put_tables(made)
        return
    if form == "json" and out is None:
        from replay.papers.data import document

        put_json(document(made))
        return
    body = _body(made, form)
    if out is None:
        sys.stdout.write(body.decode())
        return
    out.write_bytes(body)
    tell(f"wrote {out}")


def _put_tables(made: Statement) -> None:
    from replay.papers import words
    from replay.papers.sheets import tables

    tell(words.heading(made))
    put_tables(tables(made))


def _body(made: Statement, form: str) -> bytes:
    """Return a paper as bytes; what it is written with is imported here."""
    if form == "xlsx":
        from io import BytesIO

        from replay.papers import workbook

        target = BytesIO()
        workbook.write(made, target)
        return target.getvalue()
    if form == "pdf":
        from replay.papers import pdf

        return pdf.write(made)
    return _text(made, form).encode()


def _text(made: Statement, form: str) -> str:
    import json

    from replay.papers import beancount, data, hledger, page, words
    from replay.papers.sheets import tables

    match form:
        case "csv":
            return data.csv_text(made)
        case "json":
            return json.dumps(data.document(made), ensure_ascii=False, indent=2) + "\n"
        case "html":
            return page.page(made)
        case "beancount":
            return beancount.text(made)
        case "hledger":
            return hledger.text(made)
        case _:
            return "\n\n".join([words.heading(made), *map(str, tables(made))]) + "\n"
