"""hledger: a statement as a journal that ``hledger check`` accepts, with balance assertions.

Days are UTC. hledger asserts a balance behind the transactions that stand before it on the same
day, so what the venue showed is asserted at its own moment.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replay.papers.journal import Assertion, Journal, journal
from replay.papers.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.units import Asset, Millis
    from replay.papers.journal import Transaction
    from replay.statement import Statement

_ROOTS = (
    ("Assets", "Asset"), ("Liabilities", "Liability"), ("Equity", "Equity"), ("Income", "Revenue"),
    ("Expenses", "Expense"),
)  # fmt: skip


def text(statement: Statement) -> str:
    """Return the statement as an hledger journal."""
    return "".join(f"{line}\n" for line in _lines(journal(statement)))


def _lines(made: Journal) -> Iterator[str]:
    names = dict(made.commodities)
    yield f"; {_plain(made.heading)}"
    yield from (f"; {_plain(remark)}" for remark in made.remarks)
    yield ""
    zeros = "0" * made.decimals
    for asset, name in made.commodities:
        yield f'commodity 1000.{zeros} "{name}"  ; name: {_plain(asset)}'
    yield ""
    yield from (f"account {root}  ; type: {kind}" for root, kind in _ROOTS)
    yield from (f"account {account}" for account in made.accounts)
    yield ""
    for at, asset, px in made.prices:
        day = _day(max(at, made.since))
        yield f'P {day} "{names[asset]}" {number(px)} "{names[made.money]}"'
    for step in made.steps:
        yield ""
        if isinstance(step, Assertion):
            yield from _assertion(made, step, names)
        else:
            yield from _transaction(made, step, names)


def _transaction(made: Journal, step: Transaction, names: dict[Asset, str]) -> Iterator[str]:
    yield f"{_day(step.at)} {'*' if step.is_certain else '!'} {_plain(step.what)}".rstrip()
    yield from (f"    ; {name}: {_plain(value)}" for name, value in step.facts)
    for account, amount, asset in step.legs:
        yield f'    {account}  {made.number(amount)} "{names[asset]}"'


def _assertion(made: Journal, step: Assertion, names: dict[Asset, str]) -> Iterator[str]:
    zero, name = made.number(step.amount - step.amount), names[step.asset]
    yield f"{_day(step.at)} * Balance {_plain(step.what)}"
    yield f'    {step.account}  {zero} "{name}" = {made.number(step.amount)} "{name}"'


def _day(at: Millis) -> str:
    return f"{datetime.fromtimestamp(at // 1000, tz=UTC):%Y-%m-%d}"


def _plain(text: str) -> str:
    """Return text without what ends a line, a description or a tag."""
    kept = "".join(each if each.isprintable() else " " for each in text)
    return kept.replace(";", ",").replace("|", "/").replace('"', "'")
